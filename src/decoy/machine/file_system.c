/* Views: opening and closing, walking paths, what a node is like. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/machine/file_system_inside.h"
#include "decoy/machine/hardware.h"
#include "decoy/machine/host_state.h"

/* --- what the host's story adds to the image --- */

int file_system_make_parents(const struct file_access *access, const char *path,
			     node_number *folder, char name[MACHINE_NAME_MAX + 1])
{
	struct slice rest = slice_text(path), part, last = {0};
	int error = 0;

	*folder = file_system_root(access->fs);
	while (slice_next(&rest, '/', &part)) {
		if (part.length == 0)
			continue;
		if (part.length > MACHINE_NAME_MAX)
			return -ENAMETOOLONG;
		if (last.length) {
			node_number next;

			memcpy(name, last.at, last.length);
			name[last.length] = '\0';
			next = file_system_walk(access, *folder, name, true, &error);
			if (!next) {
				error = file_system_make(access, *folder, name, S_IFDIR | 0755, 0,
							 0, &next);
				if (error)
					return error;
			}
			*folder = next;
		}
		last = part;
	}
	if (!last.length)
		return -EEXIST;
	memcpy(name, last.at, last.length);
	name[last.length] = '\0';
	return 0;
}

static void tell_file(const struct file_access *access, const struct host_file *file)
{
	char name[MACHINE_NAME_MAX + 1];
	node_number folder, node;
	struct upper_node *own;
	int error;

	if (file_system_make_parents(access, file->path, &folder, name) < 0)
		return;
	if (file->target) {
		node = file_system_walk(access, folder, name, false, &error);
		if (node)
			(void)file_system_remove(access, folder, name, false);
		(void)file_system_symlink(access, folder, name, file->target);
		return;
	}
	node = file_system_walk(access, folder, name, true, &error);
	if (!node) {
		unsigned type = file->mode & S_IFMT ? file->mode & S_IFMT : S_IFREG;

		(void)file_system_make(access, folder, name, type | (file->mode & 07777), 0, 0,
				       &node);
	}
	own = node ? node_own(access->fs, file_system_raw(access->fs, node), &error) : NULL;
	if (!own)
		return;
	if (file->added)
		(void)!file_system_write(access, node, own->size, file->contents);
	own->mode = (own->mode & S_IFMT) | (file->mode & 07777);
	own->uid = file->uid;
	own->gid = file->gid;
	if (file->modified)
		own->modified = own->changed = own->accessed = file->modified;
	if (S_ISREG(own->mode) && !file->added &&
	    content_own(access->fs, own, file->contents.length) == 0) {
		if (file->contents.length)
			memcpy(own->bytes, file->contents.at, file->contents.length);
		own->size = file->contents.length;
	}
}

/* A file that is there for its size and time. */
static void tell_size(const struct file_access *access, const char *path, unsigned mode,
		      uint64_t size)
{
	struct host_file file = {.path = path, .mode = mode, .modified = access->now};
	node_number number;
	struct upper_node *own;
	int error;

	tell_file(access, &file);
	number = file_system_walk(access, file_system_root(access->fs), path, true, &error);
	own = number ? node_own(access->fs, file_system_raw(access->fs, number), &error) : NULL;
	if (own && S_ISREG(own->mode) && own->size == 0) {
		own->content = CONTENT_HOLES;
		own->size = size;
	}
}

/* What a kernel's package brings, whose version is the persona's, and ext4 itself. */
static void tell_kernel(const struct file_access *access, const struct host *host)
{
	static const struct {
		const char *name;
		unsigned mode;
		uint32_t size;
	} parts[] = {{"/boot/System.map-%s", 0644, 83},
		     {"/boot/config-%s", 0644, 259487},
		     {"/boot/initrd.img-%s", 0644, 27905621},
		     {"/boot/vmlinuz-%s", 0644, 8189888},
		     {"/usr/lib/modules/%s/modules.alias", 0644, 1306782},
		     {"/usr/lib/modules/%s/modules.builtin", 0644, 9327},
		     {"/usr/lib/modules/%s/modules.dep", 0644, 616233},
		     {"/usr/lib/modules/%s/modules.order", 0644, 227153},
		     {"/usr/lib/modules/%s/modules.symbols", 0644, 691250},
		     {"/usr/lib/modules/%s/kernel/lib/crc-itu-t.ko", 0644, 4377}};
	const char *release = host_names(host)->release;
	char path[256], target[128];

	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		struct slice front = slice_text(parts[i].name);
		size_t at = slice_find(front, SLICE("%s"));

		snprintf(path, sizeof(path), "%.*s%s%s", (int)at, parts[i].name, release,
			 parts[i].name + at + 2);
		tell_size(access, path, parts[i].mode,
			  parts[i].size -
				  (parts[i].size > 100000 ? strlen(release) * 977 % 4096 : 0));
	}
	snprintf(path, sizeof(path), "/boot/System.map-%s", release);
	tell_file(access,
		  &(struct host_file){
			  .path = path,
			  .mode = 0644,
			  .modified = access->now,
			  .contents = SLICE("ffffffffffffffff B The real System.map is in the "
					    "linux-image-<version>-dbg package\n")});
	snprintf(target, sizeof(target), "boot/vmlinuz-%s", release);
	tell_file(access, &(struct host_file){.path = "/vmlinuz", .target = target});
	tell_file(access, &(struct host_file){.path = "/vmlinuz.old", .target = target});
	snprintf(target, sizeof(target), "boot/initrd.img-%s", release);
	tell_file(access, &(struct host_file){.path = "/initrd.img", .target = target});
	tell_file(access, &(struct host_file){.path = "/initrd.img.old", .target = target});
}

