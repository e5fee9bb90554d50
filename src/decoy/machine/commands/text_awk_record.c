/* awk: lines, their fields, and the files that they come from. */
#include <ctype.h>

#include "decoy/machine/commands/text_awk.h"

/* --- splitting --- */

struct splitting {
	void (*part)(struct awk *awk, void *context, size_t index, struct slice text);
	void *context;
	size_t count;
};

static void give_part(struct awk *awk, struct splitting *splitting, struct slice text)
{
	process_step(awk->process);
	splitting->part(awk, splitting->context, ++splitting->count, text);
}

static void split_blanks(struct awk *awk, struct splitting *splitting, struct slice text)
{
	size_t at = 0;

	for (;;) {
		size_t start;

		while (at < text.length &&
		       (text.at[at] == ' ' || text.at[at] == '\t' || text.at[at] == '\n'))
			at++;
		if (at == text.length)
			return;
		start = at;
		while (at < text.length && text.at[at] != ' ' && text.at[at] != '\t' &&
		       text.at[at] != '\n')
			at++;
		give_part(awk, splitting, slice_of(text.at + start, at - start));
	}
}

static void split_byte(struct awk *awk, struct splitting *splitting, struct slice text,
		       uint8_t byte)
{
	size_t end;

	while ((end = slice_find_byte(text, byte)) != SIZE_MAX) {
		give_part(awk, splitting, slice_first(text, end));
		text = slice_from(text, end + 1);
	}
	give_part(awk, splitting, text);
}

static void split_regex(struct awk *awk, struct splitting *splitting, struct slice text,
			struct regex *regex)
{
	struct regex_span span;
	size_t start = 0, at = 0;

	while (at <= text.length && regex_match(awk->process, regex, text, at, &span, 1)) {
		if (span.end == span.start) {
			at = span.end + 1;
			continue;
		}
		give_part(awk, splitting, slice_of(text.at + start, span.start - start));
		start = at = span.end;
	}
	give_part(awk, splitting, slice_from(text, start));
}

size_t awk_split(struct awk *awk, struct slice text, struct slice separator, struct regex *regex,
		 void (*part)(struct awk *awk, void *context, size_t index, struct slice text),
		 void *context)
{
	struct splitting splitting = {part, context, 0};

	if (text.length == 0)
		return 0;
	if (regex)
		split_regex(awk, &splitting, text, regex);
	else if (separator.length == 1 && separator.at[0] == ' ')
		split_blanks(awk, &splitting, text);
	else if (separator.length == 0) {
		for (size_t i = 0; i < text.length; i++)
			give_part(awk, &splitting, slice_of(text.at + i, 1));
	} else if (separator.length == 1 && separator.at[0] != '\\')
		split_byte(awk, &splitting, text, separator.at[0]);
	else
		split_regex(awk, &splitting, text, awk_regex(awk, separator));
	return splitting.count;
}

/* --- the record --- */

static void put_field(struct awk *awk, void *context, size_t index, struct slice text)
{
	if (index > AWK_FIELDS_MAX)
		return;
	if (index >= awk->field_capacity) {
		size_t capacity = awk->field_capacity * 2 + 16;

		awk->fields =
			process_retake(awk->process, awk->fields, capacity * sizeof(*awk->fields));
		memset(awk->fields + awk->field_capacity, 0,
		       (capacity - awk->field_capacity) * sizeof(*awk->fields));
		awk->field_capacity = capacity;
	}
	awk_drop(awk, awk->fields[index]);
	awk->fields[index] = text.at ? awk_string(awk, AWK_INPUT, text) : (struct awk_value){0};
	awk->field_count = index;
}

static void drop_fields(struct awk *awk, size_t from)
{
	for (size_t i = from; i <= awk->field_count; i++) {
		if (i > 0 && i < awk->field_capacity) {
			awk_drop(awk, awk->fields[i]);
			awk->fields[i] = (struct awk_value){0};
		}
	}
}

static void tell_count(struct awk *awk)
{
	struct awk_cell *cell = &awk->variables[AWK_NF];

	awk_drop(awk, cell->value);
	cell->value = awk_number((double)awk->field_count);
}

