/* awk: rules, functions and statements. */
#include "decoy/machine/commands/text_awk.h"

struct awk_node *awk_node_new(struct awk *awk, enum awk_kind kind)
{
	struct awk_node *node = process_take(awk->process, sizeof(*node));

	node->kind = kind;
	return node;
}

void awk_syntax_error(struct awk *awk)
{
	const char *name = awk->process->argv[0];

	if (awk->token == AWK_TOKEN_END) {
		if (awk->parentheses > 0)
			process_error(awk->process, "%s: line %u: missing ) near end of line\n",
				      name, awk->line);
		process_error(awk->process, "%s: line %u: missing } near end of file\n", name,
			      awk->line + 1);
	} else if (awk->token == '}' && awk->parentheses > 0)
		process_error(awk->process, "%s: line %u: missing ) near }\n", name, awk->line);
	else if (awk->token == '\n')
		process_error(awk->process, "%s: line %u: syntax error at or near end of line\n",
			      name, awk->line - 1);
	else
		process_error(awk->process, "%s: line %u: syntax error at or near %.*s\n", name,
			      awk->line, (int)(awk->at - awk->token_start), awk->token_start);
	process_exit(awk->process, 2);
}

bool awk_accept(struct awk *awk, int token)
{
	if (awk->token != token)
		return false;
	awk_next(awk);
	return true;
}

void awk_expect(struct awk *awk, int token)
{
	if (awk->token != token)
		awk_syntax_error(awk);
	awk_next(awk);
}

void awk_skip_newlines(struct awk *awk)
{
	while (awk->token == '\n')
		awk_next(awk);
}

static void skip_ends(struct awk *awk)
{
	while (awk->token == '\n' || awk->token == ';')
		awk_next(awk);
}

static struct awk_node *statement(struct awk *awk);

static struct awk_node *block(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_BLOCK);
	struct awk_node **end = &node->a;

	awk_expect(awk, '{');
	skip_ends(awk);
	while (awk->token != '}') {
		if (awk->token == AWK_TOKEN_END)
			awk_syntax_error(awk);
		*end = statement(awk);
		end = &(*end)->next;
		skip_ends(awk);
	}
	awk_next(awk);
	return node;
}

static bool at_end(const struct awk *awk)
{
	return awk->token == ';' || awk->token == '\n' || awk->token == '}' ||
	       awk->token == AWK_TOKEN_END;
}

static void end_statement(struct awk *awk)
{
	if (awk->token == ';' || awk->token == '\n')
		awk_next(awk);
	else if (awk->token != '}' && awk->token != AWK_TOKEN_END)
		awk_syntax_error(awk);
}

static struct awk_node *print_statement(struct awk *awk)
{
	struct awk_node *node =
		awk_node_new(awk, awk->token == AWK_TOKEN_PRINT ? AWK_NODE_PRINT : AWK_NODE_PRINTF);
	struct awk_node **end = &node->a;

	awk_next(awk);
	awk->no_greater = true;
	while ((node->a || !at_end(awk)) && awk->token != '>' && awk->token != AWK_TOKEN_APPEND &&
	       awk->token != '|') {
		*end = awk_parse_expression(awk);
		end = &(*end)->next;
		if (awk->token != ',')
			break;
		awk_next(awk);
		awk_skip_newlines(awk);
	}
	if (node->kind == AWK_NODE_PRINTF && !node->a) {
		process_error(awk->process, "%s: line %u: no arguments in call to printf\n",
			      awk->process->argv[0], awk->line);
		process_exit(awk->process, 2);
	}
	if (node->a && node->a->kind == AWK_NODE_GROUP && !node->a->next)
		node->a = node->a->a;
	if (awk->token == '>' || awk->token == AWK_TOKEN_APPEND || awk->token == '|') {
		node->operation = awk->token == AWK_TOKEN_APPEND ? 'a' : awk->token;
		awk_next(awk);
		node->b = awk_parse_expression(awk);
	}
	awk->no_greater = false;
	end_statement(awk);
	return node;
}

/* A statement without its end: the parts of for ( ; ; ). */
static struct awk_node *simple(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_EXPRESSION);

	node->a = awk_parse_expression(awk);
	return node;
}

static struct awk_node *body(struct awk *awk)
{
	awk_skip_newlines(awk);
	if (awk_accept(awk, ';'))
		return NULL;
	return statement(awk);
}

