/* Making, removing, renaming; modes, owners, times. Each asks for the rights that Linux asks for,
 * in Linux's order, so that the words of the programs come out right. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "decoy/machine/file_system_inside.h"

static void note(const struct file_access *access, enum journal_word word, uint32_t raw,
		 const char *other, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	char path[MACHINE_PATH_MAX];

	if (access->fs->replaying || raw_path(access->fs, raw, path, sizeof(path)) < 0)
		return;
	journal_note(access->fs, &(struct journal_record){.word = word,
							  .now = access->now,
							  .path = path,
							  .other = other,
							  .numbers = {a, b, c, d}});
	journal_flush(access->fs);
}

/* Path of a name that may not be there (any more). */
static int name_path(struct file_system *fs, uint32_t folder, const char *name, char *path,
		     size_t size)
{
	int error = raw_path(fs, folder, path, size);
	size_t length = error ? 0 : strlen(path);

	if (error)
		return error;
	if (length == 1)
		length = 0;
	if (length + strlen(name) + 2 > size)
		return -ENAMETOOLONG;
	path[length] = '/';
	memcpy(path + length + 1, name, strlen(name) + 1);
	return 0;
}

static bool exists_below(struct file_system *fs, uint32_t folder, uint64_t hash, const char *name)
{
	const struct image *image = fs->all->image;
	const struct upper_node *story = layer_find(&fs->all->story, folder);
	const struct change *told = NULL;

	if (fs->users && story)
		told = changes_find(story, hash, name, strlen(name));
	if (told)
		return told->raw != RAW_NONE;
	return folder < image->node_count && S_ISDIR(image->nodes[folder].mode) &&
	       image_find(image, folder, hash, name, strlen(name)) != UINT32_MAX;
}

static int put_name(struct file_system *fs, struct upper_node *folder, const char *name,
		    uint32_t raw)
{
	struct layer *layer = own_layer(fs);
	uint32_t before = folder->change_count;
	int error;

	/* Links are names that no file counts for. */
	if (fs->users && layer->names >= MACHINE_SOURCE_NAMES_MAX)
		return -ENOSPC;
	error = changes_set(folder, image_name_hash(fs->all->image, name, strlen(name)), name,
			    strlen(name), raw);
	layer->names += folder->change_count - before;
	return error;
}

static int take_name(struct file_system *fs, struct upper_node *folder, const char *name)
{
	uint64_t hash = image_name_hash(fs->all->image, name, strlen(name));
	uint32_t before = folder->change_count;
	int error = 0;

	if (exists_below(fs, folder->raw, hash, name))
		error = changes_set(folder, hash, name, strlen(name), RAW_NONE);
	else
		changes_unset(folder, hash);
	own_layer(fs)->names += folder->change_count - before;
	return error;
}

/* A folder that names are to be changed in: 0, or why not. */
static int folder_for_change(const struct file_access *access, node_number number, const char *name,
			     uint32_t *folder)
{
	struct node_view view;
	size_t length = strlen(name);
	int error;

	*folder = file_system_raw(access->fs, number);
	if (*folder == RAW_NONE)
		return -ENOENT;
	if (length > MACHINE_NAME_MAX)
		return -ENAMETOOLONG;
	if (length == 0 || memchr(name, '/', length))
		return -ENOENT;
	if (raw_is_live(*folder)) {
		const struct live_node *live = live_at(access->fs, *folder);

		if (!live || live_find(access, *folder, name, length) == RAW_NONE) {
			const char *type =
				live ? access->fs->all->mounts[live->mount].type : "proc";

			return strcmp(type, "proc") ? -EACCES : -ENOENT;
		}
		return -EPERM;
	}
	if (!node_view(access->fs, *folder, &view))
		return -ENOENT;
	if (!S_ISDIR(view.mode))
		return -ENOTDIR;
	if (!view.links && view.upper)
		return -ENOENT; /* removed, and somebody still stands in it */
	error = node_may(access, *folder, X_OK);
	return error;
}

static int may_change(const struct file_access *access, uint32_t folder)
{
	int error = node_writable_mount(access, folder);

	return error ? error : node_may(access, folder, W_OK | X_OK);
}

