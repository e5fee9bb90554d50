/* EVE records: what all of them have, and counting; see eve.h. */
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "exchange/eve_record.h"

#define FLOW_ID_MASK ((UINT64_C(1) << 51) - 1)

int64_t eve_flow_id(struct slice session)
{
	uint8_t digest[20];
	uint64_t number = 0;

	hash_sha1_once(session, digest);
	for (int i = 0; i < 8; i++)
		number = number << 8 | digest[i];
	number &= FLOW_ID_MASK;
	/* 0 says that there is none. */
	return number ? (int64_t)number : 1;
}

/* --- values --- */

static bool is_utf8(struct slice text)
{
	while (text.length) {
		size_t length = utf8_sequence(text);

		if (!length)
			return false;
		text = slice_from(text, length);
	}
	return true;
}

void eve_string(struct json_writer *j, const char *key, struct slice text)
{
	struct writer shown;

	if (key)
		json_key(j, key);
	if (is_utf8(text)) {
		json_string(j, text);
		return;
	}
	shown = writer_growing(4 * text.length + 1);
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < 0x80)
			writer_u8(&shown, text.at[i]);
		else
			writer_format(&shown, "\\x%02x", text.at[i]);
	}
	j->out->failed |= shown.failed;
	json_string(j, writer_slice(&shown));
	writer_free(&shown);
}

void eve_text(struct json_writer *j, const char *key, const struct event *event,
	      enum event_field field)
{
	if (event_has(event, field))
		eve_string(j, key, event_text(event, field));
}

void eve_number(struct json_writer *j, const char *key, const struct event *event,
		enum event_field field)
{
	if (!event_has(event, field))
		return;
	json_key(j, key);
	json_number(j, event_number(event, field));
}

void eve_time(struct json_writer *j, const char *key, int64_t time)
{
	char text[CLOCK_TEXT_LENGTH + 1], zoned[CLOCK_TEXT_LENGTH + 5];
	struct writer w = writer_fixed(zoned, sizeof(zoned));

	clock_text(time, text);
	/* Suricata writes the zone as an offset. */
	writer_bytes(&w, slice_first(slice_text(text), CLOCK_TEXT_LENGTH - 1));
	writer_text(&w, "+0000");
	json_key(j, key);
	json_string(j, writer_slice(&w));
}

static void put_address(struct json_writer *j, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	struct writer w = writer_fixed(text, sizeof(text));

	if (address->family == 4) {
		address_text(address, text);
		json_text(j, text);
		return;
	}
	for (size_t i = 0; i < 16; i += 2)
		writer_format(&w, "%s%02x%02x", i ? ":" : "", address->bytes[i],
			      address->bytes[i + 1]);
	json_string(j, writer_slice(&w));
}

void eve_endpoint(struct json_writer *j, const char *address_key, const char *port_key,
		  const struct address *address, int64_t port)
{
	if (address && address->family) {
		json_key(j, address_key);
		put_address(j, address);
	}
	if (port >= 0) {
		json_key(j, port_key);
		json_number(j, port);
	}
}

/* --- what all records have --- */

static uint8_t protocol_of(const struct event *event)
{
	struct slice transport = event_text(event, FIELD_NETWORK_TRANSPORT);
	const struct address *source = event_address(event, FIELD_SOURCE_IP);

	if (slice_is(transport, "tcp"))
		return EVE_TCP;
	if (slice_is(transport, "udp"))
		return EVE_UDP;
	if (slice_is(transport, "icmp"))
		return source && source->family == 6 ? EVE_ICMP6 : EVE_ICMP;
	return (uint8_t)event_number(event, FIELD_NETWORK_IANA);
}

/* NULL: it has none that is worth one. */
static const char *protocol_name(uint8_t protocol)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{EVE_TCP, "TCP"},   {EVE_UDP, "UDP"}, {EVE_ICMP, "ICMP"}, {EVE_ICMP6, "IPv6-ICMP"},
		{EVE_SCTP, "SCTP"}, {0, "HOPOPT"},    {2, "IGMP"},        {4, "IP-in-IP"},
		{41, "IPv6"},       {47, "GRE"},      {50, "ESP"},        {51, "AH"},
		{89, "OSPF"},       {103, "PIM"},     {112, "VRRP"}};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (names[i].number == protocol)
			return names[i].name;
	return NULL;
}

static void put_protocol(struct json_writer *j, const struct event *event, uint8_t protocol)
{
	char number[8];

	if (!protocol && !event_has(event, FIELD_NETWORK_IANA))
		return;
	(void)snprintf(number, sizeof(number), "%u", protocol);
	json_key(j, "proto");
	json_text(j, protocol_name(protocol) ? protocol_name(protocol) : number);
}

static int64_t number_or_none(const struct event *event, enum event_field field)
{
	return event_has(event, field) ? event_number(event, field) : -1;
}

static bool is_answer(const struct event *event)
{
	return slice_is(event_text(event, FIELD_RULE_DIRECTION), "to_client");
}

