/* The rule language and its evaluation: each meaning with a case that matches and one that does
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/rules/engine.h"

struct alerts {
	uint32_t sids[64];
	size_t count;
};

static void alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct alerts *alerts = context;

	assert_true(alerts->count < ARRAY_COUNT(alerts->sids));
	alerts->sids[alerts->count++] = rule->sid;
}

struct refusal {
	char why[256];
	unsigned line;
	size_t count;
};

static void refused(void *context, const char *file, const struct rule_text *text, const char *why)
{
	struct refusal *refusal = context;

	(void)snprintf(refusal->why, sizeof(refusal->why), "%s", why);
	refusal->line = text->line;
	refusal->count++;
}

static struct variables variables;

static struct engine *engine_with(const char *text, struct refusal *refusal)
{
	struct engine_report report = {refusal, refused};
	struct engine *engine;

	rule_variables_start(&variables);
	engine = engine_new(&variables);
	assert_non_null(engine);
	engine_add(engine, "test", slice_text(text), refusal ? &report : NULL);
	assert_null(engine_ready(engine, -1));
	return engine;
}

/* A flow that is open, from 192.0.2.1:40000 to 198.51.100.2:80. */
static struct flow flow_of(enum application_id application)
{
	return (struct flow){.client = address_v4(0xc0000201),
			     .server = address_v4(0xc6336402),
			     .client_port = 40000,
			     .server_port = 80,
			     .transport = TRANSPORT_TCP,
			     .state = FLOW_ESTABLISHED,
			     .application = (uint8_t)application};
}

static size_t inspect(struct engine *engine, struct flow *flow, enum inspection_kind kind,
		      enum direction direction, const struct buffer *buffers, size_t count,
		      struct alerts *alerts)
{
	struct packet packet = {.version = 4,
				.transport = TRANSPORT_TCP,
				.source = flow->client,
				.destination = flow->server,
				.source_port = flow->client_port,
				.destination_port = flow->server_port,
				.payload = count ? buffers[0].bytes : slice_of(NULL, 0)};
	struct inspection inspection = {.kind = kind,
					.direction = direction,
					.application = (enum application_id)flow->application,
					.packet = &packet,
					.flow = flow,
					.time = 1700000000 * SECOND,
					.findings = {.buffers = buffers, .buffer_count = count}};

	alerts->count = 0;
	engine_inspect(engine, &inspection, alert, alerts);
	return alerts->count;
}

/* How many alerts a rule's options give for a stretch of stream. */
static size_t matches_bytes(const char *options, struct slice payload)
{
	char text[1024];
	struct refusal refusal = {.count = 0};
	struct flow flow = flow_of(APPLICATION_NONE);
	struct buffer buffer = {BUFFER_PAYLOAD, payload};
	struct alerts alerts;
	struct engine *engine;
	size_t count;

	(void)snprintf(text, sizeof(text), "alert tcp any any -> any any (%s sid:1;)", options);
	engine = engine_with(text, &refusal);
	if (refusal.count)
		fail_msg("refused: %s: %s", options, refusal.why);
	count = inspect(engine, &flow, INSPECT_STREAM, TO_SERVER, &buffer, 1, &alerts);
	engine_free(engine);
	free(flow.bits);
	return count;
}

static size_t matches(const char *options, const char *payload)
{
	return matches_bytes(options, slice_text(payload));
}

