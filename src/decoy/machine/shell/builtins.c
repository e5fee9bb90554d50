/* The table of builtins. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define ALMQUIST (SHELL_DASH | SHELL_ASH)
#define USAGE_MAPFILE                                                                            \
	" [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] " \
	"[array]"
#define USAGE_COMPLETE                                                                       \
	"[-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X " \
	"filterpat] [-P prefix] [-S suffix] "

/* Sorted as bash lists them. */
static const struct builtin builtins[] = {
	{".", builtin_dot, SHELL_ANY, BUILTIN_SPECIAL, ". filename [arguments]"},
	{":", builtin_colon, SHELL_ANY, BUILTIN_SPECIAL, ":"},
	{"[", builtin_test, SHELL_ANY, BUILTIN_PLAIN, "[ arg... ]"},
	{"[[", builtin_test, SHELL_ASH, BUILTIN_PLAIN, NULL},
	{"alias", builtin_alias, SHELL_ANY, BUILTIN_ASSIGNS, "alias [-p] [name[=value] ... ]"},
	{"bg", builtin_bg, SHELL_ANY, BUILTIN_PLAIN, "bg [job_spec ...]"},
	{"bind", builtin_bind, SHELL_BASH, BUILTIN_PLAIN,
	 "bind [-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x "
	 "keyseq:shell-command] [keyseq:readline-function or readline-command]"},
	{"break", builtin_break, SHELL_ANY, BUILTIN_SPECIAL, "break [n]"},
	{"builtin", builtin_builtin, SHELL_BASH, BUILTIN_PLAIN,
	 "builtin [shell-builtin [arg ...]]"},
	{"caller", builtin_caller, SHELL_BASH, BUILTIN_PLAIN, "caller [expr]"},
	{"cd", builtin_cd, SHELL_ANY, BUILTIN_PLAIN, "cd [-L|[-P [-e]] [-@]] [dir]"},
	{"chdir", builtin_cd, ALMQUIST, BUILTIN_PLAIN, NULL},
	{"command", builtin_command, SHELL_ANY, BUILTIN_PLAIN, "command [-pVv] command [arg ...]"},
	{"compgen", builtin_compgen, SHELL_BASH, BUILTIN_PLAIN,
	 "compgen [-abcdefgjksuv] " USAGE_COMPLETE "[word]"},
	{"complete", builtin_complete, SHELL_BASH, BUILTIN_PLAIN,
	 "complete [-abcdefgjksuv] [-pr] [-DEI] " USAGE_COMPLETE "[name ...]"},
	{"compopt", builtin_compopt, SHELL_BASH, BUILTIN_PLAIN,
	 "compopt [-o|+o option] [-DEI] [name ...]"},
	{"continue", builtin_continue, SHELL_ANY, BUILTIN_SPECIAL, "continue [n]"},
	{"declare", builtin_declare, SHELL_BASH, BUILTIN_ASSIGNS,
	 "declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]"},
	{"dirs", builtin_dirs, SHELL_BASH, BUILTIN_PLAIN, "dirs [-clpv] [+N] [-N]"},
	{"disown", builtin_disown, SHELL_BASH, BUILTIN_PLAIN,
	 "disown [-h] [-ar] [jobspec ... | pid ...]"},
	{"echo", builtin_echo, SHELL_ANY, BUILTIN_PLAIN, "echo [-neE] [arg ...]"},
	{"enable", builtin_enable, SHELL_BASH, BUILTIN_PLAIN,
	 "enable [-a] [-dnps] [-f filename] [name ...]"},
	{"eval", builtin_eval, SHELL_ANY, BUILTIN_SPECIAL, "eval [arg ...]"},
	{"exec", builtin_exec, SHELL_ANY, BUILTIN_SPECIAL,
	 "exec [-cl] [-a name] [command [argument ...]] [redirection ...]"},
	{"exit", builtin_exit, SHELL_ANY, BUILTIN_SPECIAL, "exit [n]"},
	{"export", builtin_export, SHELL_ANY, BUILTIN_ASSIGNS,
	 "export [-fn] [name[=value] ...] or export -p"},
	{"false", builtin_false, SHELL_ANY, BUILTIN_PLAIN, "false"},
	{"fc", builtin_fc, SHELL_BASH, BUILTIN_PLAIN,
	 "fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]"},
	{"fg", builtin_fg, SHELL_ANY, BUILTIN_PLAIN, "fg [job_spec]"},
	{"getopts", builtin_getopts, SHELL_ANY, BUILTIN_PLAIN, "getopts optstring name [arg ...]"},
	{"hash", builtin_hash, SHELL_ANY, BUILTIN_PLAIN,
	 "hash [-lr] [-p pathname] [-dt] [name ...]"},
	{"help", builtin_help, SHELL_BASH | SHELL_ASH, BUILTIN_PLAIN, "help [-dms] [pattern ...]"},
	{"history", builtin_history, SHELL_BASH | SHELL_ASH, BUILTIN_PLAIN,
	 "history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]"},
	{"jobs", builtin_jobs, SHELL_ANY, BUILTIN_PLAIN,
	 "jobs [-lnprs] [jobspec ...] or jobs -x command [args]"},
	{"kill", builtin_kill, SHELL_ANY, BUILTIN_PLAIN,
	 "kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]"},
	{"let", builtin_let, SHELL_BASH | SHELL_ASH, BUILTIN_PLAIN, "let arg [arg ...]"},
	{"local", builtin_local, SHELL_ANY, BUILTIN_ASSIGNS, "local [option] name[=value] ..."},
	{"logout", builtin_logout, SHELL_BASH, BUILTIN_PLAIN, "logout [n]"},
	{"mapfile", builtin_mapfile, SHELL_BASH, BUILTIN_PLAIN, "mapfile" USAGE_MAPFILE},
	{"popd", builtin_popd, SHELL_BASH, BUILTIN_PLAIN, "popd [-n] [+N | -N]"},
	{"printf", builtin_printf, SHELL_ANY, BUILTIN_PLAIN, "printf [-v var] format [arguments]"},
	{"pushd", builtin_pushd, SHELL_BASH, BUILTIN_PLAIN, "pushd [-n] [+N | -N | dir]"},
	{"pwd", builtin_pwd, SHELL_ANY, BUILTIN_PLAIN, "pwd [-LP]"},
	{"read", builtin_read, SHELL_ANY, BUILTIN_PLAIN,
	 "read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t "
	 "timeout] [-u fd] [name ...]"},
	{"readarray", builtin_mapfile, SHELL_BASH, BUILTIN_PLAIN, "readarray" USAGE_MAPFILE},
	{"readonly", builtin_readonly, SHELL_ANY, BUILTIN_ASSIGNS,
	 "readonly [-aAf] [name[=value] ...] or readonly -p"},
	{"return", builtin_return, SHELL_ANY, BUILTIN_SPECIAL, "return [n]"},
	{"set", builtin_set, SHELL_ANY, BUILTIN_SPECIAL,
	 "set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]"},
	{"shift", builtin_shift, SHELL_ANY, BUILTIN_SPECIAL, "shift [n]"},
	{"shopt", builtin_shopt, SHELL_BASH, BUILTIN_PLAIN, "shopt [-pqsu] [-o] [optname ...]"},
	{"source", builtin_dot, SHELL_BASH | SHELL_ASH, BUILTIN_SPECIAL,
	 "source filename [arguments]"},
	{"suspend", builtin_suspend, SHELL_BASH, BUILTIN_PLAIN, "suspend [-f]"},
	{"test", builtin_test, SHELL_ANY, BUILTIN_PLAIN, "test [expr]"},
	{"times", builtin_times, SHELL_ANY, BUILTIN_SPECIAL, "times"},
	{"trap", builtin_trap, SHELL_ANY, BUILTIN_SPECIAL, "trap [-lp] [[arg] signal_spec ...]"},
	{"true", builtin_true, SHELL_ANY, BUILTIN_PLAIN, "true"},
	{"type", builtin_type, SHELL_ANY, BUILTIN_PLAIN, "type [-afptP] name [name ...]"},
	{"typeset", builtin_declare, SHELL_BASH, BUILTIN_ASSIGNS,
	 "typeset [-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]"},
	{"ulimit", builtin_ulimit, SHELL_ANY, BUILTIN_PLAIN,
	 "ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]"},
	{"umask", builtin_umask, SHELL_ANY, BUILTIN_PLAIN, "umask [-p] [-S] [mode]"},
	{"unalias", builtin_unalias, SHELL_ANY, BUILTIN_PLAIN, "unalias [-a] name [name ...]"},
	{"unset", builtin_unset, SHELL_ANY, BUILTIN_SPECIAL, "unset [-f] [-v] [-n] [name ...]"},
	{"wait", builtin_wait, SHELL_ANY, BUILTIN_PLAIN, "wait [-fn] [-p var] [id ...]"},
};

