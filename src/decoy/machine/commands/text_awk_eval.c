/* awk: what expressions are worth. */
#include <math.h>

#include "decoy/machine/commands/text_awk.h"

void awk_fail(struct awk *awk, const char *words)
{
	const struct awk_value *name = &awk->variables[AWK_FILENAME].value;

	process_error(awk->process, "%s: run time error: %s\n\tFILENAME=\"%s\" FNR=%.6g NR=%.6g\n",
		      awk->process->argv[0], words, name->string ? name->string->bytes : "",
		      awk_to_number(&awk->variables[AWK_FNR].value),
		      awk_to_number(&awk->variables[AWK_NR].value));
	process_exit(awk->process, 2);
}

void awk_check_stack(struct awk *awk)
{
	const char *here = __builtin_frame_address(0);
	size_t used =
		(size_t)(awk->stack_top > here ? awk->stack_top - here : here - awk->stack_top);

	if (used < AWK_STACK_MAX)
		return;
	if (awk->variables)
		awk_fail(awk, "function call nested too deeply");
	process_error(awk->process, "%s: program limit exceeded: nesting too deep\n",
		      awk->process->argv[0]);
	process_exit(awk->process, 2);
}

/* --- variables --- */

static struct awk_cell *cell_of(struct awk *awk, const struct awk_node *node)
{
	struct awk_cell *cell = node->kind == AWK_NODE_LOCAL ? &awk->frame[node->index]
							     : &awk->variables[node->index];

	while (cell->alias)
		cell = cell->alias;
	return cell;
}

struct awk_table *awk_eval_table(struct awk *awk, struct awk_node *node)
{
	struct awk_cell *cell;

	if (node->kind == AWK_NODE_GROUP)
		node = node->a;
	if (node->kind != AWK_NODE_GLOBAL && node->kind != AWK_NODE_LOCAL)
		awk_fail(awk, "type error in arg to function: array expected");
	cell = cell_of(awk, node);
	if (!cell->table) {
		if (cell->value.type != AWK_UNSET)
			awk_fail(awk, "can't use a scalar as an array");
		cell->table = awk_table_new(awk);
	}
	return cell->table;
}

struct awk_string *awk_eval_key(struct awk *awk, struct awk_node *list)
{
	struct awk_string *key = awk_eval_string(awk, list), *part, *separator;
	struct text text = {0};

	if (!list->next)
		return key;
	separator = awk_to_string(awk, &awk->variables[AWK_SUBSEP].value, false);
	text_add(awk->process, &text, awk_slice(key));
	awk_drop_string(awk, key);
	while ((list = list->next)) {
		part = awk_eval_string(awk, list);
		text_add(awk->process, &text, awk_slice(separator));
		text_add(awk->process, &text, awk_slice(part));
		awk_drop_string(awk, part);
	}
	awk_drop_string(awk, separator);
	key = awk_string(awk, AWK_STRING, text_slice(&text)).string;
	process_give(awk->process, text.data);
	return key;
}

void awk_set_variable(struct awk *awk, unsigned index, struct awk_value value)
{
	struct awk_cell *cell = &awk->variables[index];

	if (cell->table) {
		awk_drop(awk, value);
		return;
	}
	awk_drop(awk, cell->value);
	cell->value = value;
	if (index == AWK_NF)
		awk_set_field_count(awk, awk_to_number(&value));
}

void awk_assign(struct awk *awk, struct awk_node *target, struct awk_value value)
{
	struct awk_cell *cell;

	switch (target->kind) {
	case AWK_NODE_GLOBAL:
		if (target->index < AWK_SPECIALS) {
			awk_set_variable(awk, target->index, value);
			return;
		}
		/* fallthrough */
	case AWK_NODE_LOCAL:
		cell = cell_of(awk, target);
		if (cell->table)
			awk_fail(awk, "can't use an array as a scalar");
		awk_drop(awk, cell->value);
		cell->value = value;
		return;
	case AWK_NODE_FIELD:
		awk_set_field(awk, awk_eval_number(awk, target->a), value);
		return;
	default: {
		struct awk_table *table = awk_eval_table(awk, target->a);
		struct awk_string *key = awk_eval_key(awk, target->b);
		struct awk_value *at = awk_table_find(awk, table, awk_slice(key), true);

		awk_drop(awk, *at);
		*at = value;
		awk_drop_string(awk, key);
		return;
	}
	}
}

