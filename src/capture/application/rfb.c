/* RFB, the protocol of VNC (RFC 6143): how clients are let in, and the desktop's name. */
#include "capture/application/view.h"

#define VERSION_BYTES   12
#define CHALLENGE_BYTES 16
#define REASON_MAX      4096

enum { SECURITY_NONE = 1, SECURITY_VNC = 2 };

enum rfb_phase {
	PHASE_VERSION,
	PHASE_SECURITY,  /* the server offers, the client chooses */
	PHASE_CHALLENGE, /* of VNC authentication */
	PHASE_RESULT,
	PHASE_INIT, /* the client's byte, the server's description */
	PHASE_DONE,
};

struct rfb {
	uint8_t phases[2];
	unsigned minor; /* of the version the client speaks: 3, 7 or 8 */
	bool chosen, told;
	uint8_t security;
};

static enum recognition rfb_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	static const char start[] = "RFB 00";
	size_t length = bytes.length < 6 ? bytes.length : 6;

	if (length && memcmp(bytes.at, start, length) != 0)
		return RECOGNISED_NO;
	if (bytes.length < VERSION_BYTES)
		return RECOGNISED_MAYBE;
	return bytes.at[7] == '.' && bytes.at[11] == '\n' ? RECOGNISED_YES : RECOGNISED_NO;
}

static void offer_security(struct rfb *rfb, struct application_context *context, int64_t result)
{
	struct findings_view v;

	if (rfb->told || !rfb->chosen)
		return;
	rfb->told = true;
	view_start(&v, context);
	view_fact(&v, FACT_RFB_SECURITY_TYPE, rfb->security);
	if (result >= 0)
		view_fact(&v, FACT_RFB_SECURITY_RESULT, result);
	view_offer(&v, TO_CLIENT, 0);
}

static void choose(struct rfb *rfb, uint8_t security)
{
	rfb->chosen = true;
	rfb->security = security;
	rfb->phases[0] = rfb->phases[1] = security == SECURITY_VNC    ? PHASE_CHALLENGE
					  : security != SECURITY_NONE ? PHASE_DONE
					  : rfb->minor >= 8           ? PHASE_RESULT
								      : PHASE_INIT;
	if (rfb->phases[0] == PHASE_RESULT)
		rfb->phases[0] = PHASE_INIT;
}

/* --- the client; 0: more is needed --- */

static size_t read_client(struct rfb *rfb, struct slice bytes)
{
	switch (rfb->phases[TO_SERVER]) {
	case PHASE_VERSION:
		if (bytes.length < VERSION_BYTES)
			return 0;
		rfb->minor = bytes.at[10] == '8' ? 8 : bytes.at[10] == '7' ? 7 : 3;
		rfb->phases[TO_SERVER] = PHASE_SECURITY;
		return VERSION_BYTES;
	case PHASE_SECURITY:
		if (rfb->minor == 3) /* the server decides */
			return 0;
		choose(rfb, bytes.at[0]);
		return 1;
	case PHASE_CHALLENGE:
		if (bytes.length < CHALLENGE_BYTES)
			return 0;
		rfb->phases[TO_SERVER] = PHASE_INIT;
		return CHALLENGE_BYTES;
	case PHASE_INIT:
		rfb->phases[TO_SERVER] = PHASE_DONE;
		return 1;
	default:
		return bytes.length;
	}
}

/* --- the server --- */

static size_t read_offer(struct rfb *rfb, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint32_t number;

	if (rfb->phases[TO_SERVER] == PHASE_VERSION)
		return 0; /* what comes depends on the client's version */
	if (rfb->minor == 3) {
		number = cursor_u32be(&c);
		if (c.failed)
			return 0;
		choose(rfb, number < 256 ? (uint8_t)number : 0);
		return 4;
	}
	number = cursor_u8(&c);
	cursor_skip(&c, number);
	if (c.failed)
		return 0;
	/* No types at all: the reason for it comes, and no more. */
	return number ? number + 1 : bytes.length;
}

static size_t read_init(struct rfb *rfb, struct application_context *context, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	struct findings_view v;
	struct slice name;
	uint32_t length;

	cursor_skip(&c, 20);
	length = cursor_u32be(&c);
	if (c.failed)
		return 0;
	if (length > REASON_MAX) {
		rfb->phases[TO_CLIENT] = PHASE_DONE;
		return bytes.length;
	}
	name = cursor_take(&c, length);
	if (c.failed)
		return 0;
	offer_security(rfb, context, -1);
	view_start(&v, context);
	view_buffer(&v, BUFFER_RFB_NAME, name);
	view_offer(&v, TO_CLIENT, 1);
	rfb->phases[TO_CLIENT] = PHASE_DONE;
	return bytes.length - c.left;
}

static size_t read_server(struct rfb *rfb, struct application_context *context, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint32_t result;

	switch (rfb->phases[TO_CLIENT]) {
	case PHASE_VERSION:
		if (bytes.length < VERSION_BYTES)
			return 0;
		rfb->phases[TO_CLIENT] = PHASE_SECURITY;
		return VERSION_BYTES;
	case PHASE_SECURITY:
		return read_offer(rfb, bytes);
	case PHASE_CHALLENGE:
		if (bytes.length < CHALLENGE_BYTES)
			return 0;
		rfb->phases[TO_CLIENT] = PHASE_RESULT;
		return CHALLENGE_BYTES;
	case PHASE_RESULT:
		result = cursor_u32be(&c);
		if (c.failed)
			return 0;
		offer_security(rfb, context, result ? 1 : 0);
		rfb->phases[TO_CLIENT] = result ? PHASE_DONE : PHASE_INIT;
		return 4;
	case PHASE_INIT:
		return read_init(rfb, context, bytes);
	default:
		return bytes.length;
	}
}

static size_t rfb_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	struct rfb *rfb = state;
	size_t used = 0;

	while (used < bytes.length) {
		struct slice rest = slice_from(bytes, used);
		size_t more = direction == TO_SERVER ? read_client(rfb, rest)
						     : read_server(rfb, context, rest);

		if (!more)
			break;
		used += more;
	}
	return last ? bytes.length : used;
}

static void rfb_finish(void *state, struct application_context *context)
{
	offer_security(state, context, -1);
}

const struct application application_rfb = {
	.id = APPLICATION_RFB,
	.transports = {TRANSPORT_TCP},
	.recognise = rfb_recognise,
	.state_size = sizeof(struct rfb),
	.input = rfb_input,
	.finish = rfb_finish,
};
