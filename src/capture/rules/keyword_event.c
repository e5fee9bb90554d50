/* decode-event: what is wrong with a packet's headers, by Suricata's names for it.
 *
 * The walk over the headers is done again here, and only for packets that such a rule is asked
 * about, so that reading packets need not remember two dozen kinds of oddities.
 */
#include "capture/rules/keyword.h"

#include "capture/transport.h"

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ICMP4 = 1,
	NEXT_IPV4 = 4,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_GRE = 47,
	NEXT_AH = 51,
	NEXT_ICMP6 = 58,
	NEXT_DESTINATION = 60,
	NEXT_SCTP = 132,
};

enum oddity {
	IPV4_TRUNCATED,
	IPV4_OPTIONS,
	IPV6_TRUNCATED,
	IPV6_EXTENSION_TRUNCATED,
	IPV6_FRAGMENT_USELESS,
	IPV6_FRAGMENT_TWICE,
	IPV6_HOP_BY_HOP_TWICE,
	IPV6_DESTINATION_THRICE,
	IPV6_FRAGMENT_LENGTH,
	IPV6_FRAGMENT_TOO_LARGE,
	IPV6_DESTINATION_OPTION,
	IPV6_HOP_BY_HOP_OPTION,
	IPV6_IPV4_VERSION,
	TCP_TOO_SMALL,
	TCP_HEADER_SMALL,
	TCP_HEADER_LONG,
	TCP_OPTION_LENGTH,
	TCP_OPTION_TWICE,
	UDP_TOO_SMALL,
	UDP_TRUNCATED,
	UDP_LENGTH,
	GRE_TOO_SMALL,
	SCTP_TOO_SMALL,
	ICMP4_TOO_SMALL,
	ICMP6_TOO_SMALL,
};

static const struct oddity_name {
	const char *name;
	enum oddity oddity;
} names[] = {
	{"ipv4.trunc_pkt", IPV4_TRUNCATED},
	{"ipv4.opt_invalid_len", IPV4_OPTIONS},
	{"ipv6.trunc_pkt", IPV6_TRUNCATED},
	{"ipv6.trunc_exthdr", IPV6_EXTENSION_TRUNCATED},
	{"ipv6.exthdr_useless_fh", IPV6_FRAGMENT_USELESS},
	{"ipv6.exthdr_dupl_fh", IPV6_FRAGMENT_TWICE},
	{"ipv6.exthdr_dupl_hh", IPV6_HOP_BY_HOP_TWICE},
	{"ipv6.exthdr_dupl_dh", IPV6_DESTINATION_THRICE},
	{"ipv6.frag_invalid_length", IPV6_FRAGMENT_LENGTH},
	{"ipv6.frag_pkt_too_large", IPV6_FRAGMENT_TOO_LARGE},
	{"ipv6.dstopts_unknown_opt", IPV6_DESTINATION_OPTION},
	{"ipv6.hopopts_unknown_opt", IPV6_HOP_BY_HOP_OPTION},
	{"ipv6.ipv4_in_ipv6_wrong_version", IPV6_IPV4_VERSION},
	{"tcp.pkt_too_small", TCP_TOO_SMALL},
	{"tcp.hlen_too_small", TCP_HEADER_SMALL},
	{"tcp.invalid_optlen", TCP_HEADER_LONG},
	{"tcp.opt_invalid_len", TCP_OPTION_LENGTH},
	{"tcp.opt_duplicate", TCP_OPTION_TWICE},
	{"udp.hlen_too_small", UDP_TOO_SMALL},
	{"udp.pkt_too_small", UDP_TRUNCATED},
	{"udp.len_invalid", UDP_LENGTH},
	{"gre.pkt_too_small", GRE_TOO_SMALL},
	{"sctp.pkt_too_small", SCTP_TOO_SMALL},
	{"icmpv4.pkt_too_small", ICMP4_TOO_SMALL},
	{"icmpv6.pkt_too_small", ICMP6_TOO_SMALL},
};

static uint32_t bit(enum oddity oddity, bool happened)
{
	return happened ? (uint32_t)1 << oddity : 0;
}