/* A sticky folder's files are their owners'. */
static int may_remove(const struct file_access *access, uint32_t folder, uint32_t raw)
{
	struct node_view parent, view;
	int error = may_change(access, folder);

	if (error)
		return error;
	if (!node_view(access->fs, folder, &parent) || !node_view(access->fs, raw, &view))
		return -ENOENT;
	if (parent.mode & S_ISVTX && !access_owns(access, view.uid) &&
	    !access_owns(access, parent.uid))
		return -EPERM;
	if ((view.attributes & (FILE_IMMUTABLE | FILE_APPEND_ONLY) ||
	     parent.attributes & FILE_APPEND_ONLY) &&
	    !access->fs->replaying)
		return -EPERM;
	return 0;
}

static void touched(struct upper_node *folder, int64_t now)
{
	folder->modified = folder->changed = now;
}

static struct upper_node *new_node(const struct file_access *access, struct upper_node *folder,
				   const char *name, unsigned mode, int *error)
{
	struct file_system *fs = access->fs;
	struct layer *layer = own_layer(fs);
	uint32_t raw = (fs->users ? RAW_SOURCE : RAW_STORY) + layer->made;
	struct upper_node *node;

	*error = -ENOSPC;
	if (fs->users ? layer->files >= MACHINE_SOURCE_FILES_MAX || raw >= RAW_LIVE
		      : layer->made >= STORY_NODES_MAX)
		return NULL;
	node = layer_add(layer, raw);
	*error = -ENOMEM;
	if (!node)
		return NULL;
	node->name = strdup(name);
	node->parent = folder->raw;
	node->content_image = RAW_NONE;
	*error = node->name ? put_name(fs, folder, name, raw) : -ENOMEM;
	if (*error) {
		layer_drop(layer, node);
		return NULL;
	}
	layer->made++;
	layer->files++;
	node->mode = mode;
	node->links = S_ISDIR(mode) ? 2 : 1;
	node->size = S_ISDIR(mode) ? 4096 : 0;
	if (access->identity) {
		node->uid = access->identity->effective_uid;
		node->gid = access->identity->effective_gid;
	}
	if (folder->mode & S_ISGID) {
		node->gid = folder->gid;
		if (S_ISDIR(mode))
			node->mode |= S_ISGID;
	}
	node->accessed = node->born = access->now;
	touched(node, access->now);
	touched(folder, access->now);
	if (S_ISDIR(mode))
		folder->links++;
	return node;
}

/* Checks and the folder's own record for a new name. */
static struct upper_node *folder_for_new(const struct file_access *access, node_number number,
					 const char *name, int *error)
{
	uint32_t folder;

	*error = folder_for_change(access, number, name, &folder);
	if (*error)
		return NULL;
	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    folder_find(access->fs, folder, name, strlen(name)) != RAW_NONE) {
		*error = -EEXIST;
		return NULL;
	}
	*error = may_change(access, folder);
	return *error ? NULL : node_own(access->fs, folder, error);
}

int file_system_make(const struct file_access *access, node_number number, const char *name,
		     unsigned mode, unsigned device_major, unsigned device_minor, node_number *made)
{
	int error;
	struct upper_node *folder = folder_for_new(access, number, name, &error), *node;

	if (!folder)
		return error;
	if ((mode & S_IFMT) == 0)
		mode |= S_IFREG;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !access_is_root(access))
		return -EPERM;
	node = new_node(access, folder, name, mode, &error);
	if (!node)
		return error;
	node->major = device_major;
	node->minor = device_minor;
	if (made)
		*made = file_system_number(access->fs, node->raw);
	note(access, JOURNAL_MAKE, node->raw, NULL, node->mode,
	     (uint64_t)node->uid << 32 | node->gid, device_major, device_minor);
	return 0;
}

