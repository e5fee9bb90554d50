/* Writing a batch of counts, and putting days and months together; see tally.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "store/tally_pack.h"

/* --- flushing --- */

struct period {
	uint32_t code, sensor; /* sensor 0 for hours */
	enum tally_level level;
	int64_t number;
};

int tally_add(struct store *store, uint32_t hour, uint32_t code, uint32_t sensor, uint32_t key,
	      int64_t count)
{
	uint64_t name[2] = {(uint64_t)hour << 32 | code, (uint64_t)sensor << 32 | key};
	struct tally_entry *entry = table_entry(&store->tallies, name);

	if (!entry)
		return -1;
	entry->count += count;
	return 0;
}

static inline uint8_t entry_byte(const struct tally_entry *entry, unsigned byte)
{
	return (uint8_t)((byte < 8 ? entry->key : entry->place) >> byte % 8 * 8);
}

static bool is_before(const struct tally_entry *a, const struct tally_entry *b)
{
	return a->place != b->place ? a->place < b->place : a->key < b->key;
}

static void sort_few(struct tally_entry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct tally_entry entry = entries[i];
		size_t at = i;

		for (; at > 0 && is_before(&entry, &entries[at - 1]); at--)
			entries[at] = entries[at - 1];
		entries[at] = entry;
	}
}

/* One pass of a radix sort; counts holds how many entries have each value of the byte. */
static void sort_by_byte(const struct tally_entry *from, struct tally_entry *to, size_t count,
			 unsigned byte, const uint32_t counts[256])
{
	uint32_t starts[256], start = 0;

	for (unsigned i = 0; i < 256; i++) {
		starts[i] = start;
		start += counts[i];
	}
	for (size_t i = 0; i < count; i++)
		to[starts[entry_byte(&from[i], byte)]++] = from[i];
}

#define FEW 24 /* entries that are quicker put in place one by one */

/* Sorts by place and key; a radix sort, since comparing a batch's entries took as long as all else.
 * Bytes that are alike in all entries, which are most, cost no pass. */
static int sort_entries(struct tally_entry *entries, size_t count)
{
	uint32_t counts[16][256] = {0};
	struct tally_entry *from = entries, *to, *other;

	if (count <= FEW) {
		sort_few(entries, count);
		return 0;
	}
	other = count <= UINT32_MAX ? calloc(count, sizeof(*other)) : NULL;
	if (!other)
		return -1;
	for (size_t i = 0; i < count; i++)
		for (unsigned byte = 0; byte < 16; byte++)
			counts[byte][entry_byte(&entries[i], byte)]++;
	to = other;
	for (unsigned byte = 0; byte < 16; byte++) {
		struct tally_entry *swap = from;

		if (counts[byte][entry_byte(&entries[0], byte)] == count)
			continue;
		sort_by_byte(from, to, count, byte, counts[byte]);
		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, count * sizeof(*entries));
	free(other);
	return 0;
}

static int put_part(struct store *store, const struct period *period, int64_t part,
		    struct slice packed)
{
	sqlite3_stmt *put = store_statement(store, STATEMENT_TALLY_PUT);

	if (!put)
		return -1;
	sqlite3_bind_int64(put, 1, period->code);
	sqlite3_bind_int64(put, 2, period->level);
	sqlite3_bind_int64(put, 3, period->number);
	sqlite3_bind_int64(put, 4, period->sensor);
	sqlite3_bind_int64(put, 5, part);
	bind_blob(put, 6, packed);
	return store_run(store, put);
}

/* Both keys rise; equal keys add up. */
static int merge(struct slice packed, const struct tally_entry *entries, size_t count,
		 struct writer *out)
{
	struct tally_reader reader = tally_reader_of(packed);
	struct tally_packer packer = {out, 0};
	uint64_t key = 0;
	int64_t old = 0;
	bool more = tally_reader_next(&reader, &key, &old);
	size_t i = 0;

	while (more || i < count) {
		uint64_t next = more && (i == count || key < entries[i].key) ? key : entries[i].key;
		int64_t sum = 0;

		if (more && key == next) {
			sum += old;
			more = tally_reader_next(&reader, &key, &old);
		}
		for (; i < count && entries[i].key == next; i++)
			sum += entries[i].count;
		tally_pack(&packer, next, sum);
	}
	return reader.cursor.failed || out->failed ? -1 : 0;
}

