/* cp, mv, install. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_change.h"

enum { CP_PARENTS = TEXT_OWN, CP_PRESERVE, CP_NO_PRESERVE, CP_ATTRIBUTES, CP_IGNORED, CP_REMOVE };

struct cp {
	struct process *process;
	bool recursive, force, ask, keep, update, verbose, links_themselves, follow_all, parents,
		mode, owner, times, make_links, make_symlinks, flat, remove_first, moving, backup;
	const char *target;
	/* The copy that is under way, and the folder that it makes: a folder is not copied into
	 * itself for ever. */
	const char *top_from, *top_to;
	node_number top;
	unsigned top_mount;
	bool top_known;
	int status;
};

static void failed(struct cp *cp, const char *doing, const char *path, int error)
{
	files_complain(cp->process, doing, path, error);
	cp->status = 1;
}

/* "b/" for something that is no folder. */
static bool names_no_folder(const char *path)
{
	size_t length = strlen(path);

	return length > 1 && path[length - 1] == '/';
}

static void preserve(struct cp *cp, const char *to, const struct file_status *status)
{
	struct process *process = cp->process;
	bool link = S_ISLNK(status->mode);

	if (cp->times)
		(void)process_change_times(process, to, !link, status->accessed, status->modified);
	if (cp->owner) {
		int error = process_change_owner(process, to, false, status->uid, status->gid);

		if (error < 0)
			(void)process_change_owner(process, to, false, ~0u, status->gid);
	}
	if (cp->mode && !link)
		(void)process_change_mode(process, to, status->mode & 07777);
}

