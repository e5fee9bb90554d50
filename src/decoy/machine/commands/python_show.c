/* Python's values as text; see python.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/commands/python.h"

static void add_repr(struct python *py, struct text *out, struct python_value v, unsigned depth);

/* Digits of a whole number with one of them before the point: 1.2345e+16. */
static void add_exponent(char *digits, size_t size)
{
	size_t sign = *digits == '-', length = strlen(digits), used = length;
	char made[40];

	while (used > sign + 1 && digits[used - 1] == '0')
		used--;
	snprintf(made, sizeof(made), "%.*s%s%.*se+%zu", (int)sign + 1, digits,
		 used > sign + 1 ? "." : "", (int)(used - sign - 1), digits + sign + 1,
		 length - sign - 1);
	snprintf(digits, size, "%s", made);
}

/* The shortest digits that give the number again. */
static void add_float(struct python *py, struct text *out, double number)
{
	char digits[40];

	if (isnan(number) || isinf(number)) {
		text_add_words(py->process, out,
			       isnan(number) ? "nan"
			       : number < 0  ? "-inf"
					     : "inf");
		return;
	}
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, number);
		if (strtod(digits, NULL) == number)
			break;
	}
	/* Between 1e-4 and 1e16 without an exponent. */
	if (fabs(number) < 1e16 && (fabs(number) >= 1e-4 || number == 0) && strchr(digits, 'e'))
		snprintf(digits, sizeof(digits), "%.0f", number);
	else if (fabs(number) >= 1e16 && !strchr(digits, 'e'))
		add_exponent(digits, sizeof(digits));
	text_add_words(py->process, out, digits);
	if (!strpbrk(digits, ".en"))
		text_add_words(py->process, out, ".0");
}

static void add_quoted(struct python *py, struct text *out, struct python_value v)
{
	bool single = slice_find_byte(v.text, '\'') != SIZE_MAX;
	char quote = single && slice_find_byte(v.text, '"') == SIZE_MAX ? '"' : '\'';

	text_add_words(py->process, out, v.kind == PYTHON_BYTES ? "b" : "");
	text_add_byte(py->process, out, (uint8_t)quote);
	for (size_t i = 0; i < v.text.length; i++) {
		uint8_t c = v.text.at[i];

		if (i % 64 == 0)
			process_step(py->process);
		if (c == (uint8_t)quote || c == '\\')
			text_format(py->process, out, "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			text_format(py->process, out, "\\%c",
				    c == '\n'   ? 'n'
				    : c == '\t' ? 't'
						: 'r');
		else if (c < ' ' || c == 127 || (c >= 128 && v.kind == PYTHON_BYTES))
			text_format(py->process, out, "\\x%02x", c);
		else
			text_add_byte(py->process, out, c);
	}
	text_add_byte(py->process, out, (uint8_t)quote);
}

/* An address like CPython's, the same for the same thing. */
static unsigned long long address_of(struct python *py, const void *at)
{
	return 0x7f0000000000ULL | (hash_sip(py->key, slice_of(&at, sizeof(at))) & 0xfffffffff0ULL);
}

static bool is_itself(struct python_value list, struct python_value item)
{
	return item.kind == list.kind && item.list == list.list;
}

static void add_items(struct python *py, struct text *out, struct python_value v, unsigned depth)
{
	bool dict = v.kind == PYTHON_DICT;
	const char *ends = v.kind == PYTHON_LIST ? "[]" : v.kind == PYTHON_TUPLE ? "()" : "{}";
	const char *shown = v.list->shown;

	if (shown && v.kind == PYTHON_LIST && strncmp(shown, "dict_", 5) != 0) {
		text_format(py->process, out, "<%s%s object at 0x%012llx>",
			    strcmp(shown, "generator") == 0 ? "generator object <genexpr>" : shown,
			    "", address_of(py, v.list));
		return;
	}
	if (v.kind == PYTHON_SET && v.list->count == 0) {
		text_format(py->process, out, "%s()", shown ? shown : "set");
		return;
	}
	(void)python_items(py, v); /* a set's order */
	if (shown)
		text_format(py->process, out, "%s(", shown);
	if (v.list->fields) {
		for (size_t i = 0; i < v.list->count && v.list->fields[i]; i++) {
			text_format(py->process, out, "%s%s=", i ? ", " : "", v.list->fields[i]);
			add_repr(py, out, v.list->items[i], depth + 1);
		}
		text_add_byte(py->process, out, ')');
		return;
	}
	text_add_byte(py->process, out, (uint8_t)ends[0]);
	for (size_t i = 0; i < v.list->count && out->length < PYTHON_TEXT_MAX; i++) {
		process_step(py->process);
		if (i)
			text_add_words(py->process, out, dict && i % 2 ? ": " : ", ");
		if (depth > 20 || is_itself(v, v.list->items[i]))
			text_add_words(py->process, out, dict ? "{...}" : "[...]");
		else
			add_repr(py, out, v.list->items[i], depth + 1);
	}
	if (v.kind == PYTHON_TUPLE && v.list->count == 1)
		text_add_byte(py->process, out, ',');
	text_add_byte(py->process, out, (uint8_t)ends[1]);
	if (shown)
		text_add_byte(py->process, out, ')');
}

