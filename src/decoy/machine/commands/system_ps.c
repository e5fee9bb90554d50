/* ps: options in the three styles, selection, order, the table. */
#include <stdio.h>

#include "decoy/machine/commands/system_ps.h"
#include "decoy/machine/terminal.h"

#define COLUMNS_MAX 40
#define TASKS_MAX   512
#define LIST_MAX    64
#define DEPTH_MAX   24

static const char help[] = "\nUsage:\n ps [options]\n\n"
			   " Try 'ps --help <simple|list|output|threads|misc|all>'\n"
			   "  or 'ps --help <s|l|o|t|m|a>'\n"
			   " for additional help text.\n\nFor more details see ps(1).\n";

struct column {
	const struct ps_column *column;
	const char *header;
	unsigned width;
};

struct key {
	const struct ps_column *column;
	bool reverse;
};

struct ps {
	struct process *process;
	struct column columns[COLUMNS_MAX];
	size_t column_count;
	struct key keys[8];
	size_t key_count;
	struct task *tasks;
	size_t task_count;
	const char *names[LIST_MAX], *terminals[LIST_MAX];
	unsigned pids[LIST_MAX], uids[LIST_MAX], parents[LIST_MAX];
	size_t name_count, terminal_count, pid_count, uid_count, parent_count;
	bool every, bsd_all, bsd_without, bsd, deselect, all_but_leaders, terminals_only;
	bool own_format, no_header, forest, hierarchy, wide, selected, threads;
	char style; /* of the format: f F l j u ... */
	bool long_y, environment, command_names;
};

static _Noreturn void refuse(struct ps *ps, const char *what)
{
	process_error(ps->process, "error: %s\n%s", what, help);
	process_exit(ps->process, 1);
}

static void add_column(struct ps *ps, const char *name, const char *header)
{
	const struct ps_column *column = ps_column(name);

	if (!column) {
		process_error(ps->process,
			      "error: unknown user-defined format specifier \"%s\"\n%s", name,
			      help);
		process_exit(ps->process, 1);
	}
	if (ps->column_count >= COLUMNS_MAX)
		return;
	ps->columns[ps->column_count++] =
		(struct column){column, header ? header : column->header,
				header && strlen(header) > column->width ? (unsigned)strlen(header)
									 : column->width};
}

static void add_columns(struct ps *ps, const char *const *names)
{
	for (; *names; names++) {
		const char *colon = strchr(*names, ':');

		if (colon) {
			char *name = process_copy_slice(ps->process,
							slice_of(*names, (size_t)(colon - *names)));
			add_column(ps, name, colon + 1);
		} else {
			add_column(ps, *names, NULL);
		}
	}
}

/* "pid,user:20,args=WHAT" */
static void take_format(struct ps *ps, const char *list)
{
	struct slice rest = slice_text(list), part;

	if (!*list)
		refuse(ps, "empty format list");
	ps->own_format = true;
	while (rest.length) {
		size_t end = 0, equals;
		char *name, *colon;
		const char *header = NULL;
		int64_t width = 0;

		while (end < rest.length && rest.at[end] != ',' && rest.at[end] != ' ')
			end++;
		part = slice_first(rest, end);
		equals = slice_find_byte(part, '=');
		if (equals != SIZE_MAX) {
			header = process_copy_slice(ps->process, slice_from(part, equals + 1));
			part = slice_first(part, equals);
		}
		rest = slice_from(rest, end + 1);
		if (!part.length)
			continue;
		name = process_copy_slice(ps->process, part);
		colon = strchr(name, ':');
		if (colon) {
			*colon++ = 0;
			if (slice_number(slice_text(colon), 1, 4096, &width))
				refuse(ps, "improper format list");
		}
		add_column(ps, name, header);
		if (width)
			ps->columns[ps->column_count - 1].width = (unsigned)width;
	}
}

static void take_sort(struct ps *ps, const char *list)
{
	struct slice rest = slice_text(list), part;

	while (slice_next(&rest, ',', &part)) {
		bool reverse = slice_starts(part, "-");
		const struct ps_column *column;

		if (reverse || slice_starts(part, "+"))
			part = slice_from(part, 1);
		column = ps_column(process_copy_slice(ps->process, part));
		if (!column)
			refuse(ps, "unknown sort specifier");
		if (ps->key_count < ARRAY_COUNT(ps->keys))
			ps->keys[ps->key_count++] = (struct key){column, reverse};
	}
}

