/* Retention: events and sessions past the limits go, oldest first; what was counted stays. */
#include "base/clock.h"
#include "store/inside.h"

#define FORGET_BATCH  2000  /* rows in one transaction */
#define DAMAGED_KEPT  10000 /* rows */
#define VACUUM_PAGES  2000  /* given back to the file system at a time */
#define SLACK_PERCENT 10    /* free pages that the file may hold for new rows */

static int64_t pragma(struct store *store, const char *question)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	if (sqlite3_prepare_v2(store->database, question, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* Time before which rows go; 0 when none need to. */
static int64_t horizon(struct store *store, const struct store_limits *limits, int64_t now)
{
	uint64_t pages = (uint64_t)pragma(store, "PRAGMA page_count") -
			 (uint64_t)pragma(store, "PRAGMA freelist_count");
	uint64_t bytes = pages * (uint64_t)pragma(store, "PRAGMA page_size");
	int64_t oldest = pragma(store, "SELECT min(time) FROM event");
	int64_t before = 0;

	if (limits->max_age > 0 && now > limits->max_age)
		before = now - limits->max_age;
	if (limits->max_bytes > 0 && bytes > limits->max_bytes && oldest > 0) {
		static const char after_batch[] = "SELECT coalesce((SELECT time FROM event ORDER "
						  "BY time LIMIT 1 OFFSET 2000), "
						  "(SELECT max(time) + 1 FROM event))";
		int64_t edge = pragma(store, after_batch);

		if (edge > before)
			before = edge;
	}
	return before;
}

static int forget(struct store *store, enum statement which, int64_t before, int *changed)
{
	sqlite3_stmt *statement = store_statement(store, which);

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, before);
	if (which != STATEMENT_DAMAGED_FORGET)
		sqlite3_bind_int64(statement, 2, FORGET_BATCH);
	if (store_run(store, statement) < 0)
		return -1;
	*changed = sqlite3_changes(store->database);
	return 0;
}

static int note_forgotten(struct store *store, int64_t count)
{
	sqlite3_stmt *add = store_statement(store, STATEMENT_COUNTER_ADD);

	if (!add)
		return -1;
	bind_text(add, 1, SLICE("events.forgotten"));
	sqlite3_bind_int64(add, 2, count);
	return store_run(store, add);
}

/* Gives back what is free beyond some slack: 1 when there is more to give. */
static int shrink(struct store *store)
{
	int64_t pages = pragma(store, "PRAGMA page_count");
	int64_t unused = pragma(store, "PRAGMA freelist_count");
	char sql[64];

	if (unused <= VACUUM_PAGES || unused * 100 <= pages * SLACK_PERCENT)
		return 0;
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	return store_execute(store, sql) < 0 ? -1 : 1;
}

int store_retain(struct store *store, const struct store_limits *limits, int64_t now)
{
	int64_t before = horizon(store, limits, now);
	int events = 0, sessions = 0, damaged = 0;

	if (store->is_open)
		return -1;
	if (before == 0)
		return shrink(store);
	if (store_execute(store, "BEGIN IMMEDIATE") < 0)
		return -1;
	if (forget(store, STATEMENT_EVENT_FORGET, before, &events) < 0 ||
	    forget(store, STATEMENT_SESSION_FORGET, before, &sessions) < 0 ||
	    forget(store, STATEMENT_DAMAGED_FORGET, DAMAGED_KEPT, &damaged) < 0 ||
	    (events > 0 && note_forgotten(store, events) < 0) ||
	    store_execute(store, "COMMIT") < 0) {
		if (!sqlite3_get_autocommit(store->database) &&
		    store_execute(store, "ROLLBACK") < 0)
			return -1;
		return -1;
	}
	return events > 0 || sessions > 0 ? 1 : shrink(store);
}
