/* Questions that rows answer: events, sessions, sources, payloads, credentials. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/inside.h"
#include "store/query.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000000
#define DOC_ARENA_MAX (4u << 20)
#define SQL_MAX       2048

/* A statement that is put together from fixed text, with what it binds, in order. */
struct question {
	struct writer sql;
	char room[SQL_MAX];
	struct {
		enum { BIND_NUMBER, BIND_TEXT, BIND_IDENTIFIER } kind;
		int64_t number;
		struct slice text;
		struct identifier identifier;
	} binds[24];
	size_t bind_count;
	bool impossible; /* asks for a text that was never seen */
};

static void question_start(struct question *q, const char *sql)
{
	*q = (struct question){0};
	q->sql = writer_fixed(q->room, sizeof(q->room) - 1);
	writer_text(&q->sql, sql);
}

static void ask_number(struct question *q, const char *condition, int64_t number)
{
	writer_text(&q->sql, condition);
	q->binds[q->bind_count].kind = BIND_NUMBER;
	q->binds[q->bind_count++].number = number;
}

static void ask_text(struct question *q, const char *condition, struct slice text)
{
	writer_text(&q->sql, condition);
	q->binds[q->bind_count].kind = BIND_TEXT;
	q->binds[q->bind_count++].text = text;
}

static void ask_identifier(struct question *q, const char *condition,
			   const struct identifier *identifier)
{
	writer_text(&q->sql, condition);
	q->binds[q->bind_count].kind = BIND_IDENTIFIER;
	q->binds[q->bind_count++].identifier = *identifier;
}

/* Only where the text is given. */
static void ask_word(struct store *store, struct question *q, const char *condition,
		     struct slice text)
{
	uint32_t id;

	if (text.length == 0)
		return;
	id = intern_known_word(store, text);
	if (id == 0)
		q->impossible = true;
	else
		ask_number(q, condition, id);
}

static sqlite3_stmt *question_prepare(struct store *store, struct question *q)
{
	sqlite3_stmt *statement = NULL;

	if (q->sql.failed || sqlite3_prepare_v2(store->database, q->room, (int)q->sql.length,
						&statement, NULL) != SQLITE_OK) {
		store_failed(store, "asking the store");
		return NULL;
	}
	for (size_t i = 0; i < q->bind_count; i++) {
		int column = (int)i + 1;

		if (q->binds[i].kind == BIND_NUMBER)
			sqlite3_bind_int64(statement, column, q->binds[i].number);
		else if (q->binds[i].kind == BIND_TEXT)
			bind_text(statement, column, q->binds[i].text);
		else
			identifier_bind(statement, column, &q->binds[i].identifier);
	}
	return statement;
}

static int finished(struct store *store, sqlite3_stmt *statement, int answer)
{
	if (answer != SQLITE_DONE && answer != SQLITE_ROW)
		store_failed(store, "asking the store");
	sqlite3_finalize(statement);
	return answer == SQLITE_DONE || answer == SQLITE_ROW ? 0 : -1;
}

static size_t limit_of(const struct query_filter *filter)
{
	if (filter->limit == 0)
		return LIMIT_DEFAULT;
	return filter->limit < LIMIT_MAX ? filter->limit : LIMIT_MAX;
}

/* "time.rest": the time, and where the rest starts; false for an empty cursor. */
static bool cursor_split(const char *cursor, int64_t *time, const char **rest)
{
	char *end;

	if (!cursor || !cursor[0])
		return false;
	errno = 0;
	*time = strtoll(cursor, &end, 10);
	if (errno || *end != '.')
		return false;
	*rest = end + 1;
	return true;
}

static void ask_source(struct store *store, struct question *q, const char *condition,
		       const struct address *address)
{
	sqlite3_stmt *find;
	char text[ADDRESS_TEXT_MAX];

	if (!address)
		return;
	find = store_statement(store, STATEMENT_SOURCE_FIND);
	if (!find) {
		q->impossible = true;
		return;
	}
	bind_text(find, 1, slice_of(text, address_text(address, text)));
	if (sqlite3_step(find) == SQLITE_ROW)
		ask_number(q, condition, sqlite3_column_int64(find, 0));
	else
		q->impossible = true;
	sqlite3_reset(find);
}

