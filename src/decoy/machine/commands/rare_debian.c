/* update-alternatives, start-stop-daemon: what maintains a Debian host. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files.h"
#include "decoy/machine/commands/packages.h"
#include "decoy/machine/commands/system.h"

/* --- update-alternatives --- */

#define ALTERNATIVES    "/var/lib/dpkg/alternatives"
#define ALTERNATIVE_MAX ((size_t)64 * 1024)
#define NAMES_MAX       128
#define CHOICES_MAX     64

struct choice {
	const char *path;
	long priority;
	const char *slaves[NAMES_MAX];
};

struct alternative {
	const char *status, *link;
	const char *names[NAMES_MAX], *links[NAMES_MAX];
	struct choice *choices;
	size_t name_count, count, best, width;
};

static const char *take_line(struct process *p, struct slice *rest)
{
	struct slice line = slice_of("", 0);

	(void)slice_next(rest, '\n', &line);
	return process_copy_slice(p, line);
}

_Noreturn static void alternatives_usage(struct process *p, const char *words)
{
	process_error(p,
		      "update-alternatives: %s\n\n"
		      "Use 'update-alternatives --help' for program usage information.\n",
		      words);
	process_exit(p, 2);
}

/* The file of a name; false: there is none. */
static bool read_alternative(struct process *p, const char *name, struct alternative *a)
{
	struct text file = {0};
	struct slice rest;

	*a = (struct alternative){.status = "", .link = ""};
	if (strchr(name, '/') ||
	    process_read_file(p, files_join(p, ALTERNATIVES, name), ALTERNATIVE_MAX, &file) < 0)
		return false;
	rest = text_slice(&file);
	a->status = take_line(p, &rest);
	a->link = take_line(p, &rest);
	a->width = strlen(a->link);
	a->choices = process_take(p, CHOICES_MAX * sizeof(*a->choices));
	while (rest.length && a->name_count < NAMES_MAX) {
		const char *slave = take_line(p, &rest);

		if (!*slave)
			break;
		a->names[a->name_count] = slave;
		a->links[a->name_count++] = take_line(p, &rest);
	}
	while (rest.length && a->count < CHOICES_MAX) {
		struct choice *c = &a->choices[a->count];

		c->path = take_line(p, &rest);
		if (!*c->path)
			break;
		c->priority = strtol(take_line(p, &rest), NULL, 10);
		for (size_t i = 0; i < a->name_count; i++)
			c->slaves[i] = take_line(p, &rest);
		if (c->priority > a->choices[a->best].priority)
			a->best = a->count;
		if (strlen(c->path) > a->width)
			a->width = strlen(c->path);
		a->count++;
		process_step(p);
	}
	return a->count > 0;
}

static const char *current(struct process *p, const char *name)
{
	int error = 0;
	char *target = files_target(p, files_join(p, "/etc/alternatives", name), &error);

	return target ? target : "";
}

static void display(struct process *p, const char *name, const struct alternative *a)
{
	process_print(p, "%s - %s mode\n  link best version is %s\n", name, a->status,
		      a->choices[a->best].path);
	process_print(p, "  link currently points to %s\n  link %s is %s\n", current(p, name), name,
		      a->link);
	for (size_t i = 0; i < a->name_count; i++)
		process_print(p, "  slave %s is %s\n", a->names[i], a->links[i]);
	for (size_t i = 0; i < a->count; i++) {
		const struct choice *c = &a->choices[i];

		process_print(p, "%s - priority %ld\n", c->path, c->priority);
		for (size_t k = 0; k < a->name_count; k++)
			if (*c->slaves[k])
				process_print(p, "  slave %s: %s\n", a->names[k], c->slaves[k]);
	}
}

