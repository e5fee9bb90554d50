/* The documentation that is made from the tables of fields and actions: docs/EVENTS.md and
 * docs/event.schema.json. */
#ifndef EVENT_DESCRIBE_H
#define EVENT_DESCRIBE_H

#include "base/bytes.h"

/* Append to the writer; its limit is the only failure (out->failed). */
void describe_events_markdown(struct writer *out);
/* JSON Schema (draft 2020-12) of one line. */
void describe_events_schema(struct writer *out);

#endif
