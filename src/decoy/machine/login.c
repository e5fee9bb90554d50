/* How a log-in begins: the account, what log-in sets, the greeting, the shell. As login(1) and
 * sshd(8) of Debian do it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <utmp.h>

#include "base/clock.h"
#include "decoy/machine/login.h"
#include "decoy/machine/process_state.h"

#define ACCOUNTS_FILE_MAX ((size_t)64 * 1024)
#define GROUPS_MAX        24
#define ENVIRONMENT_MAX   48
#define FIRST_USER_ID     1001

struct account {
	char name[LEADER_NAME_MAX], home[256], shell[128];
	unsigned uid, gid;
};

/* What the leader's first function is told. */
struct login {
	struct account account;
	bool greets, has_command, no_shell;
	char *command, *program;
	char **arguments;
};

static struct file_access access_as_root(struct machine *machine)
{
	static const struct process_identity root = {0};

	return (struct file_access){machine->files, &root, NULL, session_now(machine->session)};
}

/* A file of the host as root reads it; the caller frees. */
static char *read_text(struct machine *machine, const char *path, size_t *length)
{
	struct file_access access = access_as_root(machine);
	int error;
	node_number node =
		file_system_walk(&access, file_system_root(machine->files), path, true, &error);
	struct file_status status;
	char *text;
	ssize_t got;

	if (!node || file_system_status(&access, node, &status) < 0 ||
	    status.size > ACCOUNTS_FILE_MAX)
		return NULL;
	text = malloc((size_t)status.size + 1);
	if (!text)
		return NULL;
	got = file_system_read(&access, node, 0, text, (size_t)status.size);
	*length = got < 0 ? 0 : (size_t)got;
	text[*length] = '\0';
	return text;
}

static void append_text(struct machine *machine, const char *path, const char *line)
{
	struct file_access access = access_as_root(machine);
	int error;
	node_number node =
		file_system_walk(&access, file_system_root(machine->files), path, true, &error);
	struct file_status status;

	if (node && file_system_status(&access, node, &status) == 0)
		(void)!file_system_write(&access, node, status.size, slice_text(line));
}

/* --- the account --- */

static void copy_field(char *to, size_t size, struct slice from)
{
	snprintf(to, size, "%.*s", (int)from.length, (const char *)from.at);
}

static bool parse_account(struct slice line, const char *name, struct account *account)
{
	struct slice fields[7];
	int64_t uid, gid;

	for (size_t i = 0; i < 7; i++)
		if (!slice_next(&line, ':', &fields[i]) && i < 6)
			return false;
	if (!slice_is(fields[0], name) || slice_number(fields[2], 0, UINT32_MAX, &uid) < 0 ||
	    slice_number(fields[3], 0, UINT32_MAX, &gid) < 0)
		return false;
	copy_field(account->name, sizeof(account->name), fields[0]);
	copy_field(account->home, sizeof(account->home), fields[5]);
	copy_field(account->shell, sizeof(account->shell), fields[6]);
	account->uid = (unsigned)uid;
	account->gid = (unsigned)gid;
	return true;
}

static bool find_account(struct machine *machine, const char *name, struct account *account)
{
	size_t length;
	char *text = read_text(machine, "/etc/passwd", &length);
	struct slice rest = slice_of(text, text ? length : 0), line;
	bool found = false;

	while (!found && slice_next(&rest, '\n', &line))
		found = parse_account(line, name, account);
	free(text);
	return found;
}

static unsigned free_user_id(struct machine *machine)
{
	size_t length;
	char *text = read_text(machine, "/etc/passwd", &length);
	struct slice rest = slice_of(text, text ? length : 0), line, field;
	unsigned highest = FIRST_USER_ID - 1;
	int64_t uid;

	while (slice_next(&rest, '\n', &line)) {
		for (int i = 0; i < 3; i++)
			if (!slice_next(&line, ':', &field))
				field = slice_of(NULL, 0);
		if (slice_number(field, FIRST_USER_ID, 59999, &uid) == 0 && uid > highest)
			highest = (unsigned)uid;
	}
	free(text);
	return highest + 1;
}