static struct awk_node *if_statement(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_IF);

	awk_next(awk);
	awk_expect(awk, '(');
	node->a = awk_parse_expression(awk);
	awk_expect(awk, ')');
	node->b = body(awk);
	if (awk->token == ';' || awk->token == '\n') { /* is there an else behind it? */
		const char *at = awk->at, *start = awk->token_start;
		unsigned line = awk->line;
		int token = awk->token;

		skip_ends(awk);
		if (awk->token != AWK_TOKEN_ELSE) {
			awk->at = at;
			awk->token_start = start;
			awk->line = line;
			awk->token = token;
		}
	}
	if (awk_accept(awk, AWK_TOKEN_ELSE))
		node->c = body(awk);
	return node;
}

static struct awk_node *while_statement(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_WHILE);

	awk_next(awk);
	awk_expect(awk, '(');
	node->a = awk_parse_expression(awk);
	awk_expect(awk, ')');
	if (awk->token == ';') {
		awk_next(awk);
		return node;
	}
	node->b = body(awk);
	return node;
}

static struct awk_node *do_statement(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_DO);

	awk_next(awk);
	node->b = body(awk);
	skip_ends(awk);
	awk_expect(awk, AWK_TOKEN_WHILE);
	awk_expect(awk, '(');
	node->a = awk_parse_expression(awk);
	awk_expect(awk, ')');
	end_statement(awk);
	return node;
}

static struct awk_node *for_statement(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_FOR);

	awk_next(awk);
	awk_expect(awk, '(');
	if (awk->token != ';') {
		node->a = simple(awk);
		if (node->a->a->kind == AWK_NODE_IN && awk->token == ')' && node->a->a->a &&
		    !node->a->a->a->next) {
			node->kind = AWK_NODE_FOR_IN;
			node->b = node->a->a->b;
			node->a = node->a->a->a;
			awk_next(awk);
			node->d = body(awk);
			return node;
		}
	}
	awk_expect(awk, ';');
	awk_skip_newlines(awk);
	if (awk->token != ';')
		node->b = awk_parse_expression(awk);
	awk_expect(awk, ';');
	awk_skip_newlines(awk);
	if (awk->token != ')')
		node->c = simple(awk);
	awk_expect(awk, ')');
	node->d = body(awk);
	return node;
}

static struct awk_node *word_statement(struct awk *awk, enum awk_kind kind, bool value)
{
	struct awk_node *node = awk_node_new(awk, kind);

	awk_next(awk);
	if (value && !at_end(awk))
		node->a = awk_parse_expression(awk);
	end_statement(awk);
	return node;
}

static struct awk_node *delete_statement(struct awk *awk)
{
	struct awk_node *node = awk_node_new(awk, AWK_NODE_DELETE);
	struct awk_node *target;

	awk_next(awk);
	target = awk_parse_expression(awk);
	if (target->kind == AWK_NODE_INDEX) {
		node->a = target->a;
		node->b = target->b;
	} else if (target->kind == AWK_NODE_GLOBAL || target->kind == AWK_NODE_LOCAL)
		node->a = target;
	else
		awk_syntax_error(awk);
	end_statement(awk);
	return node;
}

static struct awk_node *statement(struct awk *awk)
{
	struct awk_node *node;

	awk_check_stack(awk);
	switch (awk->token) {
	case '{':
		return block(awk);
	case AWK_TOKEN_IF:
		return if_statement(awk);
	case AWK_TOKEN_WHILE:
		return while_statement(awk);
	case AWK_TOKEN_DO:
		return do_statement(awk);
	case AWK_TOKEN_FOR:
		return for_statement(awk);
	case AWK_TOKEN_PRINT:
	case AWK_TOKEN_PRINTF:
		return print_statement(awk);
	case AWK_TOKEN_NEXT:
		return word_statement(awk, AWK_NODE_NEXT, false);
	case AWK_TOKEN_NEXT_FILE:
		return word_statement(awk, AWK_NODE_NEXT_FILE, false);
	case AWK_TOKEN_EXIT:
		return word_statement(awk, AWK_NODE_EXIT, true);
	case AWK_TOKEN_RETURN:
		if (!awk->in_function) {
			process_error(awk->process, "%s: line %u: return outside function body\n",
				      awk->process->argv[0], awk->line);
			process_exit(awk->process, 2);
		}
		return word_statement(awk, AWK_NODE_RETURN, true);
	case AWK_TOKEN_BREAK:
		return word_statement(awk, AWK_NODE_BREAK, false);
	case AWK_TOKEN_CONTINUE:
		return word_statement(awk, AWK_NODE_CONTINUE, false);
	case AWK_TOKEN_DELETE:
		return delete_statement(awk);
	case ';':
		awk_next(awk);
		return awk_node_new(awk, AWK_NODE_BLOCK);
	default:
		node = simple(awk);
		end_statement(awk);
		return node;
	}
}

