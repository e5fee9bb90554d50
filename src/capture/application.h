/* A reader of an application protocol: what both sides of a flow say, as transactions for the rules
 * and as events. One file exports one `const struct application`, one line in
 * application/registry.def names it.
 *
 * It does no I/O, knows no time but what its context says, and keeps what it knows in its state.
 */
#ifndef CAPTURE_APPLICATION_H
#define CAPTURE_APPLICATION_H

#include "base/arena.h"
#include "capture/inspection.h"
#include "event/event.h"

#define APPLICATION_PENDING_MAX                                                               \
	(256 * 1024)                      /* unconsumed bytes of a side that the stream keeps \
					   */
#define APPLICATION_BODY_MAX (100 * 1024) /* of a body that rules see */

struct application_context {
	const struct wants *wants;
	/* For one call of input: dropped after it. NULL results when it is full. */
	struct arena *scratch;
	const struct packet *packet; /* the packet at hand; NULL: a decoy's own stream */
	int64_t time;
	uint16_t source_port, destination_port; /* of the flow, client first */
	/* One side of transaction number N is complete, or as much of it as will ever be looked at.
	 */
	void (*inspect)(struct application_context *context, enum direction direction,
			uint64_t transaction, const struct findings *findings);
	/* Something worth an event: action and the protocol's own fields are set, the rest is
	 * added. */
	void (*tell)(struct application_context *context, struct event *event);
	/* A mid-stream change (STARTTLS, CONNECT): what follows is read by another. */
	void (*become)(struct application_context *context, enum application_id application);
};

enum recognition {
	RECOGNISED_NO,    /* never */
	RECOGNISED_MAYBE, /* more bytes are needed */
	RECOGNISED_YES,
};

struct application {
	enum application_id id;
	enum packet_transport transports[2]; /* TRANSPORT_OTHER (0) ends the list early */
	/* From the first bytes of one side of a flow. `port` is the server's. */
	enum recognition (*recognise)(struct slice bytes, enum direction direction, uint16_t port);
	size_t state_size; /* zeroed memory, one for each flow */
	/* TCP: bytes in order, all that is not consumed yet; returns how many were consumed. More
	 * come behind what is left. `last`: that side sends no more, ever. UDP: one datagram; what
	 * is returned does not matter. */
	size_t (*input)(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last);
	/* TCP: that many bytes were never seen (a loss, or beyond the depth). Optional: without it
	 * the flow is not read any further. */
	void (*gap)(void *state, struct application_context *context, enum direction direction,
		    uint64_t length);
	/* The flow is over (after `last` of both sides, or without it). Optional. */
	void (*finish)(void *state, struct application_context *context);
	/* Frees what the state holds, and how many bytes that is. Optional, both or neither. */
	void (*drop)(void *state);
	size_t (*held)(const void *state);
};

/* Ends with NULL. */
extern const struct application *const applications[];
const struct application *application_of(enum application_id id);

#endif
