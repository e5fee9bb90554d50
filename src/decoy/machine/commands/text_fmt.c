/* fmt as GNU coreutils 9.1: lines are broken where the sum of costs of a whole paragraph is least.
 */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

#define WORDS_MAX   1000 /* of a paragraph that are looked at together */
#define WIDTH_USUAL 75
#define WIDTH_MAX   2500
#define TAB         8

/* What a line that is too short, a new line, a torn sentence and so on cost. */
#define SQUARE(n)      ((int64_t)(n) * (n))
#define SHORT_COST(n)  SQUARE((n)*10)
#define RAGGED_COST(n) (SHORT_COST(n) / 2)
#define LINE_COST      SQUARE(70)
#define SENTENCE_BONUS SQUARE(50)
#define NO_BREAK_COST  SQUARE(600)
#define PAUSE_BONUS    SQUARE(40)

struct word {
	struct slice text;
	int64_t best;
	int space; /* behind it */
	int line;  /* length of the line that begins with it */
	bool opens, pauses, stops, ends;
	size_t next; /* with which the line after its line begins */
};

struct fmt {
	struct process *process;
	bool crown, split, tagged, uniform, tabs;
	int width, goal, last_line;
	struct slice prefix;
	struct word *words;
	size_t count;
	int first_indent, other_indent;
};

struct fmt_line {
	struct slice words;
	int indent;
	bool blank, foreign; /* without anything; without the prefix */
};

static bool is_one_of(const char *letters, uint8_t letter)
{
	return letter && strchr(letters, letter);
}

static int64_t word_cost(const struct fmt *fmt, size_t at)
{
	const struct word *word = &fmt->words[at];
	int64_t cost = LINE_COST;

	if (at > 0) {
		const struct word *before = word - 1;

		if (before->stops)
			cost += before->ends ? -SENTENCE_BONUS : NO_BREAK_COST;
		else if (before->pauses)
			cost -= PAUSE_BONUS;
		else if (at > 1 && word[-2].ends)
			cost += SQUARE(200) / ((int64_t)before->text.length + 2);
	}
	if (word->opens)
		cost -= PAUSE_BONUS;
	else if (word->ends)
		cost += SQUARE(150) / ((int64_t)word->text.length + 2);
	return cost;
}

static int64_t line_cost(const struct fmt *fmt, size_t next, int length)
{
	const struct word *word = &fmt->words[next];
	int64_t cost;

	if (next == fmt->count)
		return 0;
	cost = SHORT_COST(fmt->goal - length);
	if (word->next != fmt->count)
		cost += RAGGED_COST(length - word->line);
	return cost;
}

static void find_breaks(struct fmt *fmt)
{
	fmt->words[fmt->count].best = 0;
	for (size_t start = fmt->count; start-- > 0;) {
		int length = start == 0 ? fmt->first_indent : fmt->other_indent;
		int64_t best = INT64_MAX;
		size_t at = start;

		length += (int)fmt->words[at].text.length;
		do {
			int64_t cost;

			at++;
			cost = line_cost(fmt, at, length) + fmt->words[at].best;
			if (start == 0 && fmt->last_line > 0)
				cost += RAGGED_COST(length - fmt->last_line);
			if (cost < best) {
				best = cost;
				fmt->words[start].next = at;
				fmt->words[start].line = length;
			}
			if (at == fmt->count)
				break;
			length += fmt->words[at - 1].space + (int)fmt->words[at].text.length;
		} while (length < fmt->width);
		fmt->words[start].best = best + word_cost(fmt, start);
		process_step(fmt->process);
	}
}

static void put_spaces(struct fmt *fmt, int from, int count)
{
	int to = from + count;

	while (fmt->tabs && from / TAB < to / TAB && from + 1 < to) {
		process_put_byte(fmt->process, '\t');
		from = from / TAB * TAB + TAB;
	}
	for (; from < to; from++)
		process_put_byte(fmt->process, ' ');
}

