/* Open addressing with linear probing over numbers of entries. */
#include "store/table.h"

#include <stdlib.h>

#define FIRST_CAPACITY 256

struct table table_of(size_t entry_size, size_t key_size, const uint64_t secret[2])
{
	return (struct table){
		.entry_size = entry_size, .key_size = key_size, .secret = {secret[0], secret[1]}};
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t absorb(const uint64_t secret[2], uint64_t state, uint64_t word)
{
	return fold(state ^ word, secret[1] | 1);
}

static inline uint64_t finish(const uint64_t secret[2], uint64_t state)
{
	return fold(state ^ secret[1], secret[0] | 1);
}

/* The last word of a key: what is left of it, and zeros. */
static inline uint64_t last_word(struct slice key, size_t at)
{
	uint64_t word = 0;

	if (at < key.length)
		memcpy(&word, key.at + at, key.length - at);
	return word;
}

static inline uint64_t hash_of(const uint64_t secret[2], struct slice key)
{
	uint64_t state = secret[0] ^ key.length, word;
	size_t at = 0;

	for (; key.length - at >= 8; at += 8) {
		memcpy(&word, key.at + at, 8);
		state = absorb(secret, state, word);
	}
	return finish(secret, absorb(secret, state, last_word(key, at)));
}

uint64_t table_hash(const uint64_t secret[2], struct slice key)
{
	return hash_of(secret, key);
}

void table_hash_twice(const uint64_t secret[2], const uint64_t other[2], struct slice key,
		      uint64_t hash[2])
{
	uint64_t first = secret[0] ^ key.length, second = other[0] ^ key.length, word;
	size_t at = 0;

	for (; key.length - at >= 8; at += 8) {
		memcpy(&word, key.at + at, 8);
		first = absorb(secret, first, word);
		second = absorb(other, second, word);
	}
	word = last_word(key, at);
	hash[0] = finish(secret, absorb(secret, first, word));
	hash[1] = finish(other, absorb(other, second, word));
}

/* Most entries are looked up by keys of these two lengths, and then all of it is a few
 * instructions. */
static inline uint64_t hash_key(const struct table *table, const void *key)
{
	if (table->key_size == 16)
		return hash_of(table->secret, slice_of(key, 16));
	if (table->key_size == 4)
		return hash_of(table->secret, slice_of(key, 4));
	return hash_of(table->secret, slice_of(key, table->key_size));
}

static inline bool same_key(const struct table *table, const void *entry, const void *key)
{
	if (table->key_size == 16)
		return memcmp(entry, key, 16) == 0;
	if (table->key_size == 4)
		return memcmp(entry, key, 4) == 0;
	return memcmp(entry, key, table->key_size) == 0;
}

static size_t slot_of(const struct table *table, const void *key)
{
	size_t mask = table->slot_count - 1;
	size_t slot = hash_key(table, key) & mask;

	while (table->slots[slot] != 0 &&
	       !same_key(table, table_at(table, table->slots[slot] - 1), key))
		slot = (slot + 1) & mask;
	return slot;
}

static bool grow(struct table *table)
{
	size_t capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY;
	uint8_t *entries = reallocarray(table->entries, capacity, table->entry_size);
	uint32_t *slots;

	if (!entries)
		return false;
	table->entries = entries;
	slots = calloc(2 * capacity, sizeof(*slots));
	if (!slots)
		return false;
	free(table->slots);
	table->slots = slots;
	table->slot_count = 2 * capacity;
	table->capacity = capacity;
	for (size_t i = 0; i < table->count; i++)
		slots[slot_of(table, table_at(table, i))] = (uint32_t)i + 1;
	return true;
}

void *table_entry(struct table *table, const void *key)
{
	size_t slot;
	uint8_t *entry;

	if (table->count == table->capacity && !grow(table))
		return NULL;
	slot = slot_of(table, key);
	if (table->slots[slot] != 0)
		return table_at(table, table->slots[slot] - 1);
	entry = table_at(table, table->count);
	memset(entry, 0, table->entry_size);
	memcpy(entry, key, table->key_size);
	table->slots[slot] = (uint32_t)++table->count;
	return entry;
}

void table_clear(struct table *table)
{
	if (table->slots && table->count > 0)
		memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
	table->count = 0;
}

void table_free(struct table *table)
{
	free(table->entries);
	free(table->slots);
	table->entries = NULL;
	table->slots = NULL;
	table->count = table->capacity = table->slot_count = 0;
}
