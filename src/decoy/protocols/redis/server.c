/* Connection, transactions, persistence, replication, modules, and what is left of the server. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/redis/redis.h"

/* Versions of the distributions whose hosts are found open most. */
static const char *const versions[] = {"5.0.7", "5.0.14", "6.0.16"};

const char *redis_version_text(const struct session *session)
{
	const struct persona *persona = session_persona(session);
	int64_t pick =
		persona_derive_number(persona, "redis version", 0, ARRAY_COUNT(versions) - 1);

	return persona_text(persona, "redis.version", versions[pick]);
}

int redis_version(const struct session *session)
{
	struct slice text = slice_text(redis_version_text(session)), part;
	int64_t major = 5, minor = 0;

	part = redis_cut(&text, '.');
	if (slice_number(part, 1, 99, &major) < 0)
		return 500;
	part = redis_cut(&text, '.');
	if (slice_number(part, 0, 99, &minor) < 0)
		minor = 0;
	return (int)(major * 100 + minor);
}

uint16_t redis_port(const struct session *session)
{
	return session_local(session)->port ? session_local(session)->port : 6379;
}

struct slice redis_argument(const struct call *call, size_t index)
{
	return index < call->count ? call->arguments[index] : (struct slice){0};
}

bool redis_integer(struct call *call, size_t index, int64_t *number)
{
	if (slice_number(redis_argument(call, index), INT64_MIN, INT64_MAX, number) == 0)
		return true;
	redis_error(call, "ERR value is not an integer or out of range");
	return false;
}

static void recall(struct call *call)
{
	struct redis *redis = call->redis;
	struct redis_memory *memory = session_memory(call->session, sizeof(*memory));
	struct arena *arena = session_arena(call->session);

	redis->seen = true;
	if (!memory || !memory->used)
		return;
	redis->flushed = memory->flushed;
	if (memory->directory[0] && !redis->directory)
		redis->directory = arena_text(arena, slice_text(memory->directory));
	if (memory->file[0] && !redis->file)
		redis->file = arena_text(arena, slice_text(memory->file));
	if (memory->master[0] && !redis->master)
		redis->master = arena_text(arena, slice_text(memory->master));
	redis->master_port = memory->master_port;
}

struct store *redis_store(struct call *call)
{
	struct store *store = redis_open_store(call->session, call->redis);

	return store ? store : &call->redis->no_store;
}

/* --- connection --- */

void redis_ping(struct call *call)
{
	if (call->count > 2) {
		redis_error(call, "ERR wrong number of arguments for 'ping' command");
	} else if (call->redis->channel_count && call->redis->protocol == 2) {
		redis_array(call, 2);
		redis_words(call, "pong");
		redis_bulk(call, redis_argument(call, 1));
	} else if (call->count == 2) {
		redis_bulk(call, call->arguments[1]);
	} else {
		redis_status(call, "PONG");
	}
}

void redis_echo(struct call *call)
{
	redis_bulk(call, call->arguments[1]);
}

void redis_select(struct call *call)
{
	int64_t number;

	if (slice_number(call->arguments[1], INT32_MIN, INT32_MAX, &number) < 0) {
		redis_error(call, call->redis->version >= 602
					  ? "ERR value is not an integer or out of range"
					  : "ERR invalid DB index");
	} else if (number < 0 || number >= REDIS_DATABASES) {
		redis_error(call, "ERR DB index is out of range");
	} else {
		call->redis->database = (uint8_t)number;
		redis_status(call, "OK");
	}
}

static void report_useless_login(struct call *call, struct slice user, struct slice password)
{
	struct event *event = session_event(call->session, "auth.attempt");

	event_set_words(event, FIELD_AUTH_METHOD, "password");
	event_set_text(event, FIELD_USER_NAME, user);
	event_set_text(event, FIELD_AUTH_PASSWORD, password);
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	event_set_words(event, FIELD_EVENT_REASON, "no password is set");
	session_report(call->session, event);
}

