/* od, hexdump, xxd, strings. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

/* --- bytes from files one behind the other --- */

struct input {
	struct process *process;
	char **names;
	int count, at, descriptor;
	bool open, any;
	uint64_t skip, left; /* left: bytes that may still be read */
	int status;
};

static bool open_more(struct input *input)
{
	while (!input->open && input->at < input->count) {
		input->descriptor = text_open(input->process, input->names[input->at++]);
		if (input->descriptor < 0)
			input->status = 1;
		else
			input->open = input->any = true;
	}
	return input->open;
}

/* As many of `size` bytes as there are. */
static size_t fill(struct input *input, uint8_t *bytes, size_t size)
{
	size_t got = 0;

	while (got < size && input->left > 0 && open_more(input)) {
		size_t wanted = size - got < input->left ? size - got : (size_t)input->left;
		ssize_t more = process_read(input->process, input->descriptor, bytes + got, wanted);

		if (more <= 0) {
			text_close(input->process, input->descriptor);
			input->open = false;
			continue;
		}
		got += (size_t)more;
		input->left -= (uint64_t)more;
	}
	process_step(input->process);
	return got;
}

static void pass_over(struct input *input)
{
	uint8_t bytes[1024];
	uint64_t left = input->left, skip = input->skip;

	input->left = UINT64_MAX;
	while (skip > 0) {
		size_t got =
			fill(input, bytes, skip < sizeof(bytes) ? (size_t)skip : sizeof(bytes));

		if (got == 0)
			break;
		skip -= got;
	}
	input->left = left;
}

static uint64_t little(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | bytes[size];
	return value;
}

/* --- od --- */

#define TYPES_MAX 8

struct od_type {
	char letter; /* a c d f o u x */
	unsigned size;
	bool show; /* z */
	int width;
};

struct od {
	struct input input;
	struct od_type types[TYPES_MAX];
	size_t type_count;
	char radix; /* d o x n */
	size_t width;
	bool all;
};

static int od_width(char letter, unsigned size)
{
	static const int octal[] = {0, 3, 6, 0, 11, 0, 0, 0, 22};
	static const int decimal[] = {0, 4, 6, 0, 11, 0, 0, 0, 20};
	static const int positive[] = {0, 3, 5, 0, 10, 0, 0, 0, 20};

	switch (letter) {
	case 'd':
		return decimal[size];
	case 'u':
		return positive[size];
	case 'o':
		return octal[size];
	case 'x':
		return (int)size * 2;
	case 'f':
		return size == 4 ? 15 : 24;
	default:
		return 3;
	}
}

_Noreturn static void od_wrong_type(struct process *process, const char *text)
{
	if (*text && !strchr("acdfoux", *text)) {
		process_complain(process, "invalid character '%c' in type string '%s'", *text,
				 text);
		process_exit(process, 1);
	}
	process_complain(process, "invalid type string '%s'", text);
	process_exit(process, 1);
}

static void od_add_types(struct od *od, const char *text)
{
	const char *at = text;

	while (*at) {
		struct od_type type = {.letter = *at, .size = 1};

		if (!strchr("acdfoux", *at))
			od_wrong_type(od->input.process, text);
		at++;
		if (strchr("doux", type.letter)) {
			type.size = 4;
			if (isdigit((unsigned char)*at))
				type.size = (unsigned)strtoul(at, (char **)(uintptr_t)&at, 10);
			else if (*at == 'C' || *at == 'S' || *at == 'I' || *at == 'L') {
				type.size = *at == 'C' ? 1 : *at == 'S' ? 2 : *at == 'I' ? 4 : 8;
				at++;
			}
		} else if (type.letter == 'f') {
			type.size = 8;
			if (isdigit((unsigned char)*at))
				type.size = (unsigned)strtoul(at, (char **)(uintptr_t)&at, 10);
			else if (*at == 'F' || *at == 'D')
				type.size = *at++ == 'F' ? 4 : 8;
		}
		if (type.size != 1 && type.size != 2 && type.size != 4 && type.size != 8)
			od_wrong_type(od->input.process, text);
		if (*at == 'z') {
			type.show = true;
			at++;
		}
		type.width = od_width(type.letter, type.size);
		if (od->type_count < TYPES_MAX)
			od->types[od->type_count++] = type;
	}
}

