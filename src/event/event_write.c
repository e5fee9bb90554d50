/* An event as one line of JSON.
 *
 * Fields are written in the order of the schema, where equal prefixes stand together, so each
 * object is opened once: what a field shares with the one before it stays open. Text that JSON
 * cannot hold as it is (not UTF-8, or with a NUL) becomes \xNN for such a byte and \\ for a
 * backslash, and its field is named in sundew.escaped.
 *
 * The line stays below EVENT_LINE_MAX whatever the event holds: long text shares a budget, and what
 * is short (identifiers above all) has a part set aside, so that a flood in one field cannot push
 * the session's identifier out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "event/opening.h"

#define SHORT_TEXT    64 /* this much of any text field is always kept */
#define WORST_GROWTH  6  /* a control byte becomes \u00NN */
#define LINE_RESERVE  (FIELD_COUNT * (SHORT_TEXT * WORST_GROWTH + 256) + 2 * EVENT_BYTES_MAX)
#define TEXT_BUDGET   (EVENT_LINE_MAX - LINE_RESERVE)
#define OPENING_MAX   128 /* of one field: brackets, names, quotes */
#define FIELD_WORDS   ((FIELD_COUNT + 63) / 64)
#define TIME_EARLIEST (-INT64_C(62167219200000000)) /* 0000-01-01: the form has four digits */
#define TIME_LATEST   INT64_C(253402300799999999)   /* the end of 9999 */

_Static_assert(LINE_RESERVE < EVENT_LINE_MAX / 2, "too many fields for EVENT_LINE_MAX");

struct line {
	struct writer *out;
	struct event_habits *habits; /* or NULL */
	size_t start;
	enum event_field open; /* the field written last: its objects are open; FIELD_COUNT: none */
	uint64_t truncated[FIELD_WORDS], escaped[FIELD_WORDS];
};

_Static_assert(FIELD_COUNT < UINT8_MAX, "too many fields for event_habits");

static void mark(uint64_t *set, enum event_field field)
{
	set[field / 64] |= (uint64_t)1 << (field % 64);
}

/* Length of what two paths share, up to and with the last dot. */
static size_t shared_prefix(const char *a, const char *b)
{
	size_t shared = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
		if (a[i] == '.')
			shared = i + 1;
	}
	return shared;
}

static const char *path_of(enum event_field field)
{
	return field == FIELD_COUNT ? "" : event_fields[field].path;
}

/* Closes and opens objects, and writes the field's name with its colon; returns the length. */
static size_t make_opening(enum event_field before, enum event_field field,
			   uint8_t text[OPENING_MAX])
{
	const char *open = path_of(before), *path = path_of(field), *at;
	size_t shared = shared_prefix(open, path), length = 0;

	for (at = open + shared; *at; at++) {
		if (*at == '.')
			text[length++] = '}';
	}
	text[length++] = open[0] ? ',' : '{';
	text[length++] = '"';
	for (at = path + shared; *at; at++) {
		if (*at == '.') {
			memcpy(text + length, "\":{\"", 4);
			length += 4;
		} else {
			text[length++] = (uint8_t)*at;
		}
	}
	text[length++] = '"';
	text[length++] = ':';
	return length;
}

static uint8_t depth_of(enum event_field field)
{
	uint8_t depth = 1;

	for (const char *at = path_of(field); *at; at++) {
		if (*at == '.')
			depth++;
	}
	return depth;
}

const struct event_opening *opening_usual(struct event_habits *habits, enum event_field before,
					  enum event_field field)
{
	struct event_opening *opening =
		&habits->openings[(field * 5 + before) % ARRAY_COUNT(habits->openings)];
	uint8_t text[OPENING_MAX] = {0};
	size_t length;

	if (opening->field == field + 1 && opening->after == before + 1)
		return opening;
	length = make_opening(before, field, text);
	if (length > sizeof(opening->text))
		return NULL;
	opening->field = (uint8_t)(field + 1);
	opening->after = (uint8_t)(before + 1);
	opening->length = (uint8_t)length;
	opening->depth = depth_of(field);
	memcpy(opening->text, text, sizeof(opening->text));
	return opening;
}

/* Room in a writer that mostly has it. */
static inline uint8_t *reserve(struct writer *out, size_t length)
{
	if (!out->failed && out->capacity - out->length >= length)
		return out->at + out->length;
	return writer_reserve(out, length);
}

static void open_field(struct line *line, enum event_field field)
{
	const struct event_opening *usual =
		line->habits ? opening_usual(line->habits, line->open, field) : NULL;
	uint8_t text[OPENING_MAX], *at;

	if (!usual) {
		writer_bytes(line->out, slice_of(text, make_opening(line->open, field, text)));
	} else if ((at = reserve(line->out, sizeof(usual->text)))) {
		/* A copy of fixed length is a few instructions; the rest of it is written over. */
		memcpy(at, usual->text, sizeof(usual->text));
		writer_commit(line->out, usual->length);
	}
	line->open = field;
}

