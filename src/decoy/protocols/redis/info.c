/* INFO: a table of lines, each from the version that brought it to the one that dropped it. */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

#define GIGABYTE ((int64_t)1 << 30)

/* What the numbers of all sections are made of, so that they agree with one another. */
struct facts {
	struct call *call;
	int64_t now, uptime; /* seconds */
	int64_t used, peak, rss, total;
	int64_t connections, commands;
	char id[64];
};

static void put_human(struct writer *out, int64_t bytes)
{
	if (bytes < 1024)
		writer_format(out, "%lldB", (long long)bytes);
	else if (bytes < 1024 * 1024)
		writer_format(out, "%.2fK", (double)bytes / 1024);
	else if (bytes < GIGABYTE)
		writer_format(out, "%.2fM", (double)bytes / (1024 * 1024));
	else
		writer_format(out, "%.2fG", (double)bytes / (double)GIGABYTE);
}

enum kind {
	FIXED,  /* the text */
	NUMBER, /* fact(text[0]) as decimal */
	HUMAN,  /* the same for people */
	VERSION,
	BUILD,
	SYSTEM,
	COMPILER,
	EXECUTABLE,
	CONFIG_FILE,
	RUN_ID,
	REPLICATION_ID,
	PROCESSOR, /* seconds with a fraction: uptime / number in text */
	PERCENT,
};

struct line {
	const char *name;
	int since, until; /* until: first version without it; 0: still there */
	enum kind kind;
	const char *text;
};

static int64_t memory_fact(const struct facts *facts, char which)
{
	switch (which) {
	case 'm':
		return facts->used;
	case 'k':
		return facts->peak;
	case 'r':
		return facts->rss;
	case 'T':
		return facts->total;
	case 's':
		return 876384;
	case 'o':
		return 898928;
	case 'D':
		return facts->used - 898928;
	case 'a':
		return facts->used + 869368;
	case 'A':
		return facts->used + 1297728;
	case 'R':
		return facts->rss - 2445312;
	case 'f':
		return facts->rss - facts->used;
	case 'g':
		return 428360;
	case 'h':
		return facts->rss - facts->used - 3726080;
	default:
		return 0;
	}
}

static int64_t fact(const struct facts *facts, char which)
{
	struct call *call = facts->call;

	switch (which) {
	case 'p':
		return persona_derive_number(session_persona(call->session), "redis pid", 480,
					     1900);
	case 'P':
		return redis_port(call->session);
	case 't':
		return session_now(call->session);
	case 'u':
		return facts->uptime;
	case 'd':
		return facts->uptime / 86400;
	case 'l':
		return facts->now & 0xffffff;
	case 'c':
		return facts->connections;
	case 'C':
		return facts->commands;
	case 'i':
		return facts->commands * 31;
	case 'O':
		return facts->commands * 187;
	case 'L':
		return call->redis->saved / SECOND;
	case 'x':
		return call->redis->store
			       ? (int64_t)(call->redis->store->changes - call->redis->saved_changes)
			       : 0;
	case 'e':
		return call->redis->errors;
	case 'E':
		return facts->uptime / 37;
	default:
		return memory_fact(facts, which);
	}
}