static void put_one_line(struct fmt *fmt, size_t from, size_t to, int indent)
{
	int column = (int)fmt->prefix.length;

	process_put(fmt->process, fmt->prefix);
	put_spaces(fmt, column, indent - column);
	for (column = indent; from < to; from++) {
		process_put(fmt->process, fmt->words[from].text);
		column += (int)fmt->words[from].text.length;
		if (from + 1 == to)
			break;
		put_spaces(fmt, column, fmt->words[from].space);
		column += fmt->words[from].space;
	}
	fmt->last_line = column;
	process_put_byte(fmt->process, '\n');
}

/* Puts out the words up to `end`, or all, and keeps the others. */
static void put_lines(struct fmt *fmt, size_t end)
{
	size_t at = 0;

	while (at < end) {
		put_one_line(fmt, at, fmt->words[at].next,
			     at == 0 ? fmt->first_indent : fmt->other_indent);
		at = fmt->words[at].next;
	}
	fmt->count -= at;
	memmove(fmt->words, fmt->words + at, fmt->count * sizeof(*fmt->words));
	fmt->first_indent = at ? fmt->other_indent : fmt->first_indent;
}

static void put_paragraph(struct fmt *fmt)
{
	if (!fmt->count)
		return;
	fmt->words[fmt->count - 1].ends = true;
	find_breaks(fmt);
	put_lines(fmt, fmt->count);
	fmt->count = 0;
}

static void look_at(struct word *word)
{
	struct slice text = word->text;
	uint8_t last = text.at[text.length - 1];

	word->opens = is_one_of("([`'\"", text.at[0]);
	word->pauses = ispunct(last);
	while (text.length > 1 && is_one_of(")]'\"", text.at[text.length - 1]))
		text.length--;
	word->stops = is_one_of(".?!", text.at[text.length - 1]);
}

static void add_words(struct fmt *fmt, struct slice line)
{
	size_t at = 0;
	int column = 0;

	while (at < line.length) {
		size_t start = at;
		struct word *word;
		int before;

		if (fmt->count >= WORDS_MAX) {
			find_breaks(fmt);
			put_lines(fmt, WORDS_MAX / 2);
		}
		word = &fmt->words[fmt->count++];
		while (at < line.length && !isspace(line.at[at]))
			at++;
		*word = (struct word){.text = slice_of(line.at + start, at - start)};
		word->text.at = (const uint8_t *)process_copy_slice(fmt->process, word->text);
		look_at(word);
		column += (int)word->text.length;
		before = column;
		for (; at < line.length && isspace(line.at[at]); at++)
			column = line.at[at] == '\t' ? column / TAB * TAB + TAB : column + 1;
		word->space = column - before;
		word->ends = word->stops && (at >= line.length || word->space > 1);
		if (at >= line.length || fmt->uniform)
			word->space = word->ends ? 2 : 1;
	}
}

static struct fmt_line look_at_line(struct fmt *fmt, struct slice line)
{
	struct fmt_line found = {.words = line};
	size_t at = 0;

	for (; at < line.length && isspace(line.at[at]); at++) {
		fmt->tabs = fmt->tabs || line.at[at] == '\t';
		found.indent =
			line.at[at] == '\t' ? found.indent / TAB * TAB + TAB : found.indent + 1;
	}
	if (fmt->prefix.length) {
		if (!slice_equal(slice_first(slice_from(line, at), fmt->prefix.length),
				 fmt->prefix)) {
			found.foreign = true;
			return found;
		}
		for (at += fmt->prefix.length, found.indent += (int)fmt->prefix.length;
		     at < line.length && isspace(line.at[at]); at++)
			found.indent++;
	}
	found.words = slice_from(line, at);
	found.blank = found.words.length == 0;
	return found;
}

