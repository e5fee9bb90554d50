/* Commands of the fake machine: which there are and how they are found.
 *
 * One file per family in commands/, one line per command in its table, one line per family in
 * families.def. A command is found by the name of the program that the file system says a file is
 * (file_system_program), so `cp /bin/ls /tmp/x; /tmp/x` works.
 */
#ifndef DECOY_MACHINE_COMMAND_H
#define DECOY_MACHINE_COMMAND_H

#include "decoy/machine/process.h"

enum {
	COMMAND_DEBIAN = 1,  /* is on the Debian host */
	COMMAND_BUSYBOX = 2, /* is an applet of BusyBox */
	COMMAND_BOTH = 3,
};

struct command {
	const char *name; /* of the program: ls */
	process_main *run;
	unsigned where;
	const char *path;           /* on the Debian host: "/usr/bin" or NULL for /usr/bin */
	const char *const *aliases; /* other names of the same file, or NULL */
};

struct command_family {
	const char *name;
	const struct command *commands; /* ends with a NULL name */
};
extern const struct command_family *const command_families[]; /* ends with NULL */

/* NULL: nothing of that name. where: what kind of program asks (COMMAND_BUSYBOX: an applet). */
const struct command *command_find(const char *name, unsigned where);

/* --- options, as getopt_long(3) with GNU's words --- */

struct option_word {
	const char *name;
	int value;
	enum { OPTION_PLAIN, OPTION_NEEDS, OPTION_MAY } argument;
};
/* Permutes argv like GNU's getopt (a leading + in letters: stops at the first operand; a : behind
 * that: without the line "Try 'name --help' ..."). Zeroed at first. */
struct option_state {
	int index; /* of the first operand, when option_next returned -1 */
	const char *argument;
	const char *at;
	bool started;
	int first_operand;
};
/* The next option's letter or value; -1 at the end; '?' after it has complained ("invalid option
 * -- 'x'" and "Try 'name --help' for more information."). words may be NULL. */
int option_next(struct process *process, struct option_state *state, int argc, char **argv,
		const char *letters, const struct option_word *words);

/* Numbers as GNU programs take them: "10", "4K", "1M"; 0 or -1. */
MUST_CHECK int command_size(const char *text, uint64_t *size);
/* A user or group by name or number from /etc/passwd, /etc/group; -1: none. */
MUST_CHECK int command_user_id(struct process *process, const char *name, unsigned *uid,
			       unsigned *gid);
MUST_CHECK int command_group_id(struct process *process, const char *name, unsigned *gid);
/* Name of an id; the number as text when there is none. Valid until the process ends. */
const char *command_user_name(struct process *process, unsigned uid);
const char *command_group_name(struct process *process, unsigned gid);
/* The rest of a passwd line, in the process's memory; NULL: no such account. */
const struct machine_account *command_account(struct process *process, const char *name);

/* Finds a program in PATH. 0 with its path, or -errno. */
int command_which(struct process *process, const char *name, char *path, size_t size);
/* Runs a program as a child with the caller's descriptors and waits: its exit status (126, 127 when
 * it cannot start). What env, xargs, find -exec, sudo, timeout, nohup ... stand on. */
int command_run_program(struct process *process, char **argv, char **environment);
/* Runs `sh -c line` likewise. */
int command_run_line(struct process *process, const char *line);

/* process_execute calls it: what the program before has read is gone with its memory. */
void command_forget_accounts(struct process *process);
/* BusyBox's version line and how the applet is called, to standard error. */
void command_busybox_usage(struct process *process, const char *applet);

#endif
