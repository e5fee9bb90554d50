/* The supervisor: one poll loop over a signalfd and the pipes. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/child.h"
#include "process/supervisor.h"

/* Messages taken from one process before the others get their turn, and at its death. */
#define MESSAGES_A_TURN 16
#define MESSAGES_LAST   1024

struct child {
	const struct process_role *role;
	unsigned instance;
	char name[PROCESS_NAME_MAX];
	size_t row;
	pid_t pid; /* 0: not running */
	int pipe;
	bool started, wants_reload, wants_drain, told_reload, killed;
	int64_t born, born_wall;
	int64_t restart_at; /* monotonic, when not running */
	struct restart_state restart;
	uint64_t deaths, refused;
};

struct supervisor {
	const struct supervisor_setup *setup;
	struct child children[PROCESS_COUNT_MAX];
	size_t count;
	const char *row_names[PROCESS_COUNT_MAX + 1];
	struct counters *counters;
	struct process_grant *grants; /* of the process that is being forked */
	struct message message;       /* the one being read */
	int signals;
	sigset_t mask_before;
	pid_t pid;
	bool said_all_started, draining, unclean;
	unsigned stage; /* being drained */
	int64_t drain_deadline;
	int64_t watch_at;
};

struct counters *supervisor_counters(const struct supervisor *s)
{
	return s->counters;
}

static void show_status(struct supervisor *s, const struct child *child)
{
	struct counters_status status = {
		.pid = child->pid,
		.started = child->started,
		.since = child->born_wall,
		.deaths = child->deaths,
		.refused = child->refused,
	};

	counters_set_status(s->counters, child->row, &status);
}

static void report(struct supervisor *s, struct process_notice notice, const struct child *child)
{
	notice.process = child->name;
	notice.role = child->role->name;
	notice.instance = child->instance;
	notice.deaths = child->deaths;
	if (s->setup->report)
		s->setup->report(s->setup->context, &notice);
}

/* --- making a process --- */

static void try_again_later(struct supervisor *s, struct child *child, const char *what)
{
	int64_t delay = restart_delay(&s->setup->restart, &child->restart, 0, false);

	child->restart_at = clock_monotonic() + delay;
	log_error("starting %s: %s: %s; trying again in %.1f s", child->name, what, strerror(errno),
		  (double)delay / (double)SECOND);
}

static _Noreturn void become(struct supervisor *s, struct child *child, int pipe, size_t grants)
{
	struct process self = {
		.role = child->role,
		.instance = child->instance,
		.pipe = pipe,
		.counters = s->counters,
		.row = child->row,
		.grants = s->grants,
		.grant_count = grants,
	};
	struct child_surroundings surroundings = {
		.supervisor = s->pid,
		.user = s->setup->user,
		.log_level = s->setup->log_level,
		.log_time = s->setup->log_time,
		.context = s->setup->context,
	};

	memcpy(self.name, child->name, sizeof(self.name));
	child_live(&self, &surroundings);
}

static void start_child(struct supervisor *s, struct child *child)
{
	const struct supervisor_setup *setup = s->setup;
	int ends[2], grants = 0;
	pid_t pid;

	if (setup->grants)
		grants = setup->grants(setup->context, child->role, child->instance, s->grants,
				       PROCESS_GRANTS_MAX);
	if (grants < 0 || grants > PROCESS_GRANTS_MAX) {
		errno = EINVAL;
		try_again_later(s, child, "collecting its descriptors");
		return;
	}
	if (message_pair(ends) < 0) {
		try_again_later(s, child, "making its pipe");
		return;
	}
	pid = fork();
	if (pid == 0)
		become(s, child, ends[1], (size_t)grants);
	close(ends[1]);
	if (pid < 0) {
		try_again_later(s, child, "forking");
		close(ends[0]);
		return;
	}
	child->pid = pid;
	child->pipe = ends[0];
	child->started = child->wants_reload = child->wants_drain = false;
	child->told_reload = child->killed = false;
	child->born = clock_monotonic();
	child->born_wall = clock_wall();
	show_status(s, child);
}

static void start_due(struct supervisor *s)
{
	int64_t now = clock_monotonic();

	for (size_t i = 0; i < s->count && !s->draining; i++) {
		if (s->children[i].pid == 0 && s->children[i].restart_at <= now)
			start_child(s, &s->children[i]);
	}
}

/* --- listening to a process: everything it says may come from an attacker --- */

