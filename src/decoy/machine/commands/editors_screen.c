/* nano 7.2 and vi (vim.tiny 9.0, BusyBox): enough to open, type, save and leave. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/editors.h"

#define CONTROL(letter) ((letter)&31)
#define ESCAPE          27
#define ANSWER_MAX      512

/* --- nano --- */

struct nano {
	struct editors_text editor;
	const char *message;
	struct text cut;
	bool cut_before;
};

static void centre(struct editors_text *e, const char *text)
{
	size_t length = strlen(text);
	size_t left = length < e->columns ? (e->columns - length) / 2 : 0;
	text_format(e->process, &e->screen, "%*s%s%*s", (int)left, "", text,
		    (int)(e->columns > left + length ? e->columns - left - length : 0), "");
}

static void nano_help(struct editors_text *e, const char *const *first, const char *const *second,
		      size_t count)
{
	size_t width = e->columns / count;
	for (size_t line = 0; line < 2; line++) {
		const char *const *words = line ? second : first;
		editors_place(e, e->rows - 2 + line, 0);
		for (size_t i = 0; i < count; i++)
			text_format(e->process, &e->screen, "\x1b[7m%.2s\x1b[m%-*.*s", words[i],
				    (int)width - 2, (int)width - 2, words[i] + 2);
		text_add_words(e->process, &e->screen, "\x1b[K");
	}
}

static void nano_draw(struct nano *nano)
{
	static const char *const first[] = {"^G Help", "^O Write Out", "^W Where Is",
					    "^K Cut",  "^T Execute",   "^C Location"};
	static const char *const second[] = {"^X Exit",  "^R Read File", "^\\ Replace",
					     "^U Paste", "^J Justify",   "^/ Go To Line"};
	struct editors_text *e = &nano->editor;
	char *title = process_format(e->process, "%s%s", e->path ? e->path : "New Buffer",
				     e->changed ? " *" : "");
	text_add_words(e->process, &e->screen, "\x1b[?25l\x1b[H\x1b[7m");
	text_add_words(e->process, &e->screen, "  GNU nano 7.2");
	size_t room = e->columns;
	e->columns = room > 14 ? room - 14 : 0;
	centre(e, title);
	e->columns = room;
	text_add_words(e->process, &e->screen, "\x1b[m");
	editors_draw(e, 1, e->rows - 4, "");
	editors_place(e, e->rows - 3, 0);
	if (nano->message) {
		char *text = process_format(e->process, "[ %s ]", nano->message);
		size_t left = (e->columns - strlen(text)) / 2;
		text_format(e->process, &e->screen, "%*s\x1b[7m%s\x1b[m",
			    left < e->columns ? (int)left : 0, "", text);
		process_give(e->process, text);
	}
	text_add_words(e->process, &e->screen, "\x1b[K");
	nano_help(e, first, second, ARRAY_COUNT(first));
	editors_place(e, 1 + e->row - e->top, e->column);
	text_add_words(e->process, &e->screen, "\x1b[?25h");
	editors_flush(e);
	process_give(e->process, title);
}

/* A question on the status line; NULL: cancelled. */
static char *nano_ask(struct nano *nano, const char *prompt, const char *usual)
{
	struct editors_text *e = &nano->editor;
	char *answer = process_take(e->process, ANSWER_MAX);
	size_t length = (size_t)snprintf(answer, ANSWER_MAX, "%s", usual ? usual : "");
	for (;;) {
		editors_place(e, e->rows - 3, 0);
		text_format(e->process, &e->screen, "\x1b[7m%s: %s\x1b[m\x1b[K", prompt, answer);
		editors_place(e, e->rows - 3, strlen(prompt) + 2 + length);
		editors_flush(e);
		int key = editors_key(e);
		if (key < 0 || key == CONTROL('C'))
			return NULL;
		if (key == '\r' || key == '\n')
			return answer;
		if ((key == 127 || key == 8) && length > 0)
			answer[--length] = '\0';
		else if (key >= ' ' && key < 256 && key != 127 && length + 1 < ANSWER_MAX)
			answer[length++] = (char)key;
		answer[length] = '\0';
		process_step(e->process);
	}
}

