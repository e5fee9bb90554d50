/* What Python's expressions come to; see python.h. */
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

#define COMPREHENSION_DEPTH 4

bool python_fails(const struct python *py)
{
	return py->raised || py->beyond || py->exited;
}

bool python_deep(struct python *py)
{
	if ((size_t)(py->stack - (const char *)__builtin_frame_address(0)) < PYTHON_STACK_MAX)
		return false;
	if (!py->raised)
		py->too_deep = true;
	(void)python_raise(py, "RecursionError", "maximum recursion depth exceeded");
	return true;
}

/* --- names and calls --- */

static bool is_error_class(struct slice name)
{
	static const char *const others[] = {"KeyboardInterrupt", "SystemExit", "StopIteration",
					     "timeout",           "error",      "gaierror",
					     "TimeoutExpired"};

	if (name.length > 5 && name.at[0] >= 'A' && name.at[0] <= 'Z' &&
	    slice_is(slice_from(name, name.length - 5), "Error"))
		return true;
	if (name.length >= 9 && slice_is(slice_from(name, name.length - 9), "Exception"))
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		if (slice_is(name, others[i]))
			return true;
	return false;
}

struct python_value *python_get(struct python_scope *scope, struct slice name)
{
	for (size_t i = 0; i < scope->count; i++)
		if (slice_equal(scope->variables[i].name, name))
			return &scope->variables[i].value;
	return NULL;
}

PYTHON_APART static struct python_value name_value(struct python *py,
						   const struct python_node *node)
{
	struct slice name = node->text;
	struct python_value *found;

	for (struct python_scope *scope = py->scope; scope; scope = scope->outer)
		if ((found = python_get(scope, name)))
			return *found;
	if (python_is_class(name) || is_error_class(name))
		return python_type(node->value.name);
	if (python_is_builtin(name))
		return (struct python_value){.kind = PYTHON_BUILTIN, .name = node->value.name};
	py->at = node;
	return python_raise(py, "NameError", "name '%.*s' is not defined", (int)name.length,
			    (const char *)name.at);
}

/* What an error knows of itself. */
static bool error_field(struct python *py, const struct python_object *error, const char *name,
			struct python_value *result)
{
	struct python_list *arguments = error->self.kind == PYTHON_TUPLE ? error->self.list : NULL;

	*result = python_none();
	if (strcmp(name, "args") == 0)
		*result = arguments ? error->self : python_list(py, PYTHON_TUPLE);
	else if (strcmp(name, "errno") == 0 || strcmp(name, "code") == 0)
		*result = error->number ? python_int(error->number) : python_none();
	else if (strcmp(name, "strerror") == 0 || strcmp(name, "reason") == 0)
		*result = python_words(error->number ? strerror((int)error->number) : "");
	else if (strcmp(name, "returncode") == 0)
		*result = python_int(error->number);
	else
		return strcmp(name, "filename") == 0 || strcmp(name, "output") == 0;
	return true;
}

static struct python_value no_attribute(struct python *py, struct python_value of, const char *name)
{
	if (of.kind == PYTHON_TYPE)
		return python_raise(py, "AttributeError", "type object '%s' has no attribute '%s'",
				    of.name, name);
	return python_raise(py, "AttributeError", "'%s' object has no attribute '%s'",
			    python_type_name(of), name);
}

struct python_value python_attribute(struct python *py, struct python_value of, const char *name)
{
	struct python_value method;

