/* patch as GNU's 2.7.6: unified and normal differences. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/files.h"

#define PATCH_LINES_MAX 60000
#define FUZZ_MAX        2

/* A hunk: lines with ' ', '-' or '+' in front, as a unified difference has them. */
struct hunk {
	size_t old_start, old_count, new_start, new_count;
	struct slice *lines; /* the mark is the first byte */
	size_t count;
};

struct patch {
	struct process *process;
	struct slice *in; /* the difference */
	size_t in_count, in_at;
	const char *file, *folder, *output, *reject;
	int64_t strip; /* -1: only the last part of a name */
	bool reverse, dry, silent, backup, remove_empty;
	/* The file that is mended. */
	const char *name;
	struct slice titles[2]; /* the lines with --- and +++; empty: there were none */
	struct slice *lines;
	size_t count;
	int64_t shift; /* by which hunks so far were off */
	struct text rejects;
	unsigned hunks, failed;
	int status;
};

static struct slice *cut_lines(struct process *p, struct slice text, size_t *count)
{
	size_t most = 1;
	struct slice *lines;

	for (size_t i = 0; i < text.length; i++)
		most += text.at[i] == '\n';
	if (most > PATCH_LINES_MAX) {
		process_complain(p, "**** out of memory");
		process_exit(p, 2);
	}
	lines = process_take(p, (most + 1) * sizeof(*lines));
	for (*count = 0; text.length;) {
		size_t end = slice_find_byte(text, '\n');
		struct slice line = end == SIZE_MAX ? text : slice_first(text, end + 1);

		lines[(*count)++] = line;
		text = slice_from(text, line.length);
	}
	return lines;
}

/* --- names --- */

/* The name in "--- a/x.c\t2024-..." or "*** x"; NULL: /dev/null. */
static const char *take_name(struct patch *patch, struct slice line)
{
	size_t end = 0;
	struct slice name = slice_from(line, 4);
	const char *found;
	int64_t strip = patch->strip;

	while (end < name.length && name.at[end] != '\t' && name.at[end] != '\n')
		end++;
	name = slice_trim(slice_first(name, end));
	if (slice_is(name, "/dev/null"))
		return NULL;
	found = process_copy_slice(patch->process, name);
	if (strip < 0)
		return strrchr(found, '/') ? strrchr(found, '/') + 1 : found;
	for (; strip > 0 && strchr(found, '/'); strip--)
		found = strchr(found, '/') + 1 + strspn(strchr(found, '/') + 1, "/");
	return strip ? "" : found;
}

/* Names that lead out of the folder are not taken. */
static bool is_safe(const char *name)
{
	return *name && *name != '/' && strncmp(name, "../", 3) != 0 && !strstr(name, "/../");
}

static const char *choose(struct patch *patch, const char *old, const char *new)
{
	struct file_status status;
	const char *names[] = {old, new};

	for (size_t i = 0; i < 2; i++)
		if (names[i] && is_safe(names[i]) &&
		    process_stat(patch->process, names[i], true, &status) == 0)
			return names[i];
	if (!old && new &&is_safe(new))
		return new;
	return NULL;
}

/* --- hunks --- */

static bool take_numbers(const char **at, size_t *start, size_t *count)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*start = strtoul(*at, &end, 10);
	*count = 1;
	if (*end == ',')
		*count = strtoul(end + 1, &end, 10);
	*at = end;
	return *start < PATCH_LINES_MAX && *count < PATCH_LINES_MAX;
}

static _Noreturn void malformed(struct patch *patch)
{
	struct slice line =
		patch->in_at < patch->in_count ? patch->in[patch->in_at] : (struct slice){0};

	process_flush(patch->process);
	process_complain(patch->process, "**** malformed patch at line %zu: %.*s", patch->in_at + 1,
			 (int)line.length, (const char *)line.at);
	process_exit(patch->process, 2);
}

static void add_line(struct patch *patch, struct hunk *hunk, char mark, struct slice line)
{
	struct text made = {0};

	text_add_byte(patch->process, &made, (uint8_t)mark);
	text_add(patch->process, &made, line);
	hunk->lines[hunk->count++] = text_slice(&made);
}

/* "\ No newline at end of file": the line before has none. */
static void take_newline(struct patch *patch, struct hunk *hunk)
{
	if (patch->in_at >= patch->in_count || patch->in[patch->in_at].at[0] != '\\')
		return;
	patch->in_at++;
	if (hunk->count)
		hunk->lines[hunk->count - 1].length--;
}