static void ask_session(struct question *q, const char *condition, struct slice session)
{
	struct identifier id;

	if (session.length == 0)
		return;
	if (identifier_of(session, &id) < 0)
		q->impossible = true;
	else
		ask_identifier(q, condition, &id);
}

/* What events and sessions have in common; time is the name of the column. */
static void ask_common(struct store *store, struct question *q, const struct query_filter *filter)
{
	ask_word(store, q, " AND sensor = ?", slice_text(filter->range.sensor));
	ask_word(store, q, " AND protocol = ?", filter->protocol);
	ask_word(store, q, " AND transport = ?", filter->transport);
	ask_source(store, q, " AND source = ?", filter->source);
	if (filter->country.length)
		ask_text(q, " AND country = ?", filter->country);
	if (filter->port >= 0)
		ask_number(q, " AND destination_port = ?", filter->port);
}

/* --- events --- */

static const char event_columns[] = "SELECT id, time, country, asn, doc FROM event WHERE 1";

/* The line with what the store knows of its source. */
static struct slice enriched(struct store *store, sqlite3_stmt *statement, struct writer *out)
{
	struct slice doc = column_slice(statement, 4);
	struct slice country = column_slice(statement, 2);
	int64_t asn = sqlite3_column_int64(statement, 3);
	struct arena arena = arena_of(DOC_ARENA_MAX);
	struct event event;
	char name[96];
	const char *why;

	if (country.length == 0 && asn == 0)
		return doc;
	event_clear(&event);
	if (event_read(&event, doc, &arena, &why) == 0) {
		bool adds = false;

		if (country.length && !event_has(&event, FIELD_SOURCE_COUNTRY)) {
			event_set_text(&event, FIELD_SOURCE_COUNTRY, country);
			adds = true;
		}
		if (asn && !event_has(&event, FIELD_SOURCE_ASN)) {
			event_set_number(&event, FIELD_SOURCE_ASN, asn);
			if (!event_has(&event, FIELD_SOURCE_AS_NAME) &&
			    query_as_name(store, (uint32_t)asn, name, sizeof(name)) == 0 && name[0])
				event_set_words(&event, FIELD_SOURCE_AS_NAME, name);
			adds = true;
		}
		if (adds) {
			writer_clear(out);
			event_write(&event, out);
			if (!out->failed)
				doc = writer_slice(out);
		}
	}
	arena_drop(&arena);
	return doc;
}

static int visit_events(struct store *store, struct question *q, size_t limit,
			bool (*visit)(void *context, const struct query_event *event),
			void *context, struct query_page *page)
{
	struct writer out = writer_growing(2 * EVENT_LINE_MAX);
	sqlite3_stmt *statement = question_prepare(store, q);
	int answer;

	if (!statement)
		return -1;
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		struct query_event event = {
			.number = sqlite3_column_int64(statement, 0),
			.time = sqlite3_column_int64(statement, 1),
		};

		if (page && page->count == limit)
			break; /* there is more: next is set */
		event.json = enriched(store, statement, &out);
		if (page) {
			page->count++;
			snprintf(page->next, sizeof(page->next), "%lld.%lld", (long long)event.time,
				 (long long)event.number);
		}
		if (!visit(context, &event))
			break;
	}
	if (page && answer == SQLITE_DONE)
		page->next[0] = '\0';
	writer_free(&out);
	return finished(store, statement, answer);
}

int query_events(struct store *store, const struct query_filter *filter,
		 bool (*visit)(void *context, const struct query_event *event), void *context,
		 struct query_page *page)
{
	struct question q;
	struct query_page own;
	size_t limit = limit_of(filter);
	const char *rest;
	int64_t time;