static void od_letter(char *out, size_t size, uint8_t byte, bool named)
{
	static const char *const names[] = {
		"nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs",  "ht",  "nl",
		"vt",  "ff",  "cr",  "so",  "si",  "dle", "dc1", "dc2", "dc3", "dc4", "nak",
		"syn", "etb", "can", "em",  "sub", "esc", "fs",  "gs",  "rs",  "us",  "sp"};
	static const char letters[] = "0abtnvfr", bytes[] = "\0\a\b\t\n\v\f\r";

	if (named) {
		byte &= 127;
		if (byte <= 32)
			snprintf(out, size, "%s", names[byte]);
		else
			snprintf(out, size, byte == 127 ? "del" : "%c", byte);
		return;
	}
	for (size_t i = 0; i < 8; i++) {
		if ((uint8_t)bytes[i] == byte) {
			snprintf(out, size, "\\%c", letters[i]);
			return;
		}
	}
	snprintf(out, size, byte >= 32 && byte < 127 ? "%c" : "%03o", byte);
}

static void od_value(const struct od_type *type, const uint8_t *bytes, char *out, size_t size)
{
	uint64_t value = little(bytes, type->size);
	int64_t with_sign = (int64_t)(value << (64 - 8 * type->size)) >> (64 - 8 * type->size);
	int digits = type->width;

	switch (type->letter) {
	case 'a':
	case 'c':
		od_letter(out, size, *bytes, type->letter == 'a');
		break;
	case 'd':
		snprintf(out, size, "%lld", (long long)with_sign);
		break;
	case 'u':
		snprintf(out, size, "%llu", (unsigned long long)value);
		break;
	case 'o':
		snprintf(out, size, "%0*llo", digits, (unsigned long long)value);
		break;
	case 'x':
		snprintf(out, size, "%0*llx", digits, (unsigned long long)value);
		break;
	default:
		if (type->size == 4) {
			float number;

			memcpy(&number, bytes, sizeof(number));
			snprintf(out, size, "%.7g", (double)number);
		} else {
			double number;

			memcpy(&number, bytes, sizeof(number));
			snprintf(out, size, "%.16g", number);
		}
		break;
	}
}

static void od_address(struct od *od, uint64_t offset)
{
	unsigned long long at = offset;

	if (od->radix == 'd')
		process_print(od->input.process, "%07llu", at);
	else if (od->radix == 'o')
		process_print(od->input.process, "%07llo", at);
	else if (od->radix == 'x')
		process_print(od->input.process, "%06llx", at);
}

static void od_line(struct od *od, const uint8_t *bytes, size_t length, uint64_t offset)
{
	struct process *process = od->input.process;
	int widest = 0;

	for (size_t i = 0; i < od->type_count; i++) {
		int whole = (od->types[i].width + 1) * (int)(od->width / od->types[i].size);

		widest = whole > widest ? whole : widest;
	}
	for (size_t i = 0; i < od->type_count; i++) {
		const struct od_type *type = &od->types[i];
		int fields = (int)(od->width / type->size);
		int padding = widest - (type->width + 1) * fields;
		int shown = (int)((length + type->size - 1) / type->size);
		char value[64];

		if (i == 0)
			od_address(od, offset);
		else
			process_print(process, "%*s",
				      od->radix == 'n'   ? 0
				      : od->radix == 'x' ? 6
							 : 7,
				      "");
		for (int field = 0; field < fields; field++) {
			int rest = padding * (fields - 1 - field) / fields;
			int before = padding * (fields - field) / fields - rest;

			if (field >= shown) {
				if (type->show)
					process_print(process, "%*s", type->width + 1 + before, "");
				continue;
			}
			od_value(type, bytes + (size_t)field * type->size, value, sizeof(value));
			process_print(process, "%*s", type->width + 1 + before, value);
		}
		if (type->show) {
			process_put_text(process, "  >");
			for (size_t at = 0; at < length; at++)
				process_put_byte(process, bytes[at] >= 32 && bytes[at] < 127
								  ? bytes[at]
								  : '.');
			process_put_byte(process, '<');
		}
		process_put_byte(process, '\n');
	}
}

static void od_dump(struct od *od)
{
	uint8_t *line = process_take(od->input.process, od->width + 8);
	uint8_t *before = process_take(od->input.process, od->width + 8);
	uint64_t offset = od->input.skip;
	bool first = true, starred = false;
	size_t length;

	pass_over(&od->input);
	while ((length = fill(&od->input, line, od->width)) > 0) {
		if (!od->all && !first && length == od->width &&
		    memcmp(line, before, length) == 0) {
			if (!starred)
				process_put_text(od->input.process, "*\n");
			starred = true;
		} else {
			memset(line + length, 0, od->width + 8 - length);
			od_line(od, line, length, offset);
			starred = false;
		}
		memcpy(before, line, od->width);
		first = false;
		offset += length;
	}
	if (od->radix != 'n' && od->input.any) {
		od_address(od, offset);
		process_put_byte(od->input.process, '\n');
	}
}