static void take_list(struct ps *ps, char kind, const char *list)
{
	struct slice rest = slice_text(list);

	while (rest.length) {
		size_t end = 0;
		struct slice part;
		char *word;
		unsigned id, gid;
		int64_t number;

		while (end < rest.length && rest.at[end] != ',' && rest.at[end] != ' ')
			end++;
		part = slice_first(rest, end);
		rest = slice_from(rest, end + 1);
		if (!part.length)
			continue;
		word = process_copy_slice(ps->process, part);
		switch (kind) {
		case 'p':
		case 'P':
			if (slice_number(part, 1, INT32_MAX, &number)) {
				process_error(ps->process,
					      "error: process ID list syntax error\n%s", help);
				process_exit(ps->process, 1);
			}
			if (kind == 'p' && ps->pid_count < LIST_MAX)
				ps->pids[ps->pid_count++] = (unsigned)number;
			if (kind == 'P' && ps->parent_count < LIST_MAX)
				ps->parents[ps->parent_count++] = (unsigned)number;
			break;
		case 'u':
			if (command_user_id(ps->process, word, &id, &gid) < 0) {
				if (slice_number(part, 0, UINT32_MAX, &number)) {
					process_error(ps->process,
						      "error: user name does not exist\n%s", help);
					process_exit(ps->process, 1);
				}
				id = (unsigned)number;
			}
			if (ps->uid_count < LIST_MAX)
				ps->uids[ps->uid_count++] = id;
			break;
		case 't':
			if (slice_starts(part, "/dev/"))
				word += 5;
			if (ps->terminal_count < LIST_MAX)
				ps->terminals[ps->terminal_count++] = word;
			break;
		default:
			if (ps->name_count < LIST_MAX)
				ps->names[ps->name_count++] = word;
		}
	}
	ps->selected = true;
}

/* The argument of an option: the rest of the word or the next one. */
static const char *argument(struct ps *ps, const char *rest, int argc, char **argv, int *index,
			    const char *complaint)
{
	if (*rest)
		return rest;
	if (*index + 1 < argc)
		return argv[++*index];
	refuse(ps, complaint);
}

static void take_unix(struct ps *ps, const char *at, int argc, char **argv, int *index)
{
	for (; *at; at++) {
		switch (*at) {
		case 'A':
		case 'e':
			ps->every = true;
			break;
		case 'a':
			ps->terminals_only = ps->selected = true;
			break;
		case 'd':
			ps->all_but_leaders = true;
			break;
		case 'N':
			ps->deselect = true;
			break;
		case 'f':
		case 'F':
		case 'l':
		case 'j':
			if (!ps->style || *at == 'F')
				ps->style = *at;
			break;
		case 'y':
			ps->long_y = true;
			break;
		case 'H':
			ps->hierarchy = true;
			break;
		case 'w':
			ps->wide = true;
			break;
		case 'L':
		case 'T':
		case 'm':
			ps->threads = true;
			break;
		case 'M':
		case 'Z':
		case 'c':
		case 'P':
			break;
		case 'V':
			process_print(ps->process, "ps from procps-ng 4.0.2\n");
			process_exit(ps->process, 0);
		case 'o':
		case 'O':
			take_format(ps, argument(ps, at + 1, argc, argv, index,
						 "format specification must follow -o"));
			return;
		case 'p':
		case 'q':
			take_list(ps, 'p',
				  argument(ps, at + 1, argc, argv, index,
					   "list of process IDs must follow -p"));
			return;
		case 'u':
		case 'U':
			take_list(ps, 'u',
				  argument(ps, at + 1, argc, argv, index,
					   "must set personality to get -x option"));
			return;
		case 't':
			take_list(ps, 't',
				  argument(ps, at + 1, argc, argv, index,
					   "list of terminals (pty, tty...) must follow -t"));
			return;
		case 'C':
			take_list(ps, 'C',
				  argument(ps, at + 1, argc, argv, index,
					   "list of command names must follow -C"));
			return;
		case 'G':
		case 'g':
		case 's':
			(void)argument(ps, at + 1, argc, argv, index, "list must follow");
			return;
		case 'x':
			refuse(ps, "must set personality to get -x option");
		default:
			refuse(ps, "unsupported SysV option");
		}
	}
}

