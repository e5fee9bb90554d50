/* Link and network layers; transport.c takes the rest apart. */
#include "capture/packet.h"

#include "capture/transport.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_VLAN_OLD = 0x9100,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_TEB = 0x6558, /* Ethernet inside GRE */
	ETHERTYPE_ERSPAN2 = 0x88be,
};

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ICMP = 1,
	NEXT_IPV4 = 4,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_IPV6 = 41,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_GRE = 47,
	NEXT_AH = 51,
	NEXT_ICMP6 = 58,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
	NEXT_SCTP = 132,
	NEXT_MOBILITY = 135,
};

enum { VXLAN_PORT = 4789, VXLAN_PORT_LINUX = 8472, TEREDO_PORT = 3544 };

#define MPLS_LABELS_MAX 8

uint32_t packet_sum(uint32_t sum, struct slice bytes)
{
	uint64_t wide = sum;
	size_t i = 0;

	for (; i + 1 < bytes.length; i += 2)
		wide += (uint32_t)bytes.at[i] << 8 | bytes.at[i + 1];
	if (i < bytes.length)
		wide += (uint32_t)bytes.at[i] << 8;
	while (wide >> 16)
		wide = (wide & 0xffff) + (wide >> 16);
	return (uint32_t)wide;
}

static void read_transport(struct packet *packet, uint8_t protocol, bool sums)
{
	packet->ip_protocol = protocol;
	if (packet->fragment_offset || packet->more_fragments)
		return;
	transport_decode(packet, packet->network_payload, sums);
}

static int read_ipv4(struct packet *packet, struct slice bytes, bool sums)
{
	struct cursor c = cursor_of(bytes);
	uint8_t first = cursor_u8(&c);
	size_t header = (size_t)(first & 15) * 4, total;
	uint16_t piece;

	packet->traffic_class = cursor_u8(&c);
	total = cursor_u16be(&c);
	packet->ip_id = cursor_u16be(&c);
	piece = cursor_u16be(&c);
	packet->ttl = cursor_u8(&c);
	packet->ip_protocol = cursor_u8(&c);
	cursor_skip(&c, 2);
	packet->source = address_v4(cursor_u32be(&c));
	packet->destination = address_v4(cursor_u32be(&c));
	if (c.failed || header < 20 || header > bytes.length) {
		packet->flaws |= FLAW_NETWORK_SHORT;
		return -1;
	}
	packet->version = 4;
	packet->evil = piece & 0x8000;
	packet->dont_fragment = piece & 0x4000;
	packet->more_fragments = piece & 0x2000;
	packet->fragment_offset = (uint16_t)((piece & 0x1fff) * 8);
	packet->fragment_protocol = packet->ip_protocol;
	/* Zero: the network card was to fill it in (TSO). */
	if (total == 0)
		total = bytes.length;
	if (total < header || total > bytes.length) {
		packet->flaws |= FLAW_NETWORK_LENGTH;
		total = total < header ? header : bytes.length;
	}
	packet->network = slice_first(bytes, total);
	packet->network_options = slice_of(bytes.at + 20, header - 20);
	packet->network_payload = slice_from(packet->network, header);
	if (sums && packet_sum(0, slice_first(bytes, header)) != 0xffff)
		packet->flaws |= FLAW_NETWORK_CHECKSUM;
	read_transport(packet, packet->ip_protocol, sums);
	return 0;
}

/* Steps over the extension headers; the protocol after them. */
static uint8_t step_extensions(struct packet *packet, uint8_t next, struct cursor *c)
{
	for (unsigned count = 0; count < PACKET_HEADERS_MAX; count++) {
		uint16_t piece;
		size_t length;
		uint8_t after;

		switch (next) {
		case NEXT_HOP_BY_HOP:
		case NEXT_ROUTING:
		case NEXT_DESTINATION:
		case NEXT_MOBILITY:
			after = cursor_u8(c);
			length = (size_t)cursor_u8(c) * 8 + 6;
			break;
		case NEXT_AH:
			after = cursor_u8(c);
			length = (size_t)cursor_u8(c) * 4 + 6;
			break;
		case NEXT_FRAGMENT:
			after = cursor_u8(c);
			cursor_skip(c, 1);
			piece = cursor_u16be(c);
			packet->fragment_offset = piece & 0xfff8;
			packet->more_fragments = piece & 1;
			packet->ip_id = cursor_u32be(c);
			packet->fragment_protocol = after;
			if (packet->fragment_offset || packet->more_fragments)
				return after;
			next = after;
			continue;
		default:
			return next;
		}
		cursor_skip(c, length);
		if (c->failed) {
			packet->flaws |= FLAW_NETWORK_OPTIONS;
			return NEXT_NONE;
		}
		next = after;
	}
	packet->flaws |= FLAW_NETWORK_OPTIONS;
	return NEXT_NONE;
}