_Static_assert(ARRAY_COUNT(builtins) <= 64, "disabled_builtins holds them all");

const struct builtin *builtin_at(size_t index)
{
	return index < ARRAY_COUNT(builtins) ? &builtins[index] : NULL;
}

bool builtin_is_enabled(const struct shell *shell, const struct builtin *builtin)
{
	return !(shell->disabled_builtins >> (builtin - builtins) & 1);
}

const struct builtin *builtin_find(const struct shell *shell, const char *name)
{
	size_t low = 0, high = ARRAY_COUNT(builtins);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, builtins[middle].name);

		if (!order)
			return shell_has(shell, builtins[middle].where) &&
					       builtin_is_enabled(shell, &builtins[middle])
				       ? &builtins[middle]
				       : NULL;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

int builtin_run(struct shell *shell, const struct builtin *builtin, int argc, char **argv)
{
	const char *outer = shell->builtin;
	int status, error;

	shell->builtin = argv[0];
	shell->output_failed = false;
	status = builtin->run(shell, argc, argv);
	error = output_flush(shell);
	if (error < 0 || shell->output_failed) {
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "write error: %s",
					strerror(error < 0 ? -error : EBADF));
		else if (shell_has(shell, SHELL_DASH))
			message_builtin(shell, "I/O error");
		else
			message_say(shell, "write error: %s", strerror(error < 0 ? -error : EBADF));
		status = 1;
		shell->output_failed = false;
	}
	shell->builtin = outer;
	return status;
}

