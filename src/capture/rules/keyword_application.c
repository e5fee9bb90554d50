/* What rules ask of single applications in words of their own: SIP, TLS, DCE/RPC, files. */
#include "capture/rules/keyword.h"

#include <strings.h>

#include "base/clock.h"

/* A test of a buffer that need not be the one at hand. */
static struct test *test_of(struct builder *b, enum buffer_id buffer)
{
	struct test *test = builder_test(b);

	if (test) {
		b->tests[b->test_count - 1].buffer = buffer;
		b->tests[b->test_count - 1].transform_count = 0;
	}
	return test;
}

static struct slice without_quotes(struct slice value, bool *negated)
{
	struct slice inner;

	if (rule_unquote(value, &inner, negated) == 0)
		return inner;
	return slice_trim(slice_from(value, *negated ? 1 : 0));
}

static int keep_text(struct builder *b, struct test *test, struct slice text)
{
	test->as.text.text = arena_text(b->arena, text);
	return test->as.text.text ? 0 : builder_fail(b, "out of memory");
}

/* --- sip_method:invite,options; sip_stat_code:4,180 --- */

static bool sip_method_holds(const struct test *test, struct match *m)
{
	struct slice list = slice_text(test->as.text.text), word;

	while (slice_next(&list, ',', &word)) {
		word = slice_trim(word);
		if (word.length == m->buffer.length &&
		    strncasecmp((const char *)word.at, (const char *)m->buffer.at, word.length) ==
			    0)
			return true;
	}
	return false;
}

static int read_sip_method(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test;
	struct slice list;

	/* Suricata's older name of the buffer. */
	if (!value.at) {
		builder_select(b, BUFFER_SIP_METHOD);
		return 0;
	}
	test = test_of(b, BUFFER_SIP_METHOD);
	if (!test)
		return -1;
	list = without_quotes(value, &test->negated);
	if (!list.length)
		return builder_fail(b, "sip_method needs a method");
	test->holds = sip_method_holds;
	return keep_text(b, test, list);
}

/* One digit stands for all codes that begin with it. */
static bool sip_status_holds(const struct test *test, struct match *m)
{
	struct slice list = slice_text(test->as.text.text), word;

	while (slice_next(&list, ',', &word)) {
		word = slice_trim(word);
		if (word.length == 1 ? m->buffer.length == 3 && m->buffer.at[0] == word.at[0]
				     : slice_equal(word, m->buffer))
			return true;
	}
	return false;
}

static int read_sip_status(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test;
	struct slice list = value, word;
	int64_t code;

	if (!value.at) {
		builder_select(b, BUFFER_SIP_STATUS);
		return 0;
	}
	test = test_of(b, BUFFER_SIP_STATUS);
	if (!test)
		return -1;
	while (slice_next(&list, ',', &word))
		if (slice_number(slice_trim(word), 1, 999, &code) < 0 || (code > 9 && code < 100))
			return builder_fail(b, "sip_stat_code needs codes or first digits");
	test->holds = sip_status_holds;
	return keep_text(b, test, value);
}

/* --- ssl_state, ssl_version --- */

/* A record of SSL 2 (draft-hickman-netscape-ssl-00): length with the high bit, kind of message. */
static bool is_sslv2(struct slice bytes)
{
	return bytes.length > 4 && bytes.at[0] & 0x80 && (bytes.at[2] == 1 || bytes.at[2] == 4) &&
	       bytes.at[3] == 0 && bytes.at[4] == 2;
}

static struct slice payload_of(const struct inspection *i)
{
	for (size_t k = 0; k < i->findings.buffer_count; k++)
		if (i->findings.buffers[k].id == BUFFER_PAYLOAD)
			return i->findings.buffers[k].bytes;
	return slice_of(NULL, 0);
}

enum { STATE_CLIENT_HELLO = 1, STATE_SERVER_HELLO = 2 };

/* How far the handshake is by now: who is known to speak TLS has said hello, and what the server
 * sends is its hello and what follows it. */
static bool ssl_state_holds(const struct test *test, struct match *m)
{
	const struct inspection *i = m->inspection;
	unsigned states = 0;

	if (i->application == APPLICATION_TLS)
		states = STATE_CLIENT_HELLO | (i->direction == TO_CLIENT ? STATE_SERVER_HELLO : 0u);
	else if (is_sslv2(payload_of(i)))
		states = payload_of(i).at[2] == 1 ? STATE_CLIENT_HELLO : STATE_SERVER_HELLO;
	return states & test->as.text.number;
}

