/* ps: its columns; see system_ps.c. */
#ifndef DECOY_MACHINE_COMMANDS_SYSTEM_PS_H
#define DECOY_MACHINE_COMMANDS_SYSTEM_PS_H

#include "decoy/machine/commands/system.h"

struct ps_column {
	const char *const *names; /* as -o takes them; the first is the one to sort by */
	const char *header;
	unsigned width;
	bool right;
	void (*print)(struct process *process, const struct task *task, struct text *text);
	/* What it is sorted by; NULL: by its text. */
	int64_t (*order)(struct process *process, const struct task *task);
};

extern const struct ps_column ps_columns[];
extern const size_t ps_column_count;
/* The column of that name; NULL: none. */
const struct ps_column *ps_column(const char *name);
/* BusyBox's: all processes, as its two builds show them. The exit status. */
int ps_busybox(struct process *process);
/* Processor time in hundredths of a per cent of the life. */
unsigned ps_share(struct process *process, const struct task *task);

#endif
