/* stat, readlink, realpath, basename, dirname, pwd. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_change.h"

enum { STAT_PRINTF = TEXT_OWN, STAT_RELATIVE, STAT_RELATIVE_BASE, STAT_CACHED };

/* --- stat --- */

static unsigned device_of(const struct file_status *status)
{
	/* The first disk's first partition; what has no disk counts from 21. */
	return status->mount == 0 ? 0x801 : 21 + status->mount;
}

static void put_stat_text(struct process *process, const char *flags, const char *width,
			  const char *text)
{
	if (*width || *flags) {
		int room = (int)strtol(width, NULL, 10);

		/* "%04a" is filled with zeros. */
		if (*width == '0' || strchr(flags, '0')) {
			for (int left = room - (int)strlen(text); left > 0; left--)
				process_put_byte(process, '0');
			room = 0;
		}
		process_print(process, "%*s", strchr(flags, '-') ? -room : room, text);
	} else {
		process_put_text(process, text);
	}
}

static const char *number_text(struct process *process, uint64_t number, const char *kind)
{
	if (*kind == 'x')
		return process_format(process, "%llx", (unsigned long long)number);
	if (*kind == 'o')
		return process_format(process, "%llo", (unsigned long long)number);
	return process_format(process, "%llu", (unsigned long long)number);
}

static const char *epoch_text(struct process *process, int64_t time)
{
	return process_format(
		process, "%lld",
		(long long)(time >= 0 ? time / SECOND : -((-time + SECOND - 1) / SECOND)));
}

static const char *full_time(struct process *process, int64_t time)
{
	char text[64];

	files_full_time_text(time, text, sizeof(text));
	return process_copy_text(process, text);
}

static const char *stat_name(struct process *process, const char *path,
			     const struct file_status *status)
{
	char target[MACHINE_PATH_MAX];

	if (!S_ISLNK(status->mode) || process_readlink(process, path, target, sizeof(target)) < 0)
		return files_quote_if_needed(process, path);
	return process_format(process, "%s -> %s", files_quote(process, path),
			      files_quote(process, target));
}

static const char *plain_name(struct process *process, const char *path,
			      const struct file_status *status)
{
	char target[MACHINE_PATH_MAX];

	if (!S_ISLNK(status->mode) || process_readlink(process, path, target, sizeof(target)) < 0)
		return path;
	return process_format(process, "%s -> %s", path, target);
}

static const char *stat_item(struct process *process, char letter, const char *path,
			     const struct file_status *status)
{
	struct file_system_status system;
	char mode[11];

	switch (letter) {
	case 'a':
		return number_text(process, status->mode & 07777, "o");
	case 'A':
		files_mode_text(status->mode, mode);
		return process_copy_text(process, mode);
	case 'b':
		return number_text(process, status->blocks, "");
	case 'B':
		return "512";
	case 'C':
		return "?";
	case 'd':
		return number_text(process, device_of(status), "");
	case 'D':
		return number_text(process, device_of(status), "x");
	case 'f':
		return number_text(process, status->mode, "x");
	case 'F':
		return files_kind_words(status);
	case 'g':
		return number_text(process, status->gid, "");
	case 'G':
		return command_group_name(process, status->gid);
	case 'h':
		return number_text(process, status->links, "");
	case 'i':
		return number_text(process, status->inode, "");
	case 'm':
		if (process_file_system_status(process, path, &system) == 0)
			return system.mount_point;
		return "/";
	case 'n':
		return path;
	case 'N':
		return S_ISLNK(status->mode) ? stat_name(process, path, status)
					     : files_quote(process, path);
	case 'o':
		return "4096";
	case 's':
		return number_text(process, status->size, "");
	case 'r':
		return number_text(process, status->device_major << 8 | status->device_minor, "");
	case 'R':
		return number_text(process, status->device_major << 8 | status->device_minor, "x");
	case 't':
		return number_text(process, status->device_major, "x");
	case 'T':
		return number_text(process, status->device_minor, "x");
	case 'u':
		return number_text(process, status->uid, "");
	case 'U':
		return command_user_name(process, status->uid);
	case 'w':
		return status->born ? full_time(process, status->born) : "-";
	case 'W':
		return status->born ? epoch_text(process, status->born) : "0";
	case 'x':
		return full_time(process, status->accessed);
	case 'X':
		return epoch_text(process, status->accessed);
	case 'y':
		return full_time(process, status->modified);
	case 'Y':
		return epoch_text(process, status->modified);
	case 'z':
		return full_time(process, status->changed);
	case 'Z':
		return epoch_text(process, status->changed);
	default:
		return "?";
	}
}

