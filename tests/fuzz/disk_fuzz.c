/* Damaged disks of the fake machine: images and journals with bytes changed, cut and swapped.
 * Nothing of it may crash, and what opens can be gone through to its end.
 *
 *     disk_fuzz ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "fuzz_input.h"

#include "base/clock.h"
#include "decoy/machine/file_system_inside.h"

#define NOW       (1790000000 * SECOND)
#define DEPTH_MAX 20

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static struct image *make_image(void)
{
	static const uint64_t key[2] = {5, 6};
	struct image_builder *builder = image_builder_new(key);
	static const struct image_item items[] = {
		{.path = "/a/file", .mode = S_IFREG | 0644, .contents = SLICE("contents\n")},
		{.path = "/a/b/c", .mode = S_IFDIR | 0755},
		{.path = "/a/link", .mode = S_IFLNK | 0777, .target = "b/c"},
		{.path = "/bin/x", .mode = S_IFREG | 0755, .seeded = true, .program = true},
		{.path = "/dev/null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3},
	};

	for (size_t i = 0; i < ARRAY_COUNT(items); i++)
		if (image_builder_add(builder, &items[i]) < 0)
			abort();
	return image_builder_finish(builder);
}

static void go_through(const struct file_access *access, node_number folder, unsigned depth)
{
	uint64_t position = 0;
	const char *name;
	node_number node;
	unsigned type;

	while (file_system_next(access, folder, &position, &name, &node, &type) == 1) {
		char room[300];
		struct file_status status;

		(void)file_system_status(access, node, &status);
		(void)file_system_path(access, node, room, sizeof(room));
		if (type == S_IFDIR && depth < DEPTH_MAX)
			go_through(access, node, depth + 1);
		else if (type == S_IFREG)
			(void)!file_system_read(access, node, 0, room, sizeof(room));
		else if (type == S_IFLNK)
			(void)!file_system_readlink(access, node, room, sizeof(room));
	}
}

static struct file_system *open_view(struct file_systems *all)
{
	struct address source = address_v4(0xc0000201);

	return file_system_open(all, &source, NOW);
}

static void mutate(uint8_t *bytes, size_t length)
{
	for (uint64_t i = 0; length && i < 1 + draw(4); i++)
		switch (draw(4)) {
		case 0:
			bytes[draw(length)] ^= (uint8_t)(1u << draw(8));
			break;
		case 1:
			bytes[draw(length)] = (uint8_t)draw(256);
			break;
		case 2:
			bytes[draw(length)] = draw(2) ? 0xff : 0;
			break;
		default:
			bytes[draw(length)] = bytes[draw(length)];
			break;
		}
}

static void try_image(const struct image *good)
{
	uint8_t *copy = malloc(good->length);
	size_t tables = good->header->sections[IMAGE_DATA].offset;
	struct image_header *header = (void *)copy;
	struct image *image;
	char *why = NULL;

	memcpy(copy, good->at, good->length);
	mutate(copy, tables);
	/* As somebody would who can compute a checksum. */
	if (draw(8))
		header->checksum = (uint32_t)crc32(0, copy + sizeof(*header),
						   (uInt)(tables - sizeof(*header)));
	image = image_of(copy, good->length, false, &why);
	free(why);
	if (image) {
		struct file_systems *all = file_systems_new(image, NULL, -1);
		struct file_system *fs = open_view(all);
		struct file_access access = {.fs = fs, .now = NOW};

		go_through(&access, file_system_root(fs), 0);
		file_system_close(fs);
		file_systems_free(all);
		image_free(image);
	}
}

static const char *some_path(void)
{
	static const char *const paths[] = {
		"/",      "/a",   "/a/file",     "/a/b",      "/a/b/c",    "/a/link",
		"/bin/x", "/new", "/new/x",      "/a/b/c/d",  "/a/link/y", "/dev/null",
		"",       "x",    "/a/../bin/z", "/a/b/c/..", "/new/x/y"};

	return paths[draw(ARRAY_COUNT(paths))];
}

static void try_journal(const struct image *image)
{
	struct file_systems *all = file_systems_new(image, NULL, -1);
	struct file_system *fs = open_view(all);
	struct file_access access = {.fs = fs, .now = NOW};
	struct writer out = writer_growing(1 << 20);
	uint8_t contents[200];

	memset(contents, 'c', sizeof(contents));
	for (uint64_t i = 0; i < 1 + draw(60); i++) {
		static const unsigned types[] = {S_IFREG, S_IFREG, S_IFDIR, S_IFIFO, S_IFCHR, 0};
		struct journal_record record = {
			.word = (enum journal_word)draw(JOURNAL_WORDS + 1),
			.now = NOW,
			.path = some_path(),
			.other = some_path(),
			.numbers = {draw(3) ? draw(12) : draw(UINT64_MAX), draw(1000),
				    image->header->identity, draw(9)},
			.bytes = slice_of(contents, draw(sizeof(contents)))};

		if (record.word == JOURNAL_MAKE)
			record.numbers[0] = types[draw(ARRAY_COUNT(types))] | draw(07777);
		if (record.word == JOURNAL_PLACE || record.word == JOURNAL_CONTENTS)
			record.numbers[1] = image->header->identity;
		journal_encode(fs, &record, &out);
	}
	if (draw(3) == 0)
		mutate(out.at, out.length);
	if (draw(4) == 0)
		out.length -= draw(out.length);
	(void)journal_replay(fs, writer_slice(&out), 1);
	go_through(&access, file_system_root(fs), 0);
	writer_free(&out);
	file_system_close(fs);
	file_systems_free(all);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	struct image *image = make_image();

	random_state = fuzz_seed(88172645463325252);
	for (long i = 0; i < rounds; i++) {
		try_image(image);
		try_journal(image);
	}
	image_free(image);
	printf("%ld rounds\n", rounds);
	return 0;
}
