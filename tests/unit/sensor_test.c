/* Packets into flows and streams: segments in any order, overlaps, gaps, fragments, tunnels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "capture/sensor.h"
#include "capture/transport.h"

#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u

struct seen {
	char text[2][8192]; /* the bytes of each direction's stretches, fresh ones only */
	size_t length[2];
	unsigned packets, stretches, over, handshakes;
	bool established;
	const char *oddity; /* that came with a packet last */
	unsigned oddities;
};

static void inspect(void *context, const struct inspection *i)
{
	struct seen *seen = context;

	if (i->kind == INSPECT_PACKET)
		seen->packets++;
	if (i->kind == INSPECT_PACKET && i->findings.anomaly_count) {
		seen->oddity = i->findings.anomalies[0];
		seen->oddities++;
	}
	if (i->kind == INSPECT_PACKET && i->flow)
		seen->established |= i->flow->state == FLOW_ESTABLISHED;
	if (i->kind != INSPECT_STREAM)
		return;
	seen->stretches++;
	for (size_t b = 0; b < i->findings.buffer_count; b++) {
		struct slice fresh = slice_from(i->findings.buffers[b].bytes, i->seen);

		assert_true(seen->length[i->direction] + fresh.length < sizeof(seen->text[0]));
		memcpy(seen->text[i->direction] + seen->length[i->direction], fresh.at,
		       fresh.length);
		seen->length[i->direction] += fresh.length;
	}
}

static void handshake(void *context, const struct packet *packet, struct flow *flow,
		      enum direction direction)
{
	((struct seen *)context)->handshakes++;
}

static void flow_over(void *context, struct flow *flow)
{
	((struct seen *)context)->over++;
}

static struct sensor *sensor_for(struct seen *seen, enum stream_policy policy)
{
	struct sensor_setup setup = sensor_setup_default;
	struct sensor *sensor;

	memset(seen, 0, sizeof(*seen));
	setup.policy = policy;
	setup.listener = (struct sensor_listener){.context = seen,
						  .inspect = inspect,
						  .handshake = handshake,
						  .flow_over = flow_over};
	sensor = sensor_new(&setup);
	assert_non_null(sensor);
	return sensor;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	sum = ~sum & 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

/* An IPv4 header before what the writer will get; mended by finish_ip. */
static void start_ip(struct writer *w, uint8_t protocol, uint32_t from, uint32_t to, uint16_t id,
		     uint16_t piece)
{
	writer_u16be(w, 0x4500);
	writer_u16be(w, 0);
	writer_u16be(w, id);
	writer_u16be(w, piece);
	writer_u8(w, 64);
	writer_u8(w, protocol);
	writer_u16be(w, 0);
	writer_u32be(w, from);
	writer_u32be(w, to);
}

static void finish_ip(struct writer *w, size_t start)
{
	uint8_t *at = w->at + start;
	size_t length = w->length - start;

	at[2] = (uint8_t)(length >> 8);
	at[3] = (uint8_t)length;
	put_sum(at + 10, packet_sum(0, slice_of(at, 20)));
}

/* Timestamps of the next segments; none while both are 0. */
static uint32_t stamp, stamp_echo;

static void put_tcp(struct writer *w, bool to_server, uint32_t sequence, uint32_t acknowledged,
		    uint8_t flags, const char *payload)
{
	uint32_t from = to_server ? CLIENT : SERVER, to = to_server ? SERVER : CLIENT, sum;
	size_t ip = w->length, tcp, length;

	start_ip(w, 6, from, to, 1, 0x4000);
	tcp = w->length;
	writer_u16be(w, to_server ? 40000 : 80);
	writer_u16be(w, to_server ? 80 : 40000);
	writer_u32be(w, sequence);
	writer_u32be(w, acknowledged);
	writer_u16be(w, (uint16_t)((stamp || stamp_echo ? 0x8000 : 0x5000) | flags));
	writer_u16be(w, 65535);
	writer_u32be(w, 0);
	if (stamp || stamp_echo) {
		writer_u32be(w, 0x0101080a);
		writer_u32be(w, stamp);
		writer_u32be(w, stamp_echo);
	}
	writer_text(w, payload);
	finish_ip(w, ip);
	length = w->length - tcp;
	sum = packet_sum(0, slice_of(w->at + ip + 12, 8)) + 6 + (uint32_t)length;
	put_sum(w->at + tcp + 16, packet_sum(sum, slice_of(w->at + tcp, length)));
}

static int64_t now = 1700000000000000;

static void send_tcp(struct sensor *sensor, bool to_server, uint32_t sequence,
		     uint32_t acknowledged, uint8_t flags, const char *payload)
{
	uint8_t room[4096];
	struct writer w = writer_fixed(room, sizeof(room));

	put_tcp(&w, to_server, sequence, acknowledged, flags, payload);
	assert_false(w.failed);
	now += 1000;
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
}

static void shake(struct sensor *sensor)
{
	send_tcp(sensor, true, 99, 0, TCP_SYN, "");
	send_tcp(sensor, false, 199, 100, TCP_SYN | TCP_ACK, "");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "");
}

