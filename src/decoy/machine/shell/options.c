/* Options of set and shopt. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

static const struct {
	const char *name;
	char letter;
	unsigned where;
} set_options[SET_OPTIONS] = {
	[SET_ALLEXPORT] = {"allexport", 'a', SHELL_ANY},
	[SET_BRACEEXPAND] = {"braceexpand", 'B', SHELL_BASH},
	[SET_EMACS] = {"emacs", 0, SHELL_BASH | SHELL_DASH},
	[SET_ERREXIT] = {"errexit", 'e', SHELL_ANY},
	[SET_ERRTRACE] = {"errtrace", 'E', SHELL_BASH | SHELL_ASH},
	[SET_FUNCTRACE] = {"functrace", 'T', SHELL_BASH},
	[SET_HASHALL] = {"hashall", 'h', SHELL_BASH},
	[SET_HISTEXPAND] = {"histexpand", 'H', SHELL_BASH},
	[SET_HISTORY] = {"history", 0, SHELL_BASH},
	[SET_IGNOREEOF] = {"ignoreeof", 'I', SHELL_ANY},
	[SET_INTERACTIVE_COMMENTS] = {"interactive-comments", 0, SHELL_BASH},
	[SET_KEYWORD] = {"keyword", 'k', SHELL_BASH},
	[SET_MONITOR] = {"monitor", 'm', SHELL_ANY},
	[SET_NOCLOBBER] = {"noclobber", 'C', SHELL_ANY},
	[SET_NOEXEC] = {"noexec", 'n', SHELL_ANY},
	[SET_NOGLOB] = {"noglob", 'f', SHELL_ANY},
	[SET_NOLOG] = {"nolog", 0, SHELL_BASH | SHELL_DASH},
	[SET_NOTIFY] = {"notify", 'b', SHELL_ANY},
	[SET_NOUNSET] = {"nounset", 'u', SHELL_ANY},
	[SET_ONECMD] = {"onecmd", 't', SHELL_BASH},
	[SET_PHYSICAL] = {"physical", 'P', SHELL_BASH},
	[SET_PIPEFAIL] = {"pipefail", 0, SHELL_BASH | SHELL_ASH},
	[SET_POSIX] = {"posix", 0, SHELL_BASH},
	[SET_PRIVILEGED] = {"privileged", 'p', SHELL_BASH | SHELL_DASH},
	[SET_VERBOSE] = {"verbose", 'v', SHELL_ANY},
	[SET_VI] = {"vi", 0, SHELL_ANY},
	[SET_XTRACE] = {"xtrace", 'x', SHELL_ANY},
};

/* In which order dash and ash list them, by their own names. */
static const struct {
	const char *name;
	int option; /* -1: one that nothing here knows: off */
	unsigned where;
} almquist_options[] = {
	{"errexit", SET_ERREXIT, SHELL_ANY},
	{"noglob", SET_NOGLOB, SHELL_ANY},
	{"ignoreeof", SET_IGNOREEOF, SHELL_ANY},
	{"interactive", -2, SHELL_DASH},
	{"monitor", SET_MONITOR, SHELL_ANY},
	{"noexec", SET_NOEXEC, SHELL_ANY},
	{"stdin", -3, SHELL_DASH},
	{"xtrace", SET_XTRACE, SHELL_ANY},
	{"verbose", SET_VERBOSE, SHELL_ANY},
	{"vi", SET_VI, SHELL_DASH},
	{"emacs", SET_EMACS, SHELL_DASH},
	{"noclobber", SET_NOCLOBBER, SHELL_ANY},
	{"allexport", SET_ALLEXPORT, SHELL_ANY},
	{"notify", SET_NOTIFY, SHELL_ANY},
	{"nounset", SET_NOUNSET, SHELL_ANY},
	{"errtrace", SET_ERRTRACE, SHELL_ASH},
	{"vi", SET_VI, SHELL_ASH},
	{"pipefail", SET_PIPEFAIL, SHELL_ASH},
	{"privileged", SET_PRIVILEGED, SHELL_DASH},
	{"nolog", SET_NOLOG, SHELL_DASH},
	{"debug", -1, SHELL_DASH},
};

