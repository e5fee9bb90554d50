/* Reading asciicast v2; see asciicast.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "exchange/asciicast.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)
#define SIDE_MAX 10000 /* columns or rows */

static int header_number(struct json_reader *reader, int64_t maximum, int64_t *number)
{
	struct slice token;
	enum json_kind kind = json_next(reader, &token);

	/* "1700000000.25" is a time too. */
	if (kind != JSON_NUMBER)
		return json_skip(reader, kind);
	if (slice_number(slice_first(token, slice_find_byte(token, '.')), 0, maximum, number) < 0)
		*number = 0;
	return 0;
}

static int read_header(struct asciicast *cast, struct slice line)
{
	struct json_reader reader = json_reader_of(line);
	struct slice token;
	enum json_kind kind;
	int64_t version = 0;

	if (json_next(&reader, &token) != JSON_OBJECT)
		return -1;
	while ((kind = json_next(&reader, &token)) == JSON_KEY) {
		struct slice key = token;
		int result;

		if (slice_is(key, "version")) {
			result = header_number(&reader, 9, &version);
		} else if (slice_is(key, "width")) {
			result = header_number(&reader, SIDE_MAX, &cast->header.columns);
		} else if (slice_is(key, "height")) {
			result = header_number(&reader, SIDE_MAX, &cast->header.rows);
		} else if (slice_is(key, "timestamp")) {
			result = header_number(&reader, INT64_MAX, &cast->header.timestamp);
		} else {
			kind = json_next(&reader, &token);
			if (slice_is(key, "command") && kind == JSON_STRING)
				json_unescape(&cast->header.command, token);
			result = json_skip(&reader, kind);
		}
		if (result < 0)
			return -1;
	}
	return kind == JSON_OBJECT_END && version == 2 ? 0 : -1;
}

int asciicast_open(struct asciicast *cast, struct slice bytes, const char **why)
{
	struct slice line;

	*cast = (struct asciicast){.rest = bytes,
				   .header = {80, 24, 0, writer_growing(65536)},
				   .text = writer_growing(TEXT_MAX)};
	*why = "not an asciicast of version 2";
	if (!slice_next(&cast->rest, '\n', &line))
		return -1;
	cast->line = 1;
	return read_header(cast, line);
}

/* "12.345678" to microseconds. */
static int read_time(struct slice text, int64_t *time)
{
	struct slice whole, fraction = text;
	int64_t seconds, micros = 0;

	(void)slice_next(&fraction, '.', &whole);
	if (slice_number(whole, 0, INT64_MAX / SECOND / 2, &seconds) < 0)
		return -1;
	for (size_t i = 0; i < 6; i++) {
		uint8_t digit = i < fraction.length ? fraction.at[i] : '0';

		if (digit < '0' || digit > '9')
			return -1;
		micros = micros * 10 + (digit - '0');
	}
	*time = seconds * SECOND + micros;
	return 0;
}

/* Undoes the escapes; \udcNN with NN of 80 to ff is the byte NN. */
static void unescape(struct writer *out, struct slice token)
{
	while (token.length) {
		size_t at = slice_find(token, SLICE("\\udc"));
		int high, low;

		/* The backslash before it may itself be escaped. */
		if (at != SIZE_MAX) {
			size_t slashes = 0;

			while (slashes < at && token.at[at - slashes - 1] == '\\')
				slashes++;
			if (slashes % 2) {
				json_unescape(out, slice_first(token, at + 1));
				token = slice_from(token, at + 1);
				continue;
			}
		}
		json_unescape(out, slice_first(token, at));
		if (at == SIZE_MAX)
			return;
		token = slice_from(token, at);
		high = token.length >= 6 ? hex_value(token.at[4]) : -1;
		low = token.length >= 6 ? hex_value(token.at[5]) : -1;
		if (high >= 8 && low >= 0)
			writer_u8(out, (uint8_t)(high << 4 | low));
		token = slice_from(token, 6);
	}
}

int asciicast_next(struct asciicast *cast, struct asciicast_event *event, const char **why)
{
	struct json_reader reader;
	struct slice line, token;

	do {
		if (!slice_next(&cast->rest, '\n', &line))
			return 0;
		cast->line++;
	} while (slice_trim(line).length == 0);
	*why = "not an event of an asciicast";
	reader = json_reader_of(line);
	if (json_next(&reader, &token) != JSON_ARRAY || json_next(&reader, &token) != JSON_NUMBER ||
	    read_time(token, &event->time) < 0 || json_next(&reader, &token) != JSON_STRING ||
	    token.length != 1)
		return -1;
	event->code = token.at[0];
	if (json_next(&reader, &token) != JSON_STRING)
		return -1;
	writer_clear(&cast->text);
	unescape(&cast->text, token);
	event->text = writer_slice(&cast->text);
	if (json_next(&reader, &token) != JSON_ARRAY_END || cast->text.failed)
		return -1;
	return 1;
}

void asciicast_close(struct asciicast *cast)
{
	writer_free(&cast->header.command);
	writer_free(&cast->text);
}
