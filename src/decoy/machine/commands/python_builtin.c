/* Python's built-in functions; see python.h. */
#include <math.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

struct python_value python_argument(const struct python_arguments *arguments, size_t place,
				    const char *name)
{
	for (size_t i = 0; i < arguments->count; i++)
		if (arguments->names[i].length ? name && slice_is(arguments->names[i], name)
					       : i == place)
			return arguments->values[i];
	return python_none();
}

char *python_argument_words(struct python *py, const struct python_arguments *arguments,
			    size_t place)
{
	char **kept = &py->words[py->next_words++ % ARRAY_COUNT(py->words)];

	process_give(py->process, *kept);
	*kept = process_copy_slice(py->process,
				   python_str(py, python_argument(arguments, place, NULL)));
	return *kept;
}

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

static struct python_value do_print(struct python *py, struct python_arguments *arguments)
{
	struct process *p = py->process;
	struct python_value file = python_argument(arguments, SIZE_MAX, "file");
	struct python_value separator = python_argument(arguments, SIZE_MAX, "sep");
	struct python_value end = python_argument(arguments, SIZE_MAX, "end");
	struct text out = {0};
	size_t shown = 0;

	for (size_t i = 0; i < arguments->count; i++) {
		if (arguments->names[i].length)
			continue;
		if (shown++)
			text_add(p, &out,
				 separator.kind == PYTHON_TEXT ? separator.text : SLICE(" "));
		text_add(p, &out, python_str(py, arguments->values[i]));
	}
	text_add(p, &out, end.kind == PYTHON_TEXT ? end.text : SLICE("\n"));
	if (file.kind == PYTHON_FILE && file.object->number != 1) {
		struct python_value words = python_text(text_slice(&out));
		struct slice none = {0};
		struct python_arguments one = {&words, &none, 1};

		(void)python_file_method("write")(py, file, &one);
	} else {
		process_put(p, text_slice(&out));
	}
	if (python_truth(python_argument(arguments, SIZE_MAX, "flush")))
		process_flush(p);
	process_give(p, out.data);
	return python_none();
}

static struct python_value do_len(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);

	if (v.kind == PYTHON_DICT)
		return python_int((int64_t)v.list->count / 2);
	if (v.kind == PYTHON_BYTES)
		return python_int((int64_t)v.text.length);
	if (v.kind == PYTHON_TEXT)
		return python_int((int64_t)python_letters(v.text));
	if (v.kind == PYTHON_RANGE)
		return python_int(python_range_count(v.range));
	if (v.kind == PYTHON_LIST || v.kind == PYTHON_TUPLE || v.kind == PYTHON_SET)
		return python_int((int64_t)v.list->count);
	if (v.kind == PYTHON_OPAQUE || v.kind == PYTHON_OBJECT)
		return python_int((int64_t)python_items(py, v)->count);
	return python_raise(py, "TypeError", "object of type '%s' has no len()",
			    python_type_name(v));
}

static struct python_value do_repr(struct python *py, struct python_arguments *arguments)
{
	return python_text(python_repr(py, first_of(arguments)));
}

static struct python_value do_chr(struct python *py, struct python_arguments *arguments)
{
	uint64_t letter = (uint64_t)python_integer(first_of(arguments));
	struct text out = {0};

	if (letter > 0x10ffff)
		return python_raise(py, "ValueError", "chr() arg not in range(0x110000)");
	python_add_letter(py->process, &out, (uint32_t)letter);
	return python_text(text_slice(&out));
}

