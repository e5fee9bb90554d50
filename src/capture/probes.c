/* Sources in a hash table and a list by the time they were last heard; see probes.h. */
#include "capture/probes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "capture/number_set.h"
#include "capture/target_set.h"

#define APPLICATIONS_MAX 8
#define RANGES_TEXT      900 /* bytes of ports in words */

struct source {
	struct address address; /* of the rest: none */
	struct source *chain, *older, *newer;
	int64_t first, last;  /* of its packets */
	int64_t since, heard; /* by our clock, which does not step back */
	uint64_t counts[PROBE_KINDS];
	struct number_set tcp, udp, sctp, protocols;
	struct target_set targets;
	size_t held;
	uint64_t folded; /* the rest: sources that it stands for */
	const char *tool;
	uint8_t applications[APPLICATIONS_MAX], application_count;
};

struct probes {
	struct probes_setup setup;
	struct source **buckets;
	size_t bucket_count; /* a power of two */
	struct source *oldest, *newest;
	size_t count, bytes;
	struct source rest; /* whom there was no room to tell of */
	int64_t pressed_since;
	unsigned pressed_told;
	struct probes_counts counts;
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
	if (probes->setup.bytes < PROBES_BYTES_MIN)
		probes->setup.bytes = PROBES_BYTES_MIN;
	if (probes->setup.sources < 1)
		probes->setup.sources = 1;
	probes->bucket_count = 64;
	while (probes->bucket_count < setup->sources)
		probes->bucket_count *= 2;
	probes->buckets = calloc(probes->bucket_count, sizeof(struct source *));
	if (!probes->buckets) {
		free(probes);
		return NULL;
	}
	random_bytes(probes->key, sizeof(probes->key));
	return probes;
}

size_t probes_held(const struct probes *probes)
{
	return probes->bytes;
}

struct probes_counts probes_counts(const struct probes *probes)
{
	return probes->counts;
}

/* --- what a source holds --- */

static size_t sets_held(const struct source *source)
{
	return number_set_held(&source->tcp) + number_set_held(&source->udp) +
	       number_set_held(&source->sctp) + number_set_held(&source->protocols) +
	       target_set_held(&source->targets);
}

static void weigh(struct probes *probes, struct source *source)
{
	size_t held = sets_held(source) + (source == &probes->rest ? 0 : sizeof(*source));

	probes->bytes += held - source->held;
	source->held = held;
}

static void drop_sets(struct source *source)
{
	number_set_drop(&source->tcp);
	number_set_drop(&source->udp);
	number_set_drop(&source->sctp);
	number_set_drop(&source->protocols);
	target_set_drop(&source->targets);
}

/* --- telling --- */

static const char *const kind_names[PROBE_KINDS] = {
	[PROBE_SYN] = "syn",
	[PROBE_CONNECT] = "connect",
	[PROBE_FIN] = "fin",
	[PROBE_NULL] = "null",
	[PROBE_XMAS] = "xmas",
	[PROBE_ACK] = "ack",
	[PROBE_UDP] = "udp",
	[PROBE_SCTP] = "sctp",
	[PROBE_IP] = "ip",
	[PROBE_ECHO] = "echo",
	[PROBE_TIMESTAMP] = "timestamp",
	[PROBE_MASK] = "mask",
	[PROBE_INFORMATION] = "information",
	[PROBE_ARP] = "arp",
	[PROBE_NDP] = "ndp",
};

/* What is no probe after all: neighbours that look for each other, and a tunnel. */
static void strike_ordinary(struct source *source)
{
	if (source->folded)
		return;
	if (source->targets.count < PROBES_SWEEP)
		source->counts[PROBE_ARP] = source->counts[PROBE_NDP] = 0;
	if (source->protocols.count == 1 && source->counts[PROBE_IP] > 2) {
		source->counts[PROBE_IP] = 0;
		number_set_drop(&source->protocols);
	}
}

static uint64_t sum_of(const struct source *source)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < PROBE_KINDS; i++)
		sum += source->counts[i];
	return sum;
}

static uint64_t sum_between(const struct source *source, enum probe_kind first,
			    enum probe_kind last)
{
	uint64_t sum = 0;

	for (size_t i = first; i <= last; i++)
		sum += source->counts[i];
	return sum;
}

