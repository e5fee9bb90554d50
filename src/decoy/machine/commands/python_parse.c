/* Python's expressions; see python_parse.h. */
#include "decoy/machine/commands/python_parse.h"

struct python_node *parse_node(struct parser *p, enum python_node_kind kind)
{
	struct python_node *node = process_take(p->process, sizeof(*node));

	node->kind = kind;
	node->line = p->at->line;
	node->words = p->at->text;
	process_step(p->process);
	return node;
}

struct python_node *parse_end(struct parser *p, struct python_node *node,
			      const struct python_node *from)
{
	const struct python_token *last = p->at > p->tokens ? p->at - 1 : p->at;

	if (from) {
		node->words.at = from->words.at;
		node->line = from->line;
	}
	if (last->text.at + last->text.length > node->words.at)
		node->words.length = (size_t)(last->text.at + last->text.length - node->words.at);
	return node;
}

void parse_add(struct parser *p, struct python_node *to, struct python_node *item)
{
	/* Grown whenever the count is a power of two. */
	if ((to->count & (to->count - 1)) == 0)
		to->items = process_retake(p->process, to->items,
					   (to->count ? 2 * to->count : 1) *
						   sizeof(struct python_node *));
	to->items[to->count++] = item;
}

bool parse_is(const struct parser *p, const char *word)
{
	return (p->at->kind == TOKEN_OPERATOR || p->at->kind == TOKEN_NAME) &&
	       slice_is(p->at->text, word);
}

bool parse_take(struct parser *p, const char *word)
{
	if (p->failed || !parse_is(p, word))
		return false;
	p->at++;
	return true;
}

void parse_fail_at(struct parser *p, const char *words, unsigned line, struct slice at)
{
	if (p->failed)
		return;
	p->failed = true;
	*p->mistake = (struct python_mistake){.words = words, .line = line, .at = at};
}

void parse_fail(struct parser *p, const char *words)
{
	parse_fail_at(p, words, p->at->line, p->at->text);
}

void parse_want(struct parser *p, const char *word)
{
	if (!parse_take(p, word))
		parse_fail(p, strcmp(word, ":") == 0 && p->at->kind == TOKEN_NEWLINE
				      ? "expected ':'"
				      : "invalid syntax");
}

/* Deeper than anybody's program. */
static bool too_deep(struct parser *p)
{
	size_t used = (size_t)(p->py->stack - (const char *)__builtin_frame_address(0));

	if (used < PYTHON_STACK_MAX)
		return p->failed;
	p->failed = p->beyond = true;
	return true;
}