/* The files of the modules that are loaded, and who needs whom. */
static void tell_modules(const struct file_access *access, const struct host *host)
{
	const char *release = host_names(host)->release;
	const struct host_module *modules;
	size_t count = host_modules(host, &modules);
	struct writer needs = writer_growing((size_t)64 * 1024);
	char path[256], file[160], names[256];

	for (size_t i = 0; i < count; i++) {
		struct slice rest, name;

		host_module_path(modules[i].name, file, sizeof(file));
		(void)snprintf(path, sizeof(path), "/usr/lib/modules/%s/%s", release, file);
		/* On disk there are the symbols and the signature too. */
		tell_size(access, path, 0644, modules[i].size + modules[i].size / 3 + 2713);
		writer_format(&needs, "%s:", file);
		host_module_needs(host, modules[i].name, names, sizeof(names));
		rest = slice_text(names);
		while (slice_next(&rest, ',', &name)) {
			char needed[64], other[160];

			(void)snprintf(needed, sizeof(needed), "%.*s", (int)name.length,
				       (const char *)name.at);
			host_module_path(needed, other, sizeof(other));
			writer_format(&needs, " %s", other);
		}
		writer_u8(&needs, '\n');
	}
	(void)snprintf(path, sizeof(path), "/usr/lib/modules/%s/modules.dep", release);
	tell_file(access, &(struct host_file){.path = path,
					      .mode = 0644,
					      .modified = access->now,
					      .contents = writer_slice(&needs)});
	writer_free(&needs);
}

static void tell_disk(const struct file_access *access, const struct host *host)
{
	node_number made;

	if (strncmp(access->fs->all->mounts[0].type, "ext", 3) != 0)
		return;
	(void)file_system_make(access, file_system_root(access->fs), "lost+found", S_IFDIR | 0700,
			       0, 0, &made);
	if (host && host_kind(host) == HOST_DEBIAN) {
		tell_kernel(access, host);
		tell_modules(access, host);
	}
}

static void tell_story(struct file_systems *all, struct file_system *fs, int64_t now)
{
	struct file_access access = {.fs = fs, .now = now};
	struct host_file file;

	all->story_told = true;
	if (all->host)
		all->installed = all->host->os_installed;
	if (!all->installed)
		all->installed = now - 200 * DAY;
	access.now = all->installed;
	fs->replaying = true; /* nothing of this is a source's */
	/* New nodes go to the story's layer while story_told is true and fs has no users yet. */
	mounts_setup(all, fs, now);
	tell_disk(&access, all->host);
	for (size_t i = 0; all->host && host_file(all->host, i, &file); i++)
		tell_file(&access, &file);
	fs->replaying = false;
}

struct layer *own_layer(struct file_system *fs)
{
	return fs->users ? &fs->layer : &fs->all->story;
}

/* --- all of a worker --- */

struct file_systems *file_systems_new(const struct image *image, const struct host *host,
				      int folder)
{
	struct file_systems *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->image = image;
	all->host = host;
	all->folder = folder;
	file_system_number_setup(all);
	journal_setup(all);
	return all;
}

void file_systems_free(struct file_systems *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(all->open); i++)
		while (all->open[i]) {
			all->open[i]->users = 1;
			file_system_close(all->open[i]);
		}
	layer_free(&all->story);
	image_cache_free(&all->cache);
	free(all);
}

/* Whoever has an IPv6 address has a network of them. */
static struct address key_address(const struct address *source)
{
	return source->family == 6 ? address_network(source, 64) : *source;
}