static void take_bsd(struct ps *ps, const char *at, int argc, char **argv, int *index)
{
	if (*at >= '0' && *at <= '9') {
		ps->bsd = true;
		take_list(ps, 'p', at);
		return;
	}
	ps->bsd = true;
	for (; *at; at++) {
		switch (*at) {
		case 'a':
			ps->bsd_all = true;
			break;
		case 'x':
		case 'g':
			ps->bsd_without = true;
			break;
		case 'u':
		case 'l':
		case 'j':
		case 'v':
		case 's':
		case 'X':
			if (ps->style && ps->style != *at)
				refuse(ps, "conflicting format options");
			ps->style = *at;
			if (ps->style == 'l')
				ps->style = 'L';
			else if (ps->style == 'j')
				ps->style = 'J';
			break;
		case 'f':
			ps->forest = true;
			break;
		case 'w':
			ps->wide = true;
			break;
		case 'h':
			ps->no_header = true;
			break;
		case 'c':
			ps->command_names = true;
			break;
		case 'e':
			ps->environment = true;
			break;
		case 'r':
		case 'n':
		case 'S':
		case 'H':
		case 'm':
		case 'M':
		case 'Z':
			break;
		case 'A':
			ps->every = true;
			break;
		case 'T':
			take_list(ps, 't', process_terminal_name(ps->process));
			break;
		case 'o':
		case 'O':
			take_format(ps, argument(ps, at + 1, argc, argv, index,
						 "format specification must follow o"));
			return;
		case 'p':
			take_list(ps, 'p',
				  argument(ps, at + 1, argc, argv, index,
					   "list of process IDs must follow p"));
			return;
		case 'U':
			take_list(ps, 'u',
				  argument(ps, at + 1, argc, argv, index,
					   "list of users must follow U"));
			return;
		case 't':
			if (at[1])
				take_list(ps, 't', at + 1);
			else
				take_list(ps, 't', process_terminal_name(ps->process));
			return;
		case 'k':
			take_sort(ps, argument(ps, at + 1, argc, argv, index,
					       "long sort specification must follow 'k'"));
			return;
		case 'V':
			process_print(ps->process, "ps from procps-ng 4.0.2\n");
			process_exit(ps->process, 0);
		default:
			refuse(ps, strchr("bdiqyz", *at) ? "unsupported option (BSD syntax)"
							 : "unknown user-defined format specifier");
		}
	}
}

static void take_gnu(struct ps *ps, const char *word, int argc, char **argv, int *index)
{
	static const struct {
		const char *name;
		char kind; /* list or own */
	} words[] = {
		{"sort", 'k'},        {"format", 'o'},     {"pid", 'p'},       {"ppid", 'P'},
		{"user", 'u'},        {"User", 'u'},       {"tty", 't'},       {"forest", 'F'},
		{"no-headers", 'h'},  {"no-heading", 'h'}, {"noheaders", 'h'}, {"noheading", 'h'},
		{"no-headings", 'h'}, {"headers", 0},      {"deselect", 'N'},  {"cols", 'c'},
		{"columns", 'c'},     {"width", 'c'},      {"help", '?'},      {"version", 'V'},
		{"info", '?'},        {"quick-pid", 'p'}};
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		const char *value;

		if (strlen(words[i].name) != length || strncmp(words[i].name, word, length) != 0)
			continue;
		switch (words[i].kind) {
		case 'F':
			ps->forest = true;
			return;
		case 'h':
			ps->no_header = true;
			return;
		case 'N':
			ps->deselect = true;
			return;
		case 'V':
			process_print(ps->process, "ps from procps-ng 4.0.2\n");
			process_exit(ps->process, 0);
		case '?':
			process_put_text(ps->process, help);
			process_exit(ps->process, 0);
		case 0:
			return;
		default:
			value = equals ? equals + 1
				       : argument(ps, "", argc, argv, index,
						  "option argument is missing");
			if (words[i].kind == 'k')
				take_sort(ps, value);
			else if (words[i].kind == 'o')
				take_format(ps, value);
			else if (words[i].kind != 'c')
				take_list(ps, words[i].kind, value);
			return;
		}
	}
	refuse(ps, "unknown gnu long option");
}

