/* The list of all processes; see tasks.h. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/tasks.h"

/* What the usual programs take, in kilobytes. */
static const struct {
	const char *name;
	uint64_t virtual, resident, shared;
} sizes[] = {
	{"bash", 7196, 4012, 3352},  {"sh", 2576, 924, 832},
	{"dash", 2576, 924, 832},    {"ps", 11220, 4948, 3412},
	{"top", 11892, 5520, 3432},  {"w", 9616, 3284, 3012},
	{"sleep", 5460, 908, 816},   {"cat", 5472, 904, 816},
	{"vi", 22408, 9312, 7520},   {"python3", 17996, 9816, 6100},
	{"perl", 14100, 7300, 5600}, {"su", 9888, 4600, 4000},
	{"sudo", 11700, 5900, 5100}, {"sftp-server", 7940, 5200, 4600},
	{"ash", 1488, 460, 400},
};

static void sizes_of(struct task *task)
{
	task->virtual_kilobytes = 5680;
	task->resident_kilobytes = 1900;
	task->shared_kilobytes = 1740;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
		if (strcmp(sizes[i].name, task->name) == 0) {
			task->virtual_kilobytes = sizes[i].virtual;
			task->resident_kilobytes = sizes[i].resident;
			task->shared_kilobytes = sizes[i].shared;
		}
	task->resident_kilobytes += task->pid % 23 * 4;
}

static unsigned threads_of(const char *more, const char *name)
{
	static const struct {
		const char *name;
		unsigned threads;
	} known[] = {{"rsyslogd", 4},     {"systemd-timesyn", 2}, {"vmtoolsd", 4},
		     {"redis-server", 5}, {"sqlservr", 97},       {"asterisk", 71},
		     {"geth", 13},        {"unattended-upgr", 2}, {"apache2", 27},
		     {"qemu-ga", 2}};

	if (!strchr(more, 'l'))
		return 1;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].threads;
	return 2;
}

static unsigned group_of(const struct host *host, unsigned uid)
{
	const struct machine_account *accounts;
	size_t count = host_accounts(host, &accounts);

	for (size_t i = 0; i < count; i++)
		if (accounts[i].uid == uid)
			return accounts[i].gid;
	return uid;
}

static void of_host(const struct host *host, const struct host_process *p, struct task *task)
{
	bool kernel = p->command[0] == '[';

	*task = (struct task){
		.pid = p->pid,
		.parent = p->parent,
		.group = kernel ? 0 : p->pid,
		.session = kernel ? 0 : p->pid,
		.uid = p->uid,
		.gid = group_of(host, p->uid),
		.foreground = p->terminal[0] == '?' ? -1 : (int)p->pid,
		.name = p->name,
		.command = p->command,
		.terminal = p->terminal,
		.state = p->state,
		.nice = strchr(p->more, '<')           ? -20
			: strcmp(p->name, "ksmd") == 0 ? 5
						       : 0,
		.threads = threads_of(p->more, p->name),
		.started = p->started,
		/* Hundredths of a second, so that no two end alike. */
		.cpu = p->cpu_seconds * 1000000 +
		       (p->cpu_seconds ? p->pid * 7919 % 100 * 10000 : 0),
		.virtual_kilobytes = p->virtual_kilobytes,
		.resident_kilobytes = p->resident_kilobytes,
		.shared_kilobytes = p->resident_kilobytes / 5 * 4 & ~3ull,
	};
	if (strcmp(p->name, "khugepaged") == 0)
		task->nice = 19;
	/* Children share their parent's group and session. */
	if (!kernel && !strchr(p->more, 's') && p->parent > 2)
		task->group = task->session = p->parent;
	(void)snprintf(task->more, sizeof(task->more), "%s", p->more);
}

/* systemd's own process for who is logged in, and the one that ends it. */
static bool of_user_manager(const struct task_list *list, const struct machine_service *service,
			    unsigned uid, bool second, struct task *task)
{
	if (host_kind(list->host) != HOST_DEBIAN || strcmp(service->name, "sshd") != 0 ||
	    service->pid < 8)
		return false;
	task->pid = service->pid - (second ? 3 : 4);
	task->parent = second ? service->pid - 4 : 1;
	task->group = task->session = service->pid - 4;
	task->uid = task->gid = uid;
	task->name = second ? "(sd-pam)" : "systemd";
	(void)snprintf(task->text, sizeof(task->text), "%s",
		       second ? "(sd-pam)" : "/lib/systemd/systemd --user");
	if (!second)
		task->more[0] = 's';
	task->virtual_kilobytes = second ? 169480 : 18920;
	task->resident_kilobytes = second ? 2980 : 10640;
	task->shared_kilobytes = second ? 0 : 8900;
	return true;
}

