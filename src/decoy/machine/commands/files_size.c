/* du, tree. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_change.h"

enum {
	DU_EXCLUDE = TEXT_OWN,
	DU_APPARENT,
	DU_SI,
	DU_MAX,
	DU_TIME,
	DU_FILES,
	DU_INODES,
	DU_BLOCK,
	TREE_NO_REPORT,
	TREE_DIRS_FIRST
};

/* --- du --- */

struct du {
	struct process *process;
	bool all, summary, human, apparent, total, separate, one_system, zero, follow, inodes;
	uint64_t unit;
	unsigned depth_max, mount;
	const char *exclude;
	uint64_t grand;
	int status;
	/* Files with more than one name count once: numbers of those that were met. */
	uint64_t *met;
	size_t met_count, met_room;
};

static bool met_before(struct du *du, const struct file_status *status)
{
	if (status->links < 2 || S_ISDIR(status->mode))
		return false;
	for (size_t i = 0; i < du->met_count; i++)
		if (du->met[i] == status->inode)
			return true;
	if (du->met_count == du->met_room && du->met_room < 65536) {
		du->met_room = du->met_room ? du->met_room * 2 : 64;
		du->met = process_retake(du->process, du->met, du->met_room * sizeof(*du->met));
	}
	if (du->met_count < du->met_room)
		du->met[du->met_count++] = status->inode;
	return false;
}

static void du_show(struct du *du, uint64_t bytes, const char *path)
{
	char text[24];

	if (du->inodes)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	else if (du->human)
		files_human_size(bytes, text);
	else
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)((bytes + du->unit - 1) / du->unit));
	process_print(du->process, "%s\t%s%c", text, path, du->zero ? '\0' : '\n');
}

static uint64_t du_path(struct du *du, const char *path, unsigned depth)
{
	struct process *process = du->process;
	struct folder_entry *entries;
	struct file_status status;
	uint64_t bytes, below_bytes = 0;
	ssize_t count;
	int error = process_stat(process, path, du->follow, &status);

	process_step(process);
	if (error < 0) {
		if (process->busybox)
			process_complain(process, "%s: %s", path, strerror(-error));
		else
			files_complain(process, "cannot access", path, error);
		du->status = 1;
		return 0;
	}
	if (depth == 0)
		du->mount = status.mount;
	else if (du->one_system && status.mount != du->mount)
		return 0;
	if (du->exclude &&
	    (text_glob(du->exclude, path) || text_glob(du->exclude, files_last(process, path))))
		return 0;
	if (met_before(du, &status))
		return 0;
	bytes = du->inodes ? 1 : du->apparent ? status.size : status.blocks * 512;
	if (S_ISDIR(status.mode) && depth < FILES_DEPTH_MAX) {
		count = files_list(process, path, &entries);
		if (count < 0) {
			process_complain(process, "cannot read directory %s: %s",
					 files_quote(process, path), strerror((int)-count));
			du->status = 1;
			count = 0;
			entries = NULL;
		}
		for (ssize_t i = 0; i < count; i++) {
			char *below = files_join(process, path, entries[i].name);

			if (du->separate && entries[i].type == S_IFDIR)
				(void)du_path(du, below, depth + 1);
			else
				below_bytes += du_path(du, below, depth + 1);
			process_give(process, below);
		}
		files_list_free(process, entries, count);
		bytes += below_bytes;
		if (depth <= du->depth_max)
			du_show(du, bytes, path);
	} else if (depth == 0 || (du->all && depth <= du->depth_max)) {
		du_show(du, bytes, path);
	}
	return bytes;
}

int files_du(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"apparent-size", DU_APPARENT},
						   {"block-size", DU_BLOCK, OPTION_NEEDS},
						   {"bytes", 'b'},
						   {"dereference", 'L'},
						   {"exclude", DU_EXCLUDE, OPTION_NEEDS},
						   {"human-readable", 'h'},
						   {"inodes", DU_INODES},
						   {"max-depth", 'd', OPTION_NEEDS},
						   {"null", '0'},
						   {"one-file-system", 'x'},
						   {"separate-dirs", 'S'},
						   {"si", DU_SI},
						   {"summarize", 's'},
						   {"time", DU_TIME, OPTION_MAY},
						   {"total", 'c'},
						   TEXT_WORDS};
	struct du du = {.process = process, .unit = 1024, .depth_max = 1u << 20};
	struct option_state state = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv,
				     "0abcd:DhHklLmPsSt:xX:B:", words)) != -1)
		switch (option) {
		case '0':
			du.zero = true;
			break;
		case 'a':
			du.all = true;
			break;
		case 'b':
			du.apparent = true;
			du.unit = 1;
			break;
		case 'c':
			du.total = true;
			break;
		case 'd':
			du.depth_max = (unsigned)strtoul(state.argument, NULL, 10);
			if (strspn(state.argument, "0123456789") != strlen(state.argument) ||
			    !*state.argument) {
				process_complain(process, "invalid maximum depth %s",
						 files_quote(process, state.argument));
				text_try_help(process, 1);
			}
			break;
		case 'h':
		case DU_SI:
			du.human = true;
			break;
		case 'k':
			du.unit = 1024;
			du.human = false;
			break;
		case 'm':
			du.unit = 1024 * 1024;
			break;
		case 'L':
			du.follow = true;
			break;
		case 's':
			du.summary = true;
			du.depth_max = 0;
			break;
		case 'S':
			du.separate = true;
			break;
		case 'x':
			du.one_system = true;
			break;
		case DU_APPARENT:
			du.apparent = true;
			break;
		case DU_EXCLUDE:
			du.exclude = state.argument;
			break;
		case DU_INODES:
			du.inodes = true;
			break;
		case 'B':
		case DU_BLOCK:
			if (command_size(state.argument, &du.unit) < 0 || !du.unit)
				du.unit = *state.argument == 'M'   ? 1024 * 1024
					  : *state.argument == 'G' ? 1024 * 1024 * 1024
								   : 1024;
			break;
		case 'D':
		case 'H':
		case 'l':
		case 'P':
		case 't':
		case 'X':
		case DU_TIME:
			break;
		default:
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... [FILE]...\n  or:  du [OPTION]... --files0-from=F", 1);
		}
	if (du.summary && du.all) {
		process_complain(process, "cannot both summarize and show all entries");
		text_try_help(process, 1);
	}
	if (state.index >= argc)
		du.grand = du_path(&du, ".", 0);
	for (int i = state.index; i < argc; i++)
		du.grand += du_path(&du, argv[i], 0);
	if (du.total)
		du_show(&du, du.grand, "total");
	return du.status;
}

