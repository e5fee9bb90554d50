/* ldd, lsb_release, logger, fallocate, pwdx, namei, shasum, getcap, setcap, run-parts, pathchk,
 * basenc, rgrep, fuser: what administrators and those who look around start now and then. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files.h"
#include "decoy/machine/commands/system.h"
#include "decoy/machine/limits.h"

/* --- ldd --- */

#define LIBRARIES "/lib/x86_64-linux-gnu/"

static const struct {
	const char *program, *libraries;
} needs[] = {
	{"bash", "libtinfo.so.6"},
	{"ls", "libselinux.so.1 libpcre2-8.so.0"},
	{"cp", "libselinux.so.1 libacl.so.1 libattr.so.1 libpcre2-8.so.0"},
	{"mv", "libselinux.so.1 libacl.so.1 libattr.so.1 libpcre2-8.so.0"},
	{"find", "libselinux.so.1 libpcre2-8.so.0"},
	{"grep", "libpcre2-8.so.0"},
	{"ps",
	 "libproc2.so.0 libsystemd.so.0 liblzma.so.5 libzstd.so.1 liblz4.so.1 libgcrypt.so.20"},
};

/* 1: dynamic, 0: not, or -errno. */
static int is_dynamic(struct process *p, const char *path)
{
	struct file_digests digests;
	uint8_t *start = process_take(p, 4096);
	int file = process_open(p, path, O_RDONLY, 0);
	ssize_t got;
	struct slice head;

	if (file < 0)
		return file;
	got = process_read(p, file, start, 4096);
	process_close(p, file);
	head = slice_of(start, got > 0 ? (size_t)got : 0);
	if (command_find(files_last(p, path), COMMAND_DEBIAN) &&
	    (text_glob("/bin/*", path) || text_glob("/usr/bin/*", path)))
		return !slice_starts(head, "#!");
	if (!slice_starts(head, "\177ELF"))
		return 0;
	return process_digests(p, path, &digests) ||
	       slice_find(head, SLICE("/ld-linux")) != SIZE_MAX;
}

static void put_libraries(struct process *p, const char *path)
{
	uint64_t base = 0x7f0000000000 + (process_random_number(p, 0xffffff) << 16);
	char *name = files_last(p, path);
	const char *list = "";

	for (size_t i = 0; i < ARRAY_COUNT(needs); i++)
		if (strcmp(needs[i].program, name) == 0)
			list = needs[i].libraries;
	process_print(p, "\tlinux-vdso.so.1 (0x%016llx)\n",
		      0x7ffc00000000ull + (process_random_number(p, 0xfffff) << 12));
	for (struct slice rest = slice_text(list), word; slice_next(&rest, ' ', &word);)
		process_print(p, "\t%.*s => " LIBRARIES "%.*s (0x%016llx)\n", (int)word.length,
			      (const char *)word.at, (int)word.length, (const char *)word.at,
			      (unsigned long long)(base -= 0x2c000));
	process_print(p, "\tlibc.so.6 => " LIBRARIES "libc.so.6 (0x%016llx)\n",
		      (unsigned long long)(base - 0x1e1000));
	process_print(p, "\t/lib64/ld-linux-x86-64.so.2 (0x%016llx)\n",
		      (unsigned long long)(base + 0x2f0000));
}

static int run_ldd(struct process *p, int argc, char **argv)
{
	int status = 0, at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--version") == 0) {
			process_put_text(p, "ldd (Debian GLIBC 2.36-9+deb12u10) 2.36\n");
			return 0;
		}
		if (!strchr("vrdu", argv[at][1]) || argv[at][2]) {
			process_error(p,
				      "ldd: unrecognized option `%s'\nTry `ldd --help' for more "
				      "information.\n",
				      argv[at]);
			return 1;
		}
	}
	if (at >= argc) {
		process_error(
			p, "ldd: missing file arguments\nTry `ldd --help' for more information.\n");
		return 1;
	}
	for (int i = at; i < argc; i++) {
		const char *path =
			strchr(argv[i], '/') ? argv[i] : process_format(p, "./%s", argv[i]);
		int kind = is_dynamic(p, argv[i]);

		if (argc - at > 1)
			process_print(p, "%s:\n", argv[i]);
		process_flush(p);
		if (kind < 0)
			process_error(p, "ldd: %s: %s\n", path, strerror(-kind));
		else if (!kind)
			process_error(p, "\tnot a dynamic executable\n");
		else
			put_libraries(p, argv[i]);
		status |= kind != 1;
	}
	return status;
}

