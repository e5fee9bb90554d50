/* Commands on keys and on strings. */
#include <fnmatch.h>
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

#define EXPIRE_MAX ((int64_t)1 << 40) /* seconds; beyond it Redis calls the time invalid */

static bool find(struct call *call, size_t index, struct store_entry *entry)
{
	return store_find(redis_store(call), call->redis->database, redis_argument(call, index),
			  session_now(call->session), entry);
}

/* True with the entry, or false: with found false when there is none, an error answered else. */
static bool find_string(struct call *call, size_t index, struct store_entry *entry, bool *found)
{
	*found = find(call, index, entry);
	if (*found && entry->type != STORE_STRING) {
		redis_wrong_type(call);
		return false;
	}
	return *found;
}

static void put_string(struct call *call, struct slice key, struct slice value, int64_t expires)
{
	struct store_entry entry = {.key = slice_first(key, REDIS_VALUE_MAX),
				    .value = slice_first(value, REDIS_VALUE_MAX),
				    .expires = expires,
				    .size = value.length,
				    .type = STORE_STRING,
				    .database = call->redis->database,
				    .flags = STORE_WRITTEN};

	store_put(redis_store(call), &entry);
	redis_inspect_value(call, key, value);
}

void redis_get(struct call *call)
{
	struct store_entry entry;
	bool found;

	if (find_string(call, 1, &entry, &found)) {
		redis_bulk(call, entry.value);
		if (slice_is_nocase(call->arguments[0], "getdel"))
			store_remove(redis_store(call), &entry);
	} else if (!found) {
		redis_null(call);
	}
}

void redis_mget(struct call *call)
{
	struct store_entry entry;

	redis_array(call, call->count - 1);
	for (size_t i = 1; i < call->count; i++) {
		if (find(call, i, &entry) && entry.type == STORE_STRING)
			redis_bulk(call, entry.value);
		else
			redis_null(call);
	}
}

struct set_options {
	bool if_absent, if_present, keeps, returns;
	int64_t expires;
};

static bool read_expiry(struct call *call, size_t index, bool milliseconds, bool absolute,
			int64_t *expires)
{
	int64_t number;

	if (!redis_integer(call, index, &number))
		return false;
	if (number <= 0 || number > EXPIRE_MAX) {
		char name[32];
		struct slice verb = slice_first(call->arguments[0], sizeof(name) - 1);

		for (size_t i = 0; i < verb.length; i++)
			name[i] = (char)(verb.at[i] | 32);
		name[verb.length] = 0;
		redis_error(call,
			    call->redis->version >= 700 ? "ERR invalid expire time in '%s' command"
							: "ERR invalid expire time in %s",
			    name);
		return false;
	}
	*expires = number * (milliseconds ? MILLISECOND : SECOND) +
		   (absolute ? 0 : session_now(call->session));
	return true;
}

static bool read_set_options(struct call *call, struct set_options *options)
{
	for (size_t i = 3; i < call->count; i++) {
		struct slice word = call->arguments[i];

		if (slice_is_nocase(word, "nx") && !options->if_present) {
			options->if_absent = true;
		} else if (slice_is_nocase(word, "xx") && !options->if_absent) {
			options->if_present = true;
		} else if (slice_is_nocase(word, "keepttl") && call->redis->version >= 600) {
			options->keeps = true;
		} else if (slice_is_nocase(word, "get") && call->redis->version >= 602) {
			options->returns = true;
		} else if ((slice_is_nocase(word, "ex") || slice_is_nocase(word, "px")) &&
			   i + 1 < call->count && !options->expires) {
			if (!read_expiry(call, ++i, (word.at[0] | 32) == 'p', false,
					 &options->expires))
				return false;
		} else {
			redis_syntax_error(call);
			return false;
		}
	}
	return true;
}

void redis_set(struct call *call)
{
	struct set_options options = {0};
	struct store_entry entry;
	bool found;

	if (!read_set_options(call, &options))
		return;
	found = find(call, 1, &entry);
	if (options.returns && found && entry.type != STORE_STRING) {
		redis_wrong_type(call);
		return;
	}
	if (options.returns && found)
		redis_bulk(call, entry.value);
	else if (options.returns)
		redis_null(call);
	if ((found && options.if_absent) || (!found && options.if_present)) {
		if (!options.returns)
			redis_null(call);
		return;
	}
	put_string(call, call->arguments[1], call->arguments[2],
		   options.keeps && found ? entry.expires : options.expires);
	if (!options.returns)
		redis_status(call, "OK");
}

