/* The records of who is and was on line: /run/utmp and /var/log/wtmp, as sshd and login write them.
 */
#ifndef DECOY_MACHINE_LOGIN_H
#define DECOY_MACHINE_LOGIN_H

#include "decoy/machine/process.h"

/* The log-in is over: does nothing when it was not noted. */
void login_note_end(struct machine *machine);
/* Whose number the records have. For root sshd's child notes the log-in just before it becomes the
 * shell, the machine's first process; for others sshd's monitor does, by the process that serves
 * them. */
unsigned login_recorded_pid(const struct machine_service *service);

#endif
