/* Events to lines and back, whatever the bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "event/event.h"

#define ROUNDS    20000
#define TEXT_ROOM 300

/* A generator of its own, so that a failure can be repeated. */
static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*seed >> 33);
}

/* Mostly ASCII, or with what is hard: any byte, NUL, quotes, escapes, newlines, broken UTF-8. */
static struct slice random_text(uint64_t *seed, uint8_t room[TEXT_ROOM])
{
	static const char *const hard[] = {"\\",       "\\x41",        "\"",
					   "\n",       "\r",           "\x7f",
					   "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
					   "\xc3",     "\xe2\x82",     "\xed\xa0\x80",
					   "\xc2\x9b", "\xe2\x80\xae", "\\u0000"};
	struct writer w = writer_fixed(room, TEXT_ROOM);
	uint32_t kind = draw(seed) % 4, pieces = draw(seed) % 40;

	for (uint32_t i = 0; i < pieces; i++) {
		if (kind == 0)
			writer_u8(&w, (uint8_t)draw(seed));
		else if (kind == 1)
			writer_text(&w, hard[draw(seed) % ARRAY_COUNT(hard)]);
		else if (kind == 2 && draw(seed) % 8 == 0)
			writer_u8(&w, 0);
		else
			writer_u8(&w, (uint8_t)(' ' + draw(seed) % 95));
	}
	return writer_slice(&w);
}

struct room {
	uint8_t text[FIELD_COUNT][TEXT_ROOM];
	uint8_t items_text[FIELD_COUNT][4][TEXT_ROOM];
	struct slice items[FIELD_COUNT][4];
};

static void set_random(struct event *event, enum event_field field, uint64_t *seed,
		       struct room *room)
{
	struct address address = address_v4(draw(seed));
	size_t count;

	switch (event_fields[field].type) {
	case FIELD_TYPE_TIME:
		event_set_number(event, field, (int64_t)draw(seed) * 1000003);
		break;
	case FIELD_TYPE_NUMBER:
		event_set_number(event, field, (int64_t)((uint64_t)draw(seed) << 33) * -3);
		break;
	case FIELD_TYPE_REAL:
		event_set_real(event, field, (double)draw(seed) / 3.0 - 1e9);
		break;
	case FIELD_TYPE_ADDRESS:
		if (draw(seed) % 2) {
			address.family = 6;
			address.bytes[0] = 0x20;
			address.bytes[15] = (uint8_t)draw(seed);
		}
		event_set_address(event, field, &address);
		break;
	case FIELD_TYPE_TEXTS:
		count = draw(seed) % 5;
		for (size_t i = 0; i < count; i++)
			room->items[field][i] = random_text(seed, room->items_text[field][i]);
		event_set_texts(event, field, room->items[field], count);
		break;
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		event_set_text(event, field, random_text(seed, room->text[field]));
		break;
	}
}

static void assert_same_field(const struct event *a, const struct event *b, enum event_field field)
{
	switch (event_fields[field].type) {
	case FIELD_TYPE_TIME:
	case FIELD_TYPE_NUMBER:
		assert_int_equal(event_number(a, field), event_number(b, field));
		break;
	case FIELD_TYPE_REAL:
		assert_true(a->values[field].real == b->values[field].real);
		break;
	case FIELD_TYPE_ADDRESS:
		assert_true(address_equal(event_address(a, field), event_address(b, field)));
		break;
	case FIELD_TYPE_TEXTS:
		assert_int_equal(a->values[field].texts.count, b->values[field].texts.count);
		for (size_t i = 0; i < a->values[field].texts.count; i++)
			assert_true(slice_equal(a->values[field].texts.items[i],
						b->values[field].texts.items[i]));
		break;
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_BYTES:
		assert_true(slice_equal(event_text(a, field), event_text(b, field)));
		break;
	}
}

