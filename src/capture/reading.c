/* Which reader a flow gets, and feeding it. */
#include <stdlib.h>

#include "capture/sensor_inside.h"

/* A call of a reader: the context it sees comes first. */
struct call {
	struct application_context context;
	struct sensor *sensor;
	struct flow *flow;
	enum application_id becomes;
};

static void call_inspect(struct application_context *context, enum direction direction,
			 uint64_t transaction, const struct findings *findings)
{
	struct call *call = (struct call *)context;
	struct stream *stream = call->flow->streams[direction];
	struct buffer *with = NULL;
	struct inspection inspection = {
		.kind = INSPECT_TRANSACTION,
		.direction = direction,
		.application = (enum application_id)call->flow->application,
		.packet = call->sensor->packet,
		.flow = call->flow,
		.transaction = transaction,
		.time = call->sensor->now,
		.findings = *findings,
	};
	bool has_payload = false;
	struct slice payload = {NULL, 0};

	for (size_t i = 0; i < findings->buffer_count; i++)
		has_payload |= findings->buffers[i].id == BUFFER_PAYLOAD;
	if (stream && stream->window)
		payload = slice_of(stream->window, stream->window_length);
	else if (call->flow->transport == TRANSPORT_UDP && call->sensor->packet)
		payload = call->sensor->packet->payload;
	if (!has_payload && payload.length)
		with = arena_take(call->context.scratch,
				  sizeof(*with) * (findings->buffer_count + 1));
	if (with) {
		if (findings->buffer_count)
			memcpy(with, findings->buffers, sizeof(*with) * findings->buffer_count);
		with[findings->buffer_count] = (struct buffer){BUFFER_PAYLOAD, payload};
		inspection.findings.buffers = with;
		inspection.findings.buffer_count++;
	}
	call->sensor->counts.transactions++;
	sensor_inspect(call->sensor, &inspection);
}

static void call_tell(struct application_context *context, struct event *event)
{
	struct call *call = (struct call *)context;
	const struct sensor_listener *listener = &call->sensor->setup.listener;

	if (!listener->event)
		return;
	sensor_event_of_flow(event, call->flow, call->sensor->now);
	listener->event(listener->context, event, call->flow);
}

static void call_become(struct application_context *context, enum application_id application)
{
	((struct call *)context)->becomes = application;
}

static struct call call_of(struct sensor *sensor, struct flow *flow)
{
	static const struct wants all = {.buffers = {[0 ... ARRAY_COUNT(all.buffers) - 1] = ~0ull}};

	return (struct call){
		.context = {.wants = sensor->setup.listener.wants ? sensor->setup.listener.wants
								  : &all,
			    .scratch = &sensor->scratch,
			    .packet = sensor->packet,
			    .time = sensor->now,
			    .source_port = flow->client_port,
			    .destination_port = flow->server_port,
			    .inspect = call_inspect,
			    .tell = call_tell,
			    .become = call_become},
		.sensor = sensor,
		.flow = flow,
	};
}

static void drop_reader(struct flow *flow)
{
	if (flow->reader && flow->reader->drop)
		flow->reader->drop(flow->reader_state);
	free(flow->reader_state);
	flow->reader_state = NULL;
	flow->reader = NULL;
	flow->unread[0] = flow->unread[1] = 1;
	for (size_t i = 0; i < 2; i++)
		if (flow->streams[i])
			writer_free(&flow->streams[i]->pending);
}

static bool take_reader(struct flow *flow, const struct application *reader)
{
	void *state = reader->state_size ? calloc(1, reader->state_size) : NULL;

	if (reader->state_size && !state)
		return false;
	flow->reader = reader;
	flow->reader_state = state;
	flow->application = (uint8_t)reader->id;
	flow->unread[0] = flow->unread[1] = 0;
	return true;
}

static bool change_reader(struct flow *flow, enum application_id application)
{
	const struct application *reader = application_of(application);

	if (flow->reader->drop)
		flow->reader->drop(flow->reader_state);
	free(flow->reader_state);
	flow->reader_state = NULL;
	flow->reader = NULL;
	return reader && take_reader(flow, reader);
}

static bool reads(const struct application *reader, enum packet_transport transport)
{
	return reader->transports[0] == transport || reader->transports[1] == transport;
}

/* The best of all readers for what one side sent so far. */
static enum recognition recognise(struct flow *flow, enum direction direction, struct slice bytes)
{
	enum recognition best = RECOGNISED_NO;

	for (size_t i = 0; applications[i]; i++) {
		enum recognition found;

		if (!reads(applications[i], (enum packet_transport)flow->transport))
			continue;
		found = applications[i]->recognise(bytes, direction, flow->server_port);
		if (found == RECOGNISED_YES)
			return take_reader(flow, applications[i]) ? RECOGNISED_YES : RECOGNISED_NO;
		if (found > best)
			best = found;
	}
	return best;
}

