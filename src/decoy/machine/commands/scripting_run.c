/* A small evaluator for one-liners; see scripting.h. */
#include "decoy/machine/commands/scripting.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/host.h"

#define TEXT_MAX  ((size_t)256 * 1024)
#define WORK_MOST 20000 /* statements of a program */

static struct script_value evaluate(struct script *s);

struct script_value script_none(void)
{
	return (struct script_value){.kind = SCRIPT_NONE};
}

struct script_value script_opaque(void)
{
	return (struct script_value){.kind = SCRIPT_OPAQUE};
}

struct script_value script_text_value(struct slice text)
{
	return (struct script_value){.kind = SCRIPT_TEXT, .text = text};
}

struct script_value script_number_value(double number, bool fraction)
{
	return (struct script_value){.kind = SCRIPT_NUMBER, .number = number, .fraction = fraction};
}

/* --- the letters --- */

static void skip_blanks(struct script *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
				  (*s->at == '\\' && s->at + 1 < s->end && s->at[1] == '\n')))
		s->at++;
}

static bool ahead(struct script *s, const char *words)
{
	size_t length = strlen(words);
	skip_blanks(s);
	return (size_t)(s->end - s->at) >= length && memcmp(s->at, words, length) == 0;
}

static bool take(struct script *s, const char *words)
{
	if (!ahead(s, words))
		return false;
	s->at += strlen(words);
	return true;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool take_keyword(struct script *s, const char *word)
{
	const char *before = s->at;
	if (take(s, word) && (s->at >= s->end || !is_word(*s->at)))
		return true;
	s->at = before;
	return false;
}

/* "os.path.join" as one; in Perl "$x", "Foo::bar". */
static struct slice take_name(struct script *s)
{
	skip_blanks(s);
	const char *start = s->at;
	if (s->perl && s->at < s->end && strchr("$@%&", *s->at))
		s->at++;
	while (s->at < s->end &&
	       (is_word(*s->at) ||
		(!s->perl && *s->at == '.' && s->at + 1 < s->end && is_word(s->at[1])) ||
		(s->perl && *s->at == ':' && s->at + 2 < s->end && s->at[1] == ':')))
		s->at += *s->at == ':' ? 2 : 1;
	return slice_of(start, (size_t)(s->at - start));
}

static bool at_end_of_statement(struct script *s)
{
	skip_blanks(s);
	return s->at >= s->end || *s->at == '\n' || *s->at == ';' || *s->at == '#' ||
	       (s->perl && *s->at == '}');
}

/* --- texts --- */

static void add_escape(struct script *s, struct text *out)
{
	char c = *s->at++;
	static const char letters[] = "ntrab0\\'\"fv", means[] = "\n\t\r\a\b\0\\'\"\f\v";
	if (c == 'x') {
		unsigned value = 0;
		for (int i = 0; i < 2 && s->at < s->end && isxdigit((unsigned char)*s->at); i++) {
			char digit = *s->at++;
			value = value * 16 + (unsigned)(isdigit((unsigned char)digit)
								? digit - '0'
								: (digit | 32) - 'a' + 10);
		}
		text_add_byte(s->process, out, (uint8_t)value);
		return;
	}
	const char *found = memchr(letters, c, sizeof(letters) - 1);
	if (!found) {
		text_add_byte(s->process, out, '\\');
		text_add_byte(s->process, out, (uint8_t)c);
		return;
	}
	text_add_byte(s->process, out, (uint8_t)means[found - letters]);
}

static const struct script_value *find_variable(const struct script *s, struct slice name)
{
	for (size_t i = 0; i < s->variable_count; i++)
		if (slice_is(name, s->variables[i].name))
			return &s->variables[i].value;
	return NULL;
}

struct slice script_as_text(struct script *s, const struct script_value *value)
{
	struct process *p = s->process;
	switch (value->kind) {
	case SCRIPT_TEXT:
		return value->text;
	case SCRIPT_NUMBER:
		if (value->fraction && value->number == (double)(long long)value->number)
			return slice_text(
				process_format(p, s->perl ? "%.15g" : "%.1f", value->number));
		if (value->fraction)
			return slice_text(
				process_format(p, s->perl ? "%.15g" : "%.17g", value->number));
		return slice_text(process_format(p, "%.0f", value->number));
	case SCRIPT_LIST: {
		struct text out = {0};
		text_add_words(p, &out, s->perl ? "" : "[");
		for (size_t i = 0; i < value->count; i++) {
			bool quote = !s->perl && value->items[i].kind == SCRIPT_TEXT;
			if (i && !s->perl)
				text_add_words(p, &out, ", ");
			text_add_words(p, &out, quote ? "'" : "");
			text_add(p, &out, script_as_text(s, &value->items[i]));
			text_add_words(p, &out, quote ? "'" : "");
		}
		text_add_words(p, &out, s->perl ? "" : "]");
		return text_slice(&out);
	}
	default:
		return s->perl ? slice_of("", 0) : slice_text("None");
	}
}

/* "$x" within a Perl text. */
static void add_interpolated(struct script *s, struct text *out)
{
	const char *start = s->at++;
	while (s->at < s->end && is_word(*s->at))
		s->at++;
	const struct script_value *value =
		find_variable(s, slice_of(start, (size_t)(s->at - start)));
	if (value)
		text_add(s->process, out, script_as_text(s, value));
	else if (s->at == start + 1)
		text_add_byte(s->process, out, (uint8_t)*start);
}

static struct script_value take_text(struct script *s, char quote, bool raw)
{
	struct text out = {0};
	bool three = !s->perl && s->end - s->at >= 2 && s->at[0] == quote && s->at[1] == quote;
	text_add_words(s->process, &out, "");
	if (three)
		s->at += 2;
	while (s->at < s->end) {
		char c = *s->at;
		if (c == quote &&
		    (!three || (s->end - s->at >= 3 && s->at[1] == quote && s->at[2] == quote))) {
			s->at += three ? 3 : 1;
			return script_text_value(text_slice(&out));
		}
		if (c == '\\' && s->at + 1 < s->end) {
			s->at++;
			bool plain = raw || (s->perl && quote == '\'');
			if (plain && *s->at != quote && *s->at != '\\')
				text_add_byte(s->process, &out, '\\');
			if (plain)
				text_add_byte(s->process, &out, (uint8_t)*s->at++);
			else
				add_escape(s, &out);
			continue;
		}
		if (s->perl && quote != '\'' && c == '$') {
			add_interpolated(s, &out);
			continue;
		}
		if (out.length < TEXT_MAX)
			text_add_byte(s->process, &out, (uint8_t)c);
		s->at++;
	}
	s->beyond = true;
	return script_none();
}

/* "(a, b, shell=True)"; the parenthesis was taken. Names of arguments are dropped. */
static size_t take_arguments(struct script *s, struct script_value *arguments, char close)
{
	size_t count = 0;
	for (;;) {
		while (s->at < s->end && (*s->at == '\n' || *s->at == ' '))
			s->at++;
		skip_blanks(s);
		if (s->at < s->end && *s->at == close) {
			s->at++;
			return count;
		}
		if (s->at >= s->end || s->beyond || s->exited)
			break;
		const char *before = s->at;
		struct slice name = take_name(s);
		bool named = false;
		if (name.length && !s->perl && ahead(s, "=") && s->at + 1 < s->end &&
		    s->at[1] != '=') {
			s->at++;
			named = true;
		} else {
			s->at = before;
		}
		struct script_value value = evaluate(s);
		if (!named && count < SCRIPT_ITEMS)
			arguments[count++] = value;
		if (!take(s, ",") && !take(s, "=>") && !ahead(s, (char[]){close, '\0'}) &&
		    !ahead(s, "\n"))
			break;
		process_step(s->process);
	}
	s->beyond = true;
	return count;
}

static struct script_value list_value(struct script *s, char close)
{
	struct script_value *items = process_take(s->process, SCRIPT_ITEMS * sizeof(*items));
	size_t count = take_arguments(s, items, close);
	if (close == ')' && count == 1)
		return items[0];
	return (struct script_value){.kind = SCRIPT_LIST, .items = items, .count = count};
}

static struct script_value known_name(struct script *s, struct slice name)
{
	const struct script_value *value = find_variable(s, name);
	if (value)
		return *value;
	if (slice_is(name, "True"))
		return script_number_value(1, false);
	if (slice_is(name, "False"))
		return script_number_value(0, false);
	if (slice_is(name, "None"))
		return script_none();
	if (slice_is(name, "sys.version"))
		return script_text_value(
			SLICE("3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0]"));
	if (slice_is(name, "sys.platform"))
		return script_text_value(SLICE("linux"));
	if (slice_is(name, "os.name"))
		return script_text_value(SLICE("posix"));
	if (slice_is(name, "sys.executable"))
		return script_text_value(SLICE("/usr/bin/python3"));
	if (!s->perl && slice_find_byte(name, '.') == SIZE_MAX) {
		script_tell_error(s, "NameError",
				  process_format(s->process, "name '%.*s' is not defined",
						 (int)name.length, (const char *)name.at));
		return script_none();
	}
	return s->perl ? script_none() : script_opaque();
}

/* ".read()", "[0]" and so on behind a value. */
static struct script_value suffixes(struct script *s, struct script_value value)
{
	while (!s->beyond && !s->exited) {
		if (!s->perl && s->at < s->end && *s->at == '.' && s->at + 1 < s->end &&
		    isalpha((unsigned char)s->at[1])) {
			s->at++;
			struct slice name = take_name(s);
			if (!take(s, "("))
				continue;
			struct script_value *arguments =
				process_take(s->process, SCRIPT_ITEMS * sizeof(*arguments));
			size_t count = take_arguments(s, arguments, ')');
			if (value.kind == SCRIPT_OPAQUE || count) {
				value = script_call(s, name, arguments, count);
			} else if (slice_is(name, "strip")) {
				value = script_text_value(slice_trim(script_as_text(s, &value)));
			}
		} else if (!s->perl && s->at < s->end && *s->at == '[') {
			s->at++;
			(void)list_value(s, ']');
			value = script_opaque();
		} else {
			break;
		}
		process_step(s->process);
	}
	return value;
}

static struct script_value primary(struct script *s)
{
	skip_blanks(s);
	if (s->at >= s->end || s->beyond || s->exited)
		return script_none();
	char c = *s->at;
	if ((c == 'b' || c == 'r' || c == 'u' || c == 'f') && s->at + 1 < s->end && !s->perl &&
	    (s->at[1] == '"' || s->at[1] == '\'')) {
		s->at += 2;
		return suffixes(s, take_text(s, s->at[-1], c == 'r'));
	}
	if (c == '"' || c == '\'') {
		s->at++;
		return suffixes(s, take_text(s, c, false));
	}
	if (c == '`' && s->perl) {
		s->at++;
		struct script_value line = take_text(s, '`', false);
		return script_text_value(script_output_of(s, line.text));
	}
	if (isdigit((unsigned char)c)) {
		char *end;
		char *digits =
			process_copy_slice(s->process, slice_of(s->at, (size_t)(s->end - s->at)));
		double number = c == '0' && s->at + 1 < s->end && (s->at[1] | 32) == 'x'
					? (double)strtoull(digits, &end, 16)
					: strtod(digits, &end);
		struct slice spent = slice_of(s->at, (size_t)(end - digits));
		s->at += end - digits;
		process_give(s->process, digits);
		return script_number_value(number, slice_find_byte(spent, '.') != SIZE_MAX);
	}
	if (c == '(' || c == '[') {
		s->at++;
		return suffixes(s, list_value(s, c == '(' ? ')' : ']'));
	}
	if (c == '-') {
		s->at++;
		struct script_value value = primary(s);
		value.number = -value.number;
		return value;
	}
	struct slice name = take_name(s);
	if (name.length == 0) {
		s->beyond = true;
		return script_none();
	}
	if (s->perl && (slice_is(name, "qx") || slice_is(name, "q") || slice_is(name, "qq")) &&
	    s->at < s->end && strchr("{(/|", *s->at)) {
		char close = *s->at == '{' ? '}' : *s->at == '(' ? ')' : *s->at;
		s->at++;
		struct script_value value = take_text(s, close, slice_is(name, "q"));
		return slice_is(name, "qx") ? script_text_value(script_output_of(s, value.text))
					    : value;
	}
	if (s->perl && name.at[0] != '$' && !ahead(s, "(") && !at_end_of_statement(s)) {
		/* A call without parentheses. */
		struct script_value *arguments =
			process_take(s->process, SCRIPT_ITEMS * sizeof(*arguments));
		size_t count = 0;
		do
			arguments[count++] = evaluate(s);
		while (count < SCRIPT_ITEMS && take(s, ",") && !s->beyond);
		return script_call(s, name, arguments, count);
	}
	if (take(s, "(")) {
		if (slice_is(name, "__import__")) {
			(void)list_value(s, ')');
			return suffixes(s, script_opaque());
		}
		struct script_value *arguments =
			process_take(s->process, SCRIPT_ITEMS * sizeof(*arguments));
		size_t count = take_arguments(s, arguments, ')');
		if (s->beyond || s->exited)
			return script_none();
		return suffixes(s, script_call(s, name, arguments, count));
	}
	return suffixes(s, known_name(s, name));
}

static struct script_value repeat(struct script *s, struct slice text, double times)
{
	struct text out = {0};
	text_add_words(s->process, &out, "");
	for (double i = 0; i < times && out.length + text.length <= TEXT_MAX; i++)
		text_add(s->process, &out, text);
	return script_text_value(text_slice(&out));
}

static struct script_value product(struct script *s)
{
	struct script_value left = primary(s);
	while (!s->beyond && !s->exited) {
		skip_blanks(s);
		bool power = ahead(s, "**");
		if (!power && !ahead(s, "*") && !ahead(s, "/") && !ahead(s, "%") &&
		    !(s->perl && ahead(s, "x ")))
			break;
		char c = *s->at;
		s->at += power ? 2 : 1;
		bool whole = c == '/' && take(s, "/");
		struct script_value right = primary(s);
		if ((c == '*' || c == 'x') && left.kind == SCRIPT_TEXT)
			left = repeat(s, left.text, right.number);
		else if (c == '*' && right.kind == SCRIPT_TEXT)
			left = repeat(s, right.text, left.number);
		else if (left.kind != SCRIPT_NUMBER || right.kind != SCRIPT_NUMBER)
			s->beyond = true;
		else if (power) {
			double result = 1;
			for (int i = 0; i < (int)right.number && i < 64; i++)
				result *= left.number;
			left.number = result;
		} else if (c == '*') {
			left.number *= right.number;
			left.fraction = left.fraction || right.fraction;
		} else if (right.number == 0) {
			if (s->perl)
				s->beyond = true;
			else
				script_tell_error(s, "ZeroDivisionError", "division by zero");
		} else if (c == '%') {
			left.number = (double)((long long)left.number % (long long)right.number);
		} else {
			left.number /= right.number;
			left.fraction = !whole &&
					!(s->perl && left.number == (double)(long long)left.number);
			if (whole)
				left.number = (double)(long long)left.number;
		}
		process_step(s->process);
	}
	return left;
}

static struct script_value evaluate(struct script *s)
{
	if (s->depth >= SCRIPT_DEPTH) {
		s->beyond = true;
		return script_none();
	}
	s->depth++;
	struct script_value left = product(s);
	while (!s->beyond && !s->exited) {
		skip_blanks(s);
		char c = s->at < s->end ? *s->at : '\0';
		bool joins = s->perl && c == '.';
		if (c != '+' && !joins && (c != '-' || s->at + 1 >= s->end))
			break;
		s->at++;
		struct script_value right = product(s);
		if (joins || left.kind == SCRIPT_TEXT) {
			struct text out = {0};
			text_add(s->process, &out, script_as_text(s, &left));
			text_add(s->process, &out, script_as_text(s, &right));
			left = script_text_value(text_slice(&out));
		} else if (left.kind == SCRIPT_NUMBER && right.kind == SCRIPT_NUMBER) {
			left.number += c == '+' ? right.number : -right.number;
			left.fraction = left.fraction || right.fraction;
		} else {
			s->beyond = true;
		}
		process_step(s->process);
	}
	s->depth--;
	return left;
}

/* --- statements --- */

static void put_value(struct script *s, const struct script_value *value)
{
	process_put(s->process, script_as_text(s, value));
}

static void do_print(struct script *s)
{
	struct process *p = s->process;
	struct script_value *arguments = process_take(p, SCRIPT_ITEMS * sizeof(*arguments));
	size_t count = 0;
	bool parenthesis = take(s, "(");
	if (parenthesis) {
		count = take_arguments(s, arguments, ')');
	} else if (s->perl) {
		(void)(take_keyword(s, "STDOUT") || take_keyword(s, "STDERR"));
		do
			arguments[count++] = evaluate(s);
		while (count < SCRIPT_ITEMS && take(s, ",") && !s->beyond);
	} else {
		const char *end = s->at, *start = end;
		while (*--start != 'p') /* back over blanks and the word */
			;
		struct text marks = {0};
		while (end < s->end && *end != '\n' && *end != ';')
			end++;
		for (const char *at = start; at < end; at++)
			text_add_byte(p, &marks, '^');
		process_flush(p);
		process_error(p,
			      "  File \"<string>\", line %u\n    %.*s\n    %s\nSyntaxError: "
			      "Missing parentheses in call to 'print'. Did you mean print(...)?\n",
			      s->line, (int)(end - start), start, marks.data);
		s->exited = s->failed = true;
		s->status = 1;
		return;
	}
	if (s->beyond || (s->exited && s->failed))
		return;
	for (size_t i = 0; i < count; i++) {
		if (i && !s->perl)
			process_put_byte(p, ' ');
		put_value(s, &arguments[i]);
	}
	if (!s->perl)
		process_put_byte(p, '\n');
}

static const char *const modules[] = {
	"os",     "sys",       "subprocess",      "pty",       "socket",      "time",
	"base64", "platform",  "urllib",          "random",    "re",          "json",
	"string", "math",      "struct",          "threading", "hashlib",     "shutil",
	"http",   "getpass",   "signal",          "select",    "zlib",        "datetime",
	"ssl",    "glob",      "tempfile",        "ftplib",    "codecs",      "binascii",
	"ctypes", "itertools", "argparse",        "logging",   "collections", "pwd",
	"fcntl",  "termios",   "multiprocessing", "requests",  "functools",   "io",
	"stat",   "errno",     "traceback",       "asyncio",   "importlib",   "uuid"};

static void do_import(struct script *s)
{
	do {
		bool known = false;
		struct slice name = take_name(s),
			     top = slice_first(name, slice_find_byte(name, '.'));
		for (size_t i = 0; i < ARRAY_COUNT(modules); i++)
			known = known || slice_is(top, modules[i]);
		if (!known) {
			script_tell_error(s, "ModuleNotFoundError",
					  process_format(s->process, "No module named '%.*s'",
							 (int)top.length, (const char *)top.at));
			return;
		}
		if (take_keyword(s, "as"))
			(void)take_name(s);
		if (take_keyword(s, "import"))
			while (!at_end_of_statement(s))
				s->at++;
	} while (take(s, ","));
}

static void set_variable(struct script *s, struct slice name, struct script_value value)
{
	for (size_t i = 0; i < s->variable_count; i++)
		if (slice_is(name, s->variables[i].name)) {
			s->variables[i].value = value;
			return;
		}
	if (s->variable_count < SCRIPT_VARIABLES)
		s->variables[s->variable_count++] =
			(struct script_variable){process_copy_slice(s->process, name), value};
}

static bool is_beyond(struct script *s)
{
	static const char *const words[] = {"if",    "for",    "while", "def",     "class",
					    "try",   "with",   "sub",   "foreach", "unless",
					    "async", "lambda", "@"};
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		const char *before = s->at;
		if (take_keyword(s, words[i])) {
			s->at = before;
			return true;
		}
	}
	return false;
}

