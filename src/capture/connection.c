/* What a TCP segment does to its connection (RFC 9293, as far as a bystander can tell). */
#include "capture/sensor_inside.h"
#include "capture/transport.h"

enum { OPTION_TIMESTAMP = 8 };

#define RESET_WINDOW (1u << 20) /* a reset further away than that is somebody's guess */

struct side {
	struct sensor *sensor;
	struct flow *flow;
	enum direction direction;
};

static void side_bytes(void *context, struct stream *stream, struct slice bytes)
{
	struct side *side = context;

	stretch_add(side->sensor, side->flow, side->direction, bytes);
	reading_bytes(side->sensor, side->flow, side->direction, bytes);
}

static void side_gap(void *context, struct stream *stream, uint64_t length)
{
	struct side *side = context;

	side->sensor->counts.gaps++;
	stretch_cut(side->sensor, side->flow, side->direction);
	reading_gap(side->sensor, side->flow, side->direction, length);
}

static struct stream_sink sink_of(struct side *side)
{
	return (struct stream_sink){side, side_bytes, side_gap};
}

static enum direction other(enum direction direction)
{
	return direction == TO_SERVER ? TO_CLIENT : TO_SERVER;
}

static struct stream *stream_of(struct sensor *sensor, struct flow *flow, enum direction direction)
{
	if (!flow->streams[direction]) {
		flow->streams[direction] = stream_new();
		sensor->counts.streams++;
	}
	return flow->streams[direction];
}

static void end_side(struct sensor *sensor, struct flow *flow, enum direction direction)
{
	struct side side = {sensor, flow, direction};
	struct stream_sink sink = sink_of(&side);
	struct stream *s = flow->streams[direction];

	if (!s || s->closed)
		return;
	stream_end(s, &sink);
	s->closed = true;
	reading_last(sensor, flow, direction);
	stretch_flush(sensor, flow, direction);
}

static bool is_plausible_reset(const struct flow *flow, enum direction direction,
			       const struct packet *packet)
{
	const struct stream *s = flow->streams[direction];

	return !s || !s->started || packet->sequence - s->next + 1 < RESET_WINDOW ||
	       (packet->flags & TCP_ACK && packet->sequence == 0);
}

static void acknowledge(struct sensor *sensor, struct flow *flow, enum direction direction,
			const struct packet *packet)
{
	struct side side = {sensor, flow, other(direction)};
	struct stream_sink sink = sink_of(&side);
	struct stream *s = flow->streams[other(direction)];

	if (s && s->started && packet->flags & TCP_ACK)
		stream_acknowledged(s, packet->acknowledgement, &sink);
}

/* How far the handshake is; false: the segment is not to be read. */
static bool shake_hands(struct sensor *sensor, struct flow *flow, enum direction direction,
			const struct packet *packet)
{
	struct stream *s = stream_of(sensor, flow, direction);
	bool syn = packet->flags & TCP_SYN;

	if (!s)
		return false;
	if (syn && !s->started) {
		stream_start(s, packet->sequence + 1);
		return true;
	}
	if (flow->state != FLOW_NEW)
		return flow->state == FLOW_ESTABLISHED;
	if (flow->streams[TO_SERVER] && flow->streams[TO_SERVER]->started &&
	    flow->streams[TO_CLIENT] && flow->streams[TO_CLIENT]->started && !flow->midstream) {
		if (direction == TO_SERVER && packet->flags & TCP_ACK)
			flow->state = FLOW_ESTABLISHED;
		return flow->state == FLOW_ESTABLISHED || packet->payload.length;
	}
	if (!sensor->setup.midstream)
		return false;
	/* No handshake seen, or half of one. */
	flow->midstream = true;
	if (packet->payload.length || (packet->flags & TCP_ACK && direction == TO_SERVER))
		flow->state = FLOW_ESTABLISHED;
	if (!s->started)
		stream_start(s, packet->sequence);
	return true;
}

/* The timestamps of a segment (RFC 7323). */
static bool find_stamps(const struct packet *packet, uint32_t *value, uint32_t *echo)
{
	struct cursor options = cursor_of(packet->tcp_options);
	struct tcp_option option;
	bool broken = false;

	while (tcp_option_next(&options, &option, &broken) && option.kind)
		if (option.kind == OPTION_TIMESTAMP && option.value.length == 8) {
			struct cursor c = cursor_of(option.value);

			*value = cursor_u32be(&c);
			*echo = cursor_u32be(&c);
			return true;
		}
	return false;
}

static void note_stamp(struct stream *s, const struct packet *packet)
{
	uint32_t value, echo;

	if (!find_stamps(packet, &value, &echo))
		return;
	if (!s->stamped)
		s->stamps[0] = value;
	s->stamps[1] = value;
	s->stamped = true;
}

/* An answer to a SYN that echoes what was never sent is dropped by who sent it: whoever wants a
 * bystander to believe that the connection is over sends one. */
static bool echoes_strange_stamp(const struct flow *flow, enum direction direction,
				 const struct packet *packet)
{
	const struct stream *s = flow->streams[TO_SERVER];
	uint32_t value, echo;

	return flow->state == FLOW_NEW && direction == TO_CLIENT && s && s->started &&
	       !flow->midstream && packet->flags & TCP_ACK && find_stamps(packet, &value, &echo) &&
	       echo && echo - s->stamps[0] > s->stamps[1] - s->stamps[0];
}

void connection_packet(struct sensor *sensor, struct flow *flow, enum direction direction,
		       const struct packet *packet)
{
	struct side side = {sensor, flow, direction};
	struct stream_sink sink = sink_of(&side);
	uint32_t sequence = packet->sequence + (packet->flags & TCP_SYN ? 1 : 0);
	struct stream *s;

	if (echoes_strange_stamp(flow, direction, packet)) {
		sensor->oddity = "stream.pkt_invalid_timestamp";
		return;
	}
	/* Nobody has answered yet: there is nothing to reset, and an answer may still come. */
	if (packet->flags & TCP_RST && flow->state == FLOW_NEW && direction == TO_SERVER &&
	    !(flow->streams[TO_CLIENT] && flow->streams[TO_CLIENT]->started))
		return;
	if (packet->flags & TCP_RST) {
		if (flow->state == FLOW_CLOSED || !is_plausible_reset(flow, direction, packet))
			return;
		end_side(sensor, flow, TO_SERVER);
		end_side(sensor, flow, TO_CLIENT);
		flow->state = FLOW_CLOSED;
		return;
	}
	if (!shake_hands(sensor, flow, direction, packet))
		return;
	acknowledge(sensor, flow, direction, packet);
	s = flow->streams[direction];
	if (direction == TO_SERVER && packet->flags & TCP_SYN)
		note_stamp(s, packet);
	stream_segment(s, sensor->setup.policy, sequence, packet->payload, packet->flags & TCP_FIN,
		       &sink);
	if (s->ended)
		end_side(sensor, flow, direction);
	if (flow->streams[TO_SERVER] && flow->streams[TO_CLIENT] &&
	    flow->streams[TO_SERVER]->closed && flow->streams[TO_CLIENT]->closed)
		flow->state = FLOW_CLOSED;
}

void connection_finish(struct sensor *sensor, struct flow *flow)
{
	end_side(sensor, flow, TO_SERVER);
	end_side(sensor, flow, TO_CLIENT);
}
