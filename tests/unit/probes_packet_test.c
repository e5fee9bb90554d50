/* Probes out of packets: what belongs to no flow, what the sensor makes flows of, and the sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/number_set.h"
#include "capture/probes.h"
#include "capture/sensor.h"
#include "capture/target_set.h"

#define START   ((int64_t)1800000000 * SECOND)
#define SCANNER 0x0a000001u
#define HOST    0x0a000002u

/* --- the way of a packet to the event --- */

struct scene {
	struct sensor *sensor;
	struct probes *probes;
	unsigned events;
	char source[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX], kinds[400];
	char tcp[100], udp[100], sctp[100], protocols[100], transport[8], tool[16];
	char applications[200];
	int64_t count, targets;
};

static void copy(char *to, size_t size, struct slice text)
{
	snprintf(to, size, "%.*s", (int)text.length, (const char *)text.at);
}

static void join(char *to, size_t size, const struct event *event, enum event_field field)
{
	size_t at = 0;

	to[0] = '\0';
	if (!event_has(event, field))
		return;
	for (size_t i = 0; i < event->values[field].texts.count; i++) {
		struct slice item = event->values[field].texts.items[i];

		at += (size_t)snprintf(to + at, size - at, "%s%.*s", i ? " " : "", (int)item.length,
				       (const char *)item.at);
		assert_true(at < size);
	}
}

static void copy_address(char *to, const struct event *event, enum event_field field)
{
	to[0] = '\0';
	if (event_has(event, field))
		address_text(event_address(event, field), to);
}

static void take(void *context, struct event *event)
{
	struct scene *scene = context;

	scene->events++;
	copy_address(scene->source, event, FIELD_SOURCE_IP);
	copy_address(scene->target, event, FIELD_DESTINATION_IP);
	join(scene->kinds, sizeof(scene->kinds), event, FIELD_PROBE_KINDS);
	join(scene->applications, sizeof(scene->applications), event, FIELD_PROBE_APPLICATIONS);
	copy(scene->tcp, sizeof(scene->tcp), event_text(event, FIELD_PROBE_TCP_PORTS));
	copy(scene->udp, sizeof(scene->udp), event_text(event, FIELD_PROBE_UDP_PORTS));
	copy(scene->sctp, sizeof(scene->sctp), event_text(event, FIELD_PROBE_SCTP_PORTS));
	copy(scene->protocols, sizeof(scene->protocols),
	     event_text(event, FIELD_PROBE_IP_PROTOCOLS));
	copy(scene->transport, sizeof(scene->transport),
	     event_text(event, FIELD_NETWORK_TRANSPORT));
	copy(scene->tool, sizeof(scene->tool), event_text(event, FIELD_CLIENT_TOOL));
	scene->count = event_number(event, FIELD_ALIKE);
	scene->targets = event_number(event, FIELD_PROBE_TARGETS);
}

static void take_flowless(void *context, const struct packet *packet)
{
	probes_packet(((struct scene *)context)->probes, packet);
}

static void take_flow_over(void *context, struct flow *flow)
{
	probes_flow_over(((struct scene *)context)->probes, flow);
}

static void take_handshake(void *context, const struct packet *packet, struct flow *flow,
			   enum direction direction)
{
	struct scene *scene = context;

	if (direction == TO_SERVER)
		probes_tool(scene->probes, &flow->client, "nmap", packet->time);
}

static void open_scene(struct scene *scene)
{
	struct probes_setup probes = probes_setup_default;
	struct sensor_setup sensor = sensor_setup_default;

	*scene = (struct scene){0};
	probes.context = scene;
	probes.event = take;
	scene->probes = probes_new(&probes);
	sensor.checksums = false;
	sensor.listener = (struct sensor_listener){.context = scene,
						   .other = take_flowless,
						   .flowless = take_flowless,
						   .handshake = take_handshake,
						   .flow_over = take_flow_over};
	scene->sensor = sensor_new(&sensor);
	assert_non_null(scene->probes);
	assert_non_null(scene->sensor);
}

