/* The shells of the fake machine from inside: limits at n and n + 1, what must end, what memory a
 * shell holds. What they print is compared with the real ones in tests/machine/shell.txt. */
#include "machine_fixture.h"

#include "decoy/machine/shell/state.h"

struct world {
	struct machine_fixture machine; /* first */
	unsigned commands;
};

static void count_commands(struct stage *stage, const struct event *event)
{
	struct world *world = stage->owner;
	struct writer line = writer_growing(EVENT_LINE_MAX + 1);

	event_write(event, &line);
	if (slice_find(writer_slice(&line), SLICE("command.input")) != SIZE_MAX)
		world->commands++;
	writer_free(&line);
}

static int set_up(void **state)
{
	*state = fixture_new(sizeof(struct world), count_commands);
	return 0;
}

static struct machine *begin(struct world *world, const char *command, bool terminal)
{
	world->commands = 0;
	fixture_open_session(&world->machine);
	return fixture_begin(&world->machine, command, terminal, true, NULL);
}

static void finish(struct world *world, struct machine *machine)
{
	machine_free(machine);
	fixture_end_session(&world->machine);
}

/* The output of a command line, and its status. */
static const char *run(struct world *world, const char *command, int status)
{
	const char *output = fixture_play(&world->machine, begin(world, command, false));

	fixture_end_session(&world->machine);
	if (status >= 0)
		assert_int_equal(world->machine.status, status);
	return output;
}

static void nesting_ends_at_its_limit(void **state)
{
	struct world *world = *state;
	char line[8192];

	for (unsigned depth = SHELL_NESTING_MAX - 1; depth <= SHELL_NESTING_MAX + 1; depth++) {
		size_t length = 0;
		const char *output;

		for (unsigned i = 0; i < depth; i++)
			length += (size_t)snprintf(line + length, sizeof(line) - length, "{ ");
		length += (size_t)snprintf(line + length, sizeof(line) - length, "echo deep; ");
		for (unsigned i = 0; i < depth; i++)
			length += (size_t)snprintf(line + length, sizeof(line) - length, "}; ");
		output = run(world, line, -1);
		if (depth <= SHELL_NESTING_MAX)
			assert_string_equal(output, "deep\n");
		else
			assert_null(strstr(output, "deep\n"));
	}
	/* Much deeper: refused, and nothing breaks. */
	for (size_t i = 0; i < sizeof(line) - 1; i++)
		line[i] = "$("[i % 2];
	line[sizeof(line) - 1] = '\0';
	(void)run(world, line, 2);
	memset(line, '(', sizeof(line) - 1);
	(void)run(world, line, -1);
}

static void here_documents_are_counted(void **state)
{
	struct world *world = *state;

	for (unsigned count = PARSER_HERE_MAX - 1; count <= PARSER_HERE_MAX + 1; count++) {
		char line[4096] = "cat";
		size_t length = 3;
		const char *output;

		for (unsigned i = 0; i < count; i++)
			length +=
				(size_t)snprintf(line + length, sizeof(line) - length, " <<E%u", i);
		for (unsigned i = 0; i < count; i++)
			length += (size_t)snprintf(line + length, sizeof(line) - length,
						   "\ntext %u\nE%u", i, i);
		output = run(world, line, -1);
		snprintf(line, sizeof(line), "text %u\n", count - 1);
		if (count <= PARSER_HERE_MAX)
			assert_string_equal(output, line);
		else
			assert_non_null(strstr(output, "syntax error"));
	}
}

static void expansions_end_at_their_limit(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		run(world, "x=a; for i in 1 2 3 4 5 6 7 8 9 10; do x=$x$x; done; echo ${#x}", 0),
		"1024\n");
	assert_non_null(strstr(run(world, "x=a; while :; do x=$x$x; done", -1), "cannot allocate"));
	assert_non_null(strstr(run(world, "echo {1..99999999} | wc -w", 0), "10000"));
}

static void what_never_ends_is_bounded(void **state)
{
	struct world *world = *state;

	assert_non_null(strstr(run(world, ":(){ :|:& };:\nsleep 1; echo there", -1), "there"));
	(void)run(world, "f() { f; }; f", 128 + SIGSEGV);
	(void)run(world, "x='eval \"$x\"'; eval \"$x\"", -1);
	assert_string_equal(run(world, "while :; do :; done & sleep 1; kill $!; echo killed", 0),
			    "killed\n");
}

static void children_have_their_own(void **state)
{
	struct world *world = *state;

	assert_string_equal(run(world, "x=1; (x=2; f() { :; }; cd /); echo $x $PWD; type f", 1),
			    "1 /root\nbash: line 1: type: f: not found\n");
	assert_string_equal(run(world, "(sleep 2; echo later) & exit 3", 3), "later\n");
}

static void lines_are_told_once(void **state)
{
	struct world *world = *state;
	struct machine *machine;

	(void)run(world, "echo a; bash -c 'echo b'", 0);
	assert_int_equal(world->commands, 1);
	machine = begin(world, NULL, true);
	for (unsigned i = 0; i < 50; i++)
		fixture_turn(&world->machine, machine);
	machine_input(machine, SLICE("echo one\rfor i in 1 2\rdo echo $i\rdone\rexit\r"));
	for (unsigned i = 0; i < 2000 && !world->machine.ended; i++)
		fixture_turn(&world->machine, machine);
	assert_true(world->machine.ended);
	assert_int_equal(world->commands, 3);
	finish(world, machine);
}

static void an_idle_shell_holds_little(void **state)
{
	struct world *world = *state;
	struct machine *machine = begin(world, NULL, true);

	for (unsigned i = 0; i < 50; i++)
		fixture_turn(&world->machine, machine);
	machine_input(machine, SLICE("ls -l /etc | grep x; x=$(uname -a)\r"));
	for (unsigned i = 0; i < 500; i++)
		fixture_turn(&world->machine, machine);
	print_message("a log-in with an idle shell: %zu bytes\n", machine_footprint(machine));
	assert_true(machine_footprint(machine) < 16 * 1024);
	finish(world, machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nesting_ends_at_its_limit, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(here_documents_are_counted, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(expansions_end_at_their_limit, set_up,
						fixture_free),
		cmocka_unit_test_setup_teardown(what_never_ends_is_bounded, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(children_have_their_own, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(lines_are_told_once, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(an_idle_shell_holds_little, set_up, fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
