/* What runs Python's trees: statements, scopes and errors; see python.h. */
#include "base/hash.h"
#include "decoy/machine/commands/python.h"
#include "decoy/machine/commands/scripting.h"

/* --- names --- */

void python_set(struct python *py, struct python_scope *scope, struct slice name,
		struct python_value value)
{
	struct python_value *found;

	for (size_t i = 0; i < scope->global_count; i++)
		if (slice_equal(scope->globals[i], name))
			scope = py->globals;
	found = python_get(scope, name);
	if (found) {
		*found = value;
		return;
	}
	if (scope->count == scope->capacity) {
		scope->capacity = scope->capacity ? 2 * scope->capacity : 8;
		scope->variables = process_retake(py->process, scope->variables,
						  scope->capacity * sizeof(*scope->variables));
	}
	scope->variables[scope->count++] = (struct python_variable){name, value};
}

/* --- assignment --- */

static int64_t place_in(struct python *py, struct python_value list, struct python_value index)
{
	int64_t at = index.integer, count = (int64_t)list.list->count;

	if (index.kind != PYTHON_INT && index.kind != PYTHON_BOOL) {
		(void)python_raise(py, "TypeError",
				   "list indices must be integers or slices, not %s",
				   python_type_name(index));
		return -1;
	}
	at = at < 0 ? at + count : at;
	if (at < 0 || at >= count) {
		(void)python_raise(py, "IndexError", "list assignment index out of range");
		return -1;
	}
	return at;
}

PYTHON_APART static void unpack(struct python *py, const struct python_node *target,
				struct python_value value)
{
	struct python_list *items;

	py->at = target;
	if (python_is_number(value) || value.kind == PYTHON_NONE) {
		(void)python_raise(py, "TypeError", "cannot unpack non-iterable %s object",
				   python_type_name(value));
		return;
	}
	items = python_items(py, value);
	if (py->raised || value.kind == PYTHON_OPAQUE) {
		for (size_t i = 0; i < target->count && !py->raised; i++)
			python_assign(py, target->items[i], python_opaque());
		return;
	}
	if (items->count > target->count) {
		(void)python_raise(py, "ValueError", "too many values to unpack (expected %zu)",
				   target->count);
		return;
	}
	if (items->count < target->count) {
		(void)python_raise(py, "ValueError",
				   "not enough values to unpack (expected %zu, got %zu)",
				   target->count, items->count);
		return;
	}
	for (size_t i = 0; i < target->count && !py->raised; i++)
		python_assign(py, target->items[i], items->items[i]);
}

void python_assign(struct python *py, const struct python_node *target, struct python_value value)
{
	struct python_value of, index;
	int64_t at;

	switch (target->kind) {
	case NODE_NAME:
		python_set(py, py->scope, target->text, value);
		break;
	case NODE_TUPLE:
	case NODE_LIST:
		unpack(py, target, value);
		break;
	case NODE_INDEX:
		of = python_evaluate(py, target->a);
		if (target->b->kind == NODE_SLICE) {
			py->beyond = true;
			return;
		}
		index = python_evaluate(py, target->b);
		if (python_fails(py))
			return;
		py->at = target;
		if (of.kind == PYTHON_DICT)
			python_dict_set(py, of, index, value);
		else if (of.kind == PYTHON_LIST && (at = place_in(py, of, index)) >= 0)
			of.list->items[at] = value;
		else if (of.kind != PYTHON_OPAQUE && of.kind != PYTHON_OBJECT)
			(void)python_raise(py, "TypeError",
					   "'%s' object does not support item assignment",
					   python_type_name(of));
		break;
	case NODE_STAR:
		py->beyond = true;
		break;
	default: /* attributes of what is not ours */
		if (target->kind == NODE_ATTRIBUTE)
			(void)python_evaluate(py, target->a);
	}
}

static void delete_name(struct python *py, const struct python_node *target)
{
	struct python_scope *scope = py->scope;

	for (size_t i = 0; i < scope->count; i++)
		if (slice_equal(scope->variables[i].name, target->text)) {
			scope->variables[i] = scope->variables[--scope->count];
			return;
		}
	py->at = target;
	(void)python_raise(py, "NameError", "name '%.*s' is not defined", (int)target->text.length,
			   (const char *)target->text.at);
}

