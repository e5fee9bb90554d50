/* Open files, pipes, and reading and writing through descriptors. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/process_state.h"

#define DESCRIPTORS_FIRST 8
#define PIPE_FIRST        256
#define PIECE             4096 /* bytes that one turn moves between a file and a pipe */

/* --- pipes --- */

struct pipe *pipe_new(struct machine *machine)
{
	return machine_take(machine, sizeof(struct pipe));
}

void pipe_free(struct machine *machine, struct pipe *pipe)
{
	if (!pipe)
		return;
	machine_give(machine, pipe->bytes, pipe->capacity);
	machine_give(machine, pipe, sizeof(*pipe));
}

static int grow_pipe(struct machine *machine, struct pipe *pipe, size_t wanted)
{
	size_t capacity = pipe->capacity ? pipe->capacity : PIPE_FIRST;
	uint8_t *bytes;

	while (capacity < wanted)
		capacity *= 2;
	if (capacity > MACHINE_PIPE_MAX)
		capacity = MACHINE_PIPE_MAX;
	if (capacity <= pipe->capacity)
		return 0;
	bytes = machine_take(machine, capacity);
	if (!bytes)
		return -1;
	for (size_t i = 0; i < pipe->length; i++)
		bytes[i] = pipe->bytes[(pipe->start + i) % pipe->capacity];
	machine_give(machine, pipe->bytes, pipe->capacity);
	pipe->bytes = bytes;
	pipe->capacity = capacity;
	pipe->start = 0;
	return 0;
}

size_t pipe_put(struct machine *machine, struct pipe *pipe, struct slice bytes)
{
	size_t count;

	if (pipe->length + bytes.length > pipe->capacity)
		(void)grow_pipe(machine, pipe, pipe->length + bytes.length);
	count = pipe->capacity - pipe->length;
	if (count > bytes.length)
		count = bytes.length;
	for (size_t i = 0; i < count;) {
		size_t at = (pipe->start + pipe->length) % pipe->capacity,
		       run = pipe->capacity - at;

		if (run > count - i)
			run = count - i;
		memcpy(pipe->bytes + at, bytes.at + i, run);
		pipe->length += run;
		i += run;
	}
	return count;
}

static size_t pipe_get(struct machine *machine, struct pipe *pipe, uint8_t *at, size_t size)
{
	size_t count = size < pipe->length ? size : pipe->length;

	for (size_t i = 0; i < count;) {
		size_t run = pipe->capacity - pipe->start;

		if (run > count - i)
			run = count - i;
		memcpy(at + i, pipe->bytes + pipe->start, run);
		pipe->start = (pipe->start + run) % pipe->capacity;
		i += run;
	}
	pipe->length -= count;
	if (pipe->length == 0) {
		machine_give(machine, pipe->bytes, pipe->capacity);
		pipe->bytes = NULL;
		pipe->capacity = pipe->start = 0;
	}
	return count;
}

/* --- open files --- */

struct open_file *open_file_new(struct machine *machine, enum open_kind kind, int flags)
{
	struct open_file *file = machine_take(machine, sizeof(*file));

	if (!file)
		return NULL;
	file->kind = kind;
	file->flags = flags;
	return file;
}

void open_file_release(struct machine *machine, struct open_file *file)
{
	if (!file || (file->references && --file->references))
		return;
	switch (file->kind) {
	case OPEN_PIPE_READ:
		file->pipe->readers--;
		break;
	case OPEN_PIPE_WRITE:
		file->pipe->writers--;
		break;
	case OPEN_CLIENT_OUTPUT:
		machine->client_writers[file->stream]--;
		break;
	case OPEN_NODE:
		if (file->written)
			capture_changed(machine, file->node, file->path);
		file_system_release(machine->files, file->node);
		break;
	default:
		break;
	}
	if (file->pipe && file->pipe->readers == 0 && file->pipe->writers == 0)
		pipe_free(machine, file->pipe);
	machine_give(machine, file->memory, file->memory_size);
	if (file->path)
		machine_give(machine, file->path, strlen(file->path) + 1);
	machine_give(machine, file, sizeof(*file));
}

