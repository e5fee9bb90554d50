/* Builtins that steer: break, return, exit, eval, exec, . , shift, trap, let ... */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

int builtin_colon(struct shell *shell, int argc, char **argv)
{
	return 0;
}

int builtin_true(struct shell *shell, int argc, char **argv)
{
	return 0;
}

int builtin_false(struct shell *shell, int argc, char **argv)
{
	return 1;
}

static int leave_loop(struct shell *shell, int argc, char **argv, enum unwind how)
{
	int64_t levels = 1;

	if (argc > 1 && (builtin_number(argv[1], &levels) < 0)) {
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s: numeric argument required", argv[1]);
		else
			message_builtin(shell, "Illegal number: %s", argv[1]);
		if (!shell_has(shell, SHELL_BASH))
			return message_special(shell, 2);
		shell->unwind = UNWIND_BREAK;
		shell->unwind_levels = shell->loops;
		return 128;
	}
	if (!shell->loops) {
		if (shell_has(shell, SHELL_BASH) && !shell->functions_deep)
			message_builtin(shell,
					"only meaningful in a `for', `while', or `until' loop");
		return 0;
	}
	if (levels < 1) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%s: loop count out of range", argv[1]);
			shell->unwind = UNWIND_BREAK;
			shell->unwind_levels = shell->loops;
			return 1;
		}
		message_builtin(shell, "Illegal number: %s", argv[1]);
		return message_special(shell, 2);
	}
	shell->unwind = how;
	shell->unwind_levels = levels > shell->loops ? shell->loops : (unsigned)levels;
	return 0;
}

int builtin_break(struct shell *shell, int argc, char **argv)
{
	return leave_loop(shell, argc, argv, UNWIND_BREAK);
}

int builtin_continue(struct shell *shell, int argc, char **argv)
{
	return leave_loop(shell, argc, argv, UNWIND_CONTINUE);
}

/* The status that exit and return are given. -1: told. */
static int given_status(struct shell *shell, int argc, char **argv, int *status)
{
	int64_t number;

	*status = shell->status;
	if (argc > 1 && !strcmp(argv[1], "--")) {
		argc--;
		argv++;
	}
	if (argc < 2)
		return 0;
	if (builtin_number(argv[1], &number) < 0 || (number < 0 && !shell_has(shell, SHELL_BASH))) {
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s: numeric argument required", argv[1]);
		else
			message_builtin(shell, "Illegal number: %s", argv[1]);
		*status = 2;
		return -1;
	}
	*status = (int)(number & 255);
	if (argc > 2 && shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "too many arguments");
		*status = 1;
		return -2;
	}
	return 0;
}

int builtin_return(struct shell *shell, int argc, char **argv)
{
	int status, result = given_status(shell, argc, argv, &status);

	if (result == -2)
		return status;
	if (result < 0 && !shell_has(shell, SHELL_BASH))
		return message_special(shell, 2);
	if (!shell->functions_deep && !shell->sourced) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell,
					"can only `return' from a function or sourced script");
			return 2;
		}
		shell->unwind = UNWIND_EXIT;
		return status;
	}
	shell->unwind = UNWIND_RETURN;
	return status;
}

static bool has_stopped_jobs(struct shell *shell)
{
	for (struct job *job = shell->jobs; job; job = job->next)
		if (jobs_is_stopped(job))
			return true;
	return false;
}

int builtin_exit(struct shell *shell, int argc, char **argv)
{
	int status, result;

	if (shell->interactive && !shell->is_child && shell_has(shell, SHELL_BASH))
		message_plain(shell, "%s\n", shell->login ? "logout" : "exit");
	result = given_status(shell, argc, argv, &status);
	if (result == -2)
		return status;
	if (result < 0 && !shell_has(shell, SHELL_BASH))
		return message_special(shell, 2);
	if (shell->interactive && !shell->is_child && has_stopped_jobs(shell) &&
	    !shell->printed_stopped) {
		message_plain(shell, shell_has(shell, SHELL_BASH) ? "There are stopped jobs.\n"
								  : "You have stopped jobs.\n");
		shell->printed_stopped = true;
		return 1;
	}
	shell->unwind = UNWIND_EXIT;
	return status;
}

int builtin_logout(struct shell *shell, int argc, char **argv)
{
	if (!shell->login) {
		message_builtin(shell, "not login shell: use `exit'");
		return 1;
	}
	return builtin_exit(shell, argc, argv);
}