static struct python_value do_ord(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);
	struct slice text = v.text;
	uint32_t letter;

	if (v.kind != PYTHON_TEXT && v.kind != PYTHON_BYTES)
		return python_raise(py, "TypeError",
				    "ord() expected string of length 1, but %s found",
				    python_type_name(v));
	if ((v.kind == PYTHON_TEXT ? python_letters(text) : text.length) != 1)
		return python_raise(py, "TypeError",
				    "ord() expected a character, but string of length %zu found",
				    python_letters(text));
	letter = text.at[0];
	if (letter >= 0xc0) {
		letter &= letter >= 0xf0 ? 7 : letter >= 0xe0 ? 15 : 31;
		for (size_t i = 1; i < text.length && (text.at[i] & 0xc0) == 0x80; i++)
			letter = letter << 6 | (text.at[i] & 63);
	}
	return python_int(letter);
}

static struct python_value in_base(struct python *py, struct python_arguments *arguments,
				   const char *how)
{
	if (first_of(arguments).kind != PYTHON_INT && first_of(arguments).kind != PYTHON_BOOL)
		return python_raise(py, "TypeError",
				    "'%s' object cannot be interpreted as an integer",
				    python_type_name(first_of(arguments)));
	return python_text(python_format_value(py, first_of(arguments), slice_text(how)));
}

static struct python_value do_hex(struct python *py, struct python_arguments *arguments)
{
	return in_base(py, arguments, "#x");
}

static struct python_value do_oct(struct python *py, struct python_arguments *arguments)
{
	return in_base(py, arguments, "#o");
}

static struct python_value do_bin(struct python *py, struct python_arguments *arguments)
{
	return in_base(py, arguments, "#b");
}

static struct python_value do_abs(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);

	if (!python_is_number(v))
		return python_raise(py, "TypeError", "bad operand type for abs(): '%s'",
				    python_type_name(v));
	if (v.kind == PYTHON_FLOAT)
		return python_float(fabs(v.real));
	return v.integer < 0 ? python_binary(py, SLICE("-"), python_int(0), v)
			     : python_int(v.integer);
}

static struct python_value do_sum(struct python *py, struct python_arguments *arguments)
{
	struct python_value sum = python_argument(arguments, 1, "start"), of = first_of(arguments);
	struct python_list *items;

	if (sum.kind == PYTHON_NONE)
		sum = python_int(0);
	if (of.kind == PYTHON_RANGE) { /* may be long */
		uint64_t at = (uint64_t)of.range[0];

		for (int64_t left = python_range_count(of.range); left > 0 && !python_fails(py);
		     left--, at += (uint64_t)of.range[2]) {
			sum = python_binary(py, SLICE("+"), sum, python_int((int64_t)at));
			process_step(py->process);
			python_interrupted(py);
		}
		return sum;
	}
	items = python_items(py, of);
	for (size_t i = 0; i < items->count && !python_fails(py); i++)
		sum = python_binary(py, SLICE("+"), sum, items->items[i]);
	return sum;
}

static struct python_value extreme(struct python *py, struct python_arguments *arguments, int sign)
{
	struct python_value key = python_argument(arguments, SIZE_MAX, "key"), all, best, best_key;
	struct python_list *items;
	size_t given = 0;

	all = python_list(py, PYTHON_LIST);
	for (size_t i = 0; i < arguments->count; i++)
		if (!arguments->names[i].length) {
			python_append(py, all, arguments->values[i]);
			given++;
		}
	items = given == 1 ? python_items(py, all.list->items[0]) : all.list;
	if (!items->count) {
		for (size_t i = 0; i < arguments->count; i++)
			if (slice_is(arguments->names[i], "default"))
				return arguments->values[i];
		return python_raise(py, "ValueError", "%s() arg is an empty sequence",
				    sign < 0 ? "min" : "max");
	}
	best = items->items[0];
	best_key = python_sort_key(py, key, best);
	for (size_t i = 1; i < items->count && !python_fails(py); i++) {
		struct python_value own = python_sort_key(py, key, items->items[i]);

		if (python_compare(py, sign < 0 ? "<" : ">", own, best_key) * sign > 0) {
			best = items->items[i];
			best_key = own;
		}
		process_step(py->process);
	}
	return best;
}