void awk_split_record(struct awk *awk)
{
	struct awk_string *separator, *record;
	struct awk_string *lines;

	if (awk->is_split)
		return;
	awk->is_split = true;
	drop_fields(awk, 1);
	awk->field_count = 0;
	record = awk_to_string(awk, &awk->record, false);
	separator = awk_to_string(awk, &awk->variables[AWK_FS].value, false);
	lines = awk_to_string(awk, &awk->variables[AWK_RS].value, false);
	if (lines->length == 0 && separator->length > 0 && separator->bytes[0] != ' ') {
		/* Paragraphs: a newline separates fields too. */
		char *both =
			process_format(awk->process, separator->length == 1 ? "[%s\n]" : "(%s)|\n",
				       separator->bytes);

		awk_split(awk, awk_slice(record), SLICE(""), awk_regex(awk, slice_text(both)),
			  put_field, NULL);
		process_give(awk->process, both);
	} else
		awk_split(awk, awk_slice(record), awk_slice(separator), NULL, put_field, NULL);
	awk_drop_string(awk, record);
	awk_drop_string(awk, separator);
	awk_drop_string(awk, lines);
	tell_count(awk);
}

void awk_set_record(struct awk *awk, struct awk_value value)
{
	awk_drop(awk, awk->record);
	awk->record = value;
	awk->is_split = false;
	awk->is_whole = true;
}

static void join_record(struct awk *awk)
{
	struct text text = {0};
	struct awk_string *separator;

	if (awk->is_whole)
		return;
	separator = awk_to_string(awk, &awk->variables[AWK_OFS].value, false);
	text_add_words(awk->process, &text, "");
	for (size_t i = 1; i <= awk->field_count; i++) {
		struct awk_string *field = awk_to_string(awk, &awk->fields[i], false);

		if (i > 1)
			text_add(awk->process, &text, awk_slice(separator));
		text_add(awk->process, &text, awk_slice(field));
		awk_drop_string(awk, field);
	}
	awk_drop_string(awk, separator);
	awk_drop(awk, awk->record);
	awk->record = awk_string(awk, AWK_INPUT, text_slice(&text));
	awk->is_whole = true;
	process_give(awk->process, text.data);
}

static size_t field_index(struct awk *awk, double index)
{
	if (!(index >= 0)) {
		process_error(awk->process,
			      "%s: run time error: negative field index $%.6g\n\tFILENAME=\"\" "
			      "FNR=0 NR=0\n",
			      awk->process->argv[0], index);
		process_exit(awk->process, 2);
	}
	if (index > AWK_FIELDS_MAX)
		awk_fail(awk, "limit exceeded: maximum number of fields");
	return (size_t)index;
}

struct awk_value awk_get_field(struct awk *awk, double index)
{
	size_t at = field_index(awk, index);

	if (at == 0) {
		join_record(awk);
		return awk_keep(awk->record);
	}
	awk_split_record(awk);
	if (at > awk->field_count)
		return (struct awk_value){0};
	return awk_keep(awk->fields[at]);
}

void awk_set_field_count(struct awk *awk, double count)
{
	size_t wanted = field_index(awk, count);

	awk_split_record(awk);
	if (wanted < awk->field_count)
		drop_fields(awk, wanted + 1);
	while (awk->field_count < wanted)
		put_field(awk, NULL, awk->field_count + 1, (struct slice){0});
	awk->field_count = wanted;
	awk->is_whole = false;
	tell_count(awk);
}

void awk_set_field(struct awk *awk, double index, struct awk_value value)
{
	size_t at = field_index(awk, index);

	if (at == 0) {
		if (value.type == AWK_NUMBER || value.type == AWK_UNSET) {
			struct awk_string *string = awk_to_string(awk, &value, false);

			value = (struct awk_value){.type = AWK_INPUT, .string = string};
		}
		awk_set_record(awk, value);
		return;
	}
	awk_split_record(awk);
	while (awk->field_count < at)
		put_field(awk, NULL, awk->field_count + 1, (struct slice){0});
	awk_drop(awk, awk->fields[at]);
	awk->fields[at] = value;
	awk->is_whole = false;
	tell_count(awk);
}

/* --- records of a file --- */

static bool read_paragraph(struct awk *awk, struct line_reader *reader, struct slice *record)
{
	struct text *text = &awk->word; /* free while the program runs */
	struct slice line;
	bool newline, any = false;

	text_clear(text);
	while (line_reader_next(awk->process, reader, &line, &newline)) {
		if (line.length == 0 && !any)
			continue;
		if (line.length == 0)
			break;
		if (any)
			text_add_byte(awk->process, text, '\n');
		text_add(awk->process, text, line);
		any = true;
	}
	*record = text_slice(text);
	return any;
}

/* By a regular expression: reads until it matches before the end of what there is. */
static bool read_by_regex(struct awk *awk, struct line_reader *reader, struct regex *regex,
			  struct slice *record)
{
	struct text *text = &awk->word;
	struct regex_span span;
	struct slice line;
	bool newline;

