/* The way of a packet through the sensor. */
#include "capture/sensor.h"

#include <stdlib.h>

#include "base/clock.h"
#include "capture/sensor_inside.h"

const struct sensor_setup sensor_setup_default = {
	.flows = {.flows = FLOWS_MAX_DEFAULT,
		  .bytes = FLOWS_BYTES_DEFAULT,
		  .fresh = 30 * SECOND,
		  .established = 10 * MINUTE,
		  .closed = 10 * SECOND,
		  .datagram = 60 * SECOND},
	.policy = STREAM_LINUX,
	.checksums = true,
	.midstream = true,
};

void sensor_inspect(struct sensor *sensor, struct inspection *inspection)
{
	const struct sensor_listener *listener = &sensor->setup.listener;

	if (listener->inspect)
		listener->inspect(listener->context, inspection);
}

static void flow_ended(void *context, struct flow *flow)
{
	struct sensor *sensor = context;
	const struct sensor_listener *listener = &sensor->setup.listener;
	const struct packet *packet = sensor->packet;

	sensor->packet = NULL;
	connection_finish(sensor, flow);
	reading_finish(sensor, flow);
	if (listener->flow_over)
		listener->flow_over(listener->context, flow);
	sensor->packet = packet;
}

struct sensor *sensor_new(const struct sensor_setup *setup)
{
	struct sensor *sensor = calloc(1, sizeof(*sensor));

	if (!sensor)
		return NULL;
	sensor->setup = *setup;
	sensor->scratch = arena_of(SCRATCH_MAX);
	sensor->flows = flow_table_new(&setup->flows, flow_ended, sensor);
	sensor->fragments = fragments_new();
	if (!sensor->flows || !sensor->fragments) {
		sensor_free(sensor);
		return NULL;
	}
	return sensor;
}

static void inspect_packet(struct sensor *sensor, const struct packet *packet, struct flow *flow,
			   enum direction direction)
{
	struct buffer buffers[HEADER_BUFFERS_MAX];
	struct inspection inspection = {
		.kind = INSPECT_PACKET,
		.direction = direction,
		.application = flow ? (enum application_id)flow->application : APPLICATION_NONE,
		.packet = packet,
		.flow = flow,
		.time = packet->time,
		.findings = {.buffers = buffers},
	};
	size_t network = (size_t)(packet->network_payload.at - packet->network.at);
	size_t count = 0;
	enum buffer_id header =
		packet->version == 4 ? BUFFER_NETWORK_HEADER4 : BUFFER_NETWORK_HEADER6;

	if (packet->payload.length)
		buffers[count++] = (struct buffer){BUFFER_PAYLOAD, packet->payload};
	if (packet->version && packet->network_payload.at && sensor_wants(sensor, header))
		buffers[count++] = (struct buffer){header, slice_first(packet->network, network)};
	header = packet->transport == TRANSPORT_TCP   ? BUFFER_TCP_HEADER
		 : packet->transport == TRANSPORT_UDP ? BUFFER_UDP_HEADER
		 : packet->version == 4               ? BUFFER_ICMP4_HEADER
						      : BUFFER_ICMP6_HEADER;
	if (packet->transport_header.length && sensor_wants(sensor, header))
		buffers[count++] = (struct buffer){header, packet->transport_header};
	inspection.findings.buffer_count = count;
	inspection.findings.anomalies = &sensor->oddity;
	inspection.findings.anomaly_count = sensor->oddity != NULL;
	sensor_inspect(sensor, &inspection);
}

static void look_at(struct sensor *sensor, const struct packet *packet)
{
	const struct sensor_listener *listener = &sensor->setup.listener;
	enum direction direction = TO_SERVER;
	size_t before = flow_table_count(sensor->flows);
	struct flow *flow = flow_of_packet(sensor->flows, packet, &direction);

	sensor->packet = packet;
	sensor->counts.flows += flow_table_count(sensor->flows) > before;
	if (packet->transport == TRANSPORT_TCP && packet->flags & TCP_SYN && listener->handshake)
		listener->handshake(listener->context, packet, flow, direction);
	if (flow) {
		flow->packets[direction]++;
		flow->bytes[direction] += packet->payload.length;
		flow->framed[direction] += packet->frame.length;
		flow->flags[direction] |= (uint8_t)packet->flags;
		if (packet->transport == TRANSPORT_TCP)
			connection_packet(sensor, flow, direction, packet);
		else if (flow->packets[0] && flow->packets[1])
			flow->state = FLOW_ESTABLISHED;
		if (packet->transport == TRANSPORT_UDP && packet->payload.length)
			reading_datagram(sensor, flow, direction, packet->payload);
		flow_touch(sensor->flows, flow, packet->time);
	} else if (listener->flowless && !packet->fragment_offset && !packet->more_fragments) {
		listener->flowless(listener->context, packet);
	}
	inspect_packet(sensor, packet, flow, direction);
	sensor->oddity = NULL;
	if (flow)
		flow_weigh(sensor->flows, flow);
	sensor->packet = NULL;
}

