/* What nano, vi and ed share, and ed; see editors.h. */
#include "decoy/machine/commands/editors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"

#define FILE_MAX  ((size_t)1024 * 1024)
#define LINES_MAX 40000
#define ESCAPE    27
/* How long the rest of a key's sequence may take. */
#define SEQUENCE_WAIT 50000

void editors_add_line(struct editors_text *e, size_t row)
{
	if (e->count >= LINES_MAX)
		return;
	if (e->count == e->capacity) {
		e->capacity = e->capacity ? e->capacity * 2 : 64;
		e->lines = process_retake(e->process, e->lines, e->capacity * sizeof(*e->lines));
	}
	memmove(&e->lines[row + 1], &e->lines[row], (e->count - row) * sizeof(*e->lines));
	e->lines[row] = (struct text){0};
	text_add_words(e->process, &e->lines[row], "");
	e->count++;
}

void editors_drop_line(struct editors_text *e, size_t row)
{
	if (row >= e->count)
		return;
	process_give(e->process, e->lines[row].data);
	memmove(&e->lines[row], &e->lines[row + 1], (e->count - row - 1) * sizeof(*e->lines));
	e->count--;
	e->changed = true;
}

int editors_load(struct editors_text *e, const char *path)
{
	struct text file = {0};
	struct slice rest, line;
	e->path = path;
	int error = path ? process_read_file(e->process, path, FILE_MAX, &file) : -ENOENT;
	rest = text_slice(&file);
	while (!error && slice_next(&rest, '\n', &line)) {
		editors_add_line(e, e->count);
		text_add(e->process, &e->lines[e->count - 1], line);
		process_step(e->process);
	}
	process_give(e->process, file.data);
	e->fresh = error == -ENOENT;
	return error;
}

size_t editors_bytes(const struct editors_text *e)
{
	size_t bytes = 0;
	for (size_t i = 0; i < e->count; i++)
		bytes += e->lines[i].length + 1;
	return bytes;
}

