/* Internet sockets as netstat, ss and /proc/net show them: those that listen and the connection of
 * the log-in itself. */
#ifndef DECOY_MACHINE_SOCKETS_H
#define DECOY_MACHINE_SOCKETS_H

#include "decoy/machine/host.h"
#include "decoy/machine/process.h"

struct host_socket {
	bool udp, six, listening;
	struct endpoint local, remote;
	unsigned pid, uid, inode;
	const char *program; /* comm */
	char text[64];       /* of the program's title, as netstat -p cuts it: "sshd: root@pts/0" */
	unsigned backlog;
};
/* The socket at the index; false: no more. machine may be NULL. */
bool host_socket_at(const struct host *host, struct machine *machine, int64_t now, size_t index,
		    struct host_socket *socket);

#endif
