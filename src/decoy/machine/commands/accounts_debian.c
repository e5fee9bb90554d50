/* adduser, deluser, addgroup, delgroup: Debian's friendlier ways (adduser 3.134). */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"

#define FIRST_USER   1000
#define FIRST_SYSTEM 100
#define NOGROUP      65534
#define USERS_GROUP  "users"

enum {
	SYSTEM = 1000,
	GROUP,
	GECOS,
	HOME,
	SHELL,
	NO_HOME,
	NO_PASSWORD,
	NO_LOGIN,
	ID,
	GID,
	INGROUP,
	QUIET,
	BAD_NAMES,
	REMOVE_HOME,
	REMOVE_ALL,
	HELP,
	VERSION,
	VALUE,
	OTHER
};

static const struct option_word add_words[] = {
	{"system", SYSTEM, OPTION_PLAIN},
	{"group", GROUP, OPTION_PLAIN},
	{"gecos", GECOS, OPTION_NEEDS},
	{"comment", GECOS, OPTION_NEEDS},
	{"home", HOME, OPTION_NEEDS},
	{"shell", SHELL, OPTION_NEEDS},
	{"no-create-home", NO_HOME, OPTION_PLAIN},
	{"disabled-password", NO_PASSWORD, OPTION_PLAIN},
	{"disabled-login", NO_LOGIN, OPTION_PLAIN},
	{"uid", ID, OPTION_NEEDS},
	{"gid", GID, OPTION_NEEDS},
	{"ingroup", INGROUP, OPTION_NEEDS},
	{"quiet", QUIET, OPTION_PLAIN},
	{"verbose", OTHER, OPTION_PLAIN},
	{"debug", OTHER, OPTION_PLAIN},
	{"force-badname", BAD_NAMES, OPTION_PLAIN},
	{"allow-badname", BAD_NAMES, OPTION_PLAIN},
	{"allow-bad-names", BAD_NAMES, OPTION_PLAIN},
	{"allow-all-names", BAD_NAMES, OPTION_PLAIN},
	{"add-extra-groups", OTHER, OPTION_PLAIN},
	{"firstuid", VALUE, OPTION_NEEDS},
	{"lastuid", VALUE, OPTION_NEEDS},
	{"firstgid", VALUE, OPTION_NEEDS},
	{"lastgid", VALUE, OPTION_NEEDS},
	{"conf", VALUE, OPTION_NEEDS},
	{"help", HELP, OPTION_PLAIN},
	{"version", VERSION, OPTION_PLAIN},
	{"remove-home", REMOVE_HOME, OPTION_PLAIN},
	{"remove-all-files", REMOVE_ALL, OPTION_PLAIN},
	{"force", OTHER, OPTION_PLAIN},
	{"backup", OTHER, OPTION_PLAIN},
	{"only-if-empty", OTHER, OPTION_PLAIN},
	{0},
};

struct adder {
	struct process *process;
	bool system, group, no_home, no_password, no_login, quiet, bad_names, remove_home;
	const char *gecos, *home, *shell, *uid, *gid, *ingroup;
	int done; /* an exit status when the options said all; else -1 */
};

PRINTF(2, 3)
static void tell(const struct adder *adder, const char *format, ...)
{
	char line[1024];
	if (adder->quiet)
		return;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > 0)
		process_print(adder->process, "%s", line);
	process_flush(adder->process);
}

