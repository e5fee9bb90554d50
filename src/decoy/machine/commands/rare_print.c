/* pr as GNU coreutils 9.1: pages, columns and numbers. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/commands/system.h"

#define PAGE_LENGTH 66
#define PAGE_MARGIN 10 /* header and trailer */
#define COLUMNS_MAX 200

struct pr {
	struct process *process;
	const char *header;
	size_t length, width, columns, offset, digits;
	char separator; /* behind a number */
	bool plain, across, doubled, numbered;
	size_t number;
};

struct lines {
	struct slice *items;
	size_t count, capacity;
};

/* Blanks from one column of the page to another, as tabs where they fit. */
static void fill(struct process *p, struct text *out, size_t from, size_t to)
{
	while (from < to && (from / 8 + 1) * 8 <= to) {
		text_add_byte(p, out, '\t');
		from = (from / 8 + 1) * 8;
	}
	for (; from < to; from++)
		text_add_byte(p, out, ' ');
}

static void put_row(struct pr *pr, const struct slice *row, size_t count)
{
	struct process *p = pr->process;
	size_t each = pr->width / pr->columns, at = 0;
	struct text out = {0};

	text_add_words(p, &out, "");
	for (size_t i = 0; i < pr->offset; i++)
		text_add_byte(p, &out, ' ');
	for (size_t i = 0; i < count; i++) {
		struct slice item =
			pr->columns > 1 && each ? slice_first(row[i], each - 1) : row[i];

		fill(p, &out, at, i * each);
		if (pr->numbered)
			text_format(p, &out, "%*zu%c", (int)pr->digits, pr->number++,
				    pr->separator);
		text_add(p, &out, item);
		at = i * each + item.length;
	}
	text_add_words(p, &out, pr->doubled ? "\n\n" : "\n");
	process_put(p, text_slice(&out));
	process_give(p, out.data);
}

/* The lines of a page in rows: down the columns, or across. */
static size_t put_rows(struct pr *pr, const struct slice *lines, size_t count)
{
	size_t rows = (count + pr->columns - 1) / pr->columns, long_ones = count % pr->columns;
	struct slice row[COLUMNS_MAX];

	for (size_t i = 0; i < rows; i++) {
		size_t used = 0, at = i;

		for (size_t j = 0; j < pr->columns; j++) {
			size_t height = count / pr->columns + (j < long_ones);

			if (pr->across && i * pr->columns + j < count)
				row[used++] = lines[i * pr->columns + j];
			else if (!pr->across && i < height)
				row[used++] = lines[at];
			at += height;
		}
		put_row(pr, row, used);
		process_step(pr->process);
	}
	return rows;
}

static void put_header(struct pr *pr, const char *when, const char *name, size_t page)
{
	struct process *p = pr->process;
	char *end = process_format(p, "Page %zu", page);
	size_t used = strlen(when) + strlen(name) + strlen(end);
	size_t room = pr->width > used ? pr->width - used : 2;

	process_print(p, "\n\n%*s%s%*s%s%*s%s\n\n\n", (int)pr->offset, "", when, (int)(room / 2),
		      "", name, (int)(room - room / 2), "", end);
}

static void put_pages(struct pr *pr, const struct lines *lines, const char *when, const char *name)
{
	size_t body = pr->plain || pr->length <= PAGE_MARGIN ? SIZE_MAX : pr->length - PAGE_MARGIN;
	size_t page = 1;

	if (body != SIZE_MAX && pr->doubled)
		body = body > 1 ? body / 2 : 1;
	for (size_t at = 0; at < lines->count; page++) {
		size_t most = body == SIZE_MAX ? lines->count : body * pr->columns, rows;
		size_t count = lines->count - at < most ? lines->count - at : most;

		if (body != SIZE_MAX)
			put_header(pr, when, name, page);
		rows = put_rows(pr, lines->items + at, count);
		at += count;
		if (body == SIZE_MAX)
			continue;
		for (size_t i = rows * (pr->doubled ? 2 : 1); i < pr->length - 5; i++)
			process_put_byte(pr->process, '\n');
	}
}

static int print_file(struct pr *pr, const char *name)
{
	struct process *p = pr->process;
	struct text text = {0};
	struct lines lines = {0};
	struct file_status status;
	struct slice rest, line;
	struct civil_time c = system_civil(process_now(p));

	if (text_read_whole(p, name, &text) < 0)
		return 1;
	if (strcmp(name, "-") != 0 && process_stat(p, name, true, &status) == 0)
		c = system_civil(status.modified);
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		if (lines.count == lines.capacity) {
			lines.capacity = lines.capacity ? 2 * lines.capacity : 64;
			lines.items = process_retake(p, lines.items,
						     lines.capacity * sizeof(*lines.items));
		}
		lines.items[lines.count++] = line;
		process_step(p);
	}
	put_pages(pr, &lines,
		  process_format(p, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour,
				 c.minute),
		  pr->header               ? pr->header
		  : strcmp(name, "-") == 0 ? ""
					   : name);
	process_give(p, lines.items);
	process_give(p, text.data);
	return 0;
}

static size_t number_of(const char *text, size_t usual)
{
	unsigned long number = strtoul(text, NULL, 10);

	return number && number < 10000 ? number : usual;
}

/* "-n", "-n:", "-n:3" */
static void read_numbers(struct pr *pr, const char *argument)
{
	pr->numbered = true;
	if (*argument && !isdigit((unsigned char)*argument))
		pr->separator = *argument++;
	pr->digits = number_of(argument, 5);
}

static int run_pr(struct process *p, int argc, char **argv)
{
	struct pr pr = {.process = p,
			.length = PAGE_LENGTH,
			.width = 72,
			.columns = 1,
			.digits = 5,
			.separator = '\t',
			.number = 1};
	int status = 0, names = 1; /* argv[0] is its own */
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || !word[1] || ended) {
			argv[names++] = argv[i];
			continue;
		}
		ended = strcmp(word, "--") == 0;
		if (isdigit((unsigned char)word[1])) {
			pr.columns = number_of(word + 1, 1);
			continue;
		}
		for (const char *at = word + 1; *at && !ended; at++) {
			bool takes = strchr("hlow", *at) != NULL;
			const char *value = at[1] ? at + 1 : takes && i + 1 < argc ? argv[++i] : "";

			pr.plain = pr.plain || *at == 't' || *at == 'T';
			pr.across = pr.across || *at == 'a';
			pr.doubled = pr.doubled || *at == 'd';
			if (*at == 'h')
				pr.header = value;
			else if (*at == 'l')
				pr.length = number_of(value, PAGE_LENGTH);
			else if (*at == 'o')
				pr.offset = number_of(value, 0);
			else if (*at == 'w')
				pr.width = number_of(value, 72);
			else if (*at == 'n')
				read_numbers(&pr, at + 1);
			else if (!strchr("tTadFfr", *at)) {
				process_error(
					p,
					"pr: invalid option -- '%c'\nTry 'pr --help' for more "
					"information.\n",
					*at);
				return 1;
			}
			if (takes || *at == 'n')
				break;
		}
	}
	pr.columns = pr.columns > COLUMNS_MAX ? COLUMNS_MAX : pr.columns;
	if (names == 1)
		return print_file(&pr, "-");
	for (int i = 1; i < names; i++)
		status |= print_file(&pr, argv[i]);
	return status;
}

static const struct command commands[] = {
	{"pr", run_pr, COMMAND_DEBIAN},
	{0},
};

const struct command_family command_family_rare_print = {"rare_print", commands};
