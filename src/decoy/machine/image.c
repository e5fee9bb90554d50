/* Opening an image, looking names up in it, reading contents; see image.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "decoy/machine/image.h"
#include "decoy/machine/limits.h"

_Static_assert(sizeof(struct image_header) == 152, "layout of the file");
_Static_assert(sizeof(struct image_node) == 64, "layout of the file");
_Static_assert(sizeof(struct image_entry) == 16, "layout of the file");
_Static_assert(sizeof(struct image_block) == 16, "layout of the file");
_Static_assert(sizeof(struct file_digests) == 132, "layout of the file");

static char *complaint(const char *words)
{
	return strdup(words);
}

static const char *check_sections(struct image *image)
{
	static const size_t sizes[IMAGE_SECTIONS] = {
		sizeof(struct image_node),   sizeof(struct image_entry), 1,
		sizeof(struct file_digests), sizeof(struct image_block), 1};
	const struct image_header *header = (const void *)image->at;
	uint64_t at = sizeof(*header);

	if (image->length < sizeof(*header) || memcmp(header->magic, IMAGE_MAGIC, 8) != 0)
		return "it is no image of a machine";
	if (header->version != IMAGE_VERSION)
		return "it was made for another version: run scripts/machine-image again";
	if (header->length != image->length)
		return "it is not complete";
	for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
		const struct image_section *section = &header->sections[i];

		if (section->offset % 8 || section->offset < at ||
		    section->offset > image->length ||
		    section->length > image->length - section->offset || section->length % sizes[i])
			return "its sections make no sense";
		at = section->offset + section->length;
	}
	at = header->sections[IMAGE_DATA].offset;
	if (at - sizeof(*header) > UINT32_MAX ||
	    crc32(0, image->at + sizeof(*header), (uInt)(at - sizeof(*header))) != header->checksum)
		return "its checksum is wrong";
	image->header = header;
	return NULL;
}

static void find_tables(struct image *image)
{
	const struct image_section *sections = image->header->sections;

	image->nodes = (const void *)(image->at + sections[IMAGE_NODES].offset);
	image->entries = (const void *)(image->at + sections[IMAGE_ENTRIES].offset);
	image->strings = (const void *)(image->at + sections[IMAGE_STRINGS].offset);
	image->digests = (const void *)(image->at + sections[IMAGE_DIGESTS].offset);
	image->blocks = (const void *)(image->at + sections[IMAGE_BLOCKS].offset);
	image->data = image->at + sections[IMAGE_DATA].offset;
	image->node_count = (uint32_t)(sections[IMAGE_NODES].length / sizeof(*image->nodes));
	image->entry_count = (uint32_t)(sections[IMAGE_ENTRIES].length / sizeof(*image->entries));
	image->digest_count = (uint32_t)(sections[IMAGE_DIGESTS].length / sizeof(*image->digests));
	image->block_count = (uint32_t)(sections[IMAGE_BLOCKS].length / sizeof(*image->blocks));
	image->string_length = (uint32_t)sections[IMAGE_STRINGS].length;
}

static bool name_is_sound(const struct image *image, uint32_t offset)
{
	size_t length;

	if (offset >= image->string_length)
		return false;
	length = strnlen(image->strings + offset, MACHINE_NAME_MAX + 1);
	return length > 0 && length <= MACHINE_NAME_MAX &&
	       !memchr(image->strings + offset, '/', length);
}

static bool folder_is_sound(const struct image *image, uint32_t number)
{
	const struct image_node *node = &image->nodes[number];
	uint64_t last = 0;

	if (node->first > image->entry_count || node->count > image->entry_count - node->first)
		return false;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct image_entry *entry = &image->entries[node->first + i];

		if ((i && entry->hash <= last) || entry->node >= image->node_count ||
		    entry->node == 0 || entry->hash >= UINT64_MAX - 1 ||
		    !name_is_sound(image, entry->name))
			return false;
		if (S_ISDIR(image->nodes[entry->node].mode) &&
		    image->nodes[entry->node].parent != number)
			return false;
		last = entry->hash;
	}
	return true;
}

static bool node_is_sound(const struct image *image, uint32_t number)
{
	const struct image_node *node = &image->nodes[number];
	uint64_t kept;

	if (number ? (node->parent >= image->node_count || !name_is_sound(image, node->name) ||
		      !S_ISDIR(image->nodes[node->parent].mode))
		   : (!S_ISDIR(node->mode) || node->parent || node->name >= image->string_length))
		return false;
	switch (node->mode & S_IFMT) {
	case S_IFDIR:
		/* A parent that comes first makes every way up end. */
		return (number == 0 || node->parent < number) && folder_is_sound(image, number);
	case S_IFLNK:
		return node->position < image->string_length &&
		       strnlen(image->strings + node->position, MACHINE_PATH_MAX) <
			       MACHINE_PATH_MAX;
	case S_IFREG:
		kept = node->flags & IMAGE_SEEDED ? node->count : node->size;
		return kept <= node->size && node->size < (uint64_t)1 << 40 &&
		       kept <= image->header->text_size &&
		       node->position <= image->header->text_size - kept &&
		       node->first <= image->digest_count;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	default:
		return false;
	}
}