static int take_options(struct adder *adder, int argc, char **argv)
{
	struct process *p = adder->process;
	struct option_state state = {0};
	adder->done = -1;
	for (int option; (option = option_next(p, &state, argc, argv, ":qhv", add_words)) != -1;) {
		switch (option) {
		case SYSTEM:
			adder->system = true;
			break;
		case GROUP:
			adder->group = true;
			break;
		case GECOS:
			adder->gecos = state.argument;
			break;
		case HOME:
			adder->home = state.argument;
			break;
		case SHELL:
			adder->shell = state.argument;
			break;
		case NO_HOME:
			adder->no_home = true;
			break;
		case NO_PASSWORD:
			adder->no_password = true;
			break;
		case NO_LOGIN:
			adder->no_login = adder->no_password = true;
			break;
		case ID:
			adder->uid = state.argument;
			break;
		case GID:
			adder->gid = state.argument;
			break;
		case INGROUP:
			adder->ingroup = state.argument;
			break;
		case 'q':
		case QUIET:
			adder->quiet = true;
			break;
		case BAD_NAMES:
			adder->bad_names = true;
			break;
		case REMOVE_HOME:
		case REMOVE_ALL:
			adder->remove_home = true;
			break;
		case 'h':
		case HELP:
			process_put_text(p, accounts_usage("adduser"));
			adder->done = 0;
			break;
		case '?':
			adder->done = 1;
			break;
		default:
			break;
		}
	}
	return state.index;
}

static bool is_root(struct process *p)
{
	if (p->identity.effective_uid == 0)
		return true;
	process_complain(p, "Only root may add a user or group to the system.");
	return false;
}

static bool is_good_name(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	bool regular = (*name >= 'a' && *name <= 'z') || *name == '_';
	bool sane = *name != '\0' && !strchr("-+~", *name);
	for (const char *at = name; *at; at++) {
		sane = sane && !strchr(":,/ \t\n", *at);
		regular = regular && ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ||
				      strchr("_-$.", *at));
	}
	if (!sane) {
		process_complain(p,
				 "To avoid problems, the username must not start with a\n"
				 "            dash, plus sign, or tilde, and it must not contain "
				 "any of the\n            following: colon, comma, slash, or any "
				 "whitespace characters\n            including spaces, tabs, and "
				 "newlines.");
		return false;
	}
	if (!regular && !adder->bad_names) {
		process_complain(p, "Please enter a username matching the regular expression\n"
				    "            configured via the NAME_REGEX configuration "
				    "variable.  Use the\n            `--allow-bad-names' option to "
				    "relax this check or reconfigure\n            NAME_REGEX in "
				    "configuration.");
		return false;
	}
	return true;
}

static int add_group(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	struct account_line line;
	if (!is_good_name(adder, name))
		return 1;
	if (accounts_find(p, ACCOUNTS_GROUPS, name, &line)) {
		if (adder->system) {
			process_complain(p,
					 "The group `%s' already exists as a system group. "
					 "Exiting.",
					 name);
			return 0;
		}
		process_complain(p, "The group `%s' already exists.", name);
		return 1;
	}
	unsigned gid =
		adder->gid ? (unsigned)strtoul(adder->gid, NULL, 10)
			   : accounts_free_pair(p, adder->system ? FIRST_SYSTEM : FIRST_USER, true);
	tell(adder, "Adding group `%s' (GID %u) ...\n", name, gid);
	accounts_add_group(p, name, gid, "");
	tell(adder, "Done.\n");
	return 0;
}

static int join_group(const struct adder *adder, const char *user, const char *group)
{
	struct process *p = adder->process;
	struct account_line line, account;
	if (!accounts_find(p, ACCOUNTS_USERS, user, &account)) {
		process_complain(p, "The user `%s' does not exist.", user);
		return 1;
	}
	if (!accounts_find(p, ACCOUNTS_GROUPS, group, &line)) {
		process_complain(p, "The group `%s' does not exist.", group);
		return 1;
	}
	if (accounts_is_member(line.fields[GROUP_MEMBERS], user)) {
		process_complain(p, "The user `%s' is already a member of `%s'.", user, group);
		return 0;
	}
	tell(adder, "Adding user `%s' to group `%s' ...\n", user, group);
	accounts_join(p, user, group);
	tell(adder, "Done.\n");
	return 0;
}

