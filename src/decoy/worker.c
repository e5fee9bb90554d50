/* The loop of a worker: set-up, deadlines, one turn after another; see worker.h. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "decoy/worker_state.h"
#include "event/tap_piece.h"

#define SOURCES_MAX 16384 /* 1.6 MiB at most, touched as they come */
#define LAST_TURNS  3     /* of the loop, once it was told to drain */
/* A crowd at one port must not make the others wait: ports take turns of so many sessions, and
 * after so much time the loop asks the kernel for what is new. */
#define SESSIONS_AT_A_TIME 16
#define TURN_MAX           (2 * MILLISECOND)
/* While sessions wait, turns are short and share a write to the spool; but events never wait
 * longer, nor more of them. */
#define UNFLUSHED_BYTES ((size_t)64 * 1024)
#define UNFLUSHED_MAX   (20 * MILLISECOND)

/* --- what sessions ask of the worker --- */

static struct worker *worker_of(struct trap *trap)
{
	return trap->context;
}

static int64_t trap_wall(struct trap *trap)
{
	return worker_of(trap)->now_wall;
}

static int64_t trap_monotonic(struct trap *trap)
{
	return worker_of(trap)->now_monotonic;
}

static void trap_random(struct trap *trap, void *at, size_t length)
{
	struct worker *worker = worker_of(trap);

	if (length > worker->random_left) {
		if (length >= sizeof(worker->random_pool)) {
			random_bytes(at, length);
			return;
		}
		random_bytes(worker->random_pool, sizeof(worker->random_pool));
		worker->random_left = sizeof(worker->random_pool);
	}
	worker->random_left -= length;
	memcpy(at, worker->random_pool + worker->random_left, length);
	explicit_bzero(worker->random_pool + worker->random_left, length);
}

static void trap_record(struct trap *trap, const struct event *event)
{
	struct worker *worker = worker_of(trap);

	(void)!spool_append(worker->setup->spool, event); /* what is refused flush_spool counts */
	worker_count(worker, WORKER_EVENTS, 1);
}

static void set_gauge(struct worker *worker, enum worker_counter gauge, bool *now, bool value)
{
	if (*now == value)
		return;
	*now = value;
	if (worker->setup->set)
		worker->setup->set(worker->setup->context, gauge, value);
}

static void trap_evidence(struct trap *trap, bool kept)
{
	struct worker *worker = worker_of(trap);

	if (!kept)
		worker_count(worker, WORKER_EVIDENCE_LOST, 1);
	set_gauge(worker, WORKER_EVIDENCE_FAILING, &worker->evidence_failing, !kept);
}

static void send_piece(struct worker *worker, const struct tap_piece *piece)
{
	uint8_t room[TAP_PIECE_MESSAGE];
	struct writer message = writer_fixed(room, sizeof(room));

	/* A reader that is behind loses pieces, and knows it by the offsets. */
	if (tap_piece_write(piece, &message) == 0 ||
	    write(worker->setup->tap, message.at, message.length) < 0)
		worker_count(worker, WORKER_TAP_LOST, 1);
}

static void trap_decrypted(struct trap *trap, struct session *session, bool to_client,
			   struct slice bytes, uint64_t offset, uint64_t other_offset)
{
	struct worker *worker = worker_of(trap);
	struct tap_piece piece = {.client = *session_peer(session),
				  .server = *session_local(session),
				  .to_client = to_client,
				  .closed = bytes.length == 0,
				  .time = worker->now_wall,
				  .offset = offset,
				  .other_offset = other_offset};

	session_id(session, piece.session);
	do {
		piece.bytes = slice_first(bytes, TAP_PIECE_BYTES);
		piece.opened = piece.offset == 0 && other_offset == 0 && !piece.closed;
		send_piece(worker, &piece);
		piece.offset += piece.bytes.length;
		bytes = slice_from(bytes, piece.bytes.length);
	} while (bytes.length);
}

static void trap_wake(struct trap *trap, struct session *session)
{
	worker_wake(worker_of(trap), session_extra(session));
}

static void queue_awake(struct worker *worker, struct listening *l)
{
	if (l->is_awake)
		return;
	l->is_awake = true;
	l->awake_next = NULL;
	*(worker->awake_last ? &worker->awake_last->awake_next : &worker->awake_first) = l;
	worker->awake_last = l;
}

