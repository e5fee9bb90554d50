/* What alerts say of the inspection that led to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/inspection_event.h"

static void expect(const struct event *event, enum event_field field, const char *expected)
{
	if (!event_has(event, field))
		fail_msg("%s is not set", event_fields[field].path);
	assert_true(slice_is(event_text(event, field), expected));
}

static struct event told(const struct inspection *inspection, struct inspection_room *room)
{
	struct event event;

	event_clear(&event);
	inspection_event(&event, room, inspection);
	return event;
}

static void test_request(void **state)
{
	const struct buffer buffers[] = {{BUFFER_HTTP_METHOD, SLICE("GET")},
					 {BUFFER_HTTP_URI_RAW, SLICE("/%2e")},
					 {BUFFER_HTTP_HOST, SLICE("a.example")},
					 {BUFFER_HTTP_HOST, SLICE("second.example")},
					 {BUFFER_HTTP_CONTENT_TYPE, SLICE("of the request")}};
	struct flow flow = {.transport = TRANSPORT_TCP,
			    .state = FLOW_ESTABLISHED,
			    .started = 17,
			    .packets = {3, 1},
			    .framed = {300, 60},
			    .flags = {TCP_SYN | TCP_ACK, TCP_SYN},
			    .alerts = 2};
	struct inspection inspection = {.kind = INSPECT_TRANSACTION,
					.direction = TO_SERVER,
					.application = APPLICATION_HTTP,
					.flow = &flow,
					.transaction = 4,
					.findings = {.buffers = buffers, .buffer_count = 5}};
	struct inspection_room room;
	struct event event = told(&inspection, &room);

	expect(&event, FIELD_RULE_DIRECTION, "to_server");
	expect(&event, FIELD_HTTP_METHOD, "GET");
	expect(&event, FIELD_URL_ORIGINAL, "/%2e");
	expect(&event, FIELD_URL_DOMAIN, "a.example");
	expect(&event, FIELD_FLOW_STATE, "established");
	assert_false(event_has(&event, FIELD_HTTP_RESPONSE_TYPE));
	assert_int_equal(event_number(&event, FIELD_TRANSACTION), 4);
	assert_int_equal(event_number(&event, FIELD_EVENT_START), 17);
	assert_int_equal(event_number(&event, FIELD_SOURCE_PACKETS), 3);
	assert_int_equal(event_number(&event, FIELD_FLOW_DESTINATION_BYTES), 60);
	assert_int_equal(event_number(&event, FIELD_FLOW_SOURCE_FLAGS), 0x12);
	assert_int_equal(event_number(&event, FIELD_FLOW_ALERTS), 2);

	/* Raw bytes are no transaction. */
	inspection.kind = INSPECT_STREAM;
	event = told(&inspection, &room);
	assert_false(event_has(&event, FIELD_HTTP_METHOD));
	assert_false(event_has(&event, FIELD_TRANSACTION));
}

static void test_answers(void **state)
{
	const struct buffer http[] = {{BUFFER_HTTP_STATUS, SLICE("404")},
				      {BUFFER_HTTP_CONTENT_TYPE, SLICE("text/html")}};
	const struct buffer ssh[] = {{BUFFER_SSH_PROTOCOL, SLICE("2.0")},
				     {BUFFER_SSH_SOFTWARE, SLICE("OpenSSH_9.2 x")},
				     {BUFFER_HASSH_SERVER, SLICE("aa")}};
	const struct fact version[] = {{FACT_TLS_VERSION, 0x0304}};
	struct inspection inspection = {.kind = INSPECT_TRANSACTION,
					.direction = TO_CLIENT,
					.application = APPLICATION_HTTP,
					.findings = {.buffers = http, .buffer_count = 2}};
	struct inspection_room room;
	struct event event = told(&inspection, &room);

	expect(&event, FIELD_RULE_DIRECTION, "to_client");
	expect(&event, FIELD_HTTP_RESPONSE_TYPE, "text/html");
	assert_int_equal(event_number(&event, FIELD_HTTP_STATUS), 404);
	assert_false(event_has(&event, FIELD_EVENT_START));

	inspection.application = APPLICATION_SSH;
	inspection.findings = (struct findings){.buffers = ssh, .buffer_count = 3};
	event = told(&inspection, &room);
	expect(&event, FIELD_SERVER_SOFTWARE, "SSH-2.0-OpenSSH_9.2 x");
	expect(&event, FIELD_SSH_HASSH_SERVER, "aa");
	assert_false(event_has(&event, FIELD_USER_AGENT));

	inspection.application = APPLICATION_TLS;
	inspection.findings = (struct findings){.facts = version, .fact_count = 1};
	event = told(&inspection, &room);
	expect(&event, FIELD_TLS_VERSION, "TLSv1.3");
	/* What a client offers is not what was agreed upon. */
	inspection.direction = TO_SERVER;
	event = told(&inspection, &room);
	assert_false(event_has(&event, FIELD_TLS_VERSION));
}

