/* chmod, chown, chgrp, chattr, lsattr. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_change.h"
#include "decoy/machine/process_state.h"

enum { MODE_REFERENCE = TEXT_OWN, MODE_PRESERVE, MODE_NO_PRESERVE, MODE_FROM, MODE_DEREFERENCE };

struct change_run {
	struct process *process;
	const char *mode;
	unsigned uid, gid, reference;
	bool recursive, verbose, changes, quiet, itself, groups;
	const char *owner_words;
	int status;
};

/* --- chmod --- */

static void tell_mode(struct change_run *run, const char *path, unsigned before, unsigned after)
{
	char old[11], new[11];

	files_mode_text(before, old);
	files_mode_text(after, new);
	if ((before ^ after) & 07777)
		process_print(run->process, "mode of %s changed from %04o (%s) to %04o (%s)\n",
			      files_quote(run->process, path), before & 07777, old + 1,
			      after & 07777, new + 1);
	else if (run->verbose)
		process_print(run->process, "mode of %s retained as %04o (%s)\n",
			      files_quote(run->process, path), before & 07777, old + 1);
}

static void failed(struct change_run *run, const char *path, const char *doing, int error)
{
	run->status = 1;
	if (run->quiet)
		return;
	if (run->process->busybox)
		process_complain(run->process, "%s: %s", path, strerror(-error));
	else
		process_complain(run->process, "%s %s: %s", doing, files_quote(run->process, path),
				 strerror(-error));
}

static void chmod_path(struct change_run *run, const char *path, unsigned depth)
{
	struct process *process = run->process;
	struct folder_entry *entries;
	struct file_status status;
	unsigned mode;
	ssize_t count;
	int error = process_stat(process, path, depth == 0, &status);

	process_step(process);
	if (error == -ENOENT && depth == 0 && process_stat(process, path, false, &status) == 0) {
		process_complain(process, "cannot operate on dangling symlink %s",
				 files_quote(process, path));
		run->status = 1;
		return;
	}
	if (error < 0) {
		failed(run, path, "cannot access", error);
		return;
	}
	if (S_ISLNK(status.mode))
		return; /* met on the way down */
	mode = run->reference;
	if (run->mode)
		(void)!files_parse_mode(run->mode, status.mode & 07777, S_ISDIR(status.mode),
					process->umask, &mode);
	error = process_change_mode(process, path, mode);
	if (error < 0)
		failed(run, path, "changing permissions of", error);
	else if (run->verbose || run->changes)
		tell_mode(run, path, status.mode, (status.mode & S_IFMT) | mode);
	if (!run->recursive || !S_ISDIR(status.mode) || depth >= FILES_DEPTH_MAX)
		return;
	count = files_list(process, path, &entries);
	if (count < 0) {
		failed(run, path, "cannot read directory", (int)count);
		return;
	}
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);

		chmod_path(run, below, depth + 1);
		process_give(process, below);
	}
	files_list_free(process, entries, count);
}

/* "-x" and its like are modes, not options: they are taken out, behind "--" in meaning. */
static const char *take_mode_option(int *argc, char **argv)
{
	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		const char *mode = argv[i];

		if (mode[0] != '-' || !mode[1] || !strchr("rwxXstugo", mode[1]) ||
		    mode[1 + strspn(mode + 1, "rwxXstugoa,+-=")])
			continue;
		for (int k = i; k < *argc; k++)
			argv[k] = argv[k + 1];
		(*argc)--;
		return mode;
	}
	return NULL;
}