	text_clear(text);
	text_add_words(awk->process, text, "");
	while (line_reader_next(awk->process, reader, &line, &newline)) {
		text_add(awk->process, text, line);
		if (newline)
			text_add_byte(awk->process, text, '\n');
		if (regex_match(awk->process, regex, text_slice(text), 0, &span, 1) &&
		    span.end > span.start) {
			/* What is behind the separator goes back: it is the line's tail. */
			size_t back = text->length - span.end;

			reader->start -=
				back < line.length + newline ? back : line.length + newline;
			*record = slice_of(text->data, span.start);
			return true;
		}
	}
	*record = text_slice(text);
	return text->length > 0;
}

bool awk_read_record(struct awk *awk, struct line_reader *reader, struct slice *record)
{
	struct awk_string *separator = awk_to_string(awk, &awk->variables[AWK_RS].value, false);
	bool newline, got;

	if (separator->length == 0)
		got = read_paragraph(awk, reader, record);
	else if (separator->length == 1)
		got = line_reader_until(awk->process, reader, (uint8_t)separator->bytes[0], record,
					&newline);
	else
		got = read_by_regex(awk, reader, awk_regex(awk, awk_slice(separator)), record);
	awk_drop_string(awk, separator);
	return got;
}

/* NAME=value among the files. */
static bool take_assignment(struct awk *awk, struct slice argument)
{
	size_t equals = slice_find_byte(argument, '=');
	struct text value = {0};
	char *name;

	if (equals == SIZE_MAX || equals == 0 || isdigit(argument.at[0]))
		return false;
	for (size_t i = 0; i < equals; i++) {
		if (!isalnum(argument.at[i]) && argument.at[i] != '_')
			return false;
	}
	name = process_copy_slice(awk->process, slice_first(argument, equals));
	awk_unescape(awk, slice_from(argument, equals + 1), &value);
	for (unsigned i = 0; i < awk->globals.count; i++) {
		if (strcmp(awk->globals.names[i], name) == 0)
			awk_set_variable(awk, i, awk_string(awk, AWK_INPUT, text_slice(&value)));
	}
	process_give(awk->process, name);
	process_give(awk->process, value.data);
	return true;
}

static void open_main(struct awk *awk, const char *name)
{
	int descriptor = text_open_quiet(awk->process, name);

	if (descriptor == -EISDIR) { /* mawk reads nothing of it */
		awk_drop(awk, awk->variables[AWK_FILENAME].value);
		awk->variables[AWK_FILENAME].value = awk_string(awk, AWK_STRING, slice_text(name));
		return;
	}
	if (descriptor < 0) {
		process_error(awk->process, "%s: cannot open %s (%s)\n", awk->process->argv[0],
			      name, strerror(-descriptor));
		process_exit(awk->process, 2);
	}
	line_reader_open(&awk->input, descriptor);
	awk->open = true;
	awk_drop(awk, awk->variables[AWK_FNR].value);
	awk->variables[AWK_FNR].value = awk_number(0);
	awk_drop(awk, awk->variables[AWK_FILENAME].value);
	awk->variables[AWK_FILENAME].value =
		awk_string(awk, AWK_STRING, slice_text(strcmp(name, "-") == 0 ? "" : name));
}

/* Opens the next of ARGV; false: there is none. */
static bool next_file(struct awk *awk)
{
	while (!awk->open) {
		double count = awk_to_number(&awk->variables[AWK_ARGC].value);
		struct awk_value *value = NULL;
		struct awk_string *argument;
		char key[24];
		struct writer w = writer_fixed(key, sizeof(key));

		if (++awk->argument >= count) {
			if (awk->used_argument)
				return false;
			awk->used_argument = true;
			open_main(awk, "-");
			return true;
		}
		writer_decimal(&w, awk->argument);
		if (awk->variables[AWK_ARGV].table)
			value = awk_table_find(awk, awk->variables[AWK_ARGV].table,
					       writer_slice(&w), false);
		if (!value)
			continue;
		argument = awk_to_string(awk, value, false);
		if (argument->length > 0 && !take_assignment(awk, awk_slice(argument))) {
			awk->used_argument = true;
			open_main(awk, argument->bytes);
		}
		awk_drop_string(awk, argument);
	}
	return true;
}

void awk_skip_file(struct awk *awk)
{
	if (!awk->open)
		return;
	text_close(awk->process, awk->input.descriptor);
	process_give(awk->process, awk->input.buffer);
	awk->open = false;
}

bool awk_main_record(struct awk *awk, struct slice *record)
{
	while (!awk->main_over) {
		if (!next_file(awk)) {
			awk->main_over = true;
			break;
		}
		if (awk_read_record(awk, &awk->input, record))
			return true;
		awk_skip_file(awk);
	}
	return false;
}
