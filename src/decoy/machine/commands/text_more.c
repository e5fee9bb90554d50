/* comm, fold, expand, unexpand, split, shuf, factor, column. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

/* --- comm --- */

struct side {
	struct line_reader reader;
	struct slice line;
	struct text before; /* the last line, to see disorder */
	bool has, newline, told, disorder;
};

static void comm_read(struct process *process, struct side *side, int number, bool check)
{
	if (side->disorder && !side->told) { /* told when the line is done with */
		process_flush(process);
		process_complain(process, "file %d is not in sorted order", number);
		side->told = true;
	}
	text_clear(&side->before);
	if (side->has)
		text_add(process, &side->before, side->line);
	else
		check = false;
	side->has = line_reader_next(process, &side->reader, &side->line, &side->newline);
	if (check && side->has && !side->told &&
	    slice_compare(text_slice(&side->before), side->line) > 0)
		side->disorder = true;
}

static int comm_main(struct process *process, int argc, char **argv)
{
	enum { OPTION_CHECK = TEXT_OWN, OPTION_NO_CHECK, OPTION_OUTPUT, OPTION_TOTAL };
	static const struct option_word words[] = {
		{"check-order", OPTION_CHECK},
		{"nocheck-order", OPTION_NO_CHECK},
		{"output-delimiter", OPTION_OUTPUT, OPTION_NEEDS},
		{"total", OPTION_TOTAL},
		TEXT_WORDS};
	struct option_state state = {0};
	bool hidden[4] = {false}, check = true, total = false;
	const char *delimiter = "\t";
	struct side sides[2] = {{{0}}};
	uint64_t counts[4] = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv, "123z", words)) != -1) {
		if (option >= '1' && option <= '3')
			hidden[option - '0'] = true;
		else if (option == OPTION_NO_CHECK)
			check = false;
		else if (option == OPTION_OUTPUT)
			delimiter = state.argument;
		else if (option == OPTION_TOTAL)
			total = true;
		else if (option != OPTION_CHECK && option != 'z')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... FILE1 FILE2\nCompare two sorted files line "
					  "by line.",
					  1);
	}
	if (argc - state.index != 2) {
		if (argc - state.index == 0)
			process_complain(process, "missing operand");
		else if (argc - state.index == 1)
			process_complain(process, "missing operand after '%s'", argv[state.index]);
		else
			process_complain(process, "extra operand '%s'", argv[state.index + 2]);
		text_try_help(process, 1);
	}
	for (int i = 0; i < 2; i++) {
		int descriptor = text_open(process, argv[state.index + i]);

		if (descriptor < 0)
			return 1;
		line_reader_open(&sides[i].reader, descriptor);
		comm_read(process, &sides[i], i + 1, false);
	}
	while (sides[0].has || sides[1].has) {
		int order = !sides[0].has   ? 1
			    : !sides[1].has ? -1
					    : slice_compare(sides[0].line, sides[1].line);
		int column = order < 0 ? 1 : order > 0 ? 2 : 3;

		counts[column]++;
		if (!hidden[column]) {
			if (column > 1 && !hidden[1])
				process_put_text(process, delimiter);
			if (column > 2 && !hidden[2])
				process_put_text(process, delimiter);
			process_put(process, sides[column == 2].line);
			process_put_byte(process, '\n');
		}
		if (order <= 0)
			comm_read(process, &sides[0], 1, check);
		if (order >= 0)
			comm_read(process, &sides[1], 2, check);
	}
	if (total)
		process_print(process, "%llu%s%llu%s%llu%stotal\n", (unsigned long long)counts[1],
			      delimiter, (unsigned long long)counts[2], delimiter,
			      (unsigned long long)counts[3], delimiter);
	if (sides[0].told || sides[1].told) {
		process_flush(process);
		process_complain(process, "input is not in sorted order");
		return 1;
	}
	return 0;
}

/* --- fold --- */

