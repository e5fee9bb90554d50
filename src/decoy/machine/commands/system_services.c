/* Services: systemctl, service, invoke-rc.d, update-rc.d; shutdown, reboot and their like. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

struct unit {
	const char *name, *description, *process, *docs;
	const char *script; /* in /etc/init.d, or NULL */
	bool oneshot;
};

static const struct unit units[] = {
	{"apache2", "The Apache HTTP Server", "apache2", "https://httpd.apache.org/docs/2.4/",
	 "apache2"},
	{"asterisk", "Asterisk PBX", "asterisk", "man:asterisk(8)", "asterisk"},
	{"cron", "Regular background program processing daemon", "cron", "man:cron(8)", "cron"},
	{"dbus", "D-Bus System Message Bus", "dbus-daemon", "man:dbus-daemon(1)", "dbus"},
	{"getty@tty1", "Getty on tty1", "agetty", "man:agetty(8)", NULL},
	{"inetutils-inetd", "Internet superserver", "inetd", "man:inetutils-inetd(8)",
	 "inetutils-inetd"},
	{"kamailio", "Kamailio - the Open Source SIP Server", "kamailio", NULL, "kamailio"},
	{"keyboard-setup", "Set the console keyboard layout", NULL, NULL, "keyboard-setup.sh",
	 true},
	{"kmod-static-nodes", "Create List of Static Device Nodes", NULL, NULL, NULL, true},
	{"mssql-server", "Microsoft SQL Server Database Engine", "sqlservr",
	 "https://docs.microsoft.com/en-us/sql/linux", NULL},
	{"networking", "Raise network interfaces", NULL, "man:interfaces(5)", "networking", true},
	{"nginx", "A high performance web server and a reverse proxy server", "nginx",
	 "man:nginx(8)", "nginx"},
	{"open-vm-tools", "Service for virtual machines hosted on VMware", "vmtoolsd",
	 "http://open-vm-tools.sourceforge.net/about.php", "open-vm-tools"},
	{"qemu-guest-agent", "QEMU Guest Agent", "qemu-ga", NULL, NULL},
	{"redis", "Redis In-Memory Data Store", "redis-server", NULL, "redis_6379"},
	{"rsyslog", "System Logging Service", "rsyslogd", "man:rsyslogd(8)", NULL},
	{"ssh", "OpenBSD Secure Shell server", "sshd", "man:sshd(8)", "ssh"},
	{"systemd-journald", "Journal Service", "systemd-journal",
	 "man:systemd-journald.service(8)", NULL},
	{"systemd-logind", "User Login Management", "systemd-logind", "man:sd-login(3)", NULL},
	{"systemd-timesyncd", "Network Time Synchronization", "systemd-timesyn",
	 "man:systemd-timesyncd.service(8)", NULL},
	{"systemd-udevd", "Rule-based Manager for Device Events and Files", "systemd-udevd",
	 "man:systemd-udevd.service(8)", "udev"},
	{"unattended-upgrades", "Unattended Upgrades Shutdown", "unattended-upgr",
	 "man:unattended-upgrade(8)", "unattended-upgrades"},
	{"vsftpd", "vsftpd FTP server", "vsftpd", NULL, "vsftpd"},
};

static bool has_unit(struct process *p, const struct unit *u)
{
	return u->oneshot || host_process_id(process_host(p), u->process, process_now(p));
}

static const struct unit *find_unit(struct process *p, const char *name)
{
	char bare[128];
	size_t length = strlen(name);

	if (length > 8 && strcmp(name + length - 8, ".service") == 0)
		length -= 8;
	if (length >= sizeof(bare))
		return NULL;
	memcpy(bare, name, length);
	bare[length] = 0;
	if (strcmp(bare, "sshd") == 0)
		(void)snprintf(bare, sizeof(bare), "ssh");
	if (strcmp(bare, "redis-server") == 0)
		(void)snprintf(bare, sizeof(bare), "redis");
	for (size_t i = 0; i < ARRAY_COUNT(units); i++)
		if (strcmp(units[i].name, bare) == 0 && has_unit(p, &units[i]))
			return &units[i];
	return NULL;
}

/* A unit file that lies where systemd looks: what an intruder brought, or Debian's own. Its path.
 */
