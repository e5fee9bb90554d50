/* The files of accounts (/etc/passwd, shadow, group, gshadow), passwords, and asking for them. */
#ifndef DECOY_MACHINE_COMMANDS_ACCOUNTS_H
#define DECOY_MACHINE_COMMANDS_ACCOUNTS_H

#include "decoy/machine/command.h"

#define ACCOUNTS_USERS   "/etc/passwd"
#define ACCOUNTS_SHADOW  "/etc/shadow"
#define ACCOUNTS_GROUPS  "/etc/group"
#define ACCOUNTS_GSHADOW "/etc/gshadow"

#define ACCOUNTS_FIELDS 9

/* A line of such a file, taken apart at its colons; fields are in the process's memory. */
struct account_line {
	char *fields[ACCOUNTS_FIELDS];
	size_t count;
};
enum { USER_NAME, USER_PASSWORD, USER_ID, USER_GROUP, USER_GECOS, USER_HOME, USER_SHELL };
enum { GROUP_NAME, GROUP_PASSWORD, GROUP_ID, GROUP_MEMBERS };
enum {
	SHADOW_NAME,
	SHADOW_PASSWORD,
	SHADOW_CHANGED,
	SHADOW_MINIMUM,
	SHADOW_MAXIMUM,
	SHADOW_WARNING,
	SHADOW_INACTIVE,
	SHADOW_EXPIRES
};

/* The line whose first field is the name. */
bool accounts_find(struct process *process, const char *path, const char *name,
		   struct account_line *line);
/* The line whose field (a number) is that. */
bool accounts_find_number(struct process *process, const char *path, size_t field, unsigned number,
			  struct account_line *line);
/* Writes the line in place of the one called `name` (NULL: appends); 0 or -errno. */
int accounts_put(struct process *process, const char *path, const char *name,
		 const struct account_line *line);
int accounts_drop(struct process *process, const char *path, const char *name);
/* A number for a new line, as useradd and groupadd choose it: one more than the highest, or, when
 * first is a system's number, the highest that is free. */
unsigned accounts_free_number(struct process *process, const char *path, unsigned first);
/* The lowest number from `first` on that no user (groups: and no group) has, as adduser chooses. */
unsigned accounts_free_pair(struct process *process, unsigned first, bool groups);

/* Members of a group: "a,b,c". */
bool accounts_is_member(const char *members, const char *name);
char *accounts_add_member(struct process *process, const char *members, const char *name);
char *accounts_drop_member(struct process *process, const char *members, const char *name);
/* All groups of a user. The identity's groups are in the process's memory. */
void accounts_identity(struct process *process, const struct machine_account *account,
		       struct process_identity *identity);

/* A hash in the form that Debian 12 writes ($y$), and whether a password is that of a hash that
 * accounts_hash made. */
char *accounts_hash(struct process *process, const char *password);
bool accounts_matches(const char *hash, const char *password);
/* Sets a password, as hash; 0 or -errno. */
int accounts_set_password(struct process *process, const char *name, const char *hash);

/* Asks on standard error and reads a line from standard input, without echo where that is a
 * terminal (PAM's misc_conv). The line is told to the owner. NULL: end of input. */
char *accounts_ask(struct process *process, const char *prompt, bool echo);
/* The same on another descriptor; -1 for `told`: nothing is shown. */
char *accounts_ask_on(struct process *process, int from, int to, const char *prompt, bool echo);

/* Today in days, as shadow(5) counts. */
long accounts_today(struct process *process);

struct accounts_usage {
	const char *name, *text;
};
extern const struct accounts_usage accounts_usages[];
/* The text that `name --help` prints, or "". */
const char *accounts_usage(const char *name);

/* Runs as another user: a program (its path and arguments) with an environment, or, path NULL, a
 * line for its shell. Waits; exit status. */
struct accounts_run {
	const struct machine_account *account;
	const char *path;
	char **argv, **environment;
	const char *folder; /* or NULL */
};
int accounts_run(struct process *process, const struct accounts_run *run);

/* Steps that useradd, adduser and their like share; 0 or an exit status, said by the caller. */
struct accounts_new_user {
	const char *name, *password, *gecos, *home, *shell;
	unsigned uid, gid;
	bool own_group, make_home;
	unsigned home_mode;
};
void accounts_add_user(struct process *process, const struct accounts_new_user *user);
void accounts_make_home(struct process *process, const struct accounts_new_user *user);
void accounts_add_group(struct process *process, const char *name, unsigned gid,
			const char *members);
void accounts_drop_user(struct process *process, const char *name);
void accounts_join(struct process *process, const char *user, const char *group);
/* Removes a folder and all in it (bounded). */
void accounts_remove_tree(struct process *process, const char *path, unsigned depth);

/* passwd's dialogue for a new password, with PAM's words: 0 or -1 (said). */
int accounts_change_password(struct process *process, const char *name);

#endif
