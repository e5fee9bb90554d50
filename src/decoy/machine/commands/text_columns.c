/* Parts of lines: cut, paste, uniq. */
#include <ctype.h>
#include <fcntl.h>

#include "decoy/machine/commands/text.h"

#define RANGES_MAX 256

/* --- cut --- */

struct range {
	uint64_t low, high;
};
struct cut {
	struct process *process;
	struct range ranges[RANGES_MAX];
	size_t count;
	char kind; /* b c f */
	bool complement, only_delimited, has_delimiter, has_output;
	uint8_t delimiter, end;
	struct slice output;
};

_Noreturn static void cut_wrong(struct cut *cut, const char *words)
{
	process_complain(cut->process, "%s", words);
	text_try_help(cut->process, 1);
}

static bool is_cut(const struct cut *cut, uint64_t number)
{
	for (size_t i = 0; i < cut->count; i++) {
		if (number >= cut->ranges[i].low && number <= cut->ranges[i].high)
			return !cut->complement;
	}
	return cut->complement;
}

static uint64_t cut_number(struct cut *cut, const char **at, const char *list)
{
	uint64_t number = 0;

	while (isdigit((unsigned char)**at)) {
		number = number * 10 + (uint64_t)(*(*at)++ - '0');
		if (number > UINT64_MAX / 20)
			cut_wrong(cut, process_format(cut->process, "%s number '%s' is too large",
						      cut->kind == 'f' ? "field" : "byte/character",
						      list));
	}
	return number;
}

static void cut_list(struct cut *cut, const char *list)
{
	const char *at = list;

	for (;;) {
		struct range range = {1, UINT64_MAX};
		bool low = isdigit((unsigned char)*at) != 0, dash = false, high;

		if (low)
			range.low = cut_number(cut, &at, list);
		if (*at == '-') {
			dash = true;
			at++;
		}
		high = isdigit((unsigned char)*at) != 0;
		if (high)
			range.high = cut_number(cut, &at, list);
		else if (!dash)
			range.high = range.low;
		if (*at && *at != ',' && *at != ' ' && *at != '\t')
			cut_wrong(cut, process_format(cut->process,
						      cut->kind == 'f'
							      ? "invalid field value '%s'"
							      : "invalid byte/character position "
								"'%s'",
						      at));
		if (dash && !low && !high)
			cut_wrong(cut, "invalid range with no endpoint: -");
		if ((low && range.low == 0) || (high && range.high == 0) || (!low && !dash))
			cut_wrong(cut, cut->kind == 'f'
					       ? "fields are numbered from 1"
					       : "byte/character positions are numbered from 1");
		if (range.high < range.low)
			cut_wrong(cut, "invalid decreasing range");
		if (cut->count < RANGES_MAX)
			cut->ranges[cut->count++] = range;
		if (*at == '\0')
			return;
		at++;
	}
}

static bool starts_range(const struct cut *cut, uint64_t number)
{
	return number > 1 && !is_cut(cut, number - 1);
}

static void cut_bytes(struct cut *cut, struct slice line)
{
	bool any = false;

	for (size_t i = 0; i < line.length; i++) {
		if (!is_cut(cut, i + 1))
			continue;
		if (cut->has_output && any && starts_range(cut, i + 1))
			process_put(cut->process, cut->output);
		process_put_byte(cut->process, line.at[i]);
		any = true;
	}
	process_put_byte(cut->process, cut->end);
}

static void cut_fields(struct cut *cut, struct slice line)
{
	uint64_t number = 1;
	bool any = false;

	if (slice_find_byte(line, cut->delimiter) == SIZE_MAX) {
		if (cut->only_delimited)
			return;
		process_put(cut->process, line);
		process_put_byte(cut->process, cut->end);
		return;
	}
	for (bool more = true; more; number++) {
		size_t end = slice_find_byte(line, cut->delimiter);

		if (is_cut(cut, number)) {
			if (any)
				process_put(cut->process, cut->output);
			process_put(cut->process, slice_first(line, end));
			any = true;
		}
		more = end != SIZE_MAX;
		if (more)
			line = slice_from(line, end + 1);
	}
	process_put_byte(cut->process, cut->end);
}

enum { OPTION_COMPLEMENT = TEXT_OWN, OPTION_OUTPUT };

