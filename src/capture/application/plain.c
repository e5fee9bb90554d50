/* Protocols that are told apart but not read: rules ask for them by name and look at the stream or
 * the packets. One function and one line each. */
#include "capture/application/ber.h"
#include "capture/application/view.h"

static enum recognition whether(bool is)
{
	return is ? RECOGNISED_YES : RECOGNISED_NO;
}

/* Maybe while fewer than `needed` bytes are there; for TCP. */
static bool too_short(struct slice bytes, size_t needed, enum recognition *answer)
{
	*answer = RECOGNISED_MAYBE;
	return bytes.length < needed;
}

/* RFC 854: negotiation comes first. */
static enum recognition telnet(struct slice bytes, enum direction direction, uint16_t port)
{
	if (bytes.length < 3)
		return bytes.length && bytes.at[0] != 0xff ? RECOGNISED_NO : RECOGNISED_MAYBE;
	return whether(bytes.at[0] == 0xff && bytes.at[1] >= 0xfb && bytes.at[1] <= 0xfe);
}

/* MS-RDPBCGR 2.2.1.1: X.224 over TPKT; other users of it have other parameters. */
static enum recognition rdp(struct slice bytes, enum direction direction, uint16_t port)
{
	uint8_t code = direction == TO_SERVER ? 0xe0 : 0xd0;

	if (bytes.length && bytes.at[0] != 3)
		return RECOGNISED_NO;
	if (bytes.length < 11)
		return RECOGNISED_MAYBE;
	if (bytes.at[1] != 0 || bytes.at[5] != code)
		return RECOGNISED_NO;
	if (bytes.length == 11)
		return whether(bytes.at[3] == 11 && port == 3389);
	return whether(bytes.at[11] == 'C' || bytes.at[11] == 'm' || bytes.at[11] <= 3);
}

/* RFC 9051 */
static enum recognition imap(struct slice bytes, enum direction direction, uint16_t port)
{
	enum recognition answer;

	if (direction == TO_SERVER || !slice_starts(bytes, "*"))
		return bytes.length || direction == TO_SERVER ? RECOGNISED_NO : RECOGNISED_MAYBE;
	if (too_short(bytes, 10, &answer))
		return answer;
	return whether(slice_starts(bytes, "* OK ") || slice_starts(bytes, "* PREAUTH ") ||
		       slice_starts(bytes, "* BYE "));
}

/* RFC 1939 */
static enum recognition pop3(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t end = slice_find_byte(bytes, '\n');

	if (direction == TO_SERVER || (bytes.length && bytes.at[0] != '+'))
		return RECOGNISED_NO;
	if (end == SIZE_MAX)
		return bytes.length < 512 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	return whether(slice_starts(bytes, "+OK") &&
		       (port == 110 || slice_contains_nocase(slice_first(bytes, end), "pop")));
}

/* RESP arrays (redis.io, protocol specification) */
static enum recognition redis(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t end = slice_find_byte(bytes, '\n');
	int64_t count;

	if (direction == TO_CLIENT || (bytes.length && bytes.at[0] != '*'))
		return RECOGNISED_NO;
	if (bytes.length < 5 || end == SIZE_MAX || bytes.length < end + 2)
		return bytes.length < 16 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	return whether(slice_number(slice_trim(slice_from(slice_first(bytes, end), 1)), 1, 1048576,
				    &count) == 0 &&
		       bytes.at[end + 1] == '$');
}

/* The server's greeting, protocol version 10 */
static enum recognition mysql(struct slice bytes, enum direction direction, uint16_t port)
{
	enum recognition answer;

	if (direction == TO_SERVER)
		return RECOGNISED_NO;
	if (too_short(bytes, 6, &answer))
		return answer;
	return whether(bytes.at[2] == 0 && bytes.at[3] == 0 && bytes.at[4] == 10 &&
		       bytes.at[5] >= '0' && bytes.at[5] <= '9');
}

/* StartupMessage, SSLRequest, GSSENCRequest, CancelRequest */
static enum recognition pgsql(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c = cursor_of(bytes);
	uint32_t length = cursor_u32be(&c), code = cursor_u32be(&c);

	if (direction == TO_CLIENT || (bytes.length && bytes.at[0] != 0))
		return RECOGNISED_NO;
	if (c.failed)
		return RECOGNISED_MAYBE;
	return whether((length == 8 && (code == 80877103 || code == 80877104)) ||
		       (length == 16 && code == 80877102) ||
		       (length > 8 && length < 10000 && code == 0x30000));
}

/* MS-TDS 2.2.3.1: PRELOGIN or LOGIN7 */
static enum recognition tds(struct slice bytes, enum direction direction, uint16_t port)
{
	enum recognition answer;

	if (direction == TO_CLIENT || (bytes.length && bytes.at[0] != 0x12 && bytes.at[0] != 0x10))
		return RECOGNISED_NO;
	if (too_short(bytes, 9, &answer))
		return answer;
	return whether(bytes.at[1] <= 1 && bytes.at[4] == 0 && bytes.at[5] == 0 &&
		       (bytes.at[0] == 0x12 ? bytes.at[8] == 0 : port == 1433));
}

