/* Who is or was on line: w, who, last, lastb, lastlog, users. */
#include <lastlog.h>
#include <stdio.h>
#include <utmp.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/login.h"

/* --- w --- */

static const char w_usage[] =
	"\nUsage:\n w [options] [user]\n\nOptions:\n"
	" -h, --no-header     do not print header\n"
	" -u, --no-current    ignore current process username\n"
	" -s, --short         short format\n"
	" -f, --from          show remote hostname field\n"
	" -o, --old-style     old style output\n"
	" -i, --ip-addr       display IP address instead of hostname (if possible)\n"
	" -p, --pids          show the PID(s) of processes in WHAT\n\n"
	"     --help     display this help and exit\n"
	" -V, --version  output version information and exit\n\n"
	"For more details see w(1).\n";

static void put_login_time(struct process *p, struct text *line, int64_t since)
{
	struct civil_time now = system_civil(process_now(p)), c = system_civil(since);

	if (process_now(p) - since > 12 * HOUR && process_now(p) - since > 7 * DAY)
		text_format(p, line, "%02d%s%02d", c.day, system_months[c.month - 1], c.year % 100);
	else if (process_now(p) - since > 12 * HOUR && c.day != now.day)
		text_format(p, line, "%s%02d  ", system_days[c.weekday], c.hour);
	else
		text_format(p, line, "%02d:%02d  ", c.hour, c.minute);
}

static void put_idle(struct process *p, struct text *line, int64_t seconds)
{
	if (seconds >= 2 * 86400)
		text_format(p, line, " %2lldd ", (long long)seconds / 86400);
	else if (seconds >= 3600)
		text_format(p, line, "%3lld:%02lldm", (long long)seconds / 3600,
			    (long long)seconds / 60 % 60);
	else if (seconds > 60)
		text_format(p, line, "%3lld:%02lld ", (long long)seconds / 60,
			    (long long)seconds % 60);
	else
		text_format(p, line, "%3lld.%02llds", (long long)seconds, 0ll);
}

/* BusyBox has one applet for both; as w it shows its headings. */
static int busybox_who(struct process *p, bool heading)
{
	struct system_user user;

	if (heading)
		process_put_text(p, "USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n");
	for (size_t i = 0; system_user_at(p, i, &user); i++) {
		struct civil_time c = system_civil(user.since);
		char *when = process_format(p, "%s %2d %02d:%02d:%02d", system_months[c.month - 1],
					    c.day, c.hour, c.minute, c.second);

		process_print(p, "%-15.32s %-15.32s %-7s %-16.16s %s\n", user.user, user.terminal,
			      user.own ? "00:00" : "old", when, user.from);
	}
	return 0;
}

static int run_w(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"no-header", 'h'}, {"no-current", 'u'},
						   {"short", 's'},     {"from", 'f'},
						   {"old-style", 'o'}, {"ip-addr", 'i'},
						   {"pids", 'p'},      {"help", 'H'},
						   {"version", 'V'},   {NULL}};
	struct option_state state = {0};
	struct system_user user;
	struct text line = {0};
	bool header = true, brief = false, from = true;
	int option;

	if (p->busybox)
		return busybox_who(p, true);
	while ((option = option_next(p, &state, argc, argv, ":husfoipV", words)) != -1) {
		if (option == 'h')
			header = false;
		else if (option == 's')
			brief = true;
		else if (option == 'f')
			from = !from;
		else if (option == 'V')
			system_version(p, PROCPS);
		else if (option == 'H')
			system_usage(p, w_usage, 0);
		else if (option == '?')
			system_usage(p, w_usage, 1);
	}
	if (header) {
		system_uptime_line(p, &line);
		process_print(p, "%s\n", line.data);
		process_print(p, "USER     TTY      %s%s\n", from ? "FROM             " : "",
			      brief ? " IDLE WHAT" : "LOGIN@   IDLE   JCPU   PCPU WHAT");
	}
	for (size_t i = 0; system_user_at(p, i, &user); i++) {
		struct text what = {0};

		if (state.index < argc && strcmp(argv[state.index], user.user) != 0)
			continue;
		text_clear(&line);
		text_format(p, &line, "%-8.8s %-8.8s ", user.user, user.terminal);
		if (from)
			text_format(p, &line, "%-16.16s ", user.from[0] ? user.from : "-");
		if (!brief)
			put_login_time(p, &line, user.since), text_add_byte(p, &line, ' ');
		put_idle(p, &line,
			 user.own ? 0
				  : (process_now(p) - user.since) / SECOND -
					    host_fact(process_host(p), "console idle", 200, 900));
		if (user.own) {
			for (int k = 0; k < p->argc; k++)
				text_format(p, &what, "%s%s", k ? " " : "", p->argv[k]);
		} else {
			text_add_words(p, &what, "-bash");
		}
		if (!brief)
			text_format(p, &line, "  0.%02us  0.%02us", user.own ? 4 : 9,
				    user.own ? 0 : 5);
		process_print(p, "%s %s\n", line.data, what.data ? what.data : "-");
		process_give(p, what.data);
	}
	return 0;
}