bool open_file_has_input(struct machine *machine, struct open_file *file,
			 struct process_entry *entry)
{
	switch (file->kind) {
	case OPEN_PIPE_READ:
		return file->pipe->length || file->pipe->writers == 0;
	case OPEN_TERMINAL:
		return terminal_has_input(machine->terminal);
	case OPEN_CLIENT_INPUT:
		return (machine->input && machine->input->length) || machine->input_ended;
	default:
		return true;
	}
	(void)entry;
}

bool open_file_takes_output(struct machine *machine, struct open_file *file)
{
	switch (file->kind) {
	case OPEN_PIPE_WRITE:
		return file->pipe->length < MACHINE_PIPE_MAX || file->pipe->readers == 0;
	case OPEN_TERMINAL:
		return machine->hung_up ||
		       (!machine->terminal->stopped && machine->room[MACHINE_OUTPUT] > 1);
	case OPEN_CLIENT_OUTPUT:
		return machine->hung_up || machine->room[file->stream] > 0;
	default:
		return true;
	}
}

/* --- descriptor tables --- */

static struct open_file *file_at(struct process_entry *entry, int number)
{
	if (number < 0 || (size_t)number >= entry->descriptor_count)
		return NULL;
	return entry->descriptors[number].file;
}

static int make_room_for(struct process_entry *entry, size_t number)
{
	struct machine *machine = entry->public.machine;
	size_t count = entry->descriptor_count ? entry->descriptor_count : DESCRIPTORS_FIRST;
	struct descriptor *table;

	if (number >= MACHINE_DESCRIPTORS_MAX)
		return -EMFILE;
	if (number < entry->descriptor_count)
		return 0;
	while (count <= number)
		count *= 2;
	table = machine_take(machine, count * sizeof(*table));
	if (!table)
		return -ENOMEM;
	if (entry->descriptor_count)
		memcpy(table, entry->descriptors, entry->descriptor_count * sizeof(*table));
	machine_give(machine, entry->descriptors, entry->descriptor_count * sizeof(*table));
	entry->descriptors = table;
	entry->descriptor_count = count;
	return 0;
}

int descriptor_put(struct process_entry *entry, struct open_file *file, int number)
{
	int error = make_room_for(entry, (size_t)number);

	if (error < 0)
		return error;
	file->references++;
	if (entry->descriptors[number].file)
		open_file_release(entry->public.machine, entry->descriptors[number].file);
	entry->descriptors[number] = (struct descriptor){file, false};
	return number;
}

int descriptor_give(struct process_entry *entry, struct open_file *file, int lowest)
{
	size_t number = (size_t)lowest;

	while (number < entry->descriptor_count && entry->descriptors[number].file)
		number++;
	return descriptor_put(entry, file, (int)number);
}

void descriptors_close_all(struct process_entry *entry)
{
	struct machine *machine = entry->public.machine;

	for (size_t i = 0; i < entry->descriptor_count; i++)
		open_file_release(machine, entry->descriptors[i].file);
	machine_give(machine, entry->descriptors,
		     entry->descriptor_count * sizeof(*entry->descriptors));
	entry->descriptors = NULL;
	entry->descriptor_count = 0;
}

int descriptors_inherit(struct process_entry *child, struct process_entry *parent,
			const struct process_start *start)
{
	size_t count = start->descriptors ? start->descriptor_count : parent->descriptor_count;

	for (size_t i = 0; i < count; i++) {
		int from = start->descriptors ? start->descriptors[i] : (int)i;
		struct open_file *file = file_at(parent, from);

		if (!file || (!start->descriptors && parent->descriptors[i].close_on_exec))
			continue;
		if (descriptor_put(child, file, (int)i) < 0)
			return -1;
	}
	return 0;
}

int process_close(struct process *process, int descriptor)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);

	if (!file)
		return -EBADF;
	if (descriptor == 1)
		process_flush(process);
	entry->descriptors[descriptor].file = NULL;
	open_file_release(process->machine, file);
	return 0;
}

int process_duplicate(struct process *process, int from, int to)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, from);

	if (!file)
		return -EBADF;
	if (from == to)
		return to;
	if (to == 1)
		process_flush(process);
	return to < 0 ? descriptor_give(entry, file, 0) : descriptor_put(entry, file, to);
}