/* RFC 4511: a message number, then a request or a response */
static enum recognition ldap(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c = cursor_of(bytes);
	struct slice part;
	uint8_t tag;

	if (bytes.length && bytes.at[0] != BER_SEQUENCE)
		return RECOGNISED_NO;
	if (bytes.length < 12)
		return RECOGNISED_MAYBE;
	(void)ber_next(&c, &part);
	c = cursor_of(part);
	if (!ber_take(&c, BER_INTEGER, &part) || part.length > 4 || !c.left)
		return RECOGNISED_NO;
	tag = c.at[0];
	return whether(direction == TO_SERVER
			       ? tag == 0x60 || tag == 0x63 || tag == 0x66 || tag == 0x68 ||
					 tag == 0x77 || tag == 0x42 || tag == 0x4a
			       : tag == 0x61 || tag == 0x64 || tag == 0x65 || tag == 0x78);
}

/* IEEE 1815 */
static enum recognition dnp3(struct slice bytes, enum direction direction, uint16_t port)
{
	enum recognition answer;

	if (bytes.length && bytes.at[0] != 5)
		return RECOGNISED_NO;
	if (too_short(bytes, 10, &answer))
		return answer;
	return whether(bytes.at[1] == 0x64 && bytes.at[2] >= 5);
}

/* The encapsulation header of CIP networks: commands and their lengths */
static enum recognition enip(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c = cursor_of(bytes);
	uint16_t command = cursor_u16le(&c), length = cursor_u16le(&c);

	if (port != 44818)
		return RECOGNISED_NO;
	if (bytes.length < 24)
		return RECOGNISED_MAYBE;
	return whether(length <= bytes.length - 24 + 512 &&
		       (command == 0x01 || command == 0x04 || command == 0x63 || command == 0x64 ||
			command == 0x65 || command == 0x66 || command == 0x6f || command == 0x70));
}

/* RFC 5531 and RFC 1813: a call of program 100003, version 2 to 4 */
static enum recognition nfs(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c = cursor_of(bytes);
	uint32_t first = cursor_u32be(&c), version;

	if (direction == TO_CLIENT)
		return RECOGNISED_NO;
	if (first & 0x80000000u) /* a record over TCP */
		cursor_skip(&c, 4);
	if (cursor_u32be(&c) != 0 || cursor_u32be(&c) != 2 || cursor_u32be(&c) != 100003)
		return RECOGNISED_NO;
	version = cursor_u32be(&c);
	return whether(!c.failed && version >= 2 && version <= 4);
}

/* RFC 7296; behind four zeros where addresses are translated (RFC 3948) */
static enum recognition ike(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c;
	uint8_t version;

	if (port == 4500 && bytes.length > 4 && memcmp(bytes.at, "\0\0\0\0", 4) == 0)
		bytes = slice_from(bytes, 4);
	c = cursor_of(bytes);
	cursor_skip(&c, 17);
	version = cursor_u8(&c);
	cursor_skip(&c, 6);
	return whether((version == 0x10 || version == 0x20) && cursor_u32be(&c) == bytes.length &&
		       bytes.length >= 28);
}

/* RFC 5905, RFC 9327; what is abused to amplify is of mode 6 and 7 */
static enum recognition ntp(struct slice bytes, enum direction direction, uint16_t port)
{
	uint8_t mode, version;

	if (port != 123 || !bytes.length)
		return RECOGNISED_NO;
	mode = bytes.at[0] & 7;
	version = bytes.at[0] >> 3 & 7;
	return whether(version >= 1 && version <= 4 &&
		       (mode >= 6   ? bytes.length >= 8
			: mode != 0 ? bytes.length >= 48
				    : false));
}

static size_t pass(void *state, struct application_context *context, enum direction direction,
		   struct slice bytes, bool last)
{
	return bytes.length;
}

static void pass_gap(void *state, struct application_context *context, enum direction direction,
		     uint64_t length)
{
}

/* Each datagram is a transaction, of which nothing is said. */
static size_t count(void *state, struct application_context *context, enum direction direction,
		    struct slice bytes, bool last)
{
	static const struct findings none;
	uint64_t *transactions = state;

	context->inspect(context, direction, transactions[direction]++, &none);
	return bytes.length;
}

#define STREAM(symbol, name)                            \
	const struct application application_##name = { \
		.id = APPLICATION_##symbol,             \
		.transports = {TRANSPORT_TCP},          \
		.recognise = name,                      \
		.input = pass,                          \
		.gap = pass_gap,                        \
	}
#define DATAGRAM(symbol, name)                          \
	const struct application application_##name = { \
		.id = APPLICATION_##symbol,             \
		.transports = {TRANSPORT_UDP},          \
		.recognise = name,                      \
		.state_size = 2 * sizeof(uint64_t),     \
		.input = count,                         \
	}

STREAM(TELNET, telnet);
STREAM(RDP, rdp);
STREAM(IMAP, imap);
STREAM(POP3, pop3);
STREAM(REDIS, redis);
STREAM(MYSQL, mysql);
STREAM(PGSQL, pgsql);
STREAM(TDS, tds);
STREAM(LDAP, ldap);
STREAM(DNP3, dnp3);
STREAM(ENIP, enip);
DATAGRAM(NFS, nfs);
DATAGRAM(IKE, ike);
DATAGRAM(NTP, ntp);
