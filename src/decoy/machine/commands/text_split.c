/* tsort and csplit as GNU coreutils 9.1. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/regex.h"

/* --- tsort --- */

#define ITEMS_MAX 20000

struct item {
	const char *name;
	size_t before; /* how many that must come first are not yet out */
	struct order *orders;
	struct item *link; /* in the queue; in a loop that is searched for */
};
struct order {
	struct item *after;
	struct order *next;
};

static int by_item(const void *a, const void *b)
{
	const struct item *const *one = a, *const *two = b;

	return strcmp((*one)->name, (*two)->name);
}

struct tsort {
	struct process *process;
	struct item **items; /* in the order of their names */
	size_t count;
};

/* The item of a name, new when there is none yet. */
static struct item *item_of(struct tsort *t, struct slice name)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = slice_compare(name, slice_text(t->items[middle]->name));

		if (order == 0)
			return t->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (t->count >= ITEMS_MAX) {
		process_complain(t->process, "memory exhausted");
		process_exit(t->process, 1);
	}
	memmove(t->items + low + 1, t->items + low, (t->count++ - low) * sizeof(*t->items));
	t->items[low] = process_take(t->process, sizeof(**t->items));
	t->items[low]->name = process_copy_slice(t->process, name);
	return t->items[low];
}

/* One step back along a loop that is being looked for: true when it closed, was told and cut. */
static bool follow_loop(struct tsort *t, struct item *item, struct item **loop)
{
	struct order **order = &item->orders;

	if (!item->before)
		return false;
	if (!*loop) {
		*loop = item;
		return false;
	}
	while (*order && (*order)->after != *loop)
		order = &(*order)->next;
	if (!*order)
		return false;
	if (!item->link) {
		item->link = *loop;
		*loop = item;
		return false;
	}
	while (*loop && *loop != item) {
		struct item *next = (*loop)->link;

		process_complain(t->process, "%s", (*loop)->name);
		(*loop)->link = NULL;
		*loop = next;
	}
	process_complain(t->process, "%s", item->name);
	(*order)->after->before--;
	*order = (*order)->next;
	while (*loop) {
		struct item *next = (*loop)->link;

		(*loop)->link = NULL;
		*loop = next;
	}
	return true;
}

static void cut_loop(struct tsort *t)
{
	struct item *loop = NULL;

	do {
		for (size_t i = 0; i < t->count; i++) {
			process_step(t->process);
			if (follow_loop(t, t->items[i], &loop))
				break;
		}
	} while (loop);
}

static int put_sorted(struct tsort *t, const char *name)
{
	size_t left = t->count;
	int status = 0;

	while (left) {
		struct item *head = NULL, **end = &head;

		for (size_t i = 0; i < t->count; i++)
			if (t->items[i]->before == 0 && t->items[i]->name) {
				*end = t->items[i];
				end = &t->items[i]->link;
			}
		for (; head; head = head->link, left--) {
			process_print(t->process, "%s\n", head->name);
			for (struct order *order = head->orders; order; order = order->next)
				if (--order->after->before == 0) {
					*end = order->after;
					end = &order->after->link;
				}
			/* Out: it takes no part in what follows. */
			head->before = SIZE_MAX;
			process_step(t->process);
		}
		if (!left)
			break;
		for (size_t i = 0; i < t->count;)
			if (t->items[i]->before == SIZE_MAX)
				memmove(t->items + i, t->items + i + 1,
					(--t->count - i) * sizeof(*t->items));
			else
				t->items[i++]->link = NULL;
		process_flush(t->process);
		process_complain(t->process, "%s: input contains a loop:", name);
		status = 1;
		cut_loop(t);
	}
	return status;
}

static int tsort_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	struct tsort t = {.process = process};
	struct text text = {0};
	struct item *first = NULL;
	const char *name;
	int option;

	while ((option = option_next(process, &state, argc, argv, "", words)) != -1)
		text_other_option(process, option, COREUTILS, "[OPTION] [FILE]", 1);
	if (argc - state.index > 1) {
		process_complain(process, "extra operand '%s'", argv[state.index + 1]);
		text_try_help(process, 1);
	}
	name = state.index < argc ? argv[state.index] : "-";
	if (text_read_whole(process, name, &text) < 0)
		return 1;
	t.items = process_take(process, (ITEMS_MAX + 1) * sizeof(*t.items));
	for (size_t at = 0, end; at < text.length; at = end + 1) {
		struct item *item;

		for (end = at; end < text.length && !strchr(" \t\n", text.data[end]); end++)
			continue;
		if (end == at)
			continue;
		item = item_of(&t, slice_of(text.data + at, end - at));
		if (first && first != item) {
			struct order *order = process_take(process, sizeof(*order));

			*order = (struct order){item, first->orders};
			first->orders = order;
			item->before++;
		}
		first = first ? NULL : item;
		process_step(process);
	}
	if (first) {
		process_complain(process, "%s: input contains an odd number of tokens", name);
		return 1;
	}
	qsort(t.items, t.count, sizeof(struct item *), by_item);
	return put_sorted(&t, name);
}

