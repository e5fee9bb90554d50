/* Questions that the tallies answer. */
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/tally.h"

#define TEXT_MAX (256u << 20) /* of all keys of an answer */

/* The range's sensor as a number: 0 for all; false when no such sensor is known. */
static bool sensor_of(struct store *store, const struct query_range *range, uint32_t *sensor)
{
	*sensor = 0;
	if (!range->sensor)
		return true;
	*sensor = intern_known_word(store, slice_text(range->sensor));
	return *sensor != 0;
}

/* Adds up one code over a range. */
static int add_up(struct store *store, uint32_t code, const struct query_range *range,
		  struct tally_sums *sums)
{
	struct tally_cover cover;
	uint32_t sensor;
	int result;

	if (!sensor_of(store, range, &sensor))
		return 0;
	if (tally_cover(store, range->since, range->until, TALLY_MONTH, &cover) < 0)
		return -1;
	result = tally_read(store, code, sensor, &cover, sums);
	tally_cover_free(&cover);
	return result;
}

/* --- top --- */

struct candidate {
	uint32_t key;
	int64_t count;
};

/* True when a comes after b in the answer. */
static bool is_after(const struct candidate *a, const struct candidate *b)
{
	return a->count != b->count ? a->count < b->count : a->key > b->key;
}

/* A heap whose top is the last of the chosen. */
static void sift(struct candidate *heap, size_t count, size_t at)
{
	for (;;) {
		size_t last = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (is_after(&heap[child], &heap[last]))
				last = child;
		if (last == at)
			return;
		struct candidate moved = heap[at];
		heap[at] = heap[last];
		heap[last] = moved;
		at = last;
	}
}

static size_t choose(const struct tally_sums *sums, struct candidate *heap, size_t limit,
		     struct query_rows *rows)
{
	struct candidate next;
	uint64_t key = 0;
	size_t count = 0;

	for (; tally_sums_next(sums, &key, &next.count); key++) {
		rows->total += next.count;
		next.key = (uint32_t)key;
		if (count < limit) {
			heap[count++] = next;
			if (count == limit)
				for (size_t i = limit / 2 + 1; i-- > 0;)
					sift(heap, count, i);
		} else if (limit > 0 && is_after(&heap[0], &next)) {
			heap[0] = next;
			sift(heap, count, 0);
		}
	}
	return count;
}

static int compare_rows(const void *left, const void *right)
{
	const struct query_row *a = left, *b = right;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return slice_compare(a->key, b->key);
}

static int word_text(struct store *store, int64_t id, struct writer *text)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_WORD_TEXT);

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		writer_bytes(text, column_slice(statement, 0));
	sqlite3_reset(statement);
	return 0;
}

static int source_text(struct store *store, uint32_t key, struct writer *text,
		       struct query_row *row)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SOURCE_OF);
	struct slice country;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, key);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		writer_bytes(text, column_slice(statement, 0));
		country = column_slice(statement, 1);
		if (country.length == 2)
			memcpy(row->country, country.at, 2);
		row->asn = (uint32_t)sqlite3_column_int64(statement, 2);
	}
	sqlite3_reset(statement);
	return 0;
}

static int credential_text(struct store *store, uint32_t key, struct writer *text,
			   struct query_row *row)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_CREDENTIAL_OF);
	int64_t user = 0, password = 0;
	size_t start = text->length;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, key);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		user = sqlite3_column_int64(statement, 0);
		password = sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	if (word_text(store, user, text) < 0)
		return -1;
	writer_u8(text, 0);
	row->password_at = text->length - start;
	return word_text(store, password, text);
}

/* Writes the key's text; what belongs to its kind goes into the row. */
static int key_text(struct store *store, enum key_kind kind, uint32_t key, struct writer *text,
		    struct query_row *row)
{
	switch (kind) {
	case KEY_WORD:
		return word_text(store, key, text);
	case KEY_SOURCE:
		return source_text(store, key, text, row);
	case KEY_CREDENTIAL:
		return credential_text(store, key, text, row);
	case KEY_LOCATION:
		row->latitude = (double)(key / 361) - 90;
		row->longitude = (double)(key % 361) - 180;
		writer_format(text, "%d,%d", (int)(key / 361) - 90, (int)(key % 361) - 180);
		return 0;
	case KEY_NUMBER:
		writer_decimal(text, key);
		return 0;
	}
	return -1;
}

