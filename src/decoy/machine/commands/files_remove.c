/* rm, rmdir, unlink, shred. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_change.h"

enum { RM_NO_PRESERVE = TEXT_OWN, RM_PRESERVE, RM_INTERACTIVE, RM_ONE_SYSTEM };

struct rm {
	struct process *process;
	bool recursive, force, ask, folders, verbose, terminal;
	unsigned mount;
	bool one_system;
	int status;
};

const char *files_kind_words(const struct file_status *status)
{
	switch (status->mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symbolic link";
	case S_IFCHR:
		return "character special file";
	case S_IFBLK:
		return "block special file";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return status->size ? "regular file" : "regular empty file";
	}
}

static void rm_failed(struct rm *rm, const char *path, int error)
{
	files_complain(rm->process, "cannot remove", path, error);
	rm->status = 1;
}

/* Whether the user is asked, and says no. */
static bool refused(struct rm *rm, const char *path, const struct file_status *status,
		    const char *doing)
{
	bool guarded = !rm->force && rm->terminal && !S_ISLNK(status->mode) &&
		       process_access(rm->process, path, W_OK) < 0;
	const char *last = strrchr(rm->process->argv[0], '/');
	const char *name = last ? last + 1 : rm->process->argv[0];

	if (!rm->ask && !guarded)
		return false;
	return !files_ask(rm->process, "%s: %s %s%s %s? ", name, doing,
			  guarded ? "write-protected " : "", files_kind_words(status),
			  files_quote(rm->process, path));
}

static void rm_path(struct rm *rm, const char *path, unsigned depth);

static void rm_folder(struct rm *rm, const char *path, const struct file_status *status,
		      unsigned depth)
{
	struct process *process = rm->process;
	struct folder_entry *entries;
	ssize_t count = files_list(process, path, &entries);
	int error;

	if (count < 0) {
		error = process_remove_folder(process, path);
		if (error < 0)
			rm_failed(rm, path, (int)count);
		return;
	}
	if (depth > FILES_DEPTH_MAX) {
		rm_failed(rm, path, -ENAMETOOLONG);
		return;
	}
	if (count && (rm->ask || rm->terminal) && !rm->force &&
	    refused(rm, path, status, "descend into")) {
		files_list_free(process, entries, count);
		return;
	}
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);

		rm_path(rm, below, depth + 1);
		process_give(process, below);
	}
	files_list_free(process, entries, count);
	if (rm->ask && refused(rm, path, status, "remove"))
		return;
	error = process_remove_folder(process, path);
	/* What could not be removed below has been told. */
	if (error == -ENOTEMPTY && rm->status)
		return;
	if (error < 0)
		rm_failed(rm, path, error);
	else if (rm->verbose)
		process_print(process, "removed directory %s\n", files_quote(process, path));
}

static void rm_path(struct rm *rm, const char *path, unsigned depth)
{
	struct file_status status;
	int error = process_stat(rm->process, path, false, &status);

	process_step(rm->process);
	if (error < 0) {
		if (!rm->force || (error != -ENOENT && error != -ENOTDIR))
			rm_failed(rm, path, error);
		return;
	}
	if (depth == 0)
		rm->mount = status.mount;
	else if (rm->one_system && status.mount != rm->mount)
		return;
	if (S_ISDIR(status.mode)) {
		if (rm->recursive)
			rm_folder(rm, path, &status, depth);
		else if (!rm->folders && rm->process->busybox) {
			process_complain(rm->process, "'%s' is a directory", path);
			rm->status = 1;
		} else if (!rm->folders)
			rm_failed(rm, path, -EISDIR);
		else if (!refused(rm, path, &status, "remove") &&
			 (error = process_remove_folder(rm->process, path)) < 0)
			rm_failed(rm, path, error);
		return;
	}
	if (refused(rm, path, &status, "remove"))
		return;
	error = process_unlink(rm->process, path);
	if (error < 0)
		rm_failed(rm, path, error);
	else if (rm->verbose)
		process_print(rm->process, "removed %s\n", files_quote(rm->process, path));
}

