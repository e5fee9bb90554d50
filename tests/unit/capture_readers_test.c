/* The smaller readers: each fed whole, byte by byte, with a gap, and with garbage. */
#include "capture_reader.h"

static const char *const everything[] = {"dns.query",
					 "dns.answer.name",
					 "ftp.command",
					 "ftp.command_data",
					 "ftp.reply",
					 "ftp.completion_code",
					 "sip.method",
					 "sip.uri",
					 "sip.stat_code",
					 "sip.stat_msg",
					 "ssh.proto",
					 "ssh.software",
					 "snmp.community",
					 "snmp.usm",
					 "krb5_cname",
					 "krb5_sname",
					 "rfb.name",
					 "tftp.file",
					 "mqtt.connect.clientid",
					 "mqtt.connect.username",
					 "mqtt.connect.password",
					 "mqtt.publish.topic",
					 "mqtt.publish.message",
					 "mqtt.subscribe.topic",
					 "dce_stub_data",
					 "dcerpc.interface",
					 "tls.sni",
					 "tls.alpn",
					 NULL};

static void dns_over_tcp(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("\0\x15\0\1\1\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1"
			    "\0\x15\0\2\1\0\0\1\0\0\0\0\0\0\3abc\0\0\x10\0\1"),
		SAYS_SERVER("\0\x25\0\1\x81\x83\0\1\0\1\0\0\0\0\3www\0\0\1\0\1"
			    "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
	};

	PLAY_CHECK(APPLICATION_DNS, TRANSPORT_TCP, everything, steps,
		   "> 0 dns.query=www\n> 0 dns.opcode:0\n> 0 dns.rrtype:1\n"
		   "> 1 dns.query=abc\n> 1 dns.opcode:0\n> 1 dns.rrtype:16\n"
		   "< 0 dns.answer.name=www\n< 0 dns.opcode:0\n< 0 dns.rcode:3\n"
		   "< 0 dns.rrtype:1\n< 0 dns.rrtype:1\n");
}

static void ftp(void **state)
{
	static char longest[5000];
	struct play_step steps[] = {
		SAYS_SERVER("220-hi\r\n220 ftp\r\n"),
		SAYS_CLIENT("USER a b\r\nQUIT\r\n"),
		{TO_CLIENT, longest, sizeof(longest), 0},
		SAYS_CLIENT("AUTH TLS\r\n"),
		SAYS_SERVER("234 go\r\n"),
	};
	struct play play;

	PLAY_CHECK(APPLICATION_FTP, TRANSPORT_TCP, everything,
		   ((const struct play_step[]){steps[0], steps[1], steps[3], steps[4]}),
		   "< 0 ftp.completion_code=220\n< 0 ftp.reply=hi\n"
		   "< 1 ftp.completion_code=220\n< 1 ftp.reply=ftp\n"
		   "> 0 ftp.command=USER\n> 0 ftp.command_data=a b\n> 1 ftp.command=QUIT\n"
		   "> 2 ftp.command=AUTH\n> 2 ftp.command_data=TLS\n"
		   "< 2 ftp.completion_code=234\n< 2 ftp.reply=go\n= tls\n");
	for (size_t length = 4096; length <= 4097; length++) {
		memset(longest, 'x', sizeof(longest));
		longest[length] = '\n';
		play_start(&play, APPLICATION_FTP, TRANSPORT_TCP, everything);
		play_bytes(&play, TO_SERVER, slice_of(longest, length + 1), 1000);
		assert_int_equal(strstr(play_end(&play), "!ftp.request_command_too_long") != NULL,
				 length == 4097);
		play_free(&play);
	}
}

static void sip_over_tcp(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("INVITE sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
			    "OPTIONS sip:c SIP/2.0\r\n\r\n"),
		SAYS_SERVER("SIP/2.0 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
	};

	PLAY_CHECK(APPLICATION_SIP, TRANSPORT_TCP, everything, steps,
		   "> 0 sip.method=INVITE\n> 0 sip.uri=sip:a@b\n"
		   "> 1 sip.method=OPTIONS\n> 1 sip.uri=sip:c\n"
		   "< 0 sip.stat_code=404\n< 0 sip.stat_msg=Not Found\n");
}