/* Fills rows from the chosen; all texts end up in one piece of memory. */
static int fill_rows(struct store *store, enum key_kind kind, const struct candidate *chosen,
		     size_t count, struct query_rows *rows)
{
	struct writer text = writer_growing(TEXT_MAX);

	rows->rows = calloc(count + 1, sizeof(*rows->rows));
	if (!rows->rows)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct query_row *row = &rows->rows[i];
		size_t start = text.length;

		row->count = chosen[i].count;
		if (key_text(store, kind, chosen[i].key, &text, row) < 0)
			break;
		row->key.length = text.length - start;
		writer_u8(&text, 0);
		rows->count++;
	}
	rows->memory = text.at;
	if (text.failed || rows->count < count)
		return -1;
	for (size_t i = 0, start = 0; i < count; i++) {
		rows->rows[i].key.at = text.at + start;
		start += rows->rows[i].key.length + 1;
	}
	qsort(rows->rows, count, sizeof(*rows->rows), compare_rows);
	return 0;
}

static int top_of(struct store *store, const struct dimension *dimension,
		  const struct tally_sums *sums, size_t limit, struct query_rows *rows)
{
	size_t distinct = (size_t)tally_sums_distinct(sums), count = 0;
	struct candidate *chosen;
	int result;

	rows->distinct = (int64_t)distinct;
	if (limit == 0 || limit > distinct)
		limit = distinct;
	chosen = calloc(limit + 1, sizeof(*chosen));
	if (!chosen)
		return -1;
	count = choose(sums, chosen, limit, rows);
	result = fill_rows(store, dimension->kind, chosen, count, rows);
	free(chosen);
	return result;
}

int query_top(struct store *store, const struct dimension *dimension, enum measure measure,
	      const struct query_range *range, size_t limit, struct query_rows *rows)
{
	struct tally_sums sums = {0};
	int result = -1;

	if (measure == MEASURE_OWN)
		measure = dimension->own;
	*rows = (struct query_rows){.measure = measure};
	if (measure >= MEASURE_COUNT || !(dimension->measures & 1u << measure)) {
		snprintf(store->problem, sizeof(store->problem), "%s are not counted by %s",
			 dimension->title,
			 measure < MEASURE_COUNT ? dimension_measure_name(measure) : "that");
		return -1;
	}
	if (store_look(store) < 0)
		return -1;
	if (add_up(store, tally_code(dimension->number, measure), range, &sums) == 0)
		result = top_of(store, dimension, &sums, limit, rows);
	store_look_end(store);
	tally_sums_free(&sums);
	if (result < 0)
		query_rows_free(rows);
	return result;
}

void query_rows_free(struct query_rows *rows)
{
	if (!rows)
		return;
	free(rows->rows);
	free(rows->memory);
	rows->rows = NULL;
	rows->memory = NULL;
	rows->count = 0;
}

int query_locations(struct store *store, const struct query_range *range, size_t limit,
		    struct query_rows *rows)
{
	return query_top(store, dimension_named(SLICE("source.location")), MEASURE_CONNECTIONS,
			 range, limit, rows);
}

/* The country of each source, its count moved to the country's row. */
int query_countries_of_top_sources(struct store *store, const struct query_range *range,
				   size_t sources, struct query_rows *rows)
{
	struct query_rows top;
	size_t count = 0;

	*rows = (struct query_rows){.measure = MEASURE_CONNECTIONS};
	if (query_top(store, dimension_named(SLICE("source.ip")), MEASURE_CONNECTIONS, range,
		      sources, &top) < 0)
		return -1;
	for (size_t i = 0; i < top.count; i++) {
		struct query_row *row = &top.rows[i];
		size_t at = 0;

		while (at < count && memcmp(top.rows[at].country, row->country, 2) != 0)
			at++;
		rows->total += row->count;
		if (at < count) {
			top.rows[at].count += row->count;
			continue;
		}
		top.rows[count++] = *row;
	}
	for (size_t i = 0; i < count; i++) {
		top.rows[i].asn = 0;
		/* The key's room held an address, which is longer than a country. */
		uint8_t *key = (uint8_t *)top.memory + (top.rows[i].key.at - (uint8_t *)top.memory);
		memcpy(key, top.rows[i].country, 3);
		top.rows[i].key.length = strlen(top.rows[i].country);
	}
	qsort(top.rows, count, sizeof(*top.rows), compare_rows);
	rows->rows = top.rows;
	rows->count = count;
	rows->distinct = (int64_t)count;
	rows->memory = top.memory;
	return 0;
}