/* Reads a line plainly and as usual, after whatever was read before; both must agree. */
static int read_both(struct event *event, struct slice line, struct arena *arena, const char **why)
{
	static struct event_habits habits;
	struct event usual;
	const char *usual_why = NULL;
	int result = event_read(event, line, arena, why);

	assert_int_equal(event_read_as_usual(&usual, line, arena, &usual_why, &habits), result);
	if (result < 0) {
		assert_non_null(usual_why);
		return result;
	}
	assert_memory_equal(usual.present, event->present, sizeof(usual.present));
	for (enum event_field field = 0; field < FIELD_COUNT; field++) {
		if (event_has(event, field))
			assert_same_field(event, &usual, field);
	}
	return result;
}

/* Walks what jansson read: every leaf is a field of the schema. Returns the number of leaves. */
static size_t count_leaves(json_t *object, const char *prefix)
{
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		char room[256];
		struct writer path = writer_fixed(room, sizeof(room));

		writer_format(&path, "%s%s%s", prefix, *prefix ? "." : "", key);
		room[path.length] = 0;
		if (json_is_object(value)) {
			count += count_leaves(value, room);
			continue;
		}
		assert_true(event_field_named(writer_slice(&path)) != FIELD_COUNT);
		count++;
	}
	return count;
}

static size_t assert_valid(struct slice line)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)line.at, line.length,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	size_t leaves;

	if (!json)
		fail_msg("jansson refuses the line: %s", error.text);
	assert_true(json_is_object(json));
	leaves = count_leaves(json, "");
	json_decref(json);
	for (size_t i = 0; i < line.length; i++)
		assert_true(line.at[i] >= 0x20 && line.at[i] != 0x7f);
	assert_true(slice_find(line, SLICE("\xc2\x9b")) == SIZE_MAX);
	assert_true(slice_find(line, SLICE("\xe2\x80\xae")) == SIZE_MAX);
	return leaves;
}

static void test_round_trip(void **state)
{
	static struct room room;
	static struct event_habits habits;
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct writer usual = writer_growing(EVENT_LINE_MAX);
	struct arena arena = arena_of(4 * EVENT_LINE_MAX);
	uint64_t seed = 42;

	for (int round = 0; round < ROUNDS; round++) {
		struct event event, back;
		const char *why = "";
		uint32_t share = 1 + draw(&seed) % 8;

		event_clear(&event);
		for (enum event_field field = 0; field < FIELD_TRUNCATED; field++) {
			if (draw(&seed) % share == 0)
				set_random(&event, field, &seed, &room);
		}
		writer_clear(&out);
		event_write(&event, &out);
		assert_false(out.failed);
		writer_clear(&usual);
		event_write_as_usual(&event, &usual, &habits);
		assert_true(slice_equal(writer_slice(&usual), writer_slice(&out)));
		if (round % 16 == 0)
			assert_valid(writer_slice(&out));
		if (read_both(&back, writer_slice(&out), &arena, &why) < 0)
			fail_msg("round %d: %s", round, why);
		for (enum event_field field = 0; field < FIELD_COUNT; field++) {
			bool wanted = field == FIELD_SCHEMA || event_has(&event, field);

			assert_int_equal(event_has(&back, field), wanted);
			if (event_has(&event, field))
				assert_same_field(&event, &back, field);
		}
		arena_drop(&arena);
	}
	writer_free(&usual);
	writer_free(&out);
}

/* Times are remembered by the second. */
static void test_times_as_usual(void **state)
{
	static const int64_t times[] = {0,
					1,
					999999,
					1000000,
					1795467576123456,
					1795467576999999,
					1795467577000000,
					1795467576000000,
					-1,
					253402300799999999,
					INT64_MAX,
					0};
	static struct event_habits habits;
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct writer usual = writer_growing(EVENT_LINE_MAX);

	for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
		struct event event;

		event_clear(&event);
		event_set_number(&event, FIELD_TIME, times[i]);
		writer_clear(&out);
		writer_clear(&usual);
		event_write(&event, &out);
		event_write_as_usual(&event, &usual, &habits);
		assert_true(slice_equal(writer_slice(&usual), writer_slice(&out)));
	}
	writer_free(&out);
	writer_free(&usual);
}