static void a_path_with_sip_in_it_is_http(void **state)
{
	struct slice line = SLICE("OPTIONS /SIP/2.0 HTTP/1.1\r\n\r\n");
	struct slice call = SLICE("OPTIONS sip:a SIP/2.0\r\n\r\n");

	assert_int_equal(application_of(APPLICATION_SIP)->recognise(line, TO_SERVER, 80),
			 RECOGNISED_NO);
	assert_int_equal(application_of(APPLICATION_HTTP)->recognise(line, TO_SERVER, 80),
			 RECOGNISED_YES);
	assert_int_equal(application_of(APPLICATION_SIP)->recognise(call, TO_SERVER, 80),
			 RECOGNISED_YES);
	assert_int_equal(application_of(APPLICATION_HTTP)->recognise(call, TO_SERVER, 80),
			 RECOGNISED_NO);
}

static void ssh_banner_without_keys(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("SSH-2.0-libssh_0.9 x\r\n"),
		SAYS_SERVER("SSH-1.99-OpenSSH\n\0\0\0\0rubbish"),
	};

	PLAY_CHECK(APPLICATION_SSH, TRANSPORT_TCP, everything, steps,
		   "< 0 ssh.proto=1.99\n< 0 ssh.software=OpenSSH\n"
		   "> 0 ssh.proto=2.0\n> 0 ssh.software=libssh_0.9 x\n");
}

static void snmp(void **state)
{
	const struct play_step first[] = {
		SAYS_CLIENT("\x30\x1b\2\1\1\4\6public\xa0\x0e\2\1\1\2\1\0\2\1\0\x30\3\x30\1\0"),
	};
	const struct play_step third[] = {
		SAYS_CLIENT("\x30\x2c\2\1\3\x30\x0d\2\1\1\2\2\x20\0\4\1\3\2\1\3"
			    "\4\x13\x30\x11\4\0\2\1\0\2\1\0\4\5admin\4\0\4\0\4\3xyz"),
	};

	PLAY_CHECK(APPLICATION_SNMP, TRANSPORT_UDP, everything, first,
		   "> 0 snmp.community=public\n> 0 snmp.version:2\n> 0 snmp.pdu_type:0\n");
	PLAY_CHECK(APPLICATION_SNMP, TRANSPORT_UDP, everything, third,
		   "> 0 snmp.usm=admin\n> 0 snmp.version:3\n");
}

/* AS-REQ with cname and sname, KRB-ERROR 24; then a TGS-REP with a ticket of RC4. */
#define NAME(tag, text) tag "\x0f\x30\x0d\xa0\3\2\1\1\xa1\6\x30\4\x1b\2" text
#define AS_REQUEST                                                                      \
	"\x6a\x36\x30\x34\xa1\3\2\1\5\xa2\3\2\1\x0a\xa4\x28\x30\x26" NAME("\xa1", "me") \
		NAME("\xa3", "hi") "\xa5\0\xa5\0"

static void krb5_over_tcp(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("\0\0\0\x38" AS_REQUEST),
		SAYS_SERVER("\0\0\0\x13\x7e\x11\x30\x0f\xa0\3\2\1\5\xa1\3\2\1\x1e\xa6\3\2\1\x18"),
		SAYS_SERVER("\0\0\0\x22\x6d\x20\x30\x1e\xa0\3\2\1\5\xa1\3\2\1\x0d"
			    "\xa5\x12\x61\x10\x30\x0e\xa0\3\2\1\5\xa3\7\x30\5\xa0\3\2\1\x17"),
	};

	PLAY_CHECK(APPLICATION_KRB5, TRANSPORT_TCP, everything, steps,
		   "> 0 krb5_cname=me\n> 0 krb5_sname=hi\n> 0 krb5_msg_type:10\n"
		   "< 0 krb5_msg_type:30\n< 0 krb5_err_code:24\n"
		   "< 1 krb5_msg_type:13\n< 1 krb5.ticket_encryption:23\n");
}

