/* Identifiers rise, are unique and hold their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"

#define NOW INT64_C(1795467576123456)

static void test_rises_whatever_the_clock_does(void **state)
{
	static const int64_t steps[] = {0, 1, 999, 1000, -5000, -DAY, 2000, 0, DAY};
	struct ulid_source source = {0};
	char text[ULID_LENGTH + 1], last[ULID_LENGTH + 1] = "";
	int64_t now = NOW;

	for (size_t i = 0; i < 20000; i++) {
		now += steps[i % ARRAY_COUNT(steps)];
		ulid_next(&source, now, text);
		assert_int_equal(strlen(text), ULID_LENGTH);
		assert_true(strcmp(last, text) < 0);
		memcpy(last, text, sizeof(last));
	}
}

static void test_holds_its_time(void **state)
{
	struct ulid_source source = {0}, other = {0};
	char text[ULID_LENGTH + 1], second[ULID_LENGTH + 1];

	ulid_next(&source, NOW, text);
	assert_int_equal(ulid_milliseconds(slice_text(text)), NOW / 1000);
	ulid_next(&other, NOW, second);
	assert_string_not_equal(text, second);
	assert_memory_equal(text, second, 10);
}

/* All random bits spent within one millisecond: the next one is borrowed. */
static void test_overflow(void **state)
{
	struct ulid_source source = {0};
	char before[ULID_LENGTH + 1], after[ULID_LENGTH + 1];

	ulid_next(&source, NOW, before);
	memset(source.last + 6, 0xff, 10);
	ulid_text(source.last, before);
	ulid_next(&source, NOW, after);
	assert_true(strcmp(before, after) < 0);
	assert_int_equal(ulid_milliseconds(slice_text(after)), NOW / 1000 + 1);
}

static void test_known_text(void **state)
{
	uint8_t bytes[16];
	char text[ULID_LENGTH + 1];

	memset(bytes, 0xff, sizeof(bytes));
	ulid_text(bytes, text);
	assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	/* The specification's own example. */
	assert_int_equal(ulid_milliseconds(SLICE("01ARYZ6S41TSV4RRFFQ69G5FAV")), 1469918176385);
	assert_int_equal(ulid_milliseconds(SLICE("01aryz6s41tsv4rrffq69g5fav")), 1469918176385);
	assert_int_equal(ulid_milliseconds(SLICE("8ZZZZZZZZZZZZZZZZZZZZZZZZZ")), -1);
	assert_int_equal(ulid_milliseconds(SLICE("01ARYZ6S41TSV4RRFFQ69G5FA")), -1);
	assert_int_equal(ulid_milliseconds(SLICE("01ARYZ6S41TSV4RRFFQ69G5FAVX")), -1);
	assert_int_equal(ulid_milliseconds(SLICE("01ARYZ6S41TSV4RRFFQ69G5FAU")), -1);
	assert_int_equal(ulid_milliseconds(SLICE("01ARYZ6S41TSV4RRFFQ69G5FA\0")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rises_whatever_the_clock_does),
		cmocka_unit_test(test_holds_its_time),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_known_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