static void put_line(struct facts *facts, const struct line *line, struct writer *out)
{
	struct session *session = facts->call->session;
	char hex[48];

	writer_format(out, "%s:", line->name);
	switch (line->kind) {
	case FIXED:
		writer_text(out, line->text);
		break;
	case NUMBER:
		writer_decimal(out, fact(facts, line->text[0]));
		break;
	case HUMAN:
		put_human(out, fact(facts, line->text[0]));
		break;
	case VERSION:
		writer_text(out, redis_version_text(session));
		break;
	case BUILD:
		redis_hex_of(session, redis_version_text(session), hex, 8);
		hex[15] = 0; /* a leading zero is not written: not every build has 16 digits */
		writer_text(out, persona_text(session_persona(session), "redis.build_id", hex));
		break;
	case SYSTEM:
		writer_format(
			out, "Linux %s x86_64",
			persona_text(session_persona(session), "host.kernel", "5.4.0-150-generic"));
		break;
	case COMPILER:
		writer_text(out,
			    persona_text(session_persona(session), "redis.gcc_version",
					 facts->call->redis->version >= 700 ? "12.2.0" : "9.4.0"));
		break;
	case EXECUTABLE:
		writer_text(out,
			    persona_text(session_persona(session), "redis.executable", line->text));
		break;
	case CONFIG_FILE:
		writer_text(out, persona_text(session_persona(session), "redis.config_file",
					      line->text));
		break;
	case RUN_ID:
	case REPLICATION_ID:
		redis_hex_of(session, line->kind == RUN_ID ? facts->id : "redis replication", hex,
			     20);
		writer_text(out, hex);
		break;
	case PROCESSOR:
		writer_format(out, "%lld.%06lld",
			      (long long)(facts->uptime / (line->text[0] == 's' ? 1260 : 1190)),
			      (long long)(facts->now * 7919 % 1000000));
		break;
	case PERCENT:
		writer_format(out, "%.2f%%",
			      line->text[0] == 'k'
				      ? 100.0 * (double)facts->used / (double)facts->peak
				      : 100.0 * (double)(facts->used - 898928) /
						(double)(facts->used - 876384));
		break;
	}
	writer_text(out, "\r\n");
}

static const struct line server[] = {
	{"redis_version", 0, 0, VERSION, ""},
	{"redis_git_sha1", 0, 0, FIXED, "00000000"},
	{"redis_git_dirty", 0, 0, FIXED, "0"},
	{"redis_build_id", 0, 0, BUILD, ""},
	{"redis_mode", 0, 0, FIXED, "standalone"},
	{"os", 0, 0, SYSTEM, ""},
	{"arch_bits", 0, 0, FIXED, "64"},
	{"monotonic_clock", 602, 0, FIXED, "POSIX clock_gettime"},
	{"multiplexing_api", 0, 0, FIXED, "epoll"},
	{"atomicvar_api", 400, 602, FIXED, "atomic-builtin"},
	{"atomicvar_api", 602, 0, FIXED, "c11-builtin"},
	{"gcc_version", 0, 0, COMPILER, ""},
	{"process_id", 0, 0, NUMBER, "p"},
	{"process_supervised", 602, 0, FIXED, "no"},
	{"run_id", 0, 0, RUN_ID, ""},
	{"tcp_port", 0, 0, NUMBER, "P"},
	{"server_time_usec", 602, 0, NUMBER, "t"},
	{"uptime_in_seconds", 0, 0, NUMBER, "u"},
	{"uptime_in_days", 0, 0, NUMBER, "d"},
	{"hz", 0, 0, FIXED, "10"},
	{"configured_hz", 500, 0, FIXED, "10"},
	{"lru_clock", 0, 0, NUMBER, "l"},
	{"executable", 0, 0, EXECUTABLE, "/usr/bin/redis-server"},
	{"config_file", 0, 0, CONFIG_FILE, "/etc/redis/redis.conf"},
	{"io_threads_active", 602, 0, FIXED, "0"},
};

static const struct line clients[] = {
	{"connected_clients", 0, 0, FIXED, "1"},
	{"cluster_connections", 700, 0, FIXED, "0"},
	{"maxclients", 602, 0, FIXED, "10000"},
	{"client_longest_output_list", 0, 500, FIXED, "0"},
	{"client_biggest_input_buf", 0, 500, FIXED, "0"},
	{"client_recent_max_input_buffer", 500, 602, FIXED, "2"},
	{"client_recent_max_input_buffer", 602, 0, FIXED, "20480"},
	{"client_recent_max_output_buffer", 500, 0, FIXED, "0"},
	{"blocked_clients", 0, 0, FIXED, "0"},
	{"tracking_clients", 600, 0, FIXED, "0"},
	{"clients_in_timeout_table", 600, 0, FIXED, "0"},
};

