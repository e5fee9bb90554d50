/* Writing the packet ring: within its limits, whole records only, whatever the disk does. */
#include "ring_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "process/sandbox.h"

#define RECORD(frame) ((size_t)RING_RECORD_BYTES + (frame))

static const struct packet_ring_limits roomy = {.total_bytes = 64 << 20, .segment_bytes = 8 << 20};

static struct packet_ring *open_ring(const struct ring_fixture *fixture,
				     const struct packet_ring_limits *limits)
{
	struct packet_ring *ring = packet_ring_open(fixture->folder, limits);

	assert_non_null(ring);
	return ring;
}

/* A frame of that size that tells its number. */
static void add_frame(struct packet_ring *ring, enum link_type link, uint32_t number, size_t size,
		      int64_t time)
{
	static uint8_t frame[300000];

	assert_true(size >= 4 && size <= sizeof(frame));
	for (size_t i = 0; i < 4; i++)
		frame[i] = (uint8_t)(number >> (8 * i));
	packet_ring_add(ring, link, slice_of(frame, size), (uint32_t)size, time);
}

static uint32_t number_of(struct slice frame)
{
	struct cursor c = cursor_of(frame);

	return cursor_u32le(&c);
}

/* Reads all files with libpcap, oldest first: numbers rise. How many packets; -1 in *broken's place
 * is a failure. */
static size_t read_all(const struct ring_fixture *fixture, uint32_t *first, uint32_t *last)
{
	struct ring_list list = ring_files(fixture);
	char path[PATH_MAX], why[PACKET_FILE_WHY];
	size_t count = 0;

	for (size_t i = 0; i < list.count; i++) {
		struct packet_file *file;
		struct slice frame;
		uint32_t wire;
		int64_t time;
		int got;

		ring_path(fixture, &list.items[i], path);
		file = packet_file_open(path, why);
		assert_non_null(file);
		while ((got = packet_file_next(file, &frame, &wire, &time)) == 1) {
			uint32_t number = number_of(frame);

			if (count == 0)
				*first = number;
			else
				assert_true(number > *last);
			*last = number;
			count++;
		}
		assert_int_equal(got, 0);
		packet_file_close(file);
	}
	free(list.items);
	return count;
}

static void test_libpcap_reads_it(void **state)
{
	const struct ring_fixture *fixture = *state;
	struct packet_ring_limits limits = roomy;
	struct packet_ring *ring;
	struct ring_list list;
	char path[PATH_MAX], why[PACKET_FILE_WHY];
	struct packet_file *file;
	struct slice frame;
	uint32_t wire;
	int64_t time;

	limits.frame_bytes = 100;
	ring = open_ring(fixture, &limits);
	add_frame(ring, LINK_ETHERNET, 1, 99, NOON + 1);
	add_frame(ring, LINK_ETHERNET, 2, 100, NOON + 2);
	add_frame(ring, LINK_ETHERNET, 3, 101, NOON + 999999);
	packet_ring_add(ring, LINK_ETHERNET, SLICE("1234"), 1500, NOON + SECOND);
	assert_int_equal(packet_ring_counts(ring).waiting, 4);
	packet_ring_close(ring);
	list = ring_files(fixture);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].start, NOON + 1);
	assert_int_equal(list.items[0].bytes, RING_HEADER_BYTES + 4 * 16 + 99 + 100 + 100 + 4);
	ring_path(fixture, &list.items[0], path);
	free(list.items);
	file = packet_file_open(path, why);
	assert_non_null(file);
	assert_int_equal(packet_file_link(file), LINK_ETHERNET);
	for (unsigned i = 0; i < 4; i++) {
		static const struct {
			size_t length;
			uint32_t wire;
			int64_t time;
		} wanted[] = {{99, 99, 1}, {100, 100, 2}, {100, 101, 999999}, {4, 1500, SECOND}};

		assert_int_equal(packet_file_next(file, &frame, &wire, &time), 1);
		assert_int_equal(frame.length, wanted[i].length);
		assert_int_equal(wire, wanted[i].wire);
		assert_int_equal(time, NOON + wanted[i].time);
	}
	assert_int_equal(packet_file_next(file, &frame, &wire, &time), 0);
	packet_file_close(file);
}

