/* /proc: what concerns the whole host, but the network; see proc.h. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/files/proc.h"
#include "decoy/machine/hardware.h"

static double seconds_up(const struct file_access *access)
{
	return (double)(access->now - host_boot_time(live_host(access), access->now)) /
	       (double)SECOND;
}

int proc_uptime(const struct file_access *access, struct writer *out)
{
	double up = seconds_up(access);
	const struct host *host = live_host(access);

	writer_format(out, "%.2f %.2f\n", up,
		      up * host_processor(host)->count *
			      (0.985 - (double)host_fact(host, "idle", 0, 90) / 1000));
	return 0;
}

int proc_loadavg(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	struct task_list list = live_tasks(access);
	unsigned all, running, last = host_last_pid(host, access->now);

	task_count(&list, &all, &running);
	for (size_t i = 0; list.machine && process_at(list.machine, i); i++)
		last = process_at(list.machine, i)->pid;
	writer_format(out, "%.2f %.2f %.2f %u/%u %u\n", host_load(host, access->now, 1),
		      host_load(host, access->now, 5), host_load(host, access->now, 15),
		      running ? running : 1, all, last);
	return 0;
}

int proc_version(const struct file_access *access, struct writer *out)
{
	const struct host_names *names = host_names(live_host(access));

	if (host_kind(live_host(access)) == HOST_ROUTER)
		writer_format(out, "Linux version %s (root@localhost) (gcc version 4.8.3 ) %s\n",
			      names->release, names->version);
	else
		writer_format(
			out,
			"Linux version %s (debian-kernel@lists.debian.org) (gcc-12 (Debian "
			"12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) %s\n",
			names->release, names->version);
	return 0;
}

/* An x86 processor; others have other lines. */
static void put_processor(const struct host *host, struct writer *out, unsigned i)
{
	const struct host_processor *p = host_processor(host);
	bool amd = strcmp(p->vendor, "AuthenticAMD") == 0;
	double megahertz =
		(double)p->megahertz + (double)host_fact(host, "megahertz", 100, 998) / 1000;

	writer_format(out,
		      "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
		      "model name\t: %s\nstepping\t: %u\nmicrocode\t: %s\ncpu MHz\t\t: %.3f\n"
		      "cache size\t: %u KB\nphysical id\t: %s\nsiblings\t: %u\ncore id\t\t: %u\n"
		      "cpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\n"
		      "fpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t: %s\n",
		      i, p->vendor, p->family, p->model, p->model_name, p->stepping,
		      amd ? "0x1000065" : "0x1", megahertz, amd ? 512 : p->cache_kilobytes, "0",
		      p->count, i, p->count, i, i,
		      amd              ? 16
		      : p->model == 85 ? 22
				       : 20,
		      p->flags);
	writer_format(out, "bugs\t\t: %s\nbogomips\t: %.2f\n",
		      amd ? "sysret_ss_attrs null_seg spectre_v1 spectre_v2 spec_store_bypass "
			    "retbleed smt_rsb srso"
		      : p->model == 85
			      ? "spectre_v1 spectre_v2 spec_store_bypass swapgs taa itlb_multihit "
				"mmio_stale_data retbleed eibrs_pbrsb gds bhi"
			      : "cpu_meltdown spectre_v1 spectre_v2 spec_store_bypass l1tf mds "
				"swapgs taa itlb_multihit mmio_stale_data bhi",
		      2 * megahertz);
	if (amd)
		writer_text(out, "TLB size\t: 1024 4K pages\n");
	writer_text(out, "clflush size\t: 64\ncache_alignment\t: 64\n");
	writer_format(out,
		      "address sizes\t: %s bits physical, 48 bits virtual\n"
		      "power management:\n\n",
		      amd              ? "40"
		      : p->model == 85 ? "46"
				       : "40");
}

