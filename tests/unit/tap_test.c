/* Decrypted streams before the rules: what was said and no more, within limits, from hostile hands.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/rules/engine.h"
#include "capture/tap.h"

#define SESSION        "01KB2ZP0000000000000000001"
#define SECOND_SESSION "01KB2ZP0000000000000000002"

struct scene {
	struct tap *tap;
	struct tap_setup setup;
	struct engine *engine;
	struct variables variables;
	/* Of the listener. */
	char text[2][65536]; /* fresh bytes of each direction's stretches */
	size_t length[2];
	unsigned cuts[2]; /* stretches that began without what came before */
	uint32_t sids[16];
	size_t alerts;
	char session[ULID_LENGTH + 1]; /* in the last alert's event */
	unsigned over;
	/* Of the sender. */
	struct tap_piece piece;
	uint64_t sent[2];
};

static void alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct scene *scene = context;
	struct slice session;
	struct event event;

	event_clear(&event);
	sensor_event_of_flow(&event, inspection->flow, inspection->time);
	session = event_text(&event, FIELD_SESSION_ID);
	assert_int_equal(session.length, ULID_LENGTH);
	memcpy(scene->session, session.at, ULID_LENGTH);
	assert_true(scene->alerts < ARRAY_COUNT(scene->sids));
	scene->sids[scene->alerts++] = rule->sid;
}

static void inspect(void *context, const struct inspection *i)
{
	struct scene *scene = context;

	assert_int_not_equal(i->kind, INSPECT_PACKET);
	assert_null(i->packet);
	if (scene->engine)
		engine_inspect(scene->engine, i, alert, scene);
	for (size_t b = 0; i->kind == INSPECT_STREAM && b < i->findings.buffer_count; b++) {
		struct slice fresh = slice_from(i->findings.buffers[b].bytes, i->seen);
		size_t *length = &scene->length[i->direction];

		assert_true(*length + fresh.length < sizeof(scene->text[0]));
		if (fresh.length)
			memcpy(scene->text[i->direction] + *length, fresh.at, fresh.length);
		*length += fresh.length;
		scene->text[i->direction][*length] = '\0';
		scene->cuts[i->direction] += i->seen == 0;
	}
}

static void handshake(void *context, const struct packet *packet, struct flow *flow,
		      enum direction direction)
{
	fail_msg("a handshake that never was");
}

static void flow_over(void *context, struct flow *flow)
{
	((struct scene *)context)->over++;
}

/* 192.0.2.1:40000 -> 198.51.100.2:443, or the like in IPv6. */
static void set_ends(struct scene *scene, bool six)
{
	assert_int_equal(address_parse(slice_text(six ? "2001:db8::1" : "192.0.2.1"),
				       &scene->piece.client.address),
			 0);
	assert_int_equal(address_parse(slice_text(six ? "2001:db8::2" : "198.51.100.2"),
				       &scene->piece.server.address),
			 0);
	scene->piece.client.port = 40000;
	scene->piece.server.port = 443;
}

static struct scene *start_with(const struct tap_setup *setup, const char *rules)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->setup = *setup;
	scene->setup.listener = (struct sensor_listener){.context = scene,
							 .inspect = inspect,
							 .handshake = handshake,
							 .flow_over = flow_over};
	if (rules) {
		rule_variables_start(&scene->variables);
		scene->engine = engine_new(&scene->variables);
		assert_non_null(scene->engine);
		engine_add(scene->engine, "test", slice_text(rules), NULL);
		assert_int_equal(engine_counts(scene->engine).refused, 0);
		assert_null(engine_ready(scene->engine, -1));
		scene->setup.listener.wants = engine_wants(scene->engine);
	}
	scene->tap = tap_new(&scene->setup);
	assert_non_null(scene->tap);
	scene->piece.time = 1764244800 * SECOND;
	memcpy(scene->piece.session, SESSION, ULID_LENGTH + 1);
	set_ends(scene, false);
	return scene;
}

