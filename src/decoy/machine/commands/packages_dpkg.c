/* dpkg and dpkg-query 1.21.22: questions about the status file; installing and removing. */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"
#include "decoy/machine/terminal.h"

#define INFO_FOLDER "/var/lib/dpkg/info"
#define LIST_MAX    ((size_t)512 * 1024)

static const char head[] =
	"Desired=Unknown/Install/Remove/Purge/Hold\n"
	"| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n"
	"|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n";

static const char help_hint[] =
	"\nType dpkg --help for help about installing and deinstalling packages [*];\n"
	"Use 'apt' or 'aptitude' for user-friendly package management;\n"
	"Type dpkg -Dhelp for a list of dpkg debug flag values;\n"
	"Type dpkg --force-help for a list of forcing options;\n"
	"Type dpkg-deb --help for help about manipulating *.deb files;\n\n"
	"Options marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n";

struct widths {
	int name, version, architecture, summary;
};

static void widen(int *width, const char *text)
{
	int length = (int)strlen(text);
	if (length > *width)
		*width = length;
}

static void set_widths(struct process *p, struct widths *widths,
		       const struct package *const *chosen, size_t count)
{
	struct terminal_modes *modes = process_terminal(p, 1);
	*widths = (struct widths){14, 12, 12, 33};
	if (modes && modes->columns) {
		int room = modes->columns > 80 ? ((int)modes->columns - 80) / 4 : 0;
		widths->name += room;
		widths->version += room;
		widths->summary += room * 2;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		widen(&widths->name, packages_shown_name(p, chosen[i]));
		widen(&widths->version, chosen[i]->version);
		widen(&widths->architecture, chosen[i]->architecture);
		widen(&widths->summary, chosen[i]->summary);
	}
}

static void print_bar(struct process *p, int width, char end)
{
	for (int i = 0; i < width; i++)
		process_put_byte(p, '=');
	process_put_byte(p, (uint8_t)end);
}

static void print_table(struct process *p, const struct package *const *chosen, size_t count)
{
	struct widths w;
	set_widths(p, &w, chosen, count);
	process_put_text(p, head);
	process_print(p, "||/ %-*s %-*s %-*s %s\n+++-", w.name, "Name", w.version, "Version",
		      w.architecture, "Architecture", "Description");
	print_bar(p, w.name, '-');
	print_bar(p, w.version, '-');
	print_bar(p, w.architecture, '-');
	print_bar(p, w.summary, '\n');
	for (size_t i = 0; i < count; i++) {
		process_print(p, "%c%c  %-*.*s %-*.*s %-*.*s %.*s\n", chosen[i]->wanted,
			      chosen[i]->state, w.name, w.name, packages_shown_name(p, chosen[i]),
			      w.version, w.version, chosen[i]->version, w.architecture,
			      w.architecture, chosen[i]->architecture, w.summary,
			      chosen[i]->summary);
		process_step(p);
	}
}

static void sort(const struct package **list, size_t count)
{
	/* The file is nearly sorted: insertion is quick. */
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j > 0 && strcmp(list[j - 1]->name, list[j]->name) > 0; j--) {
			const struct package *other = list[j];
			list[j] = list[j - 1];
			list[j - 1] = other;
		}
}

/* Packages that match one of the patterns (none: all that are installed). */
static size_t choose(struct process *p, const struct packages *packages, int count, char **patterns,
		     const struct package **chosen, int *missing)
{
	size_t found = 0;
	*missing = 0;
	bool *used = process_take(p, (size_t)count + 1);
	for (size_t i = 0; i < packages->count; i++) {
		const struct package *package = &packages->list[i];
		bool matches = count == 0 && package->state != 'n';
		char *full = process_format(p, "%s:%s", package->name, package->architecture);
		for (int j = 0; j < count; j++)
			if (fnmatch(patterns[j], package->name, 0) == 0 ||
			    fnmatch(patterns[j], full, 0) == 0)
				matches = used[j] = true;
		process_give(p, full);
		if (matches)
			chosen[found++] = package;
		process_step(p);
	}
	sort(chosen, found);
	for (int j = 0; j < count; j++)
		if (!used[j])
			process_error(p, "dpkg-query: no packages found matching %s\n",
				      patterns[j]);
	process_give(p, used);
	return found;
}

