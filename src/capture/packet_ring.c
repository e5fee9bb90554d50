/* Writing the ring of recent packets; see packet_ring.h. */
#include "capture/packet_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/ring_file.h"

/* The file of one link type. */
struct lane {
	bool used;
	enum link_type link;
	int file; /* -1: made when the batch is written, which begins with the file's header then */
	struct ring_file about;
	struct writer batch; /* whole records */
	uint64_t packets;    /* in the batch */
};

struct packet_ring {
	int folder;
	struct packet_ring_limits limits;
	struct lane lanes[PACKET_RING_LINKS];
	struct ring_list finished; /* oldest first, from `oldest` on */
	size_t oldest, room;
	uint64_t number; /* of the files being written; the last one used while there are none */
	uint64_t being_bytes; /* of the files being written, batches included */
	bool begun;
	uint64_t files, held;
	int64_t newest; /* time of the newest packet since the clock stepped back */
	bool alarm;     /* the last write was refused */
	struct packet_ring_counts counts;
};

/* --- the finished files --- */

static void raise_alarm(struct packet_ring *ring, const char *what)
{
	if (!ring->alarm)
		log_error("cannot keep packets in the ring: %s; they are dropped until there is "
			  "room",
			  what);
	ring->alarm = true;
}

static void end_alarm(struct packet_ring *ring)
{
	if (ring->alarm)
		log_info("the packet ring takes packets again; %llu were dropped so far",
			 (unsigned long long)ring->counts.dropped);
	ring->alarm = false;
}

static int note_finished(struct packet_ring *ring, const struct ring_file *file)
{
	struct ring_list *list = &ring->finished;

	if (ring->oldest > 64 && ring->oldest > list->count / 2) {
		list->count -= ring->oldest;
		memmove(list->items, list->items + ring->oldest,
			list->count * sizeof(*list->items));
		ring->oldest = 0;
	}
	if (list->count >= ring->room) {
		size_t wanted = list->count * 2 + 64;
		struct ring_file *grown = realloc(list->items, wanted * sizeof(*grown));

		if (!grown)
			return -1;
		list->items = grown;
		ring->room = wanted;
	}
	list->items[list->count++] = *file;
	return 0;
}

static int remove_file(struct packet_ring *ring, const struct ring_file *file)
{
	char name[RING_NAME_MAX];

	ring_file_name(file->number, file->start, name);
	return unlinkat(ring->folder, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

/* Room for so many bytes and files more; the oldest files go. */
static int make_room(struct packet_ring *ring, uint64_t bytes, uint64_t files)
{
	errno = EFBIG;
	if (bytes > ring->limits.total_bytes)
		return -1;
	while (ring->held + bytes > ring->limits.total_bytes ||
	       ring->files + files > PACKET_RING_FILES_MAX) {
		const struct ring_file *oldest;

		errno = EFBIG;
		if (ring->oldest == ring->finished.count)
			return -1;
		oldest = &ring->finished.items[ring->oldest];
		if (remove_file(ring, oldest) < 0)
			return -1;
		ring->held -= oldest->bytes;
		ring->files--;
		ring->oldest++;
		ring->counts.removed++;
	}
	return 0;
}

/* --- one lane --- */

static void drop_batch(struct packet_ring *ring, struct lane *lane)
{
	ring->counts.dropped += lane->packets;
	ring->being_bytes -= lane->batch.length;
	writer_clear(&lane->batch);
	lane->packets = 0;
}

/* The file takes no more. */
static void finish_file(struct packet_ring *ring, struct lane *lane)
{
	if (lane->file < 0)
		return;
	close(lane->file);
	lane->file = -1;
	if (lane->about.bytes == 0) {
		ring->files--;
		if (remove_file(ring, &lane->about) < 0)
			log_warning("cannot remove an empty file of the packet ring: %m");
	} else if (note_finished(ring, &lane->about) < 0) {
		/* Unknown until the next start, which lists the folder. */
		log_warning("no memory to remember a file of the packet ring");
		ring->files--;
		ring->held -= lane->about.bytes;
	}
}

static int make_file(struct packet_ring *ring, struct lane *lane)
{
	char name[RING_NAME_MAX];

	lane->about.number = ring->number;
	lane->about.bytes = 0;
	/* Another link's file may begin with the same microsecond: the name is a lower bound. */
	for (unsigned turn = 0; turn <= PACKET_RING_LINKS; turn++) {
		ring_file_name(lane->about.number, lane->about.start, name);
		lane->file = openat(ring->folder, name,
				    O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				    0640);
		if (lane->file >= 0 || errno != EEXIST || lane->about.start == 0)
			break;
		lane->about.start--;
	}
	if (lane->file < 0)
		return -1;
	ring->files++;
	return 0;
}

/* What of the batch's first bytes is whole records, the file's header included. */
static size_t whole_part(const struct lane *lane, size_t written, uint64_t *packets)
{
	struct cursor c = cursor_of(slice_first(writer_slice(&lane->batch), written));
	size_t whole = 0;

	*packets = 0;
	if (lane->about.bytes == 0)
		cursor_skip(&c, RING_HEADER_BYTES);
	while (!c.failed) {
		uint32_t length;

		cursor_skip(&c, 8);
		length = cursor_u32le(&c);
		cursor_skip(&c, 4 + (size_t)length);
		if (c.failed)
			break;
		whole = written - c.left;
		++*packets;
	}
	return whole;
}

/* After a write that fell short: keeps the whole records, cuts off the rest. */
static void keep_whole(struct packet_ring *ring, struct lane *lane, size_t written)
{
	uint64_t packets;
	size_t whole = whole_part(lane, written, &packets);
	bool torn =
		whole < written && ftruncate(lane->file, (off_t)(lane->about.bytes + whole)) < 0;

	ring->counts.packets += packets;
	ring->counts.bytes += whole;
	lane->about.bytes += torn ? written : whole;
	ring->held += torn ? written : whole;
	lane->packets -= packets;
	/* drop_batch takes the batch off what is being written; this much stays. */
	ring->being_bytes += torn ? written : whole;
	drop_batch(ring, lane);
	/* Nothing may follow a broken record, and no file stays empty. */
	if (torn || lane->about.bytes == 0)
		finish_file(ring, lane);
}

static int flush_lane(struct packet_ring *ring, struct lane *lane)
{
	ssize_t written;

	if (lane->packets == 0)
		return 0;
	if (make_room(ring, lane->batch.length, lane->file < 0) < 0 ||
	    (lane->file < 0 && make_file(ring, lane) < 0)) {
		raise_alarm(ring, errno == EFBIG ? "its limit is too small" : strerror(errno));
		drop_batch(ring, lane);
		return -1;
	}
	do
		written = write(lane->file, lane->batch.at, lane->batch.length);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)lane->batch.length) {
		raise_alarm(ring, written < 0 ? strerror(errno) : "the disk is full");
		keep_whole(ring, lane, written < 0 ? 0 : (size_t)written);
		return -1;
	}
	end_alarm(ring);
	ring->counts.packets += lane->packets;
	ring->counts.bytes += lane->batch.length;
	ring->held += lane->batch.length;
	lane->about.bytes += lane->batch.length;
	lane->packets = 0;
	writer_clear(&lane->batch);
	return 0;
}

