/* The store: every event once, whatever happens; counts that agree with the events. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/follow.h"
#include "store/query.h"
#include "store/sqlite_folder.h"

#define START (INT64_C(1767225600) * SECOND) /* 2026-01-01 */

struct fixture {
	char path[64];
	int folder, spool;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	log_open("test", LOG_LEVEL_ERROR, false);
	if (!fixture)
		return -1;
	memcpy(fixture->path, "/tmp/sundew-store-XXXXXX", 25);
	if (!mkdtemp(fixture->path))
		return -1;
	fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(fixture->folder, "spool", 0700) < 0)
		return -1;
	fixture->spool = openat(fixture->folder, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fixture;
	return fixture->spool < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"sundew.db", "sundew.db-wal", "sundew.db-shm",
					    "copy.db",   "copy.db-wal",   "copy.db-shm"};
	struct fixture *fixture = *state;

	(void)spool_housekeep(fixture->spool, (struct spool_position){INT64_MAX, 0}, 0);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		unlinkat(fixture->folder, files[i], 0);
	unlinkat(fixture->folder, "spool", AT_REMOVEDIR);
	close(fixture->spool);
	close(fixture->folder);
	rmdir(fixture->path);
	free(fixture);
	return 0;
}

static struct store *open_store(struct fixture *fixture, enum store_mode mode)
{
	char why[256] = "";
	struct store *store = store_open(fixture->folder, mode, NULL, why, sizeof(why));

	if (!store)
		print_error("%s\n", why);
	assert_non_null(store);
	return store;
}

/* Event `number` of a made-up world: all its fields follow from the number. */
#define SENSORS 3
#define SOURCES 40
#define USERS   7
#define PORTS   11

static int64_t time_of(int64_t number)
{
	return START + number * 7919 % 4000 * 20 * MINUTE; /* back and forth over 55 days */
}

static bool is_attempt(int64_t number)
{
	return number % 3 == 1;
}

static void make(int64_t number, struct event *event, char words[5][64])
{
	struct address source = address_v4((uint32_t)(0xc6336400 + number % SOURCES));
	struct ulid_source ids = {.last_millisecond = -1};

	/* An id that follows from the number too: the same event comes again with the same id. */
	ulid_next(&ids, time_of(number), words[0]);
	snprintf(words[0] + 10, 17, "%016lld", (long long)number);
	event_clear(event);
	event_set_number(event, FIELD_TIME, time_of(number));
	event_set_words(event, FIELD_EVENT_ID, words[0]);
	event_set_address(event, FIELD_SOURCE_IP, &source);
	snprintf(words[1], 64, "sensor-%d", (int)(number % SENSORS));
	event_set_words(event, FIELD_OBSERVER_NAME, words[1]);
	snprintf(words[2], 64, "%024lld", (long long)(number / 3));
	event_set_words(event, FIELD_SESSION_ID, words[2]);
	event_set_number(event, FIELD_DESTINATION_PORT, number % PORTS);
	if (!is_attempt(number)) {
		event_set_words(event, FIELD_EVENT_ACTION,
				number % 3 == 0 ? "session.open" : "session.close");
		return;
	}
	event_set_words(event, FIELD_EVENT_ACTION, "auth.attempt");
	snprintf(words[3], 64, "user%d", (int)(number % USERS));
	event_set_words(event, FIELD_USER_NAME, words[3]);
	event_set_words(event, FIELD_AUTH_PASSWORD, words[3]);
}

static enum store_result add(struct store *store, int64_t number)
{
	struct writer line = writer_growing(EVENT_LINE_MAX);
	enum store_result result;
	struct event event;
	char words[5][64];

	make(number, &event, words);
	event_write(&event, &line);
	result = store_add(store, writer_slice(&line), NULL, (struct spool_position){0});
	writer_free(&line);
	return result;
}

static void add_range(struct store *store, int64_t from, int64_t to)
{
	assert_int_equal(store_begin(store), 0);
	for (int64_t number = from; number < to; number++)
		assert_int_equal(add(store, number), STORE_STORED);
	assert_int_equal(store_commit(store), 0);
}

static void tend(struct store *store)
{
	int more;

	while ((more = store_tend(store)) > 0)
		continue;
	assert_int_equal(more, 0);
}

/* --- counts against a recount --- */

