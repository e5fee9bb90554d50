/* echo and printf. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/shell/state.h"

#define WIDTH_MAX 65536

static unsigned octal(const char **at, unsigned most)
{
	unsigned value = 0, count = 0;

	while (count++ < most && **at >= '0' && **at <= '7')
		value = value * 8 + (unsigned)(*(*at)++ - '0');
	return value;
}

static void put_code(struct shell *shell, struct text *out, unsigned long code)
{
	uint8_t bytes[4];
	size_t size = 0;

	if (code < 0x80) {
		bytes[size++] = (uint8_t)code;
	} else if (code < 0x800) {
		bytes[size++] = (uint8_t)(0xc0 | code >> 6);
		bytes[size++] = (uint8_t)(0x80 | (code & 63));
	} else {
		if (code < 0x10000) {
			bytes[size++] = (uint8_t)(0xe0 | code >> 12);
		} else {
			bytes[size++] = (uint8_t)(0xf0 | (code >> 18 & 7));
			bytes[size++] = (uint8_t)(0x80 | (code >> 12 & 63));
		}
		bytes[size++] = (uint8_t)(0x80 | (code >> 6 & 63));
		bytes[size++] = (uint8_t)(0x80 | (code & 63));
	}
	text_add(shell->process, out, slice_of(bytes, size));
}

static unsigned long hexadecimal(const char **at, unsigned most, unsigned *count)
{
	unsigned long value = 0;

	for (*count = 0; *count < most && isxdigit((uint8_t) * *at); (*at)++, (*count)++) {
		int digit = tolower((uint8_t) * *at);

		value = value * 16 + (unsigned long)(digit > '9' ? digit - 'a' + 10 : digit - '0');
	}
	return value;
}

/* One escape, behind the backslash; false: \c. */
static bool put_escape(struct shell *shell, struct text *out, const char **at, bool echo)
{
	static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	struct process *process = shell->process;
	const char *name = **at ? strchr(names, **at) : NULL;
	char letter = **at;
	unsigned count;
	unsigned long code;

	if (name) {
		text_add_byte(process, out, (uint8_t)values[name - names]);
		(*at)++;
		return true;
	}
	if (letter == 'e' || (letter == 'E' && shell_has(shell, SHELL_BASH))) {
		text_add_byte(process, out, 27);
		(*at)++;
		return true;
	}
	if (letter == 'c' && echo)
		return false;
	if (letter == '0' && echo) {
		(*at)++;
		text_add_byte(process, out, (uint8_t)octal(at, 3));
		return true;
	}
	if (letter >= '0' && letter <= '7' && (!echo || !shell_has(shell, SHELL_BASH))) {
		text_add_byte(process, out, (uint8_t)octal(at, 3));
		return true;
	}
	if (letter == 'x' && !shell_has(shell, SHELL_DASH)) {
		const char *digits = *at + 1;

		code = hexadecimal(&digits, 2, &count);
		if (count) {
			text_add_byte(process, out, (uint8_t)code);
			*at = digits;
			return true;
		}
	}
	if ((letter == 'u' || letter == 'U') && shell_has(shell, SHELL_BASH)) {
		const char *digits = *at + 1;

		code = hexadecimal(&digits, letter == 'u' ? 4 : 8, &count);
		if (count) {
			put_code(shell, out, code);
			*at = digits;
			return true;
		}
	}
	if ((letter == '"' || letter == '\'' || letter == '?') && !echo) {
		if (letter != '?' || shell_has(shell, SHELL_BASH)) {
			text_add_byte(process, out, (uint8_t)letter);
			(*at)++;
			return true;
		}
	}
	text_add_byte(process, out, '\\');
	return true;
}

bool builtin_escapes(struct shell *shell, struct text *out, const char *text, bool echo)
{
	while (*text) {
		if (*text != '\\') {
			text_add_byte(shell->process, out, (uint8_t)*text++);
			continue;
		}
		text++;
		if (!*text) {
			text_add_byte(shell->process, out, '\\');
			break;
		}
		if (*text == 'c')
			return false;
		/* %b takes \NNN without the zero as well */
		if (!echo && *text >= '1' && *text <= '7') {
			text_add_byte(shell->process, out, (uint8_t)octal(&text, 3));
			continue;
		}
		if (!put_escape(shell, out, &text, true))
			return false;
	}
	return true;
}

