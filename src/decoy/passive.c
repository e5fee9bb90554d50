/* Passive data connections: a pool of listening ports that sessions borrow one at a time. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/worker_state.h"

#define READS_PER_TURN 16

struct passive {
	struct worker *worker;
	int listener;
	uint16_t port;
	struct connection *owner; /* NULL: free */
	int descriptor;           /* -1 until the client has connected */
	struct watch *listen_watch, *watch;
	bool wants_write;
};

static void on_accept(evutil_socket_t listener, short what, void *context);

int passive_open(struct worker *worker, const int *descriptors, size_t count)
{
	worker->passives = calloc(count + 1, sizeof(*worker->passives));
	if (!worker->passives)
		return -1;
	worker->passive_count = count;
	for (size_t i = 0; i < count; i++) {
		struct passive *passive = &worker->passives[i];
		struct sockaddr_storage bound;
		socklen_t length = sizeof(bound);

		*passive = (struct passive){
			.worker = worker, .listener = descriptors[i], .descriptor = -1};
		if (getsockname(descriptors[i], (struct sockaddr *)&bound, &length) == 0)
			passive->port = endpoint_from_socket(&bound).port;
		passive->listen_watch = event_new(worker->base, passive->listener,
						  EV_READ | EV_PERSIST, on_accept, passive);
		if (!passive->listen_watch)
			return -1;
	}
	return 0;
}

static void release(struct passive *passive)
{
	event_del(passive->listen_watch);
	if (passive->watch)
		event_free(passive->watch);
	if (passive->descriptor >= 0)
		close(passive->descriptor);
	if (passive->owner)
		passive->owner->more.passive = NULL;
	passive->watch = NULL;
	passive->descriptor = -1;
	passive->owner = NULL;
	passive->wants_write = false;
}

void passive_close(struct worker *worker)
{
	for (size_t i = 0; worker->passives && i < worker->passive_count; i++) {
		release(&worker->passives[i]);
		event_free(worker->passives[i].listen_watch);
	}
	free(worker->passives);
	worker->passives = NULL;
}

/* Whoever connected before the port was lent out is not this session's client. */
static void turn_early_ones_away(int listener)
{
	int descriptor;

	while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		close(descriptor);
}

int passive_listen(struct trap *trap, struct session *session, uint16_t *port)
{
	struct worker *worker = trap->context;
	struct connection *connection = session_extra(session);
	size_t count = worker->passive_count, start = 0;
	uint64_t draw;

	if (count == 0 || connection->flags & CONNECTION_UDP)
		return -1;
	trap->random(trap, &draw, sizeof(draw));
	start = draw % count;
	for (size_t i = 0; i < count; i++) {
		struct passive *passive = &worker->passives[(start + i) % count];

		if (passive->owner)
			continue;
		turn_early_ones_away(passive->listener);
		passive->owner = connection;
		connection->more.passive = passive;
		if (event_add(passive->listen_watch, NULL) < 0) {
			release(passive);
			return -1;
		}
		*port = passive->port;
		return 0;
	}
	return -1;
}

void passive_drop(struct trap *trap, struct session *session)
{
	struct connection *connection = session_extra(session);

	if (!(connection->flags & CONNECTION_UDP) && connection->more.passive)
		release(connection->more.passive);
}

static void on_data(evutil_socket_t socket, short what, void *context)
{
	struct passive *passive = context;
	struct worker *worker = passive->worker;
	struct connection *owner = passive->owner;

	for (int i = 0; what & EV_READ && i < READS_PER_TURN; i++) {
		ssize_t got =
			recv(passive->descriptor, worker->scratch, SCRATCH_BYTES, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got <= 0) {
			release(passive);
			session_channel_ended(session_at(owner));
			break;
		}
		worker_count(worker, WORKER_BYTES_IN, (uint64_t)got);
		session_channel_feed(session_at(owner), slice_of(worker->scratch, (size_t)got));
		connection_heard(worker, owner);
		if (owner->more.passive != passive)
			break; /* the protocol has dropped it */
	}
	worker_wake(worker, owner);
}

static void on_accept(evutil_socket_t listener, short what, void *context)
{
	struct passive *passive = context;
	struct worker *worker = passive->worker;
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	struct endpoint peer;
	int descriptor =
		accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (descriptor < 0)
		return;
	peer = endpoint_from_socket(&from);
	if (!passive->owner ||
	    !address_equal(&peer.address, &session_peer(session_at(passive->owner))->address)) {
		close(descriptor);
		return;
	}
	event_del(passive->listen_watch);
	passive->descriptor = descriptor;
	passive->watch =
		event_new(worker->base, descriptor, EV_READ | EV_PERSIST, on_data, passive);
	if (!passive->watch || event_add(passive->watch, NULL) < 0) {
		struct connection *owner = passive->owner;

		release(passive);
		session_channel_ended(session_at(owner));
		return;
	}
	session_channel_accepted(session_at(passive->owner));
	worker_wake(worker, passive->owner);
}

static void want_write(struct passive *passive, bool want)
{
	if (want == passive->wants_write)
		return;
	passive->wants_write = want;
	event_del(passive->watch);
	event_assign(passive->watch, passive->worker->base, passive->descriptor,
		     (short)(EV_READ | EV_PERSIST | (want ? EV_WRITE : 0)), on_data, passive);
	event_add(passive->watch, NULL);
}

void passive_look(struct worker *worker, struct connection *connection)
{
	struct passive *passive = connection->more.passive;
	struct session *session = session_at(connection);
	struct slice out;

	while (passive->descriptor >= 0 && (out = session_channel_output(session)).length) {
		ssize_t put =
			send(passive->descriptor, out.at, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			want_write(passive, true);
			return;
		}
		if (put < 0) {
			release(passive);
			session_channel_ended(session);
			return;
		}
		session_channel_sent(session, (size_t)put);
		if (connection->more.passive != passive)
			return;
	}
	if (passive->descriptor >= 0)
		want_write(passive, false);
	if (session_channel_is_over(session)) {
		release(passive);
		session_channel_ended(session);
	}
}
