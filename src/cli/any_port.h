/* listen.any-port: every port on which nobody else listens leads to the decoys. */
#ifndef CLI_ANY_PORT_H
#define CLI_ANY_PORT_H

#include "cli/host_roles.h"

/* Attaches what the settings ask for, to the sockets that are open; nothing when they ask for
 * nothing. -1 with a message printed when that cannot be had. */
MUST_CHECK int any_port_open(struct installation *host);
/* Follows what the host's other programs listen on; cheap when called often. */
void any_port_watch(struct installation *host, int64_t now);
/* Accepts a host without. */
void any_port_close(struct installation *host);

#endif
