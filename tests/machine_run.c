/* Runs a command line on the fake machine without any protocol, in time of its own: a sleep is over
 * at once.
 *
 *     machine_run [-u USER] [-p PERSONA.yaml] [-i IMAGE] [-e] [-s] [-t] COMMAND_LINE
 *     machine_run [...] -x PROGRAM [ARGUMENT...]     without a shell
 *     machine_run [...] --cases FILE...              see tests/machine/README.md
 *
 * -e prints events, -s hands standard input on, -t gives a terminal (and a log-in shell when there
 * is no command line; input comes from standard input, a byte at a time).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "decoy/machine/machine.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define OUTPUT_MAX  ((size_t)64 * 1024 * 1024)
#define TURNS_MAX   2000000
#define KEY_PAUSE   2000 /* microseconds between two keys */
#define CASE_PREFIX 4096

struct run {
	struct stage stage;
	const char *user;
	bool events, terminal, given_input;
	int status, signal;
	bool ended, wrote;
	struct writer output;
	struct writer *sink; /* NULL: straight out */
};

static void print_event(struct stage *stage, const struct event *event)
{
	struct run *run = stage->owner;
	struct writer line = writer_growing(EVENT_LINE_MAX + 1);

	if (run->events) {
		event_write(event, &line);
		fprintf(stderr, "%.*s\n", (int)line.length, (const char *)line.at);
	}
	writer_free(&line);
}

static void take_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct run *run = context;

	run->wrote = true;
	if (run->sink)
		writer_bytes(run->sink, bytes);
	else if (write(stream == MACHINE_ERRORS ? 2 : 1, bytes.at, bytes.length) < 0)
		exit(1);
}

static void take_end(void *context, int status, int signal)
{
	struct run *run = context;

	run->ended = true;
	run->status = signal ? 128 + signal : status;
}

/* Lets time pass until nothing more happens. False when it goes on for ever. */
static bool play(struct run *run, struct machine *machine, bool until_quiet)
{
	for (long turn = 0; turn < TURNS_MAX; turn++) {
		int64_t due;

		machine_room(machine, MACHINE_OUTPUT, 65536);
		machine_room(machine, MACHINE_ERRORS, 65536);
		machine_run(machine);
		if (run->ended && !machine_holds_output(machine))
			return true;
		due = machine_deadline(machine);
		if (run->wrote) { /* there is room again */
			run->wrote = false;
			continue;
		}
		if (due == INT64_MAX)
			return until_quiet;
		if (until_quiet && due > run->stage.monotonic + SECOND)
			return true;
		if (due < run->stage.monotonic + MILLISECOND)
			due = run->stage.monotonic + MILLISECOND; /* what runs takes time */
		run->stage.wall += due - run->stage.monotonic;
		run->stage.monotonic = due;
	}
	return false;
}

/* Bytes of standard input, fed as there is room. */
static void feed(struct run *run, struct machine *machine, bool by_key)
{
	uint8_t buffer[4096];
	ssize_t got;

	while ((got = read(0, buffer, sizeof(buffer))) > 0) {
		size_t done = 0;

		while (done < (size_t)got) {
			size_t step = by_key ? 1 : (size_t)got - done;
			size_t used = machine_input(machine, slice_of(buffer + done, step));

			done += used;
			run->stage.wall += KEY_PAUSE;
			run->stage.monotonic += KEY_PAUSE;
			if (!play(run, machine, true) || (used == 0 && run->ended))
				return;
		}
	}
}

static int run_one(struct run *run, struct machine_start *start)
{
	static const struct machine_terminal terminal = {"xterm-256color", 80, 24, {NULL, 0}};
	struct session *session = stage_session(&run->stage, TCP);
	struct machine *machine;

	start->session = session;
	start->service = "sshd";
	start->user = slice_text(run->user);
	start->depth = strcmp(run->user, "root") == 0 ? ACCESS_ROOT : ACCESS_USER;
	start->terminal = run->terminal ? &terminal : NULL;
	start->context = run;
	start->output = take_output;
	start->ended = take_end;
	run->ended = false;
	run->status = 255;
	machine = machine_new(start);
	if (!machine) {
		fprintf(stderr, "machine_run: no machine\n");
		exit(2);
	}
	machine_room(machine, MACHINE_OUTPUT, 65536);
	machine_room(machine, MACHINE_ERRORS, 65536);
	if (run->given_input && play(run, machine, true))
		feed(run, machine, run->terminal);
	machine_input_end(machine);
	if (!play(run, machine, run->terminal))
		fprintf(stderr, "machine_run: does not end\n");
	machine_free(machine);
	session_end(session, "done");
	return run->status;
}

