/* The spool: nothing is lost, nothing comes twice, whatever happens to the files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/segment.h"
#include "event/spool.h"

static const struct spool_limits roomy = {.segment_bytes = 4096, .total_bytes = 64 << 20};

struct fixture {
	char path[64];
	int folder;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	memcpy(fixture->path, "/tmp/sundew-spool-XXXXXX", 25);
	if (!mkdtemp(fixture->path))
		return -1;
	fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fixture;
	return fixture->folder < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	/* Everything in it is ours: a high position and nothing to keep removes all segments. */
	(void)spool_housekeep(fixture->folder, (struct spool_position){INT64_MAX, 0}, 0);
	close(fixture->folder);
	rmdir(fixture->path);
	free(fixture);
	return 0;
}

static int append(struct spool *spool, int64_t number)
{
	struct event event;

	event_clear(&event);
	event_set_number(&event, FIELD_ALIKE, number);
	event_set_words(&event, FIELD_MESSAGE,
			"so that a segment fills after a few dozen of these");
	return spool_append(spool, &event);
}

/* Appends first..last-1, flushing after every few, so that segments rotate. */
static void append_range(int folder, const struct spool_limits *limits, int64_t first, int64_t last)
{
	struct spool *spool = spool_open(folder, limits);

	assert_non_null(spool);
	for (int64_t i = first; i < last; i++) {
		assert_int_equal(append(spool, i), 0);
		if (i % 5 == 0)
			assert_int_equal(spool_flush(spool), 0);
	}
	assert_int_equal(spool_refused(spool), 0);
	spool_close(spool);
}

/* The number in a line that append wrote, or -1 for other lines. */
static int64_t number_of(struct slice line)
{
	struct arena arena = arena_of(65536);
	struct event event;
	const char *why;
	int64_t number = -1;

	if (event_read(&event, line, &arena, &why) == 0)
		number = event_number(&event, FIELD_ALIKE);
	arena_drop(&arena);
	return number;
}

static void expect_range(struct follower *follower, int64_t first, int64_t last)
{
	struct slice line;

	for (int64_t i = first; i < last; i++) {
		assert_int_equal(follower_next(follower, &line), 1);
		assert_int_equal(number_of(line), i);
	}
}

static void expect_end(struct follower *follower)
{
	struct slice line;

	assert_int_equal(follower_next(follower, &line), 0);
	assert_int_equal(follower_next(follower, &line), 0);
}

static size_t count_segments(int folder, size_t *compressed)
{
	struct segment_list list;
	size_t count;

	*compressed = 0;
	assert_int_equal(segment_list(folder, &list), 0);
	for (size_t i = 0; i < list.count; i++)
		*compressed += list.items[i].compressed;
	count = list.count;
	free(list.items);
	return count;
}

static void put(int folder, const char *name, const char *text, size_t length)
{
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, length), length);
	close(file);
}

static void test_rotation_and_resume(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	size_t compressed;

	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	expect_end(follower);
	append_range(fixture->folder, &roomy, 0, 200);
	append_range(fixture->folder, &roomy, 200, 400);
	assert_true(count_segments(fixture->folder, &compressed) > 3);
	assert_true(follower_backlog(follower) > 400 * 50);
	expect_range(follower, 0, 400);
	expect_end(follower);
	assert_int_equal(follower_backlog(follower), 0);
	assert_int_equal(follower_lost(follower), 0);
	/* The same follower goes on with what comes later. */
	append_range(fixture->folder, &roomy, 400, 500);
	expect_range(follower, 400, 500);
	expect_end(follower);
	follower_close(follower);
	follower_close(NULL);
	spool_close(NULL);
}

/* From each position that a follower ever reported, another one gets exactly the rest. */
static void expect_exact_rest(int folder, int64_t count)
{
	struct follower *first = follower_open(folder, (struct spool_position){0, 0});
	struct slice line;

	for (int64_t done = 0; done <= count; done++) {
		struct follower *second = follower_open(folder, follower_position(first));

		expect_range(second, done, count);
		expect_end(second);
		assert_int_equal(follower_lost(second), 0);
		follower_close(second);
		if (done < count)
			assert_int_equal(follower_next(first, &line), 1);
	}
	follower_close(first);
}

