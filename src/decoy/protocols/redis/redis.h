/* Inside of the Redis decoy: what its files share. The only outside symbol is protocol_redis.
 *
 *   redis.c     protocol, options, from input to command, events
 *   request.c   RESP and inline requests
 *   reply.c     RESP2 and RESP3 replies
 *   command.c   the command table and who may run what; COMMAND
 *   store.c     keys and values in a fixed block; bait.c what is in it at first
 *   keys.c, items.c  commands on keys and strings; on lists, hashes and sets
 *   info.c, settings.c  INFO; CONFIG
 *   server.c, client.c, script.c  everything else
 *   intrusion.c what the tricks leave behind: cron lines, keys, web shells, addresses
 *
 * Versions are numbers: major * 100 + minor.
 */
#ifndef DECOY_PROTOCOLS_REDIS_H
#define DECOY_PROTOCOLS_REDIS_H

#include "decoy/protocol.h"

/* The part before the separator, taken off the front of *rest; empty when nothing is left. */
static inline struct slice redis_cut(struct slice *rest, uint8_t separator)
{
	struct slice part = {0};

	return slice_next(rest, separator, &part) ? part : (struct slice){0};
}

#define REDIS_ARGUMENTS_MAX      1024 /* kept of one request; what comes beyond is counted */
#define REDIS_ARGUMENT_COUNT_MAX (1024 * 1024)       /* Redis before 7 */
#define REDIS_LINE_MAX           (64 * 1024)         /* PROTO_INLINE_MAX_SIZE of Redis */
#define REDIS_BULK_MAX           (512 * 1024 * 1024) /* proto-max-bulk-len */
#define REDIS_INPUT_MAX          (1024 * 1024) /* a larger value flows into evidence instead */
#define REDIS_HELD_BULK_MAX      (REDIS_INPUT_MAX - 2 * REDIS_LINE_MAX)
#define REDIS_REPLY_MAX          (512 * 1024) /* below what a session may have waiting */
#define REDIS_STORE_SIZE         (64 * 1024)
#define REDIS_VALUE_MAX          (16 * 1024) /* of one value in the store */
#define REDIS_QUEUE_MAX          (64 * 1024) /* bytes that MULTI may queue */
#define REDIS_CHANNELS_MAX       64
#define REDIS_DATABASES          16
#define REDIS_TAGS_MAX           4

struct redis_options {
	bool password_required;
};

/* --- requests --- */

struct request {
	size_t count; /* as the client says; at most REDIS_ARGUMENTS_MAX are at hand */
	struct slice arguments[REDIS_ARGUMENTS_MAX];
};

/* Where reading stands, so that a request in many pieces is read once. */
struct request_reader {
	size_t at;    /* offset of the next header or line end to look for */
	int64_t left; /* bulks to come */
	int64_t count;
	bool multibulk;
};

enum request_status {
	REQUEST_MORE,
	REQUEST_DONE,
	REQUEST_NOTHING, /* bytes without a command: an empty line, *0 */
	REQUEST_BROKEN,  /* *why is the text of the protocol error */
	REQUEST_HUGE,    /* complete but for a value of `huge` bytes that is not worth holding */
};

struct request_result {
	enum request_status status;
	size_t used;
	char why[64];
	int64_t huge;
};

/* Reads one request from the start of bytes. `authorised` decides the limits, version the texts. */
struct request_result request_read(struct request_reader *reader, struct slice bytes,
				   struct request *request, struct writer *text, bool authorised,
				   int version);

/* --- store --- */

enum store_type { STORE_STRING, STORE_LIST, STORE_HASH, STORE_SET };
enum { STORE_WRITTEN = 1, STORE_RECORDED = 2 }; /* by the client; kept as evidence already */

struct store {
	size_t used, capacity;
	uint64_t changes;
	uint8_t *bytes;
};

struct store_entry {
	struct slice key, value; /* value: the string, or items, see store_item_next */
	int64_t expires;         /* wall clock, microseconds; 0: never */
	uint64_t size; /* of a string as it was written; more than value.length when cut */
	uint8_t type, database, flags;
	size_t at;
};

/* Next entry from *at on (start with 0); false at the end. */
bool store_next(const struct store *store, size_t *at, struct store_entry *entry);
bool store_find(struct store *store, unsigned database, struct slice key, int64_t now,
		struct store_entry *entry);
/* Adds or replaces. Makes room by dropping the oldest entries. */
void store_put(struct store *store, const struct store_entry *entry);
void store_remove(struct store *store, const struct store_entry *entry);
void store_mark(struct store *store, const struct store_entry *entry, uint8_t flags);
/* Drops a database, or all with -1. */
void store_flush(struct store *store, int database);
size_t store_count(const struct store *store, unsigned database, bool expiring);
/* Items of lists, hashes (field, value) and sets. */
bool store_item_next(struct slice *rest, struct slice *item);
void store_item_add(struct writer *items, struct slice item);
size_t store_item_count(struct slice items);

