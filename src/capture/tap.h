/* What our own TLS decoys decrypted, offered to the rules: no sensor outside can see it.
 *
 * The tap owns a sensor of its own and makes TCP segments of the pieces that decoys send: a
 * handshake, data, an end. So readers, stretches and rules work as they do on the wire. What is not
 * real is kept from the listener: it gets no packets and no handshakes, and what it inspects has no
 * packet. Flows carry the decoy's session id. No I/O and no clock.
 */
#ifndef CAPTURE_TAP_H
#define CAPTURE_TAP_H

#include "capture/sensor.h"
#include "event/tap_piece.h"

#define TAP_CONNECTIONS_DEFAULT 4096
#define TAP_FLOWS_BYTES_DEFAULT ((size_t)64 * 1024 * 1024)
#define TAP_GAP_MAX \
	((uint64_t)1 << 30) /* a piece that tells of a larger loss cannot be placed any more */

struct tap_setup {
	size_t connections;              /* remembered at most; the one silent longest goes first */
	struct flow_limits flows;        /* of the tap's own sensor */
	struct sensor_listener listener; /* handshake is never called */
};
extern const struct tap_setup tap_setup_default;

struct tap_counts {
	uint64_t pieces, bytes;      /* taken */
	uint64_t refused;            /* not sound, older than what was seen, or too far ahead */
	uint64_t connections;        /* opened */
	uint64_t late;               /* of these, whose first piece was lost */
	uint64_t open;               /* now */
	uint64_t shed;               /* ended by a limit */
	uint64_t gaps, lost;         /* and the bytes in them */
	struct sensor_counts sensor; /* of made-up packets */
};

struct tap;

/* NULL when memory is out. */
struct tap *tap_new(const struct tap_setup *setup);
/* A piece of any length. Time may not be trusted across processes: overwrite it with your own if in
 * doubt. */
void tap_piece(struct tap *tap, const struct tap_piece *piece);
/* Ends all connections, so that what waits is looked at. */
void tap_finish(struct tap *tap);
struct tap_counts tap_counts(const struct tap *tap);
/* Ends all connections first, so the listener is still called; accepts NULL. */
void tap_free(struct tap *tap);

#endif
