/* EVE records: which event becomes which, and what each has of its own; see eve.h. */
#include <stdio.h>

#include "base/clock.h"
#include "exchange/eve_record.h"

#define METADATA_MAX    64 /* pairs of a rule's that are told */
#define PRIORITY_LOWEST 4

static bool has_any(const struct event *event, const enum event_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (event_has(event, fields[i]))
			return true;
	return false;
}

static void put_word(struct json_writer *j, const char *key, const char *word)
{
	json_key(j, key);
	json_text(j, word);
}

/* --- applications --- */

/* The value of a request header; at NULL: there is none. */
static struct slice request_header(const struct event *event, const char *name)
{
	if (!event_has(event, FIELD_HTTP_HEADERS))
		return slice_of(NULL, 0);
	for (size_t i = 0; i < event->values[FIELD_HTTP_HEADERS].texts.count; i++) {
		struct slice value = event->values[FIELD_HTTP_HEADERS].texts.items[i], key;

		if (slice_find_byte(value, ':') != SIZE_MAX && slice_next(&value, ':', &key) &&
		    slice_is_nocase(slice_trim(key), name)) {
			value = slice_trim(value);
			return value.at ? value : slice_of("", 0);
		}
	}
	return slice_of(NULL, 0);
}

static void put_request_headers(struct json_writer *j, const struct event *event)
{
	if (!event_has(event, FIELD_HTTP_HEADERS) || !event->values[FIELD_HTTP_HEADERS].texts.count)
		return;
	json_key(j, "request_headers");
	json_array(j);
	for (size_t i = 0; i < event->values[FIELD_HTTP_HEADERS].texts.count; i++) {
		struct slice value = event->values[FIELD_HTTP_HEADERS].texts.items[i], key;

		if (slice_find_byte(value, ':') == SIZE_MAX || !slice_next(&value, ':', &key))
			continue;
		json_object(j);
		eve_string(j, "name", slice_trim(key));
		eve_string(j, "value", slice_trim(value));
		json_object_end(j);
	}
	json_array_end(j);
}

/* The port that stands in the Host header; Suricata tells it only then. */
static void put_host_port(struct json_writer *j, const struct event *event)
{
	struct slice host = request_header(event, "host");
	size_t bracket = slice_find_byte(host, ']'), colon;
	int64_t port;

	if (bracket != SIZE_MAX)
		host = slice_from(host, bracket);
	colon = slice_find_byte(host, ':');
	if (colon == SIZE_MAX || slice_number(slice_from(host, colon + 1), 0, 65535, &port) < 0)
		return;
	json_key(j, "http_port");
	json_number(j, port);
}

static void put_http(struct json_writer *j, const struct event *event)
{
	static const enum event_field fields[] = {FIELD_HTTP_METHOD, FIELD_URL_ORIGINAL,
						  FIELD_HTTP_STATUS, FIELD_HTTP_VERSION};
	struct slice forwarded = request_header(event, "x-forwarded-for");
	struct slice type = event_text(event, FIELD_HTTP_RESPONSE_TYPE), kind;

	if (!has_any(event, fields, ARRAY_COUNT(fields)))
		return;
	json_key(j, "http");
	json_object(j);
	eve_text(j, "hostname", event, FIELD_URL_DOMAIN);
	put_host_port(j, event);
	eve_text(j, "url", event, FIELD_URL_ORIGINAL);
	eve_text(j, "http_user_agent", event, FIELD_USER_AGENT);
	if (forwarded.at)
		eve_string(j, "xff", forwarded);
	if (slice_next(&type, ';', &kind))
		eve_string(j, "http_content_type", kind);
	eve_text(j, "http_refer", event, FIELD_HTTP_REFERRER);
	eve_text(j, "http_method", event, FIELD_HTTP_METHOD);
	eve_text(j, "protocol", event, FIELD_HTTP_VERSION);
	eve_number(j, "status", event, FIELD_HTTP_STATUS);
	put_request_headers(j, event);
	json_object_end(j);
}

static void put_hash(struct json_writer *j, const char *key, const struct event *event,
		     enum event_field field)
{
	if (!event_has(event, field))
		return;
	json_key(j, key);
	json_object(j);
	eve_text(j, "hash", event, field);
	json_object_end(j);
}

