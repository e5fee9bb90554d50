/* Python's exceptions: raised, told and told apart; see python.h. */
#include "decoy/machine/commands/python.h"

/* How far a line of the library is looked for. */
#define LINES_APART 120

/* Keeps where it happened: the calls, and the place in the last of them. */
static void note_frames(struct python *py)
{
	struct python_frames *kept = &py->error_frames;
	size_t count = py->frames.count + 1;

	if (count > kept->capacity) {
		process_give(py->process, kept->items);
		kept->capacity = 2 * count;
		kept->items = process_take(py->process, kept->capacity * sizeof(*kept->items));
	}
	if (count > 1)
		memcpy(kept->items, py->frames.items, (count - 1) * sizeof(*kept->items));
	kept->items[count - 1] = (struct python_frame){{0}, py->code, py->at};
	kept->count = count;
	py->error_places = NULL;
	py->before_words = NULL;
}

struct python_value python_raise(struct python *py, const char *kind, const char *format, ...)
{
	struct text words = {0};
	va_list arguments;

	if (py->raised)
		return python_none();
	va_start(arguments, format);
	text_vformat(py->process, &words, format, arguments);
	va_end(arguments);
	py->raised = true;
	py->error = python_object(py, PYTHON_ERROR, kind, text_slice(&words), 0);
	note_frames(py);
	return python_none();
}

struct python_value python_raise_in(struct python *py, const struct python_place *places,
				    const char *kind, const char *words)
{
	if (py->raised)
		return python_none();
	(void)python_raise(py, kind, "%s", words);
	py->error_places = places;
	return python_none();
}

void python_interrupted(struct python *py)
{
	if (process_take_signal(py->process) == SIGINT)
		(void)python_raise(py, "KeyboardInterrupt", "%s", "");
}

struct python_value python_raise_system(struct python *py, int error, const char *path)
{
	static const struct {
		int error;
		const char *kind;
	} kinds[] = {{ENOENT, "FileNotFoundError"},        {EACCES, "PermissionError"},
		     {EPERM, "PermissionError"},           {EEXIST, "FileExistsError"},
		     {EISDIR, "IsADirectoryError"},        {ENOTDIR, "NotADirectoryError"},
		     {ETIMEDOUT, "TimeoutError"},          {ECONNREFUSED, "ConnectionRefusedError"},
		     {ECONNRESET, "ConnectionResetError"}, {ESRCH, "ProcessLookupError"}};
	const char *kind = "OSError";
	struct slice name = {0};

	error = error < 0 ? -error : error;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (kinds[i].error == error)
			kind = kinds[i].kind;
	if (path)
		name = python_repr(py, python_words(path));
	if (py->raised)
		return python_none();
	(void)python_raise(py, kind, "[Errno %d] %s%s%.*s", error, strerror(error),
			   path ? ": " : "", (int)name.length, (const char *)name.at);
	py->error.object->number = error;
	py->error.object->self = python_pair(py, python_int(error), python_words(strerror(error)));
	return python_none();
}

/* --- told --- */

/* Line number `line` of the source without what is blank at its ends; *start is where it begins in
 * the source. */
static bool line_of(struct slice source, unsigned line, struct slice *text)
{
	for (unsigned i = 0; i < line; i++)
		if (!slice_next(&source, '\n', text))
			return false;
	while (text->length && (*text->at == ' ' || *text->at == '\t' || *text->at == '\f'))
		*text = slice_from(*text, 1);
	*text = slice_of(text->at, slice_trim(*text).length);
	return true;
}

static void add_marks(struct python *py, struct text *marks, const uint8_t *from, const uint8_t *to,
		      char mark)
{
	for (; from < to; from++)
		if ((*from & 0xc0) != 0x80)
			text_add_byte(py->process, marks, (uint8_t)mark);
}