	if (of.kind == PYTHON_MODULE)
		return python_library_attribute(py, of.name, slice_text(name));
	if (strcmp(name, "__class__") == 0)
		return python_type(python_type_name(of));
	if (strcmp(name, "__name__") == 0 && (of.kind == PYTHON_TYPE || of.kind == PYTHON_BUILTIN))
		return python_words(of.name);
	if (strcmp(name, "__name__") == 0 && of.kind == PYTHON_FUNCTION)
		return python_text(of.function->node->text);
	if (of.kind == PYTHON_TYPE || of.kind == PYTHON_BUILTIN) /* methods of its things */
		return (struct python_value){
			.kind = PYTHON_BUILTIN,
			.name = process_format(py->process, "%s.%s", of.name, name)};
	if (of.kind == PYTHON_TUPLE && of.list->fields)
		for (size_t i = 0; i < of.list->count && of.list->fields[i]; i++)
			if (strcmp(of.list->fields[i], name) == 0)
				return of.list->items[i];
	if (of.kind == PYTHON_ERROR && error_field(py, of.object, name, &method))
		return method;
	if ((of.kind == PYTHON_OBJECT || of.kind == PYTHON_FILE) &&
	    python_library_field(py, of, name, &method))
		return method;
	if (strcmp(name, "__dict__") == 0 || strcmp(name, "__doc__") == 0)
		return python_opaque();
	if (!python_has_method(of, name) && of.kind != PYTHON_OBJECT)
		return no_attribute(py, of, name);
	method = python_object(py, PYTHON_METHOD, name, (struct slice){0}, 0);
	method.object->self = of;
	return method;
}

PYTHON_APART static struct python_value attribute(struct python *py, const struct python_node *node)
{
	struct python_value of = python_evaluate(py, node->a);

	if (python_fails(py) || of.kind == PYTHON_OPAQUE)
		return of;
	py->at = node;
	return python_attribute(py, of, node->value.name);
}

/* --- calls --- */

static struct slice function_name(const struct python_node *node)
{
	return node->kind == NODE_LAMBDA ? SLICE("<lambda>") : node->text;
}

/* A call lacks these: "f() missing 2 required positional arguments: 'a' and 'b'". */
static void tell_missing(struct python *py, const struct python_node *node, const bool *given)
{
	struct slice name = function_name(node);
	struct text names = {0};
	size_t count = 0, told = 0;

	for (size_t i = 0; i < node->count; i++)
		count += !given[i];
	for (size_t i = 0; i < node->count; i++) {
		if (given[i])
			continue;
		told++;
		text_format(py->process, &names, "%s'%.*s'",
			    told == 1      ? ""
			    : told < count ? ", "
			    : count == 2   ? " and "
					   : ", and ",
			    (int)node->items[i]->text.length,
			    (const char *)node->items[i]->text.at);
	}
	(void)python_raise(py, "TypeError", "%.*s() missing %zu required positional argument%s: %s",
			   (int)name.length, (const char *)name.at, count, count == 1 ? "" : "s",
			   names.data);
}

/* Arguments that nobody asked for. */
PYTHON_APART static bool is_too_much(struct python *py, const struct python_node *node,
				     const struct python_arguments *arguments)
{
	struct slice name = function_name(node);
	size_t positional = 0, given = 0, optional = 0;
	bool rest = false, names = false;

	for (size_t i = 0; i < node->count; i++) {
		int64_t kind = node->items[i]->value.kind == PYTHON_INT
				       ? node->items[i]->value.integer
				       : 0;

		rest = rest || kind == 1;
		names = names || kind == 2;
		positional += kind == 0;
		optional += kind == 0 && node->items[i]->a;
	}
	for (size_t i = 0; i < arguments->count; i++) {
		bool known = names || !arguments->names[i].length;

		given += !arguments->names[i].length;
		for (size_t j = 0; j < node->count && !known; j++)
			known = slice_equal(node->items[j]->text, arguments->names[i]);
		if (!known) {
			(void)python_raise(py, "TypeError",
					   "%.*s() got an unexpected keyword argument '%.*s'",
					   (int)name.length, (const char *)name.at,
					   (int)arguments->names[i].length,
					   (const char *)arguments->names[i].at);
			return true;
		}
	}
	if (rest || given <= positional)
		return false;
	if (optional)
		(void)python_raise(
			py, "TypeError",
			"%.*s() takes from %zu to %zu positional arguments but %zu %s given",
			(int)name.length, (const char *)name.at, positional - optional, positional,
			given, given == 1 ? "was" : "were");
	else
		(void)python_raise(py, "TypeError",
				   "%.*s() takes %zu positional argument%s but %zu %s given",
				   (int)name.length, (const char *)name.at, positional,
				   positional == 1 ? "" : "s", given, given == 1 ? "was" : "were");
	return true;
}