/* --- functions and rules --- */

static struct awk_function *function_of(struct awk *awk, const char *name)
{
	struct awk_function *function = awk->functions;

	while (function && strcmp(function->name, name) != 0)
		function = function->next;
	if (function)
		return function;
	function = process_take(awk->process, sizeof(*function));
	function->name = process_copy_text(awk->process, name);
	function->index = awk->function_count++;
	function->line = awk->line;
	function->next = awk->functions;
	awk->functions = function;
	return function;
}

unsigned awk_function_index(struct awk *awk, const char *name)
{
	return function_of(awk, name)->index;
}

static void function_rule(struct awk *awk)
{
	struct awk_function *function;

	awk_next(awk);
	if (awk->token != AWK_TOKEN_NAME && awk->token != AWK_TOKEN_CALL_NAME)
		awk_syntax_error(awk);
	function = function_of(awk, awk->word.data);
	function->defined = true;
	awk_next(awk);
	awk_expect(awk, '(');
	awk->parameters = (struct awk_names){0};
	while (awk->token != ')') {
		if (awk->token != AWK_TOKEN_NAME)
			awk_syntax_error(awk);
		awk_intern(awk, &awk->parameters, awk->word.data);
		awk_next(awk);
		if (awk->token == ',') {
			awk_next(awk);
			awk_skip_newlines(awk);
		} else if (awk->token != ')')
			awk_syntax_error(awk);
	}
	awk_next(awk);
	awk_skip_newlines(awk);
	function->parameters = awk->parameters.count;
	awk->in_function = true;
	function->body = block(awk);
	awk->in_function = false;
	awk->parameters = (struct awk_names){0};
}

static void rule(struct awk *awk)
{
	struct awk_rule *new_rule = process_take(awk->process, sizeof(*new_rule));

	if (awk->token == AWK_TOKEN_BEGIN || awk->token == AWK_TOKEN_END_RULE) {
		new_rule->kind = awk->token == AWK_TOKEN_BEGIN ? AWK_BEGIN : AWK_END;
		awk_next(awk);
		awk_skip_newlines(awk);
		if (awk->token != '{')
			awk_syntax_error(awk);
	} else if (awk->token == '{')
		new_rule->kind = AWK_ALWAYS;
	else {
		new_rule->kind = AWK_PATTERN;
		new_rule->from = awk_parse_expression(awk);
		if (awk->token == ',') {
			awk_next(awk);
			awk_skip_newlines(awk);
			new_rule->kind = AWK_RANGE;
			new_rule->to = awk_parse_expression(awk);
		}
	}
	if (awk->token == '{')
		new_rule->body = block(awk);
	awk->has_end = awk->has_end || new_rule->kind == AWK_END;
	awk->has_main = awk->has_main || new_rule->kind > AWK_END;
	*awk->rules_end = new_rule;
	awk->rules_end = &new_rule->next;
}

void awk_parse(struct awk *awk)
{
	skip_ends(awk);
	while (awk->token != AWK_TOKEN_END) {
		if (awk->token == AWK_TOKEN_FUNCTION)
			function_rule(awk);
		else if (awk->token == '}') {
			process_error(awk->process, "%s: line %u: extra '}'\n",
				      awk->process->argv[0], awk->line);
			awk_next(awk);
			if (awk->token == AWK_TOKEN_END)
				awk->token = '\n', awk->line++;
			awk_syntax_error(awk);
		} else
			rule(awk);
		skip_ends(awk);
	}
	awk->by_index =
		process_take(awk->process, (awk->function_count + 1) * sizeof(*awk->by_index));
	for (struct awk_function *function = awk->functions; function; function = function->next) {
		if (!function->defined) {
			process_error(awk->process, "%s: line %u: function %s never defined\n",
				      awk->process->argv[0], awk->line + 1, function->name);
			process_exit(awk->process, 2);
		}
		awk->by_index[function->index] = function;
	}
}
