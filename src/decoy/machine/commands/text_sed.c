/* sed as GNU's 4.9: what its commands do. */
#include <ctype.h>
#include <fcntl.h>

#include "decoy/machine/commands/text_sed_run.h"

enum sed_end { SED_CYCLE, SED_DELETED, SED_AGAIN, SED_QUIT };

/* --- output --- */

static void put(struct sed_run *run, struct sed_output *output, struct slice bytes)
{
	if (output->descriptor == 1)
		process_put(run->process, bytes);
	else if (output->descriptor >= 0)
		(void)process_write(run->process, output->descriptor, bytes);
}

static void put_newline_that_misses(struct sed_run *run, struct sed_output *output)
{
	if (output->missing_newline)
		put(run, output, SLICE("\n"));
	output->missing_newline = false;
}

void sed_put_line(struct sed_run *run, struct sed_output *output, struct slice bytes, bool newline)
{
	put_newline_that_misses(run, output);
	put(run, output, bytes);
	if (newline)
		put(run, output, run->sed->nul ? slice_of("", 1) : SLICE("\n"));
	else
		output->missing_newline = true;
	if (run->sed->unbuffered)
		process_flush(run->process);
}

/* To the file that is written: text that brings its own line ends. */
static void put_text(struct sed_run *run, struct slice text)
{
	put_newline_that_misses(run, run->out);
	put(run, run->out, text);
}

static void put_file(struct sed_run *run, const char *name)
{
	uint8_t bytes[1024];
	int descriptor =
		text_open_quiet(run->process, strcmp(name, "/dev/stdin") == 0 ? "-" : name);
	ssize_t got;

	if (descriptor < 0)
		return;
	while ((got = process_read(run->process, descriptor, bytes, sizeof(bytes))) > 0) {
		put_text(run, slice_of(bytes, (size_t)got));
		process_step(run->process);
	}
	text_close(run->process, descriptor);
}

static void put_later(struct sed_run *run)
{
	struct sed_later *later, *next;

	for (later = run->later; later; later = next) {
		next = later->next;
		if (later->file)
			put_file(run, later->file);
		else
			put_text(run, later->text);
		process_give(run->process, later);
	}
	run->later = NULL;
	run->later_end = &run->later;
}

static void add_later(struct sed_run *run, struct slice text, const char *file)
{
	struct sed_later *later = process_take(run->process, sizeof(*later));

	later->text = text;
	later->file = file;
	*run->later_end = later;
	run->later_end = &later->next;
}

/* --- input --- */

static void begin_in_place(struct sed_run *run, const char *name)
{
	const char *slash = strrchr(name, '/');
	int length = slash ? (int)(slash + 1 - name) : 0;
	uint8_t random[3];

	process_random(run->process, random, sizeof(random));
	run->temporary = process_format(run->process, "%.*ssed%02x%02x%02x", length, name,
					random[0], random[1], random[2]);
	run->out = process_take(run->process, sizeof(*run->out));
	run->out->descriptor = process_open(run->process, run->temporary,
					    O_WRONLY | O_CREAT | O_TRUNC, run->old.mode & 07777);
	if (run->out->descriptor < 0) {
		process_complain(run->process, "couldn't open temporary file %s: %s",
				 run->temporary, strerror(-run->out->descriptor));
		process_exit(run->process, 4);
	}
}

static void end_in_place(struct sed_run *run)
{
	struct process *process = run->process;
	const char *suffix = run->sed->suffix;

	if (!run->temporary)
		return;
	(void)process_close(process, run->out->descriptor);
	(void)process_change_mode(process, run->temporary, run->old.mode & 07777);
	(void)process_change_owner(process, run->temporary, true, run->old.uid, run->old.gid);
	if (suffix && *suffix) {
		const char *slash = strrchr(run->name, '/');
		const char *base = slash ? slash + 1 : run->name;
		const char *star = strchr(suffix, '*');
		char *kept = star ? process_format(process, "%.*s%.*s%s%s", (int)(base - run->name),
						   run->name, (int)(star - suffix), suffix, base,
						   star + 1)
				  : process_format(process, "%s%s", run->name, suffix);

		(void)process_rename(process, run->name, kept);
	}
	(void)process_rename(process, run->temporary, run->name);
	process_give(process, run->temporary);
	process_give(process, run->out);
	run->temporary = NULL;
	run->out = &run->standard;
}

static bool may_edit(struct sed_run *run, const char *name)
{
	int error = process_stat(run->process, name, true, &run->old);

	if (error != 0) {
		process_complain(run->process, "can't read %s: %s", name, strerror(-error));
		run->status = 2;
		return false;
	}
	if (!S_ISREG(run->old.mode)) {
		process_complain(run->process, "couldn't edit %s: not a regular file", name);
		run->status = 4;
		return false;
	}
	return true;
}

