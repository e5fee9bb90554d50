/* EVE records: their fields and types, what is left out, hostile bytes, Community ID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "exchange/eve.h"

#define OUT_MAX ((size_t)16 << 20)
#define WHEN    INT64_C(1795773600123456) /* 2026-11-27T10:00:00.123456 */

static struct event event_of(const char *action, const char *protocol)
{
	struct address source, destination;
	struct event event;

	event_clear(&event);
	assert_int_equal(address_parse(SLICE("192.0.2.9"), &source), 0);
	assert_int_equal(address_parse(SLICE("198.51.100.1"), &destination), 0);
	event_set_number(&event, FIELD_TIME, WHEN);
	event_set_words(&event, FIELD_EVENT_ACTION, action);
	event_set_address(&event, FIELD_SOURCE_IP, &source);
	event_set_number(&event, FIELD_SOURCE_PORT, 40000);
	event_set_address(&event, FIELD_DESTINATION_IP, &destination);
	event_set_number(&event, FIELD_DESTINATION_PORT, 8080);
	event_set_words(&event, FIELD_NETWORK_TRANSPORT, "tcp");
	event_set_words(&event, FIELD_NETWORK_PROTOCOL, protocol);
	event_set_words(&event, FIELD_SESSION_ID, "01FBHD8ZV956ARGAWW6T28X60R");
	return event;
}

/* The record of an event, which must be one line of JSON; NULL: it has none. */
static json_t *record_of(const struct event *event)
{
	struct writer out = writer_growing(OUT_MAX);
	struct eve eve = {0};
	json_t *record = NULL;
	json_error_t error;

	if (eve_write(&eve, event, &out)) {
		assert_false(out.failed);
		assert_int_equal(eve.records, 1);
		for (size_t i = 0; i < out.length; i++)
			assert_true(out.at[i] >= 0x20 || i == out.length - 1);
		assert_int_equal(out.at[out.length - 1], '\n');
		record = json_loadb((const char *)out.at, out.length, JSON_ALLOW_NUL, &error);
		if (!record)
			fail_msg("%s in %.*s", error.text, (int)out.length, (const char *)out.at);
	} else {
		assert_int_equal(out.length, 0);
	}
	writer_free(&out);
	return record;
}

static const json_t *at(const json_t *record, const char *object, const char *key)
{
	const json_t *where = object ? json_object_get(record, object) : record;

	return json_object_get(where, key);
}

static void expect_text(const json_t *record, const char *object, const char *key,
			const char *expected)
{
	const json_t *value = at(record, object, key);

	if (!json_is_string(value))
		fail_msg("%s is no text", key);
	assert_string_equal(json_string_value(value), expected);
}

static void expect_number(const json_t *record, const char *object, const char *key,
			  int64_t expected)
{
	const json_t *value = at(record, object, key);

	if (!json_is_integer(value))
		fail_msg("%s is no whole number", key);
	assert_int_equal(json_integer_value(value), expected);
}

static struct event alert(void)
{
	struct event event = event_of("rule.alert", "http");

	event_set_words(&event, FIELD_RULE_ID, "1:2034125:5");
	event_set_words(&event, FIELD_RULE_NAME, "ET EXPLOIT Path Traversal");
	event_set_words(&event, FIELD_RULE_CATEGORY, "attempted-admin");
	event_set_words(&event, FIELD_RULE_CLASS, "Attempted Administrator Privilege Gain");
	event_set_number(&event, FIELD_RULE_PRIORITY, 1);
	event_set_words(&event, FIELD_RULE_METADATA,
			"created_at 2021_10_05, tag A, nothing, tag B c ,  , cve CVE_2021_41773");
	event_set_words(&event, FIELD_RULE_DIRECTION, "to_server");
	event_set_words(&event, FIELD_RULE_TARGET, "destination");
	event_set_number(&event, FIELD_TRANSACTION, 3);
	event_set_number(&event, FIELD_EVENT_START, WHEN - 2 * SECOND);
	event_set_number(&event, FIELD_SOURCE_PACKETS, 4);
	event_set_number(&event, FIELD_DESTINATION_PACKETS, 2);
	event_set_number(&event, FIELD_FLOW_SOURCE_BYTES, 500);
	event_set_number(&event, FIELD_FLOW_DESTINATION_BYTES, 148);
	event_set_words(&event, FIELD_HTTP_METHOD, "GET");
	event_set_words(&event, FIELD_URL_ORIGINAL, "/icons/.%2e/");
	return event;
}

