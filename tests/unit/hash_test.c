/* Digests and SipHash against published answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"

static void assert_digest(const uint8_t *digest, size_t length, const char *wanted)
{
	char room[2 * 64];
	struct writer hex = writer_fixed(room, sizeof(room));

	writer_hex(&hex, slice_of(digest, length));
	assert_true(slice_is(writer_slice(&hex), wanted));
}

/* Aumasson and Bernstein, appendix A, and the first vectors of their reference code. */
static void test_siphash(void **state)
{
	const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t input[15];

	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	assert_int_equal(hash_sip(key, slice_of(input, 15)), 0xa129ca6149be45e5);
	assert_int_equal(hash_sip(key, slice_of(input, 0)), 0x726fdb47dd0e0e31);
	assert_int_equal(hash_sip(key, slice_of(input, 1)), 0x74f839c593dc67fd);
	assert_int_equal(hash_sip(key, slice_of(input, 8)), 0x93f5f5799a932462);
}

static void test_known_digests(void **state)
{
	static const char of_abc[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	uint8_t digest[SHA256_LENGTH];
	struct hash *hash = hash_sha256();

	hash_sha256_once(SLICE("abc"), digest);
	assert_digest(digest, SHA256_LENGTH, of_abc);
	assert_non_null(hash);
	hash_add(hash, SLICE("a"));
	hash_add(hash, SLICE(""));
	hash_add(hash, SLICE("bc"));
	hash_finish(hash, digest);
	hash_free(hash);
	hash_free(NULL);
	assert_digest(digest, SHA256_LENGTH, of_abc);
	hash_sha256_once((struct slice){NULL, 0}, digest);
	assert_digest(digest, SHA256_LENGTH,
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_md5_once(SLICE("abc"), digest);
	assert_digest(digest, MD5_LENGTH, "900150983cd24fb0d6963f7d28e17f72");
	hash_sha1_once(SLICE("abc"), digest);
	assert_digest(digest, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void test_random_differs(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_known_digests),
		cmocka_unit_test(test_random_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