void redis_setex(struct call *call)
{
	int64_t expires;

	if (!read_expiry(call, 2, (call->arguments[0].at[0] | 32) == 'p', false, &expires))
		return;
	put_string(call, call->arguments[1], call->arguments[3], expires);
	redis_status(call, "OK");
}

void redis_setnx(struct call *call)
{
	struct store_entry entry;
	bool found = find(call, 1, &entry);

	if (!found)
		put_string(call, call->arguments[1], call->arguments[2], 0);
	redis_number(call, !found);
}

void redis_mset(struct call *call)
{
	bool if_absent = slice_is_nocase(call->arguments[0], "msetnx"), exists = false;
	struct store_entry entry;

	if (call->count % 2 == 0) {
		redis_error(call,
			    call->redis->version >= 700
				    ? "ERR wrong number of arguments for '%s' command"
				    : "ERR wrong number of arguments for MSET",
			    call->command->name);
		return;
	}
	for (size_t i = 1; if_absent && i < call->count; i += 2)
		exists |= find(call, i, &entry);
	for (size_t i = 1; !exists && i + 1 < call->count; i += 2)
		put_string(call, call->arguments[i], call->arguments[i + 1], 0);
	if (if_absent)
		redis_number(call, !exists);
	else
		redis_status(call, "OK");
}

void redis_getset(struct call *call)
{
	struct store_entry entry;
	bool found;

	if (find_string(call, 1, &entry, &found))
		redis_bulk(call, entry.value);
	else if (!found)
		redis_null(call);
	else
		return;
	put_string(call, call->arguments[1], call->arguments[2], 0);
}

void redis_append(struct call *call)
{
	struct writer value = writer_growing((size_t)2 * REDIS_INPUT_MAX);
	struct store_entry entry = {0};
	bool found;

	if (!find_string(call, 1, &entry, &found) && found)
		return;
	if (found)
		writer_bytes(&value, entry.value);
	writer_bytes(&value, call->arguments[2]);
	put_string(call, call->arguments[1], writer_slice(&value), found ? entry.expires : 0);
	redis_number(call, (int64_t)value.length);
	writer_free(&value);
}

void redis_strlen(struct call *call)
{
	struct store_entry entry;
	bool found;

	if (find_string(call, 1, &entry, &found))
		redis_number(call, (int64_t)entry.size);
	else if (!found)
		redis_number(call, 0);
}

/* INCR, DECR, INCRBY, DECRBY. */
void redis_increment(struct call *call)
{
	struct store_entry entry;
	int64_t number = 0, step = 1;
	char text[24];
	bool found;

	if (call->count == 3 && !redis_integer(call, 2, &step))
		return;
	if (find_string(call, 1, &entry, &found)) {
		if (slice_number(entry.value, INT64_MIN, INT64_MAX, &number) < 0) {
			redis_error(call, "ERR value is not an integer or out of range");
			return;
		}
	} else if (found) {
		return;
	}
	if ((call->arguments[0].at[0] | 32) == 'd' && step == INT64_MIN) {
		redis_error(call, "ERR decrement would overflow");
		return;
	}
	if ((call->arguments[0].at[0] | 32) == 'd')
		step = -step;
	if (__builtin_add_overflow(number, step, &number)) {
		redis_error(call, "ERR increment or decrement would overflow");
		return;
	}
	snprintf(text, sizeof(text), "%lld", (long long)number);
	put_string(call, call->arguments[1], slice_text(text), found ? entry.expires : 0);
	redis_number(call, number);
}

/* --- keys --- */

void redis_del(struct call *call)
{
	struct store_entry entry;
	int64_t count = 0;

	for (size_t i = 1; i < call->count; i++) {
		if (find(call, i, &entry)) {
			store_remove(redis_store(call), &entry);
			count++;
		}
	}
	redis_number(call, count);
}

void redis_exists(struct call *call)
{
	struct store_entry entry;
	int64_t count = 0;

	for (size_t i = 1; i < call->count; i++)
		count += find(call, i, &entry);
	redis_number(call, count);
}

static const char *const type_names[] = {[STORE_STRING] = "string",
					 [STORE_LIST] = "list",
					 [STORE_HASH] = "hash",
					 [STORE_SET] = "set"};

void redis_type(struct call *call)
{
	struct store_entry entry;

	redis_status(call, find(call, 1, &entry) ? type_names[entry.type] : "none");
}

