/* From an event to rows and counts. */
#include "store/ingest.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/tally.h"

#define TIME_MAX  (INT64_C(253402300800) * SECOND) /* the year 10000 */
#define COUNT_MAX 1000000000                       /* that one event may stand for */

/* What the batch sums up before it is written; the first member of each is the table's key. */
struct source_sum {
	uint32_t id, system;
	int64_t first, last, events, connections, sessions, attempts;
	uint32_t asn;
	char country[3];
	char city[64];
	bool has_location;
	double latitude, longitude;
};

struct session_sum {
	struct identifier id;
	int64_t first, last, duration;
	int64_t events, attempts, commands, payloads, bytes_in, bytes_out;
	uint32_t source, sensor, protocol, transport, user, reason, asn;
	int32_t source_port, destination_port;
	char country[3];
	bool seen, login, closed;
};

struct credential_sum {
	uint32_t id, unused;
	int64_t first, last, count, successes;
};

struct network_sum {
	uint32_t asn;
	char name[96];
};

/* An event with everything looked up. */
struct intake {
	const struct event *event;
	struct slice line;
	struct identifier id, session;
	bool has_session;
	int64_t time;
	uint32_t hour, source;
	uint32_t words[FIELD_COUNT]; /* numbers of texts: those of looked_up, 0 for absent ones */
	struct place place;
	int64_t weights[MEASURE_COUNT]; /* how often it counts for each */
};

static const struct {
	const char *action;
	size_t length;
	enum measure measure;
} measured[] = {
#define MEASURED(action, measure)                   \
	{                                           \
		action, sizeof(action) - 1, measure \
	}
	MEASURED("session.open", MEASURE_CONNECTIONS),  MEASURED("port.probe", MEASURE_CONNECTIONS),
	MEASURED("auth.attempt", MEASURE_CREDENTIALS),  MEASURED("command.input", MEASURE_COMMANDS),
	MEASURED("protocol.request", MEASURE_REQUESTS), MEASURED("http.request", MEASURE_REQUESTS),
	MEASURED("payload.captured", MEASURE_PAYLOADS), MEASURED("rule.alert", MEASURE_ALERTS),
#undef MEASURED
};

const char *ingest_objection(const struct event *event)
{
	struct identifier id;
	int64_t time = event_number(event, FIELD_TIME);

	if (!event_has(event, FIELD_EVENT_ID))
		return "no event.id";
	if (identifier_of(event_text(event, FIELD_EVENT_ID), &id) < 0)
		return "event.id is empty or too long";
	if (!event_has(event, FIELD_TIME))
		return "no @timestamp";
	if (time < 0 || time >= TIME_MAX)
		return "@timestamp out of range";
	if (!event_has(event, FIELD_EVENT_ACTION))
		return "no event.action";
	return NULL;
}

static void weigh(struct intake *intake)
{
	const struct event *event = intake->event;
	struct slice action = event_text(event, FIELD_EVENT_ACTION);
	int64_t count = event_has(event, FIELD_ALIKE) ? event_number(event, FIELD_ALIKE) : 1;

	if (count < 1 || count > COUNT_MAX)
		count = 1;
	intake->weights[MEASURE_EVENTS] = 1;
	for (size_t i = 0; i < ARRAY_COUNT(measured); i++)
		if (action.length == measured[i].length &&
		    memcmp(action.at, measured[i].action, action.length) == 0)
			intake->weights[measured[i].measure] =
				measured[i].measure == MEASURE_CONNECTIONS ? count : 1;
	if (slice_is(action, "session.open") && intake->has_session)
		intake->weights[MEASURE_SESSIONS] = 1;
	if (slice_starts(action, "finding."))
		intake->weights[MEASURE_FINDINGS] = 1;
}

/* Texts that have columns of their own, in their order. */
static const enum event_field looked_up[] = {
	FIELD_OBSERVER_NAME, FIELD_EVENT_ACTION,  FIELD_NETWORK_PROTOCOL, FIELD_NETWORK_TRANSPORT,
	FIELD_USER_NAME,     FIELD_AUTH_PASSWORD, FIELD_COMMAND,          FIELD_URL_ORIGINAL,
	FIELD_FILE_SHA256,   FIELD_EVENT_OUTCOME,
};

/* Number of the field's text; 0 when the event has none. */
static int word(struct store *store, const struct event *event, enum event_field field,
		uint32_t *id)
{
	*id = 0;
	return event_has(event, field) ? intern_word(store, event_text(event, field), id) : 0;
}

