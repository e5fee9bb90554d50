/* Coroutines: they take turns, end, are dropped in the middle, and their stacks are reused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decoy/machine/coroutine.h"
#include "decoy/machine/limits.h"

struct turn {
	struct coroutine *coroutine;
	jmp_buf base;
	unsigned waits, resumed, restarts, deepest;
	double sum;
	uint8_t *written;
};

static void wait_some(void *context)
{
	struct turn *turn = context;
	uint8_t local[1000];

	memset(local, (int)turn->waits, sizeof(local));
	for (unsigned i = 0; i < turn->waits; i++) {
		turn->sum += 0.5;
		coroutine_wait(turn->coroutine);
		turn->resumed++;
		assert_int_equal(local[999], (uint8_t)turn->waits);
	}
}

static void test_turns(void **state)
{
	struct coroutine_pool *pool = coroutine_pool_new(64);
	struct turn turns[40] = {0};
	unsigned alive = 40;

	for (unsigned i = 0; i < 40; i++) {
		turns[i].waits = i;
		turns[i].coroutine = coroutine_new(pool, wait_some, &turns[i]);
		assert_non_null(turns[i].coroutine);
	}
	for (unsigned round = 0; alive; round++) {
		assert_true(round <= 40);
		alive = 0;
		for (unsigned i = 0; i < 40; i++)
			alive += coroutine_resume(turns[i].coroutine);
	}
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(turns[i].resumed, i);
		assert_true(turns[i].sum == 0.5 * i);
		assert_false(coroutine_resume(turns[i].coroutine));
		coroutine_drop(turns[i].coroutine);
	}
	coroutine_pool_free(pool);
}

static void test_limit_and_reuse(void **state)
{
	struct coroutine_pool *pool = coroutine_pool_new(32);
	struct turn turn = {.waits = 3};
	struct coroutine *all[32];

	for (unsigned i = 0; i < 32; i++) {
		all[i] = coroutine_new(pool, wait_some, &turn);
		assert_non_null(all[i]);
	}
	assert_null(coroutine_new(pool, wait_some, &turn));
	/* One that waits is dropped; its stack serves the next. */
	turn.coroutine = all[7];
	assert_true(coroutine_resume(all[7]));
	coroutine_drop(all[7]);
	all[7] = coroutine_new(pool, wait_some, &turn);
	assert_non_null(all[7]);
	turn = (struct turn){.coroutine = all[7], .waits = 2};
	assert_true(coroutine_resume(all[7]));
	assert_true(coroutine_resume(all[7]));
	assert_false(coroutine_resume(all[7]));
	assert_int_equal(turn.resumed, 2);
	coroutine_drop(NULL);
	coroutine_pool_free(pool);
}

/* The way in which a process becomes another program. */
static void begin_again(void *context)
{
	struct turn *turn = context;

	(void)setjmp(turn->base);
	if (turn->restarts++ < 3) {
		coroutine_wait(turn->coroutine);
		longjmp(turn->base, 1);
	}
}

static void test_jump_to_base(void **state)
{
	struct coroutine_pool *pool = coroutine_pool_new(32);
	struct turn turn = {0};

	turn.coroutine = coroutine_new(pool, begin_again, &turn);
	while (coroutine_resume(turn.coroutine))
		;
	assert_int_equal(turn.restarts, 4);
	coroutine_drop(turn.coroutine);
	coroutine_pool_free(pool);
}

static size_t go_deep(struct turn *turn, unsigned depth)
{
	volatile uint8_t room[2048];

	memset((void *)(uintptr_t)room, 1, sizeof(room));
	turn->deepest = depth;
	if (coroutine_stack_left(turn->coroutine) < 32 * 1024)
		return depth;
	return go_deep(turn, depth + 1) + room[0] - 1;
}

static void dig(void *context)
{
	struct turn *turn = context;

	(void)go_deep(turn, 0);
	coroutine_wait(turn->coroutine);
	turn->resumed++;
}

static void test_stack_is_bounded_and_trimmed(void **state)
{
	struct coroutine_pool *pool = coroutine_pool_new(32);
	struct turn turn = {0};

	turn.coroutine = coroutine_new(pool, dig, &turn);
	assert_true(coroutine_resume(turn.coroutine));
	assert_true(turn.deepest > 20 && turn.deepest < MACHINE_STACK_SIZE / 2048);
	coroutine_trim(turn.coroutine);
	assert_false(coroutine_resume(turn.coroutine));
	assert_int_equal(turn.resumed, 1);
	coroutine_drop(turn.coroutine);
	coroutine_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_limit_and_reuse),
		cmocka_unit_test(test_jump_to_base),
		cmocka_unit_test(test_stack_is_bounded_and_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
