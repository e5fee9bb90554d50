/* awk: expressions. */
#include "decoy/machine/commands/text_awk.h"

static struct awk_node *unary(struct awk *awk);
static struct awk_node *concatenation(struct awk *awk);
static struct awk_node *primary(struct awk *awk);

static struct awk_node *two(struct awk *awk, enum awk_kind kind, int operation, struct awk_node *a,
			    struct awk_node *b)
{
	struct awk_node *node = awk_node_new(awk, kind);

	node->operation = operation;
	node->a = a;
	node->b = b;
	return node;
}

static bool is_target(const struct awk_node *node)
{
	return node->kind == AWK_NODE_GLOBAL || node->kind == AWK_NODE_LOCAL ||
	       node->kind == AWK_NODE_FIELD || node->kind == AWK_NODE_INDEX;
}

struct awk_node *awk_parse_list(struct awk *awk, int closing)
{
	struct awk_node *first = NULL;
	struct awk_node **end = &first;
	bool no_greater = awk->no_greater;

	awk->no_greater = false;
	awk->parentheses++;
	awk_skip_newlines(awk);
	while (awk->token != closing) {
		*end = awk_parse_expression(awk);
		end = &(*end)->next;
		awk_skip_newlines(awk);
		if (awk->token == ',') {
			awk_next(awk);
			awk_skip_newlines(awk);
		} else if (awk->token != closing)
			awk_syntax_error(awk);
	}
	awk->parentheses--;
	awk->no_greater = no_greater;
	awk_next(awk);
	return first;
}

static struct awk_node *variable(struct awk *awk, const char *name)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_GLOBAL);

	for (unsigned i = 0; i < awk->parameters.count; i++) {
		if (strcmp(awk->parameters.names[i], name) == 0) {
			node->kind = AWK_NODE_LOCAL;
			node->index = i;
			return node;
		}
	}
	node->index = awk_intern(awk, &awk->globals, name);
	return node;
}

static struct awk_node *named(struct awk *awk)
{
	struct awk_node *node = variable(awk, awk->word.data);

	awk_next(awk);
	if (awk->token == '[') {
		awk_next(awk);
		node = two(awk, AWK_NODE_INDEX, 0, node, awk_parse_list(awk, ']'));
		if (!node->b)
			awk_syntax_error(awk);
	}
	return node;
}

static struct awk_node *call(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_CALL);

	node->index = awk_function_index(awk, awk->word.data);
	awk_next(awk);
	awk_next(awk);
	node->a = awk_parse_list(awk, ')');
	return node;
}

static struct awk_node *builtin(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_BUILTIN);
	const char *function;

	node->operation = awk->operation;
	function = awk->word.data;
	awk_next(awk);
	if (awk->token == '(') {
		awk_next(awk);
		node->a = awk_parse_list(awk, ')');
	} else if (node->operation != AWK_LENGTH)
		awk_syntax_error(awk);
	if (!awk_builtin_takes(node->operation, node->a)) {
		process_error(awk->process,
			      "%s: line %u: wrong number of arguments in call to %s\n",
			      awk->process->argv[0], awk->line, function);
		process_exit(awk->process, 2);
	}
	return node;
}

static struct awk_node *regex(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_REGEX);
	const char *why;

	awk_read_regex(awk);
	node->regex = regex_new(awk->process, text_slice(&awk->word), REGEX_AWK, 0, &why);
	if (!node->regex) {
		process_error(awk->process,
			      "%s: line %u: regular expression compile failed (%s)\n%s\n",
			      awk->process->argv[0], awk->line, why, awk->word.data);
		process_exit(awk->process, 2);
	}
	node->value = awk_string(awk, AWK_STRING, text_slice(&awk->word));
	awk_next(awk);
	return node;
}

static struct awk_node *group(struct awk *awk)
{
	struct awk_node *list, *node;

	awk_next(awk);
	list = awk_parse_list(awk, ')');
	if (!list)
		awk_syntax_error(awk);
	if (!list->next) {
		/* In parentheses it is no target, and no call's bare array. */
		if (!is_target(list))
			return list;
		node = awk_node_new(awk, AWK_NODE_GROUP);
		node->a = list;
		return node;
	}
	node = awk_node_new(awk, AWK_NODE_GROUP);
	node->a = list;
	return node;
}