/* --- lsb_release --- */

static char *release_word(struct process *p, const char *name, const char *fallback)
{
	struct text file = {0};
	struct slice rest, line, value;

	(void)process_read_file(p, "/etc/os-release", 65536, &file);
	for (rest = text_slice(&file); slice_next(&rest, '\n', &line);) {
		if (!slice_starts(line, name) || line.at[strlen(name)] != '=')
			continue;
		value = slice_from(line, strlen(name) + 1);
		if (value.length >= 2 && value.at[0] == '"')
			value = slice_of(value.at + 1, value.length - 2);
		return process_copy_slice(p, value);
	}
	return process_copy_text(p, fallback);
}

static int run_lsb(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"id", 'i'},  {"description", 'd'}, {"release", 'r'}, {"codename", 'c'},
		{"all", 'a'}, {"short", 's'},       {"help", 'h'},    {NULL}};
	static const struct {
		char letter;
		const char *title, *name, *fallback;
	} lines[] = {{'i', "Distributor ID", "ID", "debian"},
		     {'d', "Description", "PRETTY_NAME", "Debian GNU/Linux 12 (bookworm)"},
		     {'r', "Release", "VERSION_ID", "12"},
		     {'c', "Codename", "VERSION_CODENAME", "bookworm"}};
	struct option_state state = {0};
	bool wanted[ARRAY_COUNT(lines)] = {false}, brief = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "idrcash", words)) != -1) {
		if (option == '?')
			return 1;
		brief = brief || option == 's';
		for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
			wanted[i] = wanted[i] || option == 'a' || option == lines[i].letter;
	}
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		char *value = release_word(p, lines[i].name, lines[i].fallback);

		if (lines[i].letter == 'i')
			value[0] = (char)toupper((unsigned char)value[0]);
		if (wanted[i] && brief)
			process_print(p, "%s\n", value);
		else if (wanted[i])
			process_print(p, "%s:\t%s\n", lines[i].title, value);
	}
	return 0;
}

/* --- logger --- */

static void put_log(struct process *p, const char *tag, struct slice line)
{
	static const char *const files[] = {"/var/log/syslog", "/var/log/user.log"};
	struct civil_time c = system_civil(process_now(p));
	char *text = process_format(
		p, "%04d-%02d-%02dT%02d:%02d:%02d.%06lld+00:00 %s %s: %.*s\n", c.year, c.month,
		c.day, c.hour, c.minute, c.second, (long long)(process_now(p) % 1000000),
		host_names(process_host(p))->node, tag, (int)line.length, (const char *)line.at);

	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		int file = process_open(p, files[i], O_WRONLY | O_APPEND, 0);

		if (file < 0)
			continue;
		(void)process_write(p, file, slice_text(text));
		process_close(p, file);
	}
	process_give(p, text);
}

static int run_logger(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"tag", 't', OPTION_NEEDS},
						   {"priority", 'p', OPTION_NEEDS},
						   {"file", 'f', OPTION_NEEDS},
						   {"id", 'i', OPTION_MAY},
						   {"stderr", 's'},
						   {"version", 'V'},
						   {"help", 'h'},
						   {NULL}};
	struct option_state state = {0};
	const char *tag = command_user_name(p, p->identity.uid);
	struct line_reader reader;
	struct slice line;
	struct text message = {0};
	bool shows = false, newline, id = false;
	int option, file = 0;

	while ((option = option_next(p, &state, argc, argv, "t:p:f:isVhn:P:Tdu:", words)) != -1) {
		if (option == '?')
			return 1;
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		if (option == 't')
			tag = state.argument;
		shows = shows || option == 's';
		id = id || option == 'i';
		if (option == 'f' && (file = process_open(p, state.argument, O_RDONLY, 0)) < 0) {
			process_error(p, "logger: file %s: %s\n", state.argument, strerror(-file));
			return 1;
		}
	}
	if (id)
		tag = process_format(p, "%s[%u]", tag, p->pid);
	for (int i = state.index; i < argc; i++)
		text_format(p, &message, "%s%s", i > state.index ? " " : "", argv[i]);
	if (message.length) {
		put_log(p, tag, text_slice(&message));
		if (shows)
			process_error(p, "<13>%s: %s\n", tag, message.data);
		return 0;
	}
	line_reader_open(&reader, file);
	while (line_reader_next(p, &reader, &line, &newline)) {
		put_log(p, tag, line);
		process_step(p);
	}
	return 0;
}

