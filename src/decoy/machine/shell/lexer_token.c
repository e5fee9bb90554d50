/* The tokens of the shell's language; see tree.h. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define WORD_MAX ((size_t)512 * 1024)

static void skip_blanks(struct lexer *lexer)
{
	for (;;) {
		int byte = lexer_byte(lexer, 0);

		if (byte == ' ' || byte == '\t')
			lexer->at++;
		else if (byte == '\\' && lexer_byte(lexer, 1) == '\n')
			lexer->at += 2;
		else
			return;
	}
}

static void skip_comment(struct lexer *lexer)
{
	int byte;

	while ((byte = lexer_byte(lexer, 0)) >= 0 && byte != '\n')
		lexer->at++;
}

struct operator
{
	const char *text;
	enum token_kind kind;
	int value;
	unsigned where; /* which shells have it */
};

static const struct operator operators[] = {
	/* longest first */
	{"&>>", TOKEN_REDIRECTION, REDIRECT_APPEND_ALL, SHELL_BASH},
	{"<<<", TOKEN_REDIRECTION, REDIRECT_HERE_STRING, SHELL_BASH},
	{"<<-", TOKEN_REDIRECTION, REDIRECT_HERE_TABS, SHELL_ANY},
	{";;&", TOKEN_CASE_TESTS_ON, 0, SHELL_BASH},
	{"&&", TOKEN_AND, 0, SHELL_ANY},
	{"||", TOKEN_OR, 0, SHELL_ANY},
	{";;", TOKEN_CASE_ENDS, 0, SHELL_ANY},
	{";&", TOKEN_CASE_FALLS, 0, SHELL_BASH},
	{"|&", TOKEN_PIPE_ERRORS, 0, SHELL_BASH},
	{"<<", TOKEN_REDIRECTION, REDIRECT_HERE, SHELL_ANY},
	{">>", TOKEN_REDIRECTION, REDIRECT_APPEND, SHELL_ANY},
	{"<&", TOKEN_REDIRECTION, REDIRECT_FROM, SHELL_ANY},
	{">&", TOKEN_REDIRECTION, REDIRECT_TO, SHELL_ANY},
	{"<>", TOKEN_REDIRECTION, REDIRECT_BOTH, SHELL_ANY},
	{">|", TOKEN_REDIRECTION, REDIRECT_CLOBBER, SHELL_ANY},
	{"&>", TOKEN_REDIRECTION, REDIRECT_ALL, SHELL_BASH | SHELL_ASH},
	{"<", TOKEN_REDIRECTION, REDIRECT_READ, SHELL_ANY},
	{">", TOKEN_REDIRECTION, REDIRECT_WRITE, SHELL_ANY},
	{"&", TOKEN_BACKGROUND, 0, SHELL_ANY},
	{"|", TOKEN_PIPE, 0, SHELL_ANY},
	{";", TOKEN_SEMICOLON, 0, SHELL_ANY},
	{"(", TOKEN_OPEN, 0, SHELL_ANY},
	{")", TOKEN_CLOSE, 0, SHELL_ANY},
};

static bool take_operator(struct lexer *lexer, struct token *token)
{
	for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
		const struct operator* op = & operators[i];
		size_t length = 0;

		if (!shell_has(lexer->shell, op->where))
			continue;
		while (op->text[length] && lexer_byte(lexer, length) == (uint8_t)op->text[length])
			length++;
		if (op->text[length])
			continue;
		token->kind = op->kind;
		token->redirection = (enum redirection_kind)op->value;
		token->word.text = (char *)(uintptr_t)op->text;
		lexer->at += length;
		return true;
	}
	return false;
}

static bool is_meta(int byte)
{
	return byte < 0 || strchr(" \t\n;&|()<>", byte) != NULL;
}

/* Behind "(" of a pattern like @(a|b), or of a regular expression. */
static int skip_group(struct lexer *lexer)
{
	size_t depth = 1, start = lexer->at;

	while (depth) {
		int byte = lexer_byte(lexer, 0);

		switch (byte) {
		case -1:
			lexer->unterminated = ')';
			lexer->at = start;
			lexer->unterminated_line = lexer_line(lexer);
			return -1;
		case '\\':
			lexer->at += lexer_byte(lexer, 1) >= 0 ? 2 : 1;
			continue;
		case '\'':
			if (lexer_skip_single(lexer) < 0)
				return -1;
			continue;
		case '"':
			if (lexer_skip_double(lexer) < 0)
				return -1;
			continue;
		case '$':
			if (lexer_skip_dollar(lexer, false) < 0)
				return -1;
			continue;
		case '(':
			depth++;
			break;
		case ')':
			depth--;
			break;
		default:
			break;
		}
		lexer->at++;
	}
	return 0;
}