	page = page ? page : &own;
	*page = (struct query_page){0};
	question_start(&q, event_columns);
	if (filter->range.since)
		ask_number(&q, " AND time >= ?", filter->range.since);
	if (filter->range.until)
		ask_number(&q, " AND time < ?", filter->range.until);
	ask_session(&q, " AND session = ?", filter->session);
	ask_common(store, &q, filter);
	ask_word(store, &q, " AND action = ?", filter->action);
	ask_word(store, &q, " AND user = ?", filter->user);
	ask_word(store, &q, " AND password = ?", filter->password);
	ask_word(store, &q, " AND outcome = ?", filter->outcome);
	if (cursor_split(filter->cursor, &time, &rest)) {
		ask_number(&q,
			   filter->oldest_first ? " AND (time, id) > (?" : " AND (time, id) < (?",
			   time);
		ask_number(&q, ", ?)", strtoll(rest, NULL, 10));
	}
	writer_text(&q.sql,
		    filter->oldest_first ? " ORDER BY time, id" : " ORDER BY time DESC, id DESC");
	ask_number(&q, " LIMIT ?", (int64_t)limit + 1);
	return q.impossible ? 0 : visit_events(store, &q, limit, visit, context, page);
}

int query_events_after(struct store *store, int64_t number, const char *sensor, size_t limit,
		       bool (*visit)(void *context, const struct query_event *event), void *context)
{
	struct question q;

	question_start(&q, event_columns);
	ask_number(&q, " AND id > ?", number);
	ask_word(store, &q, " AND sensor = ?", slice_text(sensor));
	ask_number(&q, " ORDER BY id LIMIT ?", (int64_t)limit);
	return q.impossible ? 0 : visit_events(store, &q, limit, visit, context, NULL);
}

int query_newest(struct store *store, int64_t *number)
{
	struct question q;
	sqlite3_stmt *statement;
	int answer;

	question_start(&q, "SELECT max(id) FROM event");
	statement = question_prepare(store, &q);
	if (!statement)
		return -1;
	answer = sqlite3_step(statement);
	*number = sqlite3_column_int64(statement, 0);
	return finished(store, statement, answer);
}

int query_event(struct store *store, struct slice id,
		bool (*visit)(void *context, const struct query_event *event), void *context)
{
	struct identifier identifier;
	struct query_page page = {0};
	struct question q;

	if (identifier_of(id, &identifier) < 0)
		return 0;
	question_start(&q, event_columns);
	ask_identifier(&q, " AND ulid = ?", &identifier);
	return visit_events(store, &q, 1, visit, context, &page) < 0 ? -1 : (int)page.count;
}

/* --- sessions --- */

/* "first.u" or ".t" and the identifier's bytes in hexadecimal. */
static void session_cursor(sqlite3_stmt *statement, int64_t first, char next[QUERY_CURSOR_MAX])
{
	struct writer out = writer_fixed(next, QUERY_CURSOR_MAX - 1);

	memset(next, 0, QUERY_CURSOR_MAX);
	writer_decimal(&out, first);
	writer_text(&out, sqlite3_column_type(statement, 0) == SQLITE_BLOB ? ".u" : ".t");
	writer_hex(&out, column_slice(statement, 0));
}

static bool session_cursor_read(const char *rest, struct identifier *id)
{
	int length;

	*id = (struct identifier){.is_ulid = rest[0] == 'u'};
	if (rest[0] != 'u' && rest[0] != 't')
		return false;
	length = slice_unhex(slice_text(rest + 1), id->bytes, sizeof(id->bytes));
	id->length = (uint8_t)(length < 0 ? 0 : length);
	return length > 0;
}

static void session_row(sqlite3_stmt *statement, char room[ULID_LENGTH + 1],
			struct query_session *session)
{
	struct slice country = column_slice(statement, 6);
	struct slice address = slice_first(column_slice(statement, 5), ADDRESS_TEXT_MAX - 1);

	*session = (struct query_session){
		.id = identifier_text(statement, 0, room),
		.first = sqlite3_column_int64(statement, 1),
		.last = sqlite3_column_int64(statement, 2),
		.duration = sqlite3_column_int64(statement, 3),
		.closed = sqlite3_column_int(statement, 4) != 0,
		.asn = (uint32_t)sqlite3_column_int64(statement, 7),
		.sensor = column_slice(statement, 8),
		.protocol = column_slice(statement, 9),
		.transport = column_slice(statement, 10),
		.reason = column_slice(statement, 11),
		.user = column_slice(statement, 12),
		.source_port = sqlite3_column_int(statement, 13),
		.destination_port = sqlite3_column_int(statement, 14),
		.login = sqlite3_column_int(statement, 15) != 0,
		.events = sqlite3_column_int64(statement, 16),
		.attempts = sqlite3_column_int64(statement, 17),
		.commands = sqlite3_column_int64(statement, 18),
		.payloads = sqlite3_column_int64(statement, 19),
		.bytes_in = sqlite3_column_int64(statement, 20),
		.bytes_out = sqlite3_column_int64(statement, 21),
	};
	if (address.length)
		memcpy(session->source, address.at, address.length);
	if (country.length == 2)
		memcpy(session->country, country.at, 2);
}