static void rfb(void **state)
{
	const struct play_step steps[] = {
		SAYS_SERVER("RFB 003.008\n"),
		SAYS_CLIENT("RFB 003.008\n"),
		SAYS_SERVER("\2\1\2"),
		SAYS_CLIENT("\2"),
		SAYS_SERVER("0123456789abcdef"),
		SAYS_CLIENT("fedcba9876543210"),
		SAYS_SERVER("\0\0\0\0"),
		SAYS_CLIENT("\1"),
		SAYS_SERVER("\4\0\3\0................\0\0\0\4desk"),
	};
	const struct play_step refused[] = {
		SAYS_SERVER("RFB 003.003\n"),    SAYS_CLIENT("RFB 003.003\n"),
		SAYS_SERVER("\0\0\0\2"),         SAYS_SERVER("0123456789abcdef"),
		SAYS_CLIENT("fedcba9876543210"), SAYS_SERVER("\0\0\0\1no"),
	};

	PLAY_CHECK(APPLICATION_RFB, TRANSPORT_TCP, everything, steps,
		   "< 0 rfb.sectype:2\n< 0 rfb.secresult:0\n< 1 rfb.name=desk\n");
	PLAY_CHECK(APPLICATION_RFB, TRANSPORT_TCP, everything, refused,
		   "< 0 rfb.sectype:2\n< 0 rfb.secresult:1\n");
}

static void tftp(void **state)
{
	const struct play_step steps[] = {SAYS_CLIENT("\0\1boot.bin\0octet\0blksize\0")};

	PLAY_CHECK(APPLICATION_TFTP, TRANSPORT_UDP, everything, steps, "> 0 tftp.file=boot.bin\n");
}

static void modbus(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("\0\1\0\0\0\6\1\3\0\0\0\2\0\2\0\0\0\6\1\5\0\0\xff\0"),
		SAYS_SERVER("\0\1\0\0\0\3\1\x83\2not modbus"),
	};

	PLAY_CHECK(APPLICATION_MODBUS, TRANSPORT_TCP, everything, steps,
		   "> 0 modbus.unit:1\n> 0 modbus.function:3\n"
		   "> 1 modbus.unit:1\n> 1 modbus.function:5\n"
		   "< 0 modbus.unit:1\n< 0 modbus.function:131\n");
}

static void mqtt(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("\x10\x13\0\4MQTT\4\xc2\0\x3c\0\1c\0\1u\0\1p"
			    "\x30\6\0\2a/hi\x36\6\0\1b\0\1x\x82\6\0\1\0\1#\0"),
		SAYS_SERVER("\x20\2\0\0"),
	};

	PLAY_CHECK(APPLICATION_MQTT, TRANSPORT_TCP, everything, steps,
		   "> 0 mqtt.connect.clientid=c\n> 0 mqtt.connect.username=u\n"
		   "> 0 mqtt.connect.password=p\n> 0 mqtt.type:1\n"
		   "> 1 mqtt.publish.topic=a/\n> 1 mqtt.publish.message=hi\n> 1 mqtt.type:3\n"
		   "> 2 mqtt.publish.topic=b\n> 2 mqtt.publish.message=x\n> 2 mqtt.type:3\n"
		   "> 2 !mqtt.invalid_qos_level\n"
		   "> 3 mqtt.subscribe.topic=#\n> 3 mqtt.type:8\n"
		   "< 0 mqtt.type:2\n");
}

#define BIND                                                                     \
	"\5\0\x0b\3\x10\0\0\0\x48\0\0\0\1\0\0\0\xb8\x10\xb8\x10\0\0\0\0\1\0\0\0" \
	"\7\0\1\0\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\0\x10\3"   \
	"\2\0\0\0\4\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0\x2b\x10\x48\x60\2\0\0\0"

