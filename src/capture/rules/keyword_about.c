/* What a rule says about itself, and what it asks of the application: facts and anomalies. */
#include "capture/rules/keyword.h"

#include <stdlib.h>

static char *text_of(struct builder *b, struct slice value)
{
	struct slice inner;
	bool negated;
	uint8_t *out;
	size_t length = 0;

	if (rule_unquote(value, &inner, &negated) < 0)
		inner = value;
	out = arena_take(b->arena, inner.length + 1);
	for (size_t i = 0; out && i < inner.length; i++) {
		if (inner.at[i] == '\\' && i + 1 < inner.length)
			i++;
		out[length++] = inner.at[i];
	}
	return (char *)out;
}

static int read_message(struct builder *b, const struct keyword *keyword, struct slice value)
{
	b->rule->message = text_of(b, value);
	return b->rule->message ? 0 : builder_fail(b, "out of memory");
}

static int read_classtype(struct builder *b, const struct keyword *keyword, struct slice value)
{
	b->rule->class_type = text_of(b, value);
	return b->rule->class_type ? 0 : builder_fail(b, "out of memory");
}

static int read_reference(struct builder *b, const struct keyword *keyword, struct slice value)
{
	if (!b->rule->reference)
		b->rule->reference = text_of(b, value);
	return 0;
}

enum { NUMBER_SID, NUMBER_GID, NUMBER_REVISION, NUMBER_PRIORITY };

static int read_identity(struct builder *b, const struct keyword *keyword, struct slice value)
{
	int64_t number;

	if (slice_number(value, 0, UINT32_MAX, &number) < 0)
		return builder_fail(b, "%s is a number, not %.*s", keyword->name, (int)value.length,
				    (const char *)value.at);
	switch (keyword->argument) {
	case NUMBER_SID:
		b->rule->sid = (uint32_t)number;
		break;
	case NUMBER_GID:
		b->rule->gid = (uint32_t)number;
		break;
	case NUMBER_REVISION:
		b->rule->revision = (uint32_t)number;
		break;
	default:
		b->rule->priority = (uint8_t)(number > 255 ? 255 : number);
	}
	return 0;
}

struct slice rule_metadata(const struct rule *rule, const char *key)
{
	struct slice rest = rule->metadata, pair;

	while (slice_next(&rest, ',', &pair)) {
		size_t space;

		pair = slice_trim(pair);
		space = slice_find_byte(pair, ' ');
		if (space != SIZE_MAX && slice_is(slice_first(pair, space), key))
			return slice_trim(slice_from(pair, space + 1));
	}
	return slice_of(NULL, 0);
}

static int read_metadata(struct builder *b, const struct keyword *keyword, struct slice value)
{
	if (!b->rule->metadata.length)
		b->rule->metadata = value;
	return 0;
}

static int read_target(struct builder *b, const struct keyword *keyword, struct slice value)
{
	if (slice_is(value, "src_ip"))
		b->rule->target = TARGET_SOURCE;
	else if (slice_is(value, "dest_ip"))
		b->rule->target = TARGET_DESTINATION;
	else
		return builder_fail(b, "target is src_ip or dest_ip");
	return 0;
}

/* Read and of no consequence for what matches. */
static int read_nothing(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return 0;
}

/* --- facts --- */

static bool fact_holds(const struct test *test, struct match *m)
{
	const struct findings *findings = &m->inspection->findings;

	for (size_t i = 0; i < findings->fact_count; i++)
		if (findings->facts[i].id == test->as.number.fact &&
		    compare_number(&test->as.number, findings->facts[i].value))
			return true;
	return false;
}

static int add_fact(struct builder *b, enum fact_id fact, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	if (value.length && value.at[0] == '!') {
		test->negated = true;
		value = slice_trim(slice_from(value, 1));
	}
	if (builder_compare(b, value, &test->as.number) < 0)
		return -1;
	test->as.number.fact = (uint16_t)fact;
	test->holds = fact_holds;
	b->rule->kinds = KIND_TRANSACTION;
	return 0;
}

