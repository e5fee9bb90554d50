/* Decrypted streams as TCP connections; see tap.h. */
#include "capture/tap.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define SEGMENT_MAX     TAP_PIECE_BYTES
#define HEADERS_MAX     60 /* of IPv6 and TCP */
#define FIRST_SEQUENCE  0u /* of both sides' SYN */
#define PROTOCOL_TCP    6
#define WINDOW          65535
#define HOP_LIMIT       64
#define HEADER_TCP      20
#define WORDS_OF_HEADER ((uint16_t)(HEADER_TCP / 4 << 12))

const struct tap_setup tap_setup_default = {
	.connections = TAP_CONNECTIONS_DEFAULT,
	.flows = {.flows = 2 * TAP_CONNECTIONS_DEFAULT, /* ended ones are remembered for a while */
		  .bytes = TAP_FLOWS_BYTES_DEFAULT,
		  .fresh = 30 * SECOND,
		  .established = 10 * MINUTE,
		  .closed = 10 * SECOND,
		  .datagram = 60 * SECOND},
};

struct connection_key {
	uint8_t client[16], server[16];
	uint16_t client_port, server_port;
	uint32_t family;
};

struct connection {
	struct connection_key key;
	struct endpoint ends[2]; /* by the direction that leads there: server, client */
	char session[ULID_LENGTH + 1];
	uint64_t offsets[2];     /* by direction: of the next byte */
	const struct flow *flow; /* the sensor's, while it has one */
	bool over;               /* the sensor ended its flow while a piece was being fed */
	uint32_t hash;
	struct connection *bucket_next, *older, *newer;
};

struct tap {
	struct tap_setup setup;
	struct sensor *sensor;
	struct connection **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	struct connection *oldest, *newest;
	struct connection *current; /* whose segments are being fed */
	uint64_t key[2];
	struct tap_counts counts;
	uint8_t frame[HEADERS_MAX + SEGMENT_MAX];
};

/* --- the table --- */

static struct connection_key key_of(const struct endpoint *client, const struct endpoint *server)
{
	struct connection_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.client, client->address.bytes, client->address.family == 4 ? 4 : 16);
	memcpy(key.server, server->address.bytes, server->address.family == 4 ? 4 : 16);
	key.client_port = client->port;
	key.server_port = server->port;
	key.family = client->address.family;
	return key;
}

static uint32_t hash_of(const struct tap *tap, const struct connection_key *key)
{
	return (uint32_t)hash_sip(tap->key, slice_of(key, sizeof(*key)));
}

static struct connection *find(const struct tap *tap, const struct connection_key *key)
{
	uint32_t hash = hash_of(tap, key);
	struct connection *c = tap->buckets[hash & (tap->bucket_count - 1)];

	while (c && (c->hash != hash || memcmp(&c->key, key, sizeof(*key)) != 0))
		c = c->bucket_next;
	return c;
}

static void unlink_order(struct tap *tap, struct connection *c)
{
	if (c->older)
		c->older->newer = c->newer;
	else
		tap->oldest = c->newer;
	if (c->newer)
		c->newer->older = c->older;
	else
		tap->newest = c->older;
}

static void link_newest(struct tap *tap, struct connection *c)
{
	c->older = tap->newest;
	c->newer = NULL;
	if (c->older)
		c->older->newer = c;
	else
		tap->oldest = c;
	tap->newest = c;
}

static void forget(struct tap *tap, struct connection *c)
{
	struct connection **link = &tap->buckets[c->hash & (tap->bucket_count - 1)];

	while (*link != c)
		link = &(*link)->bucket_next;
	*link = c->bucket_next;
	unlink_order(tap, c);
	tap->count--;
	free(c);
}

/* --- between the sensor and the listener --- */

/* The sensor's flow gets the decoy's session id before anything is told of it. */
static void take_flow(void *context, const struct packet *packet, struct flow *flow,
		      enum direction direction)
{
	struct tap *tap = context;

	if (!flow || !tap->current)
		return;
	tap->current->flow = flow;
	memcpy(flow->session, tap->current->session, sizeof(flow->session));
	flow->told = true;
}

/* Packets are made up, so rules that ask for their headers must not see them. */
static void pass_inspection(void *context, const struct inspection *inspection)
{
	struct tap *tap = context;
	const struct sensor_listener *listener = &tap->setup.listener;
	struct inspection shown = *inspection;

	if (inspection->kind == INSPECT_PACKET || !listener->inspect)
		return;
	shown.packet = NULL;
	listener->inspect(listener->context, &shown);
}

static void pass_event(void *context, struct event *event, struct flow *flow)
{
	struct tap *tap = context;
	const struct sensor_listener *listener = &tap->setup.listener;

	if (listener->event)
		listener->event(listener->context, event, flow);
}

