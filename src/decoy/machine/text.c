/* Text in a process's memory; see process.h. */
#include <stdio.h>

#include "decoy/machine/process.h"

/* Makes room for more bytes and the NUL behind them. */
static void make_room(struct process *process, struct text *text, size_t more)
{
	size_t wanted = text->length + more + 1;
	size_t capacity = text->capacity ? text->capacity : 32;

	if (wanted < more) /* no size at all: ends the process */
		wanted = SIZE_MAX / 2;
	if (wanted <= text->capacity)
		return;
	while (capacity < wanted)
		capacity += capacity / 2 + 16;
	text->data = process_retake(process, text->data, capacity);
	text->capacity = capacity;
}

void text_add(struct process *process, struct text *text, struct slice s)
{
	make_room(process, text, s.length);
	if (s.length > 0)
		memcpy(text->data + text->length, s.at, s.length);
	text->length += s.length;
	text->data[text->length] = '\0';
}

void text_add_byte(struct process *process, struct text *text, uint8_t byte)
{
	if (text->length + 1 >= text->capacity)
		make_room(process, text, 1);
	text->data[text->length++] = (char)byte;
	text->data[text->length] = '\0';
}

void text_add_words(struct process *process, struct text *text, const char *words)
{
	text_add(process, text, slice_text(words));
}

void text_vformat(struct process *process, struct text *text, const char *format, va_list arguments)
{
	va_list again;
	int length;

	make_room(process, text, 63);
	va_copy(again, arguments);
	length = vsnprintf(text->data + text->length, text->capacity - text->length, format,
			   arguments);
	if (length >= 0 && (size_t)length >= text->capacity - text->length) {
		make_room(process, text, (size_t)length);
		length = vsnprintf(text->data + text->length, text->capacity - text->length, format,
				   again);
	}
	va_end(again);
	if (length > 0)
		text->length += (size_t)length;
	text->data[text->length] = '\0';
}

void text_format(struct process *process, struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vformat(process, text, format, arguments);
	va_end(arguments);
}

char *process_format(struct process *process, const char *format, ...)
{
	struct text text = {0};
	va_list arguments;

	va_start(arguments, format);
	text_vformat(process, &text, format, arguments);
	va_end(arguments);
	return text.data;
}

char *process_copy_slice(struct process *process, struct slice s)
{
	char *copy = process_take(process, s.length + 1);

	if (s.length > 0)
		memcpy(copy, s.at, s.length);
	copy[s.length] = '\0';
	return copy;
}

char *process_copy_text(struct process *process, const char *text)
{
	return process_copy_slice(process, slice_text(text));
}
