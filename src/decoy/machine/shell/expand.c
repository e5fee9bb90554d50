/* Expansion of words: quotes, $ and `, and what comes of them. Every byte of the result has a mark
 * that tells whether it was quoted and whether it may be split; see expand_fields.c. */
#include <ctype.h>
#include <stdio.h>

#include "decoy/machine/shell/state.h"

void expand_put(struct expansion *out, struct slice s, unsigned mark)
{
	struct process *process = out->shell->process;

	if (out->failed)
		return;
	if (out->bytes.length + s.length > SHELL_EXPANSION_MAX) {
		message_fatal(out->shell, 1, "xrealloc: cannot allocate %zu bytes",
			      out->bytes.length + s.length);
		out->failed = true;
		return;
	}
	text_add(process, &out->bytes, s);
	if (out->marks.length + s.length + 1 > out->marks.capacity) {
		size_t capacity = out->bytes.capacity;

		out->marks.data = process_retake(process, out->marks.data, capacity);
		out->marks.capacity = capacity;
	}
	if (s.length)
		memset(out->marks.data + out->marks.length, (int)mark, s.length);
	out->marks.length += s.length;
}

void expand_value(struct expansion *out, struct slice s, unsigned flags)
{
	expand_put(out, s, flags & EXPAND_QUOTED ? MARK_QUOTED : MARK_SPLIT);
}

static void put_mark(struct expansion *out, unsigned mark)
{
	expand_put(out, slice_of("", 1), mark);
}

void expand_free(struct expansion *out)
{
	process_give(out->shell->process, out->bytes.data);
	process_give(out->shell->process, out->marks.data);
}

void expand_list(struct expansion *out, char **values, size_t count, bool star, unsigned flags)
{
	const char *ifs = variables_ifs(out->shell);
	struct slice joint = star ? slice_of(ifs, *ifs ? 1 : 0) : SLICE(" ");
	bool quoted = flags & EXPAND_QUOTED, single = flags & EXPAND_SINGLE;

	if (!count)
		out->empty_list = true;
	for (size_t i = 0; i < count && !out->failed; i++) {
		struct slice value = slice_text(values[i]);

		if (i && (single || (quoted && star)))
			expand_put(out, joint, quoted || single ? MARK_QUOTED : MARK_SPLIT);
		else if (i)
			put_mark(out, MARK_BREAK);
		if (quoted && !star && !value.length && !single)
			put_mark(out, MARK_EMPTY);
		expand_value(out, value, flags);
	}
}

size_t expand_tilde(struct expansion *out, const char *text, size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	size_t end = 1;
	const char *value = NULL;
	char *name;
	const struct machine_account *account;

	while (end < length && text[end] != '/' && !(text[end] == ':' && flags & EXPAND_ASSIGN)) {
		if (!isalnum((uint8_t)text[end]) && !strchr("_-+.", text[end]))
			return 0;
		end++;
	}
	if (end == 1) {
		value = variables_get(shell, "HOME");
		if (!value) {
			account = names_account(shell, NULL, shell->process->identity.uid);
			value = account ? account->home : "/";
		}
	} else if (end == 2 && text[1] == '+' && shell_has(shell, SHELL_BASH)) {
		value = process_folder(shell->process);
	} else if (end == 2 && text[1] == '-' && shell_has(shell, SHELL_BASH)) {
		value = variables_get(shell, "OLDPWD");
	} else {
		name = pool_text(shell->scratch, slice_of(text + 1, end - 1));
		account = names_account(shell, name, 0);
		value = account ? account->home : NULL;
	}
	if (!value)
		return 0;
	expand_put(out, slice_text(value), MARK_QUOTED);
	return end;
}

/* Behind the quoting construct that `skip` knows, or the end. */
static size_t behind(struct shell *shell, const char *text, size_t at, size_t length,
		     int (*skip)(struct lexer *lexer))
{
	struct lexer lexer = lexer_over(shell, text, length);

	lexer.at = at;
	return skip(&lexer) < 0 ? length : lexer.at;
}

static size_t expand_double(struct expansion *out, const char *text, size_t at, size_t length,
			    unsigned flags)
{
	size_t end = behind(out->shell, text, at, length, lexer_skip_double);
	size_t before = out->bytes.length, stop = end > at + 1 ? end - 1 : end;
	bool empty = out->empty_list;

	out->empty_list = false;
	expand_into(out, text + at + 1, stop - at - 1,
		    (flags & ~(unsigned)EXPAND_WORD) | EXPAND_QUOTED);
	if (out->bytes.length == before && !out->empty_list && !(flags & EXPAND_QUOTED))
		put_mark(out, MARK_EMPTY);
	out->empty_list = empty;
	return end;
}