/* A password that looks like any other of the host's (yescrypt). */
static void append_shadow(struct machine *machine, const char *name)
{
	static const char letters[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char line[192], digest[22 + 1 + 43 + 1];
	int64_t day = host_boot_time(machine->host, session_now(machine->session)) / DAY;

	session_random(machine->session, digest, sizeof(digest));
	for (size_t i = 0; i < sizeof(digest) - 1; i++)
		digest[i] = letters[(uint8_t)digest[i] & 63];
	digest[22] = '$';
	digest[sizeof(digest) - 1] = '\0';
	snprintf(line, sizeof(line), "%s:$y$j9T$%s:%lld:0:99999:7:::\n", name, digest,
		 (long long)day);
	append_text(machine, "/etc/shadow", line);
}

/* The intruder got in under a name that the story does not know: the account was there all along.
 */
static void make_account(struct machine *machine, const char *name, struct account *account)
{
	static const char *const skeleton[] = {".bash_logout", ".bashrc", ".profile"};
	struct file_access access = access_as_root(machine);
	node_number homes, home, from, made;
	char line[512], path[64];
	int error;

	*account = (struct account){.uid = free_user_id(machine)};
	account->gid = account->uid;
	for (size_t i = 0; name[i] && i < 32; i++) {
		bool plain = (name[i] >= 'a' && name[i] <= 'z') ||
			     (name[i] >= 'A' && name[i] <= 'Z') ||
			     (name[i] >= '0' && name[i] <= '9') || strchr("._-", name[i]);

		account->name[i] = plain ? name[i] : '_';
	}
	if (!account->name[0])
		snprintf(account->name, sizeof(account->name), "user");
	snprintf(account->home, sizeof(account->home), "/home/%s", account->name);
	snprintf(account->shell, sizeof(account->shell), "%s",
		 host_kind(machine->host) == HOST_ROUTER ? "/bin/sh" : "/bin/bash");
	snprintf(line, sizeof(line), "%s:x:%u:%u:,,,:%s:%s\n", account->name, account->uid,
		 account->gid, account->home, account->shell);
	append_text(machine, "/etc/passwd", line);
	append_shadow(machine, account->name);
	snprintf(line, sizeof(line), "%s:x:%u:\n", account->name, account->gid);
	append_text(machine, "/etc/group", line);
	homes = file_system_walk(&access, file_system_root(machine->files), "/home", true, &error);
	if (!homes ||
	    file_system_make(&access, homes, account->name, S_IFDIR | 0755, 0, 0, &home) < 0)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(skeleton); i++) {
		snprintf(path, sizeof(path), "/etc/skel/%s", skeleton[i]);
		from = file_system_walk(&access, home, path, true, &error);
		if (from && file_system_make(&access, home, skeleton[i], S_IFREG | 0644, 0, 0,
					     &made) == 0) {
			(void)file_system_clone(&access, from, made);
			(void)file_system_change_owner(&access, made, account->uid, account->gid);
		}
	}
	(void)file_system_change_owner(&access, home, account->uid, account->gid);
}

/* Groups that name the user, and his own first. */
static size_t find_groups(struct machine *machine, const struct account *account,
			  unsigned groups[GROUPS_MAX])
{
	size_t length, count = 0;
	char *text = read_text(machine, "/etc/group", &length);
	struct slice rest = slice_of(text, text ? length : 0), line;

	groups[count++] = account->gid;
	while (slice_next(&rest, '\n', &line)) {
		struct slice name, password, number, member;
		int64_t gid;

		if (!slice_next(&line, ':', &name) || !slice_next(&line, ':', &password) ||
		    !slice_next(&line, ':', &number) ||
		    slice_number(number, 0, UINT32_MAX, &gid) < 0 || gid == account->gid)
			continue;
		while (slice_next(&line, ',', &member))
			if (slice_is(slice_trim(member), account->name) && count < GROUPS_MAX)
				groups[count++] = (unsigned)gid;
	}
	free(text);
	return count;
}

/* --- the environment --- */

struct environment {
	struct process *process;
	char **list;
	size_t count;
};

static void set_variable(struct environment *environment, const char *name, const char *format, ...)
	PRINTF(3, 4);
