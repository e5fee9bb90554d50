/* read, mapfile, getopts. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"
#include "decoy/machine/terminal.h"

struct reading {
	struct shell *shell;
	int descriptor;
	bool raw, silent, exact;
	int64_t limit;   /* bytes; -1: none */
	int64_t timeout; /* microseconds; -1: none */
	int delimiter;
	struct text line, marks; /* bytes, and 1 for those that were escaped */
	bool timed_out, interrupted;
};

/* The next byte, or -1. */
static int next_byte(struct reading *reading)
{
	struct shell *shell = reading->shell;
	uint8_t byte;
	ssize_t got;

	for (;;) {
		if (reading->timeout >= 0) {
			int64_t before = process_now(shell->process);

			if (!process_await_input(shell->process, reading->descriptor,
						 reading->timeout)) {
				reading->timed_out = true;
				return -1;
			}
			reading->timeout -= process_now(shell->process) - before;
			if (reading->timeout < 0)
				reading->timeout = 0;
		}
		got = process_read(shell->process, reading->descriptor, &byte, 1);
		if (got == 1)
			return byte;
		if (got == -EINTR) {
			execute_traps(shell);
			if (shell->unwind) {
				reading->interrupted = true;
				return -1;
			}
			continue;
		}
		return -1;
	}
}

/* True when the delimiter came. */
static bool read_line(struct reading *reading)
{
	struct process *process = reading->shell->process;
	int64_t count = 0;
	bool escaped = false;

	while (reading->limit < 0 || count < reading->limit) {
		int byte = next_byte(reading);

		if (byte < 0)
			return false;
		if (escaped) {
			escaped = false;
			if (byte == '\n')
				continue;
			text_add_byte(process, &reading->line, (uint8_t)byte);
			text_add_byte(process, &reading->marks, 1);
			count++;
			continue;
		}
		if (byte == '\\' && !reading->raw) {
			escaped = true;
			continue;
		}
		if (byte == reading->delimiter && !reading->exact)
			return true;
		if (!byte)
			continue;
		if (reading->line.length >= SHELL_LINE_MAX)
			return false;
		text_add_byte(process, &reading->line, (uint8_t)byte);
		text_add_byte(process, &reading->marks, 0);
		count++;
	}
	return true;
}

static bool is_separator(struct reading *reading, const char *ifs, size_t at)
{
	return !reading->marks.data[at] && reading->line.data[at] &&
	       strchr(ifs, reading->line.data[at]) != NULL;
}

/* The next field from *at on; all the rest when it is the last. In scratch memory. */
static char *take_field(struct reading *reading, const char *ifs, size_t *at, bool last)
{
	size_t start, end, length = reading->line.length;
	const char *data = reading->line.data;

	while (*at < length && is_separator(reading, ifs, *at) && isspace((uint8_t)data[*at]))
		(*at)++;
	start = end = *at;
	if (last) {
		end = length;
		while (end > start && is_separator(reading, ifs, end - 1) &&
		       isspace((uint8_t)data[end - 1]))
			end--;
		/* one hard separator at the end vanishes when it is the only one */
		if (end > start && is_separator(reading, ifs, end - 1)) {
			size_t first = start;

			while (first < end && !is_separator(reading, ifs, first))
				first++;
			if (first == end - 1)
				end--;
		}
		*at = length;
		return pool_text(reading->shell->scratch, slice_of(data + start, end - start));
	}
	while (end < length && !is_separator(reading, ifs, end))
		end++;
	*at = end;
	while (*at < length && is_separator(reading, ifs, *at) && isspace((uint8_t)data[*at]))
		(*at)++;
	if (*at < length && is_separator(reading, ifs, *at) && !isspace((uint8_t)data[*at]))
		(*at)++;
	return pool_text(reading->shell->scratch, slice_of(data + start, end - start));
}

static int assign_fields(struct reading *reading, char **names, int count, const char *array)
{
	struct shell *shell = reading->shell;
	const char *ifs = variables_ifs(shell);
	size_t at = 0;
	int64_t index = 0;

	if (!reading->line.data)
		text_add_words(shell->process, &reading->line, "");
	if (array) {
		struct variable *variable = array_make(shell, array, false);

		array_clear(shell, variable->array);
		for (;;) {
			char *field;

			while (at < reading->line.length && is_separator(reading, ifs, at) &&
			       isspace((uint8_t)reading->line.data[at]))
				at++;
			if (at >= reading->line.length)
				return 0;
			field = take_field(reading, ifs, &at, false);
			if (array_set(shell, variable, "", index++, field, false) < 0)
				return 1;
		}
	}
	if (!count)
		return variables_set(shell, "REPLY", reading->line.data) < 0;
	for (int i = 0; i < count; i++) {
		char *field = reading->exact ? (i ? (char *)(uintptr_t) "" : reading->line.data)
					     : take_field(reading, ifs, &at, i == count - 1);

		if (variables_set(shell, names[i], field) < 0)
			return 1;
	}
	return 0;
}

