/* join, iconv, xxd. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

/* --- join --- */

#define FIELDS_MAX 256
#define OUTPUT_MAX 64

struct join_line {
	char *text;
	struct slice fields[FIELDS_MAX];
	size_t count;
	bool matched;
};

struct join_side {
	struct line_reader reader;
	struct join_line *lines; /* of one key */
	size_t count, capacity;
	struct join_line next;
	bool has_next, unpaired;
	size_t field;
};

struct join {
	struct process *process;
	struct join_side sides[2];
	int separator; /* -1: blanks */
	bool ignore_case, only_unpaired;
	const char *empty;
	struct {
		int side; /* 0: the join field */
		size_t field;
	} output[OUTPUT_MAX];
	size_t output_count;
};

static bool join_read(struct join *join, struct join_side *side)
{
	struct slice line;
	bool newline;
	size_t at = 0;

	side->has_next = line_reader_next(join->process, &side->reader, &line, &newline);
	if (!side->has_next)
		return false;
	side->next = (struct join_line){.text = process_copy_slice(join->process, line)};
	line.at = (const uint8_t *)side->next.text;
	while (at <= line.length && side->next.count < FIELDS_MAX) {
		size_t start;

		if (join->separator < 0) {
			while (at < line.length && isblank(line.at[at]))
				at++;
			if (at == line.length)
				break;
		}
		start = at;
		while (at < line.length && (join->separator < 0 ? !isblank(line.at[at])
								: line.at[at] != join->separator))
			at++;
		side->next.fields[side->next.count++] = slice_of(line.at + start, at - start);
		at++;
	}
	return true;
}

static struct slice join_field(const struct join_line *line, size_t field)
{
	return field < line->count ? line->fields[field] : slice_of("", 0);
}