static struct scene *start(const char *rules)
{
	return start_with(&tap_setup_default, rules);
}

static void finish(struct scene *scene)
{
	tap_free(scene->tap);
	engine_free(scene->engine);
	free(scene);
}

/* Makes the next piece of a direction; whether it arrives is another matter. */
static const struct tap_piece *next(struct scene *scene, bool to_client, struct slice bytes)
{
	struct tap_piece *piece = &scene->piece;

	piece->opened = scene->sent[0] + scene->sent[1] == 0;
	piece->to_client = to_client;
	piece->offset = scene->sent[to_client];
	piece->other_offset = scene->sent[!to_client];
	piece->bytes = bytes;
	piece->time += MILLISECOND;
	scene->sent[to_client] += bytes.length;
	return piece;
}

static void say(struct scene *scene, bool to_client, const char *text)
{
	tap_piece(scene->tap, next(scene, to_client, slice_text(text)));
}

static void lose(struct scene *scene, bool to_client, const char *text)
{
	(void)next(scene, to_client, slice_text(text));
}

static void close_session(struct scene *scene, bool to_client)
{
	(void)next(scene, to_client, slice_of(NULL, 0));
	scene->piece.opened = false;
	scene->piece.closed = true;
	tap_piece(scene->tap, &scene->piece);
	scene->piece.closed = false;
	scene->sent[0] = scene->sent[1] = 0;
}

static const char web_rules[] =
	"alert http any any -> any any (msg:\"in\"; flow:established,to_server; http.uri; "
	"content:\"/cgi-bin/luci\"; sid:1;)\n"
	"alert http any any -> any any (msg:\"out\"; flow:established,to_client; http.stat_code; "
	"content:\"404\"; sid:2;)\n"
	"alert tcp any any -> any 443 (msg:\"raw\"; content:\"hidden-by-tls\"; sid:3;)\n"
	"alert tcp any any -> any any (msg:\"made-up headers\"; flags:S; sid:4;)\n"
	"alert tcp any any -> any any (msg:\"made-up headers\"; ttl:64; sid:5;)\n"
	"alert tcp any any -> any any (msg:\"made-up packets\"; dsize:>1; sid:6;)\n";

static bool has_alert(const struct scene *scene, uint32_t sid)
{
	for (size_t i = 0; i < scene->alerts; i++)
		if (scene->sids[i] == sid)
			return true;
	return false;
}

static void test_rules_see_inside_tls(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct scene *scene = start(web_rules);

		set_ends(scene, six);
		say(scene, false, "GET /cgi-bin/luci/;stok= HTTP/1.1\r\nHost: a\r\n");
		assert_int_equal(scene->alerts, 0);
		say(scene, false, "X-Say: hidden-by-tls\r\n\r\n");
		say(scene, true, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
		close_session(scene, true);
		tap_finish(scene->tap);
		assert_true(has_alert(scene, 1));
		assert_true(has_alert(scene, 2));
		assert_true(has_alert(scene, 3));
		assert_int_equal(scene->alerts, 3); /* none of what only headers tell */
		assert_string_equal(scene->session, SESSION);
		assert_int_equal(scene->over, 1);
		finish(scene);
	}
}

