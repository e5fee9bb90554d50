/* The file system's own: layers of changes over the image, the journal, mounts. Nothing outside
 * file_system*.c, journal.c and live.c includes this.
 *
 * Numbers: inside, a node is a `raw` number: nodes of the image count from 0, those that the host's
 * story adds from RAW_STORY, those of a source from RAW_SOURCE, live ones from RAW_LIVE. Outside,
 * they are inode numbers as ext4 would give them, other ones in every installation
 * (file_system_number.c).
 *
 * A look-up asks the source's layer, the story's layer, the image. A layer holds a node only when
 * it differs from what is below, and of a folder only the names that differ.
 */
#ifndef DECOY_MACHINE_FILE_SYSTEM_INSIDE_H
#define DECOY_MACHINE_FILE_SYSTEM_INSIDE_H

#include "decoy/machine/image.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/process.h"

#define RAW_STORY  0x40000000u
#define RAW_SOURCE 0x50000000u
#define RAW_LIVE   0x60000000u
#define RAW_NONE   UINT32_MAX

/* Number spaces of the three kinds beyond the image's. */
#define STORY_NODES_MAX 0x10000
#define LIVE_SLOTS_MAX  1024
/* Targets of links from this length on are counted as contents; ext4 keeps shorter ones for
 * nothing. */
#define TARGET_FREE 60
/* Mounts of the host's story, live trees included. */
#define MOUNTS_MAX 48

struct mount {
	const char *point, *type, *source, *options;
	uint64_t kilobytes, used;
	const struct live_tree *live; /* NULL: an ordinary one */
	uint64_t live_key;            /* of the folder of the tree that is its root */
	uint32_t raw;                 /* of its root; live: of the folder below it */
	bool read_only, no_exec;
};

enum content_kind { CONTENT_BYTES, CONTENT_IMAGE, CONTENT_LENT, CONTENT_HOLES };

struct change { /* of a name in a folder */
	uint64_t hash;
	char *name;
	uint32_t raw; /* RAW_NONE: gone */
};

struct upper_node {
	uint32_t raw, parent;
	char *name;
	unsigned mode, uid, gid, links, major, minor;
	unsigned attributes; /* FILE_IMMUTABLE ... */
	unsigned holds;
	int64_t accessed, modified, changed, born;
	uint64_t size;
	char *target;
	/* A file's contents: own bytes; a file of the image (content_image); bytes of the layer
	 * below (borrowed); or nothing but zeros. */
	enum content_kind content;
	uint32_t content_image;
	uint8_t *bytes;
	uint64_t capacity;
	bool charged;     /* a link whose target is counted as contents */
	bool counted_out; /* gone, and no longer counted as one of the source's files */
	bool sparse;      /* zeros that were never written: no blocks */
	bool dirty;       /* written to since the journal's last word on it */
	/* A folder's changes, in the order of their hash. */
	struct change *changes;
	uint32_t change_count, change_room;
};

struct layer {
	struct upper_node **table; /* open addressing by raw number */
	uint32_t count, room;
	uint32_t made; /* nodes of its own so far: the next number */
	uint32_t files;
	uint32_t names; /* changes of all its folders */
	uint64_t bytes; /* of contents and targets */
};

struct live_node {
	uint32_t parent; /* slot, or RAW_NONE for a tree's root */
	uint32_t generation;
	uint64_t key, folder;
	uint16_t mount;
	uint16_t holds;
	uint16_t children; /* slots whose parent it is: it stays as long as they do */
	unsigned mode;
	char name[40]; /* longer ones are cut only in paths */
	uint32_t used;
};

struct journal {
	int file; /* -1: none yet */
	char name[33];
	uint64_t read;   /* how far it was read */
	uint64_t length; /* as far as we know */
	uint32_t writer; /* who we are in it */
	struct writer waiting;
};

struct file_systems {
	const struct image *image;
	const struct host *host;
	int folder;
	uint64_t journal_key[2][2];
	struct layer story;
	bool story_told;
	struct image_cache cache;
	struct mount mounts[MOUNTS_MAX];
	size_t mount_count;
	uint32_t span_bits, scatter, scatter_back, scatter_add; /* of inode numbers */
	int64_t installed;
	uint64_t bytes;         /* of all sources' contents in memory */
	uint64_t journal_bytes; /* written since the folder was measured */
	struct file_system *open[256];
};