static bool nano_save(struct nano *nano)
{
	struct editors_text *e = &nano->editor;
	char *path = nano_ask(nano, "File Name to Write", e->path);
	if (!path || !*path) {
		nano->message = "Cancelled";
		return false;
	}
	/* A last empty line is not one of the file. */
	while (e->count > 1 && e->lines[e->count - 1].length == 0 && e->row < e->count - 1)
		editors_drop_line(e, e->count - 1);
	int64_t bytes = editors_save(e, path);
	if (bytes < 0) {
		nano->message = process_format(e->process, "Error writing %s: %s", path,
					       strerror((int)-bytes));
		return false;
	}
	nano->message =
		process_format(e->process, "Wrote %zu line%s", e->count, e->count == 1 ? "" : "s");
	return true;
}

/* True: leave. */
static bool nano_leave(struct nano *nano)
{
	struct editors_text *e = &nano->editor;
	if (!e->changed)
		return true;
	for (;;) {
		editors_place(e, e->rows - 3, 0);
		text_add_words(e->process, &e->screen, "\x1b[7mSave modified buffer? \x1b[m\x1b[K");
		editors_place(e, e->rows - 2, 0);
		text_add_words(e->process, &e->screen, "\x1b[7m Y\x1b[m Yes\x1b[K");
		editors_place(e, e->rows - 1, 0);
		text_add_words(e->process, &e->screen,
			       "\x1b[7m N\x1b[m No           \x1b[7m^C\x1b[m Cancel\x1b[K");
		editors_place(e, e->rows - 3, 22);
		editors_flush(e);
		int key = editors_key(e);
		if (key < 0 || key == 'n' || key == 'N')
			return true;
		if (key == 'y' || key == 'Y')
			return nano_save(nano);
		if (key == CONTROL('C')) {
			nano->message = "Cancelled";
			return false;
		}
		process_step(e->process);
	}
}

static void nano_cut(struct nano *nano)
{
	struct editors_text *e = &nano->editor;
	if (!nano->cut_before)
		text_clear(&nano->cut);
	text_add(e->process, &nano->cut, text_slice(&e->lines[e->row]));
	text_add_byte(e->process, &nano->cut, '\n');
	editors_drop_line(e, e->row);
	if (e->count == 0)
		editors_add_line(e, 0);
	editors_move(e, KEY_HOME, 0);
}

static void nano_key(struct nano *nano, int key)
{
	struct editors_text *e = &nano->editor;
	nano->message = NULL;
	if (key == '\r' || key == '\n') {
		editors_break(e);
	} else if (key == 127 || key == 8) {
		editors_back(e);
	} else if (key == CONTROL('D') || key == KEY_DELETE) {
		editors_delete(e);
	} else if (key == CONTROL('K')) {
		nano_cut(nano);
	} else if (key == CONTROL('U')) {
		for (size_t i = 0; i < nano->cut.length; i++) {
			if (nano->cut.data[i] == '\n')
				editors_break(e);
			else
				editors_insert(e, (uint8_t)nano->cut.data[i]);
		}
	} else if (key == CONTROL('A')) {
		editors_move(e, KEY_HOME, 0);
	} else if (key == CONTROL('E')) {
		editors_move(e, KEY_END, 0);
	} else if (key == CONTROL('V') || key == CONTROL('Y')) {
		editors_move(e, key == CONTROL('V') ? KEY_PAGE_DOWN : KEY_PAGE_UP, e->rows - 6);
	} else if (key >= KEY_UP) {
		editors_move(e, key, e->rows - 6);
	} else if (key == '\t' || key >= ' ') {
		editors_insert(e, (uint8_t)key);
	}
	nano->cut_before = key == CONTROL('K');
}

