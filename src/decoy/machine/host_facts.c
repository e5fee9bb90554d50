/* Facts of the fake host that never change: names, hardware, network, disks, mounts; and those that
 * are a function of time: memory, load, traffic. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/host_state.h"

static const char *text_of(const struct host *host, const char *key, const char *fallback)
{
	return persona_text(host->persona, key, fallback);
}

static void make_names(struct host *host)
{
	bool router = host->kind == HOST_ROUTER;

	host->names = (struct host_names){
		.system = "Linux",
		.node = persona_host_name(host->persona),
		.release = text_of(host, "host.kernel", router ? "3.10.14" : "6.1.0-28-amd64"),
		.version = text_of(host, "host.kernel_build",
				   router ? "#1 SMP Tue Mar 12 09:14:22 UTC 2019"
					  : "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 "
					    "(2024-11-22)"),
		.machine = text_of(host, "host.architecture", router ? "mips" : "x86_64"),
		.domain = text_of(host, "host.domain", router ? "lan" : "localdomain"),
	};
}

static void make_processor(struct host *host)
{
	const struct persona *persona = host->persona;
	struct host_processor *processor = &host->processor;

	processor->vendor = text_of(host, "processor.vendor", "GenuineIntel");
	processor->model_name =
		text_of(host, "processor.name", "Intel(R) Xeon(R) Silver 4210 CPU @ 2.20GHz");
	processor->flags = text_of(host, "processor.flags",
				   "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov "
				   "pat pse36 clflush mmx fxsr sse sse2 ss syscall nx lm "
				   "constant_tsc rep_good nopl xtopology cpuid pni pclmulqdq ssse3 "
				   "cx16 sse4_1 sse4_2 x2apic popcnt aes hypervisor lahf_lm");
	processor->family = (unsigned)persona_number(persona, "processor.family", 6);
	processor->model = (unsigned)persona_number(persona, "processor.model", 85);
	processor->stepping = (unsigned)persona_number(persona, "processor.stepping", 7);
	processor->megahertz = (unsigned)persona_number(persona, "processor.megahertz", 2194);
	processor->cache_kilobytes = (unsigned)persona_number(persona, "processor.cache", 16384);
	processor->count = (unsigned)persona_number(persona, "machine.processors",
						    host->kind == HOST_ROUTER ? 1 : 2);
	if (processor->count < 1 || processor->count > 4)
		processor->count = 1;
	processor->architecture = host->names.machine;
}

static const char *make_uuid(struct host *host, const char *label)
{
	uint8_t b[16];

	persona_derive(host->persona, label, b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	return host_format(host,
			   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			   b[12], b[13], b[14], b[15]);
}

static void make_platform(struct host *host)
{
	struct host_platform *p = &host->platform;
	bool hyperv;

	p->name = text_of(host, "machine.platform", "libvirt");
	hyperv = strcmp(p->name, "hyperv") == 0;
	p->vendor = text_of(host, "machine.vendor", "QEMU");
	p->product = text_of(host, "machine.product", "Standard PC (Q35 + ICH9, 2009)");
	p->product_version = text_of(host, "machine.product_version", "pc-q35-7.2");
	p->bios_vendor = text_of(host, "machine.bios_vendor", "SeaBIOS");
	p->bios_version = text_of(host, "machine.bios_version", "1.16.2-debian-1.16.2-1");
	p->bios_date = text_of(host, "machine.bios_date", "04/01/2014");
	p->hypervisor = text_of(host, "machine.hypervisor", "KVM");
	p->virtualization = text_of(host, "machine.virtualization", "full");
	p->uuid = make_uuid(host, "machine/system uuid");
	p->serial = "Not Specified";
	p->board_vendor = p->board = p->board_version = "";
	if (strcmp(p->name, "vmware") == 0) {
		uint8_t b[16];

		persona_derive(host->persona, "machine/system uuid", b, sizeof(b));
		b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
		b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
		/* The first three groups stand in little-endian order. */
		p->serial = host_format(host,
					"VMware-%02x %02x %02x %02x %02x %02x %02x %02x-%02x %02x "
					"%02x %02x %02x %02x %02x %02x",
					b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9],
					b[10], b[11], b[12], b[13], b[14], b[15]);
		p->board_vendor = "Intel Corporation";
		p->board = "440BX Desktop Reference Platform";
		p->board_version = "None";
	} else if (hyperv) {
		p->serial = host_format(host, "%04d-%04d-%04d-%04d-%04d-%04d-%02d",
					(int)host_number(host, "serial 1", 0, 9999),
					(int)host_number(host, "serial 2", 0, 9999),
					(int)host_number(host, "serial 3", 0, 9999),
					(int)host_number(host, "serial 4", 0, 9999),
					(int)host_number(host, "serial 5", 0, 9999),
					(int)host_number(host, "serial 6", 0, 9999),
					(int)host_number(host, "serial 7", 0, 99));
		p->board_vendor = "Microsoft Corporation";
		p->board = "Virtual Machine";
		p->board_version = "7.0";
	}
}