static const struct line memory[] = {
	{"used_memory", 0, 0, NUMBER, "m"},
	{"used_memory_human", 0, 0, HUMAN, "m"},
	{"used_memory_rss", 0, 0, NUMBER, "r"},
	{"used_memory_rss_human", 0, 0, HUMAN, "r"},
	{"used_memory_peak", 0, 0, NUMBER, "k"},
	{"used_memory_peak_human", 0, 0, HUMAN, "k"},
	{"used_memory_peak_perc", 400, 0, PERCENT, "k"},
	{"used_memory_overhead", 400, 0, NUMBER, "o"},
	{"used_memory_startup", 400, 0, NUMBER, "s"},
	{"used_memory_dataset", 400, 0, NUMBER, "D"},
	{"used_memory_dataset_perc", 400, 0, PERCENT, "d"},
	{"allocator_allocated", 500, 0, NUMBER, "a"},
	{"allocator_active", 500, 0, NUMBER, "A"},
	{"allocator_resident", 500, 0, NUMBER, "R"},
	{"total_system_memory", 0, 0, NUMBER, "T"},
	{"total_system_memory_human", 0, 0, HUMAN, "T"},
	{"used_memory_lua", 0, 700, FIXED, "41984"},
	{"used_memory_lua_human", 0, 700, FIXED, "41.00K"},
	{"used_memory_lua", 700, 0, FIXED, "31744"},
	{"used_memory_vm_eval", 700, 0, FIXED, "31744"},
	{"used_memory_lua_human", 700, 0, FIXED, "31.00K"},
	{"used_memory_scripts_eval", 700, 0, FIXED, "0"},
	{"used_memory_scripts", 500, 700, FIXED, "0"},
	{"used_memory_scripts_human", 500, 700, FIXED, "0B"},
	{"number_of_cached_scripts", 500, 0, FIXED, "0"},
	{"number_of_functions", 700, 0, FIXED, "0"},
	{"number_of_libraries", 700, 0, FIXED, "0"},
	{"used_memory_vm_functions", 700, 0, FIXED, "32768"},
	{"used_memory_vm_total", 700, 0, FIXED, "64512"},
	{"used_memory_vm_total_human", 700, 0, FIXED, "63.00K"},
	{"used_memory_functions", 700, 0, FIXED, "200"},
	{"used_memory_scripts", 700, 0, FIXED, "200"},
	{"used_memory_scripts_human", 700, 0, FIXED, "200B"},
	{"maxmemory", 0, 0, FIXED, "0"},
	{"maxmemory_human", 0, 0, FIXED, "0B"},
	{"maxmemory_policy", 0, 0, FIXED, "noeviction"},
	{"allocator_frag_ratio", 500, 0, FIXED, "1.20"},
	{"allocator_frag_bytes", 500, 0, NUMBER, "g"},
	{"allocator_rss_ratio", 500, 0, FIXED, "2.04"},
	{"allocator_rss_bytes", 500, 0, FIXED, "2674688"},
	{"rss_overhead_ratio", 500, 0, FIXED, "1.47"},
	{"rss_overhead_bytes", 500, 0, FIXED, "2445312"},
	{"mem_fragmentation_ratio", 0, 0, FIXED, "6.05"},
	{"mem_fragmentation_bytes", 500, 0, NUMBER, "f"},
	{"mem_not_counted_for_evict", 500, 0, FIXED, "0"},
	{"mem_replication_backlog", 500, 0, FIXED, "0"},
	{"mem_total_replication_buffers", 700, 0, FIXED, "0"},
	{"mem_clients_slaves", 500, 0, FIXED, "0"},
	{"mem_clients_normal", 500, 602, FIXED, "49694"},
	{"mem_clients_normal", 602, 0, FIXED, "22272"},
	{"mem_cluster_links", 700, 0, FIXED, "0"},
	{"mem_aof_buffer", 500, 0, FIXED, "0"},
	{"mem_allocator", 0, 700, FIXED, "jemalloc-5.2.1"},
	{"mem_allocator", 700, 0, FIXED, "jemalloc-5.3.0"},
	{"active_defrag_running", 400, 0, FIXED, "0"},
	{"lazyfree_pending_objects", 400, 0, FIXED, "0"},
	{"lazyfreed_objects", 602, 0, FIXED, "0"},
};

