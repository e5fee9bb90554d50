/* Finding and ending processes: kill, pkill, pgrep, pidof, killall, pstree. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/regex.h"

#define TASKS_MAX 512

static void list_signals(struct process *p, bool table)
{
	for (int i = 1; i <= 31; i++) {
		if (table)
			process_print(p, "%2d %-9s%s", i, system_signal_name(i),
				      i % 7 == 0 || i == 31 ? "\n" : "");
		else
			process_print(p, "%s%s", system_signal_name(i), i == 31 ? "\n" : " ");
	}
}

static const char kill_usage[] =
	"\nUsage:\n kill [options] <pid> [...]\n\nOptions:\n"
	" <pid> [...]            send signal to every <pid> listed\n"
	" -<signal>, -s, --signal <signal>\n"
	"                        specify the <signal> to be sent\n"
	" -q, --queue <value>    integer value to be sent with the signal\n"
	" -l, --list=[<signal>]  list all signal names, or convert one to a name\n"
	" -L, --table            list all signal names in a nice table\n\n"
	" -h, --help     display this help and exit\n"
	" -V, --version  output version information and exit\n\n"
	"For more details see kill(1).\n";

static int run_kill(struct process *p, int argc, char **argv)
{
	int signal = SIGTERM, status = 0, first = 1;

	if (argc < 2)
		system_usage(p, kill_usage, 1);
	for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
		const char *word = argv[first] + 1;

		if (strcmp(word, "-") == 0) {
			first++;
			break;
		}
		if (strcmp(word, "l") == 0 || strcmp(word, "-list") == 0) {
			int number = first + 1 < argc ? system_signal(argv[first + 1]) : -1;

			if (first + 1 >= argc) {
				list_signals(p, false);
				return 0;
			}
			number = number > 128 ? number - 128 : number;
			if (number < 0)
				return 1;
			process_print(p, argv[first + 1][0] <= '9' ? "%s\n" : "%.0s%d\n",
				      system_signal_name(number) ? system_signal_name(number) : "",
				      number);
			return 0;
		}
		if (strcmp(word, "L") == 0 || strcmp(word, "-table") == 0) {
			list_signals(p, true);
			return 0;
		}
		if (strcmp(word, "V") == 0 || strcmp(word, "-version") == 0)
			system_version(p, PROCPS);
		if (strcmp(word, "h") == 0 || strcmp(word, "-help") == 0)
			system_usage(p, kill_usage, 0);
		if (strcmp(word, "s") == 0 || strcmp(word, "-signal") == 0 ||
		    strcmp(word, "n") == 0) {
			if (++first >= argc)
				system_usage(p, kill_usage, 1);
			word = argv[first];
		}
		signal = system_signal(word);
		if (signal < 0) {
			if (p->busybox)
				process_complain(p, "bad signal name '%s'", word);
			else
				process_complain(p, "unknown signal name %s", word);
			return 1;
		}
	}
	if (first >= argc)
		system_usage(p, kill_usage, 1);
	for (int i = first; i < argc; i++) {
		int64_t pid;
		int error;

		if (slice_number(slice_text(argv[i]), INT32_MIN, INT32_MAX, &pid)) {
			if (p->busybox)
				process_complain(p, "invalid number '%s'", argv[i]);
			else
				process_complain(p, "failed to parse argument: '%s'", argv[i]);
			status = 1;
			continue;
		}
		error = process_kill(p, (int)pid, signal);
		if (error < 0) {
			if (p->busybox)
				process_complain(p, "can't kill pid %lld: %s", (long long)pid,
						 strerror(-error));
			else
				process_complain(p, "(%lld): %s", (long long)pid, strerror(-error));
			status = 1;
		}
	}
	return status;
}

/* --- pgrep and pkill --- */