static void dcerpc_in_fragments(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT(BIND),
		SAYS_CLIENT("\5\0\0\1\x10\0\0\0\x1a\0\0\0\2\0\0\0\4\0\0\0\7\0\x0f\0st"
			    "\5\0\0\2\x10\0\0\0\x1a\0\0\0\2\0\0\0\4\0\0\0\7\0\x0f\0ub"),
	};

	PLAY_CHECK(APPLICATION_DCERPC, TRANSPORT_TCP, everything, steps,
		   "> 0 dce_stub_data=stub\n"
		   "> 0 dcerpc.interface=367abb81-9844-35f1-ad32-98f038001003\n"
		   "> 0 dce_opnum:15\n");
}

#define HELLO_BODY                                             \
	"\3\3................................\0\0\2\x13\1\1\0" \
	"\0\x1b\0\0\0\x0e\0\x0c\0\0\x09host.test\0\x10\0\5\0\3\2h2"

static void tls_in_small_records(void **state)
{
	uint8_t room[200];
	struct writer w = writer_fixed(room, sizeof(room));
	struct play_step cut[] = {SAYS_CLIENT("\x16\3\1\0\5\1\0\0\x46\3"), {TO_SERVER, NULL, 0, 0}};
	struct slice body = SLICE(HELLO_BODY);

	assert_int_equal(body.length, 0x46);
	writer_bytes(&w, SLICE("\x16\3\1\0\x45"));
	writer_bytes(&w, slice_from(body, 1));
	cut[1].bytes = (const char *)room;
	cut[1].length = w.length;
	PLAY_CHECK(APPLICATION_TLS, TRANSPORT_TCP, everything, cut,
		   "* client.fingerprint\n"
		   "> 0 tls.alpn=h2\n> 0 tls.sni=host.test\n> 0 tls.version:771\n");
}

/* After HelloRetryRequest the client says its hello once more: that was told. One that names
 * another host was not, or a second name would pass unseen. */
static void tls_hello_again(void **state)
{
	const struct play_step same[] = {
		SAYS_CLIENT("\x16\3\1\0\x4a\1\0\0\x46" HELLO_BODY),
		SAYS_CLIENT("\x16\3\1\0\x4a\1\0\0\x46" HELLO_BODY),
	};
	char other[sizeof(HELLO_BODY)] = HELLO_BODY, record[128] = "\x16\3\1\0\x4a\1\0\0\x46";
	const struct play_step changed[] = {
		SAYS_CLIENT("\x16\3\1\0\x4a\1\0\0\x46" HELLO_BODY),
		{TO_SERVER, record, 9 + sizeof(HELLO_BODY) - 1, 0},
	};

	for (size_t i = 0; i + 4 < sizeof(other); i++)
		if (memcmp(other + i, "host", 4) == 0)
			memcpy(other + i, "next", 4);
	memcpy(record + 9, other, sizeof(other) - 1);
	PLAY_CHECK(APPLICATION_TLS, TRANSPORT_TCP, everything, same,
		   "* client.fingerprint\n"
		   "> 0 tls.alpn=h2\n> 0 tls.sni=host.test\n> 0 tls.version:771\n"
		   "* client.fingerprint\n");
	PLAY_CHECK(APPLICATION_TLS, TRANSPORT_TCP, everything, changed,
		   "* client.fingerprint\n"
		   "> 0 tls.alpn=h2\n> 0 tls.sni=host.test\n> 0 tls.version:771\n"
		   "* client.fingerprint\n"
		   "> 0 tls.alpn=h2\n> 0 tls.sni=next.test\n> 0 tls.version:771\n");
}

