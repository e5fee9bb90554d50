/* The grammar: lists, pipelines, simple commands; see parser_compound.c for the rest. */
#include "decoy/machine/shell/state.h"

struct token *parser_peek(struct parser *parser, enum lexer_mode mode)
{
	if (!parser->have_token) {
		lexer_next(parser->lexer, parser->pool, mode, &parser->token);
		parser->have_token = true;
		if (parser->token.kind == TOKEN_ERROR && !parser->failed)
			parser_unterminated(parser);
	}
	return &parser->token;
}

void parser_take(struct parser *parser)
{
	parser->have_token = false;
}

struct node *parser_node(struct parser *parser, enum node_kind kind)
{
	struct node *node = pool_take(parser->pool, sizeof(*node));

	node->kind = (uint8_t)kind;
	node->line = parser->have_token ? parser->token.line : lexer_line(parser->lexer);
	return node;
}

bool parser_is_word(struct parser *parser, const char *word)
{
	struct token *token = parser_peek(parser, LEXER_COMMAND);

	return token->kind == TOKEN_WORD && !(token->word.flags & WORD_QUOTES) &&
	       !strcmp(token->word.text, word);
}

bool parser_expect(struct parser *parser, const char *word)
{
	if (!parser_is_word(parser, word)) {
		parser_unexpected(parser, word);
		return false;
	}
	parser_take(parser);
	return true;
}

/* A line of a here-document, with its newline, or an empty slice at the end. */
static struct slice here_line(struct lexer *lexer)
{
	size_t start = lexer->at, length = 0;
	int byte;

	while ((byte = lexer_byte(lexer, length)) >= 0) {
		length++;
		if (byte == '\n')
			break;
	}
	lexer->at = start + length;
	return slice_of(lexer->text + start, length);
}

static char *without_quotes(struct parser *parser, const char *text)
{
	char *plain = pool_text(parser->pool, slice_text(text)), *to = plain;
	char quote = 0;

	for (const char *at = text; *at; at++) {
		if (quote ? *at == quote : *at == '\'' || *at == '"')
			quote = quote ? 0 : *at;
		else if (*at == '\\' && quote != '\'' && at[1])
			*to++ = *++at;
		else
			*to++ = *at;
	}
	*to = '\0';
	return plain;
}

static void here_warning(struct parser *parser, const char *delimiter)
{
	if (shell_has(parser->shell, SHELL_BASH) && !parser->silent)
		message_say(parser->shell,
			    "warning: here-document at line %u delimited by end-of-file (wanted "
			    "`%s')",
			    parser->here_line, delimiter);
}

/* Reads the texts of here-documents that the line announced. */
static void read_here(struct parser *parser)
{
	for (unsigned i = 0; i < parser->here_count; i++) {
		struct redirection *here = parser->here[i];
		char *delimiter = without_quotes(parser, here->target.text);
		struct text text = {0};
		struct slice line;
		unsigned last = parser->shell->line;

		here->here_plain = lexer_has_quotes(here->target.text);
		parser->here_line = lexer_line(parser->lexer) - 1;
		for (;;) {
			struct slice body;

			line = here_line(parser->lexer);
			body = line;
			if (!line.length) {
				parser->shell->line = lexer_line(parser->lexer);
				here_warning(parser, delimiter);
				parser->shell->line = last;
				break;
			}
			if (here->kind == REDIRECT_HERE_TABS)
				while (body.length && body.at[0] == '\t')
					body = slice_from(body, 1);
			if (slice_is(slice_first(body,
						 body.length - (body.at[body.length - 1] == '\n')),
				     delimiter))
				break;
			if (text.length + body.length < SHELL_SCRIPT_MAX)
				text_add(parser->shell->process, &text, body);
			if (!here->here_plain && body.length > 1 &&
			    body.at[body.length - 1] == '\n' && body.at[body.length - 2] == '\\' &&
			    !(body.length > 2 && body.at[body.length - 3] == '\\')) {
				/* the next line is joined: never the delimiter */
				line = here_line(parser->lexer);
				text_add(parser->shell->process, &text, line);
			}
		}
		if (text.length && text.data[text.length - 1] != '\n' &&
		    shell_has(parser->shell, SHELL_BASH))
			text_add_byte(parser->shell->process, &text, '\n');
		here->here = pool_text(parser->pool, text_slice(&text));
		process_give(parser->shell->process, text.data);
	}
	parser->here_count = 0;
}

/* Takes a newline token: here-documents follow it. */
static void take_newline(struct parser *parser)
{
	parser_take(parser);
	if (parser->here_count)
		read_here(parser);
}

void parser_skip_newlines(struct parser *parser)
{
	while (parser_peek(parser, LEXER_COMMAND)->kind == TOKEN_NEWLINE)
		take_newline(parser);
}

