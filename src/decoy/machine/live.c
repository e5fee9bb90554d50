/* Live trees: nodes that are there while somebody looks at them.
 *
 * A source's view keeps a slot for each that was looked at lately; when all are taken the one that
 * was used longest ago and is not held is given away, and its number (which carries the slot's
 * generation) means nothing any more. */
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/file_system_inside.h"

#define LIVE(name) extern const struct live_tree live_tree_##name;
#include "decoy/machine/live_trees.def"
#undef LIVE

const struct live_tree *const live_trees[] = {
#define LIVE(name) &live_tree_##name,
#include "decoy/machine/live_trees.def"
#undef LIVE
	NULL,
};

/* The longest file of /proc that anybody makes. */
#define RENDERED_MAX ((size_t)1024 * 1024)

struct live_node *live_at(const struct file_system *fs, uint32_t raw)
{
	return raw >= RAW_LIVE && raw - RAW_LIVE < fs->live_count ? &fs->live[raw - RAW_LIVE]
								  : NULL;
}

const struct live_tree *live_tree_of(const struct file_system *fs, const struct live_node *node)
{
	return fs->all->mounts[node->mount].live;
}

static uint32_t free_slot(struct file_system *fs)
{
	uint32_t oldest = RAW_NONE;

	if (fs->live_count < LIVE_SLOTS_MAX) {
		if (fs->live_count == fs->live_room) {
			uint32_t room = fs->live_room ? fs->live_room * 2 : 8;
			struct live_node *grown = realloc(fs->live, room * sizeof(*grown));

			if (!grown)
				return RAW_NONE;
			fs->live = grown;
			fs->live_room = room;
		}
		return fs->live_count++;
	}
	for (uint32_t i = 0; i < fs->live_count; i++)
		if (!fs->live[i].holds && !fs->live[i].children && fs->live[i].parent != RAW_NONE &&
		    (oldest == RAW_NONE ||
		     fs->live_clock - fs->live[i].used > fs->live_clock - fs->live[oldest].used))
			oldest = i;
	if (oldest != RAW_NONE)
		fs->live[fs->live[oldest].parent].children--;
	return oldest;
}

static uint32_t live_node(struct file_system *fs, uint32_t parent, unsigned mount, uint64_t folder,
			  const struct live_entry *entry)
{
	uint32_t slot;
	struct live_node *node;

	fs->live_clock++;
	if (parent != RAW_NONE)
		fs->live[parent].used = fs->live_clock;
	for (uint32_t i = 0; i < fs->live_count; i++) {
		node = &fs->live[i];
		if (node->mount == mount && node->parent == parent && node->folder == folder &&
		    node->key == entry->key &&
		    !strncmp(node->name, entry->name, sizeof(node->name) - 1)) {
			node->used = fs->live_clock;
			node->mode = entry->mode;
			return RAW_LIVE + i;
		}
	}
	/* Counted first, so that the parent is not what is given away. */
	if (parent != RAW_NONE)
		fs->live[parent].children++;
	slot = free_slot(fs);
	if (slot == RAW_NONE) {
		if (parent != RAW_NONE)
			fs->live[parent].children--;
		return RAW_NONE;
	}
	node = &fs->live[slot];
	*node = (struct live_node){.parent = parent,
				   .generation = ++fs->live_generation,
				   .key = entry->key,
				   .folder = folder,
				   .mount = (uint16_t)mount,
				   .mode = entry->mode,
				   .used = fs->live_clock};
	memcpy(node->name, entry->name, strnlen(entry->name, sizeof(node->name) - 1));
	return RAW_LIVE + slot;
}

uint32_t live_root(const struct file_access *access, unsigned mount)
{
	const struct mount *m = &access->fs->all->mounts[mount];
	struct live_entry root = {
		.name = "",
		.mode = S_IFDIR |
			(strcmp(m->type, "proc") && strcmp(m->type, "sysfs") ? 0755u : 0555u),
		.key = m->live_key};

	return live_node(access->fs, RAW_NONE, mount, m->live_key, &root);
}

void live_hold(struct file_system *fs, uint32_t raw, int by)
{
	uint32_t slot = raw - RAW_LIVE;

	/* With those above, so that it keeps its path. */
	while (slot < fs->live_count) {
		struct live_node *node = &fs->live[slot];

		if (by > 0)
			node->holds++;
		else if (node->holds)
			node->holds--;
		slot = node->parent;
	}
}

uint32_t live_parent(struct file_system *fs, uint32_t raw)
{
	const struct live_node *node = live_at(fs, raw);

	if (!node)
		return 0;
	if (node->parent != RAW_NONE)
		return RAW_LIVE + node->parent;
	raw = fs->all->mounts[node->mount].raw;
	return raw == 0 ? 0 : folder_parent(fs, raw);
}

