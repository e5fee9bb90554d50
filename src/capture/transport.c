/* TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443). */
#include "capture/transport.h"

enum { NEXT_ICMP = 1, NEXT_TCP = 6, NEXT_UDP = 17, NEXT_ICMP6 = 58, NEXT_SCTP = 132 };
enum { OPTION_END = 0, OPTION_NOP = 1 };

static uint32_t pseudo_header(const struct packet *packet, size_t length)
{
	size_t width = packet->version == 4 ? 4 : 16;
	uint32_t sum = packet_sum(0, slice_of(packet->source.bytes, width));

	sum = packet_sum(sum, slice_of(packet->destination.bytes, width));
	return sum + packet->ip_protocol + (uint32_t)(length & 0xffff) + (uint32_t)(length >> 16);
}

static void check_sum(struct packet *packet, struct slice bytes, bool pseudo)
{
	uint32_t sum = pseudo ? pseudo_header(packet, bytes.length) : 0;

	if (packet_sum(sum, bytes) != 0xffff)
		packet->flaws |= FLAW_TRANSPORT_CHECKSUM;
}

static void decode_tcp(struct packet *packet, struct slice bytes, bool sums)
{
	struct cursor c = cursor_of(bytes);
	uint16_t word;
	size_t header;

	packet->source_port = cursor_u16be(&c);
	packet->destination_port = cursor_u16be(&c);
	packet->sequence = cursor_u32be(&c);
	packet->acknowledgement = cursor_u32be(&c);
	word = cursor_u16be(&c);
	packet->window = cursor_u16be(&c);
	cursor_skip(&c, 2);
	packet->urgent = cursor_u16be(&c);
	header = (size_t)(word >> 12) * 4;
	if (c.failed || header < 20 || header > bytes.length) {
		packet->flaws |= FLAW_TRANSPORT_SHORT;
		return;
	}
	packet->transport = TRANSPORT_TCP;
	packet->flags = word & 0xfff;
	packet->transport_header = slice_first(bytes, header);
	packet->tcp_options = slice_of(bytes.at + 20, header - 20);
	packet->payload = slice_from(bytes, header);
	if (sums && !(packet->flaws & FLAW_NETWORK_LENGTH))
		check_sum(packet, bytes, true);
}

static void decode_udp(struct packet *packet, struct slice bytes, bool sums)
{
	struct cursor c = cursor_of(bytes);
	size_t length;
	uint16_t sum;

	packet->source_port = cursor_u16be(&c);
	packet->destination_port = cursor_u16be(&c);
	length = cursor_u16be(&c);
	sum = cursor_u16be(&c);
	if (c.failed) {
		packet->flaws |= FLAW_TRANSPORT_SHORT;
		return;
	}
	packet->transport = TRANSPORT_UDP;
	packet->transport_header = slice_first(bytes, 8);
	if (length < 8 || length > bytes.length) {
		packet->flaws |= FLAW_TRANSPORT_LENGTH;
		length = bytes.length;
	}
	packet->payload = slice_from(slice_first(bytes, length), 8);
	if (sums && sum && !(packet->flaws & (FLAW_NETWORK_LENGTH | FLAW_TRANSPORT_LENGTH)))
		check_sum(packet, slice_first(bytes, length), true);
}

static void decode_icmp(struct packet *packet, struct slice bytes, bool sums)
{
	struct cursor c = cursor_of(bytes);

	packet->icmp_type = cursor_u8(&c);
	packet->icmp_code = cursor_u8(&c);
	cursor_skip(&c, 2);
	packet->icmp_id = cursor_u16be(&c);
	packet->icmp_sequence = cursor_u16be(&c);
	if (bytes.length < 4) {
		packet->flaws |= FLAW_TRANSPORT_SHORT;
		return;
	}
	packet->transport = TRANSPORT_ICMP;
	packet->transport_header = slice_first(bytes, 8);
	packet->payload = slice_from(bytes, 8);
	if (sums && !(packet->flaws & FLAW_NETWORK_LENGTH))
		check_sum(packet, bytes, packet->version == 6);
}

void transport_decode(struct packet *packet, struct slice bytes, bool sums)
{
	switch (packet->ip_protocol) {
	case NEXT_TCP:
		decode_tcp(packet, bytes, sums);
		break;
	case NEXT_UDP:
		decode_udp(packet, bytes, sums);
		break;
	case NEXT_ICMP:
	case NEXT_ICMP6:
		decode_icmp(packet, bytes, sums);
		break;
	case NEXT_SCTP:
		packet->transport = TRANSPORT_SCTP;
		packet->payload = bytes;
		break;
	default:
		packet->payload = bytes;
	}
}

bool tcp_option_next(struct cursor *options, struct tcp_option *option, bool *broken)
{
	uint8_t length;

	if (!options->left)
		return false;
	option->kind = cursor_u8(options);
	option->value = slice_of(NULL, 0);
	if (option->kind == OPTION_END || option->kind == OPTION_NOP)
		return true;
	length = cursor_u8(options);
	if (options->failed || length < 2) {
		*broken = true;
		return false;
	}
	option->value = cursor_take(options, (size_t)length - 2);
	*broken = options->failed;
	return !options->failed;
}
