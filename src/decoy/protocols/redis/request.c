/* Requests as Redis reads them: RESP arrays of bulks, or a line split like sdssplitargs does. */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

#define UNAUTHORISED_COUNT_MAX 10
#define UNAUTHORISED_BULK_MAX  16384

static struct request_result broken(const char *why)
{
	struct request_result result = {.status = REQUEST_BROKEN};

	snprintf(result.why, sizeof(result.why), "%s", why);
	return result;
}

static const struct request_result more = {.status = REQUEST_MORE};

/* The number that string2ll would accept: no sign but '-', no leading zeros or spaces. */
static bool read_number(struct slice text, int64_t *number)
{
	if (text.length == 0 || text.at[0] == '+')
		return false;
	if (text.length > 1 && (text.at[0] == '0' || (text.at[0] == '-' && text.at[1] == '0')))
		return false;
	return slice_number(text, INT64_MIN, INT64_MAX, number) == 0;
}

/* Offset of the CR that ends a header line from `at` on, or SIZE_MAX. */
static size_t line_end(struct slice bytes, size_t at)
{
	size_t found = slice_find_byte(slice_from(bytes, at), '\r');

	return found == SIZE_MAX ? SIZE_MAX : at + found;
}

static uint8_t escaped(uint8_t c)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? (uint8_t)to[at - from] : c;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One word of an inline request into *text; false when its quotes are unbalanced. */
static bool read_word(struct slice line, size_t *at, struct writer *text)
{
	uint8_t quote = 0;
	size_t i = *at;

	for (; i < line.length; i++) {
		uint8_t c = line.at[i];

		if (!quote && (is_space(c) || c == 0))
			break;
		if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote == '"' && c == '\\' && i + 3 < line.length &&
			   line.at[i + 1] == 'x' && hex_value(line.at[i + 2]) >= 0 &&
			   hex_value(line.at[i + 3]) >= 0) {
			writer_u8(text, (uint8_t)(hex_value(line.at[i + 2]) * 16 +
						  hex_value(line.at[i + 3])));
			i += 3;
		} else if (quote == '"' && c == '\\' && i + 1 < line.length) {
			writer_u8(text, escaped(line.at[++i]));
		} else if (quote == '\'' && c == '\\' && i + 1 < line.length &&
			   line.at[i + 1] == '\'') {
			writer_u8(text, line.at[++i]);
		} else if (quote && c == quote) {
			*at = i + 1;
			return i + 1 >= line.length || is_space(line.at[i + 1]) ||
			       line.at[i + 1] == 0;
		} else {
			writer_u8(text, c);
		}
	}
	*at = i;
	return quote == 0;
}

static bool split_line(struct slice line, struct request *request, struct writer *text)
{
	size_t at = 0, starts[REDIS_ARGUMENTS_MAX], kept = 0;

	request->count = 0;
	for (;;) {
		while (at < line.length && is_space(line.at[at]))
			at++;
		if (at >= line.length || line.at[at] == 0)
			break;
		if (kept < REDIS_ARGUMENTS_MAX)
			starts[kept++] = text->length;
		if (!read_word(line, &at, text))
			return false;
		request->count++;
	}
	for (size_t i = 0; i < kept; i++) {
		size_t end = i + 1 < kept ? starts[i + 1] : text->length;

		request->arguments[i] = slice_of(text->at + starts[i], end - starts[i]);
	}
	return true;
}

static struct request_result read_inline(struct request_reader *reader, struct slice bytes,
					 struct request *request, struct writer *text)
{
	size_t end = slice_find_byte(slice_from(bytes, reader->at), '\n');
	struct slice line;

	if (end == SIZE_MAX) {
		if (bytes.length > REDIS_LINE_MAX)
			return broken("too big inline request");
		reader->at = bytes.length;
		return more;
	}
	end += reader->at;
	reader->at = 0;
	line = slice_first(bytes, end);
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	if (!split_line(line, request, text) || text->failed)
		return broken("unbalanced quotes in request");
	return (struct request_result){.status = request->count ? REQUEST_DONE : REQUEST_NOTHING,
				       .used = end + 1};
}

