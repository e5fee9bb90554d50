/* A fork becomes a process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "process/child.h"

/* The end of a process goes round exit(3): handlers that libraries left there belong to the
 * supervisor's life, and the sandbox would refuse half of what they do. */
static _Noreturn void give_up(const char *what)
{
	log_error("%s: %s", what, strerror(errno));
	_exit(1);
}

static void settle_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigset_t none;

	for (size_t i = 0; i < ARRAY_COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int compare_descriptors(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Standard error stays, for the log; standard input and output lead nowhere. */
static int close_all_others(const struct process *self)
{
	int keep[PROCESS_GRANTS_MAX + 1], nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t count = 0;
	unsigned from = STDERR_FILENO + 1;

	if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
		return -1;
	keep[count++] = self->pipe;
	for (size_t i = 0; i < self->grant_count; i++)
		keep[count++] = self->grants[i].descriptor;
	qsort(keep, count, sizeof(keep[0]), compare_descriptors);
	for (size_t i = 0; i < count; i++) {
		unsigned kept = (unsigned)keep[i];

		if (kept > from && close_range(from, kept - 1, 0) < 0)
			return -1;
		if (kept >= from)
			from = kept + 1;
	}
	return close_range(from, ~0U, 0);
}

static int confine(const struct process *self, const struct sandbox_user *user, const char **why)
{
	const struct sandbox *sandbox = self->role->sandbox;
	struct sandbox_folder folders[PROCESS_GRANTS_MAX];
	size_t count = 0;

	for (size_t f = 0; f < ARRAY_COUNT(sandbox->folders) && sandbox->folders[f].name; f++) {
		for (size_t g = 0; g < self->grant_count && count < ARRAY_COUNT(folders); g++) {
			if (strcmp(self->grants[g].name, sandbox->folders[f].name) == 0)
				folders[count++] = (struct sandbox_folder){
					self->grants[g].descriptor, sandbox->folders[f].rights};
		}
	}
	return sandbox_enter(sandbox, sandbox->home ? process_descriptor(self, sandbox->home) : -1,
			     folders, count, user, why);
}

_Noreturn void child_live(struct process *self, const struct child_surroundings *surroundings)
{
	const struct process_role *role = self->role;
	void *context = surroundings->context;
	const char *why = NULL;

	log_open(self->name, surroundings->log_level, surroundings->log_time);
	settle_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		give_up("tying this process to the supervisor");
	if (getppid() != surroundings->supervisor)
		_exit(1); /* it died before the line above */
	prctl(PR_SET_NAME, self->name);
	if (counters_narrow(self->counters, self->row) < 0)
		give_up("making the counters of other processes read-only");
	if (close_all_others(self) < 0)
		give_up("closing the descriptors of other processes");
	if (role->prepare) {
		context = role->prepare(self, context);
		if (context == NULL)
			_exit(1);
	}
	if (role->sandbox && confine(self, surroundings->user, &why) < 0)
		give_up(why);
	_exit(role->run(self, context));
}