int builtin_eval(struct shell *shell, int argc, char **argv)
{
	struct text text = {0};
	const char *builtin = shell->builtin;
	int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1, status;

	if (first >= argc)
		return 0;
	if (shell_stack_is_low(shell)) {
		message_builtin(shell, "maximum eval nesting level exceeded (%u)",
				shell->evaluated);
		shell->unwind = UNWIND_LINE;
		return 1;
	}
	for (int i = first; i < argc; i++) {
		if (i > first)
			text_add_byte(shell->process, &text, ' ');
		text_add_words(shell->process, &text, argv[i]);
	}
	shell->builtin = shell_has(shell, SHELL_BASH) ? NULL : builtin;
	shell->evaluated++;
	status = input_run_text(shell, text_slice(&text), "eval", false);
	shell->evaluated--;
	shell->builtin = builtin;
	process_give(shell->process, text.data);
	return status;
}

/* Where `.` finds a file: in PATH when there is no slash; in scratch memory. */
static const char *find_source(struct shell *shell, const char *name)
{
	const char *path = variables_get(shell, "PATH");
	struct file_status status;

	if (strchr(name, '/'))
		return name;
	while (path) {
		size_t length = strcspn(path, ":");
		struct text full = {0};
		char *copy;

		text_format(shell->process, &full, "%.*s/%s", (int)length, path, name);
		copy = pool_text(shell->scratch, text_slice(&full));
		process_give(shell->process, full.data);
		if (process_stat(shell->process, copy, true, &status) == 0 && S_ISREG(status.mode))
			return copy;
		path = path[length] ? path + length + 1 : NULL;
	}
	if (shell_has(shell, SHELL_DASH | SHELL_ASH) ||
	    process_stat(shell->process, name, true, &status) < 0)
		return NULL;
	return name;
}

int builtin_dot(struct shell *shell, int argc, char **argv)
{
	struct frame frame = {.outer = shell->frame, .called_line = shell->line};
	char **positional = shell->positional;
	int count = shell->positional_count, status, first;
	const char *path, *builtin = shell->builtin;

	first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
	if (first >= argc) {
		if (!shell_has(shell, SHELL_BASH))
			return shell_has(shell, SHELL_ASH) ? 2 : 0;
		message_builtin(shell, "filename argument required");
		return builtin_usage(shell);
	}
	path = find_source(shell, argv[first]);
	if (!path && !shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "%s: not found", argv[first]);
		return message_special(shell, shell_has(shell, SHELL_DASH) ? 127 : 2);
	}
	if (!path)
		path = argv[first];
	if (process_access(shell->process, path, 4) < 0)
		return input_run_file(shell, path, true); /* tells why not */
	frame.file = path;
	if (argc > first + 1 && !shell_has(shell, SHELL_DASH)) {
		frame.borrowed = true;
		shell->positional = argv + first + 1;
		shell->positional_count = argc - first - 1;
	}
	if (shell->frame && !frame.borrowed) {
		frame.borrowed = shell->frame->borrowed;
	}
	shell->frame = &frame;
	if (!shell_has(shell, SHELL_BASH))
		builtin = shell->builtin;
	shell->sourced++;
	status = input_run_file(shell, path, true);
	shell->sourced--;
	shell->builtin = builtin;
	shell->frame = frame.outer;
	if (argc > first + 1 && !shell_has(shell, SHELL_DASH)) {
		if (shell->positional != argv + first + 1 && !frame.borrowed) {
			shell->frame = &frame;
			builtin_set_positional(shell, 0, NULL);
			shell->frame = frame.outer;
		}
		shell->positional = positional;
		shell->positional_count = count;
	} else if (shell->frame) {
		shell->frame->borrowed = frame.borrowed;
	}
	if (shell->unwind == UNWIND_RETURN)
		shell->unwind = UNWIND_NONE;
	shell->line = frame.called_line;
	return status;
}

int builtin_exec(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool clear = false, login = false;
	const char *name = NULL, *path;
	int letter, error, status;
	char **list, *none[] = {NULL};

	while (shell_has(shell, SHELL_BASH) &&
	       (letter = builtin_option(shell, &options, argc, argv, "cla:")) != -1) {
		if (letter == '?')
			return 2;
		clear |= letter == 'c';
		login |= letter == 'l';
		if (letter == 'a')
			name = options.argument;
	}
	if (!options.index)
		options.index = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
	if (options.index >= argc)
		return 0;
	if (shell->restricted) {
		message_builtin(shell, "restricted");
		return 1;
	}
	list = argv + options.index;
	error = names_program(shell, list[0], &path);
	if (error < 0) {
		if (error == -ENOENT)
			message_builtin(shell, "%s: not found", list[0]);
		else
			message_builtin(shell, "%s: cannot execute: %s", path, strerror(-error));
		status = error == -ENOENT ? 127 : 126;
	} else {
		struct text zero = {0};

		text_format(shell->process, &zero, "%s%s", login ? "-" : "", name ? name : list[0]);
		list[0] = zero.data;
		history_save(shell, true);
		status = launch_replace(shell, list[0], path, list,
					clear ? none : variables_environment(shell));
	}
	if (!shell->interactive || shell->is_child) {
		shell->unwind = UNWIND_EXIT;
		shell->status = status;
	}
	return status;
}