/* --- cases --- */

struct case_file {
	const char *path;
	char *shell[4]; /* words before -c LINE; NULL: the log-in shell */
	unsigned line, passed, failed;
	struct slice rest;
};

static bool next_line(struct case_file *file, struct slice *line)
{
	if (!slice_next(&file->rest, '\n', line))
		return false;
	file->line++;
	return true;
}

static bool peek_line(const struct case_file *file, struct slice *line)
{
	struct slice rest = file->rest;

	return slice_next(&rest, '\n', line);
}

/* "..." stands for any lines. */
static bool matches(struct slice expected, struct slice got)
{
	struct slice want, have, later;

	while (slice_next(&expected, '\n', &want)) {
		if (slice_is(want, "...")) {
			if (expected.length == 0)
				return true;
			for (later = got;; (void)slice_next(&later, '\n', &have)) {
				if (matches(expected, later))
					return true;
				if (later.length == 0)
					return false;
			}
		}
		if (!slice_next(&got, '\n', &have) || !slice_equal(want, have))
			return false;
	}
	return got.length == 0;
}

static void run_case(struct run *run, struct case_file *file, struct slice command,
		     struct slice expected, int status)
{
	struct machine_start start = {0};
	struct writer output = writer_growing(OUTPUT_MAX);
	char *line = strndup((const char *)command.at, command.length);
	const char *arguments[6] = {0};
	size_t count = 0;
	int got;

	run->sink = &output;
	if (file->shell[0]) {
		while (file->shell[count]) {
			arguments[count] = file->shell[count];
			count++;
		}
		arguments[count++] = "-c";
		arguments[count] = line;
		start.program = strcmp(arguments[0], "busybox") == 0 ? "/bin/busybox"
				: strcmp(arguments[0], "dash") == 0  ? "/bin/dash"
				: strcmp(arguments[0], "sh") == 0    ? "/bin/sh"
								     : "/bin/bash";
		start.arguments = arguments;
	} else {
		start.command = &command;
	}
	got = run_one(run, &start);
	if (output.length && output.at[output.length - 1] != '\n')
		writer_text(&output, "\n%no-newline\n");
	if (got == status && matches(expected, writer_slice(&output))) {
		file->passed++;
	} else {
		file->failed++;
		printf("%s:%u: %.*s\n--- expected (status %d)\n%.*s--- got (status %d)\n%.*s",
		       file->path, file->line, (int)command.length, (const char *)command.at,
		       status, (int)expected.length, (const char *)expected.at, got,
		       (int)output.length, (const char *)output.at);
	}
	writer_free(&output);
	free(line);
}

static void take_directive(struct run *run, struct case_file *file, struct slice line)
{
	struct slice word;
	size_t count = 0;

	for (size_t i = 0; i < 4; i++) {
		free(file->shell[i]);
		file->shell[i] = NULL;
	}
	if (slice_starts(line, "user ")) {
		run->user = strndup((const char *)line.at + 5, line.length - 5);
		return;
	}
	if (slice_is(line, "login"))
		return;
	while (count < 3 && slice_next(&line, ' ', &word))
		file->shell[count++] = strndup((const char *)word.at, word.length);
}