static void cut_option(struct cut *cut, int option, const char *argument, const char **list)
{
	switch (option) {
	case 'b':
	case 'c':
	case 'f':
		if (cut->kind)
			cut_wrong(cut, "only one list may be specified");
		cut->kind = (char)option;
		*list = argument;
		break;
	case 'd':
		if (*argument && argument[1])
			cut_wrong(cut, "the delimiter must be a single character");
		cut->delimiter = (uint8_t)*argument;
		cut->has_delimiter = true;
		break;
	case 's':
		cut->only_delimited = true;
		break;
	case 'z':
		cut->end = 0;
		break;
	case 'n':
		break;
	case OPTION_COMPLEMENT:
		cut->complement = true;
		break;
	case OPTION_OUTPUT:
		cut->output = slice_text(argument);
		cut->has_output = true;
		break;
	default:
		text_other_option(cut->process, option, COREUTILS,
				  "OPTION... [FILE]...\nWrite parts of each line: bytes (-b), "
				  "characters (-c) or fields (-f).",
				  1);
	}
}

static int cut_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"bytes", 'b', OPTION_NEEDS},
		{"characters", 'c', OPTION_NEEDS},
		{"fields", 'f', OPTION_NEEDS},
		{"delimiter", 'd', OPTION_NEEDS},
		{"only-delimited", 's'},
		{"output-delimiter", OPTION_OUTPUT, OPTION_NEEDS},
		{"complement", OPTION_COMPLEMENT},
		{"zero-terminated", 'z'},
		TEXT_WORDS};
	struct cut *cut = process_take(process, sizeof(*cut));
	struct option_state state = {0};
	const char *list = NULL;
	char **names;
	int option, count, status = 0;

	cut->process = process;
	cut->delimiter = '\t';
	cut->end = '\n';
	while ((option = option_next(process, &state, argc, argv, "b:c:d:f:nsz", words)) != -1)
		cut_option(cut, option, state.argument, &list);
	if (!cut->kind && process->busybox) {
		process_complain(process, "expected a list of bytes, characters, or fields");
		return 1;
	}
	if (!cut->kind)
		cut_wrong(cut, "you must specify a list of bytes, characters, or fields");
	if (cut->has_delimiter && cut->kind != 'f')
		cut_wrong(cut, "an input delimiter may be specified only when operating on fields");
	if (cut->only_delimited && cut->kind != 'f')
		cut_wrong(cut, "suppressing non-delimited lines makes sense\n\tonly when operating "
			       "on fields");
	cut_list(cut, list);
	if (!cut->has_output && cut->kind == 'f')
		cut->output = slice_of(&cut->delimiter, 1);
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
		while (line_reader_until(process, &reader, cut->end, &line, &newline)) {
			if (cut->kind == 'f')
				cut_fields(cut, line);
			else
				cut_bytes(cut, line);
		}
		process_give(process, reader.buffer);
		text_close(process, descriptor);
	}
	return status;
}

/* --- paste --- */

struct paste {
	struct process *process;
	struct text delimiters; /* \0 stands for none */
	bool none[64];
	bool serial;
	uint8_t end;
};

static void paste_delimiters(struct paste *paste, const char *list)
{
	for (; *list; list++) {
		uint8_t byte = (uint8_t)*list;
		bool none = false;

		if (byte == '\\' && list[1]) {
			byte = (uint8_t) * ++list;
			none = byte == '0';
			byte = byte == 'n' ? '\n' : byte == 't' ? '\t' : byte == 'r' ? '\r' : byte;
		}
		if (paste->delimiters.length >= ARRAY_COUNT(paste->none))
			return;
		paste->none[paste->delimiters.length] = none;
		text_add_byte(paste->process, &paste->delimiters, byte);
	}
	if (paste->delimiters.length == 0) {
		paste->none[0] = true;
		text_add_byte(paste->process, &paste->delimiters, '0');
	}
}

static void put_delimiter(struct paste *paste, size_t index)
{
	index %= paste->delimiters.length;
	if (!paste->none[index])
		process_put_byte(paste->process, (uint8_t)paste->delimiters.data[index]);
}

static void paste_serial(struct paste *paste, struct line_reader *reader)
{
	struct slice line;
	bool newline;
	size_t count = 0;

	while (line_reader_until(paste->process, reader, paste->end, &line, &newline)) {
		if (count > 0)
			put_delimiter(paste, count - 1);
		process_put(paste->process, line);
		count++;
	}
	process_put_byte(paste->process, paste->end);
}

