/* What a rule asks of the packet's headers: sizes, flags, types. */
#include "capture/rules/keyword.h"

#include <stdio.h>

#include "capture/transport.h"

enum header_number {
	NUMBER_TTL,
	NUMBER_TOS,
	NUMBER_ID,
	NUMBER_PROTOCOL,
	NUMBER_FRAGMENT_OFFSET,
	NUMBER_SEQUENCE,
	NUMBER_ACKNOWLEDGEMENT,
	NUMBER_WINDOW,
	NUMBER_MSS,
	NUMBER_WSCALE,
	NUMBER_PAYLOAD,
	NUMBER_ICMP_TYPE,
	NUMBER_ICMP_CODE,
	NUMBER_ICMP_ID,
	NUMBER_ICMP_SEQUENCE,
	NUMBER_ICMP6_MTU,
};

static bool tcp_option(const struct packet *packet, uint8_t kind, int64_t *value)
{
	struct cursor options = cursor_of(packet->tcp_options);
	struct tcp_option option;
	bool broken = false;

	while (tcp_option_next(&options, &option, &broken) && option.kind) {
		if (option.kind != kind)
			continue;
		if (kind == 2 && option.value.length == 2)
			*value = option.value.at[0] << 8 | option.value.at[1];
		else if (kind == 3 && option.value.length == 1)
			*value = option.value.at[0];
		else
			return false;
		return true;
	}
	return false;
}

/* False: the packet has no such number. */
static bool header_number(const struct packet *p, enum header_number which, int64_t *value)
{
	bool tcp = p->transport == TRANSPORT_TCP, icmp = p->transport == TRANSPORT_ICMP;

	switch (which) {
	case NUMBER_TTL:
		*value = p->ttl;
		return p->version;
	case NUMBER_TOS:
		*value = p->traffic_class;
		return p->version;
	case NUMBER_ID:
		*value = p->ip_id;
		return p->version == 4;
	case NUMBER_PROTOCOL:
		*value = p->ip_protocol;
		return p->version;
	case NUMBER_FRAGMENT_OFFSET:
		*value = p->fragment_offset;
		return p->version;
	case NUMBER_SEQUENCE:
		*value = p->sequence;
		return tcp;
	case NUMBER_ACKNOWLEDGEMENT:
		*value = p->acknowledgement;
		return tcp;
	case NUMBER_WINDOW:
		*value = p->window;
		return tcp;
	case NUMBER_MSS:
		return tcp && tcp_option(p, 2, value);
	case NUMBER_WSCALE:
		return tcp && tcp_option(p, 3, value);
	case NUMBER_PAYLOAD:
		*value = (int64_t)p->payload.length;
		return true;
	case NUMBER_ICMP_TYPE:
		*value = p->icmp_type;
		return icmp;
	case NUMBER_ICMP_CODE:
		*value = p->icmp_code;
		return icmp;
	case NUMBER_ICMP_ID:
		*value = p->icmp_id;
		return icmp;
	case NUMBER_ICMP_SEQUENCE:
		*value = p->icmp_sequence;
		return icmp;
	case NUMBER_ICMP6_MTU:
		/* Packet Too Big (RFC 4443, 3.2) */
		*value = (int64_t)p->icmp_id << 16 | p->icmp_sequence;
		return icmp && p->version == 6 && p->icmp_type == 2;
	}
	return false;
}

static bool number_holds(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;
	int64_t value;

	return packet && header_number(packet, (enum header_number)test->as.number.fact, &value) &&
	       compare_number(&test->as.number, value);
}

static int read_header_number(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test || builder_compare(b, value, &test->as.number) < 0)
		return -1;
	test->as.number.fact = (uint16_t)keyword->argument;
	test->holds = number_holds;
	b->packet_only = true;
	return 0;
}