bool parse_is_keyword(struct slice word)
{
	static const char *const words[] = {
		"and",    "as",    "assert", "break",    "class",   "continue", "def",
		"del",    "elif",  "else",   "except",   "finally", "for",      "from",
		"global", "if",    "import", "in",       "is",      "lambda",   "not",
		"or",     "pass",  "raise",  "return",   "try",     "while",    "with",
		"yield",  "async", "await",  "nonlocal", "None",    "True",     "False"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (slice_is(word, words[i]))
			return true;
	return false;
}

struct slice parse_name(struct parser *p)
{
	if (p->at->kind != TOKEN_NAME || parse_is_keyword(p->at->text)) {
		if (parse_is(p, "yield") || parse_is(p, "await"))
			p->beyond = true;
		parse_fail(p, "invalid syntax");
		return (struct slice){0};
	}
	return (p->at++)->text;
}

static struct python_node *postfix(struct parser *p);
static struct python_node *logic(struct parser *p, bool or);

struct python_node *parse_target(struct parser *p)
{
	struct python_node *tuple = parse_node(p, NODE_TUPLE), *item;
	bool comma = false;

	do {
		if (parse_is(p, "in") || parse_is(p, ")"))
			break;
		if (parse_is(p, "*")) {
			p->failed = p->beyond = true;
			break;
		}
		if (parse_take(p, "(")) {
			if (too_deep(p))
				break;
			item = parse_target(p);
			parse_want(p, ")");
		} else {
			item = postfix(p);
		}
		parse_add(p, tuple, item);
		comma = comma || parse_is(p, ",");
	} while (parse_take(p, ","));
	return tuple->count == 1 && !comma ? tuple->items[0] : tuple;
}

/* Behind an element: "for x in y if z ..."; the kind of brackets is in the text. */
static struct python_node *comprehension(struct parser *p, struct python_node *element,
					 struct python_node *value, const char *kind)
{
	struct python_node *node = parse_node(p, NODE_COMPREHENSION);

	node->a = element;
	node->b = value;
	node->text = slice_text(kind);
	while (!p->failed && (parse_is(p, "for") || parse_is(p, "if"))) {
		struct python_node *clause = parse_node(p, NODE_CLAUSE);

		if (parse_take(p, "for")) {
			clause->a = parse_target(p);
			parse_want(p, "in");
			clause->b = logic(p, true);
		} else {
			parse_want(p, "if");
			clause->b = logic(p, true);
		}
		parse_add(p, node, clause);
	}
	return parse_end(p, node, element);
}

/* The end of brackets; what stands in its place is often an item without its comma. */
static void closing(struct parser *p, const char *bracket)
{
	const struct python_token *last = p->at > p->tokens ? p->at - 1 : p->at;
	bool begins = p->at->kind == TOKEN_TEXT || p->at->kind == TOKEN_NUMBER ||
		      (p->at->kind == TOKEN_NAME && !parse_is_keyword(p->at->text));

	if (parse_take(p, bracket))
		return;
	if (begins && last->kind != TOKEN_OPERATOR && last->line == p->at->line)
		parse_fail_at(p, "invalid syntax. Perhaps you forgot a comma?", last->line,
			      slice_of(last->text.at, (size_t)(p->at->text.at + p->at->text.length -
							       last->text.at)));
	else
		parse_fail(p, "invalid syntax");
}

static void arguments(struct parser *p, struct python_node *call)
{
	bool named = false;

	while (!p->failed && !parse_is(p, ")")) {
		struct python_node *argument;

		if (parse_is(p, "*") || parse_is(p, "**")) {
			argument = parse_node(p, NODE_STAR);
			argument->text = (p->at++)->text;
			argument->a = parse_expression(p);
		} else if (p->at->kind == TOKEN_NAME && p->at[1].kind == TOKEN_OPERATOR &&
			   slice_is(p->at[1].text, "=")) {
			argument = parse_node(p, NODE_KEYWORD);
			argument->text = parse_name(p);
			parse_want(p, "=");
			argument->a = parse_expression(p);
		} else {
			argument = parse_expression(p);
			if (parse_is(p, "for"))
				argument = comprehension(p, argument, NULL, "(");
		}
		if (!argument) {
			p->failed = true;
			return;
		}
		if (!p->failed && p->at[0].kind == TOKEN_OPERATOR && parse_is(p, "="))
			parse_fail_at(p,
				      "expression cannot contain assignment, perhaps you meant "
				      "\"==\"?",
				      argument->line, argument->words);
		named = named || argument->kind == NODE_KEYWORD;
		if (!p->failed && named && argument->kind != NODE_KEYWORD &&
		    argument->kind != NODE_STAR)
			parse_fail_at(p, "positional argument follows keyword argument",
				      p->at->line, p->at->text);
		parse_add(p, call, argument);
		if (!parse_take(p, ","))
			break;
	}
	closing(p, ")");
}

static struct python_node *index_of(struct parser *p, struct python_node *of)
{
	struct python_node *node = parse_node(p, NODE_INDEX);
	struct python_node *first = parse_is(p, ":") ? NULL : parse_expressions(p);

	node->a = of;
	node->b = first;
	if (parse_is(p, ":")) {
		struct python_node *range = parse_node(p, NODE_SLICE);

		range->a = first;
		parse_want(p, ":");
		if (!parse_is(p, ":") && !parse_is(p, "]"))
			range->b = parse_expression(p);
		if (parse_take(p, ":") && !parse_is(p, "]"))
			range->c = parse_expression(p);
		node->b = range;
	}
	closing(p, "]");
	return node;
}

static struct python_node *braces(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_DICT);

	while (!p->failed && !parse_is(p, "}")) {
		struct python_node *key, *value = NULL;

		if (parse_take(p, "**")) {
			value = parse_expression(p);
			key = parse_node(p, NODE_STAR);
			parse_add(p, node, key);
			parse_add(p, node, value);
			if (!parse_take(p, ","))
				break;
			continue;
		}
		key = parse_expression(p);
		if (parse_take(p, ":"))
			value = parse_expression(p);
		else if (node->count && node->kind == NODE_DICT && !p->failed)
			parse_fail_at(p, "':' expected after dictionary key", p->at[-1].line,
				      slice_of(p->at[-1].text.at + p->at[-1].text.length - 1, 1));
		else
			node->kind = NODE_SET;
		if (parse_is(p, "for")) {
			node = comprehension(p, key, value, value ? "{:" : "{");
			break;
		}
		parse_add(p, node, key);
		if (value)
			parse_add(p, node, value);
		if (!parse_take(p, ","))
			break;
	}
	closing(p, "}");
	return node;
}

