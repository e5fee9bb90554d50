/* Buckets of four slots; see session_table.h. */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "process/session_table.h"

#define BUCKET 4

struct slot {
	_Atomic uint64_t key; /* 0: nothing here, or being written */
	_Atomic int64_t opened;
	_Atomic uint64_t name[4];
};

struct session_table {
	uint64_t secret[2];
	struct slot slots[SESSION_TABLE_SLOTS];
};

_Static_assert(SESSION_NAME_LENGTH < sizeof(((struct slot *)0)->name), "a name fits");

struct session_table *session_table_make(void)
{
	struct session_table *table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (table == MAP_FAILED)
		return NULL;
	random_bytes(table->secret, sizeof(table->secret));
	return table;
}

int session_table_seal(struct session_table *table)
{
	return mprotect(table, sizeof(*table), PROT_READ);
}

static uint64_t key_of(const struct session_table *table, const struct session_ends *ends)
{
	uint8_t room[64];
	struct writer key = writer_fixed(room, sizeof(room));
	uint64_t hash;

	writer_u8(&key, ends->transport);
	writer_u8(&key, ends->peer.address.family);
	writer_bytes(&key, slice_of(ends->peer.address.bytes, 16));
	writer_u16be(&key, ends->peer.port);
	writer_bytes(&key, slice_of(ends->local.address.bytes, 16));
	writer_u16be(&key, ends->local.port);
	hash = hash_sip(table->secret, writer_slice(&key));
	return hash ? hash : 1;
}

/* The slot of that key, or the oldest of its bucket. */
static struct slot *slot_for(struct session_table *table, uint64_t key)
{
	struct slot *bucket = &table->slots[key % SESSION_TABLE_SLOTS & ~(uint64_t)(BUCKET - 1)];
	struct slot *oldest = bucket;

	for (size_t i = 0; i < BUCKET; i++) {
		if (atomic_load(&bucket[i].key) == key)
			return &bucket[i];
		if (atomic_load(&bucket[i].opened) < atomic_load(&oldest->opened))
			oldest = &bucket[i];
	}
	return oldest;
}

void session_table_put(struct session_table *table, const struct session_ends *ends, int64_t opened,
		       const char name[SESSION_NAME_LENGTH + 1])
{
	uint64_t words[4] = {0}, key, before;
	struct slot *slot;

	if (!table)
		return;
	key = key_of(table, ends);
	slot = slot_for(table, key);
	before = atomic_load(&slot->key);
	/* Another worker that takes the same slot now wins it: that entry is as new as this. */
	if (!atomic_compare_exchange_strong(&slot->key, &before, 0))
		return;
	memcpy(words, name, SESSION_NAME_LENGTH);
	atomic_store(&slot->opened, opened);
	for (size_t i = 0; i < 4; i++)
		atomic_store(&slot->name[i], words[i]);
	atomic_store(&slot->key, key);
}

bool session_table_find(const struct session_table *table, const struct session_ends *ends,
			int64_t since, char name[SESSION_NAME_LENGTH + 1])
{
	uint64_t key = key_of(table, ends), words[4];
	const struct slot *bucket =
		&table->slots[key % SESSION_TABLE_SLOTS & ~(uint64_t)(BUCKET - 1)];

	for (size_t i = 0; i < BUCKET; i++) {
		const struct slot *slot = &bucket[i];
		int64_t opened;

		if (atomic_load(&slot->key) != key)
			continue;
		opened = atomic_load(&slot->opened);
		for (size_t k = 0; k < 4; k++)
			words[k] = atomic_load(&slot->name[k]);
		if (atomic_load(&slot->key) != key || opened < since)
			continue;
		memcpy(name, words, SESSION_NAME_LENGTH);
		name[SESSION_NAME_LENGTH] = '\0';
		return true;
	}
	return false;
}