void worker_wake(struct worker *worker, struct connection *connection)
{
	struct listening *l;

	/* Without a port it is being opened, and woken afterwards. */
	if (!connection->at || connection->flags & (CONNECTION_AWAKE | CONNECTION_ENDING))
		return;
	l = &worker->listening[connection->at - 1];
	connection->flags |= CONNECTION_AWAKE;
	connection->awake_next = NULL;
	*(l->awake_last ? &l->awake_last->awake_next : &l->awake_first) = connection;
	l->awake_last = connection;
	l->awake_count++;
	queue_awake(worker, l);
}

/* The one that is looked at is the first; others leave only when they are shed. */
void worker_forget_awake(struct worker *worker, struct connection *connection)
{
	struct listening *l;
	struct connection **at, *before = NULL;

	if (!(connection->flags & CONNECTION_AWAKE))
		return;
	l = &worker->listening[connection->at - 1];
	for (at = &l->awake_first; *at != connection; at = &(*at)->awake_next)
		before = *at;
	*at = connection->awake_next;
	if (l->awake_last == connection)
		l->awake_last = before;
	connection->flags &= (uint16_t)~CONNECTION_AWAKE;
	l->awake_count--;
}

void worker_read_clock(struct worker *worker)
{
	worker->now_wall = clock_wall();
	worker->now_monotonic = clock_monotonic();
}

void worker_name_session(struct worker *worker, const struct session *session)
{
	struct session_ends ends = {*session_peer(session), *session_local(session),
				    session_transport(session) == UDP ? IPPROTO_UDP : IPPROTO_TCP};
	char name[ULID_LENGTH + 1];

	session_id(session, name);
	session_table_put(worker->setup->sessions, &ends, worker->now_wall, name);
}

/* --- deadlines --- */

static void heap_put(struct worker *worker, size_t at, struct deadline deadline)
{
	worker->heap[at] = deadline;
	deadline.connection->heap_at = (uint32_t)at + 1;
}

static void heap_up(struct worker *worker, size_t at, struct deadline deadline)
{
	while (at > 0 && worker->heap[(at - 1) / 2].due > deadline.due) {
		heap_put(worker, at, worker->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(worker, at, deadline);
}

static void heap_down(struct worker *worker, size_t at, struct deadline deadline)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= worker->heap_count)
			break;
		if (child + 1 < worker->heap_count &&
		    worker->heap[child + 1].due < worker->heap[child].due)
			child++;
		if (worker->heap[child].due >= deadline.due)
			break;
		heap_put(worker, at, worker->heap[child]);
		at = child;
	}
	heap_put(worker, at, deadline);
}

