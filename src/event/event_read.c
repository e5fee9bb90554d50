/* An event from a line of JSON.
 *
 * Lines of one writer resemble each other. Who reads many remembers what stood between the values
 * of one field and the next, and where it stands there again, nothing of it is parsed.
 *
 * Text without escapes is borrowed from the line. Which fields were escaped stands at the line's
 * end (sundew.escaped), so that escaping is undone last, in place: a text that holds a backslash
 * was copied to the arena when JSON's own escapes were undone. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "event/opening.h"

#define PATH_MAX_LENGTH 64  /* longer than any path of the schema */
#define NESTING_MAX     8   /* deeper than any path of the schema */
#define LIST_READ_MAX   256 /* sundew.truncated and .escaped may name every field */

_Static_assert(LIST_READ_MAX >= EVENT_LIST_MAX && LIST_READ_MAX >= FIELD_COUNT,
	       "a list that was written must be readable");

struct reading {
	struct event *event;
	struct arena *arena;
	struct json_reader json;
	struct event_habits *habits; /* or NULL */
	const char *why;
	enum event_field
		expected;      /* the one after the last that was found: writers keep the order */
	enum event_field last; /* whose value was read last; FIELD_COUNT: none yet */
	bool at_last;          /* nothing was read since */
	bool path_behind;      /* path, ends and depth are not yet those of `last` */
	char path[PATH_MAX_LENGTH + 1];
	size_t ends[NESTING_MAX]; /* length of the path at each level, with the dot */
	unsigned depth;
};

static int fail(struct reading *reading, const char *why)
{
	reading->why = why;
	return -1;
}

static const uint8_t path_lengths[FIELD_COUNT] = {
#define FIELD(symbol, path, type, meaning) sizeof(path) - 1,
#include "event/schema.def"
#undef FIELD
};

/* Looks from the expected field on; the search costs a comparison of lengths for each it passes. */
static enum event_field find_field(struct reading *reading, struct slice path)
{
	for (unsigned step = 0, field = reading->expected; step < FIELD_COUNT; step++, field++) {
		if (field >= FIELD_COUNT)
			field = 0;
		if (path_lengths[field] == path.length &&
		    memcmp(event_fields[field].path, path.at, path.length) == 0) {
			reading->expected = field + 1;
			return field;
		}
	}
	return FIELD_COUNT;
}

/* True when the path is that of an object which holds fields; the first of them is expected next.
 */
static bool find_object(struct reading *reading, struct slice path)
{
	for (unsigned step = 0, field = reading->expected; step < FIELD_COUNT; step++, field++) {
		if (field >= FIELD_COUNT)
			field = 0;
		if (path_lengths[field] > path.length &&
		    event_fields[field].path[path.length] == '.' &&
		    memcmp(event_fields[field].path, path.at, path.length) == 0) {
			reading->expected = field;
			return true;
		}
	}
	return false;
}

static int take_text(struct reading *reading, struct slice token, struct slice *text)
{
	struct writer out;
	uint8_t *room;

	if (json_is_plain(token)) {
		*text = token;
		return 0;
	}
	/* No escape is shorter than what it stands for. */
	room = arena_take(reading->arena, token.length);
	if (!room)
		return fail(reading, "no memory for its text");
	out = writer_fixed(room, token.length);
	json_unescape(&out, token);
	*text = writer_slice(&out);
	return 0;
}