int file_system_symlink(const struct file_access *access, node_number number, const char *name,
			const char *target)
{
	size_t length = strlen(target);
	int error;
	struct upper_node *folder, *node;

	if (length == 0)
		return -ENOENT;
	if (length >= MACHINE_PATH_MAX)
		return -ENAMETOOLONG;
	folder = folder_for_new(access, number, name, &error);
	if (!folder)
		return error;
	/* Long targets are contents as a file's are. */
	if (length >= TARGET_FREE && content_charge(access->fs, length))
		return -ENOSPC;
	node = new_node(access, folder, name, S_IFLNK | 0777, &error);
	if (!node) {
		if (length >= TARGET_FREE)
			content_discharge(access->fs, length);
		return error;
	}
	node->target = strdup(target);
	node->size = length;
	node->charged = length >= TARGET_FREE;
	note(access, JOURNAL_SYMLINK, node->raw, target, (uint64_t)node->uid << 32 | node->gid, 0,
	     0, 0);
	return 0;
}

int file_system_link(const struct file_access *access, node_number number, node_number to,
		     const char *name)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	char from[MACHINE_PATH_MAX], path[MACHINE_PATH_MAX];
	struct node_view view;
	struct upper_node *folder, *node;
	int error;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw))
		return -EXDEV;
	if (!node_view(fs, raw, &view))
		return -ENOENT;
	folder = folder_for_new(access, to, name, &error);
	if (!folder)
		return error;
	if (mount_of(fs, raw) != mount_of(fs, folder->raw))
		return -EXDEV;
	if (S_ISDIR(view.mode) ||
	    (view.attributes & (FILE_IMMUTABLE | FILE_APPEND_ONLY) && !fs->replaying))
		return -EPERM;
	/* fs.protected_hardlinks, as Debian sets it. */
	if (!access_owns(access, view.uid) &&
	    (!S_ISREG(view.mode) || view.mode & S_ISUID || node_may(access, raw, R_OK | W_OK)))
		return -EPERM;
	if (!view.links)
		return -ENOENT;
	node = node_own(fs, raw, &error);
	if (!node)
		return error;
	error = put_name(fs, folder, name, raw);
	if (error)
		return error;
	if (raw_path(fs, raw, from, sizeof(from)) == 0 && !fs->replaying &&
	    name_path(fs, folder->raw, name, path, sizeof(path)) == 0) {
		journal_note(fs, &(struct journal_record){.word = JOURNAL_LINK,
							  .now = access->now,
							  .path = path,
							  .other = from});
		journal_flush(fs);
	}
	node->links++;
	node->changed = access->now;
	touched(folder, access->now);
	return 0;
}

/* After a name of a node is gone. */
static void lost_name(const struct file_access *access, struct upper_node *node,
		      const struct upper_node *folder, const char *name)
{
	node->changed = access->now;
	if (S_ISDIR(node->mode))
		node->links = 0;
	else if (node->links)
		node->links--;
	if (node->links && node->parent == folder->raw && !strcmp(node->name, name))
		node_rename_after_loss(access->fs, node);
	node_settle(access->fs, node);
}

int file_system_remove(const struct file_access *access, node_number parent, const char *name,
		       bool remove_folder)
{
	struct file_system *fs = access->fs;
	char path[MACHINE_PATH_MAX];
	struct upper_node *folder, *node;
	struct node_view view;
	uint32_t number, raw;
	int error;

	if (!strcmp(name, "."))
		return remove_folder ? -EINVAL : -EISDIR;
	if (!strcmp(name, ".."))
		return remove_folder ? -ENOTEMPTY : -EISDIR;
	error = folder_for_change(access, parent, name, &number);
	if (error)
		return error == -EACCES && raw_is_live(number) ? -ENOENT : error;
	raw = folder_find(fs, number, name, strlen(name));
	if (raw == RAW_NONE)
		return -ENOENT;
	error = may_remove(access, number, raw);
	if (error)
		return error;
	if (raw_is_live(raw))
		return -EBUSY;
	if (!node_view(fs, raw, &view))
		return -ENOENT;
	if (remove_folder && !S_ISDIR(view.mode))
		return -ENOTDIR;
	if (!remove_folder && S_ISDIR(view.mode))
		return -EISDIR;
	if (S_ISDIR(view.mode) && is_mount_point(fs, raw))
		return -EBUSY;
	if (remove_folder && !folder_is_empty(fs, raw))
		return -ENOTEMPTY;
	folder = node_own(fs, number, &error);
	node = folder ? node_own(fs, raw, &error) : NULL;
	if (!node)
		return error;
	error = take_name(fs, folder, name);
	if (error)
		return error;
	if (remove_folder && folder->links > 2)
		folder->links--;
	touched(folder, access->now);
	lost_name(access, node, folder, name);
	if (!fs->replaying && name_path(fs, number, name, path, sizeof(path)) == 0) {
		journal_note(fs, &(struct journal_record){.word = JOURNAL_REMOVE,
							  .now = access->now,
							  .path = path,
							  .numbers = {remove_folder}});
		journal_flush(fs);
	}
	return 0;
}

