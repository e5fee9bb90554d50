/* pstree, lsof, whereis, man, whatis, apropos. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/sockets.h"

/* --- pstree --- */

#define BRANCHES_MAX 512
#define DEPTH_MAX    24

struct branch {
	unsigned pid, parent, threads;
	char name[16];
};

struct tree {
	struct process *process;
	struct branch *branches;
	size_t count;
	bool numbers, lines; /* with process ids; with drawn lines */
	struct text prefix;
};

enum piece { ONLY, FIRST, MIDDLE, LAST, DOWN };
static const char *const ascii[] = {"---", "-+-", " |-", " `-", " | "};
static const char *const drawn[] = {"───", "─┬─", " ├─", " └─", " │ "};

static int by_name(const void *a, const void *b)
{
	const struct branch *one = a, *two = b;
	int order = strcmp(one->name, two->name);

	return order ? order : one->pid < two->pid ? -1 : one->pid > two->pid;
}

static bool has_children(const struct tree *tree, unsigned pid)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->branches[i].parent == pid)
			return true;
	return false;
}

/* How many of the same name and without children stand together from here on. */
static size_t alike(const struct tree *tree, const size_t *children, size_t count, size_t at)
{
	const struct branch *first = &tree->branches[children[at]];
	size_t same = 1;

	if (tree->numbers || first->threads > 1 || has_children(tree, first->pid))
		return 1;
	while (at + same < count) {
		const struct branch *next = &tree->branches[children[at + same]];

		if (strcmp(next->name, first->name) != 0 || next->threads > 1 ||
		    has_children(tree, next->pid))
			break;
		same++;
	}
	return same;
}

static void draw(struct tree *tree, const struct branch *branch, size_t alike_count,
		 unsigned depth);

static void draw_children(struct tree *tree, const struct branch *branch, size_t width,
			  unsigned depth)
{
	struct process *p = tree->process;
	const char *const *pieces = tree->lines ? drawn : ascii;
	size_t *children = process_take(p, (tree->count + 1) * sizeof(*children));
	size_t count = 0, groups = 0, drawn_groups = 0, length = tree->prefix.length;
	bool threads = branch->threads > 1;

	for (size_t i = 0; i < tree->count; i++)
		if (tree->branches[i].parent == branch->pid && tree->branches[i].pid != branch->pid)
			children[count++] = i;
	for (size_t i = 0; i < count; i += alike(tree, children, count, i))
		groups++;
	groups += threads;
	for (size_t i = 0; i < count || (threads && drawn_groups < groups);) {
		bool last = ++drawn_groups == groups;
		size_t same = i < count ? alike(tree, children, count, i) : 1;

		if (drawn_groups > 1) {
			process_put_byte(p, '\n');
			process_put(p, text_slice(&tree->prefix));
			for (size_t k = 0; k < width; k++)
				process_put_byte(p, ' ');
		}
		process_put_text(p, pieces[groups == 1         ? ONLY
					   : drawn_groups == 1 ? FIRST
					   : last              ? LAST
							       : MIDDLE]);
		for (size_t k = 0; k < width; k++)
			text_add_byte(p, &tree->prefix, ' ');
		text_add_words(p, &tree->prefix, last ? "   " : pieces[DOWN]);
		if (i < count)
			draw(tree, &tree->branches[children[i]], same, depth + 1);
		else if (branch->threads > 2)
			process_print(p, "%u*[{%s}]", branch->threads - 1, branch->name);
		else
			process_print(p, "{%s}", branch->name);
		tree->prefix.length = length;
		i += i < count ? same : 0;
		process_step(p);
	}
	process_give(p, children);
}

static void draw(struct tree *tree, const struct branch *branch, size_t alike_count, unsigned depth)
{
	char text[64];
	int width = snprintf(text, sizeof(text), "%.15s", branch->name);

	if (alike_count > 1)
		width = snprintf(text, sizeof(text), "%zu*[%.15s]", alike_count, branch->name);
	else if (tree->numbers)
		width = snprintf(text, sizeof(text), "%.15s(%u)", branch->name, branch->pid);
	process_put_text(tree->process, text);
	if (alike_count == 1 && depth < DEPTH_MAX)
		draw_children(tree, branch, (size_t)width, depth);
}

