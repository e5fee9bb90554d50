/* top: once or often, into a pipe or on a terminal. */
#include <stdio.h>

#include "decoy/machine/commands/system_ps.h"
#include "decoy/machine/terminal.h"

#define TASKS_MAX 512

struct top {
	struct process *process;
	bool batch, idle_hidden, commands, terminal;
	int64_t delay, count;
	unsigned columns, rows;
	unsigned only[16];
	size_t only_count;
	bool by_user, by_memory;
	unsigned uid;
};

struct entry {
	struct task task;
	unsigned share; /* tenths of a per cent, of the moment */
};

/* Who takes time at this moment: those that took it all along, a little more or less. */
static unsigned share_now(const struct top *t, const struct task *task, int64_t now)
{
	char label[32];
	unsigned all = ps_share(t->process, task) / 10;

	(void)snprintf(label, sizeof(label), "share %u", task->pid);
	if (task->process == t->process)
		return 0;
	/* What never did anything does nothing now either. */
	if (all == 0 && !task->process && !task->cpu && strncmp(task->name, "kworker", 7) != 0)
		return 0;
	if (all == 0 && host_wander(process_host(t->process), label, now, 3 * SECOND) < 0.985)
		return 0;
	return (unsigned)((double)(all ? all : 3) *
			  (0.4 +
			   1.2 * host_wander(process_host(t->process), label, now, 3 * SECOND)));
}

static bool comes_before(const struct top *t, const struct entry *a, const struct entry *b)
{
	if (t->by_memory)
		return a->task.resident_kilobytes > b->task.resident_kilobytes;
	if (a->share != b->share)
		return a->share > b->share;
	return a->task.pid < b->task.pid;
}

static size_t collect(struct top *t, struct entry *entries, unsigned counts[4])
{
	struct task_list list = system_tasks(t->process);
	size_t count = 0;
	struct entry *held = process_take(t->process, sizeof(*held));

	memset(counts, 0, 4 * sizeof(*counts));
	while (count < TASKS_MAX && task_next(&list, &held->task)) {
		bool wanted = !t->only_count;
		size_t at;

		counts[held->task.state == 'R'   ? 0
		       : held->task.state == 'T' ? 2
		       : held->task.state == 'Z' ? 3
						 : 1]++;
		for (size_t i = 0; i < t->only_count; i++)
			wanted |= t->only[i] == held->task.pid;
		if (!wanted || (t->by_user && held->task.uid != t->uid))
			continue;
		held->share = share_now(t, &held->task, list.now);
		for (at = count; at > 0 && comes_before(t, held, &entries[at - 1]); at--) {
			task_copy(&entries[at].task, &entries[at - 1].task);
			entries[at].share = entries[at - 1].share;
		}
		task_copy(&entries[at].task, &held->task);
		entries[at].share = held->share;
		count++;
		process_step(t->process);
	}
	process_give(t->process, held);
	return count;
}

static void put_line(struct top *t, const char *text, bool bold)
{
	size_t length = strlen(text);

	if (!t->terminal) {
		process_print(t->process, "%s\n", text);
		return;
	}
	if (length > t->columns)
		length = t->columns;
	process_print(t->process, "%s%.*s\033[m\033[39;49m\033[K\n",
		      bold ? "\033[7m" : "\033[m\033[39;49m", (int)length, text);
}

static const char *memory_line(struct top *t, const char *name, double a, double b, double c,
			       const char *last)
{
	return process_format(t->process, "MiB %s: %8.1f total, %8.1f free, %8.1f used%s", name, a,
			      b, c, last);
}