static void test_dns(void **state)
{
	static const uint8_t message[12] = {0x12, 0x34, 0x81, 0x83};
	const struct buffer buffers[] = {{BUFFER_DNS_QUERY_NAME, SLICE("x.example")}};
	const struct fact facts[] = {{FACT_DNS_RCODE, 3}, {FACT_DNS_RRTYPE, 28}};
	const struct fact odd[] = {{FACT_DNS_RCODE, 99}, {FACT_DNS_RRTYPE, 65280}};
	struct packet packet = {.version = 4,
				.transport = TRANSPORT_UDP,
				.payload = {message, sizeof(message)},
				.vlans = {7},
				.vlan_count = 1};
	struct inspection inspection = {
		.kind = INSPECT_TRANSACTION,
		.direction = TO_CLIENT,
		.application = APPLICATION_DNS,
		.packet = &packet,
		.findings = {
			.buffers = buffers, .buffer_count = 1, .facts = facts, .fact_count = 2}};
	struct inspection_room room;
	struct event event = told(&inspection, &room);

	expect(&event, FIELD_DNS_TYPE, "answer");
	expect(&event, FIELD_DNS_QUESTION_NAME, "x.example");
	expect(&event, FIELD_DNS_QUESTION_TYPE, "AAAA");
	expect(&event, FIELD_DNS_RESPONSE_CODE, "NXDOMAIN");
	assert_int_equal(event_number(&event, FIELD_DNS_ID), 0x1234);
	assert_int_equal(event_number(&event, FIELD_NETWORK_VLAN), 7);

	packet.payload.length = 11; /* no header */
	inspection.findings.facts = odd;
	event = told(&inspection, &room);
	assert_false(event_has(&event, FIELD_DNS_ID));
	assert_false(event_has(&event, FIELD_DNS_RESPONSE_CODE));
	expect(&event, FIELD_DNS_QUESTION_TYPE, "65280");
}

/* A name that is too long for the room is left out; what follows an FTP command is cut. */
static void test_room(void **state)
{
	static uint8_t much[4096];
	struct buffer buffers[] = {{BUFFER_SSH_PROTOCOL, {much, sizeof(much)}}};
	const struct buffer ftp[] = {{BUFFER_FTP_COMMAND, SLICE("STOR")},
				     {BUFFER_FTP_COMMAND_DATA, {much, sizeof(much)}}};
	struct inspection inspection = {.kind = INSPECT_TRANSACTION,
					.direction = TO_SERVER,
					.application = APPLICATION_SSH,
					.findings = {.buffers = buffers, .buffer_count = 1}};
	struct inspection_room room;
	struct event event = told(&inspection, &room);

	assert_false(event_has(&event, FIELD_USER_AGENT));
	inspection.application = APPLICATION_FTP;
	inspection.findings = (struct findings){.buffers = ftp, .buffer_count = 2};
	event = told(&inspection, &room);
	expect(&event, FIELD_REQUEST_VERB, "STOR");
	assert_true(slice_starts(event_text(&event, FIELD_REQUEST_TEXT), "STOR "));
}

static void test_icmp_and_others(void **state)
{
	static const uint8_t header[8];
	struct packet packet = {.version = 4,
				.transport = TRANSPORT_ICMP,
				.transport_header = {header, 8},
				.icmp_type = 3,
				.icmp_code = 1,
				.ip_protocol = 1};
	struct inspection inspection = {.kind = INSPECT_PACKET, .packet = &packet};
	struct inspection_room room;
	struct event event;

	event_clear(&event);
	event_set_words(&event, FIELD_NETWORK_TRANSPORT, "icmp");
	inspection_event(&event, &room, &inspection);
	assert_int_equal(event_number(&event, FIELD_ICMP_TYPE), 3);
	assert_int_equal(event_number(&event, FIELD_ICMP_CODE), 1);
	assert_false(event_has(&event, FIELD_NETWORK_IANA));

	packet = (struct packet){.version = 6, .ip_protocol = 132};
	event = told(&inspection, &room);
	assert_int_equal(event_number(&event, FIELD_NETWORK_IANA), 132);
	assert_false(event_has(&event, FIELD_ICMP_TYPE));
}

static void test_wants(void **state)
{
	struct wants wants = {0};

	wants.buffers[BUFFER_FILE / 64] |= UINT64_C(1) << BUFFER_FILE % 64;
	inspection_event_wants(&wants);
	assert_true(wants_buffer(&wants, BUFFER_FILE));
	assert_true(wants_buffer(&wants, BUFFER_HTTP_STATUS));
	assert_true(wants_buffer(&wants, BUFFER_JA4_HASH));
	assert_false(wants_buffer(&wants, BUFFER_TLS_CERTIFICATES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_dns),     cmocka_unit_test(test_room),
		cmocka_unit_test(test_wants),   cmocka_unit_test(test_icmp_and_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