PYTHON_APART static void delete (struct python *py, const struct python_node *target)
{
	struct python_value of, index;
	int64_t at = -1;

	if (target->kind == NODE_NAME)
		delete_name(py, target);
	if (target->kind != NODE_INDEX)
		return;
	of = python_evaluate(py, target->a);
	if (!python_fails(py) && target->b->kind == NODE_SLICE)
		py->beyond = true;
	index = python_fails(py) ? python_none() : python_evaluate(py, target->b);
	if (python_fails(py))
		return;
	py->at = target;
	if (of.kind == PYTHON_LIST) {
		at = place_in(py, of, index);
	} else if (of.kind == PYTHON_DICT) {
		size_t found = python_find(py, of, index);
		struct slice key = python_repr(py, index);

		at = found == SIZE_MAX ? -1 : (int64_t)found;
		if (at < 0)
			(void)python_raise(py, "KeyError", "%.*s", (int)key.length,
					   (const char *)key.at);
	}
	if (at >= 0)
		python_remove(py, of, (size_t)at);
}

/* --- statements --- */

static bool stops(const struct python *py)
{
	return python_fails(py) || py->flow != FLOW_ON;
}

/* Behind a turn of a loop: whether it ends. */
static bool ends_loop(struct python *py)
{
	enum python_flow flow = py->flow;

	process_step(py->process);
	python_interrupted(py);
	if (flow == FLOW_BREAK || flow == FLOW_CONTINUE)
		py->flow = FLOW_ON;
	return flow == FLOW_BREAK || stops(py);
}

/* One turn; true when it was the last. */
static bool turn(struct python *py, const struct python_node *node, struct python_value item)
{
	python_assign(py, node->a, item);
	if (!stops(py))
		python_execute(py, node->c);
	return ends_loop(py);
}

PYTHON_APART static bool loop_over_range(struct python *py, const struct python_node *node,
					 const int64_t *range)
{
	uint64_t at = (uint64_t)range[0];
	bool broken = false;

	for (int64_t left = python_range_count(range); left > 0 && !broken; left--) {
		broken = turn(py, node, python_int((int64_t)at));
		at += (uint64_t)range[2];
	}
	return broken;
}

/* Line by line: it may be somebody who types. */
PYTHON_APART static bool loop_over_file(struct python *py, const struct python_node *node,
					struct python_value file)
{
	struct python_arguments none = {0};
	bool broken = false;

	while (!broken && !stops(py)) {
		struct python_value line = python_file_method("readline")(py, file, &none);

		if (stops(py) || !line.text.length)
			break;
		broken = turn(py, node, line);
	}
	return broken;
}

PYTHON_APART static void loop(struct python *py, const struct python_node *node)
{
	struct python_value over = python_evaluate(py, node->b);
	bool broken = false;

	if (stops(py))
		return;
	py->at = node;
	if (over.kind == PYTHON_RANGE) {
		broken = loop_over_range(py, node, over.range);
	} else if (over.kind == PYTHON_FILE) {
		broken = loop_over_file(py, node, over);
	} else {
		struct python_list *items = python_items(py, over);

		for (size_t i = 0; !broken && !stops(py) && i < items->count; i++)
			broken = turn(py, node, items->items[i]);
	}
	if (!broken && !stops(py) && node->count)
		python_execute(py, node->items[0]);
}

static bool catches(struct python *py, struct python_value class, const char *kind)
{
	if (class.kind == PYTHON_TYPE || class.kind == PYTHON_BUILTIN)
		return python_is_below(kind, class.name);
	if (class.kind == PYTHON_TUPLE)
		for (size_t i = 0; i < class.list->count; i++)
			if (catches(py, class.list->items[i], kind))
				return true;
	return class.kind == PYTHON_OPAQUE;
}

