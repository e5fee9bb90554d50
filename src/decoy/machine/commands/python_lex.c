/* Python's tokens; see python.h. */
#include <ctype.h>

#include "decoy/machine/commands/python.h"

#define TOKENS_MAX   40000
#define INDENT_MAX   60
#define BRACKETS_MAX 200

struct lexer {
	struct process *process;
	struct slice source;
	size_t at, count, capacity;
	struct python_token *tokens;
	unsigned line, brackets, indents[INDENT_MAX], depth;
	size_t open[BRACKETS_MAX]; /* where the brackets are */
	unsigned open_lines[BRACKETS_MAX];
	bool failed;
	struct python_mistake *mistake;
};

static void fail(struct lexer *l, size_t at, size_t length, const char *words)
{
	if (l->failed)
		return;
	l->failed = true;
	*l->mistake = (struct python_mistake){
		.words = words, .line = l->line, .at = slice_of(l->source.at + at, length)};
}

static void add(struct lexer *l, enum python_token_kind kind, size_t start)
{
	if (l->count == l->capacity) {
		if (l->count >= TOKENS_MAX) {
			l->failed = true; /* no mistake: it is only too long */
			return;
		}
		l->capacity = l->capacity ? 2 * l->capacity : 64;
		l->tokens = process_retake(l->process, l->tokens, l->capacity * sizeof(*l->tokens));
	}
	l->tokens[l->count++] =
		(struct python_token){kind, slice_of(l->source.at + start, l->at - start), l->line};
}

static uint8_t ahead(const struct lexer *l, size_t by)
{
	return l->at + by < l->source.length ? l->source.at[l->at + by] : 0;
}

static void end_of_text(struct lexer *l, size_t start, unsigned line, bool three)
{
	unsigned lines = 0;

	for (size_t i = 0; three && i < l->source.length; i++)
		lines += l->source.at[i] == '\n';
	if (three && l->source.length && l->source.at[l->source.length - 1] != '\n')
		lines++;
	fail(l, start, 1,
	     process_format(l->process, "unterminated %sstring literal (detected at line %u)",
			    three ? "triple-quoted " : "", three ? lines : line));
	l->mistake->line = line;
	l->mistake->unfinished = three;
}

static void take_text(struct lexer *l, size_t start)
{
	uint8_t quote = ahead(l, 0);
	bool three = ahead(l, 1) == quote && ahead(l, 2) == quote;
	unsigned line = l->line;

	for (l->at += three ? 3 : 1; l->at < l->source.length; l->at++) {
		uint8_t c = ahead(l, 0);

		if (c == '\\') {
			l->at++;
			l->line += ahead(l, 0) == '\n';
			continue;
		}
		if (c == '\n' && !three)
			break;
		l->line += c == '\n';
		if (c != quote || (three && (ahead(l, 1) != quote || ahead(l, 2) != quote)))
			continue;
		l->at += three ? 3 : 1;
		add(l, TOKEN_TEXT, start);
		if (!l->failed)
			l->tokens[l->count - 1].line = line;
		return;
	}
	end_of_text(l, start, line, three);
}

static bool begins_text(const struct lexer *l, size_t *prefix)
{
	for (*prefix = 0; *prefix < 3; ++*prefix) {
		uint8_t c = ahead(l, *prefix);

		if (c == '"' || c == '\'')
			return true;
		if (!c || !strchr("rRbBfFuU", c))
			return false;
	}
	return false;
}

static void bad_letter(struct lexer *l)
{
	uint8_t c = ahead(l, 0);

	if (c >= ' ' && c < 127)
		fail(l, l->at, 1, "invalid syntax");
	else
		fail(l, l->at, 1,
		     process_format(l->process, "invalid non-printable character U+%04X", c));
}

/* False: there is none, or another one, open. */
static bool close_bracket(struct lexer *l, uint8_t c)
{
	char open = c == ')' ? '(' : c == ']' ? '[' : '{', other;

	if (!l->brackets) {
		fail(l, l->at, 1, process_format(l->process, "unmatched '%c'", c));
		return false;
	}
	other = (char)l->source.at[l->open[--l->brackets]];
	if (other == open)
		return true;
	fail(l, l->at, 1,
	     l->open_lines[l->brackets] == l->line
		     ? process_format(l->process,
				      "closing parenthesis '%c' does not match opening "
				      "parenthesis '%c'",
				      c, other)
		     : process_format(l->process,
				      "closing parenthesis '%c' does not match opening "
				      "parenthesis '%c' on line %u",
				      c, other, l->open_lines[l->brackets]));
	return false;
}

static void take_operator(struct lexer *l)
{
	static const char *const operators[] = {
		"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==",
		"!=",  "->",  "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=", ":=", "@="};
	struct slice rest = slice_from(l->source, l->at);
	size_t length = 1, start = l->at;
	uint8_t c = ahead(l, 0);

	for (size_t i = 0; i < ARRAY_COUNT(operators) && length == 1; i++)
		if (slice_starts(rest, operators[i]))
			length = strlen(operators[i]);
	if (!strchr("+-*/%@&|^~<>()[]{},:.;=", c) && length == 1) {
		bad_letter(l);
		return;
	}
	if (strchr("([{", c)) {
		if (l->brackets >= BRACKETS_MAX) {
			fail(l, start, 1, "too many nested parentheses");
			return;
		}
		l->open_lines[l->brackets] = l->line;
		l->open[l->brackets++] = start;
	} else if (strchr(")]}", c) && !close_bracket(l, c)) {
		return;
	}
	l->at += length;
	add(l, TOKEN_OPERATOR, start);
}