static void finish(struct sensor *sensor, struct seen *seen)
{
	sensor_finish(sensor);
	seen->text[0][seen->length[0]] = seen->text[1][seen->length[1]] = '\0';
	sensor_free(sensor);
}

static void test_order_does_not_matter(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

	shake(sensor);
	send_tcp(sensor, true, 105, 200, TCP_ACK, "world");
	send_tcp(sensor, true, 103, 200, TCP_ACK, "l,");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "hel");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "hel"); /* again */
	send_tcp(sensor, false, 200, 110, TCP_ACK, "yes");
	send_tcp(sensor, true, 110, 203, TCP_ACK | TCP_FIN, "!");
	send_tcp(sensor, false, 203, 112, TCP_ACK | TCP_FIN, "");
	assert_true(seen.established);
	finish(sensor, &seen);
	assert_string_equal(seen.text[TO_SERVER], "hell,world!");
	assert_string_equal(seen.text[TO_CLIENT], "yes");
	assert_int_equal(seen.handshakes, 2);
	assert_int_equal(seen.packets, 10);
	assert_int_equal(seen.over, 1);
}

static const char *with_overlap(enum stream_policy policy, struct seen *seen)
{
	struct sensor *sensor = sensor_for(seen, policy);

	shake(sensor);
	/* Both wait behind a gap and tell different bytes for the same numbers. */
	send_tcp(sensor, true, 102, 200, TCP_ACK, "AAAA");
	send_tcp(sensor, true, 102, 200, TCP_ACK, "BBBB");
	send_tcp(sensor, true, 101, 200, TCP_ACK, "CC");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "x");
	finish(sensor, seen);
	return seen->text[TO_SERVER];
}

static void test_overlaps_follow_the_policy(void **state)
{
	struct seen seen;

	assert_string_equal(with_overlap(STREAM_FIRST, &seen), "xCAAAA");
	assert_string_equal(with_overlap(STREAM_LAST, &seen), "xCCBBB");
	assert_string_equal(with_overlap(STREAM_BSD, &seen), "xCCAAA");
	assert_string_equal(with_overlap(STREAM_LINUX, &seen), "xCCBBB");
}

static void test_gap_is_given_up_when_acknowledged(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

	shake(sensor);
	send_tcp(sensor, true, 100, 200, TCP_ACK, "ab");
	send_tcp(sensor, true, 105, 200, TCP_ACK, "fg");
	assert_int_equal(sensor_counts(sensor).gaps, 0);
	send_tcp(sensor, false, 200, 107, TCP_ACK, "");
	assert_int_equal(sensor_counts(sensor).gaps, 1);
	finish(sensor, &seen);
	assert_string_equal(seen.text[TO_SERVER], "abfg");
}

static void test_wrong_sums_and_far_resets_are_passed_over(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);
	uint8_t room[256];
	struct writer w = writer_fixed(room, sizeof(room));

	shake(sensor);
	put_tcp(&w, true, 100, 200, TCP_ACK, "evil");
	room[w.length - 1] ^= 1;
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
	send_tcp(sensor, false, 0x70000000, 0, TCP_RST, "");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "good");
	assert_int_equal(sensor_counts(sensor).wrong_sums, 1);
	finish(sensor, &seen);
	assert_string_equal(seen.text[TO_SERVER], "good");
}

static void test_midstream(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

	/* The server's side first: the low port still is the server. */
	send_tcp(sensor, false, 5000, 700, TCP_ACK, "answer");
	send_tcp(sensor, true, 700, 5006, TCP_ACK, "question");
	finish(sensor, &seen);
	assert_string_equal(seen.text[TO_SERVER], "question");
	assert_string_equal(seen.text[TO_CLIENT], "answer");
}

static void test_long_stream_in_stretches(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);
	char part[1001];

	shake(sensor);
	memset(part, 'z', 1000);
	part[1000] = '\0';
	for (uint32_t i = 0; i < 8; i++)
		send_tcp(sensor, true, 100 + i * 1000, 200, TCP_ACK, part);
	finish(sensor, &seen);
	assert_int_equal(seen.length[TO_SERVER], 8000);
	assert_in_range(seen.stretches, 3, 4);
}

