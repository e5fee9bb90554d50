/* sed: from the script's text to commands, with the complaints of GNU's 4.9. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/commands/text_sed.h"

static const char escape_letters[] = "afnrtv", escape_bytes[] = "\a\f\n\r\t\v";

/* The control character that the letter stands for behind a backslash, or -1. */
static int control_letter(int letter)
{
	const char *found = letter > 0 ? strchr(escape_letters, letter) : NULL;

	return found ? escape_bytes[found - escape_letters] : -1;
}

_Noreturn static void bad(struct sed *sed, const char *words)
{
	if (sed->process->busybox)
		process_complain(sed->process, "%s", words);
	else if (sed->in_file)
		process_complain(sed->process, "%s line %zu: %s", sed->where, sed->line, words);
	else
		process_complain(sed->process, "-e expression #%u, char %zu: %s", sed->expression,
				 (size_t)(sed->at - sed->base), words);
	process_exit(sed->process, 1);
}

static int next_byte(struct sed *sed)
{
	if (sed->at == sed->end)
		return -1;
	if (*sed->at == '\n')
		sed->line++;
	return (unsigned char)*sed->at++;
}

static int peek_byte(const struct sed *sed)
{
	return sed->at == sed->end ? -1 : (unsigned char)*sed->at;
}

static void skip_blanks(struct sed *sed)
{
	while (sed->at < sed->end && (*sed->at == ' ' || *sed->at == '\t'))
		sed->at++;
}

/* The rest of a bracket, in which the delimiter is a letter like others. False: it has no end. */
static bool copy_bracket(struct sed *sed, struct text *out)
{
	int byte = next_byte(sed), kind = 0;

	if (byte == '^') {
		text_add_byte(sed->process, out, '^');
		byte = next_byte(sed);
	}
	for (bool first = true; byte >= 0 && byte != '\n'; first = false) {
		if (byte == ']' && !first && kind == 0) {
			text_add_byte(sed->process, out, ']');
			return true;
		}
		if (byte == '\\' && peek_byte(sed) == 'n') {
			next_byte(sed);
			byte = '\n';
		} else if (kind == 0 && byte == '[' && peek_byte(sed) >= 0 &&
			   strchr(":.=", peek_byte(sed)))
			kind = peek_byte(sed);
		else if (kind != 0 && byte == ']' && out->data[out->length - 1] == kind)
			kind = 0;
		text_add_byte(sed->process, out, (uint8_t)byte);
		byte = next_byte(sed);
	}
	return false;
}

/* Text up to the delimiter that ends it. In a regular expression \n is a newline; the delimiter
 * behind a backslash is itself. False: there is no end. */
static bool delimited(struct sed *sed, int delimiter, bool regex, struct text *out)
{
	int byte;

	*out = (struct text){0};
	text_add_words(sed->process, out, "");
	while ((byte = next_byte(sed)) >= 0) {
		if (byte == delimiter)
			return true;
		if (byte == '\n' && regex)
			return false;
		if (byte == '[' && regex) {
			text_add_byte(sed->process, out, '[');
			if (!copy_bracket(sed, out))
				return false;
			continue;
		}
		if (byte == '\\') {
			byte = next_byte(sed);
			if (byte < 0)
				return false;
			if (byte == delimiter)
				;
			else if (byte == 'n' && regex)
				byte = '\n';
			else
				text_add_byte(sed->process, out, '\\');
		}
		text_add_byte(sed->process, out, (uint8_t)byte);
	}
	return false;
}

static struct regex *compile(struct sed *sed, struct slice pattern, unsigned flags)
{
	const char *why;
	struct regex *regex;

	if (pattern.length == 0)
		return NULL;
	regex = regex_new(sed->process, pattern, sed->extended ? REGEX_EXTENDED : REGEX_BASIC,
			  flags | REGEX_ESCAPES, &why);
	if (!regex && strncmp(why, "character class", 15) == 0) {
		process_complain(sed->process, "%s", why);
		process_exit(sed->process, 1);
	}
	if (!regex)
		bad(sed, why);
	return regex;
}

/* --- addresses --- */

static uint64_t read_number(struct sed *sed)
{
	uint64_t number = 0;

	while (isdigit(peek_byte(sed)) && number < UINT64_MAX / 20)
		number = number * 10 + (uint64_t)(next_byte(sed) - '0');
	return number;
}

