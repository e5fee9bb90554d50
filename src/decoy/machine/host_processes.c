/* Processes and listening sockets that are there before any intruder is. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/host_state.h"

/* `needs`: a persona key that must be there for the process to run; "key=value": must be that;
 * "!...": the opposite. `each`: one for every processor; %u in name and command is its number. */
struct template
{
	const char *name, *command, *user, *parent, *needs, *more;
	char state;
	bool each;
	unsigned gap; /* ids before it, at most */
	uint64_t virtual_kilobytes, resident_kilobytes;
	unsigned cpu; /* seconds in a hundred thousand of uptime */
};

static const struct template kernel_first[] = {
	{"kthreadd", NULL, NULL, NULL, NULL, "", 'S'},
	{"rcu_gp", NULL, NULL, NULL, NULL, "<", 'I'},
	{"rcu_par_gp", NULL, NULL, NULL, NULL, "<", 'I'},
	{"slub_flushwq", NULL, NULL, NULL, NULL, "<", 'I'},
	{"netns", NULL, NULL, NULL, NULL, "<", 'I'},
	{"kworker/0:0H-events_highpri", NULL, NULL, NULL, NULL, "<", 'I', false, 2},
	{"mm_percpu_wq", NULL, NULL, NULL, NULL, "<", 'I', false, 2},
	{"rcu_tasks_kthread", NULL, NULL, NULL, NULL, "", 'I'},
	{"rcu_tasks_rude_kthread", NULL, NULL, NULL, NULL, "", 'I'},
	{"rcu_tasks_trace_kthread", NULL, NULL, NULL, NULL, "", 'I'},
	{"ksoftirqd/0", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 6},
	{"rcu_preempt", NULL, NULL, NULL, NULL, "", 'I', false, 0, 0, 0, 48},
	{"migration/0", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 1},
	{"cpuhp/0", NULL, NULL, NULL, NULL, "", 'S', false, 2},
};

/* For every processor beyond the first. */
static const struct template kernel_each[] = {
	{"cpuhp/%u", NULL, NULL, NULL, NULL, "", 'S'},
	{"migration/%u", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 1},
	{"ksoftirqd/%u", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 5},
	{"kworker/%u:0H-events_highpri", NULL, NULL, NULL, NULL, "<", 'I', false, 2},
};

static const struct template kernel_rest[] = {
	{"kdevtmpfs", NULL, NULL, NULL, NULL, "", 'S', false, 5},
	{"inet_frag_wq", NULL, NULL, NULL, NULL, "<", 'I'},
	{"kauditd", NULL, NULL, NULL, NULL, "", 'S'},
	{"khungtaskd", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 1},
	{"oom_reaper", NULL, NULL, NULL, NULL, "", 'S'},
	{"writeback", NULL, NULL, NULL, NULL, "<", 'I', false, 3},
	{"kcompactd0", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 9},
	{"ksmd", NULL, NULL, NULL, NULL, "N", 'S'},
	{"khugepaged", NULL, NULL, NULL, NULL, "N", 'S', false, 0, 0, 0, 3},
	{"kintegrityd", NULL, NULL, NULL, NULL, "<", 'I'},
	{"kblockd", NULL, NULL, NULL, NULL, "<", 'I'},
	{"blkcg_punt_bio", NULL, NULL, NULL, NULL, "<", 'I'},
	{"tpm_dev_wq", NULL, NULL, NULL, NULL, "<", 'I'},
	{"edac-poller", NULL, NULL, NULL, NULL, "<", 'I'},
	{"devfreq_wq", NULL, NULL, NULL, NULL, "<", 'I'},
	{"kworker/0:1H-kblockd", NULL, NULL, NULL, NULL, "<", 'I', false, 2, 0, 0, 7},
	{"kswapd0", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 2},
	{"kthrotld", NULL, NULL, NULL, NULL, "<", 'I', false, 7},
	{"acpi_thermal_pm", NULL, NULL, NULL, NULL, "<", 'I', false, 3},
	{"mld", NULL, NULL, NULL, NULL, "<", 'I', false, 2},
	{"ipv6_addrconf", NULL, NULL, NULL, NULL, "<", 'I'},
	{"kstrp", NULL, NULL, NULL, NULL, "<", 'I', false, 6},
	{"zswap-shrink", NULL, NULL, NULL, NULL, "<", 'I', false, 5},
	{"kworker/u%c:0", NULL, NULL, NULL, NULL, "<", 'I'},
	{"ata_sff", NULL, NULL, NULL, "machine.platform=proxmox", "<", 'I', false, 60},
	{"scsi_eh_0", NULL, NULL, NULL, "!machine.platform=libvirt", "", 'S'},
	{"scsi_tmf_0", NULL, NULL, NULL, "!machine.platform=libvirt", "<", 'I'},
	{"scsi_eh_1", NULL, NULL, NULL, "!machine.platform=libvirt", "", 'S'},
	{"scsi_tmf_1", NULL, NULL, NULL, "!machine.platform=libvirt", "<", 'I'},
	{"scsi_eh_2", NULL, NULL, NULL, "machine.platform=proxmox", "", 'S'},
	{"scsi_tmf_2", NULL, NULL, NULL, "machine.platform=proxmox", "<", 'I'},
	{"vmw_pvscsi_wq_2", NULL, NULL, NULL, "machine.platform=vmware", "<", 'I', false, 2},
	{"jbd2/%s1-8", NULL, NULL, NULL, NULL, "", 'S', false, 30, 0, 0, 31},
	{"ext4-rsv-conver", NULL, NULL, NULL, NULL, "<", 'I'},
};