static uint64_t od_number(struct process *process, const char *option, const char *text)
{
	uint64_t number;
	char *end;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		number = strtoull(text, &end, 16);
		if (*end == '\0')
			return number;
	}
	if (command_size(text, &number) != 0) {
		process_complain(process, "invalid -%s argument '%s'", option, text);
		process_exit(process, 1);
	}
	return number;
}

static int od_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"skip-bytes", 'j', OPTION_NEEDS},
						   {"address-radix", 'A', OPTION_NEEDS},
						   {"read-bytes", 'N', OPTION_NEEDS},
						   {"format", 't', OPTION_NEEDS},
						   {"output-duplicates", 'v'},
						   {"strings", 'S', OPTION_MAY},
						   {"width", 'w', OPTION_MAY},
						   {"endian", 'e' + 512, OPTION_NEEDS},
						   TEXT_WORDS};
	static const struct {
		char letter;
		const char *types;
	} old[] = {{'a', "a"},  {'b', "o1"}, {'c', "c"},  {'D', "u4"}, {'d', "u2"},
		   {'e', "fD"}, {'f', "fF"}, {'h', "x2"}, {'H', "x4"}, {'i', "dI"},
		   {'I', "dL"}, {'l', "dL"}, {'L', "dL"}, {'o', "o2"}, {'O', "o4"},
		   {'s', "d2"}, {'x', "x2"}, {'X', "x4"}, {'B', "o2"}, {'F', "fD"}};
	struct od *od = process_take(process, sizeof(*od));
	struct option_state state = {0};
	int option;

	od->input = (struct input){.process = process, .left = UINT64_MAX};
	od->radix = 'o';
	od->width = 16;
	while ((option = option_next(process, &state, argc, argv,
				     "A:aBbcDdeFfHhIij:LlN:OoS:st:vw::Xx", words)) != -1) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_COUNT(old) && !found; i++) {
			if (old[i].letter == option) {
				od_add_types(od, old[i].types);
				found = true;
			}
		}
		if (found)
			continue;
		if (option == 'A') {
			od->radix = *state.argument;
			if (!strchr("doxn", od->radix) || !od->radix) {
				process_complain(
					process,
					"invalid output address radix '%c'; it must be one "
					"character from [doxn]",
					*state.argument);
				return 1;
			}
		} else if (option == 't')
			od_add_types(od, state.argument);
		else if (option == 'v')
			od->all = true;
		else if (option == 'j')
			od->input.skip = od_number(process, "j", state.argument);
		else if (option == 'N')
			od->input.left = od_number(process, "N", state.argument);
		else if (option == 'w')
			od->width = state.argument ? (size_t)od_number(process, "w", state.argument)
						   : 32;
		else if (option != 'S' && option != 'e' + 512)
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite bytes of each FILE as "
					  "numbers or names.",
					  1);
	}
	if (od->type_count == 0)
		od_add_types(od, "o2");
	if (od->width == 0 || od->width > 4096)
		od->width = 16;
	od->input.count = text_names(process, &state, argc, argv, &od->input.names);
	od_dump(od);
	return od->input.status;
}

/* --- hexdump --- */

struct hexdump {
	struct input input;
	char kind; /* C: canonical; x d o b c: as their options; 0: plain */
	bool all;
};

static void hexdump_canonical(struct process *process, const uint8_t *line, size_t length)
{
	for (size_t i = 0; i < 16; i++) {
		if (i % 8 == 0)
			process_put_byte(process, ' ');
		if (i < length)
			process_print(process, " %02x", line[i]);
		else
			process_put_text(process, "   ");
	}
	process_put_text(process, "  |");
	for (size_t i = 0; i < length; i++)
		process_put_byte(process, line[i] >= 32 && line[i] < 127 ? line[i] : '.');
	process_put_text(process, "|\n");
}

