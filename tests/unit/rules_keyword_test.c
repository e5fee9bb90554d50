/* Keywords that remember, that read headers and structures: each with what matches and what does
 * not. Packets are made as bytes and decoded, so that the keywords see what the sensor sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/rules/engine.h"
#include "capture/rules/marks.h"

#define NOW ((int64_t)1700000000 * SECOND)

static struct variables variables;
static char refused_because[256];

static void refused(void *context, const char *file, const struct rule_text *text, const char *why)
{
	(void)snprintf(refused_because, sizeof(refused_because), "%s", why);
}

static struct engine *engine_of(const char *text)
{
	static const struct engine_report report = {NULL, refused};
	struct engine *engine;

	refused_because[0] = '\0';
	rule_variables_start(&variables);
	engine = engine_new(&variables);
	assert_non_null(engine);
	engine_add(engine, "test", slice_text(text), &report);
	assert_null(engine_ready(engine, -1));
	return engine;
}

static struct engine *engine_that_loads(const char *text)
{
	struct engine *engine = engine_of(text);

	if (refused_because[0])
		fail_msg("%s: %s", text, refused_because);
	return engine;
}

static void assert_refused(const char *options, const char *why)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "alert tcp any any -> any any (content:\"a\"; %s sid:1;)", options);
	engine_free(engine_of(text));
	if (!strstr(refused_because, why) || !refused_because[0])
		fail_msg("%s: \"%s\"", options, refused_because);
}

struct sids {
	uint32_t at[16];
	size_t count;
};

static void alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct sids *sids = context;

	assert_true(sids->count < ARRAY_COUNT(sids->at));
	sids->at[sids->count++] = rule->sid;
}

static struct flow flow_between(uint32_t client, uint32_t server, enum application_id application)
{
	return (struct flow){.client = address_v4(client),
			     .server = address_v4(server),
			     .client_port = 40000,
			     .server_port = 21,
			     .transport = TRANSPORT_TCP,
			     .state = FLOW_ESTABLISHED,
			     .application = (uint8_t)application,
			     .started = NOW - 60 * SECOND,
			     .packets = {7, 5},
			     .bytes = {700, 1}};
}

#define CLIENT 0xc0000201
#define SERVER 0xc6336402

static struct flow usual_flow(void)
{
	return flow_between(CLIENT, SERVER, APPLICATION_NONE);
}

/* One stretch of a stream at a time. */
static struct sids look(struct engine *engine, struct flow *flow, enum direction direction,
			const char *bytes, int64_t time)
{
	struct buffer buffer = {BUFFER_PAYLOAD, slice_text(bytes)};
	struct inspection inspection = {.kind = INSPECT_STREAM,
					.direction = direction,
					.application = (enum application_id)flow->application,
					.flow = flow,
					.time = time,
					.findings = {.buffers = &buffer, .buffer_count = 1}};
	struct sids sids = {.count = 0};

	engine_inspect(engine, &inspection, alert, &sids);
	return sids;
}

static void forget(struct flow *flow)
{
	free(flow->bits);
	free(flow->numbers);
}

/* --- what is remembered --- */

static void test_flow_numbers(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"up\"; flowint:tries,+,1; noalert; "
		"sid:1;)\n"
		"alert tcp any any -> any any (content:\"down\"; flowint:tries,-,1; noalert; "
		"sid:2;)\n"
		"alert tcp any any -> any any (content:\"ask\"; flowint:tries,==,2; sid:3;)\n"
		"alert tcp any any -> any any (content:\"ask\"; flowint:tries,>,2; sid:4;)\n"
		"alert tcp any any -> any any (content:\"ask\"; flowint:tries,isnotset; sid:5;)\n"
		"alert tcp any any -> any any (content:\"ask\"; flowint:tries,isset; sid:6;)\n"
		"alert tcp any any -> any any (content:\"copy\"; flowint:limit,=,tries; noalert; "
		"sid:7;)\n"
		"alert tcp any any -> any any (content:\"both\"; flowint:tries,>=,limit; "
		"sid:8;)\n");
	struct flow flow = usual_flow(), other = usual_flow();
	struct sids sids = look(engine, &flow, TO_SERVER, "ask", NOW);

	assert_int_equal(sids.count, 1);
	assert_int_equal(sids.at[0], 5);
	look(engine, &flow, TO_SERVER, "up", NOW);
	look(engine, &flow, TO_SERVER, "up", NOW);
	sids = look(engine, &flow, TO_SERVER, "ask", NOW);
	assert_int_equal(sids.count, 2);
	assert_int_equal(sids.at[0], 3);
	assert_int_equal(sids.at[1], 6);
	assert_int_equal(look(engine, &flow, TO_SERVER, "both", NOW).count, 0);
	look(engine, &flow, TO_SERVER, "copy", NOW);
	assert_int_equal(look(engine, &flow, TO_SERVER, "both", NOW).count, 1);
	look(engine, &flow, TO_SERVER, "up", NOW);
	assert_int_equal(look(engine, &flow, TO_SERVER, "ask", NOW).at[0], 4);
	/* Not below zero, and nothing of another flow. */
	for (int i = 0; i < 9; i++)
		look(engine, &flow, TO_SERVER, "down", NOW);
	assert_int_equal(look(engine, &flow, TO_SERVER, "ask", NOW).count, 1);
	assert_int_equal(look(engine, &other, TO_SERVER, "ask", NOW).at[0], 5);
	forget(&flow);
	forget(&other);
	engine_free(engine);
	assert_refused("flowint:x,<>,5;", "flowint does not know <>");
	assert_refused("flowint:x;", "flowint does not know");
}

