/* Words of Transact-SQL; see sql.h. */
#include "sql.h"

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' || c >= 0x80 : c == '_' || c == '#';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '$' || c == '@' || c == '_';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static uint8_t peek(struct slice s, size_t at)
{
	return at < s.length ? s.at[at] : 0;
}

/* Bytes of spaces and comments at the front; notes whether a line ended in them. */
static size_t blank_length(struct slice s, bool *line_ended)
{
	size_t at = 0;

	while (at < s.length) {
		uint8_t c = s.at[at];
		if (c <= ' ') {
			*line_ended |= c == '\n' || c == '\r';
			at++;
		} else if (c == '-' && peek(s, at + 1) == '-') {
			while (at < s.length && s.at[at] != '\n')
				at++;
		} else if (c == '/' && peek(s, at + 1) == '*') {
			size_t end = slice_find(slice_from(s, at + 2), SLICE("*/"));
			at = end == SIZE_MAX ? s.length : at + 2 + end + 2;
		} else {
			break;
		}
	}
	return at;
}

/* Length of a quoted piece from its opening quote to behind its closing one. */
static size_t quoted_length(struct slice s, uint8_t close)
{
	size_t at = 1;

	while (at < s.length) {
		if (s.at[at] == close) {
			if (peek(s, at + 1) != close)
				return at + 1;
			at++;
		}
		at++;
	}
	return s.length;
}

static size_t take_quoted(struct sql_token *token, struct slice s, uint8_t close,
			  enum sql_kind kind)
{
	size_t length = quoted_length(s, close);
	bool closed = length > 1 && s.at[length - 1] == close;

	token->kind = kind;
	token->quoted = true;
	token->text = slice_of(s.at + 1, length - 1 - closed);
	return length;
}

static size_t run_length(struct slice s, size_t at, bool (*belongs)(uint8_t))
{
	while (at < s.length && belongs(s.at[at]))
		at++;
	return at;
}

static size_t take_token(struct sql_token *token, struct slice s)
{
	uint8_t c = s.at[0], next = peek(s, 1);
	size_t length = 1;

	if (c == '\'')
		return take_quoted(token, s, '\'', SQL_STRING);
	if ((c | 0x20) == 'n' && next == '\'')
		return 1 + take_quoted(token, slice_from(s, 1), '\'', SQL_WIDE);
	if (c == '[')
		return take_quoted(token, s, ']', SQL_WORD);
	if (c == '"')
		return take_quoted(token, s, '"', SQL_WORD);
	if (c == '0' && (next | 0x20) == 'x') {
		length = run_length(s, 2, is_hex);
		token->kind = SQL_HEX;
		token->text = slice_of(s.at + 2, length - 2);
		return length;
	}
	if (is_digit(c)) {
		length = run_length(s, 1, is_digit);
		if (peek(s, length) == '.')
			length = run_length(s, length + 1, is_digit);
		token->kind = SQL_NUMBER;
	} else if (c == '@') {
		length = run_length(s, 1, is_word);
		token->kind = SQL_VARIABLE;
	} else if (is_letter(c)) {
		length = run_length(s, 1, is_word);
		token->kind = SQL_WORD;
	} else {
		token->kind = SQL_MARK;
	}
	token->text = slice_first(s, length);
	return length;
}

void sql_advance(struct sql_lexer *lexer)
{
	struct sql_token token = {.kind = SQL_END};

	lexer->rest = slice_from(lexer->rest, blank_length(lexer->rest, &token.starts_line));
	if (lexer->rest.length > 0)
		lexer->rest = slice_from(lexer->rest, take_token(&token, lexer->rest));
	lexer->now = token;
}

struct sql_lexer sql_lexer_of(struct slice text)
{
	struct sql_lexer lexer = {.rest = text};

	sql_advance(&lexer);
	lexer.now.starts_line = true;
	return lexer;
}

bool sql_is(const struct sql_lexer *lexer, const char *keyword)
{
	return lexer->now.kind == SQL_WORD && !lexer->now.quoted &&
	       slice_is_nocase(lexer->now.text, keyword);
}

bool sql_is_mark(const struct sql_lexer *lexer, char mark)
{
	return lexer->now.kind == SQL_MARK && lexer->now.text.at[0] == (uint8_t)mark;
}

bool sql_take(struct sql_lexer *lexer, const char *keyword)
{
	if (!sql_is(lexer, keyword))
		return false;
	sql_advance(lexer);
	return true;
}

bool sql_take_mark(struct sql_lexer *lexer, char mark)
{
	if (!sql_is_mark(lexer, mark))
		return false;
	sql_advance(lexer);
	return true;
}

struct slice sql_string(const struct sql_token *token, struct arena *arena)
{
	struct slice s = token->text;

	if (slice_find(s, SLICE("''")) == SIZE_MAX)
		return s;
	uint8_t *copy = arena_take(arena, s.length);
	size_t length = 0;
	for (size_t i = 0; copy && i < s.length; i++) {
		copy[length++] = s.at[i];
		if (s.at[i] == '\'' && peek(s, i + 1) == '\'')
			i++;
	}
	return copy ? slice_of(copy, length) : s;
}

struct slice sql_name(struct sql_lexer *lexer, struct arena *arena, struct slice *last)
{
	uint8_t room[300];
	struct writer name = writer_fixed(room, sizeof(room));

	*last = slice_of(NULL, 0);
	while (lexer->now.kind == SQL_WORD || (name.length > 0 && sql_is_mark(lexer, '.'))) {
		bool was_dot = sql_is_mark(lexer, '.');
		struct slice part = slice_first(lexer->now.text, sizeof(room) - name.length);
		writer_bytes(&name, part);
		if (!was_dot)
			*last = lexer->now.text;
		sql_advance(lexer);
		if (!was_dot && !sql_is_mark(lexer, '.'))
			break;
	}
	return arena_copy(arena, writer_slice(&name));
}
