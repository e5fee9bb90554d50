/* apt, apt-get, apt-cache, apt-mark of APT 2.6.1 where the mirrors cannot be reached. */
#include <fnmatch.h>
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"

#define SOURCES_MAX ((size_t)64 * 1024)
#define SOURCE_MOST 32
#define TRIES       4       /* Ign, Ign, Ign, Err */
#define TRY_WAIT    5000000 /* a look-up that fails, two hosts at a time */

struct apt {
	struct process *process;
	bool friendly; /* apt, not apt-get: a warning where its output is read by programs */
	bool yes, quiet, simulate, download_only;
	const char *program;
};

struct source {
	const char *site, *suite; /* "http://deb.debian.org/debian" */
	const char *host;
};

/* --- the lists --- */

static void read_sources(struct process *p, const char *path, struct source *sources, size_t *count)
{
	struct text file = {0};
	struct slice rest, line, word;
	if (process_read_file(p, path, SOURCES_MAX, &file) != 0)
		return;
	rest = text_slice(&file);
	while (*count < SOURCE_MOST && slice_next(&rest, '\n', &line)) {
		const char *words[3] = {NULL};
		size_t n = 0;
		line = slice_trim(line);
		size_t options = slice_find_byte(line, ']');
		if (options != SIZE_MAX && slice_starts(line, "deb ")) {
			words[n++] = "deb"; /* "[arch=amd64 signed-by=...]" between */
			line = slice_trim(slice_from(line, options + 1));
		}
		while (n < 3 && slice_next(&line, ' ', &word)) {
			if (word.length)
				words[n++] = process_copy_slice(p, word);
		}
		if (n < 3 || strcmp(words[0], "deb") != 0)
			continue;
		struct source *source = &sources[(*count)++];
		struct outside_url url;
		outside_url_read(p, words[1], &url);
		size_t length = strlen(words[1]);
		source->site = length && words[1][length - 1] == '/'
				       ? process_copy_slice(p, slice_of(words[1], length - 1))
				       : words[1];
		source->suite = words[2];
		source->host = url.host;
	}
	process_give(p, file.data);
}

static size_t all_sources(struct process *p, struct source *sources)
{
	struct folder_entry *entries;
	size_t count = 0;
	read_sources(p, "/etc/apt/sources.list", sources, &count);
	ssize_t files = process_list(p, "/etc/apt/sources.list.d", &entries);
	for (ssize_t i = 0; i < files; i++)
		if (fnmatch("*.list", entries[i].name, 0) == 0)
			read_sources(
				p, process_format(p, "/etc/apt/sources.list.d/%s", entries[i].name),
				sources, &count);
	if (count == 0) {
		static const struct source usual[] = {
			{"http://deb.debian.org/debian", "bookworm", "deb.debian.org"},
			{"http://security.debian.org/debian-security", "bookworm-security",
			 "security.debian.org"},
			{"http://deb.debian.org/debian", "bookworm-updates", "deb.debian.org"},
		};
		memcpy(sources, usual, sizeof(usual));
		count = ARRAY_COUNT(usual);
	}
	return count;
}

static void say_step(struct apt *apt, const char *what)
{
	struct process *p = apt->process;
	if (apt->quiet)
		return;
	if (process_is_terminal(p, 1))
		process_print(p, "\r%s... 0%%\r\r%s... 100%%\r\r%s... Done\n", what, what, what);
	else
		process_print(p, "%s...\n", what);
	process_flush(p);
}

static void say_steps(struct apt *apt)
{
	process_sleep(apt->process, 250000 + (int64_t)process_random_number(apt->process, 200000));
	say_step(apt, "Reading package lists");
	process_sleep(apt->process, 150000 + (int64_t)process_random_number(apt->process, 100000));
	say_step(apt, "Building dependency tree");
	say_step(apt, "Reading state information");
}

static void warn_scripts(struct apt *apt)
{
	if (apt->friendly && !process_is_terminal(apt->process, 1))
		process_error(apt->process, "\nWARNING: apt does not have a stable CLI interface. "
					    "Use with caution in scripts.\n\n");
}

