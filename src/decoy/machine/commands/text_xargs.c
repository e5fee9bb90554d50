/* xargs, base64, base32. */
#include <ctype.h>
#include <fcntl.h>

#include "decoy/machine/commands/text.h"
#include "decoy/machine/limits.h"

/* --- xargs --- */

/* Bytes of arguments in one command; GNU's default. */
#define COMMAND_BYTES ((size_t)128 * 1024)
#define WORDS_MAX     4096

struct xargs {
	struct process *process;
	struct line_reader reader;
	int delimiter; /* -1: blanks and quotes */
	const char *replace, *end_word;
	int64_t most_words, most_lines;
	size_t most_bytes;
	bool no_run_if_empty, trace, stop_if_long;
	char **command;
	int command_count;
	/* the batch */
	char **words;
	size_t count, bytes;
	int64_t lines;
	int status;
	bool ran, over;
	/* of the input by bytes */
	struct slice line;
	size_t at;
	bool in_line, newline;
};

static void run(struct xargs *xargs)
{
	struct process *process = xargs->process;
	char **argv = process_take(process, ((size_t)xargs->command_count + xargs->count + 1) *
						    sizeof(*argv));
	char path[MACHINE_PATH_MAX];
	size_t count = 0;
	int status;

	for (int i = 0; i < xargs->command_count; i++)
		argv[count++] = xargs->command[i];
	for (size_t i = 0; i < xargs->count; i++)
		argv[count++] = xargs->words[i];
	xargs->ran = true;
	if (xargs->trace) {
		for (size_t i = 0; i < count; i++)
			process_error(process, "%s%s", i ? " " : "", argv[i]);
		process_error(process, "\n");
	}
	status = command_which(process, argv[0], path, sizeof(path));
	if (status < 0) {
		process_complain(process, "%s: %s", argv[0], strerror(-status));
		process_exit(process, status == -ENOENT ? 127 : 126);
	}
	status = command_run_program(process, argv, NULL);
	process_give(process, argv);
	if (status == 255) {
		process_complain(process, "%s: exited with status 255; aborting",
				 xargs->command[0]);
		process_exit(process, 124);
	}
	if (status > 128 && status < 128 + 65) {
		process_complain(process, "%s: terminated by signal %d", xargs->command[0],
				 status - 128);
		process_exit(process, 125);
	}
	if (status != 0)
		xargs->status = 123;
}

static void run_batch(struct xargs *xargs)
{
	if (xargs->count == 0)
		return;
	run(xargs);
	for (size_t i = 0; i < xargs->count; i++)
		process_give(xargs->process, xargs->words[i]);
	xargs->count = xargs->bytes = 0;
	xargs->lines = 0;
}

/* {} in all words of the command becomes the item. */
static void run_replaced(struct xargs *xargs, const char *item)
{
	char **command = xargs->command;
	size_t length = strlen(xargs->replace);

	xargs->command =
		process_take(xargs->process, ((size_t)xargs->command_count + 1) * sizeof(*command));
	for (int i = 0; i < xargs->command_count; i++) {
		struct text word = {0};
		const char *at = command[i], *found;

		text_add_words(xargs->process, &word, "");
		while (length > 0 && (found = strstr(at, xargs->replace))) {
			text_add(xargs->process, &word, slice_of(at, (size_t)(found - at)));
			text_add_words(xargs->process, &word, item);
			at = found + length;
		}
		text_add_words(xargs->process, &word, at);
		xargs->command[i] = word.data;
	}
	run(xargs);
	for (int i = 0; i < xargs->command_count; i++)
		process_give(xargs->process, xargs->command[i]);
	process_give(xargs->process, xargs->command);
	xargs->command = command;
}

static int next_byte(struct xargs *xargs)
{
	if (!xargs->in_line) {
		if (!line_reader_next(xargs->process, &xargs->reader, &xargs->line,
				      &xargs->newline))
			return -1;
		xargs->in_line = true;
		xargs->at = 0;
	}
	if (xargs->at < xargs->line.length)
		return xargs->line.at[xargs->at++];
	xargs->in_line = false;
	return xargs->newline ? '\n' : -1;
}

