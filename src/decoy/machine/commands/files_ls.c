/* ls, dir, vdir: options, sorting, folders. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_ls.h"
#include "decoy/machine/terminal.h"

enum {
	LS_COLOR = TEXT_OWN,
	LS_FULL_TIME,
	LS_TIME_STYLE,
	LS_FOLDERS_FIRST,
	LS_FORMAT,
	LS_SORT,
	LS_TIME_WORD,
	LS_SI,
	LS_QUOTING,
	LS_AUTHOR,
	LS_FILE_TYPE,
	LS_IGNORED,
	LS_BLOCK_SIZE,
	LS_SHOW_CONTROLS,
	LS_HIDE,
	LS_ZERO,
};

/* --- sorting --- */

static int compare_versions(const char *a, const char *b)
{
	while (*a && *b) {
		if (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9') {
			char *end_a, *end_b;
			unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);

			if (x != y)
				return x < y ? -1 : 1;
			a = end_a;
			b = end_b;
			continue;
		}
		if (*a != *b)
			break;
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static const char *extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot : "";
}

static bool is_folder_entry(const struct ls_entry *entry)
{
	return S_ISDIR(entry->status.mode) ||
	       (S_ISLNK(entry->status.mode) && S_ISDIR(entry->target_mode));
}

static int compare(const void *left, const void *right, void *context)
{
	const struct ls *ls = context;
	const struct ls_entry *a = left, *b = right;
	int order = 0;

	if (ls->folders_first && is_folder_entry(a) != is_folder_entry(b))
		return is_folder_entry(a) ? -1 : 1;
	switch (ls->sort) {
	case LS_TIME:
		order = ls_time_of(ls, a) > ls_time_of(ls, b)
				? -1
				: ls_time_of(ls, a) < ls_time_of(ls, b);
		break;
	case LS_SIZE:
		order = a->status.size > b->status.size ? -1 : a->status.size < b->status.size;
		break;
	case LS_EXTENSION:
		order = strcmp(extension(a->name), extension(b->name));
		break;
	case LS_VERSION:
		order = compare_versions(a->name, b->name);
		break;
	default:
		break;
	}
	if (!order)
		order = strcmp(a->name, b->name);
	return ls->reverse ? -order : order;
}

static void sort_entries(struct ls *ls, struct ls_entry *entries, size_t count)
{
	if (ls->sort != LS_NOT)
		qsort_r(entries, count, sizeof(*entries), compare, ls);
	else if (ls->reverse)
		for (size_t i = 0; i < count / 2; i++) {
			struct ls_entry swap = entries[i];

			entries[i] = entries[count - 1 - i];
			entries[count - 1 - i] = swap;
		}
}

/* --- folders --- */

static void look_at(struct ls *ls, const char *path, struct ls_entry *entry)
{
	struct file_status status;
	int error;

	entry->shown = ls_shown_name(ls, entry->name);
	if (!S_ISLNK(entry->status.mode))
		return;
	if (process_stat(ls->process, path, true, &status) == 0)
		entry->target_mode = status.mode;
	entry->target = files_target(ls->process, path, &error);
}

static bool is_hidden(const struct ls *ls, const char *name)
{
	size_t length = strlen(name);

	if (ls->ignore && text_glob(ls->ignore, name))
		return true;
	if (ls->no_backups && length && name[length - 1] == '~')
		return true;
	if (name[0] != '.' || ls->all)
		return false;
	return !ls->almost_all || !strcmp(name, ".") || !strcmp(name, "..");
}

static void complain_of(struct ls *ls, const char *doing, const char *path, int error, bool serious)
{
	if (ls->process->busybox)
		process_complain(ls->process, "%s: %s", path, strerror(-error));
	else
		files_complain(ls->process, doing, path, error);
	if (serious)
		ls->status = ls->process->busybox ? 1 : 2;
	else if (!ls->status)
		ls->status = 1;
}