static const char *check_tables(const struct image *image)
{
	const struct image_section *data = &image->header->sections[IMAGE_DATA];
	uint64_t left = image->header->text_size;

	if (image->node_count == 0 || image->node_count > IMAGE_NODES_MAX ||
	    image->string_length == 0 || image->strings[image->string_length - 1])
		return "its tables make no sense";
	for (uint32_t i = 0; i < image->node_count; i++)
		if (!node_is_sound(image, i))
			return "its nodes make no sense";
	for (uint32_t i = 0; i < image->block_count; i++) {
		const struct image_block *block = &image->blocks[i];
		uint64_t want = left < IMAGE_BLOCK_SIZE ? left : IMAGE_BLOCK_SIZE;

		if (block->length != want || want == 0 || block->offset > data->length ||
		    block->stored > data->length - block->offset || block->stored > block->length)
			return "its blocks make no sense";
		left -= want;
	}
	return left ? "its blocks are too few" : NULL;
}

struct image *image_of(void *bytes, size_t length, bool mapped, char **why)
{
	struct image *image = calloc(1, sizeof(*image));
	const char *words = "there is no memory";

	if (image) {
		image->at = bytes;
		image->length = length;
		words = check_sections(image);
		if (!words) {
			find_tables(image);
			words = check_tables(image);
		}
	}
	if (!words) {
		image->mapped = mapped;
		return image;
	}
	if (why)
		*why = complaint(words);
	if (mapped)
		munmap(bytes, length);
	else
		free(bytes);
	free(image);
	return NULL;
}

struct image *image_open(const char *path, char **why)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *bytes;

	if (file < 0 || fstat(file, &status) < 0 || status.st_size <= 0) {
		*why = complaint(file < 0 ? strerror(errno) : "it is empty");
		if (file >= 0)
			close(file);
		return NULL;
	}
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
	close(file);
	if (bytes == MAP_FAILED) {
		*why = complaint(strerror(errno));
		return NULL;
	}
	return image_of(bytes, (size_t)status.st_size, true, why);
}

void image_free(struct image *image)
{
	if (!image)
		return;
	if (image->mapped)
		munmap((void *)(uintptr_t)image->at, image->length);
	else
		free((void *)(uintptr_t)image->at);
	free(image);
}

/* --- names --- */

uint64_t image_name_hash(const struct image *image, const char *name, size_t length)
{
	uint64_t hash = hash_sip(image->header->name_key, slice_of(name, length));

	/* The last two values mean "at the end" to file_system_next. */
	return hash >= UINT64_MAX - 1 ? hash - 2 : hash;
}

