/* Running trees: lists, pipelines, chains, groups; see execute_simple.c and execute_compound.c. */
#include <stdio.h>
#include <sys/wait.h>

#include "decoy/machine/shell/state.h"

void execute_run_trap(struct shell *shell, int signal)
{
	char *command;
	int status = shell->status;
	enum unwind unwind = shell->unwind;

	if (!shell->traps || !shell->traps[signal] || !*shell->traps[signal] || shell->in_trap)
		return;
	command = process_copy_text(shell->process, shell->traps[signal]);
	shell->in_trap = true;
	shell->unwind = UNWIND_NONE;
	input_run_text(shell, slice_text(command), "trap", false);
	shell->in_trap = false;
	process_give(shell->process, command);
	if (shell->unwind != UNWIND_EXIT) {
		shell->status = status;
		shell->unwind = unwind;
	}
}

void execute_note_signals(struct shell *shell)
{
	int signal;

	while ((signal = process_take_signal(shell->process))) {
		if (signal == SIGHUP && shell->interactive && !shell->is_child &&
		    !(shell->traps && shell->traps[SIGHUP])) {
			jobs_hang_up(shell);
			shell_exit(shell, 129);
		}
		shell->pending |= (uint64_t)1 << (signal - 1);
	}
}

void execute_traps(struct shell *shell)
{
	execute_note_signals(shell);
	while (shell->pending && !shell->in_trap) {
		int signal = __builtin_ctzll(shell->pending) + 1;

		shell->pending &= ~((uint64_t)1 << (signal - 1));
		if (shell->traps && shell->traps[signal] && *shell->traps[signal]) {
			execute_run_trap(shell, signal);
			if (shell->unwind == UNWIND_EXIT)
				return;
		} else if (signal == SIGINT && shell->interactive && !shell->is_child) {
			shell->status = 130;
			shell->unwind = UNWIND_LINE;
		}
	}
}

void execute_tell_background(struct shell *shell, const struct job *job)
{
	if (shell->interactive && !shell->is_child && !shell_has(shell, SHELL_ASH | SHELL_DASH))
		message_plain(shell, "[%u] %d\n", job->number, job->pids[job->count - 1]);
}

/* Words that can be expanded here without harm for the shell: no assignments, no substitutions. */
static bool is_pure(const struct word *word)
{
	for (; word; word = word->next) {
		if (word->flags & (WORD_ASSIGNMENT | WORD_COMPOUND | WORD_PROCESS))
			return false;
		if (word->flags & WORD_DOLLAR &&
		    (strchr(word->text, '`') || strstr(word->text, "$(") ||
		     strstr(word->text, "$[") || strstr(word->text, "${") ||
		     strstr(word->text, "RANDOM")))
			return false;
	}
	return true;
}

/* A program that needs no copy of the shell: starts it. 0: it is none; else pid, or -status. */
static int try_program(struct shell *shell, const struct node *node, struct launch *how)
{
	struct pool_mark mark = pool_place(shell->scratch);
	struct redirect_table table;
	struct fields fields = {0};
	const char *path;
	int result = 0, error;

	if (node->kind != NODE_SIMPLE || !node->words || !is_pure(node->words) || node->negated ||
	    shell_option_is(shell, SET_NOUNSET) || shell_option_is(shell, SET_XTRACE) ||
	    (node->words->flags & WORD_DOLLAR))
		return 0;
	for (const struct redirection *r = node->redirections; r; r = r->next)
		if (r->variable || r->descriptor > 30 || !is_pure(&r->target) ||
		    r->kind == REDIRECT_HERE || r->kind == REDIRECT_HERE_TABS)
			return 0;
	if (expand_words(shell, node->words, &fields) < 0 || !fields.count ||
	    names_function(shell, fields.at[0]) || builtin_find(shell, fields.at[0]))
		goto out;
	error = names_program(shell, fields.at[0], &path);
	if (error < 0)
		goto out;
	if (how->descriptors) {
		/* within a pipeline: redirections are made by the copy of the shell */
		if (node->redirections)
			goto out;
		result = launch_program(shell, path, fields.at, variables_environment(shell), how);
	} else if (redirect_map(shell, node->redirections, &table) < 0) {
		result = -1;
	} else {
		how->descriptors = table.map;
		how->descriptor_count = table.count;
		result = launch_program(shell, path, fields.at, variables_environment(shell), how);
		redirect_close(shell, &table);
		how->descriptors = NULL;
	}
out:
	pool_cut(shell->scratch, mark);
	return result;
}

