/* Images made in memory: a tree of items, laid out as image.h says. */
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <zlib.h>

#include "base/hash.h"
#include "decoy/machine/image.h"
#include "decoy/machine/limits.h"

/* What a builder makes at most: these images are small. */
#define BUILD_NODES_MAX 16384
#define BUILD_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct built_name {
	uint32_t folder, node, name;
	uint64_t hash;
};

struct image_builder {
	struct image_header header;
	struct image_node *nodes;
	struct built_name *names;
	uint32_t node_count, name_count, node_room, name_room;
	struct writer strings, texts;
	bool failed;
};

static bool make_room(void **at, uint32_t *room, uint32_t count, size_t size)
{
	uint32_t more = *room ? *room * 2 : 256;
	void *grown;

	if (count < *room)
		return true;
	grown = count < BUILD_NODES_MAX ? realloc(*at, more * size) : NULL;
	if (!grown)
		return false;
	*at = grown;
	*room = more;
	return true;
}

static uint32_t add_string(struct image_builder *builder, const char *text, size_t length)
{
	uint32_t at = (uint32_t)builder->strings.length;

	writer_bytes(&builder->strings, slice_of(text, length));
	writer_u8(&builder->strings, 0);
	return at;
}

static void builder_free(struct image_builder *builder)
{
	free(builder->nodes);
	free(builder->names);
	writer_free(&builder->strings);
	writer_free(&builder->texts);
	free(builder);
}

struct image_builder *image_builder_new(const uint64_t name_key[2])
{
	struct image_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	builder->strings = writer_growing(BUILD_BYTES_MAX);
	builder->texts = writer_growing(BUILD_BYTES_MAX);
	memcpy(builder->header.name_key, name_key, sizeof(builder->header.name_key));
	if (!make_room((void **)&builder->nodes, &builder->node_room, 0, sizeof(*builder->nodes))) {
		builder_free(builder);
		return NULL;
	}
	builder->nodes[0] = (struct image_node){.mode = S_IFDIR | 0755,
						.links = 2,
						.flags = IMAGE_INSTALLED,
						.size = 4096,
						.name = add_string(builder, "", 0)};
	builder->node_count = 1;
	return builder;
}

static uint64_t hash_of(const struct image_builder *builder, struct slice name)
{
	uint64_t hash = hash_sip(builder->header.name_key, name);

	return hash >= UINT64_MAX - 1 ? hash - 2 : hash;
}

static uint32_t find_name(const struct image_builder *builder, uint32_t folder, struct slice name)
{
	uint64_t hash = hash_of(builder, name);

	for (uint32_t i = 0; i < builder->name_count; i++)
		if (builder->names[i].folder == folder && builder->names[i].hash == hash)
			return builder->names[i].node;
	return UINT32_MAX;
}

static int add_name(struct image_builder *builder, uint32_t folder, struct slice name,
		    uint32_t node)
{
	if (!make_room((void **)&builder->names, &builder->name_room, builder->name_count,
		       sizeof(*builder->names)))
		return -1;
	builder->names[builder->name_count++] = (struct built_name){
		folder, node, add_string(builder, (const char *)name.at, name.length),
		hash_of(builder, name)};
	return 0;
}

static uint32_t add_node(struct image_builder *builder, uint32_t folder, struct slice name,
			 unsigned mode)
{
	uint32_t number = builder->node_count;

	if (name.length == 0 || name.length > MACHINE_NAME_MAX ||
	    !make_room((void **)&builder->nodes, &builder->node_room, number,
		       sizeof(*builder->nodes)) ||
	    add_name(builder, folder, name, number) < 0)
		return UINT32_MAX;
	builder->nodes[number] =
		(struct image_node){.mode = mode,
				    .links = S_ISDIR(mode) ? 2 : 1,
				    .parent = folder,
				    .name = builder->names[builder->name_count - 1].name,
				    .flags = IMAGE_INSTALLED,
				    .size = S_ISDIR(mode) ? 4096 : 0};
	if (S_ISDIR(mode))
		builder->nodes[folder].links++;
	builder->node_count++;
	return number;
}

/* The folder that a path's last part is in, made where it is missing. */
static uint32_t folder_of(struct image_builder *builder, const char *path, struct slice *last)
{
	struct slice rest = slice_text(path), name;
	uint32_t folder = 0;

	*last = (struct slice){0};
	while (slice_next(&rest, '/', &name)) {
		if (name.length == 0)
			continue;
		if (last->length) {
			uint32_t next = find_name(builder, folder, *last);

			if (next == UINT32_MAX)
				next = add_node(builder, folder, *last, S_IFDIR | 0755);
			if (next == UINT32_MAX || !S_ISDIR(builder->nodes[next].mode))
				return UINT32_MAX;
			folder = next;
		}
		*last = name;
	}
	return folder;
}