static void test_alert(void **state)
{
	struct event event = alert();
	json_t *record = record_of(&event);
	const json_t *metadata, *target;

	expect_text(record, NULL, "timestamp", "2026-11-27T10:00:00.123456+0000");
	expect_text(record, NULL, "event_type", "alert");
	expect_text(record, NULL, "src_ip", "192.0.2.9");
	expect_number(record, NULL, "src_port", 40000);
	expect_text(record, NULL, "dest_ip", "198.51.100.1");
	expect_number(record, NULL, "dest_port", 8080);
	expect_text(record, NULL, "proto", "TCP");
	expect_text(record, NULL, "app_proto", "http");
	expect_text(record, NULL, "direction", "to_server");
	expect_number(record, NULL, "tx_id", 3);
	expect_number(record, NULL, "flow_id", eve_flow_id(SLICE("01FBHD8ZV956ARGAWW6T28X60R")));
	expect_text(record, "alert", "action", "allowed");
	expect_number(record, "alert", "gid", 1);
	expect_number(record, "alert", "signature_id", 2034125);
	expect_number(record, "alert", "rev", 5);
	expect_text(record, "alert", "signature", "ET EXPLOIT Path Traversal");
	expect_text(record, "alert", "category", "Attempted Administrator Privilege Gain");
	expect_number(record, "alert", "severity", 1);
	metadata = at(record, "alert", "metadata");
	assert_int_equal(json_object_size(metadata), 3);
	assert_int_equal(json_array_size(json_object_get(metadata, "tag")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(metadata, "tag"), 1)),
			    "B c");
	target = at(record, "alert", "target");
	expect_text(target, NULL, "ip", "198.51.100.1");
	expect_number(target, NULL, "port", 8080);
	expect_text(record, "http", "http_method", "GET");
	expect_number(record, "flow", "pkts_toserver", 4);
	expect_number(record, "flow", "bytes_toclient", 148);
	expect_text(record, "flow", "start", "2026-11-27T09:59:58.123456+0000");
	json_decref(record);
}

/* The source of an answer is the server; the flow's stays the client. */
static void test_alert_on_answer(void **state)
{
	struct event event = alert();
	json_t *record, *forth;

	event_set_words(&event, FIELD_RULE_DIRECTION, "to_client");
	event_set_words(&event, FIELD_RULE_TARGET, "source");
	event_unset(&event, FIELD_RULE_CLASS);
	event_unset(&event, FIELD_RULE_PRIORITY);
	event_set_number(&event, FIELD_EVENT_SEVERITY, 60);
	record = record_of(&event);
	expect_text(record, NULL, "src_ip", "198.51.100.1");
	expect_number(record, NULL, "src_port", 8080);
	expect_number(record, NULL, "dest_port", 40000);
	expect_text(record, NULL, "direction", "to_client");
	expect_text(record, "flow", "src_ip", "192.0.2.9");
	expect_text(at(record, "alert", "target"), NULL, "ip", "198.51.100.1");
	expect_text(at(record, "alert", "source"), NULL, "ip", "192.0.2.9");
	expect_text(record, "alert", "category", "attempted-admin");
	expect_number(record, "alert", "severity", 2);
	event = alert();
	forth = record_of(&event);
	expect_text(record, NULL, "community_id",
		    json_string_value(at(forth, NULL, "community_id")));
	json_decref(forth);
	json_decref(record);

	event_set_words(&event, FIELD_RULE_ID, "credential-stuffing");
	assert_null(record_of(&event));
}

