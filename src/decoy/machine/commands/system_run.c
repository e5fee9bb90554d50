/* Running other commands: env, printenv, nohup, timeout, nice, ionice, chroot, setsid, sleep,
 * watch, stdbuf, time. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/terminal.h"

static _Noreturn void try_help(struct process *p, int status)
{
	if (p->busybox)
		command_busybox_usage(p, system_called(p));
	else
		process_error(p, "Try '%s --help' for more information.\n", p->argv[0]);
	process_exit(p, status);
}

/* Becomes that command; what is said when it cannot. */
static int become(struct process *p, char **argv, char **environment)
{
	char path[4096];
	int error = command_which(p, argv[0], path, sizeof(path));

	if (error == 0)
		error = process_execute(p, path, argv, environment ? environment : p->environment);
	process_complain(p, p->busybox ? "can't execute '%s': %s" : "'%s': %s", argv[0],
			 strerror(-error));
	return error == -ENOENT ? 127 : 126;
}

static int run_env(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"ignore-environment", 'i'},
						   {"null", '0'},
						   {"unset", 'u', OPTION_NEEDS},
						   {"chdir", 'C', OPTION_NEEDS},
						   {"split-string", 'S', OPTION_NEEDS},
						   {"debug", 'v'},
						   TEXT_WORDS};
	struct option_state state = {0};
	size_t count = 0, own = 0;
	char **environment;
	bool empty = false, zero = false;
	const char *unset[32], *folder = NULL;
	size_t unset_count = 0;
	int option, i;

	while ((option = option_next(p, &state, argc, argv, "+iu:0C:vS:", words)) != -1) {
		switch (option) {
		case 'i':
			empty = true;
			break;
		case '0':
			zero = true;
			break;
		case 'u':
			if (unset_count < ARRAY_COUNT(unset))
				unset[unset_count++] = state.argument;
			break;
		case 'C':
			folder = state.argument;
			break;
		case 'v':
		case 'S':
			break;
		default:
			text_other_option(p, option, COREUTILS,
					  " [OPTION]... [-] [NAME=VALUE]... [COMMAND "
					  "[ARG]...]\nSet each NAME "
					  "to VALUE in the environment and run COMMAND.\n",
					  125);
		}
	}
	i = state.index;
	if (i < argc && strcmp(argv[i], "-") == 0) {
		empty = true;
		i++;
	}
	while (p->environment && p->environment[own])
		own++;
	environment = process_take(p, (own + (size_t)argc + 1) * sizeof(*environment));
	for (size_t k = 0; k < own && !empty; k++) {
		bool drop = false;

		for (size_t u = 0; u < unset_count; u++) {
			size_t length = strlen(unset[u]);

			drop |= strncmp(p->environment[k], unset[u], length) == 0 &&
				p->environment[k][length] == '=';
		}
		if (!drop)
			environment[count++] = p->environment[k];
	}
	for (; i < argc && strchr(argv[i], '='); i++) {
		size_t length = (size_t)(strchr(argv[i], '=') - argv[i]) + 1, at = 0;

		while (at < count && strncmp(environment[at], argv[i], length) != 0)
			at++;
		environment[at] = argv[i];
		if (at == count)
			count++;
	}
	environment[count] = NULL;
	if (folder && process_change_folder(p, folder) < 0) {
		process_complain(p, "cannot change directory to '%s': No such file or directory",
				 folder);
		return 125;
	}
	if (i >= argc) {
		for (size_t k = 0; k < count; k++) {
			process_put_text(p, environment[k]);
			process_put_byte(p, zero ? 0 : '\n');
		}
		return 0;
	}
	process_set_environment(p, environment);
	return become(p, argv + i, NULL);
}

static int run_printenv(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"null", '0'}, TEXT_WORDS};
	struct option_state state = {0};
	bool zero = false;
	int option, status = 0;

	while ((option = option_next(p, &state, argc, argv, "+0", words)) != -1) {
		if (option == '0')
			zero = true;
		else
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]... [VARIABLE]...\nPrint the values of the specified "
				"environment VARIABLE(s).\nIf no VARIABLE is specified, print "
				"name and value pairs for them all.\n",
				2);
	}
	if (state.index >= argc) {
		for (size_t i = 0; p->environment && p->environment[i]; i++) {
			process_put_text(p, p->environment[i]);
			process_put_byte(p, zero ? 0 : '\n');
		}
		return 0;
	}
	for (int i = state.index; i < argc; i++) {
		const char *value = strchr(argv[i], '=') ? NULL : process_environment(p, argv[i]);

		if (!value) {
			status = 1;
			continue;
		}
		process_put_text(p, value);
		process_put_byte(p, zero ? 0 : '\n');
	}
	return status;
}

