/* Ports that were touched without a conversation, told once a source and not once a port.
 *
 * A source is told of when it has been quiet for a while, or has gone on for long: how often it
 * knocked, in which ways, at which ports and addresses. No I/O and no clock: time is the packets'.
 */
#ifndef CAPTURE_PROBES_H
#define CAPTURE_PROBES_H

#include "capture/flow.h"

#define PROBES_SOURCES_DEFAULT 4096
#define PROBES_BYTES_DEFAULT   ((size_t)8 * 1024 * 1024)

enum probe_kind {
	PROBE_SYN,     /* a SYN, and no more of a handshake than the server's side */
	PROBE_CONNECT, /* a whole handshake, and nothing said */
	PROBE_FIN,
	PROBE_NULL, /* no flag at all */
	PROBE_XMAS, /* FIN, PSH, URG */
	PROBE_ACK,
	PROBE_UDP,  /* a datagram or two without an answer */
	PROBE_ECHO, /* ICMP */
	PROBE_ARP,
	PROBE_KINDS
};

struct probes_setup {
	size_t sources; /* remembered at most; the one silent longest is told of first */
	size_t bytes;   /* that their sets of ports may hold together */
	int64_t quiet;  /* microseconds without a probe, then the source is told of */
	int64_t longest;
	void *context;
	void (*event)(void *context, struct event *event);
};
extern const struct probes_setup probes_setup_default;

struct probes;

/* NULL when memory is out. */
struct probes *probes_new(const struct probes_setup *setup);
/* A flow is over; it is none of ours when the client said something, or a decoy's session. */
void probes_flow_over(struct probes *probes, const struct flow *flow);
/* An ARP request (RFC 826). */
void probes_arp(struct probes *probes, const struct packet *packet);
/* What the source's SYN gives away; `tool` must outlive the probes. */
void probes_tool(struct probes *probes, const struct address *source, const char *tool,
		 int64_t time);
/* Tells of those that are due; cheap when none is. */
void probes_tick(struct probes *probes, int64_t now);
/* Tells of all. */
void probes_finish(struct probes *probes);
size_t probes_held(const struct probes *probes);
/* Accepts NULL. */
void probes_free(struct probes *probes);

#endif
