/* Python's three ways to put values into texts; see python.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

#define WIDTH_MAX 100000

struct how {
	char fill, align, sign, type;
	bool other, zeros, commas, bad;
	int width, precision; /* -1: none */
};

static int take_width(const char **at)
{
	long value = -1;
	char *end;

	if (isdigit((unsigned char)**at)) {
		value = strtol(*at, &end, 10);
		*at = end;
	}
	return value > WIDTH_MAX ? WIDTH_MAX : (int)value;
}

static struct how read_how(const char *at)
{
	struct how how = {.fill = ' ', .precision = -1};

	if (*at && at[1] && strchr("<>^=", at[1])) {
		how.fill = *at++;
		how.align = *at++;
	} else if (*at && strchr("<>^=", *at)) {
		how.align = *at++;
	}
	if (*at && strchr("+- ", *at))
		how.sign = *at++;
	if (*at == '#') {
		how.other = true;
		at++;
	}
	if (*at == '0') {
		how.zeros = true;
		at++;
	}
	how.width = take_width(&at);
	if (*at == ',' || *at == '_') {
		how.commas = true;
		at++;
	}
	if (*at == '.') {
		at++;
		how.precision = take_width(&at);
	}
	if (*at)
		how.type = *at++;
	how.bad = *at != '\0';
	return how;
}

/* Digits of a number without its sign. */
static char *digits_of(struct python *py, struct python_value v, const struct how *how)
{
	struct process *p = py->process;
	int precision = how->precision < 0 ? 6 : how->precision > 100 ? 100 : how->precision;
	double real = python_number(v);
	uint64_t whole = v.kind == PYTHON_FLOAT ? 0
			 : v.integer < 0        ? 0 - (uint64_t)v.integer
						: (uint64_t)v.integer;
	char bits[65], *at = bits + 64;

	real = real < 0 ? -real : real;
	switch (how->type) {
	case 'f':
	case 'F':
		return process_format(p, "%.*f", precision, real);
	case 'e':
	case 'E':
		return process_format(p, how->type == 'e' ? "%.*e" : "%.*E", precision, real);
	case 'g':
	case 'G':
		return process_format(p, "%.*g", precision, real);
	case '%':
		return process_format(p, "%.*f%%", precision, real * 100);
	case 'x':
		return process_format(p, how->other ? "0x%llx" : "%llx", (unsigned long long)whole);
	case 'X':
		return process_format(p, how->other ? "0X%llX" : "%llX", (unsigned long long)whole);
	case 'o':
		return process_format(p, how->other ? "0o%llo" : "%llo", (unsigned long long)whole);
	case 'b':
		*at = '\0';
		do
			*--at = (char)('0' + (whole & 1));
		while (whole >>= 1);
		return process_format(p, how->other ? "0b%s" : "%s", at);
	default:
		if (v.kind == PYTHON_FLOAT && how->precision >= 0)
			return process_format(p, "%.*g", how->precision, real);
		if (v.kind == PYTHON_FLOAT)
			return process_copy_slice(p, python_repr(py, python_float(real)));
		return process_format(p, "%llu", (unsigned long long)whole);
	}
}

static void add_commas(struct process *p, struct text *out, const char *digits)
{
	size_t whole = strspn(digits, "0123456789");

	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0)
			text_add_byte(p, out, ',');
		text_add_byte(p, out, (uint8_t)digits[i]);
	}
	text_add_words(p, out, digits + whole);
}

static size_t letters_of(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += (text.at[i] & 0xc0) != 0x80;
	return count;
}

static struct slice pad(struct python *py, struct slice text, size_t sign, const struct how *how,
			char align)
{
	size_t length = letters_of(text), width = how->width > 0 ? (size_t)how->width : 0;
	size_t missing = width > length ? width - length : 0;
	size_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;
	struct text out = {0};

	text_add_words(py->process, &out, "");
	if (align == '=') {
		text_add(py->process, &out, slice_first(text, sign));
		text = slice_from(text, sign);
		before = missing;
	}
	for (size_t i = 0; i < before; i++)
		text_add_byte(py->process, &out, (uint8_t)how->fill);
	text_add(py->process, &out, text);
	for (size_t i = before; i < missing; i++)
		text_add_byte(py->process, &out, (uint8_t)how->fill);
	return text_slice(&out);
}

static struct slice format_as(struct python *py, struct python_value v, struct how *how)
{
	struct text out = {0};
	bool negative;

