/* Programs that are there because their packages are, and that next to nobody starts. */
#ifndef DECOY_MACHINE_COMMANDS_RARE_H
#define DECOY_MACHINE_COMMANDS_RARE_H

#include "decoy/machine/process.h"

/* Plays a program of the image that has no command: it knows its version, refuses options and wants
 * operands, in the words of the package that it comes from. */
int rare_program(struct process *process, int argc, char **argv);
/* sg of shadow: newgrp for one command. */
int rare_sg(struct process *process, int argc, char **argv);

#endif
