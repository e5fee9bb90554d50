/* What keys do: readline's bindings of emacs mode. */
#include <ctype.h>

#include "decoy/machine/shell/readline_state.h"

static bool is_word(const struct editor *editor, size_t at)
{
	return isalnum((uint8_t)editor->line.data[at]) || (uint8_t)editor->line.data[at] >= 0x80;
}

static size_t word_forward(const struct editor *editor, size_t at)
{
	while (at < editor->line.length && !is_word(editor, at))
		at++;
	while (at < editor->line.length && is_word(editor, at))
		at++;
	return at;
}

static size_t word_backward(const struct editor *editor, size_t at)
{
	while (at && !is_word(editor, at - 1))
		at--;
	while (at && is_word(editor, at - 1))
		at--;
	return at;
}

/* The start of the letter before; of several bytes in UTF-8. */
static size_t letter_before(const struct editor *editor, size_t at)
{
	if (!at)
		return 0;
	at--;
	while (editor->utf8 && at && ((uint8_t)editor->line.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t letter_after(const struct editor *editor, size_t at)
{
	if (at < editor->line.length)
		at++;
	while (editor->utf8 && at < editor->line.length &&
	       ((uint8_t)editor->line.data[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void kill_text(struct editor *editor, size_t start, size_t end, bool backward)
{
	struct process *process = editor->shell->process;
	struct text killed = {0};

	editor->now = LAST_KILL;
	if (start >= end)
		return;
	readline_remember(editor);
	if (editor->last == LAST_KILL && !backward)
		text_add(process, &killed, text_slice(&editor->killed));
	text_add(process, &killed, slice_of(editor->line.data + start, end - start));
	if (editor->last == LAST_KILL && backward)
		text_add(process, &killed, text_slice(&editor->killed));
	process_give(process, editor->killed.data);
	editor->killed = killed;
	readline_delete(editor, start, end);
}

/* ^W: back to the blank before. */
static void kill_blank_word(struct editor *editor)
{
	size_t start = editor->point;

	while (start && isspace((uint8_t)editor->line.data[start - 1]))
		start--;
	while (start && !isspace((uint8_t)editor->line.data[start - 1]))
		start--;
	if (!editor->point)
		readline_bell(editor);
	kill_text(editor, start, editor->point, true);
}

static void rub_out(struct editor *editor)
{
	size_t start = letter_before(editor, editor->point);
	bool at_end = editor->point == editor->line.length;
	uint8_t byte;

	if (!editor->point) {
		readline_bell(editor);
		return;
	}
	byte = (uint8_t)editor->line.data[start];
	readline_remember(editor);
	readline_delete(editor, start, editor->point);
	if (at_end && editor->display.column && byte >= 32 && byte < 127)
		readline_erase_last(editor);
}

static void delete_here(struct editor *editor)
{
	if (editor->point == editor->line.length) {
		readline_bell(editor);
		return;
	}
	readline_remember(editor);
	readline_delete(editor, editor->point, letter_after(editor, editor->point));
}

static void transpose(struct editor *editor)
{
	size_t at = editor->point;
	char letter;

	if (!at || editor->line.length < 2) {
		readline_bell(editor);
		return;
	}
	if (at == editor->line.length)
		at--;
	readline_remember(editor);
	letter = editor->line.data[at - 1];
	editor->line.data[at - 1] = editor->line.data[at];
	editor->line.data[at] = letter;
	editor->point = at + 1;
}

static void go_history(struct editor *editor, size_t place)
{
	struct shell *shell = editor->shell;
	size_t count = history_count(shell);
	const char *line = place < count ? history_at(shell, place) : NULL;

	if (editor->history_place == SIZE_MAX)
		editor->history_place = count;
	if (place > count || place == editor->history_place) {
		readline_bell(editor);
		return;
	}
	if (editor->history_place == count) {
		process_give(shell->process, editor->kept_line);
		editor->kept_line = process_copy_text(shell->process, editor->line.data);
	}
	editor->history_place = place;
	while (editor->undo) {
		struct undo *before = editor->undo->before;

		process_give(shell->process, editor->undo);
		editor->undo = before;
	}
	readline_replace(editor, line ? line : editor->kept_line ? editor->kept_line : "");
}

static void step_history(struct editor *editor, int step)
{
	size_t count = history_count(editor->shell);
	size_t place = editor->history_place == SIZE_MAX ? count : editor->history_place;

	if ((step < 0 && !place) || (step > 0 && place >= count)) {
		readline_bell(editor);
		return;
	}
	go_history(editor, step < 0 ? place - 1 : place + 1);
}

/* M-. : the last word of the line before; again: of the one before that. */
static void last_argument(struct editor *editor)
{
	struct shell *shell = editor->shell;
	size_t count = history_count(shell), start, end;
	const char *line;

	if (editor->last == LAST_ARGUMENT) {
		editor->argument_place++;
		readline_delete(editor, editor->point - editor->argument_length, editor->point);
	} else {
		editor->argument_place = 1;
		readline_remember(editor);
	}
	editor->argument_length = 0;
	editor->now = LAST_ARGUMENT;
	if (editor->argument_place > count) {
		readline_bell(editor);
		return;
	}
	line = history_at(shell, count - editor->argument_place);
	end = strlen(line);
	while (end && isspace((uint8_t)line[end - 1]))
		end--;
	start = end;
	while (start && !isspace((uint8_t)line[start - 1]))
		start--;
	editor->argument_length = end - start;
	readline_insert(editor, slice_of(line + start, end - start));
}

static void change_word(struct editor *editor, char how)
{
	size_t at = editor->point, end = word_forward(editor, at);
	bool first = true;

	readline_remember(editor);
	for (; at < end; at++) {
		char *byte = &editor->line.data[at];

		if (how == 'c' && is_word(editor, at)) {
			*byte = (char)(first ? toupper((uint8_t)*byte) : tolower((uint8_t)*byte));
			first = false;
		} else if (how != 'c') {
			*byte = (char)(how == 'u' ? toupper((uint8_t)*byte)
						  : tolower((uint8_t)*byte));
		}
	}
	editor->point = end;
}

/* Pasted text comes in between ESC[200~ and ESC[201~: it is put in as it stands. */
static void paste(struct editor *editor)
{
	static const char end[] = "\033[201~";
	struct text text = {0};
	size_t matched = 0;
	int byte;

	while (matched < sizeof(end) - 1 && (byte = readline_key(editor)) >= 0) {
		if (byte == end[matched]) {
			matched++;
			continue;
		}
		text_add(editor->shell->process, &text, slice_of(end, matched));
		matched = byte == '\033' ? 1 : 0;
		if (!matched && text.length < SHELL_LINE_MAX)
			text_add_byte(editor->shell->process, &text,
				      (uint8_t)(byte == '\r' ? '\n' : byte));
	}
	readline_remember(editor);
	editor->inverse_start = editor->point;
	readline_insert(editor, text_slice(&text));
	editor->inverse_end = editor->point;
	process_give(editor->shell->process, text.data);
}

static void accept_line(struct editor *editor)
{
	editor->done = true;
}

static void clear_screen(struct editor *editor)
{
	text_add_words(editor->shell->process, &editor->out, "\033[H\033[2J");
	readline_fresh(editor);
}

/* ESC [ parameters letter. */
static void do_sequence(struct editor *editor)
{
	char parameters[16];
	size_t count = 0;
	int byte;

	while ((byte = readline_key(editor)) >= 0) {
		if ((byte >= '0' && byte <= '9') || byte == ';') {
			if (count < sizeof(parameters) - 1)
				parameters[count++] = (char)byte;
			continue;
		}
		break;
	}
	parameters[count] = '\0';
	switch (byte) {
	case 'A':
		step_history(editor, -1);
		return;
	case 'B':
		step_history(editor, 1);
		return;
	case 'C':
	case 'D':
		if (strchr(parameters, ';')) { /* with control or alt: by words */
			editor->point = byte == 'C' ? word_forward(editor, editor->point)
						    : word_backward(editor, editor->point);
			return;
		}
		if (byte == 'C' ? editor->point == editor->line.length : !editor->point)
			readline_bell(editor);
		editor->point = byte == 'C' ? letter_after(editor, editor->point)
					    : letter_before(editor, editor->point);
		return;
	case 'H':
		editor->point = 0;
		return;
	case 'F':
		editor->point = editor->line.length;
		return;
	case '~':
		if (!strcmp(parameters, "200"))
			paste(editor);
		else if (!strcmp(parameters, "1") || !strcmp(parameters, "7"))
			editor->point = 0;
		else if (!strcmp(parameters, "4") || !strcmp(parameters, "8"))
			editor->point = editor->line.length;
		else if (!strcmp(parameters, "3"))
			delete_here(editor);
		return;
	default:
		return;
	}
}

static void do_meta(struct editor *editor)
{
	int byte = readline_key(editor);

	switch (byte) {
	case '[':
	case 'O':
		do_sequence(editor);
		break;
	case 'b':
		editor->point = word_backward(editor, editor->point);
		break;
	case 'f':
		editor->point = word_forward(editor, editor->point);
		break;
	case 'd':
		kill_text(editor, editor->point, word_forward(editor, editor->point), false);
		break;
	case 127:
	case 8:
		kill_text(editor, word_backward(editor, editor->point), editor->point, true);
		break;
	case '.':
	case '_':
		last_argument(editor);
		break;
	case 'u':
	case 'l':
	case 'c':
		change_word(editor, (char)byte);
		break;
	case '<':
		go_history(editor, 0);
		break;
	case '>':
		go_history(editor, history_count(editor->shell));
		break;
	case '?':
	case '=':
		readline_complete(editor, true);
		break;
	case '#':
		editor->point = 0;
		readline_insert(editor, SLICE("#"));
		readline_update(editor);
		accept_line(editor);
		break;
	case 'r':
		while (editor->undo)
			readline_undo(editor);
		break;
	default:
		break;
	}
}

static void do_control_x(struct editor *editor)
{
	switch (readline_key(editor)) {
	case 21: /* ^U */
		readline_undo(editor);
		break;
	case 127:
		kill_text(editor, 0, editor->point, true);
		break;
	default:
		break;
	}
}

static void type(struct editor *editor, int byte)
{
	uint8_t letter = (uint8_t)byte;

	if (editor->last != LAST_INSERT)
		readline_remember(editor);
	editor->now = LAST_INSERT;
	readline_insert(editor, slice_of(&letter, 1));
	/* the rest of a letter of several bytes: shown as one */
	if (editor->utf8 && letter >= 0xc0) {
		int more = letter >= 0xf0 ? 3 : letter >= 0xe0 ? 2 : 1;

		while (more-- && (byte = readline_key(editor)) >= 0) {
			letter = (uint8_t)byte;
			readline_insert(editor, slice_of(&letter, 1));
		}
	}
}

static void do_end(struct editor *editor)
{
	if (editor->line.length)
		delete_here(editor);
	else
		editor->done = editor->ended = true;
}

void readline_do(struct editor *editor, int byte)
{
	switch (byte) {
	case 1: /* ^A */
		editor->point = 0;
		break;
	case 2:
		if (!editor->point)
			readline_bell(editor);
		editor->point = letter_before(editor, editor->point);
		break;
	case 4:
		do_end(editor);
		break;
	case 5:
		editor->point = editor->line.length;
		break;
	case 6:
		if (editor->point == editor->line.length)
			readline_bell(editor);
		editor->point = letter_after(editor, editor->point);
		break;
	case 7:
		readline_bell(editor);
		break;
	case 8:
	case 127:
		rub_out(editor);
		break;
	case 9:
		readline_complete(editor, false);
		break;
	case 10:
	case 13:
		accept_line(editor);
		break;
	case 11:
		kill_text(editor, editor->point, editor->line.length, false);
		break;
	case 12:
		clear_screen(editor);
		break;
	case 14:
		step_history(editor, 1);
		break;
	case 16:
		step_history(editor, -1);
		break;
	case 18:
	case 19:
		readline_search(editor, byte == 19);
		break;
	case 20:
		transpose(editor);
		break;
	case 21:
		if (!editor->point)
			readline_bell(editor);
		kill_text(editor, 0, editor->point, true);
		break;
	case 17:
	case 22: /* the next key as it is */
		byte = readline_key(editor);
		if (byte >= 0)
			type(editor, byte);
		break;
	case 23:
		kill_blank_word(editor);
		break;
	case 24:
		do_control_x(editor);
		break;
	case 25:
		if (!editor->killed.length)
			readline_bell(editor);
		readline_remember(editor);
		readline_insert(editor, text_slice(&editor->killed));
		editor->now = LAST_YANK;
		break;
	case 27:
		do_meta(editor);
		break;
	case 31:
		readline_undo(editor);
		break;
	default:
		if (byte >= 32)
			type(editor, byte);
	}
}
