/* The terminal: stty, tty, clear, reset, tput, locale. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/terminal.h"

struct flag {
	const char *name;
	int kind; /* 'i' 'o' 'l'; 'c': of the line, fixed */
	uint32_t bit;
	bool usual; /* what `sane` sets */
	bool line_end;
};

/* In the order of stty -a. */
static const struct flag flags[] = {
	{"parenb", 'c', 0, false, false},
	{"parodd", 'c', 0, false, false},
	{"cmspar", 'c', 0, false, false},
	{"cs8", 'c', 1, true, false},
	{"hupcl", 'c', 0, false, false},
	{"cstopb", 'c', 0, false, false},
	{"cread", 'c', 1, true, false},
	{"clocal", 'c', 0, false, false},
	{"crtscts", 'c', 0, false, true},
	{"ignbrk", 'i', TERMINAL_IGNBRK, false, false},
	{"brkint", 'i', TERMINAL_BRKINT, true, false},
	{"ignpar", 'i', TERMINAL_IGNPAR, false, false},
	{"parmrk", 'i', TERMINAL_PARMRK, false, false},
	{"inpck", 'i', TERMINAL_INPCK, false, false},
	{"istrip", 'i', TERMINAL_ISTRIP, false, false},
	{"inlcr", 'i', TERMINAL_INLCR, false, false},
	{"igncr", 'i', TERMINAL_IGNCR, false, false},
	{"icrnl", 'i', TERMINAL_ICRNL, true, false},
	{"ixon", 'i', TERMINAL_IXON, true, false},
	{"ixoff", 'i', TERMINAL_IXOFF, false, true},
	{"iuclc", 'i', TERMINAL_IUCLC, false, false},
	{"ixany", 'i', TERMINAL_IXANY, false, false},
	{"imaxbel", 'i', TERMINAL_IMAXBEL, true, false},
	{"iutf8", 'i', TERMINAL_IUTF8, false, true},
	{"opost", 'o', TERMINAL_OPOST, true, false},
	{"olcuc", 'o', TERMINAL_OLCUC, false, false},
	{"ocrnl", 'o', TERMINAL_OCRNL, false, false},
	{"onlcr", 'o', TERMINAL_ONLCR, true, false},
	{"onocr", 'o', TERMINAL_ONOCR, false, false},
	{"onlret", 'o', TERMINAL_ONLRET, false, false},
	{"ofill", 'c', 0, false, false},
	{"ofdel", 'c', 0, false, false},
	{"nl0", 'c', 1, true, false},
	{"cr0", 'c', 1, true, false},
	{"tab0", 'c', 1, true, false},
	{"bs0", 'c', 1, true, false},
	{"vt0", 'c', 1, true, false},
	{"ff0", 'c', 1, true, true},
	{"isig", 'l', TERMINAL_ISIG, true, false},
	{"icanon", 'l', TERMINAL_ICANON, true, false},
	{"iexten", 'l', TERMINAL_IEXTEN, true, false},
	{"echo", 'l', TERMINAL_ECHO, true, false},
	{"echoe", 'l', TERMINAL_ECHOE, true, false},
	{"echok", 'l', TERMINAL_ECHOK, true, false},
	{"echonl", 'l', TERMINAL_ECHONL, false, false},
	{"noflsh", 'l', TERMINAL_NOFLSH, false, false},
	{"xcase", 'c', 0, false, false},
	{"tostop", 'l', TERMINAL_TOSTOP, false, false},
	{"echoprt", 'c', 0, false, true},
	{"echoctl", 'l', TERMINAL_ECHOCTL, true, false},
	{"echoke", 'l', TERMINAL_ECHOKE, true, false},
	{"flusho", 'c', 0, false, false},
	{"extproc", 'c', 0, false, true},
};

static const struct {
	const char *name;
	int index; /* -1: none here */
	uint8_t usual;
} controls[] = {
	{"intr", TERMINAL_INTR, 3},
	{"quit", TERMINAL_QUIT, 28},
	{"erase", TERMINAL_ERASE, 127},
	{"kill", TERMINAL_KILL, 21},
	{"eof", TERMINAL_EOF, 4},
	{"eol", TERMINAL_EOL, 0},
	{"eol2", TERMINAL_EOL2, 0},
	{"swtch", -1, 0},
	{"start", TERMINAL_START, 17},
	{"stop", TERMINAL_STOP, 19},
	{"susp", TERMINAL_SUSP, 26},
	{"rprnt", TERMINAL_REPRINT, 18},
	{"werase", TERMINAL_WERASE, 23},
	{"lnext", TERMINAL_LNEXT, 22},
	{"discard", -1, 15},
};