/* MiB of machine.memory to what the kernel calls MemTotal. */
static void make_memory(struct host *host)
{
	uint64_t megabytes = (uint64_t)persona_number(host->persona, "machine.memory",
						      host->kind == HOST_ROUTER ? 128 : 4096);
	uint64_t total = megabytes * 1024;

	if (host->kind == HOST_ROUTER)
		total -= 4096 + (uint64_t)host_number(host, "reserved", 0, 800) * 4;
	else
		total -= total / 64 + 66000 + (uint64_t)host_number(host, "reserved", 0, 7000) * 4;
	host->memory.total = total & ~3ull;
	host->memory.swap_total = host->disk.swap_sectors ? host->disk.swap_sectors / 2 - 4 : 0;
}

static uint8_t hex_pair(const char *text)
{
	uint8_t byte = 0;

	if (slice_unhex(slice_of(text, 2), &byte, 1) != 1)
		return 0;
	return byte;
}

static void make_mac(const struct host *host, uint8_t mac[6])
{
	const char *prefix = text_of(host, "machine.mac", "52:54:00");
	uint8_t rest[3];

	persona_derive(host->persona, "machine/mac", rest, sizeof(rest));
	if (strlen(prefix) != 8)
		prefix = "52:54:00";
	for (int i = 0; i < 3; i++) {
		mac[i] = hex_pair(prefix + 3 * (size_t)i);
		mac[3 + i] = rest[i];
	}
	mac[0] &= 0xfe;
	if (mac[0] == 0x00 && mac[1] == 0x50 && mac[2] == 0x56)
		mac[3] |= 0x80; /* VMware gives 00:50:56:80 to bf automatically */
	if (mac[0] == 0x00 && mac[1] == 0x50 && mac[2] == 0x56)
		mac[3] &= 0xbf;
}

static struct address address_in(struct address base, uint8_t last)
{
	base.bytes[3] = last;
	return base;
}