static int fold_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"bytes", 'b'}, {"spaces", 's'}, {"width", 'w', OPTION_NEEDS}, TEXT_WORDS};
	struct option_state state = {0};
	bool bytes = false, spaces = false;
	int64_t width = 80;
	int option, count, status = 0;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "bsw:0123456789", words)) != -1) {
		if (option == 'b')
			bytes = true;
		else if (option == 's')
			spaces = true;
		else if (option >= '0' && option <= '9')
			width = (width == 80 ? 0 : width) * 10 + (option - '0');
		else if (option == 'w') {
			if (slice_number(slice_text(state.argument), 1, INT32_MAX, &width) != 0) {
				process_complain(process, "invalid number of columns: '%s'",
						 state.argument);
				return 1;
			}
		} else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrap each line to a width.", 1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);
		struct line_reader reader;
		struct slice line;
		bool newline;

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		line_reader_open(&reader, descriptor);
		while (line_reader_next(process, &reader, &line, &newline)) {
			size_t start = 0, column = 0, at = 0;

			while (at < line.length) {
				size_t step = line.at[at] == '\t' && !bytes ? 8 - column % 8 : 1;
				size_t cut = at;

				if (column + step <= (size_t)width || at == start) {
					column += step;
					at++;
					continue;
				}
				for (size_t k = at; spaces && k > start; k--) {
					if (line.at[k - 1] == ' ' || line.at[k - 1] == '\t') {
						cut = k;
						break;
					}
				}
				process_put(process, slice_of(line.at + start, cut - start));
				process_put_byte(process, '\n');
				start = at = cut;
				column = 0;
				process_step(process);
			}
			process_put(process, slice_from(line, start));
			if (newline)
				process_put_byte(process, '\n');
		}
		process_give(process, reader.buffer);
		text_close(process, descriptor);
	}
	return status;
}

/* --- expand and unexpand --- */

static int tabs_main(struct process *process, int argc, char **argv, bool expand)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"initial", 'i'},
						   {"first-only", 'f'},
						   {"tabs", 't', OPTION_NEEDS},
						   TEXT_WORDS};
	struct option_state state = {0};
	bool all = expand, initial = false;
	int64_t tab = 8;
	int option, count, status = 0;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "aift:", words)) != -1) {
		if (option == 'a')
			all = true;
		else if (option == 'i' || option == 'f')
			initial = true;
		else if (option == 't') {
			if (slice_number(slice_text(state.argument), 1, 10000, &tab) != 0) {
				process_complain(process,
						 "tab size contains invalid character(s): '%s'",
						 state.argument);
				return 1;
			}
			all = true;
		} else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nConvert between tabs and spaces.",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);
		struct line_reader reader;
		struct slice line;
		bool newline;

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		line_reader_open(&reader, descriptor);
		while (line_reader_next(process, &reader, &line, &newline)) {
			size_t column = 0, blanks = 0, size = (size_t)tab;
			bool leading = true;

			for (size_t at = 0; at < line.length; at++) {
				uint8_t byte = line.at[at];
				bool convert = leading || (all && !initial);

				if (expand && byte == '\t' && convert) {
					do
						process_put_byte(process, ' ');
					while (++column % size != 0);
					continue;
				}
				if (!expand && convert && (byte == ' ' || byte == '\t')) {
					column += byte == '\t' ? size - column % size : 1;
					blanks++;
					if (column % size == 0 && (blanks > 1 || byte == '\t')) {
						process_put_byte(process, '\t');
						blanks = 0;
					}
					continue;
				}
				for (; blanks > 0; blanks--)
					process_put_byte(process, ' ');
				leading = leading && (byte == ' ' || byte == '\t');
				process_put_byte(process, byte);
				column++;
			}
			for (; blanks > 0; blanks--)
				process_put_byte(process, ' ');
			if (newline)
				process_put_byte(process, '\n');
		}
		process_give(process, reader.buffer);
		text_close(process, descriptor);
	}
	return status;
}

static int expand_main(struct process *process, int argc, char **argv)
{
	return tabs_main(process, argc, argv, true);
}

static int unexpand_main(struct process *process, int argc, char **argv)
{
	return tabs_main(process, argc, argv, false);
}

/* --- shuf --- */