static void test_http(void **state)
{
	const struct slice headers[] = {SLICE("Host: shop.example:8081"), SLICE("no colon"),
					SLICE("X-Forwarded-For:  203.0.113.5 "), SLICE("Empty:")};
	struct event event = event_of("http.request", "ethereum");
	json_t *record;

	event_set_words(&event, FIELD_OBSERVER_NAME, "outpost");
	event_set_words(&event, FIELD_HTTP_METHOD, "POST");
	event_set_words(&event, FIELD_URL_ORIGINAL, "/a?b");
	event_set_words(&event, FIELD_URL_DOMAIN, "shop.example");
	event_set_words(&event, FIELD_HTTP_VERSION, "HTTP/1.1");
	event_set_words(&event, FIELD_USER_AGENT, "curl/8");
	event_set_words(&event, FIELD_HTTP_REFERRER, "http://r/");
	event_set_number(&event, FIELD_HTTP_STATUS, 404);
	event_set_texts(&event, FIELD_HTTP_HEADERS, headers, 4);
	record = record_of(&event);
	expect_text(record, NULL, "event_type", "http");
	expect_text(record, NULL, "app_proto", "http");
	expect_text(record, NULL, "host", "outpost");
	expect_text(record, "http", "hostname", "shop.example");
	expect_number(record, "http", "http_port", 8081);
	expect_text(record, "http", "url", "/a?b");
	expect_text(record, "http", "http_user_agent", "curl/8");
	expect_text(record, "http", "http_refer", "http://r/");
	expect_text(record, "http", "protocol", "HTTP/1.1");
	expect_text(record, "http", "xff", "203.0.113.5");
	expect_number(record, "http", "status", 404);
	assert_int_equal(json_array_size(at(record, "http", "request_headers")), 3);
	assert_null(at(record, NULL, "tx_id"));
	json_decref(record);
}

static void test_fingerprints(void **state)
{
	struct event event = event_of("client.fingerprint", "https");
	json_t *record;

	event_set_words(&event, FIELD_TLS_VERSION, "TLSv1.3");
	event_set_words(&event, FIELD_TLS_SERVER_NAME, "x.example");
	event_set_words(&event, FIELD_TLS_JA3, "0cc175b9c0f1b6a831c399e269772661");
	event_set_words(&event, FIELD_TLS_JA4, "t13d1516h2_8daaf6152771_b186095e22b6");
	record = record_of(&event);
	expect_text(record, NULL, "event_type", "tls");
	expect_text(record, NULL, "app_proto", "tls");
	expect_text(record, "tls", "version", "TLS 1.3");
	expect_text(record, "tls", "sni", "x.example");
	expect_text(at(record, "tls", "ja3"), NULL, "hash", "0cc175b9c0f1b6a831c399e269772661");
	json_decref(record);

	event = event_of("client.fingerprint", "ssh");
	event_set_words(&event, FIELD_USER_AGENT, "SSH-2.0-Go-ssh comment");
	event_set_words(&event, FIELD_SSH_HASSH, "92cb");
	event_set_words(&event, FIELD_SSH_HASSH_ALGORITHMS, "a;b;c;d");
	record = record_of(&event);
	expect_text(at(record, "ssh", "client"), NULL, "proto_version", "2.0");
	expect_text(at(record, "ssh", "client"), NULL, "software_version", "Go-ssh");
	expect_text(at(record, "ssh", "client"), "hassh", "string", "a;b;c;d");
	assert_null(at(record, "ssh", "server"));
	json_decref(record);

	event = event_of("server.fingerprint", "ssh");
	event_set_words(&event, FIELD_SERVER_SOFTWARE, "OpenSSH_9.2");
	event_set_words(&event, FIELD_SSH_HASSH_SERVER, "aa");
	record = record_of(&event);
	expect_text(at(record, "ssh", "server"), NULL, "software_version", "OpenSSH_9.2");
	assert_null(at(record, "ssh", "client"));
	json_decref(record);

	/* What TCP alone tells has no record. */
	event = event_of("client.fingerprint", "");
	event_set_words(&event, FIELD_CLIENT_TCP, "4:64+0:0:0:8192,0:::0");
	assert_null(record_of(&event));
}