static void test_bytes_come_whole_and_in_order(void **state)
{
	static char long_text[40001];
	struct scene *scene = start(NULL);
	struct tap_counts counts;

	for (size_t i = 0; i < sizeof(long_text) - 1; i++)
		long_text[i] = (char)('a' + i % 25);
	say(scene, true, "220 ready\r\n");
	say(scene, false, "EHLO a\r\n");
	say(scene, true, "250 ok\r\n");
	say(scene, false, long_text); /* more than a segment takes */
	close_session(scene, false);
	assert_string_equal(scene->text[TO_CLIENT], "220 ready\r\n250 ok\r\n");
	assert_int_equal(scene->length[TO_SERVER], 8 + 40000);
	assert_memory_equal(scene->text[TO_SERVER], "EHLO a\r\n", 8);
	assert_memory_equal(scene->text[TO_SERVER] + 8, long_text, 40000);
	counts = tap_counts(scene->tap);
	assert_int_equal(counts.pieces, 5);
	assert_int_equal(counts.bytes, 11 + 8 + 8 + 40000);
	assert_int_equal(counts.connections, 1);
	assert_int_equal(counts.late, 0);
	assert_int_equal(counts.open, 0);
	assert_int_equal(counts.gaps, 0);
	assert_int_equal(counts.sensor.gaps, 0);
	assert_int_equal(counts.sensor.flows, 1);
	/* Handshake, three short pieces, a long one in three, two ends. */
	assert_int_equal(counts.sensor.packets, 3 + 3 + 3 + 2);
	finish(scene);
}

/* --- losses --- */

static const char split_rules[] =
	"alert tcp any any -> any any (content:\"beforebehind\"; sid:1;)\n"
	"alert tcp any any -> any any (content:\"behind\"; sid:2;)\n";

static void test_loss_is_a_gap(void **state)
{
	for (int lost = 0; lost < 2; lost++) {
		struct scene *scene = start(split_rules);
		struct tap_counts counts;

		say(scene, true, "hello");
		say(scene, false, "before");
		if (lost)
			lose(scene, false, "that nobody saw");
		say(scene, false, "behind");
		say(scene, true, "fine");
		close_session(scene, false);
		tap_finish(scene->tap);
		assert_int_equal(has_alert(scene, 1), !lost);
		assert_true(has_alert(scene, 2));
		counts = tap_counts(scene->tap);
		assert_int_equal(counts.gaps, lost);
		assert_int_equal(counts.lost, lost ? 15 : 0);
		assert_int_equal(counts.sensor.gaps, lost);
		assert_int_equal(counts.connections, 1);
		assert_string_equal(scene->text[TO_SERVER], "beforebehind");
		assert_string_equal(scene->text[TO_CLIENT], "hellofine");
		assert_int_equal(scene->cuts[TO_SERVER], 1 + lost);
		finish(scene);
	}
}

/* A gap is told at once, not when something else comes. */
static void test_gap_does_not_hold_up(void **state)
{
	struct scene *scene = start(split_rules);

	say(scene, false, "before");
	lose(scene, false, "x");
	say(scene, false, "behind");
	assert_int_equal(tap_counts(scene->tap).sensor.gaps, 1);
	finish(scene);
}

static void test_first_piece_lost(void **state)
{
	struct scene *scene = start(split_rules);

	lose(scene, false, "GET / HTTP/1.1\r\n");
	say(scene, false, "behind");
	tap_finish(scene->tap);
	assert_true(has_alert(scene, 2));
	assert_string_equal(scene->session, SESSION);
	assert_int_equal(tap_counts(scene->tap).late, 1);
	assert_int_equal(tap_counts(scene->tap).lost, 16);
	assert_int_equal(tap_counts(scene->tap).open, 0);
	finish(scene);
}

/* The last pieces of either direction. */
static void test_last_piece_lost(void **state)
{
	for (int to_client = 0; to_client < 2; to_client++) {
		struct scene *scene = start(NULL);

		say(scene, false, "before");
		say(scene, true, "yes");
		lose(scene, false, "the end");
		close_session(scene, to_client);
		assert_int_equal(tap_counts(scene->tap).gaps, 1);
		assert_int_equal(tap_counts(scene->tap).lost, 7);
		assert_int_equal(tap_counts(scene->tap).open, 0);
		/* The ports are free for the next one. */
		memcpy(scene->piece.session, SECOND_SESSION, ULID_LENGTH);
		say(scene, false, "again");
		close_session(scene, false);
		assert_string_equal(scene->text[TO_SERVER], "beforeagain");
		assert_int_equal(scene->over, 1); /* the first one: it was ended */
		tap_finish(scene->tap);
		assert_int_equal(scene->over, 2);
		finish(scene);
	}
}

