/* Memory that is taken piece by piece and dropped in one step, with a hard cap. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t taken; /* bytes of all blocks */
	size_t cap;
};

static inline struct arena arena_of(size_t cap)
{
	return (struct arena){NULL, 0, cap};
}

/* Zeroed memory, aligned for any type; NULL when the cap or the machine has no more. */
void *arena_take(struct arena *arena, size_t size);
/* A copy of the bytes; at is NULL only when there was no room. */
struct slice arena_copy(struct arena *arena, struct slice s);
/* A NUL-terminated copy (a NUL among the bytes ends the text early for readers of C strings). */
char *arena_text(struct arena *arena, struct slice s);
/* Gives everything back; the arena can be used again. */
void arena_drop(struct arena *arena);

#endif