static void take_started(struct supervisor *s, struct child *child)
{
	size_t started = 0;

	if (child->started)
		return;
	child->started = true;
	show_status(s, child);
	log_debug("%s started, process %d", child->name, (int)child->pid);
	report(s,
	       (struct process_notice){.kind = PROCESS_NOTICE_STARTED,
				       .pid = child->pid,
				       .exit_status = -1,
				       .lived = clock_monotonic() - child->born},
	       child);
	for (size_t i = 0; i < s->count; i++)
		started += s->children[i].started;
	if (started < s->count || s->said_all_started)
		return;
	s->said_all_started = true;
	if (s->setup->all_started)
		s->setup->all_started(s->setup->context, s);
}

static void count_refused(struct supervisor *s, struct child *child)
{
	if (child->refused++ == 0)
		log_warning("%s sent a message that is none; such messages are counted from here",
			    child->name);
	show_status(s, child);
}

static void take_message(struct supervisor *s, struct child *child)
{
	struct message *message = &s->message;

	if (message->descriptor_count > 0) {
		message_close_descriptors(message);
		count_refused(s, child);
	} else if (message->type == MESSAGE_STARTED && message->length == 0) {
		take_started(s, child);
	} else if (message->type >= MESSAGE_APPLICATION && s->setup->message) {
		s->setup->message(s->setup->context, s, child->role, child->instance, message);
	} else {
		count_refused(s, child);
	}
}

static void listen_to(struct supervisor *s, struct child *child, int most)
{
	while (most-- > 0) {
		switch (message_receive(child->pipe, &s->message)) {
		case MESSAGE_OK:
			take_message(s, child);
			break;
		case MESSAGE_REFUSED:
			count_refused(s, child);
			break;
		case MESSAGE_NONE:
			return;
		case MESSAGE_CLOSED:
			/* Without its pipe it can be told nothing; mostly it is about to be reaped.
			 */
			close(child->pipe);
			child->pipe = -1;
			if (child->pid > 0)
				kill(child->pid, SIGKILL);
			return;
		}
	}
}

/* --- speaking to a process --- */

/* What did not fit into a full pipe is sent when poll says that there is room. */
static void speak_to(struct child *child)
{
	struct slice nothing = slice_of(NULL, 0);

	if (child->wants_reload &&
	    message_send(child->pipe, MESSAGE_RELOAD, nothing, NULL, 0) != MESSAGE_NONE) {
		child->wants_reload = false;
		child->told_reload = true;
	}
	if (child->wants_drain && !child->wants_reload &&
	    message_send(child->pipe, MESSAGE_DRAIN, nothing, NULL, 0) != MESSAGE_NONE)
		child->wants_drain = false;
}

enum message_result supervisor_send(struct supervisor *s, const struct process_role *role,
				    unsigned instance, uint32_t type, struct slice payload,
				    const int *descriptors, size_t count)
{
	for (size_t i = 0; i < s->count; i++) {
		struct child *child = &s->children[i];

		if (child->role == role && child->instance == instance && child->pipe >= 0)
			return message_send(child->pipe, type, payload, descriptors, count);
	}
	return MESSAGE_CLOSED;
}

/* --- the end of a process --- */

/* A process that wanted the new settings while all were told to stop lives once more, for what it
 * had not taken yet. */
static void renew(struct supervisor *s, struct child *child)
{
	child->restart_at = clock_monotonic();
	if (!s->draining)
		return;
	start_child(s, child);
	child->wants_drain = child->pid != 0 && child->role->stage <= s->stage;
}

static void bury(struct supervisor *s, struct child *child, int status)
{
	struct process_notice notice = {
		.kind = child->killed && s->draining ? PROCESS_NOTICE_KILLED : PROCESS_NOTICE_DIED,
		.pid = child->pid,
		.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.lived = clock_monotonic() - child->born,
		.restart_in = -1,
	};
	bool drained = s->draining && child->role->stage <= s->stage && notice.exit_status == 0;
	bool renewed = child->told_reload && notice.exit_status == PROCESS_RENEW;
	bool had_started;

	child->pid = 0; /* from here on the number may be somebody else's */
	if (child->pipe >= 0)
		listen_to(s, child, MESSAGES_LAST); /* its last words */
	if (child->pipe >= 0)
		close(child->pipe);
	had_started = child->started;
	child->pipe = -1;
	child->started = false;
	if (!drained && !renewed)
		child->deaths++;
	show_status(s, child);
	if (renewed)
		renew(s, child);
	if (drained || renewed)
		return;
	if (s->draining) {
		s->unclean = true;
	} else {
		notice.restart_in = restart_delay(&s->setup->restart, &child->restart, notice.lived,
						  had_started);
		child->restart_at = clock_monotonic() + notice.restart_in;
	}
	log_warning("%s (process %d) ended by %s %d after %.1f s%s", child->name, (int)notice.pid,
		    notice.signal ? "signal" : "exit status",
		    notice.signal ? notice.signal : notice.exit_status,
		    (double)notice.lived / (double)SECOND,
		    s->draining ? "" : "; it will be started again");
	report(s, notice, child);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < s->count; i++) {
			if (s->children[i].pid == pid)
				bury(s, &s->children[i], status);
		}
	}
}

