/* Hardware and the kernel's words: lspci, lsusb, dmidecode, dmesg, journalctl. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/hardware.h"

/* --- lspci --- */

static int run_lspci(struct process *p, int argc, char **argv)
{
	const struct host_pci *devices;
	size_t count = host_pci(process_host(p), &devices);
	struct option_state state = {0};
	bool numbers = false, both = false, drivers = false;
	unsigned verbose = 0;
	const char *slot = NULL;
	int option;

	while ((option = option_next(p, &state, argc, argv,
				     ":vnkxbDtmqQMGs:d:i:p:A:O:H:F:", NULL)) != -1) {
		if (option == 'v')
			verbose++;
		else if (option == 'n') {
			both = numbers;
			numbers = true;
		} else if (option == 'k')
			drivers = true;
		else if (option == 's')
			slot = state.argument;
		else if (option == '?') {
			process_error(p, "Try `lspci --help' for more information.\n");
			return 1;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct host_pci *d = &devices[i];
		char revision[16] = "";

		if (slot && strncmp(slot, d->slot, strlen(slot)) != 0)
			continue;
		if (d->revision)
			(void)snprintf(revision, sizeof(revision), " (rev %02x)", d->revision);
		if (p->busybox)
			process_print(p, "%s Class %04x: %04x:%04x\n", d->slot, d->class_id,
				      d->vendor, d->device);
		else if (both)
			process_print(p, "%s %s [%04x]: %s [%04x:%04x]%s\n", d->slot, d->class,
				      d->class_id, d->name, d->vendor, d->device, revision);
		else if (numbers)
			process_print(p, "%s %04x: %04x:%04x%s\n", d->slot, d->class_id, d->vendor,
				      d->device, revision);
		else
			process_print(p, "%s %s: %s%s\n", d->slot, d->class, d->name, revision);
		if (verbose)
			process_print(p, "\tFlags: fast devsel\n");
		if ((verbose || drivers) && *d->driver)
			process_print(p, "\tKernel driver in use: %s\n", d->driver);
		if (verbose)
			process_put_byte(p, '\n');
	}
	return 0;
}

static int run_lsusb(struct process *p, int argc, char **argv)
{
	const char *name = host_platform(process_host(p))->name;

	(void)argc;
	(void)argv;
	if (strcmp(name, "proxmox") == 0)
		process_put_text(
			p,
			"Bus 001 Device 002: ID 0627:0001 Adomax Technology Co., Ltd QEMU Tablet\n"
			"Bus 001 Device 001: ID 1d6b:0001 Linux Foundation 1.1 root hub\n");
	else if (strcmp(name, "libvirt") == 0)
		process_put_text(
			p,
			"Bus 002 Device 001: ID 1d6b:0003 Linux Foundation 3.0 root hub\n"
			"Bus 001 Device 002: ID 0627:0001 Adomax Technology Co., Ltd QEMU Tablet\n"
			"Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub\n");
	else
		return 1;
	return 0;
}

/* --- dmidecode --- */

static int run_dmidecode(struct process *p, int argc, char **argv)
{
	const struct host_platform *f = host_platform(process_host(p));
	const struct {
		const char *keyword, *value;
	} words[] = {{"bios-vendor", f->bios_vendor},
		     {"bios-version", f->bios_version},
		     {"bios-release-date", f->bios_date},
		     {"system-manufacturer", f->vendor},
		     {"system-product-name", f->product},
		     {"system-version", f->product_version},
		     {"system-serial-number", f->serial},
		     {"system-uuid", f->uuid},
		     {"baseboard-manufacturer", f->board_vendor},
		     {"baseboard-product-name", f->board},
		     {"chassis-manufacturer", f->vendor},
		     {"chassis-type", "Other"}};

	if (p->identity.effective_uid != 0) {
		process_put_text(p, "# dmidecode 3.4\nScanning /dev/mem for entry point.\n");
		process_error(p, "/dev/mem: Permission denied\n");
		return 1;
	}
	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		for (size_t i = 0; i < ARRAY_COUNT(words); i++)
			if (strcmp(words[i].keyword, argv[2]) == 0) {
				process_print(p, "%s\n", words[i].value);
				return 0;
			}
		process_error(p, "Invalid string keyword: %s\n", argv[2]);
		return 2;
	}
	process_print(
		p,
		"# dmidecode 3.4\nGetting SMBIOS data from sysfs.\nSMBIOS 2.8 present.\n\n"
		"Handle 0x0000, DMI type 0, 24 bytes\nBIOS Information\n\tVendor: %s\n\tVersion: "
		"%s\n"
		"\tRelease Date: %s\n\tAddress: 0xE8000\n\tRuntime Size: 96 kB\n\tROM Size: 64 "
		"kB\n\n"
		"Handle 0x0100, DMI type 1, 27 bytes\nSystem Information\n\tManufacturer: "
		"%s\n\tProduct "
		"Name: %s\n\tVersion: %s\n\tSerial Number: %s\n\tUUID: %s\n\tWake-up Type: Power "
		"Switch\n\tSKU Number: Not Specified\n\tFamily: Not Specified\n\n",
		f->bios_vendor, f->bios_version, f->bios_date, f->vendor, f->product,
		f->product_version, f->serial, f->uuid);
	process_print(p,
		      "Handle 0x0400, DMI type 4, 42 bytes\nProcessor Information\n\tSocket "
		      "Designation: CPU 0\n"
		      "\tType: Central Processor\n\tFamily: Other\n\tManufacturer: %s\n\tVersion: "
		      "%s\n\tCore "
		      "Count: %u\n\nHandle 0x7F00, DMI type 127, 4 bytes\nEnd Of Table\n\n",
		      f->vendor, f->product_version, host_processor(process_host(p))->count);
	return 0;
}