/* Opens the next file that can be read; false: there is none. */
static bool open_next(struct sed_run *run)
{
	while (run->name_at < run->name_count) {
		const char *name = run->names[run->name_at++];
		int descriptor;

		if (run->sed->in_place && !may_edit(run, name))
			continue;
		descriptor = text_open_quiet(run->process, name);
		if (descriptor < 0) {
			if (descriptor == -EISDIR && !run->process->busybox) {
				process_complain(run->process, "read error on %s: %s", name,
						 strerror(EISDIR));
				process_exit(run->process, 4);
			} else
				process_complain(run->process,
						 run->process->busybox ? "%s: %s"
								       : "can't read %s: %s",
						 name, strerror(-descriptor));
			run->status = run->process->busybox ? 1 : 2;
			continue;
		}
		run->name = name;
		if (run->sed->in_place)
			begin_in_place(run, name);
		line_reader_open(&run->reader, descriptor);
		run->open = true;
		if (run->sed->separate)
			run->line = 0;
		return true;
	}
	return false;
}

static void close_current(struct sed_run *run)
{
	text_close(run->process, run->reader.descriptor);
	process_give(run->process, run->reader.buffer);
	run->reader.buffer = NULL;
	run->open = false;
	end_in_place(run);
}

/* Makes sure that the line behind the current one is in `next`. With -s and -i a file's last line
 * is the last: `within` does not look into the next file. */
static bool look_ahead(struct sed_run *run, bool within)
{
	struct slice line;

	while (!run->has_next) {
		if (!run->open) {
			if (within && run->sed->separate)
				return false;
			if (!open_next(run))
				return false;
		}
		if (line_reader_until(run->process, &run->reader, run->sed->nul ? 0 : '\n', &line,
				      &run->next_newline)) {
			text_clear(&run->next);
			text_add(run->process, &run->next, line);
			run->has_next = true;
			return true;
		}
		if (within && run->sed->separate)
			return false;
		close_current(run);
	}
	return true;
}

/* Appends the next line to the pattern space; false: no more. */
static bool read_line(struct sed_run *run)
{
	put_later(run);
	run->replaced = false;
	if (!look_ahead(run, false))
		return false;
	text_add(run->process, &run->space, text_slice(&run->next));
	run->newline = run->next_newline;
	run->has_next = false;
	run->line++;
	return true;
}

static bool is_last(struct sed_run *run)
{
	return !look_ahead(run, true);
}

/* --- addresses --- */

bool sed_matches(struct sed_run *run, struct regex *regex, size_t start, struct regex_span *spans)
{
	if (regex)
		run->last = regex;
	else if (!run->last) {
		process_complain(run->process, run->process->busybox
						       ? "no previous regexp"
						       : "-e expression #1, char 0: no previous "
							 "regular expression");
		process_exit(run->process, 1);
	}
	return regex_match(run->process, run->last, text_slice(&run->space), start, spans,
			   spans ? REGEX_SPANS : 0);
}

static bool one_matches(struct sed_run *run, const struct sed_address *address)
{
	switch (address->kind) {
	case SED_LINE:
		return run->line == address->number;
	case SED_STEP:
		return run->line >= address->number &&
		       (run->line - address->number) % address->step == 0;
	case SED_LAST:
		return is_last(run);
	case SED_REGEX:
		return sed_matches(run, address->regex, 0, NULL);
	default:
		return true;
	}
}

/* The first line of a range: decides where it will end. */
static bool begin_range(struct sed_run *run, struct sed_command *command)
{
	const struct sed_address *to = &command->to;

	if (command->range == SED_CLOSED && command->from.kind == SED_LINE && !run->sed->separate)
		return false;
	if (!one_matches(run, &command->from))
		return false;
	switch (to->kind) {
	case SED_LINE:
		command->range_end = to->number;
		break;
	case SED_PLUS:
		command->range_end = run->line + to->number;
		break;
	case SED_UNTIL:
		command->range_end =
			to->number == 0 ? run->line : (run->line / to->number + 1) * to->number;
		break;
	default:
		command->range = SED_ACTIVE;
		return true;
	}
	command->range = command->range_end > run->line ? SED_ACTIVE : SED_INACTIVE;
	return true;
}

static bool within_range(struct sed_run *run, struct sed_command *command)
{
	bool over;

	switch (command->to.kind) {
	case SED_LAST:
		if (is_last(run))
			command->range = SED_CLOSED;
		return true;
	case SED_REGEX:
		if (one_matches(run, &command->to))
			command->range = SED_CLOSED;
		return true;
	default:
		over = run->line >= command->range_end;
		if (over)
			command->range = SED_CLOSED;
		return run->line <= command->range_end || one_matches(run, &command->from);
	}
}