int files_chmod(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"changes", 'c'},
						   {"no-preserve-root", MODE_NO_PRESERVE},
						   {"preserve-root", MODE_PRESERVE},
						   {"quiet", 'f'},
						   {"recursive", 'R'},
						   {"reference", MODE_REFERENCE, OPTION_NEEDS},
						   {"silent", 'f'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct change_run run = {.process = process};
	struct option_state state = {0};
	struct file_status status;
	const char *reference = NULL;
	unsigned mode;
	int option, error;

	argv = memcpy(process_take(process, ((size_t)argc + 1) * sizeof(*argv)), argv,
		      ((size_t)argc + 1) * sizeof(*argv));
	run.mode = take_mode_option(&argc, argv);
	while ((option = option_next(process, &state, argc, argv, "Rcfv", words)) != -1)
		switch (option) {
		case 'R':
			run.recursive = true;
			break;
		case 'c':
			run.changes = true;
			break;
		case 'f':
			run.quiet = true;
			break;
		case 'v':
			run.verbose = true;
			break;
		case MODE_REFERENCE:
			reference = state.argument;
			break;
		case MODE_PRESERVE:
		case MODE_NO_PRESERVE:
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... MODE[,MODE]... FILE...\n"
					  "  or:  chmod [OPTION]... OCTAL-MODE FILE...\n"
					  "  or:  chmod [OPTION]... --reference=RFILE FILE...",
					  1);
		}
	if (reference) {
		error = process_stat(process, reference, true, &status);
		if (error < 0) {
			process_complain(process, "failed to get attributes of %s: %s",
					 files_quote(process, reference), strerror(-error));
			return 1;
		}
		run.reference = status.mode & 07777;
		run.mode = NULL;
	} else if (!run.mode && state.index < argc) {
		run.mode = argv[state.index++];
	}
	if (state.index >= argc) {
		if (process->busybox)
			text_try_help(process, 1);
		if (!run.mode || argc == 1)
			process_complain(process, "missing operand");
		else
			process_complain(process, "missing operand after %s",
					 files_quote(process, run.mode));
		text_try_help(process, 1);
	}
	if (run.mode && files_parse_mode(run.mode, 0, false, 0, &mode) < 0) {
		if (process->busybox) {
			process_complain(process, "invalid mode '%s'", run.mode);
			return 1;
		}
		process_complain(process, "invalid mode: %s", files_quote(process, run.mode));
		text_try_help(process, 1);
	}
	for (int i = state.index; i < argc; i++)
		chmod_path(&run, argv[i], 0);
	return run.status;
}

/* --- chown, chgrp --- */

static void tell_owner(struct change_run *run, const char *path, const struct file_status *status,
		       bool changed)
{
	struct process *process = run->process;
	const char *old =
		run->groups
			? command_group_name(process, status->gid)
			: process_format(
				  process, "%s%s%s", command_user_name(process, status->uid),
				  run->gid == ~0u ? "" : ":",
				  run->gid == ~0u ? "" : command_group_name(process, status->gid));
	const char *what = run->groups ? "group" : "ownership";

	if (changed)
		process_print(process, "changed %s of %s from %s to %s\n", what,
			      files_quote(process, path), old, run->owner_words);
	else if (run->verbose)
		process_print(process, "%s of %s retained as %s\n", what,
			      files_quote(process, path), old);
}

static void chown_path(struct change_run *run, const char *path, unsigned depth)
{
	struct process *process = run->process;
	struct folder_entry *entries;
	struct file_status status;
	ssize_t count;
	bool follow = !run->itself && depth == 0 && !run->recursive;
	int error = process_stat(process, path, follow, &status);

	process_step(process);
	if (error < 0) {
		failed(run, path,
		       error == -ENOENT && process_stat(process, path, false, &status) == 0
			       ? "cannot dereference"
			       : "cannot access",
		       error);
		return;
	}
	if (run->recursive && S_ISDIR(status.mode) && depth < FILES_DEPTH_MAX) {
		count = files_list(process, path, &entries);
		if (count < 0)
			failed(run, path, "cannot read directory", (int)count);
		for (ssize_t i = 0; i < count; i++) {
			char *below = files_join(process, path, entries[i].name);

			chown_path(run, below, depth + 1);
			process_give(process, below);
		}
		if (count >= 0)
			files_list_free(process, entries, count);
	}
	error = process_change_owner(process, path, follow, run->uid, run->gid);
	if (error < 0)
		failed(run, path, run->groups ? "changing group of" : "changing ownership of",
		       error);
	else if (run->verbose || run->changes)
		tell_owner(run, path, &status,
			   (run->uid != ~0u && run->uid != status.uid) ||
				   (run->gid != ~0u && run->gid != status.gid));
}

static int parse_owner(struct change_run *run, const char *words)
{
	struct process *process = run->process;
	char *copy = process_copy_text(process, words);
	char *colon = run->groups ? copy : strchr(copy, ':');
	unsigned login_group = ~0u;

	run->owner_words = words;
	if (!colon && !run->groups && (colon = strchr(copy, '.')) != NULL &&
	    command_user_id(process, copy, &run->uid, &login_group) == 0)
		return 0;
	if (colon && !run->groups)
		*colon++ = '\0';
	if (!run->groups && *copy && command_user_id(process, copy, &run->uid, &login_group) < 0) {
		if (process->busybox)
			process_complain(process, "unknown user %s", copy);
		else
			process_complain(process, "invalid user: %s", files_quote(process, words));
		return -1;
	}
	if (colon && !*colon && *copy && !run->groups)
		run->gid = login_group;
	else if (colon && *colon && command_group_id(process, colon, &run->gid) < 0) {
		if (process->busybox)
			process_complain(process, "unknown group %s", colon);
		else
			process_complain(process, "invalid group: %s", files_quote(process, words));
		return -1;
	}
	return 0;
}

