/* A line from a terminal: with readline's keys (bash), ash's own few, or none (dash). */
#include "decoy/machine/shell/readline_state.h"
#include "decoy/machine/terminal.h"

void readline_send(struct editor *editor)
{
	if (editor->out.length)
		process_write(editor->shell->process, 2, text_slice(&editor->out));
	text_clear(&editor->out);
}

void readline_bell(struct editor *editor)
{
	text_add_byte(editor->shell->process, &editor->out, 7);
}

int readline_key(struct editor *editor)
{
	struct shell *shell = editor->shell;
	uint8_t byte;
	ssize_t got;

	if (editor->ahead_count) {
		byte = editor->ahead[0];
		memmove(editor->ahead, editor->ahead + 1, --editor->ahead_count);
		return byte;
	}
	if (editor->out.length)
		readline_send(editor);
	for (;;) {
		got = process_read(shell->process, 0, &byte, 1);
		if (got == 1)
			return byte;
		if (got != -EINTR)
			return -1;
		execute_note_signals(shell);
		if (shell->pending >> (SIGINT - 1) & 1) {
			shell->pending &= ~((uint64_t)1 << (SIGINT - 1));
			return -2;
		}
		execute_traps(shell);
	}
}

void readline_remember(struct editor *editor)
{
	struct undo *undo =
		process_take(editor->shell->process, sizeof(*undo) + editor->line.length + 1);
	size_t depth = 0;

	if (editor->line.length)
		memcpy(undo->text, editor->line.data, editor->line.length);
	undo->point = editor->point;
	undo->before = editor->undo;
	editor->undo = undo;
	for (struct undo *at = undo; at; at = at->before)
		if (++depth == 32 && at->before) {
			struct undo *old = at->before;

			at->before = NULL;
			while (old) {
				struct undo *before = old->before;

				process_give(editor->shell->process, old);
				old = before;
			}
		}
}

void readline_undo(struct editor *editor)
{
	struct undo *undo = editor->undo;

	if (!undo) {
		readline_bell(editor);
		return;
	}
	text_clear(&editor->line);
	text_add_words(editor->shell->process, &editor->line, undo->text);
	editor->point = undo->point;
	editor->undo = undo->before;
	process_give(editor->shell->process, undo);
}

void readline_insert(struct editor *editor, struct slice s)
{
	struct text *line = &editor->line;

	if (s.length == 0 || line->length + s.length > SHELL_LINE_MAX)
		return;
	text_add(editor->shell->process, line, s); /* makes room */
	memmove(line->data + editor->point + s.length, line->data + editor->point,
		line->length - s.length - editor->point);
	memcpy(line->data + editor->point, s.at, s.length);
	editor->point += s.length;
}

void readline_delete(struct editor *editor, size_t start, size_t end)
{
	struct text *line = &editor->line;

	memmove(line->data + start, line->data + end, line->length - end + 1);
	line->length -= end - start;
	if (editor->point >= end)
		editor->point -= end - start;
	else if (editor->point > start)
		editor->point = start;
}

void readline_replace(struct editor *editor, const char *text)
{
	text_clear(&editor->line);
	text_add_words(editor->shell->process, &editor->line, text);
	editor->point = editor->line.length;
}

/* A line as the terminal gives it. */
static char *canonical_line(struct shell *shell, const char *prompt, bool *interrupted)
{
	struct text line = {0};
	uint8_t byte;

	process_write(shell->process, 2, slice_text(prompt));
	for (;;) {
		ssize_t got = process_read(shell->process, 0, &byte, 1);

		if (got == -EINTR) {
			execute_note_signals(shell);
			if (shell->pending >> (SIGINT - 1) & 1) {
				shell->pending &= ~((uint64_t)1 << (SIGINT - 1));
				*interrupted = true;
				process_write(shell->process, 2, SLICE("\n"));
				return line.data;
			}
			continue;
		}
		if (got <= 0) {
			if (line.length)
				break;
			process_give(shell->process, line.data);
			return NULL;
		}
		if (line.length < SHELL_LINE_MAX)
			text_add_byte(shell->process, &line, byte);
		if (byte == '\n')
			break;
	}
	return line.data;
}

/* The prompt's lines but the last are written as they are; of the last, what is between \[ and \]
 * is not counted. */
static void begin_prompt(struct editor *editor, const char *prompt)
{
	struct process *process = editor->shell->process;
	const char *last = strrchr(prompt, '\n');
	struct text raw = {0};
	bool hidden = false;

	last = last ? last + 1 : prompt;
	for (const char *at = prompt; *at; at++) {
		if (*at == 1 || *at == 2) {
			hidden = *at == 1;
			continue;
		}
		text_add_byte(process, at < last ? &editor->out : &raw, (uint8_t)*at);
		if (at >= last && !hidden)
			text_add_byte(process, &editor->visible, (uint8_t)*at);
	}
	if (!raw.data)
		text_add_words(process, &raw, "");
	if (!editor->visible.data)
		text_add_words(process, &editor->visible, "");
	editor->prompt = raw.data;
	editor->prompt_length = raw.length;
}

static bool is_utf8(struct shell *shell)
{
	const char *locale = variables_get(shell, "LC_ALL");

	if (!locale || !*locale)
		locale = variables_get(shell, "LC_CTYPE");
	if (!locale || !*locale)
		locale = variables_get(shell, "LANG");
	return locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8"));
}