static void hexdump_line(struct hexdump *hexdump, const uint8_t *line, size_t length)
{
	struct process *process = hexdump->input.process;
	unsigned size = hexdump->kind == 'b' || hexdump->kind == 'c' ? 1 : 2;

	if (hexdump->kind == 'C') {
		hexdump_canonical(process, line, length);
		return;
	}
	for (size_t i = 0; i < 16; i += size) {
		unsigned value = (unsigned)little(line + i, size);
		char letter[16];

		if (i >= length) {
			process_print(process, "%*s",
				      hexdump->kind == 0 ? 5
				      : size == 1        ? 4
							 : 8,
				      "");
			continue;
		}
		if (hexdump->kind == 'b')
			process_print(process, " %03o", value);
		else if (hexdump->kind == 'c') {
			od_letter(letter, sizeof(letter), (uint8_t)value, false);
			process_print(process, " %3s", letter);
		} else if (hexdump->kind == 'x')
			process_print(process, "    %04x", value);
		else if (hexdump->kind == 'd')
			process_print(process, "   %05u", value);
		else if (hexdump->kind == 'o')
			process_print(process, "  %06o", value);
		else
			process_print(process, " %04x", value);
	}
	process_put_byte(process, '\n');
}

static int hexdump_run(struct hexdump *hexdump)
{
	struct process *process = hexdump->input.process;
	uint8_t line[16], before[16];
	uint64_t offset = hexdump->input.skip;
	bool first = true, starred = false;
	size_t length;

	if (hexdump->input.skip > 0 && strcmp(hexdump->input.names[0], "-") == 0 &&
	    process_seek(process, 0, 0, SEEK_CUR) < 0) {
		process_complain(process, "stdin: Illegal seek");
		return 1;
	}
	pass_over(&hexdump->input);
	while (memset(line, 0, sizeof(line)), (length = fill(&hexdump->input, line, 16)) > 0) {
		if (!hexdump->all && !first && length == 16 && memcmp(line, before, 16) == 0) {
			if (!starred)
				process_put_text(process, "*\n");
			starred = true;
		} else {
			process_print(process, hexdump->kind == 'C' ? "%08llx" : "%07llx",
				      (unsigned long long)offset);
			hexdump_line(hexdump, line, length);
			starred = false;
		}
		memcpy(before, line, 16);
		first = false;
		offset += length;
	}
	if (!first)
		process_print(process, hexdump->kind == 'C' ? "%08llx\n" : "%07llx\n",
			      (unsigned long long)offset);
	return hexdump->input.status;
}

/* -e 'N/M "format"': only formats of one byte, as loaders use them. */
static int hexdump_by_format(struct hexdump *hexdump, const char *format)
{
	struct process *process = hexdump->input.process;
	const char *open = strchr(format, '"'), *close = open ? strrchr(format, '"') : NULL;
	uint8_t byte;

	if (!open || close == open) {
		process_complain(process, "bad format {%s}", format);
		return 1;
	}
	pass_over(&hexdump->input);
	while (fill(&hexdump->input, &byte, 1) == 1) {
		for (const char *at = open + 1; at < close; at++) {
			unsigned width = 0;
			bool zeros;

			if (*at == '\\' && at[1] && at + 1 < close) {
				int escaped;
				size_t length = text_escape(at + 1, &escaped, false);

				if (escaped >= 0)
					process_put_byte(process, (uint8_t)escaped);
				at += length ? length : 1;
				continue;
			}
			if (*at != '%') {
				process_put_byte(process, (uint8_t)*at);
				continue;
			}
			at++;
			zeros = *at == '0' || *at == '.';
			while (isdigit((unsigned char)*at) || *at == '.') {
				if (isdigit((unsigned char)*at) && width < 100)
					width = width * 10 + (unsigned)(*at - '0');
				at++;
			}
			if (*at == '_')
				at++;
			switch (*at) {
			case 'x':
				process_print(process, zeros ? "%0*x" : "%*x", (int)width, byte);
				break;
			case 'X':
				process_print(process, zeros ? "%0*X" : "%*X", (int)width, byte);
				break;
			case 'o':
				process_print(process, zeros ? "%0*o" : "%*o", (int)width, byte);
				break;
			case 'd':
			case 'i':
			case 'u':
				process_print(process, zeros ? "%0*d" : "%*d", (int)width, byte);
				break;
			case 'p':
				process_put_byte(process, byte >= 32 && byte < 127 ? byte : '.');
				break;
			default:
				process_put_byte(process, byte);
				break;
			}
		}
	}
	return hexdump->input.status;
}