static void query(struct process *p, const char *name, const struct alternative *a)
{
	process_print(p, "Name: %s\nLink: %s\n", name, a->link);
	if (a->name_count)
		process_put_text(p, "Slaves:\n");
	for (size_t i = 0; i < a->name_count; i++)
		process_print(p, " %s %s\n", a->names[i], a->links[i]);
	process_print(p, "Status: %s\nBest: %s\nValue: %s\n", a->status, a->choices[a->best].path,
		      current(p, name));
	for (size_t i = 0; i < a->count; i++) {
		const struct choice *c = &a->choices[i];
		bool any = false;

		process_print(p, "\nAlternative: %s\nPriority: %ld\n", c->path, c->priority);
		for (size_t k = 0; k < a->name_count; k++) {
			if (!*c->slaves[k])
				continue;
			process_print(p, "%s %s %s\n", any ? "" : "Slaves:\n", a->names[k],
				      c->slaves[k]);
			any = true;
		}
	}
}

static int choose(struct process *p, const char *name, const struct alternative *a,
		  const struct choice *chosen)
{
	char *path = files_join(p, "/etc/alternatives", name);
	int error = process_unlink(p, path);

	if (error == 0 || error == -ENOENT)
		error = process_symlink(p, chosen->path, path);
	if (error < 0) {
		process_error(p, "update-alternatives: error: unable to create '%s': %s\n", path,
			      strerror(-error));
		return 2;
	}
	for (size_t i = 0; i < a->name_count; i++) {
		char *slave = files_join(p, "/etc/alternatives", a->names[i]);

		(void)process_unlink(p, slave);
		if (*chosen->slaves[i])
			(void)process_symlink(p, chosen->slaves[i], slave);
	}
	return 0;
}

static void configure(struct process *p, const char *name, const struct alternative *a)
{
	const char *now = current(p, name);
	bool automatic = strcmp(a->status, "auto") == 0;
	int width = (int)a->width + 1;

	process_print(p, "There %s %zu choice%s for the alternative %s (providing %s).\n\n",
		      a->count == 1 ? "is" : "are", a->count, a->count == 1 ? "" : "s", name,
		      a->link);
	process_print(p, "  %-12s %-*s %-10s %s\n", "Selection", width, "Path", "Priority",
		      "Status");
	process_put_text(p, "------------------------------------------------------------\n");
	process_print(p, "%s %-12d %-*s % -10ld %s\n", automatic ? "*" : " ", 0, width,
		      a->choices[a->best].path, a->choices[a->best].priority, "auto mode");
	for (size_t i = 0; i < a->count; i++)
		process_print(p, "%s %-12zu %-*s % -10ld %s\n",
			      !automatic && strcmp(a->choices[i].path, now) == 0 ? "*" : " ", i + 1,
			      width, a->choices[i].path, a->choices[i].priority, "manual mode");
	process_put_text(
		p, "\nPress <enter> to keep the current choice[*], or type selection number: ");
}

static int configure_asked(struct process *p, const char *name, const struct alternative *a)
{
	struct line_reader reader;
	struct slice line;
	bool newline;
	int64_t number;

	configure(p, name, a);
	process_flush(p);
	line_reader_open(&reader, 0);
	if (!line_reader_next(p, &reader, &line, &newline) || !line.length ||
	    slice_number(line, 0, (int64_t)a->count, &number) != 0)
		return 0;
	return choose(p, name, a, &a->choices[number ? (size_t)number - 1 : a->best]);
}

static int selection_order(const void *a, const void *b)
{
	return strcmp(((const struct folder_entry *)a)->name,
		      ((const struct folder_entry *)b)->name);
}

static int selections(struct process *p)
{
	struct folder_entry *entries;
	ssize_t count = files_list(p, ALTERNATIVES, &entries);
	struct alternative a;

	if (count > 0)
		qsort(entries, (size_t)count, sizeof(*entries), selection_order);
	for (ssize_t i = 0; i < count; i++)
		if (read_alternative(p, entries[i].name, &a)) {
			process_print(p, "%-30s %-8s %s\n", entries[i].name, a.status,
				      current(p, entries[i].name));
			process_give(p, a.choices);
		}
	return 0;
}

