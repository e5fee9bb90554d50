/* Appending to a spool: lines gather in a batch, each flush is one write. After a write that fell
 * short the file is cut back to the last whole line, so that it holds nothing but whole lines. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/segment.h"
#include "event/spool.h"

#define BATCH_BYTES   (256 * 1024) /* a write of this size costs little per event */
#define SEGMENT_BYTES (16 * 1024 * 1024)

struct spool {
	int folder, file;
	struct spool_limits limits;
	uint64_t segment, segment_size;
	uint64_t total;     /* of all segments, this one included; of the last count and since */
	int64_t counted_at; /* monotonic time of that count */
	uint64_t refused;
	size_t batch_events;
	bool alarm;          /* the last flush or append was refused */
	bool unended;        /* the file ends in part of a line that could not be cut off */
	struct writer batch; /* whole lines */
	struct event_habits habits;
};

static int count_total(struct spool *spool)
{
	struct segment_list list;

	spool->counted_at = clock_monotonic();
	if (segment_list(spool->folder, &list) < 0)
		return -1;
	spool->total = 0;
	for (size_t i = 0; i < list.count; i++)
		spool->total += list.items[i].plain_bytes + list.items[i].compressed_bytes;
	free(list.items);
	return 0;
}

static int open_segment(struct spool *spool, uint64_t number, int flags)
{
	char name[SEGMENT_NAME_MAX];
	int file;

	segment_name(number, false, name);
	file = openat(spool->folder, name,
		      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
	if (file < 0)
		return -1;
	if (spool->file >= 0) {
		/* What followers take for finished must not shrink after a power loss. */
		(void)fdatasync(spool->file);
		close(spool->file);
	}
	spool->file = file;
	spool->segment = number;
	spool->segment_size = 0;
	return 0;
}

/* Ends a line that a power loss cut short. */
static int close_last_line(struct spool *spool)
{
	struct stat about;
	char last;

	if (fstat(spool->file, &about) < 0)
		return -1;
	spool->segment_size = (uint64_t)about.st_size;
	if (about.st_size == 0)
		return 0;
	if (pread(spool->file, &last, 1, about.st_size - 1) != 1)
		return -1;
	if (last == '\n')
		return 0;
	if (write(spool->file, "\n", 1) != 1)
		return -1;
	spool->segment_size++;
	return 0;
}

static int open_newest(struct spool *spool)
{
	struct segment_list list;
	struct segment newest = {.number = 1, .plain = true};

	if (segment_list(spool->folder, &list) < 0)
		return -1;
	if (list.count)
		newest = list.items[list.count - 1];
	free(list.items);
	/* Nothing is added to a segment that has been compressed, even if its plain form still
	 * stands. */
	if (!newest.plain || newest.compressed)
		newest.number++;
	if (open_segment(spool, newest.number, 0) < 0 || close_last_line(spool) < 0)
		return -1;
	return count_total(spool);
}

struct spool *spool_open(int folder_fd, const struct spool_limits *limits)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return NULL;
	spool->folder = folder_fd;
	spool->file = -1;
	spool->limits = *limits;
	if (spool->limits.segment_bytes == 0)
		spool->limits.segment_bytes = SEGMENT_BYTES;
	if (spool->limits.total_bytes == 0)
		spool->limits.total_bytes = UINT64_MAX;
	spool->batch = writer_growing(BATCH_BYTES + EVENT_LINE_MAX);
	if (open_newest(spool) < 0) {
		int problem = errno;

		if (spool->file >= 0)
			close(spool->file);
		free(spool);
		errno = problem;
		return NULL;
	}
	return spool;
}

static void raise_alarm(struct spool *spool, const char *what)
{
	if (!spool->alarm)
		log_error("cannot append events to the spool: %s; events are lost until there is "
			  "room",
			  what);
	spool->alarm = true;
}

static void end_alarm(struct spool *spool)
{
	if (spool->alarm)
		log_info("the spool takes events again; %llu were refused so far",
			 (unsigned long long)spool->refused);
	spool->alarm = false;
}

/* True while the cap is reached. Followers and housekeeping make room behind our back, so the
 * folder is counted again now and then. */
