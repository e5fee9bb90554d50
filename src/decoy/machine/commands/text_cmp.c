/* cmp as GNU diffutils 3.8. */
#include "decoy/machine/commands/text_diff.h"

/* 0: the same, 1: not. all: every byte that differs is told. */
static int compare(struct process *process, const struct text texts[2], const char *names[2],
		   bool quiet, bool all)
{
	size_t shorter, line = 1;
	int status = 0;

	shorter = texts[0].length < texts[1].length ? texts[0].length : texts[1].length;
	for (size_t i = 0; i < shorter; i++) {
		uint8_t a = (uint8_t)texts[0].data[i], b = (uint8_t)texts[1].data[i];

		if (a != b && !all) {
			if (!quiet)
				process_print(process, "%s %s differ: %s %zu, line %zu\n", names[0],
					      names[1], "char", i + 1, line);
			return 1;
		}
		if (a != b) {
			int width = 1;

			for (size_t size = shorter; size >= 10; size /= 10)
				width++;
			if (!quiet)
				process_print(process, "%*zu %3o %3o\n", width, i + 1, a, b);
			status = 1;
		}
		line += a == '\n';
		if (i % 1024 == 0)
			process_step(process);
	}
	if (texts[0].length == texts[1].length)
		return status;
	if (!quiet) {
		const char *name = names[texts[0].length > texts[1].length];

		process_flush(process);
		if (shorter == 0)
			process_complain(process, "EOF on %s which is empty", name);
		else if (all)
			process_complain(process, "EOF on %s after byte %zu", name, shorter);
		else
			process_complain(
				process, "EOF on %s after byte %zu, %sline %zu", name, shorter,
				texts[texts[0].length > texts[1].length].data[shorter - 1] == '\n'
					? ""
					: "in ",
				texts[texts[0].length > texts[1].length].data[shorter - 1] == '\n'
					? line - 1
					: line);
	}
	return 1;
}

static int cmp_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"print-bytes", 'b'},
						   {"verbose", 'l'},
						   {"quiet", 's'},
						   {"silent", 's'},
						   {"bytes", 'n', OPTION_NEEDS},
						   {"ignore-initial", 'i', OPTION_NEEDS},
						   TEXT_WORDS};
	struct option_state state = {0};
	struct text texts[2] = {{0}};
	uint64_t most = UINT64_MAX;
	bool quiet = false, all = false;
	const char *names[2];
	int option;

	while ((option = option_next(process, &state, argc, argv, ":bi:ln:sv", words)) != -1) {
		if (option == 's')
			quiet = true;
		else if (option == 'l')
			all = true;
		else if (option == 'n') {
			if (command_size(state.argument, &most) != 0)
				text_diff_try(process);
		} else if (option == '?')
			text_diff_try(process);
		else if (option == 'v' || option > 128)
			text_other_option(process, option == 'v' ? TEXT_VERSION : option,
					  "(GNU diffutils) 3.8",
					  "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]\nCompare two "
					  "files byte by byte.",
					  2);
	}
	if (state.index >= argc) {
		process_complain(process, "missing operand after '%s'", argv[argc - 1]);
		text_diff_try(process);
	}
	for (int i = 0; i < 2; i++) {
		int descriptor, error;

		names[i] = state.index + i < argc ? argv[state.index + i] : "-";
		descriptor = text_open_quiet(process, names[i]);
		error = descriptor < 0
				? descriptor
				: process_read_all(process, descriptor, TEXT_WHOLE_MAX, &texts[i]);
		if (error < 0) {
			process_complain(process, "%s: %s", names[i], strerror(-error));
			return 2;
		}
		text_close(process, descriptor);
		if (texts[i].length > most)
			texts[i].length = (size_t)most;
	}
	return compare(process, texts, names, quiet, all);
}

static const struct command commands[] = {
	{"cmp", cmp_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_cmp = {"text_cmp", commands};