static bool in_range(int64_t number, const struct query_range *range)
{
	int64_t hour = time_of(number) / HOUR * HOUR;

	if (range->since && hour < range->since / HOUR * HOUR)
		return false;
	if (range->until && hour >= (range->until + HOUR - 1) / HOUR * HOUR)
		return false;
	return !range->sensor || range->sensor[7] - '0' == number % SENSORS;
}

static int64_t answered(const struct query_rows *rows, const char *key)
{
	for (size_t i = 0; i < rows->count; i++)
		if (slice_is(rows->rows[i].key, key))
			return rows->rows[i].count;
	return 0;
}

static void ask(struct store *store, const char *dimension, enum measure measure,
		const struct query_range *range, struct query_rows *rows)
{
	if (query_top(store, dimension_named(slice_text(dimension)), measure, range, 0, rows) < 0) {
		print_error("%s\n", store_problem(store));
		fail();
	}
}

static void compare(struct store *store, int64_t count, const struct query_range *range)
{
	int64_t sources[SOURCES] = {0}, users[USERS] = {0}, ports[PORTS] = {0}, events = 0;
	struct query_rows by_source, by_user, by_pair, by_port;
	struct query_totals totals;
	char key[64];

	for (int64_t number = 0; number < count; number++) {
		if (!in_range(number, range))
			continue;
		events++;
		sources[number % SOURCES]++;
		ports[number % PORTS] += number % 3 == 0;
		users[number % USERS] += is_attempt(number);
	}
	ask(store, "source.ip", MEASURE_EVENTS, range, &by_source);
	ask(store, "user.name", MEASURE_OWN, range, &by_user);
	ask(store, "credential", MEASURE_OWN, range, &by_pair);
	ask(store, "destination.port", MEASURE_OWN, range, &by_port);
	for (int i = 0; i < SOURCES; i++) {
		snprintf(key, sizeof(key), "198.51.100.%d", i);
		assert_int_equal(answered(&by_source, key), sources[i]);
	}
	for (int i = 0; i < PORTS; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(answered(&by_port, key), ports[i]);
	}
	for (int i = 0; i < USERS; i++) {
		snprintf(key, sizeof(key), "user%d", i);
		assert_int_equal(answered(&by_user, key), users[i]);
		for (size_t row = 0; row < by_pair.count; row++) {
			struct slice password =
				slice_from(by_pair.rows[row].key, by_pair.rows[row].password_at);

			if (slice_is(password, key))
				assert_int_equal(by_pair.rows[row].count, users[i]);
		}
	}
	assert_int_equal(query_totals(store, range, &totals), 0);
	assert_int_equal(totals.counts[MEASURE_EVENTS], events);
	assert_int_equal(totals.sources, (int64_t)by_source.distinct);
	assert_int_equal(by_source.total, events);
	query_rows_free(&by_source);
	query_rows_free(&by_user);
	query_rows_free(&by_pair);
	query_rows_free(&by_port);
}

static void compare_ranges(struct store *store, int64_t count)
{
	const struct query_range ranges[] = {
		{0, 0, NULL},
		{0, 0, "sensor-1"},
		{START + 3 * DAY, START + 40 * DAY, NULL},
		{START + 3 * DAY + 5 * HOUR, START + 39 * DAY + 7 * HOUR, NULL},
		{START + 3 * DAY + 5 * HOUR, START + 39 * DAY + 7 * HOUR, "sensor-2"},
		{START + 20 * DAY + 90 * MINUTE, 0, "sensor-0"},
		{START + 50 * DAY, START + 50 * DAY + HOUR, NULL},
		{START + 100 * DAY, 0, NULL},
		{0, START - DAY, NULL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(ranges); i++)
		compare(store, count, &ranges[i]);
}

static void test_counts_agree_with_events(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);

	/* Sealed early, so that most events come late for their day. */
	add_range(store, 0, 3000);
	compare_ranges(store, 3000);
	tend(store);
	compare_ranges(store, 3000);
	add_range(store, 3000, 7000);
	compare_ranges(store, 7000);
	tend(store);
	compare_ranges(store, 7000);
	store_close(store);
	store = open_store(*state, STORE_READ);
	compare_ranges(store, 7000);
	store_close(store);
}

static void test_unknown_sensor_has_nothing(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);
	struct query_range range = {0, 0, "nobody"};
	struct query_rows rows;

	add_range(store, 0, 100);
	ask(store, "source.ip", MEASURE_OWN, &range, &rows);
	assert_int_equal(rows.count, 0);
	query_rows_free(&rows);
	store_close(store);
}

