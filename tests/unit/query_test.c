/* Questions: real data against its known facts, timelines, pages, filters. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/query.h"

#define START (INT64_C(1767225600) * SECOND) /* 2026-01-01 */

struct fixture {
	char path[64];
	int folder;
	struct store *store;
	struct ulid_source ids;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char why[256];

	log_open("test", LOG_LEVEL_ERROR, false);
	if (!fixture)
		return -1;
	memcpy(fixture->path, "/tmp/sundew-query-XXXXXX", 25);
	if (!mkdtemp(fixture->path))
		return -1;
	fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture->store = store_open(fixture->folder, STORE_WRITE, NULL, why, sizeof(why));
	*state = fixture;
	return fixture->store ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	store_close(fixture->store);
	unlinkat(fixture->folder, "sundew.db", 0);
	unlinkat(fixture->folder, "sundew.db-wal", 0);
	unlinkat(fixture->folder, "sundew.db-shm", 0);
	close(fixture->folder);
	rmdir(fixture->path);
	free(fixture);
	return 0;
}

static void add(struct fixture *fixture, struct event *event, int64_t time)
{
	struct writer line = writer_growing(EVENT_LINE_MAX);
	char id[ULID_LENGTH + 1];

	ulid_next(&fixture->ids, time, id);
	event_set_number(event, FIELD_TIME, time);
	event_set_words(event, FIELD_EVENT_ID, id);
	event_write(event, &line);
	assert_int_equal(
		store_add(fixture->store, writer_slice(&line), NULL, (struct spool_position){0}),
		STORE_STORED);
	writer_free(&line);
}

static void tend(struct store *store)
{
	while (store_tend(store) > 0)
		continue;
}

static int64_t top(struct store *store, const char *dimension, const struct query_range *range,
		   const char *key)
{
	struct query_rows rows;
	int64_t count = 0;

	assert_int_equal(query_top(store, dimension_named(slice_text(dimension)), MEASURE_OWN,
				   range, 0, &rows),
			 0);
	for (size_t i = 0; i < rows.count; i++)
		if (slice_is(rows.rows[i].key, key))
			count = rows.rows[i].count;
	query_rows_free(&rows);
	return count;
}

/* --- 53,465 real connections --- */

enum { CSV_TIME, CSV_HOST, CSV_SRC, CSV_PROTO, CSV_TYPE, CSV_SPT, CSV_DPT, CSV_SRCSTR, CSV_CC };

static void add_csv_row(struct fixture *fixture, char *line)
{
	char *fields[9] = {0};
	struct address source;
	struct event event;
	int64_t time, port;

	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		fields[i] = strsep(&line, ",");
	event_clear(&event);
	assert_int_equal(clock_parse(slice_text(fields[CSV_TIME]), &time), 0);
	assert_int_equal(address_parse(slice_text(fields[CSV_SRCSTR]), &source), 0);
	event_set_words(&event, FIELD_EVENT_ACTION, "session.open");
	event_set_words(&event, FIELD_OBSERVER_NAME, fields[CSV_HOST]);
	event_set_address(&event, FIELD_SOURCE_IP, &source);
	event_set_words(&event, FIELD_NETWORK_TRANSPORT, fields[CSV_PROTO]);
	if (fields[CSV_CC][0])
		event_set_words(&event, FIELD_SOURCE_COUNTRY, fields[CSV_CC]);
	if (slice_number(slice_text(fields[CSV_DPT]), 0, 65535, &port) == 0)
		event_set_number(&event, FIELD_DESTINATION_PORT, port);
	add(fixture, &event, time);
}

static void compare_fact(struct store *store, json_t *facts, const char *fact,
			 const char *dimension)
{
	const struct query_range all = {0};
	size_t i;
	json_t *pair;

	assert_true(json_array_size(json_object_get(facts, fact)) > 0);
	json_array_foreach(json_object_get(facts, fact), i, pair)
	{
		const char *key = json_string_value(json_array_get(pair, 0));
		int64_t count = json_integer_value(json_array_get(pair, 1));

		if (top(store, dimension, &all, key) != count)
			print_error("%s %s\n", dimension, key);
		assert_int_equal(top(store, dimension, &all, key), count);
	}
}

