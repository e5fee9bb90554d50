/* The story of the fake host: every pair of places that tell the same fact agrees, two
 * installations differ, the same installation is stable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/machine/file_system.h"
#include "decoy/machine/hardware.h"
#include "decoy/machine/host.h"
#include "decoy/machine/tasks.h"

#define INSTALLED ((int64_t)1700000000 * SECOND)
#define NOW       (INSTALLED + 400 * DAY + 12345 * SECOND)

struct story {
	struct persona *persona;
	struct host *host;
	struct file_system *files;
	char share[4096];
};

static void make_story(struct story *s, const char *name, unsigned seed)
{
	const char *root = getenv("SUNDEW_SOURCE");
	uint8_t secret[PERSONA_SECRET_LENGTH];
	struct address source = address_v4(0xc6336401);
	struct host_setup setup = {0};
	char path[4096], *why = NULL;

	memset(secret, 9, sizeof(secret));
	memcpy(secret, &seed, sizeof(seed));
	assert_true((size_t)snprintf(path, sizeof(path), "%s/share/personas/%s.yaml",
				     root ? root : ".", name) < sizeof(path));
	(void)snprintf(s->share, sizeof(s->share), "%.4000s/share", root ? root : ".");
	s->persona = persona_read(path, secret, INSTALLED, &why);
	if (!s->persona)
		fail_msg("%s", why);
	setup.persona = s->persona;
	setup.share_folder = s->share;
	setup.disks = -1;
	s->host = host_new(&setup, &why);
	if (!s->host)
		fail_msg("%s", why ? why : "no host");
	s->files = file_system_open(host_file_systems(s->host), &source, NOW);
	assert_non_null(s->files);
}

static void free_story(struct story *s)
{
	file_system_close(s->files);
	host_free(s->host);
	persona_free(s->persona);
}

/* A file as root reads it, without a process. */
static char *read_file(struct story *s, const char *path)
{
	static const struct process_identity root = {0};
	struct file_access access = {.fs = s->files, .identity = &root, .now = NOW};
	int error = 0;
	node_number node =
		file_system_walk(&access, file_system_root(s->files), path, true, &error);
	char *text = calloc(1, 1 << 20);
	size_t length = 0;
	ssize_t got;

	if (!node)
		fail_msg("%s: %s", path, strerror(-error));
	assert_non_null(text);
	while ((got = file_system_read(&access, node, length, text + length,
				       ((size_t)1 << 20) - 1 - length)) > 0)
		length += (size_t)got;
	assert_true(got == 0);
	return text;
}

static void expect_in(struct story *s, const char *path, const char *wanted)
{
	char *text = read_file(s, path);

	if (!strstr(text, wanted))
		fail_msg("%s does not tell '%s':\n%s", path, wanted, text);
	free(text);
}

static char *form(char *room, size_t size, const char *format, ...) PRINTF(3, 4);
static char *form(char *room, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(room, size, format, arguments);
	va_end(arguments);
	return room;
}

static void check_names(struct story *s)
{
	const struct host_names *names = host_names(s->host);
	char room[512];

	expect_in(s, "/etc/hostname", form(room, sizeof(room), "%s\n", names->node));
	expect_in(s, "/etc/hosts",
		  form(room, sizeof(room), "%s.%s\t%s", names->node, names->domain, names->node));
	expect_in(s, "/proc/sys/kernel/hostname", form(room, sizeof(room), "%s\n", names->node));
	expect_in(s, "/proc/sys/kernel/osrelease",
		  form(room, sizeof(room), "%s\n", names->release));
	expect_in(s, "/proc/version", names->release);
	expect_in(s, "/proc/version", names->version);
	expect_in(s, "/proc/cmdline", names->release);
	expect_in(s, "/etc/machine-id", host_machine_id(s->host));
}

static void check_time(struct story *s)
{
	int64_t boot = host_boot_time(s->host, NOW);
	const struct host_process *processes;
	size_t count = host_processes(s->host, &processes, NOW);
	char room[64];
	double up;
	char *text = read_file(s, "/proc/uptime");

	assert_true(boot == persona_boot_time(s->persona, NOW));
	assert_int_equal(sscanf(text, "%lf", &up), 1);
	assert_true(up > (double)((NOW - boot) / SECOND) - 0.02 &&
		    up < (double)((NOW - boot) / SECOND) + 1.02);
	free(text);
	expect_in(s, "/proc/stat",
		  form(room, sizeof(room), "btime %lld\n", (long long)(boot / SECOND)));
	for (size_t i = 0; i < count; i++) {
		assert_true(processes[i].started >= boot);
		assert_true(processes[i].started <= NOW);
	}
}

