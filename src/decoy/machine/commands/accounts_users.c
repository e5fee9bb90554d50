/* useradd, usermod, userdel, groupadd, groupdel, groupmod, gpasswd: of Debian's passwd 4.13. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"

#define UID_MIN      1000
#define UID_MAX      60000
#define SYSTEM_FIRST 100

enum { OTHER = 1000 };

/* Exit statuses of the family. */
enum {
	FAILED = 1,
	BAD_USAGE = 2,
	BAD_ARGUMENT = 3,
	ID_IN_USE = 4,
	NOT_FOUND = 6,
	IN_USE = 8,
	NAME_IN_USE = 9
};

static const struct option_word useradd_words[] = {
	{"badname", OTHER, OPTION_PLAIN},
	{"base-dir", 'b', OPTION_NEEDS},
	{"btrfs-subvolume-home", OTHER + 1, OPTION_PLAIN},
	{"comment", 'c', OPTION_NEEDS},
	{"home-dir", 'd', OPTION_NEEDS},
	{"defaults", 'D', OPTION_PLAIN},
	{"expiredate", 'e', OPTION_NEEDS},
	{"inactive", 'f', OPTION_NEEDS},
	{"add-subids-for-system", 'F', OPTION_PLAIN},
	{"gid", 'g', OPTION_NEEDS},
	{"groups", 'G', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},
	{"skel", 'k', OPTION_NEEDS},
	{"key", 'K', OPTION_NEEDS},
	{"no-log-init", 'l', OPTION_PLAIN},
	{"create-home", 'm', OPTION_PLAIN},
	{"no-create-home", 'M', OPTION_PLAIN},
	{"no-user-group", 'N', OPTION_PLAIN},
	{"non-unique", 'o', OPTION_PLAIN},
	{"password", 'p', OPTION_NEEDS},
	{"system", 'r', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"prefix", 'P', OPTION_NEEDS},
	{"shell", 's', OPTION_NEEDS},
	{"uid", 'u', OPTION_NEEDS},
	{"user-group", 'U', OPTION_PLAIN},
	{"selinux-user", 'Z', OPTION_NEEDS},
	{0},
};
static const struct option_word usermod_words[] = {
	{"append", 'a', OPTION_PLAIN},       {"badname", 'b', OPTION_PLAIN},
	{"comment", 'c', OPTION_NEEDS},      {"home", 'd', OPTION_NEEDS},
	{"expiredate", 'e', OPTION_NEEDS},   {"inactive", 'f', OPTION_NEEDS},
	{"gid", 'g', OPTION_NEEDS},          {"groups", 'G', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},         {"login", 'l', OPTION_NEEDS},
	{"lock", 'L', OPTION_PLAIN},         {"move-home", 'm', OPTION_PLAIN},
	{"non-unique", 'o', OPTION_PLAIN},   {"password", 'p', OPTION_NEEDS},
	{"prefix", 'P', OPTION_NEEDS},       {"remove", 'r', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},         {"shell", 's', OPTION_NEEDS},
	{"uid", 'u', OPTION_NEEDS},          {"unlock", 'U', OPTION_PLAIN},
	{"add-subuids", 'v', OPTION_NEEDS},  {"del-subuids", 'V', OPTION_NEEDS},
	{"add-subgids", 'w', OPTION_NEEDS},  {"del-subgids", 'W', OPTION_NEEDS},
	{"selinux-user", 'Z', OPTION_NEEDS}, {0},
};
static const struct option_word userdel_words[] = {
	{"force", 'f', OPTION_PLAIN},
	{"help", 'h', OPTION_PLAIN},
	{"remove", 'r', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"prefix", 'P', OPTION_NEEDS},
	{"selinux-user", 'Z', OPTION_PLAIN},
	{0},
};
static const struct option_word groupadd_words[] = {
	{"force", 'f', OPTION_PLAIN},
	{"gid", 'g', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},
	{"key", 'K', OPTION_NEEDS},
	{"non-unique", 'o', OPTION_PLAIN},
	{"password", 'p', OPTION_NEEDS},
	{"system", 'r', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"prefix", 'P', OPTION_NEEDS},
	{"users", 'U', OPTION_NEEDS},
	{0},
};
static const struct option_word groupdel_words[] = {
	{"help", 'h', OPTION_PLAIN},
	{"root", 'R', OPTION_NEEDS},
	{"prefix", 'P', OPTION_NEEDS},
	{"force", 'f', OPTION_PLAIN},
	{0},
};
static const struct option_word groupmod_words[] = {
	{"append", 'a', OPTION_PLAIN},     {"gid", 'g', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},       {"new-name", 'n', OPTION_NEEDS},
	{"non-unique", 'o', OPTION_PLAIN}, {"password", 'p', OPTION_NEEDS},
	{"root", 'R', OPTION_NEEDS},       {"prefix", 'P', OPTION_NEEDS},
	{"users", 'U', OPTION_NEEDS},      {0},
};
static const struct option_word gpasswd_words[] = {
	{"add", 'a', OPTION_NEEDS},
	{"delete", 'd', OPTION_NEEDS},
	{"help", 'h', OPTION_PLAIN},
	{"root", 'Q', OPTION_NEEDS},
	{"remove-password", 'r', OPTION_PLAIN},
	{"restrict", 'R', OPTION_PLAIN},
	{"members", 'M', OPTION_NEEDS},
	{"administrators", 'A', OPTION_NEEDS},
	{0},
};

