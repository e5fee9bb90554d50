/* Time and its text forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

#define EXAMPLE INT64_C(1795467576123456)

static void test_text(void **state)
{
	char text[CLOCK_TEXT_LENGTH + 1], http[30];

	clock_text(EXAMPLE, text);
	assert_string_equal(text, "2026-11-23T20:59:36.123456Z");
	clock_text(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	clock_http(EXAMPLE, http);
	assert_string_equal(http, "Mon, 23 Nov 2026 20:59:36 GMT");
}

/* The C library is the judge, from 1900 to 2100 and on both sides of each leap day. */
static void test_calendar_against_gmtime(void **state)
{
	for (int64_t day = -25567; day < 47482; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		int64_t us = (int64_t)seconds * SECOND + 7;
		struct civil_time civil = clock_civil(us);
		struct tm wanted;

		gmtime_r(&seconds, &wanted);
		assert_int_equal(civil.year, wanted.tm_year + 1900);
		assert_int_equal(civil.month, wanted.tm_mon + 1);
		assert_int_equal(civil.day, wanted.tm_mday);
		assert_int_equal(civil.hour, wanted.tm_hour);
		assert_int_equal(civil.second, wanted.tm_sec);
		assert_int_equal(civil.weekday, wanted.tm_wday);
		assert_int_equal(civil.microsecond, 7);
		assert_int_equal(clock_from_civil(&civil), us);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"2026-11-23T20:59:36.123456Z", EXAMPLE},
		{"2026-11-23 20:59:36.123456", EXAMPLE},
		{"2026-11-23T21:59:36.123456+01:00", EXAMPLE},
		{"2026-11-23T15:29:36.123456-0530", EXAMPLE},
		{"2026-11-23T20:59:36.123456789Z", EXAMPLE},
		{"1970-01-01", 0},
	};
	static const char *const bad[] = {"",
					  "2026",
					  "2026-13-01",
					  "2026-11-23T",
					  "2026-11-23Tx",
					  "2026-11-23T20:59:36Zx",
					  "2026-11-23T25:00:00Z",
					  "2026-00-10",
					  "2026-11-23T20:59:36+1"};
	int64_t us;

	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		assert_int_equal(clock_parse(slice_text(good[i].text), &us), 0);
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(clock_parse(slice_text(bad[i]), &us), -1);
}

static void test_duration(void **state)
{
	int64_t us;

	assert_int_equal(clock_parse_duration(SLICE("90"), &us), 0);
	assert_int_equal(us, 90 * SECOND);
	assert_int_equal(clock_parse_duration(SLICE("15m"), &us), 0);
	assert_int_equal(us, 15 * MINUTE);
	assert_int_equal(clock_parse_duration(SLICE("4w"), &us), 0);
	assert_int_equal(us, 28 * DAY);
	assert_int_equal(clock_parse_duration(SLICE("w"), &us), -1);
	assert_int_equal(clock_parse_duration(SLICE("-1s"), &us), -1);
	assert_int_equal(clock_parse_duration(SLICE("99999999999999w"), &us), -1);
	assert_int_equal(clock_parse_duration(SLICE(""), &us), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_calendar_against_gmtime),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