static void test_flow_numbers_are_bounded(void **state)
{
	struct writer w = writer_growing(65536);
	struct flow flow = usual_flow();
	struct engine *engine;

	for (int i = 0; i <= FLOW_NUMBERS_MAX; i++)
		writer_format(&w,
			      "alert tcp any any -> any any (content:\"a\"; flowint:n%d,=,1; "
			      "noalert; sid:%d;)\n",
			      i, i + 1);
	writer_u8(&w, '\0');
	engine = engine_that_loads((const char *)w.at);
	look(engine, &flow, TO_SERVER, "a", NOW);
	assert_int_equal(flow.numbers[0], FLOW_NUMBERS_MAX);
	forget(&flow);
	engine_free(engine);
	writer_free(&w);
}

static void test_marks_on_addresses(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"in\"; xbits:set,seen,track ip_src,expire "
		"10; xbits:noalert; sid:1;)\n"
		"alert tcp any any -> any any (content:\"ask\"; xbits:isset,seen,track ip_src; "
		"sid:2;)\n"
		"alert tcp any any -> any any (content:\"ask\"; xbits:isset,seen,track ip_dst; "
		"sid:3;)\n"
		"alert tcp any any -> any any (content:\"pair\"; xbits:set,both,track ip_pair; "
		"noalert; sid:4;)\n"
		"alert tcp any any -> any any (content:\"ask\"; xbits:isset,both,track ip_pair; "
		"sid:5;)\n"
		"alert tcp any any -> any any (content:\"out\"; hostbits:unset,seen; noalert; "
		"sid:6;)\n");
	struct flow flow = usual_flow(), later = usual_flow();
	struct flow stranger = flow_between(CLIENT + 7, SERVER, APPLICATION_NONE);
	struct sids sids;

	look(engine, &flow, TO_SERVER, "in", NOW);
	sids = look(engine, &later, TO_SERVER, "ask", NOW + 9 * SECOND);
	assert_int_equal(sids.count, 1);
	assert_int_equal(sids.at[0], 2);
	/* Seen from the server's side it is the other end. */
	sids = look(engine, &later, TO_CLIENT, "ask", NOW + 9 * SECOND);
	assert_int_equal(sids.count, 1);
	assert_int_equal(sids.at[0], 3);
	assert_int_equal(look(engine, &stranger, TO_SERVER, "ask", NOW).count, 0);
	assert_int_equal(look(engine, &later, TO_SERVER, "ask", NOW + 10 * SECOND).count, 0);
	look(engine, &flow, TO_SERVER, "in", NOW);
	look(engine, &flow, TO_SERVER, "out", NOW);
	assert_int_equal(look(engine, &later, TO_SERVER, "ask", NOW).count, 0);
	look(engine, &flow, TO_SERVER, "pair", NOW);
	assert_int_equal(look(engine, &later, TO_CLIENT, "ask", NOW).at[0], 5);
	assert_int_equal(look(engine, &stranger, TO_SERVER, "ask", NOW).count, 0);
	engine_free(engine);
	assert_refused("xbits:set,a,track tx;", "does not know track tx");
	assert_refused("xbits:frob,a;", "needs set");
	assert_refused("hostbits:isset;", "needs set");
}

static void test_marks_are_bounded(void **state)
{
	struct marks *marks = marks_new();
	size_t left = 0;

	for (uint32_t i = 0; i < 4 * MARKS_MAX; i++) {
		struct address address = address_v4(i);

		marks_set(marks, 1, &address, NULL, NOW, NOW + i + 1);
	}
	for (uint32_t i = 0; i < 4 * MARKS_MAX; i++) {
		struct address address = address_v4(i);

		left += marks_has(marks, 1, &address, NULL, NOW);
	}
	/* Full, but not more; and what ends last is there. */
	assert_in_range(left, MARKS_MAX * 9 / 10, MARKS_MAX);
	assert_true(marks_has(marks, 1, &(struct address){{0, 0, 0xff, 0xff}, 4}, NULL, NOW));
	marks_free(marks);
}

/* --- the flow --- */

static size_t looks(const char *options, const char *bytes)
{
	char text[512];
	struct flow flow = usual_flow();
	struct engine *engine;
	size_t count;

	(void)snprintf(text, sizeof(text), "alert tcp any any -> any any (%s sid:1;)", options);
	engine = engine_that_loads(text);
	count = look(engine, &flow, TO_SERVER, bytes, NOW).count;
	engine_free(engine);
	forget(&flow);
	return count;
}

static void test_sizes(void **state)
{
	assert_int_equal(looks("content:\"a\"; bufferlen:3;", "abc"), 1);
	assert_int_equal(looks("content:\"a\"; bufferlen:4;", "abc"), 0);
	assert_int_equal(looks("content:\"a\"; bufferlen:2,relative;", "abc"), 1);
	assert_int_equal(looks("content:\"a\"; bufferlen:3,relative;", "abc"), 0);
	assert_refused("bufferlen:3,sideways;", "does not know sideways");
	/* The client sent 700 bytes, the server one. */
	assert_int_equal(looks("content:\"a\"; stream_size:client,>,699;", "a"), 1);
	assert_int_equal(looks("content:\"a\"; stream_size:server,>,699;", "a"), 0);
	assert_int_equal(looks("content:\"a\"; stream_size:either,=,1;", "a"), 1);
	assert_int_equal(looks("content:\"a\"; stream_size:both,>,1;", "a"), 0);
	assert_int_equal(looks("content:\"a\"; stream_size:1,to_client;", "a"), 1);
	assert_int_equal(looks("content:\"a\"; stream_size:1,to_server;", "a"), 0);
	assert_refused("stream_size:nobody,>,1;", "needs server, client");
}

static void test_applications(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"a\"; app-layer-protocol:!http1; sid:1;)\n"
		"alert tcp any any -> any any (content:\"a\"; app-layer-protocol:http; sid:2;)\n"
		"alert tcp any any -> any any (content:\"a\"; app-layer-protocol:failed; "
		"sid:3;)\n");
	struct flow flow = usual_flow();

	/* Not known yet: nothing is said. */
	assert_int_equal(look(engine, &flow, TO_SERVER, "a", NOW).count, 0);
	flow.unread[TO_SERVER] = 1;
	assert_int_equal(look(engine, &flow, TO_SERVER, "a", NOW).count, 2);
	flow.application = APPLICATION_HTTP;
	assert_int_equal(look(engine, &flow, TO_SERVER, "a", NOW).at[0], 2);
	flow.application = APPLICATION_SSH;
	assert_int_equal(look(engine, &flow, TO_SERVER, "a", NOW).at[0], 1);
	assert_int_equal(look(engine, &flow, TO_SERVER, "a", NOW).count, 1);
	engine_free(engine);
	assert_refused("app-layer-protocol:frob;", "no application is called frob");
}