static void test_protocols(void **state)
{
	struct event event = event_of("protocol.request", "ftp");
	json_t *record;

	event_set_words(&event, FIELD_REQUEST_VERB, "STOR");
	event_set_words(&event, FIELD_REQUEST_TEXT, "stor a file.txt");
	record = record_of(&event);
	expect_text(record, NULL, "event_type", "ftp");
	expect_text(record, "ftp", "command", "STOR");
	expect_text(record, "ftp", "command_data", "a file.txt");
	json_decref(record);

	event = event_of("protocol.request", "sip");
	event_set_words(&event, FIELD_REQUEST_VERB, "OPTIONS");
	event_set_words(&event, FIELD_REQUEST_TEXT, "OPTIONS sip:100@192.0.2.1 SIP/2.0");
	event_set_words(&event, FIELD_URL_ORIGINAL, "sip:100@192.0.2.1");
	record = record_of(&event);
	expect_text(record, "sip", "method", "OPTIONS");
	expect_text(record, "sip", "version", "SIP/2.0");
	expect_text(record, "sip", "uri", "sip:100@192.0.2.1");
	json_decref(record);

	event = event_of("protocol.request", "dns");
	event_set_words(&event, FIELD_DNS_QUESTION_NAME, "a.example");
	event_set_words(&event, FIELD_DNS_QUESTION_TYPE, "TXT");
	event_set_number(&event, FIELD_DNS_ID, 4660);
	record = record_of(&event);
	expect_text(record, "dns", "type", "request");
	expect_number(record, "dns", "id", 4660);
	expect_text(json_array_get(at(record, "dns", "queries"), 0), NULL, "rrtype", "TXT");
	json_decref(record);

	event = event_of("auth.attempt", "smb");
	event_set_words(&event, FIELD_USER_NAME, "bob");
	event_set_words(&event, FIELD_USER_DOMAIN, "CORP");
	record = record_of(&event);
	expect_text(record, NULL, "event_type", "smb");
	expect_text(at(record, "smb", "ntlmssp"), NULL, "user", "bob");
	json_decref(record);

	event = event_of("protocol.error", "http");
	event_set_words(&event, FIELD_EVENT_REASON, "broken chunk");
	record = record_of(&event);
	expect_text(record, "anomaly", "event", "BROKEN_CHUNK");
	expect_text(record, "anomaly", "type", "applayer");
	json_decref(record);
}

static void test_flow(void **state)
{
	struct event event = event_of("session.close", "unknown");
	json_t *record;

	event_set_number(&event, FIELD_EVENT_DURATION, INT64_C(3500000000));
	event_set_number(&event, FIELD_SOURCE_BYTES, 10);
	event_set_number(&event, FIELD_DESTINATION_BYTES, 20);
	event_set_words(&event, FIELD_EVENT_REASON, "shed: memory");
	record = record_of(&event);
	expect_text(record, NULL, "event_type", "flow");
	expect_text(record, NULL, "app_proto", "failed");
	expect_text(record, "flow", "start", "2026-11-27T09:59:56.623456+0000");
	expect_text(record, "flow", "end", "2026-11-27T10:00:00.123456+0000");
	expect_number(record, "flow", "age", 4);
	expect_number(record, "flow", "bytes_toserver", 10);
	expect_number(record, "flow", "bytes_toclient", 20);
	expect_text(record, "flow", "state", "closed");
	expect_text(record, "flow", "reason", "forced");
	assert_null(at(record, "flow", "pkts_toserver"));
	assert_null(at(record, "flow", "alerted"));
	assert_null(at(record, NULL, "tcp"));
	json_decref(record);

	event_set_number(&event, FIELD_FLOW_ALERTS, 2);
	event_set_number(&event, FIELD_FLOW_SOURCE_FLAGS, 0x1b);
	event_set_number(&event, FIELD_FLOW_DESTINATION_FLAGS, 0x12);
	event_set_words(&event, FIELD_FLOW_STATE, "established");
	event_set_number(&event, FIELD_SOURCE_PACKETS, 7);
	event_set_number(&event, FIELD_FLOW_SOURCE_BYTES, 700);
	event_set_words(&event, FIELD_EVENT_REASON, "quit");
	record = record_of(&event);
	assert_true(json_is_true(at(record, "flow", "alerted")));
	expect_text(record, "flow", "state", "established");
	expect_text(record, "flow", "reason", "unknown");
	expect_number(record, "flow", "pkts_toserver", 7);
	expect_number(record, "flow", "bytes_toserver", 700);
	expect_text(record, "tcp", "tcp_flags", "1b");
	expect_text(record, "tcp", "tcp_flags_tc", "12");
	assert_true(json_is_true(at(record, "tcp", "fin")));
	assert_null(at(record, "tcp", "rst"));
	json_decref(record);
}

