/* What a process sees of itself. */
#include "process/child.h"

const char *process_name(const struct process *self)
{
	return self->name;
}

unsigned process_instance(const struct process *self)
{
	return self->instance;
}

int process_descriptor(const struct process *self, const char *name)
{
	for (size_t i = 0; i < self->grant_count; i++) {
		if (strcmp(self->grants[i].name, name) == 0)
			return self->grants[i].descriptor;
	}
	return -1;
}

const struct process_grant *process_grants(const struct process *self, size_t *count)
{
	*count = self->grant_count;
	return self->grants;
}

int process_pipe(const struct process *self)
{
	return self->pipe;
}

enum message_result process_receive(struct process *self, struct message *message)
{
	return message_receive(self->pipe, message);
}

enum message_result process_send(struct process *self, uint32_t type, struct slice payload)
{
	if (type < MESSAGE_APPLICATION)
		return MESSAGE_REFUSED;
	return message_send(self->pipe, type, payload, NULL, 0);
}

void process_started(struct process *self)
{
	/* Nothing else is in the pipe this early, so it cannot be full; when the supervisor is gone
	 * the next process_receive says so. */
	if (message_send(self->pipe, MESSAGE_STARTED, slice_of(NULL, 0), NULL, 0) != MESSAGE_OK)
		log_warning("telling the supervisor that the work has begun did not succeed");
}

struct counters *process_counters(const struct process *self)
{
	return self->counters;
}

void process_count(struct process *self, size_t counter, uint64_t delta)
{
	counters_add(self->counters, self->row, counter, delta);
}

void process_set(struct process *self, size_t counter, uint64_t value)
{
	counters_set(self->counters, self->row, counter, value);
}