/* --- fallocate, pwdx, namei --- */

static int run_fallocate(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"length", 'l', OPTION_NEEDS},
						   {"offset", 'o', OPTION_NEEDS},
						   {"keep-size", 'n'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct file_status status;
	uint64_t length = 0, offset = 0;
	bool given = false, keep = false;
	int option, file;

	while ((option = option_next(p, &state, argc, argv, "l:o:nvVcdpzix", words)) != -1) {
		if (option == '?')
			return 1;
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		keep = keep || option == 'n' || option == 'd' || option == 'p';
		if ((option == 'l' && command_size(state.argument, &length) < 0) ||
		    (option == 'o' && command_size(state.argument, &offset) < 0)) {
			process_error(p, "fallocate: invalid %s value specified\n",
				      option == 'l' ? "length" : "offset");
			return 1;
		}
		given = given || option == 'l';
	}
	if (state.index >= argc || !given) {
		process_error(p, state.index >= argc ? "fallocate: no filename specified\n"
						     : "fallocate: no length argument specified\n");
		return 1;
	}
	file = process_open(p, argv[state.index], O_RDWR | O_CREAT, 0666);
	if (file < 0) {
		process_error(p, "fallocate: cannot open %s: %s\n", argv[state.index],
			      strerror(-file));
		return 1;
	}
	option = 0;
	if (!keep && process_status_of(p, file, &status) == 0 && status.size < length + offset)
		option = process_truncate_descriptor(p, file, length + offset);
	process_close(p, file);
	if (option < 0)
		process_error(p, "fallocate: fallocate failed: %s\n", strerror(-option));
	return option < 0;
}

/* What pwdx says to an option, or to nothing at all; -1: it was given processes. */
static int pwdx_option(struct process *p, int argc, char **argv)
{
	static const char usage[] = "\nUsage:\n pwdx [options] pid...\n\nOptions:\n"
				    " -h, --help     display this help and exit\n"
				    " -V, --version  output version information and exit\n\n"
				    "For more details see pwdx(1).\n";
	const char *option = argc > 1 ? argv[1] : "-";

	if (option[0] != '-')
		return -1;
	if (strcmp(option, "-h") == 0 || strcmp(option, "--help") == 0) {
		process_print(p, "%s", usage);
		return 0;
	}
	if (strcmp(option, "-V") == 0 || strcmp(option, "--version") == 0) {
		process_print(p, "pwdx from procps-ng 4.0.2\n");
		return 0;
	}
	if (option[0] == '-' && option[1] == '-' && option[2])
		process_error(p, "pwdx: unrecognized option '%s'\n", option);
	else if (option[1])
		process_error(p, "pwdx: invalid option -- '%c'\n", option[1]);
	process_error(p, "%s", usage);
	return 1;
}

static int run_pwdx(struct process *p, int argc, char **argv)
{
	struct task_list list = system_tasks(p);
	int status = pwdx_option(p, argc, argv);

	if (status >= 0)
		return status;
	status = 0;
	for (int i = 1; i < argc; i++) {
		struct process *inside;
		struct task task;
		int64_t pid;

		if (slice_number(slice_text(argv[i]), 1, INT32_MAX, &pid) != 0) {
			process_error(p, "pwdx: invalid process id: %s\n", argv[i]);
			return 1;
		}
		inside = process_find(p->machine, (unsigned)pid);
		if (!task_find(&list, (unsigned)pid, &task)) {
			process_error(p, "%lld: No such process\n", (long long)pid);
			status = 1;
		} else if (inside) {
			process_print(p, "%lld: %s\n", (long long)pid, process_folder(inside));
		} else if (p->identity.effective_uid != 0) {
			process_error(p, "%lld: Permission denied\n", (long long)pid);
			status = 1;
		} else {
			process_print(p, "%lld: /\n", (long long)pid);
		}
	}
	return status;
}

