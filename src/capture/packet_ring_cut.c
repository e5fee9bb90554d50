/* Cutting a conversation out of the ring: one pass finds its packets, a sort puts them in order, a
 * second pass copies them. */
#include "capture/packet_ring_cut.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/packet_match.h"
#include "capture/ring_file.h"

#define OPEN_FILES_MAX 256           /* that stay open from the first pass to the second */
#define FRAGMENTS_WAIT (60 * SECOND) /* an identification is used again after that, maybe */
#define OUT_BATCH      (256 * 1024)

struct found {
	int64_t time;
	uint64_t offset;
	uint32_t file;
	uint8_t part; /* enum packet_part */
	struct packet_key key;
};

struct cutting {
	const struct packet_cut *cut;
	int folder, out;
	struct packet_cut_counts *counts;
	char *why;
	int64_t from, until;
	size_t most;

	struct ring_list list;
	int *files; /* by place in the list; -1: not open */
	enum link_type *links;
	size_t open;

	struct found *found;
	size_t count, room;
	struct writer batch;
	uint8_t *record;
};

static int complain(struct cutting *c, const char *what)
{
	snprintf(c->why, PACKET_CUT_WHY, "%s: %s", what, strerror(errno));
	return -1;
}

/* --- which files --- */

static int64_t add_time(int64_t time, int64_t more)
{
	int64_t sum;

	if (!__builtin_add_overflow(time, more, &sum))
		return sum;
	return more > 0 ? INT64_MAX : INT64_MIN;
}

/* Time after which the file holds nothing. Only the next number tells: where one was left out the
 * clock had stepped back. */
static int64_t end_of(const struct ring_list *list, size_t at)
{
	uint64_t number = list->items[at].number;

	while (at < list->count && list->items[at].number == number)
		at++;
	if (at == list->count || list->items[at].number != number + 1)
		return INT64_MAX;
	return list->items[at].start + 2 * RING_DISORDER;
}

static bool overlaps(const struct cutting *c, size_t at)
{
	return c->list.items[at].start - RING_DISORDER <= c->until &&
	       end_of(&c->list, at) >= c->from;
}

static int file_at(struct cutting *c, size_t at)
{
	if (c->files[at] < 0) {
		c->files[at] = ring_file_open(c->folder, &c->list.items[at], O_RDONLY);
		c->open += c->files[at] >= 0;
	}
	return c->files[at];
}

static void close_file(struct cutting *c, size_t at)
{
	if (c->files[at] < 0)
		return;
	close(c->files[at]);
	c->files[at] = -1;
	c->open--;
}

/* --- the first pass --- */

static int keep(struct cutting *c, const struct found *found)
{
	if (c->count == c->most) {
		c->counts->left_out++;
		return 0;
	}
	if (c->count == c->room) {
		size_t wanted = c->room ? 2 * c->room : 1024;
		struct found *grown = realloc(c->found, wanted * sizeof(*grown));

		if (!grown)
			return complain(c, "cannot remember so many packets");
		c->found = grown;
		c->room = wanted;
	}
	c->found[c->count++] = *found;
	return 0;
}

static int look_at(struct cutting *c, size_t at, enum link_type link,
		   const struct ring_record *record)
{
	struct found found = {.time = record->time, .offset = record->offset, .file = (uint32_t)at};
	struct packet packet;

	c->counts->looked_at++;
	if (record->time < c->from || record->time > c->until ||
	    packet_decode(&packet, link, record->frame, record->wire_length, record->time, false) <
		    0)
		return 0;
	found.part = (uint8_t)packet_match(c->cut, &packet, &found.key);
	return found.part == PART_NONE ? 0 : keep(c, &found);
}

static int read_file(struct cutting *c, size_t at)
{
	bool newest = c->list.items[at].number == c->list.items[c->list.count - 1].number;
	struct ring_reader reader;
	struct ring_record record;
	size_t before = c->count;
	int file = file_at(c, at), got, result = 0;

	if (file < 0 && errno != ENOENT)
		return complain(c, "cannot open a file of the ring");
	if (file < 0) {
		c->counts->gone++;
		return 0;
	}
	c->counts->read++;
	got = ring_reader_open(&reader, file) < 0 ? -1 : 1;
	c->links[at] = reader.link;
	while (result == 0 && got == 1 && (got = ring_reader_next(&reader, &record)) == 1)
		result = look_at(c, at, reader.link, &record);
	if (got < 0 && errno == ENOMEM)
		result = complain(c, "cannot read a file of the ring");
	/* The newest may be in the middle of a write. */
	else if (got < 0 && (errno != 0 || !newest))
		c->counts->broken++;
	ring_reader_close(&reader);
	if (c->count == before || c->open > OPEN_FILES_MAX)
		close_file(c, at);
	return result;
}

static int read_files(struct cutting *c)
{
	for (size_t i = 0; i < c->list.count; i++) {
		if (c->counts->since == 0 || c->list.items[i].start < c->counts->since)
			c->counts->since = c->list.items[i].start;
		if (!overlaps(c, i))
			c->counts->skipped++;
		else if (read_file(c, i) < 0)
			return -1;
	}
	return 0;
}

/* --- fragments --- */

static int compare_keys(const struct packet_key *a, const struct packet_key *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return (a->direction > b->direction) - (a->direction < b->direction);
}

/* By part, so that the first fragments stand together, then by key and time. */
static int compare_fragments(const void *a, const void *b)
{
	const struct found *one = a, *two = b;
	int keys;

	if (one->part != two->part)
		return one->part < two->part ? -1 : 1;
	keys = one->part == PART_WHOLE ? 0 : compare_keys(&one->key, &two->key);
	return keys ? keys : (one->time > two->time) - (one->time < two->time);
}

