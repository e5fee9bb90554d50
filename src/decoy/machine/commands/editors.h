/* A text in an editor: lines, a cursor, a window. */
#ifndef DECOY_MACHINE_COMMANDS_EDITORS_H
#define DECOY_MACHINE_COMMANDS_EDITORS_H

#include "decoy/machine/process.h"
#include "decoy/machine/terminal.h"

struct editors_text {
	struct process *process;
	const char *path; /* NULL: none yet */
	struct text *lines;
	size_t count, capacity;
	size_t row, column, top;
	size_t rows, columns; /* of the screen */
	bool changed, fresh;  /* fresh: the file is not there yet */
	struct terminal_modes *modes, before;
	uint8_t pushed;     /* a byte that was read too early, or 0 */
	struct text screen; /* what is to be written */
};

/* 0, or -errno (-ENOENT: an empty text for a new file). */
int editors_load(struct editors_text *editor, const char *path);
/* Bytes written, or -errno. */
int64_t editors_save(struct editors_text *editor, const char *path);
/* Takes the terminal: no echo, no signals, every key at once. False: it is none. */
bool editors_begin(struct editors_text *editor);
void editors_end(struct editors_text *editor);
/* A key, with arrows and their like as values beyond bytes; -1: the terminal is gone. */
enum {
	KEY_UP = 1000,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_DELETE,
	KEY_OTHER
};
int editors_key(struct editors_text *editor);
void editors_move(struct editors_text *editor, int key, size_t page);
void editors_insert(struct editors_text *editor, uint8_t byte);
void editors_break(struct editors_text *editor); /* a new line at the cursor */
void editors_back(struct editors_text *editor);
void editors_delete(struct editors_text *editor);
void editors_drop_line(struct editors_text *editor, size_t row);
void editors_add_line(struct editors_text *editor, size_t row);
/* Adds the text's lines to the screen from the row on; `blank` stands where there is no line. */
void editors_draw(struct editors_text *editor, size_t first_row, size_t rows, const char *blank);
void editors_place(struct editors_text *editor, size_t row, size_t column);
void editors_flush(struct editors_text *editor);
size_t editors_bytes(const struct editors_text *editor);

int editors_nano(struct process *process, int argc, char **argv);
int editors_vi(struct process *process, int argc, char **argv);

#endif
