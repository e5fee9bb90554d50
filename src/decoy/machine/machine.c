/* Log-ins on the fake machine: what comes in, what goes out, and whose turn it is. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "decoy/machine/login.h"
#include "decoy/machine/process_state.h"

#define FIRST_PID_SPREAD 40

/* Process ids go on where the host's own are. */
static unsigned first_pid(struct machine *machine)
{
	return host_last_pid(machine->host, session_now(machine->session)) + 3 +
	       (unsigned)session_random_number(machine->session, FIRST_PID_SPREAD);
}

static int open_terminal(struct machine *machine, const struct machine_start *start)
{
	struct terminal *terminal = machine_take(machine, sizeof(*terminal));

	if (!terminal)
		return -1;
	terminal_open(terminal, start->terminal);
	/* The host's own people sit on the first ones. */
	snprintf(terminal->name, sizeof(terminal->name), "pts/%d",
		 (int)session_random_number(machine->session, 2));
	machine->terminal = terminal;
	return 0;
}

void machine_send(struct machine *machine, enum machine_stream stream, struct slice bytes)
{
	machine->room[stream] -= bytes.length;
	recording_output(machine->recording, bytes);
	machine->output(machine->context, stream, bytes);
}

struct machine *machine_new(const struct machine_start *start)
{
	struct trap *trap = session_trap(start->session);
	struct machine *machine;

	if (!trap->host)
		return NULL;
	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return NULL;
	machine->session = start->session;
	machine->host = trap->host;
	machine->context = start->context;
	machine->output = start->output;
	machine->flushed = start->flushed;
	machine->ended = start->ended;
	machine->evidence_left = start->evidence_left;
	machine->service = start->service;
	machine->since = session_now(start->session);
	machine->steps_fast = MACHINE_STEPS_FAST;
	machine->steps_counted_at = machine_monotonic(machine);
	snprintf(machine->user, sizeof(machine->user), "%.*s", (int)start->user.length,
		 (const char *)start->user.at);
	if (start->password.length < sizeof(machine->password) && start->password.length)
		memcpy(machine->password, start->password.at, start->password.length);
	machine->privileged_pid = first_pid(machine);
	machine->service_pid = machine->privileged_pid + 6;
	machine->next_pid = machine->service_pid + 1;
	machine->files = file_system_open(host_file_systems(machine->host),
					  &session_peer(start->session)->address, machine->since);
	if (!machine->files || (start->terminal && open_terminal(machine, start) < 0) ||
	    login_begin(machine, start) < 0) {
		machine_free(machine);
		return NULL;
	}
	if (!start->program)
		machine->recording = recording_begin(start->session, start);
	return machine;
}

void machine_free(struct machine *machine)
{
	struct process_entry *at, *next;

	if (!machine)
		return;
	machine->hung_up = true;
	for (at = machine->oldest; at; at = next) {
		next = at->newer;
		at->public.parent = NULL;
		if (!at->ended)
			process_finish(at, SIGHUP);
		process_forget(at);
		process_remove(at);
		next = machine->oldest;
	}
	if (machine->files) {
		login_note_end(machine);
		capture_keep(machine, 0);
		file_system_close(machine->files);
	}
	if (machine->terminal)
		machine_give(machine, machine->terminal->input, machine->terminal->input_capacity);
	machine_give(machine, machine->terminal, sizeof(struct terminal));
	pipe_free(machine, machine->input);
	recording_end(machine->recording);
	free(machine);
}

/* --- what the client does --- */

size_t machine_input(struct machine *machine, struct slice bytes)
{
	size_t used = bytes.length;

	if (machine->hung_up)
		return used;
	if (machine->terminal)
		used = terminal_take(machine, bytes);
	else if (machine->input || (machine->input = pipe_new(machine)))
		used = pipe_put(machine, machine->input, bytes);
	recording_input(machine->recording, slice_first(bytes, used));
	return used;
}

size_t machine_input_room(const struct machine *machine)
{
	const struct terminal *terminal = machine->terminal;

	if (!terminal)
		return MACHINE_PIPE_MAX - (machine->input ? machine->input->length : 0);
	return terminal_input_room(terminal);
}

void machine_input_end(struct machine *machine)
{
	machine->input_ended = true;
}