static size_t expand_single_quotes(struct expansion *out, const char *text, size_t at,
				   size_t length)
{
	size_t end = at + 1;

	while (end < length && text[end] != '\'')
		end++;
	if (end == at + 1)
		put_mark(out, MARK_EMPTY);
	expand_put(out, slice_of(text + at + 1, end - at - 1), MARK_QUOTED);
	return end + 1;
}

/* `...`: what stands between, less the backslashes that hid something. */
static size_t expand_backquotes(struct expansion *out, const char *text, size_t at, size_t length,
				unsigned flags)
{
	size_t end = behind(out->shell, text, at, length, lexer_skip_backquote);
	char *command = pool_text(out->shell->scratch, slice_of(text + at + 1, end - at - 1)),
	     *to = command;

	for (const char *from = command; *from; from++) {
		if (from[0] == '`' && !from[1])
			break;
		if (from[0] == '\\' && from[1] &&
		    (strchr("$`\\", from[1]) || (from[1] == '"' && flags & EXPAND_QUOTED)))
			from++;
		*to++ = *from;
	}
	*to = '\0';
	expand_command(out, command, strlen(command), flags, true);
	return end;
}

static void expand_arithmetic(struct expansion *out, struct slice text, unsigned flags)
{
	char number[24];
	int64_t value;

	if (arithmetic_expand(out->shell, text, &value) < 0) {
		if (!out->shell->unwind && shell_has(out->shell, SHELL_BASH)) {
			out->shell->status = 1;
			out->shell->unwind = UNWIND_LINE;
		}
		out->failed = true;
		return;
	}
	snprintf(number, sizeof(number), "%lld", (long long)value);
	expand_value(out, slice_text(number), flags);
}

static void expand_name(struct expansion *out, const char *name, size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	const char *value;
	bool plain = lexer_name(name) > 0;

	if (length == 1 && (*name == '@' || *name == '*')) {
		expand_list(out, shell->positional, (size_t)shell->positional_count, *name == '*',
			    flags);
		return;
	}
	if (plain)
		value = variables_get(shell, pool_text(shell->scratch, slice_of(name, length)));
	else
		value = special_parameter(shell, name, length);
	if (!value && shell_option_is(shell, SET_NOUNSET)) {
		message_fatal(shell, shell->interactive ? 1 : 127,
			      shell_has(shell, SHELL_BASH) ? "%s%.*s: unbound variable"
							   : "%s%.*s: parameter not set",
			      !plain && shell_has(shell, SHELL_BASH) ? "$" : "", (int)length, name);
		if (!shell->interactive)
			shell->unwind = UNWIND_EXIT;
		out->failed = true;
		return;
	}
	expand_value(out, slice_text(value), flags);
}

static size_t expand_parentheses(struct expansion *out, const char *text, size_t at, size_t length,
				 unsigned flags)
{
	struct lexer lexer = lexer_over(out->shell, text, length);
	size_t end;

	lexer.at = at + 1;
	if (lexer_byte(&lexer, 1) == '(' && lexer_is_arithmetic(&lexer, &end)) {
		expand_arithmetic(out, slice_of(text + at + 3, end - 2), flags);
		return at + 1 + end + 2;
	}
	lexer.at = at;
	if (lexer_skip_dollar(&lexer, flags & EXPAND_QUOTED) < 0) {
		out->failed = true;
		return length;
	}
	expand_command(out, text + at + 2, lexer.at - at - 3, flags, false);
	return lexer.at;
}

/* At a "$"; the offset behind what it stands for. */
static size_t expand_dollar(struct expansion *out, const char *text, size_t at, size_t length,
			    unsigned flags)
{
	struct shell *shell = out->shell;
	char next = at + 1 < length ? text[at + 1] : '\0';
	size_t name = lexer_name(text + at + 1), end;

	if (name > length - at - 1)
		name = length - at - 1;
	if (name) {
		expand_name(out, text + at + 1, name, flags);
		return at + 1 + name;
	}
	if (next == '{')
		return at + expand_parameter(out, text + at, length - at, flags);
	if (next == '(')
		return expand_parentheses(out, text, at, length, flags);
	if (next && strchr("@*#?-$!0123456789", next)) {
		expand_name(out, text + at + 1, 1, flags);
		return at + 2;
	}
	if (!(flags & EXPAND_QUOTED) && next == '\'' && shell_has(shell, SHELL_BASH | SHELL_ASH)) {
		end = behind(shell, text, at + 1, length, lexer_skip_dollar_single);
		expand_dollar_single(out, text + at + 2, end - at - 3);
		return end;
	}
	if (!(flags & EXPAND_QUOTED) && next == '"' && shell_has(shell, SHELL_BASH))
		return expand_double(out, text, at + 1, length, flags);
	if (next == '[' && shell_has(shell, SHELL_BASH)) {
		for (end = at + 2; end < length && text[end] != ']'; end++)
			;
		expand_arithmetic(out, slice_of(text + at + 2, end - at - 2), flags);
		return end + 1;
	}
	expand_put(out, SLICE("$"), flags & EXPAND_QUOTED ? MARK_QUOTED : MARK_PLAIN);
	return at + 1;
}

