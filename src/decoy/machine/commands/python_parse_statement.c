/* Python's statements; see python_parse.h. */
#include "decoy/machine/commands/python_parse.h"

static struct python_node *block(struct parser *p, const char *of, unsigned line);

static struct slice dotted(struct parser *p)
{
	struct slice whole = parse_name(p);

	while (!p->failed && parse_take(p, ".")) {
		struct slice part = parse_name(p);

		if (!p->failed)
			whole.length = (size_t)(part.at + part.length - whole.at);
	}
	return whole;
}

/* Each item: the module or name in its text, the new name in its a. */
static struct python_node *import(struct parser *p)
{
	struct python_node *node = parse_node(p, parse_is(p, "from") ? NODE_FROM : NODE_IMPORT);
	bool round = false;

	p->at++;
	if (node->kind == NODE_FROM) {
		if (parse_is(p, "."))
			p->failed = p->beyond = true;
		node->text = dotted(p);
		parse_want(p, "import");
		round = parse_take(p, "(");
	}
	do {
		struct python_node *item = parse_node(p, NODE_NAME);

		if (node->kind == NODE_FROM && parse_take(p, "*"))
			item->text = SLICE("*");
		else
			item->text = node->kind == NODE_FROM ? parse_name(p) : dotted(p);
		if (parse_take(p, "as")) {
			item->a = parse_node(p, NODE_NAME);
			item->a->text = parse_name(p);
		}
		parse_add(p, node, item);
	} while (!p->failed && parse_take(p, ",") && !parse_is(p, ")"));
	if (round)
		parse_want(p, ")");
	return parse_end(p, node, NULL);
}

/* What cannot be given a value, or NULL. */
static const char *no_target(const struct python_node *node)
{
	switch (node->kind) {
	case NODE_CONSTANT:
		return node->value.kind == PYTHON_NONE   ? "None"
		       : node->value.kind == PYTHON_BOOL ? node->value.integer ? "True" : "False"
							 : "literal";
	case NODE_CALL:
		return "function call";
	case NODE_BINARY:
	case NODE_UNARY:
	case NODE_AND:
	case NODE_OR:
		return "expression";
	case NODE_COMPARE:
		return "comparison";
	case NODE_LAMBDA:
		return "lambda";
	case NODE_JOINED:
		return "f-string expression";
	case NODE_CHOICE:
		return "conditional expression";
	case NODE_DICT:
		return "dict literal";
	case NODE_SET:
		return "set display";
	case NODE_COMPREHENSION:
		return slice_is(node->text, "(") ? "generator expression" : "list comprehension";
	default:
		return NULL;
	}
}

static void check_target(struct parser *p, const struct python_node *node)
{
	const char *what = p->failed ? NULL : no_target(node);

	if (!what)
		return;
	parse_fail_at(p,
		      process_format(p->process,
				     node->kind == NODE_CONSTANT && *what != 'l'
					     ? "cannot assign to %s"
					     : "cannot assign to %s here. Maybe you meant '==' "
					       "instead of '='?",
				     what),
		      node->line, node->words);
}

static struct python_node *assignment(struct parser *p)
{
	static const char *const augmented[] = {
		"+=", "-=", "*=", "/=", "//=", "%=", "**=", ">>=", "<<=", "&=", "|=", "^="};
	struct python_node *node, *first = parse_expressions(p);

	if (p->failed)
		return NULL;
	for (size_t i = 0; i < ARRAY_COUNT(augmented); i++)
		if (parse_is(p, augmented[i])) {
			node = parse_node(p, NODE_AUGMENT);
			node->text = slice_first(p->at->text, p->at->text.length - 1);
			p->at++;
			node->a = first;
			node->b = parse_expressions(p);
			return parse_end(p, node, first);
		}
	if (parse_is(p, ":") && first->kind != NODE_TUPLE && !no_target(first)) {
		p->at++;
		(void)parse_expression(p);
		if (!parse_is(p, "=")) {
			node = parse_node(p, NODE_PASS);
			return node;
		}
	}
	if (!parse_is(p, "=")) {
		node = parse_node(p, NODE_EXPRESSION);
		node->a = first;
		return parse_end(p, node, first);
	}
	node = parse_node(p, NODE_ASSIGN);
	parse_add(p, node, first);
	while (parse_is(p, "=") && !p->failed) {
		check_target(p, node->items[node->count - 1]);
		p->at++;
		parse_add(p, node, parse_expressions(p));
	}
	return parse_end(p, node, first);
}

static struct python_node *with_value(struct parser *p, enum python_node_kind kind)
{
	struct python_node *node = parse_node(p, kind);

	p->at++;
	if (p->at->kind != TOKEN_NEWLINE && !parse_is(p, ";"))
		node->a = parse_expressions(p);
	if (kind == NODE_RAISE && parse_take(p, "from"))
		node->b = parse_expression(p);
	if (kind == NODE_RETURN && !p->functions && !p->failed)
		parse_fail_at(p, "'return' outside function", node->line,
			      parse_end(p, node, NULL)->words);
	return parse_end(p, node, NULL);
}