static int parse_options(struct reading *reading, int argc, char **argv,
			 struct builtin_options *options, const char **prompt, const char **array)
{
	struct shell *shell = reading->shell;
	int letter;
	int64_t number;

	while ((letter = builtin_option(shell, options, argc, argv,
					shell_has(shell, SHELL_BASH)  ? "ersa:d:i:n:N:p:t:u:"
					: shell_has(shell, SHELL_ASH) ? "rsd:n:p:t:u:"
								      : "p:r")) != -1) {
		switch (letter) {
		case '?':
			return 2;
		case 'r':
			reading->raw = true;
			break;
		case 's':
			reading->silent = true;
			break;
		case 'a':
			*array = options->argument;
			break;
		case 'd':
			reading->delimiter = (uint8_t)options->argument[0];
			break;
		case 'p':
			*prompt = options->argument;
			break;
		case 't':
			reading->timeout = (int64_t)(strtod(options->argument, NULL) * 1000000);
			if (reading->timeout < 0 ||
			    options->argument[strspn(options->argument, "0123456789.")]) {
				message_builtin(shell, "%s: invalid timeout specification",
						options->argument);
				return 1;
			}
			break;
		case 'n':
		case 'N':
		case 'u':
			if (builtin_number(options->argument, &number) < 0 || number < 0) {
				message_builtin(
					shell,
					letter == 'u' ? "%s: invalid file descriptor specification"
						      : "%s: invalid number",
					options->argument);
				return 1;
			}
			if (letter == 'u')
				reading->descriptor = (int)number;
			else
				reading->limit = number;
			reading->exact |= letter == 'N';
			break;
		default:
			break;
		}
	}
	return 0;
}

int builtin_read(struct shell *shell, int argc, char **argv)
{
	struct reading reading = {.shell = shell, .limit = -1, .timeout = -1, .delimiter = '\n'};
	struct builtin_options options = {0};
	const char *prompt = NULL, *array = NULL;
	struct terminal_modes *modes, before;
	int status = parse_options(&reading, argc, argv, &options, &prompt, &array);
	bool terminal, complete;

	if (status)
		return status;
	for (int i = options.index; i < argc; i++) {
		size_t length = lexer_name(argv[i]);

		if (length && (!argv[i][length] || argv[i][length] == '['))
			continue;
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "`%s': not a valid identifier", argv[i]);
		else if (shell_has(shell, SHELL_DASH))
			message_builtin(shell, "%s: bad variable name", argv[i]);
		else
			message_plain(shell, "%s: read: '%s': bad variable name\n", shell->called,
				      argv[i]);
		return shell_has(shell, SHELL_DASH) ? message_special(shell, 2) : 1;
	}
	if (options.index >= argc && !array && shell_has(shell, SHELL_DASH)) {
		message_builtin(shell, "arg count");
		return message_special(shell, 2);
	}
	terminal = process_is_terminal(shell->process, reading.descriptor);
	if (prompt && terminal)
		message_plain(shell, "%s", prompt);
	output_flush(shell);
	if (reading.timeout == 0)
		return process_has_input(shell->process, reading.descriptor) ? 0 : 1;
	modes = terminal ? process_terminal(shell->process, reading.descriptor) : NULL;
	if (modes) {
		before = *modes;
		if (reading.silent)
			modes->local &= ~(uint32_t)TERMINAL_ECHO;
		if (reading.limit >= 0 || reading.delimiter != '\n') {
			modes->local &= ~(uint32_t)TERMINAL_ICANON;
			modes->minimum = 1;
			modes->time = 0;
		}
	}
	complete = read_line(&reading);
	if (modes)
		terminal_modes_restore(modes, &before);
	if (reading.interrupted)
		return 130;
	status = assign_fields(&reading, argv + options.index, argc - options.index, array);
	process_give(shell->process, reading.line.data);
	process_give(shell->process, reading.marks.data);
	if (reading.timed_out)
		return 142;
	return status ? status : !complete;
}

