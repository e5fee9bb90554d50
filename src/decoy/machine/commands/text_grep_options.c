/* The options of grep. */
#include "decoy/machine/commands/text_grep.h"

void text_grep_usage(struct process *process)
{
	if (!process->busybox)
		process_error(process,
			      "Usage: %s [OPTION]... PATTERNS [FILE]...\nTry '%s --help' for more "
			      "information.\n",
			      process->argv[0], process->argv[0]);
	process_exit(process, process->busybox ? 1 : 2);
}

void text_grep_add(struct grep *grep, struct slice lines)
{
	if (grep->has_patterns)
		text_add_byte(grep->process, &grep->patterns, '\n');
	text_add(grep->process, &grep->patterns, lines);
	grep->has_patterns = true;
}

static void patterns_of_file(struct grep *grep, const char *name)
{
	struct text text = {0};
	int descriptor = text_open_quiet(grep->process, name);
	int error = descriptor < 0
			    ? descriptor
			    : process_read_all(grep->process, descriptor, TEXT_WHOLE_MAX, &text);

	if (error < 0) {
		process_complain(grep->process, "%s: %s", name, strerror(-error));
		process_exit(grep->process, 2);
	}
	text_close(grep->process, descriptor);
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	else if (text.length == 0)
		return;
	text_grep_add(grep, text_slice(&text));
}

static int64_t context_length(struct process *process, const char *text)
{
	int64_t number;

	if (slice_number(slice_text(text), 0, INT64_MAX, &number) != 0) {
		process_complain(process, "%s: invalid context length argument", text);
		process_exit(process, 2);
	}
	return number < CONTEXT_LINES_MAX ? number : CONTEXT_LINES_MAX;
}

static void set_color(struct grep *grep, const char *when)
{
	static const char *const always[] = {"always", "yes", "force"};
	static const char *const never[] = {"never", "no", "none"};

	for (size_t i = 0; when && i < ARRAY_COUNT(always); i++) {
		if (strcmp(when, always[i]) == 0) {
			grep->color = true;
			return;
		}
		if (strcmp(when, never[i]) == 0) {
			grep->color = false;
			return;
		}
	}
	if (when && strcmp(when, "auto") != 0 && strcmp(when, "tty") != 0 &&
	    strcmp(when, "if-tty") != 0)
		text_grep_usage(grep->process);
	when = process_environment(grep->process, "TERM");
	grep->color = process_is_terminal(grep->process, 1) && when && strcmp(when, "dumb") != 0;
}

static void add_glob(struct grep *grep, int kind, const char *pattern)
{
	size_t length = strlen(pattern);
	char *copy = process_copy_text(grep->process, pattern);

	while (kind == OPTION_EXCLUDE_FOLDER && length > 1 && copy[length - 1] == '/')
		copy[--length] = '\0';
	if (grep->glob_count < GLOBS_MAX)
		grep->globs[grep->glob_count++] = (struct grep_glob){copy, kind};
}

/* Options with an argument, and those with more than one effect. */
static void argument_option(struct grep *grep, int option, const char *argument)
{
	struct process *process = grep->process;

	switch (option) {
	case 'e':
		text_grep_add(grep, slice_text(argument));
		break;
	case 'f':
		patterns_of_file(grep, argument);
		grep->has_patterns = grep->has_patterns || grep->patterns.length > 0;
		grep->flags |= REGEX_ANY_OF;
		break;
	case 'A':
		grep->after = context_length(process, argument);
		break;
	case 'B':
		grep->before = context_length(process, argument);
		break;
	case 'C':
		grep->both = context_length(process, argument);
		break;
	case 'm':
		if (slice_number(slice_text(argument), INT64_MIN, INT64_MAX, &grep->most) != 0) {
			process_complain(process, "invalid max count");
			process_exit(process, 2);
		}
		break;
	case 'd':
		grep->recurse = strcmp(argument, "recurse") == 0;
		grep->skip_folders = strcmp(argument, "skip") == 0;
		break;
	case OPTION_COLOR:
		set_color(grep, argument);
		break;
	case OPTION_INCLUDE:
	case OPTION_EXCLUDE:
	case OPTION_EXCLUDE_FOLDER:
		add_glob(grep, option, argument);
		break;
	case OPTION_LABEL:
		grep->label = argument;
		break;
	case OPTION_BINARY:
		grep->as_text = strcmp(argument, "text") == 0;
		grep->no_binary = strcmp(argument, "without-match") == 0;
		break;
	case OPTION_SEPARATOR:
		grep->separator = argument;
		break;
	case OPTION_NO_SEPARATOR:
		grep->separator = NULL;
		break;
	case OPTION_LINE_BUFFERED:
		grep->flush = true;
		break;
	case '?':
		text_grep_usage(process);
	case 'V':
	case TEXT_VERSION:
		process_put_text(process, "grep (GNU grep) 3.8\n");
		process_exit(process, 0);
	case TEXT_HELP:
		text_other_option(process, option, "",
				  "[OPTION]... PATTERNS [FILE]...\n"
				  "Write the lines of each FILE that match one of PATTERNS.\n"
				  "Example: grep -n 'listen' nginx.conf",
				  2);
	default: /* -D, -U, -u, --exclude-from: nothing to do here */
		break;
	}
}