static void test_every_position(void **state)
{
	const struct fixture *fixture = *state;
	size_t compressed, count;

	append_range(fixture->folder, &roomy, 0, 150);
	expect_exact_rest(fixture->folder, 150);
	count = count_segments(fixture->folder, &compressed);
	assert_true(count > 2);
	assert_int_equal(spool_housekeep(fixture->folder,
					 (struct spool_position){(uint64_t)count, 0}, UINT64_MAX),
			 count - 1);
	(void)count_segments(fixture->folder, &compressed);
	assert_int_equal(compressed, count - 1);
	expect_exact_rest(fixture->folder, 150);
}

/* Compression of the very segment that is being read, and of all others. */
static void test_compressed_under_the_follower(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower, *again;

	append_range(fixture->folder, &roomy, 0, 300);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	expect_range(follower, 0, 10);
	assert_true(spool_housekeep(fixture->folder, (struct spool_position){4, 0}, UINT64_MAX) ==
		    3);
	assert_true(follower_backlog(follower) > 290 * 50);
	again = follower_open(fixture->folder, follower_position(follower));
	expect_range(follower, 10, 300);
	expect_range(again, 10, 300);
	assert_int_equal(follower_lost(follower), 0);
	follower_close(follower);
	follower_close(again);
	/* Nothing left to do. */
	assert_int_equal(
		spool_housekeep(fixture->folder, (struct spool_position){4, 0}, UINT64_MAX), 0);
}

static void test_housekeeping_removes_the_oldest(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	size_t compressed, count;
	struct slice line;

	append_range(fixture->folder, &roomy, 0, 300);
	count = count_segments(fixture->folder, &compressed);
	follower = follower_open(fixture->folder, (struct spool_position){1, 0});
	assert_int_equal(spool_housekeep(fixture->folder, (struct spool_position){4, 0}, 0), 3);
	assert_int_equal(count_segments(fixture->folder, &compressed), count - 3);
	assert_int_equal(compressed, 0);
	/* Segment 1 is gone, 2 and 3 lie in between. */
	assert_int_equal(follower_next(follower, &line), 1);
	assert_int_equal(follower_position(follower).segment, 4);
	assert_int_equal(follower_lost(follower), 2);
	follower_close(follower);
}

/* A crash between naming the compressed form and removing the plain one leaves both. */
static void test_both_forms(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	size_t compressed;

	append_range(fixture->folder, &roomy, 0, 100);
	assert_int_equal(linkat(fixture->folder, "0000000001.ndjson", fixture->folder, "kept", 0),
			 0);
	assert_int_equal(
		spool_housekeep(fixture->folder, (struct spool_position){2, 0}, UINT64_MAX), 1);
	assert_int_equal(renameat(fixture->folder, "kept", fixture->folder, "0000000001.ndjson"),
			 0);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	expect_range(follower, 0, 100);
	expect_end(follower);
	follower_close(follower);
	assert_int_equal(
		spool_housekeep(fixture->folder, (struct spool_position){2, 0}, UINT64_MAX), 1);
	assert_int_equal(faccessat(fixture->folder, "0000000001.ndjson", F_OK, 0), -1);
	(void)count_segments(fixture->folder, &compressed);
	assert_int_equal(compressed, 1);
}

static void test_line_cut_by_power_loss(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	struct slice line;

	append_range(fixture->folder, &roomy, 0, 3);
	put(fixture->folder, "0000000001.ndjson", "{\"sundew\":{\"cou", 15);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	expect_range(follower, 0, 3);
	expect_end(follower); /* not a whole line yet */
	append_range(fixture->folder, &roomy, 3, 6);
	assert_int_equal(follower_next(follower, &line), 1);
	assert_true(slice_is(line, "{\"sundew\":{\"cou"));
	expect_range(follower, 3, 6);
	expect_end(follower);
	follower_close(follower);
}