static const struct template services[] = {
	{"systemd-journal", "/lib/systemd/systemd-journald", "root", NULL, NULL, "s", 'S', false,
	 38, 33000, 13300, 46},
	{"systemd-udevd", "/lib/systemd/systemd-udevd", "root", NULL, NULL, "s", 'S', false, 24,
	 27000, 6200, 4},
	{"hv_kvp_daemon", "/usr/sbin/hv_kvp_daemon -n", "root", NULL, "machine.platform=hyperv",
	 "s", 'S', false, 60, 2580, 1700, 1},
	{"cryptd", NULL, NULL, NULL, "processor.flags", "<", 'I', false, 40},
	{"irq/16-vmwgfx", NULL, NULL, NULL, "machine.platform=vmware", "", 'S', false, 20},
	{"systemd-timesyn", "/lib/systemd/systemd-timesyncd", "systemd-timesync", NULL, NULL, "sl",
	 'S', false, 140, 90000, 6600, 12},
	{"vmtoolsd", "/usr/bin/vmtoolsd", "root", NULL, "machine.platform=vmware", "sl", 'S', false,
	 3, 241000, 9300, 480},
	{"VGAuthService", "/usr/bin/VGAuthService", "root", NULL, "machine.platform=vmware", "s",
	 'S', false, 1, 52000, 11200, 1},
	{"cron", "/usr/sbin/cron -f", "root", NULL, NULL, "s", 'S', false, 40, 6600, 2700, 6},
	{"dbus-daemon",
	 "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile "
	 "--systemd-activation --syslog-only",
	 "messagebus", NULL, NULL, "s", 'S', false, 2, 9100, 4800, 14},
	{"qemu-ga", "/usr/sbin/qemu-ga", "root", NULL, "machine.platform=proxmox", "sl", 'S', false,
	 3, 81000, 4100, 90},
	{"rsyslogd", "/usr/sbin/rsyslogd -n -iNONE", "root", NULL, NULL, "sl", 'S', false, 2,
	 221700, 5900, 22},
	{"systemd-logind", "/lib/systemd/systemd-logind", "root", NULL, NULL, "s", 'S', false, 3,
	 25500, 8100, 9},
	{"dhclient",
	 "dhclient -4 -v -i -pf /run/dhclient.%i.pid -lf /var/lib/dhcp/dhclient.%i.leases -I -df "
	 "/var/lib/dhcp/dhclient6.%i.leases %i",
	 "root", NULL, "machine.dhcp", "s", 'S', false, 20, 5900, 3600, 1},
	{"inetd", "/usr/sbin/inetd", "root", NULL, "telnet.style=inetutils", "s", 'S', false, 14,
	 3900, 1900, 1},
	{"vsftpd", "/usr/sbin/vsftpd /etc/vsftpd.conf", "root", NULL, "ftp.style=vsftpd", "s", 'S',
	 false, 3, 10600, 3300, 1},
	{"agetty", "/sbin/agetty -o -p -- \\u --noclear - linux", "root", NULL, "?agetty", "s+",
	 'S', false, 5, 5870, 1030, 0},
	{"login", "/bin/login -p --", "root", NULL, "?console", "s", 'S', false, 0, 6000, 4200, 0},
	{"sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "root", NULL, NULL, "s",
	 'S', false, 7, 15440, 9300, 6},
	{"redis-server", "%r 0.0.0.0:6379", "redis", NULL, "redis.version", "sl", 'S', false, 3,
	 61600, 12800, 240},
	{"asterisk", "/usr/sbin/asterisk -g -f -p -U asterisk", "root", NULL, "sip.style=asterisk",
	 "sl", 'S', false, 9, 1843000, 61700, 330},
	{"kamailio",
	 "/usr/sbin/kamailio -P /run/kamailio/kamailio.pid -f /etc/kamailio/kamailio.cfg -m 64 -M "
	 "8 -w /var/run/kamailio",
	 "root", NULL, "sip.style=kamailio", "", 'S', false, 9, 126000, 13300, 30},
	{"unattended-upgr",
	 "/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown "
	 "--wait-for-signal",
	 "root", NULL, NULL, "sl", 'S', false, 12, 108800, 22600, 1},
	{"sqlservr", "/opt/mssql/bin/sqlservr", "mssql", NULL, "mssql.version", "s", 'S', false, 5,
	 130000, 35400, 1},
	{"sqlservr", "/opt/mssql/bin/sqlservr", "mssql", "sqlservr", "mssql.version", "l", 'S',
	 false, 4, 11870000, 0, 2600},
	{"geth", "/usr/local/bin/geth --datadir /srv/ethereum --http --http.addr 0.0.0.0", "root",
	 NULL, "ethereum.client", "sl", 'S', false, 5, 3410000, 310000, 1400},
	{"nginx", "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;", "root",
	 NULL, "http.style=nginx", "s", 'S', false, 20, 10340, 1750, 0},
	{"nginx", "nginx: worker process", "www-data", "nginx", "http.style=nginx", "", 'S', true,
	 0, 11050, 4300, 18},
	{"apache2", "/usr/sbin/apache2 -k start", "root", NULL, "http.style=apache", "s", 'S',
	 false, 20, 6950, 4900, 7},
	{"apache2", "/usr/sbin/apache2 -k start", "www-data", "apache2", "http.style=apache", "l",
	 'S', false, 1, 1212000, 4900, 5},
	{"apache2", "/usr/sbin/apache2 -k start", "www-data", "apache2", "http.style=apache", "l",
	 'S', false, 0, 1212000, 4980, 5},
	{"bash", "-bash", "@console", "login", "?console", "+", 'S', false, 240, 7200, 3900, 0},
};