/* --- who --- */

static void who_line(struct process *p, const char *user, char mark, const char *terminal,
		     int64_t since, const char *more, bool message)
{
	struct civil_time c = system_civil(since);

	process_print(p, "%-8s", user);
	if (message)
		process_print(p, " %c", mark);
	process_print(p, " %-12s %04d-%02d-%02d %02d:%02d%s\n", terminal, c.year, c.month, c.day,
		      c.hour, c.minute, more);
}

static int run_who(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"all", 'a'},      {"boot", 'b'},    {"dead", 'd'},  {"heading", 'H'},
		{"login", 'l'},    {"lookup", 'L'},  {"count", 'q'}, {"runlevel", 'r'},
		{"short", 's'},    {"users", 'u'},   {"mesg", 'T'},  {"message", 'T'},
		{"writable", 'T'}, {"process", 'p'}, {"time", 't'},  TEXT_WORDS};
	struct option_state state = {0};
	struct system_user user;
	struct machine_service service;
	bool heading = false, boot = false, level = false, count = false, idle = false;
	bool message = false, list = true, own_only = argc == 3 && argv[1][0] != '-', login = false;
	int64_t since;
	int option;

	if (p->busybox)
		return busybox_who(p, argc > 1 && strcmp(argv[1], "-H") == 0);
	since = host_boot_time(process_host(p), process_now(p));
	while ((option = option_next(p, &state, argc, argv, "abdlmpqrstuwHT", words)) != -1) {
		switch (option) {
		case 'a':
			boot = level = idle = message = login = true;
			break;
		case 'b':
			boot = true;
			list = false;
			break;
		case 'r':
			level = true;
			list = false;
			break;
		case 'l':
			login = true;
			list = false;
			break;
		case 'd':
		case 'p':
		case 't':
			list = false;
			break;
		case 'm':
			own_only = true;
			break;
		case 'q':
			count = true;
			break;
		case 'u':
			idle = true;
			list = true;
			break;
		case 'w':
		case 'T':
			message = true;
			break;
		case 'H':
			heading = true;
			break;
		case 's':
		case 'L':
			break;
		default:
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]... [ FILE | ARG1 ARG2 ]\nPrint information about "
				"users who are currently logged in.\n",
				1);
		}
	}
	if (count) {
		size_t i = 0;

		for (; system_user_at(p, i, &user); i++)
			process_print(p, "%s%s", i ? " " : "", user.user);
		process_print(p, "\n# users=%zu\n", i);
		return 0;
	}
	if (heading)
		process_print(p, "%-8s%s %-12s %-16s%s COMMENT\n", "NAME", message ? "  " : "",
			      "LINE", "TIME", idle ? " IDLE          PID" : "");
	if (boot)
		who_line(p, "", ' ', "system boot", since, "", message);
	if (level)
		who_line(p, "", ' ', "run-level 5", since + 7 * SECOND, "", message);
	if (login && !host_process_id(process_host(p), "login", process_now(p))) {
		char more[64];

		(void)snprintf(more, sizeof(more), "             %6u id=tty1",
			       host_process_id(process_host(p), "agetty", process_now(p)));
		who_line(p, "LOGIN", ' ', "tty1", since + 7 * SECOND, more, message);
	}
	for (size_t i = 0; (list || login) && list && system_user_at(p, i, &user); i++) {
		char more[128];

		if (own_only && !user.own)
			continue;
		machine_service(p->machine, &service);
		if (user.own)
			user.pid = login_recorded_pid(&service);
		if (idle)
			(void)snprintf(more, sizeof(more), "   %s   %9u%s%s%s",
				       user.own ? "." : "old", user.pid, user.from[0] ? " (" : "",
				       user.from, user.from[0] ? ")" : "");
		else
			(void)snprintf(more, sizeof(more), "%s%s%s", user.from[0] ? " (" : "",
				       user.from, user.from[0] ? ")" : "");
		who_line(p, user.user, '+', user.terminal, user.since, more, message);
	}
	return 0;
}