static void test_exact_form(void **state)
{
	struct address v4 = address_v4(0xc0000201);
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct event event;

	event_clear(&event);
	event_write(&event, &out);
	assert_true(slice_is(writer_slice(&out), "{\"sundew\":{\"schema\":1}}"));
	writer_clear(&out);
	event_set_number(&event, FIELD_TIME, 1795467576123456);
	event_set_address(&event, FIELD_SOURCE_IP, &v4);
	event_set_real(&event, FIELD_SOURCE_LATITUDE, 52.37);
	event_set_number(&event, FIELD_SOURCE_ASN, -1);
	event_set_text(&event, FIELD_USER_NAME, SLICE("r\\o\"t\n\xff"));
	event_set_text(&event, FIELD_AUTH_PASSWORD, SLICE("c:\\"));
	event_write(&event, &out);
	assert_true(slice_is(
		writer_slice(&out),
		"{\"@timestamp\":\"2026-11-23T20:59:36.123456Z\","
		"\"source\":{\"ip\":\"192.0.2.1\",\"geo\":{\"location\":{\"lat\":52.37}},"
		"\"as\":{\"number\":-1}},\"user\":{\"name\":\"r\\\\\\\\o\\\"t\\n\\\\xff\"},"
		"\"sundew\":{\"schema\":1,\"auth\":{\"password\":\"c:\\\\\"},"
		"\"escaped\":[\"user.name\"]}}"));
	writer_free(&out);
}

/* Nothing for which JSON has no word may break the line. */
static void test_odd_values(void **state)
{
	struct address none = {.family = 0};
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct event event;

	event_clear(&event);
	event_set_real(&event, FIELD_SOURCE_LATITUDE, NAN);
	event_set_real(&event, FIELD_SOURCE_LONGITUDE, INFINITY);
	event_set_address(&event, FIELD_SOURCE_IP, &none);
	event_set_number(&event, FIELD_TIME, INT64_MIN);
	event_write(&event, &out);
	assert_int_equal(assert_valid(writer_slice(&out)), 2);
	writer_clear(&out);
	event_set_number(&event, FIELD_TIME, INT64_MAX);
	event_write(&event, &out);
	assert_valid(writer_slice(&out));
	assert_true(slice_contains_nocase(writer_slice(&out), "9999-12-31"));
	writer_free(&out);
}

/* Writes a text of this length, reads it, and says whether it was marked as cut. */
static bool is_cut(enum event_field field, size_t length, size_t *kept)
{
	static uint8_t text[2 * EVENT_TEXT_MAX];
	static struct slice items[2 * EVENT_LIST_MAX];
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct arena arena = arena_of(4 * EVENT_LINE_MAX);
	struct event event;
	const char *why;
	bool marked;

	memset(text, 'a', sizeof(text));
	event_clear(&event);
	if (event_fields[field].type == FIELD_TYPE_TEXTS)
		event_set_texts(&event, field, items, length);
	else
		event_set_text(&event, field, slice_of(text, length));
	event_write(&event, &out);
	assert_int_equal(read_both(&event, writer_slice(&out), &arena, &why), 0);
	marked = event_has(&event, FIELD_TRUNCATED);
	*kept = event_fields[field].type == FIELD_TYPE_TEXTS ? event.values[field].texts.count
							     : event_text(&event, field).length;
	arena_drop(&arena);
	writer_free(&out);
	return marked;
}

static void test_caps(void **state)
{
	static const struct {
		enum event_field field;
		size_t cap;
	} caps[] = {{FIELD_COMMAND, EVENT_TEXT_MAX},
		    {FIELD_TAGS, EVENT_LIST_MAX},
		    {FIELD_RAW, EVENT_BYTES_MAX}};

	for (size_t i = 0; i < ARRAY_COUNT(caps); i++) {
		size_t kept;

		assert_false(is_cut(caps[i].field, caps[i].cap - 1, &kept));
		assert_int_equal(kept, caps[i].cap - 1);
		assert_false(is_cut(caps[i].field, caps[i].cap, &kept));
		assert_int_equal(kept, caps[i].cap);
		assert_true(is_cut(caps[i].field, caps[i].cap + 1, &kept));
		assert_int_equal(kept, caps[i].cap);
	}
}

