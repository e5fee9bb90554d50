/* Names, listing and records of a packet ring's files; see ring_file.h. Only names relative to the
 * folder's descriptor are used. */
#include "capture/ring_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define READ_BYTES         ((size_t)1024 * 1024)

void ring_file_name(uint64_t number, int64_t start, char name[RING_NAME_MAX])
{
	snprintf(name, RING_NAME_MAX, "%010llu-%016lld.pcap", (unsigned long long)number,
		 (long long)start);
}

static bool parse_name(const char *text, struct ring_file *file)
{
	struct slice rest = slice_text(text), part;
	char again[RING_NAME_MAX];
	int64_t number;

	if (!slice_next(&rest, '-', &part) || slice_number(part, 1, RING_NUMBER_MAX, &number) < 0 ||
	    !slice_next(&rest, '.', &part) ||
	    slice_number(part, 0, RING_TIME_MAX, &file->start) < 0)
		return false;
	file->number = (uint64_t)number;
	ring_file_name(file->number, file->start, again);
	return strcmp(text, again) == 0;
}

static int compare(const void *a, const void *b)
{
	const struct ring_file *one = a, *two = b;

	if (one->number != two->number)
		return one->number < two->number ? -1 : 1;
	return (one->start > two->start) - (one->start < two->start);
}

static int add(struct ring_list *list, size_t *room, const struct ring_file *file)
{
	if (list->count == *room) {
		size_t wanted = *room ? 2 * *room : 64;
		struct ring_file *grown = realloc(list->items, wanted * sizeof(*grown));

		if (!grown)
			return -1;
		list->items = grown;
		*room = wanted;
	}
	list->items[list->count++] = *file;
	return 0;
}

/* A stream of its own, so that the position of the caller's descriptor is not shared. */
static DIR *open_folder(int folder)
{
	int file = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;

	if (file < 0)
		return NULL;
	stream = fdopendir(file);
	if (!stream)
		close(file);
	return stream;
}

