/* Python's values: made, compared, shown; see python.h. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/commands/python.h"

struct python_value python_none(void)
{
	return (struct python_value){.kind = PYTHON_NONE};
}

struct python_value python_bool(bool truth)
{
	return (struct python_value){.kind = PYTHON_BOOL, .integer = truth};
}

struct python_value python_int(int64_t number)
{
	return (struct python_value){.kind = PYTHON_INT, .integer = number};
}

struct python_value python_float(double number)
{
	return (struct python_value){.kind = PYTHON_FLOAT, .real = number};
}

struct python_value python_text(struct slice text)
{
	return (struct python_value){.kind = PYTHON_TEXT, .text = text};
}

struct python_value python_words(const char *text)
{
	return python_text(slice_text(text));
}

struct python_value python_opaque(void)
{
	return (struct python_value){.kind = PYTHON_OPAQUE};
}

struct python_value python_object(struct python *py, enum python_kind kind, const char *name,
				  struct slice text, int64_t number)
{
	struct python_object *object = process_take(py->process, sizeof(*object));

	*object = (struct python_object){.name = name, .text = text, .number = number};
	return (struct python_value){.kind = kind, .object = object};
}

struct python_value python_list(struct python *py, enum python_kind kind)
{
	return (struct python_value){.kind = kind,
				     .list = process_take(py->process, sizeof(struct python_list))};
}

struct python_value python_bytes(struct slice bytes)
{
	return (struct python_value){.kind = PYTHON_BYTES, .text = bytes};
}

struct python_value python_type(const char *name)
{
	return (struct python_value){.kind = PYTHON_TYPE, .name = name};
}

struct python_value python_pair(struct python *py, struct python_value a, struct python_value b)
{
	struct python_value pair = python_list(py, PYTHON_TUPLE);

	python_append(py, pair, a);
	python_append(py, pair, b);
	return pair;
}

void python_append(struct python *py, struct python_value list, struct python_value item)
{
	struct python_list *l = list.list;

	if (l->count == l->capacity) {
		if (l->count >= PYTHON_LIST_MAX) {
			(void)python_raise(py, "MemoryError", "%s", "");
			return;
		}
		l->capacity = l->capacity ? 2 * l->capacity : 4;
		l->items = process_retake(py->process, l->items, l->capacity * sizeof(*l->items));
	}
	l->items[l->count++] = item;
	process_step(py->process);
}

/* --- keys --- */

static uint64_t hash(struct python *py, struct python_value v, unsigned depth)
{
	uint64_t sum = (uint64_t)v.kind + 1;

	switch (v.kind) {
	case PYTHON_TEXT:
	case PYTHON_BYTES:
		return hash_sip(py->key, v.text);
	case PYTHON_FLOAT:
		if (!(fabs(v.real) < 9e18) || v.real != floor(v.real))
			return hash_sip(py->key, slice_of(&v.real, sizeof(v.real)));
		v.integer = (int64_t)v.real;
		return hash_sip(py->key, slice_of(&v.integer, sizeof(v.integer)));
	case PYTHON_BOOL:
	case PYTHON_INT:
		return hash_sip(py->key, slice_of(&v.integer, sizeof(v.integer)));
	case PYTHON_TUPLE:
		for (size_t i = 0; i < v.list->count && depth < PYTHON_NESTED_MAX; i++)
			sum = sum * 1000003 ^ hash(py, v.list->items[i], depth + 1);
		return sum;
	case PYTHON_LIST:
	case PYTHON_SET:
	case PYTHON_DICT:
		(void)python_raise(py, "TypeError", "unhashable type: '%s'", python_type_name(v));
		return 0;
	default: /* few of them are ever keys */
		return sum;
	}
}

/* Puts the keys that came since into the table of places. */
static void place_keys(struct python *py, struct python_list *l, size_t stride)
{
	size_t keys = l->count / stride;

	if (2 * keys >= l->place_count) {
		process_give(py->process, l->places);
		l->place_count = l->place_count ? l->place_count : 32;
		while (l->place_count < 4 * keys)
			l->place_count *= 2;
		l->places = process_take(py->process, l->place_count * sizeof(*l->places));
		l->placed = 0;
	}
	for (; l->placed < keys; l->placed++) {
		size_t at = hash(py, l->items[l->placed * stride], 0) & (l->place_count - 1);

		while (l->places[at])
			at = (at + 1) & (l->place_count - 1);
		l->places[at] = (uint32_t)l->placed + 1;
		process_step(py->process);
	}
}