/* --- rename --- */

static bool is_inside(struct file_system *fs, uint32_t raw, uint32_t folder)
{
	for (unsigned depth = 0; raw != 0 && depth < MACHINE_PATH_MAX; depth++) {
		if (raw == folder)
			return true;
		raw = folder_parent(fs, raw);
	}
	return raw != 0 || folder == 0;
}

/* What stands at the new name must make room. */
static int may_replace(const struct file_access *access, uint32_t folder, uint32_t raw,
		       uint32_t target)
{
	struct node_view view, other;
	int error = may_remove(access, folder, target);

	if (error)
		return error;
	if (!node_view(access->fs, raw, &view) || !node_view(access->fs, target, &other))
		return -ENOENT;
	if (S_ISDIR(view.mode) && !S_ISDIR(other.mode))
		return -ENOTDIR;
	if (!S_ISDIR(view.mode) && S_ISDIR(other.mode))
		return -EISDIR;
	if (is_mount_point(access->fs, target))
		return -EBUSY;
	return S_ISDIR(other.mode) && !folder_is_empty(access->fs, target) ? -ENOTEMPTY : 0;
}

static int move(const struct file_access *access, struct upper_node *from, const char *name,
		struct upper_node *to, const char *new_name, struct upper_node *node)
{
	struct file_system *fs = access->fs;
	char *copy = strdup(new_name);
	int error = copy ? put_name(fs, to, new_name, node->raw) : -ENOMEM;

	if (!error)
		error = take_name(fs, from, name);
	if (error) {
		free(copy);
		return error;
	}
	free(node->name);
	node->name = copy;
	node->parent = to->raw;
	node->changed = access->now;
	if (S_ISDIR(node->mode) && from != to) {
		if (from->links > 2)
			from->links--;
		to->links++;
	}
	touched(from, access->now);
	touched(to, access->now);
	return 0;
}

static void note_rename(const struct file_access *access, const char *from, const char *to)
{
	journal_note(access->fs, &(struct journal_record){.word = JOURNAL_RENAME,
							  .now = access->now,
							  .path = from,
							  .other = to});
	journal_flush(access->fs);
}

int file_system_rename(const struct file_access *access, node_number from_folder, const char *from,
		       node_number to_folder, const char *to)
{
	struct file_system *fs = access->fs;
	uint32_t source, destination, raw, target;
	char path[MACHINE_PATH_MAX], new_path[MACHINE_PATH_MAX];
	struct upper_node *old_folder, *new_folder, *node, *replaced = NULL;
	struct node_view view;
	int error;

	if (!strcmp(from, ".") || !strcmp(from, "..") || !strcmp(to, ".") || !strcmp(to, ".."))
		return -EBUSY;
	if ((error = folder_for_change(access, from_folder, from, &source)) != 0 ||
	    (error = folder_for_change(access, to_folder, to, &destination)) != 0)
		return error;
	if (mount_of(fs, source) != mount_of(fs, destination))
		return -EXDEV;
	raw = folder_find(fs, source, from, strlen(from));
	if (raw == RAW_NONE || !node_view(fs, raw, &view))
		return -ENOENT;
	if (raw_is_live(raw) || (S_ISDIR(view.mode) && is_mount_point(fs, raw)))
		return -EBUSY;
	if (S_ISDIR(view.mode) && is_inside(fs, destination, raw))
		return -EINVAL;
	target = folder_find(fs, destination, to, strlen(to));
	if (raw_is_live(target))
		return -EBUSY;
	if (target != RAW_NONE && is_inside(fs, source, target) && raw != target)
		return -ENOTEMPTY;
	error = may_remove(access, source, raw);
	if (!error)
		error = target == RAW_NONE ? may_change(access, destination)
			: target == raw    ? 0
					   : may_replace(access, destination, raw, target);
	/* A folder that changes its parent is written to: its "..". */
	if (!error && S_ISDIR(view.mode) && source != destination)
		error = node_may(access, raw, W_OK);
	if (error || target == raw)
		return error;
	old_folder = node_own(fs, source, &error);
	new_folder = old_folder ? node_own(fs, destination, &error) : NULL;
	node = new_folder ? node_own(fs, raw, &error) : NULL;
	if (node && target != RAW_NONE)
		replaced = node_own(fs, target, &error);
	if (!node || (target != RAW_NONE && !replaced))
		return error;
	if ((error = name_path(fs, source, from, path, sizeof(path))) != 0 ||
	    (error = name_path(fs, destination, to, new_path, sizeof(new_path))) != 0)
		return error;
	error = move(access, old_folder, from, new_folder, to, node);
	if (error)
		return error;
	if (replaced) {
		if (S_ISDIR(replaced->mode) && new_folder->links > 2)
			new_folder->links--;
		lost_name(access, replaced, new_folder, to);
	}
	note_rename(access, path, new_path);
	return 0;
}

