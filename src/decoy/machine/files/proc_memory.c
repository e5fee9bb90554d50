/* /proc/iomem, /proc/ioports, /proc/kallsyms: where things lie. */
#include "base/clock.h"
#include "decoy/machine/files/proc.h"
#include "decoy/machine/hardware.h"

#define MEBIBYTE  ((uint64_t)1024 * 1024)
#define LOW_LIMIT ((uint64_t)0xc0000000) /* above it are devices, up to 4 GiB */

/* Root alone is told addresses. */
static bool is_root(const struct file_access *access)
{
	return !access->identity || access->identity->uid == 0;
}

/* What the firmware and the kernel keep of the memory is less than the machine was given. */
static uint64_t installed_memory(const struct host *host)
{
	uint64_t kilobytes = host_memory(host, 0).total;

	return (kilobytes * 1024 / (512 * MEBIBYTE) + 1) * (512 * MEBIBYTE);
}

int proc_iomem(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	uint64_t memory = installed_memory(host), low = memory > LOW_LIMIT ? LOW_LIMIT : memory,
		 kernel = (uint64_t)host_fact(host, "kernel at", 2, 200) * 16 * MEBIBYTE / 4;
	struct {
		uint64_t first, last;
		const char *name;
	} ranges[] = {
		{0x0, 0xfff, "Reserved"},
		{0x1000, 0x9fbff, "System RAM"},
		{0x9fc00, 0x9ffff, "Reserved"},
		{0xa0000, 0xbffff, "PCI Bus 0000:00"},
		{0xc0000, 0xc99ff, "Video ROM"},
		{0xf0000, 0xfffff, "Reserved"},
		{0xf0000, 0xfffff, "  System ROM"},
		{0x100000, low - 0x20001, "System RAM"},
		{kernel, kernel + 0xe01fff, "  Kernel code"},
		{kernel + 0x1000000, kernel + 0x1a4cfff, "  Kernel rodata"},
		{kernel + 0x1c00000, kernel + 0x1f26fff, "  Kernel data"},
		{kernel + 0x2467000, kernel + 0x27fffff, "  Kernel bss"},
		{low - 0x20000, low - 1, "Reserved"},
		{LOW_LIMIT, 0xfebfffff, "PCI Bus 0000:00"},
		{0xfec00000, 0xfec003ff, "IOAPIC 0"},
		{0xfee00000, 0xfee00fff, "Local APIC"},
		{0xfffc0000, 0xffffffff, "Reserved"},
		{0x100000000, 0xffffffff + memory - low, "System RAM"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(ranges); i++) {
		const char *name = ranges[i].name;
		bool inside = *name == ' ', shown = is_root(access);

		if (ranges[i].last <= ranges[i].first)
			continue; /* no memory above 4 GiB */
		writer_format(out, "%s%08llx-%08llx : %s\n", inside ? "  " : "",
			      shown ? (unsigned long long)ranges[i].first : 0,
			      shown ? (unsigned long long)ranges[i].last : 0,
			      inside ? name + 2 : name);
	}
	return 0;
}

int proc_ioports(const struct file_access *access, struct writer *out)
{
	static const struct {
		unsigned first, last;
		const char *name;
	} ports[] = {
		{0x0000, 0x0cf7, "PCI Bus 0000:00"}, {0x0000, 0x001f, "  dma1"},
		{0x0020, 0x0021, "  pic1"},          {0x0040, 0x0043, "  timer0"},
		{0x0050, 0x0053, "  timer1"},        {0x0060, 0x0060, "  keyboard"},
		{0x0064, 0x0064, "  keyboard"},      {0x0070, 0x0077, "  rtc0"},
		{0x0080, 0x008f, "  dma page reg"},  {0x00a0, 0x00a1, "  pic2"},
		{0x00c0, 0x00df, "  dma2"},          {0x00f0, 0x00ff, "  fpu"},
		{0x03c0, 0x03df, "  vga+"},          {0x03f8, 0x03ff, "  serial"},
		{0x0cf8, 0x0cff, "PCI conf1"},       {0x0d00, 0xffff, "PCI Bus 0000:00"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(ports); i++) {
		const char *name = ports[i].name;
		bool inside = *name == ' ', shown = is_root(access);

		writer_format(out, "%s%04x-%04x : %s\n", inside ? "  " : "",
			      shown ? ports[i].first : 0, shown ? ports[i].last : 0,
			      inside ? name + 2 : name);
	}
	return 0;
}

/* The symbols that are looked for, in the order of their addresses. */
int proc_kallsyms(const struct file_access *access, struct writer *out)
{
	static const struct {
		const char *name;
		unsigned offset;
		char type;
	} symbols[] = {
		{"startup_64", 0x0, 'T'},
		{"_stext", 0x0, 'T'},
		{"_text", 0x0, 'T'},
		{"secondary_startup_64", 0x40, 'T'},
		{"secondary_startup_64_no_verify", 0x45, 'T'},
		{"do_one_initcall", 0x1e30, 't'},
		{"native_write_cr4", 0x3c8b0, 'T'},
		{"native_write_cr0", 0x3c870, 'T'},
		{"sys_call_table_size", 0x52a40, 't'},
		{"kernel_clone", 0x96480, 'T'},
		{"__x64_sys_clone", 0x969a0, 'T'},
		{"do_exit", 0x9e0b0, 'T'},
		{"kernel_sigaction", 0xa9990, 'T'},
		{"call_usermodehelper", 0xb32e0, 'T'},
		{"commit_creds", 0xc17c0, 'T'},
		{"prepare_kernel_cred", 0xc1a40, 'T'},
		{"override_creds", 0xc2150, 'T'},
		{"schedule_timeout", 0xd0290, 'T'},
		{"_printk", 0x105d00, 'T'},
		{"kallsyms_lookup_name", 0x14ffe0, 'T'},
		{"module_alloc", 0x6b1e0, 'T'},
		{"bpf_prog_load", 0x1fd190, 't'},
		{"kmalloc_trace", 0x2b13c0, 'T'},
		{"__kmalloc", 0x2b1b10, 'T'},
		{"kfree", 0x2b2060, 'T'},
		{"vfs_read", 0x33fd70, 'T'},
		{"vfs_write", 0x3403c0, 'T'},
		{"do_sys_openat2", 0x33ca20, 't'},
		{"__x64_sys_execve", 0x349ca0, 'T'},
		{"security_task_kill", 0x442150, 'T'},
		{"selinux_enforcing_boot", 0x45a120, 't'},
		{"copy_from_user", 0x52d6c0, 't'},
		{"tcp_v4_rcv", 0x847a10, 'T'},
		{"tcp4_seq_show", 0x844b60, 't'},
		{"nf_hook_slow", 0x7d51d0, 'T'},
		{"__x64_sys_getdents64", 0x3546e0, 'T'},
		{"_etext", 0xe01a17, 'T'},
		{"__start_rodata", 0x1000000, 'R'},
		{"sys_call_table", 0x10002a0, 'D'},
		{"ia32_sys_call_table", 0x1001680, 'D'},
		{"linux_banner", 0x1001ba0, 'D'},
		{"init_task", 0x1c1aa00, 'D'},
		{"modprobe_path", 0x1c8b5a0, 'D'},
		{"core_pattern", 0x1d93ea0, 'D'},
		{"selinux_state", 0x2482f60, 'B'},
		{"_end", 0x282c000, 'B'},
	};
	const struct host *host = live_host(access);
	const struct host_module *modules;
	size_t count = host_modules(host, &modules);
	/* A place for each boot, in steps of 2 MiB. */
	uint64_t slide =
		(uint64_t)host_boot_time(host, access->now) / SECOND * 2654435761u % 496 + 8;
	uint64_t base = 0xffffffff80000000ull + slide * 2 * MEBIBYTE,
		 at = 0xffffffffc0000000ull +
		      (uint64_t)host_fact(host, "modules", 0x100, 0x800) * 0x1000;
	bool shown = is_root(access);

	for (size_t i = 0; i < ARRAY_COUNT(symbols); i++)
		writer_format(out, "%016llx %c %s\n",
			      shown ? (unsigned long long)(base + symbols[i].offset) : 0,
			      symbols[i].type, symbols[i].name);
	for (size_t i = 0; i < count; i++) {
		writer_format(out, "%016llx d __this_module\t[%s]\n",
			      shown ? (unsigned long long)(at + modules[i].size - 0x380) : 0,
			      modules[i].name);
		writer_format(out, "%016llx t cleanup_module\t[%s]\n",
			      shown ? (unsigned long long)(at + modules[i].size / 3) : 0,
			      modules[i].name);
		at += modules[i].size + 0x2000;
	}
	return 0;
}