/* --- the session --- */

/* What a source finds again when it comes back: fits session_memory of any host. */
#define REDIS_MEMORY_STORE 3000
struct redis_memory {
	bool used, flushed;
	char directory[256], file[128], master[256];
	uint16_t master_port;
	uint16_t store_used;
	uint8_t store[REDIS_MEMORY_STORE];
};

struct queued {
	struct queued *next;
	size_t count;
	struct slice *arguments;
};

struct setting_override {
	struct setting_override *next;
	size_t index;
	const char *value;
};

struct redis {
	int version;
	uint32_t id;
	uint8_t database;
	uint8_t protocol; /* 2 or 3 */
	bool authorised, in_multi, multi_failed, monitors, flushed, loaded, streaming, seen;
	struct request_reader reader;
	struct evidence *stream; /* of a huge value */
	int64_t stream_left;
	uint32_t commands, connections, errors;
	int64_t opened, saved, cleared;
	uint64_t saved_changes;
	const char *name;
	struct store *store;
	struct store no_store; /* holds nothing: when memory is out and the session is closing */
	struct setting_override *overrides;
	struct queued *queue, **queue_end;
	size_t queued_count, queued_bytes;
	struct slice *channels; /* REDIS_CHANNELS_MAX of them */
	bool *channel_is_pattern;
	size_t channel_count;
	char *directory, *file, *master; /* NULL: as installed */
	uint16_t master_port;
};

struct redis_command;

struct call {
	struct session *session;
	struct redis *redis;
	const struct redis_command *command;
	const struct slice *arguments;
	size_t count; /* of arguments at hand */
	struct writer *out;
	const char *tags[REDIS_TAGS_MAX];
	size_t tag_count;
};

enum {
	WRITE = 1 << 0,
	DENYOOM = 1 << 1,
	READONLY = 1 << 2,
	ADMIN = 1 << 3,
	PUBSUB = 1 << 4,
	NOSCRIPT = 1 << 5,
	LOADING = 1 << 6,
	STALE = 1 << 7,
	FAST = 1 << 8,
	NO_AUTH = 1 << 9,
	BLOCKING = 1 << 10,
	MOVABLE = 1 << 11,
	SKIP_MONITOR = 1 << 12,
	SKIP_SLOWLOG = 1 << 13,
	NO_MULTI = 1 << 14,
	ALLOW_BUSY = 1 << 15,
	ASKING = 1 << 16,
	NO_ASYNC = 1 << 17,
	NO_KEYS = 1 << 18,
};

enum command_group {
	GROUP_BITMAP,
	GROUP_CLUSTER,
	GROUP_CONNECTION,
	GROUP_GENERIC,
	GROUP_GEO,
	GROUP_HASH,
	GROUP_HYPERLOGLOG,
	GROUP_LIST,
	GROUP_PUBSUB,
	GROUP_SCRIPTING,
	GROUP_SERVER,
	GROUP_SET,
	GROUP_SORTED_SET,
	GROUP_STREAM,
	GROUP_STRING,
	GROUP_TRANSACTIONS,
};

struct redis_command {
	const char *name; /* "config", "config|get" */
	int arity;        /* negative: at least so many */
	uint32_t flags;
	int first_key, last_key, key_step;
	int since;
	enum command_group group;
	void (*run)(struct call *call); /* NULL: only its subcommands are */
};

/* Answers one request (arguments at hand, count as sent). */
void redis_run(struct call *call, size_t count);
/* The same without looking at MULTI; EXEC runs these. */
void redis_run_now(struct call *call, size_t count);
bool redis_may_run(const struct redis *redis, const struct redis_command *command);
void redis_tag(struct call *call, const char *tag);

struct slice redis_argument(const struct call *call, size_t index); /* empty beyond the end */
/* False, with the error answered, when it is no number. */
MUST_CHECK bool redis_integer(struct call *call, size_t index, int64_t *number);
bool redis_matches(struct slice pattern, struct slice text, bool nocase);
int redis_version(const struct session *session);
const char *redis_version_text(const struct session *session);
uint16_t redis_port(const struct session *session);
void redis_hex_of(const struct session *session, const char *label, char *text, size_t bytes);
/* What the source left at its last visit; once a session. */
void redis_recall(struct call *call);
/* The keys, with the bait in them; made at first use. Never NULL while the session lives. */
struct store *redis_store(struct call *call);
struct store *redis_open_store(struct session *session, struct redis *redis);
void redis_add_bait(struct session *session, struct store *store);
const char *redis_directory(const struct session *session, const struct redis *redis);
const char *redis_file(const struct redis *redis);

/* --- replies --- */