static const char *unit_file(struct process *p, const char *name)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
					      "/lib/systemd/system", "/usr/lib/systemd/system"};
	const char *dot = strrchr(name, '.');
	struct file_status status;

	for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
		char *path = process_format(p, "%s/%s%s", folders[i], name, dot ? "" : ".service");

		if (process_stat(p, path, true, &status) == 0 && S_ISREG(status.mode))
			return path;
	}
	return NULL;
}

static bool speaks_unicode(struct process *p)
{
	const char *all = process_environment(p, "LC_ALL"),
		   *language = process_environment(p, "LANG");
	const char *used = all && *all ? all : language;

	return used && (strstr(used, "UTF-8") || strstr(used, "utf8"));
}

static const char *full_name(struct process *p, const char *name)
{
	if (!name)
		return "";
	return strrchr(name, '.') ? name : process_format(p, "%s.service", name);
}

/* "2 weeks 3 days ago" */
static void put_ago(struct process *p, int64_t seconds)
{
	static const struct {
		const char *name, *many;
		int64_t length;
	} parts[] = {{"month", "months", 2629800}, {"week", "weeks", 604800},
		     {"day", "days", 86400},       {"h", "h", 3600},
		     {"min", "min", 60},           {"s", "s", 1}};
	unsigned said = 0;

	for (size_t i = 0; i < ARRAY_COUNT(parts) && said < 2; i++) {
		int64_t count = seconds / parts[i].length;

		if (!count) {
			if (said)
				break;
			continue;
		}
		seconds %= parts[i].length;
		process_print(p, i < 3 ? "%lld %s " : "%lld%s ", (long long)count,
			      count == 1 ? parts[i].name : parts[i].many);
		said++;
	}
	process_put_text(p, "ago");
}

static const char *stamp(struct process *p, int64_t time)
{
	struct civil_time c = system_civil(time);

	return process_format(p, "%s %04d-%02d-%02d %02d:%02d:%02d UTC", system_days[c.weekday],
			      c.year, c.month, c.day, c.hour, c.minute, c.second);
}

static void status_of(struct process *p, const struct unit *u)
{
	const struct host *host = process_host(p);
	struct task_list list = system_tasks(p);
	struct task *t = process_take(p, sizeof(*t));
	unsigned pid = u->process ? host_process_id(host, u->process, list.now) : 0;
	bool unicode = speaks_unicode(p);
	int64_t since = host_boot_time(host, list.now) + 6 * SECOND;
	unsigned count = 0, threads = 0;
	uint64_t memory = 0, cpu = 0;

	if (pid && task_find(&list, pid, t))
		since = t->started;
	process_print(
		p,
		"%s %s.service - %s\n     Loaded: loaded (/lib/systemd/system/%s.service; enabled; "
		"preset: enabled)\n",
		unicode ? "\xe2\x97\x8f" : "*", u->name, u->description,
		strcmp(u->name, "getty@tty1") == 0 ? "getty@" : u->name);
	process_print(p, "     Active: active (%s) since %s; ", u->oneshot ? "exited" : "running",
		      stamp(p, since));
	put_ago(p, (list.now - since) / SECOND);
	process_put_byte(p, '\n');
	if (u->docs)
		process_print(p, "       Docs: %s\n", u->docs);
	if (!pid)
		return;
	for (list.index = 0; task_next(&list, t);) {
		if (t->pid != pid &&
		    (t->parent != pid || t->process || strncmp(t->name, "sshd", 4) == 0))
			continue;
		count++;
		threads += t->threads;
		memory += t->resident_kilobytes;
		cpu += t->cpu / 1000;
	}
	(void)count;
	process_print(p,
		      "   Main PID: %u (%s)\n      Tasks: %u (limit: %llu)\n     Memory: %.1fM\n   "
		      "     CPU: ",
		      pid, u->process, threads,
		      (unsigned long long)(host_memory(host, list.now).total / 870),
		      (double)memory / 1024 * 0.7);
	if (cpu >= 3600000)
		process_print(p, "%lluh %llumin %llu.%03llus\n", (unsigned long long)cpu / 3600000,
			      (unsigned long long)cpu / 60000 % 60,
			      (unsigned long long)cpu / 1000 % 60, (unsigned long long)cpu % 1000);
	else if (cpu >= 60000)
		process_print(p, "%llumin %llu.%03llus\n", (unsigned long long)cpu / 60000,
			      (unsigned long long)cpu / 1000 % 60, (unsigned long long)cpu % 1000);
	else if (cpu >= 1000)
		process_print(p, "%llu.%03llus\n", (unsigned long long)cpu / 1000,
			      (unsigned long long)cpu % 1000);
	else
		process_print(p, "%ums\n", 23 + pid % 70);
	process_print(p, "     CGroup: /system.slice/%s.service\n", u->name);
	for (list.index = 0; task_next(&list, t);) {
		struct writer w = writer_growing(4096);
		bool quoted;

		if (t->pid != pid &&
		    (t->parent != pid || t->process || strncmp(t->name, "sshd", 4) == 0))
			continue;
		task_command(t, &w, ' ');
		quoted = slice_find_byte(writer_slice(&w), ':') != SIZE_MAX;
		count--;
		process_print(p, "             %s%u %s%.*s%s\n",
			      unicode ? count ? "\xe2\x94\x9c\xe2\x94\x80"
					      : "\xe2\x94\x94\xe2\x94\x80"
			      : count ? "|-"
				      : "`-",
			      t->pid, quoted ? "\"" : "", (int)w.length, (const char *)w.at,
			      quoted ? "\"" : "");
		writer_free(&w);
	}
}

