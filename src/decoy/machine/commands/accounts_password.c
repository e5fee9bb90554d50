/* passwd, chpasswd, chage, chsh: of Debian's passwd 4.13. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"

#define SECONDS_A_DAY 86400
#define TOKEN_STATUS  10
#define SLOW          ((int64_t)2000000) /* pam_unix after a wrong password */

/* --- passwd --- */

static const struct option_word passwd_words[] = {
	{"all", 'a', OPTION_PLAIN},         {"delete", 'd', OPTION_PLAIN},
	{"expire", 'e', OPTION_PLAIN},      {"help", 'h', OPTION_PLAIN},
	{"keep-tokens", 'k', OPTION_PLAIN}, {"inactive", 'i', OPTION_NEEDS},
	{"lock", 'l', OPTION_PLAIN},        {"mindays", 'n', OPTION_NEEDS},
	{"quiet", 'q', OPTION_PLAIN},       {"repository", 'r', OPTION_NEEDS},
	{"root", 'R', OPTION_NEEDS},        {"status", 'S', OPTION_PLAIN},
	{"unlock", 'u', OPTION_PLAIN},      {"warndays", 'w', OPTION_NEEDS},
	{"maxdays", 'x', OPTION_NEEDS},     {0},
};

struct passwd {
	struct process *process;
	bool delete, expire, lock, unlock, status, all, quiet;
	const char *inactive, *minimum, *warning, *maximum;
};

static void date_words(long days, bool iso, char *words, size_t size)
{
	time_t seconds = (time_t)days * SECONDS_A_DAY;
	struct tm broken_down;
	words[0] = '\0';
	if (gmtime_r(&seconds, &broken_down))
		strftime(words, size, iso ? "%Y-%m-%d" : "%b %d, %Y", &broken_down);
}

static const char *or_usual(const char *field, const char *usual)
{
	return *field ? field : usual;
}

static void show_status(struct process *p, const struct account_line *line)
{
	char date[32];
	const char *hash = line->fields[SHADOW_PASSWORD];
	date_words(strtol(line->fields[SHADOW_CHANGED], NULL, 10), true, date, sizeof(date));
	process_print(p, "%s %s %s %s %s %s %s\n", line->fields[SHADOW_NAME],
		      *hash == '\0'                  ? "NP"
		      : *hash == '!' || *hash == '*' ? "L"
						     : "P",
		      date, or_usual(line->fields[SHADOW_MINIMUM], "-1"),
		      or_usual(line->fields[SHADOW_MAXIMUM], "-1"),
		      or_usual(line->fields[SHADOW_WARNING], "-1"),
		      or_usual(line->fields[SHADOW_INACTIVE], "-1"));
}

static int change_aging(const struct passwd *passwd, struct account_line *line)
{
	struct process *p = passwd->process;
	const char *hash = line->fields[SHADOW_PASSWORD];
	if (passwd->delete)
		line->fields[SHADOW_PASSWORD] = (char *)"";
	if (passwd->lock && *hash != '!')
		line->fields[SHADOW_PASSWORD] = process_format(p, "!%s", hash);
	if (passwd->unlock && *hash == '!') {
		if (hash[1] == '\0') {
			process_error(p, "passwd: unlocking the password would result in a "
					 "passwordless account.\nYou should set a password with "
					 "usermod -p to unlock the password of this account.\n");
			return 3;
		}
		line->fields[SHADOW_PASSWORD] = process_format(p, "%s", hash + 1);
	}
	if (passwd->expire)
		line->fields[SHADOW_CHANGED] = (char *)"0";
	if (passwd->minimum)
		line->fields[SHADOW_MINIMUM] = process_copy_text(p, passwd->minimum);
	if (passwd->maximum)
		line->fields[SHADOW_MAXIMUM] = process_copy_text(p, passwd->maximum);
	if (passwd->warning)
		line->fields[SHADOW_WARNING] = process_copy_text(p, passwd->warning);
	if (passwd->inactive)
		line->fields[SHADOW_INACTIVE] = process_copy_text(p, passwd->inactive);
	(void)accounts_put(p, ACCOUNTS_SHADOW, line->fields[SHADOW_NAME], line);
	if (!passwd->quiet)
		process_print(p, "passwd: password changed.\n");
	return 0;
}