static int hexdump_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"canonical", 'C'},    {"length", 'n', OPTION_NEEDS}, {"skip", 's', OPTION_NEEDS},
		{"no-squeezing", 'v'}, {"format", 'e', OPTION_NEEDS}, TEXT_WORDS};
	struct hexdump hexdump = {.input = {.process = process, .left = UINT64_MAX}};
	struct option_state state = {0};
	const char *last = strrchr(argv[0], '/'), *format = NULL;
	int option;

	if (strcmp(last ? last + 1 : argv[0], "hd") == 0)
		hexdump.kind = 'C';
	while ((option = option_next(process, &state, argc, argv, "bcCde:f:L::n:os:vxhV", words)) !=
	       -1) {
		if (strchr("bcCdox", option) && option < 128)
			hexdump.kind = (char)option;
		else if (option == 'n')
			hexdump.input.left = od_number(process, "n", state.argument);
		else if (option == 's')
			hexdump.input.skip = od_number(process, "s", state.argument);
		else if (option == 'v')
			hexdump.all = true;
		else if (option == 'e')
			format = state.argument;
		else if (option == 'V' || option == TEXT_VERSION) {
			process_put_text(process, "hexdump from util-linux 2.38.1\n");
			return 0;
		} else if (option != 'f' && option != 'L')
			text_other_option(process, option == 'h' ? TEXT_HELP : option, "",
					  "[options] <file>...\n\nDisplay file contents in "
					  "hexadecimal, decimal, octal, or ascii.",
					  1);
	}
	hexdump.input.count = text_names(process, &state, argc, argv, &hexdump.input.names);
	return format ? hexdump_by_format(&hexdump, format) : hexdump_run(&hexdump);
}

/* --- strings --- */

static int strings_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"bytes", 'n', OPTION_NEEDS},
						   {"print-file-name", 'f'},
						   {"radix", 't', OPTION_NEEDS},
						   TEXT_WORDS};
	struct option_state state = {0};
	struct text run = {0};
	int64_t least = 4;
	char radix = 0;
	bool named = false;
	int option, count, status = 0;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "0123456789adfhHn:owt:e:T:s:Vv",
				     words)) != -1) {
		if (option == 'n' &&
		    slice_number(slice_text(state.argument), 1, 100000, &least) != 0) {
			process_complain(process, "invalid integer argument %s", state.argument);
			return 1;
		}
		if (option >= '0' && option <= '9')
			least = option - '0';
		else if (option == 't')
			radix = *state.argument;
		else if (option == 'o')
			radix = 'o';
		else if (option == 'f')
			named = true;
		else if (option == 'v' || option == 'V' || option == TEXT_VERSION) {
			process_put_text(process, "GNU strings (GNU Binutils for Debian) 2.40\n");
			return 0;
		} else if (option == '?' || option == 'h' || option == TEXT_HELP)
			text_other_option(process, option == '?' ? option : TEXT_HELP, "",
					  "[option(s)] [file(s)]\n Display printable strings in "
					  "[file(s)] (stdin by default)",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		uint8_t bytes[1024];
		uint64_t offset = 0;
		ssize_t got;
		int descriptor = text_open_quiet(process, names[i]);

		if (descriptor < 0) {
			if (descriptor == -ENOENT)
				process_complain(process, "'%s': No such file", names[i]);
			else
				process_complain(process,
						 descriptor == -EISDIR
							 ? "Warning: '%s' is a directory"
							 : "%s: Permission denied",
						 names[i]);
			status = 1;
			continue;
		}
		text_clear(&run);
		do {
			got = process_read(process, descriptor, bytes, sizeof(bytes));
			process_step(process);
			for (ssize_t at = 0; at < (got > 0 ? got : 1); at++) {
				uint8_t byte = got > 0 ? bytes[at] : 0;

				if ((byte >= 32 && byte < 127) || byte == '\t') {
					text_add_byte(process, &run, byte);
					offset++;
					continue;
				}
				if ((int64_t)run.length >= least) {
					unsigned long long start = offset - run.length;

					if (named)
						process_print(process, "%s: ", names[i]);
					if (radix == 'd')
						process_print(process, "%7llu ", start);
					else if (radix == 'o')
						process_print(process, "%7llo ", start);
					else if (radix == 'x')
						process_print(process, "%7llx ", start);
					process_put(process, text_slice(&run));
					process_put_byte(process, '\n');
				}
				text_clear(&run);
				offset++;
			}
		} while (got > 0);
		text_close(process, descriptor);
	}
	return status;
}

static const char *const hexdump_names[] = {"hd", NULL};
static const struct command commands[] = {
	{"od", od_main, COMMAND_BOTH},
	{"hexdump", hexdump_main, COMMAND_BOTH, NULL, hexdump_names},
	{"strings", strings_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_dump = {"text_dump", commands};