/* Gives the reader all of the slice that it takes; the rest, or -1 when nobody reads any more. */
static int feed(struct sensor *sensor, struct flow *flow, enum direction direction,
		struct slice *bytes, bool last)
{
	while (flow->reader && (bytes->length || last)) {
		struct call call = call_of(sensor, flow);
		size_t used = flow->reader->input(flow->reader_state, &call.context, direction,
						  *bytes, last);

		arena_drop(&sensor->scratch);
		*bytes = slice_from(*bytes, used);
		if (call.becomes != APPLICATION_NONE) {
			if (!change_reader(flow, call.becomes)) {
				drop_reader(flow);
				return -1;
			}
			continue;
		}
		break;
	}
	return flow->reader ? 0 : -1;
}

/* Feeds what waits of one side. */
static void feed_pending(struct sensor *sensor, struct flow *flow, enum direction direction,
			 bool last)
{
	struct stream *s = flow->streams[direction];
	struct slice rest;

	if (!s || (!s->pending.length && !last))
		return;
	rest = writer_slice(&s->pending);
	if (feed(sensor, flow, direction, &rest, last) == 0)
		writer_consume(&s->pending, s->pending.length - rest.length);
}

static void keep(struct flow *flow, enum direction direction, struct slice bytes)
{
	struct stream *s = flow->streams[direction];

	if (!s->pending.limit)
		s->pending = writer_growing(APPLICATION_PENDING_MAX);
	writer_bytes(&s->pending, bytes);
	if (s->pending.failed)
		drop_reader(flow);
}

/* Nobody reads the flow yet. */
static void look_for_reader(struct sensor *sensor, struct flow *flow, enum direction direction,
			    struct slice bytes)
{
	struct stream *s = flow->streams[direction];
	enum recognition found;

	if (flow->unread[direction])
		return;
	keep(flow, direction, bytes);
	found = recognise(flow, direction, writer_slice(&s->pending));
	if (found == RECOGNISED_YES) {
		feed_pending(sensor, flow, direction == TO_SERVER ? TO_CLIENT : TO_SERVER, false);
		feed_pending(sensor, flow, direction, false);
	} else if (found == RECOGNISED_NO || s->pending.length > RECOGNITION_MAX) {
		flow->unread[direction] = 1;
		writer_free(&s->pending);
	}
}

/* A ClientHello at the start of a segment: whatever was spoken, from here on it is TLS (STARTTLS,
 * a proxy's CONNECT, what databases and remote desktops do before they log in). */
static bool is_client_hello(struct slice bytes)
{
	return bytes.length > 8 && bytes.at[0] == 22 && bytes.at[1] == 3 && bytes.at[2] <= 4 &&
	       bytes.at[5] == 1 && bytes.at[6] == 0;
}

static void turn_to_tls(struct flow *flow)
{
	const struct application *tls = application_of(APPLICATION_TLS);

	if (!tls || flow->reader == tls)
		return;
	drop_reader(flow);
	(void)take_reader(flow, tls);
}

void reading_bytes(struct sensor *sensor, struct flow *flow, enum direction direction,
		   struct slice bytes)
{
	struct stream *s = flow->streams[direction];

	if (direction == TO_SERVER && s->offset > bytes.length && is_client_hello(bytes))
		turn_to_tls(flow);
	if (!flow->reader) {
		look_for_reader(sensor, flow, direction, bytes);
		return;
	}
	if (s->pending.length) {
		keep(flow, direction, bytes);
		if (flow->reader)
			feed_pending(sensor, flow, direction, false);
	} else if (feed(sensor, flow, direction, &bytes, false) == 0 && bytes.length) {
		keep(flow, direction, bytes);
	}
}

void reading_gap(struct sensor *sensor, struct flow *flow, enum direction direction,
		 uint64_t length)
{
	struct call call = call_of(sensor, flow);

	if (!flow->reader) {
		flow->unread[direction] = 1;
		writer_free(&flow->streams[direction]->pending);
		return;
	}
	if (!flow->reader->gap) {
		drop_reader(flow);
		return;
	}
	writer_clear(&flow->streams[direction]->pending);
	flow->reader->gap(flow->reader_state, &call.context, direction, length);
	arena_drop(&sensor->scratch);
}

void reading_last(struct sensor *sensor, struct flow *flow, enum direction direction)
{
	if (flow->reader)
		feed_pending(sensor, flow, direction, true);
}

void reading_datagram(struct sensor *sensor, struct flow *flow, enum direction direction,
		      struct slice bytes)
{
	struct slice rest = bytes;

	if (!flow->reader && !flow->unread[direction] &&
	    recognise(flow, direction, bytes) != RECOGNISED_YES)
		flow->unread[direction] = 1;
	if (flow->reader)
		(void)feed(sensor, flow, direction, &rest, false);
}

void reading_finish(struct sensor *sensor, struct flow *flow)
{
	struct call call = call_of(sensor, flow);

	if (flow->reader && flow->reader->finish) {
		flow->reader->finish(flow->reader_state, &call.context);
		arena_drop(&sensor->scratch);
	}
}