size_t python_find(struct python *py, struct python_value in, struct python_value key)
{
	struct python_list *l = in.list;
	size_t stride = in.kind == PYTHON_DICT ? 2 : 1;
	uint64_t at = hash(py, key, 0);

	if (py->raised)
		return SIZE_MAX;
	if (l->count / stride < 8) {
		for (size_t i = 0; i < l->count; i += stride)
			if (python_equal(py, l->items[i], key))
				return i;
		return SIZE_MAX;
	}
	place_keys(py, l, stride);
	for (at &= l->place_count - 1; l->places[at]; at = (at + 1) & (l->place_count - 1)) {
		size_t found = (l->places[at] - 1) * stride;

		if (python_equal(py, l->items[found], key))
			return found;
		process_step(py->process);
	}
	return SIZE_MAX;
}

void python_remove(struct python *py, struct python_value from, size_t at)
{
	struct python_list *l = from.list;
	size_t width = from.kind == PYTHON_DICT ? 2 : 1;

	l->count -= width;
	memmove(l->items + at, l->items + at + width, (l->count - at) * sizeof(*l->items));
	process_give(py->process, l->places);
	l->places = NULL;
	l->place_count = l->placed = 0;
	process_step(py->process);
}

void python_set_add(struct python *py, struct python_value set, struct python_value item)
{
	if (python_find(py, set, item) == SIZE_MAX && !py->raised)
		python_append(py, set, item);
}

struct python_value *python_dict_find(struct python *py, struct python_value dict,
				      struct python_value key)
{
	size_t at = python_find(py, dict, key);

	return at == SIZE_MAX ? NULL : &dict.list->items[at + 1];
}

void python_dict_set(struct python *py, struct python_value dict, struct python_value key,
		     struct python_value value)
{
	struct python_value *found = python_dict_find(py, dict, key);

	if (py->raised)
		return;
	if (found) {
		*found = value;
		return;
	}
	if (dict.list->count + 2 > PYTHON_LIST_MAX) {
		(void)python_raise(py, "MemoryError", "%s", "");
		return;
	}
	python_append(py, dict, key);
	python_append(py, dict, value);
}

bool python_is_number(struct python_value v)
{
	return v.kind == PYTHON_INT || v.kind == PYTHON_BOOL || v.kind == PYTHON_FLOAT;
}

double python_number(struct python_value v)
{
	return v.kind == PYTHON_FLOAT ? v.real : (double)python_integer(v);
}

int64_t python_integer(struct python_value v)
{
	return v.kind == PYTHON_INT || v.kind == PYTHON_BOOL ? v.integer : 0;
}

