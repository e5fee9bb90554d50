/* Older databases under newer code, and newer ones under this: nothing that was kept is lost, and
 * nothing is written where nothing may be.
 *
 * There is one released version so far. The step from it to a next one is therefore a made-up one,
 * taken by the code that takes the real ones (schema_bring) in a store that was really filled.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/query.h"
#include "store/schema.h"

#define START    (INT64_C(1767225600) * SECOND) /* 2026-01-01 */
#define OLDEST   1                              /* that this code brings forward */
#define EVENTS   600
#define SPOOL    "decoy-0"
#define DUMP_MAX (8u << 20)

static const char *const tables[] = {"word",       "event",   "session", "source",
				     "credential", "payload", "tally",   "sealed",
				     "position",   "damaged", "network", "counter"};

struct fixture {
	char path[64], file[96];
	int folder;
};

/* --- a store with something in every table --- */

static const char *action_of(int number)
{
	static const char *const actions[] = {"session.open", "auth.attempt", "command.run",
					      "payload.captured", "session.close"};

	return actions[number % 5];
}

static void make(int number, struct event *event, char words[6][80])
{
	struct address source = address_v4(0xc6336400 + (uint32_t)number % 17);
	struct ulid_source ids = {.last_millisecond = -1};

	event_clear(event);
	/* Over 70 days, so that days and a month can be sealed. */
	event_set_number(event, FIELD_TIME, START + number * (70 * DAY / EVENTS));
	ulid_next(&ids, START, words[0]);
	snprintf(words[0] + 10, 17, "%016d", number);
	event_set_words(event, FIELD_EVENT_ID, words[0]);
	event_set_words(event, FIELD_EVENT_ACTION, action_of(number));
	event_set_address(event, FIELD_SOURCE_IP, &source);
	snprintf(words[1], 80, "sensor-%d", number % 2);
	event_set_words(event, FIELD_OBSERVER_NAME, words[1]);
	snprintf(words[2], 80, "%024d", number / 5);
	event_set_words(event, FIELD_SESSION_ID, words[2]);
	event_set_number(event, FIELD_DESTINATION_PORT, 22);
	if (number % 5 == 1) {
		snprintf(words[3], 80, "user%d", number % 7);
		event_set_words(event, FIELD_USER_NAME, words[3]);
		event_set_words(event, FIELD_AUTH_PASSWORD, "secret");
	}
	if (number % 5 == 3) {
		snprintf(words[4], 80, "%064d", number % 4);
		event_set_words(event, FIELD_FILE_SHA256, words[4]);
	}
}

static void fill(struct store *store)
{
	struct spool_position after = {3, 0};

	assert_int_equal(store_begin(store), 0);
	for (int number = 0; number < EVENTS; number++) {
		struct writer line = writer_growing(EVENT_LINE_MAX);
		struct event event;
		char words[6][80];

		make(number, &event, words);
		event_write(&event, &line);
		after.offset += line.length + 1;
		assert_int_equal(store_add(store, writer_slice(&line), SPOOL, after), STORE_STORED);
		writer_free(&line);
	}
	assert_int_equal(store_add(store, SLICE("{no event"), SPOOL, after), STORE_DAMAGED);
	assert_int_equal(store_commit(store), 0);
	for (int more = 1; more;) {
		more = store_tend(store);
		assert_true(more >= 0);
	}
}

static sqlite3 *open_raw(const struct fixture *fixture, int flags)
{
	sqlite3 *database = NULL;

	assert_int_equal(sqlite3_open_v2(fixture->file, &database, flags, NULL), SQLITE_OK);
	return database;
}

static void run(sqlite3 *database, const char *sql)
{
	char *problem = NULL;

	if (sqlite3_exec(database, sql, NULL, NULL, &problem) != SQLITE_OK)
		fail_msg("%s: %s", sql, problem);
}