static void test_what_no_file_can_hold(void **state)
{
	const struct ring_fixture *fixture = *state;
	struct packet_ring *ring = open_ring(fixture, &roomy);

	add_frame(ring, LINK_RAW, 1, 20, -1);
	add_frame(ring, LINK_RAW, 1, 20, RING_TIME_MAX + 1);
	packet_ring_add(ring, LINK_RAW, slice_of(NULL, 0), 20, NOON);
	assert_int_equal(packet_ring_counts(ring).dropped, 3);
	add_frame(ring, LINK_RAW, 1, 20, 0);
	add_frame(ring, LINK_RAW, 2, RING_FRAME_MAX, 1);
	assert_int_equal(packet_ring_counts(ring).shortened, 0);
	add_frame(ring, LINK_RAW, 3, RING_FRAME_MAX + 1, 2);
	/* The clock stepped on by a century: fine. */
	add_frame(ring, LINK_RAW, 4, 20, RING_TIME_MAX);
	assert_int_equal(packet_ring_flush(ring), 0);
	assert_int_equal(packet_ring_counts(ring).packets, 4);
	assert_int_equal(packet_ring_counts(ring).shortened, 1);
	assert_int_equal(packet_ring_counts(ring).dropped, 3);
	packet_ring_close(ring);
}

/* The nearest to a file's size that is reached by whole records. */
static void test_segments(void **state)
{
	const struct ring_fixture *fixture = *state;
	const uint64_t three = RING_HEADER_BYTES + 3 * RECORD(100);

	for (int more = -1; more <= 1; more++) {
		struct packet_ring_limits limits = {.total_bytes = 1 << 20};
		struct packet_ring *ring;
		struct ring_list list;
		uint32_t first, last;

		/* A record is weighed with a header, since it may need one. */
		limits.segment_bytes = three + RING_HEADER_BYTES + (uint64_t)(int64_t)more;
		ring = open_ring(fixture, &limits);
		for (uint32_t i = 0; i < 6; i++)
			add_frame(ring, LINK_RAW, i, 100, NOON + i);
		packet_ring_close(ring);
		list = ring_files(fixture);
		assert_int_equal(list.count, more < 0 ? 3 : 2);
		for (size_t i = 0; i < list.count; i++)
			assert_true(list.items[i].bytes <= limits.segment_bytes);
		assert_int_equal(list.items[1].number, list.items[0].number + 1);
		assert_int_equal(read_all(fixture, &first, &last), 6);
		free(list.items);
		ring_empty(fixture);
	}
}

static void test_oldest_goes_first(void **state)
{
	const struct ring_fixture *fixture = *state;
	const struct packet_ring_limits limits = {.total_bytes = 40000, .segment_bytes = 5000};
	struct packet_ring *ring = open_ring(fixture, &limits);
	struct packet_ring_counts counts;
	struct ring_list list;
	uint32_t first = 0, last = 0;
	uint64_t held = 0;
	size_t count;

	for (uint32_t i = 0; i < 2000; i++) {
		add_frame(ring, LINK_RAW, i, 60 + i % 400, NOON + i * SECOND);
		if (i % 7 == 0)
			assert_int_equal(packet_ring_flush(ring), 0);
		counts = packet_ring_counts(ring);
		assert_true(counts.held <= limits.total_bytes);
	}
	assert_int_equal(packet_ring_flush(ring), 0);
	counts = packet_ring_counts(ring);
	list = ring_files(fixture);
	for (size_t i = 0; i < list.count; i++)
		held += list.items[i].bytes;
	assert_int_equal(held, counts.held);
	assert_int_equal(list.count, counts.files);
	assert_int_equal(counts.since, list.items[0].start);
	assert_true(counts.removed > 50);
	assert_true(held > limits.total_bytes - 2 * limits.segment_bytes);
	count = read_all(fixture, &first, &last);
	assert_int_equal(last, 1999);
	assert_int_equal(count, last - first + 1); /* none is missing between */
	assert_int_equal(list.items[0].start, NOON + first * SECOND);
	assert_int_equal(counts.packets, 2000);
	assert_int_equal(counts.dropped, 0);
	free(list.items);
	packet_ring_close(ring);
	/* With lower limits the next start makes the folder fit. */
	ring = open_ring(fixture, &(struct packet_ring_limits){.total_bytes = 10000});
	assert_true(packet_ring_counts(ring).held <= 10000);
	packet_ring_close(ring);
	assert_true(read_all(fixture, &first, &last) > 10);
	assert_int_equal(last, 1999);
}