/* What `assert` expects in a, its words in b: two expressions, no tuple. */
static struct python_node *assertion(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_ASSERT);

	p->at++;
	node->a = parse_expression(p);
	if (parse_take(p, ","))
		node->b = parse_expression(p);
	return parse_end(p, node, NULL);
}

static struct python_node *global(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_GLOBAL);

	p->at++;
	do {
		struct python_node *item = parse_node(p, NODE_NAME);

		item->text = parse_name(p);
		parse_add(p, node, item);
	} while (!p->failed && parse_take(p, ","));
	return node;
}

static struct python_node *simple(struct parser *p)
{
	static const struct {
		const char *word;
		enum python_node_kind kind;
	} words[] = {{"pass", NODE_PASS}, {"break", NODE_BREAK}, {"continue", NODE_CONTINUE}};
	struct python_node *node;

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (parse_is(p, words[i].word)) {
			node = parse_node(p, words[i].kind);
			p->at++;
			if (i > 0 && !p->loops)
				parse_fail_at(p,
					      i == 1 ? "'break' outside loop"
						     : "'continue' not properly in loop",
					      node->line, node->words);
			return node;
		}
	if (parse_is(p, "import") || parse_is(p, "from"))
		return import(p);
	if (parse_is(p, "return"))
		return with_value(p, NODE_RETURN);
	if (parse_is(p, "raise"))
		return with_value(p, NODE_RAISE);
	if (parse_is(p, "del"))
		return with_value(p, NODE_DELETE);
	if (parse_is(p, "assert"))
		return assertion(p);
	if (parse_is(p, "global"))
		return global(p);
	return assignment(p);
}

static struct python_node *condition(struct parser *p)
{
	struct python_node *node = parse_node(p, parse_is(p, "while") ? NODE_WHILE : NODE_IF);
	const struct python_token *word = p->at++;

	node->a = parse_expression(p);
	if (!p->failed && parse_is(p, "=")) {
		struct python_node *wrong = parse_node(p, NODE_ASSIGN);

		p->at++;
		(void)parse_expression(p);
		parse_fail_at(p, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
			      node->line, parse_end(p, wrong, node->a)->words);
	}
	p->loops += node->kind == NODE_WHILE;
	node->b = block(p,
			process_format(p->process, "'%.*s' statement", (int)word->text.length,
				       (const char *)word->text.at),
			word->line);
	p->loops -= node->kind == NODE_WHILE;
	if (node->kind == NODE_IF && !p->failed && parse_is(p, "elif")) {
		if ((size_t)(p->py->stack - (const char *)__builtin_frame_address(0)) >
		    PYTHON_STACK_MAX)
			p->failed = p->beyond = true;
		else
			node->c = condition(p);
	} else if (parse_is(p, "else") && !p->failed) {
		word = p->at++;
		node->c = block(p, "'else' statement", word->line);
	}
	return node;
}

static struct python_node *loop(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_FOR);

	p->at++;
	node->a = parse_target(p);
	parse_want(p, "in");
	node->b = parse_expressions(p);
	p->loops++;
	node->c = block(p, "'for' statement", node->line);
	p->loops--;
	if (parse_take(p, "else"))
		parse_add(p, node, block(p, "'else' statement", p->at[-1].line));
	return parse_end(p, node, NULL);
}

static struct python_node *function(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_FUNCTION);
	unsigned loops = p->loops;

	p->at++;
	node->text = parse_name(p);
	if (!parse_take(p, "("))
		parse_fail(p, "expected '('");
	parse_parameters(p, node, ")");
	if (parse_take(p, "->"))
		(void)parse_expression(p);
	p->functions++;
	p->loops = 0;
	node->a = block(p, "function definition", node->line);
	p->loops = loops;
	p->functions--;
	return node;
}

/* The body in a, handlers as items (class in a, name in the text, body in b), else in b, finally in
 * c. */
static struct python_node *attempt(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_TRY);

	p->at++;
	node->a = block(p, "'try' statement", node->line);
	while (!p->failed && parse_is(p, "except")) {
		struct python_node *handler = parse_node(p, NODE_HANDLER);

		p->at++;
		if (!parse_is(p, ":"))
			handler->a = parse_expression(p);
		if (!p->failed && parse_is(p, ","))
			parse_fail_at(p, "multiple exception types must be parenthesized",
				      handler->a->line, handler->a->words);
		if (parse_take(p, "as"))
			handler->text = parse_name(p);
		handler->b = block(p, "'except' statement", handler->line);
		parse_add(p, node, handler);
	}
	if (parse_take(p, "else"))
		node->b = block(p, "'else' statement", p->at[-1].line);
	if (parse_take(p, "finally"))
		node->c = block(p, "'finally' statement", p->at[-1].line);
	else if (!node->count)
		parse_fail_at(p, "expected 'except' or 'finally' block",
			      p->at->kind == TOKEN_END && p->at > p->tokens + 1 ? p->at[-2].line
										: p->at->line,
			      slice_of(NULL, 0));
	return node;
}