/* The transport when all of it was one. */
static const char *transport_of(const struct source *source, uint64_t sum)
{
	return sum_between(source, PROBE_SYN, PROBE_ACK) == sum            ? "tcp"
	       : source->counts[PROBE_UDP] == sum                          ? "udp"
	       : source->counts[PROBE_SCTP] == sum                         ? "sctp"
	       : sum_between(source, PROBE_ECHO, PROBE_INFORMATION) == sum ? "icmp"
									   : NULL;
}

/* What an event borrows while it is told. */
struct telling {
	struct event event;
	char kind_texts[PROBE_KINDS][40];
	struct slice kinds[PROBE_KINDS], applications[APPLICATIONS_MAX], truncated[8];
	size_t truncated_count;
	uint8_t ranges[4][RANGES_TEXT];
};

static void set_cut(struct telling *telling, enum event_field field)
{
	telling->truncated[telling->truncated_count++] = slice_text(event_fields[field].path);
}

static void set_ranges(struct telling *telling, unsigned place, enum event_field field,
		       const struct number_set *set)
{
	struct writer out = writer_fixed(telling->ranges[place], RANGES_TEXT);

	if (!set->count)
		return;
	if (!number_set_text(set, RANGES_TEXT, &out))
		set_cut(telling, field);
	event_set_text(&telling->event, field, writer_slice(&out));
}

static void set_kinds(struct telling *telling, const struct source *source)
{
	size_t count = 0;

	for (size_t i = 0; i < PROBE_KINDS; i++) {
		if (!source->counts[i])
			continue;
		snprintf(telling->kind_texts[i], sizeof(telling->kind_texts[i]), "%s=%llu",
			 kind_names[i], (unsigned long long)source->counts[i]);
		telling->kinds[count++] = slice_text(telling->kind_texts[i]);
	}
	event_set_texts(&telling->event, FIELD_PROBE_KINDS, telling->kinds, count);
}

static void set_applications(struct telling *telling, const struct source *source)
{
	for (size_t i = 0; i < source->application_count; i++)
		telling->applications[i] =
			slice_text(application_descriptions[source->applications[i]].name);
	if (source->application_count)
		event_set_texts(&telling->event, FIELD_PROBE_APPLICATIONS, telling->applications,
				source->application_count);
}

static void tell(struct probes *probes, struct source *source)
{
	struct telling telling;
	struct event *event = &telling.event;
	const char *transport;
	uint64_t sum;

	strike_ordinary(source);
	sum = sum_of(source);
	if (sum == 0)
		return;
	transport = transport_of(source, sum);
	event_clear(event);
	telling.truncated_count = 0;
	event_set_words(event, FIELD_EVENT_ACTION, "port.probe");
	event_set_number(event, FIELD_TIME, source->last);
	event_set_number(event, FIELD_EVENT_START, source->first);
	event_set_number(event, FIELD_EVENT_END, source->last);
	if (source->folded)
		event_set_number(event, FIELD_PROBE_SOURCES, (int64_t)source->folded);
	else
		event_set_address(event, FIELD_SOURCE_IP, &source->address);
	if (source->targets.count == 1 && !source->targets.more)
		event_set_address(event, FIELD_DESTINATION_IP, &source->targets.first);
	if (transport)
		event_set_words(event, FIELD_NETWORK_TRANSPORT, transport);
	event_set_number(event, FIELD_ALIKE, (int64_t)sum);
	set_kinds(&telling, source);
	set_ranges(&telling, 0, FIELD_PROBE_TCP_PORTS, &source->tcp);
	set_ranges(&telling, 1, FIELD_PROBE_UDP_PORTS, &source->udp);
	set_ranges(&telling, 2, FIELD_PROBE_SCTP_PORTS, &source->sctp);
	set_ranges(&telling, 3, FIELD_PROBE_IP_PROTOCOLS, &source->protocols);
	set_applications(&telling, source);
	event_set_number(event, FIELD_PROBE_PORTS,
			 source->tcp.count + source->udp.count + source->sctp.count);
	event_set_number(event, FIELD_PROBE_TARGETS, source->targets.count);
	if (source->targets.more)
		set_cut(&telling, FIELD_PROBE_TARGETS);
	if (source->tool)
		event_set_words(event, FIELD_CLIENT_TOOL, source->tool);
	if (telling.truncated_count)
		event_set_texts(event, FIELD_TRUNCATED, telling.truncated, telling.truncated_count);
	probes->setup.event(probes->setup.context, event);
}

/* --- the rest: small sources that had to go --- */

