/* What the system's commands share. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

const char *const system_months[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
const char *const system_days[7] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct task_list system_tasks(struct process *process)
{
	return (struct task_list){.host = process_host(process),
				  .machine = process->machine,
				  .asker = process,
				  .now = process_now(process)};
}

const char *system_called(const struct process *process)
{
	const char *slash = strrchr(process->argv[0], '/');

	return slash ? slash + 1 : process->argv[0];
}

_Noreturn void system_version(struct process *process, const char *version)
{
	process_print(process, "%s %s\n", system_called(process), version);
	process_exit(process, 0);
}

_Noreturn void system_usage(struct process *process, const char *usage, int status)
{
	if (status == 0)
		process_put_text(process, usage);
	else
		process_error(process, "%s", usage);
	process_exit(process, status);
}

struct civil_time system_civil(int64_t time)
{
	return clock_civil(time);
}

/* --- who is on line --- */

bool system_user_at(struct process *process, size_t index, struct system_user *user)
{
	const struct host_login *logins;
	size_t count = host_logins(process_host(process), &logins), found = 0;
	int64_t now = process_now(process);
	struct machine_service service;

	for (size_t i = count; i-- > 0;) {
		if (logins[i].ended || logins[i].started > now)
			continue;
		if (found++ == index) {
			*user = (struct system_user){.user = logins[i].user,
						     .terminal = logins[i].terminal,
						     .since = logins[i].started,
						     .pid = logins[i].pid};
			if (logins[i].from.family)
				address_text(&logins[i].from, user->from);
			return true;
		}
	}
	if (found != index)
		return false;
	machine_service(process->machine, &service);
	if (strncmp(service.terminal, "pts", 3) != 0 && strncmp(service.terminal, "tty", 3) != 0)
		return false;
	*user = (struct system_user){.user = service.user,
				     .terminal = service.terminal,
				     .since = service.since,
				     .pid = service.pid,
				     .own = true};
	if (service.peer)
		address_text(&service.peer->address, user->from);
	return true;
}

size_t system_user_count(struct process *process)
{
	struct system_user user;
	size_t count = 0;

	while (system_user_at(process, count, &user))
		count++;
	return count;
}

void system_uptime_line(struct process *process, struct text *text)
{
	const struct host *host = process_host(process);
	int64_t now = process_now(process);
	struct civil_time c = system_civil(now);
	int64_t minutes = (now - host_boot_time(host, now)) / MINUTE;
	int64_t days = minutes / 1440;
	size_t users = system_user_count(process);

	text_format(process, text, " %02d:%02d:%02d up ", c.hour, c.minute, c.second);
	if (days)
		text_format(process, text, "%lld day%s, ", (long long)days, days == 1 ? "" : "s");
	minutes %= 1440;
	if (minutes / 60)
		text_format(process, text, "%2lld:%02lld", (long long)minutes / 60,
			    (long long)minutes % 60);
	else
		text_format(process, text, "%lld min", (long long)minutes % 60);
	text_format(process, text, ", %2zu user%s", users,
		    users > 1 || process->busybox ? "s" : "");
	text_format(process, text, ",  load average: %.2f, %.2f, %.2f", host_load(host, now, 1),
		    host_load(host, now, 5), host_load(host, now, 15));
}

/* --- signals --- */

static const char *const signals[] = {
	"0",    "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
	"SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
	"TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "POLL", "PWR",  "SYS",
};

const char *system_signal_name(int signal)
{
	return signal > 0 && (size_t)signal < ARRAY_COUNT(signals) ? signals[signal] : NULL;
}

int system_signal(const char *name)
{
	int64_t number;

	if (slice_number(slice_text(name), 0, 64, &number) == 0)
		return (int)number;
	if (slice_starts_nocase(slice_text(name), "SIG"))
		name += 3;
	for (size_t i = 1; i < ARRAY_COUNT(signals); i++)
		if (slice_is_nocase(slice_text(name), signals[i]))
			return (int)i;
	if (slice_is_nocase(slice_text(name), "IO"))
		return 29;
	return -1;
}

/* --- children --- */

/* The arguments are the path and then the program's own. */
static int run_child(struct process *process, int argc, char **argv)
{
	int error = process_execute(process, argv[0], argv + 1, process->environment);

	(void)argc;
	process_exit(process, error == -ENOENT ? 127 : 126);
}

int system_start(struct process *process, const char *path, char **argv, bool own_group)
{
	struct process_start start = {.run = run_child, .own_group = own_group};
	int count = 0, pid;

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
	return pid;
}
