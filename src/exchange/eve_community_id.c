/* Community ID; see eve.h. A hash of the five-tuple with the lower end first, so that both
 * directions, and all tools, have the same one. */
#include "base/hash.h"
#include "exchange/eve.h"

/* ICMP has no ports: the type stands for one, and for the other the type that answers it. A message
 * that has no counterpart has its code instead, and only one direction. */
static bool icmp_counterpart(uint8_t protocol, int64_t type, int64_t *other)
{
	static const uint8_t pairs4[][2] = {{0, 8}, {9, 10}, {13, 14}, {15, 16}, {17, 18}};
	static const uint8_t pairs6[][2] = {{128, 129}, {130, 131}, {133, 134},
					    {135, 136}, {139, 140}, {144, 145}};
	const uint8_t(*pairs)[2] = protocol == EVE_ICMP ? pairs4 : pairs6;
	size_t count = protocol == EVE_ICMP ? ARRAY_COUNT(pairs4) : ARRAY_COUNT(pairs6);

	for (size_t i = 0; i < count; i++)
		for (size_t side = 0; side < 2; side++)
			if (pairs[i][side] == type) {
				*other = pairs[i][1 - side];
				return true;
			}
	return false;
}

static bool is_ordered(const struct eve_ends *ends, size_t length, int64_t source_port,
		       int64_t destination_port)
{
	int order = memcmp(ends->source->bytes, ends->destination->bytes, length);

	return order < 0 || (order == 0 && source_port < destination_port);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == EVE_TCP || protocol == EVE_UDP || protocol == EVE_SCTP ||
	       protocol == EVE_ICMP || protocol == EVE_ICMP6;
}

static bool is_port(int64_t number)
{
	return number >= 0 && number <= UINT16_MAX;
}

bool eve_community_id(const struct eve_ends *ends, char text[EVE_COMMUNITY_ID_LENGTH + 1])
{
	uint8_t tuple[2 + 16 + 16 + 2 + 4], digest[20];
	struct writer w = writer_fixed(tuple, sizeof(tuple));
	struct writer out = writer_fixed(text, EVE_COMMUNITY_ID_LENGTH + 1);
	int64_t source_port = ends->source_port, destination_port = ends->destination_port;
	bool ordered, one_way = false;
	size_t length;

	if (!ends->source || !ends->destination || !ends->source->family || !ends->protocol ||
	    ends->source->family != ends->destination->family)
		return false;
	if (ends->protocol == EVE_ICMP || ends->protocol == EVE_ICMP6) {
		source_port = ends->icmp_type;
		one_way = !icmp_counterpart(ends->protocol, source_port, &destination_port);
		if (one_way)
			destination_port = ends->icmp_code;
	}
	if (!has_ports(ends->protocol))
		source_port = destination_port = 0;
	if (!is_port(source_port) || !is_port(destination_port))
		return false;
	length = ends->source->family == 4 ? 4 : 16;
	ordered = one_way || is_ordered(ends, length, source_port, destination_port);
	writer_u16be(&w, 0); /* the seed */
	writer_bytes(&w, slice_of((ordered ? ends->source : ends->destination)->bytes, length));
	writer_bytes(&w, slice_of((ordered ? ends->destination : ends->source)->bytes, length));
	writer_u8(&w, ends->protocol);
	writer_u8(&w, 0);
	if (has_ports(ends->protocol)) {
		writer_u16be(&w, (uint16_t)(ordered ? source_port : destination_port));
		writer_u16be(&w, (uint16_t)(ordered ? destination_port : source_port));
	}
	hash_sha1_once(writer_slice(&w), digest);
	writer_text(&out, "1:");
	writer_base64(&out, slice_of(digest, sizeof(digest)));
	writer_u8(&out, 0);
	return !w.failed && !out.failed;
}