static const char *system_item(struct process *process, char letter, const char *path,
			       const struct file_system_status *status)
{
	static const struct {
		const char *type, *words, *number;
	} types[] = {{"ext4", "ext2/ext3", "ef53"},    {"tmpfs", "tmpfs", "1021994"},
		     {"proc", "proc", "9fa0"},         {"sysfs", "sysfs", "62656572"},
		     {"devtmpfs", "tmpfs", "1021994"}, {"devpts", "devpts", "1cd1"}};
	size_t type = 0;

	while (type + 1 < ARRAY_COUNT(types) && strcmp(types[type].type, status->type) != 0)
		type++;
	switch (letter) {
	case 'a':
		return number_text(process, status->available_blocks, "");
	case 'b':
		return number_text(process, status->blocks, "");
	case 'c':
		return number_text(process, status->files, "");
	case 'd':
		return number_text(process, status->free_files, "");
	case 'f':
		return number_text(process, status->free_blocks, "");
	case 'i':
		return process_format(process, "%x%08x", 0x4f3c2b1a, 0x9d8e7f60);
	case 'l':
		return "255";
	case 'n':
		return path;
	case 's':
	case 'S':
		return "4096";
	case 't':
		return types[type].number;
	case 'T':
		return types[type].words;
	default:
		return "?";
	}
}

static void put_format(struct process *process, const char *format, bool escapes, const char *path,
		       const struct file_status *status, const struct file_system_status *system)
{
	for (; *format; format++) {
		char flags[8] = "", width[8] = "";
		size_t length;

		if (*format == '\\' && escapes) {
			int byte;
			size_t taken = text_escape(format + 1, &byte, false);

			process_put_byte(process, byte >= 0 ? (uint8_t)byte : '\\');
			format += taken;
			continue;
		}
		if (*format != '%') {
			process_put_byte(process, (uint8_t)*format);
			continue;
		}
		format++;
		length = strspn(format, "-+ 0#'");
		memcpy(flags, format, length < 7 ? length : 7);
		format += length;
		length = strspn(format, "0123456789.");
		memcpy(width, format, length < 7 ? length : 7);
		format += length;
		if (!*format || *format == '%') {
			process_put_byte(process, '%');
			if (!*format)
				return;
			continue;
		}
		if ((*format == 'H' || *format == 'L') && (format[1] == 'd' || format[1] == 'r')) {
			unsigned device =
				*++format == 'd' ? device_of(status)
						 : status->device_major << 8 | status->device_minor;

			put_stat_text(process, flags, width,
				      number_text(process,
						  format[-1] == 'H' ? device >> 8 : device & 255,
						  ""));
			continue;
		}
		put_stat_text(process, flags, width,
			      system ? system_item(process, *format, path, system)
				     : stat_item(process, *format, path, status));
	}
}

static const char usual_system[] =
	"  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block "
	"size: %S\nBlocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n";