static void put_part(struct process *p, const char *path, const char *name, bool whole,
		     unsigned depth)
{
	struct file_status status;
	char mode[11], *target = NULL;
	int error = process_stat(p, path, false, &status);

	for (unsigned i = 0; i < depth; i++)
		process_put_text(p, "  ");
	if (error < 0) {
		process_print(p, "%s%s - %s\n", whole ? "                     " : "  ", name,
			      strerror(-error));
		return;
	}
	files_mode_text(status.mode, mode);
	if (S_ISLNK(status.mode))
		target = files_target(p, path, &error);
	if (whole)
		process_print(p, "%s %s %s ", mode, command_user_name(p, status.uid),
			      command_group_name(p, status.gid));
	else
		process_print(p, "%c ", mode[0]);
	process_print(p, "%s%s%s\n", name, target ? " -> " : "", target ? target : "");
}

static int run_namei(struct process *p, int argc, char **argv)
{
	bool whole = false;
	int at = 1, status = 0;

	for (; at < argc && argv[at][0] == '-'; at++)
		whole = whole || strchr(argv[at], 'l') || strcmp(argv[at], "-om") == 0;
	if (at >= argc) {
		process_error(p, "namei: pathname argument is missing\n"
				 "Try 'namei --help' for more information.\n");
		return 1;
	}
	for (; at < argc; at++) {
		struct file_status there;
		const char *path = argv[at], *rest = path;

		process_print(p, "f: %s\n", path);
		if (*path == '/') {
			process_put_text(p, whole ? "" : " ");
			put_part(p, "/", "/", whole, 0);
		}
		for (;;) {
			size_t length;

			rest += strspn(rest, "/");
			length = strcspn(rest, "/");
			if (!length)
				break;
			process_put_text(p, whole ? "" : " ");
			rest += length;
			put_part(p, process_copy_slice(p, slice_of(path, (size_t)(rest - path))),
				 process_copy_slice(p, slice_of(rest - length, length)), whole, 0);
			if (process_stat(
				    p, process_copy_slice(p, slice_of(path, (size_t)(rest - path))),
				    true, &there) < 0) {
				status = 1;
				break;
			}
		}
	}
	return status;
}

/* --- shasum, rgrep --- */

static int run_shasum(struct process *p, int argc, char **argv)
{
	char **made = process_take(p, ((size_t)argc + 1) * sizeof(*made));
	const char *kind = "1";
	int count = 1;

	for (int i = 1; i < argc; i++) {
		if ((strcmp(argv[i], "-a") == 0 || strcmp(argv[i], "--algorithm") == 0) &&
		    i + 1 < argc)
			kind = argv[++i];
		else if (strncmp(argv[i], "-a", 2) == 0)
			kind = argv[i] + 2;
		else
			made[count++] = argv[i];
	}
	if (strcmp(kind, "1") && strcmp(kind, "224") && strcmp(kind, "256") &&
	    strcmp(kind, "384") && strcmp(kind, "512")) {
		process_error(p, "shasum: Unrecognized algorithm\nType shasum -h for help\n");
		return 1;
	}
	made[0] = process_format(p, "sha%ssum", kind);
	return command_run_program(p, made, NULL);
}

static int run_rgrep(struct process *p, int argc, char **argv)
{
	char **made = process_take(p, ((size_t)argc + 2) * sizeof(*made));

	made[0] = process_copy_text(p, "grep");
	made[1] = process_copy_text(p, "-r");
	for (int i = 1; i < argc; i++)
		made[i + 1] = argv[i];
	return command_run_program(p, made, NULL);
}

