/* mkdir, touch, ln, link, mktemp, truncate, mknod, mkfifo, sync. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_change.h"

enum { MAKE_REFERENCE = TEXT_OWN, MAKE_SUFFIX, MAKE_TIME, MAKE_RELATIVE, MAKE_IGNORED };

static void missing_operand(struct process *process, const char *words)
{
	if (!process->busybox)
		process_complain(process, "%s", words);
	text_try_help(process, 1);
}

/* --- mkdir --- */

static int mkdir_one(struct process *process, char *path, unsigned mode, bool has_mode,
		     bool parents, bool verbose)
{
	struct file_status status;
	int error;

	for (char *slash = path; parents && (slash = strchr(slash + 1, '/'));) {
		if (slash[1] == '/' || slash[1] == '\0')
			continue;
		*slash = '\0';
		error = process_make_folder(process, path, 0777);
		if (error == 0 && verbose)
			process_print(process, "mkdir: created directory %s\n",
				      files_quote(process, path));
		if (error < 0 &&
		    (process_stat(process, path, true, &status) < 0 || !S_ISDIR(status.mode))) {
			files_complain(process, "cannot create directory", path,
				       error == -EEXIST ? -ENOTDIR : error);
			return 1;
		}
		*slash = '/';
	}
	error = process_make_folder(process, path, has_mode ? mode : 0777);
	if (error == -EEXIST && parents && process_stat(process, path, true, &status) == 0 &&
	    S_ISDIR(status.mode))
		return 0;
	if (error < 0) {
		files_complain(process, "cannot create directory", path, error);
		return 1;
	}
	if (has_mode)
		(void)process_change_mode(process, path, mode);
	if (verbose)
		process_print(process, "mkdir: created directory %s\n", files_quote(process, path));
	return 0;
}

int files_mkdir(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"context", 'Z', OPTION_MAY},
						   {"mode", 'm', OPTION_NEEDS},
						   {"parents", 'p'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct option_state state = {0};
	bool parents = false, verbose = false, has_mode = false;
	unsigned mode = 0777;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "pm:vZ", words)) != -1)
		switch (option) {
		case 'p':
			parents = true;
			break;
		case 'm':
			has_mode = true;
			if (files_parse_mode(state.argument, 0777, true, process->umask, &mode) <
			    0) {
				process_complain(process, "invalid mode %s",
						 files_quote(process, state.argument));
				return 1;
			}
			break;
		case 'v':
			verbose = true;
			break;
		case 'Z':
			break;
		default:
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... DIRECTORY...\n"
				"Create the DIRECTORY(ies), if they do not already exist.",
				1);
		}
	if (state.index >= argc)
		missing_operand(process, "missing operand");
	for (int i = state.index; i < argc; i++)
		status |= mkdir_one(process, process_copy_text(process, argv[i]), mode, has_mode,
				    parents, verbose);
	return status;
}

/* --- touch --- */

/* [[CC]YY]MMDDhhmm[.ss] */
static int stamp(struct process *process, const char *text, int64_t *time)
{
	struct civil_time now = clock_civil(process_now(process)), at = now;
	size_t digits = strspn(text, "0123456789");
	int pair[6], count = 0;

	at.second = at.microsecond = 0;
	if (text[digits] == '.' && strspn(text + digits + 1, "0123456789") == 2 &&
	    !text[digits + 3])
		at.second = (text[digits + 1] - '0') * 10 + text[digits + 2] - '0';
	else if (text[digits])
		return -1;
	if (digits != 8 && digits != 10 && digits != 12)
		return -1;
	for (size_t i = 0; i < digits; i += 2)
		pair[count++] = (text[i] - '0') * 10 + text[i + 1] - '0';
	if (digits == 12)
		at.year = pair[0] * 100 + pair[1];
	else if (digits == 10)
		at.year = pair[0] + (pair[0] < 69 ? 2000 : 1900);
	at.month = pair[count - 4];
	at.day = pair[count - 3];
	at.hour = pair[count - 2];
	at.minute = pair[count - 1];
	if (at.month < 1 || at.month > 12 || at.day < 1 || at.day > 31 || at.hour > 23 ||
	    at.minute > 59)
		return -1;
	*time = clock_from_civil(&at);
	return 0;
}

