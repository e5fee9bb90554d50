/* Which decoy takes a session over that another one opened. */
#include "decoy/session_state.h"

#define SURE 50 /* of 100: below that nobody takes it */

static bool may_take(const struct session *session, const struct service *service)
{
	return service->protocol != session->service->protocol && !service->tls;
}

bool session_hand_over(struct session *session, struct slice first)
{
	const struct trap *trap = session->trap;
	const struct service *surest = NULL;
	int most = SURE - 1;

	for (size_t i = 0; i < trap->taker_count; i++) {
		const struct service *service = trap->takers[i];
		int score;

		if (!service->protocol->recognise || !may_take(session, service))
			continue;
		score = service->protocol->recognise(first);
		if (score > most) {
			most = score;
			surest = service;
		}
	}
	return surest && session_become(session, surest);
}

bool session_hand_over_to(struct session *session, const char *protocol)
{
	const struct trap *trap = session->trap;

	for (size_t i = 0; i < trap->taker_count; i++) {
		const struct service *service = trap->takers[i];

		if (strcmp(service->protocol->name, protocol) == 0 && may_take(session, service))
			return session_become(session, service);
	}
	return false;
}