int editors_nano(struct process *process, int argc, char **argv)
{
	struct nano *nano = process_take(process, sizeof(*nano));
	struct editors_text *e = &nano->editor;
	const char *path = NULL;
	e->process = process;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
			process_put_text(process,
					 " GNU nano, version 7.2\n (C) 2023 the Free Software "
					 "Foundation and various contributors\n Compiled "
					 "options: --disable-libmagic --enable-utf8\n");
			return 0;
		}
		if (argv[i][0] != '-' && argv[i][0] != '+')
			path = argv[i];
	}
	int error = editors_load(e, path);
	if (!editors_begin(e)) {
		process_error(process, "Standard input is not a terminal\n");
		return 1;
	}
	if (error == 0)
		nano->message = process_format(process, "Read %zu line%s", e->count,
					       e->count == 1 ? "" : "s");
	else if (error == -ENOENT)
		nano->message =
			path ? "New File" : "Welcome to nano.  For basic help, type Ctrl+G.";
	else
		nano->message =
			process_format(process, "Error reading %s: %s", path, strerror(-error));
	text_add_words(process, &e->screen,
		       "\x1b[?2004h\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[m"
		       "\x1b[4l\x1b[?7h\x1b[39;49m\x1b[?1h\x1b=\x1b[H\x1b[2J");
	for (;;) {
		if (!process_has_input(process, 0))
			nano_draw(nano);
		int key = editors_key(e);
		if (key < 0 || (key == CONTROL('X') && nano_leave(nano)))
			break;
		if (key == CONTROL('O') || key == CONTROL('S'))
			(void)nano_save(nano);
		else if (key != CONTROL('X'))
			nano_key(nano, key);
		process_step(process);
	}
	editors_place(e, e->rows - 1, 0);
	text_add_words(process, &e->screen, "\x1b[?1049l\x1b[23;0;0t\r\x1b[?1l\x1b>\x1b[?2004l");
	editors_flush(e);
	editors_end(e);
	return 0;
}

/* --- vi --- */

struct vi {
	struct editors_text editor;
	bool insert, done;
	int status, before; /* the key before: of dd, gg, ZZ */
	char message[256];
	struct text cut;
};

static void vi_draw(struct vi *vi)
{
	struct editors_text *e = &vi->editor;
	text_add_words(e->process, &e->screen, "\x1b[?25l");
	editors_draw(e, 0, e->rows - 1, "\x1b[1m\x1b[34m~\x1b[m");
	editors_place(e, e->rows - 1, 0);
	text_format(e->process, &e->screen, "%s\x1b[K",
		    vi->insert ? "\x1b[1m-- INSERT --\x1b[m" : vi->message);
	editors_place(e, e->row - e->top, e->column);
	text_add_words(e->process, &e->screen, "\x1b[?25h");
	editors_flush(e);
}

static void vi_say(struct vi *vi, const char *words)
{
	snprintf(vi->message, sizeof(vi->message), "%s", words);
}

static bool vi_write(struct vi *vi, const char *path)
{
	struct editors_text *e = &vi->editor;
	bool fresh = e->fresh;
	while (*path == ' ')
		path++;
	if (!*path)
		path = e->path;
	if (!path) {
		vi_say(vi, "E32: No file name");
		return false;
	}
	int64_t bytes = editors_save(e, process_copy_text(e->process, path));
	if (bytes < 0) {
		snprintf(vi->message, sizeof(vi->message),
			 "\"%.150s\" E212: Can't open file for "
			 "writing",
			 path);
		return false;
	}
	snprintf(vi->message, sizeof(vi->message), "\"%.150s\"%s %zuL, %lldB written", path,
		 fresh ? " [New]" : "", e->count, (long long)bytes);
	return true;
}