static struct python_node *item(struct parser *p)
{
	struct python_node *star;

	if (!parse_is(p, "*"))
		return parse_expression(p);
	star = parse_node(p, NODE_STAR);
	p->at++;
	star->text = SLICE("*");
	star->a = parse_expression(p);
	return star;
}

static struct python_node *brackets(struct parser *p)
{
	bool round = parse_is(p, "(");
	struct python_node *node = parse_node(p, round ? NODE_TUPLE : NODE_LIST), *first;
	const char *bracket = round ? ")" : "]";

	p->at++;
	if (parse_take(p, bracket))
		return parse_end(p, node, NULL);
	first = item(p);
	if (parse_is(p, "for") && first) {
		node = comprehension(p, first, NULL, round ? "(" : "[");
		closing(p, bracket);
		return parse_end(p, node, NULL);
	}
	parse_add(p, node, first);
	if (round && parse_take(p, bracket))
		return first;
	while (!p->failed && parse_take(p, ",") && !parse_is(p, bracket))
		parse_add(p, node, item(p));
	closing(p, bracket);
	return parse_end(p, node, NULL);
}

static struct python_node *atom(struct parser *p)
{
	struct python_node *node;

	if (p->at->kind == TOKEN_TEXT)
		return parse_text(p);
	if (p->at->kind == TOKEN_NUMBER)
		return parse_number(p);
	if (parse_is(p, "(") || parse_is(p, "["))
		return brackets(p);
	if (parse_take(p, "{"))
		return braces(p);
	if (parse_is(p, "None") || parse_is(p, "True") || parse_is(p, "False")) {
		node = parse_node(p, NODE_CONSTANT);
		node->value =
			parse_is(p, "None") ? python_none() : python_bool(parse_is(p, "True"));
		p->at++;
		return node;
	}
	if (parse_take(p, "...")) {
		node = parse_node(p, NODE_CONSTANT);
		node->value = python_opaque();
		return node;
	}
	node = parse_node(p, NODE_NAME);
	node->text = parse_name(p);
	node->value.name = process_copy_slice(p->process, node->text);
	return node;
}

static struct python_node *postfix(struct parser *p)
{
	struct python_node *node = atom(p), *outer;

	while (!p->failed) {
		if (parse_take(p, ".")) {
			outer = parse_node(p, NODE_ATTRIBUTE);
			outer->a = node;
			outer->text = parse_name(p);
			outer->value.name = process_copy_slice(p->process, outer->text);
		} else if (parse_take(p, "(")) {
			outer = parse_node(p, NODE_CALL);
			outer->a = node;
			arguments(p, outer);
		} else if (parse_take(p, "[")) {
			outer = index_of(p, node);
		} else {
			break;
		}
		node = parse_end(p, outer, node);
	}
	return node;
}

static struct python_node *unary(struct parser *p, unsigned level);

static struct python_node *operate(struct parser *p, struct slice operator, struct python_node * a,
				   struct python_node *b)
{
	struct python_node *node = parse_node(p, b ? NODE_BINARY : NODE_UNARY);

	node->text = operator;
	node->a = a;
	node->b = b;
	return a ? parse_end(p, node, b ? a : NULL) : node;
}

static struct python_node *power(struct parser *p)
{
	struct python_node *base = postfix(p);
	struct slice operator;

	if (!parse_is(p, "**"))
		return base;
	operator=(p->at++)->text;
	return operate(p, operator, base, unary(p, 0));
}

static struct python_node *unary(struct parser *p, unsigned level)
{
	struct slice operator= p->at->text;

	if (too_deep(p))
		return NULL;
	if (p->at->kind == TOKEN_OPERATOR &&
	    (parse_is(p, "-") || parse_is(p, "+") || parse_is(p, "~"))) {
		struct python_node *node = parse_node(p, NODE_UNARY);

		p->at++;
		node->text = operator;
		node->a = unary(p, level);
		return parse_end(p, node, NULL);
	}
	return power(p);
}

/* From what binds least to what binds most. */
static struct python_node *binary(struct parser *p, unsigned level)
{
	static const char *const levels[][6] = {
		{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}};
	struct python_node *node;

	if (level == ARRAY_COUNT(levels))
		return unary(p, level);
	node = binary(p, level + 1);
	for (bool more = true; more && !p->failed;) {
		more = false;
		for (size_t i = 0; i < 6 && levels[level][i] && !more; i++)
			more = p->at->kind == TOKEN_OPERATOR && parse_is(p, levels[level][i]);
		if (more) {
			struct slice operator=(p->at++)->text;

			node = operate(p, operator, node, binary(p, level + 1));
		}
	}
	return node;
}

