/* Kerberos 5 (RFC 4120) over UDP and TCP: names, kinds of messages, errors, encryption of tickets.
 */
#include "capture/application/ber.h"
#include "capture/application/view.h"

#define MESSAGE_MAX    65536
#define COMPONENTS_MAX 8

enum message_type {
	AS_REQUEST = 10,
	AS_REPLY = 11,
	TGS_REQUEST = 12,
	TGS_REPLY = 13,
	AP_REQUEST = 14,
	AP_REPLY = 15,
	ERROR = 30,
};

enum { TAG_APPLICATION = 0x60, TAG_CONTEXT = 0xa0 };

struct krb5 {
	uint64_t transactions[2];
};

/* The message's type, or 0: it is none. */
static uint8_t type_of(struct slice message)
{
	uint8_t type = message.length ? message.at[0] & 0x1f : 0;
	size_t length;

	if (message.length < 4 || (message.at[0] & 0xe0) != TAG_APPLICATION ||
	    !ber_spans(message, &length) || length > MESSAGE_MAX)
		return 0;
	return (type >= AS_REQUEST && type <= AP_REPLY) || type == ERROR ? type : 0;
}

/* The element inside [n]. */
static struct cursor inside(struct slice content)
{
	struct cursor c = cursor_of(content);
	struct slice part;

	return ber_take(&c, BER_SEQUENCE, &part) ? cursor_of(part) : (struct cursor){NULL, 0, true};
}

static int64_t number_in(struct slice content)
{
	struct cursor c = cursor_of(content);
	struct slice part;

	return ber_take(&c, BER_INTEGER, &part) ? ber_number(part) : -1;
}

/* PrincipalName: each of its components is a buffer. */
static void view_name(struct findings_view *v, enum buffer_id id, struct slice content)
{
	struct cursor c = inside(content);
	struct slice part, list;

	if (!ber_take(&c, TAG_CONTEXT, &part) || !ber_take(&c, TAG_CONTEXT + 1, &list))
		return;
	c = inside(list);
	for (unsigned i = 0; i < COMPONENTS_MAX && c.left && !c.failed; i++) {
		(void)ber_next(&c, &part);
		if (!c.failed)
			view_buffer(v, id, part);
	}
}

static void view_ticket(struct findings_view *v, struct slice content)
{
	struct cursor c = cursor_of(content);
	struct slice part;

	if (!ber_take(&c, TAG_APPLICATION + 1, &part))
		return;
	c = inside(part);
	while (c.left && !c.failed) {
		uint8_t tag = ber_next(&c, &part);
		struct cursor encrypted;

		if (tag == TAG_CONTEXT + 2)
			view_name(v, BUFFER_KRB5_SNAME, part);
		if (tag != TAG_CONTEXT + 3)
			continue;
		encrypted = inside(part);
		if (ber_take(&encrypted, TAG_CONTEXT, &part))
			view_fact(v, FACT_KRB5_TICKET_ENCRYPTION, number_in(part));
	}
}

static void view_request_body(struct findings_view *v, struct slice content)
{
	struct cursor c = inside(content);
	struct slice part;

	while (c.left && !c.failed) {
		uint8_t tag = ber_next(&c, &part);

		if (tag == TAG_CONTEXT + 1)
			view_name(v, BUFFER_KRB5_CNAME, part);
		else if (tag == TAG_CONTEXT + 3)
			view_name(v, BUFFER_KRB5_SNAME, part);
	}
}

static void view_part(struct findings_view *v, uint8_t type, uint8_t tag, struct slice content)
{
	bool request = type == AS_REQUEST || type == TGS_REQUEST;
	bool reply = type == AS_REPLY || type == TGS_REPLY;

	if (request && tag == TAG_CONTEXT + 4)
		view_request_body(v, content);
	else if (reply && tag == TAG_CONTEXT + 4)
		view_name(v, BUFFER_KRB5_CNAME, content);
	else if (reply && tag == TAG_CONTEXT + 5)
		view_ticket(v, content);
	else if (type == ERROR && tag == TAG_CONTEXT + 6)
		view_fact(v, FACT_KRB5_ERROR, number_in(content));
	else if (type == ERROR && tag == TAG_CONTEXT + 8)
		view_name(v, BUFFER_KRB5_CNAME, content);
	else if (type == ERROR && tag == TAG_CONTEXT + 10)
		view_name(v, BUFFER_KRB5_SNAME, content);
}

static void read_message(struct krb5 *krb5, struct application_context *context,
			 enum direction direction, struct slice message)
{
	uint8_t type = type_of(message);
	struct cursor c = cursor_of(message);
	struct slice content;
	struct findings_view v;

	if (!type)
		return;
	view_start(&v, context);
	view_fact(&v, FACT_KRB5_MESSAGE_TYPE, type);
	(void)ber_next(&c, &content);
	c = inside(content);
	while (c.left && !c.failed) {
		struct slice part;
		uint8_t tag = ber_next(&c, &part);

		view_part(&v, type, tag, part);
	}
	view_offer(&v, direction, krb5->transactions[direction]++);
}

static size_t record_length(struct slice bytes)
{
	struct cursor c = cursor_of(bytes);

	return cursor_u32be(&c);
}

static enum recognition krb5_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t length;

	/* A datagram holds just the message. */
	if (type_of(bytes) && ber_spans(bytes, &length) && length == bytes.length)
		return RECOGNISED_YES;
	if (bytes.length < 8)
		return bytes.length == 0 || bytes.at[0] == 0 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	length = record_length(bytes);
	return length <= MESSAGE_MAX && type_of(slice_from(bytes, 4)) ? RECOGNISED_YES
								      : RECOGNISED_NO;
}

static size_t krb5_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	size_t used = 0;

	if (context->packet && context->packet->transport == TRANSPORT_UDP) {
		read_message(state, context, direction, bytes);
		return bytes.length;
	}
	while (bytes.length - used >= 4) {
		struct slice rest = slice_from(bytes, used);
		size_t length = record_length(rest);

		if (length > MESSAGE_MAX)
			return bytes.length;
		if (rest.length - 4 < length && !last)
			break;
		read_message(state, context, direction, slice_first(slice_from(rest, 4), length));
		used += length + 4 < rest.length ? length + 4 : rest.length;
	}
	return last ? bytes.length : used;
}

const struct application application_krb5 = {
	.id = APPLICATION_KRB5,
	.transports = {TRANSPORT_UDP, TRANSPORT_TCP},
	.recognise = krb5_recognise,
	.state_size = sizeof(struct krb5),
	.input = krb5_input,
};
