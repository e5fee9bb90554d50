/* Text into tokens; see tree.h. Words keep their source text. */
#include <ctype.h>

#include "decoy/machine/shell/state.h"

struct lexer lexer_over(struct shell *shell, const char *text, size_t length)
{
	return (struct lexer){.shell = shell,
			      .text = (char *)(uintptr_t)text,
			      .length = length,
			      .line = 1,
			      .ended = true};
}

void lexer_close(struct lexer *lexer)
{
	if (lexer->owned)
		process_give(lexer->shell->process, lexer->text);
	lexer->text = NULL;
	lexer->length = lexer->capacity = lexer->at = lexer->counted = 0;
	lexer->owned = false;
}

void lexer_reserve(struct lexer *lexer, size_t more)
{
	size_t wanted = lexer->length + more + 1;
	char *text;

	if (lexer->owned && wanted <= lexer->capacity)
		return;
	wanted += wanted / 2 + 64;
	if (lexer->owned) {
		lexer->text = process_retake(lexer->shell->process, lexer->text, wanted);
	} else {
		text = process_take(lexer->shell->process, wanted);
		if (lexer->length)
			memcpy(text, lexer->text, lexer->length);
		lexer->text = text;
		lexer->owned = true;
	}
	lexer->capacity = wanted;
}

void lexer_add(struct lexer *lexer, struct slice s)
{
	lexer_reserve(lexer, s.length);
	for (size_t i = 0; i < s.length; i++)
		if (s.at[i]) /* NULs vanish, as in bash */
			lexer->text[lexer->length++] = (char)s.at[i];
	lexer->text[lexer->length] = '\0';
}

void lexer_forget(struct lexer *lexer)
{
	(void)lexer_line(lexer);
	lexer->alias_count = 0;
	lexer->alias_next = false;
	if (!lexer->owned || !lexer->more)
		return;
	memmove(lexer->text, lexer->text + lexer->at, lexer->length - lexer->at);
	lexer->length -= lexer->at;
	lexer->at = lexer->counted = 0;
	lexer->text[lexer->length] = '\0';
	if (!lexer->length && lexer->capacity > 512)
		lexer_close(lexer);
}

int lexer_byte(struct lexer *lexer, size_t offset)
{
	while (lexer->at + offset >= lexer->length) {
		if (lexer->ended || !lexer->more)
			return -1;
		if (!lexer->more(lexer)) {
			lexer->ended = true;
			return -1;
		}
	}
	return (uint8_t)lexer->text[lexer->at + offset];
}

unsigned lexer_line(struct lexer *lexer)
{
	for (; lexer->counted < lexer->at && lexer->counted < lexer->length; lexer->counted++)
		if (lexer->text[lexer->counted] == '\n')
			lexer->line++;
	return lexer->line;
}

static int no_end(struct lexer *lexer, char what, size_t start)
{
	size_t at = lexer->at;

	if (!lexer->unterminated) {
		lexer->unterminated = what;
		lexer->at = start;
		lexer->unterminated_line = lexer_line(lexer);
		lexer->at = at;
	}
	return -1;
}

int lexer_skip_single(struct lexer *lexer)
{
	size_t start = lexer->at++;
	int byte;

	while ((byte = lexer_byte(lexer, 0)) != '\'') {
		if (byte < 0)
			return no_end(lexer, '\'', start);
		lexer->at++;
	}
	lexer->at++;
	return 0;
}

int lexer_skip_dollar_single(struct lexer *lexer)
{
	size_t start = lexer->at++;
	int byte;

	while ((byte = lexer_byte(lexer, 0)) != '\'') {
		if (byte == '\\' && lexer_byte(lexer, 1) >= 0)
			lexer->at++;
		if (byte < 0)
			return no_end(lexer, '\'', start);
		lexer->at++;
	}
	lexer->at++;
	return 0;
}

int lexer_skip_double(struct lexer *lexer)
{
	size_t start = lexer->at++;

	for (;;) {
		int byte = lexer_byte(lexer, 0);

		switch (byte) {
		case -1:
			return no_end(lexer, '"', start);
		case '"':
			lexer->at++;
			return 0;
		case '\\':
			lexer->at += lexer_byte(lexer, 1) >= 0 ? 2 : 1;
			break;
		case '`':
			if (lexer_skip_backquote(lexer) < 0)
				return -1;
			break;
		case '$':
			if (lexer_skip_dollar(lexer, true) < 0)
				return -1;
			break;
		default:
			lexer->at++;
		}
	}
}