bool redis_matches(struct slice pattern, struct slice text, bool nocase)
{
	char p[256], t[1024];

	if (pattern.length >= sizeof(p) || text.length >= sizeof(t))
		return slice_is(pattern, "*");
	memcpy(p, pattern.at, pattern.length);
	memcpy(t, text.at, text.length);
	p[pattern.length] = t[text.length] = 0;
	/* A run of stars is one star, and many stars are nobody's pattern: matching stays cheap. */
	size_t kept = 0, stars = 0;
	for (size_t i = 0; p[i]; i++) {
		if (p[i] == '*' && kept && p[kept - 1] == '*')
			continue;
		stars += p[i] == '*';
		p[kept++] = p[i];
	}
	p[kept] = 0;
	return stars <= 8 && fnmatch(p, t, nocase ? FNM_CASEFOLD : 0) == 0;
}

static bool is_current(struct call *call, const struct store_entry *entry)
{
	return entry->database == call->redis->database &&
	       (!entry->expires || entry->expires > session_now(call->session));
}

static void put_matching(struct call *call, struct slice pattern, const char *type)
{
	const struct store *store = redis_store(call);
	struct store_entry entry;
	size_t count = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t at = 0; store_next(store, &at, &entry);) {
			if (!is_current(call, &entry) ||
			    !redis_matches(pattern, entry.key, false) ||
			    (type && strcmp(type, type_names[entry.type]) != 0))
				continue;
			if (pass)
				redis_bulk(call, entry.key);
			else
				count++;
		}
		if (!pass)
			redis_array(call, count);
	}
}

void redis_keys(struct call *call)
{
	put_matching(call, call->arguments[1], NULL);
}

void redis_scan(struct call *call)
{
	struct slice pattern = SLICE("*");
	const char *type = NULL;
	int64_t number;

	if (slice_number(call->arguments[1], 0, INT64_MAX, &number) < 0) {
		redis_error(call, "ERR invalid cursor");
		return;
	}
	for (size_t i = 2; i < call->count; i += 2) {
		struct slice word = call->arguments[i], value = redis_argument(call, i + 1);

		if (i + 1 >= call->count) {
			redis_syntax_error(call);
			return;
		}
		if (slice_is_nocase(word, "count")) {
			if (!redis_integer(call, i + 1, &number))
				return;
		} else if (slice_is_nocase(word, "match")) {
			pattern = value;
		} else if (slice_is_nocase(word, "type") && call->redis->version >= 600) {
			type = "zset";
			for (size_t k = 0; k < ARRAY_COUNT(type_names); k++) {
				if (slice_is_nocase(value, type_names[k]))
					type = type_names[k];
			}
		} else {
			redis_syntax_error(call);
			return;
		}
	}
	redis_array(call, 2);
	redis_words(call, "0");
	put_matching(call, pattern, type);
}

void redis_randomkey(struct call *call)
{
	const struct store *store = redis_store(call);
	size_t count = store_count(store, call->redis->database, false), pick;
	struct store_entry entry;

	if (count == 0) {
		redis_null(call);
		return;
	}
	pick = (size_t)session_random_number(call->session, count);
	for (size_t at = 0; store_next(store, &at, &entry);) {
		if (entry.database == call->redis->database && pick-- == 0) {
			redis_bulk(call, entry.key);
			return;
		}
	}
}

/* Puts an entry back under another key or with another time; it may lie in the store itself. */
static void replace(struct call *call, const struct store_entry *entry, struct slice key,
		    int64_t expires)
{
	struct writer copy = writer_growing((size_t)4 * REDIS_VALUE_MAX);
	struct store_entry put = *entry;

	writer_bytes(&copy, key);
	writer_bytes(&copy, entry->value);
	if (!copy.failed) {
		put.key = slice_first(writer_slice(&copy), key.length);
		put.value = slice_from(writer_slice(&copy), key.length);
		put.expires = expires;
		store_put(redis_store(call), &put);
	}
	writer_free(&copy);
}

void redis_expire(struct call *call)
{
	bool milliseconds = (call->arguments[0].at[0] | 32) == 'p';
	struct store_entry entry;
	int64_t number;

	if (!redis_integer(call, 2, &number))
		return;
	if (!find(call, 1, &entry)) {
		redis_number(call, 0);
		return;
	}
	if (number <= 0)
		store_remove(redis_store(call), &entry);
	else
		replace(call, &entry, call->arguments[1],
			session_now(call->session) + (number < EXPIRE_MAX ? number : EXPIRE_MAX) *
							     (milliseconds ? MILLISECOND : SECOND));
	redis_number(call, 1);
}

