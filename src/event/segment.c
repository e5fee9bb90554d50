/* Segments in a folder; see segment.h. Only names relative to the folder's descriptor are used: the
 * process may be unable to name any other path. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/segment.h"

void segment_name(uint64_t number, bool compressed, char name[SEGMENT_NAME_MAX])
{
	snprintf(name, SEGMENT_NAME_MAX, "%010llu.ndjson%s", (unsigned long long)number,
		 compressed ? ".zst" : "");
}

/* Number of a segment's file, or 0 for other names. */
static uint64_t parse_name(const char *text, bool *compressed)
{
	struct slice name = slice_text(text), digits;
	char again[SEGMENT_NAME_MAX];
	int64_t number;

	if (!slice_next(&name, '.', &digits) || slice_number(digits, 1, INT64_MAX - 1, &number) < 0)
		return 0;
	*compressed = slice_is(name, "ndjson.zst");
	segment_name((uint64_t)number, *compressed, again);
	return strcmp(text, again) == 0 ? (uint64_t)number : 0;
}

/* A stream of its own, so that the position of folder_fd is not shared. */
static DIR *open_folder(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder;

	if (fd < 0)
		return NULL;
	folder = fdopendir(fd);
	if (!folder)
		close(fd);
	return folder;
}

static int compare(const void *a, const void *b)
{
	const struct segment *first = a, *second = b;

	return (first->number > second->number) - (first->number < second->number);
}

/* After sorting, the two forms of one segment stand side by side. */
static void merge_forms(struct segment_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct segment *last = kept ? &list->items[kept - 1] : NULL;
		const struct segment *next = &list->items[i];

		if (!last || last->number != next->number) {
			list->items[kept++] = *next;
			continue;
		}
		last->plain |= next->plain;
		last->compressed |= next->compressed;
		last->plain_bytes += next->plain_bytes;
		last->compressed_bytes += next->compressed_bytes;
	}
	list->count = kept;
}

static int add(struct segment_list *list, size_t *room, struct segment segment)
{
	if (list->count == *room) {
		size_t wanted = *room ? 2 * *room : 16;
		struct segment *grown = realloc(list->items, wanted * sizeof(*grown));

		if (!grown)
			return -1;
		list->items = grown;
		*room = wanted;
	}
	list->items[list->count++] = segment;
	return 0;
}

int segment_list(int folder_fd, struct segment_list *list)
{
	DIR *folder = open_folder(folder_fd);
	struct dirent *entry;
	size_t room = 0;
	int problem = 0;

	*list = (struct segment_list){NULL, 0};
	if (!folder)
		return -1;
	while (!problem && (errno = 0, entry = readdir(folder))) {
		bool compressed;
		uint64_t number = parse_name(entry->d_name, &compressed);
		struct stat about;

		/* Gone between listing and looking: not there. */
		if (!number || fstatat(folder_fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(about.st_mode))
			continue;
		uint64_t bytes = (uint64_t)about.st_size;

		if (add(list, &room,
			(struct segment){number, !compressed, compressed, compressed ? 0 : bytes,
					 compressed ? bytes : 0}) < 0)
			problem = ENOMEM;
	}
	if (!problem && errno)
		problem = errno;
	closedir(folder);
	if (problem) {
		free(list->items);
		*list = (struct segment_list){NULL, 0};
		errno = problem;
		return -1;
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	merge_forms(list);
	return 0;
}

int64_t segment_after(int folder_fd, uint64_t after)
{
	DIR *folder = open_folder(folder_fd);
	struct dirent *entry;
	uint64_t least = 0;
	int problem;

	if (!folder)
		return -1;
	while ((errno = 0, entry = readdir(folder))) {
		bool compressed;
		uint64_t number = parse_name(entry->d_name, &compressed);

		if (number > after && (!least || number < least))
			least = number;
	}
	problem = errno;
	closedir(folder);
	if (problem) {
		errno = problem;
		return -1;
	}
	return (int64_t)least;
}
