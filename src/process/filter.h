/* Inside this folder: the seccomp filter of a role. */
#ifndef PROCESS_FILTER_H
#define PROCESS_FILTER_H

#include "process/sandbox.h"

/* Installs the filter for the groups in calls; the last step of the sandbox. -1 with errno. */
MUST_CHECK int filter_install(unsigned calls);

#endif