static bool listed_fact_holds(const struct test *test, struct match *m)
{
	const struct number_list *list = &test->as.numbers;

	for (size_t i = 0; i < list->count; i++) {
		const struct test one = {.as.number = list->items[i]};

		if (fact_holds(&one, m))
			return true;
	}
	return false;
}

/* "1,2,5-9": any of them. */
static int add_listed_fact(struct builder *b, enum fact_id fact, struct slice value)
{
	struct test *test = builder_condition(b);
	struct number_test *items;
	struct slice item;
	size_t count = 1;

	for (size_t i = 0; i < value.length; i++)
		count += value.at[i] == ',';
	items = arena_take(b->arena, count * sizeof(*items));
	if (!test || !items)
		return builder_fail(b, "out of memory");
	test->as.numbers.items = items;
	while (slice_next(&value, ',', &item)) {
		if (builder_compare(b, item, items) < 0)
			return -1;
		items->fact = (uint16_t)fact;
		items++;
		test->as.numbers.count++;
	}
	test->holds = listed_fact_holds;
	b->rule->kinds = KIND_TRANSACTION;
	return 0;
}

static int read_fact(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice inner = value;
	bool negated;

	/* Snort 3 quotes some of them. */
	if (rule_unquote(value, &inner, &negated) == 0 && negated)
		return builder_fail(b, "%s: ! before quotes", keyword->name);
	if (slice_find_byte(inner, ',') != SIZE_MAX)
		return add_listed_fact(b, (enum fact_id)keyword->argument, inner);
	return add_fact(b, (enum fact_id)keyword->argument, inner);
}

/* urilen:N[,norm|raw] */
static int read_urilen(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice number;
	bool raw;

	(void)slice_next(&value, ',', &number);
	raw = slice_is(slice_trim(value), "raw");
	return add_fact(b, raw ? FACT_HTTP_URI_RAW_LENGTH : FACT_HTTP_URI_LENGTH,
			slice_trim(number));
}

/* filesize:>10MB */
static int read_filesize(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return add_fact(b, FACT_FILE_SIZE, value);
}

static int read_tls_version(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *text, *number;
	} versions[] = {{"1.0", "769"}, {"1.1", "770"}, {"1.2", "771"}, {"1.3", "772"}};
	struct slice inner = value;
	bool negated;

	(void)!rule_unquote(value, &inner, &negated);
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++)
		if (slice_is(inner, versions[i].text))
			return add_fact(b, FACT_TLS_VERSION, slice_text(versions[i].number));
	return builder_fail(b, "tls.version does not know %.*s", (int)value.length,
			    (const char *)value.at);
}

/* --- application-layer events and names --- */

/* What app-layer-protocol asks for besides an application: itself, or another than it. */
enum { ASKS_FAILED = -1, ASKS_UNKNOWN = -2, ASKS_ANOTHER = 0x100 };

static bool anomaly_holds(const struct test *test, struct match *m)
{
	const struct findings *findings = &m->inspection->findings;

	for (size_t i = 0; i < findings->anomaly_count; i++)
		if (strcmp(findings->anomalies[i], test->as.text.text) == 0)
			return true;
	return false;
}

static int read_event(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	test->as.text.text = text_of(b, value);
	if (!test->as.text.text)
		return builder_fail(b, "out of memory");
	test->holds = anomaly_holds;
	b->rule->kinds = KIND_TRANSACTION;
	return 0;
}

/* Nothing is said about a flow's application before it is known or given up: ! does not hold then
 * either. */
static bool application_holds(const struct test *test, struct match *m)
{
	const struct inspection *i = m->inspection;
	bool failed = !i->application && i->flow && i->flow->unread[i->direction];

	switch (test->as.text.number) {
	case ASKS_FAILED:
		return failed;
	case ASKS_UNKNOWN:
		return !i->application && !failed;
	default:
		if (!i->application && !failed)
			return false;
		return (i->application == (enum application_id)(test->as.text.number & 0xff)) !=
		       (test->as.text.number >= ASKS_ANOTHER);
	}
}

