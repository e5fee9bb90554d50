/* The table of sources and their buckets, one step below, at and above each limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/sources.h"

static struct source *find(struct sources *sources, uint32_t number, int64_t now)
{
	struct address address = address_v4(0x0a000000 + number);

	return sources_find(sources, &address, now, 5);
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	struct sources *sources = sources_new(4);
	struct source *source = find(sources, 1, 0);

	for (int i = 0; i < 5; i++)
		assert_true(source_allow(source, 0, 60, 5));
	assert_false(source_allow(source, 0, 60, 5));
	/* 60 a minute: one a second. */
	assert_false(source_allow(source, SECOND - 1, 60, 5));
	assert_true(source_allow(source, SECOND, 60, 5));
	assert_false(source_allow(source, SECOND, 60, 5));
	/* However long it waits, it holds no more than the burst. */
	for (int i = 0; i < 5; i++)
		assert_true(source_allow(source, DAY, 60, 5));
	assert_false(source_allow(source, DAY, 60, 5));
	sources_free(sources);
}

static void a_full_table_forgets_the_longest_silent_idle_one(void **state)
{
	struct sources *sources = sources_new(4);
	struct source *third;

	for (uint32_t i = 1; i <= 4; i++)
		find(sources, i, i)->connections = 1;
	assert_null(find(sources, 5, 5)); /* all are busy */
	find(sources, 2, 6)->connections = 0;
	third = find(sources, 3, 7);
	third->connections = 0;
	third->tokens = 0.5;
	assert_non_null(find(sources, 5, 8));         /* in the place of 2 */
	assert_true(find(sources, 3, 9)->tokens < 1); /* 3 is remembered */
	find(sources, 5, 10)->connections = 1;
	find(sources, 3, 11)->connections = 1;
	assert_null(find(sources, 2, 12));
	sources_free(sources);
}

static void an_ipv6_source_is_its_network(void **state)
{
	static const char *const texts[] = {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9",
					    "2001:db8:1:3::1"};
	struct sources *sources = sources_new(4);
	struct source *found[3];

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct address address;

		assert_int_equal(address_parse(slice_text(texts[i]), &address), 0);
		found[i] = sources_find(sources, &address, 0, 5);
	}
	assert_ptr_equal(found[0], found[1]);
	assert_ptr_not_equal(found[0], found[2]);
	sources_free(sources);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
		cmocka_unit_test(a_full_table_forgets_the_longest_silent_idle_one),
		cmocka_unit_test(an_ipv6_source_is_its_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