/* --- csplit --- */

#define PIECES_MAX 1000

struct csplit {
	struct process *process;
	struct slice *lines;
	size_t count, at, pieces;
	const char *prefix, *suffix;
	int64_t digits;
	bool keep, silent, no_empty, drop_matched;
};

static char *piece_name(struct csplit *c, size_t number)
{
	const char *format = c->suffix ? strchr(c->suffix, '%') : NULL;
	char *digits;
	int width = (int)c->digits;

	if (!format)
		return process_format(c->process, "%s%0*zu", c->prefix, width, number);
	width = (int)strtol(format + 1, &digits, 10);
	return process_format(c->process, "%s%.*s%0*zu%s", c->prefix, (int)(format - c->suffix),
			      c->suffix, width > 99 ? 99 : width, number,
			      *digits ? digits + 1 : digits);
}

static _Noreturn void give_up(struct csplit *c)
{
	for (size_t i = 0; !c->keep && i < c->pieces; i++)
		(void)process_unlink(c->process, piece_name(c, i));
	process_exit(c->process, 1);
}

/* Lines from where it stands up to `end` become a piece, unless they are passed over. */
static void put_piece(struct csplit *c, size_t end, bool pass)
{
	struct process *p = c->process;
	uint64_t size = 0;
	size_t start = c->at;
	char *name;
	int file;

	c->at = end > start ? end : start;
	if (pass || (c->no_empty && end <= start))
		return;
	name = piece_name(c, c->pieces);
	file = c->pieces < PIECES_MAX ? process_open(p, name, O_WRONLY | O_CREAT | O_TRUNC, 0666)
				      : -EMFILE;
	if (file < 0) {
		process_complain(p, "%s: %s", name, strerror(-file));
		give_up(c);
	}
	c->pieces++;
	for (; start < end; start++) {
		size += c->lines[start].length;
		if (process_write(p, file, c->lines[start]) < 0)
			break;
		process_step(p);
	}
	(void)process_close(p, file);
	if (!c->silent)
		process_print(p, "%llu\n", (unsigned long long)size);
}

struct csplit_pattern {
	const char *text;
	struct regex *regex; /* NULL: a line number */
	bool pass;
	int64_t offset, line, times; /* -1: as often as it goes */
};

static struct csplit_pattern take_pattern(struct csplit *c, const char *text)
{
	struct csplit_pattern pattern = {.text = text};
	struct process *p = c->process;
	const char *why = NULL;

	if (*text == '/' || *text == '%') {
		const char *end = strrchr(text + 1, *text);

		if (!end) {
			process_complain(p, "%s: closing delimiter '%c' missing", text, *text);
			give_up(c);
		}
		pattern.pass = *text == '%';
		pattern.regex = regex_new(p, slice_of(text + 1, (size_t)(end - text - 1)),
					  REGEX_BASIC, 0, &why);
		if (!pattern.regex) {
			process_complain(p, "%s: invalid regular expression: %s", text, why);
			give_up(c);
		}
		if (end[1] && slice_number(slice_text(end + 1 + (end[1] == '+')), INT32_MIN,
					   INT32_MAX, &pattern.offset) != 0) {
			process_complain(p, "%s: integer expected after delimiter", text);
			give_up(c);
		}
	} else if (slice_number(slice_text(text), 0, INT64_MAX, &pattern.line) != 0) {
		process_complain(p, "'%s': invalid pattern", text);
		give_up(c);
	} else if (pattern.line == 0) {
		process_complain(p, "%s: line number must be greater than zero", text);
		give_up(c);
	}
	return pattern;
}

static void take_times(struct csplit *c, struct csplit_pattern *pattern, const char *text)
{
	struct slice count = slice_from(slice_text(text), 1);

	if (count.length && count.at[count.length - 1] == '}')
		count.length--;
	if (slice_is(count, "*"))
		pattern->times = -1;
	else if (slice_number(count, 0, INT32_MAX, &pattern->times) != 0) {
		process_complain(c->process, "%s}: integer required between '{' and '}'",
				 process_copy_slice(c->process, slice_of(text, count.length + 1)));
		give_up(c);
	}
}

static void split_at_line(struct csplit *c, const struct csplit_pattern *pattern, int64_t round)
{
	int64_t line = pattern->line * (round + 1);
	size_t end = (size_t)line - 1;

	if (end > c->count) {
		if (pattern->times >= 0) {
			put_piece(c, c->count, false);
			process_complain(c->process, "'%s': line number out of range%s",
					 pattern->text,
					 round ? process_format(c->process, " on repetition %lld",
								(long long)round)
					       : "");
			give_up(c);
		}
		end = c->count;
	}
	put_piece(c, end, false);
	c->at += c->drop_matched && c->at < c->count;
}