/* A backslash within double quotes or a here-document. */
static size_t expand_quoted_backslash(struct expansion *out, const char *text, size_t at,
				      size_t length, unsigned flags)
{
	char next = at + 1 < length ? text[at + 1] : '\0';

	if (next == '\n')
		return at + 2;
	if (next && (strchr("$`\\", next) || (next == '"' && !(flags & EXPAND_HERE)) ||
		     (next == '}' && flags & EXPAND_WORD))) {
		expand_put(out, slice_of(text + at + 1, 1), MARK_QUOTED);
		return at + 2;
	}
	expand_put(out, SLICE("\\"), MARK_QUOTED);
	return at + 1;
}

/* <(...) and >(...). */
static size_t expand_process(struct expansion *out, const char *text, size_t at, size_t length)
{
	struct shell *shell = out->shell;
	struct lexer lexer = lexer_over(shell, text, length);
	struct pool *pool = pool_new(shell->process);
	struct node *tree;

	lexer.at = at + 2;
	if (parser_substitution(shell, &lexer, pool, &tree) < 0)
		out->failed = true;
	else
		expand_put(out,
			   slice_text(launch_process_substitution(shell, tree, text[at] == '<')),
			   MARK_QUOTED);
	pool_drop(pool);
	return lexer.at;
}

static bool begins_tilde(const char *text, size_t at, unsigned flags)
{
	if (text[at] != '~' || flags & (EXPAND_QUOTED | EXPAND_HERE | EXPAND_NO_TILDE))
		return false;
	return !at || (flags & EXPAND_ASSIGN && text[at - 1] == ':');
}

static size_t expand_piece(struct expansion *out, const char *text, size_t at, size_t length,
			   unsigned flags)
{
	bool quoted = flags & (EXPAND_QUOTED | EXPAND_HERE);
	size_t end;

	switch (text[at]) {
	case '\\':
		if (quoted)
			return expand_quoted_backslash(out, text, at, length, flags);
		if (at + 1 >= length)
			expand_put(out, SLICE("\\"), MARK_QUOTED);
		else if (text[at + 1] != '\n')
			expand_put(out, slice_of(text + at + 1, 1), MARK_QUOTED);
		return at + 2;
	case '\'':
		if (quoted)
			break;
		return expand_single_quotes(out, text, at, length);
	case '"':
		if (flags & EXPAND_HERE && !(flags & EXPAND_WORD))
			break;
		if (quoted && !(flags & (EXPAND_WORD | EXPAND_ARITHMETIC)))
			break;
		return expand_double(out, text, at, length, flags);
	case '$':
		return expand_dollar(out, text, at, length, flags);
	case '`':
		return expand_backquotes(out, text, at, length, flags);
	case '<':
	case '>':
		if (quoted || at + 1 >= length || text[at + 1] != '(' ||
		    shell_has(out->shell, SHELL_DASH) || flags & (EXPAND_REGEX | EXPAND_PATTERN))
			break;
		return expand_process(out, text, at, length);
	default:
		break;
	}
	for (end = at + 1; end < length && !strchr("\\'\"$`<>:~", text[end]); end++)
		;
	expand_put(out, slice_of(text + at, end - at),
		   quoted                ? MARK_QUOTED
		   : flags & EXPAND_WORD ? MARK_SPLIT
					 : MARK_PLAIN);
	return end;
}

void expand_into(struct expansion *out, const char *text, size_t length, unsigned flags)
{
	size_t at = 0;

	if (shell_stack_is_low(out->shell)) {
		message_fatal(out->shell, 1, "maximum nesting level exceeded");
		out->failed = true;
	}
	while (at < length && !out->failed) {
		size_t taken;

		if (begins_tilde(text, at, flags) &&
		    (taken = expand_tilde(out, text + at, length - at, flags))) {
			at += taken;
			continue;
		}
		at = expand_piece(out, text, at, length, flags);
	}
}

char *expand_slice(struct shell *shell, struct slice text, unsigned flags)
{
	struct expansion out = {.shell = shell};
	char *result = NULL;

	expand_into(&out, (const char *)text.at, text.length, flags | EXPAND_SINGLE);
	if (!out.failed)
		result = expand_take(&out, flags);
	expand_free(&out);
	return result;
}

char *expand_single(struct shell *shell, const char *text, unsigned flags)
{
	return expand_slice(shell, slice_text(text), flags);
}