static void check_memory(struct story *s)
{
	struct host_memory m = host_memory(s->host, NOW);
	char room[64];

	expect_in(s, "/proc/meminfo",
		  form(room, sizeof(room), "MemTotal:%*llu kB\n", 15, (unsigned long long)m.total));
	expect_in(s, "/proc/meminfo",
		  form(room, sizeof(room), "MemFree:%*llu kB\n", 16, (unsigned long long)m.free));
	assert_true(m.free < m.total && m.available < m.total && m.available > m.free / 2);
	assert_true(m.swap_free <= m.swap_total);
	assert_true(m.free + m.buffers + m.cached + m.slab < m.total);
}

static void check_processor(struct story *s)
{
	const struct host_processor *p = host_processor(s->host);
	char *text = read_file(s, "/proc/cpuinfo");
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, "processor\t:")); at++)
		count++;
	assert_int_equal(count, p->count);
	assert_non_null(strstr(text, p->model_name));
	free(text);
}

static void check_network(struct story *s)
{
	const struct host_interface *interfaces;
	char mac[32], room[128], address[ADDRESS_TEXT_MAX];

	assert_int_equal(host_interfaces(s->host, &interfaces), 2);
	assert_int_equal(interfaces[1].mac[0] & 1, 0);
	form(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", interfaces[1].mac[0],
	     interfaces[1].mac[1], interfaces[1].mac[2], interfaces[1].mac[3], interfaces[1].mac[4],
	     interfaces[1].mac[5]);
	expect_in(s, form(room, sizeof(room), "/sys/class/net/%s/address", interfaces[1].name),
		  mac);
	address_text(&interfaces[1].address, address);
	expect_in(s, "/etc/network/interfaces", address);
	expect_in(s, "/etc/network/interfaces", interfaces[1].name);
	expect_in(s, "/proc/net/dev", interfaces[1].name);
	expect_in(s, "/proc/net/route", interfaces[1].name);
	expect_in(s, "/proc/net/fib_trie", address);
}

static void check_disk(struct story *s)
{
	const struct host_disk *disk = host_disk(s->host);
	const struct host_mount *mounts;
	size_t count = host_mounts(s->host, &mounts);
	char room[128];

	expect_in(s, "/etc/fstab", disk->root_uuid);
	expect_in(s, "/proc/cmdline", disk->root_uuid);
	expect_in(s, "/proc/partitions",
		  form(room, sizeof(room), "%llu %s\n", (unsigned long long)disk->kilobytes,
		       disk->name));
	for (size_t i = 0; i < count; i++) {
		assert_true(mounts[i].used <= mounts[i].kilobytes);
		expect_in(s, "/proc/1/mounts",
			  form(room, sizeof(room), "%s %s %s ", mounts[i].source, mounts[i].point,
			       mounts[i].type));
	}
	assert_true(disk->root_start + disk->root_sectors <= disk->kilobytes * 2);
	assert_true(disk->swap_start + disk->swap_sectors <= disk->kilobytes * 2);
}

static void check_processes(struct story *s)
{
	struct task_list list = {.host = s->host, .now = NOW};
	struct task task;
	unsigned last = 0;
	char path[64], room[64];

	while (task_next(&list, &task)) {
		struct task_list again = list;
		struct task parent;

		if (task.pid <= last)
			fail_msg("%s: id %u after %u", task.name, task.pid, last);
		last = task.pid;
		if (task.parent)
			assert_true(task_find(&again, task.parent, &parent));
		expect_in(s, form(path, sizeof(path), "/proc/%u/status", task.pid),
			  form(room, sizeof(room), "PPid:\t%u\n", task.parent));
	}
	assert_true(last <= host_last_pid(s->host, NOW) + 64);
}

static void check_people(struct story *s)
{
	const struct host_person *people;
	const struct host_login *logins;
	size_t count = host_people(s->host, &people), login_count = host_logins(s->host, &logins);
	char room[256];

	assert_true(count >= 2);
	for (size_t i = 0; i < count; i++) {
		expect_in(s, "/etc/passwd",
			  form(room, sizeof(room), "%s:x:%u:", people[i].user, people[i].uid));
		expect_in(s, "/etc/shadow", form(room, sizeof(room), "%s:$y$j9T$", people[i].user));
		expect_in(s, "/etc/group",
			  form(room, sizeof(room), "%s:x:%u:", people[i].user, people[i].uid));
	}
	for (size_t i = 0; i < login_count; i++)
		assert_true(!logins[i].ended || logins[i].ended > logins[i].started);
}