static int copy_regular(struct cp *cp, const char *from, const char *to,
			const struct file_status *status)
{
	struct process *process = cp->process;
	unsigned mode = status->mode & 0777;
	int in = process_open(process, from, O_RDONLY, 0), out, error;

	if (in < 0) {
		process_complain(
			process,
			process->busybox ? "can't open '%s': %s" : "cannot open %s for reading: %s",
			process->busybox ? from : files_quote(process, from), strerror(-in));
		cp->status = 1;
		return -1;
	}
	out = names_no_folder(to) ? -ENOTDIR
				  : process_open(process, to, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (out < 0 && cp->force && process_unlink(process, to) == 0)
		out = process_open(process, to, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (out < 0) {
		struct file_status there;

		files_complain(process,
			       process->busybox || process_stat(process, to, true, &there) < 0
				       ? "cannot create regular file"
				       : "cannot open regular file",
			       to, out);
		cp->status = 1;
		process_close(process, in);
		return -1;
	}
	process_close(process, out);
	error = S_ISREG(status->mode) ? process_clone_file(process, from, to, mode) : -EINVAL;
	/* What is no file of the disk is read: /proc, devices. */
	if (error == -EINVAL) {
		out = process_open(process, to, O_WRONLY | O_TRUNC, mode);
		error = out < 0 ? out : files_copy_bytes(process, in, out);
		if (out >= 0)
			process_close(process, out);
	}
	process_close(process, in);
	if (error < 0) {
		failed(cp, error == -ENOSPC ? "error writing" : "error reading",
		       error == -ENOSPC ? to : from, error);
		return -1;
	}
	return 0;
}

static void copy_path(struct cp *cp, const char *from, const char *to, unsigned depth);

static void copy_folder(struct cp *cp, const char *from, const char *to,
			const struct file_status *status, unsigned depth)
{
	struct process *process = cp->process;
	struct folder_entry *entries;
	struct file_status there;
	ssize_t count;
	int error;

	if (process_stat(process, to, true, &there) == 0) {
		if (!S_ISDIR(there.mode)) {
			process_complain(process,
					 "cannot overwrite non-directory %s with directory %s",
					 files_quote(process, to), files_quote(process, from));
			cp->status = 1;
			return;
		}
	} else {
		/* Writable while it is filled. */
		error = process_make_folder(process, to, (status->mode & 07777) | 0700);
		if (error < 0) {
			failed(cp, "cannot create directory", to, error);
			return;
		}
		if (cp->verbose)
			process_print(process, "%s -> %s\n", files_quote(process, from),
				      files_quote(process, to));
	}
	if (depth == 0 && process_stat(process, to, true, &there) == 0) {
		cp->top = there.inode;
		cp->top_mount = there.mount;
		cp->top_known = true;
	}
	count = files_list(process, from, &entries);
	if (count < 0) {
		process_complain(process, "cannot access %s: %s", files_quote(process, from),
				 strerror((int)-count));
		cp->status = 1;
		return;
	}
	for (ssize_t i = 0; i < count && depth < FILES_DEPTH_MAX; i++) {
		char *source = files_join(process, from, entries[i].name);
		char *target = files_join(process, to, entries[i].name);

		copy_path(cp, source, target, depth + 1);
		process_give(process, source);
		process_give(process, target);
	}
	files_list_free(process, entries, count);
	preserve(cp, to, status);
}

/* Whether what is at the target stays. */
static bool stays(struct cp *cp, const char *to, const struct file_status *from,
		  const struct file_status *there)
{
	if (cp->keep)
		return true;
	if (cp->update && there->modified >= from->modified)
		return true;
	if (cp->ask && !files_ask(cp->process, "%s: overwrite %s? ", cp->process->name,
				  files_quote(cp->process, to)))
		return true;
	return false;
}

static int copy_special(struct cp *cp, const char *from, const char *to,
			const struct file_status *status)
{
	struct process *process = cp->process;
	int error = 0;

	if (S_ISLNK(status->mode)) {
		char *target = files_target(process, from, &error);

		if (!target) {
			failed(cp, "cannot read symbolic link", from, error);
			return -1;
		}
		(void)process_unlink(process, to);
		error = process_symlink(process, target, to);
		process_give(process, target);
		if (error < 0)
			failed(cp, "cannot create symbolic link", to, error);
		return error;
	}
	(void)process_unlink(process, to);
	error = process_make_node(process, to, status->mode,
				  status->device_major << 8 | status->device_minor);
	if (error < 0)
		failed(cp,
		       S_ISFIFO(status->mode) ? "cannot create fifo" : "cannot create special file",
		       to, error);
	return error;
}

static void copy_path(struct cp *cp, const char *from, const char *to, unsigned depth)
{
	struct process *process = cp->process;
	struct file_status status, there;
	bool follow = cp->follow_all || (!cp->links_themselves && !cp->recursive);
	int error = process_stat(process, from, follow, &status);

	process_step(process);
	if (error < 0) {
		failed(cp, "cannot stat", from, error);
		return;
	}
	if (S_ISDIR(status.mode)) {
		if (!cp->recursive) {
			if (process->busybox)
				process_complain(process, "omitting directory '%s'", from);
			else
				process_complain(process, "-r not specified; omitting directory %s",
						 files_quote(process, from));
			cp->status = 1;
			return;
		}
		if (cp->top_known && depth && status.inode == cp->top &&
		    status.mount == cp->top_mount) {
			process_complain(process, "cannot copy a directory, %s, into itself, %s",
					 files_quote(process, cp->top_from),
					 files_quote(process, cp->top_to));
			cp->status = 1;
			return;
		}
		copy_folder(cp, from, to, &status, depth);
		return;
	}
	if (process_stat(process, to, false, &there) == 0) {
		if (there.inode == status.inode && there.mount == status.mount) {
			process_complain(process,
					 process->busybox ? "'%s' and '%s' are the same file"
							  : "%s and %s are the same file",
					 process->busybox ? from : files_quote(process, from),
					 process->busybox ? to : files_quote(process, to));
			cp->status = 1;
			return;
		}
		if (S_ISDIR(there.mode)) {
			process_complain(process,
					 "cannot overwrite directory %s with non-directory",
					 files_quote(process, to));
			cp->status = 1;
			return;
		}
		if (stays(cp, to, &status, &there))
			return;
		if (cp->backup)
			(void)process_rename(process, to, process_format(process, "%s~", to));
		else if (cp->remove_first)
			(void)process_unlink(process, to);
	}
	if (cp->make_links || cp->make_symlinks) {
		error = cp->make_links ? process_link(process, from, to)
				       : process_symlink(process, from, to);
		if (error < 0)
			failed(cp,
			       cp->make_links ? "cannot create hard link"
					      : "cannot create symbolic link",
			       to, error);
	} else if (S_ISREG(status.mode) || (!cp->recursive && !S_ISLNK(status.mode))) {
		if (copy_regular(cp, from, to, &status) < 0)
			return;
		preserve(cp, to, &status);
	} else {
		if (copy_special(cp, from, to, &status) < 0)
			return;
		preserve(cp, to, &status);
	}
	if (cp->verbose && !cp->moving)
		process_print(process, "%s -> %s\n", files_quote(process, from),
			      files_quote(process, to));
}

/* --- mv --- */

static void move_path(struct cp *cp, const char *from, const char *to)
{
	struct process *process = cp->process;
	struct file_status status, there;
	int error = process_stat(process, from, false, &status);

	if (error < 0) {
		if (process->busybox)
			process_complain(process, "can't rename '%s': %s", from, strerror(-error));
		else
			files_complain(process, "cannot stat", from, error);
		cp->status = 1;
		return;
	}
	if (process_stat(process, to, false, &there) == 0) {
		if (there.inode == status.inode && there.mount == status.mount) {
			process_complain(process, "%s and %s are the same file",
					 files_quote(process, from), files_quote(process, to));
			cp->status = 1;
			return;
		}
		if (S_ISDIR(status.mode) && !S_ISDIR(there.mode)) {
			process_complain(process,
					 "cannot overwrite non-directory %s with directory %s",
					 files_quote(process, to), files_quote(process, from));
			cp->status = 1;
			return;
		}
		if (!S_ISDIR(status.mode) && S_ISDIR(there.mode)) {
			process_complain(process,
					 "cannot overwrite directory %s with non-directory",
					 files_quote(process, to));
			cp->status = 1;
			return;
		}
		if (stays(cp, to, &status, &there))
			return;
		if (cp->backup)
			(void)process_rename(process, to, process_format(process, "%s~", to));
	}
	error = !S_ISDIR(status.mode) && names_no_folder(to) ? -ENOTDIR
							     : process_rename(process, from, to);
	if (error == -EXDEV) {
		int before = cp->status;

		cp->status = 0;
		copy_path(cp, from, to, 0);
		if (!cp->status)
			cp->status |= files_remove_tree(process, from) < 0;
		cp->status |= before;
		error = 0;
	}
	if (error == -EINVAL) {
		process_complain(process, "cannot move %s to a subdirectory of itself, %s",
				 files_quote(process, from), files_quote(process, to));
		cp->status = 1;
	} else if (error < 0) {
		if (process->busybox)
			process_complain(process, "can't rename '%s': %s", from, strerror(-error));
		else
			process_complain(process, "cannot move %s to %s: %s",
					 files_quote(process, from), files_quote(process, to),
					 strerror(-error));
		cp->status = 1;
	} else if (cp->verbose) {
		process_print(process, "renamed %s -> %s\n", files_quote(process, from),
			      files_quote(process, to));
	}
}

/* --- both --- */

static void one(struct cp *cp, const char *from, const char *to)
{
	cp->top_from = from;
	cp->top_to = to;
	cp->top_known = false;
	if (cp->moving)
		move_path(cp, from, to);
	else
		copy_path(cp, from, to, 0);
}

static char *target_below(struct cp *cp, const char *folder, const char *from)
{
	struct process *process = cp->process;

	if (cp->parents) {
		char *path = files_join(process, folder, from + strspn(from, "/"));

		for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/'));
		     slash++) {
			*slash = '\0';
			(void)process_make_folder(process, path, 0777);
			*slash = '/';
		}
		return path;
	}
	return files_join(process, folder, files_last(process, from));
}

static int run(struct cp *cp, int argc, char **argv, int index)
{
	struct process *process = cp->process;
	const char *folder = cp->target;
	struct file_status status;
	int count = argc - index, error;

	if (count < 1 || (count < 2 && !folder)) {
		if (process->busybox)
			text_try_help(process, 1);
		if (count < 1)
			process_complain(process, "missing file operand");
		else
			process_complain(process, "missing destination file operand after %s",
					 files_quote(process, argv[index]));
		text_try_help(process, 1);
	}
	if (!folder && !cp->flat) {
		error = process_stat(process, argv[argc - 1], true, &status);
		if (error == 0 && S_ISDIR(status.mode)) {
			folder = argv[--argc];
		} else if (count > 2) {
			if (process->busybox && error < 0)
				process_complain(process, "can't stat '%s': %s", argv[argc - 1],
						 strerror(-error));
			else
				process_complain(process, "target %s: %s",
						 files_quote(process, argv[argc - 1]),
						 strerror(error < 0 ? -error : ENOTDIR));
			return 1;
		}
	} else if (cp->flat && count > 2) {
		process_complain(process, "extra operand %s",
				 files_quote(process, argv[index + 2]));
		text_try_help(process, 1);
	}
	if (!folder) {
		one(cp, argv[index], argv[index + 1]);
		return cp->status;
	}
	for (int i = index; i < argc; i++)
		one(cp, argv[i], target_below(cp, folder, argv[i]));
	return cp->status;
}

static void preserve_words(struct cp *cp, const char *words, bool on)
{
	struct slice rest = slice_text(words ? words : "mode,ownership,timestamps"), word;

	while (slice_next(&rest, ',', &word)) {
		bool all = slice_is(word, "all");

		if (all || slice_is(word, "mode"))
			cp->mode = on;
		if (all || slice_is(word, "ownership"))
			cp->owner = on;
		if (all || slice_is(word, "timestamps"))
			cp->times = on;
	}
}

int files_cp(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"archive", 'a'},
						   {"attributes-only", CP_ATTRIBUTES},
						   {"backup", 'b', OPTION_MAY},
						   {"copy-contents", CP_IGNORED},
						   {"dereference", 'L'},
						   {"force", 'f'},
						   {"interactive", 'i'},
						   {"link", 'l'},
						   {"no-clobber", 'n'},
						   {"no-dereference", 'P'},
						   {"no-preserve", CP_NO_PRESERVE, OPTION_NEEDS},
						   {"no-target-directory", 'T'},
						   {"one-file-system", 'x'},
						   {"parents", CP_PARENTS},
						   {"preserve", CP_PRESERVE, OPTION_MAY},
						   {"recursive", 'R'},
						   {"reflink", CP_IGNORED, OPTION_MAY},
						   {"remove-destination", CP_REMOVE},
						   {"sparse", CP_IGNORED, OPTION_NEEDS},
						   {"strip-trailing-slashes", CP_IGNORED},
						   {"suffix", 'S', OPTION_NEEDS},
						   {"symbolic-link", 's'},
						   {"target-directory", 't', OPTION_NEEDS},
						   {"update", 'u'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct cp cp = {.process = process};
	struct option_state state = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv, "abdfHilLnprst:uvxPRS:TZ",
				     words)) != -1)
		switch (option) {
		case 'a':
			cp.recursive = cp.links_themselves = true;
			preserve_words(&cp, "all", true);
			break;
		case 'b':
		case 'S':
			cp.backup = true;
			break;
		case 'd':
		case 'P':
			cp.links_themselves = true;
			break;
		case 'f':
			cp.force = true;
			break;
		case 'i':
			cp.ask = true;
			cp.keep = false;
			break;
		case 'l':
			cp.make_links = true;
			break;
		case 'L':
			cp.follow_all = true;
			break;
		case 'n':
			cp.keep = true;
			cp.ask = false;
			break;
		case 'p':
			preserve_words(&cp, NULL, true);
			break;
		case CP_PRESERVE:
			preserve_words(&cp, state.argument, true);
			break;
		case CP_NO_PRESERVE:
			preserve_words(&cp, state.argument, false);
			break;
		case 'r':
		case 'R':
			cp.recursive = true;
			break;
		case 's':
			cp.make_symlinks = true;
			break;
		case 't':
			cp.target = state.argument;
			break;
		case 'T':
			cp.flat = true;
			break;
		case 'u':
			cp.update = true;
			break;
		case 'v':
			cp.verbose = true;
			break;
		case CP_PARENTS:
			cp.parents = true;
			break;
		case CP_REMOVE:
			cp.remove_first = true;
			break;
		case 'x':
		case 'Z':
		case 'H':
		case CP_ATTRIBUTES:
		case CP_IGNORED:
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [-T] SOURCE DEST\n"
					  "  or:  cp [OPTION]... SOURCE... DIRECTORY\n"
					  "  or:  cp [OPTION]... -t DIRECTORY SOURCE...",
					  1);
		}
	return run(&cp, argc, argv, state.index);
}