static const char pgrep_usage[] =
	"\nUsage:\n pgrep [options] <pattern>\n\nOptions:\n"
	" -d, --delimiter <string>  specify output delimiter\n"
	" -l, --list-name           list PID and process name\n"
	" -a, --list-full           list PID and full command line\n"
	" -v, --inverse             negates the matching\n"
	" -w, --lightweight         list all TID\n"
	" -c, --count               count of matching processes\n"
	" -f, --full                use full process name to match\n"
	" -g, --pgroup <PGID,...>   match listed process group IDs\n"
	" -G, --group <GID,...>     match real group IDs\n"
	" -i, --ignore-case         match case insensitively\n"
	" -n, --newest              select most recently started\n"
	" -o, --oldest              select least recently started\n"
	" -O, --older <seconds>     select where older than seconds\n"
	" -P, --parent <PPID,...>   match only child processes of the given parent\n"
	" -s, --session <SID,...>   match session IDs\n"
	" -t, --terminal <tty,...>  match by controlling terminal\n"
	" -u, --euid <ID,...>       match by effective IDs\n"
	" -U, --uid <ID,...>        match by real IDs\n"
	" -x, --exact               match exactly with the command name\n"
	" -F, --pidfile <file>      read PIDs from file\n"
	" -L, --logpidfile          fail if PID file is not locked\n"
	" -r, --runstates <state>   match runstates [D,S,Z,...]\n"
	" -A, --ignore-ancestors    exclude our ancestors from results\n"
	" --ns <PID>                match the processes that belong to the same\n"
	"                           namespace as <pid>\n"
	" --nslist <ns,...>         list which namespaces will be considered for\n"
	"                           the --ns option.\n"
	"                           Available namespaces: ipc, mnt, net, pid, user, uts\n\n"
	" -h, --help     display this help and exit\n"
	" -V, --version  output version information and exit\n\n"
	"For more details see pgrep(1).\n";

struct grep {
	bool kill, full, exact, inverse, names, lines, count, newest, oldest, ignore_case, echo;
	int signal;
	const char *delimiter, *pattern, *terminal;
	unsigned uid, parent;
	bool by_uid, by_parent, by_terminal;
	struct regex *regex;
};

static bool grep_matches(struct process *p, struct grep *g, const struct task *t)
{
	struct writer w = writer_growing(64 * 1024);
	bool match = true;

	if (g->by_uid)
		match = t->uid == g->uid;
	if (match && g->by_parent)
		match = t->parent == g->parent;
	if (match && g->by_terminal)
		match = strcmp(t->terminal, g->terminal) == 0;
	if (match && g->pattern) {
		if (g->full)
			task_command(t, &w, ' ');
		else
			writer_format(&w, "%.15s", t->name);
		match = regex_match(p, g->regex, writer_slice(&w), 0, NULL, 0);
	}
	writer_free(&w);
	process_step(p);
	return match != g->inverse && t->pid != p->pid;
}

