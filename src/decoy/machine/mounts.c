/* What is mounted where: the host's mounts, and the live trees on them. A device folder (devtmpfs)
 * is made once from its live tree and is then an ordinary folder, for intruders keep files there.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "decoy/machine/file_system_inside.h"
#include "decoy/machine/host.h"

/* Folders of a device tree are few. */
#define DEVICE_DEPTH_MAX   4
#define DEVICE_ENTRIES_MAX 1024

static bool has_option(const char *options, const char *word)
{
	struct slice rest = slice_text(options), part;

	while (slice_next(&rest, ',', &part))
		if (slice_is(part, word))
			return true;
	return false;
}

static struct mount *find_mount(struct file_systems *all, const char *point)
{
	for (size_t i = 0; i < all->mount_count; i++)
		if (!strcmp(all->mounts[i].point, point))
			return &all->mounts[i];
	return NULL;
}

static struct mount *add_mount(struct file_systems *all, const char *point, const char *type,
			       const char *source, const char *options)
{
	struct mount *mount = find_mount(all, point);

	if (mount || all->mount_count == MOUNTS_MAX)
		return mount;
	mount = &all->mounts[all->mount_count++];
	*mount = (struct mount){.point = point,
				.type = type,
				.source = source,
				.options = options,
				.raw = RAW_NONE,
				.read_only = has_option(options, "ro"),
				.no_exec = has_option(options, "noexec")};
	return mount;
}

static void import_devices(const struct file_access *access, const struct live_tree *tree,
			   uint64_t key, node_number folder, unsigned depth)
{
	struct file_systems *all = access->fs->all;
	struct live_entry entry = {0};
	uint64_t position = 0;

	for (unsigned count = 0;
	     count < DEVICE_ENTRIES_MAX && tree->next(access, key, &position, &entry); count++) {
		struct file_status status = {.mode = entry.mode};
		char name[MACHINE_NAME_MAX + 1], target[256];
		uint64_t own = entry.key;
		node_number node;
		struct upper_node *made;
		int error;

		if (strlen(entry.name) > MACHINE_NAME_MAX)
			continue;
		memcpy(name, entry.name, strlen(entry.name) + 1);
		if (tree->status)
			tree->status(access, own, &status);
		if (S_ISLNK(entry.mode)) {
			struct writer out = writer_fixed(target, sizeof(target) - 1);

			if (tree->read(access, own, &out) == 0 && out.length) {
				target[out.length] = '\0';
				(void)file_system_symlink(access, folder, name, target);
			}
			continue;
		}
		if (file_system_make(access, folder, name, entry.mode, status.device_major,
				     status.device_minor, &node) < 0)
			continue;
		made = node_own(access->fs, file_system_raw(access->fs, node), &error);
		if (made) {
			made->uid = status.uid;
			made->gid = status.gid;
			if (status.modified) /* made at the last start */
				made->accessed = made->modified = made->changed = made->born =
					status.modified;
		}
		if (!S_ISDIR(entry.mode))
			continue;
		/* Terminals come and go. */
		if (!strcmp(name, "pts") && depth == 0) {
			struct mount *mount = add_mount(all, "/dev/pts", "devpts", "devpts",
							"rw,nosuid,noexec,relatime,gid=5,mode=620,"
							"ptmxmode=000");

			if (mount && !mount->live) {
				mount->live = tree;
				mount->live_key = own;
			}
			continue;
		}
		if (depth < DEVICE_DEPTH_MAX)
			import_devices(access, tree, own, node, depth + 1);
	}
}

/* The folder that a mount stands on, made when it is missing; RAW_NONE inside of live trees. */
static uint32_t point_of(const struct file_access *access, const char *point)
{
	char name[MACHINE_NAME_MAX + 1];
	node_number folder, node;
	int error;

	if (!strcmp(point, "/"))
		return 0;
	if (file_system_make_parents(access, point, &folder, name) < 0)
		return RAW_NONE;
	node = file_system_walk(access, folder, name, true, &error);
	if (!node && file_system_make(access, folder, name, S_IFDIR | 0755, 0, 0, &node) < 0)
		return RAW_NONE;
	return file_system_raw(access->fs, node);
}