/* Whether a first fragment of that key came within the time that fragments wait. */
static bool is_known(const struct found *firsts, size_t count, const struct found *later)
{
	int64_t earliest = later->time - FRAGMENTS_WAIT;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_keys(&firsts[middle].key, &later->key);

		if (order < 0 || (order == 0 && firsts[middle].time < earliest))
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && compare_keys(&firsts[low].key, &later->key) == 0 &&
	       firsts[low].time <= later->time + FRAGMENTS_WAIT;
}

static void settle_fragments(struct cutting *c)
{
	size_t first = 0, later, kept;

	if (c->count)
		qsort(c->found, c->count, sizeof(*c->found), compare_fragments);
	while (first < c->count && c->found[first].part == PART_WHOLE)
		first++;
	later = first;
	while (later < c->count && c->found[later].part == PART_FIRST)
		later++;
	kept = later;
	for (size_t i = later; i < c->count; i++)
		if (is_known(c->found + first, later - first, &c->found[i]))
			c->found[kept++] = c->found[i];
	c->count = kept;
}

/* --- the second pass --- */

static int compare_times(const void *a, const void *b)
{
	const struct found *one = a, *two = b;

	if (one->time != two->time)
		return one->time < two->time ? -1 : 1;
	if (one->file != two->file)
		return one->file < two->file ? -1 : 1;
	return (one->offset > two->offset) - (one->offset < two->offset);
}

static int write_batch(struct cutting *c)
{
	struct slice rest = writer_slice(&c->batch);

	if (c->batch.failed) {
		errno = ENOMEM;
		return complain(c, "cannot write the packets");
	}
	while (rest.length) {
		ssize_t written = write(c->out, rest.at, rest.length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return complain(c, "cannot write the packets");
		rest = slice_from(rest, (size_t)written);
	}
	writer_clear(&c->batch);
	return 0;
}

/* The packet from its IP header on; -1: there is none. */
static int strip_link(enum link_type link, struct ring_record *record)
{
	struct packet packet;

	if (packet_decode(&packet, link, record->frame, record->wire_length, record->time, false) <
	    0)
		return -1;
	record->wire_length =
		packet.flaws & FLAW_NETWORK_LENGTH
			? record->wire_length - (uint32_t)(packet.network.at - record->frame.at)
			: (uint32_t)packet.network.length;
	record->frame = packet.network;
	return 0;
}

static int copy_packet(struct cutting *c, const struct found *found)
{
	struct ring_record record;
	int file = file_at(c, found->file);

	if (file < 0 || ring_file_record(file, found->offset, c->record, &record) < 0 ||
	    (c->counts->several_links && strip_link(c->links[found->file], &record) < 0)) {
		c->counts->left_out++;
		return 0;
	}
	if (c->open > OPEN_FILES_MAX)
		close_file(c, found->file);
	if (c->counts->packets == 0)
		c->counts->first = record.time;
	c->counts->last = record.time;
	c->counts->packets++;
	c->counts->bytes += record.frame.length;
	ring_file_put_record(&c->batch, record.frame, record.wire_length, record.time);
	return c->batch.length >= OUT_BATCH ? write_batch(c) : 0;
}

static int copy_packets(struct cutting *c)
{
	enum link_type link;

	if (c->count == 0)
		return 0;
	qsort(c->found, c->count, sizeof(*c->found), compare_times);
	link = c->links[c->found[0].file];
	for (size_t i = 1; i < c->count; i++)
		c->counts->several_links |= c->links[c->found[i].file] != link;
	c->record = malloc(RING_RECORD_BYTES + RING_FRAME_MAX);
	if (!c->record)
		return complain(c, "cannot copy the packets");
	ring_file_put_header(&c->batch, c->counts->several_links ? LINK_RAW : link, RING_FRAME_MAX);
	for (size_t i = 0; i < c->count; i++)
		if (copy_packet(c, &c->found[i]) < 0)
			return -1;
	return c->counts->packets ? write_batch(c) : 0;
}

static void free_all(struct cutting *c)
{
	for (size_t i = 0; c->files && i < c->list.count; i++)
		close_file(c, i);
	free(c->files);
	free(c->links);
	free(c->found);
	free(c->record);
	free(c->list.items);
	writer_free(&c->batch);
}

int packet_ring_cut(int folder, const struct packet_cut *cut, int out,
		    struct packet_cut_counts *counts, char why[PACKET_CUT_WHY])
{
	struct cutting c = {
		.cut = cut,
		.folder = folder,
		.out = out,
		.counts = counts,
		.why = why,
		.from = add_time(cut->from, -cut->margin),
		.until = add_time(cut->until, cut->margin),
		.most = cut->packets ? cut->packets : PACKET_CUT_MAX,
		.batch = writer_growing(OUT_BATCH + RING_HEADER_BYTES + RING_RECORD_BYTES +
					RING_FRAME_MAX),
	};
	int result = -1;

	memset(counts, 0, sizeof(*counts));
	why[0] = '\0';
	if (ring_file_list(folder, &c.list) < 0) {
		result = complain(&c, "cannot list the ring's files");
		goto end;
	}
	if (c.list.count == 0) {
		result = 0;
		goto end;
	}
	c.files = malloc(c.list.count * sizeof(*c.files));
	c.links = calloc(c.list.count, sizeof(*c.links));
	if (!c.files || !c.links) {
		free(c.files);
		c.files = NULL;
		result = complain(&c, "cannot read the ring");
		goto end;
	}
	for (size_t i = 0; i < c.list.count; i++)
		c.files[i] = -1;
	if (read_files(&c) < 0)
		goto end;
	settle_fragments(&c);
	result = copy_packets(&c);
end:
	free_all(&c);
	return result;
}
