/* What a name is: type, command, hash; aliases; help. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

enum {
	TYPE_ALL = 1,
	TYPE_KIND = 2,
	TYPE_PATH = 4,
	TYPE_FORCE_PATH = 8,
	TYPE_NO_FUNCTION = 16,
	TYPE_SHORT = 32,
	TYPE_VERBOSE = 64
};

static void say(struct shell *shell, unsigned flags, const char *kind, const char *name,
		const char *words)
{
	if (flags & TYPE_PATH)
		return;
	if (flags & TYPE_KIND)
		output_format(shell, "%s\n", kind);
	else if (flags & TYPE_SHORT)
		output_format(shell, "%s\n", name);
	else
		output_format(shell, "%s%s\n", name, words);
}

static bool tell_alias(struct shell *shell, const char *name, unsigned flags)
{
	const char *alias = names_alias(shell, name);

	if (!alias || !shell_expands_aliases(shell))
		return false;
	if (flags & TYPE_SHORT)
		output_format(shell, "alias %s=%s\n", name, builtin_quoted_single(shell, alias));
	else if (flags & (TYPE_KIND | TYPE_PATH))
		say(shell, flags, "alias", name, "");
	else if (shell_has(shell, SHELL_BASH))
		output_format(shell, "%s is aliased to `%s'\n", name, alias);
	else
		output_format(shell, "%s is an alias for %s\n", name, alias);
	return true;
}

static bool tell_inside(struct shell *shell, const char *name, unsigned flags, bool *found)
{
	struct function *function;
	const struct builtin *builtin = builtin_find(shell, name);
	bool bash = shell_has(shell, SHELL_BASH);

	if (tell_alias(shell, name, flags)) {
		*found = true;
		if (!(flags & TYPE_ALL))
			return true;
	}
	if (names_is_reserved(shell, name) ||
	    (bash && (!strcmp(name, "in") || !strcmp(name, "]]") || !strcmp(name, "coproc")))) {
		say(shell, flags, "keyword", name, " is a shell keyword");
		*found = true;
		if (!(flags & TYPE_ALL))
			return true;
	}
	function = flags & TYPE_NO_FUNCTION ? NULL : names_function(shell, name);
	if (function) {
		say(shell, flags, "function", name,
		    shell_has(shell, SHELL_DASH) ? " is a shell function" : " is a function");
		if (!(flags & (TYPE_KIND | TYPE_PATH | TYPE_SHORT)) && bash)
			print_function(shell->process, &shell->output, name, function->body);
		*found = true;
		if (!(flags & TYPE_ALL))
			return true;
	}
	if (builtin) {
		bool special = builtin->kind == BUILTIN_SPECIAL && !bash;

		say(shell, flags, "builtin", name,
		    special ? " is a special shell builtin" : " is a shell builtin");
		*found = true;
		if (!(flags & TYPE_ALL))
			return true;
	}
	return false;
}

static void say_path(struct shell *shell, const char *name, const char *path, unsigned flags,
		     bool hashed)
{
	if (flags & TYPE_KIND)
		output_text(shell, "file\n");
	else if (flags & (TYPE_PATH | TYPE_SHORT))
		output_format(shell, "%s\n", path);
	else if (hashed)
		output_format(shell,
			      shell_has(shell, SHELL_BASH) ? "%s is hashed (%s)\n"
							   : "%s is a tracked alias for %s\n",
			      name, path);
	else
		output_format(shell, "%s is %s\n", name, path);
}

static bool is_hashed(struct shell *shell, const char *name)
{
	for (struct hashed *hashed = shell->hashed; hashed; hashed = hashed->next)
		if (!strcmp(hashed->name, name))
			return true;
	return false;
}

static bool tell(struct shell *shell, const char *name, unsigned flags)
{
	bool found = false;
	const char *path;

	if (!(flags & TYPE_FORCE_PATH) && tell_inside(shell, name, flags, &found))
		return true;
	if (strchr(name, '/')) {
		struct file_status status;

		if (process_access(shell->process, name, 1) == 0 &&
		    process_stat(shell->process, name, true, &status) == 0 &&
		    (!S_ISDIR(status.mode) || !shell_has(shell, SHELL_BASH))) {
			say_path(shell, name, name, flags, false);
			return true;
		}
		return found;
	}
	if (!(flags & TYPE_ALL)) {
		bool hashed = is_hashed(shell, name);

		path = names_in_path(shell, name, 0);
		if (path)
			say_path(shell, name, path, flags, hashed);
		if (path && shell_has(shell, SHELL_DASH))
			(void)names_program(shell, name, &path); /* looked up: remembered */
		return path || found;
	}
	for (size_t i = 0; (path = names_in_path(shell, name, i)); i++) {
		say_path(shell, name, path, flags, false);
		found = true;
	}
	return found;
}