static const struct line persistence[] = {
	{"loading", 0, 0, FIXED, "0"},
	{"async_loading", 700, 0, FIXED, "0"},
	{"current_cow_peak", 602, 0, FIXED, "0"},
	{"current_cow_size", 602, 0, FIXED, "0"},
	{"current_cow_size_age", 602, 0, FIXED, "0"},
	{"current_fork_perc", 602, 0, FIXED, "0.00"},
	{"current_save_keys_processed", 602, 0, FIXED, "0"},
	{"current_save_keys_total", 602, 0, FIXED, "0"},
	{"rdb_changes_since_last_save", 0, 0, NUMBER, "x"},
	{"rdb_bgsave_in_progress", 0, 0, FIXED, "0"},
	{"rdb_last_save_time", 0, 0, NUMBER, "L"},
	{"rdb_last_bgsave_status", 0, 0, FIXED, "ok"},
	{"rdb_last_bgsave_time_sec", 0, 0, FIXED, "0"},
	{"rdb_current_bgsave_time_sec", 0, 0, FIXED, "-1"},
	{"rdb_saves", 700, 0, NUMBER, "E"},
	{"rdb_last_cow_size", 400, 0, FIXED, "249856"},
	{"rdb_last_load_keys_expired", 700, 0, FIXED, "0"},
	{"rdb_last_load_keys_loaded", 700, 0, FIXED, "0"},
	{"aof_enabled", 0, 0, FIXED, "0"},
	{"aof_rewrite_in_progress", 0, 0, FIXED, "0"},
	{"aof_rewrite_scheduled", 0, 0, FIXED, "0"},
	{"aof_last_rewrite_time_sec", 0, 0, FIXED, "-1"},
	{"aof_current_rewrite_time_sec", 0, 0, FIXED, "-1"},
	{"aof_last_bgrewrite_status", 0, 0, FIXED, "ok"},
	{"aof_rewrites", 700, 0, FIXED, "0"},
	{"aof_rewrites_consecutive_failures", 700, 0, FIXED, "0"},
	{"aof_last_write_status", 0, 0, FIXED, "ok"},
	{"aof_last_cow_size", 400, 0, FIXED, "0"},
	{"module_fork_in_progress", 600, 0, FIXED, "0"},
	{"module_fork_last_cow_size", 600, 0, FIXED, "0"},
};

static const struct line stats[] = {
	{"total_connections_received", 0, 0, NUMBER, "c"},
	{"total_commands_processed", 0, 0, NUMBER, "C"},
	{"instantaneous_ops_per_sec", 0, 0, FIXED, "0"},
	{"total_net_input_bytes", 0, 0, NUMBER, "i"},
	{"total_net_output_bytes", 0, 0, NUMBER, "O"},
	{"total_net_repl_input_bytes", 700, 0, FIXED, "0"},
	{"total_net_repl_output_bytes", 700, 0, FIXED, "0"},
	{"instantaneous_input_kbps", 0, 0, FIXED, "0.04"},
	{"instantaneous_output_kbps", 0, 0, FIXED, "1.82"},
	{"instantaneous_input_repl_kbps", 700, 0, FIXED, "0.00"},
	{"instantaneous_output_repl_kbps", 700, 0, FIXED, "0.00"},
	{"rejected_connections", 0, 0, FIXED, "0"},
	{"sync_full", 0, 0, FIXED, "0"},
	{"sync_partial_ok", 0, 0, FIXED, "0"},
	{"sync_partial_err", 0, 0, FIXED, "0"},
	{"expired_keys", 0, 0, NUMBER, "E"},
	{"expired_stale_perc", 500, 0, FIXED, "0.00"},
	{"expired_time_cap_reached_count", 500, 0, FIXED, "0"},
	{"expire_cycle_cpu_milliseconds", 600, 0, NUMBER, "E"},
	{"evicted_keys", 0, 0, FIXED, "0"},
	{"evicted_clients", 700, 0, FIXED, "0"},
	{"total_eviction_exceeded_time", 700, 0, FIXED, "0"},
	{"current_eviction_exceeded_time", 700, 0, FIXED, "0"},
	{"keyspace_hits", 0, 0, NUMBER, "E"},
	{"keyspace_misses", 0, 0, FIXED, "11"},
	{"pubsub_channels", 0, 0, FIXED, "0"},
	{"pubsub_patterns", 0, 0, FIXED, "0"},
	{"pubsubshard_channels", 700, 0, FIXED, "0"},
	{"latest_fork_usec", 0, 0, FIXED, "281"},
	{"total_forks", 602, 0, NUMBER, "E"},
	{"migrate_cached_sockets", 0, 0, FIXED, "0"},
	{"slave_expires_tracked_keys", 400, 0, FIXED, "0"},
	{"active_defrag_hits", 400, 0, FIXED, "0"},
	{"active_defrag_misses", 400, 0, FIXED, "0"},
	{"active_defrag_key_hits", 400, 0, FIXED, "0"},
	{"active_defrag_key_misses", 400, 0, FIXED, "0"},
	{"total_active_defrag_time", 700, 0, FIXED, "0"},
	{"current_active_defrag_time", 700, 0, FIXED, "0"},
	{"tracking_total_keys", 600, 0, FIXED, "0"},
	{"tracking_total_items", 600, 0, FIXED, "0"},
	{"tracking_total_prefixes", 600, 0, FIXED, "0"},
	{"unexpected_error_replies", 600, 0, FIXED, "0"},
	{"total_error_replies", 602, 0, NUMBER, "e"},
	{"dump_payload_sanitizations", 602, 0, FIXED, "0"},
	{"total_reads_processed", 600, 0, NUMBER, "C"},
	{"total_writes_processed", 600, 0, NUMBER, "C"},
	{"io_threaded_reads_processed", 600, 0, FIXED, "0"},
	{"io_threaded_writes_processed", 600, 0, FIXED, "0"},
	{"reply_buffer_shrinks", 700, 0, NUMBER, "c"},
	{"reply_buffer_expands", 700, 0, FIXED, "1"},
};