/* --- selection --- */

static bool is_listed(const struct ps *ps, const struct task *t)
{
	for (size_t i = 0; i < ps->pid_count; i++)
		if (ps->pids[i] == t->pid)
			return true;
	for (size_t i = 0; i < ps->parent_count; i++)
		if (ps->parents[i] == t->parent)
			return true;
	for (size_t i = 0; i < ps->uid_count; i++)
		if (ps->uids[i] == t->uid)
			return true;
	for (size_t i = 0; i < ps->terminal_count; i++)
		if (strcmp(ps->terminals[i], t->terminal) == 0)
			return true;
	for (size_t i = 0; i < ps->name_count; i++)
		if (strncmp(ps->names[i], t->name, 15) == 0)
			return true;
	return ps->terminals_only && t->terminal[0] != '?' && t->session != t->pid;
}

static bool is_wanted(const struct ps *ps, const struct task *t)
{
	bool own = t->uid == ps->process->identity.effective_uid;
	bool terminal = t->terminal[0] != '?';

	if (ps->every)
		return true;
	if (ps->all_but_leaders)
		return t->session != t->pid;
	if (ps->selected && !ps->bsd_all && !ps->bsd_without)
		return is_listed(ps, t);
	if (ps->selected && is_listed(ps, t))
		return true;
	if (ps->bsd)
		return (ps->bsd_all || own) && (ps->bsd_without || terminal);
	return own && strcmp(t->terminal, process_terminal_name(ps->process)) == 0;
}

static void collect(struct ps *ps)
{
	struct task_list list = system_tasks(ps->process);
	struct task task;

	ps->tasks = process_take(ps->process, TASKS_MAX * sizeof(*ps->tasks));
	while (ps->task_count < TASKS_MAX && task_next(&list, &task)) {
		/* `ps 1` in BSD's way is about that process, whatever it is. */
		if (is_wanted(ps, &task) != ps->deselect)
			task_copy(&ps->tasks[ps->task_count++], &task);
	}
}

static int compare(struct ps *ps, const struct task *a, const struct task *b)
{
	for (size_t i = 0; i < ps->key_count; i++) {
		const struct ps_column *column = ps->keys[i].column;
		int result;

		if (column->order) {
			int64_t left = column->order(ps->process, a);
			int64_t right = column->order(ps->process, b);

			result = left < right ? -1 : left > right;
		} else {
			struct text left = {0}, right = {0};

			column->print(ps->process, a, &left);
			column->print(ps->process, b, &right);
			result = slice_compare(text_slice(&left), text_slice(&right));
			process_give(ps->process, left.data);
			process_give(ps->process, right.data);
		}
		if (result)
			return ps->keys[i].reverse ? -result : result;
	}
	return 0;
}

/* Insertion into an order of indices: stable, and the list is short. */
static void sort(struct ps *ps, unsigned *order)
{
	for (size_t i = 1; i < ps->task_count; i++)
		for (size_t k = i;
		     k > 0 && compare(ps, &ps->tasks[order[k - 1]], &ps->tasks[order[k]]) > 0;
		     k--) {
			unsigned held = order[k];

			order[k] = order[k - 1];
			order[k - 1] = held;
			process_step(ps->process);
		}
}

/* --- output --- */

static unsigned columns_of(const struct ps *ps)
{
	struct terminal_modes *modes = process_terminal(ps->process, 1);

	if (ps->wide || !modes)
		return UINT32_MAX;
	return modes->columns ? modes->columns : 80;
}

