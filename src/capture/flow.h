/* Flows: the two directions between two endpoints, with a cap on how many are remembered.
 *
 * The client is who sent the first packet seen, or, picked up mid-stream, who looks like one (the
 * higher port). Flows are found by a keyed hash, so that nobody can aim for one bucket.
 */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include "capture/application.h"
#include "capture/inspection.h"
#include "event/event.h"

#define FLOWS_MAX_DEFAULT   65536
#define FLOWS_BYTES_DEFAULT ((size_t)256 * 1024 * 1024)
#define FLOW_BITS_MAX       4096 /* names of flowbits that one rule set may have */
#define FLOW_NUMBERS_MAX    64   /* flowint variables */

struct stream; /* one direction of a TCP flow; stream.h */

enum flow_state {
	FLOW_NEW,         /* one direction seen */
	FLOW_ESTABLISHED, /* TCP: handshake done or picked up mid-stream; UDP: both directions seen
			   */
	FLOW_CLOSED,      /* TCP: ended; remembered for late packets */
};

struct flow {
	/* key */
	struct address client, server;
	uint16_t client_port, server_port, vlan;
	uint8_t transport; /* enum packet_transport */

	uint8_t state; /* enum flow_state */
	bool midstream;
	uint8_t application;              /* enum application_id */
	const struct application *reader; /* NULL: not (or no longer) read */
	void *reader_state;
	uint64_t transactions;

	int64_t started, seen;
	uint64_t packets[2], bytes[2]; /* by enum direction; payload bytes */
	uint64_t framed[2];            /* bytes with all headers */
	uint8_t flags[2];              /* TCP: all that were set */
	uint32_t alerts;
	struct stream *streams[2];     /* TCP only */
	char session[ULID_LENGTH + 1]; /* the decoy's session, or one of its own */

	uint16_t syn_mss; /* that the client's SYN offered; 0: none seen */

	/* for the rules */
	uint64_t *bits;                           /* flowbits; NULL: none set yet */
	uint32_t *numbers;                        /* flowint; NULL: none set yet */
	uint8_t addresses_seen, application_seen; /* by direction: such rules were asked */

	/* of the readers */
	uint8_t unread[2]; /* by direction: no reader recognised what was sent */
	size_t held;       /* bytes that were last counted for it */
	uint8_t list;      /* which list of the table it is on */
	bool told;         /* the session id is made */
	bool linked;       /* ... and is that of a decoy's session */
	struct flow *bucket_next, *older, *newer;
	uint32_t hash;
};

struct flow_limits {
	size_t flows; /* the one idle longest goes first */
	size_t bytes; /* that all of them together hold: streams, readers' states */
	int64_t fresh, established, closed, datagram; /* microseconds without a packet */
};

struct flow_table;

/* `ended` is called for every flow before it goes. */
struct flow_table *flow_table_new(const struct flow_limits *limits,
				  void (*ended)(void *context, struct flow *flow), void *context);
/* The flow of a TCP, UDP or ICMP echo packet, made if there is none; NULL: not of those, or memory
 * is out. *direction is the packet's. */
struct flow *flow_of_packet(struct flow_table *table, const struct packet *packet,
			    enum direction *direction);
/* Call after changing its state. */
void flow_touch(struct flow_table *table, struct flow *flow, int64_t now);
/* Counts what the flow holds now; over the limit others end, and in the end this one: it must not
 * be used after the call. */
void flow_weigh(struct flow_table *table, struct flow *flow);
size_t flow_table_held(const struct flow_table *table);
/* Ends flows that were silent too long. */
void flow_table_expire(struct flow_table *table, int64_t now);
/* Ends one, all. */
void flow_end(struct flow_table *table, struct flow *flow);
void flow_table_end(struct flow_table *table);
size_t flow_table_count(const struct flow_table *table);
uint64_t flow_table_shed(const struct flow_table *table);
/* Ends all; accepts NULL. */
void flow_table_free(struct flow_table *table);

#endif
