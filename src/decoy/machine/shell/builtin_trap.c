/* trap, and the names of signals. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "decoy/machine/shell/state.h"

static const char *const names[] = {
	"EXIT", "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
	"SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
	"TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

const char *builtin_signal_name(int signal)
{
	static const char *const real_time[] = {
		"RTMIN",    "RTMIN+1",  "RTMIN+2",  "RTMIN+3",  "RTMIN+4",  "RTMIN+5",  "RTMIN+6",
		"RTMIN+7",  "RTMIN+8",  "RTMIN+9",  "RTMIN+10", "RTMIN+11", "RTMIN+12", "RTMIN+13",
		"RTMIN+14", "RTMIN+15", "RTMAX-14", "RTMAX-13", "RTMAX-12", "RTMAX-11", "RTMAX-10",
		"RTMAX-9",  "RTMAX-8",  "RTMAX-7",  "RTMAX-6",  "RTMAX-5",  "RTMAX-4",  "RTMAX-3",
		"RTMAX-2",  "RTMAX-1",  "RTMAX",
	};

	if (signal >= 0 && (size_t)signal < ARRAY_COUNT(names))
		return names[signal];
	if (signal >= 34 && signal <= 64)
		return real_time[signal - 34];
	return NULL;
}

int builtin_signal(const char *text)
{
	int64_t number;

	if (builtin_number(text, &number) == 0)
		return number >= 0 && number <= 64 ? (int)number : -1;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (int i = 0; i <= 64; i++) {
		const char *name = builtin_signal_name(i);

		if (name && !strcasecmp(name, text))
			return i;
	}
	if (!strcasecmp(text, "CLD"))
		return SIGCHLD;
	if (!strcasecmp(text, "POLL"))
		return SIGIO;
	if (!strcasecmp(text, "IOT"))
		return SIGABRT;
	return -1;
}

static void list_traps(struct shell *shell, int argc, char **argv)
{
	for (int i = 0; i <= 64; i++) {
		bool wanted = argc == 0;

		for (int k = 0; k < argc; k++)
			wanted |= builtin_signal(argv[k]) == i;
		if (!wanted || !shell->traps || !shell->traps[i])
			continue;
		output_format(
			shell, "trap -- %s %s%s\n", builtin_quoted_single(shell, shell->traps[i]),
			i && shell_has(shell, SHELL_BASH) ? "SIG" : "", builtin_signal_name(i));
	}
}

/* Four or five in a row, as kill -l. */
static void list_names(struct shell *shell)
{
	int column = 0;

	for (int i = 1; i <= 64; i++) {
		const char *name = builtin_signal_name(i);

		if (!name)
			continue;
		output_format(shell, "%2d) SIG%s%s", i, name, ++column % 5 ? "\t" : "\n");
	}
	if (column % 5)
		output_text(shell, "\n");
}

static void set_trap(struct shell *shell, int signal, const char *command)
{
	if (!shell->traps)
		shell->traps = process_take(shell->process, 65 * sizeof(char *));
	process_give(shell->process, shell->traps[signal]);
	shell->traps[signal] = command ? process_copy_text(shell->process, command) : NULL;
	if (!signal || signal == SIGKILL || signal == SIGSTOP)
		return;
	if (!command && shell->interactive && !shell->is_child) {
		startup_signals(shell);
		return;
	}
	process_on_signal(shell->process, signal,
			  !command   ? SIGNAL_DEFAULT
			  : *command ? SIGNAL_CAUGHT
				     : SIGNAL_IGNORED);
}

int builtin_trap(struct shell *shell, int argc, char **argv)
{
	const char *command = NULL;
	int at = 1, status = 0;

	if (at < argc && !strcmp(argv[at], "-l")) {
		list_names(shell);
		return 0;
	}
	if (at < argc && !strcmp(argv[at], "-p")) {
		list_traps(shell, argc - 2, argv + 2);
		return 0;
	}
	if (at < argc && argv[at][0] == '-' && argv[at][1] && strcmp(argv[at], "--") != 0 &&
	    shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "%.2s: invalid option", argv[at]);
		return builtin_usage(shell);
	}
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	if (at >= argc) {
		list_traps(shell, 0, NULL);
		return 0;
	}
	if (argc - at == 1 && builtin_signal(argv[at]) < 0) {
		if (shell_has(shell, SHELL_BASH))
			return builtin_usage(shell);
		if (!shell_has(shell, SHELL_DASH))
			message_builtin(shell, "%s: invalid signal specification", argv[at]);
		else
			message_plain(shell, "trap: %s: bad trap\n", argv[at]);
		return 1;
	}
	/* One operand, or a number first: back to the default. */
	if (argc - at > 1 &&
	    !(argv[at][0] >= '0' && argv[at][0] <= '9' && builtin_signal(argv[at]) >= 0)) {
		command = argv[at++];
		if (!strcmp(command, "-"))
			command = NULL;
	}
	for (; at < argc; at++) {
		int signal = builtin_signal(argv[at]);

		if (signal < 0 && shell_has(shell, SHELL_BASH) &&
		    (!strcasecmp(argv[at], "ERR") || !strcasecmp(argv[at], "DEBUG") ||
		     !strcasecmp(argv[at], "RETURN")))
			continue; /* taken, never run */
		if (signal < 0) {
			if (shell_has(shell, SHELL_DASH))
				message_plain(shell, "trap: %s: bad trap\n", argv[at]);
			else
				message_builtin(shell, "%s: invalid signal specification",
						argv[at]);
			status = 1;
			continue;
		}
		set_trap(shell, signal, command);
	}
	return status;
}