/* The next word of input; false: no more. *ends_line: it was the last of its line. */
static bool next_word(struct xargs *xargs, struct text *word, bool *ends_line)
{
	struct process *process = xargs->process;
	struct slice item;
	bool any = false, newline;
	int byte, quote = 0;

	*word = (struct text){0};
	text_add_words(process, word, "");
	*ends_line = true;
	if (xargs->delimiter >= 0) {
		if (!line_reader_until(process, &xargs->reader, (uint8_t)xargs->delimiter, &item,
				       &newline))
			return false;
		text_add(process, word, item);
		return true;
	}
	while ((byte = next_byte(xargs)) >= 0) {
		if (quote) {
			if (byte == quote)
				quote = 0;
			else if (byte == '\n')
				break;
			else
				text_add_byte(process, word, (uint8_t)byte);
			continue;
		}
		if (byte == '\n' || ((byte == ' ' || byte == '\t') && (!xargs->replace || !any))) {
			if (!any)
				continue;
			if (byte != '\n') { /* a blank before the newline continues nothing */
				*ends_line = false;
				while (xargs->in_line && xargs->at < xargs->line.length &&
				       isblank(xargs->line.at[xargs->at]))
					xargs->at++;
			}
			return true;
		}
		any = true;
		if (byte == '\'' || byte == '"')
			quote = byte;
		else if (byte == '\\') {
			byte = next_byte(xargs);
			if (byte >= 0)
				text_add_byte(process, word, (uint8_t)byte);
		} else
			text_add_byte(process, word, (uint8_t)byte);
	}
	if (quote) {
		process_complain(
			process,
			"unmatched %s quote; by default quotes are special to xargs unless "
			"you use the -0 option",
			quote == '"' ? "double" : "single");
		process_exit(process, 1);
	}
	return any;
}

static void add_word(struct xargs *xargs, const char *word, bool ends_line)
{
	size_t length = strlen(word) + 1;

	if (xargs->count > 0 && xargs->bytes + length > xargs->most_bytes)
		run_batch(xargs);
	xargs->words[xargs->count++] = process_copy_text(xargs->process, word);
	xargs->bytes += length;
	xargs->lines += ends_line;
	if ((xargs->most_words > 0 && (int64_t)xargs->count >= xargs->most_words) ||
	    (xargs->most_lines > 0 && xargs->lines >= xargs->most_lines) ||
	    xargs->count == WORDS_MAX)
		run_batch(xargs);
}

static int64_t xargs_number(struct xargs *xargs, int option, const char *text, int64_t least)
{
	int64_t number;

	if (slice_number(slice_text(text), INT32_MIN, INT32_MAX, &number) != 0) {
		process_complain(xargs->process, "invalid number \"%s\" for -%c option", text,
				 option);
		text_try_help(xargs->process, 1);
	}
	if (number < least) {
		process_complain(xargs->process, "value %s for -%c option should be >= %lld", text,
				 option, (long long)least);
		text_try_help(xargs->process, 1);
	}
	return number;
}

static int delimiter_of(struct xargs *xargs, const char *text)
{
	int byte;

	if (text[0] == '\\' && text[1]) {
		size_t length = text_escape(text + 1, &byte, false);

		if (byte >= 0 && text[1 + length] == '\0')
			return byte;
	} else if (text[0] && !text[1])
		return (unsigned char)text[0];
	process_complain(xargs->process,
			 "Invalid input delimiter specification %s: the delimiter must be either a "
			 "single character or an escape sequence starting with \\.",
			 text);
	process_exit(xargs->process, 1);
}

static const struct option_word xargs_words[] = {{"null", '0'},
						 {"arg-file", 'a', OPTION_NEEDS},
						 {"delimiter", 'd', OPTION_NEEDS},
						 {"eof", 'e', OPTION_MAY},
						 {"replace", 'i', OPTION_MAY},
						 {"max-lines", 'l', OPTION_MAY},
						 {"max-args", 'n', OPTION_NEEDS},
						 {"max-procs", 'P', OPTION_NEEDS},
						 {"interactive", 'p'},
						 {"no-run-if-empty", 'r'},
						 {"max-chars", 's', OPTION_NEEDS},
						 {"show-limits", 'S'},
						 {"verbose", 't'},
						 {"exit", 'x'},
						 {"open-tty", 'o'},
						 TEXT_WORDS};

