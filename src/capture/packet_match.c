/* Whether a packet belongs to a conversation; see packet_match.h. */
#include "capture/packet_match.h"

enum { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMP6 = 58, IP_SCTP = 132 };

static bool protocol_suits(uint8_t wanted, uint8_t protocol)
{
	return wanted == 0 || wanted == protocol || (wanted == IP_ICMP && protocol == IP_ICMP6);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IP_TCP || protocol == IP_UDP || protocol == IP_SCTP;
}

static bool is_at(const struct endpoint *end, const struct address *address)
{
	return !end->address.family || address_equal(&end->address, address);
}

/* In this direction? Ports are read here, not taken from the decoder: a quotation of eight bytes
 * and a first fragment have them although the transport's header is not whole. */
static bool goes(const struct packet_cut *cut, const struct endpoint *from,
		 const struct endpoint *to, const struct packet *packet, bool ports)
{
	struct cursor c = cursor_of(packet->network_payload);
	uint16_t source, destination;

	if (!is_at(from, &packet->source) || !is_at(to, &packet->destination))
		return false;
	if (!ports || !has_ports(cut->protocol))
		return true;
	source = cursor_u16be(&c);
	destination = cursor_u16be(&c);
	return !c.failed && source == from->port && destination == to->port;
}

/* One layer, without what it quotes or carries. */
static enum packet_part match_layer(const struct packet_cut *cut, const struct packet *packet,
				    struct packet_key *key)
{
	bool piece = packet->fragment_offset || packet->more_fragments;
	bool later = packet->fragment_offset != 0;
	uint8_t protocol = piece ? packet->fragment_protocol : packet->ip_protocol;

	if (!packet->version || !protocol_suits(cut->protocol, protocol))
		return PART_NONE;
	if (goes(cut, &cut->client, &cut->server, packet, !later))
		key->direction = 0;
	else if (goes(cut, &cut->server, &cut->client, packet, !later))
		key->direction = 1;
	else
		return PART_NONE;
	key->id = packet->ip_id;
	key->protocol = protocol;
	return later ? PART_LATER : piece ? PART_FIRST : PART_WHOLE;
}

static bool is_error(const struct packet *packet)
{
	if (packet->transport != TRANSPORT_ICMP)
		return false;
	if (packet->version == 6)
		return packet->icmp_type >= 1 && packet->icmp_type <= 4;
	return (packet->icmp_type >= 3 && packet->icmp_type <= 5) || packet->icmp_type == 11 ||
	       packet->icmp_type == 12;
}

enum packet_part packet_match(const struct packet_cut *cut, const struct packet *packet,
			      struct packet_key *key)
{
	struct packet layers[2], quoted;
	unsigned at = 0;

	for (;;) {
		enum packet_part part = match_layer(cut, packet, key);

		if (part == PART_NONE && is_error(packet) &&
		    packet_decode_network(&quoted, packet, packet->payload) == 0)
			part = match_layer(cut, &quoted, key);
		if (part != PART_NONE)
			return part;
		at ^= 1;
		if (!packet_inside(packet, &layers[at]))
			return PART_NONE;
		packet = &layers[at];
	}
}
