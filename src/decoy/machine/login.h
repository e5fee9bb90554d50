/* The records of who is and was on line: /run/utmp and /var/log/wtmp, as sshd and login write them.
 */
#ifndef DECOY_MACHINE_LOGIN_H
#define DECOY_MACHINE_LOGIN_H

#include "decoy/machine/machine.h"

/* The log-in is over: does nothing when it was not noted. */
void login_note_end(struct machine *machine);

#endif
