/* SIP (RFC 3261) over UDP and TCP: start lines. */
#include "capture/application/view.h"

struct sip {
	uint64_t transactions[2];
};

static const char *const methods[] = {"INVITE ", "REGISTER ",  "OPTIONS ", "ACK ",     "BYE ",
				      "CANCEL ", "SUBSCRIBE ", "NOTIFY ",  "PUBLISH ", "INFO ",
				      "REFER ",  "MESSAGE ",   "UPDATE ",  "PRACK "};

static enum recognition sip_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t end = slice_find_byte(bytes, '\n');
	struct slice line = slice_trim(slice_first(bytes, end));

	if (slice_starts(bytes, "SIP/2.0 "))
		return RECOGNISED_YES;
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (slice_starts(bytes, methods[i]))
			return line.length > 8 && slice_is(slice_from(line, line.length - 8),
							   " SIP/2.0")
				       ? RECOGNISED_YES
			       : end == SIZE_MAX && bytes.length < 1024 ? RECOGNISED_MAYBE
									: RECOGNISED_NO;
	return RECOGNISED_NO;
}

static void read_message(struct sip *sip, struct application_context *context, struct slice message)
{
	struct slice line = slice_trim(slice_first(message, slice_find_byte(message, '\n')));
	bool answer = slice_starts(line, "SIP/");
	enum direction direction = answer ? TO_CLIENT : TO_SERVER;
	size_t first = slice_find_byte(line, ' ');
	struct slice rest = first == SIZE_MAX ? slice_of(NULL, 0) : slice_from(line, first + 1);
	size_t second = slice_find_byte(rest, ' ');
	struct slice end = second == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, second + 1);
	struct findings_view v;

	view_start(&v, context);
	if (answer) {
		view_buffer(&v, BUFFER_SIP_PROTOCOL, slice_first(line, first));
		view_buffer(&v, BUFFER_SIP_STATUS, slice_first(rest, second));
		view_buffer(&v, BUFFER_SIP_STATUS_MESSAGE, end);
		view_buffer(&v, BUFFER_SIP_RESPONSE_LINE, line);
	} else {
		view_buffer(&v, BUFFER_SIP_METHOD, slice_first(line, first));
		view_buffer(&v, BUFFER_SIP_URI, slice_first(rest, second));
		view_buffer(&v, BUFFER_SIP_PROTOCOL, end);
		view_buffer(&v, BUFFER_SIP_REQUEST_LINE, line);
	}
	view_offer(&v, direction, sip->transactions[direction]++);
}

/* Where a message over TCP ends: its empty line and its body. 0: not all there. */
static size_t message_length(struct slice bytes)
{
	size_t head = slice_find(bytes, SLICE("\r\n\r\n")), length;
	size_t at;
	int64_t body = 0;

	if (head == SIZE_MAX)
		return 0;
	at = slice_find_nocase(slice_first(bytes, head + 2), "\nContent-Length:");
	if (at != SIZE_MAX) {
		struct slice rest = slice_from(bytes, at + 16);

		rest = slice_trim(slice_first(rest, slice_find_byte(rest, '\n')));
		if (slice_number(rest, 0, 65536, &body) < 0)
			body = 0;
	}
	length = head + 4 + (size_t)body;
	return length <= bytes.length ? length : 0;
}

static size_t sip_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	size_t used = 0, length;

	if (context->packet && context->packet->transport == TRANSPORT_UDP) {
		read_message(state, context, bytes);
		return bytes.length;
	}
	while ((length = message_length(slice_from(bytes, used)))) {
		read_message(state, context, slice_of(bytes.at + used, length));
		used += length;
	}
	if (last && used < bytes.length)
		read_message(state, context, slice_from(bytes, used));
	return last ? bytes.length : used;
}

const struct application application_sip = {
	.id = APPLICATION_SIP,
	.transports = {TRANSPORT_UDP, TRANSPORT_TCP},
	.recognise = sip_recognise,
	.state_size = sizeof(struct sip),
	.input = sip_input,
};
