/* getopt, hostid, systemd-detect-virt, mountpoint, renice, mesg, script: what scripts and curious
 * people start now and then. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/limits.h"

/* --- getopt --- */

struct getopt {
	struct process *process;
	const char *name, *letters, *words;
	struct text out, rest; /* options so far; operands */
	bool quiet, unquoted, in_order, failed;
};

static void put_quoted(struct getopt *g, struct text *to, const char *value)
{
	text_add_byte(g->process, to, ' ');
	if (g->unquoted) {
		text_add_words(g->process, to, value);
		return;
	}
	text_add_byte(g->process, to, '\'');
	for (; *value; value++)
		if (*value == '\'')
			text_add_words(g->process, to, "'\\''");
		else
			text_add_byte(g->process, to, (uint8_t)*value);
	text_add_byte(g->process, to, '\'');
}

static void complain(struct getopt *g, const char *format, const char *what)
{
	struct text words = {0};

	g->failed = true;
	if (g->quiet)
		return;
	text_format(g->process, &words, "%s: ", g->name);
	for (const char *at = format; *at; at++)
		if (*at == '%')
			text_add_words(g->process, &words, what);
		else
			text_add_byte(g->process, &words, (uint8_t)*at);
	process_error(g->process, "%s\n", words.data);
}

/* Number of colons behind a letter; -1: no such option. */
static int letter_takes(const char *letters, char letter)
{
	const char *at = letter == ':' ? NULL : strchr(letters, letter);

	if (!at)
		return -1;
	return at[1] != ':' ? 0 : at[2] != ':' ? 1 : 2;
}

/* The word that stands for a whole or shortened name; its colons, or -1. */
static int word_takes(struct getopt *g, const char *name, size_t length, const char **whole)
{
	struct slice rest = slice_text(g->words), word;
	int takes = -1;

	while (slice_next(&rest, ',', &word)) {
		size_t end = word.length;
		int colons = 0;

		while (end && word.at[end - 1] == ':') {
			end--;
			colons++;
		}
		if (end < length || strncmp((const char *)word.at, name, length) != 0)
			continue;
		if (takes < 0 || end == length) {
			*whole = process_copy_slice(g->process, slice_first(word, end));
			takes = colons;
		}
		if (end == length)
			break;
	}
	return takes;
}

/* "--word", "--word=value"; true when the next argument was its value. */
static bool take_word(struct getopt *g, const char *argument, const char *next)
{
	const char *equals = strchr(argument, '='), *whole = "";
	size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
	int takes = word_takes(g, argument + 2, length - 2, &whole);

	if (takes < 0) {
		complain(g, "unrecognized option '%'",
			 process_copy_slice(g->process, slice_of(argument, length)));
		return false;
	}
	if (takes == 0 && equals) {
		complain(g, "option '--%' doesn't allow an argument", whole);
		return false;
	}
	if (takes == 1 && !equals && !next) {
		complain(g, "option '--%' requires an argument", whole);
		return false;
	}
	text_format(g->process, &g->out, " --%s", whole);
	if (takes)
		put_quoted(g, &g->out, equals ? equals + 1 : takes == 1 ? next : "");
	return takes == 1 && !equals;
}

/* "-abc"; true when the next argument was the value of the last. */
static bool take_letters(struct getopt *g, const char *argument, const char *next)
{
	for (const char *at = argument + 1; *at; at++) {
		char letter[2] = {*at, 0};
		int takes = letter_takes(g->letters, *at);

		if (takes < 0) {
			complain(g, "invalid option -- '%'", letter);
			continue;
		}
		if (takes == 1 && !at[1] && !next) {
			complain(g, "option requires an argument -- '%'", letter);
			return false;
		}
		text_format(g->process, &g->out, " -%c", *at);
		if (takes == 0)
			continue;
		put_quoted(g, &g->out, at[1] ? at + 1 : takes == 1 ? next : "");
		return takes == 1 && !at[1];
	}
	return false;
}

