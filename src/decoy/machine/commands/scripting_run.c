/* A small evaluator for one-liners of Perl; see scripting.h. */
#include "decoy/machine/commands/scripting.h"

#include <ctype.h>
#include <math.h>
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

/* "$x", "Foo::bar". */
static struct slice take_name(struct script *s)
{
	skip_blanks(s);
	const char *start = s->at;
	if (s->at < s->end && strchr("$@%&", *s->at))
		s->at++;
	while (s->at < s->end &&
	       (is_word(*s->at) || (*s->at == ':' && s->at + 2 < s->end && s->at[1] == ':')))
		s->at += *s->at == ':' ? 2 : 1;
	return slice_of(start, (size_t)(s->at - start));
}

static bool at_end_of_statement(struct script *s)
{
	skip_blanks(s);
	return s->at >= s->end || *s->at == '\n' || *s->at == ';' || *s->at == '#' || *s->at == '}';
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
		return slice_text(
			process_format(p, value->fraction ? "%.15g" : "%.0f", value->number));
	case SCRIPT_LIST: {
		struct text out = {0};
		text_add_words(p, &out, "");
		for (size_t i = 0; i < value->count; i++)
			text_add(p, &out, script_as_text(s, &value->items[i]));
		return text_slice(&out);
	}
	default:
		return slice_of("", 0);
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
	text_add_words(s->process, &out, "");
	while (s->at < s->end) {
		char c = *s->at;
		if (c == quote) {
			s->at++;
			return script_text_value(text_slice(&out));
		}
		if (c == '\\' && s->at + 1 < s->end) {
			s->at++;
			bool plain = raw || quote == '\'';
			if (plain && *s->at != quote && *s->at != '\\')
				text_add_byte(s->process, &out, '\\');
			if (plain)
				text_add_byte(s->process, &out, (uint8_t)*s->at++);
			else
				add_escape(s, &out);
			continue;
		}
		if (quote != '\'' && c == '$') {
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

/* "(a, b => c)"; the parenthesis was taken. */
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
		struct script_value value = evaluate(s);
		if (count < SCRIPT_ITEMS)
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

	return value ? *value : script_none();
}

static struct script_value primary(struct script *s)
{
	skip_blanks(s);
	if (s->at >= s->end || s->beyond || s->exited)
		return script_none();
	char c = *s->at;
	if (c == '"' || c == '\'') {
		s->at++;
		return take_text(s, c, false);
	}
	if (c == '`') {
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
		return list_value(s, c == '(' ? ')' : ']');
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
	if ((slice_is(name, "qx") || slice_is(name, "q") || slice_is(name, "qq")) &&
	    s->at < s->end && strchr("{(/|", *s->at)) {
		char close = *s->at == '{' ? '}' : *s->at == '(' ? ')' : *s->at;
		s->at++;
		struct script_value value = take_text(s, close, slice_is(name, "q"));
		return slice_is(name, "qx") ? script_text_value(script_output_of(s, value.text))
					    : value;
	}
	if (name.at[0] != '$' && !ahead(s, "(") && !at_end_of_statement(s)) {
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
		struct script_value *arguments =
			process_take(s->process, SCRIPT_ITEMS * sizeof(*arguments));
		size_t count = take_arguments(s, arguments, ')');
		if (s->beyond || s->exited)
			return script_none();
		return script_call(s, name, arguments, count);
	}
	return known_name(s, name);
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
		    !ahead(s, "x ") &&
		    !(ahead(s, "x") && s->at + 1 < s->end && isdigit((unsigned char)s->at[1])))
			break;
		char c = *s->at;
		s->at += power ? 2 : 1;
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
			s->beyond = true;
		} else if (c == '%') {
			left.number = (double)((long long)left.number % (long long)right.number);
		} else {
			left.number /= right.number;
			left.fraction = left.number != floor(left.number);
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
		bool joins = c == '.';
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

	if (take(s, "(")) {
		count = take_arguments(s, arguments, ')');
	} else {
		(void)(take_keyword(s, "STDOUT") || take_keyword(s, "STDERR"));
		do
			arguments[count++] = evaluate(s);
		while (count < SCRIPT_ITEMS && take(s, ",") && !s->beyond);
	}
	if (s->beyond || s->exited)
		return;
	for (size_t i = 0; i < count; i++)
		put_value(s, &arguments[i]);
	if (s->lines)
		process_put_byte(p, '\n');
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

static void statement(struct script *s)
{
	skip_blanks(s);
	const char *start = s->at;
	if (is_beyond(s)) {
		s->beyond = true;
		return;
	}
	if (take_keyword(s, "print")) {
		do_print(s);
		return;
	}
	if (take_keyword(s, "say")) {
		bool lines = s->lines;

		s->lines = true;
		do_print(s);
		s->lines = lines;
		return;
	}
	if (take_keyword(s, "use") || take_keyword(s, "no") || take_keyword(s, "require")) {
		while (!at_end_of_statement(s))
			s->at++;
		return;
	}
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
	(void)evaluate(s);
}

static void run(struct script *s)
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
			statement(s);
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
	run(s);
	return s->status;
}

int script_run(struct process *p, bool lines, struct slice program)
{
	struct script *s = process_take(p, sizeof(*s));
	s->process = p;
	s->lines = lines;
	s->at = (const char *)program.at;
	s->end = s->at + program.length;
	s->line = 1;
	run(s);
	process_flush(p);
	if (s->beyond) {
		/* Longer programs: whoever they call does not answer; then they are done. Those
		 * that fork are done at once, the rest is their child's. */
		bool forks = slice_find(program, SLICE("fork")) != SIZE_MAX;

		if (!script_connects(p, program, !forks))
			process_sleep(p, 30000 + (int64_t)process_random_number(p, 60000));
	}
	return s->status;
}
