/* TCP connections of a worker: accepting, reading, writing, ending; and whom to shed. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "decoy/worker_state.h"

#define ACCEPTS_PER_TURN 64 /* then the sessions that are there get their turn */
#define READS_PER_TURN   4  /* 64 KiB each */
#define AWAKE_MAX        128

/* --- lists by time last heard --- */

static void push_newest(struct connection **oldest, struct connection **newest,
			struct connection *connection)
{
	connection->older = *newest;
	connection->newer = NULL;
	if (*newest)
		(*newest)->newer = connection;
	else
		*oldest = connection;
	*newest = connection;
}

static void take_out(struct connection **oldest, struct connection **newest,
		     struct connection *connection)
{
	*(connection->older ? &connection->older->newer : oldest) = connection->newer;
	*(connection->newer ? &connection->newer->older : newest) = connection->older;
}

static void push_source_newest(struct source *source, struct connection *connection)
{
	connection->source_older = source->newest;
	connection->source_newer = NULL;
	if (source->newest)
		source->newest->source_newer = connection;
	else
		source->oldest = connection;
	source->newest = connection;
}

static void take_out_of_source(struct source *source, struct connection *connection)
{
	*(connection->source_older ? &connection->source_older->source_newer : &source->oldest) =
		connection->source_newer;
	*(connection->source_newer ? &connection->source_newer->source_older : &source->newest) =
		connection->source_older;
}

static bool is_udp(const struct connection *connection)
{
	return (connection->flags & CONNECTION_UDP) != 0;
}

/* Brings the worker's sum up to date with what the session holds now. */
static void count_memory(struct worker *worker, struct connection *connection)
{
	size_t held = session_footprint(session_at(connection));

	worker->memory += held - connection->held;
	connection->held = (uint32_t)held;
}

void connection_link(struct worker *worker, struct connection *connection, struct source *source)
{
	connection->of = source;
	if (is_udp(connection)) {
		push_newest(&worker->udp_oldest, &worker->udp_newest, connection);
		worker->udp_connections++;
	} else {
		push_newest(&worker->oldest, &worker->newest, connection);
		worker->connections++;
	}
	if (source) {
		push_source_newest(source, connection);
		source->connections++;
	}
	count_memory(worker, connection);
}

void connection_unlink(struct worker *worker, struct connection *connection)
{
	if (is_udp(connection)) {
		take_out(&worker->udp_oldest, &worker->udp_newest, connection);
		worker->udp_connections--;
	} else {
		take_out(&worker->oldest, &worker->newest, connection);
		worker->connections--;
	}
	if (connection->of) {
		take_out_of_source(connection->of, connection);
		connection->of->connections--;
	}
	worker->memory -= connection->held;
}

void connection_heard(struct worker *worker, struct connection *connection)
{
	if (is_udp(connection)) {
		take_out(&worker->udp_oldest, &worker->udp_newest, connection);
		push_newest(&worker->udp_oldest, &worker->udp_newest, connection);
	} else {
		take_out(&worker->oldest, &worker->newest, connection);
		push_newest(&worker->oldest, &worker->newest, connection);
	}
	if (connection->of) {
		take_out_of_source(connection->of, connection);
		push_source_newest(connection->of, connection);
	}
}

/* --- ending --- */

void connection_end(struct worker *worker, struct connection *connection, const char *reason)
{
	bool reset = false;

	if (connection->flags & CONNECTION_ENDING)
		return;
	worker_forget_awake(worker, connection);
	connection->flags |= CONNECTION_ENDING;
	deadline_drop(worker, connection);
	(void)session_is_over(session_at(connection), &reset);
	if (connection->watch)
		event_free(connection->watch);
	if (is_udp(connection)) {
		datagram_forget(worker, connection);
	} else {
		struct linger abrupt = {1, 0};

		if (reset)
			setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &abrupt,
				   sizeof(abrupt));
	}
	connection_unlink(worker, connection);
	/* The socket closes after the session: its last words in the spool come first. */
	int descriptor = is_udp(connection) ? -1 : connection->descriptor;

	session_end(session_at(connection), reason);
	if (descriptor >= 0)
		close(descriptor);
}

