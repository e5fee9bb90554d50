/* What Python's lists, dicts, sets and numbers can do; texts are python_text.c's. See python.h. */
#include <math.h>

#include "decoy/machine/commands/python.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* Arguments as they must be: raises for too few. */
static bool lacks(struct python *py, const char *name, const struct python_arguments *arguments,
		  size_t least)
{
	if (arguments->count >= least)
		return false;
	if (least == 1)
		(void)python_raise(py, "TypeError", "%s() takes exactly one argument (0 given)",
				   name);
	else
		(void)python_raise(py, "TypeError", "%s expected %zu arguments, got %zu", name,
				   least, arguments->count);
	return true;
}

/* --- lists --- */

static struct python_value list_append(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	if (!lacks(py, "list.append", arguments, 1))
		python_append(py, self, first_of(arguments));
	return python_none();
}

static struct python_value list_extend(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	struct python_list *items = python_items(py, first_of(arguments));
	size_t count = items->count; /* it may be the list itself */

	for (size_t i = 0; i < count && !py->raised; i++)
		python_append(py, self, items->items[i]);
	return python_none();
}

static struct python_value list_insert(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	int64_t at = python_integer(first_of(arguments)), count = (int64_t)self.list->count;

	if (lacks(py, "insert", arguments, 2))
		return python_none();
	at = at < -count ? 0 : at < 0 ? at + count : at > count ? count : at;
	python_append(py, self, arguments->values[1]);
	if (py->raised)
		return python_none();
	memmove(self.list->items + at + 1, self.list->items + at,
		(size_t)(count - at) * sizeof(*self.list->items));
	self.list->items[at] = arguments->values[1];
	return python_none();
}

static struct python_value list_pop(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	struct python_value which = first_of(arguments), item;
	int64_t count = (int64_t)self.list->count;
	int64_t at = which.kind == PYTHON_INT ? which.integer : -1;

	if (!count)
		return python_raise(py, "IndexError", "pop from empty list");
	if (at < -count || at >= count)
		return python_raise(py, "IndexError", "pop index out of range");
	at = at < 0 ? at + count : at;
	item = self.list->items[at];
	python_remove(py, self, (size_t)at);
	return item;
}

static struct python_value list_pop_left(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	struct python_value item;

	if (!self.list->count)
		return python_raise(py, "IndexError", "pop from an empty deque");
	item = self.list->items[0];
	python_remove(py, self, 0);
	return item;
}

static size_t place_of(struct python *py, struct python_value self, struct python_value what)
{
	for (size_t i = 0; i < self.list->count && !py->raised; i++) {
		if (python_equal(py, self.list->items[i], what))
			return i;
		process_step(py->process);
	}
	return SIZE_MAX;
}

static struct python_value list_remove(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	size_t at = place_of(py, self, first_of(arguments));

	if (at == SIZE_MAX)
		return python_raise(py, "ValueError", "list.remove(x): x not in list");
	python_remove(py, self, at);
	return python_none();
}

static struct python_value list_index(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	size_t at = place_of(py, self, first_of(arguments));
	struct slice shown = python_repr(py, first_of(arguments));

	if (at != SIZE_MAX)
		return python_int((int64_t)at);
	if (self.kind == PYTHON_TUPLE)
		return python_raise(py, "ValueError", "tuple.index(x): x not in tuple");
	return python_raise(py, "ValueError", "%.*s is not in list", (int)shown.length,
			    (const char *)shown.at);
}

static struct python_value list_count(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	int64_t count = 0;

	for (size_t i = 0; i < self.list->count && !py->raised; i++) {
		count += python_equal(py, self.list->items[i], first_of(arguments));
		process_step(py->process);
	}
	return python_int(count);
}

static struct python_value list_sort(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	python_sort_as(py, self.list, arguments);
	return python_none();
}

static struct python_value list_reverse(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	struct python_list *list = self.list;

	for (size_t i = 0; i < list->count / 2; i++) {
		struct python_value other = list->items[i];

		list->items[i] = list->items[list->count - 1 - i];
		list->items[list->count - 1 - i] = other;
	}
	return python_none();
}

static struct python_value list_clear(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	process_give(py->process, self.list->places);
	self.list->places = NULL;
	self.list->count = self.list->placed = self.list->place_count = 0;
	return python_none();
}

static struct python_value list_copy(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	struct python_value made = python_list(py, self.kind);

	for (size_t i = 0; i < self.list->count && !py->raised; i++)
		python_append(py, made, self.list->items[i]);
	return made;
}

