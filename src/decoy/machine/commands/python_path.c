/* Python's os.path and glob on the fake host; see python.h. */
#include "decoy/machine/commands/python.h"
#include "decoy/machine/commands/text.h"

static struct slice path_of(struct python *py, const struct python_arguments *arguments,
			    size_t place)
{
	return python_str(py, python_argument(arguments, place, NULL));
}

static bool status_of(struct python *py, const struct python_arguments *arguments,
		      struct file_status *status, bool follow)
{
	return process_stat(py->process, python_argument_words(py, arguments, 0), follow, status) ==
	       0;
}

static struct python_value exists(struct python *py, struct python_arguments *arguments)
{
	struct file_status status;

	return python_bool(status_of(py, arguments, &status, true));
}

static struct python_value is_file(struct python *py, struct python_arguments *arguments)
{
	struct file_status status;

	return python_bool(status_of(py, arguments, &status, true) && S_ISREG(status.mode));
}

static struct python_value is_folder(struct python *py, struct python_arguments *arguments)
{
	struct file_status status;

	return python_bool(status_of(py, arguments, &status, true) && S_ISDIR(status.mode));
}

static struct python_value is_link(struct python *py, struct python_arguments *arguments)
{
	struct file_status status;

	return python_bool(status_of(py, arguments, &status, false) && S_ISLNK(status.mode));
}

static struct python_value size_of(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	struct file_status status;
	int error = process_stat(py->process, path, true, &status);

	return error < 0 ? python_raise_system(py, error, path) : python_int((int64_t)status.size);
}

static struct python_value time_of(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	struct file_status status;
	int error = process_stat(py->process, path, true, &status);

	return error < 0 ? python_raise_system(py, error, path)
			 : python_float((double)status.modified / (double)SECOND);
}

/* Where the last part begins. */
static size_t last_part(struct slice path)
{
	size_t at = path.length;

	while (at > 0 && path.at[at - 1] != '/')
		at--;
	return at;
}

static struct slice head_of(struct slice path)
{
	struct slice head = slice_first(path, last_part(path));
	size_t length = head.length;

	while (length > 0 && head.at[length - 1] == '/')
		length--;
	return length ? slice_first(head, length) : head;
}

static struct python_value base_name(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);

	return python_text(slice_from(path, last_part(path)));
}

static struct python_value folder_name(struct python *py, struct python_arguments *arguments)
{
	return python_text(head_of(path_of(py, arguments, 0)));
}

static struct python_value split(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);

	return python_pair(py, python_text(head_of(path)),
			   python_text(slice_from(path, last_part(path))));
}

static struct python_value split_ending(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);
	size_t start = last_part(path), dot = path.length;

	while (start < path.length && path.at[start] == '.')
		start++;
	while (dot > start && path.at[dot - 1] != '.')
		dot--;
	dot = dot > start ? dot - 1 : path.length;
	return python_pair(py, python_text(slice_first(path, dot)),
			   python_text(slice_from(path, dot)));
}

static struct python_value join(struct python *py, struct python_arguments *arguments)
{
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < arguments->count; i++) {
		struct python_value part = arguments->values[i];

		if (part.kind == PYTHON_OPAQUE)
			return part;
		if (part.kind != PYTHON_TEXT && part.kind != PYTHON_BYTES)
			return python_raise(py, "TypeError",
					    "join() argument must be str, bytes, or os.PathLike "
					    "object, not '%s'",
					    python_type_name(part));
		if (slice_starts(part.text, "/"))
			text_clear(&out);
		else if (i && out.length && out.data[out.length - 1] != '/')
			text_add_byte(py->process, &out, '/');
		if (out.length + part.text.length > PYTHON_TEXT_MAX)
			return python_raise(py, "MemoryError", "%s", "");
		text_add(py->process, &out, part.text);
	}
	return python_text(text_slice(&out));
}

/* Without ".", ".." and "//". */
static struct slice normal(struct python *py, struct slice path)
{
	struct text out = {0};
	struct slice part;
	bool root = slice_starts(path, "/");