static struct file_system **bucket(struct file_systems *all, const struct address *source)
{
	uint64_t hash =
		hash_sip(all->journal_key[0], slice_of(source->bytes, sizeof(source->bytes)));

	return &all->open[hash % ARRAY_COUNT(all->open)];
}

struct file_system *file_system_open(struct file_systems *all, const struct address *source,
				     int64_t now)
{
	struct address key = key_address(source);
	struct file_system **list = bucket(all, &key), *fs;

	for (fs = *list; fs; fs = fs->next)
		if (address_equal(&fs->source, &key)) {
			fs->users++;
			journal_open(fs, now);
			return fs;
		}
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return NULL;
	fs->all = all;
	fs->source = key;
	fs->journal.file = -1;
	if (!all->story_told)
		tell_story(all, fs, now);
	fs->users = 1;
	fs->next = *list;
	*list = fs;
	journal_open(fs, now);
	return fs;
}

void file_system_close(struct file_system *fs)
{
	struct file_system **at;

	if (!fs)
		return;
	journal_flush(fs);
	if (--fs->users)
		return;
	at = bucket(fs->all, &fs->source);
	while (*at && *at != fs)
		at = &(*at)->next;
	if (*at)
		*at = fs->next;
	fs->users = 1; /* for own_layer */
	journal_close(fs);
	fs->all->bytes -= fs->layer.bytes;
	layer_free(&fs->layer);
	free(fs->live);
	writer_free(&fs->rendered);
	free(fs);
}

/* --- nodes --- */

static void view_upper(struct node_view *view, const struct upper_node *node)
{
	*view = (struct node_view){
		.upper = node,
		.image = RAW_NONE,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.links = node->links,
		.major = node->major,
		.minor = node->minor,
		.attributes = node->attributes,
		.size = node->size,
		.accessed = node->accessed,
		.modified = node->modified,
		.changed = node->changed,
		.born = node->born,
	};
}

static void view_image(struct node_view *view, const struct file_systems *all, uint32_t raw)
{
	const struct image_node *node = &all->image->nodes[raw];
	/* Unpacked one after the other within some minutes. */
	int64_t unpacked = all->installed + (int64_t)raw * 5 * MILLISECOND + raw % 977;

	*view = (struct node_view){
		.image = raw,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.links = node->links,
		.size = node->size,
		.modified = node->modified,
		.born = unpacked,
	};
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode)) {
		view->major = (unsigned)(node->position >> 32);
		view->minor = (unsigned)node->position;
	}
	if (node->flags & IMAGE_INSTALLED)
		view->modified += all->installed;
	view->changed = view->modified > unpacked ? view->modified : unpacked;
	view->accessed = view->changed;
}

bool node_view(struct file_system *fs, uint32_t raw, struct node_view *view)
{
	const struct upper_node *node = layer_find(&fs->layer, raw);

	if (!node)
		node = layer_find(&fs->all->story, raw);
	if (node) {
		view_upper(view, node);
		return true;
	}
	if (raw >= fs->all->image->node_count)
		return false;
	view_image(view, fs->all, raw);
	return true;
}

/* The topmost record of a node, or NULL. */
static const struct upper_node *upper_of(struct file_system *fs, uint32_t raw)
{
	const struct upper_node *node = layer_find(&fs->layer, raw);

	return node ? node : layer_find(&fs->all->story, raw);
}

uint32_t folder_parent(struct file_system *fs, uint32_t raw)
{
	const struct upper_node *node;

	if (raw_is_live(raw))
		return live_parent(fs, raw);
	node = upper_of(fs, raw);
	if (node)
		return node->parent;
	return raw < fs->all->image->node_count ? fs->all->image->nodes[raw].parent : 0;
}

const char *node_name(struct file_system *fs, uint32_t raw)
{
	const struct upper_node *node = upper_of(fs, raw);

	if (node)
		return node->name ? node->name : "";
	if (raw < fs->all->image->node_count)
		return fs->all->image->strings + fs->all->image->nodes[raw].name;
	return "";
}

struct upper_node *node_own(struct file_system *fs, uint32_t raw, int *error)
{
	struct layer *layer = own_layer(fs);
	struct upper_node *own = layer_find(layer, raw);
	struct node_view view;
	uint32_t parent;
	char *name;