/* --- reload and drain --- */

static void reload(struct supervisor *s)
{
	if (s->draining)
		return;
	if (s->setup->reload && s->setup->reload(s->setup->context, s) < 0) {
		log_error("reloading the configuration did not succeed; the old one stays");
		return;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->children[i].pipe < 0)
			continue;
		s->children[i].wants_reload = true;
		speak_to(&s->children[i]);
	}
	log_info("reloaded the configuration");
}

static void kill_running(struct supervisor *s, bool only_this_stage)
{
	for (size_t i = 0; i < s->count; i++) {
		struct child *child = &s->children[i];

		if (child->pid == 0 || child->killed ||
		    (only_this_stage && child->role->stage != s->stage))
			continue;
		child->killed = true;
		kill(child->pid, SIGKILL);
	}
}

static void drain_stage(struct supervisor *s, unsigned stage)
{
	unsigned seconds =
		s->setup->drain_seconds ? s->setup->drain_seconds : SUPERVISOR_DRAIN_SECONDS;

	s->stage = stage;
	s->drain_deadline = clock_monotonic() + seconds * SECOND;
	for (size_t i = 0; i < s->count; i++) {
		struct child *child = &s->children[i];

		if (child->pid == 0 || child->role->stage != stage)
			continue;
		child->wants_drain = true;
		if (child->pipe >= 0)
			speak_to(child);
	}
}

/* The lowest stage that still has somebody running; false when nobody is. */
static bool lowest_stage(const struct supervisor *s, unsigned *stage)
{
	bool found = false;

	for (size_t i = 0; i < s->count; i++) {
		if (s->children[i].pid == 0 || (found && s->children[i].role->stage >= *stage))
			continue;
		*stage = s->children[i].role->stage;
		found = true;
	}
	return found;
}

/* Moves on when a stage is done, kills when its time is up; true when all is over. */
static bool drain(struct supervisor *s)
{
	unsigned stage = 0;

	if (!lowest_stage(s, &stage))
		return true;
	if (stage > s->stage) {
		if (s->setup->watch)
			s->setup->watch(s->setup->context, s, true);
		drain_stage(s, stage);
	} else if (clock_monotonic() >= s->drain_deadline) {
		kill_running(s, true);
		s->drain_deadline = INT64_MAX; /* SIGCHLD brings the rest */
	}
	return false;
}

/* A process of a later stage takes what those before it leave: one that waits to be restarted lives
 * once more for it, and is not started again if it dies. */
static void start_takers(struct supervisor *s)
{
	unsigned first = UINT_MAX;

	for (size_t i = 0; i < s->count; i++) {
		if (s->children[i].role->stage < first)
			first = s->children[i].role->stage;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->children[i].pid == 0 && s->children[i].role->stage > first)
			start_child(s, &s->children[i]);
	}
}

static void stop(struct supervisor *s, int signal)
{
	unsigned stage = 0;

	if (!s->draining) {
		start_takers(s);
		s->draining = true;
		log_info("stopping: processes finish what they have begun");
		if (lowest_stage(s, &stage))
			drain_stage(s, stage);
	} else if (signal == SIGINT) {
		log_warning("stopping at once");
		kill_running(s, false);
	}
}

/* --- the loop --- */

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else if (info.ssi_signo == SIGHUP)
			reload(s);
		else
			stop(s, (int)info.ssi_signo);
	}
}

