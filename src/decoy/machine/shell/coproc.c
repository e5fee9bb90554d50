/* coproc: a command in the background with a pipe to it and one from it. */
#include <sys/wait.h>

#include "decoy/machine/shell/state.h"

/* Where bash moves the ends of the pipes, out of the way of the user's own. */
#define COPROCESS_HIGHEST 63
#define COPROCESS_LOWEST  40

static int move_up(struct shell *shell, int from)
{
	struct file_status status;
	int to = COPROCESS_HIGHEST;

	while (to > COPROCESS_LOWEST && process_status_of(shell->process, to, &status) != -EBADF)
		to--;
	if (process_duplicate(shell->process, from, to) < 0)
		return from;
	process_close(shell->process, from);
	(void)process_close_on_execute(shell->process, to, true);
	return to;
}

static int make_pipe(struct shell *shell, int ends[2])
{
	if (process_make_pipe(shell->process, ends) < 0) {
		message_say(shell, "pipe error: Too many open files");
		return -1;
	}
	ends[0] = move_up(shell, ends[0]);
	ends[1] = move_up(shell, ends[1]);
	return 0;
}

static void set_variables(struct shell *shell, const char *name)
{
	struct coprocess *coprocess = &shell->coprocess;
	struct variable *variable = array_make(shell, name, false);
	struct text pid = {0};

	array_clear(shell, variable->array);
	for (int i = 0; i < 2; i++) {
		struct text number = {0};

		text_format(shell->process, &number, "%d", coprocess->ends[i]);
		(void)array_set(shell, variable, "", i, number.data, false);
		process_give(shell->process, number.data);
	}
	text_format(shell->process, &pid, "%s_PID", name);
	variables_set_number(shell, pid.data, coprocess->pid);
	process_give(shell->process, pid.data);
}

/* Its end: bash closes the pipes and takes the variables away. */
static void forget(struct shell *shell)
{
	struct coprocess *coprocess = &shell->coprocess;
	struct text pid = {0};

	for (int i = 0; i < 2; i++)
		process_close(shell->process, coprocess->ends[i]);
	text_format(shell->process, &pid, "%s_PID", coprocess->name);
	(void)variables_unset(shell, pid.data);
	(void)variables_unset(shell, coprocess->name);
	process_give(shell->process, pid.data);
	process_give(shell->process, coprocess->name);
	*coprocess = (struct coprocess){0};
}

void coproc_check(struct shell *shell)
{
	int pid = shell->coprocess.pid, status;
	struct job *job = jobs_of_pid(shell, pid);

	if (job && !jobs_is_done(job) && timing_wait(shell, pid, WNOHANG, &status) > 0)
		jobs_record(shell, pid, status);
	if (!job || jobs_is_done(job))
		forget(shell);
}

int coproc_run(struct shell *shell, const struct node *node)
{
	struct launch how = {.background = true, .own_group = shell->job_control};
	struct coprocess *coprocess = &shell->coprocess;
	char *name = expand_single(shell, node->name, EXPAND_SINGLE);
	int map[64], from[2], to[2], pid;
	struct job *job;

	shell->line = node->line;
	if (!name)
		return shell->status = 1;
	if (!*name || lexer_name(name) != strlen(name)) {
		message_say(shell, "`%s': not a valid identifier", name);
		return shell->status = 1;
	}
	if (coprocess->pid)
		message_say(shell, "warning: execute_coproc: coproc [%d:%s] still exists",
			    coprocess->pid, coprocess->name);
	if (make_pipe(shell, from) < 0)
		return shell->status = 1;
	if (make_pipe(shell, to) < 0) {
		process_close(shell->process, from[0]);
		process_close(shell->process, from[1]);
		return shell->status = 1;
	}
	how.descriptor_count = launch_descriptors(shell, map);
	for (int i = 0; i < 2; i++) { /* low, when all above were taken */
		map[from[i] & 63] = -1;
		map[to[i] & 63] = -1;
	}
	map[0] = to[0];
	map[1] = from[1];
	how.descriptors = map;
	pid = launch_node(shell, node->first, &how);
	process_close(shell->process, from[1]);
	process_close(shell->process, to[0]);
	if (pid < 0) {
		process_close(shell->process, from[0]);
		process_close(shell->process, to[1]);
		return shell->status;
	}
	process_give(shell->process, coprocess->name);
	*coprocess = (struct coprocess){.pid = pid,
					.ends = {from[0], to[1]},
					.name = process_copy_text(shell->process, name)};
	set_variables(shell, name);
	job = jobs_add(shell, &pid, 1, (unsigned)(how.own_group ? pid : 0), jobs_text(shell, node));
	job->background = true;
	shell->last_background = (unsigned)pid;
	execute_tell_background(shell, job);
	return shell->status = 0;
}