int process_duplicate_above(struct process *process, int from, int lowest)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, from);

	return file ? descriptor_give(entry, file, lowest) : -EBADF;
}

int process_close_on_execute(struct process *process, int descriptor, bool close)
{
	struct process_entry *entry = entry_of(process);

	if (!file_at(entry, descriptor))
		return -EBADF;
	entry->descriptors[descriptor].close_on_exec = close;
	return 0;
}

int process_make_pipe(struct process *process, int ends[2])
{
	struct process_entry *entry = entry_of(process);
	struct machine *machine = process->machine;
	struct pipe *pipe = pipe_new(machine);
	struct open_file *out = open_file_new(machine, OPEN_PIPE_READ, O_RDONLY);
	struct open_file *in = open_file_new(machine, OPEN_PIPE_WRITE, O_WRONLY);

	if (!pipe || !out || !in) {
		machine_give(machine, pipe, sizeof(*pipe));
		machine_give(machine, out, sizeof(*out));
		machine_give(machine, in, sizeof(*in));
		return -ENFILE;
	}
	pipe->readers = pipe->writers = 1;
	out->pipe = in->pipe = pipe;
	ends[0] = descriptor_give(entry, out, 0);
	if (ends[0] < 0) {
		open_file_release(machine, out);
		open_file_release(machine, in);
		return ends[0];
	}
	ends[1] = descriptor_give(entry, in, 0);
	if (ends[1] < 0) {
		process_close(process, ends[0]);
		open_file_release(machine, in);
		return ends[1];
	}
	return 0;
}

int process_here(struct process *process, struct slice bytes)
{
	struct machine *machine = process->machine;
	struct open_file *file = open_file_new(machine, OPEN_MEMORY, O_RDONLY);
	int descriptor;

	if (!file)
		return -ENFILE;
	if (bytes.length) {
		file->memory = machine_take(machine, bytes.length);
		if (!file->memory) {
			machine_give(machine, file, sizeof(*file));
			return -ENOMEM;
		}
		memcpy(file->memory, bytes.at, bytes.length);
		file->memory_size = bytes.length;
	}
	descriptor = descriptor_give(entry_of(process), file, 0);
	if (descriptor < 0)
		open_file_release(machine, file);
	return descriptor;
}

/* A file that the process is using stays, whatever another does with its descriptor; when the
 * process ends in the middle, process_finish lets go of it. */
static void hold(struct process_entry *entry, struct open_file *file)
{
	file->references++;
	entry->held = file;
}

void open_file_let_go(struct process_entry *entry)
{
	struct open_file *file = entry->held;

	entry->held = NULL;
	open_file_release(entry->public.machine, file);
}

/* --- reading --- */

/* A background process that reads the terminal is stopped; where nobody could go on with it, the
 * terminal seems to have failed. */
static int may_read_terminal(struct process_entry *entry)
{
	struct machine *machine = entry->public.machine;

	while (machine->terminal->foreground != entry->public.group) {
		if (entry->ignored & BIT_OF(SIGTTIN) || !machine->leader)
			return -EIO;
		signal_group(machine, entry->public.group, SIGTTIN);
		if (entry->pending)
			return -EINTR;
	}
	return 0;
}

static ssize_t read_terminal(struct process_entry *entry, void *at, size_t size)
{
	struct machine *machine = entry->public.machine;
	int error = may_read_terminal(entry);

	if (error < 0)
		return error;
	if (machine->hung_up)
		return 0;
	return (ssize_t)terminal_read(machine, at, size);
}

static ssize_t read_node(struct process_entry *entry, struct open_file *file, void *at, size_t size)
{
	struct file_access access = process_file_access(entry);
	ssize_t got = file_system_read(&access, file->node, file->offset, at, size);

	if (got > 0)
		file->offset += (uint64_t)got;
	return got;
}