static void test_fileinfo(void **state)
{
	struct event event = event_of("payload.captured", "ssh");
	json_t *record;

	event_set_words(&event, FIELD_FILE_NAME, "x.sh");
	event_set_number(&event, FIELD_FILE_SIZE, 77);
	event_set_words(&event, FIELD_FILE_SHA256, "ab");
	event_set_words(&event, FIELD_EVIDENCE_KIND, "payload");
	event_set_words(&event, FIELD_EVENT_OUTCOME, "success");
	record = record_of(&event);
	expect_text(record, "fileinfo", "filename", "x.sh");
	expect_text(record, "fileinfo", "state", "CLOSED");
	expect_number(record, "fileinfo", "size", 77);
	assert_true(json_is_true(at(record, "fileinfo", "stored")));
	assert_true(json_is_false(at(record, "fileinfo", "gaps")));
	json_decref(record);

	event_set_words(&event, FIELD_EVENT_REASON, "cut at the size cap");
	record = record_of(&event);
	expect_text(record, "fileinfo", "state", "TRUNCATED");
	json_decref(record);

	event_set_words(&event, FIELD_EVIDENCE_KIND, "terminal");
	assert_null(record_of(&event));
}

static void test_left_out(void **state)
{
	struct writer out = writer_growing(OUT_MAX);
	struct eve eve = {0};
	struct event event;

	eve_tell_left_out(&eve, &out);
	assert_int_equal(out.length, 0);
	event = event_of("command.input", "ssh");
	assert_false(eve_write(&eve, &event, &out));
	assert_false(eve_write(&eve, &event, &out));
	event = event_of("finding.new-hassh", "ssh");
	assert_false(eve_write(&eve, &event, &out));
	event = event_of("something.newer", "ssh");
	assert_false(eve_write(&eve, &event, &out));
	assert_int_equal(eve.records, 0);
	eve_tell_left_out(&eve, &out);
	writer_u8(&out, 0);
	assert_string_equal((const char *)out.at,
			    "4 events that EVE has no record for were left out: 2 command.input, "
			    "1 finding.*, 1 of other kinds\n");
	writer_free(&out);
}

static const char *const actions[] = {
	"rule.alert",         "http.request",     "client.fingerprint",
	"server.fingerprint", "protocol.request", "auth.attempt",
	"protocol.error",     "payload.captured", "session.close"};
static const char *const protocols[] = {"http", "tls", "ssh", "dns", "ftp", "sip", "smb"};

/* Every field full of what breaks lines, quotes, terminals and UTF-8, in every kind of record. */
static void test_hostile_bytes(void **state)
{
	static const struct slice evil = SLICE("\r\n\"\\\x1b[2J\0\xff\xc3(\xe2\x80\xae,: ]=");
	const struct slice items[] = {evil, SLICE("Host: [::1]:99999999999999999999\n"), evil};
	size_t written = 0;

	for (size_t a = 0; a < ARRAY_COUNT(actions); a++)
		for (size_t p = 0; p <= ARRAY_COUNT(protocols); p++) {
			struct event event = event_of(actions[a], "x");
			json_t *record;

			for (int field = 0; field < FIELD_COUNT; field++) {
				enum event_field f = (enum event_field)field;

				if (f == FIELD_EVENT_ACTION || f == FIELD_TIME)
					continue;
				if (event_fields[f].type == FIELD_TYPE_TEXT)
					event_set_text(&event, f, evil);
				else if (event_fields[f].type == FIELD_TYPE_TEXTS)
					event_set_texts(&event, f, items, 3);
				else if (event_fields[f].type == FIELD_TYPE_NUMBER)
					event_set_number(&event, f, INT64_MIN);
			}
			event_set_words(&event, FIELD_RULE_ID, "1:2:3");
			if (p < ARRAY_COUNT(protocols))
				event_set_words(&event, FIELD_NETWORK_PROTOCOL, protocols[p]);
			event_unset(&event, FIELD_EVIDENCE_KIND);
			record = record_of(&event);
			written += record != NULL;
			json_decref(record);
		}
	assert_true(written > ARRAY_COUNT(actions) * 4);
}

