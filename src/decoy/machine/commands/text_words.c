/* Commands that make text of their arguments: echo, printf, seq, yes, true, false. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

/* --- echo --- */

/* A backslash and what follows; false at \c. */
static bool put_escaped(struct process *process, const char *text, bool echo)
{
	for (; *text; text++) {
		size_t length;
		int byte;

		if (*text != '\\' || !text[1]) {
			process_put_byte(process, (uint8_t)*text);
			continue;
		}
		length = text_escape(text + 1, &byte, echo);
		if (byte == -2)
			return false;
		if (byte < 0) {
			process_put_byte(process, '\\');
			if (length == 0 && text[1] != '\\')
				continue;
		} else
			process_put_byte(process, (uint8_t)byte);
		text += length;
	}
	return true;
}

static int echo_main(struct process *process, int argc, char **argv)
{
	bool newline = true, escapes = false;
	int i;

	if (argc == 2 && !process->busybox && strcmp(argv[1], "--help") == 0)
		text_other_option(process, TEXT_HELP, "",
				  "[SHORT-OPTION]... [STRING]...\nWrite the STRINGs.", 1);
	if (argc == 2 && !process->busybox && strcmp(argv[1], "--version") == 0)
		text_other_option(process, TEXT_VERSION, COREUTILS, "", 1);
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (argv[i][1 + strspn(argv[i] + 1, "neE")])
			break;
		for (const char *at = argv[i] + 1; *at; at++) {
			if (*at == 'n')
				newline = false;
			else
				escapes = *at == 'e';
		}
	}
	for (int first = i; i < argc; i++) {
		if (i > first)
			process_put_byte(process, ' ');
		if (!escapes)
			process_put_text(process, argv[i]);
		else if (!put_escaped(process, argv[i], true))
			return 0;
	}
	if (newline)
		process_put_byte(process, '\n');
	return 0;
}

/* --- printf --- */

struct printf_state {
	struct process *process;
	char **arguments;
	int count, at;
	int status;
};

static const char *next_argument(struct printf_state *state)
{
	return state->at < state->count ? state->arguments[state->at++] : NULL;
}

static void check_number(struct printf_state *state, const char *text, const char *end)
{
	if (*text == '\0' || end == text)
		process_complain(state->process, "'%s': expected a numeric value", text);
	else if (errno == ERANGE)
		process_complain(state->process, "'%s': %s", text, strerror(ERANGE));
	else if (*end)
		process_complain(state->process, "'%s': value not completely converted", text);
	else
		return;
	state->status = 1;
}

static long long whole_number(struct printf_state *state, const char *text, bool with_sign)
{
	long long number;
	char *end;

	if (!text)
		return 0;
	if (*text == '"' || *text == '\'')
		return (unsigned char)text[1];
	errno = 0;
	number = with_sign || *text == '-' ? strtoll(text, &end, 0)
					   : (long long)strtoull(text, &end, 0);
	check_number(state, text, end);
	return number;
}

static double real_number(struct printf_state *state, const char *text)
{
	double number;
	char *end;

	if (!text)
		return 0;
	if (*text == '"' || *text == '\'')
		return (unsigned char)text[1];
	errno = 0;
	number = strtod(text, &end);
	check_number(state, text, end);
	return number;
}

static void put_padded(struct printf_state *state, const char *flags, int width, int precision,
		       struct slice text)
{
	bool left = strchr(flags, '-') || width < 0;
	size_t room = (size_t)abs(width);

	if (precision >= 0)
		text = slice_first(text, (size_t)precision);
	for (size_t i = text.length; !left && i < room; i++)
		process_put_byte(state->process, ' ');
	process_put(state->process, text);
	for (size_t i = text.length; left && i < room; i++)
		process_put_byte(state->process, ' ');
}

static void put_quoted(struct printf_state *state, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-+=./,:@%^";

	if (*text && text[strspn(text, plain)] == '\0')
		process_put_text(state->process, text);
	else if (!strchr(text, '\''))
		process_print(state->process, "'%s'", text);
	else
		process_print(state->process, "\"%s\"", text);
}

#define WIDTH_MAX 100000

