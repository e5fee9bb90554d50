/* How soon a process that died is started again. */
#ifndef PROCESS_RESTART_H
#define PROCESS_RESTART_H

#include "base/bytes.h"

#define RESTART_STARTUP_DEATHS                                             \
	5 /* in a row before it had started: something is wrong for longer \
	   */

/* Microseconds; zero fields take the default. */
struct restart_policy {
	int64_t first;   /* after the first death (0.1 s), then twice as long each time */
	int64_t most;    /* at most (30 s), and at once after RESTART_STARTUP_DEATHS */
	int64_t healthy; /* a life this long wipes the slate (1 minute) */
};

/* What went before, of one process; starts as zeroes. */
struct restart_state {
	int64_t delay;
	unsigned startup_deaths;
};

/* The delay before the next try, after a life of that length. */
int64_t restart_delay(const struct restart_policy *policy, struct restart_state *state,
		      int64_t lived, bool had_started);

#endif
