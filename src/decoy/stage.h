/* A stage for one session without the world: a clock that is set by hand, repeatable randomness,
 * events handed to a callback. `sundew decoy`, the transcripts and the fuzzers play on it.
 */
#ifndef DECOY_STAGE_H
#define DECOY_STAGE_H

#include "decoy/session.h"

struct stage {
	struct trap trap;
	struct service service;
	int64_t wall, monotonic; /* set or advanced by the owner */
	uint64_t seed;           /* of the repeatable randomness; 0: the kernel's */
	bool follows_clock;      /* true: both times come from the real clock */
	bool prepared;           /* stage_prepare succeeded */
	bool channel_wanted;     /* the protocol listens for a data connection */
	void *owner;
	void (*on_event)(struct stage *stage, const struct event *event);
	uint64_t memory[512]; /* what session_memory hands out */
	void *access_memory;
	struct arena arena;
	struct host *machine; /* of stage_machine */
};

/* Sets up a stage for a protocol with all defaults; the persona is borrowed. */
void stage_open(struct stage *stage, const struct protocol *protocol,
		const struct persona *persona);
/* Calls the protocol's prepare with the share folder. 0, or -1 with *why (to be freed). */
MUST_CHECK int stage_prepare(struct stage *stage, const char *share_folder, char **why);
/* Puts a fake machine behind the protocol if it gives shells. image: NULL for a plain one. 0, or -1
 * with *why (to be freed). */
MUST_CHECK int stage_machine(struct stage *stage, const char *share_folder, const char *image,
			     char **why);
/* Frees what the stage holds; sessions must be ended before. */
void stage_close(struct stage *stage);
/* A session from 192.0.2.7:40000 to 198.51.100.1 at the protocol's first port. */
struct session *stage_session(struct stage *stage, enum transport transport);

#endif
