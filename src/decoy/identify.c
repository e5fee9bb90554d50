/* One predicate a protocol, in a table; see identify.h. */
#include "decoy/identify.h"

#define SMB_NETBIOS_HEADER 4
#define DNS_HEADER         12

static uint32_t u32be_at(struct slice bytes, size_t at)
{
	struct cursor c = cursor_of(slice_from(bytes, at));

	return cursor_u32be(&c);
}

static uint32_t u32le_at(struct slice bytes, size_t at)
{
	struct cursor c = cursor_of(slice_from(bytes, at));

	return cursor_u32le(&c);
}

static uint16_t u16be_at(struct slice bytes, size_t at)
{
	struct cursor c = cursor_of(slice_from(bytes, at));

	return cursor_u16be(&c);
}

static bool bytes_at(struct slice bytes, size_t at, struct slice wanted)
{
	return bytes.length >= at + wanted.length &&
	       memcmp(bytes.at + at, wanted.at, wanted.length) == 0;
}

bool identify_tls(struct slice b)
{
	return b.length >= 6 && b.at[0] == 22 && b.at[1] == 3 && b.at[2] <= 4 && b.at[5] == 1;
}

static bool is_ssh(struct slice b)
{
	return slice_starts(b, "SSH-1.") || slice_starts(b, "SSH-2.");
}

static bool is_http(struct slice b)
{
	size_t end = slice_find_byte(b, '\n');

	return end != SIZE_MAX && slice_find(slice_first(b, end), SLICE(" HTTP/")) != SIZE_MAX;
}

static bool is_sip(struct slice b)
{
	size_t end = slice_find_byte(b, '\n');

	return end != SIZE_MAX && slice_find(slice_first(b, end), SLICE(" SIP/2.0")) != SIZE_MAX;
}

static bool is_rtsp(struct slice b)
{
	size_t end = slice_find_byte(b, '\n');

	return end != SIZE_MAX && slice_find(slice_first(b, end), SLICE(" RTSP/1.0")) != SIZE_MAX;
}

/* MS-SMB2 2.1: NetBIOS session message, then the magic of SMB 1, 2 or an encrypted one. */
static bool is_smb(struct slice b)
{
	return b.length >= 8 && b.at[0] == 0 &&
	       (b.at[4] == 0xff || b.at[4] == 0xfe || b.at[4] == 0xfd) &&
	       bytes_at(b, SMB_NETBIOS_HEADER + 1, SLICE("SMB"));
}

/* RFC 1002, 4.3.2: session request with two encoded names. */
static bool is_netbios(struct slice b)
{
	return b.length >= 38 && b.at[0] == 0x81 && b.at[1] == 0 && b.at[4] == 0x20;
}

/* MS-RDPBCGR 2.2.1.1: TPKT, then an X.224 connection request. The cookie or the negotiation tells
 * it from S7's, which begins alike. */
static bool is_x224_request(struct slice b)
{
	return b.length >= 11 && b.at[0] == 3 && b.at[1] == 0 && b.at[5] == 0xe0;
}

static bool is_s7(struct slice b)
{
	struct cursor c;

	if (!is_x224_request(b) || b.at[10] != 0)
		return false;
	c = cursor_of(slice_from(b, 11));
	while (c.left >= 2 && !c.failed) {
		uint8_t code = cursor_u8(&c), length = cursor_u8(&c);

		if (code == 0xc1 || code == 0xc2) /* calling and called TSAP */
			return true;
		cursor_skip(&c, length);
	}
	return false;
}

static bool is_rdp(struct slice b)
{
	return is_x224_request(b) && !is_s7(b);
}

static bool is_redis(struct slice b)
{
	return (b.length >= 5 && b.at[0] == '*' && b.at[1] >= '1' && b.at[1] <= '9' &&
		slice_find(b, SLICE("\r\n$")) != SIZE_MAX) ||
	       slice_starts_nocase(b, "info\r\n") || slice_starts_nocase(b, "config get ") ||
	       slice_starts_nocase(b, "ping\r\n");
}

/* Handshake response 4.1: length, sequence 1, capabilities with PROTOCOL_41, 23 zero bytes. Only a
 * client that did not wait for the greeting sends it first. */
static bool is_mysql(struct slice b)
{
	static const uint8_t zeroes[19];

	return b.length >= 36 && b.at[3] == 1 && (u32le_at(b, 4) & 0x200) != 0 &&
	       bytes_at(b, 17, slice_of(zeroes, sizeof(zeroes)));
}