static int join_order(const struct join *join, struct slice a, struct slice b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order;

	if (!join->ignore_case)
		return slice_compare(a, b);
	order = shorter ? strncasecmp((const char *)a.at, (const char *)b.at, shorter) : 0;
	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* All lines with the same key. */
static void join_take(struct join *join, struct join_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		process_give(join->process, side->lines[i].text);
	side->count = 0;
	while (side->has_next &&
	       (side->count == 0 || join_order(join, join_field(&side->lines[0], side->field),
					       join_field(&side->next, side->field)) == 0)) {
		if (side->count == side->capacity) {
			side->capacity = side->capacity * 2 + 2;
			side->lines = process_retake(join->process, side->lines,
						     side->capacity * sizeof(*side->lines));
		}
		side->lines[side->count++] = side->next;
		join_read(join, side);
	}
}

static void join_put(struct join *join, struct slice field, bool first)
{
	if (!first)
		process_put_byte(join->process,
				 join->separator < 0 ? ' ' : (uint8_t)join->separator);
	if (field.length > 0)
		process_put(join->process, field);
	else
		process_put_text(join->process, join->empty);
}

static void join_put_pair(struct join *join, const struct join_line *a, const struct join_line *b)
{
	const struct join_line *lines[2] = {a, b};
	size_t key_side = a ? 0 : 1;
	struct slice key = join_field(lines[key_side], join->sides[key_side].field);

	if (join->output_count > 0) {
		for (size_t i = 0; i < join->output_count; i++) {
			int side = join->output[i].side;
			struct slice field = side == 0         ? key
					     : lines[side - 1] ? join_field(lines[side - 1],
									    join->output[i].field)
							       : slice_of("", 0);

			join_put(join, field, i == 0);
		}
	} else {
		join_put(join, key, true);
		for (size_t side = 0; side < 2; side++) {
			for (size_t i = 0; lines[side] && i < lines[side]->count; i++) {
				if (i != join->sides[side].field)
					join_put(join, lines[side]->fields[i], false);
			}
		}
	}
	process_put_byte(join->process, '\n');
}

static void join_run(struct join *join)
{
	struct join_side *a = &join->sides[0], *b = &join->sides[1];

	join_read(join, a);
	join_read(join, b);
	join_take(join, a);
	join_take(join, b);
	while (a->count > 0 || b->count > 0) {
		int order = a->count == 0   ? 1
			    : b->count == 0 ? -1
					    : join_order(join, join_field(&a->lines[0], a->field),
							 join_field(&b->lines[0], b->field));

		process_step(join->process);
		for (size_t i = 0; order < 0 && a->unpaired && i < a->count; i++)
			join_put_pair(join, &a->lines[i], NULL);
		for (size_t i = 0; order > 0 && b->unpaired && i < b->count; i++)
			join_put_pair(join, NULL, &b->lines[i]);
		for (size_t i = 0; order == 0 && !join->only_unpaired && i < a->count; i++) {
			for (size_t k = 0; k < b->count; k++) {
				join_put_pair(join, &a->lines[i], &b->lines[k]);
				process_step(join->process);
			}
		}
		if (order <= 0)
			join_take(join, a);
		if (order >= 0)
			join_take(join, b);
	}
}

static size_t join_number(struct join *join, const char *text)
{
	int64_t number;

	if (slice_number(slice_text(text), 1, 1000000, &number) != 0) {
		process_complain(join->process, "invalid field number: '%s'", text);
		process_exit(join->process, 1);
	}
	return (size_t)number - 1;
}

static void join_format(struct join *join, const char *list)
{
	struct slice rest = slice_text(list), part;

	if (strcmp(list, "auto") == 0)
		return;
	while (slice_next(&rest, ',', &part)) {
		int64_t number = 1;

		if (join->output_count == OUTPUT_MAX)
			return;
		if (!slice_is(part, "0") &&
		    (part.length < 3 || part.at[1] != '.' || part.at[0] < '1' || part.at[0] > '2' ||
		     slice_number(slice_from(part, 2), 1, 1000000, &number) != 0)) {
			process_complain(join->process, "invalid field specifier: '%.*s'",
					 (int)part.length, (const char *)part.at);
			process_exit(join->process, 1);
		}
		join->output[join->output_count].side = part.at[0] - '0';
		join->output[join->output_count++].field = (size_t)number - 1;
	}
}

static int join_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"ignore-case", 'i'},
						   {"check-order", 'i' + 512},
						   {"nocheck-order", 'i' + 512},
						   {"header", 'i' + 512},
						   TEXT_WORDS};
	struct join *join = process_take(process, sizeof(*join));
	struct option_state state = {0};
	int option;

	join->process = process;
	join->separator = -1;
	join->empty = "";
	while ((option = option_next(process, &state, argc, argv, "a:e:i1:2:j:o:t:v:z", words)) !=
	       -1) {
		if (option == 'a' || option == 'v') {
			join->sides[state.argument[0] == '2'].unpaired = true;
			join->only_unpaired = join->only_unpaired || option == 'v';
		} else if (option == 'e')
			join->empty = state.argument;
		else if (option == 'i')
			join->ignore_case = true;
		else if (option == '1' || option == '2')
			join->sides[option - '1'].field = join_number(join, state.argument);
		else if (option == 'j')
			join->sides[0].field = join->sides[1].field =
				join_number(join, state.argument);
		else if (option == 'o')
			join_format(join, state.argument);
		else if (option == 't')
			join->separator = (uint8_t)*state.argument;
		else if (option != 'i' + 512 && option != 'z')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... FILE1 FILE2\nJoin lines of two sorted files "
					  "that have the same key.",
					  1);
	}
	if (argc - state.index != 2) {
		if (argc - state.index == 0)
			process_complain(process, "missing operand");
		else if (argc - state.index == 1)
			process_complain(process, "missing operand after '%s'", argv[argc - 1]);
		else
			process_complain(process, "extra operand '%s'", argv[state.index + 2]);
		text_try_help(process, 1);
	}
	for (int i = 0; i < 2; i++) {
		int descriptor = text_open(process, argv[state.index + i]);

		if (descriptor < 0)
			return 1;
		line_reader_open(&join->sides[i].reader, descriptor);
	}
	join_run(join);
	return 0;
}

/* --- iconv: UTF-8, ASCII and Latin-1, what files here are in --- */

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_ASCII, CHARSET_UNKNOWN };

static enum charset charset_of(const char *name)
{
	static const struct {
		const char *name;
		enum charset charset;
	} names[] = {{"UTF-8", CHARSET_UTF8},        {"UTF8", CHARSET_UTF8},
		     {"ISO-8859-1", CHARSET_LATIN1}, {"ISO8859-1", CHARSET_LATIN1},
		     {"LATIN1", CHARSET_LATIN1},     {"ISO-8859-15", CHARSET_LATIN1},
		     {"CP1252", CHARSET_LATIN1},     {"WINDOWS-1252", CHARSET_LATIN1},
		     {"ASCII", CHARSET_ASCII},       {"US-ASCII", CHARSET_ASCII}};
	size_t length = strcspn(name, "/");

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is_nocase(slice_of(name, length), names[i].name))
			return names[i].charset;
	}
	return CHARSET_UNKNOWN;
}

/* One letter of the input; its length, or 0 when it is none. */
static size_t decode_letter(struct slice text, enum charset from, unsigned *letter)
{
	size_t length;

	*letter = text.at[0];
	if (from != CHARSET_UTF8)
		return from == CHARSET_ASCII && *letter > 127 ? 0 : 1;
	length = utf8_sequence(text);
	if (length > 1)
		*letter &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++)
		*letter = *letter << 6 | (text.at[i] & 0x3fu);
	return length;
}