static void close_scene(struct scene *scene)
{
	sensor_finish(scene->sensor);
	probes_finish(scene->probes);
	sensor_free(scene->sensor);
	probes_free(scene->probes);
}

static void send_frame(struct scene *scene, enum link_type link, const struct writer *w,
		       int64_t time)
{
	sensor_packet(scene->sensor, link, writer_slice(w), (uint32_t)w->length, time);
	probes_tick(scene->probes, time);
}

static void send_ipv4(struct scene *scene, uint8_t protocol, uint32_t from, uint32_t to,
		      struct slice payload, uint16_t piece, int64_t time)
{
	uint8_t room[256];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u16be(&w, 0x4500);
	writer_u16be(&w, (uint16_t)(20 + payload.length));
	writer_u16be(&w, 7);
	writer_u16be(&w, piece);
	writer_u8(&w, 64);
	writer_u8(&w, protocol);
	writer_u16be(&w, 0);
	writer_u32be(&w, from);
	writer_u32be(&w, to);
	writer_bytes(&w, payload);
	assert_false(w.failed);
	send_frame(scene, LINK_RAW, &w, time);
}

static void send_tcp(struct scene *scene, uint32_t from, uint16_t from_port, uint32_t to,
		     uint16_t to_port, uint8_t flags, int64_t time)
{
	uint8_t room[20];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u16be(&w, from_port);
	writer_u16be(&w, to_port);
	writer_u32be(&w, 1000);
	writer_u32be(&w, 0);
	writer_u8(&w, 0x50);
	writer_u8(&w, flags);
	writer_u16be(&w, 1024);
	writer_u32be(&w, 0);
	send_ipv4(scene, 6, from, to, writer_slice(&w), 0, time);
}

static void send_udp(struct scene *scene, uint32_t from, uint16_t from_port, uint32_t to,
		     uint16_t to_port, struct slice payload, int64_t time)
{
	uint8_t room[128];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u16be(&w, from_port);
	writer_u16be(&w, to_port);
	writer_u16be(&w, (uint16_t)(8 + payload.length));
	writer_u16be(&w, 0);
	writer_bytes(&w, payload);
	send_ipv4(scene, 17, from, to, writer_slice(&w), 0, time);
}

static void send_icmp(struct scene *scene, uint8_t type, uint32_t from, uint32_t to)
{
	const uint8_t bytes[] = {type, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0};

	send_ipv4(scene, 1, from, to, slice_of(bytes, sizeof(bytes)), 0, START);
}

static void icmp_requests_are_told_by_kind(void **state)
{
	/* Echo, timestamp, information, mask; their answers, errors and others are none. */
	static const uint8_t types[] = {8, 13, 15, 17, 0, 14, 16, 18, 3, 5, 9, 10, 11, 12, 255};
	struct scene scene;

	open_scene(&scene);
	for (size_t i = 0; i < ARRAY_COUNT(types); i++)
		send_icmp(&scene, types[i], SCANNER, HOST);
	send_icmp(&scene, 0, HOST, SCANNER);
	close_scene(&scene);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.source, "10.0.0.1");
	assert_string_equal(scene.target, "10.0.0.2");
	assert_string_equal(scene.kinds, "echo=1 timestamp=1 mask=1 information=1");
	assert_string_equal(scene.transport, "icmp");
}

static void an_icmp_sweep_is_one_event(void **state)
{
	struct scene scene;

	open_scene(&scene);
	for (unsigned i = 1; i < 255; i++)
		send_icmp(&scene, i % 2 ? 8 : 13, SCANNER, 0x0a010000 + i);
	close_scene(&scene);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.kinds, "echo=127 timestamp=127");
	assert_int_equal(scene.targets, 254);
	assert_string_equal(scene.target, "");
}

static void put_zeros(struct writer *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_u8(w, 0);
}

static void put_ethernet(struct writer *w, uint16_t type)
{
	writer_text(w, "\xff\xff\xff\xff\xff\xff\x02\x01\x01\x01\x01\x01");
	writer_u16be(w, type);
}