void machine_room(struct machine *machine, enum machine_stream stream, size_t room)
{
	machine->room[stream] = room;
	if (machine->terminal)
		terminal_flush_echo(machine);
}

void machine_resize(struct machine *machine, unsigned columns, unsigned rows)
{
	struct terminal *terminal = machine->terminal;

	columns = (uint16_t)columns; /* as the kernel keeps them */
	rows = (uint16_t)rows;
	if (!terminal || (terminal->modes.columns == columns && terminal->modes.rows == rows))
		return;
	terminal->modes.columns = columns;
	terminal->modes.rows = rows;
	recording_resize(machine->recording, columns, rows);
	signal_group(machine, terminal->foreground, SIGWINCH);
}

void machine_signal(struct machine *machine, int signal)
{
	if (machine->terminal)
		signal_group(machine, machine->terminal->foreground, signal);
	else if (machine->leader)
		signal_group(machine, machine->leader->public.group, signal);
}

void machine_hang_up(struct machine *machine)
{
	if (machine->hung_up)
		return;
	machine->hung_up = true;
	machine->input_ended = true;
	if (machine->terminal) {
		machine->terminal->hung_up = true;
		for (struct process_entry *at = machine->oldest; at; at = at->newer)
			if (!at->ended)
				signal_deliver(at, SIGHUP);
	}
}

/* --- whose turn it is --- */

static bool is_ready(struct machine *machine, struct process_entry *entry, int64_t now)
{
	if (entry->ended || entry->stopped)
		return false;
	if (entry->exiting || entry->interrupted || entry->wait == WAIT_NOTHING)
		return true;
	if (entry->wait_until && now >= entry->wait_until) {
		entry->timed_out = true;
		return true;
	}
	switch (entry->wait) {
	case WAIT_READ:
		/* Who reads the terminal in the background is told so at once. */
		return open_file_has_input(machine, entry->wait_file, entry);
	case WAIT_WRITE:
		return open_file_takes_output(machine, entry->wait_file);
	case WAIT_CHILD:
		return process_child_is_ready(entry);
	default:
		return false;
	}
}

static void reap_orphans(struct machine *machine)
{
	struct process_entry *at = machine->oldest, *next;

	for (; at; at = next) {
		next = at->newer;
		if (at->ended && !at->public.parent) {
			process_forget(at);
			process_remove(at);
		}
	}
}

static void resume(struct machine *machine, struct process_entry *entry)
{
	machine->current = entry;
	(void)coroutine_resume(entry->coroutine);
	machine->current = NULL;
	if (entry->exiting && !entry->ended)
		process_finish(entry, entry->exit_status);
}

static int64_t processor_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

bool machine_is_late(struct machine *machine)
{
	if (++machine->steps_unlooked < MACHINE_STEPS_UNLOOKED)
		return false;
	machine->steps_unlooked = 0;
	if (processor_time() - machine->turn_began < machine->turn_time)
		return false;
	machine->turn_late = true;
	machine->steps_left = 0;
	return true;
}

/* Steps of this turn, from what the log-in has saved up. */
static void count_steps(struct machine *machine, int64_t now)
{
	int64_t passed = now - machine->steps_counted_at;
	int64_t regained = (passed < HOUR ? passed : HOUR) * MACHINE_STEPS_REGAINED / SECOND;

	if (regained > 0) {
		machine->steps_fast += regained;
		machine->steps_counted_at = now;
	}
	if (machine->steps_fast > MACHINE_STEPS_FAST)
		machine->steps_fast = MACHINE_STEPS_FAST;
	machine->steps_left = machine->steps_fast >= MACHINE_STEPS_A_TURN ? MACHINE_STEPS_A_TURN
									  : MACHINE_STEPS_SLOW;
	machine->turn_time = machine->steps_left == MACHINE_STEPS_SLOW ? MACHINE_TURN_TIME_SLOW
								       : MACHINE_TURN_TIME;
	machine->turn_began = processor_time();
	machine->turn_late = false;
	machine->steps_unlooked = 0;
}

/* What the turn has cost: its steps, or the time of one that was late. */
static int64_t cost_of_turn(struct machine *machine, size_t steps_begun)
{
	return machine->turn_late ? processor_time() - machine->turn_began
				  : (int64_t)(steps_begun - machine->steps_left);
}

