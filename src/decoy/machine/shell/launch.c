/* Children: a copy of the shell for ( ), pipelines, & and $( ), and programs. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "decoy/machine/shell/state.h"

#define SUBSTITUTION_MAX SHELL_EXPANSION_MAX

/* What a copy of the shell will take, roughly; asked for in the parent, where running out of memory
 * ends the one who asked. */
static void make_sure_of_memory(struct shell *shell)
{
	size_t size = 16384;

	for (size_t i = 0; i < VARIABLE_BUCKETS; i++)
		for (struct variable *v = shell->variables[i]; v; v = v->next) {
			size += 192 + strlen(v->name) + (v->value ? strlen(v->value) : 0);
			for (size_t k = 0; v->array && k < v->array->count; k++)
				size += 128 + strlen(v->array->items[k].value);
		}
	for (struct function *f = shell->functions; f; f = f->next)
		size += 8192;
	process_give(shell->process, process_take(shell->process, size));
}

static void copy_positional(struct shell *child, const struct shell *shell)
{
	if (!shell->positional_count)
		return;
	child->positional = process_take(child->process, ((size_t)shell->positional_count + 1) *
								 sizeof(*child->positional));
	for (int i = 0; i < shell->positional_count; i++)
		child->positional[i] = process_copy_text(child->process, shell->positional[i]);
	child->positional_count = shell->positional_count;
}

/* Frames tell FUNCNAME and LINENO to the child. */
static void copy_frames(struct shell *child, const struct shell *shell)
{
	struct frame **tail = &child->frame;

	for (const struct frame *frame = shell->frame; frame; frame = frame->outer) {
		*tail = process_take(child->process, sizeof(**tail));
		**tail = *frame;
		(*tail)->function =
			frame->function ? process_copy_text(child->process, frame->function) : NULL;
		(*tail)->file = frame->file ? process_copy_text(child->process, frame->file) : NULL;
		(*tail)->outer = NULL;
		tail = &(*tail)->outer;
	}
}

static char *copied(struct process *process, const char *text)
{
	return text ? process_copy_text(process, text) : NULL;
}

/* `jobs | ...` lists those of the parent. */
static void copy_jobs(struct shell *child, const struct shell *shell)
{
	struct job **tail = &child->jobs;

	for (const struct job *job = shell->jobs; job; job = job->next) {
		size_t size = 2 * job->count * sizeof(int);

		*tail = process_take(child->process, sizeof(**tail));
		**tail = *job;
		(*tail)->next = NULL;
		(*tail)->pids = process_take(child->process, size);
		memcpy((*tail)->pids, job->pids, size);
		(*tail)->statuses = (*tail)->pids + job->count;
		(*tail)->text = copied(child->process, job->text);
		tail = &(*tail)->next;
	}
}

static struct shell *clone(struct shell *shell, struct process *process, const struct node *node)
{
	struct shell *child = process_take(process, sizeof(*child));
	struct scope *scope = process_take(process, sizeof(*scope));

	child->process = process;
	child->personality = shell->personality;
	child->name = copied(process, shell->name);
	child->called = copied(process, shell->called);
	child->file = copied(process, shell->file);
	child->last_argument = copied(process, shell->last_argument);
	variables_copy(child, shell);
	names_copy(child, shell);
	copy_positional(child, shell);
	copy_frames(child, shell);
	if (shell->scope) /* `local` goes on to work; nothing is given back */
		variables_enter(child, scope);
	child->options = shell->options & ~((uint64_t)1 << SET_MONITOR);
	child->more_options = shell->more_options;
	child->status = shell->status;
	child->last_background = shell->last_background;
	child->loops = shell->loops;
	child->functions_deep = shell->functions_deep;
	child->sourced = shell->sourced;
	child->from_string = shell->from_string;
	child->restricted = shell->restricted;
	child->line = shell->line;
	child->subshells = shell->subshells + 1;
	child->shell_pid = shell->shell_pid;
	child->random = shell->random;
	child->seconds_base = shell->seconds_base;
	child->is_child = true;
	child->interactive = shell->interactive;
	child->conditional = shell->conditional;
	child->folder_count = 0;
	child->scratch = pool_new(process);
	if (shell->jobs && node->kind == NODE_SIMPLE && node->words &&
	    !strcmp(node->words->text, "jobs"))
		copy_jobs(child, shell);
	/* Traps that ignore stay; others are the parent's alone. */
	for (int i = 1; shell->traps && i < 65; i++)
		if (shell->traps[i] && !*shell->traps[i]) {
			if (!child->traps)
				child->traps = process_take(process, 65 * sizeof(char *));
			child->traps[i] = process_copy_text(process, "");
		}
	return child;
}

