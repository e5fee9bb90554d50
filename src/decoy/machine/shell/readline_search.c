/* ^R and ^S: looking for a line as it is typed. */
#include "decoy/machine/shell/readline_state.h"

struct searching {
	struct editor *editor;
	struct text wanted;
	bool forward, failed;
	size_t place; /* of the line that is shown; count: the new one */
};

static const char *line_at(const struct searching *searching, size_t place)
{
	const char *line = history_at(searching->editor->shell, place);

	return line ? line : searching->editor->kept_line;
}

static void show(struct searching *searching)
{
	struct editor *editor = searching->editor;
	struct text prompt = {0};

	text_format(editor->shell->process, &prompt,
		    "(%s%si-search)`%s': ", searching->failed ? "failed " : "",
		    searching->forward ? "" : "reverse-",
		    searching->wanted.data ? searching->wanted.data : "");
	readline_with_prompt(editor, prompt.data);
	process_give(editor->shell->process, prompt.data);
}

/* The last place of the text in a line at or before `limit`; SIZE_MAX: none. */
static size_t find_in(const char *line, const char *wanted, size_t limit, bool forward)
{
	size_t found = SIZE_MAX;

	for (const char *at = line; (at = strstr(at, wanted)); at++) {
		size_t offset = (size_t)(at - line);

		if (forward && offset >= limit)
			return offset;
		if (!forward && offset <= limit)
			found = offset;
	}
	return found;
}

static bool search(struct searching *searching, size_t place, size_t limit)
{
	struct editor *editor = searching->editor;
	size_t count = history_count(editor->shell);

	for (;;) {
		const char *line = line_at(searching, place);
		size_t found =
			line ? find_in(line, searching->wanted.data, limit, searching->forward)
			     : SIZE_MAX;

		if (found != SIZE_MAX) {
			searching->place = place;
			readline_replace(editor, line);
			editor->point = found;
			editor->inverse_start = found;
			editor->inverse_end = found + searching->wanted.length;
			return true;
		}
		if (searching->forward ? place >= count : !place)
			return false;
		place = searching->forward ? place + 1 : place - 1;
		limit = searching->forward ? 0 : SIZE_MAX;
	}
}

static void again(struct searching *searching, bool next)
{
	struct editor *editor = searching->editor;
	size_t limit = editor->point;
	size_t place = searching->place;

	if (!searching->wanted.length)
		return;
	if (next) {
		if (searching->forward)
			limit++;
		else if (limit)
			limit--;
		else if (place)
			place--, limit = SIZE_MAX;
	}
	if (search(searching, place, limit)) {
		searching->failed = false;
	} else {
		searching->failed = true;
		editor->inverse_start = editor->inverse_end = 0;
		readline_bell(editor);
	}
}

/* One key; false: the search is over. */
static bool search_key(struct searching *searching, int byte)
{
	struct editor *editor = searching->editor;
	uint8_t letter = (uint8_t)byte;

	switch (byte) {
	case 18:
	case 19:
		searching->forward = byte == 19;
		again(searching, true);
		return true;
	case 8:
	case 127:
		if (!searching->wanted.length) {
			readline_bell(editor);
			return true;
		}
		searching->wanted.data[--searching->wanted.length] = '\0';
		searching->failed = false;
		searching->place = history_count(editor->shell);
		editor->inverse_start = editor->inverse_end = 0;
		if (searching->wanted.length)
			again(searching, false);
		return true;
	default:
		if (byte < 32)
			return false;
	}
	text_add(editor->shell->process, &searching->wanted, slice_of(&letter, 1));
	again(searching, false);
	return true;
}

void readline_search(struct editor *editor, bool forward)
{
	struct searching searching = {.editor = editor, .forward = forward};
	struct process *process = editor->shell->process;
	size_t count = history_count(editor->shell), before = editor->point;
	char *line = process_copy_text(process, editor->line.data);
	int byte;

	process_give(process, editor->kept_line);
	editor->kept_line = process_copy_text(process, editor->line.data);
	searching.place = editor->history_place == SIZE_MAX ? count : editor->history_place;
	for (;;) {
		show(&searching);
		byte = readline_key(editor);
		if (byte < 0 || !search_key(&searching, byte))
			break;
	}
	editor->inverse_start = editor->inverse_end = 0;
	if (byte == 7 || byte < 0) { /* ^G */
		readline_replace(editor, line);
		editor->point = before;
	} else {
		editor->history_place = searching.place;
	}
	process_give(process, line);
	process_give(process, searching.wanted.data);
	readline_update(editor);
	if (byte == -2)
		editor->done = editor->interrupted = true;
	else if (byte >= 0 && byte != 7)
		readline_do(editor, byte);
}