/* Bytes that are no UTF-8 are told apart, as Suricata does; what is UTF-8 stays. */
static void test_bytes_are_told(void **state)
{
	struct event event = event_of("http.request", "http");
	json_t *record;

	event_set_text(&event, FIELD_URL_ORIGINAL, SLICE("/\xff\xfe/a\\b"));
	event_set_text(&event, FIELD_USER_AGENT, SLICE("gr\xc3\xbc\xc3\x9f"));
	record = record_of(&event);
	expect_text(record, "http", "url", "/\\xff\\xfe/a\\b");
	expect_text(record, "http", "http_user_agent", "gr\xc3\xbc\xc3\x9f");
	json_decref(record);
}

/* From the store, the same record as at once. */
static void test_read_back(void **state)
{
	struct writer line = writer_growing(EVENT_LINE_MAX), first = writer_growing(OUT_MAX),
		      second = writer_growing(OUT_MAX);
	struct arena arena = arena_of((size_t)1 << 20);
	struct event event = alert(), back;
	struct eve eve = {0};
	const char *why;

	event_set_text(&event, FIELD_URL_ORIGINAL, SLICE("/\xff\\x41\n"));
	event_set_words(&event, FIELD_OBSERVER_INTERFACE, "eth0");
	event_set_number(&event, FIELD_NETWORK_VLAN, 12);
	event_set_number(&event, FIELD_PACKET_NUMBER, 7);
	event_write(&event, &line);
	assert_int_equal(event_read(&back, writer_slice(&line), &arena, &why), 0);
	assert_true(eve_write(&eve, &event, &first));
	assert_true(eve_write(&eve, &back, &second));
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.at, second.at, first.length);
	assert_true(slice_find(writer_slice(&first), SLICE("\"in_iface\":\"eth0\"")) != SIZE_MAX);
	assert_true(slice_find(writer_slice(&first), SLICE("\"vlan\":[12]")) != SIZE_MAX);
	assert_true(slice_find(writer_slice(&first), SLICE("\"pcap_cnt\":7")) != SIZE_MAX);
	arena_drop(&arena);
	writer_free(&line);
	writer_free(&first);
	writer_free(&second);
}

static void test_ends(void **state)
{
	struct event event = alert();
	struct address source, destination;
	json_t *record;

	assert_int_equal(address_parse(SLICE("fe80::20c:29ff:fef3:cf38"), &source), 0);
	assert_int_equal(address_parse(SLICE("ff02::2"), &destination), 0);
	event_set_address(&event, FIELD_SOURCE_IP, &source);
	event_set_address(&event, FIELD_DESTINATION_IP, &destination);
	event_set_words(&event, FIELD_NETWORK_TRANSPORT, "icmp");
	event_unset(&event, FIELD_SOURCE_PORT);
	event_unset(&event, FIELD_DESTINATION_PORT);
	event_set_number(&event, FIELD_ICMP_TYPE, 133);
	event_set_number(&event, FIELD_ICMP_CODE, 0);
	record = record_of(&event);
	expect_text(record, NULL, "src_ip", "fe80:0000:0000:0000:020c:29ff:fef3:cf38");
	expect_text(record, NULL, "dest_ip", "ff02:0000:0000:0000:0000:0000:0000:0002");
	expect_text(record, NULL, "proto", "IPv6-ICMP");
	expect_number(record, NULL, "icmp_type", 133);
	expect_number(record, NULL, "icmp_code", 0);
	assert_null(at(record, NULL, "src_port"));
	json_decref(record);

	event_unset(&event, FIELD_NETWORK_TRANSPORT);
	event_set_number(&event, FIELD_NETWORK_IANA, 132);
	record = record_of(&event);
	expect_text(record, NULL, "proto", "SCTP");
	assert_null(at(record, NULL, "community_id"));
	json_decref(record);
	event_set_number(&event, FIELD_NETWORK_IANA, 253);
	record = record_of(&event);
	expect_text(record, NULL, "proto", "253");
	json_decref(record);
}