static int start(struct shell *shell, const struct node *node, struct launch *how)
{
	int pid = try_program(shell, node, how);

	return pid ? pid : launch_node(shell, node, how);
}

static void background(struct shell *shell, const struct node *node)
{
	struct launch how = {.background = true, .own_group = shell->job_control};
	struct job *job;
	char *text;
	int pid, map[64];

	if (!shell->job_control) {
		/* no terminal to read: its input is empty */
		int null = process_open(shell->process, "/dev/null", 0, 0);

		how.descriptor_count = launch_descriptors(shell, map);
		map[0] = null;
		if (null > 0 && null < 64)
			map[null] = -1;
		how.descriptors = map;
		pid = start(shell, node, &how);
		if (null >= 0)
			process_close(shell->process, null);
	} else {
		pid = start(shell, node, &how);
	}
	if (pid < 0)
		return;
	text = jobs_text(shell, node);
	job = jobs_add(shell, &pid, 1, (unsigned)(how.own_group ? pid : 0), text);
	job->background = true;
	shell->last_background = (unsigned)pid;
	shell->status = 0;
	execute_tell_background(shell, job);
}

int execute_list(struct shell *shell, const struct node *list, unsigned flags)
{
	if (!list->first && !list->negated)
		shell->status = 0;
	for (const struct node *node = list->first; node; node = node->next) {
		if (node->background)
			background(shell, node);
		else
			execute_node(shell, node,
				     (flags & EXECUTE_TESTED) | (node->next ? 0 : flags));
		if (shell->unwind)
			break;
	}
	return shell->status;
}

static int execute_chain(struct shell *shell, const struct node *chain, unsigned flags)
{
	for (const struct node *node = chain->first; node; node = node->next) {
		unsigned mine = flags & EXECUTE_TESTED;

		if ((node->joint == JOINT_AND && shell->status) ||
		    (node->joint == JOINT_OR && !shell->status))
			continue;
		if (node->next)
			mine |= EXECUTE_TESTED;
		else
			mine |= flags & EXECUTE_LAST;
		execute_node(shell, node, mine);
		if (shell->unwind)
			break;
	}
	return shell->status;
}

static int execute_pipe(struct shell *shell, const struct node *pipe)
{
	size_t count = 0, at = 0;
	int *pids, input = -1, map[64], code;
	unsigned group = 0;
	struct job *job;

	for (const struct node *node = pipe->first; node; node = node->next)
		count++;
	pids = process_take(shell->process, count * sizeof(int));
	for (const struct node *node = pipe->first; node; node = node->next, at++) {
		struct launch how = {.descriptors = map, .group = group};
		int ends[2] = {-1, -1};

		how.own_group = shell->job_control && !group;
		how.foreground = shell->job_control;
		if (node->next && process_make_pipe(shell->process, ends) < 0) {
			message_say(shell, "pipe error: Too many open files");
			break;
		}
		how.descriptor_count = launch_descriptors(shell, map);
		for (int i = 0; i < 2; i++)
			if (ends[i] >= 0 && ends[i] < 64)
				map[ends[i]] = -1;
		if (input >= 0) {
			if (input < 64)
				map[input] = -1;
			map[0] = input;
		}
		if (node->next)
			map[1] = ends[1];
		if (node->pipe_errors)
			map[2] = ends[1];
		pids[at] = start(shell, node, &how);
		if (shell->job_control && !group && pids[at] > 0)
			group = (unsigned)pids[at];
		if (input >= 0)
			process_close(shell->process, input);
		input = ends[0];
		if (ends[1] >= 0)
			process_close(shell->process, ends[1]);
		if (shell->unwind || pids[at] == -EAGAIN) {
			pids[at++] = -1;
			break;
		}
	}
	if (input >= 0)
		process_close(shell->process, input);
	if (!at) {
		process_give(shell->process, pids);
		return shell->status = 1;
	}
	job = jobs_add(shell, pids, at, group, NULL);
	job->node = pipe;
	process_give(shell->process, pids);
	code = jobs_wait(shell, job);
	if (shell->unwind == UNWIND_NONE)
		shell->status = code;
	return shell->status;
}

