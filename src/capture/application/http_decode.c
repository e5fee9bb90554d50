/* Content-Encoding undone, with a bound on what a small body may grow to. */
#include <zlib.h>

#include "capture/application/http.h"

#define LAYERS_MAX 3

enum { WINDOW_GZIP = 15 + 16, WINDOW_ZLIB = 15, WINDOW_RAW = -15 };

/* The output so far when the input ends early or is broken somewhere: browsers show that too.
 * Empty when not even the beginning is right. */
static struct slice inflate_as(int window, struct slice body, struct arena *arena)
{
	z_stream stream = {0};
	uint8_t *out = arena_take(arena, APPLICATION_BODY_MAX);
	size_t length;
	int result;

	if (!out || inflateInit2(&stream, window) != Z_OK)
		return slice_of(NULL, 0);
	stream.next_in = (Bytef *)(uintptr_t)body.at;
	stream.avail_in = (uInt)body.length;
	stream.next_out = out;
	stream.avail_out = APPLICATION_BODY_MAX;
	do {
		result = inflate(&stream, Z_SYNC_FLUSH);
		/* Members of a gzip file may follow each other. */
		if (result == Z_STREAM_END && window == WINDOW_GZIP && stream.avail_in > 18 &&
		    inflateReset(&stream) != Z_OK)
			break;
	} while (result == Z_OK && stream.avail_in && stream.avail_out);
	length = APPLICATION_BODY_MAX - stream.avail_out;
	inflateEnd(&stream);
	return slice_of(out, length);
}

/* Behind a gzip header (RFC 1952) that zlib takes offence at. */
static struct slice skip_gzip_header(struct slice body)
{
	struct cursor c = cursor_of(body);
	uint8_t flags;

	cursor_skip(&c, 3);
	flags = cursor_u8(&c);
	cursor_skip(&c, 6);
	if (flags & 4)
		cursor_skip(&c, cursor_u16le(&c));
	if (flags & 8)
		(void)cursor_until(&c, 0);
	if (flags & 16)
		(void)cursor_until(&c, 0);
	if (flags & 2)
		cursor_skip(&c, 2);
	return c.failed ? slice_of(NULL, 0) : slice_of(c.at, c.left);
}

static struct slice undo(struct slice encoding, struct slice body, struct arena *arena)
{
	static const int gzip[] = {WINDOW_GZIP}, deflate[] = {WINDOW_ZLIB, WINDOW_RAW};
	bool is_gzip = slice_contains_nocase(encoding, "gzip");
	bool is_deflate = slice_contains_nocase(encoding, "deflate");
	const int *windows = is_gzip ? gzip : deflate;
	size_t count = is_gzip ? 1 : is_deflate ? 2 : 0;

	for (size_t i = 0; i < count; i++) {
		struct slice out = inflate_as(windows[i], body, arena);

		if (out.length)
			return out;
	}
	if (is_gzip) {
		struct slice rest = skip_gzip_header(body);
		struct slice out = rest.length ? inflate_as(WINDOW_RAW, rest, arena) : rest;

		if (out.length)
			return out;
	}
	return body;
}

struct slice http_decode(struct slice encodings, struct slice body, struct arena *arena)
{
	struct slice parts[LAYERS_MAX], part;
	size_t count = 0;

	while (slice_next(&encodings, ',', &part) && count < LAYERS_MAX)
		parts[count++] = slice_trim(part);
	/* The last one named was put on last. */
	while (count && body.length)
		body = undo(parts[--count], body, arena);
	return body;
}