int builtin_mapfile(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	struct reading reading = {
		.shell = shell, .limit = -1, .timeout = -1, .delimiter = '\n', .raw = true};
	int64_t most = 0, skip = 0, index = 0, count = 0, number = 0;
	struct variable *variable;
	bool trim = false, keep = false;
	int letter;

	while ((letter = builtin_option(shell, &options, argc, argv, "d:u:n:O:tC:c:s:")) != -1) {
		if (letter == '?')
			return 2;
		if (strchr("unOs", letter) && builtin_number(options.argument, &number) < 0) {
			message_builtin(shell, "%s: invalid line count", options.argument);
			return 1;
		}
		if (letter == 'd')
			reading.delimiter = (uint8_t)options.argument[0];
		else if (letter == 'u')
			reading.descriptor = (int)number;
		else if (letter == 'n')
			most = number;
		else if (letter == 's')
			skip = number;
		else if (letter == 't')
			trim = true;
		if (letter == 'O') {
			index = number;
			keep = true;
		}
	}
	variable = array_make(shell, options.index < argc ? argv[options.index] : "MAPFILE", false);
	if (!keep)
		array_clear(shell, variable->array);
	for (;;) {
		bool complete;

		text_clear(&reading.line);
		text_clear(&reading.marks);
		complete = read_line(&reading);
		process_step(shell->process);
		if (!complete && !reading.line.length)
			break;
		if (complete && !trim)
			text_add_byte(shell->process, &reading.line, (uint8_t)reading.delimiter);
		if (!reading.line.data)
			text_add_words(shell->process, &reading.line, "");
		if (skip-- > 0)
			continue;
		if (array_set(shell, variable, "", index,
			      pool_text(shell->scratch, text_slice(&reading.line)), false) < 0)
			return 1;
		index += index < INT64_MAX;
		if (!complete || (most && ++count >= most))
			break;
	}
	process_give(shell->process, reading.line.data);
	process_give(shell->process, reading.marks.data);
	return 0;
}

/* An option that is not known or lacks its argument. */
static char getopts_wrong(struct shell *shell, const char *letters, char letter, bool lacks)
{
	char text[2] = {letter, '\0'};
	const char *quiet = variables_get(shell, "OPTERR");

	if (letters[0] == ':') {
		variables_set(shell, "OPTARG", text);
		return lacks ? ':' : '?';
	}
	variables_unset(shell, "OPTARG");
	if (quiet && !strcmp(quiet, "0"))
		return '?';
	if (shell_has(shell, SHELL_BASH))
		message_plain(shell,
			      lacks ? "%s: option requires an argument -- %c\n"
				    : "%s: illegal option -- %c\n",
			      shell->name, letter);
	else
		message_plain(shell, lacks ? "No arg for -%c option\n" : "Illegal option -%c\n",
			      letter);
	return '?';
}

int builtin_getopts(struct shell *shell, int argc, char **argv)
{
	const char *letters, *word, *found, *text = variables_get(shell, "OPTIND");
	char **words, result[2] = "?";
	int64_t index = 1;
	int count;

	if (argc < 3) {
		if (shell_has(shell, SHELL_BASH))
			return builtin_usage(shell);
		message_builtin(shell, shell_has(shell, SHELL_DASH)
					       ? "Usage: getopts optstring var [arg...]"
					       : "usage: getopts optstring var [arg]");
		return message_special(shell, 2);
	}
	letters = argv[1];
	words = argc > 3 ? argv + 3 : shell->positional;
	count = argc > 3 ? argc - 3 : shell->positional_count;
	if (!text || builtin_number(text, &index) < 0 || index < 1) {
		index = 1;
		shell->getopts_offset = 0;
	}
	if (index == 1 && shell->getopts_offset && shell->getopts_index != 1)
		shell->getopts_offset = 0;
	word = index <= count ? words[index - 1] : NULL;
	if (!shell->getopts_offset) {
		if (!word || word[0] != '-' || !word[1] || !strcmp(word, "--")) {
			if (word && !strcmp(word, "--"))
				index++;
			variables_set_number(shell, "OPTIND", index);
			variables_unset(shell, "OPTARG");
			variables_set(shell, argv[2], "?");
			return 1;
		}
		shell->getopts_offset = 1;
	}
	if (!word || shell->getopts_offset >= strlen(word)) {
		shell->getopts_offset = 0;
		return 1;
	}
	result[0] = word[shell->getopts_offset++];
	found = result[0] == ':' ? NULL : strchr(letters, result[0]);
	if (!word[shell->getopts_offset] || (found && found[1] == ':')) {
		unsigned at = shell->getopts_offset;

		index++;
		shell->getopts_offset = 0;
		if (!found) {
			result[0] = getopts_wrong(shell, letters, result[0], false);
		} else if (found[1] != ':') {
			variables_unset(shell, "OPTARG");
		} else if (word[at]) {
			variables_set(shell, "OPTARG", word + at);
		} else if (index <= count) {
			variables_set(shell, "OPTARG", words[index - 1]);
			index++;
		} else {
			result[0] = getopts_wrong(shell, letters, result[0], true);
		}
	} else if (!found) {
		result[0] = getopts_wrong(shell, letters, result[0], false);
	} else {
		variables_unset(shell, "OPTARG");
	}
	shell->getopts_index = (unsigned)index;
	variables_set_number(shell, "OPTIND", index);
	if (variables_set(shell, argv[2], result) < 0)
		return 1;
	return 0;
}