int lexer_skip_backquote(struct lexer *lexer)
{
	size_t start = lexer->at++;
	int byte;

	while ((byte = lexer_byte(lexer, 0)) != '`') {
		if (byte == '\\' && lexer_byte(lexer, 1) >= 0)
			lexer->at++;
		if (byte < 0)
			return no_end(lexer, '`', start);
		lexer->at++;
	}
	lexer->at++;
	return 0;
}

/* Behind "${" up to behind its "}". */
static int skip_braces(struct lexer *lexer, bool quoted, size_t start)
{
	bool pattern = false;

	for (bool first = true;; first = false) {
		int byte = lexer_byte(lexer, 0);

		switch (byte) {
		case -1:
			return no_end(lexer, '}', start);
		case '}':
			lexer->at++;
			return 0;
		case '#':
		case '%':
		case '/':
			/* Within "${x#...}" single quotes do quote, within "${x:-...}" not. */
			pattern = pattern || !first;
			lexer->at++;
			break;
		case '\\':
			lexer->at += lexer_byte(lexer, 1) >= 0 ? 2 : 1;
			break;
		case '\'':
			if (quoted && !pattern)
				lexer->at++;
			else if (lexer_skip_single(lexer) < 0)
				return -1;
			break;
		case '"':
			if (lexer_skip_double(lexer) < 0)
				return -1;
			break;
		case '`':
			if (lexer_skip_backquote(lexer) < 0)
				return -1;
			break;
		case '$':
			if (lexer_skip_dollar(lexer, quoted) < 0)
				return -1;
			break;
		default:
			lexer->at++;
		}
	}
}

bool lexer_is_arithmetic(struct lexer *lexer, size_t *end)
{
	size_t depth = 0;

	*end = SIZE_MAX;
	for (size_t i = 2;; i++) {
		int byte = lexer_byte(lexer, i);

		if (byte < 0)
			return false;
		if (byte == '\\') {
			i++;
		} else if (byte == '\'' || byte == '"' || byte == '`') {
			int other;

			while ((other = lexer_byte(lexer, ++i)) != byte) {
				if (other < 0)
					return false;
				if (other == '\\' && byte != '\'')
					i++;
			}
		} else if (byte == '(') {
			depth++;
		} else if (byte == ')') {
			if (!depth) {
				*end = i;
				return lexer_byte(lexer, i + 1) == ')';
			}
			depth--;
		}
	}
}

static int skip_parentheses(struct lexer *lexer)
{
	struct node *tree;
	struct pool *pool;
	size_t end, start = lexer->at;
	int result;

	if (lexer_byte(lexer, 1) == '(') {
		if (lexer_is_arithmetic(lexer, &end)) {
			lexer->at += end + 2;
			return 0;
		}
		if (end == SIZE_MAX)
			return no_end(lexer, 'A', start);
	}
	lexer->at++;
	pool = pool_new(lexer->shell->process);
	result = parser_substitution(lexer->shell, lexer, pool, &tree);
	pool_drop(pool);
	return result;
}

int lexer_skip_dollar(struct lexer *lexer, bool quoted)
{
	size_t start = lexer->at++;
	int byte = lexer_byte(lexer, 0), result = 0;

	if (byte != '{' && byte != '(' && (byte != '\'' || quoted))
		return 0;
	if (++lexer->depth > SHELL_NESTING_MAX || shell_stack_is_low(lexer->shell)) {
		lexer->depth--;
		return no_end(lexer, byte == '{' ? '}' : ')', start);
	}
	if (byte == '{') {
		lexer->at++;
		result = skip_braces(lexer, quoted, start);
	} else if (byte == '(') {
		result = skip_parentheses(lexer);
	} else if (shell_has(lexer->shell, SHELL_BASH | SHELL_ASH)) {
		result = lexer_skip_dollar_single(lexer);
	}
	lexer->depth--;
	return result;
}

size_t lexer_name(const char *text)
{
	size_t length = 0;

	if (!isalpha((uint8_t)text[0]) && text[0] != '_')
		return 0;
	while (isalnum((uint8_t)text[length]) || text[length] == '_')
		length++;
	return length;
}

bool lexer_has_quotes(const char *text)
{
	return text[strcspn(text, "\\'\"`")] != '\0';
}