static bool selected(struct sed_run *run, struct sed_command *command)
{
	bool is;

	if (command->from.kind == SED_NONE)
		is = true;
	else if (command->to.kind == SED_NONE)
		is = one_matches(run, &command->from);
	else if (command->range == SED_ACTIVE)
		is = within_range(run, command);
	else
		is = begin_range(run, command);
	return is != command->inverse;
}

/* --- the other commands --- */

static void list_space(struct sed_run *run, int64_t wrap)
{
	static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
	struct text out = {0};
	size_t column = 0;

	for (size_t i = 0; i < run->space.length; i++) {
		uint8_t byte = (uint8_t)run->space.data[i];
		char shown[8];
		struct writer w = writer_fixed(shown, sizeof(shown));
		const char *found = byte ? strchr(bytes, byte) : NULL;

		if (found)
			writer_format(&w, "\\%c", letters[found - bytes]);
		else if (byte >= 32 && byte < 127)
			writer_u8(&w, byte);
		else
			writer_format(&w, "\\%03o", byte);
		if (wrap > 1 && column + w.length > (size_t)wrap - 1) {
			text_add_words(run->process, &out, "\\\n");
			column = 0;
		}
		text_add(run->process, &out, writer_slice(&w));
		column += w.length;
	}
	text_add_words(run->process, &out, "$\n");
	put_text(run, text_slice(&out));
	process_give(run->process, out.data);
}

static void read_one_line(struct sed_run *run, struct sed_command *command)
{
	struct slice line;
	bool newline;
	char *copy;

	if (!command->lines) {
		int descriptor = text_open_quiet(run->process, (const char *)command->text.at);

		command->lines = process_take(run->process, sizeof(*command->lines));
		line_reader_open(command->lines, descriptor);
	}
	if (command->lines->descriptor < 0 ||
	    !line_reader_next(run->process, command->lines, &line, &newline))
		return;
	copy = process_take(run->process, line.length + 1);
	memcpy(copy, line.at, line.length);
	copy[line.length] = '\n';
	add_later(run, slice_of(copy, line.length + 1), NULL);
}

static void keep_within(struct sed_run *run, const struct text *text)
{
	if (text->length > SED_SPACE_MAX) {
		process_complain(run->process, "memory exhausted");
		process_exit(run->process, 4);
	}
}

static void execute_line(struct sed_run *run, const struct sed_command *command)
{
	struct text out = {0};

	if (command->text.length > 0) {
		text_capture(run->process, process_copy_slice(run->process, command->text), &out);
		put_text(run, text_slice(&out));
		process_give(run->process, out.data);
		return;
	}
	text_add_byte(run->process, &run->space, 0);
	text_capture(run->process, run->space.data, &out);
	process_give(run->process, run->space.data);
	if (out.length > 0 && out.data[out.length - 1] == '\n')
		out.length--;
	run->space = out;
}

/* Commands that stay in the cycle and only work on the spaces. */
static void space_command(struct sed_run *run, struct sed_command *command)
{
	struct text swapped;

	switch (command->letter) {
	case 'g':
		text_clear(&run->space);
		text_add(run->process, &run->space, text_slice(&run->hold));
		break;
	case 'G':
		text_add_byte(run->process, &run->space, run->sed->nul ? 0 : '\n');
		text_add(run->process, &run->space, text_slice(&run->hold));
		keep_within(run, &run->space);
		break;
	case 'h':
		text_clear(&run->hold);
		text_add(run->process, &run->hold, text_slice(&run->space));
		break;
	case 'H':
		text_add_byte(run->process, &run->hold, run->sed->nul ? 0 : '\n');
		text_add(run->process, &run->hold, text_slice(&run->space));
		keep_within(run, &run->hold);
		break;
	case 'x':
		swapped = run->space;
		run->space = run->hold;
		run->hold = swapped;
		break;
	case 'z':
		text_clear(&run->space);
		break;
	case 'y':
		for (size_t i = 0; i < run->space.length; i++)
			run->space.data[i] = (char)command->map[(uint8_t)run->space.data[i]];
		break;
	case 's':
		sed_substitute(run, command);
		break;
	case 'e':
		execute_line(run, command);
		break;
	default:
		break;
	}
}

static struct slice first_line(struct sed_run *run)
{
	struct slice space = text_slice(&run->space);

	return slice_first(space, slice_find_byte(space, run->sed->nul ? 0 : '\n'));
}