static struct eve_ends ends_of(const struct event *event)
{
	struct eve_ends ends = {
		.source = event_address(event, FIELD_SOURCE_IP),
		.destination = event_address(event, FIELD_DESTINATION_IP),
		.source_port = number_or_none(event, FIELD_SOURCE_PORT),
		.destination_port = number_or_none(event, FIELD_DESTINATION_PORT),
		.protocol = protocol_of(event),
		.icmp_type = number_or_none(event, FIELD_ICMP_TYPE),
		.icmp_code = number_or_none(event, FIELD_ICMP_CODE),
	};

	if (is_answer(event)) {
		const struct address *address = ends.source;
		int64_t port = ends.source_port;

		ends.source = ends.destination;
		ends.source_port = ends.destination_port;
		ends.destination = address;
		ends.destination_port = port;
	}
	return ends;
}

static void put_head(struct json_writer *j, const struct event *event, const struct eve_kind *kind,
		     const struct eve_ends *ends)
{
	eve_time(j, "timestamp", event_number(event, FIELD_TIME));
	if (event_text(event, FIELD_SESSION_ID).length) {
		json_key(j, "flow_id");
		json_number(j, eve_flow_id(event_text(event, FIELD_SESSION_ID)));
	}
	eve_text(j, "in_iface", event, FIELD_OBSERVER_INTERFACE);
	eve_number(j, "pcap_cnt", event, FIELD_PACKET_NUMBER);
	json_key(j, "event_type");
	json_text(j, kind->name);
	if (event_has(event, FIELD_NETWORK_VLAN)) {
		json_key(j, "vlan");
		json_array(j);
		json_number(j, event_number(event, FIELD_NETWORK_VLAN));
		json_array_end(j);
	}
	eve_text(j, "host", event, FIELD_OBSERVER_NAME);
}

static void put_ends(struct json_writer *j, const struct event *event, const struct eve_ends *ends)
{
	char community_id[EVE_COMMUNITY_ID_LENGTH + 1];

	eve_endpoint(j, "src_ip", "src_port", ends->source, ends->source_port);
	eve_endpoint(j, "dest_ip", "dest_port", ends->destination, ends->destination_port);
	put_protocol(j, event, ends->protocol);
	eve_number(j, "icmp_type", event, FIELD_ICMP_TYPE);
	eve_number(j, "icmp_code", event, FIELD_ICMP_CODE);
	if (eve_community_id(ends, community_id)) {
		json_key(j, "community_id");
		json_text(j, community_id);
	}
	eve_number(j, "tx_id", event, FIELD_TRANSACTION);
}

static void put_application(struct json_writer *j, const struct event *event,
			    const struct eve_kind *kind)
{
	static const struct {
		const char *ours, *theirs;
	} names[] = {
		{"ethereum", "http"}, /* JSON-RPC is its body */
		{"unknown", "failed"},
	};
	struct slice name = kind->application ? slice_text(kind->application)
					      : event_text(event, FIELD_NETWORK_PROTOCOL);

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (slice_is(name, names[i].ours))
			name = slice_text(names[i].theirs);
	if (name.length)
		eve_string(j, "app_proto", name);
}

/* --- records --- */

static size_t action_place(struct slice action)
{
	for (size_t i = 0; event_actions[i].name && i < EVE_ACTIONS_MAX - 1; i++) {
		struct slice name = slice_text(event_actions[i].name);

		if (slice_equal(action, name) ||
		    (slice_is(name, "finding.*") && slice_starts(action, "finding.")))
			return i;
	}
	return EVE_ACTIONS_MAX - 1;
}

bool eve_write(struct eve *eve, const struct event *event, struct writer *out)
{
	const struct eve_kind *kind = eve_kind_of(event);
	struct json_writer j = json_writer_of(out);
	struct eve_ends ends = ends_of(event);

	if (!kind) {
		eve->left_out[action_place(event_text(event, FIELD_EVENT_ACTION))]++;
		return false;
	}
	json_object(&j);
	put_head(&j, event, kind, &ends);
	put_ends(&j, event, &ends);
	kind->body(&j, event, &ends);
	put_application(&j, event, kind);
	eve_text(&j, "direction", event, FIELD_RULE_DIRECTION);
	json_object_end(&j);
	writer_u8(out, '\n');
	eve->records++;
	return true;
}

void eve_tell_left_out(const struct eve *eve, struct writer *out)
{
	uint64_t total = 0;
	const char *before = ": ";

	for (size_t i = 0; i < EVE_ACTIONS_MAX; i++)
		total += eve->left_out[i];
	if (!total)
		return;
	writer_format(out, "%llu event%s that EVE has no record for %s left out",
		      (unsigned long long)total, total == 1 ? "" : "s",
		      total == 1 ? "was" : "were");
	for (size_t i = 0; i < EVE_ACTIONS_MAX; i++) {
		if (!eve->left_out[i])
			continue;
		writer_format(out, "%s%llu %s", before, (unsigned long long)eve->left_out[i],
			      i < EVE_ACTIONS_MAX - 1 ? event_actions[i].name : "of other kinds");
		before = ", ";
	}
	writer_u8(out, '\n');
}