/* OpenSSL's names of versions, and Suricata's. */
static struct slice tls_version(struct slice version)
{
	static const char *const names[][2] = {
		{"TLSv1.0", "TLSv1"},
		{"TLSv1.1", "TLS 1.1"},
		{"TLSv1.2", "TLS 1.2"},
		{"TLSv1.3", "TLS 1.3"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (slice_is(version, names[i][0]))
			return slice_text(names[i][1]);
	return version;
}

static const enum event_field tls_fields[] = {
	FIELD_TLS_VERSION, FIELD_TLS_SERVER_NAME, FIELD_TLS_JA3,   FIELD_TLS_JA3S,
	FIELD_TLS_JA4,     FIELD_TLS_SUBJECT,     FIELD_TLS_ISSUER};

static void put_tls(struct json_writer *j, const struct event *event)
{
	if (!has_any(event, tls_fields, ARRAY_COUNT(tls_fields)))
		return;
	json_key(j, "tls");
	json_object(j);
	eve_text(j, "subject", event, FIELD_TLS_SUBJECT);
	eve_text(j, "issuerdn", event, FIELD_TLS_ISSUER);
	eve_text(j, "sni", event, FIELD_TLS_SERVER_NAME);
	if (event_has(event, FIELD_TLS_VERSION))
		eve_string(j, "version", tls_version(event_text(event, FIELD_TLS_VERSION)));
	put_hash(j, "ja3", event, FIELD_TLS_JA3);
	put_hash(j, "ja3s", event, FIELD_TLS_JA3S);
	eve_text(j, "ja4", event, FIELD_TLS_JA4);
	json_object_end(j);
}

/* "SSH-2.0-OpenSSH_9.2 comment", or only what follows the second dash. */
static void put_ssh_side(struct json_writer *j, const char *side, const struct event *event,
			 enum event_field software, enum event_field hassh)
{
	struct slice text = event_text(event, software), version = {NULL, 0};

	if (!event_has(event, software) && !event_has(event, hassh))
		return;
	json_key(j, side);
	json_object(j);
	if (slice_starts(text, "SSH-")) {
		text = slice_from(text, 4);
		(void)slice_next(&text, '-', &version);
		eve_string(j, "proto_version", version);
	}
	text = slice_first(text, slice_find_byte(text, ' '));
	if (text.length)
		eve_string(j, "software_version", text);
	if (event_has(event, hassh)) {
		json_key(j, "hassh");
		json_object(j);
		eve_text(j, "hash", event, hassh);
		eve_text(j, "string", event, FIELD_SSH_HASSH_ALGORITHMS);
		json_object_end(j);
	}
	json_object_end(j);
}

static bool is_protocol(const struct event *event, const char *name)
{
	return slice_is(event_text(event, FIELD_NETWORK_PROTOCOL), name);
}

static bool tells_of_ssh(const struct event *event)
{
	static const enum event_field fields[] = {FIELD_SSH_HASSH, FIELD_SSH_HASSH_SERVER,
						  FIELD_USER_AGENT, FIELD_SERVER_SOFTWARE};

	return is_protocol(event, "ssh") && has_any(event, fields, ARRAY_COUNT(fields));
}

static void put_ssh(struct json_writer *j, const struct event *event)
{
	if (!tells_of_ssh(event))
		return;
	json_key(j, "ssh");
	json_object(j);
	put_ssh_side(j, "client", event, FIELD_USER_AGENT, FIELD_SSH_HASSH);
	put_ssh_side(j, "server", event, FIELD_SERVER_SOFTWARE, FIELD_SSH_HASSH_SERVER);
	json_object_end(j);
}

static void put_dns(struct json_writer *j, const struct event *event)
{
	bool answer = slice_is(event_text(event, FIELD_DNS_TYPE), "answer");

	if (!event_has(event, FIELD_DNS_QUESTION_NAME))
		return;
	json_key(j, "dns");
	json_object(j);
	json_key(j, "version");
	json_number(j, 3); /* the form of Suricata 8 */
	put_word(j, "type", answer ? "response" : "request");
	eve_number(j, "tx_id", event, FIELD_TRANSACTION);
	eve_number(j, "id", event, FIELD_DNS_ID);
	eve_text(j, "rcode", event, FIELD_DNS_RESPONSE_CODE);
	json_key(j, "queries");
	json_array(j);
	json_object(j);
	eve_text(j, "rrname", event, FIELD_DNS_QUESTION_NAME);
	eve_text(j, "rrtype", event, FIELD_DNS_QUESTION_TYPE);
	json_object_end(j);
	json_array_end(j);
	json_object_end(j);
}

static void put_ftp(struct json_writer *j, const struct event *event)
{
	struct slice line = event_text(event, FIELD_REQUEST_TEXT), command;

	if (!event_has(event, FIELD_REQUEST_VERB))
		return;
	json_key(j, "ftp");
	json_object(j);
	eve_text(j, "command", event, FIELD_REQUEST_VERB);
	(void)slice_next(&line, ' ', &command);
	if (line.length)
		eve_string(j, "command_data", line);
	if (event_has(event, FIELD_RESPONSE_CODE)) {
		json_key(j, "completion_code");
		json_array(j);
		eve_string(j, NULL, event_text(event, FIELD_RESPONSE_CODE));
		json_array_end(j);
	}
	json_object_end(j);
}

static void put_sip(struct json_writer *j, const struct event *event)
{
	struct slice line = event_text(event, FIELD_REQUEST_TEXT);
	size_t version = slice_find(line, SLICE(" SIP/"));

	if (!event_has(event, FIELD_REQUEST_VERB))
		return;
	json_key(j, "sip");
	json_object(j);
	eve_text(j, "method", event, FIELD_REQUEST_VERB);
	eve_text(j, "uri", event, FIELD_URL_ORIGINAL);
	if (version != SIZE_MAX)
		eve_string(j, "version", slice_trim(slice_from(line, version)));
	eve_text(j, "request_line", event, FIELD_REQUEST_TEXT);
	eve_text(j, "code", event, FIELD_RESPONSE_CODE);
	json_object_end(j);
}

/* Suricata's own names of commands: ours are told only where they are these. */
static bool has_smb_command(const struct event *event)
{
	struct slice verb = event_text(event, FIELD_REQUEST_VERB);

	return slice_starts(verb, "SMB1_COMMAND_") || slice_starts(verb, "SMB2_COMMAND_");
}

static void put_smb(struct json_writer *j, const struct event *event)
{
	if (!event_has(event, FIELD_USER_NAME) && !has_smb_command(event))
		return;
	json_key(j, "smb");
	json_object(j);
	if (has_smb_command(event))
		eve_text(j, "command", event, FIELD_REQUEST_VERB);
	if (event_has(event, FIELD_USER_NAME)) {
		json_key(j, "ntlmssp");
		json_object(j);
		eve_text(j, "domain", event, FIELD_USER_DOMAIN);
		eve_text(j, "user", event, FIELD_USER_NAME);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_application_of(struct json_writer *j, const struct event *event)
{
	static const struct {
		const char *protocol;
		void (*put)(struct json_writer *j, const struct event *event);
	} writers[] = {{"http", put_http}, {"tls", put_tls}, {"ssh", put_ssh}, {"dns", put_dns},
		       {"ftp", put_ftp},   {"sip", put_sip}, {"smb", put_smb}};

	for (size_t i = 0; i < ARRAY_COUNT(writers); i++)
		if (is_protocol(event, writers[i].protocol))
			writers[i].put(j, event);
}

/* --- alerts --- */

/* "gid:sid:revision" */
static bool read_rule_id(const struct event *event, int64_t numbers[3])
{
	struct slice rest = event_text(event, FIELD_RULE_ID), part;

	for (int i = 0; i < 3; i++)
		if (!slice_next(&rest, ':', &part) ||
		    slice_number(part, 0, UINT32_MAX, &numbers[i]) < 0)
			return false;
	return rest.length == 0;
}

static int64_t severity_of(const struct event *event)
{
	int64_t severity = event_number(event, FIELD_EVENT_SEVERITY);

	if (event_has(event, FIELD_RULE_PRIORITY))
		return event_number(event, FIELD_RULE_PRIORITY);
	return severity >= 75 ? 1 : severity >= 45 ? 2 : severity >= 20 ? 3 : PRIORITY_LOWEST;
}

struct metadata {
	struct slice keys[METADATA_MAX], values[METADATA_MAX];
	size_t count;
};

static void read_metadata(struct slice text, struct metadata *metadata)
{
	struct slice pair;

	metadata->count = 0;
	while (metadata->count < METADATA_MAX && slice_next(&text, ',', &pair)) {
		struct slice key;

		pair = slice_trim(pair);
		if (!slice_next(&pair, ' ', &key) || !slice_trim(pair).length)
			continue;
		metadata->keys[metadata->count] = key;
		metadata->values[metadata->count++] = slice_trim(pair);
	}
}

static size_t first_of_key(const struct metadata *metadata, size_t place)
{
	size_t first = 0;

	while (!slice_equal(metadata->keys[first], metadata->keys[place]))
		first++;
	return first;
}

static void put_metadata(struct json_writer *j, const struct event *event)
{
	struct metadata metadata;

	read_metadata(event_text(event, FIELD_RULE_METADATA), &metadata);
	if (!metadata.count)
		return;
	json_key(j, "metadata");
	json_object(j);
	for (size_t i = 0; i < metadata.count; i++) {
		if (first_of_key(&metadata, i) != i)
			continue;
		json_key_slice(j, metadata.keys[i]);
		json_array(j);
		for (size_t k = i; k < metadata.count; k++)
			if (first_of_key(&metadata, k) == i)
				eve_string(j, NULL, metadata.values[k]);
		json_array_end(j);
	}
	json_object_end(j);
}

static void put_party(struct json_writer *j, const char *key, const struct address *address,
		      int64_t port)
{
	json_key(j, key);
	json_object(j);
	eve_endpoint(j, "ip", "port", address, port);
	json_object_end(j);
}

/* Who attacks whom, where the rule says it. */
static void put_target(struct json_writer *j, const struct event *event,
		       const struct eve_ends *ends)
{
	bool source = slice_is(event_text(event, FIELD_RULE_TARGET), "source");

	if (!event_has(event, FIELD_RULE_TARGET))
		return;
	put_party(j, "source", source ? ends->destination : ends->source,
		  source ? ends->destination_port : ends->source_port);
	put_party(j, "target", source ? ends->source : ends->destination,
		  source ? ends->source_port : ends->destination_port);
}

static void put_counts(struct json_writer *j, const struct event *event)
{
	bool framed = event_has(event, FIELD_FLOW_SOURCE_BYTES);

	eve_number(j, "pkts_toserver", event, FIELD_SOURCE_PACKETS);
	eve_number(j, "pkts_toclient", event, FIELD_DESTINATION_PACKETS);
	/* Decoys know what was said, not in which frames. */
	eve_number(j, "bytes_toserver", event,
		   framed ? FIELD_FLOW_SOURCE_BYTES : FIELD_SOURCE_BYTES);
	eve_number(j, "bytes_toclient", event,
		   framed ? FIELD_FLOW_DESTINATION_BYTES : FIELD_DESTINATION_BYTES);
}

static void put_flow_so_far(struct json_writer *j, const struct event *event)
{
	if (!event_has(event, FIELD_EVENT_START))
		return;
	json_key(j, "flow");
	json_object(j);
	put_counts(j, event);
	eve_time(j, "start", event_number(event, FIELD_EVENT_START));
	eve_endpoint(j, "src_ip", "src_port", event_address(event, FIELD_SOURCE_IP),
		     event_has(event, FIELD_SOURCE_PORT) ? event_number(event, FIELD_SOURCE_PORT)
							 : -1);
	eve_endpoint(j, "dest_ip", "dest_port", event_address(event, FIELD_DESTINATION_IP),
		     event_has(event, FIELD_DESTINATION_PORT)
			     ? event_number(event, FIELD_DESTINATION_PORT)
			     : -1);
	json_object_end(j);
}

static void put_alert(struct json_writer *j, const struct event *event, const struct eve_ends *ends)
{
	int64_t numbers[3];

	if (!read_rule_id(event, numbers))
		return;
	json_key(j, "alert");
	json_object(j);
	/* Whatever the rule would have: a sensor only looks. */
	put_word(j, "action", "allowed");
	json_key(j, "gid");
	json_number(j, numbers[0]);
	json_key(j, "signature_id");
	json_number(j, numbers[1]);
	json_key(j, "rev");
	json_number(j, numbers[2]);
	eve_string(j, "signature", event_text(event, FIELD_RULE_NAME));
	/* In words where they are known, else by its name. */
	eve_string(j, "category",
		   event_text(event, event_has(event, FIELD_RULE_CLASS) ? FIELD_RULE_CLASS
									: FIELD_RULE_CATEGORY));
	json_key(j, "severity");
	json_number(j, severity_of(event));
	put_target(j, event, ends);
	put_metadata(j, event);
	json_object_end(j);
	put_application_of(j, event);
	put_flow_so_far(j, event);
}

/* --- flows, files, anomalies --- */

/* Suricata's reasons; an end that the peers agreed upon is none of them. */
static const char *end_reason(struct slice reason)
{
	if (slice_is(reason, "timeout") || slice_is(reason, "idle"))
		return "timeout";
	if (slice_is(reason, "shutdown"))
		return "shutdown";
	if (slice_starts(reason, "shed") || slice_is(reason, "memory"))
		return "forced";
	return "unknown";
}

static void put_flags(struct json_writer *j, const char *key, int64_t flags)
{
	char text[4];

	(void)snprintf(text, sizeof(text), "%02x", (unsigned)(flags & 0xff));
	put_word(j, key, text);
}

/* Only a sensor of packets knows them. */
static void put_tcp(struct json_writer *j, const struct event *event)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"};
	int64_t there = event_number(event, FIELD_FLOW_SOURCE_FLAGS);
	int64_t back = event_number(event, FIELD_FLOW_DESTINATION_FLAGS);

	if (!event_has(event, FIELD_FLOW_SOURCE_FLAGS))
		return;
	json_key(j, "tcp");
	json_object(j);
	put_flags(j, "tcp_flags", there | back);
	put_flags(j, "tcp_flags_ts", there);
	put_flags(j, "tcp_flags_tc", back);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if ((there | back) >> i & 1) {
			json_key(j, names[i]);
			json_boolean(j, true);
		}
	json_object_end(j);
}

static void put_flow(struct json_writer *j, const struct event *event, const struct eve_ends *ends)
{
	int64_t end = event_number(event, FIELD_TIME), start;

	(void)ends;
	start = event_has(event, FIELD_EVENT_START)
			? event_number(event, FIELD_EVENT_START)
			: end - event_number(event, FIELD_EVENT_DURATION) / 1000;
	json_key(j, "flow");
	json_object(j);
	put_counts(j, event);
	eve_time(j, "start", start);
	eve_time(j, "end", end);
	json_key(j, "age");
	json_number(j, end / SECOND - start / SECOND);
	if (event_has(event, FIELD_FLOW_STATE))
		eve_text(j, "state", event, FIELD_FLOW_STATE);
	else
		put_word(j, "state",
			 slice_is(event_text(event, FIELD_NETWORK_TRANSPORT), "tcp")
				 ? "closed"
				 : "established");
	put_word(j, "reason", end_reason(event_text(event, FIELD_EVENT_REASON)));
	if (event_has(event, FIELD_FLOW_ALERTS)) {
		json_key(j, "alerted");
		json_boolean(j, event_number(event, FIELD_FLOW_ALERTS) > 0);
	}
	json_object_end(j);
	put_tcp(j, event);
}

static void put_fileinfo(struct json_writer *j, const struct event *event,
			 const struct eve_ends *ends)
{
	bool stored = slice_is(event_text(event, FIELD_EVENT_OUTCOME), "success");
	bool whole = slice_find(event_text(event, FIELD_EVENT_REASON), SLICE("cut")) == SIZE_MAX;

	(void)ends;
	json_key(j, "fileinfo");
	json_object(j);
	eve_text(j, "filename", event,
		 event_text(event, FIELD_FILE_NAME).length ? FIELD_FILE_NAME : FIELD_FILE_PATH);
	json_key(j, "gaps");
	json_boolean(j, false);
	put_word(j, "state", whole ? "CLOSED" : "TRUNCATED");
	eve_text(j, "md5", event, FIELD_FILE_MD5);
	eve_text(j, "sha256", event, FIELD_FILE_SHA256);
	json_key(j, "stored");
	json_boolean(j, stored);
	eve_number(j, "size", event, FIELD_FILE_SIZE);
	json_object_end(j);
}

/* "broken chunk" becomes BROKEN_CHUNK. */
static void put_event_name(struct json_writer *j, struct slice reason)
{
	uint8_t name[64];

	reason = slice_first(reason, sizeof(name));
	for (size_t i = 0; i < reason.length; i++) {
		uint8_t c = reason.at[i];

		name[i] = c >= 'a' && c <= 'z'                               ? (uint8_t)(c - 32)
			  : (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c
									     : '_';
	}
	json_key(j, "event");
	json_string(j, slice_of(name, reason.length));
}

static void put_anomaly(struct json_writer *j, const struct event *event,
			const struct eve_ends *ends)
{
	(void)ends;
	json_key(j, "anomaly");
	json_object(j);
	eve_text(j, "app_proto", event, FIELD_NETWORK_PROTOCOL);
	put_word(j, "type", "applayer");
	put_event_name(j, event_text(event, FIELD_EVENT_REASON));
	put_word(j, "layer", "proto_parser");
	json_object_end(j);
}

/* --- which record --- */

#define APPLICATION_BODY(name)                                                       \
	static void body_of_##name(struct json_writer *j, const struct event *event, \
				   const struct eve_ends *ends)                      \
	{                                                                            \
		(void)ends;                                                          \
		put_##name(j, event);                                                \
	}
APPLICATION_BODY(http)
APPLICATION_BODY(tls)
APPLICATION_BODY(ssh)
APPLICATION_BODY(dns)
APPLICATION_BODY(ftp)
APPLICATION_BODY(sip)
APPLICATION_BODY(smb)

static bool is_alert(const struct event *event)
{
	int64_t numbers[3];

	return read_rule_id(event, numbers);
}

static bool always(const struct event *event)
{
	(void)event;
	return true;
}

static bool tells_of_tls(const struct event *event)
{
	return has_any(event, tls_fields, ARRAY_COUNT(tls_fields));
}

static bool is_ftp(const struct event *event)
{
	return is_protocol(event, "ftp") && event_has(event, FIELD_REQUEST_VERB);
}

static bool is_sip(const struct event *event)
{
	return is_protocol(event, "sip") && event_has(event, FIELD_REQUEST_VERB);
}

static bool is_dns(const struct event *event)
{
	return is_protocol(event, "dns") && event_has(event, FIELD_DNS_QUESTION_NAME);
}

static bool is_smb(const struct event *event)
{
	return is_protocol(event, "smb") && has_smb_command(event);
}

static bool is_smb_login(const struct event *event)
{
	return is_protocol(event, "smb") && event_has(event, FIELD_USER_NAME);
}

static bool is_payload(const struct event *event)
{
	struct slice kind = event_text(event, FIELD_EVIDENCE_KIND);

	return !kind.length || slice_is(kind, "payload");
}

static bool is_http(const struct event *event)
{
	return event_has(event, FIELD_HTTP_METHOD) || event_has(event, FIELD_URL_ORIGINAL);
}

const struct eve_kind *eve_kind_of(const struct event *event)
{
	static const struct {
		const char *action;
		bool (*fits)(const struct event *event);
		struct eve_kind kind;
	} kinds[] = {
		{"rule.alert", is_alert, {"alert", NULL, put_alert}},
		{"http.request", is_http, {"http", "http", body_of_http}},
		{"client.fingerprint", tells_of_tls, {"tls", "tls", body_of_tls}},
		{"server.fingerprint", tells_of_tls, {"tls", "tls", body_of_tls}},
		{"client.fingerprint", tells_of_ssh, {"ssh", "ssh", body_of_ssh}},
		{"server.fingerprint", tells_of_ssh, {"ssh", "ssh", body_of_ssh}},
		{"protocol.request", is_ftp, {"ftp", "ftp", body_of_ftp}},
		{"protocol.request", is_sip, {"sip", "sip", body_of_sip}},
		{"protocol.request", is_dns, {"dns", "dns", body_of_dns}},
		{"protocol.request", is_smb, {"smb", "smb", body_of_smb}},
		{"auth.attempt", is_smb_login, {"smb", "smb", body_of_smb}},
		{"protocol.error", always, {"anomaly", NULL, put_anomaly}},
		{"payload.captured", is_payload, {"fileinfo", NULL, put_fileinfo}},
		{"session.close", always, {"flow", NULL, put_flow}},
	};
	struct slice action = event_text(event, FIELD_EVENT_ACTION);

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (slice_is(action, kinds[i].action) && kinds[i].fits(event))
			return &kinds[i].kind;
	return NULL;
}