int files_chown(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"changes", 'c'},
						   {"dereference", MODE_DEREFERENCE},
						   {"from", MODE_FROM, OPTION_NEEDS},
						   {"no-dereference", 'h'},
						   {"no-preserve-root", MODE_NO_PRESERVE},
						   {"preserve-root", MODE_PRESERVE},
						   {"quiet", 'f'},
						   {"recursive", 'R'},
						   {"reference", MODE_REFERENCE, OPTION_NEEDS},
						   {"silent", 'f'},
						   {"verbose", 'v'},
						   TEXT_WORDS};
	struct change_run run = {.process = process, .uid = ~0u, .gid = ~0u};
	struct option_state state = {0};
	struct file_status status;
	const char *reference = NULL;
	int option, error;

	run.groups = !strcmp(files_own_name(process), "chgrp");
	while ((option = option_next(process, &state, argc, argv, "RcfhvHLP", words)) != -1)
		switch (option) {
		case 'R':
			run.recursive = true;
			break;
		case 'c':
			run.changes = true;
			break;
		case 'f':
			run.quiet = true;
			break;
		case 'h':
			run.itself = true;
			break;
		case 'v':
			run.verbose = true;
			break;
		case MODE_REFERENCE:
			reference = state.argument;
			break;
		case 'H':
		case 'L':
		case 'P':
		case MODE_PRESERVE:
		case MODE_NO_PRESERVE:
		case MODE_FROM:
		case MODE_DEREFERENCE:
			break;
		default:
			text_other_option(process, option, COREUTILS,
					  run.groups ? "[OPTION]... GROUP FILE..."
						     : "[OPTION]... [OWNER][:[GROUP]] FILE...",
					  1);
		}
	if (argc - state.index < (reference ? 1 : 2)) {
		if (process->busybox)
			text_try_help(process, 1);
		if (argc == state.index)
			process_complain(process, "missing operand");
		else
			process_complain(process, "missing operand after %s",
					 files_quote(process, argv[argc - 1]));
		text_try_help(process, 1);
	}
	if (reference) {
		error = process_stat(process, reference, true, &status);
		if (error < 0) {
			process_complain(process, "failed to get attributes of %s: %s",
					 files_quote(process, reference), strerror(-error));
			return 1;
		}
		run.uid = run.groups ? ~0u : status.uid;
		run.gid = status.gid;
		run.owner_words = command_user_name(process, status.uid);
	} else if (parse_owner(&run, argv[state.index++]) < 0) {
		return 1;
	}
	for (int i = state.index; i < argc; i++)
		chown_path(&run, argv[i], 0);
	return run.status;
}

/* --- chattr, lsattr --- */

static const struct {
	char letter;
	unsigned bit;
} attribute_letters[] = {{'i', FILE_IMMUTABLE},
			 {'a', FILE_APPEND_ONLY},
			 {'d', FILE_NO_DUMP},
			 {'A', FILE_NO_ATIME},
			 {'S', FILE_SYNC}};

static int find_node(struct process *process, const char *path, struct file_access *access,
		     node_number *node)
{
	struct process_entry *entry = entry_of(process);
	int error = 0;

	*access = process_file_access(entry);
	*node = file_system_walk(access, entry->folder, path, true, &error);
	return *node ? 0 : error;
}

static int chattr_path(struct process *process, const char *path, char sign, unsigned bits,
		       bool recursive, bool quiet, unsigned depth)
{
	struct file_access access;
	struct folder_entry *entries;
	struct file_status status;
	node_number node;
	unsigned before = 0;
	ssize_t count;
	int error = find_node(process, path, &access, &node), result = 0;

	process_step(process);
	if (error < 0) {
		if (!quiet)
			process_error(process, "%s: %s while trying to stat %s\n", process->argv[0],
				      strerror(-error), path);
		return 1;
	}
	(void)file_system_status(&access, node, &status);
	if (!S_ISREG(status.mode) && !S_ISDIR(status.mode))
		error = -EOPNOTSUPP;
	if (!error)
		error = file_system_attributes(&access, node, &before);
	if (error < 0) {
		if (!quiet)
			process_error(process, "%s: %s while reading flags on %s\n",
				      process->argv[0], strerror(-error), path);
		return 1;
	}
	error = file_system_change_attributes(&access, node,
					      sign == '+'   ? before | bits
					      : sign == '-' ? before & ~bits
							    : bits);
	if (error < 0) {
		if (!quiet)
			process_error(process, "%s: %s while setting flags on %s\n",
				      process->argv[0], strerror(-error), path);
		result = 1;
	}
	if (!recursive || !S_ISDIR(status.mode) || depth >= FILES_DEPTH_MAX)
		return result;
	count = files_list(process, path, &entries);
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);

		result |= chattr_path(process, below, sign, bits, recursive, quiet, depth + 1);
		process_give(process, below);
	}
	if (count >= 0)
		files_list_free(process, entries, count);
	return result;
}

