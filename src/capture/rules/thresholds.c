/* A bounded table of counts; see thresholds.h. */
#include "capture/rules/thresholds.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define WAYS 4

struct count {
	struct address address;
	uint32_t rule; /* index + 1; 0: free */
	uint32_t matches;
	int64_t started, seen;
	bool told;
};

struct thresholds {
	uint64_t key[2];
	struct count counts[THRESHOLDS_MAX / WAYS][WAYS];
};

struct thresholds *thresholds_new(void)
{
	struct thresholds *t = calloc(1, sizeof(*t));

	if (t)
		random_bytes(t->key, sizeof(t->key));
	return t;
}

void thresholds_free(struct thresholds *t)
{
	free(t);
}

static struct count *find(struct thresholds *t, uint32_t rule, const struct address *address,
			  int64_t time)
{
	struct {
		uint8_t bytes[16];
		uint32_t rule, family;
	} key = {.rule = rule, .family = address->family};
	struct count *set, *oldest;

	memcpy(key.bytes, address->bytes, 16);
	set = t->counts[hash_sip(t->key, slice_of(&key, sizeof(key))) % (THRESHOLDS_MAX / WAYS)];
	oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].rule == rule + 1 && address_equal(&set[i].address, address))
			return &set[i];
		if (set[i].seen < oldest->seen)
			oldest = &set[i];
	}
	*oldest = (struct count){.address = *address, .rule = rule + 1, .started = time};
	return oldest;
}

bool threshold_lets(struct thresholds *t, const struct rule *rule, const struct address *source,
		    const struct address *destination, int64_t time)
{
	static const struct address nobody;
	const struct threshold *threshold = &rule->threshold;
	const struct address *by = threshold->by_rule          ? &nobody
				   : threshold->by_destination ? destination
							       : source;
	struct count *count = find(t, rule->index, by, time);

	if (time - count->started >= (int64_t)threshold->seconds * SECOND) {
		count->started = time;
		count->matches = 0;
		count->told = false;
	}
	count->seen = time;
	count->matches++;
	switch (threshold->kind) {
	case THRESHOLD_LIMIT:
		return count->matches <= threshold->count;
	case THRESHOLD_THRESHOLD:
		if (count->matches < threshold->count)
			return false;
		count->matches = 0;
		count->started = time;
		return true;
	case THRESHOLD_BOTH:
		if (count->matches < threshold->count || count->told)
			return false;
		count->told = true;
		return true;
	case THRESHOLD_FILTER:
		return count->matches > threshold->count;
	case THRESHOLD_NONE:
		break;
	}
	return true;
}
