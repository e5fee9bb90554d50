/* Cutting a conversation out of the ring of recent packets. */
#ifndef CAPTURE_PACKET_RING_CUT_H
#define CAPTURE_PACKET_RING_CUT_H

#include "base/address.h"

#define PACKET_CUT_WHY 256
#define PACKET_CUT_MAX ((size_t)4 * 1024 * 1024) /* packets of one cut: 32 bytes of memory each */

struct packet_cut {
	struct endpoint client, server; /* without a family: any address, and the port counts */
	uint8_t protocol; /* of IP: 6, 17 ...; 1 is ICMPv6 too; 0: all between the two addresses */
	int64_t from, until; /* both included */
	int64_t margin;      /* before and after */
	size_t packets;      /* at most; 0: PACKET_CUT_MAX */
};

struct packet_cut_counts {
	uint64_t packets, bytes; /* written; bytes of their frames */
	uint64_t looked_at;      /* packets read */
	uint64_t left_out;       /* packets beyond the most allowed, or whose file went meanwhile */
	uint64_t read, skipped;  /* files; skipped: another time, by their names */
	uint64_t broken;         /* files of which what stands before a break was used */
	uint64_t gone;           /* files that the ring removed meanwhile */
	int64_t since;           /* time of the ring's first packet; 0: it is empty */
	int64_t first, last;     /* times of the first and the last packet written */
	bool several_links; /* the packets came with several link headers: all were taken off */
};

/* Writes the packets of a conversation as one pcap file in order of time: both directions, their
 * fragments, ICMP errors that quote one of them, and all that inside tunnels. Nothing at all is
 * written when there is none. The ring may be written meanwhile. 0, or -1 with a reason. */
MUST_CHECK int packet_ring_cut(int folder, const struct packet_cut *cut, int out,
			       struct packet_cut_counts *counts, char why[PACKET_CUT_WHY]);

#endif