static void test_contents(void **state)
{
	assert_int_equal(matches("content:\"abc\";", "xxabcxx"), 1);
	assert_int_equal(matches("content:\"abc\";", "xxABCxx"), 0);
	assert_int_equal(matches("content:\"aBc\"; nocase;", "xxABCxx"), 1);
	assert_int_equal(matches("content:\"a|20 62|c\";", "xa bcx"), 1);
	assert_int_equal(matches("content:\"a\\;b\\\"c\\\\\";", "a;b\"c\\"), 1);
	assert_int_equal(matches("content:\"abc\"; content:!\"def\";", "abcdef"), 0);
	assert_int_equal(matches("content:\"abc\"; content:!\"def\";", "abcxef"), 1);
	assert_int_equal(matches("content:\"abc\"; depth:3;", "abcx"), 1);
	assert_int_equal(matches("content:\"abc\"; depth:3;", "xabc"), 0);
	assert_int_equal(matches("content:\"abc\"; offset:1; depth:3;", "xabc"), 1);
	assert_int_equal(matches("content:\"abc\"; offset:2;", "xabc"), 0);
	assert_int_equal(matches("content:\"abc\"; startswith;", "abcd"), 1);
	assert_int_equal(matches("content:\"abc\"; startswith;", "xabcd"), 0);
	assert_int_equal(matches("content:\"abc\"; endswith;", "abcabc"), 1);
	assert_int_equal(matches("content:\"abc\"; endswith;", "abcx"), 0);
}

static void test_relative_contents_are_tried_again(void **state)
{
	/* The first "ab" has no "cd" behind it: the second one has. */
	assert_int_equal(
		matches("content:\"ab\"; content:\"cd\"; distance:0; within:2;", "abxxxxabcd"), 1);
	assert_int_equal(
		matches("content:\"ab\"; content:\"cd\"; distance:0; within:2;", "abxcdxabxcd"), 0);
	assert_int_equal(matches("content:\"ab\"; content:\"cd\"; distance:1; within:2;", "abxcd"),
			 1);
	assert_int_equal(matches("content:\"ab\"; content:\"cd\"; distance:-4; within:4;", "cdab"),
			 1);
	assert_int_equal(matches("content:\"ab\"; content:!\"x\"; distance:0; within:1;", "abxab"),
			 1);
	assert_int_equal(matches("content:\"ab\"; content:!\"x\"; distance:0; within:1;", "abxabx"),
			 0);
}

static void test_sizes(void **state)
{
	assert_int_equal(matches("content:\"ab\"; isdataat:2,relative;", "abcd"), 1);
	assert_int_equal(matches("content:\"ab\"; isdataat:3,relative;", "abcd"), 0);
	assert_int_equal(matches("content:\"cd\"; isdataat:!1,relative;", "abcd"), 1);
	assert_int_equal(matches("content:\"ab\"; isdataat:!1,relative;", "abcd"), 0);
	assert_int_equal(matches("content:\"ab\"; bsize:4;", "abcd"), 1);
	assert_int_equal(matches("content:\"ab\"; bsize:>4;", "abcd"), 0);
	assert_int_equal(matches("content:\"ab\"; bsize:3<>5;", "abcd"), 1);
}

static void test_regular_expressions(void **state)
{
	assert_int_equal(matches("pcre:\"/a[0-9]+b/\";", "xxa123bxx"), 1);
	assert_int_equal(matches("pcre:\"/A[0-9]+B/i\";", "xxa123bxx"), 1);
	assert_int_equal(matches("pcre:\"/A[0-9]+B/\";", "xxa123bxx"), 0);
	assert_int_equal(matches("content:\"ab\"; pcre:\"/^c/R\";", "abc"), 1);
	assert_int_equal(matches("content:\"ab\"; pcre:\"/^c/R\";", "abdc"), 0);
	assert_int_equal(matches("content:\"ab\"; pcre:\"/^c/R\";", "abdabc"), 1);
	assert_int_equal(matches("content:\"ab\"; pcre:!\"/x/\";", "abx"), 0);
	/* A semicolon and a lone quote inside. */
	assert_int_equal(matches("pcre:\"/a\\;\"b/\";", "a;\"b"), 1);
}