static void list_folder(struct ls *ls, const char *path, const char *shown, bool heading,
			bool named, unsigned depth)
{
	struct process *process = ls->process;
	struct folder_entry *names;
	ssize_t count = process_list(process, path, &names);
	struct ls_entry *entries;
	size_t kept = 0;
	uint64_t blocks = 0;

	if (count < 0) {
		complain_of(ls, "cannot open directory", shown, (int)count, named);
		return;
	}
	if (heading) {
		const char *quoted =
			ls->quoting == LS_SHELL ? files_quote_if_needed(process, shown) : shown;

		process_print(process, "%s%s:\n", ls->printed ? "\n" : "", quoted);
	}
	ls->printed = true;
	entries = process_take(process, ((size_t)count + 1) * sizeof(*entries));
	for (ssize_t i = 0; i < count; i++) {
		struct ls_entry *entry = &entries[kept];
		char *below;

		process_step(process);
		if (is_hidden(ls, names[i].name))
			continue;
		below = files_join(process, path, names[i].name);
		*entry = (struct ls_entry){.name = names[i].name};
		if (process_stat(process, below, ls->follow, &entry->status) < 0 &&
		    process_stat(process, below, false, &entry->status) < 0) {
			process_give(process, below);
			continue;
		}
		look_at(ls, below, entry);
		blocks += entry->status.blocks;
		kept++;
		process_give(process, below);
	}
	sort_entries(ls, entries, kept);
	if (ls->format == LS_LONG || ls->blocks) {
		char text[24];

		ls_block_text(ls, blocks, text);
		process_print(process, "total %s\n", text);
	}
	ls_put_entries(ls, entries, kept);
	for (size_t i = 0; ls->recursive && i < kept; i++) {
		if (!S_ISDIR(entries[i].status.mode) || !strcmp(entries[i].name, ".") ||
		    !strcmp(entries[i].name, ".."))
			continue;
		if (depth < FILES_DEPTH_MAX) {
			char *below = files_join(process, path, entries[i].name);

			list_folder(ls, below, below, true, false, depth + 1);
			process_give(process, below);
		}
	}
	for (size_t i = 0; i < kept; i++)
		process_give(process, entries[i].target);
	process_give(process, entries);
	files_list_free(process, names, count);
}

static void list_operands(struct ls *ls, char **names, int count)
{
	struct ls_entry *files, *folders;
	size_t file_count = 0, folder_count = 0;

	files = process_take(ls->process, ((size_t)count + 1) * sizeof(*files));
	folders = process_take(ls->process, ((size_t)count + 1) * sizeof(*folders));
	for (int i = 0; i < count; i++) {
		struct ls_entry entry = {.name = names[i]};
		/* A link on the command line is followed unless it is looked at itself. */
		bool follow = ls->follow || (ls->format != LS_LONG && !ls->folder_itself &&
					     ls->indicator != LS_CLASSIFY);
		int error = process_stat(ls->process, names[i], follow, &entry.status);

		process_step(ls->process);
		if (error == -ENOENT && follow && !ls->follow)
			error = process_stat(ls->process, names[i], false, &entry.status);
		if (error < 0) {
			complain_of(ls, "cannot access", names[i], error, true);
			continue;
		}
		/* Only to folders. */
		if (follow && !ls->follow && !S_ISDIR(entry.status.mode))
			(void)process_stat(ls->process, names[i], false, &entry.status);
		look_at(ls, names[i], &entry);
		if (S_ISDIR(entry.status.mode) && !ls->folder_itself)
			folders[folder_count++] = entry;
		else
			files[file_count++] = entry;
	}
	sort_entries(ls, files, file_count);
	sort_entries(ls, folders, folder_count);
	if (file_count) {
		ls_put_entries(ls, files, file_count);
		ls->printed = true;
	}
	for (size_t i = 0; i < folder_count; i++)
		list_folder(ls, folders[i].name, folders[i].name, count > 1 || ls->recursive, true,
			    0);
}

/* --- options --- */

static const struct option_word words[] = {{"all", 'a'},
					   {"almost-all", 'A'},
					   {"author", LS_AUTHOR},
					   {"block-size", LS_BLOCK_SIZE, OPTION_NEEDS},
					   {"classify", 'F', OPTION_MAY},
					   {"color", LS_COLOR, OPTION_MAY},
					   {"context", 'Z'},
					   {"dereference", 'L'},
					   {"dereference-command-line", 'H'},
					   {"directory", 'd'},
					   {"escape", 'b'},
					   {"file-type", LS_FILE_TYPE},
					   {"format", LS_FORMAT, OPTION_NEEDS},
					   {"full-time", LS_FULL_TIME},
					   {"group-directories-first", LS_FOLDERS_FIRST},
					   {"hide", LS_HIDE, OPTION_NEEDS},
					   {"hide-control-chars", 'q'},
					   {"human-readable", 'h'},
					   {"hyperlink", LS_IGNORED, OPTION_MAY},
					   {"ignore", 'I', OPTION_NEEDS},
					   {"ignore-backups", 'B'},
					   {"indicator-style", LS_IGNORED, OPTION_NEEDS},
					   {"inode", 'i'},
					   {"kibibytes", 'k'},
					   {"literal", 'N'},
					   {"no-group", 'G'},
					   {"numeric-uid-gid", 'n'},
					   {"quote-name", 'Q'},
					   {"quoting-style", LS_QUOTING, OPTION_NEEDS},
					   {"recursive", 'R'},
					   {"reverse", 'r'},
					   {"show-control-chars", LS_SHOW_CONTROLS},
					   {"si", LS_SI},
					   {"size", 's'},
					   {"sort", LS_SORT, OPTION_NEEDS},
					   {"tabsize", 'T', OPTION_NEEDS},
					   {"time", LS_TIME_WORD, OPTION_NEEDS},
					   {"time-style", LS_TIME_STYLE, OPTION_NEEDS},
					   {"width", 'w', OPTION_NEEDS},
					   {"zero", LS_ZERO},
					   TEXT_WORDS};