uint32_t image_entry_at(const struct image *image, uint32_t folder, uint64_t hash)
{
	const struct image_node *node = &image->nodes[folder];
	const struct image_entry *entries = &image->entries[node->first];
	uint32_t low = 0, high = node->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (entries[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t image_find(const struct image *image, uint32_t folder, uint64_t hash, const char *name,
		    size_t length)
{
	const struct image_node *node = &image->nodes[folder];
	uint32_t at = image_entry_at(image, folder, hash);
	const struct image_entry *entry = &image->entries[node->first + at];

	if (at == node->count || entry->hash != hash)
		return UINT32_MAX;
	if (strncmp(image->strings + entry->name, name, length) != 0 ||
	    image->strings[entry->name + length])
		return UINT32_MAX;
	return entry->node;
}

/* --- contents --- */

void image_cache_free(struct image_cache *cache)
{
	for (unsigned i = 0; i < IMAGE_CACHED; i++)
		free(cache->slots[i].bytes);
	*cache = (struct image_cache){0};
}

static const uint8_t *unpacked(const struct image *image, struct image_cache *cache,
			       uint32_t number)
{
	const struct image_block *block = &image->blocks[number];
	unsigned oldest = 0;

	if (block->stored == block->length)
		return image->data + block->offset;
	for (unsigned i = 0; i < IMAGE_CACHED; i++) {
		if (cache->slots[i].length && cache->slots[i].block == number) {
			cache->slots[i].used = ++cache->turn;
			return cache->slots[i].bytes;
		}
		if (cache->slots[i].used < cache->slots[oldest].used)
			oldest = i;
	}
	if (!cache->slots[oldest].bytes)
		cache->slots[oldest].bytes = malloc(IMAGE_BLOCK_SIZE);
	if (!cache->slots[oldest].bytes)
		return NULL;
	cache->slots[oldest].length = 0;
	if (ZSTD_decompress(cache->slots[oldest].bytes, IMAGE_BLOCK_SIZE,
			    image->data + block->offset, block->stored) != block->length)
		return NULL;
	cache->slots[oldest].block = number;
	cache->slots[oldest].length = block->length;
	cache->slots[oldest].used = ++cache->turn;
	return cache->slots[oldest].bytes;
}

/* The bytes of a seed: word n is a bijective mix of seed and n (SplitMix64, Steele and others). */
static void seeded(uint64_t seed, uint64_t offset, uint8_t *at, size_t size)
{
	while (size) {
		uint64_t word = seed + (offset / 8 + 1) * 0x9e3779b97f4a7c15;
		size_t skip = offset % 8, part = 8 - skip < size ? 8 - skip : size;

		word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
		word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
		word ^= word >> 31;
		word >>= 8 * skip;
		for (size_t i = 0; i < part; i++)
			at[i] = (uint8_t)(word >> (8 * i));
		at += part;
		offset += part;
		size -= part;
	}
}

ssize_t image_read(const struct image *image, struct image_cache *cache, uint32_t number,
		   uint64_t offset, void *at, size_t size)
{
	const struct image_node *node = &image->nodes[number];
	uint64_t kept = node->flags & IMAGE_SEEDED ? node->count : node->size;
	uint8_t *out = at;
	size_t done = 0;

	if (offset >= node->size)
		return 0;
	if (size > node->size - offset)
		size = (size_t)(node->size - offset);
	while (done < size && offset + done < kept) {
		uint64_t place = node->position + offset + done;
		uint32_t block = (uint32_t)(place / IMAGE_BLOCK_SIZE);
		const uint8_t *bytes = unpacked(image, cache, block);
		size_t skip = (size_t)(place % IMAGE_BLOCK_SIZE), part = size - done;

		if (!bytes)
			return -EIO;
		if (part > image->blocks[block].length - skip)
			part = image->blocks[block].length - skip;
		if (part > kept - offset - done)
			part = (size_t)(kept - offset - done);
		memcpy(out + done, bytes + skip, part);
		done += part;
	}
	if (done < size)
		seeded(node->seed, offset + done, out + done, size - done);
	return (ssize_t)size;
}
