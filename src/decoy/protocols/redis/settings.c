/* CONFIG GET and CONFIG SET. */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

enum {
	TEXT = 0,
	NUMBER = 1,
	SWITCH = 2,
	MEMORY = 3,
	KIND = 3, /* mask */
	IMMUTABLE = 1 << 2,
	PROTECTED = 1 << 3, /* refused from 7.0 on */
	LIVE = 1 << 4,
};

static const struct {
	const char *name, *value;
	unsigned kind;
	int since;
} settings[] = {
#define SETTING(name, value, kind, since) {name, value, kind, since},
#include "decoy/protocols/redis/settings.def"
#undef SETTING
};

#define PATH_SET_MAX  255
#define OVERRIDES_MAX 200

/* Folders that a host has on which Redis runs as root. */
static const char *const folders[] = {
	"/",
	"/tmp",
	"/var/tmp",
	"/dev/shm",
	"/root",
	"/root/.ssh",
	"/etc",
	"/etc/cron.d",
	"/etc/cron.daily",
	"/etc/cron.hourly",
	"/etc/cron.weekly",
	"/etc/cron.monthly",
	"/etc/init.d",
	"/etc/ssh",
	"/etc/profile.d",
	"/etc/systemd/system",
	"/etc/ld.so.conf.d",
	"/etc/redis",
	"/var",
	"/var/lib",
	"/var/lib/redis",
	"/var/log",
	"/var/run",
	"/var/spool",
	"/var/spool/cron",
	"/var/spool/cron/crontabs",
	"/var/www",
	"/var/www/html",
	"/usr",
	"/usr/bin",
	"/usr/lib",
	"/usr/local",
	"/usr/local/bin",
	"/usr/share",
	"/usr/share/nginx",
	"/usr/share/nginx/html",
	"/home",
	"/home/ubuntu",
	"/home/ubuntu/.ssh",
	"/opt",
	"/bin",
	"/sbin",
	"/lib",
	"/lib64",
	"/mnt",
	"/srv",
};

static bool has_folder(struct slice path)
{
	while (path.length > 1 && path.at[path.length - 1] == '/')
		path.length--;
	for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
		if (slice_is(path, folders[i]))
			return true;
	}
	return false;
}

const char *redis_directory(const struct session *session, const struct redis *redis)
{
	return redis->directory ? redis->directory
				: persona_text(session_persona(session), "redis.directory",
					       "/var/lib/redis");
}

const char *redis_file(const struct redis *redis)
{
	return redis->file ? redis->file : "dump.rdb";
}

static const char *live_value(struct call *call, size_t i, char text[320])
{
	const struct redis *redis = call->redis;
	const char *name = settings[i].name;

	text[0] = 0;
	if (strcmp(name, "dir") == 0)
		return redis_directory(call->session, redis);
	if (strcmp(name, "dbfilename") == 0)
		return redis_file(redis);
	if (strcmp(name, "port") == 0)
		snprintf(text, 320, "%u", redis_port(call->session));
	if (strcmp(name, "save") == 0)
		return redis->version >= 700 ? "3600 1 300 100 60 10000" : "900 1 300 10 60 10000";
	if ((strcmp(name, "slaveof") == 0 || strcmp(name, "replicaof") == 0) && redis->master)
		snprintf(text, 320, "%s %u", redis->master, redis->master_port);
	return text;
}

static const char *value_of(struct call *call, size_t i, char text[320])
{
	for (struct setting_override *o = call->redis->overrides; o; o = o->next) {
		if (o->index == i)
			return o->value;
	}
	return settings[i].kind & LIVE ? live_value(call, i, text) : settings[i].value;
}

void redis_config_get(struct call *call)
{
	bool chosen[ARRAY_COUNT(settings)] = {false};
	size_t count = 0, last = call->redis->version >= 700 ? call->count : 3;
	char text[320];

	if (call->redis->version < 700 && call->count > 3) {
		redis_error(call,
			    "ERR Unknown subcommand or wrong number of arguments for '%.*s'. "
			    "Try CONFIG HELP.",
			    (int)call->arguments[1].length, (const char *)call->arguments[1].at);
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
		if (settings[i].since > call->redis->version)
			continue;
		for (size_t k = 2; k < last && !chosen[i]; k++)
			chosen[i] = redis_matches(call->arguments[k], slice_text(settings[i].name),
						  true);
		count += chosen[i];
	}
	redis_map(call, count);
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
		if (chosen[i]) {
			redis_words(call, settings[i].name);
			redis_words(call, value_of(call, i, text));
		}
	}
}

/* --- SET --- */

static bool is_memory(struct slice value)
{
	static const char *const units[] = {"gb", "mb", "kb", "g", "m", "k", "b"};
	int64_t number;

	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		size_t length = strlen(units[i]);

		if (value.length > length &&
		    slice_is_nocase(slice_from(value, value.length - length), units[i])) {
			value.length -= length;
			break;
		}
	}
	return slice_number(value, 0, INT64_MAX, &number) == 0;
}

static const struct {
	const char *name, *words[10], *text;
} choices[] = {
	{"loglevel", {"debug", "verbose", "notice", "warning"}, "debug, verbose, notice, warning"},
	{"appendfsync", {"everysec", "always", "no"}, "everysec, always, no"},
	{"maxmemory-policy",
	 {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru",
	  "allkeys-lfu", "allkeys-random", "noeviction"},
	 "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, "
	 "allkeys-random, noeviction"},
};