/* A cut does not go through a character, which would turn clean text into escaped text. */
static void test_cut_between_characters(void **state)
{
	static uint8_t text[EVENT_TEXT_MAX + 8];
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct event event;

	memset(text, 'a', sizeof(text));
	memcpy(text + EVENT_TEXT_MAX - 2, "\xf0\x9f\x98\x80", 4);
	event_clear(&event);
	event_set_text(&event, FIELD_COMMAND, slice_of(text, sizeof(text)));
	event_write(&event, &out);
	assert_true(slice_find(writer_slice(&out),
			       SLICE("\"truncated\":[\"process.command_line\"]")) != SIZE_MAX);
	assert_true(slice_find(writer_slice(&out), SLICE("escaped")) == SIZE_MAX);
	writer_free(&out);
}

/* The worst that an event can hold still fits a line, and the short identifiers stay whole. */
static void test_line_limit(void **state)
{
	static const uint8_t worst_bytes[] = {0x01, 0xff, '\\', 'a', 0};
	static uint8_t text[2 * EVENT_TEXT_MAX];
	static struct slice items[2 * EVENT_LIST_MAX];
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct arena arena = arena_of(4 * EVENT_LINE_MAX);

	for (size_t worst = 0; worst < sizeof(worst_bytes); worst++) {
		struct event event;
		const char *why;

		memset(text, worst_bytes[worst], sizeof(text));
		event_clear(&event);
		for (size_t i = 0; i < ARRAY_COUNT(items); i++)
			items[i] = slice_of(text, sizeof(text));
		for (enum event_field field = 0; field < FIELD_COUNT; field++) {
			if (event_fields[field].type == FIELD_TYPE_TEXTS)
				event_set_texts(&event, field, items, ARRAY_COUNT(items));
			else if (event_fields[field].type == FIELD_TYPE_TEXT ||
				 event_fields[field].type == FIELD_TYPE_BYTES)
				event_set_text(&event, field, slice_of(text, sizeof(text)));
		}
		event_set_words(&event, FIELD_SESSION_ID, "01KAS9Z5TRX2W0C8Z4M5K6J7H8");
		writer_clear(&out);
		event_write(&event, &out);
		assert_false(out.failed);
		assert_true(out.length > EVENT_LINE_MAX / 2);
		assert_valid(writer_slice(&out));
		assert_int_equal(read_both(&event, writer_slice(&out), &arena, &why), 0);
		assert_true(slice_is(event_text(&event, FIELD_SESSION_ID),
				     "01KAS9Z5TRX2W0C8Z4M5K6J7H8"));
		arena_drop(&arena);
	}
	writer_free(&out);
}

/* A cut of an earlier hop stays marked, and cannot bring in names of its own. */
static void test_truncated_is_kept(void **state)
{
	const struct slice names[] = {SLICE("user.name"), SLICE("forged\nname")};
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct event event;

	event_clear(&event);
	event_set_texts(&event, FIELD_TRUNCATED, names, 2);
	event_write(&event, &out);
	assert_true(slice_is(writer_slice(&out),
			     "{\"sundew\":{\"schema\":1,\"truncated\":[\"user.name\"]}}"));
	writer_free(&out);
}

static void test_writer_that_is_full(void **state)
{
	uint8_t room[32];
	struct writer out = writer_fixed(room, sizeof(room));
	struct event event;

	event_clear(&event);
	event_set_words(&event, FIELD_MESSAGE, "more than there is room for");
	event_write(&event, &out);
	assert_true(out.failed);
}