static void start_name(const struct shell *shell, struct process_start *start)
{
	start->name = shell->process->name;
	start->argc = shell->process->argc;
	start->argv = shell->process->argv;
	start->environment = NULL;
	start->busybox = shell->process->busybox;
}

static void put_how(struct process_start *start, const struct launch *how)
{
	start->own_group = how->own_group;
	start->group = how->group;
	start->foreground = how->foreground;
	start->descriptors = how->descriptors;
	start->descriptor_count = how->descriptor_count;
}

/* A fork that is refused: bash tries again a few times, each time waiting longer. */
static int spawn(struct shell *shell, const struct process_start *start)
{
	int pid = process_spawn(shell->process, start);
	int64_t pause = 1000000;

	for (unsigned tries = 0; pid == -EAGAIN && tries < 5 && shell_has(shell, SHELL_BASH);
	     tries++) {
		message_say(shell, "fork: retry: %s", "Resource temporarily unavailable");
		if (!process_sleep(shell->process, pause))
			break;
		pause *= 2;
		pid = process_spawn(shell->process, start);
	}
	if (pid < 0) {
		if (shell_has(shell, SHELL_BASH)) {
			message_say(shell, "fork: Resource temporarily unavailable");
			shell->status = 254;
		} else {
			message_say(shell,
				    shell_has(shell, SHELL_DASH)
					    ? "Cannot fork"
					    : "can't fork: Resource temporarily unavailable");
			shell->status = 2;
		}
		shell->unwind = shell->interactive && !shell->is_child ? UNWIND_LINE : UNWIND_EXIT;
	}
	return pid;
}

int launch_node(struct shell *shell, const struct node *node, const struct launch *how)
{
	int map[64];
	struct process_start start = {.run = launch_child};
	struct process *process;
	struct shell *child;
	struct pool *pool;
	int pid;

	output_flush(shell);
	make_sure_of_memory(shell);
	start_name(shell, &start);
	put_how(&start, how);
	if (!start.descriptors) {
		start.descriptor_count = launch_descriptors(shell, map);
		start.descriptors = map;
	}
	pid = spawn(shell, &start);
	if (pid < 0)
		return pid;
	process = process_find(shell->process->machine, (unsigned)pid);
	if (!process)
		return pid;
	child = clone(shell, process, node);
	pool = pool_new(process);
	child->task = tree_copy(pool, node);
	child->task->next = NULL;
	child->task->background = false;
	child->task->joint = JOINT_NONE;
	process->shell = child;
	if (how->background && !shell->job_control) {
		process_on_signal(process, SIGINT, SIGNAL_IGNORED);
		process_on_signal(process, SIGQUIT, SIGNAL_IGNORED);
	}
	return pid;
}

int launch_child(struct process *process, int argc, char **argv)
{
	struct shell *shell = process->shell;

	shell->base = __builtin_frame_address(0);
	for (int i = 1; i < 65; i++)
		if (shell->traps && shell->traps[i])
			process_on_signal(process, i, SIGNAL_IGNORED);
	execute_node(shell, shell->task, EXECUTE_LAST);
	shell_exit(shell, shell->status);
}

int launch_complain(struct shell *shell, const char *name, const char *path, int error)
{
	bool bash = shell_has(shell, SHELL_BASH);
	struct file_status status;

	for (const char *at = name; bash && *at; at++)
		if ((uint8_t)*at < 32 || *at == 127) {
			name = builtin_quoted_single(shell, name);
			break;
		}
	if (error == -ENOENT || error == -ENOTDIR) {
		bool slash = strchr(name, '/') != NULL;

		if (!bash && !*name)
			message_say(shell, ": Permission denied");
		else if (bash && slash)
			message_say(shell, "%s: %s", name, strerror(-error));
		else
			message_say(shell, bash ? "%s: command not found" : "%s: not found", name);
		return 127;
	}
	if (bash && process_stat(shell->process, path, true, &status) == 0 && S_ISDIR(status.mode))
		error = -EISDIR;
	if (error == -EISDIR && !bash)
		error = -EACCES;
	message_say(shell, "%s: %s", strchr(name, '/') || !bash ? name : path, strerror(-error));
	return 126;
}

