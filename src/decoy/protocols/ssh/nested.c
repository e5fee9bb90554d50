/* Sessions within a tunnel; see nested.h. */
#include "decoy/protocols/ssh/nested.h"
#include "decoy/machine/host.h"
#include "decoy/session.h"

/* Where a driver of sockets keeps what it knows of a connection: zeros say that it has none. */
#define DRIVERS_ROOM 1024
/* At a time in one connection: what a browser opens. */
#define NESTED_MAX      16
#define SSH_PORT        22
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_COUNT 28232

bool ssh_nested_is_own(const struct ssh *ssh, struct slice host)
{
	static const char *const names[] = {"localhost", "ip6-localhost", "ip6-loopback",
					    "localhost.localdomain"};
	const struct host *machine = session_trap(ssh->session)->host;
	const struct host_interface *interfaces;
	struct address address;
	size_t count;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is_nocase(host, names[i]))
			return true;
	}
	if (slice_is(host, persona_host_name(session_persona(ssh->session))))
		return true;
	if (address_parse(host, &address) < 0)
		return false;
	/* Connecting to 0.0.0.0 or :: is connecting to oneself. */
	if (address_is_loopback(&address) || slice_is(host, "0.0.0.0") || slice_is(host, "::") ||
	    address_equal(&address, &session_local(ssh->session)->address))
		return true;
	count = machine ? host_interfaces(machine, &interfaces) : 0;
	for (size_t i = 0; i < count; i++) {
		if (address_equal(&address, &interfaces[i].address) ||
		    address_equal(&address, &interfaces[i].address6))
			return true;
	}
	return false;
}

/* What netstat shows on the host. */
static bool is_told(const struct host *host, uint32_t port)
{
	const struct host_listener *listeners;
	size_t count = host ? host_listeners(host, &listeners) : 0;

	for (size_t i = 0; i < count; i++) {
		if (!listeners[i].udp && listeners[i].port == port)
			return true;
	}
	return port == SSH_PORT;
}

static const struct service *service_at(const struct ssh *ssh, uint32_t port)
{
	const struct trap *trap = session_trap(ssh->session);

	if (!is_told(trap->host, port))
		return NULL;
	if (port == SSH_PORT)
		return session_service(ssh->session);
	for (size_t i = 0; i < trap->taker_count; i++) {
		const struct protocol *protocol = trap->takers[i]->protocol;

		/* Data connections beside a session would need sockets. */
		if (protocol->channel_opened)
			continue;
		for (size_t k = 0; k < PROTOCOL_PORTS_MAX && protocol->ports[k].port; k++) {
			if (protocol->ports[k].transport == TCP && !protocol->ports[k].tls &&
			    protocol->ports[k].port == port)
				return trap->takers[i];
		}
	}
	return NULL;
}

bool ssh_nested_listens(const struct ssh *ssh, uint32_t port)
{
	/* One within another is enough to be sure of it, and as much as we give. */
	return !(ssh->flags & SSH_NESTED) && ssh->connection->nested < NESTED_MAX &&
	       service_at(ssh, port) != NULL;
}

/* Its events name the one who is behind it, who is not the host itself. */
struct session *ssh_nested_open(struct ssh *ssh, uint32_t port)
{
	const struct service *service =
		ssh_nested_listens(ssh, port) ? service_at(ssh, port) : NULL;
	struct endpoint peer = *session_peer(ssh->session), local = *session_local(ssh->session);
	struct session *session;

	if (!service)
		return NULL;
	peer.port =
		(uint16_t)(EPHEMERAL_FIRST + session_random_number(ssh->session, EPHEMERAL_COUNT));
	local.port = (uint16_t)port;
	session = session_open(session_trap(ssh->session), service, TCP, &peer, &local, NULL,
			       DRIVERS_ROOM);
	if (session && service->protocol == session_service(ssh->session)->protocol)
		((struct ssh *)session_protocol_state(session))->flags |= SSH_NESTED;
	return session;
}
