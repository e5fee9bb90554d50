/* All processes that a log-in can see as one list: the host's own, those of the service that it
 * came in by, its own. What ps, top, pgrep, /proc ... show. */
#ifndef DECOY_MACHINE_TASKS_H
#define DECOY_MACHINE_TASKS_H

#include "decoy/machine/host.h"
#include "decoy/machine/process.h"

struct task {
	unsigned pid, parent, group, session, uid, gid;
	int foreground;       /* the terminal's process group, or -1 */
	const char *name;     /* comm; cut to 15 letters by those who print it */
	const char *command;  /* whole command line, "[kthreadd]"; NULL: in process->argv */
	const char *terminal; /* "pts/0", "?" */
	char state;           /* R S D T Z I */
	char more[8];         /* what ps adds to it */
	int nice;
	unsigned threads;
	int64_t started;
	uint64_t cpu;                                                     /* microseconds */
	uint64_t virtual_kilobytes, resident_kilobytes, shared_kilobytes; /* 0: the kernel's */
	struct process *process; /* of the log-in, or NULL */
	char text[128];          /* room for command */
	char name_text[16], terminal_text[16];
};

/* The task after *position (0 at first) in the order of ids. machine may be NULL. False: no more.
 */
struct task_list {
	const struct host *host;
	struct machine *machine;
	struct process *asker; /* is the one that runs; may be NULL */
	int64_t now;
	size_t index;
};
bool task_next(struct task_list *list, struct task *task);
bool task_find(const struct task_list *list, unsigned pid, struct task *task);
/* A task points into itself: this copies it right. */
void task_copy(struct task *to, const struct task *from);
/* Its command line, the arguments parted by `separator`. */
void task_command(const struct task *task, struct writer *out, char separator);
/* Counts of all and of those that run. */
void task_count(const struct task_list *list, unsigned *all, unsigned *running);

#endif
