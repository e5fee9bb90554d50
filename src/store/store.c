/* Opening, batches, positions, status, backup. */
#include "store/store.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/ingest.h"
#include "store/schema.h"
#include "store/sqlite_folder.h"
#include "store/tally.h"

#define ARENA_MAX       (4u << 20) /* of one event: its line is at most 256 KiB */
#define BUSY_MS         10000      /* another process holds the lock: a checkpoint, a backup */
#define EXCERPT_MAX     256        /* bytes of a damaged line that are kept */
#define BACKUP_PAGES    256        /* copied at a time, so that writers get in between */
#define WIDE_BATCH      2000       /* from that many events on a batch is one of busy times */
#define WIDE_CACHE      "PRAGMA cache_size=-24576"
#define NARROW_CACHE    "PRAGMA cache_size=-4096"
#define COUNTER_STORED  "events.stored"
#define COUNTER_KNOWN   "events.duplicate"
#define COUNTER_DAMAGED "lines.damaged"
#define COUNTER_NEXT    "events.next"

static const char *const statement_sql[STATEMENT_COUNT] = {
#define STATEMENT(symbol, sql) [STATEMENT_##symbol] = sql,
#include "store/statements.def"
#undef STATEMENT
};

struct position_sum {
	char spool[64];
	struct spool_position after;
};

int store_failed(struct store *store, const char *what)
{
	snprintf(store->problem, sizeof(store->problem), "%s: %s", what,
		 sqlite3_errmsg(store->database));
	return -1;
}

const char *store_problem(const struct store *store)
{
	return store->problem;
}

sqlite3_stmt *store_statement(struct store *store, enum statement which)
{
	sqlite3_stmt **statement = &store->statements[which];

	if (*statement) {
		sqlite3_reset(*statement);
		sqlite3_clear_bindings(*statement);
		return *statement;
	}
	if (sqlite3_prepare_v3(store->database, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
			       statement, NULL) != SQLITE_OK) {
		store_failed(store, "preparing a statement");
		return NULL;
	}
	return *statement;
}

int store_run(struct store *store, sqlite3_stmt *statement)
{
	int answer = sqlite3_step(statement);

	if (answer == SQLITE_DONE || answer == SQLITE_ROW) {
		sqlite3_reset(statement);
		return 0;
	}
	store_failed(store, "writing to the store");
	sqlite3_reset(statement);
	return -1;
}

int store_execute(struct store *store, const char *sql)
{
	if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_failed(store, "writing to the store");
}

static int run_named(struct store *store, enum statement which)
{
	sqlite3_stmt *statement = store_statement(store, which);

	return statement ? store_run(store, statement) : -1;
}

int store_look(struct store *store)
{
	return store->is_open ? 0 : run_named(store, STATEMENT_LOOK);
}

void store_look_end(struct store *store)
{
	if (!store->is_open && run_named(store, STATEMENT_COMMIT) < 0)
		log_debug("ending a read: %s", store->problem);
}

/* --- identifiers --- */

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Value of a digit plus 1; 0: none. Lower case is text of its own, so that it comes back as it was.
 */
