/* A script of sed that runs: what text_sed.c and text_sed_change.c share. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_SED_RUN_H
#define DECOY_MACHINE_COMMANDS_TEXT_SED_RUN_H

#include "decoy/machine/commands/text_sed.h"

/* What the pattern and the hold space may hold. */
#define SED_SPACE_MAX ((size_t)1024 * 1024)

/* Text that goes out at the end of a cycle: itself, or a file of that name. */
struct sed_later {
	struct sed_later *next;
	struct slice text;
	const char *file;
};

struct sed_run {
	struct sed *sed;
	struct process *process;
	struct text space, hold;
	bool newline; /* the line in the pattern space had an end */
	struct sed_later *later, **later_end;
	char **names;
	int name_count, name_at; /* index of the next file to open */
	const char *name;        /* of the open one */
	bool open, has_next, next_newline;
	struct line_reader reader;
	struct text next; /* the line behind the current one, if has_next */
	uint64_t line;
	bool replaced; /* for t */
	struct regex *last;
	struct sed_output standard;
	struct sed_output *out;
	/* -i: the file that takes the place of the current one. */
	char *temporary;
	struct file_status old;
	int status;
};

/* The pattern, or the last one that was used, on the pattern space from `start` on. */
bool sed_matches(struct sed_run *run, struct regex *regex, size_t start, struct regex_span *spans);
/* A line with its end, or without one if the input's last has none. */
void sed_put_line(struct sed_run *run, struct sed_output *output, struct slice bytes, bool newline);
/* s/// on the pattern space. */
void sed_substitute(struct sed_run *run, struct sed_command *command);

#endif