bool parser_redirection(struct parser *parser, struct redirection ***tail)
{
	struct token *token = parser_peek(parser, LEXER_WORDS);
	struct redirection *made;

	made = pool_take(parser->pool, sizeof(*made));
	made->descriptor = -1;
	if (token->kind == TOKEN_NUMBER || token->kind == TOKEN_VARIABLE) {
		made->descriptor = token->descriptor;
		if (token->kind == TOKEN_VARIABLE)
			made->variable = token->word.text;
		parser_take(parser);
		token = parser_peek(parser, LEXER_WORDS);
	}
	if (token->kind != TOKEN_REDIRECTION) {
		parser_unexpected(parser, NULL);
		return false;
	}
	made->kind = token->redirection;
	parser_take(parser);
	token = parser_peek(parser, LEXER_WORDS);
	if (token->kind != TOKEN_WORD && token->kind != TOKEN_NUMBER) {
		parser_unexpected(parser, NULL);
		return false;
	}
	made->target = token->word;
	parser_take(parser);
	if (made->kind == REDIRECT_HERE || made->kind == REDIRECT_HERE_TABS) {
		if (parser->here_count == PARSER_HERE_MAX) {
			parser_unexpected(parser, NULL);
			return false;
		}
		parser->here[parser->here_count++] = made;
		made->here = pool_text(parser->pool, SLICE(""));
	}
	**tail = made;
	*tail = &made->next;
	return true;
}

static bool is_redirection(const struct token *token)
{
	return token->kind == TOKEN_REDIRECTION || token->kind == TOKEN_NUMBER ||
	       token->kind == TOKEN_VARIABLE;
}

/* Builtins whose arguments may be assignments of arrays. */
static bool takes_assignments(struct parser *parser, const char *word)
{
	static const char *const names[] = {"declare",  "typeset", "local",
					    "readonly", "export",  "alias"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!strcmp(word, names[i]))
			return shell_has(parser->shell, SHELL_BASH);
	return false;
}

/* name() after a first word. */
static struct node *parse_function(struct parser *parser, const char *name)
{
	struct node *node = parser_node(parser, NODE_FUNCTION);
	struct token *token;

	parser_take(parser); /* the "(" */
	token = parser_peek(parser, LEXER_WORDS);
	if (token->kind != TOKEN_CLOSE)
		return parser_unexpected(parser, ")");
	parser_take(parser);
	parser_skip_newlines(parser);
	node->name = (char *)(uintptr_t)name;
	if (shell_has(parser->shell, SHELL_BASH)) {
		token = parser_peek(parser, LEXER_COMMAND);
		if (token->kind == TOKEN_WORD &&
		    !names_is_reserved(parser->shell, token->word.text))
			return parser_unexpected(parser, NULL);
		if (token->kind != TOKEN_WORD && token->kind != TOKEN_OPEN)
			return parser_unexpected(parser, NULL);
	}
	node->first = parser_command(parser);
	return parser->failed ? NULL : node;
}

struct node *parser_simple(struct parser *parser, struct word *first)
{
	struct node *node = parser_node(parser, NODE_SIMPLE);
	bool wanted = parser->wants_command;
	struct word **words = &node->words;
	struct redirection **redirections = &node->redirections;
	enum lexer_mode mode = LEXER_COMMAND;
	size_t count = 0;
	bool assigns = false;

	if (first) {
		*words = first;
		words = &first->next;
		if (!(first->flags & WORD_ASSIGNMENT)) {
			assigns = takes_assignments(parser, first->text);
			mode = assigns ? LEXER_COMMAND : LEXER_WORDS;
		}
	}
	for (;;) {
		struct token *token = parser_peek(parser, mode);

		if (parser->failed)
			return NULL;
		if (is_redirection(token)) {
			parser->wants_command = false;
			if (!parser_redirection(parser, &redirections))
				return NULL;
			continue;
		}
		if (token->kind == TOKEN_OPEN && count == 1 && mode == LEXER_WORDS &&
		    !node->redirections && node->words && !node->words->next &&
		    !(node->words->flags & WORD_DOLLAR))
			return parse_function(parser, node->words->text);
		if (token->kind != TOKEN_WORD)
			break;
		parser->wants_command = false;
		*words = pool_take(parser->pool, sizeof(**words));
		**words = token->word;
		if (mode == LEXER_WORDS && !assigns)
			(*words)->flags &= ~(unsigned)WORD_ASSIGNMENT;
		if (mode == LEXER_COMMAND && !((*words)->flags & WORD_ASSIGNMENT) && !assigns) {
			assigns = takes_assignments(parser, (*words)->text);
			mode = assigns ? LEXER_COMMAND : LEXER_WORDS;
			count = 1;
		}
		words = &(*words)->next;
		parser_take(parser);
	}
	parser->wants_command = wanted;
	if (!node->words && !node->redirections)
		return parser_unexpected(parser, NULL);
	return node;
}

