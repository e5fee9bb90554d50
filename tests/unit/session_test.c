/* A session's limits, one step below, at and above each: answers over UDP, bytes, time, tarpit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "decoy/stage.h"

/* Answers each request with as many bytes as its first four digits say. */
static size_t parrot_input(struct session *session, void *state, struct slice bytes)
{
	static const uint8_t filler[16384];
	int64_t wanted = 0;

	if (bytes.length < 4)
		return 0;
	assert_int_equal(slice_number(slice_first(bytes, 4), 0, 9999, &wanted), 0);
	session_write(session, slice_of(filler, (size_t)wanted));
	return bytes.length;
}

static const struct protocol parrot = {.name = "parrot", .input = parrot_input};

/* What the session reported. */
struct heard {
	unsigned shed;
	int64_t shed_bytes;
	char closed[64]; /* the reason */
};

static void on_event(struct stage *stage, const struct event *event)
{
	struct heard *heard = stage->owner;

	if (slice_is(event_text(event, FIELD_EVENT_ACTION), "limit.shed")) {
		heard->shed++;
		heard->shed_bytes = event_number(event, FIELD_DESTINATION_BYTES);
	} else if (slice_is(event_text(event, FIELD_EVENT_ACTION), "session.close")) {
		struct slice reason = event_text(event, FIELD_EVENT_REASON);

		snprintf(heard->closed, sizeof(heard->closed), "%.*s", (int)reason.length,
			 (const char *)reason.at);
	}
}

static void open_stage(struct stage *stage, struct heard *heard)
{
	*heard = (struct heard){0};
	stage_open(stage, &parrot, NULL);
	stage->owner = heard;
	stage->on_event = on_event;
}

/* A request of `length` bytes that asks for an answer of `answer`. */
static void request(struct session *session, size_t length, size_t answer)
{
	uint8_t bytes[1024];
	char digits[5];

	assert_true(length >= 4 && length <= sizeof(bytes) && answer <= 9999);
	memset(bytes, 'x', length);
	snprintf(digits, sizeof(digits), "%04zu", answer % 10000);
	memcpy(bytes, digits, 4);
	session_feed(session, slice_of(bytes, length));
}

/* All of what may leave, taken. */
static size_t answered(struct session *session)
{
	size_t sum = 0;
	struct slice out;

	while ((out = session_output(session)).length) {
		sum += out.length;
		session_sent(session, out.length);
	}
	return sum;
}