int64_t python_range_count(const int64_t *r)
{
	uint64_t span =
		r[2] > 0 ? (uint64_t)r[1] - (uint64_t)r[0] : (uint64_t)r[0] - (uint64_t)r[1];
	uint64_t step = r[2] > 0 ? (uint64_t)r[2] : 0 - (uint64_t)r[2], count;

	if (r[2] > 0 ? r[1] <= r[0] : r[0] <= r[1])
		return 0;
	count = (span - 1) / step + 1;
	return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

bool python_truth(struct python_value v)
{
	switch (v.kind) {
	case PYTHON_NONE:
		return false;
	case PYTHON_BOOL:
	case PYTHON_INT:
		return v.integer != 0;
	case PYTHON_FLOAT:
		return v.real != 0;
	case PYTHON_TEXT:
	case PYTHON_BYTES:
		return v.text.length > 0;
	case PYTHON_LIST:
	case PYTHON_TUPLE:
	case PYTHON_SET:
	case PYTHON_DICT:
		return v.list->count > 0;
	case PYTHON_RANGE:
		return python_range_count(v.range) > 0;
	default:
		return true;
	}
}

static bool has_items(struct python_value v)
{
	return v.kind == PYTHON_LIST || v.kind == PYTHON_TUPLE || v.kind == PYTHON_SET ||
	       v.kind == PYTHON_DICT;
}

static bool equal(struct python *py, struct python_value a, struct python_value b, unsigned depth);

static bool equal_keys(struct python *py, struct python_value a, struct python_value b,
		       unsigned depth)
{
	size_t stride = a.kind == PYTHON_DICT ? 2 : 1;

	for (size_t i = 0; i < a.list->count; i += stride) {
		size_t at = python_find(py, b, a.list->items[i]);

		if (at == SIZE_MAX)
			return false;
		if (stride == 2 &&
		    !equal(py, a.list->items[i + 1], b.list->items[at + 1], depth + 1))
			return false;
	}
	return true;
}

static bool equal(struct python *py, struct python_value a, struct python_value b, unsigned depth)
{
	if (python_is_number(a) && python_is_number(b))
		return a.kind != PYTHON_FLOAT && b.kind != PYTHON_FLOAT
			       ? a.integer == b.integer
			       : python_number(a) == python_number(b);
	if (a.kind != b.kind)
		return false;
	if (a.kind == PYTHON_TEXT || a.kind == PYTHON_BYTES)
		return slice_equal(a.text, b.text);
	if (a.kind == PYTHON_TYPE || a.kind == PYTHON_MODULE || a.kind == PYTHON_BUILTIN)
		return strcmp(a.name, b.name) == 0;
	if (a.kind == PYTHON_RANGE)
		return memcmp(a.range, b.range, 3 * sizeof(*a.range)) == 0;
	if (!has_items(a))
		return a.kind == PYTHON_NONE || a.name == b.name;
	if (a.list == b.list)
		return true;
	if (a.list->count != b.list->count)
		return false;
	if (depth >= PYTHON_NESTED_MAX) {
		(void)python_raise(py, "RecursionError",
				   "maximum recursion depth exceeded in comparison");
		return false;
	}
	if (a.kind == PYTHON_DICT || a.kind == PYTHON_SET)
		return equal_keys(py, a, b, depth);
	for (size_t i = 0; i < a.list->count; i++) {
		if (!equal(py, a.list->items[i], b.list->items[i], depth + 1))
			return false;
		process_step(py->process);
	}
	return true;
}

bool python_equal(struct python *py, struct python_value a, struct python_value b)
{
	return equal(py, a, b, 0);
}

static int compare(struct python *py, const char *operator, struct python_value a,
		   struct python_value b, unsigned depth)
{
	if (python_is_number(a) && python_is_number(b)) {
		double x = python_number(a), y = python_number(b);

		if (a.kind != PYTHON_FLOAT && b.kind != PYTHON_FLOAT)
			return a.integer < b.integer ? -1 : a.integer > b.integer;
		return x < y ? -1 : x > y;
	}
	if (a.kind == b.kind && (a.kind == PYTHON_TEXT || a.kind == PYTHON_BYTES))
		return slice_compare(a.text, b.text);
	if (a.kind == b.kind && (a.kind == PYTHON_LIST || a.kind == PYTHON_TUPLE) &&
	    depth < PYTHON_NESTED_MAX) {
		size_t x = a.list->count, y = b.list->count;

		for (size_t i = 0; i < x && i < y; i++) {
			if (!python_equal(py, a.list->items[i], b.list->items[i]))
				return compare(py, operator, a.list->items[i], b.list->items[i],
					       depth + 1);
			process_step(py->process);
		}
		return x < y ? -1 : x > y;
	}
	if (a.kind != PYTHON_OPAQUE && b.kind != PYTHON_OPAQUE)
		(void)python_raise(
			py, "TypeError",
			"'%s' not supported between instances of '%s' and '%s'", operator,
			python_type_name(a), python_type_name(b));
	return 0;
}

int python_compare(struct python *py, const char *operator, struct python_value a,
		   struct python_value b)
{
	return compare(py, operator, a, b, 0);
}

const char *python_type_name(struct python_value v)
{
	static const char *const names[] = {
		[PYTHON_NONE] = "NoneType",
		[PYTHON_BOOL] = "bool",
		[PYTHON_INT] = "int",
		[PYTHON_FLOAT] = "float",
		[PYTHON_TEXT] = "str",
		[PYTHON_BYTES] = "bytes",
		[PYTHON_LIST] = "list",
		[PYTHON_TUPLE] = "tuple",
		[PYTHON_SET] = "set",
		[PYTHON_DICT] = "dict",
		[PYTHON_RANGE] = "range",
		[PYTHON_FUNCTION] = "function",
		[PYTHON_BUILTIN] = "builtin_function_or_method",
		[PYTHON_METHOD] = "builtin_function_or_method",
		[PYTHON_MODULE] = "module",
		[PYTHON_FILE] = "_io.TextIOWrapper",
		[PYTHON_TYPE] = "type",
		[PYTHON_OPAQUE] = "object",
	};

	if (v.kind == PYTHON_OBJECT || v.kind == PYTHON_ERROR)
		return v.object->name;
	if (has_items(v) && v.list->shown)
		return strcmp(v.list->shown, "environ") == 0 ? "os._Environ" : v.list->shown;
	if (v.kind == PYTHON_FILE && v.object->name[0] == 'b')
		return "_io.BufferedReader";
	return names[v.kind];
}

/* --- walking over them --- */

size_t python_letters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += (text.at[i] & 0xc0) != 0x80;
	return count;
}