static int unit_status(struct process *p, const char *name)
{
	const struct unit *u = find_unit(p, name);
	const char *file = unit_file(p, name);

	if (u) {
		status_of(p, u);
		return 0;
	}
	if (!file) {
		process_error(p, "Unit %s could not be found.\n", full_name(p, name));
		return 4;
	}
	process_print(
		p,
		"%s %s - %s\n     Loaded: loaded (%s; disabled; preset: enabled)\n     Active: "
		"inactive (dead)\n",
		speaks_unicode(p) ? "\xe2\x97\x8b" : "*", full_name(p, name), full_name(p, name),
		file);
	return 3;
}

static void list_units(struct process *p, const char *type)
{
	size_t count = 0;

	process_put_text(p, "  UNIT                          LOAD   ACTIVE SUB     DESCRIPTION\n");
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!has_unit(p, &units[i]) || (type && strcmp(type, "service") != 0))
			continue;
		process_print(p, "  %-29s loaded active %-7s %s\n",
			      process_format(p, "%s.service", units[i].name),
			      units[i].oneshot ? "exited" : "running", units[i].description);
		count++;
	}
	process_print(
		p,
		"\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = "
		"The "
		"high-level unit activation state, i.e. generalization of SUB.\nSUB    = The "
		"low-level "
		"unit activation state, values depend on unit type.\n%zu loaded units listed. Pass "
		"--all to see loaded but inactive units, too.\nTo show all installed unit files "
		"use "
		"'systemctl list-unit-files'.\n",
		count);
}

static void list_files(struct process *p)
{
	size_t count = 0;

	process_put_text(p, "UNIT FILE                              STATE           PRESET\n");
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!has_unit(p, &units[i]))
			continue;
		process_print(p, "%-38s %-15s enabled\n",
			      process_format(p, "%s.service", units[i].name), "enabled");
		count++;
	}
	process_print(p, "\n%zu unit files listed.\n", count);
}

static int need_root(struct process *p, const char *verb, const char *name)
{
	if (p->identity.effective_uid == 0)
		return 0;
	if (name)
		process_error(p,
			      "Failed to %s %s: Interactive authentication required.\nSee system "
			      "logs and "
			      "'systemctl status %s' for details.\n",
			      verb, full_name(p, name), full_name(p, name));
	else
		process_error(p, "Failed to %s: Interactive authentication required.\n", verb);
	return 1;
}

static int enable_unit(struct process *p, const char *name, bool on)
{
	const struct unit *u = find_unit(p, name);
	const char *file = unit_file(p, name), *unit = full_name(p, name);
	char *link = process_format(p, "/etc/systemd/system/multi-user.target.wants/%s", unit);
	struct file_status status;

	if (!u && !file) {
		process_error(p, "Failed to %s unit: Unit file %s does not exist.\n",
			      on ? "enable" : "disable", unit);
		return 1;
	}
	if (u && u->script)
		process_error(p,
			      "Synchronizing state of %s with SysV service script with "
			      "/lib/systemd/systemd-sysv-install.\nExecuting: "
			      "/lib/systemd/systemd-sysv-install %s %s\n",
			      unit, on ? "enable" : "disable", u->name);
	if (!file)
		return 0;
	if (on && process_stat(p, link, false, &status) < 0) {
		(void)process_make_folder(p, "/etc/systemd/system/multi-user.target.wants", 0755);
		if (process_symlink(p, file, link) == 0 && !(u && u->script))
			process_error(p, "Created symlink %s %s %s.\n", link,
				      speaks_unicode(p) ? "\xe2\x86\x92" : "->", file);
	} else if (!on && process_stat(p, link, false, &status) == 0) {
		if (process_unlink(p, link) == 0)
			process_error(p, "Removed \"%s\".\n", link);
	}
	return 0;
}