static int parse(struct getopt *g, int argc, char **argv)
{
	bool operands = false;

	for (int i = 0; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		process_step(g->process);
		if (operands || argv[i][0] != '-' || !argv[i][1]) {
			put_quoted(g, &g->rest, argv[i]);
			operands = operands || g->in_order;
		} else if (strcmp(argv[i], "--") == 0) {
			operands = true;
		} else if (argv[i][1] == '-') {
			i += take_word(g, argv[i], next);
		} else {
			i += take_letters(g, argv[i], next);
		}
	}
	process_put(g->process, text_slice(&g->out));
	process_put_text(g->process, " --");
	process_put(g->process, text_slice(&g->rest));
	process_put_byte(g->process, '\n');
	return g->failed ? 1 : 0;
}

static int run_getopt(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"options", 'o', OPTION_NEEDS},
						   {"longoptions", 'l', OPTION_NEEDS},
						   {"name", 'n', OPTION_NEEDS},
						   {"shell", 's', OPTION_NEEDS},
						   {"quiet", 'q'},
						   {"quiet-output", 'Q'},
						   {"unquoted", 'u'},
						   {"alternative", 'a'},
						   {"test", 'T'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	struct getopt g = {.process = p, .name = "getopt", .words = ""};
	struct option_state state = {0};
	bool silent = false;
	int option;

	/* The old way: the letters first, and nothing is quoted. */
	if (argc > 1 && argv[1][0] != '-') {
		g.letters = argv[1];
		g.unquoted = true;
		return parse(&g, argc - 2, argv + 2);
	}
	while ((option = option_next(p, &state, argc, argv, "+ao:l:n:qQs:TuhV", words)) != -1) {
		switch (option) {
		case 'o':
			g.letters = state.argument;
			break;
		case 'l':
			g.words = *g.words ? process_format(p, "%s,%s", g.words, state.argument)
					   : state.argument;
			break;
		case 'n':
			g.name = state.argument;
			break;
		case 'q':
			g.quiet = true;
			break;
		case 'Q':
			silent = true;
			break;
		case 'u':
			g.unquoted = true;
			break;
		case 'T':
			return 4;
		case 'V':
			process_put_text(p, "getopt " UTIL_LINUX "\n");
			return 0;
		case 'h':
			process_put_text(p, "\nUsage:\n getopt <optstring> <parameters>\n");
			return 0;
		case '?':
			return 2;
		default:
			break;
		}
	}
	if (!g.letters && state.index < argc)
		g.letters = argv[state.index++];
	if (!g.letters) {
		process_error(p, "getopt: missing optstring argument\n"
				 "Try 'getopt --help' for more information.\n");
		return 2;
	}
	g.in_order = *g.letters == '+' || process_environment(p, "POSIXLY_CORRECT");
	g.letters += *g.letters == '+' || *g.letters == '-';
	if (silent)
		process_duplicate(p, process_open(p, "/dev/null", O_WRONLY, 0), 1);
	return parse(&g, argc - state.index, argv + state.index);
}

/* --- what this is --- */

/* The address that the host's name has in /etc/hosts, as gethostid reckons with it. */
static int run_hostid(struct process *p, int argc, char **argv)
{
	if (argc > 1) {
		process_error(p,
			      argv[1][0] == '-' ? "hostid: unrecognized option '%s'\n"
						: "hostid: extra operand '%s'\n",
			      argv[1]);
		process_error(p, "Try 'hostid --help' for more information.\n");
		return 1;
	}
	process_put_text(p, "007f0101\n"); /* 127.0.1.1 */
	return 0;
}

