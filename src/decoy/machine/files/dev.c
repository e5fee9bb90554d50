/* /dev, as udev leaves it on a virtual machine. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/files/live_table.h"

#define FOLDER_ROW(path)                         \
	{                                        \
		path, S_IFDIR | 0755, NULL, NULL \
	}
#define DEVICE_ROW(path, mode)                     \
	{                                          \
		path, S_IFCHR | (mode), NULL, NULL \
	}
#define BLOCK_ROW(path)                          \
	{                                        \
		path, S_IFBLK | 0660, NULL, NULL \
	}
#define LINK_ROW(path, target)                     \
	{                                          \
		path, S_IFLNK | 0777, NULL, target \
	}
#define MADE_ROW(path, read)                     \
	{                                        \
		path, S_IFLNK | 0777, read, NULL \
	}

static int to_root(const struct file_access *access, struct writer *out)
{
	writer_format(out, "../../%s1", host_disk(live_host(access))->name);
	return 0;
}

static int to_swap(const struct file_access *access, struct writer *out)
{
	writer_format(out, "../../%s5", host_disk(live_host(access))->name);
	return 0;
}

static const struct live_row rows[] = {
	DEVICE_ROW("autofs", 0644),
	FOLDER_ROW("block"),
	DEVICE_ROW("btrfs-control", 0660),
	FOLDER_ROW("bus"),
	FOLDER_ROW("bus/usb"),
	FOLDER_ROW("char"),
	DEVICE_ROW("console", 0600),
	LINK_ROW("core", "/proc/kcore"),
	FOLDER_ROW("cpu"),
	DEVICE_ROW("cpu_dma_latency", 0600),
	DEVICE_ROW("cuse", 0600),
	FOLDER_ROW("disk"),
	FOLDER_ROW("disk/by-uuid"),
	MADE_ROW("disk/by-uuid/@uuid1", to_root),
	MADE_ROW("disk/by-uuid/@uuid5", to_swap),
	FOLDER_ROW("disk/by-path"),
	LINK_ROW("fd", "/proc/self/fd"),
	DEVICE_ROW("full", 0666),
	DEVICE_ROW("fuse", 0666),
	DEVICE_ROW("hpet", 0600),
	FOLDER_ROW("hugepages"),
	DEVICE_ROW("hwrng", 0600),
	LINK_ROW("initctl", "/run/initctl"),
	FOLDER_ROW("input"),
	DEVICE_ROW("input/event0", 0660),
	DEVICE_ROW("input/mice", 0660),
	DEVICE_ROW("kmsg", 0644),
	LINK_ROW("log", "/run/systemd/journal/dev-log"),
	DEVICE_ROW("loop-control", 0660),
	FOLDER_ROW("mapper"),
	DEVICE_ROW("mapper/control", 0600),
	DEVICE_ROW("mcelog", 0600),
	DEVICE_ROW("mem", 0640),
	{"mqueue", S_IFDIR | 01777, NULL, NULL},
	FOLDER_ROW("net"),
	DEVICE_ROW("net/tun", 0666),
	DEVICE_ROW("null", 0666),
	DEVICE_ROW("nvram", 0600),
	DEVICE_ROW("port", 0640),
	DEVICE_ROW("ppp", 0600),
	DEVICE_ROW("psaux", 0600),
	DEVICE_ROW("ptmx", 0666),
	DEVICE_ROW("random", 0666),
	DEVICE_ROW("rfkill", 0664),
	LINK_ROW("rtc", "rtc0"),
	DEVICE_ROW("rtc0", 0600),
	BLOCK_ROW("@disk"),
	BLOCK_ROW("@disk1"),
	BLOCK_ROW("@disk2"),
	BLOCK_ROW("@disk5"),
	{"shm", S_IFDIR | 01777, NULL, NULL},
	DEVICE_ROW("snapshot", 0660),
	FOLDER_ROW("snd"),
	LINK_ROW("stderr", "/proc/self/fd/2"),
	LINK_ROW("stdin", "/proc/self/fd/0"),
	LINK_ROW("stdout", "/proc/self/fd/1"),
	DEVICE_ROW("tty", 0666),
	DEVICE_ROW("tty0", 0620),
	DEVICE_ROW("tty1", 0620),
	DEVICE_ROW("tty2", 0620),
	DEVICE_ROW("tty3", 0620),
	DEVICE_ROW("tty4", 0620),
	DEVICE_ROW("tty5", 0620),
	DEVICE_ROW("tty6", 0620),
	DEVICE_ROW("tty7", 0620),
	DEVICE_ROW("tty8", 0620),
	DEVICE_ROW("ttyS0", 0660),
	DEVICE_ROW("ttyS1", 0660),
	DEVICE_ROW("uhid", 0600),
	DEVICE_ROW("uinput", 0600),
	DEVICE_ROW("urandom", 0666),
	DEVICE_ROW("userfaultfd", 0600),
	DEVICE_ROW("vcs", 0660),
	DEVICE_ROW("vcs1", 0660),
	DEVICE_ROW("vcsa", 0660),
	DEVICE_ROW("vcsa1", 0660),
	FOLDER_ROW("vfio"),
	DEVICE_ROW("vga_arbiter", 0600),
	DEVICE_ROW("vhost-net", 0600),
	DEVICE_ROW("vhost-vsock", 0600),
	DEVICE_ROW("zero", 0666),
};

/* Numbers of the kernel's Documentation/admin-guide/devices.txt; gid of Debian's groups. */
static const struct {
	const char *path;
	unsigned major, minor, gid;
} devices[] = {
	{"autofs", 10, 235, 0},
	{"btrfs-control", 10, 234, 6},
	{"console", 5, 1, 0},
	{"cpu_dma_latency", 10, 124, 0},
	{"cuse", 10, 203, 0},
	{"full", 1, 7, 0},
	{"fuse", 10, 229, 0},
	{"hpet", 10, 228, 0},
	{"hwrng", 10, 183, 0},
	{"input/event0", 13, 64, 102},
	{"input/mice", 13, 63, 102},
	{"kmsg", 1, 11, 0},
	{"loop-control", 10, 237, 6},
	{"mapper/control", 10, 236, 0},
	{"mcelog", 10, 227, 0},
	{"mem", 1, 1, 15},
	{"net/tun", 10, 200, 0},
	{"null", 1, 3, 0},
	{"nvram", 10, 144, 0},
	{"port", 1, 4, 15},
	{"ppp", 108, 0, 0},
	{"psaux", 10, 1, 0},
	{"ptmx", 5, 2, 5},
	{"random", 1, 8, 0},
	{"rfkill", 10, 242, 106},
	{"rtc0", 251, 0, 0},
	{"snapshot", 10, 231, 6},
	{"tty", 5, 0, 5},
	{"tty0", 4, 0, 5},
	{"tty1", 4, 1, 5},
	{"tty2", 4, 2, 5},
	{"tty3", 4, 3, 5},
	{"tty4", 4, 4, 5},
	{"tty5", 4, 5, 5},
	{"tty6", 4, 6, 5},
	{"tty7", 4, 7, 5},
	{"tty8", 4, 8, 5},
	{"ttyS0", 4, 64, 20},
	{"ttyS1", 4, 65, 20},
	{"uhid", 10, 239, 0},
	{"uinput", 10, 223, 0},
	{"urandom", 1, 9, 0},
	{"userfaultfd", 10, 126, 0},
	{"vcs", 7, 0, 5},
	{"vcs1", 7, 1, 5},
	{"vcsa", 7, 128, 5},
	{"vcsa1", 7, 129, 5},
	{"vga_arbiter", 10, 63, 0},
	{"vhost-net", 10, 238, 0},
	{"vhost-vsock", 10, 241, 0},
	{"zero", 1, 5, 0},
};

