/* Following a spool: whole lines, segment after segment, plain or compressed.
 *
 * An open file stays readable after housekeeping replaced it, so only opening has to cope with the
 * two forms. The appender never touches a segment again once a newer one exists: a segment is
 * finished when a newer one was seen first and nothing more could be read after that. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "base/log.h"
#include "event/segment.h"
#include "event/spool.h"

#define TEXT_BYTES   (EVENT_LINE_MAX + 1) /* the longest line and its newline */
#define PACKED_BYTES (64 * 1024)

struct follower {
	int folder, file; /* file is -1 between segments */
	bool compressed, damaged;
	bool skipping;                  /* inside a line that is too long */
	struct spool_position position; /* after the last line returned */
	uint64_t newer;                 /* a segment that was seen after this one; 0: none yet */
	uint64_t lost;
	uint64_t skip;   /* uncompressed bytes still to pass over */
	uint64_t offset; /* of text[start], in the segment */
	size_t start, end;
	uint8_t *text;
	uint8_t *packed; /* made with the first compressed segment */
	ZSTD_inBuffer input;
	ZSTD_DStream *zstd;
};

struct follower *follower_open(int folder_fd, struct spool_position from)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (!follower)
		return NULL;
	follower->text = malloc(TEXT_BYTES);
	if (!follower->text) {
		free(follower);
		return NULL;
	}
	follower->folder = folder_fd;
	follower->file = -1;
	follower->position = from;
	return follower;
}

void follower_close(struct follower *follower)
{
	if (!follower)
		return;
	if (follower->file >= 0)
		close(follower->file);
	ZSTD_freeDStream(follower->zstd);
	free(follower->packed);
	free(follower->text);
	free(follower);
}

static int start_zstd(struct follower *follower)
{
	if (!follower->zstd)
		follower->zstd = ZSTD_createDStream();
	if (!follower->packed)
		follower->packed = malloc(PACKED_BYTES);
	if (!follower->zstd || !follower->packed) {
		errno = ENOMEM;
		return -1;
	}
	ZSTD_initDStream(follower->zstd);
	follower->input = (ZSTD_inBuffer){follower->packed, 0, 0};
	return 0;
}

static int open_form(int folder, uint64_t segment, bool compressed)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(segment, compressed, name);
	return openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Opens the position's segment in whichever form there is. -1 with ENOENT when it is gone. */
static int open_current(struct follower *follower)
{
	struct spool_position *position = &follower->position;
	struct stat about;

	follower->compressed = false;
	follower->file = open_form(follower->folder, position->segment, false);
	if (follower->file < 0 && errno == ENOENT) {
		follower->compressed = true;
		follower->file = open_form(follower->folder, position->segment, true);
	}
	if (follower->file < 0)
		return -1;
	if (follower->compressed ? start_zstd(follower) < 0 : fstat(follower->file, &about) < 0) {
		close(follower->file);
		follower->file = -1;
		return -1;
	}
	/* A power loss can take back what was read already. */
	if (!follower->compressed && (uint64_t)about.st_size < position->offset)
		position->offset = (uint64_t)about.st_size;
	follower->skip = follower->compressed ? position->offset : 0;
	follower->offset = position->offset;
	follower->start = follower->end = 0;
	follower->newer = 0;
	follower->skipping = follower->damaged = false;
	return 0;
}

static void move_on(struct follower *follower, uint64_t segment)
{
	if (follower->position.segment && segment > follower->position.segment + 1)
		follower->lost += segment - follower->position.segment - 1;
	if (follower->file >= 0)
		close(follower->file);
	follower->file = -1;
	follower->position = (struct spool_position){segment, 0};
}

/* Opens what comes next. 1, 0 when there is no segment yet, -1 on errors. */
static int open_next(struct follower *follower)
{
	for (;;) {
		int64_t next;

		if (follower->position.segment) {
			if (open_current(follower) == 0)
				return 1;
			if (errno != ENOENT)
				return -1;
		}
		next = segment_after(follower->folder, follower->position.segment);
		if (next <= 0)
			return (int)next;
		move_on(follower, (uint64_t)next);
	}
}

