/* Listening sockets; see listen.h. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/listen.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

static const char *hint(int problem)
{
	if (problem == EACCES)
		return "; ports below 1024 need root (or --port-offset)";
	if (problem == EADDRINUSE)
		return "; another program listens there: stop it, move it, or leave the port out";
	if (problem == EADDRNOTAVAIL)
		return "; no interface has this address";
	return "";
}

/* linux/in6.h, which cannot be had beside netinet/in.h */
#ifndef IPV6_RECVORIGDSTADDR
#define IPV6_RECVORIGDSTADDR 74
#endif

/* Each datagram comes with the address and port that it was sent to. */
static void tell_original_port(int descriptor, sa_family_t family)
{
	int on = 1;

	if (family == AF_INET6)
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &on, sizeof(on));
	else
		setsockopt(descriptor, IPPROTO_IP, IP_RECVORIGDSTADDR, &on, sizeof(on));
}

/* For TPROXY; refused without rights, and then there is no steering either. */
static void take_any_address(int descriptor, sa_family_t family)
{
	int on = 1;

	if (family == AF_INET6)
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	else
		setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
}

/* -1 with errno. */
static int open_one(const struct endpoint *endpoint, enum transport transport, bool any_port)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_socket(endpoint, &address);
	int kind = (transport == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int descriptor = socket(address.ss_family, kind, 0), on = 1, problem;

	if (descriptor < 0)
		return -1;
	/* Over UDP it would let us share a port with another program unseen. */
	if (transport == TCP)
		setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (address.ss_family == AF_INET6) {
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		if (transport == UDP)
			setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	} else if (transport == UDP) {
		setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}
	if (any_port)
		take_any_address(descriptor, address.ss_family);
	if (transport == UDP && any_port)
		tell_original_port(descriptor, address.ss_family);
	if (transport == TCP) /* accepted sockets inherit it */
		setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(descriptor, (struct sockaddr *)&address, length) < 0 ||
	    (transport == TCP && listen(descriptor, BACKLOG) < 0)) {
		problem = errno;
		close(descriptor);
		errno = problem;
		return -1;
	}
	return descriptor;
}

static bool keep(struct open_sockets *sockets, const struct open_socket *socket)
{
	if (sockets->count == sockets->capacity) {
		size_t capacity = sockets->capacity ? 2 * sockets->capacity : 64;
		struct open_socket *grown = reallocarray(sockets->items, capacity, sizeof(*grown));

		if (!grown)
			return false;
		sockets->items = grown;
		sockets->capacity = capacity;
	}
	sockets->items[sockets->count++] = *socket;
	return true;
}