static bool is_command_start(struct parser *parser, const struct token *token)
{
	return (token->kind == TOKEN_WORD && !(token->word.flags & WORD_QUOTES) &&
		names_is_reserved(parser->shell, token->word.text)) ||
	       token->kind == TOKEN_OPEN;
}

struct node *parser_compound(struct parser *parser);

struct node *parser_command(struct parser *parser)
{
	struct token *token = parser_peek(parser, LEXER_COMMAND);
	struct node *node;
	struct redirection **tail;

	if (parser->failed)
		return NULL;
	if (!is_command_start(parser, token))
		return parser_simple(parser, NULL);
	if (++parser->depth > SHELL_NESTING_MAX || shell_stack_is_low(parser->shell)) {
		if (!parser->failed && !parser->silent)
			message_say(parser->shell, "maximum nesting level exceeded");
		parser->failed = true;
		return NULL;
	}
	node = parser_compound(parser);
	parser->depth--;
	if (!node || parser->failed)
		return NULL;
	if (node->kind == NODE_FUNCTION)
		return node;
	tail = &node->redirections;
	while (*tail)
		tail = &(*tail)->next;
	while (is_redirection(parser_peek(parser, LEXER_WORDS)))
		if (!parser_redirection(parser, &tail))
			return NULL;
	return node;
}

/* [time] [!] command | command ... */
static struct node *parse_pipeline(struct parser *parser)
{
	bool negated = false, timed = false, posix = false;
	struct node *first, *pipe = NULL, **tail;

	while (parser_is_word(parser, "!") ||
	       (parser_is_word(parser, "time") && shell_has(parser->shell, SHELL_BASH))) {
		if (parser->token.word.text[0] == '!')
			negated = !negated;
		else
			timed = true;
		parser_take(parser);
		if (timed && parser_is_word(parser, "-p")) {
			posix = true;
			parser_take(parser);
		}
	}
	if ((timed || (negated && shell_has(parser->shell, SHELL_BASH))) &&
	    (parser_peek(parser, LEXER_COMMAND)->kind == TOKEN_NEWLINE ||
	     parser->token.kind == TOKEN_END || parser->token.kind == TOKEN_SEMICOLON)) {
		first = parser_node(parser, NODE_LIST); /* nothing at all */
	} else {
		first = parser_command(parser);
	}
	if (!first || parser->failed)
		return NULL;
	tail = &first->next;
	for (;;) {
		struct token *token = parser_peek(parser, LEXER_COMMAND);
		struct node *last;

		if (token->kind != TOKEN_PIPE && token->kind != TOKEN_PIPE_ERRORS)
			break;
		if (!pipe) {
			pipe = parser_node(parser, NODE_PIPE);
			pipe->line = first->line;
			pipe->first = first;
		}
		last = pipe->first;
		while (last->next)
			last = last->next;
		last->pipe_errors = token->kind == TOKEN_PIPE_ERRORS;
		parser_take(parser);
		parser_skip_newlines(parser);
		parser->wants_command = true;
		*tail = parser_command(parser);
		parser->wants_command = false;
		if (!*tail || parser->failed)
			return NULL;
		tail = &(*tail)->next;
	}
	if (pipe)
		first = pipe;
	else if ((negated || timed) && (first->negated || first->timed))
		first->negated = first->negated != negated;
	if (!pipe && negated && first->kind == NODE_LIST) {
		first->negated = true;
	} else {
		first->negated = negated;
	}
	first->timed = timed;
	first->timed_posix = posix;
	return first;
}

/* pipeline && pipeline || ... */
static struct node *parse_chain(struct parser *parser)
{
	struct node *first = parse_pipeline(parser), *chain = NULL, **tail;

	if (!first || parser->failed)
		return NULL;
	tail = &first->next;
	for (;;) {
		struct token *token = parser_peek(parser, LEXER_COMMAND);
		enum node_joint joint = token->kind == TOKEN_AND ? JOINT_AND : JOINT_OR;

		if (token->kind != TOKEN_AND && token->kind != TOKEN_OR)
			break;
		if (!chain) {
			chain = parser_node(parser, NODE_CHAIN);
			chain->line = first->line;
			chain->first = first;
		}
		parser_take(parser);
		parser_skip_newlines(parser);
		parser->wants_command = true;
		*tail = parse_pipeline(parser);
		parser->wants_command = false;
		if (!*tail || parser->failed)
			return NULL;
		(*tail)->joint = (uint8_t)joint;
		tail = &(*tail)->next;
	}
	return chain ? chain : first;
}

/* A member of a list with "&" behind it; one that stands for itself must not share `background`
 * with a list that it is. */
static struct node *wrapped(struct parser *parser, struct node *node)
{
	struct node *list;