/* PostgreSQL, 55.7: StartupMessage 3.0, SSLRequest, GSSENCRequest, CancelRequest. */
static bool is_postgresql(struct slice b)
{
	uint32_t length = u32be_at(b, 0), code = u32be_at(b, 4);

	return b.length >= 8 && length >= 8 && length <= 10000 &&
	       (code == 196608 || code == 80877103 || code == 80877104 || code == 80877102);
}

/* MongoDB wire protocol: header of 16 bytes, OP_QUERY or OP_MSG. */
static bool is_mongodb(struct slice b)
{
	uint32_t length = u32le_at(b, 0), code = u32le_at(b, 12);

	return b.length >= 16 && length > 16 && length <= 48000000 && u32le_at(b, 8) == 0 &&
	       (code == 2004 || code == 2013 || code == 2012);
}

/* MQTT 3.1.1 and 5, 3.1: CONNECT with the protocol's name. */
static bool is_mqtt(struct slice b)
{
	size_t at = 1;

	if (b.length < 8 || b.at[0] != 0x10)
		return false;
	while (at < 5 && at < b.length && b.at[at] & 0x80)
		at++;
	return bytes_at(b, at + 1, SLICE("\0\4MQTT")) || bytes_at(b, at + 1, SLICE("\0\6MQIsdp"));
}

static bool is_socks5(struct slice b)
{
	if (b.length < 3 || b.at[0] != 5 || b.at[1] == 0 || b.at[1] > 8 ||
	    b.length != 2 + (size_t)b.at[1])
		return false;
	for (size_t i = 2; i < b.length; i++)
		if (b.at[i] > 9 && b.at[i] < 0x80)
			return false;
	return true;
}

static bool is_socks4(struct slice b)
{
	return b.length >= 9 && b.at[0] == 4 && (b.at[1] == 1 || b.at[1] == 2) &&
	       b.at[b.length - 1] == 0 && u16be_at(b, 2) != 0;
}

/* Android's protocol.txt: command, two arguments, length, sum, the command's complement. */
static bool is_adb(struct slice b)
{
	return b.length >= 24 && (slice_starts(b, "CNXN") || slice_starts(b, "STLS")) &&
	       u32le_at(b, 20) == ~u32le_at(b, 0);
}

static bool is_json_rpc(struct slice b)
{
	b = slice_trim(b);
	return b.length > 2 && (b.at[0] == '{' || b.at[0] == '[') &&
	       slice_find(b, SLICE("\"method\"")) != SIZE_MAX;
}

/* Modbus messaging on TCP, 3.1.3: protocol 0, length of what follows, unit, function. */
static bool is_modbus(struct slice b)
{
	return b.length >= 8 && u16be_at(b, 2) == 0 && u16be_at(b, 4) >= 2 &&
	       u16be_at(b, 4) <= 254 && b.length == (size_t)u16be_at(b, 4) + 6 && b.at[7] > 0 &&
	       b.at[7] < 0x80;
}

/* RFC 1035, 4.1: a query with one question and a sound name. */
static bool is_dns_message(struct slice b)
{
	struct cursor c;
	uint8_t label;

	if (b.length < DNS_HEADER + 5 || (b.at[2] & 0xf8) != 0 || u16be_at(b, 4) != 1 ||
	    u16be_at(b, 6) != 0)
		return false;
	c = cursor_of(slice_from(b, DNS_HEADER));
	while ((label = cursor_u8(&c)) != 0) {
		if (label > 63)
			return false;
		cursor_skip(&c, label);
	}
	return !c.failed && c.left >= 4;
}

static bool is_dns_tcp(struct slice b)
{
	return b.length > 2 && b.length >= (size_t)u16be_at(b, 0) + 2 &&
	       is_dns_message(slice_first(slice_from(b, 2), u16be_at(b, 0)));
}

