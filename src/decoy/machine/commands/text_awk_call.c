/* awk: the built-in functions and printf. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "decoy/machine/commands/text_awk.h"

/* mawk's sprintf buffer. */
#define FORMAT_WIDTH_MAX 8191

/* --- printf --- */

struct conversion {
	char flags[8];
	int width, precision; /* -1: none */
	char letter;
};

static struct awk_node *take_argument(struct awk *awk, struct awk_node **arguments,
				      struct slice format)
{
	struct awk_node *argument = *arguments;

	if (!argument) {
		char *words = process_format(awk->process,
					     "not enough arguments passed to printf(\"%.*s\")",
					     (int)format.length, (const char *)format.at);
		awk_fail(awk, words);
	}
	*arguments = argument->next;
	return argument;
}

static int read_size(struct awk *awk, struct slice format, size_t *at, struct awk_node **arguments)
{
	int64_t size = 0;

	if (*at < format.length && format.at[*at] == '*') {
		double number = awk_eval_number(awk, take_argument(awk, arguments, format));

		(*at)++;
		size = number > FORMAT_WIDTH_MAX    ? FORMAT_WIDTH_MAX
		       : number < -FORMAT_WIDTH_MAX ? -FORMAT_WIDTH_MAX
						    : (int64_t)number;
		return (int)size;
	}
	while (*at < format.length && isdigit(format.at[*at])) {
		size = size * 10 + (format.at[(*at)++] - '0');
		if (size > FORMAT_WIDTH_MAX)
			size = FORMAT_WIDTH_MAX;
	}
	return (int)size;
}

/* snprintf with the conversion's flags and sizes, of a number. */
static void add_number(struct awk *awk, struct text *out, const struct conversion *c, double number)
{
	bool whole = strchr("dioxXu", c->letter) != NULL;
	struct text format = {0};
	int length;

	text_format(awk->process, &format, "%%%s*", c->flags);
	if (c->precision >= 0)
		text_format(awk->process, &format, ".%d", c->precision);
	if (whole)
		text_add_byte(awk->process, &format, 'l');
	text_add_byte(awk->process, &format, (uint8_t)c->letter);
	text_add_words(awk->process, out, "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (int turn = 0; turn < 2; turn++) {
		size_t room = out->capacity - out->length;
		long value = number >= 9.2e18    ? INT64_MAX
			     : number <= -9.2e18 ? INT64_MIN
			     : isnan(number)     ? INT64_MIN
						 : (long)number;

		if (whole)
			length = snprintf(out->data + out->length, room, format.data, c->width,
					  value);
		else
			length = snprintf(out->data + out->length, room, format.data, c->width,
					  number);
		if (length >= 0 && (size_t)length < room)
			break;
		if (length < 0)
			length = 0;
		out->capacity = out->length + (size_t)length + 16;
		out->data = process_retake(awk->process, out->data, out->capacity);
	}
#pragma GCC diagnostic pop
	out->length += (size_t)length;
	process_give(awk->process, format.data);
}

static void add_padded(struct awk *awk, struct text *out, const struct conversion *c,
		       struct slice text)
{
	bool left = strchr(c->flags, '-') != NULL || c->width < 0;
	size_t width = (size_t)(c->width < 0 ? -c->width : c->width);
	size_t padding;

	if (c->precision >= 0)
		text = slice_first(text, (size_t)c->precision);
	padding = width > text.length ? width - text.length : 0;
	for (size_t i = 0; !left && i < padding; i++)
		text_add_byte(awk->process, out, ' ');
	text_add(awk->process, out, text);
	for (size_t i = 0; left && i < padding; i++)
		text_add_byte(awk->process, out, ' ');
}

static void convert(struct awk *awk, struct text *out, const struct conversion *c,
		    struct awk_node *argument)
{
	struct awk_value value = awk_eval(awk, argument);
	struct awk_string *string;
	struct conversion plain = *c;
	uint8_t byte;

	if (c->letter == 's' || (c->letter == 'c' && value.type != AWK_NUMBER)) {
		double number;

		string = awk_to_string(awk, &value, false);
		if (c->letter == 'c' && value.type == AWK_INPUT &&
		    awk_looks_numeric(awk_slice(string), &number)) {
			byte = (uint8_t)(int64_t)number;
			add_padded(awk, out, &plain, slice_of(&byte, 1));
		} else {
			if (c->letter == 'c') /* of an empty string: its NUL */
				add_padded(awk, out, &plain, slice_of(string->bytes, 1));
			else
				add_padded(awk, out, &plain, awk_slice(string));
		}
		awk_drop_string(awk, string);
	} else if (c->letter == 'c') {
		byte = (uint8_t)(int64_t)value.number;
		plain.precision = -1;
		add_padded(awk, out, &plain, slice_of(&byte, 1));
	} else
		add_number(awk, out, c, awk_to_number(&value));
	awk_drop(awk, value);
}