static void flag_option(struct grep *grep, int option, const char *argument)
{
	switch (option) {
	case 'E':
		grep->syntax = REGEX_EXTENDED;
		break;
	case 'F':
		grep->syntax = REGEX_FIXED;
		break;
	case 'G':
		grep->syntax = REGEX_BASIC;
		break;
	case 'P':
		grep->syntax = REGEX_PERL;
		break;
	case 'i':
	case 'y':
		grep->flags |= REGEX_IGNORE_CASE;
		break;
	case OPTION_NO_CASE_IGNORED:
		grep->flags &= ~(unsigned)REGEX_IGNORE_CASE;
		break;
	case 'w':
		grep->flags |= REGEX_WORD;
		break;
	case 'x':
		grep->flags |= REGEX_WHOLE;
		break;
	case 'v':
		grep->invert = true;
		break;
	case 'c':
		grep->count = true;
		break;
	case 'o':
		grep->only = true;
		break;
	case 'q':
		grep->quiet = true;
		break;
	case 's':
		grep->no_messages = true;
		break;
	case 'l':
		grep->list = true;
		grep->list_without = false;
		break;
	case 'L':
		grep->list_without = true;
		grep->list = false;
		break;
	case 'n':
		grep->numbers = true;
		break;
	case 'b':
		grep->offsets = true;
		break;
	case 'H':
		grep->with_name = true;
		grep->no_name = false;
		break;
	case 'h':
		grep->no_name = true;
		grep->with_name = false;
		break;
	case 'r':
	case 'R':
		grep->recurse = true;
		grep->follow = grep->follow || option == 'R';
		break;
	case 'a':
		grep->as_text = true;
		break;
	case 'I':
		grep->no_binary = true;
		break;
	case 'z':
		grep->end = 0;
		break;
	case 'Z':
		grep->nul_names = true;
		break;
	case 'T':
		grep->tab = true;
		break;
	default:
		argument_option(grep, option, argument);
		break;
	}
}

static const struct option_word grep_words[] = {
	{"extended-regexp", 'E'},
	{"fixed-strings", 'F'},
	{"fixed-regexp", 'F'},
	{"basic-regexp", 'G'},
	{"perl-regexp", 'P'},
	{"regexp", 'e', OPTION_NEEDS},
	{"file", 'f', OPTION_NEEDS},
	{"include", OPTION_INCLUDE, OPTION_NEEDS},
	{"ignore-case", 'i'},
	{"no-ignore-case", OPTION_NO_CASE_IGNORED},
	{"word-regexp", 'w'},
	{"line-regexp", 'x'},
	{"null-data", 'z'},
	{"no-messages", 's'},
	{"max-count", 'm', OPTION_NEEDS},
	{"byte-offset", 'b'},
	{"line-number", 'n'},
	{"line-buffered", OPTION_LINE_BUFFERED},
	{"with-filename", 'H'},
	{"no-filename", 'h'},
	{"label", OPTION_LABEL, OPTION_NEEDS},
	{"only-matching", 'o'},
	{"quiet", 'q'},
	{"silent", 'q'},
	{"binary-files", OPTION_BINARY, OPTION_NEEDS},
	{"text", 'a'},
	{"directories", 'd', OPTION_NEEDS},
	{"devices", 'D', OPTION_NEEDS},
	{"recursive", 'r'},
	{"dereference-recursive", 'R'},
	{"exclude", OPTION_EXCLUDE, OPTION_NEEDS},
	{"exclude-from", OPTION_EXCLUDE_FROM, OPTION_NEEDS},
	{"exclude-dir", OPTION_EXCLUDE_FOLDER, OPTION_NEEDS},
	{"files-without-match", 'L'},
	{"files-with-matches", 'l'},
	{"count", 'c'},
	{"initial-tab", 'T'},
	{"invert-match", 'v'},
	{"null", 'Z'},
	{"before-context", 'B', OPTION_NEEDS},
	{"after-context", 'A', OPTION_NEEDS},
	{"context", 'C', OPTION_NEEDS},
	{"group-separator", OPTION_SEPARATOR, OPTION_NEEDS},
	{"no-group-separator", OPTION_NO_SEPARATOR},
	{"color", OPTION_COLOR, OPTION_MAY},
	{"colour", OPTION_COLOR, OPTION_MAY},
	{"binary", 'U'},
	TEXT_WORDS};

void text_grep_options(struct grep *grep, struct option_state *state, int argc, char **argv)
{
	int64_t digits = -1;
	int option;

	while ((option = option_next(grep->process, state, argc, argv,
				     ":0123456789A:B:C:D:EFGHILPRTUVX:abcd:e:f:hiLlm:noqrsuvwxyZz",
				     grep_words)) != -1) {
		if (option >= '0' && option <= '9') {
			digits = (digits < 0 ? 0 : digits) * 10 + (option - '0');
			if (digits > CONTEXT_LINES_MAX)
				digits = CONTEXT_LINES_MAX;
		} else
			flag_option(grep, option, state->argument);
	}
	if (digits >= 0)
		grep->both = digits;
	if (grep->before < 0)
		grep->before = grep->both < 0 ? 0 : grep->both;
	if (grep->after < 0)
		grep->after = grep->both < 0 ? 0 : grep->both;
	if (grep->only)
		grep->before = grep->after = 0;
}