static bool is_memcached(struct slice b)
{
	static const char *const words[] = {"stats", "version\r\n", "get ",   "gets ",
					    "set ",  "add ",        "incr ",  "mg ",
					    "ms ",   "flush_all",   "delete "};

	if (b.length >= 24 && b.at[0] == 0x80 && b.at[1] <= 0x26 && b.at[5] == 0)
		return true; /* the binary protocol: magic, operation, data type 0 */
	if (slice_find(b, SLICE("\r\n")) == SIZE_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (slice_starts(b, words[i]))
			return true;
	return false;
}

/* Over UDP a frame header of 8 bytes stands before it: id, sequence, datagrams, zero. */
static bool is_memcached_udp(struct slice b)
{
	return b.length > 8 && u16be_at(b, 4) == 1 && u16be_at(b, 6) == 0 &&
	       is_memcached(slice_from(b, 8));
}

/* MS-TDS 2.2.3.1: PRELOGIN or LOGIN7. */
static bool is_tds(struct slice b)
{
	return b.length >= 9 && (b.at[0] == 0x12 || b.at[0] == 0x10) && b.at[1] <= 1 &&
	       u16be_at(b, 2) >= 8 && b.at[7] == 0 && (b.at[0] == 0x10 || b.at[8] == 0);
}

static bool is_telnet(struct slice b)
{
	return b.length >= 3 && b.at[0] == 255 && b.at[1] >= 251 && b.at[1] <= 254;
}

/* The trap on the ports that loaders and bots open themselves, and plain scanners' first words. */
static bool is_ldap(struct slice b)
{
	/* RFC 4511: SEQUENCE, message id, then bind (0x60) or search (0x63) */
	return b.length >= 7 && b.at[0] == 0x30 && b.at[2] == 2 && b.at[3] == 1 &&
	       (b.at[5] == 0x60 || b.at[5] == 0x63);
}

static bool is_rmi(struct slice b)
{
	return b.length >= 7 && slice_starts(b, "JRMI") && b.at[4] == 0;
}

static bool is_ajp(struct slice b)
{
	return b.length >= 5 && b.at[0] == 0x12 && b.at[1] == 0x34 &&
	       (b.at[4] == 2 || b.at[4] == 10);
}

/* WebLogic's t3. */
static bool is_t3(struct slice b)
{
	return slice_starts(b, "t3 ") || slice_starts(b, "t3s ");
}

static bool is_amqp(struct slice b)
{
	return b.length >= 8 && slice_starts(b, "AMQP");
}

static bool is_dicom(struct slice b)
{
	return b.length >= 10 && b.at[0] == 1 && b.at[1] == 0 && u16be_at(b, 6) == 1 &&
	       u32be_at(b, 2) > 68;
}

/* IEC 60870-5-104: TESTFR, STARTDT or STOPDT act. */
static bool is_iec104(struct slice b)
{
	return b.length >= 6 && b.at[0] == 0x68 && b.at[1] == 4 && (b.at[2] & 3) == 3;
}

static bool is_enip(struct slice b)
{
	/* EtherNet/IP: ListServices, ListIdentity, ListInterfaces, RegisterSession */
	uint32_t command = b.length >= 2 ? (uint32_t)b.at[0] | (uint32_t)b.at[1] << 8 : 0;

	return b.length >= 24 &&
	       (command == 0x04 || command == 0x63 || command == 0x64 || command == 0x65) &&
	       u32le_at(b, 8) == 0;
}

static bool is_bacnet(struct slice b)
{
	return b.length >= 6 && b.at[0] == 0x81 && u16be_at(b, 2) == b.length && b.at[4] == 1;
}

static bool is_ntp(struct slice b)
{
	uint8_t mode = b.length ? b.at[0] & 7 : 0, version = b.length ? b.at[0] >> 3 & 7 : 0;

	if (version < 1 || version > 4)
		return false;
	return (mode == 3 && b.length >= 48) || (mode == 6 && b.length >= 12) ||
	       (mode == 7 && b.length >= 8);
}

static bool is_snmp(struct slice b)
{
	/* SEQUENCE, version 0 to 3 */
	size_t at = b.length > 2 && b.at[1] & 0x80 ? 2u + (b.at[1] & 0x7fu) : 2;

	return b.length >= at + 4 && b.at[0] == 0x30 && b.at[at] == 2 && b.at[at + 1] == 1 &&
	       b.at[at + 2] <= 3 && (b.at[at + 3] == 4 || b.at[at + 3] == 0x30);
}

static bool is_ssdp(struct slice b)
{
	return slice_starts(b, "M-SEARCH * HTTP/1.1");
}

static bool is_tftp(struct slice b)
{
	return b.length >= 4 && b.at[0] == 0 && (b.at[1] == 1 || b.at[1] == 2) && b.at[2] >= ' ' &&
	       b.at[2] < 0x7f && b.at[b.length - 1] == 0;
}

static bool is_coap(struct slice b)
{
	return b.length >= 4 && b.at[0] >> 6 == 1 && (b.at[0] & 15) <= 8 && b.at[1] >= 1 &&
	       b.at[1] <= 7 && (b.at[0] & 0x30) <= 0x10;
}

/* RFC 8489, 5: the magic cookie. */
static bool is_stun(struct slice b)
{
	return b.length >= 20 && b.at[0] < 2 && u32be_at(b, 4) == 0x2112a442;
}

/* RFC 9000, 17.2: long header, the fixed bit. */
static bool is_quic(struct slice b)
{
	return b.length >= 1200 && (b.at[0] & 0xc0) == 0xc0;
}

#define OVER_TCP 1
#define OVER_UDP 2

/* The surest first: who matches is who it is. */
static const struct {
	const char *name;
	unsigned over;
	bool (*is)(struct slice first);
} known[] = {
	{"tls", OVER_TCP, identify_tls},
	{"ssh", OVER_TCP, is_ssh},
	{"sip", OVER_TCP | OVER_UDP, is_sip},
	{"rtsp", OVER_TCP, is_rtsp},
	{"ssdp", OVER_UDP, is_ssdp},
	{"http", OVER_TCP, is_http},
	{"smb", OVER_TCP, is_smb},
	{"netbios", OVER_TCP, is_netbios},
	{"s7", OVER_TCP, is_s7},
	{"rdp", OVER_TCP, is_rdp},
	{"redis", OVER_TCP, is_redis},
	{"postgresql", OVER_TCP, is_postgresql},
	{"mongodb", OVER_TCP, is_mongodb},
	{"mysql", OVER_TCP, is_mysql},
	{"mqtt", OVER_TCP, is_mqtt},
	{"adb", OVER_TCP, is_adb},
	{"amqp", OVER_TCP, is_amqp},
	{"rmi", OVER_TCP, is_rmi},
	{"t3", OVER_TCP, is_t3},
	{"ajp", OVER_TCP, is_ajp},
	{"ldap", OVER_TCP | OVER_UDP, is_ldap},
	{"tds", OVER_TCP, is_tds},
	{"telnet", OVER_TCP, is_telnet},
	{"json-rpc", OVER_TCP, is_json_rpc},
	{"memcached", OVER_TCP, is_memcached},
	{"memcached", OVER_UDP, is_memcached_udp},
	{"dns", OVER_TCP, is_dns_tcp},
	{"dns", OVER_UDP, is_dns_message},
	{"stun", OVER_TCP | OVER_UDP, is_stun},
	{"quic", OVER_UDP, is_quic},
	{"iec104", OVER_TCP, is_iec104},
	{"enip", OVER_TCP | OVER_UDP, is_enip},
	{"dicom", OVER_TCP, is_dicom},
	{"modbus", OVER_TCP, is_modbus},
	{"bacnet", OVER_UDP, is_bacnet},
	{"snmp", OVER_UDP, is_snmp},
	{"ntp", OVER_UDP, is_ntp},
	{"tftp", OVER_UDP, is_tftp},
	{"coap", OVER_UDP, is_coap},
	{"socks5", OVER_TCP, is_socks5},
	{"socks4", OVER_TCP, is_socks4},
};

const char *identify_first(struct slice first, enum transport transport)
{
	unsigned over = transport == UDP ? OVER_UDP : OVER_TCP;

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (known[i].over & over && known[i].is(first))
			return known[i].name;
	}
	return NULL;
}

/* Beside the protocols' own ports: where else their servers are put, or bots listen. */
static const struct {
	uint16_t port;
	const char *name;
} customary[] = {
	{22, "ssh"},      {222, "ssh"},     {2022, "ssh"},     {2222, "ssh"},    {2200, "ssh"},
	{22222, "ssh"},   {10022, "ssh"},   {23, "telnet"},    {2323, "telnet"}, {23231, "telnet"},
	{5555, "telnet"}, {9000, "telnet"}, {60023, "telnet"}, {21, "ftp"},      {2121, "ftp"},
	{8021, "ftp"},    {990, "ftp"},
};

const char *identify_port(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_COUNT(customary); i++) {
		if (customary[i].port == port)
			return customary[i].name;
	}
	return NULL;
}
