/* Probes: one event a source, with every port; what is a conversation is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/probes.h"
#include "capture/target_set.h"

#define START ((int64_t)1800000000 * SECOND)

struct told {
	unsigned events, folded;
	int64_t count, sum, ports, targets, sources, started, last, end;
	char kinds[400], tcp[1200], udp[1200], sctp[100], protocols[100], transport[8], tool[32];
	char applications[200], truncated[200], source[ADDRESS_TEXT_MAX];
	bool one_target;
};

static void copy(char *to, size_t size, struct slice text)
{
	snprintf(to, size, "%.*s", (int)text.length, (const char *)text.at);
}

/* What stands between the brackets of that list. */
static void copy_list(char *to, size_t size, const struct event *event, const char *opening)
{
	struct writer line = writer_growing(65536);
	struct slice rest;
	size_t at;

	event_write(event, &line);
	at = slice_find(writer_slice(&line), slice_text(opening));
	to[0] = '\0';
	if (at != SIZE_MAX) {
		rest = slice_from(writer_slice(&line), at + strlen(opening));
		copy(to, size, slice_first(rest, slice_find_byte(rest, ']')));
	}
	writer_free(&line);
}

static void take(void *context, struct event *event)
{
	struct told *told = context;

	told->events++;
	told->count = event_number(event, FIELD_ALIKE);
	told->sum += told->count;
	told->ports = event_number(event, FIELD_PROBE_PORTS);
	told->targets = event_number(event, FIELD_PROBE_TARGETS);
	told->sources = event_number(event, FIELD_PROBE_SOURCES);
	told->end = event_number(event, FIELD_EVENT_END);
	told->started = event_number(event, FIELD_EVENT_START);
	told->last = event_number(event, FIELD_TIME);
	told->one_target = event_has(event, FIELD_DESTINATION_IP);
	copy(told->tcp, sizeof(told->tcp), event_text(event, FIELD_PROBE_TCP_PORTS));
	copy(told->udp, sizeof(told->udp), event_text(event, FIELD_PROBE_UDP_PORTS));
	copy(told->transport, sizeof(told->transport), event_text(event, FIELD_NETWORK_TRANSPORT));
	copy(told->tool, sizeof(told->tool), event_text(event, FIELD_CLIENT_TOOL));
	copy(told->sctp, sizeof(told->sctp), event_text(event, FIELD_PROBE_SCTP_PORTS));
	copy(told->protocols, sizeof(told->protocols), event_text(event, FIELD_PROBE_IP_PROTOCOLS));
	copy_list(told->kinds, sizeof(told->kinds), event, "\"kinds\":[");
	copy_list(told->applications, sizeof(told->applications), event, "\"applications\":[");
	copy_list(told->truncated, sizeof(told->truncated), event, "\"truncated\":[");
	told->source[0] = '\0';
	if (event_has(event, FIELD_SOURCE_IP))
		address_text(event_address(event, FIELD_SOURCE_IP), told->source);
	assert_true(told->source[0] != '\0' || told->sources);
	told->folded += (unsigned)told->sources;
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
	assert_int_equal(told.end, told.last);
	assert_string_equal(told.source, "0.0.0.1");
	assert_string_equal(told.truncated, "");
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
		{TRANSPORT_TCP, TCP_SYN | TCP_ACK | TCP_RST, 2}, /* RST and ACK in one */
		{TRANSPORT_TCP, TCP_SYN | TCP_ACK, 2},
		{TRANSPORT_TCP, TCP_FIN, 1},
		{TRANSPORT_TCP, 0, 1},
		{TRANSPORT_TCP, TCP_FIN | TCP_PSH | TCP_URG, 1},
		{TRANSPORT_TCP, TCP_ACK, 1},
		{TRANSPORT_TCP, TCP_RST, 1},           /* none */
		{TRANSPORT_TCP, TCP_ACK | TCP_FIN, 1}, /* none: the end of what we did not see */
		{TRANSPORT_UDP, 0, 1},
		{TRANSPORT_UDP, 0, PROBES_DATAGRAMS_BURST},
		{TRANSPORT_UDP, 0, PROBES_DATAGRAMS_BURST + 1}, /* none */
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
	assert_string_equal(told.kinds, "\"syn=3\",\"connect=2\",\"fin=1\",\"null=1\",\"xmas=1\","
					"\"ack=1\",\"udp=2\",\"echo=1\"");
	assert_string_equal(told.tcp, "100,102,104,106,108,110,112,114,116");
	assert_string_equal(told.udp, "122,124");
	assert_string_equal(told.transport, "");
	assert_int_equal(told.count, 12);
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
	assert_true(strlen(told.tcp) > 800 && strlen(told.tcp) <= 900);
	assert_string_equal(told.tcp + strlen(told.tcp) - 4, ",...");
	assert_int_equal(told.targets, 1000);
	assert_false(told.one_target);
	assert_string_equal(told.truncated, "\"sundew.probe.tcp_ports\"");
	probes_free(probes);
}