struct wishes {
	const char *base, *comment, *home, *expires, *inactive, *gid, *groups, *password, *shell,
		*uid, *new_name, *users, *add, *remove;
	bool system, create_home, no_home, no_group, own_group, not_unique, append, bad_names, lock,
		unlock, move, force, defaults, drop_groups, any;
};

static int show_usage(struct process *p, const char *name, int status)
{
	if (status == 0)
		process_put_text(p, accounts_usage(name));
	else
		process_error(p, "%s", accounts_usage(name));
	return status;
}

static bool may(struct process *p)
{
	if (p->identity.effective_uid == 0)
		return true;
	process_complain(p, "Permission denied.");
	process_complain(p, "cannot lock /etc/passwd; try again later.");
	return false;
}

static bool is_valid_name(const char *name)
{
	if (!((*name >= 'a' && *name <= 'z') || *name == '_') || strlen(name) > 32)
		return false;
	for (const char *at = name + 1; *at; at++) {
		bool word = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ||
			    *at == '_' || *at == '-' || (*at == '$' && at[1] == '\0');
		if (!word)
			return false;
	}
	return true;
}

/* By name or number. */
static bool find_group(struct process *p, const char *text, struct account_line *line)
{
	if (accounts_find(p, ACCOUNTS_GROUPS, text, line))
		return true;
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	return end != text && *end == '\0' &&
	       accounts_find_number(p, ACCOUNTS_GROUPS, GROUP_ID, (unsigned)number, line);
}

/* All of a list "a,b"; the first that is not there is told. */
static bool groups_exist(struct process *p, const char *list)
{
	struct slice rest = slice_text(list), part;
	bool all = true;
	struct account_line line;
	while (slice_next(&rest, ',', &part)) {
		char *name = process_copy_slice(p, part);
		if (!find_group(p, name, &line)) {
			process_complain(p, "group '%s' does not exist", name);
			all = false;
		}
	}
	return all;
}

static void join_all(struct process *p, const char *user, const char *list)
{
	struct slice rest = slice_text(list), part;
	struct account_line line;
	while (slice_next(&rest, ',', &part))
		if (find_group(p, process_copy_slice(p, part), &line))
			accounts_join(p, user, line.fields[GROUP_NAME]);
}

/* --- useradd --- */