static void test_duplicates_do_not_count(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);
	struct store_status status;

	add_range(store, 0, 500);
	assert_int_equal(store_begin(store), 0);
	for (int64_t number = 0; number < 500; number++)
		assert_int_equal(add(store, number), STORE_KNOWN);
	assert_int_equal(add(store, 500), STORE_STORED);
	assert_int_equal(add(store, 500), STORE_KNOWN); /* within one batch */
	assert_int_equal(store_commit(store), 0);
	compare_ranges(store, 501);
	assert_int_equal(store_status(store, &status), 0);
	assert_int_equal(status.events, 501);
	assert_int_equal(status.duplicates, 501);
	store_close(store);
}

static void test_rollback_leaves_nothing(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);

	add_range(store, 0, 100);
	assert_int_equal(store_begin(store), 0);
	for (int64_t number = 100; number < 900; number++)
		assert_int_equal(add(store, number), STORE_STORED);
	store_rollback(store);
	compare_ranges(store, 100);
	add_range(store, 100, 900);
	compare_ranges(store, 900);
	store_close(store);
}

static bool count_damaged(void *context, const struct store_damaged *damaged)
{
	assert_non_null(damaged->reason);
	(*(int *)context)++;
	return true;
}

static void test_damaged_lines_are_noted_and_passed_over(void **state)
{
	static const char *const broken[] = {
		"",
		"{",
		"not json",
		"{\"event\":{\"id\":1}}",
		"[]",
		"{}",
		"{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"action\":\"x\"}}",
		"{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"event\":{\"id\":\"\",\"action\":\"x\"}"
		"}",
		"{\"event\":{\"id\":\"a\",\"action\":\"x\"}}",
	};
	struct store *store = open_store(*state, STORE_WRITE);
	struct store_status status;
	struct spool_position after = {1, 10};
	int count = 0;

	log_open("test", LOG_LEVEL_ERROR, false);
	assert_int_equal(store_begin(store), 0);
	for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
		assert_int_equal(add(store, (int64_t)i), STORE_STORED);
		assert_int_equal(store_add(store, slice_text(broken[i]), "decoy-0", after),
				 STORE_DAMAGED);
	}
	assert_int_equal(store_commit(store), 0);
	compare_ranges(store, ARRAY_COUNT(broken));
	assert_int_equal(store_damaged(store, 100, count_damaged, &count), 0);
	assert_int_equal(count, ARRAY_COUNT(broken));
	assert_int_equal(store_status(store, &status), 0);
	assert_int_equal(status.damaged, ARRAY_COUNT(broken));
	assert_int_equal(store_position(store, "decoy-0", &after), 0);
	assert_int_equal(after.offset, 10);
	store_close(store);
}

/* --- hostile text --- */

static bool keep_json(void *context, const struct query_event *event)
{
	struct writer *out = context;

	writer_bytes(out, event->json);
	return true;
}

static void add_text(struct store *store, int number, struct slice text)
{
	struct writer line = writer_growing(EVENT_LINE_MAX);
	struct event event;
	char words[5][64];

	make(number * 3 + 1, &event, words); /* an attempt */
	event_set_text(&event, FIELD_USER_NAME, text);
	event_write(&event, &line);
	assert_false(line.failed);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add(store, writer_slice(&line), NULL, (struct spool_position){0}),
			 STORE_STORED);
	assert_int_equal(store_commit(store), 0);
	writer_free(&line);
}

static void test_hostile_text_is_only_text(void **state)
{
	static const struct slice texts[] = {
		{(const uint8_t *)"a\0b", 3},
		{(const uint8_t *)"\xff\xfe\x80", 3},
		{(const uint8_t *)"'; DROP TABLE event; --", 23},
		{(const uint8_t *)"\");DELETE FROM tally;--", 23},
		{(const uint8_t *)"", 0},
		{(const uint8_t *)"\n{\"event\":{}}\r\n", 15},
		{(const uint8_t *)"\x1b[2J", 4},
		{(const uint8_t *)"%s%n%d", 6},
	};
	struct store *store = open_store(*state, STORE_WRITE);
	struct query_range range = {0};
	struct query_filter filter = query_filter_any();
	struct query_rows rows;
	struct writer out = writer_growing(1 << 20);

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		add_text(store, (int)i, texts[i]);
	ask(store, "user.name", MEASURE_OWN, &range, &rows);
	assert_int_equal(rows.count, ARRAY_COUNT(texts));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		size_t found = 0;

		for (size_t row = 0; row < rows.count; row++)
			found += slice_equal(rows.rows[row].key, texts[i]);
		assert_int_equal(found, 1);
	}
	filter.user = texts[2];
	assert_int_equal(query_events(store, &filter, keep_json, &out, NULL), 0);
	assert_true(slice_find(writer_slice(&out), texts[2]) != SIZE_MAX);
	query_rows_free(&rows);
	writer_free(&out);
	store_close(store);
}