struct touch {
	bool access, modification, create, follow, set;
	int64_t accessed, modified;
};

static int touch_one(struct process *process, const struct touch *touch, const char *path)
{
	int64_t now = process_now(process);
	struct file_status status;
	int error = process_stat(process, path, touch->follow, &status);

	process_step(process);
	if (error == -ENOENT) {
		int file;

		if (!touch->create)
			return 0;
		file = process_open(process, path, O_WRONLY | O_CREAT, 0666);
		if (file < 0)
			error = file;
		else
			error = process_close(process, file);
		if (!error && !touch->set)
			return 0;
		if (!error)
			error = process_stat(process, path, true, &status);
	}
	if (error == 0) {
		bool both = touch->access == touch->modification;
		int64_t accessed = touch->set ? touch->accessed : now;
		int64_t modified = touch->set ? touch->modified : now;

		error = process_change_times(process, path, touch->follow,
					     both || touch->access ? accessed : status.accessed,
					     both || touch->modification ? modified
									 : status.modified);
		if (error < 0 && !process->busybox && error != -EACCES && error != -EROFS) {
			process_complain(process, "setting times of %s: %s",
					 files_quote(process, path), strerror(-error));
			return 1;
		}
	}
	if (error < 0) {
		if (process->busybox)
			process_complain(process, "%s: %s", path, strerror(-error));
		else
			process_complain(process, "cannot touch %s: %s", files_quote(process, path),
					 strerror(-error));
		return 1;
	}
	return 0;
}

int files_touch(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"date", 'd', OPTION_NEEDS},       {"no-create", 'c'},
		{"no-dereference", 'h'},           {"reference", 'r', OPTION_NEEDS},
		{"time", MAKE_TIME, OPTION_NEEDS}, TEXT_WORDS};
	struct touch touch = {.create = true, .follow = true};
	struct option_state state = {0};
	struct file_status status;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "acd:fhmr:t:", words)) != -1)
		switch (option) {
		case 'a':
			touch.access = true;
			break;
		case 'm':
			touch.modification = true;
			break;
		case 'c':
			touch.create = false;
			break;
		case 'h':
			touch.follow = false;
			break;
		case 'f':
			break;
		case MAKE_TIME:
			if (state.argument[0] == 'm')
				touch.modification = true;
			else
				touch.access = true;
			break;
		case 'd':
			touch.set = true;
			if (files_parse_date(process, state.argument, &touch.modified) < 0) {
				process_complain(process, "invalid date format %s",
						 files_quote(process, state.argument));
				return 1;
			}
			touch.accessed = touch.modified;
			break;
		case 't':
			touch.set = true;
			if (stamp(process, state.argument, &touch.modified) < 0) {
				process_complain(process, "invalid date format %s",
						 files_quote(process, state.argument));
				return 1;
			}
			touch.accessed = touch.modified;
			break;
		case 'r':
			touch.set = true;
			result = process_stat(process, state.argument, touch.follow, &status);
			if (result < 0) {
				process_complain(process, "failed to get attributes of %s: %s",
						 files_quote(process, state.argument),
						 strerror(-result));
				return 1;
			}
			touch.accessed = status.accessed;
			touch.modified = status.modified;
			break;
		default:
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... FILE...\n"
				"Update the access and modification times of each FILE to the "
				"current time.",
				1);
		}
	if (state.index >= argc)
		missing_operand(process, "missing file operand");
	for (int i = state.index; i < argc; i++)
		result |= touch_one(process, &touch, argv[i]);
	return result;
}

/* --- ln --- */

struct ln {
	bool symbolic, force, ask, verbose, relative, flat, no_follow;
};