static int run_pstree(struct process *p, int argc, char **argv)
{
	struct tree tree = {.process = p};
	struct task_list list = system_tasks(p);
	struct option_state state = {0};
	struct task *task = process_take(p, sizeof(*task));
	const char *language = process_environment(p, "LANG");
	int64_t root = 1;
	int option;

	tree.branches = process_take(p, BRANCHES_MAX * sizeof(*tree.branches));
	tree.lines = process_is_terminal(p, 1) && language && strstr(language, "UTF-8");
	while ((option = option_next(p, &state, argc, argv, "aAcCGhH:lnNgpsStTuUVZ", NULL)) != -1) {
		if (option == 'p')
			tree.numbers = true;
		else if (option == 'A')
			tree.lines = false;
		else if (option == 'U')
			tree.lines = true;
		else if (option == 'V') {
			process_error(p, "pstree (PSmisc) 23.6\n");
			return 0;
		} else if (option == '?')
			return 1;
	}
	if (state.index < argc &&
	    slice_number(slice_text(argv[state.index]), 1, INT32_MAX, &root)) {
		process_error(p, "No such user name: %s\n", argv[state.index]);
		return 1;
	}
	while (tree.count < BRANCHES_MAX && task_next(&list, task)) {
		struct branch *b = &tree.branches[tree.count++];

		*b = (struct branch){task->pid, task->parent, task->threads, ""};
		(void)snprintf(b->name, sizeof(b->name), "%.15s", task->name);
	}
	qsort(tree.branches, tree.count, sizeof(*tree.branches), by_name);
	for (size_t i = 0; i < tree.count; i++)
		if (tree.branches[i].pid == root) {
			struct branch top = tree.branches[i];

			draw(&tree, &top, 1, 0);
			process_put_byte(p, '\n');
			return 0;
		}
	return 1;
}

/* --- lsof --- */

struct lsof_line {
	const char *command, *user, *type, *device, *size, *node, *name;
	unsigned pid;
	char descriptor[8];
};

#define LSOF_LINES_MAX 1024

static void lsof_print(struct process *p, const struct lsof_line *lines, size_t count)
{
	int command = 7, user = 4, device = 6, size = 8, node = 4, pid = 3, type = 4;

#define WIDEN(width, text) width = (int)strlen(text) > width ? (int)strlen(text) : width
	for (size_t i = 0; i < count; i++) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%u", lines[i].pid);
		WIDEN(pid, number);
		WIDEN(command, lines[i].command);
		WIDEN(user, lines[i].user);
		WIDEN(device, lines[i].device);
		WIDEN(size, lines[i].size);
		WIDEN(node, lines[i].node);
		WIDEN(type, lines[i].type);
	}
#undef WIDEN
	command = command > 9 ? 9 : command;
	process_print(p, "%-*s %*s %*s   FD   %*s %*s %*s %*s NAME\n", command, "COMMAND", pid,
		      "PID", user, "USER", type, "TYPE", device, "DEVICE", size, "SIZE/OFF", node,
		      "NODE");
	for (size_t i = 0; i < count; i++) {
		const struct lsof_line *l = &lines[i];

		process_print(p, "%-*.9s %*u %*s %5s %*s %*s %*s %*s %s\n", command, l->command,
			      pid, l->pid, user, l->user, l->descriptor, type + 1, l->type, device,
			      l->device, size, l->size, node, l->node, l->name);
	}
}

static const char *endpoint_words(struct process *p, const struct endpoint *e, bool any_port)
{
	char text[ADDRESS_TEXT_MAX];
	bool nowhere = true;

	for (size_t i = 0; i < sizeof(e->address.bytes); i++)
		nowhere &= !e->address.bytes[i];
	address_text(&e->address, text);
	if (any_port && !e->port)
		return process_format(p, nowhere ? "*:*" : "%s:*", text);
	if (nowhere)
		return process_format(p, "*:%u", e->port);
	return process_format(p, e->address.family == 6 ? "[%s]:%u" : "%s:%u", text, e->port);
}