static void rm_operand(struct rm *rm, const char *path, bool preserve)
{
	const char *last = files_last(rm->process, path);
	struct file_status status, root;

	if (rm->recursive && (!strcmp(last, ".") || !strcmp(last, ".."))) {
		if (rm->process->busybox)
			process_complain(rm->process, "can't remove '.' or '..'");
		else
			process_complain(rm->process,
					 "refusing to remove '.' or '..' directory: skipping %s",
					 files_quote(rm->process, path));
		rm->status = 1;
		return;
	}
	if (rm->recursive && preserve && !rm->process->busybox &&
	    process_stat(rm->process, path, false, &status) == 0 &&
	    process_stat(rm->process, "/", false, &root) == 0 && status.inode == root.inode &&
	    status.mount == root.mount) {
		if (strcmp(path, "/") != 0)
			process_complain(
				rm->process,
				"it is dangerous to operate recursively on %s (same as '/')",
				files_quote(rm->process, path));
		else
			process_complain(rm->process,
					 "it is dangerous to operate recursively on '/'");
		process_complain(rm->process, "use --no-preserve-root to override this failsafe");
		rm->status = 1;
		return;
	}
	rm_path(rm, path, 0);
}

int files_rm(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"force", 'f'},
						   {"interactive", RM_INTERACTIVE, OPTION_MAY},
						   {"one-file-system", RM_ONE_SYSTEM},
						   {"no-preserve-root", RM_NO_PRESERVE},
						   {"preserve-root", RM_PRESERVE, OPTION_MAY},
						   {"recursive", 'r'},
						   {"dir", 'd'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct rm rm = {.process = process, .terminal = process_is_terminal(process, 0)};
	struct option_state state = {0};
	bool preserve = true, once = false;
	int option, count;

	while ((option = option_next(process, &state, argc, argv, ":dfirvIR", words)) != -1)
		switch (option) {
		case 'f':
			rm.force = true;
			rm.ask = once = false;
			break;
		case 'i':
			rm.ask = true;
			rm.force = once = false;
			break;
		case 'I':
			once = true;
			rm.force = rm.ask = false;
			break;
		case RM_INTERACTIVE:
			rm.ask = !state.argument || !strcmp(state.argument, "always") ||
				 !strcmp(state.argument, "yes");
			once = state.argument && !strcmp(state.argument, "once");
			break;
		case 'r':
		case 'R':
			rm.recursive = true;
			break;
		case 'd':
			rm.folders = true;
			break;
		case 'v':
			rm.verbose = true;
			break;
		case RM_NO_PRESERVE:
			preserve = false;
			break;
		case RM_ONE_SYSTEM:
			rm.one_system = true;
			break;
		case RM_PRESERVE:
			preserve = true;
			break;
		case '?':
			/* A file whose name begins with a dash is what was meant. */
			for (int i = 1; i < argc && !process->busybox; i++) {
				struct file_status status;

				if (argv[i][0] != '-' || !argv[i][1] ||
				    process_stat(process, argv[i], false, &status) < 0)
					continue;
				process_error(process, "Try '%s ./%s' to remove the file %s.\n",
					      argv[0], argv[i], files_quote(process, argv[i]));
				break;
			}
			text_try_help(process, 1);
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nRemove (unlink) the FILE(s).", 1);
		}
	count = argc - state.index;
	if (count <= 0) {
		if (rm.force)
			return 0;
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	if (once && (rm.recursive || count > 3) &&
	    !files_ask(process, "rm: remove %d argument%s%s? ", count, count == 1 ? "" : "s",
		       rm.recursive ? " recursively" : ""))
		return 0;
	for (int i = state.index; i < argc; i++)
		rm_operand(&rm, argv[i], preserve);
	return rm.status;
}

/* --- rmdir, unlink --- */

static int rmdir_one(struct process *process, char *path, bool parents, bool quiet, bool verbose)
{
	for (;;) {
		size_t length = strlen(path);
		char *slash;
		int error;

		while (length > 1 && path[length - 1] == '/')
			path[--length] = '\0';
		if (verbose)
			process_print(process, "rmdir: removing directory, %s\n",
				      files_quote(process, path));
		error = process_remove_folder(process, path);
		if (error < 0) {
			if (quiet && error == -ENOTEMPTY)
				return 0;
			if (process->busybox)
				process_complain(process, "'%s': %s", path, strerror(-error));
			else
				process_complain(process, "failed to remove %s%s: %s", "",
						 files_quote(process, path), strerror(-error));
			return 1;
		}
		slash = strrchr(path, '/');
		if (!parents || !slash || slash == path)
			return 0;
		*slash = '\0';
	}
}

int files_rmdir(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"ignore-fail-on-non-empty", RM_ONE_SYSTEM},
						   {"parents", 'p'},
						   {"path", 'p'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct option_state state = {0};
	bool parents = false, quiet = false, verbose = false;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "pv", words)) != -1)
		switch (option) {
		case 'p':
			parents = true;
			break;
		case 'v':
			verbose = true;
			break;
		case RM_ONE_SYSTEM:
			quiet = true;
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... DIRECTORY...\n"
					  "Remove the DIRECTORY(ies), if they are empty.",
					  1);
		}
	if (state.index >= argc) {
		if (!process->busybox)
			process_complain(process, "missing operand");
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++)
		status |= rmdir_one(process, process_copy_text(process, argv[i]), parents, quiet,
				    verbose);
	return status;
}