static void put_usual(struct process *process, const char *path, const struct file_status *status,
		      bool terse)
{
	char mode[11];

	if (terse) {
		put_format(process, "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n", false,
			   path, status, NULL);
		return;
	}
	files_mode_text(status->mode, mode);
	process_print(process, "  File: %s\n",
		      process->busybox && S_ISLNK(status->mode)
			      ? stat_name(process, path, status)
			      : plain_name(process, path, status));
	process_print(process, "  Size: %-10llu\tBlocks: %-10llu IO Block: %-6u %s\n",
		      (unsigned long long)status->size, (unsigned long long)status->blocks,
		      status->mount && !status->blocks && !status->size ? 1024u : 4096u,
		      files_kind_words(status));
	process_print(process, "Device: %u,%u\tInode: %-11llu Links: ", device_of(status) >> 8,
		      device_of(status) & 255, (unsigned long long)status->inode);
	if (S_ISCHR(status->mode) || S_ISBLK(status->mode))
		process_print(process, "%-5u Device type: %u,%u\n", status->links,
			      status->device_major, status->device_minor);
	else
		process_print(process, "%u\n", status->links);
	process_print(process, "Access: (%04o/%s)  Uid: (%5u/%8s)   Gid: (%5u/%8s)\n",
		      status->mode & 07777, mode, status->uid,
		      command_user_name(process, status->uid), status->gid,
		      command_group_name(process, status->gid));
	process_print(process, "Access: %s\nModify: %s\nChange: %s\n Birth: %s\n",
		      full_time(process, status->accessed), full_time(process, status->modified),
		      full_time(process, status->changed),
		      status->born ? full_time(process, status->born) : "-");
}

int files_stat(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"dereference", 'L'},
						   {"file-system", 'f'},
						   {"cached", STAT_CACHED, OPTION_NEEDS},
						   {"format", 'c', OPTION_NEEDS},
						   {"printf", STAT_PRINTF, OPTION_NEEDS},
						   {"terse", 't'},
						   TEXT_WORDS};
	struct option_state state = {0};
	const char *format = NULL;
	bool follow = false, system = false, terse = false, escapes = false;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "c:fLt", words)) != -1)
		switch (option) {
		case 'c':
			format = state.argument;
			escapes = false;
			break;
		case STAT_PRINTF:
			format = state.argument;
			escapes = true;
			break;
		case 'f':
			system = true;
			break;
		case 'L':
			follow = true;
			break;
		case 't':
			terse = true;
			break;
		case STAT_CACHED:
			break;
		default:
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... FILE...\nDisplay file or file system status.", 1);
		}
	if (state.index >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++) {
		struct file_status status;
		struct file_system_status statfs;
		int error;

		process_step(process);
		error = system ? process_file_system_status(process, argv[i], &statfs)
			       : process_stat(process, argv[i], follow, &status);
		if (error < 0) {
			if (process->busybox)
				process_complain(process, "can't stat '%s': %s", argv[i],
						 strerror(-error));
			else
				process_complain(
					process,
					system ? "cannot read file system information for %s: %s"
					       : "cannot statx %s: %s",
					files_quote(process, argv[i]), strerror(-error));
			result = 1;
		} else if (format || system) {
			put_format(process,
				   format  ? format
				   : terse ? "%n %i %l %t %s %S %b %f %a %c %d\n"
					   : usual_system,
				   escapes, argv[i], &status, system ? &statfs : NULL);
			if (format && !escapes)
				process_put_byte(process, '\n');
		} else {
			put_usual(process, argv[i], &status, terse);
		}
	}
	return result;
}

/* --- readlink, realpath --- */

/* Takes "." and ".." and double slashes out of an absolute path, by its words alone. */
static void tidy(char *path)
{
	size_t length = 0;
	const char *at = path;

	while (*at) {
		size_t part;

		at += strspn(at, "/");
		part = strcspn(at, "/");
		if (part == 0)
			break;
		if (part == 2 && at[0] == '.' && at[1] == '.') {
			while (length && path[--length] != '/')
				;
		} else if (part != 1 || at[0] != '.') {
			path[length++] = '/';
			memmove(path + length, at, part);
			length += part;
		}
		at += part;
	}
	if (!length)
		path[length++] = '/';
	path[length] = '\0';
}

/* As far as it is there by links, the rest by its words. */
static int resolve_missing(struct process *process, const char *path, char *real)
{
	char *front = process_copy_text(process, path);
	size_t length = strlen(front);
	int written;

	while (process_real_path(process, length ? front : ".", true, real, MACHINE_PATH_MAX) < 0) {
		while (length && front[length - 1] == '/')
			front[--length] = '\0';
		while (length && front[length - 1] != '/')
			front[--length] = '\0';
		if (length == 0)
			break;
	}
	if (length == 0)
		snprintf(real, MACHINE_PATH_MAX, "%s", process_folder(process));
	written = snprintf(real + strlen(real), MACHINE_PATH_MAX - strlen(real), "/%s",
			   path + length);
	process_give(process, front);
	if (written < 0 || strlen(real) + 1 >= MACHINE_PATH_MAX)
		return -ENAMETOOLONG;
	tidy(real);
	return 0;
}

