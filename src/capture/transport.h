/* The layer above IP: TCP, UDP, ICMP. */
#ifndef CAPTURE_TRANSPORT_H
#define CAPTURE_TRANSPORT_H

#include "capture/packet.h"

/* Fills the transport's part of the packet, whose ip_protocol and addresses are known. */
void transport_decode(struct packet *packet, struct slice bytes, bool sums);

/* The Internet checksum's running sum (RFC 1071), folded to 16 bits. */
uint32_t packet_sum(uint32_t sum, struct slice bytes);

/* One TCP option after another: false at the end, or where they are broken (*broken is set). */
struct tcp_option {
	uint8_t kind;
	struct slice value;
};
bool tcp_option_next(struct cursor *options, struct tcp_option *option, bool *broken);

#endif