static int convert(struct process *process, struct slice text, enum charset from, enum charset to,
		   const char *to_name, bool leave_out)
{
	bool similar = strstr(to_name, "//TRANSLIT") != NULL;

	leave_out = leave_out || strstr(to_name, "//IGNORE");
	for (size_t at = 0; at < text.length;) {
		unsigned letter;
		size_t length = decode_letter(slice_from(text, at), from, &letter);
		bool fits = to == CHARSET_UTF8 || letter < (to == CHARSET_ASCII ? 128u : 256u);

		if (length == 0 || (!fits && !similar)) {
			if (!leave_out) {
				process_flush(process);
				process_complain(process, "illegal input sequence at position %zu",
						 at);
				return 1;
			}
			at += length ? length : 1;
			continue;
		}
		if (!fits)
			process_put_byte(process, '?');
		else if (to != CHARSET_UTF8 || letter < 128)
			process_put_byte(process, (uint8_t)letter);
		else if (from == CHARSET_UTF8)
			process_put(process, slice_of(text.at + at, length));
		else {
			process_put_byte(process, (uint8_t)(0xc0 | letter >> 6));
			process_put_byte(process, (uint8_t)(0x80 | (letter & 0x3f)));
		}
		at += length;
		if (at % 256 == 0)
			process_step(process);
	}
	return 0;
}

static int iconv_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"from-code", 'f', OPTION_NEEDS},
						   {"to-code", 't', OPTION_NEEDS},
						   {"list", 'l'},
						   {"output", 'o', OPTION_NEEDS},
						   {"silent", 's'},
						   {"verbose", 's'},
						   TEXT_WORDS};
	const char *from = "UTF-8", *to = "UTF-8";
	struct option_state state = {0};
	bool leave_out = false;
	int option, count, status = 0;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "cf:lo:st:", words)) != -1) {
		if (option == 'f')
			from = state.argument;
		else if (option == 't')
			to = state.argument;
		else if (option == 'c')
			leave_out = true;
		else if (option == 'o') {
			int out = process_open(process, state.argument,
					       O_WRONLY | O_CREAT | O_TRUNC, 0666);

			if (out < 0) {
				process_complain(process, "unable to open output file: %s",
						 strerror(-out));
				return 1;
			}
			process_duplicate(process, out, 1);
		} else if (option == 'l') {
			process_put_text(process, "ASCII//\nISO-8859-1//\nUTF-8//\n");
			return 0;
		} else if (option != 's')
			text_other_option(process, option, "(Debian GLIBC 2.36-9+deb12u10) 2.36",
					  "[OPTION...] [FILE...]\nConvert encoding of given files "
					  "from one encoding to another.",
					  64);
	}
	for (int i = 0; i < 2; i++) {
		if (charset_of(i ? to : from) == CHARSET_UNKNOWN) {
			process_complain(process, "failed to start conversion processing");
			return 1;
		}
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		struct text text = {0};
		int descriptor = text_open_quiet(process, names[i]);

		if (descriptor < 0 ||
		    process_read_all(process, descriptor, TEXT_WHOLE_MAX, &text) != 0) {
			process_complain(process, "cannot open input file `%s': %s", names[i],
					 strerror(descriptor < 0 ? -descriptor : EFBIG));
			status = 1;
			continue;
		}
		text_close(process, descriptor);
		status |= convert(process, text_slice(&text), charset_of(from), charset_of(to), to,
				  leave_out);
		process_give(process, text.data);
	}
	return status;
}

/* --- xxd --- */

struct xxd {
	struct process *process;
	bool plain, reverse, upper, bits, include;
	uint64_t columns, group, most, skip;
};