void awk_format(struct awk *awk, struct awk_node *arguments, struct text *out)
{
	struct awk_string *format = awk_eval_string(awk, arguments);
	struct slice text = awk_slice(format);
	size_t at = 0;

	arguments = arguments->next;
	text_add_words(awk->process, out, "");
	while (at < text.length) {
		struct conversion c = {.precision = -1};
		size_t flags = 0;

		process_step(awk->process);
		if (text.at[at] != '%' || at + 1 == text.length) {
			text_add_byte(awk->process, out, text.at[at++]);
			continue;
		}
		at++;
		if (text.at[at] == '%') {
			text_add_byte(awk->process, out, '%');
			at++;
			continue;
		}
		while (at < text.length && strchr("-+ #0", text.at[at]) && text.at[at] &&
		       flags < sizeof(c.flags) - 1)
			c.flags[flags++] = (char)text.at[at++];
		c.width = read_size(awk, text, &at, &arguments);
		if (at < text.length && text.at[at] == '.') {
			at++;
			c.precision = read_size(awk, text, &at, &arguments);
		}
		while (at < text.length && (text.at[at] == 'l' || text.at[at] == 'h'))
			at++;
		c.letter = at < text.length ? (char)text.at[at++] : 0;
		if (!c.letter || !strchr("dioxXuceEfFgGs", c.letter)) {
			char *words =
				process_format(awk->process, "bad conversion in printf(\"%.*s\")",
					       (int)text.length, (const char *)text.at);
			awk_fail(awk, words);
		}
		convert(awk, out, &c, take_argument(awk, &arguments, text));
	}
	awk_drop_string(awk, format);
}

/* --- strings --- */

static struct awk_value length_of(struct awk *awk, struct awk_node *argument)
{
	struct awk_value value;
	struct awk_string *string;
	size_t length;

	if (argument && (argument->kind == AWK_NODE_GLOBAL || argument->kind == AWK_NODE_LOCAL)) {
		struct awk_cell *cell = argument->kind == AWK_NODE_LOCAL
						? &awk->frame[argument->index]
						: &awk->variables[argument->index];

		while (cell->alias)
			cell = cell->alias;
		if (cell->table)
			return awk_number((double)awk_table_size(cell->table));
	}
	value = argument ? awk_eval(awk, argument) : awk_get_field(awk, 0);
	string = awk_to_string(awk, &value, false);
	length = string->length;
	awk_drop_string(awk, string);
	awk_drop(awk, value);
	return awk_number((double)length);
}

static double whole(double number)
{
	if (isnan(number))
		return 0;
	if (number > 1e9)
		return 1e9;
	return number < -1e9 ? -1e9 : trunc(number);
}

static struct awk_value substring(struct awk *awk, struct awk_node *node)
{
	struct awk_string *string = awk_eval_string(awk, node);
	double begin = whole(awk_eval_number(awk, node->next));
	double length = 1e9;
	struct awk_value value;
	struct slice part = {0};

	if (node->next->next)
		length = whole(awk_eval_number(awk, node->next->next));
	if (begin < 1) { /* as this version of mawk reckons */
		length -= begin;
		begin = 1;
	}
	if (length > 0 && begin <= (double)string->length)
		part = slice_first(slice_from(awk_slice(string), (size_t)begin - 1),
				   (size_t)length);
	value = awk_string(awk, AWK_STRING, part);
	awk_drop_string(awk, string);
	return value;
}

static struct awk_value index_of(struct awk *awk, struct awk_node *node)
{
	struct awk_string *text = awk_eval_string(awk, node);
	struct awk_string *needle = awk_eval_string(awk, node->next);
	size_t found = needle->length == 0 ? 0 : slice_find(awk_slice(text), awk_slice(needle));

	awk_drop_string(awk, text);
	awk_drop_string(awk, needle);
	return awk_number(found == SIZE_MAX ? 0 : (double)found + 1);
}

static struct awk_value match_of(struct awk *awk, struct awk_node *node)
{
	struct awk_string *text = awk_eval_string(awk, node);
	struct regex *regex = awk_eval_regex(awk, node->next);
	struct regex_span span;
	bool found = regex_match(awk->process, regex, awk_slice(text), 0, &span, 1);

	awk_set_variable(awk, AWK_RSTART, awk_number(found ? (double)span.start + 1 : 0));
	awk_set_variable(awk, AWK_RLENGTH,
			 awk_number(found ? (double)(span.end - span.start) : -1));
	awk_drop_string(awk, text);
	return awk_number(found ? (double)span.start + 1 : 0);
}

