/* /proc/PID: the folder of a process. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/files/proc.h"
#include "decoy/machine/limits.h"

enum kind { ROOT, FD, FILES, DESCRIPTOR };

enum file {
	CMDLINE,
	COMM,
	CGROUP,
	CWD,
	ENVIRON,
	EXE,
	IO,
	LIMITS,
	LOGINUID,
	MAPS,
	MOUNTINFO,
	MOUNTS,
	NET,
	OOM_ADJ,
	OOM_SCORE,
	OOM_SCORE_ADJ,
	PERSONALITY,
	ROOT_LINK,
	SCHEDSTAT,
	SESSIONID,
	STACK,
	STAT,
	STATM,
	STATUS,
	SYSCALL,
	WCHAN,
};

static const struct {
	const char *name;
	unsigned mode;
} names[] = {
	[CMDLINE] = {"cmdline", S_IFREG | 0444},
	[COMM] = {"comm", S_IFREG | 0644},
	[CGROUP] = {"cgroup", S_IFREG | 0444},
	[CWD] = {"cwd", S_IFLNK | 0777},
	[ENVIRON] = {"environ", S_IFREG | 0400},
	[EXE] = {"exe", S_IFLNK | 0777},
	[IO] = {"io", S_IFREG | 0400},
	[LIMITS] = {"limits", S_IFREG | 0444},
	[LOGINUID] = {"loginuid", S_IFREG | 0644},
	[MAPS] = {"maps", S_IFREG | 0444},
	[MOUNTINFO] = {"mountinfo", S_IFREG | 0444},
	[MOUNTS] = {"mounts", S_IFREG | 0444},
	[NET] = {"net", S_IFLNK | 0777},
	[OOM_ADJ] = {"oom_adj", S_IFREG | 0644},
	[OOM_SCORE] = {"oom_score", S_IFREG | 0444},
	[OOM_SCORE_ADJ] = {"oom_score_adj", S_IFREG | 0644},
	[PERSONALITY] = {"personality", S_IFREG | 0400},
	[ROOT_LINK] = {"root", S_IFLNK | 0777},
	[SCHEDSTAT] = {"schedstat", S_IFREG | 0444},
	[SESSIONID] = {"sessionid", S_IFREG | 0444},
	[STACK] = {"stack", S_IFREG | 0400},
	[STAT] = {"stat", S_IFREG | 0444},
	[STATM] = {"statm", S_IFREG | 0444},
	[STATUS] = {"status", S_IFREG | 0444},
	[SYSCALL] = {"syscall", S_IFREG | 0400},
	[WCHAN] = {"wchan", S_IFREG | 0444},
};

bool proc_process_find(const struct file_access *access, uint64_t folder, const char *name,
		       struct live_entry *entry)
{
	uint64_t position = 0;

	while (proc_process_next(access, folder, &position, entry))
		if (strcmp(entry->name, name) == 0)
			return true;
	return false;
}

/* Names of descriptors must outlive the call: there are few of them. */
static const char *const numbers[] = {"0", "1", "2",  "3",  "4",  "5",  "6",  "7",
				      "8", "9", "10", "11", "12", "13", "14", "15"};

static bool next_descriptor(const struct file_access *access, uint64_t folder, uint64_t *position,
			    struct live_entry *entry)
{
	struct task_list list = live_tasks(access);
	struct task task;

	if (!task_find(&list, proc_key_pid(folder), &task))
		return false;
	for (; *position < ARRAY_COUNT(numbers); (*position)++) {
		int descriptor = (int)*position;
		struct file_status status;

		if (task.process ? process_status_of(task.process, descriptor, &status) < 0
				 : task.command[0] == '[' || descriptor > 4)
			continue;
		(*position)++;
		*entry = (struct live_entry){numbers[descriptor], S_IFLNK | 0700,
					     proc_key(task.pid, DESCRIPTOR, (unsigned)descriptor)};
		return true;
	}
	return false;
}

bool proc_process_next(const struct file_access *access, uint64_t folder, uint64_t *position,
		       struct live_entry *entry)
{
	unsigned pid = proc_key_pid(folder);
	uint64_t at;

