/* The JSON writer and reader against jansson, on random documents and on broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Both libraries use these names; jansson's, which are not called here, get out of the way. */
#define json_object jansson_object
#define json_array  jansson_array
#define json_string jansson_string
#define json_real   jansson_real
#define json_null   jansson_null
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE   JANSSON_TRUE
#define JSON_FALSE  JANSSON_FALSE
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef json_object
#undef json_array
#undef json_string
#undef json_real
#undef json_null
#undef json_boolean
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "base/json.h"

#define ROUNDS       3000
#define DOCUMENT_MAX (1024 * 1024)

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*seed >> 33);
}

/* Valid UTF-8 of all lengths, controls among it. */
static struct slice random_text(uint64_t *seed, uint8_t room[128])
{
	static const char *const pieces[] = {"\"",
					     "\\",
					     "/",
					     "\b\f\n\r\t",
					     "\x01",
					     "\x7f",
					     "\xc3\xa9",
					     "\xc2\x9b",
					     "\xe2\x80\xae",
					     "\xe2\x82\xac",
					     "plain",
					     "\xef\xbb\xbf",
					     "\xf0\x9f\x98\x80",
					     "\xd8\x9c",
					     "u0041"};
	struct writer w = writer_fixed(room, 128);

	for (uint32_t count = draw(seed) % 8; count; count--)
		writer_text(&w, pieces[draw(seed) % ARRAY_COUNT(pieces)]);
	return writer_slice(&w);
}

static void write_random(struct json_writer *j, uint64_t *seed, unsigned depth)
{
	uint32_t kind = draw(seed) % (depth < 6 ? 7 : 5);
	uint8_t room[128], key[16];

	switch (kind) {
	case 0:
		json_null(j);
		break;
	case 1:
		json_boolean(j, draw(seed) % 2);
		break;
	case 2:
		json_number(j, (int64_t)((uint64_t)draw(seed) << 33 | draw(seed)));
		break;
	case 3:
		json_real(j, (double)draw(seed) / 7.0);
		break;
	case 4:
		json_string(j, random_text(seed, room));
		break;
	case 5:
		json_array(j);
		for (uint32_t count = draw(seed) % 5; count; count--)
			write_random(j, seed, depth + 1);
		json_array_end(j);
		break;
	default:
		json_object(j);
		for (uint32_t count = draw(seed) % 5; count; count--) {
			struct writer name = writer_fixed(key, sizeof(key));

			/* The count keeps the names apart. */
			writer_decimal(&name, count);
			writer_text(&name, draw(seed) % 2 ? "\"\n" : "\xc3\xa9");
			json_key_slice(j, writer_slice(&name));
			write_random(j, seed, depth + 1);
		}
		json_object_end(j);
		break;
	}
}

static void assert_text(struct slice token, const char *wanted, size_t length)
{
	struct writer out = writer_growing(DOCUMENT_MAX);

	json_unescape(&out, token);
	assert_true(slice_equal(writer_slice(&out), slice_of(wanted, length)));
	writer_free(&out);
}

static void assert_same(struct json_reader *r, enum json_kind kind, struct slice token,
			json_t *value)
{
	char number[64] = "";

	switch (kind) {
	case JSON_OBJECT:
		assert_int_equal(json_typeof(value), JANSSON_OBJECT);
		/* jansson keeps the order of insertion. */
		for (void *at = json_object_iter(value); at;
		     at = json_object_iter_next(value, at)) {
			assert_int_equal(json_next(r, &token), JSON_KEY);
			assert_text(token, json_object_iter_key(at),
				    strlen(json_object_iter_key(at)));
			kind = json_next(r, &token);
			assert_same(r, kind, token, json_object_iter_value(at));
		}
		assert_int_equal(json_next(r, &token), JSON_OBJECT_END);
		break;
	case JSON_ARRAY:
		assert_int_equal(json_typeof(value), JANSSON_ARRAY);
		for (size_t i = 0; i < json_array_size(value); i++) {
			kind = json_next(r, &token);
			assert_same(r, kind, token, json_array_get(value, i));
		}
		assert_int_equal(json_next(r, &token), JSON_ARRAY_END);
		break;
	case JSON_STRING:
		assert_int_equal(json_typeof(value), JANSSON_STRING);
		assert_text(token, json_string_value(value), json_string_length(value));
		break;
	case JSON_NUMBER:
		assert_true(token.length < sizeof(number));
		memcpy(number, token.at, token.length);
		assert_true(strtod(number, NULL) == json_number_value(value));
		break;
	default:
		assert_int_equal(json_typeof(value), kind == JSON_TRUE    ? JANSSON_TRUE
						     : kind == JSON_FALSE ? JANSSON_FALSE
									  : JANSSON_NULL);
	}
}

static json_t *judge(struct slice text)
{
	json_error_t error;

	return json_loadb((const char *)text.at, text.length, JSON_DECODE_ANY | JSON_ALLOW_NUL,
			  &error);
}

static void test_random_documents(void **state)
{
	struct writer out = writer_growing(DOCUMENT_MAX);
	uint64_t seed = 1;

	for (int round = 0; round < ROUNDS; round++) {
		struct json_writer j = json_writer_of(&out);
		struct json_reader r;
		enum json_kind kind;
		struct slice token;
		json_t *value;
		char *dumped;

		writer_clear(&out);
		write_random(&j, &seed, 0);
		assert_false(out.failed);
		value = judge(writer_slice(&out));
		if (!value)
			fail_msg("jansson refuses: %.*s", (int)out.length, (const char *)out.at);
		r = json_reader_of(writer_slice(&out));
		kind = json_next(&r, &token);
		assert_same(&r, kind, token, value);
		assert_int_equal(json_next(&r, &token), JSON_END);
		/* And what jansson writes, with other spacing and escapes. */
		dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_ENSURE_ASCII |
						   JSON_ESCAPE_SLASH | JSON_REAL_PRECISION(17));
		assert_non_null(dumped);
		r = json_reader_of(slice_text(dumped));
		kind = json_next(&r, &token);
		assert_same(&r, kind, token, value);
		assert_int_equal(json_next(&r, &token), JSON_END);
		free(dumped);
		json_decref(value);
	}
	writer_free(&out);
}

