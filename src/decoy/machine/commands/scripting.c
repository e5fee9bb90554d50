/* python3 and perl: what is asked of them; python.h runs the one, scripting_run.c the other. */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/python.h"
#include "decoy/machine/commands/scripting.h"

#define PROGRAM_MAX ((size_t)1024 * 1024)

static const char python_banner[] =
	"Python 3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0] on linux\n"
	"Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n";

static const char perl_version[] =
	"\n"
	"This is perl 5, version 36, subversion 0 (v5.36.0) built for "
	"x86_64-linux-gnu-thread-multi\n"
	"(with 54 registered patches, see perl -V for more detail)\n"
	"\n"
	"Copyright 1987-2022, Larry Wall\n"
	"\n"
	"Perl may be copied only under the terms of either the Artistic License or the\n"
	"GNU General Public License, which may be found in the Perl 5 source kit.\n"
	"\n"
	"Complete documentation for Perl, including FAQ lists, should be found on\n"
	"this system using \"man perl\" or \"perldoc perl\".  If you have access to the\n"
	"Internet, point your browser at https://www.perl.org/, the Perl Home Page.\n"
	"\n";

/* --- python3 --- */

/* Statements that go on until an empty line. */
static bool is_compound(struct slice text)
{
	static const char *const words[] = {"if",   "for",  "while", "def", "class",
					    "with", "try:", "async", "@"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		size_t length = strlen(words[i]);

		if (slice_starts(text, words[i]) &&
		    (text.length == length ||
		     !strchr("abcdefghijklmnopqrstuvwxyz_=", text.at[length])))
			return true;
	}
	return false;
}

/* The next line at the prompt. 0, or -EINTR after ^C, or -1 at the end. */
static int prompt_line(struct process *p, struct line_reader *reader, const char *prompt,
		       struct slice *line)
{
	bool newline;

	process_put_text(p, prompt);
	process_flush(p);
	if (line_reader_next(p, reader, line, &newline)) {
		process_report_input(p, *line);
		return 0;
	}
	return process_take_signal(p) == SIGINT ? -EINTR : -1;
}

static int python_prompt(struct process *p, int argc, char **argv)
{
	struct python *py = python_new(p, "<stdin>", argc, argv);
	struct line_reader reader;
	struct text text = {0};
	struct slice line;
	int got;

	python_interactive(py);
	process_on_signal(p, SIGINT, SIGNAL_CAUGHT);
	process_error(p, "%s", python_banner);
	line_reader_open(&reader, 0);
	while ((got = prompt_line(p, &reader, text.length ? "... " : ">>> ", &line)) != -1) {
		bool compound, empty;

		process_step(p);
		if (got == -EINTR) {
			process_error(p, "\nKeyboardInterrupt\n");
			line_reader_open(&reader, 0);
			text = (struct text){0};
			continue;
		}
		empty = line.length == 0;
		if (empty && !text.length)
			continue;
		text_add(p, &text, line);
		text_add_byte(p, &text, '\n');
		compound = is_compound(text_slice(&text));
		if ((compound && !empty) ||
		    !python_run_text(py, "<stdin>", text_slice(&text), compound))
			continue;
		if (python_exited(py))
			return python_status(py);
		text = (struct text){0}; /* its bytes are parts of functions and texts now */
	}
	process_put_byte(p, '\n');
	return 0;
}

static int python_script(struct process *p, int argc, char **argv)
{
	const char *path = argv[0];
	struct text text = {0};
	struct file_status status;
	int error = process_stat(p, path, true, &status);

	if (!error && S_ISDIR(status.mode)) {
		process_error(p, "/usr/bin/python3: can't find '__main__' module in '%s'\n", path);
		return 1;
	}
	if (!error)
		error = process_read_file(p, path, PROGRAM_MAX, &text);
	if (error) {
		const char *at =
			*path == '/' ? path : process_format(p, "%s/%s", process_folder(p), path);
		process_error(p, "%s: can't open file '%s': [Errno %d] %s\n", p->argv[0], at,
			      -error, strerror(-error));
		return 2;
	}
	if (*path != '/')
		path = process_format(p, "%s/%s", process_folder(p), path);
	return python_run(p, text_slice(&text), path, argc, argv);
}

