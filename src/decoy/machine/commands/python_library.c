/* Python's libraries: which there are, and what of them is known; see python.h. */
#include "decoy/machine/commands/python.h"

/* Modules that come with Debian's python3; those with parts of their own are packages. */
static const char modules[] =
	" abc aifc antigravity argparse array ast asynchat asyncore atexit audioop base64 bdb "
	"binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs "
	"codeop "
	"colorsys compileall configparser contextlib contextvars copy copyreg crypt csv "
	"dataclasses "
	"datetime decimal difflib dis doctest enum errno faulthandler fcntl filecmp fileinput "
	"fnmatch "
	"fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip "
	"hashlib heapq hmac imaplib imghdr imp inspect io ipaddress itertools keyword linecache "
	"locale lzma mailbox mailcap marshal math mimetypes mmap modulefinder netrc nis nntplib "
	"ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle "
	"pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats "
	"pty "
	"pwd py_compile pyclbr pydoc pyexpat queue quopri random readline reprlib resource "
	"rlcompleter "
	"runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr "
	"socket socketserver spwd sre_compile sre_constants sre_parse ssl stat statistics string "
	"stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile "
	"telnetlib "
	"tempfile termios textwrap this threading time timeit token tokenize trace traceback "
	"tracemalloc tty types typing unicodedata uu uuid warnings wave weakref webbrowser xdrlib "
	"zipapp zipfile zipimport zlib __future__ _thread _socket ";
static const char packages[] = " asyncio collections concurrent ctypes curses dbm email encodings "
			       "html http importlib json "
			       "logging multiprocessing pydoc_data re sqlite3 tomllib unittest "
			       "urllib venv wsgiref xml xmlrpc "
			       "zoneinfo ";

static bool is_in(struct slice list, struct slice word)
{
	for (size_t at; word.length && (at = slice_find(list, word)) != SIZE_MAX;
	     list = slice_from(list, at + 1))
		if (at && list.at[at - 1] == ' ' && list.at[at + word.length] == ' ')
			return true;
	return false;
}

bool python_library_is_package(struct slice module)
{
	return is_in(SLICE(packages), module);
}

/* A package of Debian's puts its modules here. */
static bool is_installed(struct python *py, struct slice top)
{
	static const char *const ends[] = {"", ".py"};
	struct file_status status;

	if (slice_find_byte(top, '/') != SIZE_MAX || top.length > 100)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		char *path = process_format(py->process, "/usr/lib/python3/dist-packages/%.*s%s",
					    (int)top.length, (const char *)top.at, ends[i]);
		bool there = process_stat(py->process, path, true, &status) == 0;

		process_give(py->process, path);
		if (there)
			return true;
	}
	return false;
}

/* A module within another by its whole name, or NULL. */
static const char *part_of(struct slice module)
{
	static const char *const parts[] = {"urllib.request",
					    "urllib.parse",
					    "urllib.error",
					    "urllib.response",
					    "http.server",
					    "http.client",
					    "http.cookiejar",
					    "http.cookies",
					    "os.path",
					    "xml.etree",
					    "xml.dom",
					    "xml.sax",
					    "json.decoder",
					    "json.encoder",
					    "json.tool",
					    "html.parser",
					    "logging.config",
					    "logging.handlers",
					    "importlib.util",
					    "importlib.machinery",
					    "email.mime",
					    "email.utils",
					    "concurrent.futures",
					    "multiprocessing.pool",
					    "ctypes.util",
					    "collections.abc",
					    "xml.etree.ElementTree",
					    "email.mime.text",
					    "email.message",
					    "xmlrpc.client",
					    "multiprocessing.dummy",
					    "email.mime.multipart",
					    "xmlrpc.server",
					    "importlib.metadata",
					    "unittest.mock",
					    "email.header",
					    "email.mime.base"};

	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		if (slice_is(module, parts[i]))
			return parts[i];
	return NULL;
}

bool python_library_knows(struct python *py, struct slice module)
{
	struct slice top = slice_first(module, slice_find_byte(module, '.'));

	if (top.length == module.length &&
	    (is_in(SLICE(modules), top) || is_in(SLICE(packages), top)))
		return true;
	return part_of(module) != NULL || is_installed(py, top);
}

/* --- what is in them --- */

static const struct python_entry *const tables[] = {
	python_os_functions,      python_path_functions,  python_process_functions,
	python_network_functions, python_data_functions,  python_time_functions,
	python_json_functions,    python_regex_functions,
};

static bool constant(struct python *py, const char *name, struct python_value *result)
{
	return python_os_constant(py, name, result) || python_network_constant(py, name, result) ||
	       python_time_constant(py, name, result) || python_data_constant(py, name, result);
}

static bool is_error(const char *name)
{
	static const char *const errors[] = {"socket.error",
					     "socket.timeout",
					     "socket.gaierror",
					     "socket.herror",
					     "urllib.error.URLError",
					     "urllib.error.HTTPError",
					     "os.error",
					     "select.error",
					     "subprocess.CalledProcessError",
					     "binascii.Error",
					     "json.JSONDecodeError",
					     "json.decoder.JSONDecodeError",
					     "re.error",
					     "struct.error",
					     "subprocess.TimeoutExpired",
					     "ssl.SSLError",
					     "zlib.error",
					     "subprocess.SubprocessError",
					     "queue.Empty",
					     "shutil.Error"};

	for (size_t i = 0; i < ARRAY_COUNT(errors); i++)
		if (strcmp(errors[i], name) == 0)
			return true;
	return false;
}

