/* Python's os, sys, platform, pwd, shutil and glob on the fake host; see python.h. */
#include <fcntl.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/python.h"
#include "decoy/machine/host.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* None, or the error with the path. */
static struct python_value done(struct python *py, int error, const char *path)
{
	return error < 0 ? python_raise_system(py, error, path) : python_none();
}

/* --- the process --- */

static struct python_value folder(struct python *py, struct python_arguments *arguments)
{
	return python_words(process_copy_text(py->process, process_folder(py->process)));
}

static struct python_value change_folder(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);

	return done(py, process_change_folder(py->process, path), path);
}

static struct python_value user(struct python *py, struct python_arguments *arguments)
{
	return python_int(py->process->identity.uid);
}

static struct python_value group(struct python *py, struct python_arguments *arguments)
{
	return python_int(py->process->identity.gid);
}

static struct python_value effective_user(struct python *py, struct python_arguments *arguments)
{
	return python_int(py->process->identity.effective_uid);
}

static struct python_value own_id(struct python *py, struct python_arguments *arguments)
{
	return python_int(py->process->pid);
}

static struct python_value parent_id(struct python *py, struct python_arguments *arguments)
{
	return python_int(process_parent_id(py->process));
}

static struct python_value become(struct python *py, struct python_arguments *arguments)
{
	struct process_identity identity = py->process->identity;
	int64_t number = python_integer(first_of(arguments));

	if (identity.effective_uid != 0 && number != identity.uid)
		return python_raise_system(py, EPERM, NULL);
	if (number >= 0 && number < UINT32_MAX) {
		identity.uid = identity.effective_uid = (unsigned)number;
		process_become(py->process, &identity);
	}
	return python_none();
}

static struct python_value become_group(struct python *py, struct python_arguments *arguments)
{
	if (py->process->identity.effective_uid != 0 &&
	    python_integer(first_of(arguments)) != py->process->identity.gid)
		return python_raise_system(py, EPERM, NULL);
	return python_none();
}

static struct python_value login_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(process_copy_text(
		py->process, command_user_name(py->process, py->process->identity.uid)));
}

static struct python_value names_of_system(struct python *py, struct python_arguments *arguments)
{
	static const char *const fields[] = {"sysname", "nodename", "release",
					     "version", "machine",  NULL};
	const struct host_names *names = host_names(process_host(py->process));
	struct python_value values[] = {python_words(names->system), python_words(names->node),
					python_words(names->release), python_words(names->version),
					python_words(names->machine)};

	return python_named(py, "posix.uname_result", fields, values);
}

static struct python_value processors(struct python *py, struct python_arguments *arguments)
{
	return python_int(host_processor(process_host(py->process))->count);
}

static struct python_value environment(struct python *py)
{
	struct python_value *known = &py->environment;

	if (known->kind == PYTHON_DICT)
		return *known;
	*known = python_list(py, PYTHON_DICT);
	known->list->shown = "environ";
	for (char **at = py->process->environment; at && *at; at++) {
		const char *equals = strchr(*at, '=');

		if (equals)
			python_dict_set(
				py, *known,
				python_text(slice_text(process_copy_slice(
					py->process, slice_of(*at, (size_t)(equals - *at))))),
				python_words(process_copy_text(py->process, equals + 1)));
	}
	return *known;
}

void python_os_export(struct python *py)
{
	struct python_list *l = py->environment.list;
	char **made;
	size_t count = 0;

	if (py->environment.kind != PYTHON_DICT)
		return;
	made = process_take(py->process, (l->count / 2 + 1) * sizeof(*made));
	for (size_t i = 0; i + 1 < l->count; i += 2)
		if (l->items[i].kind == PYTHON_TEXT && l->items[i + 1].kind == PYTHON_TEXT)
			made[count++] = process_format(
				py->process, "%.*s=%.*s", (int)l->items[i].text.length,
				(const char *)l->items[i].text.at, (int)l->items[i + 1].text.length,
				(const char *)l->items[i + 1].text.at);
	process_set_environment(py->process, made);
}