static int act_on(struct process *p, const char *verb, const char *name)
{
	const struct unit *u = find_unit(p, name);
	const char *file = u ? NULL : unit_file(p, name);
	int status;

	if (strcmp(verb, "status") == 0)
		return unit_status(p, name);
	if (strcmp(verb, "is-active") == 0) {
		process_put_text(p, u ? "active\n" : "inactive\n");
		return u ? 0 : 3;
	}
	if (strcmp(verb, "is-failed") == 0) {
		process_put_text(p, u ? "active\n" : "inactive\n");
		return 1;
	}
	if (strcmp(verb, "is-enabled") == 0) {
		if (!u && !file) {
			process_error(
				p,
				"Failed to get unit file state for %s: No such file or directory\n",
				full_name(p, name));
			return 1;
		}
		process_put_text(p, u ? "enabled\n" : "disabled\n");
		return u ? 0 : 1;
	}
	if (strcmp(verb, "cat") == 0) {
		struct text text = {0};
		const char *path = unit_file(p, name);

		if (!path) {
			process_error(p, "No files found for %s.\n", full_name(p, name));
			return 1;
		}
		process_print(p, "# %s\n", path);
		if (process_read_file(p, path, 65536, &text) == 0)
			process_put(p, text_slice(&text));
		return 0;
	}
	if (strcmp(verb, "show") == 0) {
		process_print(p, "Type=notify\nId=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\n",
			      full_name(p, name), u || file ? "loaded" : "not-found",
			      u ? "active" : "inactive", u ? "running" : "dead");
		return 0;
	}
	status = need_root(p, verb, name);
	if (status)
		return status;
	if (strcmp(verb, "enable") == 0 || strcmp(verb, "disable") == 0 ||
	    strcmp(verb, "mask") == 0 || strcmp(verb, "unmask") == 0)
		return verb[0] == 'm' || verb[0] == 'u' ? 0 : enable_unit(p, name, verb[0] == 'e');
	if (!u && !file) {
		process_error(p, "Failed to %s %s: Unit %s not %s.\n", verb, full_name(p, name),
			      full_name(p, name),
			      strcmp(verb, "stop") == 0 || strcmp(verb, "reload") == 0 ||
					      strcmp(verb, "kill") == 0
				      ? "loaded"
				      : "found");
		return 5;
	}
	process_sleep(p, 90 * MILLISECOND + (int64_t)process_random_number(p, 300) * MILLISECOND);
	return 0;
}

/* The host goes down: the session ends as if the line was cut. */
static int go_down(struct process *p, const char *verb)
{
	struct machine_service service;

	if (p->identity.effective_uid != 0) {
		process_error(
			p,
			"Failed to set wall message, ignoring: Interactive authentication "
			"required.\n"
			"Failed to %s system via logind: Interactive authentication required.\n"
			"Failed to open initctl fifo: Permission denied\nFailed to talk to init "
			"daemon.\n",
			verb);
		return 1;
	}
	process_flush(p);
	process_sleep(p, 700 * MILLISECOND);
	machine_service(p->machine, &service);
	(void)process_kill(p, (int)service.pid, SIGTERM);
	return 0;
}

static int shutdown_command(struct process *p, int argc, char **argv, const char *called)
{
	const char *verb = strcmp(called, "reboot") == 0 ? "reboot"
			   : strcmp(called, "halt") == 0 ? "halt"
							 : "power off";
	const char *when = NULL;

	if (strcmp(called, "shutdown") != 0) {
		for (int i = 1; i < argc; i++)
			if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-w") == 0 ||
			    strcmp(argv[i], "--wtmp-only") == 0)
				return 0;
		return go_down(p, verb);
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-r") == 0)
			verb = "reboot";
		else if (strcmp(argv[i], "-H") == 0)
			verb = "halt";
		else if (strcmp(argv[i], "-c") == 0)
			return 0;
		else if (strcmp(argv[i], "-k") == 0)
			return 0;
		else if (argv[i][0] != '-' && !when)
			when = argv[i];
	}
	if (when && (strcmp(when, "now") == 0 || strcmp(when, "+0") == 0))
		return go_down(p, verb);
	if (p->identity.effective_uid != 0) {
		process_error(
			p, "Failed to set wall message, ignoring: Interactive authentication "
			   "required.\n"
			   "Failed to schedule shutdown: Interactive authentication required.\n");
		return 1;
	}
	{
		int64_t minutes = 1;

		if (when && *when == '+')
			(void)!slice_number(slice_text(when + 1), 0, 100000, &minutes);
		process_error(p, "Shutdown scheduled for %s, use 'shutdown -c' to cancel.\n",
			      stamp(p, process_now(p) + minutes * MINUTE));
	}
	return 0;
}