/* A record larger than the whole ring is dropped, and costs nothing that is there. */
static void test_record_larger_than_ring(void **state)
{
	const struct ring_fixture *fixture = *state;
	const struct packet_ring_limits limits = {.total_bytes = 4000};
	struct packet_ring *ring = open_ring(fixture, &limits);
	uint32_t first, last;

	add_frame(ring, LINK_RAW, 1, 500, NOON);
	assert_int_equal(packet_ring_flush(ring), 0);
	add_frame(ring, LINK_RAW, 2, 4001 - RING_HEADER_BYTES - RING_RECORD_BYTES, NOON);
	assert_int_equal(packet_ring_flush(ring), -1);
	assert_int_equal(packet_ring_counts(ring).dropped, 1);
	assert_int_equal(read_all(fixture, &first, &last), 1);
	/* One byte less fits exactly, when everything else goes. */
	add_frame(ring, LINK_RAW, 3, 4000 - RING_HEADER_BYTES - RING_RECORD_BYTES, NOON);
	assert_int_equal(packet_ring_flush(ring), 0);
	assert_int_equal(packet_ring_counts(ring).held, 4000);
	assert_int_equal(read_all(fixture, &first, &last), 1);
	assert_int_equal(last, 3);
	packet_ring_close(ring);
}

static void test_most_files(void **state)
{
	const struct ring_fixture *fixture = *state;
	const struct packet_ring_limits one_each = {.total_bytes = 64 << 20, .segment_bytes = 1};
	struct packet_ring *ring = open_ring(fixture, &one_each);
	struct ring_list list;

	for (uint32_t i = 1; i <= PACKET_RING_FILES_MAX + 1; i++) {
		struct packet_ring_counts counts;

		add_frame(ring, LINK_RAW, i, 20, NOON + i);
		assert_int_equal(packet_ring_flush(ring), 0);
		counts = packet_ring_counts(ring);
		assert_int_equal(counts.files, i <= PACKET_RING_FILES_MAX ? i : i - 1);
		assert_int_equal(counts.since, i <= PACKET_RING_FILES_MAX ? NOON + 1 : NOON + 2);
	}
	packet_ring_close(ring);
	list = ring_files(fixture);
	assert_int_equal(list.count, PACKET_RING_FILES_MAX);
	assert_int_equal(list.items[0].number, 2);
	free(list.items);
}

