/* The command table; who may run what; COMMAND. */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

static const struct redis_command commands[] = {
#define COMMAND(name, arity, flags, first, last, step, since, group, handler) \
	{name, arity, flags, first, last, step, since, group, handler},
#include "decoy/protocols/redis/commands.def"
#undef COMMAND
};

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{WRITE, "write"},
	{DENYOOM, "denyoom"},
	{READONLY, "readonly"},
	{ADMIN, "admin"},
	{PUBSUB, "pubsub"},
	{NOSCRIPT, "noscript"},
	{LOADING, "loading"},
	{STALE, "stale"},
	{FAST, "fast"},
	{NO_AUTH, "no_auth"},
	{BLOCKING, "blocking"},
	{MOVABLE, "movablekeys"},
	{SKIP_MONITOR, "skip_monitor"},
	{SKIP_SLOWLOG, "skip_slowlog"},
	{NO_MULTI, "no_multi"},
	{ALLOW_BUSY, "allow_busy"},
	{ASKING, "asking"},
	{NO_ASYNC, "no_async_loading"},
	{NO_KEYS, "no_mandatory_keys"},
};

static const char *const group_names[] = {
	[GROUP_BITMAP] = "bitmap",
	[GROUP_CLUSTER] = "cluster",
	[GROUP_CONNECTION] = "connection",
	[GROUP_GENERIC] = "generic",
	[GROUP_GEO] = "geo",
	[GROUP_HASH] = "hash",
	[GROUP_HYPERLOGLOG] = "hyperloglog",
	[GROUP_LIST] = "list",
	[GROUP_PUBSUB] = "pubsub",
	[GROUP_SCRIPTING] = "scripting",
	[GROUP_SERVER] = "server",
	[GROUP_SET] = "set",
	[GROUP_SORTED_SET] = "sorted-set",
	[GROUP_STREAM] = "stream",
	[GROUP_STRING] = "string",
	[GROUP_TRANSACTIONS] = "transactions",
};

/* "config" for ("CONFIG", ""), "config|get" for ("CONFIG", "GET"). */
static bool is_named(const struct redis_command *command, struct slice name, struct slice sub)
{
	struct slice rest = slice_text(command->name), part;

	part = redis_cut(&rest, '|');
	if (part.length != name.length || rest.length != sub.length)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.at[i];

		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != part.at[i])
			return false;
	}
	return sub.length == 0 || slice_is_nocase(sub, (const char *)rest.at);
}

static const struct redis_command *find(int version, struct slice name, struct slice sub)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (is_named(&commands[i], name, sub) && commands[i].since <= version)
			return &commands[i];
	}
	return NULL;
}

static bool is_container(const struct redis_command *command)
{
	return !command->run || strcmp(command->name, "command") == 0;
}

static bool arity_fits(const struct redis_command *command, size_t count)
{
	return command->arity > 0 ? count == (size_t)command->arity
				  : count >= (size_t)-command->arity;
}

static void refuse_unknown(struct call *call)
{
	bool modern = call->redis->version >= 700;
	struct slice name = slice_first(call->arguments[0], modern ? 128 : 4096);
	char text[160];
	size_t length = 0;

	for (size_t i = 1; i < call->count && length < 128; i++) {
		int left = (int)(128 - length), size = (int)call->arguments[i].length;
		int added = snprintf(text + length, sizeof(text) - length,
				     modern ? "'%.*s' " : "`%.*s`, ", size < left ? size : left,
				     (const char *)call->arguments[i].at);

		length += (size_t)added < sizeof(text) - length ? (size_t)added
								: sizeof(text) - length - 1;
	}
	text[length] = 0;
	redis_error(call,
		    modern ? "ERR unknown command '%.*s', with args beginning with: %s"
			   : "ERR unknown command `%.*s`, with args beginning with: %s",
		    (int)name.length, (const char *)name.at, text);
}