static int run_nohup(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	bool input, output, errors;
	int option, file;

	while ((option = option_next(p, &state, argc, argv, "+", words)) != -1)
		text_other_option(
			p, option, COREUTILS,
			" COMMAND [ARG]...\n  or:  nohup OPTION\nRun COMMAND, ignoring hangup "
			"signals.\n",
			125);
	if (state.index >= argc) {
		process_complain(p, "missing operand");
		try_help(p, 125);
	}
	input = process_is_terminal(p, 0);
	output = process_is_terminal(p, 1);
	errors = process_is_terminal(p, 2);
	process_on_signal(p, SIGHUP, SIGNAL_IGNORED);
	if (output) {
		file = process_open(p, "nohup.out", O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (file < 0) {
			char *home = process_format(p, "%s/nohup.out",
						    process_environment(p, "HOME")
							    ? process_environment(p, "HOME")
							    : "");
			file = process_open(p, home, O_WRONLY | O_CREAT | O_APPEND, 0600);
		}
		if (file < 0) {
			process_complain(p, "failed to open 'nohup.out': %s", strerror(-file));
			return 125;
		}
		process_complain(p, input ? "ignoring input and appending output to 'nohup.out'"
					  : "appending output to 'nohup.out'");
		process_duplicate(p, file, 1);
		process_close(p, file);
	} else if (input) {
		process_complain(p, errors ? "ignoring input and redirecting stderr to stdout"
					   : "ignoring input");
	} else if (errors) {
		process_complain(p, "redirecting stderr to stdout");
	}
	if (input) {
		file = process_open(p, "/dev/null", O_WRONLY, 0);
		if (file > 0) {
			process_duplicate(p, file, 0);
			process_close(p, file);
		}
	}
	if (errors)
		process_duplicate(p, 1, 2);
	{
		int error;
		char path[4096];

		argv += state.index;
		error = command_which(p, argv[0], path, sizeof(path));
		if (error == 0)
			error = process_execute(p, path, argv, p->environment);
		process_complain(p, "failed to run command '%s': %s", argv[0], strerror(-error));
		return error == -ENOENT ? 127 : 126;
	}
}

/* "1.5m" in microseconds; -1. */
static int64_t duration(const char *text)
{
	double value;
	int used = 0;
	double unit = 1;

	if (strcmp(text, "inf") == 0 || strcmp(text, "infinity") == 0)
		return INT64_MAX / 4;
	if (sscanf(text, "%lf%n", &value, &used) != 1 || !(value >= 0) || text[0] == ' ')
		return -1;
	switch (text[used]) {
	case 0:
	case 's':
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return -1;
	}
	if (text[used] && text[used + 1])
		return -1;
	value *= unit * 1e6;
	return value > 9e17 ? INT64_MAX / 4 : (int64_t)value;
}

static int run_sleep(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int64_t total = 0, one;
	bool wrong = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "+", words)) != -1)
		text_other_option(
			p, option, COREUTILS,
			" NUMBER[SUFFIX]...\n  or:  sleep OPTION\nPause for NUMBER seconds.  "
			"SUFFIX may be 's' for seconds (the default),\n'm' for minutes, 'h' for "
			"hours or 'd' for days.  NUMBER need not be an\ninteger.  Given two or "
			"more arguments, pause for the amount of time\nspecified by the sum of "
			"their values.\n",
			1);
	if (state.index >= argc) {
		if (!p->busybox)
			process_complain(p, "missing operand");
		try_help(p, 1);
	}
	for (int i = state.index; i < argc; i++) {
		one = duration(argv[i]);
		if (one < 0) {
			process_complain(p,
					 p->busybox ? "invalid number '%s'"
						    : "invalid time interval '%s'",
					 argv[i]);
			if (p->busybox)
				return 1;
			wrong = true;
			continue;
		}
		if (__builtin_add_overflow(total, one, &total))
			total = INT64_MAX / 4;
	}
	if (wrong)
		try_help(p, 1);
	process_sleep(p, total);
	return 0;
}

static int run_usleep(struct process *p, int argc, char **argv)
{
	int64_t number;

	if (argc < 2 || slice_number(slice_text(argv[1]), 0, INT64_MAX / 4, &number)) {
		command_busybox_usage(p, "usleep");
		return 1;
	}
	process_sleep(p, number);
	return 0;
}

/* Starts a command as a child in the given way. Pid, or ends the caller with 126 or 127. */
static int start_child(struct process *p, char **argv, bool own_group)
{
	char path[4096];
	int error = command_which(p, argv[0], path, sizeof(path));

	if (error < 0) {
		process_complain(p, "failed to run command '%s': %s", argv[0], strerror(-error));
		process_exit(p, error == -ENOENT ? 127 : 126);
	}
	return system_start(p, path, argv, own_group);
}