static void set_variable(struct environment *environment, const char *name, const char *format, ...)
{
	char value[1024];
	va_list arguments;
	size_t at = 0, length = strlen(name);

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	while (at < environment->count && (strncmp(environment->list[at], name, length) != 0 ||
					   environment->list[at][length] != '='))
		at++;
	if (at == ENVIRONMENT_MAX)
		return;
	environment->list[at] = process_format(environment->process, "%s=%s", name, value);
	if (at == environment->count)
		environment->count++;
}

static void set_connection(struct environment *environment, struct machine *machine)
{
	const struct endpoint *peer = session_peer(machine->session);
	const struct endpoint *local = session_local(machine->session);
	char theirs[ADDRESS_TEXT_MAX], ours[ADDRESS_TEXT_MAX];

	address_text(&peer->address, theirs);
	if (strcmp(machine->service, "sshd") != 0) {
		if (host_kind(machine->host) != HOST_ROUTER)
			set_variable(environment, "REMOTEHOST", "%s", theirs);
		return;
	}
	address_text(&local->address, ours);
	set_variable(environment, "SSH_CLIENT", "%s %u %u", theirs, peer->port, local->port);
	set_variable(environment, "SSH_CONNECTION", "%s %u %s %u", theirs, peer->port, ours,
		     local->port);
	if (machine->terminal)
		set_variable(environment, "SSH_TTY", "/dev/%s", machine->terminal->name);
}

static void set_client_variables(struct environment *environment, const struct slice *given,
				 size_t count)
{
	for (size_t i = 0; i < count && environment->count < ENVIRONMENT_MAX; i++) {
		size_t equals = slice_find_byte(given[i], '=');
		char name[128];

		if (equals == SIZE_MAX || equals == 0 || equals >= sizeof(name) ||
		    given[i].length > 1024)
			continue;
		memcpy(name, given[i].at, equals);
		name[equals] = '\0';
		set_variable(environment, name, "%.*s", (int)(given[i].length - equals - 1),
			     (const char *)given[i].at + equals + 1);
	}
}

static char **make_environment(struct process *process, const struct login *login,
			       const struct slice *given, size_t given_count)
{
	struct machine *machine = process->machine;
	struct environment environment = {process, NULL, 0};
	const struct account *account = &login->account;
	bool router = host_kind(machine->host) == HOST_ROUTER;

	environment.list = process_take(process, (ENVIRONMENT_MAX + 1) * sizeof(char *));
	if (!router)
		set_variable(
			&environment, "LANG", "%s",
			persona_text(host_persona(machine->host), "machine.language", "C.UTF-8"));
	set_variable(&environment, "USER", "%s", account->name);
	set_variable(&environment, "LOGNAME", "%s", account->name);
	set_variable(&environment, "HOME", "%s", account->home);
	set_variable(&environment, "PATH", "%s",
		     router ? "/sbin:/usr/sbin:/bin:/usr/bin"
		     : account->uid
			     ? "/usr/local/bin:/usr/bin:/bin:/usr/games"
			     : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set_variable(&environment, "SHELL", "%s", account->shell);
	if (!router && strcmp(machine->service, "sshd") != 0) { /* login(1) */
		set_variable(&environment, "HUSHLOGIN", "FALSE");
		set_variable(&environment, "MAIL", "/var/mail/%s", account->name);
	}
	if (!router) {
		set_variable(&environment, "XDG_SESSION_ID", "%u", machine->service_pid % 97 + 2);
		set_variable(&environment, "XDG_RUNTIME_DIR", "/run/user/%u", account->uid);
		set_variable(&environment, "DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/%u/bus",
			     account->uid);
		set_variable(&environment, "XDG_SESSION_TYPE", "tty");
		set_variable(&environment, "XDG_SESSION_CLASS", "user");
		if (machine->terminal)
			set_variable(&environment, "MOTD_SHOWN", "pam");
	}
	if (machine->terminal)
		set_variable(&environment, "TERM", "%s",
			     machine->terminal->modes.type[0] ? machine->terminal->modes.type
							      : "dumb");
	set_connection(&environment, machine);
	set_client_variables(&environment, given, given_count);
	return environment.list;
}

/* --- the greeting --- */

/* The record of lastlog(5): seconds, line, host. */
static void print_last_login(struct process *process, unsigned uid)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct machine *machine = process->machine;
	struct file_access access = access_as_root(machine);
	uint8_t record[4 + 32 + 256 + 1] = {0};
	bool by_login = strcmp(machine->service, "sshd") != 0;
	uint32_t seconds;
	int error;
	node_number node = file_system_walk(&access, file_system_root(machine->files),
					    "/var/log/lastlog", true, &error);
	struct civil_time t;

	if (!node || file_system_read(&access, node, (uint64_t)uid * 292, record, 292) != 292)
		return;
	memcpy(&seconds, record, sizeof(seconds));
	if (seconds == 0)
		return;
	t = clock_civil((int64_t)seconds * SECOND);
	process_print(process, "Last login: %s %s %2d %02d:%02d:%02d %s%d", days[t.weekday],
		      months[t.month - 1], t.day, t.hour, t.minute, t.second,
		      by_login ? "UTC " : "", t.year);
	if (record[36])
		process_print(process, " from %.256s", (const char *)record + 36);
	if (by_login && record[4])
		process_print(process, " on %.32s", (const char *)record + 4);
	/* sshd ends the line for a terminal, which does so once more. */
	process_print(process, by_login ? "\n" : "\r\n");
}