/* A UDP datagram in IP fragments; `inside` GRE if wanted. */
static void test_fragments_and_tunnels(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);
	uint8_t whole[128], room[256];
	struct writer udp = writer_fixed(whole, sizeof(whole));
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u16be(&udp, 5000);
	writer_u16be(&udp, 53);
	writer_u16be(&udp, 8 + 24);
	writer_u16be(&udp, 0);
	writer_text(&udp, "abcdefghijklmnopqrstuvwx");
	/* The later half first, inside GRE. */
	start_ip(&w, 47, CLIENT, SERVER, 7, 0);
	writer_u32be(&w, 0x0800);
	start_ip(&w, 17, CLIENT, SERVER, 9, 0x0002);
	writer_bytes(&w, slice_of(whole + 16, 16));
	finish_ip(&w, 24);
	finish_ip(&w, 0);
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
	w = writer_fixed(room, sizeof(room));
	start_ip(&w, 17, CLIENT, SERVER, 9, 0x2000);
	writer_bytes(&w, slice_of(whole, 16));
	finish_ip(&w, 0);
	assert_int_equal(seen.packets, 2); /* the tunnel and the fragment */
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
	assert_int_equal(seen.packets, 4); /* the fragment and the whole */
	assert_int_equal(sensor_counts(sensor).fragments, 2);
	assert_int_equal(sensor_counts(sensor).flows, 1);
	finish(sensor, &seen);
}

static void send_piece(struct sensor *sensor, uint16_t piece, const char *bytes)
{
	uint8_t room[128];
	struct writer w = writer_fixed(room, sizeof(room));

	start_ip(&w, 17, CLIENT, SERVER, 9, piece);
	writer_text(&w, bytes);
	finish_ip(&w, 0);
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
}

static void test_overlapping_fragments_are_told(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

	send_piece(sensor, 0x2000, "0123456789abcdef");
	send_piece(sensor, 0x2002, "ghijklmn");
	assert_int_equal(seen.oddities, 0);
	send_piece(sensor, 0x2001, "XXXXXXXX");
	assert_int_equal(seen.oddities, 1);
	assert_string_equal(seen.oddity, "ipv4.frag_overlap");
	/* It is told with the piece, not with the packet after it. */
	send_piece(sensor, 0x2004, "opqrstuv");
	assert_int_equal(seen.oddities, 1);
	finish(sensor, &seen);
}

static void greet(struct sensor *sensor, struct seen *seen, const char *expected)
{
	stamp = stamp_echo = 0;
	send_tcp(sensor, false, 199, 100, TCP_SYN | TCP_ACK, "");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "");
	send_tcp(sensor, true, 100, 200, TCP_ACK, "hello");
	finish(sensor, seen);
	assert_string_equal(seen->text[TO_SERVER], expected);
}

/* Somebody who resets a connection that is only asked for, with timestamps that the client never
 * sent, is not believed: the client does not believe him either. */
static void test_resets_with_strange_stamps_are_passed_over(void **state)
{
	static const struct {
		uint32_t sent, echoed;
		unsigned oddities;
		const char *text;
	} cases[] = {
		{5000, 100, 1, "hello"}, {5000, 5001, 1, "hello"},
		{5000, 5000, 0, ""},     {0, 100, 1, "hello"},
		{0, 0, 0, ""},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct seen seen;
		struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

		stamp = cases[i].sent;
		stamp_echo = 0;
		send_tcp(sensor, true, 99, 0, TCP_SYN, "");
		stamp = cases[i].echoed;
		stamp_echo = cases[i].echoed;
		send_tcp(sensor, false, 200, 100, TCP_RST | TCP_ACK, "");
		assert_int_equal(seen.oddities, cases[i].oddities);
		if (cases[i].oddities)
			assert_string_equal(seen.oddity, "stream.pkt_invalid_timestamp");
		greet(sensor, &seen, cases[i].text);
	}
}

/* Before there is an answer there is nothing to reset. */
static void test_early_resets_of_the_client(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);

	send_tcp(sensor, true, 99, 0, TCP_SYN, "");
	send_tcp(sensor, true, 100, 0, TCP_RST, "");
	greet(sensor, &seen, "hello");
}

/* Packets with wrong sums are shown, and reach no stream. */
static void test_wrong_sums_are_shown(void **state)
{
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_FIRST);
	uint8_t room[128];
	struct writer w = writer_fixed(room, sizeof(room));

	put_tcp(&w, true, 100, 200, TCP_ACK, "hello");
	room[w.length - 1] ^= 1;
	sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
	assert_int_equal(sensor_counts(sensor).wrong_sums, 1);
	assert_int_equal(sensor_counts(sensor).flows, 0);
	assert_int_equal(seen.packets, 1);
	finish(sensor, &seen);
	assert_string_equal(seen.text[TO_SERVER], "");
}