int builtin_shift(struct shell *shell, int argc, char **argv)
{
	int64_t count = 1;

	if (argc > 1 && (builtin_number(argv[1], &count) < 0)) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%s: numeric argument required", argv[1]);
			shell->unwind = UNWIND_LINE;
			return 1;
		}
		message_builtin(shell, "Illegal number: %s", argv[1]);
		return message_special(shell, 2);
	}
	if (count < 0 && shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "%s: shift count out of range", argv[1]);
		return 1;
	}
	if (count < 0 || count > shell->positional_count) {
		if (!shell_has(shell, SHELL_DASH))
			return 1;
		message_builtin(shell, "can't shift that many");
		return message_special(shell, 2);
	}
	if (shell->frame && shell->frame->borrowed) {
		shell->positional += count;
		shell->positional_count -= (int)count;
		return 0;
	}
	for (int i = 0; i < count; i++)
		process_give(shell->process, shell->positional[i]);
	for (int i = 0; i + count < shell->positional_count; i++)
		shell->positional[i] = shell->positional[i + count];
	shell->positional_count -= (int)count;
	return 0;
}

int builtin_let(struct shell *shell, int argc, char **argv)
{
	int64_t value = 0;

	if (argc < 2) {
		message_builtin(shell, "expression expected");
		return shell_has(shell, SHELL_BASH) ? 1 : message_special(shell, 2);
	}
	for (int i = 1; i < argc; i++)
		if (arithmetic_value(shell, argv[i], &value) < 0)
			return 1;
	return !value;
}

int builtin_builtin(struct shell *shell, int argc, char **argv)
{
	const struct builtin *builtin;

	if (argc > 1 && !strcmp(argv[1], "--")) {
		argc--;
		argv++;
	}
	if (argc < 2)
		return 0;
	builtin = builtin_find(shell, argv[1]);
	if (!builtin) {
		message_builtin(shell, "%s: not a shell builtin", argv[1]);
		return 1;
	}
	return builtin_run(shell, builtin, argc - 1, argv + 1);
}

int builtin_caller(struct shell *shell, int argc, char **argv)
{
	const struct frame *frame = shell->frame;
	int64_t skip = 0;

	if (argc > 1 && builtin_number(argv[1], &skip) < 0) {
		message_builtin(shell, "%s: invalid number", argv[1]);
		return builtin_usage(shell);
	}
	while (frame && skip--)
		frame = frame->outer;
	if (!frame)
		return 1;
	if (argc > 1)
		output_format(shell, "%u %s %s\n", frame->called_line,
			      frame->outer && frame->outer->function ? frame->outer->function
								     : "main",
			      shell->file ? shell->file : "NULL");
	else
		output_format(shell, "%u %s\n", frame->called_line,
			      shell->file ? shell->file : "NULL");
	return 0;
}

int builtin_enable(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	const struct builtin *builtin;
	bool disable = false, special = false, all = false;
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv, "adnpsf:")) != -1) {
		if (letter == '?')
			return 2;
		disable |= letter == 'n';
		special |= letter == 's';
		all |= letter == 'a';
		if (letter == 'f') {
			message_builtin(shell,
					"cannot open shared object %s: %s: cannot open "
					"shared object file: No such file or directory",
					options.argument, options.argument);
			return 1;
		}
	}
	for (size_t i = 0; options.index >= argc && (builtin = builtin_at(i)); i++) {
		bool on = builtin_is_enabled(shell, builtin);

		if (!shell_has(shell, builtin->where) ||
		    (special && builtin->kind != BUILTIN_SPECIAL) || (!all && on == disable))
			continue;
		output_format(shell, "enable %s%s\n", on ? "" : "-n ", builtin->name);
	}
	for (int i = options.index; i < argc; i++) {
		size_t at = 0;

		while ((builtin = builtin_at(at)) && strcmp(builtin->name, argv[i]) != 0)
			at++;
		if (!builtin || !shell_has(shell, builtin->where)) {
			message_builtin(shell, "%s: not a shell builtin", argv[i]);
			status = 1;
		} else if (disable) {
			shell->disabled_builtins |= (uint64_t)1 << at;
		} else {
			shell->disabled_builtins &= ~((uint64_t)1 << at);
		}
	}
	return status;
}