static void check_listeners(struct story *s)
{
	const struct host_listener *listeners;
	size_t count = host_listeners(s->host, &listeners);
	struct task_list list = {.host = s->host, .now = NOW};
	struct task task;
	char room[32];

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(task_find(&list, listeners[i].pid, &task));
		assert_string_equal(task.name, listeners[i].program);
		expect_in(s,
			  listeners[i].udp   ? listeners[i].six ? "/proc/net/udp6" : "/proc/net/udp"
			  : listeners[i].six ? "/proc/net/tcp6"
					     : "/proc/net/tcp",
			  form(room, sizeof(room), ":%04X ", listeners[i].port));
	}
}

static void check_modules(struct story *s)
{
	const struct host_module *modules;
	size_t count = host_modules(s->host, &modules);

	for (size_t i = 0; i < count; i++)
		expect_in(s, "/proc/modules", modules[i].name);
}

static void test_coherence(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 16; seed++) {
		struct story s;

		make_story(&s, "debian-server", seed);
		assert_int_equal(host_kind(s.host), HOST_DEBIAN);
		check_names(&s);
		check_time(&s);
		check_memory(&s);
		check_processor(&s);
		check_network(&s);
		check_disk(&s);
		check_processes(&s);
		check_people(&s);
		check_listeners(&s);
		check_modules(&s);
		free_story(&s);
	}
}

static void test_router(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 8; seed++) {
		struct story s;

		make_story(&s, "busybox-router", seed);
		assert_int_equal(host_kind(s.host), HOST_ROUTER);
		expect_in(&s, "/proc/version", host_names(s.host)->release);
		expect_in(&s, "/proc/1/mounts", "squashfs");
		check_memory(&s);
		check_processes(&s);
		check_listeners(&s);
		free_story(&s);
	}
}

static void test_installations_differ(void **state)
{
	static const char *const paths[] = {"/etc/machine-id", "/etc/shadow",
					    "/proc/meminfo",   "/proc/sys/kernel/random/boot_id",
					    "/etc/fstab",      "/root/.ssh/authorized_keys",
					    "/proc/net/dev"};
	struct story a, b;

	(void)state;
	make_story(&a, "debian-server", 1);
	make_story(&b, "debian-server", 2);
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		char *left = read_file(&a, paths[i]), *right = read_file(&b, paths[i]);

		if (strcmp(left, right) == 0)
			fail_msg("%s is the same in two installations", paths[i]);
		free(left);
		free(right);
	}
	free_story(&a);
	free_story(&b);
}

static void test_installation_is_stable(void **state)
{
	static const char *const paths[] = {"/etc/machine-id", "/etc/passwd",   "/etc/shadow",
					    "/proc/meminfo",   "/proc/stat",    "/proc/net/dev",
					    "/proc/net/arp",   "/proc/loadavg", "/root/notes.txt"};
	struct story a, b;

	(void)state;
	make_story(&a, "debian-server", 3);
	make_story(&b, "debian-server", 3);
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		char *left = read_file(&a, paths[i]), *right = read_file(&b, paths[i]);

		assert_string_equal(left, right);
		free(left);
		free(right);
	}
	free_story(&a);
	free_story(&b);
}

static void test_time_moves(void **state)
{
	struct story s;
	struct host_traffic before, after;

	(void)state;
	make_story(&s, "debian-server", 4);
	before = host_traffic(s.host, 1, NOW);
	after = host_traffic(s.host, 1, NOW + MINUTE);
	assert_true(after.received_bytes > before.received_bytes);
	assert_true(after.sent_packets >= before.sent_packets);
	assert_true(host_last_pid(s.host, NOW + HOUR) > host_last_pid(s.host, NOW));
	assert_true(host_memory(s.host, NOW).free != host_memory(s.host, NOW + 5 * SECOND).free);
	for (int64_t t = NOW; t < NOW + 30 * DAY; t += 7 * HOUR) {
		struct host_memory m = host_memory(s.host, t);

		assert_true(m.free < m.total && m.available <= m.total && m.cached < m.total);
		for (unsigned minutes = 1; minutes <= 15; minutes += 7)
			assert_true(host_load(s.host, t, minutes) >= 0 &&
				    host_load(s.host, t, minutes) < 8);
	}
	free_story(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coherence),
		cmocka_unit_test(test_router),
		cmocka_unit_test(test_installations_differ),
		cmocka_unit_test(test_installation_is_stable),
		cmocka_unit_test(test_time_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
