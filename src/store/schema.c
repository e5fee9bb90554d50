/* Tables and migrations. A migration is never changed once it was released: add one, and raise
 * STORE_SCHEMA_VERSION. */
#include "store/schema.h"

#include <stdio.h>

#include "store/store.h"

/* What each table is for:
 *   word        texts that repeat, by number; columns that refer to it are marked (word)
 *   event       one row an event: what is asked for often as columns, the line itself in doc
 *   session     one row a conversation, summed up from its events
 *   source      one row an address that was ever seen
 *   credential  one row a pair of user name and password that was ever tried
 *   payload     one row a file that was ever caught
 *   tally       counts, packed (tally.h): code is dimension * 16 + measure; level 0 hours, 1 days,
 *               2 months of 32 days; sensor 0 is all of them; parts of one period add up
 *   sealed      days and months whose tallies were put together
 *   position    how far each spool was read
 *   damaged     lines that were no events
 *   network     names of autonomous systems
 *   counter     numbers that outlive the rows
 * Identifiers (event.id, session) are 16 bytes when they are ULIDs and else text.
 */
static const char *const version_1 =
	"CREATE TABLE word(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE event("
	" id INTEGER PRIMARY KEY, ulid ANY NOT NULL, time INTEGER NOT NULL,"
	" sensor INTEGER, action INTEGER, protocol INTEGER, transport INTEGER," /* (word) */
	" source INTEGER, source_port INTEGER, destination_port INTEGER,"
	" country TEXT, asn INTEGER, session ANY,"
	" user INTEGER, password INTEGER, command INTEGER, url INTEGER, payload INTEGER," /* (word)
											   */
	" outcome INTEGER," /* (word) */
	" doc BLOB NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX event_ulid ON event(ulid);"
	"CREATE INDEX event_time ON event(time);"
	"CREATE INDEX event_source ON event(source, time) WHERE source IS NOT NULL;"
	"CREATE INDEX event_session ON event(session) WHERE session IS NOT NULL;"
	"CREATE TABLE session("
	" id ANY PRIMARY KEY NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" source INTEGER, source_port INTEGER, destination_port INTEGER,"
	" sensor INTEGER, protocol INTEGER, transport INTEGER," /* (word) */
	" country TEXT, asn INTEGER, user INTEGER, reason INTEGER,"
	" login INTEGER NOT NULL, closed INTEGER NOT NULL, duration INTEGER NOT NULL,"
	" events INTEGER NOT NULL, attempts INTEGER NOT NULL, commands INTEGER NOT NULL,"
	" payloads INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX session_first ON session(first);"
	"CREATE INDEX session_source ON session(source, first);"
	"CREATE TABLE source("
	" id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" events INTEGER NOT NULL, connections INTEGER NOT NULL, sessions INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, country TEXT, asn INTEGER, city TEXT,"
	" latitude REAL, longitude REAL, system INTEGER) STRICT;"
	"CREATE TABLE credential("
	" id INTEGER PRIMARY KEY, user INTEGER NOT NULL, password INTEGER NOT NULL," /* (word) */
	" first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,"
	" successes INTEGER NOT NULL, UNIQUE(user, password)) STRICT;"
	"CREATE TABLE payload("
	" sha256 TEXT PRIMARY KEY NOT NULL, md5 TEXT, size INTEGER, name TEXT, origin TEXT,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX payload_last ON payload(last);"
	"CREATE TABLE tally("
	" code INTEGER NOT NULL, level INTEGER NOT NULL, period INTEGER NOT NULL,"
	" sensor INTEGER NOT NULL, part INTEGER NOT NULL, packed BLOB NOT NULL,"
	" PRIMARY KEY(code, level, period, sensor, part)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE sealed(level INTEGER NOT NULL, period INTEGER NOT NULL,"
	" PRIMARY KEY(level, period)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE position("
	" spool TEXT PRIMARY KEY NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE damaged("
	" id INTEGER PRIMARY KEY, time INTEGER NOT NULL, spool TEXT NOT NULL,"
	" segment INTEGER NOT NULL, offset INTEGER NOT NULL, reason TEXT NOT NULL,"
	" excerpt BLOB NOT NULL) STRICT;"
	"CREATE TABLE network(asn INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
	"CREATE TABLE counter(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;";

/* migrations[n] leads from version n to n + 1. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {version_1};

static int pragma(sqlite3 *database, const char *question)
{
	sqlite3_stmt *statement = NULL;
	int answer = -1;

	if (sqlite3_prepare_v2(database, question, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		answer = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return answer;
}

int schema_version(sqlite3 *database)
{
	return pragma(database, "PRAGMA user_version");
}

int schema_check(sqlite3 *database, char *why, size_t size)
{
	int version = schema_version(database);

	if (version == STORE_SCHEMA_VERSION &&
	    pragma(database, "PRAGMA application_id") == SCHEMA_APPLICATION_ID)
		return 0;
	if (version > STORE_SCHEMA_VERSION)
		snprintf(why, size,
			 "the store was made by a newer Sundew (schema %d, this one knows %d): "
			 "update Sundew",
			 version, STORE_SCHEMA_VERSION);
	else if (version < 0)
		snprintf(why, size, "the store cannot be read: %s", sqlite3_errmsg(database));
	else
		snprintf(why, size,
			 "the store has schema %d, this Sundew needs %d: start it once to migrate",
			 version, STORE_SCHEMA_VERSION);
	return -1;
}

static int migrate(sqlite3 *database, const char *step, int from, char *why, size_t size)
{
	char mark[96];

	snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
		 SCHEMA_APPLICATION_ID, from + 1);
	if (sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(database, step, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(database, mark, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	snprintf(why, size, "bringing the store from schema %d to %d failed: %s", from, from + 1,
		 sqlite3_errmsg(database));
	sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

int schema_accept(sqlite3 *database, int newest, char *why, size_t size)
{
	int version = schema_version(database);
	bool is_ours = version > 0
			       ? pragma(database, "PRAGMA application_id") == SCHEMA_APPLICATION_ID
			       : pragma(database, "SELECT count(*) FROM sqlite_schema") <= 0;

	if (version < 0)
		snprintf(why, size, "the store cannot be read: %s", sqlite3_errmsg(database));
	else if (!is_ours)
		snprintf(why, size, "this database is not a Sundew store: choose another folder");
	else if (version > newest)
		snprintf(why, size,
			 "the store was made by a newer Sundew (schema %d, this one knows %d): "
			 "update Sundew",
			 version, newest);
	else
		return 0;
	return -1;
}

int schema_bring(sqlite3 *database, const char *const *steps, int newest, char *why, size_t size)
{
	if (schema_accept(database, newest, why, size) < 0)
		return -1;
	for (int version = schema_version(database); version < newest; version++)
		if (migrate(database, steps[version], version, why, size) < 0)
			return -1;
	return 0;
}

int schema_prepare(sqlite3 *database, char *why, size_t size)
{
	if (schema_bring(database, migrations, STORE_SCHEMA_VERSION, why, size) < 0)
		return -1;
	return schema_check(database, why, size);
}