static void grep_options(struct process *p, struct grep *g, int *argc, char ***argv)
{
	static const struct option_word words[] = {{"signal", 'k', OPTION_NEEDS},
						   {"delimiter", 'd', OPTION_NEEDS},
						   {"list-name", 'l'},
						   {"list-full", 'a'},
						   {"inverse", 'v'},
						   {"count", 'c'},
						   {"full", 'f'},
						   {"ignore-case", 'i'},
						   {"newest", 'n'},
						   {"oldest", 'o'},
						   {"parent", 'P', OPTION_NEEDS},
						   {"terminal", 't', OPTION_NEEDS},
						   {"euid", 'u', OPTION_NEEDS},
						   {"uid", 'U', OPTION_NEEDS},
						   {"exact", 'x'},
						   {"echo", 'e'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	unsigned gid;
	int64_t number;
	int option;

	/* pkill -9, pkill -HUP: anywhere among the options. */
	for (int i = 1; g->kill && i < *argc; i++) {
		int signal = (*argv)[i][0] == '-' ? system_signal((*argv)[i] + 1) : -1;

		if (signal < 0)
			continue;
		g->signal = signal;
		for (int k = i; k + 1 <= *argc; k++)
			(*argv)[k] = (*argv)[k + 1];
		(*argc)--;
		break;
	}
	while ((option = option_next(p, &state, *argc, *argv,
				     ":LF:cefinoxP:O:g:s:u:U:G:t:vd:laxr:Ahw", words)) != -1) {
		switch (option) {
		case 'l':
			g->names = true;
			break;
		case 'a':
			g->lines = true;
			break;
		case 'v':
			g->inverse = true;
			break;
		case 'c':
			g->count = true;
			break;
		case 'f':
			g->full = true;
			break;
		case 'i':
			g->ignore_case = true;
			break;
		case 'n':
			g->newest = true;
			break;
		case 'o':
			g->oldest = true;
			break;
		case 'x':
			g->exact = true;
			break;
		case 'e':
			g->echo = true;
			break;
		case 'd':
			g->delimiter = state.argument;
			break;
		case 'k':
			g->signal = system_signal(state.argument);
			break;
		case 'P':
			if (slice_number(slice_text(state.argument), 0, INT32_MAX, &number))
				number = 0;
			g->parent = (unsigned)number;
			g->by_parent = true;
			break;
		case 't':
			g->terminal = state.argument;
			g->by_terminal = true;
			break;
		case 'u':
		case 'U':
			if (command_user_id(p, state.argument, &g->uid, &gid) < 0) {
				process_complain(p, "invalid user name: %s", state.argument);
				process_exit(p, 2);
			}
			g->by_uid = true;
			break;
		case 'h':
			system_usage(p, pgrep_usage, 0);
		case 'V':
			system_version(p, PROCPS);
		case '?':
			system_usage(p, pgrep_usage, 2);
		default:
			break;
		}
	}
	if (state.index < *argc)
		g->pattern = (*argv)[state.index];
	if (state.index + 1 < *argc) {
		process_complain(p,
				 "only one pattern can be provided\nTry `%s --help' for more "
				 "information.",
				 (*argv)[0]);
		process_exit(p, 2);
	}
	if (!g->pattern && !g->by_uid && !g->by_parent && !g->by_terminal) {
		process_complain(p,
				 "no matching criteria specified\nTry `%s --help' for more "
				 "information.",
				 (*argv)[0]);
		process_exit(p, 2);
	}
}

static int run_pgrep(struct process *p, int argc, char **argv)
{
	struct grep g = {.signal = SIGTERM, .delimiter = "\n"};
	struct task_list list = system_tasks(p);
	struct task *task = process_take(p, sizeof(*task));
	unsigned *found = process_take(p, TASKS_MAX * sizeof(*found)), count = 0;
	int status;

	process_sleep(p, 4 * MILLISECOND);
	g.kill = strcmp(system_called(p), "pkill") == 0;
	grep_options(p, &g, &argc, &argv);
	if (g.pattern) {
		const char *error = NULL;

		g.regex = regex_new(p, slice_text(g.pattern), REGEX_EXTENDED,
				    (g.ignore_case ? REGEX_IGNORE_CASE : 0u) |
					    (g.exact ? REGEX_WHOLE : 0u),
				    &error);
		if (!g.regex) {
			process_complain(p, "%s", error ? error : "Invalid regular expression");
			return 2;
		}
	}
	while (count < TASKS_MAX && task_next(&list, task))
		if (grep_matches(p, &g, task))
			found[count++] = task->pid;
	if (count && (g.newest || g.oldest)) {
		found[0] = found[g.newest ? count - 1 : 0];
		count = 1;
	}
	status = count ? 0 : 1;
	if (g.count && !g.kill) {
		process_print(p, "%u\n", count);
		return status;
	}
	for (unsigned i = 0; i < count; i++) {
		int error;

		list.index = 0;
		if (!task_find(&list, found[i], task))
			continue;
		if (g.kill) {
			error = process_kill(p, (int)found[i], g.signal);
			if (error < 0 && error != -ESRCH) {
				process_complain(p, "killing pid %u failed: %s", found[i],
						 strerror(-error));
				status = 1;
			} else if (g.echo) {
				process_print(p, "%.15s killed (pid %u)\n", task->name, found[i]);
			}
			continue;
		}
		process_print(p, "%s%u", i ? g.delimiter : "", found[i]);
		if (g.lines) {
			struct writer w = writer_growing(64 * 1024);

			if (task->virtual_kilobytes)
				task_command(task, &w, ' ');
			else
				writer_format(&w, "%.15s", task->name);
			process_put_byte(p, ' ');
			process_put(p, writer_slice(&w));
			writer_free(&w);
		} else if (g.names) {
			process_print(p, " %.15s", task->name);
		}
	}
	if (!g.kill && count)
		process_put_byte(p, '\n');
	return status;
}

/* --- pidof --- */

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Its name, its first argument, or the name of that: what pidof and killall take. */
static bool is_called(const struct task *t, const char *name)
{
	char first[64];
	const char *command = t->command                       ? t->command
			      : t->process && t->process->argc ? t->process->argv[0]
							       : "";

	if (strncmp(t->name, name, 15) == 0 && strlen(name) <= 15)
		return true;
	(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(command, " :"), command);
	return strcmp(first, name) == 0 ||
	       (first[0] != '[' && strcmp(base(first), base(name)) == 0);
}

static int run_pidof(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	struct task *task = process_take(p, sizeof(*task));
	unsigned *found = process_take(p, TASKS_MAX * sizeof(*found)), count = 0;
	bool single = false, quiet = false;
	const char *separator = " ";
	int option;

	while ((option = option_next(p, &state, argc, argv, "scqnxzho:d:S:", NULL)) != -1) {
		single |= option == 's';
		quiet |= option == 'q';
		if (option == 'd' || option == 'S')
			separator = state.argument;
		if (option == '?')
			return 1;
	}
	for (int i = state.index; i < argc; i++) {
		struct task_list list = system_tasks(p);

		while (count < TASKS_MAX && task_next(&list, task)) {
			process_step(p);
			if (task->pid != p->pid && is_called(task, argv[i]) &&
			    task->virtual_kilobytes)
				found[count++] = task->pid;
		}
	}
	/* The newest first. */
	for (unsigned i = count; i-- > 0 && !quiet;) {
		process_print(p, "%s%u", i + 1 == count ? "" : separator, found[i]);
		if (single)
			break;
	}
	if (count && !quiet)
		process_put_byte(p, '\n');
	return count ? 0 : 1;
}

/* --- killall --- */

static const char killall_usage[] =
	"Usage: killall [OPTION]... [--] NAME...\n"
	"       killall -l, --list\n"
	"       killall -V, --version\n\n"
	"  -e,--exact          require exact match for very long names\n"
	"  -I,--ignore-case    case insensitive process name match\n"
	"  -g,--process-group  kill process group instead of process\n"
	"  -y,--younger-than   kill processes younger than TIME\n"
	"  -o,--older-than     kill processes older than TIME\n"
	"  -i,--interactive    ask for confirmation before killing\n"
	"  -l,--list           list all known signal names\n"
	"  -q,--quiet          don't print complaints\n"
	"  -r,--regexp         interpret NAME as an extended regular expression\n"
	"  -s,--signal SIGNAL  send this signal instead of SIGTERM\n"
	"  -u,--user USER      kill only process(es) running as USER\n"
	"  -v,--verbose        report if the signal was successfully sent\n"
	"  -V,--version        display version information\n"
	"  -w,--wait           wait for processes to die\n"
	"  -n,--ns PID         match processes that belong to the same namespaces\n"
	"                      as PID\n"
	"  -Z,--context REGEXP kill only process(es) having context\n"
	"                      (must precede other arguments)\n\n";

static int run_killall(struct process *p, int argc, char **argv)
{
	struct task *task = process_take(p, sizeof(*task));
	int signal = SIGTERM, status = 0, first = 1;
	bool quiet = false, verbose = false;

	for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
		const char *word = argv[first] + 1;

		if (strcmp(word, "-") == 0) {
			first++;
			break;
		}
		if (strcmp(word, "l") == 0 || strcmp(word, "-list") == 0) {
			list_signals(p, false);
			return 0;
		}
		if (strcmp(word, "q") == 0 || strcmp(word, "-quiet") == 0)
			quiet = true;
		else if (strcmp(word, "v") == 0 || strcmp(word, "-verbose") == 0)
			verbose = true;
		else if (strcmp(word, "s") == 0 && first + 1 < argc)
			signal = system_signal(argv[++first]);
		else if (strcmp(word, "u") == 0 && first + 1 < argc)
			first++;
		else if (strlen(word) == 1 && strchr("eIgirw", *word))
			continue;
		else if (system_signal(word) >= 0)
			signal = system_signal(word);
		else
			system_usage(p, killall_usage, 1);
	}
	if (first >= argc)
		system_usage(p, killall_usage, 1);
	for (int i = first; i < argc; i++) {
		struct task_list list = system_tasks(p);
		bool any = false;

		while (task_next(&list, task)) {
			int error;

			process_step(p);
			if (task->pid == p->pid || !is_called(task, argv[i]))
				continue;
			error = process_kill(p, (int)task->pid, signal);
			if (error == -EPERM) {
				if (!quiet)
					process_error(p, "%s(%u): Operation not permitted\n",
						      argv[i], task->pid);
				status = 1;
			} else if (!error) {
				any = true;
				if (verbose)
					process_error(p, "Killed %s(%u) with signal %d\n", argv[i],
						      task->pid, signal);
			}
		}
		if (!any) {
			if (!quiet)
				process_error(p,
					      p->busybox ? "killall: %s: no process killed\n"
							 : "%s: no process found\n",
					      argv[i]);
			status = 1;
		}
	}
	return status;
}

static const struct command commands[] = {
	{"kill", run_kill, COMMAND_BOTH, "/usr/bin"},
	{"pgrep", run_pgrep, COMMAND_BOTH, "/usr/bin"},
	{"pkill", run_pgrep, COMMAND_BOTH, "/usr/bin"},
	{"pidof", run_pidof, COMMAND_BOTH, "/usr/bin"},
	{"killall5", run_pidof, COMMAND_DEBIAN, "/usr/sbin"},
	{"killall", run_killall, COMMAND_BOTH, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_kill = {"system_kill", commands};
