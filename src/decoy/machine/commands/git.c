/* git 2.39 for what is done on a host that reaches no repository: clone, init, status, config. */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"
#include "decoy/machine/commands/transfer.h"

#define CONFIG_MAX ((size_t)64 * 1024)

static void tell_owner(struct process *p, const char *url, const char *error)
{
	process_report_download(p, slice_text(url), error);
}

/* "a" of "https://host/x/a.git/". */
static char *folder_of(struct process *p, const char *repository)
{
	struct slice name = slice_text(repository);
	while (name.length && name.at[name.length - 1] == '/')
		name.length--;
	if (name.length > 4 && memcmp(name.at + name.length - 4, ".git", 4) == 0)
		name.length -= 4;
	size_t start = name.length;
	while (start > 0 && name.at[start - 1] != '/' && name.at[start - 1] != ':')
		start--;
	return process_copy_slice(p, slice_from(name, start));
}

static int fail_over_http(struct process *p, const char *repository, const struct outside_url *url)
{
	struct outside_place place;
	size_t length = strlen(repository);
	const char *slash = length && repository[length - 1] == '/' ? "" : "/";
	unsigned port = url->port ? url->port : transfer_port(url->scheme);
	int64_t began = process_now(p);
	if (outside_resolve_now(p, url->host, &place) != OUTSIDE_FOUND) {
		tell_owner(p, repository, "Could not resolve host");
		(void)outside_resolve(p, url->host, &place);
		process_error(p, "fatal: unable to access '%s%s': Could not resolve host: %s\n",
			      repository, slash, url->host);
		return 128;
	}
	int error = outside_connect_now(p, &place.address, port, false);
	tell_owner(p, repository, strerror(error ? -error : ECONNRESET));
	error = outside_connect(p, &place.address, port, false, -1);
	if (error)
		process_error(
			p,
			"fatal: unable to access '%s%s': Failed to connect to %s port %u after "
			"%lld ms: Couldn't connect to server\n",
			repository, slash, url->host, port,
			(long long)((process_now(p) - began) / 1000));
	else
		process_error(p,
			      "fatal: unable to access '%s%s': Recv failure: Connection reset by "
			      "peer\n",
			      repository, slash);
	return 128;
}

static int fail_over_git(struct process *p, const char *repository, const struct outside_url *url)
{
	struct outside_place place;
	unsigned port = url->port ? url->port : 9418;
	enum outside_lookup found = outside_resolve_now(p, url->host, &place);
	if (found != OUTSIDE_FOUND) {
		tell_owner(p, repository, outside_lookup_words[found]);
		(void)outside_resolve(p, url->host, &place);
		process_error(p, "fatal: unable to look up %s (port %u) (%s)\n", url->host, port,
			      outside_lookup_words[found]);
		return 128;
	}
	int error = outside_connect_now(p, &place.address, port, false);
	tell_owner(p, repository, strerror(-error));
	error = outside_connect(p, &place.address, port, false, -1);
	process_error(p, "fatal: unable to connect to %s:\n%s[0: %s]: errno=%s\n\n", url->host,
		      url->host, place.text, strerror(-error));
	return 128;
}

static int clone(struct process *p, int argc, char **argv)
{
	static const char *const valued[] = {"-b", "--branch", "--depth",  "-o",       "-c",
					     "-j", "-u",       "--origin", "--config", "--jobs"};
	const char *repository = NULL, *folder = NULL;
	struct file_status status;
	struct folder_entry *entries;
	struct outside_url url;
	bool quiet = false;
	for (int i = 1; i < argc; i++) {
		for (size_t j = 0; j < ARRAY_COUNT(valued); j++)
			if (strcmp(argv[i], valued[j]) == 0 && i + 1 < argc) {
				i++;
				break;
			}
		quiet = quiet || strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0;
		if (argv[i][0] == '-')
			continue;
		if (!repository)
			repository = argv[i];
		else
			folder = argv[i];
	}
	if (!repository) {
		process_error(p, "%s", outside_usage("git clone"));
		return 129;
	}
	if (!folder)
		folder = folder_of(p, repository);
	if (process_stat(p, folder, true, &status) == 0 && process_list(p, folder, &entries) != 2) {
		process_error(p,
			      "fatal: destination path '%s' already exists and is not an empty "
			      "directory.\n",
			      folder);
		return 128;
	}
	outside_url_read(p, repository, &url);
	const char *colon = strchr(repository, ':');
	bool ssh = !*url.scheme && colon && !memchr(repository, '/', (size_t)(colon - repository));
	if (!*url.scheme && !ssh) {
		process_error(p, "fatal: repository '%s' does not exist\n", repository);
		return 128;
	}
	if (!quiet)
		process_error(p, "Cloning into '%s'...\n", folder);
	if (strcmp(url.scheme, "git") == 0)
		return fail_over_git(p, repository, &url);
	if (!ssh && strcmp(url.scheme, "ssh") != 0)
		return fail_over_http(p, repository, &url);
	char *target =
		ssh ? process_copy_slice(p, slice_of(repository, (size_t)(colon - repository)))
		    : process_format(p, "%s%s%s", url.user, *url.user ? "@" : "", url.host);
	outside_ssh(p, target, url.port ? process_format(p, "%u", url.port) : NULL, repository, -1);
	process_error(p,
		      "fatal: Could not read from remote repository.\n\nPlease make sure you have "
		      "the correct access rights\nand the repository exists.\n");
	return 128;
}

static void write_file(struct process *p, const char *path, const char *text)
{
	int file = process_open(p, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file < 0)
		return;
	(void)process_write(p, file, slice_text(text));
	process_close(p, file);
}