void redis_ttl(struct call *call)
{
	int64_t unit = (call->arguments[0].at[0] | 32) == 'p' ? MILLISECOND : SECOND;
	struct store_entry entry;

	if (!find(call, 1, &entry))
		redis_number(call, -2);
	else if (!entry.expires)
		redis_number(call, -1);
	else
		redis_number(call, (entry.expires - session_now(call->session) + unit / 2) / unit);
}

void redis_persist(struct call *call)
{
	struct store_entry entry;
	bool had = find(call, 1, &entry) && entry.expires;

	if (had)
		replace(call, &entry, call->arguments[1], 0);
	redis_number(call, had);
}

/* RENAME and RENAMENX. */
void redis_rename(struct call *call)
{
	bool if_absent = call->arguments[0].length > 6;
	struct store_entry entry, other;

	if (!find(call, 1, &entry)) {
		redis_error(call, "ERR no such key");
		return;
	}
	if (if_absent && find(call, 2, &other)) {
		redis_number(call, 0);
		return;
	}
	if (!slice_equal(call->arguments[1], call->arguments[2])) {
		entry.flags |= STORE_WRITTEN;
		replace(call, &entry, call->arguments[2], entry.expires);
		if (find(call, 1, &entry))
			store_remove(redis_store(call), &entry);
	}
	if (if_absent)
		redis_number(call, 1);
	else
		redis_status(call, "OK");
}

void redis_dbsize(struct call *call)
{
	redis_number(call, (int64_t)store_count(redis_store(call), call->redis->database, false));
}

void redis_flushall(struct call *call)
{
	bool all = slice_is_nocase(call->arguments[0], "flushall");

	if (call->count > 2 || (call->count == 2 && !slice_is_nocase(call->arguments[1], "async") &&
				!slice_is_nocase(call->arguments[1], "sync"))) {
		redis_syntax_error(call);
		return;
	}
	redis_tag(call, "data-wipe");
	redis_keep_writes(call->session, call->redis);
	store_flush(redis_store(call), all ? -1 : call->redis->database);
	call->redis->flushed |= all || call->redis->database == 0;
	redis_status(call, "OK");
}

void redis_object_encoding(struct call *call)
{
	static const char *const names[] = {
		[STORE_LIST] = "quicklist", [STORE_HASH] = "ziplist", [STORE_SET] = "hashtable"};
	struct store_entry entry;
	struct slice rest, item;
	int64_t number;
	bool integers = true;

	if (!find(call, 2, &entry)) {
		redis_null(call);
		return;
	}
	if (entry.type == STORE_STRING) {
		redis_words(call, slice_number(entry.value, INT64_MIN, INT64_MAX, &number) == 0
					  ? "int"
				  : entry.size <= 44 ? "embstr"
						     : "raw");
		return;
	}
	for (rest = entry.value; store_item_next(&rest, &item);)
		integers &= slice_number(item, INT64_MIN, INT64_MAX, &number) == 0;
	if (entry.type == STORE_SET && integers)
		redis_words(call, "intset");
	else if (entry.type == STORE_HASH && call->redis->version >= 700)
		redis_words(call, "listpack");
	else
		redis_words(call, names[entry.type]);
}

void redis_object_number(struct call *call)
{
	struct store_entry entry;
	bool counts = slice_is_nocase(call->arguments[1], "refcount");

	if (!find(call, 2, &entry))
		redis_null(call);
	else if (slice_is_nocase(call->arguments[1], "freq"))
		redis_error(call, "ERR An LFU maxmemory policy is not selected, access frequency "
				  "not tracked. Please note that when switching between policies "
				  "at runtime LRU and LFU data will take some time to adjust.");
	else
		redis_number(call, counts);
}

void redis_memory_usage(struct call *call)
{
	struct store_entry entry;

	if (find(call, 2, &entry))
		redis_number(call, (int64_t)(56 + entry.key.length + entry.size));
	else
		redis_null(call);
}

/* The format of DUMP is only worth making for keys that exist; nobody was seen asking. */
void redis_dump(struct call *call)
{
	redis_null(call);
}

void redis_restore(struct call *call)
{
	struct store_entry entry;

	if (find(call, 1, &entry) && call->count == 4)
		redis_error(call, "BUSYKEY Target key name already exists.");
	else
		redis_error(call, "ERR DUMP payload version or checksum are wrong");
}
