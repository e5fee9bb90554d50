/* Inside this folder: how a fork becomes a process. */
#ifndef PROCESS_CHILD_H
#define PROCESS_CHILD_H

#include "base/log.h"
#include "process/process.h"

struct process {
	char name[PROCESS_NAME_MAX];
	const struct process_role *role;
	unsigned instance;
	int pipe;
	struct counters *counters;
	size_t row; /* of its own in them */
	struct process_grant *grants;
	size_t grant_count;
};

struct child_surroundings {
	pid_t supervisor;
	const struct sandbox_user *user;
	enum log_level log_level;
	bool log_time;
	void *context;
};

/* In the child, right after fork: lets go of what is not its own, prepares, confines, runs. Does
 * not return. */
_Noreturn void child_live(struct process *self, const struct child_surroundings *surroundings);

#endif