static void add_module(struct python *py, struct text *out, const char *name)
{
	static const char *const own[] = {"sys", "time", "errno", "itertools", "posix", "marshal"};
	static const char *const frozen[] = {"os",   "posixpath", "codecs", "io",
					     "stat", "abc",       "site",   "genericpath"};
	char *path;

	if (strcmp(name, "os.path") == 0)
		name = "posixpath";
	for (size_t i = 0; i < ARRAY_COUNT(own); i++)
		if (strcmp(name, own[i]) == 0) {
			text_format(py->process, out, "<module '%s' (built-in)>", name);
			return;
		}
	for (size_t i = 0; i < ARRAY_COUNT(frozen); i++)
		if (strcmp(name, frozen[i]) == 0) {
			text_format(py->process, out, "<module '%s' (frozen)>", name);
			return;
		}
	path = process_copy_text(py->process, name);
	for (char *at = path; *at; at++)
		*at = *at == '.' ? '/' : *at;
	text_format(py->process, out, "<module '%s' from '/usr/lib/python3.11/%s%s.py'>", name,
		    path, python_library_is_package(slice_text(name)) ? "/__init__" : "");
}

static void add_object(struct python *py, struct text *out, struct python_value v)
{
	struct process *p = py->process;

	switch (v.kind) {
	case PYTHON_FUNCTION:
		text_format(p, out, "<function %.*s at 0x%012llx>",
			    v.function->node->text.length ? (int)v.function->node->text.length : 8,
			    v.function->node->text.length ? (const char *)v.function->node->text.at
							  : "<lambda>",
			    address_of(py, v.function));
		break;
	case PYTHON_MODULE:
		add_module(py, out, v.name);
		break;
	case PYTHON_TYPE:
		text_format(p, out, "<class '%s'>", v.name);
		break;
	case PYTHON_ERROR:
		text_add_words(p, out,
			       strrchr(v.object->name, '.') ? strrchr(v.object->name, '.') + 1
							    : v.object->name);
		if (v.object->self.kind == PYTHON_TUPLE && v.object->self.list->count != 1) {
			add_repr(py, out, v.object->self, 1);
			break;
		}
		text_add_byte(p, out, '(');
		if (v.object->self.kind == PYTHON_TUPLE)
			add_repr(py, out, v.object->self.list->items[0], 1);
		else if (v.object->text.length)
			add_quoted(py, out, python_text(v.object->text));
		text_add_byte(p, out, ')');
		break;
	case PYTHON_FILE:
		if (v.object->name[0] == 'b')
			text_format(p, out, "<_io.BufferedReader name='%.*s'>",
				    (int)v.object->text.length, (const char *)v.object->text.at);
		else
			text_format(p, out,
				    "<_io.TextIOWrapper name='%.*s' mode='%s' encoding='UTF-8'>",
				    (int)v.object->text.length, (const char *)v.object->text.at,
				    v.object->name + 1);
		break;
	case PYTHON_BUILTIN:
		if (strcmp(v.name, "exit") == 0 || strcmp(v.name, "quit") == 0) {
			text_format(p, out, "Use %s() or Ctrl-D (i.e. EOF) to exit", v.name);
			break;
		}
		if (strcmp(v.name, "help") == 0) {
			text_add_words(p, out,
				       "Type help() for interactive help, or help(object) for help "
				       "about object.");
			break;
		}
		text_format(p, out, "<built-in function %s>",
			    strrchr(v.name, '.') ? strrchr(v.name, '.') + 1 : v.name);
		break;
	case PYTHON_METHOD:
		text_format(p, out, "<built-in method %s of %s object at 0x%012llx>",
			    v.object->name, python_type_name(v.object->self),
			    address_of(py, v.object));
		break;
	case PYTHON_OBJECT:
		if (v.object->text.length) { /* knows its looks */
			text_add(p, out, v.object->text);
			break;
		}
		text_format(p, out, "<%s object at 0x%012llx>", v.object->name,
			    address_of(py, v.object));
		break;
	default:
		text_format(p, out, "<%s object at 0x%012llx>", python_type_name(v),
			    address_of(py, v.object));
	}
}

static void add_repr(struct python *py, struct text *out, struct python_value v, unsigned depth)
{
	struct process *p = py->process;

	switch (v.kind) {
	case PYTHON_NONE:
		text_add_words(p, out, "None");
		break;
	case PYTHON_BOOL:
		text_add_words(p, out, v.integer ? "True" : "False");
		break;
	case PYTHON_INT:
		text_format(p, out, "%lld", (long long)v.integer);
		break;
	case PYTHON_FLOAT:
		add_float(py, out, v.real);
		break;
	case PYTHON_TEXT:
	case PYTHON_BYTES:
		add_quoted(py, out, v);
		break;
	case PYTHON_LIST:
	case PYTHON_TUPLE:
	case PYTHON_SET:
	case PYTHON_DICT:
		add_items(py, out, v, depth);
		break;
	case PYTHON_RANGE:
		text_format(p, out, "range(%lld, %lld", (long long)v.range[0],
			    (long long)v.range[1]);
		if (v.range[2] != 1)
			text_format(p, out, ", %lld", (long long)v.range[2]);
		text_add_byte(p, out, ')');
		break;
	default:
		add_object(py, out, v);
	}
}

struct slice python_repr(struct python *py, struct python_value v)
{
	struct text out = {0};

	add_repr(py, &out, v, 0);
	return text_slice(&out);
}

struct slice python_str(struct python *py, struct python_value v)
{
	if (v.kind == PYTHON_TEXT)
		return v.text;
	if (v.kind == PYTHON_OBJECT && v.object->self.kind == PYTHON_TEXT && v.object->text.length)
		return v.object->self.text;
	if (v.kind == PYTHON_ERROR)
		return v.object->text;
	return python_repr(py, v);
}
