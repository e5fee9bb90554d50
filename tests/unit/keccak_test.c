/* Keccak-256: known answers (of the Keccak team, and Ethereum's well-known empty hashes). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/keccak.h"

static void expect(struct slice bytes, const char *hex)
{
	uint8_t digest[KECCAK_LENGTH], room[2 * KECCAK_LENGTH];
	struct writer text = writer_fixed(room, sizeof(room));

	keccak_256(bytes, digest);
	writer_hex(&text, slice_of(digest, sizeof(digest)));
	assert_true(slice_is(writer_slice(&text), hex));
}

static void test_known_answers(void **state)
{
	expect(SLICE(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	expect(SLICE("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	expect(SLICE("\x80"), "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
	expect(SLICE("\xc0"), "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
	expect(SLICE("transfer(address,uint256)"),
	       "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b");
}

/* Around the edge of a block: all lengths differ, and none reads beyond its end. */
static void test_block_edges(void **state)
{
	uint8_t bytes[137] = {0}, digests[3][KECCAK_LENGTH];

	for (size_t i = 0; i < 3; i++)
		keccak_256(slice_of(bytes, 135 + i), digests[i]);
	assert_memory_not_equal(digests[0], digests[1], KECCAK_LENGTH);
	assert_memory_not_equal(digests[1], digests[2], KECCAK_LENGTH);
	expect(slice_of(bytes, 136),
	       "3a5912a7c5faa06ee4fe906253e339467a9ce87d533c65be3c15cb231cdb25f9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_block_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
