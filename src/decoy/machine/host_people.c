/* Who uses the fake host: accounts, groups, the company's people and their log-ins. */
#include <ctype.h>

#include "base/clock.h"
#include "decoy/machine/host_state.h"

struct base_account {
	const char *name;
	unsigned uid, gid;
	const char *gecos, *home, *shell;
};

/* What Debian 12 gives at first, in its order. */
static const struct base_account debian_base[] = {
	{"root", 0, 0, "root", "/root", "/bin/bash"},
	{"daemon", 1, 1, "daemon", "/usr/sbin", "/usr/sbin/nologin"},
	{"bin", 2, 2, "bin", "/bin", "/usr/sbin/nologin"},
	{"sys", 3, 3, "sys", "/dev", "/usr/sbin/nologin"},
	{"sync", 4, 65534, "sync", "/bin", "/bin/sync"},
	{"games", 5, 60, "games", "/usr/games", "/usr/sbin/nologin"},
	{"man", 6, 12, "man", "/var/cache/man", "/usr/sbin/nologin"},
	{"lp", 7, 7, "lp", "/var/spool/lpd", "/usr/sbin/nologin"},
	{"mail", 8, 8, "mail", "/var/mail", "/usr/sbin/nologin"},
	{"news", 9, 9, "news", "/var/spool/news", "/usr/sbin/nologin"},
	{"uucp", 10, 10, "uucp", "/var/spool/uucp", "/usr/sbin/nologin"},
	{"proxy", 13, 13, "proxy", "/bin", "/usr/sbin/nologin"},
	{"www-data", 33, 33, "www-data", "/var/www", "/usr/sbin/nologin"},
	{"backup", 34, 34, "backup", "/var/backups", "/usr/sbin/nologin"},
	{"list", 38, 38, "Mailing List Manager", "/var/list", "/usr/sbin/nologin"},
	{"irc", 39, 39, "ircd", "/run/ircd", "/usr/sbin/nologin"},
	{"_apt", 42, 65534, "", "/nonexistent", "/usr/sbin/nologin"},
	{"nobody", 65534, 65534, "nobody", "/nonexistent", "/usr/sbin/nologin"},
	{"systemd-network", 998, 998, "systemd Network Management", "/", "/usr/sbin/nologin"},
	{"messagebus", 100, 107, "", "/nonexistent", "/usr/sbin/nologin"},
	{"sshd", 101, 65534, "", "/run/sshd", "/usr/sbin/nologin"},
	{"systemd-timesync", 997, 997, "systemd Time Synchronization", "/", "/usr/sbin/nologin"},
	{"telnetd", 102, 109, "", "/nonexistent", "/usr/sbin/nologin"},
	{"ftp", 103, 110, "ftp daemon,,,", "/srv/ftp", "/usr/sbin/nologin"},
	{"redis", 104, 111, "", "/var/lib/redis", "/usr/sbin/nologin"},
	{"mssql", 105, 112, "", "/var/opt/mssql", "/bin/bash"},
};

static const struct host_group debian_groups[] = {
	{"root", 0, ""},
	{"daemon", 1, ""},
	{"bin", 2, ""},
	{"sys", 3, ""},
	{"adm", 4, ""},
	{"tty", 5, ""},
	{"disk", 6, ""},
	{"lp", 7, ""},
	{"mail", 8, ""},
	{"news", 9, ""},
	{"uucp", 10, ""},
	{"man", 12, ""},
	{"proxy", 13, ""},
	{"kmem", 15, ""},
	{"dialout", 20, ""},
	{"fax", 21, ""},
	{"voice", 22, ""},
	{"cdrom", 24, "+"},
	{"floppy", 25, "+"},
	{"tape", 26, ""},
	{"sudo", 27, "*"},
	{"audio", 29, "+"},
	{"dip", 30, "+"},
	{"www-data", 33, ""},
	{"backup", 34, ""},
	{"operator", 37, ""},
	{"list", 38, ""},
	{"irc", 39, ""},
	{"src", 40, ""},
	{"shadow", 42, ""},
	{"utmp", 43, ""},
	{"video", 44, "+"},
	{"sasl", 45, ""},
	{"plugdev", 46, "+"},
	{"staff", 50, ""},
	{"games", 60, ""},
	{"users", 100, "+"},
	{"nogroup", 65534, ""},
	{"systemd-journal", 999, ""},
	{"systemd-network", 998, ""},
	{"crontab", 101, ""},
	{"input", 102, ""},
	{"sgx", 103, ""},
	{"kvm", 104, ""},
	{"render", 105, ""},
	{"netdev", 106, "+"},
	{"messagebus", 107, ""},
	{"_ssh", 108, ""},
	{"systemd-timesync", 997, ""},
	{"telnetd", 109, ""},
	{"ftp", 110, ""},
	{"redis", 111, ""},
	{"mssql", 112, ""},
};