static double event_real(const struct event *event, enum event_field field)
{
	return event_has(event, field) ? event->values[field].real : 0;
}

/* What the event says of its source goes before what the geo data say. */
static void locate(struct intake *intake, const struct place *known)
{
	const struct event *event = intake->event;
	struct place *place = &intake->place;
	struct slice country = event_text(event, FIELD_SOURCE_COUNTRY);

	*place = *known;
	if (event_has(event, FIELD_SOURCE_COUNTRY) && country.length == 2) {
		if (memcmp(place->country, country.at, 2) != 0) {
			place->has_location = false;
			place->city[0] = '\0';
		}
		memcpy(place->country, country.at, 2);
		place->country[2] = '\0';
	} else if (event_has(event, FIELD_SOURCE_COUNTRY)) {
		/* Whoever made the event did not know the country: ours would be today's. */
		place->country[0] = place->city[0] = '\0';
		place->has_location = false;
	}
	if (event_has(event, FIELD_SOURCE_LATITUDE) && event_has(event, FIELD_SOURCE_LONGITUDE)) {
		place->latitude = event_real(event, FIELD_SOURCE_LATITUDE);
		place->longitude = event_real(event, FIELD_SOURCE_LONGITUDE);
		place->has_location = true;
	}
	if (event_has(event, FIELD_SOURCE_CITY)) {
		struct slice city =
			slice_first(event_text(event, FIELD_SOURCE_CITY), sizeof(place->city) - 1);

		memcpy(place->city, city.at ? city.at : (const uint8_t *)"", city.length);
		place->city[city.length] = '\0';
	}
	if (event_has(event, FIELD_SOURCE_ASN)) {
		int64_t asn = event_number(event, FIELD_SOURCE_ASN);

		place->asn = asn > 0 && asn <= UINT32_MAX ? (uint32_t)asn : 0;
		place->as_name[0] = '\0';
	}
	if (event_has(event, FIELD_SOURCE_AS_NAME)) {
		struct slice name = slice_first(event_text(event, FIELD_SOURCE_AS_NAME),
						sizeof(place->as_name) - 1);

		memcpy(place->as_name, name.at ? name.at : (const uint8_t *)"", name.length);
		place->as_name[name.length] = '\0';
	}
	if (!(fabs(place->latitude) <= 90 && fabs(place->longitude) <= 180))
		place->has_location = false;
}

static int look_up(struct store *store, struct intake *intake)
{
	const struct event *event = intake->event;
	static const struct place nowhere = {0};
	const struct place *place = &nowhere;

	intake->time = event_number(event, FIELD_TIME);
	intake->hour = (uint32_t)(intake->time / HOUR);
	if (identifier_of(event_text(event, FIELD_EVENT_ID), &intake->id) < 0)
		return -1;
	intake->has_session =
		event_has(event, FIELD_SESSION_ID) &&
		identifier_of(event_text(event, FIELD_SESSION_ID), &intake->session) == 0;
	if (event_has(event, FIELD_SOURCE_IP)) {
		const struct intern_source *source =
			intern_source(store, event_address(event, FIELD_SOURCE_IP), intake->time);

		if (!source)
			return -1;
		intake->source = source->id;
		place = &source->place;
	}
	locate(intake, place);
	weigh(intake);
	for (size_t i = 0; i < ARRAY_COUNT(looked_up); i++)
		if (word(store, event, looked_up[i], &intake->words[looked_up[i]]) < 0)
			return -1;
	return 0;
}

static void bind_port(sqlite3_stmt *statement, int column, const struct event *event,
		      enum event_field field)
{
	if (event_has(event, field))
		sqlite3_bind_int64(statement, column, event_number(event, field));
}

static void bind_country(sqlite3_stmt *statement, int column, const char country[3])
{
	if (country[0])
		sqlite3_bind_text(statement, column, country, 2, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, column);
}

