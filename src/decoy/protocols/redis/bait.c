/* What the keys hold before anybody came: derived from the installation, so that no two are alike.
 */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/redis/redis.h"

static const char *const names[] = {"alice", "bruno",  "carla", "daniel", "elena", "fabian",
				    "greta", "hannes", "irina", "jonas",  "katja", "lukas"};

static int64_t pick(const struct session *session, const char *label, size_t i, int64_t low,
		    int64_t high)
{
	char full[64];

	snprintf(full, sizeof(full), "redis %s %zu", label, i);
	return persona_derive_number(session_persona(session), full, low, high);
}

void redis_hex_of(const struct session *session, const char *label, char *text, size_t bytes)
{
	uint8_t raw[64];

	persona_derive(session_persona(session), label, raw, bytes);
	for (size_t i = 0; i < bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", raw[i]);
}

static void add(struct store *store, enum store_type type, const char *key, struct slice value,
		int64_t expires)
{
	struct store_entry entry = {.key = slice_text(key),
				    .value = value,
				    .expires = expires,
				    .size = value.length,
				    .type = (uint8_t)type};

	store_put(store, &entry);
}

static void add_sessions(struct session *session, struct store *store)
{
	size_t count = (size_t)pick(session, "sessions", 0, 3, 7);
	int64_t now = session_now(session);

	for (size_t i = 0; i < count; i++) {
		char label[40], token[33], key[64], value[192];

		snprintf(label, sizeof(label), "redis session %zu", i);
		redis_hex_of(session, label, token, 16);
		snprintf(key, sizeof(key), "session:%s", token);
		snprintf(value, sizeof(value),
			 "{\"uid\":%d,\"role\":\"%s\",\"ip\":\"10.%d.%d.%d\"}",
			 (int)pick(session, "uid", i, 1001, 4800), i == 0 ? "admin" : "user",
			 (int)pick(session, "net", i, 0, 60), (int)pick(session, "sub", i, 0, 255),
			 (int)pick(session, "host", i, 2, 250));
		add(store, STORE_STRING, key, slice_text(value),
		    now + pick(session, "ttl", i, 600, 86400) * SECOND);
	}
}

static void add_users(struct session *session, struct store *store)
{
	size_t count = (size_t)pick(session, "users", 0, 2, 5);
	size_t first = (size_t)pick(session, "first user", 0, 0, ARRAY_COUNT(names) - 1);

	for (size_t i = 0; i < count; i++) {
		const char *name = names[(first + i) % ARRAY_COUNT(names)];
		uint8_t items[256];
		struct writer w = writer_fixed(items, sizeof(items));
		char key[32], text[300], label[40], hash[33];

		snprintf(key, sizeof(key), "user:%d", (int)pick(session, "uid", i, 1001, 4800));
		snprintf(label, sizeof(label), "redis hash %zu", i);
		redis_hex_of(session, label, hash, 16);
		store_item_add(&w, SLICE("name"));
		store_item_add(&w, slice_text(name));
		store_item_add(&w, SLICE("email"));
		snprintf(text, sizeof(text), "%s@%s", name,
			 persona_host_name(session_persona(session)));
		store_item_add(&w, slice_text(text));
		store_item_add(&w, SLICE("password_md5"));
		store_item_add(&w, slice_text(hash));
		if (!w.failed)
			add(store, STORE_HASH, key, writer_slice(&w), 0);
	}
}

void redis_add_bait(struct session *session, struct store *store)
{
	char secret[49], value[160];

	add_sessions(session, store);
	add_users(session, store);
	redis_hex_of(session, "redis database password", secret, 8);
	snprintf(value, sizeof(value), "mysql://app:%s@127.0.0.1:3306/app_production", secret);
	add(store, STORE_STRING, "config:database_url", slice_text(value), 0);
	redis_hex_of(session, "redis api key", secret, 24);
	add(store, STORE_STRING, "config:api_key", slice_text(secret), 0);
	snprintf(value, sizeof(value), "%d", (int)pick(session, "visits", 0, 20000, 900000));
	add(store, STORE_STRING, "stats:visits", slice_text(value), 0);
}

struct store *redis_open_store(struct session *session, struct redis *redis)
{
	struct redis_memory *memory;
	struct store *store;
	struct store_entry entry;

	if (redis->store)
		return redis->store;
	store = arena_take(session_arena(session), sizeof(*store) + REDIS_STORE_SIZE);
	if (!store) {
		session_close(session, "memory");
		return NULL;
	}
	*store = (struct store){.capacity = REDIS_STORE_SIZE, .bytes = (uint8_t *)(store + 1)};
	memory = session_memory(session, sizeof(*memory));
	if (!memory || !memory->used || !memory->flushed)
		redis_add_bait(session, store);
	if (memory && memory->used && memory->store_used <= sizeof(memory->store)) {
		struct store kept = {.used = memory->store_used,
				     .capacity = sizeof(memory->store),
				     .bytes = memory->store};

		for (size_t at = 0; store_next(&kept, &at, &entry);)
			store_put(store, &entry);
	}
	store->changes = 0;
	redis->store = store;
	return store;
}