static void sessions_ask(struct store *store, const struct query_filter *filter, struct question *q)
{
	static const char columns[] =
		"SELECT id, first, last, duration, closed, "
		"(SELECT address FROM source WHERE source.id = session.source), country, asn, "
		"(SELECT text FROM word WHERE id = sensor), "
		"(SELECT text FROM word WHERE id = protocol), "
		"(SELECT text FROM word WHERE id = transport), "
		"(SELECT text FROM word WHERE id = reason), "
		"(SELECT text FROM word WHERE id = user), "
		"source_port, destination_port, login, events, attempts, commands, payloads, "
		"bytes_in, bytes_out FROM session WHERE 1";
	struct identifier id;
	const char *rest;
	int64_t time;

	question_start(q, columns);
	if (filter->range.since)
		ask_number(q, " AND first >= ?", filter->range.since);
	if (filter->range.until)
		ask_number(q, " AND first < ?", filter->range.until);
	ask_session(q, " AND id = ?", filter->session);
	ask_common(store, q, filter);
	if (filter->outcome.length)
		ask_number(q, " AND login = ?", slice_is(filter->outcome, "success"));
	if (cursor_split(filter->cursor, &time, &rest) && session_cursor_read(rest, &id)) {
		ask_number(q,
			   filter->oldest_first ? " AND (first, id) > (?" : " AND (first, id) < (?",
			   time);
		ask_identifier(q, ", ?)", &id);
	}
	writer_text(&q->sql,
		    filter->oldest_first ? " ORDER BY first, id" : " ORDER BY first DESC, id DESC");
	ask_number(q, " LIMIT ?", (int64_t)limit_of(filter) + 1);
}

int query_sessions(struct store *store, const struct query_filter *filter,
		   bool (*visit)(void *context, const struct query_session *session), void *context,
		   struct query_page *page)
{
	struct query_page own;
	struct question q;
	sqlite3_stmt *statement;
	int answer;

	page = page ? page : &own;
	*page = (struct query_page){0};
	sessions_ask(store, filter, &q);
	if (q.impossible)
		return 0;
	statement = question_prepare(store, &q);
	if (!statement)
		return -1;
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		char room[ULID_LENGTH + 1];
		struct query_session session;

		if (page->count == limit_of(filter))
			break;
		session_row(statement, room, &session);
		page->count++;
		session_cursor(statement, session.first, page->next);
		if (!visit(context, &session))
			break;
	}
	if (answer == SQLITE_DONE)
		page->next[0] = '\0';
	return finished(store, statement, answer);
}

/* --- single rows and lists --- */

int query_source(struct store *store, const struct address *address,
		 bool (*visit)(void *context, const struct query_source *source), void *context)
{
	struct query_source source = {0};
	struct question q;
	sqlite3_stmt *statement;
	struct slice country;
	int answer;

	address_text(address, source.address);
	question_start(&q, "SELECT first, last, events, connections, sessions, attempts, country, "
			   "asn, city, latitude, longitude, (SELECT text FROM word WHERE id = "
			   "system), (SELECT name FROM network WHERE network.asn = source.asn) "
			   "FROM source");
	ask_text(&q, " WHERE address = ?", slice_text(source.address));
	statement = question_prepare(store, &q);
	if (!statement)
		return -1;
	answer = sqlite3_step(statement);
	if (answer == SQLITE_ROW) {
		source.first = sqlite3_column_int64(statement, 0);
		source.last = sqlite3_column_int64(statement, 1);
		source.events = sqlite3_column_int64(statement, 2);
		source.connections = sqlite3_column_int64(statement, 3);
		source.sessions = sqlite3_column_int64(statement, 4);
		source.attempts = sqlite3_column_int64(statement, 5);
		country = column_slice(statement, 6);
		if (country.length == 2)
			memcpy(source.country, country.at, 2);
		source.asn = (uint32_t)sqlite3_column_int64(statement, 7);
		source.city = column_slice(statement, 8);
		source.has_location = sqlite3_column_type(statement, 9) != SQLITE_NULL;
		source.latitude = sqlite3_column_double(statement, 9);
		source.longitude = sqlite3_column_double(statement, 10);
		source.system = column_slice(statement, 11);
		source.as_name = column_slice(statement, 12);
		visit(context, &source);
	}
	return finished(store, statement, answer) < 0 ? -1 : answer == SQLITE_ROW;
}

