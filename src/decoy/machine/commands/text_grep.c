/* grep, egrep, fgrep and zgrep as GNU's 3.8; zgrep is in text_zgrep.c. */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/commands/text.h"
#include "decoy/machine/commands/text_grep.h"
#include "decoy/machine/limits.h"

/* What is going on in one file. */
struct grep_file {
	const char *name;
	uint64_t number, offset, selected;
	int64_t after_left;
	uint64_t last_written; /* number of the last line that was written */
	bool binary, stop;
	/* Lines kept for -B: a ring. */
	struct kept_line {
		char *text;
		size_t length;
		uint64_t number, offset;
	} * kept;
	size_t kept_first, kept_count;
};

/* --- output --- */

static void colored(struct grep *grep, const char *color, struct slice text)
{
	if (grep->color)
		process_print(grep->process, "\033[%sm\033[K", color);
	process_put(grep->process, text);
	if (grep->color)
		process_put_text(grep->process, "\033[m\033[K");
}

static void put_mark(struct grep *grep, char mark)
{
	colored(grep, "36", slice_of(&mark, 1));
}

static void put_number(struct grep *grep, const char *color, uint64_t number, char mark)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);

	colored(grep, color, slice_of(digits, (size_t)length));
	put_mark(grep, mark);
}

static void put_name(struct grep *grep, const char *name, char mark)
{
	colored(grep, "35", slice_text(name));
	if (grep->nul_names)
		process_put_byte(grep->process, 0);
	else if (mark)
		put_mark(grep, mark);
}

static void put_start(struct grep *grep, const struct grep_file *file, uint64_t number,
		      uint64_t offset, char mark)
{
	if (grep->with_name)
		put_name(grep, file->name, mark);
	if (grep->numbers)
		put_number(grep, "32", number, mark);
	if (grep->offsets)
		put_number(grep, "32", offset, mark);
	if (grep->tab && (grep->with_name || grep->numbers || grep->offsets))
		process_put_byte(grep->process, '\t');
}

/* The parts of a line that match: alone (-o) or in color within the line. */
static void put_matches(struct grep *grep, struct grep_file *file, struct slice line)
{
	struct regex_span span;
	size_t at = 0, done = 0;

	while (at <= line.length && regex_match(grep->process, grep->regex, line, at, &span, 1)) {
		struct slice part = slice_of(line.at + span.start, span.end - span.start);

		process_step(grep->process);
		if (part.length == 0) {
			at = span.end + 1;
			continue;
		}
		if (grep->only) {
			put_start(grep, file, file->number, file->offset + span.start, ':');
			colored(grep, "01;31", part);
			process_put_byte(grep->process, grep->end);
		} else {
			process_put(grep->process, slice_of(line.at + done, span.start - done));
			colored(grep, "01;31", part);
		}
		at = done = span.end;
	}
	if (!grep->only) {
		process_put(grep->process, slice_from(line, done));
		process_put_byte(grep->process, grep->end);
	}
}

static void put_line(struct grep *grep, struct grep_file *file, struct slice line, uint64_t number,
		     uint64_t offset, char mark)
{
	if (grep->separator && (grep->before > 0 || grep->after > 0) && grep->any_output &&
	    file->last_written + 1 != number) {
		colored(grep, "36", slice_text(grep->separator));
		process_put_byte(grep->process, '\n');
	}
	grep->any_output = true;
	file->last_written = number;
	if (mark == ':' && (grep->only || (grep->color && !grep->invert)) && grep->regex) {
		if (!grep->only)
			put_start(grep, file, number, offset, mark);
		if (!grep->only || !grep->invert)
			put_matches(grep, file, line);
		return;
	}
	if (grep->only)
		return;
	put_start(grep, file, number, offset, mark);
	process_put(grep->process, line);
	process_put_byte(grep->process, grep->end);
}

/* --- lines --- */

static void keep_line(struct grep *grep, struct grep_file *file, struct slice line)
{
	size_t room = (size_t)grep->before;
	struct kept_line *kept;

	if (!file->kept)
		file->kept = process_take(grep->process, room * sizeof(*file->kept));
	if (file->kept_count == room) {
		process_give(grep->process, file->kept[file->kept_first].text);
		file->kept_first = (file->kept_first + 1) % room;
		file->kept_count--;
	}
	kept = &file->kept[(file->kept_first + file->kept_count++) % room];
	kept->text = process_copy_slice(grep->process, line);
	kept->length = line.length;
	kept->number = file->number;
	kept->offset = file->offset;
}

static void write_kept(struct grep *grep, struct grep_file *file)
{
	while (file->kept_count > 0) {
		struct kept_line *kept = &file->kept[file->kept_first];

		put_line(grep, file, slice_of(kept->text, kept->length), kept->number, kept->offset,
			 '-');
		process_give(grep->process, kept->text);
		file->kept_first = (file->kept_first + 1) % (size_t)grep->before;
		file->kept_count--;
	}
}

