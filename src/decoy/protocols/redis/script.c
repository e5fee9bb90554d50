/* Lua scripts: recorded, never run. Literals are returned; what the Debian hole (CVE-2022-0543)
 * would print is made up. */
#include <stdio.h>

#include "base/hash.h"
#include "decoy/protocols/redis/redis.h"

#define SHELL_LINE_MAX 4096

static void put_digest(struct slice script, char text[41])
{
	uint8_t digest[20];

	hash_sha1_once(script, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* What stands between quotes behind `call` ("popen("), or the empty slice. */
static struct slice quoted_behind(struct slice script, const char *call)
{
	size_t at = slice_find_nocase(script, call);
	struct slice rest;
	uint8_t quote;

	if (at == SIZE_MAX)
		return (struct slice){0};
	rest = slice_trim(slice_from(script, at + strlen(call)));
	if (rest.length < 2 || (rest.at[0] != '"' && rest.at[0] != '\''))
		return (struct slice){0};
	quote = rest.at[0];
	rest = slice_from(rest, 1);
	return slice_first(rest, slice_find_byte(rest, quote));
}

static void run_shell(struct call *call, struct slice line)
{
	static const struct {
		const char *line, *output;
	} known[] = {
		{"id", "uid=0(root) gid=0(root) groups=0(root)\n"},
		{"whoami", "root\n"},
		{"pwd", "/var/lib/redis\n"},
		{"cat /etc/issue", "Ubuntu 20.04.6 LTS \\n \\l\n\n"},
	};
	struct event *event = session_event(call->session, "command.input");

	line = slice_first(line, SHELL_LINE_MAX);
	event_set_text(event, FIELD_COMMAND, line);
	session_report(call->session, event);
	redis_report_addresses(call->session, line);
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (slice_is(slice_trim(line), known[i].line)) {
			redis_words(call, known[i].output);
			return;
		}
	}
	redis_words(call, "");
}

static void escape_sandbox(struct call *call, struct slice script)
{
	struct slice line = quoted_behind(script, "popen(");
	char digest[41];

	redis_tag(call, "CVE-2022-0543");
	if (!line.length)
		line = quoted_behind(script, "execute(");
	put_digest(script, digest);
	if (call->redis->version < 700 && line.length)
		run_shell(call, line);
	else if (call->redis->version < 700)
		redis_null(call);
	else
		redis_error(call,
			    "ERR user_script:1: Script attempted to access nonexistent global "
			    "variable 'package' script: %s, on @user_script:1.",
			    digest);
}

static void put_value(struct call *call, struct slice value)
{
	int64_t number;

	value = slice_trim(value);
	while (value.length && value.at[value.length - 1] == ';')
		value.length--;
	if (slice_number(value, INT64_MIN, INT64_MAX, &number) == 0)
		redis_number(call, number);
	else if (value.length >= 2 && (value.at[0] == '\'' || value.at[0] == '"') &&
		 slice_find_byte(slice_from(value, 1), value.at[0]) == value.length - 2)
		redis_bulk(call, slice_of(value.at + 1, value.length - 2));
	else if (slice_is(value, "true"))
		redis_number(call, 1);
	else if (slice_is(value, "_VERSION"))
		redis_words(call, "Lua 5.1");
	else
		redis_null(call);
}

void redis_eval(struct call *call)
{
	struct slice script = slice_trim(call->arguments[1]);
	int64_t keys;

	if (!redis_integer(call, 2, &keys))
		return;
	if (keys < 0 || (uint64_t)keys > call->count - 3) {
		redis_error(call,
			    keys < 0 ? "ERR Number of keys can't be negative"
				     : "ERR Number of keys can't be greater than number of args");
		return;
	}
	redis_tag(call, "lua-script");
	session_keep(call->session, EVIDENCE_PAYLOAD, "script", SLICE("eval.lua"),
		     call->arguments[1]);
	if (slice_contains_nocase(script, "package.loadlib") ||
	    slice_contains_nocase(script, "luaopen_"))
		escape_sandbox(call, call->arguments[1]);
	else if (slice_starts(script, "return") && script.length > 7)
		put_value(call, slice_from(script, 6));
	else
		redis_null(call);
	if (!slice_contains_nocase(script, "popen("))
		redis_report_addresses(call->session, script);
}

void redis_evalsha(struct call *call)
{
	if (call->command->group == GROUP_SCRIPTING && call->command->name[0] == 'f')
		redis_error(call, "ERR Function not found");
	else
		redis_error(call, "NOSCRIPT No matching script. Please use EVAL.");
}

void redis_script_load(struct call *call)
{
	char digest[41];

	redis_tag(call, "lua-script");
	session_keep(call->session, EVIDENCE_PAYLOAD, "script", SLICE("script.lua"),
		     call->arguments[2]);
	put_digest(call->arguments[2], digest);
	redis_words(call, digest);
}

void redis_script_exists(struct call *call)
{
	redis_array(call, call->count - 2);
	for (size_t i = 2; i < call->count; i++)
		redis_number(call, 0);
}

void redis_script_kill(struct call *call)
{
	redis_error(call, "NOTBUSY No scripts in execution right now.");
}