static int python_input(struct process *p, int argc, char **argv)
{
	struct text program = {0};

	text_add_words(p, &program, "");
	(void)process_read_all(p, 0, PROGRAM_MAX, &program);
	process_report_input(p, text_slice(&program));
	return python_run(p, text_slice(&program), "<stdin>", argc, argv);
}

static int python_usage(struct process *p, const char *words)
{
	process_error(p,
		      "%s\nusage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"
		      "Try `python -h' for more information.\n",
		      words, p->argv[0]);
	return 2;
}

static int serve_http(struct process *p, int argc, char **argv)
{
	const char *port = argc > 1 ? argv[1] : "8000";

	process_print(p, "Serving HTTP on 0.0.0.0 port %s (http://0.0.0.0:%s/) ...\n", port, port);
	process_flush(p);
	while (process_sleep(p, 3600 * SECOND))
		process_step(p);
	return 0;
}

static int python_module(struct process *p, int argc, char **argv)
{
	static const char json_tool[] =
		"import sys,json\n"
		"f=open(sys.argv[1]) if len(sys.argv)>1 else sys.stdin\n"
		"try:\n print(json.dumps(json.load(f),indent=4,ensure_ascii=False))\n"
		"except ValueError as e: sys.exit(str(e))\n";

	if (strcmp(argv[0], "http.server") == 0)
		return serve_http(p, argc, argv);
	if (strcmp(argv[0], "json.tool") == 0)
		return python_run(p, SLICE(json_tool), "<string>", argc, argv);
	process_error(p, "/usr/bin/python3: No module named %s\n", argv[0]);
	return 1;
}

static int python_main(struct process *process, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strncmp(word, "-c", 2) == 0 && !word[2] && i + 1 >= argc)
			return python_usage(process, "Argument expected for the -c option");
		if (strncmp(word, "-c", 2) == 0) {
			struct slice program = slice_text(word[2] ? word + 2 : argv[++i]);

			argv[i] = (char *)"-c";
			return python_run(process, program, "<string>", argc - i, argv + i);
		}
		if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
			process_put_text(process, "Python 3.11.2\n");
			return 0;
		}
		if (strcmp(word, "-VV") == 0) {
			process_put_text(process,
					 "Python 3.11.2 (main, Apr 28 2025, 14:11:48) [GCC "
					 "12.2.0]\n");
			return 0;
		}
		if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			process_put_text(process, outside_usage("python3 -h"));
			return 0;
		}
		if (strcmp(word, "-m") == 0)
			return i + 1 < argc ? python_module(process, argc - i - 1, argv + i + 1)
					    : python_usage(process,
							   "Argument expected for the -m option");
		if (strcmp(word, "-") == 0)
			return python_input(process, argc - i, argv + i);
		if (word[0] != '-')
			return python_script(process, argc - i, argv + i);
		if (!strchr("bBdEiIOPqsSuvWxX", word[1]))
			return python_usage(
				process,
				word[1] == '-'
					? process_format(process, "unknown option %s", word)
					: process_format(process, "Unknown option: -%c", word[1]));
	}
	argv[0] = (char *)"";
	if (process_is_terminal(process, 0))
		return python_prompt(process, 1, argv);
	return python_input(process, 1, argv);
}

/* --- perl --- */

static int run_input(struct process *p)
{
	struct text program = {0};

	(void)process_read_all(p, 0, PROGRAM_MAX, &program);
	process_report_input(p, text_slice(&program));
	return script_run(p, false, text_slice(&program));
}

