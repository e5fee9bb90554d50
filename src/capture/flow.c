/* The table of flows. */
#include "capture/flow.h"

#include <stdlib.h>

#include "base/hash.h"
#include "capture/stream.h"

/* One list for each patience, so that each is in order of the last packet. */
enum list { LIST_FRESH, LIST_ESTABLISHED, LIST_CLOSED, LIST_DATAGRAM, LIST_COUNT };

struct flow_table {
	struct flow_limits limits;
	struct flow **buckets;
	size_t bucket_count; /* a power of two */
	size_t count, held;
	uint64_t shed;
	uint64_t key[2];
	struct {
		struct flow *oldest, *newest;
	} lists[LIST_COUNT];
	void (*ended)(void *context, struct flow *flow);
	void *context;
};

struct flow_key {
	uint8_t low[16], high[16]; /* the lower endpoint first, so that both directions are alike */
	uint16_t low_port, high_port, vlan;
	uint8_t transport, family;
};

struct flow_table *flow_table_new(const struct flow_limits *limits,
				  void (*ended)(void *context, struct flow *flow), void *context)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->limits = *limits;
	t->ended = ended;
	t->context = context;
	t->bucket_count = 1024;
	while (t->bucket_count < limits->flows)
		t->bucket_count *= 2;
	t->buckets = calloc(t->bucket_count, sizeof(struct flow *));
	random_bytes(t->key, sizeof(t->key));
	if (!t->buckets) {
		free(t);
		return NULL;
	}
	return t;
}

static enum list list_of(const struct flow *f)
{
	if (f->transport != TRANSPORT_TCP)
		return LIST_DATAGRAM;
	return f->state == FLOW_NEW           ? LIST_FRESH
	       : f->state == FLOW_ESTABLISHED ? LIST_ESTABLISHED
					      : LIST_CLOSED;
}

static void unlink_list(struct flow_table *t, struct flow *f)
{
	if (f->older)
		f->older->newer = f->newer;
	else
		t->lists[f->list].oldest = f->newer;
	if (f->newer)
		f->newer->older = f->older;
	else
		t->lists[f->list].newest = f->older;
}

static void link_list(struct flow_table *t, struct flow *f)
{
	f->list = (uint8_t)list_of(f);
	f->older = t->lists[f->list].newest;
	f->newer = NULL;
	if (f->older)
		f->older->newer = f;
	else
		t->lists[f->list].oldest = f;
	t->lists[f->list].newest = f;
}

void flow_touch(struct flow_table *t, struct flow *f, int64_t now)
{
	f->seen = now;
	if (!f->newer && f->list == list_of(f))
		return;
	unlink_list(t, f);
	link_list(t, f);
}

void flow_end(struct flow_table *t, struct flow *f)
{
	struct flow **link = &t->buckets[f->hash & (t->bucket_count - 1)];

	if (t->ended)
		t->ended(t->context, f);
	while (*link != f)
		link = &(*link)->bucket_next;
	*link = f->bucket_next;
	unlink_list(t, f);
	t->count--;
	t->held -= f->held;
	stream_free(f->streams[0]);
	stream_free(f->streams[1]);
	if (f->reader && f->reader->drop)
		f->reader->drop(f->reader_state);
	free(f->reader_state);
	free(f->bits);
	free(f->numbers);
	free(f);
}

void flow_table_expire(struct flow_table *t, int64_t now)
{
	const int64_t patience[LIST_COUNT] = {
		[LIST_FRESH] = t->limits.fresh,
		[LIST_ESTABLISHED] = t->limits.established,
		[LIST_CLOSED] = t->limits.closed,
		[LIST_DATAGRAM] = t->limits.datagram,
	};

	for (size_t i = 0; i < LIST_COUNT; i++)
		while (t->lists[i].oldest && t->lists[i].oldest->seen + patience[i] < now)
			flow_end(t, t->lists[i].oldest);
}

/* Over the limit goes, of those nobody will miss first, the one idle longest. */
static void shed(struct flow_table *t)
{
	static const enum list order[] = {LIST_CLOSED, LIST_FRESH, LIST_DATAGRAM, LIST_ESTABLISHED};

	for (size_t i = 0; i < ARRAY_COUNT(order); i++)
		if (t->lists[order[i]].oldest) {
			flow_end(t, t->lists[order[i]].oldest);
			t->shed++;
			return;
		}
}

void flow_weigh(struct flow_table *t, struct flow *f)
{
	size_t held = sizeof(*f);

	for (size_t i = 0; i < 2; i++)
		held += f->streams[i] ? stream_held(f->streams[i]) : 0;
	if (f->reader)
		held += f->reader->state_size +
			(f->reader->held ? f->reader->held(f->reader_state) : 0);
	t->held += held - f->held;
	f->held = held;
	while (t->held > t->limits.bytes && t->count)
		shed(t);
}