/* --- regular expressions --- */

struct regex *awk_regex(struct awk *awk, struct slice pattern)
{
	const char *why;
	unsigned at;

	for (unsigned i = 0; i < AWK_REGEXES; i++) {
		if (awk->regexes[i].pattern &&
		    slice_equal(awk_slice(awk->regexes[i].pattern), pattern))
			return awk->regexes[i].regex;
	}
	at = awk->next_regex++ % AWK_REGEXES;
	awk_drop_string(awk, awk->regexes[at].pattern);
	regex_free(awk->process, awk->regexes[at].regex);
	awk->regexes[at].pattern = NULL;
	awk->regexes[at].regex = regex_new(awk->process, pattern, REGEX_AWK, 0, &why);
	if (!awk->regexes[at].regex) {
		process_error(awk->process, "%s: regular expression compile failed (%s)\n%.*s\n",
			      awk->process->argv[0], why, (int)pattern.length,
			      (const char *)pattern.at);
		process_exit(awk->process, 2);
	}
	awk->regexes[at].pattern = awk_string(awk, AWK_STRING, pattern).string;
	return awk->regexes[at].regex;
}

struct regex *awk_eval_regex(struct awk *awk, struct awk_node *node)
{
	struct awk_string *pattern;
	struct regex *regex;

	if (node->kind == AWK_NODE_REGEX)
		return node->regex;
	pattern = awk_eval_string(awk, node);
	regex = awk_regex(awk, awk_slice(pattern));
	awk_drop_string(awk, pattern);
	return regex;
}

static bool matches(struct awk *awk, struct awk_node *text, struct awk_node *pattern)
{
	struct awk_string *string;
	struct regex *regex;
	bool is;

	if (text)
		string = awk_eval_string(awk, text);
	else {
		struct awk_value record = awk_get_field(awk, 0);

		string = awk_to_string(awk, &record, false);
		awk_drop(awk, record);
	}
	regex = awk_eval_regex(awk, pattern);
	is = regex_match(awk->process, regex, awk_slice(string), 0, NULL, 0);
	awk_drop_string(awk, string);
	return is;
}

/* --- operators --- */

static double arithmetic(int operation, double a, double b)
{
	switch (operation) {
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	case '/':
		return a / b;
	case '%':
		return fmod(a, b);
	default:
		return pow(a, b);
	}
}

static struct awk_value assignment(struct awk *awk, struct awk_node *node)
{
	struct awk_value value;

	if (node->operation == '=') {
		value = awk_eval(awk, node->b);
	} else {
		double right = awk_eval_number(awk, node->b);

		value = awk_number(
			arithmetic(node->operation, awk_eval_number(awk, node->a), right));
	}
	awk_assign(awk, node->a, awk_keep(value));
	return value;
}

static struct awk_value stepping(struct awk *awk, struct awk_node *node)
{
	double old = awk_eval_number(awk, node->a);

	awk_assign(awk, node->a, awk_number(old + node->operation));
	return awk_number(node->before ? old + node->operation : old);
}

static struct awk_value concatenation(struct awk *awk, struct awk_node *node)
{
	struct awk_string *left = awk_eval_string(awk, node->a);
	struct awk_string *right = awk_eval_string(awk, node->b);
	struct awk_value value = {.type = AWK_STRING};

	value.string = awk_string_new(awk, left->length + right->length);
	memcpy(value.string->bytes, left->bytes, left->length);
	memcpy(value.string->bytes + left->length, right->bytes, right->length);
	awk_drop_string(awk, left);
	awk_drop_string(awk, right);
	return value;
}

