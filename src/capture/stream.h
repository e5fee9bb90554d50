/* One direction of a TCP connection: its bytes in order (RFC 9293).
 *
 * What comes in order goes on at once, without a copy. What comes early waits, bounded, and where
 * waiting segments overlap the target's policy decides which bytes count (Novak and Sturges,
 * "Target-Based TCP Stream Reassembly", 2007). What was handed on stands: a later segment with
 * other bytes for it is told as an anomaly. A gap is given up when the receiver acknowledged past
 * it (we missed the packet, he did not), when too much waits behind it, or at the end.
 */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include "base/bytes.h"

#define STREAM_WAITING_MAX  (256 * 1024)  /* bytes that wait behind a gap */
#define STREAM_SEGMENTS_MAX 512           /* pieces that wait behind it */
#define STREAM_DEPTH        (1024 * 1024) /* bytes looked at; more only counted */
#define STREAM_WINDOW       (8 * 1024)    /* of stretches offered to rules */
#define STREAM_CHUNK        2560          /* fresh bytes that are worth a look */
#define STREAM_OVERLAP      1024          /* old ones that come along */

enum stream_policy {
	STREAM_FIRST, /* what came first: Windows, HP-UX 11 ... */
	STREAM_LAST,  /* what came last: Cisco IOS */
	STREAM_BSD,   /* the earlier-starting segment; of equal ones the first */
	STREAM_LINUX, /* the same, but of equal ones the last */
};

struct stream_piece;

struct stream {
	bool started; /* next is known */
	bool ended;   /* FIN reached, or reset */
	bool fin_known;
	bool deep;             /* the depth is reached */
	bool stamped;          /* its SYN had a timestamp */
	bool closed;           /* its end was told to all */
	uint32_t next;         /* sequence number of the next byte */
	uint32_t fin;          /* sequence number of the FIN */
	uint32_t stamps[2];    /* of the first SYN and of the last */
	uint32_t acknowledged; /* highest that the other side acknowledged */
	bool acknowledged_known;
	uint64_t offset;              /* bytes of the stream before next, gaps included */
	struct stream_piece *waiting; /* in order, never overlapping */
	size_t waiting_bytes;
	unsigned waiting_count;
	/* What the reader of the application did not consume yet. */
	struct writer pending;
	/* The last stretch for the rules: old bytes first. */
	uint8_t *window;
	size_t window_length, window_seen;
	uint64_t window_offset;
	uint64_t overlaps; /* segments that told other bytes than before */
};

/* What comes out. */
struct stream_sink {
	void *context;
	void (*bytes)(void *context, struct stream *stream, struct slice bytes);
	void (*gap)(void *context, struct stream *stream, uint64_t length);
};

struct stream *stream_new(void);
/* The sequence number of the first byte (SYN's plus one). */
void stream_start(struct stream *stream, uint32_t next);
/* A segment: hands on what it completes. */
void stream_segment(struct stream *stream, enum stream_policy policy, uint32_t sequence,
		    struct slice bytes, bool fin, const struct stream_sink *sink);
/* The other side acknowledged everything before that number. */
void stream_acknowledged(struct stream *stream, uint32_t number, const struct stream_sink *sink);
/* No more comes: hands on all that waits, gaps told. */
void stream_end(struct stream *stream, const struct stream_sink *sink);
/* Bytes held. */
size_t stream_held(const struct stream *stream);
/* Accepts NULL. */
void stream_free(struct stream *stream);

#endif