static void make_network(struct host *host, const struct host_setup *setup)
{
	struct host_interface *lo = &host->interfaces[0], *eth = &host->interfaces[1];
	struct address own = address_v4(0xc0a80a15), link = {.family = 6};
	char text[64];
	struct writer w = writer_fixed(text, sizeof(text));
	unsigned long long scope;

	writer_format(&w, "%s.%lld", text_of(host, "machine.network", "192.168.10"),
		      (long long)persona_number(host->persona, "machine.host",
						host_number(host, "host", 11, 199)));
	if (address_parse(writer_slice(&w), &own) || own.family != 4)
		own = address_v4(0xc0a80a15);
	if (setup->address.family == 4)
		own = setup->address;
	*lo = (struct host_interface){.name = "lo",
				      .address = address_v4(0x7f000001),
				      .prefix = 8,
				      .prefix6 = 128,
				      .mtu = 65536,
				      .index = 1};
	lo->address6.family = 6;
	lo->address6.bytes[15] = 1;
	*eth = (struct host_interface){
		.name = text_of(host, "machine.interface",
				host->kind == HOST_ROUTER ? "br0" : "ens18"),
		.address = own,
		.prefix = 24,
		.prefix6 = 64,
		.mtu = 1500,
		.index = 2,
		.broadcast = address_in(own, 255),
	};
	make_mac(host, eth->mac);
	scope = 0xfe80;
	link.bytes[0] = (uint8_t)(scope >> 8);
	link.bytes[1] = (uint8_t)scope;
	link.bytes[8] = eth->mac[0] ^ 2;
	link.bytes[9] = eth->mac[1];
	link.bytes[10] = eth->mac[2];
	link.bytes[11] = 0xff;
	link.bytes[12] = 0xfe;
	link.bytes[13] = eth->mac[3];
	link.bytes[14] = eth->mac[4];
	link.bytes[15] = eth->mac[5];
	eth->address6 = link;
	host->interface_count = 2;
	host->gateway = address_in(own, host_number(host, "gateway", 0, 2) ? 1 : 254);
	if (address_equal(&host->gateway, &own))
		host->gateway = address_in(own, own.bytes[3] == 1 ? 254 : 1);
	host->name_server = host_number(host, "resolver", 0, 1)
				    ? host->gateway
				    : address_in(own, (uint8_t)host_number(host, "dns", 2, 9));
}

static void make_disk(struct host *host)
{
	struct host_disk *disk = &host->disk;
	uint64_t sectors =
		(uint64_t)persona_number(host->persona, "machine.disk_gigabytes", 40) * 2097152;
	uint64_t swap =
		(uint64_t)persona_number(host->persona, "machine.swap_megabytes", 975) * 2048;

	disk->name = text_of(host, "machine.disk", "sda");
	disk->vendor = text_of(host, "machine.disk_vendor", "QEMU");
	disk->model = text_of(host, "machine.disk_model", "QEMU HARDDISK");
	disk->serial = strcmp(disk->vendor, "QEMU") == 0 ? "drive-scsi0" : "";
	disk->kilobytes = sectors / 2;
	disk->root_start = 2048;
	if (swap) {
		/* What the installer leaves: an extended partition at the end with the swap. */
		disk->root_sectors = (sectors - swap - 2048 - 2048) / 2048 * 2048;
		disk->swap_start = disk->root_start + disk->root_sectors + 2048;
		disk->swap_sectors = (sectors - disk->swap_start) / 2048 * 2048;
	} else {
		disk->root_sectors = (sectors - 2048) / 2048 * 2048;
	}
	disk->root_uuid = make_uuid(host, "machine/root uuid");
	disk->swap_uuid = make_uuid(host, "machine/swap uuid");
	disk->part_id = host_format(
		host, "%08x", (unsigned)host_number(host, "disk label", 0x10000000, 0xfffffff0));
}

static void add_mount(struct host *host, const char *source, const char *point, const char *type,
		      const char *options, uint64_t kilobytes, uint64_t used)
{
	if (host->mount_count < HOST_MOUNTS_MAX)
		host->mounts[host->mount_count++] =
			(struct host_mount){source, point, type, options, kilobytes, used};
}

static void make_router_mounts(struct host *host)
{
	uint64_t half = host->memory.total / 2;

	add_mount(host, "/dev/root", "/", "squashfs", "ro,relatime", 6144, 6144);
	add_mount(host, "proc", "/proc", "proc", "rw,nosuid,nodev,noexec,noatime", 0, 0);
	add_mount(host, "sysfs", "/sys", "sysfs", "rw,nosuid,nodev,noexec,noatime", 0, 0);
	add_mount(host, "tmpfs", "/tmp", "tmpfs", "rw,nosuid,nodev,noatime", half, 264);
	add_mount(host, "tmpfs", "/dev", "tmpfs", "rw,nosuid,relatime,size=512k,mode=755", 512, 0);
	add_mount(host, "devpts", "/dev/pts", "devpts",
		  "rw,nosuid,noexec,relatime,mode=600,ptmxmode=000", 0, 0);
	add_mount(host, "debugfs", "/sys/kernel/debug", "debugfs", "rw,noatime", 0, 0);
}

