/* A hash table of entries of one size whose first bytes are the key: what a batch sums up in.
 * Entries lie one behind the other in the order they came, so that they can be sorted and walked.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "base/bytes.h"

struct table {
	size_t entry_size, key_size;
	uint8_t *entries;
	size_t count, capacity;
	uint32_t *slots; /* number of the entry + 1; 0: free */
	size_t slot_count;
	uint64_t secret[2]; /* keys come from attackers */
};

/* A keyed hash that is several times quicker than SipHash on short keys: folded multiplication of
 * whole words with a secret, as in wyhash (Wang Yi). */
uint64_t table_hash(const uint64_t secret[2], struct slice key);
/* With two secrets at once, for little more than the cost of one. */
void table_hash_twice(const uint64_t secret[2], const uint64_t other[2], struct slice key,
		      uint64_t hash[2]);

struct table table_of(size_t entry_size, size_t key_size, const uint64_t secret[2]);
/* The entry with that key, made (zero but for the key) if it was not there; NULL without memory.
 * Valid until the next call. */
void *table_entry(struct table *table, const void *key);
static inline void *table_at(const struct table *table, size_t number)
{
	return table->entries + number * table->entry_size;
}
/* Empties it and keeps its memory for the next batch; table_free gives it back. */
void table_clear(struct table *table);
/* Can be used again. */
void table_free(struct table *table);

#endif