static struct slice comparison(struct parser *p)
{
	static const char *const words[] = {"<", ">", "==", "!=", "<=", ">=", "in", "is"};

	if (parse_is(p, "not") && p->at[1].kind == TOKEN_NAME && slice_is(p->at[1].text, "in")) {
		p->at += 2;
		return SLICE("not in");
	}
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (!parse_take(p, words[i]))
			continue;
		if (i == 7 && parse_take(p, "not"))
			return SLICE("is not");
		return slice_text(words[i]);
	}
	return (struct slice){0};
}

/* The first operand in a, then pairs: the operator in an item's text, its operand in its a. */
static struct python_node *compare(struct parser *p)
{
	struct python_node *node, *first;

	if (parse_is(p, "not")) {
		node = parse_node(p, NODE_UNARY);
		node->text = (p->at++)->text;
		if (too_deep(p))
			return NULL;
		node->a = compare(p);
		return parse_end(p, node, NULL);
	}
	first = binary(p, 0);
	node = parse_node(p, NODE_COMPARE);
	node->a = first;
	for (;;) {
		struct python_node *part = parse_node(p, NODE_COMPARE);

		part->text = comparison(p);
		if (!part->text.length || p->failed)
			break;
		process_step(p->process);
		part->a = binary(p, 0);
		parse_add(p, node, part);
	}
	return node->count ? parse_end(p, node, first) : first;
}

static struct python_node *logic(struct parser *p, bool or)
{
	struct python_node *node = or ? logic(p, false) : compare(p);

	while (!p->failed && parse_take(p, or ? "or" : "and")) {
		struct python_node *outer = parse_node(p, or ? NODE_OR : NODE_AND);

		outer->a = node;
		outer->b = or ? logic(p, false) : compare(p);
		node = outer;
	}
	return node;
}

/* Names with their defaults in a; the value 1: *, 2: **, 3: only by name. */
void parse_parameters(struct parser *p, struct python_node *function, const char *end)
{
	bool named = false;

	while (!p->failed && !parse_is(p, end)) {
		struct python_node *parameter = parse_node(p, NODE_NAME);

		if (parse_take(p, "/")) {
			(void)parse_take(p, ",");
			continue;
		}
		if (parse_is(p, "*") || parse_is(p, "**")) {
			parameter->value = python_int(slice_is((p->at++)->text, "*") ? 1 : 2);
			named = true;
			if (parse_take(p, ","))
				continue;
		} else if (named) {
			parameter->value = python_int(3);
		}
		parameter->text = parse_name(p);
		if (*end == ')' && parse_take(p, ":"))
			(void)parse_expression(p);
		if (parse_take(p, "="))
			parameter->a = parse_expression(p);
		parse_add(p, function, parameter);
		if (!parse_take(p, ","))
			break;
	}
	if (!parse_take(p, end))
		parse_fail(p, "invalid syntax");
}

struct python_node *parse_expression(struct parser *p)
{
	struct python_node *node, *choice;

	if (too_deep(p))
		return NULL;
	if (parse_is(p, "lambda")) {
		node = parse_node(p, NODE_LAMBDA);
		p->at++;
		parse_parameters(p, node, ":");
		node->a = parse_expression(p);
		return parse_end(p, node, NULL);
	}
	node = logic(p, true);
	if (!p->failed && parse_take(p, "if")) {
		choice = parse_node(p, NODE_CHOICE);
		choice->b = node;
		choice->a = logic(p, true);
		if (!parse_take(p, "else"))
			parse_fail_at(p, "expected 'else' after 'if' expression", node->line,
				      parse_end(p, choice, node)->words);
		choice->c = parse_expression(p);
		return parse_end(p, choice, node);
	}
	if (!p->failed && node->kind == NODE_NAME && parse_take(p, ":=")) {
		choice = parse_node(p, NODE_WALRUS);
		choice->a = node;
		choice->b = parse_expression(p);
		return parse_end(p, choice, node);
	}
	return node;
}

struct python_node *parse_expressions(struct parser *p)
{
	struct python_node *node, *first = item(p);

	if (p->failed || (!parse_is(p, ",") && first->kind != NODE_STAR))
		return first;
	node = parse_node(p, NODE_TUPLE);
	parse_add(p, node, first);
	while (!p->failed && parse_take(p, ",")) {
		if (p->at->kind == TOKEN_NEWLINE || parse_is(p, "=") || parse_is(p, ")") ||
		    parse_is(p, "]") || parse_is(p, ":") || parse_is(p, ";") || parse_is(p, "in"))
			break;
		parse_add(p, node, item(p));
	}
	return parse_end(p, node, first);
}
