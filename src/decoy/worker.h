/* A worker: one decoy process's event loop. Real sockets, real time, around sessions that know
 * neither. It opens nothing: listeners, the spool and the inbox were given to it.
 */
#ifndef DECOY_WORKER_H
#define DECOY_WORKER_H

#include "decoy/settings.h"
#include "event/spool.h"
#include "process/session_table.h"

/* A listening socket that was bound before the sandbox closed. */
struct worker_listener {
	int descriptor;
	enum transport transport;
	const struct service *service;
	bool any_port; /* connections to every port are steered to it */
};

enum worker_counter {
#define COUNTER(symbol, name) WORKER_##symbol,
#include "decoy/worker_counters.def"
#undef COUNTER
	WORKER_COUNTERS,
};

struct event_base;

/* The event loop's own descriptors; made before the sandbox closes. NULL when there is no memory.
 */
struct event_base *worker_base_new(void);

struct worker_setup {
	struct event_base *base; /* the worker's to free */
	const struct decoy_settings *settings;
	const struct persona *persona;
	const struct tls_settings *tls;
	const struct host_keys *host_keys;
	const struct host *host; /* the fake machine; NULL: none */
	struct access_memory *access_memory;
	struct session_table *sessions; /* told of every session; NULL: nobody asks */
	int tap; /* takes decrypted streams (event/tap_piece.h); -1: nobody asks */
	const struct service *const *takers; /* see struct trap */
	size_t taker_count;
	const struct worker_listener *listeners;
	size_t listener_count;
	const int *passive; /* listening sockets for data connections */
	size_t passive_count;
	struct spool *spool;
	int evidence_folder;
	int control; /* readable when the supervisor has something to say; -1: none */
	void *context;
	/* Called when control is readable. */
	enum worker_order { WORKER_GO_ON, WORKER_DRAIN } (*on_control)(void *context);
	/* Adds to a counter. */
	void (*count)(void *context, enum worker_counter counter, uint64_t delta);
	void (*set)(void *context, enum worker_counter counter, uint64_t value);
};

/* Serves until told to drain; then ends all sessions, flushes the spool and returns 0. */
int worker_run(const struct worker_setup *setup);

#endif