static int run_users(struct process *p, int argc, char **argv)
{
	struct system_user user;
	const char *names[64];
	size_t count = 0;

	(void)argc;
	(void)argv;
	while (count < ARRAY_COUNT(names) && system_user_at(p, count, &user)) {
		size_t at = count++;

		for (; at && strcmp(names[at - 1], user.user) > 0; at--)
			names[at] = names[at - 1];
		names[at] = user.user;
	}
	for (size_t i = 0; i < count; i++)
		process_print(p, "%s%s", i ? " " : "", names[i]);
	if (count)
		process_put_byte(p, '\n');
	return 0;
}

/* --- last --- */

struct last {
	int64_t most;
	bool seconds_full, no_host, host_last, numeric, all_levels;
	const char *const *names;
	int name_count;
};

static bool last_wanted(const struct last *l, const struct utmp *u)
{
	char user[sizeof(u->ut_user) + 1], line[sizeof(u->ut_line) + 1];

	(void)snprintf(user, sizeof(user), "%.*s", (int)sizeof(u->ut_user), u->ut_user);
	(void)snprintf(line, sizeof(line), "%.*s", (int)sizeof(u->ut_line), u->ut_line);
	for (int i = 0; i < l->name_count; i++)
		if (strcmp(l->names[i], user) == 0 || strcmp(l->names[i], line) == 0 ||
		    (strncmp(line, "tty", 3) == 0 && strcmp(l->names[i], line + 3) == 0))
			return true;
	return l->name_count == 0;
}

static void last_time(struct process *p, struct text *t, int64_t seconds, bool full)
{
	struct civil_time c = system_civil(seconds * SECOND);

	text_format(p, t, "%s %s %2d %02d:%02d", system_days[c.weekday], system_months[c.month - 1],
		    c.day, c.hour, c.minute);
	if (full)
		text_format(p, t, ":%02d %d", c.second, c.year);
}

static void last_line(struct process *p, const struct last *l, const struct utmp *u,
		      const char *line, int64_t ended, const char *word)
{
	struct text t = {0};
	int64_t length;

	text_format(p, &t, "%-8.8s %-12.12s ", u->ut_user, line);
	if (!l->no_host && !l->host_last)
		text_format(p, &t, "%-16.16s ", u->ut_host);
	last_time(p, &t, u->ut_tv.tv_sec, l->seconds_full);
	if (word) {
		text_add_words(p, &t, word);
	} else {
		struct civil_time c = system_civil(ended * SECOND);

		text_add_words(p, &t, " - ");
		if (l->seconds_full)
			last_time(p, &t, ended, true);
		else
			text_format(p, &t, "%02d:%02d", c.hour, c.minute);
		length = ended - u->ut_tv.tv_sec;
		if (length >= 86400)
			text_format(p, &t, " (%lld+%02lld:%02lld)", (long long)length / 86400,
				    (long long)length / 3600 % 24, (long long)length / 60 % 60);
		else
			text_format(p, &t, "  (%02lld:%02lld)", (long long)length / 3600,
				    (long long)length / 60 % 60);
	}
	if (l->host_last)
		text_format(p, &t, "     %s", u->ut_host);
	process_print(p, "%s\n", t.data);
	process_give(p, t.data);
}

