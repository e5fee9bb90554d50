/* Braces: a{b,c}d and {1..5}, before all other expansions. Words stay source text. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define BRACE_WORDS_MAX 10000
#define BRACE_DEPTH_MAX 24

struct bracing {
	struct shell *shell;
	struct fields out;
	unsigned depth;
};

/* Offset behind a quoted or substituted piece at `at`; at + 1 for a plain byte. */
static size_t behind_piece(struct shell *shell, const char *text, size_t at)
{
	struct lexer lexer = lexer_over(shell, text, strlen(text));
	int result = 0;

	lexer.at = at;
	switch (text[at]) {
	case '\\':
		return at + (text[at + 1] ? 2 : 1);
	case '\'':
		result = lexer_skip_single(&lexer);
		break;
	case '"':
		result = lexer_skip_double(&lexer);
		break;
	case '`':
		result = lexer_skip_backquote(&lexer);
		break;
	case '$':
		result = lexer_skip_dollar(&lexer, false);
		break;
	default:
		return at + 1;
	}
	return result < 0 ? strlen(text) : lexer.at;
}

/* The end of a brace at `open` ("}"), and whether there is a comma or ".." at its level. */
static size_t brace_end(struct shell *shell, const char *text, size_t open, bool *comma)
{
	size_t depth = 0, at = open;

	*comma = false;
	while (text[at]) {
		if (text[at] == '{') {
			depth++;
		} else if (text[at] == '}') {
			if (!--depth)
				return at;
		} else if (text[at] == ',' && depth == 1) {
			*comma = true;
		}
		at = behind_piece(shell, text, at);
	}
	return 0;
}

static char *glued(struct shell *shell, struct slice a, struct slice b, struct slice c)
{
	char *text = pool_take(shell->scratch, a.length + b.length + c.length + 1);

	memcpy(text, a.at, a.length);
	memcpy(text + a.length, b.at, b.length);
	memcpy(text + a.length + b.length, c.at, c.length);
	return text;
}

static void expand_text(struct bracing *bracing, const char *text, size_t from);

/* {1..5}, {a..e}, {1..9..2} */
static bool expand_sequence(struct bracing *bracing, const char *text, size_t open, size_t end)
{
	struct slice before = slice_of(text, open), after = slice_text(text + end + 1);
	char body[64], *dots, *second, *rest;
	int64_t from, to, step = 1;
	bool letters = false;
	int width = 0;

	if (end - open - 1 >= sizeof(body))
		return false;
	memcpy(body, text + open + 1, end - open - 1);
	body[end - open - 1] = '\0';
	dots = strstr(body, "..");
	if (!dots)
		return false;
	*dots = '\0';
	second = dots + 2;
	rest = strstr(second, "..");
	if (rest) {
		*rest = '\0';
		if (builtin_number(rest + 2, &step) < 0)
			return false;
	}
	if (builtin_number(body, &from) < 0 || builtin_number(second, &to) < 0) {
		if (!isalpha((uint8_t)body[0]) || body[1] || !isalpha((uint8_t)second[0]) ||
		    second[1])
			return false;
		letters = true;
		from = body[0];
		to = second[0];
	} else {
		size_t a = strlen(body), b = strlen(second);

		if ((body[0] == '0' && a > 1) || (second[0] == '0' && b > 1) ||
		    (body[0] == '-' && body[1] == '0' && a > 2))
			width = (int)(a > b ? a : b);
	}
	step = step < -INT64_MAX ? INT64_MAX : step < 0 ? -step : step;
	if (!step)
		step = 1;
	if (from > to)
		step = -step;
	for (int64_t i = from; step > 0 ? i <= to : i >= to;) {
		char number[32];

		if (bracing->out.count >= BRACE_WORDS_MAX)
			break;
		if (letters)
			snprintf(number, sizeof(number), "%s%c", strchr("\\`", (char)i) ? "\\" : "",
				 (char)i);
		else
			snprintf(number, sizeof(number), "%0*lld", width, (long long)i);
		expand_text(bracing, glued(bracing->shell, before, slice_text(number), after),
			    open + strlen(number));
		if (__builtin_add_overflow(i, step, &i))
			break;
	}
	return true;
}

static void expand_choices(struct bracing *bracing, const char *text, size_t open, size_t end)
{
	struct slice before = slice_of(text, open), after = slice_text(text + end + 1);
	size_t depth = 0, start = open + 1, at = open + 1;

	while (at <= end && bracing->out.count < BRACE_WORDS_MAX) {
		if (text[at] == '{') {
			depth++;
		} else if (text[at] == '}' && at < end) {
			depth--;
		} else if (at == end || (text[at] == ',' && !depth)) {
			struct slice choice = slice_of(text + start, at - start);
			struct bracing inner = {.shell = bracing->shell,
						.depth = bracing->depth + 1};

			/* braces within the choice first, then those behind */
			expand_text(&inner, pool_text(bracing->shell->scratch, choice), 0);
			for (size_t i = 0; i < inner.out.count; i++) {
				struct slice each = slice_text(inner.out.at[i]);

				expand_text(bracing, glued(bracing->shell, before, each, after),
					    open + each.length);
			}
			start = at + 1;
		}
		at = at < end ? behind_piece(bracing->shell, text, at) : at + 1;
	}
}

static void expand_text(struct bracing *bracing, const char *text, size_t from)
{
	size_t at = from;

	if (++bracing->depth <= BRACE_DEPTH_MAX && !shell_stack_is_low(bracing->shell)) {
		while (text[at]) {
			bool comma;
			size_t end;

			if (text[at] != '{') {
				at = behind_piece(bracing->shell, text, at);
				continue;
			}
			end = brace_end(bracing->shell, text, at, &comma);
			if (end && comma) {
				expand_choices(bracing, text, at, end);
				bracing->depth--;
				return;
			}
			if (end && expand_sequence(bracing, text, at, end)) {
				bracing->depth--;
				return;
			}
			at++;
		}
	}
	bracing->depth--;
	if (bracing->out.count < BRACE_WORDS_MAX)
		fields_add(bracing->shell, &bracing->out, (char *)(uintptr_t)text);
	process_step(bracing->shell->process);
}

struct word *expand_braces(struct shell *shell, const struct word *word)
{
	struct bracing bracing = {.shell = shell};
	struct word *first = NULL, **tail = &first;

	expand_text(&bracing, word->text, 0);
	for (size_t i = 0; i < bracing.out.count; i++) {
		if (!*bracing.out.at[i])
			continue;
		*tail = pool_take(shell->scratch, sizeof(**tail));
		(*tail)->text = bracing.out.at[i];
		(*tail)->flags = (word->flags & ~(unsigned)WORD_BRACE) |
				 (strchr(bracing.out.at[i], '\\') ? WORD_QUOTES : 0u);
		tail = &(*tail)->next;
	}
	return first;
}