static void refuse_subcommand(struct call *call, const struct redis_command *command)
{
	struct slice sub = slice_first(redis_argument(call, 1), 128);
	char name[32];
	size_t i;

	for (i = 0; command->name[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)(command->name[i] - 32);
	name[i] = 0;
	redis_error(call,
		    call->redis->version >= 700 ? "ERR unknown subcommand '%.*s'. Try %s HELP."
						: "ERR Unknown subcommand or wrong number of "
						  "arguments for '%.*s'. Try %s HELP.",
		    (int)sub.length, (const char *)sub.at, name);
}

static void refuse_arity(struct call *call, const struct redis_command *command)
{
	redis_error(call, "ERR wrong number of arguments for '%s' command", command->name);
}

/* The command to run, or NULL with the error answered. */
static const struct redis_command *resolve(struct call *call, size_t count)
{
	int version = call->redis->version;
	const struct redis_command *command = find(version, call->arguments[0], SLICE("")), *sub;

	if (!command) {
		refuse_unknown(call);
		return NULL;
	}
	if (!is_container(command) || call->count < 2) {
		if (!arity_fits(command, count)) {
			refuse_arity(call, command);
			return NULL;
		}
		return command;
	}
	sub = find(version, call->arguments[0], call->arguments[1]);
	if (!sub || (version < 700 && !arity_fits(sub, count))) {
		refuse_subcommand(call, command);
		return NULL;
	}
	if (!arity_fits(sub, count)) {
		refuse_arity(call, sub);
		return NULL;
	}
	return sub;
}

bool redis_may_run(const struct redis *redis, const struct redis_command *command)
{
	return redis->authorised || command->flags & NO_AUTH || command->run == redis_auth;
}

static bool fits_subscription(const struct redis_command *command)
{
	return command->group == GROUP_PUBSUB || command->run == redis_ping ||
	       command->run == redis_quit || command->run == redis_reset;
}

static void enqueue(struct call *call)
{
	struct redis *redis = call->redis;
	struct arena *arena = session_arena(call->session);
	struct queued *queued = arena_take(arena, sizeof(*queued));

	if (queued)
		queued->arguments = arena_take(arena, call->count * sizeof(struct slice));
	if (!queued || !queued->arguments)
		return;
	queued->count = call->count;
	for (size_t i = 0; i < call->count; i++) {
		queued->arguments[i] = arena_copy(arena, call->arguments[i]);
		redis->queued_bytes += call->arguments[i].length + 64;
	}
	if (redis->queued_bytes > REDIS_QUEUE_MAX) {
		redis_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
		redis->multi_failed = true;
		return;
	}
	*redis->queue_end = queued;
	redis->queue_end = &queued->next;
	redis->queued_count++;
	redis_status(call, "QUEUED");
}

static bool runs_inside_multi(const struct redis_command *command)
{
	return command->run == redis_exec || command->run == redis_discard ||
	       command->run == redis_multi || command->run == redis_watch ||
	       command->run == redis_quit || command->run == redis_reset;
}

void redis_run_now(struct call *call, size_t count)
{
	call->command = resolve(call, count);
	if (call->command)
		call->command->run(call);
}

void redis_run(struct call *call, size_t count)
{
	struct redis *redis = call->redis;
	const struct redis_command *command = resolve(call, count);

	if (!command) {
		redis->multi_failed |= redis->in_multi;
		return;
	}
	call->command = command;
	if (!redis_may_run(redis, command)) {
		redis_error(call, "NOAUTH Authentication required.");
	} else if (redis->channel_count && redis->protocol == 2 && !fits_subscription(command)) {
		if (redis->version >= 600)
			redis_error(
				call,
				"ERR Can't execute '%s': only (P%s)SUBSCRIBE / (P%s)UNSUBSCRIBE "
				"/ PING / QUIT%s are allowed in this context",
				command->name, redis->version >= 700 ? "|S" : "",
				redis->version >= 700 ? "|S" : "",
				redis->version >= 602 ? " / RESET" : "");
		else
			redis_error(call, "ERR only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT "
					  "allowed in this context");
	} else if (redis->in_multi && !runs_inside_multi(command)) {
		enqueue(call);
	} else {
		command->run(call);
	}
}

/* --- COMMAND --- */

static bool is_listed(const struct call *call, size_t i)
{
	return !strchr(commands[i].name, '|') && commands[i].since <= call->redis->version;
}

static size_t count_listed(const struct call *call)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		count += is_listed(call, i);
	return count;
}

static void put_categories(struct call *call, const struct redis_command *command)
{
	static const char *const of_group[] = {
		[GROUP_BITMAP] = "@bitmap",
		[GROUP_CONNECTION] = "@connection",
		[GROUP_GENERIC] = "@keyspace",
		[GROUP_GEO] = "@geo",
		[GROUP_HASH] = "@hash",
		[GROUP_HYPERLOGLOG] = "@hyperloglog",
		[GROUP_LIST] = "@list",
		[GROUP_PUBSUB] = "@pubsub",
		[GROUP_SCRIPTING] = "@scripting",
		[GROUP_SET] = "@set",
		[GROUP_SORTED_SET] = "@sortedset",
		[GROUP_STREAM] = "@stream",
		[GROUP_STRING] = "@string",
		[GROUP_TRANSACTIONS] = "@transaction",
	};
	const char *names[8];
	size_t count = 0;

	if (command->flags & WRITE)
		names[count++] = "@write";
	if (command->flags & READONLY)
		names[count++] = "@read";
	if (command->group < ARRAY_COUNT(of_group) && of_group[command->group])
		names[count++] = of_group[command->group];
	if (command->flags & ADMIN)
		names[count++] = "@admin";
	names[count++] = command->flags & FAST ? "@fast" : "@slow";
	if (command->flags & BLOCKING)
		names[count++] = "@blocking";
	if (command->flags & ADMIN)
		names[count++] = "@dangerous";
	redis_set_of(call, count);
	for (size_t i = 0; i < count; i++)
		redis_status(call, names[i]);
}

