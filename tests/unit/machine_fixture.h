/* The fake machine on a stage: log-ins of one source, played turn by turn, and what they print. */
#ifndef TESTS_UNIT_MACHINE_FIXTURE_H
#define TESTS_UNIT_MACHINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/machine/machine.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

static const struct protocol machine_protocol = {
	.name = "machine", .title = "test", .ports = {{TCP, 22}}, .gives_shells = true};

/* First in the state of a test that adds to it. */
struct machine_fixture {
	struct stage stage; /* its owner is the fixture */
	struct persona *persona;
	struct writer output; /* of the machine that began last */
	struct session *session;
	bool ended;
	int status;
};

static inline void fixture_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct machine_fixture *fixture = context;

	writer_bytes(&fixture->output, bytes);
}

static inline void fixture_end(void *context, int status, int signal)
{
	struct machine_fixture *fixture = context;

	fixture->ended = true;
	fixture->status = signal ? 128 + signal : status;
}

/* A fixture within `size` bytes, the rest of them zero. */
static inline void *fixture_new(size_t size,
				void (*on_event)(struct stage *stage, const struct event *event))
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {9};
	struct machine_fixture *fixture = calloc(1, size);
	const char *source = getenv("SUNDEW_SOURCE");
	char share[4096], *why = NULL;

	assert_non_null(fixture);
	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	fixture->persona = persona_plain(secret, 1790000000 * SECOND);
	stage_open(&fixture->stage, &machine_protocol, fixture->persona);
	fixture->stage.seed = 3;
	fixture->stage.owner = fixture;
	fixture->stage.on_event = on_event;
	assert_int_equal(stage_machine(&fixture->stage, share, NULL, &why), 0);
	return fixture;
}

static inline int fixture_free(void **state)
{
	struct machine_fixture *fixture = *state;

	writer_free(&fixture->output);
	stage_close(&fixture->stage);
	persona_free(fixture->persona);
	free(fixture);
	return 0;
}

/* root's log-in over ssh: a command, or with NULL a shell. The session is the fixture's. */
static inline struct machine *fixture_begin(struct machine_fixture *fixture, const char *command,
					    bool terminal, bool quiet, uint64_t *evidence_left)
{
	static const struct machine_terminal screen = {"xterm", 80, 24, {NULL, 0}};
	struct slice line = slice_text(command ? command : "");
	struct machine_start start = {.session = fixture->session,
				      .context = fixture,
				      .output = fixture_output,
				      .ended = fixture_end,
				      .service = "sshd",
				      .user = SLICE("root"),
				      .depth = ACCESS_ROOT,
				      .quiet = quiet,
				      .evidence_left = evidence_left,
				      .terminal = terminal ? &screen : NULL,
				      .command = command ? &line : NULL};
	struct machine *machine;

	writer_free(&fixture->output);
	fixture->output = writer_growing(1 << 20);
	fixture->ended = false;
	machine = machine_new(&start);
	assert_non_null(machine);
	return machine;
}

/* Runs it, and lets the time pass until it wants to run again. */
static inline void fixture_turn(struct machine_fixture *fixture, struct machine *machine)
{
	int64_t due;

	machine_room(machine, MACHINE_OUTPUT, 65536);
	machine_room(machine, MACHINE_ERRORS, 65536);
	machine_run(machine);
	due = machine_deadline(machine);
	if (due == INT64_MAX || due < fixture->stage.monotonic + MILLISECOND)
		due = fixture->stage.monotonic + MILLISECOND;
	fixture->stage.wall += due - fixture->stage.monotonic;
	fixture->stage.monotonic = due;
}

/* To the end of a command, and the machine's. Returns its output, with a NUL behind it. */
static inline const char *fixture_play(struct machine_fixture *fixture, struct machine *machine)
{
	machine_input_end(machine);
	for (unsigned i = 0; i < 20000 && (!fixture->ended || machine_holds_output(machine)); i++)
		fixture_turn(fixture, machine);
	assert_true(fixture->ended);
	machine_free(machine);
	writer_u8(&fixture->output, '\0');
	return (const char *)fixture->output.at;
}

static inline void fixture_open_session(struct machine_fixture *fixture)
{
	fixture->session = stage_session(&fixture->stage, TCP);
	assert_non_null(fixture->session);
}

static inline void fixture_end_session(struct machine_fixture *fixture)
{
	session_end(fixture->session, "done");
	fixture->session = NULL;
}

#endif
