/* Ports that were touched without a conversation, told once a source and not once a port.
 *
 * A source is told of when it has been quiet for a while, or has gone on for long: how often it
 * knocked, in which ways, at which ports and addresses. No I/O and no clock: time is the packets'.
 */
#ifndef CAPTURE_PROBES_H
#define CAPTURE_PROBES_H

#include "base/clock.h"
#include "capture/flow.h"

#define PROBES_SOURCES_DEFAULT 4096
#define PROBES_BYTES_DEFAULT   ((size_t)8 * 1024 * 1024)
#define PROBES_BYTES_MIN       ((size_t)256 * 1024) /* any few sources fit in */

/* Fewer addresses asked for are a host that talks to its neighbours. */
#define PROBES_SWEEP 5
/* Datagrams without an answer: scanners that do not know what a port speaks send it several
 * payloads at once; more is a flood, or a host that reports to somebody. */
#define PROBES_DATAGRAMS       2
#define PROBES_DATAGRAMS_BURST 16
#define PROBES_BURST           SECOND
/* Source addresses are easily made up. Of those that must go before they are quiet, because there
 * are too many, so many are told of one by one in a time of `quiet`, and all that knocked so
 * often; the others are counted together in an event without a source. */
#define PROBES_PRESSED_TOLD   1024
#define PROBES_PRESSED_KNOCKS 16

enum probe_kind {
	PROBE_SYN,     /* a SYN, and no more of a handshake than the server's side */
	PROBE_CONNECT, /* a whole handshake, and nothing said */
	PROBE_FIN,
	PROBE_NULL, /* no flag at all */
	PROBE_XMAS, /* FIN, PSH, URG */
	PROBE_ACK,
	PROBE_UDP,         /* a few datagrams without an answer */
	PROBE_SCTP,        /* INIT, or COOKIE ECHO out of nothing */
	PROBE_IP,          /* another protocol */
	PROBE_ECHO,        /* ICMP and ICMPv6 */
	PROBE_TIMESTAMP,   /* ICMP */
	PROBE_MASK,        /* ICMP */
	PROBE_INFORMATION, /* ICMP, and node information of ICMPv6 (RFC 4620) */
	PROBE_ARP,
	PROBE_NDP, /* neighbour solicitations (RFC 4861) */
	PROBE_KINDS
};

struct probes_setup {
	size_t sources; /* remembered at most; the one silent longest goes first */
	size_t bytes;   /* that all of them hold; PROBES_BYTES_MIN or more */
	int64_t quiet;  /* microseconds without a probe, then the source is told of */
	int64_t longest;
	void *context;
	void (*event)(void *context, struct event *event);
};
extern const struct probes_setup probes_setup_default;

struct probes_counts {
	uint64_t pressed; /* sources that had to go before they were quiet */
	uint64_t folded;  /* of these: counted together with others */
	uint64_t lost;    /* probes not counted, or ports and addresses of one: memory was out */
};

struct probes;

/* NULL when memory is out. */
struct probes *probes_new(const struct probes_setup *setup);
/* A flow is over; it is none of ours when the client said something, or a decoy's session. */
void probes_flow_over(struct probes *probes, const struct flow *flow);
/* A packet that belongs to no flow, ARP too; most are none of ours. */
void probes_packet(struct probes *probes, const struct packet *packet);
/* What the source's SYN gives away; `tool` must outlive the probes. */
void probes_tool(struct probes *probes, const struct address *source, const char *tool,
		 int64_t time);
/* Tells of those that are due; cheap when none is. */
void probes_tick(struct probes *probes, int64_t now);
/* Tells of all. */
void probes_finish(struct probes *probes);
/* Memory for sources, their ports and targets. */
size_t probes_held(const struct probes *probes);
struct probes_counts probes_counts(const struct probes *probes);
/* Accepts NULL. */
void probes_free(struct probes *probes);

#endif