static ssize_t read_now(struct process_entry *entry, struct open_file *file, void *at, size_t size)
{
	struct machine *machine = entry->public.machine;
	size_t left;

	switch (file->kind) {
	case OPEN_NODE:
		return read_node(entry, file, at, size);
	case OPEN_PIPE_READ:
		return (ssize_t)pipe_get(machine, file->pipe, at, size);
	case OPEN_TERMINAL:
		return read_terminal(entry, at, size);
	case OPEN_CLIENT_INPUT:
		return machine->input ? (ssize_t)pipe_get(machine, machine->input, at, size) : 0;
	case OPEN_MEMORY:
		left = file->memory_size - file->offset;
		if (size > left)
			size = left;
		if (size)
			memcpy(at, file->memory + file->offset, size);
		file->offset += size;
		return (ssize_t)size;
	case OPEN_NULL:
		return 0;
	case OPEN_ZERO:
	case OPEN_FULL:
		memset(at, 0, size);
		return (ssize_t)size;
	case OPEN_RANDOM:
		if (size > PIECE)
			size = PIECE;
		session_random(machine->session, at, size);
		return (ssize_t)size;
	default:
		return -EBADF;
	}
}

ssize_t process_read(struct process *process, int descriptor, void *at, size_t size)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);

	if (!file || (file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (descriptor == 0)
		process_flush(process);
	process_step(process);
	hold(entry, file);
	for (;;) {
		ssize_t got;

		if (entry->pending && file->kind == OPEN_TERMINAL) {
			open_file_let_go(entry);
			return -EINTR;
		}
		if (open_file_has_input(process->machine, file, entry)) {
			got = read_now(entry, file, at, size);
			open_file_let_go(entry);
			return got;
		}
		if (file->kind == OPEN_TERMINAL) {
			int error = may_read_terminal(entry);

			if (error < 0) {
				open_file_let_go(entry);
				return error;
			}
		}
		if (!process_pause(entry, WAIT_READ, file, 0) && entry->interrupted) {
			open_file_let_go(entry);
			return -EINTR;
		}
	}
}

bool process_has_input(struct process *process, int descriptor)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);

	return file && open_file_has_input(process->machine, file, entry);
}

bool process_await_input(struct process *process, int descriptor, int64_t microseconds)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);
	int64_t until = microseconds < 0 ? 0 : machine_monotonic(process->machine) + microseconds;

	if (!file)
		return true;
	process_flush(process);
	if (open_file_has_input(process->machine, file, entry))
		return true;
	if (microseconds == 0)
		return false;
	hold(entry, file);
	(void)process_pause(entry, WAIT_READ, file, until);
	open_file_let_go(entry);
	file = file_at(entry, descriptor);
	return file && open_file_has_input(process->machine, file, entry);
}

/* --- writing --- */

static ssize_t write_node(struct process_entry *entry, struct open_file *file, struct slice bytes)
{
	struct file_access access = process_file_access(entry);
	struct file_status status;
	ssize_t put;

	if (file->flags & O_APPEND && file_system_status(&access, file->node, &status) == 0)
		file->offset = status.size;
	put = file_system_write(&access, file->node, file->offset, bytes);
	if (put > 0) {
		file->offset += (uint64_t)put;
		file->written = true;
	}
	return put;
}

/* As much as goes now: 0 means wait. */
static ssize_t write_now(struct process_entry *entry, struct open_file *file, struct slice bytes)
{
	struct machine *machine = entry->public.machine;
	struct slice part;

	switch (file->kind) {
	case OPEN_NODE:
		return write_node(entry, file, bytes);
	case OPEN_PIPE_WRITE:
		if (file->pipe->readers == 0)
			return -EPIPE;
		return (ssize_t)pipe_put(machine, file->pipe, bytes);
	case OPEN_TERMINAL:
		return machine->hung_up ? -EIO : (ssize_t)terminal_write(machine, bytes);
	case OPEN_CLIENT_OUTPUT:
		if (machine->hung_up)
			return -EPIPE;
		part = slice_first(bytes, machine->room[file->stream]);
		if (part.length)
			machine_send(machine, file->stream, part);
		return (ssize_t)part.length;
	case OPEN_FULL:
		return -ENOSPC;
	case OPEN_NULL:
	case OPEN_ZERO:
	case OPEN_RANDOM:
		return (ssize_t)bytes.length;
	default:
		return -EBADF;
	}
}