/* --- dmesg --- */

struct dmesg {
	struct process *process;
	bool human, plain;
	int64_t boot;
	uint64_t at; /* microseconds since boot */
	unsigned order;
};

static void say(struct dmesg *d, unsigned gap, const char *format, ...) PRINTF(3, 4);

static void say(struct dmesg *d, unsigned gap, const char *format, ...)
{
	char line[512], label[40];
	va_list arguments;

	(void)snprintf(label, sizeof(label), "dmesg %u", d->order++);
	if (gap)
		d->at += (uint64_t)host_fact(process_host(d->process), label, gap / 2, gap);
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (d->human) {
		struct civil_time c = system_civil(d->boot + (int64_t)d->at);

		process_print(d->process, "[%s %s %2d %02d:%02d:%02d %d] %s\n",
			      system_days[c.weekday], system_months[c.month - 1], c.day, c.hour,
			      c.minute, c.second, c.year, line);
	} else if (d->plain) {
		process_print(d->process, "%s\n", line);
	} else {
		process_print(d->process, "[%5llu.%06llu] %s\n",
			      (unsigned long long)d->at / 1000000,
			      (unsigned long long)d->at % 1000000, line);
	}
}

static void say_early(struct dmesg *d)
{
	const struct host *host = process_host(d->process);
	const struct host_processor *c = host_processor(host);
	const struct host_platform *f = host_platform(host);
	struct host_memory m = host_memory(host, process_now(d->process));
	unsigned long long pages = m.total + 66000;

	say(d, 0,
	    "Linux version %s (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) "
	    "12.2.0, GNU ld (GNU Binutils for Debian) 2.40) %s",
	    host_names(host)->release, host_names(host)->version);
	say(d, 0, "Command line: BOOT_IMAGE=/boot/vmlinuz-%s root=UUID=%s ro quiet",
	    host_names(host)->release, host_disk(host)->root_uuid);
	say(d, 0, "BIOS-provided physical RAM map:");
	say(d, 0, "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable");
	say(d, 0, "BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved");
	say(d, 0, "BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved");
	say(d, 0, "BIOS-e820: [mem 0x0000000000100000-0x00000000bffdbfff] usable");
	say(d, 0, "NX (Execute Disable) protection: active");
	say(d, 0, "SMBIOS 2.8 present.");
	say(d, 0, "DMI: %s %s, BIOS %s %s", f->vendor, f->product, f->bios_version, f->bios_date);
	say(d, 0, "Hypervisor detected: %s",
	    strcmp(f->name, "hyperv") == 0 ? "Microsoft Hyper-V" : f->hypervisor);
	if (strcmp(f->hypervisor, "KVM") == 0)
		say(d, 6, "kvm-clock: Using msrs 4b564d01 and 4b564d00");
	say(d, 9, "tsc: Detected %u.%03u MHz processor", c->megahertz,
	    (unsigned)host_fact(host, "megahertz", 100, 998));
	say(d, 1200, "last_pfn = 0x%llx max_arch_pfn = 0x400000000", pages / 4);
	say(d, 700, "Kernel command line: BOOT_IMAGE=/boot/vmlinuz-%s root=UUID=%s ro quiet",
	    host_names(host)->release, host_disk(host)->root_uuid);
	say(d, 21000,
	    "Memory: %lluK/%lluK available (14342K kernel code, 2332K rwdata, 9056K rodata, 2796K "
	    "init, 17404K bss, %lluK reserved, 0K cma-reserved)",
	    (unsigned long long)m.total - 90000, pages, pages - m.total);
	say(d, 200, "SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=%u, Nodes=1", c->count);
	say(d, 9000, "smpboot: CPU0: %s (family: 0x%x, model: 0x%x, stepping: 0x%x)", c->model_name,
	    c->family, c->model, c->stepping);
	say(d, 21000, "smp: Brought up 1 node, %u CPU%s", c->count, c->count > 1 ? "s" : "");
	say(d, 600, "smpboot: Total of %u processors activated (%.2f BogoMIPS)", c->count,
	    2.0 * c->megahertz * c->count);
	say(d, 2000, "devtmpfs: initialized");
	say(d, 800,
	    "clocksource: jiffies: mask: 0xffffffff max_cycles: 0xffffffff, max_idle_ns: "
	    "7645041785100000 ns");
	say(d, 900, "NET: Registered PF_NETLINK/PF_ROUTE protocol family");
	say(d, 22000, "ACPI: bus type PCI registered");
}