int proc_cpuinfo(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	const struct host_processor *p = host_processor(host);
	const struct persona *persona = host_persona(host);

	if (strncmp(p->architecture, "mips", 4) == 0) {
		writer_format(
			out,
			"system type\t\t: %s\nmachine\t\t\t: %s\nprocessor\t\t: 0\n"
			"cpu model\t\t: %s\nBogoMIPS\t\t: %.2f\nwait instruction\t: yes\n"
			"microsecond timers\t: yes\ntlb_entries\t\t: 32\n"
			"extra interrupt vector\t: yes\nhardware watchpoint\t: yes, count: 4, "
			"address/irw mask: [0x0000, 0x0ff8, 0x0ff8, 0x0ff8]\n"
			"isa\t\t\t: mips1 mips2 mips32r1 mips32r2\n"
			"ASEs implemented\t: mips16 dsp\nshadow register sets\t: 1\n"
			"kscratch registers\t: 0\npackage\t\t\t: 0\ncore\t\t\t: 0\n"
			"VCED exceptions\t\t: not available\nVCEI exceptions\t\t: not "
			"available\n\n",
			persona_text(persona, "processor.system", "MediaTek MT7628AN ver:1 eco:2"),
			persona_text(persona, "processor.board", "MT7628AN evaluation board"),
			persona_text(persona, "processor.name", "MIPS 24KEc V5.5"),
			(double)p->megahertz * 0.66);
		return 0;
	}
	if (strncmp(p->architecture, "arm", 3) == 0) {
		writer_format(
			out,
			"Processor\t: %s\nprocessor\t: 0\nBogoMIPS\t: %.2f\n\nFeatures\t: %s\n"
			"CPU implementer\t: 0x41\nCPU architecture: 7\nCPU variant\t: 0x0\n"
			"CPU part\t: 0xc07\nCPU revision\t: 5\n\nHardware\t: %s\nRevision\t: "
			"0000\nSerial\t\t: 0000000000000000\n",
			persona_text(persona, "processor.name", "ARMv7 Processor rev 5 (v7l)"),
			(double)p->megahertz * 0.04,
			persona_text(persona, "processor.flags",
				     "swp half thumb fastmult edsp tls"),
			persona_text(persona, "processor.board", "hi3520d"));
		return 0;
	}
	for (unsigned i = 0; i < p->count; i++)
		put_processor(host, out, i);
	return 0;
}

static void kilobytes(struct writer *out, const char *name, uint64_t value)
{
	writer_format(out, "%s:%*llu kB\n", name, (int)(23 - strlen(name)),
		      (unsigned long long)value);
}

static void put_memory_fine(struct writer *out, const struct host_memory *m, bool modern)
{
	uint64_t anonymous = m->inactive / 2;

	if (!modern)
		return;
	kilobytes(out, "Active(anon)", m->shared + 320);
	kilobytes(out, "Inactive(anon)", anonymous);
	kilobytes(out, "Active(file)",
		  m->active > m->shared + 320 ? m->active - m->shared - 320 : 0);
	kilobytes(out, "Inactive(file)", m->inactive - anonymous);
}