int builtin_echo(struct shell *shell, int argc, char **argv)
{
	bool newline = true,
	     escapes = shell_has(shell, SHELL_DASH) || shell_option_is(shell, SHOPT_XPG_ECHO);
	struct text out = {0};
	int at = 1;

	if (shell_has(shell, SHELL_DASH)) {
		if (at < argc && !strcmp(argv[at], "-n")) {
			newline = false;
			at++;
		}
	} else {
		for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
			const char *letter = argv[at] + 1;

			if (letter[strspn(letter, "neE")])
				break;
			for (; *letter; letter++) {
				if (*letter == 'n')
					newline = false;
				else
					escapes = *letter == 'e';
			}
		}
	}
	for (int i = at; i < argc; i++) {
		if (i > at)
			text_add_byte(shell->process, &out, ' ');
		if (!escapes) {
			text_add_words(shell->process, &out, argv[i]);
		} else if (!builtin_escapes(shell, &out, argv[i], true)) {
			newline = false;
			break;
		}
	}
	if (newline)
		text_add_byte(shell->process, &out, '\n');
	output_put(shell, text_slice(&out));
	process_give(shell->process, out.data);
	return 0;
}

struct printing {
	struct shell *shell;
	struct text out;
	char **arguments;
	int count, at;
	int status;
	bool stop;
};

static const char *next_argument(struct printing *printing)
{
	return printing->at < printing->count ? printing->arguments[printing->at++] : NULL;
}

static void bad_number(struct printing *printing, const char *text)
{
	struct shell *shell = printing->shell;

	printing->status = 1;
	if (shell_has(shell, SHELL_BASH))
		message_builtin(shell, "%s: invalid number", text);
	else if (shell_has(shell, SHELL_DASH))
		message_builtin(shell,
				*text && strspn(text, "0123456789+-")
					? "%s: not completely converted"
					: "%s: expected numeric value",
				text);
	else
		message_say(shell, "invalid number '%s'", text);
}

static int64_t number_of(struct printing *printing, const char *text)
{
	char *end;
	int64_t value;

	if (!text)
		return 0;
	if (*text == '\'' || *text == '"')
		return (uint8_t)text[1];
	errno = 0;
	if (text[0] == '-')
		value = strtoll(text, &end, 0);
	else
		value = (int64_t)strtoull(text, &end, 0);
	if (*end || end == text) {
		if (*text || !shell_has(printing->shell, SHELL_BASH))
			bad_number(printing, text);
	} else if (errno == ERANGE) {
		message_builtin(printing->shell, "warning: %s: %s", text, strerror(ERANGE));
		printing->status = 1;
	}
	return value;
}

/* A word of %q as bash writes it. */
static char *shell_word(struct shell *shell, const char *text)
{
	char *word, *to;

	if (!*text)
		return (char *)(uintptr_t) "''";
	for (const char *at = text; *at; at++)
		if ((uint8_t)*at < 32 || *at == 127)
			return builtin_quoted_single(shell, text);
	word = pool_take(shell->scratch, strlen(text) * 2 + 1);
	to = word;
	for (const char *at = text; *at; at++) {
		if (strchr(" \t'\"\\|&;()<>`$*?[]!{}^,", *at) ||
		    ((*at == '#' || *at == '~') && at == text))
			*to++ = '\\';
		*to++ = *at;
	}
	*to = '\0';
	return word;
}

static void put_padded(struct printing *printing, const char *value, size_t length,
		       const char *flags, int width, int precision)
{
	struct process *process = printing->shell->process;
	bool left = strchr(flags, '-') != NULL;
	size_t pad;

	if (precision >= 0 && (size_t)precision < length)
		length = (size_t)precision;
	pad = width > 0 && (size_t)width > length ? (size_t)width - length : 0;
	for (size_t i = 0; !left && i < pad; i++)
		text_add_byte(process, &printing->out, ' ');
	text_add(process, &printing->out, slice_of(value, length));
	for (size_t i = 0; left && i < pad; i++)
		text_add_byte(process, &printing->out, ' ');
}