static void test_long_text_is_counted_by_its_beginning(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);
	struct query_range range = {0};
	struct query_rows rows;
	uint8_t text[600];

	memset(text, 'a', sizeof(text));
	add_text(store, 0, slice_of(text, 511));
	add_text(store, 1, slice_of(text, 512));
	add_text(store, 2, slice_of(text, 513));
	add_text(store, 3, slice_of(text, 600));
	ask(store, "user.name", MEASURE_OWN, &range, &rows);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.rows[0].count, 3);
	assert_int_equal(rows.rows[0].key.length, 512);
	query_rows_free(&rows);
	store_close(store);
}

/* --- killed at any moment --- */

static void append_events(struct fixture *fixture, int64_t from, int64_t to)
{
	static const struct spool_limits limits = {.segment_bytes = 64 << 10,
						   .total_bytes = 64 << 20};
	struct spool *spool = spool_open(fixture->spool, &limits);

	assert_non_null(spool);
	for (int64_t number = from; number < to; number++) {
		struct event event;
		char words[5][64];

		make(number, &event, words);
		assert_int_equal(spool_append(spool, &event), 0);
	}
	assert_int_equal(spool_flush(spool), 0);
	spool_close(spool);
}

static void follow_all(struct fixture *fixture, struct store *store)
{
	const struct follow_spool spools[] = {{"decoy-0", fixture->spool}};
	const struct follow_options options = {
		.spools = spools, .count = 1, .keep_spool_bytes = 64 << 20};
	struct follow *follow = follow_open(store, &options);
	int taken;

	assert_non_null(follow);
	while ((taken = follow_turn(follow)) > 0)
		continue;
	assert_int_equal(taken, 0);
	follow_close(follow);
}

/* In the child: small batches, so that the kill falls anywhere in them. */
static _Noreturn void ingest_until_killed(struct fixture *fixture)
{
	struct store *store = open_store(fixture, STORE_WRITE);
	struct spool_position from;
	struct follower *follower;
	struct slice line;

	if (store_position(store, "decoy-0", &from) < 0)
		_exit(1);
	follower = follower_open(fixture->spool, from);
	while (follower) {
		int in_batch = 0;

		if (store_begin(store) < 0)
			_exit(1);
		while (in_batch < 50 && follower_next(follower, &line) > 0) {
			if (store_add(store, line, "decoy-0", follower_position(follower)) ==
			    STORE_FAILED)
				_exit(1);
			in_batch++;
		}
		if (store_commit(store) < 0 || (store_tend(store) < 0))
			_exit(1);
	}
	_exit(1);
}

static void test_killed_at_any_moment(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = open_store(fixture, STORE_WRITE);
	unsigned seed = 20;

	append_events(fixture, 0, 6000);
	store_close(store);
	for (int round = 0; round < 20; round++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			ingest_until_killed(fixture);
		seed = seed * 1103515245 + 12345;
		usleep(2000 + (seed >> 16) % 30000);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
	}
	store = open_store(fixture, STORE_WRITE);
	follow_all(fixture, store);
	tend(store);
	compare_ranges(store, 6000);
	follow_all(fixture, store); /* nothing comes again */
	compare_ranges(store, 6000);
	store_close(store);
}

/* --- versions, retention, backup, sandbox --- */

static void test_newer_and_foreign_databases_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char name[SQLITE_FOLDER_NAME_MAX], why[256];
	sqlite3 *database;

	store_close(open_store(fixture, STORE_WRITE));
	assert_int_equal(sqlite_folder_name(fixture->folder, STORE_FILE, name), 0);
	assert_int_equal(sqlite3_open(name, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "PRAGMA user_version=99", NULL, NULL, NULL), 0);
	assert_null(store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "newer"));
	assert_int_equal(sqlite3_exec(database, "PRAGMA user_version=1; PRAGMA application_id=7",
				      NULL, NULL, NULL),
			 0);
	assert_null(store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "not a Sundew store"));
	sqlite3_close(database);
}