/* A packet, and those inside it. */
static void take(struct sensor *sensor, const struct packet *packet)
{
	struct packet inside;

	sensor->counts.decoded++;
	if (sensor->setup.checksums &&
	    packet->flaws & (FLAW_NETWORK_CHECKSUM | FLAW_TRANSPORT_CHECKSUM)) {
		sensor->counts.wrong_sums++;
		/* Only rules that ask for sums look at it. */
		inspect_packet(sensor, packet, NULL, TO_SERVER);
		return;
	}
	if (packet->fragment_offset || packet->more_fragments) {
		struct slice network;
		bool whole = fragments_add(sensor->fragments, packet, &network);

		sensor->counts.fragments++;
		if (fragments_overlapped(sensor->fragments))
			sensor->oddity =
				packet->version == 4 ? "ipv4.frag_overlap" : "ipv6.frag_overlap";
		look_at(sensor, packet);
		if (whole && packet_decode_network(&inside, packet, network) == 0 &&
		    !inside.more_fragments && !inside.fragment_offset)
			take(sensor, &inside);
		return;
	}
	look_at(sensor, packet);
	if (packet_inside(packet, &inside))
		take(sensor, &inside);
}

void sensor_packet(struct sensor *sensor, enum link_type link, struct slice frame,
		   uint32_t wire_length, int64_t time)
{
	struct packet packet;

	sensor->counts.packets++;
	sensor->counts.bytes += wire_length;
	/* Capture files may step back; our clock does not. */
	if (time > sensor->now)
		sensor->now = time;
	if (sensor->counts.packets % EXPIRE_EVERY == 0 || sensor->now - sensor->expired >= SECOND) {
		flow_table_expire(sensor->flows, sensor->now);
		sensor->expired = sensor->now;
	}
	if (packet_decode(&packet, link, frame, wire_length, time, sensor->setup.checksums) == 0)
		take(sensor, &packet);
	else if (sensor->setup.listener.other)
		sensor->setup.listener.other(sensor->setup.listener.context, &packet);
}

void sensor_tick(struct sensor *sensor, int64_t now)
{
	if (now > sensor->now)
		sensor->now = now;
	flow_table_expire(sensor->flows, sensor->now);
}

void sensor_finish(struct sensor *sensor)
{
	flow_table_end(sensor->flows);
}

struct sensor_counts sensor_counts(const struct sensor *sensor)
{
	struct sensor_counts counts = sensor->counts;

	counts.flows_shed = flow_table_shed(sensor->flows);
	counts.flow_bytes = flow_table_held(sensor->flows);
	return counts;
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	flow_table_free(sensor->flows);
	fragments_free(sensor->fragments);
	arena_drop(&sensor->scratch);
	free(sensor);
}

static const char *transport_name(unsigned transport)
{
	return transport == TRANSPORT_TCP    ? "tcp"
	       : transport == TRANSPORT_UDP  ? "udp"
	       : transport == TRANSPORT_ICMP ? "icmp"
					     : NULL;
}

static void set_ends(struct event *event, const struct address *source,
		     const struct address *destination, int64_t time, unsigned transport)
{
	event_set_number(event, FIELD_TIME, time);
	event_set_address(event, FIELD_SOURCE_IP, source);
	event_set_address(event, FIELD_DESTINATION_IP, destination);
	if (transport_name(transport))
		event_set_words(event, FIELD_NETWORK_TRANSPORT, transport_name(transport));
}

void sensor_event_of_flow(struct event *event, struct flow *flow, int64_t time)
{
	struct ulid_source ids = {0};

	/* An id costs randomness: only flows that are told of get one. */
	if (!flow->told && !flow->linked) {
		ulid_next(&ids, flow->started, flow->session);
		flow->told = true;
	}
	set_ends(event, &flow->client, &flow->server, time, flow->transport);
	if (flow->transport != TRANSPORT_ICMP) {
		event_set_number(event, FIELD_SOURCE_PORT, flow->client_port);
		event_set_number(event, FIELD_DESTINATION_PORT, flow->server_port);
	}
	if (flow->application != APPLICATION_NONE)
		event_set_words(event, FIELD_NETWORK_PROTOCOL,
				application_descriptions[flow->application].name);
	event_set_words(event, FIELD_SESSION_ID, flow->session);
}

void sensor_event_of_packet(struct event *event, const struct packet *packet)
{
	set_ends(event, &packet->source, &packet->destination, packet->time, packet->transport);
	if (packet->transport == TRANSPORT_TCP || packet->transport == TRANSPORT_UDP) {
		event_set_number(event, FIELD_SOURCE_PORT, packet->source_port);
		event_set_number(event, FIELD_DESTINATION_PORT, packet->destination_port);
	}
}