static void test_flows_are_bounded(void **state)
{
	struct sensor_setup setup = sensor_setup_default;
	struct seen seen = {0};
	struct sensor *sensor;
	uint8_t room[256];

	setup.flows.flows = 100;
	setup.listener = (struct sensor_listener){.context = &seen, .flow_over = flow_over};
	sensor = sensor_new(&setup);
	for (uint32_t i = 0; i < 101; i++) {
		struct writer w = writer_fixed(room, sizeof(room));

		start_ip(&w, 17, CLIENT + i, SERVER, 1, 0);
		writer_u32be(&w, 0x10002000);
		writer_u32be(&w, 0x00080000);
		finish_ip(&w, 0);
		sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
		assert_int_equal(sensor_counts(sensor).flows_shed, i == 100 ? 1 : 0);
	}
	assert_int_equal(seen.over, 1);
	sensor_free(sensor);
	assert_int_equal(seen.over, 101);
}

/* Segments that wait behind a gap in ever more flows: what they hold stays below the limit. */
static void test_memory_is_bounded(void **state)
{
	struct sensor_setup setup = sensor_setup_default;
	struct sensor *sensor;
	uint8_t room[4096];
	char part[1401];
	uint64_t most = 0;

	setup.flows.bytes = 200000;
	setup.checksums = false;
	sensor = sensor_new(&setup);
	memset(part, 'x', 1400);
	part[1400] = '\0';
	for (uint32_t i = 0; i < 500; i++) {
		for (int step = 0; step < 2; step++) {
			struct writer w = writer_fixed(room, sizeof(room));
			uint64_t held;

			put_tcp(&w, true, step ? 5000 : 100, 0, step ? TCP_ACK : TCP_SYN,
				step ? part : "");
			room[14] = (uint8_t)(i >> 8); /* another client */
			room[15] = (uint8_t)i;
			sensor_packet(sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, now);
			held = sensor_counts(sensor).flow_bytes;
			assert_true(held <= 200000);
			most = held > most ? held : most;
		}
	}
	assert_true(most > 190000);
	assert_true(sensor_counts(sensor).flows_shed > 300);
	sensor_finish(sensor);
	assert_int_equal(sensor_counts(sensor).flow_bytes, 0);
	sensor_free(sensor);
}

/* Any bytes on any link: no crash, nothing read beyond them (the sanitizers watch). */
static void test_garbage(void **state)
{
	static const enum link_type links[] = {LINK_NULL,   LINK_ETHERNET, LINK_PPP, LINK_RAW,
					       LINK_COOKED, LINK_COOKED2,  LINK_LOOP};
	struct seen seen;
	struct sensor *sensor = sensor_for(&seen, STREAM_LAST);
	uint64_t random = 88172645463325252u;

	for (unsigned round = 0; round < 200000; round++) {
		size_t length = round % 97;
		uint8_t *frame = malloc(length ? length : 1);

		assert_non_null(frame);
		for (size_t i = 0; i < length; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			frame[i] = (uint8_t)random;
		}
		/* Half of them begin like something, so that deeper layers are reached. */
		if (length > 24 && round & 1)
			memcpy(frame, "\x45\x00\x00\x40\x00\x01\x00\x00\x40", 9);
		if (length > 24 && round & 2)
			frame[9] = (uint8_t[]){6, 17, 1, 47, 41, 4}[random % 6];
		sensor_packet(sensor, round & 1 ? LINK_RAW : links[random % ARRAY_COUNT(links)],
			      slice_of(frame, length), (uint32_t)length, now + round);
		free(frame);
		seen.length[0] = seen.length[1] = 0;
	}
	assert_true(sensor_counts(sensor).decoded > 1000);
	sensor_free(sensor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_overlaps_follow_the_policy),
		cmocka_unit_test(test_gap_is_given_up_when_acknowledged),
		cmocka_unit_test(test_wrong_sums_and_far_resets_are_passed_over),
		cmocka_unit_test(test_midstream),
		cmocka_unit_test(test_long_stream_in_stretches),
		cmocka_unit_test(test_fragments_and_tunnels),
		cmocka_unit_test(test_overlapping_fragments_are_told),
		cmocka_unit_test(test_resets_with_strange_stamps_are_passed_over),
		cmocka_unit_test(test_early_resets_of_the_client),
		cmocka_unit_test(test_wrong_sums_are_shown),
		cmocka_unit_test(test_flows_are_bounded),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
