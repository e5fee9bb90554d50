/* Keys that intruders planted on the fake machine. */
#ifndef DECOY_SSH_AUTHORIZED_H
#define DECOY_SSH_AUTHORIZED_H

#include "decoy/protocols/ssh/ssh.h"

/* Whether the key stands in the user's authorized_keys, in the files of this session's source. */
bool ssh_is_authorized(struct ssh *ssh, struct slice user, struct slice blob);

#endif