/* What a file without magic is: a script for this shell, or nothing that runs. */
static int run_script(struct shell *shell, const char *name, const char *path, char **argv,
		      char **environment)
{
	uint8_t head[128];
	int descriptor = process_open(shell->process, path, O_RDONLY, 0), count = 0;
	ssize_t length = descriptor < 0
				 ? descriptor
				 : process_read(shell->process, descriptor, head, sizeof(head));
	char **list;
	static const char *const shells[] = {"/bin/bash", "/bin/sh", "/bin/sh"};
	const char *interpreter = shells[shell_has(shell, SHELL_DASH)  ? 1
					 : shell_has(shell, SHELL_ASH) ? 2
								       : 0];

	if (descriptor >= 0)
		process_close(shell->process, descriptor);
	for (ssize_t i = 0; i < length && head[i] != '\n'; i++)
		if (!head[i] || (i == 3 && !memcmp(head, "\177ELF", 4))) {
			if (shell_has(shell, SHELL_BASH))
				message_say(shell,
					    "%s: cannot execute binary file: Exec format error",
					    name);
			else
				message_say(shell, "%s: Exec format error", name);
			return 126;
		}
	while (argv[count])
		count++;
	list = pool_take(shell->scratch, ((size_t)count + 3) * sizeof(*list));
	list[0] = argv[0];
	list[1] = (char *)(uintptr_t)path;
	for (int i = 1; i < count; i++)
		list[i + 1] = argv[i];
	list[count + (count ? 1 : 2)] = NULL;
	process_execute(shell->process, interpreter, list, environment);
	return 126;
}

static int launch_failed(struct shell *shell, const char *name, const char *path, char **argv,
			 char **environment, int error)
{
	if (error == -ENOEXEC)
		return run_script(shell, name, path, argv, environment);
	if (error == -ENOENT && process_access(shell->process, path, 0) == 0) {
		/* a script whose interpreter is not there */
		if (shell_has(shell, SHELL_BASH))
			message_say(shell, "%s: cannot execute: required file not found", path);
		else
			message_say(shell, "%s: not found", name);
		return 127;
	}
	return launch_complain(shell, name, path, error);
}

int launch_replace(struct shell *shell, const char *name, const char *path, char **argv,
		   char **environment)
{
	output_flush(shell);
	for (int i = 3; i < 64; i++)
		if (shell->hidden_descriptors >> i & 1)
			redirect_close_hidden(shell, i);
	return launch_failed(shell, name, path, argv, environment,
			     process_execute(shell->process, path, argv, environment));
}

/* A child that becomes a program. Its arguments: the path, how messages begin, the kind of shell,
 * then those of the program. */
enum { LAUNCH_PATH, LAUNCH_PREFIX, LAUNCH_KIND, LAUNCH_ARGUMENTS };

static int launch_execute(struct process *process, int argc, char **argv)
{
	struct shell *shell;
	int error = process_execute(process, argv[LAUNCH_PATH], argv + LAUNCH_ARGUMENTS,
				    process->environment);

	/* It could not: just enough of a shell to say why, or to run it as a script. */
	shell = process_take(process, sizeof(*shell));
	shell->process = process;
	shell->personality = (unsigned)(argv[LAUNCH_KIND][0] - '0');
	shell->prefix = argv[LAUNCH_PREFIX];
	shell->scratch = pool_new(process);
	return launch_failed(shell, argv[LAUNCH_ARGUMENTS], argv[LAUNCH_PATH],
			     argv + LAUNCH_ARGUMENTS, process->environment, error);
}