	if (!python_is_number(v) || (v.kind == PYTHON_BOOL && !how->type)) {
		struct slice text = python_str(py, v);

		if (how->precision >= 0)
			text = slice_first(text, (size_t)how->precision);
		return pad(py, text, 0, how, how->align ? how->align : '<');
	}
	if (how->type == 'c') {
		uint8_t letter = (uint8_t)v.integer;

		text_add_byte(py->process, &out, letter);
		return pad(py, text_slice(&out), 0, how, how->align ? how->align : '<');
	}
	negative = v.kind == PYTHON_FLOAT ? v.real < 0 : v.integer < 0;
	text_add_words(py->process, &out,
		       negative           ? "-"
		       : how->sign == '+' ? "+"
		       : how->sign == ' ' ? " "
					  : "");
	if (how->commas)
		add_commas(py->process, &out, digits_of(py, v, how));
	else
		text_add_words(py->process, &out, digits_of(py, v, how));
	if (how->zeros && !how->align) {
		how->fill = '0';
		how->align = '=';
	}
	return pad(py, text_slice(&out), negative || (how->sign && how->sign != '-'), how,
		   how->align ? how->align : '>');
}

struct slice python_format_value(struct python *py, struct python_value v, struct slice spec)
{
	struct how how = read_how(process_copy_slice(py->process, spec));
	const char *numbers = "bcdeEfFgGnoxX%";

	if (spec.length == 0)
		return python_str(py, v);
	if (how.bad || (how.type && !python_is_number(v) && strchr(numbers, how.type)) ||
	    (v.kind == PYTHON_FLOAT && how.type && strchr("bcdoxXs", how.type))) {
		(void)python_raise(py, "ValueError",
				   how.bad ? "Invalid format specifier"
					   : "Unknown format code '%c' for object of type '%s'",
				   how.type, python_type_name(v));
		return (struct slice){0};
	}
	return format_as(py, v, &how);
}

/* "%-10s": the letters between the sign and the type are printf's. */
static size_t read_percent(struct python *py, struct slice rest, struct how *how,
			   struct slice *name, bool *star)
{
	struct text spec = {0};
	size_t at = 0;

	*name = (struct slice){0};
	if (rest.length && rest.at[0] == '(') {
		size_t end = slice_find_byte(rest, ')');

		if (end == SIZE_MAX)
			return 0;
		*name = slice_of(rest.at + 1, end - 1);
		at = end + 1;
	}
	*how = (struct how){.fill = ' ', .precision = -1, .width = -1, .align = '>'};
	for (; at < rest.length && strchr("-0+ #", rest.at[at]) && rest.at[at]; at++) {
		how->align = rest.at[at] == '-' ? '<' : how->align;
		how->zeros = how->zeros || rest.at[at] == '0';
		how->other = how->other || rest.at[at] == '#';
		how->sign =
			rest.at[at] == '+' || rest.at[at] == ' ' ? (char)rest.at[at] : how->sign;
	}
	*star = at < rest.length && rest.at[at] == '*';
	at += *star;
	for (; at < rest.length && (isdigit(rest.at[at]) || rest.at[at] == '.'); at++)
		text_add_byte(py->process, &spec, rest.at[at]);
	if (spec.length) {
		const char *digits = spec.data;

		how->width = take_width(&digits);
		if (*digits == '.') {
			digits++;
			how->precision = *digits ? take_width(&digits) : 0;
		}
	}
	while (at < rest.length && strchr("hlL", rest.at[at]) && rest.at[at])
		at++;
	if (at >= rest.length)
		return 0;
	how->type = (char)rest.at[at];
	return at + 1;
}

static struct slice put_percent(struct python *py, struct how *how, struct python_value v)
{
	if (how->type == 's' || how->type == 'r' || how->type == 'a') {
		if (how->type != 's')
			v = python_text(python_repr(py, v));
		else if (v.kind != PYTHON_BYTES)
			v = python_text(python_str(py, v));
		if (v.kind == PYTHON_BYTES)
			v.kind = PYTHON_TEXT;
		how->type = '\0';
		how->zeros = false;
		return format_as(py, v, how);
	}
	if (how->type == 'c' && v.kind == PYTHON_TEXT) {
		how->type = '\0';
		return format_as(py, v, how);
	}
	if (!python_is_number(v)) {
		(void)python_raise(py, "TypeError",
				   "%%%c format: a real number is required, not %s", how->type,
				   python_type_name(v));
		return (struct slice){0};
	}
	if (how->type == 'd' || how->type == 'i' || how->type == 'u') {
		if (v.kind == PYTHON_FLOAT)
			v = python_int((int64_t)v.real);
		how->type = 'd';
	}
	if (how->zeros && how->align == '>') {
		how->fill = '0';
		how->align = '=';
	}
	return format_as(py, v, how);
}