/* 1 when the row is new, 0 when its id was there, -1. */
static int add_row(struct store *store, const struct intake *intake)
{
	sqlite3_stmt *add = store_statement(store, STATEMENT_EVENT_ADD);

	if (!add)
		return -1;
	sqlite3_bind_int64(add, 1, store->next_event);
	identifier_bind(add, 2, &intake->id);
	sqlite3_bind_int64(add, 3, intake->time);
	bind_number_or_null(add, 4, intake->words[FIELD_OBSERVER_NAME]);
	bind_number_or_null(add, 5, intake->words[FIELD_EVENT_ACTION]);
	bind_number_or_null(add, 6, intake->words[FIELD_NETWORK_PROTOCOL]);
	bind_number_or_null(add, 7, intake->words[FIELD_NETWORK_TRANSPORT]);
	bind_number_or_null(add, 8, intake->source);
	bind_port(add, 9, intake->event, FIELD_SOURCE_PORT);
	bind_port(add, 10, intake->event, FIELD_DESTINATION_PORT);
	bind_country(add, 11, intake->place.country);
	bind_number_or_null(add, 12, intake->place.asn);
	if (intake->has_session)
		identifier_bind(add, 13, &intake->session);
	bind_number_or_null(add, 14, intake->words[FIELD_USER_NAME]);
	bind_number_or_null(add, 15, intake->words[FIELD_AUTH_PASSWORD]);
	bind_number_or_null(add, 16, intake->words[FIELD_COMMAND]);
	bind_number_or_null(add, 17, intake->words[FIELD_URL_ORIGINAL]);
	bind_number_or_null(add, 18, intake->words[FIELD_FILE_SHA256]);
	bind_number_or_null(add, 19, intake->words[FIELD_EVENT_OUTCOME]);
	bind_blob(add, 20, intake->line);
	if (store_run(store, add) < 0)
		return -1;
	if (sqlite3_changes(store->database) == 0)
		return 0;
	store->next_event++;
	return 1;
}

/* --- counts --- */

/* Key of the event in a dimension that has no field of its own, or that is looked up already:
 * 1 with *key, 0 none, -1 failed. */
static int special_key(struct store *store, const struct intake *intake,
		       const struct dimension *dimension, uint32_t *key)
{
	const struct event *event = intake->event;
	const struct place *place = &intake->place;
	struct slice text;

	switch (dimension->number) {
	case DIMENSION_SOURCE:
		*key = intake->source;
		return *key != 0;
	case DIMENSION_COUNTRY:
		text = slice_text(place->country);
		return text.length == 0 ? 0 : intern_word(store, text, key) < 0 ? -1 : 1;
	case DIMENSION_ASN:
		*key = place->asn;
		return *key != 0;
	case DIMENSION_LOCATION:
		*key = (uint32_t)(lround(place->latitude) + 90) * 361 +
		       (uint32_t)(lround(place->longitude) + 180);
		return place->has_location;
	case DIMENSION_HOUR:
		*key = intake->hour % 24;
		return 1;
	case DIMENSION_PATH:
		text = event_text(event, FIELD_URL_ORIGINAL);
		text = slice_first(text, slice_find_byte(text, '?'));
		return text.length == 0 ? 0 : intern_word(store, text, key) < 0 ? -1 : 1;
	case DIMENSION_RULE:
		text = event_text(event, event_has(event, FIELD_RULE_NAME) ? FIELD_RULE_NAME
									   : FIELD_RULE_ID);
		return text.length == 0 ? 0 : intern_word(store, text, key) < 0 ? -1 : 1;
	default:
		return 0; /* totals and credentials are counted elsewhere */
	}
}

static int key_of(struct store *store, const struct intake *intake,
		  const struct dimension *dimension, uint32_t *key)
{
	const struct event *event = intake->event;
	enum event_field field = dimension->field;
	int64_t number;

	if (field == FIELD_COUNT || dimension->number == DIMENSION_SOURCE ||
	    dimension->number == DIMENSION_COUNTRY || dimension->number == DIMENSION_ASN)
		return special_key(store, intake, dimension, key);
	if (!event_has(event, field))
		return 0;
	if (intake->words[field]) {
		*key = intake->words[field];
		return 1;
	}
	if (dimension->kind == KEY_WORD)
		return intern_word(store, event_text(event, field), key) < 0 ? -1 : 1;
	number = event_number(event, field);
	*key = (uint32_t)number;
	return number >= 0 && number <= UINT32_MAX;
}

/* A connection's SYN tells of its system in an event of its own: it counts there as the connection
 * that it belongs to, and nowhere else. */
static unsigned shows_system(const struct intake *intake, const struct dimension *dimension)
{
	bool shows = dimension->field == FIELD_SOURCE_OS &&
		     slice_is(event_text(intake->event, FIELD_EVENT_ACTION), "client.fingerprint");

	return shows ? 1u << MEASURE_CONNECTIONS : 0;
}