static bool read_regex_address(struct sed *sed, struct sed_address *address)
{
	int delimiter = next_byte(sed);
	struct text pattern;
	unsigned flags = 0;

	if (delimiter == '\\')
		delimiter = next_byte(sed);
	if (!delimited(sed, delimiter, true, &pattern))
		bad(sed, "unterminated address regex");
	for (;; next_byte(sed)) {
		if (peek_byte(sed) == 'I')
			flags |= REGEX_IGNORE_CASE;
		else if (peek_byte(sed) == 'M')
			flags |= REGEX_LINES;
		else
			break;
	}
	address->kind = SED_REGEX;
	address->regex = compile(sed, text_slice(&pattern), flags);
	return true;
}

static bool read_address(struct sed *sed, struct sed_address *address, bool second)
{
	int byte = peek_byte(sed);

	*address = (struct sed_address){0};
	if (byte == '/' || byte == '\\')
		return read_regex_address(sed, address);
	if (byte == '$') {
		next_byte(sed);
		address->kind = SED_LAST;
		return true;
	}
	if (second && (byte == '+' || byte == '~')) {
		next_byte(sed);
		if (!isdigit(peek_byte(sed)))
			bad(sed, "expected number");
		address->kind = byte == '+' ? SED_PLUS : SED_UNTIL;
		address->number = read_number(sed);
		return true;
	}
	if (!isdigit(byte))
		return false;
	address->kind = SED_LINE;
	address->number = read_number(sed);
	skip_blanks(sed);
	if (!second && peek_byte(sed) == '~') {
		next_byte(sed);
		address->step = read_number(sed);
		if (address->step > 0)
			address->kind = SED_STEP;
	}
	return true;
}

static void read_addresses(struct sed *sed, struct sed_command *command)
{
	if (!read_address(sed, &command->from, false))
		return;
	skip_blanks(sed);
	if (peek_byte(sed) == ',') {
		next_byte(sed);
		skip_blanks(sed);
		if (!read_address(sed, &command->to, true))
			bad(sed, "unexpected `,'");
	}
	if (command->from.kind == SED_LINE && command->from.number == 0) {
		next_byte(sed);
		if (command->to.kind != SED_REGEX || sed->posix)
			bad(sed, "invalid usage of line address 0");
		sed->at--;
		command->range = SED_ACTIVE;
	}
}

/* --- pieces --- */

static void end_of_command(struct sed *sed)
{
	int byte;

	skip_blanks(sed);
	byte = peek_byte(sed);
	if (byte < 0 || byte == '}' || byte == '#')
		return;
	next_byte(sed);
	if (byte != '\n' && byte != ';')
		bad(sed, "extra characters after command");
}

static struct slice read_file_name(struct sed *sed)
{
	const char *start;

	skip_blanks(sed);
	start = sed->at;
	while (sed->at < sed->end && *sed->at != '\n')
		sed->at++;
	if (sed->at == start)
		bad(sed, "missing filename in r/R/w/W commands");
	return slice_of(start, (size_t)(sed->at - start));
}

static struct slice read_label(struct sed *sed, bool colon)
{
	const char *start;

	skip_blanks(sed);
	start = sed->at;
	while (sed->at < sed->end && !isspace((unsigned char)*sed->at) && *sed->at != ';' &&
	       *sed->at != '}')
		sed->at++;
	if (colon && sed->at == start)
		bad(sed, "\":\" lacks a label");
	return slice_of(start, (size_t)(sed->at - start));
}

struct sed_output *sed_output_open(struct sed *sed, const char *name)
{
	struct sed_output *output;