static bool may_lock(struct apt *apt, bool lists)
{
	struct process *p = apt->process;
	if (p->identity.effective_uid == 0 || apt->simulate)
		return true;
	if (lists) {
		say_step(apt, "Reading package lists");
		process_error(p, "E: Could not open lock file /var/lib/apt/lists/lock - open (13: "
				 "Permission denied)\nE: Unable to lock directory "
				 "/var/lib/apt/lists/\n");
	} else {
		process_error(p, "E: Could not open lock file /var/lib/dpkg/lock-frontend - open "
				 "(13: Permission denied)\nE: Unable to acquire the dpkg frontend "
				 "lock (/var/lib/dpkg/lock-frontend), are you root?\n");
	}
	return false;
}

static int update(struct apt *apt)
{
	struct process *p = apt->process;
	struct source *sources = process_take(p, sizeof(*sources) * SOURCE_MOST);
	size_t count = all_sources(p, sources);
	if (!may_lock(apt, true))
		return 100;
	for (size_t i = 0; i < count; i++)
		process_report_download(
			p,
			slice_text(process_format(p, "%s/dists/%s/InRelease", sources[i].site,
						  sources[i].suite)),
			"Temporary failure resolving");
	for (unsigned round = 1; round <= TRIES; round++) {
		const char *host = "";
		for (size_t i = 0; i < count; i++) {
			struct outside_place place;
			if (strcmp(host, sources[i].host) != 0)
				process_sleep(p,
					      TRY_WAIT + (int64_t)process_random_number(p, 40000));
			host = sources[i].host;
			bool known = outside_resolve_now(p, host, &place) == OUTSIDE_FOUND;
			process_print(p, "%s:%zu %s %s InRelease\n", round < TRIES ? "Ign" : "Err",
				      i + 1, sources[i].site, sources[i].suite);
			if (round == TRIES && known)
				process_print(p,
					      "  Could not connect to %s:80 (%s), connection timed "
					      "out\n",
					      host, place.text);
			else if (round == TRIES)
				process_print(p, "  Temporary failure resolving '%s'\n", host);
			process_flush(p);
			process_step(p);
		}
	}
	say_step(apt, "Reading package lists");
	if (apt->friendly) {
		say_step(apt, "Building dependency tree");
		say_step(apt, "Reading state information");
		process_put_text(p, "All packages are up to date.\n");
		process_flush(p);
	}
	for (size_t i = 0; i < count; i++)
		process_error(p,
			      "W: Failed to fetch %s/dists/%s/InRelease  Temporary failure "
			      "resolving '%s'\n",
			      sources[i].site, sources[i].suite, sources[i].host);
	process_error(p,
		      "W: Some index files failed to download. They have been ignored, or old ones "
		      "used instead.\n");
	return 0;
}

/* --- install, remove, upgrade --- */

/* The name stands in what another package depends on. */
static bool is_referred_to(struct process *p, const struct packages *packages, const char *name)
{
	struct slice all = text_slice(&packages->file), needle = slice_text(name);
	for (size_t from = 0; from < all.length;) {
		size_t at = slice_find(slice_from(all, from), needle);
		process_step(p);
		if (at == SIZE_MAX)
			return false;
		at += from;
		uint8_t before = at ? all.at[at - 1] : '\n';
		uint8_t after = at + needle.length < all.length ? all.at[at + needle.length] : '\n';
		if ((before == ' ' || before == ',') &&
		    (after == ' ' || after == ',' || after == '\n' || after == ':'))
			return true;
		from = at + needle.length;
	}
	return false;
}

static void say_count(struct apt *apt, int removed)
{
	process_print(apt->process,
		      "0 upgraded, 0 newly installed, %d to remove and 0 not upgraded.\n", removed);
}