static int count(struct store *store, const struct intake *intake)
{
	const struct dimension *dimension;
	unsigned counted = 0;

	for (unsigned m = 0; m < MEASURE_COUNT; m++) {
		if (intake->weights[m] == 0)
			continue;
		counted |= 1u << m;
		if (tally_add(store, intake->hour, tally_code(DIMENSION_TOTAL, MEASURE_EVENTS),
			      intake->words[FIELD_OBSERVER_NAME], m, intake->weights[m]) < 0)
			return -1;
	}
	for (dimension = dimensions; dimension->name; dimension++) {
		unsigned wanted = dimension->measures & (counted | shows_system(intake, dimension));
		uint32_t key = 0;
		int found;

		if (!wanted)
			continue;
		found = key_of(store, intake, dimension, &key);
		if (found < 0)
			return -1;
		for (unsigned left = found ? wanted : 0; left; left &= left - 1) {
			enum measure measure = (enum measure)__builtin_ctz(left);
			int64_t weight = intake->weights[measure];

			if (tally_add(store, intake->hour, tally_code(dimension->number, measure),
				      intake->words[FIELD_OBSERVER_NAME], key,
				      weight ? weight : 1) < 0)
				return -1;
		}
	}
	return 0;
}

/* --- sums of a batch --- */

static void widen(int64_t *first, int64_t *last, int64_t time, bool is_new)
{
	if (is_new || time < *first)
		*first = time;
	if (is_new || time > *last)
		*last = time;
}

static int sum_source(struct store *store, const struct intake *intake)
{
	struct source_sum *sum;
	uint32_t system;

	if (!intake->source)
		return 0;
	if (word(store, intake->event, FIELD_SOURCE_OS, &system) < 0)
		return -1;
	sum = table_entry(&store->sources, &intake->source);
	if (!sum)
		return -1;
	widen(&sum->first, &sum->last, intake->time, sum->events == 0);
	sum->events++;
	sum->connections += intake->weights[MEASURE_CONNECTIONS];
	sum->sessions += intake->weights[MEASURE_SESSIONS];
	sum->attempts += intake->weights[MEASURE_CREDENTIALS];
	memcpy(sum->country, intake->place.country, sizeof(sum->country));
	memcpy(sum->city, intake->place.city, sizeof(sum->city));
	sum->asn = intake->place.asn;
	sum->has_location = intake->place.has_location;
	sum->latitude = intake->place.latitude;
	sum->longitude = intake->place.longitude;
	if (system)
		sum->system = system;
	return 0;
}

static int port_of(const struct event *event, enum event_field field, int32_t before)
{
	return event_has(event, field) ? (int32_t)event_number(event, field) : before;
}

static int sum_session(struct store *store, const struct intake *intake)
{
	const struct event *event = intake->event;
	struct session_sum *sum;
	uint32_t reason = 0;

	if (!intake->has_session)
		return 0;
	sum = table_entry(&store->sessions, &intake->session);
	if (!sum)
		return -1;
	if (!sum->seen)
		sum->source_port = sum->destination_port = -1;
	widen(&sum->first, &sum->last, intake->time, !sum->seen);
	sum->seen = true;
	sum->events++;
	sum->attempts += intake->weights[MEASURE_CREDENTIALS];
	sum->commands += intake->weights[MEASURE_COMMANDS];
	sum->payloads += intake->weights[MEASURE_PAYLOADS];
	sum->source = sum->source ? sum->source : intake->source;
	sum->sensor = sum->sensor ? sum->sensor : intake->words[FIELD_OBSERVER_NAME];
	if (intake->words[FIELD_NETWORK_PROTOCOL])
		sum->protocol = intake->words[FIELD_NETWORK_PROTOCOL];
	sum->transport = sum->transport ? sum->transport : intake->words[FIELD_NETWORK_TRANSPORT];
	sum->source_port = port_of(event, FIELD_SOURCE_PORT, sum->source_port);
	sum->destination_port = port_of(event, FIELD_DESTINATION_PORT, sum->destination_port);
	memcpy(sum->country, intake->place.country, sizeof(sum->country));
	sum->asn = intake->place.asn;
	if (intake->weights[MEASURE_CREDENTIALS]) {
		bool success = slice_is(event_text(event, FIELD_EVENT_OUTCOME), "success");

		if (intake->words[FIELD_USER_NAME] && (success || !sum->login))
			sum->user = intake->words[FIELD_USER_NAME];
		sum->login |= success;
	}
	if (!slice_is(event_text(event, FIELD_EVENT_ACTION), "session.close"))
		return 0;
	sum->closed = true;
	sum->duration = event_number(event, FIELD_EVENT_DURATION) / 1000;
	sum->bytes_in = event_number(event, FIELD_SOURCE_BYTES);
	sum->bytes_out = event_number(event, FIELD_DESTINATION_BYTES);
	if (word(store, event, FIELD_EVENT_REASON, &reason) < 0)
		return -1;
	sum->reason = reason;
	return 0;
}