static void compare_facts(struct store *store, json_t *facts)
{
	const struct query_range all = {0};
	struct query_totals totals;
	int64_t hours[24];

	compare_fact(store, facts, "top_sources", "source.ip");
	compare_fact(store, facts, "top_ports", "destination.port");
	compare_fact(store, facts, "top_countries", "country");
	compare_fact(store, facts, "transport", "network.transport");
	compare_fact(store, facts, "sensors", "sensor");
	assert_int_equal(query_totals(store, &all, &totals), 0);
	assert_int_equal(totals.counts[MEASURE_CONNECTIONS],
			 json_integer_value(json_object_get(facts, "rows")));
	assert_int_equal(totals.counts[MEASURE_SESSIONS], 0);
	assert_int_equal(totals.sources,
			 json_integer_value(json_object_get(facts, "distinct_sources")));
	assert_int_equal(query_hours_of_day(store, MEASURE_CONNECTIONS, &all, hours), 0);
	for (size_t i = 0; i < 24; i++)
		assert_int_equal(hours[i], json_integer_value(json_array_get(
						   json_object_get(facts, "by_hour_utc"), i)));
}

static void test_real_connections(void **state)
{
	struct fixture *fixture = *state;
	const char *shared = getenv("SUNDEW_SHARED"), *source = getenv("SUNDEW_SOURCE");
	char folder[512], path[1024], line[1024];
	json_t *facts;
	gzFile csv;
	int rows = 0;

	if (shared)
		snprintf(folder, sizeof(folder), "%s/data/events", shared);
	else
		snprintf(folder, sizeof(folder), "%s/../shared/data/events", source ? source : ".");
	snprintf(path, sizeof(path), "%s/facts.json", folder);
	facts = json_load_file(path, 0, NULL);
	snprintf(path, sizeof(path), "%s/aws-honeypots.csv.gz", folder);
	csv = gzopen(path, "r");
	if (!facts || !csv) {
		print_message("no real data: set SUNDEW_SHARED\n");
		skip();
	}
	assert_non_null(gzgets(csv, line, sizeof(line))); /* the heading */
	while (gzgets(csv, line, sizeof(line))) {
		if (rows++ % 5000 == 0) {
			if (rows > 1)
				assert_int_equal(store_commit(fixture->store), 0);
			tend(fixture->store);
			assert_int_equal(store_begin(fixture->store), 0);
		}
		add_csv_row(fixture, line);
	}
	assert_int_equal(store_commit(fixture->store), 0);
	gzclose(csv);
	compare_facts(fixture->store, facts);
	tend(fixture->store);
	compare_facts(fixture->store, facts);
	json_decref(facts);
}

/* --- small worlds --- */

static void add_session(struct fixture *fixture, int64_t time, const char *source_text,
			const char *user)
{
	struct address source;
	struct event event;
	char session[ULID_LENGTH + 1];

	assert_int_equal(address_parse(slice_text(source_text), &source), 0);
	ulid_next(&fixture->ids, time, session);
	for (int step = 0; step < 3; step++) {
		static const char *const actions[] = {"session.open", "auth.attempt",
						      "session.close"};

		event_clear(&event);
		event_set_words(&event, FIELD_EVENT_ACTION, actions[step]);
		event_set_words(&event, FIELD_SESSION_ID, session);
		event_set_words(&event, FIELD_OBSERVER_NAME, "here");
		event_set_words(&event, FIELD_NETWORK_PROTOCOL, "ssh");
		event_set_address(&event, FIELD_SOURCE_IP, &source);
		event_set_number(&event, FIELD_DESTINATION_PORT, 22);
		event_set_words(&event, FIELD_SOURCE_COUNTRY, source_text[0] == '1' ? "DE" : "CN");
		if (step == 1) {
			event_set_words(&event, FIELD_USER_NAME, user);
			event_set_words(&event, FIELD_AUTH_PASSWORD, "secret");
			event_set_words(&event, FIELD_EVENT_OUTCOME, "success");
		}
		if (step == 2)
			event_set_number(&event, FIELD_EVENT_DURATION, 2000000000);
		add(fixture, &event, time + step * SECOND);
	}
}

struct seen {
	int count;
	int64_t last_time;
	char text[512];
	struct query_session session;
	char user[64];
};

static bool see_session(void *context, const struct query_session *session)
{
	struct seen *seen = context;

	seen->count++;
	seen->session = *session;
	snprintf(seen->user, sizeof(seen->user), "%.*s", (int)session->user.length,
		 (const char *)session->user.at);
	return true;
}