static const char *const plain_verbs[] = {
	"daemon-reload", "daemon-reexec", "reset-failed", "set-default", "isolate", "preset", NULL};
static const char *const unit_verbs[] = {
	"start",        "stop",      "restart",    "reload",    "try-restart", "reload-or-restart",
	"force-reload", "kill",      "enable",     "disable",   "mask",        "unmask",
	"status",       "is-active", "is-enabled", "is-failed", "cat",         "show",
	"edit",         "reenable",  NULL};

static bool among(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static int system_status(struct process *p)
{
	const struct host *host = process_host(p);
	int64_t now = process_now(p), boot = host_boot_time(host, now);

	process_print(p,
		      "%s %s\n    State: running\n    Units: %llu loaded (incl. loaded aliases)\n  "
		      "   Jobs: 0 "
		      "queued\n   Failed: 0 units\n    Since: %s; ",
		      speaks_unicode(p) ? "\xe2\x97\x8f" : "*", host_names(host)->node,
		      (unsigned long long)host_fact(host, "units", 208, 262), stamp(p, boot));
	put_ago(p, (now - boot) / SECOND);
	process_put_text(p, "\n  systemd: 252.36-1~deb12u1\n   CGroup: /\n");
	return 0;
}

static int run_systemctl(struct process *p, int argc, char **argv)
{
	const char *called = system_called(p), *verb = NULL, *type = NULL;
	const char *names[32];
	size_t count = 0;
	int status = 0;
	bool now = false;

	if (strcmp(called, "systemctl") != 0)
		return shutdown_command(p, argc, argv, called);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--type=", 7) == 0)
			type = argv[i] + 7;
		else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			type = argv[++i];
		else if (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "-p") == 0 ||
			 strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "-s") == 0)
			i++;
		else if (strcmp(argv[i], "--now") == 0)
			now = true;
		else if (strcmp(argv[i], "--version") == 0)
			system_usage(p,
				     "systemd 252 (252.36-1~deb12u1)\n+PAM +AUDIT +SELINUX "
				     "+APPARMOR +IMA +SMACK "
				     "+SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL "
				     "+ELFUTILS +FIDO2 +IDN2 "
				     "-IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY "
				     "+P11KIT +QRENCODE "
				     "+TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON "
				     "+UTMP +SYSVINIT "
				     "default-hierarchy=unified\n",
				     0);
		else if (argv[i][0] == '-')
			continue;
		else if (!verb)
			verb = argv[i];
		else if (count < ARRAY_COUNT(names))
			names[count++] = argv[i];
	}
	if (!verb || strcmp(verb, "list-units") == 0) {
		list_units(p, type);
		return 0;
	}
	if (strcmp(verb, "list-unit-files") == 0) {
		list_files(p);
		return 0;
	}
	if (strcmp(verb, "list-timers") == 0 || strcmp(verb, "list-sockets") == 0 ||
	    strcmp(verb, "list-jobs") == 0) {
		process_put_text(p, verb[5] == 'j' ? "No jobs running.\n" : "0 units listed.\n");
		return 0;
	}
	if (strcmp(verb, "is-system-running") == 0) {
		process_put_text(p, "running\n");
		return 0;
	}
	if (strcmp(verb, "get-default") == 0) {
		process_put_text(p, "multi-user.target\n");
		return 0;
	}
	if (strcmp(verb, "reboot") == 0 || strcmp(verb, "poweroff") == 0 ||
	    strcmp(verb, "halt") == 0)
		return go_down(p, strcmp(verb, "poweroff") == 0 ? "power off" : verb);
	if (among(plain_verbs, verb))
		return need_root(p, "reload daemon", NULL);
	if (!among(unit_verbs, verb)) {
		process_error(p, "Unknown command verb %s.\n", verb);
		return 1;
	}
	if (!count && strcmp(verb, "status") == 0)
		return system_status(p);
	if (!count && strcmp(verb, "show") == 0)
		return 0;
	if (!count) {
		process_error(p, "Too few arguments.\n");
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		int one = act_on(p, verb, names[i]);

		if (now && !one && (strcmp(verb, "enable") == 0 || strcmp(verb, "disable") == 0))
			one = act_on(p, verb[0] == 'e' ? "start" : "stop", names[i]);
		if (one)
			status = one;
		if (i + 1 < count && strcmp(verb, "status") == 0)
			process_put_byte(p, '\n');
	}
	return status;
}

