/* What the system's commands share. */
#ifndef DECOY_MACHINE_COMMANDS_SYSTEM_H
#define DECOY_MACHINE_COMMANDS_SYSTEM_H

#include "base/clock.h"
#include "decoy/machine/command.h"
#include "decoy/machine/commands/text.h"
#include "decoy/machine/host.h"
#include "decoy/machine/tasks.h"

#define PROCPS     "from procps-ng 4.0.2"
#define UTIL_LINUX "from util-linux 2.38.1"

/* All processes as this one sees them. */
struct task_list system_tasks(struct process *process);
/* "name from procps-ng 4.0.2", to standard output, and the end. */
_Noreturn void system_version(struct process *process, const char *version);
/* A usage text to standard output (status 0) or error, and the end. */
_Noreturn void system_usage(struct process *process, const char *usage, int status);
/* Parts of a time; the host's clock runs on UTC. */
struct civil_time system_civil(int64_t time);
extern const char *const system_months[12], *const system_days[7];

/* Who is on line: the host's people and the log-in itself, oldest first. False: no more. */
struct system_user {
	const char *user, *terminal;
	char from[64]; /* "" on the console */
	int64_t since;
	unsigned pid;
	bool own;
};
bool system_user_at(struct process *process, size_t index, struct system_user *user);
size_t system_user_count(struct process *process);
/* "10:00:00 up 1 day,  2:03,  1 user,  load average: 0.00, 0.00, 0.00" without a newline. */
void system_uptime_line(struct process *process, struct text *text);

/* Starts a program as a child that runs beside the caller. Pid or -EAGAIN. */
int system_start(struct process *process, const char *path, char **argv, bool own_group);

/* Signal number of "9", "KILL", "SIGKILL"; -1. */
int system_signal(const char *name);
const char *system_signal_name(int signal); /* without SIG, or NULL */

/* A time as date -d and touch -d take it; false: nobody understands it. */
bool system_read_date(struct process *process, const char *text, int64_t *time);

/* The last part of argv[0]: what a program with several names is called as. */
const char *system_called(const struct process *process);

#endif
