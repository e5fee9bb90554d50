/* python3 and perl: one-liners, scripts and the interactive prompt, as far as scripting_run.c
 * understands them.
 */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
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

static int run_input(struct process *p, bool perl)
{
	struct text program = {0};
	(void)process_read_all(p, 0, PROGRAM_MAX, &program);
	process_report_input(p, text_slice(&program));
	return script_run(p, perl, text_slice(&program), "-");
}

/* --- python3 --- */

static int python_prompt(struct process *p)
{
	struct script *script = process_take(p, sizeof(*script));
	struct line_reader reader;
	struct slice line;
	bool newline;
	script->process = p;
	process_put_text(p, python_banner);
	line_reader_open(&reader, 0);
	for (;;) {
		process_put_text(p, ">>> ");
		process_flush(p);
		if (!line_reader_next(p, &reader, &line, &newline))
			break;
		process_report_input(p, line);
		if (slice_is(line, "exit") || slice_is(line, "quit")) {
			process_print(p, "Use %s() or Ctrl-D (i.e. EOF) to exit\n",
				      line.at[0] == 'e' ? "exit" : "quit");
			continue;
		}
		script->beyond = script->exited = script->failed = false;
		(void)script_run_line(script, slice_text(process_copy_slice(p, line)));
		if (script->exited && !script->failed)
			return script->status;
		/* A block goes on until an empty line. */
		struct slice end = slice_trim(line);
		while (script->beyond && end.length && end.at[end.length - 1] == ':') {
			process_put_text(p, "... ");
			process_flush(p);
			if (!line_reader_next(p, &reader, &line, &newline) || line.length == 0)
				break;
			process_report_input(p, line);
			process_step(p);
		}
		process_step(p);
	}
	process_put_byte(p, '\n');
	return 0;
}

static int python_file(struct process *p, const char *program, const char *path)
{
	struct text text = {0};
	struct file_status status;
	int error = process_stat(p, path, true, &status);
	if (!error && S_ISDIR(status.mode)) {
		process_error(p, "%s: can't find '__main__' module in '%s/%s'\n", program,
			      process_folder(p), path);
		return 1;
	}
	if (!error)
		error = process_read_file(p, path, PROGRAM_MAX, &text);
	if (error) {
		const char *at =
			*path == '/' ? path : process_format(p, "%s/%s", process_folder(p), path);
		process_error(p, "%s: can't open file '%s': [Errno %d] %s\n", program, at, -error,
			      strerror(-error));
		return 2;
	}
	return script_run(p, false, text_slice(&text), path);
}

static int python_main(struct process *process, int argc, char **argv)
{
	const char *program = argv[0];

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (strcmp(word, "-c") == 0 && i + 1 < argc)
			return script_run(process, false, slice_text(argv[i + 1]), "<string>");
		if (strncmp(word, "-c", 2) == 0 && word[2])
			return script_run(process, false, slice_text(word + 2), "<string>");
		if (strcmp(word, "-c") == 0) {
			process_error(process,
				      "Argument expected for the -c option\nusage: %s [option] "
				      "... [-c cmd | -m mod | file | -] [arg] ...\nTry "
				      "`python -h' for more information.\n",
				      program);
			return 2;
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
		if (strcmp(word, "-m") == 0 && i + 1 < argc) {
			const char *module = argv[i + 1];
			if (strcmp(module, "http.server") == 0) {
				process_print(process,
					      "Serving HTTP on 0.0.0.0 port %s (http://"
					      "0.0.0.0:%s/) ...\n",
					      i + 2 < argc ? argv[i + 2] : "8000",
					      i + 2 < argc ? argv[i + 2] : "8000");
				process_flush(process);
				for (;;)
					process_sleep(process, 3600 * SECOND);
			}
			process_error(process, "%s: No module named %s\n", program, module);
			return 1;
		}
		if (strcmp(word, "-") == 0)
			return run_input(process, false);
		if (word[0] != '-')
			return python_file(process, program, word);
		if (!strchr("bBdEiIOPqsSuvWxX", word[1])) {
			process_error(process,
				      "Unknown option: -%c\nusage: %s [option] ... [-c cmd | "
				      "-m mod | file | -] [arg] ...\nTry `python -h' for "
				      "more information.\n",
				      word[1], program);
			return 2;
		}
	}
	if (process_is_terminal(process, 0))
		return python_prompt(process);
	return run_input(process, false);
}

/* --- perl --- */

struct perl {
	struct text program;
	bool has_program, loops, prints, in_place, check;
};

/* `-pe s///`, `-ne 'print if //'`: sed and grep do the same. */
static int filter(struct process *p, const struct perl *perl, int count, char **files)
{
	const char *text = perl->program.data;
	struct slice program = slice_trim(slice_text(text));
	char **argv = process_take(p, sizeof(char *) * ((size_t)count + 8));
	int n = 0;
	while (program.length && program.at[program.length - 1] == ';')
		program.length--;
	if (perl->prints && (slice_starts(program, "s") || slice_starts(program, "y"))) {
		argv[n++] = (char *)"sed";
		argv[n++] = (char *)"-E";
		if (perl->in_place)
			argv[n++] = (char *)"-i";
		argv[n++] = process_copy_slice(p, program);
	} else if (slice_starts(program, "print if /")) {
		struct slice pattern = slice_from(program, strlen("print if /"));
		argv[n++] = (char *)"grep";
		argv[n++] = (char *)"-hE";
		argv[n++] = (char *)"-e";
		size_t slash = pattern.length;
		while (slash > 0 && pattern.at[slash - 1] != '/')
			slash--;
		argv[n++] = process_copy_slice(p, slice_first(pattern, slash ? slash - 1 : 0));
	} else {
		argv[n++] = (char *)"cat";
	}
	for (int i = 0; i < count; i++)
		argv[n++] = files[i];
	argv[n] = NULL;
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
	return script_run(p, true, text_slice(&text), path);
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
			perl.prints = perl.prints || *at == 'p';
			perl.check = perl.check || *at == 'c';
			if (*at == 'i') {
				perl.in_place = true;
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
			if (strchr("MmIFx0lCdDVA", *at))
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
		return script_run(process, true, text_slice(&perl.program), "-e");
	if (i < argc && strcmp(argv[i], "-") != 0)
		return perl_file(process, argv[i]);
	return run_input(process, true);
}

static const char *const python_names[] = {"python3", NULL};

static const struct command commands[] = {
	{"python3.11", python_main, COMMAND_DEBIAN, NULL, python_names},
	{"perl", perl_main, COMMAND_DEBIAN, NULL,
	 (const char *const[]){"perl5.36-x86_64-linux-gnu", "perl5.36.0", NULL}},
	{0},
};

const struct command_family command_family_scripting = {"scripting", commands};