_Noreturn static void chattr_usage(struct process *process)
{
	process_error(process,
		      "Usage: %s [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] "
		      "files...\n",
		      process->argv[0]);
	process_exit(process, 1);
}

int files_chattr(struct process *process, int argc, char **argv)
{
	bool recursive = false, quiet = false;
	unsigned bits = 0;
	char sign = 0;
	int i = 1, result = 0;

	for (; i < argc && strchr("+-=", argv[i][0]) && argv[i][0] && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		for (const char *at = argv[i] + 1; *at; at++) {
			bool known = false;

			for (size_t k = 0; k < ARRAY_COUNT(attribute_letters); k++)
				if (*at == attribute_letters[k].letter) {
					bits |= attribute_letters[k].bit;
					sign = argv[i][0];
					known = true;
				}
			if (argv[i][0] == '-' && strchr("RVf", *at)) {
				recursive |= *at == 'R';
				quiet |= *at == 'f';
			} else if (!known && !strchr("cCDejPstTuFxm", *at)) {
				chattr_usage(process);
			} else if (!known) {
				sign = argv[i][0];
			}
		}
	}
	if (i >= argc)
		chattr_usage(process);
	if (!sign) {
		process_error(process, "Must use '-v', =, - or +\n");
		return 1;
	}
	for (; i < argc; i++)
		result |= chattr_path(process, argv[i], sign, bits, recursive, quiet, 0);
	return result;
}

static int lsattr_show(struct process *process, const char *path)
{
	static const char places[] = "suSDiadAcjItTeCxFNPVm";
	char text[] = "----------------------";
	struct file_access access;
	node_number node;
	unsigned bits;
	int error = find_node(process, path, &access, &node);

	process_step(process);
	if (!error)
		error = file_system_attributes(&access, node, &bits);
	if (error < 0) {
		process_error(process, "%s: %s While reading flags on %s\n", process->argv[0],
			      strerror(error == -ENOTTY ? ENOTTY : -error), path);
		return 1;
	}
	for (size_t k = 0; k < ARRAY_COUNT(attribute_letters); k++)
		if (bits & attribute_letters[k].bit)
			text[strchr(places, attribute_letters[k].letter) - places] =
				attribute_letters[k].letter;
	text[strchr(places, 'e') - places] = 'e';
	process_print(process, "%s %s\n", text, path);
	return 0;
}

static int lsattr_folder(struct process *process, const char *path, bool all, bool recursive,
			 unsigned depth)
{
	struct folder_entry *entries;
	ssize_t count = process_list(process, path, &entries);
	int result = 0;

	if (count < 0) {
		process_error(process, "%s: %s while reading directory %s\n", process->argv[0],
			      strerror((int)-count), path);
		return 1;
	}
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);
		struct file_status status;
		bool dots = !strcmp(entries[i].name, ".") || !strcmp(entries[i].name, "..");

		if ((all || entries[i].name[0] != '.') &&
		    process_stat(process, below, false, &status) == 0 &&
		    (S_ISREG(status.mode) || S_ISDIR(status.mode))) {
			result |= lsattr_show(process, below);
			if (recursive && S_ISDIR(status.mode) && !dots && depth < FILES_DEPTH_MAX) {
				process_print(process, "\n%s:\n", below);
				result |= lsattr_folder(process, below, all, true, depth + 1);
				process_put_byte(process, '\n');
			}
		}
		process_give(process, below);
	}
	files_list_free(process, entries, count);
	return result;
}

int files_lsattr(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	bool all = false, itself = false, recursive = false;
	struct file_status status;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "RVadlvp", NULL)) != -1)
		switch (option) {
		case 'a':
			all = true;
			break;
		case 'd':
			itself = true;
			break;
		case 'R':
			recursive = true;
			break;
		case '?':
			process_error(process, "Usage: %s [-RVadlpv] [files...]\n", argv[0]);
			return 1;
		default:
			break;
		}
	if (state.index >= argc)
		return lsattr_folder(process, ".", all, recursive, 0);
	for (int i = state.index; i < argc; i++) {
		int error = process_stat(process, argv[i], false, &status);

		if (error < 0) {
			process_error(process, "%s: %s while trying to stat %s\n", argv[0],
				      strerror(-error), argv[i]);
			result = 1;
		} else if (S_ISDIR(status.mode) && !itself) {
			result |= lsattr_folder(process, argv[i], all, recursive, 0);
		} else {
			result |= lsattr_show(process, argv[i]);
		}
	}
	return result;
}