static void paste_parallel(struct paste *paste, struct line_reader *readers, int count)
{
	for (;;) {
		struct text row = {0};
		struct process *process = paste->process;
		bool any = false;

		for (int i = 0; i < count; i++) {
			struct slice line;
			bool newline;

			if (i > 0 && !paste->none[(size_t)(i - 1) % paste->delimiters.length])
				text_add_byte(
					process, &row,
					(uint8_t)paste->delimiters
						.data[(size_t)(i - 1) % paste->delimiters.length]);
			if (readers[i].descriptor < 0)
				continue;
			if (line_reader_until(process, &readers[i], paste->end, &line, &newline)) {
				text_add(process, &row, line);
				any = true;
			} else
				readers[i].descriptor = -1;
		}
		if (any) {
			process_put(process, text_slice(&row));
			process_put_byte(process, paste->end);
		}
		process_give(process, row.data);
		if (!any)
			return;
	}
}

static int paste_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"delimiters", 'd', OPTION_NEEDS},
						   {"serial", 's'},
						   {"zero-terminated", 'z'},
						   TEXT_WORDS};
	struct paste paste = {.process = process, .end = '\n'};
	struct option_state state = {0};
	struct line_reader *readers;
	const char *delimiters = "\\t";
	char **names;
	int option, count, status = 0;

	while ((option = option_next(process, &state, argc, argv, "d:sz", words)) != -1) {
		if (option == 'd')
			delimiters = state.argument;
		else if (option == 's')
			paste.serial = true;
		else if (option == 'z')
			paste.end = 0;
		else
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... [FILE]...\nWrite the lines of all FILEs side "
				"by side.",
				1);
	}
	paste_delimiters(&paste, delimiters);
	count = text_names(process, &state, argc, argv, &names);
	readers = process_take(process, (size_t)count * sizeof(*readers));
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);

		line_reader_open(&readers[i], descriptor);
		if (descriptor < 0)
			status = 1;
		if (descriptor < 0 && !paste.serial)
			return 1;
		if (paste.serial && descriptor >= 0)
			paste_serial(&paste, &readers[i]);
	}
	if (!paste.serial) {
		for (int i = 1; i < count; i++) { /* - - -: the same reader */
			for (int j = 0; j < i; j++) {
				if (readers[i].descriptor == 0 && readers[j].descriptor == 0)
					goto shared;
			}
		}
		paste_parallel(&paste, readers, count);
	}
	return status;
shared:
	for (;;) { /* only standard input, several times */
		struct slice line;
		bool newline, any = false;
		struct text row = {0};

		for (int i = 0; i < count; i++) {
			struct line_reader *reader = &readers[i];

			if (reader->descriptor == 0)
				for (int j = 0; j < i; j++)
					if (readers[j].descriptor == 0) {
						reader = &readers[j];
						break;
					}
			if (i > 0 && !paste.none[(size_t)(i - 1) % paste.delimiters.length])
				text_add_byte(
					process, &row,
					(uint8_t)paste.delimiters
						.data[(size_t)(i - 1) % paste.delimiters.length]);
			if (line_reader_until(process, reader, paste.end, &line, &newline)) {
				text_add(process, &row, line);
				any = true;
			}
		}
		if (!any)
			return status;
		process_put(process, text_slice(&row));
		process_put_byte(process, paste.end);
		process_give(process, row.data);
	}
}

/* --- uniq --- */

struct uniq {
	struct process *process;
	bool counts, repeated, unique, all_repeated, fold;
	uint64_t fields, letters, width;
	uint8_t end;
};

static struct slice compared(const struct uniq *uniq, struct slice line)
{
	size_t at = 0;

	for (uint64_t i = 0; i < uniq->fields && at < line.length; i++) {
		while (at < line.length && (line.at[at] == ' ' || line.at[at] == '\t'))
			at++;
		while (at < line.length && line.at[at] != ' ' && line.at[at] != '\t')
			at++;
	}
	line = slice_from(line, at);
	line = slice_from(line, uniq->letters < line.length ? (size_t)uniq->letters : line.length);
	return slice_first(line, uniq->width < line.length ? (size_t)uniq->width : line.length);
}