static bool accepted(struct slice text)
{
	struct json_reader r = json_reader_of(text);
	enum json_kind kind;
	struct slice token;

	do {
		kind = json_next(&r, &token);
	} while (kind != JSON_ERROR && kind != JSON_END);
	return kind == JSON_END;
}

static void test_malformed(void **state)
{
	static const char *const broken[] = {
		"",         " ",          "{",         "}",           "[",         "]",
		"[1,]",     "[,1]",       "{,}",       "{\"a\"}",     "{\"a\":}",  "{\"a\":1,}",
		"{a:1}",    "{1:1}",      "[1 2]",     "01",          "-",         "+1",
		"1.",       ".5",         "1e",        "1e+",         "0x10",      "\"",
		"\"\\",     "\"\\x\"",    "\"\\u12\"", "\"\\u12g4\"", "\"\n\"",    "tru",
		"nulll",    "true false", "1 1",       "[1}",         "{\"a\":1]", "NaN",
		"Infinity", "'a'",        "[1]]",      "{\"a\":1}}",  "[\"a]",     "\xef\xbb\xbf{}",
	};
	static const char *const whole[] = {
		"0",  "-0",    "1.5e-3", "1E9",          "\"\"",           "[]",
		"{}", " [ ] ", "null",   "{\"a\":[{}]}", "\"\\/\\u0041\"", "\t\r\n1\n"};

	for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
		if (accepted(slice_text(broken[i])))
			fail_msg("accepted: %s", broken[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(whole); i++) {
		if (!accepted(slice_text(whole[i])))
			fail_msg("refused: %s", whole[i]);
	}
}

/* Any damage of one byte: both libraries agree, but for invalid UTF-8, which the reader lets pass,
 * and numbers and surrogates, which only jansson resolves. */
static void test_damage_agrees_with_jansson(void **state)
{
	static const char text[] =
		"{\"a\":[1,-2,true,null,\"x\\n\"],\"b\":{\"c\":\"d\"},\"e\":false}";
	uint8_t copy[sizeof(text)];

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (unsigned byte = 0; byte < 0x80; byte++) {
			struct slice damaged = slice_of(copy, sizeof(text) - 1);
			json_t *value;

			memcpy(copy, text, sizeof(text));
			copy[at] = (uint8_t)byte;
			value = judge(damaged);
			if (accepted(damaged) != (value != NULL))
				fail_msg("they differ on: %.*s", (int)damaged.length,
					 (const char *)copy);
			json_decref(value);
		}
	}
}

static void test_reader_depth(void **state)
{
	uint8_t text[2 * (JSON_DEPTH_MAX + 1)];

	for (int step = -1; step <= 1; step++) {
		size_t depth = (size_t)(JSON_DEPTH_MAX + step);

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(accepted(slice_of(text, 2 * depth)), step <= 0);
	}
}

/* The writer keeps one level for what is written into the innermost container. */
static void test_writer_depth(void **state)
{
	for (int step = -2; step <= 0; step++) {
		struct writer out = writer_growing(4096);
		struct json_writer j = json_writer_of(&out);

		for (int i = 0; i < JSON_DEPTH_MAX + step; i++)
			json_array(&j);
		assert_int_equal(out.failed, step == 0);
		writer_free(&out);
	}
}

static void test_skip(void **state)
{
	struct json_reader r = json_reader_of(SLICE("[{\"a\":[1,{\"b\":2}]},3]"));
	struct slice token;

	assert_int_equal(json_next(&r, &token), JSON_ARRAY);
	assert_int_equal(json_next(&r, &token), JSON_OBJECT);
	assert_int_equal(json_skip(&r, JSON_OBJECT), 0);
	assert_int_equal(json_next(&r, &token), JSON_NUMBER);
	assert_true(slice_is(token, "3"));
	assert_int_equal(json_skip(&r, JSON_NUMBER), 0);
	assert_int_equal(json_next(&r, &token), JSON_ARRAY_END);
	assert_int_equal(json_next(&r, &token), JSON_END);
	r = json_reader_of(SLICE("[[1,"));
	assert_int_equal(json_next(&r, &token), JSON_ARRAY);
	assert_int_equal(json_next(&r, &token), JSON_ARRAY);
	assert_int_equal(json_skip(&r, JSON_ARRAY), -1);
}

static void test_quote(void **state)
{
	uint8_t room[128];
	struct writer out = writer_fixed(room, sizeof(room));

	json_quote(&out, SLICE("a\x1b\x7f\xff\xc2\x9b\xe2\x80\xae\xc3\xa9\xf0\x9f\x98\x80\0"));
	assert_true(slice_is(writer_slice(&out),
			     "\"a\\u001b\\u007f\xef\xbf\xbd\\u009b\\u202e\xc3\xa9\xf0\x9f\x98\x80"
			     "\\u0000\""));
	assert_text(SLICE("\\ud83d\\ude00 \\ud83d \\ude00"),
		    "\xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbf\xbd", 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_documents),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_damage_agrees_with_jansson),
		cmocka_unit_test(test_reader_depth),
		cmocka_unit_test(test_writer_depth),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