static void xxd_dump(struct xxd *xxd, int descriptor)
{
	struct process *process = xxd->process;
	uint8_t line[256];
	uint64_t offset = xxd->skip, left = xxd->most;
	size_t length = 1;

	for (uint64_t skip = xxd->skip; skip > 0; skip--) {
		if (process_read(process, descriptor, line, 1) != 1)
			return;
	}
	while (left > 0 && length > 0) {
		ssize_t got = 1;

		for (length = 0; length < xxd->columns && length < left && got > 0;) {
			uint64_t wanted = xxd->columns - length < left - length
						  ? xxd->columns - length
						  : left - length;

			got = process_read(process, descriptor, line + length, (size_t)wanted);
			length += got > 0 ? (size_t)got : 0;
		}
		if (length == 0)
			return;
		left -= length;
		process_step(process);
		if (!xxd->plain)
			process_print(process, "%08llx: ", (unsigned long long)offset);
		for (size_t i = 0; i < xxd->columns; i++) {
			if (i < length && xxd->bits) {
				for (int bit = 7; bit >= 0; bit--)
					process_put_byte(process, '0' + (line[i] >> bit & 1));
			} else if (i < length)
				process_print(process, xxd->upper ? "%02X" : "%02x", line[i]);
			else if (!xxd->plain)
				process_print(process, "%*s", xxd->bits ? 8 : 2, "");
			if (!xxd->plain && xxd->group > 0 && (i + 1) % xxd->group == 0)
				process_put_byte(process, ' ');
		}
		if (!xxd->plain) {
			if (xxd->group == 0 || xxd->columns % xxd->group != 0)
				process_put_byte(process, ' ');
			process_put_byte(process, ' ');
			for (size_t i = 0; i < length; i++)
				process_put_byte(process,
						 line[i] >= 32 && line[i] < 127 ? line[i] : '.');
		}
		process_put_byte(process, '\n');
		offset += length;
	}
}

static void xxd_reverse(struct xxd *xxd, int descriptor)
{
	struct line_reader reader;
	struct slice line;
	bool newline;

	line_reader_open(&reader, descriptor);
	while (line_reader_next(xxd->process, &reader, &line, &newline)) {
		size_t colon = slice_find_byte(line, ':'), count = 0;
		int high = -1;

		if (!xxd->plain)
			line = colon == SIZE_MAX ? slice_of("", 0) : slice_from(line, colon + 2);
		for (size_t i = 0; i < line.length; i++) {
			int byte = line.at[i], digit;

			if (!xxd->plain && byte == ' ' && i + 1 < line.length &&
			    line.at[i + 1] == ' ')
				break;
			if (!isxdigit(byte))
				continue;
			digit = isdigit(byte) ? byte - '0' : tolower(byte) - 'a' + 10;
			if (high < 0)
				high = digit;
			else {
				process_put_byte(xxd->process, (uint8_t)(high << 4 | digit));
				high = -1;
				if (!xxd->plain && ++count == xxd->columns)
					break;
			}
		}
	}
}

static int xxd_main(struct process *process, int argc, char **argv)
{
	struct xxd xxd = {.process = process, .columns = 16, .group = 2, .most = UINT64_MAX};
	bool columns = false, group = false;
	int i, descriptor;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *letter = argv[i] + 1;
		const char *argument;
		uint64_t *number = *letter == 'c'   ? &xxd.columns
				   : *letter == 'g' ? &xxd.group
				   : *letter == 'l' ? &xxd.most
				   : *letter == 's' ? &xxd.skip
						    : NULL;

		if (strcmp(letter, "ps") == 0 || *letter == 'p')
			xxd.plain = true;
		else if (*letter == 'r') {
			xxd.reverse = true;
			xxd.plain = xxd.plain || letter[1] == 'p';
		} else if (*letter == 'u')
			xxd.upper = true;
		else if (*letter == 'b')
			xxd.bits = true;
		else if (number && (letter[1] || i + 1 < argc)) {
			argument = letter[1] ? letter + 1 : argv[++i];
			*number = strtoull(argument, NULL, 0);
			columns = columns || *letter == 'c';
			group = group || *letter == 'g';
		} else if (*letter == 'v') {
			process_error(process, "xxd 2022-01-14 by Juergen Weigert et al.\n");
			return 0;
		} else {
			process_error(process,
				      "Usage:\n       xxd [options] [infile [outfile]]\n"
				      "    or\n       xxd -r [-s [-]offset] [-c cols] [-ps] "
				      "[infile [outfile]]\n");
			return 1;
		}
	}
	if (xxd.bits) {
		xxd.columns = columns ? xxd.columns : 6;
		xxd.group = group ? xxd.group : 1;
	}
	if (xxd.plain && !columns)
		xxd.columns = 30;
	if (xxd.columns == 0 || xxd.columns > 256) {
		process_complain(process, "invalid number of columns (max. 256).");
		return 1;
	}
	descriptor = text_open_quiet(process, i < argc ? argv[i] : "-");
	if (descriptor < 0) {
		process_error(process, "xxd: %s: %s\n", argv[i], strerror(-descriptor));
		return 2;
	}
	if (xxd.reverse)
		xxd_reverse(&xxd, descriptor);
	else
		xxd_dump(&xxd, descriptor);
	text_close(process, descriptor);
	return 0;
}

static const struct command commands[] = {
	{"join", join_main, COMMAND_DEBIAN},
	{"iconv", iconv_main, COMMAND_DEBIAN},
	{"xxd", xxd_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_join = {"text_join", commands};