/* What the next log-in is told. */
static void note_login(struct process *process, unsigned uid)
{
	struct machine *machine = process->machine;
	struct file_access access = access_as_root(machine);
	struct machine_service service;
	uint8_t record[4 + 32 + 256] = {0};
	uint32_t seconds = (uint32_t)(access.now / SECOND);
	char from[ADDRESS_TEXT_MAX] = "";
	int error;
	node_number node = file_system_walk(&access, file_system_root(machine->files),
					    "/var/log/lastlog", true, &error);

	machine_service(machine, &service);
	if (!node || strncmp(service.terminal, "pts", 3) != 0)
		return;
	if (service.peer)
		address_text(&service.peer->address, from);
	memcpy(record, &seconds, sizeof(seconds));
	memcpy(record + 4, service.terminal, strnlen(service.terminal, 32));
	memcpy(record + 36, from, strlen(from));
	(void)!file_system_write(&access, node, (uint64_t)uid * sizeof(record),
				 slice_of(record, sizeof(record)));
}

/* --- utmp and wtmp --- */

/* Records that are looked through for the terminal's own. */
#define UTMP_RECORDS_MAX 64

static node_number find_file(struct machine *machine, const char *path, struct file_status *status)
{
	struct file_access access = access_as_root(machine);
	int error;
	node_number node =
		file_system_walk(&access, file_system_root(machine->files), path, true, &error);

	return node && file_system_status(&access, node, status) == 0 ? node : 0;
}

unsigned login_recorded_pid(const struct machine_service *service)
{
	bool by_shell = strcmp(service->name, "sshd") == 0 && strcmp(service->user, "root") == 0;

	return by_shell ? service->pid + 1 : service->pid;
}

/* wtmp's word on the end comes from sshd's last process, with nothing but the terminal. */
static void reduce_for_wtmp(struct machine *machine, struct utmp *record)
{
	if (strcmp(machine->service, "sshd") != 0)
		return;
	record->ut_pid = (pid_t)(strcmp(machine->user, "root") == 0 ? machine->service_pid
								    : machine->privileged_pid);
	memset(record->ut_id, 0, sizeof(record->ut_id));
	memset(record->ut_addr_v6, 0, sizeof(record->ut_addr_v6));
}

static void fill_record(struct machine *machine, struct utmp *record, bool end)
{
	struct machine_service service;
	int64_t now = session_now(machine->session);
	size_t length;

	machine_service(machine, &service);
	length = strnlen(service.terminal, sizeof(record->ut_line));
	memset(record, 0, sizeof(*record));
	record->ut_type = end ? DEAD_PROCESS : USER_PROCESS;
	record->ut_pid = (pid_t)login_recorded_pid(&service);
	memcpy(record->ut_line, service.terminal, length);
	/* The last four letters: "ts/0". */
	memcpy(record->ut_id, service.terminal + (length > 4 ? length - 4 : 0),
	       length > 4 ? 4 : length);
	record->ut_tv.tv_sec = (int32_t)(now / SECOND);
	record->ut_tv.tv_usec = (int32_t)(now % SECOND);
	if (service.peer && service.peer->address.family)
		memcpy(record->ut_addr_v6, service.peer->address.bytes,
		       service.peer->address.family == 6 ? 16 : 4);
	if (end)
		return;
	memcpy(record->ut_user, service.user, strnlen(service.user, sizeof(record->ut_user)));
	if (service.peer && service.peer->address.family) {
		char from[ADDRESS_TEXT_MAX] = "";

		address_text(&service.peer->address, from);
		memcpy(record->ut_host, from, strlen(from));
	}
}