static int base64_digit(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

/* RFC 4648, with its padding; returns the number of bytes or -1. */
static int64_t base64_decode(struct slice text, uint8_t *out)
{
	size_t length = text.length, count = 0;
	uint32_t group = 0;

	if (length % 4)
		return -1;
	while (length && text.length - length < 2 && text.at[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++) {
		int digit = base64_digit(text.at[i]);

		if (digit < 0)
			return -1;
		group = group << 6 | (uint32_t)digit;
		if (i % 4 == 3) {
			out[count++] = (uint8_t)(group >> 16);
			out[count++] = (uint8_t)(group >> 8);
			out[count++] = (uint8_t)group;
		}
	}
	if (length % 4 == 2) {
		out[count++] = (uint8_t)(group >> 4);
	} else if (length % 4 == 3) {
		out[count++] = (uint8_t)(group >> 10);
		out[count++] = (uint8_t)(group >> 2);
	}
	return (int64_t)count;
}

static int take_bytes(struct reading *reading, struct slice token, struct slice *bytes)
{
	struct slice text;
	int64_t length;
	uint8_t *room;

	/* A slash may come escaped from other writers. */
	if (take_text(reading, token, &text) < 0)
		return -1;
	room = arena_take(reading->arena, text.length / 4 * 3 + 1);
	if (!room)
		return fail(reading, "no memory for its bytes");
	length = base64_decode(text, room);
	if (length < 0)
		return fail(reading, "bytes that are not base64");
	*bytes = slice_of(room, (size_t)length);
	return 0;
}

/* Not inlined: its list is big, and events with lists are few. */
__attribute__((noinline)) static int take_texts(struct reading *reading, enum event_field field)
{
	struct slice items[LIST_READ_MAX], token, *kept;
	enum json_kind kind;
	size_t count = 0;

	while ((kind = json_next(&reading->json, &token)) == JSON_STRING) {
		if (count == LIST_READ_MAX)
			return fail(reading, "a list with too many items");
		if (take_text(reading, token, &items[count++]) < 0)
			return -1;
	}
	if (kind == JSON_ERROR)
		return fail(reading, "broken JSON");
	if (kind != JSON_ARRAY_END)
		return fail(reading, "a list that holds something else than text");
	kept = arena_take(reading->arena, count ? count * sizeof(*kept) : 1);
	if (!kept)
		return fail(reading, "no memory for a list");
	if (count)
		memcpy(kept, items, count * sizeof(*kept));
	event_set_texts(reading->event, field, kept, count);
	return 0;
}

/* Few digits: whole number and power of ten are exact, so that the quotient is rounded once, as the
 * nearest double (W. Clinger, 1990). */
static bool read_short_real(struct slice token, double *real)
{
	static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	bool negative = token.length && token.at[0] == '-', has_point = false;
	size_t digits = 0, places = 0;
	int64_t number = 0;

	for (size_t i = negative; i < token.length; i++) {
		if (token.at[i] == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (token.at[i] < '0' || token.at[i] > '9' || ++digits > 15)
			return false;
		number = number * 10 + (token.at[i] - '0');
		places += has_point;
	}
	*real = (double)number / powers[places];
	if (negative)
		*real = -*real;
	return digits > 0;
}

static int take_real(struct reading *reading, struct slice token, double *real)
{
	char text[64];

	if (read_short_real(token, real))
		return 0;
	if (token.length >= sizeof(text))
		return fail(reading, "a number with too many digits");
	memcpy(text, token.at, token.length);
	text[token.length] = 0;
	*real = strtod(text, NULL);
	return 0;
}

/* "2026-11-23T23:59:36.123456Z" */
static bool is_usual_time(struct slice token)
{
	if (token.length != CLOCK_TEXT_LENGTH || token.at[19] != '.' || token.at[26] != 'Z')
		return false;
	for (size_t i = 20; i < 26; i++) {
		if (token.at[i] < '0' || token.at[i] > '9')
			return false;
	}
	return true;
}

/* Most times share their second with the one before. */
static int take_time(struct reading *reading, struct slice token, int64_t *time)
{
	struct event_second *second =
		reading->habits && is_usual_time(token) ? &reading->habits->read : NULL;

	if (second && second->number && memcmp(second->text, token.at, 19) == 0) {
		*time = (second->number - 1) * SECOND;
		for (int64_t i = 20, unit = SECOND / 10; i < 26; i++, unit /= 10)
			*time += (token.at[i] - '0') * unit;
		return 0;
	}
	if (clock_parse(token, time) < 0)
		return -1;
	if (second && *time >= 0) {
		second->number = *time / SECOND + 1;
		memcpy(second->text, token.at, CLOCK_TEXT_LENGTH);
	}
	return 0;
}

static int take_string(struct reading *reading, enum event_field field, struct slice token)
{
	struct slice text;
	struct address address;
	int64_t time;

	switch (event_fields[field].type) {
	case FIELD_TYPE_TIME:
		if (take_time(reading, token, &time) < 0)
			return fail(reading, "a time that is not RFC 3339");
		event_set_number(reading->event, field, time);
		return 0;
	case FIELD_TYPE_TEXT:
		if (take_text(reading, token, &text) < 0)
			return -1;
		event_set_text(reading->event, field, text);
		return 0;
	case FIELD_TYPE_ADDRESS:
		if (address_parse(token, &address) < 0)
			return fail(reading, "something else than an Internet address");
		event_set_address(reading->event, field, &address);
		return 0;
	case FIELD_TYPE_BYTES:
		if (take_bytes(reading, token, &text) < 0)
			return -1;
		event_set_text(reading->event, field, text);
		return 0;
	default:
		return fail(reading, "text where a number or a list belongs");
	}
}

static int take_number(struct reading *reading, enum event_field field, struct slice token)
{
	int64_t number;
	double real;

	if (event_fields[field].type == FIELD_TYPE_REAL) {
		if (take_real(reading, token, &real) < 0)
			return -1;
		event_set_real(reading->event, field, real);
		return 0;
	}
	if (event_fields[field].type != FIELD_TYPE_NUMBER)
		return fail(reading, "a number where text belongs");
	if (slice_number(token, INT64_MIN, INT64_MAX, &number) < 0)
		return fail(reading, "a number that is not a whole one of 64 bits");
	event_set_number(reading->event, field, number);
	return 0;
}

static int take_value(struct reading *reading, enum event_field field, enum json_kind kind,
		      struct slice token)
{
	if (field == FIELD_COUNT)
		return json_skip(&reading->json, kind) < 0 ? fail(reading, "broken JSON") : 0;
	switch (kind) {
	case JSON_STRING:
		return take_string(reading, field, token);
	case JSON_NUMBER:
		return take_number(reading, field, token);
	case JSON_ARRAY:
		if (event_fields[field].type != FIELD_TYPE_TEXTS)
			return fail(reading, "a list where one value belongs");
		return take_texts(reading, field);
	case JSON_NULL:
		return 0; /* as good as absent */
	case JSON_ERROR:
		return fail(reading, "broken JSON");
	default:
		return fail(reading, "an object or a truth value where another type belongs");
	}
}

static void learn(struct event_habits *habits, enum event_field before, enum event_field field)
{
	uint8_t *follows = habits->follows[before];

	if (follows[0] == field + 1)
		return;
	follows[1] = follows[0];
	follows[0] = (uint8_t)(field + 1);
}

static int take_field(struct reading *reading, enum event_field field, enum json_kind kind,
		      struct slice token)
{
	if (take_value(reading, field, kind, token) < 0)
		return -1;
	if (field == FIELD_COUNT)
		return 0;
	if (reading->habits)
		learn(reading->habits, reading->last, field);
	reading->last = field;
	reading->at_last = true;
	return 0;
}

/* Handles one key and its value; an object's members come one level down. */
static int take_member(struct reading *reading, struct slice key)
{
	size_t start = reading->depth ? reading->ends[reading->depth - 1] : 0;
	size_t length = start + key.length;
	struct slice token, path;
	enum json_kind kind = json_next(&reading->json, &token);

	/* Longer or deeper than any path of the schema: no field of ours, nor anything below it. */
	if (length >= PATH_MAX_LENGTH || (kind == JSON_OBJECT && reading->depth == NESTING_MAX))
		return take_field(reading, FIELD_COUNT, kind, token);
	memcpy(reading->path + start, key.at, key.length);
	path = slice_of(reading->path, length);
	if (kind != JSON_OBJECT)
		return take_field(reading, find_field(reading, path), kind, token);
	if (!find_object(reading, path) && event_field_named(path) != FIELD_COUNT)
		return fail(reading, "an object where one value belongs");
	reading->path[length] = '.';
	reading->ends[reading->depth++] = length + 1;
	return 0;
}

/* The path that a value of the last field leaves open. */
static void catch_up(struct reading *reading)
{
	const char *path = event_fields[reading->last].path;

	reading->path_behind = false;
	reading->depth = 0;
	for (size_t i = 0; path[i]; i++) {
		reading->path[i] = path[i];
		if (path[i] == '.')
			reading->ends[reading->depth++] = i + 1;
	}
	reading->expected = reading->last + 1;
}

/* Where the line goes on as lines lately did, takes the next field: 1, 0 when it does not, -1. */
static int take_usual(struct reading *reading)
{
	const uint8_t *follows = reading->habits->follows[reading->last];
	struct slice rest = slice_from(reading->json.text, reading->json.at), token;

	for (int i = 0; i < 2 && follows[i]; i++) {
		enum event_field field = follows[i] - 1u;
		const struct event_opening *opening =
			opening_usual(reading->habits, reading->last, field);
		enum json_kind kind;

		if (!opening || rest.length < opening->length ||
		    memcmp(rest.at, opening->text, opening->length) != 0)
			continue;
		json_jump(&reading->json, reading->json.at + opening->length, opening->depth);
		reading->path_behind = true;
		kind = json_next(&reading->json, &token);
		return take_field(reading, field, kind, token) < 0 ? -1 : 1;
	}
	return 0;
}

/* One token of the line, with its value if it is a key: 1, 0 at its end, -1. */
static int take_step(struct reading *reading)
{
	struct slice token;

	reading->at_last = false;
	if (reading->path_behind)
		catch_up(reading);
	switch (json_next(&reading->json, &token)) {
	case JSON_KEY:
		return take_member(reading, token) < 0 ? -1 : 1;
	case JSON_OBJECT_END:
		if (reading->depth)
			reading->depth--;
		return 1;
	case JSON_END:
		return 0;
	default:
		return fail(reading, "broken JSON");
	}
}

static int take_members(struct reading *reading)
{
	int more = reading->habits ? take_usual(reading) : 0;
	struct slice token;

	if (more < 0)
		return -1;
	if (more == 0 && json_next(&reading->json, &token) != JSON_OBJECT)
		return fail(reading, "not a JSON object");
	do {
		more = reading->habits && reading->at_last ? take_usual(reading) : 0;
		if (more == 0)
			more = take_step(reading);
	} while (more > 0);
	return more;
}

/* Undoes \xNN and \\ in place; see the top of this file for why the text may be written to. */
static int undo_escapes(struct reading *reading, struct slice *text)
{
	size_t first = slice_find_byte(*text, '\\'), from, to;
	uint8_t *at = (uint8_t *)(uintptr_t)text->at;

	if (first == SIZE_MAX)
		return 0;
	for (from = to = first; from < text->length;) {
		struct slice rest = slice_from(*text, from);

		if (rest.at[0] != '\\') {
			at[to++] = rest.at[0];
			from++;
		} else if (rest.length >= 2 && rest.at[1] == '\\') {
			at[to++] = '\\';
			from += 2;
		} else if (rest.length >= 4 && rest.at[1] == 'x' &&
			   slice_unhex(slice_of(rest.at + 2, 2), at + to, 1) == 1) {
			to++;
			from += 4;
		} else {
			return fail(reading,
				    "an escape in the text that is neither \\xNN nor \\\\");
		}
	}
	text->length = to;
	return 0;
}

static int undo_field(struct reading *reading, enum event_field field)
{
	struct event *event = reading->event;

	if (!event_has(event, field))
		return 0;
	if (event_fields[field].type == FIELD_TYPE_TEXT)
		return undo_escapes(reading, &event->values[field].text);
	if (event_fields[field].type != FIELD_TYPE_TEXTS)
		return 0;
	/* The items were made by take_texts, in the arena. */
	struct slice *items = (struct slice *)(uintptr_t)event->values[field].texts.items;

	for (size_t i = 0; i < event->values[field].texts.count; i++) {
		if (undo_escapes(reading, &items[i]) < 0)
			return -1;
	}
	return 0;
}

static int undo_all(struct reading *reading)
{
	struct event *event = reading->event;
	uint64_t done[(FIELD_COUNT + 63) / 64] = {0};

	if (!event_has(event, FIELD_ESCAPED))
		return 0;
	event_unset(event, FIELD_ESCAPED);
	for (size_t i = 0; i < event->values[FIELD_ESCAPED].texts.count; i++) {
		enum event_field field =
			event_field_named(event->values[FIELD_ESCAPED].texts.items[i]);

		/* A field named twice is undone once. */
		if (field == FIELD_COUNT || done[field / 64] >> (field % 64) & 1)
			continue;
		done[field / 64] |= (uint64_t)1 << (field % 64);
		if (undo_field(reading, field) < 0)
			return -1;
	}
	return 0;
}

int event_read_as_usual(struct event *event, struct slice line, struct arena *arena,
			const char **why, struct event_habits *habits)
{
	/* Not one initialiser: the path need not be cleared. */
	struct reading reading;

	reading.event = event;
	reading.arena = arena;
	reading.json = json_reader_of(line);
	reading.habits = habits;
	reading.why = NULL;
	reading.expected = 0;
	reading.last = FIELD_COUNT;
	reading.at_last = false;
	reading.path_behind = false;
	reading.depth = 0;
	event_clear(event);
	if (take_members(&reading) < 0 || undo_all(&reading) < 0) {
		*why = reading.why;
		return -1;
	}
	return 0;
}

int event_read(struct event *event, struct slice line, struct arena *arena, const char **why)
{
	return event_read_as_usual(event, line, arena, why, NULL);
}
