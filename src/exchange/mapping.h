/* How the columns of a foreign table become fields of an event. */
#ifndef EXCHANGE_MAPPING_H
#define EXCHANGE_MAPPING_H

#include "event/event.h"
#include "exchange/csv.h"

struct mapping {
	enum event_field fields[CSV_COLUMNS_MAX]; /* by column; FIELD_COUNT: not used */
	int columns;
	const char *action; /* event.action of rows */
};

/* Pairs "column=field,column=field" against the header's cells. -1 with the reason in why. */
MUST_CHECK int mapping_read(struct mapping *mapping, const char *pairs, const struct slice *header,
			    int columns, struct writer *why);
/* Fills an event from a row's cells. Empty cells are left out. -1 with the reason in why. */
MUST_CHECK int mapping_apply(const struct mapping *mapping, const struct slice *cells, int count,
			     struct event *event, struct arena *arena, struct writer *why);
/* An id that the same row always gets, so that importing it twice counts once. */
void mapping_id(struct slice row, uint64_t number, int64_t time, char id[ULID_LENGTH + 1]);

/* Pairs of a mapping that has a name ("marx"); NULL for others. */
const char *mapping_named(const char *name);

#endif