/* Where the terminal's record is in utmp, or where a new one goes; *found: is it a log-in of this
 * process? */
static uint64_t find_record(struct machine *machine, node_number node, uint64_t size,
			    const struct utmp *own, bool *found)
{
	struct file_access access = access_as_root(machine);
	struct utmp record;
	uint64_t at = 0;

	*found = false;
	for (int i = 0; i < UTMP_RECORDS_MAX && at + sizeof(record) <= size;
	     i++, at += sizeof(record)) {
		if (file_system_read(&access, node, at, &record, sizeof(record)) !=
		    (ssize_t)sizeof(record))
			break;
		if (memcmp(record.ut_id, own->ut_id, sizeof(record.ut_id)) == 0) {
			*found = record.ut_type == USER_PROCESS && record.ut_pid == own->ut_pid;
			return at;
		}
	}
	return size / sizeof(record) * sizeof(record);
}

/* A file that is gone stays so: sshd makes neither. */
static void note_record(struct machine *machine, bool end)
{
	struct file_access access = access_as_root(machine);
	struct file_status status;
	struct utmp record;
	node_number node = find_file(machine, "/run/utmp", &status);
	bool found = false;
	uint64_t at;

	fill_record(machine, &record, end);
	if (node) {
		at = find_record(machine, node, status.size, &record, &found);
		if (!end || found)
			(void)!file_system_write(&access, node, at,
						 slice_of(&record, sizeof(record)));
	}
	if (end)
		reduce_for_wtmp(machine, &record);
	node = find_file(machine, "/var/log/wtmp", &status);
	if (node)
		(void)!file_system_write(&access, node, status.size,
					 slice_of(&record, sizeof(record)));
}

static bool has_records(const struct machine *machine)
{
	return machine->terminal && host_kind(machine->host) == HOST_DEBIAN;
}

void login_note_end(struct machine *machine)
{
	/* After machine_run there is a deadline: the leader got as far as the beginning's note. */
	if (has_records(machine) && machine->files && machine->deadline)
		note_record(machine, true);
}

static void greet(struct process *process, const struct account *account)
{
	struct machine *machine = process->machine;
	const struct host_names *names = host_names(machine->host);
	size_t length;
	char *text;

	if (host_kind(machine->host) == HOST_DEBIAN)
		process_print(process, "%s %s %s %s %s\n", names->system, names->node,
			      names->release, names->version, names->machine);
	text = read_text(machine, "/etc/motd", &length);
	if (text)
		process_put(process, slice_of(text, length));
	free(text);
	if (host_kind(machine->host) == HOST_DEBIAN) {
		print_last_login(process, account->uid);
		note_login(process, account->uid);
	}
}

/* --- the leader --- */

/* The leader's first function: greets and becomes the shell. */
static int begin_leader(struct process *process, int argc, char **argv)
{
	struct login *login = process_handed_over(process);
	const char *shell = login->account.shell;
	char *arguments[4] = {NULL};
	const char *slash = strrchr(shell, '/');

	if (has_records(process->machine))
		note_record(process->machine, false);
	if (login->greets)
		greet(process, &login->account);
	if (login->no_shell) {
		process_print(process, "This account is %savailable.\n",
			      host_kind(process->machine->host) == HOST_ROUTER ? "not "
									       : "currently not ");
		return 1;
	}
	if (process_change_folder(process, login->account.home) < 0) {
		(void)process_change_folder(process, "/");
		if (login->greets)
			process_error(process, "Could not chdir to home directory %s: %s\n",
				      login->account.home, strerror(ENOENT));
	}
	if (login->program) {
		(void)process_execute(process, login->program, login->arguments, NULL);
		process_error(process, "%s: No such file or directory\n", login->program);
		return 127;
	}
	if (login->has_command) {
		arguments[0] = process_copy_text(process, slash ? slash + 1 : shell);
		arguments[1] = process_copy_text(process, "-c");
		arguments[2] = login->command;
	} else {
		arguments[0] = process_format(process, "-%s", slash ? slash + 1 : shell);
	}
	(void)process_execute(process, shell, arguments, NULL);
	process_error(process, "%s: No such file or directory\n", shell);
	return 1;
}

