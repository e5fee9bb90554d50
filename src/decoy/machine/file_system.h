/* The file system of the fake machine: a read-only image shared by all, under what each source
 * wrote, with /proc, /sys and /dev alive on top.
 *
 * Errors are negative errno of Linux. A node is a number; numbers of the image are the same for
 * every source, numbers of what a source made are beyond them. Nothing here waits.
 */
#ifndef DECOY_MACHINE_FILE_SYSTEM_H
#define DECOY_MACHINE_FILE_SYSTEM_H

#include <sys/stat.h>

#include "base/address.h"
#include "base/bytes.h"

struct file_system; /* one source's view */
struct image;
struct process;
struct process_identity;

typedef uint64_t node_number;

struct file_status {
	node_number inode;
	unsigned mode; /* type and permissions, as st_mode */
	unsigned links, uid, gid;
	unsigned device_major, device_minor;       /* of the node itself, for devices */
	unsigned mount;                            /* index of the file system (st_dev) */
	uint64_t size, blocks;                     /* blocks of 512 */
	int64_t accessed, modified, changed, born; /* microseconds */
};

struct file_system_status { /* statfs(2) */
	const char *type, *source, *mount_point;
	uint64_t block_size, blocks, free_blocks, available_blocks, files, free_files;
	bool read_only;
};

/* --- the image --- */

/* Maps an image made by scripts/machine-image. NULL with *why (to be freed) when it cannot be used;
 * call before the sandbox closes. */
struct image *image_open(const char *path, char **why);
/* Without a file: the folders, the programs and the few texts that a Debian host must have. */
struct image *image_plain(void);
void image_free(struct image *image);
/* The one for a persona: kind is "debian" (path, or NULL for the plain one) or "router" (from
 * share_folder/machines/router, programs of the architecture as uname -m says it). */
struct image *image_for_host(const char *kind, const char *architecture, const char *share_folder,
			     const char *path, char **why);

/* --- a source's view --- */

/* What all sources of a worker share. */
struct file_systems;
struct host;
/* image is borrowed. folder: descriptor of the folder that keeps what sources wrote (a journal a
 * source, shared by all workers), or -1: kept only while a log-in of the source lasts. */
struct file_systems *file_systems_new(const struct image *image, const struct host *host,
				      int folder);
void file_systems_free(struct file_systems *all);
/* Those of a source; sessions of one source on one worker share it. Reads on in the journal when
 * another worker wrote. NULL: no memory. */
struct file_system *file_system_open(struct file_systems *all, const struct address *source,
				     int64_t now);
void file_system_close(struct file_system *fs);

/* Who asks: identity for permissions, and the process for /proc/self (may be NULL). */
struct file_access {
	struct file_system *fs;
	const struct process_identity *identity;
	struct process *process;
	int64_t now; /* microseconds */
};

/* Looks up a path from a folder (absolute paths start at the root). Walks links, checks search
 * permission. follow: also the last part. Node, or 0 with *error. */
node_number file_system_walk(const struct file_access *access, node_number from, const char *path,
			     bool follow, int *error);
node_number file_system_root(struct file_system *fs);
/* Absolute path of a node; folders have one, files the one they were last found by. */
int file_system_path(const struct file_access *access, node_number node, char *path, size_t size);
int file_system_status(const struct file_access *access, node_number node,
		       struct file_status *status);
int file_system_may(const struct file_access *access, node_number node, int mode); /* access(2) */

/* Opened files hold their node: it stays readable when it is unlinked. */
int file_system_hold(const struct file_access *access, node_number node);
void file_system_release(struct file_system *fs, node_number node);
ssize_t file_system_read(const struct file_access *access, node_number node, uint64_t offset,
			 void *at, size_t size);
ssize_t file_system_write(const struct file_access *access, node_number node, uint64_t offset,
			  struct slice bytes);
