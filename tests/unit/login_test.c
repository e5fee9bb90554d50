/* What a log-in on the fake machine leaves behind: evidence within its limit, and records of who
 * was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/machine/file_system.h"
#include "decoy/machine/host.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/machine.h"
#include "decoy/machine/process.h"
#include "decoy/stage.h"

static const struct protocol nothing = {.name = "nothing", .gives_shells = true};

struct world {
	struct stage stage;
	struct persona *persona;
	struct writer output;
	struct session *session;
	bool ended;
	int status;
	unsigned kept, unkept;
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

static void look_at(struct stage *stage, const struct event *event)
{
	struct world *world = stage->owner;
	struct writer room = writer_growing(EVENT_LINE_MAX + 1);
	struct slice line;

	event_write(event, &room);
	line = writer_slice(&room);
	if (slice_find(line, SLICE("payload.captured")) != SIZE_MAX &&
	    slice_find(line, SLICE("\"origin\":\"file\"")) != SIZE_MAX) {
		bool unkept =
			slice_find(line, SLICE("beyond the log-in's evidence limit")) != SIZE_MAX;

		/* Both tell what it was. */
		assert_true(slice_find(line, SLICE("sha256")) != SIZE_MAX);
		assert_true(slice_find(line, SLICE("\"size\":")) != SIZE_MAX);
		assert_true(slice_find(line, SLICE("\"name\":\"/tmp/")) != SIZE_MAX);
		world->kept += !unkept;
		world->unkept += unkept;
	}
	writer_free(&room);
}

static int set_up(void **state)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {9};
	struct world *world = calloc(1, sizeof(*world));
	const char *source = getenv("SUNDEW_SOURCE");
	char share[4096], *why = NULL;

	assert_non_null(world);
	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	world->persona = persona_plain(secret, 1790000000 * SECOND);
	stage_open(&world->stage, &nothing, world->persona);
	world->stage.seed = 3;
	world->stage.owner = world;
	world->stage.on_event = look_at;
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

