/* UDP: datagrams of one peer at one port make a pseudo-session, which ends when it was silent. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/worker_state.h"

#define DATAGRAMS_PER_TURN 64

union control {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		     CMSG_SPACE(sizeof(struct in_pktinfo)) +
		     CMSG_SPACE(sizeof(struct sockaddr_in6))];
};

static size_t chain_of(struct worker *worker, const struct endpoint *peer,
		       const struct endpoint *local)
{
	uint8_t room[2 * 18 + 4];
	struct writer key = writer_fixed(room, sizeof(room));

	writer_bytes(&key, slice_of(peer->address.bytes, 16));
	writer_u16be(&key, peer->port);
	writer_bytes(&key, slice_of(local->address.bytes, 16));
	writer_u16be(&key, local->port);
	return hash_sip(worker->udp_key, writer_slice(&key)) % worker->udp_table_size;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}

static struct connection *find_session(struct worker *worker, size_t chain,
				       const struct endpoint *peer, const struct endpoint *local)
{
	struct connection *connection = worker->udp_table[chain];

	while (connection && !(same_endpoint(session_peer(session_at(connection)), peer) &&
			       same_endpoint(session_local(session_at(connection)), local)))
		connection = connection->more.hash_next;
	return connection;
}

void datagram_forget(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);
	struct connection **at =
		&worker->udp_table[chain_of(worker, session_peer(session), session_local(session))];

	while (*at && *at != connection)
		at = &(*at)->more.hash_next;
	if (*at)
		*at = connection->more.hash_next;
}

/* A source that may be made up gets no more answers than connections. */
static bool admit(struct worker *worker, struct source *source)
{
	const struct decoy_limits *limits = &worker->setup->settings->limits;

	if (source && source_allow(source, worker->now_monotonic, limits->rate_per_source,
				   limits->burst_per_source))
		return true;
	worker_count(worker, WORKER_SHED_UDP, 1);
	return false;
}

static struct connection *make_session(struct worker *worker, struct listening *l, size_t chain,
				       const struct endpoint *peer, const struct endpoint *local)
{
	const struct decoy_limits *limits = &worker->setup->settings->limits;
	struct source *source = sources_find(worker->sources, &peer->address, worker->now_monotonic,
					     limits->burst_per_source);
	struct connection *connection;
	struct session *session;

	if (!admit(worker, source))
		return NULL;
	while (worker->udp_connections >= (size_t)limits->udp_sessions && worker->udp_oldest) {
		worker_count(worker, WORKER_SHED_UDP, 1);
		connection_end(worker, worker->udp_oldest, "shed: udp session limit");
	}
	session = session_open(&worker->trap, l->setup.service, UDP, peer, local, NULL,
			       sizeof(struct connection));
	if (!session)
		return NULL;
	worker_name_session(worker, session);
	connection = session_extra(session);
	connection->at = listening_number(l);
	connection->descriptor = l->setup.descriptor;
	connection->flags = CONNECTION_UDP;
	connection->more.hash_next = worker->udp_table[chain];
	worker->udp_table[chain] = connection;
	connection_link(worker, connection, source);
	worker_count(worker, WORKER_CONNECTIONS, 1);
	return connection;
}

/* The address and port in the datagram's own headers: a steered one was sent to neither of the
 * socket's. */
static bool is_original_destination(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR &&
		c->cmsg_len == CMSG_LEN(sizeof(struct sockaddr_in))) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR &&
		c->cmsg_len == CMSG_LEN(sizeof(struct sockaddr_in6)));
}

/* Where the datagram was sent to: from the packet information where the socket listens everywhere.
 */
static struct endpoint local_endpoint(const struct listening *l, struct msghdr *message)
{
	struct endpoint local = l->local;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			local.address = address_v4(ntohl(info.ipi_addr.s_addr));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct sockaddr_storage storage;
			struct sockaddr_in6 in = {.sin6_family = AF_INET6};
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			in.sin6_addr = info.ipi6_addr;
			memset(&storage, 0, sizeof(storage));
			memcpy(&storage, &in, sizeof(in));
			local.address = endpoint_from_socket(&storage).address;
		} else if (l->setup.any_port && is_original_destination(c)) {
			struct sockaddr_storage storage = {0};

			memcpy(&storage, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
			return endpoint_from_socket(&storage);
		}
	}
	return local;
}

void datagram_on_readable(evutil_socket_t socket, short what, void *context)
{
	struct listening *l = context;
	struct worker *worker = l->worker;

	worker_read_clock(worker);
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		struct sockaddr_storage from;
		union control control;
		struct iovec part = {worker->scratch, SCRATCH_BYTES};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};
		ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT);
		struct connection *connection;
		struct endpoint peer, local;
		size_t chain;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return;
		peer = endpoint_from_socket(&from);
		local = local_endpoint(l, &message);
		chain = chain_of(worker, &peer, &local);
		connection = find_session(worker, chain, &peer, &local);
		if (!connection)
			connection = make_session(worker, l, chain, &peer, &local);
		else if (!admit(worker, connection->of))
			continue;
		if (!connection)
			continue;
		worker_count(worker, WORKER_BYTES_IN, (uint64_t)got);
		session_feed(session_at(connection), slice_of(worker->scratch, (size_t)got));
		connection_heard(worker, connection);
		worker_wake(worker, connection);
	}
}

static void send_one(struct connection *connection, struct slice datagram)
{
	struct session *session = session_at(connection);
	const struct endpoint *local = session_local(session);
	struct sockaddr_storage to;
	union control control;
	struct iovec part = {(void *)(uintptr_t)datagram.at, datagram.length};
	struct msghdr message = {
		.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	struct cmsghdr *c = &control.header;

	memset(&control, 0, sizeof(control));
	message.msg_namelen = endpoint_to_socket(session_peer(session), &to);
	/* The answer leaves from the address that was asked. */
	if (local->address.family == 4) {
		struct in_pktinfo info = {0};

		memcpy(&info.ipi_spec_dst, local->address.bytes, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		message.msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = {0};

		memcpy(&info.ipi6_addr, local->address.bytes, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		message.msg_controllen = CMSG_SPACE(sizeof(info));
	}
	/* A datagram that the kernel does not take is lost, as datagrams are. */
	(void)!sendmsg(connection->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void datagram_flush(struct worker *worker, struct connection *connection)
{
	struct session *session = session_at(connection);
	struct slice out;

	while ((out = session_output(session)).length) {
		send_one(connection, out);
		worker_count(worker, WORKER_BYTES_OUT, out.length);
		session_sent(session, out.length);
	}
}