static uint32_t *word_of(struct terminal_modes *modes, int kind)
{
	return kind == 'i'   ? &modes->input
	       : kind == 'o' ? &modes->output
	       : kind == 'l' ? &modes->local
			     : NULL;
}

static bool flag_on(struct terminal_modes *modes, const struct flag *f)
{
	uint32_t *word = word_of(modes, f->kind);

	return word ? (*word & f->bit) != 0 : f->bit != 0;
}

static const char *control_text(struct process *p, uint8_t c)
{
	if (c == 0 || c == 255)
		return "<undef>";
	if (c == 127)
		return "^?";
	if (c < 32)
		return process_format(p, "^%c", c + 64);
	return process_format(p, "%c", c);
}

/* Words with ; or space between, broken before 80 columns as stty does. */
static void put_wrapped(struct process *p, unsigned *column, const char *words)
{
	size_t length = strlen(words);

	if (*column && *column + 1 + length >= 80) {
		process_put_byte(p, '\n');
		*column = 0;
	}
	if (*column) {
		process_put_byte(p, ' ');
		(*column)++;
	}
	process_put_text(p, words);
	*column += (unsigned)length;
}

static void stty_all(struct process *p, struct terminal_modes *modes)
{
	unsigned column = 0;

	put_wrapped(p, &column,
		    process_format(p, "speed %u baud;",
				   modes->output_speed ? modes->output_speed : 38400));
	put_wrapped(p, &column, process_format(p, "rows %u;", modes->rows));
	put_wrapped(p, &column, process_format(p, "columns %u;", modes->columns));
	put_wrapped(p, &column, "line = 0;");
	process_put_byte(p, '\n');
	column = 0;
	for (size_t i = 0; i < ARRAY_COUNT(controls); i++)
		put_wrapped(
			p, &column,
			process_format(p, "%s = %s;", controls[i].name,
				       control_text(p, controls[i].index >= 0
							       ? modes->control[controls[i].index]
							       : controls[i].usual)));
	put_wrapped(p, &column,
		    process_format(p, "min = %u; time = %u;", modes->minimum, modes->time));
	process_put_byte(p, '\n');
	column = 0;
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		put_wrapped(p, &column,
			    process_format(p, "%s%s", flag_on(modes, &flags[i]) ? "" : "-",
					   flags[i].name));
		if (flags[i].line_end) {
			process_put_byte(p, '\n');
			column = 0;
		}
	}
}

static void stty_changed(struct process *p, struct terminal_modes *modes)
{
	unsigned column = 0;

	process_print(p, "speed %u baud; line = 0;\n",
		      modes->output_speed ? modes->output_speed : 38400);
	for (size_t i = 0; i < ARRAY_COUNT(controls); i++)
		if (controls[i].index >= 0 &&
		    modes->control[controls[i].index] != controls[i].usual)
			put_wrapped(
				p, &column,
				process_format(p, "%s = %s;", controls[i].name,
					       control_text(p, modes->control[controls[i].index])));
	if (column)
		process_put_byte(p, '\n');
	for (int kind = 0; kind < 3; kind++) {
		column = 0;
		for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
			if (flags[i].kind != "iol"[kind] ||
			    flag_on(modes, &flags[i]) == flags[i].usual)
				continue;
			put_wrapped(p, &column,
				    process_format(p, "%s%s", flag_on(modes, &flags[i]) ? "" : "-",
						   flags[i].name));
		}
		if (column)
			process_put_byte(p, '\n');
	}
}

