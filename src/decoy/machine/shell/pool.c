/* Pools: memory of trees and of expansions; see tree.h. */
#include "decoy/machine/shell/tree.h"

#define CHUNK_FIRST ((size_t)480)
#define CHUNK_MOST  ((size_t)16384)

struct pool_chunk {
	struct pool_chunk *older;
	size_t used, size;
	char bytes[];
};

struct pool *pool_new(struct process *process)
{
	struct pool *pool = process_take(process, sizeof(*pool));

	pool->process = process;
	pool->references = 1;
	return pool;
}

void pool_hold(struct pool *pool)
{
	pool->references++;
}

void pool_drop(struct pool *pool)
{
	struct pool_chunk *chunk, *older;

	if (!pool || --pool->references)
		return;
	for (chunk = pool->chunk; chunk; chunk = older) {
		older = chunk->older;
		process_give(pool->process, chunk);
	}
	process_give(pool->process, pool);
}

void *pool_take(struct pool *pool, size_t size)
{
	struct pool_chunk *chunk = pool->chunk;
	void *at;

	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = chunk ? chunk->size * 2 : CHUNK_FIRST;

		if (room > CHUNK_MOST)
			room = CHUNK_MOST;
		if (room < size)
			room = size;
		chunk = process_take(pool->process, sizeof(*chunk) + room);
		chunk->older = pool->chunk;
		chunk->size = room;
		pool->chunk = chunk;
	}
	at = chunk->bytes + chunk->used;
	memset(at, 0, size);
	chunk->used += size;
	return at;
}

char *pool_text(struct pool *pool, struct slice s)
{
	char *text = pool_take(pool, s.length + 1);

	if (s.length)
		memcpy(text, s.at, s.length);
	return text;
}

struct pool_mark pool_place(const struct pool *pool)
{
	return (struct pool_mark){pool->chunk, pool->chunk ? pool->chunk->used : 0};
}

void pool_cut(struct pool *pool, struct pool_mark place)
{
	while (pool->chunk != place.chunk) {
		struct pool_chunk *older = pool->chunk->older;

		/* The first small one stays: most lines need no more. */
		if (!older && !place.chunk && pool->chunk->size <= CHUNK_FIRST) {
			pool->chunk->used = 0;
			return;
		}
		process_give(pool->process, pool->chunk);
		pool->chunk = older;
	}
	if (pool->chunk)
		pool->chunk->used = place.used;
}
