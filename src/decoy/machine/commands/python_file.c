/* Python's files: open() and what can be done with what it gives; see python.h.
 *
 * A file's object has the descriptor as its number (-1: closed), its name as text, and as its own
 * name the mode with a letter before it: "tr" and "tw" of text, "brb" of bytes.
 */
#include <fcntl.h>

#include "decoy/machine/commands/python.h"

struct python_value python_file(struct python *py, int descriptor, const char *name,
				const char *mode)
{
	struct python_value file = python_object(
		py, PYTHON_FILE,
		process_format(py->process, "%c%s", strchr(mode, 'b') ? 'b' : 't', mode),
		slice_text(process_copy_text(py->process, name)), descriptor);

	return file;
}

struct python_value python_standard(struct python *py, unsigned descriptor)
{
	static const char *const names[] = {"<stdin>", "<stdout>", "<stderr>"};

	if (py->standard[descriptor].kind == PYTHON_NONE)
		py->standard[descriptor] =
			python_file(py, (int)descriptor, names[descriptor], descriptor ? "w" : "r");
	return py->standard[descriptor];
}

static bool is_bytes(struct python_value file)
{
	return file.object->name[0] == 'b';
}

static struct python_value what_is_read(struct python_value file, struct slice bytes)
{
	return is_bytes(file) ? python_bytes(bytes) : python_text(bytes);
}

/* True when it is closed or not to be read (written), which has been raised. */
static bool refuses(struct python *py, struct python_value file, bool writes)
{
	const char *mode = file.object->name + 1;
	bool may =
		writes ? strpbrk(mode, "wax+") != NULL : !strpbrk(mode, "wax") || strchr(mode, '+');

	if (file.object->number < 0)
		(void)python_raise(py, "ValueError", "I/O operation on closed file.");
	else if (!may)
		(void)python_raise(py, "io.UnsupportedOperation",
				   writes           ? is_bytes(file) ? "write" : "not writable"
				   : is_bytes(file) ? "read"
						    : "not readable");
	return py->raised;
}

static struct line_reader *reader_of(struct python *py, struct python_value file)
{
	struct python_object *object = file.object;

	if (!object->reader) {
		object->reader = process_take(py->process, sizeof(*object->reader));
		line_reader_open(object->reader, (int)object->number);
	}
	return object->reader;
}

struct slice python_read_line(struct python *py, struct python_value file)
{
	struct text out = {0};
	struct slice line;
	bool newline = false;

	text_add_words(py->process, &out, "");
	if (line_reader_next(py->process, reader_of(py, file), &line, &newline)) {
		if (file.object->number == 0)
			process_report_input(py->process, line);
		text_add(py->process, &out, line);
		if (newline)
			text_add_byte(py->process, &out, '\n');
	}
	python_interrupted(py);
	return text_slice(&out);
}

struct slice python_read(struct python *py, struct python_value file, size_t most)
{
	struct line_reader *reader = file.object->reader;
	struct text out = {0};

	text_add_words(py->process, &out, "");
	if (reader) { /* what was read ahead */
		struct slice ahead =
			slice_of(reader->buffer + reader->start, reader->end - reader->start);

		ahead = slice_first(ahead, most);
		text_add(py->process, &out, ahead);
		reader->start += ahead.length;
	}
	while (out.length < most && !py->raised) {
		char bytes[2048];
		size_t wanted =
			most - out.length < sizeof(bytes) ? most - out.length : sizeof(bytes);
		ssize_t got = process_read(py->process, (int)file.object->number, bytes, wanted);

		python_interrupted(py);
		if (got <= 0)
			break;
		if (out.length + (size_t)got > PYTHON_TEXT_MAX) {
			(void)python_raise(py, "MemoryError", "%s", "");
			break;
		}
		text_add(py->process, &out, slice_of(bytes, (size_t)got));
	}
	if (file.object->number == 0 && out.length)
		process_report_input(py->process, text_slice(&out));
	return text_slice(&out);
}

static struct python_value do_read(struct python *py, struct python_value file,
				   struct python_arguments *arguments)
{
	struct python_value most = python_argument(arguments, 0, "size");

	if (refuses(py, file, false))
		return python_none();
	return what_is_read(file, python_read(py, file,
					      most.kind == PYTHON_INT && most.integer >= 0
						      ? (size_t)most.integer
						      : SIZE_MAX));
}

static struct python_value do_line(struct python *py, struct python_value file,
				   struct python_arguments *arguments)
{
	if (refuses(py, file, false))
		return python_none();
	return what_is_read(file, python_read_line(py, file));
}

static struct python_value do_lines(struct python *py, struct python_value file,
				    struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST), line;

	if (refuses(py, file, false))
		return python_none();
	while (!py->raised) {
		line = what_is_read(file, python_read_line(py, file));
		if (!line.text.length)
			break;
		python_append(py, made, line);
	}
	return made;
}

static void write_bytes(struct python *py, struct python_value file, struct slice bytes)
{
	int descriptor = (int)file.object->number;
	ssize_t written;

	if (descriptor == 1) {
		process_put(py->process, bytes);
		return;
	}
	if (descriptor == 2)
		python_flush(py);
	written = process_write(py->process, descriptor, bytes);
	if (written < 0)
		(void)python_raise_system(py, (int)written, NULL);
}

