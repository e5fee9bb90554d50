/* How sed is called. */
#include "decoy/machine/commands/text_sed.h"

enum { OPTION_POSIX = TEXT_OWN, OPTION_DEBUG, OPTION_SANDBOX, OPTION_SYMLINKS };

static const struct option_word sed_words[] = {{"binary", 'b'},
					       {"regexp-extended", 'E'},
					       {"debug", OPTION_DEBUG},
					       {"in-place", 'i', OPTION_MAY},
					       {"expression", 'e', OPTION_NEEDS},
					       {"file", 'f', OPTION_NEEDS},
					       {"line-length", 'l', OPTION_NEEDS},
					       {"null-data", 'z'},
					       {"zero-terminated", 'z'},
					       {"quiet", 'n'},
					       {"posix", OPTION_POSIX},
					       {"silent", 'n'},
					       {"sandbox", OPTION_SANDBOX},
					       {"separate", 's'},
					       {"unbuffered", 'u'},
					       {"follow-symlinks", OPTION_SYMLINKS},
					       TEXT_WORDS};

static const char usage_words[] =
	"Usage: %s [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n"
	"  -n, --quiet, --silent    print only what the script prints\n"
	"  -e, --expression=SCRIPT  add SCRIPT to the commands\n"
	"  -f, --file=FILE          add the commands in FILE\n"
	"  -E, -r, --regexp-extended\n"
	"                           extended regular expressions\n"
	"  -i[SUFFIX], --in-place[=SUFFIX]\n"
	"                           change the files themselves\n"
	"  -s, --separate           each file begins at line 1\n"
	"  -z, --null-data          lines end in NUL\n"
	"      --help     show this text and exit\n"
	"      --version  show the version and exit\n";

_Noreturn static void usage(struct process *process)
{
	if (process->busybox)
		command_busybox_usage(process, process->argv[0]);
	else
		process_error(process, usage_words, process->argv[0]);
	process_exit(process, 1);
}

static void add_file(struct sed *sed, const char *name)
{
	struct text text = {0};
	int descriptor = text_open_quiet(sed->process, name);
	int error = descriptor < 0
			    ? descriptor
			    : process_read_all(sed->process, descriptor, TEXT_WHOLE_MAX, &text);

	if (error < 0) {
		process_complain(sed->process, "couldn't open file %s: %s", name, strerror(-error));
		process_exit(sed->process, sed->process->busybox ? 1 : 4);
	}
	text_close(sed->process, descriptor);
	sed->in_file = true;
	sed->where = process_format(sed->process, "file %s", name);
	sed_parse(sed, text_slice(&text));
	sed->in_file = false;
}

static void add_expression(struct sed *sed, const char *script)
{
	sed->expression++;
	sed_parse(sed, slice_text(script));
}

/* Options first, for -E and -z hold for scripts before them too; then the scripts. */
static bool read_option(struct sed *sed, int option, const char *argument)
{
	switch (option) {
	case 'n':
		sed->quiet = true;
		break;
	case 'E':
	case 'r':
		sed->extended = true;
		break;
	case 'i':
		sed->in_place = sed->separate = true;
		sed->suffix = argument;
		break;
	case 's':
		sed->separate = true;
		break;
	case 'u':
		sed->unbuffered = true;
		break;
	case 'z':
		sed->nul = true;
		break;
	case 'l':
		if (slice_number(slice_text(argument), 0, 100000, &sed->wrap) != 0)
			usage(sed->process);
		break;
	case OPTION_POSIX:
		sed->posix = true;
		break;
	case TEXT_VERSION:
		process_put_text(sed->process, "sed (GNU sed) 4.9\nPackaged by Debian\n");
		process_exit(sed->process, 0);
	case TEXT_HELP:
		process_print(sed->process, usage_words, sed->process->argv[0]);
		process_exit(sed->process, 0);
	case '?':
		usage(sed->process);
	case 'e':
	case 'f':
		return true;
	default:
		break;
	}
	return false;
}

static int sed_main(struct process *process, int argc, char **argv)
{
	struct sed sed = {.process = process, .wrap = 70};
	struct option_state state = {0};
	struct {
		int kind;
		const char *text;
	} *scripts = process_take(process, ((size_t)argc + 1) * sizeof(*scripts));
	size_t count = 0;
	char **names;
	int option, name_count;

	while ((option = option_next(process, &state, argc, argv, ":bsnrzuEe:f:l:i::hV",
				     sed_words)) != -1) {
		if (read_option(&sed, option == 'h' ? TEXT_HELP : option, state.argument)) {
			scripts[count].kind = option;
			scripts[count++].text = state.argument;
		}
	}
	if (count == 0) {
		if (state.index >= argc)
			usage(process);
		scripts[count].kind = 'e';
		scripts[count++].text = argv[state.index++];
	}
	for (size_t i = 0; i < count; i++) {
		if (scripts[i].kind == 'e')
			add_expression(&sed, scripts[i].text);
		else
			add_file(&sed, scripts[i].text);
	}
	sed_parse_end(&sed);
	if (sed.in_place && state.index >= argc) {
		process_complain(process, "no input files");
		return process->busybox ? 1 : 4;
	}
	name_count = text_names(process, &state, argc, argv, &names);
	return sed_run(&sed, names, name_count);
}

static const struct command commands[] = {
	{"sed", sed_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_sed = {"text_sed", commands};
