/* more and less: on a terminal page by page, else as cat. */
#include "decoy/machine/commands/text.h"
#include "decoy/machine/terminal.h"

struct pager {
	struct process *process;
	struct terminal_modes *modes, saved;
	int keys; /* descriptor of the terminal */
	bool less, number;
	const char *name;
	struct text text;
	size_t *starts; /* of lines; one more at the end */
	size_t count, top;
	unsigned rows;
};

static void find_starts(struct pager *pager)
{
	size_t capacity = 0, at = 0;

	pager->count = 0;
	for (;;) {
		char *end;

		if (pager->count == capacity) {
			capacity = capacity * 2 + 64;
			pager->starts = process_retake(pager->process, pager->starts,
						       (capacity + 1) * sizeof(*pager->starts));
		}
		pager->starts[pager->count] = at;
		if (at >= pager->text.length)
			return;
		pager->count++;
		end = memchr(pager->text.data + at, '\n', pager->text.length - at);
		at = end ? (size_t)(end - pager->text.data) + 1 : pager->text.length;
		process_step(pager->process);
	}
}

static void put_lines(struct pager *pager, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < pager->count; i++) {
		if (pager->number)
			process_print(pager->process, "%7zu ", i + 1);
		process_put(pager->process, slice_of(pager->text.data + pager->starts[i],
						     pager->starts[i + 1] - pager->starts[i]));
	}
	if (to >= pager->count && pager->text.length > 0 &&
	    pager->text.data[pager->text.length - 1] != '\n')
		process_put_byte(pager->process, '\n');
}

static size_t page(const struct pager *pager)
{
	return pager->rows > 2 ? pager->rows - 1 : 1;
}

static void prompt(struct pager *pager, bool first)
{
	size_t shown = pager->top + page(pager);
	struct process *process = pager->process;

	if (!pager->less)
		process_print(
			process, "\033[7m--More--(%zu%%)\033[27m",
			pager->text.length == 0
				? 100
				: 100 * pager->starts[shown < pager->count ? shown : pager->count] /
					  pager->text.length);
	else if (shown >= pager->count)
		process_print(process, "\033[7m%s%s(END)\033[27m\033[K",
			      first && *pager->name ? pager->name : "",
			      first && *pager->name ? " " : "");
	else if (first && *pager->name)
		process_print(process, "\033[7m%s\033[27m\033[K", pager->name);
	else
		process_put_text(process, ":\033[K");
	process_flush(process);
}

static void clear_prompt(struct pager *pager)
{
	process_put_text(pager->process, "\r\033[K");
}

static void draw(struct pager *pager)
{
	process_put_text(pager->process, "\033[H\033[2J");
	put_lines(pager, pager->top, pager->top + page(pager));
	for (size_t i = pager->count - pager->top; pager->less && i < page(pager); i++)
		process_put_text(pager->process, "~\n");
}

static void move_to(struct pager *pager, size_t top)
{
	size_t most = pager->count > page(pager) ? pager->count - page(pager) : 0;

	if (top > most)
		top = most;
	if (top == pager->top)
		return;
	if (top > pager->top && top - pager->top <= page(pager))
		put_lines(pager, pager->top + page(pager), top + page(pager));
	else {
		pager->top = top;
		draw(pager);
	}
	pager->top = top;
}

/* A word behind / or :, echoed; -1 when it was given up. */
static int read_word(struct pager *pager, char mark, struct text *word)
{
	uint8_t key;

	*word = (struct text){0};
	text_add_words(pager->process, word, "");
	clear_prompt(pager);
	process_put_byte(pager->process, (uint8_t)mark);
	process_flush(pager->process);
	while (process_read(pager->process, pager->keys, &key, 1) == 1) {
		if (key == '\r' || key == '\n')
			return 0;
		if (key == 27 || key == 3)
			return -1;
		if (key == 127 || key == 8) {
			if (word->length == 0)
				return -1;
			word->data[--word->length] = '\0';
			process_put_text(pager->process, "\b \b");
		} else if (key >= 32) {
			text_add_byte(pager->process, word, key);
			process_put_byte(pager->process, key);
		}
		process_flush(pager->process);
	}
	return -1;
}

static void search(struct pager *pager, struct slice word)
{
	for (size_t i = pager->top + 1; i < pager->count; i++) {
		struct slice line = slice_of(pager->text.data + pager->starts[i],
					     pager->starts[i + 1] - pager->starts[i]);

		process_step(pager->process);
		if (word.length > 0 && slice_find(line, word) != SIZE_MAX) {
			move_to(pager, i);
			return;
		}
	}
	clear_prompt(pager);
	process_put_text(pager->process, "\033[7mPattern not found  (press RETURN)\033[27m");
	process_flush(pager->process);
}

