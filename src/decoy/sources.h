/* What each source address uses up right now: connections, and how fast new ones come.
 *
 * A fixed table; when it is full the source that was silent longest and holds nothing is forgotten.
 */
#ifndef DECOY_SOURCES_H
#define DECOY_SOURCES_H

#include "base/address.h"

struct connection;
struct sources;

struct source {
	struct address network; /* the address; IPv6: its /64 */
	uint32_t next;          /* in its hash chain, index + 1 */
	uint32_t connections;
	struct connection *oldest, *newest; /* its connections by time last heard */
	int64_t tokens_at;                  /* microseconds: when the bucket was last filled */
	double tokens;
	int64_t seen;
};

struct sources *sources_new(size_t capacity);
void sources_free(struct sources *sources);
/* The source of that address; made when it is new. NULL when the table is full of busy ones. */
struct source *sources_find(struct sources *sources, const struct address *address, int64_t now,
			    int64_t burst);
/* Takes one token of a bucket that fills at `rate` a minute up to `burst`; false when it is empty.
 */
bool source_allow(struct source *source, int64_t now, int64_t rate, int64_t burst);

#endif
