/* What an event says of the inspection that led to it: an alert of a rule tells which way the bytes
 * went, in which transaction, and what was asked for. */
#ifndef CAPTURE_INSPECTION_EVENT_H
#define CAPTURE_INSPECTION_EVENT_H

#include "capture/flow.h"
#include "event/event.h"

/* Room for what is put together; it lasts as long as the event. */
struct inspection_room {
	uint8_t identification[320], command[1024];
	char record_type[8];
};

/* Adds the buffers that inspection_event looks at, for those whose rules want fewer. */
void inspection_event_wants(struct wants *wants);

/* Sets direction, transaction, counts of the flow, VLAN, ICMP type, and what the application's
 * reader found; the event borrows from the inspection and from *room. Fields that are set stay. */
void inspection_event(struct event *event, struct inspection_room *room,
		      const struct inspection *inspection);

/* The same of a flow alone: when it began, what it has carried so far, its state. */
void flow_event(struct event *event, const struct flow *flow);

#endif