static bool next_unified(struct patch *patch, struct hunk *hunk)
{
	size_t old = 0, new = 0;
	const char *at;

	if (patch->in_at >= patch->in_count || !slice_starts(patch->in[patch->in_at], "@@ -"))
		return false;
	at = process_copy_slice(patch->process, slice_from(patch->in[patch->in_at], 4));
	*hunk = (struct hunk){0};
	if (!take_numbers(&at, &hunk->old_start, &hunk->old_count) || strncmp(at, " +", 2) != 0)
		malformed(patch);
	at += 2;
	if (!take_numbers(&at, &hunk->new_start, &hunk->new_count) || strncmp(at, " @@", 3) != 0)
		malformed(patch);
	patch->in_at++;
	hunk->lines = process_take(patch->process,
				   (hunk->old_count + hunk->new_count + 1) * sizeof(*hunk->lines));
	while (old < hunk->old_count || new < hunk->new_count) {
		struct slice line = patch->in_at < patch->in_count ? patch->in[patch->in_at]
								   : (struct slice){0};
		char mark = line.length ? (char)line.at[0] : '\0';

		if (mark == '\n') { /* a context line whose blank was lost */
			add_line(patch, hunk, ' ', line);
		} else if (mark == ' ' || mark == '-' || mark == '+') {
			hunk->lines[hunk->count++] = line;
		} else {
			malformed(patch);
		}
		old += mark != '+';
		new += mark != '-';
		if (old > hunk->old_count || new > hunk->new_count)
			malformed(patch);
		patch->in_at++;
		take_newline(patch, hunk);
		process_step(patch->process);
	}
	return true;
}

/* "5,6c7", "3a4,5", "8d7". */
static bool next_normal(struct patch *patch, struct hunk *hunk)
{
	const char *at;
	char letter;

	if (patch->in_at >= patch->in_count || !isdigit(patch->in[patch->in_at].at[0]))
		return false;
	at = process_copy_slice(patch->process, patch->in[patch->in_at]);
	*hunk = (struct hunk){0};
	if (!take_numbers(&at, &hunk->old_start, &hunk->old_count))
		return false;
	hunk->old_count = hunk->old_count > 1 ? hunk->old_count - hunk->old_start + 1 : 1;
	letter = *at++;
	if ((letter != 'a' && letter != 'c' && letter != 'd') ||
	    !take_numbers(&at, &hunk->new_start, &hunk->new_count))
		return false;
	hunk->new_count = hunk->new_count > 1 ? hunk->new_count - hunk->new_start + 1 : 1;
	if (letter == 'a')
		hunk->old_count = 0;
	if (letter == 'd')
		hunk->new_count = 0;
	if (hunk->old_count >= PATCH_LINES_MAX || hunk->new_count >= PATCH_LINES_MAX)
		malformed(patch);
	patch->in_at++;
	hunk->lines = process_take(patch->process,
				   (hunk->old_count + hunk->new_count + 1) * sizeof(*hunk->lines));
	for (size_t i = 0; i < hunk->old_count + hunk->new_count; i++) {
		bool old = i < hunk->old_count;

		if (i == hunk->old_count && letter == 'c' && patch->in_at < patch->in_count &&
		    slice_starts(patch->in[patch->in_at], "---"))
			patch->in_at++;
		if (patch->in_at >= patch->in_count ||
		    !slice_starts(patch->in[patch->in_at], old ? "< " : "> "))
			malformed(patch);
		add_line(patch, hunk, old ? '-' : '+', slice_from(patch->in[patch->in_at++], 2));
		take_newline(patch, hunk);
	}
	return true;
}

static void reverse(struct hunk *hunk)
{
	size_t start = hunk->old_start, count = hunk->old_count;

	hunk->old_start = hunk->new_start;
	hunk->old_count = hunk->new_count;
	hunk->new_start = start;
	hunk->new_count = count;
	for (size_t i = 0; i < hunk->count; i++) {
		uint8_t *mark = (uint8_t *)(uintptr_t)hunk->lines[i].at;

		*mark = *mark == '-' ? '+' : *mark == '+' ? '-' : ' ';
	}
}

/* --- putting them in --- */

static bool fits_at(const struct patch *patch, const struct hunk *hunk, size_t at,
		    size_t skip_first, size_t skip_last)
{
	size_t last = hunk->count - skip_last;

	for (size_t i = 0; i < hunk->count; i++) {
		if (hunk->lines[i].at[0] == '+')
			continue;
		if (i >= skip_first && i < last &&
		    (at >= patch->count ||
		     !slice_equal(slice_from(hunk->lines[i], 1), patch->lines[at])))
			return false;
		at++;
	}
	return at <= patch->count;
}