static void select_line(struct grep *grep, struct grep_file *file, struct slice line)
{
	file->selected++;
	if (grep->quiet || grep->list || grep->list_without) {
		file->stop = true;
		return;
	}
	if (!grep->count) {
		if (file->binary && !grep->as_text) {
			file->stop = true;
			return;
		}
		write_kept(grep, file);
		put_line(grep, file, line, file->number, file->offset, ':');
		file->after_left = grep->after;
		if (grep->flush)
			process_flush(grep->process);
	}
	if (grep->most >= 0 && file->selected >= (uint64_t)grep->most)
		file->stop = true;
}

static bool matches(struct grep *grep, struct slice line)
{
	return grep->regex && regex_match(grep->process, grep->regex, line, 0, NULL, 0);
}

/* After -m has stopped it, only the context behind is written. */
static void one_line(struct grep *grep, struct grep_file *file, struct slice line)
{
	file->number++;
	if (!file->binary && grep->end != 0 && line.length > 0 && memchr(line.at, 0, line.length))
		file->binary = true;
	if (!file->stop && matches(grep, line) != grep->invert)
		select_line(grep, file, line);
	else if (file->after_left > 0) {
		file->after_left--;
		put_line(grep, file, line, file->number, file->offset, '-');
	} else if (grep->before > 0 && !grep->count)
		keep_line(grep, file, line);
}

/* GNU's grep calls a file binary when there is a NUL in what it reads first. */
static bool looks_binary(struct grep *grep, int descriptor)
{
	struct file_status status;
	uint8_t bytes[2048];
	size_t looked = 0;
	bool found = false;
	int64_t start;
	ssize_t got;

	if (grep->as_text || grep->end == 0 ||
	    process_status_of(grep->process, descriptor, &status) != 0 || !S_ISREG(status.mode))
		return false;
	start = process_seek(grep->process, descriptor, 0, SEEK_CUR);
	if (start < 0)
		return false;
	while (!found && looked < BINARY_LOOK &&
	       (got = process_read(grep->process, descriptor, bytes, sizeof(bytes))) > 0) {
		found = memchr(bytes, 0, (size_t)got) != NULL;
		looked += (size_t)got;
	}
	process_seek(grep->process, descriptor, start, SEEK_SET);
	return found;
}

static void summary(struct grep *grep, struct grep_file *file)
{
	struct process *process = grep->process;

	if (grep->count && !grep->quiet && !grep->list && !grep->list_without) {
		if (grep->with_name)
			put_name(grep, file->name, ':');
		process_print(process, "%llu\n", (unsigned long long)file->selected);
	}
	if ((grep->list && file->selected > 0) || (grep->list_without && file->selected == 0)) {
		put_name(grep, file->name, 0);
		if (!grep->nul_names)
			process_put_byte(process, '\n');
	}
	if (file->binary && file->selected > 0 && !grep->as_text && !grep->count && !grep->quiet &&
	    !grep->list && !grep->list_without && !process->busybox)
		process_print(process, "%s: %s: binary file matches\n", process->argv[0],
			      file->name);
}

static void search(struct grep *grep, int descriptor, const char *name)
{
	struct grep_file file = {.name = name};
	struct line_reader reader;
	struct slice line;
	bool newline;

	file.binary = looks_binary(grep, descriptor);
	if (file.binary && grep->no_binary)
		return;
	line_reader_open(&reader, descriptor);
	while ((!file.stop || file.after_left > 0) && grep->most != 0 &&
	       line_reader_until(grep->process, &reader, grep->end, &line, &newline)) {
		one_line(grep, &file, line);
		file.offset += line.length + 1;
	}
	process_give(grep->process, reader.buffer);
	process_give(grep->process, file.kept);
	summary(grep, &file);
	if (file.selected > 0) {
		if (grep->status == 1)
			grep->status = 0;
		if (grep->quiet)
			process_exit(grep->process, 0);
	}
}

/* --- files and folders --- */

static void complain(struct grep *grep, const char *name, int error)
{
	grep->status = 2;
	if (!grep->no_messages)
		process_complain(grep->process, "%s: %s", name, strerror(error));
}

static bool left_out(const struct grep *grep, const char *path, bool folder, bool given)
{
	const char *name = strrchr(path, '/') && !given ? strrchr(path, '/') + 1 : path;
	bool includes = false, included = false;

	for (size_t i = 0; i < grep->glob_count; i++) {
		bool fits = text_glob(grep->globs[i].pattern, name);
		const char *last = strrchr(path, '/');

		if (!fits && last)
			fits = text_glob(grep->globs[i].pattern, last + 1);
		if (grep->globs[i].kind == OPTION_EXCLUDE_FOLDER ? folder && fits
		    : grep->globs[i].kind == OPTION_EXCLUDE      ? !folder && fits
								 : false)
			return true;
		if (grep->globs[i].kind == OPTION_INCLUDE && !folder) {
			includes = true;
			included = included || fits;
		}
	}
	return includes && !included;
}

static void search_path(struct grep *grep, const char *path, bool given, unsigned depth);