static int read_ipv6(struct packet *packet, struct slice bytes, bool sums)
{
	struct cursor c = cursor_of(bytes);
	uint32_t first = cursor_u32be(&c);
	size_t length = cursor_u16be(&c);
	uint8_t next = cursor_u8(&c);
	struct slice from, to;

	packet->ttl = cursor_u8(&c);
	from = cursor_take(&c, 16);
	to = cursor_take(&c, 16);
	if (c.failed) {
		packet->flaws |= FLAW_NETWORK_SHORT;
		return -1;
	}
	packet->version = 6;
	packet->traffic_class = (uint8_t)(first >> 20);
	packet->flow_label = first & 0xfffff;
	packet->source.family = packet->destination.family = 6;
	memcpy(packet->source.bytes, from.at, 16);
	memcpy(packet->destination.bytes, to.at, 16);
	if (length == 0 && next != NEXT_HOP_BY_HOP && next != NEXT_NONE)
		length = c.left;
	if (length > c.left) {
		packet->flaws |= FLAW_NETWORK_LENGTH;
		length = c.left;
	}
	packet->network = slice_first(bytes, 40 + length);
	c = cursor_of(slice_from(packet->network, 40));
	next = step_extensions(packet, next, &c);
	packet->network_payload = slice_of(c.at, c.failed ? 0 : c.left);
	packet->network_options = slice_of(bytes.at + 40, packet->network.length - 40 -
								  packet->network_payload.length);
	read_transport(packet, next, sums);
	return 0;
}

static int read_network(struct packet *packet, struct slice bytes, bool sums)
{
	unsigned version = bytes.length ? bytes.at[0] >> 4 : 0;

	packet->network = bytes;
	if (version == 4)
		return read_ipv4(packet, bytes, sums);
	if (version == 6)
		return read_ipv6(packet, bytes, sums);
	packet->flaws |= FLAW_UNKNOWN;
	return -1;
}

/* Of Ethernet and IPv4, the only ones there are. */
static void read_arp(struct packet *packet, struct cursor c)
{
	uint16_t hardware = cursor_u16be(&c), protocol = cursor_u16be(&c);
	uint16_t lengths = cursor_u16be(&c), operation = cursor_u16be(&c);
	uint32_t sender, target;

	cursor_skip(&c, 6);
	sender = cursor_u32be(&c);
	cursor_skip(&c, 6);
	target = cursor_u32be(&c);
	if (c.failed)
		packet->flaws |= FLAW_NETWORK_SHORT;
	if (c.failed || hardware != 1 || protocol != ETHERTYPE_IPV4 || lengths != 0x0604)
		return;
	packet->arp_operation = operation;
	packet->source = address_v4(sender);
	packet->destination = address_v4(target);
}

/* MPLS labels, PPPoE, VLANs: what stands between link and network. */
static int read_ethertype(struct packet *packet, uint16_t type, struct cursor *c, bool sums)
{
	unsigned labels = 0;

	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_VLAN_OLD) {
		uint16_t tag = cursor_u16be(c);

		type = cursor_u16be(c);
		if (c->failed || packet->vlan_count == PACKET_VLANS_MAX)
			goto short_link;
		packet->vlans[packet->vlan_count++] = tag & 0xfff;
	}
	packet->link_protocol = type;
	if (type == ETHERTYPE_PPPOE) {
		uint16_t protocol;

		cursor_skip(c, 6);
		protocol = cursor_u16be(c);
		type = protocol == 0x21 ? ETHERTYPE_IPV4 : protocol == 0x57 ? ETHERTYPE_IPV6 : 0;
	} else if (type == ETHERTYPE_MPLS) {
		while (labels++ < MPLS_LABELS_MAX && !(cursor_u32be(c) >> 8 & 1) && !c->failed)
			;
		type = c->left && c->at[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
	}
	if (c->failed)
		goto short_link;
	if (type == ETHERTYPE_ARP)
		read_arp(packet, *c);
	if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
		return -1;
	return read_network(packet, slice_of(c->at, c->left), sums);

short_link:
	packet->flaws |= FLAW_LINK_SHORT;
	return -1;
}

static int read_ethernet(struct packet *packet, struct cursor *c, bool sums)
{
	uint16_t type;

	cursor_skip(c, 12);
	type = cursor_u16be(c);
	if (c->failed) {
		packet->flaws |= FLAW_LINK_SHORT;
		return -1;
	}
	return read_ethertype(packet, type, c, sums);
}

static void start(struct packet *packet, struct slice frame, uint32_t wire_length, int64_t time)
{
	memset(packet, 0, sizeof(*packet));
	packet->frame = frame;
	packet->wire_length = wire_length;
	packet->time = time;
}