static int add_to_period(struct store *store, const struct period *period,
			 const struct tally_entry *entries, size_t count)
{
	struct writer *packed = &store->packed;
	sqlite3_stmt *last = store_statement(store, STATEMENT_TALLY_LAST);
	struct slice before = {0};
	int64_t part = 0;
	int answer;

	if (!last)
		return -1;
	sqlite3_bind_int64(last, 1, period->code);
	sqlite3_bind_int64(last, 2, period->level);
	sqlite3_bind_int64(last, 3, period->number);
	sqlite3_bind_int64(last, 4, period->sensor);
	answer = sqlite3_step(last);
	if (answer == SQLITE_ROW) {
		part = sqlite3_column_int64(last, 0);
		before = column_slice(last, 1);
		if (before.length >= TALLY_PART_BYTES) {
			before = (struct slice){0};
			part++;
		}
	} else if (answer != SQLITE_DONE) {
		sqlite3_reset(last);
		return store_failed(store, "reading counts");
	}
	writer_clear(packed);
	answer = merge(before, entries, count, packed);
	sqlite3_reset(last);
	if (answer < 0)
		return store_failed(store, "packing counts");
	return put_part(store, period, part, writer_slice(packed));
}

static int is_sealed(struct store *store, enum tally_level level, int64_t period)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_IS_SEALED);
	int answer;

	if (!statement)
		return -1;
	sqlite3_bind_int(statement, 1, (int)level);
	sqlite3_bind_int64(statement, 2, period);
	answer = sqlite3_step(statement);
	sqlite3_reset(statement);
	return answer == SQLITE_ROW ? 1 : answer == SQLITE_DONE ? 0 : -1;
}

/* Sorted entries of one period and code, a run for each sensor, to that sensor's row. */
static int add_to_sensors(struct store *store, struct period *period, struct tally_entry *entries,
			  size_t count)
{
	for (size_t from = 0, to; from < count; from = to) {
		period->sensor = (uint32_t)(entries[from].key >> 32);
		for (to = from; to < count && entries[to].key >> 32 == period->sensor; to++)
			entries[to].key = (uint32_t)entries[to].key;
		if (add_to_period(store, period, entries + from, to - from) < 0)
			return -1;
	}
	return 0;
}

/* Sorted entries, with sensors, to a day or month: to each sensor's row and to that of all. */
static int add_to_all(struct store *store, struct period *period, struct tally_entry *entries,
		      size_t count)
{
	struct tally_entry *own = calloc(count, sizeof(*own));
	size_t named = 0;
	int result = -1;

	if (!own)
		return -1;
	memcpy(own, entries, count * sizeof(*own));
	/* Events without a sensor are in the row of all only. */
	while (named < count && own[named].key >> 32 == 0)
		named++;
	if (add_to_sensors(store, period, own + named, count - named) == 0 &&
	    sort_entries(own, count) == 0) {
		period->sensor = 0;
		result = add_to_period(store, period, own, count);
	}
	free(own);
	return result;
}

/* What the batch counted in one hour for one code. */
static int flush_run(struct store *store, struct tally_entry *entries, size_t count,
		     bool day_sealed, bool month_sealed)
{
	struct period period = {(uint32_t)entries->place, 0, TALLY_HOUR,
				(int64_t)(entries->place >> 32)};
	int64_t hour = period.number;

	if (add_to_period(store, &period, entries, count) < 0)
		return -1;
	period.level = TALLY_DAY;
	period.number = hour / TALLY_HOURS_DAY;
	if (day_sealed && add_to_all(store, &period, entries, count) < 0)
		return -1;
	period.level = TALLY_MONTH;
	period.number = hour / TALLY_HOURS_MONTH;
	return month_sealed ? add_to_all(store, &period, entries, count) : 0;
}

int tally_flush(struct store *store)
{
	struct tally_entry *entries = (struct tally_entry *)(void *)store->tallies.entries;
	size_t count = store->tallies.count;
	int64_t hour = -1;
	int day_sealed = 0, month_sealed = 0;

	/* The table is only walked from here on, and cleared after the commit. */
	if (count == 0 || sort_entries(entries, count) < 0)
		return count == 0 ? 0 : -1;
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && entries[to].place == entries[from].place;)
			to++;
		if ((int64_t)(entries[from].place >> 32) != hour) {
			int64_t day;

			hour = (int64_t)(entries[from].place >> 32);
			day = hour / TALLY_HOURS_DAY;
			if (day != store->newest_day)
				store->tend_due = true;
			if (day > store->newest_day)
				store->newest_day = day;
			day_sealed = is_sealed(store, TALLY_DAY, day);
			month_sealed = is_sealed(store, TALLY_MONTH, day / TALLY_DAYS_MONTH);
			if (day_sealed < 0 || month_sealed < 0)
				return store_failed(store, "reading sealed days");
		}
		if (flush_run(store, &entries[from], to - from, day_sealed, month_sealed) < 0)
			return -1;
	}
	return 0;
}

/* --- sealing --- */