static int shuf_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"echo", 'e'},
						   {"input-range", 'i', OPTION_NEEDS},
						   {"head-count", 'n', OPTION_NEEDS},
						   {"output", 'o', OPTION_NEEDS},
						   {"repeat", 'r'},
						   {"zero-terminated", 'z'},
						   TEXT_WORDS};
	struct option_state state = {0};
	struct text text = {0};
	const char **lines = NULL;
	size_t count = 0, capacity = 0;
	uint64_t most = UINT64_MAX;
	int64_t low = 0, high = -1;
	bool arguments = false, repeat = false, range = false;
	uint8_t end = '\n';
	int option;

	while ((option = option_next(process, &state, argc, argv, "ei:n:o:rz", words)) != -1) {
		if (option == 'e')
			arguments = true;
		else if (option == 'r')
			repeat = true;
		else if (option == 'z')
			end = 0;
		else if (option == 'n') {
			if (command_size(state.argument, &most) != 0) {
				process_complain(process, "invalid line count: '%s'",
						 state.argument);
				return 1;
			}
		} else if (option == 'i') {
			struct slice whole = slice_text(state.argument), first;

			range = slice_next(&whole, '-', &first) &&
				slice_number(first, 0, INT64_MAX / 2, &low) == 0 &&
				slice_number(whole, 0, INT64_MAX / 2, &high) == 0 &&
				high - low < 1000000;
			if (!range) {
				process_complain(process, "invalid input range: '%s'",
						 state.argument);
				return 1;
			}
		} else if (option != 'o')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]\nWrite lines in random order.", 1);
	}
	if (!arguments && !range) {
		if (text_read_whole(process, state.index < argc ? argv[state.index] : "-", &text) !=
		    0)
			return 1;
	}
	for (size_t at = 0, i = 0;; i++) {
		const char *line;

		if (range && (int64_t)i <= high - low)
			line = process_format(process, "%lld", (long long)(low + (int64_t)i));
		else if (arguments && state.index + (int)i < argc)
			line = argv[state.index + (int)i];
		else if (!range && !arguments && at < text.length) {
			char *found = memchr(text.data + at, end, text.length - at);

			line = text.data + at;
			at = found ? (size_t)(found - text.data) + 1 : text.length;
			if (found)
				*found = '\0';
		} else
			break;
		if (count == capacity) {
			capacity = capacity * 2 + 32;
			lines = process_retake(process, lines, capacity * sizeof(*lines));
		}
		lines[count++] = line;
		process_step(process);
	}
	for (uint64_t i = 0; count > 0 && i < most && (repeat || i < count); i++) {
		size_t from = repeat ? 0 : (size_t)i;
		size_t chosen = from + (size_t)process_random_number(process, count - from);
		const char *line = lines[chosen];

		if (!repeat) {
			lines[chosen] = lines[from];
			lines[from] = line;
		}
		process_put_text(process, line);
		process_put_byte(process, end);
		process_step(process);
	}
	return 0;
}

/* --- factor --- */

static int factor_one(struct process *process, const char *word)
{
	int64_t number;
	uint64_t left;

	if (slice_number(slice_trim(slice_text(word)), 0, INT64_MAX, &number) != 0) {
		process_complain(process, "'%s' is not a valid positive integer", word);
		return 1;
	}
	left = (uint64_t)number;
	process_print(process, "%llu:", (unsigned long long)left);
	for (uint64_t by = 2; by * by <= left && by < 20000000; by += by == 2 ? 1 : 2) {
		while (left % by == 0) {
			process_print(process, " %llu", (unsigned long long)by);
			left /= by;
		}
		if (by % 1024 == 1)
			process_step(process);
	}
	if (left > 1)
		process_print(process, " %llu", (unsigned long long)left);
	process_put_byte(process, '\n');
	return 0;
}

static int factor_main(struct process *process, int argc, char **argv)
{
	struct line_reader reader;
	struct slice line;
	bool newline;
	int status = 0;

	if (argc > 1 && argv[1][0] == '-' && argv[1][1] == '-' && argv[1][2])
		text_other_option(process, argv[1][2] == 'v' ? TEXT_VERSION : TEXT_HELP, COREUTILS,
				  "[NUMBER]...\nWrite the prime factors of each NUMBER.", 1);
	for (int i = 1; i < argc; i++)
		status |= factor_one(process, argv[i]);
	if (argc > 1)
		return status;
	line_reader_open(&reader, 0);
	while (line_reader_next(process, &reader, &line, &newline)) {
		while (line.length > 0) {
			struct slice word;

			line = slice_trim(line);
			if (!slice_next(&line, ' ', &word))
				break;
			status |= factor_one(process, process_copy_slice(process, word));
		}
	}
	return status;
}

/* --- split --- */

struct split {
	const char *prefix;
	uint64_t lines, bytes;
	int64_t length; /* of the suffix */
	bool digits;
	unsigned long next;
	int descriptor;
};

