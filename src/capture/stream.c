/* Putting TCP segments in order. */
#include "capture/stream.h"

#include <stdlib.h>

struct stream_piece {
	uint32_t from, to;
	struct stream_piece *next;
	uint8_t bytes[];
};

/* a is before b, modulo 2^32. */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

struct stream *stream_new(void)
{
	struct stream *s = calloc(1, sizeof(*s));

	return s;
}

void stream_start(struct stream *s, uint32_t next)
{
	s->started = true;
	s->next = next;
}

static void hand_on(struct stream *s, struct slice bytes, const struct stream_sink *sink)
{
	s->next += (uint32_t)bytes.length;
	s->offset += bytes.length;
	if (s->offset - bytes.length >= STREAM_DEPTH) {
		s->deep = true;
		return;
	}
	sink->bytes(sink->context, s, bytes);
}

static void drop_piece(struct stream *s, struct stream_piece **link)
{
	struct stream_piece *piece = *link;

	*link = piece->next;
	s->waiting_bytes -= piece->to - piece->from;
	s->waiting_count--;
	free(piece);
}

/* Hands on what waits and is due now. */
static void drain(struct stream *s, const struct stream_sink *sink)
{
	while (s->waiting && !before(s->next, s->waiting->from)) {
		struct stream_piece *piece = s->waiting;

		if (before(s->next, piece->to)) {
			uint32_t skip = s->next - piece->from;

			hand_on(s, slice_of(piece->bytes + skip, piece->to - s->next), sink);
		}
		drop_piece(s, &s->waiting);
	}
	if (s->fin_known && !before(s->next, s->fin))
		s->ended = true;
}

/* Gives the gap before the first waiting piece up. */
static void skip_gap(struct stream *s, const struct stream_sink *sink)
{
	uint32_t length = s->waiting->from - s->next;

	s->next += length;
	s->offset += length;
	sink->gap(sink->context, s, length);
	drain(s, sink);
}

/* Whether the newcomer's bytes stand where it overlaps a waiting piece. */
static bool newcomer_wins(enum stream_policy policy, uint32_t from, uint32_t piece_from)
{
	switch (policy) {
	case STREAM_FIRST:
		return false;
	case STREAM_LAST:
		return true;
	case STREAM_BSD:
		return before(from, piece_from);
	case STREAM_LINUX:
		return before(from, piece_from) || from == piece_from;
	}
	return false;
}

static struct stream_piece *make_piece(struct stream *s, uint32_t from, struct slice bytes)
{
	struct stream_piece *piece;

	if (s->waiting_count >= STREAM_SEGMENTS_MAX ||
	    s->waiting_bytes + bytes.length > STREAM_WAITING_MAX)
		return NULL;
	piece = malloc(sizeof(*piece) + bytes.length);
	if (!piece)
		return NULL;
	piece->from = from;
	piece->to = from + (uint32_t)bytes.length;
	memcpy(piece->bytes, bytes.at, bytes.length);
	s->waiting_bytes += bytes.length;
	s->waiting_count++;
	return piece;
}

/* Keeps a segment that came early. False: there was no room for all of it. */
static bool keep(struct stream *s, enum stream_policy policy, uint32_t from, struct slice bytes)
{
	struct stream_piece **link = &s->waiting;
	uint32_t to = from + (uint32_t)bytes.length, at = from;

	while (at != to) {
		struct stream_piece *next, *fresh;
		uint32_t until = to;

		while (*link && !before(at, (*link)->to))
			link = &(*link)->next;
		next = *link;
		if (next && !before(at, next->from)) {
			/* Here both speak. */
			uint32_t both = before(to, next->to) ? to : next->to;
			uint8_t *old = next->bytes + (at - next->from);
			const uint8_t *new = bytes.at + (at - from);

			if (memcmp(old, new, both - at) != 0) {
				s->overlaps++;
				if (newcomer_wins(policy, from, next->from))
					memcpy(old, new, both - at);
			}
			at = both;
			continue;
		}
		if (next && before(next->from, until))
			until = next->from;
		fresh = make_piece(s, at, slice_of(bytes.at + (at - from), until - at));
		if (!fresh)
			return false;
		fresh->next = next;
		*link = fresh;
		at = until;
	}
	return true;
}

void stream_segment(struct stream *s, enum stream_policy policy, uint32_t sequence,
		    struct slice bytes, bool fin, const struct stream_sink *sink)
{
	if (!s->started)
		stream_start(s, sequence);
	if (fin && !s->fin_known) {
		s->fin_known = true;
		s->fin = sequence + (uint32_t)bytes.length;
	}
	if (bytes.length && before(sequence, s->next)) {
		uint32_t old = s->next - sequence;

		bytes = slice_from(bytes, old);
		sequence = s->next;
	}
	if (bytes.length && sequence == s->next && !s->waiting) {
		hand_on(s, bytes, sink);
	} else if (bytes.length) {
		while (!keep(s, policy, sequence, bytes)) {
			if (!s->waiting)
				return;
			skip_gap(s, sink);
			if (before(sequence, s->next)) {
				bytes = slice_from(bytes, s->next - sequence);
				sequence = s->next;
			}
			if (!bytes.length)
				return;
		}
	}
	drain(s, sink);
	if (s->waiting && s->acknowledged_known && before(s->next, s->acknowledged))
		stream_acknowledged(s, s->acknowledged, sink);
}

void stream_acknowledged(struct stream *s, uint32_t number, const struct stream_sink *sink)
{
	if (!s->acknowledged_known || before(s->acknowledged, number)) {
		s->acknowledged = number;
		s->acknowledged_known = true;
	}
	while (s->waiting && before(s->waiting->from, s->acknowledged) &&
	       before(s->next, s->waiting->from))
		skip_gap(s, sink);
}

void stream_end(struct stream *s, const struct stream_sink *sink)
{
	while (s->waiting)
		skip_gap(s, sink);
	s->ended = true;
}

size_t stream_held(const struct stream *s)
{
	return sizeof(*s) + s->waiting_bytes + s->pending.capacity +
	       (s->window ? STREAM_WINDOW : 0);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	while (s->waiting)
		drop_piece(s, &s->waiting);
	writer_free(&s->pending);
	free(s->window);
	free(s);
}