static void memory_is_bounded_and_nothing_is_lost(void **state)
{
	const size_t bound = 1024 * 1024;
	struct told told;
	struct probes *probes = open_probes(&told, 1024, bound);
	struct probes_counts counts;
	uint32_t seed = 1;
	size_t most = 0;
	unsigned total = 0, scanners = 2000;

	for (unsigned s = 0; s < scanners; s++) { /* small ones first, so that all are known */
		struct flow flow = knock(s, 1, START);

		probes_flow_over(probes, &flow);
		total++;
	}
	for (unsigned s = 0; s < scanners; s++) { /* each with large sets, at many addresses */
		for (unsigned port = 1; port < 3000; port += 2) {
			struct flow flow = knock(s, (uint16_t)port, START + 1);

			flow.server = address_v4(port);
			probes_flow_over(probes, &flow);
			total++;
			most = probes_held(probes) > most ? probes_held(probes) : most;
		}
	}
	for (unsigned i = 0; i < 1000000; i++) { /* made-up sources, one knock each */
		struct flow flow;

		seed = seed * 1664525 + 1013904223;
		flow = knock(seed, (uint16_t)(seed >> 16), START + 2 + i);
		probes_flow_over(probes, &flow);
		total++;
		most = probes_held(probes) > most ? probes_held(probes) : most;
	}
	print_message("held at most %zu of %zu bytes\n", most, bound);
	assert_true(most > bound / 2);
	assert_true(most <= bound);
	counts = probes_counts(probes);
	assert_true(counts.pressed > 990000);
	assert_int_equal(counts.lost, 0);
	probes_finish(probes);
	assert_int_equal(told.sum, total);
	assert_int_equal(told.folded, counts.folded);
	assert_int_equal(probes_held(probes), 0);
	probes_free(probes);
}

/* A flood from made-up addresses does not become a flood of events, nor hide a scan. */
static void floods_are_counted_together(void **state)
{
	const unsigned flood = 100000;
	struct told told;
	struct probes *probes = open_probes(&told, 64, PROBES_BYTES_DEFAULT);
	unsigned scan = 0, before;

	for (unsigned i = 0; i < flood; i++) {
		struct flow flow = knock(0x0a000000 + i, 80, START + i);

		probes_flow_over(probes, &flow);
		if (i % 30 == 0) {
			flow = knock(7, (uint16_t)(1 + scan++), START + i);
			probes_flow_over(probes, &flow);
		}
	}
	before = told.events;
	assert_true(before <= PROBES_PRESSED_TOLD);
	assert_int_equal(told.folded, 0);
	/* The last and the scanner. */
	probes_tick(probes, START + flood + 30 * SECOND);
	assert_int_equal(told.events, before);
	probes_tick(probes, START + flood + MINUTE);
	assert_int_equal(told.events, before + 64 + 1);
	assert_string_equal(told.source, "");
	assert_int_equal(told.sources, flood + 1 - before - 64);
	assert_int_equal(told.count, told.sources);
	assert_string_equal(told.tcp, "80");
	assert_true(told.one_target);
	assert_int_equal(told.sum, flood + scan);
	probes_free(probes);

	/* Who knocks often is told of all the same, and all are in the next minute. */
	probes = open_probes(&told, 1, PROBES_BYTES_DEFAULT);
	for (unsigned i = 0; i < 2 * PROBES_PRESSED_TOLD; i++) {
		struct flow flow = knock(0x0a000000 + i, 80, START);

		probes_flow_over(probes, &flow);
	}
	assert_int_equal(told.events, PROBES_PRESSED_TOLD);
	for (unsigned port = 1; port <= PROBES_PRESSED_KNOCKS; port++) {
		struct flow flow = knock(7, (uint16_t)port, START);

		probes_flow_over(probes, &flow);
	}
	before = told.events;
	for (unsigned i = 0; i < 2; i++) {
		struct flow flow = knock(8 + i, 80, START + i);

		probes_flow_over(probes, &flow);
		assert_int_equal(told.events, before + 1);
		assert_string_equal(told.source, "0.0.0.7");
	}
	probes_free(probes);
}