static int install(struct apt *apt, int count, char **names)
{
	struct process *p = apt->process;
	struct packages packages;
	bool missing = false;
	if (!may_lock(apt, false))
		return 100;
	say_steps(apt);
	packages_read(p, &packages);
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		process_step(p);
		if (strchr(names[i], '/') && process_access(p, names[i], 0) != 0) {
			process_flush(p);
			process_error(p, "E: Unsupported file %s given on commandline\n", names[i]);
			missing = true;
		} else if (package && package->state == 'i') {
			process_print(p, "%s is already the newest version (%s).\n", package->name,
				      package->version);
		} else if (is_referred_to(p, &packages, names[i])) {
			process_print(
				p,
				"Package %s is not available, but is referred to by another "
				"package.\nThis may mean that the package is missing, has been "
				"obsoleted, or\nis only available from another source\n\n",
				names[i]);
			process_flush(p);
			process_error(p, "E: Package '%s' has no installation candidate\n",
				      names[i]);
			missing = true;
		} else {
			process_flush(p);
			process_error(p, "E: Unable to locate package %s\n", names[i]);
			missing = true;
		}
	}
	packages_give(p, &packages);
	if (missing)
		return 100;
	say_count(apt, 0);
	return 0;
}

static bool goes_on(struct apt *apt)
{
	struct process *p = apt->process;
	if (apt->yes || apt->simulate)
		return true;
	process_put_text(p, "Do you want to continue? [Y/n] ");
	process_flush(p);
	char *answer = accounts_ask_on(p, 0, -1, "", true);
	if (answer && (*answer == '\0' || *answer == 'y' || *answer == 'Y'))
		return true;
	process_put_text(p, "Abort.\n");
	return false;
}

static int take_away(struct apt *apt, int count, char **names, bool purge)
{
	struct process *p = apt->process;
	struct packages packages;
	const char **there = process_take(p, sizeof(char *) * ((size_t)count + 1));
	int found = 0;
	bool missing = false;
	if (!may_lock(apt, false))
		return 100;
	say_steps(apt);
	packages_read(p, &packages);
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		if (package && package->state == 'i') {
			there[found++] = process_copy_text(p, package->name);
		} else if (package || is_referred_to(p, &packages, names[i])) {
			process_print(p, "Package '%s' is not installed, so not removed\n",
				      names[i]);
		} else {
			process_flush(p);
			process_error(p, "E: Unable to locate package %s\n", names[i]);
			missing = true;
		}
		process_step(p);
	}
	packages_give(p, &packages);
	if (missing)
		return 100;
	if (found) {
		process_put_text(p, "The following packages will be REMOVED:\n ");
		for (int i = 0; i < found; i++)
			process_print(p, " %s%s", there[i], purge ? "*" : "");
		process_put_byte(p, '\n');
	}
	say_count(apt, found);
	if (found == 0)
		return 0;
	process_print(p, "After this operation, %u kB disk space will be freed.\n",
		      350 + (unsigned)strlen(there[0]) * 137);
	if (!goes_on(apt))
		return 1;
	for (int i = 0; i < found && !apt->simulate; i++)
		(void)packages_remove(p, there[i], purge);
	return 0;
}

static int upgrade(struct apt *apt)
{
	if (!may_lock(apt, false))
		return 100;
	say_steps(apt);
	process_sleep(apt->process, 200000);
	say_step(apt, "Calculating upgrade");
	say_count(apt, 0);
	return 0;
}

static int autoremove(struct apt *apt)
{
	if (!may_lock(apt, false))
		return 100;
	say_steps(apt);
	say_count(apt, 0);
	return 0;
}

/* --- questions --- */

static int list(struct apt *apt, int count, char **patterns, bool installed)
{
	struct process *p = apt->process;
	struct packages packages;
	if (process_is_terminal(p, 1))
		process_put_text(p, "\rListing... Done\n");
	else
		process_put_text(p, "Listing...\n");
	process_flush(p);
	packages_read(p, &packages);
	for (size_t i = 0; i < packages.count; i++) {
		const struct package *package = &packages.list[i];
		bool matches = count == 0;
		for (int j = 0; j < count; j++)
			matches = matches || fnmatch(patterns[j], package->name, 0) == 0;
		process_step(p);
		if (matches && package->state == 'i')
			process_print(p, "%s/now %s %s [installed,local]\n", package->name,
				      package->version, package->architecture);
		else if (matches && !installed)
			process_print(p, "%s/now %s %s [residual-config]\n", package->name,
				      package->version, package->architecture);
	}
	packages_give(p, &packages);
	return 0;
}

