/* Lines and whole files, read from descriptors; see process.h. */
#include <fcntl.h>

#include "decoy/machine/process.h"

/* What one line may hold; a longer one comes in parts. */
#define LINE_MAX_BYTES ((size_t)1024 * 1024)
#define FIRST_CAPACITY ((size_t)2048)

void line_reader_open(struct line_reader *reader, int descriptor)
{
	*reader = (struct line_reader){.descriptor = descriptor};
}

/* Reads more behind what is there; one byte beyond the end stays free for the caller's NUL. */
static bool read_more(struct process *process, struct line_reader *reader)
{
	ssize_t got;

	if (reader->start > 0 && reader->end - reader->start < reader->capacity / 2) {
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->end + 1 >= reader->capacity) {
		reader->capacity = reader->capacity ? reader->capacity * 2 : FIRST_CAPACITY;
		reader->buffer = process_retake(process, reader->buffer, reader->capacity);
	}
	got = process_read(process, reader->descriptor, reader->buffer + reader->end,
			   reader->capacity - reader->end - 1);
	if (got <= 0) {
		reader->ended = true;
		return false;
	}
	reader->end += (size_t)got;
	return true;
}

bool line_reader_until(struct process *process, struct line_reader *reader, uint8_t delimiter,
		       struct slice *line, bool *delimited)
{
	size_t looked = 0;

	process_step(process);
	for (;;) {
		size_t length = reader->end - reader->start;
		char *start = reader->buffer ? reader->buffer + reader->start : NULL;
		char *found =
			length > looked ? memchr(start + looked, delimiter, length - looked) : NULL;

		if (found) {
			*line = slice_of(start, (size_t)(found - start));
			reader->start += line->length + 1;
			*delimited = true;
			return true;
		}
		looked = length;
		if (length < LINE_MAX_BYTES && !reader->ended && read_more(process, reader))
			continue;
		if (reader->end == reader->start)
			return false;
		*line = slice_of(reader->buffer + reader->start, reader->end - reader->start);
		reader->start = reader->end;
		*delimited = false;
		return true;
	}
}

bool line_reader_next(struct process *process, struct line_reader *reader, struct slice *line,
		      bool *newline)
{
	return line_reader_until(process, reader, '\n', line, newline);
}

int process_read_all(struct process *process, int descriptor, size_t limit, struct text *text)
{
	for (;;) {
		ssize_t got;

		if (text->capacity - text->length < 1024) {
			text->capacity = text->capacity * 2 + 2048;
			text->data = process_retake(process, text->data, text->capacity);
		}
		got = process_read(process, descriptor, text->data + text->length,
				   text->capacity - text->length - 1);
		if (got < 0)
			return (int)got;
		text->length += (size_t)got;
		text->data[text->length] = '\0';
		if (text->length > limit)
			return -EFBIG;
		if (got == 0)
			return 0;
		process_step(process);
	}
}

int process_read_file(struct process *process, const char *path, size_t limit, struct text *text)
{
	int descriptor = process_open(process, path, O_RDONLY, 0);
	int error;

	if (descriptor < 0)
		return descriptor;
	error = process_read_all(process, descriptor, limit, text);
	(void)process_close(process, descriptor);
	return error;
}