/* --- tree --- */

struct tree {
	struct process *process;
	bool all, folders_only, full, no_report, sizes, human, modes;
	unsigned depth_max;
	unsigned long folders, files;
};

static int by_name(const void *a, const void *b)
{
	const struct folder_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void tree_folder(struct tree *tree, const char *path, const char *before, unsigned depth)
{
	struct process *process = tree->process;
	struct folder_entry *entries;
	ssize_t count = files_list(process, path, &entries), shown = 0;

	if (count < 0 || depth >= FILES_DEPTH_MAX) {
		process_put_text(process, "  [error opening dir]\n");
		return;
	}
	if (depth)
		process_put_byte(process, '\n');
	qsort(entries, (size_t)count, sizeof(*entries), by_name);
	for (ssize_t i = 0; i < count; i++)
		if ((tree->all || entries[i].name[0] != '.') &&
		    (!tree->folders_only || entries[i].type == S_IFDIR))
			shown++;
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name), *inner;
		bool folder = entries[i].type == S_IFDIR;
		char *target;
		int error;

		process_step(process);
		if ((!tree->all && entries[i].name[0] == '.') || (tree->folders_only && !folder)) {
			process_give(process, below);
			continue;
		}
		shown--;
		process_print(process, "%s%s", before, shown ? "|-- " : "`-- ");
		process_put_text(process, tree->full ? below : entries[i].name);
		if (entries[i].type == S_IFLNK && (target = files_target(process, below, &error))) {
			process_print(process, " -> %s", target);
			process_give(process, target);
		}
		if (folder)
			tree->folders++;
		else
			tree->files++;
		inner = process_format(process, "%s%s", before, shown ? "|   " : "    ");
		if (folder && depth + 1 < tree->depth_max && strlen(inner) < 2048)
			tree_folder(tree, below, inner, depth + 1);
		else
			process_put_byte(process, '\n');
		process_give(process, inner);
		process_give(process, below);
	}
	files_list_free(process, entries, count);
}

int files_tree(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"noreport", TREE_NO_REPORT}, {"dirsfirst", TREE_DIRS_FIRST}, TEXT_WORDS};
	struct tree tree = {.process = process, .depth_max = 1u << 20};
	struct option_state state = {0};
	struct file_status status;
	int option, result = 0;

	while ((option = option_next(process, &state, argc, argv, "aAcCdDfFghilL:nNpqrstuUx",
				     words)) != -1)
		switch (option) {
		case 'a':
			tree.all = true;
			break;
		case 'd':
			tree.folders_only = true;
			break;
		case 'f':
			tree.full = true;
			break;
		case 'L':
			tree.depth_max = (unsigned)strtoul(state.argument, NULL, 10);
			if (!tree.depth_max) {
				process_error(process,
					      "tree: Invalid level, must be greater than 0.\n");
				return 1;
			}
			break;
		case TREE_NO_REPORT:
			tree.no_report = true;
			break;
		case '?':
		case TEXT_HELP:
		case TEXT_VERSION:
			text_other_option(
				process, option,
				"v2.1.0 © 1996 - 2022 by Steve Baker, Thomas Moore, Francesc "
				"Rocher, Florian Sesser, Kyosuke Tokoro",
				"[-acdfghilnpqrstuvxACDFJQNSUX] [<directory list>]", 1);
		default:
			break;
		}
	for (int i = state.index; i < argc || i == state.index; i++) {
		const char *path = i < argc ? argv[i] : ".";

		process_put_text(process, path);
		if (process_stat(process, path, true, &status) < 0 || !S_ISDIR(status.mode)) {
			process_put_text(process, "  [error opening dir]\n");
			result = 2;
			continue;
		}
		process_put_byte(process, '\n');
		tree.folders++;
		tree_folder(&tree, path, "", 0);
	}
	if (!tree.no_report)
		process_print(process, "\n%lu director%s", tree.folders,
			      tree.folders == 1 ? "y" : "ies");
	if (!tree.no_report && !tree.folders_only)
		process_print(process, ", %lu file%s", tree.files, tree.files == 1 ? "" : "s");
	if (!tree.no_report)
		process_put_byte(process, '\n');
	return result;
}