static int read_ip_proto(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *name, *number;
	} names[] = {{"icmp", "1"},   {"igmp", "2"},  {"tcp", "6"}, {"udp", "17"},
		     {"gre", "47"},   {"esp", "50"},  {"ah", "51"}, {"ipv6", "41"},
		     {"sctp", "132"}, {"icmp6", "58"}};
	struct slice rest = value;
	char text[16];

	if (rest.length && (rest.at[0] == '!' || rest.at[0] == '<' || rest.at[0] == '>'))
		rest = slice_from(rest, 1);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (!slice_is_nocase(slice_trim(rest), names[i].name))
			continue;
		(void)snprintf(text, sizeof(text), "%.*s%s", (int)(value.length - rest.length),
			       (const char *)value.at, names[i].number);
		return read_header_number(b, keyword, slice_text(text));
	}
	return read_header_number(b, keyword, value);
}

static int read_dsize(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return read_header_number(b, keyword, value);
}

/* --- flags:[modifier]FLAGS[,ignored] --- */

static int flag_bit(uint8_t letter)
{
	switch (letter) {
	case 'F':
		return TCP_FIN;
	case 'S':
		return TCP_SYN;
	case 'R':
		return TCP_RST;
	case 'P':
		return TCP_PSH;
	case 'A':
		return TCP_ACK;
	case 'U':
		return TCP_URG;
	case 'E':
	case '2':
		return TCP_ECE;
	case 'C':
	case '1':
		return TCP_CWR;
	case '0':
		return 0;
	default:
		return -1;
	}
}

static bool bits_hold(const struct flags_test *test, uint16_t bits)
{
	switch (test->how) {
	case '+':
		return (bits & test->wanted) == test->wanted;
	case '*':
		return bits & test->wanted;
	case '!':
		return (bits & test->wanted) != test->wanted;
	default:
		return bits == test->wanted;
	}
}

static bool flags_hold(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;
	uint16_t flags;

	if (!packet || packet->transport != TRANSPORT_TCP)
		return false;
	flags = (uint16_t)(packet->flags & 0xff & ~test->as.flags.ignored);
	return bits_hold(&test->as.flags, flags);
}

static int read_flags(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);
	bool ignored = false;

	if (!test)
		return -1;
	test->as.flags.how = '=';
	for (size_t i = 0; i < value.length; i++) {
		uint8_t letter = value.at[i];
		int bit;

		if (letter == ',') {
			ignored = true;
			continue;
		}
		if (letter == ' ' || letter == ':')
			continue;
		if (letter == '+' || letter == '*' || letter == '!') {
			test->as.flags.how = (char)letter;
			continue;
		}
		bit = flag_bit(letter >= 'a' && letter <= 'z' ? (uint8_t)(letter - 32) : letter);
		if (bit < 0)
			return builder_fail(b, "%c is no TCP flag", letter);
		if (ignored)
			test->as.flags.ignored |= (uint16_t)bit;
		else
			test->as.flags.wanted |= (uint16_t)bit;
	}
	test->holds = flags_hold;
	b->packet_only = true;
	return 0;
}

/* --- fragbits:[modifier]MDR --- */

static bool fragbits_hold(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;
	uint16_t bits;

	if (!packet || !packet->version)
		return false;
	bits = (uint16_t)(packet->more_fragments | packet->dont_fragment << 1 | packet->evil << 2);
	return bits_hold(&test->as.flags, bits);
}

static int read_fragbits(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	test->as.flags.how = '=';
	for (size_t i = 0; i < value.length; i++)
		switch (value.at[i]) {
		case 'M':
			test->as.flags.wanted |= 1;
			break;
		case 'D':
			test->as.flags.wanted |= 2;
			break;
		case 'R':
			test->as.flags.wanted |= 4;
			break;
		case '+':
		case '*':
		case '!':
			test->as.flags.how = (char)value.at[i];
			break;
		case ' ':
			break;
		default:
			return builder_fail(b, "%c is no fragment bit", value.at[i]);
		}
	test->holds = fragbits_hold;
	b->packet_only = true;
	return 0;
}