int query_payloads(struct store *store, const struct query_filter *filter,
		   bool (*visit)(void *context, const struct query_payload *payload), void *context,
		   struct query_page *page)
{
	size_t limit = limit_of(filter);
	struct query_page own;
	struct question q;
	sqlite3_stmt *statement;
	const char *rest;
	int64_t time;
	int answer;

	page = page ? page : &own;
	*page = (struct query_page){0};
	question_start(&q, "SELECT sha256, md5, name, origin, size, first, last, count "
			   "FROM payload WHERE 1");
	if (filter->range.since)
		ask_number(&q, " AND last >= ?", filter->range.since);
	if (filter->range.until)
		ask_number(&q, " AND last < ?", filter->range.until);
	if (cursor_split(filter->cursor, &time, &rest)) {
		ask_number(&q, " AND (last, sha256) < (?", time);
		ask_text(&q, ", ?)", slice_text(rest));
	}
	ask_number(&q, " ORDER BY last DESC, sha256 DESC LIMIT ?", (int64_t)limit + 1);
	statement = question_prepare(store, &q);
	if (!statement)
		return -1;
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW && page->count < limit) {
		struct query_payload payload = {
			.sha256 = column_slice(statement, 0),
			.md5 = column_slice(statement, 1),
			.name = column_slice(statement, 2),
			.origin = column_slice(statement, 3),
			.size = sqlite3_column_int64(statement, 4),
			.first = sqlite3_column_int64(statement, 5),
			.last = sqlite3_column_int64(statement, 6),
			.count = sqlite3_column_int64(statement, 7),
		};

		page->count++;
		snprintf(page->next, sizeof(page->next), "%lld.%.*s", (long long)payload.last,
			 (int)payload.sha256.length, (const char *)payload.sha256.at);
		if (!visit(context, &payload))
			break;
	}
	if (answer == SQLITE_DONE)
		page->next[0] = '\0';
	return finished(store, statement, answer);
}

int query_credentials(struct store *store, size_t limit,
		      bool (*visit)(void *context, const struct query_credential *credential),
		      void *context)
{
	struct question q;
	sqlite3_stmt *statement;
	int answer;

	question_start(&q, "SELECT (SELECT text FROM word WHERE id = user), (SELECT text FROM word "
			   "WHERE id = password), first, last, count, successes FROM credential");
	ask_number(&q, " ORDER BY count DESC, id LIMIT ?", (int64_t)limit);
	statement = question_prepare(store, &q);
	if (!statement)
		return -1;
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		struct query_credential credential = {
			.user = column_slice(statement, 0),
			.password = column_slice(statement, 1),
			.first = sqlite3_column_int64(statement, 2),
			.last = sqlite3_column_int64(statement, 3),
			.count = sqlite3_column_int64(statement, 4),
			.successes = sqlite3_column_int64(statement, 5),
		};

		if (!visit(context, &credential))
			break;
	}
	return finished(store, statement, answer);
}

int query_as_name(struct store *store, uint32_t asn, char *name, size_t size)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_NETWORK_NAME);
	struct slice text;

	name[0] = '\0';
	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, asn);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		text = slice_first(column_slice(statement, 0), size - 1);
		memcpy(name, text.at, text.length);
		name[text.length] = '\0';
	}
	sqlite3_reset(statement);
	return 0;
}