static int execute_subshell(struct shell *shell, const struct node *node, unsigned flags)
{
	struct launch how = {.own_group = shell->job_control, .foreground = shell->job_control};
	struct job *job;
	int pid;

	if (flags & EXECUTE_LAST && shell->is_child && !shell->traps) {
		/* This process does nothing else: no need for another. */
		struct redirections undo;

		shell->subshells++;
		if (redirect_apply(shell, node->redirections, &undo, true) < 0)
			return shell->status = 1;
		execute_list(shell, node->first, flags & EXECUTE_LAST);
		return shell->status;
	}
	pid = launch_node(shell, node, &how);
	if (pid < 0)
		return shell->status;
	job = jobs_add(shell, &pid, 1, how.own_group ? (unsigned)pid : 0, NULL);
	job->node = node;
	return shell->status = jobs_wait(shell, job);
}

static void check_errexit(struct shell *shell, const struct node *node, unsigned flags)
{
	if (!shell->status || !shell_option_is(shell, SET_ERREXIT) || flags & EXECUTE_TESTED ||
	    shell->conditional || node->negated || shell->unwind)
		return;
	switch (node->kind) {
	case NODE_SIMPLE:
	case NODE_PIPE:
	case NODE_SUBSHELL:
	case NODE_TEST:
	case NODE_ARITHMETIC:
		shell->unwind = UNWIND_EXIT;
		break;
	default:
		break;
	}
}

static int run_node(struct shell *shell, const struct node *node, unsigned flags)
{
	switch (node->kind) {
	case NODE_SIMPLE:
		return execute_simple(shell, node, flags);
	case NODE_PIPE:
		return execute_pipe(shell, node);
	case NODE_CHAIN:
		return execute_chain(shell, node, flags);
	case NODE_LIST:
		return execute_list(shell, node, flags);
	case NODE_SUBSHELL:
		/* the child of launch_node is what runs it */
		if (shell->task == node) {
			struct redirections undo;

			shell->task = NULL;
			if (redirect_apply(shell, node->redirections, &undo, true) < 0)
				return shell->status = 1;
			return execute_list(shell, node->first, EXECUTE_LAST);
		}
		return execute_subshell(shell, node, flags);
	default:
		return execute_compound(shell, node, flags);
	}
}

/* Apart, so that what it keeps does not stand on the stack of every command. */
static void __attribute__((noinline))
run_timed(struct shell *shell, const struct node *node, unsigned flags)
{
	struct timing started = timing_now(shell);

	run_node(shell, node, flags);
	timing_tell(shell, node->timed_posix, &started);
}

int execute_node(struct shell *shell, const struct node *node, unsigned flags)
{
	bool conditional = shell->conditional;

	process_step(shell->process);
	timing_pace(shell, 5000);
	if (shell->coprocess.pid)
		coproc_check(shell);
	if (shell_stack_is_low(shell)) {
		/* A real shell overruns its stack here, too. */
		process_kill(shell->process, (int)shell->process->pid, SIGSEGV);
		shell->unwind = UNWIND_EXIT;
		return shell->status = 139;
	}
	if (node->timed)
		flags &= ~(unsigned)EXECUTE_LAST;
	if (node->negated)
		flags = (flags | EXECUTE_TESTED) & ~(unsigned)EXECUTE_LAST;
	if (flags & EXECUTE_TESTED)
		shell->conditional = true;
	if (node->timed)
		run_timed(shell, node, flags);
	else
		run_node(shell, node, flags);
	shell->conditional = conditional;
	if (node->negated && shell->unwind == UNWIND_NONE)
		shell->status = !shell->status;
	check_errexit(shell, node, flags);
	execute_traps(shell);
	return shell->status;
}