static void test_numbers_in_bytes(void **state)
{
	struct slice packet = SLICE("\x00\x05hello\x01\x02");

	assert_int_equal(matches_bytes("content:\"hello\"; byte_test:2,=,5,0;", packet), 1);
	assert_int_equal(matches_bytes("content:\"hello\"; byte_test:2,>,5,0;", packet), 0);
	assert_int_equal(matches_bytes("content:\"hello\"; byte_test:2,!=,5,0;", packet), 0);
	assert_int_equal(
		matches_bytes("content:\"hello\"; byte_test:2,=,513,0,relative,little;", packet),
		1);
	assert_int_equal(
		matches_bytes(
			"content:\"|00|\"; depth:1; byte_jump:2,0; byte_test:2,=,258,0,relative;",
			packet),
		1);
	assert_int_equal(matches_bytes("content:\"|00|\"; byte_extract:2,0,size; content:\"o\"; "
				       "offset:size; depth:2;",
				       packet),
			 1);
	assert_int_equal(
		matches("content:\"len=\"; byte_test:3,=,123,0,relative,string,dec;", "len=123;"),
		1);
	assert_int_equal(
		matches("content:\"len=\"; byte_test:3,=,0x123,0,relative,string,hex;", "len=123;"),
		1);
	/* Beyond the end: no match, and nothing read. */
	assert_int_equal(matches_bytes("content:\"hello\"; byte_test:4,=,5,8;", packet), 0);
}

static void test_base64(void **state)
{
	assert_int_equal(matches("content:\"x=\"; base64_decode:relative; base64_data; "
				 "content:\"attack\";",
				 "x=YXR0YWNrIGF0IGRhd24="),
			 1);
	assert_int_equal(matches("content:\"x=\"; base64_decode:relative; base64_data; "
				 "content:\"defend\";",
				 "x=YXR0YWNrIGF0IGRhd24="),
			 0);
}

static void test_tcp_flags(void **state)
{
	static const struct {
		const char *option;
		uint16_t flags;
		size_t alerts;
	} cases[] = {
		{"flags:S", TCP_SYN, 1},
		{"flags:S", TCP_SYN | TCP_ACK, 0},
		{"flags:S+", TCP_SYN | TCP_ACK, 1},
		{"flags:+SA", TCP_SYN, 0},
		{"flags:*SF", TCP_FIN | TCP_ACK, 1},
		{"flags:*SF", TCP_ACK, 0},
		{"flags:!SA", TCP_SYN, 1},
		{"flags:!SA", TCP_SYN | TCP_ACK, 0},
		{"flags:S,CE", TCP_SYN | TCP_ECE | TCP_CWR, 1},
		{"flags:0", 0, 1},
		{"fragbits:D", 0, 1},
		{"fragbits:M", 0, 0},
		{"fragbits:+D", 0, 1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[128];
		struct refusal refusal = {.count = 0};
		struct packet packet = {.version = 4,
					.transport = TRANSPORT_TCP,
					.flags = cases[i].flags,
					.dont_fragment = true,
					.source = address_v4(1),
					.destination = address_v4(2)};
		struct inspection inspection = {.kind = INSPECT_PACKET, .packet = &packet};
		struct alerts alerts = {.count = 0};
		struct engine *engine;

		(void)snprintf(text, sizeof(text), "alert tcp any any -> any any (%s; sid:1;)",
			       cases[i].option);
		engine = engine_with(text, &refusal);
		engine_inspect(engine, &inspection, alert, &alerts);
		if (refusal.count || alerts.count != cases[i].alerts)
			fail_msg("%s with %x: %zu alerts %s", cases[i].option, cases[i].flags,
				 alerts.count, refusal.count ? refusal.why : "");
		engine_free(engine);
	}
}

static void test_header(void **state)
{
	static const struct {
		const char *header;
		size_t alerts;
	} cases[] = {
		{"tcp any any -> any 80", 1},
		{"tcp any any -> any 81", 0},
		{"tcp any any -> any [1:100,!80]", 0},
		{"tcp any 1024: -> any :1023", 1},
		{"tcp 192.0.2.0/24 any -> 198.51.100.2 any", 1},
		{"tcp !192.0.2.0/24 any -> any any", 0},
		{"tcp [192.0.2.0/24,!192.0.2.1] any -> any any", 0},
		{"tcp 198.51.100.2 any -> any any", 0},
		{"tcp 198.51.100.2 any <> any any", 1},
		{"udp any any -> any any", 0},
		{"ip any any -> $HOME_NET any", 1},
		{"http any any -> any any", 0},
	};
	struct buffer buffer = {BUFFER_PAYLOAD, SLICE("abc")};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[256];
		struct flow flow = flow_of(APPLICATION_NONE);
		struct refusal refusal = {.count = 0};
		struct alerts alerts;
		struct engine *engine;

		(void)snprintf(text, sizeof(text), "alert %s (content:\"abc\"; sid:1;)",
			       cases[i].header);
		engine = engine_with(text, &refusal);
		assert_int_equal(refusal.count, 0);
		if (inspect(engine, &flow, INSPECT_STREAM, TO_SERVER, &buffer, 1, &alerts) !=
		    cases[i].alerts)
			fail_msg("%s: %zu alerts", cases[i].header, alerts.count);
		engine_free(engine);
	}
}

