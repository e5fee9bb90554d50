/* BusyBox's own line editing: fewer keys, plainer bytes. */
#include <ctype.h>

#include "decoy/machine/host.h"
#include "decoy/machine/shell/readline_state.h"
#include "decoy/machine/terminal.h"

static void put(struct editor *editor, const char *words)
{
	text_add_words(editor->shell->process, &editor->out, words);
}

/* Writes from the cursor to the end, and goes back to `point`. */
static void redraw(struct editor *editor, size_t point, bool clear)
{
	text_add(editor->shell->process, &editor->out,
		 slice_from(text_slice(&editor->line), editor->point));
	if (clear)
		put(editor, "\033[J");
	for (size_t i = point; i < editor->line.length; i++)
		put(editor, "\b");
	editor->point = point;
}

/* The whole line anew, with its prompt. */
static void show_line(struct editor *editor, size_t point)
{
	put(editor, "\r");
	put(editor, editor->prompt);
	editor->point = 0;
	redraw(editor, point, true);
}

static void move(struct editor *editor, size_t point)
{
	if (point < editor->point) {
		size_t count = editor->point - point;

		if (count < 4)
			while (count--)
				put(editor, "\b");
		else
			text_format(editor->shell->process, &editor->out, "\033[%zuD", count);
	} else {
		text_add(editor->shell->process, &editor->out,
			 slice_of(editor->line.data + editor->point, point - editor->point));
	}
	editor->point = point;
}

static void erase_before(struct editor *editor)
{
	size_t point = editor->point;

	if (!point) {
		readline_bell(editor);
		return;
	}
	put(editor, "\b");
	readline_delete(editor, point - 1, point);
	redraw(editor, editor->point, true);
}

static void show_history(struct editor *editor, int step)
{
	struct shell *shell = editor->shell;
	size_t count = history_count(shell);
	size_t place = editor->history_place == SIZE_MAX ? count : editor->history_place;
	const char *line;

	if ((step < 0 && !place) || (step > 0 && place >= count)) {
		readline_bell(editor);
		return;
	}
	place = step < 0 ? place - 1 : place + 1;
	editor->history_place = place;
	line = history_at(shell, place);
	readline_replace(editor, line ? line : "");
	show_line(editor, editor->line.length);
}

static void delete_here(struct editor *editor)
{
	if (editor->point == editor->line.length)
		return;
	readline_delete(editor, editor->point, editor->point + 1);
	redraw(editor, editor->point, true);
}

static void do_escape(struct editor *editor)
{
	int byte = readline_key(editor), first;

	if (byte != '[' && byte != 'O')
		return;
	/* A terminal's answer to "where is the cursor" comes this way, too: ESC [ row ; column R.
	 */
	byte = readline_key(editor);
	first = byte;
	while (isdigit(byte) || byte == ';')
		byte = readline_key(editor);
	if (byte == '~')
		byte = first == '1' || first == '7'   ? 'H'
		       : first == '4' || first == '8' ? 'F'
		       : first == '3'                 ? 'd'
						      : 0;
	switch (byte) {
	case 'A':
		show_history(editor, -1);
		break;
	case 'B':
		show_history(editor, 1);
		break;
	case 'C':
		if (editor->point < editor->line.length)
			move(editor, editor->point + 1);
		break;
	case 'D':
		if (editor->point)
			move(editor, editor->point - 1);
		break;
	case 'H':
		move(editor, 0);
		break;
	case 'F':
		move(editor, editor->line.length);
		break;
	case 'd':
		delete_here(editor);
		break;
	default:
		break;
	}
}

static void type(struct editor *editor, uint8_t letter)
{
	size_t point = editor->point;

	readline_insert(editor, slice_of(&letter, 1));
	if (editor->point == editor->line.length) {
		text_add_byte(editor->shell->process, &editor->out, letter);
		return;
	}
	editor->point = point;
	redraw(editor, point + 1, false);
}

