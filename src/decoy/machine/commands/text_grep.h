/* grep's own; see text_grep.c. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_GREP_H
#define DECOY_MACHINE_COMMANDS_TEXT_GREP_H

#include "decoy/machine/commands/text.h"
#include "decoy/machine/regex.h"

enum {
	OPTION_COLOR = TEXT_OWN,
	OPTION_INCLUDE,
	OPTION_EXCLUDE,
	OPTION_EXCLUDE_FOLDER,
	OPTION_EXCLUDE_FROM,
	OPTION_LABEL,
	OPTION_BINARY,
	OPTION_SEPARATOR,
	OPTION_NO_SEPARATOR,
	OPTION_NO_CASE_IGNORED,
	OPTION_LINE_BUFFERED
};

#define FOLDER_DEPTH_MAX 64
#define GLOBS_MAX        32
/* GNU's grep looks for NUL in what it reads first. */
#define BINARY_LOOK ((size_t)32 * 1024)
/* What -A and -B take at most. */
#define CONTEXT_LINES_MAX 100000

struct grep_glob {
	const char *pattern;
	int kind;
};

struct grep {
	struct process *process;
	struct regex *regex; /* NULL: no pattern at all */
	struct text patterns;
	bool has_patterns;
	enum regex_syntax syntax;
	unsigned flags;
	bool invert, count, only, quiet, no_messages, list, list_without, numbers, offsets;
	bool with_name, no_name, recurse, follow, color, as_text, no_binary, nul_names, tab;
	bool skip_folders, flush;
	uint8_t end; /* of lines */
	int64_t most, before, after, both;
	const char *label, *separator;
	struct grep_glob globs[GLOBS_MAX];
	size_t glob_count;
	int status;
	bool any_output; /* a group of context lines was written */
};

/* Reads all options into grep; ends the process when they are wrong. */
void text_grep_options(struct grep *grep, struct option_state *state, int argc, char **argv);
void text_grep_add(struct grep *grep, struct slice lines);
_Noreturn void text_grep_usage(struct process *process);
int text_zgrep_main(struct process *process, int argc, char **argv);

#endif
