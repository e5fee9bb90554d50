/* Packing, flushing, sealing and adding up. */
#include "store/tally.h"

#include <stdlib.h>

#include "base/clock.h"

/* --- packing --- */

static void put_number(struct writer *w, uint64_t number)
{
	uint8_t bytes[10];
	size_t length = 0;

	do {
		bytes[length] = (uint8_t)(number & 0x7f);
		number >>= 7;
		if (number)
			bytes[length] |= 0x80;
		length++;
	} while (number);
	writer_bytes(w, slice_of(bytes, length));
}

static inline uint64_t take_number(struct cursor *c)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (c->left == 0)
			break;
		byte = *c->at++;
		c->left--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	c->failed = true;
	return 0;
}

struct packer {
	struct writer *out;
	uint64_t last;
};

static void pack(struct packer *packer, uint64_t key, int64_t count)
{
	put_number(packer->out, key - packer->last);
	put_number(packer->out, (uint64_t)count);
	packer->last = key;
}

bool tally_reader_next(struct tally_reader *reader, uint64_t *key, int64_t *count)
{
	if (reader->cursor.left == 0 || reader->cursor.failed)
		return false;
	reader->key += take_number(&reader->cursor);
	*count = (int64_t)take_number(&reader->cursor);
	*key = reader->key;
	return !reader->cursor.failed;
}

/* --- sums --- */

static int grow_pages(struct tally_sums *sums, size_t page)
{
	size_t count = sums->page_count ? sums->page_count : 64;
	struct tally_page **pages;

	while (count <= page)
		count *= 2;
	pages = calloc(count, sizeof(*pages));
	if (!pages)
		return -1;
	if (sums->page_count)
		memcpy(pages, sums->pages, sums->page_count * sizeof(*pages));
	free(sums->pages);
	sums->pages = pages;
	sums->page_count = count;
	return 0;
}

static struct tally_page *page_of(struct tally_sums *sums, uint32_t key)
{
	size_t page = key / TALLY_PAGE;

	if (page >= sums->page_count && grow_pages(sums, page) < 0)
		return NULL;
	if (!sums->pages[page])
		sums->pages[page] = calloc(1, sizeof(struct tally_page));
	return sums->pages[page];
}

static int carry(struct tally_page *page, unsigned at, uint64_t sum)
{
	if (!page->carries)
		page->carries = calloc(TALLY_PAGE, sizeof(*page->carries));
	if (!page->carries)
		return -1;
	page->carries[at] += (uint32_t)(sum >> 32);
	return 0;
}

/* Inlined into the loop that reads packed counts. */
static inline int add_sum(struct tally_sums *sums, uint32_t key, int64_t count)
{
	size_t number = key / TALLY_PAGE;
	struct tally_page *page = number < sums->page_count ? sums->pages[number] : NULL;
	uint64_t sum;

	if (!page) {
		page = page_of(sums, key);
		if (!page)
			return -1;
	}
	sum = page->counts[key % TALLY_PAGE] + (uint64_t)count;
	page->counts[key % TALLY_PAGE] = (uint32_t)sum;
	return sum >> 32 ? carry(page, key % TALLY_PAGE, sum) : 0;
}

int tally_sums_add(struct tally_sums *sums, uint32_t key, int64_t count)
{
	return add_sum(sums, key, count);
}

static inline int64_t count_at(const struct tally_page *page, unsigned at)
{
	int64_t count = page->counts[at];

	return page->carries ? count | (int64_t)page->carries[at] << 32 : count;
}

/* The first cell from `at` on with a count, or TALLY_PAGE; passes over zeros four at a time. */
static unsigned next_in_page(const struct tally_page *page, unsigned at)
{
	while (at < TALLY_PAGE) {
		uint64_t cells[2];

		if (at % 4 == 0 && !page->carries) {
			memcpy(cells, &page->counts[at], sizeof(cells));
			if (!(cells[0] | cells[1])) {
				at += 4;
				continue;
			}
		}
		if (count_at(page, at))
			return at;
		at++;
	}
	return at;
}

