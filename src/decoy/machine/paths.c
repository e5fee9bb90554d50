/* Calls on paths: from names to nodes, with the process's identity and working folder. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/process_state.h"

struct file_access process_file_access(struct process_entry *entry)
{
	struct machine *machine = entry->public.machine;

	return (struct file_access){machine->files, &entry->public.identity, &entry->public,
				    session_now(machine->session)};
}

/* The folder that holds the last part of a path, and that part's name. Trailing slashes are dropped
 * (and *is_folder says so). */
struct parent {
	node_number folder;
	char name[MACHINE_NAME_MAX + 1];
	bool is_folder;
};

static int find_parent(struct process_entry *entry, const char *path, struct parent *parent)
{
	struct file_access access = process_file_access(entry);
	size_t length = strlen(path), start;
	char *folder;
	int error = 0;

	if (length == 0)
		return -ENOENT;
	if (length >= MACHINE_PATH_MAX)
		return -ENAMETOOLONG;
	parent->is_folder = path[length - 1] == '/';
	while (length > 1 && path[length - 1] == '/')
		length--;
	start = length;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (length - start > MACHINE_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(parent->name, path + start, length - start);
	parent->name[length - start] = '\0';
	if (start == 0) {
		parent->folder = entry->folder;
		return 0;
	}
	folder = process_take(&entry->public, start + 1);
	memcpy(folder, path, start);
	parent->folder = file_system_walk(&access, entry->folder, folder, true, &error);
	process_give(&entry->public, folder);
	if (!parent->folder)
		return error ? error : -ENOENT;
	return 0;
}

static int find_node(struct process_entry *entry, const char *path, bool follow, node_number *node)
{
	struct file_access access = process_file_access(entry);
	int error = 0;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= MACHINE_PATH_MAX)
		return -ENAMETOOLONG;
	*node = file_system_walk(&access, entry->folder, path, follow, &error);
	return *node ? 0 : error ? error : -ENOENT;
}

/* --- opening --- */

static int open_device(struct process_entry *entry, const struct file_status *status, int flags)
{
	static const struct {
		unsigned major, minor;
		enum open_kind kind;
	} devices[] = {{1, 3, OPEN_NULL},   {1, 5, OPEN_ZERO},   {1, 7, OPEN_FULL},
		       {1, 8, OPEN_RANDOM}, {1, 9, OPEN_RANDOM}, {5, 0, OPEN_TERMINAL}};
	struct machine *machine = entry->public.machine;
	enum open_kind kind = OPEN_NODE;
	struct open_file *file;
	int descriptor;

	for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
		if (devices[i].major == status->device_major &&
		    devices[i].minor == status->device_minor)
			kind = devices[i].kind;
	if (status->device_major == 136)
		kind = OPEN_TERMINAL;
	if (kind == OPEN_NODE || (kind == OPEN_TERMINAL && !machine->terminal))
		return -ENXIO;
	file = open_file_new(machine, kind, flags);
	if (!file)
		return -ENFILE;
	descriptor = descriptor_give(entry, file, 0);
	if (descriptor < 0)
		open_file_release(machine, file);
	return descriptor;
}

static int make_file(struct process_entry *entry, const char *path, unsigned mode,
		     node_number *node)
{
	struct file_access access = process_file_access(entry);
	struct parent parent;
	int error = find_parent(entry, path, &parent);

	if (error < 0)
		return error;
	if (parent.is_folder)
		return -EISDIR;
	return file_system_make(&access, parent.folder, parent.name,
				S_IFREG | (mode & 07777 & ~entry->public.umask), 0, 0, node);
}