/* --- totals and time --- */

static int distinct_of(struct store *store, int dimension, const struct query_range *range,
		       int64_t *number)
{
	struct tally_sums sums = {0};
	int result = add_up(store, tally_code(dimension, MEASURE_EVENTS), range, &sums);

	*number = tally_sums_distinct(&sums);
	tally_sums_free(&sums);
	return result;
}

static int totals(struct store *store, const struct query_range *range, struct query_totals *totals)
{
	struct tally_sums sums = {0};
	uint64_t key = 0;
	int64_t count;
	int result = add_up(store, tally_code(DIMENSION_TOTAL, MEASURE_EVENTS), range, &sums);

	for (; tally_sums_next(&sums, &key, &count); key++)
		if (key < MEASURE_COUNT)
			totals->counts[key] = count;
	tally_sums_free(&sums);
	return result;
}

int query_totals(struct store *store, const struct query_range *range, struct query_totals *answer)
{
	int result = -1;

	*answer = (struct query_totals){0};
	if (store_look(store) < 0)
		return -1;
	if (totals(store, range, answer) == 0 &&
	    distinct_of(store, DIMENSION_SOURCE, range, &answer->sources) == 0 &&
	    distinct_of(store, DIMENSION_COUNTRY, range, &answer->countries) == 0)
		result = 0;
	store_look_end(store);
	return result;
}

int query_hours_of_day(struct store *store, enum measure measure, const struct query_range *range,
		       int64_t hours[24])
{
	struct tally_sums sums = {0};
	uint64_t key = 0;
	int64_t count;
	int result;

	memset(hours, 0, 24 * sizeof(hours[0]));
	if (measure != MEASURE_EVENTS && measure != MEASURE_CONNECTIONS)
		return -1;
	if (store_look(store) < 0)
		return -1;
	result = add_up(store, tally_code(DIMENSION_HOUR, measure), range, &sums);
	store_look_end(store);
	for (; tally_sums_next(&sums, &key, &count); key++)
		if (key < 24)
			hours[key] += count;
	tally_sums_free(&sums);
	return result;
}

/* What a timeline looks for. */
struct line {
	uint32_t code, sensor;
	bool one_key; /* only this key, counted in counts[measure]; else key is the measure */
	uint32_t key;
	enum measure measure;
	int64_t start, bucket; /* hours */
	struct query_point *points;
	size_t count;
};

static int line_span(struct store *store, const struct line *line, const struct tally_span *span)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_TALLY_SPAN);
	int64_t hours = span->level == TALLY_DAY ? TALLY_HOURS_DAY : 1;
	int answer;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, line->code);
	sqlite3_bind_int(statement, 2, (int)span->level);
	sqlite3_bind_int64(statement, 3, span->first);
	sqlite3_bind_int64(statement, 4, span->last);
	sqlite3_bind_int64(statement, 5, span->level == TALLY_HOUR ? 0 : line->sensor);
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t hour = sqlite3_column_int64(statement, 0) * hours;
		size_t at = (size_t)((hour - line->start) / line->bucket);
		struct tally_reader reader = tally_reader_of(column_slice(statement, 1));
		uint64_t whole;
		int64_t count;

		while (at < line->count && tally_reader_next(&reader, &whole, &count)) {
			uint32_t key = (uint32_t)whole;

			if (span->level == TALLY_HOUR && line->sensor &&
			    whole >> 32 != line->sensor)
				continue;
			if (line->one_key && key == line->key)
				line->points[at].counts[line->measure] += count;
			else if (!line->one_key && key < MEASURE_COUNT)
				line->points[at].counts[key] += count;
		}
	}
	sqlite3_reset(statement);
	return answer == SQLITE_DONE ? 0 : store_failed(store, "reading a timeline");
}

