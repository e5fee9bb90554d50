/* The image: the tree of a host as it was installed, read-only, shared by all sources and workers.
 *
 * One block of bytes, mapped from a file that scripts/machine-image made (or built in memory by
 * image_build.c), all numbers little-endian, all tables aligned to 8:
 *
 *   header    magic, version, where the sections are, the key that names are hashed with
 *   nodes     64 bytes each: mode, owner, links, size, time, where the contents are; number 0 is
 *             the root, a folder's parent comes before it
 *   entries   16 bytes each: the names of folders; those of one folder stand together, in the order
 *             of their hash (SipHash with the header's key), which is also the order that readdir
 *             gives, as on ext4 with its hashed folders
 *   strings   names, targets of links; each ends with NUL
 *   digests   132 bytes each: MD5, SHA-1, SHA-256, SHA-512 of contents that are not kept
 *   blocks    16 bytes each: where a block of kept contents is among the data
 *   data      blocks of 64 KiB of all kept contents in a row, each compressed with zstd (or as it
 *             is when that does not help)
 *
 * Contents of texts are kept. Of other files the first bytes are (headers of ELF, magic numbers:
 * what file(1) and `head -c` look at) and the rest comes from a seed, always the same. Times of
 * what was not in a package (folders, files that installation scripts wrote) are relative to the
 * moment when the host was installed, which each persona has its own of.
 *
 * Everything is checked when an image is opened; look-ups trust it then. They are O(log n) and take
 * no memory.
 */
#ifndef DECOY_MACHINE_IMAGE_H
#define DECOY_MACHINE_IMAGE_H

#include "decoy/machine/file_system.h"

#define IMAGE_MAGIC      "SUNDEWFS"
#define IMAGE_VERSION    1
#define IMAGE_BLOCK_SIZE 65536
/* More nodes than any host of this kind has. */
#define IMAGE_NODES_MAX 0x1000000

enum {
	IMAGE_NODES,
	IMAGE_ENTRIES,
	IMAGE_STRINGS,
	IMAGE_DIGESTS,
	IMAGE_BLOCKS,
	IMAGE_DATA,
	IMAGE_SECTIONS
};

struct image_section {
	uint64_t offset, length;
};
struct image_header {
	char magic[8];
	uint32_t version, checksum; /* CRC-32 of all sections before the data */
	uint64_t length;            /* of the whole image */
	uint64_t name_key[2];
	uint64_t identity;  /* of this image, for journals */
	uint64_t text_size; /* of all kept contents */
	struct image_section sections[IMAGE_SECTIONS];
};

enum {                      /* image_node.flags */
       IMAGE_INSTALLED = 1, /* modified is relative to the installation */
       IMAGE_SEEDED = 2,    /* only the first `prefix` bytes are kept */
       IMAGE_PROGRAM = 4,   /* may be a program of command_families by its name */
};
struct image_node {
	uint32_t mode;
	uint16_t uid, gid;
	uint32_t links, parent, name;
	uint32_t first; /* folder: its first entry; file: number of its digests, from 1 */
	uint32_t count; /* folder: of entries; seeded file: kept bytes at its start */
	uint32_t flags;
	uint64_t size;
	int64_t modified; /* microseconds */
	uint64_t
		position; /* of contents; of a link's target in the strings; device: major, minor */
	uint64_t seed;
};
struct image_entry {
	uint64_t hash;
	uint32_t name, node;
};
struct image_block {
	uint64_t offset; /* in the data */
	uint32_t stored, length;
};

struct image {
	const uint8_t *at;
	size_t length;
	bool mapped;
	const struct image_header *header;
	const struct image_node *nodes;
	const struct image_entry *entries;
	const char *strings;
	const struct file_digests *digests;
	const struct image_block *blocks;
	const uint8_t *data;
	uint32_t node_count, entry_count, digest_count, block_count;
	uint32_t string_length;
};

/* Blocks that were unpacked last; one cache a worker. Zeroed is empty. */
#define IMAGE_CACHED 12
struct image_cache {
	struct {
		uint8_t *bytes;
		uint32_t block, length;
		uint64_t used;
	} slots[IMAGE_CACHED];
	uint64_t turn;
};
void image_cache_free(struct image_cache *cache);

uint64_t image_name_hash(const struct image *image, const char *name, size_t length);
/* The node of that name in a folder; UINT32_MAX: none. */
uint32_t image_find(const struct image *image, uint32_t folder, uint64_t hash, const char *name,
		    size_t length);
/* Place among the folder's entries of the first whose hash is at least this; may be past the last.
 */
uint32_t image_entry_at(const struct image *image, uint32_t folder, uint64_t hash);
/* Contents of a regular file; bytes read, 0 at the end, -EIO when a block cannot be unpacked. */
ssize_t image_read(const struct image *image, struct image_cache *cache, uint32_t node,
		   uint64_t offset, void *at, size_t size);
static inline const char *image_target(const struct image *image, uint32_t node)
{
	return image->strings + image->nodes[node].position;
}

/* Takes over bytes (from malloc, or mapped); frees them when they are no image. */
struct image *image_of(void *bytes, size_t length, bool mapped, char **why);

/* --- making one in memory --- */

struct image_builder;
struct image_builder *image_builder_new(const uint64_t name_key[2]);
/* What a node is like; parents that are missing are made as root's folders (0755). A path that is
 * there already keeps its contents and is given mode and owner. */
struct image_item {
	const char *path;
	unsigned mode, uid, gid; /* mode with type */
	unsigned major, minor;
	int64_t modified; /* relative to the installation */
	const char *target;
	struct slice contents;
	uint64_t size; /* seeded file: size (0: made up from the name), contents are its start */
	bool seeded, program;
};
/* -1 when memory is out or the path makes no sense. */
MUST_CHECK int image_builder_add(struct image_builder *builder, const struct image_item *item);
/* A second name of a file. */
MUST_CHECK int image_builder_link(struct image_builder *builder, const char *path,
				  const char *existing);
/* Takes over the builder. NULL when memory is out. */
struct image *image_builder_finish(struct image_builder *builder);

/* The start of an ELF file for a program: header and program headers. */
enum image_machine { IMAGE_X86_64, IMAGE_ARM, IMAGE_MIPS, IMAGE_MIPSEL, IMAGE_AARCH64 };
size_t image_elf_start(enum image_machine machine, uint64_t seed, uint8_t *at, size_t size);

/* The router's image, from share/machines/NAME (see its README); NULL with *why. */
struct image *image_router(const char *folder, enum image_machine machine, char **why);

#endif