int builtin_type(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	unsigned flags = 0;
	int letter, status = 0;

	while (shell_has(shell, SHELL_BASH) &&
	       (letter = builtin_option(shell, &options, argc, argv, "afptP")) != -1) {
		if (letter == '?')
			return 2;
		flags |= letter == 'a'   ? TYPE_ALL
			 : letter == 'f' ? TYPE_NO_FUNCTION
			 : letter == 'p' ? TYPE_PATH
			 : letter == 't' ? TYPE_KIND
					 : TYPE_PATH | TYPE_FORCE_PATH;
	}
	for (int i = options.index ? options.index : 1; i < argc; i++) {
		if (tell(shell, argv[i], flags))
			continue;
		if (shell_has(shell, SHELL_BASH)) {
			if (!(flags & (TYPE_KIND | TYPE_PATH)))
				message_builtin(shell, "%s: not found", argv[i]);
			status = 1;
		} else {
			output_format(shell, "%s: not found\n", argv[i]);
			status = 127;
		}
	}
	return status;
}

int builtin_command(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	unsigned flags = 0;
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv, "pVv")) != -1) {
		if (letter == '?')
			return 2;
		if (letter != 'p')
			flags = letter == 'v' ? TYPE_SHORT : TYPE_VERBOSE;
	}
	if (options.index >= argc)
		return 0;
	if (!flags)
		return execute_fields(shell, argc - options.index, argv + options.index,
				      EXECUTE_NO_FUNCTION);
	if (!shell_has(shell, SHELL_BASH)) /* looks at one */
		argc = options.index + 1;
	for (int i = options.index; i < argc; i++) {
		if (tell(shell, argv[i], flags))
			continue;
		if (flags & TYPE_VERBOSE) {
			if (shell_has(shell, SHELL_BASH))
				message_builtin(shell, "%s: not found", argv[i]);
			else
				output_format(shell, "%s: not found\n", argv[i]);
		}
		status = shell_has(shell, SHELL_BASH) ? 1 : 127;
	}
	return status;
}

static void list_hashed(struct shell *shell)
{
	if (!shell->hashed) {
		if (shell_has(shell, SHELL_BASH))
			output_format(shell, "%s: hash table empty\n", shell->builtin);
		return;
	}
	if (shell_has(shell, SHELL_BASH))
		output_text(shell, "hits\tcommand\n");
	for (struct hashed *hashed = shell->hashed; hashed; hashed = hashed->next) {
		if (shell_has(shell, SHELL_BASH))
			output_format(shell, "%4u\t%s\n", hashed->hits, hashed->path);
		else
			output_format(shell, "%s\n", hashed->path);
	}
}

int builtin_hash(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool forget = false, show = false, one = false;
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "dlp:rt" : "rv")) != -1) {
		if (letter == '?')
			return 2;
		forget |= letter == 'r';
		show |= letter == 't';
		one |= letter == 'd';
	}
	if (forget)
		names_forget(shell, NULL);
	else if (options.index >= argc)
		list_hashed(shell);
	for (int i = options.index; i < argc; i++) {
		const char *path;

		if (one) {
			names_forget(shell, argv[i]);
			continue;
		}
		if (strchr(argv[i], '/') || builtin_find(shell, argv[i]))
			continue;
		if ((show && !is_hashed(shell, argv[i])) ||
		    names_program(shell, argv[i], &path) < 0) {
			message_builtin(shell, "%s: not found", argv[i]);
			status = 1;
		} else if (show) {
			output_format(shell, "%s\n", path);
		} else if (shell->hashed) {
			shell->hashed->hits = 0;
		}
	}
	return status;
}

static void print_alias(struct shell *shell, const char *name, const char *value)
{
	output_format(shell, "%s%s=%s\n", shell_has(shell, SHELL_BASH) ? "alias " : "", name,
		      builtin_quoted_single(shell, value));
}

static void list_aliases(struct shell *shell)
{
	const char *last = "";

	for (;;) {
		struct alias *next = NULL;

		for (struct alias *alias = shell->aliases; alias; alias = alias->next)
			if (strcmp(alias->name, last) > 0 &&
			    (!next || strcmp(alias->name, next->name) < 0))
				next = alias;
		if (!next)
			return;
		print_alias(shell, next->name, next->value);
		last = next->name;
	}
}

int builtin_alias(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	int letter, status = 0;

	while (shell_has(shell, SHELL_BASH) &&
	       (letter = builtin_option(shell, &options, argc, argv, "p")) != -1)
		if (letter == '?')
			return 2;
	if (!options.index)
		options.index = 1;
	if (options.index >= argc)
		list_aliases(shell);
	for (int i = options.index; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		const char *value;

		if (equals && equals > argv[i]) {
			char *name = pool_text(shell->scratch,
					       slice_of(argv[i], (size_t)(equals - argv[i])));

			if (name[strcspn(name, " \t\n/$`\\\"'|&;()<>")]) {
				message_builtin(shell, "`%s': invalid alias name", name);
				status = 1;
				continue;
			}
			names_set_alias(shell, name, equals + 1);
			continue;
		}
		value = names_alias(shell, argv[i]);
		if (value) {
			print_alias(shell, argv[i], value);
			continue;
		}
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s: not found", argv[i]);
		else
			message_plain(shell, "alias: %s not found\n", argv[i]);
		status = 1;
	}
	return status;
}