PYTHON_APART static void attempt(struct python *py, const struct python_node *node)
{
	python_execute(py, node->a);
	if (py->raised && !py->exited && !py->beyond) {
		struct python_value error = py->error, before = py->handled;

		py->handled = error;
		for (size_t i = 0; i < node->count; i++) {
			const struct python_node *handler = node->items[i];
			struct python_value class;

			py->raised = false;
			class = handler->a ? python_evaluate(py, handler->a) : python_none();
			if (py->raised)
				break;
			if (handler->a && !catches(py, class, error.object->name)) {
				py->raised = true;
				continue;
			}
			py->too_deep = false;
			if (handler->text.length)
				python_set(py, py->scope, handler->text, error);
			python_execute(py, handler->b);
			break;
		}
		py->handled = before;
	} else if (node->b && !stops(py)) {
		python_execute(py, node->b);
	}
	if (node->c && !py->exited && !py->beyond) {
		bool raised = py->raised;
		enum python_flow flow = py->flow;

		py->raised = false;
		py->flow = FLOW_ON;
		python_execute(py, node->c);
		py->raised = py->raised || raised;
		py->flow = py->flow == FLOW_ON ? flow : py->flow;
	}
}

PYTHON_APART static void raise_error(struct python *py, const struct python_node *node)
{
	struct python_value value = node->a ? python_evaluate(py, node->a) : py->handled;

	if (node->b && !python_fails(py))
		(void)python_evaluate(py, node->b);
	if (python_fails(py))
		return;
	py->at = node;
	if (!node->a && value.kind == PYTHON_ERROR) { /* once more, from where it came */
		py->raised = true;
		py->error = value;
		return;
	}
	if (value.kind == PYTHON_ERROR) {
		if (strcmp(value.object->name, "SystemExit") == 0) {
			py->exited = true;
			py->status = (int)(value.object->number & 255);
			return;
		}
		(void)python_raise(py, value.object->name, "%.*s", (int)value.object->text.length,
				   (const char *)value.object->text.at);
		py->error = value;
	} else if (value.kind == PYTHON_TYPE && strcmp(value.name, "SystemExit") == 0) {
		py->exited = true;
	} else if (value.kind == PYTHON_TYPE) {
		(void)python_raise(py, value.name, "%s", "");
	} else if (value.kind == PYTHON_NONE && !node->a) {
		(void)python_raise(py, "RuntimeError", "No active exception to reraise");
	} else if (value.kind != PYTHON_OPAQUE) {
		(void)python_raise(py, "TypeError", "exceptions must derive from BaseException");
	}
}

/* One name of an import: False when there is none. */
static bool import_one(struct python *py, const struct python_node *node,
		       const struct python_node *item)
{
	bool from = node->kind == NODE_FROM;
	struct slice module = from ? node->text : item->text;
	struct slice top = slice_first(module, slice_find_byte(module, '.'));
	char *name = process_copy_slice(py->process, item->a || from ? module : top);
	struct python_value value = {.kind = PYTHON_MODULE, .name = name};

	if (!python_library_knows(py, module)) {
		bool known = python_library_knows(py, top);
		bool within = known && !python_library_is_package(top);
		struct slice wrong = known ? module : top;

		(void)python_raise(py, "ModuleNotFoundError", "No module named '%.*s'%s%.*s%s",
				   (int)wrong.length, (const char *)wrong.at, within ? "; '" : "",
				   within ? (int)top.length : 0, (const char *)top.at,
				   within ? "' is not a package" : "");
		return false;
	}
	if (from && slice_is(item->text, "*")) {
		python_library_all(py, name);
		return true;
	}
	if (from)
		value = python_library_attribute(py, name, item->text);
	python_set(py, py->scope, item->a ? item->a->text : from ? item->text : top, value);
	return true;
}

PYTHON_APART static void import(struct python *py, const struct python_node *node)
{
	for (size_t i = 0; i < node->count && !python_fails(py); i++)
		if (!import_one(py, node, node->items[i]))
			return;
}

PYTHON_APART static void with(struct python *py, const struct python_node *node)
{
	struct python_value value = python_evaluate(py, node->a);

	if (python_fails(py))
		return;
	if (python_is_number(value) || value.kind == PYTHON_TEXT || value.kind == PYTHON_LIST ||
	    value.kind == PYTHON_NONE) {
		py->at = node;
		(void)python_raise(py, "TypeError",
				   "'%s' object does not support the context manager protocol",
				   python_type_name(value));
		return;
	}
	if (node->b)
		python_assign(py, node->b, value);
	python_execute(py, node->c);
	if (value.kind == PYTHON_FILE && value.object->number > 2) {
		(void)process_close(py->process, (int)value.object->number);
		value.object->number = -1;
	}
}