int file_system_truncate(const struct file_access *access, node_number node, uint64_t size);
/* The whole contents of a file that was written by the source: borrowed until the next change. */
int file_system_contents(const struct file_access *access, node_number node, struct slice *bytes);
/* Digests of a file of the image as the real host has it, although reading gives other bytes: true
 * where they are known. md5, sha1, sha256, sha512. */
struct file_digests {
	uint8_t md5[16], sha1[20], sha256[32], sha512[64];
};
bool file_system_digests(const struct file_access *access, node_number node,
			 struct file_digests *digests);
/* The program that a file is ("ls", "busybox"), or NULL: a text, or something that came from
 * outside. Copies keep it. */
const char *file_system_program(const struct file_access *access, node_number node);

/* Making and removing; `name` is one part of a path. 0 or -errno. */
int file_system_make(const struct file_access *access, node_number folder, const char *name,
		     unsigned mode, unsigned device_major, unsigned device_minor,
		     node_number *made);
int file_system_symlink(const struct file_access *access, node_number folder, const char *name,
			const char *target);
int file_system_link(const struct file_access *access, node_number node, node_number folder,
		     const char *name);
int file_system_clone(const struct file_access *access, node_number from, node_number to);
/* folder: rmdir instead of unlink. */
int file_system_remove(const struct file_access *access, node_number parent, const char *name,
		       bool folder);
int file_system_rename(const struct file_access *access, node_number from_folder, const char *from,
		       node_number to_folder, const char *to);
ssize_t file_system_readlink(const struct file_access *access, node_number node, char *target,
			     size_t size);
int file_system_change_mode(const struct file_access *access, node_number node, unsigned mode);
int file_system_change_owner(const struct file_access *access, node_number node, unsigned uid,
			     unsigned gid);
int file_system_change_times(const struct file_access *access, node_number node, int64_t accessed,
			     int64_t modified);
/* The entry after *position (0 at first) of a folder, without . and ..; 1, 0 at the end, -errno.
 * The name is valid until the next call. */
int file_system_next(const struct file_access *access, node_number folder, uint64_t *position,
		     const char **name, node_number *node, unsigned *type);
/* chattr(1): what of these a file has. Only root changes them; 0, -EPERM, or -EOPNOTSUPP where the
 * mount has no such thing. */
enum {
	FILE_IMMUTABLE = 1,
	FILE_APPEND_ONLY = 2,
	FILE_NO_DUMP = 4,
	FILE_NO_ATIME = 8,
	FILE_SYNC = 16
};
int file_system_attributes(const struct file_access *access, node_number node,
			   unsigned *attributes);
int file_system_change_attributes(const struct file_access *access, node_number node,
				  unsigned attributes);
int file_system_statfs(const struct file_access *access, node_number node,
		       struct file_system_status *status);

/* --- live files: /proc, /sys and what else is made when it is read --- */

/* A rule for paths below a folder of the image that is alive: each live tree is one file of
 * src/decoy/machine/files/ and a line in its table. */
struct live_entry {
	const char *name;
	unsigned mode;
	uint64_t key;  /* for the tree's own use; with the name it identifies the node */
	char room[16]; /* for a name that is made up at once: name may point here */
};
struct live_tree {
	const char *mount_point, *type, *source, *options; /* as in /proc/mounts */
	/* The entry of that name in the folder with this key (the root's is 0); false: none. */
	bool (*find)(const struct file_access *access, uint64_t folder, const char *name,
		     struct live_entry *entry);
	/* The entry after *position; false: no more. */
	bool (*next)(const struct file_access *access, uint64_t folder, uint64_t *position,
		     struct live_entry *entry);
	/* The contents of a file, or a link's target, into the writer; 0 or -errno. */
	int (*read)(const struct file_access *access, uint64_t key, struct writer *out);
	/* Writes to a file; NULL: -EACCES as the mode says. */
	int (*write)(const struct file_access *access, uint64_t key, struct slice bytes);
	/* Owner, times and so on beyond the mode; NULL: root's, now. */
	void (*status)(const struct file_access *access, uint64_t key, struct file_status *status);
};
extern const struct live_tree *const live_trees[]; /* ends with NULL */

#endif