int builtin_unalias(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv, "a")) != -1) {
		if (letter == '?')
			return 2;
		while (shell->aliases)
			names_unset_alias(shell, shell->aliases->name);
		return 0;
	}
	if (options.index >= argc && shell_has(shell, SHELL_BASH))
		return builtin_usage(shell);
	for (int i = options.index; i < argc; i++) {
		if (names_unset_alias(shell, argv[i]))
			continue;
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s: not found", argv[i]);
		else
			message_plain(shell, "unalias: %s not found\n", argv[i]);
		status = 1;
	}
	return status;
}

/* Keywords that help lists among the builtins. */
static const char *const keyword_help[] = {
	"job_spec [&]",
	"(( expression ))",
	"[[ expression ]]",
	"case WORD in [PATTERN [| PATTERN]...) COMMANDS ;;]... esac",
	"coproc [NAME] command [redirections]",
	"for NAME [in WORDS ... ] ; do COMMANDS; done",
	"for (( exp1; exp2; exp3 )); do COMMANDS; done",
	"function name { COMMANDS ; } or name () { COMMANDS ; }",
	"if COMMANDS; then COMMANDS; [ elif COMMANDS; then COMMANDS; ]... [ else COMMANDS; ] fi",
	"select NAME [in WORDS ... ;] do COMMANDS; done",
	"time [-p] pipeline",
	"until COMMANDS; do COMMANDS-2; done",
	"variables - Names and meanings of some shell variables",
	"while COMMANDS; do COMMANDS-2; done",
	"{ COMMANDS ; }",
};

static void help_all(struct shell *shell)
{
	/* bash's order: by name, the keywords among the builtins */
	const char *all[96], *last = NULL;
	size_t count = 0, rows;
	unsigned width = 80;
	const struct builtin *builtin;

	output_text(shell, "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n"
			   "These shell commands are defined internally.  Type `help' to see this "
			   "list.\nType `help name' to find out more about the function `name'.\n"
			   "Use `info bash' to find out more about the shell in general.\n"
			   "Use `man -k' or `info' to find out more about commands not in this "
			   "list.\n\nA star (*) next to a name means that the command is "
			   "disabled.\n\n");
	all[count++] = keyword_help[0];
	all[count++] = keyword_help[1];
	for (size_t i = 0, k = 2; (builtin = builtin_at(i)) || k < ARRAY_COUNT(keyword_help);) {
		const char *keyword = k < ARRAY_COUNT(keyword_help) ? keyword_help[k] : NULL;

		if (builtin && (!shell_has(shell, builtin->where) || !builtin->usage)) {
			i++;
			continue;
		}
		if (builtin && (!keyword || strcmp(builtin->usage, keyword) < 0)) {
			last = !strcmp(builtin->name, "local") ? "local [option] name[=value] ..."
							       : builtin->usage;
			i++;
		} else {
			last = keyword;
			k++;
		}
		if (count < ARRAY_COUNT(all))
			all[count++] = last;
	}
	rows = (count + 1) / 2;
	for (size_t row = 0; row < rows; row++) {
		int room = (int)(width / 2) - 2;

		for (size_t column = 0; column < 2; column++) {
			size_t index = row + column * rows;
			size_t length;

			if (index >= count)
				continue;
			length = strlen(all[index]);
			if (length > (size_t)room)
				output_format(shell, " %.*s>", room - 1 - (int)column * 0,
					      all[index]);
			else if (column)
				output_format(shell, " %s", all[index]);
			else
				output_format(shell, " %-*s", room, all[index]);
			if (!column)
				output_text(shell, " ");
		}
		output_text(shell, "\n");
	}
}

int builtin_help(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool brief = false, found = false;
	const struct builtin *builtin;
	int letter;

	if (shell_has(shell, SHELL_ASH)) {
		unsigned column = 0;

		output_text(shell, "Built-in commands:\n------------------\n");
		for (size_t i = 0; (builtin = builtin_at(i)); i++) {
			if (!shell_has(shell, SHELL_ASH & builtin->where))
				continue;
			output_format(shell, "%s%s", column ? " " : "\t", builtin->name);
			column += (unsigned)strlen(builtin->name) + 1;
			if (column > 60) {
				output_text(shell, "\n");
				column = 0;
			}
		}
		output_text(shell, column ? "\n\n" : "\n");
		return 0;
	}
	while ((letter = builtin_option(shell, &options, argc, argv, "dms")) != -1) {
		if (letter == '?')
			return 2;
		brief |= letter != 'm';
	}
	if (options.index >= argc) {
		help_all(shell);
		return 0;
	}
	for (int i = options.index; i < argc; i++)
		for (size_t k = 0; (builtin = builtin_at(k)); k++) {
			if (!builtin->usage || !shell_has(shell, builtin->where) ||
			    strncmp(builtin->name, argv[i], strlen(argv[i])) != 0)
				continue;
			found = true;
			output_format(shell, "%s: %s\n", builtin->name, builtin->usage);
		}
	if (found)
		return 0;
	message_builtin(shell,
			"no help topics match `%s'.  Try `help help' or `man -k %s' or `info %s'.",
			argv[argc - 1], argv[argc - 1], argv[argc - 1]);
	(void)brief;
	return 1;
}
