/* The two ways of steering, behind steer.h. */
#ifndef PROCESS_STEER_INSIDE_H
#define PROCESS_STEER_INSIDE_H

#include "process/steer.h"

struct steer_kind {
	const char *name; /* as users know it */
	void *(*open)(const struct steer_setup *setup, const struct steer_ports *leave,
		      char why[STEER_WHY]);
	int (*leave)(void *state, const struct steer_ports *leave);
	void (*close)(void *state); /* accepts NULL */
	bool (*possible)(char why[STEER_WHY]);
};

extern const struct steer_kind steer_lookup_kind, steer_tproxy_kind;

#endif