static int add_system_user(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	struct account_line line;
	if (accounts_find(p, ACCOUNTS_USERS, name, &line)) {
		if (strtoul(line.fields[USER_ID], NULL, 10) < FIRST_USER) {
			process_complain(p, "The system user `%s' already exists. Exiting.\n",
					 name);
			return 0;
		}
		process_complain(p, "The user `%s' already exists. Exiting.", name);
		return 1;
	}
	struct accounts_new_user user = {.name = name,
					 .password = "!",
					 .gecos = adder->gecos ? adder->gecos : "",
					 .home = adder->home ? adder->home : "/nonexistent",
					 .shell = adder->shell ? adder->shell : "/usr/sbin/nologin",
					 .home_mode = 0755};
	user.uid = accounts_free_pair(p, FIRST_SYSTEM, adder->group);
	user.gid = NOGROUP;
	user.own_group = adder->group;
	tell(adder, "Adding system user `%s' (UID %u) ...\n", name, user.uid);
	if (adder->group) {
		user.gid = user.uid;
		tell(adder, "Adding new group `%s' (GID %u) ...\n", name, user.gid);
	}
	tell(adder, "Adding new user `%s' (UID %u) with group `%s' ...\n", name, user.uid,
	     adder->group ? name : "nogroup");
	user.make_home = adder->home && !adder->no_home;
	accounts_add_user(p, &user);
	if (user.make_home)
		tell(adder, "Creating home directory `%s' ...\n", user.home);
	else
		tell(adder, "Not creating `%s'.\n", user.home);
	return 0;
}

static bool says_yes(struct process *p, const char *prompt)
{
	process_put_text(p, prompt);
	process_flush(p);
	char *answer = accounts_ask_on(p, 0, -1, "", true);
	return !answer || *answer == '\0' || *answer == 'y' || *answer == 'Y';
}

static void ask_password(struct process *p, const char *name)
{
	for (;;) {
		process_flush(p);
		if (accounts_change_password(p, name) == 0) {
			process_error(p, "passwd: password updated successfully\n");
			return;
		}
		process_error(p, "passwd: Authentication token manipulation error\n"
				 "passwd: password unchanged\n");
		process_put_text(p, "Try again? [y/N] ");
		process_flush(p);
		char *answer = accounts_ask_on(p, 0, -1, "", true);
		if (!answer || (*answer != 'y' && *answer != 'Y'))
			return;
		process_step(p);
	}
}

static void ask_details(struct process *p, const char *name)
{
	static const char *const labels[] = {"Full Name", "Room Number", "Work Phone", "Home Phone",
					     "Other"};
	struct account_line line;
	for (;;) {
		struct text gecos = {0};
		process_print(p,
			      "Changing the user information for %s\n"
			      "Enter the new value, or press ENTER for the default\n",
			      name);
		for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
			process_print(p, "\t%s []: ", labels[i]);
			process_flush(p);
			char *answer = accounts_ask_on(p, 0, -1, "", true);
			if (i)
				text_add_byte(p, &gecos, ',');
			for (const char *at = answer ? answer : ""; *at; at++)
				if (*at != ',' && *at != ':')
					text_add_byte(p, &gecos, (uint8_t)*at);
		}
		/* A line of the file has four commas; "Other" may be empty. */
		while (gecos.length > 3 && gecos.data[gecos.length - 1] == ',' &&
		       gecos.data[gecos.length - 4] == ',' && gecos.length > 4)
			gecos.data[--gecos.length] = '\0';
		if (accounts_find(p, ACCOUNTS_USERS, name, &line)) {
			line.fields[USER_GECOS] = gecos.length > 1 ? gecos.data : (char *)",,,";
			if (strcmp(line.fields[USER_GECOS], ",,,,") == 0)
				line.fields[USER_GECOS] = (char *)",,,";
			(void)accounts_put(p, ACCOUNTS_USERS, name, &line);
		}
		if (says_yes(p, "Is the information correct? [Y/n] "))
			return;
		process_step(p);
	}
}