PYTHON_APART static void define(struct python *py, const struct python_node *node)
{
	struct python_value function = python_function(py, node);

	if (!python_fails(py))
		python_set(py, py->scope, node->text, function);
}

PYTHON_APART static void assign_all(struct python *py, const struct python_node *node)
{
	struct python_value value = python_evaluate(py, node->items[node->count - 1]);

	for (size_t i = 0; i + 1 < node->count && !stops(py); i++)
		python_assign(py, node->items[i], value);
}

PYTHON_APART static void augment(struct python *py, const struct python_node *node)
{
	struct python_node *operation = process_take(py->process, sizeof(*operation));
	struct python_value value;

	*operation = (struct python_node){.kind = NODE_BINARY,
					  .line = node->line,
					  .words = node->words,
					  .text = node->text,
					  .a = node->a,
					  .b = node->b};
	value = python_evaluate(py, operation);
	if (!python_fails(py))
		python_assign(py, node->a, value);
}

PYTHON_APART static void show(struct python *py, const struct python_node *node)
{
	struct python_value value = python_evaluate(py, node->a);

	if (stops(py) || !py->interactive || value.kind == PYTHON_NONE ||
	    value.kind == PYTHON_OPAQUE)
		return;
	process_put(py->process, python_repr(py, value));
	process_put_byte(py->process, '\n');
	python_set(py, py->globals, SLICE("_"), value);
}

PYTHON_APART static void fail_assertion(struct python *py, const struct python_node *node)
{
	struct slice words = {0};

	if (node->b)
		words = python_str(py, python_evaluate(py, node->b));
	py->at = node;
	if (!python_fails(py))
		(void)python_raise(py, "AssertionError", "%.*s", (int)words.length,
				   (const char *)words.at);
}

PYTHON_APART static void make_global(struct python *py, const struct python_node *node)
{
	struct python_scope *scope = py->scope;

	scope->globals =
		process_retake(py->process, scope->globals,
			       (scope->global_count + node->count) * sizeof(*scope->globals));
	for (size_t i = 0; i < node->count; i++)
		scope->globals[scope->global_count++] = node->items[i]->text;
}

static void execute_one(struct python *py, const struct python_node *node)
{
	py->at = node;
	switch (node->kind) {
	case NODE_EXPRESSION:
		show(py, node);
		break;
	case NODE_ASSIGN:
		assign_all(py, node);
		break;
	case NODE_AUGMENT:
		augment(py, node);
		break;
	case NODE_IF:
		if (python_truth(python_evaluate(py, node->a))) {
			if (!stops(py))
				python_execute(py, node->b);
		} else if (node->c && !stops(py)) {
			python_execute(py, node->c);
		}
		break;
	case NODE_WHILE:
		while (!stops(py) && python_truth(python_evaluate(py, node->a)) && !stops(py)) {
			python_execute(py, node->b);
			if (ends_loop(py))
				return;
		}
		if (node->c && !stops(py))
			python_execute(py, node->c);
		break;
	case NODE_FOR:
		loop(py, node);
		break;
	case NODE_FUNCTION:
		define(py, node);
		break;
	case NODE_RETURN:
		py->result = node->a ? python_evaluate(py, node->a) : python_none();
		if (!python_fails(py))
			py->flow = FLOW_RETURN;
		break;
	case NODE_BREAK:
		py->flow = FLOW_BREAK;
		break;
	case NODE_CONTINUE:
		py->flow = FLOW_CONTINUE;
		break;
	case NODE_IMPORT:
	case NODE_FROM:
		import(py, node);
		break;
	case NODE_TRY:
		attempt(py, node);
		break;
	case NODE_WITH:
		with(py, node);
		break;
	case NODE_RAISE:
		raise_error(py, node);
		break;
	case NODE_GLOBAL:
		make_global(py, node);
		break;
	case NODE_DELETE:
		if (node->a->kind == NODE_TUPLE)
			for (size_t i = 0; i < node->a->count; i++)
				delete (py, node->a->items[i]);
		else
			delete (py, node->a);
		break;
	case NODE_ASSERT:
		if (!python_truth(python_evaluate(py, node->a)) && !stops(py))
			fail_assertion(py, node);
		break;
	default:
		break;
	}
}