/* --- structures --- */

static void test_ber(void **state)
{
	/* A sequence of an integer and a text. */
	static const char bytes[] = "x\x30\x06\x02\x01\x05\x04\x01z";

	assert_int_equal(looks("content:\"x\"; ber_data:0x30; ber_data:2;", bytes), 1);
	assert_int_equal(looks("content:\"x\"; ber_data:0x30; ber_skip:2; content:\"z\"; "
			       "distance:2; within:1;",
			       bytes),
			 1);
	assert_int_equal(looks("content:\"x\"; ber_data:0x31;", bytes), 0);
	assert_int_equal(looks("content:\"x\"; ber_skip:0x31;", bytes), 0);
	assert_int_equal(looks("content:\"x\"; ber_skip:0x31,optional; ber_data:0x30;", bytes), 1);
	assert_int_equal(looks("content:\"z\"; ber_data:4;", bytes), 0);
	assert_refused("ber_data:0x130;", "type of one byte");
	assert_refused("ber_data:4,optional;", "does not know optional");
}

static void test_asn1(void **state)
{
	/* A bit string with nine unused bits, in a sequence; an element that promises 4096 bytes.
	 */
	static const char bits[] = "x\x30\x04\x03\x02\x09\x7f",
			  sound[] = "x\x30\x04\x03\x02\x07\x7f";
	static const char promise[] = "x\x04\x82\x10\x01z";

	assert_int_equal(looks("content:\"x\"; asn1:bitstring_overflow, relative_offset 0;", bits),
			 1);
	assert_int_equal(looks("content:\"x\"; asn1:bitstring_overflow, absolute_offset 1;", bits),
			 1);
	assert_int_equal(looks("content:\"x\"; asn1:bitstring_overflow, relative_offset 0;", sound),
			 0);
	assert_int_equal(
		looks("content:\"x\"; asn1:oversize_length 4096, relative_offset 0;", promise), 1);
	assert_int_equal(
		looks("content:\"x\"; asn1:oversize_length 4097, relative_offset 0;", promise), 0);
	assert_refused("asn1:frob;", "does not know frob");
	assert_refused("asn1:relative_offset 3;", "needs something");
}

static void test_ftp_bounce(void **state)
{
	assert_int_equal(looks("content:\"PORT\"; ftpbounce;", "PORT 192,0,2,1,4,5\r\n"), 0);
	assert_int_equal(looks("content:\"PORT\"; ftpbounce;", "PORT 192,0,2,9,4,5\r\n"), 1);
	assert_int_equal(looks("content:\"P\"; ftpbounce;", "port 192,0,2,9,4,5\r\n"), 0);
	assert_int_equal(looks("content:\"p\"; depth:1; ftpbounce;", "p port 192,0,2,9,4,5\r\n"),
			 1);
	assert_int_equal(looks("content:\"PORT\"; ftpbounce;", "PORT 192,0,2\r\n"), 0);
}

/* --- headers --- */

/* How many alerts the options give for a raw IP packet, written in hexadecimal. */
static size_t sees(const char *protocol, const char *options, const char *hex)
{
	char text[512];
	uint8_t bytes[256];
	struct packet packet;
	struct inspection inspection = {.kind = INSPECT_PACKET, .packet = &packet, .time = NOW};
	struct sids sids = {.count = 0};
	struct engine *engine;
	int length = slice_unhex(slice_text(hex), bytes, sizeof(bytes));

	assert_true(length > 0);
	(void)packet_decode(&packet, LINK_RAW, slice_of(bytes, (size_t)length), (uint32_t)length,
			    NOW, false);
	(void)snprintf(text, sizeof(text), "alert %s any any -> any any (%s sid:1;)", protocol,
		       options);
	engine = engine_that_loads(text);
	engine_inspect(engine, &inspection, alert, &sids);
	engine_free(engine);
	return sids.count;
}

#define IP4(total, protocol)     \
	"4500" total "000040004" \
	"0" protocol "0000c0000201c6336402"
#define IP6(length, next)                  \
	"60000000" length next "40"        \
	"20010db8000000000000000000000001" \
	"20010db8000000000000000000000002"
#define PORTS       "9c400050"
#define TCP_NUMBERS "0000000100000002"