/* In a finished segment an unfinished line will never be finished. */
static void test_unterminated_before_a_newer_segment(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	struct slice line;

	put(fixture->folder, "0000000001.ndjson", "{}\n{\"cut", 8);
	put(fixture->folder, "0000000002.ndjson", "{\"b\":2}\n", 8);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	assert_int_equal(follower_next(follower, &line), 1);
	assert_true(slice_is(line, "{}"));
	assert_int_equal(follower_next(follower, &line), 1);
	assert_true(slice_is(line, "{\"b\":2}"));
	assert_int_equal(follower_lost(follower), 1);
	follower_close(follower);
}

static void test_line_length_limits(void **state)
{
	const struct fixture *fixture = *state;
	uint8_t *text = malloc(EVENT_LINE_MAX * 3);
	struct follower *follower;
	struct slice line;

	assert_non_null(text);
	for (int step = -1; step <= 1; step++) {
		size_t length = (size_t)(EVENT_LINE_MAX + step);

		memset(text, 'x', length);
		text[length] = '\n';
		put(fixture->folder, "0000000001.ndjson", (const char *)text, length + 1);
	}
	memset(text, 'y', EVENT_LINE_MAX * 3);
	put(fixture->folder, "0000000001.ndjson", (const char *)text, EVENT_LINE_MAX * 3);
	put(fixture->folder, "0000000001.ndjson", "\nend\n", 5);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	for (int step = -1; step <= 0; step++) {
		assert_int_equal(follower_next(follower, &line), 1);
		assert_int_equal(line.length, EVENT_LINE_MAX + step);
	}
	assert_int_equal(follower_next(follower, &line), 1);
	assert_true(slice_is(line, "end"));
	assert_int_equal(follower_lost(follower), 2);
	expect_end(follower);
	follower_close(follower);
	free(text);
}

/* A power loss took back bytes whose position had been kept elsewhere. */
static void test_position_beyond_the_file(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;

	append_range(fixture->folder, &roomy, 0, 3);
	follower = follower_open(fixture->folder, (struct spool_position){1, 1000000});
	expect_end(follower);
	append_range(fixture->folder, &roomy, 3, 5);
	expect_range(follower, 3, 5);
	follower_close(follower);
}

static void test_damaged_compressed_segment(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower;
	struct slice line;

	put(fixture->folder, "0000000001.ndjson.zst", "this is not zstd at all", 23);
	put(fixture->folder, "0000000002.ndjson", "{}\n", 3);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	assert_int_equal(follower_next(follower, &line), 1);
	assert_true(slice_is(line, "{}"));
	assert_int_equal(follower_lost(follower), 1);
	follower_close(follower);
}

static void test_foreign_names(void **state)
{
	static const char *const names[] = {"x", "1.ndjson", "0000000000.ndjson",
					    "0000000001.ndjson.tmp", "-000000001.ndjson"};
	const struct fixture *fixture = *state;
	size_t compressed;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		put(fixture->folder, names[i], "{}\n", 3);
	assert_int_equal(count_segments(fixture->folder, &compressed), 0);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		unlinkat(fixture->folder, names[i], 0);
}

static void test_cap(void **state)
{
	const struct spool_limits small = {.segment_bytes = 4096, .total_bytes = 20000};
	const struct fixture *fixture = *state;
	struct spool *spool = spool_open(fixture->folder, &small);
	struct follower *follower;
	int64_t taken = 0;

	while (taken < 1000 && append(spool, taken) == 0) {
		taken++;
		assert_int_equal(spool_flush(spool), 0);
	}
	assert_true(taken > 50 && taken < 1000);
	assert_int_equal(append(spool, 9999), -1);
	assert_int_equal(spool_refused(spool), 2);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	expect_range(follower, 0, taken);
	expect_end(follower);
	/* Room comes by housekeeping; opening again counts at once, without waiting for the clock.
	 */
	assert_true(spool_housekeep(fixture->folder, follower_position(follower), 0) > 0);
	spool_close(spool);
	append_range(fixture->folder, &small, taken, taken + 10);
	expect_range(follower, taken, taken + 10);
	follower_close(follower);
}