static struct python_node *with(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_WITH);

	p->at++; /* with, or the comma behind the one before */
	node->a = parse_expression(p);
	if (parse_take(p, "as"))
		node->b = parse_target(p);
	if (parse_is(p, ",") && !p->failed)
		node->c = with(p);
	else
		node->c = block(p, "'with' statement", node->line);
	return parse_end(p, node, NULL);
}

/* Statements that are Python's and not run here. */
static bool is_beyond(struct parser *p)
{
	static const char *const words[] = {"class", "@", "async", "await", "yield", "nonlocal"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (parse_is(p, words[i]) && p->at[1].kind != TOKEN_NEWLINE)
			return true;
	return parse_is(p, "match") && p->at[1].kind == TOKEN_NAME;
}

static void simple_line(struct parser *p, struct python_node *to)
{
	do {
		if (p->at->kind == TOKEN_NEWLINE)
			break;
		parse_add(p, to, simple(p));
	} while (parse_take(p, ";"));
	if (p->at->kind == TOKEN_NEWLINE)
		p->at++;
	else if (p->at->kind != TOKEN_END)
		parse_fail(p, "invalid syntax");
}

/* One statement, or several in a line; added to the block. */
static void statement(struct parser *p, struct python_node *to)
{
	process_step(p->process);
	if ((size_t)(p->py->stack - (const char *)__builtin_frame_address(0)) > PYTHON_STACK_MAX ||
	    is_beyond(p))
		p->failed = p->beyond = true;
	if (p->failed)
		return;
	if (p->at->kind == TOKEN_INDENT) {
		parse_fail_at(p, "unexpected indent", p->at->line, slice_of(NULL, 0));
		p->mistake->kind = "IndentationError";
	} else if (parse_is(p, "if") || parse_is(p, "while")) {
		parse_add(p, to, condition(p));
	} else if (parse_is(p, "for")) {
		parse_add(p, to, loop(p));
	} else if (parse_is(p, "def")) {
		parse_add(p, to, function(p));
	} else if (parse_is(p, "try")) {
		parse_add(p, to, attempt(p));
	} else if (parse_is(p, "with")) {
		parse_add(p, to, with(p));
	} else {
		simple_line(p, to);
	}
}

static struct python_node *block(struct parser *p, const char *of, unsigned line)
{
	struct python_node *node = parse_node(p, NODE_BLOCK);

	parse_want(p, ":");
	if (p->failed)
		return node;
	if (p->at->kind != TOKEN_NEWLINE) {
		simple_line(p, node);
		return node;
	}
	p->at++;
	if (p->at->kind != TOKEN_INDENT) {
		bool ended = p->at->kind == TOKEN_END;

		parse_fail_at(p,
			      process_format(p->process,
					     "expected an indented block after %s on line %u", of,
					     line),
			      ended ? line : p->at->line,
			      ended ? slice_of(NULL, 0) : slice_first(p->at->text, 1));
		p->mistake->kind = "IndentationError";
		p->mistake->unfinished = ended;
		return node;
	}
	p->at++;
	while (!p->failed && p->at->kind != TOKEN_DEDENT && p->at->kind != TOKEN_END)
		statement(p, node);
	if (p->at->kind == TOKEN_DEDENT)
		p->at++;
	return node;
}

/* Python 2's print: the one mistake that everybody makes. */
static bool is_old_print(struct parser *p)
{
	const struct python_token *before = p->at > p->tokens ? p->at - 1 : p->at;

	return before->kind == TOKEN_NAME && before != p->at &&
	       (slice_is(before->text, "print") || slice_is(before->text, "exec")) &&
	       (p->at->kind == TOKEN_TEXT || p->at->kind == TOKEN_NUMBER ||
		p->at->kind == TOKEN_NAME) &&
	       before->line == p->at->line;
}

static void tell_old_print(struct parser *p)
{
	const struct python_token *print = p->at - 1;
	const uint8_t *end = print->text.at, *last = p->source.at + p->source.length;

	while (end < last && *end != '\n' && *end != ';' && *end != '#')
		end++;
	while (end > print->text.at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	p->failed = false;
	parse_fail_at(p,
		      process_format(p->process,
				     "Missing parentheses in call to '%.*s'. Did you mean "
				     "%.*s(...)?",
				     (int)print->text.length, (const char *)print->text.at,
				     (int)print->text.length, (const char *)print->text.at),
		      print->line, slice_of(print->text.at, (size_t)(end - print->text.at)));
}

enum python_parsed python_parse(struct python *py, struct slice source, struct python_node **tree,
				struct python_mistake *mistake)
{
	struct parser p = {.py = py, .process = py->process, .source = source, .mistake = mistake};

	p.tokens = python_lex(py->process, source, 1, mistake);
	if (!p.tokens)
		return mistake->words ? PYTHON_WRONG : PYTHON_BEYOND;
	p.at = p.tokens;
	*tree = parse_node(&p, NODE_BLOCK);
	while (!p.failed && p.at->kind != TOKEN_END)
		statement(&p, *tree);
	if (!p.failed)
		return PYTHON_PARSED;
	if (!p.beyond && is_old_print(&p))
		tell_old_print(&p);
	return p.beyond || !mistake->words ? PYTHON_BEYOND : PYTHON_WRONG;
}