	if (own)
		return own;
	*error = -ENOENT;
	if (raw_is_live(raw) || !node_view(fs, raw, &view))
		return NULL;
	*error = -ENOSPC;
	if (!fs->replaying && layer->count >= 2 * MACHINE_SOURCE_FILES_MAX)
		return NULL;
	*error = -ENOMEM;
	/* Before the new record hides what it is made from. */
	parent = folder_parent(fs, raw);
	name = strdup(node_name(fs, raw));
	own = name ? layer_add(layer, raw) : NULL;
	if (!own) {
		free(name);
		return NULL;
	}
	own->parent = parent;
	own->name = name;
	own->mode = view.mode;
	own->uid = view.uid;
	own->gid = view.gid;
	own->links = view.links;
	own->major = view.major;
	own->minor = view.minor;
	own->attributes = view.attributes;
	own->accessed = view.accessed;
	own->modified = view.modified;
	own->changed = view.changed;
	own->born = view.born;
	own->size = view.size;
	own->content_image = RAW_NONE;
	if (view.upper) {
		own->target = view.upper->target ? strdup(view.upper->target) : NULL;
		own->content = view.upper->content;
		own->content_image = view.upper->content_image;
		if (own->content == CONTENT_BYTES) {
			own->content = CONTENT_LENT;
			own->bytes = view.upper->bytes;
		}
	} else {
		own->content = CONTENT_IMAGE;
		own->content_image = raw;
		if (S_ISLNK(view.mode))
			own->target = strdup(image_target(fs->all->image, raw));
	}
	if (!S_ISLNK(own->mode) || own->target)
		return own;
	layer_drop(layer, own);
	return NULL;
}

/* --- walking --- */

node_number file_system_root(struct file_system *fs)
{
	return file_system_number(fs, 0);
}

struct walk {
	const struct file_access *access;
	uint32_t at;
	unsigned links;
};

static int step(struct walk *walk, const char *name, size_t length)
{
	int error = node_may(walk->access, walk->at, X_OK);
	uint32_t next;

	if (error)
		return error;
	next = folder_enter(walk->access, walk->at, name, length, &error);
	if (next == RAW_NONE)
		return error;
	walk->at = next;
	return 0;
}

static unsigned mode_of(const struct file_access *access, uint32_t raw)
{
	struct node_view view;

	if (raw_is_live(raw)) {
		const struct live_node *node = live_at(access->fs, raw);

		return node ? node->mode : 0;
	}
	return node_view(access->fs, raw, &view) ? view.mode : 0;
}

/* Walks the rest of a path from walk->at. Links lead to another round with a path of their own, so
 * that depth costs a counter and no stack: the pending paths stand in one buffer, the one that is
 * walked first. */
static int walk_path(struct walk *walk, const char *path, bool follow)
{
	char pending[MACHINE_PATH_MAX];
	size_t left = strlen(path);
	const char *at = path;

	if (left == 0)
		return -ENOENT;
	if (left >= MACHINE_PATH_MAX)
		return -ENAMETOOLONG;
	if (*at == '/')
		walk->at = mount_cross(walk->access, 0);
	for (;;) {
		size_t length;
		uint32_t folder = walk->at;
		bool last;
		int error;

		while (*at == '/')
			at++;
		if (!*at)
			return 0;
		length = strcspn(at, "/");
		if (length > MACHINE_NAME_MAX)
			return -ENAMETOOLONG;
		if (!S_ISDIR(mode_of(walk->access, walk->at)))
			return -ENOTDIR;
		error = step(walk, at, length);
		if (error)
			return error;
		at += length;
		last = at[strspn(at, "/")] == '\0';
		if (S_ISLNK(mode_of(walk->access, walk->at)) && (!last || follow || *at == '/')) {
			char target[MACHINE_PATH_MAX];
			ssize_t size = file_system_readlink(
				walk->access, file_system_number(walk->access->fs, walk->at),
				target, sizeof(target) - 1);
			size_t rest = strlen(at);

			if (size < 0)
				return (int)size;
			if (++walk->links > MACHINE_SYMLINKS_MAX)
				return -ELOOP;
			if (size == 0)
				return -ENOENT;
			if ((size_t)size + rest + 1 > sizeof(pending))
				return -ENAMETOOLONG;
			/* at may point into pending: move first. */
			memmove(pending + size, at, rest + 1);
			memcpy(pending, target, (size_t)size);
			at = pending;
			walk->at = *at == '/' ? mount_cross(walk->access, 0) : folder;
		} else if (*at == '/' && last && !S_ISDIR(mode_of(walk->access, walk->at))) {
			return -ENOTDIR;
		}
	}
}