static void an_answer_over_udp_is_no_larger_than_the_request(void **state)
{
	static const struct {
		size_t request, answer;
		double ratio;
		size_t sent;
	} cases[] = {
		{100, 99, 1.0, 99},   {100, 100, 1.0, 100}, {100, 101, 1.0, 0},
		{100, 149, 1.5, 149}, {100, 150, 1.5, 150}, {100, 151, 1.5, 0},
		{100, 1, 0.0, 0},     {4, 3, 1.0, 3},       {4, 5, 1.0, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct stage stage;
		struct heard heard;
		struct session *session;

		open_stage(&stage, &heard);
		stage.service.udp_answer_ratio = cases[i].ratio;
		session = stage_session(&stage, UDP);
		request(session, cases[i].request, cases[i].answer);
		assert_int_equal(answered(session), cases[i].sent);
		assert_int_equal(heard.shed, cases[i].sent == 0);
		assert_int_equal(heard.shed_bytes, cases[i].sent ? 0 : cases[i].answer);
		session_end(session, "over");
		stage_close(&stage);
	}
}

/* What was left over from one datagram is there for the next, and no more than that. */
static void the_allowance_over_udp_adds_up(void **state)
{
	struct stage stage;
	struct heard heard;
	struct session *session;

	open_stage(&stage, &heard);
	session = stage_session(&stage, UDP);
	request(session, 100, 60);
	assert_int_equal(answered(session), 60);
	request(session, 100, 141);
	assert_int_equal(answered(session), 0);
	request(session, 4, 144);
	assert_int_equal(answered(session), 144);
	request(session, 4, 5);
	assert_int_equal(answered(session), 0);
	assert_int_equal(heard.shed, 2);
	session_end(session, "over");
	stage_close(&stage);
}

static void over_tcp_there_is_no_such_limit(void **state)
{
	struct stage stage;
	struct heard heard;
	struct session *session;

	open_stage(&stage, &heard);
	session = stage_session(&stage, TCP);
	request(session, 4, 9999);
	assert_int_equal(answered(session), 9999);
	assert_int_equal(heard.shed, 0);
	session_end(session, "over");
	stage_close(&stage);
}

static void a_session_may_send_so_many_bytes(void **state)
{
	for (size_t more = 99; more <= 101; more++) {
		struct stage stage;
		struct heard heard;
		struct session *session;
		bool reset;

		open_stage(&stage, &heard);
		stage.service.input_bytes = 200;
		session = stage_session(&stage, TCP);
		request(session, 100, 0);
		request(session, more, 0);
		assert_int_equal(session_is_over(session, &reset), more > 100);
		session_end(session, "over");
		assert_string_equal(heard.closed, more > 100 ? "byte limit" : "over");
		stage_close(&stage);
	}
}

static void a_session_ends_when_idle_or_old(void **state)
{
	static const struct {
		int64_t idle, lifetime, at;
		const char *reason;
	} cases[] = {
		{10 * SECOND, MINUTE, 10 * SECOND - 1, "over"},
		{10 * SECOND, MINUTE, 10 * SECOND, "idle"},
		{10 * SECOND, MINUTE, 10 * SECOND + 1, "idle"},
		{DAY, MINUTE, MINUTE - 1, "over"},
		{DAY, MINUTE, MINUTE, "lifetime"},
		{DAY, MINUTE, MINUTE + 1, "lifetime"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct stage stage;
		struct heard heard;
		struct session *session;
		bool reset;

		open_stage(&stage, &heard);
		stage.service.idle = cases[i].idle;
		stage.service.lifetime = cases[i].lifetime;
		session = stage_session(&stage, TCP);
		stage.monotonic += cases[i].at;
		session_tick(session);
		assert_int_equal(session_is_over(session, &reset),
				 strcmp(cases[i].reason, "over") != 0);
		session_end(session, "over");
		assert_string_equal(heard.closed, cases[i].reason);
		stage_close(&stage);
	}
}

static void a_tarpit_lets_its_bytes_out_at_its_intervals(void **state)
{
	static const struct tarpit tarpit = {.bytes = 3, .interval = 10 * SECOND};
	struct endpoint peer = {address_v4(0xc0000207), 40000}, local = {peer.address, 23};
	struct stage stage;
	struct heard heard;
	struct session *session;
	bool reset;

	open_stage(&stage, &heard);
	session = session_open(&stage.trap, &stage.service, TCP, &peer, &local, &tarpit, 0);
	assert_true(session_is_tarpitted(session));
	request(session, 4, 7);
	for (size_t left = 7, turn = 0; turn < 3; turn++) {
		size_t now = left < 3 ? left : 3;

		assert_int_equal(answered(session), now); /* and nothing behind it */
		left -= now;
		stage.monotonic += 10 * SECOND - 1;
		assert_int_equal(session_output(session).length, 0);
		stage.monotonic += 1;
	}
	/* It holds a client beyond the idle time, and not beyond the longest session. */
	stage.monotonic += stage.service.idle;
	session_tick(session);
	assert_false(session_is_over(session, &reset));
	stage.monotonic += stage.service.lifetime;
	session_tick(session);
	assert_true(session_is_over(session, &reset));
	session_end(session, "over");
	assert_string_equal(heard.closed, "lifetime");
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_over_udp_is_no_larger_than_the_request),
		cmocka_unit_test(the_allowance_over_udp_adds_up),
		cmocka_unit_test(over_tcp_there_is_no_such_limit),
		cmocka_unit_test(a_session_may_send_so_many_bytes),
		cmocka_unit_test(a_session_ends_when_idle_or_old),
		cmocka_unit_test(a_tarpit_lets_its_bytes_out_at_its_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