static char *whole_name(struct python *py, const char *module, struct slice name)
{
	static const char *const others[][2] = {
		{"posixpath.", "os.path."}, {"posix.", "os."}, {"secrets.", "random."}};
	char *whole = process_format(py->process, "%s.%.*s", module, (int)name.length,
				     (const char *)name.at);

	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		if (strncmp(whole, others[i][0], strlen(others[i][0])) == 0)
			return process_format(py->process, "%s%s", others[i][1],
					      whole + strlen(others[i][0]));
	return whole;
}

struct python_value python_library_attribute(struct python *py, const char *module,
					     struct slice name)
{
	char *whole = whole_name(py, module, name);
	struct python_value result = python_opaque();

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct python_entry *entry = tables[i]; entry->name; entry++)
			if (strcmp(entry->name, whole) == 0) {
				process_give(py->process, whole);
				return (struct python_value){.kind = PYTHON_BUILTIN,
							     .name = entry->name};
			}
	if (constant(py, whole, &result))
		return result;
	if (is_error(whole))
		return python_type(strcmp(whole, "os.error") == 0 ||
						   strcmp(whole, "socket.error") == 0 ||
						   strcmp(whole, "select.error") == 0
					   ? "OSError"
				   : strcmp(whole, "socket.timeout") == 0 ? "TimeoutError"
									  : whole);
	if (part_of(slice_text(whole)))
		result = (struct python_value){.kind = PYTHON_MODULE,
					       .name = part_of(slice_text(whole))};
	process_give(py->process, whole);
	return result;
}

void python_library_all(struct python *py, const char *module)
{
	size_t length = strlen(module);

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct python_entry *entry = tables[i]; entry->name; entry++)
			if (strncmp(entry->name, module, length) == 0 &&
			    entry->name[length] == '.' && !strchr(entry->name + length + 1, '.'))
				python_set(py, py->scope, slice_text(entry->name + length + 1),
					   (struct python_value){.kind = PYTHON_BUILTIN,
								 .name = entry->name});
}

/* "str.upper" of a text, "bytes.fromhex": what a class has. */
static struct python_value class_call(struct python *py, const char *name,
				      struct python_arguments *arguments)
{
	const char *dot = strchr(name, '.');
	struct python_arguments rest;

	if (!dot || !python_is_class(slice_of(name, (size_t)(dot - name))) || !arguments->count)
		return python_opaque();
	rest = (struct python_arguments){arguments->values + 1, arguments->names + 1,
					 arguments->count - 1};
	return python_method(py, arguments->values[0], dot + 1, &rest);
}

struct python_value python_library_call(struct python *py, const char *name,
					struct python_arguments *arguments)
{
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		python_builtin_function *run = python_entry_find(tables[i], name);

		if (run)
			return run(py, arguments);
	}
	return class_call(py, name, arguments);
}

/* --- things --- */

struct python_value python_thing(struct python *py, const char *class)
{
	struct python_value thing = python_object(py, PYTHON_OBJECT, class, (struct slice){0}, 0);

	thing.object->self = python_list(py, PYTHON_DICT);
	return thing;
}

void python_thing_set(struct python *py, struct python_value thing, const char *name,
		      struct python_value value)
{
	python_dict_set(py, thing.object->self, python_words(name), value);
}

struct python_value python_thing_get(struct python *py, struct python_value thing, const char *name)
{
	struct python_value *found = NULL;

	if (thing.kind == PYTHON_OBJECT && thing.object->self.kind == PYTHON_DICT)
		found = python_dict_find(py, thing.object->self, python_words(name));
	return found ? *found : python_none();
}

struct python_value python_named(struct python *py, const char *shown, const char *const *fields,
				 const struct python_value *values)
{
	struct python_value made = python_list(py, PYTHON_TUPLE);

	for (size_t i = 0; fields[i]; i++)
		python_append(py, made, values[i]);
	made.list->shown = shown;
	made.list->fields = fields;
	return made;
}

bool python_library_field(struct python *py, struct python_value self, const char *name,
			  struct python_value *result)
{
	struct python_value *found;

	if (self.kind == PYTHON_FILE) {
		*result = strcmp(name, "closed") == 0 ? python_bool(self.object->number < 0)
			  : strcmp(name, "mode") == 0 ? python_words(self.object->name + 1)
			  : strcmp(name, "name") == 0 ? python_text(self.object->text)
						      : python_words("utf-8");
		if (strcmp(name, "buffer") == 0) {
			*result = python_file(py, (int)self.object->number,
					      process_copy_slice(py->process, self.object->text),
					      self.object->number == 0 ? "rb" : "wb");
			return true;
		}
		return strcmp(name, "closed") == 0 || strcmp(name, "mode") == 0 ||
		       strcmp(name, "name") == 0 || strcmp(name, "encoding") == 0;
	}
	if (self.object->self.kind != PYTHON_DICT)
		return false;
	found = python_dict_find(py, self.object->self, python_words(name));
	if (found)
		*result = *found;
	return found != NULL;
}

bool python_library_method(struct python *py, struct python_value self, const char *name,
			   struct python_arguments *arguments, struct python_value *result)
{
	python_method_function *(*const finds[])(const char *, const char *) = {
		python_process_method, python_network_method, python_data_method,
		python_regex_method, python_time_method};
	python_method_function *run = NULL;

	if (self.kind != PYTHON_OBJECT)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(finds) && !run; i++)
		run = finds[i](self.object->name, name);
	if (run)
		*result = run(py, self, arguments);
	else if (strcmp(name, "__enter__") == 0)
		*result = self;
	return run != NULL;
}