static void say_late(struct dmesg *d)
{
	const struct host *host = process_host(d->process);
	const struct host_disk *disk = host_disk(host);
	const struct host_interface *interfaces;
	const struct host_pci *pci;
	size_t count = host_pci(host, &pci);

	(void)host_interfaces(host, &interfaces);
	for (size_t i = 0; i < count; i++)
		say(d, 2400, "pci 0000:%s: [%04x:%04x] type 00 class 0x%04x00", pci[i].slot,
		    pci[i].vendor, pci[i].device, pci[i].class_id);
	say(d, 90000, "SCSI subsystem initialized");
	say(d, 11000, "NET: Registered PF_INET protocol family");
	say(d, 300000, "Freeing initrd memory: %uK",
	    30000 + (unsigned)host_fact(host, "initrd", 0, 9000));
	say(d, 200000, "Run /init as init process");
	say(d, 200000, "%s: [%s] %llu 512-byte logical blocks: (%llu GB/%llu GiB)",
	    disk->name[0] == 'v' ? "virtio_blk virtio2" : "sd 2:0:0:0", disk->name,
	    (unsigned long long)disk->kilobytes * 2,
	    (unsigned long long)disk->kilobytes * 1024 / 1000000000,
	    (unsigned long long)disk->kilobytes / 1048576);
	say(d, 9000, disk->swap_sectors ? " %s: %s1 %s2 < %s5 >" : " %s: %s1", disk->name,
	    disk->name, disk->name, disk->name);
	say(d, 700000,
	    "EXT4-fs (%s1): mounted filesystem with ordered data mode. Quota mode: none.",
	    disk->name);
	say(d, 300000, "systemd[1]: Inserted module 'autofs4'");
	say(d, 40000,
	    "systemd[1]: systemd 252.36-1~deb12u1 running in system mode (+PAM +AUDIT +SELINUX "
	    "+APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS "
	    "+FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT "
	    "+QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT "
	    "default-hierarchy=unified)");
	say(d, 9000, "systemd[1]: Detected virtualization %s.",
	    strcmp(host_platform(host)->name, "vmware") == 0   ? "vmware"
	    : strcmp(host_platform(host)->name, "hyperv") == 0 ? "microsoft"
							       : "kvm");
	say(d, 200, "systemd[1]: Detected architecture x86-64.");
	say(d, 3000, "systemd[1]: Hostname set to <%s>.", host_names(host)->node);
	say(d, 700000, "EXT4-fs (%s1): re-mounted. Quota mode: none.", disk->name);
	if (disk->swap_sectors)
		say(d, 300000,
		    "Adding %lluk swap on /dev/%s5.  Priority:-2 extents:1 across:%lluk FS",
		    (unsigned long long)host_memory(host, process_now(d->process)).swap_total,
		    disk->name,
		    (unsigned long long)host_memory(host, process_now(d->process)).swap_total);
	say(d, 300000,
	    "audit: type=1400 audit(%lld.%03u:2): apparmor=\"STATUS\" operation=\"profile_load\" "
	    "profile=\"unconfined\" name=\"lsb_release\" pid=%u comm=\"apparmor_parser\"",
	    (long long)((d->boot + (int64_t)d->at) / SECOND), (unsigned)(d->at % 1000), 390u);
	say(d, 900000, "IPv6: ADDRCONF(NETDEV_CHANGE): %s: link becomes ready", interfaces[1].name);
}