static int refuse_token(struct process *p)
{
	process_error(p, "passwd: Authentication token manipulation error\n"
			 "passwd: password unchanged\n");
	return TOKEN_STATUS;
}

/* The dialogue; the user is not root: the old one is asked for first. */
static int new_password(struct process *p, const char *name, bool root)
{
	struct account_line line;
	if (!root) {
		process_error(p, "Changing password for %s.\n", name);
		char *old = accounts_ask(p, "Current password: ", false);
		bool known = accounts_find(p, ACCOUNTS_SHADOW, name, &line);
		if (!old || !known ||
		    (!accounts_matches(line.fields[SHADOW_PASSWORD], old) &&
		     !process_is_login_password(p, name, old))) {
			process_sleep(p, SLOW);
			return refuse_token(p);
		}
	}
	if (accounts_change_password(p, name) != 0)
		return refuse_token(p);
	process_error(p, "passwd: password updated successfully\n");
	return 0;
}

static void take_passwd_option(struct passwd *passwd, int option, const char *argument)
{
	switch (option) {
	case 'a':
		passwd->all = true;
		break;
	case 'd':
		passwd->delete = true;
		break;
	case 'e':
		passwd->expire = true;
		break;
	case 'l':
		passwd->lock = true;
		break;
	case 'u':
		passwd->unlock = true;
		break;
	case 'S':
		passwd->status = true;
		break;
	case 'q':
		passwd->quiet = true;
		break;
	case 'i':
		passwd->inactive = argument;
		break;
	case 'n':
		passwd->minimum = argument;
		break;
	case 'w':
		passwd->warning = argument;
		break;
	case 'x':
		passwd->maximum = argument;
		break;
	default:
		break;
	}
}

/* The file is root's and the program is setuid. */
static void become_root(struct process *p)
{
	struct process_identity identity = p->identity;
	identity.effective_uid = 0;
	process_become(p, &identity);
}