static void test_end_lost_and_ports_used_again(void **state)
{
	struct scene *scene = start(split_rules);

	say(scene, false, "before");
	scene->sent[0] = 0;
	memcpy(scene->piece.session, SECOND_SESSION, ULID_LENGTH);
	say(scene, false, "behind");
	close_session(scene, false);
	assert_false(has_alert(scene, 1)); /* two sessions are not one stream */
	assert_true(has_alert(scene, 2));
	assert_string_equal(scene->session, SECOND_SESSION);
	assert_int_equal(tap_counts(scene->tap).connections, 2);
	assert_int_equal(tap_counts(scene->tap).refused, 0);
	finish(scene);
}

/* Streams of more than 4 GiB: sequence numbers go round. */
static void test_long_streams(void **state)
{
	struct scene *scene = start(NULL);

	say(scene, false, "begin");
	for (int i = 0; i < 9; i++) {
		scene->sent[0] += TAP_GAP_MAX; /* the most that can be lost at once */
		say(scene, false, "on");
		scene->sent[1] += TAP_GAP_MAX / 2;
		say(scene, true, "and on");
	}
	assert_int_equal(tap_counts(scene->tap).refused, 0);
	assert_int_equal(tap_counts(scene->tap).sensor.gaps, 18);
	close_session(scene, true);
	assert_int_equal(tap_counts(scene->tap).open, 0);
	memcpy(scene->piece.session, SECOND_SESSION, ULID_LENGTH);
	say(scene, false, "another");
	close_session(scene, true);
	assert_non_null(strstr(scene->text[TO_SERVER], "another"));
	finish(scene);
}

/* --- what is refused, what is bounded --- */

static void test_pieces_that_cannot_be(void **state)
{
	struct scene *scene = start(NULL);
	struct tap_piece bad;

	say(scene, false, "hello");
	say(scene, true, "yes");
	bad = *next(scene, false, SLICE("x"));
	bad.offset = 4; /* again what was seen */
	tap_piece(scene->tap, &bad);
	bad.offset = 5 + TAP_GAP_MAX + 1;
	tap_piece(scene->tap, &bad);
	bad.offset = 5;
	bad.other_offset = 2; /* the other side said three bytes already */
	tap_piece(scene->tap, &bad);
	bad.other_offset = 3;
	bad.time = -1;
	tap_piece(scene->tap, &bad);
	/* Too far into a connection that nobody knows. */
	bad.time = scene->piece.time;
	bad.client.port++;
	bad.offset = TAP_GAP_MAX + 1;
	tap_piece(scene->tap, &bad);
	assert_int_equal(tap_counts(scene->tap).refused, 5);
	assert_int_equal(tap_counts(scene->tap).pieces, 2);
	assert_int_equal(tap_counts(scene->tap).connections, 1);
	assert_int_equal(tap_counts(scene->tap).gaps, 0);
	bad.client.port--;
	bad.offset = 5;
	tap_piece(scene->tap, &bad);
	tap_finish(scene->tap);
	assert_string_equal(scene->text[TO_SERVER], "hellox");
	finish(scene);
}

static void say_on_port(struct scene *scene, uint16_t port, const char *text)
{
	scene->piece.client.port = port;
	say(scene, false, text);
}

