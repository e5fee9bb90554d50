/* Body framing; see body.h. */
#include "decoy/protocols/http/body.h"

enum { SIZE_LINE, CHUNK, CHUNK_END, TRAILER };

/* Content-Length, whose duplicates and odd spellings the servers judge differently. */
static int take_length(struct http_body *body, const struct http_head *head,
		       enum http_dialect dialect)
{
	size_t count;
	const struct http_header *length = http_head_find(head, "content-length", &count);
	int64_t number;

	if (!length)
		return 0;
	if (slice_number(length->value, 0, INT64_MAX, &number) < 0)
		return 400;
	if (length->value.at[0] == '+' || (count > 1 && dialect != HTTP_GO))
		return 400;
	body->left = (uint64_t)number;
	if (number > 0)
		body->framing = HTTP_LENGTH;
	return 0;
}

int http_body_begin(struct http_body *body, const struct http_head *head, enum http_dialect dialect)
{
	size_t count, lengths;
	const struct http_header *encoding = http_head_find(head, "transfer-encoding", &count);

	memset(body, 0, sizeof(*body));
	if (head->simple)
		return 0;
	if (!encoding)
		return take_length(body, head, dialect);
	http_head_find(head, "content-length", &lengths);
	if (dialect == HTTP_NGINX && (count > 1 || head->minor == 0))
		return 400;
	if (!slice_is_nocase(encoding->value, "chunked") &&
	    (dialect != HTTP_APACHE || !http_head_lists(head, "transfer-encoding", "chunked")))
		return dialect == HTTP_APACHE ? 400 : 501;
	if (dialect == HTTP_NGINX && lengths)
		return 400;
	body->framing = HTTP_CHUNKED;
	return 0;
}

/* A whole line off *rest, without its end; false when it is not there yet. */
static bool take_line(struct slice *rest, struct slice *line)
{
	size_t end = slice_find_byte(*rest, '\n');

	if (end == SIZE_MAX)
		return false;
	*line = slice_first(*rest, end);
	*rest = slice_from(*rest, end + 1);
	if (line->length && line->at[line->length - 1] == '\r')
		line->length--;
	return true;
}

/* A hexadecimal size and perhaps extensions. */
static int chunk_size(struct slice line, uint64_t *size)
{
	size_t digits = 0;

	*size = 0;
	for (; digits < line.length; digits++) {
		uint8_t c = line.at[digits] | 0x20;
		unsigned value;

		if (line.at[digits] >= '0' && line.at[digits] <= '9')
			value = line.at[digits] - (unsigned)'0';
		else if (c >= 'a' && c <= 'f')
			value = c - (unsigned)'a' + 10;
		else
			break;
		if (*size >> 56)
			return -1;
		*size = *size << 4 | value;
	}
	if (digits == 0 || (digits < line.length && !memchr("; \t", line.at[digits], 3)))
		return -1;
	return 0;
}

static enum http_progress take_chunk_line(struct http_body *body, struct slice *rest)
{
	struct slice line;

	if (!take_line(rest, &line))
		return rest->length > HTTP_CHUNK_LINE_MAX ? HTTP_FAULTY : HTTP_MORE;
	if (body->state == TRAILER)
		return line.length ? HTTP_MORE : HTTP_COMPLETE;
	if (body->state == CHUNK_END) {
		body->state = SIZE_LINE;
		return line.length ? HTTP_FAULTY : HTTP_MORE;
	}
	if (chunk_size(line, &body->left) < 0)
		return HTTP_FAULTY;
	body->state = body->left ? CHUNK : TRAILER;
	return HTTP_MORE;
}

enum http_progress http_body_take(struct http_body *body, struct slice *rest, struct slice *piece)
{
	*piece = slice_of(NULL, 0);
	if (body->framing == HTTP_NO_BODY)
		return HTTP_COMPLETE;
	if (body->framing == HTTP_CHUNKED && body->state != CHUNK)
		return take_chunk_line(body, rest);
	*piece = slice_first(*rest, body->left < SIZE_MAX ? (size_t)body->left : SIZE_MAX);
	*rest = slice_from(*rest, piece->length);
	body->left -= piece->length;
	if (body->left)
		return HTTP_MORE;
	if (body->framing == HTTP_LENGTH)
		return HTTP_COMPLETE;
	body->state = CHUNK_END;
	return HTTP_MORE;
}
