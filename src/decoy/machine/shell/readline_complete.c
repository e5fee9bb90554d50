/* TAB: completes what is certain, rings for what is not, lists at the second time. */
#include "decoy/machine/shell/readline_state.h"

#define ASK_FROM 100 /* matches that are listed without a question */

static size_t word_start(const struct editor *editor)
{
	const char *line = editor->line.data;
	size_t at = editor->point;

	while (at &&
	       (!strchr(" \t\n\"'@><=;|&(:`", line[at - 1]) || (at > 1 && line[at - 2] == '\\')))
		at--;
	return at;
}

/* Bytes that all matches begin with. */
static size_t common(const struct fields *fields)
{
	size_t length = strlen(fields->at[0]);

	for (size_t i = 1; i < fields->count; i++) {
		size_t same = 0;

		while (same < length && fields->at[i][same] == fields->at[0][same])
			same++;
		length = same;
	}
	return length;
}

/* The path that a match names. */
static bool is_folder(struct editor *editor, const char *match)
{
	struct shell *shell = editor->shell;
	struct file_status status;
	char *path = match[0] == '~' ? expand_single(shell, match, 0) : (char *)(uintptr_t)match;

	return path && process_stat(shell->process, path, true, &status) == 0 &&
	       S_ISDIR(status.mode);
}

static char sign_of(struct editor *editor, const char *match)
{
	return is_folder(editor, match) ? '/' : 0;
}

static const char *shown(const char *match)
{
	const char *slash = strrchr(match, '/');

	return slash && slash[1] ? slash + 1 : match;
}

static void put_columns(struct editor *editor, const struct fields *fields)
{
	struct process *process = editor->shell->process;
	size_t width = 0, per_row, rows;

	for (size_t i = 0; i < fields->count; i++) {
		size_t length = strlen(shown(fields->at[i]));

		if (length > width)
			width = length;
	}
	width += 2;
	per_row = editor->columns / width;
	if (per_row != 1 && per_row * width == editor->columns)
		per_row--;
	if (!per_row)
		per_row = 1;
	rows = (fields->count + per_row - 1) / per_row;
	for (size_t row = 0; row < rows; row++) {
		for (size_t k = 0, i = row; k < per_row && i < fields->count; k++, i += rows) {
			const char *name = shown(fields->at[i]);
			char sign = sign_of(editor, fields->at[i]);
			size_t length = strlen(name);

			text_add(process, &editor->out, slice_of(name, length));
			if (sign) {
				text_add_byte(process, &editor->out, (uint8_t)sign);
				length++;
			}
			if (!editor->simple || (k + 1 < per_row && i + rows < fields->count))
				for (; length < width; length++)
					text_add_byte(process, &editor->out, ' ');
		}
		text_add_words(process, &editor->out, "\n");
		process_step(process);
	}
}

static void list(struct editor *editor, const struct fields *fields)
{
	struct process *process = editor->shell->process;
	int byte;

	readline_leave(editor);
	text_add_words(process, &editor->out, "\n");
	if (fields->count >= ASK_FROM) {
		text_format(process, &editor->out, "Display all %zu possibilities? (y or n)",
			    fields->count);
		do {
			byte = readline_key(editor);
		} while (byte >= 0 && !strchr("yYnN \x7f\x07", byte));
		text_add_words(process, &editor->out, "\n");
		if (byte < 0 || !strchr("yY ", byte)) {
			readline_fresh(editor);
			return;
		}
	}
	put_columns(editor, fields);
	readline_fresh(editor);
}

/* The part of a match that is not there yet, with what the shell would take amiss escaped. */
static void put_match(struct editor *editor, size_t start, const char *match, size_t length)
{
	struct process *process = editor->shell->process;
	struct text text = {0};

	for (size_t i = 0; i < length; i++) {
		if (strchr(" \t\n\\\"'|&;()<>`*?[]#!{}", match[i]) ||
		    (match[i] == '$' && i && match[0] != '$'))
			text_add_byte(process, &text, '\\');
		text_add_byte(process, &text, (uint8_t)match[i]);
	}
	if (text.length == editor->point - start &&
	    !memcmp(text.data, editor->line.data + start, text.length)) {
		process_give(process, text.data);
		return;
	}
	readline_remember(editor);
	readline_delete(editor, start, editor->point);
	readline_insert(editor, text_slice(&text));
	process_give(process, text.data);
}

void readline_complete(struct editor *editor, bool show)
{
	struct shell *shell = editor->shell;
	struct pool_mark mark = pool_place(shell->scratch);
	size_t start = word_start(editor), before = editor->line.length, length;
	bool command;
	struct fields fields =
		completion_matches(shell, editor->line.data, start, editor->point, &command);

	editor->now = LAST_COMPLETE;
	if (!fields.count) {
		readline_bell(editor);
		goto out;
	}
	if (show ||
	    (fields.count > 1 && editor->last == LAST_COMPLETE && editor->completed_nothing)) {
		list(editor, &fields);
		goto out;
	}
	if (fields.count > 1)
		readline_bell(editor);
	length = common(&fields);
	if (length)
		put_match(editor, start, fields.at[0], length);
	if (fields.count == 1) {
		uint8_t end = ' ';

		if (fields.at[0][0] != '$' &&
		    !(command && !strchr(fields.at[0], '/') && fields.at[0][0] != '~') &&
		    is_folder(editor, fields.at[0]))
			end = '/';
		if (editor->line.data[editor->point] != (char)end)
			readline_insert(editor, slice_of(&end, 1));
	}
out:
	editor->completed_nothing = editor->line.length == before;
	pool_cut(shell->scratch, mark);
}