static void run_cases(struct run *run, struct case_file *file)
{
	struct slice line;

	while (next_line(file, &line)) {
		struct writer command = writer_growing(OUTPUT_MAX),
			      expected = writer_growing(OUTPUT_MAX);
		int64_t status = 0;

		if (slice_starts(line, "@ ")) {
			take_directive(run, file, slice_from(line, 2));
			continue;
		}
		if (!slice_starts(line, "$ "))
			continue;
		writer_bytes(&command, slice_from(line, 2));
		while (peek_line(file, &line) && slice_starts(line, "> ")) {
			(void)next_line(file, &line);
			writer_u8(&command, '\n');
			writer_bytes(&command, slice_from(line, 2));
		}
		while (peek_line(file, &line) && !slice_starts(line, "$ ") &&
		       !slice_starts(line, "@ ")) {
			(void)next_line(file, &line);
			if (slice_starts(line, "? ")) {
				if (slice_number(slice_from(line, 2), 0, 255, &status) < 0)
					status = -1;
				break;
			}
			if (slice_starts(line, "#:"))
				continue;
			writer_bytes(&expected,
				     slice_starts(line, "\\") ? slice_from(line, 1) : line);
			writer_u8(&expected, '\n');
		}
		run_case(run, file, writer_slice(&command), writer_slice(&expected), (int)status);
		writer_free(&command);
		writer_free(&expected);
	}
}

static int run_file(struct run *run, const char *path)
{
	struct case_file file = {.path = path};
	struct writer text = writer_growing(OUTPUT_MAX);
	FILE *in = fopen(path, "re");
	char buffer[CASE_PREFIX];
	size_t got;

	if (!in) {
		perror(path);
		return 1;
	}
	while ((got = fread(buffer, 1, sizeof(buffer), in)) > 0)
		writer_bytes(&text, slice_of(buffer, got));
	fclose(in);
	file.rest = writer_slice(&text);
	run_cases(run, &file);
	printf("%s: %u passed, %u failed\n", path, file.passed, file.failed);
	take_directive(run, &file, slice_text("login"));
	writer_free(&text);
	return file.failed != 0;
}

/* --- main --- */

static const struct protocol nothing = {
	.name = "machine", .title = "test", .ports = {{TCP, 22}}, .gives_shells = true};

static void set_up(struct run *run, const char *persona_path, const char *image)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {7};
	char *why = NULL;
	const char *share = getenv("SUNDEW_SHARE");
	struct persona *persona;

	persona = persona_path ? persona_read(persona_path, secret, 1790000000 * SECOND, &why)
			       : persona_plain(secret, 1790000000 * SECOND);
	if (!persona) {
		fprintf(stderr, "machine_run: %s\n", why);
		exit(2);
	}
	stage_open(&run->stage, &nothing, persona);
	run->stage.seed = 1;
	run->stage.owner = run;
	run->stage.on_event = print_event;
	if (stage_machine(&run->stage, share ? share : "share", image, &why) < 0) {
		fprintf(stderr, "machine_run: %s\n", why ? why : "no host");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct run run = {.user = "root"};
	struct machine_start start = {0};
	const char *persona = NULL, *image = NULL;
	bool program = false, cases = false;
	struct slice command;
	int option, result = 0;

	while ((option = getopt(argc, argv, "+u:p:i:estxC-:")) != -1) {
		switch (option) {
		case 'u':
			run.user = optarg;
			break;
		case 'p':
			persona = optarg;
			break;
		case 'i':
			image = optarg;
			break;
		case 'e':
			run.events = true;
			break;
		case 's':
			run.given_input = true;
			break;
		case 't':
			run.terminal = run.given_input = true;
			break;
		case 'x':
			program = true;
			break;
		case '-':
			if (strcmp(optarg, "cases") == 0) {
				cases = true;
				break;
			}
			/* fall through */
		default:
			fprintf(stderr, "usage: see the head of tests/machine_run.c\n");
			return 2;
		}
	}
	set_up(&run, persona, image);
	if (cases) {
		for (int i = optind; i < argc; i++)
			result |= run_file(&run, argv[i]);
	} else {
		if (program && optind < argc) {
			start.program = argv[optind];
			start.arguments = (const char *const *)argv + optind;
		} else if (optind < argc) {
			command = slice_text(argv[optind]);
			start.command = &command;
		}
		result = run_one(&run, &start);
	}
	stage_close(&run.stage);
	persona_free((void *)(uintptr_t)run.stage.trap.persona);
	return result;
}