/* One number with its flags: through the C library, whose formats these are. */
static void put_number(struct printing *printing, char kind, const char *flags, int width,
		       int precision, const char *argument)
{
	char format[48], *at = format, *text;
	int64_t value = number_of(printing, argument);
	size_t room = (size_t)width + (precision > 0 ? (size_t)precision : 0) + 32;
	int length;

	*at++ = '%';
	for (const char *flag = flags; *flag; flag++)
		*at++ = *flag;
	*at++ = '*';
	if (precision >= 0) {
		*at++ = '.';
		*at++ = '*';
	}
	*at++ = 'l';
	*at++ = 'l';
	*at++ = kind;
	*at = '\0';
	text = pool_take(printing->shell->scratch, room);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	length = precision >= 0 ? snprintf(text, room, format, width, precision, (long long)value)
				: snprintf(text, room, format, width, (long long)value);
#pragma GCC diagnostic pop
	text_add(printing->shell->process, &printing->out, slice_of(text, (size_t)length));
}

static void put_float(struct printing *printing, char kind, const char *flags, int width,
		      int precision, const char *argument)
{
	char format[32], text[512], *end;
	double value = 0;
	int length;

	if (argument && (*argument == '\'' || *argument == '"')) {
		value = (uint8_t)argument[1];
	} else if (argument) {
		value = strtod(argument, &end);
		if (*end || end == argument)
			bad_number(printing, argument);
	}
	if (precision > 300)
		precision = 300;
	if (width > 400)
		width = 400;
	snprintf(format, sizeof(format), precision >= 0 ? "%%%s*.*%c" : "%%%s*%c", flags, kind);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	length = precision >= 0 ? snprintf(text, sizeof(text), format, width, precision, value)
				: snprintf(text, sizeof(text), format, width, value);
#pragma GCC diagnostic pop
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	text_add(printing->shell->process, &printing->out, slice_of(text, (size_t)length));
}

/* %(format)T */
static const char *put_time(struct printing *printing, const char *at, const char *flags, int width,
			    int precision)
{
	const char *end = strchr(at, ')'), *argument;
	char format[128], text[256];
	int64_t when;
	time_t seconds;
	struct tm parts;

	if (!end || end[1] != 'T')
		return NULL;
	snprintf(format, sizeof(format), "%.*s", (int)(end - at - 1), at + 1);
	argument = next_argument(printing);
	when = argument ? number_of(printing, argument) : -1;
	seconds =
		(time_t)(when == -1 || when == -2 ? process_now(printing->shell->process) / 1000000
						  : when);
	if (!gmtime_r(&seconds, &parts))
		return end + 2;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	text[strftime(text, sizeof(text), *format ? format : "%X", &parts)] = '\0';
#pragma GCC diagnostic pop
	put_padded(printing, text, strlen(text), flags, width, precision);
	return end + 2;
}

static void put_conversion(struct printing *printing, char kind, const char *flags, int width,
			   int precision)
{
	struct shell *shell = printing->shell;
	const char *argument = next_argument(printing);
	struct text escaped = {0};

	switch (kind) {
	case 's':
		argument = argument ? argument : "";
		put_padded(printing, argument, strlen(argument), flags, width, precision);
		break;
	case 'c':
		put_padded(printing, argument && *argument ? argument : "",
			   argument && *argument ? 1 : 0, flags, width, -1);
		break;
	case 'b':
		if (!builtin_escapes(shell, &escaped, argument ? argument : "", false))
			printing->stop = true;
		put_padded(printing, escaped.data ? escaped.data : "", escaped.length, flags, width,
			   precision);
		process_give(shell->process, escaped.data);
		break;
	case 'q':
		argument = shell_word(shell, argument ? argument : "");
		put_padded(printing, argument, strlen(argument), flags, width, precision);
		break;
	case 'd':
	case 'i':
	case 'o':
	case 'u':
	case 'x':
	case 'X':
		put_number(printing, kind, flags, width, precision, argument);
		break;
	default:
		put_float(printing, kind, flags, width, precision, argument);
	}
}

/* A width or precision that an argument gives; beyond the limit: one that is too much. */
static int star_of(struct printing *printing)
{
	int64_t number = number_of(printing, next_argument(printing));

	return number > WIDTH_MAX || number < -WIDTH_MAX ? WIDTH_MAX + 1 : (int)number;
}