	for (output = sed->outputs; output; output = output->next) {
		if (strcmp(output->name, name) == 0)
			return output;
	}
	output = process_take(sed->process, sizeof(*output));
	output->name = name;
	if (strcmp(name, "/dev/stdout") == 0)
		output->descriptor = 1;
	else if (strcmp(name, "/dev/stderr") == 0)
		output->descriptor = 2;
	else
		output->descriptor =
			process_open(sed->process, name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (output->descriptor < 0) {
		process_complain(sed->process, "couldn't open file %s: %s", name,
				 strerror(-output->descriptor));
		process_exit(sed->process, 4);
	}
	output->next = sed->outputs;
	sed->outputs = output;
	return output;
}

/* The text of a, i or c from the position on: up to a newline without backslash. */
static void read_text(struct sed *sed, struct sed_command *command)
{
	struct text *text = &sed->pending;
	int byte;

	while ((byte = next_byte(sed)) >= 0) {
		if (byte == '\n') {
			text_add_byte(sed->process, text, '\n');
			break;
		}
		if (byte == '\\') {
			byte = next_byte(sed);
			if (byte < 0) { /* goes on in the next -e */
				sed->open_text = command;
				text_add_byte(sed->process, text, '\n');
				return;
			}
			if (text->length > 0 && control_letter(byte) >= 0)
				byte = control_letter(byte);
		}
		text_add_byte(sed->process, text, (uint8_t)byte);
	}
	if (text->length == 0 || text->data[text->length - 1] != '\n')
		text_add_byte(sed->process, text, '\n');
	command->text = text_slice(text);
	sed->pending = (struct text){0};
	sed->open_text = NULL;
}

static void text_command(struct sed *sed, struct sed_command *command)
{
	skip_blanks(sed);
	if (peek_byte(sed) < 0)
		bad(sed, "expected \\ after `a', `c' or `i'");
	sed->pending = (struct text){0};
	if (peek_byte(sed) == '\\') {
		const char *kept;

		next_byte(sed);
		kept = sed->at;
		skip_blanks(sed);
		if (peek_byte(sed) == '\n')
			next_byte(sed);
		else if (peek_byte(sed) < 0) {
			sed->open_text = command;
			return;
		} else
			sed->at = kept;
	}
	read_text(sed, command);
}

/* --- s and y --- */

static void add_part(struct sed *sed, struct sed_command *command, struct text *text, int group,
		     char change)
{
	if ((command->part_count & (command->part_count + 1)) == 0)
		command->parts =
			process_retake(sed->process, command->parts,
				       (command->part_count * 2 + 2) * sizeof(*command->parts));
	command->parts[command->part_count++] =
		(struct sed_part){.change = change, .text = text_slice(text), .group = group};
	*text = (struct text){0};
}

static unsigned read_digits(const char **at, const char *end, unsigned base, unsigned most)
{
	unsigned value = 0;

	for (unsigned i = 0; i < most && *at < end && isxdigit((unsigned char)**at); i++) {
		unsigned digit = (unsigned)tolower((unsigned char)**at);

		digit = digit <= '9' ? digit - '0' : digit - 'a' + 10;
		if (digit >= base)
			break;
		value = value * base + digit;
		(*at)++;
	}
	return value;
}

/* Behind a backslash in a replacement; the letter is already taken. */
static void replacement_escape(struct sed *sed, struct sed_command *command, struct text *text,
			       const char **at, const char *end, char *change, char letter)
{
	if (letter >= '0' && letter <= '9') {
		add_part(sed, command, text, letter - '0', *change);
		*change = 0;
		return;
	}
	if (strchr("LUElu", letter) && letter) {
		add_part(sed, command, text, -1, *change);
		*change = letter;
		return;
	}
	if (control_letter(letter) >= 0)
		text_add_byte(sed->process, text, (uint8_t)control_letter(letter));
	else if (letter == 'x' && *at < end && isxdigit((unsigned char)**at))
		text_add_byte(sed->process, text, (uint8_t)read_digits(at, end, 16, 2));
	else if (letter == 'o' && *at < end)
		text_add_byte(sed->process, text, (uint8_t)read_digits(at, end, 8, 3));
	else if (letter == 'd' && *at < end)
		text_add_byte(sed->process, text, (uint8_t)read_digits(at, end, 10, 3));
	else if (letter == 'c' && *at < end)
		text_add_byte(sed->process, text, (uint8_t)(toupper((unsigned char)*(*at)++) ^ 64));
	else
		text_add_byte(sed->process, text, (uint8_t)letter);
}

/* Returns the highest group that it refers to. */
static int read_replacement(struct sed *sed, struct sed_command *command, struct slice source,
			    int delimiter)
{
	const char *at = (const char *)source.at, *end = at + source.length;
	struct text text = {0};
	char change = 0;
	int highest = 0;

	while (at < end) {
		char byte = *at++;

		if (byte == '&' && delimiter != '&') {
			add_part(sed, command, &text, 0, change);
			change = 0;
		} else if (byte == '\\' && at < end) {
			char letter = *at++;

			if (letter >= '0' && letter <= '9' && letter - '0' > highest)
				highest = letter - '0';
			if (letter == '&')
				text_add_byte(sed->process, &text, '&');
			else
				replacement_escape(sed, command, &text, &at, end, &change, letter);
		} else
			text_add_byte(sed->process, &text, (uint8_t)byte);
	}
	add_part(sed, command, &text, -1, change);
	return highest;
}

/* The flags behind s///; gives those of the regular expression. */
static unsigned substitute_flags(struct sed *sed, struct sed_command *command)
{
	unsigned flags = 0;

	for (;;) {
		int byte = next_byte(sed);

		switch (byte) {
		case 'i':
		case 'I':
			flags |= REGEX_IGNORE_CASE;
			break;
		case 'm':
		case 'M':
			flags |= REGEX_LINES;
			break;
		case 'e':
			command->evaluate = true;
			break;
		case 'p':
			if (command->print)
				bad(sed, "multiple `p' options to `s' command");
			command->print = true;
			break;
		case 'g':
			if (command->global)
				bad(sed, "multiple `g' options to `s' command");
			command->global = true;
			break;
		case 'w':
			command->file = sed_output_open(
				sed, process_copy_slice(sed->process, read_file_name(sed)));
			return flags;
		case '}':
		case '#':
			sed->at--;
			return flags;
		case '\n':
		case ';':
		case -1:
			return flags;
		case '\r':
			if (peek_byte(sed) == '\n')
				break;
			bad(sed, "unknown option to `s'");
		default:
			if (!isdigit(byte)) {
				if (byte == ' ' || byte == '\t')
					break;
				bad(sed, "unknown option to `s'");
			}
			if (command->which > 0)
				bad(sed, "multiple number options to `s' command");
			sed->at--;
			command->which = read_number(sed);
			if (command->which == 0)
				bad(sed, "number option to `s' command may not be zero");
		}
	}
}

static void substitute_command(struct sed *sed, struct sed_command *command)
{
	int delimiter = next_byte(sed), highest;
	struct text pattern, replacement;
	unsigned flags;

	if (delimiter < 0 || !delimited(sed, delimiter, true, &pattern) ||
	    !delimited(sed, delimiter, false, &replacement))
		bad(sed, "unterminated `s' command");
	highest = read_replacement(sed, command, text_slice(&replacement), delimiter);
	flags = substitute_flags(sed, command);
	command->regex = compile(sed, text_slice(&pattern), flags);
	if (command->regex && highest > (int)regex_groups(command->regex)) {
		const char *words = process_format(
			sed->process, "invalid reference \\%d on `s' command's RHS", highest);
		bad(sed, words);
	}
}

/* Takes backslashes away: \\ is one, \n a newline, the delimiter is already itself. */
static size_t plain_letters(struct sed *sed, struct text *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->length; i++) {
		char byte = text->data[i];

		if (byte == '\\' && i + 1 < text->length) {
			char behind = text->data[++i];

			if (behind == '\\')
				byte = '\\';
			else if (control_letter(behind) >= 0)
				byte = (char)control_letter(behind);
			else
				bad(sed, "y command strings have different lengths");
		}
		text->data[to++] = byte;
	}
	return to;
}