/* The target as seen from the folder of the link. */
static const char *relative_target(struct process *process, const char *target, const char *path)
{
	char to[MACHINE_PATH_MAX], from[MACHINE_PATH_MAX];
	struct text out = {0};
	char *slash;
	size_t same = 0;

	if (process_real_path(process, target, true, to, sizeof(to)) < 0 ||
	    process_real_path(process, path, true, from, sizeof(from)) < 0)
		return target;
	slash = strrchr(from, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0;; i++) {
		bool end_to = to[i] == '/' || !to[i], end_from = from[i] == '/' || !from[i];

		if (end_to && end_from)
			same = i;
		if (to[i] != from[i] || !to[i])
			break;
	}
	for (const char *at = from + same; (at = strchr(at, '/')); at++)
		text_add_words(process, &out, "../");
	text_add_words(process, &out, to + same + (to[same] == '/'));
	return out.length ? out.data : ".";
}

static int ln_one(struct process *process, const struct ln *ln, const char *target,
		  const char *path)
{
	struct file_status status, there;
	int error;

	process_step(process);
	if (!ln->symbolic) {
		error = process_stat(process, target, false, &status);
		if (error < 0) {
			if (process->busybox)
				process_complain(process, "%s: %s", target, strerror(-error));
			else
				process_complain(process, "failed to access %s: %s",
						 files_quote(process, target), strerror(-error));
			return 1;
		}
		if (S_ISDIR(status.mode)) {
			process_complain(process, "%s: hard link not allowed for directory",
					 target);
			return 1;
		}
	}
	if (process_stat(process, path, false, &there) == 0) {
		if (!ln->symbolic && there.inode == status.inode && there.mount == status.mount) {
			if (ln->force)
				process_complain(process, "%s and %s are the same file",
						 files_quote(process, target),
						 files_quote(process, path));
			if (ln->force)
				return 1;
		}
		if (S_ISDIR(there.mode) && ln->force) {
			process_complain(process, "%s: cannot overwrite directory", path);
			return 1;
		}
		if (ln->ask && !files_ask(process, "ln: replace %s? ", files_quote(process, path)))
			return 1;
		if (ln->force || ln->ask)
			(void)process_unlink(process, path);
	}
	if (ln->symbolic)
		error = process_symlink(
			process, ln->relative ? relative_target(process, target, path) : target,
			path);
	else
		error = process_link(process, target, path);
	if (error < 0) {
		if (process->busybox)
			process_complain(process, "%s: %s", path, strerror(-error));
		else if (ln->symbolic)
			process_complain(process, "failed to create symbolic link %s: %s",
					 files_quote(process, path), strerror(-error));
		else if (error == -EEXIST || error == -ENOSPC)
			process_complain(process, "failed to create hard link %s: %s",
					 files_quote(process, path), strerror(-error));
		else
			process_complain(process, "failed to create hard link %s => %s: %s",
					 files_quote(process, path), files_quote(process, target),
					 strerror(-error));
		return 1;
	}
	if (ln->verbose)
		process_print(process, "%s %s %s\n", files_quote(process, path),
			      ln->symbolic ? "->" : "=>", files_quote(process, target));
	return 0;
}