static void vi_colon(struct vi *vi, const char *line)
{
	struct editors_text *e = &vi->editor;
	vi->message[0] = '\0';
	process_report_input(e->process, slice_text(line));
	if (strcmp(line, "q!") == 0 || strcmp(line, "qa!") == 0) {
		vi->done = true;
	} else if (strcmp(line, "q") == 0 || strcmp(line, "qa") == 0 || strcmp(line, "quit") == 0) {
		if (e->changed)
			vi_say(vi, "E37: No write since last change (add ! to override)");
		else
			vi->done = true;
	} else if (strncmp(line, "wq", 2) == 0) {
		vi->done = vi_write(vi, line + 2 + (line[2] == '!'));
	} else if (strcmp(line, "x") == 0 || strcmp(line, "x!") == 0) {
		vi->done = !e->changed || vi_write(vi, "");
	} else if (*line == 'w') {
		(void)vi_write(vi, line + 1 + (line[1] == '!'));
	} else if (*line == '!') {
		editors_end(e);
		(void)command_run_line(e->process, line + 1);
		(void)editors_begin(e);
	} else if (*line >= '0' && *line <= '9') {
		e->row = strtoul(line, NULL, 10);
		e->row -= e->row > 0;
		editors_move(e, KEY_HOME, 0);
	} else if (strcmp(line, "$") == 0) {
		e->row = e->count - 1;
	} else if (strcmp(line, "%d") == 0) {
		while (e->count > 0)
			editors_drop_line(e, 0);
		editors_add_line(e, 0);
		editors_move(e, KEY_HOME, 0);
	} else if (*line && strncmp(line, "set", 3) != 0 && strncmp(line, "syntax", 6) != 0 &&
		   strncmp(line, "noh", 3) != 0) {
		snprintf(vi->message, sizeof(vi->message), "E492: Not an editor command: %.150s",
			 line);
	}
}

/* The line behind ":" or "/"; NULL: given up. */
static char *vi_line(struct vi *vi, char first)
{
	struct editors_text *e = &vi->editor;
	char *line = process_take(e->process, ANSWER_MAX);
	size_t length = 0;
	for (;;) {
		editors_place(e, e->rows - 1, 0);
		text_format(e->process, &e->screen, "%c%s\x1b[K", first, line);
		if (e->modes)
			editors_flush(e);
		text_clear(&e->screen);
		int key = editors_key(e);
		if (key < 0 || key == ESCAPE || key == CONTROL('C'))
			return NULL;
		if (key == '\r' || key == '\n')
			return line;
		if (key == 127 || key == 8) {
			if (length == 0)
				return NULL;
			line[--length] = '\0';
		} else if (key >= ' ' && key < 256 && length + 1 < ANSWER_MAX) {
			line[length++] = (char)key;
		}
		process_step(e->process);
	}
}

static void vi_search(struct vi *vi, const char *what)
{
	struct editors_text *e = &vi->editor;
	for (size_t i = 1; i <= e->count && *what; i++) {
		size_t row = (e->row + i) % e->count;
		size_t at = slice_find(text_slice(&e->lines[row]), slice_text(what));
		process_step(e->process);
		if (at != SIZE_MAX) {
			e->row = row;
			e->column = at;
			return;
		}
	}
	snprintf(vi->message, sizeof(vi->message), "E486: Pattern not found: %.150s", what);
}

static void vi_cut_line(struct vi *vi)
{
	struct editors_text *e = &vi->editor;
	text_clear(&vi->cut);
	text_add(e->process, &vi->cut, text_slice(&e->lines[e->row]));
	editors_drop_line(e, e->row);
	if (e->count == 0)
		editors_add_line(e, 0);
	editors_move(e, KEY_HOME, 0);
}