static struct python_value get_variable(struct python *py, struct python_arguments *arguments)
{
	struct python_value *found = python_dict_find(py, environment(py), first_of(arguments));

	return found ? *found : python_argument(arguments, 1, "default");
}

static struct python_value set_variable(struct python *py, struct python_arguments *arguments)
{
	python_dict_set(py, environment(py), first_of(arguments),
			python_argument(arguments, 1, NULL));
	return python_none();
}

/* The child's part of a fork is what there is to learn from. */
static struct python_value fork_off(struct python *py, struct python_arguments *arguments)
{
	return python_int(0);
}

static struct python_value nothing(struct python *py, struct python_arguments *arguments)
{
	return python_none();
}

static struct python_value set_mask(struct python *py, struct python_arguments *arguments)
{
	unsigned before = py->process->umask;

	py->process->umask = (unsigned)python_integer(first_of(arguments)) & 0777;
	return python_int(before);
}

static struct python_value kill_process(struct python *py, struct python_arguments *arguments)
{
	int error = process_kill(py->process, (int)python_integer(first_of(arguments)),
				 (int)python_integer(python_argument(arguments, 1, NULL)));

	return done(py, error, NULL);
}

static struct python_value leave_at_once(struct python *py, struct python_arguments *arguments)
{
	py->exited = true;
	py->status = (int)(python_integer(first_of(arguments)) & 255);
	return python_none();
}

/* --- descriptors --- */

static struct python_value duplicate(struct python *py, struct python_arguments *arguments)
{
	struct python_value to = python_argument(arguments, 1, NULL);
	int made;

	process_flush(py->process);
	made = process_duplicate(py->process, (int)python_integer(first_of(arguments)),
				 to.kind == PYTHON_INT ? (int)to.integer : -1);
	return made < 0 ? python_raise_system(py, made, NULL)
			: python_int(to.kind == PYTHON_INT ? to.integer : made);
}

static struct python_value close_descriptor(struct python *py, struct python_arguments *arguments)
{
	return done(py, process_close(py->process, (int)python_integer(first_of(arguments))), NULL);
}

static struct python_value open_descriptor(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	struct python_value flags = python_argument(arguments, 1, NULL);
	struct python_value mode = python_argument(arguments, 2, NULL);
	int file = process_open(py->process, path, (int)python_integer(flags) & 0x7fffff,
				mode.kind == PYTHON_INT ? (unsigned)mode.integer & 07777 : 0777);

	return file < 0 ? python_raise_system(py, file, path) : python_int(file);
}

static struct python_value read_descriptor(struct python *py, struct python_arguments *arguments)
{
	int64_t wanted = python_integer(python_argument(arguments, 1, NULL));
	size_t size = wanted > 0 && wanted < 65536 ? (size_t)wanted : 65536;
	char *bytes = process_take(py->process, size);
	ssize_t got =
		process_read(py->process, (int)python_integer(first_of(arguments)), bytes, size);

	return got < 0 ? python_raise_system(py, (int)got, NULL)
		       : python_bytes(slice_of(bytes, (size_t)got));
}

static struct python_value write_descriptor(struct python *py, struct python_arguments *arguments)
{
	struct python_value what = python_argument(arguments, 1, NULL);
	ssize_t put;

	if (what.kind != PYTHON_BYTES)
		return what.kind == PYTHON_OPAQUE
			       ? what
			       : python_raise(py, "TypeError",
					      "a bytes-like object is required, not '%s'",
					      python_type_name(what));
	process_flush(py->process);
	put = process_write(py->process, (int)python_integer(first_of(arguments)), what.text);
	return put < 0 ? python_raise_system(py, (int)put, NULL) : python_int(put);
}

static struct python_value is_terminal(struct python *py, struct python_arguments *arguments)
{
	return python_bool(
		process_is_terminal(py->process, (int)python_integer(first_of(arguments))));
}

/* --- files --- */

static struct python_value list_folder(struct python *py, struct python_arguments *arguments)
{
	const char *path = arguments->count ? python_argument_words(py, arguments, 0) : ".";
	struct python_value made = python_list(py, PYTHON_LIST);
	struct folder_entry *entries;
	ssize_t count = process_list(py->process, path, &entries);