/* --- getcap, setcap --- */

/* The one program of Debian's standard system that has a capability in place of set-user-id. */
#define CAPABLE "/usr/bin/ping"

static void put_capability(struct process *p, const char *path, bool below)
{
	struct file_status status;
	char real[MACHINE_PATH_MAX];

	if (process_stat(p, CAPABLE, true, &status) < 0 || status.mode & S_ISUID ||
	    process_real_path(p, path, true, real, sizeof(real)) < 0)
		return;
	if (strcmp(real, CAPABLE) == 0)
		process_print(p, "%s cap_net_raw=ep\n", path);
	else if (below && (strcmp(real, "/") == 0 || strcmp(real, "/usr") == 0 ||
			   strcmp(real, "/usr/bin") == 0))
		process_print(p, "%s/ping cap_net_raw=ep\n",
			      strcmp(path, "/") == 0      ? "/usr/bin"
			      : strcmp(real, "/usr") == 0 ? process_format(p, "%s/bin", path)
							  : path);
}

static int run_getcap(struct process *p, int argc, char **argv)
{
	struct file_status status;
	bool below = false;
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++)
		below = below || strchr(argv[at], 'r');
	if (at >= argc) {
		process_error(p, "usage: getcap [-h] [-l] [-n] [-r] [-v] <filename> [<filename> "
				 "...]\n\n\tdisplays the capabilities on the queried file(s).\n");
		return 1;
	}
	for (; at < argc; at++) {
		int error = process_stat(p, argv[at], true, &status);

		if (error < 0)
			process_error(p, "%s (%s)\n", argv[at], strerror(-error));
		else
			put_capability(p, argv[at], below);
	}
	return 0;
}

static int run_setcap(struct process *p, int argc, char **argv)
{
	struct file_status status;
	int at = 1, error;

	while (at < argc && (strcmp(argv[at], "-q") == 0 || strcmp(argv[at], "-v") == 0))
		at++;
	if (argc - at < 2) {
		process_error(p, "usage: setcap [-h] [-q] [-v] [-n <rootid>] (-r|-|<caps>) "
				 "<filename> [ ... (-r|-|<capsN>) <filenameN> ]\n");
		return 1;
	}
	if (strncmp(argv[at], "cap_", 4) != 0 && argv[at][0] != '-' &&
	    strncmp(argv[at], "all", 3) && argv[at][0] != '=') {
		process_error(p, "fatal error: Invalid argument\n");
		return 1;
	}
	error = process_stat(p, argv[at + 1], true, &status);
	if (error == 0 && p->identity.effective_uid != 0)
		error = -EPERM;
	if (error < 0) {
		if (error == -EPERM)
			process_error(p, "unable to set CAP_SETFCAP effective capability: "
					 "Operation not permitted\n");
		else
			process_error(p, "Failed to set capabilities on file '%s': %s\n",
				      argv[at + 1], strerror(-error));
		return 1;
	}
	return 0;
}

/* --- run-parts --- */

static bool may_be_part(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-')
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct folder_entry *)a)->name,
		      ((const struct folder_entry *)b)->name);
}

static int run_parts(struct process *p, int argc, char **argv)
{
	struct folder_entry *entries;
	bool test = false, list = false, report = false;
	int at = 1, status = 0;
	ssize_t count;

	for (; at < argc && argv[at][0] == '-'; at++) {
		test = test || strcmp(argv[at], "--test") == 0;
		list = list || strcmp(argv[at], "--list") == 0;
		report = report || strcmp(argv[at], "--report") == 0;
	}
	if (at >= argc) {
		process_error(p, "run-parts: missing operand\nTry `run-parts --help' for more "
				 "information.\n");
		return 1;
	}
	count = files_list(p, argv[at], &entries);
	if (count < 0) {
		process_error(p, "run-parts: failed to open directory %s: %s\n", argv[at],
			      strerror((int)-count));
		return 1;
	}
	qsort(entries, (size_t)count, sizeof(*entries), by_name);
	for (ssize_t i = 0; i < count; i++) {
		char *path = files_join(p, argv[at], entries[i].name);
		struct file_status file;
		int result;

		if (!may_be_part(entries[i].name) || process_stat(p, path, true, &file) < 0 ||
		    !S_ISREG(file.mode) || (!list && !(file.mode & 0111)))
			continue;
		if (test || list) {
			process_print(p, "%s\n", path);
			continue;
		}
		if (report)
			process_print(p, "%s:\n", path);
		process_flush(p);
		result = command_run_program(p, (char *[]){path, NULL}, NULL);
		if (result) {
			process_error(p, "run-parts: %s exited with return code %d\n", path,
				      result);
			status = 1;
		}
	}
	return status;
}

