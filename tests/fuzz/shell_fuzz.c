/* The shells under wild command lines: each input is played on the fake machine by bash, dash or
 * ash, as -c, as a script on standard input, or as keys on a terminal, within a number of turns.
 *
 * The first byte of the input says which shell and how; the rest is the text. With libFuzzer (clang
 * -fsanitize=fuzzer) that is all. Built without it, the program replays the lines "$ ..." (and what
 * continues them, "> ...") of case files, and a number of mutations of each:
 *
 *     shell_fuzz MUTATIONS FILE...
 *
 * FUZZ_SEED, a number, gives other mutations.
 */
#include "fuzz_input.h"

#include "decoy/machine/machine.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define INPUT_MAX 16384
#define TURNS_MAX 3000
/* More than a machine may ever hold: its own cap and what a log-in itself needs. */
#define FOOTPRINT_MAX ((size_t)24 * 1024 * 1024)

static const struct protocol nothing = {
	.name = "machine", .title = "test", .ports = {{TCP, 22}}, .gives_shells = true};

struct play {
	struct stage stage;
	struct persona *persona;
	bool ended;
};

static void swallow_event(struct stage *stage, const struct event *event)
{
	struct writer line = writer_growing(EVENT_LINE_MAX + 1);

	event_write(event, &line);
	if (slice_find_byte(writer_slice(&line), '\n') != SIZE_MAX)
		abort();
	writer_free(&line);
}

static void swallow_output(void *context, enum machine_stream stream, struct slice bytes)
{
	(void)context;
	(void)stream;
	(void)bytes;
}

static void note_end(void *context, int status, int signal)
{
	struct play *play = context;

	(void)status;
	(void)signal;
	play->ended = true;
}

static void set_up(struct play *play)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {4};
	const char *share = getenv("SUNDEW_SHARE");
	char *why = NULL;

	play->persona = persona_plain(secret, 1790000000 * SECOND);
	stage_open(&play->stage, &nothing, play->persona);
	play->stage.seed = 2;
	play->stage.on_event = swallow_event;
	if (stage_machine(&play->stage, share ? share : "share", NULL, &why) < 0)
		fatal("no host: %s", why ? why : "?");
}

static void turn(struct play *play, struct machine *machine)
{
	int64_t due;

	machine_room(machine, MACHINE_OUTPUT, 65536);
	machine_room(machine, MACHINE_ERRORS, 65536);
	machine_run(machine);
	if (machine_footprint(machine) > FOOTPRINT_MAX)
		abort();
	due = machine_deadline(machine);
	if (due == INT64_MAX || due < play->stage.monotonic + MILLISECOND)
		due = play->stage.monotonic + MILLISECOND;
	play->stage.wall += due - play->stage.monotonic;
	play->stage.monotonic = due;
}

static void play_input(struct play *play, struct slice input)
{
	static const char *const shells[][3] = {
		{"/bin/bash", "bash"}, {"/bin/dash", "dash"}, {"/bin/busybox", "busybox", "sh"}};
	static const struct machine_terminal terminal = {"xterm", 80, 24, {NULL, 0}};
	uint8_t how = input.length ? input.at[0] : 0;
	struct machine_start start = {.context = play,
				      .output = swallow_output,
				      .ended = note_end,
				      .service = "sshd",
				      .user = SLICE("root"),
				      .depth = ACCESS_ROOT};
	const char *arguments[6] = {0};
	char *text;
	struct machine *machine;
	size_t count = 0, fed = 0;

	input = slice_from(input, 1);
	text = strndup((const char *)input.at, input.length);
	for (; count < 2 && shells[how % 3][count + 1]; count++)
		arguments[count] = shells[how % 3][count + 1];
	if (how / 3 % 3 == 0) {
		arguments[count++] = "-c";
		arguments[count] = text;
	}
	start.program = shells[how % 3][0];
	start.arguments = arguments;
	start.terminal = how / 3 % 3 == 2 ? &terminal : NULL;
	start.session = stage_session(&play->stage, TCP);
	play->ended = false;
	machine = machine_new(&start);
	if (!machine)
		fatal("no machine");
	for (unsigned i = 0; i < TURNS_MAX && !play->ended; i++) {
		if (how / 3 % 3 && fed < input.length)
			fed += machine_input(machine, slice_first(slice_from(input, fed), 512));
		else if (fed == input.length && i == TURNS_MAX / 2)
			machine_input_end(machine);
		else if (how / 3 % 3 != 2 && fed >= input.length)
			machine_input_end(machine);
		turn(play, machine);
	}
	machine_free(machine);
	session_end(start.session, "done");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play *play;

	if (!play) {
		play = calloc(1, sizeof(*play));
		set_up(play);
	}
	play_input(play, slice_of(data, size < INPUT_MAX ? size : INPUT_MAX));
	return 0;
}

