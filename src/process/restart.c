/* Restart policy. */
#include "process/restart.h"
#include "base/clock.h"

#define DEFAULT_FIRST   (100 * MILLISECOND)
#define DEFAULT_MOST    (30 * SECOND)
#define DEFAULT_HEALTHY MINUTE

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

int64_t restart_delay(const struct restart_policy *policy, struct restart_state *state,
		      int64_t lived, bool had_started)
{
	int64_t first = or_default(policy->first, DEFAULT_FIRST);
	int64_t most = or_default(policy->most, DEFAULT_MOST);

	if (lived >= or_default(policy->healthy, DEFAULT_HEALTHY))
		*state = (struct restart_state){0};
	if (had_started)
		state->startup_deaths = 0;
	else if (state->startup_deaths < RESTART_STARTUP_DEATHS)
		state->startup_deaths++;

	if (state->startup_deaths >= RESTART_STARTUP_DEATHS || state->delay > most / 2)
		state->delay = most;
	else
		state->delay = state->delay == 0 ? first : 2 * state->delay;
	if (state->delay > most)
		state->delay = most;
	return state->delay;
}