static void run_in(const struct fixture *fixture, const char *sql)
{
	sqlite3 *database = open_raw(fixture, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	run(database, sql);
	sqlite3_close(database);
}

static struct store *open_store(struct fixture *fixture)
{
	char why[256] = "";
	struct store *store = store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why));

	if (!store)
		print_error("%s\n", why);
	assert_non_null(store);
	return store;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct store *store;

	log_open("test", LOG_LEVEL_ERROR, false);
	if (!fixture)
		return -1;
	memcpy(fixture->path, "/tmp/sundew-migrate-XXXXXX", 27);
	if (!mkdtemp(fixture->path))
		return -1;
	snprintf(fixture->file, sizeof(fixture->file), "%s/" STORE_FILE, fixture->path);
	fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	store = open_store(fixture);
	fill(store);
	store_close(store);
	run_in(fixture, "INSERT OR IGNORE INTO network VALUES(64500, 'Example Networks')");
	*state = fixture;
	return fixture->folder < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
					    STORE_FILE "-journal"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		unlinkat(fixture->folder, files[i], 0);
	close(fixture->folder);
	rmdir(fixture->path);
	free(fixture);
	return 0;
}

/* --- what is in it --- */

static void dump_value(sqlite3_stmt *row, int column, struct writer *out)
{
	struct slice bytes;

	writer_decimal(out, sqlite3_column_type(row, column));
	writer_u8(out, ':');
	bytes.at = sqlite3_column_blob(row, column);
	bytes.length = (size_t)sqlite3_column_bytes(row, column);
	writer_hex(out, bytes);
	writer_u8(out, ' ');
}

/* Every row, in order; returns how many. */
static int64_t dump_table(sqlite3 *database, const char *table, struct writer *out)
{
	sqlite3_stmt *row = NULL;
	int64_t count = 0;
	char question[96];

	snprintf(question, sizeof(question), "SELECT * FROM %s ORDER BY 1, 2", table);
	if (strcmp(table, "tally") == 0)
		snprintf(question, sizeof(question), "SELECT * FROM tally ORDER BY 1, 2, 3, 4, 5");
	if (sqlite3_prepare_v2(database, question, -1, &row, NULL) != SQLITE_OK)
		fail_msg("%s: %s", table, sqlite3_errmsg(database));
	for (; sqlite3_step(row) == SQLITE_ROW; count++) {
		for (int column = 0; column < sqlite3_column_count(row); column++)
			dump_value(row, column, out);
		writer_u8(out, '\n');
	}
	sqlite3_finalize(row);
	return count;
}

/* Every table with every row; each has some. */
static struct writer dump(const struct fixture *fixture)
{
	struct writer out = writer_growing(DUMP_MAX);
	sqlite3 *database = open_raw(fixture, SQLITE_OPEN_READONLY);

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		writer_format(&out, "== %s\n", tables[i]);
		if (dump_table(database, tables[i], &out) == 0)
			fail_msg("nothing in the table %s", tables[i]);
	}
	sqlite3_close(database);
	assert_false(out.failed);
	return out;
}

