/* /proc: which function makes which file. The tree itself is proc.c; files of a process are in
 * proc_process.c. */
#ifndef DECOY_MACHINE_FILES_PROC_H
#define DECOY_MACHINE_FILES_PROC_H

#include "decoy/machine/files/live_table.h"

typedef int proc_reader(const struct file_access *access, struct writer *out);

/* proc_system.c */
proc_reader proc_uptime, proc_loadavg, proc_version, proc_cpuinfo, proc_meminfo, proc_stat,
	proc_mounts, proc_mountinfo, proc_modules, proc_partitions, proc_swaps, proc_diskstats,
	proc_command_line, proc_interrupts, proc_vmstat, proc_hostname, proc_os_release,
	proc_os_version, proc_boot_id, proc_uuid, proc_threads_max, proc_file_number;

/* proc_memory.c */
proc_reader proc_iomem, proc_ioports, proc_kallsyms;

/* proc_net.c */
proc_reader proc_net_dev, proc_net_route, proc_net_arp, proc_net_tcp, proc_net_tcp6, proc_net_udp,
	proc_net_udp6, proc_net_unix, proc_net_if_inet6, proc_net_fib_trie, proc_net_sockstat,
	proc_net_snmp;

/* proc_process.c: the folder of a process. */
bool proc_process_find(const struct file_access *access, uint64_t folder, const char *name,
		       struct live_entry *entry);
bool proc_process_next(const struct file_access *access, uint64_t folder, uint64_t *position,
		       struct live_entry *entry);
int proc_process_read(const struct file_access *access, uint64_t key, struct writer *out);

/* Keys of files of a process: PROCESS_KEY | pid << 24 | kind << 16 | number. */
#define PROCESS_KEY ((uint64_t)1 << 60)
static inline uint64_t proc_key(unsigned pid, unsigned kind, unsigned number)
{
	return PROCESS_KEY | (uint64_t)pid << 24 | (uint64_t)kind << 16 | number;
}
static inline unsigned proc_key_pid(uint64_t key)
{
	return (unsigned)(key >> 24) & 0xffffffff;
}
static inline unsigned proc_key_kind(uint64_t key)
{
	return (unsigned)(key >> 16) & 0xff;
}

#endif