static int may_open(const struct file_access *access, node_number node, int flags,
		    const struct file_status *status)
{
	static const int wanted[] = {4, 2, 6, 6};
	int mode = wanted[flags & O_ACCMODE];

	if (S_ISDIR(status->mode) && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	if (flags & O_DIRECTORY && !S_ISDIR(status->mode))
		return -ENOTDIR;
	if (flags & O_TRUNC)
		mode |= 2;
	return file_system_may(access, node, mode);
}

static int open_node(struct process_entry *entry, node_number node, const char *path, int flags)
{
	struct machine *machine = entry->public.machine;
	struct file_access access = process_file_access(entry);
	struct open_file *file = open_file_new(machine, OPEN_NODE, flags);
	char real[MACHINE_PATH_MAX];
	int descriptor, error;

	if (!file)
		return -ENFILE;
	error = file_system_hold(&access, node);
	if (error < 0) {
		machine_give(machine, file, sizeof(*file));
		return error;
	}
	file->node = node;
	if (file_system_path(&access, node, real, sizeof(real)) < 0)
		snprintf(real, sizeof(real), "%s", path);
	file->path = machine_take(machine, strlen(real) + 1);
	if (file->path)
		memcpy(file->path, real, strlen(real) + 1);
	descriptor = descriptor_give(entry, file, 0);
	if (descriptor < 0) {
		open_file_release(machine, file);
		return descriptor;
	}
	entry->descriptors[descriptor].close_on_exec = (flags & O_CLOEXEC) != 0;
	return descriptor;
}

/* /dev/stdin, /dev/fd/N and /proc/self/fd/N are descriptors of the process. */
static int descriptor_named(const char *path)
{
	int64_t number;

	if (strcmp(path, "/dev/stdin") == 0)
		return 0;
	if (strcmp(path, "/dev/stdout") == 0)
		return 1;
	if (strcmp(path, "/dev/stderr") == 0)
		return 2;
	if (strncmp(path, "/dev/fd/", 8) == 0)
		path += 8;
	else if (strncmp(path, "/proc/self/fd/", 14) == 0)
		path += 14;
	else
		return -1;
	return slice_number(slice_text(path), 0, MACHINE_DESCRIPTORS_MAX, &number) < 0
		       ? -1
		       : (int)number;
}

int process_open(struct process *process, const char *path, int flags, unsigned mode)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct file_status status;
	node_number node;
	int own = descriptor_named(path), error, descriptor;

	process_step(process);
	if (own >= 0)
		return process_duplicate(process, own, -1);
	error = find_node(entry, path, !(flags & O_NOFOLLOW), &node);
	if (error == -ENOENT && flags & O_CREAT) {
		error = make_file(entry, path, mode, &node);
		if (error < 0)
			return error;
		descriptor = open_node(entry, node, path, flags);
		if (descriptor >= 0)
			entry->descriptors[descriptor].file->written = true;
		return descriptor;
	}
	if (error < 0)
		return error;
	if (flags & O_EXCL && flags & O_CREAT)
		return -EEXIST;
	error = file_system_status(&access, node, &status);
	if (error < 0)
		return error;
	if (S_ISLNK(status.mode))
		return -ELOOP;
	error = may_open(&access, node, flags, &status);
	if (error < 0)
		return error;
	if (S_ISCHR(status.mode) || S_ISBLK(status.mode))
		return open_device(entry, &status, flags);
	if (flags & O_TRUNC && S_ISREG(status.mode)) {
		error = file_system_truncate(&access, node, 0);
		if (error < 0)
			return error;
	}
	return open_node(entry, node, path, flags);
}

/* --- looking --- */

int process_stat(struct process *process, const char *path, bool follow, struct file_status *status)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	int own = descriptor_named(path), error;
	node_number node;

	if (own >= 0 && follow)
		return process_status_of(process, own, status);
	error = find_node(entry, path, follow, &node);
	return error < 0 ? error : file_system_status(&access, node, status);
}

int process_access(struct process *process, const char *path, int mode)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, true, &node);

	return error < 0 ? error : file_system_may(&access, node, mode);
}

ssize_t process_readlink(struct process *process, const char *path, char *target, size_t size)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, false, &node);
	ssize_t length;

	if (error < 0)
		return error;
	length = file_system_readlink(&access, node, target, size - 1);
	if (length >= 0)
		target[length] = '\0';
	return length;
}

int process_file_system_status(struct process *process, const char *path,
			       struct file_system_status *status)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, true, &node);

	return error < 0 ? error : file_system_statfs(&access, node, status);
}

ssize_t process_list(struct process *process, const char *path, struct folder_entry **entries)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct file_status status;
	size_t count = 0, capacity = 16;
	uint64_t position = 0;
	const char *name;
	node_number node, child;
	unsigned type;
	int error = find_node(entry, path, true, &node);

	if (error < 0)
		return error;
	error = file_system_status(&access, node, &status);
	if (error < 0)
		return error;
	if (!S_ISDIR(status.mode))
		return -ENOTDIR;
	error = file_system_may(&access, node, 4);
	if (error < 0)
		return error;
	*entries = process_take(process, capacity * sizeof(**entries));
	(*entries)[count++] = (struct folder_entry){process_copy_text(process, "."), node, S_IFDIR};
	child = file_system_walk(&access, node, "..", true, &error);
	(*entries)[count++] = (struct folder_entry){process_copy_text(process, ".."),
						    child ? child : node, S_IFDIR};
	while ((error = file_system_next(&access, node, &position, &name, &child, &type)) > 0) {
		if (count == capacity) {
			capacity *= 2;
			*entries = process_retake(process, *entries, capacity * sizeof(**entries));
		}
		(*entries)[count++] =
			(struct folder_entry){process_copy_text(process, name), child, type};
	}
	return error < 0 ? error : (ssize_t)count;
}

/* --- changing --- */

int process_make_folder(struct process *process, const char *path, unsigned mode)
{
	return process_make_node(process, path, S_IFDIR | (mode & 07777), 0);
}

int process_make_node(struct process *process, const char *path, unsigned mode, unsigned device)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent parent;
	node_number node;
	int error = find_parent(entry, path, &parent);

	process_step(process);
	if (error < 0)
		return error;
	if (strcmp(parent.name, ".") == 0 || strcmp(parent.name, "..") == 0 || !parent.name[0] ||
	    strcmp(parent.name, "/") == 0)
		return -EEXIST;
	return file_system_make(&access, parent.folder, parent.name, mode & ~entry->public.umask,
				device >> 8, device & 0xff, &node);
}

