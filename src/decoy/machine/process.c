/* The life of a process: memory, spawn, execute, exit, wait. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "decoy/machine/commands/rare.h"
#include "decoy/machine/process_state.h"

#define SCRIPTS_MAX 4 /* scripts whose interpreter is a script; Linux has this limit too */

/* --- memory --- */

void *machine_take(struct machine *machine, size_t size)
{
	void *at;

	if (size > MACHINE_MEMORY_MAX || machine->memory > MACHINE_MEMORY_MAX - size)
		return NULL;
	at = calloc(1, size);
	if (at)
		machine->memory += size;
	return at;
}

void machine_give(struct machine *machine, void *at, size_t size)
{
	if (!at)
		return;
	machine->memory -= size;
	free(at);
}

static struct piece *piece_of(void *at)
{
	return (struct piece *)((uint8_t *)at - offsetof(struct piece, bytes));
}

static void link_piece(struct process_entry *entry, struct piece *piece)
{
	piece->previous = NULL;
	piece->next = entry->pieces;
	if (piece->next)
		piece->next->previous = piece;
	entry->pieces = piece;
}

static void unlink_piece(struct process_entry *entry, struct piece *piece)
{
	if (piece->next)
		piece->next->previous = piece->previous;
	if (piece->previous)
		piece->previous->next = piece->next;
	else
		entry->pieces = piece->next;
}

static _Noreturn void out_of_memory(struct process_entry *entry)
{
	struct process_entry *current = entry->public.machine->current;

	/* Of a child that its parent furnishes: nothing of it may run, and only who runs can wait.
	 */
	if (current && current != entry) {
		process_finish(entry, SIGKILL);
		entry = current;
	}
	if (entry->machine_short)
		process_die(entry, SIGKILL);
	entry->machine_short = true;
	process_complain(&entry->public, "Cannot allocate memory");
	process_exit(&entry->public, entry->public.busybox ? 1 : 2);
}

/* What a process that does not run yet can have: NULL when there is none. */
static void *take(struct process_entry *entry, size_t size)
{
	struct piece *piece;

	if (size > MACHINE_MEMORY_MAX)
		return NULL;
	piece = machine_take(entry->public.machine, sizeof(*piece) + size);
	if (!piece)
		return NULL;
	piece->size = size;
	link_piece(entry, piece);
	return piece->bytes;
}

void *process_take(struct process *process, size_t size)
{
	void *at = take(entry_of(process), size);

	if (!at)
		out_of_memory(entry_of(process));
	return at;
}

void *process_retake(struct process *process, void *at, size_t size)
{
	struct process_entry *entry = entry_of(process);
	struct machine *machine = process->machine;
	struct piece *piece, *grown;
	size_t before;

	if (!at)
		return process_take(process, size);
	piece = piece_of(at);
	before = piece->size;
	if (size > MACHINE_MEMORY_MAX ||
	    (size > before && machine->memory > MACHINE_MEMORY_MAX - (size - before)))
		out_of_memory(entry);
	unlink_piece(entry, piece);
	grown = realloc(piece, sizeof(*piece) + size);
	if (!grown) {
		link_piece(entry, piece);
		out_of_memory(entry);
	}
	machine->memory += size;
	machine->memory -= before;
	grown->size = size;
	link_piece(entry, grown);
	return grown->bytes;
}

void process_give(struct process *process, void *at)
{
	struct process_entry *entry = entry_of(process);
	struct piece *piece;

	if (!at)
		return;
	piece = piece_of(at);
	unlink_piece(entry, piece);
	machine_give(process->machine, piece, sizeof(*piece) + piece->size);
}

static void give_pieces(struct machine *machine, struct piece *piece)
{
	while (piece) {
		struct piece *next = piece->next;

		machine_give(machine, piece, sizeof(*piece) + piece->size);
		piece = next;
	}
}

/* --- copies of argument lists --- */