int deadline_set(struct worker *worker, struct connection *connection, int64_t due)
{
	struct deadline deadline = {due, connection};

	if (connection->heap_at) {
		size_t at = connection->heap_at - 1;
		int64_t before = worker->heap[at].due;

		if (due < before)
			heap_up(worker, at, deadline);
		else if (due > before)
			heap_down(worker, at, deadline);
		return 0;
	}
	if (worker->heap_count == worker->heap_capacity) {
		size_t capacity = worker->heap_capacity ? worker->heap_capacity * 2 : 64;
		struct deadline *grown = reallocarray(worker->heap, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		worker->heap = grown;
		worker->heap_capacity = capacity;
	}
	heap_up(worker, worker->heap_count++, deadline);
	return 0;
}

void deadline_drop(struct worker *worker, struct connection *connection)
{
	size_t at;
	struct deadline last;

	if (!connection->heap_at)
		return;
	at = connection->heap_at - 1;
	connection->heap_at = 0;
	last = worker->heap[--worker->heap_count];
	if (last.connection == connection)
		return;
	if (at > 0 && worker->heap[(at - 1) / 2].due > last.due)
		heap_up(worker, at, last);
	else
		heap_down(worker, at, last);
}

/* --- the loop --- */

static void on_timer(evutil_socket_t socket, short what, void *context)
{
	/* The turn after this wake-up runs the deadlines. */
}

static void on_control(evutil_socket_t socket, short what, void *context)
{
	struct worker *worker = context;

	if (worker->setup->on_control(worker->setup->context) == WORKER_DRAIN)
		worker->draining = true;
}

static bool time_is_up(const struct worker *worker)
{
	return clock_monotonic() - worker->now_monotonic >= TURN_MAX;
}

/* The first of the ports with sessions to look at, taken off the list. */
static struct listening *next_awake(struct worker *worker)
{
	struct listening *l = worker->awake_first;

	worker->awake_first = l->awake_next;
	if (!worker->awake_first)
		worker->awake_last = NULL;
	l->is_awake = false;
	return l;
}

static void look_at_port(struct worker *worker, struct listening *l)
{
	for (int i = 0; l->awake_first && i < SESSIONS_AT_A_TIME; i++) {
		struct connection *connection = l->awake_first;

		worker_forget_awake(worker, connection);
		connection_look(worker, connection);
	}
	if (l->awake_first)
		queue_awake(worker, l);
}

static void look_at_awake(struct worker *worker)
{
	while (worker->awake_first) {
		look_at_port(worker, next_awake(worker));
		if (time_is_up(worker))
			return;
	}
}

static void run_deadlines(struct worker *worker)
{
	/* A connection whose deadline moves forward within a turn waits for the next one. */
	size_t most = worker->heap_count;

	for (size_t i = 0;
	     i < most && worker->heap_count && worker->heap[0].due <= worker->now_monotonic; i++) {
		if (i % SESSIONS_AT_A_TIME == SESSIONS_AT_A_TIME - 1 && time_is_up(worker))
			return;
		connection_tick(worker, worker->heap[0].connection);
	}
}

static void flush_spool(struct worker *worker)
{
	uint64_t refused;

	(void)spool_flush(worker->setup->spool);
	worker->flushed_at = worker->now_monotonic;
	refused = spool_refused(worker->setup->spool);
	if (refused != worker->events_refused)
		worker_count(worker, WORKER_EVENTS_REFUSED, refused - worker->events_refused);
	worker->events_refused = refused;
	set_gauge(worker, WORKER_SPOOL_FAILING, &worker->spool_failing,
		  spool_is_refusing(worker->setup->spool));
}

/* Everything between two sleeps. */
static void finish_turn(struct worker *worker)
{
	struct timeval wait = {0, 0};
	int64_t until;

	run_deadlines(worker);
	look_at_awake(worker);
	connection_shed_memory(worker);
	if (!worker->awake_first || spool_waiting(worker->setup->spool) >= UNFLUSHED_BYTES ||
	    worker->now_monotonic - worker->flushed_at >= UNFLUSHED_MAX)
		flush_spool(worker);
	if (worker->setup->set)
		worker->setup->set(worker->setup->context, WORKER_SESSIONS_ACTIVE,
				   worker->connections + worker->udp_connections);
	if (!worker->heap_count) {
		event_del(worker->timer);
		return;
	}
	until = worker->heap[0].due - worker->now_monotonic;
	if (until < 0)
		until = 0;
	wait.tv_sec = until / SECOND;
	wait.tv_usec = until % SECOND;
	event_add(worker->timer, &wait);
}

static void start_listening(struct worker *worker)
{
	static const uint8_t nothing[16];

	for (size_t i = 0; i < worker->setup->listener_count; i++) {
		struct listening *l = &worker->listening[i];
		struct sockaddr_storage bound;
		socklen_t length = sizeof(bound);

		l->worker = worker;
		l->setup = worker->setup->listeners[i];
		if (getsockname(l->setup.descriptor, (struct sockaddr *)&bound, &length) == 0)
			l->local = endpoint_from_socket(&bound);
		l->wildcard = l->setup.any_port || memcmp(l->local.address.bytes, nothing, 16) == 0;
		l->watch = event_new(
			worker->base, l->setup.descriptor, EV_READ | EV_PERSIST,
			l->setup.transport == UDP ? datagram_on_readable : connection_on_accept, l);
		if (!l->watch || event_add(l->watch, NULL) < 0)
			fatal("cannot watch a listening socket: out of memory");
	}
}

static void stop_listening(struct worker *worker)
{
	for (size_t i = 0; i < worker->setup->listener_count; i++) {
		if (worker->listening[i].watch)
			event_free(worker->listening[i].watch);
		worker->listening[i].watch = NULL;
	}
}

struct event_base *worker_base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK |
					      EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
					      EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static int open_worker(struct worker *worker, const struct worker_setup *setup)
{
	const struct decoy_limits *limits = &setup->settings->limits;

	worker->setup = setup;
	worker->trap = (struct trap){
		.persona = setup->persona,
		.policy = setup->settings->policy,
		.access_memory = setup->access_memory,
		.tls = setup->tls,
		.host_keys = setup->host_keys,
		.host = setup->host,
		.takers = setup->takers,
		.taker_count = setup->taker_count,
		.sensor = setup->settings->sensor,
		.session_memory = (size_t)limits->session_memory,
		.evidence_bytes = (uint64_t)limits->evidence_bytes,
		.evidence_folder = setup->evidence_folder,
		.context = worker,
		.wall = trap_wall,
		.monotonic = trap_monotonic,
		.random = trap_random,
		.record = trap_record,
		.evidence = trap_evidence,
		.wake = trap_wake,
		.decrypted = setup->tap >= 0 ? trap_decrypted : NULL,
		.channel_listen = passive_listen,
		.channel_drop = passive_drop,
	};
	worker->base = setup->base;
	worker->scratch = malloc(SCRATCH_BYTES);
	worker->sources = sources_new(SOURCES_MAX);
	worker->listening = calloc(setup->listener_count + 1, sizeof(*worker->listening));
	worker->udp_table_size = 4096;
	worker->udp_table = calloc(worker->udp_table_size, sizeof(struct connection *));
	random_bytes(worker->udp_key, sizeof(worker->udp_key));
	worker->spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (!worker->base || !worker->scratch || !worker->sources || !worker->listening ||
	    !worker->udp_table || passive_open(worker, setup->passive, setup->passive_count) < 0)
		return -1;
	worker->timer = evtimer_new(worker->base, on_timer, worker);
	if (!worker->timer)
		return -1;
	if (setup->control >= 0) {
		worker->control = event_new(worker->base, setup->control, EV_READ | EV_PERSIST,
					    on_control, worker);
		if (!worker->control || event_add(worker->control, NULL) < 0)
			return -1;
	}
	worker_read_clock(worker);
	start_listening(worker);
	return 0;
}

static void close_worker(struct worker *worker)
{
	if (worker->listening)
		stop_listening(worker);
	while (worker->oldest)
		connection_end(worker, worker->oldest, "shutdown");
	while (worker->udp_oldest)
		connection_end(worker, worker->udp_oldest, "shutdown");
	passive_close(worker);
	if (worker->timer)
		event_free(worker->timer);
	if (worker->control)
		event_free(worker->control);
	if (worker->base)
		event_base_free(worker->base);
	if (worker->spare >= 0)
		close(worker->spare);
	sources_free(worker->sources);
	free(worker->listening);
	free(worker->udp_table);
	free(worker->heap);
	free(worker->scratch);
}

/* What has come before the end is still taken and answered. */
static void serve_last(struct worker *worker)
{
	stop_listening(worker);
	for (int turn = 0; turn < LAST_TURNS; turn++) {
		finish_turn(worker);
		if (event_base_loop(worker->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) < 0)
			return;
		worker_read_clock(worker);
	}
	finish_turn(worker);
}

int worker_run(const struct worker_setup *setup)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int status = 0;

	if (!worker || open_worker(worker, setup) < 0) {
		log_error("cannot start the worker: out of memory");
		status = 1;
	}
	while (status == 0 && !worker->draining) {
		finish_turn(worker);
		/* Sessions that still want a look do not wait for news from the kernel. */
		if (event_base_loop(worker->base,
				    EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY |
					    (worker->awake_first ? EVLOOP_NONBLOCK : 0)) < 0) {
			log_error("the event loop failed: %m");
			status = 1;
		}
		worker_read_clock(worker);
	}
	if (worker) {
		if (worker->draining)
			serve_last(worker);
		close_worker(worker);
		if (setup->set)
			setup->set(setup->context, WORKER_SESSIONS_ACTIVE, 0);
		flush_spool(worker);
		if (worker->spool_failing)
			log_warning("the spool took not all of the last events");
	}
	free(worker);
	return status;
}