/* --- pathchk, basenc --- */

static int run_pathchk(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"portability", 'P'}, TEXT_WORDS};
	struct option_state state = {0};
	bool portable = false, empty = false;
	int option, status = 0;

	while ((option = option_next(p, &state, argc, argv, "+pP", words)) != -1) {
		if (option != 'p' && option != 'P')
			text_other_option(p, option, COREUTILS, "[OPTION]... NAME...", 1);
		portable = portable || option == 'p';
		empty = empty || option == 'P';
	}
	if (state.index >= argc) {
		process_complain(p, "missing operand");
		text_try_help(p, 1);
	}
	for (int i = state.index; i < argc; i++) {
		struct file_status file;
		const char *wrong = argv[i] + strspn(argv[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
							      "klmnopqrstuvwxyz0123456789._-/");
		int error = *argv[i] || empty || portable ? process_stat(p, argv[i], false, &file)
							  : -ENOENT;

		if (portable && *wrong)
			process_complain(p, "nonportable character '%c' in file name %s", *wrong,
					 files_quote(p, argv[i]));
		else if (!*argv[i] && (empty || portable))
			process_complain(p, "empty file name");
		else if (error < 0 && (error != -ENOENT || !*argv[i]))
			process_complain(p, "%s: %s", *argv[i] ? argv[i] : "''", strerror(-error));
		else
			continue;
		status = 1;
	}
	return status;
}

static void put_digits(struct process *p, struct slice bytes, unsigned bits, bool high_first,
		       size_t wrap)
{
	size_t column = 0;

	for (size_t i = 0; i < bytes.length * 8; i += bits) {
		unsigned value = 0;

		for (size_t j = 0; j < bits; j++) {
			size_t at = i + j;
			unsigned byte = bytes.at[at / 8];
			unsigned bit = high_first ? byte >> (7 - at % 8) : byte >> (at % 8);

			value = value << 1 | (bit & 1);
		}
		process_put_byte(p, (uint8_t) "0123456789ABCDEF"[value]);
		if (wrap && ++column == wrap) {
			process_put_byte(p, '\n');
			column = 0;
		}
		process_step(p);
	}
	if (wrap && column)
		process_put_byte(p, '\n');
}

static int run_basenc(struct process *p, int argc, char **argv)
{
	enum { B64 = TEXT_OWN, B64URL, B32, B16, B2MSBF, B2LSBF };
	static const struct option_word words[] = {
		{"base64", B64}, {"base64url", B64URL},   {"base32", B32},
		{"base16", B16}, {"base2msbf", B2MSBF},   {"base2lsbf", B2LSBF},
		{"decode", 'd'}, {"ignore-garbage", 'i'}, {"wrap", 'w', OPTION_NEEDS},
		TEXT_WORDS};
	struct option_state state = {0};
	struct text text = {0};
	const char *name = "-";
	uint64_t wrap = 76;
	bool decode = false;
	int option, kind = 0;

	while ((option = option_next(p, &state, argc, argv, "diw:", words)) != -1) {
		decode = decode || option == 'd';
		if (option == 'w' && command_size(state.argument, &wrap) < 0) {
			process_complain(p, "invalid wrap size: '%s'", state.argument);
			return 1;
		}
		if (option >= B64 && option <= B2LSBF)
			kind = option;
		else if (option != 'd' && option != 'i' && option != 'w')
			text_other_option(p, option, COREUTILS, "[OPTION]... [FILE]", 1);
	}
	if (!kind) {
		process_complain(p, "missing encoding type");
		text_try_help(p, 1);
	}
	if (state.index < argc)
		name = argv[state.index];
	if (kind <= B32) { /* the programs of those names do it */
		const char *program = kind == B32 ? "base32" : "base64";
		const char *way =
			decode ? " -d" : process_format(p, " -w%llu", (unsigned long long)wrap);

		if (kind != B64URL)
			return command_run_line(p, process_format(p, "%s%s -- %s", program, way,
								  files_quote(p, name)));
		if (decode)
			return command_run_line(p, process_format(p, "cat -- %s | tr _- /+ | %s -d",
								  files_quote(p, name), program));
		return command_run_line(p, process_format(p, "%s%s -- %s | tr /+ _-", program, way,
							  files_quote(p, name)));
	}
	if (text_read_whole(p, name, &text) < 0)
		return 1;
	put_digits(p, text_slice(&text), kind == B16 ? 4 : 1, kind != B2LSBF, (size_t)wrap);
	return 0;
}

