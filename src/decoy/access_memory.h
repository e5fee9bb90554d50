/* What sources tried: a table in memory that all workers share, with a spin lock a bucket.
 *
 * Any worker may be killed at any moment, also while it holds a lock, and the file behind the table
 * may have been damaged: locks are taken over after a while, and what is read is checked. The worst
 * that can happen is that a source is forgotten. */
#ifndef DECOY_ACCESS_MEMORY_H
#define DECOY_ACCESS_MEMORY_H

#include "decoy/access.h"

/* 8192 buckets of 256 bytes are 2 MiB: 32768 sources and protocols, of which a sensor sees a few
 * thousand a day. */
#define ACCESS_BUCKETS 8192
#define ACCESS_WAYS    4

/* A lock older than this belonged to a worker that was killed: a bucket is held for microseconds.
 */
#define ACCESS_LOCK_STALE (10 * (int64_t)1000)
/* After this much waiting the try is decided without memory. */
#define ACCESS_LOCK_PATIENCE (30 * (int64_t)1000)

/* What is known of one source on one protocol. 56 bytes; all zero: nobody. */
struct access_trace {
	uint64_t tag;       /* whose it is */
	uint64_t accepted;  /* the pair that got in; 0: none */
	uint32_t last_seen; /* seconds since 1970 */
	uint16_t tries;     /* distinct pairs */
	uint8_t depth;      /* of the accepted pair */
	uint8_t spare;
	uint64_t seen[4]; /* Bloom filter of the pairs: a repeated pair is never counted twice */
};

/* A trace while it is looked at and changed; the bucket is locked meanwhile. */
struct access_hold {
	struct access_trace trace;
	void *bucket, *slot; /* NULL: there is no memory, or its lock was not to be had */
	uint64_t lock;
};

/* Finds the trace of a tag, or an empty one; access_memory_release must follow soon. */
void access_memory_hold(struct access_memory *memory, uint64_t tag, int64_t now,
			struct access_hold *hold);
/* Writes the trace back, over the oldest of its bucket when it is new. */
void access_memory_release(struct access_hold *hold);

bool access_memory_has_seen(const struct access_trace *trace, uint64_t pair);
void access_memory_see(struct access_trace *trace, uint64_t pair);
/* Keyed hash, never 0. Without memory the key is zero. */
uint64_t access_memory_hash(const struct access_memory *memory, struct slice bytes);

#endif