/* "    ~~^~~" below a line: the part that went wrong, unless that is all of it. */
static void tell_marks(struct python *py, struct slice line, const struct python_node *node)
{
	const uint8_t *end = line.at + line.length, *from = node->words.at,
		      *to = from + node->words.length;
	bool anchors = node->kind == NODE_BINARY && node->text.at > from && node->text.at < to;
	const uint8_t *middle = anchors ? node->text.at : to,
		      *after = anchors ? middle + node->text.length : to;
	struct text marks = {0};

	if (from < line.at || from >= end)
		return;
	if (node->kind == NODE_INDEX && node->a->words.at + node->a->words.length < to) {
		anchors = true;
		middle = node->a->words.at + node->a->words.length;
		after = to;
	}
	if (to > end) {
		to = end;
		anchors = false;
	}
	if (!anchors && from == line.at && to == end)
		return;
	add_marks(py, &marks, line.at, from, ' ');
	if (anchors) {
		add_marks(py, &marks, from, middle, '~');
		add_marks(py, &marks, middle, after, '^');
		add_marks(py, &marks, after, to, '~');
	} else {
		add_marks(py, &marks, from, to, '^');
	}
	python_tell(py, "    %s\n", marks.data);
}

static bool same_place(const struct python_frame *a, const struct python_frame *b)
{
	return a->code == b->code && a->at && b->at && a->at->line == b->at->line;
}

static void tell_place(struct python *py, const struct python_frame *frame, struct slice function)
{
	struct slice line = {0};

	python_tell(py, "  File \"%s\", line %u, in %.*s\n", frame->code->file,
		    frame->at ? frame->at->line : 1, function.length ? (int)function.length : 8,
		    function.length ? (const char *)function.at : "<module>");
	if (frame->code->file[0] == '<' || !frame->at ||
	    !line_of(frame->code->source, frame->at->line, &line))
		return;
	python_tell(py, "    %.*s\n", (int)line.length, (const char *)line.at);
	tell_marks(py, line, frame->at);
}

static const char *marks_of(struct python *py, unsigned width)
{
	struct text marks = {0};

	while (width--)
		text_add_byte(py->process, &marks, '^');
	return marks.data;
}

/* The line that the place means: the nearest with its words. */
static unsigned nearest(struct slice source, const struct python_place *place, struct slice *line)
{
	unsigned number = 0, best = 0;
	struct slice rest = source, text;

	while (place->words && slice_next(&rest, '\n', &text)) {
		number++;
		if (slice_find(text, slice_text(place->words)) == SIZE_MAX)
			continue;
		if (best && number > place->line && place->line - best <= number - place->line)
			break;
		best = number;
	}
	if (best + LINES_APART < place->line || best > place->line + LINES_APART)
		best = place->line;
	return line_of(source, best, line) ? best : place->line;
}

/* Lines of the library, as its files have them. */
static void tell_places(struct python *py, const struct python_place *place)
{
	for (; place && place->file; place++) {
		char *path = process_format(py->process, "/usr/lib/python3.11/%s", place->file);
		unsigned number = place->line;
		struct text text = {0};
		struct slice line = {0};

		if (process_read_file(py->process, path, PYTHON_TEXT_MAX, &text) == 0)
			number = nearest(text_slice(&text), place, &line);
		python_tell(py, "  File \"%s\", line %u, in %s\n", path, number, place->function);
		if (line.length)
			python_tell(py, "    %.*s\n", (int)line.length, (const char *)line.at);
		if (line.length > place->column && place->width)
			python_tell(py, "    %*s%s\n", (int)place->column, "",
				    marks_of(py, place->width));
		process_give(py->process, text.data);
		process_give(py->process, path);
	}
}

void python_tell_error(struct python *py)
{
	const struct python_object *error = py->error.object;
	const struct python_frames *frames = &py->error_frames;
	struct slice function = {0};
	size_t same = 0;

	python_flush(py);
	if (py->error_places && py->before_words) {
		python_tell(py, "Traceback (most recent call last):\n");
		tell_places(py, py->before_places);
		python_tell(py,
			    "%s\n\nDuring handling of the above exception, another exception "
			    "occurred:\n\n",
			    py->before_words);
	}
	python_tell(py, "Traceback (most recent call last):\n");
	for (size_t i = 0; i < frames->count; i++) {
		const struct python_frame *frame = &frames->items[i];
		bool again = i && same_place(frame, frame - 1) &&
			     slice_equal(function,
					 i > 1 ? frames->items[i - 2].name : (struct slice){0});

		same = again ? same + 1 : 0;
		if (same < 3)
			tell_place(py, frame, function);
		if (same >= 3 && (i + 1 == frames->count || !same_place(frame, frame + 1))) {
			size_t more = py->too_deep ? PYTHON_FRAMES_MAX - 4 : same - 2;

			python_tell(py, "  [Previous line repeated %zu more time%s]\n", more,
				    more == 1 ? "" : "s");
		}
		function = frame->name;
	}
	tell_places(py, py->error_places);
	if (py->mistake && (strcmp(error->name, "SyntaxError") == 0 ||
			    strcmp(error->name, "IndentationError") == 0)) {
		python_tell_mistake(py, py->mistake_code, py->mistake);
		return;
	}
	python_tell(py, "%s%s%.*s\n", error->name, error->text.length ? ": " : "",
		    (int)error->text.length, (const char *)error->text.at);
}

