/* DHCP (RFC 2131, RFC 2132): the times that leases last. */
#include "capture/application/view.h"

#define FIXED_BYTES 236
#define OPTIONS_MAX 128

enum { OPTION_PAD = 0, OPTION_LEASE = 51, OPTION_RENEWAL = 58, OPTION_REBINDING = 59 };
enum { OPTION_END = 255 };

struct dhcp {
	uint64_t transactions[2];
};

static enum recognition dhcp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

	if (bytes.length < FIXED_BYTES + sizeof(cookie) || bytes.at[0] < 1 || bytes.at[0] > 2)
		return RECOGNISED_NO;
	return memcmp(bytes.at + FIXED_BYTES, cookie, sizeof(cookie)) == 0 ? RECOGNISED_YES
									   : RECOGNISED_NO;
}

static void view_option(struct findings_view *v, uint8_t option, struct slice value)
{
	struct cursor c = cursor_of(value);
	uint32_t number = cursor_u32be(&c);

	if (c.failed)
		return;
	if (option == OPTION_LEASE)
		view_fact(v, FACT_DHCP_LEASE_TIME, number);
	else if (option == OPTION_RENEWAL)
		view_fact(v, FACT_DHCP_RENEWAL_TIME, number);
	else if (option == OPTION_REBINDING)
		view_fact(v, FACT_DHCP_REBINDING_TIME, number);
}

static size_t dhcp_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	struct dhcp *dhcp = state;
	struct cursor c = cursor_of(slice_from(bytes, FIXED_BYTES + 4));
	struct findings_view v;

	if (dhcp_recognise(bytes, direction, context->destination_port) != RECOGNISED_YES)
		return bytes.length;
	/* The message says itself whether it is an answer. */
	direction = bytes.at[0] == 1 ? TO_SERVER : TO_CLIENT;
	view_start(&v, context);
	for (unsigned i = 0; i < OPTIONS_MAX && c.left; i++) {
		uint8_t option = cursor_u8(&c);

		if (option == OPTION_END)
			break;
		if (option != OPTION_PAD)
			view_option(&v, option, cursor_take(&c, cursor_u8(&c)));
	}
	view_offer(&v, direction, dhcp->transactions[direction]++);
	return bytes.length;
}

const struct application application_dhcp = {
	.id = APPLICATION_DHCP,
	.transports = {TRANSPORT_UDP},
	.recognise = dhcp_recognise,
	.state_size = sizeof(struct dhcp),
	.input = dhcp_input,
};
