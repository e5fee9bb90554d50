/* What the supervisor tells about its processes: sensor.status events in its own spool, and log
 * lines.
 *
 * - Each start and each death of a process.
 * - Alarms, when one begins and when it is over: events are refused (the spool's disk is full or
 *   its cap reached), evidence is lost (its disk is full), the store takes nothing. What cannot be
 *   told because the disk is full is told when it no longer is, with the time at which it happened.
 * - The counters of every process, each hour and before the store takes its last events.
 */
#ifndef CLI_HOST_STATUS_H
#define CLI_HOST_STATUS_H

#include "process/supervisor.h"

struct installation;

#define HOST_ALARMS 3

/* One kind of trouble of one process. */
struct host_alarm {
	bool raised, owes_begin, owes_end;
	int64_t since, until; /* wall clock */
	uint64_t lost_before, lost;
};

struct host_status {
	struct spool *spool;
	struct ulid_source ulids;
	int64_t counters_at; /* monotonic: when they are told again */
	struct host_alarm alarms[PROCESS_COUNT_MAX + 1][HOST_ALARMS];
};

/* Opens the supervisor's own spool, again after a change of its limits. -1 with a message. */
MUST_CHECK int host_status_open(struct installation *host);
void host_status_close(struct installation *host);

/* For supervisor_setup. */
void host_status_notice(void *context, const struct process_notice *notice);
void host_status_watch(void *context, struct supervisor *supervisor, bool drained);

#endif
