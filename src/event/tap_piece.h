/* A piece of a decrypted stream on its way from a decoy to the rules, as one message of a socket
 * that keeps messages apart (SOCK_SEQPACKET, SOCK_DGRAM). It stands on this floor because both ends
 * of the socket need it.
 *
 * Messages may be lost: a sender that finds the socket full drops its piece and goes on, never
 * waits. The offsets tell what was lost, since they count what was offered, sent or not.
 */
#ifndef EVENT_TAP_PIECE_H
#define EVENT_TAP_PIECE_H

#include "base/address.h"
#include "base/bytes.h"
#include "event/event.h"

#define TAP_PIECE_BYTES   16384 /* of data in a message: what a TLS record holds */
#define TAP_PIECE_HEADER  90
#define TAP_PIECE_MESSAGE (TAP_PIECE_HEADER + TAP_PIECE_BYTES) /* none is longer */
#define TAP_TIME_MAX      ((int64_t)1 << 52)                   /* microseconds: year 2112 */
#define TAP_OFFSET_MAX    ((uint64_t)1 << 52)

struct tap_piece {
	struct endpoint client, server; /* of one family; always TCP */
	char session[ULID_LENGTH + 1];  /* of the decoy */
	bool to_client;                 /* direction of the bytes */
	bool opened;                    /* the session's first piece */
	bool closed;                    /* its last: both directions end here */
	int64_t time;                   /* microseconds since 1970 */
	uint64_t offset;                /* bytes of this direction offered before it */
	uint64_t other_offset;          /* bytes of the other direction offered before it */
	struct slice bytes;
};

/* Whether it can be: limits, addresses, marks that agree with the offsets. The length of its bytes
 * is not limited here. */
bool tap_piece_is_sound(const struct tap_piece *piece);
/* Appends the message; its length, or 0 when the piece is not sound, has more than TAP_PIECE_BYTES,
 * or the writer has no room. */
size_t tap_piece_write(const struct tap_piece *piece, struct writer *out);
/* Reads a message, whose bytes the piece then borrows. -1 when it is not one: the sender may be in
 * an attacker's hands. */
MUST_CHECK int tap_piece_read(struct slice message, struct tap_piece *piece);

#endif
