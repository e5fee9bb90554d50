/* How a shell begins: options, startup files; and how it ends. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/host.h"
#include "decoy/machine/shell/state.h"

struct starting {
	bool login, command, interactive, reads, no_rc, no_profile;
	const char *rc_file;
	const char *text; /* of -c */
	int at;
};

static const char version[] =
	"GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n"
	"Copyright (C) 2022 Free Software Foundation, Inc.\n"
	"License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n"
	"This is free software; you are free to change and redistribute it.\n"
	"There is NO WARRANTY, to the extent permitted by law.\n";

_Noreturn void shell_exit(struct shell *shell, int status)
{
	shell->status = status & 255;
	if (!shell->exiting) {
		shell->exiting = true;
		shell->unwind = UNWIND_NONE;
		if (shell->traps && shell->traps[0])
			execute_run_trap(shell, 0);
	}
	if (shell->interactive && !shell->is_child) {
		if (shell->login && shell_has(shell, SHELL_BASH)) {
			const char *home = variables_get(shell, "HOME");
			struct text path = {0};

			shell->unwind = UNWIND_NONE;
			text_format(shell->process, &path, "%s/.bash_logout", home ? home : "");
			status = shell->status;
			input_run_file(shell, path.data, false);
			shell->status = status;
		}
		history_save(shell, true);
	}
	output_flush(shell);
	process_exit(shell->process, shell->status);
}

static void run_file(struct shell *shell, const char *path)
{
	struct frame frame = {.outer = shell->frame, .file = path};

	if (shell->unwind == UNWIND_EXIT)
		return;
	shell->frame = &frame;
	shell->in_startup = true;
	shell->sourced++;
	input_run_file(shell, path, false);
	shell->sourced--;
	shell->in_startup = false;
	shell->frame = frame.outer;
	shell->line = 0;
	if (shell->unwind != UNWIND_EXIT)
		shell->unwind = UNWIND_NONE;
	shell->status = 0;
}

static bool run_home_file(struct shell *shell, const char *name)
{
	const char *home = variables_get(shell, "HOME");
	struct text path = {0};
	bool there;

	text_format(shell->process, &path, "%s/%s", home ? home : "", name);
	there = process_access(shell->process, path.data, 4) == 0;
	if (there)
		run_file(shell, path.data);
	process_give(shell->process, path.data);
	return there;
}

/* Debian's bash reads the files of interactive shells for `ssh host command`, too. */
static bool is_run_by_ssh(struct shell *shell)
{
	const char *level = variables_get(shell, "SHLVL");

	return (variables_get(shell, "SSH_CLIENT") || variables_get(shell, "SSH2_CLIENT")) &&
	       (!level || strtol(level, NULL, 10) < 2);
}

static void run_bash_files(struct shell *shell, const struct starting *starting)
{
	if (shell->login && !starting->no_profile) {
		run_file(shell, "/etc/profile");
		if (!run_home_file(shell, ".bash_profile") && !run_home_file(shell, ".bash_login"))
			run_home_file(shell, ".profile");
		return;
	}
	if (starting->no_rc || shell->login)
		return;
	if (shell->interactive || (starting->command && is_run_by_ssh(shell))) {
		run_file(shell, "/etc/bash.bashrc");
		if (starting->rc_file)
			run_file(shell, starting->rc_file);
		else
			run_home_file(shell, ".bashrc");
	} else {
		const char *file = variables_get(shell, "BASH_ENV");

		if (file && *file)
			run_file(shell, pool_text(shell->scratch, slice_text(file)));
	}
}

static void run_almquist_files(struct shell *shell)
{
	const char *file;

	if (shell->login) {
		run_file(shell, "/etc/profile");
		run_home_file(shell, ".profile");
	}
	file = variables_get(shell, "ENV");
	if (file && *file && shell->interactive)
		run_file(shell, prompt_expand(shell, file));
}