static int give_descriptors(struct process_entry *entry)
{
	static const enum open_kind kinds[] = {OPEN_CLIENT_INPUT, OPEN_CLIENT_OUTPUT,
					       OPEN_CLIENT_OUTPUT};
	struct machine *machine = entry->public.machine;
	struct open_file *file = NULL;

	for (int i = 0; i < 3; i++) {
		if (!machine->terminal || !file)
			file = open_file_new(machine, machine->terminal ? OPEN_TERMINAL : kinds[i],
					     machine->terminal ? O_RDWR
					     : i == 0          ? O_RDONLY
							       : O_WRONLY);
		if (!file)
			return -1;
		if (file->kind == OPEN_CLIENT_OUTPUT) {
			file->stream = i == 1 ? MACHINE_OUTPUT : MACHINE_ERRORS;
			machine->client_writers[file->stream]++;
		}
		if (descriptor_put(entry, file, i) < 0)
			return -1;
	}
	return 0;
}

static char **copy_arguments(struct process *process, const struct machine_start *start)
{
	size_t count = 0;
	char **copy;

	while (start->arguments && start->arguments[count])
		count++;
	copy = process_take(process, (count + 2) * sizeof(*copy));
	if (count == 0)
		copy[0] = process_copy_text(process, start->program);
	for (size_t i = 0; i < count; i++)
		copy[i] = process_copy_text(process, start->arguments[i]);
	return copy;
}

/* Nothing of what is taken here is large: the machine has just begun and has all of its memory. */
static void furnish(struct process_entry *entry, const struct machine_start *start,
		    struct login *login)
{
	struct process *process = &entry->public;
	struct machine *machine = process->machine;
	unsigned groups[GROUPS_MAX];
	struct process_identity identity = {login->account.uid,
					    login->account.gid,
					    login->account.uid,
					    login->account.gid,
					    groups,
					    0};

	process->group = process->session = process->pid;
	process->umask = 022;
	process->name = machine->service;
	process->argv = process_take(process, 2 * sizeof(char *));
	process->argv[0] = process_copy_text(process, machine->service);
	process->argc = 1;
	process->environment =
		make_environment(process, login, start->environment, start->environment_count);
	entry->working_folder = process_copy_text(process, "/");
	entry->folder = file_system_root(machine->files);
	identity.group_count = find_groups(machine, &login->account, groups);
	process_become(process, &identity);
	login->has_command = start->command != NULL;
	if (start->command)
		login->command = process_copy_slice(process, *start->command);
	if (start->program) {
		login->program = process_copy_text(process, start->program);
		login->arguments = copy_arguments(process, start);
	}
	login->no_shell = start->no_shell;
	login->greets = start->terminal && !start->command && !start->program && !start->quiet;
	entry->handed_over = login;
	entry->run = begin_leader;
}

int login_begin(struct machine *machine, const struct machine_start *start)
{
	struct process_entry *entry = process_new(machine, NULL);
	struct login *login;

	if (!entry)
		return -1;
	machine->leader = entry;
	login = process_take(&entry->public, sizeof(*login));
	if (!find_account(machine, machine->user, &login->account))
		make_account(machine, machine->user, &login->account);
	/* Who was let in gets a shell, whatever the account's line says. */
	if (strstr(login->account.shell, "nologin") || strstr(login->account.shell, "/false") ||
	    !login->account.shell[0])
		snprintf(login->account.shell, sizeof(login->account.shell), "/bin/sh");
	furnish(entry, start, login);
	if (give_descriptors(entry) < 0)
		return -1;
	if (machine->terminal)
		machine->terminal->foreground = entry->public.group;
	return process_begin(entry);
}