static char **copy_list(struct process_entry *entry, char **list, size_t *total)
{
	size_t count = 0, bytes = 0;
	char **copy, *at;

	while (list && list[count])
		bytes += strlen(list[count++]) + 1;
	*total += bytes;
	if (*total > MACHINE_ARGUMENTS_MAX)
		return NULL;
	copy = take(entry, (count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	at = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(list[i]) + 1;

		copy[i] = memcpy(at, list[i], length);
		at += length;
	}
	return copy;
}

static int count_of(char **list)
{
	int count = 0;

	while (list && list[count])
		count++;
	return count;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- birth --- */

struct process_entry *process_new(struct machine *machine, struct process_entry *parent)
{
	struct process_entry *entry;
	struct trap *trap = session_trap(machine->session);

	if (machine->count >= MACHINE_PROCESSES_MAX)
		return NULL;
	entry = machine_take(machine, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->public.machine = machine;
	entry->public.pid = machine->next_pid;
	/* Others of the host are started as well. */
	machine->next_pid += 1 + (unsigned)(session_random_number(machine->session, 64) == 0);
	entry->public.started = trap->wall(trap);
	if (parent) {
		entry->public.parent = &parent->public;
		entry->public.group = parent->public.group;
		entry->public.session = parent->public.session;
		entry->public.umask = parent->public.umask;
		entry->public.busybox = parent->public.busybox;
		entry->ignored = parent->ignored;
		entry->folder = parent->folder;
	}
	entry->older = machine->newest;
	if (machine->newest)
		machine->newest->newer = entry;
	else
		machine->oldest = entry;
	machine->newest = entry;
	machine->count++;
	return entry;
}

void process_remove(struct process_entry *entry)
{
	struct machine *machine = entry->public.machine;

	if (entry->older)
		entry->older->newer = entry->newer;
	else
		machine->oldest = entry->newer;
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		machine->newest = entry->older;
	machine->count--;
	if (machine->leader == entry)
		machine->leader = NULL;
	machine_give(machine, entry, sizeof(*entry));
}

/* The coroutine: runs one program after another (process_execute) until one returns. */
static void run_process(void *context)
{
	struct process_entry *entry = context;
	int status;

	(void)setjmp(entry->base);
	status = entry->run(&entry->public, entry->public.argc, entry->public.argv);
	process_exit(&entry->public, status);
}

int process_begin(struct process_entry *entry)
{
	entry->coroutine =
		coroutine_new(host_stacks(entry->public.machine->host), run_process, entry);
	return entry->coroutine ? 0 : -EAGAIN;
}

static int set_identity(struct process_entry *entry, const struct process_identity *identity)
{
	unsigned *groups = NULL;

	if (identity->group_count) {
		groups = take(entry, identity->group_count * sizeof(*groups));
		if (!groups)
			return -1;
		memcpy(groups, identity->groups, identity->group_count * sizeof(*groups));
	}
	entry->public.identity = *identity;
	entry->public.identity.groups = groups;
	return 0;
}

static int furnish(struct process_entry *child, struct process_entry *parent,
		   const struct process_start *start)
{
	size_t total = 0;
	char *name[] = {(char *)(uintptr_t)start->name, NULL};

	child->public.argv = copy_list(child, start->argv ? start->argv : name, &total);
	child->public.environment = copy_list(
		child, start->environment ? start->environment : parent->public.environment,
		&total);
	if (!child->public.argv || !child->public.environment)
		return -1;
	child->public.argc = count_of(child->public.argv);
	child->working_folder = take(child, strlen(parent->working_folder) + 1);
	if (!child->working_folder)
		return -1;
	memcpy(child->working_folder, parent->working_folder, strlen(parent->working_folder) + 1);
	{
		char *copy = take(child, strlen(start->name) + 1);

		if (!copy)
			return -1;
		memcpy(copy, start->name, strlen(start->name) + 1);
		child->public.name = last_part(copy);
	}
	return set_identity(child, &parent->public.identity);
}

int process_spawn(struct process *process, const struct process_start *start)
{
	struct process_entry *parent = entry_of(process);
	struct machine *machine = process->machine;
	struct process_entry *child;

	/* May wait: there must not yet be a child that has nothing to run. */
	process_step(process);
	child = process_new(machine, parent);
	if (!child)
		return -EAGAIN;
	child->run = start->run;
	child->handed_over = start->hand_over;
	child->public.busybox = start->busybox;
	if (start->own_group)
		child->public.group = child->public.pid;
	else if (start->group)
		child->public.group = start->group;
	if (furnish(child, parent, start) < 0 || descriptors_inherit(child, parent, start) < 0 ||
	    process_begin(child) < 0) {
		child->public.parent = NULL;
		process_finish(child, 0);
		process_forget(child);
		process_remove(child);
		return -EAGAIN;
	}
	if (start->foreground && machine->terminal)
		machine->terminal->foreground = child->public.group;
	process->cpu += 300;
	return (int)child->public.pid;
}

void *process_handed_over(struct process *process)
{
	return entry_of(process)->handed_over;
}

/* --- execute --- */

/* A program that came from outside, for this processor: it starts, goes into the background as such
 * programs do, and is seen in ps for a while. It is never run. */
static int linger(struct process *process, int argc, char **argv)
{
	process_sleep(process, 60 * SECOND + (int64_t)process_random_number(process, 600) * SECOND);
	return 0;
}

static int foreign_program(struct process *process, int argc, char **argv)
{
	static const int closed[] = {-1, -1, -1};
	struct process_start start = {.name = process->name,
				      .run = linger,
				      .argc = argc,
				      .argv = argv,
				      .own_group = true,
				      .descriptors = closed,
				      .descriptor_count = 3};

	process_sleep(process, 20000 + (int64_t)process_random_number(process, 80000));
	(void)process_spawn(process, &start);
	return 0;
}

/* The magic of ELF for the host's own processor; anything else is not executable here. */
static bool is_native(struct process_entry *entry, const uint8_t *head, ssize_t length)
{
	const struct host_processor *processor = host_processor(entry->public.machine->host);
	static const struct {
		const char *architecture;
		uint8_t bits, order;
		uint16_t machine;
	} kinds[] = {{"x86_64", 2, 1, 62},   {"x86_64", 1, 1, 3},     {"i686", 1, 1, 3},
		     {"aarch64", 2, 1, 183}, {"aarch64", 1, 1, 40},   {"armv7l", 1, 1, 40},
		     {"armv6l", 1, 1, 40},   {"armv5tejl", 1, 1, 40}, {"mips", 1, 2, 8},
		     {"mipsel", 1, 1, 8},    {"ppc", 1, 2, 20},       {"sh4", 1, 1, 42}};

	if (length < 20 || memcmp(head, "\177ELF", 4) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		unsigned machine = kinds[i].order == 1 ? (unsigned)(head[18] | head[19] << 8)
						       : (unsigned)(head[19] | head[18] << 8);

		/* MIPS names itself alike in both byte orders. */
		if (strcmp(processor->architecture, kinds[i].architecture) == 0 &&
		    head[4] == kinds[i].bits && head[5] == kinds[i].order &&
		    machine == kinds[i].machine)
			return true;
	}
	return false;
}

struct found_program {
	process_main *run;
	bool busybox;
	char interpreter[MACHINE_NAME_MAX + 1]; /* of a script */
	char option[MACHINE_NAME_MAX + 1];
};

static int read_script_line(const uint8_t *head, size_t length, struct found_program *found)
{
	struct slice line = slice_of(head + 2, length - 2), word;
	size_t end = slice_find_byte(line, '\n');

	line = slice_trim(slice_first(line, end));
	end = 0;
	while (end < line.length && line.at[end] != ' ' && line.at[end] != '\t')
		end++;
	word = slice_first(line, end);
	line = slice_trim(slice_from(line, end));
	if (word.length == 0 || word.length > MACHINE_NAME_MAX || line.length > MACHINE_NAME_MAX)
		return -ENOEXEC;
	memcpy(found->interpreter, word.at, word.length);
	found->interpreter[word.length] = '\0';
	memcpy(found->option, line.at, line.length);
	found->option[line.length] = '\0';
	return 0;
}

static int find_program(struct process_entry *entry, const char *path, struct found_program *found)
{
	struct file_access access = process_file_access(entry);
	struct file_status status;
	const struct command *command;
	const char *program;
	uint8_t head[256];
	ssize_t length;
	int error = 0;
	node_number node = file_system_walk(&access, entry->folder, path, true, &error);

	found->interpreter[0] = '\0';
	if (!node)
		return error ? error : -ENOENT;
	error = file_system_status(&access, node, &status);
	if (error < 0)
		return error;
	if (!S_ISREG(status.mode))
		return -EACCES;
	error = file_system_may(&access, node, 1);
	if (error < 0)
		return error;
	if ((status.mode & 0111) == 0)
		return -EACCES;
	program = file_system_program(&access, node);
	if (program) {
		found->busybox = strcmp(program, "busybox") == 0 ||
				 host_kind(entry->public.machine->host) == HOST_ROUTER;
		command =
			command_find(program, host_kind(entry->public.machine->host) == HOST_ROUTER
						      ? COMMAND_BUSYBOX
						      : COMMAND_DEBIAN);
		if (!command)
			command = command_find(program, COMMAND_BOTH);
		found->run = command ? command->run : rare_program;
		return 0;
	}
	length = file_system_read(&access, node, 0, head, sizeof(head));
	if (length >= 3 && head[0] == '#' && head[1] == '!')
		return read_script_line(head, (size_t)length, found);
	if (!is_native(entry, head, length))
		return -ENOEXEC;
	capture_keep(entry->public.machine, node);
	found->run = foreign_program;
	return 0;
}

/* What a program leaves to the next one: its arguments and environment, nothing else. */
static int replace_image(struct process_entry *entry, const char *path, char **argv,
			 char **environment)
{
	struct machine *machine = entry->public.machine;
	struct piece *before = entry->pieces;
	struct process_identity identity = entry->public.identity;
	char *folder = entry->working_folder, *name;
	size_t total = 0;
	char **new_argv, **new_environment;

	entry->pieces = NULL;
	new_argv = copy_list(entry, argv, &total);
	new_environment = copy_list(entry, environment, &total);
	name = take(entry, strlen(path) + 1);
	entry->working_folder = take(entry, strlen(folder) + 1);
	if (!new_argv || !new_environment || !name || !entry->working_folder ||
	    set_identity(entry, &identity) < 0) {
		give_pieces(machine, entry->pieces);
		entry->pieces = before;
		entry->working_folder = folder;
		entry->public.identity = identity;
		return -E2BIG;
	}
	memcpy(name, path, strlen(path) + 1);
	memcpy(entry->working_folder, folder, strlen(folder) + 1);
	entry->output = NULL;
	entry->output_length = 0;
	entry->public.argv = new_argv;
	entry->public.argc = count_of(new_argv);
	entry->public.environment = new_environment;
	entry->public.name = last_part(name);
	entry->public.shell = NULL;
	command_forget_accounts(&entry->public);
	entry->caught = entry->pending = 0;
	give_pieces(machine, before);
	return 0;
}

static void close_on_execute(struct process_entry *entry)
{
	for (size_t i = 0; i < entry->descriptor_count; i++)
		if (entry->descriptors[i].file && entry->descriptors[i].close_on_exec)
			process_close(&entry->public, (int)i);
}

static int execute(struct process *process, const char *path, char **argv, char **environment,
		   unsigned depth)
{
	struct process_entry *entry = entry_of(process);
	struct found_program found = {0};
	int result = find_program(entry, path, &found);

	if (result < 0)
		return result;
	process_step(process);
	if (found.interpreter[0]) {
		int argc = count_of(argv), at = 0;
		char **list;

		if (depth >= SCRIPTS_MAX)
			return -ELOOP;
		list = process_take(process, (size_t)(argc + 4) * sizeof(*list));
		list[at++] = found.interpreter;
		if (found.option[0])
			list[at++] = found.option;
		list[at++] = process_copy_text(process, path);
		for (int i = 1; i < argc; i++)
			list[at++] = argv[i];
		result = execute(process, found.interpreter, list, environment, depth + 1);
		return result;
	}
	process_flush(process);
	result = replace_image(entry, path, argv, environment);
	if (result < 0)
		return result;
	close_on_execute(entry);
	process->busybox = found.busybox;
	process->cpu += 700;
	entry->run = found.run;
	longjmp(entry->base, 1);
}

int process_execute(struct process *process, const char *path, char **argv, char **environment)
{
	return execute(process, path, argv, environment ? environment : process->environment, 0);
}

void process_become(struct process *process, const struct process_identity *identity)
{
	if (set_identity(entry_of(process), identity) < 0)
		out_of_memory(entry_of(process));
}

void process_set_environment(struct process *process, char **environment)
{
	struct process_entry *entry = entry_of(process);
	size_t total = 0;
	char **before = process->environment;
	char **copy = copy_list(entry, environment, &total);

	if (!copy)
		out_of_memory(entry);
	process->environment = copy;
	process_give(process, before);
}

const char *process_environment(struct process *process, const char *name)
{
	size_t length = strlen(name);

	for (char **at = process->environment; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

/* --- waiting and ending --- */

bool process_pause(struct process_entry *entry, enum wait_kind kind, struct open_file *file,
		   int64_t until)
{
	if (entry->pending && kind != WAIT_WRITE) {
		entry->interrupted = true;
		return false;
	}
	entry->wait = kind;
	entry->wait_file = file;
	entry->wait_until = until;
	entry->interrupted = false;
	entry->timed_out = false;
	coroutine_wait(entry->coroutine);
	entry->wait = WAIT_NOTHING;
	return !entry->interrupted && !entry->timed_out;
}

/* Children of one that ends belong to init, which waits for all of them. */
static void orphan_children(struct process_entry *entry)
{
	struct process_entry *at = entry->public.machine->oldest, *next;

	for (; at; at = next) {
		next = at->newer;
		if (at->public.parent != &entry->public)
			continue;
		at->public.parent = NULL;
		at->orphan = true;
		if (at->ended) {
			process_forget(at);
			process_remove(at);
		}
	}
}

void process_finish(struct process_entry *entry, int wait_status)
{
	struct machine *machine = entry->public.machine;

	if (entry->ended)
		return;
	entry->ended = true;
	entry->wait_status = wait_status;
	open_file_let_go(entry);
	descriptors_close_all(entry);
	coroutine_drop(entry->coroutine);
	entry->coroutine = NULL;
	entry->public.shell = NULL;
	entry->output = NULL;
	orphan_children(entry);
	if (entry->public.parent)
		signal_deliver(entry_of(entry->public.parent), SIGCHLD);
	if (machine->leader == entry) {
		machine->leader_ended = true;
		machine->leader_status = wait_status;
	}
}

/* Memory of an ended process goes as soon as nobody reads its name: ps shows <defunct>. */
void process_forget(struct process_entry *entry)
{
	give_pieces(entry->public.machine, entry->pieces);
	entry->pieces = NULL;
}

void process_exit(struct process *process, int status)
{
	struct process_entry *entry = entry_of(process);

	process_flush(process);
	entry->exit_status = (status & 0xff) << 8;
	entry->exiting = true;
	for (;;)
		coroutine_wait(entry->coroutine);
}

void process_die(struct process_entry *entry, int signal)
{
	entry->exit_status = signal & 0x7f;
	entry->exiting = true;
	for (;;)
		coroutine_wait(entry->coroutine);
}

static bool is_wanted(const struct process_entry *child, const struct process_entry *parent,
		      int pid)
{
	if (child->public.parent != &parent->public)
		return false;
	if (pid > 0)
		return child->public.pid == (unsigned)pid;
	if (pid == -1)
		return true;
	return child->public.group == (pid == 0 ? parent->public.group : (unsigned)-pid);
}

/* A child that has something to tell; *any: there is one that may have later. */
static int collect(struct process_entry *parent, int pid, int options, int *status, bool *any)
{
	*any = false;
	for (struct process_entry *at = parent->public.machine->oldest; at; at = at->newer) {
		int found;

		if (!is_wanted(at, parent, pid))
			continue;
		*any = true;
		found = (int)at->public.pid;
		if (at->ended) {
			*status = at->wait_status;
			parent->public.cpu += at->public.cpu;
			process_forget(at);
			process_remove(at);
			return found;
		}
		if (options & WUNTRACED && at->stopped && !at->stop_told) {
			at->stop_told = true;
			*status = at->stop_signal << 8 | 0x7f;
			return found;
		}
	}
	return 0;
}

int process_wait(struct process *process, int pid, int options, int *status)
{
	struct process_entry *entry = entry_of(process);
	bool any;
	int ignored;

	for (;;) {
		int found = collect(entry, pid, options, status ? status : &ignored, &any);

		if (found)
			return found;
		if (!any)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		entry->wait_pid = pid;
		entry->wait_options = options;
		if (!process_pause(entry, WAIT_CHILD, NULL, 0))
			return -EINTR;
	}
}

bool process_child_is_ready(struct process_entry *parent)
{
	for (struct process_entry *at = parent->public.machine->oldest; at; at = at->newer)
		if (is_wanted(at, parent, parent->wait_pid) &&
		    (at->ended ||
		     (parent->wait_options & WUNTRACED && at->stopped && !at->stop_told)))
			return true;
	return false;
}