/* Blanks at the start of a line, against those of the lines before. */
static void take_indent(struct lexer *l)
{
	unsigned width = 0;
	uint8_t c;

	for (; (c = ahead(l, 0)) == ' ' || c == '\t' || c == '\f'; l->at++)
		width = c == '\t' ? width / 8 * 8 + 8 : width + 1;
	if (c == '\n' || c == '#' || c == '\r' || !c)
		return;
	if (width > l->indents[l->depth]) {
		if (l->depth + 1 >= INDENT_MAX) {
			l->failed = true;
			return;
		}
		l->indents[++l->depth] = width;
		add(l, TOKEN_INDENT, l->at);
	}
	while (width < l->indents[l->depth]) {
		l->depth--;
		add(l, TOKEN_DEDENT, l->at);
	}
	if (width != l->indents[l->depth]) {
		fail(l, l->at, 0, "unindent does not match any outer indentation level");
		l->mistake->kind = "IndentationError";
		while (l->at < l->source.length && ahead(l, 0) != '\n')
			l->at++;
		l->mistake->at = slice_of(l->source.at + l->at, 0);
	}
}

static bool within_line(const struct lexer *l)
{
	return l->count && l->tokens[l->count - 1].kind != TOKEN_NEWLINE &&
	       l->tokens[l->count - 1].kind != TOKEN_INDENT &&
	       l->tokens[l->count - 1].kind != TOKEN_DEDENT;
}

/* Punctuation beyond ASCII, as word processors put it: what begins with the byte 0xe2. */
static bool is_foreign_mark(struct lexer *l)
{
	uint32_t letter = (ahead(l, 1) & 63u) << 6 | (ahead(l, 2) & 63u) | 0x2000;

	if (ahead(l, 0) != 0xe2 || letter > 0x206f)
		return false;
	fail(l, l->at, 1,
	     process_format(l->process, "invalid character '%.3s' (U+%04X)",
			    (const char *)slice_from(l->source, l->at).at, letter));
	return true;
}

static void check_number(struct lexer *l, size_t start)
{
	struct slice word = slice_of(l->source.at + start, l->at - start);
	size_t digits = 0;

	while (digits < word.length && (isdigit(word.at[digits]) || word.at[digits] == '_'))
		digits++;
	if (digits > 1 && digits == word.length && word.at[0] == '0' &&
	    slice_find_byte(word, '0') == 0) {
		for (size_t i = 0; i < digits; i++)
			if (word.at[i] != '0' && word.at[i] != '_') {
				fail(l, start, 1,
				     "leading zeros in decimal integer literals are not permitted; "
				     "use an 0o prefix for octal integers");
				return;
			}
	}
	if (digits < word.length && isalpha(word.at[digits]) &&
	    !strchr(word.at[0] == '0' && digits == 1 ? "xXoObBeEjJ" : "eEjJ", word.at[digits]))
		fail(l, start + digits - 1, 1, "invalid decimal literal");
}

static void take_word(struct lexer *l)
{
	size_t start = l->at;
	uint8_t c = ahead(l, 0);
	bool number = isdigit(c) || c == '.';

	while ((c = ahead(l, 0)) &&
	       (isalnum(c) || c == '_' || c >= 0x80 ||
		(number &&
		 (c == '.' || ((c == '+' || c == '-') && (l->source.at[l->at - 1] | 32) == 'e' &&
			       (l->source.at[start + 1] | 32) != 'x')))))
		l->at++;
	if (number)
		check_number(l, start);
	add(l, number ? TOKEN_NUMBER : TOKEN_NAME, start);
}

static void take_token(struct lexer *l)
{
	uint8_t c = ahead(l, 0);
	size_t prefix;

	if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
		l->at++;
	} else if (c == '#') {
		while (l->at < l->source.length && ahead(l, 0) != '\n')
			l->at++;
	} else if (c == '\\' && ahead(l, 1) == '\n') {
		l->at += 2;
		l->line++;
	} else if (c == '\n') {
		l->at++;
		if (!l->brackets && within_line(l))
			add(l, TOKEN_NEWLINE, l->at - 1);
		l->line++;
		if (!l->brackets)
			take_indent(l);
	} else if (begins_text(l, &prefix)) {
		l->at += prefix;
		take_text(l, l->at - prefix);
	} else if (is_foreign_mark(l)) {
		return;
	} else if (isalnum(c) || c == '_' || c >= 0x80 || (c == '.' && isdigit(ahead(l, 1)))) {
		take_word(l);
	} else {
		take_operator(l);
	}
}

struct python_token *python_lex(struct process *process, struct slice source, unsigned line,
				struct python_mistake *mistake)
{
	struct lexer *l = process_take(process, sizeof(*l));
	struct python_token *tokens;

	*l = (struct lexer){.process = process, .source = source, .line = line, .mistake = mistake};
	*mistake = (struct python_mistake){0};
	take_indent(l);
	while (l->at < source.length && !l->failed) {
		take_token(l);
		process_step(process);
	}
	if (l->brackets && !l->failed) {
		l->line = l->open_lines[l->brackets - 1];
		fail(l, l->open[l->brackets - 1], 1,
		     process_format(process, "'%c' was never closed",
				    source.at[l->open[l->brackets - 1]]));
		mistake->unfinished = true;
	}
	if (within_line(l))
		add(l, TOKEN_NEWLINE, l->at);
	for (; l->depth && !l->failed; l->depth--)
		add(l, TOKEN_DEDENT, l->at);
	add(l, TOKEN_END, l->at);
	tokens = l->failed ? NULL : l->tokens;
	process_give(process, l);
	return tokens;
}
