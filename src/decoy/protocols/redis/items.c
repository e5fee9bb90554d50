/* Commands on lists, hashes and sets. */
#include "decoy/protocols/redis/redis.h"

/* The entry of a key with this type. False with *found set when an error was answered. */
static bool find(struct call *call, enum store_type type, struct store_entry *entry, bool *found)
{
	*entry = (struct store_entry){0};
	*found = store_find(redis_store(call), call->redis->database, redis_argument(call, 1),
			    session_now(call->session), entry);
	if (*found && entry->type != type) {
		redis_wrong_type(call);
		return false;
	}
	return true;
}

/* Stores the items under the key; without items the key goes. */
static void put(struct call *call, enum store_type type, const struct writer *items,
		const struct store_entry *old)
{
	struct store_entry entry = {.key = slice_first(call->arguments[1], REDIS_VALUE_MAX),
				    .value = writer_slice(items),
				    .expires = old->expires,
				    .size = items->length,
				    .type = (uint8_t)type,
				    .database = call->redis->database,
				    .flags = STORE_WRITTEN};
	struct store_entry found;

	if (items->failed)
		return;
	if (items->length) {
		store_put(redis_store(call), &entry);
	} else if (store_find(redis_store(call), entry.database, entry.key, 0, &found)) {
		store_remove(redis_store(call), &found);
	}
}

static struct slice item_at(struct slice items, size_t index)
{
	struct slice item = {0};

	for (size_t i = 0; store_item_next(&items, &item); i++) {
		if (i == index)
			return item;
	}
	return (struct slice){0};
}

static enum store_type type_of_command(const struct call *call)
{
	char first = call->command->name[0];

	return first == 'h' ? STORE_HASH : first == 's' ? STORE_SET : STORE_LIST;
}

/* LLEN, HLEN, SCARD. */
void redis_count(struct call *call)
{
	enum store_type type = type_of_command(call);
	struct store_entry entry;
	bool found;

	if (find(call, type, &entry, &found))
		redis_number(call, (int64_t)(store_item_count(entry.value) /
					     (type == STORE_HASH ? 2 : 1)));
}

/* LPUSH, RPUSH and their X forms. */
void redis_push(struct call *call)
{
	struct writer items = writer_growing(REDIS_VALUE_MAX);
	bool at_front = call->command->name[0] == 'l', found;
	struct store_entry entry;

	if (!find(call, STORE_LIST, &entry, &found))
		return;
	if (!found && call->command->name[5] == 'x') {
		redis_number(call, 0);
		return;
	}
	if (!at_front)
		writer_bytes(&items, entry.value);
	for (size_t i = at_front ? call->count - 1 : 2; i >= 2 && i < call->count;
	     i += at_front ? (size_t)-1 : 1) {
		store_item_add(&items, call->arguments[i]);
		redis_inspect_value(call, call->arguments[1], call->arguments[i]);
	}
	if (at_front)
		writer_bytes(&items, entry.value);
	redis_number(call, (int64_t)(store_item_count(entry.value) + call->count - 2));
	put(call, STORE_LIST, &items, &entry);
	writer_free(&items);
}

/* LPOP and RPOP, with a count from 6.2 on. */
void redis_pop(struct call *call)
{
	struct writer rest = writer_growing(REDIS_VALUE_MAX);
	bool at_front = call->command->name[0] == 'l', found;
	struct store_entry entry;
	int64_t wanted = 1;
	size_t count, first, last;

	if (call->count > 2 && call->redis->version < 602) {
		redis_error(call, "ERR wrong number of arguments for '%s' command",
			    call->command->name);
		return;
	}
	if ((call->count > 2 && !redis_integer(call, 2, &wanted)) ||
	    !find(call, STORE_LIST, &entry, &found))
		return;
	if (!found || wanted < 0) {
		redis_null(call);
		return;
	}
	count = store_item_count(entry.value);
	if ((uint64_t)wanted > count)
		wanted = (int64_t)count;
	first = at_front ? 0 : count - (size_t)wanted;
	last = first + (size_t)wanted;
	if (call->count > 2)
		redis_array(call, (size_t)wanted);
	for (size_t i = 0; i < (size_t)wanted; i++)
		redis_bulk(call, item_at(entry.value, at_front ? i : count - 1 - i));
	for (size_t i = 0; i < count; i++) {
		if (i < first || i >= last)
			store_item_add(&rest, item_at(entry.value, i));
	}
	put(call, STORE_LIST, &rest, &entry);
	writer_free(&rest);
}

void redis_lrange(struct call *call)
{
	struct store_entry entry;
	struct slice rest, item;
	int64_t first, last, count, i = 0;
	bool found;

	if (!redis_integer(call, 2, &first) || !redis_integer(call, 3, &last) ||
	    !find(call, STORE_LIST, &entry, &found))
		return;
	count = (int64_t)store_item_count(entry.value);
	if (first < 0)
		first = first + count < 0 ? 0 : first + count;
	if (last < 0)
		last += count;
	if (last >= count)
		last = count - 1;
	redis_array(call, first > last ? 0 : (size_t)(last - first + 1));
	for (rest = entry.value; store_item_next(&rest, &item); i++) {
		if (i >= first && i <= last)
			redis_bulk(call, item);
	}
}