static void set_sort_word(struct ls *ls, const char *word)
{
	static const char *const names[] = {"name", "time", "size", "extension", "version", "none"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!strncmp(word, names[i], strlen(word)))
			ls->sort = (enum ls_sort)i;
}

static void take_word(struct ls *ls, int option, const char *argument)
{
	switch (option) {
	case LS_COLOR:
		ls->color = !argument || !strcmp(argument, "always") || !strcmp(argument, "yes") ||
			    (strcmp(argument, "never") && strcmp(argument, "no") &&
			     strcmp(argument, "none") && ls->terminal);
		break;
	case LS_FULL_TIME:
		ls->full_time = true;
		ls->format = LS_LONG;
		break;
	case LS_TIME_STYLE:
		ls->full_time = !strcmp(argument, "full-iso");
		ls->long_iso = !strcmp(argument, "long-iso");
		ls->iso = !strcmp(argument, "iso");
		break;
	case LS_FOLDERS_FIRST:
		ls->folders_first = true;
		break;
	case LS_SORT:
		set_sort_word(ls, argument);
		break;
	case LS_TIME_WORD:
		ls->time = argument[0] == 'a' || argument[0] == 'u'   ? LS_ACCESSED
			   : argument[0] == 'c' || argument[0] == 's' ? LS_CHANGED
			   : argument[0] == 'b'                       ? LS_BORN
								      : LS_MODIFIED;
		break;
	case LS_FORMAT:
		ls->format = argument[0] == 'l' || argument[0] == 'v'   ? LS_LONG
			     : argument[0] == 's'                       ? LS_ONE
			     : argument[0] == 'c' && argument[1] == 'o' ? LS_COMMAS
			     : argument[0] == 'a'                       ? LS_ACROSS
									: LS_COLUMNS;
		break;
	case LS_QUOTING:
		ls->quoting = !strncmp(argument, "shell", 5) ? LS_SHELL
			      : !strcmp(argument, "c")       ? LS_C
			      : !strcmp(argument, "escape")  ? LS_ESCAPE
							     : LS_LITERAL;
		break;
	case LS_FILE_TYPE:
		ls->indicator = LS_KINDS;
		break;
	case LS_BLOCK_SIZE:
		if (*argument && !(*argument >= '0' && *argument <= '9'))
			ls->unit_letter = *argument == 'k' ? 'K' : *argument;
		if (command_size(argument, &ls->unit) < 0 || !ls->unit)
			ls->unit = *argument == 'M'   ? 1024 * 1024
				   : *argument == 'G' ? 1024 * 1024 * 1024
						      : 1024;
		break;
	case LS_SHOW_CONTROLS:
		ls->hide_controls = false;
		break;
	case LS_HIDE:
		if (!ls->all && !ls->almost_all)
			ls->ignore = argument;
		break;
	default:
		break;
	}
}

