/* find: going through the tree. */
#include <stdlib.h>

#include "decoy/machine/commands/files_find.h"

static void visit(struct find *find, char *path, const char *start, unsigned depth);

static void complain(struct find *find, const char *path, int error)
{
	if (find->process->busybox)
		process_complain(find->process, "%s: %s", path, strerror(-error));
	else
		process_complain(find->process, "%s: %s", files_quote(find->process, path),
				 strerror(-error));
	find->status = 1;
}

static void visit_folder(struct find *find, const char *path, const char *start, unsigned depth)
{
	struct process *process = find->process;
	struct folder_entry *entries;
	ssize_t count = files_list(process, path, &entries);

	if (count < 0) {
		complain(find, path, (int)count);
		return;
	}
	for (ssize_t i = 0; i < count && !find->quit; i++) {
		char *below = files_join(process, path, entries[i].name);

		visit(find, below, start, depth + 1);
		process_give(process, below);
	}
	files_list_free(process, entries, count);
}

static const char *name_of(struct process *process, const char *path, unsigned depth)
{
	const char *slash = strrchr(path, '/');

	if (depth == 0)
		return files_last(process, path);
	return slash ? slash + 1 : path;
}

static void visit(struct find *find, char *path, const char *start, unsigned depth)
{
	struct find_file file = {.path = path, .start = start, .depth = depth};
	bool follow = find->follow || (depth == 0 && find->follow_operands);
	bool folder;
	int error = process_stat(find->process, path, follow, &file.status);

	process_step(find->process);
	if (error == -ENOENT && follow)
		error = process_stat(find->process, path, false, &file.status);
	if (error < 0) {
		complain(find, path, error);
		return;
	}
	file.name = name_of(find->process, path, depth);
	file.names = (unsigned)strlen(start);
	if (depth == 0)
		find->mount = file.status.mount;
	folder = S_ISDIR(file.status.mode) && depth < find->most && depth < FILES_DEPTH_MAX &&
		 !(find->one_system && file.status.mount != find->mount);
	if (find->depth_first && folder)
		visit_folder(find, path, start, depth);
	find->prune = false;
	if (depth >= find->least && !find->quit)
		(void)find->expression->run(find, find->expression, &file);
	if (!find->depth_first && folder && !find->prune && !find->quit)
		visit_folder(find, path, start, depth);
}

int files_find(struct process *process, int argc, char **argv)
{
	struct find find = {
		.process = process, .argv = argv, .argc = argc, .at = 1, .most = 1u << 20};
	int first, last;

	find.now = process_now(process);
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-version"))) {
		process_put_text(process, "find (GNU findutils) 4.9.0\n");
		return 0;
	}
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-help"))) {
		process_print(process,
			      "Usage: %s [-H] [-L] [-P] [-Olevel] [-D debugopts] [path...] "
			      "[expression]\n",
			      argv[0]);
		return 0;
	}
	for (; find.at < argc; find.at++) {
		if (!strcmp(argv[find.at], "-L"))
			find.follow = true;
		else if (!strcmp(argv[find.at], "-H"))
			find.follow_operands = true;
		else if (!strcmp(argv[find.at], "-D") && find.at + 1 < argc)
			find.at++;
		else if (strcmp(argv[find.at], "-P") != 0 && strncmp(argv[find.at], "-O", 2) != 0)
			break;
	}
	first = find.at;
	while (find.at < argc && argv[find.at][0] != '-' && strcmp(argv[find.at], "(") != 0 &&
	       strcmp(argv[find.at], "!") != 0 && strcmp(argv[find.at], ")") != 0 &&
	       strcmp(argv[find.at], ",") != 0)
		find.at++;
	last = find.at;
	find.expression = find_parse(&find);
	if (first == last)
		visit(&find, process_copy_text(process, "."), ".", 0);
	for (int i = first; i < last && !find.quit; i++)
		visit(&find, argv[i], argv[i], 0);
	for (size_t i = 0; i < find.batch_count; i++)
		find_run_batch(&find, find.batches[i]);
	return find.status;
}
