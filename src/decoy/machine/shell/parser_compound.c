/* The grammar of compound commands: if, while, for, case, select, functions, ( ), { }, (( )). */
#include "decoy/machine/shell/state.h"

static struct node *inner_list(struct parser *parser, const char *const *ends)
{
	struct node *list = parser_list(parser, ends);

	if (!list || parser->failed)
		return NULL;
	if (!list->first) {
		const char *expected = NULL;

		/* at the end of all: what would have closed it */
		while (parser->token.kind == TOKEN_END && *ends)
			expected = *ends++;
		return parser_unexpected(parser, expected);
	}
	return list;
}

static struct node *parse_if(struct parser *parser)
{
	static const char *const then[] = {"then", NULL},
				 *const after[] = {"elif", "else", "fi", NULL},
				 *const fi[] = {"fi", NULL};
	struct node *node = parser_node(parser, NODE_IF), *at = node;

	parser_take(parser);
	for (;;) {
		at->condition = inner_list(parser, then);
		if (parser->failed || !parser_expect(parser, "then"))
			return NULL;
		at->first = inner_list(parser, after);
		if (parser->failed)
			return NULL;
		if (!parser_is_word(parser, "elif"))
			break;
		at->other = parser_node(parser, NODE_IF);
		at = at->other;
		parser_take(parser);
	}
	if (parser_is_word(parser, "else")) {
		parser_take(parser);
		at->other = inner_list(parser, fi);
		if (parser->failed)
			return NULL;
	}
	return parser_expect(parser, "fi") ? node : NULL;
}

/* do LIST done */
static struct node *parse_do(struct parser *parser)
{
	static const char *const done[] = {"done", NULL};
	struct node *list;

	if (!parser_expect(parser, "do"))
		return NULL;
	list = inner_list(parser, done);
	return !parser->failed && parser_expect(parser, "done") ? list : NULL;
}

static struct node *parse_while(struct parser *parser)
{
	static const char *const dos[] = {"do", NULL};
	struct node *node =
		parser_node(parser, parser->token.word.text[0] == 'u' ? NODE_UNTIL : NODE_WHILE);

	parser_take(parser);
	node->condition = inner_list(parser, dos);
	if (parser->failed)
		return NULL;
	node->first = parse_do(parser);
	return parser->failed ? NULL : node;
}

/* The three expressions of for ((;;)), at the second parenthesis. */
static bool parse_three(struct parser *parser, struct node *node)
{
	struct lexer *lexer = parser->lexer;
	struct word **tail = &node->words;
	size_t end, start, depth = 0;
	bool quoted = false;

	lexer->at--; /* back to the first */
	if (lexer_byte(lexer, 1) != '(' || !lexer_is_arithmetic(lexer, &end)) {
		lexer->unterminated = ')';
		lexer->unterminated_line = lexer_line(lexer);
		parser_unterminated(parser);
		return false;
	}
	start = lexer->at + 2;
	end += lexer->at;
	for (size_t i = start; i <= end; i++) {
		char byte = lexer->text[i];

		quoted = quoted != (byte == '"');
		depth += byte == '(';
		depth -= byte == ')' && depth;
		if (i < end && (byte != ';' || quoted || depth))
			continue;
		*tail = pool_take(parser->pool, sizeof(**tail));
		(*tail)->text = pool_text(parser->pool,
					  slice_trim(slice_of(lexer->text + start, i - start)));
		tail = &(*tail)->next;
		start = i + 1;
	}
	lexer->at = end + 2;
	return true;
}

/* What may stand between a for's words and its body: ; and newlines. Then do or (bash) {. */
static bool parse_body(struct parser *parser, struct node *node)
{
	static const char *const brace[] = {"}", NULL};

	if (parser_peek(parser, LEXER_COMMAND)->kind == TOKEN_SEMICOLON)
		parser_take(parser);
	parser_skip_newlines(parser);
	if (parser_is_word(parser, "{") && shell_has(parser->shell, SHELL_BASH)) {
		parser_take(parser);
		node->first = inner_list(parser, brace);
		return !parser->failed && parser_expect(parser, "}");
	}
	if (!parser_is_word(parser, "do")) {
		parser_unexpected(parser, parser->token.kind == TOKEN_END ? NULL : "do");
		return false;
	}
	node->first = parse_do(parser);
	return !parser->failed;
}

static struct node *parse_for(struct parser *parser)
{
	bool select = parser->token.word.text[0] == 's';
	struct node *node = parser_node(parser, select ? NODE_SELECT : NODE_FOR);
	struct word **tail = &node->words;
	struct token *token;