static void put_arp(struct writer *w, uint32_t sender, uint32_t target, uint16_t operation)
{
	writer_u32be(w, 0x00010800);
	writer_u16be(w, 0x0604);
	writer_u16be(w, operation);
	writer_text(w, "\x02\x01\x01\x01\x01\x01");
	writer_u32be(w, sender);
	writer_u32be(w, 0xffffffff);
	writer_u16be(w, 0xffff);
	writer_u32be(w, target);
}

static void arp_is_read_on_every_link(void **state)
{
	static const struct {
		enum link_type link;
		const char *kinds;
	} cases[] = {{LINK_ETHERNET, "arp=5"}, {LINK_COOKED, "arp=5"}, {LINK_COOKED2, "arp=5"}};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct scene scene;

		open_scene(&scene);
		for (unsigned n = 0; n < PROBES_SWEEP + 3; n++) {
			uint8_t room[100];
			struct writer w = writer_fixed(room, sizeof(room));
			struct packet packet;

			if (cases[i].link == LINK_ETHERNET && n % 2) {
				put_ethernet(&w, 0x8100); /* in a VLAN too */
				writer_u16be(&w, 5);
				writer_u16be(&w, 0x0806);
			} else if (cases[i].link == LINK_ETHERNET) {
				put_ethernet(&w, 0x0806);
			} else if (cases[i].link == LINK_COOKED) {
				put_zeros(&w, 14);
				writer_u16be(&w, 0x0806);
			} else {
				writer_u16be(&w, 0x0806);
				put_zeros(&w, 18);
			}
			/* The last three: an answer, one who tells of itself, one for ARP's like.
			 */
			put_arp(&w, SCANNER, n == PROBES_SWEEP + 1 ? SCANNER : HOST + n,
				n == PROBES_SWEEP       ? 2
				: n == PROBES_SWEEP + 2 ? 3
							: 1);
			assert_int_equal(packet_decode(&packet, cases[i].link, writer_slice(&w),
						       (uint32_t)w.length, START, false),
					 -1);
			assert_int_equal(packet.version, 0);
			assert_int_equal(packet.flaws, 0);
			assert_true(packet.arp_operation != 0);
			send_frame(&scene, cases[i].link, &w, START);
			/* Cut short it is nothing. */
			w.length -= 1;
			assert_int_equal(packet_decode(&packet, cases[i].link, writer_slice(&w),
						       (uint32_t)w.length, START, false),
					 -1);
			assert_int_equal(packet.flaws, FLAW_NETWORK_SHORT);
			assert_int_equal(packet.arp_operation, 0);
		}
		close_scene(&scene);
		assert_int_equal(scene.events, 1);
		assert_string_equal(scene.source, "10.0.0.1");
		assert_string_equal(scene.kinds, cases[i].kinds);
	}
}

static void few_neighbours_are_no_sweep(void **state)
{
	struct scene scene;

	open_scene(&scene);
	for (unsigned n = 0; n < 100; n++) {
		uint8_t room[100];
		struct writer w = writer_fixed(room, sizeof(room));

		put_ethernet(&w, 0x0806);
		put_arp(&w, SCANNER, HOST + n % (PROBES_SWEEP - 1), 1);
		send_frame(&scene, LINK_ETHERNET, &w, START);
	}
	sensor_finish(scene.sensor);
	probes_finish(scene.probes);
	assert_int_equal(scene.events, 0);
	close_scene(&scene);
}

static void send_icmp6(struct scene *scene, uint8_t type, uint8_t target)
{
	uint8_t room[100];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u32be(&w, 0x60000000);
	writer_u16be(&w, 24);
	writer_u8(&w, 58);
	writer_u8(&w, 255);
	writer_u16be(&w, 0xfe80);
	put_zeros(&w, 13);
	writer_u8(&w, 1);
	writer_u16be(&w, 0xff02);
	put_zeros(&w, 9);
	writer_u32be(&w, 0x01ff0000);
	writer_u8(&w, target);
	writer_u8(&w, type);
	put_zeros(&w, 7);
	writer_u16be(&w, 0xfe80);
	put_zeros(&w, 13);
	writer_u8(&w, target);
	assert_int_equal(w.length, 64);
	send_frame(scene, LINK_RAW, &w, START);
}

