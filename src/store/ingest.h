/* One event into the tables and into the batch's sums. */
#ifndef STORE_INGEST_H
#define STORE_INGEST_H

#include "store/inside.h"

/* Why an event cannot be kept, or NULL. */
const char *ingest_objection(const struct event *event);
/* Stores an event that nothing was objected to. */
MUST_CHECK enum store_result ingest_event(struct store *store, const struct event *event,
					  struct slice line);
/* Writes what the batch summed up, inside its transaction. */
MUST_CHECK int ingest_flush(struct store *store);
void ingest_open(struct store *store);
void ingest_clear(struct store *store);
void ingest_free(struct store *store);

#endif