static const struct python_method_entry list_methods[] = {
	{"append", list_append},   {"extend", list_extend},
	{"insert", list_insert},   {"pop", list_pop},
	{"remove", list_remove},   {"index", list_index},
	{"count", list_count},     {"sort", list_sort},
	{"reverse", list_reverse}, {"clear", list_clear},
	{"copy", list_copy},       {"popleft", list_pop_left},
	{"__iter__", list_copy},   {0},
};
static const struct python_method_entry tuple_methods[] = {
	{"index", list_index},
	{"count", list_count},
	{0},
};

/* --- dicts --- */

/* "k": the keys, "v": the values, "kv": pairs. */
static struct python_value view(struct python *py, struct python_value self, const char *what,
				const char *shown)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_list *l = self.list;

	made.list->shown = shown;
	for (size_t i = 0; i + 1 < l->count && !py->raised; i += 2)
		python_append(py, made,
			      what[1]          ? python_pair(py, l->items[i], l->items[i + 1])
			      : what[0] == 'k' ? l->items[i]
					       : l->items[i + 1]);
	return made;
}

static struct python_value dict_keys(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return view(py, self, "k", "dict_keys");
}

static struct python_value dict_values(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	return view(py, self, "v", "dict_values");
}

static struct python_value dict_items(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	return view(py, self, "kv", "dict_items");
}

static struct python_value dict_get(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	struct python_value *found = python_dict_find(py, self, first_of(arguments));

	return found ? *found : python_argument(arguments, 1, "default");
}

static struct python_value dict_pop(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	size_t at = python_find(py, self, first_of(arguments));
	struct slice key = python_repr(py, first_of(arguments));
	struct python_value value;

	if (py->raised)
		return python_none();
	if (at == SIZE_MAX && arguments->count > 1)
		return arguments->values[1];
	if (at == SIZE_MAX)
		return python_raise(py, "KeyError", "%.*s", (int)key.length, (const char *)key.at);
	value = self.list->items[at + 1];
	python_remove(py, self, at);
	return value;
}

static struct python_value dict_pop_item(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	struct python_list *l = self.list;
	struct python_value pair;

	if (!l->count)
		return python_raise(py, "KeyError", "'popitem(): dictionary is empty'");
	pair = python_pair(py, l->items[l->count - 2], l->items[l->count - 1]);
	python_remove(py, self, l->count - 2);
	return pair;
}

static struct python_value dict_default(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	struct python_value *found = python_dict_find(py, self, first_of(arguments)), value;

	if (found)
		return *found;
	value = python_argument(arguments, 1, "default");
	python_dict_set(py, self, first_of(arguments), value);
	return value;
}

static struct python_value dict_update(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	struct python_value more = python_entry_find(python_classes, "dict")(py, arguments);

	for (size_t i = 0; more.kind == PYTHON_DICT && i < more.list->count && !py->raised; i += 2)
		python_dict_set(py, self, more.list->items[i], more.list->items[i + 1]);
	return python_none();
}

static const struct python_method_entry dict_methods[] = {
	{"keys", dict_keys},
	{"values", dict_values},
	{"items", dict_items},
	{"get", dict_get},
	{"pop", dict_pop},
	{"popitem", dict_pop_item},
	{"update", dict_update},
	{"setdefault", dict_default},
	{"clear", list_clear},
	{"copy", list_copy},
	{0},
};

/* --- sets --- */

static struct python_value set_add(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	if (!lacks(py, "set.add", arguments, 1))
		python_set_add(py, self, first_of(arguments));
	return python_none();
}

static struct python_value set_discard(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	size_t at = python_find(py, self, first_of(arguments));

	if (at != SIZE_MAX)
		python_remove(py, self, at);
	return python_none();
}

static struct python_value set_remove(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	struct slice key = python_repr(py, first_of(arguments));

	if (python_find(py, self, first_of(arguments)) == SIZE_MAX)
		return python_raise(py, "KeyError", "%.*s", (int)key.length, (const char *)key.at);
	return set_discard(py, self, arguments);
}

static struct python_value set_update(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++) {
		struct python_list *items = python_items(py, arguments->values[i]);

		for (size_t j = 0; j < items->count && !py->raised; j++)
			python_set_add(py, self, items->items[j]);
	}
	return python_none();
}

static struct python_value set_operate(struct python *py, struct python_value self,
				       struct python_arguments *arguments, const char *operator)
{
	struct python_arguments of = {arguments->values, arguments->names,
				      arguments->count ? 1 : 0};