static void close_all(struct line *line)
{
	for (const char *at = path_of(line->open); *at; at++) {
		if (*at == '.')
			writer_u8(line->out, '}');
	}
	writer_u8(line->out, '}');
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Nonzero when one of the eight bytes is the given one. */
static uint64_t word_has(uint64_t word, uint8_t byte)
{
	uint64_t zeroed = word ^ EACH_BYTE(byte);

	return (zeroed - EACH_BYTE(1)) & ~zeroed & EACH_BYTE(0x80);
}

/* True for printable ASCII without quotes and backslashes: it stands in JSON as it is. */
static bool is_plain(struct slice s)
{
	uint64_t word, found = 0;
	size_t i;

	for (i = 0; i + 8 <= s.length; i += 8) {
		memcpy(&word, s.at + i, 8);
		found |= word & EACH_BYTE(0x80);
		found |= (word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80);
		found |= word_has(word, '"') | word_has(word, '\\') | word_has(word, 0x7f);
	}
	for (; i < s.length; i++)
		found |= s.at[i] < 0x20 || s.at[i] >= 0x7f || s.at[i] == '"' || s.at[i] == '\\';
	return found == 0;
}

/* True when JSON can hold the text: UTF-8 without NUL. */
static bool is_clean(struct slice s)
{
	while (s.length) {
		size_t length = utf8_sequence(s);

		if (length == 0 || s.at[0] == 0)
			return false;
		s = slice_from(s, length);
	}
	return true;
}

/* At most so many bytes, and not in the middle of a character. */
static struct slice cut(struct slice s, size_t limit)
{
	for (size_t back = 1; back <= 3 && back <= limit; back++) {
		size_t length = utf8_sequence(slice_from(s, limit - back));

		if (length > back)
			return slice_first(s, limit - back);
		if (length)
			break;
	}
	return slice_first(s, limit);
}

/* How many bytes of text the line still has room for, whatever they are. */
static size_t text_room(const struct line *line)
{
	size_t used = line->out->length - line->start;

	return used < TEXT_BUDGET ? (TEXT_BUDGET - used) / WORST_GROWTH : 0;
}

static void write_plain(struct writer *out, struct slice text)
{
	uint8_t *at = reserve(out, text.length + 2);

	if (!at)
		return;
	at[0] = '"';
	if (text.length)
		memcpy(at + 1, text.at, text.length);
	at[text.length + 1] = '"';
	writer_commit(out, text.length + 2);
}

static void write_escaped(struct writer *out, struct slice text)
{
	struct slice rest = text;

	writer_u8(out, '"');
	while (rest.length) {
		size_t length = utf8_sequence(rest);
		struct slice piece = slice_first(rest, length ? length : 1);

		if (length == 0 || piece.at[0] == 0) {
			writer_bytes(out, SLICE("\\\\x"));
			writer_hex(out, piece);
		} else if (piece.at[0] == '\\') {
			writer_bytes(out, SLICE("\\\\\\\\"));
		} else {
			json_escape(out, piece);
		}
		rest = slice_from(rest, piece.length);
	}
	writer_u8(out, '"');
}

static void write_text(struct line *line, enum event_field field, struct slice text)
{
	size_t limit = text_room(line);

	if (limit < SHORT_TEXT)
		limit = SHORT_TEXT;
	if (limit > EVENT_TEXT_MAX)
		limit = EVENT_TEXT_MAX;
	if (text.length > limit) {
		text = cut(text, limit);
		mark(line->truncated, field);
	}
	if (is_plain(text)) {
		write_plain(line->out, text);
	} else if (is_clean(text)) {
		json_quote(line->out, text);
	} else {
		mark(line->escaped, field);
		write_escaped(line->out, text);
	}
}

static void write_texts(struct line *line, enum event_field field, const struct slice *items,
			size_t count)
{
	bool clean = true;

	if (count > EVENT_LIST_MAX) {
		count = EVENT_LIST_MAX;
		mark(line->truncated, field);
	}
	/* One mark speaks for the whole list, so all its items are escaped or none. */
	for (size_t i = 0; i < count && clean; i++)
		clean = is_plain(items[i]) || is_clean(slice_first(items[i], EVENT_TEXT_MAX));
	if (!clean)
		mark(line->escaped, field);
	writer_u8(line->out, '[');
	for (size_t i = 0; i < count; i++) {
		size_t limit = text_room(line);
		struct slice item = items[i];

		if (limit > EVENT_TEXT_MAX)
			limit = EVENT_TEXT_MAX;
		if (item.length > limit) {
			item = cut(item, limit);
			mark(line->truncated, field);
		}
		if (limit == 0)
			break;
		if (i)
			writer_u8(line->out, ',');
		if (clean)
			json_quote(line->out, item);
		else
			write_escaped(line->out, item);
	}
	writer_u8(line->out, ']');
}

static void write_bytes(struct line *line, enum event_field field, struct slice bytes)
{
	if (bytes.length > EVENT_BYTES_MAX)
		mark(line->truncated, field);
	writer_u8(line->out, '"');
	writer_base64(line->out, slice_first(bytes, EVENT_BYTES_MAX));
	writer_u8(line->out, '"');
}

/* Most events share their second with the one before. */
static void time_as_usual(struct event_second *second, int64_t time)
{
	uint32_t rest = (uint32_t)(time % SECOND);

	if (second->number != time / SECOND + 1) {
		clock_text(time, second->text);
		second->number = time / SECOND + 1;
	}
	for (size_t digit = CLOCK_TEXT_LENGTH - 1; digit-- > CLOCK_TEXT_LENGTH - 7; rest /= 10)
		second->text[digit] = (char)('0' + rest % 10);
}

static void write_time(struct line *line, int64_t time)
{
	char text[CLOCK_TEXT_LENGTH + 1];

	if (time < TIME_EARLIEST)
		time = TIME_EARLIEST;
	if (time > TIME_LATEST)
		time = TIME_LATEST;
	if (line->habits && time >= 0) {
		time_as_usual(&line->habits->written, time);
		write_plain(line->out, slice_of(line->habits->written.text, CLOCK_TEXT_LENGTH));
		return;
	}
	clock_text(time, text);
	write_plain(line->out, slice_of(text, CLOCK_TEXT_LENGTH));
}

/* The shortest of two forms that reads back as the same number. */
static void write_real(struct writer *out, double real)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", real);
	if (strtod(text, NULL) != real)
		snprintf(text, sizeof(text), "%.17g", real);
	writer_text(out, text);
}