static int read_application(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);
	struct slice name;
	bool another;

	if (!test)
		return -1;
	(void)slice_next(&value, ',', &name);
	name = slice_trim(name);
	another = name.length && name.at[0] == '!';
	if (another)
		name = slice_trim(slice_from(name, 1));
	test->holds = application_holds;
	if (slice_is(name, "failed") || slice_is(name, "unknown")) {
		test->as.text.number = slice_is(name, "failed") ? ASKS_FAILED : ASKS_UNKNOWN;
		test->negated = another;
		return 0;
	}
	test->as.text.number = builder_application(name);
	b->asks_application = !another;
	if (test->as.text.number)
		test->as.text.number |= another ? ASKS_ANOTHER : 0;
	else
		return builder_fail(b, "no application is called %.*s", (int)name.length,
				    (const char *)name.at);
	return 0;
}

static int read_service(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice name = value;

	/* Snort 3's metadata says so already; a list means any of them. */
	(void)slice_next(&value, ',', &name);
	if (b->rule->application == APPLICATION_NONE && !value.length)
		b->rule->application = (uint8_t)application_named(slice_trim(name));
	return 0;
}

static int read_prefilter(struct builder *b, const struct keyword *keyword, struct slice value)
{
	b->prefilter = true;
	return 0;
}

/* What this sensor does not have; the summary says why. */
static int read_absent(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return builder_fail(b, "%s: %s", keyword->name, keyword->summary);
}

/* Numbers that have names: encryption types (RFC 3961 and its followers), MQTT's packets. */
static int read_named_fact(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		enum fact_id fact;
		const char *name, *numbers;
	} names[] = {
		{FACT_KRB5_TICKET_ENCRYPTION, "weak", "1,2,3,4,5,6,7,8,16,23,24"},
		{FACT_KRB5_TICKET_ENCRYPTION, "strong", "17,18,19,20,25,26"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des-cbc-crc", "1"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des-cbc-md4", "2"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des-cbc-md5", "3"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des3-cbc-md5", "5"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des3-cbc-sha1", "7"},
		{FACT_KRB5_TICKET_ENCRYPTION, "des3-cbc-sha1-kd", "16"},
		{FACT_KRB5_TICKET_ENCRYPTION, "aes128-cts-hmac-sha1-96", "17"},
		{FACT_KRB5_TICKET_ENCRYPTION, "aes256-cts-hmac-sha1-96", "18"},
		{FACT_KRB5_TICKET_ENCRYPTION, "aes128-cts-hmac-sha256-128", "19"},
		{FACT_KRB5_TICKET_ENCRYPTION, "aes256-cts-hmac-sha384-192", "20"},
		{FACT_KRB5_TICKET_ENCRYPTION, "rc4-hmac", "23"},
		{FACT_KRB5_TICKET_ENCRYPTION, "rc4-hmac-exp", "24"},
		{FACT_KRB5_TICKET_ENCRYPTION, "camellia128-cts-cmac", "25"},
		{FACT_KRB5_TICKET_ENCRYPTION, "camellia256-cts-cmac", "26"},
		{FACT_MQTT_TYPE, "CONNECT", "1"},
		{FACT_MQTT_TYPE, "CONNACK", "2"},
		{FACT_MQTT_TYPE, "PUBLISH", "3"},
		{FACT_MQTT_TYPE, "PUBACK", "4"},
		{FACT_MQTT_TYPE, "PUBREC", "5"},
		{FACT_MQTT_TYPE, "PUBREL", "6"},
		{FACT_MQTT_TYPE, "PUBCOMP", "7"},
		{FACT_MQTT_TYPE, "SUBSCRIBE", "8"},
		{FACT_MQTT_TYPE, "SUBACK", "9"},
		{FACT_MQTT_TYPE, "UNSUBSCRIBE", "10"},
		{FACT_MQTT_TYPE, "UNSUBACK", "11"},
		{FACT_MQTT_TYPE, "PINGREQ", "12"},
		{FACT_MQTT_TYPE, "PINGRESP", "13"},
		{FACT_MQTT_TYPE, "DISCONNECT", "14"},
		{FACT_MQTT_TYPE, "AUTH", "15"},
	};

	value = slice_trim(value);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (names[i].fact == (enum fact_id)keyword->argument &&
		    slice_is_nocase(value, names[i].name))
			return read_fact(b, keyword, slice_text(names[i].numbers));
	return read_fact(b, keyword, value);
}

