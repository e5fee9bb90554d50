/* The program's own words to its owner, on standard error. Events about attackers do not go here.
 *
 * A message says what was tried, what happened and what to do. Bytes from outside are printed with
 * the LOG_SLICE helpers, which escape them. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The name that every line carries ("decoy-0"), the least level that is printed, and whether lines
 * start with the time (not under systemd, which adds its own). The name is copied. */
void log_open(const char *process, enum log_level level, bool with_time);

void log_error(const char *format, ...) PRINTF(1, 2);
void log_warning(const char *format, ...) PRINTF(1, 2);
void log_info(const char *format, ...) PRINTF(1, 2);
void log_debug(const char *format, ...) PRINTF(1, 2);
/* Start-up failures and broken invariants only: prints and exits with status 1. */
_Noreturn void fatal(const char *format, ...) PRINTF(1, 2);

#endif