/* One piece of a word. 1: the word goes on; 0: ends before; -1: no end. */
static int take_piece(struct lexer *lexer, enum lexer_mode mode, size_t start, unsigned *flags)
{
	int byte = lexer_byte(lexer, 0), next;

	switch (byte) {
	case '\\':
		*flags |= WORD_QUOTES;
		lexer->at += lexer_byte(lexer, 1) >= 0 ? 2 : 1;
		return 1;
	case '\'':
		*flags |= WORD_QUOTES;
		return lexer_skip_single(lexer) < 0 ? -1 : 1;
	case '"':
		*flags |= WORD_QUOTES;
		if (lexer->text[lexer->at] && lexer_skip_double(lexer) < 0)
			return -1;
		*flags |= WORD_DOLLAR; /* there may be one inside */
		return 1;
	case '`':
		*flags |= WORD_DOLLAR;
		return lexer_skip_backquote(lexer) < 0 ? -1 : 1;
	case '$':
		*flags |= WORD_DOLLAR;
		next = lexer_byte(lexer, 1);
		if (next == '"' && shell_has(lexer->shell, SHELL_BASH)) {
			lexer->at++;
			return lexer_skip_double(lexer) < 0 ? -1 : 1;
		}
		return lexer_skip_dollar(lexer, false) < 0 ? -1 : 1;
	case '<':
	case '>':
		if (mode == LEXER_REGEX)
			break;
		if (shell_has(lexer->shell, SHELL_BASH | SHELL_ASH) &&
		    lexer_byte(lexer, 1) == '(' && mode != LEXER_TEST) {
			struct pool *pool = pool_new(lexer->shell->process);
			struct node *tree;
			int result;

			*flags |= WORD_PROCESS | WORD_DOLLAR;
			lexer->at += 2;
			result = parser_substitution(lexer->shell, lexer, pool, &tree);
			pool_drop(pool);
			return result < 0 ? -1 : 1;
		}
		return 0;
	case '(':
		if (mode == LEXER_REGEX) {
			lexer->at++;
			return skip_group(lexer) < 0 ? -1 : 1;
		}
		if (lexer->at > start && strchr("@!?*+", lexer->text[lexer->at - 1]) &&
		    shell_has(lexer->shell, SHELL_BASH) &&
		    (mode == LEXER_TEST || shell_option_is(lexer->shell, SHOPT_EXTGLOB))) {
			*flags |= WORD_GLOB;
			lexer->at++;
			return skip_group(lexer) < 0 ? -1 : 1;
		}
		return 0;
	case '*':
	case '?':
	case '[':
		*flags |= WORD_GLOB;
		break;
	case '{':
		*flags |= WORD_BRACE;
		break;
	case '~':
		*flags |= WORD_TILDE;
		break;
	default:
		if (mode == LEXER_REGEX ? (byte < 0 || byte == ' ' || byte == '\t' || byte == '\n')
					: is_meta(byte))
			return 0;
	}
	lexer->at++;
	return 1;
}

/* Length of "name=", "name+=", "name[...]=" at the start, or 0. */
static size_t assignment_length(struct shell *shell, const char *text)
{
	size_t length = lexer_name(text);

	if (!length)
		return 0;
	if (text[length] == '[' && shell_has(shell, SHELL_BASH)) {
		size_t depth = 0;

		for (; text[length]; length++) {
			if (text[length] == '[')
				depth++;
			else if (text[length] == ']' && !--depth)
				break;
		}
		if (text[length] != ']')
			return 0;
		length++;
	}
	if (text[length] == '+' && text[length + 1] == '=' && shell_has(shell, SHELL_BASH))
		length++;
	return text[length] == '=' ? length + 1 : 0;
}

/* Elements of name=(...), at the parenthesis. */
static int take_elements(struct lexer *lexer, struct pool *pool, struct word *word)
{
	struct word **tail = &word->elements;
	size_t start = lexer->at++;
	struct token token;

	word->flags |= WORD_COMPOUND;
	for (;;) {
		lexer_next(lexer, pool, LEXER_WORDS, &token);
		if (token.kind == TOKEN_CLOSE)
			return 0;
		if (token.kind == TOKEN_NEWLINE)
			continue;
		if (token.kind == TOKEN_NUMBER) { /* cannot be: no redirection follows */
			continue;
		}
		if (token.kind != TOKEN_WORD) {
			if (token.kind == TOKEN_END) {
				lexer->unterminated = ')';
				lexer->at = start;
				lexer->unterminated_line = lexer_line(lexer);
			}
			return -1;
		}
		*tail = pool_take(pool, sizeof(**tail));
		**tail = token.word;
		tail = &(*tail)->next;
	}
}

static void take_word(struct lexer *lexer, struct pool *pool, enum lexer_mode mode,
		      struct token *token)
{
	size_t start = lexer->at, assigned;
	unsigned flags = 0;
	int result;

