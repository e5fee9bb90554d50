/* Terminal recordings: reading asciicasts, turning ttylogs into them, and what is shown of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "exchange/asciicast.h"
#include "exchange/screen_filter.h"

static void expect_shown(const char *bytes, size_t length, const char *expected)
{
	/* Whole, and a byte at a time: a sequence may come in pieces. */
	for (size_t step = 1; step <= length; step += length > 1 ? length - 1 : 1) {
		struct screen_filter filter = {0};
		struct writer out = writer_growing(4096);

		for (size_t at = 0; at < length; at += step)
			screen_filter(&filter, slice_first(slice_of(bytes + at, length - at), step),
				      &out);
		writer_u8(&out, 0);
		assert_string_equal((const char *)out.at, expected);
		writer_free(&out);
	}
}

#define SHOWN(literal, expected) expect_shown(literal, sizeof(literal) - 1, expected)

static void test_filter_keeps_drawing(void **state)
{
	SHOWN("plain\r\n\tx\b", "plain\r\n\tx\b");
	SHOWN("\033[1;31mred\033[0m", "\033[1;31mred\033[0m");
	SHOWN("\033[2J\033[H\033[10;20H\033[K", "\033[2J\033[H\033[10;20H\033[K");
	SHOWN("\033[?25l\033[?1049h", "\033[?25l\033[?1049h");
	SHOWN("gr\xc3\xbc\xc3\x9f \xe2\x94\x80", "gr\xc3\xbc\xc3\x9f \xe2\x94\x80");
}

static void test_filter_drops_what_acts(void **state)
{
	SHOWN("a\033]0;title\007b", "ab");
	SHOWN("a\033]52;c;ZXZpbA==\033\\b", "ab");
	SHOWN("a\033P+q544e\033\\b", "ab");
	SHOWN("a\033_x\033\\b\033^y\033\\c\033Xz\033\\d", "abcd");
	SHOWN("a\033[c\033[6n\033[>0c\033[?6nb", "ab");
	SHOWN("a\033[21t\033[3;9;9tb", "ab");
	SHOWN("a\033[?2004h\033[?1000h\033[20hb", "ab");
	SHOWN("a\033[5ib\033#8c\033(0d", "abcd");
	SHOWN("a\007\005\016\017\177b", "ab");
	SHOWN("a\xc2\x9b"
	      "6nb",
	      "a6nb");
	SHOWN("a\xe2\x80\xae"
	      "b",
	      "ab");
	SHOWN("a\xff\xfe"
	      "b",
	      "a\xef\xbf\xbd\xef\xbf\xbd"
	      "b");
}

static void test_filter_bounds_sequences(void **state)
{
	char long_sequence[400];
	size_t length = 0;

	long_sequence[length++] = '\033';
	long_sequence[length++] = '[';
	while (length < 300)
		long_sequence[length++] = '1';
	long_sequence[length++] = 'm';
	long_sequence[length++] = 'z';
	expect_shown(long_sequence, length, "z");
}

static void test_reads_events(void **state)
{
	const char *text =
		"{\"version\": 2, \"width\": 100, \"height\": 30, \"timestamp\": 1700000000, "
		"\"command\": \"uname -a\", \"env\": {\"TERM\": \"xterm\"}}\n"
		"[0.5, \"o\", \"a\\u001b[0m\\udcff\\u00fc\"]\n"
		"\n"
		"not an event\n"
		"[12.000001, \"i\", \"\\\\udcff\"]\n";
	struct asciicast cast;
	struct asciicast_event event;
	const char *why;

	assert_int_equal(asciicast_open(&cast, slice_text(text), &why), 0);
	assert_int_equal(cast.header.columns, 100);
	assert_int_equal(cast.header.rows, 30);
	assert_int_equal(cast.header.timestamp, 1700000000);
	assert_true(slice_is(writer_slice(&cast.header.command), "uname -a"));
	assert_int_equal(asciicast_next(&cast, &event, &why), 1);
	assert_int_equal(event.time, 500000);
	assert_int_equal(event.code, 'o');
	assert_true(slice_equal(event.text, SLICE("a\033[0m\xff\xc3\xbc")));
	assert_int_equal(asciicast_next(&cast, &event, &why), -1);
	assert_int_equal(cast.line, 4);
	assert_int_equal(asciicast_next(&cast, &event, &why), 1);
	assert_int_equal(event.time, 12000001);
	assert_true(slice_is(event.text, "\\udcff"));
	assert_int_equal(asciicast_next(&cast, &event, &why), 0);
	asciicast_close(&cast);
}