static void take_user_option(struct wishes *w, int option, const char *argument)
{
	w->any = true;
	switch (option) {
	case 'b':
		w->base = argument;
		break;
	case 'c':
		w->comment = argument;
		break;
	case 'd':
		w->home = argument;
		break;
	case 'e':
		w->expires = argument;
		break;
	case 'f':
		w->inactive = argument;
		break;
	case 'g':
		w->gid = argument;
		break;
	case 'G':
		w->groups = argument;
		break;
	case 'p':
		w->password = argument;
		break;
	case 's':
		w->shell = argument;
		break;
	case 'u':
		w->uid = argument;
		break;
	case 'l':
		w->new_name = argument;
		break;
	case 'm':
		w->create_home = w->move = true;
		break;
	case 'M':
		w->no_home = true;
		break;
	case 'N':
		w->no_group = true;
		break;
	case 'o':
		w->not_unique = true;
		break;
	case 'a':
		w->append = true;
		break;
	case 'L':
		w->lock = true;
		break;
	case OTHER:
		w->bad_names = true;
		break;
	default:
		break;
	}
}

static int show_defaults(struct process *p)
{
	process_put_text(p, "GROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSHELL=/bin/sh\n"
			    "SKEL=/etc/skel\nCREATE_MAIL_SPOOL=no\nLOG_INIT=yes\n");
	return 0;
}

static int add_user(struct process *p, const char *name, const struct wishes *w)
{
	struct account_line line, group;
	struct accounts_new_user user = {.name = name, .home_mode = 0755};
	char *end;
	if (!w->bad_names && !is_valid_name(name)) {
		process_complain(p, "invalid user name '%s': use --badname to ignore", name);
		return BAD_ARGUMENT;
	}
	if (w->gid && !find_group(p, w->gid, &group)) {
		process_complain(p, "group '%s' does not exist", w->gid);
		return NOT_FOUND;
	}
	if (w->groups && !groups_exist(p, w->groups))
		return NOT_FOUND;
	if (accounts_find(p, ACCOUNTS_USERS, name, &line)) {
		process_complain(p, "user '%s' already exists", name);
		return NAME_IN_USE;
	}
	user.own_group = !w->gid && !w->no_group;
	if (user.own_group && accounts_find(p, ACCOUNTS_GROUPS, name, &line)) {
		process_complain(p,
				 "group %s exists - if you want to add this user to that group, "
				 "use -g.",
				 name);
		return NAME_IN_USE;
	}
	unsigned first = w->system ? SYSTEM_FIRST : UID_MIN;
	user.uid = accounts_free_number(p, ACCOUNTS_USERS, first);
	if (w->uid) {
		unsigned long uid = strtoul(w->uid, &end, 10);
		if (end == w->uid || *end != '\0' || uid > UINT32_MAX) {
			process_complain(p, "invalid user ID '%s'", w->uid);
			return BAD_ARGUMENT;
		}
		user.uid = (unsigned)uid;
		if (!w->not_unique &&
		    accounts_find_number(p, ACCOUNTS_USERS, USER_ID, user.uid, &line)) {
			process_complain(p, "UID %u is not unique", user.uid);
			return ID_IN_USE;
		}
		if (!w->system && (user.uid < UID_MIN || user.uid > UID_MAX))
			process_error(p,
				      "useradd warning: %s's uid %u outside of the UID_MIN %d and "
				      "UID_MAX %d range.\n",
				      name, user.uid, UID_MIN, UID_MAX);
	}
	user.gid = 100;
	if (w->gid)
		user.gid = (unsigned)strtoul(group.fields[GROUP_ID], NULL, 10);
	else if (user.own_group)
		user.gid = accounts_find_number(p, ACCOUNTS_GROUPS, GROUP_ID, user.uid, &line)
				   ? accounts_free_number(p, ACCOUNTS_GROUPS, first)
				   : user.uid;
	user.password = w->password ? w->password : "!";
	user.gecos = w->comment ? w->comment : "";
	user.home =
		w->home ? w->home : process_format(p, "%s/%s", w->base ? w->base : "/home", name);
	user.shell = w->shell ? w->shell : "/bin/sh";
	user.make_home = w->create_home && !w->no_home;
	if (user.make_home && process_access(p, user.home, 0) == 0) {
		accounts_add_user(p, &(struct accounts_new_user){.name = user.name,
								 .password = user.password,
								 .gecos = user.gecos,
								 .home = user.home,
								 .shell = user.shell,
								 .uid = user.uid,
								 .gid = user.gid,
								 .own_group = user.own_group});
		process_complain(p, "warning: the home directory %s already exists.", user.home);
		process_complain(p, "Not copying any file from skel directory into it.");
	} else {
		accounts_add_user(p, &user);
	}
	if (w->groups)
		join_all(p, name, w->groups);
	/* A clear password or a hash: either is evidence. */
	if (w->password)
		process_report_input(p, slice_text(process_format(p, "%s:%s", name, w->password)));
	return 0;
}