	if (count < 0)
		return python_raise_system(py, (int)count, path);
	for (ssize_t i = 0; i < count && !py->raised; i++)
		if (strcmp(entries[i].name, ".") != 0 && strcmp(entries[i].name, "..") != 0)
			python_append(py, made, python_words(entries[i].name));
	return made;
}

static struct python_value remove_file(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);

	return done(py, process_unlink(py->process, path), path);
}

static struct python_value remove_folder(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);

	return done(py, process_remove_folder(py->process, path), path);
}

static struct python_value make_folder(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);

	return done(py, process_make_folder(py->process, path, 0777), path);
}

static struct python_value make_folders(struct python *py, struct python_arguments *arguments)
{
	char *path = python_argument_words(py, arguments, 0);
	bool may_exist = python_truth(python_argument(arguments, 2, "exist_ok"));
	int error;

	for (char *at = path; *at; at++) {
		if (*at != '/' || at == path)
			continue;
		*at = '\0';
		(void)process_make_folder(py->process, path, 0777);
		*at = '/';
		process_step(py->process);
	}
	error = process_make_folder(py->process, path, 0777);
	return error == -EEXIST && may_exist ? python_none() : done(py, error, path);
}

static struct python_value rename_file(struct python *py, struct python_arguments *arguments)
{
	const char *from = python_argument_words(py, arguments, 0),
		   *to = python_argument_words(py, arguments, 1);
	int error = process_rename(py->process, from, to);

	if (error < 0) {
		(void)python_raise_system(py, error,
					  process_format(py->process, "%s' -> '%s", from, to));
		return python_none();
	}
	return python_none();
}

static struct python_value make_link(struct python *py, struct python_arguments *arguments)
{
	const char *target = python_argument_words(py, arguments, 0),
		   *path = python_argument_words(py, arguments, 1);

	return done(py, process_symlink(py->process, target, path), target);
}

static struct python_value read_link(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	char target[4096];
	ssize_t length = process_readlink(py->process, path, target, sizeof(target));

	return length < 0 ? python_raise_system(py, (int)length, path)
			  : python_words(process_copy_text(py->process, target));
}

static struct python_value change_mode(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	unsigned mode = (unsigned)python_integer(python_argument(arguments, 1, "mode")) & 07777;

	return done(py, process_change_mode(py->process, path, mode), path);
}

static struct python_value change_owner(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	unsigned uid = (unsigned)python_integer(python_argument(arguments, 1, NULL));
	unsigned gid = (unsigned)python_integer(python_argument(arguments, 2, NULL));

	return done(py, process_change_owner(py->process, path, true, uid, gid), path);
}

static struct python_value may_access(struct python *py, struct python_arguments *arguments)
{
	int mode = (int)python_integer(python_argument(arguments, 1, NULL)) & 7;

	return python_bool(
		process_access(py->process, python_argument_words(py, arguments, 0), mode) == 0);
}

static struct python_value status_of_file(struct python *py, struct python_arguments *arguments)
{
	static const char *const fields[] = {"st_mode",  "st_ino",   "st_dev",  "st_nlink",
					     "st_uid",   "st_gid",   "st_size", "st_atime",
					     "st_mtime", "st_ctime", NULL};
	const char *path = python_argument_words(py, arguments, 0);
	struct file_status s;
	int error = process_stat(py->process, path, true, &s);

	if (error < 0)
		return python_raise_system(py, error, path);
	return python_named(py, "os.stat_result", fields,
			    (struct python_value[]){
				    python_int(s.mode), python_int((int64_t)s.inode),
				    python_int(s.mount + 2049), python_int(s.links),
				    python_int(s.uid), python_int(s.gid),
				    python_int((int64_t)s.size), python_int(s.accessed / SECOND),
				    python_int(s.modified / SECOND),
				    python_int(s.changed / SECOND)});
}

