/* Coroutines: the processes of the fake machine, so that a command reads like an ordinary program
 * and yet waits for input without holding up the worker.
 *
 * A coroutine runs on a stack of its own (with a guard page below) until it waits; then its resumer
 * goes on. It can be dropped while it waits: whoever runs in one keeps nothing that only its own
 * code would give back (memory comes from process_take, files from the descriptor table).
 */
#ifndef DECOY_MACHINE_COROUTINE_H
#define DECOY_MACHINE_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>

struct coroutine;

/* Stacks that are not in use; one pool a worker. */
struct coroutine_pool;
struct coroutine_pool *coroutine_pool_new(size_t most);
void coroutine_pool_free(struct coroutine_pool *pool);

/* NULL when no stack is free and none can be made. Runs first at coroutine_resume. */
struct coroutine *coroutine_new(struct coroutine_pool *pool, void (*run)(void *context),
				void *context);
/* Runs it until it waits or returns. True while it lives. */
bool coroutine_resume(struct coroutine *coroutine);
/* Called inside: back to whoever resumed it. */
void coroutine_wait(struct coroutine *coroutine);
/* Gives the stack back, whatever state the coroutine is in (but not from inside). Accepts NULL. */
void coroutine_drop(struct coroutine *coroutine);
/* Gives pages of the stack back that a deep call once touched; for one that will wait long. */
void coroutine_trim(struct coroutine *coroutine);
/* Bytes of stack left below the caller; for recursion to stop in time. */
size_t coroutine_stack_left(const struct coroutine *coroutine);

#endif
