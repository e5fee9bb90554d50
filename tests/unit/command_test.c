/* Options of the fake machine's commands, as getopt_long(3) takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decoy/machine/command.h"

static char complaint[512];

void *process_take(struct process *process, size_t size)
{
	return calloc(1, size ? size : 1);
}

void *process_retake(struct process *process, void *at, size_t size)
{
	return realloc(at, size);
}

void process_give(struct process *process, void *at)
{
	free(at);
}

void process_error(struct process *process, const char *format, ...)
{
	size_t length = strlen(complaint);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(complaint + length, sizeof(complaint) - length, format, arguments);
	va_end(arguments);
}

void command_busybox_usage(struct process *process, const char *applet)
{
	process_error(process, "usage of %s\n", applet);
}

static struct process process;

static const struct option_word words[] = {
	{"all", 'a'},
	{"color", 'c', OPTION_MAY},
	{"count", 'n', OPTION_NEEDS},
	{"counter", 'm', OPTION_NEEDS},
	{NULL},
};

/* Everything that the options were, as "a n=5 | operands". */
static const char *parse(const char *letters, int argc, const char *const *given)
{
	static char result[256];
	struct option_state state = {0};
	char *argv[16] = {NULL};
	struct writer w = writer_fixed(result, sizeof(result));
	int option;

	complaint[0] = '\0';
	for (int i = 0; i < argc; i++)
		argv[i] = (char *)(uintptr_t)given[i];
	while ((option = option_next(&process, &state, argc, argv, letters, words)) != -1) {
		writer_format(&w, "%c", option);
		if (state.argument)
			writer_format(&w, "=%s", state.argument);
		writer_text(&w, " ");
	}
	writer_text(&w, "|");
	for (int i = state.index; i < argc; i++)
		writer_format(&w, " %s", argv[i]);
	writer_u8(&w, 0);
	return result;
}

#define PARSE(letters, ...)                                                          \
	parse(letters, (int)ARRAY_COUNT(((const char *const[]){"ls", __VA_ARGS__})), \
	      (const char *const[]){"ls", __VA_ARGS__})

static void letters(void **state)
{
	assert_string_equal(PARSE("ab:c::", "-a", "x"), "a | x");
	assert_string_equal(PARSE("ab:c::", "-ab", "5", "x"), "a b=5 | x");
	assert_string_equal(PARSE("ab:c::", "-b5", "-c", "-c7"), "b=5 c c=7 |");
	assert_string_equal(PARSE("ab:", "x", "-a", "y", "-b", "1", "z"), "a b=1 | x y z");
	assert_string_equal(PARSE("ab:", "x", "--", "-a", "y"), "| x -a y");
	assert_string_equal(PARSE("+ab:", "-a", "x", "-a"), "a | x -a");
	assert_string_equal(PARSE("a", "-", "-a"), "a | -");
}

static void long_words(void **state)
{
	assert_string_equal(PARSE("a", "--all", "--color", "--color=x", "--count=3"),
			    "a c c=x n=3 |");
	assert_string_equal(PARSE("a", "--count", "3", "y"), "n=3 | y");
	assert_string_equal(PARSE("a", "--al", "--counte=1"), "a m=1 |");
	assert_string_equal(PARSE("a", "--count=1"), "n=1 |");
}

static void complaints(void **state)
{
	assert_string_equal(PARSE("ab:", "-x"), "? |");
	assert_string_equal(complaint, "ls: invalid option -- 'x'\nTry 'ls --help' for more "
				       "information.\n");
	assert_string_equal(PARSE(":ab:", "-b"), "? |");
	assert_string_equal(complaint, "ls: option requires an argument -- 'b'\n");
	assert_string_equal(PARSE(":a", "--foo=1"), "? |");
	assert_string_equal(complaint, "ls: unrecognized option '--foo=1'\n");
	assert_string_equal(PARSE(":a", "--co"), "? |");
	assert_string_equal(complaint, "ls: option '--co' is ambiguous; possibilities: '--color' "
				       "'--count' '--counter'\n");
	assert_string_equal(PARSE(":a", "--all=1"), "? |");
	assert_string_equal(complaint, "ls: option '--all' doesn't allow an argument\n");
	assert_string_equal(PARSE(":a", "--count"), "? |");
	assert_string_equal(complaint, "ls: option '--count' requires an argument\n");
	process.busybox = true;
	assert_string_equal(PARSE("a", "-x", "-a"), "? a |");
	assert_string_equal(complaint, "ls: invalid option -- 'x'\nusage of ls\n");
	process.busybox = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
		cmocka_unit_test(long_words),
		cmocka_unit_test(complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