static void walk(struct python *py, const char *path, struct python_value made)
{
	struct python_value row = python_list(py, PYTHON_TUPLE);
	struct python_value folders = python_list(py, PYTHON_LIST);
	struct python_value files = python_list(py, PYTHON_LIST);
	struct folder_entry *entries;
	ssize_t count = process_list(py->process, path, &entries);

	if (count < 0 || python_deep(py))
		return;
	for (ssize_t i = 0; i < count && !py->raised; i++)
		if (strcmp(entries[i].name, ".") != 0 && strcmp(entries[i].name, "..") != 0)
			python_append(py, S_ISDIR(entries[i].type) ? folders : files,
				      python_words(entries[i].name));
	python_append(py, row, python_words(process_copy_text(py->process, path)));
	python_append(py, row, folders);
	python_append(py, row, files);
	python_append(py, made, row);
	for (size_t i = 0; i < folders.list->count && !py->raised; i++) {
		struct slice name = folders.list->items[i].text;

		walk(py,
		     process_format(py->process, "%s%s%.*s", path,
				    path[strlen(path) - 1] == '/' ? "" : "/", (int)name.length,
				    (const char *)name.at),
		     made);
	}
}

static struct python_value walk_folders(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	const char *path = python_argument_words(py, arguments, 0);

	made.list->shown = "generator";
	if (*path)
		walk(py, path, made);
	return made;
}

static struct python_value copy_file(struct python *py, struct python_arguments *arguments)
{
	const char *from = python_argument_words(py, arguments, 0),
		   *to = python_argument_words(py, arguments, 1);
	struct file_status status;
	int error = process_stat(py->process, from, true, &status);

	if (error < 0)
		return python_raise_system(py, error, from);
	if (process_stat(py->process, to, true, &status) == 0 && S_ISDIR(status.mode))
		to = process_format(py->process, "%s/%s", to,
				    strrchr(from, '/') ? strrchr(from, '/') + 1 : from);
	error = process_clone_file(py->process, from, to, 0644);
	return error < 0 ? python_raise_system(py, error, to)
			 : python_words(process_copy_text(py->process, to));
}

static struct python_value remove_tree(struct python *py, struct python_arguments *arguments)
{
	const char *path = python_argument_words(py, arguments, 0);
	char *argv[] = {(char *)"rm", (char *)"-rf", (char *)"--", (char *)path, NULL};
	struct file_status status;
	int error = process_stat(py->process, path, false, &status);

	if (error < 0)
		return python_raise_system(py, error, path);
	(void)command_run_program(py->process, argv, NULL);
	return python_none();
}

static struct python_value which(struct python *py, struct python_arguments *arguments)
{
	char path[4096];

	if (command_which(py->process, python_argument_words(py, arguments, 0), path,
			  sizeof(path)) < 0)
		return python_none();
	return python_words(process_copy_text(py->process, path));
}

/* --- the rest of the host --- */

static struct python_value account_of(struct python *py, const char *name)
{
	static const char *const fields[] = {"pw_name",  "pw_passwd", "pw_uid",   "pw_gid",
					     "pw_gecos", "pw_dir",    "pw_shell", NULL};
	const struct machine_account *account = command_account(py->process, name);

	if (!account)
		return python_raise(py, "KeyError", "\"getpwnam(): name not found: '%s'\"", name);
	return python_named(
		py, "pwd.struct_passwd", fields,
		(struct python_value[]){python_words(account->name), python_words("x"),
					python_int(account->uid), python_int(account->gid),
					python_words(account->gecos), python_words(account->home),
					python_words(account->shell)});
}

static struct python_value account_by_name(struct python *py, struct python_arguments *arguments)
{
	return account_of(py, python_argument_words(py, arguments, 0));
}

static struct python_value account_by_id(struct python *py, struct python_arguments *arguments)
{
	return account_of(
		py, command_user_name(py->process, (unsigned)python_integer(first_of(arguments))));
}

static const struct host_names *names_of(struct python *py)
{
	return host_names(process_host(py->process));
}

static struct python_value system_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(names_of(py)->system);
}