int launch_program(struct shell *shell, const char *path, char **argv, char **environment,
		   const struct launch *how)
{
	int count = 0, map[64], pid;
	char **list, kind[2] = {(char)('0' + shell->personality), '\0'};
	struct text prefix = {0};
	struct process_start start = {.run = launch_execute};

	while (argv[count])
		count++;
	list = pool_take(shell->scratch, ((size_t)count + 4) * sizeof(*list));
	message_prefix(shell, &prefix, NULL);
	list[LAUNCH_PATH] = (char *)(uintptr_t)path;
	list[LAUNCH_PREFIX] = prefix.data;
	list[LAUNCH_KIND] = kind;
	memcpy(list + LAUNCH_ARGUMENTS, argv, ((size_t)count + 1) * sizeof(*list));
	output_flush(shell);
	put_how(&start, how);
	if (!start.descriptors) {
		start.descriptor_count = launch_descriptors(shell, map);
		start.descriptors = map;
	}
	start.name = shell->process->name;
	start.argc = count + LAUNCH_ARGUMENTS;
	start.argv = list;
	start.environment = environment;
	start.busybox = shell->process->busybox;
	pid = process_spawn(shell->process, &start);
	process_give(shell->process, prefix.data);
	if (pid == -E2BIG || (pid == -EAGAIN && count > 4000)) {
		message_say(shell, "%s: Argument list too long", argv[0]);
		return -E2BIG;
	}
	if (pid == -EAGAIN) {
		list[LAUNCH_PREFIX] = (char *)(uintptr_t) "";
		pid = spawn(shell, &start);
	}
	if (pid > 0 && how->background && !shell->job_control) {
		struct process *child = process_find(shell->process->machine, (unsigned)pid);

		if (child) {
			process_on_signal(child, SIGINT, SIGNAL_IGNORED);
			process_on_signal(child, SIGQUIT, SIGNAL_IGNORED);
		}
	}
	return pid;
}

int launch_substitution(struct shell *shell, const struct node *tree, struct text *output)
{
	int ends[2], map[64], pid, result = 0;
	struct launch how = {.descriptors = map};
	unsigned char buffer[1024];
	ssize_t length;

	if (process_make_pipe(shell->process, ends) < 0) {
		message_say(shell, "pipe error: Too many open files");
		return -1;
	}
	how.descriptor_count = launch_descriptors(shell, map);
	if (ends[0] < 64)
		map[ends[0]] = -1;
	if (ends[1] < 64)
		map[ends[1]] = -1;
	map[1] = ends[1];
	pid = launch_node(shell, tree, &how);
	process_close(shell->process, ends[1]);
	if (pid < 0) {
		process_close(shell->process, ends[0]);
		return -1;
	}
	while ((length = process_read(shell->process, ends[0], buffer, sizeof(buffer))) != 0) {
		if (length == -EINTR) {
			execute_note_signals(shell);
			continue;
		}
		if (length < 0)
			break;
		if (output->length + (size_t)length > SUBSTITUTION_MAX) {
			message_fatal(shell, 1, "xrealloc: cannot allocate %zu bytes",
				      output->length * 2);
			result = -1;
			break;
		}
		text_add(shell->process, output, slice_of(buffer, (size_t)length));
	}
	process_close(shell->process, ends[0]);
	shell->substitution_status = jobs_wait_pid(shell, pid);
	return result;
}

char *launch_process_substitution(struct shell *shell, const struct node *tree, bool reading)
{
	int ends[2], map[64], pid, kept;
	struct launch how = {.descriptors = map, .background = true};
	char *path = pool_take(shell->scratch, 24);

	memcpy(path, "/dev/null", 10);
	if (process_make_pipe(shell->process, ends) < 0)
		return path;
	how.descriptor_count = launch_descriptors(shell, map);
	if (ends[0] < 64)
		map[ends[0]] = -1;
	if (ends[1] < 64)
		map[ends[1]] = -1;
	map[reading ? 1 : 0] = ends[reading ? 1 : 0];
	pid = launch_node(shell, tree, &how);
	process_close(shell->process, ends[reading ? 1 : 0]);
	if (pid < 0) {
		process_close(shell->process, ends[reading ? 0 : 1]);
		return path;
	}
	kept = process_duplicate_above(shell->process, ends[reading ? 0 : 1], 20);
	process_close(shell->process, ends[reading ? 0 : 1]);
	snprintf(path, 24, "/dev/fd/%d", kept);
	return path;
}