static int run_timeout(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"foreground", 'f'},      {"kill-after", 'k', OPTION_NEEDS},
		{"preserve-status", 'P'}, {"signal", 's', OPTION_NEEDS},
		{"verbose", 'v'},         TEXT_WORDS};
	struct option_state state = {0};
	int option, signal = SIGTERM, status = 0, pid;
	int64_t limit, grace = 0, until;
	bool preserve = false, expired = false, verbose = false;

	while ((option = option_next(p, &state, argc, argv, "+k:s:v", words)) != -1) {
		switch (option) {
		case 'k':
			grace = duration(state.argument);
			if (grace < 0) {
				process_complain(p, "invalid time interval '%s'", state.argument);
				try_help(p, 125);
			}
			break;
		case 's':
			signal = system_signal(state.argument);
			if (signal < 0) {
				process_complain(p, "'%s': invalid signal", state.argument);
				try_help(p, 125);
			}
			break;
		case 'P':
			preserve = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'f':
			break;
		default:
			text_other_option(
				p, option, COREUTILS,
				" [OPTION] DURATION COMMAND [ARG]...\n  or:  timeout [OPTION]\n"
				"Start COMMAND, and kill it if still running after DURATION.\n",
				125);
		}
	}
	if (state.index + 1 >= argc)
		try_help(p, 125);
	limit = duration(argv[state.index]);
	if (limit < 0) {
		process_complain(p, "invalid time interval '%s'", argv[state.index]);
		try_help(p, 125);
	}
	process_on_signal(p, SIGCHLD, SIGNAL_CAUGHT);
	pid = start_child(p, argv + state.index + 1, false);
	if (pid < 0) {
		process_complain(p, "fork system call failed: %s", strerror(-pid));
		return 125;
	}
	until = process_now(p) + limit;
	for (;;) {
		int done = process_wait(p, pid, WNOHANG, &status);
		int64_t left = until - process_now(p);

		if (done == pid)
			break;
		if (limit && left <= 0) {
			if (verbose)
				process_complain(p, "sending signal %s to command '%s'",
						 expired ? "KILL" : system_signal_name(signal),
						 argv[state.index + 1]);
			process_kill(p, pid, expired ? SIGKILL : signal);
			if (!expired && grace) {
				expired = true;
				until = process_now(p) + grace;
				continue;
			}
			expired = true;
			process_wait(p, pid, 0, &status);
			break;
		}
		process_sleep(p, limit ? left : HOUR); /* SIGCHLD cuts it short */
		(void)process_take_signal(p);
	}
	if (expired && !preserve)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && signal == SIGKILL
			       ? 137
			       : 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_nice(struct process *p, int argc, char **argv)
{
	int i = 1;

	if (argc < 2) {
		process_put_text(p, "0\n");
		return 0;
	}
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "--adjustment") == 0)
			i++;
		else if (!strncmp(argv[i], "-n", 2) || strncmp(argv[i], "--adjustment=", 13) == 0 ||
			 (argv[i][1] >= '0' && argv[i][1] <= '9') || argv[i][1] == '-')
			continue;
		else {
			process_complain(p, "invalid option -- '%c'", argv[i][1]);
			try_help(p, 125);
		}
	}
	if (i >= argc) {
		process_complain(p, "a command must be given with an adjustment");
		try_help(p, 125);
	}
	return become(p, argv + i, NULL);
}

static int run_ionice(struct process *p, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-p") == 0 || strcmp(argv[i], "-P") == 0)
			return 0;
		if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-n") == 0) && i + 1 < argc)
			i++;
	}
	if (i >= argc) {
		process_put_text(p, "none: prio 0\n");
		return 0;
	}
	return become(p, argv + i, NULL);
}

static int run_chroot(struct process *p, int argc, char **argv)
{
	int i = 1;
	struct file_status status;
	int error;

	while (i < argc && argv[i][0] == '-')
		i++;
	if (i >= argc) {
		process_complain(p, "missing operand");
		try_help(p, 125);
	}
	error = process_stat(p, argv[i], true, &status);
	if (!error && p->identity.effective_uid != 0)
		error = -EPERM;
	if (error < 0) {
		process_complain(p, "cannot change root directory to '%s': %s", argv[i],
				 strerror(-error));
		return 125;
	}
	if (strcmp(argv[i], "/") == 0 && i + 1 < argc)
		return become(p, argv + i + 1, NULL);
	process_complain(p, "failed to run command '%s': No such file or directory",
			 i + 1 < argc ? argv[i + 1] : "/bin/bash");
	return 127;
}