static struct python_value node_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(names_of(py)->node);
}

static struct python_value release_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(names_of(py)->release);
}

static struct python_value version_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(names_of(py)->version);
}

static struct python_value machine_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(names_of(py)->machine);
}

static struct python_value platform_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(process_format(py->process, "Linux-%s-%s-with-glibc2.36",
					   names_of(py)->release, names_of(py)->machine));
}

static struct python_value platform_names(struct python *py, struct python_arguments *arguments)
{
	static const char *const fields[] = {"system",  "node",    "release",
					     "version", "machine", NULL};
	const struct host_names *names = names_of(py);

	return python_named(
		py, "uname_result", fields,
		(struct python_value[]){python_words(names->system), python_words(names->node),
					python_words(names->release), python_words(names->version),
					python_words(names->machine)});
}

static struct python_value python_version(struct python *py, struct python_arguments *arguments)
{
	return python_words("3.11.2");
}

static struct python_value architecture(struct python *py, struct python_arguments *arguments)
{
	return python_pair(py, python_words("64bit"), python_words("ELF"));
}

static struct python_value empty(struct python *py, struct python_arguments *arguments)
{
	return python_words("");
}

static struct python_value recursion_limit(struct python *py, struct python_arguments *arguments)
{
	return python_int(PYTHON_FRAMES_MAX);
}

static struct python_value encoding(struct python *py, struct python_arguments *arguments)
{
	return python_words("utf-8");
}

static struct python_value leave(struct python *py, struct python_arguments *arguments)
{
	struct python_value result;

	(void)python_builtin(py, "exit", arguments, &result);
	return python_none();
}

const struct python_entry python_os_functions[] = {
	{"os.getcwd", folder},
	{"os.chdir", change_folder},
	{"os.getuid", user},
	{"os.geteuid", effective_user},
	{"os.getgid", group},
	{"os.getegid", group},
	{"os.getpid", own_id},
	{"os.getppid", parent_id},
	{"os.setuid", become},
	{"os.seteuid", become},
	{"os.setreuid", become},
	{"os.setgid", become_group},
	{"os.setegid", become_group},
	{"os.getlogin", login_name},
	{"getpass.getuser", login_name},
	{"os.uname", names_of_system},
	{"os.cpu_count", processors},
	{"multiprocessing.cpu_count", processors},
	{"os.getenv", get_variable},
	{"os.putenv", set_variable},
	{"os.fork", fork_off},
	{"os.setsid", nothing},
	{"os.umask", set_mask},
	{"os.kill", kill_process},
	{"os._exit", leave_at_once},
	{"os.dup", duplicate},
	{"os.dup2", duplicate},
	{"os.close", close_descriptor},
	{"os.open", open_descriptor},
	{"os.read", read_descriptor},
	{"os.write", write_descriptor},
	{"os.isatty", is_terminal},
	{"os.listdir", list_folder},
	{"os.remove", remove_file},
	{"os.unlink", remove_file},
	{"os.rmdir", remove_folder},
	{"os.mkdir", make_folder},
	{"os.makedirs", make_folders},
	{"os.rename", rename_file},
	{"os.replace", rename_file},
	{"shutil.move", rename_file},
	{"os.symlink", make_link},
	{"os.readlink", read_link},
	{"os.chmod", change_mode},
	{"os.chown", change_owner},
	{"os.access", may_access},
	{"os.stat", status_of_file},
	{"os.lstat", status_of_file},
	{"os.walk", walk_folders},
	{"shutil.copy", copy_file},
	{"shutil.copy2", copy_file},
	{"shutil.copyfile", copy_file},
	{"shutil.rmtree", remove_tree},
	{"shutil.which", which},
	{"pwd.getpwnam", account_by_name},
	{"pwd.getpwuid", account_by_id},
	{"platform.system", system_name},
	{"platform.node", node_name},
	{"platform.release", release_name},
	{"platform.version", version_name},
	{"platform.machine", machine_name},
	{"platform.platform", platform_name},
	{"platform.uname", platform_names},
	{"platform.python_version", python_version},
	{"platform.architecture", architecture},
	{"platform.processor", empty},
	{"sys.exit", leave},
	{"sys.getrecursionlimit", recursion_limit},
	{"sys.setrecursionlimit", nothing},
	{"sys.getdefaultencoding", encoding},
	{"sys.getfilesystemencoding", encoding},
	{0},
};

