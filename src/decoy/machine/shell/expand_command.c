/* $(...), `...` and $'...'. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

/* $(<file) */
static bool read_file(struct expansion *out, const struct node *tree, struct text *output)
{
	struct shell *shell = out->shell;
	const struct node *node = tree;
	struct redirections undo;

	while (node && node->kind == NODE_LIST && node->first && !node->first->next)
		node = node->first;
	if (!node || node->kind != NODE_SIMPLE || node->words || !node->redirections ||
	    node->redirections->next || node->redirections->kind != REDIRECT_READ ||
	    node->redirections->descriptor > 0 || !shell_has(shell, SHELL_BASH))
		return false;
	if (redirect_apply(shell, node->redirections, &undo, false) < 0) {
		shell->substitution_status = 1;
		return true;
	}
	if (process_read_all(shell->process, 0, SHELL_EXPANSION_MAX, output) < 0)
		shell->substitution_status = 1;
	redirect_undo(shell, &undo);
	return true;
}

void expand_command(struct expansion *out, const char *text, size_t length, unsigned flags,
		    bool backquoted)
{
	struct shell *shell = out->shell;
	struct lexer lexer = lexer_over(shell, text, length);
	struct pool *pool = pool_new(shell->process);
	struct parser parser = {.shell = shell, .lexer = &lexer, .pool = pool};
	struct text output = {0};
	struct node *tree;
	size_t end, from, to = 0;

	lexer.line = shell->line ? shell->line : 1;
	tree = parser_list(&parser, NULL);
	if (tree && !parser.failed && parser.token.kind != TOKEN_END)
		parser_unexpected(&parser, NULL);
	if (!tree || parser.failed) {
		shell->status = shell->substitution_status = 2;
		if (!shell_has(shell, SHELL_BASH) || !backquoted) {
			out->failed = true;
			if (!shell->unwind)
				shell->unwind = UNWIND_LINE;
		}
		pool_drop(pool);
		return;
	}
	shell->substituted = true;
	if (!tree->first)
		shell->substitution_status = 0;
	else if (!read_file(out, tree, &output) && launch_substitution(shell, tree, &output) < 0)
		out->failed = true;
	pool_drop(pool);
	for (from = 0; from < output.length; from++)
		if (output.data[from])
			output.data[to++] = output.data[from];
	if (to < output.length && shell_has(shell, SHELL_BASH))
		message_say(shell, "warning: command substitution: ignored null byte in input");
	end = to;
	while (end && output.data[end - 1] == '\n')
		end--;
	if (end)
		expand_value(out, slice_of(output.data, end), flags);
	process_give(shell->process, output.data);
}

static size_t put_unicode(struct expansion *out, const char *text, size_t length, size_t most)
{
	char digits[9] = "", bytes[4];
	size_t count = 0, size = 0;
	unsigned long code;

	while (count < most && count < length && isxdigit((uint8_t)text[count])) {
		digits[count] = text[count];
		count++;
	}
	code = strtoul(digits, NULL, 16);
	if (code < 0x80) {
		bytes[size++] = (char)code;
	} else if (code < 0x800) {
		bytes[size++] = (char)(0xc0 | code >> 6);
		bytes[size++] = (char)(0x80 | (code & 63));
	} else if (code < 0x10000) {
		bytes[size++] = (char)(0xe0 | code >> 12);
		bytes[size++] = (char)(0x80 | (code >> 6 & 63));
		bytes[size++] = (char)(0x80 | (code & 63));
	} else {
		bytes[size++] = (char)(0xf0 | (code >> 18 & 7));
		bytes[size++] = (char)(0x80 | (code >> 12 & 63));
		bytes[size++] = (char)(0x80 | (code >> 6 & 63));
		bytes[size++] = (char)(0x80 | (code & 63));
	}
	expand_put(out, slice_of(bytes, size), MARK_QUOTED);
	return count;
}

/* What follows the backslash; the bytes that it took. */
static size_t put_escape(struct expansion *out, const char *text, size_t length)
{
	static const char names[] = "abeEfnrtv\\'\"?", values[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
	const char *name = strchr(names, text[0]);
	size_t count = 0;
	unsigned value = 0;
	char byte;

	if (name && text[0]) {
		expand_put(out, slice_of(values + (name - names), 1), MARK_QUOTED);
		return 1;
	}
	switch (text[0]) {
	case 'x':
		while (count < 2 && 1 + count < length && isxdigit((uint8_t)text[1 + count])) {
			uint8_t digit = (uint8_t)tolower((uint8_t)text[1 + count++]);

			value = value * 16 +
				(unsigned)(digit > '9' ? digit - 'a' + 10 : digit - '0');
		}
		if (!count) {
			expand_put(out, SLICE("\\x"), MARK_QUOTED);
			return 1;
		}
		count++;
		break;
	case 'u':
	case 'U':
		return 1 + put_unicode(out, text + 1, length - 1, text[0] == 'u' ? 4 : 8);
	case 'c':
		if (length < 2)
			return 1;
		value = (uint8_t)text[1] & 31;
		count = 2;
		break;
	default:
		while (count < 3 && count < length && text[count] >= '0' && text[count] <= '7')
			value = value * 8 + (unsigned)(text[count++] - '0');
		if (!count) {
			expand_put(out, SLICE("\\"), MARK_QUOTED);
			return 0;
		}
	}
	byte = (char)value;
	if (byte)
		expand_put(out, slice_of(&byte, 1), MARK_QUOTED);
	return count;
}

void expand_dollar_single(struct expansion *out, const char *text, size_t length)
{
	size_t at = 0;

	if (!length)
		expand_put(out, slice_of("", 1), MARK_EMPTY);
	while (at < length && !out->failed) {
		size_t plain = at;

		while (plain < length && text[plain] != '\\')
			plain++;
		expand_put(out, slice_of(text + at, plain - at), MARK_QUOTED);
		at = plain;
		if (at >= length)
			break;
		at++;
		if (at < length)
			at += put_escape(out, text + at, length - at);
		else
			expand_put(out, SLICE("\\"), MARK_QUOTED);
	}
}
