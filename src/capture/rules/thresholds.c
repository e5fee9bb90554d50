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

static enum threshold_kind kind_named(struct slice name)
{
	return slice_is(name, "limit")       ? THRESHOLD_LIMIT
	       : slice_is(name, "threshold") ? THRESHOLD_THRESHOLD
	       : slice_is(name, "both")      ? THRESHOLD_BOTH
					     : THRESHOLD_NONE;
}

int threshold_read(struct slice value, struct threshold *t, struct slice *bad)
{
	struct slice word;

	*bad = slice_of(NULL, 0);
	while (slice_next(&value, ',', &word)) {
		struct slice name, rest;
		int64_t number;

		word = slice_trim(word);
		name = slice_first(word, slice_find_byte(word, ' '));
		rest = slice_trim(slice_from(word, name.length));
		if (slice_is(name, "type")) {
			t->kind = kind_named(rest);
		} else if (slice_is(name, "track")) {
			t->by_destination = slice_is(rest, "by_dst");
			t->by_both = slice_is(rest, "by_both") || slice_is(rest, "by_flow");
			t->by_rule = slice_is(rest, "by_rule");
		} else if (slice_is(name, "count") &&
			   slice_number(rest, 1, UINT32_MAX, &number) == 0) {
			t->count = (uint32_t)number;
		} else if (slice_is(name, "seconds") &&
			   slice_number(rest, 0, UINT32_MAX, &number) == 0) {
			t->seconds = (uint32_t)number;
		} else {
			*bad = word;
			return -1;
		}
	}
	return t->kind == THRESHOLD_NONE || !t->count ? -1 : 0;
}

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
