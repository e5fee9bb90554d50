/* Addresses and endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/address.h"

static void assert_becomes(const char *from, const char *to, int family)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	assert_int_equal(address_parse(slice_text(from), &address), 0);
	assert_int_equal(address.family, family);
	assert_int_equal(address_text(&address, text), strlen(to));
	assert_string_equal(text, to);
}

static void test_text(void **state)
{
	struct address none = {.family = 0};
	char text[ADDRESS_TEXT_MAX];

	assert_becomes("192.0.2.1", "192.0.2.1", 4);
	assert_becomes("::ffff:192.0.2.1", "192.0.2.1", 4);
	assert_becomes("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 6);
	assert_becomes("::", "::", 6);
	assert_int_equal(address_text(&none, text), 0);
	assert_string_equal(text, "");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"",
					  "192.0.2",
					  "192.0.2.256",
					  "192.0.2.1 ",
					  "1::2::3",
					  ":",
					  "12345::",
					  "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000"};
	struct address address;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(address_parse(slice_text(bad[i]), &address), -1);
	assert_int_equal(address_parse(SLICE("192.0.2.1\0x"), &address), -1);
}

static void test_network(void **state)
{
	struct address address = address_v4(0xc00002ff), network = address_network(&address, 24);
	struct address wanted = address_v4(0xc0000200), zero = address_v4(0);

	assert_true(address_equal(&network, &wanted));
	network = address_network(&address, 31);
	assert_int_equal(network.bytes[3], 0xfe);
	network = address_network(&address, 0);
	assert_true(address_equal(&network, &zero));
	network = address_network(&address, 1000);
	assert_true(address_equal(&network, &address));
	address = address_v4(0x7f123456);
	assert_true(address_is_loopback(&address));
	address = address_v4(0x80000001);
	assert_false(address_is_loopback(&address));
	assert_int_equal(address_parse(SLICE("::1"), &address), 0);
	assert_true(address_is_loopback(&address));
}

static void test_sockets(void **state)
{
	static const char *const texts[] = {"192.0.2.7", "2001:db8::7"};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct endpoint endpoint = {.port = 2222}, again;
		struct sockaddr_storage storage;

		assert_int_equal(address_parse(slice_text(texts[i]), &endpoint.address), 0);
		assert_true(endpoint_to_socket(&endpoint, &storage) > 0);
		again = endpoint_from_socket(&storage);
		assert_true(address_equal(&endpoint.address, &again.address));
		assert_int_equal(again.port, 2222);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