static bool set_flag(struct terminal_modes *modes, const char *word)
{
	bool off = *word == '-';

	word += off;
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		uint32_t *bits = word_of(modes, flags[i].kind);

		if (strcmp(flags[i].name, word) != 0)
			continue;
		if (bits)
			*bits = off ? *bits & ~flags[i].bit : *bits | flags[i].bit;
		return true;
	}
	if (strcmp(word, "sane") == 0) {
		unsigned rows = modes->rows, columns = modes->columns;
		char type[64];

		memcpy(type, modes->type, sizeof(type));
		terminal_modes_usual(modes);
		memcpy(modes->type, type, sizeof(type));
		modes->rows = rows;
		modes->columns = columns;
		return true;
	}
	if (strcmp(word, "raw") == 0 || strcmp(word, "cooked") == 0) {
		bool raw = (*word == 'r') != off;

		if (raw) {
			modes->input = 0;
			modes->output &= ~(uint32_t)TERMINAL_OPOST;
			modes->local &= ~(uint32_t)(TERMINAL_ISIG | TERMINAL_ICANON);
			modes->minimum = 1;
			modes->time = 0;
		} else {
			modes->input |=
				TERMINAL_BRKINT | TERMINAL_IGNPAR | TERMINAL_ICRNL | TERMINAL_IXON;
			modes->output |= TERMINAL_OPOST;
			modes->local |= TERMINAL_ISIG | TERMINAL_ICANON;
		}
		return true;
	}
	if (strcmp(word, "cbreak") == 0) {
		modes->local = off ? modes->local | TERMINAL_ICANON
				   : modes->local & ~(uint32_t)TERMINAL_ICANON;
		return true;
	}
	if (strcmp(word, "crt") == 0 || strcmp(word, "dec") == 0 || strcmp(word, "pass8") == 0 ||
	    strcmp(word, "ek") == 0 || strcmp(word, "evenp") == 0 || strcmp(word, "oddp") == 0)
		return true;
	if (strcmp(word, "nl") == 0) {
		modes->input = off ? modes->input | TERMINAL_ICRNL
				   : modes->input & ~(uint32_t)TERMINAL_ICRNL;
		modes->output = off ? modes->output | TERMINAL_ONLCR
				    : modes->output & ~(uint32_t)TERMINAL_ONLCR;
		return true;
	}
	return false;
}

static uint8_t control_value(const char *word)
{
	int64_t number;

	if (strcmp(word, "undef") == 0 || strcmp(word, "^-") == 0)
		return 0;
	if (word[0] == '^' && word[1])
		return word[1] == '?' ? 127 : (uint8_t)(word[1] & 31);
	if (word[0] && word[1] && slice_number(slice_text(word), 0, 255, &number) == 0)
		return (uint8_t)number;
	return (uint8_t)word[0];
}

/* How many words it took; 0: wrong. */
static int set_one(struct process *p, struct terminal_modes *modes, char **argv, int left)
{
	int64_t number;

	for (size_t i = 0; i < ARRAY_COUNT(controls); i++) {
		if (strcmp(controls[i].name, argv[0]) != 0)
			continue;
		if (left < 2) {
			process_complain(p, "missing argument to '%s'", argv[0]);
			return 0;
		}
		if (controls[i].index >= 0)
			modes->control[controls[i].index] = control_value(argv[1]);
		return 2;
	}
	if (strcmp(argv[0], "rows") == 0 || strcmp(argv[0], "cols") == 0 ||
	    strcmp(argv[0], "columns") == 0 || strcmp(argv[0], "min") == 0 ||
	    strcmp(argv[0], "time") == 0) {
		if (left < 2) {
			process_complain(p, "missing argument to '%s'", argv[0]);
			return 0;
		}
		if (slice_number(slice_text(argv[1]), 0, 65535, &number)) {
			process_complain(p, "invalid integer argument: '%s'", argv[1]);
			return 0;
		}
		if (argv[0][0] == 'r')
			modes->rows = (uint16_t)number;
		else if (argv[0][0] == 'c')
			modes->columns = (uint16_t)number;
		else if (argv[0][0] == 'm')
			modes->minimum = (uint8_t)number;
		else
			modes->time = (uint8_t)number;
		return 2;
	}
	if (strcmp(argv[0], "size") == 0) {
		process_print(p, "%u %u\n", modes->rows, modes->columns);
		return 1;
	}
	if (strcmp(argv[0], "speed") == 0) {
		process_print(p, "%u\n", modes->output_speed ? modes->output_speed : 38400);
		return 1;
	}
	if ((strcmp(argv[0], "ispeed") == 0 || strcmp(argv[0], "ospeed") == 0) && left > 1)
		return 2;
	if (slice_number(slice_text(argv[0]), 50, 4000000, &number) == 0) {
		modes->output_speed = modes->input_speed = (uint32_t)number;
		return 1;
	}
	if (set_flag(modes, argv[0]))
		return 1;
	process_complain(p, "invalid argument '%s'", argv[0]);
	return 0;
}