int files_ln(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"backup", 'b', OPTION_MAY},
						   {"force", 'f'},
						   {"interactive", 'i'},
						   {"logical", 'L'},
						   {"no-dereference", 'n'},
						   {"no-target-directory", 'T'},
						   {"physical", 'P'},
						   {"relative", 'r'},
						   {"symbolic", 's'},
						   {"target-directory", 't', OPTION_NEEDS},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct ln ln = {0};
	struct option_state state = {0};
	const char *folder = NULL;
	struct file_status status;
	int option, count, result = 0;

	while ((option = option_next(process, &state, argc, argv, "bdfFiLnPrst:TvS:", words)) != -1)
		switch (option) {
		case 'f':
			ln.force = true;
			break;
		case 'i':
			ln.ask = true;
			break;
		case 'n':
			ln.no_follow = true;
			break;
		case 'r':
			ln.relative = true;
			break;
		case 's':
			ln.symbolic = true;
			break;
		case 't':
			folder = state.argument;
			break;
		case 'T':
			ln.flat = true;
			break;
		case 'v':
			ln.verbose = true;
			break;
		case 'b':
		case 'd':
		case 'F':
		case 'L':
		case 'P':
		case 'S':
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [-T] TARGET LINK_NAME\n"
					  "  or:  ln [OPTION]... TARGET\n"
					  "  or:  ln [OPTION]... TARGET... DIRECTORY\n"
					  "  or:  ln [OPTION]... -t DIRECTORY TARGET...",
					  1);
		}
	count = argc - state.index;
	if (count < 1)
		missing_operand(process, "missing file operand");
	if (count == 1 && !folder)
		folder = ".";
	else if (!folder && !ln.flat &&
		 process_stat(process, argv[argc - 1], !ln.no_follow, &status) == 0 &&
		 S_ISDIR(status.mode))
		folder = argv[--argc];
	if (!folder && count > 2) {
		process_complain(process, "target %s is not a directory",
				 files_quote(process, argv[argc - 1]));
		return 1;
	}
	if (!folder)
		return ln_one(process, &ln, argv[state.index], argv[state.index + 1]);
	for (int i = state.index; i < argc; i++)
		result |= ln_one(
			process, &ln, argv[i],
			strcmp(folder, ".") == 0
				? process_format(process, "./%s", files_last(process, argv[i]))
				: files_join(process, folder, files_last(process, argv[i])));
	return result;
}

int files_link(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int option = option_next(process, &state, argc, argv, "", words), error;

	if (option != -1)
		text_other_option(process, option, COREUTILS, "FILE1 FILE2\n  or:  link OPTION", 1);
	if (argc - state.index < 1)
		missing_operand(process, "missing operand");
	if (argc - state.index != 2) {
		if (argc - state.index == 1)
			process_complain(process, "missing operand after %s",
					 files_quote(process, argv[state.index]));
		else
			process_complain(process, "extra operand %s",
					 files_quote(process, argv[state.index + 2]));
		text_try_help(process, 1);
	}
	error = process_link(process, argv[state.index], argv[state.index + 1]);
	if (error < 0)
		process_complain(process, "cannot create link %s to %s: %s",
				 files_quote(process, argv[state.index + 1]),
				 files_quote(process, argv[state.index]), strerror(-error));
	return error < 0;
}

/* --- mktemp --- */