bool tally_sums_next(const struct tally_sums *sums, uint64_t *key, int64_t *count)
{
	size_t number = *key / TALLY_PAGE;
	unsigned at = *key % TALLY_PAGE;

	for (; number < sums->page_count; number++, at = 0) {
		const struct tally_page *page = sums->pages[number];

		if (!page)
			continue;
		at = next_in_page(page, at);
		if (at == TALLY_PAGE)
			continue;
		*key = (uint64_t)number * TALLY_PAGE + at;
		*count = count_at(page, at);
		return true;
	}
	return false;
}

int64_t tally_sums_distinct(const struct tally_sums *sums)
{
	int64_t distinct = 0;

	for (size_t i = 0; i < sums->page_count; i++) {
		const struct tally_page *page = sums->pages[i];
		uint32_t number = 0;

		for (unsigned at = 0; page && at < TALLY_PAGE; at++)
			number += page->counts[at] != 0;
		for (unsigned at = 0; page && page->carries && at < TALLY_PAGE; at++)
			number += page->counts[at] == 0 && page->carries[at];
		distinct += number;
	}
	return distinct;
}

void tally_sums_free(struct tally_sums *sums)
{
	for (size_t i = 0; i < sums->page_count; i++) {
		if (sums->pages[i])
			free(sums->pages[i]->carries);
		free(sums->pages[i]);
	}
	free(sums->pages);
	*sums = (struct tally_sums){0};
}

/* A number at *at, or false; most have one or two bytes. */
static inline bool next_number(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
	const uint8_t *p = *at;

	if (end - p >= 2 && (p[0] & p[1]) < 0x80) {
		*number = p[0] < 0x80 ? p[0] : (uint64_t)(p[0] & 0x7f) | (uint64_t)p[1] << 7;
		*at = p + 1 + (p[0] >> 7);
		return true;
	}
	struct cursor rest = cursor_of(slice_of(p, (size_t)(end - p)));

	*number = take_number(&rest);
	*at = end - rest.left;
	return !rest.failed;
}

/* Of an hour only what the sensor counted (0: all); days and months are the sensor's anyway. */
static int sums_add_packed(struct tally_sums *sums, struct slice packed, uint32_t sensor)
{
	const uint8_t *at = packed.at, *end = packed.at + packed.length;
	uint64_t key = 0, step, count;

	while (at < end) {
		if (!next_number(&at, end, &step) || !next_number(&at, end, &count))
			return -1;
		key += step;
		if ((sensor == 0 || key >> 32 == sensor) &&
		    add_sum(sums, (uint32_t)key, (int64_t)count) < 0)
			return -1;
	}
	return 0;
}

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
	struct packer packer = {out, 0};
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
		pack(&packer, next, sum);
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

static int read_span(struct store *store, uint32_t code, uint32_t sensor,
		     const struct tally_span *span, struct tally_sums *sums)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_TALLY_SPAN);
	int answer;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, code);
	sqlite3_bind_int(statement, 2, (int)span->level);
	sqlite3_bind_int64(statement, 3, span->first);
	sqlite3_bind_int64(statement, 4, span->last);
	sqlite3_bind_int64(statement, 5, span->level == TALLY_HOUR ? 0 : sensor);
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW)
		if (sums_add_packed(sums, column_slice(statement, 1),
				    span->level == TALLY_HOUR ? sensor : 0) < 0)
			break;
	sqlite3_reset(statement);
	return answer == SQLITE_DONE ? 0 : store_failed(store, "adding up counts");
}

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

/* --- covers --- */

struct sealed {
	int64_t *numbers;
	size_t count;
};

static int sealed_load(struct store *store, enum tally_level level, struct sealed *sealed)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SEALED);
	size_t capacity = 0;
	int answer;

	if (!statement)
		return -1;
	sqlite3_bind_int(statement, 1, (int)level);
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		if (sealed->count == capacity) {
			int64_t *numbers;

			capacity = capacity ? 2 * capacity : 128;
			numbers = reallocarray(sealed->numbers, capacity, sizeof(*numbers));
			if (!numbers)
				break;
			sealed->numbers = numbers;
		}
		sealed->numbers[sealed->count++] = sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	return answer == SQLITE_DONE ? 0 : store_failed(store, "reading sealed days");
}