static void test_refuses_other_files(void **state)
{
	static const char *const others[] = {
		"", "\n", "{}", "[1]\n", "{\"version\": 1}\n", "{\"version\": 2"};
	struct asciicast cast;
	const char *why;

	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		assert_int_equal(asciicast_open(&cast, slice_text(others[i]), &why), -1);
		asciicast_close(&cast);
	}
}

static void add_record(struct writer *out, uint32_t operation, uint32_t direction, uint32_t second,
		       uint32_t micros, struct slice bytes)
{
	writer_u32le(out, operation);
	writer_u32le(out, 0);
	writer_u32le(out, (uint32_t)bytes.length);
	writer_u32le(out, direction);
	writer_u32le(out, second);
	writer_u32le(out, micros);
	writer_bytes(out, bytes);
}

static void test_ttylog(void **state)
{
	struct writer log = writer_growing(4096), cast_text = writer_growing(4096);
	struct asciicast cast;
	struct asciicast_event event;
	const char *why;
	int64_t started;
	bool torn;

	add_record(&log, 1, 0, 1530016855, 1000, SLICE(""));
	add_record(&log, 3, 3, 1530016855, 1000, SLICE("id"));
	add_record(&log, 3, 2, 1530016856, 500, SLICE("uid=0\xff\n"));
	add_record(&log, 3, 1, 1530016857, 1000, SLICE("x"));
	add_record(&log, 2, 0, 1530016857, 2000, SLICE(""));
	assert_true(ttylog_is_one(writer_slice(&log)));
	assert_int_equal(ttylog_convert(writer_slice(&log), &cast_text, &started, &torn, &why), 0);
	assert_false(torn);
	assert_int_equal(started, 1530016855 * SECOND + 1000);
	assert_int_equal(asciicast_open(&cast, writer_slice(&cast_text), &why), 0);
	assert_true(slice_is(writer_slice(&cast.header.command), "id"));
	assert_int_equal(asciicast_next(&cast, &event, &why), 1);
	assert_int_equal(event.code, 'i');
	assert_int_equal(asciicast_next(&cast, &event, &why), 1);
	assert_int_equal(event.time, 999500);
	assert_true(slice_equal(event.text, SLICE("uid=0\xff\n")));
	assert_int_equal(asciicast_next(&cast, &event, &why), 1);
	assert_int_equal(event.time, 2 * SECOND);
	assert_int_equal(asciicast_next(&cast, &event, &why), 0);
	asciicast_close(&cast);
	/* A torn end loses only what is torn. */
	writer_clear(&cast_text);
	assert_int_equal(ttylog_convert(slice_first(writer_slice(&log), log.length - 3), &cast_text,
					&started, &torn, &why),
			 0);
	assert_true(torn);
	assert_false(ttylog_is_one(SLICE("GIF89a and so on, not a log at all")));
	writer_free(&log);
	writer_free(&cast_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_keeps_drawing),
		cmocka_unit_test(test_filter_drops_what_acts),
		cmocka_unit_test(test_filter_bounds_sequences),
		cmocka_unit_test(test_reads_events),
		cmocka_unit_test(test_refuses_other_files),
		cmocka_unit_test(test_ttylog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