static int line_draw(struct store *store, const struct query_range *range, int64_t bucket,
		     bool known, struct line *line)
{
	struct tally_cover cover;
	enum tally_level highest = bucket % DAY == 0 ? TALLY_DAY : TALLY_HOUR;
	int result = -1;

	if (tally_cover(store, range->since, range->until, highest, &cover) < 0)
		return -1;
	line->bucket = bucket / HOUR;
	line->start = cover.from - cover.from % line->bucket;
	line->count = (size_t)((cover.until - line->start + line->bucket - 1) / line->bucket);
	if (line->count > QUERY_POINTS_MAX)
		goto end;
	line->points = calloc(line->count + 1, sizeof(*line->points));
	if (!line->points)
		goto end;
	for (size_t i = 0; i < line->count; i++)
		line->points[i].time = (line->start + (int64_t)i * line->bucket) * HOUR;
	for (size_t i = 0; known && i < cover.count; i++)
		if (line_span(store, line, &cover.spans[i]) < 0)
			goto end;
	result = 0;
end:
	tally_cover_free(&cover);
	return result;
}

static int timeline(struct store *store, const struct query_range *range, int64_t bucket,
		    bool known, struct line *line, struct query_point **points, size_t *count)
{
	int result;

	*points = NULL;
	*count = 0;
	if (bucket < HOUR || bucket % HOUR != 0) {
		snprintf(store->problem, sizeof(store->problem),
			 "a timeline's steps are whole hours");
		return -1;
	}
	if (!sensor_of(store, range, &line->sensor))
		known = false;
	result = line_draw(store, range, bucket, known, line);
	if (result < 0) {
		free(line->points);
		return -1;
	}
	*points = line->points;
	*count = line->count;
	return 0;
}

int query_timeline(struct store *store, const struct query_range *range, int64_t bucket,
		   struct query_point **points, size_t *count)
{
	struct line line = {.code = tally_code(DIMENSION_TOTAL, MEASURE_EVENTS)};
	int result;

	if (store_look(store) < 0)
		return -1;
	result = timeline(store, range, bucket, true, &line, points, count);
	store_look_end(store);
	return result;
}

/* One number of a look-up by one or two texts. */
static bool known_pair(struct store *store, uint32_t user, uint32_t password, uint32_t *key)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_CREDENTIAL_FIND);
	bool found;

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_int64(statement, 2, password);
	found = sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		*key = (uint32_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

static bool known_source(struct store *store, struct slice text, uint32_t *key)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_SOURCE_FIND);
	bool found;

	if (!statement)
		return false;
	bind_text(statement, 1, text);
	found = sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		*key = (uint32_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

/* The number behind a key's text; false when it was never seen. */
static bool key_known(struct store *store, enum key_kind kind, struct slice text, uint32_t *key)
{
	struct slice rest = text, first;
	int64_t number, other;

	switch (kind) {
	case KEY_WORD:
		*key = intern_known_word(store, text);
		return *key != 0;
	case KEY_SOURCE:
		return known_source(store, text, key);
	case KEY_NUMBER:
		if (slice_number(text, 0, UINT32_MAX, &number) < 0)
			return false;
		*key = (uint32_t)number;
		return true;
	case KEY_CREDENTIAL:
		number = (int64_t)slice_find_byte(text, 0);
		first = slice_first(text, (size_t)number);
		return known_pair(store, intern_known_word(store, first),
				  intern_known_word(store, slice_from(text, (size_t)number + 1)),
				  key);
	case KEY_LOCATION:
		if (!slice_next(&rest, ',', &first) || slice_number(first, -90, 90, &number) < 0 ||
		    slice_number(rest, -180, 180, &other) < 0)
			return false;
		*key = (uint32_t)((number + 90) * 361 + other + 180);
		return true;
	}
	return false;
}

int query_timeline_key(struct store *store, const struct dimension *dimension, enum measure measure,
		       struct slice key, const struct query_range *range, int64_t bucket,
		       struct query_point **points, size_t *count)
{
	struct line line = {.one_key = true};
	bool known;
	int result;

	if (measure == MEASURE_OWN)
		measure = dimension->own;
	line.measure = measure;
	if (measure >= MEASURE_COUNT || !(dimension->measures & 1u << measure) ||
	    store_look(store) < 0)
		return -1;
	line.code = tally_code(dimension->number, measure);
	known = key_known(store, dimension->kind, key, &line.key);
	result = timeline(store, range, bucket, known, &line, points, count);
	store_look_end(store);
	return result;
}
