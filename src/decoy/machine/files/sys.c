/* /sys: the parts that somebody looks at. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/files/live_table.h"
#include "decoy/machine/hardware.h"

#define FILE_ROW(path, read)                     \
	{                                        \
		path, S_IFREG | 0444, read, NULL \
	}
#define TEXT_ROW(path, text)                     \
	{                                        \
		path, S_IFREG | 0444, NULL, text \
	}
#define TEXT_ROW_TO(path, text)                  \
	{                                        \
		path, S_IFREG | 0644, NULL, text \
	}
#define FOLDER_ROW(path)                         \
	{                                        \
		path, S_IFDIR | 0755, NULL, NULL \
	}
#define LINK_ROW(path, target)                     \
	{                                          \
		path, S_IFLNK | 0777, NULL, target \
	}

static const struct host_interface *card(const struct file_access *access)
{
	const struct host_interface *interfaces;

	(void)host_interfaces(live_host(access), &interfaces);
	return &interfaces[1];
}

static int put_mac(const struct file_access *access, struct writer *out)
{
	const uint8_t *m = card(access)->mac;

	writer_format(out, "%02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3], m[4], m[5]);
	return 0;
}

static int put_event(const struct file_access *access, struct writer *out)
{
	writer_format(out, "INTERFACE=%s\nIFINDEX=2\n", card(access)->name);
	return 0;
}

#define TRAFFIC(name, index, field)                                                          \
	static int name(const struct file_access *access, struct writer *out)                \
	{                                                                                    \
		struct host_traffic t = host_traffic(live_host(access), index, access->now); \
                                                                                             \
		writer_format(out, "%llu\n", (unsigned long long)t.field);                   \
		return 0;                                                                    \
	}
TRAFFIC(card_rx_bytes, 1, received_bytes)
TRAFFIC(card_tx_bytes, 1, sent_bytes)
TRAFFIC(card_rx_packets, 1, received_packets)
TRAFFIC(card_tx_packets, 1, sent_packets)
TRAFFIC(lo_rx_bytes, 0, received_bytes)
TRAFFIC(lo_tx_bytes, 0, sent_bytes)
TRAFFIC(lo_rx_packets, 0, received_packets)
TRAFFIC(lo_tx_packets, 0, sent_packets)

#define PLATFORM(name, field)                                                        \
	static int name(const struct file_access *access, struct writer *out)        \
	{                                                                            \
		writer_format(out, "%s\n", host_platform(live_host(access))->field); \
		return 0;                                                            \
	}
PLATFORM(dmi_vendor, vendor)
PLATFORM(dmi_product, product)
PLATFORM(dmi_version, product_version)
PLATFORM(dmi_bios_vendor, bios_vendor)
PLATFORM(dmi_bios_version, bios_version)
PLATFORM(dmi_bios_date, bios_date)
PLATFORM(dmi_board, board)
PLATFORM(dmi_board_vendor, board_vendor)
PLATFORM(dmi_serial, serial)
PLATFORM(dmi_uuid, uuid)

static int disk_size(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%llu\n",
		      (unsigned long long)host_disk(live_host(access))->kilobytes * 2);
	return 0;
}

static int disk_model(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%-16s\n", host_disk(live_host(access))->model);
	return 0;
}

static int disk_vendor(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%-8s\n", host_disk(live_host(access))->vendor);
	return 0;
}

static int disk_number(const struct file_access *access, struct writer *out)
{
	writer_text(out, host_disk(live_host(access))->name[0] == 'v' ? "254:0\n" : "8:0\n");
	return 0;
}

static int root_size(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%llu\n",
		      (unsigned long long)host_disk(live_host(access))->root_sectors);
	return 0;
}

static int root_start(const struct file_access *access, struct writer *out)
{
	writer_format(out, "%llu\n", (unsigned long long)host_disk(live_host(access))->root_start);
	return 0;
}

static int processors(const struct file_access *access, struct writer *out)
{
	unsigned count = host_processor(live_host(access))->count;

	writer_format(out, count > 1 ? "0-%u\n" : "%u\n", count - 1);
	return 0;
}

static const struct live_row rows[] = {
	FOLDER_ROW("block"),
	FOLDER_ROW("block/@disk"),
	FILE_ROW("block/@disk/size", disk_size),
	TEXT_ROW("block/@disk/removable", "0"),
	FOLDER_ROW("bus"),
	FOLDER_ROW("bus/cpu"),
	FOLDER_ROW("bus/pci"),
	FOLDER_ROW("bus/pci/devices"),
	FOLDER_ROW("bus/pci/drivers"),
	FOLDER_ROW("bus/scsi"),
	FOLDER_ROW("bus/usb"),
	FOLDER_ROW("bus/usb/devices"),
	FOLDER_ROW("bus/virtio"),
	FOLDER_ROW("class"),
	FOLDER_ROW("class/block"),
	FOLDER_ROW("class/block/@disk"),
	FILE_ROW("class/block/@disk/dev", disk_number),
	TEXT_ROW("class/block/@disk/removable", "0"),
	TEXT_ROW("class/block/@disk/ro", "0"),
	FILE_ROW("class/block/@disk/size", disk_size),
	FOLDER_ROW("class/block/@disk/device"),
	FILE_ROW("class/block/@disk/device/model", disk_model),
	FILE_ROW("class/block/@disk/device/vendor", disk_vendor),
	FOLDER_ROW("class/block/@disk/queue"),
	TEXT_ROW("class/block/@disk/queue/rotational", "1"),
	TEXT_ROW_TO("class/block/@disk/queue/scheduler", "none [mq-deadline]"),
	FOLDER_ROW("class/block/@disk1"),
	FILE_ROW("class/block/@disk1/size", root_size),
	FILE_ROW("class/block/@disk1/start", root_start),
	FOLDER_ROW("class/dmi"),
	FOLDER_ROW("class/dmi/id"),
	FILE_ROW("class/dmi/id/bios_date", dmi_bios_date),
	FILE_ROW("class/dmi/id/bios_vendor", dmi_bios_vendor),
	FILE_ROW("class/dmi/id/bios_version", dmi_bios_version),
	FILE_ROW("class/dmi/id/board_name", dmi_board),
	FILE_ROW("class/dmi/id/board_vendor", dmi_board_vendor),
	TEXT_ROW("class/dmi/id/chassis_type", "1"),
	FILE_ROW("class/dmi/id/chassis_vendor", dmi_vendor),
	FILE_ROW("class/dmi/id/product_name", dmi_product),
	{"class/dmi/id/product_serial", S_IFREG | 0400, dmi_serial, NULL},
	{"class/dmi/id/product_uuid", S_IFREG | 0400, dmi_uuid, NULL},
	FILE_ROW("class/dmi/id/product_version", dmi_version),
	FILE_ROW("class/dmi/id/sys_vendor", dmi_vendor),
	FOLDER_ROW("class/hwmon"),
	FOLDER_ROW("class/input"),
	FOLDER_ROW("class/mem"),
	FOLDER_ROW("class/misc"),
	FOLDER_ROW("class/net"),
	FOLDER_ROW("class/net/@if"),
	FILE_ROW("class/net/@if/address", put_mac),
	TEXT_ROW("class/net/@if/addr_len", "6"),
	TEXT_ROW("class/net/@if/broadcast", "ff:ff:ff:ff:ff:ff"),
	TEXT_ROW("class/net/@if/carrier", "1"),
	TEXT_ROW("class/net/@if/carrier_changes", "2"),
	TEXT_ROW("class/net/@if/dev_id", "0x0"),
	TEXT_ROW("class/net/@if/dormant", "0"),
	TEXT_ROW("class/net/@if/duplex", "unknown"),
	TEXT_ROW_TO("class/net/@if/flags", "0x1003"),
	TEXT_ROW("class/net/@if/ifindex", "2"),
	TEXT_ROW("class/net/@if/iflink", "2"),
	TEXT_ROW_TO("class/net/@if/mtu", "1500"),
	TEXT_ROW("class/net/@if/operstate", "up"),
	TEXT_ROW("class/net/@if/speed", "-1"),
	FOLDER_ROW("class/net/@if/statistics"),
	FILE_ROW("class/net/@if/statistics/rx_bytes", card_rx_bytes),
	TEXT_ROW("class/net/@if/statistics/rx_errors", "0"),
	FILE_ROW("class/net/@if/statistics/rx_packets", card_rx_packets),
	FILE_ROW("class/net/@if/statistics/tx_bytes", card_tx_bytes),
	TEXT_ROW("class/net/@if/statistics/tx_errors", "0"),
	FILE_ROW("class/net/@if/statistics/tx_packets", card_tx_packets),
	TEXT_ROW_TO("class/net/@if/tx_queue_len", "1000"),
	TEXT_ROW("class/net/@if/type", "1"),
	FILE_ROW("class/net/@if/uevent", put_event),
	FOLDER_ROW("class/net/lo"),
	TEXT_ROW("class/net/lo/address", "00:00:00:00:00:00"),
	TEXT_ROW("class/net/lo/carrier", "1"),
	TEXT_ROW("class/net/lo/ifindex", "1"),
	TEXT_ROW_TO("class/net/lo/mtu", "65536"),
	TEXT_ROW("class/net/lo/operstate", "unknown"),
	FOLDER_ROW("class/net/lo/statistics"),
	FILE_ROW("class/net/lo/statistics/rx_bytes", lo_rx_bytes),
	FILE_ROW("class/net/lo/statistics/rx_packets", lo_rx_packets),
	FILE_ROW("class/net/lo/statistics/tx_bytes", lo_tx_bytes),
	FILE_ROW("class/net/lo/statistics/tx_packets", lo_tx_packets),
	TEXT_ROW("class/net/lo/type", "772"),
	FOLDER_ROW("class/power_supply"),
	FOLDER_ROW("class/thermal"),
	FOLDER_ROW("class/tty"),
	FOLDER_ROW("dev"),
	FOLDER_ROW("dev/block"),
	FOLDER_ROW("dev/char"),
	FOLDER_ROW("devices"),
	FOLDER_ROW("devices/pci0000:00"),
	FOLDER_ROW("devices/system"),
	FOLDER_ROW("devices/system/cpu"),
	FOLDER_ROW("devices/system/cpu/cpu0"),
	FOLDER_ROW("devices/system/cpu/cpu1"),
	FOLDER_ROW("devices/system/cpu/cpu2"),
	FOLDER_ROW("devices/system/cpu/cpu3"),
	TEXT_ROW("devices/system/cpu/kernel_max", "8191"),
	TEXT_ROW("devices/system/cpu/offline", ""),
	FILE_ROW("devices/system/cpu/online", processors),
	FILE_ROW("devices/system/cpu/possible", processors),
	FILE_ROW("devices/system/cpu/present", processors),
	FOLDER_ROW("devices/system/cpu/vulnerabilities"),
	TEXT_ROW("devices/system/cpu/vulnerabilities/meltdown", "Not affected"),
	TEXT_ROW("devices/system/cpu/vulnerabilities/spectre_v1",
		 "Mitigation: usercopy/swapgs barriers and __user pointer sanitization"),
	FOLDER_ROW("devices/system/node"),
	FOLDER_ROW("devices/system/node/node0"),
	TEXT_ROW("devices/system/node/online", "0"),
	FOLDER_ROW("devices/virtual"),
	FOLDER_ROW("devices/virtual/block"),
	FOLDER_ROW("devices/virtual/dmi"),
	LINK_ROW("devices/virtual/dmi/id", "../../../class/dmi/id"),
	FOLDER_ROW("devices/virtual/net"),
	FOLDER_ROW("firmware"),
	FOLDER_ROW("firmware/acpi"),
	FOLDER_ROW("firmware/dmi"),
	FOLDER_ROW("firmware/dmi/tables"),
	FOLDER_ROW("fs"),
	FOLDER_ROW("fs/bpf"),
	FOLDER_ROW("fs/cgroup"),
	TEXT_ROW("fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc"),
	TEXT_ROW_TO("fs/cgroup/cgroup.subtree_control", "cpu memory pids"),
	FOLDER_ROW("fs/cgroup/init.scope"),
	FOLDER_ROW("fs/cgroup/system.slice"),
	FOLDER_ROW("fs/cgroup/user.slice"),
	FOLDER_ROW("fs/ext4"),
	FOLDER_ROW("fs/fuse"),
	FOLDER_ROW("fs/fuse/connections"),
	FOLDER_ROW("fs/pstore"),
	FOLDER_ROW("kernel"),
	FOLDER_ROW("kernel/config"),
	FOLDER_ROW("kernel/debug"),
	FOLDER_ROW("kernel/mm"),
	FOLDER_ROW("kernel/mm/transparent_hugepage"),
	TEXT_ROW_TO("kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
	TEXT_ROW_TO("kernel/mm/transparent_hugepage/defrag",
		    "always defer defer+madvise [madvise] never"),
	FOLDER_ROW("kernel/security"),
	FOLDER_ROW("kernel/tracing"),
	TEXT_ROW("kernel/uevent_seqnum", "1287"),
	FOLDER_ROW("module"),
	FOLDER_ROW("power"),
	TEXT_ROW_TO("power/state", "freeze mem disk"),
};

static const struct live_rows table = {rows, ARRAY_COUNT(rows), 1};

/* --- /sys/module --- */