struct file_system {
	struct file_systems *all;
	struct file_system *next;
	struct address source;
	unsigned users;
	struct layer layer;
	struct journal journal;
	bool replaying;
	struct live_node *live;
	/* Folders that were removed last: somebody may stand in them. */
	uint32_t gone[16], gone_at;
	uint32_t live_count, live_room, live_clock, live_generation;
	/* The live file that was read last, so that reading it in pieces gives one text. */
	struct writer rendered;
	uint32_t rendered_raw;
	char next_name[MACHINE_NAME_MAX + 1];
};

/* What is known of a node, wherever it is. */
struct node_view {
	const struct upper_node *upper; /* of the topmost layer that has it, or NULL */
	uint32_t image;                 /* else the image's, or RAW_NONE */
	unsigned mode, uid, gid, links, major, minor, attributes;
	uint64_t size;
	int64_t accessed, modified, changed, born;
};

/* --- numbers (file_system_number.c) --- */
void file_system_number_setup(struct file_systems *all);
node_number file_system_number(const struct file_system *fs, uint32_t raw);
/* RAW_NONE: no such node. */
uint32_t file_system_raw(const struct file_system *fs, node_number number);
static inline bool raw_is_live(uint32_t raw)
{
	return raw >= RAW_LIVE && raw != RAW_NONE;
}

/* --- layers (file_system_layer.c) --- */
struct upper_node *layer_find(const struct layer *layer, uint32_t raw);
/* A new node of that number; NULL: no memory. */
struct upper_node *layer_add(struct layer *layer, uint32_t raw);
void layer_drop(struct layer *layer, struct upper_node *node);
void layer_free(struct layer *layer);
/* Place of the first change whose hash is at least this. */
uint32_t changes_at(const struct upper_node *folder, uint64_t hash);
/* The change of that name; NULL: none. */
const struct change *changes_find(const struct upper_node *folder, uint64_t hash, const char *name,
				  size_t length);
/* 0 or -ENOMEM (-EEXIST: another name with that hash). */
int changes_set(struct upper_node *folder, uint64_t hash, const char *name, size_t length,
		uint32_t raw);
void changes_unset(struct upper_node *folder, uint64_t hash);

/* --- nodes (file_system.c, file_system_folder.c) --- */
/* False: there is none. Not for live nodes. */
bool node_view(struct file_system *fs, uint32_t raw, struct node_view *view);
/* The node in the source's layer, copied up when it is not there yet; NULL with *error. */
struct upper_node *node_own(struct file_system *fs, uint32_t raw, int *error);
/* The layer that new things go to: the source's, or the story's while that is told. */
struct layer *own_layer(struct file_system *fs);
/* Node of that name in a folder (not live, without mounts); RAW_NONE: none. */
uint32_t folder_find(struct file_system *fs, uint32_t folder, const char *name, size_t length);
/* What walking into a folder by name comes to, mounts and live trees included. */
uint32_t folder_enter(const struct file_access *access, uint32_t folder, const char *name,
		      size_t length, int *error);
uint32_t folder_parent(struct file_system *fs, uint32_t raw);
const char *node_name(struct file_system *fs, uint32_t raw);
uint64_t folder_count(struct file_system *fs, uint32_t raw);
bool folder_is_empty(struct file_system *fs, uint32_t raw);
int node_may(const struct file_access *access, uint32_t raw, int mode);
bool access_is_root(const struct file_access *access);
bool access_owns(const struct file_access *access, unsigned uid);
bool access_in_group(const struct file_access *access, unsigned gid);
/* 0, -EROFS */
int node_writable_mount(const struct file_access *access, uint32_t raw);
int raw_path(struct file_system *fs, uint32_t raw, char *path, size_t size);
/* Another name under which a node still is; for the path of a file whose first name is gone. */
void node_rename_after_loss(struct file_system *fs, struct upper_node *node);
/* Takes the node out when nothing names or holds it any more. */
void node_settle(struct file_system *fs, struct upper_node *node);
/* Counts contents before they are taken: 0, -ENOSPC. */
int content_charge(struct file_system *fs, uint64_t bytes);
void content_discharge(struct file_system *fs, uint64_t bytes);
/* Own, writable bytes of the file, with room for size; 0 or -errno. */
int content_own(struct file_system *fs, struct upper_node *node, uint64_t size);
void content_drop(struct file_system *fs, struct upper_node *node);