/* --- the rest --- */

static bool sameip_holds(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;

	return packet && packet->version && address_equal(&packet->source, &packet->destination);
}

static int read_sameip(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	test->holds = sameip_holds;
	b->packet_only = true;
	return 0;
}

/* Kinds of IPv4 options by name (RFC 791 and its successors). */
static const struct {
	const char *name;
	uint8_t kind;
} ip_options[] = {{"rr", 7},     {"lsrr", 131},  {"eol", 0},    {"nop", 1},
		  {"ts", 68},    {"sec", 130},   {"ssrr", 137}, {"satid", 136},
		  {"esec", 133}, {"cipso", 134}, {"any", 255}};

static bool ipopts_hold(const struct test *test, struct match *m)
{
	const struct packet *packet = m->inspection->packet;
	struct cursor options;

	if (!packet || packet->version != 4 || !packet->network_options.length)
		return false;
	options = cursor_of(packet->network_options);
	while (options.left && !options.failed) {
		uint8_t kind = cursor_u8(&options);

		if (kind == test->as.number.low || test->as.number.low == 255)
			return true;
		if (kind == 0)
			return false;
		if (kind != 1) {
			uint8_t length = cursor_u8(&options);

			if (length < 2)
				return false;
			cursor_skip(&options, (size_t)length - 2);
		}
	}
	return false;
}

static int read_ipopts(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(ip_options); i++)
		if (slice_is_nocase(value, ip_options[i].name)) {
			test->as.number.low = ip_options[i].kind;
			test->holds = ipopts_hold;
			b->packet_only = true;
			return 0;
		}
	return builder_fail(b, "ipopts does not know %.*s", (int)value.length,
			    (const char *)value.at);
}

static const struct keyword table[] = {
	{"dsize", "Size of the packet's payload", read_dsize, NUMBER_PAYLOAD},
	{"ttl", "Time to live, hop limit", read_header_number, NUMBER_TTL},
	{"tos", "Type of service, traffic class", read_header_number, NUMBER_TOS},
	{"id", "IP identification", read_header_number, NUMBER_ID},
	{"ip_proto", "Protocol of the IP header", read_ip_proto, NUMBER_PROTOCOL},
	{"fragoffset", "Fragment offset", read_header_number, NUMBER_FRAGMENT_OFFSET},
	{"seq", "TCP sequence number", read_header_number, NUMBER_SEQUENCE},
	{"tcp.seq", "TCP sequence number", read_header_number, NUMBER_SEQUENCE},
	{"ack", "TCP acknowledgement number", read_header_number, NUMBER_ACKNOWLEDGEMENT},
	{"tcp.ack", "TCP acknowledgement number", read_header_number, NUMBER_ACKNOWLEDGEMENT},
	{"window", "TCP window", read_header_number, NUMBER_WINDOW},
	{"tcp.window", "TCP window", read_header_number, NUMBER_WINDOW},
	{"tcp.mss", "TCP maximum segment size", read_header_number, NUMBER_MSS},
	{"tcp.wscale", "TCP window scale", read_header_number, NUMBER_WSCALE},
	{"itype", "ICMP type", read_header_number, NUMBER_ICMP_TYPE},
	{"icode", "ICMP code", read_header_number, NUMBER_ICMP_CODE},
	{"icmp_id", "ICMP echo identifier", read_header_number, NUMBER_ICMP_ID},
	{"icmp_seq", "ICMP echo sequence number", read_header_number, NUMBER_ICMP_SEQUENCE},
	{"icmpv6.mtu", "MTU that an ICMPv6 message tells", read_header_number, NUMBER_ICMP6_MTU},
	{"flags", "TCP flags", read_flags, 0},
	{"tcp.flags", "TCP flags", read_flags, 0},
	{"fragbits", "Fragment bits", read_fragbits, 0},
	{"sameip", "Source and destination are one address", read_sameip, 0},
	{"ipopts", "An IP option", read_ipopts, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_packet = table;