static const struct template router[] = {
	{"init", "init", "", NULL, NULL, "", 'S', false, 0, 1480, 520, 3},
	{"kthreadd", NULL, NULL, NULL, NULL, "", 'S'},
	{"ksoftirqd/0", NULL, NULL, NULL, NULL, "", 'S', false, 0, 0, 0, 20},
	{"kworker/0:0H", NULL, NULL, NULL, NULL, "<", 'S', false, 1},
	{"khelper", NULL, NULL, NULL, NULL, "<", 'S', false, 2},
	{"kdevtmpfs", NULL, NULL, NULL, NULL, "", 'S'},
	{"writeback", NULL, NULL, NULL, NULL, "<", 'S', false, 90},
	{"bioset", NULL, NULL, NULL, NULL, "<", 'S', false, 1},
	{"kblockd", NULL, NULL, NULL, NULL, "<", 'S', false, 1},
	{"kswapd0", NULL, NULL, NULL, NULL, "", 'S', false, 20},
	{"fsnotify_mark", NULL, NULL, NULL, NULL, "", 'S'},
	{"crypto", NULL, NULL, NULL, NULL, "<", 'S', false, 1},
	{"mtdblock0", NULL, NULL, NULL, NULL, "", 'S', false, 40},
	{"mtdblock1", NULL, NULL, NULL, NULL, "", 'S', false, 4},
	{"mtdblock2", NULL, NULL, NULL, NULL, "", 'S', false, 4},
	{"deferwq", NULL, NULL, NULL, NULL, "<", 'S', false, 6},
	{"watchdog", "watchdog -t 5 /dev/watchdog", "", NULL, NULL, "", 'S', false, 120, 1484, 380,
	 4},
	{"syslogd", "/sbin/syslogd -C64", "", NULL, NULL, "", 'S', false, 30, 1488, 400, 6},
	{"klogd", "/sbin/klogd", "", NULL, NULL, "", 'S', false, 2, 1484, 396, 1},
	{"udhcpc", "udhcpc -b -i eth1 -s /etc/udhcpc.script -p /var/run/udhcpc.pid", "", NULL, NULL,
	 "", 'S', false, 60, 1488, 420, 2},
	{"udhcpd", "udhcpd /etc/udhcpd.conf", "", NULL, NULL, "", 'S', false, 30, 1484, 408, 2},
	{"dnsmasq", "dnsmasq -C /etc/dnsmasq.conf", "", NULL, NULL, "", 'S', false, 9, 1060, 540,
	 12},
	{"telnetd", "telnetd -l /bin/login", "", NULL, "telnet.style", "", 'S', false, 12, 1484,
	 412, 1},
	{"httpd", "httpd -p 80 -h /www", "", NULL, NULL, "", 'S', false, 4, 1488, 420, 6},
	{"upnpd", "upnpd -D -W eth1 -L br0", "", NULL, NULL, "", 'S', false, 30, 2380, 760, 9},
	{"dropbear", "/usr/sbin/dropbear -p 22", "", NULL, "dropbear.version", "", 'S', false, 6,
	 1216, 560, 1},
	{"crond", "crond -c /etc/crontabs", "", NULL, NULL, "", 'S', false, 6, 1488, 420, 2},
};