static void free_editor(struct editor *editor)
{
	struct process *process = editor->shell->process;

	while (editor->undo) {
		struct undo *before = editor->undo->before;

		process_give(process, editor->undo);
		editor->undo = before;
	}
	process_give(process, (char *)(uintptr_t)editor->prompt);
	process_give(process, editor->visible.data);
	process_give(process, editor->display.shown.data);
	process_give(process, editor->display.faces.data);
	process_give(process, editor->out.data);
	process_give(process, editor->kept_line);
	process_give(process, editor->killed.data);
	process_give(process, editor);
}

/* readline knows how to bracket what is pasted on every terminal that terminfo has (ncurses-base),
 * but for the dumb one. telnetd's "network" is none. */
static bool brackets_paste(struct shell *shell)
{
	static const char *const known[] = {
		"xterm", "screen", "tmux", "vt100",  "vt102", "vt220",  "vt52",   "linux", "rxvt",
		"ansi",  "hurd",   "sun",  "cygwin", "mach",  "pcansi", "cons25", "wsvt25"};
	const char *type = variables_get(shell, "TERM");

	for (size_t i = 0; type && i < ARRAY_COUNT(known); i++) {
		size_t length = strlen(known[i]);

		if (strncmp(type, known[i], length) == 0 &&
		    (!type[length] || type[length] == '-' || type[length] == '.'))
			return true;
	}
	return false;
}

static void set_modes(struct terminal_modes *modes)
{
	modes->local &= ~(uint32_t)(TERMINAL_ICANON | TERMINAL_ECHO);
	modes->input &= ~(uint32_t)(TERMINAL_ICRNL | TERMINAL_INLCR);
	modes->control[TERMINAL_LNEXT] = 0;
	modes->minimum = 1;
	modes->time = 0;
}

static char *finish(struct editor *editor, bool *interrupted)
{
	struct shell *shell = editor->shell;
	char *line = editor->line.data;

	if (editor->interrupted) {
		/* what readline and bash write one after the other */
		text_add_words(shell->process, &editor->out,
			       editor->brackets ? "^C\033[?2004l\r\033[?2004h\033[?2004l\r" : "^C");
		readline_send(editor);
		execute_run_trap(shell, SIGINT);
		text_add_byte(shell->process, &editor->out, '\n');
		*interrupted = true;
	} else if (editor->ended) {
		if (editor->brackets)
			text_add_words(shell->process, &editor->out, "\033[?2004l\r\n");
		process_give(shell->process, line);
		line = NULL;
	} else {
		readline_leave(editor);
		text_add_words(shell->process, &editor->out,
			       editor->brackets ? "\n\033[?2004l\r" : "\n");
		text_add_byte(shell->process, &editor->line, '\n');
		line = editor->line.data;
	}
	readline_send(editor);
	return line;
}

/* As checkwinsize and the window's changes keep them. */
static void tell_window(struct shell *shell, const struct terminal_modes *modes)
{
	if (!shell->interactive || !shell_has(shell, SHELL_BASH) || !modes->columns)
		return;
	(void)variables_set_number(shell, "COLUMNS", modes->columns);
	(void)variables_set_number(shell, "LINES", modes->rows);
}

static char *edited_line(struct shell *shell, const char *prompt, bool *interrupted,
			 struct terminal_modes *modes)
{
	struct editor *editor = process_take(shell->process, sizeof(*editor));
	struct terminal_modes before = *modes;
	char *line;

	set_modes(modes);
	editor->shell = shell;
	editor->columns = modes->columns > 1 ? modes->columns : 80;
	tell_window(shell, modes);
	editor->utf8 = is_utf8(shell);
	editor->history_place = SIZE_MAX;
	editor->argument_place = 0;
	text_add_words(shell->process, &editor->line, "");
	editor->brackets = brackets_paste(shell);
	if (editor->brackets)
		text_add_words(shell->process, &editor->out, "\033[?2004h");
	begin_prompt(editor, prompt);
	readline_fresh(editor);
	readline_update(editor);
	while (!editor->done) {
		int byte = readline_key(editor);

		if (byte == -2) {
			editor->interrupted = true;
			break;
		}
		if (byte < 0) {
			editor->ended = true;
			break;
		}
		editor->now = LAST_OTHER;
		editor->inverse_start = editor->inverse_end = 0;
		readline_do(editor, byte);
		if (modes->columns > 1)
			editor->columns = modes->columns;
		if (!editor->ended)
			readline_update(editor);
		editor->last = editor->now;
	}
	line = finish(editor, interrupted);
	free_editor(editor);
	tell_window(shell, modes);
	terminal_modes_restore(modes, &before);
	return line;
}

char *readline_line(struct shell *shell, const char *prompt, bool *interrupted)
{
	struct terminal_modes *modes = process_terminal(shell->process, 0);

	output_flush(shell);
	if (!modes || shell_has(shell, SHELL_DASH))
		return canonical_line(shell, prompt, interrupted);
	if (shell_has(shell, SHELL_ASH))
		return readline_simple(shell, prompt, interrupted, modes);
	if (!shell_option_is(shell, SET_EMACS))
		return canonical_line(shell, prompt, interrupted);
	return edited_line(shell, prompt, interrupted, modes);
}