	while ((result = take_piece(lexer, mode, start, &flags)) > 0)
		;
	if (result < 0 || lexer->at - start > WORD_MAX) {
		token->kind = TOKEN_ERROR;
		return;
	}
	token->kind = TOKEN_WORD;
	token->word.text = pool_text(pool, slice_of(lexer->text + start, lexer->at - start));
	token->word.flags = flags;
	if (mode != LEXER_COMMAND)
		return;
	assigned = assignment_length(lexer->shell, token->word.text);
	if (!assigned)
		return;
	token->word.flags |= WORD_ASSIGNMENT;
	if (assigned == lexer->at - start && lexer_byte(lexer, 0) == '(' &&
	    shell_has(lexer->shell, SHELL_BASH) && take_elements(lexer, pool, &token->word) < 0)
		token->kind = TOKEN_ERROR;
}

/* 12> or {fd}> : what stands before a redirection. */
static void mark_descriptor(struct lexer *lexer, struct token *token)
{
	const char *text = token->word.text;
	int next = lexer_byte(lexer, 0);
	size_t length = strlen(text);

	if ((next != '<' && next != '>') || token->word.flags & ~(unsigned)WORD_BRACE)
		return;
	if (length < 6 && strspn(text, "0123456789") == length) {
		token->kind = TOKEN_NUMBER;
		token->descriptor = (int)strtol(text, NULL, 10);
	} else if (shell_has(lexer->shell, SHELL_BASH) && text[0] == '{' && length > 2 &&
		   text[length - 1] == '}' && lexer_name(text + 1) == length - 2) {
		token->kind = TOKEN_VARIABLE;
		token->word.text[length - 1] = '\0';
		token->word.text++;
	}
}

/* Puts an alias's text in place of the word that was just read. True: read again. */
static bool expand_alias(struct lexer *lexer, struct token *token, enum lexer_mode mode)
{
	const char *value;
	size_t length, name_length;

	while (lexer->alias_count && lexer->aliases[lexer->alias_count - 1].end < token->start)
		lexer->alias_count--;
	if ((mode != LEXER_COMMAND && !lexer->alias_next) || token->word.flags)
		return false;
	lexer->alias_next = false;
	value = names_alias(lexer->shell, token->word.text);
	if (!value || !shell_expands_aliases(lexer->shell) ||
	    lexer->alias_count == ARRAY_COUNT(lexer->aliases))
		return false;
	for (unsigned i = 0; i < lexer->alias_count; i++)
		if (!strcmp(lexer->aliases[i].name, token->word.text))
			return false;
	length = strlen(value);
	name_length = lexer->at - token->start;
	lexer_reserve(lexer, length);
	memmove(lexer->text + token->start + length, lexer->text + lexer->at,
		lexer->length - lexer->at + 1);
	memcpy(lexer->text + token->start, value, length);
	lexer->length = lexer->length - name_length + length;
	lexer->at = token->start;
	for (unsigned i = 0; i < lexer->alias_count; i++)
		lexer->aliases[i].end += length - name_length;
	lexer->aliases[lexer->alias_count].name = token->word.text;
	lexer->aliases[lexer->alias_count++].end = token->start + length;
	lexer->alias_next = length && (value[length - 1] == ' ' || value[length - 1] == '\t');
	return true;
}

void lexer_next(struct lexer *lexer, struct pool *pool, enum lexer_mode mode, struct token *token)
{
	int byte;

again:
	memset(token, 0, sizeof(*token));
	token->descriptor = -1;
	skip_blanks(lexer);
	byte = lexer_byte(lexer, 0);
	if (byte == '#' && mode != LEXER_REGEX && shell_has_comments(lexer->shell)) {
		skip_comment(lexer);
		byte = lexer_byte(lexer, 0);
	}
	token->start = lexer->at;
	token->line = lexer_line(lexer);
	if (byte < 0) {
		token->kind = TOKEN_END;
		return;
	}
	if (byte == '\n') {
		token->kind = TOKEN_NEWLINE;
		lexer->at++;
		return;
	}
	if (mode != LEXER_REGEX &&
	    !((byte == '<' || byte == '>') && lexer_byte(lexer, 1) == '(' && mode != LEXER_TEST &&
	      shell_has(lexer->shell, SHELL_BASH | SHELL_ASH)) &&
	    take_operator(lexer, token))
		return;
	take_word(lexer, pool, mode, token);
	if (token->kind != TOKEN_WORD)
		return;
	mark_descriptor(lexer, token);
	if (token->kind == TOKEN_WORD && lexer->shell->aliases && expand_alias(lexer, token, mode))
		goto again;
}

const char *lexer_token_words(const struct token *token)
{
	switch (token->kind) {
	case TOKEN_NEWLINE:
		return "newline";
	case TOKEN_END:
		return "end of file";
	default:
		return token->word.text ? token->word.text : "";
	}
}
