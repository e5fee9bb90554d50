/* Logs of the fake host up to the moment when the story was told: wtmp, btmp, lastlog, auth.log,
 * syslog. */
#include <lastlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <utmp.h>

#include "base/clock.h"
#include "decoy/machine/host_state.h"

#define LOG_MAX   ((size_t)512 * 1024)
#define LINES_MAX 8192
#define BOOTS_MAX 12

/* Boots since the host was installed, newest first. */
static size_t boots_of(const struct host *host, int64_t boots[BOOTS_MAX])
{
	int64_t at = host_boot_time(host, host->made);
	size_t count = 0;

	while (count < BOOTS_MAX && at > host->os_installed) {
		char label[40];

		boots[count++] = at;
		(void)snprintf(label, sizeof(label), "boot before %zu", count);
		/* What persona_boot_time knows goes back to this installation of ours. */
		if (at > host->installed)
			at = host_boot_time(host, at - MINUTE);
		else
			at -= host_number(host, label, 20, 120) * DAY +
			      host_number(host, label, 0, 86399) * SECOND;
	}
	return count;
}

static void put_utmp(struct writer *w, short type, int pid, const char *line, const char *user,
		     const char *from, const struct address *address, int64_t time)
{
	struct utmp u;

	memset(&u, 0, sizeof(u));
	u.ut_type = type;
	u.ut_pid = pid;
	(void)snprintf(u.ut_line, sizeof(u.ut_line), "%.31s", line);
	if (type == BOOT_TIME || type == RUN_LVL)
		memcpy(u.ut_id, "~~", 2);
	else if (strncmp(line, "tty", 3) == 0)
		memcpy(u.ut_id, line, strlen(line) < 4 ? strlen(line) : 4);
	else if (strncmp(line, "pts/", 4) == 0) /* failed ones at sshd have none */
		memcpy(u.ut_id, line + 1, 4);
	(void)snprintf(u.ut_user, sizeof(u.ut_user), "%.31s", user);
	(void)snprintf(u.ut_host, sizeof(u.ut_host), "%.255s", from);
	u.ut_tv.tv_sec = (int32_t)(time / SECOND);
	u.ut_tv.tv_usec = (int32_t)(time % SECOND);
	if (address && address->family == 4)
		memcpy(&u.ut_addr_v6[0], address->bytes, 4);
	else if (address && address->family == 6)
		memcpy(u.ut_addr_v6, address->bytes, 16);
	writer_bytes(w, slice_of(&u, sizeof(u)));
}

struct moment {
	int64_t time;
	const struct host_login *login;
	bool end;
};

static void put_boot(struct host *host, struct writer *w, int64_t boot, bool first)
{
	if (!first)
		put_utmp(w, RUN_LVL, 0, "~", "shutdown", host->names.release, NULL,
			 boot - 30 * SECOND);
	put_utmp(w, BOOT_TIME, 0, "~", "reboot", host->names.release, NULL, boot);
	put_utmp(w, RUN_LVL, '5', "~", "runlevel", host->names.release, NULL, boot + 7 * SECOND);
	put_utmp(w, INIT_PROCESS, 520, "tty1", "", "", NULL, boot + 7 * SECOND);
}

/* utmp has one record a terminal: getty's, until somebody logs in there. */
static void put_utmp_of_boot(struct host *host, struct writer *w)
{
	int64_t boot = host_boot_time(host, host->made);

	put_utmp(w, BOOT_TIME, 0, "~", "reboot", host->names.release, NULL, boot);
	put_utmp(w, RUN_LVL, '5', "~", "runlevel", host->names.release, NULL, boot + 7 * SECOND);
	for (size_t i = 0; i < host->login_count; i++) {
		const struct host_login *login = &host->logins[i];

		if (!login->ended) {
			put_utmp(w, USER_PROCESS, (int)login->pid, login->terminal, login->user, "",
				 NULL, login->started);
			return;
		}
	}
	put_utmp(w, LOGIN_PROCESS, (int)host_process_id(host, "agetty", host->made), "tty1",
		 "LOGIN", "", NULL, boot + 7 * SECOND);
}