static int list_packages(struct process *p, int count, char **patterns)
{
	struct packages packages;
	packages_read(p, &packages);
	const struct package **chosen = process_take(p, sizeof(*chosen) * (packages.count + 1));
	int missing;
	size_t found = choose(p, &packages, count, patterns, chosen, &missing);
	if (found)
		print_table(p, chosen, found);
	return missing;
}

static int print_selections(struct process *p, int count, char **patterns)
{
	struct packages packages;
	packages_read(p, &packages);
	const struct package **chosen = process_take(p, sizeof(*chosen) * (packages.count + 1));
	int missing;
	size_t found = choose(p, &packages, count, patterns, chosen, &missing);
	for (size_t i = 0; i < found; i++) {
		char *name = packages_shown_name(p, chosen[i]);
		process_put_text(p, name);
		for (size_t column = strlen(name) / 8; column < 6; column++)
			process_put_byte(p, '\t');
		process_put_text(p, chosen[i]->wanted == 'i' ? "install\n" : "deinstall\n");
	}
	return missing;
}

static int show_status(struct process *p, int count, char **names)
{
	struct packages packages;
	int status = 0;
	packages_read(p, &packages);
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		if (i)
			process_put_byte(p, '\n');
		process_flush(p);
		if (!package) {
			process_error(p,
				      "dpkg-query: package '%s' is not installed and no "
				      "information is available\n",
				      names[i]);
			status = 1;
			continue;
		}
		process_put(p, package->stanza);
	}
	process_flush(p);
	if (status)
		process_error(p, "Use dpkg --info (= dpkg-deb --info) to examine archive files.\n");
	return status;
}

static int list_files(struct process *p, int count, char **names)
{
	struct packages packages;
	int status = 0;
	packages_read(p, &packages);
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		struct text list = {0};
		if (!package) {
			process_error(p, "dpkg-query: package '%s' is not installed\n", names[i]);
			status = 1;
			continue;
		}
		char *path = packages_list_path(p, package);
		if (path && process_read_file(p, path, LIST_MAX, &list) == 0)
			process_put(p, text_slice(&list));
		process_give(p, list.data);
	}
	process_flush(p);
	if (status)
		process_error(p,
			      "Use dpkg --contents (= dpkg-deb --contents) to list archive files "
			      "contents.\n");
	return status;
}

static bool line_matches(struct slice line, const char *pattern)
{
	if (*pattern == '/')
		return slice_is(line, pattern);
	return slice_find(line, slice_text(pattern)) != SIZE_MAX;
}

static int search_files(struct process *p, int count, char **patterns)
{
	struct folder_entry *entries;
	int status = 0;
	ssize_t files = process_list(p, INFO_FOLDER, &entries);
	for (int i = 0; i < count; i++) {
		bool found = false;
		for (ssize_t j = 0; j < files; j++) {
			size_t length = strlen(entries[j].name);
			struct text list = {0};
			struct slice rest, line;
			if (length < 5 || strcmp(entries[j].name + length - 5, ".list") != 0)
				continue;
			char *path = process_format(p, INFO_FOLDER "/%s", entries[j].name);
			process_step(p);
			if (process_read_file(p, path, LIST_MAX, &list) == 0) {
				rest = text_slice(&list);
				while (slice_next(&rest, '\n', &line)) {
					if (!line_matches(line, patterns[i]))
						continue;
					process_print(p, "%.*s: %.*s\n", (int)length - 5,
						      entries[j].name, (int)line.length,
						      (const char *)line.at);
					found = true;
				}
			}
			process_give(p, list.data);
			process_give(p, path);
		}
		process_flush(p);
		if (!found)
			process_error(p, "dpkg-query: no path found matching pattern %s%s%s\n",
				      *patterns[i] == '/' ? "" : "*", patterns[i],
				      *patterns[i] == '/' ? "" : "*");
		status = found ? status : 1;
	}
	return status;
}