static void split_open(struct process *process, struct split *split)
{
	unsigned base = split->digits ? 10 : 26;
	char suffix[16] = "";
	unsigned long number = split->next++;
	char *name;

	text_close(process, split->descriptor);
	for (int64_t i = split->length; i-- > 0;) {
		suffix[i] = (char)((split->digits ? '0' : 'a') + (int)(number % base));
		number /= base;
	}
	if (number > 0) {
		process_complain(process, "output file suffixes exhausted");
		process_exit(process, 1);
	}
	name = process_format(process, "%s%s", split->prefix, suffix);
	split->descriptor = process_open(process, name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (split->descriptor < 0) {
		process_complain(process, "%s: %s", name, strerror(-split->descriptor));
		process_exit(process, 1);
	}
	process_give(process, name);
}

static int split_input(struct process *process, const char *name, struct text *text)
{
	int descriptor = text_open_quiet(process, name);
	int error = descriptor < 0 ? descriptor
				   : process_read_all(process, descriptor, TEXT_WHOLE_MAX, text);

	if (error < 0)
		process_complain(process,
				 descriptor < 0 ? "cannot open '%s' for reading: %s" : "%s: %s",
				 name, strerror(-error));
	text_close(process, descriptor);
	return error < 0 ? -1 : 0;
}

static int split_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"bytes", 'b', OPTION_NEEDS}, {"lines", 'l', OPTION_NEEDS},
		{"numeric-suffixes", 'd'},    {"suffix-length", 'a', OPTION_NEEDS},
		{"verbose", 'v' + 512},       TEXT_WORDS};
	struct split split = {.prefix = "x", .lines = 1000, .length = 2, .descriptor = -1};
	struct option_state state = {0};
	struct text text = {0};
	uint64_t *wanted;
	uint64_t left = 0;
	int option;

	while ((option = option_next(process, &state, argc, argv, "a:b:C:dl:n:0123456789",
				     words)) != -1) {
		wanted = option == 'l' ? &split.lines : &split.bytes;
		if (option >= '0' && option <= '9')
			split.lines = (split.lines == 1000 ? 0 : split.lines) * 10 +
				      (uint64_t)(option - '0');
		else if (option == 'd')
			split.digits = true;
		else if (option == 'a') {
			if (slice_number(slice_text(state.argument), 1, 10, &split.length) != 0) {
				process_complain(process, "invalid suffix length: '%s'",
						 state.argument);
				return 1;
			}
		} else if (option == 'l' || option == 'b' || option == 'C') {
			if (command_size(state.argument, wanted) != 0 || *wanted == 0) {
				process_complain(process, "invalid number of %s: '%s'",
						 option == 'l' ? "lines" : "bytes", state.argument);
				return 1;
			}
		} else if (option != 'v' + 512 && option != 'n')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE [PREFIX]]\nWrite pieces of FILE to "
					  "PREFIXaa, PREFIXab, ...",
					  1);
	}
	if (argc - state.index > 1)
		split.prefix = argv[state.index + 1];
	if (split_input(process, state.index < argc ? argv[state.index] : "-", &text) != 0)
		return 1;
	for (size_t at = 0; at < text.length;) {
		size_t end = at;

		split_open(process, &split);
		if (split.bytes > 0)
			end = text.length - at > split.bytes ? at + (size_t)split.bytes
							     : text.length;
		for (left = split.lines; split.bytes == 0 && left > 0 && end < text.length;
		     left--) {
			char *found = memchr(text.data + end, '\n', text.length - end);

			end = found ? (size_t)(found - text.data) + 1 : text.length;
		}
		(void)process_write(process, split.descriptor, slice_of(text.data + at, end - at));
		process_step(process);
		at = end;
	}
	text_close(process, split.descriptor);
	return 0;
}

/* --- column -t --- */

#define COLUMNS_MAX 256

struct table {
	struct process *process;
	const char *separators, *between;
	bool repeated; /* separators in a row are one */
	size_t widths[COLUMNS_MAX];
};

/* Calls with each cell of a line; the number of cells. */
static size_t cells_of(const struct table *table, struct slice line, struct slice *cells)
{
	size_t count = 0, at = 0;

	while (at <= line.length && count < COLUMNS_MAX) {
		size_t start;

		while (table->repeated && at < line.length &&
		       strchr(table->separators, line.at[at]) && line.at[at])
			at++;
		if (table->repeated && at == line.length)
			break;
		start = at;
		while (at < line.length && !(line.at[at] && strchr(table->separators, line.at[at])))
			at++;
		cells[count++] = slice_of(line.at + start, at - start);
		at++;
	}
	return count;
}

