/* Counts: kept by the hour, packed, and put together by the day and by 32 days.
 *
 * A row of the table `tally` holds, for one code (dimension and measure) and one period, every key
 * with its count: pairs of LEB128 numbers (distance to the key before, count), keys rising. That is
 * three to five bytes a key, and a question adds up a hundred thousand keys in a millisecond where
 * rows of their own would take fifty. An hour is one row for all sensors, the sensor being the
 * upper half of its keys, since hours are written all the time; days and months have a row a sensor
 * and one (sensor 0) for all of them, since they are read all the time.
 *
 * A period may have several parts, which add up: a batch changes only the last one while it is
 * small, so that a flood of new keys does not rewrite all of the hour each time. Days that are over
 * are put together from their hours, and months (32 days) from their days ("sealed"); what comes in
 * late for them is added on each level. Hours stay, for ranges that begin or end within a day.
 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include "store/inside.h"

#define TALLY_PART_BYTES  8192        /* a part at least this big is left alone */
#define TALLY_PACKED_MAX  (64u << 20) /* of one period; 12 million keys */
#define TALLY_HOURS_DAY   24
#define TALLY_DAYS_MONTH  32
#define TALLY_HOURS_MONTH (TALLY_HOURS_DAY * TALLY_DAYS_MONTH)

enum tally_level { TALLY_HOUR, TALLY_DAY, TALLY_MONTH };

/* Of a batch; the first 16 bytes are the key of the table, and the order. */
struct tally_entry {
	uint64_t place; /* hour since 1970 << 32 | code */
	uint64_t key;   /* sensor << 32 | key */
	int64_t count;
};

static inline uint32_t tally_code(int dimension, enum measure measure)
{
	return (uint32_t)dimension * 16 + (uint32_t)measure;
}

/* Adds to the open batch. -1 without memory. */
MUST_CHECK int tally_add(struct store *store, uint32_t hour, uint32_t code, uint32_t sensor,
			 uint32_t key, int64_t count);
/* Writes the batch's counts, inside its transaction. */
MUST_CHECK int tally_flush(struct store *store);
/* Seals one day or month: 1 done so, 0 nothing to do, -1. */
MUST_CHECK int tally_seal(struct store *store);

/* Sums by key, keys rising. They lie in pages of 4 KiB: what a question costs beyond reading is
 * mostly touching memory, so a count has 32 bits until it needs more. */
#define TALLY_PAGE 1024
struct tally_page {
	uint32_t *carries; /* upper halves of the counts; NULL while all are 0 */
	uint32_t counts[TALLY_PAGE];
};

struct tally_sums {
	struct tally_page **pages;
	size_t page_count;
};

MUST_CHECK int tally_sums_add(struct tally_sums *sums, uint32_t key, int64_t count);
/* The next key from *key on with a count; false at the end. */
bool tally_sums_next(const struct tally_sums *sums, uint64_t *key, int64_t *count);
/* How many keys have a count. */
int64_t tally_sums_distinct(const struct tally_sums *sums);
void tally_sums_free(struct tally_sums *sums);

/* A stretch of periods of one level. */
struct tally_span {
	enum tally_level level;
	int64_t first, last;
};

struct tally_cover {
	struct tally_span *spans;
	size_t count;
	int64_t from, until; /* hours, cut to what there is */
};

/* The fewest periods, none above `highest`, that make up [since, until) (microseconds; 0 open). */
MUST_CHECK int tally_cover(struct store *store, int64_t since, int64_t until,
			   enum tally_level highest, struct tally_cover *cover);
void tally_cover_free(struct tally_cover *cover);
/* Adds up a code over the cover. */
MUST_CHECK int tally_read(struct store *store, uint32_t code, uint32_t sensor,
			  const struct tally_cover *cover, struct tally_sums *sums);

/* Reads packed pairs; visit each. -1 when they are broken. */
struct tally_reader {
	struct cursor cursor;
	uint64_t key;
};

static inline struct tally_reader tally_reader_of(struct slice packed)
{
	return (struct tally_reader){.cursor = cursor_of(packed)};
}

bool tally_reader_next(struct tally_reader *reader, uint64_t *key, int64_t *count);

#endif
