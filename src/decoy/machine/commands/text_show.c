/* Commands that show files: cat, tac, nl, rev, tee, wc. */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/commands/text.h"

/* --- cat --- */

struct cat {
	bool number, number_filled, ends, tabs, others, squeeze;
	unsigned long line;
	bool in_line; /* the last line written had no end */
	unsigned empty;
};

static void cat_byte(struct process *process, const struct cat *cat, uint8_t byte)
{
	if (byte == '\t') {
		process_put_text(process, cat->tabs ? "^I" : "\t");
		return;
	}
	if (!cat->others) {
		process_put_byte(process, byte);
		return;
	}
	if (byte >= 128) {
		process_put_text(process, "M-");
		byte &= 127;
	}
	if (byte < 32) {
		process_put_byte(process, '^');
		process_put_byte(process, byte + 64);
	} else if (byte == 127)
		process_put_text(process, "^?");
	else
		process_put_byte(process, byte);
}

static void cat_lines(struct process *process, struct cat *cat, int descriptor)
{
	struct line_reader reader;
	struct slice line;
	bool newline;

	line_reader_open(&reader, descriptor);
	while (line_reader_next(process, &reader, &line, &newline)) {
		bool empty = line.length == 0 && newline && !cat->in_line;

		cat->empty = empty ? cat->empty + 1 : 0;
		if (cat->squeeze && cat->empty > 1)
			continue;
		if (!cat->in_line && (cat->number || (cat->number_filled && !empty)))
			process_print(process, "%6lu\t", ++cat->line);
		for (size_t i = 0; i < line.length; i++) {
			if (cat->ends && !cat->others && newline && line.at[i] == '\r' &&
			    i + 1 == line.length)
				process_put_text(process, "^M");
			else
				cat_byte(process, cat, line.at[i]);
		}
		if (newline && cat->ends)
			process_put_byte(process, '$');
		if (newline)
			process_put_byte(process, '\n');
		cat->in_line = !newline;
	}
	process_give(process, reader.buffer);
}

static const struct option_word cat_words[] = {{"number", 'n'},           {"number-nonblank", 'b'},
					       {"show-all", 'A'},         {"show-ends", 'E'},
					       {"show-nonprinting", 'v'}, {"show-tabs", 'T'},
					       {"squeeze-blank", 's'},    TEXT_WORDS};

static void cat_option(struct process *process, struct cat *cat, int option)
{
	switch (option) {
	case 'n':
		cat->number = true;
		break;
	case 'b':
		cat->number_filled = true;
		break;
	case 'A':
		cat->others = cat->ends = cat->tabs = true;
		break;
	case 'e':
		cat->others = cat->ends = true;
		break;
	case 't':
		cat->others = cat->tabs = true;
		break;
	case 'E':
		cat->ends = true;
		break;
	case 'T':
		cat->tabs = true;
		break;
	case 'v':
		cat->others = true;
		break;
	case 's':
		cat->squeeze = true;
		break;
	case 'u':
		break;
	default:
		text_other_option(process, option, COREUTILS,
				  "[OPTION]... [FILE]...\nWrite each FILE, or standard input, to "
				  "standard output.",
				  1);
	}
}

static int cat_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	char **names;
	int count;
	struct cat cat = {0};
	int option, status = 0;
	bool plain;

	while ((option = option_next(process, &state, argc, argv, "bvestnuAET", cat_words)) != -1)
		cat_option(process, &cat, option);
	if (cat.number_filled)
		cat.number = false;
	plain = !(cat.number || cat.number_filled || cat.ends || cat.tabs || cat.others ||
		  cat.squeeze);
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);
		int error = 0;

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		if (plain)
			error = text_copy(process, descriptor, UINT64_MAX);
		else
			cat_lines(process, &cat, descriptor);
		if (error != 0) {
			process_complain(process, "%s: %s", names[i], strerror(-error));
			status = 1;
		}
		text_close(process, descriptor);
	}
	return status;
}

/* --- tac --- */