static int run_dmesg(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"clear", 'C'},   {"read-clear", 'c'},
						   {"ctime", 'T'},   {"human", 'H'},
						   {"notime", 't'},  {"kernel", 'k'},
						   {"follow", 'w'},  {"level", 'l', OPTION_NEEDS},
						   {"decode", 'x'},  {"color", 'L', OPTION_MAY},
						   {"nopager", 'P'}, {"help", 'h'},
						   {"version", 'V'}, {NULL}};
	struct option_state state = {0};
	struct dmesg d = {.process = p};
	bool follow = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "CcDdEeF:f:HhJkL::l:n:PprSs:TtuVWwx",
				     words)) != -1) {
		switch (option) {
		case 'T':
		case 'H':
			d.human = true;
			break;
		case 't':
			d.plain = true;
			break;
		case 'w':
		case 'W':
			follow = true;
			break;
		case 'C':
		case 'n':
		case 'D':
		case 'E':
			if (p->identity.effective_uid == 0)
				return 0;
			process_complain(p, "clear kernel buffer failed: Operation not permitted");
			return 1;
		case 'V':
			system_version(p, UTIL_LINUX);
		case 'l':
			return 0;
		case '?':
			return 1;
		default:
			break;
		}
	}
	if (p->identity.effective_uid != 0 && host_kind(process_host(p)) == HOST_DEBIAN) {
		process_complain(p, "read kernel buffer failed: Operation not permitted");
		return 1;
	}
	d.boot = host_boot_time(process_host(p), process_now(p));
	say_early(&d);
	say_late(&d);
	process_flush(p);
	while (follow)
		process_sleep(p, HOUR);
	return 0;
}

/* --- journalctl --- */

struct journal {
	struct slice *lines;
	size_t count, capacity;
};

static void take_lines(struct process *p, struct journal *j, const char *path, const char *unit)
{
	struct text text = {0};
	struct slice rest, line;

	if (process_read_file(p, path, 512 * 1024, &text) < 0)
		return;
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		process_step(p);
		if (line.length < 40 || line.at[4] != '-')
			continue;
		if (unit && slice_find(line, slice_text(unit)) == SIZE_MAX)
			continue;
		if (j->count == j->capacity) {
			j->capacity = j->capacity ? j->capacity * 2 : 256;
			j->lines = process_retake(p, j->lines, j->capacity * sizeof(*j->lines));
		}
		j->lines[j->count++] = line;
	}
}

/* ISO times become the journal's short ones. */
static void journal_line(struct process *p, struct slice line)
{
	int year, month, day;
	size_t space = slice_find_byte(line, ' ');
	char start[32];

	(void)snprintf(start, sizeof(start), "%.*s", 19, (const char *)line.at);
	if (space == SIZE_MAX || sscanf(start, "%4d-%2d-%2d", &year, &month, &day) != 3 ||
	    month < 1 || month > 12)
		return;
	process_print(p, "%s %02d %.8s", system_months[month - 1], day, start + 11);
	process_put(p, slice_from(line, space));
	process_put_byte(p, '\n');
}