/* stty -g and what it prints: the words in hexadecimal. */
static bool set_saved(struct terminal_modes *modes, const char *word)
{
	unsigned input, output, control, local;
	int used = 0;

	if (sscanf(word, "%x:%x:%x:%x%n", &input, &output, &control, &local, &used) != 4 ||
	    word[used] != ':')
		return false;
	modes->input = input;
	modes->output = output;
	modes->local = local;
	return true;
}

static int run_stty(struct process *p, int argc, char **argv)
{
	struct terminal_modes *modes;
	int descriptor = 0, i = 1;
	const char *device = "standard input";

	if (argc > 1 && strncmp(argv[1], "--help", 6) == 0)
		system_usage(p,
			     "Usage: stty [-F DEVICE | --file=DEVICE] [SETTING]...\n"
			     "  or:  stty [-F DEVICE | --file=DEVICE] [-a|--all]\n"
			     "  or:  stty [-F DEVICE | --file=DEVICE] [-g|--save]\n"
			     "Print or change terminal characteristics.\n",
			     0);
	if (argc > 2 && strcmp(argv[1], "-F") == 0) {
		device = argv[2];
		descriptor = process_open(p, device, 0, 0);
		i = 3;
		if (descriptor < 0) {
			process_complain(p, "%s: %s", device, strerror(-descriptor));
			return 1;
		}
	}
	modes = process_terminal(p, descriptor);
	if (!modes) {
		process_complain(p,
				 strcmp(device, "standard input") == 0
					 ? "'%s': Inappropriate ioctl for device"
					 : "%s: Inappropriate ioctl for device",
				 device);
		return 1;
	}
	if (i >= argc) {
		stty_changed(p, modes);
		return 0;
	}
	for (; i < argc;) {
		int took;

		if (strcmp(argv[i], "-a") == 0 || strcmp(argv[i], "--all") == 0) {
			stty_all(p, modes);
			i++;
			continue;
		}
		if (strcmp(argv[i], "-g") == 0 || strcmp(argv[i], "--save") == 0) {
			process_print(p,
				      "%x:%x:bf:%x:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0:"
				      "0:0:0:0:0:"
				      "0:0:0:0:0:0:0:0\n",
				      modes->input, modes->output, modes->local);
			i++;
			continue;
		}
		if (set_saved(modes, argv[i])) {
			i++;
			continue;
		}
		took = set_one(p, modes, argv + i, argc - i);
		if (!took) {
			process_error(p, "Try 'stty --help' for more information.\n");
			return 1;
		}
		i += took;
	}
	return 0;
}

static int run_tty(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"silent", 's'}, {"quiet", 's'}, TEXT_WORDS};
	struct option_state state = {0};
	bool silent = false, terminal = process_is_terminal(p, 0);
	int option;

	while ((option = option_next(p, &state, argc, argv, "s", words)) != -1) {
		if (option == 's')
			silent = true;
		else
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]...\nPrint the file name of the terminal connected to "
				"standard input.\n",
				2);
	}
	if (state.index < argc) {
		process_complain(p, "extra operand '%s'\nTry '%s --help' for more information.",
				 argv[state.index], argv[0]);
		return 2;
	}
	if (!silent) {
		if (terminal)
			process_print(p, "/dev/%s\n", process_terminal_name(p));
		else
			process_put_text(p, "not a tty\n");
	}
	return terminal ? 0 : 1;
}

/* --- terminfo --- */

static bool known_terminal(const char *type)
{
	static const char *const known[] = {
		"xterm",         "xterm-256color", "xterm-color", "vt100",           "vt102",
		"vt220",         "linux",          "screen",      "screen-256color", "tmux",
		"tmux-256color", "ansi",           "rxvt",        "rxvt-unicode",    "dumb",
		"cygwin",        "putty",          "xterm-mono"};

	for (size_t i = 0; type && i < ARRAY_COUNT(known); i++)
		if (strcmp(known[i], type) == 0)
			return true;
	return false;
}

static int need_terminal(struct process *p, const char *type)
{
	if (!type || !*type) {
		process_complain(p, strcmp(system_called(p), "tput") == 0
					    ? "No value for $TERM and no -T specified"
					    : "TERM environment variable not set.");
		return strcmp(system_called(p), "tput") == 0 ? 2 : 1;
	}
	if (!known_terminal(type)) {
		if (strcmp(system_called(p), "tput") == 0)
			process_complain(p, "unknown terminal \"%s\"", type);
		else
			process_error(p, "'%s': unknown terminal type.\n", type);
		return strcmp(system_called(p), "tput") == 0 ? 3 : 1;
	}
	return 0;
}

