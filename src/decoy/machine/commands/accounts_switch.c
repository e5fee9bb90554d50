/* su, sudo, visudo, newgrp: becoming somebody else. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/rare.h"
#include "decoy/machine/host.h"
#include "decoy/machine/limits.h"

#define SECOND       ((int64_t)1000000)
#define FAIL_DELAY   (2 * SECOND) /* pam_unix's, which varies by a quarter */
#define PATH_ROOT    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_USER    "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
#define VARIABLES    256
#define SUDOERS_SIZE ((size_t)64 * 1024)

/* --- environments --- */

struct environment {
	struct process *process;
	char *variables[VARIABLES + 1];
	size_t count;
};

static void set_variable(struct environment *environment, const char *name, const char *value)
{
	struct process *p = environment->process;
	size_t length = strlen(name);
	char *text = process_format(p, "%s=%s", name, value);
	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->variables[i], name, length) == 0 &&
		    environment->variables[i][length] == '=') {
			environment->variables[i] = text;
			return;
		}
	if (environment->count < VARIABLES)
		environment->variables[environment->count++] = text;
}

static void keep_variable(struct environment *environment, const char *name)
{
	const char *value = process_environment(environment->process, name);
	if (value)
		set_variable(environment, name, value);
}

static void copy_all(struct environment *environment)
{
	char **from = environment->process->environment;
	for (size_t i = 0; from && from[i] && environment->count < VARIABLES; i++)
		environment->variables[environment->count++] = from[i];
}

static int64_t fail_delay(struct process *p)
{
	return FAIL_DELAY + (int64_t)process_random_number(p, FAIL_DELAY / 2) - FAIL_DELAY / 4;
}

static bool password_is(struct process *p, const char *name, const char *password)
{
	struct account_line line;
	return accounts_find(p, ACCOUNTS_SHADOW, name, &line) &&
	       (accounts_matches(line.fields[SHADOW_PASSWORD], password) ||
		process_is_login_password(p, name, password));
}