int64_t editors_save(struct editors_text *e, const char *path)
{
	struct process *p = e->process;
	struct text all = {0};
	int file = process_open(p, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (file < 0)
		return file;
	for (size_t i = 0; i < e->count; i++) {
		text_add(p, &all, text_slice(&e->lines[i]));
		text_add_byte(p, &all, '\n');
		process_step(p);
	}
	int64_t written = process_write(p, file, text_slice(&all));
	process_close(p, file);
	process_give(p, all.data);
	if (written >= 0) {
		e->changed = e->fresh = false;
		e->path = path;
	}
	return written;
}

bool editors_begin(struct editors_text *e)
{
	struct process *p = e->process;
	e->rows = 24;
	e->columns = 80;
	e->modes = process_terminal(p, 0);
	if (e->count == 0)
		editors_add_line(e, 0);
	e->changed = false;
	if (!e->modes)
		return false;
	if (e->modes->rows >= 4)
		e->rows = e->modes->rows;
	if (e->modes->columns >= 10)
		e->columns = e->modes->columns;
	e->before = *e->modes;
	e->modes->local &=
		~(uint32_t)(TERMINAL_ICANON | TERMINAL_ECHO | TERMINAL_ISIG | TERMINAL_IEXTEN);
	e->modes->input &= ~(uint32_t)(TERMINAL_ICRNL | TERMINAL_IXON);
	e->modes->minimum = 1;
	e->modes->time = 0;
	return true;
}

void editors_end(struct editors_text *e)
{
	if (!e->modes)
		return;
	e->before.columns = e->modes->columns;
	e->before.rows = e->modes->rows;
	*e->modes = e->before;
}

static int next_byte(struct editors_text *e)
{
	uint8_t byte;
	if (e->pushed) {
		byte = e->pushed;
		e->pushed = 0;
		return byte;
	}
	return process_read(e->process, 0, &byte, 1) == 1 ? byte : -1;
}

int editors_key(struct editors_text *e)
{
	int key = next_byte(e);
	int64_t number = 0;
	if (key != ESCAPE || !process_await_input(e->process, 0, SEQUENCE_WAIT))
		return key;
	key = next_byte(e);
	if (key != '[' && key != 'O') {
		/* The escape key itself, and the next one typed quickly. */
		e->pushed = key > 0 ? (uint8_t)key : 0;
		return ESCAPE;
	}
	for (int i = 0; i < 8; i++) {
		key = next_byte(e);
		if (key < '0' || key > '9')
			break;
		number = number * 10 + key - '0';
	}
	static const struct {
		char letter;
		int number, key;
	} keys[] = {{'A', 0, KEY_UP},      {'B', 0, KEY_DOWN},     {'C', 0, KEY_RIGHT},
		    {'D', 0, KEY_LEFT},    {'H', 0, KEY_HOME},     {'F', 0, KEY_END},
		    {'~', 1, KEY_HOME},    {'~', 3, KEY_DELETE},   {'~', 4, KEY_END},
		    {'~', 5, KEY_PAGE_UP}, {'~', 6, KEY_PAGE_DOWN}};
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (key == keys[i].letter && number == keys[i].number)
			return keys[i].key;
	return key < 0 ? -1 : KEY_OTHER;
}

static size_t length_at(const struct editors_text *e)
{
	return e->row < e->count ? e->lines[e->row].length : 0;
}

void editors_move(struct editors_text *e, int key, size_t page)
{
	switch (key) {
	case KEY_UP:
		e->row -= e->row > 0;
		break;
	case KEY_DOWN:
		e->row += e->row + 1 < e->count;
		break;
	case KEY_LEFT:
		e->column -= e->column > 0;
		break;
	case KEY_RIGHT:
		e->column++;
		break;
	case KEY_HOME:
		e->column = 0;
		break;
	case KEY_END:
		e->column = SIZE_MAX;
		break;
	case KEY_PAGE_UP:
		e->row -= e->row < page ? e->row : page;
		break;
	case KEY_PAGE_DOWN:
		e->row += page;
		break;
	default:
		break;
	}
	if (e->row >= e->count)
		e->row = e->count ? e->count - 1 : 0;
	if (e->column > length_at(e))
		e->column = length_at(e);
}

void editors_insert(struct editors_text *e, uint8_t byte)
{
	struct text *line = &e->lines[e->row];
	if (editors_bytes(e) >= FILE_MAX)
		return;
	text_add_byte(e->process, line, byte);
	memmove(line->data + e->column + 1, line->data + e->column, line->length - 1 - e->column);
	line->data[e->column++] = (char)byte;
	e->changed = true;
}

void editors_break(struct editors_text *e)
{
	size_t row = e->row;
	if (e->count >= LINES_MAX)
		return;
	editors_add_line(e, row + 1);
	struct text *line = &e->lines[row];
	text_add(e->process, &e->lines[row + 1],
		 slice_of(line->data + e->column, line->length - e->column));
	line->length = e->column;
	line->data[line->length] = '\0';
	e->row++;
	e->column = 0;
	e->changed = true;
}

void editors_delete(struct editors_text *e)
{
	struct text *line = &e->lines[e->row];
	if (e->column < line->length) {
		memmove(line->data + e->column, line->data + e->column + 1,
			line->length - e->column - 1);
		line->data[--line->length] = '\0';
		e->changed = true;
	} else if (e->row + 1 < e->count) {
		text_add(e->process, line, text_slice(&e->lines[e->row + 1]));
		editors_drop_line(e, e->row + 1);
	}
}

void editors_back(struct editors_text *e)
{
	if (e->column > 0) {
		e->column--;
	} else if (e->row > 0) {
		e->row--;
		e->column = length_at(e);
	} else {
		return;
	}
	editors_delete(e);
}

void editors_place(struct editors_text *e, size_t row, size_t column)
{
	text_format(e->process, &e->screen, "\x1b[%zu;%zuH", row + 1, column + 1);
}

void editors_draw(struct editors_text *e, size_t first_row, size_t rows, const char *blank)
{
	if (e->row < e->top)
		e->top = e->row;
	if (e->row >= e->top + rows)
		e->top = e->row - rows + 1;
	for (size_t i = 0; i < rows; i++) {
		size_t row = e->top + i, width = 0;
		editors_place(e, first_row + i, 0);
		if (row >= e->count) {
			text_add_words(e->process, &e->screen, blank);
		} else {
			const struct text *line = &e->lines[row];
			for (size_t j = 0; j < line->length && width < e->columns - 1; j++) {
				uint8_t c = (uint8_t)line->data[j];
				if (c == '\t') {
					do
						text_add_byte(e->process, &e->screen, ' ');
					while (++width % 8 && width < e->columns - 1);
				} else if (c < ' ' || c == 127) {
					text_format(e->process, &e->screen, "^%c", c ^ 64);
					width += 2;
				} else {
					text_add_byte(e->process, &e->screen, c);
					width += (c & 0xc0) != 0x80;
				}
			}
		}
		text_add_words(e->process, &e->screen, "\x1b[K");
	}
}

void editors_flush(struct editors_text *e)
{
	(void)process_write(e->process, 1, text_slice(&e->screen));
	text_clear(&e->screen);
}

/* --- ed --- */

/* A line address; *at moves on. False: there is none. */
static bool take_address(const char **at, const struct editors_text *e, size_t current,
			 size_t *line)
{
	char *end;
	if (**at == '.' || **at == '$') {
		*line = **at == '.' ? current : e->count;
		(*at)++;
		return true;
	}
	if (**at < '0' || **at > '9')
		return false;
	*line = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

struct ed {
	struct editors_text editor;
	struct line_reader reader;
	size_t current; /* 1-based; 0: none */
	bool warned;
};

/* Lines up to "." go in behind `row` lines. */
static void append(struct ed *ed, size_t row)
{
	struct slice line;
	bool newline;
	struct process *p = ed->editor.process;
	while (line_reader_next(p, &ed->reader, &line, &newline) && !slice_is(line, ".")) {
		editors_add_line(&ed->editor, row);
		text_add(p, &ed->editor.lines[row++], line);
		ed->editor.changed = true;
		process_step(p);
	}
	ed->current = row;
}

static bool save(struct ed *ed, const char *path)
{
	struct process *p = ed->editor.process;
	while (*path == ' ')
		path++;
	if (!*path)
		path = ed->editor.path;
	if (!path)
		return false;
	int64_t bytes = editors_save(&ed->editor, process_copy_text(p, path));
	if (bytes < 0) {
		process_flush(p);
		process_error(p, "%s: %s\n", path, strerror((int)-bytes));
		return false;
	}
	process_print(p, "%lld\n", (long long)bytes);
	return true;
}

/* 0 go on, 1 an error ("?"), 2 the end. */
static int command(struct ed *ed, const char *at)
{
	struct editors_text *e = &ed->editor;
	size_t first = ed->current, last;
	bool given = false;
	if (*at == ',' || *at == '%') {
		at++;
		first = 1;
		last = e->count;
		given = true;
	} else {
		given = take_address(&at, e, ed->current, &first);
		last = first;
		if (*at == ',' && take_address((at++, &at), e, ed->current, &last) == false)
			last = e->count;
	}
	bool valid = first >= 1 && first <= last && last <= e->count;
	switch (*at) {
	case 'a':
		append(ed, last > e->count ? e->count : last);
		return 0;
	case 'i':
		append(ed, last > 0 ? last - 1 : 0);
		return 0;
	case 'c':
	case 'd':
		if (!valid)
			return 1;
		for (size_t i = first; i <= last; i++)
			editors_drop_line(e, first - 1);
		ed->current = first > e->count ? e->count : first;
		if (*at == 'c')
			append(ed, first - 1);
		return 0;
	case 'p':
	case 'n':
	case 'l':
	case '\0':
		if (*at == '\0' && !given)
			first = last = ed->current + 1, valid = first <= e->count;
		if (!valid)
			return 1;
		for (size_t i = first; i <= last; i++)
			process_print(e->process, "%s%s\n",
				      *at == 'n' ? process_format(e->process, "%zu\t", i) : "",
				      e->lines[i - 1].data);
		ed->current = last;
		return 0;
	case 'w':
		if (!save(ed, at + 1 + (at[1] == 'q')))
			return 1;
		return at[1] == 'q' ? 2 : 0;
	case 'q':
		if (e->changed && !ed->warned) {
			ed->warned = true;
			return 1;
		}
		return 2;
	case 'Q':
		return 2;
	case '=':
		process_print(e->process, "%zu\n", given ? last : e->count);
		return 0;
	default:
		return 1;
	}
}

static int ed_main(struct process *process, int argc, char **argv)
{
	struct ed *ed = process_take(process, sizeof(*ed));
	struct slice line;
	bool newline;
	int result = 0, status = 0, index = 1;
	ed->editor.process = process;
	while (index < argc && argv[index][0] == '-' && argv[index][1])
		index++;
	line_reader_open(&ed->reader, 0);
	if (index < argc) {
		int error = editors_load(&ed->editor, argv[index]);
		if (error)
			process_error(process, "%s: %s\n", argv[index], strerror(-error));
		else
			process_print(process, "%zu\n", editors_bytes(&ed->editor));
		ed->current = ed->editor.count;
		ed->editor.changed = false;
	}
	while (result != 2 && line_reader_next(process, &ed->reader, &line, &newline)) {
		process_report_input(process, line);
		result = command(ed, process_copy_slice(process, line));
		if (result == 1) {
			process_put_text(process, "?\n");
			status = 1;
		}
		process_step(process);
	}
	return result == 2 ? 0 : status;
}

static const char *const vi_names[] = {"vi", "view", "rvi", "rview", "ex", "vim", NULL};
static const char *const nano_names[] = {"rnano", "editor", "pico", NULL};

static const struct command commands[] = {
	{"ed", ed_main, COMMAND_DEBIAN, NULL, NULL},
	{"nano", editors_nano, COMMAND_DEBIAN, NULL, nano_names},
	{"vim.tiny", editors_vi, COMMAND_DEBIAN, NULL, vi_names},
	{"vi", editors_vi, COMMAND_BUSYBOX, NULL, NULL},
	{0},
};

const struct command_family command_family_editors = {"editors", commands};
