/* First bytes as clients send them, and bytes that look alike; and the hand-over of a session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decoy/identify.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static const struct {
	struct slice first;
	enum transport transport;
	const char *name;
} cases[] = {
	{BYTES("\x16\3\1\0\xc8\1\0\0\xc4\3\3"), TCP, "tls"},
	{BYTES("\x16\3\1\0\xc8\2"), TCP, NULL},
	{BYTES("SSH-2.0-libssh2_1.4.3\r\n"), TCP, "ssh"},
	{BYTES("SSH-3"), TCP, NULL},
	{BYTES("GET / HTTP/1.1\r\n"), TCP, "http"},
	{BYTES("GET / HTTP"), TCP, NULL},
	{BYTES("OPTIONS sip:nm SIP/2.0\r\n"), UDP, "sip"},
	{BYTES("DESCRIBE rtsp://x/ RTSP/1.0\r\n"), TCP, "rtsp"},
	{BYTES("\0\0\0\x2f\xffSMBr"), TCP, "smb"},
	{BYTES("\0\0\0\x40\xfeSMB@"), TCP, "smb"},
	{BYTES("\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA"
	       "\0 EEEFEGEBFFEMFECACACACACACACACAAA\0"),
	 TCP, "netbios"},
	{BYTES("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"), TCP, "rdp"},
	{BYTES("\3\0\0\x2a%\xe0\0\0\0\0\0Cookie: mstshash=a\r\n"), TCP, "rdp"},
	{BYTES("\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"), TCP, "s7"},
	{BYTES("*1\r\n$4\r\nPING\r\n"), TCP, "redis"},
	{BYTES("INFO\r\n"), TCP, "redis"},
	{BYTES("\0\0\0\x08\x04\xd2\x16/"), TCP, "postgresql"},
	{BYTES("\0\0\0!\0\3\0\0user\0postgres\0"), TCP, "postgresql"},
	{BYTES("\0\0\0\x08\0\2\0\0"), TCP, NULL},
	{BYTES(":\0\0\0A\0\0\0\0\0\0\0\xd4\7\0\0\0\0\0\0"), TCP, "mongodb"},
	{BYTES(":\0\0\0A\0\0\0\0\0\0\0\xd5\7\0\0"), TCP, NULL},
	{BYTES(" \0\0\1\x85\xa6\3\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), TCP,
	 "mysql"},
	{BYTES("\x10\x12\0\4MQTT\4\2\0<\0\6probes"), TCP, "mqtt"},
	{BYTES("\x10\x12\0\4MQTX"), TCP, NULL},
	{BYTES("\5\1\0"), TCP, "socks5"},
	{BYTES("\5\2\0\2"), TCP, "socks5"},
	{BYTES("\5\3\0\2"), TCP, NULL},
	{BYTES("\4\1\0\x50\xc0\0\2\1\0"), TCP, "socks4"},
	{BYTES("CNXN\0\0\0\1\0\0\x10\0\7\0\0\0\x32\2\0\0\xbc\xb1\xa7\xb1host::\0"), TCP, "adb"},
	{BYTES("CNXN\0\0\0\1\0\0\x10\0\7\0\0\0\x32\2\0\0\0\0\0\0"), TCP, NULL},
	{BYTES("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\"}\n"), TCP, "json-rpc"},
	{BYTES("\0\1\0\0\0\6\1\3\0\0\0\1"), TCP, "modbus"},
	{BYTES("\0\1\0\0\0\6\1\3\0\0\0"), TCP, NULL},
	{BYTES("\0\x1c\0\6\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"), TCP, NULL},
	{BYTES("\0\x1e\0\6\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"), TCP, "dns"},
	{BYTES("\0\6\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"), UDP, "dns"},
	{BYTES("stats\r\n"), TCP, "memcached"},
	{BYTES("\0\0\0\0\0\1\0\0stats\r\n"), UDP, "memcached"},
	{BYTES("\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1\0 "), TCP, "tds"},
	{BYTES("\xff\xfd\1\xff\xfd\3"), TCP, "telnet"},
	{BYTES("0\x0c\2\1\1`\7\2\1\3\4\0\x80\0"), TCP, "ldap"},
	{BYTES("JRMI\0\2K"), TCP, "rmi"},
	{BYTES("t3 12.2.1\nAS:255\n"), TCP, "t3"},
	{BYTES("AMQP\0\0\x09\1"), TCP, "amqp"},
	{BYTES("h\4C\0\0\0"), TCP, "iec104"},
	{BYTES("\x17\0\3*\0\0\0\0"), UDP, "ntp"},
	{BYTES("0%\2\1\1\4\6public\xa1\x18"), UDP, "snmp"},
	{BYTES("M-SEARCH * HTTP/1.1\r\n"), UDP, "ssdp"},
	{BYTES("\0\1boot\0octet\0"), UDP, "tftp"},
	{BYTES("\0\1\0\0!\x12\xa4\x42zzzzzzzzzzzz"), UDP, "stun"},
	{BYTES("\x81\x0a\0\x0c\1\4\0\0\0\0\0\0"), UDP, "bacnet"},
	{BYTES("hello there"), TCP, NULL},
	{BYTES(""), TCP, NULL},
	{BYTES(""), UDP, NULL},
};

static void first_bytes_tell_the_protocol(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *name = identify_first(cases[i].first, cases[i].transport);

		if (!name != !cases[i].name || (name && strcmp(name, cases[i].name) != 0))
			fail_msg("case %zu: %s, not %s", i, name ? name : "nothing",
				 cases[i].name ? cases[i].name : "nothing");
	}
}

/* Every prefix of every case, in memory of exactly its size: the sanitizer looks. */
static void short_bytes_are_no_trouble(void **state)
{
	size_t named = 0;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t length = 0; length <= cases[i].first.length; length++) {
			uint8_t *copy = malloc(length + (length == 0));

			assert_non_null(copy);
			memcpy(copy, cases[i].first.at, length);
			named += identify_first(slice_of(copy, length), TCP) != NULL;
			named += identify_first(slice_of(copy, length), UDP) != NULL;
			free(copy);
		}
	}
	assert_true(named > ARRAY_COUNT(cases) / 2);
}