static void test_buffers_and_old_modifiers(void **state)
{
	struct engine *engine = engine_with(
		"alert http any any -> any any (http.method; content:\"GET\"; http.uri; "
		"content:\"/evil\"; startswith; sid:1;)\n"
		"alert tcp any any -> any any (content:\"GET\"; http_method; content:\"/evil\"; "
		"http_uri; sid:2;)\n"
		"alert http any any -> any any (http.host; dotprefix; content:\".bad.example\"; "
		"endswith; sid:3;)\n"
		"alert http any any -> any any (http.uri; content:\"/evil\"; http.cookie; "
		"content:\"a\"; sid:4;)\n"
		"alert http any any -> any any (http.uri; content:\"/evil\"; http.cookie; "
		"content:!\"a\"; sid:5;)\n",
		NULL);
	struct flow flow = flow_of(APPLICATION_HTTP);
	const struct buffer buffers[] = {{BUFFER_HTTP_METHOD, SLICE("GET")},
					 {BUFFER_HTTP_URI, SLICE("/evil?x")},
					 {BUFFER_HTTP_HOST, SLICE("bad.example")}};
	const struct buffer others[] = {{BUFFER_HTTP_METHOD, SLICE("POST")},
					{BUFFER_HTTP_URI, SLICE("/good/evil")},
					{BUFFER_HTTP_HOST, SLICE("notbad.example")}};
	struct alerts alerts;

	assert_int_equal(engine_counts(engine).refused, 0);
	inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, buffers, 3, &alerts);
	assert_int_equal(alerts.count, 4);
	for (size_t i = 0; i < alerts.count; i++)
		assert_int_not_equal(alerts.sids[i], 4);
	inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, others, 3, &alerts);
	assert_int_equal(alerts.count, 1); /* the one that asks for no cookie */
	assert_int_equal(alerts.sids[0], 5);
	assert_true(wants_buffer(engine_wants(engine), BUFFER_HTTP_HOST));
	assert_false(wants_buffer(engine_wants(engine), BUFFER_DNS_QUERY));
	engine_free(engine);
}

static void test_relative_tests_follow_an_old_modifier(void **state)
{
	struct engine *engine = engine_with(
		"alert http any any -> any any (uricontent:\"this\"; isdataat:!10,relative; "
		"sid:1;)\n"
		"alert http any any -> any any (content:\"x=\"; http_uri; base64_decode:relative; "
		"base64_data; content:\"attack\"; sid:2;)\n",
		NULL);
	struct flow flow = flow_of(APPLICATION_HTTP);
	struct buffer uris[] = {{BUFFER_HTTP_URI, SLICE("/this?x=YXR0YWNr")}};
	struct buffer longer[] = {{BUFFER_HTTP_URI, SLICE("/this?0123456789&x=ZGVmZW5k")}};
	struct alerts alerts;

	assert_int_equal(engine_counts(engine).refused, 0);
	inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, uris, 1, &alerts);
	assert_int_equal(alerts.count, 1);
	assert_int_equal(alerts.sids[0], 2);
	uris[0].bytes = SLICE("/this?q");
	inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, uris, 1, &alerts);
	assert_int_equal(alerts.count, 1);
	assert_int_equal(alerts.sids[0], 1);
	assert_int_equal(inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, longer, 1, &alerts),
			 0);
	engine_free(engine);
}