static int tac_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"before", 'b'}, {"regex", 'r'}, {"separator", 's', OPTION_NEEDS}, TEXT_WORDS};
	struct option_state state = {0};
	char **names;
	int count;
	struct slice separator = SLICE("\n");
	bool before = false;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "brs:", words)) != -1) {
		if (option == 'b')
			before = true;
		else if (option == 's')
			separator = slice_text(state.argument);
		else if (option != 'r')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite each FILE with its last "
					  "line first.",
					  1);
	}
	if (separator.length == 0)
		separator = slice_of("", 1);
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		struct text text = {0};
		size_t end;

		if (text_read_whole(process, names[i], &text) != 0) {
			status = 1;
			continue;
		}
		end = text.length;
		for (size_t at = text.length; at-- > 0;) {
			size_t cut;

			process_step(process);
			if (at + separator.length > text.length ||
			    memcmp(text.data + at, separator.at, separator.length) != 0)
				continue;
			cut = before ? at : at + separator.length;
			if (cut >= end && !before)
				continue;
			process_put(process, slice_of(text.data + cut, end - cut));
			end = cut;
		}
		process_put(process, slice_of(text.data, end));
		process_give(process, text.data);
	}
	return status;
}

/* --- rev --- */

static int rev_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"zero", '0'}, TEXT_WORDS};
	struct option_state state = {0};
	char **names;
	int count;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "hV0", words)) != -1) {
		if (option == 'V' || option == TEXT_VERSION) {
			process_put_text(process, "rev from util-linux 2.38.1\n");
			return 0;
		}
		if (option != '0')
			text_other_option(process, option == 'h' ? TEXT_HELP : option, "",
					  "[options] [<file> ...]\n\nReverse the letters of each "
					  "line.",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		struct line_reader reader;
		struct slice line;
		bool newline;
		int descriptor = text_open_quiet(process, names[i]);

		if (descriptor < 0) {
			process_complain(process, "cannot open %s: %s", names[i],
					 strerror(-descriptor));
			status = 1;
			continue;
		}
		line_reader_open(&reader, descriptor);
		while (line_reader_next(process, &reader, &line, &newline)) {
			for (size_t at = line.length; at-- > 0;)
				process_put_byte(process, line.at[at]);
			if (newline)
				process_put_byte(process, '\n');
		}
		process_give(process, reader.buffer);
		text_close(process, descriptor);
	}
	return status;
}

/* --- nl --- */

struct nl {
	const char *style, *format, *separator;
	int64_t number, step, width;
};

static void nl_file(struct process *process, struct nl *nl, int descriptor)
{
	struct line_reader reader;
	struct slice line;
	bool newline;

	line_reader_open(&reader, descriptor);
	while (line_reader_next(process, &reader, &line, &newline)) {
		bool counted = nl->style[0] == 'a' || (nl->style[0] == 't' && line.length > 0);
		int width = (int)nl->width;

		if (counted && strcmp(nl->format, "ln") == 0)
			process_print(process, "%-*lld%s", width, (long long)nl->number,
				      nl->separator);
		else if (counted && strcmp(nl->format, "rz") == 0)
			process_print(process, "%0*lld%s", width, (long long)nl->number,
				      nl->separator);
		else if (counted)
			process_print(process, "%*lld%s", width, (long long)nl->number,
				      nl->separator);
		else
			process_print(process, "%*s", width + (int)strlen(nl->separator), "");
		if (counted)
			nl->number += nl->step;
		process_put(process, line);
		process_put_byte(process, '\n');
	}
	process_give(process, reader.buffer);
}

