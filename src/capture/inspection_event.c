/* What an event says of an inspection; see inspection_event.h. */
#include <stdio.h>

#include "capture/application/hello_view.h"
#include "capture/inspection_event.h"

#define DNS_HEADER_BYTES 12

/* Buffers that are fields as they are; sides: 1 to the server, 2 to the client, 3 both. */
static const struct {
	enum buffer_id buffer;
	enum event_field field;
	uint8_t sides;
} fields[] = {
	{BUFFER_HTTP_METHOD, FIELD_HTTP_METHOD, 1},
	{BUFFER_HTTP_URI_RAW, FIELD_URL_ORIGINAL, 1},
	{BUFFER_HTTP_HOST, FIELD_URL_DOMAIN, 1},
	{BUFFER_HTTP_USER_AGENT, FIELD_USER_AGENT, 1},
	{BUFFER_HTTP_REFERER, FIELD_HTTP_REFERRER, 1},
	{BUFFER_HTTP_PROTOCOL, FIELD_HTTP_VERSION, 3},
	{BUFFER_HTTP_CONTENT_TYPE, FIELD_HTTP_RESPONSE_TYPE, 2},
	{BUFFER_TLS_SNI, FIELD_TLS_SERVER_NAME, 1},
	{BUFFER_JA3_HASH, FIELD_TLS_JA3, 1},
	{BUFFER_JA4_HASH, FIELD_TLS_JA4, 1},
	{BUFFER_JA3S_HASH, FIELD_TLS_JA3S, 2},
	{BUFFER_TLS_SUBJECT, FIELD_TLS_SUBJECT, 2},
	{BUFFER_TLS_ISSUER, FIELD_TLS_ISSUER, 2},
	{BUFFER_HASSH, FIELD_SSH_HASSH, 1},
	{BUFFER_HASSH_STRING, FIELD_SSH_HASSH_ALGORITHMS, 1},
	{BUFFER_HASSH_SERVER, FIELD_SSH_HASSH_SERVER, 2},
	{BUFFER_HASSH_SERVER_STRING, FIELD_SSH_HASSH_ALGORITHMS, 2},
	{BUFFER_DNS_QUERY_NAME, FIELD_DNS_QUESTION_NAME, 3},
	{BUFFER_SMB_NTLMSSP_USER, FIELD_USER_NAME, 1},
	{BUFFER_SMB_NTLMSSP_DOMAIN, FIELD_USER_DOMAIN, 1},
};

/* Buffers that parts of fields are made of. */
static const enum buffer_id parts[] = {
	BUFFER_HTTP_STATUS, BUFFER_SSH_PROTOCOL,     BUFFER_SSH_SOFTWARE,
	BUFFER_FTP_COMMAND, BUFFER_FTP_COMMAND_DATA,
};

void inspection_event_wants(struct wants *wants)
{
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		wants->buffers[fields[i].buffer / 64] |= UINT64_C(1) << fields[i].buffer % 64;
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		wants->buffers[parts[i] / 64] |= UINT64_C(1) << parts[i] % 64;
}

/* The first of that name; at NULL: there is none. */
static struct slice found_buffer(const struct findings *findings, enum buffer_id id)
{
	for (size_t i = 0; i < findings->buffer_count; i++)
		if (findings->buffers[i].id == id)
			return findings->buffers[i].bytes;
	return slice_of(NULL, 0);
}

static bool found_fact(const struct findings *findings, enum fact_id id, int64_t *value)
{
	for (size_t i = 0; i < findings->fact_count; i++)
		if (findings->facts[i].id == id) {
			*value = findings->facts[i].value;
			return true;
		}
	return false;
}

static void set_text(struct event *event, enum event_field field, struct slice text)
{
	if (text.at && !event_has(event, field))
		event_set_text(event, field, text);
}

static void set_words(struct event *event, enum event_field field, const char *words)
{
	if (words)
		set_text(event, field, slice_text(words));
}

static void set_identification(struct event *event, struct inspection_room *room,
			       const struct inspection *i)
{
	struct writer w = writer_fixed(room->identification, sizeof(room->identification));
	struct slice protocol = found_buffer(&i->findings, BUFFER_SSH_PROTOCOL);

	if (!protocol.length)
		return;
	writer_text(&w, "SSH-");
	writer_bytes(&w, protocol);
	writer_u8(&w, '-');
	writer_bytes(&w, found_buffer(&i->findings, BUFFER_SSH_SOFTWARE));
	if (!w.failed)
		set_text(event,
			 i->direction == TO_SERVER ? FIELD_USER_AGENT : FIELD_SERVER_SOFTWARE,
			 writer_slice(&w));
}

static void set_ftp_command(struct event *event, struct inspection_room *room,
			    const struct findings *findings)
{
	struct writer w = writer_fixed(room->command, sizeof(room->command));
	struct slice command = found_buffer(findings, BUFFER_FTP_COMMAND);
	struct slice data = found_buffer(findings, BUFFER_FTP_COMMAND_DATA);

	if (!command.length)
		return;
	set_text(event, FIELD_REQUEST_VERB, command);
	writer_bytes(&w, command);
	if (data.length) {
		writer_u8(&w, ' ');
		writer_bytes(&w, slice_first(data, sizeof(room->command) / 2));
	}
	if (!w.failed)
		set_text(event, FIELD_REQUEST_TEXT, writer_slice(&w));
}