static void put_summary(struct top *t, const unsigned counts[4], unsigned shares)
{
	struct process *p = t->process;
	const struct host *host = process_host(p);
	struct host_memory m = host_memory(host, process_now(p));
	struct text line = {0};
	double busy = (double)shares / 10 / host_processor(host)->count;
	double user, system;

	system_uptime_line(p, &line);
	put_line(t, process_format(p, "top -%s", line.data), false);
	process_give(p, line.data);
	put_line(t,
		 process_format(
			 p, "Tasks: %3u total, %3u running, %3u sleeping, %3u stopped, %3u zombie",
			 counts[0] + counts[1] + counts[2] + counts[3], counts[0], counts[1],
			 counts[2], counts[3]),
		 false);
	user = busy * 0.6;
	system = busy * 0.3 + (busy > 0 ? 0.3 : 0);
	put_line(t,
		 process_format(p,
				"%%Cpu(s):%5.1f us,%5.1f sy,%5.1f ni,%5.1f id,%5.1f wa,%5.1f "
				"hi,%5.1f si,%5.1f st ",
				user, system, 0.0, 100 - user - system, 0.0, 0.0, 0.0, 0.0),
		 false);
	put_line(t,
		 memory_line(t, "Mem ", (double)m.total / 1024, (double)m.free / 1024,
			     (double)(m.total - m.available) / 1024,
			     process_format(p, ", %8.1f buff/cache     ",
					    (double)(m.buffers + m.cached + m.slab / 2) / 1024)),
		 false);
	put_line(t,
		 memory_line(t, "Swap", (double)m.swap_total / 1024, (double)m.swap_free / 1024,
			     (double)(m.swap_total - m.swap_free) / 1024,
			     process_format(p, ". %8.1f avail Mem ", (double)m.available / 1024)),
		 false);
}

static void put_scaled(struct process *p, struct text *text, uint64_t kilobytes, int width)
{
	if (kilobytes < (width == 7 ? 10000000u : 1000000u))
		text_format(p, text, " %*llu", width, (unsigned long long)kilobytes);
	else
		text_format(p, text, " %*.1fg", width - 1, (double)kilobytes / 1048576);
}

static void put_entry(struct top *t, const struct entry *e)
{
	struct process *p = t->process;
	const struct task *k = &e->task;
	struct text line = {0};
	uint64_t total = host_memory(process_host(p), process_now(p)).total;
	const char *user = command_user_name(p, k->uid);
	unsigned long long hundredths = k->cpu / 10000;
	size_t length = strlen(user);

	text_format(p, &line, "%7u ", k->pid);
	if (length > 8)
		text_format(p, &line, "%.7s+", user);
	else
		text_format(p, &line, "%-8s", user);
	if (strncmp(k->name, "migration", 9) == 0)
		text_format(p, &line, " %3s %3d", "rt", k->nice);
	else
		text_format(p, &line, " %3d %3d", 20 + k->nice, k->nice);
	put_scaled(p, &line, k->virtual_kilobytes, 7);
	put_scaled(p, &line, k->resident_kilobytes, 6);
	put_scaled(p, &line, k->shared_kilobytes, 6);
	text_format(p, &line, " %c %5.1f %5.1f", k->state, (double)e->share / 10,
		    total ? (double)(k->resident_kilobytes * 1000 / total) / 10 : 0.0);
	if (hundredths / 6000 < 1000)
		text_format(p, &line, " %3llu:%02llu.%02llu", hundredths / 6000,
			    hundredths / 100 % 60, hundredths % 100);
	else
		text_format(p, &line, " %6llu:%02llu", hundredths / 6000, hundredths / 100 % 60);
	text_add_byte(p, &line, ' ');
	if (t->commands && k->virtual_kilobytes) {
		struct writer w = writer_growing(4096);

		task_command(k, &w, ' ');
		text_add(p, &line, writer_slice(&w));
		writer_free(&w);
	} else if (k->command && strncmp(k->command, "[kworker", 8) == 0) {
		text_format(p, &line, "%.*s", (int)strlen(k->command) - 2, k->command + 1);
	} else {
		text_format(p, &line, "%.15s", k->name);
	}
	/* A name that does not fit ends in a plus sign. */
	if (line.length > t->columns) {
		line.length = t->columns;
		line.data[line.length - 1] = '+';
		line.data[line.length] = 0;
	}
	put_line(t, line.data, false);
	process_give(p, line.data);
}

