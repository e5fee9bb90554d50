/* What the text commands share. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_H
#define DECOY_MACHINE_COMMANDS_TEXT_H

#include "decoy/machine/command.h"

enum { /* values of options without a letter start above these */
       TEXT_HELP = 256,
       TEXT_VERSION,
       TEXT_OWN
};
/* The end of every table of option words. */
#define TEXT_WORDS                                      \
	{"help", TEXT_HELP}, {"version", TEXT_VERSION}, \
	{                                               \
		NULL                                    \
	}

#define COREUTILS "(GNU coreutils) 9.1"

/* What a program does with an option that is not its own: --help, --version, '?' (with status).
 * version: "(GNU coreutils) 9.1"; usage: what follows the program's name. Ends the process. */
_Noreturn void text_other_option(struct process *process, int option, const char *version,
				 const char *usage, int status);
/* "Try 'name --help' for more information." and the end. */
_Noreturn void text_try_help(struct process *process, int status);

/* Opens a file to read ("-": standard input). Complains and gives -1 when it cannot be read or is a
 * folder. */
int text_open(struct process *process, const char *name);
void text_close(struct process *process, int descriptor);
/* The same without complaints: -errno, -EISDIR for folders. */
int text_open_quiet(struct process *process, const char *name);
/* What follows the options: *names; without any one name, "-". Returns how many. */
int text_names(struct process *process, const struct option_state *state, int argc, char **argv,
	       char ***names);
/* Copies what is left in a descriptor to standard output; at most `most` bytes. 0 or -errno. */
int text_copy(struct process *process, int descriptor, uint64_t most);
/* A whole file, or standard input, complaining as text_open does. -1 then. */
int text_read_whole(struct process *process, const char *name, struct text *text);
/* What text_read_whole takes at most. */
#define TEXT_WHOLE_MAX ((size_t)4 * 1024 * 1024)

/* \n, \t, \0NNN and the like of echo -e, printf %b and tr; returns the number of bytes that the
 * escape takes behind the backslash and sets *byte (-1: not an escape, -2: \c, stop). */
size_t text_escape(const char *behind, int *byte, bool echo);

/* Starts `sh -c line` with these three descriptors (-1: closed); its process id or -errno. */
int text_start_line(struct process *process, const char *line, const int descriptors[3]);
/* What `sh -c line` writes, appended to text; its exit status. */
int text_capture(struct process *process, const char *line, struct text *text);

/* fnmatch(3) without its depths: * ? [a-z] [!x] and backslashes. */
bool text_glob(const char *pattern, const char *name);

#endif
