/* How commands are found, and what many of them need; see command.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoy/machine/command.h"
#include "decoy/machine/limits.h"

/* --- finding --- */

static bool is_named(const struct command *command, const char *name)
{
	if (command->name[0] == name[0] && strcmp(command->name, name) == 0)
		return true;
	for (const char *const *alias = command->aliases; alias && *alias; alias++) {
		if ((*alias)[0] == name[0] && strcmp(*alias, name) == 0)
			return true;
	}
	return false;
}

/* A few hundred names, compared by their first letter: less than the walk to the file before it. */
const struct command *command_find(const char *name, unsigned where)
{
	for (const struct command_family *const *family = command_families; *family; family++) {
		for (const struct command *command = (*family)->commands; command->name;
		     command++) {
			if ((command->where & where) != 0 && is_named(command, name))
				return command;
		}
	}
	return NULL;
}

/* --- numbers --- */

int command_size(const char *text, uint64_t *size)
{
	static const char letters[] = "KMGTPE";
	const char *letter;
	uint64_t unit = 1, base = 1024;
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*size = strtoull(text, &end, 10);
	if (errno != 0)
		return -1;
	if (*end == '\0')
		return 0;
	if (strcmp(end, "b") == 0)
		unit = 512;
	else if (strcmp(end, "c") == 0)
		unit = 1;
	else {
		letter = strchr(letters, *end == 'k' ? 'K' : *end == 'm' ? 'M' : *end);
		if (strcmp(end + 1, "B") == 0)
			base = 1000;
		else if (end[1] != '\0' && strcmp(end + 1, "iB") != 0)
			return -1;
		if (!letter)
			return -1;
		for (const char *at = letters; at <= letter; at++)
			unit *= base;
	}
	return __builtin_mul_overflow(*size, unit, size) ? -1 : 0;
}

/* --- accounts --- */

/* /etc/passwd and /etc/group, parsed once a process; process_execute forgets it. */
struct command_accounts {
	struct machine_account *users;
	struct group *groups;
	size_t user_count, group_count;
};
struct group {
	const char *name;
	unsigned gid;
};

#define ACCOUNT_FILE_MAX ((size_t)256 * 1024)

/* Takes the next field of a line off its front and ends it with a NUL. */
static char *next_field(char **rest)
{
	char *field = *rest;
	char *colon;

	if (!field)
		return NULL;
	colon = strchr(field, ':');
	if (colon)
		*colon = '\0';
	*rest = colon ? colon + 1 : NULL;
	return field;
}

static bool read_id(const char *text, unsigned *id)
{
	int64_t number;

	if (!text || slice_number(slice_text(text), 0, UINT32_MAX, &number) != 0)
		return false;
	*id = (unsigned)number;
	return true;
}

