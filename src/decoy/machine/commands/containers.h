/* Clients of container hosts, for images that have them: no daemon, no cluster ever answers. */
#ifndef DECOY_MACHINE_COMMANDS_CONTAINERS_H
#define DECOY_MACHINE_COMMANDS_CONTAINERS_H

#include "decoy/machine/process.h"

/* docker.io 20.10 and kubernetes-client 1.20 of Debian 12; their exit statuses. */
int containers_docker(struct process *process, int argc, char **argv);
int containers_kubectl(struct process *process, int argc, char **argv);

#endif