/* --- mounts (mounts.c) and live trees (live.c) --- */
/* Folder and last part of a path, folders made where they are missing; for the story. */
int file_system_make_parents(const struct file_access *access, const char *path,
			     node_number *folder, char name[MACHINE_NAME_MAX + 1]);
uint32_t live_root(const struct file_access *access, unsigned mount);
void mounts_setup(struct file_systems *all, struct file_system *fs, int64_t now);
const struct mount *mount_of(struct file_system *fs, uint32_t raw);
/* The live tree's root on this folder, or raw itself. */
uint32_t mount_cross(const struct file_access *access, uint32_t raw);
bool is_mount_point(const struct file_system *fs, uint32_t raw);
struct live_node *live_at(const struct file_system *fs, uint32_t raw);
const struct live_tree *live_tree_of(const struct file_system *fs, const struct live_node *node);
uint32_t live_find(const struct file_access *access, uint32_t folder, const char *name,
		   size_t length);
int live_next(const struct file_access *access, uint32_t folder, uint64_t *position,
	      const char **name, uint32_t *raw, unsigned *type);
int live_status(const struct file_access *access, uint32_t raw, struct file_status *status);
ssize_t live_read(const struct file_access *access, uint32_t raw, uint64_t offset, void *at,
		  size_t size);
ssize_t live_write(const struct file_access *access, uint32_t raw, struct slice bytes);
ssize_t live_target(const struct file_access *access, uint32_t raw, char *target, size_t size);
uint32_t live_parent(struct file_system *fs, uint32_t raw);
void live_hold(struct file_system *fs, uint32_t raw, int by);

/* --- the journal (journal.c) --- */
enum journal_word {
	JOURNAL_MAKE = 1,
	JOURNAL_SYMLINK,
	JOURNAL_LINK,
	JOURNAL_REMOVE,
	JOURNAL_RENAME,
	JOURNAL_WRITE,
	JOURNAL_TRUNCATE,
	JOURNAL_CLONE,
	JOURNAL_MODE,
	JOURNAL_OWNER,
	JOURNAL_TIMES,
	JOURNAL_ATTRIBUTES,
	/* Only in a journal that was written anew: a node of the image under another name; contents
	 * of a file of the image; a name that is gone with all below it. Numbers: the raw number,
	 * the image's identity. */
	JOURNAL_PLACE,
	JOURNAL_CONTENTS,
	JOURNAL_GONE,
	JOURNAL_WORDS
};
struct journal_record {
	enum journal_word word;
	int64_t now;
	const char *path, *other; /* other: second path, target */
	uint64_t numbers[4];
	struct slice bytes;
};
void journal_setup(struct file_systems *all);
void journal_open(struct file_system *fs, int64_t now);
void journal_close(struct file_system *fs);
/* Does nothing while replaying or without a folder. */
void journal_note(struct file_system *fs, const struct journal_record *record);
void journal_flush(struct file_system *fs);
/* Does what a record says, as far as it can be done (journal_play.c). */
void journal_play(struct file_system *fs, const struct journal_record *record);
/* Reads records off bytes and plays them (not those of `writer`); how far they were sound. */
size_t journal_replay(struct file_system *fs, struct slice bytes, uint32_t writer);
/* Records that make the source's layer as it is now, each handed over (journal_write.c); -1 when
 * memory is out. */
int journal_tell(struct file_system *fs,
		 void (*hand_over)(void *context, const struct journal_record *record),
		 void *context);
/* The bytes of a record. */
void journal_encode(const struct file_system *fs, const struct journal_record *record,
		    struct writer *out);
/* For the story and for journals, past all rights: a name for a node, a name without one. */
int file_system_place(const struct file_access *access, uint32_t folder, const char *name,
		      uint32_t raw);
int file_system_vanish(const struct file_access *access, uint32_t folder, const char *name);

#endif