static int search(struct apt *apt, int count, char **words)
{
	struct process *p = apt->process;
	struct packages packages;
	if (count == 0) {
		process_error(p, "E: You must give at least one search pattern\n");
		return 100;
	}
	if (apt->friendly) {
		process_put_text(p, process_is_terminal(p, 1)
					    ? "\rSorting... Done\nFull Text Search... Done\n"
					    : "Sorting...\nFull Text Search...\n");
		process_flush(p);
	}
	packages_read(p, &packages);
	for (size_t i = 0; i < packages.count; i++) {
		const struct package *package = &packages.list[i];
		bool matches = package->state == 'i';
		for (int j = 0; j < count; j++)
			matches = matches &&
				  (slice_contains_nocase(slice_text(package->name), words[j]) ||
				   slice_contains_nocase(slice_text(package->summary), words[j]));
		process_step(p);
		if (!matches)
			continue;
		if (apt->friendly)
			process_print(p, "%s/now %s %s [installed,local]\n  %s\n\n", package->name,
				      package->version, package->architecture, package->summary);
		else
			process_print(p, "%s - %s\n", package->name, package->summary);
	}
	packages_give(p, &packages);
	return 0;
}

static int show(struct apt *apt, int count, char **names)
{
	struct process *p = apt->process;
	struct packages packages;
	int status = 0;
	packages_read(p, &packages);
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		if (!package) {
			process_flush(p);
			process_error(p,
				      apt->friendly ? "N: Unable to locate package %s\n"
						    : "N: Unable to locate package %s\n",
				      names[i]);
			status = 100;
			continue;
		}
		process_put(p, package->stanza);
		process_put_byte(p, '\n');
	}
	process_flush(p);
	if (status)
		process_error(p, "E: No packages found\n");
	packages_give(p, &packages);
	return status;
}

static int policy(struct apt *apt, int count, char **names)
{
	struct process *p = apt->process;
	struct packages packages;
	packages_read(p, &packages);
	if (count == 0)
		process_put_text(p, "Package files:\n 100 /var/lib/dpkg/status\n     release "
				    "a=now\nPinned packages:\n");
	for (int i = 0; i < count; i++) {
		const struct package *package = packages_find(&packages, names[i]);
		if (!package) {
			process_flush(p);
			process_error(p, "N: Unable to locate package %s\n", names[i]);
			continue;
		}
		process_print(p,
			      "%s:\n  Installed: %s\n  Candidate: %s\n  Version table:\n *** %s "
			      "100\n        100 /var/lib/dpkg/status\n",
			      package->name, package->version, package->version, package->version);
	}
	packages_give(p, &packages);
	return 0;
}

/* --- the programs --- */

static bool is(const char *word, const char *other)
{
	return strcmp(word, other) == 0;
}

static int run(struct apt *apt, const char *verb, int count, char **words, bool installed)
{
	struct process *p = apt->process;
	bool cache = is(apt->program, "apt-cache");
	if (!cache && !is(verb, "list") && !is(verb, "search") && !is(verb, "show"))
		warn_scripts(apt);
	if (cache || apt->friendly) {
		if (apt->friendly && (is(verb, "list") || is(verb, "search") || is(verb, "show")))
			warn_scripts(apt);
		if (is(verb, "list"))
			return list(apt, count, words, installed);
		if (is(verb, "search"))
			return search(apt, count, words);
		if (is(verb, "show") || is(verb, "showpkg"))
			return show(apt, count, words);
		if (is(verb, "policy") || is(verb, "madison"))
			return policy(apt, count, words);
	}
	if (!cache) {
		if (is(verb, "update"))
			return update(apt);
		if (is(verb, "install") || is(verb, "reinstall"))
			return install(apt, count, words);
		if (is(verb, "remove") || is(verb, "purge"))
			return take_away(apt, count, words, is(verb, "purge"));
		if (is(verb, "upgrade") || is(verb, "dist-upgrade") || is(verb, "full-upgrade"))
			return upgrade(apt);
		if (is(verb, "autoremove") || is(verb, "autopurge"))
			return autoremove(apt);
		if (is(verb, "clean") || is(verb, "autoclean"))
			return may_lock(apt, false) ? 0 : 100;
		if (is(verb, "check")) {
			say_steps(apt);
			return 0;
		}
		if (is(verb, "download") || is(verb, "source") || is(verb, "build-dep")) {
			say_step(apt, "Reading package lists");
			process_error(p, "E: Unable to locate package %s\n", count ? words[0] : "");
			return 100;
		}
	}
	process_error(p, "E: Invalid operation %s\n", verb);
	return 100;
}