static void test_decode_events_of_ipv6(void **state)
{
	static const struct {
		const char *event, *packet;
		size_t alerts;
	} cases[] = {
		/* A fragment header that cuts nothing. */
		{"ipv6.exthdr_useless_fh",
		 IP6("0010", "2c") "3b0000000000000141414141414141"
				   "41",
		 1},
		{"ipv6.exthdr_useless_fh",
		 IP6("0010", "2c") "3b0000010000000141414141414141"
				   "41",
		 0},
		{"ipv6.frag_invalid_length", IP6("000f", "2c") "3b0000010000000141414141414141", 1},
		{"ipv6.frag_invalid_length",
		 IP6("0010", "2c") "3b0000010000000141414141414141"
				   "41",
		 0},
		/* The last piece may have any length. */
		{"ipv6.frag_invalid_length", IP6("000f", "2c") "3b0000080000000141414141414141", 0},
		{"ipv6.frag_pkt_too_large",
		 IP6("0010", "2c") "3b00fff80000000141414141414141"
				   "41",
		 1},
		{"ipv6.frag_pkt_too_large", IP6("000f", "2c") "3b00fff80000000141414141414141", 0},
		{"ipv6.exthdr_dupl_fh", IP6("0010", "2c") "2c000000000000013b00000000000001", 1},
		{"ipv6.trunc_exthdr", IP6("0008", "00") "3b01010400000000", 1},
		{"ipv6.trunc_exthdr", IP6("0008", "00") "3b00010400000000", 0},
		{"ipv6.trunc_exthdr", IP6("0009", "2c") "060000000000000100", 1},
		{"ipv6.trunc_exthdr", IP6("000a", "2c") "06000000000000010000", 0},
		{"ipv6.hopopts_unknown_opt", IP6("0008", "00") "3b003e0400000000", 1},
		{"ipv6.hopopts_unknown_opt", IP6("0008", "00") "3b00010400000000", 0},
		{"ipv6.dstopts_unknown_opt", IP6("0008", "3c") "3b003e0400000000", 1},
		{"ipv6.dstopts_unknown_opt", IP6("0008", "00") "3b003e0400000000", 0},
		{"ipv6.ipv4_in_ipv6_wrong_version", IP6("0008", "04") "5500000000000000", 1},
		{"ipv6.trunc_pkt", IP6("0009", "3b") "5500000000000000", 1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char options[80];

		(void)snprintf(options, sizeof(options), "decode-event:%s;", cases[i].event);
		if (sees("pkthdr", options, cases[i].packet) != cases[i].alerts)
			fail_msg("%s, case %zu", cases[i].event, i);
	}
}

static void test_decode_events_of_transports(void **state)
{
	static const struct {
		const char *protocol, *event, *packet;
		size_t alerts;
	} cases[] = {
		{"tcp", "tcp.pkt_too_small", IP4("0027", "06") PORTS TCP_NUMBERS "50000000000000",
		 1},
		{"tcp", "tcp.pkt_too_small", IP4("0028", "06") PORTS TCP_NUMBERS "5000000000000000",
		 0},
		{"tcp", "tcp.hlen_too_small",
		 IP4("0028", "06") PORTS TCP_NUMBERS "4000000000000000", 1},
		{"tcp", "tcp.invalid_optlen",
		 IP4("0028", "06") PORTS TCP_NUMBERS "6000000000000000", 1},
		{"tcp", "tcp.opt_invalid_len",
		 IP4("002c", "06") PORTS TCP_NUMBERS "600000000000000002030500", 1},
		{"tcp", "tcp.opt_invalid_len",
		 IP4("002c", "06") PORTS TCP_NUMBERS "6000000000000000020405b4", 0},
		{"tcp", "tcp.opt_duplicate",
		 IP4("0030", "06") PORTS TCP_NUMBERS "7000000000000000020405b4020405b4", 1},
		{"udp", "udp.hlen_too_small", IP4("001b", "11") PORTS "000800", 1},
		{"udp", "udp.len_invalid", IP4("001c", "11") PORTS "00070000", 1},
		{"udp", "udp.len_invalid", IP4("001c", "11") PORTS "00080000", 0},
		{"udp", "udp.pkt_too_small", IP4("001c", "11") PORTS "00090000", 1},
		{"ip", "gre.pkt_too_small", IP4("0017", "2f") "000000", 1},
		{"sctp", "sctp.pkt_too_small", IP4("001c", "84") PORTS "00000000", 1},
		{"ip", "icmpv4.pkt_too_small", IP4("001b", "01") "08000000000000", 1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char options[80];

		(void)snprintf(options, sizeof(options), "decode-event:%s;", cases[i].event);
		if (sees(cases[i].protocol, options, cases[i].packet) != cases[i].alerts)
			fail_msg("%s, case %zu", cases[i].event, i);
	}
	assert_refused("decode-event:ipv4.frob;", "decode-event does not know ipv4.frob");
}

/* --- sums --- */

static void test_sums(void **state)
{
	static const struct {
		const char *options, *packet;
		size_t alerts;
	} cases[] = {
		{"ipv4-csum:invalid;", IP4("0014", "3b"), 1},
		{"ipv4-csum:valid;", IP4("0014", "3b"), 0},
		{"ipv4-csum:\"valid\";", "4500001400004000403b4e78c0000201c6336402", 1},
		/* A datagram without a sum, and one with a wrong one. */
		{"udpv4-csum:valid;", IP4("001c", "11") PORTS "00080000", 1},
		{"udpv4-csum:invalid;", IP4("001c", "11") PORTS "00081234", 1},
		{"tcpv4-csum:invalid;", IP4("001c", "11") PORTS "00081234", 0},
		{"udpv6-csum:invalid;", IP4("001c", "11") PORTS "00081234", 0},
		{"icmpv4-csum:valid;", IP4("001c", "01") "0800f7ff00000000", 1},
		{"icmpv4-csum:invalid;", IP4("001c", "01") "0800f7fe00000000", 1},
		/* Cut short: nobody can tell. */
		{"icmpv4-csum:invalid;", IP4("001d", "01") "0800f7fe00000000", 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (sees("ip", cases[i].options, cases[i].packet) != cases[i].alerts)
			fail_msg("%s, case %zu", cases[i].options, i);
	assert_refused("tcpv4-csum:odd;", "valid or invalid");
}

/* Packets with wrong sums go to rules that ask for sums, and to no others. */
static void test_wrong_sums(void **state)
{
	struct engine *engine =
		engine_that_loads("alert udp any any -> any any (content:\"a\"; sid:1;)\n"
				  "alert udp any any -> any any (dsize:1; sid:2;)\n"
				  "alert udp any any -> any any (udpv4-csum:invalid; sid:3;)\n");
	uint8_t bytes[64];
	int length =
		slice_unhex(slice_text(IP4("001d", "11") PORTS "0009123461"), bytes, sizeof(bytes));
	struct packet packet;
	struct buffer buffer;
	struct inspection inspection = {.kind = INSPECT_PACKET, .packet = &packet, .time = NOW};
	struct sids sids = {.count = 0};

	assert_int_equal(packet_decode(&packet, LINK_RAW, slice_of(bytes, (size_t)length),
				       (uint32_t)length, NOW, true),
			 0);
	assert_true(packet.flaws & FLAW_TRANSPORT_CHECKSUM);
	buffer = (struct buffer){BUFFER_PAYLOAD, packet.payload};
	inspection.findings = (struct findings){.buffers = &buffer, .buffer_count = 1};
	engine_inspect(engine, &inspection, alert, &sids);
	assert_int_equal(sids.count, 1);
	assert_int_equal(sids.at[0], 3);
	packet.flaws = 0;
	sids.count = 0;
	engine_inspect(engine, &inspection, alert, &sids);
	assert_int_equal(sids.count, 3);
	engine_free(engine);
}

/* Oddities that the sensor tells with the packet. */
static void test_oddities(void **state)
{
	static const char *const told[] = {"ipv6.frag_overlap", "stream.pkt_invalid_timestamp"};
	struct engine *engine = engine_that_loads(
		"alert ip any any -> any any (decode-event:ipv6.frag_overlap; sid:1;)\n"
		"alert ip any any -> any any (decode-event:ipv4.frag_overlap; sid:2;)\n"
		"alert ip any any -> any any (stream-event:pkt_invalid_timestamp; sid:3;)\n");
	struct flow flow = usual_flow();

	for (size_t i = 0; i < ARRAY_COUNT(told); i++) {
		struct packet packet = {.version = 6};
		struct inspection inspection = {
			.kind = INSPECT_PACKET,
			.packet = &packet,
			.flow = &flow,
			.time = NOW,
			.findings = {.anomalies = &told[i], .anomaly_count = 1}};
		struct sids sids = {.count = 0};

		engine_inspect(engine, &inspection, alert, &sids);
		assert_int_equal(sids.count, 1);
		assert_int_equal(sids.at[0], i ? 3 : 1);
	}
	engine_free(engine);
	assert_refused("stream-event:no_such;", "does not know no_such");
}

static void test_versions_of_ip(void **state)
{
	static const char four[] = IP4("001c", "11") PORTS "00080000";
	static const char six[] = IP6("0008", "11") PORTS "00080000";
	static const char big[] = IP6("0008", "3a") "02000000000004ff";

	assert_int_equal(sees("ip", "", four), 1);
	assert_int_equal(sees("ipv4", "", four), 1);
	assert_int_equal(sees("ipv6", "", four), 0);
	assert_int_equal(sees("ipv6", "", six), 1);
	assert_int_equal(sees("ip4", "", six), 0);
	assert_int_equal(sees("icmpv6", "icmpv6.mtu:<1280;", big), 1);
	assert_int_equal(sees("icmpv6", "icmpv6.mtu:>1279;", big), 0);
	assert_int_equal(sees("icmpv4", "", big), 0);
}

/* --- applications --- */

static size_t finds(const char *header, const char *options, enum application_id application,
		    enum direction direction, const struct findings *findings)
{
	char text[512];
	struct flow flow = flow_between(CLIENT, SERVER, application);
	struct inspection inspection = {.kind = INSPECT_TRANSACTION,
					.direction = direction,
					.application = application,
					.flow = &flow,
					.time = NOW,
					.findings = *findings};
	struct sids sids = {.count = 0};
	struct engine *engine;

	(void)snprintf(text, sizeof(text), "alert %s any any -> any any (%s sid:1;)", header,
		       options);
	engine = engine_that_loads(text);
	engine_inspect(engine, &inspection, alert, &sids);
	engine_free(engine);
	forget(&flow);
	return sids.count;
}

static size_t finds_buffer(const char *options, enum application_id application,
			   enum buffer_id buffer, const char *bytes)
{
	struct buffer one = {buffer, slice_text(bytes)};

	return finds("tcp", options, application, TO_SERVER,
		     &(struct findings){.buffers = &one, .buffer_count = 1});
}

static size_t finds_fact(const char *options, enum application_id application, enum fact_id fact,
			 int64_t value)
{
	struct fact one = {fact, value};

	return finds(application == APPLICATION_TLS ? "tls" : "tcp", options, application,
		     TO_CLIENT, &(struct findings){.facts = &one, .fact_count = 1});
}

static void test_words_of_applications(void **state)
{
	static const char uuid[] = "367abb81-9844-35f1-ad32-98f038001003";
	static const struct {
		const char *options;
		enum application_id application;
		enum buffer_id buffer;
		const char *bytes;
		size_t alerts;
	} cases[] = {
		{"sip_method:invite,options;", APPLICATION_SIP, BUFFER_SIP_METHOD, "OPTIONS", 1},
		{"sip_method:invite,options;", APPLICATION_SIP, BUFFER_SIP_METHOD, "BYE", 0},
		{"sip_method:!invite;", APPLICATION_SIP, BUFFER_SIP_METHOD, "BYE", 1},
		{"sip_method:!invite;", APPLICATION_SIP, BUFFER_SIP_METHOD, "INVITE", 0},
		{"sip_stat_code:4,200;", APPLICATION_SIP, BUFFER_SIP_STATUS, "404", 1},
		{"sip_stat_code:4,200;", APPLICATION_SIP, BUFFER_SIP_STATUS, "200", 1},
		{"sip_stat_code:4,200;", APPLICATION_SIP, BUFFER_SIP_STATUS, "401x", 0},
		{"sip_stat_code:4,200;", APPLICATION_SIP, BUFFER_SIP_STATUS, "180", 0},
		{"dce_iface:uuid 367ABB81-9844-35f1-ad32-98f038001003;", APPLICATION_SMB,
		 BUFFER_DCERPC_INTERFACE, uuid, 1},
		{"dcerpc.iface:367abb81-9844-35f1-ad32-98f038001004;", APPLICATION_SMB,
		 BUFFER_DCERPC_INTERFACE, uuid, 0},
		{"fileext:\"exe\";", APPLICATION_HTTP, BUFFER_FILE_NAME, "a.EXE", 1},
		{"fileext:\"exe\";", APPLICATION_HTTP, BUFFER_FILE_NAME, "aexe", 0},
		{"fileext:!\"exe\";", APPLICATION_HTTP, BUFFER_FILE_NAME, "a.txt", 1},
		{"filename:\"SECRET\";", APPLICATION_HTTP, BUFFER_FILE_NAME, "my secret.txt", 1},
		{"filename; content:\"secret\";", APPLICATION_HTTP, BUFFER_FILE_NAME, "secret", 1},
		{"tls.fingerprint:\"AB:cd\";", APPLICATION_TLS, BUFFER_TLS_FINGERPRINT, "ab:cd", 1},
		{"tls.subject:\"CN=x\";", APPLICATION_TLS, BUFFER_TLS_SUBJECT, "C=Y, CN=x", 1},
		{"tls.issuerdn:!\"CN=x\";", APPLICATION_TLS, BUFFER_TLS_ISSUER, "C=Y, CN=x", 0},
		{"ssh.softwareversion:\"libssh\";", APPLICATION_SSH, BUFFER_SSH_SOFTWARE,
		 "libssh_0.9", 1},
		{"ssh.protoversion:2.0;", APPLICATION_SSH, BUFFER_SSH_PROTOCOL, "1.5", 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (finds_buffer(cases[i].options, cases[i].application, cases[i].buffer,
				 cases[i].bytes) != cases[i].alerts)
			fail_msg("%s and %s", cases[i].options, cases[i].bytes);
	assert_refused("sip_stat_code:44;", "needs codes");
	assert_refused("dce_iface:1;", "needs a UUID");
	assert_refused("ssl_state:client_keyx;", "does not know client_keyx");
	assert_refused("ssl_version:tls9;", "does not know tls9");
}

static void test_numbers_of_applications(void **state)
{
	int64_t now = NOW / SECOND;

	assert_int_equal(finds_fact("dce_opnum:\"9\";", APPLICATION_SMB, FACT_DCERPC_OPNUM, 9), 1);
	assert_int_equal(finds_fact("dce_opnum:1,5-9;", APPLICATION_SMB, FACT_DCERPC_OPNUM, 7), 1);
	assert_int_equal(finds_fact("dce_opnum:1,5-9;", APPLICATION_SMB, FACT_DCERPC_OPNUM, 4), 0);
	assert_int_equal(
		finds_fact("ssl_version:sslv3,tls1.0;", APPLICATION_TLS, FACT_TLS_VERSION, 0x301),
		1);
	assert_int_equal(
		finds_fact("ssl_version:!tls1.2;", APPLICATION_TLS, FACT_TLS_VERSION, 0x303), 0);
	assert_int_equal(
		finds_fact("tls_cert_expired;", APPLICATION_TLS, FACT_TLS_NOT_AFTER, now - 1), 1);
	assert_int_equal(finds_fact("tls_cert_expired;", APPLICATION_TLS, FACT_TLS_NOT_AFTER, now),
			 0);
	assert_int_equal(finds_fact("tls_cert_valid;", APPLICATION_TLS, FACT_TLS_NOT_BEFORE, now),
			 1);
	assert_int_equal(
		finds_fact("tls_cert_valid;", APPLICATION_TLS, FACT_TLS_NOT_BEFORE, now + 1), 0);
}

/* Numbers that rules call by names. */
static void test_named_numbers(void **state)
{
	static const struct {
		const char *options;
		enum application_id application;
		enum fact_id fact;
		int64_t value;
		size_t alerts;
	} cases[] = {
		{"krb5.ticket_encryption:weak;", APPLICATION_KRB5, FACT_KRB5_TICKET_ENCRYPTION, 23,
		 1},
		{"krb5.ticket_encryption:weak;", APPLICATION_KRB5, FACT_KRB5_TICKET_ENCRYPTION, 18,
		 0},
		{"krb5.ticket_encryption:strong;", APPLICATION_KRB5, FACT_KRB5_TICKET_ENCRYPTION,
		 18, 1},
		{"krb5.ticket_encryption:rc4-hmac;", APPLICATION_KRB5, FACT_KRB5_TICKET_ENCRYPTION,
		 23, 1},
		{"krb5.ticket_encryption:17,23;", APPLICATION_KRB5, FACT_KRB5_TICKET_ENCRYPTION, 18,
		 0},
		{"mqtt.type:PUBLISH;", APPLICATION_MQTT, FACT_MQTT_TYPE, 3, 1},
		{"mqtt.type:connect;", APPLICATION_MQTT, FACT_MQTT_TYPE, 3, 0},
		{"dhcp.leasetime:<7200;", APPLICATION_DHCP, FACT_DHCP_LEASE_TIME, 7199, 1},
		{"dhcp.leasetime:<7200;", APPLICATION_DHCP, FACT_DHCP_LEASE_TIME, 7200, 0},
		{"dhcp.renewal_time:1000<>2000;", APPLICATION_DHCP, FACT_DHCP_RENEWAL_TIME, 1500,
		 1},
		{"dhcp.rebinding_time:>3000;", APPLICATION_DHCP, FACT_DHCP_REBINDING_TIME, 3000, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (finds_fact(cases[i].options, cases[i].application, cases[i].fact,
			       cases[i].value) != cases[i].alerts)
			fail_msg("%s %lld", cases[i].options, (long long)cases[i].value);
	assert_refused("mqtt.type:NOTHING;", "NOTHING");
	assert_refused("geoip:src,RU;", "countries");
	assert_refused("iprep:src,BadHosts,>,10;", "reputations");
}

/* pcrexform: the buffer is what the group matches; all of it where nothing does. */
static void test_captures(void **state)
{
	static const char options[] =
		"http.request_line; pcrexform:\"[a-z]+ (.*) HTTP\"; content:\"/x\"; bsize:2;";
	static const char other[] =
		"http.request_line; pcrexform:\"(b)|a\"; content:\"a\"; bsize:1;";

	assert_int_equal(finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_REQUEST_LINE,
				      "get /x HTTP/1.1"),
			 1);
	assert_int_equal(finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_REQUEST_LINE,
				      "GET /x HTTP/1.1"),
			 0);
	assert_int_equal(finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_REQUEST_LINE, "/x"),
			 1);
	assert_int_equal(finds_buffer(other, APPLICATION_HTTP, BUFFER_HTTP_REQUEST_LINE, "a"), 1);
	assert_int_equal(finds_buffer(other, APPLICATION_HTTP, BUFFER_HTTP_REQUEST_LINE, ""), 0);
	assert_refused("http.uri; pcrexform:\"(a\"; content:\"b\";", "pcrexform");
	assert_refused("http.uri; pcrexform:\"a\"; content:\"b\";", "one group");
	assert_refused("http.uri; pcrexform:\"(a)\"; content:\"b\"; nosuch;", "nosuch");
}

/* DCE/RPC over SMB's pipes is DCE/RPC. */
static void test_rpc_over_smb(void **state)
{
	struct fact fact = {FACT_DCERPC_OPNUM, 15};
	struct findings findings = {.facts = &fact, .fact_count = 1};

	assert_int_equal(
		finds("dcerpc", "dcerpc.opnum:15;", APPLICATION_DCERPC, TO_SERVER, &findings), 1);
	assert_int_equal(finds("dcerpc", "dcerpc.opnum:15;", APPLICATION_SMB, TO_SERVER, &findings),
			 1);
	assert_int_equal(
		finds("dcerpc", "dcerpc.opnum:15;", APPLICATION_HTTP, TO_SERVER, &findings), 0);
	assert_int_equal(finds("smb", "dcerpc.opnum:15;", APPLICATION_DCERPC, TO_SERVER, &findings),
			 0);
}

/* What unsets marks comes before what sets them, and that before what asks. */
static void test_order_of_marks(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"a\"; flowbits:isset,x; sid:1;)\n"
		"alert tcp any any -> any any (content:\"a\"; flowbits:set,x; sid:2;)\n"
		"alert tcp any any -> any any (content:\"a\"; flowbits:unset,x; sid:3;)\n");
	struct flow flow = usual_flow();
	struct sids sids = look(engine, &flow, TO_SERVER, "a", NOW);

	assert_int_equal(sids.count, 3);
	assert_int_equal(sids.at[0], 3);
	assert_int_equal(sids.at[1], 2);
	assert_int_equal(sids.at[2], 1);
	forget(&flow);
	engine_free(engine);
}

/* How often rules without anything to look for are told of a flow's packets. */
static void test_once_a_flow(void **state)
{
	static const struct {
		const char *rule;
		size_t alerts; /* in two packets to the server and one back */
	} cases[] = {
		{"alert tls any any -> any any (sid:1;)", 2},
		{"alert tls any any -> any any (flow:to_server; sid:1;)", 2},
		{"alert ip any any -> any any (flow:to_server; sid:1;)", 2},
		{"alert ip any any -> any any (sid:1;)", 2},
		{"alert tcp any any -> any any (app-layer-protocol:tls; prefilter; sid:1;)", 1},
		{"alert tcp any any -> any any (app-layer-protocol:http; prefilter; sid:1;)", 0},
		{"alert tcp any any -> any any (app-layer-protocol:tls; sid:1;)", 3},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct engine *engine = engine_that_loads(cases[i].rule);
		struct flow flow = flow_between(CLIENT, SERVER, APPLICATION_TLS);
		struct packet packet = {.version = 4, .transport = TRANSPORT_TCP};
		struct sids sids = {.count = 0};

		for (unsigned k = 0; k < 3; k++) {
			struct inspection inspection = {.kind = INSPECT_PACKET,
							.direction = k == 1 ? TO_CLIENT : TO_SERVER,
							.application = APPLICATION_TLS,
							.packet = &packet,
							.flow = &flow,
							.time = NOW};

			packet.source = k == 1 ? flow.server : flow.client;
			packet.destination = k == 1 ? flow.client : flow.server;
			engine_inspect(engine, &inspection, alert, &sids);
		}
		if (sids.count != cases[i].alerts)
			fail_msg("%s: %zu", cases[i].rule, sids.count);
		engine_free(engine);
	}
}

static void test_handshakes(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"x\"; ssl_state:client_hello; sid:1;)\n"
		"alert tcp any any -> any any (content:\"x\"; ssl_state:server_hello; sid:2;)\n");
	struct flow flow = flow_between(CLIENT, SERVER, APPLICATION_TLS), plain = usual_flow();

	assert_int_equal(look(engine, &flow, TO_SERVER, "x", NOW).count, 1);
	assert_int_equal(look(engine, &flow, TO_CLIENT, "x", NOW).count, 2);
	assert_int_equal(look(engine, &plain, TO_CLIENT, "x", NOW).count, 0);
	engine_free(engine);
}

static void test_what_follows_an_old_modifier(void **state)
{
	static const char options[] = "content:\"/a=\"; http_uri; isdataat:!3,relative;";

	assert_int_equal(finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_URI, "/a=12"), 1);
	assert_int_equal(finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_URI, "/a=123"), 0);
}

/* A rule is found by its content although the buffer is changed before it is looked at. */
static void test_dot_in_front(void **state)
{
	static const struct {
		const char *content, *host;
		size_t alerts;
	} cases[] = {
		{".bad.example", "bad.example", 1},
		{".bad.example", "x.bad.example", 1},
		{".bad.example", "xbad.example", 0},
		{"bad.example", "xbad.example", 1},
		{".b", "b", 1},
		{".", "b", 1},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char options[80];
		struct engine *engine;

		(void)snprintf(options, sizeof(options),
			       "http.host; dotprefix; content:\"%s\"; nocase;", cases[i].content);
		if (finds_buffer(options, APPLICATION_HTTP, BUFFER_HTTP_HOST, cases[i].host) !=
		    cases[i].alerts)
			fail_msg("%s and %s", cases[i].content, cases[i].host);
		(void)snprintf(options, sizeof(options),
			       "alert http any any -> any any (http.host; dotprefix; "
			       "content:\".bad\"; sid:1;)");
		engine = engine_that_loads(options);
		assert_int_equal(engine_counts(engine).always, 0);
		engine_free(engine);
	}
}

static void test_numbers_of_flows(void **state)
{
	static const struct {
		const char *options;
		size_t alerts;
	} cases[] = {
		{"flow.age:>59;", 1},
		{"flow.age:>60;", 0},
		{"flow.pkts:toserver,7;", 1},
		{"flow.pkts_toclient:7;", 0},
		{"flow.pkts:either,5;", 1},
		{"flow.bytes:both,701;", 1},
		{"flow.bytes_toserver:700;", 1},
		{"flow.bytes_toclient:>1;", 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct flow flow = usual_flow();
		struct packet packet = {.version = 4,
					.transport = TRANSPORT_TCP,
					.source = flow.client,
					.destination = flow.server};
		struct inspection inspection = {
			.kind = INSPECT_PACKET, .packet = &packet, .flow = &flow, .time = NOW};
		struct sids sids = {.count = 0};
		struct engine *engine;
		char text[256];

		(void)snprintf(text, sizeof(text), "alert tcp any any -> any any (%s sid:1;)",
			       cases[i].options);
		engine = engine_that_loads(text);
		engine_inspect(engine, &inspection, alert, &sids);
		if (sids.count != cases[i].alerts)
			fail_msg("%s", cases[i].options);
		engine_free(engine);
	}
	assert_refused("flow.pkts:upward,1;", "needs toserver");
}

/* --- what rules say about themselves --- */

static void test_about(void **state)
{
	struct engine *engine = engine_that_loads(
		"alert tcp any any -> any any (content:\"a\"; classtype:trojan-activity; "
		"metadata:cve CVE_2021_44228, mitre_technique_id T1190, deployment Perimeter; "
		"target:dest_ip; reference:url,example.org; sid:1; rev:2;)\n"
		"alert tcp any any -> any any (content:\"a\"; classtype:trojan-activity; "
		"priority:4; sid:2;)\n"
		"alert tcp any any -> any any (content:\"a\"; classtype:nobody-knows; sid:3;)\n");
	const struct rule *const *rules;
	size_t count;

	rules = engine_rules(engine, &count);
	assert_int_equal(count, 3);
	/* In the order of their priorities. */
	assert_int_equal(rules[0]->priority, 1);
	assert_int_equal(rules[1]->priority, 3);
	assert_int_equal(rules[1]->sid, 3);
	assert_int_equal(rules[2]->priority, 4);
	assert_int_equal(rules[0]->target, TARGET_DESTINATION);
	assert_string_equal(rules[0]->reference, "url,example.org");
	assert_true(slice_is(rule_metadata(rules[0], "mitre_technique_id"), "T1190"));
	assert_true(slice_is(rule_metadata(rules[0], "cve"), "CVE_2021_44228"));
	assert_null(rule_metadata(rules[0], "mitre").at);
	assert_null(rule_metadata(rules[1], "cve").at);
	assert_true(slice_starts(rules[0]->text, "alert tcp any any"));
	engine_free(engine);
	assert_refused("target:both;", "target is");
}

static void test_classes_of_a_file(void **state)
{
	struct rule_classes classes;
	struct arena arena = arena_of(65536);
	const struct rule *const *rules;
	struct engine *engine;
	unsigned line;
	size_t count;

	rule_classes_start(&classes);
	assert_null(rule_classes_read(&classes, SLICE("config classification: own,Our own,2\n"),
				      &arena, &line));
	rule_variables_start(&variables);
	engine = engine_new(&variables);
	engine_set_classes(engine, &classes);
	engine_add(engine, "test",
		   SLICE("alert tcp any any -> any any (content:\"a\"; classtype:own; sid:1;)"),
		   NULL);
	assert_null(engine_ready(engine, -1));
	rules = engine_rules(engine, &count);
	assert_int_equal(rules[0]->priority, 2);
	assert_string_equal(rules[0]->class_title, "Our own");
	engine_free(engine);
	arena_drop(&arena);
}

static void test_doubles(void **state)
{
	struct engine *engine =
		engine_that_loads("alert tcp any any -> any any (content:\"a\"; sid:1; rev:1;)\n"
				  "alert tcp any any -> any any (content:\"b\"; sid:1; rev:3;)\n"
				  "alert tcp any any -> any any (content:\"c\"; sid:1; rev:3;)\n"
				  "alert tcp any any -> any any (content:\"d\"; sid:1; gid:3;)\n");
	size_t count;
	const struct engine_double *doubles = engine_doubles(engine, &count);

	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(doubles[i].kept->line, 2);
	assert_int_equal(doubles[0].dropped->line + doubles[1].dropped->line, 1 + 3);
	assert_int_equal(engine_counts(engine).loaded, 2);
	assert_int_equal(engine_counts(engine).refused, 2);
	engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_numbers),
		cmocka_unit_test(test_flow_numbers_are_bounded),
		cmocka_unit_test(test_marks_on_addresses),
		cmocka_unit_test(test_marks_are_bounded),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_applications),
		cmocka_unit_test(test_ber),
		cmocka_unit_test(test_asn1),
		cmocka_unit_test(test_ftp_bounce),
		cmocka_unit_test(test_decode_events_of_ipv6),
		cmocka_unit_test(test_decode_events_of_transports),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_wrong_sums),
		cmocka_unit_test(test_oddities),
		cmocka_unit_test(test_named_numbers),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_rpc_over_smb),
		cmocka_unit_test(test_order_of_marks),
		cmocka_unit_test(test_once_a_flow),
		cmocka_unit_test(test_versions_of_ip),
		cmocka_unit_test(test_words_of_applications),
		cmocka_unit_test(test_numbers_of_applications),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_what_follows_an_old_modifier),
		cmocka_unit_test(test_dot_in_front),
		cmocka_unit_test(test_numbers_of_flows),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_classes_of_a_file),
		cmocka_unit_test(test_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