static const struct {
	const char *name;
	unsigned option; /* 0: kept among the others, by place */
	bool on;
} shopts[] = {
	{"autocd", 0, false},
	{"assoc_expand_once", 0, false},
	{"cdable_vars", 0, false},
	{"cdspell", SHOPT_CDSPELL, false},
	{"checkhash", 0, false},
	{"checkjobs", 0, false},
	{"checkwinsize", SHOPT_CHECKWINSIZE, true},
	{"cmdhist", SHOPT_CMDHIST, true},
	{"compat31", 0, false},
	{"compat32", 0, false},
	{"compat40", 0, false},
	{"compat41", 0, false},
	{"compat42", 0, false},
	{"compat43", 0, false},
	{"compat44", 0, false},
	{"complete_fullquote", 0, true},
	{"direxpand", 0, false},
	{"dirspell", 0, false},
	{"dotglob", SHOPT_DOTGLOB, false},
	{"execfail", 0, false},
	{"expand_aliases", SHOPT_EXPAND_ALIASES, false},
	{"extdebug", 0, false},
	{"extglob", SHOPT_EXTGLOB, false},
	{"extquote", 0, true},
	{"failglob", SHOPT_FAILGLOB, false},
	{"force_fignore", 0, true},
	{"globasciiranges", 0, true},
	{"globskipdots", 0, true},
	{"globstar", SHOPT_GLOBSTAR, false},
	{"gnu_errfmt", 0, false},
	{"histappend", SHOPT_HISTAPPEND, false},
	{"histreedit", 0, false},
	{"histverify", 0, false},
	{"hostcomplete", 0, true},
	{"huponexit", 0, false},
	{"inherit_errexit", SHOPT_INHERIT_ERREXIT, false},
	{"interactive_comments", 0, true},
	{"lastpipe", SHOPT_LASTPIPE, false},
	{"lithist", 0, false},
	{"localvar_inherit", 0, false},
	{"localvar_unset", 0, false},
	{"login_shell", SHOPT_LOGIN_SHELL, false},
	{"mailwarn", 0, false},
	{"no_empty_cmd_completion", 0, false},
	{"nocaseglob", SHOPT_NOCASEGLOB, false},
	{"nocasematch", SHOPT_NOCASEMATCH, false},
	{"noexpand_translation", 0, false},
	{"nullglob", SHOPT_NULLGLOB, false},
	{"patsub_replacement", 0, true},
	{"progcomp", 0, true},
	{"progcomp_alias", 0, false},
	{"promptvars", SHOPT_PROMPTVARS, true},
	{"restricted_shell", 0, false},
	{"shift_verbose", 0, false},
	{"sourcepath", 0, true},
	{"varredir_close", 0, false},
	{"xpg_echo", SHOPT_XPG_ECHO, false},
};

_Static_assert(ARRAY_COUNT(shopts) <= 64, "more_options holds them all");

static bool shopt_is(const struct shell *shell, size_t index)
{
	if (shopts[index].option)
		return shell_option_is(shell, shopts[index].option);
	return shell->more_options >> index & 1;
}

static void shopt_set(struct shell *shell, size_t index, bool on)
{
	if (shopts[index].option)
		shell_option_set(shell, shopts[index].option, on);
	else if (on)
		shell->more_options |= (uint64_t)1 << index;
	else
		shell->more_options &= ~((uint64_t)1 << index);
}

void options_begin(struct shell *shell)
{
	for (size_t i = 0; i < ARRAY_COUNT(shopts); i++)
		shopt_set(shell, i, shopts[i].on);
	shell_option_set(shell, SET_HASHALL, true);
	shell_option_set(shell, SET_INTERACTIVE_COMMENTS, true);
	shell_option_set(shell, SET_BRACEEXPAND, shell_has(shell, SHELL_BASH));
}

bool shell_has_comments(const struct shell *shell)
{
	return shell_option_is(shell, SET_INTERACTIVE_COMMENTS) || !shell->interactive;
}

bool shell_expands_aliases(const struct shell *shell)
{
	return !shell_has(shell, SHELL_BASH) || shell_option_is(shell, SHOPT_EXPAND_ALIASES);
}

int options_by_letter(const struct shell *shell, char letter)
{
	for (int i = 0; i < SET_OPTIONS; i++)
		if (set_options[i].letter == letter && letter &&
		    shell_has(shell, set_options[i].where))
			return i;
	return -1;
}

int options_by_name(const struct shell *shell, const char *name)
{
	for (int i = 0; i < SET_OPTIONS; i++)
		if (!strcmp(set_options[i].name, name) && shell_has(shell, set_options[i].where))
			return i;
	return -1;
}