static size_t context(const struct hunk *hunk, bool end)
{
	size_t count = 0;

	while (count < hunk->count &&
	       hunk->lines[end ? hunk->count - 1 - count : count].at[0] == ' ')
		count++;
	return count;
}

/* Where the hunk goes, nearest to where it says; SIZE_MAX: nowhere. */
static size_t find_place(struct patch *patch, const struct hunk *hunk, size_t fuzz)
{
	size_t before = context(hunk, false), after = context(hunk, true);
	size_t most = before > after ? before : after;
	int64_t skip_first = (int64_t)(fuzz + before) - (int64_t)most;
	int64_t skip_last = (int64_t)(fuzz + after) - (int64_t)most;
	size_t first = skip_first > 0 ? (size_t)skip_first : 0;
	size_t last = skip_last > 0 ? (size_t)skip_last : 0;
	int64_t wanted = (int64_t)hunk->old_start - (hunk->old_count > 0) + patch->shift;

	if (hunk->old_count == 0)
		return wanted >= 0 && wanted <= (int64_t)patch->count ? (size_t)wanted : SIZE_MAX;
	for (int64_t off = 0; off <= (int64_t)patch->count + 1; off++) {
		process_step(patch->process);
		if (wanted + off >= 0 && wanted + off <= (int64_t)patch->count &&
		    fits_at(patch, hunk, (size_t)(wanted + off), first, last))
			return (size_t)(wanted + off);
		if (off && wanted >= off && wanted - off <= (int64_t)patch->count &&
		    fits_at(patch, hunk, (size_t)(wanted - off), first, last))
			return (size_t)(wanted - off);
	}
	return SIZE_MAX;
}

static void put_in(struct patch *patch, const struct hunk *hunk, size_t at)
{
	size_t made = patch->count + hunk->new_count + 1, n = 0;
	struct slice *lines = process_take(patch->process, made * sizeof(*lines));
	size_t old = at;

	memcpy(lines, patch->lines, at * sizeof(*lines));
	n = at;
	for (size_t i = 0; i < hunk->count; i++) {
		char mark = (char)hunk->lines[i].at[0];

		if (mark == ' ')
			lines[n++] = patch->lines[old];
		else if (mark == '+')
			lines[n++] = slice_from(hunk->lines[i], 1);
		old += mark != '+';
	}
	memcpy(lines + n, patch->lines + old, (patch->count - old) * sizeof(*lines));
	patch->count = n + patch->count - old;
	process_give(patch->process, patch->lines);
	patch->lines = lines;
}

static void put_reject(struct patch *patch, const struct hunk *hunk)
{
	struct process *p = patch->process;

	if (!patch->rejects.length) {
		text_add(p, &patch->rejects, patch->titles[0]);
		text_add(p, &patch->rejects, patch->titles[1]);
	}
	text_format(p, &patch->rejects, "@@ -%zu", hunk->old_start);
	if (hunk->old_count != 1)
		text_format(p, &patch->rejects, ",%zu", hunk->old_count);
	text_format(p, &patch->rejects, " +%zu", hunk->new_start);
	if (hunk->new_count != 1)
		text_format(p, &patch->rejects, ",%zu", hunk->new_count);
	text_add_words(p, &patch->rejects, " @@\n");
	for (size_t i = 0; i < hunk->count; i++) {
		struct slice line = hunk->lines[i];

		text_add(p, &patch->rejects, line);
		if (line.at[line.length - 1] != '\n')
			text_add_words(p, &patch->rejects, "\n\\ No newline at end of file\n");
	}
}

static void apply(struct patch *patch, struct hunk *hunk)
{
	size_t place = SIZE_MAX, fuzz = 0;
	int64_t off;

	patch->hunks++;
	if (patch->reverse)
		reverse(hunk);
	for (; fuzz <= FUZZ_MAX && place == SIZE_MAX; fuzz++)
		place = find_place(patch, hunk, fuzz);
	if (place == SIZE_MAX) {
		process_print(patch->process, "Hunk #%u FAILED at %zu.\n", patch->hunks,
			      (size_t)((int64_t)hunk->new_start + patch->shift -
				       ((int64_t)hunk->new_start - (int64_t)hunk->old_start)));
		patch->failed++;
		put_reject(patch, hunk);
		return;
	}
	off = (int64_t)place + (hunk->old_count > 0) - (int64_t)hunk->old_start - patch->shift;
	put_in(patch, hunk, place);
	if (patch->silent || (fuzz == 1 && !off)) {
		patch->shift += off + (int64_t)hunk->new_count - (int64_t)hunk->old_count;
		return;
	}
	process_print(patch->process, "Hunk #%u succeeded at %lld", patch->hunks,
		      (long long)((int64_t)hunk->new_start + patch->shift + off -
				  ((int64_t)hunk->new_start - (int64_t)hunk->old_start)));
	patch->shift += off + (int64_t)hunk->new_count - (int64_t)hunk->old_count;
	if (fuzz > 1)
		process_print(patch->process, " with fuzz %zu", fuzz - 1);
	if (off)
		process_print(patch->process, " (offset %lld line%s)", (long long)off,
			      off == 1 || off == -1 ? "" : "s");
	process_put_text(patch->process, ".\n");
}