static void test_most_connections(void **state)
{
	struct tap_setup setup = tap_setup_default;

	setup.connections = 10;
	for (uint16_t many = 9; many <= 11; many++) {
		struct scene *scene = start_with(&setup, NULL);

		for (uint16_t i = 0; i < many; i++) {
			scene->sent[0] = 0;
			say_on_port(scene, (uint16_t)(1000 + i), "hello");
			/* The first one stays in use. */
			scene->sent[0] = i ? 5 + i - 1u : 5;
			if (i)
				say_on_port(scene, 1000, "!");
		}
		assert_int_equal(tap_counts(scene->tap).shed, many == 11);
		assert_int_equal(tap_counts(scene->tap).open, many < 10 ? many : 10);
		/* The one that was silent longest is gone: it goes on as a late one. */
		scene->sent[0] = 5;
		say_on_port(scene, 1001, "more");
		assert_int_equal(tap_counts(scene->tap).late, many == 11);
		assert_int_equal(tap_counts(scene->tap).refused, 0);
		finish(scene);
	}
}

/* The sensor's own limits end flows behind the tap's back. */
static void test_sensor_sheds(void **state)
{
	struct tap_setup setup = tap_setup_default;
	struct scene *scene;
	struct tap_counts counts;

	setup.flows.flows = 4;
	scene = start_with(&setup, split_rules);
	for (uint16_t i = 0; i < 8; i++) {
		scene->sent[0] = 0;
		say_on_port(scene, (uint16_t)(1000 + i), "before");
	}
	counts = tap_counts(scene->tap);
	assert_int_equal(counts.open, 4);
	assert_int_equal(scene->over, 4);
	scene->sent[0] = 6;
	say_on_port(scene, 1000, "behind");
	tap_finish(scene->tap);
	assert_false(
		has_alert(scene, 1)); /* half a stream was forgotten, and nothing was made up */
	assert_true(has_alert(scene, 2));
	assert_string_equal(scene->session, SESSION);
	assert_int_equal(tap_counts(scene->tap).open, 0);
	finish(scene);

	/* Not even one flow may hold what it needs. */
	setup = tap_setup_default;
	setup.flows.bytes = 100;
	scene = start_with(&setup, NULL);
	say(scene, false, "before");
	say(scene, false, "behind");
	assert_int_equal(tap_counts(scene->tap).open, 0);
	assert_true(tap_counts(scene->tap).shed > 0);
	finish(scene);
}

static void test_silent_connections_end(void **state)
{
	struct scene *scene = start(NULL);

	say_on_port(scene, 1000, "hello");
	scene->sent[0] = 0;
	scene->piece.time += HOUR;
	for (int i = 0; i < 2000; i++) {
		say_on_port(scene, 1001, "x");
		assert_true(tap_counts(scene->tap).open <= 2);
	}
	assert_int_equal(tap_counts(scene->tap).open, 1);
	finish(scene);
}

/* --- messages --- */

static struct tap_piece piece_of(const struct scene *scene, struct slice bytes)
{
	struct tap_piece piece = scene->piece;

	piece.offset = 0x123456789abc;
	piece.other_offset = 7;
	piece.bytes = bytes;
	return piece;
}

static void test_messages_come_back(void **state)
{
	static uint8_t data[TAP_PIECE_BYTES + 1], room[TAP_PIECE_MESSAGE + 100];
	struct scene *scene = start(NULL);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (unsigned kind = 0; kind < 16; kind++) {
		struct writer w = writer_fixed(room, sizeof(room));
		struct tap_piece piece, back;
		size_t length = kind & 1 ? TAP_PIECE_BYTES : 1;

		set_ends(scene, kind & 2);
		piece = piece_of(scene, slice_of(data, length));
		piece.to_client = kind & 4;
		piece.closed = kind & 8;
		writer_u8(&w, 0xaa); /* stays in front */
		assert_int_equal(tap_piece_write(&piece, &w),
				 TAP_PIECE_HEADER - (kind & 2 ? 0u : 24u) + length);
		assert_int_equal(tap_piece_read(slice_from(writer_slice(&w), 1), &back), 0);
		assert_true(address_equal(&back.client.address, &piece.client.address));
		assert_true(address_equal(&back.server.address, &piece.server.address));
		assert_int_equal(back.client.port, 40000);
		assert_int_equal(back.server.port, 443);
		assert_string_equal(back.session, SESSION);
		assert_int_equal(back.time, piece.time);
		assert_int_equal(back.offset, piece.offset);
		assert_int_equal(back.other_offset, 7);
		assert_int_equal(back.to_client, piece.to_client);
		assert_int_equal(back.closed, piece.closed);
		assert_false(back.opened);
		assert_true(slice_equal(back.bytes, piece.bytes));
	}
	finish(scene);
}

