/* DNS (RFC 1035): names asked for and answered, over UDP and TCP. */
#include "capture/application/view.h"

#define NAME_MAX_BYTES 255
#define LABELS_MAX     128
#define RECORDS_MAX    32 /* of one message that are read */
#define HEADER_BYTES   12
#define OPCODE_MAX     6 /* DSO (RFC 8490) is the highest that is assigned */

struct dns {
	uint64_t transactions[2];
};

/* A name with dots; *at moves behind it. Pointers only lead back, so that none leads in a circle.
 * False: broken. */
static bool read_name(struct slice message, size_t *at, struct writer *out)
{
	size_t here = *at, lowest = *at, start = out->length;
	bool jumped = false;

	for (unsigned labels = 0; labels < LABELS_MAX; labels++) {
		uint8_t length;

		if (here >= message.length)
			return false;
		length = message.at[here];
		if (length >= 0xc0) {
			size_t to;

			if (here + 1 >= message.length)
				return false;
			to = (size_t)(length & 0x3f) << 8 | message.at[here + 1];
			if (!jumped)
				*at = here + 2;
			jumped = true;
			if (to >= lowest)
				return false;
			here = lowest = to;
			continue;
		}
		if (length > 63 || here + 1 + length > message.length)
			return false;
		if (!length) {
			if (!jumped)
				*at = here + 1;
			return true;
		}
		if (out->length > start)
			writer_u8(out, '.');
		writer_bytes(out, slice_of(message.at + here + 1, length));
		if (out->length - start > NAME_MAX_BYTES)
			return false;
		here += (size_t)length + 1;
	}
	return false;
}

static uint16_t u16_at(struct slice bytes, size_t at)
{
	return (uint16_t)(bytes.at[at] << 8 | bytes.at[at + 1]);
}

static struct slice name_in(struct writer *names, size_t from)
{
	return slice_of(names->at + from, names->length - from);
}

/* Questions, then answers and what stands behind them. */
static void read_records(struct findings_view *v, struct slice message, bool answer,
			 struct writer *names)
{
	size_t at = HEADER_BYTES, questions = u16_at(message, 4);
	size_t records = (size_t)u16_at(message, 6) + u16_at(message, 8) + u16_at(message, 10);

	for (size_t i = 0; i < questions && i < RECORDS_MAX; i++) {
		size_t from = names->length;

		if (!read_name(message, &at, names) || at + 4 > message.length) {
			view_anomaly(v, "dns.malformed_data");
			return;
		}
		if (!answer)
			view_buffer(v, BUFFER_DNS_QUERY, name_in(names, from));
		view_buffer(v, BUFFER_DNS_QUERY_NAME, name_in(names, from));
		view_fact(v, FACT_DNS_RRTYPE, u16_at(message, at));
		at += 4;
	}
	for (size_t i = 0; i < records && i < RECORDS_MAX; i++) {
		size_t from = names->length;

		if (!read_name(message, &at, names) || at + 10 > message.length)
			return;
		if (i < u16_at(message, 6)) {
			view_buffer(v, BUFFER_DNS_ANSWER, name_in(names, from));
			view_fact(v, FACT_DNS_RRTYPE, u16_at(message, at));
		}
		at += 10 + (size_t)u16_at(message, at + 8);
		if (at > message.length)
			return;
	}
}

static void read_message(struct dns *dns, struct application_context *context,
			 enum direction direction, struct slice message)
{
	struct findings_view v;
	uint8_t *room = arena_take(context->scratch, RECORDS_MAX * 2 * (NAME_MAX_BYTES + 64));
	struct writer names =
		writer_fixed(room, room ? RECORDS_MAX * 2 * (NAME_MAX_BYTES + 64) : 0);
	uint16_t flags;

	if (message.length < HEADER_BYTES || !room)
		return;
	flags = u16_at(message, 2);
	/* The message says itself whether it is an answer. */
	direction = flags & 0x8000 ? TO_CLIENT : TO_SERVER;
	view_start(&v, context);
	view_fact(&v, FACT_DNS_OPCODE, flags >> 11 & 15);
	if (direction == TO_CLIENT)
		view_fact(&v, FACT_DNS_RCODE, flags & 15);
	if ((flags >> 11 & 15) > OPCODE_MAX)
		view_anomaly(&v, "dns.invalid_opcode");
	if (flags & 0x40)
		view_anomaly(&v, "dns.z_flag_set");
	read_records(&v, message, direction == TO_CLIENT, &names);
	view_offer(&v, direction, dns->transactions[direction]++);
}

static bool is_message(struct slice message, uint16_t port)
{
	struct writer name;
	uint8_t room[NAME_MAX_BYTES + 64];
	size_t at = HEADER_BYTES;
	uint16_t flags, questions;

	if (message.length < HEADER_BYTES)
		return false;
	flags = u16_at(message, 2);
	questions = u16_at(message, 4);
	if (((flags >> 11 & 15) > OPCODE_MAX && port != 53) || questions > 64 ||
	    u16_at(message, 6) > 512 || u16_at(message, 8) > 512 || u16_at(message, 10) > 512)
		return false;
	if (!(flags & 0x8000) && !questions)
		return false;
	name = writer_fixed(room, sizeof(room));
	if (questions && (!read_name(message, &at, &name) || at + 4 > message.length))
		return false;
	return questions || message.length == HEADER_BYTES;
}

static enum recognition dns_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t length;

	if (is_message(bytes, port))
		return RECOGNISED_YES;
	/* Over TCP with its length in front. */
	if (bytes.length < 2)
		return RECOGNISED_MAYBE;
	length = u16_at(bytes, 0);
	if (length < HEADER_BYTES || (port != 53 && length > 1024))
		return RECOGNISED_NO;
	if (bytes.length < length + 2 && bytes.length < 2 + HEADER_BYTES)
		return RECOGNISED_MAYBE;
	return is_message(slice_from(bytes, 2), port) ? RECOGNISED_YES : RECOGNISED_NO;
}

static size_t dns_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	size_t used = 0;

	if (context->packet && context->packet->transport == TRANSPORT_UDP) {
		read_message(state, context, direction, bytes);
		return bytes.length;
	}
	while (bytes.length - used >= 2) {
		size_t length = u16_at(bytes, used);

		if (bytes.length - used - 2 < length)
			break;
		read_message(state, context, direction, slice_of(bytes.at + used + 2, length));
		used += length + 2;
	}
	return last ? bytes.length : used;
}

const struct application application_dns = {
	.id = APPLICATION_DNS,
	.transports = {TRANSPORT_UDP, TRANSPORT_TCP},
	.recognise = dns_recognise,
	.state_size = sizeof(struct dns),
	.input = dns_input,
};