static size_t lsof_sockets(struct process *p, struct lsof_line *lines, const char *what)
{
	struct host_socket s;
	size_t count = 0;
	const char *colon = strchr(what, ':');
	int64_t port = 0;

	if (colon && slice_number(slice_text(colon + 1), 1, 65535, &port))
		port = 0;
	for (size_t i = 0; count < LSOF_LINES_MAX &&
			   host_socket_at(process_host(p), p->machine, process_now(p), i, &s);
	     i++) {
		struct lsof_line *l = &lines[count];

		if (port && s.local.port != port && s.remote.port != port)
			continue;
		if ((strncasecmp(what, "tcp", 3) == 0 && s.udp) ||
		    (strncasecmp(what, "udp", 3) == 0 && !s.udp))
			continue;
		*l = (struct lsof_line){
			.command = process_copy_text(p, s.program),
			.user = command_user_name(p, s.uid),
			.pid = s.pid,
			.type = s.six ? "IPv6" : "IPv4",
			.device = process_format(p, "%u", s.inode),
			.size = "0t0",
			.node = s.udp ? "UDP" : "TCP",
			.name = endpoint_words(p, &s.local, false),
		};
		(void)snprintf(l->descriptor, sizeof(l->descriptor), "%uu",
			       s.listening ? 3u + s.six : 4u);
		if (s.listening)
			l->name = process_format(p, "%s (LISTEN)", l->name);
		else if (!s.udp)
			l->name = process_format(p, "%s->%s (ESTABLISHED)", l->name,
						 endpoint_words(p, &s.remote, false));
		count++;
	}
	return count;
}

/* Working folder, root and program of every process. */
static size_t lsof_files(struct process *p, struct lsof_line *lines, int64_t only)
{
	struct task_list list = system_tasks(p);
	struct task *task = process_take(p, sizeof(*task));
	struct file_status status;
	size_t count = 0;

	while (task_next(&list, task)) {
		static const char *const kinds[] = {"cwd", "rtd", "txt"};
		static const char *const links[] = {"cwd", "root", "exe"};

		if ((only && task->pid != only) || (!task->virtual_kilobytes && !only))
			continue;
		for (size_t k = 0; k < ARRAY_COUNT(kinds) && count < LSOF_LINES_MAX; k++) {
			struct lsof_line *l = &lines[count];
			char target[MACHINE_PATH_MAX];
			char *path = process_format(p, "/proc/%u/%s", task->pid, links[k]);

			process_step(p);
			if (process_readlink(p, path, target, sizeof(target)) < 0 ||
			    process_stat(p, target, true, &status) < 0)
				continue;
			*l = (struct lsof_line){
				.command = process_copy_text(p, task->name),
				.user = command_user_name(p, task->uid),
				.pid = task->pid,
				.type = S_ISDIR(status.mode) ? "DIR" : "REG",
				.device = "8,1",
				.size = process_format(p, "%llu", (unsigned long long)status.size),
				.node = process_format(p, "%llu", (unsigned long long)status.inode),
				.name = process_copy_text(p, target),
			};
			(void)snprintf(l->descriptor, sizeof(l->descriptor), "%s", kinds[k]);
			count++;
		}
	}
	return count;
}