static const struct line replication[] = {
	{"connected_slaves", 0, 0, FIXED, "0"},
	{"master_failover_state", 602, 0, FIXED, "no-failover"},
	{"master_replid", 400, 0, REPLICATION_ID, ""},
	{"master_replid2", 400, 0, FIXED, "0000000000000000000000000000000000000000"},
	{"master_repl_offset", 0, 0, FIXED, "0"},
	{"second_repl_offset", 400, 0, FIXED, "-1"},
	{"repl_backlog_active", 0, 0, FIXED, "0"},
	{"repl_backlog_size", 0, 0, FIXED, "1048576"},
	{"repl_backlog_first_byte_offset", 0, 0, FIXED, "0"},
	{"repl_backlog_histlen", 0, 0, FIXED, "0"},
};

static const struct line processor[] = {
	{"used_cpu_sys", 0, 0, PROCESSOR, "s"},
	{"used_cpu_user", 0, 0, PROCESSOR, "u"},
	{"used_cpu_sys_children", 0, 0, FIXED, "0.004817"},
	{"used_cpu_user_children", 0, 0, FIXED, "0.001963"},
	{"used_cpu_sys_main_thread", 602, 0, PROCESSOR, "s"},
	{"used_cpu_user_main_thread", 602, 0, PROCESSOR, "u"},
};

static const struct line cluster[] = {{"cluster_enabled", 0, 0, FIXED, "0"}};

static const struct {
	const char *name, *title;
	const struct line *lines;
	size_t count;
	int since;
} sections[] = {
	{"server", "Server", server, ARRAY_COUNT(server), 0},
	{"clients", "Clients", clients, ARRAY_COUNT(clients), 0},
	{"memory", "Memory", memory, ARRAY_COUNT(memory), 0},
	{"persistence", "Persistence", persistence, ARRAY_COUNT(persistence), 0},
	{"stats", "Stats", stats, ARRAY_COUNT(stats), 0},
	{"replication", "Replication", replication, ARRAY_COUNT(replication), 0},
	{"cpu", "CPU", processor, ARRAY_COUNT(processor), 0},
	{"modules", "Modules", NULL, 0, 600},
	{"errorstats", "Errorstats", NULL, 0, 602},
	{"cluster", "Cluster", cluster, ARRAY_COUNT(cluster), 0},
	{"keyspace", "Keyspace", NULL, 0, 0},
};

static void put_role(struct facts *facts, struct writer *out)
{
	const struct redis *redis = facts->call->redis;

	if (!redis->master) {
		writer_text(out, "role:master\r\n");
		return;
	}
	writer_format(out, "role:slave\r\nmaster_host:%s\r\nmaster_port:%u\r\n", redis->master,
		      redis->master_port);
	writer_text(out, "master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n"
			 "master_sync_in_progress:0\r\n");
	if (redis->version >= 602)
		writer_text(out, "slave_read_repl_offset:1\r\n");
	writer_format(
		out, "slave_repl_offset:1\r\nmaster_link_down_since_seconds:%lld\r\n",
		(long long)((session_now(facts->call->session) - redis->opened) / SECOND + 1));
	writer_text(out, "slave_priority:100\r\nslave_read_only:1\r\n");
	if (redis->version >= 602)
		writer_text(out, "replica_announced:1\r\n");
}

