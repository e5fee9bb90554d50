/* SNMP (RFC 1157, RFC 1901, RFC 3412): who asks with which community or name. */
#include "capture/application/ber.h"
#include "capture/application/view.h"

struct snmp {
	uint64_t transactions[2];
};

struct message {
	int64_t version; /* 0, 1 or 3, as sent */
	struct slice community, user;
	int pdu; /* -1: encrypted */
};

static int pdu_of(struct cursor *c)
{
	return c->left && c->at[0] >= 0xa0 && c->at[0] <= 0xa8 ? c->at[0] - 0xa0 : -1;
}

/* The user-based security model's parameters (RFC 3414, 2.4). */
static bool read_user(struct slice parameters, struct slice *user)
{
	struct cursor c = cursor_of(parameters);
	struct slice part;

	if (!ber_take(&c, BER_SEQUENCE, &part))
		return false;
	c = cursor_of(part);
	return ber_take(&c, BER_OCTETS, &part) && ber_take(&c, BER_INTEGER, &part) &&
	       ber_take(&c, BER_INTEGER, &part) && ber_take(&c, BER_OCTETS, user);
}

static bool read_message(struct slice bytes, struct message *message)
{
	struct cursor c = cursor_of(bytes);
	struct slice part;

	*message = (struct message){.pdu = -1};
	if (!ber_take(&c, BER_SEQUENCE, &part))
		return false;
	c = cursor_of(part);
	if (!ber_take(&c, BER_INTEGER, &part) || part.length != 1)
		return false;
	message->version = ber_number(part);
	if (message->version == 0 || message->version == 1) {
		if (!ber_take(&c, BER_OCTETS, &message->community))
			return false;
		message->pdu = pdu_of(&c);
		return message->pdu >= 0;
	}
	if (message->version != 3 || !ber_take(&c, BER_SEQUENCE, &part) ||
	    !ber_take(&c, BER_OCTETS, &part))
		return false;
	if (!read_user(part, &message->user))
		message->user = slice_of(NULL, 0);
	if (ber_take(&c, BER_SEQUENCE, &part)) { /* in the clear */
		c = cursor_of(part);
		if (ber_take(&c, BER_OCTETS, &part) && ber_take(&c, BER_OCTETS, &part))
			message->pdu = pdu_of(&c);
	}
	return true;
}

static enum recognition snmp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	struct message message;

	return read_message(bytes, &message) ? RECOGNISED_YES : RECOGNISED_NO;
}

static size_t snmp_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	struct snmp *snmp = state;
	struct message message;
	struct findings_view v;

	if (!read_message(bytes, &message))
		return bytes.length;
	view_start(&v, context);
	if (message.community.at)
		view_buffer(&v, BUFFER_SNMP_COMMUNITY, message.community);
	if (message.user.at)
		view_buffer(&v, BUFFER_SNMP_USM, message.user);
	view_fact(&v, FACT_SNMP_VERSION, message.version == 3 ? 3 : message.version + 1);
	if (message.pdu >= 0)
		view_fact(&v, FACT_SNMP_PDU_TYPE, message.pdu);
	view_offer(&v, direction, snmp->transactions[direction]++);
	return bytes.length;
}

const struct application application_snmp = {
	.id = APPLICATION_SNMP,
	.transports = {TRANSPORT_UDP},
	.recognise = snmp_recognise,
	.state_size = sizeof(struct snmp),
	.input = snmp_input,
};