/* Gives the parameters their values. */
PYTHON_APART static void bind_arguments(struct python *py, const struct python_function *function,
					const struct python_arguments *arguments,
					struct python_scope *scope)
{
	const struct python_node *node = function->node;
	bool *given = process_take(py->process, node->count + 1), missing = false;
	size_t next = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct python_node *parameter = node->items[i];
		int64_t kind = parameter->value.kind == PYTHON_INT ? parameter->value.integer : 0;
		struct python_value value = function->defaults[i];

		given[i] = parameter->a || kind == 1 || kind == 2;
		if (kind == 1 || kind == 2) /* *rest, **names */
			value = python_list(py, kind == 1 ? PYTHON_TUPLE : PYTHON_DICT);
		while (kind == 1 && next < arguments->count && !arguments->names[next].length)
			python_append(py, value, arguments->values[next++]);
		if (kind == 0 && next < arguments->count && !arguments->names[next].length) {
			value = arguments->values[next++];
			given[i] = true;
		}
		for (size_t j = 0; j < arguments->count; j++) {
			bool known = false;

			if (!arguments->names[j].length)
				continue;
			for (size_t k = 0; k < node->count && kind == 2; k++)
				known = known ||
					slice_equal(node->items[k]->text, arguments->names[j]);
			if (kind == 2 && !known)
				python_dict_set(py, value, python_text(arguments->names[j]),
						arguments->values[j]);
			if (!slice_equal(arguments->names[j], parameter->text) || kind == 2)
				continue;
			value = arguments->values[j];
			given[i] = true;
		}
		missing = missing || !given[i];
		python_set(py, scope, parameter->text, value);
	}
	if (missing)
		tell_missing(py, node, given);
	process_give(py->process, given);
}

bool python_enter(struct python *py, const struct python_node *node)
{
	struct python_frames *frames = &py->frames;

	if (frames->count >= PYTHON_FRAMES_MAX - 1 || python_deep(py)) {
		(void)python_raise(py, "RecursionError", "maximum recursion depth exceeded");
		return false;
	}
	if (frames->count == frames->capacity) {
		frames->capacity = frames->capacity ? 2 * frames->capacity : 8;
		frames->items = process_retake(py->process, frames->items,
					       frames->capacity * sizeof(*frames->items));
	}
	frames->items[frames->count++] = (struct python_frame){
		node ? function_name(node) : SLICE("<module>"), py->code, py->at};
	return true;
}

/* Its memory, unless functions that were made in it still need it. */
static void leave_scope(struct python *py, struct python_scope *scope)
{
	if (scope->kept)
		return;
	process_give(py->process, scope->variables);
	process_give(py->process, scope->globals);
	process_give(py->process, scope);
}

PYTHON_APART static struct python_value call_function(struct python *py,
						      const struct python_function *function,
						      struct python_arguments *arguments)
{
	const struct python_node *node = function->node, *at = py->at;
	const struct python_code *code = py->code;
	struct python_scope *scope, *before = py->scope;
	struct python_value result = python_none();

	if (is_too_much(py, node, arguments))
		return result;
	scope = process_take(py->process, sizeof(*scope));
	scope->outer = function->scope;
	bind_arguments(py, function, arguments, scope);
	if (python_fails(py) || !python_enter(py, node))
		return result;
	py->scope = scope;
	py->code = function->code;
	if (node->kind == NODE_LAMBDA) {
		result = python_evaluate(py, node->a);
	} else {
		python_execute(py, node->a);
		if (py->flow == FLOW_RETURN)
			result = py->result;
		py->flow = FLOW_ON;
	}
	py->scope = before;
	leave_scope(py, scope);
	py->code = code;
	py->frames.count--;
	py->at = at;
	return result;
}

