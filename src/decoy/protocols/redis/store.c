/* Keys and values, one after another in a fixed block: oldest first.
 *
 *   u32 length of the whole entry, u8 type, u8 database, u8 flags, u8 0, u32 key length, u64 size,
 *   i64 expires, key, value
 */
#include "decoy/protocols/redis/redis.h"

#define ENTRY_HEADER 28
#define ITEM_HEADER  4

static struct store_entry entry_at(const struct store *store, size_t at, size_t *length)
{
	struct cursor c = cursor_of(slice_of(store->bytes + at, store->used - at));
	struct store_entry entry = {.at = at};
	uint32_t key;

	*length = cursor_u32le(&c);
	entry.type = cursor_u8(&c);
	entry.database = cursor_u8(&c);
	entry.flags = cursor_u8(&c);
	cursor_skip(&c, 1);
	key = cursor_u32le(&c);
	entry.size = cursor_u64le(&c);
	entry.expires = (int64_t)cursor_u64le(&c);
	entry.key = cursor_take(&c, key);
	if (c.failed || *length < ENTRY_HEADER + key || *length > store->used - at) {
		*length = store->used - at; /* cannot be; ends the walk */
		return (struct store_entry){.at = at};
	}
	entry.value = cursor_take(&c, *length - ENTRY_HEADER - key);
	return entry;
}

bool store_next(const struct store *store, size_t *at, struct store_entry *entry)
{
	size_t length;

	if (*at >= store->used)
		return false;
	*entry = entry_at(store, *at, &length);
	*at += length;
	return true;
}

static void remove_at(struct store *store, size_t at)
{
	size_t length;

	(void)entry_at(store, at, &length);
	memmove(store->bytes + at, store->bytes + at + length, store->used - at - length);
	store->used -= length;
}

bool store_find(struct store *store, unsigned database, struct slice key, int64_t now,
		struct store_entry *entry)
{
	for (size_t at = 0; store_next(store, &at, entry);) {
		if (entry->database != database || !slice_equal(entry->key, key))
			continue;
		if (entry->expires && entry->expires <= now) {
			remove_at(store, entry->at);
			break;
		}
		return true;
	}
	*entry = (struct store_entry){0};
	return false;
}

void store_put(struct store *store, const struct store_entry *entry)
{
	size_t length = ENTRY_HEADER + entry->key.length + entry->value.length;
	struct store_entry old;
	struct writer w;

	if (length > store->capacity)
		return;
	if (store_find(store, entry->database, entry->key, 0, &old))
		remove_at(store, old.at);
	while (store->capacity - store->used < length)
		remove_at(store, 0);
	w = writer_fixed(store->bytes + store->used, length);
	writer_u32le(&w, (uint32_t)length);
	writer_u8(&w, entry->type);
	writer_u8(&w, entry->database);
	writer_u8(&w, entry->flags);
	writer_u8(&w, 0);
	writer_u32le(&w, (uint32_t)entry->key.length);
	writer_u64le(&w, entry->size);
	writer_u64le(&w, (uint64_t)entry->expires);
	writer_bytes(&w, entry->key);
	writer_bytes(&w, entry->value);
	store->used += length;
	store->changes++;
}

void store_remove(struct store *store, const struct store_entry *entry)
{
	remove_at(store, entry->at);
	store->changes++;
}

void store_mark(struct store *store, const struct store_entry *entry, uint8_t flags)
{
	store->bytes[entry->at + 6] |= flags;
}

void store_flush(struct store *store, int database)
{
	struct store_entry entry;

	for (size_t at = 0; store_next(store, &at, &entry);) {
		if (database >= 0 && entry.database != database)
			continue;
		remove_at(store, entry.at);
		at = entry.at;
	}
	store->changes++;
}

size_t store_count(const struct store *store, unsigned database, bool expiring)
{
	struct store_entry entry;
	size_t count = 0;

	for (size_t at = 0; store_next(store, &at, &entry);)
		count += entry.database == database && (!expiring || entry.expires);
	return count;
}

bool store_item_next(struct slice *rest, struct slice *item)
{
	struct cursor c = cursor_of(*rest);
	uint32_t length = cursor_u32le(&c);

	*item = cursor_take(&c, length);
	if (c.failed)
		return false;
	*rest = slice_from(*rest, ITEM_HEADER + length);
	return true;
}

void store_item_add(struct writer *items, struct slice item)
{
	writer_u32le(items, (uint32_t)item.length);
	writer_bytes(items, item);
}

size_t store_item_count(struct slice items)
{
	struct slice item;
	size_t count = 0;

	while (store_item_next(&items, &item))
		count++;
	return count;
}