static void test_links_side_by_side(void **state)
{
	const struct ring_fixture *fixture = *state;
	static const enum link_type links[] = {LINK_ETHERNET, LINK_RAW, LINK_COOKED2, LINK_PPP};
	struct packet_ring *ring = open_ring(fixture, &roomy);
	struct ring_list list;

	_Static_assert(ARRAY_COUNT(links) == PACKET_RING_LINKS, "all lanes are used");
	for (uint32_t i = 0; i < 400; i++) /* all in one microsecond at first */
		add_frame(ring, links[i % 4], i, 60, NOON + i / 200);
	assert_int_equal(packet_ring_flush(ring), 0);
	list = ring_files(fixture);
	assert_int_equal(list.count, 4);
	assert_int_equal(packet_ring_counts(ring).files, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(list.items[i].number, 1);
		assert_true(list.items[i].start <= NOON && list.items[i].start > NOON - 4);
		assert_int_equal(list.items[i].bytes, RING_HEADER_BYTES + 100 * RECORD(60));
	}
	free(list.items);
	/* libpcap's own number for raw IP is the same link. */
	add_frame(ring, LINK_RAW_BSD, 400, 60, NOON + 2);
	assert_int_equal(packet_ring_flush(ring), 0);
	assert_int_equal(packet_ring_counts(ring).files, 4);
	/* A fifth begins new files. */
	add_frame(ring, LINK_NULL, 401, 60, NOON + 2);
	add_frame(ring, LINK_RAW, 402, 60, NOON + 2);
	packet_ring_close(ring);
	list = ring_files(fixture);
	assert_int_equal(list.count, 6);
	assert_int_equal(list.items[5].number, 2);
	free(list.items);
}

static void test_batches(void **state)
{
	const struct ring_fixture *fixture = *state;
	struct packet_ring *ring = open_ring(fixture, &roomy);
	struct ring_list list;
	uint32_t number = 0, first, last;

	add_frame(ring, LINK_RAW, number++, 1000, NOON);
	list = ring_files(fixture);
	assert_int_equal(list.count, 0);
	free(list.items);
	while (packet_ring_counts(ring).packets == 0) {
		assert_true(number < 2 * PACKET_RING_BATCH / 1000);
		add_frame(ring, LINK_RAW, number++, 1000, NOON);
	}
	assert_true(packet_ring_counts(ring).bytes <= PACKET_RING_BATCH);
	assert_true(packet_ring_counts(ring).bytes > PACKET_RING_BATCH - 2 * RECORD(1000));
	assert_int_equal(packet_ring_counts(ring).waiting, 1);
	packet_ring_close(ring);
	assert_int_equal(read_all(fixture, &first, &last), number);
}

static void test_clock_steps_back(void **state)
{
	const struct ring_fixture *fixture = *state;
	struct packet_ring *ring = open_ring(fixture, &roomy);
	struct ring_list list;

	add_frame(ring, LINK_RAW, 1, 60, NOON);
	add_frame(ring, LINK_RAW, 2, 60, NOON - RING_DISORDER); /* only late */
	add_frame(ring, LINK_RAW, 3, 60, NOON - RING_DISORDER - 1);
	add_frame(ring, LINK_RAW, 4, 60, NOON - RING_DISORDER);
	packet_ring_close(ring);
	/* Back again while nobody wrote. */
	ring = open_ring(fixture, &roomy);
	add_frame(ring, LINK_RAW, 5, 60, NOON - HOUR);
	packet_ring_close(ring);
	ring = open_ring(fixture, &roomy);
	add_frame(ring, LINK_RAW, 6, 60, NOON - HOUR + 1);
	packet_ring_close(ring);
	list = ring_files(fixture);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.items[0].number, 1);
	assert_int_equal(list.items[0].bytes, RING_HEADER_BYTES + 2 * RECORD(60));
	assert_int_equal(list.items[1].number, 3); /* one left out */
	assert_int_equal(list.items[2].number, 5);
	assert_int_equal(list.items[3].number, 6);
	free(list.items);
}

/* --- what a crash leaves --- */

