/* The inside of a worker; shared by worker.c, connection.c, datagram.c and passive.c. */
#ifndef DECOY_WORKER_STATE_H
#define DECOY_WORKER_STATE_H

#include "decoy/sources.h"
#include "decoy/watch.h"
#include "decoy/worker.h"

#define SCRATCH_BYTES ((size_t)64 * 1024) /* one read; a whole datagram fits */

struct worker;
struct passive;

enum {
	CONNECTION_AWAKE = 1, /* on the worker's list of sessions to look at */
	CONNECTION_WANTS_WRITE = 2,
	CONNECTION_UDP = 4,
	CONNECTION_ENDING = 8,
	CONNECTION_READABLE = 16, /* bytes or an end wait in its socket */
};

/* What the worker keeps for a session, right behind it in the same memory. */
struct connection {
	int descriptor;   /* TCP: its own; UDP: the listener's */
	uint32_t heap_at; /* place among the deadlines, + 1 */
	uint32_t held;    /* bytes of memory counted for it */
	uint16_t flags;
	uint16_t at;         /* number of its port among the worker's, + 1; 0: it is being opened */
	struct watch *watch; /* NULL while tarpitted: its ticks read and write */
	struct connection *awake_next;
	struct connection *older, *newer;               /* all sessions by time last heard */
	struct connection *source_older, *source_newer; /* those of its source */
	struct source *of;
	union {
		struct passive *passive;      /* TCP: data connection, or NULL */
		struct connection *hash_next; /* UDP */
	} more;
};

struct deadline {
	int64_t due;
	struct connection *connection;
};

struct listening {
	struct worker *worker;
	struct worker_listener setup;
	struct endpoint local; /* port 0 address: wildcard */
	bool wildcard;
	struct watch *watch;
	/* Its sessions to look at, first come first served; while there are any it has a place
	 * among the worker's. */
	struct connection *awake_first, *awake_last;
	unsigned awake_count;
	struct listening *awake_next;
	bool is_awake;
};

struct worker {
	struct trap trap; /* first: trap.context points here */
	const struct worker_setup *setup;
	struct event_base *base;
	struct watch *timer, *control;
	struct listening *listening;
	struct deadline *heap;
	size_t heap_count, heap_capacity;
	struct listening *awake_first, *awake_last;
	struct connection *oldest, *newest;
	size_t connections, udp_connections;
	struct connection **udp_table;
	size_t udp_table_size;
	uint64_t udp_key[2];
	struct connection *udp_oldest, *udp_newest;
	struct sources *sources;
	struct passive *passives;
	size_t passive_count;
	int64_t now_wall, now_monotonic; /* read once a turn of the loop */
	int64_t flushed_at;
	size_t memory; /* rough bytes of all sessions */
	uint8_t *scratch;
	uint8_t random_pool[1024];
	size_t random_left;
	bool draining;
	uint64_t events_refused; /* counted so far */
	bool spool_failing, evidence_failing;
	int spare; /* a descriptor given up when all others are taken */
};

static inline struct session *session_at(struct connection *connection)
{
	return session_of_extra(connection);
}

static inline void worker_count(struct worker *worker, enum worker_counter counter, uint64_t delta)
{
	if (worker->setup->count)
		worker->setup->count(worker->setup->context, counter, delta);
}

/* The number of a port, + 1. Beyond 65,535 ports the last ones share a list, and nothing else. */
static inline uint16_t listening_number(const struct listening *l)
{
	ptrdiff_t number = l - l->worker->listening + 1;

	return (uint16_t)(number < UINT16_MAX ? number : UINT16_MAX);
}

void worker_read_clock(struct worker *worker);
/* Writes the session into the table of sessions. */
void worker_name_session(struct worker *worker, const struct session *session);
/* Puts a connection on its port's list, which is looked at before the loop sleeps again. */
void worker_wake(struct worker *worker, struct connection *connection);
/* Takes it off that list. */
void worker_forget_awake(struct worker *worker, struct connection *connection);
/* Deadlines: a binary heap. */
MUST_CHECK int deadline_set(struct worker *worker, struct connection *connection, int64_t due);
void deadline_drop(struct worker *worker, struct connection *connection);

/* connection.c */
void connection_on_accept(evutil_socket_t listener, short what, void *context);
void connection_end(struct worker *worker, struct connection *connection, const char *reason);
/* Sends what may leave, ends what is over, sets the next deadline. */
void connection_look(struct worker *worker, struct connection *connection);
/* The deadline came. */
void connection_tick(struct worker *worker, struct connection *connection);
/* Lists by time last heard, for both transports. */
void connection_heard(struct worker *worker, struct connection *connection);
void connection_link(struct worker *worker, struct connection *connection, struct source *source);
void connection_unlink(struct worker *worker, struct connection *connection);
void connection_shed_memory(struct worker *worker);

/* datagram.c */
void datagram_on_readable(evutil_socket_t socket, short what, void *context);
void datagram_flush(struct worker *worker, struct connection *connection);
void datagram_forget(struct worker *worker, struct connection *connection);

/* passive.c */
MUST_CHECK int passive_open(struct worker *worker, const int *descriptors, size_t count);
void passive_close(struct worker *worker);
int passive_listen(struct trap *trap, struct session *session, uint16_t *port);
void passive_drop(struct trap *trap, struct session *session);
void passive_look(struct worker *worker, struct connection *connection);

#endif