static struct python_value do_min(struct python *py, struct python_arguments *arguments)
{
	return extreme(py, arguments, -1);
}

static struct python_value do_max(struct python *py, struct python_arguments *arguments)
{
	return extreme(py, arguments, 1);
}

static struct python_value do_round(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments), digits = python_argument(arguments, 1, NULL);

	if (!python_is_number(v))
		return python_raise(py, "TypeError", "type %s doesn't define __round__ method",
				    python_type_name(v));
	if (v.kind != PYTHON_FLOAT && (digits.kind != PYTHON_INT || digits.integer >= 0))
		return python_int(v.integer);
	if (digits.kind != PYTHON_INT)
		return python_whole(py, nearbyint(v.real));
	if (digits.integer < 0) {
		double scale = pow(10, digits.integer < -20 ? 20 : (double)-digits.integer);
		double rounded = nearbyint(python_number(v) / scale) * scale;

		return v.kind == PYTHON_FLOAT ? python_float(rounded) : python_whole(py, rounded);
	}
	if (digits.integer > 22 || !isfinite(v.real))
		return v;
	return python_float(
		strtod(process_format(py->process, "%.*f", (int)digits.integer, v.real), NULL));
}

static struct python_value class_call(struct python *py, const char *name,
				      struct python_arguments *arguments)
{
	return python_entry_find(python_classes, name)(py, arguments);
}

static struct python_value do_sorted(struct python *py, struct python_arguments *arguments)
{
	struct python_arguments of = {arguments->values, arguments->names,
				      arguments->count ? 1 : 0};
	struct python_value made = class_call(py, "list", &of);

	if (!python_fails(py))
		python_sort_as(py, made.list, arguments);
	return made;
}

static struct python_value any_or_all(struct python *py, struct python_arguments *arguments,
				      bool any)
{
	struct python_list *items = python_items(py, first_of(arguments));

	for (size_t i = 0; i < items->count; i++)
		if (python_truth(items->items[i]) == any)
			return python_bool(any);
	return python_bool(!any);
}

static struct python_value do_any(struct python *py, struct python_arguments *arguments)
{
	return any_or_all(py, arguments, true);
}

static struct python_value do_all(struct python *py, struct python_arguments *arguments)
{
	return any_or_all(py, arguments, false);
}

static bool is_of(struct python_value v, struct python_value class)
{
	if (class.kind == PYTHON_TUPLE) {
		for (size_t i = 0; i < class.list->count; i++)
			if (is_of(v, class.list->items[i]))
				return true;
		return false;
	}
	if (class.kind != PYTHON_TYPE)
		return false;
	return strcmp(class.name, python_type_name(v)) == 0 || strcmp(class.name, "object") == 0 ||
	       (v.kind == PYTHON_BOOL && strcmp(class.name, "int") == 0) ||
	       (v.kind == PYTHON_ERROR && python_is_below(v.object->name, class.name));
}

static struct python_value do_isinstance(struct python *py, struct python_arguments *arguments)
{
	return python_bool(is_of(first_of(arguments), python_argument(arguments, 1, NULL)));
}

static struct python_value do_input(struct python *py, struct python_arguments *arguments)
{
	struct slice line;

	if (arguments->count)
		process_put(py->process, python_str(py, first_of(arguments)));
	process_flush(py->process);
	line = python_read_line(py, python_standard(py, 0));
	if (!line.length)
		return python_raise(py, "EOFError", "EOF when reading a line");
	if (line.at[line.length - 1] == '\n')
		line.length--;
	return python_text(line);
}

static struct python_value do_open(struct python *py, struct python_arguments *arguments)
{
	struct python_value name = python_argument(arguments, 0, "file");
	struct python_value mode = python_argument(arguments, 1, "mode");

	if (name.kind == PYTHON_INT)
		return python_file(py, (int)name.integer, "", "r");
	return python_open(py, python_str(py, name),
			   mode.kind == PYTHON_TEXT ? process_copy_slice(py->process, mode.text)
						    : "r");
}