static void neighbour_solicitations_count_like_arp(void **state)
{
	struct scene scene;

	open_scene(&scene);
	for (unsigned i = 0; i < 40; i++)
		send_icmp6(&scene, 135, (uint8_t)(2 + i % 4));
	send_icmp6(&scene, 136, 9);
	sensor_finish(scene.sensor);
	probes_finish(scene.probes);
	assert_int_equal(scene.events, 0);
	for (unsigned i = 0; i < 40; i++)
		send_icmp6(&scene, 135, (uint8_t)(2 + i));
	send_icmp6(&scene, 139, 3);
	close_scene(&scene);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.source, "fe80::1");
	assert_string_equal(scene.kinds, "information=1 ndp=40");
}

static void sctp_and_other_protocols_count(void **state)
{
	uint8_t sctp[20] = {0x80, 0, 0, 36};
	struct scene scene;

	open_scene(&scene);
	for (unsigned chunk = 0; chunk < 16; chunk++) { /* INIT and COOKIE ECHO */
		sctp[3] = (uint8_t)(30 + chunk);
		sctp[12] = (uint8_t)chunk;
		send_ipv4(&scene, 132, SCANNER, HOST, slice_of(sctp, sizeof(sctp)), 0, START);
	}
	sctp[12] = 1;
	send_ipv4(&scene, 132, SCANNER, HOST, slice_of(sctp, 12), 0, START); /* no chunk in it */
	sensor_finish(scene.sensor);
	probes_finish(scene.probes);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.kinds, "sctp=2");
	assert_string_equal(scene.sctp, "31,40");
	assert_string_equal(scene.transport, "sctp");

	for (unsigned protocol = 140; protocol < 256; protocol++)
		send_ipv4(&scene, (uint8_t)protocol, SCANNER, HOST, SLICE(""), 0, START);
	send_ipv4(&scene, 200, SCANNER, 0xe0000001, SLICE(""), 0, START); /* to many */
	sensor_finish(scene.sensor);
	probes_finish(scene.probes);
	assert_int_equal(scene.events, 2);
	assert_string_equal(scene.kinds, "ip=116");
	assert_string_equal(scene.protocols, "140-255");
	assert_string_equal(scene.transport, "");

	for (unsigned i = 0; i < 50; i++) /* a tunnel, and another's one packet */
		send_ipv4(&scene, 50, SCANNER, HOST, SLICE("secret"), 0, START);
	send_ipv4(&scene, 50, SCANNER + 9, HOST, SLICE(""), 0, START);
	close_scene(&scene);
	assert_int_equal(scene.events, 3);
	assert_string_equal(scene.source, "10.0.0.10");
	assert_string_equal(scene.kinds, "ip=1");
}

static void fragments_are_looked_at_when_whole(void **state)
{
	uint8_t bytes[32] = {13};
	struct scene scene;

	open_scene(&scene);
	send_ipv4(&scene, 1, SCANNER, HOST, slice_of(bytes, 16), 0x2000, START);
	send_ipv4(&scene, 1, SCANNER, HOST, slice_of(bytes + 16, 16), 2, START);
	send_ipv4(&scene, 99, SCANNER + 1, HOST, slice_of(bytes, 16), 0x2000, START); /* never */
	close_scene(&scene);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.kinds, "timestamp=1");
}