static int nl_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"body-numbering", 'b', OPTION_NEEDS},
						   {"header-numbering", 'h', OPTION_NEEDS},
						   {"footer-numbering", 'f', OPTION_NEEDS},
						   {"line-increment", 'i', OPTION_NEEDS},
						   {"number-format", 'n', OPTION_NEEDS},
						   {"number-separator", 's', OPTION_NEEDS},
						   {"starting-line-number", 'v', OPTION_NEEDS},
						   {"number-width", 'w', OPTION_NEEDS},
						   {"no-renumber", 'p'},
						   TEXT_WORDS};
	struct option_state state = {0};
	char **names;
	int count;
	struct nl nl = {.style = "t",
			.format = "rn",
			.separator = "\t",
			.number = 1,
			.step = 1,
			.width = 6};
	int option, status = 0, wrong = 0;

	while ((option = option_next(process, &state, argc, argv,
				     "b:h:f:i:l:n:ps:v:w:d:", words)) != -1) {
		struct slice argument = slice_text(state.argument);

		if (option == 'b')
			nl.style = state.argument;
		else if (option == 'n')
			nl.format = state.argument;
		else if (option == 's')
			nl.separator = state.argument;
		else if (option == 'i')
			wrong = slice_number(argument, INT64_MIN / 2, INT64_MAX / 2, &nl.step);
		else if (option == 'v')
			wrong = slice_number(argument, INT64_MIN / 2, INT64_MAX / 2, &nl.number);
		else if (option == 'w') {
			wrong = slice_number(argument, 1, 10000, &nl.width);
			if (wrong) {
				process_complain(process, "invalid line number field width: '%s'",
						 state.argument);
				return 1;
			}
		} else if (!strchr("hflpd", option))
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite each FILE with line "
					  "numbers.",
					  1);
		if (wrong) {
			process_complain(process, "invalid %s: '%s'",
					 option == 'i' ? "line number increment"
						       : "starting line number",
					 state.argument);
			return 1;
		}
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		nl_file(process, &nl, descriptor);
		text_close(process, descriptor);
	}
	return status;
}

/* --- tee --- */

#define TEE_FILES_MAX 64

static int tee_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"append", 'a'},
						   {"ignore-interrupts", 'i'},
						   {"output-error", 'p', OPTION_MAY},
						   TEXT_WORDS};
	struct option_state state = {0};
	int files[TEE_FILES_MAX];
	int option, status = 0, count = 0, flags = O_WRONLY | O_CREAT | O_TRUNC;
	uint8_t bytes[2048];
	ssize_t got;

	while ((option = option_next(process, &state, argc, argv, "aip", words)) != -1) {
		if (option == 'a')
			flags = O_WRONLY | O_CREAT | O_APPEND;
		else if (option == 'i')
			process_on_signal(process, SIGINT, SIGNAL_IGNORED);
		else if (option != 'p')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nCopy standard input to each "
					  "FILE, and also to standard output.",
					  1);
	}
	for (int i = state.index; i < argc && count < TEE_FILES_MAX; i++) {
		int descriptor = process_open(process, argv[i], flags, 0666);

		if (descriptor < 0) {
			process_complain(process, "%s: %s", argv[i], strerror(-descriptor));
			status = 1;
		} else
			files[count++] = descriptor;
	}
	while ((got = process_read(process, 0, bytes, sizeof(bytes))) > 0) {
		struct slice part = slice_of(bytes, (size_t)got);

		process_put(process, part);
		for (int i = 0; i < count; i++) {
			ssize_t wrote = process_write(process, files[i], part);

			if (wrote < 0) {
				process_complain(process, "write error: %s", strerror((int)-wrote));
				status = 1;
			}
		}
		process_flush(process);
		process_step(process);
	}
	return status;
}

/* --- wc --- */

struct wc {
	bool lines, words, letters, bytes, longest;
	int width;
};
struct wc_counts {
	uint64_t lines, words, letters, bytes, longest;
};

static void wc_show(struct process *process, const struct wc *wc, const struct wc_counts *counts,
		    const char *name)
{
	const struct {
		bool wanted;
		uint64_t number;
	} columns[] = {{wc->lines, counts->lines},
		       {wc->words, counts->words},
		       {wc->letters, counts->letters},
		       {wc->bytes, counts->bytes},
		       {wc->longest, counts->longest}};
	const char *before = "";

	for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
		if (!columns[i].wanted)
			continue;
		process_print(process, "%s%*llu", before, wc->width,
			      (unsigned long long)columns[i].number);
		before = " ";
	}
	process_print(process, name ? " %s\n" : "\n", name);
}

static int wc_count(struct process *process, const struct wc *wc, int descriptor,
		    struct wc_counts *counts)
{
	uint8_t bytes[2048];
	bool in_word = false;
	uint64_t column = 0;
	ssize_t got;