int packet_decode(struct packet *packet, enum link_type link, struct slice frame,
		  uint32_t wire_length, int64_t time, bool sums)
{
	struct cursor c = cursor_of(frame);
	uint16_t type;

	start(packet, frame, wire_length, time);
	switch (link) {
	case LINK_ETHERNET:
		return read_ethernet(packet, &c, sums);
	case LINK_COOKED:
		cursor_skip(&c, 14);
		type = cursor_u16be(&c);
		break;
	case LINK_COOKED2:
		type = cursor_u16be(&c);
		cursor_skip(&c, 18);
		break;
	case LINK_PPP:
		if (frame.length && frame.at[0] == 0xff)
			cursor_skip(&c, 2);
		/* The protocol's first byte may be left out (RFC 1661, 6.5). */
		type = c.left && c.at[0] & 1 ? cursor_u8(&c) : cursor_u16be(&c);
		type = type == 0x21 ? ETHERTYPE_IPV4 : type == 0x57 ? ETHERTYPE_IPV6 : 0;
		break;
	case LINK_CISCO_HDLC:
		cursor_skip(&c, 2);
		type = cursor_u16be(&c);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		/* The address family, in the byte order of whoever wrote it: the version tells. */
		cursor_skip(&c, 4);
		return c.failed ? -1 : read_network(packet, slice_of(c.at, c.left), sums);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OLD:
	case LINK_IPV4:
	case LINK_IPV6:
		return read_network(packet, frame, sums);
	default:
		packet->flaws |= FLAW_UNKNOWN;
		return -1;
	}
	if (c.failed) {
		packet->flaws |= FLAW_LINK_SHORT;
		return -1;
	}
	return read_ethertype(packet, type, &c, sums);
}

int packet_decode_network(struct packet *packet, const struct packet *first, struct slice network)
{
	start(packet, first->frame, first->wire_length, first->time);
	memcpy(packet->vlans, first->vlans, sizeof(packet->vlans));
	packet->vlan_count = first->vlan_count;
	packet->link_protocol = first->link_protocol;
	packet->depth = first->depth;
	return read_network(packet, network, false);
}

/* --- tunnels --- */

/* GRE (RFC 2784, 2890; version 1 of RFC 2637 carries PPP). */
static int inside_gre(struct packet *inside, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint16_t flags = cursor_u16be(&c), type = cursor_u16be(&c);

	if (flags & 0x4007) /* source routes, and PPTP */
		return -1;
	if (flags & 0x8000)
		cursor_skip(&c, 4);
	if (flags & 0x2000)
		cursor_skip(&c, 4);
	if (flags & 0x1000)
		cursor_skip(&c, 4);
	if (type == ETHERTYPE_ERSPAN2)
		cursor_skip(&c, flags & 0x1000 ? 8 : 0);
	if (c.failed)
		return -1;
	if (type == ETHERTYPE_TEB || type == ETHERTYPE_ERSPAN2)
		return read_ethernet(inside, &c, false);
	return read_ethertype(inside, type, &c, false);
}

static int inside_vxlan(struct packet *inside, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint8_t flags = cursor_u8(&c);

	cursor_skip(&c, 7);
	if (c.failed || !(flags & 8))
		return -1;
	return read_ethernet(inside, &c, false);
}

/* Teredo (RFC 4380): maybe an authentication and an origin, then IPv6. */
static int inside_teredo(struct packet *inside, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);

	if (bytes.length >= 2 && bytes.at[0] == 0 && bytes.at[1] == 1) {
		uint8_t id, value;

		cursor_skip(&c, 2);
		id = cursor_u8(&c);
		value = cursor_u8(&c);
		cursor_skip(&c, (size_t)id + value + 9);
	}
	if (!c.failed && c.left >= 2 && c.at[0] == 0 && c.at[1] == 0)
		cursor_skip(&c, 8);
	if (c.failed || !c.left || c.at[0] >> 4 != 6)
		return -1;
	return read_network(inside, slice_of(c.at, c.left), false);
}

bool packet_inside(const struct packet *outer, struct packet *inside)
{
	bool whole = outer->version && !outer->fragment_offset && !outer->more_fragments;
	uint16_t port = outer->destination_port;

	if (!whole || outer->depth + 1 >= PACKET_LAYERS_MAX)
		return false;
	start(inside, outer->frame, outer->wire_length, outer->time);
	inside->depth = (uint8_t)(outer->depth + 1);
	switch (outer->ip_protocol) {
	case NEXT_IPV4:
	case NEXT_IPV6:
		return read_network(inside, outer->network_payload, false) == 0;
	case NEXT_GRE:
		return inside_gre(inside, outer->network_payload) == 0;
	case NEXT_UDP:
		if (port == VXLAN_PORT || port == VXLAN_PORT_LINUX)
			return inside_vxlan(inside, outer->payload) == 0;
		if (port == TEREDO_PORT || outer->source_port == TEREDO_PORT)
			return inside_teredo(inside, outer->payload) == 0;
		return false;
	default:
		return false;
	}
}