static int sum_credential(struct store *store, const struct intake *intake)
{
	uint32_t user = intake->words[FIELD_USER_NAME];
	uint32_t password = intake->words[FIELD_AUTH_PASSWORD];
	struct credential_sum *sum;
	uint32_t id;

	if (!intake->weights[MEASURE_CREDENTIALS] || (!user && !password))
		return 0;
	if (intern_credential(store, user, password, intake->time, &id) < 0 ||
	    tally_add(store, intake->hour, tally_code(DIMENSION_CREDENTIAL, MEASURE_CREDENTIALS),
		      intake->words[FIELD_OBSERVER_NAME], id, 1) < 0)
		return -1;
	sum = table_entry(&store->credentials, &id);
	if (!sum)
		return -1;
	widen(&sum->first, &sum->last, intake->time, sum->count == 0);
	sum->count++;
	sum->successes += slice_is(event_text(intake->event, FIELD_EVENT_OUTCOME), "success");
	return 0;
}

static int sum_network(struct store *store, const struct intake *intake)
{
	struct network_sum *sum;

	if (!intake->place.asn || !intake->place.as_name[0])
		return 0;
	sum = table_entry(&store->networks, &intake->place.asn);
	if (!sum)
		return -1;
	memcpy(sum->name, intake->place.as_name, sizeof(sum->name));
	return 0;
}

static void bind_field(sqlite3_stmt *statement, int column, const struct event *event,
		       enum event_field field)
{
	if (event_has(event, field))
		bind_text(statement, column, event_text(event, field));
}

/* Payloads are rare: written at once. */
static int add_payload(struct store *store, const struct intake *intake)
{
	const struct event *event = intake->event;
	sqlite3_stmt *add;

	if (!intake->weights[MEASURE_PAYLOADS] || !event_has(event, FIELD_FILE_SHA256))
		return 0;
	add = store_statement(store, STATEMENT_PAYLOAD_ADD);
	if (!add)
		return -1;
	bind_field(add, 1, event, FIELD_FILE_SHA256);
	bind_field(add, 2, event, FIELD_FILE_MD5);
	if (event_has(event, FIELD_FILE_SIZE))
		sqlite3_bind_int64(add, 3, event_number(event, FIELD_FILE_SIZE));
	bind_field(add, 4, event, FIELD_FILE_NAME);
	bind_field(add, 5, event, FIELD_EVIDENCE_ORIGIN);
	sqlite3_bind_int64(add, 6, intake->time);
	return store_run(store, add);
}

enum store_result ingest_event(struct store *store, const struct event *event, struct slice line)
{
	struct intake intake = {.event = event, .line = line};
	int added;

	if (look_up(store, &intake) < 0)
		return STORE_FAILED;
	added = add_row(store, &intake);
	if (added < 0)
		return STORE_FAILED;
	if (added == 0)
		return STORE_KNOWN;
	if (count(store, &intake) < 0 || sum_source(store, &intake) < 0 ||
	    sum_session(store, &intake) < 0 || sum_credential(store, &intake) < 0 ||
	    sum_network(store, &intake) < 0 || add_payload(store, &intake) < 0)
		return STORE_FAILED;
	return STORE_STORED;
}

/* --- writing the sums --- */

static int flush_sources(struct store *store)
{
	for (size_t i = 0; i < store->sources.count; i++) {
		const struct source_sum *sum = table_at(&store->sources, i);
		sqlite3_stmt *update = store_statement(store, STATEMENT_SOURCE_UPDATE);

		if (!update)
			return -1;
		sqlite3_bind_int64(update, 1, sum->id);
		sqlite3_bind_int64(update, 2, sum->first);
		sqlite3_bind_int64(update, 3, sum->last);
		sqlite3_bind_int64(update, 4, sum->events);
		sqlite3_bind_int64(update, 5, sum->connections);
		sqlite3_bind_int64(update, 6, sum->sessions);
		sqlite3_bind_int64(update, 7, sum->attempts);
		bind_country(update, 8, sum->country);
		bind_number_or_null(update, 9, sum->asn);
		if (sum->city[0])
			bind_text(update, 10, slice_text(sum->city));
		if (sum->has_location) {
			sqlite3_bind_double(update, 11, sum->latitude);
			sqlite3_bind_double(update, 12, sum->longitude);
		}
		bind_number_or_null(update, 13, sum->system);
		if (store_run(store, update) < 0)
			return -1;
	}
	return 0;
}