static int run_lsof(struct process *p, int argc, char **argv)
{
	struct lsof_line *lines = process_take(p, LSOF_LINES_MAX * sizeof(*lines));
	const char *sockets = NULL;
	bool bare = false;
	int64_t pid = 0;
	size_t count;

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (a[0] != '-') {
			struct file_status status;
			int error = process_stat(p, a, true, &status);

			if (error)
				process_error(p, "lsof: status error on %s: %s\n", a,
					      strerror(-error));
			return 1;
		}
		for (a++; *a; a++) {
			if (*a == 'i') {
				sockets = a + 1;
				if (!*sockets && i + 1 < argc && argv[i + 1][0] != '-')
					sockets = argv[++i];
				/* -iP, -inP: more letters rather than an address */
				if (*sockets && strspn(sockets, "nPlt") == strlen(sockets))
					sockets = "";
				break;
			}
			if (*a == 'v') {
				process_error(p, "lsof version information:\n    revision: "
						 "4.95.0\n");
				return 0;
			}
			if (*a == 't')
				bare = true;
			if (strchr("pucdFgsx", *a)) {
				const char *value = a[1] ? a + 1 : i + 1 < argc ? argv[++i] : "";

				if (*a == 'p' &&
				    slice_number(slice_text(value), 1, INT32_MAX, &pid))
					pid = 0;
				break;
			}
		}
	}
	count = sockets ? lsof_sockets(p, lines, sockets) : lsof_files(p, lines, pid);
	if (!count)
		return 1;
	if (!bare) {
		lsof_print(p, lines, count);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (!i || lines[i].pid != lines[i - 1].pid)
			process_print(p, "%u\n", lines[i].pid);
	return 0;
}

/* --- where things are --- */

static int run_whereis(struct process *p, int argc, char **argv)
{
	static const char *const programs[] = {"/usr/bin",       "/usr/sbin",  "/usr/lib",
					       "/etc",           "/usr/games", "/usr/local/bin",
					       "/usr/local/sbin"};
	bool only_programs = false, only_pages = false, any = false;

	for (int i = 1; i < argc; i++) {
		struct text line = {0};

		if (argv[i][0] == '-') {
			only_programs |= strchr(argv[i], 'b') != NULL;
			only_pages |= strchr(argv[i], 'm') != NULL;
			continue;
		}
		any = true;
		text_format(p, &line, "%s:", argv[i]);
		for (size_t k = 0; k < ARRAY_COUNT(programs) && !only_pages; k++) {
			char *path = process_format(p, "%s/%s", programs[k], argv[i]);

			if (process_access(p, path, 0) == 0)
				text_format(p, &line, " %s", path);
		}
		for (char section = '1'; section <= '8' && !only_programs; section++) {
			char *path = process_format(p, "/usr/share/man/man%c/%s.%c.gz", section,
						    argv[i], section);

			if (process_access(p, path, 0) == 0)
				text_format(p, &line, " %s", path);
		}
		process_print(p, "%s\n", line.data);
		process_step(p);
	}
	if (any)
		return 0;
	process_error(p, "whereis: not enough arguments\n"
			 "Try 'whereis --help' for more information.\n");
	return 1;
}

static int run_man(struct process *p, int argc, char **argv)
{
	int status = 0, asked = 0;

	for (int i = 1; i < argc; i++) {
		int64_t section;

		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
			process_put_text(p, "man 2.11.2\n");
			return 0;
		}
		if (argv[i][0] == '-')
			continue;
		if (i + 1 < argc && slice_number(slice_text(argv[i]), 1, 9, &section) == 0)
			continue;
		asked++;
		process_error(p, "No manual entry for %s\n", argv[i]);
		status = 16;
	}
	if (asked)
		return status;
	process_error(p, "What manual page do you want?\nFor example, try 'man man'.\n");
	return 1;
}

static int run_whatis(struct process *p, int argc, char **argv)
{
	if (argc < 2) {
		process_error(p, "%s what?\n", system_called(p));
		return 1;
	}
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-') {
			process_error(p, "%s: nothing appropriate.\n", argv[i]);
		} else if (argv[i][1] == '-') {
			process_error(
				p,
				"%s: unrecognized option '%s'\nTry '%s --help' or '%s --usage' "
				"for more information.\n",
				system_called(p), argv[i], system_called(p), system_called(p));
			return 1;
		}
	return 16;
}

static const struct command commands[] = {
	{"pstree", run_pstree, COMMAND_DEBIAN},
	{"lsof", run_lsof, COMMAND_DEBIAN},
	{"whereis", run_whereis, COMMAND_DEBIAN},
	{"man", run_man, COMMAND_DEBIAN},
	{"whatis", run_whatis, COMMAND_DEBIAN, NULL, (const char *const[]){"apropos", NULL}},
	{NULL},
};

const struct command_family command_family_rare_look = {"rare look", commands};
