/* How many different addresses there were: exact up to TARGET_SET_MAX, then "at least so many".
 *
 * The first is kept as it is, the others as keyed hashes of 64 bits: two of a thousand are alike
 * with a chance of 1 to 10^13. One that is zeroed is empty.
 */
#ifndef CAPTURE_TARGET_SET_H
#define CAPTURE_TARGET_SET_H

#include "base/address.h"

#define TARGET_SET_MAX 1024

struct target_set {
	struct address first;
	uint64_t *slots; /* open addressing, 0 is free; NULL: there is one at most */
	uint32_t count, room;
	bool more; /* there were others still */
};

/* False when memory is out: there may be more of them. */
bool target_set_add(struct target_set *set, const uint64_t key[2], const struct address *address);
/* Both of one key. */
bool target_set_join(struct target_set *set, const uint64_t key[2], const struct target_set *other);
/* Memory it holds beside itself. */
size_t target_set_held(const struct target_set *set);
void target_set_drop(struct target_set *set);

#endif
