/* Buffered standard output, and standard error. */
#include "decoy/machine/process_state.h"

/* GNU programs print their name as they were called; an applet is what it is. */
static const char *own_name(const struct process *process)
{
	const char *name = process->argc ? process->argv[0] : process->name;
	const char *slash = strrchr(name, '/');

	if (!process->busybox)
		return name;
	if (process->name && strcmp(process->name, "busybox") != 0)
		return process->name;
	return slash ? slash + 1 : name;
}

void process_flush(struct process *process)
{
	struct process_entry *entry = entry_of(process);
	size_t length = entry->output_length;

	if (length == 0)
		return;
	entry->output_length = 0;
	(void)process_write(process, 1, slice_of(entry->output, length));
}

static bool is_line_buffered(struct process *process)
{
	return process_is_terminal(process, 1);
}

void process_put(struct process *process, struct slice bytes)
{
	struct process_entry *entry = entry_of(process);

	if (!entry->output)
		entry->output = process_take(process, OUTPUT_BUFFER);
	while (bytes.length) {
		size_t room = OUTPUT_BUFFER - entry->output_length;
		struct slice part = slice_first(bytes, room);

		memcpy(entry->output + entry->output_length, part.at, part.length);
		entry->output_length += part.length;
		bytes = slice_from(bytes, part.length);
		if (entry->output_length == OUTPUT_BUFFER)
			process_flush(process);
	}
	if (entry->output_length && entry->output[entry->output_length - 1] == '\n' &&
	    is_line_buffered(process))
		process_flush(process);
}

void process_put_text(struct process *process, const char *text)
{
	process_put(process, slice_text(text));
}

void process_put_byte(struct process *process, uint8_t byte)
{
	process_put(process, slice_of(&byte, 1));
}

static void print_to(struct process *process, int descriptor, const char *format, va_list arguments)
	PRINTF(3, 0);
static void print_to(struct process *process, int descriptor, const char *format, va_list arguments)
{
	struct text text = {0};

	text_vformat(process, &text, format, arguments);
	if (descriptor == 1)
		process_put(process, text_slice(&text));
	else
		(void)process_write(process, descriptor, text_slice(&text));
	process_give(process, text.data);
}

void process_print(struct process *process, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_to(process, 1, format, arguments);
	va_end(arguments);
}

void process_error(struct process *process, const char *format, ...)
{
	va_list arguments;

	process_flush(process);
	va_start(arguments, format);
	print_to(process, 2, format, arguments);
	va_end(arguments);
}

void process_complain(struct process *process, const char *format, ...)
{
	struct text line = {0};
	va_list arguments;

	process_flush(process);
	text_format(process, &line, "%s: ", own_name(process));
	va_start(arguments, format);
	text_vformat(process, &line, format, arguments);
	va_end(arguments);
	text_add_byte(process, &line, '\n');
	(void)process_write(process, 2, text_slice(&line));
	process_give(process, line.data);
}