/* --- files that are written side by side --- */

static void finish_all(struct packet_ring *ring)
{
	(void)packet_ring_flush(ring);
	for (size_t i = 0; i < PACKET_RING_LINKS; i++) {
		finish_file(ring, &ring->lanes[i]);
		ring->lanes[i].used = false;
	}
	ring->being_bytes = 0;
	ring->begun = false;
}

static bool stepped_back(const struct packet_ring *ring, int64_t time)
{
	return time < ring->newest - RING_DISORDER;
}

/* As files number it: libpcap has other numbers for raw IP while it captures. */
static enum link_type link_in_files(enum link_type link)
{
	return link == LINK_RAW_BSD || link == LINK_RAW_OLD ? LINK_RAW : link;
}

static struct lane *lane_of(struct packet_ring *ring, enum link_type link)
{
	for (size_t i = 0; i < PACKET_RING_LINKS; i++)
		if (!ring->lanes[i].used || ring->lanes[i].link == link)
			return &ring->lanes[i];
	finish_all(ring);
	return &ring->lanes[0];
}

static struct lane *lane_for(struct packet_ring *ring, enum link_type link, size_t bytes,
			     int64_t time)
{
	struct lane *lane;

	if (ring->begun &&
	    (stepped_back(ring, time) || ring->being_bytes + bytes > ring->limits.segment_bytes))
		finish_all(ring);
	lane = lane_of(ring, link);
	if (!ring->begun) {
		ring->number++;
		if (stepped_back(ring, time)) {
			ring->number++;
			ring->newest = time;
		}
		ring->begun = true;
	}
	lane->used = true;
	lane->link = link;
	return lane;
}

void packet_ring_add(struct packet_ring *ring, enum link_type link, struct slice frame,
		     uint32_t wire_length, int64_t time)
{
	struct slice kept = slice_first(frame, ring->limits.frame_bytes);
	size_t bytes = RING_HEADER_BYTES + RING_RECORD_BYTES + kept.length, before;
	struct lane *lane;

	if (frame.length == 0 || frame.length > UINT32_MAX || time < 0 || time > RING_TIME_MAX) {
		ring->counts.dropped++;
		return;
	}
	if (wire_length < frame.length)
		wire_length = (uint32_t)frame.length;
	link = link_in_files(link);
	lane = lane_for(ring, link, bytes, time);
	if (lane->packets && lane->batch.length + bytes > PACKET_RING_BATCH)
		(void)flush_lane(ring, lane);
	before = lane->batch.length;
	if (lane->file < 0 && lane->packets == 0) {
		ring_file_put_header(&lane->batch, link, ring->limits.frame_bytes);
		lane->about.start = time;
	}
	ring_file_put_record(&lane->batch, kept, wire_length, time);
	if (lane->batch.failed) {
		lane->batch.failed = false;
		lane->batch.length = before;
		ring->counts.dropped++;
		raise_alarm(ring, "out of memory");
		return;
	}
	ring->being_bytes += lane->batch.length - before;
	lane->packets++;
	ring->counts.shortened += kept.length < frame.length;
	if (time > ring->newest)
		ring->newest = time;
}