/* Asks the policy, or, where no password is set, does what Redis does. True: the client is in. */
static bool log_in(struct call *call, struct slice user, struct slice password, bool with_user)
{
	const struct redis_options *options = session_options(call->session);
	struct session_login login = {
		.method = "password", .user = user, .password = password, .verb = "AUTH"};
	int version = call->redis->version;

	if (!options || !options->password_required) {
		report_useless_login(call, user, password);
		if (with_user && slice_is(user, "default"))
			return true;
		if (version < 600)
			redis_error(call, "ERR Client sent AUTH, but no password is set");
		else if (!with_user)
			redis_error(call, "ERR AUTH <password> called without any password "
					  "configured for the default user. Are you sure your "
					  "configuration is correct?");
		else
			redis_error(call, "WRONGPASS invalid username-password pair%s",
				    version >= 602 ? " or user is disabled." : "");
		return false;
	}
	if (session_login(call->session, &login).allowed) {
		call->redis->authorised = true;
		return true;
	}
	if (version < 600)
		redis_error(call, "ERR invalid password");
	else
		redis_error(call, "WRONGPASS invalid username-password pair%s",
			    version >= 602 ? " or user is disabled." : "");
	return false;
}

void redis_auth(struct call *call)
{
	bool with_user = call->count == 3;

	if (call->redis->version < 600 && call->count > 2)
		redis_error(call, "ERR wrong number of arguments for 'auth' command");
	else if (call->count > 3)
		redis_syntax_error(call);
	else if (log_in(call, with_user ? call->arguments[1] : SLICE("default"),
			call->arguments[with_user ? 2 : 1], with_user))
		redis_status(call, "OK");
}

static void put_hello(struct call *call)
{
	redis_map(call, 7);
	redis_words(call, "server");
	redis_words(call, "redis");
	redis_words(call, "version");
	redis_words(call, redis_version_text(call->session));
	redis_words(call, "proto");
	redis_number(call, call->redis->protocol);
	redis_words(call, "id");
	redis_number(call, call->redis->id);
	redis_words(call, "mode");
	redis_words(call, "standalone");
	redis_words(call, "role");
	redis_words(call, call->redis->master ? "replica" : "master");
	redis_words(call, "modules");
	redis_array(call, 0);
}

void redis_hello(struct call *call)
{
	int64_t version = 0;

	if (call->count > 1 &&
	    slice_number(call->arguments[1], INT64_MIN, INT64_MAX, &version) < 0) {
		redis_error(call, call->redis->version >= 602
					  ? "ERR Protocol version is not an integer or out of range"
					  : "NOPROTO unsupported protocol version");
		return;
	}
	if (call->count > 1 && (version < 2 || version > 3)) {
		redis_error(call, "NOPROTO unsupported protocol version");
		return;
	}
	for (size_t i = 2; i < call->count; i++) {
		struct slice word = call->arguments[i];

		if (slice_is_nocase(word, "auth") && i + 2 < call->count) {
			if (!log_in(call, call->arguments[i + 1], call->arguments[i + 2], true))
				return;
			i += 2;
		} else if (slice_is_nocase(word, "setname") && i + 1 < call->count) {
			i++;
		} else {
			redis_error(call, "ERR Syntax error in HELLO option '%.*s'",
				    (int)slice_first(word, 128).length, (const char *)word.at);
			return;
		}
	}
	if (!call->redis->authorised) {
		redis_error(call,
			    "NOAUTH HELLO must be called with the client already authenticated, "
			    "otherwise the HELLO AUTH <user> <pass> option can be used to "
			    "authenticate the client and select the RESP protocol version at "
			    "the same time");
		return;
	}
	if (version)
		call->redis->protocol = (uint8_t)version;
	put_hello(call);
}

void redis_quit(struct call *call)
{
	redis_status(call, "OK");
}

void redis_reset(struct call *call)
{
	call->redis->in_multi = call->redis->multi_failed = false;
	call->redis->channel_count = 0;
	call->redis->protocol = 2;
	call->redis->database = 0;
	redis_status(call, "RESET");
}

/* --- transactions --- */

static void drop_queue(struct redis *redis)
{
	redis->in_multi = redis->multi_failed = false;
	redis->queue = NULL;
	redis->queue_end = &redis->queue;
	redis->queued_count = redis->queued_bytes = 0;
}

