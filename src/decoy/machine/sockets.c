/* Internet sockets of the fake host; see sockets.h. */
#include <stdio.h>

#include "decoy/machine/sockets.h"

static unsigned uid_of(const struct host *host, const char *program)
{
	const struct machine_account *accounts;
	size_t count = host_accounts(host, &accounts);
	const char *user = strcmp(program, "redis-server") == 0 ? "redis"
			   : strcmp(program, "sqlservr") == 0   ? "mssql"
								: "root";

	for (size_t i = 0; i < count; i++)
		if (strcmp(accounts[i].name, user) == 0)
			return accounts[i].uid;
	return 0;
}

static void own_connection(const struct host *host, const struct machine_service *service,
			   struct host_socket *socket)
{
	const struct host_interface *interfaces;

	(void)host_interfaces(host, &interfaces);
	socket->remote = *service->peer;
	socket->local.port = strcmp(service->name, "telnetd") == 0 ? 23 : 22;
	if (service->peer->address.family == 6) {
		socket->six = true;
		socket->local.address =
			service->local ? service->local->address : interfaces[1].address6;
	} else {
		socket->local.address = interfaces[1].address;
		/* Who comes from this very machine sees the loopback. */
		if (address_is_loopback(&service->peer->address))
			socket->local.address = service->peer->address;
	}
	socket->pid = service->privileged_pid && strcmp(service->user, "root") != 0
			      ? service->privileged_pid
			      : service->pid;
	socket->program = service->name;
	(void)snprintf(socket->text, sizeof(socket->text), "%s: %.20s%s", service->name,
		       service->user, strcmp(service->user, "root") == 0 ? "@" : " [");
	if (strcmp(service->user, "root") == 0)
		(void)snprintf(socket->text, sizeof(socket->text), "%s: root@%s", service->name,
			       service->terminal[0] == '?' ? "notty" : service->terminal);
	else
		(void)snprintf(socket->text, sizeof(socket->text), "%s: %.20s [priv]",
			       service->name, service->user);
	socket->inode = 200000 + service->pid % 1000000 * 7 % 700000;
}

bool host_socket_at(const struct host *host, struct machine *machine, int64_t now, size_t index,
		    struct host_socket *socket)
{
	const struct host_listener *listeners;
	size_t count = host_listeners(host, &listeners);
	struct machine_service service;

	memset(socket, 0, sizeof(*socket));
	if (index < count) {
		const struct host_listener *l = &listeners[index];
		char label[48];

		(void)snprintf(label, sizeof(label), "socket %u %d %d", l->port, l->six, l->udp);
		socket->udp = l->udp;
		socket->six = l->six;
		socket->listening = !l->udp;
		socket->local = (struct endpoint){l->address, l->port};
		socket->remote.address.family = l->address.family;
		socket->pid = host_process_id(host, l->program, now);
		socket->program = l->program;
		socket->uid = uid_of(host, l->program);
		socket->inode = (unsigned)host_fact(host, label, 14000, 24500);
		socket->backlog = strcmp(l->program, "sshd") == 0           ? 128
				  : strcmp(l->program, "inetd") == 0        ? 10
				  : strcmp(l->program, "vsftpd") == 0       ? 32
				  : strcmp(l->program, "redis-server") == 0 ? 511
				  : strcmp(l->program, "nginx") == 0        ? 511
				  : strcmp(l->program, "apache2") == 0      ? 511
									    : 128;
		(void)snprintf(socket->text, sizeof(socket->text), "%s",
			       strcmp(l->program, "sshd") == 0    ? "sshd: /usr/sbin/sshd"
			       : strcmp(l->program, "nginx") == 0 ? "nginx: master"
								  : l->program);
		return true;
	}
	if (!machine || index > count)
		return false;
	machine_service(machine, &service);
	if (!service.peer || !service.peer->address.family)
		return false;
	own_connection(host, &service, socket);
	return true;
}