static struct writer bytes_of(const struct fixture *fixture)
{
	struct writer out = writer_growing(DUMP_MAX);
	int file = open(fixture->file, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	assert_true(file >= 0);
	do {
		uint8_t *room = writer_reserve(&out, 65536);

		assert_non_null(room);
		got = read(file, room, 65536);
		assert_true(got >= 0);
		writer_commit(&out, (size_t)got);
	} while (got > 0);
	close(file);
	return out;
}

static void expect_same(struct writer *before, struct writer after)
{
	assert_true(before->length > 0);
	assert_true(slice_equal(writer_slice(before), writer_slice(&after)));
	writer_free(before);
	writer_free(&after);
}

static int version_of(const struct fixture *fixture)
{
	sqlite3 *database = open_raw(fixture, SQLITE_OPEN_READONLY);
	int version = schema_version(database);

	sqlite3_close(database);
	return version;
}

/* Not the rows but what is made of them. */
static void expect_answers(struct store *store)
{
	struct query_range always = {0};
	struct spool_position position;
	struct store_status status;
	struct query_totals totals;
	struct query_rows users;

	assert_int_equal(store_status(store, &status), 0);
	assert_int_equal(status.version, STORE_SCHEMA_VERSION);
	assert_int_equal(status.counted, EVENTS);
	assert_int_equal(status.events, EVENTS);
	assert_int_equal(status.damaged, 1);
	assert_int_equal(store_position(store, SPOOL, &position), 0);
	assert_int_equal(position.segment, 3);
	assert_true(position.offset > EVENTS);
	assert_int_equal(query_totals(store, &always, &totals), 0);
	assert_int_equal(totals.counts[MEASURE_EVENTS], EVENTS);
	assert_int_equal(totals.counts[MEASURE_CREDENTIALS], EVENTS / 5);
	assert_int_equal(totals.counts[MEASURE_PAYLOADS], EVENTS / 5);
	assert_int_equal(totals.sources, 17);
	assert_int_equal(query_top(store, dimension_named(SLICE("user.name")), MEASURE_OWN, &always,
				   0, &users),
			 0);
	assert_int_equal(users.distinct, 7);
	assert_int_equal(users.total, EVENTS / 5);
	query_rows_free(&users);
}

/* --- tests --- */

static void test_oldest_opens_with_all_of_it(void **state)
{
	struct fixture *fixture = *state;
	struct writer before = dump(fixture);
	struct store *store;

	assert_int_equal(version_of(fixture), OLDEST);
	store = open_store(fixture);
	expect_answers(store);
	store_close(store);
	expect_same(&before, dump(fixture));
	assert_int_equal(version_of(fixture), STORE_SCHEMA_VERSION);
}

static void test_second_opening_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct writer before;

	store_close(open_store(fixture));
	before = bytes_of(fixture);
	store_close(open_store(fixture));
	expect_same(&before, bytes_of(fixture));
}

static void expect_refused(struct fixture *fixture, const char *reason)
{
	struct writer before = bytes_of(fixture);
	char why[256] = "";

	assert_null(store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why)));
	if (!strstr(why, reason))
		fail_msg("refused with: %s", why);
	why[0] = '\0';
	assert_null(store_open(fixture->folder, STORE_READ, NULL, why, sizeof(why)));
	assert_true(why[0]);
	expect_same(&before, bytes_of(fixture));
}

static void test_newer_is_refused_and_left_alone(void **state)
{
	struct fixture *fixture = *state;
	char mark[64];

	snprintf(mark, sizeof(mark), "PRAGMA user_version=%d", STORE_SCHEMA_VERSION + 1);
	run_in(fixture, mark);
	expect_refused(fixture, "made by a newer Sundew");
	/* Nor is its journal made ours. */
	run_in(fixture, "PRAGMA journal_mode=DELETE");
	expect_refused(fixture, "update Sundew");
}

static void test_another_programs_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	run_in(fixture, "PRAGMA journal_mode=DELETE; PRAGMA application_id=7");
	expect_refused(fixture, "not a Sundew store");
	run_in(fixture, "PRAGMA user_version=0");
	expect_refused(fixture, "not a Sundew store");
}

static const char *const good_step =
	"ALTER TABLE source ADD COLUMN note TEXT; CREATE TABLE remark(id INTEGER PRIMARY KEY, "
	"text TEXT NOT NULL) STRICT; INSERT INTO remark SELECT id, address FROM source;";