	if (proc_key_kind(folder) == FD)
		return next_descriptor(access, folder, position, entry);
	if (proc_key_kind(folder) != ROOT)
		return false;
	at = (*position)++;
	if (at == 0) {
		*entry = (struct live_entry){"fd", S_IFDIR | 0500, proc_key(pid, FD, 0)};
		return true;
	}
	if (at > ARRAY_COUNT(names))
		return false;
	*entry = (struct live_entry){names[at - 1].name, names[at - 1].mode,
				     proc_key(pid, FILES, (unsigned)at - 1)};
	return true;
}

/* --- contents --- */

static long long ticks_after_boot(const struct file_access *access, int64_t time)
{
	int64_t since = time - host_boot_time(live_host(access), access->now);

	return since > 0 ? since / 10000 : 0;
}

static void put_stat(const struct file_access *access, const struct task *t, struct writer *out)
{
	unsigned terminal = 0;
	int number = 0;
	bool kernel = !t->virtual_kilobytes;

	if (sscanf(t->terminal, "pts/%d", &number) == 1)
		terminal = 34816 + (unsigned)number;
	else if (sscanf(t->terminal, "tty%d", &number) == 1)
		terminal = 1024 + (unsigned)number;
	writer_format(
		out,
		"%u (%.15s) %c %u %u %u %u %d %u %u 0 %u 0 %llu %llu 0 0 %d %d %u 0 %lld %llu %llu "
		"18446744073709551615 ",
		t->pid, t->name, t->state, t->parent, t->group, t->session, terminal, t->foreground,
		kernel ? 69238880u : 4194304u, kernel ? 0 : 400 + t->pid % 900,
		kernel ? 0 : t->pid % 5, (unsigned long long)(t->cpu / 10000 * 6 / 10),
		(unsigned long long)(t->cpu / 10000 * 4 / 10), 20 + t->nice, t->nice, t->threads,
		ticks_after_boot(access, t->started),
		(unsigned long long)t->virtual_kilobytes * 1024,
		(unsigned long long)t->resident_kilobytes / 4);
	if (kernel)
		writer_text(out,
			    "0 0 0 0 0 0 0 2147483647 0 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	else
		writer_format(
			out,
			"%llu %llu %llu 0 0 0 65536 3686404 1266761467 1 0 0 17 %u 0 0 0 0 0 %llu "
			"%llu %llu %llu %llu %llu %llu 0\n",
			94000000000000ull + t->pid * 4096ull,
			94000000000000ull + t->pid * 4096ull + 732000,
			140720000000000ull + t->pid * 16ull, t->pid % 2,
			94000000000000ull + t->pid * 4096ull + 900000,
			94000000000000ull + t->pid * 4096ull + 948000,
			94000010000000ull + t->pid * 4096ull, 140720000001000ull + t->pid * 16ull,
			140720000001006ull + t->pid * 16ull, 140720000001006ull + t->pid * 16ull,
			140720000004096ull + t->pid * 16ull);
}

static void put_status_memory(const struct task *t, struct writer *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"VmPeak", t->virtual_kilobytes + 56},
		{"VmSize", t->virtual_kilobytes},
		{"VmLck", 0},
		{"VmPin", 0},
		{"VmHWM", t->resident_kilobytes},
		{"VmRSS", t->resident_kilobytes},
		{"RssAnon", t->resident_kilobytes - t->shared_kilobytes},
		{"RssFile", t->shared_kilobytes},
		{"RssShmem", 0},
		{"VmData", t->virtual_kilobytes / 12},
		{"VmStk", 132},
		{"VmExe", 900},
		{"VmLib", 1700},
		{"VmPTE", 56},
		{"VmSwap", 0},
		{"HugetlbPages", 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		writer_format(out, "%s:\t%8llu kB\n", rows[i].name,
			      (unsigned long long)rows[i].value);
}

static const char *state_word(char state)
{
	switch (state) {
	case 'R':
		return "R (running)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	case 'I':
		return "I (idle)";
	default:
		return "S (sleeping)";
	}
}

static void put_status(const struct file_access *access, const struct task *t, struct writer *out)
{
	unsigned count = host_processor(live_host(access))->count;
	const char *capabilities = t->uid ? "0000000000000000" : "000001ffffffffff";

	writer_format(out, "Name:\t%.15s\n", t->name);
	if (t->virtual_kilobytes)
		writer_format(out, "Umask:\t%04o\n", t->process ? t->process->umask : 022);
	writer_format(out,
		      "State:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n"
		      "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t",
		      state_word(t->state), t->pid, t->pid, t->parent, t->uid, t->uid, t->uid,
		      t->uid, t->gid, t->gid, t->gid, t->gid, t->virtual_kilobytes ? 256 : 64);
	for (size_t i = 0; t->process && i < t->process->identity.group_count; i++)
		writer_format(out, "%u ", t->process->identity.groups[i]);
	if (!t->process)
		writer_u8(out, ' ');
	writer_format(out, "\nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", t->pid, t->pid,
		      t->group, t->session);
	if (t->virtual_kilobytes)
		put_status_memory(t, out);
	writer_format(
		out,
		"%sThreads:\t%u\nSigQ:\t0/%llu\nSigPnd:\t0000000000000000\nShdPnd:\t"
		"0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t%s\nSigCgt:\t%s\n"
		"CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t000001ffffffffff\n"
		"CapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"
		"Speculation_Store_Bypass:\tthread vulnerable\n"
		"SpeculationIndirectBranch:\tconditional enabled\n",
		t->virtual_kilobytes ? "CoreDumping:\t0\nTHP_enabled:\t1\n" : "", t->threads,
		(unsigned long long)host_memory(live_host(access), access->now).total / 257,
		t->virtual_kilobytes ? "0000000000000000" : "ffffffffffffffff",
		strcmp(t->name, "bash") == 0 ? "0000000010000000" : "0000000000000000",
		capabilities, capabilities);
	writer_format(
		out,
		"Cpus_allowed:\t%x\nCpus_allowed_list:\t%s%u\nMems_allowed:\t00000000,00000001\n"
		"Mems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%u\n"
		"nonvoluntary_ctxt_switches:\t%u\n",
		(1u << count) - 1, count > 1 ? "0-" : "", count - 1, 40 + t->pid % 60, t->pid % 17);
}

static void put_limits(const struct file_access *access, struct writer *out)
{
	unsigned long long processes =
		(unsigned long long)host_memory(live_host(access), access->now).total / 257;
	const struct {
		const char *name, *unit;
		long long soft, hard; /* -1: unlimited */
	} rows[] = {
		{"Max cpu time", "seconds", -1, -1},
		{"Max file size", "bytes", -1, -1},
		{"Max data size", "bytes", -1, -1},
		{"Max stack size", "bytes", 8388608, -1},
		{"Max core file size", "bytes", 0, -1},
		{"Max resident set", "bytes", -1, -1},
		{"Max processes", "processes", (long long)processes, (long long)processes},
		{"Max open files", "files", 1024, 1048576},
		{"Max locked memory", "bytes", (long long)processes * 33000,
		 (long long)processes * 33000},
		{"Max address space", "bytes", -1, -1},
		{"Max file locks", "locks", -1, -1},
		{"Max pending signals", "signals", (long long)processes, (long long)processes},
		{"Max msgqueue size", "bytes", 819200, 819200},
		{"Max nice priority", "", 0, 0},
		{"Max realtime priority", "", 0, 0},
		{"Max realtime timeout", "us", -1, -1},
	};

	writer_format(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
		      "Units");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char soft[24] = "unlimited", hard[24] = "unlimited";

		if (rows[i].soft >= 0)
			(void)snprintf(soft, sizeof(soft), "%lld", rows[i].soft);
		if (rows[i].hard >= 0)
			(void)snprintf(hard, sizeof(hard), "%lld", rows[i].hard);
		writer_format(out, "%-25s %-20s %-20s %-10s\n", rows[i].name, soft, hard,
			      rows[i].unit);
	}
}