/* Whether the line goes on with the paragraph; the second tells how the others are indented. */
static bool goes_on(struct fmt *fmt, const struct fmt_line *line, unsigned number)
{
	if (fmt->split)
		return false;
	if (number == 1 && fmt->crown)
		fmt->other_indent = line->indent;
	if (number == 1 && fmt->tagged) {
		if (line->indent == fmt->first_indent)
			return false;
		fmt->other_indent = line->indent;
	}
	return line->indent == fmt->other_indent;
}

static void format_file(struct fmt *fmt, int descriptor)
{
	struct line_reader reader;
	struct slice bytes;
	unsigned number = 0; /* of lines in the paragraph */
	bool newline;

	line_reader_open(&reader, descriptor);
	fmt->last_line = 0;
	while (line_reader_next(fmt->process, &reader, &bytes, &newline)) {
		struct fmt_line line = look_at_line(fmt, bytes);

		process_step(fmt->process);
		if (line.blank || line.foreign || (number && !goes_on(fmt, &line, number))) {
			put_paragraph(fmt);
			number = 0;
		}
		if (line.blank || line.foreign) {
			process_put(fmt->process, line.foreign ? bytes : fmt->prefix);
			process_put_byte(fmt->process, '\n');
			fmt->last_line = 0;
			continue;
		}
		if (number++ == 0) {
			fmt->first_indent = fmt->other_indent = line.indent;
			if (fmt->tagged)
				fmt->other_indent = line.indent == 0 ? 3 : 0;
		}
		add_words(fmt, line.words);
	}
	put_paragraph(fmt);
}

static int number_of(struct fmt *fmt, const char *text, int most)
{
	int64_t number;

	if (slice_number(slice_text(text), 0, most, &number) == 0)
		return (int)number;
	if (slice_number(slice_text(text), 0, INT64_MAX, &number) == 0)
		process_complain(fmt->process, "invalid width: '%s': Numerical result out of range",
				 text);
	else
		process_complain(fmt->process, "invalid width: '%s'", text);
	process_exit(fmt->process, 1);
}

static int fmt_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"crown-margin", 'c'},       {"prefix", 'p', OPTION_NEEDS},
		{"split-only", 's'},         {"tagged-paragraph", 't'},
		{"uniform-spacing", 'u'},    {"width", 'w', OPTION_NEEDS},
		{"goal", 'g', OPTION_NEEDS}, TEXT_WORDS};
	struct fmt fmt = {.process = process, .width = WIDTH_USUAL};
	struct option_state state = {0};
	const char *goal = NULL;
	int option, count, status = 0;
	char **names;

	if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		fmt.width = number_of(&fmt, argv[1] + 1, WIDTH_MAX);
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	while ((option = option_next(process, &state, argc, argv, "cp:stuw:g:", words)) != -1) {
		if (option == 'c')
			fmt.crown = true;
		else if (option == 'p')
			fmt.prefix = slice_trim(slice_text(state.argument));
		else if (option == 's')
			fmt.split = true;
		else if (option == 't')
			fmt.tagged = true;
		else if (option == 'u')
			fmt.uniform = true;
		else if (option == 'w')
			fmt.width = number_of(&fmt, state.argument, WIDTH_MAX);
		else if (option == 'g')
			goal = state.argument;
		else
			text_other_option(process, option, COREUTILS,
					  "[-WIDTH] [OPTION]... [FILE]...", 1);
	}
	/* 93 per cent of the width, to have room on both sides. */
	fmt.goal = goal ? number_of(&fmt, goal, fmt.width) : fmt.width * 187 / 200;
	fmt.words = process_take(process, (WORDS_MAX + 1) * sizeof(*fmt.words));
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open_quiet(process, names[i]);

		if (descriptor < 0) {
			if (descriptor == -EISDIR)
				process_complain(process, "read error");
			else
				process_complain(process, "cannot open '%s' for reading: %s",
						 names[i], strerror(-descriptor));
			status = 1;
			continue;
		}
		format_file(&fmt, descriptor);
		text_close(process, descriptor);
	}
	return status;
}

static const struct command commands[] = {
	{"fmt", fmt_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_fmt = {"text_fmt", commands};