static int useradd_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct wishes wishes = {0};
	for (int option;
	     (option = option_next(process, &state, argc, argv,
				   ":b:c:d:De:f:Fg:G:hk:K:lmMNop:rR:P:s:u:UZ:", useradd_words)) !=
	     -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "useradd", option == 'h' ? 0 : BAD_USAGE);
		if (option == 'r')
			wishes.system = true;
		else if (option == 'D')
			wishes.defaults = true;
		else if (option != 'l')
			take_user_option(&wishes, option, state.argument);
	}
	if (wishes.defaults && state.index == argc)
		return show_defaults(process);
	if (argc - state.index != 1)
		return show_usage(process, "useradd", BAD_USAGE);
	if (!may(process))
		return FAILED;
	return add_user(process, argv[state.index], &wishes);
}

/* --- usermod --- */

static int change_shadow(struct process *p, const char *name, const struct wishes *w)
{
	struct account_line line;
	if (!accounts_find(p, ACCOUNTS_SHADOW, name, &line))
		return 0;
	char **hash = &line.fields[SHADOW_PASSWORD];
	if (w->password) {
		*hash = process_copy_text(p, w->password);
		line.fields[SHADOW_CHANGED] = process_format(p, "%ld", accounts_today(p));
		process_report_input(p, slice_text(process_format(p, "%s:%s", name, w->password)));
	}
	if (w->lock && **hash != '!')
		*hash = process_format(p, "!%s", *hash);
	if (w->unlock && **hash == '!') {
		if ((*hash)[1] == '\0') {
			process_complain(p, "unlocking the user's password would result in a "
					    "passwordless account.");
			process_error(p, "You should set a password with usermod -p to unlock this "
					 "user's password.\n");
			return 0;
		}
		*hash = process_format(p, "%s", *hash + 1);
	}
	if (w->new_name)
		line.fields[SHADOW_NAME] = process_copy_text(p, w->new_name);
	if (w->inactive)
		line.fields[SHADOW_INACTIVE] = process_copy_text(p, w->inactive);
	return accounts_put(p, ACCOUNTS_SHADOW, name, &line);
}

static void change_groups(struct process *p, const char *name, const struct wishes *w)
{
	if (w->drop_groups) {
		static const char *const paths[] = {ACCOUNTS_GROUPS, ACCOUNTS_GSHADOW};
		struct slice rest = slice_text(w->groups), part;
		while (slice_next(&rest, ',', &part)) {
			for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
				struct account_line line;
				char *group = process_copy_slice(p, part);
				if (!accounts_find(p, paths[i], group, &line))
					continue;
				line.fields[GROUP_MEMBERS] =
					accounts_drop_member(p, line.fields[GROUP_MEMBERS], name);
				(void)accounts_put(p, paths[i], group, &line);
			}
		}
		return;
	}
	join_all(p, name, w->groups);
}