static void map_command(struct sed *sed, struct sed_command *command)
{
	int delimiter = next_byte(sed);
	struct text from, to;
	size_t count;

	if (delimiter < 0 || !delimited(sed, delimiter, false, &from) ||
	    !delimited(sed, delimiter, false, &to))
		bad(sed, "unterminated `y' command");
	count = plain_letters(sed, &from);
	if (plain_letters(sed, &to) != count)
		bad(sed, "strings for `y' command are different lengths");
	command->map = process_take(sed->process, 256);
	for (unsigned i = 0; i < 256; i++)
		command->map[i] = (uint8_t)i;
	for (size_t i = 0; i < count; i++)
		command->map[(uint8_t)from.data[i]] = (uint8_t)to.data[i];
	end_of_command(sed);
}

/* --- commands --- */

static void close_block(struct sed *sed, struct sed_command *command, size_t index)
{
	if (sed->depth == 0)
		bad(sed, "unexpected `}'");
	if (command->from.kind != SED_NONE)
		bad(sed, "} doesn't want any addresses");
	sed->commands[sed->blocks[--sed->depth]].target = index;
	end_of_command(sed);
}

static void read_arguments(struct sed *sed, struct sed_command *command, size_t index)
{
	switch (command->letter) {
	case '{':
		if (sed->depth == SED_DEPTH_MAX)
			bad(sed, "too many {'s");
		sed->blocks[sed->depth++] = index;
		break;
	case '}':
		close_block(sed, command, index);
		break;
	case ':':
		if (command->from.kind != SED_NONE)
			bad(sed, ": doesn't want any addresses");
		command->text = read_label(sed, true);
		if (peek_byte(sed) == '}') {
			next_byte(sed);
			bad(sed, "unexpected `}'");
		}
		break;
	case 'b':
	case 't':
	case 'T':
		command->text = read_label(sed, false);
		end_of_command(sed);
		break;
	case 'a':
	case 'i':
	case 'c':
		text_command(sed, command);
		break;
	case 'r':
	case 'R':
		command->text = slice_text(process_copy_slice(sed->process, read_file_name(sed)));
		break;
	case 'w':
	case 'W':
		command->file =
			sed_output_open(sed, process_copy_slice(sed->process, read_file_name(sed)));
		break;
	case 'e':
		skip_blanks(sed);
		command->text.at = (const uint8_t *)sed->at;
		while (sed->at < sed->end && *sed->at != '\n')
			sed->at++;
		command->text.length = (size_t)(sed->at - (const char *)command->text.at);
		break;
	case 's':
		substitute_command(sed, command);
		break;
	case 'y':
		map_command(sed, command);
		break;
	case 'v':
		if (slice_compare(read_label(sed, false), SLICE("4.9")) > 0)
			bad(sed, "expected newer version of sed");
		end_of_command(sed);
		break;
	case 'q':
	case 'Q':
		if (command->to.kind != SED_NONE)
			bad(sed, "command only uses one address");
		/* fallthrough */
	case 'l':
	case 'L':
		skip_blanks(sed);
		command->number = isdigit(peek_byte(sed)) ? (int64_t)read_number(sed) : -1;
		end_of_command(sed);
		break;
	default:
		end_of_command(sed);
		break;
	}
}

