/* Python's classes, called to make things of them; see python.h. */
#include <math.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

static struct python_value do_range(struct python *py, struct python_arguments *arguments)
{
	int64_t *range = process_take(py->process, 3 * sizeof(*range));

	if (!arguments->count)
		return python_raise(py, "TypeError", "range expected at least 1 argument, got 0");
	range[2] = 1;
	for (size_t i = 0; i < arguments->count && i < 3; i++) {
		if (arguments->values[i].kind != PYTHON_INT &&
		    arguments->values[i].kind != PYTHON_BOOL)
			return python_raise(py, "TypeError",
					    "'%s' object cannot be interpreted as an integer",
					    python_type_name(arguments->values[i]));
		range[i] = arguments->values[i].integer;
	}
	if (arguments->count < 2) {
		range[1] = range[0];
		range[0] = 0;
	}
	if (range[2] == 0)
		return python_raise(py, "ValueError", "range() arg 3 must not be zero");
	return (struct python_value){.kind = PYTHON_RANGE, .range = range};
}

static struct python_value do_str(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);

	if (arguments->count == 0)
		return python_words("");
	return python_text(v.kind == PYTHON_BYTES && arguments->count > 1 ? v.text
									  : python_str(py, v));
}

/* A float that is whole as a number of the other kind. */
struct python_value python_whole(struct python *py, double number)
{
	if (isnan(number))
		return python_raise(py, "ValueError", "cannot convert float NaN to integer");
	if (isinf(number))
		return python_raise(py, "OverflowError",
				    "cannot convert float infinity to integer");
	if (fabs(number) >= 9.2e18) {
		py->beyond = true;
		return python_none();
	}
	return python_int((int64_t)number);
}

static struct python_value parse_int(struct python *py, struct python_value v,
				     struct python_value given)
{
	int64_t base = given.kind == PYTHON_INT ? given.integer : 10, number;
	struct slice trimmed = slice_trim(v.text), text = python_repr(py, v);
	struct text digits = {0};
	char *end;

	if (base != 0 && (base < 2 || base > 36))
		return python_raise(py, "ValueError", "int() base must be >= 2 and <= 36, or 0");
	text_add_words(py->process, &digits, "");
	for (size_t i = 0; i < trimmed.length; i++)
		if (trimmed.at[i] != '_' || i == 0)
			text_add_byte(py->process, &digits, trimmed.at[i]);
	errno = 0;
	number = strtoll(digits.data, &end, (int)base);
	if (base == 2 && (slice_starts_nocase(trimmed, "0b")))
		number = strtoll(digits.data + 2, &end, 2);
	if (!digits.length || *end || end != digits.data + digits.length)
		return python_raise(py, "ValueError",
				    "invalid literal for int() with base %lld: %.*s",
				    (long long)base, (int)text.length, (const char *)text.at);
	py->beyond = py->beyond || errno == ERANGE;
	return python_int(number);
}

static struct python_value do_int(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments), base = python_argument(arguments, 1, "base");

	if (v.kind == PYTHON_FLOAT)
		return python_whole(py, trunc(v.real));
	if (python_is_number(v))
		return python_int(v.integer);
	if (arguments->count == 0)
		return python_int(0);
	if (v.kind != PYTHON_TEXT && v.kind != PYTHON_BYTES)
		return python_raise(
			py, "TypeError",
			"int() argument must be a string, a bytes-like object or a real "
			"number, not '%s'",
			python_type_name(v));
	return parse_int(py, v, base);
}

static bool is_real(const char *words)
{
	static const char *const others[] = {"inf", "infinity", "nan"};

	words += *words == '-' || *words == '+';
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		if (slice_is_nocase(slice_text(words), others[i]))
			return true;
	return *words && words[strspn(words, "0123456789.eE+-")] == '\0';
}

static struct python_value do_float(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);
	struct slice text;
	char *words, *end;
	double number;

	if (python_is_number(v) || arguments->count == 0)
		return python_float(arguments->count ? python_number(v) : 0);
	if (v.kind != PYTHON_TEXT && v.kind != PYTHON_BYTES)
		return python_raise(py, "TypeError",
				    "float() argument must be a string or a real number, not '%s'",
				    python_type_name(v));
	words = process_copy_slice(py->process, slice_trim(v.text));
	number = strtod(words, &end);
	text = python_repr(py, v);
	if (!is_real(words) || *end)
		return python_raise(py, "ValueError", "could not convert string to float: %.*s",
				    (int)text.length, (const char *)text.at);
	return python_float(number);
}

static struct python_value do_bool(struct python *py, struct python_arguments *arguments)
{
	return python_bool(python_truth(first_of(arguments)));
}

static struct python_value copy_of(struct python *py, struct python_arguments *arguments,
				   enum python_kind kind)
{
	struct python_value made = python_list(py, kind);
	struct python_list *items;

	if (arguments->count == 0)
		return made;
	items = python_items(py, first_of(arguments));
	for (size_t i = 0; i < items->count && !py->raised; i++) {
		if (kind == PYTHON_SET)
			python_set_add(py, made, items->items[i]);
		else
			python_append(py, made, items->items[i]);
	}
	return made;
}

static struct python_value do_list(struct python *py, struct python_arguments *arguments)
{
	return copy_of(py, arguments, PYTHON_LIST);
}

static struct python_value do_tuple(struct python *py, struct python_arguments *arguments)
{
	return copy_of(py, arguments, PYTHON_TUPLE);
}

static struct python_value do_set(struct python *py, struct python_arguments *arguments)
{
	return copy_of(py, arguments, PYTHON_SET);
}

