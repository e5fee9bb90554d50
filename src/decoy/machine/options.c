/* Options of commands, as getopt_long(3) takes them and complains about them; see command.h. */
#include <stdio.h>

#include "decoy/machine/command.h"

/* The last words after a wrong option: GNU programs point to --help, applets show how they are
 * called, programs whose letters begin with ':' have words of their own. */
static int refuse(struct process *process, char **argv, bool silent)
{
	if (process->busybox)
		command_busybox_usage(process, argv[0]);
	else if (!silent)
		process_error(process, "Try '%s --help' for more information.\n", argv[0]);
	return '?';
}

static const char *own_name(const struct process *process, char **argv)
{
	const char *last = process->busybox ? strrchr(argv[0], '/') : NULL;

	return last ? last + 1 : argv[0];
}

/* Moves the element at the index before the operands that were passed over, and steps past it. */
static char *consume(struct option_state *state, char **argv)
{
	char *element = argv[state->index];

	for (int i = state->index; i > state->first_operand; i--)
		argv[i] = argv[i - 1];
	argv[state->first_operand++] = element;
	state->index++;
	return element;
}

static int tell_ambiguous(struct process *process, char **argv, const char *given, size_t length,
			  const struct option_word *words, bool silent)
{
	struct text message = {0};

	text_format(process, &message,
		    "%s: option '--%s' is ambiguous; possibilities:", own_name(process, argv),
		    given);
	for (; words->name; words++) {
		if (strncmp(words->name, given, length) == 0)
			text_format(process, &message, " '--%s'", words->name);
	}
	process_error(process, "%s\n", message.data);
	process_give(process, message.data);
	return refuse(process, argv, silent);
}

static int take_word(struct process *process, struct option_state *state, int argc, char **argv,
		     const struct option_word *words, bool silent)
{
	const char *given = consume(state, argv) + 2;
	size_t length = strcspn(given, "=");
	const struct option_word *found = NULL;
	bool ambiguous = false;

	for (const struct option_word *word = words; word && word->name; word++) {
		if (strncmp(word->name, given, length) != 0)
			continue;
		if (strlen(word->name) == length) {
			found = word;
			ambiguous = false;
			break;
		}
		if (!found)
			found = word;
		else if (found->value != word->value || found->argument != word->argument)
			ambiguous = true;
	}
	if (ambiguous)
		return tell_ambiguous(process, argv, given, length, words, silent);
	if (!found) {
		process_error(process, "%s: unrecognized option '--%s'\n", own_name(process, argv),
			      given);
		return refuse(process, argv, silent);
	}
	if (given[length] == '=') {
		if (found->argument == OPTION_PLAIN) {
			process_error(process, "%s: option '--%s' doesn't allow an argument\n",
				      own_name(process, argv), found->name);
			return refuse(process, argv, silent);
		}
		state->argument = given + length + 1;
	} else if (found->argument == OPTION_NEEDS) {
		if (state->index >= argc) {
			process_error(process, "%s: option '--%s' requires an argument\n",
				      own_name(process, argv), found->name);
			return refuse(process, argv, silent);
		}
		state->argument = consume(state, argv);
	}
	return found->value;
}

static int take_letter(struct process *process, struct option_state *state, int argc, char **argv,
		       const char *letters, bool silent)
{
	char letter = *state->at++;
	const char *found = letter == ':' || letter == ';' ? NULL : strchr(letters, letter);

	if (*state->at == '\0')
		state->at = NULL;
	if (!found) {
		process_error(process, "%s: invalid option -- '%c'\n", own_name(process, argv),
			      letter);
		return refuse(process, argv, silent);
	}
	if (found[1] != ':')
		return (unsigned char)letter;
	if (state->at) {
		state->argument = state->at;
		state->at = NULL;
	} else if (found[2] != ':') {
		if (state->index >= argc) {
			process_error(process, "%s: option requires an argument -- '%c'\n",
				      own_name(process, argv), letter);
			return refuse(process, argv, silent);
		}
		state->argument = consume(state, argv);
	}
	return (unsigned char)letter;
}

int option_next(struct process *process, struct option_state *state, int argc, char **argv,
		const char *letters, const struct option_word *words)
{
	bool in_order = *letters == '+';
	bool silent;

	letters += in_order;
	silent = *letters == ':';
	letters += silent;
	if (!state->started) {
		state->started = true;
		state->index = state->first_operand = argc > 0 ? 1 : 0;
	}
	state->argument = NULL;
	if (state->at)
		return take_letter(process, state, argc, argv, letters, silent);
	while (state->index < argc &&
	       (argv[state->index][0] != '-' || argv[state->index][1] == '\0')) {
		if (in_order)
			return -1;
		state->index++;
	}
	if (state->index >= argc) {
		state->index = state->first_operand;
		return -1;
	}
	if (strcmp(argv[state->index], "--") == 0) {
		consume(state, argv);
		state->index = state->first_operand;
		return -1;
	}
	if (words && argv[state->index][1] == '-')
		return take_word(process, state, argc, argv, words, silent);
	if (argv[state->index][1] == '-' && argv[state->index][2] != '\0') {
		process_error(process, "%s: unrecognized option '%s'\n", own_name(process, argv),
			      consume(state, argv));
		return refuse(process, argv, silent);
	}
	state->at = consume(state, argv) + 1;
	return take_letter(process, state, argc, argv, letters, silent);
}