size_t flow_table_held(const struct flow_table *t)
{
	return t->held;
}

/* ICMP echoes with one id are a flow; other ICMP belongs to none. */
static bool ports_of(const struct packet *p, uint16_t *from, uint16_t *to)
{
	bool echo;

	switch (p->transport) {
	case TRANSPORT_TCP:
	case TRANSPORT_UDP:
		*from = p->source_port;
		*to = p->destination_port;
		return true;
	case TRANSPORT_ICMP:
		echo = p->version == 4 ? p->icmp_type == 8 || p->icmp_type == 0
				       : p->icmp_type == 128 || p->icmp_type == 129;
		*from = *to = p->icmp_id;
		return echo;
	default:
		return false;
	}
}

static uint32_t hash_of(const struct flow_table *t, const struct packet *p, uint16_t from,
			uint16_t to)
{
	struct flow_key key;
	int order = memcmp(p->source.bytes, p->destination.bytes, 16);
	bool forward = order < 0 || (order == 0 && from <= to);

	memset(&key, 0, sizeof(key));
	memcpy(key.low, forward ? p->source.bytes : p->destination.bytes, 16);
	memcpy(key.high, forward ? p->destination.bytes : p->source.bytes, 16);
	key.low_port = forward ? from : to;
	key.high_port = forward ? to : from;
	key.vlan = p->vlan_count ? p->vlans[0] : 0;
	key.transport = (uint8_t)p->transport;
	key.family = p->version;
	return (uint32_t)hash_sip(t->key, slice_of(&key, sizeof(key)));
}

static bool is_of(const struct flow *f, const struct packet *p, uint16_t from, uint16_t to,
		  enum direction *direction)
{
	if (f->transport != p->transport || f->vlan != (p->vlan_count ? p->vlans[0] : 0))
		return false;
	if (f->client_port == from && f->server_port == to &&
	    address_equal(&f->client, &p->source) && address_equal(&f->server, &p->destination)) {
		*direction = TO_SERVER;
		return true;
	}
	if (f->client_port == to && f->server_port == from &&
	    address_equal(&f->client, &p->destination) && address_equal(&f->server, &p->source)) {
		*direction = TO_CLIENT;
		return true;
	}
	return false;
}

/* Who answers is the server; of packets out of the middle, the lower port is. */
static bool comes_from_server(const struct packet *p, uint16_t from, uint16_t to)
{
	if (p->transport == TRANSPORT_TCP) {
		if (p->flags & TCP_SYN)
			return p->flags & TCP_ACK;
		return from < to && from < 1024;
	}
	if (p->transport == TRANSPORT_ICMP)
		return p->icmp_type == 0 || p->icmp_type == 129;
	return false;
}

static struct flow *make(struct flow_table *t, const struct packet *p, uint16_t from, uint16_t to,
			 uint32_t hash, enum direction *direction)
{
	bool reversed = comes_from_server(p, from, to);
	struct flow *f;

	if (t->count >= t->limits.flows)
		shed(t);
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->client = reversed ? p->destination : p->source;
	f->server = reversed ? p->source : p->destination;
	f->client_port = reversed ? to : from;
	f->server_port = reversed ? from : to;
	f->vlan = p->vlan_count ? p->vlans[0] : 0;
	f->transport = (uint8_t)p->transport;
	f->started = f->seen = p->time;
	f->hash = hash;
	f->bucket_next = t->buckets[hash & (t->bucket_count - 1)];
	t->buckets[hash & (t->bucket_count - 1)] = f;
	t->count++;
	link_list(t, f);
	*direction = reversed ? TO_CLIENT : TO_SERVER;
	return f;
}

struct flow *flow_of_packet(struct flow_table *t, const struct packet *p, enum direction *direction)
{
	uint16_t from, to;
	uint32_t hash;
	struct flow *f;

	if (!ports_of(p, &from, &to))
		return NULL;
	hash = hash_of(t, p, from, to);
	f = t->buckets[hash & (t->bucket_count - 1)];
	while (f && !(f->hash == hash && is_of(f, p, from, to, direction)))
		f = f->bucket_next;
	/* A new handshake on the ports of an old connection is another connection. */
	if (f && f->transport == TRANSPORT_TCP && f->state == FLOW_CLOSED &&
	    (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		flow_end(t, f);
		f = NULL;
	}
	return f ? f : make(t, p, from, to, hash, direction);
}

void flow_table_end(struct flow_table *t)
{
	for (size_t i = 0; i < LIST_COUNT; i++)
		while (t->lists[i].oldest)
			flow_end(t, t->lists[i].oldest);
}

size_t flow_table_count(const struct flow_table *t)
{
	return t->count;
}

uint64_t flow_table_shed(const struct flow_table *t)
{
	return t->shed;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	flow_table_end(t);
	free(t->buckets);
	free(t);
}