static void vi_command(struct vi *vi, int key)
{
	struct editors_text *e = &vi->editor;
	static const char motions[] = "hjkl0$ ";
	static const int moves[] = {KEY_LEFT, KEY_DOWN, KEY_UP,   KEY_RIGHT,
				    KEY_HOME, KEY_END,  KEY_RIGHT};
	int before = vi->before;
	char *line;
	const char *motion = key < 128 && key > 0 ? strchr(motions, key) : NULL;
	vi->before = 0;
	if (key >= KEY_UP) {
		editors_move(e, key, e->rows - 3);
	} else if (motion) {
		editors_move(e, moves[motion - motions], 0);
	} else if (key == ':' || key == '/') {
		line = vi_line(vi, (char)key);
		vi->message[0] = '\0';
		if (line && key == ':')
			vi_colon(vi, line);
		else if (line)
			vi_search(vi, line);
	} else if (strchr("iaIA", key)) {
		vi->insert = true;
		if (key == 'a' && e->column < e->lines[e->row].length)
			e->column++;
		if (key == 'I' || key == 'A')
			editors_move(e, key == 'I' ? KEY_HOME : KEY_END, 0);
	} else if (key == 'o' || key == 'O') {
		size_t row = e->row + (key == 'o');
		editors_add_line(e, row);
		e->row = row;
		e->column = 0;
		e->changed = vi->insert = true;
	} else if (key == 'x' || key == 'D') {
		if (key == 'x' && e->column < e->lines[e->row].length)
			editors_delete(e);
		while (key == 'D' && e->column < e->lines[e->row].length)
			editors_delete(e);
	} else if (key == 'G') {
		e->row = e->count - 1;
		editors_move(e, KEY_HOME, 0);
	} else if (key == 'p' && vi->cut.length) {
		editors_add_line(e, e->row + 1);
		text_add(e->process, &e->lines[++e->row], text_slice(&vi->cut));
		e->changed = true;
	} else if (key == before && key == 'd') {
		vi_cut_line(vi);
	} else if (key == before && key == 'y') {
		text_clear(&vi->cut);
		text_add(e->process, &vi->cut, text_slice(&e->lines[e->row]));
	} else if (key == before && key == 'g') {
		e->row = e->column = 0;
	} else if (before == 'Z' && (key == 'Z' || key == 'Q')) {
		vi->done = key == 'Q' || !e->changed || vi_write(vi, "");
	} else if (before == 'd' && key == 'G') {
		while (e->count > e->row)
			editors_drop_line(e, e->row);
		if (e->count == 0)
			editors_add_line(e, 0);
	} else {
		vi->before = key;
	}
}

static void vi_insert(struct vi *vi, int key)
{
	struct editors_text *e = &vi->editor;
	if (key == ESCAPE || key == CONTROL('C') || key == KEY_OTHER) {
		vi->insert = false;
		vi->message[0] = '\0';
		editors_move(e, KEY_LEFT, 0);
	} else if (key == '\r' || key == '\n') {
		editors_break(e);
	} else if (key == 127 || key == 8) {
		editors_back(e);
	} else if (key == KEY_DELETE) {
		editors_delete(e);
	} else if (key >= KEY_UP) {
		editors_move(e, key, e->rows - 3);
	} else if (key == '\t' || key >= ' ') {
		editors_insert(e, (uint8_t)key);
	}
}

int editors_vi(struct process *process, int argc, char **argv)
{
	struct vi *vi = process_take(process, sizeof(*vi));
	struct editors_text *e = &vi->editor;
	const char *path = NULL;
	e->process = process;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0) {
			process_put_text(process,
					 "VIM - Vi IMproved 9.0 (2022 Jun 28, compiled May 04 "
					 "2023 10:24:44)\nIncluded patches: 1-1378, 1499\n"
					 "Modified by team+vim@tracker.debian.org\nCompiled by "
					 "team+vim@tracker.debian.org\nSmall version without "
					 "GUI.\n");
			return 0;
		}
		if (argv[i][0] != '-' && argv[i][0] != '+')
			path = argv[i];
	}
	int error = editors_load(e, path);
	bool terminal = editors_begin(e);
	if (!terminal && !process->busybox)
		process_error(process,
			      "Vim: Warning: Output is not to a terminal\nVim: Warning: Input "
			      "is not from a terminal\n");
	if (path && error == 0)
		snprintf(vi->message, sizeof(vi->message), "\"%.150s\" %zuL, %zuB", path, e->count,
			 editors_bytes(e));
	else if (path && error == -ENOENT)
		snprintf(vi->message, sizeof(vi->message), "\"%.150s\" [New]", path);
	else if (path)
		snprintf(vi->message, sizeof(vi->message), "\"%.150s\" [Permission Denied]", path);
	if (terminal)
		text_add_words(process, &e->screen,
			       "\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[H\x1b[2J");
	while (!vi->done) {
		if (terminal && !process_has_input(process, 0))
			vi_draw(vi);
		int key = editors_key(e);
		if (key < 0) {
			vi->status = 1;
			break;
		}
		if (vi->insert)
			vi_insert(vi, key);
		else
			vi_command(vi, key);
		process_step(process);
	}
	if (terminal) {
		editors_place(e, e->rows - 1, 0);
		text_format(process, &e->screen, "%s\x1b[K\r\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t",
			    vi->message);
		editors_flush(e);
	}
	editors_end(e);
	return vi->status;
}
