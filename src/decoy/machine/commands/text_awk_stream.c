/* awk: files and pipes that a program reads and writes. */
#include <fcntl.h>
#include <sys/wait.h>

#include "decoy/machine/commands/text_awk.h"

#define BUFFER_FULL ((size_t)4096)

static struct awk_stream *find(struct awk *awk, struct slice name, bool output)
{
	for (size_t i = 0; i < AWK_STREAMS_MAX; i++) {
		struct awk_stream *stream = &awk->streams[i];

		if (stream->kind != AWK_CLOSED && slice_is(name, stream->name) &&
		    (stream->kind <= AWK_OUTPUT_PIPE) == output)
			return stream;
	}
	return NULL;
}

static struct awk_stream *free_one(struct awk *awk, struct slice name)
{
	for (size_t i = 0; i < AWK_STREAMS_MAX; i++) {
		if (awk->streams[i].kind == AWK_CLOSED) {
			awk->streams[i] = (struct awk_stream){0};
			awk->streams[i].name = process_copy_slice(awk->process, name);
			return &awk->streams[i];
		}
	}
	awk_fail(awk, "too many open files");
}

static void flush_stream(struct awk *awk, struct awk_stream *stream)
{
	if (stream->buffer.length > 0)
		(void)process_write(awk->process, stream->descriptor, text_slice(&stream->buffer));
	text_clear(&stream->buffer);
}

void awk_flush(struct awk *awk)
{
	process_flush(awk->process);
	for (size_t i = 0; i < AWK_STREAMS_MAX; i++) {
		if (awk->streams[i].kind == AWK_OUTPUT || awk->streams[i].kind == AWK_OUTPUT_PIPE)
			flush_stream(awk, &awk->streams[i]);
	}
}

/* Starts the command with one end of a new pipe as descriptor `which`; our end. */
static int start(struct awk *awk, struct awk_stream *stream, int which)
{
	int ends[2], descriptors[3] = {0, 1, 2};
	int ours;

	process_flush(awk->process);
	if (process_make_pipe(awk->process, ends) != 0)
		return -1;
	descriptors[which] = ends[which];
	ours = ends[1 - which];
	stream->pid = text_start_line(awk->process, stream->name, descriptors);
	(void)process_close(awk->process, ends[which]);
	return ours;
}

struct awk_stream *awk_output(struct awk *awk, struct slice name, int kind)
{
	struct awk_stream *stream = find(awk, name, true);

	if (stream)
		return stream;
	if (kind != '|' && (slice_is(name, "/dev/stdout") || slice_is(name, "-")))
		return NULL;
	stream = free_one(awk, name);
	if (kind == '|') {
		stream->descriptor = start(awk, stream, 0);
		stream->kind = AWK_OUTPUT_PIPE;
		return stream;
	}
	stream->kind = AWK_OUTPUT;
	if (slice_is(name, "/dev/stderr"))
		stream->descriptor = 2;
	else
		stream->descriptor =
			process_open(awk->process, stream->name,
				     O_WRONLY | O_CREAT | (kind == 'a' ? O_APPEND : O_TRUNC), 0666);
	if (stream->descriptor < 0) {
		process_error(awk->process, "%s: cannot open \"%s\" for output\n",
			      awk->process->argv[0], stream->name);
		process_exit(awk->process, 2);
	}
	return stream;
}

void awk_write(struct awk *awk, struct awk_stream *stream, struct slice bytes)
{
	if (!stream) {
		process_put(awk->process, bytes);
		return;
	}
	text_add(awk->process, &stream->buffer, bytes);
	if (stream->descriptor == 2 || stream->buffer.length >= BUFFER_FULL)
		flush_stream(awk, stream);
}

struct awk_stream *awk_input(struct awk *awk, struct slice name, bool command)
{
	struct awk_stream *stream = find(awk, name, false);
	int descriptor;

	if (stream)
		return stream;
	stream = free_one(awk, name);
	if (command) {
		descriptor = start(awk, stream, 1);
		stream->kind = AWK_INPUT_PIPE;
	} else {
		descriptor = slice_is(name, "/dev/stdin")
				     ? 0
				     : text_open_quiet(awk->process, stream->name);
		if (descriptor < 0)
			return NULL;
		stream->kind = AWK_INPUT_FILE;
	}
	stream->descriptor = descriptor;
	line_reader_open(&stream->reader, descriptor);
	return stream;
}

static int close_stream(struct awk *awk, struct awk_stream *stream)
{
	int status = 0;

	if (stream->kind <= AWK_OUTPUT_PIPE)
		flush_stream(awk, stream);
	if (stream->descriptor > 2)
		(void)process_close(awk->process, stream->descriptor);
	if (stream->pid > 0) {
		while (process_wait(awk->process, stream->pid, 0, &status) == -EINTR)
			continue;
		status = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	process_give(awk->process, stream->buffer.data);
	process_give(awk->process, stream->reader.buffer);
	process_give(awk->process, stream->name);
	stream->kind = AWK_CLOSED;
	return status;
}

int awk_close(struct awk *awk, struct slice name)
{
	struct awk_stream *stream;
	int status = -1;

	process_flush(awk->process);
	while ((stream = find(awk, name, true)) || (stream = find(awk, name, false)))
		status = close_stream(awk, stream);
	return status;
}

void awk_close_all(struct awk *awk)
{
	process_flush(awk->process);
	for (size_t i = AWK_STREAMS_MAX; i-- > 0;) { /* the newest first */
		if (awk->streams[i].kind != AWK_CLOSED)
			close_stream(awk, &awk->streams[i]);
	}
}