static void lose_flow(void *context, struct flow *flow)
{
	struct tap *tap = context;
	const struct sensor_listener *listener = &tap->setup.listener;
	struct endpoint client = {flow->client, flow->client_port},
			server = {flow->server, flow->server_port};
	struct connection_key key = key_of(&client, &server);
	struct connection *c = find(tap, &key);

	if (listener->flow_over)
		listener->flow_over(listener->context, flow);
	if (!c || c->flow != flow)
		return;
	c->flow = NULL;
	if (c == tap->current)
		c->over = true;
	else
		forget(tap, c);
}

/* --- segments --- */

static void put_ip(struct writer *w, const struct endpoint *from, const struct endpoint *to,
		   size_t length)
{
	if (from->address.family == 4) {
		writer_u16be(w, 0x4500);
		writer_u16be(w, (uint16_t)(20 + length));
		writer_u32be(w, 0x4000); /* do not fragment */
		writer_u8(w, HOP_LIMIT);
		writer_u8(w, PROTOCOL_TCP);
		writer_u16be(w, 0);
		writer_bytes(w, slice_of(from->address.bytes, 4));
		writer_bytes(w, slice_of(to->address.bytes, 4));
		return;
	}
	writer_u32be(w, 0x60000000);
	writer_u16be(w, (uint16_t)length);
	writer_u8(w, PROTOCOL_TCP);
	writer_u8(w, HOP_LIMIT);
	writer_bytes(w, slice_of(from->address.bytes, 16));
	writer_bytes(w, slice_of(to->address.bytes, 16));
}

static enum direction other(enum direction direction)
{
	return direction == TO_SERVER ? TO_CLIENT : TO_SERVER;
}

/* Behind the SYN comes the stream's first byte; sequence numbers go round every 4 GiB. */
static uint32_t sequence_of(uint64_t offset)
{
	return FIRST_SEQUENCE + 1 + (uint32_t)offset;
}

static void send_segment(struct tap *tap, struct connection *c, enum direction direction,
			 uint8_t flags, uint32_t sequence, struct slice bytes, int64_t time)
{
	struct writer w = writer_fixed(tap->frame, sizeof(tap->frame));
	const struct endpoint *from = &c->ends[other(direction)], *to = &c->ends[direction];

	if (c->over)
		return;
	put_ip(&w, from, to, HEADER_TCP + bytes.length);
	writer_u16be(&w, from->port);
	writer_u16be(&w, to->port);
	writer_u32be(&w, sequence);
	writer_u32be(&w, flags & TCP_ACK ? sequence_of(c->offsets[other(direction)]) : 0);
	writer_u16be(&w, (uint16_t)(WORDS_OF_HEADER | flags));
	writer_u16be(&w, WINDOW);
	writer_u32be(&w, 0);
	writer_bytes(&w, bytes);
	tap->current = c;
	sensor_packet(tap->sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, time);
	tap->current = NULL;
}

static void send_mark(struct tap *tap, struct connection *c, enum direction direction,
		      uint8_t flags, int64_t time)
{
	uint32_t sequence = flags & TCP_SYN ? FIRST_SEQUENCE : sequence_of(c->offsets[direction]);

	send_segment(tap, c, direction, flags, sequence, slice_of(NULL, 0), time);
}

/* Ends it where it is, and forgets it. The sensor believes a reset without a sequence number
 * wherever the stream is. */
static void reset(struct tap *tap, struct connection *c, int64_t time)
{
	send_segment(tap, c, TO_SERVER, TCP_RST | TCP_ACK, 0, slice_of(NULL, 0), time);
	forget(tap, c);
}

/* --- connections --- */