static int resolve(struct process *process, const char *path, char mode, char *real)
{
	char target[MACHINE_PATH_MAX];
	struct file_status status;
	int error;

	if (process->busybox)
		mode = 'e'; /* its realpath wants all of it */
	error = process_real_path(process, path, mode == 'e', real, MACHINE_PATH_MAX);

	/* A link that leads nowhere: where it would lead. */
	for (int links = 0; error == 0 && mode != 'e' && links < MACHINE_SYMLINKS_MAX; links++) {
		char *slash, *next;

		if (process_stat(process, real, false, &status) < 0 || !S_ISLNK(status.mode) ||
		    process_readlink(process, real, target, sizeof(target)) < 0)
			break;
		slash = strrchr(real, '/');
		next = target[0] == '/' ? process_copy_text(process, target)
					: process_format(process, "%.*s/%s", (int)(slash - real),
							 real, target);
		error = process_real_path(process, next, false, real, MACHINE_PATH_MAX);
		process_give(process, next);
	}
	if (error < 0 && mode == 'm')
		return resolve_missing(process, path, real);
	return error;
}

int files_readlink(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"canonicalize", 'f'},
						   {"canonicalize-existing", 'e'},
						   {"canonicalize-missing", 'm'},
						   {"no-newline", 'n'},
						   {"quiet", 'q'},
						   {"silent", 's'},
						   {"verbose", 'v'},
						   {"zero", 'z'},
						   TEXT_WORDS};
	struct option_state state = {0};
	bool newline = true, verbose = false;
	char mode = 0, end = '\n', target[MACHINE_PATH_MAX];
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "efmnqsvz", words)) != -1)
		switch (option) {
		case 'e':
		case 'f':
		case 'm':
			mode = (char)option;
			break;
		case 'n':
			newline = false;
			break;
		case 'v':
			verbose = true;
			break;
		case 'z':
			end = '\0';
			break;
		case 'q':
		case 's':
			verbose = false;
			break;
		default:
			text_other_option(process, option, COREUTILS, "[OPTION]... FILE...", 1);
		}
	if (state.index >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	if (argc - state.index > 1)
		newline = true;
	for (int i = state.index; i < argc; i++) {
		int error;

		if (mode) {
			error = resolve(process, argv[i], mode, target);
		} else {
			ssize_t length = process_readlink(process, argv[i], target, sizeof(target));

			error = length < 0 ? (int)length : 0;
		}
		if (error < 0) {
			if (verbose)
				process_complain(process, "%s: %s", argv[i], strerror(-error));
			result = 1;
			continue;
		}
		process_put_text(process, target);
		if (newline)
			process_put_byte(process, (uint8_t)end);
	}
	return result;
}

static const char *from_base(struct process *process, const char *base, const char *path)
{
	struct text out = {0};
	size_t same = 0, i = 0;

	for (;; i++) {
		bool end_path = path[i] == '/' || !path[i], end_base = base[i] == '/' || !base[i];

		if (end_path && end_base)
			same = i;
		if (path[i] != base[i] || !path[i])
			break;
	}
	for (const char *at = base + same; *at && (at = strchr(at, '/')) && at[1]; at++)
		text_add_words(process, &out, out.length ? "/.." : "..");
	if (path[same] == '/' && path[same + 1]) {
		if (out.length)
			text_add_byte(process, &out, '/');
		text_add_words(process, &out, path + same + 1);
	}
	return out.length ? out.data : ".";
}