static void put_frame(struct top *t, struct entry *entries, bool first)
{
	unsigned counts[4], shares = 0;
	size_t count = collect(t, entries, counts), most = count;
	struct text header = {0};

	(void)first;
	for (size_t i = 0; i < count; i++)
		shares += entries[i].share;
	if (t->terminal)
		process_put_text(t->process, "\033[H");
	put_summary(t, counts, shares);
	put_line(t, "", false);
	text_add_words(
		t->process, &header,
		"    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND");
	while (t->terminal && header.length < t->columns)
		text_add_byte(t->process, &header, ' ');
	put_line(t, header.data, true);
	process_give(t->process, header.data);
	if (t->terminal && t->rows > 8 && most > t->rows - 8)
		most = t->rows - 8;
	for (size_t i = 0; i < most; i++) {
		if (t->idle_hidden && !entries[i].share)
			continue;
		put_entry(t, &entries[i]);
	}
	if (t->terminal)
		process_put_text(t->process, "\033[J");
	process_flush(t->process);
}

static const char usage[] =
	"  top -hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pid(s) -o field -w [cols]\n";

static void take_options(struct top *t, int argc, char **argv)
{
	struct option_state state = {0};
	struct process *p = t->process;
	unsigned gid;
	int64_t number;
	double seconds;
	int option, used = 0;

	while ((option = option_next(p, &state, argc, argv, ":bcd:E:e:Hhin:o:Op:SsU:u:Vvw::1",
				     NULL)) != -1) {
		switch (option) {
		case 'b':
			t->batch = true;
			break;
		case 'c':
			t->commands = true;
			break;
		case 'i':
			t->idle_hidden = true;
			break;
		case 'd':
			if (sscanf(state.argument, "%lf%n", &seconds, &used) != 1 || seconds < 0) {
				process_error(p, "top: bad delay interval '%s'\n", state.argument);
				process_exit(p, 1);
			}
			t->delay = (int64_t)(seconds * 1e6);
			break;
		case 'n':
			if (slice_number(slice_text(state.argument), 1, INT32_MAX, &t->count)) {
				process_error(p, "top: bad iterations argument '%s'\n",
					      state.argument);
				process_exit(p, 1);
			}
			break;
		case 'o':
			t->by_memory =
				strstr(state.argument, "MEM") || strstr(state.argument, "RES");
			break;
		case 'p': {
			struct slice rest = slice_text(state.argument), part;

			while (slice_next(&rest, ',', &part))
				if (slice_number(part, 0, INT32_MAX, &number) == 0 &&
				    t->only_count < 16)
					t->only[t->only_count++] = (unsigned)number;
			break;
		}
		case 'u':
		case 'U':
			if (command_user_id(p, state.argument, &t->uid, &gid) < 0) {
				process_error(p, "top: Invalid user\n");
				process_exit(p, 1);
			}
			t->by_user = true;
			break;
		case 'w':
			if (state.argument &&
			    slice_number(slice_text(state.argument), 1, 512, &number) == 0)
				t->columns = (unsigned)number;
			else if (!state.argument)
				t->columns = 512;
			break;
		case 'h':
		case 'v':
		case 'V':
			process_print(p, "  top from procps-ng 4.0.2\nUsage:\n%s", usage);
			process_exit(p, 0);
		case '?':
			process_exit(p, 1);
		default:
			break;
		}
	}
}

/* A key: false ends. */
static bool take_key(struct top *t, uint8_t key)
{
	switch (key) {
	case 'q':
	case 3:
		return false;
	case 'c':
		t->commands = !t->commands;
		break;
	case 'i':
		t->idle_hidden = !t->idle_hidden;
		break;
	case 'M':
		t->by_memory = true;
		break;
	case 'P':
		t->by_memory = false;
		break;
	default:
		break;
	}
	return true;
}