static void statement(struct script *s, bool shows)
{
	skip_blanks(s);
	const char *start = s->at;
	if (is_beyond(s)) {
		s->beyond = true;
		return;
	}
	if (take_keyword(s, "print") || take_keyword(s, "say")) {
		do_print(s);
		return;
	}
	if (!s->perl && (take_keyword(s, "import") || take_keyword(s, "from"))) {
		do_import(s);
		return;
	}
	if (s->perl &&
	    (take_keyword(s, "use") || take_keyword(s, "no") || take_keyword(s, "require"))) {
		while (!at_end_of_statement(s))
			s->at++;
		return;
	}
	if (take_keyword(s, "pass"))
		return;
	if (s->perl)
		(void)(take_keyword(s, "my") || take_keyword(s, "our") || take_keyword(s, "local"));
	struct slice name = take_name(s);
	if (name.length && ahead(s, "=") && s->at + 1 < s->end && s->at[1] != '=' &&
	    s->at[1] != '~') {
		s->at++;
		struct script_value value = evaluate(s);
		if (ahead(s, ","))
			s->beyond = true;
		set_variable(s, name, value);
		return;
	}
	s->at = start;
	struct script_value value = evaluate(s);
	if (shows && !s->beyond && !s->exited && value.kind != SCRIPT_NONE &&
	    value.kind != SCRIPT_OPAQUE) {
		bool quote = value.kind == SCRIPT_TEXT;
		process_put_text(s->process, quote ? "'" : "");
		put_value(s, &value);
		process_put_text(s->process, quote ? "'\n" : "\n");
	}
}