static bool key_is(const struct host *host, const char *needs)
{
	const char *equals = strchr(needs, '='), *value;
	char key[64];
	size_t length = equals ? (size_t)(equals - needs) : strlen(needs);

	if (strcmp(needs, "?console") == 0)
		return host->console_login;
	if (strcmp(needs, "?agetty") == 0)
		return !host->console_login;
	if (length >= sizeof(key))
		return false;
	memcpy(key, needs, length);
	key[length] = 0;
	value = persona_text(host->persona, key, NULL);
	return value && (!equals || strcmp(value, equals + 1) == 0);
}

static bool is_there(const struct host *host, const struct template *t)
{
	if (!t->needs)
		return true;
	return *t->needs == '!' ? !key_is(host, t->needs + 1) : key_is(host, t->needs);
}

static unsigned user_id(const struct host *host, const char *user)
{
	if (user && strcmp(user, "@console") == 0)
		user = host->console_login;
	for (size_t i = 0; user && i < host->account_count; i++)
		if (strcmp(host->accounts[i].name, user) == 0)
			return host->accounts[i].uid;
	return 0;
}

/* %u: the processor's number; %c: their count, plus 3; %s: the disk; %i: the interface; %r: redis.
 */
static const char *expand(struct host *host, const char *text, unsigned number)
{
	const char *percent = strchr(text, '%');
	char room[512];
	struct writer w = writer_fixed(room, sizeof(room) - 1);

	if (!percent)
		return text;
	for (const char *at = text; *at; at++) {
		if (*at != '%') {
			writer_u8(&w, (uint8_t)*at);
			continue;
		}
		switch (*++at) {
		case 'u':
			writer_format(&w, "%u", number);
			break;
		case 'c':
			writer_format(&w, "%u", host->processor.count + 3);
			break;
		case 's':
			writer_text(&w, host->disk.name);
			break;
		case 'i':
			writer_text(&w, host->interfaces[1].name);
			break;
		case 'r':
			writer_text(&w, persona_text(host->persona, "redis.executable",
						     "/usr/bin/redis-server"));
			break;
		default:
			break;
		}
		if (!*at)
			break;
	}
	room[w.length] = 0;
	return host_format(host, "%s", room);
}