/* Stretches overlap: what was found in one is not told again in the next. */
static void test_old_bytes_are_no_news(void **state)
{
	struct engine *engine = engine_with(
		"alert tcp any any -> any any (content:\"{a\"; depth:2; content:\"login\"; "
		"distance:0; sid:1;)\n"
		"alert tcp any any -> any any (content:\"{a\"; content:\"x\"; distance:0; "
		"sid:2;)\n",
		NULL);
	struct flow flow = flow_of(APPLICATION_NONE);
	struct buffer buffer = {BUFFER_PAYLOAD, SLICE("{a login {a x")};
	struct inspection inspection = {.kind = INSPECT_STREAM,
					.flow = &flow,
					.findings = {.buffers = &buffer, .buffer_count = 1}};
	static const struct {
		size_t seen;
		uint32_t sids[2];
		size_t count;
	} cases[] = {{0, {1, 2}, 2}, {5, {1, 2}, 2}, {9, {2}, 1}, {12, {2}, 1}, {13, {0}, 0}};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct alerts alerts = {.count = 0};

		inspection.seen = cases[i].seen;
		engine_inspect(engine, &inspection, alert, &alerts);
		assert_int_equal(alerts.count, cases[i].count);
		for (size_t k = 0; k < alerts.count; k++)
			assert_int_equal(alerts.sids[k], cases[i].sids[k]);
	}
	engine_free(engine);
}

static void test_flow_and_bits(void **state)
{
	struct engine *engine = engine_with(
		"alert tcp any any -> any any (flow:to_server,established; content:\"two\"; "
		"flowbits:isset,seen; sid:2;)\n"
		"alert tcp any any -> any any (flow:to_server; content:\"one\"; "
		"flowbits:set,seen; flowbits:noalert; sid:1;)\n"
		"alert tcp any any -> any any (flow:to_client; content:\"one\"; sid:3;)\n",
		NULL);
	struct flow flow = flow_of(APPLICATION_NONE), fresh = flow_of(APPLICATION_NONE);
	struct buffer both = {BUFFER_PAYLOAD, SLICE("two one")},
		      two = {BUFFER_PAYLOAD, SLICE("two")};
	struct alerts alerts;

	assert_int_equal(inspect(engine, &flow, INSPECT_STREAM, TO_SERVER, &two, 1, &alerts), 0);
	/* The rule that sets the bit is looked at before the one that asks. */
	assert_int_equal(inspect(engine, &flow, INSPECT_STREAM, TO_SERVER, &both, 1, &alerts), 1);
	assert_int_equal(alerts.sids[0], 2);
	assert_int_equal(inspect(engine, &fresh, INSPECT_STREAM, TO_SERVER, &two, 1, &alerts), 0);
	assert_int_equal(inspect(engine, &flow, INSPECT_STREAM, TO_CLIENT, &both, 1, &alerts), 1);
	assert_int_equal(alerts.sids[0], 3);
	free(flow.bits);
	free(fresh.bits);
	engine_free(engine);
}

static size_t told_of_ten(const char *how)
{
	char text[256];
	struct flow flow = flow_of(APPLICATION_NONE);
	struct buffer buffer = {BUFFER_PAYLOAD, SLICE("abc")};
	struct alerts alerts;
	struct engine *engine;
	size_t told = 0;

	(void)snprintf(text, sizeof(text),
		       "alert tcp any any -> any any (content:\"abc\"; %s sid:1;)", how);
	engine = engine_with(text, NULL);
	assert_int_equal(engine_counts(engine).refused, 0);
	for (int i = 0; i < 10; i++)
		told += inspect(engine, &flow, INSPECT_STREAM, TO_SERVER, &buffer, 1, &alerts);
	engine_free(engine);
	return told;
}

static void test_thresholds(void **state)
{
	assert_int_equal(told_of_ten(""), 10);
	assert_int_equal(told_of_ten("threshold:type limit, track by_src, count 2, seconds 60;"),
			 2);
	assert_int_equal(
		told_of_ten("threshold:type threshold, track by_src, count 4, seconds 60;"), 2);
	assert_int_equal(told_of_ten("threshold:type both, track by_dst, count 4, seconds 60;"), 1);
	assert_int_equal(told_of_ten("detection_filter:track by_src, count 7, seconds 60;"), 3);
}

