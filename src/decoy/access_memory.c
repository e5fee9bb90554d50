/* The shared table of the access policy; see access_memory.h. */
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/access_memory.h"

#define MAGIC   0x73736563636177e5 /* no text, so that no text file passes for a table */
#define VERSION 1

struct bucket {
	_Atomic uint64_t lock; /* 0: free; else when it was taken (microseconds << 8) and by whom */
	uint64_t spare[3];
	struct access_trace traces[ACCESS_WAYS];
};

struct access_memory {
	uint64_t magic, version;
	uint64_t key[2];
	uint64_t spare[4];
	struct bucket buckets[ACCESS_BUCKETS];
};

_Static_assert(sizeof(struct access_trace) == 56, "the table is a file: its layout must not drift");
_Static_assert(sizeof(struct bucket) == 256, "the table is a file: its layout must not drift");

size_t access_memory_size(void)
{
	return sizeof(struct access_memory);
}

struct access_memory *access_memory_at(void *mapped, const uint64_t key[2])
{
	struct access_memory *memory = mapped;

	if (memory->magic == MAGIC && memory->version == VERSION &&
	    memcmp(memory->key, key, sizeof(memory->key)) == 0)
		return memory;
	/* A fresh file is zero already, and stays sparse when nobody writes to it. */
	if (memory->magic != 0)
		memset(memory, 0, sizeof(*memory));
	memory->version = VERSION;
	memcpy(memory->key, key, sizeof(memory->key));
	memory->magic = MAGIC;
	return memory;
}

uint64_t access_memory_hash(const struct access_memory *memory, struct slice bytes)
{
	uint64_t key[2] = {0, 0}, hash;

	if (memory)
		memcpy(key, memory->key, sizeof(key));
	hash = hash_sip(key, bytes);
	return hash ? hash : 1;
}

/* Returns what stands in the lock while it is ours, or 0 when it was not to be had in time. No
 * system call that a sandbox could refuse: the holder needs microseconds only. */
static uint64_t take_lock(struct bucket *bucket)
{
	int64_t start = clock_monotonic(), now = start;

	while (now - start <= ACCESS_LOCK_PATIENCE) {
		uint64_t mine = (uint64_t)now << 8 | ((uint64_t)getpid() & 0xff) | 1;
		uint64_t holder = atomic_load_explicit(&bucket->lock, memory_order_relaxed);
		int64_t since = (int64_t)(holder >> 8);

		/* Before the clock's own start or ahead of it: from another boot, or damage. */
		if ((holder == 0 || since > now || now - since > ACCESS_LOCK_STALE) &&
		    atomic_compare_exchange_strong_explicit(&bucket->lock, &holder, mine,
							    memory_order_acquire,
							    memory_order_relaxed))
			return mine;
		now = clock_monotonic();
	}
	return 0;
}

static bool is_sound(const struct access_trace *trace)
{
	return trace->accepted == 0 || (trace->depth > ACCESS_NONE && trace->depth <= ACCESS_ROOT);
}

/* Seconds since it was seen; what claims to be from the future is damaged and goes first. */
static uint32_t age(const struct access_trace *trace, uint32_t now)
{
	return trace->last_seen > now ? UINT32_MAX : now - trace->last_seen;
}

static struct access_trace *find_slot(struct bucket *bucket, uint64_t tag, uint32_t now)
{
	struct access_trace *oldest = &bucket->traces[0];

	for (size_t way = 0; way < ACCESS_WAYS; way++) {
		struct access_trace *trace = &bucket->traces[way];

		if (trace->tag == tag)
			return trace;
		if (trace->tag == 0 && oldest->tag != 0)
			oldest = trace;
		else if (oldest->tag != 0 && age(trace, now) > age(oldest, now))
			oldest = trace;
	}
	return oldest;
}

void access_memory_hold(struct access_memory *memory, uint64_t tag, int64_t now,
			struct access_hold *hold)
{
	int64_t second = now / SECOND;
	uint32_t now32 = second < 0 ? 0 : second > UINT32_MAX ? UINT32_MAX : (uint32_t)second;
	struct access_trace empty = {.tag = tag};
	struct bucket *bucket;

	*hold = (struct access_hold){.trace = empty};
	if (!memory)
		return;
	bucket = &memory->buckets[tag % ACCESS_BUCKETS];
	hold->lock = take_lock(bucket);
	if (hold->lock == 0)
		return;
	hold->bucket = bucket;
	hold->slot = find_slot(bucket, tag, now32);
	memcpy(&hold->trace, hold->slot, sizeof(hold->trace));
	if (hold->trace.tag != tag || !is_sound(&hold->trace))
		hold->trace = empty;
	hold->trace.last_seen = now32;
}

void access_memory_release(struct access_hold *hold)
{
	struct bucket *bucket = hold->bucket;
	uint64_t mine = hold->lock;

	/* If we were stopped for so long that another took the bucket over, ours is not written. */
	if (!bucket || atomic_load_explicit(&bucket->lock, memory_order_relaxed) != mine)
		return;
	memcpy(hold->slot, &hold->trace, sizeof(hold->trace));
	(void)atomic_compare_exchange_strong_explicit(&bucket->lock, &mine, 0, memory_order_release,
						      memory_order_relaxed);
}

/* Three bits of 256 a pair: after 40 pairs one new pair in 20 passes for seen, which does no harm.
 */
static uint64_t filter_bit(uint64_t pair, unsigned probe, size_t *word)
{
	unsigned bit = (unsigned)(pair >> (8 * probe)) & 0xff;

	*word = bit / 64;
	return (uint64_t)1 << bit % 64;
}

bool access_memory_has_seen(const struct access_trace *trace, uint64_t pair)
{
	for (unsigned probe = 0; probe < 3; probe++) {
		size_t word;
		uint64_t bit = filter_bit(pair, probe, &word);

		if (!(trace->seen[word] & bit))
			return false;
	}
	return true;
}

void access_memory_see(struct access_trace *trace, uint64_t pair)
{
	for (unsigned probe = 0; probe < 3; probe++) {
		size_t word;
		uint64_t bit = filter_bit(pair, probe, &word);

		trace->seen[word] |= bit;
	}
	if (trace->tries < UINT16_MAX)
		trace->tries++;
}