static int run_detect(struct process *p, int argc, char **argv)
{
	const char *maker = host_platform(process_host(p))->hypervisor;
	bool container = false, quiet = false;

	for (int i = 1; i < argc; i++) {
		container |= strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--container") == 0;
		quiet |= strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0;
		if (strcmp(argv[i], "--version") == 0) {
			process_put_text(p, "systemd 252 (252.39-1~deb12u1)\n");
			return 0;
		}
	}
	if (!quiet)
		process_print(p, "%s\n",
			      container                         ? "none"
			      : strcmp(maker, "KVM") == 0       ? "kvm"
			      : strcmp(maker, "VMware") == 0    ? "vmware"
			      : strcmp(maker, "Microsoft") == 0 ? "microsoft"
								: "none");
	return container ? 1 : 0;
}

static int run_mountpoint(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"quiet", 'q'},   {"fs-devno", 'd'}, {"devno", 'x'}, {"nofollow", 'n'},
		{"version", 'V'}, {"help", 'h'},     {NULL}};
	struct option_state state = {0};
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts);
	struct file_status status;
	char real[MACHINE_PATH_MAX];
	bool quiet = false;
	int option, error;

	while ((option = option_next(p, &state, argc, argv, "qdxVh", words)) != -1) {
		if (option == 'q')
			quiet = true;
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		if (option == '?')
			return 1;
	}
	if (state.index + 1 != argc) {
		process_error(p, "mountpoint: bad usage\n"
				 "Try 'mountpoint --help' for more information.\n");
		return 1;
	}
	error = process_stat(p, argv[state.index], true, &status);
	if (!error)
		error = process_real_path(p, argv[state.index], true, real, sizeof(real));
	if (error) {
		if (!quiet)
			process_complain(p, "%s: %s", argv[state.index], strerror(-error));
		return 1;
	}
	for (size_t i = 0; i < count; i++)
		if (strcmp(mounts[i].point, real) == 0) {
			if (!quiet)
				process_print(p, "%s is a mountpoint\n", argv[state.index]);
			return 0;
		}
	if (!quiet)
		process_print(p, "%s is not a mountpoint\n", argv[state.index]);
	return 32;
}

/* --- renice, mesg --- */

static int run_renice(struct process *p, int argc, char **argv)
{
	const char *priority = NULL;
	int64_t value, pid;
	int status = 0, i = 1;

	if (i < argc && (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "--priority") == 0))
		i++;
	if (i < argc)
		priority = argv[i++];
	if (!priority || i >= argc) {
		process_error(p, "renice: not enough arguments\n"
				 "Try 'renice --help' for more information.\n");
		return 1;
	}
	if (slice_number(slice_text(priority), -1000, 1000, &value)) {
		process_error(p, "renice: invalid priority '%s'\n", priority);
		process_error(p, "Try 'renice --help' for more information.\n");
		return 1;
	}
	value = value < -20 ? -20 : value > 19 ? 19 : value;
	for (; i < argc; i++) {
		struct task_list list = system_tasks(p);
		struct task task;

		if (strcmp(argv[i], "-p") == 0 || strcmp(argv[i], "--pid") == 0)
			continue;
		if (slice_number(slice_text(argv[i]), 1, INT32_MAX, &pid)) {
			process_error(p, "renice: bad process ID value: %s\n", argv[i]);
			status = 1;
		} else if (!task_find(&list, (unsigned)pid, &task)) {
			process_error(p,
				      "renice: failed to get priority for %lld (process ID): No "
				      "such process\n",
				      (long long)pid);
			status = 1;
		} else {
			process_print(p, "%lld (process ID) old priority %d, new priority %lld\n",
				      (long long)pid, task.nice, (long long)value);
		}
	}
	return status;
}

