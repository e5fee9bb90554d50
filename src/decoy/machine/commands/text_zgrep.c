/* zgrep: gzip and grep in a pipe, as the script of Debian. */
#include "decoy/machine/commands/text_grep.h"

static void add_quoted(struct process *process, struct text *line, const char *word)
{
	text_add_words(process, line, " '");
	for (; *word; word++) {
		if (*word == '\'')
			text_add_words(process, line, "'\\''");
		else
			text_add_byte(process, line, (uint8_t)*word);
	}
	text_add_byte(process, line, '\'');
}

/* Options and the pattern as they are, each file through gzip: as the script of Debian does. */
int text_zgrep_main(struct process *process, int argc, char **argv)
{
	struct text options = {0};
	bool pattern = false, named = false;
	int i, status = 1, first;

	for (i = 1; i < argc && (argv[i][0] == '-' && argv[i][1]); i++) {
		bool argument = argv[i][2] == '\0' && strchr("eABCmf", argv[i][1]);

		pattern = pattern || argv[i][1] == 'e' || argv[i][1] == 'f';
		named = named || strchr(argv[i], 'h') || strchr(argv[i], 'H');
		add_quoted(process, &options, argv[i]);
		if (argument && i + 1 < argc)
			add_quoted(process, &options, argv[++i]);
	}
	if (!pattern && i >= argc) {
		process_error(process, "Usage: zgrep [OPTION]... [-e] PATTERN [FILE]...\n");
		return 2;
	}
	if (!pattern) {
		text_add_words(process, &options, " -e");
		add_quoted(process, &options, argv[i++]);
	}
	for (first = i; i < argc || i == first; i++) {
		struct text line = {0};
		const char *name = i < argc ? argv[i] : "-";
		int result;

		text_add_words(process, &line, "gzip -cdfq --");
		add_quoted(process, &line, name);
		text_add_words(process, &line, " | grep");
		if (argc - first > 1 && !named) {
			text_add_words(process, &line, " -H --label");
			add_quoted(process, &line, name);
		}
		text_add_words(process, &line, options.data ? options.data : "");
		result = command_run_line(process, line.data);
		if (result == 0 || (result > 1 && status == 1))
			status = result;
		process_give(process, line.data);
	}
	return status;
}