/* The running spool finds the room by itself: within its one second between two counts. */
static void test_cap_recovers_by_itself(void **state)
{
	const struct spool_limits small = {.segment_bytes = 4096, .total_bytes = 20000};
	const struct fixture *fixture = *state;
	struct spool *spool = spool_open(fixture->folder, &small);
	int64_t deadline = clock_monotonic() + 20 * SECOND;
	int64_t taken = 0;

	while (taken < 1000 && append(spool, taken) == 0) {
		taken++;
		assert_int_equal(spool_flush(spool), 0);
	}
	assert_true(spool_housekeep(fixture->folder, (struct spool_position){3, 0}, 0) > 0);
	while (append(spool, taken) < 0)
		assert_true(clock_monotonic() < deadline);
	assert_int_equal(spool_flush(spool), 0);
	spool_close(spool);
}

/* A file size limit stands in for a full disk: the kernel writes what fits, then refuses. */
static void test_full_disk(void **state)
{
	const struct spool_limits large = {.segment_bytes = 1 << 30, .total_bytes = 1 << 30};
	const struct fixture *fixture = *state;
	struct rlimit before, limited;
	struct follower *follower;
	struct spool *spool;
	struct slice line;
	int64_t whole = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	spool = spool_open(fixture->folder, &large);
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(append(spool, i), 0);
	limited = (struct rlimit){2000, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limited), 0);
	assert_int_equal(spool_flush(spool), -1); /* a part fits */
	assert_int_equal(append(spool, 100), 0);
	limited.rlim_cur = 1900;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limited), 0);
	assert_int_equal(spool_flush(spool), -1); /* nothing fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	while (follower_next(follower, &line) == 1)
		assert_int_equal(number_of(line), whole++);
	assert_true(whole > 5 && whole < 30);
	assert_int_equal(spool_refused(spool), 101 - whole);
	/* There is room again. */
	assert_int_equal(append(spool, whole), 0);
	assert_int_equal(spool_flush(spool), 0);
	assert_int_equal(spool_sync(spool), 0);
	expect_range(follower, whole, whole + 1);
	assert_int_equal(follower_lost(follower), 0);
	follower_close(follower);
	spool_close(spool);
}

/* kill -9 in the middle: what was flushed is there, once, and appending goes on. */
static void test_kill(void **state)
{
	const struct fixture *fixture = *state;
	struct follower *follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	struct slice line;
	int64_t seen = 0;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct spool *spool = spool_open(fixture->folder, &roomy);

		for (int64_t i = 0; spool; i++) {
			if (append(spool, i) == 0)
				(void)spool_flush(spool);
		}
		_exit(1);
	}
	while (seen < 500) {
		int got = follower_next(follower, &line);

		assert_true(got >= 0);
		if (got)
			assert_int_equal(number_of(line), seen++);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	while (follower_next(follower, &line) == 1)
		assert_int_equal(number_of(line), seen++);
	append_range(fixture->folder, &roomy, seen, seen + 20);
	expect_range(follower, seen, seen + 20);
	assert_int_equal(follower_lost(follower), 0);
	follower_close(follower);
}

/* The batch reaches the file by itself when it is full. */
static void test_batch_flushes_itself(void **state)
{
	const struct spool_limits large = {.segment_bytes = 1 << 30, .total_bytes = 1 << 30};
	const struct fixture *fixture = *state;
	struct spool *spool = spool_open(fixture->folder, &large);
	struct follower *follower = follower_open(fixture->folder, (struct spool_position){0, 0});
	struct slice line;

	assert_int_equal(append(spool, 0), 0);
	expect_end(follower);
	for (int64_t i = 1; i < 10000; i++)
		assert_int_equal(append(spool, i), 0);
	assert_int_equal(follower_next(follower, &line), 1);
	spool_close(spool);
	expect_range(follower, 1, 10000);
	follower_close(follower);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rotation_and_resume, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_position, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compressed_under_the_follower, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_housekeeping_removes_the_oldest, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_both_forms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_line_cut_by_power_loss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unterminated_before_a_newer_segment, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_line_length_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_position_beyond_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_compressed_segment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cap_recovers_by_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batch_flushes_itself, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