static struct python_value do_iter(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = class_call(py, "list", arguments);

	made.list->shown = "list_iterator";
	return made;
}

static struct python_value do_next(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments), item;

	if (v.kind == PYTHON_FILE)
		return python_file_method("readline")(py, v, &(struct python_arguments){0});
	if (v.kind != PYTHON_LIST || !v.list->shown)
		return v.kind == PYTHON_OPAQUE
			       ? v
			       : python_raise(py, "TypeError", "'%s' object is not an iterator",
					      python_type_name(v));
	if (!v.list->count && arguments->count > 1)
		return arguments->values[1];
	if (!v.list->count)
		return python_raise(py, "StopIteration", "%s", "");
	item = v.list->items[0];
	python_remove(py, v, 0);
	return item;
}

static struct python_value do_getattr(struct python *py, struct python_arguments *arguments)
{
	struct python_value name = python_argument(arguments, 1, NULL), result;

	if (name.kind != PYTHON_TEXT || first_of(arguments).kind == PYTHON_OPAQUE)
		return python_opaque();
	result = python_attribute(py, first_of(arguments),
				  process_copy_slice(py->process, name.text));
	if (py->raised && arguments->count > 2) {
		py->raised = false;
		return arguments->values[2];
	}
	return result;
}

static struct python_value do_hasattr(struct python *py, struct python_arguments *arguments)
{
	(void)do_getattr(py, arguments);
	if (!py->raised)
		return python_bool(true);
	py->raised = false;
	return python_bool(false);
}

static struct python_value do_callable(struct python *py, struct python_arguments *arguments)
{
	enum python_kind kind = first_of(arguments).kind;

	return python_bool(kind == PYTHON_FUNCTION || kind == PYTHON_BUILTIN ||
			   kind == PYTHON_METHOD || kind == PYTHON_TYPE);
}

static struct python_value do_pow(struct python *py, struct python_arguments *arguments)
{
	struct python_value modulus = python_argument(arguments, 2, "mod");
	uint64_t base, result = 1, exponent, most;

	if (modulus.kind != PYTHON_INT)
		return python_binary(py, SLICE("**"), first_of(arguments),
				     python_argument(arguments, 1, NULL));
	if (modulus.integer <= 0 || modulus.integer > UINT32_MAX) {
		py->beyond = true;
		return python_none();
	}
	most = (uint64_t)modulus.integer;
	base = (uint64_t)((python_integer(first_of(arguments)) % modulus.integer +
			   modulus.integer) %
			  modulus.integer);
	for (exponent = (uint64_t)python_integer(python_argument(arguments, 1, NULL)); exponent;
	     exponent >>= 1) {
		if (exponent & 1)
			result = result * base % most;
		base = base * base % most;
	}
	return python_int((int64_t)(result % most));
}

static struct python_value do_divmod(struct python *py, struct python_arguments *arguments)
{
	struct python_value a = first_of(arguments), b = python_argument(arguments, 1, NULL);

	return python_pair(py, python_binary(py, SLICE("//"), a, b),
			   python_binary(py, SLICE("%"), a, b));
}

static struct python_value do_format(struct python *py, struct python_arguments *arguments)
{
	struct python_value how = python_argument(arguments, 1, NULL);

	return python_text(python_format_value(
		py, first_of(arguments), how.kind == PYTHON_TEXT ? how.text : (struct slice){0}));
}

static struct python_value do_exec(struct python *py, struct python_arguments *arguments)
{
	struct python_value source = first_of(arguments);

	if (source.kind == PYTHON_OPAQUE)
		py->beyond = true;
	if (source.kind != PYTHON_TEXT && source.kind != PYTHON_BYTES)
		return python_none();
	return python_run_source(py, source.text, false);
}

static struct python_value do_eval(struct python *py, struct python_arguments *arguments)
{
	struct python_value source = first_of(arguments);