static void put_table(struct table *table, struct slice text, struct slice *cells)
{
	struct slice rest = text, line;
	size_t most = 0;

	while (slice_next(&rest, '\n', &line)) {
		size_t count = cells_of(table, line, cells);

		most = count > most ? count : most;
		for (size_t i = 0; i < count; i++) {
			if (cells[i].length > table->widths[i])
				table->widths[i] = cells[i].length;
		}
		process_step(table->process);
	}
	rest = text;
	while (slice_next(&rest, '\n', &line)) {
		size_t count = cells_of(table, line, cells);

		if (count == 0)
			continue;
		for (size_t i = 0; i < most; i++) {
			struct slice cell = i < count ? cells[i] : slice_of("", 0);

			process_put(table->process, cell);
			if (i + 1 < most)
				process_print(table->process, "%*s%s",
					      (int)(table->widths[i] - cell.length), "",
					      table->between);
		}
		process_put_byte(table->process, '\n');
		process_step(table->process);
	}
}

/* Without -t: the lines in columns that fill the width. */
static void fill_columns(struct process *process, struct slice text, int64_t width)
{
	struct slice rest = text, line, *lines = NULL;
	size_t count = 0, capacity = 0, longest = 0, columns, rows;

	while (slice_next(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		if (count == capacity) {
			capacity = capacity * 2 + 32;
			lines = process_retake(process, lines, capacity * sizeof(*lines));
		}
		lines[count++] = line;
		longest = line.length > longest ? line.length : longest;
	}
	longest = (longest + 8) / 8 * 8;
	columns = (size_t)width / longest;
	if (columns == 0)
		columns = 1;
	rows = (count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t at = row; at < count; at += rows) {
			process_put(process, lines[at]);
			if (at + rows < count) {
				for (size_t i = lines[at].length / 8; i < longest / 8; i++)
					process_put_byte(process, '\t');
			}
		}
		process_put_byte(process, '\n');
		process_step(process);
	}
}

static int column_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"table", 't'},
						   {"separator", 's', OPTION_NEEDS},
						   {"output-separator", 'o', OPTION_NEEDS},
						   {"output-width", 'c', OPTION_NEEDS},
						   TEXT_WORDS};
	struct table *table = process_take(process, sizeof(*table));
	struct option_state state = {0};
	bool tabular = false;
	int64_t width = 80;
	int option, count;
	struct slice *cells;
	char **names;

	table->process = process;
	table->separators = " \t";
	table->between = "  ";
	table->repeated = true;
	while ((option = option_next(process, &state, argc, argv, "ts:o:c:xnehVN:R:", words)) !=
	       -1) {
		if (option == 't')
			tabular = true;
		else if (option == 's') {
			table->separators = state.argument;
			table->repeated = false;
		} else if (option == 'o')
			table->between = state.argument;
		else if (option == 'c')
			(void)!slice_number(slice_text(state.argument), 1, 10000, &width);
		else if (option == 'V' || option == TEXT_VERSION) {
			process_put_text(process, "column from util-linux 2.38.1\n");
			return 0;
		} else if (option == '?' || option == 'h' || option == TEXT_HELP)
			text_other_option(process, option == '?' ? option : TEXT_HELP, "",
					  "[options] [<file>...]\n\nColumnate lists.", 1);
	}
	cells = process_take(process, COLUMNS_MAX * sizeof(*cells));
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		struct text text = {0};
		int descriptor = text_open_quiet(process, names[i]);

		if (descriptor < 0 ||
		    process_read_all(process, descriptor, TEXT_WHOLE_MAX, &text) != 0) {
			process_complain(process, "%s: %s", names[i],
					 strerror(descriptor < 0 ? -descriptor : EFBIG));
			return 1;
		}
		text_close(process, descriptor);
		if (tabular)
			put_table(table, text_slice(&text), cells);
		else
			fill_columns(process, text_slice(&text), width);
	}
	return 0;
}

static const struct command commands[] = {
	{"comm", comm_main, COMMAND_BOTH},
	{"fold", fold_main, COMMAND_BOTH},
	{"expand", expand_main, COMMAND_BOTH},
	{"unexpand", unexpand_main, COMMAND_BOTH},
	{"shuf", shuf_main, COMMAND_BOTH},
	{"factor", factor_main, COMMAND_BOTH},
	{"split", split_main, COMMAND_DEBIAN},
	{"column", column_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_more = {"text_more", commands};