/* The words of a setting that takes one of a few, when the value is none of them; else NULL. */
static const char *other_choices(const char *name, struct slice value)
{
	for (size_t i = 0; i < ARRAY_COUNT(choices); i++) {
		if (strcmp(choices[i].name, name) != 0)
			continue;
		for (size_t k = 0; choices[i].words[k]; k++) {
			if (slice_is_nocase(value, choices[i].words[k]))
				return NULL;
		}
		return choices[i].text;
	}
	return NULL;
}

/* Why a value will not do, or NULL. */
static const char *objection(const struct call *call, size_t i, struct slice value)
{
	unsigned kind = settings[i].kind;
	int64_t number;

	if (kind & IMMUTABLE)
		return "can't set immutable config";
	if (kind & PROTECTED && call->redis->version >= 700)
		return "can't set protected config";
	if ((kind & KIND) == SWITCH && !slice_is_nocase(value, "yes") &&
	    !slice_is_nocase(value, "no"))
		return "argument must be 'yes' or 'no'";
	if ((kind & KIND) == NUMBER && slice_number(value, INT64_MIN, INT64_MAX, &number) < 0)
		return "argument couldn't be parsed into an integer";
	if ((kind & KIND) == MEMORY && !is_memory(value))
		return "argument must be a memory value";
	if (other_choices(settings[i].name, value))
		return "not one of its words";
	if (strcmp(settings[i].name, "dir") == 0 && !has_folder(value))
		return "No such file or directory";
	if (strcmp(settings[i].name, "dbfilename") == 0 && slice_find_byte(value, '/') != SIZE_MAX)
		return "dbfilename can't be a path, just a filename";
	return NULL;
}

static void refuse(struct call *call, size_t i, struct slice value, const char *why)
{
	const char *words = other_choices(settings[i].name, value);
	struct slice name = call->arguments[2];

	if (call->redis->version >= 700 && words)
		redis_error(call,
			    "ERR CONFIG SET failed (possibly related to argument '%s') - "
			    "argument(s) must be one of the following: %s",
			    settings[i].name, words);
	else if (call->redis->version >= 700)
		redis_error(call, "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
			    settings[i].name, why);
	else if (settings[i].kind & IMMUTABLE)
		redis_error(call, "ERR Unsupported CONFIG parameter: %.*s",
			    (int)slice_first(name, 128).length, (const char *)name.at);
	else if (strcmp(settings[i].name, "dir") == 0)
		redis_error(call, "ERR Changing directory: %s", why);
	else if (strcmp(settings[i].name, "dbfilename") == 0)
		redis_error(call, "ERR %s", why);
	else
		redis_error(call, "ERR Invalid argument '%.*s' for CONFIG SET '%s'",
			    (int)slice_first(value, 128).length, (const char *)value.at,
			    settings[i].name);
}

static void keep(struct call *call, size_t i, struct slice value)
{
	struct arena *arena = session_arena(call->session);
	struct redis *redis = call->redis;
	struct setting_override *override = redis->overrides;
	char *text = arena_text(arena, slice_first(value, PATH_SET_MAX));
	size_t count = 0;

	if (!text)
		return;
	if (strcmp(settings[i].name, "dir") == 0) {
		redis->directory = text;
		return;
	}
	if (strcmp(settings[i].name, "dbfilename") == 0) {
		redis->file = text;
		return;
	}
	for (; override && override->index != i; override = override->next)
		count++;
	if (!override && count < OVERRIDES_MAX) {
		override = arena_take(arena, sizeof(*override));
		if (!override)
			return;
		override->index = i;
		override->next = redis->overrides;
		redis->overrides = override;
	}
	if (override)
		override->value = text;
}

static size_t index_of(const struct call *call, struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
		if (slice_is_nocase(name, settings[i].name) &&
		    settings[i].since <= call->redis->version)
			return i;
	}
	return SIZE_MAX;
}

static void tag_target(struct call *call, size_t i, struct slice value)
{
	bool is_directory = strcmp(settings[i].name, "dir") == 0;

	if (!is_directory && strcmp(settings[i].name, "dbfilename") != 0)
		return;
	redis_tag(call, "file-write");
	if (slice_contains_nocase(value, "cron"))
		redis_tag(call, "cron-write");
	if (slice_contains_nocase(value, "ssh") || slice_contains_nocase(value, "authorized_keys"))
		redis_tag(call, "ssh-key-write");
	if (slice_contains_nocase(value, "www") || slice_contains_nocase(value, "html") ||
	    slice_contains_nocase(value, ".php") || slice_contains_nocase(value, ".jsp"))
		redis_tag(call, "webshell-write");
}

void redis_config_set(struct call *call)
{
	if (call->count % 2 || (call->redis->version < 700 && call->count != 4)) {
		redis_error(call,
			    call->redis->version >= 700
				    ? "ERR wrong number of arguments for 'config|set' command"
				    : "ERR Unknown subcommand or wrong number of arguments for "
				      "'SET'. Try CONFIG HELP.");
		return;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t k = 2; k + 1 < call->count; k += 2) {
			struct slice name = call->arguments[k], value = call->arguments[k + 1];
			size_t i = index_of(call, name);
			const char *why;

			if (i == SIZE_MAX) {
				redis_error(
					call,
					call->redis->version >= 700
						? "ERR Unknown option or number of arguments for "
						  "CONFIG SET - '%.*s'"
						: "ERR Unsupported CONFIG parameter: %.*s",
					(int)slice_first(name, 128).length, (const char *)name.at);
				return;
			}
			tag_target(call, i, value);
			why = objection(call, i, value);
			if (why) {
				refuse(call, i, value, why);
				return;
			}
			if (pass)
				keep(call, i, value);
		}
	}
	redis_status(call, "OK");
}