static struct connection *open_connection(struct tap *tap, const struct tap_piece *piece,
					  const struct connection_key *key)
{
	struct connection *c;

	if (tap->count >= tap->setup.connections) {
		tap->counts.shed++;
		reset(tap, tap->oldest, piece->time);
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = *key;
	c->hash = hash_of(tap, key);
	c->ends[TO_SERVER] = piece->server;
	c->ends[TO_CLIENT] = piece->client;
	memcpy(c->session, piece->session, sizeof(c->session));
	c->bucket_next = tap->buckets[c->hash & (tap->bucket_count - 1)];
	tap->buckets[c->hash & (tap->bucket_count - 1)] = c;
	link_newest(tap, c);
	tap->count++;
	tap->counts.connections++;
	tap->counts.late += !piece->opened;
	send_mark(tap, c, TO_SERVER, TCP_SYN, piece->time);
	send_mark(tap, c, TO_CLIENT, TCP_SYN | TCP_ACK, piece->time);
	send_mark(tap, c, TO_SERVER, TCP_ACK, piece->time);
	return c;
}

static struct connection *connection_of(struct tap *tap, const struct tap_piece *piece)
{
	struct connection_key key = key_of(&piece->client, &piece->server);
	struct connection *c = find(tap, &key);

	/* The end of the one before on these ports was lost. */
	if (c && strcmp(c->session, piece->session) != 0) {
		reset(tap, c, piece->time);
		c = NULL;
	}
	if (!c)
		return piece->offset <= TAP_GAP_MAX ? open_connection(tap, piece, &key) : NULL;
	unlink_order(tap, c);
	link_newest(tap, c);
	return c;
}

static void note_gap(struct tap *tap, uint64_t length)
{
	tap->counts.gaps++;
	tap->counts.lost += length;
}

static void send_bytes(struct tap *tap, struct connection *c, enum direction direction,
		       const struct tap_piece *piece)
{
	bool gap = piece->offset > c->offsets[direction];
	struct slice rest = piece->bytes;

	if (gap)
		note_gap(tap, piece->offset - c->offsets[direction]);
	c->offsets[direction] = piece->offset;
	while (rest.length && !c->over) {
		struct slice part = slice_first(rest, SEGMENT_MAX);

		send_segment(tap, c, direction, TCP_PSH | TCP_ACK,
			     sequence_of(c->offsets[direction]), part, piece->time);
		c->offsets[direction] += part.length;
		rest = slice_from(rest, part.length);
		/* Who acknowledges what comes behind a gap had what we missed. */
		if (gap)
			send_mark(tap, c, other(direction), TCP_ACK, piece->time);
		gap = false;
	}
}

/* Without the end of a stream nobody may take it for whole: such a connection is reset. */
static void close_connection(struct tap *tap, struct connection *c, const struct tap_piece *piece,
			     bool whole)
{
	enum direction direction = piece->to_client ? TO_CLIENT : TO_SERVER;

	if (!whole) {
		reset(tap, c, piece->time);
		return;
	}
	send_mark(tap, c, direction, TCP_FIN | TCP_ACK, piece->time);
	send_mark(tap, c, other(direction), TCP_FIN | TCP_ACK, piece->time);
	/* A flow that stays open would swallow the next connection on its ports. */
	if (!c->over && c->flow && c->flow->state != FLOW_CLOSED)
		reset(tap, c, piece->time);
	else
		forget(tap, c);
}

void tap_piece(struct tap *tap, const struct tap_piece *piece)
{
	enum direction direction = piece->to_client ? TO_CLIENT : TO_SERVER;
	uint64_t behind, missing;
	struct connection *c;
	bool whole;

	c = tap_piece_is_sound(piece) ? connection_of(tap, piece) : NULL;
	if (!c || piece->offset < c->offsets[direction] ||
	    piece->offset - c->offsets[direction] > TAP_GAP_MAX ||
	    piece->other_offset < c->offsets[other(direction)]) {
		tap->counts.refused++;
		return;
	}
	tap->counts.pieces++;
	tap->counts.bytes += piece->bytes.length;
	behind = piece->offset - c->offsets[direction];
	missing = piece->other_offset - c->offsets[other(direction)];
	whole = missing == 0 && (behind == 0 || piece->bytes.length);
	send_bytes(tap, c, direction, piece);
	if (piece->closed && missing)
		note_gap(tap, missing);
	if (c->over) {
		tap->counts.shed++;
		forget(tap, c);
	} else if (piece->closed) {
		close_connection(tap, c, piece, whole);
	}
}

/* --- the tap --- */

struct tap *tap_new(const struct tap_setup *setup)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	struct sensor_setup inside = sensor_setup_default;

	if (!tap)
		return NULL;
	tap->setup = *setup;
	if (tap->setup.connections == 0)
		tap->setup.connections = 1;
	random_bytes(tap->key, sizeof(tap->key));
	tap->bucket_count = 64;
	while (tap->bucket_count < tap->setup.connections)
		tap->bucket_count *= 2;
	tap->buckets = calloc(tap->bucket_count, sizeof(struct connection *));
	inside.flows = setup->flows;
	inside.checksums = false;
	/* A flow that a limit ended does not come back by itself: the tap shakes hands anew. */
	inside.midstream = false;
	inside.listener = (struct sensor_listener){.context = tap,
						   .wants = setup->listener.wants,
						   .inspect = pass_inspection,
						   .handshake = take_flow,
						   .event = pass_event,
						   .flow_over = lose_flow};
	tap->sensor = sensor_new(&inside);
	if (!tap->buckets || !tap->sensor) {
		tap_free(tap);
		return NULL;
	}
	return tap;
}

void tap_finish(struct tap *tap)
{
	sensor_finish(tap->sensor);
	while (tap->oldest)
		forget(tap, tap->oldest);
}

struct tap_counts tap_counts(const struct tap *tap)
{
	struct tap_counts counts = tap->counts;

	counts.open = tap->count;
	counts.sensor = sensor_counts(tap->sensor);
	return counts;
}

void tap_free(struct tap *tap)
{
	if (!tap)
		return;
	if (tap->sensor)
		sensor_free(tap->sensor);
	while (tap->buckets && tap->oldest)
		forget(tap, tap->oldest);
	free(tap->buckets);
	free(tap);
}