static void make_mounts(struct host *host)
{
	const struct host_disk *disk = &host->disk;
	uint64_t total = host->memory.total, run = total / 10 / 4 * 4;
	uint64_t root = disk->root_sectors / 2;
	unsigned long long dev = (total - total / 80) / 2 / 4 * 4;
	int first = disk->swap_sectors ? 1 : 1;

	/* ext4 keeps about 1.6 % for its tables. */
	root = (root - root / 61 - 12000) / 4 * 4;
	add_mount(host, "sysfs", "/sys", "sysfs", "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "udev", "/dev", "devtmpfs",
		  host_format(host, "rw,nosuid,relatime,size=%lluk,nr_inodes=%llu,mode=755,inode64",
			      dev, dev / 4),
		  dev, 0);
	add_mount(host, "devpts", "/dev/pts", "devpts",
		  "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000", 0, 0);
	add_mount(host, "tmpfs", "/run", "tmpfs",
		  host_format(host, "rw,nosuid,nodev,noexec,relatime,size=%lluk,mode=755,inode64",
			      (unsigned long long)run),
		  run, 540 + (uint64_t)host_number(host, "run used", 0, 60) * 4);
	add_mount(host, host_format(host, "/dev/%s%d", disk->name, first), "/", "ext4",
		  "rw,relatime,errors=remount-ro", root,
		  1750000 + (uint64_t)host_number(host, "root used", 0, (int64_t)root / 9) * 4 / 2);
	add_mount(host, "securityfs", "/sys/kernel/security", "securityfs",
		  "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "tmpfs", "/dev/shm", "tmpfs", "rw,nosuid,nodev,inode64", total / 2 / 4 * 4,
		  0);
	add_mount(host, "tmpfs", "/run/lock", "tmpfs",
		  "rw,nosuid,nodev,noexec,relatime,size=5120k,inode64", 5120, 0);
	add_mount(host, "cgroup2", "/sys/fs/cgroup", "cgroup2",
		  "rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot", 0, 0);
	add_mount(host, "pstore", "/sys/fs/pstore", "pstore", "rw,nosuid,nodev,noexec,relatime", 0,
		  0);
	add_mount(host, "bpf", "/sys/fs/bpf", "bpf", "rw,nosuid,nodev,noexec,relatime,mode=700", 0,
		  0);
	add_mount(host, "systemd-1", "/proc/sys/fs/binfmt_misc", "autofs",
		  host_format(host,
			      "rw,relatime,fd=30,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,"
			      "pipe_ino=%lld",
			      (long long)host_number(host, "pipe inode", 11000, 16900)),
		  0, 0);
	add_mount(host, "hugetlbfs", "/dev/hugepages", "hugetlbfs", "rw,relatime,pagesize=2M", 0,
		  0);
	add_mount(host, "mqueue", "/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "debugfs", "/sys/kernel/debug", "debugfs",
		  "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "tracefs", "/sys/kernel/tracing", "tracefs",
		  "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "fusectl", "/sys/fs/fuse/connections", "fusectl",
		  "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "configfs", "/sys/kernel/config", "configfs",
		  "rw,nosuid,nodev,noexec,relatime", 0, 0);
	add_mount(host, "tmpfs", "/run/user/0", "tmpfs",
		  host_format(host,
			      "rw,nosuid,nodev,relatime,size=%lluk,nr_inodes=%llu,mode=700,inode64",
			      (unsigned long long)run - 4, (unsigned long long)(run - 4) / 4),
		  run - 4, 0);
}