struct slice python_percent(struct python *py, struct slice format, struct python_value values)
{
	struct text out = {0};
	size_t next = 0;
	bool tuple = values.kind == PYTHON_TUPLE;

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < format.length && !py->raised;) {
		struct python_value v = values, *found;
		struct slice name;
		struct how how;
		bool star;
		size_t length;

		if (format.at[i] != '%') {
			text_add_byte(py->process, &out, format.at[i++]);
			continue;
		}
		if (i + 1 < format.length && format.at[i + 1] == '%') {
			text_add_byte(py->process, &out, '%');
			i += 2;
			continue;
		}
		length = read_percent(py, slice_from(format, i + 1), &how, &name, &star);
		if (!length || !strchr("diouxXeEfFgGcrsa", how.type) || star) {
			(void)python_raise(py, "ValueError", "incomplete format");
			break;
		}
		i += 1 + length;
		if (name.length && values.kind == PYTHON_DICT) {
			found = python_dict_find(py, values, python_text(name));
			v = found ? *found : python_none();
		} else if (tuple ? next >= values.list->count : next > 0) {
			(void)python_raise(py, "TypeError",
					   "not enough arguments for format string");
			break;
		} else if (tuple) {
			v = values.list->items[next];
		}
		next++;
		text_add(py->process, &out, put_percent(py, &how, v));
	}
	if (!py->raised &&
	    (tuple ? next < values.list->count
		   : next == 0 && values.kind != PYTHON_DICT && values.kind != PYTHON_LIST))
		(void)python_raise(py, "TypeError",
				   "not all arguments converted during string formatting");
	return text_slice(&out);
}

/* "{}", "{0}", "{name}", "{0[1]}" and the like: the value; what stands behind the name is not
 * understood but for an index. */
static struct python_value field(struct python *py, struct slice name, size_t *next,
				 const struct python_arguments *arguments)
{
	size_t end = 0;
	int64_t place;

	while (end < name.length && name.at[end] != '[' && name.at[end] != '.')
		end++;
	name = slice_first(name, end);
	if (name.length == 0)
		place = (int64_t)(*next)++;
	else if (slice_number(name, 0, 1000, &place) != 0) {
		for (size_t i = 0; i < arguments->count; i++)
			if (arguments->names[i].length && slice_equal(arguments->names[i], name))
				return arguments->values[i];
		return python_raise(py, "KeyError", "'%.*s'", (int)name.length,
				    (const char *)name.at);
	}
	if (place < (int64_t)arguments->count && !arguments->names[place].length)
		return arguments->values[place];
	return python_raise(py, "IndexError",
			    "Replacement index %lld out of range for positional args tuple",
			    (long long)place);
}

struct slice python_format(struct python *py, struct slice format,
			   const struct python_arguments *arguments)
{
	struct text out = {0};
	size_t next = 0;

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < format.length && !py->raised;) {
		uint8_t c = format.at[i];
		struct slice rest = slice_from(format, i + 1), name, how = {0};
		struct python_value value;
		size_t end = slice_find_byte(rest, '}'), colon;

		if (c != '{' && c != '}') {
			text_add_byte(py->process, &out, c);
			i++;
			continue;
		}
		if (rest.length && rest.at[0] == c) {
			text_add_byte(py->process, &out, c);
			i += 2;
			continue;
		}
		if (c == '}' || end == SIZE_MAX) {
			(void)python_raise(py, "ValueError",
					   c == '}' ? "Single '}' encountered in format string"
						    : "Single '{' encountered in format string");
			break;
		}
		name = slice_first(rest, end);
		colon = slice_find_byte(name, ':');
		if (colon != SIZE_MAX) {
			how = slice_from(name, colon + 1);
			name = slice_first(name, colon);
		}
		value = field(py, slice_first(name, slice_find_byte(name, '!')), &next, arguments);
		if (slice_find(name, SLICE("!r")) != SIZE_MAX)
			value = python_text(python_repr(py, value));
		if (!py->raised)
			text_add(py->process, &out, python_format_value(py, value, how));
		i += end + 2;
	}
	return text_slice(&out);
}
