/* Sums of counts: any key, any size of count, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/tally.h"

#define KEYS   5000
#define ROUNDS 200000

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*seed >> 33);
}

static void test_empty(void **state)
{
	struct tally_sums sums = {0};
	uint64_t key = 0;
	int64_t count;

	assert_false(tally_sums_next(&sums, &key, &count));
	assert_int_equal(tally_sums_distinct(&sums), 0);
	tally_sums_free(&sums);
}

/* Counts at and beyond 32 bits, also where the lower half becomes 0. */
static void test_big_counts(void **state)
{
	static const struct {
		uint32_t key;
		int64_t count, sum;
	} adds[] = {
		{7, 1, 1},
		{7, UINT32_MAX - 1, UINT32_MAX},
		{7, 1, INT64_C(1) << 32},
		{7, INT64_C(5) << 40, (INT64_C(5) << 40) + (INT64_C(1) << 32)},
		{8, INT64_C(1) << 32, INT64_C(1) << 32},
		{TALLY_PAGE - 1, 3, 3},
		{TALLY_PAGE, 4, 4},
		{UINT32_MAX, INT64_MAX, INT64_MAX},
	};
	static const uint32_t keys[] = {7, 8, TALLY_PAGE - 1, TALLY_PAGE, UINT32_MAX};
	struct tally_sums sums = {0};
	uint64_t key = 0;
	int64_t count;

	for (size_t i = 0; i < ARRAY_COUNT(adds); i++) {
		uint64_t at = adds[i].key;

		assert_int_equal(tally_sums_add(&sums, adds[i].key, adds[i].count), 0);
		assert_true(tally_sums_next(&sums, &at, &count));
		assert_int_equal(at, adds[i].key);
		assert_int_equal(count, adds[i].sum);
	}
	assert_int_equal(tally_sums_distinct(&sums), ARRAY_COUNT(keys));
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++, key++) {
		assert_true(tally_sums_next(&sums, &key, &count));
		assert_int_equal(key, keys[i]);
	}
	assert_false(tally_sums_next(&sums, &key, &count));
	tally_sums_free(&sums);
}

static void test_agrees_with_plain_sums(void **state)
{
	static int64_t plain[KEYS * 7 + 1];
	struct tally_sums sums = {0};
	uint64_t seed = 3, key = 0;
	int64_t count, distinct = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t at = draw(&seed) % KEYS * 7;
		int64_t more = 1 + draw(&seed) % (i % 100 ? 300 : UINT32_MAX);

		plain[at] += more;
		assert_int_equal(tally_sums_add(&sums, at, more), 0);
	}
	for (uint64_t at = 0; at < ARRAY_COUNT(plain); at++) {
		if (!plain[at])
			continue;
		assert_true(tally_sums_next(&sums, &key, &count));
		assert_int_equal(key++, at);
		assert_int_equal(count, plain[at]);
		distinct++;
	}
	assert_false(tally_sums_next(&sums, &key, &count));
	assert_int_equal(tally_sums_distinct(&sums), distinct);
	tally_sums_free(&sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_big_counts),
		cmocka_unit_test(test_agrees_with_plain_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