static void told_apart(void **state)
{
	static const struct {
		enum application_id id;
		enum packet_transport transport;
		enum direction direction;
		uint16_t port;
		struct slice bytes;
	} cases[] = {
		{APPLICATION_TELNET, TRANSPORT_TCP, TO_CLIENT, 23, SLICE("\xff\xfd\x18")},
		{APPLICATION_RDP, TRANSPORT_TCP, TO_SERVER, 3389,
		 SLICE("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0")},
		{APPLICATION_RDP, TRANSPORT_TCP, TO_SERVER, 1,
		 SLICE("\3\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=a\r\n")},
		{APPLICATION_IMAP, TRANSPORT_TCP, TO_CLIENT, 143, SLICE("* OK ready\r\n")},
		{APPLICATION_POP3, TRANSPORT_TCP, TO_CLIENT, 110, SLICE("+OK hi\r\n")},
		{APPLICATION_REDIS, TRANSPORT_TCP, TO_SERVER, 6379, SLICE("*1\r\n$4\r\nPING\r\n")},
		{APPLICATION_MYSQL, TRANSPORT_TCP, TO_CLIENT, 3306,
		 SLICE("\x4a\0\0\0\x0a"
		       "5.7")},
		{APPLICATION_PGSQL, TRANSPORT_TCP, TO_SERVER, 5432,
		 SLICE("\0\0\0\x08\x04\xd2\x16\x2f")},
		{APPLICATION_TDS, TRANSPORT_TCP, TO_SERVER, 1433,
		 SLICE("\x12\1\0\x2f\0\0\0\0\0\0\x1a\0\6")},
		{APPLICATION_LDAP, TRANSPORT_TCP, TO_SERVER, 389,
		 SLICE("\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0")},
		{APPLICATION_DNP3, TRANSPORT_TCP, TO_SERVER, 20000,
		 SLICE("\5\x64\5\xc0\1\0\0\4\xe9\x21")},
		{APPLICATION_ENIP, TRANSPORT_TCP, TO_SERVER, 44818,
		 SLICE("\x65\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0")},
		{APPLICATION_NTP, TRANSPORT_UDP, TO_SERVER, 123, SLICE("\x17\0\3\x2a\0\0\0\0")},
		{APPLICATION_IKE, TRANSPORT_UDP, TO_SERVER, 500,
		 SLICE("12345678\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c")},
		{APPLICATION_NFS, TRANSPORT_UDP, TO_SERVER, 2049,
		 SLICE("\0\0\0\1\0\0\0\0\0\0\0\2\0\1\x86\xa3\0\0\0\3\0\0\0\0")},
		{APPLICATION_RFB, TRANSPORT_TCP, TO_CLIENT, 5900, SLICE("RFB 003.008\n")},
		{APPLICATION_MQTT, TRANSPORT_TCP, TO_SERVER, 1883,
		 SLICE("\x10\x0d\0\4MQTT\4\2\0\x3c\0\1c")},
		{APPLICATION_TFTP, TRANSPORT_UDP, TO_SERVER, 69, SLICE("\0\2x\0netascii\0")},
		{APPLICATION_SMTP, TRANSPORT_TCP, TO_SERVER, 25, SLICE("EHLO x\r\n")},
		{APPLICATION_SMTP, TRANSPORT_TCP, TO_CLIENT, 25, SLICE("220 x\r\n")},
		{APPLICATION_FTP, TRANSPORT_TCP, TO_CLIENT, 21, SLICE("220 x\r\n")},
		{APPLICATION_SMB, TRANSPORT_TCP, TO_SERVER, 445,
		 SLICE("\0\0\0\x55\xff"
		       "SMBr")},
		{APPLICATION_DCERPC, TRANSPORT_TCP, TO_SERVER, 135, SLICE(BIND)},
		{APPLICATION_MODBUS, TRANSPORT_TCP, TO_SERVER, 502,
		 SLICE("\0\1\0\0\0\6\1\3\0\0\0\2")},
		{APPLICATION_SNMP, TRANSPORT_UDP, TO_SERVER, 161,
		 SLICE("\x30\x1b\2\1\1\4\6public\xa0\x0e\2\1\1\2\1\0\2\1\0\x30\3\x30\1\0")},
		{APPLICATION_KRB5, TRANSPORT_UDP, TO_SERVER, 88, SLICE(AS_REQUEST)},
	};

	for (size_t c = 0; c < ARRAY_COUNT(cases); c++) {
		enum application_id first = APPLICATION_NONE;

		/* The first that says yes has it, as in the sensor. */
		for (size_t i = 0; applications[i] && first == APPLICATION_NONE; i++)
			if ((applications[i]->transports[0] == cases[c].transport ||
			     applications[i]->transports[1] == cases[c].transport) &&
			    applications[i]->recognise(cases[c].bytes, cases[c].direction,
						       cases[c].port) == RECOGNISED_YES)
				first = applications[i]->id;
		if (first != cases[c].id)
			print_message("case %zu: %s\n", c, application_descriptions[first].name);
		assert_int_equal(first, cases[c].id);
	}
}