static void fill(struct image_builder *builder, uint32_t number, const struct image_item *item)
{
	struct image_node *node = &builder->nodes[number];
	static const uint64_t key[2] = {0x73756e646577, 0x70726f6772616d};

	node->mode = item->mode;
	node->uid = (uint16_t)item->uid;
	node->gid = (uint16_t)item->gid;
	node->modified = item->modified;
	node->seed = hash_sip(key, slice_text(item->path));
	if (item->program)
		node->flags |= IMAGE_PROGRAM;
	switch (item->mode & S_IFMT) {
	case S_IFLNK:
		node->position = add_string(builder, item->target, strlen(item->target));
		node->size = strlen(item->target);
		break;
	case S_IFCHR:
	case S_IFBLK:
		node->position = (uint64_t)item->major << 32 | item->minor;
		break;
	case S_IFREG:
		node->position = builder->texts.length;
		writer_bytes(&builder->texts, item->contents);
		node->size = item->contents.length;
		if (!item->seeded)
			break;
		node->flags |= IMAGE_SEEDED;
		node->count = (uint32_t)item->contents.length;
		/* As programs of coreutils are: 30 to 150 KiB, whole steps of 8. */
		node->size = item->size ? item->size : 30000 + node->seed % 15000 * 8;
		break;
	default:
		break;
	}
}

int image_builder_add(struct image_builder *builder, const struct image_item *item)
{
	struct slice name;
	uint32_t folder = folder_of(builder, item->path, &name), number;

	if (folder == UINT32_MAX)
		return -1;
	if (name.length == 0) { /* the root */
		builder->nodes[0].mode = item->mode;
		return S_ISDIR(item->mode) ? 0 : -1;
	}
	number = find_name(builder, folder, name);
	if (number != UINT32_MAX) {
		struct image_node *node = &builder->nodes[number];

		if (((node->mode ^ item->mode) & S_IFMT) == 0)
			node->mode = item->mode;
		node->uid = (uint16_t)item->uid;
		node->gid = (uint16_t)item->gid;
		return 0;
	}
	number = add_node(builder, folder, name, item->mode);
	if (number == UINT32_MAX)
		return -1;
	fill(builder, number, item);
	return builder->strings.failed || builder->texts.failed ? -1 : 0;
}

int image_builder_link(struct image_builder *builder, const char *path, const char *existing)
{
	struct slice name, other;
	uint32_t folder = folder_of(builder, path, &name);
	uint32_t from = folder_of(builder, existing, &other);
	uint32_t node = from == UINT32_MAX ? from : find_name(builder, from, other);

	if (folder == UINT32_MAX || node == UINT32_MAX || S_ISDIR(builder->nodes[node].mode) ||
	    name.length == 0)
		return -1;
	if (find_name(builder, folder, name) != UINT32_MAX)
		return 0;
	builder->nodes[node].links++;
	return add_name(builder, folder, name, node);
}