/* "${Package}\t${Version}\n" and so on. */
static void print_formatted(struct process *p, const struct package *package, const char *format)
{
	for (const char *at = format; *at; at++) {
		if (at[0] == '\\' && at[1]) {
			at++;
			process_put_byte(p, *at == 'n' ? '\n' : *at == 't' ? '\t' : (uint8_t)*at);
			continue;
		}
		const char *close = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
		if (!close) {
			process_put_byte(p, (uint8_t)*at);
			continue;
		}
		char *field = process_copy_slice(p, slice_of(at + 2, (size_t)(close - at - 2)));
		char *width = strchr(field, ';');
		int columns = 0;
		if (width) {
			*width++ = '\0';
			columns = (int)strtol(width, NULL, 10);
			columns = columns > 500 || columns < -500 ? 0 : columns;
		}
		const char *value;
		if (strcmp(field, "binary:Package") == 0)
			value = packages_shown_name(p, package);
		else if (strcmp(field, "db:Status-Abbrev") == 0)
			value = process_format(p, "%c%c ", package->wanted, package->state);
		else if (strcmp(field, "binary:Summary") == 0)
			value = package->summary;
		else
			value = packages_field(p, package->stanza, field);
		process_print(p, columns < 0 ? "%-*s" : "%*s", columns < 0 ? -columns : columns,
			      value);
		process_give(p, field);
		at = close;
	}
}

static int show_formatted(struct process *p, const char *format, int count, char **patterns)
{
	struct packages packages;
	packages_read(p, &packages);
	const struct package **chosen = process_take(p, sizeof(*chosen) * (packages.count + 1));
	int missing;
	size_t found = choose(p, &packages, count, patterns, chosen, &missing);
	for (size_t i = 0; i < found; i++)
		print_formatted(p, chosen[i], format ? format : "${binary:Package}\t${Version}\n");
	return missing;
}

/* --- changing --- */

static bool may_change(struct process *p)
{
	if (p->identity.effective_uid == 0)
		return true;
	process_error(p, "dpkg: error: requested operation requires superuser privilege\n");
	return false;
}

static int install_archives(struct process *p, int count, char **paths)
{
	if (count == 0) {
		process_error(p,
			      "dpkg: error: --install needs at least one package archive file "
			      "argument\n%s",
			      help_hint);
		return 2;
	}
	if (!may_change(p))
		return 2;
	for (int i = 0; i < count; i++) {
		struct file_status status;
		int error = process_stat(p, paths[i], true, &status);
		if (error) {
			process_error(p, "dpkg: error: cannot access archive '%s': %s\n", paths[i],
				      strerror(-error));
			return 2;
		}
	}
	for (int i = 0; i < count; i++)
		process_error(p,
			      "dpkg-deb: error: '%s' is not a Debian format archive\ndpkg: error "
			      "processing archive %s (--install):\n dpkg-deb --control subprocess "
			      "returned error exit status 2\n",
			      paths[i], paths[i]);
	process_error(p, "Errors were encountered while processing:\n");
	for (int i = 0; i < count; i++)
		process_error(p, " %s\n", paths[i]);
	return 1;
}

static int remove_packages(struct process *p, int count, char **names, bool purge)
{
	if (count == 0) {
		process_error(p, "dpkg: error: --%s needs at least one package name argument\n%s",
			      purge ? "purge" : "remove", help_hint);
		return 2;
	}
	if (!may_change(p))
		return 2;
	for (int i = 0; i < count; i++) {
		struct packages packages;
		packages_read(p, &packages);
		const struct package *package = packages_find(&packages, names[i]);
		bool there = package && package->state == 'i';
		packages_give(p, &packages);
		if (there)
			(void)packages_remove(p, names[i], purge);
		else
			process_error(p,
				      "dpkg: warning: ignoring request to remove %s which isn't "
				      "installed\n",
				      names[i]);
	}
	return 0;
}

enum action {
	NOTHING,
	LIST,
	STATUS,
	FILES,
	SEARCH,
	SHOW,
	SELECTIONS,
	INSTALL,
	REMOVE,
	PURGE,
	DONE,
	BAD
};