int builtin_usage(struct shell *shell)
{
	const struct builtin *builtin = builtin_find(shell, shell->builtin);

	if (builtin && builtin->usage)
		message_plain(shell, "%s: usage: %s\n", shell->builtin, builtin->usage);
	return 2;
}

int builtin_option(struct shell *shell, struct builtin_options *options, int argc, char **argv,
		   const char *letters)
{
	const char *letter;
	bool plus = *letters == '+';

	if (plus)
		letters++;
	if (!options->index)
		options->index = 1;
	options->argument = NULL;
	if (!options->at || !*options->at) {
		const char *word = options->index < argc ? argv[options->index] : NULL;

		if (!word || (word[0] != '-' && !(plus && word[0] == '+')) || !word[1])
			return -1;
		if (!strcmp(word, "--")) {
			options->index++;
			return -1;
		}
		options->plus = word[0] == '+';
		options->at = word + 1;
		options->index++;
	}
	letter = *options->at == ':' ? NULL : strchr(letters, *options->at);
	if (!letter) {
		char wrong = *options->at;

		options->at = NULL;
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%c%c: invalid option", options->plus ? '+' : '-',
					wrong);
			builtin_usage(shell);
		} else {
			message_builtin(shell,
					shell_has(shell, SHELL_DASH) ? "Illegal option -%c"
								     : "illegal option -%c",
					wrong);
			message_special(shell, 2);
		}
		return '?';
	}
	options->at++;
	if (letter[1] == ':') {
		if (*options->at) {
			options->argument = (char *)(uintptr_t)options->at;
		} else if (options->index < argc) {
			options->argument = argv[options->index++];
		} else {
			if (shell_has(shell, SHELL_BASH)) {
				message_builtin(shell, "-%c: option requires an argument", *letter);
				builtin_usage(shell);
			} else {
				message_builtin(shell,
						shell_has(shell, SHELL_DASH)
							? "No arg for -%c option"
							: "no arg for -%c option",
						*letter);
				message_special(shell, 2);
			}
			return '?';
		}
		options->at = NULL;
	}
	return (uint8_t)*letter;
}

int builtin_number(const char *text, int64_t *number)
{
	char *end;

	while (isspace((uint8_t)*text))
		text++;
	if (!isdigit((uint8_t)*text) &&
	    !((*text == '-' || *text == '+') && isdigit((uint8_t)text[1])))
		return -1;
	errno = 0;
	*number = (int64_t)strtoll(text, &end, 10);
	while (isspace((uint8_t)*end))
		end++;
	return *end || errno ? -1 : 0;
}

void builtin_set_positional(struct shell *shell, int count, char **values)
{
	char **old = shell->positional, **list = NULL;
	int old_count = shell->positional_count;

	if (count) {
		list = process_take(shell->process, ((size_t)count + 1) * sizeof(*list));
		for (int i = 0; i < count; i++)
			list[i] = process_copy_text(shell->process, values[i]);
	}
	shell->positional = list;
	shell->positional_count = count;
	/* Those of a function are its caller's memory. */
	if (shell->frame && shell->frame->borrowed) {
		shell->frame->borrowed = false;
		return;
	}
	for (int i = 0; old && i < old_count; i++)
		process_give(shell->process, old[i]);
	process_give(shell->process, old);
}
