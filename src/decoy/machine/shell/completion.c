/* What a word may become: commands, files, variables, accounts. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(struct shell *shell, struct fields *fields, const char *before, const char *name)
{
	size_t a = strlen(before), b = strlen(name);
	char *text = pool_take(shell->scratch, a + b + 1);

	memcpy(text, before, a);
	memcpy(text + a, name, b);
	fields_add(shell, fields, text);
}

static void give(struct process *process, struct folder_entry *entries, ssize_t count)
{
	for (ssize_t i = 2; i < count; i++)
		process_give(process, (char *)(uintptr_t)entries[i].name);
	process_give(process, entries);
}

/* Files whose path begins with the word; programs: only what can be run, and folders. */
static void add_files(struct shell *shell, struct fields *fields, const char *word, bool programs)
{
	const char *slash = strrchr(word, '/');
	size_t length = slash ? (size_t)(slash - word) + 1 : 0;
	char *before = pool_text(shell->scratch, slice_of(word, length));
	const char *name = word + length;
	struct expansion tilde = {.shell = shell};
	char *folder = before;
	struct folder_entry *entries = NULL;
	ssize_t count;

	if (before[0] == '~') {
		size_t taken = expand_tilde(&tilde, before, length, 0);

		expand_put(&tilde, slice_text(before + taken), MARK_PLAIN);
		folder = expand_take(&tilde, 0);
		expand_free(&tilde);
	}
	count = process_list(shell->process, *folder ? folder : ".", &entries);
	for (ssize_t i = 0; i < count; i++) {
		char *path;

		process_step(shell->process);
		if (strncmp(entries[i].name, name, strlen(name)) != 0 ||
		    (entries[i].name[0] == '.' && (name[0] != '.' || i < 2)))
			continue;
		if (programs) {
			struct file_status status;

			path = pool_take(shell->scratch,
					 strlen(folder) + strlen(entries[i].name) + 1);
			memcpy(path, folder, strlen(folder));
			memcpy(path + strlen(folder), entries[i].name, strlen(entries[i].name));
			if (process_stat(shell->process, path, true, &status) < 0 ||
			    (!S_ISDIR(status.mode) && process_access(shell->process, path, 1) < 0))
				continue;
		}
		add(shell, fields, before, entries[i].name);
	}
	give(shell->process, entries, count);
}

static void add_in_path(struct shell *shell, struct fields *fields, const char *word)
{
	const char *path = variables_get(shell, "PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");
		char *folder = pool_text(shell->scratch, slice_of(path, length));
		struct folder_entry *entries = NULL;
		ssize_t count = process_list(shell->process, folder, &entries);

		for (ssize_t i = 2; i < count; i++) {
			process_step(shell->process);
			if (!strncmp(entries[i].name, word, strlen(word)))
				add(shell, fields, "", entries[i].name);
		}
		give(shell->process, entries, count);
		path += length;
		path += *path == ':';
	}
}

static void add_commands(struct shell *shell, struct fields *fields, const char *word)
{
	static const char *const keywords[] = {
		"!",    "[[",   "]]",    "case",  "coproc",   "do", "done", "elif",
		"else", "esac", "fi",    "for",   "function", "if", "in",   "select",
		"then", "time", "until", "while", "{",        "}"};
	size_t length = strlen(word);
	const struct builtin *builtin;

	for (struct alias *alias = shell->aliases; alias; alias = alias->next)
		if (!strncmp(alias->name, word, length))
			add(shell, fields, "", alias->name);
	for (size_t i = 0; i < ARRAY_COUNT(keywords); i++)
		if (!strncmp(keywords[i], word, length))
			add(shell, fields, "", keywords[i]);
	for (struct function *function = shell->functions; function; function = function->next)
		if (!strncmp(function->name, word, length))
			add(shell, fields, "", function->name);
	for (size_t i = 0; (builtin = builtin_at(i)); i++)
		if (shell_has(shell, builtin->where) && !strncmp(builtin->name, word, length))
			add(shell, fields, "", builtin->name);
	add_in_path(shell, fields, word);
}

static void add_variables(struct shell *shell, struct fields *fields, const char *word)
{
	bool braces = word[1] == '{';
	const char *before = braces ? "${" : "$", *name = word + 1 + braces;
	size_t count;
	struct variable **all = variables_sorted(shell, 0, &count);

	for (size_t i = 0; i < count; i++)
		if (!strncmp(all[i]->name, name, strlen(name)))
			add(shell, fields, before, all[i]->name);
	for (size_t i = 0; (before = special_name(i)); i++)
		if (!strncmp(before, name, strlen(name)) && special_get(shell, before))
			add(shell, fields, braces ? "${" : "$", before);
}

static void add_accounts(struct shell *shell, struct fields *fields, const char *word)
{
	struct text text = {0};
	struct slice rest, line, name;

	if (process_read_file(shell->process, "/etc/passwd", 65536, &text) < 0)
		return;
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line))
		if (slice_next(&line, ':', &name) && slice_starts(name, word + 1))
			add(shell, fields, "~", pool_text(shell->scratch, name));
	process_give(shell->process, text.data);
}

/* Whether a command is expected where the word begins. */
static bool begins_command(const char *line, size_t start)
{
	static const char *const words[] = {"then",  "do", "else", "elif", "if",   "while",
					    "until", "!",  "{",    "time", "sudo", "exec"};
	size_t end = start, begin;

	while (end && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	if (!end || strchr(";|&(`\n", line[end - 1]))
		return !end || line[end - 1] != '&' || end < 2 || line[end - 2] != '>';
	begin = end;
	while (begin && !strchr(" \t;|&(", line[begin - 1]))
		begin--;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (strlen(words[i]) == end - begin &&
		    !strncmp(line + begin, words[i], end - begin) &&
		    (i < 10 || begins_command(line, begin)))
			return i < 10;
	return false;
}

static void sort_unique(struct fields *fields)
{
	size_t kept = 0;

	if (!fields->count)
		return;
	qsort(fields->at, fields->count, sizeof(*fields->at), compare);
	for (size_t i = 0; i < fields->count; i++)
		if (!kept || strcmp(fields->at[kept - 1], fields->at[i]) != 0)
			fields->at[kept++] = fields->at[i];
	fields->count = kept;
	fields->at[kept] = NULL;
}

struct fields completion_matches(struct shell *shell, const char *line, size_t start, size_t end,
				 bool *is_command)
{
	struct fields fields = {0};
	char *word = pool_text(shell->scratch, slice_of(line + start, end - start)), *to = word;

	for (const char *at = word; *at; at++) { /* quotes do not count */
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '"' || *at == '\'')
			continue;
		*to++ = *at;
	}
	*to = '\0';
	*is_command = begins_command(line, start);
	if (word[0] == '$' &&
	    lexer_name(word + 1 + (word[1] == '{')) == strlen(word + 1 + (word[1] == '{')))
		add_variables(shell, &fields, word);
	else if (word[0] == '~' && !strchr(word, '/'))
		add_accounts(shell, &fields, word);
	else if (*is_command && !strchr(word, '/'))
		add_commands(shell, &fields, word);
	if (!fields.count && word[0] != '$')
		add_files(shell, &fields, word, *is_command);
	sort_unique(&fields);
	return fields;
}
