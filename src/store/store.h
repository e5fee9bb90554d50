/* The store: where events end up, once each, with everything that was counted on the way in.
 *
 * One process writes (STORE_WRITE), any number read (STORE_READ, with query.h). Everything lies in
 * one folder, given as a descriptor, so that a sandbox with an empty root can use it. Behind this
 * header is SQLite; nothing outside this folder knows that.
 *
 * Exactly once: a batch holds the rows, the tallies and the positions in the spools that they came
 * from, in one transaction. An event id that is there already is passed over (STORE_KNOWN).
 *
 *     store_begin(store);
 *     while (follower_next(follower, &line) > 0)
 *         store_add(store, line, "decoy-0", follower_position(follower));
 *     store_commit(store);
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "event/event.h"
#include "event/spool.h"
#include "store/geo.h"

#define STORE_SCHEMA_VERSION 1
#define STORE_FILE           "sundew.db"
#define STORE_BATCH_MAX      8192 /* events in one transaction; more makes no row cheaper */

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens (and in STORE_WRITE makes or migrates) the store in the folder; the descriptor must stay
 * open as long. geo may be NULL and is borrowed. On failure NULL, and why (of size bytes) says what
 * to do; a database made by a newer Sundew is refused. */
struct store *store_open(int folder_fd, enum store_mode mode, const struct geo *geo, char *why,
			 size_t size);
void store_close(struct store *store);
/* What the last failure of a call with this store was, for a log line. */
const char *store_problem(const struct store *store);

/* --- writing; one batch at a time --- */

enum store_result {
	STORE_STORED,
	STORE_KNOWN,   /* this event id is there already; nothing was counted */
	STORE_DAMAGED, /* not an event; noted in the table of damaged lines */
	STORE_FAILED,  /* the database refused (disk full ...): roll back and try later */
};

MUST_CHECK int store_begin(struct store *store);
/* One line of a spool. The position is that after the line: it becomes the spool's with the commit
 * (spool NULL: no position is kept, as for imports). */
MUST_CHECK enum store_result store_add(struct store *store, struct slice line, const char *spool,
				       struct spool_position after);
/* The same for an event at hand; line is its JSON (event_write's), stored as it is. */
MUST_CHECK enum store_result store_add_event(struct store *store, const struct event *event,
					     struct slice line);
MUST_CHECK int store_commit(struct store *store);
void store_rollback(struct store *store);
/* Events added in the open batch. */
size_t store_batch(const struct store *store);

/* Where to go on in that spool; {0, 0} for one never seen. */
MUST_CHECK int store_position(struct store *store, const char *spool,
			      struct spool_position *position);

/* Forgets all positions, for a database that comes to a host whose spools begin anew. */
MUST_CHECK int store_forget_positions(struct store *store);

/* --- upkeep; outside of batches, each call a bounded piece of work: call until it returns 0 --- */

/* Puts the tallies of finished days and months together. 1: there may be more, 0: done, -1. */
MUST_CHECK int store_tend(struct store *store);

struct store_limits {
	int64_t max_age;    /* microseconds that events and sessions are kept; 0: for ever */
	uint64_t max_bytes; /* of the database; oldest go first; 0: no limit */
};

/* Removes what is past the limits, oldest first; tallies, sources, credentials and payload rows
 * stay. 1: there may be more, 0: done, -1. */
MUST_CHECK int store_retain(struct store *store, const struct store_limits *limits, int64_t now);
/* Gives memory that only busy times need back to the system. */
void store_rest(struct store *store);

/* Copies a consistent snapshot into a new file of that name in the other folder; progress (may be
 * NULL) is told pages done and in all. Works while another process writes. */
MUST_CHECK int store_backup(struct store *store, int folder_fd, const char *name,
			    void (*progress)(void *context, int done, int all), void *context);

/* --- what is in it --- */

struct store_status {
	int version;         /* of the schema */
	int64_t events;      /* rows kept now */
	int64_t counted;     /* events ever stored, those that retention removed included */
	int64_t damaged;     /* lines that could not be read, ever */
	int64_t duplicates;  /* events that came again, ever */
	int64_t first, last; /* times of the oldest and newest row kept; 0 when empty */
	uint64_t bytes;      /* the database's size without free pages */
	uint64_t free_bytes; /* room inside the file for new rows */
};

MUST_CHECK int store_status(struct store *store, struct store_status *status);

struct store_damaged {
	int64_t time; /* when it was met */
	const char *spool;
	struct spool_position after;
	const char *reason;
	struct slice excerpt; /* its first bytes, as they are */
};

/* The newest damaged lines, newest first; stops when visit returns false. */
MUST_CHECK int store_damaged(struct store *store, int limit,
			     bool (*visit)(void *context, const struct store_damaged *damaged),
			     void *context);

#endif