size_t python_letter_at(struct slice text, size_t letter)
{
	size_t at = 0;

	while (at < text.length && letter > 0) {
		for (at++; at < text.length && (text.at[at] & 0xc0) == 0x80; at++)
			;
		letter--;
	}
	return at;
}

void python_add_letter(struct process *process, struct text *out, uint32_t letter)
{
	if (letter < 0x80) {
		text_add_byte(process, out, (uint8_t)letter);
		return;
	}
	if (letter >= 0x10000) {
		text_add_byte(process, out, (uint8_t)(0xf0 | (letter >> 18 & 7)));
		text_add_byte(process, out, (uint8_t)(0x80 | (letter >> 12 & 63)));
	} else if (letter >= 0x800) {
		text_add_byte(process, out, (uint8_t)(0xe0 | letter >> 12));
	}
	if (letter >= 0x800)
		text_add_byte(process, out, (uint8_t)(0x80 | (letter >> 6 & 63)));
	else
		text_add_byte(process, out, (uint8_t)(0xc0 | letter >> 6));
	text_add_byte(process, out, (uint8_t)(0x80 | (letter & 63)));
}

static size_t letter_length(struct slice text, size_t at)
{
	size_t length = 1;

	while (at + length < text.length && (text.at[at + length] & 0xc0) == 0x80)
		length++;
	return length;
}

/* Whole numbers of a set come in their order, as small ones do in CPython's tables. */
static void order_set(struct python *py, struct python_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].kind != PYTHON_INT)
			return;
	for (size_t i = 1; i < l->count && i < 64; i++)
		for (size_t j = i; j > 0 && l->items[j].integer < l->items[j - 1].integer; j--) {
			struct python_value other = l->items[j];

			l->items[j] = l->items[j - 1];
			l->items[j - 1] = other;
			l->placed = l->place_count = 0;
			process_step(py->process);
		}
	if (l->place_count == 0) {
		process_give(py->process, l->places);
		l->places = NULL;
	}
}

struct python_list *python_items(struct python *py, struct python_value v)
{
	struct python_value made = python_list(py, PYTHON_LIST);

	switch (v.kind) {
	case PYTHON_SET:
		order_set(py, v.list);
		return v.list;
	case PYTHON_LIST:
	case PYTHON_TUPLE:
		return v.list;
	case PYTHON_DICT:
		for (size_t i = 0; i < v.list->count; i += 2)
			python_append(py, made, v.list->items[i]);
		return made.list;
	case PYTHON_RANGE:
		for (int64_t i = 0, n = python_range_count(v.range); i < n && !py->raised; i++)
			python_append(py, made,
				      python_int((int64_t)((uint64_t)v.range[0] +
							   (uint64_t)i * (uint64_t)v.range[2])));
		return made.list;
	case PYTHON_BYTES:
		for (size_t i = 0; i < v.text.length && !py->raised; i++)
			python_append(py, made, python_int(v.text.at[i]));
		return made.list;
	case PYTHON_TEXT:
		for (size_t i = 0, n; i < v.text.length && !py->raised; i += n) {
			n = letter_length(v.text, i);
			python_append(py, made, python_text(slice_of(v.text.at + i, n)));
		}
		return made.list;
	case PYTHON_FILE:
		made = python_file_method("readlines")(py, v, &(struct python_arguments){0});
		return made.kind == PYTHON_LIST ? made.list : python_list(py, PYTHON_LIST).list;
	case PYTHON_OBJECT:
		if (v.object->self.kind == PYTHON_LIST || v.object->self.kind == PYTHON_FILE)
			return python_items(py, v.object->self);
		return made.list;
	case PYTHON_OPAQUE:
		return made.list;
	default:
		(void)python_raise(py, "TypeError", "'%s' object is not iterable",
				   python_type_name(v));
		return made.list;
	}
}
