/* A process of Sundew: its place in the table, and what it sees of itself.
 *
 *     static const struct process_role decoy = {
 *             .name = "decoy", .stage = 0, .sandbox = &sandbox_decoy,
 *             .prepare = decoy_prepare, .run = decoy_run};
 *
 * The supervisor forks it (no exec), closes every descriptor that is not its own, calls prepare,
 * enters the sandbox, calls run, and exits with what run returns. SIGINT, SIGTERM, SIGHUP and
 * SIGPIPE are ignored in it: it ends by returning after MESSAGE_DRAIN or when its pipe closes, and
 * by SIGKILL when the supervisor dies.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include <sys/types.h>

#include "process/counters.h"
#include "process/message.h"
#include "process/sandbox.h"

#define PROCESS_NAME_MAX   16  /* with its NUL: what prctl(PR_SET_NAME) keeps */
#define PROCESS_GRANTS_MAX 512 /* listeners of all protocols, two families, TCP and UDP */
#define PROCESS_COUNT_MAX  64  /* processes of one supervisor */
#define PROCESS_RENEW      64 /* what run returns after MESSAGE_RELOAD to be started anew at once */

struct process;

struct process_role {
	const char *name;              /* processes are called "name-0", "name-1" ... */
	unsigned stage;                /* order of draining: all of 0 first, then all of 1 ... */
	const struct sandbox *sandbox; /* NULL: none (tests) */
	/* Before the sandbox: load what lies outside. Must not read a byte from the network.
	 * Returns what run gets as its context, or NULL (logged by it) to give up. Optional. */
	void *(*prepare)(struct process *self, void *context);
	/* The work; returns the exit status, 0 after a clean drain. */
	int (*run)(struct process *self, void *context);
};

/* A descriptor that a process is given under a name. Several may share one. */
struct process_grant {
	char name[64];
	int descriptor;
};

const char *process_name(const struct process *self); /* "decoy-0" */
unsigned process_instance(const struct process *self);

/* The first descriptor granted under that name, or -1; all of them, in order. */
int process_descriptor(const struct process *self, const char *name);
const struct process_grant *process_grants(const struct process *self, size_t *count);

/* The pipe to the supervisor: poll it for reading, then receive until MESSAGE_NONE. After
 * MESSAGE_CLOSED the supervisor is gone: return from run. */
int process_pipe(const struct process *self);
MUST_CHECK enum message_result process_receive(struct process *self, struct message *message);
/* type is MESSAGE_APPLICATION or above. No descriptors: the supervisor takes none from children. */
MUST_CHECK enum message_result process_send(struct process *self, uint32_t type,
					    struct slice payload);
/* Tells the supervisor that the work has begun. */
void process_started(struct process *self);

/* The table of counters; add to one of one's own. */
struct counters *process_counters(const struct process *self);
void process_count(struct process *self, size_t counter, uint64_t delta);
void process_set(struct process *self, size_t counter, uint64_t value);

#endif