static void put_command(struct call *call, const struct redis_command *command)
{
	size_t flags = 0;
	int version = call->redis->version;

	redis_array(call, version >= 700 ? 10 : version >= 600 ? 7 : 6);
	redis_words(call, command->name);
	redis_number(call, command->arity);
	for (size_t i = 0; i < ARRAY_COUNT(flag_names); i++)
		flags += (command->flags & flag_names[i].flag) != 0;
	redis_set_of(call, flags);
	for (size_t i = 0; i < ARRAY_COUNT(flag_names); i++) {
		if (command->flags & flag_names[i].flag)
			redis_status(call, flag_names[i].name);
	}
	redis_number(call, command->first_key);
	redis_number(call, command->last_key);
	redis_number(call, command->key_step);
	if (version >= 600)
		put_categories(call, command);
	if (version >= 700) {
		redis_set_of(call, 0);
		redis_set_of(call, 0);
		redis_array(call, 0);
	}
}

void redis_command_list(struct call *call)
{
	redis_array(call, count_listed(call));
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (is_listed(call, i))
			redis_words(call, commands[i].name);
	}
}

void redis_command_count(struct call *call)
{
	redis_number(call, (int64_t)count_listed(call));
}

/* COMMAND and COMMAND INFO [name ...]. */
void redis_command(struct call *call)
{
	if (call->count > 2) {
		redis_array(call, call->count - 2);
		for (size_t i = 2; i < call->count; i++) {
			const struct redis_command *command =
				find(call->redis->version, call->arguments[i], SLICE(""));

			if (command)
				put_command(call, command);
			else
				redis_null_array(call);
		}
		return;
	}
	redis_array(call, count_listed(call));
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (is_listed(call, i))
			put_command(call, &commands[i]);
	}
}

static void put_docs(struct call *call, const struct redis_command *command)
{
	char since[16];

	snprintf(since, sizeof(since), "%d.%d.0", command->since / 100, command->since % 100);
	redis_words(call, command->name);
	redis_map(call, 3);
	redis_words(call, "summary");
	redis_words(call, "");
	redis_words(call, "since");
	redis_words(call, since);
	redis_words(call, "group");
	redis_words(call, group_names[command->group]);
}

void redis_command_docs(struct call *call)
{
	size_t count = 0;

	if (call->count == 2) {
		redis_map(call, count_listed(call));
		for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
			if (is_listed(call, i))
				put_docs(call, &commands[i]);
		}
		return;
	}
	for (size_t i = 2; i < call->count; i++)
		count += find(call->redis->version, call->arguments[i], SLICE("")) != NULL;
	redis_map(call, count);
	for (size_t i = 2; i < call->count; i++) {
		const struct redis_command *command =
			find(call->redis->version, call->arguments[i], SLICE(""));

		if (command)
			put_docs(call, command);
	}
}

/* The subcommand's name when the command is one of the container's, else empty. */
static struct slice subcommand_of(const struct redis_command *command, struct slice container,
				  int version)
{
	struct slice rest = slice_text(command->name), head;

	head = redis_cut(&rest, '|');
	if (!slice_equal(head, container) || command->since > version || slice_is(rest, "help"))
		return (struct slice){0};
	return rest;
}

static void put_upper(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		writer_u8(out,
			  text.at[i] >= 'a' && text.at[i] <= 'z' ? text.at[i] - 32 : text.at[i]);
}

/* X HELP: the subcommands that there are. */
void redis_help(struct call *call)
{
	struct slice name = slice_text(call->command->name), container;
	size_t count = 0;

	container = redis_cut(&name, '|');
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		count += subcommand_of(&commands[i], container, call->redis->version).length > 0;
	redis_array(call, count + 3);
	writer_u8(call->out, '+');
	put_upper(call->out, container);
	writer_text(call->out, " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n");
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		struct slice sub = subcommand_of(&commands[i], container, call->redis->version);

		if (!sub.length)
			continue;
		writer_u8(call->out, '+');
		put_upper(call->out, sub);
		writer_text(call->out, "\r\n");
	}
	redis_status(call, "HELP");
	redis_status(call, "    Prints this help.");
}
