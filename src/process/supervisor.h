/* The supervisor: forks the processes of a table, restarts what dies, reloads, drains.
 *
 * It stays in the foreground. SIGHUP: reload, then MESSAGE_RELOAD to all; a process that returns
 * PROCESS_RENEW for it is started anew at once, and that is no death. SIGTERM or SIGINT:
 * MESSAGE_DRAIN stage by stage, SIGKILL for who does not end in time. SIGINT while draining:
 * SIGKILL to all. It parses nothing that an attacker sent and takes no child's word for anything.
 */
#ifndef PROCESS_SUPERVISOR_H
#define PROCESS_SUPERVISOR_H

#include "base/clock.h"
#include "base/log.h"
#include "process/process.h"
#include "process/restart.h"

#define SUPERVISOR_DRAIN_SECONDS 10     /* a stage's time when the set-up does not say */
#define SUPERVISOR_WATCH_EVERY   SECOND /* microseconds between calls of watch, at most */

struct supervisor;

enum process_notice_kind {
	PROCESS_NOTICE_STARTED, /* it reported that it works */
	PROCESS_NOTICE_DIED,    /* it ended without being asked to; it will be restarted */
	PROCESS_NOTICE_KILLED,  /* it did not drain in time */
};

struct process_notice {
	enum process_notice_kind kind;
	const char *process; /* "decoy-0" */
	const char *role;    /* "decoy" */
	unsigned instance;
	pid_t pid;
	int exit_status;    /* -1 when a signal ended it */
	int signal;         /* 0 when it exited */
	int64_t lived;      /* microseconds */
	int64_t restart_in; /* microseconds, of DIED; -1 while draining: not again */
	uint64_t deaths;    /* of this process so far */
};

struct supervisor_plan {
	const struct process_role *role;
	unsigned instances;
};

struct supervisor_setup {
	const struct supervisor_plan *plan;
	size_t plan_count;

	const struct sandbox_user *user; /* whom the processes become if root; NULL: nobody else */
	const char *const *counters;     /* names of the counters, columns of the table */
	size_t counter_count;
	struct restart_policy restart;
	unsigned drain_seconds;
	enum log_level log_level; /* what log_open gets in the processes */
	bool log_time;

	void *context; /* handed to all below, and (as its copy after fork) to prepare and run */
	/* Fills in what a process is given, before each fork; returns the count or -1 (tried again
	 * later). The descriptors stay the caller's, which keeps them open for restarts. Optional.
	 */
	int (*grants)(void *context, const struct process_role *role, unsigned instance,
		      struct process_grant *grants, size_t capacity);
	/* Optional, each: */
	void (*report)(void *context, const struct process_notice *notice);
	void (*all_started)(void *context, struct supervisor *supervisor); /* once */
	/* SIGHUP; -1 when the new configuration is no good: nothing changes, no process is told.
	 * May send what changed with supervisor_send; MESSAGE_RELOAD follows it. */
	int (*reload)(void *context, struct supervisor *supervisor);
	/* Every SUPERVISOR_WATCH_EVERY, and when a stage has drained (drained: true) before the
	 * next one is told: the time to look at the counters. */
	void (*watch)(void *context, struct supervisor *supervisor, bool drained);
	/* An application message of a process: hostile bytes. */
	void (*message)(void *context, struct supervisor *supervisor,
			const struct process_role *role, unsigned instance,
			const struct message *message);
};

/* Runs until told to stop. Returns the program's exit status: 0 when every process drained. */
int supervisor_run(const struct supervisor_setup *setup);

/* From the callbacks: a message to one process. MESSAGE_CLOSED when it is not running now (its next
 * life gets its grants afresh). The descriptors stay the caller's. */
MUST_CHECK enum message_result supervisor_send(struct supervisor *supervisor,
					       const struct process_role *role, unsigned instance,
					       uint32_t type, struct slice payload,
					       const int *descriptors, size_t count);
/* The table of counters; row 0 is the supervisor's own. */
struct counters *supervisor_counters(const struct supervisor *supervisor);

#endif