static ssize_t read_packed(struct follower *follower)
{
	ssize_t got;

	do {
		got = read(follower->file, follower->packed, PACKED_BYTES);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		follower->input = (ZSTD_inBuffer){follower->packed, (size_t)got, 0};
	return got;
}

/* Uncompressed text to text[end]; passes over what was read before. Damage ends the segment. */
static ssize_t fill_compressed(struct follower *follower)
{
	for (;;) {
		ZSTD_outBuffer out = {follower->text + follower->end, TEXT_BYTES - follower->end,
				      0};
		size_t result, passed;

		/* With input used up there may still be output held back, which this call yields.
		 */
		result = ZSTD_decompressStream(follower->zstd, &out, &follower->input);
		if (ZSTD_isError(result)) {
			follower->damaged = true;
			log_error(
				"spool segment %llu is damaged (%s): the rest of it is passed over",
				(unsigned long long)follower->position.segment,
				ZSTD_getErrorName(result));
			return 0;
		}
		passed = out.pos < follower->skip ? out.pos : (size_t)follower->skip;
		follower->skip -= passed;
		if (passed)
			memmove(out.dst, (uint8_t *)out.dst + passed, out.pos - passed);
		if (out.pos > passed)
			return (ssize_t)(out.pos - passed);
		if (out.pos == 0 && follower->input.pos == follower->input.size) {
			ssize_t got = read_packed(follower);

			if (got <= 0)
				return got;
		}
	}
}

/* Reads more text: its length, 0 at the end of what there is, -1 with errno. */
static ssize_t fill(struct follower *follower)
{
	ssize_t got;

	if (follower->damaged)
		return 0;
	if (follower->start) {
		memmove(follower->text, follower->text + follower->start,
			follower->end - follower->start);
		follower->end -= follower->start;
		follower->start = 0;
	}
	if (follower->compressed) {
		got = fill_compressed(follower);
	} else {
		do {
			got = pread(follower->file, follower->text + follower->end,
				    TEXT_BYTES - follower->end,
				    (off_t)(follower->offset + follower->end));
		} while (got < 0 && errno == EINTR);
	}
	if (got > 0)
		follower->end += (size_t)got;
	return got;
}

/* At the end of what there is: 1 when reading can go on, 0 when there is nothing new, or -1. */
static int at_end(struct follower *follower)
{
	bool partial = follower->end > follower->start || follower->skipping;
	int64_t next;

	if (follower->newer) {
		if (partial || follower->damaged)
			follower->lost++;
		move_on(follower, follower->newer);
		return 1;
	}
	/* An appender whose disk is full takes back a line that did not fit: what is unfinished is
	 * read again. */
	if (!follower->compressed)
		follower->end = follower->start;
	next = segment_after(follower->folder, follower->position.segment);
	if (next <= 0)
		return (int)next;
	follower->newer = (uint64_t)next;
	return 1;
}

/* Takes a whole line out of the text in memory; false when there is none. */
static bool take_line(struct follower *follower, struct slice *line)
{
	struct slice text =
		slice_of(follower->text + follower->start, follower->end - follower->start);
	size_t length = slice_find_byte(text, '\n');

	if (length == SIZE_MAX) {
		if (text.length == TEXT_BYTES) {
			follower->skipping = true;
			follower->offset += text.length;
			follower->start = follower->end = 0;
		}
		return false;
	}
	*line = slice_first(text, length);
	follower->start += length + 1;
	follower->offset += length + 1;
	follower->position.offset = follower->offset;
	return true;
}

int follower_next(struct follower *follower, struct slice *line)
{
	for (;;) {
		ssize_t got;
		int more;

		if (follower->file < 0 && (more = open_next(follower)) <= 0)
			return more;
		if (take_line(follower, line)) {
			bool skipped = follower->skipping;

			follower->skipping = false;
			follower->lost += skipped;
			if (skipped || line->length == 0)
				continue;
			return 1;
		}
		got = fill(follower);
		if (got < 0)
			return -1;
		if (got == 0 && (more = at_end(follower)) <= 0)
			return more;
	}
}

struct spool_position follower_position(const struct follower *follower)
{
	return follower->position;
}

/* Size of the text in a compressed segment, which housekeeping leaves in the frame's header. */
static uint64_t unpacked_bytes(int folder, uint64_t segment)
{
	uint8_t header[18]; /* the longest frame header (RFC 8878, 3.1.1.1) */
	int file = open_form(folder, segment, true);
	unsigned long long bytes;
	ssize_t got;

	if (file < 0)
		return 0;
	got = read(file, header, sizeof(header));
	close(file);
	if (got <= 0)
		return 0;
	bytes = ZSTD_getFrameContentSize(header, (size_t)got);
	return bytes == ZSTD_CONTENTSIZE_UNKNOWN || bytes == ZSTD_CONTENTSIZE_ERROR ? 0 : bytes;
}

uint64_t follower_backlog(const struct follower *follower)
{
	struct segment_list list;
	uint64_t backlog = 0;

	if (segment_list(follower->folder, &list) < 0)
		return 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct segment *segment = &list.items[i];
		uint64_t bytes, read = 0;

		if (segment->number < follower->position.segment)
			continue;
		if (segment->number == follower->position.segment)
			read = follower->position.offset;
		bytes = segment->plain ? segment->plain_bytes
				       : unpacked_bytes(follower->folder, segment->number);
		backlog += bytes > read ? bytes - read : 0;
	}
	free(list.items);
	return backlog;
}

uint64_t follower_lost(const struct follower *follower)
{
	return follower->lost;
}