static const struct keyword table[] = {
	{"msg", "What it found, in words", read_message, 0},
	{"sid", "Number of the rule", read_identity, NUMBER_SID},
	{"gid", "Group of the number", read_identity, NUMBER_GID},
	{"rev", "Revision of the rule", read_identity, NUMBER_REVISION},
	{"priority", "1 is the highest", read_identity, NUMBER_PRIORITY},
	{"classtype", "Class of the attack", read_classtype, 0},
	{"reference", "Where to read on", read_reference, 0},
	{"metadata", "Notes", read_metadata, 0},
	{"target", "Which side is the target", read_target, 0},
	{"tag", "Packets to keep after it", read_nothing, 0},
	{"prefilter", "Which test it is found by", read_prefilter, 0},
	{"rem", "A remark", read_nothing, 0},
	{"requires", "What the engine must know", read_nothing, 0},
	{"filestore", "Keep the file", read_nothing, 0},
	{"service", "Services it is about", read_service, 0},
	{"urilen", "Length of the URI", read_urilen, 0},
	{"filesize", "Size of the file", read_filesize, 0},
	{"dns.opcode", "Operation of a DNS message", read_fact, FACT_DNS_OPCODE},
	{"dns.rcode", "Result of a DNS message", read_fact, FACT_DNS_RCODE},
	{"dns.rrtype", "Type of a DNS record", read_fact, FACT_DNS_RRTYPE},
	{"tls.version", "Version of TLS", read_tls_version, 0},
	{"tls.cert_chain_len", "Certificates in the chain", read_fact, FACT_TLS_CHAIN_LENGTH},
	{"dce_opnum", "Operation of a DCE/RPC request", read_fact, FACT_DCERPC_OPNUM},
	{"dcerpc.opnum", "Operation of a DCE/RPC request", read_fact, FACT_DCERPC_OPNUM},
	{"snmp.version", "Version of SNMP", read_fact, FACT_SNMP_VERSION},
	{"krb5_msg_type", "Kerberos message type", read_fact, FACT_KRB5_MESSAGE_TYPE},
	{"krb5.ticket_encryption", "How a Kerberos ticket is encrypted", read_named_fact,
	 FACT_KRB5_TICKET_ENCRYPTION},
	{"mqtt.type", "Kind of an MQTT message", read_named_fact, FACT_MQTT_TYPE},
	{"dhcp.leasetime", "Seconds of a DHCP lease", read_fact, FACT_DHCP_LEASE_TIME},
	{"dhcp.renewal_time", "Seconds until a lease is renewed", read_fact,
	 FACT_DHCP_RENEWAL_TIME},
	{"dhcp.rebinding_time", "Seconds until a lease is asked of others", read_fact,
	 FACT_DHCP_REBINDING_TIME},
	{"geoip", "it needs a data base of countries, and none is given to rules", read_absent, 0},
	{"iprep", "it needs lists of reputations, and none is given to rules", read_absent, 0},
	{"lua", "scripts are not run", read_absent, 0},
	{"luajit", "scripts are not run", read_absent, 0},
	{"rfb.sectype", "VNC security type", read_fact, FACT_RFB_SECURITY_TYPE},
	{"rfb.secresult", "VNC security result", read_fact, FACT_RFB_SECURITY_RESULT},
	{"app-layer-event", "Something odd that a parser saw", read_event, 0},
	{"app-layer-protocol", "The application that a flow speaks", read_application, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_about = table;