struct making {
	struct host *host;
	int64_t boot;
	unsigned next;  /* pid */
	unsigned order; /* tells the random draws of one boot apart */
	int64_t at;     /* since boot, microseconds */
};

static struct host_process *add(struct making *m, const struct template *t, unsigned number)
{
	struct host *host = m->host;
	struct host_process *p;
	char label[64];
	struct writer w = writer_fixed(label, sizeof(label) - 1);

	if (!is_there(host, t) || host->process_count >= HOST_PROCESSES_MAX)
		return NULL;
	writer_format(&w, "process %u", m->order++);
	label[w.length] = 0;
	m->next += (unsigned)host_boot_number(host, label, m->boot, t->gap - t->gap / 3, t->gap);
	if (t->command && host->kind == HOST_DEBIAN && m->at < 2 * SECOND)
		m->at = 2 * SECOND +
			(int64_t)host_boot_number(host, "user land", m->boot, 0, 2 * SECOND);
	m->at += (int64_t)host_boot_number(host, label, m->boot, 0, t->command ? 330000 : 9000);
	p = &host->processes[host->process_count++];
	*p = (struct host_process){
		.pid = m->next++,
		.name = expand(host, t->name, number),
		.state = t->state,
		.more = t->more,
		.terminal = "?",
		.started = m->boot + m->at,
		.virtual_kilobytes = t->virtual_kilobytes,
		.resident_kilobytes = t->resident_kilobytes,
		.uid = user_id(host, t->user),
		.parent = t->command ? 1 : 2,
	};
	if (t->virtual_kilobytes) {
		p->virtual_kilobytes += (uint64_t)host_number(host, label, 0, 400);
		p->resident_kilobytes +=
			host_boot_number(host, label, m->boot, 0, t->resident_kilobytes / 12);
		p->virtual_kilobytes &= ~3ull;
		p->resident_kilobytes &= ~3ull;
	}
	p->command =
		t->command ? expand(host, t->command, number) : host_format(host, "[%s]", p->name);
	if (t->parent)
		for (size_t i = 0; i < host->process_count; i++)
			if (strcmp(host->processes[i].name, t->parent) == 0) {
				p->parent = host->processes[i].pid;
				break;
			}
	return p;
}

static void add_all(struct making *m, const struct template *list, size_t count, unsigned number)
{
	struct host *host = m->host;

	for (size_t i = 0; i < count; i++) {
		unsigned times = list[i].each ? host->processor.count : 1;

		for (unsigned k = 0; k < times; k++) {
			struct host_process *p = add(m, &list[i], list[i].each ? k : number);

			if (!p)
				continue;
			p->cpu_seconds = list[i].cpu; /* a rate, until the time is known */
			if (strcmp(p->name, "agetty") == 0 || strcmp(p->name, "login") == 0)
				p->terminal = "tty1";
			if (list[i].user && strcmp(list[i].user, "@console") == 0) {
				p->terminal = "tty1";
				p->started =
					m->boot + host_number(host, "console", 70, 900) * SECOND;
			}
			/* SQL Server takes what it is given. */
			if (!p->resident_kilobytes && p->virtual_kilobytes)
				p->resident_kilobytes = host->memory.total / 100 * 17 & ~3ull;
		}
	}
}

static void make_processes(struct host *host, int64_t boot)
{
	struct making m = {.host = host, .boot = boot, .next = 1};
	static const struct template init = {"systemd", "/sbin/init", "root", NULL,   NULL,  "s",
					     'S',       false,        0,      167800, 12900, 24};

	host->process_count = 0;
	host->processes_boot = boot;
	if (host->kind == HOST_ROUTER) {
		add_all(&m, router, ARRAY_COUNT(router), 0);
		for (size_t i = 0; i < host->process_count; i++) {
			struct host_process *p = &host->processes[i];

			if (p->pid == 1 || (p->pid == 2 && p->command[0] == '['))
				p->parent = 0;
		}
		return;
	}
	add_all(&m, &init, 1, 0);
	host->processes[0].parent = 0;
	add_all(&m, kernel_first, ARRAY_COUNT(kernel_first), 0);
	for (unsigned i = 1; i < host->processor.count; i++)
		add_all(&m, kernel_each, ARRAY_COUNT(kernel_each), i);
	add_all(&m, kernel_rest, ARRAY_COUNT(kernel_rest), 0);
	host->processes[1].parent = 0;
	if (m.next < 180)
		m.next = 180 + (unsigned)host_boot_number(host, "user land", boot, 0, 40);
	add_all(&m, services, ARRAY_COUNT(services), 0);
	host->processes_fixed = host->process_count;
}