static int change_user(struct process *p, const char *name, const struct wishes *w)
{
	struct account_line line, other, group;
	if (!accounts_find(p, ACCOUNTS_USERS, name, &line)) {
		process_complain(p, "user '%s' does not exist", name);
		return NOT_FOUND;
	}
	if (w->gid && !find_group(p, w->gid, &group)) {
		process_complain(p, "group '%s' does not exist", w->gid);
		return NOT_FOUND;
	}
	if (w->groups && !groups_exist(p, w->groups))
		return NOT_FOUND;
	if (w->uid && !w->not_unique &&
	    accounts_find_number(p, ACCOUNTS_USERS, USER_ID, (unsigned)strtoul(w->uid, NULL, 10),
				 &other) &&
	    strcmp(other.fields[0], name) != 0) {
		process_complain(p, "UID '%s' already exists", w->uid);
		return ID_IN_USE;
	}
	if (w->new_name && accounts_find(p, ACCOUNTS_USERS, w->new_name, &other)) {
		process_complain(p, "user '%s' already exists", w->new_name);
		return NAME_IN_USE;
	}
	if (w->comment)
		line.fields[USER_GECOS] = process_copy_text(p, w->comment);
	if (w->shell)
		line.fields[USER_SHELL] = process_copy_text(p, w->shell);
	if (w->uid)
		line.fields[USER_ID] = process_copy_text(p, w->uid);
	if (w->gid)
		line.fields[USER_GROUP] = group.fields[GROUP_ID];
	if (w->home) {
		if (w->move && process_access(p, w->home, 0) != 0)
			(void)process_rename(p, line.fields[USER_HOME], w->home);
		line.fields[USER_HOME] = process_copy_text(p, w->home);
	}
	if (w->new_name)
		line.fields[USER_NAME] = process_copy_text(p, w->new_name);
	(void)accounts_put(p, ACCOUNTS_USERS, name, &line);
	(void)change_shadow(p, name, w);
	if (w->groups)
		change_groups(p, w->new_name ? w->new_name : name, w);
	command_forget_accounts(p);
	return 0;
}

static int usermod_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct wishes wishes = {0};
	for (int option;
	     (option = option_next(process, &state, argc, argv,
				   ":abc:d:e:f:g:G:hl:Lmop:P:rR:s:u:Uv:V:w:W:Z:", usermod_words)) !=
	     -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "usermod", option == 'h' ? 0 : BAD_USAGE);
		if (option == 'U')
			wishes.unlock = wishes.any = true;
		else if (option == 'r')
			wishes.drop_groups = true;
		else if (option == 'b')
			wishes.bad_names = true;
		else
			take_user_option(&wishes, option, state.argument);
	}
	if (argc - state.index != 1)
		return show_usage(process, "usermod", BAD_USAGE);
	if (!wishes.any) {
		struct account_line line;
		if (accounts_find(process, ACCOUNTS_USERS, argv[state.index], &line)) {
			process_complain(process, "no options");
			return show_usage(process, "usermod", BAD_USAGE);
		}
	}
	if (!may(process))
		return FAILED;
	return change_user(process, argv[state.index], &wishes);
}

/* --- userdel --- */

static int userdel_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line;
	bool force = false, purge = false;
	for (int option; (option = option_next(process, &state, argc, argv, ":fhrR:P:Z",
					       userdel_words)) != -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "userdel", option == 'h' ? 0 : BAD_USAGE);
		force = force || option == 'f';
		purge = purge || option == 'r';
	}
	if (argc - state.index != 1)
		return show_usage(process, "userdel", BAD_USAGE);
	if (!may(process))
		return FAILED;
	const char *name = argv[state.index];
	if (!accounts_find(process, ACCOUNTS_USERS, name, &line)) {
		process_complain(process, "user '%s' does not exist", name);
		return NOT_FOUND;
	}
	if (!force && strtoul(line.fields[USER_ID], NULL, 10) == 0) {
		process_complain(process, "user %s is currently used by process 1", name);
		return IN_USE;
	}
	accounts_drop_user(process, name);
	if (purge) {
		struct file_status status;
		char *mail = process_format(process, "/var/mail/%s", name);
		if (process_unlink(process, mail) != 0)
			process_complain(process, "%s mail spool (%s) not found", name, mail);
		if (process_stat(process, line.fields[USER_HOME], false, &status) != 0)
			process_complain(process, "%s home directory (%s) not found", name,
					 line.fields[USER_HOME]);
		else if (status.uid != strtoul(line.fields[USER_ID], NULL, 10))
			process_complain(process, "%s not owned by %s, not removing",
					 line.fields[USER_HOME], name);
		else
			accounts_remove_tree(process, line.fields[USER_HOME], 0);
	}
	return 0;
}