static void make_machine_id(struct host *host)
{
	uint8_t id[16];

	persona_derive(host->persona, "machine/machine-id", id, sizeof(id));
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(id); i++)
		(void)snprintf(host->machine_id + 2 * i, 3, "%02x", id[i]);
}

void host_make_facts(struct host *host, const struct host_setup *setup)
{
	host->kind = strcmp(text_of(host, "host.kind", "debian"), "router") == 0 ? HOST_ROUTER
										 : HOST_DEBIAN;
	make_names(host);
	make_machine_id(host);
	make_processor(host);
	make_platform(host);
	make_disk(host);
	if (host->kind == HOST_ROUTER)
		host->disk.swap_sectors = 0;
	make_memory(host);
	make_network(host, setup);
	if (host->kind == HOST_ROUTER)
		make_router_mounts(host);
	else
		make_mounts(host);
}

const char *host_machine_id(const struct host *host)
{
	return persona_text(host->persona, "host.machine_id", host->machine_id);
}

void host_boot_id(const struct host *host, int64_t now, char text[37])
{
	uint64_t a = host_boot_number(host, "id a", host_boot_time(host, now), 0, INT64_MAX);
	uint64_t b = host_boot_number(host, "id b", host_boot_time(host, now), 0, INT64_MAX);

	(void)snprintf(text, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 31),
		       (unsigned)(a >> 15) & 0xffff, (unsigned)a & 0xfff,
		       0x8000u | ((unsigned)(b >> 48) & 0x3fff),
		       (unsigned long long)(b & 0xffffffffffffull));
}

unsigned host_last_pid(const struct host *host, int64_t now)
{
	int64_t boot = host_boot_time(host, now), seconds = (now - boot) / SECOND;
	/* Thousandths of a process each second: cron, monitoring, log-ins. */
	int64_t rate = host_number(host, "forks", 8, 60);

	return (unsigned)((1100 + seconds * rate / 1000) % 4194304);
}

/* --- functions of time --- */

struct host_memory host_memory(const struct host *host, int64_t now)
{
	struct host_memory m = host->memory;
	double total = (double)m.total;
	double base = (double)host_number(host, "memory used", 18, 42) / 100;
	double hours = (double)(now - host_boot_time(host, now)) / (double)HOUR;
	double warm = 1 - exp(-hours / 30);
	double used = total * (base + 0.02 * host_wander(host, "memory day", now, 6 * HOUR)) +
		      900 * host_wander(host, "memory now", now, 7 * SECOND);
	double cached = (total - used) * (0.25 + 0.45 * warm +
					  0.05 * host_wander(host, "cache", now, 3 * HOUR)) +
			120 * host_wander(host, "cache now", now, 11 * SECOND);

	if (host->kind == HOST_ROUTER)
		used = total * (0.4 + 0.03 * host_wander(host, "memory day", now, HOUR)),
		cached = total * 0.18;
	m.buffers = (uint64_t)(cached * 0.07) & ~3ull;
	m.slab = (uint64_t)(cached * 0.12 + (host->kind == HOST_ROUTER ? total * 0.06 : 38000)) &
		 ~3ull;
	m.cached = (uint64_t)(cached * 0.84) & ~3ull;
	m.shared = (uint64_t)host_number(host, "shared", 600, 9000) & ~3ull;
	m.free = (uint64_t)(total - used - (double)m.buffers - (double)m.cached -
			    (double)m.slab * 0.5) &
		 ~3ull;
	m.available = (uint64_t)((double)m.free + (double)m.cached * 0.96 + (double)m.buffers -
				 (double)m.shared) &
		      ~3ull;
	m.swap_free = m.swap_total;
	if (m.swap_total && hours > 200)
		m.swap_free =
			(m.swap_total -
			 m.swap_total / 100 * (uint64_t)host_number(host, "swap used", 0, 7)) &
			~3ull;
	m.dirty = (uint64_t)(20 + 400 * host_wander(host, "dirty", now, 9 * SECOND)) & ~3ull;
	m.active = (uint64_t)((double)m.cached * 0.38 + used * 0.12) & ~3ull;
	m.inactive = (uint64_t)((double)m.cached * 0.6 + used * 0.62) & ~3ull;
	return m;
}

