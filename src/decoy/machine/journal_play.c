/* A journal's records, done again, and a layer told as records. */
#include <stdlib.h>

#include "decoy/machine/file_system_inside.h"

/* The folder of a path and its last part. */
static bool split(const struct file_access *access, const char *path, uint32_t *folder,
		  const char **name)
{
	char above[MACHINE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	node_number number;
	int error;

	if (!slash || !slash[1] || strlen(slash + 1) > MACHINE_NAME_MAX)
		return false;
	memcpy(above, path, (size_t)(slash - path));
	above[slash - path] = '\0';
	number = file_system_walk(access, file_system_root(access->fs), above[0] ? above : "/",
				  true, &error);
	*folder = number ? file_system_raw(access->fs, number) : RAW_NONE;
	*name = slash + 1;
	return *folder != RAW_NONE && !raw_is_live(*folder);
}

static node_number node_of(const struct file_access *access, const char *path)
{
	int error;

	return file_system_walk(access, file_system_root(access->fs), path, false, &error);
}

static void set_owner(struct file_system *fs, node_number number, uint64_t owner)
{
	int error;
	struct upper_node *node = number ? node_own(fs, file_system_raw(fs, number), &error) : NULL;

	if (node) {
		node->uid = (unsigned)(owner >> 32);
		node->gid = (unsigned)owner;
	}
}

static void play_name(const struct file_access *access, const struct journal_record *record)
{
	struct file_system *fs = access->fs;
	uint32_t folder, from;
	const char *name, *other;
	node_number in, made = 0;

	if (!split(access, record->path, &folder, &name))
		return;
	in = file_system_number(fs, folder);
	switch (record->word) {
	case JOURNAL_MAKE:
		if (file_system_make(
			    access, in, name, (unsigned)record->numbers[0] & (S_IFMT | 07777),
			    (unsigned)record->numbers[2], (unsigned)record->numbers[3], &made) == 0)
			set_owner(fs, made, record->numbers[1]);
		break;
	case JOURNAL_SYMLINK:
		if (file_system_symlink(access, in, name, record->other) == 0)
			set_owner(fs, node_of(access, record->path), record->numbers[0]);
		break;
	case JOURNAL_LINK:
		made = node_of(access, record->other);
		if (made)
			(void)file_system_link(access, made, in, name);
		break;
	case JOURNAL_REMOVE:
		(void)file_system_remove(access, in, name, record->numbers[0] != 0);
		break;
	case JOURNAL_RENAME:
		if (split(access, record->other, &from, &other))
			(void)file_system_rename(access, in, name, file_system_number(fs, from),
						 other);
		break;
	case JOURNAL_PLACE:
		if (record->numbers[1] == fs->all->image->header->identity && record->numbers[0] &&
		    record->numbers[0] < fs->all->image->node_count)
			(void)file_system_place(access, folder, name, (uint32_t)record->numbers[0]);
		break;
	case JOURNAL_GONE:
		(void)file_system_vanish(access, folder, name);
		break;
	default:
		break;
	}
}

static void play_contents(const struct file_access *access, const struct journal_record *record,
			  node_number number)
{
	struct file_system *fs = access->fs;
	uint32_t from = (uint32_t)record->numbers[0];
	struct upper_node *node;
	int error;

	if (record->numbers[1] != fs->all->image->header->identity ||
	    record->numbers[0] >= fs->all->image->node_count ||
	    !S_ISREG(fs->all->image->nodes[from].mode))
		return;
	node = node_own(fs, file_system_raw(fs, number), &error);
	if (!node || !S_ISREG(node->mode))
		return;
	content_drop(fs, node);
	node->content = CONTENT_IMAGE;
	node->content_image = from;
	node->size = fs->all->image->nodes[from].size;
}

static void play_written(const struct file_access *access, node_number number)
{
	struct upper_node *node =
		layer_find(&access->fs->layer, file_system_raw(access->fs, number));

	if (node)
		node->sparse = false;
}

static void play_state(const struct file_access *access, const struct journal_record *record)
{
	node_number number = node_of(access, record->path), from;
	const uint64_t *numbers = record->numbers;

	if (!number || raw_is_live(file_system_raw(access->fs, number)))
		return;
	switch (record->word) {
	case JOURNAL_WRITE:
		(void)!file_system_write(access, number, numbers[0], record->bytes);
		break;
	case JOURNAL_TRUNCATE:
		(void)file_system_truncate(access, number, numbers[0]);
		/* Zeros that were written are told as a length, with a mark. */
		if (record->bytes.length)
			play_written(access, number);
		break;
	case JOURNAL_CLONE:
		from = node_of(access, record->other);
		if (from)
			(void)file_system_clone(access, from, number);
		break;
	case JOURNAL_MODE:
		(void)file_system_change_mode(access, number, (unsigned)numbers[0]);
		break;
	case JOURNAL_OWNER:
		(void)file_system_change_owner(access, number, (unsigned)numbers[0],
					       (unsigned)numbers[1]);
		break;
	case JOURNAL_TIMES:
		(void)file_system_change_times(access, number, (int64_t)numbers[0],
					       (int64_t)numbers[1]);
		break;
	case JOURNAL_ATTRIBUTES:
		(void)file_system_change_attributes(access, number, (unsigned)numbers[0]);
		break;
	case JOURNAL_CONTENTS:
		play_contents(access, record, number);
		break;
	default:
		break;
	}
}

void journal_play(struct file_system *fs, const struct journal_record *record)
{
	struct file_access access = {.fs = fs, .now = record->now};

	if (record->path[0] != '/')
		return;
	switch (record->word) {
	case JOURNAL_MAKE:
	case JOURNAL_SYMLINK:
	case JOURNAL_LINK:
	case JOURNAL_REMOVE:
	case JOURNAL_RENAME:
	case JOURNAL_PLACE:
	case JOURNAL_GONE:
		play_name(&access, record);
		break;
	default:
		play_state(&access, record);
		break;
	}
}

/* --- a layer as records --- */

struct telling {
	struct file_system *fs;
	void (*hand_over)(void *context, const struct journal_record *record);
	void *context;
};

struct told_node {
	struct upper_node *node;
	size_t depth;
};

static void tell(const struct telling *telling, const struct upper_node *node,
		 enum journal_word word, const char *path, const char *other, uint64_t a,
		 uint64_t b)
{
	telling->hand_over(telling->context,
			   &(struct journal_record){.word = word,
						    .now = node->modified,
						    .path = path,
						    .other = other,
						    .numbers = {a, b, node->major, node->minor}});
}

static void tell_contents(const struct telling *telling, const struct upper_node *node,
			  const char *path)
{
	uint64_t identity = telling->fs->all->image->header->identity;

	if (!S_ISREG(node->mode) || node->content == CONTENT_LENT)
		return;
	if (node->content == CONTENT_IMAGE) {
		if (node->content_image != node->raw && node->content_image != RAW_NONE)
			tell(telling, node, JOURNAL_CONTENTS, path, NULL, node->content_image,
			     identity);
		return;
	}
	if (node->raw < RAW_SOURCE)
		tell(telling, node, JOURNAL_TRUNCATE, path, NULL, 0, 0);
	if (node->content == CONTENT_HOLES)
		telling->hand_over(
			telling->context,
			&(struct journal_record){.word = JOURNAL_TRUNCATE,
						 .now = node->modified,
						 .path = path,
						 .numbers = {node->size},
						 .bytes = slice_of("w", node->sparse ? 0 : 1)});
	else if (node->size)
		telling->hand_over(telling->context,
				   &(struct journal_record){
					   .word = JOURNAL_WRITE,
					   .now = node->modified,
					   .path = path,
					   .bytes = slice_of(node->bytes, (size_t)node->size)});
}

/* One name of a folder that differs from what is below. */
static void tell_name(const struct telling *telling, const struct upper_node *folder,
		      const struct change *change)
{
	struct file_system *fs = telling->fs;
	const struct upper_node *node = layer_find(&fs->layer, change->raw);
	char path[MACHINE_PATH_MAX], first[MACHINE_PATH_MAX];
	size_t length;

	if (raw_path(fs, folder->raw, path, sizeof(path)) < 0)
		return;
	length = strlen(path) == 1 ? 0 : strlen(path);
	if (length + strlen(change->name) + 2 > sizeof(path))
		return;
	path[length] = '/';
	memcpy(path + length + 1, change->name, strlen(change->name) + 1);
	if (change->raw == RAW_NONE) {
		tell(telling, folder, JOURNAL_GONE, path, NULL, 0, 0);
	} else if (change->raw < RAW_STORY) {
		if (folder_find(fs, folder->raw, change->name, strlen(change->name)) == change->raw)
			tell(telling, folder, JOURNAL_PLACE, path, NULL, change->raw,
			     fs->all->image->header->identity);
	} else if (node && node->raw >= RAW_SOURCE) {
		bool is_first = node->parent == folder->raw && !strcmp(node->name, change->name);

		if (!is_first) {
			/* A second name: told when the first one's turn has come for sure. */
			if (raw_path(fs, node->raw, first, sizeof(first)) == 0)
				tell(telling, node, JOURNAL_LINK, path, first, 0, 0);
		} else if (S_ISLNK(node->mode)) {
			tell(telling, node, JOURNAL_SYMLINK, path, node->target,
			     (uint64_t)node->uid << 32 | node->gid, 0);
		} else {
			tell(telling, node, JOURNAL_MAKE, path, NULL, node->mode,
			     (uint64_t)node->uid << 32 | node->gid);
		}
	}
}

static bool is_link(const struct telling *telling, const struct upper_node *folder,
		    const struct change *change)
{
	const struct upper_node *node = change->raw >= RAW_SOURCE && change->raw != RAW_NONE
						? layer_find(&telling->fs->layer, change->raw)
						: NULL;

	return node && (node->parent != folder->raw || strcmp(node->name, change->name));
}

static int by_depth(const void *a, const void *b)
{
	const struct told_node *x = a, *y = b;

	return x->depth < y->depth ? -1 : x->depth > y->depth;
}

static void tell_state(const struct telling *telling, const struct upper_node *node)
{
	char path[MACHINE_PATH_MAX];

	if (raw_path(telling->fs, node->raw, path, sizeof(path)) < 0)
		return;
	tell_contents(telling, node, path);
	if (!S_ISLNK(node->mode)) {
		tell(telling, node, JOURNAL_OWNER, path, NULL, node->uid, node->gid);
		tell(telling, node, JOURNAL_MODE, path, NULL, node->mode & 07777, 0);
	}
	if (node->attributes)
		tell(telling, node, JOURNAL_ATTRIBUTES, path, NULL, node->attributes, 0);
	tell(telling, node, JOURNAL_TIMES, path, NULL, (uint64_t)node->accessed,
	     (uint64_t)node->modified);
}

int journal_tell(struct file_system *fs,
		 void (*hand_over)(void *context, const struct journal_record *record),
		 void *context)
{
	struct telling telling = {fs, hand_over, context};
	const struct layer *layer = &fs->layer;
	struct told_node *nodes = calloc(layer->count + 1, sizeof(*nodes));
	uint32_t count = 0;

	if (!nodes)
		return -1;
	for (uint32_t i = 0; i < layer->room; i++) {
		struct upper_node *node = layer->table[i];
		size_t depth = 0;

		if (!node || !node->links)
			continue;
		for (uint32_t raw = node->raw; raw != 0 && depth < MACHINE_PATH_MAX;
		     raw = folder_parent(fs, raw))
			depth++;
		nodes[count++] = (struct told_node){node, depth};
	}
	/* Folders before what is in them. */
	qsort(nodes, count, sizeof(*nodes), by_depth);
	for (unsigned links = 0; links < 2; links++)
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t c = 0; c < nodes[i].node->change_count; c++)
				if (is_link(&telling, nodes[i].node, &nodes[i].node->changes[c]) ==
				    (links == 1))
					tell_name(&telling, nodes[i].node,
						  &nodes[i].node->changes[c]);
	for (uint32_t i = count; i > 0; i--)
		tell_state(&telling, nodes[i - 1].node);
	free(nodes);
	return 0;
}
