/* tar: options, and what writing and reading share. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_tar.h"

enum {
	TAR_STRIP = TEXT_OWN,
	TAR_EXCLUDE,
	TAR_NO_RECURSION,
	TAR_IGNORED,
	TAR_IGNORED_NEEDS,
	TAR_OVERWRITE,
	TAR_REMOVE,
	TAR_OWNER,
	TAR_WILDCARDS
};

unsigned tar_sum(const struct tar_header *header)
{
	const uint8_t *bytes = (const void *)header;
	unsigned sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : bytes[i];
	return sum;
}

const char *tar_member_name(struct tar *tar, const char *path)
{
	const char *name = path;

	if (tar->absolute)
		return path;
	for (const char *at = path; (at = strstr(at, "../")) != NULL; at += 3)
		if (at == path || at[-1] == '/')
			name = at + 3;
	while (*name == '/')
		name++;
	if (name != path && !tar->told_leading) {
		tar->told_leading = true;
		process_flush(tar->process);
		process_complain(tar->process, "Removing leading `%.*s' from member names",
				 (int)(name - path), path);
	}
	return *name ? name : ".";
}

void tar_list_line(struct tar *tar, const char *name, const struct file_status *status,
		   const char *user, const char *group, char type, const char *link, bool errors)
{
	struct process *process = tar->process;
	char mode[11], owner[80], size[32], *line;
	struct civil_time at;
	int width;

	if (!tar->very) {
		line = process_format(process, "%s\n", name);
	} else {
		at = clock_civil(status->modified);
		files_mode_text(status->mode, mode);
		if (type == '1')
			mode[0] = 'h';
		snprintf(owner, sizeof(owner), "%s/%s", user, group);
		snprintf(size, sizeof(size), "%llu", (unsigned long long)status->size);
		width = 18 - (int)strlen(owner);
		line = process_format(process, "%s %s %*s %04d-%02d-%02d %02d:%02d %s%s%s\n", mode,
				      owner, width > 0 ? width : (int)strlen(size), size, at.year,
				      at.month, at.day, at.hour, at.minute, name,
				      !link         ? ""
				      : type == '1' ? " link to "
						    : " -> ",
				      link ? link : "");
	}
	if (errors)
		process_error(process, "%s", line);
	else
		process_put_text(process, line);
	process_give(process, line);
}

bool tar_is_excluded(const struct tar *tar, const char *path)
{
	for (size_t i = 0; i < tar->exclude_count; i++) {
		if (text_glob(tar->excludes[i], path))
			return true;
		for (const char *at = path; (at = strchr(at, '/')) != NULL; at++)
			if (text_glob(tar->excludes[i], at + 1))
				return true;
	}
	return false;
}

/* --- options --- */

static const struct option_word words[] = {{"absolute-names", 'P'},
					   {"append", 'r'},
					   {"auto-compress", 'a'},
					   {"bzip2", 'j'},
					   {"concatenate", 'A'},
					   {"create", 'c'},
					   {"dereference", 'h'},
					   {"directory", 'C', OPTION_NEEDS},
					   {"exclude", TAR_EXCLUDE, OPTION_NEEDS},
					   {"extract", 'x'},
					   {"file", 'f', OPTION_NEEDS},
					   {"files-from", 'T', OPTION_NEEDS},
					   {"format", TAR_IGNORED_NEEDS, OPTION_NEEDS},
					   {"get", 'x'},
					   {"group", TAR_IGNORED_NEEDS, OPTION_NEEDS},
					   {"gzip", 'z'},
					   {"gunzip", 'z'},
					   {"keep-old-files", 'k'},
					   {"list", 't'},
					   {"no-recursion", TAR_NO_RECURSION},
					   {"no-same-owner", TAR_OWNER},
					   {"numeric-owner", TAR_IGNORED},
					   {"one-file-system", TAR_IGNORED},
					   {"overwrite", TAR_OVERWRITE},
					   {"owner", TAR_IGNORED_NEEDS, OPTION_NEEDS},
					   {"preserve-permissions", 'p'},
					   {"remove-files", TAR_REMOVE},
					   {"same-owner", TAR_IGNORED},
					   {"same-permissions", 'p'},
					   {"strip-components", TAR_STRIP, OPTION_NEEDS},
					   {"to-stdout", 'O'},
					   {"touch", 'm'},
					   {"ungzip", 'z'},
					   {"unlink-first", 'U'},
					   {"update", 'u'},
					   {"verbose", 'v'},
					   {"wildcards", TAR_WILDCARDS},
					   {"xz", 'J'},
					   TEXT_WORDS};

static void take_action(struct tar *tar, int option)
{
	if (tar->action && tar->action != option) {
		process_complain(tar->process, "You may not specify more than one '-Acdtrux', "
					       "'--delete' or  '--test-label' option");
		process_error(tar->process,
			      "Try 'tar --help' or 'tar --usage' for more information.\n");
		process_exit(tar->process, 2);
	}
	tar->action = (char)option;
}

