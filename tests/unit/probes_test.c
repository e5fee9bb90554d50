/* Probes: one event a source, with every port; what is a conversation is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/probes.h"

#define START ((int64_t)1800000000 * SECOND)

struct told {
	unsigned events;
	int64_t count, sum, ports, targets, started, last;
	char kinds[200], tcp[1200], udp[1200], transport[8], tool[32];
	bool one_target;
};

static void copy(char *to, size_t size, struct slice text)
{
	snprintf(to, size, "%.*s", (int)text.length, (const char *)text.at);
}

static void take(void *context, struct event *event)
{
	struct told *told = context;
	struct writer line = writer_growing(65536);
	size_t at;

	told->events++;
	told->count = event_number(event, FIELD_ALIKE);
	told->sum += told->count;
	told->ports = event_number(event, FIELD_PROBE_PORTS);
	told->targets = event_number(event, FIELD_PROBE_TARGETS);
	told->started = event_number(event, FIELD_EVENT_START);
	told->last = event_number(event, FIELD_TIME);
	told->one_target = event_has(event, FIELD_DESTINATION_IP);
	copy(told->tcp, sizeof(told->tcp), event_text(event, FIELD_PROBE_TCP_PORTS));
	copy(told->udp, sizeof(told->udp), event_text(event, FIELD_PROBE_UDP_PORTS));
	copy(told->transport, sizeof(told->transport), event_text(event, FIELD_NETWORK_TRANSPORT));
	copy(told->tool, sizeof(told->tool), event_text(event, FIELD_CLIENT_TOOL));
	event_write(event, &line);
	at = slice_find(writer_slice(&line), SLICE("\"kinds\":["));
	if (at != SIZE_MAX) {
		struct slice rest = slice_from(writer_slice(&line), at + 9);

		copy(told->kinds, sizeof(told->kinds),
		     slice_first(rest, slice_find_byte(rest, ']')));
	}
	writer_free(&line);
}

static struct probes *open_probes(struct told *told, size_t sources, size_t bytes)
{
	struct probes_setup setup = probes_setup_default;
	struct probes *probes;

	*told = (struct told){0};
	setup.sources = sources;
	setup.bytes = bytes;
	setup.context = told;
	setup.event = take;
	probes = probes_new(&setup);
	assert_non_null(probes);
	return probes;
}

static struct flow knock(uint32_t source, uint16_t port, int64_t time)
{
	struct flow flow = {.transport = TRANSPORT_TCP, .started = time, .seen = time};

	flow.client = address_v4(source);
	flow.server = address_v4(0xc0000201);
	flow.client_port = 40000;
	flow.server_port = port;
	flow.packets[TO_SERVER] = 1;
	flow.flags[TO_SERVER] = TCP_SYN;
	return flow;
}

static void a_scan_of_all_ports_is_one_event(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned port = 1; port < 65536; port++) {
		struct flow flow = knock(1, (uint16_t)port, START + port);

		probes_flow_over(probes, &flow);
	}
	probes_tick(probes, START + 30 * SECOND);
	assert_int_equal(told.events, 0);
	probes_tick(probes, START + 65535 + MINUTE);
	assert_int_equal(told.events, 1);
	assert_int_equal(told.count, 65535);
	assert_int_equal(told.ports, 65535);
	assert_string_equal(told.tcp, "1-65535");
	assert_string_equal(told.udp, "");
	assert_string_equal(told.kinds, "\"syn=65535\"");
	assert_string_equal(told.transport, "tcp");
	assert_int_equal(told.targets, 1);
	assert_true(told.one_target);
	assert_int_equal(told.started, START + 1);
	assert_int_equal(told.last, START + 65535);
	assert_int_equal(probes_held(probes), 0);
	probes_free(probes);
}

static void kinds_are_told_apart(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);
	static const struct {
		uint8_t transport, flags, packets;
	} cases[] = {
		{TRANSPORT_TCP, TCP_SYN, 1},
		{TRANSPORT_TCP, TCP_SYN | TCP_RST, 2},
		{TRANSPORT_TCP, TCP_SYN | TCP_ACK | TCP_RST, 3},
		{TRANSPORT_TCP, TCP_FIN, 1},
		{TRANSPORT_TCP, 0, 1},
		{TRANSPORT_TCP, TCP_FIN | TCP_PSH | TCP_URG, 1},
		{TRANSPORT_TCP, TCP_ACK, 1},
		{TRANSPORT_TCP, TCP_RST, 1},           /* none */
		{TRANSPORT_TCP, TCP_ACK | TCP_FIN, 1}, /* none: the end of what we did not see */
		{TRANSPORT_UDP, 0, 1},
		{TRANSPORT_UDP, 0, 3}, /* none */
		{TRANSPORT_ICMP, 0, 1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct flow flow = knock(1, (uint16_t)(100 + 2 * i), START);

		flow.transport = cases[i].transport;
		flow.flags[TO_SERVER] = cases[i].flags;
		flow.packets[TO_SERVER] = cases[i].packets;
		if (cases[i].transport == TRANSPORT_UDP)
			flow.bytes[TO_SERVER] = 10;
		probes_flow_over(probes, &flow);
	}
	probes_tool(probes, &(struct address){0}, "nmap", START); /* a source without a probe */
	probes_finish(probes);
	assert_int_equal(told.events, 1);
	assert_string_equal(told.kinds, "\"syn=2\",\"connect=1\",\"fin=1\",\"null=1\",\"xmas=1\","
					"\"ack=1\",\"udp=1\",\"echo=1\"");
	assert_string_equal(told.tcp, "100,102,104,106,108,110,112");
	assert_string_equal(told.udp, "118");
	assert_string_equal(told.transport, "");
	assert_int_equal(told.count, 9);
	probes_free(probes);
}