/* When the log-in of record `index` ended: its logout, the next boot, or 0 with *word. */
static int64_t last_end(const struct utmp *records, size_t count, size_t index, bool *crash,
			bool *down)
{
	for (size_t i = index + 1; i < count; i++) {
		if (records[i].ut_type == DEAD_PROCESS &&
		    strncmp(records[i].ut_line, records[index].ut_line,
			    sizeof(records[i].ut_line)) == 0)
			return records[i].ut_tv.tv_sec;
		if (records[i].ut_type == RUN_LVL &&
		    strncmp(records[i].ut_user, "shutdown", 9) == 0) {
			*down = true;
			return records[i].ut_tv.tv_sec;
		}
		if (records[i].ut_type == BOOT_TIME) {
			*crash = true;
			return records[i].ut_tv.tv_sec;
		}
	}
	return 0;
}

static void last_print(struct process *p, const struct last *l, const struct utmp *records,
		       size_t count, bool bad)
{
	int64_t shown = 0;

	for (size_t i = count; i-- > 0 && (!l->most || shown < l->most);) {
		struct utmp u = records[i];
		bool crash = false, down = false;
		int64_t ended;

		process_step(p);
		u.ut_user[sizeof(u.ut_user) - 1] = u.ut_line[sizeof(u.ut_line) - 1] = 0;
		u.ut_host[sizeof(u.ut_host) - 1] = 0;
		if (u.ut_type == BOOT_TIME) {
			(void)snprintf(u.ut_line, sizeof(u.ut_line), "system boot");
			if (!last_wanted(l, &u))
				continue;
			ended = 0;
			for (size_t k = i + 1; k < count && !ended; k++)
				if (records[k].ut_type == RUN_LVL &&
				    strncmp(records[k].ut_user, "shutdown", 9) == 0)
					ended = records[k].ut_tv.tv_sec;
			last_line(p, l, &u, "system boot", ended,
				  ended ? NULL : "   still running");
			shown++;
			continue;
		}
		if ((bad ? u.ut_type != LOGIN_PROCESS && u.ut_type != USER_PROCESS
			 : u.ut_type != USER_PROCESS) ||
		    !last_wanted(l, &u))
			continue;
		ended = bad ? u.ut_tv.tv_sec : last_end(records, count, i, &crash, &down);
		if (!ended && !bad)
			last_line(p, l, &u, u.ut_line, 0, "   still logged in");
		else if (crash)
			last_line(p, l, &u, u.ut_line, ended, NULL);
		else if (down && !l->seconds_full)
			last_line(p, l, &u, u.ut_line, ended, NULL);
		else
			last_line(p, l, &u, u.ut_line, ended, NULL);
		shown++;
	}
}

