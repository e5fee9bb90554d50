/* What readline writes to keep the screen up to date: the difference between what stands there and
 * what should, with the insert and delete functions of a VT100's descendants. */
#include "decoy/machine/shell/readline_state.h"

/* A row of the screen: bytes and, for each, whether it is inverse. */
struct row {
	const char *bytes, *faces;
	size_t length;
};

static void put(struct editor *editor, const char *bytes, size_t length)
{
	text_add(editor->shell->process, &editor->out, slice_of(bytes, length));
}

static void put_words(struct editor *editor, const char *words)
{
	put(editor, words, strlen(words));
}

static void put_count(struct editor *editor, size_t count, char function)
{
	text_format(editor->shell->process, &editor->out, "\033[%zu%c", count, function);
}

/* A part of a row, inverse where it is. */
static void put_part(struct editor *editor, struct row row, size_t start, size_t length)
{
	char face = '0';

	for (size_t i = start; i < start + length; i++) {
		if (row.faces[i] != face)
			put_words(editor, row.faces[i] == '1' ? "\033[7m" : "\033[27m");
		face = row.faces[i];
		put(editor, row.bytes + i, 1);
	}
	if (face == '1')
		put_words(editor, "\033[27m");
	editor->display.column = start + length;
}

static struct row row_of(const struct text *bytes, const struct text *faces, size_t number,
			 size_t columns)
{
	size_t start = number * columns;

	if (start >= bytes->length)
		return (struct row){"", "", 0};
	return (struct row){bytes->data + start, faces->data + start,
			    bytes->length - start < columns ? bytes->length - start : columns};
}

static void move_vertically(struct editor *editor, size_t row)
{
	struct display *display = &editor->display;

	if (row > display->row) {
		for (size_t i = display->row; i < row; i++)
			put_words(editor, "\n");
		put_words(editor, "\r");
		display->column = 0;
	} else {
		for (size_t i = row; i < display->row; i++)
			put_words(editor, "\033[A");
	}
	display->row = row;
}

/* Along the row; `text` is what stands (or will stand) in it. */
static void move_to(struct editor *editor, size_t column, struct row text)
{
	struct display *display = &editor->display;
	size_t prompt = editor->visible.length;

	if (display->column == column)
		return;
	if (column == 0 || (column < display->column && column + 1 < display->column - column) ||
	    display->column == editor->columns) {
		put_words(editor, "\r");
		display->column = 0;
	}
	if (display->column < column) {
		if (!display->column && !display->row && column >= prompt && prompt &&
		    prompt < editor->prompt_length) {
			/* the prompt holds what a plain copy would not */
			put_words(editor, editor->prompt);
			display->column = prompt;
		}
		if (editor->utf8)
			for (size_t i = display->column; i < column; i++)
				put_words(editor, "\033[C");
		else
			put_part(editor, text, display->column, column - display->column);
	} else {
		for (size_t i = column; i < display->column; i++)
			put_words(editor, "\b");
	}
	display->column = column;
}

static bool same(struct row a, size_t i, struct row b, size_t k)
{
	return a.bytes[i] == b.bytes[k] && a.faces[i] == b.faces[k];
}

/* Where the rows begin to be alike again, from behind. */
static void common_end(struct row old, struct row new, size_t first, size_t *old_last,
		       size_t *new_last)
{
	bool blank = true;

	*old_last = old.length;
	*new_last = new.length;
	if (old.length <= first || new.length <= first)
		return;
	(*old_last)--;
	(*new_last)--;
	while (*old_last > first && *new_last > first && same(old, *old_last, new, *new_last)) {
		if (old.bytes[*old_last] != ' ')
			blank = false;
		(*old_last)--;
		(*new_last)--;
	}
	if (blank) {
		*old_last = old.length;
		*new_last = new.length;
	} else if (!same(old, *old_last, new, *new_last)) {
		(*old_last)++;
		(*new_last)++;
	}
}