int files_mv(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"backup", 'b', OPTION_MAY},
						   {"force", 'f'},
						   {"interactive", 'i'},
						   {"no-clobber", 'n'},
						   {"no-target-directory", 'T'},
						   {"strip-trailing-slashes", CP_IGNORED},
						   {"suffix", 'S', OPTION_NEEDS},
						   {"target-directory", 't', OPTION_NEEDS},
						   {"update", 'u'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct cp cp = {
		.process = process, .moving = true, .recursive = true, .links_themselves = true};
	struct option_state state = {0};
	int option;

	preserve_words(&cp, "all", true);
	while ((option = option_next(process, &state, argc, argv, "bfint:uvS:TZ", words)) != -1)
		switch (option) {
		case 'b':
		case 'S':
			cp.backup = true;
			break;
		case 'f':
			cp.ask = cp.keep = false;
			break;
		case 'i':
			cp.ask = true;
			break;
		case 'n':
			cp.keep = true;
			break;
		case 't':
			cp.target = state.argument;
			break;
		case 'T':
			cp.flat = true;
			break;
		case 'u':
			cp.update = true;
			break;
		case 'v':
			cp.verbose = true;
			break;
		case 'Z':
		case CP_IGNORED:
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [-T] SOURCE DEST\n"
					  "  or:  mv [OPTION]... SOURCE... DIRECTORY\n"
					  "  or:  mv [OPTION]... -t DIRECTORY SOURCE...",
					  1);
		}
	return run(&cp, argc, argv, state.index);
}

