/* cd, pwd, pushd, popd, dirs. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

/* An absolute path with . and .. resolved by text, in scratch memory. */
static char *logical(struct shell *shell, const char *base, const char *folder)
{
	size_t a = strlen(base), b = strlen(folder), length = 0;
	char *path = pool_take(shell->scratch, a + b + 3);
	char *source = pool_take(shell->scratch, a + b + 3);

	if (folder[0] != '/') {
		memcpy(source, base, a);
		source[a++] = '/';
	} else {
		a = 0;
	}
	memcpy(source + a, folder, b + 1);
	if (source[0] == '/' && source[1] == '/' && source[2] != '/')
		path[length++] = '/'; /* POSIX: two slashes may mean something else */
	for (const char *at = source; *at;) {
		size_t part = strcspn(at, "/");

		if (part == 2 && at[0] == '.' && at[1] == '.') {
			while (length && path[--length] != '/')
				;
		} else if (part && !(part == 1 && at[0] == '.')) {
			path[length++] = '/';
			memcpy(path + length, at, part);
			length += part;
		}
		at += part;
		while (*at == '/')
			at++;
	}
	if (!length || (length == 1 && source[1] == '/' && source[2] != '/'))
		path[length++] = '/';
	path[length] = '\0';
	return path;
}

static const char *current(struct shell *shell)
{
	const char *pwd = variables_get(shell, "PWD");
	struct file_status a, b;

	/* $PWD, as long as it is where we are */
	if (pwd && pwd[0] == '/' && process_stat(shell->process, pwd, true, &a) == 0 &&
	    process_stat(shell->process, ".", true, &b) == 0 && a.inode == b.inode &&
	    a.mount == b.mount)
		return pwd;
	return process_folder(shell->process);
}

int builtin_change_folder(struct shell *shell, const char *folder, bool physical, bool print)
{
	const char *before = pool_text(shell->scratch, slice_text(current(shell)));
	char *path = logical(shell, before, folder), *real;
	int error = process_change_folder(shell->process, physical ? folder : path);

	if (error < 0)
		return error;
	if (physical) {
		real = pool_take(shell->scratch, MACHINE_PATH_MAX);
		if (process_real_path(shell->process, ".", true, real, MACHINE_PATH_MAX) < 0)
			real = path;
		path = real;
	}
	variables_set(shell, "OLDPWD", before);
	variables_set(shell, "PWD", path);
	if (!shell_has(shell, SHELL_BASH))
		names_forget(shell, NULL);
	if (print)
		output_format(shell, "%s\n", path);
	return 0;
}

static void complain(struct shell *shell, const char *folder, int error)
{
	if (shell_has(shell, SHELL_BASH))
		message_builtin(shell, "%s: %s", folder, strerror(-error));
	else if (shell_has(shell, SHELL_DASH))
		message_builtin(shell, "can't cd to %s", folder);
	else
		message_builtin(shell, "can't cd to %s: %s", folder, strerror(-error));
}

int builtin_cd(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool physical = shell_option_is(shell, SET_PHYSICAL), print = false;
	const char *folder, *search;
	int letter, error;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "eLP@" : "LP")) != -1) {
		if (letter == '?')
			return 2;
		if (letter == 'P' || letter == 'L')
			physical = letter == 'P';
	}
	if (shell->restricted) {
		message_builtin(shell, "restricted");
		return 1;
	}
	if (argc - options.index > 1 && shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "too many arguments");
		return 1;
	}
	folder = options.index < argc ? argv[options.index] : variables_get(shell, "HOME");
	if (!folder) {
		if (!shell_has(shell, SHELL_BASH))
			return 0;
		message_builtin(shell, "HOME not set");
		return 1;
	}
	if (!strcmp(folder, "-")) {
		folder = variables_get(shell, "OLDPWD");
		print = true;
		if (!folder && shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "OLDPWD not set");
			return 1;
		}
		if (!folder)
			folder = current(shell);
	}
	if (!*folder && options.index < argc && shell_has(shell, SHELL_BASH))
		return 0;
	search = variables_get(shell, "CDPATH");
	if (search && *search && folder[0] != '/' && folder[0] != '.') {
		for (const char *at = search; *at;) {
			size_t length = strcspn(at, ":");
			char *full = pool_take(shell->scratch, length + strlen(folder) + 2);

			memcpy(full, at, length);
			if (length)
				full[length++] = '/';
			memcpy(full + length, folder, strlen(folder) + 1);
			if (length > 1 && builtin_change_folder(shell, full, physical, true) == 0)
				return 0;
			at += strcspn(at, ":");
			at += *at == ':';
		}
	}
	folder = pool_text(shell->scratch, slice_text(folder));
	error = builtin_change_folder(shell, folder, physical, print);
	if (!error)
		return 0;
	complain(shell, folder, error);
	/* In dash and ash a cd that fails ends no script. */
	return shell_has(shell, SHELL_BASH) ? 1 : 2;
}

int builtin_pwd(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool physical = shell_option_is(shell, SET_PHYSICAL);
	int letter;

	while ((letter = builtin_option(shell, &options, argc, argv, "LP")) != -1) {
		if (letter == '?')
			return 2;
		physical = letter == 'P';
	}
	if (physical) {
		char *real = pool_take(shell->scratch, MACHINE_PATH_MAX);

		if (process_real_path(shell->process, ".", true, real, MACHINE_PATH_MAX) == 0) {
			output_format(shell, "%s\n", real);
			return 0;
		}
	}
	output_format(shell, "%s\n", current(shell));
	return 0;
}

