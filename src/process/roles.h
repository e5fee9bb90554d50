/* What each process may do: the table of docs/SECURITY.md as data.
 *
 * Names of folders are the names of the descriptors that the supervisor grants.
 */
#ifndef PROCESS_ROLES_H
#define PROCESS_ROLES_H

#include "process/sandbox.h"

/* decoy   "spool" (its own), "inbox" (evidence that comes in), "machines" (what sources wrote)
 * capture "spool" (its own), "packets" (the ring of recent ones)
 * store   "store" (database, its home), "spools" (the folder of all spools), "evidence" (all of it)
 * web     "data" (its home, no rights there), "store" (read), "evidence" (read), "dashboard"
 * (read), "settings" (users and settings database) */
extern const struct sandbox sandbox_decoy;
extern const struct sandbox sandbox_capture;
extern const struct sandbox sandbox_store;
extern const struct sandbox sandbox_web;

#endif