void python_execute(struct python *py, const struct python_node *block)
{
	if (python_deep(py))
		return;
	if (block->kind != NODE_BLOCK) {
		execute_one(py, block); /* elif */
		return;
	}
	for (size_t i = 0; i < block->count && !stops(py); i++) {
		execute_one(py, block->items[i]);
		process_step(py->process);
		python_interrupted(py);
	}
}

/* --- programs --- */

/* A text within the program is called like a function of the name <module>. */
static struct python_value run_tree(struct python *py, const struct python_code *code,
				    const struct python_node *tree, bool value)
{
	const struct python_code *before = py->code;
	const struct python_node *at = py->at;
	struct python_value result = python_none();

	if (!python_enter(py, NULL))
		return result;
	py->code = code;
	if (!value)
		python_execute(py, tree);
	else if (tree->count == 1 && tree->items[0]->kind == NODE_EXPRESSION)
		result = python_evaluate(py, tree->items[0]->a);
	py->code = before;
	py->at = at;
	py->frames.count--;
	return result;
}

struct python_value python_run_source(struct python *py, struct slice source, bool value)
{
	struct python_code *code = process_take(py->process, sizeof(*code));
	struct python_mistake mistake = {0};
	struct python_node *tree;

	/* Names and texts of the tree are parts of the source, which may be anywhere. */
	source = slice_of(process_copy_slice(py->process, source), source.length);
	*code = (struct python_code){"<string>", source};
	switch (python_parse(py, source, &tree, &mistake)) {
	case PYTHON_PARSED:
		return run_tree(py, code, tree, value);
	case PYTHON_WRONG:
		python_raise_mistake(py, code, &mistake);
		return python_none();
	default:
		py->beyond = true;
		return python_none();
	}
}

struct python *python_new(struct process *process, const char *file, int argc, char **argv)
{
	struct python *py = process_take(process, sizeof(*py));

	py->process = process;
	py->stack = __builtin_frame_address(0);
	py->argc = argc;
	py->argv = argv;
	process_random(process, py->key, sizeof(py->key));
	py->globals = py->scope = process_take(process, sizeof(*py->globals));
	python_set(py, py->globals, SLICE("__name__"), python_words("__main__"));
	if (file[0] != '<')
		python_set(py, py->globals, SLICE("__file__"), python_words(file));
	return py;
}

static void finish(struct python *py, struct slice source)
{
	if (strcmp(py->code->file, "<string>") != 0) /* -c tells errors before what was printed */
		process_flush(py->process);
	if (py->raised && !py->exited) {
		python_tell_error(py);
		py->status = 1;
		if (!py->interactive && strcmp(py->error.object->name, "KeyboardInterrupt") == 0)
			py->status = 130;
	} else if (py->beyond && !py->exited && !script_connects(py->process, source, true)) {
		/* Longer programs: whoever they call does not answer; then they are done. */
		process_sleep(py->process,
			      30000 + (int64_t)process_random_number(py->process, 60000));
	}
}

bool python_run_text(struct python *py, const char *file, struct slice source, bool complete)
{
	struct python_code *code = process_take(py->process, sizeof(*code));
	struct python_mistake mistake = {0};
	struct python_node *tree;
	enum python_parsed parsed;

	*code = (struct python_code){file, source};
	py->code = code;
	py->raised = py->beyond = py->exited = py->too_deep = false;
	py->flow = FLOW_ON;
	py->frames.count = 0;
	py->scope = py->globals;
	parsed = python_parse(py, source, &tree, &mistake);
	if (parsed == PYTHON_WRONG && mistake.unfinished && !complete)
		return false;
	py->beyond = parsed == PYTHON_BEYOND;
	if (parsed == PYTHON_WRONG) {
		python_flush(py);
		python_tell_mistake(py, code, &mistake);
		py->status = 1;
		return true;
	}
	if (parsed == PYTHON_PARSED)
		python_execute(py, tree);
	finish(py, source);
	return true;
}

void python_interactive(struct python *py)
{
	py->interactive = true;
}

bool python_exited(const struct python *py)
{
	return py->exited;
}

int python_status(const struct python *py)
{
	return py->status;
}

int python_run(struct process *process, struct slice source, const char *file, int argc,
	       char **argv)
{
	struct python *py = python_new(process, file, argc, argv);

	process_on_signal(process, SIGINT, SIGNAL_CAUGHT);
	(void)python_run_text(py, file, source, true);
	return py->status;
}