static const char *clear_of(const char *type)
{
	if (strncmp(type, "xterm", 5) == 0 || strncmp(type, "putty", 5) == 0 ||
	    strncmp(type, "tmux", 4) == 0)
		return "\033[H\033[2J\033[3J";
	if (strcmp(type, "linux") == 0)
		return "\033[H\033[J\033[3J";
	if (strcmp(type, "dumb") == 0)
		return "";
	return "\033[H\033[J";
}

static int run_clear(struct process *p, int argc, char **argv)
{
	const char *type = process_environment(p, "TERM");
	int wrong;

	if (argc > 1 && strcmp(argv[1], "-V") == 0)
		system_usage(p, "ncurses 6.4.20221231\n", 0);
	(void)argv;
	if (p->busybox) {
		process_put_text(p, "\033[H\033[J");
		return 0;
	}
	wrong = need_terminal(p, type);
	if (wrong)
		return wrong;
	process_put_text(p, clear_of(type));
	return 0;
}

static int run_reset(struct process *p, int argc, char **argv)
{
	const char *type = argc > 1 && argv[1][0] != '-' ? argv[1] : process_environment(p, "TERM");
	struct terminal_modes *modes = process_terminal(p, 2);

	if (p->busybox) {
		process_put_text(p, "\033c\033(B\033[m\033[J\033[?25h");
		return 0;
	}
	if (!type || !known_terminal(type)) {
		process_error(p, "%s: unknown terminal type %s\nTerminal type? ", system_called(p),
			      type ? type : "unknown");
		return 1;
	}
	if (modes)
		(void)set_flag(modes, "sane");
	process_error(p, "%s",
		      strncmp(type, "xterm", 5) == 0
			      ? "\033c\033]104\007\033[!p\033[?3;4l\033[4l\033>\033[?69l\r"
			      : "\033c\r");
	if (strcmp(system_called(p), "reset") == 0)
		process_sleep(p, SECOND);
	return 0;
}