int proc_meminfo(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	struct host_memory m = host_memory(host, access->now);
	bool modern = host_kind(host) == HOST_DEBIAN;
	uint64_t direct = (uint64_t)host_fact(host, "direct map", 40, 110) * 2048 + 104;

	kilobytes(out, "MemTotal", m.total);
	kilobytes(out, "MemFree", m.free);
	if (modern)
		kilobytes(out, "MemAvailable", m.available);
	kilobytes(out, "Buffers", m.buffers);
	kilobytes(out, "Cached", m.cached);
	kilobytes(out, "SwapCached", (m.swap_total - m.swap_free) / 5 & ~3ull);
	kilobytes(out, "Active", m.active);
	kilobytes(out, "Inactive", m.inactive);
	put_memory_fine(out, &m, modern);
	kilobytes(out, "Unevictable", 0);
	kilobytes(out, "Mlocked", 0);
	kilobytes(out, "SwapTotal", m.swap_total);
	kilobytes(out, "SwapFree", m.swap_free);
	if (modern) {
		kilobytes(out, "Zswap", 0);
		kilobytes(out, "Zswapped", 0);
	}
	kilobytes(out, "Dirty", m.dirty);
	kilobytes(out, "Writeback", 0);
	kilobytes(out, "AnonPages", m.inactive / 2 - 4);
	kilobytes(out, "Mapped", m.cached / 5 & ~3ull);
	kilobytes(out, "Shmem", m.shared);
	if (modern)
		kilobytes(out, "KReclaimable", m.slab / 2 & ~3ull);
	kilobytes(out, "Slab", m.slab);
	kilobytes(out, "SReclaimable", m.slab / 2 & ~3ull);
	kilobytes(out, "SUnreclaim", m.slab - (m.slab / 2 & ~3ull));
	kilobytes(out, "KernelStack", modern ? 2800 + m.total / 4096 % 900 : 432);
	kilobytes(out, "PageTables", modern ? 3900 + m.inactive / 900 * 4 : 520);
	if (modern)
		kilobytes(out, "SecPageTables", 0);
	kilobytes(out, "NFS_Unstable", 0);
	kilobytes(out, "Bounce", 0);
	kilobytes(out, "WritebackTmp", 0);
	kilobytes(out, "CommitLimit", m.total / 2 + m.swap_total);
	kilobytes(out, "Committed_AS", m.inactive * 2 + 210000);
	kilobytes(out, "VmallocTotal", modern ? 34359738367ull : 1048372ull);
	kilobytes(out, "VmallocUsed", modern ? 24000 + m.total / 40960 * 4 : 2104);
	kilobytes(out, "VmallocChunk", modern ? 0 : 1043424);
	if (!modern)
		return 0;
	kilobytes(out, "Percpu", 2048ull * host_processor(host)->count);
	writer_text(out, "HardwareCorrupted:     0 kB\nAnonHugePages:         0 kB\n"
			 "ShmemHugePages:        0 kB\nShmemPmdMapped:        0 kB\n"
			 "FileHugePages:         0 kB\nFilePmdMapped:         0 kB\n"
			 "HugePages_Total:       0\nHugePages_Free:        0\n"
			 "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
			 "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	kilobytes(out, "DirectMap4k", direct);
	kilobytes(out, "DirectMap2M", (m.total + 400000) / 2048 * 2048 - direct / 2048 * 2048);
	return 0;
}

int proc_stat(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	unsigned count = host_processor(host)->count;
	double ticks = seconds_up(access) * 100;
	double busy = 0.015 + (double)host_fact(host, "idle", 0, 90) / 1000;
	struct task_list list = live_tasks(access);
	unsigned all, running;
	unsigned long long interrupts = (unsigned long long)(ticks * 1.9 * count);

	task_count(&list, &all, &running);
	for (unsigned i = 0; i <= count; i++) {
		double t = i ? ticks * (1 + 0.0004 * i)
			     : ticks * count * (1 + 0.0004 * (count + 1) / 2);

		if (i)
			writer_format(out, "cpu%u ", i - 1);
		else
			writer_text(out, "cpu  ");
		writer_format(
			out, "%llu %llu %llu %llu %llu 0 %llu %llu 0 0\n",
			(unsigned long long)(t * busy * 0.58),
			(unsigned long long)(t * busy * 0.01),
			(unsigned long long)(t * busy * 0.36), (unsigned long long)(t * (1 - busy)),
			(unsigned long long)(t * 0.0011), (unsigned long long)(t * busy * 0.03),
			(unsigned long long)(t * busy * 0.02));
	}
	writer_format(out, "intr %llu 0 9 0 0 0 0 0 0 0 0 0 0 144 0 0 0\n", interrupts);
	writer_format(out,
		      "ctxt %llu\nbtime %lld\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
		      interrupts * 17 / 10, (long long)(host_boot_time(host, access->now) / SECOND),
		      host_last_pid(host, access->now) + 40, running ? running : 1);
	writer_format(out, "softirq %llu 2 %llu 31 %llu %llu 0 19 %llu 27 %llu\n", interrupts / 2,
		      interrupts / 7, interrupts / 19, interrupts / 120, interrupts / 9,
		      interrupts / 6);
	return 0;
}

static int put_mounts(const struct file_access *access, struct writer *out, bool info)
{
	const struct host_mount *mounts;
	size_t count = host_mounts(live_host(access), &mounts);

	for (size_t i = 0; i < count; i++) {
		const struct host_mount *m = &mounts[i];

		if (!info)
			writer_format(out, "%s %s %s %s 0 0\n", m->source, m->point, m->type,
				      m->options);
		else
			writer_format(out, "%zu %d 0:%zu / %s %s shared:%zu - %s %s %s\n", 21 + i,
				      strcmp(m->point, "/") == 0 ? 1 : 26, 19 + i, m->point,
				      m->options, 1 + i, m->type, m->source, m->options);
	}
	return 0;
}

int proc_mounts(const struct file_access *access, struct writer *out)
{
	return put_mounts(access, out, false);
}

int proc_mountinfo(const struct file_access *access, struct writer *out)
{
	return put_mounts(access, out, true);
}

int proc_modules(const struct file_access *access, struct writer *out)
{
	const struct host_module *modules;
	size_t count = host_modules(live_host(access), &modules);
	bool root = !access->identity || access->identity->effective_uid == 0;
	unsigned long long at =
		0xffffffffc0000000ull +
		(unsigned long long)host_fact(live_host(access), "modules", 0x100, 0x800) * 0x1000;

	for (size_t i = 0; i < count; i++) {
		writer_format(out, "%s %u %u %s%s Live 0x%016llx\n", modules[i].name,
			      modules[i].size, modules[i].users,
			      *modules[i].used_by ? modules[i].used_by : "-",
			      *modules[i].used_by ? "," : "", root ? at : 0);
		at += modules[i].size + 0x2000;
	}
	return 0;
}

int proc_partitions(const struct file_access *access, struct writer *out)
{
	const struct host_disk *d = host_disk(live_host(access));
	unsigned major = d->name[0] == 'v' ? 254 : 8;

	writer_text(out, "major minor  #blocks  name\n\n");
	if (host_kind(live_host(access)) == HOST_ROUTER) {
		writer_text(out, "  31        0        192 mtdblock0\n  31        1         64 "
				 "mtdblock1\n  31        2       7936 mtdblock2\n");
		return 0;
	}
	writer_format(out, "%4u  %7u %10llu %s\n", major, 0, (unsigned long long)d->kilobytes,
		      d->name);
	writer_format(out, "%4u  %7u %10llu %s1\n", major, 1,
		      (unsigned long long)d->root_sectors / 2, d->name);
	if (d->swap_sectors) {
		writer_format(out, "%4u  %7u %10u %s2\n", major, 2, 1, d->name);
		writer_format(out, "%4u  %7u %10llu %s5\n", major, 5,
			      (unsigned long long)d->swap_sectors / 2, d->name);
	}
	if (d->name[0] != 'v')
		writer_format(out, "%4u  %7u %10u %s\n", 11, 0, 1048575, "sr0");
	return 0;
}

int proc_swaps(const struct file_access *access, struct writer *out)
{
	const struct host_disk *d = host_disk(live_host(access));
	struct host_memory m = host_memory(live_host(access), access->now);

	writer_text(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (m.swap_total)
		writer_format(
			out,
			"/dev/%s5                               partition\t%llu\t\t%llu\t\t-2\n",
			d->name, (unsigned long long)m.swap_total,
			(unsigned long long)(m.swap_total - m.swap_free));
	return 0;
}

int proc_diskstats(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	const struct host_disk *d = host_disk(host);
	unsigned long long reads = (unsigned long long)host_fact(host, "reads", 9000, 60000);
	unsigned long long writes =
		(unsigned long long)(seconds_up(access) / 100 *
				     (double)host_fact(host, "writes", 20, 190));
	unsigned major = d->name[0] == 'v' ? 254 : 8;

	for (unsigned part = 0; part < 2; part++)
		writer_format(
			out,
			"%4u %7u %s%s %llu %llu %llu %llu %llu %llu %llu %llu 0 %llu %llu 0 0 "
			"0 0 %llu %llu\n",
			major, part, d->name, part ? "1" : "", reads - part * 190, reads / 4,
			reads * 47, reads * 2 / 3, writes, writes * 3 / 2, writes * 27, writes * 2,
			writes, writes * 3, writes / 5, writes / 9);
	return 0;
}

int proc_command_line(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);

	if (host_kind(host) == HOST_ROUTER)
		writer_text(out, "console=ttyS0,57600n8 root=/dev/mtdblock2 rootfstype=squashfs\n");
	else
		writer_format(out, "BOOT_IMAGE=/boot/vmlinuz-%s root=UUID=%s ro quiet\n",
			      host_names(host)->release, host_disk(host)->root_uuid);
	return 0;
}

int proc_interrupts(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	unsigned count = host_processor(host)->count;
	unsigned long long up = (unsigned long long)seconds_up(access);
	static const struct {
		const char *name, *what;
		unsigned rate; /* in a thousand seconds */
	} rows[] = {
		{"0", "   IO-APIC   2-edge      timer", 0},
		{"1", "   IO-APIC   1-edge      i8042", 0},
		{"8", "   IO-APIC   8-edge      rtc0", 0},
		{"9", "   IO-APIC   9-fasteoi   acpi", 0},
		{"12", "   IO-APIC  12-edge      i8042", 0},
		{"NMI", "   Non-maskable interrupts", 0},
		{"LOC", "   Local timer interrupts", 71000},
		{"RES", "   Rescheduling interrupts", 2400},
		{"CAL", "   Function call interrupts", 310},
		{"TLB", "   TLB shootdowns", 44},
		{"MCE", "   Machine check exceptions", 0},
		{"MCP", "   Machine check polls", 3},
	};

	writer_text(out, "    ");
	for (unsigned i = 0; i < count; i++)
		writer_format(out, "       CPU%u", i);
	writer_text(out, "       \n");
	for (size_t r = 0; r < ARRAY_COUNT(rows); r++) {
		writer_format(out, "%3s:", rows[r].name);
		for (unsigned i = 0; i < count; i++)
			writer_format(out, " %10llu",
				      up * rows[r].rate / 1000 * (100 + i) / 100 + (rows[r].rate ? 0
										    : i          ? 0
											: 9));
		writer_format(out, "%s\n", rows[r].what);
	}
	writer_format(out, "ERR: %10u\nMIS: %10u\n", 0, 0);
	return 0;
}

int proc_vmstat(const struct file_access *access, struct writer *out)
{
	struct host_memory m = host_memory(live_host(access), access->now);
	unsigned long long up = (unsigned long long)seconds_up(access);

	writer_format(out,
		      "nr_free_pages %llu\nnr_zone_inactive_anon %llu\nnr_zone_active_anon %llu\n"
		      "nr_zone_inactive_file %llu\nnr_zone_active_file %llu\n"
		      "nr_zone_unevictable 0\nnr_zone_write_pending %llu\nnr_mlock 0\nnr_bounce 0\n"
		      "nr_zspages 0\nnr_free_cma 0\nnr_dirty %llu\nnr_writeback 0\n"
		      "pgpgin %llu\npgpgout %llu\npswpin 0\npswpout %llu\npgfault %llu\n"
		      "pgmajfault %llu\n",
		      (unsigned long long)m.free / 4, (unsigned long long)m.inactive / 8,
		      (unsigned long long)m.shared / 4, (unsigned long long)m.inactive / 8,
		      (unsigned long long)m.active / 4, (unsigned long long)m.dirty / 4,
		      (unsigned long long)m.dirty / 4, 1200000 + up / 9, up * 17,
		      (unsigned long long)(m.swap_total - m.swap_free) / 4, up * 96,
		      2800 + up / 4000);
	return 0;
}

int proc_hostname(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%s\n", host_names(live_host(access))->node);
	return 0;
}

int proc_os_release(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%s\n", host_names(live_host(access))->release);
	return 0;
}

int proc_os_version(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%s\n", host_names(live_host(access))->version);
	return 0;
}

int proc_boot_id(const struct file_access *access, struct writer *out)
{
	char id[37];

	host_boot_id(live_host(access), access->now, id);
	writer_format(out, "%s\n", id);
	return 0;
}

int proc_uuid(const struct file_access *access, struct writer *out)
{
	uint8_t b[16] = {0};

	if (access->process)
		process_random(access->process, b, sizeof(b));
	writer_format(out, "%02x%02x%02x%02x-%02x%02x-4%x%02x-%x%x%02x-%02x%02x%02x%02x%02x%02x\n",
		      b[0], b[1], b[2], b[3], b[4], b[5], b[6] & 15, b[7], 8 + (b[8] & 3),
		      b[8] >> 4, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return 0;
}

int proc_threads_max(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%llu\n",
		      (unsigned long long)host_memory(live_host(access), access->now).total / 128);
	return 0;
}

int proc_file_number(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%u\t0\t9223372036854775807\n",
		      900 + (unsigned)host_fact(live_host(access), "files", 0, 80) * 32);
	return 0;
}