static void put_executable(const struct task *t, struct writer *out)
{
	const char *command = t->command;
	size_t length;

	if (t->process) {
		if (t->process->busybox)
			writer_text(out, "/bin/busybox");
		else if (t->process->argc && t->process->argv[0][0] == '/')
			writer_text(out, t->process->argv[0]);
		else
			writer_format(out, "/usr/bin/%s",
				      strcmp(t->process->name, "sh") == 0 ? "dash"
									  : t->process->name);
		return;
	}
	length = command ? strcspn(command, " ") : 0;
	if (t->pid == 1)
		writer_text(out, "/usr/lib/systemd/systemd");
	else if (command && *command == '/')
		writer_format(out, "%s%.*s",
			      strncmp(command, "/lib/", 5) == 0 ||
					      strncmp(command, "/sbin/", 6) == 0 ||
					      strncmp(command, "/bin/", 5) == 0
				      ? "/usr"
				      : "",
			      (int)length, command);
	else if (command && strncmp(command, "sshd:", 5) == 0)
		writer_text(out, "/usr/sbin/sshd");
	else if (command && strncmp(command, "nginx:", 6) == 0)
		writer_text(out, "/usr/sbin/nginx");
	else
		writer_format(out, "/usr/bin/%s", t->name);
}

static void put_maps(const struct task *t, struct writer *out)
{
	unsigned long long base = 0x55d000000000ull + t->pid * 0x1351000ull % 0x2f00000000ull;
	unsigned long long library = 0x7f2000000000ull + t->pid * 0x2713000ull % 0xa000000000ull;
	struct writer path = writer_growing(MACHINE_PATH_MAX);
	static const struct {
		unsigned long long start, size;
		const char *flags;
	} parts[] = {{0, 0x2f000, "r--p"},
		     {0x2f000, 0xe0000, "r-xp"},
		     {0x10f000, 0x39000, "r--p"},
		     {0x148000, 0x4000, "r--p"},
		     {0x14c000, 0x9000, "rw-p"}};

	put_executable(t, &path);
	writer_u8(&path, 0);
	for (size_t i = 0; i < ARRAY_COUNT(parts) && !path.failed; i++)
		writer_format(out, "%llx-%llx %s %08llx 08:01 %u%*s%s\n", base + parts[i].start,
			      base + parts[i].start + parts[i].size, parts[i].flags, parts[i].start,
			      131000 + t->pid % 9000, 22, "", (const char *)path.at);
	writer_format(out, "%llx-%llx rw-p 00000000 00:00 0 %26s%s\n", base + 0x1a00000,
		      base + 0x1a80000, "", "[heap]");
	for (size_t i = 0; i < 4; i++)
		writer_format(out, "%llx-%llx %s %08llx 08:01 %u%*s%s\n", library + i * 0x160000,
			      library + (i + 1) * 0x160000, parts[i].flags, i * 0x26000ull, 130412,
			      22, "", "/usr/lib/x86_64-linux-gnu/libc.so.6");
	writer_format(out, "7ffd%05x000-7ffd%05x000 rw-p 00000000 00:00 0 %26s%s\n",
		      0x10000 + t->pid % 0xdffff, 0x10021 + t->pid % 0xdffff, "", "[stack]");
	writer_free(&path);
}

