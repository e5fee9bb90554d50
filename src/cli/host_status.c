/* sensor.status events of the supervisor; see host_status.h. */
#include <stdio.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/host_roles.h"

#define COUNTERS_EVERY HOUR
#define COUNTER_TEXT   64 /* NAME=value */
#define SEVERE         80
#define NOT_COUNTED    SIZE_MAX

/* What each alarm goes by: a gauge that is not 0 while it lasts, a counter of what was lost. */
static const struct alarm_kind {
	size_t gauge, lost;
	const char *reason, *begins, *is_over, *unit;
} alarm_kinds[HOST_ALARMS] = {
	{WORKER_SPOOL_FAILING, WORKER_EVENTS_REFUSED, "events refused",
	 "the spool takes no events: is its disk full, or spool total-bytes too small?",
	 "the spool takes events again", "events were refused"},
	{WORKER_EVIDENCE_FAILING, WORKER_EVIDENCE_LOST, "evidence lost",
	 "the evidence folder takes nothing: is its disk full?",
	 "the evidence folder takes pieces again", "pieces of evidence were lost"},
	{HOST_STORE_FAILING, NOT_COUNTED, "store refuses",
	 "the store takes no events, they wait in the spools: is its disk full?",
	 "the store takes events again", NULL},
};

/* --- the spool --- */

/* It belongs to the user as well, for the store reads and tidies it: while root writes there it
 * does so with that user's rights on files. */
static void write_as_user(const struct installation *host, bool as_user)
{
	if (!host->has_user)
		return;
	setfsgid(as_user ? host->user.gid : getegid());
	setfsuid(as_user ? host->user.uid : geteuid());
}

int host_status_open(struct installation *host)
{
	struct spool_limits limits = {(uint64_t)host->settings.spool_segment,
				      (uint64_t)host->settings.spool_total};
	struct spool *fresh;

	write_as_user(host, true);
	fresh = spool_open(host_spool_folder(host, "supervisor"), &limits);
	if (fresh)
		spool_close(host->status.spool);
	write_as_user(host, false);
	if (!fresh) {
		log_error("cannot open the spool: %m");
		return -1;
	}
	host->status.spool = fresh;
	return 0;
}

void host_status_close(struct installation *host)
{
	write_as_user(host, true);
	spool_close(host->status.spool);
	write_as_user(host, false);
	host->status.spool = NULL;
}

static void begin_event(struct installation *host, struct event *event, int64_t time,
			char id[ULID_LENGTH + 1])
{
	event_clear(event);
	ulid_next(&host->status.ulids, time, id);
	event_set_number(event, FIELD_TIME, time);
	event_set_words(event, FIELD_EVENT_ID, id);
	event_set_words(event, FIELD_EVENT_ACTION, "sensor.status");
	event_set_words(event, FIELD_OBSERVER_NAME, host->settings.decoy.sensor);
	event_set_words(event, FIELD_OBSERVER_VERSION, SUNDEW_VERSION);
}

/* True when it is in the spool. */
static bool append(struct installation *host, const struct event *event)
{
	bool taken;

	write_as_user(host, true);
	taken = spool_append(host->status.spool, event) == 0 &&
		spool_flush(host->status.spool) == 0;
	write_as_user(host, false);
	return taken;
}

/* --- lives and deaths --- */

void host_status_notice(void *context, const struct process_notice *notice)
{
	struct installation *host = context;
	struct event event;
	struct writer message = writer_growing(1024);
	char id[ULID_LENGTH + 1];

	begin_event(host, &event, clock_wall(), id);
	event_set_words(&event, FIELD_STATUS_NAME, notice->process);
	if (notice->kind == PROCESS_NOTICE_STARTED) {
		event_set_words(&event, FIELD_EVENT_REASON, "started");
	} else {
		event_set_words(&event, FIELD_EVENT_REASON,
				notice->kind == PROCESS_NOTICE_DIED ? "died" : "killed");
		event_set_words(&event, FIELD_EVENT_OUTCOME, "failure");
		if (notice->signal)
			writer_format(&message, "ended by signal %d", notice->signal);
		else
			writer_format(&message, "ended with status %d", notice->exit_status);
		event_set_text(&event, FIELD_MESSAGE, writer_slice(&message));
	}
	if (!append(host, &event))
		log_warning("the spool took not the notice about %s", notice->process);
	writer_free(&message);
}

/* --- alarms --- */

static bool tell_begin(struct installation *host, const char *process,
		       const struct alarm_kind *kind, const struct host_alarm *alarm)
{
	struct event event;
	char id[ULID_LENGTH + 1];

	begin_event(host, &event, alarm->since, id);
	event_set_words(&event, FIELD_EVENT_OUTCOME, "failure");
	event_set_words(&event, FIELD_EVENT_REASON, kind->reason);
	event_set_number(&event, FIELD_EVENT_SEVERITY, SEVERE);
	event_set_words(&event, FIELD_MESSAGE, kind->begins);
	event_set_words(&event, FIELD_STATUS_NAME, process);
	return append(host, &event);
}