/* At a "%": what follows; NULL: told. */
static const char *put_directive(struct printing *printing, const char *at)
{
	struct shell *shell = printing->shell;
	const char *start = at++;
	char flags[8];
	size_t count = 0;
	int width = 0, precision = -1;

	if (*at == '%') {
		text_add_byte(shell->process, &printing->out, '%');
		return at + 1;
	}
	while (*at && strchr("-+ #0", *at) && count < sizeof(flags) - 1)
		flags[count++] = *at++;
	flags[count] = '\0';
	if (*at == '*') {
		width = star_of(printing);
		at++;
	}
	while (isdigit((uint8_t)*at) && width >= 0 && width < WIDTH_MAX)
		width = width * 10 + (*at++ - '0');
	if (*at == '.') {
		precision = 0;
		at++;
		if (*at == '*') {
			precision = star_of(printing);
			at++;
		}
		while (isdigit((uint8_t)*at) && precision >= 0 && precision < WIDTH_MAX)
			precision = precision * 10 + (*at++ - '0');
	}
	if (abs(width) > WIDTH_MAX || precision > WIDTH_MAX)
		width = precision = 0;
	if (width < 0 && count < sizeof(flags) - 1) {
		flags[count++] = '-';
		flags[count] = '\0';
		width = -width;
	}
	while (*at && strchr("hlLjtz", *at))
		at++;
	if (*at == '(' && shell_has(shell, SHELL_BASH)) {
		const char *after = put_time(printing, at, flags, width, precision);

		if (after)
			return after;
	}
	if (!*at ||
	    !strchr(shell_has(shell, SHELL_BASH) ? "scbqdiouxXeEfFgGaA" : "scbdiouxXeEfFgGaA",
		    *at)) {
		printing->status = 1;
		if (!*at && shell_has(shell, SHELL_BASH))
			message_builtin(shell, "`%s': missing format character", start);
		else if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "`%c': invalid format character", *at);
		else if (shell_has(shell, SHELL_DASH))
			message_builtin(shell,
					*at ? "%.*s: invalid directive" : "%.*s: missing format",
					(int)(at - start) + 1, start);
		else
			message_say(shell, "%s: invalid format", start);
		return NULL;
	}
	put_conversion(printing, *at, flags, width, precision);
	return at + 1;
}

static void print_format(struct printing *printing, const char *format)
{
	int before;

	do {
		const char *at = format;

		before = printing->at;
		while (*at && !printing->stop) {
			if (*at == '\\' && at[1]) {
				at++;
				if (!put_escape(printing->shell, &printing->out, &at, false)) {
					printing->stop = true;
					return;
				}
			} else if (*at == '%') {
				at = put_directive(printing, at);
				if (!at)
					return;
			} else {
				text_add_byte(printing->shell->process, &printing->out,
					      (uint8_t)*at++);
			}
		}
		process_step(printing->shell->process);
		if (printing->out.length > SHELL_EXPANSION_MAX)
			return;
	} while (!printing->stop && printing->at < printing->count && printing->at > before);
}

int builtin_printf(struct shell *shell, int argc, char **argv)
{
	struct printing printing = {.shell = shell};
	const char *variable = NULL;
	int at = 1;

	if (at < argc && !strcmp(argv[at], "-v") && shell_has(shell, SHELL_BASH)) {
		if (at + 1 >= argc) {
			message_builtin(shell, "-v: option requires an argument");
			return builtin_usage(shell);
		}
		variable = argv[at + 1];
		at += 2;
	}
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	else if (at < argc && argv[at][0] == '-' && argv[at][1] && shell_has(shell, SHELL_DASH)) {
		message_builtin(shell, "Illegal option -%c", argv[at][1]);
		return message_special(shell, 2);
	} else if (at < argc && argv[at][0] == '-' && argv[at][1] && shell_has(shell, SHELL_BASH) &&
		   !variable) {
		message_builtin(shell, "%.2s: invalid option", argv[at]);
		return builtin_usage(shell);
	}
	if (at >= argc) {
		if (shell_has(shell, SHELL_BASH))
			return builtin_usage(shell);
		message_builtin(shell, shell_has(shell, SHELL_DASH)
					       ? "usage: printf format [arg ...]"
					       : "usage: printf FORMAT [ARG]...");
		return shell_has(shell, SHELL_DASH) ? message_special(shell, 2) : 1;
	}
	printing.arguments = argv + at + 1;
	printing.count = argc - at - 1;
	print_format(&printing, argv[at]);
	if (variable) {
		if (variables_set(shell, variable, printing.out.data ? printing.out.data : "") < 0)
			printing.status = 1;
	} else {
		output_put(shell, text_slice(&printing.out));
	}
	process_give(shell->process, printing.out.data);
	return printing.status;
}