/* Keys of a loaded module's folder and of what is in it. */
#define MODULE_FIRST ((uint64_t)0x10000)
#define MODULE_PARTS 16

static const struct live_entry module_parts[] = {
	{"coresize", S_IFREG | 0444, 1}, {"holders", S_IFDIR | 0755, 2},
	{"initsize", S_IFREG | 0444, 3}, {"initstate", S_IFREG | 0444, 4},
	{"notes", S_IFDIR | 0755, 5},    {"refcnt", S_IFREG | 0444, 6},
	{"sections", S_IFDIR | 0755, 7}, {"taint", S_IFREG | 0444, 8},
	{"uevent", S_IFREG | 0200, 9},
};

static bool is_module_folder(uint64_t key)
{
	return key >= table.first && key < table.first + table.count &&
	       strcmp(rows[key - table.first].path, "module") == 0;
}

/* The entry number `index` of /sys/module or of one module's folder. */
static bool module_entry(const struct file_access *access, uint64_t folder, uint64_t index,
			 struct live_entry *entry)
{
	const struct host_module *modules;
	size_t count = host_modules(live_host(access), &modules);

	if (is_module_folder(folder)) {
		if (index >= count)
			return false;
		*entry = (struct live_entry){modules[index].name, S_IFDIR | 0755,
					     MODULE_FIRST + index * MODULE_PARTS};
		return true;
	}
	if (folder < MODULE_FIRST || (folder - MODULE_FIRST) % MODULE_PARTS ||
	    index >= ARRAY_COUNT(module_parts))
		return false;
	*entry = module_parts[index];
	entry->key += folder;
	return true;
}