static void test_reading_others(void **state)
{
	static const struct {
		const char *line;
		int result;
	} cases[] = {
		{"{\"user\":{\"name\":\"a\"}}", 0},
		{"{\"user.name\":\"a\"}", 0},
		{" { \"new\" : {\"deep\":[[{\"x\":1}]]}, \"user\":{\"new\":{},\"name\":\"a\"} } ",
		 0},
		{"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{}}}}}}}}},"
		 "\"user\":{\"name\":\"a\"}}",
		 0},
		{"{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\":{"
		 "\"name\":\"b\"},\"user\":{\"name\":\"a\"}}",
		 0},
		{"{\"user\":{\"name\":\"a\"},\"source\":{\"ip\":null}}", 0},
		{"{\"user\":{\"name\":1}}", -1},
		{"{\"user\":{\"name\":{\"x\":1}}}", -1},
		{"{\"user\":{\"name\":[\"a\"]}}", -1},
		{"{\"source\":{\"port\":\"22\"}}", -1},
		{"{\"source\":{\"port\":2.5}}", -1},
		{"{\"source\":{\"ip\":\"nowhere\"}}", -1},
		{"{\"@timestamp\":\"yesterday\"}", -1},
		{"{\"sundew\":{\"raw\":\"?\"}}", -1},
		{"{\"sundew\":{\"tags\":[1]}}", -1},
		{"{\"user\":{\"name\":\"\\\\q\"},\"sundew\":{\"escaped\":[\"user.name\"]}}", -1},
		{"{\"user\":{\"name\":\"\\\\x4\"},\"sundew\":{\"escaped\":[\"user.name\"]}}", -1},
		{"[]", -1},
		{"", -1},
		{"{\"user\":{\"name\":\"a\"}", -1},
		{"{\"user\":{\"name\":\"a\"}}}", -1},
		{"{\"user\":{\"name\":\"a\"}} {}", -1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arena arena = arena_of(65536);
		const char *why = NULL;
		struct event event;

		if (read_both(&event, slice_text(cases[i].line), &arena, &why) != cases[i].result)
			fail_msg("%s", cases[i].line);
		if (cases[i].result == 0)
			assert_true(slice_is(event_text(&event, FIELD_USER_NAME), "a"));
		else
			assert_non_null(why);
		arena_drop(&arena);
	}
}

/* Reading any cut or damaged line ends in an error or in fewer fields, never in harm. */
static void test_damaged_lines(void **state)
{
	static struct room room;
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct arena arena = arena_of(EVENT_LINE_MAX);
	uint64_t seed = 7;
	struct event event;
	const char *why;

	event_clear(&event);
	for (enum event_field field = 0; field < FIELD_TRUNCATED; field += 3)
		set_random(&event, field, &seed, &room);
	event_write(&event, &out);
	for (size_t length = 0; length < out.length; length++) {
		assert_int_equal(read_both(&event, slice_of(out.at, length), &arena, &why), -1);
		arena_drop(&arena);
	}
	for (int round = 0; round < ROUNDS; round++) {
		size_t at = draw(&seed) % out.length;
		uint8_t kept = out.at[at];

		out.at[at] = (uint8_t)draw(&seed);
		if (read_both(&event, writer_slice(&out), &arena, &why) < 0)
			assert_non_null(why);
		out.at[at] = kept;
		arena_drop(&arena);
	}
	writer_free(&out);
}

/* What the writer and the reader take for granted of the table. */
static void test_table(void **state)
{
	for (enum event_field a = 0; a < FIELD_COUNT; a++) {
		size_t length = strlen(event_fields[a].path);

		assert_true(length < 64);
		assert_int_equal(event_field_named(slice_text(event_fields[a].path)), a);
		for (enum event_field b = 0; b < FIELD_COUNT; b++) {
			const char *other = event_fields[b].path;

			/* No field is also an object. */
			if (strncmp(event_fields[a].path, other, length) == 0)
				assert_true(other[length] != '.');
		}
	}
	assert_int_equal(FIELD_ESCAPED, FIELD_COUNT - 1);
	assert_int_equal(event_field_named(SLICE("user")), FIELD_COUNT);
	assert_int_equal(event_field_named(SLICE("")), FIELD_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_times_as_usual),
		cmocka_unit_test(test_exact_form),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_cut_between_characters),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_truncated_is_kept),
		cmocka_unit_test(test_writer_that_is_full),
		cmocka_unit_test(test_reading_others),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