static bool over_cap(struct spool *spool)
{
	uint64_t waiting = spool->batch.length;

	if (spool->total + waiting < spool->limits.total_bytes)
		return false;
	if (clock_monotonic() - spool->counted_at >= SECOND)
		(void)count_total(spool);
	return spool->total + waiting >= spool->limits.total_bytes;
}

int spool_append(struct spool *spool, const struct event *event)
{
	size_t before = spool->batch.length;

	if (over_cap(spool)) {
		spool->refused++;
		raise_alarm(spool, "its folder holds as much as spool limits allow");
		return -1;
	}
	event_write_as_usual(event, &spool->batch, &spool->habits);
	writer_u8(&spool->batch, '\n');
	if (spool->batch.failed) {
		spool->batch.length = before;
		spool->batch.failed = false;
		spool->refused++;
		raise_alarm(spool, "no memory for the event");
		return -1;
	}
	spool->batch_events++;
	if (spool->batch.length >= BATCH_BYTES)
		return spool_flush(spool);
	return 0;
}

/* Starts the next segment when this one is full. Failing is no harm: the old one takes more. */
static void rotate(struct spool *spool)
{
	if (spool->segment_size < spool->limits.segment_bytes)
		return;
	if (open_segment(spool, spool->segment + 1, O_EXCL) == 0)
		(void)count_total(spool);
}

static size_t count_lines(struct slice text)
{
	size_t count = 0, end;

	while ((end = slice_find_byte(text, '\n')) != SIZE_MAX) {
		count++;
		text = slice_from(text, end + 1);
	}
	return count;
}

/* Keeps the whole lines of a write that fell short; cuts off the rest. */
static void keep_whole_lines(struct spool *spool, size_t written)
{
	struct slice part = slice_first(writer_slice(&spool->batch), written);
	const uint8_t *end = written ? memrchr(part.at, '\n', written) : NULL;
	size_t whole = end ? (size_t)(end - part.at) + 1 : 0;

	if (whole < written && ftruncate(spool->file, (off_t)(spool->segment_size + whole)) < 0) {
		/* Not even that: the next flush ends the broken line, as after a power loss. */
		log_error(
			"cannot cut a spool segment back to whole lines; one line in it is broken");
		spool->unended = true;
		spool->segment_size += written - whole;
	}
	spool->segment_size += whole;
	spool->total += whole;
	spool->refused += spool->batch_events - count_lines(slice_first(part, whole));
}

/* Nothing may be appended to part of a line. */
static int end_broken_line(struct spool *spool)
{
	if (!spool->unended)
		return 0;
	if (write(spool->file, "\n", 1) != 1)
		return -1;
	spool->segment_size++;
	spool->unended = false;
	return 0;
}

/* One write; what it wrote, or -1 with errno. */
static ssize_t write_batch(struct spool *spool)
{
	ssize_t written;

	if (end_broken_line(spool) < 0)
		return -1;
	rotate(spool);
	do {
		written = write(spool->file, spool->batch.at, spool->batch.length);
	} while (written < 0 && errno == EINTR);
	return written;
}

int spool_flush(struct spool *spool)
{
	ssize_t written;
	int result = 0;

	if (spool->batch.length == 0)
		return 0;
	written = write_batch(spool);
	if (written == (ssize_t)spool->batch.length) {
		spool->segment_size += spool->batch.length;
		spool->total += spool->batch.length;
		end_alarm(spool);
	} else {
		raise_alarm(spool, written < 0 ? strerror(errno) : "the disk is full");
		keep_whole_lines(spool, written < 0 ? 0 : (size_t)written);
		result = -1;
	}
	writer_clear(&spool->batch);
	spool->batch_events = 0;
	return result;
}

int spool_sync(struct spool *spool)
{
	return fdatasync(spool->file);
}

size_t spool_waiting(const struct spool *spool)
{
	return spool->batch.length;
}

uint64_t spool_refused(const struct spool *spool)
{
	return spool->refused;
}

bool spool_is_refusing(const struct spool *spool)
{
	return spool->alarm;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	(void)spool_flush(spool);
	close(spool->file);
	writer_free(&spool->batch);
	free(spool);
}
