/* A line that is being edited; shared by readline.c, readline_keys.c, readline_display.c and
 * readline_search.c. It lives only while the line is read. */
#ifndef DECOY_MACHINE_SHELL_READLINE_STATE_H
#define DECOY_MACHINE_SHELL_READLINE_STATE_H

#include "decoy/machine/shell/state.h"

struct undo {
	struct undo *before;
	size_t point;
	char text[];
};

/* What stands on the screen: the text from the line's first column on, and where the cursor is. */
struct display {
	struct text shown; /* prompt's last line and text, without what is invisible */
	struct text faces; /* '1' where a byte is shown in inverse */
	size_t column, row;
	size_t rows; /* of the screen that are in use, less one */
};

enum editor_last { LAST_OTHER, LAST_KILL, LAST_YANK, LAST_COMPLETE, LAST_ARGUMENT, LAST_INSERT };

struct editor {
	struct shell *shell;
	struct text line;
	size_t point, mark;
	const char *prompt; /* its last line, as it is written */
	size_t prompt_length;
	struct text visible; /* the same without what takes no room */
	struct display display;
	struct text out; /* bytes for the terminal, written at once */
	size_t columns;
	bool utf8, simple; /* ash: fewer keys, other bytes */
	bool brackets;     /* tells the terminal to bracket what is pasted */
	bool done, ended, interrupted;
	enum editor_last last, now;
	size_t history_place; /* count of the history: the new line */
	char *kept_line;      /* the new line, while an old one is shown */
	struct text killed;
	struct undo *undo;
	bool typing;                       /* typed keys are undone together */
	size_t argument_place;             /* M-. : how far back */
	size_t argument_length;            /* what it put in */
	size_t inverse_start, inverse_end; /* of the line; equal: none */
	uint8_t ahead[8];                  /* bytes that were read too far */
	size_t ahead_count;
	bool completed_nothing; /* the last TAB changed nothing */
	bool was_pasted;
};

/* readline.c */
int readline_key(struct editor *editor); /* a byte; -1: end, -2: interrupted */
void readline_insert(struct editor *editor, struct slice s);
void readline_delete(struct editor *editor, size_t start, size_t end);
void readline_replace(struct editor *editor, const char *text);
void readline_remember(struct editor *editor); /* for undo */
void readline_undo(struct editor *editor);
void readline_bell(struct editor *editor);
void readline_send(struct editor *editor);

/* readline_keys.c: does what a key is bound to. */
void readline_do(struct editor *editor, int byte);

/* readline_display.c: brings the screen up to date, as readline does on a terminal of VT100's
 * family. */
void readline_update(struct editor *editor);
/* The same with a prompt other than the line's (search). */
void readline_with_prompt(struct editor *editor, const char *prompt);
/* Behind the line's last row: where the cursor is when the line is given. */
void readline_leave(struct editor *editor);
void readline_fresh(struct editor *editor);      /* nothing is shown: draw from here */
void readline_erase_last(struct editor *editor); /* a letter at the very end was rubbed out */

/* readline_search.c */
void readline_search(struct editor *editor, bool forward);
/* readline_complete.c */
void readline_complete(struct editor *editor, bool list);

#endif