static int read_descriptor(const struct task *t, unsigned descriptor, struct writer *out)
{
	const char *path;

	if (!t->process) {
		static const char *const usual[] = {"/dev/null",
						    "socket:", "socket:", "socket:", "socket:"};

		if (descriptor == 0)
			writer_text(out, usual[0]);
		else
			writer_format(out, "socket:[%u]", 14000 + t->pid * 3 + descriptor / 3);
		return 0;
	}
	path = process_path_of(t->process, (int)descriptor);
	if (path)
		writer_text(out, path);
	else if (process_is_terminal(t->process, (int)descriptor))
		writer_format(out, "/dev/%s", process_terminal_name(t->process));
	else
		writer_format(out, "pipe:[%u]", 30000 + t->process->group * 5 + descriptor);
	return 0;
}

static bool may_look(const struct file_access *access, const struct task *t)
{
	return !access->identity || access->identity->effective_uid == 0 ||
	       access->identity->effective_uid == t->uid;
}

static int read_link(const struct file_access *access, const struct task *t, unsigned file,
		     struct writer *out)
{
	if (file == NET) {
		writer_text(out, "../net");
		return 0;
	}
	if (!may_look(access, t))
		return -EACCES;
	if (!t->virtual_kilobytes && file == EXE)
		return -ENOENT;
	if (file == EXE)
		put_executable(t, out);
	else if (file == CWD && t->process)
		writer_text(out, process_folder(t->process));
	else
		writer_text(out, "/");
	return 0;
}

