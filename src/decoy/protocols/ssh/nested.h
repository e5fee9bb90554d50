/* What listens on this very host, met through a tunnel: a whole session of the decoy that owns the
 * port, driven by the tunnel. */
#ifndef DECOY_SSH_NESTED_H
#define DECOY_SSH_NESTED_H

#include "decoy/protocols/ssh/connection.h"

/* Opens a session of what listens at that port of the host; NULL: nothing does. It is ended with
 * session_end. */
struct session *ssh_nested_open(struct ssh *ssh, uint32_t port);
/* True when ssh_nested_open would find somebody. */
bool ssh_nested_listens(const struct ssh *ssh, uint32_t port);
/* True of an address or a name that is the host itself. */
bool ssh_nested_is_own(const struct ssh *ssh, struct slice host);

#endif