/* --- groups --- */

static int groupadd_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line;
	struct wishes wishes = {0};
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":fg:hK:op:rR:P:U:", groupadd_words)) != -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "groupadd", option == 'h' ? 0 : BAD_USAGE);
		if (option == 'g')
			wishes.gid = state.argument;
		else if (option == 'f')
			wishes.force = true;
		else if (option == 'o')
			wishes.not_unique = true;
		else if (option == 'r')
			wishes.system = true;
		else if (option == 'U')
			wishes.users = state.argument;
	}
	if (argc - state.index != 1)
		return show_usage(process, "groupadd", BAD_USAGE);
	const char *name = argv[state.index];
	if (!is_valid_name(name)) {
		process_complain(process, "'%s' is not a valid group name", name);
		return BAD_ARGUMENT;
	}
	if (accounts_find(process, ACCOUNTS_GROUPS, name, &line)) {
		if (wishes.force)
			return 0;
		process_complain(process, "group '%s' already exists", name);
		return NAME_IN_USE;
	}
	unsigned gid = accounts_free_number(process, ACCOUNTS_GROUPS,
					    wishes.system ? SYSTEM_FIRST : UID_MIN);
	if (wishes.gid) {
		gid = (unsigned)strtoul(wishes.gid, NULL, 10);
		if (!wishes.not_unique && !wishes.force &&
		    accounts_find_number(process, ACCOUNTS_GROUPS, GROUP_ID, gid, &line)) {
			process_complain(process, "GID '%s' already exists", wishes.gid);
			return ID_IN_USE;
		}
	}
	if (process->identity.effective_uid != 0) {
		process_complain(process, "Permission denied.");
		process_complain(process, "cannot lock /etc/group; try again later.");
		return 10;
	}
	accounts_add_group(process, name, gid, wishes.users ? wishes.users : "");
	return 0;
}

static int groupdel_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line, user;
	bool force = false;
	for (int option; (option = option_next(process, &state, argc, argv, ":hR:P:f",
					       groupdel_words)) != -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "groupdel", option == 'h' ? 0 : BAD_USAGE);
		force = force || option == 'f';
	}
	if (argc - state.index != 1)
		return show_usage(process, "groupdel", BAD_USAGE);
	const char *name = argv[state.index];
	if (!accounts_find(process, ACCOUNTS_GROUPS, name, &line)) {
		process_complain(process, "group '%s' does not exist", name);
		return NOT_FOUND;
	}
	unsigned gid = (unsigned)strtoul(line.fields[GROUP_ID], NULL, 10);
	if (!force && accounts_find_number(process, ACCOUNTS_USERS, USER_GROUP, gid, &user)) {
		process_complain(process, "cannot remove the primary group of user '%s'",
				 user.fields[USER_NAME]);
		return IN_USE;
	}
	if (process->identity.effective_uid != 0) {
		process_complain(process, "Permission denied.");
		process_complain(process, "cannot lock /etc/group; try again later.");
		return 10;
	}
	(void)accounts_drop(process, ACCOUNTS_GROUPS, name);
	(void)accounts_drop(process, ACCOUNTS_GSHADOW, name);
	command_forget_accounts(process);
	return 0;
}

