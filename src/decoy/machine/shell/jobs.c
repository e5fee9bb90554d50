/* Jobs: what runs in the background or was stopped. */
#include <ctype.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "decoy/machine/shell/state.h"

int jobs_code(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WIFSTOPPED(status))
		return 128 + WSTOPSIG(status);
	return 128 + WTERMSIG(status);
}

struct job *jobs_add(struct shell *shell, const int *pids, size_t count, unsigned group, char *text)
{
	struct job *job = process_take(shell->process, sizeof(*job)), **at = &shell->jobs;

	job->number = 1;
	for (; *at; at = &(*at)->next)
		if ((*at)->number >= job->number)
			job->number = (*at)->number + 1;
	job->count = count;
	job->pids = process_take(shell->process, 2 * count * sizeof(int));
	job->statuses = job->pids + count;
	for (size_t i = 0; i < count; i++) {
		job->pids[i] = pids[i];
		job->statuses[i] = pids[i] > 0 ? -1 : -pids[i] << 8;
	}
	job->group = group;
	job->text = text;
	job->controlled = shell->job_control;
	job->touched = ++shell->job_touched;
	*at = job;
	return job;
}

char *jobs_text(struct shell *shell, const struct node *node)
{
	struct text text = {0};

	print_command(shell->process, &text, node);
	if (!text.data)
		text_add_words(shell->process, &text, "");
	return text.data;
}

static void write_text(struct shell *shell, struct job *job)
{
	if (!job->text)
		job->text = job->node ? jobs_text(shell, job->node)
				      : process_copy_text(shell->process, "");
	job->node = NULL;
}

void jobs_free(struct shell *shell, struct job *job)
{
	struct job **at = &shell->jobs;

	while (*at && *at != job)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = job->next;
	process_give(shell->process, job->pids);
	process_give(shell->process, job->text);
	process_give(shell->process, job);
}

bool jobs_is_done(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->statuses[i] == -1 || WIFSTOPPED(job->statuses[i]))
			return false;
	return true;
}

bool jobs_is_stopped(const struct job *job)
{
	bool stopped = false;

	for (size_t i = 0; i < job->count; i++) {
		if (job->statuses[i] == -1)
			return false;
		stopped |= WIFSTOPPED(job->statuses[i]);
	}
	return stopped;
}

int jobs_status(const struct job *job)
{
	return job->statuses[job->count - 1];
}

bool jobs_record(struct shell *shell, int pid, int status)
{
	for (struct job *job = shell->jobs; job; job = job->next)
		for (size_t i = 0; i < job->count; i++)
			if (job->pids[i] == pid &&
			    (job->statuses[i] == -1 || WIFSTOPPED(job->statuses[i]))) {
				if (job->statuses[i] != status)
					job->told = false;
				job->statuses[i] = status;
				return true;
			}
	return false;
}

struct job *jobs_of_pid(struct shell *shell, int pid)
{
	for (struct job *job = shell->jobs; job; job = job->next)
		for (size_t i = 0; i < job->count; i++)
			if (job->pids[i] == pid)
				return job;
	return NULL;
}

/* The current job (+) is the one last stopped or, without any, last started; then the one before
 * (-). */
static struct job *nth_current(struct shell *shell, unsigned n)
{
	struct job *best = NULL, *first = NULL;

	for (unsigned round = 0; round <= n; round++) {
		best = NULL;
		for (struct job *job = shell->jobs; job; job = job->next) {
			if (job == first ||
			    (jobs_is_done(job) && shell_has(shell, SHELL_ANY) && job->told))
				continue;
			if (!best || (jobs_is_stopped(job) && !jobs_is_stopped(best)) ||
			    (jobs_is_stopped(job) == jobs_is_stopped(best) &&
			     job->touched > best->touched))
				best = job;
		}
		if (!round)
			first = best;
	}
	return best;
}

struct job *jobs_find(struct shell *shell, const char *spec, bool *ambiguous)
{
	struct job *found = NULL;
	size_t length;