node_number file_system_walk(const struct file_access *access, node_number from, const char *path,
			     bool follow, int *error)
{
	struct walk walk = {.access = access, .at = file_system_raw(access->fs, from)};

	if (walk.at == RAW_NONE) {
		*error = -ENOENT;
		return 0;
	}
	*error = walk_path(&walk, path, follow);
	return *error ? 0 : file_system_number(access->fs, walk.at);
}

int raw_path(struct file_system *fs, uint32_t raw, char *path, size_t size)
{
	size_t at = size;

	if (size < 2)
		return -ERANGE;
	path[--at] = '\0';
	while (raw != 0) {
		const struct live_node *live = raw_is_live(raw) ? live_at(fs, raw) : NULL;
		const char *name = live ? live->name : node_name(fs, raw);
		size_t length;

		/* A live tree's root has the name of the folder that it stands on. */
		if (live && live->parent == RAW_NONE) {
			raw = fs->all->mounts[live->mount].raw;
			if (raw == 0)
				break;
			continue;
		}
		length = strlen(name);
		if (length + 1 > at)
			return -ENAMETOOLONG;
		at -= length;
		memcpy(path + at, name, length);
		path[--at] = '/';
		raw = folder_parent(fs, raw);
	}
	if (path[at] == '\0')
		path[--at] = '/';
	memmove(path, path + at, size - at);
	return 0;
}

int file_system_path(const struct file_access *access, node_number number, char *path, size_t size)
{
	uint32_t raw = file_system_raw(access->fs, number);

	return raw == RAW_NONE ? -ENOENT : raw_path(access->fs, raw, path, size);
}

int file_system_status(const struct file_access *access, node_number number,
		       struct file_status *status)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	struct node_view view;
	const struct mount *mount;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw))
		return live_status(access, raw, status);
	if (!node_view(fs, raw, &view))
		return -ENOENT;
	mount = mount_of(fs, raw);
	*status = (struct file_status){
		.inode = number,
		.mode = view.mode,
		.links = view.links,
		.uid = view.uid,
		.gid = view.gid,
		.device_major = view.major,
		.device_minor = view.minor,
		.mount = (unsigned)(mount - fs->all->mounts),
		.size = view.size,
		.accessed = view.accessed,
		.modified = view.modified,
		.changed = view.changed,
		.born = view.born,
	};
	/* tmpfs counts 20 bytes a name. */
	if (S_ISDIR(view.mode) && !strcmp(mount->type + (mount->type[0] == 'd' ? 3 : 0), "tmpfs"))
		status->size = 20 * (folder_count(fs, raw) + 2);
	if (status->size != view.size)
		status->blocks = 0;
	else if (view.upper && view.upper->content == CONTENT_HOLES && view.upper->sparse)
		status->blocks = 0;
	else if (S_ISLNK(view.mode))
		status->blocks = view.size < 60 ? 0 : 8;
	else if (S_ISREG(view.mode) || S_ISDIR(view.mode))
		status->blocks = (view.size + 4095) / 4096 * 8;
	return 0;
}

/* --- opened files --- */

int file_system_hold(const struct file_access *access, node_number number)
{
	uint32_t raw = file_system_raw(access->fs, number);
	struct upper_node *node;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw)) {
		live_hold(access->fs, raw, 1);
		return 0;
	}
	node = layer_find(&access->fs->layer, raw);
	if (node)
		node->holds++;
	return 0;
}

void file_system_release(struct file_system *fs, node_number number)
{
	uint32_t raw = file_system_raw(fs, number);
	struct upper_node *node;

	if (raw == RAW_NONE)
		return;
	if (raw_is_live(raw)) {
		live_hold(fs, raw, -1);
		return;
	}
	node = layer_find(&fs->layer, raw);
	if (!node)
		return;
	if (node->holds)
		node->holds--;
	if (node->dirty) {
		node->dirty = false;
		journal_flush(fs);
	}
	node_settle(fs, node);
}

void node_settle(struct file_system *fs, struct upper_node *node)
{
	if (node->links || node->holds || !fs->users || (S_ISDIR(node->mode) && node->counted_out))
		return;
	content_drop(fs, node);
	if (fs->layer.files && node->raw >= RAW_SOURCE && !node->counted_out)
		fs->layer.files--;
	node->counted_out = true;
	if (S_ISDIR(node->mode)) {
		uint32_t slot = fs->gone_at++ % ARRAY_COUNT(fs->gone), last = fs->gone[slot];
		struct upper_node *old = last ? layer_find(&fs->layer, last) : NULL;

		fs->gone[slot] = node->raw;
		if (!old || old == node || old->links || old->holds)
			return;
		node = old;
	}
	layer_drop(&fs->layer, node);
}
