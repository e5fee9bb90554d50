/* The spool: where events wait, and the queue between processes.
 *
 * A spool is a folder of segments: 0000000001.ndjson, 0000000002.ndjson ... One process appends to
 * the newest; any number follow. Lines are whole events, each ended by a newline. A finished
 * segment may become NNNNNNNNNN.ndjson.zst (zstd, RFC 8878) once every follower is past it.
 *
 *     spool/decoy-0/0000000007.ndjson.zst    read by all, compressed
 *     spool/decoy-0/0000000008.ndjson        finished, waiting for followers
 *     spool/decoy-0/0000000009.ndjson        being appended to
 *
 * A position is (segment, offset of the first unread byte in the uncompressed text). A follower
 * keeps its position wherever its own results go, in the same transaction.
 */
#ifndef EVENT_SPOOL_H
#define EVENT_SPOOL_H

#include "event/event.h"

struct spool_limits {
	uint64_t segment_bytes; /* start a new segment at this size (default 16 MiB) */
	uint64_t total_bytes;   /* refuse new events when all segments together hold this much */
};

/* --- appending --- */

struct spool;

/* Opens for appending inside the folder of descriptor folder_fd (made by the caller, one spool a
 * folder; the descriptor is borrowed and must stay open). A last line cut short by a power loss is
 * closed off with a newline, for followers to report and pass over. NULL with errno on failure. */
struct spool *spool_open(int folder_fd, const struct spool_limits *limits);
/* Queues one event; it reaches the file at the next spool_flush, or sooner when the batch is full.
 * -1 when it was refused (disk full, cap reached): counted in spool_refused, nothing else changes.
 */
MUST_CHECK int spool_append(struct spool *spool, const struct event *event);
/* Writes the batch with one system call. -1 when the disk refuses; whole lines that did not fit are
 * dropped and counted, what was written stays valid, and the next flush tries again by itself. */
int spool_flush(struct spool *spool);
/* Forces what was flushed to the disk itself. */
int spool_sync(struct spool *spool);
/* Bytes that the next flush will write. */
size_t spool_waiting(const struct spool *spool);
/* Events refused since opening. */
uint64_t spool_refused(const struct spool *spool);
/* True from the first refusal until events are taken again. */
bool spool_is_refusing(const struct spool *spool);
/* Flushes and closes; accepts NULL. */
void spool_close(struct spool *spool);

/* --- following --- */

struct spool_position {
	uint64_t segment; /* 0: before the first */
	uint64_t offset;
};

struct follower;

/* Follows the spool in folder_fd from a position; a position in a segment that is gone goes on with
 * the next one there is, and follower_lost counts the segments in between. */
struct follower *follower_open(int folder_fd, struct spool_position from);
/* The next whole line without its newline; valid until the next call. Returns 1, or 0 when there is
 * nothing new yet, or -1 with errno on a read error. Handles plain and compressed segments. */
MUST_CHECK int follower_next(struct follower *follower, struct slice *line);
/* Position after the last line returned. */
struct spool_position follower_position(const struct follower *follower);
/* Bytes that wait beyond that position. */
uint64_t follower_backlog(const struct follower *follower);
uint64_t follower_lost(const struct follower *follower);
void follower_close(struct follower *follower);

/* --- housekeeping, by the one who has the last word on what is read --- */

/* Compresses finished segments that lie wholly before `read`, and removes the oldest of those until
 * at most keep_bytes of read segments are left. Returns the number of segments changed or -1. */
int spool_housekeep(int folder_fd, struct spool_position read, uint64_t keep_bytes);

#endif
