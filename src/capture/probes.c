/* Sources in a hash table and a list by the time they were last heard; see probes.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "capture/probes.h"

#define PORTS_LISTED 32  /* then a set of ports becomes bits */
#define TARGETS_MAX  64  /* beyond that they are counted as "at least" */
#define RANGES_TEXT  900 /* bytes of ports in words */
#define ARP_SWEEP    5   /* fewer addresses asked for are a host that talks to its neighbours */
#define BUCKETS      4096

#define ETHERTYPE_ARP 0x0806
#define ETHERNET      14
#define VLAN_TAG      4

struct ports {
	uint16_t *list; /* PORTS_LISTED of them, or none yet */
	uint8_t *bits;  /* 65536 of them, instead */
	uint32_t count;
};

struct source {
	struct address address;
	struct source *chain, *older, *newer;
	int64_t first, last, heard;
	uint64_t counts[PROBE_KINDS];
	struct ports tcp, udp;
	struct address targets[TARGETS_MAX];
	uint32_t target_count;
	bool more_targets;
	const char *tool;
};

struct probes {
	struct probes_setup setup;
	struct source *buckets[BUCKETS];
	struct source *oldest, *newest;
	size_t count, bytes;
	uint64_t key[2];
	int64_t now;
};

const struct probes_setup probes_setup_default = {.sources = PROBES_SOURCES_DEFAULT,
						  .bytes = PROBES_BYTES_DEFAULT,
						  .quiet = MINUTE,
						  .longest = 10 * MINUTE};

struct probes *probes_new(const struct probes_setup *setup)
{
	struct probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return NULL;
	probes->setup = *setup;
	random_bytes(probes->key, sizeof(probes->key));
	return probes;
}

size_t probes_held(const struct probes *probes)
{
	return probes->count * sizeof(struct source) + probes->bytes;
}

/* --- sets of ports --- */

static bool ports_have(const struct ports *ports, unsigned port)
{
	if (ports->bits)
		return ports->bits[port / 8] >> port % 8 & 1;
	for (uint32_t i = 0; i < ports->count; i++) {
		if (ports->list[i] == port)
			return true;
	}
	return false;
}

static bool become_bits(struct probes *probes, struct ports *ports)
{
	uint8_t *bits = calloc(1, 65536 / 8);

	if (!bits)
		return false;
	for (uint32_t i = 0; i < ports->count; i++)
		bits[ports->list[i] / 8] |= (uint8_t)(1u << ports->list[i] % 8);
	probes->bytes += 65536 / 8 - PORTS_LISTED * sizeof(uint16_t);
	free(ports->list);
	ports->list = NULL;
	ports->bits = bits;
	return true;
}

static void ports_add(struct probes *probes, struct ports *ports, uint16_t port)
{
	if (ports_have(ports, port))
		return;
	if (!ports->list && !ports->bits) {
		ports->list = calloc(PORTS_LISTED, sizeof(uint16_t));
		if (!ports->list)
			return;
		probes->bytes += PORTS_LISTED * sizeof(uint16_t);
	}
	if (!ports->bits && ports->count == PORTS_LISTED && !become_bits(probes, ports))
		return;
	if (ports->bits)
		ports->bits[port / 8] |= (uint8_t)(1u << port % 8);
	else
		ports->list[ports->count] = port;
	ports->count++;
}

static void ports_drop(struct probes *probes, struct ports *ports)
{
	if (ports->bits)
		probes->bytes -= 65536 / 8;
	else if (ports->list)
		probes->bytes -= PORTS_LISTED * sizeof(uint16_t);
	free(ports->list);
	free(ports->bits);
	*ports = (struct ports){0};
}

static int compare_ports(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The first port of the set from there on, or 65536. */
static unsigned next_port(const struct ports *ports, unsigned from)
{
	if (!ports->bits) { /* sorted */
		for (uint32_t i = 0; i < ports->count; i++) {
			if (ports->list[i] >= from)
				return ports->list[i];
		}
		return 65536;
	}
	while (from < 65536 && !(ports->bits[from / 8] >> from % 8 & 1))
		from += from % 8 == 0 && ports->bits[from / 8] == 0 ? 8 : 1;
	return from;
}

/* "1-1024,3306"; ends with ",..." when there is no room for all. */
static void ports_text(struct ports *ports, struct writer *out)
{
	unsigned port, last;

	if (!ports->count)
		return;
	if (!ports->bits)
		qsort(ports->list, ports->count, sizeof(ports->list[0]), compare_ports);
	for (port = next_port(ports, 0); port < 65536; port = next_port(ports, last + 1)) {
		if (out->length > RANGES_TEXT) {
			writer_text(out, ",...");
			return;
		}
		last = port;
		while (last < 65535 && next_port(ports, last + 1) == last + 1)
			last++;
		writer_format(out, last > port ? "%s%u-%u" : "%s%u", out->length ? "," : "", port,
			      last);
	}
}

/* --- telling --- */

static const char *const kind_names[PROBE_KINDS] = {
	[PROBE_SYN] = "syn",   [PROBE_CONNECT] = "connect", [PROBE_FIN] = "fin",
	[PROBE_NULL] = "null", [PROBE_XMAS] = "xmas",       [PROBE_ACK] = "ack",
	[PROBE_UDP] = "udp",   [PROBE_ECHO] = "echo",       [PROBE_ARP] = "arp",
};

static uint64_t sum_of(const struct source *source)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < PROBE_KINDS; i++)
		sum += source->counts[i];
	if (source->counts[PROBE_ARP] == sum && source->target_count < ARP_SWEEP)
		return 0;
	return sum;
}