/* An exception made by calling its class. */
PYTHON_APART static struct python_value make_error(struct python *py, const char *kind,
						   struct python_arguments *arguments)
{
	struct python_value error = python_object(py, PYTHON_ERROR, kind, (struct slice){0}, 0);
	struct python_value all = python_list(py, PYTHON_TUPLE);

	for (size_t i = 0; i < arguments->count; i++)
		if (!arguments->names[i].length)
			python_append(py, all, arguments->values[i]);
	error.object->self = all;
	if (all.list->count == 1)
		error.object->text = strcmp(kind, "KeyError") == 0
					     ? python_repr(py, all.list->items[0])
					     : python_str(py, all.list->items[0]);
	else if (all.list->count > 1)
		error.object->text = python_repr(py, all);
	if (all.list->count && all.list->items[0].kind == PYTHON_INT)
		error.object->number = all.list->items[0].integer;
	return error;
}

struct python_value python_call(struct python *py, struct python_value function,
				struct python_arguments *arguments)
{
	struct python_value result = python_none();

	process_step(py->process);
	switch (function.kind) {
	case PYTHON_FUNCTION:
		return call_function(py, function.function, arguments);
	case PYTHON_BUILTIN:
		if (!strchr(function.name, '.') &&
		    python_builtin(py, function.name, arguments, &result))
			return result;
		return python_library_call(py, function.name, arguments);
	case PYTHON_METHOD:
		return python_method(py, function.object->self, function.object->name, arguments);
	case PYTHON_TYPE:
		if (python_builtin(py, function.name, arguments, &result))
			return result;
		if (is_error_class(slice_text(strrchr(function.name, '.')
						      ? strrchr(function.name, '.') + 1
						      : function.name)))
			return make_error(py, function.name, arguments);
		return python_library_call(py, function.name, arguments);
	case PYTHON_OPAQUE:
		return python_opaque();
	default:
		return python_raise(py, "TypeError", "'%s' object is not callable",
				    python_type_name(function));
	}
}

static void add_argument(struct python *py, struct python_arguments *to, struct slice name,
			 struct python_value value)
{
	if ((to->count & (to->count - 1)) == 0) {
		size_t room = to->count ? 2 * to->count : 1;

		to->values = process_retake(py->process, to->values, room * sizeof(*to->values));
		to->names = process_retake(py->process, to->names, room * sizeof(*to->names));
	}
	to->names[to->count] = name;
	to->values[to->count++] = value;
}

/* "*items" and "**names" of a call. */
PYTHON_APART static void add_all(struct python *py, struct python_arguments *to,
				 struct python_value value, bool names)
{
	struct python_list *items;

	if (!names) {
		items = python_items(py, value);
		for (size_t i = 0; i < items->count; i++)
			add_argument(py, to, (struct slice){0}, items->items[i]);
		return;
	}
	if (value.kind != PYTHON_DICT) {
		if (value.kind != PYTHON_OPAQUE)
			(void)python_raise(py, "TypeError",
					   "argument after ** must be a mapping, not %s",
					   python_type_name(value));
		return;
	}
	for (size_t i = 0; i < value.list->count && !py->raised; i += 2)
		if (value.list->items[i].kind != PYTHON_TEXT)
			(void)python_raise(py, "TypeError", "keywords must be strings");
		else
			add_argument(py, to, value.list->items[i].text, value.list->items[i + 1]);
}

