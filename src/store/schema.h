/* The database's tables, and the way from older ones to these. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/bytes.h"

#define SCHEMA_APPLICATION_ID 0x53756e64 /* "Sund", in the file's header */

/* Makes the tables of a new database, or brings older ones up to STORE_SCHEMA_VERSION, each step in
 * one transaction. -1 with why. */
MUST_CHECK int schema_prepare(sqlite3 *database, char *why, size_t size);
/* The same with other steps, for tests: steps[n] leads from version n to n + 1. */
MUST_CHECK int schema_bring(sqlite3 *database, const char *const *steps, int newest, char *why,
			    size_t size);
/* Only looks, and is to be asked before anything is set: 0 when the database is empty or a store of
 * at most that version. */
MUST_CHECK int schema_accept(sqlite3 *database, int newest, char *why, size_t size);
/* Only looks: 0 when the tables are of this version. */
MUST_CHECK int schema_check(sqlite3 *database, char *why, size_t size);
int schema_version(sqlite3 *database);

#endif
