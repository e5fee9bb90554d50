/* IP datagrams put together again from their fragments (RFC 791, RFC 8200, RFC 5722).
 *
 * Where fragments overlap, the first to come wins, as Windows and the BSDs in the common cases;
 * IPv6 datagrams with overlaps are dropped whole, as RFC 5722 asks. Bounded in number and in bytes:
 * the oldest goes first.
 */
#ifndef CAPTURE_FRAGMENTS_H
#define CAPTURE_FRAGMENTS_H

#include "capture/packet.h"

#define FRAGMENTS_DATAGRAMS_MAX 1024
#define FRAGMENTS_PIECES_MAX                                                \
	512 /* of one datagram: more than 64 KiB in the smallest usual ones \
	     */
#define FRAGMENTS_BYTES_MAX    (8 * 1024 * 1024)
#define FRAGMENTS_WAIT_SECONDS 30

struct fragments;

struct fragments *fragments_new(void);
/* Takes a fragment in. When it completes its datagram: true, and *network is the whole, header
 * first, valid until the next call. */
bool fragments_add(struct fragments *fragments, const struct packet *packet, struct slice *network);
/* Whether the piece of the last fragments_add told bytes that another had told before. */
bool fragments_overlapped(const struct fragments *fragments);
/* Datagrams given up: overlaps, time, room. */
uint64_t fragments_dropped(const struct fragments *fragments);
void fragments_free(struct fragments *fragments);

#endif