static int by_folder_and_hash(const void *a, const void *b)
{
	const struct built_name *x = a, *y = b;

	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void pad(struct writer *out)
{
	while (out->length % 8)
		writer_u8(out, 0);
}

static void section(struct image_header *header, unsigned which, struct writer *out, const void *at,
		    size_t length)
{
	pad(out);
	header->sections[which] = (struct image_section){out->length, length};
	writer_bytes(out, slice_of(at, length));
}

static void lay_out(struct image_builder *builder, struct writer *out)
{
	struct image_header *header = &builder->header;
	struct writer entries = writer_growing(BUILD_BYTES_MAX),
		      blocks = writer_growing(BUILD_BYTES_MAX);
	size_t left = builder->texts.length;

	qsort(builder->names, builder->name_count, sizeof(*builder->names), by_folder_and_hash);
	for (uint32_t i = 0; i < builder->name_count; i++) {
		const struct built_name *name = &builder->names[i];
		struct image_entry entry = {name->hash, name->name, name->node};
		struct image_node *folder = &builder->nodes[name->folder];

		if (folder->count++ == 0)
			folder->first = i;
		writer_bytes(&entries, slice_of(&entry, sizeof(entry)));
	}
	for (size_t at = 0; left; left -= left < IMAGE_BLOCK_SIZE ? left : IMAGE_BLOCK_SIZE) {
		uint32_t part = (uint32_t)(left < IMAGE_BLOCK_SIZE ? left : IMAGE_BLOCK_SIZE);
		struct image_block block = {at, part, part};

		writer_bytes(&blocks, slice_of(&block, sizeof(block)));
		at += part;
	}
	writer_bytes(out, slice_of(header, sizeof(*header)));
	section(header, IMAGE_NODES, out, builder->nodes,
		builder->node_count * sizeof(*builder->nodes));
	section(header, IMAGE_ENTRIES, out, entries.at, entries.length);
	section(header, IMAGE_STRINGS, out, builder->strings.at, builder->strings.length);
	section(header, IMAGE_DIGESTS, out, "", 0);
	section(header, IMAGE_BLOCKS, out, blocks.at, blocks.length);
	section(header, IMAGE_DATA, out, builder->texts.at, builder->texts.length);
	out->failed |= entries.failed || blocks.failed;
	writer_free(&entries);
	writer_free(&blocks);
}

struct image *image_builder_finish(struct image_builder *builder)
{
	struct writer out = writer_growing(4 * BUILD_BYTES_MAX);
	struct image_header *header = &builder->header;
	struct image *image = NULL;

	memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
	header->version = IMAGE_VERSION;
	header->text_size = builder->texts.length;
	lay_out(builder, &out);
	header->length = out.length;
	if (!out.failed && !builder->strings.failed && !builder->texts.failed) {
		size_t tables = header->sections[IMAGE_DATA].offset - sizeof(*header);

		header->checksum = (uint32_t)crc32(0, out.at + sizeof(*header), (uInt)tables);
		header->identity = header->name_key[0] ^ header->checksum;
		memcpy(out.at, header, sizeof(*header));
		image = image_of(out.at, out.length, false, NULL);
	} else {
		writer_free(&out);
	}
	builder_free(builder);
	return image;
}

/* --- programs --- */

size_t image_elf_start(enum image_machine machine, uint64_t seed, uint8_t *at, size_t size)
{
	static const struct {
		uint16_t number;
		bool wide, big;
		uint32_t flags;
	} machines[] = {
		[IMAGE_X86_64] = {62, true, false, 0},
		[IMAGE_ARM] = {40, false, false, 0x5000400},
		[IMAGE_MIPS] = {8, false, true, 0x70001007},
		[IMAGE_MIPSEL] = {8, false, false, 0x70001007},
		[IMAGE_AARCH64] = {183, true, false, 0},
	};
	bool wide = machines[machine].wide, big = machines[machine].big;
	struct writer out = writer_fixed(at, size);
	size_t header = wide ? 64 : 52, segment = wide ? 56 : 32;
	uint32_t flags = machines[machine].flags;
	uint64_t entry = (wide                   ? 0x1000
			  : machine == IMAGE_ARM ? 0x8000
						 : 0x400000) +
			 seed % 0x4000 * 8;
	uint64_t load = wide ? 0 : machine == IMAGE_ARM ? 0x8000 : 0x400000;

#define WORD16(v) (big ? writer_u16be(&out, (uint16_t)(v)) : writer_u16le(&out, (uint16_t)(v)))
#define WORD32(v) (big ? writer_u32be(&out, (uint32_t)(v)) : writer_u32le(&out, (uint32_t)(v)))
#define WORD(v)   (wide ? writer_u64le(&out, (v)) : WORD32(v))
	writer_bytes(&out, SLICE("\x7f"
				 "ELF"));
	writer_u8(&out, wide ? 2 : 1);
	writer_u8(&out, big ? 2 : 1);
	writer_bytes(&out, SLICE("\x01\0\0\0\0\0\0\0\0\0"));
	WORD16(wide ? 3 : 2); /* position-independent, or an executable */
	WORD16(machines[machine].number);
	WORD32(1);
	WORD(entry);
	WORD(header);
	WORD(0);
	WORD32(flags);
	WORD16(header);
	WORD16(segment);
	WORD16(1);
	WORD16(0);
	WORD16(0);
	WORD16(0);
	WORD32(1); /* one segment to load, read and execute */
	if (wide)
		WORD32(5);
	WORD(0);
	WORD(load);
	WORD(load);
	WORD(0x6000 + seed % 0x8000);
	WORD(0x6000 + seed % 0x8000);
	if (!wide)
		WORD32(5);
	WORD(wide ? 0x1000 : 0x8000);
#undef WORD
#undef WORD32
#undef WORD16
	return out.failed ? 0 : out.length;
}