static const char *text_of(const struct host *host, const char *key, const char *fallback)
{
	return persona_text(host->persona, key, fallback);
}

static void add_account(struct host *host, const struct machine_account *account)
{
	if (host->account_count < HOST_ACCOUNTS_MAX)
		host->accounts[host->account_count++] = *account;
}

static void add_group(struct host *host, const char *name, unsigned gid, const char *members)
{
	if (host->group_count < HOST_GROUPS_MAX)
		host->groups[host->group_count++] = (struct host_group){name, gid, members};
}

static const char *lower(struct host *host, const char *text)
{
	char *copy = arena_text(&host->arena, slice_text(text));

	if (!copy)
		return "user";
	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

static const char *user_name(struct host *host, const char *given, const char *family)
{
	const char *style = text_of(host, "people.style", "initial-family");

	given = lower(host, given);
	family = lower(host, family);
	if (strcmp(style, "given") == 0)
		return given;
	if (strcmp(style, "given-family") == 0)
		return host_format(host, "%s%.1s", given, family);
	if (strcmp(style, "given.family") == 0)
		return host_format(host, "%s.%s", given, family);
	return host_format(host, "%.1s%s", given, family);
}

static void make_person(struct host *host, const char *given, const char *family, bool admin)
{
	struct host_person *person = &host->people[host->person_count];
	char label[32];
	struct writer w = writer_fixed(label, sizeof(label) - 1);

	writer_format(&w, "workstation %zu", host->person_count);
	label[w.length] = 0;
	person->given = given;
	person->family = family;
	person->user = user_name(host, given, family);
	for (size_t i = 0; i < host->account_count; i++)
		if (strcmp(host->accounts[i].name, person->user) == 0)
			return;
	person->uid = 1000 + (unsigned)host->person_count;
	person->administrator = admin;
	person->workstation = host->interfaces[1].address;
	do
		person->workstation.bytes[3]++;
	while (person->workstation.bytes[3] == 0 || person->workstation.bytes[3] == 255);
	person->workstation.bytes[3] = (uint8_t)host_number(host, label, 20, 240);
	if (address_equal(&person->workstation, &host->interfaces[1].address))
		person->workstation.bytes[3] = (uint8_t)(person->workstation.bytes[3] + 1);
	add_account(host, &(struct machine_account){
				  .name = person->user,
				  .home = host_format(host, "/home/%s", person->user),
				  .shell = "/bin/bash",
				  .gecos = host_format(host, "%s %s,,,", given, family),
				  .uid = person->uid,
				  .gid = person->uid,
			  });
	add_group(host, person->user, person->uid, "");
	host->person_count++;
}

static bool leaves_out(const struct host *host, const char *name)
{
	if (strcmp(name, "telnetd") == 0)
		return strcmp(text_of(host, "telnet.style", ""), "inetutils") != 0;
	if (strcmp(name, "redis") == 0)
		return !persona_text(host->persona, "redis.version", NULL);
	if (strcmp(name, "mssql") == 0)
		return !persona_text(host->persona, "mssql.version", NULL);
	if (strcmp(name, "ftp") == 0)
		return !persona_text(host->persona, "ftp.style", NULL);
	return false;
}

static void make_debian_groups(struct host *host)
{
	const char *first = host->person_count ? host->people[0].user : "";

	for (size_t i = 0; i < host->group_count; i++) {
		struct host_group *group = &host->groups[i];

		if (strcmp(group->members, "+") == 0)
			group->members = first;
		else if (strcmp(group->members, "*") == 0)
			group->members = first;
	}
}

/* --- log-ins --- */

static void add_login(struct host *host, struct host_login login)
{
	if (host->login_count < HOST_LOGINS_MAX)
		host->logins[host->login_count++] = login;
}

/* Log-ins of a day, latest first. */
static void make_day(struct host *host, int64_t day)
{
	char label[40];
	struct writer w = writer_fixed(label, sizeof(label) - 1);
	int weekday = clock_civil(day * DAY).weekday;
	int64_t seed, count;

	writer_format(&w, "log-ins of %lld", (long long)day);
	label[w.length] = 0;
	seed = host_number(host, label, 0, INT64_MAX - 1);
	count = weekday == 0 || weekday == 6 ? seed % 7 == 0 : (seed % 10) < 4 ? 0 : seed % 3;
	for (int64_t i = 0; i < count; i++) {
		uint64_t r = (uint64_t)seed >> (8 * i + 5);
		const struct host_person *person =
			&host->people[r % 5 < 3 ? 0 : r % host->person_count];
		int64_t from = day * DAY + (count - i) * 4 * HOUR + 3 * HOUR +
			       (int64_t)(r % 7200) * SECOND + (int64_t)(r % 999983);
		int64_t until = from + MINUTE + (int64_t)(r % 5400) * SECOND;

		if (from < host->os_installed + DAY || until >= host->made - HOUR)
			continue;
		add_login(host, (struct host_login){.user = (r & 64) && person->administrator
								    ? "root"
								    : person->user,
						    .terminal = "pts/0",
						    .from = person->workstation,
						    .pid = host_last_pid(host, from) + 3,
						    .started = from,
						    .ended = until});
	}
}

static void make_logins(struct host *host)
{
	int64_t today = host->made / DAY;
	int64_t boot = host_boot_time(host, host->made);

	/* Somebody forgot to log out on the console. */
	for (int64_t day = today; day > today - 60 && host->login_count < HOST_LOGINS_MAX - 8;
	     day--) {
		make_day(host, day);
		if (boot / DAY == day && host->console_login)
			add_login(host,
				  (struct host_login){
					  .user = host->console_login,
					  .terminal = "tty1",
					  .pid = host->console_pid,
					  .started = boot + host_number(host, "console", 70, 900) *
								    SECOND});
	}
}

void host_make_people(struct host *host)
{
	if (host->kind == HOST_ROUTER) {
		add_account(host, &(struct machine_account){text_of(host, "router.user", "root"),
							    text_of(host, "router.home", "/root"),
							    "/bin/sh", "root", 0, 0});
		add_group(host, text_of(host, "router.user", "root"), 0, "");
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(debian_base); i++) {
		const struct base_account *b = &debian_base[i];

		if (!leaves_out(host, b->name))
			add_account(host, &(struct machine_account){b->name, b->home, b->shell,
								    b->gecos, b->uid, b->gid});
	}
	for (size_t i = 0; i < ARRAY_COUNT(debian_groups); i++)
		if (!leaves_out(host, debian_groups[i].name))
			add_group(host, debian_groups[i].name, debian_groups[i].gid,
				  debian_groups[i].members);
	make_person(host, text_of(host, "people.admin_given", "Martin"),
		    text_of(host, "people.admin_family", "Keller"), true);
	make_person(host, text_of(host, "people.second_given", "Julia"),
		    text_of(host, "people.second_family", "Hahn"), false);
	if (host_number(host, "third person", 0, 1))
		make_person(host, text_of(host, "people.third_given", "Tom"),
			    text_of(host, "people.third_family", "Roth"), false);
	make_debian_groups(host);
	host->os_installed = host->installed - 60 * DAY -
			     host_number(host, "host age", 30, 700) * DAY -
			     host_number(host, "host age seconds", 0, 86399) * SECOND;
	if (host_number(host, "console login", 0, 3) == 0) {
		host->console_login =
			host_number(host, "console user", 0, 1) ? "root" : host->people[0].user;
		host->console_pid = 560 + (unsigned)host_number(host, "console pid", 0, 90);
	}
	make_logins(host);
}