/* --- handing over --- */

struct heard {
	char last_protocol[32], verb[32];
	unsigned identified, opened, data;
};

static void hear(struct stage *stage, const struct event *event)
{
	struct heard *heard = stage->owner;
	struct slice protocol = event_text(event, FIELD_NETWORK_PROTOCOL);

	snprintf(heard->last_protocol, sizeof(heard->last_protocol), "%.*s", (int)protocol.length,
		 (const char *)protocol.at);
	heard->identified += slice_is(event_text(event, FIELD_EVENT_ACTION), "protocol.identified");
	heard->data += slice_is(event_text(event, FIELD_REQUEST_VERB), "data");
}

static size_t echo_input(struct session *session, void *state, struct slice bytes)
{
	*(uint64_t *)state += bytes.length;
	session_print(session, "%llu;", (unsigned long long)*(uint64_t *)state);
	return bytes.length;
}

static void echo_opened(struct session *session, void *state)
{
	assert_int_equal(*(uint64_t *)state, 0);
	session_text(session, "hello;");
}

static int echo_recognise(struct slice first)
{
	return slice_starts(first, "ECHO") ? 90 : 0;
}

static const struct protocol echo = {.name = "telnet",
				     .speaks_first = SERVER,
				     .state_size = 4096,
				     .recognise = echo_recognise,
				     .opened = echo_opened,
				     .input = echo_input};

struct scene {
	struct stage stage;
	struct heard heard;
	struct service service;
	const struct service *takers[1];
	struct session *session;
};

static void open_scene(struct scene *scene)
{
	*scene = (struct scene){.heard = {.identified = 0}};
	stage_open(&scene->stage, &protocol_unknown, NULL);
	scene->stage.owner = &scene->heard;
	scene->stage.on_event = hear;
	scene->service = scene->stage.service;
	scene->service.protocol = &echo;
	scene->takers[0] = &scene->service;
	scene->stage.trap.takers = scene->takers;
	scene->stage.trap.taker_count = 1;
	scene->session = stage_session(&scene->stage, TCP);
	assert_non_null(scene->session);
}

static void close_scene(struct scene *scene)
{
	session_end(scene->session, "end");
	stage_close(&scene->stage);
}

static void assert_output(struct session *session, const char *wanted)
{
	struct slice out = session_output(session);

	assert_int_equal(out.length, strlen(wanted));
	assert_memory_equal(out.at, wanted, out.length);
	session_sent(session, out.length);
}

static void what_a_decoy_knows_is_handed_over_with_its_bytes(void **state)
{
	struct scene scene;

	open_scene(&scene);
	session_feed(scene.session, SLICE("EC")); /* not enough to know */
	assert_int_equal(session_output(scene.session).length, 0);
	session_feed(scene.session, SLICE("HO 1"));
	assert_output(scene.session, "hello;6;");
	session_feed(scene.session, SLICE("more"));
	assert_output(scene.session, "10;");
	assert_int_equal(scene.heard.identified, 1);
	session_end(scene.session, "end");
	assert_string_equal(scene.heard.last_protocol, "telnet");
	assert_int_equal(scene.heard.data, 0);
	stage_close(&scene.stage);
}

static void what_nobody_knows_is_kept(void **state)
{
	struct scene scene;

	open_scene(&scene);
	session_feed(scene.session, SLICE("stats\r\n"));
	scene.stage.monotonic += SECOND;
	session_tick(scene.session);
	assert_int_equal(session_output(scene.session).length, 0);
	assert_int_equal(scene.heard.identified, 1);
	assert_int_equal(scene.heard.data, 1);
	assert_string_equal(scene.heard.last_protocol, "memcached");
	session_feed(scene.session, SLICE("ECHO")); /* too late */
	assert_int_equal(session_output(scene.session).length, 0);
	close_scene(&scene);
}

static void bytes_that_wait_at_the_end_are_told(void **state)
{
	struct scene scene;

	open_scene(&scene);
	session_feed(scene.session, SLICE("EC"));
	session_feed_end(scene.session);
	close_scene(&scene);
	assert_int_equal(scene.heard.data, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_bytes_tell_the_protocol),
		cmocka_unit_test(short_bytes_are_no_trouble),
		cmocka_unit_test(what_a_decoy_knows_is_handed_over_with_its_bytes),
		cmocka_unit_test(what_nobody_knows_is_kept),
		cmocka_unit_test(bytes_that_wait_at_the_end_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