PYTHON_APART static void add_arguments(struct python *py, const struct python_node *node,
				       struct python_arguments *arguments)
{
	for (size_t i = 0; i < node->count && !python_fails(py); i++) {
		const struct python_node *item = node->items[i];
		bool named = item->kind == NODE_KEYWORD, star = item->kind == NODE_STAR;
		struct python_value value = python_evaluate(py, named || star ? item->a : item);

		if (python_fails(py))
			return;
		if (star)
			add_all(py, arguments, value, slice_is(item->text, "**"));
		else
			add_argument(py, arguments, named ? item->text : (struct slice){0}, value);
	}
}

PYTHON_APART static struct python_value call(struct python *py, const struct python_node *node)
{
	struct python_value function = {0}, self = {0}, result = python_none();
	struct python_arguments arguments = {0};
	bool method = false;

	if (node->a->kind == NODE_ATTRIBUTE) { /* mostly a method: needs no value of its own */
		self = python_evaluate(py, node->a->a);
		method = !python_fails(py) && python_has_method(self, node->a->value.name);
		if (!method && !python_fails(py) && self.kind != PYTHON_OPAQUE) {
			py->at = node->a;
			function = python_attribute(py, self, node->a->value.name);
		} else if (!method) {
			function = self;
		}
	} else {
		function = python_evaluate(py, node->a);
	}
	add_arguments(py, node, &arguments);
	py->at = node;
	if (!python_fails(py) && method) {
		process_step(py->process);
		result = python_method(py, self, node->a->value.name, &arguments);
	} else if (!python_fails(py)) {
		result = python_call(py, function, &arguments);
	}
	process_give(py->process, arguments.values);
	process_give(py->process, arguments.names);
	return result;
}

/* --- lists and texts --- */

PYTHON_APART static void comprehend(struct python *py, const struct python_node *node,
				    size_t clause, struct python_value made)
{
	const struct python_node *at = clause < node->count ? node->items[clause] : NULL;
	struct python_list *items;

	if (python_fails(py) || clause > COMPREHENSION_DEPTH)
		return;
	if (!at) {
		struct python_value item = python_evaluate(py, node->a);

		if (python_fails(py))
			return;
		if (node->b)
			python_dict_set(py, made, item, python_evaluate(py, node->b));
		else if (made.kind == PYTHON_SET)
			python_set_add(py, made, item);
		else
			python_append(py, made, item);
		return;
	}
	if (!at->a) {
		if (python_truth(python_evaluate(py, at->b)))
			comprehend(py, node, clause + 1, made);
		return;
	}
	items = python_items(py, python_evaluate(py, at->b));
	for (size_t i = 0; i < items->count && !python_fails(py); i++) {
		python_assign(py, at->a, items->items[i]);
		comprehend(py, node, clause + 1, made);
		process_step(py->process);
		python_interrupted(py);
	}
}

PYTHON_APART static struct python_value comprehension(struct python *py,
						      const struct python_node *node)
{
	struct python_scope *scope = process_take(py->process, sizeof(*scope)), *before = py->scope;
	struct python_value made = python_list(py, node->b                     ? PYTHON_DICT
						   : slice_is(node->text, "{") ? PYTHON_SET
									       : PYTHON_LIST);

	if (slice_is(node->text, "("))
		made.list->shown = "generator";
	scope->outer = before;
	py->scope = scope;
	comprehend(py, node, 0, made);
	py->scope = before;
	leave_scope(py, scope);
	return made;
}

static void add_item(struct python *py, struct python_value made, struct python_value item)
{
	if (made.kind == PYTHON_SET)
		python_set_add(py, made, item);
	else
		python_append(py, made, item);
}

