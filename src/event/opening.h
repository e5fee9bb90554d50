/* What stands before a field's value in a line of JSON; shared by event_write.c and event_read.c.
 */
#ifndef EVENT_OPENING_H
#define EVENT_OPENING_H

#include "event/event.h"

/* From memory, or made and remembered; NULL when it is too long for that. `before` is the field
 * that stands before it, FIELD_COUNT at the start of the line. */
const struct event_opening *opening_usual(struct event_habits *habits, enum event_field before,
					  enum event_field field);

#endif