static void tell_line(struct python *py, const struct python_code *code,
		      const struct python_mistake *mistake)
{
	struct slice line;
	struct text marks = {0};
	const uint8_t *at = mistake->at.at;

	python_tell(py, "  File \"%s\", line %u\n", code->file, mistake->line);
	if (!line_of(code->source, mistake->line, &line))
		return;
	python_tell(py, "    %.*s\n", (int)line.length, (const char *)line.at);
	if (!at || at < line.at || at > line.at + line.length)
		return;
	add_marks(py, &marks, line.at, at, ' ');
	text_add_byte(py->process, &marks, '^');
	for (size_t i = 1; i < mistake->at.length && at + i < line.at + line.length; i++)
		if ((at[i] & 0xc0) != 0x80)
			text_add_byte(py->process, &marks, '^');
	python_tell(py, "    %s\n", marks.data);
}

void python_tell_mistake(struct python *py, const struct python_code *code,
			 const struct python_mistake *mistake)
{
	tell_line(py, code, mistake);
	python_tell(py, "%s: %s\n", mistake->kind ? mistake->kind : "SyntaxError", mistake->words);
}

void python_raise_mistake(struct python *py, const struct python_code *code,
			  const struct python_mistake *mistake)
{
	struct python_mistake *kept = process_take(py->process, sizeof(*kept));

	*kept = *mistake;
	(void)python_raise(py, mistake->kind ? mistake->kind : "SyntaxError", "%s (%s, line %u)",
			   mistake->words, code->file, mistake->line);
	py->mistake = kept;
	py->mistake_code = code;
}

/* --- told apart --- */

/* Classes of exceptions that stand below others. */
bool python_is_below(const char *kind, const char *class)
{
	static const char *const os_errors[] = {
		"FileNotFoundError",      "PermissionError",       "FileExistsError",
		"IsADirectoryError",      "NotADirectoryError",    "TimeoutError",
		"ConnectionRefusedError", "ConnectionResetError",  "ProcessLookupError",
		"socket.gaierror",        "urllib.error.URLError", "OSError"};

	class = strrchr(class, '.') ? strrchr(class, '.') + 1 : class;
	if (strcmp(class, "BaseException") == 0)
		return true;
	if (strcmp(class, "Exception") == 0)
		return strcmp(kind, "SystemExit") != 0 && strcmp(kind, "KeyboardInterrupt") != 0;
	kind = strrchr(kind, '.') ? strrchr(kind, '.') + 1 : kind;
	if (strcmp(kind, class) == 0)
		return true;
	if (strcmp(class, "LookupError") == 0)
		return strcmp(kind, "KeyError") == 0 || strcmp(kind, "IndexError") == 0;
	if (strcmp(class, "ImportError") == 0)
		return strcmp(kind, "ModuleNotFoundError") == 0;
	if (strcmp(class, "ArithmeticError") == 0)
		return strcmp(kind, "ZeroDivisionError") == 0;
	if (strcmp(class, "OSError") != 0 && strcmp(class, "IOError") != 0 &&
	    strcmp(class, "error") != 0)
		return strcmp(class, "timeout") == 0 && strcmp(kind, "TimeoutError") == 0;
	for (size_t i = 0; i < ARRAY_COUNT(os_errors); i++) {
		const char *name = strrchr(os_errors[i], '.');

		if (strcmp(kind, name ? name + 1 : os_errors[i]) == 0)
			return true;
	}
	return false;
}
