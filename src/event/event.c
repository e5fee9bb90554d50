/* The tables of fields and actions, and access to an event's values; see event.h. */
#include <assert.h>

#include "event/event.h"

const struct field_description event_fields[FIELD_COUNT] = {
#define FIELD(symbol, path, type, meaning) {path, FIELD_TYPE_##type, meaning},
#include "event/schema.def"
#undef FIELD
};

static const uint8_t path_lengths[FIELD_COUNT] = {
#define FIELD(symbol, path, type, meaning) sizeof(path) - 1,
#include "event/schema.def"
#undef FIELD
};

const struct event_action event_actions[] = {
	{"session.open", "A connection, or the first datagram of a peer, reached a decoy"},
	{"session.close", "A session ended; with its duration, its bytes and the reason"},
	{"auth.attempt", "Someone tried to log in; with what was tried and how it was decided"},
	{"command.input", "A command line was typed or sent to a shell"},
	{"protocol.identified", "What a client speaks was told from its first bytes, on a port "
				"without a decoy of its own"},
	{"protocol.request",
	 "A request in a protocol's own terms (STOR, CONFIG SET, REGISTER, a query)"},
	{"http.request", "An HTTP request was answered"},
	{"payload.captured",
	 "Bytes worth keeping (malware, an upload, a body) were stored as evidence"},
	{"payload.removed", "Stored evidence was removed to stay within the caps"},
	{"download.attempt", "A command named an address to fetch from; nothing was fetched"},
	{"tunnel.attempt", "Someone asked to be relayed to another host; nothing was connected"},
	{"client.fingerprint",
	 "A passive fingerprint (HASSH, JA3, JA4, p0f) of the client was taken"},
	{"server.fingerprint", "A passive fingerprint of a server was taken from a capture"},
	{"rule.alert", "A detection rule matched"},
	{"port.probe", "A port was touched without a conversation, as scanners do"},
	{"limit.shed", "A limit was reached and something was refused or dropped to stay alive"},
	{"protocol.error",
	 "Input that breaks the protocol; what came is kept, the session may go on"},
	{"sensor.status",
	 "A process of a sensor started, stopped, failed, or reports its counters"},
	{"finding.*",
	 "Something unusual that the analysis found; the rest of the name is its kind"},
	{NULL, NULL},
};

enum event_field event_field_named(struct slice path)
{
	for (enum event_field field = 0; field < FIELD_COUNT; field++) {
		if (path.length == path_lengths[field] &&
		    memcmp(path.at, event_fields[field].path, path.length) == 0)
			return field;
	}
	return FIELD_COUNT;
}

void event_set_text(struct event *event, enum event_field field, struct slice text)
{
	assert(event_fields[field].type == FIELD_TYPE_TEXT ||
	       event_fields[field].type == FIELD_TYPE_BYTES);
	event->values[field].text = text;
	event_mark(event, field);
}

void event_set_words(struct event *event, enum event_field field, const char *text)
{
	event_set_text(event, field, slice_text(text));
}

void event_set_number(struct event *event, enum event_field field, int64_t number)
{
	assert(event_fields[field].type == FIELD_TYPE_NUMBER ||
	       event_fields[field].type == FIELD_TYPE_TIME);
	event->values[field].number = number;
	event_mark(event, field);
}

void event_set_real(struct event *event, enum event_field field, double real)
{
	assert(event_fields[field].type == FIELD_TYPE_REAL);
	event->values[field].real = real;
	event_mark(event, field);
}

void event_set_address(struct event *event, enum event_field field, const struct address *address)
{
	assert(event_fields[field].type == FIELD_TYPE_ADDRESS);
	event->values[field].address = *address;
	event_mark(event, field);
}

void event_set_texts(struct event *event, enum event_field field, const struct slice *items,
		     size_t count)
{
	assert(event_fields[field].type == FIELD_TYPE_TEXTS);
	event->values[field].texts.items = items;
	event->values[field].texts.count = count;
	event_mark(event, field);
}

struct slice event_text(const struct event *event, enum event_field field)
{
	assert(event_fields[field].type == FIELD_TYPE_TEXT ||
	       event_fields[field].type == FIELD_TYPE_BYTES);
	return event_has(event, field) ? event->values[field].text : (struct slice){NULL, 0};
}

int64_t event_number(const struct event *event, enum event_field field)
{
	assert(event_fields[field].type == FIELD_TYPE_NUMBER ||
	       event_fields[field].type == FIELD_TYPE_TIME);
	return event_has(event, field) ? event->values[field].number : 0;
}

const struct address *event_address(const struct event *event, enum event_field field)
{
	assert(event_fields[field].type == FIELD_TYPE_ADDRESS);
	return event_has(event, field) ? &event->values[field].address : NULL;
}