static struct python_value arguments_of(struct python *py)
{
	struct python_value made = python_list(py, PYTHON_LIST);

	for (int i = 0; i < py->argc; i++)
		python_append(py, made, python_words(py->argv[i]));
	return made;
}

static struct python_value search_path(struct python *py)
{
	static const char *const folders[] = {
		"/usr/lib/python311.zip", "/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload",
		"/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"};
	struct python_value made = python_list(py, PYTHON_LIST);

	python_append(py, made, python_words(""));
	for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
		python_append(py, made, python_words(folders[i]));
	return made;
}

static struct python_value version_info(struct python *py)
{
	static const char *const fields[] = {"major",        "minor",  "micro",
					     "releaselevel", "serial", NULL};

	return python_named(py, "sys.version_info", fields,
			    (struct python_value[]){python_int(3), python_int(11), python_int(2),
						    python_words("final"), python_int(0)});
}

bool python_os_constant(struct python *py, const char *name, struct python_value *result)
{
	static const struct {
		const char *name, *text;
		int64_t number;
	} plain[] = {
		{"os.name", "posix", 0},
		{"os.sep", "/", 0},
		{"os.linesep", "\n", 0},
		{"os.pathsep", ":", 0},
		{"os.devnull", "/dev/null", 0},
		{"os.curdir", ".", 0},
		{"os.path.sep", "/", 0},
		{"sys.platform", "linux", 0},
		{"sys.version", "3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0]", 0},
		{"sys.executable", "/usr/bin/python3", 0},
		{"sys.prefix", "/usr", 0},
		{"sys.byteorder", "little", 0},
		{"sys.maxsize", NULL, INT64_MAX},
		{"sys.hexversion", NULL, 0x030b02f0},
		{"os.O_RDONLY", NULL, O_RDONLY},
		{"os.O_WRONLY", NULL, O_WRONLY},
		{"os.O_RDWR", NULL, O_RDWR},
		{"os.O_CREAT", NULL, O_CREAT},
		{"os.O_TRUNC", NULL, O_TRUNC},
		{"os.O_APPEND", NULL, O_APPEND},
		{"os.F_OK", NULL, 0},
		{"os.R_OK", NULL, 4},
		{"os.W_OK", NULL, 2},
		{"os.X_OK", NULL, 1},
		{"re.I", NULL, 2},
		{"re.IGNORECASE", NULL, 2},
		{"re.M", NULL, 8},
		{"re.MULTILINE", NULL, 8},
		{"re.S", NULL, 16},
		{"re.DOTALL", NULL, 16},
		{"signal.SIGINT", NULL, SIGINT},
		{"signal.SIGTERM", NULL, SIGTERM},
		{"signal.SIGKILL", NULL, SIGKILL},
		{"signal.SIGHUP", NULL, SIGHUP},
	};

	for (size_t i = 0; i < ARRAY_COUNT(plain); i++)
		if (strcmp(plain[i].name, name) == 0) {
			*result = plain[i].text ? python_words(plain[i].text)
						: python_int(plain[i].number);
			return true;
		}
	if (strcmp(name, "os.environ") == 0)
		*result = environment(py);
	else if (strcmp(name, "sys.argv") == 0)
		*result = arguments_of(py);
	else if (strcmp(name, "sys.path") == 0)
		*result = search_path(py);
	else if (strcmp(name, "sys.version_info") == 0)
		*result = version_info(py);
	else if (strcmp(name, "sys.stdin") == 0)
		*result = python_standard(py, 0);
	else if (strcmp(name, "sys.stdout") == 0)
		*result = python_standard(py, 1);
	else if (strcmp(name, "sys.stderr") == 0)
		*result = python_standard(py, 2);
	else
		return false;
	return true;
}