int files_realpath(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"canonicalize-existing", 'e'},
		{"canonicalize-missing", 'm'},
		{"logical", 'L'},
		{"no-symlinks", 's'},
		{"physical", 'P'},
		{"quiet", 'q'},
		{"relative-base", STAT_RELATIVE_BASE, OPTION_NEEDS},
		{"relative-to", STAT_RELATIVE, OPTION_NEEDS},
		{"strip", 's'},
		{"zero", 'z'},
		TEXT_WORDS};
	struct option_state state = {0};
	char mode = 'f', end = '\n', target[MACHINE_PATH_MAX], base[MACHINE_PATH_MAX] = "";
	bool quiet = false;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "eLmPqsz", words)) != -1)
		switch (option) {
		case 'e':
		case 'm':
			mode = (char)option;
			break;
		case 'q':
			quiet = true;
			break;
		case 'z':
			end = '\0';
			break;
		case STAT_RELATIVE:
			if (resolve(process, state.argument, mode, base) < 0)
				base[0] = '\0';
			break;
		case 'L':
		case 'P':
		case 's':
		case STAT_RELATIVE_BASE:
			break;
		default:
			text_other_option(process, option, COREUTILS, "[OPTION]... FILE...", 1);
		}
	if (state.index >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++) {
		int error = resolve(process, argv[i], mode, target);

		if (error < 0) {
			if (!quiet)
				process_complain(process, "%s: %s", argv[i], strerror(-error));
			result = 1;
			continue;
		}
		process_print(process, "%s%c", base[0] ? from_base(process, base, target) : target,
			      end);
	}
	return result;
}

/* --- basename, dirname, pwd --- */

int files_basename(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"multiple", 'a'}, {"suffix", 's', OPTION_NEEDS}, {"zero", 'z'}, TEXT_WORDS};
	struct option_state state = {0};
	const char *suffix = NULL;
	bool many = false;
	char end = '\n';
	int option, count;

	while ((option = option_next(process, &state, argc, argv, "+as:z", words)) != -1)
		switch (option) {
		case 's':
			suffix = state.argument;
			many = true;
			break;
		case 'a':
			many = true;
			break;
		case 'z':
			end = '\0';
			break;
		default:
			text_other_option(process, option, COREUTILS, "NAME [SUFFIX]", 1);
		}
	count = argc - state.index;
	if (count < 1) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	if (!many && count > 2) {
		process_complain(process, "extra operand %s",
				 files_quote(process, argv[state.index + 2]));
		text_try_help(process, 1);
	}
	if (!many && count == 2)
		suffix = argv[--argc];
	for (int i = state.index; i < argc; i++) {
		char *name = files_last(process, argv[i]);
		size_t length = strlen(name), ending = suffix ? strlen(suffix) : 0;

		if (ending && ending < length && !strcmp(name + length - ending, suffix))
			name[length - ending] = '\0';
		process_print(process, "%s%c", name, end);
	}
	return 0;
}

int files_dirname(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"zero", 'z'}, TEXT_WORDS};
	struct option_state state = {0};
	char end = '\n';
	int option;

	while ((option = option_next(process, &state, argc, argv, "z", words)) != -1) {
		if (option != 'z')
			text_other_option(process, option, COREUTILS, "[OPTION] NAME...", 1);
		end = '\0';
	}
	if (state.index >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++) {
		const char *path = argv[i];
		size_t length = strlen(path);

		while (length > 1 && path[length - 1] == '/')
			length--;
		while (length > 0 && path[length - 1] != '/')
			length--;
		while (length > 1 && path[length - 1] == '/')
			length--;
		process_print(process, "%.*s%c", length ? (int)length : 1, length ? path : ".",
			      end);
	}
	return 0;
}

int files_pwd(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"logical", 'L'}, {"physical", 'P'}, TEXT_WORDS};
	struct option_state state = {0};
	const char *named = process_environment(process, "PWD");
	struct file_status here, there;
	bool logical = false;
	int option;

	while ((option = option_next(process, &state, argc, argv, "LP", words)) != -1) {
		if (option != 'L' && option != 'P')
			text_other_option(process, option, COREUTILS, "[OPTION]...", 1);
		logical = option == 'L';
	}
	if (state.index < argc && !process->busybox)
		process_complain(process, "ignoring non-option arguments");
	if (logical && named && named[0] == '/' && process_stat(process, ".", true, &here) == 0 &&
	    process_stat(process, named, true, &there) == 0 && here.inode == there.inode)
		process_print(process, "%s\n", named);
	else
		process_print(process, "%s\n", process_folder(process));
	return 0;
}