int file_system_place(const struct file_access *access, uint32_t number, const char *name,
		      uint32_t raw)
{
	int error;
	struct upper_node *folder = node_own(access->fs, number, &error);
	struct upper_node *node = folder ? node_own(access->fs, raw, &error) : NULL;
	char *copy = node ? strdup(name) : NULL;

	if (!copy)
		return node ? -ENOMEM : error;
	if (S_ISDIR(node->mode) && is_inside(access->fs, number, raw)) {
		free(copy);
		return -EINVAL;
	}
	/* A folder has one name. */
	if (S_ISDIR(node->mode) &&
	    folder_find(access->fs, node->parent, node->name, strlen(node->name)) == raw) {
		struct upper_node *before = node_own(access->fs, node->parent, &error);

		if (before && take_name(access->fs, before, node->name) == 0 && before->links > 2)
			before->links--;
	}
	error = put_name(access->fs, folder, name, raw);
	if (error) {
		free(copy);
		return error;
	}
	free(node->name);
	node->name = copy;
	node->parent = number;
	if (S_ISDIR(node->mode))
		folder->links++;
	else
		node->links++;
	return 0;
}

int file_system_vanish(const struct file_access *access, uint32_t number, const char *name)
{
	int error;
	struct upper_node *folder = node_own(access->fs, number, &error), *node;
	uint32_t raw = folder ? folder_find(access->fs, number, name, strlen(name)) : RAW_NONE;

	if (raw == RAW_NONE || raw_is_live(raw))
		return folder ? -ENOENT : error;
	node = node_own(access->fs, raw, &error);
	if (!node)
		return error;
	if (S_ISDIR(node->mode)) {
		if (folder->links > 2)
			folder->links--;
	} else if (node->links) {
		node->links--;
	}
	return take_name(access->fs, folder, name);
}

/* --- links, modes, owners, times --- */

ssize_t file_system_readlink(const struct file_access *access, node_number number, char *target,
			     size_t size)
{
	uint32_t raw = file_system_raw(access->fs, number);
	struct node_view view;
	const char *text;
	size_t length;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw))
		return live_target(access, raw, target, size);
	if (!node_view(access->fs, raw, &view))
		return -ENOENT;
	if (!S_ISLNK(view.mode))
		return -EINVAL;
	text = view.upper ? view.upper->target : image_target(access->fs->all->image, raw);
	length = text ? strlen(text) : 0;
	if (length > size)
		length = size;
	if (length)
		memcpy(target, text, length);
	return (ssize_t)length;
}

/* The record of a node whose state is to be changed. */
static struct upper_node *for_state(const struct file_access *access, node_number number,
				    int *error)
{
	uint32_t raw = file_system_raw(access->fs, number);
	struct node_view view;

	*error = -ENOENT;
	if (raw == RAW_NONE)
		return NULL;
	if (raw_is_live(raw)) {
		*error = -EPERM;
		return NULL;
	}
	if (!node_view(access->fs, raw, &view))
		return NULL;
	*error = node_writable_mount(access, raw);
	if (*error)
		return NULL;
	*error = -EPERM;
	if (view.attributes & FILE_IMMUTABLE && !access->fs->replaying)
		return NULL;
	return node_own(access->fs, raw, error);
}

