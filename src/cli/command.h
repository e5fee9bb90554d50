/* A command of `sundew`: one file, one const table, one line in commands.def. Help, man page and
 * the list in `sundew --help` are made from the table.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/bytes.h"

#define COMMAND_OPTIONS_MAX 32

struct command_option {
	const char *name;     /* long name without dashes */
	char letter;          /* short name, or 0 */
	const char *argument; /* what stands for its value in the help; NULL: a flag */
	const char *help;
};

struct invocation {
	const struct command *command;
	const char *values[COMMAND_OPTIONS_MAX]; /* by place in the table; "" for flags; NULL: not
						    given */
	const char *const *words;                /* what is no option */
	size_t word_count;
	const char *program; /* argv[0] */
};

enum { EXIT_GOOD = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *summary;   /* one line */
	const char *arguments; /* "ID..." or NULL */
	const char *details;   /* paragraphs for help and man page; NULL: none */
	const struct command_option *options;
	size_t option_count;
	size_t words_min, words_max;
	int (*run)(const struct invocation *invocation); /* returns the exit status */
};

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

/* Ends with NULL. */
extern const struct command *const commands[];

/* Value of an option by its long name; NULL: not given. */
const char *option_value(const struct invocation *invocation, const char *name);
static inline bool option_given(const struct invocation *invocation, const char *name)
{
	return option_value(invocation, name) != NULL;
}
/* A whole number in a range; `standard` when not given. Says what is wrong and exits with 2. */
int64_t option_number(const struct invocation *invocation, const char *name, int64_t standard,
		      int64_t minimum, int64_t maximum);
/* Microseconds: a length of time before `now` ("24h") or a date and time; `standard` if not given.
 */
int64_t option_time(const struct invocation *invocation, const char *name, int64_t now,
		    int64_t standard);
/* Prints a message for wrong usage and exits with 2. */
_Noreturn void usage_error(const struct invocation *invocation, const char *format, ...)
	PRINTF(2, 3);

/* Finds the command, reads its options and runs it; the program's exit status. */
int commands_run(int argc, const char *const *argv);
/* The help of one command; as scdoc source for its man page. */
void command_help(const struct command *command, struct writer *out);
void command_man(const struct command *command, struct writer *out);
void commands_man(struct writer *out);

/* Writes a buffer to standard output; -1 when it cannot (a closed pipe). */
MUST_CHECK int print_out(const struct writer *text);

/* Options that several commands share. */
#define OPTION_DATA                                                                             \
	{                                                                                       \
		"data", 'd', "DIR", "Data folder (default: $SUNDEW_DATA, else /var/lib/sundew)" \
	}
#define OPTION_CONFIG                                                                            \
	{                                                                                        \
		"config", 'c', "FILE", "Configuration (default: sundew.yaml in the data folder)" \
	}
#define OPTION_JSON                           \
	{                                     \
		"json", 0, NULL, "Print JSON" \
	}

#endif
