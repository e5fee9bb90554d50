/* The grammar of [[ ]]. */
#include "decoy/machine/shell/state.h"

/* Operands and operators of one [[ ]]. */
#define TESTS_MAX 200

static struct node *parse_or(struct parser *parser);

static void skip_newlines(struct parser *parser)
{
	while (parser_peek(parser, LEXER_TEST)->kind == TOKEN_NEWLINE)
		parser_take(parser);
}

static bool is_end(const struct token *token)
{
	return token->kind == TOKEN_WORD && !strcmp(token->word.text, "]]");
}

/* operator: "unary" or "binary" whose operand `word` is none; NULL: what `word` says. */
static struct node *fail(struct parser *parser, const char *operator, const char * word)
{
	struct shell *shell = parser->shell;
	unsigned line = shell->line;

	if (parser->failed)
		return NULL;
	parser->failed = true;
	if (parser->silent)
		return NULL;
	shell->line = lexer_line(parser->lexer);
	shell->origin = parser_origin(shell);
	if (operator)
		message_say(shell, "unexpected argument `%s' to conditional %s operator",
			    word, operator);
	else
		message_say(shell, "%s", word);
	shell->origin = NULL;
	shell->line = line;
	return NULL;
}

static struct node *no_end(struct parser *parser)
{
	return fail(parser, NULL, "unexpected EOF while looking for `]]'");
}

static struct word *take_operand(struct parser *parser)
{
	struct word *word = pool_take(parser->pool, sizeof(*word));

	*word = parser->token.word;
	parser_take(parser);
	return word;
}

static bool is_unary(const char *text)
{
	return text[0] == '-' && text[1] && !text[2] &&
	       strchr("abcdefghknoprstuvwxzGLNORS", text[1]) != NULL;
}

static bool is_binary(const char *text)
{
	static const char *const names[] = {"=",   "==",  "!=",  "=~",  "<",   ">",   "-eq", "-ne",
					    "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!strcmp(text, names[i]))
			return true;
	return false;
}

static bool is_word(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_NUMBER ||
	       token->kind == TOKEN_VARIABLE;
}

/* Numbers before < and > are words here. */
static void normalise(struct token *token)
{
	if (token->kind == TOKEN_NUMBER)
		token->kind = TOKEN_WORD;
}

static struct node *parse_operand(struct parser *parser)
{
	struct node *node = parser_node(parser, NODE_TEST_WORD);
	struct token *token = parser_peek(parser, LEXER_TEST);
	const char *op;

	normalise(token);
	if (token->kind == TOKEN_END)
		return no_end(parser);
	if (!is_word(token) || is_end(token))
		return parser_unexpected(parser, NULL);
	if (is_unary(token->word.text) && !(token->word.flags & WORD_QUOTES)) {
		op = token->word.text;
		parser_take(parser);
		token = parser_peek(parser, LEXER_TEST);
		normalise(token);
		if (!is_word(token) || is_end(token))
			return fail(parser, "unary", lexer_token_words(token));
		node->name = (char *)(uintptr_t)op;
		node->words = take_operand(parser);
		return node;
	}
	node->words = take_operand(parser);
	token = parser_peek(parser, LEXER_TEST);
	op = NULL;
	if (token->kind == TOKEN_REDIRECTION &&
	    (token->redirection == REDIRECT_READ || token->redirection == REDIRECT_WRITE))
		op = token->word.text;
	else if (token->kind == TOKEN_WORD && is_binary(token->word.text))
		op = token->word.text;
	if (!op) {
		if (is_end(token) || token->kind == TOKEN_AND || token->kind == TOKEN_OR ||
		    token->kind == TOKEN_CLOSE || token->kind == TOKEN_NEWLINE)
			return node;
		if (token->kind == TOKEN_END)
			return no_end(parser);
		return fail(parser, NULL, "conditional binary operator expected");
	}
	parser_take(parser);
	token = parser_peek(parser, !strcmp(op, "=~") ? LEXER_REGEX : LEXER_TEST);
	normalise(token);
	if (parser->failed)
		return NULL;
	if (!is_word(token))
		return fail(parser, "binary",
			    token->kind == TOKEN_END ? "newline" : lexer_token_words(token));
	node->name = (char *)(uintptr_t)op;
	node->words->next = take_operand(parser);
	return node;
}

static struct node *parse_not(struct parser *parser)
{
	struct node *node;
	struct token *token;

	skip_newlines(parser);
	token = parser_peek(parser, LEXER_TEST);
	if (++parser->depth > SHELL_NESTING_MAX || ++parser->tests > TESTS_MAX ||
	    shell_stack_is_low(parser->shell))
		return parser_unexpected(parser, NULL);
	if (token->kind == TOKEN_WORD && !strcmp(token->word.text, "!")) {
		node = parser_node(parser, NODE_TEST_NOT);
		parser_take(parser);
		node->first = parse_not(parser);
	} else if (token->kind == TOKEN_OPEN) {
		node = parser_node(parser, NODE_TEST_GROUP);
		parser_take(parser);
		node->first = parse_or(parser);
		if (!parser->failed && parser_peek(parser, LEXER_TEST)->kind != TOKEN_CLOSE)
			return parser_unexpected(parser, NULL);
		parser_take(parser);
	} else {
		node = parse_operand(parser);
	}
	parser->depth--;
	skip_newlines(parser);
	return parser->failed ? NULL : node;
}

/* Members of && or || hang on each other by `first` and `other`. */
static struct node *parse_and(struct parser *parser)
{
	struct node *left = parse_not(parser);

	while (!parser->failed && parser_peek(parser, LEXER_TEST)->kind == TOKEN_AND) {
		struct node *node = parser_node(parser, NODE_TEST_AND);

		parser_take(parser);
		node->first = left;
		node->other = parse_not(parser);
		left = node;
	}
	return parser->failed ? NULL : left;
}

static struct node *parse_or(struct parser *parser)
{
	struct node *left = parse_and(parser);
	size_t count = 0;

	while (!parser->failed && parser_peek(parser, LEXER_TEST)->kind == TOKEN_OR) {
		struct node *node = parser_node(parser, NODE_TEST_OR);

		if (++count > SHELL_NESTING_MAX)
			return parser_unexpected(parser, NULL);
		parser_take(parser);
		node->first = left;
		node->other = parse_and(parser);
		left = node;
	}
	return parser->failed ? NULL : left;
}

struct node *parser_test(struct parser *parser)
{
	struct node *node;
	struct token *token;

	parser->tests = 0;
	node = parse_or(parser);
	if (parser->failed)
		return NULL;
	token = parser_peek(parser, LEXER_TEST);
	if (token->kind == TOKEN_END)
		return no_end(parser);
	if (!is_end(token))
		return parser_unexpected(parser, NULL);
	parser_take(parser);
	return node;
}
