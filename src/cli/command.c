/* Finding commands and reading their options; see command.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "cli/command.h"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
	NULL,
};

int print_out(const struct writer *text)
{
	struct slice rest = writer_slice(text);

	if (text->failed) {
		log_error("the answer is too large to print: ask for less with --limit");
		return -1;
	}
	while (rest.length) {
		ssize_t put = write(STDOUT_FILENO, rest.at, rest.length);

		if (put <= 0)
			return -1;
		rest = slice_from(rest, (size_t)put);
	}
	return 0;
}

/* --- help --- */

static void option_names(const struct command_option *option, struct writer *out)
{
	if (option->letter)
		writer_format(out, "-%c, ", option->letter);
	writer_format(out, "--%s", option->name);
	if (option->argument)
		writer_format(out, " %s", option->argument);
}

static void synopsis(const struct command *command, struct writer *out)
{
	writer_format(out, "sundew %s%s%s%s", command->name,
		      command->option_count ? " [OPTION]..." : "", command->arguments ? " " : "",
		      command->arguments ? command->arguments : "");
}

void command_help(const struct command *command, struct writer *out)
{
	writer_text(out, "usage: ");
	synopsis(command, out);
	writer_format(out, "\n\n%s.\n", command->summary);
	if (command->details)
		writer_format(out, "\n%s\n", command->details);
	writer_text(out, "\n");
	for (size_t i = 0; i < command->option_count; i++) {
		uint8_t room[80];
		struct writer names = writer_fixed(room, sizeof(room));

		option_names(&command->options[i], &names);
		writer_format(out, "  %-28.*s %s\n", (int)names.length, (const char *)names.at,
			      command->options[i].help);
	}
	writer_format(out, "  %-28s %s\n", "-h, --help", "This help");
}

static void scdoc_text(struct writer *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("_*\\#`<>[]", *text))
			writer_u8(out, '\\');
		writer_u8(out, (uint8_t)*text);
	}
}

/* Indented lines are examples, to be kept as they are. */
static void scdoc_details(struct writer *out, const char *text)
{
	bool example = false;

	while (*text) {
		const char *end = strchrnul(text, '\n');
		bool indented = strncmp(text, "  ", 2) == 0;

		if (indented != example)
			writer_text(out, example ? "```\n" : "\n```\n");
		example = indented;
		for (; text < end; text++) {
			if (!example && strchr("_*\\#`<>[]", *text))
				writer_u8(out, '\\');
			writer_u8(out, (uint8_t)*text);
		}
		if (*text || example)
			writer_u8(out, '\n');
		text += *text != 0;
	}
	if (example)
		writer_text(out, "```");
}

void command_man(const struct command *command, struct writer *out)
{
	writer_format(out, "sundew-%s(1)\n\n# NAME\n\nsundew-%s - ", command->name, command->name);
	scdoc_text(out, command->summary);
	writer_text(out, "\n\n# SYNOPSIS\n\n*sundew ");
	writer_format(out, "%s*", command->name);
	if (command->option_count)
		writer_text(out, " \\[_OPTION_]...");
	if (command->arguments) {
		writer_text(out, " ");
		scdoc_text(out, command->arguments);
	}
	if (command->details) {
		writer_text(out, "\n\n# DESCRIPTION\n\n");
		scdoc_details(out, command->details);
	}
	writer_text(out, "\n\n# OPTIONS\n\n");
	for (size_t i = 0; i < command->option_count; i++) {
		const struct command_option *option = &command->options[i];

		writer_text(out, "*");
		if (option->letter)
			writer_format(out, "-%c*, *", option->letter);
		writer_format(out, "--%s*", option->name);
		if (option->argument)
			writer_format(out, " _%s_", option->argument);
		writer_text(out, "\n\t");
		scdoc_text(out, option->help);
		writer_text(out, "\n\n");
	}
	writer_text(
		out,
		"*-h*, *--help*\n\tThis help\n\n# EXIT STATUS\n\n0 when all went well, 1 when it "
		"did not, 2 for a wrong option or configuration.\n\n# SEE ALSO\n\n*sundew*(1)\n");
}

void commands_man(struct writer *out)
{
	writer_text(out, "sundew(1)\n\n# NAME\n\nsundew - plays vulnerable hosts and records what "
			 "attackers do\n\n# SYNOPSIS\n\n*sundew* _COMMAND_ \\[_OPTION_]...\n\n# "
			 "COMMANDS\n\n");
	for (size_t i = 0; commands[i]; i++) {
		writer_format(out, "*%s*\n\t", commands[i]->name);
		scdoc_text(out, commands[i]->summary);
		writer_text(out, "\n\n");
	}
	writer_text(out, "Each has a page of its own: *sundew-run*(1) and so on.\n");
}