const char *options_letters(struct shell *shell)
{
	char *text = pool_take(shell->scratch, SET_OPTIONS + 8), *to = text;
	static const char order[] = "abefhikmnptuvxBCEHPTIsc";

	for (const char *letter = order; *letter; letter++) {
		int option = options_by_letter(shell, *letter);
		bool on = option >= 0 && shell_option_is(shell, (unsigned)option);

		if (*letter == 'i')
			on = shell->interactive;
		else if (*letter == 's')
			on = shell->reads_input;
		else if (*letter == 'c')
			on = shell_has(shell, SHELL_BASH) && shell->from_string;
		else if (*letter == 'I' && shell_has(shell, SHELL_BASH))
			on = false;
		if (on)
			*to++ = *letter;
	}
	return text;
}

const char *options_list(struct shell *shell, bool shopt)
{
	struct text text = {0};
	char *copy;

	for (size_t i = 0; i < (shopt ? ARRAY_COUNT(shopts) : SET_OPTIONS); i++)
		if (shopt ? shopt_is(shell, i) : shell_option_is(shell, (unsigned)i)) {
			if (text.length)
				text_add_byte(shell->process, &text, ':');
			text_add_words(shell->process, &text,
				       shopt ? shopts[i].name : set_options[i].name);
		}
	copy = pool_text(shell->scratch, text_slice(&text));
	process_give(shell->process, text.data);
	return copy;
}

static void print_almquist(struct shell *shell, bool as_commands)
{
	if (!as_commands)
		output_text(shell, "Current option settings\n");
	for (size_t i = 0; i < ARRAY_COUNT(almquist_options); i++) {
		int option = almquist_options[i].option;
		bool on = option >= 0 && shell_option_is(shell, (unsigned)option);

		if (!shell_has(shell, almquist_options[i].where))
			continue;
		if (option == -2)
			on = shell->interactive;
		if (option == -3)
			on = shell->reads_input;
		if (as_commands)
			output_format(shell, "set %co %s\n", on ? '-' : '+',
				      almquist_options[i].name);
		else
			output_format(shell, "%-16s%s\n", almquist_options[i].name,
				      on ? "on" : "off");
	}
}

void options_print(struct shell *shell, bool as_commands)
{
	if (!shell_has(shell, SHELL_BASH)) {
		print_almquist(shell, as_commands);
		return;
	}
	for (unsigned i = 0; i < SET_OPTIONS; i++) {
		bool on = shell_option_is(shell, i);

		if (as_commands)
			output_format(shell, "set %co %s\n", on ? '-' : '+', set_options[i].name);
		else
			output_format(shell, "%-15s\t%s\n", set_options[i].name, on ? "on" : "off");
	}
}

/* Every variable and function, as `set` lists them. */
static int list_all(struct shell *shell)
{
	size_t count;
	struct variable **all = variables_sorted(shell, 0, &count);
	size_t special = 0;

	for (size_t i = 0; i <= count; i++) {
		/* bash's own are among them */
		const char *name;

		while (shell_has(shell, SHELL_BASH) && (name = special_name(special)) &&
		       (i == count || strcmp(name, all[i]->name) < 0)) {
			const char *value = special_get(shell, name);
			size_t elements = 0;

			special++;
			if (!value || !strcmp(name, "BASH_ARGV0"))
				continue;
			if (!special_array(shell, name, 0, &elements)) {
				output_format(shell, "%s=%s\n", name, builtin_quoted(shell, value));
				continue;
			}
			output_format(shell, "%s=(", name);
			for (size_t k = 0; k < elements; k++)
				output_format(shell, "%s[%zu]=\"%s\"", k ? " " : "", k,
					      special_array(shell, name, k, NULL));
			output_text(shell, ")\n");
		}
		if (i == count)
			break;
		while (special_name(special) && !strcmp(special_name(special), all[i]->name))
			special++;
		process_step(shell->process);
		if (all[i]->array)
			builtin_print_variable(shell, all[i], false);
		else if (all[i]->value)
			output_format(shell, "%s=%s\n", all[i]->name,
				      shell_has(shell, SHELL_BASH)
					      ? builtin_quoted(shell, all[i]->value)
					      : builtin_quoted_single(shell, all[i]->value));
	}
	for (struct function *function = shell->functions;
	     function && shell_has(shell, SHELL_BASH) && !shell_option_is(shell, SET_POSIX);
	     function = function->next)
		print_function(shell->process, &shell->output, function->name, function->body);
	return 0;
}

static void option_changed(struct shell *shell, int option, bool on)
{
	shell_option_set(shell, (unsigned)option, on);
	if (option == SET_MONITOR)
		shell->job_control = on && process_is_terminal(shell->process, 0);
	if (option == SET_EMACS && on)
		shell_option_set(shell, SET_VI, false);
	if (option == SET_VI && on)
		shell_option_set(shell, SET_EMACS, false);
}