/* The transport when all of it was one. */
static const char *transport_of(const struct source *source)
{
	uint64_t udp = source->counts[PROBE_UDP], echo = source->counts[PROBE_ECHO],
		 arp = source->counts[PROBE_ARP], sum = sum_of(source);

	if (udp == sum)
		return "udp";
	if (echo == sum)
		return "icmp";
	return udp || echo || arp ? NULL : "tcp";
}

static void tell(struct probes *probes, struct source *source)
{
	char texts[PROBE_KINDS][40];
	struct slice kinds[PROBE_KINDS];
	uint8_t tcp_room[RANGES_TEXT + 64], udp_room[RANGES_TEXT + 64];
	struct writer tcp = writer_fixed(tcp_room, sizeof(tcp_room));
	struct writer udp = writer_fixed(udp_room, sizeof(udp_room));
	const char *transport = transport_of(source);
	uint64_t sum = sum_of(source);
	struct event event;
	size_t count = 0;

	if (sum == 0)
		return;
	event_clear(&event);
	event_set_words(&event, FIELD_EVENT_ACTION, "port.probe");
	event_set_number(&event, FIELD_TIME, source->last);
	event_set_number(&event, FIELD_EVENT_START, source->first);
	event_set_address(&event, FIELD_SOURCE_IP, &source->address);
	if (source->target_count == 1)
		event_set_address(&event, FIELD_DESTINATION_IP, &source->targets[0]);
	if (transport)
		event_set_words(&event, FIELD_NETWORK_TRANSPORT, transport);
	event_set_number(&event, FIELD_ALIKE, (int64_t)sum);
	for (size_t i = 0; i < PROBE_KINDS; i++) {
		if (!source->counts[i])
			continue;
		snprintf(texts[i], sizeof(texts[i]), "%s=%llu", kind_names[i],
			 (unsigned long long)source->counts[i]);
		kinds[count++] = slice_text(texts[i]);
	}
	event_set_texts(&event, FIELD_PROBE_KINDS, kinds, count);
	ports_text(&source->tcp, &tcp);
	ports_text(&source->udp, &udp);
	if (tcp.length)
		event_set_text(&event, FIELD_PROBE_TCP_PORTS, writer_slice(&tcp));
	if (udp.length)
		event_set_text(&event, FIELD_PROBE_UDP_PORTS, writer_slice(&udp));
	event_set_number(&event, FIELD_PROBE_PORTS, source->tcp.count + source->udp.count);
	event_set_number(&event, FIELD_PROBE_TARGETS, source->target_count + source->more_targets);
	if (source->tool)
		event_set_words(&event, FIELD_CLIENT_TOOL, source->tool);
	probes->setup.event(probes->setup.context, &event);
}

/* --- sources --- */

static struct source **bucket_of(struct probes *probes, const struct address *address)
{
	uint64_t hash = hash_sip(probes->key, slice_of(address->bytes, 16));

	return &probes->buckets[hash % BUCKETS];
}

static void unlist(struct probes *probes, struct source *source)
{
	*(source->older ? &source->older->newer : &probes->oldest) = source->newer;
	*(source->newer ? &source->newer->older : &probes->newest) = source->older;
}

static void list_newest(struct probes *probes, struct source *source)
{
	source->older = probes->newest;
	source->newer = NULL;
	*(probes->newest ? &probes->newest->newer : &probes->oldest) = source;
	probes->newest = source;
}

static void end_source(struct probes *probes, struct source *source)
{
	struct source **at = bucket_of(probes, &source->address);

	tell(probes, source);
	while (*at != source)
		at = &(*at)->chain;
	*at = source->chain;
	unlist(probes, source);
	ports_drop(probes, &source->tcp);
	ports_drop(probes, &source->udp);
	free(source);
	probes->count--;
}

static struct source *source_of(struct probes *probes, const struct address *address, int64_t time)
{
	struct source **bucket = bucket_of(probes, address), *source = *bucket;