static int apt_main(struct process *process, int argc, char **argv)
{
	static const char *const takes[] = {
		"-o", "-t", "-c", "--option", "--target-release", "--config-file"};
	struct apt apt = {.process = process};
	const char *last = strrchr(argv[0], '/'), *verb = NULL;
	char **words = process_take(process, sizeof(char *) * ((size_t)argc + 1));
	int count = 0;
	bool installed = false;
	apt.program = last ? last + 1 : argv[0];
	if (!is(apt.program, "apt") && !is(apt.program, "apt-get") && !is(apt.program, "apt-cache"))
		apt.program = process->name;
	apt.friendly = is(apt.program, "apt");
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			if (!verb)
				verb = argv[i];
			else
				words[count++] = argv[i];
			continue;
		}
		for (size_t j = 0; j < ARRAY_COUNT(takes); j++)
			if (is(argv[i], takes[j]) && i + 1 < argc) {
				i++;
				break;
			}
		if (is(argv[i], "-y") || is(argv[i], "--yes") || is(argv[i], "--assume-yes") ||
		    is(argv[i], "-qy") || is(argv[i], "-yq") || is(argv[i], "-qqy") ||
		    is(argv[i], "-yqq"))
			apt.yes = true;
		if (strncmp(argv[i], "-qq", 3) == 0 || is(argv[i], "-yqq"))
			apt.quiet = true;
		if (is(argv[i], "-s") || is(argv[i], "--simulate") || is(argv[i], "--dry-run"))
			apt.simulate = true;
		if (is(argv[i], "--installed"))
			installed = true;
		if (is(argv[i], "--version") || is(argv[i], "-v")) {
			process_print(process, "apt %s (amd64)\n",
				      packages_version(process, "apt", "2.6.1"));
			return 0;
		}
	}
	if (!verb || is(verb, "help")) {
		process_put_text(process, outside_usage(apt.program));
		return verb ? 0 : 1;
	}
	return run(&apt, verb, count, words, installed);
}

static int apt_mark_main(struct process *process, int argc, char **argv)
{
	struct packages packages;
	if (argc < 2) {
		process_error(process, "E: Invalid operation \n");
		return 1;
	}
	packages_read(process, &packages);
	for (int i = 2; i < argc; i++) {
		const struct package *package = packages_find(&packages, argv[i]);
		if (!package) {
			process_error(process, "E: Unable to locate package %s\n", argv[i]);
			return 100;
		}
		if (is(argv[1], "hold"))
			process_print(process, "%s set on hold.\n", argv[i]);
		else if (is(argv[1], "unhold"))
			process_print(process, "Canceled hold on %s.\n", argv[i]);
		else if (is(argv[1], "auto"))
			process_print(process, "%s set to automatically installed.\n", argv[i]);
		else if (is(argv[1], "manual"))
			process_print(process, "%s set to manually installed.\n", argv[i]);
	}
	return 0;
}

static const struct command commands[] = {
	{"apt", apt_main, COMMAND_DEBIAN, NULL, NULL},
	{"apt-get", apt_main, COMMAND_DEBIAN, NULL, NULL},
	{"apt-cache", apt_main, COMMAND_DEBIAN, NULL, NULL},
	{"apt-mark", apt_mark_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_packages_apt = {"packages_apt", commands};