static void test_torn_record_is_cut_off(void **state)
{
	const struct ring_fixture *fixture = *state;
	const off_t whole = RING_HEADER_BYTES + 2 * (off_t)RECORD(40);
	uint32_t first, last;
	struct ring_list list;
	char path[PATH_MAX];

	for (off_t length = 0; length <= whole; length++) {
		struct packet_ring *ring = open_ring(fixture, &roomy);
		size_t left = length < RING_HEADER_BYTES + (off_t)RECORD(40) ? 0
			      : length < whole                               ? 1
									     : 2;

		add_frame(ring, LINK_RAW, 1, 40, NOON);
		add_frame(ring, LINK_RAW, 2, 40, NOON + 1);
		packet_ring_close(ring);
		list = ring_files(fixture);
		assert_int_equal(list.count, 1);
		ring_path(fixture, &list.items[0], path);
		free(list.items);
		assert_int_equal(truncate(path, length), 0);
		ring = open_ring(fixture, &roomy);
		assert_int_equal(packet_ring_counts(ring).files, left > 0);
		add_frame(ring, LINK_RAW, 3, 40, NOON + 2);
		packet_ring_close(ring);
		list = ring_files(fixture);
		assert_int_equal(list.count, left ? 2 : 1);
		free(list.items);
		assert_int_equal(read_all(fixture, &first, &last), left + 1);
		assert_int_equal(last, 3);
		ring_empty(fixture);
	}
}

static void test_zeros_and_garbage_are_cut_off(void **state)
{
	const struct ring_fixture *fixture = *state;

	for (int garbage = 0; garbage < 2; garbage++) {
		struct packet_ring *ring = open_ring(fixture, &roomy);
		struct ring_list list;
		uint32_t first, last;
		char path[PATH_MAX], tail[500];
		int file;

		add_frame(ring, LINK_RAW, 1, 40, NOON);
		packet_ring_close(ring);
		list = ring_files(fixture);
		ring_path(fixture, &list.items[0], path);
		free(list.items);
		memset(tail, garbage ? 0xff : 0, sizeof(tail));
		file = open(path, O_WRONLY | O_APPEND);
		assert_int_equal(write(file, tail, sizeof(tail)), sizeof(tail));
		close(file);
		packet_ring_close(open_ring(fixture, &roomy));
		list = ring_files(fixture);
		assert_int_equal(list.items[0].bytes, RING_HEADER_BYTES + RECORD(40));
		free(list.items);
		assert_int_equal(read_all(fixture, &first, &last), 1);
		ring_empty(fixture);
	}
}

static void test_other_things_in_the_folder(void **state)
{
	const struct ring_fixture *fixture = *state;
	static const char *const names[] = {"notes.txt", "1-1.pcap", "0000000009-12.pcap",
					    "0000000000-0000000000000001.pcap",
					    "0000000009-0000000000000001.pcap.old"};
	struct packet_ring *ring;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		close(openat(fixture->folder, names[i], O_CREAT | O_WRONLY, 0600));
	assert_int_equal(mkfifoat(fixture->folder, "0000000009-0000000000000001.pcap", 0600), 0);
	assert_int_equal(
		symlinkat("/etc/passwd", fixture->folder, "0000000009-0000000000000002.pcap"), 0);
	/* Put there between listing and opening. */
	for (int64_t i = 1; i <= 2; i++)
		assert_int_equal(
			ring_file_open(fixture->folder, &(struct ring_file){9, i, 0}, O_RDONLY),
			-1);
	ring = open_ring(fixture, &roomy);
	assert_int_equal(packet_ring_counts(ring).files, 0);
	add_frame(ring, LINK_RAW, 1, 40, NOON);
	packet_ring_close(ring);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_int_equal(faccessat(fixture->folder, names[i], F_OK, 0), 0);
}