static int set_named(struct shell *shell, const char *name, bool on)
{
	int option = options_by_name(shell, name);

	if (option < 0) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%s: invalid option name", name);
			return 2;
		}
		message_builtin(shell,
				shell_has(shell, SHELL_DASH) ? "Illegal option %co %s"
							     : "illegal option %co %s",
				on ? '-' : '+', name);
		return shell_has(shell, SHELL_DASH) ? message_special(shell, 2) : 1;
	}
	option_changed(shell, option, on);
	return 0;
}

static int bad_letter(struct shell *shell, char sign, char letter)
{
	if (shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "%c%c: invalid option", sign, letter);
		return builtin_usage(shell);
	}
	message_builtin(
		shell, shell_has(shell, SHELL_DASH) ? "Illegal option %c%c" : "illegal option %c%c",
		sign, letter);
	return message_special(shell, 2);
}

int options_set_builtin(struct shell *shell, int argc, char **argv)
{
	int at = 1, status = 0;
	bool operands = false;

	if (argc == 1)
		return list_all(shell);
	for (; at < argc && (argv[at][0] == '-' || argv[at][0] == '+'); at++) {
		bool on = argv[at][0] == '-';

		if (!strcmp(argv[at], "--")) {
			operands = true;
			at++;
			break;
		}
		if (!strcmp(argv[at], "-")) {
			shell_option_set(shell, SET_XTRACE, false);
			shell_option_set(shell, SET_VERBOSE, false);
			operands = argc > at + 1;
			at++;
			break;
		}
		if (!argv[at][1])
			break;
		for (const char *letter = argv[at] + 1; *letter; letter++) {
			int option;

			if (*letter == 'o') {
				if (at + 1 >= argc) {
					options_print(shell, !on);
					continue;
				}
				status = set_named(shell, argv[++at], on);
				if (status)
					return status;
				break;
			}
			option = options_by_letter(shell, *letter);
			if (option < 0)
				return bad_letter(shell, argv[at][0], *letter);
			option_changed(shell, option, on);
		}
	}
	if (at < argc || operands)
		builtin_set_positional(shell, argc - at, argv + at);
	return 0;
}

static size_t find_shopt(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_COUNT(shopts) && strcmp(shopts[i].name, name) != 0)
		i++;
	return i;
}

static void print_shopt(struct shell *shell, size_t index, bool as_commands)
{
	if (as_commands)
		output_format(shell, "shopt -%c %s\n", shopt_is(shell, index) ? 's' : 'u',
			      shopts[index].name);
	else
		output_format(shell, "%-15s\t%s\n", shopts[index].name,
			      shopt_is(shell, index) ? "on" : "off");
}

int options_shopt(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool sets = false, unsets = false, quiet = false, print = false, of_set = false;
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv, "psuqo")) != -1) {
		if (letter == '?')
			return 2;
		sets |= letter == 's';
		unsets |= letter == 'u';
		quiet |= letter == 'q';
		print |= letter == 'p';
		of_set |= letter == 'o';
	}
	if (sets && unsets) {
		message_builtin(shell, "cannot set and unset shell options simultaneously");
		return 1;
	}
	if (options.index >= argc) {
		if (of_set && !sets && !unsets)
			options_print(shell, print);
		for (size_t i = 0; !of_set && i < ARRAY_COUNT(shopts); i++)
			if ((!sets && !unsets) || shopt_is(shell, i) == sets)
				print_shopt(shell, i, print);
		return 0;
	}
	for (int i = options.index; i < argc; i++) {
		size_t index = find_shopt(argv[i]);
		int option = of_set ? options_by_name(shell, argv[i]) : -1;

		if (of_set ? option < 0 : index == ARRAY_COUNT(shopts)) {
			message_builtin(shell, "%s: invalid %s name", argv[i],
					of_set ? "option" : "shell option");
			status = 1;
			continue;
		}
		if (sets || unsets) {
			if (of_set)
				option_changed(shell, option, sets);
			else
				shopt_set(shell, index, sets);
			continue;
		}
		if (of_set ? !shell_option_is(shell, (unsigned)option) : !shopt_is(shell, index))
			status = 1;
		if (quiet)
			continue;
		if (of_set)
			output_format(shell, "%-15s\t%s\n", argv[i], status ? "off" : "on");
		else
			print_shopt(shell, index, print);
	}
	return status;
}