static void test_flow_id(void **state)
{
	int64_t one = eve_flow_id(SLICE("01FBHD8ZV956ARGAWW6T28X60R"));

	assert_int_equal(one, eve_flow_id(SLICE("01FBHD8ZV956ARGAWW6T28X60R")));
	assert_int_not_equal(one, eve_flow_id(SLICE("01FBHD8ZV956ARGAWW6T28X60S")));
	assert_true(one > 0 && one < INT64_C(1) << 51);
}

/* The specification's own baseline: baseline_deflt.json of corelight/community-id-spec. */
static void test_community_id(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *source, *destination;
		int64_t source_port, destination_port;
		const char *expected;
	} cases[] = {
		{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136,
		 "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135,
		 "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 136,
		 "1:zavyT/cezQr1fmImYCwYnMXbgck="},
		{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 135,
		 "1:zavyT/cezQr1fmImYCwYnMXbgck="},
		{58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
		 "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
		{58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
		 "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
		{58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129,
		 "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128,
		 "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134,
		 "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
		{58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133,
		 "1:pkvHqCL88/tg1k4cPigmZXUtL00="},
		{1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
		{6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
		 "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		{6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943,
		 "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		{132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		{132, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		{6, "128.232.110.120", "66.35.250.204", 34855, 80,
		 "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{6, "66.35.250.204", "128.232.110.120", 80, 34855,
		 "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{46, "10.1.12.1", "10.1.12.2", -1, -1, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{46, "10.1.12.2", "10.1.12.1", -1, -1, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool icmp = cases[i].protocol == EVE_ICMP || cases[i].protocol == EVE_ICMP6;
		char text[EVE_COMMUNITY_ID_LENGTH + 1];
		struct address source, destination;
		struct eve_ends ends = {&source, &destination, -1, -1, cases[i].protocol, -1, -1};

		assert_int_equal(address_parse(slice_text(cases[i].source), &source), 0);
		assert_int_equal(address_parse(slice_text(cases[i].destination), &destination), 0);
		if (icmp) {
			/* The baseline gives the counterpart's type where there is one. */
			ends.icmp_type = cases[i].source_port;
			ends.icmp_code = cases[i].source_port == 11 || cases[i].source_port == 3 ||
							 cases[i].source_port == 1
						 ? cases[i].destination_port
						 : 0;
		} else {
			ends.source_port = cases[i].source_port;
			ends.destination_port = cases[i].destination_port;
		}
		assert_true(eve_community_id(&ends, text));
		assert_string_equal(text, cases[i].expected);
	}
}

static void test_community_id_unknown(void **state)
{
	struct address four = address_v4(0xc0000209), six;
	struct eve_ends ends = {&four, &four, 1, 2, EVE_TCP, -1, -1};
	char text[EVE_COMMUNITY_ID_LENGTH + 1];

	assert_int_equal(address_parse(SLICE("2001:db8::1"), &six), 0);
	assert_true(eve_community_id(&ends, text));
	ends.destination_port = 65535;
	assert_true(eve_community_id(&ends, text));
	ends.destination_port = 65536;
	assert_false(eve_community_id(&ends, text));
	ends.destination_port = -1;
	assert_false(eve_community_id(&ends, text));
	ends.destination_port = 2;
	ends.destination = &six;
	assert_false(eve_community_id(&ends, text));
	ends.destination = NULL;
	assert_false(eve_community_id(&ends, text));
	ends.destination = &four;
	ends.protocol = 0;
	assert_false(eve_community_id(&ends, text));
	ends.protocol = EVE_ICMP;
	assert_false(eve_community_id(&ends, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert),
		cmocka_unit_test(test_alert_on_answer),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_fileinfo),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_bytes_are_told),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_flow_id),
		cmocka_unit_test(test_community_id),
		cmocka_unit_test(test_community_id_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