static void put_keyspace(struct facts *facts, struct writer *out)
{
	const struct store *store = redis_store(facts->call);
	struct store_entry entry;

	for (unsigned i = 0; store && i < REDIS_DATABASES; i++) {
		size_t keys = store_count(store, i, false), expiring = store_count(store, i, true);
		int64_t left = 0;

		if (keys == 0)
			continue;
		for (size_t at = 0; store_next(store, &at, &entry);) {
			if (entry.database == i && entry.expires)
				left += (entry.expires - session_now(facts->call->session)) /
					MILLISECOND;
		}
		writer_format(out, "db%u:keys=%zu,expires=%zu,avg_ttl=%lld\r\n", i, keys, expiring,
			      (long long)(expiring && left > 0 ? left / (int64_t)expiring : 0));
	}
}

static void put_section(struct facts *facts, size_t i, struct writer *out)
{
	int version = facts->call->redis->version;

	if (out->length)
		writer_text(out, "\r\n");
	writer_format(out, "# %s\r\n", sections[i].title);
	if (strcmp(sections[i].name, "replication") == 0)
		put_role(facts, out);
	if (strcmp(sections[i].name, "keyspace") == 0)
		put_keyspace(facts, out);
	if (strcmp(sections[i].name, "errorstats") == 0 && facts->call->redis->errors)
		writer_format(out, "errorstat_ERR:count=%u\r\n", facts->call->redis->errors);
	for (size_t k = 0; k < sections[i].count; k++) {
		const struct line *line = &sections[i].lines[k];

		if (line->since <= version && (!line->until || version < line->until))
			put_line(facts, line, out);
	}
}

static struct facts gather(struct call *call)
{
	const struct persona *persona = session_persona(call->session);
	const struct redis *redis = call->redis;
	int64_t now = session_now(call->session), boot = persona_boot_time(persona, now);
	struct facts facts = {.call = call, .now = now / SECOND};
	const struct store *store = redis_store(call);

	facts.uptime = (now - boot) / SECOND - persona_derive_number(persona, "redis start", 5, 90);
	if (facts.uptime < 1)
		facts.uptime = 1;
	facts.used = persona_derive_number(persona, "redis memory", 1200000, 1900000) +
		     (store ? (int64_t)store->used : 0);
	facts.peak = facts.used + persona_derive_number(persona, "redis peak", 90000, 700000);
	facts.rss = facts.used + persona_derive_number(persona, "redis rss", 6000000, 9000000);
	facts.total = persona_number(persona, "host.memory", 4 * GIGABYTE - 93 * 1024 * 1024);
	facts.connections = redis->connections + facts.now / 60 % 7 + 1;
	facts.commands = (int64_t)redis->connections * 9 + redis->commands;
	snprintf(facts.id, sizeof(facts.id), "redis run %lld", (long long)boot);
	return facts;
}

void redis_info(struct call *call)
{
	struct writer out = writer_growing(REDIS_LINE_MAX);
	struct facts facts = gather(call);
	size_t last = call->redis->version >= 700 ? call->count : 2;
	bool all = call->count == 1;

	if (call->redis->version < 700 && call->count > 2) {
		redis_syntax_error(call);
		return;
	}
	for (size_t k = 1; k < last && k < call->count; k++)
		all |= slice_is_nocase(call->arguments[k], "all") ||
		       slice_is_nocase(call->arguments[k], "default") ||
		       slice_is_nocase(call->arguments[k], "everything");
	for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
		bool wanted = all;

		if (sections[i].since > call->redis->version)
			continue;
		for (size_t k = 1; k < last && k < call->count; k++)
			wanted |= slice_is_nocase(call->arguments[k], sections[i].name);
		if (wanted)
			put_section(&facts, i, &out);
	}
	redis_verbatim(call, writer_slice(&out));
	writer_free(&out);
}