static const char *record_type_name(int64_t type, char text[8])
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {{1, "A"},      {2, "NS"},     {5, "CNAME"},   {6, "SOA"},    {10, "NULL"},
		     {12, "PTR"},   {13, "HINFO"}, {15, "MX"},     {16, "TXT"},   {28, "AAAA"},
		     {33, "SRV"},   {35, "NAPTR"}, {41, "OPT"},    {43, "DS"},    {44, "SSHFP"},
		     {46, "RRSIG"}, {47, "NSEC"},  {48, "DNSKEY"}, {50, "NSEC3"}, {52, "TLSA"},
		     {64, "SVCB"},  {65, "HTTPS"}, {99, "SPF"},    {250, "TSIG"}, {252, "AXFR"},
		     {255, "ANY"}};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (names[i].type == type)
			return names[i].name;
	(void)snprintf(text, 8, "%u", (unsigned)(type & 0xffff));
	return text;
}

static const char *response_code_name(int64_t code)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					    "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
					    "NXRRSET", "NOTAUTH", "NOTZONE"};

	return code >= 0 && code < (int64_t)ARRAY_COUNT(names) ? names[code] : NULL;
}

static void set_dns(struct event *event, struct inspection_room *room, const struct inspection *i)
{
	const struct findings *findings = &i->findings;
	int64_t number;

	set_words(event, FIELD_DNS_TYPE, i->direction == TO_SERVER ? "query" : "answer");
	if (found_fact(findings, FACT_DNS_RRTYPE, &number))
		set_words(event, FIELD_DNS_QUESTION_TYPE,
			  record_type_name(number, room->record_type));
	if (found_fact(findings, FACT_DNS_RCODE, &number))
		set_words(event, FIELD_DNS_RESPONSE_CODE, response_code_name(number));
	/* A datagram is the message itself. */
	if (i->packet && i->packet->transport == TRANSPORT_UDP &&
	    i->packet->payload.length >= DNS_HEADER_BYTES)
		event_set_number(event, FIELD_DNS_ID,
				 i->packet->payload.at[0] << 8 | i->packet->payload.at[1]);
}

static void set_application(struct event *event, struct inspection_room *room,
			    const struct inspection *i)
{
	unsigned side = i->direction == TO_SERVER ? 1 : 2;
	int64_t number;

	for (size_t k = 0; k < ARRAY_COUNT(fields); k++)
		if (fields[k].sides & side)
			set_text(event, fields[k].field,
				 found_buffer(&i->findings, fields[k].buffer));
	switch (i->application) {
	case APPLICATION_HTTP:
		if (slice_number(found_buffer(&i->findings, BUFFER_HTTP_STATUS), 0, 999, &number) ==
		    0)
			event_set_number(event, FIELD_HTTP_STATUS, number);
		break;
	case APPLICATION_TLS:
		/* What a client offers is not what was agreed upon. */
		if (side == 2 && found_fact(&i->findings, FACT_TLS_VERSION, &number))
			set_words(event, FIELD_TLS_VERSION, hello_version_name(number));
		break;
	case APPLICATION_SSH:
		set_identification(event, room, i);
		break;
	case APPLICATION_FTP:
		set_ftp_command(event, room, &i->findings);
		break;
	case APPLICATION_DNS:
		set_dns(event, room, i);
		break;
	default:
		break;
	}
}

void flow_event(struct event *event, const struct flow *flow)
{
	static const char *const states[] = {
		[FLOW_NEW] = "new", [FLOW_ESTABLISHED] = "established", [FLOW_CLOSED] = "closed"};

	event_set_number(event, FIELD_EVENT_START, flow->started);
	event_set_number(event, FIELD_SOURCE_PACKETS, (int64_t)flow->packets[TO_SERVER]);
	event_set_number(event, FIELD_DESTINATION_PACKETS, (int64_t)flow->packets[TO_CLIENT]);
	event_set_number(event, FIELD_FLOW_SOURCE_BYTES, (int64_t)flow->framed[TO_SERVER]);
	event_set_number(event, FIELD_FLOW_DESTINATION_BYTES, (int64_t)flow->framed[TO_CLIENT]);
	event_set_words(event, FIELD_FLOW_STATE, states[flow->state]);
	event_set_number(event, FIELD_FLOW_ALERTS, flow->alerts);
	if (flow->transport == TRANSPORT_TCP) {
		event_set_number(event, FIELD_FLOW_SOURCE_FLAGS, flow->flags[TO_SERVER]);
		event_set_number(event, FIELD_FLOW_DESTINATION_FLAGS, flow->flags[TO_CLIENT]);
	}
}

void inspection_event(struct event *event, struct inspection_room *room,
		      const struct inspection *inspection)
{
	const struct packet *packet = inspection->packet;

	event_set_words(event, FIELD_RULE_DIRECTION,
			inspection->direction == TO_SERVER ? "to_server" : "to_client");
	if (inspection->flow)
		flow_event(event, inspection->flow);
	if (packet && packet->vlan_count)
		event_set_number(event, FIELD_NETWORK_VLAN, packet->vlans[0]);
	if (packet && packet->version && !event_has(event, FIELD_NETWORK_TRANSPORT))
		event_set_number(event, FIELD_NETWORK_IANA, packet->ip_protocol);
	if (packet && packet->transport == TRANSPORT_ICMP && packet->transport_header.length) {
		event_set_number(event, FIELD_ICMP_TYPE, packet->icmp_type);
		event_set_number(event, FIELD_ICMP_CODE, packet->icmp_code);
	}
	if (inspection->kind == INSPECT_TRANSACTION) {
		event_set_number(event, FIELD_TRANSACTION, (int64_t)inspection->transaction);
		set_application(event, room, inspection);
	}
}
