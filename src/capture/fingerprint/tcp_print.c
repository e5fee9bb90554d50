/* Describing a SYN; see p0f.h. */
#include "capture/fingerprint/p0f.h"
#include "capture/transport.h"

enum {
	OPTION_END,
	OPTION_NOP,
	OPTION_MSS,
	OPTION_SCALE,
	OPTION_SACK_OK,
	OPTION_SACK,
	OPTION_TIMESTAMP = 8
};

static uint32_t u32_of(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void read_option(struct tcp_print *print, uint8_t kind, struct slice value)
{
	switch (kind) {
	case OPTION_MSS:
		if (value.length == 2)
			print->mss = (uint16_t)(value.at[0] << 8 | value.at[1]);
		else
			print->quirks |= QUIRK_BAD;
		break;
	case OPTION_SCALE:
		if (value.length == 1) {
			print->scale = value.at[0];
			print->quirks |= value.at[0] > 14 ? QUIRK_SCALE : 0;
		} else {
			print->quirks |= QUIRK_BAD;
		}
		break;
	case OPTION_SACK_OK:
		print->quirks |= value.length ? QUIRK_BAD : 0;
		break;
	case OPTION_SACK:
		print->quirks |= value.length < 8 || value.length > 32 ? QUIRK_BAD : 0;
		break;
	case OPTION_TIMESTAMP:
		if (value.length != 8) {
			print->quirks |= QUIRK_BAD;
			break;
		}
		print->timestamp = u32_of(value.at);
		if (!print->timestamp)
			print->quirks |= QUIRK_NO_TS;
		if (!print->response && u32_of(value.at + 4))
			print->quirks |= QUIRK_PEER_TS;
		break;
	default:
		break;
	}
}

static void read_options(struct tcp_print *print, struct slice bytes)
{
	struct cursor options = cursor_of(bytes);
	struct tcp_option option;
	bool broken = false;

	while (tcp_option_next(&options, &option, &broken)) {
		if (print->layout_count < TCP_LAYOUT_MAX)
			print->layout[print->layout_count++] = option.kind;
		if (option.kind == OPTION_END) {
			print->end_padding = (uint8_t)options.left;
			for (size_t i = 0; i < options.left; i++)
				if (options.at[i])
					print->quirks |= QUIRK_TRAILER;
			return;
		}
		read_option(print, option.kind, option.value);
	}
	if (broken)
		print->quirks |= QUIRK_BAD;
}

static uint32_t header_quirks(const struct packet *packet)
{
	uint32_t quirks = 0;
	bool ack = packet->flags & TCP_ACK;

	if (packet->version == 4) {
		quirks |= packet->dont_fragment ? QUIRK_DF : 0;
		quirks |= packet->dont_fragment && packet->ip_id ? QUIRK_ID : 0;
		quirks |= !packet->dont_fragment && !packet->ip_id ? QUIRK_NO_ID : 0;
		quirks |= packet->evil ? QUIRK_RESERVED : 0;
	} else {
		quirks |= packet->flow_label ? QUIRK_FLOW : 0;
	}
	quirks |= packet->traffic_class & 3 || packet->flags & (TCP_ECE | TCP_CWR | 0x100)
			  ? QUIRK_ECN
			  : 0;
	quirks |= packet->sequence ? 0 : QUIRK_NO_SEQ;
	quirks |= !ack && packet->acknowledgement ? QUIRK_ACK : 0;
	quirks |= ack && !packet->acknowledgement ? QUIRK_NO_ACK : 0;
	if (packet->flags & TCP_URG)
		quirks |= QUIRK_URG_FLAG;
	else if (packet->urgent)
		quirks |= QUIRK_URGENT;
	quirks |= packet->flags & TCP_PSH ? QUIRK_PUSH : 0;
	return quirks;
}

/* What the window is a multiple of: systems compute it from MSS or MTU. */
static void find_multiplier(struct tcp_print *print, uint16_t peer_mss)
{
	bool v6 = print->version == 6;
	const struct {
		bool holds, mtu;
		int32_t by;
	} tries[] = {
		{true, false, print->mss},
		{print->timestamp != 0, false, print->mss - 12},
		{true, false, 1460},
		{true, false, 1448},
		{v6, false, 1440},
		{v6, false, 1428},
		{true, true, print->mss + 40},
		{true, true, print->mss + print->headers},
		{v6, true, print->mss + 60},
		{true, true, 1500},
		{peer_mss > 0, false, peer_mss},
		{peer_mss > 12, false, peer_mss - 12},
	};

	print->multiplier = -1;
	if (!print->window || print->mss < 100)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(tries); i++)
		if (tries[i].holds && tries[i].by > 0 && print->window % tries[i].by == 0) {
			print->multiplier = print->window / tries[i].by;
			print->by_mtu = tries[i].mtu;
			return;
		}
}