static int remove_path(struct process *process, const char *path, bool folder)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent parent;
	node_number node;
	int error = find_parent(entry, path, &parent);

	process_step(process);
	if (error < 0)
		return error;
	if (strcmp(parent.name, ".") == 0)
		return -EINVAL;
	if (strcmp(parent.name, "..") == 0)
		return -ENOTEMPTY;
	if (!parent.name[0] || strcmp(parent.name, "/") == 0)
		return folder ? -EBUSY : -EISDIR;
	if (!folder && find_node(entry, path, false, &node) == 0)
		capture_keep(process->machine, node);
	return file_system_remove(&access, parent.folder, parent.name, folder);
}

int process_unlink(struct process *process, const char *path)
{
	return remove_path(process, path, false);
}

int process_remove_folder(struct process *process, const char *path)
{
	return remove_path(process, path, true);
}

int process_rename(struct process *process, const char *from, const char *to)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent before, after;
	node_number node;
	int error = find_parent(entry, from, &before);

	process_step(process);
	if (error == 0)
		error = find_parent(entry, to, &after);
	if (error < 0)
		return error;
	if (find_node(entry, from, false, &node) == 0)
		capture_keep(process->machine, node);
	return file_system_rename(&access, before.folder, before.name, after.folder, after.name);
}

int process_link(struct process *process, const char *from, const char *to)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent parent;
	node_number node;
	int error = find_node(entry, from, false, &node);

	if (error == 0)
		error = find_parent(entry, to, &parent);
	return error < 0 ? error : file_system_link(&access, node, parent.folder, parent.name);
}

int process_symlink(struct process *process, const char *target, const char *path)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent parent;
	int error = find_parent(entry, path, &parent);

	return error < 0 ? error : file_system_symlink(&access, parent.folder, parent.name, target);
}

int process_change_mode(struct process *process, const char *path, unsigned mode)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, true, &node);

	return error < 0 ? error : file_system_change_mode(&access, node, mode & 07777);
}

int process_change_owner(struct process *process, const char *path, bool follow, unsigned uid,
			 unsigned gid)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, follow, &node);

	return error < 0 ? error : file_system_change_owner(&access, node, uid, gid);
}

int process_change_times(struct process *process, const char *path, bool follow, int64_t accessed,
			 int64_t modified)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, follow, &node);

	return error < 0 ? error : file_system_change_times(&access, node, accessed, modified);
}

int process_truncate(struct process *process, const char *path, uint64_t size)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number node;
	int error = find_node(entry, path, true, &node);

	if (error == 0)
		error = file_system_may(&access, node, 2);
	return error < 0 ? error : file_system_truncate(&access, node, size);
}

int process_clone_file(struct process *process, const char *from, const char *to, unsigned mode)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	node_number source, target;
	int descriptor, error = find_node(entry, from, true, &source);

	if (error == 0)
		error = file_system_may(&access, source, 4);
	if (error < 0)
		return error;
	descriptor = process_open(process, to, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (descriptor < 0)
		return descriptor;
	target = entry->descriptors[descriptor].file->node;
	if (entry->descriptors[descriptor].file->kind == OPEN_NODE)
		error = file_system_clone(&access, source, target);
	process_close(process, descriptor);
	return error;
}

/* --- the working folder --- */

const char *process_folder(struct process *process)
{
	return entry_of(process)->working_folder;
}

int process_change_folder(struct process *process, const char *path)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct file_status status;
	char real[MACHINE_PATH_MAX], *copy;
	node_number node;
	int error = find_node(entry, path, true, &node);

	if (error < 0)
		return error;
	error = file_system_status(&access, node, &status);
	if (error < 0)
		return error;
	if (!S_ISDIR(status.mode))
		return -ENOTDIR;
	error = file_system_may(&access, node, 1);
	if (error < 0)
		return error;
	error = file_system_path(&access, node, real, sizeof(real));
	if (error < 0)
		return error;
	copy = process_copy_text(process, real);
	process_give(process, entry->working_folder);
	entry->working_folder = copy;
	entry->folder = node;
	return 0;
}

int process_real_path(struct process *process, const char *path, bool all, char *real, size_t size)
{
	struct process_entry *entry = entry_of(process);
	struct file_access access = process_file_access(entry);
	struct parent parent;
	node_number node;
	size_t length;
	int error = find_node(entry, path, true, &node);

	if (error == 0)
		return file_system_path(&access, node, real, size);
	if (all || error != -ENOENT)
		return error;
	error = find_parent(entry, path, &parent);
	if (error == 0)
		error = file_system_path(&access, parent.folder, real, size);
	if (error < 0)
		return error;
	length = strlen(real);
	if ((size_t)snprintf(real + length, size - length, "%s%s", length > 1 ? "/" : "",
			     parent.name) >= size - length)
		return -ENAMETOOLONG;
	return 0;
}