	parser_take(parser);
	token = parser_peek(parser, LEXER_WORDS);
	if (token->kind == TOKEN_OPEN && shell_has(parser->shell, SHELL_BASH) && !select) {
		parser_take(parser);
		node->kind = NODE_FOR_ARITHMETIC;
		if (!parse_three(parser, node))
			return NULL;
		return parse_body(parser, node) ? node : NULL;
	}
	if (token->kind != TOKEN_WORD ||
	    (!shell_has(parser->shell, SHELL_BASH) &&
	     (lexer_name(token->word.text) != strlen(token->word.text))))
		return parser_unexpected(
			parser, shell_has(parser->shell, SHELL_BASH) ? NULL : "for variable");
	node->name = token->word.text;
	parser_take(parser);
	if (parser_peek(parser, LEXER_COMMAND)->kind == TOKEN_NEWLINE)
		parser_skip_newlines(parser);
	if (parser_is_word(parser, "in")) {
		node->has_in = true;
		parser_take(parser);
		while ((token = parser_peek(parser, LEXER_WORDS))->kind == TOKEN_WORD) {
			*tail = pool_take(parser->pool, sizeof(**tail));
			**tail = token->word;
			tail = &(*tail)->next;
			parser_take(parser);
		}
		if (parser->failed)
			return NULL;
		if (token->kind != TOKEN_SEMICOLON && token->kind != TOKEN_NEWLINE)
			return parser_unexpected(parser, NULL);
	}
	return parse_body(parser, node) ? node : NULL;
}

static bool parse_patterns(struct parser *parser, struct case_item *item)
{
	struct word **tail = &item->patterns;
	struct token *token = parser_peek(parser, LEXER_COMMAND);

	if (token->kind == TOKEN_OPEN) {
		parser_take(parser);
		token = parser_peek(parser, LEXER_WORDS);
	}
	for (;;) {
		if (token->kind != TOKEN_WORD) {
			parser_unexpected(parser, token->kind == TOKEN_END ? ")" : NULL);
			return false;
		}
		*tail = pool_take(parser->pool, sizeof(**tail));
		**tail = token->word;
		tail = &(*tail)->next;
		parser_take(parser);
		token = parser_peek(parser, LEXER_WORDS);
		if (token->kind == TOKEN_CLOSE)
			break;
		if (token->kind != TOKEN_PIPE) {
			parser_unexpected(parser, ")");
			return false;
		}
		parser_take(parser);
		token = parser_peek(parser, LEXER_WORDS);
	}
	parser_take(parser);
	return true;
}

static struct node *parse_case(struct parser *parser)
{
	static const char *const esac[] = {"esac", NULL};
	struct node *node = parser_node(parser, NODE_CASE);
	struct case_item **tail = &node->cases;
	struct token *token;

	parser_take(parser);
	token = parser_peek(parser, LEXER_WORDS);
	if (token->kind != TOKEN_WORD)
		return parser_unexpected(parser, NULL);
	node->words = pool_take(parser->pool, sizeof(*node->words));
	*node->words = token->word;
	parser_take(parser);
	parser_skip_newlines(parser);
	if (!parser_expect(parser, "in"))
		return NULL;
	for (;;) {
		struct case_item *item;

		parser_skip_newlines(parser);
		if (parser_is_word(parser, "esac"))
			break;
		item = pool_take(parser->pool, sizeof(*item));
		*tail = item;
		tail = &item->next;
		if (parser->failed || !parse_patterns(parser, item))
			return NULL;
		item->body = parser_list(parser, esac);
		if (parser->failed)
			return NULL;
		token = parser_peek(parser, LEXER_COMMAND);
		if (token->kind == TOKEN_CASE_FALLS)
			item->end = CASE_FALLS;
		else if (token->kind == TOKEN_CASE_TESTS_ON)
			item->end = CASE_TESTS_ON;
		else if (token->kind != TOKEN_CASE_ENDS) {
			if (!parser_is_word(parser, "esac"))
				return parser_unexpected(parser, ";;");
			break;
		}
		parser_take(parser);
	}
	parser_take(parser);
	return node;
}

static struct node *parse_function_word(struct parser *parser)
{
	struct node *node = parser_node(parser, NODE_FUNCTION);
	struct token *token;

