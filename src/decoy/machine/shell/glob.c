/* Path names that match a pattern. */
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define GLOB_DEPTH_MAX 24

struct globbing {
	struct shell *shell;
	struct fields *fields;
	bool extended, no_case, dots;
	unsigned depth;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk(struct globbing *globbing, const char *base, const char *pattern);

static char *joined(struct globbing *globbing, const char *base, const char *name,
		    const char *after)
{
	struct pool *pool = globbing->shell->scratch;
	size_t a = strlen(base), b = strlen(name), c = strlen(after);
	char *path = pool_take(pool, a + b + c + 1);

	memcpy(path, base, a);
	memcpy(path + a, name, b);
	memcpy(path + a + b, after, c);
	return path;
}

static bool exists(struct globbing *globbing, const char *path)
{
	struct file_status status;

	return process_stat(globbing->shell->process, path, false, &status) == 0;
}

static bool is_folder(struct globbing *globbing, const char *path, bool follow)
{
	struct file_status status;

	return process_stat(globbing->shell->process, path, follow, &status) == 0 &&
	       S_ISDIR(status.mode);
}

static void give_entries(struct process *process, struct folder_entry *entries, ssize_t count)
{
	/* . and .. are no copies */
	for (ssize_t i = 2; i < count; i++)
		process_give(process, (char *)(uintptr_t)entries[i].name);
	process_give(process, entries);
}

/* Lists a folder and goes on with the names that match the part. */
static void list(struct globbing *globbing, const char *base, const char *part, const char *slashes,
		 const char *rest)
{
	struct process *process = globbing->shell->process;
	struct folder_entry *entries = NULL;
	ssize_t count = process_list(process, *base ? base : ".", &entries);
	bool dots = globbing->dots || part[0] == '.' || (part[0] == '\\' && part[1] == '.');

	for (ssize_t i = 0; i < count; i++) {
		const char *name = entries[i].name;
		char *path;

		process_step(process);
		if (name[0] == '.' && (!dots || (globbing->dots && part[0] != '.' &&
						 (!name[1] || (name[1] == '.' && !name[2])))))
			continue;
		if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])) &&
		    pattern_has_magic(part) && shell_has(globbing->shell, SHELL_BASH))
			continue; /* globskipdots of 5.2 */
		if (!pattern_matches(globbing->shell, part, slice_text(name), globbing->extended,
				     globbing->no_case))
			continue;
		path = joined(globbing, base, name, slashes);
		if (*slashes && !is_folder(globbing, path, true))
			continue;
		if (*rest)
			walk(globbing, path, rest);
		else
			fields_add(globbing->shell, globbing->fields, path);
	}
	give_entries(process, entries, count);
}

/* A part "**": all folders below, and (at the end) all files. */
static void list_all(struct globbing *globbing, const char *base, const char *rest)
{
	struct process *process = globbing->shell->process;
	struct folder_entry *entries = NULL;
	ssize_t count;

	if (globbing->depth >= GLOB_DEPTH_MAX)
		return;
	globbing->depth++;
	if (*rest)
		walk(globbing, base, rest);
	count = process_list(process, *base ? base : ".", &entries);
	for (ssize_t i = 0; i < count; i++) {
		process_step(process);
		if (entries[i].name[0] == '.')
			continue;
		if (!*rest)
			fields_add(globbing->shell, globbing->fields,
				   joined(globbing, base, entries[i].name, ""));
		if (S_ISDIR(entries[i].type))
			list_all(globbing, joined(globbing, base, entries[i].name, "/"), rest);
	}
	give_entries(process, entries, count);
	globbing->depth--;
}

static void walk(struct globbing *globbing, const char *base, const char *pattern)
{
	struct shell *shell = globbing->shell;
	size_t length = 0, slashes;
	char *part, *between;

	if (shell_stack_is_low(shell) || globbing->fields->count >= SHELL_FIELDS_MAX)
		return;
	while (pattern[length] && pattern[length] != '/')
		length += pattern[length] == '\\' && pattern[length + 1] ? 2 : 1;
	part = pool_text(shell->scratch, slice_of(pattern, length));
	slashes = strspn(pattern + length, "/");
	between = pool_text(shell->scratch, slice_of(pattern + length, slashes));
	pattern += length + slashes;
	if (shell_option_is(shell, SHOPT_GLOBSTAR) && !strcmp(part, "**")) {
		list_all(globbing, base, pattern);
		return;
	}
	if (!pattern_has_magic(part)) {
		char *path = joined(globbing, base, pattern_plain(shell, part), between);

		if (*pattern) {
			if (!length || is_folder(globbing, path, true))
				walk(globbing, path, pattern);
		} else if (exists(globbing, path)) {
			fields_add(shell, globbing->fields, path);
		}
		return;
	}
	list(globbing, base, part, between, pattern);
}

size_t glob_expand(struct shell *shell, const char *pattern, struct fields *fields)
{
	struct globbing globbing = {
		.shell = shell,
		.fields = fields,
		.extended = shell_option_is(shell, SHOPT_EXTGLOB),
		.no_case = shell_option_is(shell, SHOPT_NOCASEGLOB),
		.dots = shell_option_is(shell, SHOPT_DOTGLOB),
	};
	size_t before = fields->count;

	walk(&globbing, "", pattern);
	if (fields->count > before)
		qsort(fields->at + before, fields->count - before, sizeof(*fields->at), compare);
	return fields->count - before;
}
