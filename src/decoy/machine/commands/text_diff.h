/* What diff and cmp share. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_DIFF_H
#define DECOY_MACHINE_COMMANDS_TEXT_DIFF_H

#include "decoy/machine/commands/text.h"

/* "diff: Try 'diff --help' for more information." and the end, with status 2. */
_Noreturn void text_diff_try(struct process *process);

#endif