/* One row from the old to the new. */
static void update_row(struct editor *editor, size_t number, struct row old, struct row new)
{
	struct display *display = &editor->display;
	size_t first = 0, old_last, new_last, rest;

	/* The cursor stands behind the last column of the row above: what comes next wraps there.
	 */
	if (number && display->column == editor->columns && display->row + 1 == number) {
		if (new.length)
			put_part(editor, new, 0, 1);
		else
			put_words(editor, " ");
		display->column = 1;
		display->row = number;
		if (new.length) {
			if (old.length)
				((char *)(uintptr_t)old.bytes)[0] = new.bytes[0];
			else
				old = (struct row){new.bytes, new.faces, 1};
		}
	}
	while (first < old.length && first < new.length &&same(old, first, new, first))
		first++;
	if (first == old.length && first == new.length)
		return;
	common_end(old, new, first, &old_last, &new_last);
	move_vertically(editor, number);
	move_to(editor, first, old.length >= first ? old : new);
	rest = new.length - first;
	if (new_last > old_last) {
		if (old_last < old.length) {
			put_count(editor, new_last - old_last, '@');
			put_part(editor, new, first, new_last - first);
		} else {
			put_part(editor, new, first, rest);
		}
		return;
	}
	if (2 * rest >= old_last - new_last) {
		if (old_last > new_last)
			put_count(editor, old_last - new_last, 'P');
		put_part(editor, new, first, new_last - first);
		return;
	}
	put_part(editor, new, first, rest);
	if (old.length > new.length)
		put_words(editor, "\033[K");
}

void readline_fresh(struct editor *editor)
{
	editor->display.column = editor->display.row = editor->display.rows = 0;
	text_clear(&editor->display.shown);
	text_clear(&editor->display.faces);
}

static void add_letter(struct editor *editor, struct text *bytes, struct text *faces, uint8_t byte,
		       bool inverse)
{
	struct process *process = editor->shell->process;

	if (byte < 32 || byte == 127) {
		text_add_byte(process, bytes, '^');
		text_add_byte(process, faces, inverse ? '1' : '0');
		byte ^= 64;
	}
	text_add_byte(process, bytes, byte);
	text_add_byte(process, faces, inverse ? '1' : '0');
}

/* The first time the prompt goes out as it is, with what takes no room. */
static void show_prompt(struct editor *editor)
{
	struct display *display = &editor->display;

	put_words(editor, editor->prompt);
	if (editor->prompt_length != editor->visible.length)
		put_words(editor, "\033[K");
	display->column = editor->visible.length;
	for (size_t i = 0; i < editor->visible.length; i++)
		add_letter(editor, &display->shown, &display->faces,
			   (uint8_t)editor->visible.data[i], false);
	while (display->column > editor->columns) {
		display->column -= editor->columns;
		display->row++;
	}
}

static void update(struct editor *editor, struct slice prompt)
{
	struct process *process = editor->shell->process;
	struct display *display = &editor->display;
	struct text wanted = {0}, faces = {0};
	size_t columns = editor->columns, rows, place = 0, row;

	if (!display->shown.length && editor->visible.length)
		show_prompt(editor);
	for (size_t i = 0; i < prompt.length; i++)
		add_letter(editor, &wanted, &faces, prompt.at[i], false);
	for (size_t i = 0; i <= editor->line.length; i++) {
		if (i == editor->point)
			place = wanted.length;
		if (i < editor->line.length)
			add_letter(editor, &wanted, &faces, (uint8_t)editor->line.data[i],
				   i >= editor->inverse_start && i < editor->inverse_end);
	}
	rows = wanted.length / columns;
	for (row = 0; row <= rows; row++)
		update_row(editor, row, row_of(&display->shown, &display->faces, row, columns),
			   row_of(&wanted, &faces, row, columns));
	for (; row <= display->rows; row++) { /* rows that are no longer there */
		move_vertically(editor, row);
		put_words(editor, "\033[K");
	}
	display->rows = rows;
	row = place / columns;
	if (display->column == columns && display->row + 1 == row) {
		put_words(editor, " ");
		display->row = row;
		display->column = 1;
	}
	move_vertically(editor, row);
	move_to(editor, place % columns, row_of(&wanted, &faces, row, columns));
	process_give(process, display->shown.data);
	process_give(process, display->faces.data);
	display->shown = wanted;
	display->faces = faces;
}

void readline_update(struct editor *editor)
{
	update(editor, text_slice(&editor->visible));
}

void readline_with_prompt(struct editor *editor, const char *prompt)
{
	update(editor, slice_text(prompt));
}

void readline_leave(struct editor *editor)
{
	struct display *display = &editor->display;

	if (display->row != display->rows)
		move_vertically(editor, display->rows);
}

void readline_erase_last(struct editor *editor)
{
	struct display *display = &editor->display;

	put_words(editor, "\b \b");
	display->column--;
	display->shown.length--;
	display->faces.length--;
}