void redis_multi(struct call *call)
{
	if (call->redis->in_multi) {
		redis_error(call, "ERR MULTI calls can not be nested");
		return;
	}
	drop_queue(call->redis);
	call->redis->in_multi = true;
	redis_status(call, "OK");
}

void redis_exec(struct call *call)
{
	struct redis *redis = call->redis;
	struct queued *queued = redis->queue;
	size_t count = redis->queued_count;
	bool failed = redis->multi_failed;

	if (!redis->in_multi) {
		redis_error(call, "ERR EXEC without MULTI");
		return;
	}
	drop_queue(redis);
	if (failed) {
		redis_error(call, "EXECABORT Transaction discarded because of previous errors.");
		return;
	}
	redis_array(call, count);
	for (; queued; queued = queued->next) {
		struct call inner = *call;

		inner.arguments = queued->arguments;
		inner.count = queued->count;
		redis_run_now(&inner, queued->count);
		memcpy(call->tags, inner.tags, sizeof(call->tags));
		call->tag_count = inner.tag_count;
	}
}

void redis_discard(struct call *call)
{
	if (!call->redis->in_multi) {
		redis_error(call, "ERR DISCARD without MULTI");
		return;
	}
	drop_queue(call->redis);
	redis_status(call, "OK");
}

void redis_watch(struct call *call)
{
	if (call->redis->in_multi)
		redis_error(call, "ERR WATCH inside MULTI is not allowed");
	else
		redis_status(call, "OK");
}

/* --- persistence --- */

static void save(struct call *call)
{
	redis_keep_writes(call->session, call->redis);
	call->redis->saved = session_now(call->session);
	call->redis->saved_changes = redis_store(call)->changes;
}

void redis_save(struct call *call)
{
	save(call);
	redis_status(call, "OK");
}

void redis_bgsave(struct call *call)
{
	if (call->count > 1 &&
	    (call->count > 2 || !slice_is_nocase(call->arguments[1], "schedule"))) {
		redis_syntax_error(call);
		return;
	}
	save(call);
	redis_status(call, "Background saving started");
}

void redis_bgrewriteaof(struct call *call)
{
	redis_status(call, "Background append only file rewriting started");
}

void redis_lastsave(struct call *call)
{
	redis_number(call, call->redis->saved / SECOND);
}

void redis_time(struct call *call)
{
	int64_t now = session_now(call->session);
	char text[24];

	redis_array(call, 2);
	snprintf(text, sizeof(text), "%lld", (long long)(now / SECOND));
	redis_words(call, text);
	snprintf(text, sizeof(text), "%lld", (long long)(now % SECOND));
	redis_words(call, text);
}

void redis_shutdown(struct call *call)
{
	if (call->count > 1 && !slice_is_nocase(call->arguments[1], "nosave") &&
	    !slice_is_nocase(call->arguments[1], "save")) {
		redis_syntax_error(call);
		return;
	}
	redis_tag(call, "shutdown");
	save(call);
	session_close(call->session, "shutdown");
}

/* --- replication --- */

static void report_master(struct call *call)
{
	struct event *event;
	char address[300];

	snprintf(address, sizeof(address), "redis://%s:%u", call->redis->master,
		 call->redis->master_port);
	event = session_event(call->session, "download.attempt");
	event_set_words(event, FIELD_URL_ORIGINAL, address);
	event_set_words(event, FIELD_URL_DOMAIN, call->redis->master);
	session_report(call->session, event);
}

/* SLAVEOF and REPLICAOF: always taken, never followed. */
void redis_replicaof(struct call *call)
{
	struct redis *redis = call->redis;
	int64_t port;

	if (slice_is_nocase(call->arguments[1], "no") &&
	    slice_is_nocase(call->arguments[2], "one")) {
		redis->master = NULL;
		redis_status(call, "OK");
		return;
	}
	if (slice_number(call->arguments[2], INT32_MIN, INT32_MAX, &port) < 0 ||
	    (redis->version >= 700 && (port < 0 || port > 65535))) {
		redis_error(call, redis->version >= 700
					  ? "ERR Invalid master port"
					  : "ERR value is not an integer or out of range");
		return;
	}
	redis->master =
		arena_text(session_arena(call->session), slice_first(call->arguments[1], 255));
	if (!redis->master)
		return;
	redis->master_port = (uint16_t)port;
	redis_tag(call, "rogue-master");
	report_master(call);
	redis_status(call, "OK");
}