static int read_ssl_state(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);
	struct slice word;

	if (!test)
		return -1;
	while (slice_next(&value,
			  value.length && slice_find_byte(value, '|') != SIZE_MAX ? '|' : ',',
			  &word)) {
		word = slice_trim(word);
		if (slice_is(word, "client_hello"))
			test->as.text.number |= STATE_CLIENT_HELLO;
		else if (slice_is(word, "server_hello"))
			test->as.text.number |= STATE_SERVER_HELLO;
		else
			return builder_fail(b, "ssl_state does not know %.*s",
					    (int)slice_first(word, 40).length,
					    (const char *)word.at);
	}
	test->holds = ssl_state_holds;
	return 0;
}

enum { VERSION_SSL2, VERSION_SSL3, VERSION_TLS10, VERSION_TLS11, VERSION_TLS12, VERSION_TLS13 };

/* By the transaction's hello, or by the record at hand. */
static bool ssl_version_holds(const struct test *test, struct match *m)
{
	const struct findings *findings = &m->inspection->findings;
	struct slice bytes = payload_of(m->inspection);
	int64_t version = -1;

	for (size_t i = 0; i < findings->fact_count; i++)
		if (findings->facts[i].id == FACT_TLS_VERSION)
			version = findings->facts[i].value - 0x300 + VERSION_SSL3;
	if (version < 0 && is_sslv2(bytes))
		version = VERSION_SSL2;
	if (version < 0 && bytes.length >= 5 && bytes.at[0] >= 20 && bytes.at[0] <= 23 &&
	    bytes.at[1] == 3)
		version = bytes.at[2] + VERSION_SSL3;
	return version >= 0 && version <= VERSION_TLS13 && test->as.text.number >> version & 1;
}

static int read_ssl_version(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const char *const names[] = {
		[VERSION_SSL2] = "sslv2",   [VERSION_SSL3] = "sslv3",   [VERSION_TLS10] = "tls1.0",
		[VERSION_TLS11] = "tls1.1", [VERSION_TLS12] = "tls1.2", [VERSION_TLS13] = "tls1.3"};
	struct test *test = builder_condition(b);
	unsigned with = 0, without = 0;
	struct slice word;

	if (!test)
		return -1;
	while (slice_next(&value, ',', &word)) {
		bool negated;
		size_t i = 0;

		word = slice_trim(word);
		negated = word.length && word.at[0] == '!';
		word = slice_from(word, negated);
		while (i < ARRAY_COUNT(names) && !slice_is(word, names[i]))
			i++;
		if (i == ARRAY_COUNT(names))
			return builder_fail(b, "ssl_version does not know %.*s",
					    (int)slice_first(word, 40).length,
					    (const char *)word.at);
		if (negated)
			without |= 1u << i;
		else
			with |= 1u << i;
	}
	test->as.text.number = with ? with & ~without : ~without & 0x3f;
	/* Suricata asks for what the hello says, Snort for the record at hand. */
	if (b->rule->application == APPLICATION_TLS && b->text->dialect != DIALECT_SNORT3)
		b->rule->kinds = KIND_TRANSACTION;
	test->holds = ssl_version_holds;
	return 0;
}

/* --- certificates in time --- */

static bool find_fact(const struct match *m, enum fact_id id, int64_t *value)
{
	const struct findings *findings = &m->inspection->findings;

	for (size_t i = 0; i < findings->fact_count; i++)
		if (findings->facts[i].id == id) {
			*value = findings->facts[i].value;
			return true;
		}
	return false;
}

static bool certificate_expired(const struct test *test, struct match *m)
{
	int64_t until;

	return find_fact(m, FACT_TLS_NOT_AFTER, &until) && until < m->inspection->time / SECOND;
}

static bool certificate_valid(const struct test *test, struct match *m)
{
	int64_t from, now = m->inspection->time / SECOND;

	return find_fact(m, FACT_TLS_NOT_BEFORE, &from) && from <= now &&
	       !certificate_expired(test, m);
}

static int read_certificate_time(struct builder *b, const struct keyword *keyword,
				 struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	test->holds = keyword->argument ? certificate_valid : certificate_expired;
	b->rule->kinds = KIND_TRANSACTION;
	if (!b->rule->application)
		b->rule->application = APPLICATION_TLS;
	return 0;
}

/* --- dce_iface:uuid U or U[,version][,any_frag] --- */

static bool interface_holds(const struct test *test, struct match *m)
{
	return slice_is_nocase(m->buffer, test->as.text.text);
}

static int read_interface(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = test_of(b, BUFFER_DCERPC_INTERFACE);
	struct slice uuid;

	if (!test)
		return -1;
	(void)slice_next(&value, ',', &uuid);
	uuid = slice_trim(uuid);
	if (slice_starts(uuid, "uuid "))
		uuid = slice_trim(slice_from(uuid, 5));
	if (uuid.length != 36)
		return builder_fail(b, "%s needs a UUID", keyword->name);
	value = slice_trim(value);
	if (value.length && !slice_is(value, "any_frag"))
		return builder_fail(b, "%s does not know %.*s", keyword->name,
				    (int)slice_first(value, 40).length, (const char *)value.at);
	test->holds = interface_holds;
	return keep_text(b, test, uuid);
}

