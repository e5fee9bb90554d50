/* Names in folders, through all layers, and who may do what. */
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/file_system_inside.h"

/* What a layer says of a name; false: nothing. */
static bool layer_says(const struct layer *layer, uint32_t folder, uint64_t hash, const char *name,
		       size_t length, uint32_t *raw)
{
	const struct upper_node *node = layer_find(layer, folder);
	const struct change *change = node ? changes_find(node, hash, name, length) : NULL;

	if (!change)
		return false;
	*raw = change->raw;
	return true;
}

uint32_t folder_find(struct file_system *fs, uint32_t folder, const char *name, size_t length)
{
	const struct image *image = fs->all->image;
	uint64_t hash = image_name_hash(image, name, length);
	uint32_t raw;

	if (layer_says(&fs->layer, folder, hash, name, length, &raw) ||
	    layer_says(&fs->all->story, folder, hash, name, length, &raw))
		return raw;
	if (folder >= image->node_count || !S_ISDIR(image->nodes[folder].mode))
		return RAW_NONE;
	return image_find(image, folder, hash, name, length);
}

uint32_t folder_enter(const struct file_access *access, uint32_t folder, const char *name,
		      size_t length, int *error)
{
	uint32_t raw;

	*error = 0;
	if (length == 1 && name[0] == '.')
		return folder;
	if (length == 2 && name[0] == '.' && name[1] == '.')
		return folder == 0 ? 0 : mount_cross(access, folder_parent(access->fs, folder));
	if (raw_is_live(folder))
		raw = live_find(access, folder, name, length);
	else
		raw = folder_find(access->fs, folder, name, length);
	if (raw == RAW_NONE) {
		*error = -ENOENT;
		return RAW_NONE;
	}
	return mount_cross(access, raw);
}

/* --- listing: the layers and the image are merged in the order of the hash --- */

static const struct change *change_from(const struct upper_node *node, uint64_t hash)
{
	uint32_t at = node ? changes_at(node, hash) : 0;

	return node && at < node->change_count ? &node->changes[at] : NULL;
}

/* The first entry whose hash is at least *hash; sets *hash to its own. */
static bool entry_from(struct file_system *fs, uint32_t folder, uint64_t *hash, const char **name,
		       uint32_t *raw)
{
	const struct image *image = fs->all->image;
	const struct upper_node *own = layer_find(&fs->layer, folder);
	const struct upper_node *story = layer_find(&fs->all->story, folder);
	bool from_image = folder < image->node_count && S_ISDIR(image->nodes[folder].mode);

	for (;;) {
		const struct change *mine = change_from(own, *hash);
		const struct change *told = change_from(story, *hash);
		const struct image_entry *entry = NULL;
		uint64_t least = UINT64_MAX;

		if (from_image) {
			uint32_t at = image_entry_at(image, folder, *hash);

			if (at < image->nodes[folder].count)
				entry = &image->entries[image->nodes[folder].first + at];
		}
		if (entry)
			least = entry->hash;
		if (told && told->hash < least)
			least = told->hash;
		if (mine && mine->hash < least)
			least = mine->hash;
		if (least == UINT64_MAX)
			return false;
		*hash = least;
		if (mine && mine->hash == least) {
			*name = mine->name;
			*raw = mine->raw;
		} else if (told && told->hash == least) {
			*name = told->name;
			*raw = told->raw;
		} else {
			*name = image->strings + entry->name;
			*raw = entry->node;
		}
		if (*raw != RAW_NONE)
			return true;
		(*hash)++;
	}
}

bool folder_is_empty(struct file_system *fs, uint32_t raw)
{
	uint64_t hash = 0;
	const char *name;
	uint32_t found;

	return !entry_from(fs, raw, &hash, &name, &found);
}

uint64_t folder_count(struct file_system *fs, uint32_t raw)
{
	uint64_t hash = 0, count = 0;
	const char *name;
	uint32_t found;

	for (; entry_from(fs, raw, &hash, &name, &found); hash++)
		count++;
	return count;
}

int file_system_next(const struct file_access *access, node_number number, uint64_t *position,
		     const char **name, node_number *node, unsigned *type)
{
	struct file_system *fs = access->fs;
	uint32_t folder = file_system_raw(fs, number), raw;
	struct node_view view;
	uint64_t hash = *position;
	int result;

	if (folder == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(folder)) {
		result = live_next(access, folder, position, name, &raw, type);
		if (result > 0)
			*node = file_system_number(fs, raw);
		return result;
	}
	if (!node_view(fs, folder, &view))
		return -ENOENT;
	if (!S_ISDIR(view.mode))
		return -ENOTDIR;
	if (!entry_from(fs, folder, &hash, name, &raw))
		return 0;
	*position = hash + 1;
	/* Kept, so that the caller may change the folder while it goes through it. */
	memcpy(fs->next_name, *name, strlen(*name) + 1);
	*name = fs->next_name;
	raw = mount_cross(access, raw);
	*node = file_system_number(fs, raw);
	if (raw_is_live(raw))
		*type = live_at(fs, raw) ? live_at(fs, raw)->mode & S_IFMT : S_IFDIR;
	else
		*type = node_view(fs, raw, &view) ? view.mode & S_IFMT : 0;
	return 1;
}

