/* The streams in stretches: rules that look for raw bytes see each byte once, with some of those
 * before it, so that nothing hides by being cut in two. */
#include <stdlib.h>

#include "capture/sensor_inside.h"

_Static_assert(STREAM_OVERLAP + STREAM_CHUNK <= STREAM_WINDOW, "a chunk fits behind the overlap");

void stretch_flush(struct sensor *sensor, struct flow *flow, enum direction direction)
{
	struct stream *s = flow->streams[direction];
	struct buffer payload;
	struct inspection inspection;

	if (!s || s->window_length == s->window_seen)
		return;
	payload = (struct buffer){BUFFER_PAYLOAD, slice_of(s->window, s->window_length)};
	inspection = (struct inspection){
		.kind = INSPECT_STREAM,
		.direction = direction,
		.application = (enum application_id)flow->application,
		.packet = sensor->packet,
		.flow = flow,
		.stream_offset = s->window_offset,
		.seen = s->window_seen,
		.time = sensor->now,
		.findings = {.buffers = &payload, .buffer_count = 1},
	};
	sensor_inspect(sensor, &inspection);
	s->window_seen = s->window_length;
}

/* Keeps the overlap only. */
static void slide(struct stream *s)
{
	size_t drop = s->window_length > STREAM_OVERLAP ? s->window_length - STREAM_OVERLAP : 0;

	memmove(s->window, s->window + drop, s->window_length - drop);
	s->window_length -= drop;
	s->window_seen -= drop;
	s->window_offset += drop;
}

void stretch_add(struct sensor *sensor, struct flow *flow, enum direction direction,
		 struct slice bytes)
{
	struct stream *s = flow->streams[direction];

	if (!sensor_wants(sensor, BUFFER_PAYLOAD))
		return;
	stretch_flush(sensor, flow, direction == TO_SERVER ? TO_CLIENT : TO_SERVER);
	if (!s->window) {
		s->window = malloc(STREAM_WINDOW);
		if (!s->window)
			return;
		s->window_offset = s->offset - bytes.length;
	}
	while (bytes.length) {
		size_t room = STREAM_WINDOW - s->window_length;
		struct slice part = slice_first(bytes, room);

		memcpy(s->window + s->window_length, part.at, part.length);
		s->window_length += part.length;
		bytes = slice_from(bytes, part.length);
		if (s->window_length - s->window_seen >= STREAM_CHUNK)
			stretch_flush(sensor, flow, direction);
		if (bytes.length && s->window_length == STREAM_WINDOW) {
			stretch_flush(sensor, flow, direction);
			slide(s);
		}
	}
}

void stretch_cut(struct sensor *sensor, struct flow *flow, enum direction direction)
{
	struct stream *s = flow->streams[direction];

	stretch_flush(sensor, flow, direction);
	s->window_length = s->window_seen = 0;
	s->window_offset = s->offset;
}