	*ambiguous = false;
	if (!spec || !strcmp(spec, "%") || !strcmp(spec, "%%") || !strcmp(spec, "%+"))
		return nth_current(shell, 0);
	if (!strcmp(spec, "%-"))
		return nth_current(shell, 1) ? nth_current(shell, 1) : nth_current(shell, 0);
	if (*spec == '%')
		spec++;
	if (isdigit((uint8_t)*spec)) {
		unsigned long number = strtoul(spec, NULL, 10);

		for (struct job *job = shell->jobs; job; job = job->next)
			if (job->number == number)
				return job;
		return NULL;
	}
	length = strlen(spec);
	for (struct job *job = shell->jobs; job; job = job->next) {
		bool matches = *spec == '?' ? strstr(job->text, spec + 1) != NULL
					    : !strncmp(job->text, spec, length);

		if (!matches)
			continue;
		if (found)
			*ambiguous = true;
		found = job;
	}
	return found;
}

/* "Running", "Done", "Exit 3", "Stopped", "Terminated" ... */
static void state_words(struct shell *shell, const struct job *job, struct text *out)
{
	int status = jobs_status(job);
	struct process *process = shell->process;

	if (jobs_is_stopped(job)) {
		for (size_t i = 0; i < job->count; i++)
			if (WIFSTOPPED(job->statuses[i]))
				status = job->statuses[i];
		text_add_words(process, out, message_signal(WSTOPSIG(status)));
	} else if (!jobs_is_done(job)) {
		text_add_words(process, out, "Running");
	} else if (WIFSIGNALED(status)) {
		text_add_words(process, out, message_signal(WTERMSIG(status)));
		if (WCOREDUMP(status))
			text_add_words(process, out, " (core dumped)");
	} else if (WEXITSTATUS(status)) {
		text_format(process, out, shell_has(shell, SHELL_BASH) ? "Exit %d" : "Done(%d)",
			    WEXITSTATUS(status));
	} else {
		text_add_words(process, out, "Done");
	}
}

void jobs_print(struct shell *shell, const struct job *job, char form)
{
	struct process *process = shell->process;
	struct text out = {0}, state = {0};
	char sign = job == nth_current(shell, 0) ? '+' : job == nth_current(shell, 1) ? '-' : ' ';
	bool running = !jobs_is_done(job) && !jobs_is_stopped(job);

	if (form == 'p') {
		output_format(shell, "%d\n", job->pids[0] > 0 ? job->pids[0] : 0);
		return;
	}
	state_words(shell, job, &state);
	text_format(process, &out, shell_has(shell, SHELL_DASH) ? "[%u] %c " : "[%u]%c ",
		    job->number, sign);
	if (form == 'l')
		text_format(process, &out, shell_has(shell, SHELL_BASH) ? "%5d " : "%d ",
			    job->pids[0]);
	else if (!shell_has(shell, SHELL_DASH))
		text_add_byte(process, &out, ' ');
	text_format(process, &out, shell_has(shell, SHELL_BASH) ? "%-23s %s%s\n" : "%-27s%s%s\n",
		    state.data, shell_has(shell, SHELL_BASH) || shell->interactive ? job->text : "",
		    running && shell_has(shell, SHELL_BASH) && job->background ? " &" : "");
	output_put(shell, text_slice(&out));
	process_give(process, out.data);
	process_give(process, state.data);
}

/* A child of the foreground that died by a signal. */
static void tell_death(struct shell *shell, struct job *job)
{
	int status = jobs_status(job), signal;

	if (!WIFSIGNALED(status))
		return;
	signal = WTERMSIG(status);
	if (signal == SIGINT) {
		if (shell->job_control && !shell->is_child) {
			message_plain(shell, "\n");
			/* ^C ends the loop or list that the command was part of */
			shell->interrupted = true;
		}
		return;
	}
	if (signal == SIGPIPE)
		return;
	if (!shell_has(shell, SHELL_BASH) || (shell->interactive && !shell->is_child)) {
		message_plain(shell, "%s%s\n", message_signal(signal),
			      WCOREDUMP(status) ? " (core dumped)" : "");
		return;
	}
	write_text(shell, job);
	message_say(shell, "%5d %-23s %.400s", job->pids[job->count - 1], message_signal(signal),
		    job->text);
}

int jobs_wait_pid(struct shell *shell, int pid)
{
	int status = 0, result;

	do {
		result = timing_wait(shell, pid, 0, &status);
		if (result == -EINTR)
			execute_note_signals(shell);
	} while (result == -EINTR || result == 0);
	return result < 0 ? 127 : jobs_code(status);
}