/* Milliseconds until something is due, rounded up; -1: nothing is. */
static int wait_time(const struct supervisor *s)
{
	int64_t due = INT64_MAX, left;

	if (s->draining)
		due = s->drain_deadline;
	for (size_t i = 0; i < s->count && !s->draining; i++) {
		if (s->children[i].pid == 0 && s->children[i].restart_at < due)
			due = s->children[i].restart_at;
	}
	if (s->setup->watch && s->watch_at < due)
		due = s->watch_at;
	if (due == INT64_MAX)
		return -1;
	left = due - clock_monotonic();
	if (left <= 0)
		return 0;
	return left / MILLISECOND >= INT_MAX ? INT_MAX : (int)(left / MILLISECOND + 1);
}

static void watch_if_due(struct supervisor *s)
{
	int64_t now = clock_monotonic();

	if (s->setup->watch == NULL || now < s->watch_at)
		return;
	s->watch_at = now + SUPERVISOR_WATCH_EVERY;
	s->setup->watch(s->setup->context, s, false);
}

static void wait_and_serve(struct supervisor *s)
{
	struct pollfd polled[PROCESS_COUNT_MAX + 1] = {{.fd = s->signals, .events = POLLIN}};

	for (size_t i = 0; i < s->count; i++) {
		const struct child *child = &s->children[i];
		bool waits = child->wants_reload || child->wants_drain;

		polled[i + 1] = (struct pollfd){.fd = child->pipe,
						.events = (short)(POLLIN | (waits ? POLLOUT : 0))};
	}
	if (poll(polled, (nfds_t)s->count + 1, wait_time(s)) < 0)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct child *child = &s->children[i];

		if (child->pipe >= 0 && polled[i + 1].revents & POLLOUT)
			speak_to(child);
		if (child->pipe >= 0 && polled[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			listen_to(s, child, MESSAGES_A_TURN);
	}
	take_signals(s);
}

static int add_children(struct supervisor *s)
{
	s->row_names[0] = "supervisor";
	for (size_t p = 0; p < s->setup->plan_count; p++) {
		const struct supervisor_plan *plan = &s->setup->plan[p];

		for (unsigned i = 0; i < plan->instances; i++) {
			struct child *child = &s->children[s->count];

			if (s->count == PROCESS_COUNT_MAX) {
				log_error("more than %d processes asked for; lower the number of "
					  "workers in the configuration",
					  PROCESS_COUNT_MAX);
				return -1;
			}
			child->role = plan->role;
			child->instance = i;
			child->pipe = -1;
			child->row = ++s->count;
			snprintf(child->name, sizeof(child->name), "%s-%u", plan->role->name, i);
			s->row_names[child->row] = child->name;
		}
	}
	return 0;
}

static int take_over_signals(struct supervisor *s)
{
	static const int handled[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
	sigset_t mask;

	signal(SIGCHLD, SIG_DFL); /* inherited as ignored it would hide how a process ended */
	signal(SIGPIPE, SIG_IGN); /* the reader of the log may go away */
	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_COUNT(handled); i++)
		sigaddset(&mask, handled[i]);
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return -1;
	return sigprocmask(SIG_BLOCK, &mask, &s->mask_before);
}

static int prepare(struct supervisor *s)
{
	struct counters_status own = {.pid = s->pid, .started = true, .since = clock_wall()};

	if (add_children(s) < 0)
		return -1;
	s->grants = calloc(PROCESS_GRANTS_MAX, sizeof(*s->grants));
	s->counters = counters_make(s->row_names, s->count + 1, s->setup->counters,
				    s->setup->counter_count);
	if (s->grants == NULL || s->counters == NULL || take_over_signals(s) < 0) {
		log_error("preparing the supervisor: %s", strerror(errno));
		return -1;
	}
	counters_set_status(s->counters, 0, &own);
	if (sandbox_landlock_version() == 0)
		log_warning(
			"this kernel has no Landlock: files are guarded by the root folder, the "
			"user and the system call filter only; a kernel from 5.13 on has it");
	return 0;
}

int supervisor_run(const struct supervisor_setup *setup)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int status = 1;

	if (s == NULL) {
		log_error("no memory for the supervisor");
		return 1;
	}
	s->setup = setup;
	s->pid = getpid();
	s->signals = -1;
	if (prepare(s) == 0) {
		do {
			start_due(s);
			wait_and_serve(s);
			watch_if_due(s);
		} while (!s->draining || !drain(s));
		status = s->unclean ? 1 : 0;
		sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	}
	if (s->signals >= 0)
		close(s->signals);
	counters_free(s->counters);
	free(s->grants);
	free(s);
	return status;
}