static bool see_event(void *context, const struct query_event *event)
{
	struct seen *seen = context;

	assert_true(seen->count == 0 || event->time <= seen->last_time);
	seen->last_time = event->time;
	seen->count++;
	return true;
}

static void test_sessions_are_summed_up(void **state)
{
	struct fixture *fixture = *state;
	struct query_filter filter = query_filter_any();
	struct query_page page;
	struct seen seen = {0};

	assert_int_equal(store_begin(fixture->store), 0);
	add_session(fixture, START, "192.0.2.1", "root");
	assert_int_equal(store_commit(fixture->store), 0);
	assert_int_equal(query_sessions(fixture->store, &filter, see_session, &seen, &page), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(page.next, "");
	assert_string_equal(seen.session.source, "192.0.2.1");
	assert_string_equal(seen.session.country, "DE");
	assert_string_equal(seen.user, "root");
	assert_int_equal(seen.session.events, 3);
	assert_int_equal(seen.session.attempts, 1);
	assert_int_equal(seen.session.duration, 2 * SECOND);
	assert_int_equal(seen.session.last - seen.session.first, 2 * SECOND);
	assert_true(seen.session.login && seen.session.closed);
}

static void test_pages_hold_each_row_once(void **state)
{
	struct fixture *fixture = *state;
	struct query_filter filter = query_filter_any();
	struct query_page page = {0};
	char cursor[QUERY_CURSOR_MAX] = "";
	struct seen events = {0}, sessions = {0};
	int pages = 0;

	assert_int_equal(store_begin(fixture->store), 0);
	for (int i = 0; i < 50; i++) /* many at the same time */
		add_session(fixture, START + i / 10 * SECOND, i % 2 ? "192.0.2.1" : "203.0.113.9",
			    "root");
	assert_int_equal(store_commit(fixture->store), 0);
	filter.limit = 7;
	filter.cursor = cursor;
	do {
		assert_int_equal(query_events(fixture->store, &filter, see_event, &events, &page),
				 0);
		memcpy(cursor, page.next, sizeof(cursor));
		pages++;
	} while (cursor[0]);
	assert_int_equal(events.count, 150);
	assert_int_equal(pages, 22);
	do {
		assert_int_equal(
			query_sessions(fixture->store, &filter, see_session, &sessions, &page), 0);
		memcpy(cursor, page.next, sizeof(cursor));
	} while (cursor[0]);
	assert_int_equal(sessions.count, 50);
}

static int count_events(struct store *store, const struct query_filter *filter)
{
	struct seen seen = {0};

	assert_int_equal(query_events(store, filter, see_event, &seen, NULL), 0);
	return seen.count;
}

static void test_filters(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct query_filter filter = query_filter_any();
	struct address source;

	assert_int_equal(store_begin(store), 0);
	add_session(fixture, START, "192.0.2.1", "root");
	add_session(fixture, START + DAY, "203.0.113.9", "admin");
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(count_events(store, &filter), 6);
	filter.user = SLICE("admin");
	assert_int_equal(count_events(store, &filter), 1);
	filter.user = SLICE("never seen");
	assert_int_equal(count_events(store, &filter), 0);
	filter = query_filter_any();
	assert_int_equal(address_parse(SLICE("192.0.2.1"), &source), 0);
	filter.source = &source;
	assert_int_equal(count_events(store, &filter), 3);
	filter.action = SLICE("session.close");
	assert_int_equal(count_events(store, &filter), 1);
	filter = query_filter_any();
	filter.range.since = START + DAY;
	assert_int_equal(count_events(store, &filter), 3);
	filter.range = (struct query_range){0, START + DAY, NULL};
	assert_int_equal(count_events(store, &filter), 3);
	filter = query_filter_any();
	filter.port = 23;
	assert_int_equal(count_events(store, &filter), 0);
	filter.port = -1;
	filter.country = SLICE("CN");
	assert_int_equal(count_events(store, &filter), 3);
}

static void test_timeline_has_every_hour(void **state)
{
	struct fixture *fixture = *state;
	struct query_range range = {START, START + 3 * DAY, NULL};
	struct query_point *points;
	size_t count;

	assert_int_equal(store_begin(fixture->store), 0);
	add_session(fixture, START, "192.0.2.1", "root");
	add_session(fixture, START + 2 * DAY + 5 * HOUR, "192.0.2.1", "root");
	assert_int_equal(store_commit(fixture->store), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(query_timeline(fixture->store, &range, HOUR, &points, &count), 0);
		assert_int_equal(count, 2 * 24 + 6);
		assert_int_equal(points[0].time, START);
		assert_int_equal(points[0].counts[MEASURE_CONNECTIONS], 1);
		assert_int_equal(points[1].counts[MEASURE_EVENTS], 0);
		assert_int_equal(points[53].counts[MEASURE_EVENTS], 3);
		free(points);
		assert_int_equal(query_timeline(fixture->store, &range, DAY, &points, &count), 0);
		assert_int_equal(count, 3);
		assert_int_equal(points[2].counts[MEASURE_CREDENTIALS], 1);
		free(points);
		assert_int_equal(query_timeline_key(
					 fixture->store, dimension_named(SLICE("user.name")),
					 MEASURE_OWN, SLICE("root"), &range, DAY, &points, &count),
				 0);
		assert_int_equal(points[0].counts[MEASURE_CREDENTIALS], 1);
		assert_int_equal(points[1].counts[MEASURE_CREDENTIALS], 0);
		free(points);
		tend(fixture->store); /* and the same from days put together */
	}
	assert_int_equal(query_timeline(fixture->store, &range, MINUTE, &points, &count), -1);
}

static void test_measures_are_kept_apart(void **state)
{
	struct fixture *fixture = *state;
	const struct query_range all = {0};
	struct query_totals totals;
	struct event event;
	struct query_rows rows;

	assert_int_equal(store_begin(fixture->store), 0);
	add_session(fixture, START, "192.0.2.1", "root");
	event_clear(&event); /* probes stand for many, and are no sessions */
	event_set_words(&event, FIELD_EVENT_ACTION, "port.probe");
	event_set_number(&event, FIELD_ALIKE, 40);
	event_set_number(&event, FIELD_DESTINATION_PORT, 8080);
	add(fixture, &event, START);
	assert_int_equal(store_commit(fixture->store), 0);
	assert_int_equal(query_totals(fixture->store, &all, &totals), 0);
	assert_int_equal(totals.counts[MEASURE_EVENTS], 4);
	assert_int_equal(totals.counts[MEASURE_CONNECTIONS], 41);
	assert_int_equal(totals.counts[MEASURE_SESSIONS], 1);
	assert_int_equal(totals.counts[MEASURE_CREDENTIALS], 1);
	assert_int_equal(totals.sources, 1);
	assert_int_equal(top(fixture->store, "port", &all, "8080"), 40);
	assert_int_equal(top(fixture->store, "event.action", &all, "port.probe"), 1);
	assert_int_equal(query_top(fixture->store, dimension_named(SLICE("port")),
				   MEASURE_CREDENTIALS, &all, 10, &rows),
			 -1);
	assert_null(dimension_named(SLICE("nonsense")));
	assert_null(dimension_named(SLICE("")));
}

static void test_top_is_sorted_and_limited(void **state)
{
	struct fixture *fixture = *state;
	const struct query_range all = {0};
	struct query_rows rows;

	assert_int_equal(store_begin(fixture->store), 0);
	for (int i = 0; i < 60; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user%02d", i * 7 % 60);
		for (int times = 0; times <= i * 7 % 60; times++)
			add_session(fixture, START + i * MINUTE, "192.0.2.1", user);
	}
	assert_int_equal(store_commit(fixture->store), 0);
	for (size_t limit = 1; limit <= 61; limit += 5) {
		assert_int_equal(query_top(fixture->store, dimension_named(SLICE("user")),
					   MEASURE_OWN, &all, limit, &rows),
				 0);
		assert_int_equal(rows.count, limit < 60 ? limit : 60);
		assert_int_equal(rows.distinct, 60);
		assert_int_equal(rows.total, 60 * 61 / 2);
		for (size_t i = 0; i < rows.count; i++)
			assert_int_equal(rows.rows[i].count, 60 - (int)i);
		query_rows_free(&rows);
	}
	assert_int_equal(query_countries_of_top_sources(fixture->store, &all, 10, &rows), 0);
	assert_int_equal(rows.count, 1);
	assert_true(slice_is(rows.rows[0].key, "DE"));
	assert_int_equal(rows.rows[0].count, 60 * 61 / 2);
	query_rows_free(&rows);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_real_connections),          TEST(test_sessions_are_summed_up),
		TEST(test_pages_hold_each_row_once),  TEST(test_filters),
		TEST(test_timeline_has_every_hour),   TEST(test_measures_are_kept_apart),
		TEST(test_top_is_sorted_and_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
