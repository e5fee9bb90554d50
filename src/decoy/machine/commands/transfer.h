/* What wget, curl and BusyBox's ways of fetching files share. */
#ifndef DECOY_MACHINE_COMMANDS_TRANSFER_H
#define DECOY_MACHINE_COMMANDS_TRANSFER_H

#include "decoy/machine/process.h"

extern const char transfer_wget_version[], transfer_wget_help[];

/* Usual port of a scheme; 80 of an unknown one. */
unsigned transfer_port(const char *scheme);
/* The name that wget gives a file: the last part of the path, numbered when it is taken. */
const char *transfer_free_name(struct process *process, const char *prefix, const char *document,
			       const char *path);
/* wget as BusyBox has it. */
int transfer_wget_applet(struct process *process, int argc, char **argv);

#endif