int files_unlink(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int option = option_next(process, &state, argc, argv, "", words), error;

	if (option != -1)
		text_other_option(process, option, COREUTILS, "FILE\n  or:  unlink OPTION", 1);
	if (argc - state.index != 1) {
		if (argc == state.index)
			process_complain(process, "missing operand");
		else
			process_complain(process, "extra operand %s",
					 files_quote(process, argv[state.index + 1]));
		text_try_help(process, 1);
	}
	error = process_unlink(process, argv[state.index]);
	if (error < 0)
		process_complain(process, "cannot unlink %s: %s",
				 files_quote(process, argv[state.index]), strerror(-error));
	return error < 0;
}

/* --- shred --- */

static int shred_one(struct process *process, const char *path, uint64_t passes, bool zero,
		     bool removes, bool verbose)
{
	const size_t size = 16384;
	struct file_status status;
	int file = process_open(process, path, O_WRONLY, 0);
	uint8_t *bytes;
	uint64_t total = passes + zero;

	if (file < 0) {
		process_complain(process, "%s: failed to open for writing: %s", path,
				 strerror(-file));
		return 1;
	}
	if (process_status_of(process, file, &status) < 0 || !S_ISREG(status.mode)) {
		process_complain(process, "%s: invalid file type", path);
		process_close(process, file);
		return 1;
	}
	bytes = process_take(process, size);
	for (uint64_t pass = 0; pass < total; pass++) {
		bool last = zero && pass + 1 == total;

		if (verbose)
			process_error(process, "shred: %s: pass %u/%u (%s)...\n", path,
				      (unsigned)(pass + 1), (unsigned)total,
				      last ? "000000" : "random");
		process_random(process, bytes, size);
		if (last)
			memset(bytes, 0, size);
		process_seek(process, file, 0, SEEK_SET);
		for (uint64_t at = 0; at < status.size; at += size) {
			/* Whole blocks, as shred fills them. */
			if (process_write(process, file,
					  slice_of(bytes, status.size - at < size
								  ? (size_t)(status.size - at)
								  : size)) < 0)
				break;
			process_step(process);
		}
	}
	process_close(process, file);
	process_give(process, bytes);
	if (removes) {
		if (verbose)
			process_error(process, "shred: %s: removing\n", path);
		process_unlink(process, path);
		if (verbose)
			process_error(process, "shred: %s: removed\n", path);
	}
	return 0;
}

int files_shred(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"exact", 'x'},
						   {"force", 'f'},
						   {"iterations", 'n', OPTION_NEEDS},
						   {"remove", 'u', OPTION_MAY},
						   {"size", 's', OPTION_NEEDS},
						   {"verbose", 'v'},
						   {"zero", 'z'},
						   TEXT_WORDS};
	struct option_state state = {0};
	uint64_t passes = 3;
	bool zero = false, removes = false, verbose = false;
	int option, status = 0;

	while ((option = option_next(process, &state, argc, argv, "fn:s:uvxz", words)) != -1)
		switch (option) {
		case 'n':
			if (command_size(state.argument, &passes) < 0 || passes > 100) {
				process_complain(process, "invalid number of passes: %s",
						 files_quote(process, state.argument));
				return 1;
			}
			break;
		case 'z':
			zero = true;
			break;
		case 'u':
			removes = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'f':
		case 's':
		case 'x':
			break;
		default:
			text_other_option(process, option, COREUTILS, "[OPTION]... FILE...", 1);
		}
	if (state.index >= argc) {
		process_complain(process, "missing file operand");
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++)
		status |= shred_one(process, argv[i], passes, zero, removes, verbose);
	return status;
}