/* --- IPv6 extension headers --- */

/* Options of a header that are none of RFC 8200, 2711, 2675 and 6275. */
static bool has_unknown_option(struct slice options)
{
	struct cursor c = cursor_of(options);

	while (c.left && !c.failed) {
		uint8_t kind = cursor_u8(&c);

		if (kind == 0)
			continue;
		if (kind != 1 && kind != 5 && kind != 0xc2 && kind != 0xc9)
			return true;
		cursor_skip(&c, cursor_u8(&c));
	}
	return false;
}

static uint32_t fragment_events(struct slice header, size_t payload)
{
	unsigned piece = (unsigned)header.at[2] << 8 | header.at[3];
	unsigned offset = piece & 0xfff8;
	bool more = piece & 1;

	if (!offset && !more)
		return bit(IPV6_FRAGMENT_USELESS, true);
	return bit(IPV6_FRAGMENT_LENGTH, more && payload % 8) |
	       bit(IPV6_FRAGMENT_TOO_LARGE, offset + payload > 65535);
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
	       next == NEXT_AH || next == NEXT_DESTINATION;
}

static uint32_t extension_events(const struct packet *packet)
{
	struct slice rest = slice_from(packet->network, 40);
	uint8_t next = packet->network.length >= 40 ? packet->network.at[6] : NEXT_HOP_BY_HOP;
	unsigned seen[256] = {0};
	uint32_t events = 0;

	for (unsigned count = 0; is_extension(next) && count < PACKET_HEADERS_MAX; count++) {
		size_t length = rest.length < 8         ? 8
				: next == NEXT_FRAGMENT ? 8
				: next == NEXT_AH       ? ((size_t)rest.at[1] + 2) * 4
							: ((size_t)rest.at[1] + 1) * 8;
		struct slice header = slice_first(rest, length);
		uint8_t here = next;

		if (rest.length < length)
			return events | bit(IPV6_EXTENSION_TRUNCATED, true);
		seen[here]++;
		events |= bit(IPV6_FRAGMENT_TWICE, here == NEXT_FRAGMENT && seen[here] > 1) |
			  bit(IPV6_HOP_BY_HOP_TWICE, here == NEXT_HOP_BY_HOP && seen[here] > 1) |
			  bit(IPV6_DESTINATION_THRICE, here == NEXT_DESTINATION && seen[here] > 2);
		next = header.at[0];
		rest = slice_from(rest, length);
		if (here == NEXT_DESTINATION)
			events |= bit(IPV6_DESTINATION_OPTION,
				      has_unknown_option(slice_from(header, 2)));
		if (here == NEXT_HOP_BY_HOP)
			events |= bit(IPV6_HOP_BY_HOP_OPTION,
				      has_unknown_option(slice_from(header, 2)));
		if (here == NEXT_FRAGMENT) {
			events |= fragment_events(header, rest.length);
			/* Not even the two bytes that every header begins with. */
			events |= bit(IPV6_EXTENSION_TRUNCATED, rest.length < 2);
			/* A true fragment: what follows is read when it is whole. */
			if (packet->fragment_offset || packet->more_fragments)
				return events;
		}
	}
	return events |
	       bit(IPV6_IPV4_VERSION, next == NEXT_IPV4 && rest.length && rest.at[0] >> 4 != 4);
}

/* --- IPv4 --- */

static bool options_are_broken(struct slice options)
{
	struct cursor c = cursor_of(options);

	while (c.left && !c.failed) {
		uint8_t kind = cursor_u8(&c), length;

		if (kind == 0)
			return false;
		if (kind == 1)
			continue;
		length = cursor_u8(&c);
		if (length < 2)
			return true;
		cursor_skip(&c, (size_t)length - 2);
	}
	return c.failed;
}

/* --- transports --- */

/* The value's length that an option must have (RFC 9293, 2018, 7323); -1: any. */
static int option_length(uint8_t kind)
{
	return kind == 2 ? 2 : kind == 3 ? 1 : kind == 4 ? 0 : kind == 8 ? 8 : -1;
}