static int busybox_top(struct process *p)
{
	struct host_memory m = host_memory(process_host(p), process_now(p));
	struct task_list list = system_tasks(p);
	struct task *t = process_take(p, sizeof(*t));
	unsigned all, running;

	task_count(&list, &all, &running);
	process_print(p, "Mem: %lluK used, %lluK free, %lluK shrd, %lluK buff, %lluK cached\n",
		      (unsigned long long)(m.total - m.free), (unsigned long long)m.free,
		      (unsigned long long)m.shared, (unsigned long long)m.buffers,
		      (unsigned long long)m.cached);
	process_print(
		p,
		"CPU:   0%% usr   0%% sys   0%% nic 100%% idle   0%% io   0%% irq   0%% sirq\n"
		"Load average: %.2f %.2f %.2f %u/%u %u\n"
		"  PID  PPID USER     STAT   VSZ %%VSZ %%CPU COMMAND\n",
		host_load(process_host(p), process_now(p), 1),
		host_load(process_host(p), process_now(p), 5),
		host_load(process_host(p), process_now(p), 15), running, all, p->pid);
	list.index = 0;
	while (task_next(&list, t)) {
		struct writer w = writer_growing(4096);

		task_command(t, &w, ' ');
		writer_u8(&w, 0);
		process_print(p, "%5u %5u %-8.8s %c%-3s %6llu %3llu%%   0%% %s\n", t->pid,
			      t->parent, command_user_name(p, t->uid), t->state,
			      t->nice < 0 ? "<" : "", (unsigned long long)t->virtual_kilobytes,
			      (unsigned long long)(t->virtual_kilobytes * 100 / m.total),
			      w.failed ? "" : (const char *)w.at);
		writer_free(&w);
	}
	return 0;
}

static int run_top(struct process *p, int argc, char **argv)
{
	struct top t = {.process = p, .delay = 3 * SECOND, .columns = 512};
	struct entry *entries;
	struct terminal_modes *modes, held = {0};
	bool goes_on = true;

	if (p->busybox)
		return busybox_top(p);
	take_options(&t, argc, argv);
	modes = process_terminal(p, 0);
	t.terminal = !t.batch && process_is_terminal(p, 1);
	if (!t.batch && !modes) {
		process_error(p, "top: failed tty get\n");
		return 1;
	}
	process_sleep(p, 4 * MILLISECOND);
	entries = process_take(p, (TASKS_MAX + 1) * sizeof(*entries));
	if (t.terminal) {
		held = *modes;
		modes->local &= ~(uint32_t)(TERMINAL_ICANON | TERMINAL_ECHO);
		t.columns = modes->columns ? modes->columns : 80;
		t.rows = modes->rows ? modes->rows : 24;
		process_put_text(p, "\033[?1h\033=\033[H\033[2J\033[mtop");
	} else if (t.columns == 512 && process_is_terminal(p, 1)) {
		t.columns = modes && modes->columns ? modes->columns : 80;
	} else if (t.columns == 512) {
		const char *columns = process_environment(p, "COLUMNS");
		int64_t number = 0;

		/* Into a pipe top takes 80 columns of its 512 unless told otherwise. */
		if (columns && slice_number(slice_text(columns), 1, 512, &number) == 0)
			t.columns = (unsigned)number;
		else
			t.columns = 80;
	}
	for (int64_t i = 0; goes_on && (!t.count || i < t.count); i++) {
		int64_t until = process_now(p) + t.delay;

		if (i && !t.terminal)
			process_put_byte(p, '\n');
		put_frame(&t, entries, i == 0);
		if (t.count && i + 1 >= t.count)
			break;
		if (!t.terminal) {
			process_sleep(p, t.delay);
			continue;
		}
		while (goes_on && until > process_now(p) &&
		       process_await_input(p, 0, until - process_now(p))) {
			uint8_t key;

			if (process_read(p, 0, &key, 1) != 1)
				goes_on = false;
			else
				goes_on = take_key(&t, key);
			if (goes_on)
				break;
		}
	}
	if (t.terminal) {
		process_print(p, "\033[?1l\033>\033[%u;1H\n\033[?12l\033[?25h\033[K", t.rows);
		modes->local = held.local;
	}
	return 0;
}

static const struct command commands[] = {
	{"top", run_top, COMMAND_BOTH, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_top = {"system_top", commands};