int file_system_change_mode(const struct file_access *access, node_number number, unsigned mode)
{
	int error;
	struct file_status status;
	struct upper_node *node;

	error = file_system_status(access, number, &status);
	if (error)
		return error;
	if (!access_owns(access, status.uid))
		return -EPERM;
	node = for_state(access, number, &error);
	if (!node)
		return error;
	mode &= 07777;
	if (!access_is_root(access) && !access_in_group(access, node->gid))
		mode &= ~(unsigned)S_ISGID;
	node->mode = (node->mode & S_IFMT) | mode;
	node->changed = access->now;
	if (node->links)
		note(access, JOURNAL_MODE, node->raw, NULL, mode, 0, 0, 0);
	return 0;
}

int file_system_change_owner(const struct file_access *access, node_number number, unsigned uid,
			     unsigned gid)
{
	int error;
	struct file_status status;
	struct upper_node *node;

	error = file_system_status(access, number, &status);
	if (error)
		return error;
	if (!access_is_root(access) &&
	    ((uid != ~0u && uid != status.uid) || !access_owns(access, status.uid) ||
	     (gid != ~0u && gid != status.gid && !access_in_group(access, gid))))
		return -EPERM;
	node = for_state(access, number, &error);
	if (!node)
		return error;
	if (uid != ~0u)
		node->uid = uid;
	if (gid != ~0u)
		node->gid = gid;
	if (S_ISREG(node->mode))
		node->mode &= ~(unsigned)(S_ISUID | (node->mode & S_IXGRP ? S_ISGID : 0));
	node->changed = access->now;
	if (node->links)
		note(access, JOURNAL_OWNER, node->raw, NULL, node->uid, node->gid, 0, 0);
	return 0;
}

int file_system_change_times(const struct file_access *access, node_number number, int64_t accessed,
			     int64_t modified)
{
	int error;
	struct file_status status;
	struct upper_node *node;

	error = file_system_status(access, number, &status);
	if (error)
		return error;
	/* "Now" needs the right to write only. */
	if (!access_owns(access, status.uid)) {
		if (accessed != access->now || modified != access->now)
			return -EPERM;
		error = file_system_may(access, number, W_OK);
		if (error)
			return error;
	}
	if (raw_is_live(file_system_raw(access->fs, number)))
		return 0;
	node = for_state(access, number, &error);
	if (!node)
		return error;
	node->accessed = accessed;
	node->modified = modified;
	node->changed = access->now;
	if (node->links)
		note(access, JOURNAL_TIMES, node->raw, NULL, (uint64_t)accessed, (uint64_t)modified,
		     0, 0);
	return 0;
}

static bool has_attributes(const struct file_access *access, uint32_t raw)
{
	return !strncmp(mount_of(access->fs, raw)->type, "ext", 3);
}

int file_system_attributes(const struct file_access *access, node_number number,
			   unsigned *attributes)
{
	uint32_t raw = file_system_raw(access->fs, number);
	struct node_view view;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw) || !has_attributes(access, raw))
		return -ENOTTY;
	if (!node_view(access->fs, raw, &view))
		return -ENOENT;
	*attributes = view.attributes;
	return 0;
}

int file_system_change_attributes(const struct file_access *access, node_number number,
				  unsigned attributes)
{
	unsigned before;
	uint32_t raw = file_system_raw(access->fs, number);
	struct upper_node *node;
	int error = file_system_attributes(access, number, &before);

	if (error)
		return error;
	error = node_writable_mount(access, raw);
	if (error)
		return error;
	if (!access_is_root(access))
		return -EPERM;
	node = node_own(access->fs, raw, &error);
	if (!node)
		return error;
	node->attributes = attributes;
	node->changed = access->now;
	note(access, JOURNAL_ATTRIBUTES, raw, NULL, attributes, 0, 0, 0);
	return 0;
}