static uint32_t tcp_option_events(struct slice options)
{
	struct cursor c = cursor_of(options);
	struct tcp_option option;
	uint64_t seen = 0;
	bool broken = false;
	uint32_t events = 0;

	while (tcp_option_next(&c, &option, &broken) && option.kind) {
		int length = option_length(option.kind);

		/* Selective acknowledgements: one to four pairs of numbers. */
		if (length < 0 && option.kind == 5)
			length = option.value.length % 8 || !option.value.length ||
						 option.value.length > 32
					 ? 0
					 : (int)option.value.length;
		events |= bit(TCP_OPTION_LENGTH,
			      length >= 0 && option.value.length != (size_t)length);
		if (option.kind == 1 || option.kind > 8)
			continue;
		events |= bit(TCP_OPTION_TWICE, seen >> option.kind & 1);
		seen |= (uint64_t)1 << option.kind;
	}
	return events | bit(TCP_OPTION_LENGTH, broken);
}

static uint32_t tcp_events(struct slice bytes)
{
	size_t header = bytes.length > 12 ? (size_t)(bytes.at[12] >> 4) * 4 : 0;

	if (bytes.length < 20)
		return bit(TCP_TOO_SMALL, true);
	if (header < 20 || header > bytes.length)
		return bit(TCP_HEADER_SMALL, header < 20) |
		       bit(TCP_HEADER_LONG, header > bytes.length);
	return tcp_option_events(slice_of(bytes.at + 20, header - 20));
}

static uint32_t udp_events(struct slice bytes)
{
	size_t length = bytes.length < 8 ? 0 : (size_t)bytes.at[4] << 8 | bytes.at[5];

	if (bytes.length < 8)
		return bit(UDP_TOO_SMALL, true);
	return bit(UDP_LENGTH, length < 8) | bit(UDP_TRUNCATED, length > bytes.length);
}

static uint32_t transport_events(uint8_t protocol, struct slice bytes)
{
	switch (protocol) {
	case NEXT_TCP:
		return tcp_events(bytes);
	case NEXT_UDP:
		return udp_events(bytes);
	case NEXT_GRE:
		return bit(GRE_TOO_SMALL, bytes.length < 4);
	case NEXT_SCTP:
		return bit(SCTP_TOO_SMALL, bytes.length < 12);
	case 1:
		return bit(ICMP4_TOO_SMALL, bytes.length < 8);
	case NEXT_ICMP6:
		return bit(ICMP6_TOO_SMALL, bytes.length < 8);
	default:
		return 0;
	}
}

static uint32_t events_of(const struct packet *packet)
{
	bool truncated = packet->flaws & FLAW_NETWORK_LENGTH;
	uint32_t events;

	if (packet->version == 4)
		events = bit(IPV4_TRUNCATED, truncated) |
			 bit(IPV4_OPTIONS, options_are_broken(packet->network_options));
	else
		events = bit(IPV6_TRUNCATED, truncated) | extension_events(packet);
	/* Pieces of a datagram have no transport of their own. */
	if (packet->fragment_offset || packet->more_fragments)
		return events;
	return events | transport_events(packet->ip_protocol, packet->network_payload);
}

static bool event_holds(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;

	return packet && packet->version && events_of(packet) >> test->as.text.number & 1;
}

/* What the sensor saw besides: a packet's headers alone do not tell. */
static bool oddity_holds(const struct test *test, struct match *m)
{
	const struct findings *findings = &m->inspection->findings;

	for (size_t i = 0; i < findings->anomaly_count; i++)
		if (strcmp(findings->anomalies[i], test->as.text.text) == 0)
			return true;
	return false;
}