/* --- install --- */

int files_install(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"directory", 'd'},
						   {"group", 'g', OPTION_NEEDS},
						   {"mode", 'm', OPTION_NEEDS},
						   {"owner", 'o', OPTION_NEEDS},
						   {"preserve-timestamps", 'p'},
						   {"target-directory", 't', OPTION_NEEDS},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct cp cp = {.process = process, .remove_first = true};
	struct option_state state = {0};
	unsigned mode = 0755, uid = ~0u, gid = ~0u, ignored;
	bool folders = false, leading = false;
	struct file_status status;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "bcCdDg:m:o:pst:Tv", words)) !=
	       -1)
		switch (option) {
		case 'd':
			folders = true;
			break;
		case 'D':
			leading = true;
			break;
		case 'm':
			if (files_parse_mode(state.argument, 0, false, 0, &mode) < 0) {
				process_complain(process, "invalid mode %s",
						 files_quote(process, state.argument));
				return 1;
			}
			break;
		case 'o':
			if (command_user_id(process, state.argument, &uid, &ignored) < 0) {
				process_complain(process, "invalid user %s",
						 files_quote(process, state.argument));
				return 1;
			}
			break;
		case 'g':
			if (command_group_id(process, state.argument, &gid) < 0) {
				process_complain(process, "invalid group %s",
						 files_quote(process, state.argument));
				return 1;
			}
			break;
		case 'p':
			cp.times = true;
			break;
		case 't':
			cp.target = state.argument;
			break;
		case 'T':
			cp.flat = true;
			break;
		case 'v':
			cp.verbose = true;
			break;
		case 'b':
		case 'c':
		case 'C':
		case 's':
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [-T] SOURCE DEST", 1);
		}
	for (int i = state.index; folders && i < argc; i++) {
		char *path = process_copy_text(process, argv[i]);

		for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
			*slash = '\0';
			(void)process_make_folder(process, path, 0755);
			*slash = '/';
		}
		(void)process_make_folder(process, path, 0755);
		if (process_change_mode(process, path, mode) < 0)
			result = 1;
		if (uid != ~0u || gid != ~0u)
			(void)process_change_owner(process, path, true, uid, gid);
	}
	if (folders)
		return result;
	if (leading && argc - state.index == 2) {
		char *path = process_copy_text(process, argv[argc - 1]);

		for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
			*slash = '\0';
			(void)process_make_folder(process, path, 0755);
			*slash = '/';
		}
	}
	result = run(&cp, argc, argv, state.index);
	for (int i = state.index; result == 0 && i < argc - (cp.target ? 0 : 1); i++) {
		const char *to = cp.target ? cp.target : argv[argc - 1];

		if (process_stat(process, to, true, &status) == 0 && S_ISDIR(status.mode))
			to = files_join(process, to, files_last(process, argv[i]));
		(void)process_change_mode(process, to, mode);
		if (uid != ~0u || gid != ~0u)
			(void)process_change_owner(process, to, true, uid, gid);
	}
	return result;
}