void redis_status(struct call *call, const char *text);
/* Text without the leading "-"; CR and LF in it become spaces. */
void redis_error(struct call *call, const char *format, ...) PRINTF(2, 3);
void redis_number(struct call *call, int64_t number);
void redis_bulk(struct call *call, struct slice bytes);
void redis_words(struct call *call, const char *text);
void redis_null(struct call *call);
void redis_null_array(struct call *call);
void redis_array(struct call *call, size_t count);
void redis_map(struct call *call, size_t pairs);
void redis_set_of(struct call *call, size_t count);
void redis_push_of(struct call *call, size_t count);
/* Text for people: a verbatim string in RESP3. */
void redis_verbatim(struct call *call, struct slice text);
void redis_syntax_error(struct call *call);
void redis_wrong_type(struct call *call);

/* --- what intruders leave --- */

/* Keeps what the keys would write into the database file. */
void redis_keep_writes(struct session *session, struct redis *redis);
/* Reports a download.attempt for each address in the text. */
void redis_report_addresses(struct session *session, struct slice text);
/* Looks at one value as it arrives: keeps large ones. */
void redis_inspect_value(struct call *call, struct slice key, struct slice value);

/* --- handlers of commands.def --- */

void redis_acl_cat(struct call *call);
void redis_acl_genpass(struct call *call);
void redis_acl_list(struct call *call);
void redis_acl_users(struct call *call);
void redis_acl_whoami(struct call *call);
void redis_answer_empty(struct call *call);
void redis_answer_null(struct call *call);
void redis_answer_ok(struct call *call);
void redis_answer_zero(struct call *call);
void redis_append(struct call *call);
void redis_auth(struct call *call);
void redis_bgrewriteaof(struct call *call);
void redis_bgsave(struct call *call);
void redis_client_getname(struct call *call);
void redis_client_getredir(struct call *call);
void redis_client_id(struct call *call);
void redis_client_kill(struct call *call);
void redis_client_list(struct call *call);
void redis_client_setname(struct call *call);
void redis_cluster(struct call *call);
void redis_command(struct call *call);
void redis_command_count(struct call *call);
void redis_command_docs(struct call *call);
void redis_command_list(struct call *call);
void redis_config_get(struct call *call);
void redis_config_set(struct call *call);
void redis_count(struct call *call);
void redis_dbsize(struct call *call);
void redis_debug(struct call *call);
void redis_del(struct call *call);
void redis_discard(struct call *call);
void redis_dump(struct call *call);
void redis_echo(struct call *call);
void redis_eval(struct call *call);
void redis_evalsha(struct call *call);
void redis_exec(struct call *call);
void redis_exists(struct call *call);
void redis_expire(struct call *call);
void redis_flushall(struct call *call);
void redis_get(struct call *call);
void redis_getset(struct call *call);
void redis_hello(struct call *call);
void redis_help(struct call *call);
void redis_hget(struct call *call);
void redis_hgetall(struct call *call);
void redis_hset(struct call *call);
void redis_increment(struct call *call);
void redis_info(struct call *call);
void redis_keys(struct call *call);
void redis_lastsave(struct call *call);
void redis_latency_doctor(struct call *call);
void redis_lindex(struct call *call);
void redis_lrange(struct call *call);
void redis_memory_doctor(struct call *call);
void redis_memory_usage(struct call *call);
void redis_mget(struct call *call);
void redis_migrate(struct call *call);
void redis_module_load(struct call *call);
void redis_module_unload(struct call *call);
void redis_monitor(struct call *call);
void redis_mset(struct call *call);
void redis_multi(struct call *call);
void redis_object_encoding(struct call *call);
void redis_object_number(struct call *call);
void redis_persist(struct call *call);
void redis_ping(struct call *call);
void redis_pop(struct call *call);
void redis_push(struct call *call);
void redis_quit(struct call *call);
void redis_randomkey(struct call *call);
void redis_remove_items(struct call *call);
void redis_rename(struct call *call);
void redis_replicaof(struct call *call);
void redis_reset(struct call *call);
void redis_restore(struct call *call);
void redis_role(struct call *call);
void redis_sadd(struct call *call);
void redis_save(struct call *call);
void redis_scan(struct call *call);
void redis_script_exists(struct call *call);
void redis_script_kill(struct call *call);
void redis_script_load(struct call *call);
void redis_select(struct call *call);
void redis_set(struct call *call);
void redis_setex(struct call *call);
void redis_setnx(struct call *call);
void redis_shutdown(struct call *call);
void redis_sismember(struct call *call);
void redis_smembers(struct call *call);
void redis_strlen(struct call *call);
void redis_subscribe(struct call *call);
void redis_sync(struct call *call);
void redis_time(struct call *call);
void redis_ttl(struct call *call);
void redis_type(struct call *call);
void redis_unsubscribe(struct call *call);
void redis_watch(struct call *call);

#endif
