/* What sources tried, in a table that all workers share; for access.c only.
 *
 * Nothing read from it is trusted: another process may have been killed, or taken over, while it
 * wrote. The worst that a torn or forged entry does is a wrong decision.
 */
#ifndef DECOY_ACCESS_MEMORY_H
#define DECOY_ACCESS_MEMORY_H

#include "decoy/access.h"

struct access_remembered {
	unsigned tries;      /* distinct pairs, this one included */
	bool repeated;       /* this pair was tried before and is among the last remembered */
	bool accepted_pair;  /* it is the pair that this source got in with */
	enum access_depth depth;
};

/* Counts the try and tells what is known. */
void access_memory_try(struct access_memory *memory, const struct access_try *attempt,
		       struct access_remembered *remembered);
void access_memory_accept(struct access_memory *memory, const struct access_try *attempt,
			  enum access_depth depth);
/* Bits that are always the same for a source and protocol on this installation. */
uint64_t access_memory_draw(const struct access_memory *memory, const struct address *source,
			    const char *protocol);

#endif