/* The path with ~ for the home folder. */
static void put_short(struct shell *shell, const char *path, bool full)
{
	const char *home = variables_get(shell, "HOME");
	size_t length = home ? strlen(home) : 0;

	if (!full && length > 1 && !strncmp(path, home, length) &&
	    (!path[length] || path[length] == '/'))
		output_format(shell, "~%s", path + length);
	else
		output_text(shell, path);
}

int builtin_dirs(struct shell *shell, int argc, char **argv)
{
	bool full = false, lines = false, numbers = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if ((word[0] == '-' || word[0] == '+') && isdigit((uint8_t)word[1])) {
			size_t n = strtoul(word + 1, NULL, 10);

			if (word[0] == '-' && n <= shell->folder_count)
				n = shell->folder_count - n;
			if (n > shell->folder_count) {
				message_builtin(shell, "%s: directory stack index out of range",
						word);
				return 1;
			}
			put_short(shell,
				  n ? shell->folders[shell->folder_count - n] : current(shell),
				  full);
			output_text(shell, "\n");
			return 0;
		}
		for (const char *letter = word + 1; word[0] == '-' && *letter; letter++) {
			if (*letter == 'c') {
				while (shell->folder_count)
					process_give(shell->process,
						     shell->folders[--shell->folder_count]);
				return 0;
			}
			full |= *letter == 'l';
			lines |= *letter == 'p' || *letter == 'v';
			numbers |= *letter == 'v';
			if (!strchr("clpv", *letter)) {
				message_builtin(shell, "-%c: invalid option", *letter);
				return builtin_usage(shell);
			}
		}
	}
	for (size_t i = 0; i <= shell->folder_count; i++) {
		if (i && !lines)
			output_text(shell, " ");
		if (numbers)
			output_format(shell, "%2zu  ", i);
		put_short(shell, i ? shell->folders[shell->folder_count - i] : current(shell),
			  full);
		if (lines)
			output_text(shell, "\n");
	}
	if (!lines)
		output_text(shell, "\n");
	return 0;
}

static int show(struct shell *shell)
{
	char *argv[] = {(char *)(uintptr_t) "dirs", NULL};

	return builtin_dirs(shell, 1, argv);
}

/* Goes to the n-th of the stack; rotate: it becomes the top. */
static int go(struct shell *shell, const char *folder)
{
	int error = builtin_change_folder(shell, folder, false, false);

	if (error < 0) {
		message_builtin(shell, "%s: %s", folder, strerror(-error));
		return 1;
	}
	return 0;
}

int builtin_pushd(struct shell *shell, int argc, char **argv)
{
	char *before = process_copy_text(shell->process, current(shell));
	const char *word = argc > 1 ? argv[1] : NULL;

	if (word && (word[0] == '+' || word[0] == '-') && isdigit((uint8_t)word[1])) {
		size_t n = strtoul(word + 1, NULL, 10), count = shell->folder_count + 1;

		if (n >= count) {
			message_builtin(shell, "%s: directory stack index out of range", word);
			process_give(shell->process, before);
			return 1;
		}
		if (word[0] == '-')
			n = count - 1 - n;
		/* turns the stack: the n-th comes to the top */
		while (n--) {
			char *top = shell->folders[shell->folder_count - 1];

			memmove(shell->folders + 1, shell->folders,
				(shell->folder_count - 1) * sizeof(*shell->folders));
			shell->folders[0] = before;
			before = top;
		}
		if (go(shell, before))
			return 1;
		process_give(shell->process, before);
		return show(shell);
	}
	if (!word) {
		if (!shell->folder_count) {
			message_builtin(shell, "no other directory");
			process_give(shell->process, before);
			return 1;
		}
		word = shell->folders[shell->folder_count - 1];
		if (go(shell, word)) {
			process_give(shell->process, before);
			return 1;
		}
		process_give(shell->process, shell->folders[shell->folder_count - 1]);
		shell->folders[shell->folder_count - 1] = before;
		return show(shell);
	}
	if (shell->folder_count >= 256 || go(shell, word)) {
		process_give(shell->process, before);
		return 1;
	}
	shell->folders = process_retake(shell->process, shell->folders,
					(shell->folder_count + 1) * sizeof(*shell->folders));
	shell->folders[shell->folder_count++] = before;
	return show(shell);
}

int builtin_popd(struct shell *shell, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	size_t n = 0;

	if (!shell->folder_count) {
		message_builtin(shell, "directory stack empty");
		return 1;
	}
	if (word && (word[0] == '+' || word[0] == '-') && isdigit((uint8_t)word[1])) {
		n = strtoul(word + 1, NULL, 10);
		if (n > shell->folder_count) {
			message_builtin(shell, "%s: directory stack index out of range", word);
			return 1;
		}
		if (word[0] == '-')
			n = shell->folder_count - n;
	}
	if (!n) {
		if (go(shell, shell->folders[shell->folder_count - 1]))
			return 1;
		n = 1;
	}
	process_give(shell->process, shell->folders[shell->folder_count - n]);
	memmove(shell->folders + shell->folder_count - n,
		shell->folders + shell->folder_count - n + 1, (n - 1) * sizeof(*shell->folders));
	shell->folder_count--;
	return show(shell);
}