#ifndef LIBFUZZER
static uint64_t next(uint64_t *draws)
{
	*draws = *draws * 6364136223846793005u + 1442695040888963407u;
	return *draws >> 33;
}

/* Flips, cuts, doubles, and puts in what shells choke on. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *draws)
{
	static const char *const pieces[] = {
		"$(", "`",     "${",     "((",   "'",     "\"",   "<<E\n",     "\\",  "\n",
		"|",  "&",     ";;",     ")",    "}",     "[[ ",  "{a,b",      "$((", "~",
		"*",  "$'\\x", "\033[A", "\t\t", "\022",  "\x7f", "\033[200~", "fi;", "do ",
		"#",  "=(",    ">&",     "!x",   "${x//", "%s%d", "case "};

	for (uint64_t i = 0, count = 1 + next(draws) % 5; i < count && length > 1; i++) {
		size_t at = 1 + next(draws) % (length - 1), size;
		const char *piece;

		switch (next(draws) % 4) {
		case 0:
			bytes[at] ^= (uint8_t)(1 << next(draws) % 8);
			break;
		case 1:
			length = at + 1;
			break;
		case 2:
			if (length + (length - at) <= INPUT_MAX) {
				memcpy(bytes + length, bytes + at, length - at);
				length += length - at;
			}
			break;
		default:
			piece = pieces[next(draws) % ARRAY_COUNT(pieces)];
			size = strlen(piece);
			if (length + size > INPUT_MAX)
				break;
			memmove(bytes + at + size, bytes + at, length - at);
			memcpy(bytes + at, piece, size);
			length += size;
		}
	}
	return length;
}

struct replay {
	struct play play;
	unsigned long mutations, played;
	uint64_t draws;
	uint8_t *seed, *bytes;
};

static void replay_line(struct replay *replay, size_t length)
{
	for (unsigned long i = 0; i <= replay->mutations; i++) {
		size_t size = length;

		memcpy(replay->bytes, replay->seed, length);
		replay->bytes[0] = (uint8_t)next(&replay->draws);
		if (i)
			size = mutate(replay->bytes, size, &replay->draws);
		play_input(&replay->play, slice_of(replay->bytes, size));
		replay->played++;
	}
}

static void replay_file(struct replay *replay, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t capacity = 0, length = 0;
	ssize_t got;

	if (!file)
		fatal("cannot read %s", path);
	while ((got = getline(&line, &capacity, file)) > 0) {
		bool begins = line[0] == '$' && line[1] == ' ', goes_on = line[0] == '>' && length;

		if (!begins && !goes_on)
			continue;
		if (begins && length)
			replay_line(replay, length);
		if (begins)
			length = 1;
		if (length + (size_t)got < INPUT_MAX / 2) {
			memcpy(replay->seed + length, line + 2, (size_t)got - 2);
			length += (size_t)got - 2;
		}
	}
	if (length)
		replay_line(replay, length);
	free(line);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay || argc < 3)
		fatal("usage: shell_fuzz MUTATIONS FILE...");
	replay->mutations = strtoul(argv[1], NULL, 10);
	replay->draws = fuzz_seed(1);
	replay->seed = calloc(1, INPUT_MAX);
	replay->bytes = calloc(1, INPUT_MAX);
	if (!replay->seed || !replay->bytes)
		fatal("no memory");
	set_up(&replay->play);
	for (int i = 2; i < argc; i++)
		replay_file(replay, argv[i]);
	printf("%lu inputs\n", replay->played);
	stage_close(&replay->play.stage);
	persona_free(replay->play.persona);
	free(replay->seed);
	free(replay->bytes);
	free(replay);
	return 0;
}
#endif
