/* Signals between the processes of a log-in. */
#include <stdlib.h>

#include "decoy/machine/process_state.h"

/* What happens to a process that says nothing of a signal (signal(7)). */
enum default_action { ENDS, NOTHING, STOPS, GOES_ON };

static enum default_action default_of(int signal)
{
	switch (signal) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return NOTHING;
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return STOPS;
	case SIGCONT:
		return GOES_ON;
	default:
		return ENDS;
	}
}

static void stop(struct process_entry *entry, int signal)
{
	entry->stopped = true;
	entry->stop_told = false;
	entry->stop_signal = signal;
	if (entry->public.parent)
		signal_deliver(entry_of(entry->public.parent), SIGCHLD);
}

static void interrupt(struct process_entry *entry)
{
	if (entry->wait != WAIT_NOTHING)
		entry->interrupted = true;
}

void signal_deliver(struct process_entry *entry, int signal)
{
	struct machine *machine = entry->public.machine;

	if (entry->ended || entry->exiting || signal <= 0 || signal > SIGNALS)
		return;
	if (signal == SIGCONT && entry->stopped) {
		entry->stopped = false;
		entry->stop_told = false;
	}
	if (signal != SIGKILL && signal != SIGSTOP) {
		if (entry->ignored & BIT_OF(signal))
			return;
		if (entry->caught & BIT_OF(signal)) {
			entry->pending |= BIT_OF(signal);
			interrupt(entry);
			return;
		}
	}
	switch (default_of(signal)) {
	case NOTHING:
	case GOES_ON:
		return;
	case STOPS:
		stop(entry, signal);
		if (machine->current == entry)
			coroutine_wait(entry->coroutine);
		return;
	case ENDS:
		if (machine->current == entry)
			process_die(entry, signal);
		process_finish(entry, signal);
		return;
	}
}

void signal_group(struct machine *machine, unsigned group, int signal)
{
	struct process_entry *self = NULL;

	/* A process that ends may take others off the list: begin anew after each; the one that
	 * asks comes last, since it may not come back. */
	for (struct process_entry *at = machine->oldest; at; at = at->newer) {
		if (at->ended || at->public.group != group)
			continue;
		if (at == machine->current) {
			self = at;
			continue;
		}
		signal_deliver(at, signal);
	}
	if (self)
		signal_deliver(self, signal);
}

static bool may_signal(const struct process *from, unsigned uid)
{
	return from->identity.effective_uid == 0 || from->identity.uid == uid;
}

static int kill_of_host(struct process *process, unsigned pid, int signal)
{
	const struct host_process *others;
	size_t count = host_processes(process->machine->host, &others, process_now(process));

	for (size_t i = 0; i < count; i++)
		if (others[i].pid == pid)
			return may_signal(process, others[i].uid) ? 0 : -EPERM;
	(void)signal;
	return -ESRCH;
}

static int kill_service(struct process *process, unsigned pid, int signal)
{
	struct machine *machine = process->machine;

	if (pid != machine->service_pid && pid != machine->privileged_pid)
		return -ESRCH;
	if (process->identity.effective_uid != 0 && pid == machine->privileged_pid)
		return -EPERM;
	if (signal != 0 && default_of(signal) == ENDS)
		machine->hung_up = machine->cut_off = true;
	return 0;
}

static int kill_group(struct process *process, unsigned group, int signal)
{
	bool found = false, allowed = false;

	for (struct process_entry *at = process->machine->oldest; at; at = at->newer) {
		if (at->ended || at->public.group != group)
			continue;
		found = true;
		allowed |= may_signal(process, at->public.identity.uid);
	}
	if (!found)
		return -ESRCH;
	if (!allowed)
		return -EPERM;
	if (signal)
		signal_group(process->machine, group, signal);
	return 0;
}

int process_kill(struct process *process, int pid, int signal)
{
	struct process *target;
	int result;

	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (pid == 0)
		return kill_group(process, process->group, signal);
	if (pid < -1)
		return kill_group(process, (unsigned)-pid, signal);
	if (pid == -1) {
		for (struct process_entry *at = process->machine->oldest; at; at = at->newer)
			if (&at->public != process && !at->ended && signal &&
			    may_signal(process, at->public.identity.uid))
				signal_deliver(at, signal);
		return 0;
	}
	target = process_find(process->machine, (unsigned)pid);
	if (target) {
		if (!may_signal(process, target->identity.uid))
			return -EPERM;
		if (signal && !entry_of(target)->ended)
			signal_deliver(entry_of(target), signal);
		return 0;
	}
	result = kill_service(process, (unsigned)pid, signal);
	return result == -ESRCH ? kill_of_host(process, (unsigned)pid, signal) : result;
}

void process_on_signal(struct process *process, int signal, enum signal_action action)
{
	struct process_entry *entry = entry_of(process);

	if (signal <= 0 || signal > SIGNALS || signal == SIGKILL || signal == SIGSTOP)
		return;
	entry->ignored &= ~BIT_OF(signal);
	entry->caught &= ~BIT_OF(signal);
	if (action == SIGNAL_IGNORED)
		entry->ignored |= BIT_OF(signal);
	if (action == SIGNAL_CAUGHT)
		entry->caught |= BIT_OF(signal);
	else
		entry->pending &= ~BIT_OF(signal);
}

enum signal_action process_signal_action(struct process *process, int signal)
{
	struct process_entry *entry = entry_of(process);

	if (signal <= 0 || signal > SIGNALS)
		return SIGNAL_DEFAULT;
	if (entry->ignored & BIT_OF(signal))
		return SIGNAL_IGNORED;
	return entry->caught & BIT_OF(signal) ? SIGNAL_CAUGHT : SIGNAL_DEFAULT;
}

int process_take_signal(struct process *process)
{
	struct process_entry *entry = entry_of(process);
	int signal;

	if (!entry->pending)
		return 0;
	signal = __builtin_ctzll(entry->pending) + 1;
	entry->pending &= ~BIT_OF(signal);
	return signal;
}