static void put_element(struct awk *awk, void *context, size_t index, struct slice text)
{
	char key[24];
	struct writer w = writer_fixed(key, sizeof(key));
	struct awk_value *at;

	writer_decimal(&w, (int64_t)index);
	at = awk_table_find(awk, context, writer_slice(&w), true);
	awk_drop(awk, *at);
	*at = awk_string(awk, AWK_INPUT, text);
}

static struct awk_value split(struct awk *awk, struct awk_node *node)
{
	struct awk_string *text = awk_eval_string(awk, node);
	struct awk_table *table = awk_eval_table(awk, node->next);
	struct awk_node *by = node->next->next;
	struct awk_string *separator = NULL;
	struct regex *regex = NULL;
	size_t count;

	if (by && by->kind == AWK_NODE_REGEX)
		regex = by->value.string->length > 0 ? by->regex : NULL;
	if (by && by->kind != AWK_NODE_REGEX)
		separator = awk_eval_string(awk, by);
	else if (by)
		separator = awk_string_new(awk, 0);
	else
		separator = awk_to_string(awk, &awk->variables[AWK_FS].value, false);
	awk_table_clear(awk, table);
	count = awk_split(awk, awk_slice(text), awk_slice(separator), regex, put_element, table);
	awk_drop_string(awk, separator);
	awk_drop_string(awk, text);
	return awk_number((double)count);
}

/* The replacement: & is the match, \& an ampersand, \\ a backslash before one. */
static void add_replacement(struct awk *awk, struct text *out, struct slice with,
			    struct slice matched)
{
	for (size_t i = 0; i < with.length; i++) {
		if (with.at[i] == '&')
			text_add(awk->process, out, matched);
		else if (with.at[i] == '\\' && i + 1 < with.length &&
			 (with.at[i + 1] == '&' || with.at[i + 1] == '\\'))
			text_add_byte(awk->process, out, with.at[++i]);
		else
			text_add_byte(awk->process, out, with.at[i]);
	}
}

static size_t replace(struct awk *awk, struct regex *regex, struct slice text, struct slice with,
		      bool all, struct text *out)
{
	struct regex_span span;
	size_t at = 0, copied = 0, count = 0, previous = SIZE_MAX;

	text_add_words(awk->process, out, "");
	while (at <= text.length && regex_match(awk->process, regex, text, at, &span, 1)) {
		process_step(awk->process);
		if (span.start == span.end && span.start == previous) {
			at++;
			continue;
		}
		text_add(awk->process, out, slice_of(text.at + copied, span.start - copied));
		add_replacement(awk, out, with,
				slice_of(text.at + span.start, span.end - span.start));
		copied = previous = span.end;
		count++;
		if (!all)
			break;
		at = span.end > span.start ? span.end : span.end + 1;
	}
	text_add(awk->process, out, slice_from(text, copied));
	return count;
}

static struct awk_value substitute(struct awk *awk, struct awk_node *node, bool all)
{
	bool constant = node->kind == AWK_NODE_REGEX;
	struct awk_string *pattern = constant ? NULL : awk_eval_string(awk, node);
	struct awk_string *with = awk_eval_string(awk, node->next), *text;
	struct awk_node *target = node->next->next;
	struct text out = {0};
	size_t count;

	if (target && target->kind == AWK_NODE_GROUP)
		target = target->a;
	if (target)
		text = awk_eval_string(awk, target);
	else {
		struct awk_value record = awk_get_field(awk, 0);

		text = awk_to_string(awk, &record, false);
		awk_drop(awk, record);
	}
	/* Only now: what was evaluated before may push others out of those that are kept. */
	count = replace(awk, constant ? node->regex : awk_regex(awk, awk_slice(pattern)),
			awk_slice(text), awk_slice(with), all, &out);
	if (pattern)
		awk_drop_string(awk, pattern);
	if (count > 0) {
		struct awk_value value = awk_string(awk, AWK_STRING, text_slice(&out));

		if (!target)
			awk_set_field(
				awk, 0,
				(struct awk_value){.type = AWK_INPUT, .string = value.string});
		else if (target->kind == AWK_NODE_FIELD) {
			value.type = AWK_INPUT;
			awk_assign(awk, target, value);
		} else if (target->kind == AWK_NODE_GLOBAL || target->kind == AWK_NODE_LOCAL ||
			   target->kind == AWK_NODE_INDEX)
			awk_assign(awk, target, value);
		else
			awk_drop(awk, value);
	}
	process_give(awk->process, out.data);
	awk_drop_string(awk, text);
	awk_drop_string(awk, with);
	return awk_number((double)count);
}

static struct awk_value change_case(struct awk *awk, struct awk_node *node, int (*change)(int))
{
	struct awk_string *text = awk_eval_string(awk, node);
	struct awk_value value = awk_string(awk, AWK_STRING, awk_slice(text));

	for (size_t i = 0; i < value.string->length; i++)
		value.string->bytes[i] = (char)change((unsigned char)value.string->bytes[i]);
	awk_drop_string(awk, text);
	return value;
}