void node_rename_after_loss(struct file_system *fs, struct upper_node *node)
{
	const struct image *image = fs->all->image;
	const struct layer *layers[2] = {&fs->layer, &fs->all->story};

	for (unsigned k = 0; k < 2; k++)
		for (uint32_t i = 0; i < layers[k]->room; i++) {
			const struct upper_node *folder = layers[k]->table[i];

			for (uint32_t c = 0; folder && c < folder->change_count; c++) {
				char *name;

				if (folder->changes[c].raw != node->raw)
					continue;
				name = strdup(folder->changes[c].name);
				if (!name)
					return;
				free(node->name);
				node->name = name;
				node->parent = folder->raw;
				return;
			}
		}
	for (uint32_t i = 0; node->raw < image->node_count && i < image->node_count; i++) {
		const struct image_node *folder = &image->nodes[i];

		for (uint32_t c = 0; S_ISDIR(folder->mode) && c < folder->count; c++) {
			const struct image_entry *entry = &image->entries[folder->first + c];
			const char *text = image->strings + entry->name;
			char *name;

			if (entry->node != node->raw ||
			    folder_find(fs, i, text, strlen(text)) != node->raw)
				continue;
			name = strdup(text);
			if (!name)
				return;
			free(node->name);
			node->name = name;
			node->parent = i;
			return;
		}
	}
}

/* --- rights --- */

bool access_is_root(const struct file_access *access)
{
	return !access->identity || access->identity->effective_uid == 0;
}

bool access_owns(const struct file_access *access, unsigned uid)
{
	return access_is_root(access) || access->identity->effective_uid == uid;
}

bool access_in_group(const struct file_access *access, unsigned gid)
{
	if (!access->identity || access->identity->effective_gid == gid)
		return true;
	for (size_t i = 0; i < access->identity->group_count; i++)
		if (access->identity->groups[i] == gid)
			return true;
	return false;
}

int node_writable_mount(const struct file_access *access, uint32_t raw)
{
	if (access->fs->replaying)
		return 0;
	return mount_of(access->fs, raw)->read_only ? -EROFS : 0;
}

static bool mode_allows(const struct file_access *access, unsigned mode, unsigned uid, unsigned gid,
			unsigned want)
{
	if (access_is_root(access))
		return !(want & X_OK) || S_ISDIR(mode) || (mode & 0111);
	if (access->identity->effective_uid == uid)
		mode >>= 6;
	else if (access_in_group(access, gid))
		mode >>= 3;
	return (mode & want) == want;
}

int node_may(const struct file_access *access, uint32_t raw, int want)
{
	unsigned mode, uid, gid;
	unsigned attributes = 0;

	if (raw_is_live(raw)) {
		struct file_status status;
		int error;

		/* Searching a folder is by far the most frequent. */
		if (access_is_root(access) && want == X_OK && live_at(access->fs, raw) &&
		    S_ISDIR(live_at(access->fs, raw)->mode))
			return 0;
		error = live_status(access, raw, &status);
		if (error)
			return error;
		mode = status.mode;
		uid = status.uid;
		gid = status.gid;
	} else {
		struct node_view view;

		if (!node_view(access->fs, raw, &view))
			return -ENOENT;
		mode = view.mode;
		uid = view.uid;
		gid = view.gid;
		attributes = view.attributes;
	}
	if (want & W_OK && !S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode) &&
	    !raw_is_live(raw)) {
		int error = node_writable_mount(access, raw);

		if (error)
			return error;
		if (attributes & FILE_IMMUTABLE && !access->fs->replaying)
			return -EPERM;
	}
	/* Nothing is ever executed there, root or not. */
	if (want & X_OK && S_ISREG(mode) && mount_of(access->fs, raw)->no_exec)
		return -EACCES;
	return mode_allows(access, mode, uid, gid, (unsigned)want & 7) ? 0 : -EACCES;
}

int file_system_may(const struct file_access *access, node_number number, int mode)
{
	uint32_t raw = file_system_raw(access->fs, number);

	return raw == RAW_NONE ? -ENOENT : node_may(access, raw, mode);
}