static void test_snort3(void **state)
{
	struct refusal refusal = {.count = 0};
	struct engine *engine = engine_with(
		"alert http ( msg:\"x\"; http_uri; content:\"/evil\",fast_pattern,nocase; "
		"content:\"q=\",distance 0,within 10; sid:1; )\n",
		&refusal);
	struct flow flow = flow_of(APPLICATION_HTTP);
	struct buffer uri = {BUFFER_HTTP_URI, SLICE("/EVIL?q=1")};
	struct alerts alerts;

	assert_int_equal(refusal.count, 0);
	assert_int_equal(inspect(engine, &flow, INSPECT_TRANSACTION, TO_SERVER, &uri, 1, &alerts),
			 1);
	engine_free(engine);
}

static void test_refusals_say_why(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"\n\nalert tcp any any -> any any (content:\"a\"; nonsense:1; sid:1;)",
		 "unknown keyword nonsense"},
		{"\n\nalert tcp any any any any (sid:1;)", "no -> or <>"},
		{"\n\nalert tcp any any -> any 70000 (sid:1;)", "not a port"},
		{"\n\nalert tcp $NOWHERE any -> any any (sid:1;)", "unknown variable"},
		{"\n\nalert tcp any any -> any any (content:\"a|0|\"; sid:1;)", "half a byte"},
		{"\n\nalert tcp any any -> any any (depth:3; sid:1;)", "needs a content"},
		{"\n\nalert tcp any any -> any any (pcre:\"/(/\"; sid:1;)", "pcre: "},
		{"\n\nalert tcp any any -> any any (content:\"a\";)", "without sid"},
		{"\n\nalert tcp any any -> any any (content:\"a\" sid:1)", "without ;"},
		{"\n\nalert frob any any -> any any (sid:1;)", "no protocol is called frob"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct refusal refusal = {.count = 0};
		struct engine *engine = engine_with(cases[i].text, &refusal);

		assert_int_equal(refusal.count, 1);
		assert_int_equal(refusal.line, 3);
		if (!strstr(refusal.why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, refusal.why);
		engine_free(engine);
	}
}

/* Broken rules of every kind: no crash, and the rest of the file still loads. */
static void test_mutations(void **state)
{
	static const char seed[] =
		"alert http [1.2.3.4,!$HOME_NET] any -> any [80,!81:90] (msg:\"m\"; "
		"flow:established; "
		"http.uri; content:\"|41 42|c\"; nocase; pcre:\"/a(b|c)+/Ri\"; "
		"byte_test:4,>,10,0,relative; threshold:type limit,track by_src,count 1,seconds 9; "
		"sid:7; rev:1;)";
	uint64_t random = 88172645463325252u;
	size_t refusals = 0;

	for (int round = 0; round < 3000; round++) {
		char text[sizeof(seed) + 80];
		struct refusal refusal = {.count = 0};
		struct engine *engine;

		memcpy(text, seed, sizeof(seed));
		for (int i = 0; i < 1 + round % 3; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* Not the last letter: a backslash there joins the lines. */
			text[random % (sizeof(seed) - 2)] =
				"();:\"|!,\\$[]a0 \x80"[random >> 32 & 15];
		}
		(void)snprintf(text + sizeof(seed) - 1, 80,
			       "\nalert tcp any any -> any any (content:\"x\"; sid:99;)\n");
		engine = engine_with(text, &refusal);
		assert_true(engine_counts(engine).loaded >= 1);
		refusals += refusal.count;
		engine_free(engine);
	}
	assert_true(refusals > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_relative_contents_are_tried_again),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_regular_expressions),
		cmocka_unit_test(test_numbers_in_bytes),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_tcp_flags),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_buffers_and_old_modifiers),
		cmocka_unit_test(test_relative_tests_follow_an_old_modifier),
		cmocka_unit_test(test_old_bytes_are_no_news),
		cmocka_unit_test(test_flow_and_bits),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_snort3),
		cmocka_unit_test(test_refusals_say_why),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