/* --- numbers and the rest --- */

/* xorshift64*: nobody can tell it from mawk's, which is seeded by the clock. */
static double random_number(struct awk *awk)
{
	awk->random ^= awk->random >> 12;
	awk->random ^= awk->random << 25;
	awk->random ^= awk->random >> 27;
	return (double)((awk->random * 2685821657736338717u) >> 11) / 9007199254740992.0;
}

static struct awk_value seed(struct awk *awk, struct awk_node *node)
{
	uint64_t old = awk->seed;

	awk->seed = node ? (uint64_t)(int64_t)whole(awk_eval_number(awk, node))
			 : (uint64_t)(process_now(awk->process) / 1000000);
	awk->random = awk->seed * 6364136223846793005u + 1442695040888963407u;
	if (awk->random == 0)
		awk->random = 1;
	return awk_number((double)old);
}

static struct awk_value run_line(struct awk *awk, struct awk_node *node)
{
	struct awk_string *line = awk_eval_string(awk, node);
	int status;

	awk_flush(awk);
	status = command_run_line(awk->process, line->bytes);
	awk_drop_string(awk, line);
	return awk_number(status);
}

static struct awk_value close_one(struct awk *awk, struct awk_node *node)
{
	struct awk_string *name = awk_eval_string(awk, node);
	int status = awk_close(awk, awk_slice(name));

	awk_drop_string(awk, name);
	return awk_number(status);
}

static struct awk_value mathematics(struct awk *awk, int function, struct awk_node *node)
{
	double number = awk_eval_number(awk, node);

	switch (function) {
	case AWK_SIN:
		return awk_number(sin(number));
	case AWK_COS:
		return awk_number(cos(number));
	case AWK_ATAN2:
		return awk_number(atan2(number, awk_eval_number(awk, node->next)));
	case AWK_EXP:
		return awk_number(exp(number));
	case AWK_LOG:
		return awk_number(log(number));
	case AWK_SQRT:
		return awk_number(sqrt(number));
	default:
		return awk_number(trunc(number));
	}
}

static const struct {
	unsigned char least, most;
} counts[] = {
	[AWK_LENGTH] = {0, 1},  [AWK_SUBSTR] = {2, 3},    [AWK_INDEX] = {2, 2},
	[AWK_SPLIT] = {2, 3},   [AWK_SUB] = {2, 3},       [AWK_GSUB] = {2, 3},
	[AWK_MATCH] = {2, 2},   [AWK_SPRINTF] = {1, 255}, [AWK_SIN] = {1, 1},
	[AWK_COS] = {1, 1},     [AWK_ATAN2] = {2, 2},     [AWK_EXP] = {1, 1},
	[AWK_LOG] = {1, 1},     [AWK_SQRT] = {1, 1},      [AWK_INT] = {1, 1},
	[AWK_RAND] = {0, 0},    [AWK_SRAND] = {0, 1},     [AWK_TOLOWER] = {1, 1},
	[AWK_TOUPPER] = {1, 1}, [AWK_CLOSE] = {1, 1},     [AWK_SYSTEM] = {1, 1},
	[AWK_FFLUSH] = {0, 1},
};

bool awk_builtin_takes(int function, const struct awk_node *arguments)
{
	unsigned count = 0;

	for (; arguments; arguments = arguments->next)
		count++;
	return count >= counts[function].least && count <= counts[function].most;
}

struct awk_value awk_call_builtin(struct awk *awk, struct awk_node *node)
{
	struct awk_node *first = node->a;
	struct text text = {0};
	struct awk_value value;

	process_step(awk->process);
	switch ((enum awk_builtin)node->operation) {
	case AWK_LENGTH:
		return length_of(awk, first);
	case AWK_SUBSTR:
		return substring(awk, first);
	case AWK_INDEX:
		return index_of(awk, first);
	case AWK_SPLIT:
		return split(awk, first);
	case AWK_SUB:
	case AWK_GSUB:
		return substitute(awk, first, node->operation == AWK_GSUB);
	case AWK_MATCH:
		return match_of(awk, first);
	case AWK_SPRINTF:
		awk_format(awk, first, &text);
		value = awk_string(awk, AWK_STRING, text_slice(&text));
		process_give(awk->process, text.data);
		return value;
	case AWK_RAND:
		return awk_number(random_number(awk));
	case AWK_SRAND:
		return seed(awk, first);
	case AWK_TOLOWER:
		return change_case(awk, first, tolower);
	case AWK_TOUPPER:
		return change_case(awk, first, toupper);
	case AWK_CLOSE:
		return close_one(awk, first);
	case AWK_SYSTEM:
		return run_line(awk, first);
	case AWK_FFLUSH:
		awk_flush(awk);
		return awk_number(0);
	default:
		return mathematics(awk, node->operation, first);
	}
}
