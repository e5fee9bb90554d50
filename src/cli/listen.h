/* Opening the decoys' sockets, by the one process that may. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#include "decoy/settings.h"
#include "process/process.h"

struct open_socket {
	int descriptor;
	unsigned worker;   /* whose it is */
	uint16_t service;  /* index of the service plan ... */
	bool tls, passive; /* ... and which of its two forms; or a passive data port */
	bool any_port;     /* not for its own port: what is steered there (process/steer.h) */
	bool taken_over;   /* by listen_open for newer settings */
	enum transport transport;
	struct endpoint endpoint;
};

struct open_sockets {
	struct open_socket *items;
	size_t count, capacity;
};

/* Opens every port of the settings for every worker (SO_REUSEPORT), and the sockets of any-port. A
 * port that `before` has open for the same worker shares that socket, with the connections that
 * wait in it; `before` may be NULL. Each port that cannot be opened is named on standard error with
 * the reason; the number of these is returned. */
size_t listen_open(const struct decoy_settings *settings, unsigned workers,
		   struct open_sockets *before, struct open_sockets *sockets);
void listen_close(struct open_sockets *sockets);

#endif