static void complete(struct editor *editor)
{
	size_t before = editor->line.length, listed = editor->out.length;

	readline_complete(editor, false);
	listed = editor->out.length - listed;
	if (editor->line.length != before || listed > 1)
		show_line(editor, editor->point);
}

static void do_key(struct editor *editor, int byte)
{
	switch (byte) {
	case 1:
		move(editor, 0);
		break;
	case 5:
		move(editor, editor->line.length);
		break;
	case 2:
		if (editor->point)
			move(editor, editor->point - 1);
		break;
	case 6:
		if (editor->point < editor->line.length)
			move(editor, editor->point + 1);
		break;
	case 4:
		if (!editor->line.length)
			editor->done = editor->ended = true;
		else
			delete_here(editor);
		break;
	case 8:
	case 127:
		erase_before(editor);
		break;
	case 9:
		complete(editor);
		break;
	case 10:
	case 13:
		move(editor, editor->line.length);
		editor->done = true;
		break;
	case 11:
		editor->line.data[editor->line.length = editor->point] = '\0';
		put(editor, "\033[J");
		break;
	case 14:
		show_history(editor, 1);
		break;
	case 16:
		show_history(editor, -1);
		break;
	case 12:
		put(editor, "\033[H\033[J");
		show_line(editor, editor->point);
		break;
	case 21:
		readline_delete(editor, 0, editor->point);
		show_line(editor, 0);
		break;
	case 23:
		while (editor->point && isspace((uint8_t)editor->line.data[editor->point - 1]))
			erase_before(editor);
		while (editor->point && !isspace((uint8_t)editor->line.data[editor->point - 1]))
			erase_before(editor);
		break;
	case 27:
		do_escape(editor);
		break;
	default:
		if (byte >= 32)
			type(editor, (uint8_t)byte);
	}
}

static char *finish(struct editor *editor, bool *interrupted)
{
	char *line = editor->line.data;

	if (editor->interrupted) {
		put(editor, "^C\n");
		*interrupted = true;
	} else if (editor->ended) {
		process_give(editor->shell->process, line);
		line = NULL;
	} else {
		put(editor, "\n");
		text_add_byte(editor->shell->process, &editor->line, '\n');
		line = editor->line.data;
	}
	readline_send(editor);
	return line;
}

char *readline_simple(struct shell *shell, const char *prompt, bool *interrupted,
		      struct terminal_modes *modes)
{
	struct editor *editor = process_take(shell->process, sizeof(*editor));
	struct terminal_modes before = *modes;
	char *line;

	modes->local &= ~(uint32_t)(TERMINAL_ICANON | TERMINAL_ECHO | TERMINAL_ECHONL);
	modes->minimum = 1;
	modes->time = 0;
	editor->shell = shell;
	editor->simple = true;
	editor->columns = modes->columns > 1 ? modes->columns : 80;
	editor->history_place = SIZE_MAX;
	text_add_words(shell->process, &editor->line, "");
	editor->prompt = prompt;
	put(editor, prompt);
	if (host_kind(process_host(shell->process)) == HOST_DEBIAN)
		put(editor, "\033[6n"); /* Debian's build asks where the cursor is */
	while (!editor->done) {
		int byte = readline_key(editor);

		if (byte == 3 || byte == -2) {
			editor->interrupted = true;
			break;
		}
		if (byte < 0) {
			editor->ended = true;
			break;
		}
		editor->now = LAST_OTHER;
		do_key(editor, byte);
		editor->last = editor->now;
	}
	line = finish(editor, interrupted);
	while (editor->undo) {
		struct undo *older = editor->undo->before;

		process_give(shell->process, editor->undo);
		editor->undo = older;
	}
	process_give(shell->process, editor->out.data);
	process_give(shell->process, editor->display.shown.data);
	process_give(shell->process, editor->display.faces.data);
	process_give(shell->process, editor);
	terminal_modes_restore(modes, &before);
	return line;
}
