/* What the files of this folder share about an open store. Not for others. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <sqlite3.h>

#include "base/arena.h"
#include "store/dimension.h"
#include "store/intern.h"
#include "store/store.h"
#include "store/table.h"

enum statement {
#define STATEMENT(symbol, sql) STATEMENT_##symbol,
#include "store/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

struct store {
	sqlite3 *database;
	enum store_mode mode;
	const struct geo *geo;
	char problem[256];
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct intern *intern;
	struct event event; /* being read, and its memory */
	struct arena arena;
	struct event_habits habits;

	/* The open batch. */
	bool is_open;
	size_t batch;
	struct table tallies, sources, sessions, credentials, networks, positions;
	struct writer packed;           /* counts of one period being written */
	int64_t stored, known, damaged; /* counters to add at the commit */
	int64_t next_event;             /* row number; rises for ever */

	int64_t newest_day; /* that tallies were flushed for; tend looks when it moves */
	bool tend_due;
	bool is_wide; /* the page cache is that of busy times */
	uint64_t secret[2];
};

/* The prepared statement, reset and unbound; NULL with the problem set. */
sqlite3_stmt *store_statement(struct store *store, enum statement which);
/* Runs a statement that returns no rows; -1 with the problem set. */
MUST_CHECK int store_run(struct store *store, sqlite3_stmt *statement);
/* Runs SQL without answers. */
MUST_CHECK int store_execute(struct store *store, const char *sql);
/* Notes the database's message as the problem; returns -1. */
int store_failed(struct store *store, const char *what);

/* Several statements of one question must see one state: begin and end a read transaction, unless a
 * batch is open. */
MUST_CHECK int store_look(struct store *store);
void store_look_end(struct store *store);

/* An identifier as it is kept: 16 bytes for a ULID, else text. */
struct identifier {
	uint8_t is_ulid;
	uint8_t length;
	uint8_t bytes[62];
};

/* -1 when it is empty or too long. */
MUST_CHECK int identifier_of(struct slice text, struct identifier *identifier);
void identifier_bind(sqlite3_stmt *statement, int column, const struct identifier *identifier);
/* The text of a column; room is for the ULID's. */
struct slice identifier_text(sqlite3_stmt *statement, int column, char room[ULID_LENGTH + 1]);

static inline struct slice column_slice(sqlite3_stmt *statement, int column)
{
	const void *at = sqlite3_column_blob(statement, column);

	return slice_of(at, (size_t)sqlite3_column_bytes(statement, column));
}

/* Empty is bound as empty, not as NULL. */
static inline void bind_blob(sqlite3_stmt *statement, int column, struct slice s)
{
	sqlite3_bind_blob64(statement, column, s.at ? s.at : (const uint8_t *)"", s.length,
			    SQLITE_STATIC);
}

static inline void bind_text(sqlite3_stmt *statement, int column, struct slice s)
{
	sqlite3_bind_text64(statement, column, s.at ? (const char *)s.at : "", s.length,
			    SQLITE_STATIC, SQLITE_UTF8);
}

/* 0 becomes NULL. */
static inline void bind_number_or_null(sqlite3_stmt *statement, int column, int64_t number)
{
	if (number)
		sqlite3_bind_int64(statement, column, number);
	else
		sqlite3_bind_null(statement, column);
}

#endif