static int read_decode_event(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (slice_is(value, names[i].name)) {
			test->holds = event_holds;
			test->as.text.number = names[i].oddity;
			b->packet_only = true;
			/* A header too broken to be read made no TCP or UDP of it. */
			b->rule->transports |= 1 << TRANSPORT_OTHER;
			return 0;
		}
	if (slice_is(value, "ipv4.frag_overlap") || slice_is(value, "ipv6.frag_overlap")) {
		test->holds = oddity_holds;
		test->as.text.text = slice_is(value, "ipv4.frag_overlap") ? "ipv4.frag_overlap"
									  : "ipv6.frag_overlap";
		b->packet_only = true;
		return 0;
	}
	return builder_fail(b, "decode-event does not know %.*s",
			    (int)slice_first(value, 60).length, (const char *)value.at);
}

static int read_stream_event(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	if (!slice_is(value, "pkt_invalid_timestamp"))
		return builder_fail(b, "stream-event does not know %.*s",
				    (int)slice_first(value, 60).length, (const char *)value.at);
	test->holds = oddity_holds;
	test->as.text.text = "stream.pkt_invalid_timestamp";
	b->packet_only = true;
	return 0;
}

/* --- tcpv4-csum:invalid and its siblings --- */

static bool sum_is_right(const struct packet *packet, uint8_t protocol)
{
	struct slice bytes = packet->network_payload;
	size_t width = packet->version == 4 ? 4 : 16;
	uint32_t sum = 0;

	if (!protocol)
		return packet_sum(0, slice_first(packet->network,
						 (size_t)(bytes.at - packet->network.at))) ==
		       0xffff;
	/* Without a sum (RFC 768). */
	if (protocol == NEXT_UDP && packet->version == 4 && bytes.length >= 8 && !bytes.at[6] &&
	    !bytes.at[7])
		return true;
	if (protocol != NEXT_ICMP4) {
		sum = packet_sum(0, slice_of(packet->source.bytes, width));
		sum = packet_sum(sum, slice_of(packet->destination.bytes, width));
		sum += protocol + (uint32_t)(bytes.length & 0xffff) +
		       (uint32_t)(bytes.length >> 16);
	}
	return packet_sum(sum, bytes) == 0xffff;
}

static bool sum_holds(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;
	uint8_t protocol = (uint8_t)test->as.number.fact;

	if (!packet || packet->version != test->as.number.low || !packet->network_payload.at ||
	    packet->flaws & FLAW_NETWORK_LENGTH)
		return false;
	if (protocol &&
	    (packet->ip_protocol != protocol || packet->fragment_offset || packet->more_fragments))
		return false;
	return sum_is_right(packet, protocol) == test->as.number.high;
}

static int read_sum(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);
	struct slice word = value;
	bool negated;

	if (!test)
		return -1;
	(void)!rule_unquote(value, &word, &negated);
	if (!slice_is_nocase(word, "valid") && !slice_is_nocase(word, "invalid"))
		return builder_fail(b, "%s needs valid or invalid", keyword->name);
	test->as.number.low = keyword->argument >> 8;
	test->as.number.fact = keyword->argument & 0xff;
	test->as.number.high = slice_is_nocase(word, "valid");
	test->holds = sum_holds;
	b->packet_only = true;
	b->rule->asks_sums = true;
	return 0;
}

#define SUM_OF(version, protocol) ((version) << 8 | (protocol))

static const struct keyword table[] = {
	{"ipv4-csum", "Sum of the IPv4 header", read_sum, SUM_OF(4, 0)},
	{"tcpv4-csum", "Sum of TCP over IPv4", read_sum, SUM_OF(4, NEXT_TCP)},
	{"tcpv6-csum", "Sum of TCP over IPv6", read_sum, SUM_OF(6, NEXT_TCP)},
	{"udpv4-csum", "Sum of UDP over IPv4", read_sum, SUM_OF(4, NEXT_UDP)},
	{"udpv6-csum", "Sum of UDP over IPv6", read_sum, SUM_OF(6, NEXT_UDP)},
	{"icmpv4-csum", "Sum of ICMP", read_sum, SUM_OF(4, NEXT_ICMP4)},
	{"icmpv6-csum", "Sum of ICMPv6", read_sum, SUM_OF(6, NEXT_ICMP6)},
	{"stream-event", "Something odd in a connection", read_stream_event, 0},
	{"decode-event", "Something wrong with the packet's headers", read_decode_event, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_event = table;