/* --- a file --- */

static bool begin_file(struct patch *patch, const char *name)
{
	struct text text = {0};
	int error = process_read_file(patch->process, name, TEXT_WHOLE_MAX, &text);

	patch->name = name;
	patch->hunks = patch->failed = 0;
	patch->shift = 0;
	text_clear(&patch->rejects);
	if (error && error != -ENOENT) {
		process_flush(patch->process);
		process_complain(patch->process, "**** Can't open file %s : %s", name,
				 strerror(-error));
		process_exit(patch->process, 2);
	}
	patch->lines = cut_lines(patch->process, text_slice(&text), &patch->count);
	if (!patch->silent)
		process_print(patch->process, "%s file %s\n", patch->dry ? "checking" : "patching",
			      files_quote_if_needed(patch->process, name));
	return error == 0;
}

static void save(struct patch *patch, const char *name, struct slice text)
{
	int file = process_open(patch->process, name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (file < 0) {
		process_flush(patch->process);
		process_complain(patch->process, "**** Can't create file %s : %s", name,
				 strerror(-file));
		process_exit(patch->process, 2);
	}
	(void)process_write(patch->process, file, text);
	(void)process_close(patch->process, file);
}

static void end_file(struct patch *patch, bool gone)
{
	struct process *p = patch->process;
	const char *target = patch->output ? patch->output : patch->name;
	struct text text = {0};

	for (size_t i = 0; i < patch->count; i++)
		text_add(p, &text, patch->lines[i]);
	if (!patch->dry && (patch->backup || (patch->failed && !patch->output)))
		(void)process_clone_file(p, patch->name, process_format(p, "%s.orig", patch->name),
					 0644);
	if (!patch->dry && patch->hunks > patch->failed) {
		if (!patch->count && (gone || patch->remove_empty))
			(void)process_unlink(p, target);
		else
			save(patch, target, text_slice(&text));
	}
	process_give(p, text.data);
	if (!patch->failed)
		return;
	patch->status = 1;
	process_print(p, "%u out of %u hunk%s FAILED", patch->failed, patch->hunks,
		      patch->hunks == 1 ? "" : "s");
	if (!patch->dry) {
		const char *name =
			patch->reject ? patch->reject : process_format(p, "%s.rej", target);

		process_print(p, " -- saving rejects to file %s", name);
		save(patch, name, text_slice(&patch->rejects));
	}
	process_put_byte(p, '\n');
}

static bool next_hunk(struct patch *patch, struct hunk *hunk, bool unified)
{
	return unified ? next_unified(patch, hunk) : next_normal(patch, hunk);
}

/* Asks which file is meant; without somebody to ask the hunks are passed over. */
static void skip_file(struct patch *patch, size_t header, bool unified)
{
	struct process *p = patch->process;
	struct hunk hunk;
	unsigned count = 0;

	process_print(p, "can't find file to patch at input line %zu\n", patch->in_at + 1);
	process_put_text(p, "Perhaps you used the wrong -p or --strip option?\n"
			    "The text leading up to this was:\n--------------------------\n");
	for (; header < patch->in_at; header++)
		process_print(p, "|%.*s", (int)patch->in[header].length,
			      (const char *)patch->in[header].at);
	process_put_text(p, "--------------------------\nFile to patch: \nSkip this patch? [y] \n"
			    "Skipping patch.\n");
	while (next_hunk(patch, &hunk, unified))
		count++;
	process_print(p, "%u out of %u hunk%s ignored\n", count, count, count == 1 ? "" : "s");
	patch->status = 1;
}

/* The next part of the difference; false: there is none. */
static bool next_part(struct patch *patch)
{
	const char *old = NULL, *new = NULL, *name = patch->file;
	bool unified = false, named = false;
	size_t header = patch->in_at;
	struct hunk hunk;

	for (; patch->in_at < patch->in_count; patch->in_at++) {
		struct slice line = patch->in[patch->in_at];
		size_t at = patch->in_at;

		process_step(patch->process);
		if (slice_starts(line, "--- ") && at + 1 < patch->in_count &&
		    slice_starts(patch->in[at + 1], "+++ ")) {
			patch->titles[0] = line;
			patch->titles[1] = patch->in[at + 1];
			old = take_name(patch, line);
			new = take_name(patch, patch->in[at + 1]);
			named = true;
			patch->in_at++;
		} else if (slice_starts(line, "@@ -")) {
			unified = true;
			break;
		} else if (isdigit(line.at[0]) && next_normal(patch, &hunk)) {
			patch->in_at = at;
			break;
		}
	}
	if (patch->in_at >= patch->in_count)
		return false;
	if (!name)
		name = named ? choose(patch, old, new) : NULL;
	if (!name) {
		skip_file(patch, header, unified);
		return true;
	}
	(void)begin_file(patch, name);
	while (next_hunk(patch, &hunk, unified))
		apply(patch, &hunk);
	end_file(patch, named && !(patch->reverse ? old : new));
	return true;
}

enum { OPTION_DRY = TEXT_OWN, OPTION_IGNORED, OPTION_IGNORED_NEEDS };

static void take_option(struct patch *patch, int option, const char *argument)
{
	switch (option) {
	case 'p':
		if (slice_number(slice_text(argument), 0, 1000, &patch->strip) == 0)
			break;
		process_complain(patch->process, "**** strip count %s is not a number", argument);
		process_exit(patch->process, 2);
	case 'R':
		patch->reverse = true;
		break;
	case 'd':
		patch->folder = argument;
		break;
	case 'o':
		patch->output = argument;
		break;
	case 'r':
		patch->reject = argument;
		break;
	case 'i':
		patch->file = argument;
		break;
	case 'b':
		patch->backup = true;
		break;
	case 's':
		patch->silent = true;
		break;
	case 'E':
		patch->remove_empty = true;
		break;
	case OPTION_DRY:
		patch->dry = true;
		break;
	case TEXT_HELP:
	case TEXT_VERSION:
	case '?':
		text_other_option(patch->process, option == TEXT_VERSION ? '?' : option, "",
				  "[OPTION]... [ORIGFILE [PATCHFILE]]", 2);
	default:
		break;
	}
}

static int patch_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"strip", 'p', OPTION_NEEDS},
						   {"reverse", 'R'},
						   {"directory", 'd', OPTION_NEEDS},
						   {"output", 'o', OPTION_NEEDS},
						   {"reject-file", 'r', OPTION_NEEDS},
						   {"input", 'i', OPTION_NEEDS},
						   {"backup", 'b'},
						   {"silent", 's'},
						   {"quiet", 's'},
						   {"remove-empty-files", 'E'},
						   {"dry-run", OPTION_DRY},
						   {"forward", OPTION_IGNORED},
						   {"batch", OPTION_IGNORED},
						   {"force", OPTION_IGNORED},
						   {"unified", OPTION_IGNORED},
						   {"fuzz", OPTION_IGNORED_NEEDS, OPTION_NEEDS},
						   TEXT_WORDS};
	struct patch patch = {.process = process, .strip = -1};
	struct option_state state = {0};
	struct text text = {0};
	const char *input = NULL;
	int option, error;

	while ((option = option_next(process, &state, argc, argv,
				     "p:Rd:o:r:i:bsEnNtflucF:", words)) != -1) {
		if (option == TEXT_VERSION) {
			process_put_text(process, "GNU patch 2.7.6\n");
			return 0;
		}
		take_option(&patch, option, state.argument);
	}
	input = patch.file;
	patch.file = state.index < argc ? argv[state.index] : NULL;
	if (state.index + 1 < argc)
		input = argv[state.index + 1];
	if (patch.folder && (error = process_change_folder(process, patch.folder)) < 0) {
		process_complain(process, "**** Can't change to directory %s : %s", patch.folder,
				 strerror(-error));
		return 2;
	}
	error = input && strcmp(input, "-") != 0
			? process_read_file(process, input, TEXT_WHOLE_MAX, &text)
			: process_read_all(process, 0, TEXT_WHOLE_MAX, &text);
	if (error) {
		process_complain(process, "**** Can't open patch file %s : %s", input ? input : "-",
				 strerror(-error));
		return 2;
	}
	patch.in = cut_lines(process, text_slice(&text), &patch.in_count);
	if (!patch.in_count)
		return 0;
	if (!next_part(&patch)) {
		process_complain(process, "**** Only garbage was found in the patch input.");
		return 2;
	}
	while (next_part(&patch))
		process_step(process);
	return patch.status;
}

static const struct command commands[] = {
	{"patch", patch_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_files_patch = {"files_patch", commands};