static void sources_are_remembered_up_to_the_limit(void **state)
{
	struct told told;

	for (unsigned sources = 15; sources <= 17; sources++) {
		struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

		for (unsigned i = 0; i < sources; i++) {
			struct flow flow = knock(1 + i, 80, START + i);

			probes_flow_over(probes, &flow);
		}
		assert_int_equal(told.events, sources > 16 ? 1 : 0);
		assert_int_equal(probes_counts(probes).pressed, sources > 16 ? 1 : 0);
		if (sources > 16)
			assert_string_equal(told.source, "0.0.0.1"); /* silent longest */
		probes_free(probes);
	}
}

/* Whatever the flow takes for the client, the source is who sent the first segment. */
static void answers_are_nobodys_probe(void **state)
{
	static const struct {
		uint8_t transport, client_flags, client_packets, server_flags, server_packets;
		const char *source;
	} cases[] = {
		/* Answers to what others sent in our name. */
		{TRANSPORT_TCP, 0, 0, TCP_SYN | TCP_ACK, 1, ""},
		{TRANSPORT_TCP, TCP_RST, 1, TCP_SYN | TCP_ACK, 1, ""},
		{TRANSPORT_TCP, 0, 0, TCP_RST | TCP_ACK, 1, ""},
		{TRANSPORT_ICMP, 0, 0, 0, 1, ""},
		/* A scan from a low port, which looks like a server's. */
		{TRANSPORT_TCP, 0, 0, TCP_FIN, 1, "192.0.2.1"},
		{TRANSPORT_TCP, TCP_RST | TCP_ACK, 1, TCP_FIN, 1, "192.0.2.1"},
		{TRANSPORT_TCP, TCP_RST, 1, TCP_ACK, 1, "192.0.2.1"},
		{TRANSPORT_TCP, 0, 0, 0, 1, "192.0.2.1"},
		/* Both sides keep a silent connection alive. */
		{TRANSPORT_TCP, TCP_ACK, 1, TCP_ACK, 1, ""},
		{TRANSPORT_TCP, TCP_ACK, 3, TCP_RST, 1, ""},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct told told;
		struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);
		struct flow flow = knock(1, 80, START);

		flow.transport = cases[i].transport;
		flow.flags[TO_SERVER] = cases[i].client_flags;
		flow.packets[TO_SERVER] = cases[i].client_packets;
		flow.flags[TO_CLIENT] = cases[i].server_flags;
		flow.packets[TO_CLIENT] = cases[i].server_packets;
		probes_flow_over(probes, &flow);
		probes_finish(probes);
		assert_int_equal(told.events, cases[i].source[0] ? 1 : 0);
		assert_string_equal(told.source, cases[i].source);
		if (told.events)
			assert_string_equal(told.tcp, "40000");
		probes_free(probes);
	}
}