static int set_to(struct process *p, const char *name, const char *path,
		  const struct alternative *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->choices[i].path, path) == 0)
			return choose(p, name, a, &a->choices[i]);
	process_error(p,
		      "update-alternatives: error: alternative %s for %s not registered; not "
		      "setting\n",
		      path, name);
	return 2;
}

static int install(struct process *p, int argc, char **argv, int at)
{
	struct file_status status;
	struct alternative a;
	char *end = NULL, *lines, *path;
	int file;

	if (argc - at < 5)
		alternatives_usage(p, "--install needs <link> <name> <path> <priority>");
	(void)strtol(argv[at + 4], &end, 10);
	if (*end || !*argv[at + 4])
		alternatives_usage(
			p, process_format(p, "priority '%s' must be an integer", argv[at + 4]));
	if (process_stat(p, argv[at + 3], true, &status) < 0) {
		process_error(p, "update-alternatives: error: alternative path %s doesn't exist\n",
			      argv[at + 3]);
		return 2;
	}
	if (strchr(argv[at + 2], '/') || read_alternative(p, argv[at + 2], &a))
		return 0;
	path = files_join(p, ALTERNATIVES, argv[at + 2]);
	lines = process_format(p, "auto\n%s\n\n%s\n%s\n\n", argv[at + 1], argv[at + 3],
			       argv[at + 4]);
	file = process_open(p, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file < 0) {
		process_error(p, "update-alternatives: error: unable to create file '%s': %s\n",
			      path, strerror(-file));
		return 2;
	}
	(void)process_write(p, file, slice_text(lines));
	process_close(p, file);
	process_print(p, "update-alternatives: using %s to provide %s (%s) in auto mode\n",
		      argv[at + 3], argv[at + 1], argv[at + 2]);
	(void)process_unlink(p, argv[at + 1]);
	path = files_join(p, "/etc/alternatives", argv[at + 2]);
	(void)process_symlink(p, path, argv[at + 1]);
	return read_alternative(p, argv[at + 2], &a) ? choose(p, argv[at + 2], &a, a.choices) : 0;
}

static int run_alternatives(struct process *p, int argc, char **argv)
{
	static const char *const named[] = {"--display", "--query", "--list",
					    "--config",  "--set",   "--auto"};
	struct alternative a;
	const char *what = NULL;
	int at = 0;

	for (int i = 1; i < argc; i++) {
		bool known = strcmp(argv[i], "--install") == 0 ||
			     strcmp(argv[i], "--remove") == 0 ||
			     strcmp(argv[i], "--get-selections") == 0;

		for (size_t k = 0; k < ARRAY_COUNT(named); k++)
			known = known || strcmp(argv[i], named[k]) == 0;
		if (strcmp(argv[i], "--version") == 0) {
			process_put_text(p, "Debian update-alternatives version 1.21.23.\n\n"
					    "This is free software; see the GNU General Public "
					    "License version 2 or\nlater for copying conditions. "
					    "There is NO warranty.\n");
			return 0;
		}
		if (known && what)
			alternatives_usage(p, process_format(p, "two commands specified: %s and %s",
							     what, argv[i]));
		if (known) {
			what = argv[i];
			at = i;
		} else if (argv[i][0] == '-' && argv[i][1] == '-' && !what &&
			   strcmp(argv[i], "--quiet") != 0 && strcmp(argv[i], "--force") != 0) {
			alternatives_usage(p, process_format(p, "unknown option '%s'", argv[i]));
		} else if (argv[i][0] == '-' && argv[i][1] != '-' && !what) {
			process_error(p, "update-alternatives: error: unknown argument '%s'\n",
				      argv[i]);
			return 2;
		}
	}
	if (!what)
		alternatives_usage(p, "need --display, --query, --list, --get-selections, "
				      "--config, --set, --set-selections, --install, --remove, "
				      "--all, --remove-all or --auto");
	if (strcmp(what, "--get-selections") == 0)
		return selections(p);
	if (strcmp(what, "--install") == 0)
		return install(p, argc, argv, at);
	if (at + 1 >= argc)
		alternatives_usage(p, process_format(p, "%s needs <name>", what));
	if (strcmp(what, "--set") == 0 && at + 2 >= argc)
		alternatives_usage(p, "--set needs <name> <path>");
	if (!read_alternative(p, argv[at + 1], &a)) {
		if (strcmp(what, "--remove") == 0)
			return 0;
		process_error(p, "update-alternatives: error: no alternatives for %s\n",
			      argv[at + 1]);
		return 2;
	}
	if (strcmp(what, "--list") == 0)
		for (size_t i = 0; i < a.count; i++)
			process_print(p, "%s\n", a.choices[i].path);
	else if (strcmp(what, "--display") == 0)
		display(p, argv[at + 1], &a);
	else if (strcmp(what, "--query") == 0)
		query(p, argv[at + 1], &a);
	else if (strcmp(what, "--config") == 0)
		return configure_asked(p, argv[at + 1], &a);
	else if (strcmp(what, "--set") == 0)
		return set_to(p, argv[at + 1], argv[at + 2], &a);
	else if (strcmp(what, "--auto") == 0)
		return choose(p, argv[at + 1], &a, &a.choices[a.best]);
	return 0;
}

