/* The shared table of tries; see access_memory.h. */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/access_memory.h"

#define MAGIC   UINT64_C(0x53554e4457414332) /* version 2 of the layout */
#define BUCKETS 8192
#define WAYS    4  /* entries that share a bucket; the one unseen longest goes */
#define RECENT  9  /* pairs remembered as tried */

struct entry {
	_Atomic uint64_t tag; /* of source and protocol; 0: free */
	_Atomic uint64_t accepted; /* hash of the pair that got in; 0: none */
	_Atomic uint32_t seen;     /* seconds since 2020 */
	_Atomic uint16_t tries;
	_Atomic uint8_t depth, next;
	_Atomic uint32_t recent[RECENT];
};

struct access_memory {
	uint64_t magic;
	uint64_t key[2];
	uint64_t reserved;
	struct entry entries[BUCKETS * WAYS];
};

size_t access_memory_size(void)
{
	return sizeof(struct access_memory);
}

struct access_memory *access_memory_at(void *mapped, const uint64_t key[2])
{
	struct access_memory *memory = mapped;

	if (memory->magic != MAGIC || memory->key[0] != key[0] || memory->key[1] != key[1]) {
		memset(memory, 0, sizeof(*memory));
		memory->key[0] = key[0];
		memory->key[1] = key[1];
		memory->magic = MAGIC;
	}
	return memory;
}

static uint64_t source_tag(const struct access_memory *memory, const struct address *source,
			   const char *protocol, uint8_t purpose)
{
	uint8_t room[64];
	struct writer text = writer_fixed(room, sizeof(room));
	struct address network = source->family == 6 ? address_network(source, 64) : *source;

	writer_u8(&text, purpose);
	writer_u8(&text, network.family);
	writer_bytes(&text, slice_of(network.bytes, network.family == 4 ? 4 : 16));
	writer_bytes(&text, slice_first(slice_text(protocol), 32));
	return hash_sip(memory->key, writer_slice(&text)) | 1;
}

uint64_t access_memory_draw(const struct access_memory *memory, const struct address *source,
			    const char *protocol)
{
	return memory ? source_tag(memory, source, protocol, 'd') >> 1 : 0;
}

static uint64_t pair_hash(const struct access_memory *memory, const struct access_try *attempt)
{
	uint64_t parts[2] = {hash_sip(memory->key, attempt->user),
			     hash_sip(memory->key, attempt->password)};

	return hash_sip(memory->key, slice_of(parts, sizeof(parts))) | 1;
}

/* The source's entry; a fresh one in place of the longest unseen when it has none. */
static struct entry *find_entry(struct access_memory *memory, const struct access_try *attempt)
{
	uint64_t tag = source_tag(memory, &attempt->source, attempt->protocol, 't');
	struct entry *bucket = &memory->entries[tag / 2 % BUCKETS * WAYS], *oldest = bucket;

	for (int i = 0; i < WAYS; i++) {
		if (atomic_load(&bucket[i].tag) == tag)
			return &bucket[i];
		if (atomic_load(&bucket[i].seen) < atomic_load(&oldest->seen))
			oldest = &bucket[i];
	}
	/* Two processes may do this at once for two sources: one of them forgets a try. */
	atomic_store(&oldest->accepted, 0);
	atomic_store(&oldest->tries, 0);
	atomic_store(&oldest->depth, 0);
	for (int i = 0; i < RECENT; i++)
		atomic_store(&oldest->recent[i], 0);
	atomic_store(&oldest->tag, tag);
	return oldest;
}

void access_memory_try(struct access_memory *memory, const struct access_try *attempt,
		       struct access_remembered *remembered)
{
	struct entry *entry;
	uint64_t pair;
	uint32_t mark;

	*remembered = (struct access_remembered){.tries = 1};
	if (!memory)
		return;
	entry = find_entry(memory, attempt);
	pair = pair_hash(memory, attempt);
	mark = (uint32_t)(pair >> 16) | 1;
	atomic_store(&entry->seen, (uint32_t)(attempt->now / SECOND - 1577836800));
	remembered->accepted_pair = atomic_load(&entry->accepted) == pair;
	remembered->depth = (enum access_depth)atomic_load(&entry->depth);
	for (int i = 0; i < RECENT && !remembered->repeated; i++)
		remembered->repeated = atomic_load(&entry->recent[i]) == mark;
	if (!remembered->repeated) {
		unsigned slot = atomic_fetch_add(&entry->next, 1) % RECENT;

		atomic_store(&entry->recent[slot], mark);
		if (atomic_load(&entry->tries) < UINT16_MAX)
			atomic_fetch_add(&entry->tries, 1);
	}
	remembered->tries = atomic_load(&entry->tries);
}

void access_memory_accept(struct access_memory *memory, const struct access_try *attempt,
			  enum access_depth depth)
{
	struct entry *entry;

	if (!memory)
		return;
	entry = find_entry(memory, attempt);
	atomic_store(&entry->depth, (uint8_t)depth);
	atomic_store(&entry->accepted, pair_hash(memory, attempt));
}