static struct awk_value comparison(struct awk *awk, struct awk_node *node)
{
	struct awk_value a = awk_eval(awk, node->a), b = awk_eval(awk, node->b);
	int result = awk_compare(awk, &a, &b, node->operation);

	awk_drop(awk, a);
	awk_drop(awk, b);
	return awk_number(result);
}

static struct awk_value element(struct awk *awk, struct awk_node *node)
{
	struct awk_table *table = awk_eval_table(awk, node->a);
	struct awk_string *key = awk_eval_key(awk, node->b);
	struct awk_value value = awk_keep(*awk_table_find(awk, table, awk_slice(key), true));

	awk_drop_string(awk, key);
	return value;
}

static bool is_in(struct awk *awk, struct awk_node *node)
{
	struct awk_string *key = awk_eval_key(awk, node->a);
	bool is = awk_table_find(awk, awk_eval_table(awk, node->b), awk_slice(key), false) != NULL;

	awk_drop_string(awk, key);
	return is;
}

static struct awk_value variable(struct awk *awk, struct awk_node *node)
{
	struct awk_cell *cell;

	if (node->kind == AWK_NODE_GLOBAL && node->index == AWK_NF)
		awk_split_record(awk);
	cell = cell_of(awk, node);
	if (cell->table)
		awk_fail(awk, "can't use an array as a scalar");
	return awk_keep(cell->value);
}

/* --- getline --- */

static void count_record(struct awk *awk)
{
	static const unsigned counters[] = {AWK_NR, AWK_FNR};

	for (size_t i = 0; i < ARRAY_COUNT(counters); i++)
		awk_set_variable(awk, counters[i],
				 awk_number(awk_to_number(&awk->variables[counters[i]].value) + 1));
}

static struct awk_value read_line(struct awk *awk, struct awk_node *node)
{
	struct awk_stream *stream = NULL;
	struct slice record;
	struct awk_value value;

	process_step(awk->process);
	if (node->operation != 0) {
		struct awk_string *name = awk_eval_string(awk, node->b);

		if (node->operation == '<' && strcmp(name->bytes, "-") == 0)
			node->operation = 0;
		else
			stream = awk_input(awk, awk_slice(name), node->operation == '|');
		awk_drop_string(awk, name);
		if (node->operation != 0 && (!stream || stream->descriptor < 0))
			return awk_number(-1);
	}
	if (stream ? !awk_read_record(awk, &stream->reader, &record)
		   : !awk_main_record(awk, &record))
		return awk_number(0);
	value = awk_string(awk, AWK_INPUT, record);
	if (node->a)
		awk_assign(awk, node->a, value);
	else
		awk_set_record(awk, value);
	if (node->operation == 0)
		count_record(awk);
	return awk_number(1);
}

/* --- functions --- */

/* A bare variable that is not yet a value goes over as itself: it may become an array. */
static void hand_over(struct awk *awk, struct awk_node *argument, struct awk_cell *parameter)
{
	if (argument->kind == AWK_NODE_GLOBAL || argument->kind == AWK_NODE_LOCAL) {
		struct awk_cell *cell = cell_of(awk, argument);

		if (argument->kind == AWK_NODE_GLOBAL && argument->index == AWK_NF)
			awk_split_record(awk);
		if (cell->table)
			parameter->alias = cell;
		else if (cell->value.type == AWK_UNSET)
			parameter->alias = cell;
		else
			parameter->value = awk_keep(cell->value);
		return;
	}
	parameter->value = awk_eval(awk, argument);
}

static void drop_frame(struct awk *awk, struct awk_cell *frame, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (frame[i].alias)
			continue;
		awk_drop(awk, frame[i].value);
		if (frame[i].table) {
			awk_table_clear(awk, frame[i].table);
			process_give(awk->process, frame[i].table);
		}
	}
	process_give(awk->process, frame);
}

static struct awk_value call(struct awk *awk, struct awk_node *node)
{
	struct awk_function *function = awk->by_index[node->index];
	struct awk_cell *frame, *outer = awk->frame;
	struct awk_value result = {0};
	unsigned count = 0;