	parser_take(parser);
	token = parser_peek(parser, LEXER_WORDS);
	if (token->kind != TOKEN_WORD)
		return parser_unexpected(parser,
					 shell_has(parser->shell, SHELL_ASH) ? "word" : NULL);
	node->name = token->word.text;
	parser_take(parser);
	token = parser_peek(parser, LEXER_COMMAND);
	if (token->kind == TOKEN_OPEN) {
		size_t end;

		/* "function f ()" or "function f (list)" */
		for (end = 0; lexer_byte(parser->lexer, end) == ' '; end++)
			;
		if (lexer_byte(parser->lexer, end) == ')') {
			parser_take(parser);
			parser_peek(parser, LEXER_COMMAND);
			parser_take(parser);
		}
	}
	parser_skip_newlines(parser);
	token = parser_peek(parser, LEXER_COMMAND);
	if (token->kind != TOKEN_OPEN &&
	    (token->kind != TOKEN_WORD || !names_is_reserved(parser->shell, token->word.text)))
		return parser_unexpected(parser, NULL);
	node->first = parser_command(parser);
	return parser->failed ? NULL : node;
}

static struct node *parse_parenthesis(struct parser *parser)
{
	struct node *node = parser_node(parser, NODE_SUBSHELL);
	struct lexer *lexer = parser->lexer;
	size_t end;

	if (shell_has(parser->shell, SHELL_BASH) && lexer_byte(lexer, 0) == '(') {
		lexer->at--;
		if (lexer_is_arithmetic(lexer, &end)) {
			node->kind = NODE_ARITHMETIC;
			node->name = pool_text(parser->pool,
					       slice_of(lexer->text + lexer->at + 2, end - 2));
			lexer->at += end + 2;
			parser_take(parser);
			return node;
		}
		if (end == SIZE_MAX) {
			lexer->unterminated = ')';
			lexer->unterminated_line = lexer_line(lexer);
			parser_unterminated(parser);
			return NULL;
		}
		lexer->at++;
	}
	parser_take(parser);
	/* ")" ends the list, whatever word stands there. */
	node->first = parser_list(parser, NULL);
	if (!node->first || parser->failed)
		return NULL;
	if (parser_peek(parser, LEXER_COMMAND)->kind != TOKEN_CLOSE)
		return parser_unexpected(parser, ")");
	if (!node->first->first)
		return parser_unexpected(parser, NULL);
	parser_take(parser);
	return node;
}

static struct node *parse_braces(struct parser *parser)
{
	static const char *const brace[] = {"}", NULL};
	struct node *node = parser_node(parser, NODE_GROUP);

	parser_take(parser);
	node->first = inner_list(parser, brace);
	return !parser->failed && parser_expect(parser, "}") ? node : NULL;
}

static struct node *parse_double_bracket(struct parser *parser)
{
	struct node *node = parser_node(parser, NODE_TEST);

	parser_take(parser);
	node->other = parser_test(parser);
	return parser->failed ? NULL : node;
}

static bool starts_compound(const struct token *token)
{
	static const char *const words[] = {"if",     "while", "until", "for",
					    "select", "case",  "{",     "[["};

	if (token->kind != TOKEN_WORD || token->word.flags & WORD_QUOTES)
		return token->kind == TOKEN_OPEN;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!strcmp(token->word.text, words[i]))
			return true;
	return false;
}

/* coproc [NAME] COMPOUND, coproc SIMPLE */
static struct node *parse_coproc(struct parser *parser)
{
	struct node *node = parser_node(parser, NODE_COPROC);
	struct token *token;
	struct word *first;

	parser_take(parser);
	node->name = pool_text(parser->pool, SLICE("COPROC"));
	token = parser_peek(parser, LEXER_COMMAND);
	if (token->kind != TOKEN_WORD || starts_compound(token)) {
		node->first = parser_command(parser);
		return parser->failed ? NULL : node;
	}
	first = pool_take(parser->pool, sizeof(*first));
	*first = token->word;
	parser_take(parser);
	token = parser_peek(parser, first->flags & WORD_ASSIGNMENT ? LEXER_COMMAND : LEXER_WORDS);
	if (!(first->flags & WORD_ASSIGNMENT) && starts_compound(token)) {
		node->name = first->text;
		node->first = parser_command(parser);
	} else {
		node->first = parser_simple(parser, first);
	}
	return parser->failed ? NULL : node;
}

struct node *parser_compound(struct parser *parser);

struct node *parser_compound(struct parser *parser)
{
	static const struct {
		const char *word;
		struct node *(*parse)(struct parser *parser);
	} commands[] = {
		{"if", parse_if},         {"while", parse_while},
		{"until", parse_while},   {"for", parse_for},
		{"select", parse_for},    {"case", parse_case},
		{"{", parse_braces},      {"[[", parse_double_bracket},
		{"coproc", parse_coproc}, {"function", parse_function_word},
	};
	struct token *token = parser_peek(parser, LEXER_COMMAND);

	if (token->kind == TOKEN_OPEN)
		return parse_parenthesis(parser);
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (!strcmp(token->word.text, commands[i].word))
			return commands[i].parse(parser);
	return parser_unexpected(parser, NULL);
}
