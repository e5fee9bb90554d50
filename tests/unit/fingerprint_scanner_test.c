/* Scanners that a SYN gives away, over IPv4 and IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "capture/fingerprint/p0f.h"

/* A SYN as `nmap -6 -sS` sends it: an MSS of 1460 alone, a window of a whole number of KiB. */
static struct packet syn_of(unsigned version)
{
	static const uint8_t options[] = {2, 4, 0x05, 0xb4};

	return (struct packet){.version = (uint8_t)version,
			       .transport = TRANSPORT_TCP,
			       .ttl = 50,
			       .flags = TCP_SYN,
			       .window = 1024,
			       .sequence = 0x11223344,
			       .ip_id = 7,
			       .tcp_options = slice_of(options, sizeof(options)),
			       .transport_header = slice_of(options, sizeof(options))};
}

static const char *tool_of(const struct packet *packet)
{
	struct tcp_print print;

	tcp_print_of(&print, packet, 0);
	return scanner_of(packet, &print);
}

static void test_nmap(void **state)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		struct packet packet = syn_of(version);

		assert_string_equal(tool_of(&packet), "nmap");
		packet.window = 1025;
		assert_null(tool_of(&packet));
		packet.window = 1024;
		packet.flags = TCP_SYN | TCP_ACK;
		assert_null(tool_of(&packet));
	}
}

/* What a 32-bit address or an identification tells is not to be read into IPv6. */
static void test_marks_of_ipv4(void **state)
{
	static const uint8_t start[] = {0x11, 0x22, 0x33, 0x44};
	struct packet packet = syn_of(4);

	packet.window = 1025;
	memcpy(packet.destination.bytes, start, sizeof(start));
	assert_string_equal(tool_of(&packet), "mirai");
	packet.version = 6;
	assert_null(tool_of(&packet));
	packet.version = 4;
	packet.sequence++;
	packet.ip_id = 54321;
	assert_string_equal(tool_of(&packet), "zmap");
	packet.version = 6;
	assert_null(tool_of(&packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nmap),
		cmocka_unit_test(test_marks_of_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
