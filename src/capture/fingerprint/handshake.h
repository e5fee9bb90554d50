/* What a handshake tells of its two ends, as an event. */
#ifndef CAPTURE_FINGERPRINT_HANDSHAKE_H
#define CAPTURE_FINGERPRINT_HANDSHAKE_H

#include "capture/fingerprint/p0f.h"
#include "capture/flow.h"
#include "event/event.h"

struct handshake_room {
	const char *tool; /* that the SYN gives away, of the signatures or a literal; NULL: none */
	char print[TCP_PRINT_MAX], muonfp[TCP_PRINT_MAX];
};

/* Fills action and fingerprint fields for the first SYN and the first SYN+ACK of a flow; false: it
 * is neither. The event borrows from `room` and from p0f, which may be NULL. */
bool handshake_event(struct event *event, struct handshake_room *room, const struct p0f *p0f,
		     const struct packet *packet, struct flow *flow, enum direction direction);

#endif
