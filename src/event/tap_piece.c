/* The message that carries a piece of a decrypted stream.
 *
 *     version (1)  marks (1)  session (26)  time (8)  offset (8)  other offset (8)
 *     client address (4 or 16)  port (2)  server address (4 or 16)  port (2)
 *     length (2)  bytes
 *
 * Numbers are big-endian. Nothing follows the bytes.
 */
#include "event/tap_piece.h"

#define VERSION 1

enum { MARK_TO_CLIENT = 1, MARK_OPENED = 2, MARK_CLOSED = 4, MARK_IPV6 = 8, MARKS = 15 };

bool tap_piece_is_sound(const struct tap_piece *piece)
{
	const struct slice session = slice_of(piece->session, ULID_LENGTH);
	uint8_t family = piece->client.address.family;

	return (family == 4 || family == 6) && piece->server.address.family == family &&
	       piece->session[ULID_LENGTH] == '\0' && ulid_milliseconds(session) >= 0 &&
	       piece->time >= 0 && piece->time <= TAP_TIME_MAX && piece->offset <= TAP_OFFSET_MAX &&
	       piece->other_offset <= TAP_OFFSET_MAX &&
	       !(piece->opened && (piece->offset || piece->other_offset)) &&
	       (piece->bytes.length || piece->opened || piece->closed);
}

static void put_end(struct writer *out, const struct endpoint *end)
{
	writer_bytes(out, slice_of(end->address.bytes, end->address.family == 4 ? 4 : 16));
	writer_u16be(out, end->port);
}

size_t tap_piece_write(const struct tap_piece *piece, struct writer *out)
{
	size_t before = out->length;

	if (!tap_piece_is_sound(piece) || piece->bytes.length > TAP_PIECE_BYTES || out->failed)
		return 0;
	writer_u8(out, VERSION);
	writer_u8(out,
		  (uint8_t)((piece->to_client ? MARK_TO_CLIENT : 0) |
			    (piece->opened ? MARK_OPENED : 0) | (piece->closed ? MARK_CLOSED : 0) |
			    (piece->client.address.family == 6 ? MARK_IPV6 : 0)));
	writer_bytes(out, slice_of(piece->session, ULID_LENGTH));
	writer_u64be(out, (uint64_t)piece->time);
	writer_u64be(out, piece->offset);
	writer_u64be(out, piece->other_offset);
	put_end(out, &piece->client);
	put_end(out, &piece->server);
	writer_u16be(out, (uint16_t)piece->bytes.length);
	writer_bytes(out, piece->bytes);
	if (out->failed) {
		out->failed = false;
		out->length = before;
		return 0;
	}
	return out->length - before;
}

static void take_end(struct cursor *c, bool six, struct endpoint *end)
{
	struct slice bytes = cursor_take(c, six ? 16 : 4);

	end->address.family = six ? 6 : 4;
	if (bytes.length)
		memcpy(end->address.bytes, bytes.at, bytes.length);
	end->port = cursor_u16be(c);
}

int tap_piece_read(struct slice message, struct tap_piece *piece)
{
	struct cursor c = cursor_of(message);
	uint8_t version = cursor_u8(&c), marks = cursor_u8(&c);
	struct slice session = cursor_take(&c, ULID_LENGTH);
	int64_t time = (int64_t)cursor_u64be(&c);
	size_t length;

	memset(piece, 0, sizeof(*piece));
	piece->time = time;
	piece->to_client = marks & MARK_TO_CLIENT;
	piece->opened = marks & MARK_OPENED;
	piece->closed = marks & MARK_CLOSED;
	if (session.length)
		memcpy(piece->session, session.at, session.length);
	piece->offset = cursor_u64be(&c);
	piece->other_offset = cursor_u64be(&c);
	take_end(&c, marks & MARK_IPV6, &piece->client);
	take_end(&c, marks & MARK_IPV6, &piece->server);
	length = cursor_u16be(&c);
	piece->bytes = cursor_take(&c, length);
	if (c.failed || c.left || version != VERSION || marks & ~MARKS || length > TAP_PIECE_BYTES)
		return -1;
	return tap_piece_is_sound(piece) ? 0 : -1;
}