static int read_file(const struct file_access *access, const struct task *t, unsigned file,
		     struct writer *out)
{
	switch (file) {
	case CMDLINE:
		if (t->virtual_kilobytes)
			task_command(t, out, 0);
		return 0;
	case COMM:
		writer_format(out, "%.15s\n", t->name);
		return 0;
	case CGROUP:
		if (!t->virtual_kilobytes)
			writer_text(out, "0::/\n");
		else if (t->pid == 1)
			writer_text(out, "0::/init.scope\n");
		else if (t->process)
			writer_format(
				out, "0::/user.slice/user-%u.slice/session-%u.scope\n", t->uid,
				2 + (unsigned)host_fact(live_host(access), "session", 1, 400));
		else
			writer_format(out, "0::/system.slice/%s.service\n", t->name);
		return 0;
	case ENVIRON:
		if (!may_look(access, t))
			return -EACCES;
		for (size_t i = 0;
		     t->process && t->process->environment && t->process->environment[i]; i++) {
			writer_text(out, t->process->environment[i]);
			writer_u8(out, 0);
		}
		return 0;
	case IO:
		writer_format(
			out,
			"rchar: %u\nwchar: %u\nsyscr: %u\nsyscw: %u\nread_bytes: 0\nwrite_bytes: "
			"0\ncancelled_write_bytes: 0\n",
			t->pid * 13, t->pid * 3, 40 + t->pid % 300, t->pid % 100);
		return 0;
	case LIMITS:
		put_limits(access, out);
		return 0;
	case LOGINUID:
		writer_format(out, "%u", t->process ? t->uid : 4294967295u);
		return 0;
	case MAPS:
		if (t->virtual_kilobytes)
			put_maps(t, out);
		return 0;
	case MOUNTS:
		return proc_mounts(access, out);
	case MOUNTINFO:
		return proc_mountinfo(access, out);
	case OOM_SCORE:
		writer_format(out, "%u\n",
			      t->virtual_kilobytes ? 666 + (unsigned)(t->resident_kilobytes / 20000)
						   : 0);
		return 0;
	case OOM_ADJ:
	case OOM_SCORE_ADJ:
		writer_text(out, strncmp(t->name, "sshd", 4) == 0 && !strchr(t->command, '@')
					 ? file == OOM_ADJ ? "-17\n" : "-1000\n"
					 : "0\n");
		return 0;
	case PERSONALITY:
		writer_text(out, "00000000\n");
		return 0;
	case SCHEDSTAT:
		writer_format(out, "%llu %u %u\n", (unsigned long long)t->cpu * 1000, t->pid * 7,
			      20 + t->pid % 40);
		return 0;
	case SESSIONID:
		writer_format(out, "%u", t->process ? 3u : 4294967295u);
		return 0;
	case STAT:
		put_stat(access, t, out);
		return 0;
	case STATM:
		writer_format(out, "%llu %llu %llu %u 0 %llu 0\n",
			      (unsigned long long)t->virtual_kilobytes / 4,
			      (unsigned long long)t->resident_kilobytes / 4,
			      (unsigned long long)t->shared_kilobytes / 4,
			      t->virtual_kilobytes ? 225 : 0,
			      (unsigned long long)t->virtual_kilobytes / 48);
		return 0;
	case STATUS:
		put_status(access, t, out);
		return 0;
	case STACK:
	case SYSCALL:
		return -EACCES;
	default:
		writer_text(out, "0");
		return 0;
	}
}

int proc_process_read(const struct file_access *access, uint64_t key, struct writer *out)
{
	struct task_list list = live_tasks(access);
	struct task task;
	unsigned number = (unsigned)key & 0xffff;

	if (!task_find(&list, proc_key_pid(key), &task))
		return -ESRCH;
	if (proc_key_kind(key) == DESCRIPTOR)
		return read_descriptor(&task, number, out);
	if (proc_key_kind(key) != FILES || number >= ARRAY_COUNT(names))
		return -ENOENT;
	if (S_ISLNK(names[number].mode))
		return read_link(access, &task, number, out);
	return read_file(access, &task, number, out);
}