static const struct live_rows table = {rows, ARRAY_COUNT(rows), 1};

static bool find(const struct file_access *access, uint64_t folder, const char *name,
		 struct live_entry *entry)
{
	return live_rows_find(&table, access, folder, name, entry);
}

static bool next(const struct file_access *access, uint64_t folder, uint64_t *position,
		 struct live_entry *entry)
{
	return live_rows_next(&table, access, folder, position, entry);
}

static int read_key(const struct file_access *access, uint64_t key, struct writer *out)
{
	return live_rows_read(&table, access, key, out);
}

static void status(const struct file_access *access, uint64_t key, struct file_status *status)
{
	const char *path;

	status->accessed = status->modified = status->changed =
		host_boot_time(live_host(access), access->now) + 3 * SECOND;
	if (key < 1 || key > ARRAY_COUNT(rows))
		return;
	path = rows[key - 1].path;
	if (S_ISBLK(status->mode)) {
		status->device_major = host_disk(live_host(access))->name[0] == 'v' ? 254 : 8;
		status->device_minor = path[5] ? (unsigned)(path[5] - '0') : 0;
		status->gid = 6;
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
		if (strcmp(devices[i].path, path) == 0) {
			status->device_major = devices[i].major;
			status->device_minor = devices[i].minor;
			status->gid = devices[i].gid;
		}
}

const struct live_tree live_tree_dev = {
	.mount_point = "/dev",
	.type = "devtmpfs",
	.source = "udev",
	.options = "rw,nosuid,relatime,mode=755,inode64",
	.find = find,
	.next = next,
	.read = read_key,
	.status = status,
};