static const uint8_t crockford_value[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,
	['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14,
	['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18, ['J'] = 19, ['K'] = 20, ['M'] = 21,
	['N'] = 22, ['P'] = 23, ['Q'] = 24, ['R'] = 25, ['S'] = 26, ['T'] = 27, ['V'] = 28,
	['W'] = 29, ['X'] = 30, ['Y'] = 31, ['Z'] = 32,
};

/* 26 digits of 5 bits; the first two bits of the 130 are zero. */
static bool ulid_bytes(struct slice text, uint8_t bytes[16])
{
	uint8_t values[ULID_LENGTH];
	uint64_t high = 0, low = 0;
	bool good = text.length == ULID_LENGTH && text.at[0] <= '7';

	for (size_t i = 0; good && i < ULID_LENGTH; i++) {
		good = crockford_value[text.at[i]] != 0;
		values[i] = (uint8_t)(crockford_value[text.at[i]] - 1);
	}
	if (!good)
		return false;
	for (size_t i = 0; i < 13; i++)
		high = high << 5 | values[i];
	for (size_t i = 14; i < ULID_LENGTH; i++)
		low = low << 5 | values[i];
	high = htobe64(high << 1 | values[13] >> 4);
	low = htobe64(low | (uint64_t)(values[13] & 15) << 60);
	memcpy(bytes, &high, 8);
	memcpy(bytes + 8, &low, 8);
	return true;
}

int identifier_of(struct slice text, struct identifier *identifier)
{
	memset(identifier, 0, sizeof(*identifier));
	if (text.length == 0 || text.length > sizeof(identifier->bytes))
		return -1;
	if (ulid_bytes(text, identifier->bytes)) {
		identifier->is_ulid = 1;
		identifier->length = 16;
		return 0;
	}
	memcpy(identifier->bytes, text.at, text.length);
	identifier->length = (uint8_t)text.length;
	return 0;
}

void identifier_bind(sqlite3_stmt *statement, int column, const struct identifier *identifier)
{
	struct slice bytes = slice_of(identifier->bytes, identifier->length);

	if (identifier->is_ulid)
		bind_blob(statement, column, bytes);
	else
		bind_text(statement, column, bytes);
}

struct slice identifier_text(sqlite3_stmt *statement, int column, char room[ULID_LENGTH + 1])
{
	struct slice bytes = column_slice(statement, column);
	unsigned __int128 value = 0;

	if (sqlite3_column_type(statement, column) != SQLITE_BLOB || bytes.length != 16)
		return bytes;
	for (size_t i = 0; i < 16; i++)
		value = value << 8 | bytes.at[i];
	for (size_t i = ULID_LENGTH; i-- > 0; value >>= 5)
		room[i] = crockford[(unsigned)value & 31];
	room[ULID_LENGTH] = '\0';
	return slice_of(room, ULID_LENGTH);
}

/* --- opening --- */

static int configure(struct store *store, char *why, size_t size)
{
	/* NORMAL in WAL mode: a power loss can take the last commits, but takes the positions in
	 * the spools with them. */
	static const char writer[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
		"PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF;"
		"PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=8000;"
		"PRAGMA journal_size_limit=33554432";
	/* Before the first table; later it would only write, at each start. */
	static const char fresh[] = "PRAGMA auto_vacuum=INCREMENTAL";
	static const char reader[] =
		"PRAGMA query_only=ON; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;"
		"PRAGMA mmap_size=268435456";

	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_db_config(store->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (store->mode == STORE_WRITE && schema_version(store->database) == 0 &&
	    sqlite3_exec(store->database, fresh, NULL, NULL, NULL) != SQLITE_OK)
		goto fail;
	if (sqlite3_exec(store->database, store->mode == STORE_WRITE ? writer : reader, NULL, NULL,
			 NULL) == SQLITE_OK)
		return 0;
fail:
	snprintf(why, size, "the store cannot be opened: %s", sqlite3_errmsg(store->database));
	return -1;
}

static int64_t counter(struct store *store, const char *name)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_COUNTER_GET);
	int64_t value = 0;

	if (!statement)
		return 0;
	bind_text(statement, 1, slice_text(name));
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return value;
}

static int64_t one_number(struct store *store, const char *question)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	if (sqlite3_prepare_v2(store->database, question, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static int start_writing(struct store *store)
{
	int64_t last = one_number(store, "SELECT max(id) FROM event");

	store->intern = intern_new(store->secret);
	store->next_event = counter(store, COUNTER_NEXT);
	if (store->next_event <= last)
		store->next_event = last + 1;
	store->newest_day = one_number(store, "SELECT max(period) FROM tally WHERE code = 16 AND "
					      "sensor = 0 AND level = 0") /
			    TALLY_HOURS_DAY;
	store->tend_due = true;
	ingest_open(store);
	store->packed = writer_growing(TALLY_PACKED_MAX);
	store->positions = table_of(sizeof(struct position_sum),
				    sizeof(((struct position_sum *)0)->spool), store->secret);
	return store->intern ? 0 : -1;
}

struct store *store_open(int folder_fd, enum store_mode mode, const struct geo *geo, char *why,
			 size_t size)
{
	struct store *store = calloc(1, sizeof(*store));
	char name[SQLITE_FOLDER_NAME_MAX];
	int flags = mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					: SQLITE_OPEN_READONLY;

	if (!store || sqlite_folder_install() < 0 ||
	    sqlite_folder_name(folder_fd, STORE_FILE, name) < 0) {
		snprintf(why, size, "the store cannot be opened: no memory or no folder");
		goto fail;
	}
	store->mode = mode;
	store->geo = geo;
	store->arena = arena_of(ARENA_MAX);
	random_bytes(store->secret, sizeof(store->secret));
	if (sqlite3_open_v2(name, &store->database, flags | SQLITE_OPEN_NOMUTEX, "unix") !=
	    SQLITE_OK) {
		snprintf(why, size, "the store cannot be opened: %s (%s)",
			 sqlite3_errmsg(store->database),
			 mode == STORE_READ ? "has Sundew run here?"
					    : "look at the folder's rights");
		goto fail;
	}
	sqlite3_busy_timeout(store->database, BUSY_MS);
	/* Setting the journal's mode writes: not into what is not ours. */
	if ((mode == STORE_WRITE &&
	     schema_accept(store->database, STORE_SCHEMA_VERSION, why, size) < 0) ||
	    configure(store, why, size) < 0 ||
	    (mode == STORE_WRITE ? schema_prepare : schema_check)(store->database, why, size) < 0)
		goto fail;
	if (mode == STORE_WRITE && start_writing(store) < 0) {
		snprintf(why, size, "the store cannot be opened: out of memory");
		goto fail;
	}
	return store;
fail:
	store_close(store);
	return NULL;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_rollback(store);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close_v2(store->database);
	ingest_free(store);
	table_free(&store->positions);
	writer_free(&store->packed);
	intern_free(store->intern);
	arena_drop(&store->arena);
	free(store);
}

/* --- batches --- */

int store_begin(struct store *store)
{
	if (store->is_open || run_named(store, STATEMENT_BEGIN) < 0)
		return -1;
	store->is_open = true;
	store->batch = 0;
	store->stored = store->known = store->damaged = 0;
	return 0;
}

static void end_batch(struct store *store)
{
	store->is_open = false;
	store->batch = 0;
	ingest_clear(store);
	table_clear(&store->positions);
}

void store_rollback(struct store *store)
{
	if (!store->is_open)
		return;
	/* A failed statement may have ended the transaction already. */
	if (!sqlite3_get_autocommit(store->database) && run_named(store, STATEMENT_ROLLBACK) < 0)
		log_error("undoing a batch: %s", store->problem);
	store->next_event -= store->stored;
	intern_forget(store->intern);
	end_batch(store);
}

static int add_counter(struct store *store, enum statement how, const char *name, int64_t value)
{
	sqlite3_stmt *statement;

	if (value == 0)
		return 0;
	statement = store_statement(store, how);
	if (!statement)
		return -1;
	bind_text(statement, 1, slice_text(name));
	sqlite3_bind_int64(statement, 2, value);
	return store_run(store, statement);
}

static int flush_positions(struct store *store)
{
	for (size_t i = 0; i < store->positions.count; i++) {
		const struct position_sum *sum = table_at(&store->positions, i);
		sqlite3_stmt *set = store_statement(store, STATEMENT_POSITION_SET);

		if (!set)
			return -1;
		bind_text(set, 1, slice_text(sum->spool));
		sqlite3_bind_int64(set, 2, (int64_t)sum->after.segment);
		sqlite3_bind_int64(set, 3, (int64_t)sum->after.offset);
		if (store_run(store, set) < 0)
			return -1;
	}
	return 0;
}

/* A backlog wants room for the pages that its batches touch; a quiet store must stay small. */
static int fit_cache(struct store *store)
{
	bool wide = store->batch >= WIDE_BATCH;

	if (wide == store->is_wide)
		return 0;
	store->is_wide = wide;
	return store_execute(store, wide ? WIDE_CACHE : NARROW_CACHE);
}

int store_commit(struct store *store)
{
	if (!store->is_open || fit_cache(store) < 0)
		return -1;
	if (ingest_flush(store) < 0 || flush_positions(store) < 0 ||
	    add_counter(store, STATEMENT_COUNTER_ADD, COUNTER_STORED, store->stored) < 0 ||
	    add_counter(store, STATEMENT_COUNTER_ADD, COUNTER_KNOWN, store->known) < 0 ||
	    add_counter(store, STATEMENT_COUNTER_ADD, COUNTER_DAMAGED, store->damaged) < 0 ||
	    add_counter(store, STATEMENT_COUNTER_RAISE, COUNTER_NEXT, store->next_event) < 0 ||
	    run_named(store, STATEMENT_COMMIT) < 0) {
		store_rollback(store);
		return -1;
	}
	end_batch(store);
	return 0;
}

size_t store_batch(const struct store *store)
{
	return store->batch;
}

static enum store_result count_result(struct store *store, enum store_result result)
{
	store->stored += result == STORE_STORED;
	store->known += result == STORE_KNOWN;
	store->damaged += result == STORE_DAMAGED;
	store->batch += result != STORE_FAILED;
	return result;
}

static enum store_result note_damaged(struct store *store, struct slice line, const char *spool,
				      struct spool_position after, const char *reason)
{
	sqlite3_stmt *add = store_statement(store, STATEMENT_DAMAGED_ADD);

	if (!add)
		return STORE_FAILED;
	sqlite3_bind_int64(add, 1, clock_wall());
	bind_text(add, 2, slice_text(spool ? spool : ""));
	sqlite3_bind_int64(add, 3, (int64_t)after.segment);
	sqlite3_bind_int64(add, 4, (int64_t)after.offset);
	bind_text(add, 5, slice_text(reason));
	bind_blob(add, 6, slice_first(line, EXCERPT_MAX));
	if (store_run(store, add) < 0)
		return STORE_FAILED;
	log_warning("spool %s, segment %llu before byte %llu: a line is no event (%s) and was "
		    "passed over",
		    spool ? spool : "(import)", (unsigned long long)after.segment,
		    (unsigned long long)after.offset, reason);
	return STORE_DAMAGED;
}

static int note_position(struct store *store, const char *spool, struct spool_position after)
{
	char name[sizeof(((struct position_sum *)0)->spool)] = {0};
	struct position_sum *sum;

	if (strlen(spool) >= sizeof(name))
		return -1;
	memcpy(name, spool, strlen(spool));
	sum = table_entry(&store->positions, name);
	if (!sum)
		return -1;
	sum->after = after;
	return 0;
}

enum store_result store_add(struct store *store, struct slice line, const char *spool,
			    struct spool_position after)
{
	struct event *event = &store->event;
	const char *why = NULL;
	enum store_result result;

	if (!store->is_open || (spool && note_position(store, spool, after) < 0))
		return STORE_FAILED;
	if (event_read_as_usual(event, line, &store->arena, &why, &store->habits) < 0)
		result = note_damaged(store, line, spool, after, why ? why : "not an event");
	else if ((why = ingest_objection(event)) != NULL)
		result = note_damaged(store, line, spool, after, why);
	else
		result = ingest_event(store, event, line);
	arena_drop(&store->arena);
	return count_result(store, result);
}

enum store_result store_add_event(struct store *store, const struct event *event, struct slice line)
{
	const char *why = ingest_objection(event);

	if (!store->is_open)
		return STORE_FAILED;
	return count_result(store,
			    why ? note_damaged(store, line, NULL, (struct spool_position){0}, why)
				: ingest_event(store, event, line));
}

int store_position(struct store *store, const char *spool, struct spool_position *position)
{
	sqlite3_stmt *get = store_statement(store, STATEMENT_POSITION_GET);
	int answer;

	*position = (struct spool_position){0};
	if (!get)
		return -1;
	bind_text(get, 1, slice_text(spool));
	answer = sqlite3_step(get);
	if (answer == SQLITE_ROW) {
		position->segment = (uint64_t)sqlite3_column_int64(get, 0);
		position->offset = (uint64_t)sqlite3_column_int64(get, 1);
	}
	sqlite3_reset(get);
	return answer == SQLITE_ROW || answer == SQLITE_DONE
		       ? 0
		       : store_failed(store, "reading a position");
}

/* --- upkeep and looks --- */

int store_tend(struct store *store)
{
	int result;

	if (store->is_open)
		return -1;
	if (!store->tend_due)
		return 0;
	if (run_named(store, STATEMENT_BEGIN) < 0)
		return -1;
	result = tally_seal(store);
	if (run_named(store, result < 0 ? STATEMENT_ROLLBACK : STATEMENT_COMMIT) < 0)
		result = -1;
	if (result == 0)
		store->tend_due = false;
	return result;
}

void store_rest(struct store *store)
{
	if (!store->is_open)
		ingest_free(store);
	writer_free(&store->packed);
	if (store->geo)
		geo_rest(store->geo);
	sqlite3_db_release_memory(store->database);
	arena_drop(&store->arena);
	malloc_trim(0);
}

int store_status(struct store *store, struct store_status *status)
{
	uint64_t page = (uint64_t)one_number(store, "PRAGMA page_size");
	uint64_t pages = (uint64_t)one_number(store, "PRAGMA page_count");
	uint64_t free_pages = (uint64_t)one_number(store, "PRAGMA freelist_count");

	*status = (struct store_status){
		.version = schema_version(store->database),
		.counted = counter(store, COUNTER_STORED),
		.damaged = counter(store, COUNTER_DAMAGED),
		.duplicates = counter(store, COUNTER_KNOWN),
		.first = one_number(store, "SELECT min(time) FROM event"),
		.last = one_number(store, "SELECT max(time) FROM event"),
		.bytes = (pages - free_pages) * page,
		.free_bytes = free_pages * page,
	};
	status->events = status->counted - counter(store, "events.forgotten");
	if (status->version < 1 || page == 0)
		return store_failed(store, "reading the store");
	return 0;
}

int store_damaged(struct store *store, int limit,
		  bool (*visit)(void *context, const struct store_damaged *damaged), void *context)
{
	static const char question[] = "SELECT time, spool, segment, offset, reason, excerpt "
				       "FROM damaged ORDER BY id DESC LIMIT ?";
	sqlite3_stmt *statement = NULL;
	int answer = SQLITE_ERROR;

	if (sqlite3_prepare_v2(store->database, question, -1, &statement, NULL) == SQLITE_OK) {
		sqlite3_bind_int(statement, 1, limit);
		while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
			struct store_damaged damaged = {
				.time = sqlite3_column_int64(statement, 0),
				.spool = (const char *)sqlite3_column_text(statement, 1),
				.after = {(uint64_t)sqlite3_column_int64(statement, 2),
					  (uint64_t)sqlite3_column_int64(statement, 3)},
				.reason = (const char *)sqlite3_column_text(statement, 4),
				.excerpt = column_slice(statement, 5),
			};

			if (!visit(context, &damaged)) {
				answer = SQLITE_DONE;
				break;
			}
		}
	}
	sqlite3_finalize(statement);
	return answer == SQLITE_DONE ? 0 : store_failed(store, "reading damaged lines");
}

int store_forget_positions(struct store *store)
{
	if (store->is_open)
		return -1;
	return store_execute(store, "DELETE FROM position");
}

int store_backup(struct store *store, int folder_fd, const char *name,
		 void (*progress)(void *context, int done, int all), void *context)
{
	char target[SQLITE_FOLDER_NAME_MAX];
	sqlite3 *copy = NULL;
	sqlite3_backup *backup = NULL;
	int answer = SQLITE_ERROR;

	if (sqlite_folder_name(folder_fd, name, target) < 0 ||
	    faccessat(folder_fd, name, F_OK, 0) == 0) {
		snprintf(store->problem, sizeof(store->problem),
			 "backup: the file %s exists already or is no plain name", name);
		return -1;
	}
	if (sqlite3_open_v2(target, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix") ==
	    SQLITE_OK)
		backup = sqlite3_backup_init(copy, "main", store->database, "main");
	/* One read transaction throughout, so that a writer does not make it start again. */
	if (backup && store_look(store) == 0) {
		sqlite3_exec(store->database, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
		while ((answer = sqlite3_backup_step(backup, BACKUP_PAGES)) == SQLITE_OK)
			if (progress)
				progress(context,
					 sqlite3_backup_pagecount(backup) -
						 sqlite3_backup_remaining(backup),
					 sqlite3_backup_pagecount(backup));
		store_look_end(store);
	}
	if (backup)
		answer = sqlite3_backup_finish(backup) == SQLITE_OK && answer == SQLITE_DONE
				 ? SQLITE_OK
				 : SQLITE_ERROR;
	if (answer != SQLITE_OK)
		snprintf(store->problem, sizeof(store->problem), "backup: %s",
			 copy ? sqlite3_errmsg(copy) : "out of memory");
	sqlite3_close(copy);
	if (answer != SQLITE_OK)
		unlinkat(folder_fd, name, 0);
	return answer == SQLITE_OK ? 0 : -1;
}