/* Version 0 is what a start that was killed before its first migration leaves behind. */
static void test_migration_from_the_oldest_version(void **state)
{
	struct fixture *fixture = *state;
	char name[SQLITE_FOLDER_NAME_MAX], why[256];
	sqlite3 *database;
	struct store *store;

	assert_int_equal(sqlite_folder_install(), 0);
	assert_int_equal(sqlite_folder_name(fixture->folder, STORE_FILE, name), 0);
	assert_int_equal(sqlite3_open(name, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), 0);
	sqlite3_close(database);
	assert_null(store_open(fixture->folder, STORE_READ, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "migrate"));
	store = open_store(fixture, STORE_WRITE);
	add_range(store, 0, 10);
	store_close(store);
	store_close(open_store(fixture, STORE_READ));
}

static void retain(struct store *store, const struct store_limits *limits, int64_t now)
{
	int more;

	while ((more = store_retain(store, limits, now)) > 0)
		continue;
	assert_int_equal(more, 0);
}

static void test_retention_keeps_tallies(void **state)
{
	struct store *store = open_store(*state, STORE_WRITE);
	struct store_limits limits = {.max_age = 10 * DAY};
	struct store_status status;
	int64_t now = START + 50 * DAY;
	int64_t kept = 0;
	uint64_t before;

	add_range(store, 0, 8000);
	tend(store);
	for (int64_t number = 0; number < 8000; number++)
		kept += time_of(number) >= now - limits.max_age;
	retain(store, &limits, now);
	assert_int_equal(store_status(store, &status), 0);
	assert_int_equal(status.events, kept);
	assert_true(status.first >= now - limits.max_age);
	compare_ranges(store, 8000);
	before = status.bytes;
	limits = (struct store_limits){.max_bytes = before * 3 / 4};
	retain(store, &limits, now);
	assert_int_equal(store_status(store, &status), 0);
	assert_true(status.bytes <= limits.max_bytes || status.events == 0);
	compare_ranges(store, 8000);
	add_range(store, 8000, 9000);
	compare_ranges(store, 9000);
	store_close(store);
}

static void test_backup_is_whole(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = open_store(fixture, STORE_WRITE), *reader;

	add_range(store, 0, 2000);
	reader = open_store(fixture, STORE_READ);
	assert_int_equal(store_backup(reader, fixture->folder, "copy.db", NULL, NULL), 0);
	assert_int_equal(store_backup(reader, fixture->folder, "copy.db", NULL, NULL), -1);
	store_close(reader);
	store_close(store);
	unlinkat(fixture->folder, "sundew.db-wal", 0);
	unlinkat(fixture->folder, "sundew.db-shm", 0);
	assert_int_equal(renameat(fixture->folder, "copy.db", fixture->folder, "sundew.db"), 0);
	store = open_store(fixture, STORE_WRITE);
	compare_ranges(store, 2000);
	store_close(store);
}

/* Only a descriptor of the folder, and an empty root without it. */
static void test_works_in_an_empty_root(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;
	pid_t child;
	int status;

	if (geteuid() != 0)
		skip();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char why[256];

		if (chdir(fixture->path) < 0 || chroot("spool") < 0 || chdir("/") < 0)
			_exit(2);
		store = store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why));
		if (!store || store_begin(store) < 0 || add(store, 0) != STORE_STORED ||
		    store_commit(store) < 0)
			_exit(3);
		store_close(store);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	store = open_store(fixture, STORE_READ);
	compare_ranges(store, 1);
	store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_counts_agree_with_events),
		TEST(test_unknown_sensor_has_nothing),
		TEST(test_duplicates_do_not_count),
		TEST(test_rollback_leaves_nothing),
		TEST(test_damaged_lines_are_noted_and_passed_over),
		TEST(test_hostile_text_is_only_text),
		TEST(test_long_text_is_counted_by_its_beginning),
		TEST(test_killed_at_any_moment),
		TEST(test_newer_and_foreign_databases_are_refused),
		TEST(test_migration_from_the_oldest_version),
		TEST(test_retention_keeps_tallies),
		TEST(test_backup_is_whole),
		TEST(test_works_in_an_empty_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
