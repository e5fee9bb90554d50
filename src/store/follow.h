/* The store's loop: follows spools into the store, in batches, and keeps both tidy. */
#ifndef STORE_FOLLOW_H
#define STORE_FOLLOW_H

#include <signal.h>

#include "base/clock.h"
#include "store/store.h"

#define FOLLOW_INTERVAL (250 * MILLISECOND) /* an event is in the store at most this long after */

struct follow_spool {
	const char *name; /* "decoy-0"; the position's name in the store */
	int folder_fd;
};

struct follow_counters {
	uint64_t stored, known, damaged, batches, failures;
	uint64_t lost;    /* segments that were gone before they were read */
	uint64_t backlog; /* bytes that wait */
};

struct follow_options {
	const struct follow_spool *spools;
	size_t count;
	struct store_limits limits;
	uint64_t keep_spool_bytes; /* of each spool's segments that were read */
	int64_t retain_every;      /* microseconds between looks at the limits; 0: a minute */
	/* Called after each commit with what is in the store since; may be NULL. */
	void (*committed)(void *context, const struct follow_counters *counters);
	void *context;
};

/* Runs until *stop is not 0 (then drains what is there, commits and returns 0) or memory is out
 * (-1). A database that refuses (disk full) is tried again with growing pauses, nothing is lost. */
MUST_CHECK int follow_run(struct store *store, const struct follow_options *options,
			  const volatile sig_atomic_t *stop, struct follow_counters *counters);

/* One turn, for an event loop of the caller's own, for imports and tests: takes up what waits, up
 * to one batch, commits, and does a bounded piece of the upkeep that is due: putting days together,
 * the limits, tidying spools, giving memory back when quiet. Returns the number of lines taken, or
 * -1. */
struct follow;
struct follow *follow_open(struct store *store, const struct follow_options *options);
MUST_CHECK int follow_turn(struct follow *follow);
const struct follow_counters *follow_counted(const struct follow *follow);
void follow_close(struct follow *follow);

#endif
