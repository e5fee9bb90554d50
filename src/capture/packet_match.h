/* Whether a packet belongs to a conversation: by its addresses and ports in either direction,
 * inside tunnels too, or as the quotation in an ICMP error. Fragments behind the first have no
 * ports: they carry a key, and belong if a first one with the same key did.
 */
#ifndef CAPTURE_PACKET_MATCH_H
#define CAPTURE_PACKET_MATCH_H

#include "capture/packet.h"
#include "capture/packet_ring_cut.h"

enum packet_part {
	PART_NONE,  /* not of the conversation */
	PART_WHOLE, /* it is */
	PART_FIRST, /* it is, and later fragments with its key are */
	PART_LATER, /* if its key is known */
};

struct packet_key {
	uint32_t id;       /* IP identification */
	uint8_t protocol;  /* of IP */
	uint8_t direction; /* 0: from the client */
};

/* The key is set for PART_FIRST and PART_LATER. */
enum packet_part packet_match(const struct packet_cut *cut, const struct packet *packet,
			      struct packet_key *key);

#endif