static struct sed_command *add_command(struct sed *sed)
{
	if (sed->count == SED_COMMANDS_MAX)
		bad(sed, "memory exhausted");
	if (sed->count == sed->capacity) {
		sed->capacity = sed->capacity * 2 + 8;
		sed->commands = process_retake(sed->process, sed->commands,
					       sed->capacity * sizeof(*sed->commands));
	}
	sed->commands[sed->count] = (struct sed_command){0};
	return &sed->commands[sed->count++];
}

static void one_command(struct sed *sed)
{
	struct sed_command *command = add_command(sed);
	char *words;
	int letter;

	read_addresses(sed, command);
	skip_blanks(sed);
	while (peek_byte(sed) == '!') {
		if (command->inverse) {
			next_byte(sed);
			bad(sed, "multiple `!'s");
		}
		next_byte(sed);
		command->inverse = true;
		skip_blanks(sed);
	}
	letter = next_byte(sed);
	if (letter < 0)
		bad(sed, "missing command");
	if (letter == '#') {
		if (command->from.kind != SED_NONE)
			bad(sed, "comments don't accept any addresses");
		sed->count--;
		while (sed->at < sed->end && *sed->at != '\n')
			sed->at++;
		return;
	}
	if (!strchr("{}:btTaicrRwWesyvqQlLdDgGhHnNpPxz=F", letter)) {
		words = process_format(sed->process, "unknown command: `%c'", letter);
		bad(sed, words);
	}
	command->letter = (char)letter;
	read_arguments(sed, command, sed->count - 1);
}

void sed_parse(struct sed *sed, struct slice script)
{
	const char *copy = process_copy_slice(sed->process, script);

	sed->base = sed->at = copy;
	sed->end = copy + script.length;
	sed->line = 1;
	if (sed->count == 0 && sed->expression <= 1 && script.length >= 2 && copy[0] == '#' &&
	    copy[1] == 'n' && (script.length == 2 || copy[2] == '\n'))
		sed->quiet = true;
	if (sed->open_text) {
		/* The command may have moved as the table grew: it is the last. */
		read_text(sed, &sed->commands[sed->count - 1]);
	}
	for (;;) {
		while (sed->at < sed->end && (isspace((unsigned char)*sed->at) || *sed->at == ';'))
			next_byte(sed);
		if (sed->at == sed->end)
			break;
		process_step(sed->process);
		one_command(sed);
	}
}

void sed_parse_end(struct sed *sed)
{
	if (sed->open_text) {
		sed->commands[sed->count - 1].text = text_slice(&sed->pending);
	}
	if (sed->depth > 0) {
		sed->at = sed->base;
		bad(sed, "unmatched `{'");
	}
	for (size_t i = 0; i < sed->count; i++) {
		struct sed_command *command = &sed->commands[i];
		size_t target = 0;

		if (!strchr("btT", command->letter))
			continue;
		command->target = sed->count;
		if (command->text.length == 0)
			continue;
		while (target < sed->count &&
		       !(sed->commands[target].letter == ':' &&
			 slice_equal(sed->commands[target].text, command->text)))
			target++;
		process_step(sed->process);
		if (target == sed->count) {
			process_complain(sed->process, "can't find label for jump to `%.*s'",
					 (int)command->text.length, (const char *)command->text.at);
			process_exit(sed->process, 4);
		}
		command->target = target;
	}
}