static int init(struct process *p, int argc, char **argv)
{
	static const char *const folders[] = {"",
					      "/branches",
					      "/hooks",
					      "/info",
					      "/objects",
					      "/objects/info",
					      "/objects/pack",
					      "/refs",
					      "/refs/heads",
					      "/refs/tags"};
	const char *where = ".";
	struct file_status status;
	bool quiet = false;
	for (int i = 1; i < argc; i++) {
		quiet = quiet || strcmp(argv[i], "-q") == 0;
		if (argv[i][0] != '-')
			where = argv[i];
	}
	if (strcmp(where, ".") != 0)
		(void)process_make_folder(p, where, 0755);
	char real[4096];
	if (process_real_path(p, where, false, real, sizeof(real)) < 0)
		return 128;
	char *git = process_format(p, "%s/.git", real);
	bool again = process_stat(p, git, true, &status) == 0;
	for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
		(void)process_make_folder(p, process_format(p, "%s%s", git, folders[i]), 0755);
	if (!again) {
		if (!quiet)
			process_error(
				p,
				"hint: Using 'master' as the name for the initial branch. This "
				"default branch name\nhint: is subject to change. To configure "
				"the initial branch name to use in all\nhint: of your new "
				"repositories, which will suppress this warning, call:\nhint: "
				"\nhint: \tgit config --global init.defaultBranch <name>\nhint: "
				"\nhint: Names commonly chosen instead of 'master' are 'main', "
				"'trunk' and\nhint: 'development'. The just-created branch can be "
				"renamed via this command:\nhint: \nhint: \tgit branch -m "
				"<name>\n");
		write_file(p, process_format(p, "%s/HEAD", git), "ref: refs/heads/master\n");
		write_file(p, process_format(p, "%s/config", git),
			   "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = "
			   "false\n\tlogallrefupdates = true\n");
		write_file(p, process_format(p, "%s/description", git),
			   "Unnamed repository; edit this file 'description' to name the "
			   "repository.\n");
	}
	if (!quiet)
		process_print(p, "%s Git repository in %s/\n",
			      again ? "Reinitialized existing" : "Initialized empty", git);
	return 0;
}

/* False: there is no .git in any folder above; said. */
static bool in_repository(struct process *p)
{
	char *path = process_copy_text(p, process_folder(p));
	for (;;) {
		struct file_status status;
		char *slash;
		if (process_stat(p, process_format(p, "%s/.git", path), true, &status) == 0)
			return true;
		slash = strrchr(path, '/');
		if (!slash || path[1] == '\0')
			break;
		slash[slash == path] = '\0';
	}
	process_error(p, "fatal: not a git repository (or any of the parent directories): .git\n");
	return false;
}

static int config(struct process *p, int argc, char **argv)
{
	bool global = argc > 1 && strcmp(argv[1], "--global") == 0;
	if (!global && !in_repository(p))
		return 128;
	if (argc <= 2 + global)
		return argc <= 1 + global ? 129 : 1;
	const char *home = process_environment(p, "HOME"), *name = argv[1 + global];
	const char *dot = strchr(name, '.');
	if (!dot) {
		process_error(p, "error: key does not contain a section: %s\n", name);
		return 1;
	}
	char *path = global ? process_format(p, "%s/.gitconfig", home ? home : "/root")
			    : (char *)".git/config";
	struct text file = {0};
	(void)process_read_file(p, path, CONFIG_MAX, &file);
	text_format(p, &file, "[%.*s]\n\t%s = %s\n", (int)(dot - name), name, dot + 1,
		    argv[2 + global]);
	write_file(p, path, file.data);
	return 0;
}

static int git_main(struct process *process, int argc, char **argv)
{
	int index = 1;
	while (index < argc && argv[index][0] == '-') {
		if (strcmp(argv[index], "--version") == 0 || strcmp(argv[index], "-v") == 0) {
			const char *version =
				packages_version(process, "git", "1:2.39.5-0+deb12u1");
			const char *colon = strchr(version, ':');
			version = colon ? colon + 1 : version;
			process_print(process, "git version %.*s\n", (int)strcspn(version, "-"),
				      version);
			return 0;
		}
		index += strcmp(argv[index], "-C") == 0 || strcmp(argv[index], "-c") == 0 ? 2 : 1;
	}
	if (index >= argc || strcmp(argv[index], "help") == 0) {
		process_put_text(process, outside_usage("git"));
		return index >= argc;
	}
	const char *verb = argv[index];
	if (strcmp(verb, "clone") == 0)
		return clone(process, argc - index, argv + index);
	if (strcmp(verb, "init") == 0)
		return init(process, argc - index, argv + index);
	if (strcmp(verb, "config") == 0)
		return config(process, argc - index, argv + index);
	static const char *const known[] = {
		"status", "add",    "commit",   "log",    "pull",    "push",  "fetch",
		"diff",   "branch", "checkout", "reset",  "remote",  "merge", "rebase",
		"stash",  "tag",    "show",     "switch", "restore", "rm",    "mv"};
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (strcmp(verb, known[i]) != 0)
			continue;
		if (!in_repository(process))
			return 128;
		if (i == 0)
			process_put_text(process,
					 "On branch master\n\nNo commits yet\n\nnothing to "
					 "commit (create/copy files and use \"git add\" to "
					 "track)\n");
		else if (strcmp(verb, "log") == 0)
			process_error(process,
				      "fatal: your current branch 'master' does not have any "
				      "commits yet\n");
		return strcmp(verb, "log") == 0 ? 128 : 0;
	}
	process_error(process, "git: '%s' is not a git command. See 'git --help'.\n", verb);
	return 1;
}

static const struct command commands[] = {
	{"git", git_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_git = {"git", commands};