static bool sealed_has(const struct sealed *sealed, int64_t number)
{
	size_t low = 0, high = sealed->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sealed->numbers[middle] == number)
			return true;
		if (sealed->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int cover_add(struct tally_cover *cover, enum tally_level level, int64_t first, int64_t last)
{
	struct tally_span *span = cover->count ? &cover->spans[cover->count - 1] : NULL;
	struct tally_span *spans;

	if (span && span->level == level && span->last + 1 == first) {
		span->last = last;
		return 0;
	}
	spans = reallocarray(cover->spans, cover->count + 1, sizeof(*spans));
	if (!spans)
		return -1;
	cover->spans = spans;
	cover->spans[cover->count++] = (struct tally_span){level, first, last};
	return 0;
}

/* Cuts the range to the hours there are. */
static int cover_bounds(struct store *store, int64_t since, int64_t until,
			struct tally_cover *cover)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_TALLY_BOUNDS);
	int64_t first, last;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, tally_code(DIMENSION_TOTAL, MEASURE_EVENTS));
	if (sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_reset(statement);
		return store_failed(store, "reading counts");
	}
	first = sqlite3_column_int64(statement, 0);
	last = sqlite3_column_type(statement, 1) == SQLITE_NULL
		       ? -1
		       : sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	cover->from = since > first * HOUR ? since / HOUR : first;
	cover->until = last + 1;
	if (until > 0 && until < cover->until * HOUR)
		cover->until = (until + HOUR - 1) / HOUR;
	if (cover->until < cover->from)
		cover->until = cover->from;
	return 0;
}

int tally_cover(struct store *store, int64_t since, int64_t until, enum tally_level highest,
		struct tally_cover *cover)
{
	struct sealed days = {0}, months = {0};
	int result = -1;

	*cover = (struct tally_cover){0};
	if (cover_bounds(store, since, until, cover) < 0 ||
	    sealed_load(store, TALLY_DAY, &days) < 0 ||
	    sealed_load(store, TALLY_MONTH, &months) < 0)
		goto end;
	for (int64_t at = cover->from, next; at < cover->until; at = next) {
		int64_t day = at / TALLY_HOURS_DAY, month = at / TALLY_HOURS_MONTH;
		int64_t end = cover->until;
		int added;

		if (highest >= TALLY_MONTH && at % TALLY_HOURS_MONTH == 0 &&
		    at + TALLY_HOURS_MONTH <= end && sealed_has(&months, month)) {
			next = at + TALLY_HOURS_MONTH;
			added = cover_add(cover, TALLY_MONTH, month, month);
		} else if (highest >= TALLY_DAY && at % TALLY_HOURS_DAY == 0 &&
			   at + TALLY_HOURS_DAY <= end && sealed_has(&days, day)) {
			next = at + TALLY_HOURS_DAY;
			added = cover_add(cover, TALLY_DAY, day, day);
		} else {
			next = (day + 1) * TALLY_HOURS_DAY;
			if (next > end)
				next = end;
			added = cover_add(cover, TALLY_HOUR, at, next - 1);
		}
		if (added < 0)
			goto end;
	}
	result = 0;
end:
	free(days.numbers);
	free(months.numbers);
	if (result < 0)
		tally_cover_free(cover);
	return result;
}

void tally_cover_free(struct tally_cover *cover)
{
	free(cover->spans);
	*cover = (struct tally_cover){0};
}

int tally_read(struct store *store, uint32_t code, uint32_t sensor, const struct tally_cover *cover,
	       struct tally_sums *sums)
{
	for (size_t i = 0; i < cover->count; i++)
		if (read_span(store, code, sensor, &cover->spans[i], sums) < 0)
			return -1;
	return 0;
}