static void take_letter(struct ls *ls, int option, const char *argument)
{
	switch (option) {
	case 'a':
		ls->all = true;
		break;
	case 'A':
		ls->almost_all = true;
		break;
	case 'b':
		ls->quoting = LS_ESCAPE;
		break;
	case 'B':
		ls->no_backups = true;
		break;
	case 'c':
		ls->time = LS_CHANGED;
		break;
	case 'C':
		ls->format = LS_COLUMNS;
		break;
	case 'd':
		ls->folder_itself = true;
		break;
	case 'f':
		ls->all = true;
		ls->sort = LS_NOT;
		ls->color = false;
		if (ls->format == LS_LONG)
			ls->format = ls->terminal ? LS_COLUMNS : LS_ONE;
		break;
	case 'F':
		if (!argument || !strcmp(argument, "always") || ls->terminal)
			ls->indicator = LS_CLASSIFY;
		break;
	case 'g':
		ls->format = LS_LONG;
		ls->no_owner = true;
		break;
	case 'G':
		ls->no_group = true;
		break;
	case 'h':
		ls->human = true;
		break;
	case 'H':
	case 'L':
		ls->follow = true;
		break;
	case 'i':
		ls->inode = true;
		break;
	case 'I':
		ls->ignore = argument;
		break;
	case 'l':
		ls->format = LS_LONG;
		break;
	case 'm':
		ls->format = LS_COMMAS;
		break;
	case 'n':
		ls->numeric = true;
		ls->format = LS_LONG;
		break;
	case 'N':
		ls->quoting = LS_LITERAL;
		break;
	case 'o':
		ls->format = LS_LONG;
		ls->no_group = true;
		break;
	case 'p':
		ls->indicator = LS_SLASH;
		break;
	case 'q':
		ls->hide_controls = true;
		break;
	case 'Q':
		ls->quoting = LS_C;
		break;
	case 'r':
		ls->reverse = true;
		break;
	case 'R':
		ls->recursive = true;
		break;
	case 's':
		ls->blocks = true;
		break;
	case 'S':
		ls->sort = LS_SIZE;
		break;
	case 't':
		ls->sort = LS_TIME;
		break;
	case 'u':
		ls->time = LS_ACCESSED;
		break;
	case 'U':
		ls->sort = LS_NOT;
		break;
	case 'v':
		ls->sort = LS_VERSION;
		break;
	case 'w':
		ls->width = (unsigned)strtoul(argument, NULL, 10);
		if (!ls->width)
			ls->width = 65535;
		break;
	case 'x':
		ls->format = LS_ACROSS;
		break;
	case 'X':
		ls->sort = LS_EXTENSION;
		break;
	case 'Z':
		ls->context = true;
		break;
	case '1':
		if (ls->format != LS_LONG)
			ls->format = LS_ONE;
		break;
	default:
		take_word(ls, option, argument);
		break;
	}
}

static unsigned terminal_width(struct process *process)
{
	const char *columns = process_environment(process, "COLUMNS");
	unsigned width = columns ? (unsigned)strtoul(columns, NULL, 10) : 0;
	const struct terminal_modes *modes = process_terminal(process, 1);

	if (width)
		return width;
	return modes && modes->columns ? modes->columns : 80;
}

int files_ls(struct process *process, int argc, char **argv)
{
	static const char usage[] =
		"[OPTION]... [FILE]...\n"
		"List information about the FILEs (the current directory by default).";
	struct ls ls = {.process = process, .terminal = process_is_terminal(process, 1)};
	struct option_state state = {0};
	static char *const here[] = {(char *)(uintptr_t) "."};
	bool sorted_by_time = false;
	int option;

	ls.format = ls.terminal ? LS_COLUMNS : LS_ONE;
	if (!strcmp(process->name, "dir"))
		ls.format = LS_COLUMNS;
	if (!strcmp(process->name, "vdir"))
		ls.format = LS_LONG;
	if (ls.terminal && !process->busybox)
		ls.quoting = LS_SHELL;
	if (strcmp(process->name, "ls") && !process->busybox)
		ls.quoting = LS_ESCAPE;
	ls.hide_controls = ls.terminal && process->busybox;
	ls.width = terminal_width(process);
	/* BusyBox colours names on a terminal by itself. */
	ls.color = process->busybox && ls.terminal;
	while ((option = option_next(process, &state, argc, argv,
				     "abcdfghiklmnopqrstuvw:xABCDFGHI:LNQRST:UXZ1", words)) != -1) {
		if (option == '?' || option == TEXT_HELP || option == TEXT_VERSION)
			text_other_option(process, option, COREUTILS, usage,
					  process->busybox ? 1 : 2);
		sorted_by_time |= option == 't' || option == 'S' || option == 'U' ||
				  option == 'f' || option == LS_SORT;
		take_letter(&ls, option, state.argument);
	}
	/* Without a database of colours nothing is known of this terminal. */
	if (!process_environment(process, "LS_COLORS") &&
	    !process_environment(process, "COLORTERM") && !process->busybox) {
		const char *type = process_environment(process, "TERM");

		if (!type || !*type || !strcmp(type, "dumb"))
			ls.color = false;
	}
	/* -c and -u alone sort by that time when it is not shown. */
	if (ls.time != LS_MODIFIED && ls.format != LS_LONG && !sorted_by_time && ls.sort == LS_NAME)
		ls.sort = LS_TIME;
	if (state.index >= argc)
		list_operands(&ls, (char **)(uintptr_t)here, 1);
	else
		list_operands(&ls, argv + state.index, argc - state.index);
	return ls.status;
}