	text_add_words(py->process, &out, root ? "/" : "");
	while (slice_next(&path, '/', &part)) {
		if (!part.length || slice_is(part, "."))
			continue;
		if (slice_is(part, "..") && out.length > (root ? 1u : 0u) &&
		    !slice_is(slice_from(text_slice(&out), last_part(text_slice(&out))), "..")) {
			size_t start = last_part(text_slice(&out));

			out.length = start > 1 ? start - 1 : root ? 1 : 0;
			continue;
		}
		if (slice_is(part, "..") && root)
			continue;
		if (out.length && out.data[out.length - 1] != '/')
			text_add_byte(py->process, &out, '/');
		text_add(py->process, &out, part);
	}
	return out.length ? text_slice(&out) : SLICE(".");
}

static struct python_value normal_path(struct python *py, struct python_arguments *arguments)
{
	return python_text(normal(py, path_of(py, arguments, 0)));
}

static struct python_value whole_path(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);

	if (!slice_starts(path, "/"))
		path = slice_text(process_format(py->process, "%s/%.*s",
						 process_folder(py->process), (int)path.length,
						 (const char *)path.at));
	return python_text(normal(py, path));
}

static struct python_value real_path(struct python *py, struct python_arguments *arguments)
{
	char real[4096];

	if (process_real_path(py->process, python_argument_words(py, arguments, 0), false, real,
			      sizeof(real)) < 0)
		return whole_path(py, arguments);
	return python_words(process_copy_text(py->process, real));
}

static struct python_value is_whole(struct python *py, struct python_arguments *arguments)
{
	return python_bool(slice_starts(path_of(py, arguments, 0), "/"));
}

static struct python_value expand_home(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);
	const char *home = process_environment(py->process, "HOME");

	if (!slice_starts(path, "~") || (path.length > 1 && path.at[1] != '/'))
		return python_text(path);
	return python_words(process_format(py->process, "%s%.*s", home ? home : "/root",
					   (int)path.length - 1, (const char *)path.at + 1));
}

static struct python_value expand_variables(struct python *py, struct python_arguments *arguments)
{
	struct slice path = path_of(py, arguments, 0);
	char *name = process_copy_slice(py->process, slice_from(path, 1));
	size_t end = strcspn(name, "/");
	const char *value;

	if (!slice_starts(path, "$"))
		return python_text(path);
	name[end] = '\0';
	value = process_environment(py->process, name);
	if (!value)
		return python_text(path);
	return python_words(process_format(py->process, "%s%.*s", value,
					   (int)(path.length - 1 - end),
					   (const char *)path.at + 1 + end));
}

/* Names in a folder that the last part of a pattern fits. */
static struct python_value match_names(struct python *py, struct python_arguments *arguments)
{
	struct slice pattern = path_of(py, arguments, 0);
	struct slice head = slice_first(pattern, last_part(pattern));
	const char *last = process_copy_slice(py->process, slice_from(pattern, head.length));
	struct python_value made = python_list(py, PYTHON_LIST);
	struct folder_entry *entries;
	ssize_t count = process_list(
		py->process, head.length ? process_copy_slice(py->process, head) : ".", &entries);

	for (ssize_t i = 0; i < count && !py->raised; i++) {
		process_step(py->process);
		if ((entries[i].name[0] != '.' || last[0] == '.') &&
		    strcmp(entries[i].name, ".") != 0 && strcmp(entries[i].name, "..") != 0 &&
		    text_glob(last, entries[i].name))
			python_append(py, made,
				      python_words(process_format(
					      py->process, "%.*s%s", (int)head.length,
					      (const char *)head.at, entries[i].name)));
	}
	return made;
}

const struct python_entry python_path_functions[] = {
	{"os.path.exists", exists},
	{"os.path.lexists", exists},
	{"os.path.isfile", is_file},
	{"os.path.isdir", is_folder},
	{"os.path.islink", is_link},
	{"os.path.getsize", size_of},
	{"os.path.getmtime", time_of},
	{"os.path.basename", base_name},
	{"os.path.dirname", folder_name},
	{"os.path.split", split},
	{"os.path.splitext", split_ending},
	{"os.path.join", join},
	{"os.path.normpath", normal_path},
	{"os.path.abspath", whole_path},
	{"os.path.realpath", real_path},
	{"os.path.isabs", is_whole},
	{"os.path.expanduser", expand_home},
	{"os.path.expandvars", expand_variables},
	{"glob.glob", match_names},
	{"glob.iglob", match_names},
	{0},
};
