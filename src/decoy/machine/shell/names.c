/* Functions, aliases, programs that were found in PATH, accounts. */
#include "decoy/machine/shell/state.h"

#define ACCOUNTS_MAX ((size_t)256 * 1024) /* of /etc/passwd */

struct function *names_function(struct shell *shell, const char *name)
{
	struct function *function = shell->functions;

	while (function && strcmp(function->name, name) != 0)
		function = function->next;
	return function;
}

bool names_undefine(struct shell *shell, const char *name)
{
	for (struct function **at = &shell->functions; *at; at = &(*at)->next) {
		struct function *function = *at;

		if (strcmp(function->name, name) != 0)
			continue;
		*at = function->next;
		pool_drop(function->pool);
		process_give(shell->process, function);
		return true;
	}
	return false;
}

void names_define(struct shell *shell, const char *name, struct pool *pool, struct node *body)
{
	size_t length = strlen(name);
	struct function *function = process_take(shell->process, sizeof(*function) + length + 1);

	memcpy(function->name, name, length + 1);
	names_undefine(shell, name);
	function->pool = pool;
	function->body = body;
	function->next = shell->functions;
	shell->functions = function;
}

static struct alias **alias_place(struct shell *shell, const char *name)
{
	struct alias **at = &shell->aliases;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

const char *names_alias(struct shell *shell, const char *name)
{
	struct alias *alias = *alias_place(shell, name);

	return alias ? alias->value : NULL;
}

void names_set_alias(struct shell *shell, const char *name, const char *value)
{
	struct alias **at = alias_place(shell, name);
	size_t length = strlen(name);
	char *old;

	if (!*at) {
		*at = process_take(shell->process, sizeof(**at) + length + 1);
		memcpy((*at)->name, name, length + 1);
	}
	old = (*at)->value;
	(*at)->value = process_copy_text(shell->process, value);
	process_give(shell->process, old);
}

bool names_unset_alias(struct shell *shell, const char *name)
{
	struct alias **at = alias_place(shell, name), *alias = *at;

	if (!alias)
		return false;
	*at = alias->next;
	process_give(shell->process, alias->value);
	process_give(shell->process, alias);
	return true;
}

void names_copy(struct shell *to, const struct shell *from)
{
	struct function **tail = &to->functions;

	for (const struct function *f = from->functions; f; f = f->next) {
		size_t length = strlen(f->name) + 1;

		*tail = process_take(to->process, sizeof(**tail) + length);
		memcpy((*tail)->name, f->name, length);
		(*tail)->exported = f->exported;
		(*tail)->pool = pool_new(to->process);
		(*tail)->body = tree_copy((*tail)->pool, f->body);
		tail = &(*tail)->next;
	}
	for (const struct alias *alias = from->aliases; alias; alias = alias->next)
		names_set_alias(to, alias->name, alias->value);
}

bool names_is_reserved(const struct shell *shell, const char *word)
{
	static const struct {
		const char *word;
		unsigned where;
	} words[] = {
		{"!", SHELL_ANY},       {"case", SHELL_ANY},  {"do", SHELL_ANY},
		{"done", SHELL_ANY},    {"elif", SHELL_ANY},  {"else", SHELL_ANY},
		{"esac", SHELL_ANY},    {"fi", SHELL_ANY},    {"for", SHELL_ANY},
		{"if", SHELL_ANY},      {"in", SHELL_ANY},    {"select", SHELL_BASH},
		{"then", SHELL_ANY},    {"until", SHELL_ANY}, {"while", SHELL_ANY},
		{"{", SHELL_ANY},       {"}", SHELL_ANY},     {"function", SHELL_BASH | SHELL_ASH},
		{"[[", SHELL_BASH},     {"]]", SHELL_BASH},   {"time", SHELL_BASH},
		{"coproc", SHELL_BASH},
	};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (shell_has(shell, words[i].where) && !strcmp(word, words[i].word))
			return strcmp(word, "]]") != 0 &&
			       (strcmp(word, "in") != 0 || !shell_has(shell, SHELL_BASH));
	return false;
}

void names_forget(struct shell *shell, const char *name)
{
	struct hashed **at = &shell->hashed;

	while (*at) {
		struct hashed *hashed = *at;

		if (name && strcmp(hashed->name, name) != 0) {
			at = &hashed->next;
			continue;
		}
		*at = hashed->next;
		process_give(shell->process, hashed->path);
		process_give(shell->process, hashed);
	}
}

/* The index-th place of PATH with the name behind it, in scratch memory. */
static char *path_at(struct shell *shell, const char *path, size_t index, const char *name)
{
	const char *end;

	for (;; path = end + 1) {
		end = strchr(path, ':');
		if (!end)
			end = path + strlen(path);
		if (!index--) {
			size_t length = (size_t)(end - path), more = strlen(name);
			char *full = pool_take(shell->scratch, length + more + 3);

			memcpy(full, path, length);
			if (!length)
				full[length++] = '.';
			if (full[length - 1] != '/')
				full[length++] = '/';
			memcpy(full + length, name, more + 1);
			return full;
		}
		if (!*end)
			return NULL;
	}
}

static int is_program(struct shell *shell, const char *path)
{
	struct file_status status;
	int error = process_stat(shell->process, path, true, &status);

	if (error)
		return error;
	if (S_ISDIR(status.mode))
		return -EISDIR;
	return process_access(shell->process, path, 1);
}

const char *names_in_path(struct shell *shell, const char *name, size_t index)
{
	const char *path = variables_get(shell, "PATH");

	for (size_t i = 0;; i++) {
		char *full = path ? path_at(shell, path, i, name) : NULL;

		if (!full)
			return NULL;
		if (is_program(shell, full) == 0 && !index--)
			return full;
	}
}

int names_program(struct shell *shell, const char *name, const char **path)
{
	const char *search = variables_get(shell, "PATH");
	struct hashed *hashed;
	int error = -ENOENT;
	size_t length = strlen(name);

	*path = name;
	if (strchr(name, '/'))
		return 0;
	for (hashed = shell->hashed; hashed; hashed = hashed->next)
		if (!strcmp(hashed->name, name)) {
			if (shell_has(shell, SHELL_BASH) && is_program(shell, hashed->path) < 0)
				break;
			hashed->hits++;
			*path = hashed->path;
			return 0;
		}
	if (hashed)
		names_forget(shell, name);
	for (size_t i = 0; search && *name; i++) {
		char *full = path_at(shell, search, i, name);
		int result;

		if (!full)
			break;
		result = is_program(shell, full);
		if (result == -EACCES) {
			*path = full;
			error = result;
		}
		if (result)
			continue;
		*path = full;
		if (full[0] != '/' || !shell_option_is(shell, SET_HASHALL))
			return 0;
		hashed = process_take(shell->process, sizeof(*hashed) + length + 1);
		memcpy(hashed->name, name, length + 1);
		hashed->path = process_copy_text(shell->process, full);
		hashed->hits = 1;
		hashed->next = shell->hashed;
		shell->hashed = hashed;
		return 0;
	}
	return error;
}

const struct machine_account *names_account(struct shell *shell, const char *name, unsigned uid)
{
	struct machine_account *account = NULL;
	struct text text = {0};
	struct slice rest, line, part[7];

	if (process_read_file(shell->process, "/etc/passwd", ACCOUNTS_MAX, &text) < 0)
		text_clear(&text);
	rest = text_slice(&text);
	while (!account && slice_next(&rest, '\n', &line)) {
		int64_t user, group;
		size_t count = 0;

		while (count < ARRAY_COUNT(part) && slice_next(&line, ':', &part[count]))
			count++;
		if (count < 6 || slice_number(part[2], 0, UINT32_MAX, &user) < 0 ||
		    slice_number(part[3], 0, UINT32_MAX, &group) < 0 ||
		    (name ? !slice_is(part[0], name) : user != uid))
			continue;
		account = pool_take(shell->scratch, sizeof(*account));
		account->name = pool_text(shell->scratch, part[0]);
		account->uid = (unsigned)user;
		account->gid = (unsigned)group;
		account->gecos = pool_text(shell->scratch, part[4]);
		account->home = pool_text(shell->scratch, part[5]);
		account->shell = count > 6 && part[6].length ? pool_text(shell->scratch, part[6])
							     : "/bin/sh";
	}
	process_give(shell->process, text.data);
	return account;
}
