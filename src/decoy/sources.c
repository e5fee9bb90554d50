/* The table of sources; see sources.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/sources.h"

#define TRIES_TO_FORGET 32 /* entries looked at for one that can go */

struct sources {
	struct source *entries;
	uint32_t *chains; /* index + 1 of the first in each chain */
	size_t capacity, used, hand;
	uint64_t key[2];
};

struct sources *sources_new(size_t capacity)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return NULL;
	sources->capacity = capacity;
	sources->entries = calloc(capacity, sizeof(*sources->entries));
	sources->chains = calloc(capacity, sizeof(*sources->chains));
	random_bytes(sources->key, sizeof(sources->key));
	if (!sources->entries || !sources->chains) {
		sources_free(sources);
		return NULL;
	}
	return sources;
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	free(sources->entries);
	free(sources->chains);
	free(sources);
}

static size_t chain_of(const struct sources *sources, const struct address *network)
{
	return hash_sip(sources->key, slice_of(network, sizeof(*network))) % sources->capacity;
}

static void unchain(struct sources *sources, uint32_t index)
{
	uint32_t *at = &sources->chains[chain_of(sources, &sources->entries[index].network)];

	while (*at && *at != index + 1)
		at = &sources->entries[*at - 1].next;
	if (*at)
		*at = sources->entries[index].next;
}

/* A free entry: never used, or the longest silent of some idle ones met by a moving hand. */
static struct source *take_entry(struct sources *sources)
{
	size_t best = SIZE_MAX;

	if (sources->used < sources->capacity)
		return &sources->entries[sources->used++];
	for (int i = 0; i < TRIES_TO_FORGET; i++) {
		size_t at = sources->hand = (sources->hand + 1) % sources->capacity;

		if (sources->entries[at].connections == 0 &&
		    (best == SIZE_MAX || sources->entries[at].seen < sources->entries[best].seen))
			best = at;
	}
	if (best == SIZE_MAX)
		return NULL;
	unchain(sources, (uint32_t)best);
	return &sources->entries[best];
}

struct source *sources_find(struct sources *sources, const struct address *address, int64_t now,
			    int64_t burst)
{
	struct address network = address->family == 6 ? address_network(address, 64) : *address;
	struct source *source;
	size_t chain;

	if (network.family == 4) /* bytes beyond the address must not differ */
		memset(network.bytes + 4, 0, sizeof(network.bytes) - 4);
	chain = chain_of(sources, &network);
	for (uint32_t at = sources->chains[chain]; at; at = sources->entries[at - 1].next) {
		source = &sources->entries[at - 1];
		if (address_equal(&source->network, &network)) {
			source->seen = now;
			return source;
		}
	}
	source = take_entry(sources);
	if (!source)
		return NULL;
	*source = (struct source){.network = network,
				  .tokens = (double)burst,
				  .tokens_at = now,
				  .seen = now,
				  .next = sources->chains[chain]};
	sources->chains[chain] = (uint32_t)(source - sources->entries) + 1;
	return source;
}

bool source_allow(struct source *source, int64_t now, int64_t rate, int64_t burst)
{
	double filled =
		source->tokens + (double)(now - source->tokens_at) * (double)rate / (double)MINUTE;

	source->tokens = filled < (double)burst ? filled : (double)burst;
	source->tokens_at = now;
	if (source->tokens < 1)
		return false;
	source->tokens -= 1;
	return true;
}