static struct python_value do_write(struct python *py, struct python_value file,
				    struct python_arguments *arguments)
{
	struct python_value what = python_argument(arguments, 0, NULL);

	if (refuses(py, file, true) || what.kind == PYTHON_OPAQUE)
		return python_none();
	if (is_bytes(file) && what.kind != PYTHON_BYTES)
		return python_raise(py, "TypeError", "a bytes-like object is required, not '%s'",
				    python_type_name(what));
	if (!is_bytes(file) && what.kind != PYTHON_TEXT)
		return python_raise(py, "TypeError", "write() argument must be str, not %s",
				    python_type_name(what));
	write_bytes(py, file, what.text);
	return python_int((int64_t)(is_bytes(file) ? what.text.length : python_letters(what.text)));
}

static struct python_value do_write_lines(struct python *py, struct python_value file,
					  struct python_arguments *arguments)
{
	struct python_list *items = python_items(py, python_argument(arguments, 0, NULL));

	if (refuses(py, file, true))
		return python_none();
	for (size_t i = 0; i < items->count && !py->raised; i++)
		if (items->items[i].kind == PYTHON_TEXT || items->items[i].kind == PYTHON_BYTES)
			write_bytes(py, file, items->items[i].text);
	return python_none();
}

static struct python_value do_close(struct python *py, struct python_value file,
				    struct python_arguments *arguments)
{
	if (file.object->number > 2)
		(void)process_close(py->process, (int)file.object->number);
	file.object->number = -1;
	return python_none();
}

void python_flush(struct python *py)
{
	if (process_is_terminal(py->process, 1))
		process_flush(py->process);
}

void python_tell(struct python *py, const char *format, ...)
{
	struct text words = {0};
	va_list arguments;

	va_start(arguments, format);
	text_vformat(py->process, &words, format, arguments);
	va_end(arguments);
	(void)process_write(py->process, 2, text_slice(&words));
	process_give(py->process, words.data);
}

static struct python_value do_flush(struct python *py, struct python_value file,
				    struct python_arguments *arguments)
{
	process_flush(py->process);
	return python_none();
}

static struct python_value do_number(struct python *py, struct python_value file,
				     struct python_arguments *arguments)
{
	return python_int(file.object->number);
}

static struct python_value do_terminal(struct python *py, struct python_value file,
				       struct python_arguments *arguments)
{
	return python_bool(process_is_terminal(py->process, (int)file.object->number));
}

static struct python_value do_seek(struct python *py, struct python_value file,
				   struct python_arguments *arguments)
{
	struct python_value to = python_argument(arguments, 0, NULL);
	struct python_value whence = python_argument(arguments, 1, NULL);
	int64_t at = process_seek(py->process, (int)file.object->number, python_integer(to),
				  whence.kind == PYTHON_INT ? (int)(whence.integer & 3) : 0);

	file.object->reader = NULL;
	return at < 0 ? python_raise_system(py, (int)at, NULL) : python_int(at);
}

static struct python_value do_tell(struct python *py, struct python_value file,
				   struct python_arguments *arguments)
{
	int64_t at = process_seek(py->process, (int)file.object->number, 0, SEEK_CUR);
	struct line_reader *reader = file.object->reader;

	return at < 0 ? python_raise_system(py, (int)at, NULL)
		      : python_int(at - (reader ? (int64_t)(reader->end - reader->start) : 0));
}

static struct python_value do_itself(struct python *py, struct python_value file,
				     struct python_arguments *arguments)
{
	return file;
}

python_method_function *python_file_method(const char *name)
{
	static const struct {
		const char *name;
		python_method_function *run;
	} methods[] = {
		{"read", do_read},
		{"readline", do_line},
		{"readlines", do_lines},
		{"write", do_write},
		{"writelines", do_write_lines},
		{"close", do_close},
		{"flush", do_flush},
		{"fileno", do_number},
		{"isatty", do_terminal},
		{"seek", do_seek},
		{"tell", do_tell},
		{"__enter__", do_itself},
		{"__exit__", do_close},
		{"reconfigure", do_flush},
		{"__iter__", do_itself},
	};

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}

static bool is_mode(const char *mode)
{
	size_t ways = 0;

	for (const char *at = mode; *at; at++) {
		if (!strchr("rwaxbt+U", *at))
			return false;
		ways += strchr("rwax", *at) != NULL;
	}
	return ways == 1;
}

struct python_value python_open(struct python *py, struct slice name, const char *mode)
{
	char *path = process_copy_slice(py->process, name);
	struct python_value made;
	bool both = strchr(mode, '+') != NULL;
	int flags = strchr(mode, 'w')   ? (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC
		    : strchr(mode, 'a') ? (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND
		    : strchr(mode, 'x') ? (both ? O_RDWR : O_WRONLY) | O_CREAT | O_EXCL
		    : both              ? O_RDWR
					: O_RDONLY;
	struct file_status status;
	int file;

	if (!is_mode(mode))
		return python_raise(py, "ValueError", "invalid mode: '%s'", mode);
	if (process_stat(py->process, path, true, &status) == 0 && S_ISDIR(status.mode))
		return python_raise_system(py, EISDIR, path);
	file = process_open(py->process, path, flags, 0666);
	if (file < 0)
		return python_raise_system(py, file, path);
	made = python_file(py, file, path, mode);
	process_give(py->process, path);
	return made;
}