static void take_option(struct tar *tar, int option, const char *argument)
{
	switch (option) {
	case 'c':
	case 'r':
	case 'u':
	case 'x':
	case 't':
	case 'A':
		take_action(tar, option);
		break;
	case 'C':
		tar->folder = argument;
		break;
	case 'f':
		tar->archive = argument;
		break;
	case 'v':
		tar->very = tar->verbose || (tar->action == 't');
		tar->verbose = true;
		break;
	case 'z':
		tar->packing = PACK_GZIP;
		break;
	case 'j':
		tar->packing = PACK_BZIP2;
		break;
	case 'J':
		tar->packing = PACK_XZ;
		break;
	case 'a':
		tar->auto_packing = true;
		break;
	case 'p':
		tar->keep_modes = true;
		break;
	case 'P':
		tar->absolute = true;
		break;
	case 'O':
		tar->to_output = true;
		break;
	case 'k':
		tar->keep_old = true;
		break;
	case 'h':
		tar->follow = true;
		break;
	case 'm':
		tar->no_times = true;
		break;
	case 'o':
	case TAR_OWNER:
		tar->no_owner = true;
		break;
	case TAR_STRIP:
		tar->strip = (unsigned)strtoul(argument, NULL, 10);
		break;
	case 'X':
	case TAR_EXCLUDE:
		if (option == TAR_EXCLUDE && tar->exclude_count < ARRAY_COUNT(tar->excludes))
			tar->excludes[tar->exclude_count++] = argument;
		break;
	case TAR_NO_RECURSION:
		tar->no_recursion = true;
		break;
	case TAR_REMOVE:
		tar->remove = true;
		break;
	default:
		break;
	}
}

/* "tar xzf FILE": letters without a dash; those that need something take the next words. */
static char **old_style(struct process *process, int *argc, char **argv)
{
	const char *letters = argv[1];
	size_t count = strlen(letters);
	char **out = process_take(process, ((size_t)*argc + 2 * count + 2) * sizeof(*out));
	int made = 0, next = 2;

	out[made++] = argv[0];
	for (size_t i = 0; i < count; i++) {
		out[made++] = process_format(process, "-%c", letters[i]);
		if (!strchr("fCbTXKNVgHIL", letters[i]))
			continue;
		if (next >= *argc) {
			process_complain(process, "Old option '%c' requires an argument.",
					 letters[i]);
			process_error(process,
				      "Try 'tar --help' or 'tar --usage' for more information.\n");
			process_exit(process, 2);
		}
		out[made++] = argv[next++];
	}
	while (next < *argc)
		out[made++] = argv[next++];
	*argc = made;
	return out;
}

static void guess_packing(struct tar *tar)
{
	static const struct {
		const char *end;
		enum files_packing packing;
	} ends[] = {{".gz", PACK_GZIP},    {".tgz", PACK_GZIP}, {".bz2", PACK_BZIP2},
		    {".tbz2", PACK_BZIP2}, {".xz", PACK_XZ},    {".txz", PACK_XZ}};
	size_t length = strlen(tar->archive);

	for (size_t i = 0; tar->auto_packing && i < ARRAY_COUNT(ends); i++) {
		size_t end = strlen(ends[i].end);

		if (length > end && !strcmp(tar->archive + length - end, ends[i].end))
			tar->packing = ends[i].packing;
	}
}

int files_tar(struct process *process, int argc, char **argv)
{
	struct tar tar = {.process = process, .archive = "-"};
	struct option_state state = {0};
	int option;

	if (argc > 1 && argv[1][0] != '-' && argv[1][0])
		argv = old_style(process, &argc, argv);
	while ((option = option_next(process, &state, argc, argv,
				     ":AcdrtuxC:f:vzjJapPOkhmoX:T:b:B:lSUWwnsiI:g:G", words)) !=
	       -1) {
		if (option == '?') {
			if (process->busybox)
				return 1;
			process_error(process,
				      "Try 'tar --help' or 'tar --usage' for more information.\n");
			return 64;
		}
		if (option == TEXT_HELP || option == TEXT_VERSION)
			text_other_option(
				process, option, "(GNU tar) 1.34",
				"[OPTION...] [FILE]...\nGNU 'tar' saves many files together "
				"into a single tape or disk archive, and can\nrestore individual "
				"files from the archive.",
				2);
		take_option(&tar, option, state.argument);
	}
	if (!tar.action) {
		process_complain(process, "You must specify one of the '-Acdtrux', '--delete' or "
					  "'--test-label' options");
		process_error(process, "Try 'tar --help' or 'tar --usage' for more information.\n");
		return 2;
	}
	tar.members = argv + state.index;
	tar.member_count = argc - state.index;
	if (tar.action == 't' && tar.verbose)
		tar.very = true;
	if (tar.action == 'x' || tar.action == 't')
		return tar_read(&tar);
	if (tar.action != 'c')
		return tar_add(&tar);
	guess_packing(&tar);
	return tar_create(&tar);
}