static int run_mesg(struct process *p, int argc, char **argv)
{
	struct file_status status;
	const char *terminal = process_path_of(p, 0);

	if (argc > 1 && argv[1][0] == '-') {
		process_error(p,
			      "mesg: unrecognized option '%s'\nTry 'mesg --help' for more "
			      "information.\n",
			      argv[1]);
		return 2;
	}
	if (!process_is_terminal(p, 0))
		return 2;
	if (argc > 1) {
		if (strcmp(argv[1], "y") == 0 || strcmp(argv[1], "n") == 0)
			return argv[1][0] == 'n';
		process_error(p, "mesg: invalid argument: %s\n", argv[1]);
		return 2;
	}
	if (!terminal || process_stat(p, terminal, true, &status) < 0 || status.mode & 020) {
		process_put_text(p, "is y\n");
		return 0;
	}
	process_put_text(p, "is n\n");
	return 1;
}

/* --- script --- */

static void put_stamp(struct process *p, int file, const char *word, const char *more)
{
	struct civil_time c = system_civil(process_now(p));
	char *line = process_format(p, "Script %s on %04d-%02d-%02d %02d:%02d:%02d+00:00 [%s]\n",
				    word, c.year, c.month, c.day, c.hour, c.minute, c.second, more);

	(void)process_write(p, file, slice_text(line));
}

static int run_script(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"append", 'a'},
						   {"command", 'c', OPTION_NEEDS},
						   {"return", 'e'},
						   {"flush", 'f'},
						   {"force", 'F'},
						   {"log-out", 'O', OPTION_NEEDS},
						   {"quiet", 'q'},
						   {"log-timing", 'T', OPTION_NEEDS},
						   {"timing", 't', OPTION_MAY},
						   {"version", 'V'},
						   {"help", 'h'},
						   {NULL}};
	struct option_state state = {0};
	const char *line = NULL, *path = NULL, *shell = process_environment(p, "SHELL");
	bool quiet = false, gives = false;
	unsigned flags = O_WRONLY | O_CREAT | O_TRUNC;
	int option, file, status;

	while ((option = option_next(p, &state, argc, argv, "+ac:eEfFI:B:m:o:O:qT:t::hV", words)) !=
	       -1) {
		switch (option) {
		case 'a':
			flags = O_WRONLY | O_CREAT | O_APPEND;
			break;
		case 'c':
			line = state.argument;
			break;
		case 'e':
			gives = true;
			break;
		case 'O':
			path = state.argument;
			break;
		case 'q':
			quiet = true;
			break;
		case 'V':
			system_version(p, UTIL_LINUX);
		case '?':
			return 1;
		default:
			break;
		}
	}
	if (state.index < argc)
		path = argv[state.index];
	path = path ? path : "typescript";
	file = process_open(p, path, (int)flags, 0644);
	if (file < 0) {
		process_error(p, "script: cannot open %s: %s\nScript not started.\n", path,
			      strerror(-file));
		return 1;
	}
	if (!quiet) {
		process_print(p, "Script started, output log file is '%s'.\n", path);
		process_flush(p);
	}
	put_stamp(p, file, "started",
		  line ? process_format(p, "COMMAND=\"%s\" <not executed on terminal>", line)
		       : "<not executed on terminal>");
	if (line)
		status = command_run_line(p, line);
	else
		status = command_run_program(
			p, (char *[]){(char *)(uintptr_t)(shell ? shell : "/bin/sh"), NULL}, NULL);
	put_stamp(p, file, "done", process_format(p, "COMMAND_EXIT_CODE=\"%d\"", status));
	process_close(p, file);
	if (!quiet)
		process_put_text(p, "Script done.\n");
	return gives ? status : 0;
}

static const struct command commands[] = {
	{"getopt", run_getopt, COMMAND_DEBIAN},
	{"hostid", run_hostid, COMMAND_DEBIAN},
	{"systemd-detect-virt", run_detect, COMMAND_DEBIAN},
	{"mountpoint", run_mountpoint, COMMAND_DEBIAN},
	{"renice", run_renice, COMMAND_DEBIAN},
	{"mesg", run_mesg, COMMAND_DEBIAN},
	{"script", run_script, COMMAND_DEBIAN},
	{NULL},
};

const struct command_family command_family_rare_system = {"rare system", commands};