static struct awk_node *getline_target(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_GETLINE);

	awk_next(awk);
	if (awk->token == '$' || awk->token == AWK_TOKEN_NAME)
		node->a = primary(awk);
	return node;
}

static struct awk_node *read_line(struct awk *awk)
{
	struct awk_node *node = getline_target(awk);

	if (awk->token == '<') {
		awk_next(awk);
		node->operation = '<';
		node->b = primary(awk);
	}
	return node;
}

static struct awk_node *constant(struct awk *awk, struct awk_value value)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_CONSTANT);

	node->value = value;
	awk_next(awk);
	return node;
}

static struct awk_node *dollar(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_FIELD);

	awk_next(awk);
	if (awk->token == AWK_TOKEN_INCREMENT || awk->token == AWK_TOKEN_DECREMENT ||
	    awk->token == '-' || awk->token == '+')
		node->a = unary(awk);
	else
		node->a = primary(awk);
	return node;
}

static struct awk_node *primary(struct awk *awk)
{
	awk_check_stack(awk);
	switch (awk->token) {
	case AWK_TOKEN_NUMBER:
		return constant(awk, awk_number(awk->number));
	case AWK_TOKEN_STRING:
		return constant(awk, awk_string(awk, AWK_STRING, text_slice(&awk->word)));
	case AWK_TOKEN_NAME:
		return named(awk);
	case AWK_TOKEN_CALL_NAME:
		return call(awk);
	case AWK_TOKEN_BUILTIN:
		return builtin(awk);
	case AWK_TOKEN_GETLINE:
		return read_line(awk);
	case '$':
		return dollar(awk);
	case '(':
		return group(awk);
	case '/':
		return regex(awk);
	case AWK_TOKEN_ASSIGN:
		if (awk->operation == '/')
			return regex(awk);
		awk_syntax_error(awk);
	default:
		awk_syntax_error(awk);
	}
}

static struct awk_node *step(struct awk *awk, struct awk_node *target, int token, bool before)
{
	struct awk_node *node =
		two(awk, AWK_NODE_STEP, token == AWK_TOKEN_INCREMENT ? 1 : -1, target, NULL);

	node->before = before;
	return node;
}

static struct awk_node *postfix(struct awk *awk)
{
	struct awk_node *node = primary(awk);

	if (!is_target(node))
		return node;
	if (awk->token == AWK_TOKEN_INCREMENT || awk->token == AWK_TOKEN_DECREMENT) {
		node = step(awk, node, awk->token, false);
		awk_next(awk);
		return node;
	}
	if (awk->token == AWK_TOKEN_ASSIGN) {
		int operation = awk->operation;

		awk_next(awk);
		awk_skip_newlines(awk);
		return two(awk, AWK_NODE_ASSIGN, operation, node, awk_parse_expression(awk));
	}
	return node;
}

static struct awk_node *power(struct awk *awk)
{
	struct awk_node *node = postfix(awk);

	if (awk->token != '^')
		return node;
	awk_next(awk);
	if (awk->token == '-' || awk->token == '+' || awk->token == '!')
		return two(awk, AWK_NODE_ARITHMETIC, '^', node, unary(awk));
	return two(awk, AWK_NODE_ARITHMETIC, '^', node, power(awk));
}

static struct awk_node *unary(struct awk *awk)
{
	int token = awk->token;

	awk_check_stack(awk);
	if (token == '!' || token == '-' || token == '+') {
		enum awk_kind kind = token == '!'   ? AWK_NODE_NOT
				     : token == '-' ? AWK_NODE_NEGATIVE
						    : AWK_NODE_PLUS;

		awk_next(awk);
		return two(awk, kind, 0, unary(awk), NULL);
	}
	if (token == AWK_TOKEN_INCREMENT || token == AWK_TOKEN_DECREMENT) {
		struct awk_node *target;

		awk_next(awk);
		target = primary(awk);
		if (!is_target(target))
			awk_syntax_error(awk);
		return step(awk, target, token, true);
	}
	return power(awk);
}

static struct awk_node *product(struct awk *awk)
{
	struct awk_node *node = unary(awk);

	while (awk->token == '*' || awk->token == '/' || awk->token == '%') {
		int operation = awk->token;

		awk_next(awk);
		node = two(awk, AWK_NODE_ARITHMETIC, operation, node, unary(awk));
	}
	return node;
}

static struct awk_node *sum(struct awk *awk)
{
	struct awk_node *node = product(awk);