static void write_address(struct writer *out, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	write_plain(out, slice_of(text, address_text(address, text)));
}

/* JSON has no word for these values: their fields stay out. */
static bool is_nothing(const struct event *event, enum event_field field)
{
	if (event_fields[field].type == FIELD_TYPE_REAL)
		return !isfinite(event->values[field].real);
	if (event_fields[field].type == FIELD_TYPE_ADDRESS)
		return event->values[field].address.family == 0;
	return false;
}

static void write_field(struct line *line, const struct event *event, enum event_field field)
{
	if (is_nothing(event, field))
		return;
	open_field(line, field);
	switch (event_fields[field].type) {
	case FIELD_TYPE_TIME:
		write_time(line, event->values[field].number);
		break;
	case FIELD_TYPE_TEXT:
		write_text(line, field, event->values[field].text);
		break;
	case FIELD_TYPE_NUMBER:
		writer_decimal(line->out, event->values[field].number);
		break;
	case FIELD_TYPE_REAL:
		write_real(line->out, event->values[field].real);
		break;
	case FIELD_TYPE_ADDRESS:
		write_address(line->out, &event->values[field].address);
		break;
	case FIELD_TYPE_TEXTS:
		write_texts(line, field, event->values[field].texts.items,
			    event->values[field].texts.count);
		break;
	case FIELD_TYPE_BYTES:
		write_bytes(line, field, event->values[field].text);
		break;
	}
}

static void write_names(struct line *line, enum event_field field, const uint64_t *set)
{
	bool first = true;

	for (unsigned word = 0; word < FIELD_WORDS; word++) {
		for (uint64_t left = set[word]; left; left &= left - 1) {
			unsigned named = word * 64 + (unsigned)__builtin_ctzll(left);

			if (first)
				open_field(line, field);
			writer_u8(line->out, first ? '[' : ',');
			write_plain(line->out, slice_text(event_fields[named].path));
			first = false;
		}
	}
	if (!first)
		writer_u8(line->out, ']');
}

/* An event that was cut before (on a sensor, say) stays marked. */
static void keep_truncated(struct line *line, const struct event *event)
{
	if (!event_has(event, FIELD_TRUNCATED))
		return;
	for (size_t i = 0; i < event->values[FIELD_TRUNCATED].texts.count; i++) {
		enum event_field named =
			event_field_named(event->values[FIELD_TRUNCATED].texts.items[i]);

		if (named != FIELD_COUNT)
			mark(line->truncated, named);
	}
}

static void write_marks(struct line *line, const struct event *event)
{
	keep_truncated(line, event);
	write_names(line, FIELD_TRUNCATED, line->truncated);
	write_names(line, FIELD_ESCAPED, line->escaped);
}

void event_write_as_usual(const struct event *event, struct writer *out,
			  struct event_habits *habits)
{
	struct line line = {
		.out = out, .habits = habits, .start = out->length, .open = FIELD_COUNT};

	for (unsigned word = 0; word < FIELD_WORDS; word++) {
		uint64_t present = event->present[word];

		if (word == FIELD_SCHEMA / 64)
			present |= (uint64_t)1 << (FIELD_SCHEMA % 64);
		for (; present; present &= present - 1) {
			enum event_field field = word * 64 + (unsigned)__builtin_ctzll(present);

			if (field == FIELD_TRUNCATED || field == FIELD_ESCAPED)
				continue;
			if (field == FIELD_SCHEMA && !event_has(event, FIELD_SCHEMA)) {
				open_field(&line, FIELD_SCHEMA);
				writer_decimal(out, EVENT_SCHEMA_VERSION);
			} else {
				write_field(&line, event, field);
			}
		}
	}
	write_marks(&line, event);
	close_all(&line);
}

void event_write(const struct event *event, struct writer *out)
{
	event_write_as_usual(event, out, NULL);
}