static void tell_rest(struct probes *probes)
{
	struct source *rest = &probes->rest;

	tell(probes, rest);
	drop_sets(rest);
	probes->bytes -= rest->held;
	*rest = (struct source){0};
}

static void add_application(struct source *source, uint8_t application)
{
	for (size_t i = 0; i < source->application_count; i++) {
		if (source->applications[i] == application)
			return;
	}
	if (application != APPLICATION_NONE && source->application_count < APPLICATIONS_MAX)
		source->applications[source->application_count++] = application;
}

static void fold(struct probes *probes, struct source *source)
{
	struct source *rest = &probes->rest;
	bool whole = true;

	strike_ordinary(source);
	if (sum_of(source) == 0)
		return;
	if (!rest->folded) {
		rest->since = probes->now;
		rest->first = source->first;
		rest->last = source->last;
	}
	if (source->first < rest->first)
		rest->first = source->first;
	if (source->last > rest->last)
		rest->last = source->last;
	rest->heard = probes->now;
	rest->folded++;
	probes->counts.folded++;
	for (size_t i = 0; i < PROBE_KINDS; i++)
		rest->counts[i] += source->counts[i];
	whole &= number_set_join(&rest->tcp, &source->tcp);
	whole &= number_set_join(&rest->udp, &source->udp);
	whole &= number_set_join(&rest->sctp, &source->sctp);
	whole &= number_set_join(&rest->protocols, &source->protocols);
	whole &= target_set_join(&rest->targets, probes->key, &source->targets);
	for (size_t i = 0; i < source->application_count; i++)
		add_application(rest, source->applications[i]);
	probes->counts.lost += !whole;
	weigh(probes, rest);
}

/* --- sources --- */

static struct source **bucket_of(struct probes *probes, const struct address *address)
{
	uint64_t hash = hash_sip(probes->key, slice_of(address, sizeof(*address)));

	return &probes->buckets[hash & (probes->bucket_count - 1)];
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

static void forget(struct probes *probes, struct source *source)
{
	struct source **at = bucket_of(probes, &source->address);

	while (*at != source)
		at = &(*at)->chain;
	*at = source->chain;
	unlist(probes, source);
	drop_sets(source);
	probes->bytes -= source->held;
	probes->count--;
	free(source);
}

static void end_source(struct probes *probes, struct source *source)
{
	tell(probes, source);
	forget(probes, source);
}

/* There is no room for the one silent longest any more. */
static void press_out(struct probes *probes)
{
	struct source *source = probes->oldest;

	if (source->heard + probes->setup.quiet <= probes->now) {
		end_source(probes, source);
		return;
	}
	probes->counts.pressed++;
	if (probes->now - probes->pressed_since >= probes->setup.quiet) {
		probes->pressed_since = probes->now;
		probes->pressed_told = 0;
	}
	if (sum_of(source) >= PROBES_PRESSED_KNOCKS) {
		tell(probes, source);
	} else if (probes->pressed_told < PROBES_PRESSED_TOLD) {
		probes->pressed_told++;
		tell(probes, source);
	} else {
		fold(probes, source);
	}
	forget(probes, source);
}

static struct source *make_source(struct probes *probes, const struct address *address,
				  int64_t time)
{
	struct source **bucket = bucket_of(probes, address), *source;

	while (probes->count >= probes->setup.sources)
		press_out(probes);
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	source->address = *address;
	source->first = source->last = time;
	source->since = probes->now;
	source->chain = *bucket;
	*bucket = source;
	probes->count++;
	list_newest(probes, source);
	return source;
}

static struct source *source_of(struct probes *probes, const struct address *address, int64_t time)
{
	struct source *source;

