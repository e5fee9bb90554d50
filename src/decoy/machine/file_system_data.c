/* Contents of files: read, written, cut, cloned. */
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/command.h"
#include "decoy/machine/file_system_inside.h"

/* ext4's largest file: beyond it a write is "File too large". */
#define FILE_SIZE_MAX ((uint64_t)16 << 40)

int content_charge(struct file_system *fs, uint64_t bytes)
{
	struct layer *layer = own_layer(fs);

	if (!fs->users)
		return 0; /* the story */
	if (layer->bytes + bytes > MACHINE_SOURCE_MAX ||
	    fs->all->bytes + bytes > MACHINE_CONTENTS_MAX)
		return -ENOSPC;
	layer->bytes += bytes;
	fs->all->bytes += bytes;
	return 0;
}

void content_discharge(struct file_system *fs, uint64_t bytes)
{
	if (!fs->users)
		return;
	fs->layer.bytes -= bytes;
	fs->all->bytes -= bytes;
}

void content_drop(struct file_system *fs, struct upper_node *node)
{
	if (node->content == CONTENT_BYTES) {
		content_discharge(fs, node->capacity);
		free(node->bytes);
	}
	if (node->charged)
		content_discharge(fs, node->size);
	node->charged = false;
	node->content = CONTENT_BYTES;
	node->bytes = NULL;
	node->capacity = 0;
	node->content_image = RAW_NONE;
}

static uint64_t room_for(uint64_t size)
{
	uint64_t room = 64;

	while (room < size)
		room *= 2;
	/* Large ones grow by halves: doubling would cost a source half its quota. */
	if (room > 65536)
		room = (size + size / 4 + 4095) & ~(uint64_t)4095;
	return room < MACHINE_FILE_MAX ? room : MACHINE_FILE_MAX;
}

int content_own(struct file_system *fs, struct upper_node *node, uint64_t size)
{
	uint64_t room;
	uint8_t *bytes;

	if (size < node->size)
		size = node->size;
	if (size > MACHINE_FILE_MAX)
		return -ENOSPC;
	if (node->content == CONTENT_BYTES && node->capacity >= size)
		return 0;
	room = room_for(size);
	if (node->content == CONTENT_BYTES) {
		uint64_t more = room - node->capacity;

		if (content_charge(fs, more)) {
			/* Exactly what is needed may still fit. */
			room = size;
			more = room - node->capacity;
			if (content_charge(fs, more))
				return -ENOSPC;
		}
		bytes = realloc(node->bytes, (size_t)room);
		if (!bytes) {
			content_discharge(fs, more);
			return -ENOSPC;
		}
		node->bytes = bytes;
		node->capacity = room;
		return 0;
	}
	if (content_charge(fs, room))
		return -ENOSPC;
	bytes = calloc(1, (size_t)room);
	if (!bytes) {
		content_discharge(fs, room);
		return -ENOSPC;
	}
	if (node->content == CONTENT_LENT && node->size)
		memcpy(bytes, node->bytes, (size_t)node->size);
	if (node->content == CONTENT_IMAGE && node->size &&
	    image_read(fs->all->image, &fs->all->cache, node->content_image, 0, bytes,
		       (size_t)node->size) < 0) {
		content_discharge(fs, room);
		free(bytes);
		return -EIO;
	}
	node->content = CONTENT_BYTES;
	node->content_image = RAW_NONE;
	node->bytes = bytes;
	node->capacity = room;
	return 0;
}

static ssize_t read_upper(struct file_system *fs, const struct upper_node *node, uint64_t offset,
			  void *at, size_t size)
{
	if (offset >= node->size)
		return 0;
	if (size > node->size - offset)
		size = (size_t)(node->size - offset);
	switch (node->content) {
	case CONTENT_IMAGE:
		return image_read(fs->all->image, &fs->all->cache, node->content_image, offset, at,
				  size);
	case CONTENT_HOLES:
		memset(at, 0, size);
		return (ssize_t)size;
	case CONTENT_BYTES:
	case CONTENT_LENT:
		break;
	}
	memcpy(at, node->bytes + offset, size);
	return (ssize_t)size;
}

ssize_t file_system_read(const struct file_access *access, node_number number, uint64_t offset,
			 void *at, size_t size)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	struct node_view view;
	struct upper_node *own;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw))
		return live_read(access, raw, offset, at, size);
	if (!node_view(fs, raw, &view))
		return -ENOENT;
	if (S_ISDIR(view.mode))
		return -EISDIR;
	if (!S_ISREG(view.mode))
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!view.upper)
		return image_read(fs->all->image, &fs->all->cache, raw, offset, at, size);
	/* As relatime has it. */
	own = layer_find(&fs->layer, raw);
	if (own && own->accessed <= own->modified)
		own->accessed = access->now;
	return read_upper(fs, view.upper, offset, at, size);
}