/* The processes of the service that the log-in came by. */
static bool of_service(const struct task_list *list, size_t which, struct task *task)
{
	struct machine_service service;
	unsigned listener, uid = 0;
	bool root, telnet;

	if (!list->machine)
		return false;
	machine_service(list->machine, &service);
	root = strcmp(service.user, "root") == 0;
	telnet = strcmp(service.name, "telnetd") == 0;
	listener = host_process_id(list->host, telnet ? "inetd" : service.name, list->now);
	if (!listener)
		listener = host_process_id(list->host, service.name, list->now);
	if (!listener)
		listener = 1;
	if (!root) {
		struct process *leader = process_at(list->machine, 0);

		uid = leader ? leader->identity.uid : 1000;
	}
	*task = (struct task){
		.foreground = -1,
		.name = service.name,
		.terminal = "?",
		.state = 'S',
		.threads = 1,
		.started = service.since,
		.cpu = 40000,
	};
	if (which == 1 || which == 2)
		return !telnet && of_user_manager(list, &service, uid, which == 2, task);
	if (which == 0) {
		if (root && !telnet)
			return false; /* sshd parts itself only for others */
		task->pid = service.privileged_pid ? service.privileged_pid : service.pid - 1;
		task->parent = listener;
		(void)snprintf(task->text, sizeof(task->text),
			       telnet ? "/usr/sbin/telnetd" : "sshd: %s [priv]", service.user);
		task->more[0] = 's';
		if (telnet && host_kind(list->host) == HOST_ROUTER)
			return false;
	} else {
		task->pid = service.pid;
		task->parent = root && !telnet          ? listener
			       : service.privileged_pid ? service.privileged_pid
							: service.pid - 1;
		task->uid = task->gid = telnet ? 0 : uid;
		if (telnet) {
			char from[ADDRESS_TEXT_MAX] = "";

			if (host_kind(list->host) == HOST_ROUTER)
				return false;
			if (service.peer)
				address_text(&service.peer->address, from);
			task->name = "login";
			(void)snprintf(task->text, sizeof(task->text), "/bin/login -p -h %s %s",
				       from, "");
			task->text[strlen(task->text) - 1] = 0;
			snprintf(task->terminal_text, sizeof(task->terminal_text), "%.15s",
				 service.terminal);
			task->terminal = NULL; /* set below, in its own room */
			task->more[0] = 's';
		} else {
			const char *terminal =
				service.terminal[0] == '?' ? "notty" : service.terminal;

			(void)snprintf(task->text, sizeof(task->text), "sshd: %s@%s", service.user,
				       terminal);
			if (root)
				task->more[0] = 's';
		}
	}
	task->group = task->session = root || which == 0 ? task->pid : task->parent;
	task->virtual_kilobytes = telnet ? 6104 : 17704;
	task->resident_kilobytes = (telnet ? 3600 : which ? 6800 : 10900) + task->pid % 40 * 4;
	task->shared_kilobytes = task->resident_kilobytes / 5 * 4 & ~3ull;
	return true;
}

static void of_log_in(const struct task_list *list, struct process *p, struct task *task)
{
	static const char states[] = {
		[PROCESS_RUNNING] = 'R',
		[PROCESS_SLEEPING] = 'S',
		[PROCESS_STOPPED] = 'T',
		[PROCESS_ZOMBIE] = 'Z',
	};
	const char *terminal = process_terminal_name(p);
	unsigned foreground = process_foreground(p);
	char *more = task->more;

	*task = (struct task){
		.pid = p->pid,
		.parent = process_parent_id(p),
		.group = p->group,
		.session = p->session,
		.uid = p->identity.effective_uid,
		.gid = p->identity.effective_gid,
		.foreground = terminal[0] == '?' ? -1 : (int)foreground,
		.name = p->name,
		.terminal = terminal,
		.state = states[process_condition(p)],
		.threads = 1,
		.started = p->started,
		.cpu = p->cpu,
		.process = p,
	};
	if (task->state == 'R' && p != list->asker)
		task->state = 'S';
	if (p == list->asker)
		task->state = 'R';
	if (p->session == p->pid)
		*more++ = 's';
	if (terminal[0] != '?' && foreground == p->group)
		*more++ = '+';
	if (task->state == 'Z') {
		(void)snprintf(task->text, sizeof(task->text), "[%.15s] <defunct>", p->name);
		return;
	}
	sizes_of(task);
}

/* task->command and terminal may point into the task itself: set after it is in its place. */
static void settle(struct task *task)
{
	if (task->text[0])
		task->command = task->text;
	if (task->terminal_text[0] || !task->terminal)
		task->terminal = task->terminal_text;
}

void task_copy(struct task *to, const struct task *from)
{
	*to = *from;
	settle(to);
}

bool task_next(struct task_list *list, struct task *task)
{
	const struct host_process *others;
	size_t count = host_processes(list->host, &others, list->now);

	if (list->index < count) {
		of_host(list->host, &others[list->index++], task);
		settle(task);
		return true;
	}
	while (list->index < count + 4)
		if (of_service(list, list->index++ - count, task)) {
			settle(task);
			return true;
		}
	if (list->machine) {
		struct process *p = process_at(list->machine, list->index - count - 4);

		if (p) {
			list->index++;
			of_log_in(list, p, task);
			settle(task);
			return true;
		}
	}
	return false;
}

bool task_find(const struct task_list *list, unsigned pid, struct task *task)
{
	struct task_list all = *list;

	all.index = 0;
	while (task_next(&all, task))
		if (task->pid == pid)
			return true;
	return false;
}

void task_command(const struct task *task, struct writer *out, char separator)
{
	if (task->command) {
		for (const char *at = task->command; *at; at++)
			writer_u8(out, (uint8_t)(*at == ' ' && !separator ? 0 : *at));
		if (!separator)
			writer_u8(out, 0);
		return;
	}
	for (int i = 0; task->process && i < task->process->argc; i++) {
		if (i && separator)
			writer_u8(out, (uint8_t)separator);
		writer_text(out, task->process->argv[i]);
		if (!separator)
			writer_u8(out, 0);
	}
}

void task_count(const struct task_list *list, unsigned *all, unsigned *running)
{
	struct task_list each = *list;
	struct task task;

	*all = *running = 0;
	each.index = 0;
	while (task_next(&each, &task)) {
		(*all) += task.threads;
		*running += task.state == 'R';
	}
}