static int run_setsid(struct process *p, int argc, char **argv)
{
	int i = 1, pid, status;
	bool wait = false;

	for (; i < argc && argv[i][0] == '-'; i++) {
		wait |= strchr(argv[i], 'w') != NULL;
		if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0)
			system_version(p, UTIL_LINUX);
	}
	if (i >= argc) {
		process_complain(p, "no command specified");
		process_error(p, "Try 'setsid --help' for more information.\n");
		return 1;
	}
	pid = start_child(p, argv + i, true);
	if (pid < 0) {
		process_complain(p, "fork: %s", strerror(-pid));
		return 1;
	}
	if (!wait)
		return 0;
	process_wait(p, pid, 0, &status);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_stdbuf(struct process *p, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++)
		if (strlen(argv[i]) == 2 && i + 1 < argc)
			i++;
	if (i >= argc) {
		process_complain(p, "missing operand");
		try_help(p, 125);
	}
	return become(p, argv + i, NULL);
}

/* --- watch --- */

static int run_watch(struct process *p, int argc, char **argv)
{
	double seconds = 2;
	struct text line = {0};
	bool title = true;
	int i = 1, used = 0;
	const struct terminal_modes *modes = process_terminal(p, 1);
	unsigned rows = modes && modes->rows ? modes->rows : 24;
	unsigned columns = modes && modes->columns ? modes->columns : 80;

	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *value = NULL;

		if (argv[i][1] == 'n')
			value = argv[i][2] ? argv[i] + 2 : ++i < argc ? argv[i] : "2";
		if (value && (sscanf(value, "%lf%n", &seconds, &used) != 1 || value[used])) {
			process_complain(p, "failed to parse argument: '%s'", value);
			return 1;
		}
		if (argv[i][1] == 't')
			title = false;
	}
	if (i >= argc) {
		process_error(
			p,
			"\nUsage:\n watch [options] command\n\nOptions:\n  -n, --interval <secs>  "
			"seconds to wait between updates\n  -t, --no-title         turn off "
			"header\n\n"
			"For more details see watch(1).\n");
		return 1;
	}
	for (; i < argc; i++)
		text_format(p, &line, "%s%s", line.length ? " " : "", argv[i]);
	if (seconds < 0.1)
		seconds = 0.1;
	if (!modes)
		process_error(p, "Error opening terminal: unknown.\n");
	if (!modes)
		return 1;
	process_put_text(p, "\033[?1049h\033[22;0;0t\033[1;24r\033(B\033[m\033[4l\033[?7h");
	for (;;) {
		struct text output = {0};
		struct slice rest, one;
		unsigned row = 0;
		struct civil_time c = system_civil(process_now(p));
		char right[64];

		(void)text_capture(p, line.data, &output);
		process_put_text(p, "\033[H\033[2J");
		if (title) {
			char *left = process_format(p, "Every %.1fs: %s", seconds, line.data);

			(void)snprintf(right, sizeof(right), "%s: %s %s %2d %02d:%02d:%02d %d",
				       host_names(process_host(p))->node, system_days[c.weekday],
				       system_months[c.month - 1], c.day, c.hour, c.minute,
				       c.second, c.year);
			process_print(p, "%.*s", (int)columns, left);
			process_print(
				p, "\033[1;%uH%s\n\n",
				columns > strlen(right) ? columns - (unsigned)strlen(right) + 1 : 1,
				right);
			row = 2;
		}
		rest = text_slice(&output);
		while (row + 1 < rows && slice_next(&rest, '\n', &one)) {
			process_put(p, slice_first(one, columns));
			process_put_text(p, "\n");
			row++;
		}
		process_flush(p);
		process_give(p, output.data);
		process_sleep(p, (int64_t)(seconds * 1e6));
	}
}

static const struct command commands[] = {
	{"env", run_env, COMMAND_BOTH, "/usr/bin"},
	{"printenv", run_printenv, COMMAND_BOTH, "/usr/bin"},
	{"nohup", run_nohup, COMMAND_BOTH, "/usr/bin"},
	{"timeout", run_timeout, COMMAND_BOTH, "/usr/bin"},
	{"sleep", run_sleep, COMMAND_BOTH, "/usr/bin"},
	{"usleep", run_usleep, COMMAND_BUSYBOX, "/usr/bin"},
	{"nice", run_nice, COMMAND_BOTH, "/usr/bin"},
	{"ionice", run_ionice, COMMAND_BOTH, "/usr/bin"},
	{"chroot", run_chroot, COMMAND_BOTH, "/usr/sbin"},
	{"setsid", run_setsid, COMMAND_BOTH, "/usr/bin"},
	{"stdbuf", run_stdbuf, COMMAND_DEBIAN, "/usr/bin"},
	{"watch", run_watch, COMMAND_BOTH, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_run = {"system_run", commands};
