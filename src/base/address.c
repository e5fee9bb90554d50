/* Addresses; see address.h. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/address.h"

/* By hand, for inet_ntop goes through sprintf and every event has two addresses. */
static size_t dotted_text(const uint8_t bytes[4], char *text)
{
	size_t length = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (i)
			text[length++] = '.';
		if (bytes[i] >= 100)
			text[length++] = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			text[length++] = (char)('0' + bytes[i] / 10 % 10);
		text[length++] = (char)('0' + bytes[i] % 10);
	}
	text[length] = 0;
	return length;
}

size_t address_text(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	text[0] = 0;
	if (address->family == 4)
		return dotted_text(address->bytes, text);
	if (address->family == 6)
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_MAX);
	return strlen(text);
}

static struct address unmapped(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address address = {.family = 6};

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		address.family = 4;
		memcpy(address.bytes, bytes + 12, 4);
	} else {
		memcpy(address.bytes, bytes, 16);
	}
	return address;
}

int address_parse(struct slice text, struct address *address)
{
	char copy[ADDRESS_TEXT_MAX];
	uint8_t bytes[16];

	if (text.length == 0 || text.length >= sizeof(copy) || slice_find_byte(text, 0) != SIZE_MAX)
		return -1;
	memcpy(copy, text.at, text.length);
	copy[text.length] = 0;
	*address = (struct address){.family = 4};
	if (inet_pton(AF_INET, copy, address->bytes) == 1)
		return 0;
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return -1;
	*address = unmapped(bytes);
	return 0;
}

struct address address_v4(uint32_t host_order)
{
	struct address address = {.family = 4};

	for (int i = 0; i < 4; i++)
		address.bytes[i] = (uint8_t)(host_order >> (24 - 8 * i));
	return address;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t one[16] = {[15] = 1};

	if (address->family == 4)
		return address->bytes[0] == 127;
	return address->family == 6 && memcmp(address->bytes, one, 16) == 0;
}

struct address address_network(const struct address *address, unsigned bits)
{
	struct address network = *address;
	unsigned width = address->family == 4 ? 32 : 128;

	for (unsigned bit = bits; bit < width; bit++)
		network.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return network;
}

int network_parse(struct slice text, struct network *network)
{
	struct slice part;
	int64_t bits;

	if (!slice_next(&text, '/', &part) || address_parse(part, &network->address) < 0)
		return -1;
	bits = network->address.family == 4 ? 32 : 128;
	if (text.length && slice_number(text, 0, bits, &bits) < 0)
		return -1;
	network->bits = (unsigned)bits;
	return 0;
}

bool network_holds(const struct network *network, const struct address *address)
{
	struct address a = address_network(&network->address, network->bits);
	struct address b = address_network(address, network->bits);

	return address_equal(&a, &b);
}

struct endpoint endpoint_from_socket(const struct sockaddr_storage *storage)
{
	struct endpoint endpoint = {{{0}, 0}, 0};

	if (storage->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, storage, sizeof(in));
		endpoint.address = address_v4(ntohl(in.sin_addr.s_addr));
		endpoint.port = ntohs(in.sin_port);
	} else if (storage->ss_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, storage, sizeof(in));
		endpoint.address = unmapped(in.sin6_addr.s6_addr);
		endpoint.port = ntohs(in.sin6_port);
	}
	return endpoint;
}

socklen_t endpoint_to_socket(const struct endpoint *endpoint, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (endpoint->address.family == 6) {
		struct sockaddr_in6 in = {.sin6_family = AF_INET6,
					  .sin6_port = htons(endpoint->port)};

		memcpy(in.sin6_addr.s6_addr, endpoint->address.bytes, 16);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};

	memcpy(&in.sin_addr, endpoint->address.bytes, 4);
	memcpy(out, &in, sizeof(in));
	return sizeof(in);
}