static const char *const worker_kinds[] = {"events",
					   "events_power_efficient",
					   "mm_percpu_wq",
					   "events_unbound",
					   "events_freezable_power_",
					   "cgroup_destroy",
					   "flush-8:0",
					   "ata_sff"};

/* The kernel's workers come and go: their ids and ages move with the time. */
static void make_workers(struct host *host, int64_t now)
{
	size_t kept = 0;

	host->process_count = host->processes_fixed;
	for (unsigned i = 0; i < host->processor.count + 3 && kept < ARRAY_COUNT(host->kworkers);
	     i++) {
		char label[40];
		struct writer w = writer_fixed(label, sizeof(label) - 1);
		int64_t life = (int64_t)(7 + 11 * i) * MINUTE, born;
		struct host_process *p;
		unsigned kind;

		writer_format(&w, "worker %u %lld", i, (long long)(now / life));
		label[w.length] = 0;
		born = now / life * life - host_number(host, label, 0, 20 * MINUTE);
		if (born < host->processes_boot)
			born = host->processes_boot + 3 * SECOND;
		kind = (unsigned)host_number(host, label, 0, ARRAY_COUNT(worker_kinds) - 1);
		if (host->process_count >= HOST_PROCESSES_MAX)
			return;
		if (i < host->processor.count)
			(void)snprintf(host->kworkers[kept], sizeof(host->kworkers[0]),
				       "[kworker/%u:%u-%s]", i, kind % 3, worker_kinds[kind]);
		else
			(void)snprintf(host->kworkers[kept], sizeof(host->kworkers[0]),
				       "[kworker/u%u:%u-%s]", host->processor.count * 2,
				       i - host->processor.count,
				       i % 2 ? "events_unbound" : "flush-8:0");
		(void)snprintf(host->kworker_names[kept], sizeof(host->kworker_names[0]), "%.*s",
			       (int)strlen(host->kworkers[kept]) - 2, host->kworkers[kept] + 1);
		p = &host->processes[host->process_count++];
		*p = (struct host_process){.pid = host_last_pid(host, born) + i,
					   .parent = 2,
					   .name = host->kworker_names[kept],
					   .command = host->kworkers[kept],
					   .state = 'I',
					   .more = "",
					   .terminal = "?",
					   .started = born};
		kept++;
	}
	/* Oldest first, as ids grow. */
	for (size_t i = host->processes_fixed + 1; i < host->process_count; i++)
		for (size_t k = i; k > host->processes_fixed &&
				   host->processes[k - 1].pid > host->processes[k].pid;
		     k--) {
			struct host_process held = host->processes[k];

			host->processes[k] = host->processes[k - 1];
			host->processes[k - 1] = held;
		}
	for (size_t i = host->processes_fixed + 1; i < host->process_count; i++)
		if (host->processes[i].pid <= host->processes[i - 1].pid)
			host->processes[i].pid = host->processes[i - 1].pid + 1;
}