uint32_t live_find(const struct file_access *access, uint32_t folder, const char *name,
		   size_t length)
{
	struct file_system *fs = access->fs;
	const struct live_node *node = live_at(fs, folder);
	char text[MACHINE_NAME_MAX + 1];
	struct live_entry entry = {0};
	uint64_t key;
	unsigned mount;

	if (!node || !S_ISDIR(node->mode))
		return RAW_NONE;
	memcpy(text, name, length);
	text[length] = '\0';
	key = node->key;
	mount = node->mount;
	if (!live_tree_of(fs, node)->find(access, key, text, &entry))
		return RAW_NONE;
	entry.name = text;
	return live_node(fs, folder - RAW_LIVE, mount, key, &entry);
}

int live_next(const struct file_access *access, uint32_t folder, uint64_t *position,
	      const char **name, uint32_t *raw, unsigned *type)
{
	struct file_system *fs = access->fs;
	const struct live_node *node = live_at(fs, folder);
	struct live_entry entry = {0};
	uint64_t key;
	unsigned mount;

	if (!node)
		return -ENOENT;
	if (!S_ISDIR(node->mode))
		return -ENOTDIR;
	key = node->key;
	mount = node->mount;
	if (!live_tree_of(fs, node)->next(access, key, position, &entry))
		return 0;
	memcpy(fs->next_name, entry.name, strnlen(entry.name, MACHINE_NAME_MAX));
	fs->next_name[strnlen(entry.name, MACHINE_NAME_MAX)] = '\0';
	entry.name = fs->next_name;
	*name = fs->next_name;
	*type = entry.mode & S_IFMT;
	*raw = live_node(fs, folder - RAW_LIVE, mount, key, &entry);
	return *raw == RAW_NONE ? -ENOMEM : 1;
}

int live_status(const struct file_access *access, uint32_t raw, struct file_status *status)
{
	struct file_system *fs = access->fs;
	const struct live_node *node = live_at(fs, raw);
	const struct live_tree *tree = node ? live_tree_of(fs, node) : NULL;

	if (!node)
		return -ENOENT;
	*status = (struct file_status){
		.inode = file_system_number(fs, raw),
		.mode = node->mode,
		.links = S_ISDIR(node->mode) ? 2 : 1,
		.mount = node->mount,
		.accessed = access->now,
		.modified = access->now,
		.changed = access->now,
		.born = access->now,
	};
	/* The root of such a file system. */
	if (node->parent == RAW_NONE)
		status->inode = 1;
	if (tree->status)
		tree->status(access, node->key, status);
	return 0;
}

ssize_t live_read(const struct file_access *access, uint32_t raw, uint64_t offset, void *at,
		  size_t size)
{
	struct file_system *fs = access->fs;
	const struct live_node *node = live_at(fs, raw);

	if (!node)
		return -ENOENT;
	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (!S_ISREG(node->mode) || !live_tree_of(fs, node)->read)
		return -EINVAL;
	if (offset == 0 || fs->rendered_raw != raw || !fs->rendered.at) {
		int error;

		writer_free(&fs->rendered);
		fs->rendered = writer_growing(RENDERED_MAX);
		fs->rendered_raw = raw;
		error = live_tree_of(fs, node)->read(access, node->key, &fs->rendered);
		if (error) {
			writer_free(&fs->rendered);
			return error;
		}
	}
	if (offset >= fs->rendered.length) {
		writer_free(&fs->rendered);
		return 0;
	}
	if (size > fs->rendered.length - offset)
		size = (size_t)(fs->rendered.length - offset);
	memcpy(at, fs->rendered.at + offset, size);
	return (ssize_t)size;
}

ssize_t live_write(const struct file_access *access, uint32_t raw, struct slice bytes)
{
	const struct live_node *node = live_at(access->fs, raw);
	const struct live_tree *tree = node ? live_tree_of(access->fs, node) : NULL;
	int error;

	if (!node)
		return -ENOENT;
	if (S_ISDIR(node->mode))
		return -EISDIR;
	/* procfs lets root open what nobody can write to, and says so only then. */
	if (!tree->write)
		return strcmp(access->fs->all->mounts[node->mount].type, "proc") ? -EACCES : -EIO;
	error = tree->write(access, node->key, bytes);
	return error ? error : (ssize_t)bytes.length;
}

ssize_t live_target(const struct file_access *access, uint32_t raw, char *target, size_t size)
{
	const struct live_node *node = live_at(access->fs, raw);
	struct writer out = writer_fixed(target, size);
	int error;

	if (!node)
		return -ENOENT;
	if (!S_ISLNK(node->mode))
		return -EINVAL;
	error = live_tree_of(access->fs, node)->read(access, node->key, &out);
	return error ? error : (ssize_t)out.length;
}