	if (time > probes->now)
		probes->now = time;
	source = *bucket_of(probes, address);
	while (source && !address_equal(&source->address, address))
		source = source->chain;
	if (source && probes->now - source->since >= probes->setup.longest) {
		end_source(probes, source);
		source = NULL;
	}
	if (!source)
		source = make_source(probes, address, time);
	if (!source) {
		probes->counts.lost++;
		return NULL;
	}
	source->heard = probes->now;
	if (source != probes->newest) {
		unlist(probes, source);
		list_newest(probes, source);
	}
	if (time < source->first)
		source->first = time;
	if (time > source->last)
		source->last = time;
	return source;
}

/* --- what comes in --- */

struct knock {
	enum probe_kind kind;
	const struct address *source, *target;
	int64_t first, last;
	uint16_t number; /* port or protocol, as its kind has one */
	uint8_t application;
};

static struct number_set *set_of(struct source *source, enum probe_kind kind)
{
	return kind <= PROBE_ACK    ? &source->tcp
	       : kind == PROBE_UDP  ? &source->udp
	       : kind == PROBE_SCTP ? &source->sctp
	       : kind == PROBE_IP   ? &source->protocols
				    : NULL;
}

static void count_knock(struct probes *probes, const struct knock *knock)
{
	struct source *source = source_of(probes, knock->source, knock->last);
	struct number_set *numbers;
	bool whole;

	if (!source)
		return;
	if (knock->first < source->first)
		source->first = knock->first;
	source->counts[knock->kind]++;
	numbers = set_of(source, knock->kind);
	whole = target_set_add(&source->targets, probes->key, knock->target);
	if (numbers)
		whole &= number_set_add(numbers, knock->number);
	probes->counts.lost += !whole;
	add_application(source, knock->application);
	weigh(probes, source);
	/* The newest is the one at hand: it stays. */
	while (probes->bytes > probes->setup.bytes && probes->oldest != probes->newest)
		press_out(probes);
}

#define SCAN_FLAGS (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG)

/* A segment without SYN out of nothing, answered with a reset at most; PROBE_KINDS: it is none.
 * Whichever end the flow takes for the client: of such flows that is a guess by the ports. */
static enum probe_kind stray_kind(const struct flow *flow, enum direction from)
{
	enum direction back = from == TO_SERVER ? TO_CLIENT : TO_SERVER;
	unsigned flags = flow->flags[from] & SCAN_FLAGS;

	if (!flow->packets[from] || flow->packets[from] > 2 || flow->bytes[from] ||
	    flow->bytes[back] || flow->flags[back] & SCAN_FLAGS & ~(TCP_RST | TCP_ACK) ||
	    (flow->packets[back] && !(flow->flags[back] & TCP_RST)))
		return PROBE_KINDS;
	return flags == 0                               ? PROBE_NULL
	       : flags == TCP_FIN                       ? PROBE_FIN
	       : flags == (TCP_FIN | TCP_PSH | TCP_URG) ? PROBE_XMAS
	       : flags == TCP_ACK                       ? PROBE_ACK
							: PROBE_KINDS;
}

static enum probe_kind tcp_kind(const struct flow *flow, enum direction *from)
{
	unsigned flags = flow->flags[TO_SERVER] & SCAN_FLAGS;
	enum probe_kind kind;

	*from = TO_SERVER;
	if (flow->bytes[TO_SERVER])
		return PROBE_KINDS;
	if (flags & TCP_SYN) {
		/* A second segment with RST and ACK gives up; one without RST accepts. */
		bool gave_up = flags & TCP_RST && flow->packets[TO_SERVER] <= 2;

		return flags & TCP_ACK && !gave_up ? PROBE_CONNECT : PROBE_SYN;
	}
	kind = stray_kind(flow, TO_SERVER);
	if (kind != PROBE_KINDS || flow->flags[TO_CLIENT] & TCP_SYN)
		return kind;
	*from = TO_CLIENT;
	return stray_kind(flow, TO_CLIENT);
}

/* Multicast, broadcast and what is reserved: hosts that look for services. */
static bool is_for_many(const struct address *address)
{
	return address->family == 4 ? address->bytes[0] >= 224 : address->bytes[0] == 0xff;
}

static enum probe_kind datagram_kind(const struct flow *flow)
{
	bool burst = flow->seen - flow->started < PROBES_BURST;