static void xargs_option(struct xargs *xargs, int option, const char *argument, const char **file)
{
	switch (option) {
	case '0':
		xargs->delimiter = 0;
		break;
	case 'a':
		*file = argument;
		break;
	case 'd':
		xargs->delimiter = delimiter_of(xargs, argument);
		break;
	case 'E':
	case 'e':
		xargs->end_word = argument && *argument ? argument : NULL;
		break;
	case 'I':
	case 'i':
		xargs->replace = argument ? argument : "{}";
		xargs->most_words = xargs->most_lines = 0;
		break;
	case 'L':
	case 'l':
		xargs->most_lines = argument ? xargs_number(xargs, option, argument, 1) : 1;
		xargs->most_words = 0;
		xargs->replace = NULL;
		break;
	case 'n':
		xargs->most_words = xargs_number(xargs, option, argument, 1);
		xargs->most_lines = 0;
		if (xargs->most_words != 1)
			xargs->replace = NULL;
		break;
	case 'P':
		(void)xargs_number(xargs, option, argument, 0);
		break;
	case 'r':
		xargs->no_run_if_empty = true;
		break;
	case 's':
		xargs->most_bytes = (size_t)xargs_number(xargs, option, argument, 1);
		if (xargs->most_bytes > COMMAND_BYTES)
			xargs->most_bytes = COMMAND_BYTES;
		break;
	case 't':
	case 'p':
		xargs->trace = true;
		break;
	case 'x':
	case 'o':
	case 'S':
		break;
	default:
		text_other_option(xargs->process, option, "(GNU findutils) 4.9.0",
				  "[OPTION]... COMMAND [INITIAL-ARGS]...\nRun COMMAND with "
				  "INITIAL-ARGS and more arguments read from input.",
				  1);
	}
}

/* The children read nothing of our input: theirs is /dev/null. */
static int take_input(struct xargs *xargs, const char *file)
{
	struct process *process = xargs->process;
	int input, null;

	if (file) {
		input = process_open(process, file, O_RDONLY, 0);
		if (input < 0) {
			process_complain(process, "Cannot open input file '%s': %s", file,
					 strerror(-input));
			process_exit(process, 1);
		}
		return input;
	}
	input = process_duplicate(process, 0, -1);
	null = process_open(process, "/dev/null", O_RDONLY, 0);
	if (input < 0)
		return 0;
	if (null >= 0) {
		process_duplicate(process, null, 0);
		(void)process_close(process, null);
	}
	return input;
}

static int xargs_main(struct process *process, int argc, char **argv)
{
	struct xargs *xargs = process_take(process, sizeof(*xargs));
	struct option_state state = {0};
	const char *file = NULL;
	char *echo[] = {process_copy_text(process, "echo"), NULL};
	struct text word;
	bool ends_line;
	int option;

	xargs->process = process;
	xargs->delimiter = -1;
	xargs->most_bytes = COMMAND_BYTES;
	while ((option = option_next(process, &state, argc, argv,
				     "+0a:E:e::i::I:l::L:n:prs:txP:d:o", xargs_words)) != -1)
		xargs_option(xargs, option, state.argument, &file);
	xargs->command = state.index < argc ? argv + state.index : echo;
	xargs->command_count = state.index < argc ? argc - state.index : 1;
	xargs->words = process_take(process, (WORDS_MAX + 1) * sizeof(*xargs->words));
	line_reader_open(&xargs->reader, take_input(xargs, file));
	while (next_word(xargs, &word, &ends_line)) {
		if (xargs->end_word && strcmp(word.data, xargs->end_word) == 0)
			break;
		if (xargs->replace)
			run_replaced(xargs, word.data);
		else
			add_word(xargs, word.data, ends_line);
		process_give(process, word.data);
	}
	run_batch(xargs);
	if (!xargs->ran && !xargs->no_run_if_empty && !xargs->replace)
		run(xargs);
	return xargs->status;
}

/* --- base64 and base32 --- */

static const char letters64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char letters32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

struct base {
	struct process *process;
	const char *letters;
	unsigned bits, group; /* of a letter; letters in a group */
	bool decode, garbage;
	uint64_t wrap, column;
};

static void put_letter(struct base *base, char letter)
{
	process_put_byte(base->process, (uint8_t)letter);
	if (base->wrap > 0 && ++base->column == base->wrap) {
		process_put_byte(base->process, '\n');
		base->column = 0;
	}
}

