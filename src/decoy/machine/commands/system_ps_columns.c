/* ps: what its columns show. */
#include <stdio.h>

#include "decoy/machine/commands/system_ps.h"

#define NUMBER(name, value)                                                          \
	static int64_t name##_order(struct process *p, const struct task *t)         \
	{                                                                            \
		(void)p;                                                             \
		return (int64_t)(value);                                             \
	}                                                                            \
	static void name(struct process *p, const struct task *t, struct text *text) \
	{                                                                            \
		text_format(p, text, "%lld", (long long)name##_order(p, t));         \
	}

NUMBER(pid, t->pid)
NUMBER(parent, t->parent)
NUMBER(group, t->group)
NUMBER(session, t->session)
NUMBER(foreground, t->foreground)
NUMBER(uid, t->uid)
NUMBER(gid, t->gid)
NUMBER(nice_value, t->nice)
NUMBER(priority, 20 + t->nice)
NUMBER(priority_long, 80 + t->nice)
NUMBER(threads, t->threads)
NUMBER(size_virtual, t->virtual_kilobytes)
NUMBER(size_resident, t->resident_kilobytes)
NUMBER(pages, t->virtual_kilobytes / 4)
NUMBER(processor, t->pid % 2 * 0)
NUMBER(flags, t->virtual_kilobytes ? (t->uid == 0 ? 4 : 0) : 1)
NUMBER(seconds_up, (process_now(p) - t->started) / SECOND)

static void user(struct process *p, const struct task *t, struct text *text)
{
	text_add_words(p, text, command_user_name(p, t->uid));
}

static void group_name(struct process *p, const struct task *t, struct text *text)
{
	text_add_words(p, text, command_group_name(p, t->gid));
}

static void state(struct process *p, const struct task *t, struct text *text)
{
	text_add_byte(p, text, (uint8_t)t->state);
}

static void state_more(struct process *p, const struct task *t, struct text *text)
{
	text_format(p, text, "%c%s", t->state, t->more);
}

static void terminal(struct process *p, const struct task *t, struct text *text)
{
	text_add_words(p, text, t->terminal);
}

unsigned ps_share(struct process *p, const struct task *t)
{
	/* Whole seconds, as procps counts them: what just began has no share. */
	int64_t life = (process_now(p) - t->started) / SECOND;

	return life > 0 ? (unsigned)(t->cpu / 100 / (uint64_t)life) : 0;
}

static int64_t share_order(struct process *p, const struct task *t)
{
	return ps_share(p, t);
}

static void share(struct process *p, const struct task *t, struct text *text)
{
	unsigned value = ps_share(p, t) / 10;

	text_format(p, text, "%u.%u", value / 10, value % 10);
}

static void share_whole(struct process *p, const struct task *t, struct text *text)
{
	text_format(p, text, "%u", ps_share(p, t) / 100);
}

static void memory(struct process *p, const struct task *t, struct text *text)
{
	uint64_t total = host_memory(process_host(p), process_now(p)).total;
	unsigned value = total ? (unsigned)(t->resident_kilobytes * 1000 / total) : 0;

	text_format(p, text, "%u.%u", value / 10, value % 10);
}

static int64_t started_order(struct process *p, const struct task *t)
{
	(void)p;
	return t->started;
}

static void started(struct process *p, const struct task *t, struct text *text)
{
	struct civil_time now = system_civil(process_now(p)), then = system_civil(t->started);

	if (now.year != then.year)
		text_format(p, text, "%d", then.year);
	else if (now.month != then.month || now.day != then.day)
		text_format(p, text, "%s%02d", system_months[then.month - 1], then.day);
	else
		text_format(p, text, "%02d:%02d", then.hour, then.minute);
}

static void started_short(struct process *p, const struct task *t, struct text *text)
{
	struct civil_time then = system_civil(t->started);

	if (process_now(p) - t->started > DAY)
		text_format(p, text, "%s %02d", system_months[then.month - 1], then.day);
	else
		text_format(p, text, "%02d:%02d:%02d", then.hour, then.minute, then.second);
}

static void started_long(struct process *p, const struct task *t, struct text *text)
{
	struct civil_time c = system_civil(t->started);

	text_format(p, text, "%s %s %2d %02d:%02d:%02d %d", system_days[c.weekday],
		    system_months[c.month - 1], c.day, c.hour, c.minute, c.second, c.year);
}

static void elapsed(struct process *p, const struct task *t, struct text *text)
{
	long long seconds = (long long)((process_now(p) - t->started) / SECOND);

	if (seconds >= 86400)
		text_format(p, text, "%lld-", seconds / 86400);
	if (seconds >= 3600)
		text_format(p, text, "%02lld:", seconds / 3600 % 24);
	text_format(p, text, "%02lld:%02lld", seconds / 60 % 60, seconds % 60);
}

static int64_t time_order(struct process *p, const struct task *t)
{
	(void)p;
	return (int64_t)t->cpu;
}

static void time_used(struct process *p, const struct task *t, struct text *text)
{
	unsigned long long seconds = t->cpu / 1000000;

	if (seconds >= 86400)
		text_format(p, text, "%llu-", seconds / 86400);
	text_format(p, text, "%02llu:%02llu:%02llu", seconds / 3600 % 24, seconds / 60 % 60,
		    seconds % 60);
}

static void time_bsd(struct process *p, const struct task *t, struct text *text)
{
	unsigned long long seconds = t->cpu / 1000000;

	text_format(p, text, "%llu:%02llu", seconds / 60, seconds % 60);
}

static void name(struct process *p, const struct task *t, struct text *text)
{
	/* The kernel's workers show what they work on. */
	if (t->command && t->command[0] == '[' && strncmp(t->command + 1, "kworker", 7) == 0)
		text_format(p, text, "%.*s", (int)strlen(t->command) - 2, t->command + 1);
	else
		text_format(p, text, "%.15s%s", t->name, t->state == 'Z' ? " <defunct>" : "");
}

static void command(struct process *p, const struct task *t, struct text *text)
{
	struct writer w = writer_growing(128 * 1024);

	task_command(t, &w, ' ');
	for (size_t i = 0; i < w.length; i++)
		text_add_byte(p, text, w.at[i] < ' ' || w.at[i] == 127 ? '?' : w.at[i]);
	writer_free(&w);
}

static void wait_channel(struct process *p, const struct task *t, struct text *text)
{
	text_add_words(p, text,
		       t->state == 'R'        ? "-"
		       : t->uid               ? "-"
		       : t->process           ? "do_wai"
		       : t->virtual_kilobytes ? "-"
					      : "-");
}

static void address_size(struct process *p, const struct task *t, struct text *text)
{
	text_format(p, text, "- %5llu", (unsigned long long)t->virtual_kilobytes / 4);
}

static void class(struct process *p, const struct task *t, struct text *text)
{
	(void)t;
	text_add_words(p, text, "TS");
}

static void dash(struct process *p, const struct task *t, struct text *text)
{
	(void)t;
	text_add_words(p, text, "-");
}

static void unit(struct process *p, const struct task *t, struct text *text)
{
	if (!t->virtual_kilobytes)
		text_add_words(p, text, "-");
	else if (t->pid == 1)
		text_add_words(p, text, "init.scope");
	else if (t->process)
		text_add_words(p, text, "session-3.scope");
	else
		text_format(p, text, "%s.service", t->name);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct ps_column ps_columns[] = {
	{NAMES("pid", "tgid", "spid", "lwp", "tid"), "PID", 7, true, pid, pid_order},
	{NAMES("ppid"), "PPID", 7, true, parent, parent_order},
	{NAMES("user", "euser", "uname"), "USER", 8, false, user, NULL},
	{NAMES("ruser"), "RUSER", 8, false, user, NULL},
	{NAMES("euser_uid"), "UID", 8, false, user, NULL},
	{NAMES("group", "egroup"), "GROUP", 8, false, group_name, NULL},
	{NAMES("uid", "euid", "ruid"), "UID", 5, true, uid, uid_order},
	{NAMES("gid", "egid", "rgid"), "GID", 5, true, gid, gid_order},
	{NAMES("pcpu", "%cpu"), "%CPU", 4, true, share, share_order},
	{NAMES("c"), "C", 2, true, share_whole, share_order},
	{NAMES("pmem", "%mem"), "%MEM", 4, true, memory, size_resident_order},
	{NAMES("vsz", "vsize"), "VSZ", 6, true, size_virtual, size_virtual_order},
	{NAMES("rss", "rssize", "rsz"), "RSS", 5, true, size_resident, size_resident_order},
	{NAMES("sz", "size"), "SZ", 5, true, pages, pages_order},
	{NAMES("tty", "tt", "tname"), "TTY", 8, false, terminal, NULL},
	{NAMES("stat"), "STAT", 4, false, state_more, NULL},
	{NAMES("state", "s"), "S", 1, false, state, NULL},
	{NAMES("f", "flag", "flags"), "F", 1, true, flags, flags_order},
	{NAMES("start_time", "stime"), "START", 5, true, started, started_order},
	{NAMES("stime_f"), "STIME", 5, false, started, started_order},
	{NAMES("start"), "STARTED", 8, true, started_short, started_order},
	{NAMES("lstart"), "STARTED", 24, true, started_long, started_order},
	{NAMES("etime"), "ELAPSED", 11, true, elapsed, seconds_up_order},
	{NAMES("etimes"), "ELAPSED", 7, true, seconds_up, seconds_up_order},
	{NAMES("time", "cputime"), "TIME", 8, true, time_used, time_order},
	{NAMES("bsdtime"), "TIME", 6, true, time_bsd, time_order},
	{NAMES("args", "command"), "COMMAND", 27, false, command, NULL},
	{NAMES("cmd"), "CMD", 27, false, command, NULL},
	{NAMES("comm", "ucmd"), "COMMAND", 15, false, name, NULL},
	{NAMES("ucomm"), "COMMAND", 15, false, name, NULL},
	{NAMES("comm_cmd"), "CMD", 15, false, name, NULL},
	{NAMES("pgid", "pgrp"), "PGID", 7, true, group, group_order},
	{NAMES("sid", "sess", "session"), "SID", 7, true, session, session_order},
	{NAMES("tpgid"), "TPGID", 7, true, foreground, foreground_order},
	{NAMES("ni", "nice"), "NI", 3, true, nice_value, nice_value_order},
	{NAMES("pri"), "PRI", 3, true, priority, priority_order},
	{NAMES("pri_l"), "PRI", 3, true, priority_long, priority_long_order},
	{NAMES("nlwp", "thcount"), "NLWP", 4, true, threads, threads_order},
	{NAMES("psr", "cpuid"), "PSR", 3, true, processor, processor_order},
	{NAMES("wchan"), "WCHAN", 6, false, wait_channel, NULL},
	{NAMES("addr_sz"), "ADDR SZ", 7, false, address_size, NULL},
	{NAMES("cls", "class", "policy"), "CLS", 3, true, class, NULL},
	{NAMES("rtprio"), "RTPRIO", 6, true, dash, NULL},
	{NAMES("unit"), "UNIT", 31, false, unit, NULL},
	{NAMES("label", "context"), "LABEL", 31, false, dash, NULL},
	{NAMES("cgroup"), "CGROUP", 27, false, unit, NULL},
};
const size_t ps_column_count = ARRAY_COUNT(ps_columns);

const struct ps_column *ps_column(const char *wanted)
{
	for (size_t i = 0; i < ps_column_count; i++)
		for (const char *const *at = ps_columns[i].names; *at; at++)
			if (strcmp(*at, wanted) == 0)
				return &ps_columns[i];
	return NULL;
}