static bool same(const struct uniq *uniq, struct slice a, struct slice b)
{
	a = compared(uniq, a);
	b = compared(uniq, b);
	if (!uniq->fold)
		return slice_equal(a, b);
	return a.length == b.length &&
	       (a.length == 0 ||
		strncasecmp((const char *)a.at, (const char *)b.at, a.length) == 0);
}

static void uniq_put(struct uniq *uniq, struct slice line, uint64_t count)
{
	if (uniq->all_repeated || (count == 1 && uniq->repeated) || (count > 1 && uniq->unique))
		return;
	if (uniq->counts)
		process_print(uniq->process, "%7llu ", (unsigned long long)count);
	process_put(uniq->process, line);
	process_put_byte(uniq->process, uniq->end);
}

static void uniq_lines(struct uniq *uniq, struct line_reader *reader)
{
	struct text kept = {0};
	struct slice line;
	uint64_t count = 0;
	bool newline;

	while (line_reader_until(uniq->process, reader, uniq->end, &line, &newline)) {
		if (count > 0 && same(uniq, text_slice(&kept), line)) {
			if (uniq->all_repeated) {
				if (count == 1) {
					process_put(uniq->process, text_slice(&kept));
					process_put_byte(uniq->process, uniq->end);
				}
				process_put(uniq->process, line);
				process_put_byte(uniq->process, uniq->end);
			}
			count++;
			continue;
		}
		if (count > 0)
			uniq_put(uniq, text_slice(&kept), count);
		text_clear(&kept);
		text_add(uniq->process, &kept, line);
		count = 1;
	}
	if (count > 0)
		uniq_put(uniq, text_slice(&kept), count);
}

static uint64_t uniq_number(struct uniq *uniq, const char *text, const char *what)
{
	uint64_t number;

	if (command_size(text, &number) != 0) {
		process_complain(uniq->process, "%s: invalid number of %s", text, what);
		process_exit(uniq->process, 1);
	}
	return number;
}

static int uniq_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"all-repeated", 'D', OPTION_MAY},
						   {"count", 'c'},
						   {"repeated", 'd'},
						   {"ignore-case", 'i'},
						   {"unique", 'u'},
						   {"skip-fields", 'f', OPTION_NEEDS},
						   {"skip-chars", 's', OPTION_NEEDS},
						   {"check-chars", 'w', OPTION_NEEDS},
						   {"zero-terminated", 'z'},
						   TEXT_WORDS};
	struct uniq uniq = {.process = process, .width = UINT64_MAX, .end = '\n'};
	struct option_state state = {0};
	struct line_reader reader;
	int option, descriptor = 0;

	while ((option = option_next(process, &state, argc, argv, "cdDf:is:uw:z", words)) != -1) {
		if (option == 'c')
			uniq.counts = true;
		else if (option == 'd')
			uniq.repeated = true;
		else if (option == 'D')
			uniq.all_repeated = true;
		else if (option == 'i')
			uniq.fold = true;
		else if (option == 'u')
			uniq.unique = true;
		else if (option == 'z')
			uniq.end = 0;
		else if (option == 'f')
			uniq.fields = uniq_number(&uniq, state.argument, "fields to skip");
		else if (option == 's')
			uniq.letters = uniq_number(&uniq, state.argument, "bytes to skip");
		else if (option == 'w')
			uniq.width = uniq_number(&uniq, state.argument, "bytes to compare");
		else
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... [INPUT [OUTPUT]]\nWrite lines that are equal "
				"to the one before only once.",
				1);
	}
	if (argc - state.index > 2) {
		process_complain(process, "extra operand '%s'", argv[state.index + 2]);
		text_try_help(process, 1);
	}
	if (state.index < argc) {
		descriptor = text_open(process, argv[state.index]);
		if (descriptor < 0)
			return 1;
	}
	if (argc - state.index == 2 && strcmp(argv[state.index + 1], "-") != 0) {
		int out = process_open(process, argv[state.index + 1], O_WRONLY | O_CREAT | O_TRUNC,
				       0666);

		if (out < 0) {
			process_complain(process, "%s: %s", argv[state.index + 1], strerror(-out));
			return 1;
		}
		process_duplicate(process, out, 1);
	}
	line_reader_open(&reader, descriptor);
	uniq_lines(&uniq, &reader);
	return 0;
}

static const struct command commands[] = {
	{"cut", cut_main, COMMAND_BOTH},
	{"paste", paste_main, COMMAND_BOTH},
	{"uniq", uniq_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_columns = {"text_columns", commands};