static char *next_line(char **rest)
{
	char *line = *rest;
	char *end;

	if (!line || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : NULL;
	return line;
}

static void read_users(struct process *process, struct command_accounts *accounts)
{
	struct text text = {0};
	size_t capacity = 0;
	char *rest, *line;

	if (process_read_file(process, "/etc/passwd", ACCOUNT_FILE_MAX, &text) != 0)
		return;
	for (rest = text.data; (line = next_line(&rest));) {
		struct machine_account user = {.name = next_field(&line)};
		char *password = next_field(&line);
		char *uid = next_field(&line);
		char *gid = next_field(&line);

		if (!password || !read_id(uid, &user.uid) || !read_id(gid, &user.gid))
			continue;
		user.gecos = next_field(&line);
		user.home = next_field(&line);
		user.shell = next_field(&line);
		if (!user.gecos || !user.home)
			continue;
		if (!user.shell)
			user.shell = "";
		if (accounts->user_count == capacity) {
			capacity = capacity * 2 + 32;
			accounts->users =
				process_retake(process, accounts->users, capacity * sizeof(user));
		}
		accounts->users[accounts->user_count++] = user;
	}
}

static void read_groups(struct process *process, struct command_accounts *accounts)
{
	struct text text = {0};
	size_t capacity = 0;
	char *rest, *line;

	if (process_read_file(process, "/etc/group", ACCOUNT_FILE_MAX, &text) != 0)
		return;
	for (rest = text.data; (line = next_line(&rest));) {
		struct group group = {.name = next_field(&line)};
		char *password = next_field(&line);

		if (!password || !read_id(next_field(&line), &group.gid))
			continue;
		if (accounts->group_count == capacity) {
			capacity = capacity * 2 + 32;
			accounts->groups =
				process_retake(process, accounts->groups, capacity * sizeof(group));
		}
		accounts->groups[accounts->group_count++] = group;
	}
}

static const struct command_accounts *accounts_of(struct process *process)
{
	if (!process->accounts) {
		struct command_accounts *accounts = process_take(process, sizeof(*accounts));

		read_users(process, accounts);
		read_groups(process, accounts);
		process->accounts = accounts;
	}
	return process->accounts;
}

void command_forget_accounts(struct process *process)
{
	process->accounts = NULL;
}

const struct machine_account *command_account(struct process *process, const char *name)
{
	const struct command_accounts *accounts = accounts_of(process);

	for (size_t i = 0; i < accounts->user_count; i++) {
		if (strcmp(accounts->users[i].name, name) == 0)
			return &accounts->users[i];
	}
	return NULL;
}

int command_user_id(struct process *process, const char *name, unsigned *uid, unsigned *gid)
{
	const struct command_accounts *accounts = accounts_of(process);
	const struct machine_account *account = command_account(process, name);
	unsigned number;

	if (account) {
		*uid = account->uid;
		*gid = account->gid;
		return 0;
	}
	if (!read_id(name[0] == '+' ? name + 1 : name, &number))
		return -1;
	*uid = *gid = number;
	for (size_t i = 0; i < accounts->user_count; i++) {
		if (accounts->users[i].uid == number) {
			*gid = accounts->users[i].gid;
			break;
		}
	}
	return 0;
}

int command_group_id(struct process *process, const char *name, unsigned *gid)
{
	const struct command_accounts *accounts = accounts_of(process);

	for (size_t i = 0; i < accounts->group_count; i++) {
		if (strcmp(accounts->groups[i].name, name) == 0) {
			*gid = accounts->groups[i].gid;
			return 0;
		}
	}
	return read_id(name[0] == '+' ? name + 1 : name, gid) ? 0 : -1;
}

const char *command_user_name(struct process *process, unsigned uid)
{
	const struct command_accounts *accounts = accounts_of(process);

	for (size_t i = 0; i < accounts->user_count; i++) {
		if (accounts->users[i].uid == uid)
			return accounts->users[i].name;
	}
	return process_format(process, "%u", uid);
}

const char *command_group_name(struct process *process, unsigned gid)
{
	const struct command_accounts *accounts = accounts_of(process);

	for (size_t i = 0; i < accounts->group_count; i++) {
		if (accounts->groups[i].gid == gid)
			return accounts->groups[i].name;
	}
	return process_format(process, "%u", gid);
}

/* --- running --- */

/* 0 when the file may be run. */
static int runnable(struct process *process, const char *path)
{
	struct file_status status;
	int error = process_stat(process, path, true, &status);

	if (error != 0)
		return error;
	if (!S_ISREG(status.mode))
		return -EACCES;
	return process_access(process, path, X_OK);
}

int command_which(struct process *process, const char *name, char *path, size_t size)
{
	const char *folders = process_environment(process, "PATH");
	int error = -ENOENT;

	if (*name == '\0')
		return -ENOENT;
	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, size, "%s", name) >= size)
			return -ENAMETOOLONG;
		return runnable(process, name);
	}
	if (!folders)
		folders = "/bin:/usr/bin";
	for (;;) {
		int length = (int)strcspn(folders, ":");
		int tried = -ENOENT;

		if ((size_t)snprintf(path, size, "%.*s%s%s", length, folders, length ? "/" : "",
				     name) < size)
			tried = runnable(process, path);
		if (tried == 0)
			return 0;
		if (tried == -EACCES)
			error = -EACCES;
		if (folders[length] == '\0')
			return error;
		folders += length + 1;
	}
}

/* The child's side of command_run_program: its arguments are the path and then the program's own.
 */
static int run_child(struct process *process, int argc, char **argv)
{
	const char *path = argv[0];
	int error = process_execute(process, path, argv + 1, process->environment);

	if (error == -ENOEXEC) { /* as execvp(3): a script without a first line */
		char **script = process_take(process, ((size_t)argc + 2) * sizeof(*script));

		script[0] = process_copy_text(process, "sh");
		script[1] = argv[0];
		for (int i = 2; i < argc; i++)
			script[i] = argv[i];
		error = process_execute(process, "/bin/sh", script, process->environment);
	}
	process_exit(process, error == -ENOENT ? 127 : 126);
}

static int run_path(struct process *process, const char *path, char **argv, char **environment)
{
	struct process_start start = {.run = run_child, .environment = environment};
	int count = 0, status = 0, pid;

	while (argv[count])
		count++;
	start.argc = count + 1;
	start.argv = process_take(process, ((size_t)count + 2) * sizeof(*start.argv));
	start.argv[0] = process_copy_text(process, path);
	for (int i = 0; i < count; i++)
		start.argv[i + 1] = argv[i];
	start.name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	process_flush(process);
	pid = process_spawn(process, &start);
	process_give(process, start.argv[0]);
	process_give(process, start.argv);
	if (pid < 0)
		return 126;
	while (process_wait(process, pid, 0, &status) == -EINTR)
		continue;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int command_run_program(struct process *process, char **argv, char **environment)
{
	char path[MACHINE_PATH_MAX];
	int error = command_which(process, argv[0], path, sizeof(path));

	if (error != 0)
		return error == -EACCES ? 126 : 127;
	return run_path(process, path, argv, environment);
}

int command_run_line(struct process *process, const char *line)
{
	char *argv[] = {process_copy_text(process, "sh"), process_copy_text(process, "-c"),
			process_copy_text(process, line), NULL};
	int status = run_path(process, "/bin/sh", argv, NULL);

	for (int i = 0; i < 3; i++)
		process_give(process, argv[i]);
	return status;
}