static void describe_end(const struct alarm_kind *kind, const struct host_alarm *alarm, char *text,
			 size_t size)
{
	double seconds = (double)(alarm->until - alarm->since) / (double)SECOND;

	if (kind->unit)
		snprintf(text, size, "%s; in %.0f s %llu %s", kind->is_over, seconds,
			 (unsigned long long)alarm->lost, kind->unit);
	else
		snprintf(text, size, "%s, after %.0f s", kind->is_over, seconds);
}

static bool tell_end(struct installation *host, const char *process, const struct alarm_kind *kind,
		     const struct host_alarm *alarm)
{
	struct event event;
	char id[ULID_LENGTH + 1], text[256];

	describe_end(kind, alarm, text, sizeof(text));
	begin_event(host, &event, alarm->until, id);
	event_set_words(&event, FIELD_EVENT_OUTCOME, "success");
	event_set_words(&event, FIELD_EVENT_REASON, kind->reason);
	event_set_words(&event, FIELD_MESSAGE, text);
	event_set_words(&event, FIELD_STATUS_NAME, process);
	return append(host, &event);
}

/* Follows the gauge; what changed is logged now and owed as an event. */
static void follow_gauge(const char *process, const struct alarm_kind *kind,
			 struct host_alarm *alarm, bool failing, uint64_t lost)
{
	char text[256];

	if (failing && !alarm->raised) {
		alarm->raised = true;
		if (alarm->owes_end) { /* nobody heard that it was over */
			alarm->owes_end = false;
			return;
		}
		alarm->owes_begin = true;
		alarm->since = clock_wall();
		log_error("%s: %s", process, kind->begins);
	} else if (!failing && alarm->raised) {
		alarm->raised = false;
		alarm->owes_end = true;
		alarm->until = clock_wall();
		alarm->lost = lost - alarm->lost_before;
		describe_end(kind, alarm, text, sizeof(text));
		log_info("%s: %s", process, text);
	}
	if (!alarm->raised && !alarm->owes_end)
		alarm->lost_before = lost;
}

static void watch_alarm(struct installation *host, const struct counters *counters, size_t row,
			size_t i)
{
	const struct alarm_kind *kind = &alarm_kinds[i];
	struct host_alarm *alarm = &host->status.alarms[row][i];
	const char *process = counters_row_name(counters, row);
	uint64_t lost = kind->lost == NOT_COUNTED ? 0 : counters_read(counters, row, kind->lost);
	bool failing;

	/* Trouble that came and went between two looks shows in what was lost. */
	failing = counters_read(counters, row, kind->gauge) != 0 ||
		  (!alarm->raised && !alarm->owes_end && lost != alarm->lost_before);
	follow_gauge(process, kind, alarm, failing, lost);
	if (alarm->owes_begin && tell_begin(host, process, kind, alarm))
		alarm->owes_begin = false;
	if (alarm->owes_end && !alarm->owes_begin && tell_end(host, process, kind, alarm)) {
		alarm->owes_end = false;
		alarm->lost_before = lost;
	}
}

/* --- counters --- */

static void tell_counters(struct installation *host, const struct counters *counters, size_t row)
{
	char texts[HOST_COUNTERS][COUNTER_TEXT], id[ULID_LENGTH + 1];
	struct slice items[HOST_COUNTERS];
	size_t count = 0;
	struct event event;

	for (size_t column = 0; column < HOST_COUNTERS; column++) {
		uint64_t value = counters_read(counters, row, column);

		if (value == 0)
			continue;
		snprintf(texts[count], COUNTER_TEXT, "%s=%llu",
			 counters_column_name(counters, column), (unsigned long long)value);
		items[count] = slice_text(texts[count]);
		count++;
	}
	if (count == 0)
		return;
	begin_event(host, &event, clock_wall(), id);
	event_set_words(&event, FIELD_EVENT_REASON, "counters");
	event_set_words(&event, FIELD_STATUS_NAME, counters_row_name(counters, row));
	event_set_texts(&event, FIELD_STATUS_COUNTERS, items, count);
	if (!append(host, &event))
		log_warning("the spool took not the counters of %s",
			    counters_row_name(counters, row));
}

void host_status_watch(void *context, struct supervisor *supervisor, bool drained)
{
	struct installation *host = context;
	const struct counters *counters = supervisor_counters(supervisor);
	int64_t now = clock_monotonic();
	bool tell = drained || (host->status.counters_at && now >= host->status.counters_at);

	if (tell || host->status.counters_at == 0)
		host->status.counters_at = now + COUNTERS_EVERY;
	for (size_t row = 1; row < counters_rows(counters); row++) {
		for (size_t i = 0; i < HOST_ALARMS; i++)
			watch_alarm(host, counters, row, i);
		if (tell)
			tell_counters(host, counters, row);
	}
}