void redis_lindex(struct call *call)
{
	struct store_entry entry;
	int64_t index, count;
	bool found;

	if (!redis_integer(call, 2, &index) || !find(call, STORE_LIST, &entry, &found))
		return;
	count = (int64_t)store_item_count(entry.value);
	if (index < 0)
		index += count;
	if (index < 0 || index >= count)
		redis_null(call);
	else
		redis_bulk(call, item_at(entry.value, (size_t)index));
}

/* --- hashes --- */

/* HSET and HMSET. */
void redis_hset(struct call *call)
{
	struct writer items = writer_growing(REDIS_VALUE_MAX);
	struct store_entry entry;
	struct slice rest, field, value;
	size_t before, after;
	bool found;

	if (call->count % 2) {
		redis_error(call, "ERR wrong number of arguments for '%s' command",
			    call->command->name);
		return;
	}
	if (!find(call, STORE_HASH, &entry, &found))
		return;
	before = store_item_count(entry.value) / 2;
	for (rest = entry.value;
	     store_item_next(&rest, &field) && store_item_next(&rest, &value);) {
		bool replaced = false;

		for (size_t i = 2; i < call->count; i += 2)
			replaced |= slice_equal(field, call->arguments[i]);
		if (!replaced) {
			store_item_add(&items, field);
			store_item_add(&items, value);
		}
	}
	for (size_t i = 2; i + 1 < call->count; i += 2) {
		store_item_add(&items, call->arguments[i]);
		store_item_add(&items, call->arguments[i + 1]);
		redis_inspect_value(call, call->arguments[1], call->arguments[i + 1]);
	}
	after = store_item_count(writer_slice(&items)) / 2;
	put(call, STORE_HASH, &items, &entry);
	writer_free(&items);
	if (call->command->name[1] == 'm')
		redis_status(call, "OK");
	else
		redis_number(call, after > before ? (int64_t)(after - before) : 0);
}

/* HGET and HEXISTS. */
void redis_hget(struct call *call)
{
	bool asks = call->command->name[1] == 'e', found;
	struct store_entry entry;
	struct slice rest, field, value;

	if (!find(call, STORE_HASH, &entry, &found))
		return;
	for (rest = entry.value;
	     store_item_next(&rest, &field) && store_item_next(&rest, &value);) {
		if (slice_equal(field, call->arguments[2])) {
			if (asks)
				redis_number(call, 1);
			else
				redis_bulk(call, value);
			return;
		}
	}
	if (asks)
		redis_number(call, 0);
	else
		redis_null(call);
}

/* HGETALL, HKEYS, HVALS. */
void redis_hgetall(struct call *call)
{
	char which = call->command->name[1];
	struct store_entry entry;
	struct slice rest, field, value;
	bool found;

	if (!find(call, STORE_HASH, &entry, &found))
		return;
	if (which == 'g')
		redis_map(call, store_item_count(entry.value) / 2);
	else
		redis_array(call, store_item_count(entry.value) / 2);
	for (rest = entry.value;
	     store_item_next(&rest, &field) && store_item_next(&rest, &value);) {
		if (which != 'v')
			redis_bulk(call, field);
		if (which != 'k')
			redis_bulk(call, value);
	}
}

/* --- sets; and what they share with hashes --- */

static bool has_item(struct slice items, struct slice wanted)
{
	struct slice item;

	while (store_item_next(&items, &item)) {
		if (slice_equal(item, wanted))
			return true;
	}
	return false;
}

void redis_sadd(struct call *call)
{
	struct writer items = writer_growing(REDIS_VALUE_MAX);
	struct store_entry entry;
	int64_t added = 0;
	bool found;

	if (!find(call, STORE_SET, &entry, &found))
		return;
	writer_bytes(&items, entry.value);
	for (size_t i = 2; i < call->count; i++) {
		if (has_item(writer_slice(&items), call->arguments[i]))
			continue;
		store_item_add(&items, call->arguments[i]);
		redis_inspect_value(call, call->arguments[1], call->arguments[i]);
		added++;
	}
	put(call, STORE_SET, &items, &entry);
	writer_free(&items);
	redis_number(call, added);
}

void redis_smembers(struct call *call)
{
	struct store_entry entry;
	struct slice rest, item;
	bool found;

	if (!find(call, STORE_SET, &entry, &found))
		return;
	redis_set_of(call, store_item_count(entry.value));
	for (rest = entry.value; store_item_next(&rest, &item);)
		redis_bulk(call, item);
}

void redis_sismember(struct call *call)
{
	struct store_entry entry;
	bool found;

	if (find(call, STORE_SET, &entry, &found))
		redis_number(call, has_item(entry.value, call->arguments[2]));
}

/* HDEL and SREM. */
void redis_remove_items(struct call *call)
{
	enum store_type type = type_of_command(call);
	struct writer items = writer_growing(REDIS_VALUE_MAX);
	struct store_entry entry;
	struct slice rest, item, value;
	int64_t removed = 0;
	bool found;

	if (!find(call, type, &entry, &found))
		return;
	for (rest = entry.value; store_item_next(&rest, &item);) {
		bool goes = false;

		value = (struct slice){0};
		if (type == STORE_HASH && !store_item_next(&rest, &value))
			break;
		for (size_t i = 2; i < call->count; i++)
			goes |= slice_equal(item, call->arguments[i]);
		removed += goes;
		if (goes)
			continue;
		store_item_add(&items, item);
		if (type == STORE_HASH)
			store_item_add(&items, value);
	}
	if (removed)
		put(call, type, &items, &entry);
	writer_free(&items);
	redis_number(call, removed);
}