static int run_journalctl(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"unit", 'u', OPTION_NEEDS},
						   {"lines", 'n', OPTION_MAY},
						   {"follow", 'f'},
						   {"no-pager", 'P'},
						   {"boot", 'b', OPTION_MAY},
						   {"dmesg", 'k'},
						   {"since", 'S', OPTION_NEEDS},
						   {"until", 'U', OPTION_NEEDS},
						   {"reverse", 'r'},
						   {"identifier", 't', OPTION_NEEDS},
						   {"output", 'o', OPTION_NEEDS},
						   {"priority", 'p', OPTION_NEEDS},
						   {"disk-usage", 'D'},
						   {"vacuum-time", 'v', OPTION_NEEDS},
						   {"vacuum-size", 'v', OPTION_NEEDS},
						   {"rotate", 'R'},
						   {"flush", 'R'},
						   {"quiet", 'q'},
						   {"list-boots", 'L'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct journal j = {0};
	const char *unit = NULL;
	int64_t most = -1;
	bool follow = false, reverse = false;
	size_t a = 0, first;
	int option;

	while ((option = option_next(p, &state, argc, argv,
				     "u:n::fb::kS:U:rt:o:p:xeaqmg:", words)) != -1) {
		switch (option) {
		case 'u':
		case 't': {
			char *dot;

			unit = process_copy_text(p, state.argument);
			dot = strstr(unit, ".service");
			if (dot)
				*dot = 0;
			if (strcmp(unit, "ssh") == 0)
				unit = "sshd[";
			else if (strcmp(unit, "cron") == 0)
				unit = "CRON[";
			break;
		}
		case 'n':
			most = 10;
			if (state.argument &&
			    slice_number(slice_text(state.argument), 0, INT32_MAX, &most))
				most = 10;
			else if (!state.argument && state.index < argc &&
				 slice_number(slice_text(argv[state.index]), 0, INT32_MAX, &most))
				most = 10;
			break;
		case 'f':
			follow = true;
			if (most < 0)
				most = 10;
			break;
		case 'r':
			reverse = true;
			break;
		case 'k':
			return run_dmesg(p, 1, argv);
		case 'D':
			process_put_text(
				p,
				"Archived and active journals take up 48.0M in the file system.\n");
			return 0;
		case 'v':
		case 'R':
			process_print(
				p,
				option == 'v'
					? "Vacuuming done, freed 0B of archived journals from "
					  "/var/log/journal/%s.\n"
					: "%.0s",
				host_machine_id(process_host(p)));
			return 0;
		case '?':
			return 1;
		default:
			break;
		}
	}
	take_lines(p, &j, "/var/log/syslog", unit);
	first = j.count;
	take_lines(p, &j, "/var/log/auth.log", unit);
	if (!j.count) {
		process_put_text(p, "-- No entries --\n");
		return 0;
	}
	{
		/* Two files, each in order. */
		struct slice *merged = process_take(p, j.count * sizeof(*merged));
		size_t b = first, count = 0, from;

		while (a < first || b < j.count) {
			bool left = b >= j.count ||
				    (a < first && slice_compare(slice_first(j.lines[a], 32),
								slice_first(j.lines[b], 32)) <= 0);

			merged[count++] = left ? j.lines[a++] : j.lines[b++];
		}
		from = most >= 0 && (size_t)most < count ? count - (size_t)most : 0;
		for (size_t i = from; i < count; i++) {
			process_step(p);
			journal_line(p, merged[reverse ? count - 1 - (i - from) : i]);
		}
	}
	process_flush(p);
	while (follow)
		process_sleep(p, HOUR);
	return 0;
}

static const struct command commands[] = {
	{"lspci", run_lspci, COMMAND_BOTH, "/usr/bin"},
	{"lsusb", run_lsusb, COMMAND_BOTH, "/usr/bin"},
	{"dmidecode", run_dmidecode, COMMAND_DEBIAN, "/usr/sbin"},
	{"dmesg", run_dmesg, COMMAND_BOTH, "/usr/bin"},
	{"journalctl", run_journalctl, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_hardware = {"system_hardware", commands};