static int add_user(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	struct account_line line;
	struct accounts_new_user user = {.name = name, .password = "!", .gecos = ",,,"};
	const char *group = name;
	if (!is_good_name(adder, name))
		return 1;
	if (accounts_find(p, ACCOUNTS_USERS, name, &line)) {
		process_complain(p, "The user `%s' already exists.", name);
		return 1;
	}
	if (!adder->ingroup && !adder->gid && accounts_find(p, ACCOUNTS_GROUPS, name, &line)) {
		process_complain(p, "The group `%s' already exists.", name);
		return 1;
	}
	if (adder->ingroup && !accounts_find(p, ACCOUNTS_GROUPS, adder->ingroup, &line)) {
		process_complain(p, "The group `%s' does not exist.", adder->ingroup);
		return 1;
	}
	user.uid = adder->uid ? (unsigned)strtoul(adder->uid, NULL, 10)
			      : accounts_free_pair(p, FIRST_USER, true);
	user.gid = user.uid;
	user.home = adder->home ? adder->home : process_format(p, "/home/%s", name);
	user.shell = adder->shell ? adder->shell : "/bin/bash";
	user.home_mode = 0700;
	if (adder->gecos)
		user.gecos = *adder->gecos ? process_format(p, "%s,,,", adder->gecos) : ",,,";
	if (adder->no_password)
		user.password = adder->no_login ? "!" : "*";
	tell(adder, "Adding user `%s' ...\n", name);
	if (adder->ingroup) {
		group = adder->ingroup;
		user.gid = (unsigned)strtoul(line.fields[GROUP_ID], NULL, 10);
	} else {
		tell(adder, "Adding new group `%s' (%u) ...\n", name, user.gid);
	}
	user.own_group = !adder->ingroup;
	tell(adder, "Adding new user `%s' (%u) with group `%s (%u)' ...\n", name, user.uid, group,
	     user.gid);
	accounts_add_user(p, &user);
	if (adder->no_home) {
		tell(adder, "Not creating home directory `%s'.\n", user.home);
	} else if (process_access(p, user.home, 0) == 0) {
		tell(adder,
		     "The home directory `%s' already exists.  Not touching this "
		     "directory.\n",
		     user.home);
	} else {
		tell(adder, "Creating home directory `%s' ...\n", user.home);
		accounts_make_home(p, &user);
		tell(adder, "Copying files from `/etc/skel' ...\n");
	}
	if (!adder->no_password)
		ask_password(p, name);
	if (!adder->gecos)
		ask_details(p, name);
	tell(adder, "Adding new user `%s' to supplemental / extra groups `%s' ...\n", name,
	     USERS_GROUP);
	tell(adder, "Adding user `%s' to group `%s' ...\n", name, USERS_GROUP);
	accounts_join(p, name, USERS_GROUP);
	return 0;
}

static int adduser(struct process *p, int argc, char **argv, bool group)
{
	struct adder adder = {.process = p, .group = group};
	int index = take_options(&adder, argc, argv), count = argc - index;
	if (adder.done >= 0)
		return adder.done;
	if (!is_root(p))
		return 1;
	if (count < 1 || count > 2) {
		process_complain(p, "Only one or two names allowed.");
		return 1;
	}
	if (adder.group && !adder.system && count == 1)
		return add_group(&adder, argv[index]);
	if (group)
		return add_group(&adder, argv[index]);
	if (count == 2)
		return join_group(&adder, argv[index], argv[index + 1]);
	if (adder.system)
		return add_system_user(&adder, argv[index]);
	return add_user(&adder, argv[index]);
}

static int adduser_main(struct process *process, int argc, char **argv)
{
	return adduser(process, argc, argv, strstr(argv[0], "addgroup") != NULL);
}

static int addgroup_main(struct process *process, int argc, char **argv)
{
	return adduser(process, argc, argv, true);
}

/* --- deluser, delgroup --- */