static void print_commands(FILE *to)
{
	fputs("usage: sundew COMMAND [OPTION]...\n\n", to);
	for (size_t i = 0; commands[i]; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`sundew COMMAND --help` tells more; `sundew --version` the version.\n", to);
}

void usage_error(const struct invocation *invocation, const char *format, ...)
{
	va_list arguments;
	struct writer text = writer_growing(65536), safe = writer_growing(262144);

	va_start(arguments, format);
	writer_vformat(&text, format, arguments);
	va_end(arguments);
	writer_printable(&safe, writer_slice(&text));
	fprintf(stderr, "sundew %s: %.*s (`sundew %s --help` tells more)\n",
		invocation->command->name, (int)safe.length, (const char *)safe.at,
		invocation->command->name);
	exit(EXIT_USAGE);
}

/* --- options --- */

const char *option_value(const struct invocation *invocation, const char *name)
{
	for (size_t i = 0; i < invocation->command->option_count; i++) {
		if (strcmp(invocation->command->options[i].name, name) == 0)
			return invocation->values[i];
	}
	return NULL;
}

int64_t option_number(const struct invocation *invocation, const char *name, int64_t standard,
		      int64_t minimum, int64_t maximum)
{
	const char *text = option_value(invocation, name);
	int64_t number;

	if (!text)
		return standard;
	if (slice_number(slice_text(text), minimum, maximum, &number) < 0)
		usage_error(invocation, "--%s %s: must be a whole number from %lld to %lld", name,
			    text, (long long)minimum, (long long)maximum);
	return number;
}

int64_t option_time(const struct invocation *invocation, const char *name, int64_t now,
		    int64_t standard)
{
	const char *text = option_value(invocation, name);
	int64_t value;

	if (!text)
		return standard;
	if (clock_parse_duration(slice_text(text), &value) == 0)
		return now - value;
	if (clock_parse(slice_text(text), &value) == 0)
		return value;
	usage_error(invocation,
		    "--%s %s: write a length of time (90m, 24h, 7d) or a date "
		    "(2026-11-23 or 2026-11-23T20:00:00Z)",
		    name, text);
}

static size_t find_option(const struct invocation *invocation, struct slice name, char letter)
{
	const struct command *command = invocation->command;
	const char *nearest = NULL;
	unsigned best = 3;
	char copy[64];

	for (size_t i = 0; i < command->option_count; i++) {
		if (letter ? command->options[i].letter == letter
			   : slice_is(name, command->options[i].name))
			return i;
	}
	if (letter)
		usage_error(invocation, "there is no option -%c", letter);
	snprintf(copy, sizeof(copy), "%.*s", (int)name.length, (const char *)name.at);
	for (size_t i = 0; i < command->option_count; i++) {
		unsigned distance = config_name_distance(copy, command->options[i].name);

		if (distance < best) {
			best = distance;
			nearest = command->options[i].name;
		}
	}
	if (nearest)
		usage_error(invocation, "there is no option --%s (did you mean --%s?)", copy,
			    nearest);
	usage_error(invocation, "there is no option --%s", copy);
}

static void read_option(struct invocation *invocation, const char *const **at)
{
	const char *word = **at;
	bool is_long = word[1] == '-';
	struct slice rest = slice_text(word + (is_long ? 2 : 1)), name = rest;
	const char *value = NULL;
	size_t index;

	if (is_long && slice_find_byte(rest, '=') != SIZE_MAX) {
		slice_next(&rest, '=', &name);
		value = (const char *)rest.at;
	}
	index = find_option(invocation, name, is_long ? 0 : word[1]);
	if (!is_long && word[2])
		value = word + 2;
	if (!invocation->command->options[index].argument) {
		if (value)
			usage_error(invocation, "%s takes no value", word);
		value = "";
	} else if (!value) {
		value = *++*at;
		if (!value)
			usage_error(invocation, "%s needs a value: %s", word,
				    invocation->command->options[index].argument);
	}
	invocation->values[index] = value;
}

static int run_command(const struct command *command, const char *const *argv)
{
	struct invocation invocation = {.command = command, .program = argv[0]};
	const char **words = calloc(4096, sizeof(*words));
	bool only_words = false;
	int status;

	if (!words)
		return EXIT_TROUBLE;
	for (const char *const *at = argv + 2; *at; at++) {
		if (!only_words && strcmp(*at, "--") == 0) {
			only_words = true;
		} else if (!only_words && (!strcmp(*at, "--help") || !strcmp(*at, "-h"))) {
			struct writer help = writer_growing(1 << 20);

			command_help(command, &help);
			status = print_out(&help) < 0 ? EXIT_TROUBLE : EXIT_GOOD;
			writer_free(&help);
			free(words);
			return status;
		} else if (!only_words && (*at)[0] == '-' && (*at)[1]) {
			read_option(&invocation, &at);
		} else if (invocation.word_count < 4095) {
			words[invocation.word_count++] = *at;
		}
	}
	invocation.words = words;
	if (invocation.word_count < command->words_min)
		usage_error(&invocation, "it needs %s", command->arguments);
	if (invocation.word_count > command->words_max)
		usage_error(&invocation, "'%s' is too much", words[command->words_max]);
	status = command->run(&invocation);
	free(words);
	return status;
}

int commands_run(int argc, const char *const *argv)
{
	const char *nearest = NULL;
	unsigned best = 3;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_commands(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_GOOD;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("sundew " SUNDEW_VERSION);
		return EXIT_GOOD;
	}
	for (size_t i = 0; commands[i]; i++) {
		unsigned distance;

		if (strcmp(argv[1], commands[i]->name) == 0)
			return run_command(commands[i], argv);
		distance = config_name_distance(argv[1], commands[i]->name);
		if (distance < best) {
			best = distance;
			nearest = commands[i]->name;
		}
	}
	fprintf(stderr, "sundew: there is no command '%s'%s%s%s; `sundew --help` lists all\n",
		argv[1], nearest ? " (did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?)" : "");
	return EXIT_USAGE;
}