	awk_check_stack(awk);
	process_step(awk->process);
	frame = process_take(awk->process, (function->parameters + 1) * sizeof(*frame));
	for (struct awk_node *argument = node->a; argument; argument = argument->next) {
		if (count == function->parameters)
			awk_fail(awk, "too many arguments in function call");
		hand_over(awk, argument, &frame[count++]);
	}
	awk->frame = frame;
	if (awk_run(awk, function->body) == AWK_FLOW_RETURN) {
		result = awk->result;
		awk->result = (struct awk_value){0};
		awk->flow = AWK_GO_ON;
	}
	awk->frame = outer;
	drop_frame(awk, frame, function->parameters);
	return result;
}

/* --- all together --- */

static struct awk_value condition(struct awk *awk, struct awk_node *node)
{
	switch (node->kind) {
	case AWK_NODE_CONDITION:
		return awk_eval(awk, awk_eval_true(awk, node->a) ? node->b : node->c);
	case AWK_NODE_AND:
		return awk_number(awk_eval_true(awk, node->a) && awk_eval_true(awk, node->b));
	case AWK_NODE_OR:
		return awk_number(awk_eval_true(awk, node->a) || awk_eval_true(awk, node->b));
	default:
		return awk_number(!awk_eval_true(awk, node->a));
	}
}

struct awk_value awk_eval(struct awk *awk, struct awk_node *node)
{
	awk_check_stack(awk);
	switch (node->kind) {
	case AWK_NODE_CONSTANT:
		return awk_keep(node->value);
	case AWK_NODE_REGEX:
		return awk_number(matches(awk, NULL, node));
	case AWK_NODE_GLOBAL:
	case AWK_NODE_LOCAL:
		return variable(awk, node);
	case AWK_NODE_FIELD:
		return awk_get_field(awk, awk_eval_number(awk, node->a));
	case AWK_NODE_INDEX:
		return element(awk, node);
	case AWK_NODE_IN:
		return awk_number(is_in(awk, node));
	case AWK_NODE_ASSIGN:
		return assignment(awk, node);
	case AWK_NODE_CONDITION:
	case AWK_NODE_AND:
	case AWK_NODE_OR:
	case AWK_NODE_NOT:
		return condition(awk, node);
	case AWK_NODE_NEGATIVE:
		return awk_number(-awk_eval_number(awk, node->a));
	case AWK_NODE_PLUS:
		return awk_number(awk_eval_number(awk, node->a));
	case AWK_NODE_ARITHMETIC: {
		double left = awk_eval_number(awk, node->a);

		return awk_number(arithmetic(node->operation, left, awk_eval_number(awk, node->b)));
	}
	case AWK_NODE_CONCATENATION:
		return concatenation(awk, node);
	case AWK_NODE_COMPARE:
		return comparison(awk, node);
	case AWK_NODE_MATCH:
		return awk_number(matches(awk, node->a, node->b) ==
				  (node->operation == AWK_TOKEN_MATCH));
	case AWK_NODE_STEP:
		return stepping(awk, node);
	case AWK_NODE_CALL:
		return call(awk, node);
	case AWK_NODE_BUILTIN:
		return awk_call_builtin(awk, node);
	case AWK_NODE_GETLINE:
		return read_line(awk, node);
	case AWK_NODE_GROUP:
		return awk_eval(awk, node->a);
	default:
		return (struct awk_value){0};
	}
}

double awk_eval_number(struct awk *awk, struct awk_node *node)
{
	struct awk_value value = awk_eval(awk, node);
	double number = awk_to_number(&value);

	awk_drop(awk, value);
	return number;
}

struct awk_string *awk_eval_string(struct awk *awk, struct awk_node *node)
{
	struct awk_value value = awk_eval(awk, node);
	struct awk_string *string = awk_to_string(awk, &value, false);

	awk_drop(awk, value);
	return string;
}

bool awk_eval_true(struct awk *awk, struct awk_node *node)
{
	struct awk_value value = awk_eval(awk, node);
	bool is = awk_is_true(&value);

	awk_drop(awk, value);
	return is;
}