static int flush_session(struct store *store, const struct session_sum *sum)
{
	sqlite3_stmt *add = store_statement(store, STATEMENT_SESSION_ADD);

	if (!add)
		return -1;
	identifier_bind(add, 1, &sum->id);
	sqlite3_bind_int64(add, 2, sum->first);
	sqlite3_bind_int64(add, 3, sum->last);
	bind_number_or_null(add, 4, sum->source);
	if (sum->source_port >= 0)
		sqlite3_bind_int(add, 5, sum->source_port);
	if (sum->destination_port >= 0)
		sqlite3_bind_int(add, 6, sum->destination_port);
	bind_number_or_null(add, 7, sum->sensor);
	bind_number_or_null(add, 8, sum->protocol);
	bind_number_or_null(add, 9, sum->transport);
	bind_country(add, 10, sum->country);
	bind_number_or_null(add, 11, sum->asn);
	bind_number_or_null(add, 12, sum->user);
	bind_number_or_null(add, 13, sum->reason);
	sqlite3_bind_int(add, 14, sum->login);
	sqlite3_bind_int(add, 15, sum->closed);
	sqlite3_bind_int64(add, 16, sum->duration);
	sqlite3_bind_int64(add, 17, sum->events);
	sqlite3_bind_int64(add, 18, sum->attempts);
	sqlite3_bind_int64(add, 19, sum->commands);
	sqlite3_bind_int64(add, 20, sum->payloads);
	sqlite3_bind_int64(add, 21, sum->bytes_in);
	sqlite3_bind_int64(add, 22, sum->bytes_out);
	return store_run(store, add);
}

static int flush_credential(struct store *store, const struct credential_sum *sum)
{
	sqlite3_stmt *update = store_statement(store, STATEMENT_CREDENTIAL_UPDATE);

	if (!update)
		return -1;
	sqlite3_bind_int64(update, 1, sum->id);
	sqlite3_bind_int64(update, 2, sum->first);
	sqlite3_bind_int64(update, 3, sum->last);
	sqlite3_bind_int64(update, 4, sum->count);
	sqlite3_bind_int64(update, 5, sum->successes);
	return store_run(store, update);
}

static int flush_networks(struct store *store)
{
	for (size_t i = 0; i < store->networks.count; i++) {
		const struct network_sum *sum = table_at(&store->networks, i);
		sqlite3_stmt *add = store_statement(store, STATEMENT_NETWORK_ADD);

		if (!add)
			return -1;
		sqlite3_bind_int64(add, 1, sum->asn);
		bind_text(add, 2, slice_text(sum->name));
		if (store_run(store, add) < 0)
			return -1;
	}
	return 0;
}

int ingest_flush(struct store *store)
{
	if (flush_sources(store) < 0 || flush_networks(store) < 0)
		return -1;
	for (size_t i = 0; i < store->sessions.count; i++)
		if (flush_session(store, table_at(&store->sessions, i)) < 0)
			return -1;
	for (size_t i = 0; i < store->credentials.count; i++)
		if (flush_credential(store, table_at(&store->credentials, i)) < 0)
			return -1;
	return tally_flush(store);
}

void ingest_open(struct store *store)
{
	store->tallies = table_of(sizeof(struct tally_entry), 16, store->secret);
	store->sources = table_of(sizeof(struct source_sum), sizeof(uint32_t), store->secret);
	store->sessions =
		table_of(sizeof(struct session_sum), sizeof(struct identifier), store->secret);
	store->credentials =
		table_of(sizeof(struct credential_sum), sizeof(uint32_t), store->secret);
	store->networks = table_of(sizeof(struct network_sum), sizeof(uint32_t), store->secret);
}

void ingest_clear(struct store *store)
{
	table_clear(&store->tallies);
	table_clear(&store->sources);
	table_clear(&store->sessions);
	table_clear(&store->credentials);
	table_clear(&store->networks);
}

void ingest_free(struct store *store)
{
	table_free(&store->tallies);
	table_free(&store->sources);
	table_free(&store->sessions);
	table_free(&store->credentials);
	table_free(&store->networks);
}