static int run_last(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"limit", 'n', OPTION_NEEDS},
						   {"file", 'f', OPTION_NEEDS},
						   {"fulltimes", 'F'},
						   {"hostlast", 'a'},
						   {"nohostname", 'R'},
						   {"ip", 'i'},
						   {"dns", 'd'},
						   {"fullnames", 'w'},
						   {"system", 'x'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	bool bad = strcmp(system_called(p), "lastb") == 0;
	const char *path = bad ? "/var/log/btmp" : "/var/log/wtmp";
	struct option_state state = {0};
	struct last l = {0};
	struct text file = {0};
	struct utmp *records;
	size_t count;
	struct civil_time c;
	int option, error;

	/* last -5 */
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9' &&
		    slice_number(slice_text(argv[i] + 1), 0, INT32_MAX, &l.most) == 0)
			argv[i] = process_format(p, "-n%lld", (long long)l.most);
	while ((option = option_next(p, &state, argc, argv, "hVf:n:RadFit:p:s:0123456789wx",
				     words)) != -1) {
		switch (option) {
		case 'n':
			if (slice_number(slice_text(state.argument), 0, INT32_MAX, &l.most)) {
				process_complain(p, "failed to parse number: '%s'", state.argument);
				return 1;
			}
			break;
		case 'f':
			path = state.argument;
			break;
		case 'F':
			l.seconds_full = true;
			break;
		case 'a':
			l.host_last = true;
			break;
		case 'R':
			l.no_host = true;
			break;
		case 'V':
			system_version(p, UTIL_LINUX);
		case '?':
			return 1;
		default:
			break;
		}
	}
	l.names = (const char *const *)argv + state.index;
	l.name_count = argc - state.index;
	error = process_read_file(p, path, (size_t)2 * 1024 * 1024, &file);
	if (error < 0) {
		process_complain(p, "cannot open %s: %s", path, strerror(-error));
		return 1;
	}
	count = file.length / sizeof(*records);
	records = process_take(p, count * sizeof(*records) + 1);
	memcpy(records, file.data ? file.data : "", count * sizeof(*records));
	last_print(p, &l, records, count, bad);
	c = system_civil(count ? records[0].ut_tv.tv_sec * SECOND : process_now(p));
	process_print(p, "\n%s begins %s %s %2d %02d:%02d:%02d %d\n",
		      strrchr(path, '/') ? strrchr(path, '/') + 1 : path, system_days[c.weekday],
		      system_months[c.month - 1], c.day, c.hour, c.minute, c.second, c.year);
	return 0;
}

static int run_lastlog(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	struct text accounts = {0}, file = {0};
	struct slice rest, line;
	const char *only = NULL;
	int option;

	while ((option = option_next(p, &state, argc, argv, "b:t:u:ChR:S", NULL)) != -1) {
		if (option == 'u')
			only = state.argument;
		if (option == '?')
			return 2;
	}
	if (process_read_file(p, "/etc/passwd", 1 << 20, &accounts) < 0 ||
	    process_read_file(p, "/var/log/lastlog", 4 << 20, &file) < 0) {
		process_complain(p, "cannot open /var/log/lastlog: No such file or directory");
		return 1;
	}
	process_put_text(
		p, "Username         Port     From                                       Latest\n");
	rest = text_slice(&accounts);
	while (slice_next(&rest, '\n', &line)) {
		struct slice user, field;
		int64_t uid;
		struct lastlog entry = {0};

		(void)slice_next(&line, ':', &user);
		(void)slice_next(&line, ':', &field);
		(void)slice_next(&line, ':', &field);
		if (slice_number(field, 0, UINT32_MAX, &uid) || (only && !slice_is(user, only)))
			continue;
		if ((size_t)(uid + 1) * sizeof(entry) <= file.length)
			memcpy(&entry, file.data + (size_t)uid * sizeof(entry), sizeof(entry));
		process_step(p);
		if (!entry.ll_time) {
			process_print(p, "%-16.*s %-8s %-42s**Never logged in**\n",
				      (int)user.length, (const char *)user.at, "", "");
			continue;
		}
		{
			struct civil_time c = system_civil(entry.ll_time * SECOND);

			process_print(
				p, "%-16.*s %-8.8s %-42.42s%s %s %2d %02d:%02d:%02d +0000 %d\n",
				(int)user.length, (const char *)user.at, entry.ll_line,
				entry.ll_host, system_days[c.weekday], system_months[c.month - 1],
				c.day, c.hour, c.minute, c.second, c.year);
		}
	}
	return 0;
}

static const struct command commands[] = {
	{"w", run_w, COMMAND_BOTH, "/usr/bin"},
	{"w.procps", run_w, COMMAND_DEBIAN, "/usr/bin"},
	{"who", run_who, COMMAND_BOTH, "/usr/bin"},
	{"users", run_users, COMMAND_BOTH, "/usr/bin"},
	{"last", run_last, COMMAND_BOTH, "/usr/bin"},
	{"lastb", run_last, COMMAND_DEBIAN, "/usr/bin"},
	{"lastlog", run_lastlog, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_people = {"system_people", commands};
