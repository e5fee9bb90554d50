/* A set of 16-bit numbers, such as ports: exact, a sorted list while it is small, then 8 KiB of
 * bits. One that is zeroed is empty.
 */
#ifndef CAPTURE_NUMBER_SET_H
#define CAPTURE_NUMBER_SET_H

#include "base/bytes.h"

#define NUMBER_SET_LIST_MAX 1024 /* numbers; what comes next makes bits of it */
#define NUMBER_SET_BITS     (65536 / 8)

struct number_set {
	uint16_t *list;
	uint8_t *bits; /* instead of the list */
	uint32_t count, room;
};

/* False when memory is out; the set is what it was. */
bool number_set_add(struct number_set *set, uint16_t number);
/* False when memory was out for some of them. */
bool number_set_join(struct number_set *set, const struct number_set *other);
/* Memory it holds beside itself. */
size_t number_set_held(const struct number_set *set);
/* "1-1024,3306"; with more than `most` bytes of it, the rest is ",..." and the result false. */
bool number_set_text(const struct number_set *set, size_t most, struct writer *out);
void number_set_drop(struct number_set *set);

#endif