/* "*N\r\n" at the start; REQUEST_DONE means that the bulks follow. */
static struct request_result read_count(struct request_reader *reader, struct slice bytes,
					bool authorised, int version)
{
	size_t end = line_end(bytes, reader->at ? reader->at : 1);
	int64_t most = version >= 700 ? INT32_MAX : REDIS_ARGUMENT_COUNT_MAX, count;

	if (end == SIZE_MAX || end + 1 >= bytes.length) {
		if (end == SIZE_MAX && bytes.length > REDIS_LINE_MAX)
			return broken("too big mbulk count string");
		reader->at = end == SIZE_MAX ? bytes.length : end;
		return more;
	}
	if (!read_number(slice_of(bytes.at + 1, end - 1), &count) || count > most)
		return broken("invalid multibulk length");
	if (count > UNAUTHORISED_COUNT_MAX && !authorised)
		return broken("unauthenticated multibulk length");
	reader->at = 0;
	if (count <= 0)
		return (struct request_result){.status = REQUEST_NOTHING, .used = end + 2};
	*reader = (struct request_reader){
		.at = end + 2, .left = count, .count = count, .multibulk = true};
	return (struct request_result){.status = REQUEST_DONE};
}

/* The bulks again, now that all of them are there (or a part of them before a huge one). */
static void collect(struct slice bytes, int64_t count, struct request *request)
{
	size_t at = line_end(bytes, 1) + 2;

	request->count = 0;
	for (int64_t i = 0; i < count; i++) {
		size_t end = line_end(bytes, at);
		int64_t length = 0;

		if (end == SIZE_MAX ||
		    !read_number(slice_of(bytes.at + at + 1, end - at - 1), &length))
			return;
		if (i < REDIS_ARGUMENTS_MAX)
			request->arguments[i] =
				slice_first(slice_from(bytes, end + 2), (size_t)length);
		request->count++;
		at = end + 2 + (size_t)length + 2;
	}
}

/* One bulk's header; its value may still be to come. */
static struct request_result read_bulk(struct request_reader *reader, struct slice bytes,
				       bool authorised, int64_t *length, size_t *value)
{
	size_t end;
	char why[64];

	if (reader->at >= bytes.length)
		return more;
	end = line_end(bytes, reader->at);
	if (end == SIZE_MAX || end + 1 >= bytes.length) {
		if (end == SIZE_MAX && bytes.length - reader->at > REDIS_LINE_MAX)
			return broken("too big bulk count string");
		return more;
	}
	if (bytes.at[reader->at] != '$') {
		snprintf(why, sizeof(why), "expected '$', got '%c'", bytes.at[reader->at]);
		return broken(why);
	}
	if (!read_number(slice_of(bytes.at + reader->at + 1, end - reader->at - 1), length) ||
	    *length < 0 || *length > REDIS_BULK_MAX)
		return broken("invalid bulk length");
	if (*length > UNAUTHORISED_BULK_MAX && !authorised)
		return broken("unauthenticated bulk length");
	*value = end + 2;
	return (struct request_result){.status = REQUEST_DONE};
}

static struct request_result read_bulks(struct request_reader *reader, struct slice bytes,
					struct request *request, bool authorised)
{
	while (reader->left > 0) {
		struct request_result result;
		int64_t length = 0;
		size_t value = 0;

		result = read_bulk(reader, bytes, authorised, &length, &value);
		if (result.status != REQUEST_DONE)
			return result;
		if (length > REDIS_HELD_BULK_MAX) {
			collect(bytes, reader->count - reader->left, request);
			*reader = (struct request_reader){.left = reader->left - 1};
			return (struct request_result){
				.status = REQUEST_HUGE, .used = value, .huge = length};
		}
		if (bytes.length < value || bytes.length - value < (size_t)length + 2)
			return more;
		reader->at = value + (size_t)length + 2;
		reader->left--;
	}
	collect(bytes, reader->count, request);
	return (struct request_result){.status = REQUEST_DONE, .used = reader->at};
}

struct request_result request_read(struct request_reader *reader, struct slice bytes,
				   struct request *request, struct writer *text, bool authorised,
				   int version)
{
	struct request_result result;

	if (bytes.length == 0)
		return more;
	if (bytes.at[0] != '*')
		return read_inline(reader, bytes, request, text);
	if (!reader->multibulk) {
		result = read_count(reader, bytes, authorised, version);
		if (result.status != REQUEST_DONE)
			return result;
	}
	result = read_bulks(reader, bytes, request, authorised);
	if (result.status == REQUEST_DONE)
		*reader = (struct request_reader){0};
	return result;
}