static int passwd_main(struct process *process, int argc, char **argv)
{
	struct passwd passwd = {.process = process};
	struct option_state state = {0};
	struct account_line line;
	bool root = process->identity.uid == 0;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":adehi:kln:qr:R:Suw:x:", passwd_words)) != -1;) {
		if (option == 'h') {
			process_put_text(process, accounts_usage("passwd"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", accounts_usage("passwd"));
			return 6;
		}
		take_passwd_option(&passwd, option, state.argument);
	}
	const char *own = command_user_name(process, process->identity.uid);
	const char *name = state.index < argc ? argv[state.index] : own;
	if (argc - state.index > 1) {
		process_error(process, "%s", accounts_usage("passwd"));
		return 2;
	}
	if (!accounts_find(process, ACCOUNTS_USERS, name, &line)) {
		process_error(process, "passwd: user '%s' does not exist\n", name);
		return 1;
	}
	bool aging = passwd.delete || passwd.expire || passwd.lock || passwd.unlock ||
		     passwd.inactive || passwd.minimum || passwd.warning || passwd.maximum;
	if (!root && (strcmp(name, own) != 0 || aging || passwd.all)) {
		if (aging || passwd.all)
			process_error(process, "passwd: Permission denied.\n");
		else
			process_error(process,
				      "passwd: You may not view or modify password information "
				      "for %s.\n",
				      name);
		return 1;
	}
	become_root(process);
	if (passwd.status || aging) {
		if (!accounts_find(process, ACCOUNTS_SHADOW, name, &line))
			line = (struct account_line){.count = 0};
		if (line.count == 0)
			return 1;
		if (aging)
			return change_aging(&passwd, &line);
		show_status(process, &line);
		return 0;
	}
	return new_password(process, name, root);
}

/* --- chpasswd --- */

static const struct option_word chpasswd_words[] = {
	{"crypt-method", 'c', OPTION_NEEDS},
	{"encrypted", 'e', OPTION_PLAIN},
	{"help", 'h', OPTION_PLAIN},
	{"md5", 'm', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"sha-rounds", 's', OPTION_NEEDS},
	{0},
};

/* A line "name:password"; false: an error, said. */
static bool change_line(struct process *p, const char *line, unsigned number, bool encrypted)
{
	struct account_line account;
	const char *colon = strchr(line, ':');
	if (!colon) {
		process_complain(p, "line %u: missing new password", number);
		return false;
	}
	char *name = process_copy_slice(p, slice_of(line, (size_t)(colon - line)));
	const char *password = colon + 1;
	bool known = accounts_find(p, ACCOUNTS_USERS, name, &account);
	if (encrypted && !known) {
		process_complain(p, "line %u: user '%s' does not exist", number, name);
		return false;
	}
	if (!known || (!encrypted && *password == '\0')) {
		for (int i = 0; known && i < 3; i++)
			process_error(p, "No password has been supplied.\n");
		process_error(p,
			      "chpasswd: (user %s) pam_chauthtok() failed, error:\nAuthentication "
			      "token manipulation error\n",
			      name);
		process_complain(p, "(line %u, user %s) password not changed", number, name);
		return false;
	}
	(void)accounts_set_password(p, name, encrypted ? password : accounts_hash(p, password));
	return true;
}

static int chpasswd_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct line_reader reader;
	struct slice line;
	bool encrypted = false, newline, failed = false;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":c:ehmR:s:", chpasswd_words)) != -1;) {
		if (option == 'h') {
			process_put_text(process, accounts_usage("chpasswd"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", accounts_usage("chpasswd"));
			return 2;
		}
		encrypted = encrypted || option == 'e';
	}
	if (process->identity.effective_uid != 0) {
		process_complain(process, "Permission denied.");
		process_complain(process, "cannot lock /etc/passwd; try again later.");
		return 1;
	}
	line_reader_open(&reader, 0);
	for (unsigned number = 1; line_reader_next(process, &reader, &line, &newline); number++) {
		process_report_input(process, line);
		failed |=
			!change_line(process, process_copy_slice(process, line), number, encrypted);
		process_step(process);
	}
	return failed;
}

/* --- chage --- */

static const struct option_word chage_words[] = {
	{"lastday", 'd', OPTION_NEEDS},
	{"expiredate", 'E', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},
	{"iso8601", 'i', OPTION_PLAIN},
	{"inactive", 'I', OPTION_NEEDS},
	{"list", 'l', OPTION_PLAIN},
	{"mindays", 'm', OPTION_NEEDS},
	{"maxdays", 'M', OPTION_NEEDS},
	{"root", 'R', OPTION_NEEDS},
	{"warndays", 'W', OPTION_NEEDS},
	{0},
};

static long number_of(const char *field, long usual)
{
	return *field ? strtol(field, NULL, 10) : usual;
}

static void print_day(struct process *p, const char *label, long day, const char *never, bool iso)
{
	char date[32];
	date_words(day, iso, date, sizeof(date));
	process_print(p, "%s: %s\n", label, day < 0 ? never : date);
}

static void list_aging(struct process *p, const struct account_line *line, bool iso)
{
	static const char *const must = "password must be changed";
	long changed = number_of(line->fields[SHADOW_CHANGED], -1);
	long maximum = number_of(line->fields[SHADOW_MAXIMUM], -1);
	long inactive = number_of(line->fields[SHADOW_INACTIVE], -1);
	long expires = changed < 0 || maximum < 0 || maximum >= 10000 ? -1 : changed + maximum;
	const char *never = changed == 0 ? must : "never";
	print_day(p, "Last password change\t\t\t\t\t", changed == 0 ? -1 : changed, never, iso);
	print_day(p, "Password expires\t\t\t\t\t", changed == 0 ? -1 : expires, never, iso);
	print_day(p, "Password inactive\t\t\t\t\t",
		  changed == 0 || expires < 0 || inactive < 0 ? -1 : expires + inactive, never,
		  iso);
	print_day(p, "Account expires\t\t\t\t\t\t", number_of(line->fields[SHADOW_EXPIRES], -1),
		  "never", iso);
	process_print(p, "Minimum number of days between password change\t\t: %ld\n",
		      number_of(line->fields[SHADOW_MINIMUM], -1));
	process_print(p, "Maximum number of days between password change\t\t: %ld\n", maximum);
	process_print(p, "Number of days of warning before password expires\t: %ld\n",
		      number_of(line->fields[SHADOW_WARNING], -1));
}

/* "2030-01-31", or days; "" stands for never. */
static char *day_field(struct process *p, const char *text)
{
	struct tm broken_down = {0};
	const char *end = strptime(text, "%Y-%m-%d", &broken_down);
	if (strcmp(text, "-1") == 0)
		return (char *)"";
	if (!end || *end != '\0')
		return process_copy_text(p, text);
	return process_format(p, "%lld", (long long)(timegm(&broken_down) / SECONDS_A_DAY));
}

static int chage_main(struct process *process, int argc, char **argv)
{
	static const char letters[] = "dEImMW";
	static const int fields[] = {SHADOW_CHANGED, SHADOW_EXPIRES, SHADOW_INACTIVE,
				     SHADOW_MINIMUM, SHADOW_MAXIMUM, SHADOW_WARNING};
	const char *values[sizeof(letters)] = {NULL};
	struct option_state state = {0};
	struct account_line line;
	bool list = false, iso = false, any = false;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":d:E:hiI:lm:M:R:W:", chage_words)) != -1;) {
		const char *found = option < 128 && option > 0 ? strchr(letters, option) : NULL;
		if (option == 'h') {
			process_put_text(process, accounts_usage("chage"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", accounts_usage("chage"));
			return 2;
		}
		list = list || option == 'l';
		iso = iso || option == 'i';
		if (found) {
			values[found - letters] = state.argument;
			any = true;
		}
	}
	if (argc - state.index != 1) {
		process_error(process, "%s", accounts_usage("chage"));
		return 2;
	}
	const char *name = argv[state.index];
	if (process->identity.uid != 0 &&
	    (!list || strcmp(name, command_user_name(process, process->identity.uid)) != 0)) {
		process_complain(process, "Permission denied.");
		return 1;
	}
	become_root(process);
	if (!accounts_find(process, ACCOUNTS_USERS, name, &line)) {
		process_complain(process, "user '%s' does not exist in /etc/passwd", name);
		return 1;
	}
	if (!accounts_find(process, ACCOUNTS_SHADOW, name, &line))
		return 1;
	if (list) {
		list_aging(process, &line, iso);
		return 0;
	}
	for (size_t i = 0; any && i < ARRAY_COUNT(fields); i++)
		if (values[i])
			line.fields[fields[i]] = day_field(process, values[i]);
	if (any)
		(void)accounts_put(process, ACCOUNTS_SHADOW, name, &line);
	return 0;
}

/* --- chsh --- */

static const struct option_word chsh_words[] = {
	{"help", 'h', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"shell", 's', OPTION_NEEDS},
	{0},
};

static int chsh_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line;
	const char *shell = NULL;
	for (int option;
	     (option = option_next(process, &state, argc, argv, ":hR:s:", chsh_words)) != -1;) {
		if (option == 'h') {
			process_put_text(process, accounts_usage("chsh"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", accounts_usage("chsh"));
			return 1;
		}
		if (option == 's')
			shell = state.argument;
	}
	const char *own = command_user_name(process, process->identity.uid);
	const char *name = state.index < argc ? argv[state.index] : own;
	if (!accounts_find(process, ACCOUNTS_USERS, name, &line)) {
		process_complain(process, "user '%s' does not exist", name);
		return 1;
	}
	if (process->identity.uid != 0 && strcmp(name, own) != 0) {
		process_complain(process, "You may not change the shell for '%s'.", name);
		return 1;
	}
	become_root(process);
	if (!shell) {
		process_print(
			process,
			"Changing the login shell for %s\nEnter the new value, or press ENTER "
			"for the default\n\tLogin Shell [%s]: ",
			name, line.fields[USER_SHELL]);
		process_flush(process);
		shell = accounts_ask_on(process, 0, -1, "", true);
		if (!shell || !*shell)
			return 0;
	}
	if (*shell != '/') {
		process_complain(process, "Invalid entry: %s", shell);
		return 1;
	}
	if (process_access(process, shell, 1) != 0)
		process_complain(process, "Warning: %s %s", shell,
				 process_access(process, shell, 0) ? "does not exist"
								   : "is not executable");
	line.fields[USER_SHELL] = process_copy_text(process, shell);
	(void)accounts_put(process, ACCOUNTS_USERS, name, &line);
	return 0;
}

static const struct command commands[] = {
	{"passwd", passwd_main, COMMAND_DEBIAN, NULL, NULL},
	{"chpasswd", chpasswd_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"chage", chage_main, COMMAND_DEBIAN, NULL, NULL},
	{"chsh", chsh_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_accounts_password = {"accounts_password", commands};