	if (flow->packets[TO_CLIENT] || is_for_many(&flow->server) ||
	    flow->packets[TO_SERVER] > (burst ? PROBES_DATAGRAMS_BURST : PROBES_DATAGRAMS))
		return PROBE_KINDS;
	return PROBE_UDP;
}

static enum probe_kind kind_of(const struct flow *flow, enum direction *from)
{
	*from = TO_SERVER;
	switch (flow->transport) {
	case TRANSPORT_TCP:
		return tcp_kind(flow, from);
	case TRANSPORT_UDP:
		return datagram_kind(flow);
	case TRANSPORT_ICMP:
		return flow->packets[TO_SERVER] ? PROBE_ECHO : PROBE_KINDS;
	default:
		return PROBE_KINDS;
	}
}

void probes_flow_over(struct probes *probes, const struct flow *flow)
{
	enum direction from;
	enum probe_kind kind = kind_of(flow, &from);
	bool forth = from == TO_SERVER;
	struct knock knock = {
		.kind = kind,
		.source = forth ? &flow->client : &flow->server,
		.target = forth ? &flow->server : &flow->client,
		.first = flow->started,
		.last = flow->seen,
		.number = forth ? flow->server_port : flow->client_port,
		.application = kind == PROBE_UDP ? flow->application : APPLICATION_NONE,
	};

	if (!flow->linked && kind != PROBE_KINDS)
		count_knock(probes, &knock);
}

enum {
	ICMP_TIMESTAMP_ASKED = 13,
	ICMP_INFORMATION_ASKED = 15,
	ICMP_MASK_ASKED = 17,
	ICMP6_NEIGHBOUR_ASKED = 135,
	ICMP6_INFORMATION_ASKED = 139,
};

/* `target`: who is looked for, where the packet goes to others than that. */
static enum probe_kind icmp_kind(const struct packet *packet, struct address *target)
{
	if (packet->version == 4)
		return packet->icmp_type == ICMP_TIMESTAMP_ASKED     ? PROBE_TIMESTAMP
		       : packet->icmp_type == ICMP_MASK_ASKED        ? PROBE_MASK
		       : packet->icmp_type == ICMP_INFORMATION_ASKED ? PROBE_INFORMATION
								     : PROBE_KINDS;
	if (packet->icmp_type == ICMP6_INFORMATION_ASKED)
		return PROBE_INFORMATION;
	if (packet->icmp_type != ICMP6_NEIGHBOUR_ASKED || packet->payload.length < 16)
		return PROBE_KINDS;
	*target = (struct address){.family = 6};
	memcpy(target->bytes, packet->payload.at, 16);
	return PROBE_NDP;
}

enum { SCTP_INIT = 1, SCTP_COOKIE_ECHO = 10 };

static enum probe_kind sctp_kind(const struct packet *packet, uint16_t *port)
{
	struct cursor c = cursor_of(packet->payload);
	uint8_t chunk;

	cursor_skip(&c, 2);
	*port = cursor_u16be(&c);
	cursor_skip(&c, 8);
	chunk = cursor_u8(&c);
	return chunk == SCTP_INIT || chunk == SCTP_COOKIE_ECHO ? PROBE_SCTP : PROBE_KINDS;
}

void probes_packet(struct probes *probes, const struct packet *packet)
{
	struct address target = packet->destination;
	struct knock knock = {.kind = PROBE_KINDS,
			      .source = &packet->source,
			      .target = &target,
			      .first = packet->time,
			      .last = packet->time};

	if (packet->arp_operation == 1) {
		/* Who asks for itself tells that it is there. */
		if (!address_equal(&packet->source, &packet->destination))
			knock.kind = PROBE_ARP;
	} else if (packet->version && packet->transport == TRANSPORT_ICMP) {
		knock.kind = icmp_kind(packet, &target);
	} else if (packet->version && packet->transport == TRANSPORT_SCTP) {
		knock.kind = sctp_kind(packet, &knock.number);
	} else if (packet->version && packet->transport == TRANSPORT_OTHER &&
		   !is_for_many(&target)) {
		knock.kind = PROBE_IP;
		knock.number = packet->ip_protocol;
	}
	if (knock.kind != PROBE_KINDS)
		count_knock(probes, &knock);
}

void probes_tool(struct probes *probes, const struct address *from, const char *tool, int64_t time)
{
	struct source *source = source_of(probes, from, time);

	if (!source)
		return;
	source->tool = tool;
	weigh(probes, source);
}

static bool is_due(const struct probes *probes, const struct source *source)
{
	return source->heard + probes->setup.quiet <= probes->now;
}

void probes_tick(struct probes *probes, int64_t now)
{
	const struct source *rest = &probes->rest;

	if (now > probes->now)
		probes->now = now;
	while (probes->oldest && is_due(probes, probes->oldest))
		end_source(probes, probes->oldest);
	if (rest->folded &&
	    (is_due(probes, rest) || probes->now - rest->since >= probes->setup.longest))
		tell_rest(probes);
}

void probes_finish(struct probes *probes)
{
	while (probes->oldest)
		end_source(probes, probes->oldest);
	if (probes->rest.folded)
		tell_rest(probes);
}

void probes_free(struct probes *probes)
{
	if (!probes)
		return;
	while (probes->oldest)
		forget(probes, probes->oldest);
	drop_sets(&probes->rest);
	free(probes->buckets);
	free(probes);
}