static int run_tput(struct process *p, int argc, char **argv)
{
	const char *type = process_environment(p, "TERM");
	const struct terminal_modes *modes = process_terminal(p, 2);
	static const struct {
		const char *name, *sequence;
	} plain[] = {{"sgr0", "\033(B\033[m"},
		     {"bold", "\033[1m"},
		     {"dim", "\033[2m"},
		     {"rev", "\033[7m"},
		     {"smul", "\033[4m"},
		     {"rmul", "\033[24m"},
		     {"smso", "\033[7m"},
		     {"rmso", "\033[27m"},
		     {"civis", "\033[?25l"},
		     {"cnorm", "\033[?12l\033[?25h"},
		     {"el", "\033[K"},
		     {"ed", "\033[J"},
		     {"home", "\033[H"},
		     {"smcup", "\033[?1049h\033[22;0;0t"},
		     {"rmcup", "\033[?1049l\033[23;0;0t"},
		     {"bel", "\a"},
		     {"sc", "\0337"},
		     {"rc", "\0338"},
		     {"op", "\033[39;49m"},
		     {"blink", "\033[5m"}};
	int i = 1, wrong;
	int64_t a = 0, b = 0;

	if (argc > 1 && strcmp(argv[1], "-V") == 0)
		system_usage(p, "ncurses 6.4.20221231\n", 0);
	if (argc > 1 && strncmp(argv[1], "-T", 2) == 0) {
		type = argv[1][2] ? argv[1] + 2 : argc > 2 ? argv[2] : "";
		i = argv[1][2] ? 2 : 3;
	}
	if (i >= argc)
		system_usage(p,
			     "Usage: tput [options] [command]\n\nOptions:\n"
			     "  -S <<       read commands from standard input\n"
			     "  -T TERM     use this instead of $TERM\n"
			     "  -V          print curses-version\n"
			     "  -x          do not try to clear scrollback\n\nCommands:\n"
			     "  clear       clear the screen\n"
			     "  init        initialize the terminal\n"
			     "  reset       reinitialize the terminal\n"
			     "  capname     unlike clear/init/reset, print value for capability "
			     "\"capname\"\n",
			     2);
	wrong = need_terminal(p, type);
	if (wrong)
		return wrong;
	if (i + 1 < argc)
		(void)!slice_number(slice_text(argv[i + 1]), 0, 9999, &a);
	if (i + 2 < argc)
		(void)!slice_number(slice_text(argv[i + 2]), 0, 9999, &b);
	for (size_t k = 0; k < ARRAY_COUNT(plain); k++)
		if (strcmp(plain[k].name, argv[i]) == 0) {
			process_put_text(p, plain[k].sequence);
			return 0;
		}
	if (strcmp(argv[i], "clear") == 0) {
		process_put_text(p, clear_of(type));
	} else if (strcmp(argv[i], "cols") == 0) {
		process_print(p, "%u\n", modes && modes->columns ? modes->columns : 80);
	} else if (strcmp(argv[i], "lines") == 0) {
		process_print(p, "%u\n", modes && modes->rows ? modes->rows : 24);
	} else if (strcmp(argv[i], "colors") == 0) {
		process_print(p, "%d\n",
			      strstr(type, "256")           ? 256
			      : strncmp(type, "vt", 2) == 0 ? -1
							    : 8);
	} else if (strcmp(argv[i], "longname") == 0) {
		process_put_text(p, "xterm with 256 colors");
	} else if (strcmp(argv[i], "setaf") == 0 || strcmp(argv[i], "setab") == 0) {
		bool back = argv[i][4] == 'b';

		if (a < 8)
			process_print(p, "\033[%lldm", (long long)a + (back ? 40 : 30));
		else if (a < 16)
			process_print(p, "\033[%lldm", (long long)a - 8 + (back ? 100 : 90));
		else
			process_print(p, "\033[%d;5;%lldm", back ? 48 : 38, (long long)a);
	} else if (strcmp(argv[i], "cup") == 0) {
		process_print(p, "\033[%lld;%lldH", (long long)a + 1, (long long)b + 1);
	} else if (strcmp(argv[i], "init") == 0 || strcmp(argv[i], "reset") == 0) {
		process_put_text(p, "\033[!p\033[?3;4l\033[4l\033>\r");
	} else {
		process_complain(p, "unknown terminfo capability '%s'", argv[i]);
		return 4;
	}
	return 0;
}

/* --- locale --- */

static int run_locale(struct process *p, int argc, char **argv)
{
	static const char *const names[] = {"LC_CTYPE",     "LC_NUMERIC",     "LC_TIME",
					    "LC_COLLATE",   "LC_MONETARY",    "LC_MESSAGES",
					    "LC_PAPER",     "LC_NAME",        "LC_ADDRESS",
					    "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"};
	const char *language = process_environment(p, "LANG"),
		   *all = process_environment(p, "LC_ALL");

	if (argc > 1 && strcmp(argv[1], "-a") == 0) {
		process_put_text(p, "C\nC.utf8\nen_US.utf8\nPOSIX\n");
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "charmap") == 0) {
		const char *used = all && *all ? all : language ? language : "C";

		process_put_text(p, strstr(used, "UTF-8") || strstr(used, "utf8")
					    ? "UTF-8\n"
					    : "ANSI_X3.4-1968\n");
		return 0;
	}
	process_print(p, "LANG=%s\nLANGUAGE=%s\n", language ? language : "",
		      process_environment(p, "LANGUAGE") ? process_environment(p, "LANGUAGE") : "");
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const char *own = process_environment(p, names[i]);

		if (all && *all)
			process_print(p, "%s=\"%s\"\n", names[i], all);
		else if (own && *own)
			process_print(p, "%s=%s\n", names[i], own);
		else
			process_print(p, "%s=\"%s\"\n", names[i],
				      language && *language ? language : "POSIX");
	}
	process_print(p, "LC_ALL=%s\n", all ? all : "");
	return 0;
}

static const struct command commands[] = {
	{"stty", run_stty, COMMAND_BOTH, "/usr/bin"},
	{"tty", run_tty, COMMAND_BOTH, "/usr/bin"},
	{"clear", run_clear, COMMAND_BOTH, "/usr/bin"},
	{"reset", run_reset, COMMAND_BOTH, "/usr/bin"},
	{"tset", run_reset, COMMAND_DEBIAN, "/usr/bin"},
	{"tput", run_tput, COMMAND_DEBIAN, "/usr/bin"},
	{"locale", run_locale, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_terminal = {"system_terminal", commands};