int files_mktemp(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"directory", 'd'},
						   {"dry-run", 'u'},
						   {"quiet", 'q'},
						   {"suffix", MAKE_SUFFIX, OPTION_NEEDS},
						   {"tmpdir", 'p', OPTION_MAY},
						   TEXT_WORDS};
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *folder = NULL, *suffix = "", *given;
	bool directory = false, dry = false, quiet = false, in_folder = false;
	struct option_state state = {0};
	struct file_status status;
	char *path, *end, *x;
	int option, error = -EEXIST;

	while ((option = option_next(process, &state, argc, argv, "dqtp:uV", words)) != -1)
		switch (option) {
		case 'd':
			directory = true;
			break;
		case 'u':
			dry = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 't':
			in_folder = true;
			break;
		case 'p':
			in_folder = true;
			folder = state.argument;
			break;
		case MAKE_SUFFIX:
			suffix = state.argument;
			break;
		default:
			text_other_option(process, option, COREUTILS, "[OPTION]... [TEMPLATE]", 1);
		}
	if (argc - state.index > 1) {
		process_complain(process, "too many templates");
		text_try_help(process, 1);
	}
	given = state.index < argc ? argv[state.index] : "tmp.XXXXXXXXXX";
	if (state.index >= argc)
		in_folder = true;
	if (in_folder && (!folder || !*folder)) {
		folder = process_environment(process, "TMPDIR");
		if (!folder || !*folder)
			folder = "/tmp";
	}
	end = strrchr(given, 'X');
	if (end && !*suffix)
		suffix = process_copy_text(process, end + 1);
	x = end ? end : (char *)(uintptr_t)given;
	while (end && x > given && x[-1] == 'X')
		x--;
	if (!end || end - x < 2) {
		if (!quiet)
			process_complain(process, "too few X's in template %s",
					 files_quote(process, given));
		return 1;
	}
	path = process_copy_slice(process, slice_of(given, (size_t)(end + 1 - given)));
	path = in_folder ? process_format(process, "%s/%s%s", folder, path, suffix)
			 : process_format(process, "%s%s", path, suffix);
	end = path + strlen(path) - strlen(suffix);
	for (int tries = 0; error == -EEXIST && tries < 100; tries++) {
		for (x = end - 1; x >= path && (*x == 'X' || tries || x >= end - 3); x--) {
			if (tries && end - x > 10)
				break;
			*x = letters[process_random_number(process, sizeof(letters) - 1)];
		}
		if (dry)
			error = process_stat(process, path, false, &status) == 0 ? -EEXIST : 0;
		else if (directory)
			error = process_make_folder(process, path, 0700);
		else
			error = process_open(process, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	}
	if (error < 0) {
		if (!quiet)
			process_complain(
				process, "failed to create %s via template %s: %s",
				directory ? "directory" : "file",
				files_quote(process,
					    in_folder ? files_join(process, folder, given) : given),
				strerror(-error));
		return 1;
	}
	process_print(process, "%s\n", path);
	return 0;
}

/* --- truncate --- */

static int truncate_one(struct process *process, const char *path, char sign, uint64_t amount,
			bool create)
{
	struct file_status status;
	uint64_t size = 0;
	int file = process_open(process, path, O_WRONLY | (create ? O_CREAT : 0), 0666), error;

	if (file < 0) {
		if (file == -ENOENT && !create)
			return 0;
		process_complain(process, "cannot open %s for writing: %s",
				 files_quote(process, path), strerror(-file));
		return 1;
	}
	if (process_status_of(process, file, &status) == 0)
		size = status.size;
	switch (sign) {
	case '+':
		size += amount;
		break;
	case '-':
		size = size > amount ? size - amount : 0;
		break;
	case '<':
		size = size < amount ? size : amount;
		break;
	case '>':
		size = size > amount ? size : amount;
		break;
	case '/':
		size = amount ? size / amount * amount : size;
		break;
	case '%':
		size = amount ? (size + amount - 1) / amount * amount : size;
		break;
	default:
		size = amount;
		break;
	}
	error = process_truncate_descriptor(process, file, size);
	process_close(process, file);
	if (error < 0)
		process_complain(process, "failed to truncate %s at %llu bytes: %s",
				 files_quote(process, path), (unsigned long long)size,
				 strerror(-error));
	return error < 0;
}

int files_truncate(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"io-blocks", 'o'},
						   {"no-create", 'c'},
						   {"reference", 'r', OPTION_NEEDS},
						   {"size", 's', OPTION_NEEDS},
						   TEXT_WORDS};
	struct option_state state = {0};
	struct file_status status;
	bool create = true, known = false;
	uint64_t amount = 0;
	char sign = 0;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "cor:s:", words)) != -1)
		switch (option) {
		case 'c':
			create = false;
			break;
		case 'o':
			break;
		case 'r':
			known = process_stat(process, state.argument, true, &status) == 0;
			amount = status.size;
			break;
		case 's':
			if (strchr("+-<>/%", state.argument[0]) && state.argument[0])
				sign = *state.argument++;
			if (command_size(state.argument, &amount) < 0) {
				process_complain(process, "Invalid number: %s",
						 files_quote(process, state.argument));
				return 1;
			}
			known = true;
			break;
		default:
			text_other_option(process, option, COREUTILS, "OPTION... FILE...", 1);
		}
	if (!known) {
		process_complain(process, "you must specify either '--size' or '--reference'");
		text_try_help(process, 1);
	}
	if (state.index >= argc)
		missing_operand(process, "missing file operand");
	for (int i = state.index; i < argc; i++)
		result |= truncate_one(process, argv[i], sign, amount, create);
	return result;
}

