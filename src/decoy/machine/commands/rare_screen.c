/* screen and tmux: a shell within the shell, or a program that runs on behind it. */
#include <fcntl.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/limits.h"

#define SOCKETS_FOLDER "/run/screen"

static char *own_shell(struct process *p)
{
	const char *shell = process_environment(p, "SHELL");

	return process_copy_text(p, shell && *shell ? shell : "/bin/bash");
}

/* Starts it without a terminal. Its process id or -errno. */
static int start_apart(struct process *p, char **argv)
{
	int nothing = process_open(p, "/dev/null", O_RDWR, 0);
	char path[MACHINE_PATH_MAX];

	if (command_which(p, argv[0], path, sizeof(path)) < 0)
		return -1;
	process_flush(p);
	for (int i = 0; i < 3 && nothing >= 0; i++)
		process_duplicate(p, nothing, i);
	return system_start(p, path, argv, true);
}

/* --- screen --- */

static char *sockets_folder(struct process *p)
{
	return process_format(p, SOCKETS_FOLDER "/S-%s", command_user_name(p, p->identity.uid));
}

static int list_sockets(struct process *p)
{
	char *folder = sockets_folder(p);
	struct folder_entry *entries;
	ssize_t count = process_list(p, folder, &entries);
	struct text lines = {0};
	unsigned found = 0;

	for (ssize_t i = 0; i < count; i++) {
		int64_t pid;
		struct slice name = slice_text(entries[i].name);
		struct process *inside;

		if (slice_number(slice_first(name, slice_find_byte(name, '.')), 1, INT32_MAX, &pid))
			continue;
		inside = process_find(p->machine, (unsigned)pid);
		if (!inside) {
			(void)process_unlink(p,
					     process_format(p, "%s/%s", folder, entries[i].name));
			continue;
		}
		struct civil_time c = system_civil(inside->started);
		text_format(p, &lines, "\t%s\t(%02d/%02d/%02d %02d:%02d:%02d)\t(Detached)\n",
			    entries[i].name, c.month, c.day, c.year % 100, c.hour, c.minute,
			    c.second);
		found++;
	}
	if (!found) {
		process_print(p, "No Sockets found in %s.\n\n", folder);
		return 1;
	}
	process_print(p, "There %s on:\n%s%u Socket%s in %s.\n",
		      found == 1 ? "is a screen" : "are screens", lines.data, found,
		      found == 1 ? "" : "s", folder);
	return 0;
}

static int screen_apart(struct process *p, const char *name, char **argv)
{
	char *list[] = {own_shell(p), NULL};
	int pid;

	(void)process_make_folder(p, SOCKETS_FOLDER, 0775);
	(void)process_make_folder(p, sockets_folder(p), 0700);
	pid = start_apart(p, *argv ? argv : list);
	if (pid > 0)
		(void)process_make_node(p,
					process_format(p, "%s/%d.%s", sockets_folder(p), pid, name),
					S_IFIFO | 0600, 0);
	return 0;
}

static int run_screen(struct process *p, int argc, char **argv)
{
	const char *name = NULL;
	bool apart = false, listing = false, resumes = false, commands = false;
	char *list[] = {own_shell(p), NULL};
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		const char *a = argv[at];

		if (strcmp(a, "-v") == 0 || strcmp(a, "--version") == 0) {
			process_put_text(p, "Screen version 4.09.00 (GNU) 30-Jan-22\n");
			return 0;
		}
		if (strcmp(a, "-ls") == 0 || strcmp(a, "-list") == 0)
			listing = true;
		else if (strncmp(a, "-wipe", 5) == 0)
			listing = true;
		else
			for (a++; *a; a++) {
				apart |= *a == 'm' && strchr(argv[at], 'd') != NULL;
				resumes |= strchr("rRx", *a) != NULL;
				commands |= *a == 'X';
				if (strchr("Stcpshe", *a)) {
					if (*a == 'S' && at + 1 < argc)
						name = a[1] ? a + 1 : argv[at + 1];
					at += !a[1];
					break;
				}
			}
	}
	if (listing)
		return list_sockets(p);
	if (commands) {
		process_put_text(p, "No screen session found.\n");
		return 1;
	}
	if (apart)
		return screen_apart(p, name ? name : host_names(process_host(p))->node,
				    at < argc ? argv + at : argv + argc);
	if (resumes) {
		process_put_text(p, "There is no screen to be resumed.\n");
		return 1;
	}
	if (!process_is_terminal(p, 0)) {
		process_put_text(p, "Must be connected to a terminal.\n");
		return 1;
	}
	process_put_text(p, "\033[H\033[J");
	process_flush(p);
	(void)command_run_program(p, at < argc ? argv + at : list, NULL);
	process_put_text(p, "\033[H\033[J[screen is terminating]\n");
	return 0;
}

/* --- tmux --- */

static int run_tmux(struct process *p, int argc, char **argv)
{
	char *list[] = {own_shell(p), NULL};
	bool apart = false, makes = argc < 2;
	const char *socket = "default";
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "-V") == 0) {
			process_put_text(p, "tmux 3.3a\n");
			return 0;
		}
		if (strchr("cfLST", argv[at][1]) && argv[at][1] && at + 1 < argc) {
			if (argv[at][1] == 'L')
				socket = argv[at + 1];
			at++;
		}
	}
	makes |= at >= argc;
	if (!makes && (strcmp(argv[at], "new") == 0 || strcmp(argv[at], "new-session") == 0)) {
		makes = true;
		for (at++; at < argc && argv[at][0] == '-'; at++) {
			apart |= strchr(argv[at], 'd') != NULL;
			at += strchr("censtxyFf", argv[at][strlen(argv[at]) - 1]) != NULL;
		}
	}
	if (!makes) {
		process_error(p,
			      "error connecting to /tmp/tmux-%u/%s (No such file or directory)\n",
			      p->identity.uid, socket);
		return 1;
	}
	if (apart) {
		char *line[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
				at < argc ? argv[at] : NULL, NULL};

		(void)start_apart(p, at < argc && at + 1 == argc ? line
				     : at < argc                 ? argv + at
								 : list);
		return 0;
	}
	if (!process_is_terminal(p, 0)) {
		process_error(p, "open terminal failed: not a terminal\n");
		return 1;
	}
	process_put_text(p, "\033[?1049h\033[H\033[2J");
	process_flush(p);
	(void)command_run_program(p, at < argc ? argv + at : list, NULL);
	process_put_text(p, "\033[?1049l[exited]\n");
	return 0;
}

static const struct command commands[] = {
	{"screen", run_screen, COMMAND_DEBIAN},
	{"tmux", run_tmux, COMMAND_DEBIAN},
	{NULL},
};

const struct command_family command_family_rare_screen = {"rare screen", commands};