/* Reads what the caller may not: the programs are setuid. */
static void become_root(struct process *p)
{
	struct process_identity identity = p->identity;
	identity.effective_uid = 0;
	process_become(p, &identity);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* --- su --- */

static const struct option_word su_words[] = {
	{"command", 'c', OPTION_NEEDS},
	{"session-command", 'C', OPTION_NEEDS},
	{"fast", 'f', OPTION_PLAIN},
	{"login", 'l', OPTION_PLAIN},
	{"preserve-environment", 'p', OPTION_PLAIN},
	{"pty", 'P', OPTION_PLAIN},
	{"shell", 's', OPTION_NEEDS},
	{"group", 'g', OPTION_NEEDS},
	{"supp-group", 'G', OPTION_NEEDS},
	{"whitelist-environment", 'w', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},
	{"version", 'V', OPTION_PLAIN},
	{0},
};

struct su {
	struct process *process;
	bool login, keep;
	const char *command, *shell;
};

static void su_environment(const struct su *su, const struct machine_account *account,
			   const char *shell, struct environment *environment)
{
	struct process *p = su->process;
	*environment = (struct environment){.process = p};
	if (su->login) {
		keep_variable(environment, "TERM");
		set_variable(environment, "PATH", account->uid == 0 ? PATH_ROOT : PATH_USER);
	} else {
		copy_all(environment);
		if (su->keep)
			return;
	}
	set_variable(environment, "HOME", account->home);
	set_variable(environment, "SHELL", shell);
	if (su->login || account->uid != 0) {
		set_variable(environment, "USER", account->name);
		set_variable(environment, "LOGNAME", account->name);
	}
	if (su->login) {
		keep_variable(environment, "LANG");
		set_variable(environment, "MAIL", process_format(p, "/var/mail/%s", account->name));
	}
}

static int su_run(struct su *su, const struct machine_account *account, int count, char **words)
{
	struct process *p = su->process;
	struct environment *environment = process_take(p, sizeof(*environment));
	const char *shell = su->shell ? su->shell : account->shell;
	char **argv = process_take(p, sizeof(char *) * (size_t)(count + 5));
	int n = 0;
	if (!*shell)
		shell = "/bin/sh";
	su_environment(su, account, shell, environment);
	argv[n++] = process_format(p, "%s%s", su->login ? "-" : "", last_part(shell));
	if (su->command) {
		argv[n++] = (char *)"-c";
		argv[n++] = process_copy_text(p, su->command);
	}
	for (int i = 0; i < count; i++)
		argv[n++] = words[i];
	argv[n] = NULL;
	const struct accounts_run run = {.account = account,
					 .path = shell,
					 .argv = argv,
					 .environment = environment->variables,
					 .folder = su->login ? account->home : NULL};
	return accounts_run(p, &run);
}

static int su_main(struct process *process, int argc, char **argv)
{
	struct su su = {.process = process};
	struct option_state state = {0};
	for (int option; (option = option_next(process, &state, argc, argv, "c:C:fg:G:lmpPs:w:hV",
					       su_words)) != -1;) {
		switch (option) {
		case 'c':
		case 'C':
			su.command = state.argument;
			break;
		case 'l':
			su.login = true;
			break;
		case 'm':
		case 'p':
			su.keep = true;
			break;
		case 's':
			su.shell = state.argument;
			break;
		case 'h':
			process_put_text(process, accounts_usage("su"));
			return 0;
		case 'V':
			process_put_text(process, "su from util-linux 2.38.1\n");
			return 0;
		case '?':
			return 1;
		default:
			break;
		}
	}
	int index = state.index;
	if (index < argc && strcmp(argv[index], "-") == 0) {
		su.login = true;
		index++;
	}
	const char *name = index < argc ? argv[index++] : "root";
	bool root = process->identity.uid == 0;
	const struct machine_account *account = command_account(process, name);
	if (!account && root) {
		process_complain(process,
				 "user %s does not exist or the user entry does not contain "
				 "all the required fields",
				 name);
		return 1;
	}
	if (!root) {
		become_root(process);
		char *password = accounts_ask(process, "Password: ", false);
		if (!password || !account || !password_is(process, name, password)) {
			process_sleep(process, password ? fail_delay(process) : 0);
			process_complain(process, "Authentication failure");
			return 1;
		}
	}
	return su_run(&su, account, argc - index, argv + index);
}

/* --- sudo --- */

struct sudo {
	struct process *process;
	const char *own, *target, *prompt;
	bool shell, login, list, validate, forget, not_interactive, from_input, keep, background,
		edit;
	struct environment *extra; /* NAME=value before the command */
};

static const struct option_word sudo_words[] = {
	{"askpass", 'A', OPTION_PLAIN},
	{"background", 'b', OPTION_PLAIN},
	{"bell", 'B', OPTION_PLAIN},
	{"close-from", 'C', OPTION_NEEDS},
	{"chdir", 'D', OPTION_NEEDS},
	{"preserve-env", 'E', OPTION_PLAIN},
	{"edit", 'e', OPTION_PLAIN},
	{"group", 'g', OPTION_NEEDS},
	{"set-home", 'H', OPTION_PLAIN},
	{"help", 'h', OPTION_PLAIN},
	{"host", 'J', OPTION_NEEDS},
	{"login", 'i', OPTION_PLAIN},
	{"remove-timestamp", 'K', OPTION_PLAIN},
	{"reset-timestamp", 'k', OPTION_PLAIN},
	{"list", 'l', OPTION_PLAIN},
	{"non-interactive", 'n', OPTION_PLAIN},
	{"preserve-groups", 'P', OPTION_PLAIN},
	{"prompt", 'p', OPTION_NEEDS},
	{"chroot", 'R', OPTION_NEEDS},
	{"stdin", 'S', OPTION_PLAIN},
	{"shell", 's', OPTION_PLAIN},
	{"command-timeout", 'T', OPTION_NEEDS},
	{"other-user", 'U', OPTION_NEEDS},
	{"user", 'u', OPTION_NEEDS},
	{"version", 'V', OPTION_PLAIN},
	{"validate", 'v', OPTION_PLAIN},
	{0},
};

static const char lecture[] =
	"\nWe trust you have received the usual lecture from the local System\n"
	"Administrator. It usually boils down to these three things:\n\n"
	"    #1) Respect the privacy of others.\n"
	"    #2) Think before you type.\n"
	"    #3) With great power comes great responsibility.\n\n"
	"For security reasons, the password you type will not be visible.\n\n";

static bool in_group(struct process *p, const char *user, const char *group)
{
	struct account_line line;
	return accounts_find(p, ACCOUNTS_GROUPS, group, &line) &&
	       accounts_is_member(line.fields[GROUP_MEMBERS], user);
}

/* What a line of sudoers gives the user: 0 nothing, 1 with a password, 2 without. */
static int rights_in(struct process *p, const char *path, const char *user)
{
	struct text file = {0};
	struct slice rest, line;
	int rights = 0;
	if (process_read_file(p, path, SUDOERS_SIZE, &file) != 0)
		return 0;
	rest = text_slice(&file);
	while (slice_next(&rest, '\n', &line)) {
		line = slice_trim(line);
		size_t end = 0;
		while (end < line.length && line.at[end] != ' ' && line.at[end] != '\t')
			end++;
		char *who = process_copy_slice(p, slice_first(line, end));
		bool matches = strcmp(who, user) == 0 || strcmp(who, "ALL") == 0 ||
			       (*who == '%' && in_group(p, user, who + 1));
		if (matches && slice_find(line, SLICE("ALL")) != SIZE_MAX)
			rights = slice_find(line, SLICE("NOPASSWD")) != SIZE_MAX ? 2 : 1;
		process_give(p, who);
		process_step(p);
	}
	process_give(p, file.data);
	return rights;
}

static int rights_of(struct process *p, const char *user)
{
	struct folder_entry *entries;
	int rights = rights_in(p, "/etc/sudoers", user);
	/* The group rule is there even when the file cannot be understood. */
	if (rights == 0 && in_group(p, user, "sudo"))
		rights = 1;
	ssize_t count = process_list(p, "/etc/sudoers.d", &entries);
	for (ssize_t i = 0; i < count; i++) {
		if (strchr(entries[i].name, '.') || strchr(entries[i].name, '~'))
			continue;
		int more =
			rights_in(p, process_format(p, "/etc/sudoers.d/%s", entries[i].name), user);
		rights = more ? more : rights;
	}
	return rights;
}

static void lecture_once(struct sudo *sudo, int to)
{
	struct process *p = sudo->process;
	char *path = process_format(p, "/var/lib/sudo/lectured/%s", sudo->own);
	if (process_access(p, path, 0) == 0)
		return;
	(void)process_write(p, to, slice_text(lecture));
	(void)process_make_folder(p, "/var/lib/sudo", 0711);
	(void)process_make_folder(p, "/var/lib/sudo/lectured", 0700);
	int file = process_open(p, path, O_WRONLY | O_CREAT, 0600);
	if (file >= 0)
		process_close(p, file);
}

/* "%p" and its like in a prompt of the user's own. */
static char *prompt_of(struct sudo *sudo)
{
	struct process *p = sudo->process;
	const char *text = sudo->prompt ? sudo->prompt : "[sudo] password for %p: ";
	struct text out = {0};
	text_add_words(p, &out, "");
	for (; *text; text++) {
		if (*text != '%' || !text[1]) {
			text_add_byte(p, &out, (uint8_t)*text);
			continue;
		}
		text++;
		if (*text == 'p' || *text == 'u')
			text_add_words(p, &out, sudo->own);
		else if (*text == 'U')
			text_add_words(p, &out, sudo->target);
		else if (*text == 'h' || *text == 'H')
			text_add_words(p, &out, host_names(process_host(p))->node);
		else
			text_add_byte(p, &out, (uint8_t)*text);
	}
	return out.data;
}

/* 0, or an exit status when the user did not prove who it is. */
static int authenticate(struct sudo *sudo)
{
	struct process *p = sudo->process;
	int tries, from = 0, to = 2;
	if (sudo->not_interactive) {
		process_error(p, "sudo: a password is required\n");
		return 1;
	}
	if (!sudo->from_input) {
		from = to = process_open(p, "/dev/tty", O_RDWR, 0);
		if (from < 0 && process_is_terminal(p, 0))
			from = 0, to = 2;
		if (from < 0) {
			process_error(p,
				      "sudo: a terminal is required to read the password; either "
				      "use the -S option to read from standard input or configure "
				      "an askpass helper\nsudo: a password is required\n");
			return 1;
		}
	}
	lecture_once(sudo, to);
	for (tries = 0; tries < 3; tries++) {
		char *password = accounts_ask_on(p, from, to, prompt_of(sudo), false);
		if (!password) {
			process_error(p, "%s",
				      sudo->from_input ? "\nsudo: no password was provided\n"
						       : "sudo: no password was provided\n");
			break;
		}
		if (password_is(p, sudo->own, password))
			return 0;
		process_sleep(p, fail_delay(p));
		if (tries < 2)
			process_error(p, "Sorry, try again.\n");
	}
	if (tries == 0)
		process_error(p, "sudo: a password is required\n");
	else
		process_error(p, "sudo: %d incorrect password attempt%s\n", tries,
			      tries == 1 ? "" : "s");
	return 1;
}

static void sudo_environment(struct sudo *sudo, const struct machine_account *account, char **argv,
			     struct environment *environment)
{
	static const char *const kept[] = {"TERM",       "COLORTERM", "DISPLAY",  "HOSTNAME",
					   "LS_COLORS",  "LANG",      "LANGUAGE", "LC_ALL",
					   "XAUTHORITY", "TZ"};
	struct process *p = sudo->process;
	struct text command = {0};
	*environment = (struct environment){.process = p};
	if (sudo->keep)
		copy_all(environment);
	for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
		keep_variable(environment, kept[i]);
	set_variable(environment, "PATH", PATH_ROOT);
	set_variable(environment, "MAIL", process_format(p, "/var/mail/%s", account->name));
	set_variable(environment, "LOGNAME", account->name);
	set_variable(environment, "USER", account->name);
	set_variable(environment, "HOME", account->home);
	set_variable(environment, "SHELL", *account->shell ? account->shell : "/bin/sh");
	if (sudo->login)
		return;
	for (size_t i = 0; argv[i]; i++)
		text_format(p, &command, "%s%s", i ? " " : "", argv[i]);
	set_variable(environment, "SUDO_COMMAND", command.data ? command.data : "");
	set_variable(environment, "SUDO_USER", sudo->own);
	set_variable(environment, "SUDO_UID", process_format(p, "%u", p->identity.uid));
	set_variable(environment, "SUDO_GID", process_format(p, "%u", p->identity.gid));
	for (size_t i = 0; i < sudo->extra->count; i++) {
		char *text = sudo->extra->variables[i], *sign = strchr(text, '=');
		set_variable(environment,
			     process_copy_slice(p, slice_of(text, (size_t)(sign - text))),
			     sign + 1);
	}
}

static int list_rights(struct sudo *sudo, int rights)
{
	struct process *p = sudo->process;
	const char *node = host_names(process_host(p))->node;
	if (rights == 0 && p->identity.uid != 0) {
		process_error(p, "Sorry, user %s may not run sudo on %s.\n", sudo->own, node);
		return 1;
	}
	process_print(
		p,
		"Matching Defaults entries for %s on %s:\n    env_reset, mail_badpass,\n    "
		"secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:"
		"/bin,\n    use_pty\n\nUser %s may run the following commands on %s:\n    "
		"(ALL : ALL) %sALL\n",
		sudo->own, node, sudo->own, node, rights == 2 ? "NOPASSWD: " : "");
	return 0;
}

static int sudo_run(struct sudo *sudo, const struct machine_account *account, int count,
		    char **words)
{
	struct process *p = sudo->process;
	struct environment *environment = process_take(p, sizeof(*environment));
	char **argv = process_take(p, sizeof(char *) * (size_t)(count + 4));
	char *path = process_take(p, MACHINE_PATH_MAX);
	if (sudo->shell || sudo->login) {
		const char *own = process_environment(p, "SHELL");
		const char *shell = sudo->login || !own ? account->shell : own;
		struct text line = {0};
		int n = 0;
		argv[n++] = process_format(p, "%s%s", sudo->login ? "-" : "",
					   sudo->login ? last_part(shell) : shell);
		for (int i = 0; i < count; i++) {
			if (i)
				text_add_byte(p, &line, ' ');
			for (const char *at = words[i]; *at; at++) {
				bool plain = (*at >= 'a' && *at <= 'z') ||
					     (*at >= 'A' && *at <= 'Z') ||
					     (*at >= '0' && *at <= '9') || strchr("_-$", *at);
				text_format(p, &line, plain ? "%c" : "\\%c", *at);
			}
		}
		if (count) {
			argv[n++] = (char *)"-c";
			argv[n++] = line.data;
		}
		snprintf(path, MACHINE_PATH_MAX, "%s", *shell ? shell : "/bin/sh");
	} else {
		struct environment *secure = process_take(p, sizeof(*secure));
		for (int i = 0; i < count; i++)
			argv[i] = words[i];
		*secure = (struct environment){.process = p};
		copy_all(secure);
		set_variable(secure, "PATH", PATH_ROOT);
		process_set_environment(p, secure->variables);
		if (command_which(p, words[0], path, MACHINE_PATH_MAX) < 0) {
			process_error(p, "sudo: %s: command not found\n", words[0]);
			return 1;
		}
		argv[0] = words[0];
	}
	char *first = argv[0];
	argv[0] = path;
	sudo_environment(sudo, account, argv, environment);
	argv[0] = first;
	const struct accounts_run run = {.account = account,
					 .path = path,
					 .argv = argv,
					 .environment = environment->variables,
					 .folder = sudo->login ? account->home : NULL};
	return accounts_run(p, &run);
}

static int sudo_usage(struct process *p, int status)
{
	process_error(p, "%s", accounts_usage("sudo usage"));
	return status;
}

/* Options; -1 to go on, or an exit status. */
static int take_sudo_options(struct sudo *sudo, int argc, char **argv, int *index)
{
	struct process *p = sudo->process;
	struct option_state state = {0};
	for (int option;
	     (option = option_next(p, &state, argc, argv, "+:AbBC:D:Eeg:HhiKklnPp:R:r:Sst:T:U:u:Vv",
				   sudo_words)) != -1;) {
		switch (option) {
		case 'u':
			sudo->target =
				*state.argument == '#'
					? command_user_name(p, (unsigned)strtoul(state.argument + 1,
										 NULL, 10))
					: state.argument;
			break;
		case 'p':
			sudo->prompt = state.argument;
			break;
		case 'i':
			sudo->login = true;
			break;
		case 's':
			sudo->shell = true;
			break;
		case 'l':
			sudo->list = true;
			break;
		case 'v':
			sudo->validate = true;
			break;
		case 'k':
		case 'K':
			sudo->forget = true;
			break;
		case 'n':
			sudo->not_interactive = true;
			break;
		case 'S':
			sudo->from_input = true;
			break;
		case 'E':
			sudo->keep = true;
			break;
		case 'e':
			sudo->edit = true;
			break;
		case 'V':
			process_put_text(p,
					 "Sudo version 1.9.13p3\nSudoers policy plugin version "
					 "1.9.13p3\nSudoers file grammar version 50\nSudoers I/O "
					 "plugin version 1.9.13p3\nSudoers audit plugin version "
					 "1.9.13p3\n");
			return 0;
		case 'h':
			process_put_text(p, accounts_usage("sudo"));
			return 0;
		case '?':
			return sudo_usage(p, 1);
		default:
			break;
		}
	}
	*index = state.index;
	return -1;
}

static bool is_assignment(const char *word)
{
	const char *sign = strchr(word, '=');
	return sign && sign != word && !memchr(word, '/', (size_t)(sign - word));
}

static int sudo_main(struct process *process, int argc, char **argv)
{
	struct sudo sudo = {.process = process, .target = "root"};
	int index = 1;
	sudo.extra = process_take(process, sizeof(*sudo.extra));
	int status = take_sudo_options(&sudo, argc, argv, &index);
	if (status >= 0)
		return status;
	while (index < argc && is_assignment(argv[index])) {
		if (sudo.extra->count < VARIABLES)
			sudo.extra->variables[sudo.extra->count++] = argv[index];
		index++;
	}
	int count = argc - index;
	sudo.own = command_user_name(process, process->identity.uid);
	bool root = process->identity.uid == 0;
	bool runs = count > 0 || sudo.shell || sudo.login;
	if (!runs && sudo.forget)
		return 0;
	if (!runs && !sudo.list && !sudo.validate)
		return sudo_usage(process, 1);
	const struct machine_account *account = command_account(process, sudo.target);
	if (!account) {
		process_error(process,
			      "sudo: unknown user %s\nsudo: error initializing audit plugin "
			      "sudoers_audit\n",
			      sudo.target);
		return 1;
	}
	unsigned uid = process->identity.uid;
	int rights = 2;
	if (!root) {
		become_root(process);
		rights = rights_of(process, sudo.own);
		if (rights != 2 && (status = authenticate(&sudo)) != 0)
			return status;
		process->identity.uid = uid;
	}
	if (sudo.list)
		return list_rights(&sudo, root ? 1 : rights);
	if (rights == 0) {
		process_error(process,
			      "%s is not in the sudoers file.\nThis incident has been reported to "
			      "the administrator.\n",
			      sudo.own);
		return 1;
	}
	if (sudo.validate)
		return 0;
	if (sudo.edit) {
		char *words[] = {(char *)"nano", argv[index], NULL};
		return sudo_run(&sudo, account, 2, words);
	}
	return sudo_run(&sudo, account, count, argv + index);
}

/* --- visudo, newgrp --- */

static int visudo_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	bool check = false;
	for (int option;
	     (option = option_next(process, &state, argc, argv, ":cf:hOPqsVx:", NULL)) != -1;) {
		if (option == 'V') {
			process_put_text(process, "visudo version 1.9.13p3\nvisudo grammar version "
						  "50\n");
			return 0;
		}
		if (option == 'h') {
			process_put_text(process, accounts_usage("visudo"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "usage: visudo [-chqsV] [[-f] sudoers ]\n");
			return 1;
		}
		check = check || option == 'c';
	}
	if (process->identity.effective_uid != 0) {
		process_error(process, "visudo: /etc/sudoers: Permission denied\n");
		return 1;
	}
	if (check) {
		process_put_text(process, "/etc/sudoers: parsed OK\n"
					  "/etc/sudoers.d/README: parsed OK\n");
		return 0;
	}
	/* The editor works on a copy, which then takes the file's place. */
	const char *copy = "/etc/sudoers.tmp";
	(void)process_clone_file(process, "/etc/sudoers", copy, 0440);
	char *words[] = {(char *)"editor", (char *)copy, NULL};
	if (command_which(process, "editor", (char[256]){0}, 256) < 0)
		words[0] = (char *)"nano";
	int status = command_run_program(process, words, NULL);
	if (status == 0)
		status = process_rename(process, copy, "/etc/sudoers") ? 1 : 0;
	else
		(void)process_unlink(process, copy);
	(void)process_change_mode(process, "/etc/sudoers", 0440);
	return status;
}

static int newgrp_main(struct process *process, int argc, char **argv)
{
	const char *called = strrchr(argv[0], '/');

	if (strcmp(called ? called + 1 : argv[0], "sg") == 0) /* a link to it on the host */
		return rare_sg(process, argc, argv);
	struct process_identity identity = process->identity;
	const char *shell = process_environment(process, "SHELL");
	bool login = argc > 1 && strcmp(argv[1], "-") == 0;
	const char *group = argc > 1 + login ? argv[1 + login] : NULL;
	unsigned gid = identity.gid;
	if (group && command_group_id(process, group, &gid) != 0) {
		process_complain(process, "group '%s' does not exist", group);
		return 1;
	}
	if (!shell || !*shell)
		shell = "/bin/sh";
	identity.gid = identity.effective_gid = gid;
	process_become(process, &identity);
	char *words[] = {process_format(process, "%s%s", login ? "-" : "", last_part(shell)), NULL};
	int error = process_execute(process, shell, words, process->environment);
	process_complain(process, "%s: %s", shell, strerror(-error));
	return 1;
}

static const struct command commands[] = {
	{"su", su_main, COMMAND_DEBIAN, NULL, NULL},
	{"sudo", sudo_main, COMMAND_DEBIAN, NULL, NULL},
	{"visudo", visudo_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"newgrp", newgrp_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_accounts_switch = {"accounts_switch", commands};