/* --- fileext:"pdf" --- */

static bool extension_holds(const struct test *test, struct match *m)
{
	struct slice ending = slice_text(test->as.text.text);

	if (m->buffer.length <= ending.length ||
	    m->buffer.at[m->buffer.length - ending.length - 1] != '.')
		return false;
	return slice_is_nocase(slice_from(m->buffer, m->buffer.length - ending.length),
			       test->as.text.text);
}

static int read_extension(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = test_of(b, BUFFER_FILE_NAME);

	if (!test)
		return -1;
	value = without_quotes(value, &test->negated);
	if (!value.length)
		return builder_fail(b, "fileext needs an ending");
	test->holds = extension_holds;
	return keep_text(b, test, value);
}

/* --- flow.age, flow.pkts, flow.bytes --- */

enum { FLOW_AGE, FLOW_PACKETS, FLOW_BYTES };
enum { OF_EITHER = 1, OF_CLIENT = 2, OF_SERVER = 3, OF_BOTH = 4 };

static bool flow_number_holds(const struct test *test, struct match *m)
{
	const struct number_test *number = &test->as.number;
	const struct flow *flow = m->inspection->flow;
	const uint64_t *counts;
	unsigned what = number->fact & 3, side = number->fact >> 2;
	bool client, server;

	if (!flow)
		return false;
	if (what == FLOW_AGE)
		return compare_number(number, (m->inspection->time - flow->started) / SECOND);
	counts = what == FLOW_PACKETS ? flow->packets : flow->bytes;
	client = compare_number(number, (int64_t)counts[TO_SERVER]);
	server = compare_number(number, (int64_t)counts[TO_CLIENT]);
	switch (side) {
	case OF_CLIENT:
		return client;
	case OF_SERVER:
		return server;
	case OF_EITHER:
		return client || server;
	default:
		return compare_number(number, (int64_t)(counts[TO_SERVER] + counts[TO_CLIENT]));
	}
}

/* flow.pkts:toserver,>5; flow.pkts_toserver:>5; flow.age:>10 */
static int read_flow_number(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *word;
		unsigned side;
	} sides[] = {{"toserver", OF_CLIENT},
		     {"toclient", OF_SERVER},
		     {"either", OF_EITHER},
		     {"both", OF_BOTH}};
	struct test *test = builder_condition(b);
	unsigned what = keyword->argument & 3, side = (unsigned)keyword->argument >> 2;
	struct slice word;

	if (!test)
		return -1;
	if (what != FLOW_AGE && !side) {
		(void)slice_next(&value, ',', &word);
		for (size_t i = 0; i < ARRAY_COUNT(sides); i++)
			if (slice_is(slice_trim(word), sides[i].word))
				side = sides[i].side;
		if (!side)
			return builder_fail(b, "%s needs toserver, toclient, either or both",
					    keyword->name);
	}
	if (builder_compare(b, slice_trim(value), &test->as.number) < 0)
		return -1;
	test->as.number.fact = (uint16_t)(what | side << 2);
	test->holds = flow_number_holds;
	b->packet_only = true;
	return 0;
}

static const struct keyword table[] = {
	{"sip_method", "Method of a SIP request", read_sip_method, 0},
	{"sip_stat_code", "Code of a SIP answer", read_sip_status, 0},
	{"ssl_state", "How far the handshake is", read_ssl_state, 0},
	{"ssl_version", "Version of TLS or SSL", read_ssl_version, 0},
	{"tls_cert_expired", "A certificate past its time", read_certificate_time, 0},
	{"tls_cert_valid", "A certificate in its time", read_certificate_time, 1},
	{"dce_iface", "The DCE/RPC interface that is spoken to", read_interface, 0},
	{"dcerpc.iface", "The DCE/RPC interface that is spoken to", read_interface, 0},
	{"fileext", "Ending of a file's name", read_extension, 0},
	{"flow.age", "Seconds since the flow began", read_flow_number, FLOW_AGE},
	{"flow.pkts", "Packets of the flow", read_flow_number, FLOW_PACKETS},
	{"flow.bytes", "Bytes of the flow", read_flow_number, FLOW_BYTES},
	{"flow.pkts_toserver", "Packets to the server", read_flow_number,
	 FLOW_PACKETS | OF_CLIENT << 2},
	{"flow.pkts_toclient", "Packets to the client", read_flow_number,
	 FLOW_PACKETS | OF_SERVER << 2},
	{"flow.bytes_toserver", "Bytes to the server", read_flow_number,
	 FLOW_BYTES | OF_CLIENT << 2},
	{"flow.bytes_toclient", "Bytes to the client", read_flow_number,
	 FLOW_BYTES | OF_SERVER << 2},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_application = table;