static void a_conversation_is_no_probe(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);
	struct flow flow = knock(1, 80, START);

	flow.bytes[TO_SERVER] = 1; /* the client said something */
	probes_flow_over(probes, &flow);
	flow = knock(1, 22, START);
	flow.linked = true; /* a decoy's session */
	probes_flow_over(probes, &flow);
	flow = knock(1, 53, START);
	flow.transport = TRANSPORT_UDP;
	flow.packets[TO_CLIENT] = 1; /* it was answered */
	probes_flow_over(probes, &flow);
	probes_finish(probes);
	assert_int_equal(told.events, 0);
	probes_free(probes);
}

static void sources_are_told_one_by_one(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned i = 0; i < 30; i++) {
		struct flow flow = knock(1 + i % 3, (uint16_t)(10 + i), START + i * SECOND);

		probes_flow_over(probes, &flow);
	}
	probes_tool(probes, &(struct address){.family = 0}, "none", START);
	probes_finish(probes);
	assert_int_equal(told.events, 3);
	assert_int_equal(told.count, 10);
	assert_int_equal(told.sum, 30);
	probes_free(probes);
}

static void a_slow_scan_is_told_of_now_and_then(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned i = 0; i < 60; i++) { /* one every 50 seconds: never quiet for a minute */
		struct flow flow = knock(1, (uint16_t)(1000 + 2 * i), START + i * 50 * SECOND);

		probes_tick(probes, flow.seen);
		probes_flow_over(probes, &flow);
	}
	assert_int_equal(told.events, 4);
	probes_finish(probes);
	assert_int_equal(told.events, 5);
	assert_int_equal(told.sum, 60);
	assert_int_equal(told.count, 12);
	probes_free(probes);
}

static void many_ranges_are_cut_and_marked(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned i = 0; i < 1000; i++) {
		struct flow flow = knock(1, (uint16_t)(60000 - 2 * i), START);

		flow.server = address_v4(0xc0000200 + i);
		probes_flow_over(probes, &flow);
	}
	probes_tool(probes, &(struct address){0}, "x", START);
	probes_finish(probes);
	assert_int_equal(told.ports, 1000);
	assert_true(strlen(told.tcp) > 800);
	assert_string_equal(told.tcp + strlen(told.tcp) - 4, ",...");
	assert_int_equal(told.targets, 65);
	assert_false(told.one_target);
	probes_free(probes);
}

static void memory_is_bounded_and_nothing_is_lost(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 1024, 1024 * 1024);
	uint32_t seed = 1;
	unsigned total = 0;

	for (unsigned i = 0; i < 1000000; i++) { /* made-up sources, one knock each */
		struct flow flow;

		seed = seed * 1664525 + 1013904223;
		flow = knock(seed, (uint16_t)(seed >> 16), START + i);
		probes_flow_over(probes, &flow);
		total++;
		assert_true(probes_held(probes) < 6 * 1024 * 1024);
	}
	for (unsigned s = 0; s < 400; s++) { /* sources with large sets */
		for (unsigned port = 1; port < 200; port++) {
			struct flow flow = knock(s, (uint16_t)(port * 7), START + 2000000);

			probes_flow_over(probes, &flow);
			total++;
		}
		assert_true(probes_held(probes) < 6 * 1024 * 1024);
	}
	probes_finish(probes);
	assert_int_equal(told.sum, total);
	probes_free(probes);
}

static void arp_sweeps_count_and_neighbours_do_not(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);
	uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,   9, 8, 6,
			     0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,   0, 0, 9,
			     192,  0,    2,    9,    0,    0,    0, 0, 0, 0, 192, 0, 2, 1};
	struct packet packet;

	for (unsigned i = 1; i < 255; i++) {
		frame[41] = (uint8_t)i;
		assert_int_equal(packet_decode(&packet, LINK_ETHERNET,
					       slice_of(frame, sizeof(frame)), sizeof(frame), START,
					       false),
				 -1);
		assert_int_equal(packet.link_protocol, 0x0806);
		probes_arp(probes, &packet);
	}
	frame[31] = 10; /* another, who asks for its gateway again and again */
	frame[41] = 1;
	for (unsigned i = 0; i < 50; i++) {
		(void)!packet_decode(&packet, LINK_ETHERNET, slice_of(frame, sizeof(frame)),
				     sizeof(frame), START, false);
		probes_arp(probes, &packet);
	}
	for (size_t length = 0; length < sizeof(frame); length++) { /* cut short */
		if (packet_decode(&packet, LINK_ETHERNET, slice_of(frame, length), 42, START,
				  false) < 0)
			probes_arp(probes, &packet);
	}
	probes_finish(probes);
	assert_int_equal(told.events, 1);
	assert_string_equal(told.kinds, "\"arp=253\""); /* one asked for itself */
	probes_free(probes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_of_all_ports_is_one_event),
		cmocka_unit_test(kinds_are_told_apart),
		cmocka_unit_test(a_conversation_is_no_probe),
		cmocka_unit_test(sources_are_told_one_by_one),
		cmocka_unit_test(a_slow_scan_is_told_of_now_and_then),
		cmocka_unit_test(many_ranges_are_cut_and_marked),
		cmocka_unit_test(memory_is_bounded_and_nothing_is_lost),
		cmocka_unit_test(arp_sweeps_count_and_neighbours_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