/* --- a disk that is full --- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
	const struct ring_fixture *fixture = *state;
	const rlim_t two = RING_HEADER_BYTES + 2 * RECORD(50), four = two + 2 * RECORD(50);

	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room <= four; room++) {
		struct packet_ring *ring = open_ring(fixture, &roomy);
		size_t fit = room < RING_HEADER_BYTES ? 0 : (room - RING_HEADER_BYTES) / RECORD(50);
		struct packet_ring_counts counts;
		uint32_t first, last;
		int flushed;

		limit_files(room);
		for (uint32_t i = 0; i < 4; i++)
			add_frame(ring, LINK_RAW, i, 50, NOON + i);
		flushed = packet_ring_flush(ring);
		counts = packet_ring_counts(ring);
		assert_int_equal(flushed, fit < 4 ? -1 : 0);
		assert_int_equal(counts.packets, fit);
		assert_int_equal(counts.dropped, 4 - fit);
		assert_int_equal(counts.waiting, 0);
		assert_int_equal(counts.files, fit > 0);
		assert_int_equal(read_all(fixture, &first, &last), fit);
		/* Still full. */
		add_frame(ring, LINK_RAW, 4, 50, NOON + 4);
		assert_int_equal(packet_ring_flush(ring), -1);
		assert_int_equal(read_all(fixture, &first, &last), fit);
		/* There is room again. */
		limit_files(RLIM_INFINITY);
		add_frame(ring, LINK_RAW, 5, 50, NOON + 5);
		assert_int_equal(packet_ring_flush(ring), 0);
		counts = packet_ring_counts(ring);
		assert_int_equal(counts.packets + counts.dropped, 6);
		assert_int_equal(counts.held, RING_HEADER_BYTES + (fit + 1) * RECORD(50));
		packet_ring_close(ring);
		assert_int_equal(read_all(fixture, &first, &last), fit + 1);
		assert_int_equal(last, 5);
		ring_empty(fixture);
	}
}

/* --- rights --- */

/* With a folder and nothing else. */
static int write_in_sandbox(int folder)
{
	const struct sandbox sandbox = {.calls = SANDBOX_FILES};
	const struct sandbox_folder grants[] = {
		{folder, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE | SANDBOX_REMOVE}};
	const struct packet_ring_limits limits = {.total_bytes = 20000, .segment_bytes = 4000};
	struct packet_ring *ring;
	struct packet_ring_counts counts;
	const char *why;

	if (sandbox_enter(&sandbox, -1, grants, 1, NULL, &why) < 0)
		return 1;
	if (openat(AT_FDCWD, "/etc/passwd", O_RDONLY) >= 0)
		return 2;
	ring = packet_ring_open(folder, &limits);
	if (!ring)
		return 3;
	for (uint32_t i = 10; i < 1000; i++)
		add_frame(ring, LINK_RAW, i, 100, NOON + i);
	counts = packet_ring_counts(ring);
	packet_ring_close(ring);
	return counts.dropped || counts.removed < 10 ? 4 : 0;
}

static void test_in_a_sandbox(void **state)
{
	const struct ring_fixture *fixture = *state;
	struct packet_ring *ring = open_ring(fixture, &roomy);
	struct ring_list list;
	char path[PATH_MAX];
	uint32_t first, last;
	int status;
	pid_t child;

	if (!sandbox_landlock_version())
		skip();
	/* A torn record, so that tidying is tried too. */
	add_frame(ring, LINK_RAW, 1, 100, NOON);
	add_frame(ring, LINK_RAW, 2, 100, NOON);
	packet_ring_close(ring);
	list = ring_files(fixture);
	ring_path(fixture, &list.items[0], path);
	assert_int_equal(truncate(path, (off_t)list.items[0].bytes - 1), 0);
	free(list.items);
	child = fork();
	if (child == 0)
		_exit(write_in_sandbox(fixture->folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(read_all(fixture, &first, &last) > 100);
	assert_int_equal(last, 999);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)
	const struct CMUnitTest tests[] = {
		RING_TEST(test_libpcap_reads_it),
		RING_TEST(test_what_no_file_can_hold),
		RING_TEST(test_segments),
		RING_TEST(test_oldest_goes_first),
		RING_TEST(test_record_larger_than_ring),
		RING_TEST(test_most_files),
		RING_TEST(test_links_side_by_side),
		RING_TEST(test_batches),
		RING_TEST(test_clock_steps_back),
		RING_TEST(test_torn_record_is_cut_off),
		RING_TEST(test_zeros_and_garbage_are_cut_off),
		RING_TEST(test_other_things_in_the_folder),
		RING_TEST(test_full_disk),
		RING_TEST(test_in_a_sandbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
