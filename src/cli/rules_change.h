/* sundew rules disable and enable: lines of the file of changes. */
#ifndef CLI_RULES_CHANGE_H
#define CLI_RULES_CHANGE_H

#include "cli/command.h"

/* Writes the words behind the first (SID or GID:SID) as disabled or enabled into --changes. The
 * file is replaced whole, or not at all. Returns the exit status. */
int rules_change(const struct invocation *invocation, bool enable);

#endif