static const struct {
	const char *word;
	char letter;
	enum action action;
	const char *text;
} actions[] = {
	{"--list", 'l', LIST, NULL},
	{"--status", 's', STATUS, NULL},
	{"--listfiles", 'L', FILES, NULL},
	{"--search", 'S', SEARCH, NULL},
	{"--show", 'W', SHOW, NULL},
	{"--get-selections", 0, SELECTIONS, NULL},
	{"--install", 'i', INSTALL, NULL},
	{"--remove", 'r', REMOVE, NULL},
	{"--purge", 'P', PURGE, NULL},
	{"--configure", 0, DONE, ""},
	{"--audit", 'C', DONE, ""},
	{"--verify", 'V', DONE, ""},
	{"--update-avail", 0, DONE, ""},
	{"--clear-avail", 0, DONE, ""},
	{"--triggers-only", 0, DONE, ""},
	{"--print-architecture", 0, DONE, "amd64\n"},
	{"--print-foreign-architectures", 0, DONE, ""},
	{"--add-architecture", 0, DONE, ""},
	{"--version", 0, DONE,
	 "Debian 'dpkg' package management program version 1.21.22 (amd64).\n"
	 "This is free software; see the GNU General Public License version 2 or\n"
	 "later for copying conditions. There is NO warranty.\n"},
};

/* The action of a word, or BAD; passes over what only changes how. */
static enum action action_of(struct process *p, const char *word, const char **format, bool *skip)
{
	*skip = true;
	for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
		bool letter = actions[i].letter && word[0] == '-' && word[1] == actions[i].letter &&
			      word[2] == '\0';
		if (!letter && strcmp(word, actions[i].word) != 0)
			continue;
		*skip = false;
		if (actions[i].action == DONE)
			process_put_text(p, actions[i].text);
		return actions[i].action;
	}
	if (strncmp(word, "-f", 2) == 0 && word[2])
		*format = word + 2;
	else if (strncmp(word, "--showformat=", 13) == 0)
		*format = word + 13;
	else if (strncmp(word, "--force", 7) != 0 && strncmp(word, "--no-", 5) != 0 &&
		 strncmp(word, "--admindir", 10) != 0 && strcmp(word, "--no-pager") != 0 &&
		 strcmp(word, "-a") != 0 && strcmp(word, "--pending") != 0 &&
		 strcmp(word, "-E") != 0 && strcmp(word, "-G") != 0 && strcmp(word, "-B") != 0)
		return BAD;
	return NOTHING;
}

static int dpkg(struct process *process, int argc, char **argv)
{
	const char *format = NULL, *program = strcmp(process->name, "dpkg-query") == 0 ||
							      strstr(argv[0], "dpkg-query")
						      ? "dpkg-query"
						      : "dpkg";
	bool query = program[4] == '-';
	enum action action = NOTHING;
	int count = 0;
	char **names = process_take(process, sizeof(char *) * ((size_t)argc + 1));
	for (int i = 1; i < argc; i++) {
		bool skip;
		if (argv[i][0] != '-') {
			names[count++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0) {
			process_put_text(process, outside_usage("dpkg"));
			return 0;
		}
		if (strcmp(argv[i], "-f") == 0 && i + 1 < argc) {
			format = argv[++i];
			continue;
		}
		enum action one = action_of(process, argv[i], &format, &skip);
		if (one == BAD) {
			process_error(process, "%s: error: unknown option %s\n", program, argv[i]);
			process_error(process, "%s",
				      query ? "\nUse --help for help about querying packages.\n"
					    : help_hint);
			return 2;
		}
		if (!skip)
			action = one;
	}
	switch (action) {
	case LIST:
		return list_packages(process, count, names);
	case STATUS:
		return show_status(process, count, names);
	case FILES:
		return list_files(process, count, names);
	case SEARCH:
		return search_files(process, count, names);
	case SHOW:
		return show_formatted(process, format, count, names);
	case SELECTIONS:
		return print_selections(process, count, names);
	case INSTALL:
		return install_archives(process, count, names);
	case REMOVE:
	case PURGE:
		return remove_packages(process, count, names, action == PURGE);
	case DONE:
		return 0;
	default:
		process_error(process, "%s: error: need an action option\n%s", program,
			      query ? "\nUse --help for help about querying packages.\n"
				    : help_hint);
		return 2;
	}
}

static const struct command commands[] = {
	{"dpkg", dpkg, COMMAND_DEBIAN, NULL, NULL},
	{"dpkg-query", dpkg, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_packages_dpkg = {"packages_dpkg", commands};