static int read_module(const struct file_access *access, uint64_t key, struct writer *out)
{
	const struct host_module *modules;
	size_t count = host_modules(live_host(access), &modules);
	uint64_t index = (key - MODULE_FIRST) / MODULE_PARTS;

	if (index >= count)
		return -ENOENT;
	switch ((key - MODULE_FIRST) % MODULE_PARTS) {
	case 1:
		writer_format(out, "%u\n", modules[index].size);
		return 0;
	case 3:
		writer_text(out, "0\n");
		return 0;
	case 4:
		writer_text(out, "live\n");
		return 0;
	case 6:
		writer_format(out, "%u\n", modules[index].users);
		return 0;
	case 8:
		writer_text(out, "\n");
		return 0;
	default:
		return -EIO;
	}
}

/* --- the tree --- */

static bool find(const struct file_access *access, uint64_t folder, const char *name,
		 struct live_entry *entry)
{
	if (is_module_folder(folder) || folder >= MODULE_FIRST) {
		for (uint64_t i = 0; module_entry(access, folder, i, entry); i++)
			if (strcmp(entry->name, name) == 0)
				return true;
		return false;
	}
	return live_rows_find(&table, access, folder, name, entry);
}

static bool next(const struct file_access *access, uint64_t folder, uint64_t *position,
		 struct live_entry *entry)
{
	if (is_module_folder(folder) || folder >= MODULE_FIRST)
		return module_entry(access, folder, (*position)++, entry);
	return live_rows_next(&table, access, folder, position, entry);
}

static int read_key(const struct file_access *access, uint64_t key, struct writer *out)
{
	return key >= MODULE_FIRST ? read_module(access, key, out)
				   : live_rows_read(&table, access, key, out);
}

static int write_key(const struct file_access *access, uint64_t key, struct slice bytes)
{
	(void)access;
	(void)bytes;
	return live_rows_mode(&table, key) & 0222 ? 0 : -EACCES;
}

static void status(const struct file_access *access, uint64_t key, struct file_status *status)
{
	struct live_entry below;
	uint64_t position = 0;

	status->accessed = status->modified = status->changed =
		host_boot_time(live_host(access), access->now);
	if (S_ISREG(status->mode))
		status->size = 4096;
	else if (S_ISDIR(status->mode))
		while (next(access, key, &position, &below))
			status->links += S_ISDIR(below.mode) != 0;
}

const struct live_tree live_tree_sys = {
	.mount_point = "/sys",
	.type = "sysfs",
	.source = "sysfs",
	.options = "rw,nosuid,nodev,noexec,relatime",
	.find = find,
	.next = next,
	.read = read_key,
	.write = write_key,
	.status = status,
};
