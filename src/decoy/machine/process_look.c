/* What a process sees of others, of its host, and of time. */
#include <stdlib.h>

#include "decoy/machine/process_state.h"

/* --- looking around --- */

struct process *process_find(struct machine *machine, unsigned pid)
{
	for (struct process_entry *at = machine->oldest; at; at = at->newer)
		if (at->public.pid == pid)
			return &at->public;
	return NULL;
}

struct process *process_at(struct machine *machine, size_t index)
{
	struct process_entry *at = machine->oldest;

	while (at && index--)
		at = at->newer;
	return at ? &at->public : NULL;
}

unsigned process_parent_id(const struct process *process)
{
	const struct process_entry *entry = (const struct process_entry *)process;

	if (process->parent)
		return process->parent->pid;
	return entry->orphan ? 1 : process->machine->service_pid;
}

enum process_condition process_condition(const struct process *process)
{
	const struct process_entry *entry = (const struct process_entry *)process;

	if (entry->ended)
		return PROCESS_ZOMBIE;
	if (entry->stopped)
		return PROCESS_STOPPED;
	return entry->wait == WAIT_NOTHING ? PROCESS_RUNNING : PROCESS_SLEEPING;
}

bool process_is_login_password(struct process *process, const char *user, const char *password)
{
	const struct machine *machine = process->machine;

	return machine->password[0] && strcmp(machine->user, user) == 0 &&
	       strcmp(machine->password, password) == 0;
}

const struct host *process_host(struct process *process)
{
	return process->machine->host;
}

struct session *process_session(struct process *process)
{
	return process->machine->session;
}

/* --- time and randomness --- */

int64_t process_now(struct process *process)
{
	return session_now(process->machine->session);
}

bool process_sleep(struct process *process, int64_t microseconds)
{
	struct process_entry *entry = entry_of(process);
	int64_t until;

	if (microseconds <= 0)
		return true;
	process_flush(process);
	if (__builtin_add_overflow(machine_monotonic(process->machine), microseconds, &until))
		until = INT64_MAX;
	(void)process_pause(entry, WAIT_TIME, NULL, until);
	return !entry->interrupted;
}

void process_step(struct process *process)
{
	struct machine *machine = process->machine;

	process->cpu += 2;
	if (machine->steps_left > 0 && machine->slice_left > 0 && !machine_is_late(machine)) {
		machine->steps_left--;
		machine->slice_left--;
		return;
	}
	coroutine_wait(entry_of(process)->coroutine);
}

void process_random(struct process *process, void *at, size_t length)
{
	session_random(process->machine->session, at, length);
}

uint64_t process_random_number(struct process *process, uint64_t below)
{
	return session_random_number(process->machine->session, below);
}
