/* Which session a connection belongs to: written by the decoys, read by the capture process.
 *
 * A table in memory that the supervisor's children share: connections by a keyed hash of both ends.
 * Writers take slots without locks; a reader gets a whole entry or none. What is old is overwritten
 * by what is new, so that an entry is there for as long as packets of its connection may be read.
 * The reader takes no word of it for more than a name: a decoy that was taken over can lie about
 * sessions, and only about those.
 */
#ifndef PROCESS_SESSION_TABLE_H
#define PROCESS_SESSION_TABLE_H

#include "base/address.h"

#define SESSION_TABLE_SLOTS 65536
#define SESSION_NAME_LENGTH 26 /* of a ULID in text */

struct session_table;

/* The two ends of a connection; transport is the protocol's number of IP (6, 17). */
struct session_ends {
	struct endpoint peer, local;
	uint8_t transport;
};

/* Memory that is shared by forks from here on; it is there for the life of the process. NULL when
 * there is none. */
struct session_table *session_table_make(void);
/* For a process that only reads: writing would end it. */
MUST_CHECK int session_table_seal(struct session_table *table);
/* opened: wall clock, microseconds. Accepts NULL for the table. */
void session_table_put(struct session_table *table, const struct session_ends *ends, int64_t opened,
		       const char name[SESSION_NAME_LENGTH + 1]);
/* The session of these ends that was opened at or after `since`; false: none. */
MUST_CHECK bool session_table_find(const struct session_table *table,
				   const struct session_ends *ends, int64_t since,
				   char name[SESSION_NAME_LENGTH + 1]);

#endif