/* The same socket under another number, or -1. */
static int take_over(struct open_sockets *before, const struct open_socket *wanted)
{
	for (size_t i = 0; before && i < before->count; i++) {
		struct open_socket *old = &before->items[i];

		if (old->taken_over || old->transport != wanted->transport ||
		    old->worker != wanted->worker || old->any_port != wanted->any_port ||
		    (!wanted->any_port && old->endpoint.port != wanted->endpoint.port) ||
		    !address_equal(&old->endpoint.address, &wanted->endpoint.address))
			continue;
		old->taken_over = true;
		return fcntl(old->descriptor, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

static int open_or_take_over(struct open_sockets *before, const struct open_socket *wanted)
{
	int descriptor = take_over(before, wanted);

	return descriptor >= 0 ? descriptor
			       : open_one(&wanted->endpoint, wanted->transport, wanted->any_port);
}

/* One port on one address; true when it is open. */
static bool open_port(struct open_sockets *before, struct open_sockets *sockets,
		      struct open_socket wanted)
{
	char address[ADDRESS_TEXT_MAX];

	wanted.descriptor = open_or_take_over(before, &wanted);
	if (wanted.descriptor >= 0) {
		if (keep(sockets, &wanted))
			return true;
		close(wanted.descriptor);
		errno = ENOMEM;
	}
	address_text(&wanted.endpoint.address, address);
	log_error("cannot listen on %s port %u/%s: %m%s", address, wanted.endpoint.port,
		  wanted.transport == UDP ? "udp" : "tcp", hint(errno));
	return false;
}

static size_t open_service(const struct decoy_settings *settings, uint16_t index,
			   const struct address *address, unsigned worker,
			   struct open_sockets *before, struct open_sockets *sockets)
{
	const struct service_plan *plan = &settings->services[index];
	size_t failed = 0;

	for (size_t i = 0; i < plan->port_count; i++) {
		for (unsigned port = plan->ports[i].first; port <= plan->ports[i].last; port++) {
			struct open_socket wanted = {
				.worker = worker,
				.service = index,
				.tls = plan->ports[i].tls,
				.transport = plan->ports[i].transport,
				.endpoint = {*address, (uint16_t)(port + settings->port_offset)},
			};

			if (port + settings->port_offset > 65535) {
				log_error("port %u with the offset %lld is beyond 65535", port,
					  (long long)settings->port_offset);
				failed++;
				break;
			}
			failed += !open_port(before, sockets, wanted);
		}
	}
	return failed;
}

/* Passive ports are dealt out one by one, so that every worker has some. A port that is taken is
 * left out: there are others. */
static void open_passive(const struct decoy_settings *settings, const struct address *address,
			 unsigned workers, struct open_sockets *before,
			 struct open_sockets *sockets)
{
	unsigned next = 0;

	for (size_t i = 0; i < settings->passive_ports.count; i++) {
		const struct config_port_range *range = &settings->passive_ports.ranges[i];

		for (unsigned port = range->first; port <= range->last; port++) {
			struct open_socket wanted = {.worker = next % workers,
						     .passive = true,
						     .transport = TCP,
						     .endpoint = {*address, (uint16_t)port}};

			wanted.descriptor = open_or_take_over(before, &wanted);
			if (wanted.descriptor < 0)
				continue;
			if (!keep(sockets, &wanted))
				close(wanted.descriptor);
			next++;
		}
	}
}

/* Any-port's sockets are at loopback, at a port of the kernel's choice that all workers share:
 * steering asks for none of both. Returns how many failed. */
static size_t open_any(unsigned workers, enum transport transport, bool v6,
		       struct open_sockets *before, struct open_sockets *sockets)
{
	struct endpoint endpoint = {.port = 0};
	size_t failed = 0;

	if (address_parse(slice_text(v6 ? "::1" : "127.0.0.1"), &endpoint.address) < 0)
		return workers;
	for (unsigned worker = 0; worker < workers; worker++) {
		struct open_socket wanted = {.worker = worker,
					     .any_port = true,
					     .transport = transport,
					     .endpoint = endpoint};
		struct sockaddr_storage bound;
		socklen_t length = sizeof(bound);
		const struct open_socket *open;

		if (!open_port(before, sockets, wanted)) {
			failed++;
			continue;
		}
		open = &sockets->items[sockets->count - 1];
		if (getsockname(open->descriptor, (struct sockaddr *)&bound, &length) == 0)
			endpoint.port = endpoint_from_socket(&bound).port;
	}
	return failed;
}

static bool wants_family(const struct decoy_settings *settings, int family)
{
	struct address address;

	for (size_t i = 0; i < settings->addresses.count; i++) {
		if (address_parse(slice_text(settings->addresses.items[i]), &address) == 0 &&
		    address.family == family)
			return true;
	}
	return false;
}

static size_t open_all_any(const struct decoy_settings *settings, unsigned workers,
			   struct open_sockets *before, struct open_sockets *sockets)
{
	size_t failed = 0;

	for (int v6 = 0; v6 <= 1; v6++) {
		if (!wants_family(settings, v6 ? 6 : 4))
			continue;
		failed += open_any(workers, TCP, v6 != 0, before, sockets);
		failed += open_any(workers, UDP, v6 != 0, before, sockets);
	}
	return failed;
}

size_t listen_open(const struct decoy_settings *settings, unsigned workers,
		   struct open_sockets *before, struct open_sockets *sockets)
{
	size_t failed = 0;

	for (size_t i = 0; before && i < before->count; i++)
		before->items[i].taken_over = false;

	for (size_t a = 0; a < settings->addresses.count; a++) {
		struct address address;

		if (address_parse(slice_text(settings->addresses.items[a]), &address) < 0)
			continue; /* an error of the configuration, reported there */
		for (unsigned worker = 0; worker < workers; worker++) {
			for (size_t i = 0; i < settings->service_count; i++)
				failed += open_service(settings, (uint16_t)i, &address, worker,
						       before, sockets);
		}
		open_passive(settings, &address, workers, before, sockets);
	}
	if (settings->any_port)
		failed += open_all_any(settings, workers, before, sockets);
	return failed;
}

void listen_close(struct open_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->items[i].descriptor);
	free(sockets->items);
	*sockets = (struct open_sockets){NULL, 0, 0};
}