/* --- start-stop-daemon --- */

static int daemon_usage(struct process *p, const char *words)
{
	process_error(p,
		      "start-stop-daemon: %s\nTry 'start-stop-daemon --help' for more "
		      "information.\n",
		      words);
	return 3;
}

struct daemon {
	const char *exec, *name, *file, *startas;
	int command; /* S, K, T; 0: none */
	int signal;
	bool behind, makes, quiet, tests, oknodo;
};

static unsigned daemon_running(struct process *p, const struct daemon *d)
{
	struct task_list list = system_tasks(p);
	struct task task;
	struct text file = {0};
	long pid = 0;

	if (d->file) {
		if (process_read_file(p, d->file, 4096, &file) == 0 && file.data)
			pid = strtol(file.data, NULL, 10);
		return pid > 0 && pid < INT32_MAX && task_find(&list, (unsigned)pid, &task)
			       ? (unsigned)pid
			       : 0;
	}
	while (task_next(&list, &task))
		if (strcmp(task.name, d->name ? d->name : files_last(p, d->exec)) == 0)
			return task.pid;
	return 0;
}

static int daemon_start(struct process *p, const struct daemon *d, char **rest, int count)
{
	const char *path = d->startas ? d->startas : d->exec;
	char **made = process_take(p, ((size_t)count + 2) * sizeof(*made));
	struct file_status status;
	int error = process_stat(p, path, true, &status), pid;

	if (error < 0) {
		process_error(p, "start-stop-daemon: unable to stat %s (%s)\n", path,
			      strerror(-error));
		return 2;
	}
	if (d->tests) {
		process_print(p, "Would start %s ", path);
		for (int i = 0; i < count; i++)
			process_print(p, "%s ", rest[i]);
		process_put_text(p, ".\n");
		return 0;
	}
	made[0] = process_copy_text(p, path);
	for (int i = 0; i < count; i++)
		made[i + 1] = rest[i];
	if (!d->behind) {
		process_flush(p);
		error = process_execute(p, path, made, p->environment);
		process_error(p, "start-stop-daemon: unable to start %s (%s)\n", path,
			      strerror(-error));
		return 2;
	}
	pid = system_start(p, path, made, true);
	if (pid > 0 && d->makes && d->file) {
		int file = process_open(p, d->file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (file >= 0) {
			(void)process_write(p, file, slice_text(process_format(p, "%d\n", pid)));
			process_close(p, file);
		}
	}
	return 0;
}

static int daemon_act(struct process *p, const struct daemon *d, char **rest, int count)
{
	unsigned pid;

	if (d->command == 'S' && !d->exec && !d->startas)
		return daemon_usage(p, "--start needs --exec or --startas");
	pid = daemon_running(p, d);
	if (d->command == 'T')
		return pid ? 0 : d->file && process_access(p, d->file, 0) == 0 ? 1 : 3;
	if (d->command == 'S' && pid) {
		if (!d->quiet)
			process_print(p, "%s already running.\n", d->exec ? d->exec : d->startas);
		return d->oknodo ? 0 : 1;
	}
	if (d->command == 'S')
		return daemon_start(p, d, rest, count);
	if (pid) {
		if (!d->tests)
			(void)process_kill(p, (int)pid, d->signal);
		return 0;
	}
	if (!d->quiet && d->file)
		process_print(p, "No process in pidfile '%s' found running; none killed.\n",
			      d->file);
	else if (!d->quiet)
		process_print(p, "No %s found running; none killed.\n",
			      d->exec ? d->exec : d->name);
	return d->oknodo ? 0 : 1;
}

static int run_daemon(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"start", 'S'},
						   {"stop", 'K'},
						   {"status", 'T'},
						   {"exec", 'x', OPTION_NEEDS},
						   {"name", 'n', OPTION_NEEDS},
						   {"pidfile", 'p', OPTION_NEEDS},
						   {"startas", 'a', OPTION_NEEDS},
						   {"signal", 's', OPTION_NEEDS},
						   {"user", 'u', OPTION_NEEDS},
						   {"chuid", 'c', OPTION_NEEDS},
						   {"retry", 'R', OPTION_NEEDS},
						   {"chdir", 'd', OPTION_NEEDS},
						   {"background", 'b'},
						   {"make-pidfile", 'm'},
						   {"quiet", 'q'},
						   {"test", 't'},
						   {"oknodo", 'o'},
						   {"version", 'V'},
						   {"verbose", 'v'},
						   {NULL}};
	struct option_state state = {0};
	struct daemon d = {.signal = SIGTERM};
	int option;

	while ((option = option_next(p, &state, argc, argv,
				     "+SKTx:n:p:a:s:u:c:R:d:bmqtoVvg:k:N:r:", words)) != -1) {
		if (option == '?')
			return 3;
		if (option == 'V') {
			process_put_text(p, "start-stop-daemon 1.21.23 for Debian\n\n"
					    "Written by Marek Michalkiewicz, public domain.\n");
			return 0;
		}
		if (option == 'S' || option == 'K' || option == 'T') {
			if (d.command)
				return daemon_usage(p, "only one command can be specified");
			d.command = option;
		}
		d.exec = option == 'x' ? state.argument : d.exec;
		d.name = option == 'n' ? state.argument : d.name;
		d.file = option == 'p' ? state.argument : d.file;
		d.startas = option == 'a' ? state.argument : d.startas;
		d.behind = d.behind || option == 'b';
		d.makes = d.makes || option == 'm';
		d.quiet = d.quiet || option == 'q';
		d.tests = d.tests || option == 't';
		d.oknodo = d.oknodo || option == 'o';
		if (option == 's' && (d.signal = system_signal(state.argument)) < 0)
			return daemon_usage(p, "signal value must be numeric or name of signal "
					       "(KILL, INT, ...)");
	}
	if (!d.command)
		return daemon_usage(p, "need one of --start or --stop or --status");
	if (!d.exec && !d.name && !d.file && !(d.command == 'S' && d.startas))
		return daemon_usage(p, "need at least one of --exec, --pid, --ppid, --pidfile, "
				       "--user or --name");
	return daemon_act(p, &d, argv + state.index, argc - state.index);
}

static const struct command commands[] = {
	{"update-alternatives", run_alternatives, COMMAND_DEBIAN},
	{"start-stop-daemon", run_daemon, COMMAND_DEBIAN, "/usr/sbin"},
	{NULL},
};

const struct command_family command_family_rare_debian = {"rare debian", commands};