/* The file in the source's layer, ready to be written to. */
static struct upper_node *writable(const struct file_access *access, uint32_t raw, int *error)
{
	struct node_view view;

	*error = -ENOENT;
	if (raw_is_live(raw) || !node_view(access->fs, raw, &view))
		return NULL;
	*error = S_ISDIR(view.mode) ? -EISDIR : -EINVAL;
	if (!S_ISREG(view.mode))
		return NULL;
	*error = node_writable_mount(access, raw);
	if (*error)
		return NULL;
	return node_own(access->fs, raw, error);
}

static void written(const struct file_access *access, struct upper_node *node)
{
	node->modified = node->changed = access->now;
	/* What somebody else writes no longer lends its owner's rights. */
	if (!access_is_root(access) && node->mode & (S_ISUID | S_ISGID))
		node->mode &= ~(unsigned)(S_ISUID | (node->mode & S_IXGRP ? S_ISGID : 0));
}

static bool all_zero(struct slice bytes)
{
	return bytes.length == 0 ||
	       (bytes.at[0] == 0 && memcmp(bytes.at, bytes.at + 1, bytes.length - 1) == 0);
}

static void note_change(const struct file_access *access, const struct upper_node *node,
			enum journal_word word, uint64_t number, struct slice bytes)
{
	char path[MACHINE_PATH_MAX];

	if (access->fs->replaying || !node->links ||
	    raw_path(access->fs, node->raw, path, sizeof(path)) < 0)
		return;
	journal_note(access->fs, &(struct journal_record){.word = word,
							  .now = access->now,
							  .path = path,
							  .numbers = {number},
							  .bytes = bytes});
}

ssize_t file_system_write(const struct file_access *access, node_number number, uint64_t offset,
			  struct slice bytes)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	struct upper_node *node;
	uint64_t end = offset + bytes.length;
	int error;

	if (raw == RAW_NONE)
		return -ENOENT;
	if (raw_is_live(raw))
		return live_write(access, raw, bytes);
	node = writable(access, raw, &error);
	if (!node)
		return error;
	if (end < offset || end > FILE_SIZE_MAX)
		return -EFBIG;
	if (bytes.length == 0)
		return 0;
	if (node->attributes & FILE_APPEND_ONLY && offset < node->size)
		return -EPERM;
	/* Files of zeros, as made to try a disk's speed, take no memory. */
	if ((node->content == CONTENT_HOLES || node->size == 0) && all_zero(bytes) &&
	    offset <= node->size && (node->size || bytes.length >= 4096)) {
		if (end > MACHINE_ZEROS_MAX)
			return -ENOSPC;
		if (node->content != CONTENT_HOLES)
			content_drop(fs, node);
		node->content = CONTENT_HOLES;
		node->sparse = false;
		if (end > node->size)
			node->size = end;
		written(access, node);
		node->dirty = true;
		note_change(access, node, JOURNAL_TRUNCATE, node->size, SLICE("w"));
		return (ssize_t)bytes.length;
	}
	error = content_own(fs, node, end);
	if (error)
		return error;
	if (offset > node->size)
		memset(node->bytes + node->size, 0, (size_t)(offset - node->size));
	memcpy(node->bytes + offset, bytes.at, bytes.length);
	if (end > node->size)
		node->size = end;
	written(access, node);
	node->dirty = true;
	note_change(access, node, JOURNAL_WRITE, offset, bytes);
	return (ssize_t)bytes.length;
}

int file_system_truncate(const struct file_access *access, node_number number, uint64_t size)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	struct upper_node *node;
	int error;

	if (raw_is_live(raw)) /* `>` on a file of /proc opens it with O_TRUNC: nothing happens */
		return 0;
	node = writable(access, raw, &error);
	if (!node)
		return error;
	if (node->attributes & (FILE_APPEND_ONLY | FILE_IMMUTABLE) && !fs->replaying)
		return -EPERM;
	if (size > FILE_SIZE_MAX)
		return -EFBIG;
	if (size == 0) {
		content_drop(fs, node);
	} else if (node->content == CONTENT_HOLES || node->size == 0) {
		/* Longer or shorter, what is there stays what it is. */
		node->sparse |= node->content != CONTENT_HOLES;
		content_drop(fs, node);
		node->content = CONTENT_HOLES;
	} else {
		error = content_own(fs, node, size);
		if (error)
			return error;
		if (size > node->size)
			memset(node->bytes + node->size, 0, (size_t)(size - node->size));
	}
	node->size = size;
	written(access, node);
	note_change(access, node, JOURNAL_TRUNCATE, size, (struct slice){0});
	if (!node->holds)
		journal_flush(fs);
	return 0;
}