static void test_what_is_not_written(void **state)
{
	static uint8_t data[TAP_PIECE_BYTES + 1], room[TAP_PIECE_MESSAGE];
	struct scene *scene = start(NULL);
	struct tap_piece piece = piece_of(scene, slice_of(data, sizeof(data)));
	struct writer w = writer_fixed(room, sizeof(room)), small = writer_fixed(room, 66);

	assert_int_equal(tap_piece_write(&piece, &w), 0); /* a byte too long */
	assert_int_equal(w.length, 0);
	piece.bytes.length = 1;
	assert_int_equal(tap_piece_write(&piece, &small), 0); /* one byte short of room */
	assert_int_equal(small.length, 0);
	small = writer_fixed(room, 67);
	assert_int_equal(tap_piece_write(&piece, &small), 67);
	piece.bytes.length = 0; /* says nothing */
	assert_int_equal(tap_piece_write(&piece, &w), 0);
	piece.opened = true; /* in the middle */
	assert_int_equal(tap_piece_write(&piece, &w), 0);
	piece.offset = piece.other_offset = 0;
	assert_int_equal(tap_piece_write(&piece, &w), 66);
	piece.session[3] = 'U';
	assert_int_equal(tap_piece_write(&piece, &w), 0);
	finish(scene);
}

struct change {
	size_t at;
	uint8_t to;
	const char *what;
};

static void test_hostile_messages(void **state)
{
	static const struct change changes[] = {
		{0, 0, "version"},
		{0, 2, "version"},
		{1, 0x10, "mark"},
		{1, 0x80, "mark"},
		{1, 8, "IPv6 without room"},
		{1, 2, "opened in the middle"},
		{2, '8', "session too late"},
		{2, 'u', "session's letters"},
		{27, 0, "session's end"},
		{28, 0xff, "negative time"},
		{28, 1, "far time"},
		{36, 0xff, "offset"},
		{44, 0x80, "other offset"},
		{64, 0xff, "length"},
		{65, 3, "length"},
		{65, 5, "length"},
	};
	uint8_t room[100];
	struct scene *scene = start(NULL);
	struct tap_piece piece = piece_of(scene, SLICE("data")), back;
	struct writer w = writer_fixed(room, sizeof(room));
	size_t length = tap_piece_write(&piece, &w);

	assert_int_equal(length, 70);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(tap_piece_read(slice_of(room, i), &back), -1);
	assert_int_equal(tap_piece_read(slice_of(room, length + 1), &back), -1);
	for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
		uint8_t before = room[changes[i].at];

		room[changes[i].at] = changes[i].to;
		if (tap_piece_read(slice_of(room, length), &back) == 0)
			fail_msg("taken: %s", changes[i].what);
		room[changes[i].at] = before;
	}
	assert_int_equal(tap_piece_read(slice_of(room, length), &back), 0);
	finish(scene);
}