PYTHON_APART static struct python_value items_of(struct python *py, const struct python_node *node)
{
	struct python_value made = python_list(py, node->kind == NODE_LIST    ? PYTHON_LIST
						   : node->kind == NODE_TUPLE ? PYTHON_TUPLE
						   : node->kind == NODE_SET   ? PYTHON_SET
									      : PYTHON_DICT);

	for (size_t i = 0; i < node->count && !python_fails(py); i++) {
		const struct python_node *part = node->items[i];
		bool star = part->kind == NODE_STAR;
		struct python_value item;

		if (node->kind == NODE_DICT) {
			struct python_value value;

			item = star ? python_none() : python_evaluate(py, part);
			value = python_evaluate(py, node->items[++i]);
			if (!star)
				python_dict_set(py, made, item, value);
			for (size_t j = 0;
			     star && value.kind == PYTHON_DICT && j < value.list->count; j += 2)
				python_dict_set(py, made, value.list->items[j],
						value.list->items[j + 1]);
			continue;
		}
		item = python_evaluate(py, star ? part->a : part);
		if (python_fails(py))
			break;
		if (star) {
			struct python_list *items = python_items(py, item);

			for (size_t j = 0; j < items->count && !py->raised; j++)
				add_item(py, made, items->items[j]);
		} else {
			add_item(py, made, item);
		}
	}
	return made;
}

PYTHON_APART static struct python_value joined(struct python *py, const struct python_node *node)
{
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < node->count && !python_fails(py); i++) {
		const struct python_node *part = node->items[i];
		struct python_value value, how = python_words("");

		if (part->kind == NODE_CONSTANT) {
			text_add(py->process, &out, part->value.text);
			continue;
		}
		value = python_evaluate(py, part->a);
		if (part->b && !python_fails(py))
			how = joined(py, part->b);
		if (python_fails(py))
			break;
		py->at = part->a;
		if (slice_is(part->text, "s"))
			value = python_text(python_str(py, value));
		else if (part->text.length)
			value = python_text(python_repr(py, value));
		text_add(py->process, &out, python_format_value(py, value, how.text));
	}
	return python_text(text_slice(&out));
}

struct python_value python_function(struct python *py, const struct python_node *node)
{
	struct python_function *function = process_take(py->process, sizeof(*function));

	function->node = node;
	function->scope = py->scope;
	for (struct python_scope *scope = py->scope; scope && !scope->kept; scope = scope->outer)
		scope->kept = true;
	function->code = py->code;
	function->defaults =
		process_take(py->process, (node->count + 1) * sizeof(*function->defaults));
	for (size_t i = 0; i < node->count; i++)
		if (node->items[i]->a)
			function->defaults[i] = python_evaluate(py, node->items[i]->a);
	return (struct python_value){.kind = PYTHON_FUNCTION, .function = function};
}

static struct python_value evaluate(struct python *py, const struct python_node *node)
{
	struct python_value value;

	switch (node->kind) {
	case NODE_CONSTANT:
		return node->value;
	case NODE_NAME:
		return name_value(py, node);
	case NODE_ATTRIBUTE:
		return attribute(py, node);
	case NODE_CALL:
		return call(py, node);
	case NODE_LIST:
	case NODE_TUPLE:
	case NODE_SET:
	case NODE_DICT:
		return items_of(py, node);
	case NODE_INDEX:
	case NODE_UNARY:
	case NODE_BINARY:
	case NODE_COMPARE:
		return python_operate(py, node);
	case NODE_AND:
	case NODE_OR:
		value = python_evaluate(py, node->a);
		return python_fails(py) || python_truth(value) != (node->kind == NODE_AND)
			       ? value
			       : python_evaluate(py, node->b);
	case NODE_CHOICE:
		value = python_evaluate(py, node->a);
		return python_evaluate(py, python_truth(value) ? node->b : node->c);
	case NODE_LAMBDA:
		return python_function(py, node);
	case NODE_COMPREHENSION:
		return comprehension(py, node);
	case NODE_JOINED:
		return joined(py, node);
	case NODE_WALRUS:
		value = python_evaluate(py, node->b);
		python_set(py, py->scope, node->a->text, value);
		return value;
	default:
		py->beyond = true;
		return python_none();
	}
}

struct python_value python_evaluate(struct python *py, const struct python_node *node)
{
	if (python_fails(py))
		return python_none();
	if (python_deep(py))
		return python_none();
	return evaluate(py, node);
}
