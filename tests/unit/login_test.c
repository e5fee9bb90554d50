/* What a log-in on the fake machine leaves behind: evidence within its limit, and records of who
 * was there. */
#include "machine_fixture.h"

#include "decoy/machine/limits.h"
#include "decoy/machine/process.h"

struct world {
	struct machine_fixture machine; /* first */
	unsigned kept, unkept;
};

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
	*state = fixture_new(sizeof(struct world), look_at);
	return 0;
}

/* The output of a command line in the session that is open. */
static const char *say(struct world *world, const char *command, uint64_t *evidence_left)
{
	struct machine_fixture *fixture = &world->machine;

	return fixture_play(fixture, fixture_begin(fixture, command, false, false, evidence_left));
}

/* --- evidence --- */

static void write_with(struct world *world, uint64_t left, unsigned kept, unsigned unkept,
		       uint64_t left_after)
{
	world->kept = world->unkept = 0;
	fixture_open_session(&world->machine);
	say(world, "echo 12345 > /tmp/piece", &left);
	fixture_end_session(&world->machine);
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
	fixture_open_session(&world->machine);
	say(world, "echo 1 > /tmp/a", &left);
	say(world, "head -c 5000 /dev/urandom > /tmp/b", &left);
	say(world, "echo 2 > /tmp/c", &left);
	say(world, "echo 3 > /tmp/d", &left);
	fixture_end_session(&world->machine);
	assert_int_equal(world->kept, 2);
	assert_int_equal(world->unkept, 2);
	assert_int_equal(left, 10);
}

static void test_no_evidence_limit(void **state)
{
	struct world *world = *state;

	world->kept = world->unkept = 0;
	fixture_open_session(&world->machine);
	say(world, "for i in 1 2 3; do echo $i > /tmp/$i; done", NULL);
	fixture_end_session(&world->machine);
	assert_int_equal(world->kept, 3);
	assert_int_equal(world->unkept, 0);
}

/* --- records --- */

/* A terminal's log-in as far as its prompt. */
static struct machine *log_in(struct world *world)
{
	struct machine *machine = fixture_begin(&world->machine, NULL, true, false, NULL);

	for (unsigned i = 0; i < 200; i++)
		fixture_turn(&world->machine, machine);
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

	fixture_open_session(&world->machine);
	other = fixture_begin(&world->machine, "sleep 1", false, false,
			      NULL); /* files stay as long as it does */
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
	fixture_end_session(&world->machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_evidence_limit, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(test_evidence_is_shared, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(test_no_evidence_limit, set_up, fixture_free),
		cmocka_unit_test_setup_teardown(test_records, set_up, fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
