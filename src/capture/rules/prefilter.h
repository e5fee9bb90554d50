/* Finding candidates: which rules may match, from one search over a buffer. */
#ifndef CAPTURE_RULES_PREFILTER_H
#define CAPTURE_RULES_PREFILTER_H

#include "capture/rules/rule.h"

struct prefilter;

struct prefilter *prefilter_new(void);
/* The rule is a candidate where its content is found: `group` tells which searches it takes part
 * in. The rule's index is what a search gives back. */
int prefilter_add(struct prefilter *prefilter, unsigned group, const struct rule *rule);
/* Compiles all groups. NULL or a reason. */
const char *prefilter_ready(struct prefilter *prefilter, int cache);
bool prefilter_has(const struct prefilter *prefilter, unsigned group);
/* Calls `found` with rule indexes; one may come more than once. */
void prefilter_search(struct prefilter *prefilter, unsigned group, struct slice bytes,
		      void (*found)(void *context, uint32_t rule), void *context);
void prefilter_measure(const struct prefilter *prefilter, size_t *databases, size_t *patterns,
		       size_t *bytes);
void prefilter_free(struct prefilter *prefilter);

/* Numbers of groups. */
static inline unsigned group_of_buffer(enum buffer_id buffer, enum direction direction)
{
	return (unsigned)buffer * 2 + direction;
}
/* Raw bytes, by transport or application. `again` is for packets whose bytes a stream shows as
 * well: only rules that ask for packets take part there. */
static inline unsigned group_of_raw(unsigned which, enum direction direction, bool again)
{
	return ((unsigned)BUFFER_COUNT + which * 2 + again) * 2 + direction;
}
static inline unsigned group_of_transport(unsigned transport, enum direction direction, bool again)
{
	return group_of_raw(transport, direction, again);
}
static inline unsigned group_of_application(enum application_id application,
					    enum direction direction, bool again)
{
	return group_of_raw(8 + application, direction, again);
}
#define GROUPS_MAX ((BUFFER_COUNT + (8 + APPLICATION_COUNT) * 2) * 2)

#endif