static int64_t next_deadline(struct machine *machine, int64_t now, size_t steps_begun, int64_t cost)
{
	int64_t due = INT64_MAX, pause = MACHINE_SLOW_PAUSE;

	if (machine->turn_late && cost * MACHINE_TIMES_PAUSED > pause)
		pause = cost * MACHINE_TIMES_PAUSED;
	if (machine->steps_left == 0)
		return steps_begun == MACHINE_STEPS_SLOW ? now + pause : now;
	for (struct process_entry *at = machine->oldest; at; at = at->newer)
		if (!at->ended && !at->stopped && at->wait != WAIT_NOTHING && at->wait_until &&
		    at->wait_until < due)
			due = at->wait_until;
	return due;
}

/* A shell that waits for a key may wait for hours: what a deep call left of its stack goes back. */
static void trim_idle(struct machine *machine)
{
	const struct process_entry *leader = machine->leader;

	if (machine->deadline == INT64_MAX && machine->terminal && leader && leader->coroutine &&
	    leader->wait == WAIT_READ)
		coroutine_trim(leader->coroutine);
}

static void tell_end(struct machine *machine)
{
	int status = machine->leader_status;

	if (!machine->leader_ended || machine->told)
		return;
	machine->told = true;
	/* The kernel hangs the terminal up when the session leader is gone. */
	if (machine->terminal) {
		for (struct process_entry *at = machine->oldest; at; at = at->newer)
			if (!at->ended)
				signal_deliver(at, SIGHUP);
	}
	capture_keep(machine, 0);
	if (machine->ended)
		machine->ended(machine->context, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
			       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* The oldest process that was not yet served in this round, or NULL: the round is over. */
static struct process_entry *next_in_round(struct machine *machine)
{
	struct process_entry *at = machine->oldest;

	while (at && at->public.pid <= machine->served)
		at = at->newer;
	return at;
}

/* Every process that can run gets a slice; a turn that is over in the middle of a round goes on
 * there the next time. */
static bool go_round(struct machine *machine, int64_t now)
{
	struct process_entry *at;
	bool progress = machine->served != 0;

	while (machine->steps_left > 0 && (at = next_in_round(machine))) {
		machine->served = at->public.pid;
		if (!is_ready(machine, at, now))
			continue;
		progress = true;
		machine->slice_left = MACHINE_STEPS_A_SLICE;
		resume(machine, at);
	}
	if (!next_in_round(machine))
		machine->served = 0;
	return progress;
}

void machine_run(struct machine *machine)
{
	int64_t now = machine_monotonic(machine);
	size_t steps_begun;
	int64_t cost;
	bool progress = true;

	if (machine->running)
		return;
	machine->running = true;
	count_steps(machine, now);
	steps_begun = machine->steps_left;
	while (progress && machine->steps_left > 0) {
		progress = go_round(machine, now);
		reap_orphans(machine);
	}
	cost = cost_of_turn(machine, steps_begun);
	machine->steps_fast -= cost;
	machine->deadline = next_deadline(machine, now, steps_begun, cost);
	trim_idle(machine);
	tell_end(machine);
	machine->running = false;
}

int64_t machine_deadline(const struct machine *machine)
{
	return machine->deadline;
}

bool machine_has_ended(const struct machine *machine)
{
	return machine->leader_ended;
}

bool machine_holds_output(const struct machine *machine)
{
	return machine->client_writers[MACHINE_OUTPUT] || machine->client_writers[MACHINE_ERRORS];
}

bool machine_is_cut_off(const struct machine *machine)
{
	return machine->cut_off;
}

size_t machine_footprint(const struct machine *machine)
{
	return sizeof(*machine) + machine->memory;
}

void machine_service(struct machine *machine, struct machine_service *service)
{
	*service = (struct machine_service){
		.name = machine->service,
		.pid = machine->service_pid,
		.privileged_pid = machine->privileged_pid,
		.user = machine->user,
		.terminal = machine->terminal ? machine->terminal->name : "notty",
		.peer = session_peer(machine->session),
		.local = session_local(machine->session),
		.since = machine->since,
	};
}
