/* Marks that addresses bear for a time: xbits and hostbits. A bounded table: of four places where a
 * mark may stand, the one that ends soonest goes. */
#ifndef CAPTURE_RULES_MARKS_H
#define CAPTURE_RULES_MARKS_H

#include "base/address.h"

#define MARKS_MAX 16384

struct marks;

/* NULL when memory is out. */
struct marks *marks_new(void);
/* A mark of one address has `second` NULL; of a pair the order does not matter. Times are
 * microseconds; a mark that is set again ends at the new time. */
void marks_set(struct marks *marks, unsigned name, const struct address *first,
	       const struct address *second, int64_t now, int64_t until);
void marks_unset(struct marks *marks, unsigned name, const struct address *first,
		 const struct address *second);
bool marks_has(const struct marks *marks, unsigned name, const struct address *first,
	       const struct address *second, int64_t now);
/* Accepts NULL. */
void marks_free(struct marks *marks);

#endif