static void tcp_scans_are_told_whoever_looks_like_the_server(void **state)
{
	static const struct {
		uint8_t flags, answer;
		const char *kinds;
	} cases[] = {
		{TCP_SYN, TCP_SYN | TCP_ACK, "syn=200"},
		{TCP_SYN, TCP_RST | TCP_ACK, "syn=200"},
		{TCP_FIN, TCP_RST | TCP_ACK, "fin=200"},
		{TCP_FIN, 0, "fin=200"},
		{0, TCP_RST | TCP_ACK, "null=200"},
		{TCP_FIN | TCP_PSH | TCP_URG, TCP_RST | TCP_ACK, "xmas=200"},
		{TCP_ACK, TCP_RST, "ack=200"},
	};
	static const uint16_t from[] = {20, 53, 50000};

	for (size_t i = 0; i < ARRAY_COUNT(cases) * ARRAY_COUNT(from); i++) {
		uint8_t flags = cases[i / ARRAY_COUNT(from)].flags;
		uint8_t answer = cases[i / ARRAY_COUNT(from)].answer;
		uint16_t port = from[i % ARRAY_COUNT(from)];
		struct scene scene;

		open_scene(&scene);
		for (uint16_t to = 1001; to <= 1200; to++) {
			send_tcp(&scene, SCANNER, port, HOST, to, flags, START);
			if (answer)
				send_tcp(&scene, HOST, to, SCANNER, port, answer, START);
			if (answer == (TCP_SYN | TCP_ACK))
				send_tcp(&scene, SCANNER, port, HOST, to, TCP_RST, START);
		}
		close_scene(&scene);
		assert_int_equal(scene.events, 1);
		assert_string_equal(scene.source, "10.0.0.1");
		assert_string_equal(scene.kinds, cases[i / ARRAY_COUNT(from)].kinds);
		assert_string_equal(scene.tcp, "1001-1200");
	}
}

/* Nobody sent anything for minutes, then one other packet comes. */
static void a_tool_is_known_after_a_silence(void **state)
{
	struct scene scene;

	open_scene(&scene);
	send_tcp(&scene, SCANNER, 4000, HOST, 22, TCP_SYN, START);
	send_tcp(&scene, SCANNER + 1, 4000, HOST, 23, TCP_SYN, START + 10 * MINUTE);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.tcp, "22");
	assert_string_equal(scene.tool, "nmap");
	close_scene(&scene);
	assert_int_equal(scene.events, 2);
}

static void datagrams_without_an_answer_are_probes(void **state)
{
	static const uint8_t version[] = {0x12, 0x34, 1,   0,   0,   1,   0,   0, 0, 0,  0, 0, 7,
					  'v',  'e',  'r', 'b', 'i', 'n', 'd', 0, 0, 16, 0, 3};
	struct slice dns = slice_of(version, sizeof(version));
	struct scene scene;

	open_scene(&scene);
	send_udp(&scene, SCANNER, 4000, HOST, 53, dns, START);
	send_udp(&scene, SCANNER, 4001, HOST, 161, SLICE(""), START);
	send_udp(&scene, SCANNER, 4002, HOST, 500, SLICE("x"), START); /* answered */
	send_udp(&scene, HOST, 500, SCANNER, 4002, SLICE("y"), START);
	for (unsigned i = 0; i < 4; i++) /* several payloads at once */
		send_udp(&scene, SCANNER, 4003, HOST, 5353, SLICE("x"), START + i);
	for (unsigned i = 0; i < 3; i++) /* it goes on talking */
		send_udp(&scene, SCANNER, 4004, HOST, 514, SLICE("x"), START + i * SECOND / 2);
	for (unsigned i = 0; i < 2; i++) /* another try */
		send_udp(&scene, SCANNER, 4005, HOST, 69, SLICE("x"), START + 10 * i * SECOND);
	close_scene(&scene);
	assert_int_equal(scene.events, 1);
	assert_string_equal(scene.kinds, "udp=4");
	assert_string_equal(scene.udp, "53,69,161,5353");
	assert_string_equal(scene.applications, "dns");
}

/* --- sets --- */

