/* Internet addresses, IPv4 and IPv6 alike. An IPv4 address seen through an IPv6 socket
 * (::ffff:192.0.2.1) is IPv4 here. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <sys/socket.h>

#include "base/bytes.h"

struct address {
	uint8_t bytes[16]; /* IPv4 uses the first four */
	uint8_t family;    /* 4, 6, or 0: none */
};

struct endpoint {
	struct address address;
	uint16_t port;
};

#define ADDRESS_TEXT_MAX 46 /* with NUL */

/* Canonical text (RFC 5952 for IPv6), NUL-terminated; "" for none. Returns its length. */
size_t address_text(const struct address *address, char text[ADDRESS_TEXT_MAX]);
MUST_CHECK int address_parse(struct slice text, struct address *address);
struct address address_v4(uint32_t host_order);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_loopback(const struct address *address);
/* Address of the network of this many bits; bits beyond the family's width clamp. */
struct address address_network(const struct address *address, unsigned bits);

/* A network: "192.0.2.0/24", "2001:db8::/32", or a lone address. */
struct network {
	struct address address;
	unsigned bits;
};
MUST_CHECK int network_parse(struct slice text, struct network *network);
bool network_holds(const struct network *network, const struct address *address);

struct endpoint endpoint_from_socket(const struct sockaddr_storage *socket_address);
/* Returns the length to hand to bind() and its like. */
socklen_t endpoint_to_socket(const struct endpoint *endpoint, struct sockaddr_storage *out);

#endif