/* The code after this one: 1, 0 when there are no more, -1. */
static int next_code(struct store *store, uint32_t *code)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_TALLY_NEXT);
	int answer, more = 0;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, *code);
	answer = sqlite3_step(statement);
	if (answer == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
		*code = (uint32_t)sqlite3_column_int64(statement, 0);
		more = 1;
	}
	sqlite3_reset(statement);
	return answer == SQLITE_ROW ? more : store_failed(store, "putting counts together");
}

/* Entries being gathered, in memory that is used again. */
struct heap {
	struct tally_entry *entries;
	size_t count, capacity;
};

static int gather_packed(struct heap *heap, uint64_t sensor, struct slice packed)
{
	struct tally_reader reader = tally_reader_of(packed);
	uint64_t key;
	int64_t count;

	while (tally_reader_next(&reader, &key, &count)) {
		if (heap->count == heap->capacity) {
			size_t capacity = heap->capacity ? 2 * heap->capacity : 1024;
			struct tally_entry *entries =
				reallocarray(heap->entries, capacity, sizeof(*entries));

			if (!entries)
				return -1;
			heap->entries = entries;
			heap->capacity = capacity;
		}
		heap->entries[heap->count++] = (struct tally_entry){0, sensor << 32 | key, count};
	}
	return reader.cursor.failed ? -1 : 0;
}

/* Everything of one code in a span, with sensors, sorted; equal keys stand together. */
static int gather(struct store *store, uint32_t code, const struct tally_span *span,
		  struct heap *heap)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_TALLY_ALL);
	int answer;

	if (!statement)
		return -1;
	heap->count = 0;
	sqlite3_bind_int64(statement, 1, code);
	sqlite3_bind_int(statement, 2, (int)span->level);
	sqlite3_bind_int64(statement, 3, span->first);
	sqlite3_bind_int64(statement, 4, span->last);
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW)
		if (gather_packed(heap, (uint64_t)sqlite3_column_int64(statement, 0),
				  column_slice(statement, 1)) < 0)
			break;
	sqlite3_reset(statement);
	if (answer != SQLITE_DONE)
		return store_failed(store, "putting counts together");
	return heap->count == 0 ? 0 : sort_entries(heap->entries, heap->count);
}

/* Every code of one day or month. Days have a row of all sensors already, hours have not. */
static int seal_codes(struct store *store, enum tally_level level, int64_t number)
{
	int64_t parts = level == TALLY_DAY ? TALLY_HOURS_DAY : TALLY_DAYS_MONTH;
	struct tally_span span = {level - 1, number * parts, number * parts + parts - 1};
	struct period period = {0, 0, level, number};
	struct heap heap = {0};
	int more;

	while ((more = next_code(store, &period.code)) > 0) {
		int result = gather(store, period.code, &span, &heap);

		if (result == 0 && heap.count > 0)
			result = (level == TALLY_DAY ? add_to_all : add_to_sensors)(
				store, &period, heap.entries, heap.count);
		if (result < 0) {
			more = -1;
			break;
		}
	}
	free(heap.entries);
	return more;
}

/* Puts one period together from those of the level below, for every code and sensor. */
static int seal(struct store *store, enum tally_level level, int64_t number)
{
	sqlite3_stmt *statement;

	if (seal_codes(store, level, number) < 0)
		return -1;
	statement = store_statement(store, STATEMENT_SEAL);
	if (!statement)
		return -1;
	sqlite3_bind_int(statement, 1, (int)level);
	sqlite3_bind_int64(statement, 2, number);
	return store_run(store, statement);
}

/* The oldest period to seal: 1 with *number, 0 none, -1. */
static int seal_candidate(struct store *store, enum tally_level level, int64_t *number)
{
	sqlite3_stmt *statement = store_statement(store, level == TALLY_DAY ? STATEMENT_SEAL_DAY
									    : STATEMENT_SEAL_MONTH);
	int answer;

	if (!statement)
		return -1;
	if (level == TALLY_DAY) {
		sqlite3_bind_int64(statement, 1, tally_code(DIMENSION_TOTAL, MEASURE_EVENTS));
		sqlite3_bind_int64(statement, 2, store->newest_day * TALLY_HOURS_DAY);
	} else {
		sqlite3_bind_int64(statement, 1,
				   store->newest_day / TALLY_DAYS_MONTH * TALLY_DAYS_MONTH);
	}
	answer = sqlite3_step(statement);
	if (answer == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return answer == SQLITE_ROW ? 1 : answer == SQLITE_DONE ? 0 : -1;
}

int tally_seal(struct store *store)
{
	for (enum tally_level level = TALLY_DAY; level <= TALLY_MONTH; level++) {
		int64_t number = 0;
		int found = seal_candidate(store, level, &number);

		if (found < 0)
			return store_failed(store, "looking for days to put together");
		if (found)
			return seal(store, level, number) < 0 ? -1 : 1;
	}
	return 0;
}