/* Connections that were held open for long all end together. */
static void long_silent_connections_are_one_event(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned port = 1; port <= 100; port++) {
		struct flow flow = knock(1, (uint16_t)port, START);

		flow.flags[TO_SERVER] |= TCP_ACK;
		flow.packets[TO_SERVER] = 9;
		flow.seen = START + 20 * MINUTE;
		probes_flow_over(probes, &flow);
	}
	probes_finish(probes);
	assert_int_equal(told.events, 1);
	assert_string_equal(told.kinds, "\"connect=100\"");
	assert_int_equal(told.started, START);
	probes_free(probes);
}

static void datagrams_tell_what_they_speak(void **state)
{
	struct told told;
	struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

	for (unsigned id = 1; id <= 20; id++) {
		struct flow flow = knock(1, (uint16_t)id, START);

		flow.transport = TRANSPORT_UDP;
		flow.bytes[TO_SERVER] = 40;
		flow.application = (uint8_t)(1 + id % 10);
		probes_flow_over(probes, &flow);
		if (id == 2) {
			probes_finish(probes);
			assert_string_equal(told.transport, "udp");
			assert_string_equal(told.udp, "1-2");
			assert_int_equal(strlen(told.applications),
					 strlen(application_descriptions[2].name) +
						 strlen(application_descriptions[3].name) + 5);
		}
	}
	for (unsigned i = 0; i < 3; i++) { /* services that are looked for by all */
		static const uint32_t many[] = {0xe00000fb, 0xffffffff, 0xeffffffa};
		struct flow flow = knock(2, 5353, START);

		flow.transport = TRANSPORT_UDP;
		flow.server = address_v4(many[i]);
		probes_flow_over(probes, &flow);
	}
	probes_finish(probes);
	assert_int_equal(told.events, 2);
	assert_string_equal(told.udp, "3-20");
	/* Eight of ten. */
	assert_non_null(strstr(told.applications, application_descriptions[4].name));
	assert_null(strstr(told.applications, application_descriptions[3].name));
	probes_free(probes);
}

static void targets_beyond_the_limit_are_marked(void **state)
{
	for (unsigned targets = TARGET_SET_MAX - 1; targets <= TARGET_SET_MAX + 1; targets++) {
		struct told told;
		struct probes *probes = open_probes(&told, 16, PROBES_BYTES_DEFAULT);

		for (unsigned i = 0; i < 3 * targets; i++) { /* each three times */
			struct flow flow = knock(1, 80, START);

			flow.server = address_v4(0x0a000000 + i % targets);
			probes_flow_over(probes, &flow);
		}
		probes_finish(probes);
		assert_int_equal(told.targets, targets > TARGET_SET_MAX ? TARGET_SET_MAX : targets);
		assert_string_equal(told.truncated, targets > TARGET_SET_MAX
							    ? "\"sundew.probe.target_count\""
							    : "");
		probes_free(probes);
	}
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
		probes_packet(probes, &packet);
	}
	frame[31] = 10; /* another, who asks for its gateway again and again */
	frame[41] = 1;
	for (unsigned i = 0; i < 50; i++) {
		(void)!packet_decode(&packet, LINK_ETHERNET, slice_of(frame, sizeof(frame)),
				     sizeof(frame), START, false);
		probes_packet(probes, &packet);
	}
	for (size_t length = 0; length < sizeof(frame); length++) { /* cut short */
		if (packet_decode(&packet, LINK_ETHERNET, slice_of(frame, length), 42, START,
				  false) < 0)
			probes_packet(probes, &packet);
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
		cmocka_unit_test(floods_are_counted_together),
		cmocka_unit_test(sources_are_remembered_up_to_the_limit),
		cmocka_unit_test(answers_are_nobodys_probe),
		cmocka_unit_test(long_silent_connections_are_one_event),
		cmocka_unit_test(datagrams_tell_what_they_speak),
		cmocka_unit_test(targets_beyond_the_limit_are_marked),
		cmocka_unit_test(arp_sweeps_count_and_neighbours_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