	if (source.kind != PYTHON_TEXT && source.kind != PYTHON_BYTES)
		return source;
	return python_run_source(py, slice_trim(source.text), true);
}

static struct python_value do_compile(struct python *py, struct python_arguments *arguments)
{
	return first_of(arguments);
}

static struct python_value do_exit(struct python *py, struct python_arguments *arguments)
{
	struct python_value v = first_of(arguments);

	py->exited = true;
	py->status = v.kind == PYTHON_INT || v.kind == PYTHON_BOOL ? (int)(v.integer & 255) : 0;
	if (v.kind == PYTHON_NONE || v.kind == PYTHON_INT || v.kind == PYTHON_BOOL)
		return python_none();
	v.text = python_str(py, v);
	python_flush(py);
	python_tell(py, "%.*s\n", (int)v.text.length, (const char *)v.text.at);
	py->status = 1;
	return python_none();
}

static struct python_value do_import(struct python *py, struct python_arguments *arguments)
{
	struct slice name = python_str(py, first_of(arguments));

	if (!python_library_knows(py, name))
		return python_raise(py, "ModuleNotFoundError", "No module named '%.*s'",
				    (int)name.length, (const char *)name.at);
	name = slice_first(name, slice_find_byte(name, '.'));
	return (struct python_value){.kind = PYTHON_MODULE,
				     .name = process_copy_slice(py->process, name)};
}

static struct python_value do_nothing(struct python *py, struct python_arguments *arguments)
{
	return python_opaque();
}

static const struct python_entry functions[] = {
	{"print", do_print},
	{"len", do_len},
	{"repr", do_repr},
	{"ascii", do_repr},
	{"chr", do_chr},
	{"ord", do_ord},
	{"hex", do_hex},
	{"oct", do_oct},
	{"bin", do_bin},
	{"abs", do_abs},
	{"sum", do_sum},
	{"min", do_min},
	{"max", do_max},
	{"round", do_round},
	{"sorted", do_sorted},
	{"any", do_any},
	{"all", do_all},
	{"isinstance", do_isinstance},
	{"input", do_input},
	{"open", do_open},
	{"exec", do_exec},
	{"eval", do_eval},
	{"compile", do_compile},
	{"exit", do_exit},
	{"quit", do_exit},
	{"__import__", do_import},
	{"iter", do_iter},
	{"next", do_next},
	{"getattr", do_getattr},
	{"hasattr", do_hasattr},
	{"callable", do_callable},
	{"pow", do_pow},
	{"divmod", do_divmod},
	{"format", do_format},
	{"globals", do_nothing},
	{"locals", do_nothing},
	{"dir", do_nothing},
	{"setattr", do_nothing},
	{"id", do_nothing},
	{"help", do_nothing},
	{"vars", do_nothing},
	{"hash", do_nothing},
	{"issubclass", do_nothing},

	{"super", do_nothing},
	{"__builtins__", do_nothing},
	{0},
};

python_builtin_function *python_entry_find(const struct python_entry *entries, const char *name)
{
	for (; entries->name; entries++)
		if (strcmp(entries->name, name) == 0)
			return entries->run;
	return NULL;
}

bool python_is_class(struct slice name)
{
	for (const struct python_entry *entry = python_classes; entry->name; entry++)
		if (slice_is(name, entry->name))
			return true;
	return false;
}

bool python_is_builtin(struct slice name)
{
	for (const struct python_entry *entry = functions; entry->name; entry++)
		if (slice_is(name, entry->name))
			return true;
	return python_is_class(name);
}

bool python_builtin(struct python *py, const char *name, struct python_arguments *arguments,
		    struct python_value *result)
{
	python_builtin_function *run = python_entry_find(functions, name);

	if (!run)
		run = python_entry_find(python_classes, name);
	if (run)
		*result = run(py, arguments);
	return run != NULL;
}
