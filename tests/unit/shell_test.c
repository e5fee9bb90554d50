/* The shells of the fake machine from inside: limits at n and n + 1, what must end, what memory a
 * shell holds. What they print is compared with the real ones in tests/machine/shell.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decoy/machine/machine.h"
#include "decoy/machine/shell/state.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

static const struct protocol nothing = {
	.name = "machine", .title = "test", .ports = {{TCP, 22}}, .gives_shells = true};

struct world {
	struct stage stage;
	struct persona *persona;
	struct writer output;
	bool ended;
	int status;
	unsigned commands;
	struct session *session;
};

static void take_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct world *world = context;

	writer_bytes(&world->output, bytes);
}

static void take_end(void *context, int status, int signal)
{
	struct world *world = context;

	world->ended = true;
	world->status = signal ? 128 + signal : status;
}

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
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {9};
	struct world *world = calloc(1, sizeof(*world));
	const char *source = getenv("SUNDEW_SOURCE");
	char share[4096], *why = NULL;

	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	world->persona = persona_plain(secret, 1790000000 * SECOND);
	stage_open(&world->stage, &nothing, world->persona);
	world->stage.seed = 3;
	world->stage.owner = world;
	world->stage.on_event = count_commands;
	assert_int_equal(stage_machine(&world->stage, share, NULL, &why), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	writer_free(&world->output);
	stage_close(&world->stage);
	persona_free(world->persona);
	free(world);
	return 0;
}

static void turn(struct world *world, struct machine *machine)
{
	int64_t due;

	machine_room(machine, MACHINE_OUTPUT, 65536);
	machine_room(machine, MACHINE_ERRORS, 65536);
	machine_run(machine);
	due = machine_deadline(machine);
	if (due == INT64_MAX || due < world->stage.monotonic + MILLISECOND)
		due = world->stage.monotonic + MILLISECOND;
	world->stage.wall += due - world->stage.monotonic;
	world->stage.monotonic = due;
}

static struct machine *begin(struct world *world, const char *command, bool terminal)
{
	static const struct machine_terminal screen = {"xterm", 80, 24, {NULL, 0}};
	struct slice line = slice_text(command);
	struct machine_start start = {.context = world,
				      .output = take_output,
				      .ended = take_end,
				      .service = "sshd",
				      .user = SLICE("root"),
				      .depth = ACCESS_ROOT,
				      .quiet = true,
				      .terminal = terminal ? &screen : NULL,
				      .command = command ? &line : NULL};

	writer_free(&world->output);
	world->output = writer_growing(1 << 20);
	world->ended = false;
	world->commands = 0;
	world->session = stage_session(&world->stage, TCP);
	start.session = world->session;
	return machine_new(&start);
}

static void finish(struct world *world, struct machine *machine)
{
	machine_free(machine);
	session_end(world->session, "done");
}

/* The output of a command line, and its status. */
static const char *run(struct world *world, const char *command, int status)
{
	struct machine *machine = begin(world, command, false);

	assert_non_null(machine);
	machine_input_end(machine);
	for (unsigned i = 0; i < 20000 && (!world->ended || machine_holds_output(machine)); i++)
		turn(world, machine);
	assert_true(world->ended);
	finish(world, machine);
	if (status >= 0)
		assert_int_equal(world->status, status);
	writer_u8(&world->output, '\0');
	return (const char *)world->output.at;
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
		turn(world, machine);
	machine_input(machine, SLICE("echo one\rfor i in 1 2\rdo echo $i\rdone\rexit\r"));
	for (unsigned i = 0; i < 2000 && !world->ended; i++)
		turn(world, machine);
	assert_true(world->ended);
	assert_int_equal(world->commands, 3);
	finish(world, machine);
}

static void an_idle_shell_holds_little(void **state)
{
	struct world *world = *state;
	struct machine *machine = begin(world, NULL, true);

	for (unsigned i = 0; i < 50; i++)
		turn(world, machine);
	machine_input(machine, SLICE("ls -l /etc | grep x; x=$(uname -a)\r"));
	for (unsigned i = 0; i < 500; i++)
		turn(world, machine);
	print_message("a log-in with an idle shell: %zu bytes\n", machine_footprint(machine));
	assert_true(machine_footprint(machine) < 16 * 1024);
	finish(world, machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nesting_ends_at_its_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(here_documents_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expansions_end_at_their_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_never_ends_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(children_have_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_are_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_idle_shell_holds_little, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
