/* Which rows answer for a stretch of time, and reading them; see tally.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "store/tally_pack.h"

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
		if (tally_sums_add_packed(sums, column_slice(statement, 1),
					  span->level == TALLY_HOUR ? sensor : 0) < 0)
			break;
	sqlite3_reset(statement);
	return answer == SQLITE_DONE ? 0 : store_failed(store, "adding up counts");
}

int tally_read(struct store *store, uint32_t code, uint32_t sensor, const struct tally_cover *cover,
	       struct tally_sums *sums)
{
	for (size_t i = 0; i < cover->count; i++)
		if (read_span(store, code, sensor, &cover->spans[i], sums) < 0)
			return -1;
	return 0;
}