/* --- fuser --- */

static int run_fuser(struct process *p, int argc, char **argv)
{
	const struct host_listener *listeners;
	size_t count = host_listeners(process_host(p), &listeners);
	bool kills = false;
	int found = 0, at = 1;
	struct file_status status;

	for (; at < argc && argv[at][0] == '-'; at++) {
		kills = kills || strchr(argv[at], 'k');
		if (strcmp(argv[at], "-V") == 0) {
			process_error(p, "fuser (PSmisc) 23.6\n");
			return 0;
		}
		if (strcmp(argv[at], "-n") == 0)
			at++;
	}
	if (at >= argc) {
		process_error(p, "No process specification given\nUsage: fuser [-fIMuvw] [-a|-s] "
				 "[-4|-6] [-c|-m|-n SPACE]\n             [-k [-i] [-SIGNAL]] "
				 "NAME...\n       fuser -l\n       fuser -V\n");
		return 1;
	}
	for (; at < argc; at++) {
		const char *slash = strchr(argv[at], '/');
		bool udp = slash && strcmp(slash, "/udp") == 0;
		unsigned before = 0;
		int64_t port;

		if (!slash || (!udp && strcmp(slash, "/tcp") != 0) ||
		    slice_number(slice_of(argv[at], (size_t)(slash - argv[at])), 1, 65535, &port)) {
			if (process_stat(p, argv[at], true, &status) < 0)
				process_error(p, "Specified filename %s does not exist.\n",
					      argv[at]);
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (listeners[i].port != port || listeners[i].udp != udp ||
			    !listeners[i].pid || listeners[i].pid == before ||
			    p->identity.effective_uid != 0)
				continue;
			if (!before)
				process_error(p, "%s:%*s", argv[at], (int)(20 - strlen(argv[at])),
					      "");
			before = listeners[i].pid;
			process_print(p, "%6u", before);
			process_flush(p);
			if (kills)
				(void)process_kill(p, (int)before, SIGKILL);
			found++;
		}
		if (before)
			process_error(p, "\n");
	}
	return !found;
}

static const struct command commands[] = {
	{"ldd", run_ldd, COMMAND_DEBIAN},
	{"lsb_release", run_lsb, COMMAND_DEBIAN},
	{"logger", run_logger, COMMAND_DEBIAN},
	{"fallocate", run_fallocate, COMMAND_DEBIAN},
	{"pwdx", run_pwdx, COMMAND_DEBIAN},
	{"namei", run_namei, COMMAND_DEBIAN},
	{"shasum", run_shasum, COMMAND_DEBIAN},
	{"rgrep", run_rgrep, COMMAND_DEBIAN},
	{"getcap", run_getcap, COMMAND_DEBIAN, "/usr/sbin"},
	{"setcap", run_setcap, COMMAND_DEBIAN, "/usr/sbin"},
	{"run-parts", run_parts, COMMAND_DEBIAN},
	{"pathchk", run_pathchk, COMMAND_DEBIAN},
	{"basenc", run_basenc, COMMAND_DEBIAN},
	{"fuser", run_fuser, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_rare_tools = {"rare tools", commands};