int ring_file_list(int folder, struct ring_list *list)
{
	DIR *stream = open_folder(folder);
	struct dirent *entry;
	size_t room = 0;
	int problem = 0;

	*list = (struct ring_list){NULL, 0};
	if (!stream)
		return -1;
	while (!problem && (errno = 0, entry = readdir(stream))) {
		struct ring_file file;
		struct stat about;

		if (!parse_name(entry->d_name, &file) ||
		    fstatat(folder, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(about.st_mode))
			continue;
		file.bytes = (uint64_t)about.st_size;
		if (add(list, &room, &file) < 0)
			problem = ENOMEM;
	}
	if (!problem)
		problem = errno;
	closedir(stream);
	if (problem) {
		free(list->items);
		*list = (struct ring_list){NULL, 0};
		errno = problem;
		return -1;
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return 0;
}

int ring_file_open(int folder, const struct ring_file *file, int flags)
{
	char name[RING_NAME_MAX];
	struct stat about;
	int opened;

	ring_file_name(file->number, file->start, name);
	/* O_NONBLOCK: a pipe of that name must not hold us up. */
	opened = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (opened < 0)
		return -1;
	if (fstat(opened, &about) < 0 || !S_ISREG(about.st_mode)) {
		close(opened);
		errno = ENOENT;
		return -1;
	}
	return opened;
}

/* --- writing --- */

void ring_file_put_header(struct writer *out, enum link_type link, uint32_t frame_bytes)
{
	writer_u32le(out, MAGIC_MICROSECONDS);
	writer_u16le(out, 2);
	writer_u16le(out, 4);
	writer_u64le(out, 0);
	writer_u32le(out, frame_bytes);
	writer_u32le(out, (uint32_t)link);
}

void ring_file_put_record(struct writer *out, struct slice frame, uint32_t wire_length,
			  int64_t time)
{
	writer_u32le(out, (uint32_t)(time / SECOND));
	writer_u32le(out, (uint32_t)(time % SECOND));
	writer_u32le(out, (uint32_t)frame.length);
	writer_u32le(out, wire_length);
	writer_bytes(out, frame);
}

/* --- reading --- */

/* At least so many bytes in the room: 1, or 0: the file has not so many, or -1. */
static int fill(struct ring_reader *reader, size_t wanted)
{
	if (reader->end - reader->begin >= wanted)
		return 1;
	memmove(reader->room, reader->room + reader->begin, reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
	while (reader->end < wanted) {
		ssize_t got = pread(reader->file, reader->room + reader->end,
				    READ_BYTES - reader->end, (off_t)(reader->next + reader->end));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : 0;
		reader->end += (size_t)got;
	}
	return 1;
}

static void consume(struct ring_reader *reader, size_t length)
{
	reader->begin += length;
	reader->next += length;
}

int ring_reader_open(struct ring_reader *reader, int file)
{
	struct cursor c;
	uint32_t magic, major, link;
	int got;

	*reader = (struct ring_reader){.file = file, .room = malloc(READ_BYTES)};
	if (!reader->room)
		return -1;
	got = fill(reader, RING_HEADER_BYTES);
	if (got < 0)
		return -1;
	errno = 0;
	if (got == 0)
		return -1;
	c = cursor_of(slice_of(reader->room, RING_HEADER_BYTES));
	magic = cursor_u32le(&c);
	major = cursor_u16le(&c);
	cursor_skip(&c, 14);
	link = cursor_u32le(&c);
	if (magic != MAGIC_MICROSECONDS || major != 2 || link > UINT16_MAX)
		return -1;
	reader->link = (enum link_type)link;
	consume(reader, RING_HEADER_BYTES);
	return 0;
}

/* False: no record of ours. A power loss may leave zeros, which are none: no frame is empty. */
static bool read_head(const uint8_t *at, struct ring_record *record)
{
	struct cursor c = cursor_of(slice_of(at, RING_RECORD_BYTES));
	uint32_t seconds = cursor_u32le(&c), microseconds = cursor_u32le(&c);
	uint32_t length = cursor_u32le(&c);

	record->wire_length = cursor_u32le(&c);
	record->time = (int64_t)seconds * SECOND + microseconds;
	record->frame = slice_of(at + RING_RECORD_BYTES, length);
	return microseconds < SECOND && length > 0 && length <= RING_FRAME_MAX &&
	       record->wire_length >= length;
}

int ring_reader_next(struct ring_reader *reader, struct ring_record *record)
{
	int got = fill(reader, RING_RECORD_BYTES);

	if (got < 0)
		return -1;
	errno = 0;
	if (got == 0)
		return reader->end == reader->begin ? 0 : -1;
	if (!read_head(reader->room + reader->begin, record))
		return -1;
	got = fill(reader, RING_RECORD_BYTES + record->frame.length);
	if (got < 0)
		return -1;
	errno = 0;
	if (got == 0)
		return -1;
	/* The bytes may have moved. */
	record->frame.at = reader->room + reader->begin + RING_RECORD_BYTES;
	record->offset = reader->next;
	consume(reader, RING_RECORD_BYTES + record->frame.length);
	return 1;
}

void ring_reader_close(struct ring_reader *reader)
{
	free(reader->room);
	reader->room = NULL;
}

static bool read_fully(int file, uint64_t offset, uint8_t *room, size_t length)
{
	while (length) {
		ssize_t got = pread(file, room, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		room += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return true;
}

int ring_file_record(int file, uint64_t offset, uint8_t *room, struct ring_record *record)
{
	if (!read_fully(file, offset, room, RING_RECORD_BYTES) || !read_head(room, record) ||
	    !read_fully(file, offset + RING_RECORD_BYTES, room + RING_RECORD_BYTES,
			record->frame.length))
		return -1;
	record->offset = offset;
	return 0;
}
