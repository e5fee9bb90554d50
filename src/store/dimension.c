/* The table of dimensions. */
#include "store/dimension.h"

#define EVENTS      (1u << MEASURE_EVENTS)
#define CONNECTIONS (1u << MEASURE_CONNECTIONS)
#define SESSIONS    (1u << MEASURE_SESSIONS)
#define CREDENTIALS (1u << MEASURE_CREDENTIALS)
#define COMMANDS    (1u << MEASURE_COMMANDS)
#define REQUESTS    (1u << MEASURE_REQUESTS)
#define PAYLOADS    (1u << MEASURE_PAYLOADS)
#define ALERTS      (1u << MEASURE_ALERTS)

/* field FIELD_COUNT: the store itself says what the key is (ingest.c). */
const struct dimension dimensions[] = {
	{1, "total", "Totals", "", FIELD_COUNT, KEY_NUMBER, MEASURE_EVENTS, EVENTS},
	{2, "source.ip", "Sources", "source ip", FIELD_SOURCE_IP, KEY_SOURCE, MEASURE_CONNECTIONS,
	 EVENTS | CONNECTIONS | SESSIONS | CREDENTIALS},
	{3, "source.country", "Countries", "country", FIELD_SOURCE_COUNTRY, KEY_WORD,
	 MEASURE_CONNECTIONS, EVENTS | CONNECTIONS | SESSIONS | CREDENTIALS},
	{4, "source.asn", "Networks (ASN)", "asn", FIELD_SOURCE_ASN, KEY_NUMBER,
	 MEASURE_CONNECTIONS, EVENTS | CONNECTIONS},
	{5, "source.os", "Operating systems", "os system", FIELD_SOURCE_OS, KEY_WORD,
	 MEASURE_EVENTS, EVENTS | CONNECTIONS},
	{6, "source.location", "Places", "location", FIELD_COUNT, KEY_LOCATION, MEASURE_CONNECTIONS,
	 CONNECTIONS},
	{7, "destination.port", "Ports", "port", FIELD_DESTINATION_PORT, KEY_NUMBER,
	 MEASURE_CONNECTIONS, CONNECTIONS},
	{8, "network.protocol", "Protocols", "protocol", FIELD_NETWORK_PROTOCOL, KEY_WORD,
	 MEASURE_CONNECTIONS, EVENTS | CONNECTIONS | SESSIONS | CREDENTIALS},
	{9, "network.transport", "Transports", "transport", FIELD_NETWORK_TRANSPORT, KEY_WORD,
	 MEASURE_CONNECTIONS, CONNECTIONS},
	{10, "user.name", "User names", "user username", FIELD_USER_NAME, KEY_WORD,
	 MEASURE_CREDENTIALS, CREDENTIALS},
	{11, "password", "Passwords", "", FIELD_AUTH_PASSWORD, KEY_WORD, MEASURE_CREDENTIALS,
	 CREDENTIALS},
	{12, "credential", "User names with passwords", "credentials", FIELD_COUNT, KEY_CREDENTIAL,
	 MEASURE_CREDENTIALS, CREDENTIALS},
	{13, "sensor", "Sensors", "", FIELD_OBSERVER_NAME, KEY_WORD, MEASURE_CONNECTIONS,
	 EVENTS | CONNECTIONS | SESSIONS | CREDENTIALS},
	{14, "action", "Actions", "", FIELD_EVENT_ACTION, KEY_WORD, MEASURE_EVENTS, EVENTS},
	{15, "url.path", "Paths", "path", FIELD_COUNT, KEY_WORD, MEASURE_REQUESTS, REQUESTS},
	{16, "url", "Request targets", "", FIELD_URL_ORIGINAL, KEY_WORD, MEASURE_EVENTS, EVENTS},
	{17, "command", "Commands", "", FIELD_COMMAND, KEY_WORD, MEASURE_COMMANDS, COMMANDS},
	{18, "payload", "Payloads", "sha256", FIELD_FILE_SHA256, KEY_WORD, MEASURE_PAYLOADS,
	 PAYLOADS},
	{19, "rule", "Alerts", "rule.name alert", FIELD_COUNT, KEY_WORD, MEASURE_ALERTS, ALERTS},
	{20, "user_agent", "Clients", "agent", FIELD_USER_AGENT, KEY_WORD, MEASURE_EVENTS, EVENTS},
	{21, "request", "Requests", "verb", FIELD_REQUEST_VERB, KEY_WORD, MEASURE_REQUESTS,
	 REQUESTS},
	{22, "hour", "Hours of the day", "hour_of_day", FIELD_COUNT, KEY_NUMBER,
	 MEASURE_CONNECTIONS, EVENTS | CONNECTIONS},
	{23, "http.method", "Methods", "method", FIELD_HTTP_METHOD, KEY_WORD, MEASURE_REQUESTS,
	 REQUESTS},
	{24, "outcome", "Outcomes of attempts", "", FIELD_EVENT_OUTCOME, KEY_WORD,
	 MEASURE_CREDENTIALS, CREDENTIALS},
	{0},
};

static const char *const measure_names[MEASURE_COUNT] = {
	[MEASURE_EVENTS] = "events",     [MEASURE_CONNECTIONS] = "connections",
	[MEASURE_SESSIONS] = "sessions", [MEASURE_CREDENTIALS] = "credentials",
	[MEASURE_COMMANDS] = "commands", [MEASURE_REQUESTS] = "requests",
	[MEASURE_PAYLOADS] = "payloads", [MEASURE_ALERTS] = "alerts",
	[MEASURE_FINDINGS] = "findings",
};

static bool is_one_of(const char *words, struct slice name)
{
	struct slice rest = slice_text(words);
	struct slice word;

	while (slice_next(&rest, ' ', &word))
		if (slice_equal(word, name))
			return true;
	return false;
}

const struct dimension *dimension_named(struct slice name)
{
	if (name.length == 0)
		return NULL;
	for (const struct dimension *d = dimensions; d->name; d++)
		if (slice_is(name, d->name) || is_one_of(d->also, name) ||
		    (d->field != FIELD_COUNT && slice_is(name, event_fields[d->field].path)))
			return d;
	return NULL;
}

const char *dimension_measure_name(enum measure measure)
{
	return measure < MEASURE_COUNT ? measure_names[measure] : NULL;
}

enum measure dimension_measure_named(struct slice name)
{
	int measure = 0;

	while (measure < MEASURE_COUNT && !slice_is(name, measure_names[measure]))
		measure++;
	return (enum measure)measure;
}