static void make_wtmp(struct host *host)
{
	int64_t boots[BOOTS_MAX];
	size_t boot = boots_of(host, boots), count = 0;
	struct moment moments[2 * HOST_LOGINS_MAX];
	struct writer w = writer_growing(LOG_MAX);

	for (size_t i = host->login_count; i-- > 0;) {
		moments[count++] =
			(struct moment){host->logins[i].started, &host->logins[i], false};
		if (host->logins[i].ended)
			moments[count++] =
				(struct moment){host->logins[i].ended, &host->logins[i], true};
	}
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && moments[k - 1].time > moments[k].time; k--) {
			struct moment held = moments[k];

			moments[k] = moments[k - 1];
			moments[k - 1] = held;
		}
	for (size_t i = 0; i < count; i++) {
		const struct host_login *login = moments[i].login;
		char from[ADDRESS_TEXT_MAX] = "";

		while (boot && boots[boot - 1] < moments[i].time) {
			put_boot(host, &w, boots[boot - 1], w.length == 0);
			boot--;
		}
		address_text(&login->from, from);
		put_utmp(&w, moments[i].end ? DEAD_PROCESS : USER_PROCESS, (int)login->pid,
			 login->terminal, moments[i].end ? "" : login->user,
			 moments[i].end ? "" : from, moments[i].end ? NULL : &login->from,
			 moments[i].time);
	}
	for (; boot; boot--)
		put_boot(host, &w, boots[boot - 1], w.length == 0);
	host_add_file(host, "/var/log/wtmp", 0664, 0, 43, host->made - 40 * MINUTE,
		      writer_slice(&w));
	if (host->kind == HOST_DEBIAN) {
		writer_clear(&w);
		put_utmp_of_boot(host, &w);
		host_add_file(host, "/run/utmp", 0664, 0, 43,
			      host_boot_time(host, host->made) + 7 * SECOND, writer_slice(&w));
	}
	writer_free(&w);
}

static void make_lastlog(struct host *host)
{
	struct writer w = writer_growing(LOG_MAX);
	struct lastlog entry;
	unsigned last = 0;

	for (size_t i = 0; i < host->account_count; i++)
		for (size_t k = 0; k < host->login_count; k++)
			if (strcmp(host->accounts[i].name, host->logins[k].user) == 0 &&
			    host->accounts[i].uid > last)
				last = host->accounts[i].uid;
	for (unsigned uid = 0; uid <= last; uid++) {
		memset(&entry, 0, sizeof(entry));
		for (size_t i = 0; i < host->account_count && uid < 2000; i++) {
			const struct host_login *newest = NULL;

			if (host->accounts[i].uid != uid)
				continue;
			for (size_t k = 0; k < host->login_count && !newest; k++)
				if (strcmp(host->accounts[i].name, host->logins[k].user) == 0)
					newest = &host->logins[k];
			if (newest) {
				char from[ADDRESS_TEXT_MAX] = "";

				address_text(&newest->from, from);
				entry.ll_time = (int32_t)(newest->started / SECOND);
				(void)snprintf(entry.ll_line, sizeof(entry.ll_line), "%s",
					       newest->terminal);
				(void)snprintf(entry.ll_host, sizeof(entry.ll_host), "%s", from);
			}
		}
		writer_bytes(&w, slice_of(&entry, sizeof(entry)));
	}
	host_add_file(host, "/var/log/lastlog", 0664, 0, 43, host->made - 40 * MINUTE,
		      writer_slice(&w));
	writer_free(&w);
}

/* --- texts --- */

static void put_stamp(const struct host *host, struct writer *w, int64_t time)
{
	struct civil_time c = clock_civil(time);

	writer_format(w, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00 %s ", c.year, c.month, c.day,
		      c.hour, c.minute, c.second, c.microsecond, host->names.node);
}

