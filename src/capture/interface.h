/* Packets off network interfaces, with libpcap (TPACKET_V3 on Linux).
 *
 * Opening needs CAP_NET_RAW; reading needs nothing, so that it works in a sandbox.
 */
#ifndef CAPTURE_INTERFACE_H
#define CAPTURE_INTERFACE_H

#include "capture/packet.h"

#define INTERFACE_WHY 512

struct interface;

struct interface_setup {
	const char *device;
	const char *filter; /* in pcap-filter(7)'s language; NULL: everything */
	int snapshot;       /* bytes of a packet at most; 0: 64 KiB */
	int buffer;         /* bytes of the kernel's ring; 0: 16 MiB */
	int wait;           /* milliseconds until the kernel hands over what it has; 0: 50 */
};

struct interface_counts {
	uint64_t packets; /* that the filter let pass */
	uint64_t dropped; /* of them, because the ring was full */
};

/* NULL with a reason. */
struct interface *interface_open(const struct interface_setup *setup, char why[INTERFACE_WHY]);
int interface_descriptor(const struct interface *in); /* readable when packets wait */
const char *interface_name(const struct interface *in);
enum link_type interface_link(const struct interface *in);
/* Hands over what waits, at most so many; the number, or -1 with interface_why when the interface
 * is gone. */
MUST_CHECK int interface_read(struct interface *in, int most,
			      void (*packet)(void *context, struct slice frame,
					     uint32_t wire_length, int64_t time),
			      void *context);
const char *interface_why(struct interface *in);
MUST_CHECK int interface_count(struct interface *in, struct interface_counts *counts);
void interface_close(struct interface *in);

#endif
