/* Flows: the two directions between two endpoints, with a cap on how many are remembered.
 *
 * The client is who sent the first packet seen, or, picked up mid-stream, who looks like one (the
 * higher port). Flows are found by a keyed hash, so that nobody can aim for one bucket.
 */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include "capture/application.h"
#include "capture/inspection.h"
#include "event/event.h"

#define FLOWS_MAX_DEFAULT 65536
#define FLOW_BITS_MAX     4096 /* names of flowbits that one rule set may have */
#define FLOW_NUMBERS_MAX  64   /* flowint variables */

struct stream; /* one direction of a TCP flow; stream.h */

enum flow_state {
	FLOW_NEW,         /* one direction seen */
	FLOW_ESTABLISHED, /* TCP: handshake done or picked up mid-stream; UDP: both directions seen
			   */
	FLOW_CLOSED,      /* TCP: ended; remembered for late packets */
};

struct flow {
	/* key */
	struct address client, server;
	uint16_t client_port, server_port, vlan;
	uint8_t transport; /* enum transport */

	uint8_t state; /* enum flow_state */
	bool midstream;
	uint8_t application;              /* enum application_id */
	const struct application *reader; /* NULL: not (or no longer) read */
	void *reader_state;
	uint64_t transactions;

	int64_t started, seen;
	uint64_t packets[2], bytes[2]; /* by enum direction; payload bytes */
	struct stream *streams[2];     /* TCP only */
	char session[ULID_LENGTH + 1]; /* the decoy's session, or one of its own */

	/* for the rules */
	uint64_t *bits;    /* flowbits; NULL: none set yet */
	uint32_t *numbers; /* flowint; NULL: none set yet */
	uint64_t *said;    /* bit set of rules that spoke once a flow (IP lists); NULL: none */

	struct flow *bucket_next, *older, *newer;
	uint32_t hash;
};

#endif