static int delete_group(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	struct account_line line, user;
	if (!accounts_find(p, ACCOUNTS_GROUPS, name, &line)) {
		process_complain(p, "The group `%s' does not exist.", name);
		return 3;
	}
	unsigned gid = (unsigned)strtoul(line.fields[GROUP_ID], NULL, 10);
	if (accounts_find_number(p, ACCOUNTS_USERS, USER_GROUP, gid, &user)) {
		process_complain(p, "`%s' still has `%s' as their primary group!",
				 user.fields[USER_NAME], name);
		return 7;
	}
	tell(adder, "Removing group `%s' ...\n", name);
	(void)accounts_drop(p, ACCOUNTS_GROUPS, name);
	(void)accounts_drop(p, ACCOUNTS_GSHADOW, name);
	command_forget_accounts(p);
	tell(adder, "Done.\n");
	return 0;
}

static int leave_group(const struct adder *adder, const char *user, const char *group)
{
	static const char *const paths[] = {ACCOUNTS_GROUPS, ACCOUNTS_GSHADOW};
	struct process *p = adder->process;
	struct account_line line;
	if (!accounts_find(p, ACCOUNTS_USERS, user, &line)) {
		process_complain(p, "The user `%s' does not exist.", user);
		return 2;
	}
	if (!accounts_find(p, ACCOUNTS_GROUPS, group, &line)) {
		process_complain(p, "The group `%s' does not exist.", group);
		return 3;
	}
	if (!accounts_is_member(line.fields[GROUP_MEMBERS], user)) {
		process_complain(p, "The user `%s' is not a member of group `%s'.", user, group);
		return 6;
	}
	tell(adder, "Removing user `%s' from group `%s' ...\n", user, group);
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		if (!accounts_find(p, paths[i], group, &line))
			continue;
		line.fields[GROUP_MEMBERS] =
			accounts_drop_member(p, line.fields[GROUP_MEMBERS], user);
		(void)accounts_put(p, paths[i], group, &line);
	}
	tell(adder, "Done.\n");
	return 0;
}

static int delete_user(const struct adder *adder, const char *name)
{
	struct process *p = adder->process;
	struct account_line line;
	if (!accounts_find(p, ACCOUNTS_USERS, name, &line)) {
		process_complain(p, "The user `%s' does not exist.", name);
		return 2;
	}
	if (adder->remove_home) {
		tell(adder, "Looking for files to backup/remove ...\n");
		tell(adder, "Removing files ...\n");
		accounts_remove_tree(p, line.fields[USER_HOME], 0);
	}
	tell(adder, "Removing crontab ...\n");
	(void)process_unlink(p, process_format(p, "/var/spool/cron/crontabs/%s", name));
	tell(adder, "Removing user `%s' ...\n", name);
	accounts_drop_user(p, name);
	tell(adder, "Done.\n");
	return 0;
}

static int deluser(struct process *p, int argc, char **argv, bool group)
{
	struct adder adder = {.process = p, .group = group};
	int index = take_options(&adder, argc, argv), count = argc - index;
	if (adder.done >= 0)
		return adder.done;
	if (p->identity.effective_uid != 0) {
		process_complain(p, "Only root may remove a user or group from the system.");
		return 1;
	}
	if (count == 0) {
		process_put_text(p, adder.group ? "Enter a group name to remove: "
						: "Enter a user name to remove: ");
		process_flush(p);
		char *answer = accounts_ask_on(p, 0, -1, "", true);
		if (answer && *answer) {
			argv = &answer;
			index = 0;
			count = 1;
		}
	}
	if (count < 1 || count > 2) {
		process_complain(p, "Only one or two names allowed.");
		return 1;
	}
	if (count == 2)
		return leave_group(&adder, argv[index], argv[index + 1]);
	if (adder.group)
		return delete_group(&adder, argv[index]);
	return delete_user(&adder, argv[index]);
}

static int deluser_main(struct process *process, int argc, char **argv)
{
	return deluser(process, argc, argv, strstr(argv[0], "delgroup") != NULL);
}

static int delgroup_main(struct process *process, int argc, char **argv)
{
	return deluser(process, argc, argv, true);
}

static const struct command commands[] = {
	{"adduser", adduser_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"addgroup", addgroup_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"deluser", deluser_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"delgroup", delgroup_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{0},
};

const struct command_family command_family_accounts_debian = {"accounts_debian", commands};
