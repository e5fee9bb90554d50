/* Open addressing with linear probing over numbers of entries. */
#include "store/table.h"

#include <stdlib.h>

#define FIRST_CAPACITY 256

struct table table_of(size_t entry_size, size_t key_size, const uint64_t secret[2])
{
	return (struct table){
		.entry_size = entry_size, .key_size = key_size, .secret = {secret[0], secret[1]}};
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t table_hash(const uint64_t secret[2], struct slice key)
{
	uint64_t state = secret[0] ^ key.length;
	uint64_t word;
	size_t at = 0;

	for (; key.length - at >= 8; at += 8) {
		memcpy(&word, key.at + at, 8);
		state = fold(state ^ word, secret[1] | 1);
	}
	word = 0;
	if (at < key.length)
		memcpy(&word, key.at + at, key.length - at);
	return fold(fold(state ^ word, secret[1] | 1) ^ secret[1], secret[0] | 1);
}

static size_t slot_of(const struct table *table, const void *key)
{
	size_t mask = table->slot_count - 1;
	size_t slot = table_hash(table->secret, slice_of(key, table->key_size)) & mask;

	while (table->slots[slot] != 0 &&
	       memcmp(table_at(table, table->slots[slot] - 1), key, table->key_size) != 0)
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