void tcp_print_of(struct tcp_print *print, const struct packet *packet, uint16_t peer_mss)
{
	memset(print, 0, sizeof(*print));
	print->version = packet->version;
	print->ttl = packet->ttl;
	print->options_length = (uint16_t)packet->network_options.length;
	print->window = packet->window;
	print->payload = packet->payload.length > 0;
	print->response = packet->flags & TCP_ACK;
	print->headers = (uint16_t)(packet->transport_header.length +
				    (packet->version == 4 ? 20u : 40u) + print->options_length);
	print->quirks = header_quirks(packet);
	read_options(print, packet->tcp_options);
	find_multiplier(print, print->response ? peer_mss : 0);
}

static void put_layout(const struct tcp_print *print, struct writer *out)
{
	static const char *const names[] = {
		[OPTION_NOP] = "nop",     [OPTION_MSS] = "mss",   [OPTION_SCALE] = "ws",
		[OPTION_SACK_OK] = "sok", [OPTION_SACK] = "sack", [OPTION_TIMESTAMP] = "ts"};

	for (size_t i = 0; i < print->layout_count; i++) {
		uint8_t kind = print->layout[i];

		if (i)
			writer_u8(out, ',');
		if (kind == OPTION_END)
			writer_format(out, "eol+%u", print->end_padding);
		else if (kind < ARRAY_COUNT(names) && names[kind])
			writer_text(out, names[kind]);
		else
			writer_format(out, "?%u", kind);
	}
}

const char *const tcp_quirk_names[] = {"df",   "id+",  "id-",  "ecn",   "0+",    "flow",
				       "seq-", "ack+", "ack-", "uptr+", "urgf+", "pushf+",
				       "ts1-", "ts2+", "opt+", "exws",  "bad",   NULL};

void tcp_print_text(const struct tcp_print *print, struct writer *out)
{
	unsigned distance = ttl_distance(print->ttl);
	bool first = true;

	writer_format(out, "%u:%u+", print->version, print->ttl);
	if (distance > P0F_DISTANCE)
		writer_u8(out, '?');
	else
		writer_decimal(out, distance);
	writer_format(out, ":%u:%u:", print->options_length, print->mss);
	if (print->multiplier > 0)
		writer_format(out, "%s*%d", print->by_mtu ? "mtu" : "mss", print->multiplier);
	else
		writer_decimal(out, print->window);
	writer_format(out, ",%u:", print->scale);
	put_layout(print, out);
	writer_u8(out, ':');
	for (size_t i = 0; tcp_quirk_names[i]; i++)
		if (print->quirks >> i & 1) {
			writer_format(out, "%s%s", first ? "" : ",", tcp_quirk_names[i]);
			first = false;
		}
	writer_text(out, print->payload ? ":+" : ":0");
}

void tcp_print_muonfp(const struct tcp_print *print, struct writer *out)
{
	writer_format(out, "%u:", print->window);
	for (size_t i = 0; i < print->layout_count; i++)
		writer_format(out, "%s%u", i ? "-" : "", print->layout[i]);
	writer_u8(out, ':');
	if (print->mss)
		writer_decimal(out, print->mss);
	writer_u8(out, ':');
	for (size_t i = 0; i < print->layout_count; i++)
		if (print->layout[i] == OPTION_SCALE) {
			writer_decimal(out, print->scale);
			break;
		}
}

const char *scanner_of(const struct packet *packet, const struct tcp_print *print)
{
	uint32_t destination;

	if (packet->flags & TCP_ACK)
		return NULL;
	/* IPv6 has no identification, and its addresses are too long for a sequence number: there
	 * only what the options and the window tell is left. */
	if (packet->version == 4) {
		destination = u32_of(packet->destination.bytes);
		if (packet->sequence == destination)
			return "mirai";
		if (packet->ip_id == 54321)
			return "zmap";
		if (!print->layout_count && print->window == 1024 && packet->ttl > 128 &&
		    packet->ip_id ==
			    ((destination ^ packet->destination_port ^ packet->sequence) & 0xffff))
			return "masscan";
	}
	if (print->layout_count == 1 && print->layout[0] == OPTION_MSS && print->mss == 1460 &&
	    (print->window == 1024 || print->window == 2048 || print->window == 3072 ||
	     print->window == 4096) &&
	    !packet->dont_fragment)
		return "nmap";
	return NULL;
}