static const char *const guessed[] = {"admin",  "test",    "user",   "oracle", "postgres", "ubuntu",
				      "git",    "ftp",     "mysql",  "pi",     "support",  "guest",
				      "hadoop", "jenkins", "deploy", "nagios", "tomcat",   "www"};

static uint64_t mixed(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

struct guess {
	int64_t time;
	const char *user;
	struct address from;
	unsigned port, pid;
	bool known;
};

/* A try of a password from outside; addresses are those that nobody owns (198.18/15) turned into
 * ordinary ones by the secret. */
static struct guess guess_at(const struct host *host, uint64_t *state, int64_t time)
{
	struct guess g = {.time = time};
	uint64_t a = mixed(state);
	static const uint8_t firsts[] = {45,  61,  80,  92,  103, 112, 121,
					 139, 157, 178, 185, 193, 218};

	g.known = a % 3 == 0;
	g.user = g.known ? "root" : guessed[(a >> 8) % ARRAY_COUNT(guessed)];
	g.from = address_v4((uint32_t)(((uint32_t)firsts[(a >> 16) % ARRAY_COUNT(firsts)] << 24) |
				       ((a >> 24) & 0xffffff) | 1));
	g.port = 32768 + (unsigned)((a >> 40) % 28000);
	g.pid = host_last_pid(host, time) + 1;
	return g;
}

static void put_guess(const struct host *host, struct writer *w, const struct guess *g)
{
	char from[ADDRESS_TEXT_MAX];
	const char *invalid = g->known ? "" : "invalid user ";

	address_text(&g->from, from);
	if (!g->known) {
		put_stamp(host, w, g->time - 2 * SECOND - 417000);
		writer_format(w, "sshd[%u]: Invalid user %s from %s port %u\n", g->pid, g->user,
			      from, g->port);
	}
	if (!g->known) {
		put_stamp(host, w, g->time - 2 * SECOND - 201300);
		writer_format(w, "sshd[%u]: pam_unix(sshd:auth): check pass; user unknown\n",
			      g->pid);
	}
	put_stamp(host, w, g->time - 2 * SECOND - 201000);
	writer_format(w,
		      "sshd[%u]: pam_unix(sshd:auth): authentication failure; logname= uid=0 "
		      "euid=0 tty=ssh ruser= rhost=%s %s%s\n",
		      g->pid, from, g->known ? " user=" : "", g->known ? g->user : "");
	put_stamp(host, w, g->time);
	writer_format(w, "sshd[%u]: Failed password for %s%s from %s port %u ssh2\n", g->pid,
		      invalid, g->user, from, g->port);
	put_stamp(host, w, g->time + 1 * SECOND + 630000);
	writer_format(w, "sshd[%u]: Connection closed by %s%s %s port %u [preauth]\n", g->pid,
		      g->known ? "authenticating user " : "invalid user ", g->user, from, g->port);
}

static void put_login(const struct host *host, struct writer *w, const struct host_login *login,
		      bool end)
{
	char from[ADDRESS_TEXT_MAX];
	unsigned port = 40000 + login->pid % 20000, uid = 0;

	address_text(&login->from, from);
	for (size_t i = 0; i < host->account_count; i++)
		if (strcmp(host->accounts[i].name, login->user) == 0)
			uid = host->accounts[i].uid;
	if (end) {
		put_stamp(host, w, login->ended);
		writer_format(w, "sshd[%u]: pam_unix(sshd:session): session closed for user %s\n",
			      login->pid, login->user);
		return;
	}
	put_stamp(host, w, login->started - 21000);
	writer_format(w,
		      "sshd[%u]: Accepted publickey for %s from %s port %u ssh2: ED25519 SHA256:",
		      login->pid, login->user, from, port);
	{
		uint8_t key[32];
		char label[80];
		struct writer b = writer_growing(128);

		(void)snprintf(label, sizeof(label), "machine/key of %.40s", login->user);
		persona_derive(host->persona, label, key, sizeof(key));
		writer_base64(&b, slice_of(key, sizeof(key)));
		writer_bytes(w, slice_first(writer_slice(&b), 43));
		writer_free(&b);
	}
	writer_text(w, "\n");
	put_stamp(host, w, login->started);
	writer_format(w,
		      "sshd[%u]: pam_unix(sshd:session): session opened for user %s(uid=%u) by "
		      "(uid=0)\n",
		      login->pid, login->user, uid);
}

static void put_cron(const struct host *host, struct writer *w, int64_t time)
{
	unsigned pid = host_last_pid(host, time) + 2;

	put_stamp(host, w, time + 23000);
	writer_format(w,
		      "CRON[%u]: pam_unix(cron:session): session opened for user root(uid=0) by "
		      "(uid=0)\n",
		      pid);
	put_stamp(host, w, time + 31000);
	writer_format(w, "CRON[%u]: pam_unix(cron:session): session closed for user root\n", pid);
}

static int by_stamp(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;

	return slice_compare(*left, *right);
}

/* Lines begin with their time: in the order of time they go into the file. */
static void add_sorted(struct host *host, const char *path, int64_t modified, struct writer *w)
{
	size_t count = 0, capacity = LINES_MAX;
	struct slice *lines = calloc(capacity, sizeof(*lines));
	struct writer sorted = writer_growing(LOG_MAX + LINES_MAX);
	struct slice rest = writer_slice(w);

	while (lines && count < capacity && slice_next(&rest, '\n', &lines[count]))
		count++;
	if (lines)
		qsort(lines, count, sizeof(*lines), by_stamp);
	for (size_t i = 0; i < count; i++) {
		if (!lines[i].length)
			continue;
		writer_bytes(&sorted, lines[i]);
		writer_u8(&sorted, '\n');
	}
	host_add_file(host, path, 0640, 0, 4, modified, writer_slice(&sorted));
	writer_free(&sorted);
	free(lines);
}

/* From Sunday's rotation (or the boot) to the time of the story. */
static int64_t rotated_at(const struct host *host)
{
	int64_t day = host->made / DAY, since;

	since = (day - clock_civil(day * DAY).weekday) * DAY + 10 * SECOND;
	if (since > host->made - HOUR)
		since -= 7 * DAY;
	return since;
}

static void make_auth_log(struct host *host)
{
	struct writer w = writer_growing(LOG_MAX);
	struct writer failed = writer_growing(LOG_MAX);
	int64_t since = rotated_at(host), next_guess = since;
	uint64_t state = (uint64_t)host_number(host, "guesses", 0, INT64_MAX - 1);
	int64_t pace = host_number(host, "guess pace", 25, 160);

	for (int64_t time = since / HOUR * HOUR + 17 * MINUTE; time < host->made; time += HOUR) {
		if (time < since)
			continue;
		for (size_t i = host->login_count; i-- > 0;) {
			const struct host_login *login = &host->logins[i];

			if (login->from.family && login->started >= time &&
			    login->started < time + HOUR)
				put_login(host, &w, login, false);
			if (login->ended >= time && login->ended < time + HOUR)
				put_login(host, &w, login, true);
		}
		put_cron(host, &w, time + 1 * SECOND);
		if (w.length > LOG_MAX - 8192)
			break;
		for (next_guess = time + 2 * MINUTE;
		     next_guess < time + HOUR - 2 * MINUTE && next_guess < host->made - 30 * SECOND;
		     next_guess += pace * 10 * SECOND) {
			struct guess g;
			char from[ADDRESS_TEXT_MAX];

			next_guess += (int64_t)(mixed(&state) % 200000000);
			if (next_guess >= host->made)
				break;
			g = guess_at(host, &state, next_guess);
			put_guess(host, &w, &g);
			address_text(&g.from, from);
			put_utmp(&failed, LOGIN_PROCESS, (int)g.pid, "ssh:notty", g.user, from,
				 &g.from, g.time);
		}
	}
	add_sorted(host, "/var/log/auth.log", host->made - 2 * MINUTE, &w);
	host_add_file(host, "/var/log/btmp", 0660, 0, 43, host->made - 2 * MINUTE,
		      writer_slice(&failed));
	writer_free(&w);
	writer_free(&failed);
}

static void make_syslog(struct host *host)
{
	struct writer w = writer_growing(LOG_MAX), cron = writer_growing(LOG_MAX);
	int64_t since = rotated_at(host);
	const int64_t boot = host_boot_time(host, host->made);
	const char *daily[] = {"dpkg-db-backup.service - Daily dpkg database backup service",
			       "logrotate.service - Rotate log files",
			       "man-db.service - Daily man-db regeneration",
			       "apt-daily.service - Daily apt download activities"};

	if (since < boot)
		since = boot;
	for (int64_t time = since / HOUR * HOUR; time < host->made; time += HOUR) {
		unsigned pid;

		if (time % DAY == 0)
			for (size_t i = 0; i < ARRAY_COUNT(daily); i++) {
				int64_t at = time + (int64_t)i * 3 * HOUR + 11000 + (int64_t)i * 71;
				const char *dash = strstr(daily[i], " - ");

				if (at < since || at >= host->made)
					continue;
				put_stamp(host, &w, at);
				writer_format(&w, "systemd[1]: Starting %s...\n", daily[i]);
				put_stamp(host, &w, at + 93000);
				writer_format(&w, "systemd[1]: %.*s: Deactivated successfully.\n",
					      (int)(dash - daily[i]), daily[i]);
				put_stamp(host, &w, at + 94000);
				writer_format(&w, "systemd[1]: Finished %s.\n", daily[i]);
			}
		if (time + 17 * MINUTE < since || time + 17 * MINUTE + 2 * SECOND >= host->made)
			continue;
		pid = host_last_pid(host, time + 17 * MINUTE) + 3;
		put_stamp(host, &cron, time + 17 * MINUTE + 1 * SECOND + 29000);
		writer_format(
			&cron,
			"CRON[%u]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)\n",
			pid);
		put_stamp(host, &w, time + 17 * MINUTE + 1 * SECOND + 29000);
		writer_format(
			&w, "CRON[%u]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)\n",
			pid);
	}
	add_sorted(host, "/var/log/syslog", host->made - 11 * MINUTE, &w);
	host_add_file(host, "/var/log/cron.log", 0640, 0, 4, host->made - 11 * MINUTE,
		      writer_slice(&cron));
	writer_free(&w);
	writer_free(&cron);
}

static void make_package_log(struct host *host)
{
	static const char *const upgraded[][3] = {
		{"libssl3:amd64", "3.0.14-1~deb12u2", "3.0.15-1~deb12u1"},
		{"openssl:amd64", "3.0.14-1~deb12u2", "3.0.15-1~deb12u1"},
		{"tzdata:all", "2024a-0+deb12u1", "2024b-0+deb12u1"},
	};
	struct writer w = writer_growing(LOG_MAX);
	struct civil_time c = clock_civil(host->made);
	int64_t month =
		clock_from_civil(&(struct civil_time){.year = c.year, .month = c.month, .day = 1});
	int64_t at = month + 6 * HOUR + host_number(host, "upgrade", 0, 3600) * SECOND;

	for (size_t i = 0; i < ARRAY_COUNT(upgraded) && at < host->made - HOUR; i++) {
		struct civil_time t = clock_civil(at);

		writer_format(&w, "%04d-%02d-%02d %02d:%02d:%02d upgrade %s %s %s\n", t.year,
			      t.month, t.day, t.hour, t.minute, t.second, upgraded[i][0],
			      upgraded[i][1], upgraded[i][2]);
		at += 2 * SECOND;
	}
	host_add_file(host, "/var/log/dpkg.log", 0644, 0, 0, at, writer_slice(&w));
	writer_free(&w);
}

void host_make_logs(struct host *host)
{
	make_wtmp(host);
	make_lastlog(host);
	make_auth_log(host);
	make_syslog(host);
	make_package_log(host);
}
