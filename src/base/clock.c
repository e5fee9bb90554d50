/* Clock; the calendar arithmetic is Howard Hinnant's "days from civil" method. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct civil_time clock_civil(int64_t us)
{
	int64_t days = floor_divide(us, DAY), rest = us - days * DAY;
	int64_t z = days + 719468, era = floor_divide(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	struct civil_time civil = {
		.year = (int)(yoe + era * 400 + (mp >= 10)),
		.month = (int)(mp < 10 ? mp + 3 : mp - 9),
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / HOUR),
		.minute = (int)(rest / MINUTE % 60),
		.second = (int)(rest / SECOND % 60),
		.microsecond = (int)(rest % SECOND),
		.weekday = (int)(((days + 4) % 7 + 7) % 7),
	};

	return civil;
}

int64_t clock_from_civil(const struct civil_time *civil)
{
	int64_t year = civil->year - (civil->month <= 2), era = floor_divide(year, 400);
	int64_t yoe = year - era * 400;
	int64_t doy = (153 * (civil->month + (civil->month > 2 ? -3 : 9)) + 2) / 5 + civil->day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (era * 146097 + doe - 719468) * DAY + civil->hour * HOUR + civil->minute * MINUTE +
	       civil->second * SECOND + civil->microsecond;
}

static void put_digits(char *at, int count, int value)
{
	while (count-- > 0) {
		at[count] = (char)('0' + value % 10);
		value /= 10;
	}
}

void clock_text(int64_t us, char text[CLOCK_TEXT_LENGTH + 1])
{
	struct civil_time c = clock_civil(us);

	memcpy(text, "0000-00-00T00:00:00.000000Z", CLOCK_TEXT_LENGTH + 1);
	put_digits(text, 4, c.year);
	put_digits(text + 5, 2, c.month);
	put_digits(text + 8, 2, c.day);
	put_digits(text + 11, 2, c.hour);
	put_digits(text + 14, 2, c.minute);
	put_digits(text + 17, 2, c.second);
	put_digits(text + 20, 6, c.microsecond);
}

static int take_number(struct slice *s, size_t digits, int maximum)
{
	int64_t value;

	if (s->length < digits || slice_number(slice_first(*s, digits), 0, maximum, &value) < 0)
		return -1;
	*s = slice_from(*s, digits);
	return (int)value;
}

static bool take_byte(struct slice *s, const char *choices)
{
	if (s->length == 0 || s->at[0] == 0 || !strchr(choices, s->at[0]))
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static int take_date(struct slice *s, struct civil_time *c)
{
	c->year = take_number(s, 4, 9999);
	if (!take_byte(s, "-/"))
		return -1;
	c->month = take_number(s, 2, 12);
	if (!take_byte(s, "-/"))
		return -1;
	c->day = take_number(s, 2, 31);
	return c->year < 0 || c->month < 1 || c->day < 1 ? -1 : 0;
}

static int take_time(struct slice *s, struct civil_time *c)
{
	c->hour = take_number(s, 2, 23);
	if (!take_byte(s, ":"))
		return -1;
	c->minute = take_number(s, 2, 59);
	if (take_byte(s, ":")) {
		c->second = take_number(s, 2, 60);
		if (take_byte(s, ".,")) {
			int scale = 100000;

			for (; s->length && s->at[0] >= '0' && s->at[0] <= '9'; scale /= 10) {
				c->microsecond += (s->at[0] - '0') * scale;
				*s = slice_from(*s, 1);
			}
		}
	}
	return c->hour < 0 || c->minute < 0 || c->second < 0 ? -1 : 0;
}

int clock_parse(struct slice text, int64_t *us)
{
	struct civil_time c = {0};
	int64_t offset = 0;

	if (take_date(&text, &c) < 0)
		return -1;
	if (text.length) {
		int sign = 0, hours = 0, minutes = 0;

		if (!take_byte(&text, "Tt ") || take_time(&text, &c) < 0)
			return -1;
		if (text.length && !take_byte(&text, "Zz")) {
			sign = text.at[0] == '-' ? -1 : 1;
			if (!take_byte(&text, "+-"))
				return -1;
			hours = take_number(&text, 2, 23);
			take_byte(&text, ":");
			minutes = take_number(&text, 2, 59);
			if (hours < 0 || minutes < 0)
				return -1;
		}
		offset = sign * (hours * HOUR + minutes * MINUTE);
	}
	if (text.length)
		return -1;
	*us = clock_from_civil(&c) - offset;
	return 0;
}

int clock_parse_duration(struct slice text, int64_t *us)
{
	static const struct {
		char suffix;
		int64_t unit;
	} units[] = {{'s', SECOND}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
	int64_t unit = SECOND, count;

	if (text.length == 0)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (text.at[text.length - 1] == (uint8_t)units[i].suffix) {
			unit = units[i].unit;
			text.length--;
			break;
		}
	}
	if (slice_number(text, 0, INT64_MAX / unit, &count) < 0)
		return -1;
	*us = count * unit;
	return 0;
}

void clock_http(int64_t us, char text[30])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil_time c = clock_civil(us);

	memcpy(text, "Sun, 00 Jan 0000 00:00:00 GMT", 30);
	memcpy(text, days + 3 * c.weekday, 3);
	put_digits(text + 5, 2, c.day);
	memcpy(text + 8, months + 3 * (c.month - 1), 3);
	put_digits(text + 12, 4, c.year);
	put_digits(text + 17, 2, c.hour);
	put_digits(text + 20, 2, c.minute);
	put_digits(text + 23, 2, c.second);
}