static struct machine *begin(struct world *world, const char *command, bool terminal,
			     uint64_t *evidence_left)
{
	static const struct machine_terminal screen = {"xterm", 80, 24, {NULL, 0}};
	struct slice line = slice_text(command ? command : "");
	struct machine_start start = {.context = world,
				      .output = take_output,
				      .ended = take_end,
				      .service = "sshd",
				      .user = SLICE("root"),
				      .depth = ACCESS_ROOT,
				      .evidence_left = evidence_left,
				      .terminal = terminal ? &screen : NULL,
				      .command = command ? &line : NULL};
	struct machine *machine;

	world->ended = false;
	start.session = world->session;
	machine = machine_new(&start);
	assert_non_null(machine);
	return machine;
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

/* The output of a command line in the session that is open. */
static const char *say(struct world *world, const char *command, uint64_t *evidence_left)
{
	struct machine *machine = begin(world, command, false, evidence_left);

	writer_free(&world->output);
	world->output = writer_growing(1 << 20);
	machine_input_end(machine);
	for (unsigned i = 0; i < 20000 && (!world->ended || machine_holds_output(machine)); i++)
		turn(world, machine);
	assert_true(world->ended);
	machine_free(machine);
	writer_u8(&world->output, '\0');
	return (const char *)world->output.at;
}

static void open_session(struct world *world)
{
	world->session = stage_session(&world->stage, TCP);
	assert_non_null(world->session);
}

static void close_session(struct world *world)
{
	session_end(world->session, "done");
	world->session = NULL;
}

/* --- evidence --- */

static void write_with(struct world *world, uint64_t left, unsigned kept, unsigned unkept,
		       uint64_t left_after)
{
	world->kept = world->unkept = 0;
	open_session(world);
	say(world, "echo 12345 > /tmp/piece", &left);
	close_session(world);
	assert_int_equal(world->kept, kept);
	assert_int_equal(world->unkept, unkept);
	assert_true(left == left_after);
}

static void test_evidence_limit(void **state)
{
	uint64_t cost = 6 + strlen("/tmp/piece") + MACHINE_EVIDENCE_PIECE;

	write_with(*state, cost - 1, 0, 1, cost - 1);
	write_with(*state, cost, 1, 0, 0);
	write_with(*state, cost + 1, 1, 0, 1);
}

/* Channels of one connection share it; what is small may still fit. */
static void test_evidence_is_shared(void **state)
{
	struct world *world = *state;
	uint64_t left = 2 * (2 + strlen("/tmp/a") + MACHINE_EVIDENCE_PIECE) + 10;

	world->kept = world->unkept = 0;
	open_session(world);
	say(world, "echo 1 > /tmp/a", &left);
	say(world, "head -c 5000 /dev/urandom > /tmp/b", &left);
	say(world, "echo 2 > /tmp/c", &left);
	say(world, "echo 3 > /tmp/d", &left);
	close_session(world);
	assert_int_equal(world->kept, 2);
	assert_int_equal(world->unkept, 2);
	assert_int_equal(left, 10);
}

static void test_no_evidence_limit(void **state)
{
	struct world *world = *state;

	world->kept = world->unkept = 0;
	open_session(world);
	say(world, "for i in 1 2 3; do echo $i > /tmp/$i; done", NULL);
	close_session(world);
	assert_int_equal(world->kept, 3);
	assert_int_equal(world->unkept, 0);
}

/* --- records --- */

/* A terminal's log-in as far as its prompt. */
static struct machine *log_in(struct world *world)
{
	struct machine *machine = begin(world, NULL, true, NULL);

	writer_free(&world->output);
	world->output = writer_growing(1 << 20);
	for (unsigned i = 0; i < 200; i++)
		turn(world, machine);
	return machine;
}

static unsigned count(struct world *world, const char *command)
{
	return (unsigned)strtoul(say(world, command, NULL), NULL, 10);
}

static void test_records(void **state)
{
	struct world *world = *state;
	struct machine *machine, *other;
	const struct process *process;
	char pattern[128], wanted[32];
	unsigned before, size;

	open_session(world);
	other = begin(world, "sleep 1", false, NULL); /* files stay as long as it does */
	before = count(world, "last root | grep -c '192\\.0\\.2\\.7'");
	size = count(world, "stat -c %s /run/utmp");
	machine = log_in(world);
	/* While it lasts: each place tells it. */
	assert_non_null(strstr(say(world, "last -1", NULL), "still logged in"));
	assert_non_null(strstr(say(world, "last -1", NULL), "192.0.2.7"));
	assert_int_equal(count(world, "last root | grep -c '192\\.0\\.2\\.7'"), before + 1);
	assert_int_equal(count(world, "grep -ac '192\\.0\\.2\\.7' /run/utmp"), 1);
	assert_int_equal(count(world, "stat -c %s /run/utmp"), size + 384);
	assert_non_null(strstr(say(world, "lastlog -u root", NULL), "192.0.2.7"));
	process = process_at(machine, 0);
	assert_non_null(process);
	/* The record's process is root's shell, its name the line's last four letters. */
	(void)snprintf(pattern, sizeof(pattern),
		       "tail -c 384 /run/utmp | od -An -tu4 -j4 -N4; "
		       "tail -c 344 /run/utmp | head -c 4");
	(void)snprintf(wanted, sizeof(wanted), "%u\nts/", process->pid);
	assert_non_null(strstr(say(world, pattern, NULL), wanted));
	machine_free(machine);
	/* Afterwards: it was there, and is no longer. */
	assert_null(strstr(say(world, "last -1", NULL), "still logged in"));
	assert_int_equal(count(world, "last root | grep -c '192\\.0\\.2\\.7'"), before + 1);
	assert_int_equal(count(world, "grep -ac '192\\.0\\.2\\.7' /run/utmp"), 0);
	assert_int_equal(count(world, "stat -c %s /run/utmp"), size + 384);
	/* Without a terminal there is no record, and what an intruder removed stays gone. */
	say(world, "rm /var/log/wtmp; > /run/utmp", NULL);
	machine_free(log_in(world));
	assert_non_null(strstr(say(world, "ls /var/log/wtmp 2>&1", NULL), "No such file"));
	assert_int_equal(count(world, "stat -c %s /run/utmp"), 384);
	machine_free(other);
	close_session(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_evidence_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_evidence_is_shared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_evidence_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_records, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