	return python_binary(py, slice_text(operator), self,
			     python_entry_find(python_classes, "set")(py, &of));
}

static struct python_value set_union(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return set_operate(py, self, arguments, "|");
}

static struct python_value set_intersection(struct python *py, struct python_value self,
					    struct python_arguments *arguments)
{
	return set_operate(py, self, arguments, "&");
}

static struct python_value set_difference(struct python *py, struct python_value self,
					  struct python_arguments *arguments)
{
	return set_operate(py, self, arguments, "-");
}

static const struct python_method_entry set_methods[] = {
	{"add", set_add},
	{"discard", set_discard},
	{"remove", set_remove},
	{"update", set_update},
	{"union", set_union},
	{"intersection", set_intersection},
	{"difference", set_difference},
	{"clear", list_clear},
	{"copy", list_copy},
	{"pop", list_pop_left},
	{0},
};

/* --- numbers and errors --- */

static struct python_value int_to_bytes(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	struct python_value length = python_argument(arguments, 0, "length");
	struct python_value order = python_argument(arguments, 1, "byteorder");
	bool little = order.kind == PYTHON_TEXT && slice_is(order.text, "little");
	int64_t count = length.kind == PYTHON_INT ? length.integer : 1;
	uint8_t *bytes;

	if (count < 0 || count > 4096)
		return python_raise(py, "ValueError", "length argument must be non-negative");
	if (self.integer < 0)
		return python_raise(py, "OverflowError", "can't convert negative int to unsigned");
	if (count < 8 && self.integer >> (8 * count))
		return python_raise(py, "OverflowError", "int too big to convert");
	bytes = process_take(py->process, (size_t)count + 1);
	for (int64_t i = 0; i < count && i < 8; i++)
		bytes[little ? i : count - 1 - i] = (uint8_t)(self.integer >> (8 * i));
	return python_bytes(slice_of(bytes, (size_t)count));
}

static struct python_value int_bits(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	uint64_t number = self.integer < 0 ? 0 - (uint64_t)self.integer : (uint64_t)self.integer;
	int64_t bits = 0;

	for (; number; number >>= 1)
		bits++;
	return python_int(bits);
}

static struct python_value float_is_whole(struct python *py, struct python_value self,
					  struct python_arguments *arguments)
{
	return python_bool(python_number(self) == floor(python_number(self)));
}

static struct python_value itself(struct python *py, struct python_value self,
				  struct python_arguments *arguments)
{
	return self;
}

static const struct python_method_entry number_methods[] = {
	{"to_bytes", int_to_bytes},
	{"bit_length", int_bits},
	{"is_integer", float_is_whole},
	{"conjugate", itself},
	{0},
};
static const struct python_method_entry error_methods[] = {
	{"with_traceback", itself},
	{"add_note", itself},
	{0},
};

/* --- all of them --- */

static python_method_function *find(const struct python_method_entry *entries, const char *name)
{
	for (; entries->name; entries++)
		if (strcmp(entries->name, name) == 0)
			return entries->run;
	return NULL;
}

static python_method_function *method_of(struct python_value self, const char *name)
{
	switch (self.kind) {
	case PYTHON_TEXT:
	case PYTHON_BYTES:
		return python_text_method(self, name);
	case PYTHON_LIST:
		if (strcmp(name, "popleft") == 0 && !self.list->shown)
			return NULL;
		return find(list_methods, name);
	case PYTHON_TUPLE:
		return find(tuple_methods, name);
	case PYTHON_DICT:
		return find(dict_methods, name);
	case PYTHON_SET:
		return find(set_methods, name);
	case PYTHON_BOOL:
	case PYTHON_INT:
	case PYTHON_FLOAT:
		if (self.kind == PYTHON_FLOAT && strcmp(name, "is_integer") != 0)
			return NULL;
		return find(number_methods, name);
	case PYTHON_ERROR:
		return find(error_methods, name);
	case PYTHON_FILE:
		return python_file_method(name);
	default:
		return NULL;
	}
}

bool python_has_method(struct python_value self, const char *name)
{
	return method_of(self, name) != NULL;
}

struct python_value python_method(struct python *py, struct python_value self, const char *name,
				  struct python_arguments *arguments)
{
	python_method_function *run = method_of(self, name);
	struct python_value result = python_opaque();

	if (run)
		return run(py, self, arguments);
	(void)python_library_method(py, self, name, arguments, &result);
	return result;
}