size_t host_processes(const struct host *constant, const struct host_process **processes,
		      int64_t now)
{
	/* The list is a memory of the last answer, no fact of the host. */
	struct host *host = (struct host *)(uintptr_t)constant;
	int64_t boot;

	/* ps and /proc ask for each of them. */
	if (host->process_count && host->processes_second == now / SECOND) {
		*processes = host->processes;
		return host->process_count;
	}
	host->processes_second = now / SECOND;
	boot = host_boot_time(host, now);
	if (host->processes_boot != boot) {
		make_processes(host, boot);
		for (size_t i = 0; i < host->process_count; i++)
			host->cpu_rates[i] =
				(unsigned)(host->processes[i].cpu_seconds *
					   host_boot_number(host, host->processes[i].command, boot,
							    60, 140));
		if (host->kind == HOST_ROUTER)
			host->processes_fixed = host->process_count;
		for (size_t l = 0; l < host->listener_count; l++)
			for (size_t i = host->processes_fixed; i-- > 0;)
				if (strcmp(host->processes[i].name, host->listeners[l].program) ==
				    0)
					host->listeners[l].pid = host->processes[i].pid;
	}
	if (host->kind == HOST_DEBIAN)
		make_workers(host, now);
	for (size_t i = 0; i < host->processes_fixed; i++)
		host->processes[i].cpu_seconds =
			(uint64_t)((now - boot) / SECOND) * host->cpu_rates[i] / 10000000;
	*processes = host->processes;
	return host->process_count;
}

unsigned host_process_id(const struct host *host, const char *name, int64_t now)
{
	const struct host_process *processes;
	size_t count = host_processes(host, &processes, now);

	for (size_t i = 0; i < count; i++)
		if (strcmp(processes[i].name, name) == 0)
			return processes[i].pid;
	return 0;
}

/* --- listeners --- */

struct listener_template {
	const char *needs, *program;
	bool udp, four, six, local;
	uint16_t port;
};

static const struct listener_template debian_listeners[] = {
	{NULL, "sshd", false, true, true, false, 22},
	{"telnet.style=inetutils", "inetd", false, true, false, false, 23},
	{"ftp.style=vsftpd", "vsftpd", false, false, true, false, 21},
	{"http.style=nginx", "nginx", false, true, true, false, 80},
	{"http.style=apache", "apache2", false, false, true, false, 80},
	{"redis.version", "redis-server", false, true, false, false, 6379},
	{"mssql.version", "sqlservr", false, true, false, false, 1433},
	{"mssql.version", "sqlservr", false, true, false, true, 1434},
	{"ethereum.client", "geth", false, false, true, false, 8545},
	{"ethereum.client", "geth", false, false, true, false, 30303},
	{"sip.style=asterisk", "asterisk", true, true, false, false, 5060},
	{"sip.style=asterisk", "asterisk", false, true, false, false, 5060},
	{"sip.style=kamailio", "kamailio", true, true, false, false, 5060},
	{"sip.style=kamailio", "kamailio", false, true, false, false, 5060},
};

static const struct listener_template router_listeners[] = {
	{"telnet.style", "telnetd", false, true, false, false, 23},
	{"dropbear.version", "dropbear", false, true, false, false, 22},
	{NULL, "httpd", false, true, false, false, 80},
	{NULL, "dnsmasq", false, true, false, false, 53},
	{NULL, "dnsmasq", true, true, false, false, 53},
	{NULL, "udhcpd", true, true, false, false, 67},
	{NULL, "upnpd", true, true, false, false, 1900},
};

static void listen_on(struct host *host, const struct listener_template *t, bool six)
{
	struct host_listener *listener;

	if (host->listener_count >= HOST_LISTENERS_MAX)
		return;
	listener = &host->listeners[host->listener_count++];
	*listener = (struct host_listener){
		.udp = t->udp, .six = six, .port = t->port, .program = t->program};
	listener->address.family = six ? 6 : 4;
	if (t->local && !six)
		listener->address = address_v4(0x7f000001);
	listener->pid = host_process_id(host, t->program, host->made);
}

void host_make_listeners(struct host *host)
{
	const struct listener_template *list =
		host->kind == HOST_ROUTER ? router_listeners : debian_listeners;
	size_t count = host->kind == HOST_ROUTER ? ARRAY_COUNT(router_listeners)
						 : ARRAY_COUNT(debian_listeners);

	for (int six = 0; six < 2; six++)
		for (size_t i = 0; i < count; i++) {
			const struct template probe = {.needs = list[i].needs};

			if (!is_there(host, &probe))
				continue;
			if (six ? list[i].six : list[i].four)
				listen_on(host, &list[i], six);
		}
}