/* Whatever is taken can be fed, and ends. */
static void test_damaged_messages_do_no_harm(void **state)
{
	static char text[65536];
	struct tap_setup setup = tap_setup_default;
	struct scene *scene;
	unsigned taken = 0;
	uint32_t dice = 12345;

	setup.connections = 8;
	setup.flows.flows = 12;
	scene = start_with(&setup, NULL);
	scene->setup.listener.inspect = NULL;
	tap_free(scene->tap);
	scene->tap = tap_new(&scene->setup);
	memset(text, 'a', sizeof(text) - 1);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t room[256];
		struct writer w = writer_fixed(room, sizeof(room));
		struct tap_piece piece;
		size_t length;

		dice = dice * 1664525 + 1013904223;
		set_ends(scene, dice & 0x10000);
		piece = *next(scene, dice & 0x20000, slice_of(text, 1 + (dice >> 24) % 100));
		piece.opened = false;
		piece.closed = (dice & 0x1c0000) == 0;
		length = tap_piece_write(&piece, &w);
		assert_true(length > 0);
		for (unsigned k = 0; k < dice % 3; k++) {
			dice = dice * 1664525 + 1013904223;
			room[(dice >> 8) % length] ^= (uint8_t)(1 << (dice >> 29));
		}
		if (tap_piece_read(slice_of(room, length), &piece) < 0)
			continue;
		assert_true(piece.bytes.at >= room &&
			    piece.bytes.at + piece.bytes.length <= room + length);
		tap_piece(scene->tap, &piece);
		taken++;
		assert_true(tap_counts(scene->tap).open <= 8);
	}
	assert_true(taken > 5000 && taken < 20000);
	tap_finish(scene->tap);
	assert_int_equal(tap_counts(scene->tap).open, 0);
	finish(scene);
}

/* From one process to another, when the other one is slow. */
static void test_through_a_full_socket(void **state)
{
	struct scene *scene = start(NULL);
	static uint8_t room[TAP_PIECE_MESSAGE], data[TAP_PIECE_BYTES];
	uint64_t dropped = 0, taken = 0;
	struct tap_piece piece;
	struct tap_counts counts;
	int ends[2];
	ssize_t got;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	memset(data, 'x', sizeof(data));
	for (unsigned turn = 0; turn < 2; turn++) {
		/* Until a good number was dropped; then the reader empties the socket. */
		for (unsigned drops = 0; drops < 3;) {
			struct writer w = writer_fixed(room, sizeof(room));
			size_t length = tap_piece_write(
				next(scene, false, slice_of(data, sizeof(data))), &w);

			assert_true(length > 0);
			if (send(ends[0], room, length, MSG_NOSIGNAL) < 0) {
				assert_int_equal(errno, EAGAIN);
				dropped += sizeof(data);
				drops++;
			}
		}
		while ((got = recv(ends[1], room, sizeof(room), 0)) > 0) {
			assert_int_equal(tap_piece_read(slice_of(room, (size_t)got), &piece), 0);
			tap_piece(scene->tap, &piece);
			scene->length[TO_SERVER] = 0;
			taken += piece.bytes.length;
		}
	}
	close_session(scene, false);
	counts = tap_counts(scene->tap);
	assert_int_equal(counts.gaps, 2);
	assert_int_equal(counts.lost, dropped);
	assert_int_equal(counts.bytes, taken);
	assert_int_equal(counts.refused, 0);
	assert_int_equal(counts.open, 0);
	close(ends[0]);
	close(ends[1]);
	finish(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_see_inside_tls),
		cmocka_unit_test(test_bytes_come_whole_and_in_order),
		cmocka_unit_test(test_loss_is_a_gap),
		cmocka_unit_test(test_gap_does_not_hold_up),
		cmocka_unit_test(test_first_piece_lost),
		cmocka_unit_test(test_last_piece_lost),
		cmocka_unit_test(test_end_lost_and_ports_used_again),
		cmocka_unit_test(test_long_streams),
		cmocka_unit_test(test_pieces_that_cannot_be),
		cmocka_unit_test(test_most_connections),
		cmocka_unit_test(test_sensor_sheds),
		cmocka_unit_test(test_silent_connections_end),
		cmocka_unit_test(test_messages_come_back),
		cmocka_unit_test(test_what_is_not_written),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_damaged_messages_do_no_harm),
		cmocka_unit_test(test_through_a_full_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