	if (time > probes->now)
		probes->now = time;
	while (source && !address_equal(&source->address, address))
		source = source->chain;
	if (source && time - source->first >= probes->setup.longest) {
		end_source(probes, source);
		source = NULL;
	}
	if (source) {
		unlist(probes, source);
	} else {
		while (probes->oldest && (probes->count >= probes->setup.sources ||
					  probes->bytes >= probes->setup.bytes))
			end_source(probes, probes->oldest);
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		source->address = *address;
		source->first = source->last = time;
		source->chain = *bucket;
		*bucket = source;
		probes->count++;
	}
	list_newest(probes, source);
	source->heard = probes->now;
	if (time < source->first)
		source->first = time;
	if (time > source->last)
		source->last = time;
	return source;
}

static void add_target(struct source *source, const struct address *target)
{
	for (uint32_t i = 0; i < source->target_count; i++) {
		if (address_equal(&source->targets[i], target))
			return;
	}
	if (source->target_count < TARGETS_MAX)
		source->targets[source->target_count++] = *target;
	else
		source->more_targets = true;
}

/* --- what comes in --- */

#define SCAN_FLAGS (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG)

/* PROBE_KINDS: it is none. */
static enum probe_kind tcp_kind(const struct flow *flow)
{
	unsigned flags = flow->flags[TO_SERVER] & SCAN_FLAGS;

	if (flow->bytes[TO_SERVER])
		return PROBE_KINDS;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? PROBE_CONNECT : PROBE_SYN;
	if (flow->packets[TO_SERVER] > 2 || flow->bytes[TO_CLIENT])
		return PROBE_KINDS;
	return flags == 0                               ? PROBE_NULL
	       : flags == TCP_FIN                       ? PROBE_FIN
	       : flags == (TCP_FIN | TCP_PSH | TCP_URG) ? PROBE_XMAS
	       : flags == TCP_ACK                       ? PROBE_ACK
							: PROBE_KINDS;
}

static enum probe_kind kind_of(const struct flow *flow)
{
	switch (flow->transport) {
	case TRANSPORT_TCP:
		return tcp_kind(flow);
	case TRANSPORT_UDP:
		return flow->packets[TO_CLIENT] || flow->packets[TO_SERVER] > 2 ? PROBE_KINDS
										: PROBE_UDP;
	case TRANSPORT_ICMP:
		return PROBE_ECHO;
	default:
		return PROBE_KINDS;
	}
}

void probes_flow_over(struct probes *probes, const struct flow *flow)
{
	enum probe_kind kind = kind_of(flow);
	struct source *source;

	if (flow->linked || kind == PROBE_KINDS)
		return;
	source = source_of(probes, &flow->client, flow->seen);
	if (!source)
		return;
	if (flow->started < source->first)
		source->first = flow->started;
	source->counts[kind]++;
	add_target(source, &flow->server);
	if (flow->transport == TRANSPORT_TCP)
		ports_add(probes, &source->tcp, flow->server_port);
	else if (flow->transport == TRANSPORT_UDP)
		ports_add(probes, &source->udp, flow->server_port);
}

void probes_arp(struct probes *probes, const struct packet *packet)
{
	struct cursor c = cursor_of(
		slice_from(packet->frame, ETHERNET + VLAN_TAG * (size_t)packet->vlan_count));
	uint16_t hardware = cursor_u16be(&c), protocol = cursor_u16be(&c);
	uint8_t hardware_length = cursor_u8(&c), protocol_length = cursor_u8(&c);
	uint16_t operation = cursor_u16be(&c);
	struct address sender, target;
	struct source *source;

	cursor_skip(&c, 6);
	sender = address_v4(cursor_u32be(&c));
	cursor_skip(&c, 6);
	target = address_v4(cursor_u32be(&c));
	if (c.failed || hardware != 1 || protocol != 0x0800 || hardware_length != 6 ||
	    protocol_length != 4 || operation != 1 || address_equal(&sender, &target))
		return;
	source = source_of(probes, &sender, packet->time);
	if (!source)
		return;
	source->counts[PROBE_ARP]++;
	add_target(source, &target);
}

void probes_tool(struct probes *probes, const struct address *from, const char *tool, int64_t time)
{
	struct source *source = source_of(probes, from, time);

	if (source)
		source->tool = tool;
}

void probes_tick(struct probes *probes, int64_t now)
{
	if (now > probes->now)
		probes->now = now;
	while (probes->oldest && probes->oldest->heard + probes->setup.quiet <= probes->now)
		end_source(probes, probes->oldest);
}

void probes_finish(struct probes *probes)
{
	while (probes->oldest)
		end_source(probes, probes->oldest);
}

void probes_free(struct probes *probes)
{
	if (!probes)
		return;
	probes->setup.event = NULL;
	while (probes->oldest) {
		struct source *source = probes->oldest;

		unlist(probes, source);
		ports_drop(probes, &source->tcp);
		ports_drop(probes, &source->udp);
		free(source);
	}
	free(probes);
}