int file_system_contents(const struct file_access *access, node_number number, struct slice *bytes)
{
	struct file_system *fs = access->fs;
	uint32_t raw = file_system_raw(fs, number);
	struct upper_node *node;
	int error;

	*bytes = (struct slice){0};
	if (raw == RAW_NONE || raw_is_live(raw))
		return -ENOENT;
	node = layer_find(&fs->layer, raw);
	if (!node)
		return -ENOENT;
	if (!S_ISREG(node->mode))
		return -EINVAL;
	if (node->size == 0)
		return 0;
	if (node->content == CONTENT_HOLES || node->content == CONTENT_IMAGE) {
		error = content_own(fs, node, node->size);
		if (error)
			return error;
	}
	*bytes = slice_of(node->bytes, (size_t)node->size);
	return 0;
}

/* The file of the image that a node's contents are, or RAW_NONE. */
static uint32_t image_contents(struct file_system *fs, uint32_t raw)
{
	struct node_view view;

	if (raw == RAW_NONE || raw_is_live(raw) || !node_view(fs, raw, &view) ||
	    !S_ISREG(view.mode))
		return RAW_NONE;
	if (!view.upper)
		return view.image;
	return view.upper->content == CONTENT_IMAGE && view.upper->content_image != RAW_NONE
		       ? view.upper->content_image
		       : RAW_NONE;
}

bool file_system_digests(const struct file_access *access, node_number number,
			 struct file_digests *digests)
{
	const struct image *image = access->fs->all->image;
	uint32_t raw = image_contents(access->fs, file_system_raw(access->fs, number));

	if (raw == RAW_NONE || !image->nodes[raw].first)
		return false;
	*digests = image->digests[image->nodes[raw].first - 1];
	return true;
}

/* "python3.11" is python3, "traceroute.db" traceroute, "inetutils-telnet" telnet: the command that
 * a program is when there is none of its own name. */
static const char *other_name(const char *name)
{
	char text[MACHINE_NAME_MAX + 1];
	const struct command *command;
	const char *dash = strchr(name, '-');
	size_t length = strlen(name);

	memcpy(text, name, length + 1);
	while (length > 1 && strchr(".0123456789", text[length - 1])) {
		text[--length] = '\0';
		command = command_find(text, COMMAND_BOTH);
		if (command)
			return command->name;
	}
	text[strcspn(text, ".")] = '\0';
	command = command_find(text, COMMAND_BOTH);
	if (!command && dash)
		command = command_find(dash + 1, COMMAND_BOTH);
	return command ? command->name : name;
}

const char *file_system_program(const struct file_access *access, node_number number)
{
	const struct image *image = access->fs->all->image;
	uint32_t raw = image_contents(access->fs, file_system_raw(access->fs, number));
	const char *name;

	if (raw == RAW_NONE || !(image->nodes[raw].flags & IMAGE_PROGRAM))
		return NULL;
	name = image->strings + image->nodes[raw].name;
	if (command_find(name, COMMAND_BOTH))
		return name;
	/* A script that we have no command for is a text that its interpreter runs. */
	if (!(image->nodes[raw].flags & IMAGE_SEEDED))
		return NULL;
	return other_name(name);
}

int file_system_clone(const struct file_access *access, node_number from, node_number to)
{
	struct file_system *fs = access->fs;
	uint32_t source = file_system_raw(fs, from), raw = file_system_raw(fs, to);
	struct node_view view;
	struct upper_node *node;
	char path[MACHINE_PATH_MAX], other[MACHINE_PATH_MAX];
	int error;

	if (source == RAW_NONE || raw == RAW_NONE || raw_is_live(source) || raw_is_live(raw) ||
	    !node_view(fs, source, &view) || !S_ISREG(view.mode))
		return -EINVAL;
	if (source == raw)
		return 0;
	node = writable(access, raw, &error);
	if (!node || !node_view(fs, source, &view))
		return error;
	if (image_contents(fs, source) != RAW_NONE) {
		uint32_t contents = image_contents(fs, source);

		content_drop(fs, node);
		node->content = CONTENT_IMAGE;
		node->content_image = contents;
	} else if (view.upper->content == CONTENT_HOLES) {
		content_drop(fs, node);
		node->content = CONTENT_HOLES;
	} else {
		/* Anew, and only then without the old: what fails leaves the file as it was. */
		uint64_t old = node->size;

		if (view.size > old) {
			error = content_own(fs, node, view.size);
			if (error)
				return error;
		} else if ((error = content_own(fs, node, old)) != 0) {
			return error;
		}
		if (view.size)
			memcpy(node->bytes, view.upper->bytes, (size_t)view.size);
	}
	node->size = view.size;
	written(access, node);
	if (fs->replaying || !node->links)
		return 0;
	if (raw_path(fs, source, other, sizeof(other)) == 0 &&
	    raw_path(fs, raw, path, sizeof(path)) == 0) {
		journal_note(fs, &(struct journal_record){.word = JOURNAL_CLONE,
							  .now = access->now,
							  .path = path,
							  .other = other});
		journal_flush(fs);
	}
	return 0;
}