void startup_signals(struct shell *shell)
{
	/* Caught rather than ignored: children begin with the default. */
	static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

	for (size_t i = 0; i < ARRAY_COUNT(caught); i++)
		process_on_signal(shell->process, caught[i], SIGNAL_CAUGHT);
}

static const char *usual_prompt(const struct shell *shell, bool root)
{
	if (shell_has(shell, SHELL_BASH))
		return "\\s-\\v\\$ ";
	if (shell_has(shell, SHELL_ASH) && shell->interactive)
		return "\\w \\$ "; /* BusyBox's line editor expands it */
	return root ? "# " : "$ ";
}

/* Variables that every shell of the kind sets itself. */
static void set_variables(struct shell *shell)
{
	bool root = shell->process->identity.effective_uid == 0;
	const char *level = variables_get(shell, "SHLVL"), *pwd;
	struct file_status a, b;
	char text[16];

	pwd = variables_get(shell, "PWD");
	if (!pwd || pwd[0] != '/' || process_stat(shell->process, pwd, true, &a) < 0 ||
	    process_stat(shell->process, ".", true, &b) < 0 || a.inode != b.inode)
		variables_set(shell, "PWD", process_folder(shell->process));
	variables_make(shell, "IFS");
	variables_set(shell, "IFS", " \t\n");
	variables_set(shell, "PS4", "+ ");
	variables_set(shell, "OPTIND", "1");
	if (!variables_get(shell, "PATH"))
		variables_set(shell, "PATH",
			      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (shell->interactive || !shell_has(shell, SHELL_BASH)) {
		if (!variables_get(shell, "PS2"))
			variables_set(shell, "PS2", "> ");
		if (!variables_get(shell, "PS1"))
			variables_set(shell, "PS1", usual_prompt(shell, root));
	}
	if (!shell_has(shell, SHELL_BASH)) {
		if (shell_has(shell, SHELL_ASH)) {
			snprintf(text, sizeof(text), "%ld",
				 level ? (strtol(level, NULL, 10) + 1) % 1000 : 1);
			variables_set(shell, "SHLVL", text);
			variables_export(shell, variables_make(shell, "SHLVL"), true);
		}
		return;
	}
	variables_set(shell, "OPTERR", "1");
	snprintf(text, sizeof(text), "%ld", level ? (strtol(level, NULL, 10) + 1) % 1000 : 1);
	variables_set(shell, "SHLVL", text);
	variables_export(shell, variables_make(shell, "SHLVL"), true);
	variables_export(shell, variables_make(shell, "PWD"), true);
	variables_export(shell, variables_make(shell, "OLDPWD"), true);
	if (!variables_get(shell, "TERM"))
		variables_set(shell, "TERM", "dumb");
	if (!variables_get(shell, "SHELL")) {
		const struct machine_account *account =
			names_account(shell, NULL, shell->process->identity.uid);

		variables_set(shell, "SHELL", account ? account->shell : "/bin/sh");
	}
	if (shell->interactive) {
		struct text file = {0};
		const char *home = variables_get(shell, "HOME");

		text_format(shell->process, &file, "%s/.bash_history", home ? home : "");
		variables_set(shell, "HISTFILE", file.data);
		process_give(shell->process, file.data);
		variables_set(shell, "HISTSIZE", "500");
		variables_set(shell, "HISTFILESIZE", "500");
		variables_set(shell, "MAILCHECK", "60");
	}
}

static bool long_option(struct shell *shell, const char *word, struct starting *starting, int argc,
			char **argv)
{
	const char *name = word + 1 + (word[1] == '-');

	if (!strcmp(name, "login"))
		starting->login = true;
	else if (!strcmp(name, "norc"))
		starting->no_rc = true;
	else if (!strcmp(name, "noprofile"))
		starting->no_profile = true;
	else if (!strcmp(name, "posix"))
		shell_option_set(shell, SET_POSIX, true);
	else if (!strcmp(name, "restricted"))
		shell->restricted = true;
	else if (!strcmp(name, "verbose"))
		shell_option_set(shell, SET_VERBOSE, true);
	else if (!strcmp(name, "noediting") || !strcmp(name, "debugger"))
		;
	else if ((!strcmp(name, "rcfile") || !strcmp(name, "init-file")) && starting->at + 1 < argc)
		starting->rc_file = argv[++starting->at];
	else
		return false;
	return true;
}

/* The shell's own options; false: told. */
static bool parse_options(struct shell *shell, int argc, char **argv, struct starting *starting)
{
	for (starting->at = 1; starting->at < argc; starting->at++) {
		const char *word = argv[starting->at];
		bool on = word[0] == '-';

		if ((word[0] != '-' && word[0] != '+') || !word[1])
			break;
		if (!strcmp(word, "--")) {
			starting->at++;
			break;
		}
		if (shell_has(shell, SHELL_BASH) && !strcmp(word, "--version")) {
			output_text(shell, version);
			output_flush(shell);
			process_exit(shell->process, 0);
		}
		if (shell_has(shell, SHELL_BASH) && word[1] == '-') {
			if (long_option(shell, word, starting, argc, argv))
				continue;
			message_plain(shell, "%s: %s: invalid option\n", shell->called, word);
			return false;
		}
		if (!strcmp(word, "-o") || !strcmp(word, "+o") || !strcmp(word, "-O") ||
		    !strcmp(word, "+O")) {
			if (starting->at + 1 < argc) {
				char *list[] = {
					(char *)(uintptr_t)(word[1] == 'o' ? "set" : "shopt"),
					(char *)(uintptr_t)(word[1] == 'o' ? word
							    : on           ? "-s"
									   : "-u"),
					argv[++starting->at], NULL};

				shell->builtin = list[0];
				if (word[1] == 'o')
					options_set_builtin(shell, 3, list);
				else
					options_shopt(shell, 3, list);
				shell->builtin = NULL;
				shell->unwind = UNWIND_NONE;
			}
			continue;
		}
		for (const char *letter = word + 1; *letter; letter++) {
			int option = options_by_letter(shell, *letter);

			if (*letter == 'c')
				starting->command = true;
			else if (*letter == 'i')
				starting->interactive = on;
			else if (*letter == 'l')
				starting->login = true;
			else if (*letter == 's')
				starting->reads = true;
			else if (*letter == 'r' && shell_has(shell, SHELL_BASH))
				shell->restricted = true;
			else if (*letter == 'D' && shell_has(shell, SHELL_BASH))
				;
			else if (option >= 0)
				shell_option_set(shell, (unsigned)option, on);
			else {
				if (shell_has(shell, SHELL_BASH))
					message_plain(shell, "%s: %c%c: invalid option\n",
						      shell->called, word[0], *letter);
				else if (shell_has(shell, SHELL_DASH))
					message_plain(shell, "%s: 0: Illegal option %c%c\n",
						      shell->called, word[0], *letter);
				else
					message_plain(shell, "%s: illegal option %c%c\n",
						      shell->called, word[0], *letter);
				return false;
			}
		}
	}
	return true;
}

/* A script by name: found in PATH, too, when it is nowhere else. -1: told, with *status. */
static int open_script(struct shell *shell, const char *name, int *status)
{
	const char *path = name, *found;
	struct file_status file;
	int descriptor = process_open(shell->process, path, O_RDONLY, 0);

	if (descriptor == -ENOENT && !strchr(name, '/') && shell_has(shell, SHELL_BASH) &&
	    (found = names_in_path(shell, name, 0))) {
		path = found;
		descriptor = process_open(shell->process, path, O_RDONLY, 0);
	}
	if (descriptor >= 0 && process_stat(shell->process, path, true, &file) == 0 &&
	    S_ISDIR(file.mode)) {
		if (shell_has(shell, SHELL_BASH))
			message_plain(shell, "%s: %s: Is a directory\n", shell->called, name);
		else if (shell_has(shell, SHELL_DASH))
			return descriptor;
		*status = 126;
		process_close(shell->process, descriptor);
		return -1;
	}
	if (descriptor >= 0)
		return descriptor;
	if (shell_has(shell, SHELL_BASH))
		message_plain(shell, "%s: %s: %s\n", shell->called, name, strerror(-descriptor));
	else if (shell_has(shell, SHELL_DASH))
		message_plain(shell, "%s: 0: cannot open %s: %s\n", shell->called, name,
			      descriptor == -ENOENT ? "No such file" : strerror(-descriptor));
	else
		message_plain(shell, "%s: can't open '%s': %s\n", shell->called, name,
			      strerror(-descriptor));
	*status = shell_has(shell, SHELL_BASH) ? (descriptor == -ENOENT ? 127 : 126) : 2;
	return -1;
}

static int run_script(struct shell *shell, const char *name)
{
	struct text text = {0};
	int status = 0, descriptor = open_script(shell, name, &status), error;
	size_t end;

	if (descriptor < 0)
		return status;
	error = process_read_all(shell->process, descriptor, SHELL_SCRIPT_MAX, &text);
	process_close(shell->process, descriptor);
	if (error < 0) {
		process_give(shell->process, text.data);
		return 126;
	}
	shell->file = name;
	shell->called = name;
	end = text.length < 80 ? text.length : 80;
	for (size_t i = 0; i < end && text.data[i] != '\n'; i++)
		if (!text.data[i] && shell_has(shell, SHELL_BASH)) {
			shell->line = 0;
			message_say(shell, "%s: cannot execute binary file", name);
			return 126;
		}
	input_run_text(shell, text_slice(&text), "script", false);
	process_give(shell->process, text.data);
	return shell->status;
}

static void begin(struct shell *shell, struct process *process, unsigned personality, char **argv)
{
	shell->process = process;
	shell->personality = personality;
	process->shell = shell;
	shell->scratch = pool_new(process);
	shell->shell_pid = process->pid;
	shell->seconds_base = process_now(process);
	shell->name = shell->called = argv[0];
	options_begin(shell);
	variables_import(shell);
}

static void import_functions(struct shell *shell)
{
	/* BASH_FUNC_name%%=() { ... } */
	for (char **at = shell->process->environment; at && *at; at++) {
		const char *end = strstr(*at, "%%=() {");
		struct text text = {0};

		if (strncmp(*at, "BASH_FUNC_", 10) != 0 || !end)
			continue;
		text_format(shell->process, &text, "%.*s %s", (int)(end - *at - 10), *at + 10,
			    end + 3);
		input_run_text(shell, text_slice(&text), "eval", false);
		process_give(shell->process, text.data);
	}
}

static void begin_interactive(struct shell *shell)
{
	startup_signals(shell);
	shell_option_set(shell, SET_MONITOR, process_is_terminal(shell->process, 0));
	shell->job_control = shell_option_is(shell, SET_MONITOR);
	if (shell_has(shell, SHELL_BASH)) {
		shell_option_set(shell, SHOPT_EXPAND_ALIASES, true);
		shell_option_set(shell, SET_EMACS, true);
		shell_option_set(shell, SET_HISTORY, true);
		shell_option_set(shell, SET_HISTEXPAND, true);
	}
	if (shell_has(shell, SHELL_ASH)) /* its greeting */
		message_plain(shell,
			      "\n\n%s built-in shell (ash)\nEnter 'help' for a list of built-in "
			      "commands.\n\n",
			      persona_text(host_persona(process_host(shell->process)),
					   "busybox.version",
					   "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1)"));
	if (!shell->job_control) {
		if (shell_has(shell, SHELL_BASH))
			message_plain(shell,
				      "%s: cannot set terminal process group (%d): Inappropriate "
				      "ioctl for device\n%s: no job control in this shell\n",
				      shell->called, -1, shell->called);
		else
			message_plain(shell,
				      shell_has(shell, SHELL_DASH)
					      ? "%s: 0: can't access tty; job control turned off\n"
					      : "%s: can't access tty; job control turned off\n",
				      shell->called);
	}
}

static int run(struct shell *shell, struct starting *starting, int argc, char **argv)
{
	struct process *process = shell->process;
	int first = starting->at;

	if (starting->command) {
		if (first >= argc) {
			if (shell_has(shell, SHELL_BASH))
				message_plain(shell, "%s: -c: option requires an argument\n",
					      shell->called);
			else if (shell_has(shell, SHELL_DASH))
				message_plain(shell, "%s: 0: -c requires an argument\n",
					      shell->called);
			else
				message_plain(shell, "%s: -c requires an argument\n",
					      shell->called);
			return 2;
		}
		starting->text = argv[first++];
		shell->from_string = true;
		shell->command_text = argv[first - 1];
		if (first < argc)
			shell->name = shell->called = argv[first++];
	} else if (first < argc && !starting->reads) {
		shell->name = argv[first++];
	}
	if (first < argc)
		builtin_set_positional(shell, argc - first, argv + first);
	shell->login |= starting->login;
	shell_option_set(shell, SHOPT_LOGIN_SHELL, shell->login);
	shell->reads_input = !starting->command && shell->name == argv[0];
	shell->interactive =
		starting->interactive || (shell->reads_input && process_is_terminal(process, 0) &&
					  process_is_terminal(process, 2));
	set_variables(shell);
	if (shell->interactive)
		begin_interactive(shell);
	if (shell_has(shell, SHELL_BASH)) {
		import_functions(shell);
		run_bash_files(shell, starting);
	} else {
		run_almquist_files(shell);
	}
	if (shell->unwind == UNWIND_EXIT)
		return shell->status;
	shell->status = 0;
	if (starting->command) {
		/* Others than the first program of a log-in got it from a line that was told. */
		input_run_text(shell, slice_text(starting->text), "-c", !process->parent);
		return shell->status;
	}
	if (shell->reads_input) {
		input_run_lines(shell, 0);
		return shell->status;
	}
	return run_script(shell, shell->name);
}

static int start(struct process *process, unsigned personality, int argc, char **argv)
{
	struct shell *shell = process_take(process, sizeof(*shell));
	struct starting starting = {0};
	const char *base = strrchr(argv[0], '/');

	shell->base = __builtin_frame_address(0);
	begin(shell, process, personality, argv);
	shell->login = argv[0][0] == '-';
	base = base ? base + 1 : argv[0];
	if (!strcmp(base, "rbash") || !strcmp(base, "-rbash"))
		shell->restricted = true;
	if (!parse_options(shell, argc, argv, &starting))
		return 2;
	shell_exit(shell, run(shell, &starting, argc, argv));
}

static int bash_main(struct process *process, int argc, char **argv)
{
	return start(process, SHELL_BASH, argc, argv);
}

static int dash_main(struct process *process, int argc, char **argv)
{
	return start(process, process->busybox ? SHELL_ASH : SHELL_DASH, argc, argv);
}

static int ash_main(struct process *process, int argc, char **argv)
{
	return start(process, SHELL_ASH, argc, argv);
}

static const struct command commands[] = {
	{"bash", bash_main, COMMAND_DEBIAN, NULL, (const char *const[]){"rbash", NULL}},
	{"dash", dash_main, COMMAND_DEBIAN, NULL, (const char *const[]){"sh", NULL}},
	{"ash", ash_main, COMMAND_BUSYBOX, NULL, NULL},
	{"sh", ash_main, COMMAND_BUSYBOX, NULL, NULL},
	{NULL},
};

const struct command_family command_family_shell = {"shell", commands};