static void search_folder(struct grep *grep, const char *path, unsigned depth)
{
	struct folder_entry *entries;
	ssize_t count = process_list(grep->process, path, &entries);
	size_t length = strlen(path);

	if (!grep->no_name)
		grep->with_name = true;
	if (count < 0) {
		complain(grep, path, (int)-count);
		return;
	}
	for (ssize_t i = 0; i < count; i++) {
		char *below;

		if (strcmp(entries[i].name, ".") == 0 || strcmp(entries[i].name, "..") == 0)
			continue;
		below = process_format(grep->process, "%s%s%s", path,
				       length > 0 && path[length - 1] == '/' ? "" : "/",
				       entries[i].name);
		search_path(grep, below, false, depth + 1);
		process_give(grep->process, below);
	}
	process_give(grep->process, entries);
}

static void search_path(struct grep *grep, const char *path, bool given, unsigned depth)
{
	struct file_status status;
	int descriptor, error;

	process_step(grep->process);
	error = process_stat(grep->process, path, given || grep->follow, &status);
	if (error != 0) {
		complain(grep, path, -error);
		return;
	}
	if (left_out(grep, path, S_ISDIR(status.mode), given))
		return;
	if (S_ISDIR(status.mode)) {
		if (grep->recurse && depth < FOLDER_DEPTH_MAX)
			search_folder(grep, path, depth);
		else if (!grep->recurse && !grep->skip_folders)
			complain(grep, path, EISDIR);
		return;
	}
	if (!given && grep->recurse && !S_ISREG(status.mode)) /* links, devices, pipes */
		return;
	descriptor = process_open(grep->process, path, O_RDONLY, 0);
	if (descriptor < 0) {
		complain(grep, path, -descriptor);
		return;
	}
	search(grep, descriptor, path);
	text_close(grep->process, descriptor);
}

/* Without a file, -r searches the working folder, and names no folder in what it prints. */
static void search_here(struct grep *grep)
{
	struct folder_entry *entries;
	ssize_t count = process_list(grep->process, ".", &entries);

	for (ssize_t i = 0; i < count; i++) {
		if (strcmp(entries[i].name, ".") != 0 && strcmp(entries[i].name, "..") != 0)
			search_path(grep, entries[i].name, false, 1);
	}
}

static void compile(struct grep *grep)
{
	const char *why;

	if (!grep->has_patterns)
		return;
	grep->flags |= REGEX_GREP;
	if (grep->syntax != REGEX_PERL)
		grep->flags |= REGEX_ANY_OF;
	grep->regex = regex_new(grep->process, text_slice(&grep->patterns), grep->syntax,
				grep->flags, &why);
	if (grep->regex)
		return;
	if (grep->process->busybox)
		process_complain(grep->process, "bad regex '%s': %s", grep->patterns.data, why);
	else
		process_complain(grep->process, "%s", why);
	process_exit(grep->process, grep->process->busybox ? 1 : 2);
}

static int grep_main(struct process *process, int argc, char **argv)
{
	struct grep grep = {.process = process,
			    .syntax = REGEX_BASIC,
			    .end = '\n',
			    .most = -1,
			    .before = -1,
			    .after = -1,
			    .both = -1,
			    .label = "(standard input)",
			    .separator = "--",
			    .status = 1};
	struct option_state state = {0};
	int count;

	text_grep_options(&grep, &state, argc, argv);
	if (!grep.has_patterns && (grep.flags & REGEX_ANY_OF) == 0) {
		if (state.index >= argc) {
			if (process->busybox)
				command_busybox_usage(process, argv[0]);
			text_grep_usage(process);
		}
		text_grep_add(&grep, slice_text(argv[state.index++]));
	}
	compile(&grep);
	count = argc - state.index;
	if (!grep.no_name && (count > 1 || (grep.recurse && count == 0)))
		grep.with_name = true;
	if (!grep.regex && !grep.invert && !grep.list && !grep.list_without)
		return 1;
	if (count == 0 && grep.recurse)
		search_here(&grep);
	else if (count == 0)
		search(&grep, 0, grep.label);
	for (int i = state.index; i < argc; i++) {
		if (strcmp(argv[i], "-") == 0)
			search(&grep, 0, grep.label);
		else
			search_path(&grep, argv[i], true, 0);
	}
	return grep.status;
}

/* egrep and fgrep are one-line scripts on Debian. */
static int grep_as(struct process *process, int argc, char **argv, const char *option)
{
	char **more = process_take(process, ((size_t)argc + 2) * sizeof(*more));

	more[0] = argv[0];
	if (!process->busybox)
		more[0] = process_copy_text(process, "grep");
	more[1] = process_copy_text(process, option);
	for (int i = 1; i < argc; i++)
		more[i + 1] = argv[i];
	process->argv = more;
	process->argc = argc + 1;
	return grep_main(process, argc + 1, more);
}

static int egrep_main(struct process *process, int argc, char **argv)
{
	return grep_as(process, argc, argv, "-E");
}

static int fgrep_main(struct process *process, int argc, char **argv)
{
	return grep_as(process, argc, argv, "-F");
}

static const struct command commands[] = {
	{"grep", grep_main, COMMAND_BOTH},
	{"egrep", egrep_main, COMMAND_BOTH},
	{"fgrep", fgrep_main, COMMAND_BOTH},
	{"zgrep", text_zgrep_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_grep = {"text_grep", commands};