static int groupmod_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line, other;
	const char *gid = NULL, *new_name = NULL, *users = NULL;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":ag:hn:op:R:P:U:", groupmod_words)) != -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "groupmod", option == 'h' ? 0 : BAD_USAGE);
		if (option == 'g')
			gid = state.argument;
		else if (option == 'n')
			new_name = state.argument;
		else if (option == 'U')
			users = state.argument;
	}
	if (argc - state.index != 1)
		return show_usage(process, "groupmod", BAD_USAGE);
	const char *name = argv[state.index];
	if (!accounts_find(process, ACCOUNTS_GROUPS, name, &line)) {
		process_complain(process, "group '%s' does not exist", name);
		return NOT_FOUND;
	}
	if (new_name && accounts_find(process, ACCOUNTS_GROUPS, new_name, &other)) {
		process_complain(process, "group '%s' already exists", new_name);
		return NAME_IN_USE;
	}
	if (process->identity.effective_uid != 0) {
		process_complain(process, "Permission denied.");
		process_complain(process, "cannot lock /etc/group; try again later.");
		return 10;
	}
	if (gid)
		line.fields[GROUP_ID] = process_copy_text(process, gid);
	if (users)
		line.fields[GROUP_MEMBERS] = process_copy_text(process, users);
	if (new_name)
		line.fields[GROUP_NAME] = process_copy_text(process, new_name);
	(void)accounts_put(process, ACCOUNTS_GROUPS, name, &line);
	command_forget_accounts(process);
	return 0;
}

static int gpasswd_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct account_line line, user;
	const char *add = NULL, *remove = NULL, *members = NULL;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":a:d:hQ:rRM:A:", gpasswd_words)) != -1;) {
		if (option == 'h' || option == '?')
			return show_usage(process, "gpasswd", option == 'h' ? 0 : BAD_USAGE);
		if (option == 'a')
			add = state.argument;
		else if (option == 'd')
			remove = state.argument;
		else if (option == 'M')
			members = state.argument;
	}
	if (argc - state.index != 1)
		return show_usage(process, "gpasswd", BAD_USAGE);
	const char *group = argv[state.index], *name = add ? add : remove;
	if (name && !accounts_find(process, ACCOUNTS_USERS, name, &user)) {
		process_complain(process, "user '%s' does not exist", name);
		return BAD_ARGUMENT;
	}
	if (!accounts_find(process, ACCOUNTS_GROUPS, group, &line)) {
		process_complain(process, "group '%s' does not exist in /etc/group", group);
		return BAD_ARGUMENT;
	}
	if (process->identity.uid != 0) {
		process_complain(process, "Permission denied.");
		return FAILED;
	}
	if (add) {
		process_print(process, "Adding user %s to group %s\n", add, group);
		accounts_join(process, add, group);
	} else if (remove) {
		process_print(process, "Removing user %s from group %s\n", remove, group);
		if (!accounts_is_member(line.fields[GROUP_MEMBERS], remove)) {
			process_flush(process);
			process_complain(process, "user '%s' is not a member of '%s'", remove,
					 group);
			return BAD_ARGUMENT;
		}
		change_groups(process, remove,
			      &(struct wishes){.drop_groups = true, .groups = group});
	} else if (members) {
		line.fields[GROUP_MEMBERS] = process_copy_text(process, members);
		(void)accounts_put(process, ACCOUNTS_GROUPS, group, &line);
	} else {
		process_print(process, "Changing the password for group %s\n", group);
		char *first = accounts_ask(process, "New Password: ", false);
		char *second =
			first ? accounts_ask(process, "Re-enter new password: ", false) : NULL;
		if (!second || strcmp(first, second) != 0) {
			if (second)
				process_complain(process, "They don't match; try again");
			return FAILED;
		}
	}
	return 0;
}

static const struct command commands[] = {
	{"useradd", useradd_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"usermod", usermod_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"userdel", userdel_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"groupadd", groupadd_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"groupdel", groupdel_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"groupmod", groupmod_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"gpasswd", gpasswd_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_accounts_users = {"accounts_users", commands};