/* --- mknod, mkfifo, sync --- */

int files_mknod(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"mode", 'm', OPTION_NEEDS}, TEXT_WORDS};
	struct option_state state = {0};
	unsigned mode = 0666, type = S_IFIFO, major = 0, minor = 0;
	int option, count, error;
	char kind;

	while ((option = option_next(process, &state, argc, argv, "m:Z", words)) != -1) {
		if (option == 'm') {
			if (files_parse_mode(state.argument, 0666, false, 0, &mode) < 0) {
				process_complain(process, "invalid mode");
				return 1;
			}
		} else if (option != 'Z') {
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... NAME TYPE [MAJOR MINOR]", 1);
		}
	}
	count = argc - state.index;
	if (count < 2) {
		if (count < 1)
			process_complain(process, "missing operand");
		else
			process_complain(process, "missing operand after %s",
					 files_quote(process, argv[argc - 1]));
		text_try_help(process, 1);
	}
	kind = argv[state.index + 1][0];
	if (kind != 'p') {
		if (count < 4) {
			process_complain(process, "missing operand after %s",
					 files_quote(process, argv[argc - 1]));
			process_error(process,
				      "Special files require major and minor device numbers.\n");
			text_try_help(process, 1);
		}
		if (!strchr("bcu", kind) || !kind) {
			process_complain(process, "invalid device type %s",
					 files_quote(process, argv[state.index + 1]));
			text_try_help(process, 1);
		}
		type = kind == 'b' ? S_IFBLK : S_IFCHR;
		major = (unsigned)strtoul(argv[state.index + 2], NULL, 0);
		minor = (unsigned)strtoul(argv[state.index + 3], NULL, 0);
	}
	error = process_make_node(process, argv[state.index], type | mode,
				  major << 8 | (minor & 0xff));
	if (error < 0)
		process_complain(process, "%s: %s", argv[state.index], strerror(-error));
	return error < 0;
}

int files_mkfifo(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"mode", 'm', OPTION_NEEDS}, TEXT_WORDS};
	struct option_state state = {0};
	unsigned mode = 0666;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "m:Z", words)) != -1) {
		if (option == 'm') {
			if (files_parse_mode(state.argument, 0666, false, 0, &mode) < 0) {
				process_complain(process, "invalid mode");
				return 1;
			}
		} else if (option != 'Z') {
			text_other_option(process, option, COREUTILS, "[OPTION]... NAME...", 1);
		}
	}
	if (state.index >= argc)
		missing_operand(process, "missing operand");
	for (int i = state.index; i < argc; i++) {
		int error = process_make_node(process, argv[i], S_IFIFO | mode, 0);

		if (error < 0) {
			process_complain(process, "cannot create fifo %s: %s",
					 files_quote(process, argv[i]), strerror(-error));
			status = 1;
		}
	}
	return status;
}

int files_sync(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"data", 'd'}, {"file-system", 'f'}, TEXT_WORDS};
	struct option_state state = {0};
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "df", words)) != -1)
		if (option != 'd' && option != 'f')
			text_other_option(process, option, COREUTILS, "[OPTION] [FILE]...", 1);
	for (int i = state.index; i < argc; i++) {
		struct file_status ignored;
		int error = process_stat(process, argv[i], true, &ignored);

		if (error < 0) {
			process_complain(process, "error opening %s: %s",
					 files_quote(process, argv[i]), strerror(-error));
			status = 1;
		}
	}
	if (!status)
		process_sleep(process, (int64_t)(2000 + process_random_number(process, 30000)));
	return status;
}