/* One key; false: the end. */
static bool act(struct pager *pager, uint8_t key)
{
	struct text word;

	switch (key) {
	case 'q':
	case 'Q':
	case 3:
		return false;
	case ' ':
	case 'f':
	case 6:
	case 'z':
		move_to(pager, pager->top + page(pager));
		break;
	case '\r':
	case '\n':
	case 'j':
	case 'e':
		move_to(pager, pager->top + 1);
		break;
	case 'd':
	case 4:
		move_to(pager, pager->top + page(pager) / 2);
		break;
	case 'k':
	case 'y':
		move_to(pager, pager->top > 0 ? pager->top - 1 : 0);
		break;
	case 'b':
	case 2:
		move_to(pager, pager->top > page(pager) ? pager->top - page(pager) : 0);
		break;
	case 'g':
	case '<':
		move_to(pager, 0);
		break;
	case 'G':
	case '>':
		move_to(pager, pager->count);
		break;
	case '/':
		if (read_word(pager, '/', &word) == 0)
			search(pager, text_slice(&word));
		break;
	default:
		break;
	}
	/* more is over with the last line. */
	return pager->less || pager->top + page(pager) < pager->count;
}

static void page_through(struct pager *pager)
{
	uint8_t key;

	pager->saved = *pager->modes;
	pager->modes->local &= ~(uint32_t)(TERMINAL_ICANON | TERMINAL_ECHO);
	pager->modes->minimum = 1;
	pager->modes->time = 0;
	pager->rows = pager->modes->rows ? pager->modes->rows : 24;
	find_starts(pager);
	if (pager->less)
		process_put_text(pager->process, "\033[?1049h\033[22;0;0t\033[?1h\033=");
	pager->top = 0;
	put_lines(pager, 0, page(pager));
	for (size_t i = pager->count; pager->less && i < page(pager); i++)
		process_put_text(pager->process, "~\n");
	if (pager->less || pager->count > page(pager)) {
		prompt(pager, true);
		while (process_read(pager->process, pager->keys, &key, 1) == 1) {
			clear_prompt(pager);
			if (!act(pager, key))
				break;
			prompt(pager, false);
		}
	}
	clear_prompt(pager);
	if (pager->less)
		process_put_text(pager->process, "\033[?1l\033>\033[?1049l\033[23;0;0t");
	process_flush(pager->process);
	*pager->modes = pager->saved;
}

static int show(struct pager *pager, const char *name)
{
	struct process *process = pager->process;
	int descriptor = text_open_quiet(process, name);
	int error;

	if (descriptor < 0) {
		if (descriptor == -EISDIR && pager->less)
			process_error(process, "%s is a directory\n", name);
		else if (descriptor == -EISDIR)
			process_print(process, "\n*** %s: directory ***\n\n", name);
		else if (pager->less)
			process_error(process, "%s: %s\n", name, strerror(-descriptor));
		else
			process_error(process, "more: cannot open %s: %s\n", name,
				      strerror(-descriptor));
		return 1;
	}
	pager->modes = process_is_terminal(process, 1) ? process_terminal(process, 1) : NULL;
	if (!pager->modes) {
		error = text_copy(process, descriptor, UINT64_MAX);
		text_close(process, descriptor);
		return error != 0;
	}
	pager->name = strcmp(name, "-") == 0 ? "" : name;
	pager->text = (struct text){0};
	(void)process_read_all(process, descriptor, TEXT_WHOLE_MAX, &pager->text);
	text_close(process, descriptor);
	pager->keys = process_is_terminal(process, 0) ? 0 : 1;
	page_through(pager);
	process_give(process, pager->text.data);
	return 0;
}

static int pager_main(struct process *process, int argc, char **argv, bool less)
{
	struct pager *pager = process_take(process, sizeof(*pager));
	int status = 0, shown = 0;

	pager->process = process;
	pager->less = less;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
			process_put_text(process, less ? "less 590 (GNU regular expressions)\n"
						       : "more from util-linux 2.38.1\n");
			return 0;
		}
		if ((argv[i][0] == '-' && argv[i][1]) || argv[i][0] == '+') {
			pager->number = pager->number || strchr(argv[i], 'N');
			continue;
		}
		status |= show(pager, argv[i]);
		shown++;
	}
	if (shown == 0 && process_is_terminal(process, 0)) {
		if (less)
			process_error(process, "Missing filename (\"less --help\" for help)\n");
		else
			process_error(process, "more: bad usage\nTry 'more --help' for more "
					       "information.\n");
		return 1;
	}
	if (shown == 0)
		status = show(pager, "-");
	return status;
}

static int more_main(struct process *process, int argc, char **argv)
{
	return pager_main(process, argc, argv, false);
}

static int less_main(struct process *process, int argc, char **argv)
{
	return pager_main(process, argc, argv, true);
}

static const char *const less_names[] = {"pager", NULL};
static const struct command commands[] = {
	{"more", more_main, COMMAND_BOTH},
	{"less", less_main, COMMAND_BOTH, NULL, less_names},
	{NULL},
};
const struct command_family command_family_text_pager = {"text_pager", commands};
