/* A packet taken apart: link, IP, and TCP, UDP or ICMP (RFC 791, 8200, 9293, 768, 792, 4443).
 *
 * Everything is a view of the frame; nothing is copied. What a header promises and the bytes do not
 * keep is a flaw: the packet stays as good as the part before it, and rules may ask for the flaw.
 */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include "base/address.h"
#include "base/bytes.h"

#define PACKET_LAYERS_MAX  8 /* tunnels in tunnels; more is an attack on the reader */
#define PACKET_HEADERS_MAX 8 /* IPv6 extension headers */
#define PACKET_VLANS_MAX   3

/* Link types as pcap numbers them (https://www.tcpdump.org/linktypes.html). */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OLD = 14,
	LINK_RAW = 101,
	LINK_CISCO_HDLC = 104,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276,
};

enum packet_transport {
	TRANSPORT_OTHER,
	TRANSPORT_TCP,
	TRANSPORT_UDP,
	TRANSPORT_ICMP, /* ICMP and ICMPv6 */
	TRANSPORT_SCTP,
};

enum packet_flaw {
	FLAW_LINK_SHORT = 1 << 0,
	FLAW_NETWORK_SHORT = 1 << 1,
	FLAW_NETWORK_LENGTH = 1 << 2, /* the header says more than was captured */
	FLAW_NETWORK_OPTIONS = 1 << 3,
	FLAW_TRANSPORT_SHORT = 1 << 4,
	FLAW_TRANSPORT_LENGTH = 1 << 5,
	FLAW_TRANSPORT_OPTIONS = 1 << 6,
	FLAW_NETWORK_CHECKSUM = 1 << 7,
	FLAW_TRANSPORT_CHECKSUM = 1 << 8,
	FLAW_DEPTH = 1 << 9,
	FLAW_UNKNOWN = 1 << 10, /* neither IPv4 nor IPv6 */
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

enum { IPPROTO_ESP_HEADER = 50 };

struct packet {
	int64_t time; /* microseconds since 1970 */
	struct slice frame;
	uint32_t wire_length; /* of the frame; more than was captured, maybe */
	uint32_t flaws;
	uint8_t depth; /* tunnels around it */
	uint16_t vlans[PACKET_VLANS_MAX];
	uint8_t vlan_count;
	uint16_t link_protocol; /* EtherType */
	uint16_t arp_operation; /* 0: no ARP for IPv4; 1: source asks who has destination */

	/* IP; version 0: none */
	uint8_t version, ip_protocol, ttl, traffic_class;
	bool dont_fragment, more_fragments, evil; /* evil: the reserved bit */
	uint16_t fragment_offset;                 /* bytes */
	uint32_t ip_id;
	uint32_t flow_label;
	struct address source, destination;
	struct slice network;         /* IP header(s) and all that follows inside the datagram */
	struct slice network_options; /* IPv4 options, IPv6 extension headers */
	struct slice network_payload; /* what follows them: a fragment's piece, or the transport */
	uint8_t fragment_protocol;

	/* TCP, UDP, ICMP; only of packets that are no fragments */
	enum packet_transport transport;
	struct slice transport_header;
	uint16_t source_port, destination_port;
	uint32_t sequence, acknowledgement;
	uint16_t flags; /* TCP: low eight bits as above, then the NS bit and three reserved ones */
	uint16_t window, urgent;
	struct slice tcp_options;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_sequence;
	struct slice payload;
};

/* Takes the outermost layers apart. Returns 0, or -1 when there is no IP in it (link_protocol tells
 * what it is; of ARP, RFC 826, source and destination are the addresses). Checks sums only if
 * `sums`.
 */
int packet_decode(struct packet *packet, enum link_type link, struct slice frame,
		  uint32_t wire_length, int64_t time, bool sums);
/* The packet inside a tunnel (IP in IP, GRE, 6in4, VXLAN, Teredo); false when it is none, or one
 * too many. */
bool packet_inside(const struct packet *outer, struct packet *inside);
/* Takes a datagram apart that was put together again from fragments. `first` gives link and time.
 */
int packet_decode_network(struct packet *packet, const struct packet *first, struct slice network);

#endif