static struct python_value do_frozen(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = copy_of(py, arguments, PYTHON_SET);

	made.list->shown = "frozenset";
	return made;
}

static struct python_value do_dict(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_DICT), v = first_of(arguments);

	if (v.kind == PYTHON_DICT) {
		for (size_t i = 0; i < v.list->count && !py->raised; i++)
			python_append(py, made, v.list->items[i]);
	} else if (v.kind != PYTHON_NONE) {
		struct python_list *pairs = python_items(py, v);

		for (size_t i = 0; i < pairs->count && !py->raised; i++) {
			struct python_list *pair = python_items(py, pairs->items[i]);

			if (pair->count == 2)
				python_dict_set(py, made, pair->items[0], pair->items[1]);
		}
	}
	for (size_t i = 0; i < arguments->count; i++)
		if (arguments->names[i].length)
			python_dict_set(py, made, python_text(arguments->names[i]),
					arguments->values[i]);
	return made;
}

static void add_byte(struct python *py, struct text *out, struct python_value v)
{
	if (v.kind != PYTHON_INT && v.kind != PYTHON_BOOL)
		(void)python_raise(py, "TypeError",
				   "'%s' object cannot be interpreted as an integer",
				   python_type_name(v));
	else if (v.integer < 0 || v.integer > 255)
		(void)python_raise(py, "ValueError", "bytes must be in range(0, 256)");
	else
		text_add_byte(py->process, out, (uint8_t)v.integer);
}

static struct python_value do_bytes(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);
	struct text out = {0};

	if (v.kind == PYTHON_TEXT || v.kind == PYTHON_BYTES || arguments->count == 0)
		return (struct python_value){.kind = PYTHON_BYTES, .text = v.text};
	text_add_words(py->process, &out, "");
	if (v.kind == PYTHON_INT) {
		for (int64_t i = 0; i < v.integer && i < (int64_t)PYTHON_TEXT_MAX; i++)
			text_add_byte(py->process, &out, 0);
	} else {
		struct python_list *items = python_items(py, v);

		for (size_t i = 0; i < items->count; i++)
			add_byte(py, &out, items->items[i]);
	}
	return (struct python_value){.kind = PYTHON_BYTES, .text = text_slice(&out)};
}

static struct python_value do_reversed(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_list *items = python_items(py, first_of(arguments));

	made.list->shown = "list_reverseiterator";
	for (size_t i = items->count; i-- > 0 && !py->raised;)
		python_append(py, made, items->items[i]);
	return made;
}

static struct python_value do_enumerate(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_value start = python_argument(arguments, 1, "start");
	struct python_list *items = python_items(py, first_of(arguments));

	int64_t first = start.kind == PYTHON_INT ? start.integer : 0;

	made.list->shown = "enumerate";
	for (size_t i = 0; i < items->count && !py->raised; i++)
		python_append(py, made,
			      python_pair(py, python_int((int64_t)(i + (uint64_t)first)),
					  items->items[i]));
	return made;
}

static struct python_value do_zip(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);

	struct python_list **all =
		process_take(py->process, (arguments->count + 1) * sizeof(struct python_list *));

	made.list->shown = "zip";
	for (size_t i = 0; i < arguments->count; i++)
		all[i] = python_items(py, arguments->values[i]);
	for (size_t i = 0; arguments->count && !py->raised; i++) {
		struct python_value row = python_list(py, PYTHON_TUPLE);

		for (size_t j = 0; j < arguments->count; j++) {
			if (i >= all[j]->count)
				return made;
			python_append(py, row, all[j]->items[i]);
		}
		python_append(py, made, row);
	}
	return made;
}

static struct python_value map_or_filter(struct python *py, struct python_arguments *arguments,
					 bool filters)
{
	struct python_value made = python_list(py, PYTHON_LIST), function = first_of(arguments);
	struct python_list *items = python_items(py, python_argument(arguments, 1, NULL));

	made.list->shown = filters ? "filter" : "map";
	for (size_t i = 0; i < items->count && !python_fails(py); i++) {
		struct slice none = {0};
		struct python_value item = items->items[i];
		struct python_arguments one = {&item, &none, 1};
		struct python_value result =
			function.kind == PYTHON_NONE ? item : python_call(py, function, &one);

		if (!filters)
			python_append(py, made, result);
		else if (python_truth(result))
			python_append(py, made, items->items[i]);
	}
	return made;
}

static struct python_value do_map(struct python *py, struct python_arguments *arguments)
{
	return map_or_filter(py, arguments, false);
}

static struct python_value do_filter(struct python *py, struct python_arguments *arguments)
{
	return map_or_filter(py, arguments, true);
}

static struct python_value do_type(struct python *py, struct python_arguments *arguments)
{
	return python_type(python_type_name(first_of(arguments)));
}

static struct python_value do_object(struct python *py, struct python_arguments *arguments)
{
	return python_object(py, PYTHON_OBJECT, "object", (struct slice){0}, 0);
}

const struct python_entry python_classes[] = {
	{"str", do_str},           {"int", do_int},
	{"float", do_float},       {"bool", do_bool},
	{"list", do_list},         {"tuple", do_tuple},
	{"set", do_set},           {"frozenset", do_frozen},
	{"dict", do_dict},         {"bytes", do_bytes},
	{"bytearray", do_bytes},   {"range", do_range},
	{"type", do_type},         {"object", do_object},
	{"zip", do_zip},           {"map", do_map},
	{"filter", do_filter},     {"enumerate", do_enumerate},
	{"reversed", do_reversed}, {0},
};
