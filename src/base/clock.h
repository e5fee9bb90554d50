/* Time as microseconds since 1970-01-01 UTC, and its text form (RFC 3339). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/bytes.h"

#define MILLISECOND ((int64_t)1000)
#define SECOND      ((int64_t)1000000)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

struct civil_time {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second, microsecond;
	int weekday; /* Sunday is 0 */
};

/* The wall clock; a clock that never steps back (for deadlines). Microseconds. */
int64_t clock_wall(void);
int64_t clock_monotonic(void);

struct civil_time clock_civil(int64_t microseconds);
int64_t clock_from_civil(const struct civil_time *civil);

#define CLOCK_TEXT_LENGTH 27
/* "2026-11-23T20:59:36.123456Z", NUL-terminated. */
void clock_text(int64_t microseconds, char text[CLOCK_TEXT_LENGTH + 1]);
/* Reads RFC 3339 with 'T' or a space, any fraction, 'Z', an offset or (taken as UTC) neither; also
 * a date alone. -1 when it is none of these. */
MUST_CHECK int clock_parse(struct slice text, int64_t *microseconds);
/* Reads a length of time: "90", "90s", "15m", "24h", "7d", "4w"; -1 when it is not one. */
MUST_CHECK int clock_parse_duration(struct slice text, int64_t *microseconds);
/* "Mon, 23 Nov 2026 20:59:36 GMT" (RFC 9110), NUL-terminated. */
void clock_http(int64_t microseconds, char text[30]);

#endif