double host_load(const struct host *host, int64_t now, unsigned minutes)
{
	double mean = (double)host_number(host, "load", 2, 22) / 100;
	double slow = host_wander(host, "load slow", now, 20 * MINUTE);
	double quick = host_wander(host, "load quick", now, 50 * SECOND);
	double middle = host_wander(host, "load middle", now, 4 * MINUTE);

	mean *= (double)host->processor.count * 0.7;
	if (minutes <= 1)
		return mean * (0.2 + 0.6 * slow + 1.6 * quick * quick * middle);
	if (minutes <= 5)
		return mean * (0.35 + 0.6 * slow + 0.8 * middle * middle);
	return mean * (0.5 + 0.7 * slow);
}

struct host_traffic host_traffic(const struct host *host, size_t interface, int64_t now)
{
	double seconds = (double)(now - host_boot_time(host, now)) / (double)SECOND;
	double in, out;
	struct host_traffic t;

	if (seconds < 0)
		seconds = 0;
	if (interface == 0) {
		in = seconds * (double)host_number(host, "traffic lo", 40, 3000) / 10;
		t.received_bytes = t.sent_bytes = (uint64_t)in;
		t.received_packets = t.sent_packets = (uint64_t)(in / 112);
		return t;
	}
	in = seconds * (double)host_number(host, "traffic in", 900, 22000);
	out = seconds * (double)host_number(host, "traffic out", 500, 30000);
	t.received_bytes = (uint64_t)in;
	t.sent_bytes = (uint64_t)out;
	t.received_packets = (uint64_t)(in / (double)host_number(host, "packet in", 240, 780));
	t.sent_packets = (uint64_t)(out / (double)host_number(host, "packet out", 380, 1100));
	return t;
}

size_t host_neighbours(const struct host *host, int64_t now,
		       struct host_neighbour neighbours[HOST_NEIGHBOURS_MAX])
{
	/* Makers of routers, of thin clients, of network stores. */
	static const uint8_t makers[][3] = {
		{0x00, 0x09, 0x0f}, {0x78, 0x8a, 0x20}, {0x00, 0x1b, 0x21}, {0x00, 0x11, 0x32},
		{0x24, 0x5e, 0xbe}, {0x3c, 0xec, 0xef}, {0xd8, 0x9e, 0xf3}, {0x48, 0x4d, 0x7e}};
	const struct address *own = &host->interfaces[1].address;
	size_t count = 0;

	for (size_t i = 0; i < HOST_NEIGHBOURS_MAX; i++) {
		struct host_neighbour *n = &neighbours[count];
		char label[40];

		(void)snprintf(label, sizeof(label), "neighbour %zu", i);
		*n = (struct host_neighbour){.address = host->gateway};
		if (i == 1)
			n->address =
				address_in(*own, (uint8_t)host_number(host, "neighbour", 10, 99));
		else if (i == 2 && !address_equal(&host->name_server, &host->gateway))
			n->address = host->name_server;
		else if (i >= 2 && i - 2 < host->person_count)
			n->address = host->people[i - 2].workstation;
		if (address_equal(&n->address, own))
			continue;
		/* Those that were not talked to lately are forgotten. */
		if (i >= 2 && host_wander(host, label, now, 20 * MINUTE) < 0.6)
			continue;
		memcpy(n->mac, makers[host_number(host, label, 0, 7)], 3);
		persona_derive(host->persona, label, n->mac + 3, 3);
		n->stale = i && host_wander(host, label, now, 3 * MINUTE) < 0.5;
		count++;
	}
	return count;
}