static int64_t number_of(sqlite3 *database, const char *question)
{
	sqlite3_stmt *row = NULL;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(database, question, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	number = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return number;
}

static void test_next_step_keeps_all_of_it(void **state)
{
	struct fixture *fixture = *state;
	const char *steps[STORE_SCHEMA_VERSION + 1] = {[STORE_SCHEMA_VERSION] = good_step};
	struct writer before, after;
	char why[256] = "";
	sqlite3 *database;

	before = dump(fixture);
	database = open_raw(fixture, SQLITE_OPEN_READWRITE);
	assert_int_equal(schema_bring(database, steps, STORE_SCHEMA_VERSION + 1, why, sizeof(why)),
			 0);
	assert_int_equal(schema_version(database), STORE_SCHEMA_VERSION + 1);
	assert_int_equal(number_of(database, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
	assert_int_equal(number_of(database, "SELECT count(*) FROM remark"), 17);
	/* Once only: a second time would find the table there. */
	assert_int_equal(schema_bring(database, steps, STORE_SCHEMA_VERSION + 1, why, sizeof(why)),
			 0);
	run(database, "ALTER TABLE source DROP COLUMN note");
	sqlite3_close(database);
	after = dump(fixture);
	expect_same(&before, after);
	expect_refused(fixture, "made by a newer Sundew");
}

/* What is left of a failed step: the version before it and all rows. */
static void expect_failure(struct fixture *fixture, const char *const *steps, int newest, int flags,
			   int reached)
{
	struct writer before = dump(fixture);
	sqlite3 *database = open_raw(fixture, flags);
	char why[256] = "", expected[64];

	snprintf(expected, sizeof(expected), "from schema %d to %d failed: ", reached, reached + 1);
	assert_int_equal(schema_bring(database, steps, newest, why, sizeof(why)), -1);
	if (!strstr(why, expected))
		fail_msg("failed with: %s", why);
	assert_int_not_equal(sqlite3_get_autocommit(database), 0);
	assert_int_equal(schema_version(database), reached);
	assert_int_equal(
		number_of(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
	sqlite3_close(database);
	expect_same(&before, dump(fixture));
}

static void test_failed_step_leaves_the_old(void **state)
{
	struct fixture *fixture = *state;
	const char *broken[STORE_SCHEMA_VERSION + 1] = {
		[STORE_SCHEMA_VERSION] = "CREATE TABLE half(id INTEGER); DELETE FROM credential; "
					 "UPDATE source SET events = 0; DROP TABLE payload; "
					 "ALTER TABLE nowhere ADD COLUMN more TEXT;"};
	const char *second[STORE_SCHEMA_VERSION + 2] = {
		[STORE_SCHEMA_VERSION] = "CREATE TABLE whole(id INTEGER) STRICT;",
		[STORE_SCHEMA_VERSION + 1] = "CREATE TABLE half(id INTEGER); DELETE FROM tally; "
					     "INSERT INTO sealed SELECT * FROM sealed;"};
	const char *fine[STORE_SCHEMA_VERSION + 1] = {[STORE_SCHEMA_VERSION] = good_step};
	struct store *store;

	expect_failure(fixture, broken, STORE_SCHEMA_VERSION + 1, SQLITE_OPEN_READWRITE,
		       STORE_SCHEMA_VERSION);
	expect_failure(fixture, fine, STORE_SCHEMA_VERSION + 1, SQLITE_OPEN_READONLY,
		       STORE_SCHEMA_VERSION);
	store = open_store(fixture); /* and goes on */
	expect_answers(store);
	store_close(store);
	/* The first of two holds, the second does not. */
	expect_failure(fixture, second, STORE_SCHEMA_VERSION + 2, SQLITE_OPEN_READWRITE,
		       STORE_SCHEMA_VERSION + 1);
}

static void test_new_store_is_made_whole(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *database;

	unlinkat(fixture->folder, STORE_FILE, 0);
	store_close(open_store(fixture));
	database = open_raw(fixture, SQLITE_OPEN_READONLY);
	assert_int_equal(schema_version(database), STORE_SCHEMA_VERSION);
	assert_int_equal(number_of(database, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(
		number_of(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"),
		ARRAY_COUNT(tables));
	sqlite3_close(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_oldest_opens_with_all_of_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_second_opening_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_newer_is_refused_and_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_another_programs_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_next_step_keeps_all_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_step_leaves_the_old, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_new_store_is_made_whole, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