static void run(struct script *s, bool shows)
{
	unsigned count = 0;
	while (s->at < s->end && !s->beyond && !s->exited && count++ < WORK_MOST) {
		skip_blanks(s);
		if (s->at < s->end && *s->at == '#') {
			while (s->at < s->end && *s->at != '\n')
				s->at++;
		} else if (s->at < s->end && (*s->at == '\n' || *s->at == ';')) {
			s->line += *s->at == '\n';
			s->at++;
		} else if (s->at < s->end) {
			statement(s, shows);
			if (!at_end_of_statement(s) && !s->exited)
				s->beyond = true;
		}
		process_step(s->process);
	}
}

int script_run_line(struct script *s, struct slice line)
{
	s->at = (const char *)line.at;
	s->end = s->at + line.length;
	s->line = 1;
	run(s, !s->perl && s->depth == 0);
	return s->status;
}

int script_run(struct process *p, bool perl, struct slice program, const char *name)
{
	struct script *s = process_take(p, sizeof(*s));
	s->process = p;
	s->perl = perl;
	s->at = (const char *)program.at;
	s->end = s->at + program.length;
	s->line = 1;
	run(s, false);
	process_flush(p);
	if (s->beyond && !s->failed) {
		/* Longer programs: whoever they call does not answer; then they are done. */
		if (!script_connects(p, program))
			process_sleep(p, 30000 + (int64_t)process_random_number(p, 60000));
	}
	return s->status;
}