ssize_t process_write(struct process *process, int descriptor, struct slice bytes)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);
	size_t done = 0;
	ssize_t put = 0;

	if (!file || (file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	process_step(process);
	hold(entry, file);
	while (done < bytes.length) {
		put = write_now(entry, file, slice_from(bytes, done));
		if (put < 0)
			break;
		done += (size_t)put;
		if (put == 0 && !process_pause(entry, WAIT_WRITE, file, 0) && entry->interrupted) {
			put = -EINTR;
			break;
		}
	}
	open_file_let_go(entry);
	if (put == -EPIPE) {
		entry->output_length = 0;
		signal_deliver(entry, SIGPIPE);
	}
	return put < 0 ? put : (ssize_t)done;
}

/* --- what a descriptor is --- */

int64_t process_seek(struct process *process, int descriptor, int64_t offset, int whence)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);
	struct file_access access = process_file_access(entry);
	struct file_status status = {0};
	int64_t base = 0;

	if (!file)
		return -EBADF;
	if (file->kind != OPEN_NODE && file->kind != OPEN_MEMORY)
		return file->kind >= OPEN_NULL ? 0 : -ESPIPE;
	if (whence == SEEK_CUR)
		base = (int64_t)file->offset;
	if (whence == SEEK_END) {
		if (file->kind == OPEN_NODE)
			(void)file_system_status(&access, file->node, &status);
		base = file->kind == OPEN_NODE ? (int64_t)status.size : (int64_t)file->memory_size;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -EINVAL;
	if (file->kind == OPEN_MEMORY && (uint64_t)base > file->memory_size)
		base = (int64_t)file->memory_size;
	file->offset = (uint64_t)base;
	return base;
}

int process_truncate_descriptor(struct process *process, int descriptor, uint64_t size)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);
	struct file_access access = process_file_access(entry);

	if (!file || file->kind != OPEN_NODE)
		return file ? -EINVAL : -EBADF;
	file->written = true;
	return file_system_truncate(&access, file->node, size);
}

int process_status_of(struct process *process, int descriptor, struct file_status *status)
{
	struct process_entry *entry = entry_of(process);
	struct open_file *file = file_at(entry, descriptor);
	struct file_access access = process_file_access(entry);

	if (!file)
		return -EBADF;
	if (file->kind == OPEN_NODE)
		return file_system_status(&access, file->node, status);
	*status = (struct file_status){.links = 1, .uid = process->identity.uid};
	status->accessed = status->modified = status->changed = process_now(process);
	switch (file->kind) {
	case OPEN_TERMINAL:
		status->mode = S_IFCHR | 0620;
		status->gid = 5;
		status->device_major = 136;
		status->inode = 3;
		break;
	case OPEN_NULL:
	case OPEN_ZERO:
	case OPEN_FULL:
	case OPEN_RANDOM:
		status->mode = S_IFCHR | 0666;
		status->uid = 0;
		status->device_major = 1;
		status->device_minor = file->kind == OPEN_NULL   ? 3
				       : file->kind == OPEN_ZERO ? 5
				       : file->kind == OPEN_FULL ? 7
								 : 9;
		break;
	case OPEN_MEMORY:
		status->mode = S_IFREG | 0600;
		status->size = file->memory_size;
		break;
	default:
		status->mode = S_IFIFO | 0600;
		break;
	}
	return 0;
}

bool process_is_terminal(struct process *process, int descriptor)
{
	struct open_file *file = file_at(entry_of(process), descriptor);

	return file && file->kind == OPEN_TERMINAL;
}

const char *process_path_of(struct process *process, int descriptor)
{
	struct open_file *file = file_at(entry_of(process), descriptor);

	if (!file)
		return NULL;
	switch (file->kind) {
	case OPEN_NODE:
		return file->path;
	case OPEN_NULL:
		return "/dev/null";
	case OPEN_ZERO:
		return "/dev/zero";
	case OPEN_FULL:
		return "/dev/full";
	case OPEN_RANDOM:
		return "/dev/urandom";
	default:
		return NULL;
	}
}