struct perl {
	struct text program;
	struct script_filter filter;
	bool has_program, loops, check;
};

/* What is not understood of such a program leaves the lines as they are. */
static int filter(struct process *p, struct perl *perl, int count, char **files)
{
	char **argv = process_take(p, sizeof(char *) * ((size_t)count + 2));
	int status;

	perl->filter.program = perl->program.data;
	status = script_filter(p, &perl->filter, count, files);
	if (status >= 0)
		return status;
	if (!perl->filter.prints || perl->filter.in_place)
		return 0;
	argv[0] = (char *)"cat";
	for (int i = 0; i < count; i++)
		argv[i + 1] = files[i];
	return command_run_program(p, argv, NULL);
}

static int perl_file(struct process *p, const char *path)
{
	struct text text = {0};
	int error = process_read_file(p, path, PROGRAM_MAX, &text);
	if (error) {
		process_error(p, "Can't open perl script \"%s\": %s\n", path, strerror(-error));
		return 2;
	}
	return script_run(p, false, text_slice(&text));
}

static int perl_main(struct process *process, int argc, char **argv)
{
	struct perl perl = {.has_program = false};
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		for (const char *at = argv[i] + 1; *at; at++) {
			if (*at == 'v') {
				process_put_text(process, perl_version);
				return 0;
			}
			if (*at == 'h') {
				process_put_text(process, outside_usage("perl -h"));
				return 0;
			}
			perl.loops = perl.loops || *at == 'n' || *at == 'p';
			perl.filter.prints = perl.filter.prints || *at == 'p';
			perl.filter.lines = perl.filter.lines || *at == 'l';
			perl.filter.splits = perl.filter.splits || *at == 'a' || *at == 'F';
			perl.filter.whole = perl.filter.whole || strncmp(at, "0777", 4) == 0;
			if (*at == 'F') {
				const char *by = at[1] ? at + 1 : i + 1 < argc ? argv[++i] : "";

				perl.loops = true;
				perl.filter.separator =
					by[0] == '/' || by[0] == '\\' ? by[1] : by[0];
				break;
			}
			perl.check = perl.check || *at == 'c';
			if (*at == 'i') {
				perl.filter.in_place = true;
				break;
			}
			if (*at == 'e' || *at == 'E') {
				const char *program = at[1]          ? at + 1
						      : i + 1 < argc ? argv[++i]
								     : NULL;
				if (!program) {
					process_error(process, "No code specified for -%c.\n", *at);
					return 2;
				}
				text_format(process, &perl.program, "%s\n", program);
				perl.has_program = true;
				break;
			}
			if (*at == 'l') { /* may have digits */
				while (at[1] >= '0' && at[1] <= '7')
					at++;
				continue;
			}
			if (strchr("MmIFx0CdDVA", *at))
				break;
			if (!strchr("npacsStTuUwWXlf", *at)) {
				process_error(process,
					      "Unrecognized switch: -%s  (-h will show valid "
					      "options).\n",
					      at);
				return 29;
			}
		}
	}
	if (perl.has_program && perl.check) {
		process_error(process, "-e syntax OK\n");
		return 0;
	}
	if (perl.has_program && perl.loops)
		return filter(process, &perl, argc - i, argv + i);
	if (perl.has_program)
		return script_run(process, perl.filter.lines, text_slice(&perl.program));
	if (i < argc && strcmp(argv[i], "-") != 0)
		return perl_file(process, argv[i]);
	return run_input(process);
}

static const char *const python_names[] = {"python3", NULL};

static const struct command commands[] = {
	{"python3.11", python_main, COMMAND_DEBIAN, NULL, python_names},
	{"perl", perl_main, COMMAND_DEBIAN, NULL,
	 (const char *const[]){"perl5.36-x86_64-linux-gnu", "perl5.36.0", NULL}},
	{0},
};

const struct command_family command_family_scripting = {"scripting", commands};