int packet_ring_flush(struct packet_ring *ring)
{
	int result = 0;

	for (size_t i = 0; i < PACKET_RING_LINKS; i++)
		if (ring->lanes[i].used && flush_lane(ring, &ring->lanes[i]) < 0)
			result = -1;
	return result;
}

struct packet_ring_counts packet_ring_counts(const struct packet_ring *ring)
{
	struct packet_ring_counts counts = ring->counts;

	counts.files = ring->files;
	counts.held = ring->held;
	for (size_t i = 0; i < PACKET_RING_LINKS; i++) {
		const struct lane *lane = &ring->lanes[i];

		counts.waiting += lane->packets;
		if (lane->file >= 0 && (counts.since == 0 || lane->about.start < counts.since))
			counts.since = lane->about.start;
	}
	if (ring->oldest < ring->finished.count)
		counts.since = ring->finished.items[ring->oldest].start;
	return counts;
}

/* --- opening and closing --- */

/* Cuts a torn record off a file that was being written; tells how much is whole, and when its
 * newest packet was. */
static int tidy(struct packet_ring *ring, struct ring_file *file)
{
	int opened = ring_file_open(ring->folder, file, O_RDWR), result = -1, got;
	struct ring_reader reader = {.room = NULL};
	struct ring_record record;

	if (opened < 0)
		return errno == ENOENT ? 0 : -1;
	got = ring_reader_open(&reader, opened) < 0 ? -1 : 1;
	while (got == 1 && (got = ring_reader_next(&reader, &record)) == 1)
		if (record.time > ring->newest)
			ring->newest = record.time;
	if (got < 0 && errno != 0)
		goto end;
	if (reader.next <= RING_HEADER_BYTES) {
		file->bytes = 0;
		result = remove_file(ring, file);
	} else {
		result = got < 0 ? ftruncate(opened, (off_t)reader.next) : 0;
		file->bytes = reader.next;
	}
end:
	ring_reader_close(&reader);
	close(opened);
	return result;
}

static int take_stock(struct packet_ring *ring)
{
	struct ring_list list;
	int result = -1;

	if (ring_file_list(ring->folder, &list) < 0)
		return -1;
	if (list.count)
		ring->number = list.items[list.count - 1].number;
	for (size_t i = 0; i < list.count; i++) {
		struct ring_file *file = &list.items[i];

		if (file->number == ring->number && tidy(ring, file) < 0)
			goto end;
		if (file->bytes == 0 && file->number == ring->number)
			continue;
		if (note_finished(ring, file) < 0)
			goto end;
		ring->files++;
		ring->held += file->bytes;
	}
	/* The limits may be lower than those of the last time. */
	result = make_room(ring, 0, 0);
end:
	free(list.items);
	return result;
}

static struct packet_ring_limits sane(const struct packet_ring_limits *limits)
{
	struct packet_ring_limits sane = *limits;

	if (sane.total_bytes == 0)
		sane.total_bytes = PACKET_RING_TOTAL;
	if (sane.segment_bytes == 0)
		sane.segment_bytes = PACKET_RING_SEGMENT;
	if (sane.segment_bytes > sane.total_bytes / 4)
		sane.segment_bytes = sane.total_bytes / 4;
	if (sane.frame_bytes == 0 || sane.frame_bytes > RING_FRAME_MAX)
		sane.frame_bytes = RING_FRAME_MAX;
	return sane;
}

struct packet_ring *packet_ring_open(int folder, const struct packet_ring_limits *limits)
{
	struct packet_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->folder = folder;
	ring->limits = sane(limits);
	for (size_t i = 0; i < PACKET_RING_LINKS; i++) {
		ring->lanes[i].file = -1;
		ring->lanes[i].batch = writer_growing(PACKET_RING_BATCH + RING_HEADER_BYTES +
						      RING_RECORD_BYTES + RING_FRAME_MAX);
	}
	if (take_stock(ring) < 0) {
		int problem = errno;

		packet_ring_close(ring);
		errno = problem;
		return NULL;
	}
	return ring;
}

void packet_ring_close(struct packet_ring *ring)
{
	if (!ring)
		return;
	finish_all(ring);
	for (size_t i = 0; i < PACKET_RING_LINKS; i++)
		writer_free(&ring->lanes[i].batch);
	free(ring->finished.items);
	free(ring);
}
