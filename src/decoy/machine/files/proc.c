/* /proc: the tree. */
#include <stdio.h>

#include "decoy/machine/files/proc.h"
#include "decoy/machine/limits.h"

#define FILE_ROW(path, mode, read)                 \
	{                                          \
		path, S_IFREG | (mode), read, NULL \
	}
#define TEXT_ROW(path, mode, text)                 \
	{                                          \
		path, S_IFREG | (mode), NULL, text \
	}
#define FOLDER_ROW(path)                         \
	{                                        \
		path, S_IFDIR | 0555, NULL, NULL \
	}
#define LINK_ROW(path, target)                     \
	{                                          \
		path, S_IFLNK | 0777, NULL, target \
	}

static const char filesystems[] =
	"nodev\tsysfs\nnodev\ttmpfs\nnodev\tbdev\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\n"
	"nodev\tcpuset\nnodev\tdevtmpfs\nnodev\tconfigfs\nnodev\tdebugfs\nnodev\ttracefs\n"
	"nodev\tsecurityfs\nnodev\tsockfs\nnodev\tbpf\nnodev\tpipefs\nnodev\tramfs\n"
	"nodev\thugetlbfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\tpstore\n\text3\n\text2\n\text4\n"
	"nodev\tautofs\n\tfuseblk\nnodev\tfuse\nnodev\tfusectl\nnodev\tbinfmt_misc";

static const char devices[] =
	"Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 "
	"/dev/console\n  5 /dev/ptmx\n  7 vcs\n 10 misc\n 13 input\n 21 sg\n 29 fb\n128 ptm\n136 "
	"pts\n"
	"180 usb\n189 usb_device\n202 cpu/msr\n204 ttyMAX\n226 drm\n247 bsg\n248 watchdog\n249 "
	"ptp\n"
	"250 pps\n251 rtc\n252 dax\n253 dimmctl\n254 gpiochip\n\nBlock devices:\n  8 sd\n  9 md\n "
	"11 "
	"sr\n 65 sd\n 66 sd\n 67 sd\n 68 sd\n 69 sd\n 70 sd\n 71 sd\n128 sd\n129 sd\n130 sd\n131 "
	"sd\n"
	"132 sd\n133 sd\n134 sd\n135 sd\n253 device-mapper\n254 virtblk\n259 blkext";

static const char misc[] =
	"125 cuse\n126 btrfs-control\n127 hw_random\n229 fuse\n227 mcelog\n  1 psaux\n"
	"228 hpet\n231 snapshot\n144 nvram\n183 hw_random\n184 microcode\n124 "
	"cpu_dma_latency\n235 autofs\n237 loop-control\n223 uinput";

static const char crypto[] =
	"name         : crc32c\ndriver       : crc32c-intel\nmodule       : crc32c_intel\npriority "
	"    "
	": 200\nrefcnt       : 2\nselftest     : passed\ninternal     : no\ntype         : shash\n"
	"blocksize    : 1\ndigestsize   : 4\n\nname         : sha256\ndriver       : "
	"sha256-generic\n"
	"module       : kernel\npriority     : 100\nrefcnt       : 1\nselftest     : passed\n"
	"internal     : no\ntype         : shash\nblocksize    : 64\ndigestsize   : 32\n";

static int pid_max(const struct file_access *access, struct writer *out)
{
	writer_text(out, host_kind(live_host(access)) == HOST_ROUTER ? "32768\n" : "4194304\n");
	return 0;
}

static int domain_name(const struct file_access *access, struct writer *out)
{
	(void)access;
	writer_text(out, "(none)\n");
	return 0;
}

static int last_pid(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%u\n",
		      access->process ? access->process->pid
				      : host_last_pid(live_host(access), access->now));
	return 0;
}