static void put_cell(struct ps *ps, struct text *line, const struct column *c, struct slice value,
		     size_t *start, bool last)
{
	size_t target = *start, length = value.length;
	bool user =
		c->column->width == 8 && !c->column->right &&
		(strcmp(c->column->header, "USER") == 0 || strcmp(c->column->header, "UID") == 0);

	if (user && length > c->width) /* "systemd+" */
		value = slice_first(value, c->width - 1);
	else if (!last && !c->column->right && length > c->width)
		value = slice_first(value, c->width);
	if (c->column->right && length < c->width)
		target += c->width - length;
	if (line->length && target <= line->length)
		target = line->length + 1;
	while (line->length < target)
		text_add_byte(ps->process, line, ' ');
	text_add(ps->process, line, value);
	if (user && length > c->width)
		text_add_byte(ps->process, line, '+');
	/* Left ones but the last are filled up. */
	*start += c->width + 1;
	if (!last && !c->column->right)
		while (line->length + 1 < *start)
			text_add_byte(ps->process, line, ' ');
}

static void put_line(struct ps *ps, const struct text *line)
{
	process_put(ps->process, slice_first(text_slice(line), columns_of(ps)));
	process_put_byte(ps->process, '\n');
}

static void put_header(struct ps *ps)
{
	struct text line = {0};
	size_t start = 0;
	bool any = false;

	for (size_t i = 0; i < ps->column_count; i++)
		any |= *ps->columns[i].header != 0;
	if (ps->no_header || !any)
		return;
	text_add_words(ps->process, &line, "");
	for (size_t i = 0; i < ps->column_count; i++)
		put_cell(ps, &line, &ps->columns[i], slice_text(ps->columns[i].header), &start,
			 i + 1 == ps->column_count);
	put_line(ps, &line);
	process_give(ps->process, line.data);
}

static void put_task(struct ps *ps, const struct task *t, const char *prefix)
{
	struct text line = {0};
	size_t start = 0;

	for (size_t i = 0; i < ps->column_count; i++) {
		const struct column *c = &ps->columns[i];
		struct text cell = {0};
		bool command =
			c->column->width == 27 || (c->column->width == 15 && !c->column->right);

		if (command)
			text_add_words(ps->process, &cell, prefix);
		c->column->print(ps->process, t, &cell);
		put_cell(ps, &line, c, text_slice(&cell), &start, i + 1 == ps->column_count);
		process_give(ps->process, cell.data);
	}
	put_line(ps, &line);
	process_give(ps->process, line.data);
}

static bool has_parent(const struct ps *ps, const struct task *t)
{
	for (size_t i = 0; i < ps->task_count; i++)
		if (ps->tasks[i].pid == t->parent && t->parent)
			return true;
	return false;
}

static void put_below(struct ps *ps, const unsigned *order, unsigned parent, const char *prefix,
		      unsigned depth)
{
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < ps->task_count; i++)
		if (ps->tasks[order[i]].parent == parent)
			last = i;
	for (size_t i = 0; i < ps->task_count && depth < DEPTH_MAX; i++) {
		const struct task *t = &ps->tasks[order[i]];
		char *own, *below;

		process_step(ps->process);
		if (t->parent != parent)
			continue;
		own = process_format(ps->process, "%s%s", prefix, ps->hierarchy ? "  " : " \\_ ");
		below = process_format(ps->process, "%s%s", prefix,
				       ps->hierarchy ? "  "
				       : i == last   ? "    "
						     : " |  ");
		put_task(ps, t, own);
		put_below(ps, order, t->pid, below, depth + 1);
		process_give(ps->process, own);
		process_give(ps->process, below);
	}
}