/* One member was stopped: the others of its group were so at the same moment. */
static void collect_stopped(struct shell *shell, struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		int status = 0;

		if (job->statuses[i] == -1 &&
		    timing_wait(shell, job->pids[i], WNOHANG | WUNTRACED, &status) > 0)
			job->statuses[i] = status;
	}
}

int jobs_wait(struct shell *shell, struct job *job)
{
	struct process *process = shell->process;
	int code;

	for (size_t i = 0; i < job->count; i++) {
		while (job->statuses[i] == -1) {
			int status = 0;
			int result = timing_wait(shell, job->pids[i],
						 shell->job_control ? WUNTRACED : 0, &status);

			if (result == -EINTR)
				execute_note_signals(shell);
			if (result == -EINTR || result == 0)
				continue;
			job->statuses[i] = result < 0 ? 127 << 8 : status;
		}
		if (WIFSTOPPED(job->statuses[i])) {
			collect_stopped(shell, job);
			break;
		}
	}
	if (!shell->interactive) /* a prompt comes at once */
		timing_pace(shell, 900);
	if (shell->job_control && job->controlled)
		process_set_foreground(process, process->group);
	if (jobs_is_stopped(job)) {
		job->background = true;
		job->touched = ++shell->job_touched;
		write_text(shell, job);
		output_flush(shell);
		if (shell_has(shell, SHELL_BASH))
			message_plain(shell, "\n");
		jobs_print(shell, job, 0);
		output_flush(shell);
		job->told = true;
		return jobs_code(jobs_status(job));
	}
	tell_death(shell, job);
	code = jobs_code(jobs_status(job));
	if (shell_option_is(shell, SET_PIPEFAIL))
		for (size_t i = 0; i < job->count; i++)
			if (jobs_code(job->statuses[i]))
				code = jobs_code(job->statuses[i]);
	process_give(process, shell->pipe_statuses);
	shell->pipe_statuses = NULL;
	shell->pipe_status_count = 0;
	if (job->count > 1) {
		shell->pipe_statuses = process_take(process, job->count * sizeof(int));
		shell->pipe_status_count = job->count;
		for (size_t i = 0; i < job->count; i++)
			shell->pipe_statuses[i] = jobs_code(job->statuses[i]);
	}
	jobs_free(shell, job);
	if (shell->interrupted) {
		shell->interrupted = false;
		shell->status = code;
		if (shell->unwind == UNWIND_NONE)
			shell->unwind = UNWIND_LINE;
	}
	return code;
}

void jobs_check(struct shell *shell, bool tell)
{
	struct job *job, *next;
	int status, pid;

	while (shell->jobs &&
	       (pid = timing_wait(shell, -1, WNOHANG | (shell->job_control ? WUNTRACED : 0),
				  &status)) > 0)
		jobs_record(shell, pid, status);
	for (job = shell->jobs; tell && job; job = next) {
		next = job->next;
		if ((jobs_is_done(job) || jobs_is_stopped(job)) && !job->told) {
			if (!job->disowned && shell->interactive) {
				jobs_print(shell, job, 0);
			} else if (!job->disowned && WIFSIGNALED(jobs_status(job)) &&
				   WTERMSIG(jobs_status(job)) != SIGINT &&
				   WTERMSIG(jobs_status(job)) != SIGTERM && !shell->is_child) {
				tell_death(shell, job);
			}
			job->told = true;
		}
		if (jobs_is_done(job) && job->told && shell->interactive)
			jobs_free(shell, job);
	}
	output_flush(shell);
}

int jobs_continue(struct shell *shell, struct job *job, bool foreground)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->statuses[i] != -1 && WIFSTOPPED(job->statuses[i]))
			job->statuses[i] = -1;
	job->told = false;
	job->touched = ++shell->job_touched;
	if (foreground)
		process_set_foreground(shell->process, job->group);
	process_kill(shell->process, -(int)job->group, SIGCONT);
	if (!foreground) {
		job->background = true;
		return 0;
	}
	job->background = false;
	return jobs_wait(shell, job);
}

void jobs_hang_up(struct shell *shell)
{
	for (struct job *job = shell->jobs; job; job = job->next) {
		if (job->disowned || jobs_is_done(job))
			continue;
		process_kill(shell->process, -(int)job->group, SIGHUP);
		if (jobs_is_stopped(job))
			process_kill(shell->process, -(int)job->group, SIGCONT);
	}
}