/* --- service --- */

static int run_service(struct process *p, int argc, char **argv)
{
	const struct unit *u;
	char *script;
	struct file_status status;

	if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		system_usage(p,
			     "Usage: service < option > | --status-all | [ service_name [ command "
			     "| --full-restart ] ]\n",
			     argc < 2 ? 1 : 0);
	if (strcmp(argv[1], "--version") == 0)
		system_usage(p, "service ver. 1.65.2\n", 0);
	if (strcmp(argv[1], "--status-all") == 0) {
		static const char *const idle[] = {"hwclock.sh", "procps", "kmod"};

		for (size_t i = 0; i < ARRAY_COUNT(units); i++)
			if (units[i].script && has_unit(p, &units[i]))
				process_print(p, " [ %c ]  %s\n",
					      units[i].oneshot && units[i].name[0] == 'k' ? '-'
											  : '+',
					      units[i].script);
		for (size_t i = 0; i < ARRAY_COUNT(idle); i++)
			process_print(p, " [ %c ]  %s\n", i == 1 ? '+' : '-', idle[i]);
		return 0;
	}
	u = find_unit(p, argv[1]);
	script = process_format(p, "/etc/init.d/%s", argv[1]);
	if (!u && !unit_file(p, argv[1]) && process_stat(p, script, true, &status) < 0) {
		process_error(p, "%s: unrecognized service\n", argv[1]);
		return 1;
	}
	if (argc < 3) {
		process_error(p,
			      "Usage: /etc/init.d/%s "
			      "{start|stop|reload|force-reload|restart|try-restart|status}\n",
			      argv[1]);
		return 1;
	}
	if (!u && !unit_file(p, argv[1])) {
		char *line = process_format(p, "%s %s", script, argv[2]);

		return command_run_line(p, line);
	}
	if (!among(unit_verbs, argv[2]) && strcmp(argv[2], "--full-restart") != 0) {
		process_error(p,
			      "Usage: /etc/init.d/%s "
			      "{start|stop|reload|force-reload|restart|try-restart|status}\n",
			      argv[1]);
		return 1;
	}
	return act_on(p, argv[2], argv[1]);
}

static int run_quiet(struct process *p, int argc, char **argv)
{
	(void)p;
	(void)argc;
	(void)argv;
	return 0;
}

static int run_init(struct process *p, int argc, char **argv)
{
	if (p->busybox && argc < 2)
		return shutdown_command(p, argc, argv, "reboot");
	if (argc < 2 || (strcmp(argv[1], "0") != 0 && strcmp(argv[1], "6") != 0)) {
		if (argc < 2)
			process_error(p, "init: required argument missing.\n");
		return argc < 2;
	}
	return go_down(p, argv[1][0] == '0' ? "power off" : "reboot");
}

static const struct command commands[] = {
	{"systemctl", run_systemctl, COMMAND_DEBIAN, "/usr/bin"},
	{"service", run_service, COMMAND_DEBIAN, "/usr/sbin"},
	{"invoke-rc.d", run_service, COMMAND_DEBIAN, "/usr/sbin"},
	{"update-rc.d", run_quiet, COMMAND_DEBIAN, "/usr/sbin"},
	{"shutdown", run_systemctl, COMMAND_DEBIAN, "/usr/sbin"},
	{"reboot", run_systemctl, COMMAND_BOTH, "/usr/sbin"},
	{"halt", run_systemctl, COMMAND_BOTH, "/usr/sbin"},
	{"poweroff", run_systemctl, COMMAND_BOTH, "/usr/sbin"},
	{"init", run_init, COMMAND_BOTH, "/usr/sbin"},
	{"telinit", run_init, COMMAND_DEBIAN, "/usr/sbin"},
	{NULL},
};
const struct command_family command_family_system_services = {"system_services", commands};