void redis_role(struct call *call)
{
	if (!call->redis->master) {
		redis_array(call, 3);
		redis_words(call, "master");
		redis_number(call, 0);
		redis_array(call, 0);
		return;
	}
	redis_array(call, 5);
	redis_words(call, "slave");
	redis_words(call, call->redis->master);
	redis_number(call, call->redis->master_port);
	redis_words(call, "connect");
	redis_number(call, -1);
}

/* SYNC and PSYNC: the snapshot of an empty database; a checksum of zero means "not made". */
void redis_sync(struct call *call)
{
	uint8_t bytes[128];
	struct writer rdb = writer_fixed(bytes, sizeof(bytes));
	const char *version = redis_version_text(call->session);
	char id[48];

	redis_tag(call, "replica-theft");
	writer_text(&rdb, call->redis->version >= 700 ? "REDIS0010" : "REDIS0009");
	writer_bytes(&rdb, SLICE("\xfa\tredis-ver"));
	writer_u8(&rdb, (uint8_t)strlen(version));
	writer_text(&rdb, version);
	writer_bytes(&rdb, SLICE("\xfa\nredis-bits\xc0@\xff\0\0\0\0\0\0\0\0"));
	redis_hex_of(call->session, "redis replication", id, 20);
	if (call->count > 1)
		writer_format(call->out, "+FULLRESYNC %s 0\r\n", id);
	writer_format(call->out, "$%zu\r\n", rdb.length);
	writer_bytes(call->out, writer_slice(&rdb));
}

void redis_migrate(struct call *call)
{
	redis_status(call, "NOKEY");
}

/* --- modules --- */

static bool modules_are_closed(struct call *call)
{
	if (call->redis->version < 700)
		return false;
	redis_error(call,
		    "ERR MODULE command not allowed. If the enable-module-command option is set "
		    "to \"local\", you can run it from a local connection, otherwise you need to "
		    "set this option in the configuration file, and then restart the server.");
	return true;
}

void redis_module_load(struct call *call)
{
	redis_tag(call, "module-load");
	if (!modules_are_closed(call))
		redis_error(call, "ERR Error loading the extension. Please check the server logs.");
}

void redis_module_unload(struct call *call)
{
	if (!modules_are_closed(call))
		redis_error(call, "ERR Error unloading module: no such module with that name");
}

/* --- the rest --- */

void redis_debug(struct call *call)
{
	struct store_entry entry;

	if (call->redis->version >= 700)
		redis_error(call,
			    "ERR DEBUG command not allowed. If the enable-debug-command option is "
			    "set to \"local\", you can run it from a local connection, otherwise "
			    "you need to set this option in the configuration file, and then "
			    "restart the server.");
	else if (slice_is_nocase(call->arguments[1], "object") &&
		 !store_find(redis_store(call), call->redis->database, redis_argument(call, 2),
			     session_now(call->session), &entry))
		redis_error(call, "ERR no such key");
	else
		redis_status(call, "OK");
}

void redis_cluster(struct call *call)
{
	redis_error(call, "ERR This instance has cluster support disabled");
}

void redis_latency_doctor(struct call *call)
{
	redis_verbatim(
		call,
		SLICE("I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this "
		      "Redis "
		      "instance. You may use \"CONFIG SET latency-monitor-threshold "
		      "<milliseconds>.\" "
		      "in order to enable it. If we weren't in a deep space mission I'd suggest to "
		      "take a look at https://redis.io/topics/latency-monitor.\n"));
}

void redis_memory_doctor(struct call *call)
{
	redis_verbatim(
		call,
		SLICE("Hi Sam, this instance is empty or is using very little memory, my issues "
		      "detector can't be used in these conditions. Please, leave for your mission "
		      "on "
		      "Earth and fill it with some data. The new Sam and I will be back to our "
		      "programming as soon as I finished rebooting.\n"));
}

/* Called before a session's first command. */
void redis_recall(struct call *call)
{
	if (!call->redis->seen)
		recall(call);
}
