/* Keeps evidence in its place and within its cap.
 *
 * Decoys leave finished pieces in evidence/inbox as "SHA256.KIND"; the keeper moves each to
 * evidence/AB/SHA256.KIND (AB: its first two digits), once however often it came. Beyond the cap
 * the oldest unpinned go first, each with a payload.removed event. A piece is pinned by the sticky
 * bit of its file (chmod +t).
 */
#ifndef STORE_EVIDENCE_KEEP_H
#define STORE_EVIDENCE_KEEP_H

#include "event/spool.h"

struct evidence_keeper;

/* The folder is borrowed; so is the spool, where removals are reported (NULL: nowhere). */
struct evidence_keeper *evidence_keeper_open(int evidence_folder, uint64_t total_bytes,
					     struct spool *spool, const char *sensor);
/* Looks at the inbox at most once a second of `now` (microseconds, monotonic; INT64_MAX: at once).
 */
void evidence_keeper_turn(struct evidence_keeper *keeper, int64_t now);
uint64_t evidence_keeper_bytes(const struct evidence_keeper *keeper);
void evidence_keeper_close(struct evidence_keeper *keeper);

#endif
