/* Slices, cursors, writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"

static void test_cursor_fails_once_and_stays(void **state)
{
	struct cursor c = cursor_of(SLICE("\x01\x02\x03"));

	assert_int_equal(cursor_u16be(&c), 0x0102);
	assert_int_equal(cursor_u16be(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
}

static void test_writer_limit(void **state)
{
	uint8_t room[4];
	struct writer w = writer_fixed(room, 4);

	writer_u32le(&w, 0x04030201);
	assert_false(w.failed);
	assert_int_equal(room[3], 4);
	writer_u8(&w, 5);
	assert_true(w.failed);
	w = writer_growing(10);
	writer_bytes(&w, SLICE("0123456789"));
	assert_false(w.failed);
	writer_u8(&w, 'x');
	assert_true(w.failed);
	writer_free(&w);
}

static void test_numbers(void **state)
{
	int64_t n;

	assert_int_equal(slice_number(SLICE("-42"), -50, 50, &n), 0);
	assert_int_equal(n, -42);
	assert_int_equal(slice_number(SLICE("9223372036854775807"), 0, INT64_MAX, &n), 0);
	assert_int_equal(slice_number(SLICE("9223372036854775808"), 0, INT64_MAX, &n), -1);
	assert_int_equal(slice_number(SLICE("-9223372036854775808"), INT64_MIN, 0, &n), 0);
	assert_int_equal(slice_number(SLICE("12x"), 0, 100, &n), -1);
	assert_int_equal(slice_number(SLICE(""), 0, 100, &n), -1);
}

static void test_printable(void **state)
{
	uint8_t room[256];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_printable(&w, SLICE("a\x1b[31m\xff\xc3\xa9\xe2\x80\xae\xc2\x9b"));
	assert_true(slice_is(writer_slice(&w), "a\\x1b[31m\\xff\xc3\xa9\\xe2\\x80\\xae\\xc2\\x9b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_fails_once_and_stays),
		cmocka_unit_test(test_writer_limit),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
