/* The image of a router: a tree described in a text of share/machines/router, since nobody's
 * firmware can be given away. See README.md there for the words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/image.h"

/* The text is ours, but the user's to change. */
#define TREE_MAX ((size_t)1024 * 1024)

struct reading {
	struct image_builder *builder;
	enum image_machine machine;
	struct slice rest;
	unsigned line;
};

static bool next_line(struct reading *reading, struct slice *line)
{
	reading->line++;
	return slice_next(&reading->rest, '\n', line);
}

/* The next word of a line. */
static struct slice word_of(struct slice *line)
{
	struct slice word = {0};

	while (line->length && !word.length && slice_next(line, ' ', &word))
		;
	return word;
}

static unsigned number_of(struct slice *line, unsigned base)
{
	struct slice word = word_of(line);
	unsigned value = 0;

	for (size_t i = 0; i < word.length && word.at[i] >= '0' && word.at[i] < '0' + base; i++)
		value = value * base + (word.at[i] - (unsigned)'0');
	return value;
}

static bool text_of(struct slice word, char text[256])
{
	if (word.length == 0 || word.length > 255)
		return false;
	memcpy(text, word.at, word.length);
	text[word.length] = '\0';
	return true;
}

/* Lines up to a lone "." are the contents. */
static struct slice contents(struct reading *reading)
{
	struct slice start = reading->rest, line;

	while (next_line(reading, &line))
		if (slice_is(line, "."))
			return slice_first(start, (size_t)(line.at - start.at));
	return start;
}

static int add_applets(struct reading *reading, struct slice line)
{
	char folder[256], name[256], path[600], target[64];
	bool same;
	struct slice word;

	if (!text_of(word_of(&line), folder))
		return -1;
	same = !strcmp(folder, "/bin");
	snprintf(target, sizeof(target), "%s",
		 same                          ? "busybox"
		 : !strncmp(folder, "/usr", 4) ? "../../bin/busybox"
					       : "../bin/busybox");
	while ((word = word_of(&line)).length) {
		if (!text_of(word, name))
			return -1;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (image_builder_add(reading->builder, &(struct image_item){.path = path,
									     .mode = S_IFLNK | 0777,
									     .target = target}) < 0)
			return -1;
	}
	return 0;
}

static int add_program(struct reading *reading, struct slice line)
{
	unsigned mode = number_of(&line, 8), size = number_of(&line, 10);
	static const uint64_t key[2] = {0x726f75746572, 0x70726f6772616d};
	struct slice path = word_of(&line);
	uint8_t start[256];
	char text[256];
	size_t length;

	if (!text_of(path, text))
		return -1;
	length = image_elf_start(reading->machine, hash_sip(key, path), start, sizeof(start));
	return image_builder_add(reading->builder,
				 &(struct image_item){.path = text,
						      .mode = S_IFREG | mode,
						      .contents = slice_of(start, length),
						      .size = size > length ? size : 0,
						      .seeded = true,
						      .program = true});
}

static int add_line(struct reading *reading, struct slice line)
{
	struct slice kind = word_of(&line);
	struct image_item item = {0};
	char path[256], target[256];

	if (kind.length == 0 || kind.at[0] == '#')
		return 0;
	if (slice_is(kind, "applets"))
		return add_applets(reading, line);
	if (slice_is(kind, "program"))
		return add_program(reading, line);
	item.path = path;
	if (slice_is(kind, "link")) {
		if (!text_of(word_of(&line), path) || !text_of(word_of(&line), target))
			return -1;
		item.mode = S_IFLNK | 0777;
		item.target = target;
		return image_builder_add(reading->builder, &item);
	}
	item.mode = number_of(&line, 8);
	if (slice_is(kind, "character") || slice_is(kind, "block")) {
		item.mode |= slice_is(kind, "block") ? S_IFBLK : S_IFCHR;
		item.major = number_of(&line, 10);
		item.minor = number_of(&line, 10);
	} else if (slice_is(kind, "folder")) {
		item.mode |= S_IFDIR;
	} else if (slice_is(kind, "file")) {
		item.mode |= S_IFREG;
	} else {
		return -1;
	}
	if (!text_of(word_of(&line), path))
		return -1;
	if (S_ISREG(item.mode))
		item.contents = contents(reading);
	return image_builder_add(reading->builder, &item);
}

static char *read_text(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	char *text = file ? malloc(TREE_MAX) : NULL;

	*length = text ? fread(text, 1, TREE_MAX, file) : 0;
	if (file)
		fclose(file);
	return text;
}

struct image *image_router(const char *folder, enum image_machine machine, char **why)
{
	struct reading reading = {.machine = machine};
	uint64_t key[2] = {0x726f75746572, 0x66696c6573};
	char path[4096], words[160];
	struct slice line;
	size_t length;
	char *text;

	snprintf(path, sizeof(path), "%s/tree", folder);
	text = read_text(path, &length);
	if (!text) {
		*why = strdup(strerror(errno));
		return NULL;
	}
	reading.builder = image_builder_new(key);
	reading.rest = slice_of(text, length);
	while (reading.builder && next_line(&reading, &line)) {
		if (add_line(&reading, line) == 0)
			continue;
		snprintf(words, sizeof(words), "line %u of its tree makes no sense", reading.line);
		*why = strdup(words);
		image_free(image_builder_finish(reading.builder));
		free(text);
		return NULL;
	}
	free(text);
	return reading.builder ? image_builder_finish(reading.builder) : NULL;
}

/* What to open for a kind of host: the file for a Debian server, the text for a router. */
struct image *image_for_host(const char *kind, const char *architecture, const char *share_folder,
			     const char *path, char **why)
{
	static const struct {
		const char *name;
		enum image_machine machine;
	} machines[] = {{"mips", IMAGE_MIPS},       {"mipsel", IMAGE_MIPSEL}, {"armv7l", IMAGE_ARM},
			{"armv5tejl", IMAGE_ARM},   {"armv6l", IMAGE_ARM},    {"arm", IMAGE_ARM},
			{"aarch64", IMAGE_AARCH64}, {"x86_64", IMAGE_X86_64}};
	enum image_machine machine = IMAGE_MIPS;
	char folder[4096];

	if (strcmp(kind, "router") != 0)
		return path ? image_open(path, why) : image_plain();
	for (size_t i = 0; i < ARRAY_COUNT(machines); i++)
		if (!strcmp(machines[i].name, architecture))
			machine = machines[i].machine;
	snprintf(folder, sizeof(folder), "%s/machines/router", share_folder);
	return image_router(folder, machine, why);
}