	if (node->kind != NODE_LIST)
		return node;
	list = parser_node(parser, NODE_LIST);
	list->first = node;
	return list;
}

static bool ends_list(struct parser *parser, const char *const *ends)
{
	struct token *token = parser_peek(parser, LEXER_COMMAND);

	if (token->kind == TOKEN_WORD && !(token->word.flags & WORD_QUOTES)) {
		for (; ends && *ends; ends++)
			if (!strcmp(token->word.text, *ends))
				return true;
		return false;
	}
	if (token->kind == TOKEN_CASE_ENDS || token->kind == TOKEN_CASE_FALLS ||
	    token->kind == TOKEN_CASE_TESTS_ON || token->kind == TOKEN_CLOSE ||
	    token->kind == TOKEN_END)
		return true;
	return false;
}

/* Commands up to one of the reserved words, ")", ";;" or the end; not empty. */
struct node *parser_list(struct parser *parser, const char *const *ends)
{
	struct node *list, **tail;

	parser_skip_newlines(parser);
	list = parser_node(parser, NODE_LIST);
	tail = &list->first;
	while (!parser->failed && !ends_list(parser, ends)) {
		struct node *member = parse_chain(parser);
		struct token *token;

		if (!member || parser->failed)
			return NULL;
		token = parser_peek(parser, LEXER_COMMAND);
		member = wrapped(parser, member);
		*tail = member;
		tail = &member->next;
		if (token->kind == TOKEN_NEWLINE) {
			parser_skip_newlines(parser);
		} else if (token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_BACKGROUND) {
			member->background = token->kind == TOKEN_BACKGROUND;
			parser_take(parser);
			parser_skip_newlines(parser);
		} else {
			break;
		}
	}
	if (parser->failed)
		return NULL;
	return list;
}

/* The rest of a line: commands up to the newline. */
static struct node *parse_line(struct parser *parser)
{
	struct node *list = parser_node(parser, NODE_LIST), **tail = &list->first;

	for (;;) {
		struct node *member = parse_chain(parser);
		struct token *token;

		if (!member || parser->failed)
			return NULL;
		member = wrapped(parser, member);
		*tail = member;
		tail = &member->next;
		token = parser_peek(parser, LEXER_COMMAND);
		if (token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_BACKGROUND) {
			member->background = token->kind == TOKEN_BACKGROUND;
			parser_take(parser);
			token = parser_peek(parser, LEXER_COMMAND);
			if (token->kind == TOKEN_NEWLINE || token->kind == TOKEN_END)
				break;
			continue;
		}
		break;
	}
	if (parser->token.kind == TOKEN_NEWLINE)
		take_newline(parser);
	else if (parser->token.kind != TOKEN_END)
		return parser_unexpected(parser, NULL);
	else if (parser->here_count)
		read_here(parser);
	return list->first && !list->first->next && !list->first->background ? list->first : list;
}

enum parse_result parser_line(struct parser *parser, struct node **tree)
{
	struct token *token;

	*tree = NULL;
	parser->failed = parser->have_token = false;
	parser->here_count = 0;
	parser->lexer->unterminated = 0;
	token = parser_peek(parser, LEXER_COMMAND);
	if (parser->failed)
		return parser->lexer->interrupted ? PARSE_INTERRUPTED : PARSE_ERROR;
	if (token->kind == TOKEN_END)
		return parser->lexer->interrupted ? PARSE_INTERRUPTED : PARSE_END;
	if (token->kind == TOKEN_NEWLINE) {
		parser_take(parser);
		return PARSE_NOTHING;
	}
	*tree = parse_line(parser);
	if (parser->lexer->interrupted)
		return PARSE_INTERRUPTED;
	return *tree && !parser->failed ? PARSE_COMMAND : PARSE_ERROR;
}

int parser_substitution(struct shell *shell, struct lexer *lexer, struct pool *pool,
			struct node **tree)
{
	struct parser parser = {.shell = shell, .lexer = lexer, .pool = pool};
	size_t start = lexer->at;

	*tree = NULL;
	parser.depth = lexer->depth;
	if (lexer->depth >= SHELL_NESTING_MAX || shell_stack_is_low(shell)) {
		message_say(shell, "maximum nesting level exceeded");
		return -1;
	}
	lexer->depth++;
	*tree = parser_list(&parser, NULL);
	lexer->depth--;
	if (!*tree || parser.failed)
		return -1;
	if (parser.token.kind != TOKEN_CLOSE || !parser.have_token) {
		if (parser.have_token && parser.token.kind == TOKEN_END) {
			lexer->unterminated = ')';
			lexer->unterminated_line =
				lexer_line(lexer) + (start < lexer->length ? 1 : 1);
			return -1;
		}
		parser_unexpected(&parser, ")");
		return -1;
	}
	return 0;
}