static const struct live_row rows[] = {
	FOLDER_ROW("acpi"),
	TEXT_ROW("buddyinfo", 0400,
		 "Node 0, zone      DMA      0      0      0      0      0      0      0      0    "
		 "  1      1      2"),
	FOLDER_ROW("bus"),
	FOLDER_ROW("bus/pci"),
	FILE_ROW("cmdline", 0444, proc_command_line),
	TEXT_ROW("consoles", 0444, "tty0                 -WU (EC  p  )    4:1"),
	FILE_ROW("cpuinfo", 0444, proc_cpuinfo),
	TEXT_ROW("crypto", 0444, crypto),
	TEXT_ROW("devices", 0444, devices),
	FILE_ROW("diskstats", 0444, proc_diskstats),
	TEXT_ROW("dma", 0444, " 4: cascade"),
	FOLDER_ROW("driver"),
	TEXT_ROW("execdomains", 0444, "0-0\tLinux           \t[kernel]"),
	TEXT_ROW("fb", 0444, "0 bochs-drmdrmfb"),
	TEXT_ROW("filesystems", 0444, filesystems),
	FOLDER_ROW("fs"),
	FOLDER_ROW("fs/ext4"),
	FILE_ROW("interrupts", 0444, proc_interrupts),
	FILE_ROW("iomem", 0444, proc_iomem),
	FILE_ROW("ioports", 0444, proc_ioports),
	FOLDER_ROW("irq"),
	FILE_ROW("kallsyms", 0444, proc_kallsyms),
	{"kcore", S_IFREG | 0400, NULL, ""},
	TEXT_ROW("key-users", 0444, "    0:    12 11/11 8/1000000 112/25000000"),
	TEXT_ROW("keys", 0444, ""),
	TEXT_ROW("kmsg", 0400, ""),
	FILE_ROW("loadavg", 0444, proc_loadavg),
	TEXT_ROW("locks", 0444, ""),
	TEXT_ROW("mdstat", 0444, "Personalities : \nunused devices: <none>"),
	FILE_ROW("meminfo", 0444, proc_meminfo),
	TEXT_ROW("misc", 0444, misc),
	FILE_ROW("modules", 0444, proc_modules),
	LINK_ROW("mounts", "self/mounts"),
	TEXT_ROW("mtrr", 0644, ""),
	FOLDER_ROW("net"),
	FILE_ROW("net/arp", 0444, proc_net_arp),
	FILE_ROW("net/dev", 0444, proc_net_dev),
	FILE_ROW("net/fib_trie", 0444, proc_net_fib_trie),
	TEXT_ROW("net/ip_tables_names", 0440, ""),
	FILE_ROW("net/if_inet6", 0444, proc_net_if_inet6),
	TEXT_ROW("net/protocols", 0444, "protocol  size sockets  memory press maxhdr  slab module"),
	TEXT_ROW("net/raw", 0444,
		 "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		 "uid  timeout inode ref pointer drops"),
	FILE_ROW("net/route", 0444, proc_net_route),
	FILE_ROW("net/snmp", 0444, proc_net_snmp),
	FILE_ROW("net/sockstat", 0444, proc_net_sockstat),
	FILE_ROW("net/tcp", 0444, proc_net_tcp),
	FILE_ROW("net/tcp6", 0444, proc_net_tcp6),
	FILE_ROW("net/udp", 0444, proc_net_udp),
	FILE_ROW("net/udp6", 0444, proc_net_udp6),
	FILE_ROW("net/unix", 0444, proc_net_unix),
	TEXT_ROW(
		"net/wireless", 0444,
		"Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
		" face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22"),
	FILE_ROW("partitions", 0444, proc_partitions),
	FOLDER_ROW("pressure"),
	TEXT_ROW(
		"pressure/cpu", 0444,
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=48211093\nfull avg10=0.00 avg60=0.00 "
		"avg300=0.00 total=0"),
	TEXT_ROW("sched_debug", 0400, ""),
	TEXT_ROW("schedstat", 0444, "version 15"),
	FOLDER_ROW("scsi"),
	TEXT_ROW("slabinfo", 0400, "slabinfo - version: 2.1"),
	TEXT_ROW("softirqs", 0444, "                    CPU0"),
	FILE_ROW("stat", 0444, proc_stat),
	FILE_ROW("swaps", 0444, proc_swaps),
	FOLDER_ROW("sys"),
	FOLDER_ROW("sys/abi"),
	FOLDER_ROW("sys/debug"),
	FOLDER_ROW("sys/dev"),
	FOLDER_ROW("sys/fs"),
	FILE_ROW("sys/fs/file-nr", 0444, proc_file_number),
	TEXT_ROW("sys/fs/file-max", 0644, "9223372036854775807"),
	TEXT_ROW("sys/fs/nr_open", 0644, "1048576"),
	TEXT_ROW("sys/fs/pipe-max-size", 0644, "1048576"),
	TEXT_ROW("sys/fs/protected_hardlinks", 0600, "1"),
	TEXT_ROW("sys/fs/protected_symlinks", 0600, "1"),
	TEXT_ROW("sys/fs/protected_fifos", 0600, "1"),
	TEXT_ROW("sys/fs/protected_regular", 0600, "2"),
	TEXT_ROW("sys/fs/suid_dumpable", 0644, "0"),
	FOLDER_ROW("sys/fs/binfmt_misc"),
	FOLDER_ROW("sys/fs/inotify"),
	TEXT_ROW("sys/fs/inotify/max_user_instances", 0644, "128"),
	TEXT_ROW("sys/fs/inotify/max_user_watches", 0644, "29857"),
	FOLDER_ROW("sys/fs/mqueue"),
	FOLDER_ROW("sys/kernel"),
	TEXT_ROW("sys/kernel/arch", 0444, "x86_64"),
	TEXT_ROW("sys/kernel/cap_last_cap", 0444, "40"),
	TEXT_ROW("sys/kernel/core_pattern", 0644, "core"),
	TEXT_ROW("sys/kernel/core_uses_pid", 0644, "0"),
	TEXT_ROW("sys/kernel/ctrl-alt-del", 0644, "0"),
	TEXT_ROW("sys/kernel/dmesg_restrict", 0644, "1"),
	FILE_ROW("sys/kernel/domainname", 0644, domain_name),
	FILE_ROW("sys/kernel/hostname", 0644, proc_hostname),
	TEXT_ROW("sys/kernel/hung_task_timeout_secs", 0644, "120"),
	TEXT_ROW("sys/kernel/kptr_restrict", 0644, "0"),
	TEXT_ROW("sys/kernel/modules_disabled", 0644, "0"),
	TEXT_ROW("sys/kernel/msgmax", 0644, "8192"),
	TEXT_ROW("sys/kernel/msgmnb", 0644, "16384"),
	TEXT_ROW("sys/kernel/ngroups_max", 0444, "65536"),
	TEXT_ROW("sys/kernel/nmi_watchdog", 0644, "0"),
	FILE_ROW("sys/kernel/ns_last_pid", 0666, last_pid),
	FILE_ROW("sys/kernel/osrelease", 0444, proc_os_release),
	TEXT_ROW("sys/kernel/ostype", 0444, "Linux"),
	TEXT_ROW("sys/kernel/panic", 0644, "0"),
	TEXT_ROW("sys/kernel/perf_event_paranoid", 0644, "3"),
	FILE_ROW("sys/kernel/pid_max", 0644, pid_max),
	TEXT_ROW("sys/kernel/printk", 0644, "4\t4\t1\t7"),
	FOLDER_ROW("sys/kernel/random"),
	FILE_ROW("sys/kernel/random/boot_id", 0444, proc_boot_id),
	TEXT_ROW("sys/kernel/random/entropy_avail", 0444, "256"),
	TEXT_ROW("sys/kernel/random/poolsize", 0444, "256"),
	FILE_ROW("sys/kernel/random/uuid", 0444, proc_uuid),
	TEXT_ROW("sys/kernel/random/write_wakeup_threshold", 0644, "256"),
	TEXT_ROW("sys/kernel/randomize_va_space", 0644, "2"),
	TEXT_ROW("sys/kernel/sched_rt_runtime_us", 0644, "950000"),
	FOLDER_ROW("sys/kernel/seccomp"),
	TEXT_ROW("sys/kernel/sem", 0644, "32000\t1024000000\t500\t32000"),
	TEXT_ROW("sys/kernel/shmall", 0644, "18446744073692774399"),
	TEXT_ROW("sys/kernel/shmmax", 0644, "18446744073692774399"),
	TEXT_ROW("sys/kernel/shmmni", 0644, "4096"),
	TEXT_ROW("sys/kernel/sysrq", 0644, "438"),
	TEXT_ROW("sys/kernel/tainted", 0644, "0"),
	FILE_ROW("sys/kernel/threads-max", 0644, proc_threads_max),
	TEXT_ROW("sys/kernel/unprivileged_bpf_disabled", 0644, "2"),
	TEXT_ROW("sys/kernel/unprivileged_userns_clone", 0644, "1"),
	FILE_ROW("sys/kernel/version", 0444, proc_os_version),
	FOLDER_ROW("sys/kernel/yama"),
	TEXT_ROW("sys/kernel/yama/ptrace_scope", 0644, "0"),
	FOLDER_ROW("sys/net"),
	FOLDER_ROW("sys/net/core"),
	TEXT_ROW("sys/net/core/default_qdisc", 0644, "pfifo_fast"),
	TEXT_ROW("sys/net/core/netdev_max_backlog", 0644, "1000"),
	TEXT_ROW("sys/net/core/rmem_default", 0644, "212992"),
	TEXT_ROW("sys/net/core/rmem_max", 0644, "212992"),
	TEXT_ROW("sys/net/core/somaxconn", 0644, "4096"),
	TEXT_ROW("sys/net/core/wmem_max", 0644, "212992"),
	FOLDER_ROW("sys/net/ipv4"),
	FOLDER_ROW("sys/net/ipv4/conf"),
	FOLDER_ROW("sys/net/ipv4/conf/all"),
	TEXT_ROW("sys/net/ipv4/conf/all/accept_redirects", 0644, "0"),
	TEXT_ROW("sys/net/ipv4/conf/all/forwarding", 0644, "0"),
	TEXT_ROW("sys/net/ipv4/conf/all/rp_filter", 0644, "0"),
	FOLDER_ROW("sys/net/ipv4/conf/default"),
	TEXT_ROW("sys/net/ipv4/conf/default/rp_filter", 0644, "0"),
	FOLDER_ROW("sys/net/ipv4/conf/@if"),
	TEXT_ROW("sys/net/ipv4/icmp_echo_ignore_all", 0644, "0"),
	TEXT_ROW("sys/net/ipv4/ip_default_ttl", 0644, "64"),
	TEXT_ROW("sys/net/ipv4/ip_forward", 0644, "0"),
	TEXT_ROW("sys/net/ipv4/ip_local_port_range", 0644, "32768\t60999"),
	TEXT_ROW("sys/net/ipv4/tcp_available_congestion_control", 0444, "reno cubic"),
	TEXT_ROW("sys/net/ipv4/tcp_congestion_control", 0644, "cubic"),
	TEXT_ROW("sys/net/ipv4/tcp_fin_timeout", 0644, "60"),
	TEXT_ROW("sys/net/ipv4/tcp_keepalive_time", 0644, "7200"),
	TEXT_ROW("sys/net/ipv4/tcp_max_syn_backlog", 0644, "256"),
	TEXT_ROW("sys/net/ipv4/tcp_syncookies", 0644, "1"),
	TEXT_ROW("sys/net/ipv4/tcp_timestamps", 0644, "1"),
	TEXT_ROW("sys/net/ipv4/tcp_tw_reuse", 0644, "2"),
	FOLDER_ROW("sys/net/ipv6"),
	FOLDER_ROW("sys/net/ipv6/conf"),
	FOLDER_ROW("sys/net/ipv6/conf/all"),
	TEXT_ROW("sys/net/ipv6/conf/all/disable_ipv6", 0644, "0"),
	TEXT_ROW("sys/net/ipv6/conf/all/forwarding", 0644, "0"),
	FOLDER_ROW("sys/user"),
	FOLDER_ROW("sys/vm"),
	TEXT_ROW("sys/vm/dirty_background_ratio", 0644, "10"),
	TEXT_ROW("sys/vm/dirty_ratio", 0644, "20"),
	TEXT_ROW("sys/vm/drop_caches", 0200, "0"),
	TEXT_ROW("sys/vm/max_map_count", 0644, "65530"),
	TEXT_ROW("sys/vm/min_free_kbytes", 0644, "67584"),
	TEXT_ROW("sys/vm/mmap_min_addr", 0644, "65536"),
	TEXT_ROW("sys/vm/nr_hugepages", 0644, "0"),
	TEXT_ROW("sys/vm/overcommit_memory", 0644, "0"),
	TEXT_ROW("sys/vm/overcommit_ratio", 0644, "50"),
	TEXT_ROW("sys/vm/panic_on_oom", 0644, "0"),
	TEXT_ROW("sys/vm/swappiness", 0644, "60"),
	TEXT_ROW("sys/vm/vfs_cache_pressure", 0644, "100"),
	TEXT_ROW("sysrq-trigger", 0200, ""),
	FOLDER_ROW("sysvipc"),
	TEXT_ROW("sysvipc/msg", 0444,
		 "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid "
		 " cgid      stime      rtime      ctime"),
	TEXT_ROW("sysvipc/sem", 0444,
		 "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		 "ctime"),
	TEXT_ROW("sysvipc/shm", 0444,
		 "       key      shmid perms                  size  cpid  lpid nattch   uid   gid "
		 " cuid  cgid      atime      dtime      ctime                   rss               "
		 "   swap"),
	TEXT_ROW("timer_list", 0400, "Timer List Version: v0.9"),
	FOLDER_ROW("tty"),
	TEXT_ROW(
		"tty/drivers", 0444,
		"/dev/tty             /dev/tty        5       0 system:/dev/tty\n/dev/console      "
		"   /dev/console    5       1 system:console\n/dev/ptmx            /dev/ptmx       "
		"5       2 system\n/dev/vc/0            /dev/vc/0       4       0 "
		"system:vtmaster\nserial               /dev/ttyS       4 64-95 serial\npty_slave   "
		"         /dev/pts      136 0-1048575 pty:slave\npty_master           /dev/ptm     "
		" 128 0-1048575 pty:master\nunknown              /dev/tty        4 1-63 console"),
	FILE_ROW("uptime", 0444, proc_uptime),
	FILE_ROW("version", 0444, proc_version),
	TEXT_ROW("vmallocinfo", 0400, ""),
	FILE_ROW("vmstat", 0444, proc_vmstat),
	TEXT_ROW("zoneinfo", 0444, "Node 0, zone      DMA"),
};

static const struct live_rows table = {rows, ARRAY_COUNT(rows), 1};

#define SELF_KEY        ((uint64_t)1 << 50)
#define THREAD_SELF_KEY ((uint64_t)1 << 51)
#define PIDS_FROM       ((uint64_t)1 << 40) /* positions of the root beyond the table's */

static bool find_process(const struct file_access *access, const char *name,
			 struct live_entry *entry)
{
	struct task_list list = live_tasks(access);
	struct task task;
	int64_t pid;

	if (*name == '0' || slice_number(slice_text(name), 1, 4194304, &pid) ||
	    !task_find(&list, (unsigned)pid, &task))
		return false;
	*entry = (struct live_entry){name, S_IFDIR | 0555, proc_key((unsigned)pid, 0, 0)};
	return true;
}

static bool find(const struct file_access *access, uint64_t folder, const char *name,
		 struct live_entry *entry)
{
	if (folder & PROCESS_KEY)
		return proc_process_find(access, folder, name, entry);
	if (folder == 0 && access->process && strcmp(name, "self") == 0) {
		*entry = (struct live_entry){"self", S_IFLNK | 0777, SELF_KEY};
		return true;
	}
	if (folder == 0 && access->process && strcmp(name, "thread-self") == 0) {
		*entry = (struct live_entry){"thread-self", S_IFLNK | 0777, THREAD_SELF_KEY};
		return true;
	}
	if (folder == 0 && *name >= '1' && *name <= '9')
		return find_process(access, name, entry);
	return live_rows_find(&table, access, folder, name, entry);
}

static bool next(const struct file_access *access, uint64_t folder, uint64_t *position,
		 struct live_entry *entry)
{
	if (folder & PROCESS_KEY)
		return proc_process_next(access, folder, position, entry);
	if (*position < PIDS_FROM && live_rows_next(&table, access, folder, position, entry))
		return true;
	if (folder != 0)
		return false;
	if (*position < PIDS_FROM) {
		*position = PIDS_FROM;
		if (access->process)
			return find(access, 0, "self", entry);
	}
	{
		struct task_list list = live_tasks(access);
		struct task task;

		list.index = (size_t)(*position - PIDS_FROM);
		if (!task_next(&list, &task))
			return false;
		*position = PIDS_FROM + list.index;
		*entry = (struct live_entry){NULL, S_IFDIR | 0555, proc_key(task.pid, 0, 0)};
		(void)snprintf(entry->room, sizeof(entry->room), "%u", task.pid);
		entry->name = entry->room;
		return true;
	}
}

static int read_key(const struct file_access *access, uint64_t key, struct writer *out)
{
	if (key & PROCESS_KEY)
		return proc_process_read(access, key, out);
	if (key == SELF_KEY || key == THREAD_SELF_KEY) {
		unsigned pid = access->process ? access->process->pid : 1;

		writer_format(out, key == SELF_KEY ? "%u" : "%u/task/%u", pid, pid);
		return 0;
	}
	return live_rows_read(&table, access, key, out);
}

static int write_key(const struct file_access *access, uint64_t key, struct slice bytes)
{
	(void)access;
	(void)bytes;
	/* What may be written is taken and forgotten. */
	return key & PROCESS_KEY || live_rows_mode(&table, key) & 0222 ? 0 : -EIO;
}

static void status(const struct file_access *access, uint64_t key, struct file_status *status)
{
	status->accessed = status->modified = status->changed = access->now;
	if (key == 0) {
		struct task_list list = live_tasks(access);
		unsigned all, running;

		task_count(&list, &all, &running);
		status->links = all + 9;
	}
	if (key & PROCESS_KEY) {
		if (S_ISDIR(status->mode) && proc_key_kind(key) == 0)
			status->links = 9;
		if (S_ISLNK(status->mode) && proc_key_kind(key) > 1)
			status->size = proc_key_kind(key) == 3 ? 64 : 0;

		struct task_list list = live_tasks(access);
		struct task task;

		if (task_find(&list, proc_key_pid(key), &task)) {
			status->uid = task.uid;
			status->gid = task.gid;
			status->accessed = status->modified = status->changed = task.started;
		}
	}
}

const struct live_tree live_tree_proc = {
	.mount_point = "/proc",
	.type = "proc",
	.source = "proc",
	.options = "rw,nosuid,nodev,noexec,relatime",
	.find = find,
	.next = next,
	.read = read_key,
	.write = write_key,
	.status = status,
};
