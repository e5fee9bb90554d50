/* CLIENT, ACL, MONITOR and publish/subscribe. */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

/* --- CLIENT --- */

static void put_client(struct call *call, struct writer *out)
{
	char peer[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX];
	const struct redis *redis = call->redis;
	int64_t age = (session_now(call->session) - redis->opened) / SECOND;
	struct slice sub = call->arguments[1];
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)slice_first(sub, 8).length, (const char *)sub.at);
	for (size_t i = 0; name[i]; i++)
		name[i] = (char)(name[i] | 32);
	address_text(&session_peer(call->session)->address, peer);
	address_text(&session_local(call->session)->address, local);
	writer_format(out, "id=%u addr=%s:%u ", redis->id, peer, session_peer(call->session)->port);
	if (redis->version >= 602)
		writer_format(out, "laddr=%s:%u ", local, redis_port(call->session));
	writer_format(out, "fd=8 name=%s age=%lld idle=0 flags=N db=%u sub=%zu psub=0 ",
		      redis->name ? redis->name : "", (long long)age, redis->database,
		      redis->channel_count);
	if (redis->version >= 700)
		writer_text(out, "ssub=0 ");
	writer_text(out, "multi=-1 ");
	if (redis->version >= 700)
		writer_format(
			out,
			"qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 obl=0 "
			"oll=0 omem=0 tot-mem=22298 events=r cmd=client|%s user=default "
			"redir=-1 resp=%u\n",
			name, redis->protocol);
	else if (redis->version >= 600)
		writer_text(out, "qbuf=26 qbuf-free=32742 obl=0 oll=0 omem=0 events=r cmd=client "
				 "user=default\n");
	else
		writer_text(out,
			    "qbuf=26 qbuf-free=32742 obl=0 oll=0 omem=0 events=r cmd=client\n");
}

void redis_client_list(struct call *call)
{
	uint8_t bytes[1024];
	struct writer out = writer_fixed(bytes, sizeof(bytes));

	put_client(call, &out);
	redis_verbatim(call, writer_slice(&out));
}

void redis_client_id(struct call *call)
{
	redis_number(call, call->redis->id);
}

void redis_client_getname(struct call *call)
{
	if (call->redis->name)
		redis_words(call, call->redis->name);
	else
		redis_null(call);
}

void redis_client_setname(struct call *call)
{
	struct slice name = call->arguments[2];

	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] < '!' || name.at[i] > '~') {
			redis_error(call,
				    "ERR Client names cannot contain spaces, newlines or special "
				    "characters.");
			return;
		}
	}
	call->redis->name =
		name.length ? arena_text(session_arena(call->session), slice_first(name, 255))
			    : NULL;
	redis_status(call, "OK");
}

void redis_client_kill(struct call *call)
{
	if (call->count == 3)
		redis_error(call, "ERR No such client");
	else if (call->count % 2)
		redis_syntax_error(call);
	else
		redis_number(call, 0);
}

void redis_client_getredir(struct call *call)
{
	redis_number(call, -1);
}

/* --- ACL --- */

void redis_acl_whoami(struct call *call)
{
	redis_words(call, "default");
}

void redis_acl_users(struct call *call)
{
	redis_array(call, 1);
	redis_words(call, "default");
}

void redis_acl_list(struct call *call)
{
	redis_array(call, 1);
	redis_words(call, call->redis->version >= 602 ? "user default on nopass ~* &* +@all"
						      : "user default on nopass ~* +@all");
}

void redis_acl_cat(struct call *call)
{
	static const char *const names[] = {
		"keyspace",   "read",        "write",    "set",         "sortedset", "list",
		"hash",       "string",      "bitmap",   "hyperloglog", "geo",       "stream",
		"pubsub",     "admin",       "fast",     "slow",        "blocking",  "dangerous",
		"connection", "transaction", "scripting"};

	if (call->count > 2) {
		redis_array(call, 0);
		return;
	}
	redis_array(call, ARRAY_COUNT(names));
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		redis_words(call, names[i]);
}

void redis_acl_genpass(struct call *call)
{
	uint8_t raw[32], text[64];
	struct writer out = writer_fixed(text, sizeof(text));

	session_random(call->session, raw, sizeof(raw));
	writer_hex(&out, slice_of(raw, sizeof(raw)));
	redis_bulk(call, writer_slice(&out));
}

/* --- MONITOR and channels --- */

void redis_monitor(struct call *call)
{
	call->redis->monitors = true;
	redis_status(call, "OK");
}

static bool has_room(struct call *call)
{
	struct arena *arena = session_arena(call->session);

	if (!call->redis->channels) {
		call->redis->channels =
			arena_take(arena, REDIS_CHANNELS_MAX * sizeof(*call->redis->channels));
		call->redis->channel_is_pattern = arena_take(arena, REDIS_CHANNELS_MAX);
	}
	return call->redis->channels && call->redis->channel_is_pattern &&
	       call->redis->channel_count < REDIS_CHANNELS_MAX;
}

static bool has_channel(const struct redis *redis, struct slice name, bool pattern)
{
	for (size_t i = 0; i < redis->channel_count; i++) {
		if (redis->channel_is_pattern[i] == pattern &&
		    slice_equal(redis->channels[i], name))
			return true;
	}
	return false;
}

static void put_change(struct call *call, struct slice name, bool is_none)
{
	redis_push_of(call, 3);
	redis_words(call, call->command->name);
	if (is_none)
		redis_null(call);
	else
		redis_bulk(call, name);
	redis_number(call, (int64_t)call->redis->channel_count);
}

/* SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE. */
void redis_subscribe(struct call *call)
{
	struct redis *redis = call->redis;
	bool pattern = call->command->name[0] == 'p';

	for (size_t i = 1; i < call->count; i++) {
		struct slice name = slice_first(call->arguments[i], 256);

		if (!has_channel(redis, name, pattern) && has_room(call)) {
			struct slice copy = arena_copy(session_arena(call->session), name);

			if (!copy.at)
				return;
			redis->channels[redis->channel_count] = copy;
			redis->channel_is_pattern[redis->channel_count++] = pattern;
		}
		put_change(call, call->arguments[i], false);
	}
}

static void leave(struct call *call, size_t at)
{
	struct redis *redis = call->redis;
	struct slice name = redis->channels[at];

	redis->channel_count--;
	for (size_t i = at; i < redis->channel_count; i++) {
		redis->channels[i] = redis->channels[i + 1];
		redis->channel_is_pattern[i] = redis->channel_is_pattern[i + 1];
	}
	put_change(call, name, false);
}

void redis_unsubscribe(struct call *call)
{
	struct redis *redis = call->redis;
	bool pattern = call->command->name[0] == 'p', left = false;

	for (size_t i = 0; i < redis->channel_count;) {
		bool wanted = call->count == 1;

		for (size_t k = 1; k < call->count; k++)
			wanted |= slice_equal(redis->channels[i], call->arguments[k]);
		if (wanted && redis->channel_is_pattern[i] == pattern) {
			leave(call, i);
			left = true;
		} else {
			i++;
		}
	}
	if (!left)
		put_change(call, redis_argument(call, 1), call->count == 1);
}