	if (!wc->lines && !wc->words && !wc->letters && !wc->longest) {
		struct file_status status;

		if (process_status_of(process, descriptor, &status) == 0 && S_ISREG(status.mode) &&
		    status.size > 0 && process_seek(process, descriptor, 0, SEEK_CUR) == 0) {
			counts->bytes = status.size;
			return 0;
		}
	}
	while ((got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
		counts->bytes += (uint64_t)got;
		counts->letters += (uint64_t)got;
		process_step(process);
		for (ssize_t i = 0; i < got; i++) {
			uint8_t byte = bytes[i];
			bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');

			if (byte == '\n')
				counts->lines++;
			if (byte == '\n' || byte == '\r' || byte == '\f') {
				if (column > counts->longest)
					counts->longest = column;
				column = 0;
			} else if (byte == '\t')
				column += 8 - column % 8;
			else if (byte >= 32 && byte < 127)
				column++;
			if (!space && !in_word && (byte > 32 && byte != 127))
				in_word = true, counts->words++;
			else if (space)
				in_word = false;
		}
	}
	if (column > counts->longest)
		counts->longest = column;
	return (int)got;
}

/* The width of all numbers: that of the sum of the sizes; 7 when there is no telling. */
static int wc_width(struct process *process, const struct wc *wc, int count, char **names)
{
	int columns = wc->lines + wc->words + wc->letters + wc->bytes + wc->longest;
	uint64_t total = 0;
	int width = 1, least = 1;

	if (count <= 1 && columns == 1)
		return 1;
	for (int i = 0; i < count; i++) {
		struct file_status status;
		int error = strcmp(names[i], "-") == 0
				    ? process_status_of(process, 0, &status)
				    : process_stat(process, names[i], true, &status);

		if (error != 0)
			continue;
		if (S_ISREG(status.mode))
			total += status.size;
		else
			least = 7;
	}
	for (; total >= 10; total /= 10)
		width++;
	return width < least ? least : width;
}

static int wc_files(struct process *process, struct wc *wc, int count, char **names, bool unnamed)
{
	struct wc_counts total = {0};
	int status = 0;

	wc->width = wc_width(process, wc, count, names);
	if (process->busybox)
		wc->width =
			wc->lines + wc->words + wc->letters + wc->bytes + wc->longest == 1 ? 1 : 9;
	for (int i = 0; i < count; i++) {
		struct wc_counts counts = {0};
		int descriptor = text_open_quiet(process, names[i]);
		int error = 0;

		if (descriptor >= 0 || descriptor == -EISDIR) {
			error = descriptor >= 0 ? wc_count(process, wc, descriptor, &counts)
						: descriptor;
			if (error != 0)
				process_complain(process, "%s: %s", names[i], strerror(-error));
			wc_show(process, wc, &counts, unnamed ? NULL : names[i]);
		} else {
			process_complain(process, "%s: %s", names[i], strerror(-descriptor));
			error = -1;
		}
		if (error != 0)
			status = 1;
		text_close(process, descriptor);
		total.lines += counts.lines;
		total.words += counts.words;
		total.letters += counts.letters;
		total.bytes += counts.bytes;
		if (counts.longest > total.longest)
			total.longest = counts.longest;
	}
	if (count > 1)
		wc_show(process, wc, &total, "total");
	return status;
}

static int wc_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"bytes", 'c'},           {"chars", 'm'},
						   {"lines", 'l'},           {"words", 'w'},
						   {"max-line-length", 'L'}, TEXT_WORDS};
	struct option_state state = {0};
	char **names;
	int count;
	struct wc wc = {0};
	bool unnamed;
	int option;

	while ((option = option_next(process, &state, argc, argv, "clLmw", words)) != -1) {
		if (option == 'c')
			wc.bytes = true;
		else if (option == 'm')
			wc.letters = true;
		else if (option == 'l')
			wc.lines = true;
		else if (option == 'w')
			wc.words = true;
		else if (option == 'L')
			wc.longest = true;
		else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nCount the lines, words and bytes "
					  "of each FILE.",
					  1);
	}
	if (!(wc.bytes || wc.letters || wc.lines || wc.words || wc.longest))
		wc.lines = wc.words = wc.bytes = true;
	unnamed = state.index == argc;
	count = text_names(process, &state, argc, argv, &names);
	return wc_files(process, &wc, count, names, unnamed);
}

static const struct command commands[] = {
	{"cat", cat_main, COMMAND_BOTH},
	{"tac", tac_main, COMMAND_BOTH},
	{"rev", rev_main, COMMAND_BOTH},
	{"nl", nl_main, COMMAND_BOTH},
	{"tee", tee_main, COMMAND_BOTH},
	{"wc", wc_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_show = {"text_show", commands};
