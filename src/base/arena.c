/* Arena: blocks double in size from a small first one, so that an idle session stays small. */
#include <stdalign.h>
#include <stdlib.h>

#include "base/arena.h"

#define FIRST_BLOCK   240 /* with malloc's own word this fits a 256-byte bin */
#define LARGEST_BLOCK 16384

struct arena_block {
	struct arena_block *next;
	uint32_t size, used;
	alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
	struct arena_block *block;
	size_t wanted = arena->blocks ? (size_t)arena->blocks->size * 2 : FIRST_BLOCK;

	if (wanted > LARGEST_BLOCK)
		wanted = LARGEST_BLOCK;
	if (wanted < size)
		wanted = size;
	if (arena->taken + wanted > arena->cap)
		wanted = size;
	if (wanted > UINT32_MAX || arena->taken + wanted > arena->cap)
		return NULL;
	block = malloc(sizeof(*block) + wanted);
	if (!block)
		return NULL;
	*block = (struct arena_block){arena->blocks, (uint32_t)wanted, 0};
	arena->blocks = block;
	arena->taken += wanted;
	return block;
}

void *arena_take(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	size_t rounded;
	void *at;

	if (__builtin_add_overflow(size, alignof(max_align_t) - 1, &rounded))
		return NULL;
	rounded &= ~(alignof(max_align_t) - 1);
	if (rounded > arena->cap)
		return NULL;
	if (!block || block->size - block->used < rounded)
		block = arena_add_block(arena, rounded);
	if (!block)
		return NULL;
	at = block->bytes + block->used;
	block->used += (uint32_t)rounded;
	memset(at, 0, size);
	return at;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
	uint8_t *at = arena_take(arena, s.length ? s.length : 1);

	if (!at)
		return (struct slice){NULL, 0};
	if (s.length)
		memcpy(at, s.at, s.length);
	return (struct slice){at, s.length};
}

char *arena_text(struct arena *arena, struct slice s)
{
	char *text = arena_take(arena, s.length + 1);

	if (text && s.length)
		memcpy(text, s.at, s.length);
	return text;
}

void arena_drop(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	arena->blocks = NULL;
	arena->taken = 0;
}