void mounts_setup(struct file_systems *all, struct file_system *fs, int64_t now)
{
	struct file_access access = {.fs = fs, .now = all->installed};
	/* Devices are made when the host starts. */
	struct file_access started = {.fs = fs,
				      .now = all->host ? host_boot_time(all->host, now) + 4 * SECOND
						       : all->installed};
	const struct host_mount *mounts = NULL;
	size_t count = all->host ? host_mounts(all->host, &mounts) : 0;

	(void)add_mount(all, "/", "ext4", "/dev/sda1", "rw,relatime,errors=remount-ro");
	for (size_t i = 0; i < count; i++) {
		struct mount *mount = strcmp(mounts[i].point, "/")
					      ? add_mount(all, mounts[i].point, mounts[i].type,
							  mounts[i].source, mounts[i].options)
					      : &all->mounts[0];

		if (!mount)
			break;
		mount->type = mounts[i].type;
		mount->source = mounts[i].source;
		mount->options = mounts[i].options;
		mount->kilobytes = mounts[i].kilobytes;
		mount->used = mounts[i].used;
		mount->read_only = has_option(mount->options, "ro");
		mount->no_exec = has_option(mount->options, "noexec");
	}
	/* They tell of a host; tests have none. */
	for (size_t i = 0; all->host && live_trees[i]; i++) {
		const struct live_tree *tree = live_trees[i];
		struct mount *mount =
			add_mount(all, tree->mount_point, tree->type, tree->source, tree->options);

		if (!mount)
			continue;
		if (!strcmp(mount->type, "devtmpfs") || !strcmp(tree->mount_point, "/dev")) {
			uint32_t raw = point_of(&access, mount->point);

			mount->raw = raw;
			if (raw != RAW_NONE)
				import_devices(&started, tree, 0, file_system_number(fs, raw), 0);
		} else {
			mount->live = tree;
			mount->live_key = 0;
		}
	}
	/* Outer ones come first in the host's list: a point inside a live tree is not found. */
	for (size_t i = 0; i < all->mount_count; i++) {
		struct mount *mount = &all->mounts[i];
		uint32_t raw =
			mount->raw == RAW_NONE ? point_of(&access, mount->point) : mount->raw;

		mount->raw = raw_is_live(raw) ? RAW_NONE : raw;
	}
	/* Looking for them left live nodes of this view behind. */
	fs->live_count = 0;
}

uint32_t mount_cross(const struct file_access *access, uint32_t raw)
{
	const struct file_systems *all = access->fs->all;

	if (raw_is_live(raw))
		return raw;
	for (unsigned i = 0; i < all->mount_count; i++)
		if (all->mounts[i].raw == raw && all->mounts[i].live) {
			uint32_t root = live_root(access, i);

			return root == RAW_NONE ? raw : root;
		}
	return raw;
}

bool is_mount_point(const struct file_system *fs, uint32_t raw)
{
	for (size_t i = 0; i < fs->all->mount_count; i++)
		if (fs->all->mounts[i].raw == raw)
			return true;
	return false;
}

const struct mount *mount_of(struct file_system *fs, uint32_t raw)
{
	const struct file_systems *all = fs->all;

	if (raw_is_live(raw) && live_at(fs, raw))
		return &all->mounts[live_at(fs, raw)->mount];
	/* Paths end; the count is for a layer that a damaged journal made. */
	for (unsigned depth = 0; raw != 0 && depth < MACHINE_PATH_MAX;
	     depth++, raw = folder_parent(fs, raw))
		for (size_t i = 1; i < all->mount_count; i++)
			if (all->mounts[i].raw == raw)
				return &all->mounts[i];
	return &all->mounts[0];
}

int file_system_statfs(const struct file_access *access, node_number number,
		       struct file_system_status *status)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	const struct mount *mount;
	uint64_t used;
	bool disk;

	if (raw == RAW_NONE)
		return -ENOENT;
	mount = mount_of(fs, raw);
	disk = !strncmp(mount->type, "ext", 3);
	*status = (struct file_system_status){.type = mount->type,
					      .source = mount->source,
					      .mount_point = mount->point,
					      .block_size = 4096,
					      .read_only = mount->read_only};
	if (!mount->kilobytes)
		return 0;
	status->blocks = mount->kilobytes / 4;
	used = mount->used / 4;
	if (mount == fs->all->mounts)
		used += fs->layer.bytes / 4096;
	status->free_blocks = used < status->blocks ? status->blocks - used : 0;
	status->available_blocks = status->free_blocks;
	if (disk) { /* a twentieth is kept for root */
		uint64_t kept = status->blocks / 20;

		status->available_blocks =
			status->free_blocks > kept ? status->free_blocks - kept : 0;
	}
	status->files = disk ? mount->kilobytes / 16 : mount->kilobytes / 4;
	used = mount == fs->all->mounts ? fs->all->image->node_count + fs->layer.files : 1;
	status->free_files = used < status->files ? status->files - used : 0;
	return 0;
}