/* Commands that write or keep text to be written. */
static void write_command(struct sed_run *run, struct sed_command *command)
{
	struct slice space = text_slice(&run->space);

	switch (command->letter) {
	case 'a':
		add_later(run, command->text, NULL);
		break;
	case 'i':
		put_text(run, command->text);
		break;
	case 'r':
		add_later(run, command->text, (const char *)command->text.at);
		break;
	case 'R':
		read_one_line(run, command);
		break;
	case 'p':
		sed_put_line(run, run->out, space, run->newline);
		break;
	case 'P':
		sed_put_line(run, run->out, first_line(run), true);
		break;
	case 'w':
		sed_put_line(run, command->file, space, run->newline);
		break;
	case 'W':
		sed_put_line(run, command->file, first_line(run), true);
		break;
	case 'l':
		list_space(run, command->number >= 0 ? command->number : run->sed->wrap);
		break;
	case '=': {
		char *words = process_format(run->process, "%llu\n", (unsigned long long)run->line);

		put_text(run, slice_text(words));
		process_give(run->process, words);
		break;
	}
	case 'F':
		sed_put_line(run, run->out, slice_text(run->name), true);
		break;
	default:
		space_command(run, command);
		break;
	}
}

static void drop_first_line(struct sed_run *run)
{
	size_t length = first_line(run).length + 1;

	memmove(run->space.data, run->space.data + length, run->space.length - length);
	run->space.length -= length;
}

static void autoprint(struct sed_run *run)
{
	if (!run->sed->quiet)
		sed_put_line(run, run->out, text_slice(&run->space), run->newline);
}

/* n and N: false when there is no next line (the space is then printed, as GNU does). */
static bool next_line(struct sed_run *run, bool append)
{
	if (!look_ahead(run, false)) {
		if (!append || !run->sed->posix)
			autoprint(run);
		return false;
	}
	if (append)
		text_add_byte(run->process, &run->space, run->sed->nul ? 0 : '\n');
	else {
		autoprint(run);
		text_clear(&run->space);
	}
	keep_within(run, &run->space);
	return read_line(run);
}

static enum sed_end run_script(struct sed_run *run)
{
	struct sed *sed = run->sed;
	size_t at = 0;

	while (at < sed->count) {
		struct sed_command *command = &sed->commands[at++];

		process_step(run->process);
		if (!selected(run, command)) {
			if (command->letter == '{')
				at = command->target;
			continue;
		}
		switch (command->letter) {
		case 'b':
			at = command->target;
			break;
		case 't':
		case 'T':
			if (run->replaced == (command->letter == 't'))
				at = command->target;
			run->replaced = false;
			break;
		case 'c':
			if (command->to.kind == SED_NONE || command->inverse ||
			    command->range != SED_ACTIVE)
				put_text(run, command->text);
			return SED_DELETED;
		case 'd':
			return SED_DELETED;
		case 'D':
			if (first_line(run).length == run->space.length)
				return SED_DELETED;
			drop_first_line(run);
			return SED_AGAIN;
		case 'n':
		case 'N':
			if (!next_line(run, command->letter == 'N'))
				return SED_QUIT;
			break;
		case 'q':
			autoprint(run);
			/* fallthrough */
		case 'Q':
			run->status = command->number < 0 ? 0 : (int)(command->number & 255);
			if (command->letter == 'Q')
				run->later = NULL;
			return SED_QUIT;
		default:
			write_command(run, command);
			break;
		}
	}
	return SED_CYCLE;
}

/* The rest of the file that -i edits stays as it was when q ends it. */
static void copy_rest(struct sed_run *run)
{
	struct slice line;
	bool newline;

	if (!run->temporary)
		return;
	if (run->has_next)
		sed_put_line(run, run->out, text_slice(&run->next), run->next_newline);
	while (line_reader_until(run->process, &run->reader, run->sed->nul ? 0 : '\n', &line,
				 &newline))
		sed_put_line(run, run->out, line, newline);
	end_in_place(run);
}

int sed_run(struct sed *sed, char **names, int count)
{
	struct sed_run run = {.sed = sed,
			      .process = sed->process,
			      .names = names,
			      .name_count = count,
			      .name = "-",
			      .newline = true};
	bool again = false;

	run.standard.descriptor = 1;
	run.out = &run.standard;
	run.later_end = &run.later;
	text_add_words(run.process, &run.space, "");
	text_add_words(run.process, &run.hold, "");
	while (again || read_line(&run)) {
		enum sed_end end = run_script(&run);

		again = end == SED_AGAIN;
		if (end == SED_CYCLE)
			autoprint(&run);
		if (end == SED_QUIT) {
			put_later(&run);
			copy_rest(&run);
			return run.status;
		}
		if (again)
			put_later(&run);
		else
			text_clear(&run.space);
	}
	put_later(&run);
	return run.status;
}
