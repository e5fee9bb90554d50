/* What Python starts: os.system, subprocess, pty, exec; see python.h.
 *
 * A program runs to its end where it is started. A Popen with a pipe to its input waits with that
 * until it is asked for what came out.
 */
#include <fcntl.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/python.h"

#define OUTPUT_MAX   ((size_t)512 * 1024)
#define TO_PIPE      (-1)
#define TO_OUTPUT    (-2)
#define TO_NOTHING   (-3)
#define NOT_GIVEN    (-4)
#define SIGNAL_FLOOR 128

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* --- lines of the shell --- */

static void ready(struct python *py)
{
	python_flush(py);
	python_os_export(py);
}

static struct python_value run_line(struct python *py, struct python_arguments *arguments)
{
	struct slice line = python_str(py, python_argument(arguments, 0, "command"));

	ready(py);
	return python_int(
		(int64_t)command_run_line(py->process, process_copy_slice(py->process, line)) << 8);
}

/* A file that has no name: what a program says may be more than a pipe holds. */
static int scratch(struct python *py)
{
	char *path =
		process_format(py->process, "/tmp/.%08llx",
			       (unsigned long long)process_random_number(py->process, UINT32_MAX));
	int file = process_open(py->process, path, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (file >= 0)
		(void)process_unlink(py->process, path);
	process_give(py->process, path);
	return file;
}

/* What is in it, from its start; closed then. */
static struct slice all_of(struct python *py, int file)
{
	struct text out = {0};

	text_add_words(py->process, &out, "");
	if (file < 0)
		return text_slice(&out);
	(void)process_seek(py->process, file, 0, SEEK_SET);
	(void)process_read_all(py->process, file, OUTPUT_MAX, &out);
	(void)process_close(py->process, file);
	return text_slice(&out);
}

/* Becomes the descriptor; what that was before. */
static int redirect(struct python *py, int descriptor, int to)
{
	int saved;

	if (to < 0)
		return -1;
	saved = process_duplicate(py->process, descriptor, -1);
	(void)process_duplicate(py->process, to, descriptor);
	return saved;
}

static void restore(struct python *py, int descriptor, int saved)
{
	if (saved < 0)
		return;
	(void)process_duplicate(py->process, saved, descriptor);
	(void)process_close(py->process, saved);
}

static struct slice output_of(struct python *py, struct slice line, bool errors, int *status)
{
	int file = scratch(py), saved, saved_errors = -1;

	ready(py);
	saved = redirect(py, 1, file);
	if (errors)
		saved_errors = redirect(py, 2, file);
	*status = command_run_line(py->process, process_copy_slice(py->process, line));
	restore(py, 1, saved);
	restore(py, 2, saved_errors);
	return all_of(py, file);
}

static struct python_value open_line(struct python *py, struct python_arguments *arguments)
{
	int file = scratch(py), saved;

	if (file < 0)
		return python_raise_system(py, file, NULL);
	ready(py);
	saved = redirect(py, 1, file);
	(void)command_run_line(
		py->process, process_copy_slice(py->process, python_str(py, first_of(arguments))));
	restore(py, 1, saved);
	(void)process_seek(py->process, file, 0, SEEK_SET);
	return python_file(py, file, "<fdopen>", "r");
}

static struct slice without_end(struct slice text)
{
	if (text.length && text.at[text.length - 1] == '\n')
		text.length--;
	return text;
}

static struct python_value get_output(struct python *py, struct python_arguments *arguments)
{
	int status;

	return python_text(
		without_end(output_of(py, python_str(py, first_of(arguments)), true, &status)));
}

static struct python_value get_both(struct python *py, struct python_arguments *arguments)
{
	int status;
	struct slice out = output_of(py, python_str(py, first_of(arguments)), true, &status);

	return python_pair(py, python_int(status), python_text(without_end(out)));
}

/* --- programs --- */

/* Where the errors of a start go through, by what was called. */
#define STARTED                                                                                \
	{"subprocess.py", "__init__", 1024, 0, 0, "self._execute_child(args"},                 \
		{"subprocess.py", "_execute_child", 1901, 0, 0, "raise child_exception_type"}, \
	{                                                                                      \
		NULL                                                                           \
	}
static const struct python_place places_of_run[] = {
	{"subprocess.py", "run", 548, 5, 27, "with Popen(*popenargs"}, STARTED};
static const struct python_place places_of_call[] = {
	{"subprocess.py", "call", 389, 5, 27, "with Popen(*popenargs"}, STARTED};
static const struct python_place places_of_check[] = {
	{"subprocess.py", "check_call", 408, 10, 25, "retcode = call("},
	{"subprocess.py", "call", 389, 5, 27, "with Popen(*popenargs"},
	STARTED};
static const struct python_place places_of_output[] = {
	{"subprocess.py", "check_output", 466, 7, 57, "return run(*popenargs"},
	{"subprocess.py", "run", 548, 5, 27, "with Popen(*popenargs"},
	STARTED};
static const struct python_place places_of_start[] = {STARTED};
static const struct python_place places_of_failure[] = {
	{"subprocess.py", "run", 571, 0, 0, "raise CalledProcessError("}, {NULL}};
static const struct python_place places_of_output_failure[] = {
	{"subprocess.py", "check_output", 466, 7, 57, "return run(*popenargs"},
	{"subprocess.py", "run", 571, 0, 0, "raise CalledProcessError("},
	{NULL}};
static const struct python_place places_of_check_failure[] = {
	{"subprocess.py", "check_call", 413, 0, 0, "raise CalledProcessError("}, {NULL}};

struct run {
	struct python_value given; /* as args: a text or a list */
	const char *folder;        /* to run it in; NULL: this one */
	bool shell, text;
	int input, output, errors; /* descriptors, or what is above */
	int status;
	int out, err; /* files of what was said; -1: it went elsewhere */
	const struct python_place *places;
};

static int stream_of(const struct python_arguments *arguments, const char *name)
{
	struct python_value given = python_argument(arguments, SIZE_MAX, name);

	if (given.kind == PYTHON_INT)
		return (int)given.integer;
	if (given.kind == PYTHON_FILE || given.kind == PYTHON_OBJECT)
		return (int)given.object->number;
	return NOT_GIVEN;
}

static struct run read_run(struct python *py, const struct python_arguments *arguments)
{
	static const char *const texts[] = {"text", "universal_newlines", "encoding"};
	struct run run = {.given = python_argument(arguments, 0, "args"), .out = -1, .err = -1};

	run.shell = python_truth(python_argument(arguments, SIZE_MAX, "shell"));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		run.text = run.text || python_truth(python_argument(arguments, SIZE_MAX, texts[i]));
	if (python_argument(arguments, SIZE_MAX, "cwd").kind == PYTHON_TEXT)
		run.folder = process_copy_slice(py->process,
						python_argument(arguments, SIZE_MAX, "cwd").text);
	run.input = stream_of(arguments, "stdin");
	run.output = stream_of(arguments, "stdout");
	run.errors = stream_of(arguments, "stderr");
	if (python_truth(python_argument(arguments, SIZE_MAX, "capture_output")))
		run.output = run.errors = TO_PIPE;
	return run;
}

/* The words of the program, NULL when it is a line for the shell. */
static char **words_of(struct python *py, const struct run *run)
{
	bool list = run->given.kind == PYTHON_LIST || run->given.kind == PYTHON_TUPLE;
	size_t count = list ? run->given.list->count : 1;
	char **argv;

	if (run->shell)
		return NULL;
	argv = process_take(py->process, (count + 2) * sizeof(*argv));
	for (size_t i = 0; i < count; i++)
		argv[i] = process_copy_slice(
			py->process, python_str(py, list ? run->given.list->items[i] : run->given));
	return argv;
}

static int fail_to_start(struct python *py, const struct run *run, const char *name, int error)
{
	(void)python_raise_system(py, error, name);
	py->error_places = run->places;
	return -1;
}

static int start(struct python *py, const struct run *run)
{
	char **argv = words_of(py, run), path[4096];
	int error;

	if (!argv)
		return command_run_line(
			py->process,
			process_copy_slice(py->process,
					   python_str(py, run->given.kind == PYTHON_LIST &&
									  run->given.list->count
								  ? run->given.list->items[0]
								  : run->given)));
	if (!argv[0]) {
		(void)python_raise(py, "IndexError", "list index out of range");
		return -1;
	}
	error = command_which(py->process, argv[0], path, sizeof(path));
	if (error < 0)
		return fail_to_start(py, run, argv[0], error);
	return command_run_program(py->process, argv, NULL);
}

static int open_stream(struct python *py, int stream)
{
	if (stream == TO_NOTHING)
		return process_open(py->process, "/dev/null", O_RDWR, 0);
	if (stream == TO_PIPE)
		return scratch(py);
	return stream >= 0 ? process_duplicate(py->process, stream, -1) : -1;
}

/* Runs it with its streams; raises when it does not start. */
static void perform(struct python *py, struct run *run, struct slice input)
{
	int in = open_stream(py, run->input), out = open_stream(py, run->output);
	int err = run->errors == TO_OUTPUT ? -1 : open_stream(py, run->errors);
	int saved[3], error;
	char *folder;

	if (run->input == TO_PIPE && in >= 0) {
		(void)process_write(py->process, in, input);
		(void)process_seek(py->process, in, 0, SEEK_SET);
	}
	ready(py);
	saved[0] = redirect(py, 0, in);
	saved[1] = redirect(py, 1, out);
	saved[2] = redirect(py, 2, run->errors == TO_OUTPUT ? 1 : err);
	folder = process_copy_text(py->process, process_folder(py->process));
	error = run->folder ? process_change_folder(py->process, run->folder) : 0;
	if (error)
		run->status = fail_to_start(py, run, run->folder, error);
	else
		run->status = start(py, run);
	if (run->folder)
		(void)process_change_folder(py->process, folder);
	for (int i = 0; i < 3; i++)
		restore(py, i, saved[i]);
	if (in >= 0)
		(void)process_close(py->process, in);
	if (run->output == TO_PIPE)
		run->out = out;
	else if (out >= 0)
		(void)process_close(py->process, out);
	if (run->errors == TO_PIPE)
		run->err = err;
	else if (err >= 0)
		(void)process_close(py->process, err);
	if (run->status > SIGNAL_FLOOR && !run->shell)
		run->status = SIGNAL_FLOOR - run->status;
}

static struct python_value said(struct python *py, const struct run *run, int file)
{
	struct slice all;

	if (file < 0)
		return python_none();
	all = all_of(py, file);
	return run->text ? python_text(all) : python_bytes(all);
}

static struct python_value fail_status(struct python *py, const struct run *run,
				       const struct python_place *places)
{
	struct slice shown = python_str(py, run->given);

	(void)python_raise(py, "subprocess.CalledProcessError",
			   "Command '%.*s' returned non-zero exit status %d.", (int)shown.length,
			   (const char *)shown.at, run->status);
	py->error.object->number = run->status;
	py->error_places = places;
	return python_none();
}

static struct slice input_of(const struct python_arguments *arguments)
{
	struct python_value given = python_argument(arguments, SIZE_MAX, "input");

	return given.kind == PYTHON_TEXT || given.kind == PYTHON_BYTES ? given.text
								       : (struct slice){0};
}

static struct python_value run_program(struct python *py, struct python_arguments *arguments)
{
	struct run run = read_run(py, arguments);
	struct python_value made, out, err;
	struct slice shown;

	run.places = places_of_run;
	if (input_of(arguments).length)
		run.input = TO_PIPE;
	perform(py, &run, input_of(arguments));
	out = said(py, &run, run.out);
	err = said(py, &run, run.err);
	if (py->raised)
		return python_none();
	if (run.status && python_truth(python_argument(arguments, SIZE_MAX, "check")))
		return fail_status(py, &run, places_of_failure);
	made = python_thing(py, "CompletedProcess");
	shown = python_repr(py, run.given);
	python_thing_set(py, made, "args", run.given);
	python_thing_set(py, made, "returncode", python_int(run.status));
	python_thing_set(py, made, "stdout", out);
	python_thing_set(py, made, "stderr", err);
	made.object->text =
		slice_text(process_format(py->process, "CompletedProcess(args=%.*s, returncode=%d",
					  (int)shown.length, (const char *)shown.at, run.status));
	for (size_t i = 0; i < 2; i++) {
		struct python_value part = i ? err : out;
		struct slice words = python_repr(py, part);

		if (part.kind != PYTHON_NONE)
			made.object->text = slice_text(process_format(
				py->process, "%.*s, %s=%.*s", (int)made.object->text.length,
				(const char *)made.object->text.at, i ? "stderr" : "stdout",
				(int)words.length, (const char *)words.at));
	}
	made.object->text =
		slice_text(process_format(py->process, "%.*s)", (int)made.object->text.length,
					  (const char *)made.object->text.at));
	return made;
}

static struct python_value call_program(struct python *py, struct python_arguments *arguments)
{
	struct run run = read_run(py, arguments);

	run.places = places_of_call;
	perform(py, &run, (struct slice){0});
	return python_int(run.status);
}

static struct python_value check_call(struct python *py, struct python_arguments *arguments)
{
	struct run run = read_run(py, arguments);

	run.places = places_of_check;
	perform(py, &run, (struct slice){0});
	if (run.status && !py->raised)
		return fail_status(py, &run, places_of_check_failure);
	return python_int(0);
}

static struct python_value check_output(struct python *py, struct python_arguments *arguments)
{
	struct run run = read_run(py, arguments);
	struct python_value out;

	run.places = places_of_output;
	run.output = TO_PIPE;
	if (input_of(arguments).length)
		run.input = TO_PIPE;
	perform(py, &run, input_of(arguments));
	out = said(py, &run, run.out);
	if (run.status && !py->raised)
		return fail_status(py, &run, places_of_output_failure);
	return out;
}

/* --- Popen --- */

static void keep_output(struct python *py, struct python_value made, const struct run *run)
{
	const int files[] = {run->out, run->err};
	static const char *const names[] = {"stdout", "stderr"};

	for (size_t i = 0; i < 2; i++) {
		if (files[i] < 0)
			continue;
		(void)process_seek(py->process, files[i], 0, SEEK_SET);
		python_thing_set(py, made, names[i],
				 python_file(py, files[i], "<fdopen>", run->text ? "r" : "rb"));
	}
	made.object->number = run->status;
}

static struct python_value open_program(struct python *py, struct python_arguments *arguments)
{
	static const char *const names[] = {"stdin", "stdout", "stderr", "returncode"};
	struct run *run = process_take(py->process, sizeof(*run));
	struct python_value made = python_thing(py, "Popen");
	struct slice shown;

	*run = read_run(py, arguments);
	run->places = places_of_start;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		python_thing_set(py, made, names[i], python_none());
	shown = python_repr(py, run->given);
	made.object->text =
		slice_text(process_format(py->process, "<Popen: returncode: None args: %.*s>",
					  (int)shown.length, (const char *)shown.at));
	python_thing_set(py, made, "args", run->given);
	python_thing_set(
		py, made, "pid",
		python_int(py->process->pid + 1 + (int64_t)process_random_number(py->process, 3)));
	if (run->input == TO_PIPE) {
		struct python_value in =
			python_file(py, scratch(py), "<fdopen>", run->text ? "w" : "wb");

		python_thing_set(py, made, "stdin", in);
		made.object->waiting = run;
		return made;
	}
	perform(py, run, (struct slice){0});
	keep_output(py, made, run);
	return py->raised ? python_none() : made;
}

/* Runs what waited for its input. */
static void finish(struct python *py, struct python_value self, struct slice input)
{
	struct run *run = self.object->waiting;
	struct python_value in = python_thing_get(py, self, "stdin");
	struct text all = {0};

	if (run) {
		self.object->waiting = NULL;
		text_add_words(py->process, &all, "");
		if (in.kind == PYTHON_FILE && in.object->number >= 0) {
			text_add(py->process, &all, all_of(py, (int)in.object->number));
			in.object->number = -1;
		}
		text_add(py->process, &all, input);
		perform(py, run, text_slice(&all));
		keep_output(py, self, run);
	}
	python_thing_set(py, self, "returncode", python_int(self.object->number));
}

static struct python_value communicate(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	struct python_value input = python_argument(arguments, 0, "input"), parts[2];
	static const char *const names[] = {"stdout", "stderr"};

	finish(py, self,
	       input.kind == PYTHON_TEXT || input.kind == PYTHON_BYTES ? input.text
								       : (struct slice){0});
	for (size_t i = 0; i < 2; i++) {
		parts[i] = python_thing_get(py, self, names[i]);
		if (parts[i].kind == PYTHON_FILE)
			parts[i] =
				python_method(py, parts[i], "read", &(struct python_arguments){0});
	}
	return python_pair(py, parts[0], parts[1]);
}

static struct python_value wait_for(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	finish(py, self, (struct slice){0});
	return python_int(self.object->number);
}

static struct python_value end_it(struct python *py, struct python_value self,
				  struct python_arguments *arguments)
{
	return python_none();
}

python_method_function *python_process_method(const char *class, const char *name)
{
	static const struct python_method_entry methods[] = {{"communicate", communicate},
							     {"wait", wait_for},
							     {"poll", wait_for},
							     {"kill", end_it},
							     {"terminate", end_it}};

	for (size_t i = 0; strcmp(class, "Popen") == 0 && i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}

/* --- others in the place of this one --- */

static struct python_value spawn(struct python *py, struct python_arguments *arguments)
{
	struct run run = {.given = python_argument(arguments, 0, "argv")};
	char **argv = words_of(py, &run);

	if (!argv[0])
		return python_raise(py, "IndexError", "list index out of range");
	ready(py);
	return python_int((int64_t)command_run_program(py->process, argv, NULL) << 8);
}

/* exec: by a path or a name (searched), its words as a list or one by one. */
static struct python_value become(struct python *py, struct python_arguments *arguments,
				  bool searched, bool list)
{
	struct run run = {.given = list ? python_argument(arguments, 1, "args")
					: python_list(py, PYTHON_LIST)};
	char *path = process_copy_slice(py->process, python_str(py, first_of(arguments)));
	char **argv, found[4096];
	int error = 0;

	for (size_t i = 1; !list && i < arguments->count; i++)
		if (arguments->values[i].kind == PYTHON_TEXT)
			python_append(py, run.given, arguments->values[i]);
	argv = words_of(py, &run);
	if (!argv[0])
		return python_raise(py, "ValueError", "%s arg 2 must not be empty",
				    list ? "execv()" : "execv()");
	ready(py);
	if (searched && !strchr(path, '/'))
		error = command_which(py->process, path, found, sizeof(found));
	if (!error)
		error = process_execute(py->process, searched && !strchr(path, '/') ? found : path,
					argv, NULL);
	return python_raise_system(py, error, NULL);
}

static struct python_value become_list(struct python *py, struct python_arguments *arguments)
{
	return become(py, arguments, false, true);
}

static struct python_value become_found_list(struct python *py, struct python_arguments *arguments)
{
	return become(py, arguments, true, true);
}

static struct python_value become_words(struct python *py, struct python_arguments *arguments)
{
	return become(py, arguments, false, false);
}

static struct python_value become_found_words(struct python *py, struct python_arguments *arguments)
{
	return become(py, arguments, true, false);
}

const struct python_entry python_process_functions[] = {
	{"os.system", run_line},
	{"os.popen", open_line},
	{"os.execv", become_list},
	{"os.execve", become_list},
	{"os.execvp", become_found_list},
	{"os.execvpe", become_found_list},
	{"os.execl", become_words},
	{"os.execle", become_words},
	{"os.execlp", become_found_words},
	{"pty.spawn", spawn},
	{"subprocess.run", run_program},
	{"subprocess.call", call_program},
	{"subprocess.check_call", check_call},
	{"subprocess.check_output", check_output},
	{"subprocess.Popen", open_program},
	{"subprocess.getoutput", get_output},
	{"subprocess.getstatusoutput", get_both},
	{0},
};