static void sets_of_numbers_are_exact(void **state)
{
	bool wanted[65536] = {false};
	struct number_set set = {0};
	uint32_t seed = 5, count = 0;
	uint8_t room[64];

	for (unsigned i = 0; i < 200000; i++) {
		uint16_t number;

		seed = seed * 1664525 + 1013904223;
		number = (uint16_t)(seed >> 16) & (i < 4000 ? 0x7ff : 0xffff);
		count += !wanted[number];
		wanted[number] = true;
		assert_true(number_set_add(&set, number));
		assert_int_equal(set.count, count);
		assert_true(number_set_held(&set) <= NUMBER_SET_BITS);
		/* A list up to its limit, bits from there on. */
		assert_int_equal(set.bits != NULL, count > NUMBER_SET_LIST_MAX);
	}
	number_set_drop(&set);
	assert_int_equal(number_set_held(&set), 0);
	for (unsigned bits = 0; bits < 2; bits++) {
		struct writer text = writer_fixed(room, sizeof(room));

		for (unsigned i = 0; bits && i <= NUMBER_SET_LIST_MAX; i++)
			assert_true(number_set_add(&set, (uint16_t)(1000 + i)));
		assert_true(number_set_add(&set, 65535));
		assert_true(number_set_add(&set, 0));
		assert_true(number_set_add(&set, 65534));
		assert_true(number_set_add(&set, 8));
		assert_true(number_set_text(&set, 64, &text));
		assert_true(slice_is(writer_slice(&text),
				     bits ? "0,8,1000-2024,65534-65535" : "0,8,65534-65535"));
		number_set_drop(&set);
	}
}

static void texts_of_sets_are_cut_between_ranges(void **state)
{
	struct number_set set = {0};
	uint8_t room[100];

	for (unsigned i = 0; i < 20; i++)
		assert_true(number_set_add(&set, (uint16_t)(i * 1000)));
	for (size_t most = 13; most < sizeof(room); most++) {
		struct writer text = writer_fixed(room, sizeof(room));
		size_t last;

		assert_false(number_set_text(&set, most, &text));
		assert_false(text.failed);
		assert_true(text.length <= most);
		last = text.length - 4;
		assert_true(slice_is(slice_from(writer_slice(&text), last), ",..."));
		assert_true(slice_is(slice_from(slice_first(writer_slice(&text), last), last - 1),
				     "0"));
	}
	number_set_drop(&set);
}

static void sets_of_targets_join(void **state)
{
	for (unsigned a = 0; a < 40; a++) {
		for (unsigned b = 0; b < 40; b++) { /* a first ones, b from the tenth on */
			const uint64_t key[2] = {a, b};
			struct target_set one = {0}, other = {0};
			unsigned both = a <= 10 || !b ? a + b : b + 10 > a ? b + 10 : a;

			for (unsigned i = 0; i < 2 * a; i++) {
				struct address address = address_v4(i % a);

				assert_true(target_set_add(&one, key, &address));
			}
			for (unsigned i = 0; i < b; i++) {
				struct address address = address_v4(10 + i);

				assert_true(target_set_add(&other, key, &address));
			}
			assert_int_equal(one.count, a);
			assert_int_equal(target_set_held(&one) != 0, a > 1);
			assert_true(target_set_join(&one, key, &other));
			assert_int_equal(one.count, both);
			assert_false(one.more);
			target_set_drop(&one);
			target_set_drop(&other);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(icmp_requests_are_told_by_kind),
		cmocka_unit_test(an_icmp_sweep_is_one_event),
		cmocka_unit_test(arp_is_read_on_every_link),
		cmocka_unit_test(few_neighbours_are_no_sweep),
		cmocka_unit_test(neighbour_solicitations_count_like_arp),
		cmocka_unit_test(sctp_and_other_protocols_count),
		cmocka_unit_test(fragments_are_looked_at_when_whole),
		cmocka_unit_test(tcp_scans_are_told_whoever_looks_like_the_server),
		cmocka_unit_test(a_tool_is_known_after_a_silence),
		cmocka_unit_test(datagrams_without_an_answer_are_probes),
		cmocka_unit_test(sets_of_numbers_are_exact),
		cmocka_unit_test(texts_of_sets_are_cut_between_ranges),
		cmocka_unit_test(sets_of_targets_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