static int size_of(struct printf_state *state, const char **at)
{
	long size = 0;

	if (**at == '*') {
		long long number = whole_number(state, next_argument(state), true);

		(*at)++;
		return number > WIDTH_MAX    ? WIDTH_MAX
		       : number < -WIDTH_MAX ? -WIDTH_MAX
					     : (int)number;
	}
	while (isdigit((unsigned char)**at)) {
		size = size * 10 + (*(*at)++ - '0');
		if (size > WIDTH_MAX)
			size = WIDTH_MAX;
	}
	return (int)size;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_number(struct printf_state *state, const char *flags, int width, int precision,
		       char letter)
{
	bool whole = strchr("diouxX", letter) != NULL;
	char *format = process_format(state->process, "%%%s*%s%s%c", flags,
				      precision >= 0 ? ".*" : "", whole ? "ll" : "", letter);
	const char *argument = next_argument(state);

	if (whole) {
		long long number = whole_number(state, argument, letter == 'd' || letter == 'i');

		if (precision >= 0)
			process_print(state->process, format, width, precision, number);
		else
			process_print(state->process, format, width, number);
	} else {
		double number = real_number(state, argument);

		if (precision >= 0)
			process_print(state->process, format, width, precision, number);
		else
			process_print(state->process, format, width, number);
	}
	process_give(state->process, format);
}
#pragma GCC diagnostic pop

/* Behind a %; false when the output ends (\c in %b). */
static bool convert(struct printf_state *state, const char **at)
{
	const char *start = *at;
	char flags[8] = "", *flag = flags;
	int width, precision = -1;
	const char *text;

	while (**at && strchr("-+ #0'", **at)) {
		if (flag < flags + sizeof(flags) - 1)
			*flag++ = **at;
		(*at)++;
	}
	*flag = '\0';
	width = size_of(state, at);
	if (**at == '.') {
		(*at)++;
		precision = size_of(state, at);
	}
	while (**at && strchr("lLhjzt", **at))
		(*at)++;
	switch (**at) {
	case 's':
		text = next_argument(state);
		put_padded(state, flags, width, precision, slice_text(text ? text : ""));
		break;
	case 'c':
		text = next_argument(state);
		put_padded(state, flags, width, -1, slice_first(slice_text(text ? text : ""), 1));
		break;
	case 'b':
		text = next_argument(state);
		if (!put_escaped(state->process, text ? text : "", true))
			return false;
		break;
	case 'q':
		text = next_argument(state);
		put_quoted(state, text ? text : "");
		break;
	case 'd':
	case 'i':
	case 'o':
	case 'u':
	case 'x':
	case 'X':
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
	case 'a':
	case 'A':
		put_number(state, flags, width, precision, **at);
		break;
	default:
		process_complain(state->process, "%%%.*s: invalid conversion specification",
				 (int)(*at - start + (**at != '\0')), start);
		process_exit(state->process, 1);
	}
	(*at)++;
	return true;
}

/* The format once; false when the output ends. */
static bool print_once(struct printf_state *state, const char *format)
{
	while (*format) {
		size_t length;
		int byte;

		process_step(state->process);
		if (*format == '%' && format[1] == '%') {
			process_put_byte(state->process, '%');
			format += 2;
		} else if (*format == '%') {
			format++;
			if (!convert(state, &format))
				return false;
		} else if (*format == '\\' && format[1]) {
			length = text_escape(format + 1, &byte, false);
			if (format[1] == '"') {
				byte = '"';
				length = 1;
			}
			if (byte == -2)
				return false;
			if (byte < 0)
				process_put_byte(state->process, '\\');
			else
				process_put_byte(state->process, (uint8_t)byte);
			format += 1 + length;
		} else
			process_put_byte(state->process, (uint8_t)*format++);
	}
	return true;
}

static int printf_main(struct process *process, int argc, char **argv)
{
	struct printf_state state = {.process = process};
	int first = 1;

	if (argc == 2 && !process->busybox && strcmp(argv[1], "--help") == 0)
		text_other_option(process, TEXT_HELP, "",
				  "FORMAT [ARGUMENT]...\nWrite ARGUMENTs as FORMAT says.", 1);
	if (argc == 2 && !process->busybox && strcmp(argv[1], "--version") == 0)
		text_other_option(process, TEXT_VERSION, COREUTILS, "", 1);
	if (argc > 1 && strcmp(argv[1], "--") == 0)
		first++;
	if (first >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	state.arguments = argv + first + 1;
	state.count = argc - first - 1;
	do {
		int before = state.at;

		if (!print_once(&state, argv[first]))
			return state.status;
		if (state.at == before && state.count > 0) {
			process_complain(process,
					 "warning: ignoring excess arguments, starting with '%s'",
					 state.arguments[state.at]);
			break;
		}
	} while (state.at < state.count);
	return state.status;
}

/* --- seq --- */

static int decimals_of(const char *text)
{
	const char *point = strchr(text, '.');

	return point ? (int)strspn(point + 1, "0123456789") : 0;
}

static double seq_number(struct process *process, const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (*end || end == text || isnan(number)) {
		process_complain(process, "invalid floating point argument: '%s'", text);
		text_try_help(process, 1);
	}
	return number;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void count_up(struct process *process, const double *range, const char *format,
		     const char *separator, int width, int decimals)
{
	double steps = (range[2] - range[0]) / range[1];

	for (double i = 0; i <= steps + 1e-9; i++) {
		double number = range[0] + i * range[1];

		process_step(process);
		if (i > 0)
			process_put_text(process, separator);
		if (format)
			process_print(process, format, number);
		else
			process_print(process, "%0*.*f", width, decimals, number);
	}
	if (steps >= 0)
		process_put_byte(process, '\n');
}
#pragma GCC diagnostic pop

static bool good_format(const char *format)
{
	const char *at = strchr(format, '%');

	while (at && at[1] == '%')
		at = strchr(at + 2, '%');
	if (!at)
		return false;
	at++;
	at += strspn(at, "-+ #0'");
	if (strspn(at, "0123456789") > 4)
		return false;
	at += strspn(at, "0123456789");
	if (*at == '.') {
		if (strspn(++at, "0123456789") > 4)
			return false;
		at += strspn(at, "0123456789");
	}
	return *at && strchr("aAeEfFgG", *at) && !strchr(at + 1, '%');
}

static int seq_main(struct process *process, int argc, char **argv)
{
	const char *separator = "\n", *format = NULL;
	double range[3] = {1, 1, 1};
	int i, decimals = 0, width = 0, count;
	bool equal = false;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] &&
		    !isdigit((unsigned char)argv[i][1]) && argv[i][1] != '.';
	     i++) {
		const char *letter = argv[i] + 1;

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0)
			text_other_option(process, argv[i][2] == 'h' ? TEXT_HELP : TEXT_VERSION,
					  COREUTILS,
					  "[OPTION]... LAST\n  or:  seq [OPTION]... FIRST LAST\n"
					  "  or:  seq [OPTION]... FIRST INCREMENT LAST\nWrite "
					  "numbers from FIRST to LAST.",
					  1);
		if (strcmp(argv[i], "--equal-width") == 0)
			letter = "w";
		else if (strncmp(argv[i], "--separator=", 12) == 0) {
			separator = argv[i] + 12;
			continue;
		} else if (strncmp(argv[i], "--format=", 9) == 0) {
			format = argv[i] + 9;
			continue;
		}
		if (*letter == 'w') {
			equal = true;
			continue;
		}
		if ((*letter != 's' && *letter != 'f') || (!letter[1] && i + 1 == argc)) {
			process_error(process,
				      *letter == 's' || *letter == 'f'
					      ? "%s: option requires an argument -- '%c'\n"
					      : "%s: invalid option -- '%c'\n",
				      argv[0], *letter);
			text_try_help(process, 1);
		}
		if (*letter == 's')
			separator = letter[1] ? letter + 1 : argv[++i];
		else
			format = letter[1] ? letter + 1 : argv[++i];
	}
	count = argc - i;
	if (count < 1 || count > 3) {
		if (count < 1)
			process_complain(process, "missing operand");
		else
			process_complain(process, "extra operand '%s'", argv[i + 3]);
		text_try_help(process, 1);
	}
	for (int k = 0; k < count; k++) {
		int places = decimals_of(argv[i + k]);

		range[count == 1 ? 2 : count == 2 ? 2 * k : k] = seq_number(process, argv[i + k]);
		if ((k + 1 < count || count == 1) && places > decimals)
			decimals = places;
	}
	if (range[1] == 0) {
		process_complain(process, "invalid Zero increment value: '%s'", argv[i + 1]);
		text_try_help(process, 1);
	}
	if (format && !good_format(format)) {
		const char *percent = strchr(format, '%');
		const char *letter =
			percent ? percent + 1 + strspn(percent + 1, "-+ #0'.123456789") : NULL;

		if (letter && *letter && !strchr("aAeEfFgG%", *letter))
			process_complain(process, "format '%s' has unknown %%%c directive", format,
					 *letter);
		else
			process_complain(process, "format '%s' has no %% directive", format);
		return 1;
	}
	if (equal) {
		for (int k = 0; k < 3; k += 2) {
			char *shown = process_format(process, "%.*f", decimals, range[k]);
			int length = (int)strlen(shown);

			width = length > width ? length : width;
			process_give(process, shown);
		}
	}
	count_up(process, range, format, separator, width, decimals);
	return 0;
}

/* --- yes, true, false --- */

static int yes_main(struct process *process, int argc, char **argv)
{
	struct text line = {0};

	for (int i = 1; i < argc; i++) {
		if (i > 1)
			text_add_byte(process, &line, ' ');
		text_add_words(process, &line, argv[i]);
	}
	if (argc == 1)
		text_add_byte(process, &line, 'y');
	text_add_byte(process, &line, '\n');
	for (;;) {
		process_put(process, text_slice(&line));
		process_step(process);
	}
	return 0;
}

static int true_main(struct process *process, int argc, char **argv)
{
	return 0;
}

static int false_main(struct process *process, int argc, char **argv)
{
	return 1;
}

static const struct command commands[] = {
	{"echo", echo_main, COMMAND_BOTH},
	{"printf", printf_main, COMMAND_BOTH},
	{"seq", seq_main, COMMAND_BOTH},
	{"yes", yes_main, COMMAND_BOTH},
	{"true", true_main, COMMAND_BOTH},
	{"false", false_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_words = {"text_words", commands};