/* --- reading and writing --- */

/* Returns false when the connection is gone. The watch tells once what is new, so all of it is
 * read; after some of it the others have their turn. */
static bool read_some(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);

	connection->flags &= (uint16_t)~CONNECTION_READABLE;
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t got =
			recv(connection->descriptor, worker->scratch, SCRATCH_BYTES, MSG_DONTWAIT);
		bool reset;

		if (got > 0) {
			worker_count(worker, WORKER_BYTES_IN, (uint64_t)got);
			session_feed(session, slice_of(worker->scratch, (size_t)got));
			connection_heard(worker, connection);
			if (session_is_over(session, &reset))
				return true;
			continue;
		}
		if (got == 0) {
			session_feed_end(session);
			return true;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return true;
		connection_end(worker, connection, "reset by client");
		return false;
	}
	if (connection->watch) {
		connection->flags |= CONNECTION_READABLE;
		worker_wake(worker, connection);
	}
	return true;
}

static void on_connection(evutil_socket_t socket, short what, void *context)
{
	struct connection *connection = context;
	struct worker *worker = session_trap(session_at(connection))->context;

	if (what & EV_READ)
		connection->flags |= CONNECTION_READABLE;
	worker_wake(worker, connection);
}

static void want_write(struct worker *worker, struct connection *connection, bool want)
{
	bool wants = (connection->flags & CONNECTION_WANTS_WRITE) != 0;

	if (!connection->watch || want == wants)
		return;
	connection->flags ^= CONNECTION_WANTS_WRITE;
	event_del(connection->watch);
	event_assign(connection->watch, worker->base, connection->descriptor,
		     (short)(EV_READ | EV_PERSIST | EV_ET | (want ? EV_WRITE : 0)), on_connection,
		     connection);
	event_add(connection->watch, NULL);
}

/* Returns false when the connection is gone. */
static bool write_some(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);
	struct slice out;

	while ((out = session_output(session)).length) {
		ssize_t put = send(connection->descriptor, out.at, out.length,
				   MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			want_write(worker, connection, true);
			return true;
		}
		if (put < 0) {
			connection_end(worker, connection, "reset by client");
			return false;
		}
		worker_count(worker, WORKER_BYTES_OUT, (uint64_t)put);
		session_sent(session, (size_t)put);
	}
	want_write(worker, connection, false);
	return true;
}

void connection_look(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);
	bool reset;

	if (connection->flags & CONNECTION_READABLE && !read_some(worker, connection))
		return;
	if (is_udp(connection)) {
		datagram_flush(worker, connection);
	} else {
		if (!write_some(worker, connection))
			return;
		if (connection->more.passive)
			passive_look(worker, connection);
	}
	if (session_is_over(session, &reset)) {
		connection_end(worker, connection, "end");
		return;
	}
	count_memory(worker, connection);
	if (deadline_set(worker, connection, session_deadline(session)) < 0)
		connection_end(worker, connection, "memory");
}

void connection_tick(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);

	/* The tarpitted have no event of their own: their ticks listen. */
	if (session_is_tarpitted(session) && !is_udp(connection) && !connection->watch &&
	    !read_some(worker, connection))
		return;
	session_tick(session);
	connection_look(worker, connection);
}

/* --- shedding --- */

static void shed(struct worker *worker, struct connection *connection, enum worker_counter counter,
		 const char *reason)
{
	worker_count(worker, counter, 1);
	connection_end(worker, connection, reason);
}

/* Over TCP or UDP; NULL: there is nobody. */
static struct connection *longest_silent(const struct worker *worker)
{
	if (!worker->oldest || !worker->udp_oldest)
		return worker->oldest ? worker->oldest : worker->udp_oldest;
	return session_last_heard(session_at(worker->oldest)) <=
			       session_last_heard(session_at(worker->udp_oldest))
		       ? worker->oldest
		       : worker->udp_oldest;
}

void connection_shed_memory(struct worker *worker)
{
	while (worker->memory > (size_t)worker->setup->settings->limits.memory) {
		struct connection *oldest = longest_silent(worker);

		if (!oldest)
			return;
		shed(worker, oldest, WORKER_SHED_MEMORY, "shed: memory");
	}
}

