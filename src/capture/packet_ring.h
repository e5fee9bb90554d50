/* A ring of recent packets on disk; packet_ring_cut.h cuts a conversation out of it.
 *
 * The ring is a folder of pcap files that any tool reads (ring_file.h tells their names). The
 * writer holds nothing but the folder's descriptor and uses relative names only, so that it works
 * in an empty root. Packets gather in memory and reach the file with one write; what a full disk
 * refuses is dropped and counted, and a file never holds part of a packet with more behind it.
 */
#ifndef CAPTURE_PACKET_RING_H
#define CAPTURE_PACKET_RING_H

#include "capture/packet.h"

#define PACKET_RING_TOTAL     ((uint64_t)1024 * 1024 * 1024)
#define PACKET_RING_SEGMENT   ((uint64_t)32 * 1024 * 1024)
#define PACKET_RING_FILES_MAX 4096         /* tiny ones: many starts, many link types */
#define PACKET_RING_BATCH     (256 * 1024) /* a write of this size costs little per packet */
#define PACKET_RING_LINKS     4            /* link types that are written side by side */

struct packet_ring_limits {
	uint64_t total_bytes;   /* of all files together, never exceeded; 0: PACKET_RING_TOTAL */
	uint64_t segment_bytes; /* begin a new file at this size; at most a quarter of the total;
				   0: PACKET_RING_SEGMENT */
	uint32_t frame_bytes;   /* of a packet that are kept; 0, or more than pcap's tools take:
				   what they take */
};

struct packet_ring_counts {
	uint64_t packets, bytes; /* written since opening; bytes as they stand in files */
	uint64_t waiting;        /* packets that the next flush will write */
	uint64_t dropped;     /* packets that the disk or the limits refused, or that no pcap file
				 can hold */
	uint64_t shortened;   /* packets of which only the first frame_bytes were kept */
	uint64_t removed;     /* files, to make room */
	uint64_t files, held; /* now, and their bytes */
	int64_t since;        /* time of the oldest file's first packet; 0: there is none */
};

struct packet_ring;

/* Opens the ring for writing, one writer a folder; the descriptor is borrowed and must stay open.
 * A torn record at the end of the newest files is cut off; writing goes on in a new file. NULL with
 * errno on failure. */
struct packet_ring *packet_ring_open(int folder, const struct packet_ring_limits *limits);
/* Queues a packet (time in microseconds since 1970). It reaches the file at the next flush, or
 * sooner when the batch is full. */
void packet_ring_add(struct packet_ring *ring, enum link_type link, struct slice frame,
		     uint32_t wire_length, int64_t time);
/* -1 when packets were dropped; the next flush tries again by itself. */
int packet_ring_flush(struct packet_ring *ring);
struct packet_ring_counts packet_ring_counts(const struct packet_ring *ring);
/* Flushes and closes; accepts NULL. */
void packet_ring_close(struct packet_ring *ring);

#endif