static void encode(struct base *base, int descriptor)
{
	uint64_t value = 0;
	unsigned bits = 0, letters = 0;
	uint8_t bytes[1024];
	ssize_t got;

	while ((got = process_read(base->process, descriptor, bytes, sizeof(bytes))) > 0) {
		process_step(base->process);
		for (ssize_t i = 0; i < got; i++) {
			value = value << 8 | bytes[i];
			bits += 8;
			while (bits >= base->bits) {
				bits -= base->bits;
				put_letter(base,
					   base->letters[value >> bits & ((1u << base->bits) - 1)]);
				letters++;
			}
		}
	}
	if (bits > 0) {
		put_letter(base,
			   base->letters[value << (base->bits - bits) & ((1u << base->bits) - 1)]);
		letters++;
	}
	while (letters % base->group != 0) {
		put_letter(base, '=');
		letters++;
	}
	if (base->wrap > 0 && base->column > 0)
		process_put_byte(base->process, '\n');
}

static int decode(struct base *base, int descriptor)
{
	uint64_t value = 0;
	unsigned bits = 0, letters = 0, ends = 0;
	bool wrong = false;
	uint8_t bytes[1024];
	ssize_t got;

	while (!wrong &&
	       (got = process_read(base->process, descriptor, bytes, sizeof(bytes))) > 0) {
		process_step(base->process);
		for (ssize_t i = 0; i < got && !wrong; i++) {
			const char *found = bytes[i] ? strchr(base->letters, bytes[i]) : NULL;

			if (bytes[i] == '\n')
				continue;
			if (bytes[i] == '=' && letters % base->group != 0) {
				letters++;
				if (letters % base->group == 0)
					bits = 0, ends = 0;
				else
					ends++;
				continue;
			}
			if (!found || ends > 0) {
				wrong = !base->garbage;
				continue;
			}
			value = value << base->bits | (uint64_t)(found - base->letters);
			bits += base->bits;
			letters++;
			if (bits >= 8) {
				bits -= 8;
				process_put_byte(base->process, (uint8_t)(value >> bits));
			}
		}
	}
	if (wrong || letters % base->group != 0) {
		process_complain(base->process,
				 base->process->busybox ? "truncated input" : "invalid input");
		return 1;
	}
	return 0;
}

static int base_main(struct process *process, int argc, char **argv, struct base *base)
{
	static const struct option_word words[] = {
		{"decode", 'd'}, {"wrap", 'w', OPTION_NEEDS}, {"ignore-garbage", 'i'}, TEXT_WORDS};
	struct option_state state = {0};
	int option, descriptor, status = 0;
	char **names;

	base->process = process;
	base->wrap = 76;
	while ((option = option_next(process, &state, argc, argv, "diw:", words)) != -1) {
		if (option == 'd')
			base->decode = true;
		else if (option == 'i')
			base->garbage = true;
		else if (option == 'w') {
			if (command_size(state.argument, &base->wrap) != 0) {
				process_complain(process, "invalid wrap size: '%s'",
						 state.argument);
				return 1;
			}
		} else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]\nEncode or decode (-d) FILE, or "
					  "standard input.",
					  1);
	}
	if (argc - state.index > 1) {
		process_complain(process, "extra operand '%s'", argv[state.index + 1]);
		text_try_help(process, 1);
	}
	(void)text_names(process, &state, argc, argv, &names);
	descriptor = text_open_quiet(process, names[0]);
	if (descriptor < 0) {
		process_complain(process, "%s: %s", names[0], strerror(-descriptor));
		return 1;
	}
	if (base->decode)
		status = decode(base, descriptor);
	else
		encode(base, descriptor);
	text_close(process, descriptor);
	return status;
}

static int base64_main(struct process *process, int argc, char **argv)
{
	struct base base = {.letters = letters64, .bits = 6, .group = 4};

	return base_main(process, argc, argv, &base);
}

static int base32_main(struct process *process, int argc, char **argv)
{
	struct base base = {.letters = letters32, .bits = 5, .group = 8};

	return base_main(process, argc, argv, &base);
}

static const struct command commands[] = {
	{"xargs", xargs_main, COMMAND_BOTH},
	{"base64", base64_main, COMMAND_BOTH},
	{"base32", base32_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_xargs = {"text_xargs", commands};