	while (awk->token == '+' || awk->token == '-') {
		int operation = awk->token;

		awk_next(awk);
		node = two(awk, AWK_NODE_ARITHMETIC, operation, node, product(awk));
	}
	return node;
}

static bool begins_operand(const struct awk *awk)
{
	switch (awk->token) {
	case AWK_TOKEN_NUMBER:
	case AWK_TOKEN_STRING:
	case AWK_TOKEN_NAME:
	case AWK_TOKEN_CALL_NAME:
	case AWK_TOKEN_BUILTIN:
	case AWK_TOKEN_INCREMENT:
	case AWK_TOKEN_DECREMENT:
	case '$':
	case '(':
		return true;
	default:
		return false;
	}
}

static struct awk_node *concatenation(struct awk *awk)
{
	struct awk_node *node = sum(awk);

	while (begins_operand(awk))
		node = two(awk, AWK_NODE_CONCATENATION, 0, node, sum(awk));
	return node;
}

/* "command" | getline [target]; binds tighter than comparison. */
static struct awk_node *piped(struct awk *awk)
{
	struct awk_node *node = concatenation(awk);

	while (awk->token == '|') {
		const char *at = awk->at;
		struct awk_node *read;

		while (at < awk->end && (*at == ' ' || *at == '\t'))
			at++;
		if (awk->end - at < 7 || memcmp(at, "getline", 7) != 0)
			break;
		awk_next(awk);
		read = getline_target(awk);
		read->operation = '|';
		read->b = node;
		node = read;
		if (begins_operand(awk))
			node = two(awk, AWK_NODE_CONCATENATION, 0, node, concatenation(awk));
	}
	return node;
}

static struct awk_node *comparison(struct awk *awk)
{
	struct awk_node *node = piped(awk);

	for (;;) {
		int operation = awk->token;

		if (operation != '<' && operation != AWK_TOKEN_LESS_EQUAL &&
		    operation != AWK_TOKEN_EQUAL && operation != AWK_TOKEN_NOT_EQUAL &&
		    operation != AWK_TOKEN_GREATER_EQUAL && (operation != '>' || awk->no_greater))
			return node;
		awk_next(awk);
		node = two(awk, AWK_NODE_COMPARE, operation, node, piped(awk));
	}
}

static struct awk_node *match(struct awk *awk)
{
	struct awk_node *node = comparison(awk);

	while (awk->token == AWK_TOKEN_MATCH || awk->token == AWK_TOKEN_NOT_MATCH) {
		int operation = awk->token;

		awk_next(awk);
		node = two(awk, AWK_NODE_MATCH, operation, node, comparison(awk));
	}
	return node;
}

static struct awk_node *membership(struct awk *awk)
{
	struct awk_node *node = match(awk);

	while (awk->token == AWK_TOKEN_IN) {
		struct awk_node *list = node->kind == AWK_NODE_GROUP ? node->a : node;

		awk_next(awk);
		if (awk->token != AWK_TOKEN_NAME)
			awk_syntax_error(awk);
		node = two(awk, AWK_NODE_IN, 0, list, variable(awk, awk->word.data));
		awk_next(awk);
	}
	return node;
}

static struct awk_node *conjunction(struct awk *awk)
{
	struct awk_node *node = membership(awk);

	while (awk->token == AWK_TOKEN_AND) {
		awk_next(awk);
		awk_skip_newlines(awk);
		node = two(awk, AWK_NODE_AND, 0, node, membership(awk));
	}
	return node;
}

static struct awk_node *disjunction(struct awk *awk)
{
	struct awk_node *node = conjunction(awk);

	while (awk->token == AWK_TOKEN_OR) {
		awk_next(awk);
		awk_skip_newlines(awk);
		node = two(awk, AWK_NODE_OR, 0, node, conjunction(awk));
	}
	return node;
}

struct awk_node *awk_parse_expression(struct awk *awk)
{
	struct awk_node *node;

	awk_check_stack(awk);
	node = disjunction(awk);
	if (awk->token == '?') {
		struct awk_node *condition = awk_node_new(awk, AWK_NODE_CONDITION);

		awk_next(awk);
		awk_skip_newlines(awk);
		condition->a = node;
		condition->b = awk_parse_expression(awk);
		awk_skip_newlines(awk);
		awk_expect(awk, ':');
		awk_skip_newlines(awk);
		condition->c = awk_parse_expression(awk);
		return condition;
	}
	return node;
}