/* False: no match where that is allowed. */
static bool split_at_match(struct csplit *c, const struct csplit_pattern *pattern, int64_t round,
			   size_t *searched)
{
	size_t at = *searched;

	for (; at < c->count; at++) {
		struct slice line = c->lines[at];

		line.length -= line.length && line.at[line.length - 1] == '\n';
		if (regex_match(c->process, pattern->regex, line, 0, NULL, 0))
			break;
		process_step(c->process);
	}
	if (at >= c->count && pattern->times < 0)
		return false;
	if (at >= c->count || (int64_t)at + pattern->offset < (int64_t)c->at) {
		if (!pattern->pass)
			put_piece(c, c->count, false);
		process_complain(
			c->process,
			at >= c->count ? "'%s': match not found%s"
				       : "%s: line number out of range%s",
			pattern->text,
			round ? process_format(c->process, " on repetition %lld", (long long)round)
			      : "");
		give_up(c);
	}
	put_piece(c, (size_t)((int64_t)at + pattern->offset), pattern->pass);
	*searched = at + 1;
	c->at += c->drop_matched && c->at < c->count;
	return true;
}

static void split(struct csplit *c, int count, char **patterns)
{
	size_t searched = 0;

	for (int i = 0; i < count; i++) {
		struct csplit_pattern pattern = take_pattern(c, patterns[i]);

		if (i + 1 < count && patterns[i + 1][0] == '{')
			take_times(c, &pattern, patterns[++i]);
		for (int64_t round = 0; pattern.times < 0 || round <= pattern.times; round++) {
			process_step(c->process);
			if (!pattern.regex)
				split_at_line(c, &pattern, round);
			else if (!split_at_match(c, &pattern, round, &searched))
				break;
			if (!pattern.regex && c->at >= c->count && pattern.times < 0)
				break;
		}
		searched = searched > c->at ? searched : c->at;
	}
	put_piece(c, c->count, false);
}

static void cut_lines(struct csplit *c, const struct text *text)
{
	size_t most = 1;

	for (size_t i = 0; i < text->length; i++)
		most += text->data[i] == '\n';
	c->lines = process_take(c->process, most * sizeof(*c->lines));
	for (size_t at = 0; at < text->length;) {
		struct slice rest = slice_of(text->data + at, text->length - at);
		size_t end = slice_find_byte(rest, '\n');

		c->lines[c->count] = end == SIZE_MAX ? rest : slice_first(rest, end + 1);
		at += c->lines[c->count++].length;
	}
}

static int csplit_main(struct process *process, int argc, char **argv)
{
	enum { OPTION_DROP = TEXT_OWN };
	static const struct option_word words[] = {{"prefix", 'f', OPTION_NEEDS},
						   {"suffix-format", 'b', OPTION_NEEDS},
						   {"digits", 'n', OPTION_NEEDS},
						   {"keep-files", 'k'},
						   {"quiet", 's'},
						   {"silent", 's'},
						   {"elide-empty-files", 'z'},
						   {"suppress-matched", OPTION_DROP},
						   TEXT_WORDS};
	struct csplit c = {.process = process, .prefix = "xx", .digits = 2};
	struct option_state state = {0};
	struct text text = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv, "f:b:n:ksqz", words)) != -1) {
		if (option == 'f')
			c.prefix = state.argument;
		else if (option == 'b')
			c.suffix = state.argument;
		else if (option == 'k')
			c.keep = true;
		else if (option == 's' || option == 'q')
			c.silent = true;
		else if (option == 'z')
			c.no_empty = true;
		else if (option == OPTION_DROP)
			c.drop_matched = true;
		else if (option != 'n')
			text_other_option(process, option, COREUTILS, "[OPTION]... FILE PATTERN...",
					  1);
		else if (slice_number(slice_text(state.argument), 0, 99, &c.digits) != 0) {
			process_complain(process, "invalid number: '%s'", state.argument);
			return 1;
		}
	}
	if (argc - state.index < 2) {
		if (state.index < argc)
			process_complain(process, "missing operand after '%s'", argv[state.index]);
		else
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	option = text_open_quiet(process, argv[state.index]);
	if (option < 0) {
		process_complain(process, "cannot open '%s' for reading: %s", argv[state.index],
				 strerror(-option));
		return 1;
	}
	if (process_read_all(process, option, TEXT_WHOLE_MAX, &text) < 0)
		return 1;
	text_close(process, option);
	cut_lines(&c, &text);
	split(&c, argc - state.index - 1, argv + state.index + 1);
	return 0;
}

static const struct command commands[] = {
	{"tsort", tsort_main, COMMAND_DEBIAN},
	{"csplit", csplit_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_split = {"text_split", commands};