/* Makes room for one more of this source, or says no. */
static bool admit(struct worker *worker, struct source *source)
{
	const struct decoy_limits *limits = &worker->setup->settings->limits;

	if (!source || !source_allow(source, worker->now_monotonic, limits->rate_per_source,
				     limits->burst_per_source)) {
		worker_count(worker, WORKER_SHED_SOURCE, 1);
		return false;
	}
	if (source->connections >= limits->connections_per_source)
		shed(worker, source->oldest, WORKER_SHED_SOURCE, "shed: source limit");
	if (worker->connections >= (size_t)limits->connections && worker->oldest)
		shed(worker, worker->oldest, WORKER_SHED_CONNECTIONS, "shed: connection limit");
	return true;
}

/* --- accepting --- */

static struct watch *watch_connection(struct worker *worker, struct connection *connection)
{
	struct watch *watch = event_new(worker->base, connection->descriptor,
					EV_READ | EV_PERSIST | EV_ET, on_connection, connection);

	if (watch && event_add(watch, NULL) < 0) {
		event_free(watch);
		return NULL;
	}
	return watch;
}

static void begin(struct worker *worker, struct listening *l, int descriptor,
		  const struct endpoint *peer)
{
	struct source *source = sources_find(worker->sources, &peer->address, worker->now_monotonic,
					     worker->setup->settings->limits.burst_per_source);
	const struct tarpit *tarpit =
		decoy_settings_tarpit(worker->setup->settings, l->setup.service, &peer->address);
	struct endpoint local = l->local;
	struct connection *connection;
	struct session *session;
	bool reset;

	if (!admit(worker, source)) {
		close(descriptor);
		return;
	}
	if (l->wildcard) {
		struct sockaddr_storage bound;
		socklen_t length = sizeof(bound);

		if (getsockname(descriptor, (struct sockaddr *)&bound, &length) == 0)
			local = endpoint_from_socket(&bound);
	}
	session = session_open(&worker->trap, l->setup.service, TCP, peer, &local, tarpit,
			       sizeof(struct connection));
	if (!session) {
		close(descriptor);
		return;
	}
	worker_name_session(worker, session);
	connection = session_extra(session);
	connection->at = listening_number(l);
	connection->descriptor = descriptor;
	connection_link(worker, connection, source);
	worker_count(worker, WORKER_CONNECTIONS, 1);
	worker_wake(worker, connection);
	if (tarpit)
		return;
	/* A client that speaks first has often spoken already, and ended: nothing to watch then. */
	if (l->setup.service->protocol->speaks_first == CLIENT &&
	    (!read_some(worker, connection) || session_is_over(session, &reset)))
		return;
	connection->watch = watch_connection(worker, connection);
	if (!connection->watch)
		connection_end(worker, connection, "memory");
}

/* All descriptors are taken: give the spare one up for a moment to turn the client away, so that
 * the listener does not spin, and let the longest silent session go. */
static void make_room(struct worker *worker, int listener)
{
	int descriptor;

	worker_count(worker, WORKER_ACCEPT_FAILED, 1);
	if (worker->spare >= 0) {
		close(worker->spare);
		descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (descriptor >= 0)
			close(descriptor);
		worker->spare = dup(STDERR_FILENO);
	}
	if (worker->oldest)
		shed(worker, worker->oldest, WORKER_SHED_CONNECTIONS, "shed: descriptors");
}

void connection_on_accept(evutil_socket_t listener, short what, void *context)
{
	struct listening *l = context;
	struct worker *worker = l->worker;

	worker_read_clock(worker);
	/* While as many wait for a look, the kernel keeps the rest. */
	for (int i = 0; i < ACCEPTS_PER_TURN && l->awake_count < AWAKE_MAX; i++) {
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		struct endpoint peer;
		int descriptor = accept4(listener, (struct sockaddr *)&from, &length,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (descriptor < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				make_room(worker, listener);
			else if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return;
		}
		peer = endpoint_from_socket(&from);
		begin(worker, l, descriptor, &peer);
	}
}