static void gaps_and_garbage(void **state)
{
	static const struct {
		enum application_id id;
		enum packet_transport transport;
		struct slice start;
	} cases[] = {
		{APPLICATION_SNMP, TRANSPORT_UDP, SLICE("\x30\x82\1\0\2\1\3\x30\x0d\2\1\1")},
		{APPLICATION_KRB5, TRANSPORT_TCP, SLICE("\0\0\0\x38" AS_REQUEST)},
		{APPLICATION_KRB5, TRANSPORT_UDP, SLICE(AS_REQUEST)},
		{APPLICATION_RFB, TRANSPORT_TCP, SLICE("RFB 003.008\n\2\1\2")},
		{APPLICATION_MQTT, TRANSPORT_TCP, SLICE("\x10\x13\0\4MQTT\5\xc2\0\x3c\0\1c\0")},
		{APPLICATION_MODBUS, TRANSPORT_TCP, SLICE("\0\1\0\0\0\6\1\3\0\0\0\2")},
		{APPLICATION_TFTP, TRANSPORT_UDP, SLICE("\0\1a\0octet\0")},
		{APPLICATION_DCERPC, TRANSPORT_TCP, SLICE(BIND)},
		{APPLICATION_TLS, TRANSPORT_TCP, SLICE("\x16\3\1\0\x4a\1\0\0\x46" HELLO_BODY)},
		{APPLICATION_DNS, TRANSPORT_UDP, SLICE("\0\1\1\0\0\1\0\2\0\0\0\0\3www\0\0\1\0\1")},
		{APPLICATION_DNS, TRANSPORT_TCP, SLICE("\0\x40\0\1\1\0\0\1\0\0\0\0\0\0\3www\0")},
		{APPLICATION_SSH, TRANSPORT_TCP, SLICE("SSH-2.0-x\r\n\0\0\0\x50\4\x14")},
		{APPLICATION_FTP, TRANSPORT_TCP, SLICE("USER a\r\n")},
		{APPLICATION_SIP, TRANSPORT_TCP, SLICE("INVITE a SIP/2.0\r\n\r\n")},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		play_garbage(cases[i].id, cases[i].transport, cases[i].start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_over_tcp),
		cmocka_unit_test(ftp),
		cmocka_unit_test(sip_over_tcp),
		cmocka_unit_test(a_path_with_sip_in_it_is_http),
		cmocka_unit_test(ssh_banner_without_keys),
		cmocka_unit_test(snmp),
		cmocka_unit_test(krb5_over_tcp),
		cmocka_unit_test(rfb),
		cmocka_unit_test(tftp),
		cmocka_unit_test(modbus),
		cmocka_unit_test(mqtt),
		cmocka_unit_test(dcerpc_in_fragments),
		cmocka_unit_test(tls_in_small_records),
		cmocka_unit_test(tls_hello_again),
		cmocka_unit_test(told_apart),
		cmocka_unit_test(gaps_and_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
