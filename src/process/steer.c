/* The first way of steering that can be had; see steer.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/steer_inside.h"

static const struct steer_kind *const kinds[STEER_WAYS] = {
	[STEER_SK_LOOKUP] = &steer_lookup_kind,
	[STEER_TPROXY] = &steer_tproxy_kind,
};

struct steer {
	const struct steer_kind *kind;
	void *state;
};

/* What each way says about why not, one behind the other. */
static void add_reason(char why[STEER_WHY], const struct steer_kind *kind, const char *reason)
{
	size_t length = strlen(why);

	snprintf(why + length, STEER_WHY - length, "%s%s: %.110s", length ? "; " : "", kind->name,
		 reason);
}

struct steer *steer_open(const struct steer_setup *setup, const struct steer_ports *leave,
			 char why[STEER_WHY])
{
	struct steer *steer = calloc(1, sizeof(*steer));
	char reason[STEER_WHY];

	why[0] = '\0';
	if (!steer || setup->address_count > STEER_ADDRESSES) {
		if (steer)
			snprintf(why, STEER_WHY, "more than %d addresses", STEER_ADDRESSES);
		else
			snprintf(why, STEER_WHY, "out of memory");
		free(steer);
		return NULL;
	}
	for (int way = STEER_SK_LOOKUP; way < STEER_WAYS; way++) {
		if (setup->way && setup->way != (enum steer_way)way)
			continue;
		steer->kind = kinds[way];
		steer->state = steer->kind->open(setup, leave, reason);
		if (steer->state)
			return steer;
		add_reason(why, steer->kind, reason);
	}
	free(steer);
	return NULL;
}

const char *steer_name(const struct steer *steer)
{
	return steer->kind->name;
}

int steer_leave(struct steer *steer, const struct steer_ports *leave)
{
	return steer->kind->leave(steer->state, leave);
}

void steer_close(struct steer *steer)
{
	if (steer)
		steer->kind->close(steer->state);
	free(steer);
}

const char *steer_possible(enum steer_way wanted, char why[STEER_WHY])
{
	char reason[STEER_WHY];

	why[0] = '\0';
	for (int way = STEER_SK_LOOKUP; way < STEER_WAYS; way++) {
		if (wanted && wanted != (enum steer_way)way)
			continue;
		if (kinds[way]->possible(reason))
			return kinds[way]->name;
		add_reason(why, kinds[way], reason);
	}
	return NULL;
}