static void set_style(struct ps *ps)
{
	static const char *const plain[] = {"pid", "tty", "time", "comm_cmd", NULL};
	static const char *const bsd[] = {"pid", "tty", "stat", "bsdtime", "args", NULL};
	static const char *const u[] = {"user", "pid",  "%cpu",       "%mem",    "vsz",  "rss",
					"tty",  "stat", "start_time", "bsdtime", "args", NULL};
	static const char *const f[] = {"euser_uid", "pid",  "ppid", "c", "stime_f",
					"tty",       "time", "cmd",  NULL};
	static const char *const f_threads[] = {"euser_uid", "pid", "ppid", "pid:LWP", "c", "nlwp",
						"stime_f",   "tty", "time", "cmd",     NULL};
	static const char *const full[] = {"euser_uid", "pid",     "ppid", "c",    "sz",  "rss",
					   "psr",       "stime_f", "tty",  "time", "cmd", NULL};
	static const char *const l[] = {"f",   "s",     "uid",      "pid",     "ppid",
					"c",   "pri_l", "ni",       "addr_sz", "wchan",
					"tty", "time",  "comm_cmd", NULL};
	static const char *const ly[] = {"s",   "uid", "pid",   "ppid", "c",    "pri_l",    "ni",
					 "rss", "sz",  "wchan", "tty",  "time", "comm_cmd", NULL};
	static const char *const bsd_l[] = {"f",   "uid",     "pid",  "ppid",  "pri",
					    "ni",  "vsz",     "rss",  "wchan", "stat",
					    "tty", "bsdtime", "args", NULL};
	static const char *const j[] = {"pid", "pgid", "sid", "tty", "time", "comm_cmd", NULL};
	static const char *const bsd_j[] = {"ppid", "pid", "pgid",    "sid",  "tty", "tpgid",
					    "stat", "uid", "bsdtime", "args", NULL};
	static const char *const v[] = {"pid", "tty",  "stat", "bsdtime", "vsz",
					"rss", "%mem", "args", NULL};

	switch (ps->style) {
	case 'u':
		add_columns(ps, u);
		break;
	case 'f':
		add_columns(ps, ps->threads ? f_threads : f);
		break;
	case 'F':
		add_columns(ps, full);
		break;
	case 'l':
		add_columns(ps, ps->long_y ? ly : l);
		break;
	case 'L':
		add_columns(ps, bsd_l);
		break;
	case 'j':
		add_columns(ps, j);
		break;
	case 'J':
		add_columns(ps, bsd_j);
		break;
	case 'v':
	case 's':
	case 'X':
		add_columns(ps, v);
		break;
	default:
		add_columns(ps, ps->bsd ? bsd : plain);
	}
}

/* In a forest the kernel's tree comes first. */
static void put_all(struct ps *ps, const unsigned *order)
{
	bool trees = ps->forest || ps->hierarchy;

	for (int pass = trees ? 0 : 1; pass < 2; pass++)
		for (size_t i = 0; i < ps->task_count; i++) {
			const struct task *t = &ps->tasks[order[i]];

			process_step(ps->process);
			if (!trees) {
				put_task(ps, t, "");
			} else if (!has_parent(ps, t) && (t->pid == 2) == (pass == 0)) {
				put_task(ps, t, "");
				put_below(ps, order, t->pid, "", 0);
			}
		}
}

static int run_ps(struct process *p, int argc, char **argv)
{
	struct ps *ps = process_take(p, sizeof(*ps));
	unsigned *order;

	/* It takes a while to read /proc: what stands beside it in a pipeline has begun by then. */
	process_sleep(p, 4 * MILLISECOND);
	if (p->busybox)
		return ps_busybox(p);
	ps->process = p;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2])
			take_gnu(ps, argv[i] + 2, argc, argv, &i);
		else if (argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "-aux") != 0 &&
			 strcmp(argv[i], "-auxw") != 0 && strcmp(argv[i], "-auxww") != 0 &&
			 strcmp(argv[i], "-ax") != 0 && strcmp(argv[i], "-faux") != 0 &&
			 strcmp(argv[i], "-auxf") != 0 && strcmp(argv[i], "-x") != 0)
			take_unix(ps, argv[i] + 1, argc, argv, &i);
		else
			take_bsd(ps, argv[i] + (argv[i][0] == '-'), argc, argv, &i);
	}
	if (!ps->own_format)
		set_style(ps);
	collect(ps);
	order = process_take(p, (ps->task_count + 1) * sizeof(*order));
	for (size_t i = 0; i < ps->task_count; i++)
		order[i] = (unsigned)i;
	sort(ps, order);
	put_header(ps);
	put_all(ps, order);
	return ps->task_count || ps->every ? 0 : 1;
}

static const struct command commands[] = {
	{"ps", run_ps, COMMAND_BOTH, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_ps = {"system_ps", commands};
