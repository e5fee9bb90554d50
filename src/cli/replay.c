/* sundew replay: plays a recorded terminal. What the intruder's terminal showed is shown through a
 * filter that lets only drawing through. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"
#include "exchange/asciicast.h"
#include "exchange/screen_filter.h"

#define RECORDING_MAX    ((size_t)256 * 1024 * 1024)
#define RECORDINGS_MAX   64
#define CONTEXT_COLUMNS  100 /* of a line that --search shows */
#define IDLE_STANDARD_MS 2000

static const struct command_option replay_options[] = {
	{"speed", 's', "X", "So many times as fast (0.1 to 1000; default 1)"},
	{"idle-limit", 'i', "SECONDS", "No pause longer than this (default 2; 0: no limit)"},
	{"step", 0, NULL, "Wait for a key before each piece of output (q ends)"},
	{"search", 0, "TEXT", "Begin where this was shown or typed; without a terminal list where"},
	{"number", 0, "N", "The N-th recording of the session (default: all of them)"},
	{"input", 0, NULL, "Show what was typed, not what was shown"},
	{"no-wait", 0, NULL, "Everything at once"},
	{"cast", 0, NULL,
	 "Print the recording as an asciicast, for other players; what they show is made safe"},
	{"raw", 0, NULL, "With --cast: as it was recorded, byte for byte"},
	OPTION_DATA,
	OPTION_CONFIG,
};

struct replay {
	const struct invocation *invocation;
	double speed;
	int64_t idle_limit; /* microseconds; 0: none */
	bool step, input, at_once, cast, raw;
	const char *search;
	struct screen_filter filter;
	struct writer shown;
	struct termios before;
	bool has_terminal;
};

/* --- finding --- */

/* Recordings of a session: in a file of evidence, or, when short, in the event itself. */
struct found {
	char hashes[RECORDINGS_MAX][SHA256_HEX + 1];
	struct writer contents[RECORDINGS_MAX];
	size_t count;
};

static bool note_recording(void *context, const struct query_event *row)
{
	struct found *found = context;
	struct arena arena = arena_of((size_t)1 << 20);
	struct event event;
	const char *why;
	struct slice hash;

	if (event_read(&event, row->json, &arena, &why) == 0) {
		hash = event_text(&event, FIELD_FILE_SHA256);
		if (slice_is(event_text(&event, FIELD_EVIDENCE_KIND), "terminal") &&
		    hash.length == SHA256_HEX && found->count < RECORDINGS_MAX) {
			memcpy(found->hashes[found->count], hash.at, SHA256_HEX);
			found->hashes[found->count][SHA256_HEX] = '\0';
			found->contents[found->count] = writer_growing(RECORDING_MAX);
			writer_bytes(&found->contents[found->count++],
				     event_text(&event, FIELD_EVIDENCE_CONTENT));
		}
	}
	arena_drop(&arena);
	return true;
}

static int find_of_session(const struct folders *folders, const char *id, struct found *found)
{
	struct store *store = host_store(folders);
	struct query_filter filter = query_filter_any();
	struct query_page page;
	int result;

	if (!store)
		return -1;
	filter.session = slice_text(id);
	filter.action = SLICE("payload.captured");
	filter.oldest_first = true;
	filter.limit = 10000;
	result = query_events(store, &filter, note_recording, found, &page);
	if (result < 0)
		log_error("%s", store_problem(store));
	else if (found->count == 0) {
		log_error("session %s has no terminal recording: `sundew events --session %s` "
			  "shows what it has",
			  id, id);
		result = -1;
	}
	store_close(store);
	return result;
}

static int read_whole(int file, struct writer *out)
{
	uint8_t buffer[65536];
	ssize_t got;

	while ((got = read(file, buffer, sizeof(buffer))) > 0)
		writer_bytes(out, slice_of(buffer, (size_t)got));
	return got < 0 || out->failed ? -1 : 0;
}

static int read_path(const char *path, struct writer *out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC), result;

	if (file < 0)
		return -1;
	result = read_whole(file, out);
	close(file);
	return result;
}

static int read_evidence(const struct folders *folders, const char *hash, struct writer *out)
{
	char path[PATH_LENGTH], name[128];

	snprintf(name, sizeof(name), "evidence/%.2s/%s.terminal", hash, hash);
	folders_path(folders, name, path);
	if (read_path(path, out) == 0)
		return 0;
	/* The store has not put it in its place yet. */
	snprintf(name, sizeof(name), "evidence/inbox/%s.terminal", hash);
	folders_path(folders, name, path);
	if (read_path(path, out) == 0)
		return 0;
	log_error("cannot read the recording %s: %s (evidence beyond its cap is removed, oldest "
		  "first)",
		  hash, strerror(errno));
	return -1;
}

/* --- playing --- */

static void leave_raw(struct replay *replay)
{
	if (replay->has_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &replay->before);
}

static void enter_raw(struct replay *replay)
{
	struct termios modes;

	if (tcgetattr(STDIN_FILENO, &replay->before) < 0)
		return;
	replay->has_terminal = true;
	modes = replay->before;
	modes.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

/* Waits; a key ends the wait, q all of it. True: go on. */
static bool wait_for(struct replay *replay, int64_t microseconds)
{
	struct pollfd keys = {STDIN_FILENO, POLLIN, 0};
	int milliseconds = replay->step ? -1 : (int)(microseconds / 1000);
	char key;

	if (!replay->has_terminal) {
		poll(NULL, 0, milliseconds);
		return true;
	}
	if (poll(&keys, 1, milliseconds) > 0 && read(STDIN_FILENO, &key, 1) == 1)
		return key != 'q' && key != 'Q' && key != 3;
	return true;
}

static bool is_shown(const struct replay *replay, const struct asciicast_event *event)
{
	return event->code == (replay->input ? 'i' : 'o');
}

static int64_t pause_before(const struct replay *replay, int64_t elapsed)
{
	if (replay->idle_limit && elapsed > replay->idle_limit)
		elapsed = replay->idle_limit;
	return (int64_t)((double)elapsed / replay->speed);
}

/* Where the text is: the time of the event in which its last byte came. -1: nowhere. */
static int64_t search(const struct replay *replay, struct slice bytes, bool list)
{
	struct slice wanted = slice_text(replay->search);
	struct writer tail = writer_growing(RECORDING_MAX), line = writer_growing(65536);
	struct asciicast cast;
	struct asciicast_event event;
	struct screen_filter filter = {0};
	const char *why;
	int64_t first = -1;
	int result;

	if (asciicast_open(&cast, bytes, &why) < 0) {
		asciicast_close(&cast);
		return -1;
	}
	while ((result = asciicast_next(&cast, &event, &why)) != 0) {
		size_t at;

		if (result < 0 || !is_shown(replay, &event))
			continue;
		screen_filter(&filter, event.text, &tail);
		while ((at = slice_find(writer_slice(&tail), wanted)) != SIZE_MAX) {
			if (first < 0)
				first = event.time;
			if (list) {
				writer_clear(&line);
				writer_printable(&line,
						 slice_first(slice_from(writer_slice(&tail), at),
							     CONTEXT_COLUMNS));
				printf("%lld.%03lld  %.*s\n", (long long)(event.time / SECOND),
				       (long long)(event.time % SECOND / 1000), (int)line.length,
				       (const char *)line.at);
			}
			writer_consume(&tail, at + wanted.length);
		}
		if (tail.length > wanted.length)
			writer_consume(&tail, tail.length - wanted.length);
	}
	asciicast_close(&cast);
	writer_free(&tail);
	writer_free(&line);
	return first;
}

static int play_events(struct replay *replay, struct asciicast *cast, int64_t from)
{
	struct asciicast_event event;
	const char *why;
	int64_t before = from > 0 ? from : 0;
	int result;

	while ((result = asciicast_next(cast, &event, &why)) != 0) {
		if (result < 0) {
			log_warning("line %u: %s; skipped", cast->line, why);
			continue;
		}
		if (!is_shown(replay, &event))
			continue;
		if (event.time >= from && !replay->at_once &&
		    !wait_for(replay, pause_before(replay, event.time - before)))
			return 1;
		before = event.time;
		writer_clear(&replay->shown);
		screen_filter(&replay->filter, event.text, &replay->shown);
		if (print_out(&replay->shown) < 0)
			return -1;
	}
	return 0;
}

/* The recording with output made safe: other players show what they find. */
static int print_cast(struct replay *replay, struct slice bytes)
{
	struct writer out = writer_growing(2 * RECORDING_MAX);
	struct asciicast_event event;
	struct asciicast cast;
	const char *why;
	int result, done = -1;

	if (asciicast_open(&cast, bytes, &why) < 0) {
		log_error("%s", why);
		goto end;
	}
	writer_bytes(&out, slice_first(bytes, (size_t)(cast.rest.at - bytes.at)));
	for (;;) {
		const uint8_t *line = cast.rest.at;

		result = asciicast_next(&cast, &event, &why);
		if (result == 0)
			break;
		if (result < 0) {
			log_warning("line %u: %s; left out", cast.line, why);
			continue;
		}
		if (event.code != 'o') {
			writer_bytes(&out, slice_of(line, (size_t)(cast.rest.at - line)));
			continue;
		}
		writer_clear(&replay->shown);
		screen_filter(&replay->filter, event.text, &replay->shown);
		writer_format(&out, "[%lld.%06lld, \"o\", ", (long long)(event.time / SECOND),
			      (long long)(event.time % SECOND));
		json_quote(&out, writer_slice(&replay->shown));
		writer_text(&out, "]\n");
	}
	done = out.failed ? -1 : print_out(&out);
end:
	asciicast_close(&cast);
	writer_free(&out);
	return done;
}

static int play(struct replay *replay, struct slice bytes)
{
	struct asciicast cast;
	const char *why;
	int64_t from = 0;
	int result;

	if (replay->cast) {
		struct writer out = {.at = (uint8_t *)(uintptr_t)bytes.at, .length = bytes.length};

		return replay->raw ? print_out(&out) : print_cast(replay, bytes);
	}
	if (replay->search) {
		from = search(replay, bytes, !replay->has_terminal || replay->at_once);
		if (from < 0)
			fprintf(stderr, "not in this recording\n");
		if (from < 0 || !replay->has_terminal || replay->at_once)
			return 0;
	}
	if (asciicast_open(&cast, bytes, &why) < 0) {
		log_error("%s", why);
		asciicast_close(&cast);
		return -1;
	}
	if (cast.header.command.length) {
		struct writer line = writer_growing(65536);

		writer_printable(&line, writer_slice(&cast.header.command));
		fprintf(stderr, "$ %.*s\n", (int)line.length, (const char *)line.at);
		writer_free(&line);
	}
	result = play_events(replay, &cast, from);
	asciicast_close(&cast);
	/* Whatever was drawn last, the owner's colours and cursor come back. */
	if (isatty(STDOUT_FILENO))
		printf("\033[0m\033[?25h\033[?1049l\033[r\n");
	fflush(stdout);
	return result;
}

static int play_file(struct replay *replay, const char *path)
{
	struct writer bytes = writer_growing(RECORDING_MAX),
		      cast = writer_growing(2 * RECORDING_MAX);
	int result = -1;
	const char *why;
	int64_t started;
	bool torn;

	if (read_path(path, &bytes) < 0)
		log_error("cannot read %s: %s", path,
			  bytes.failed ? "it is too large" : strerror(errno));
	else if (!ttylog_is_one(writer_slice(&bytes)))
		result = play(replay, writer_slice(&bytes));
	else if (ttylog_convert(writer_slice(&bytes), &cast, &started, &torn, &why) < 0)
		log_error("%s: %s", path, why);
	else
		result = play(replay, writer_slice(&cast));
	writer_free(&bytes);
	writer_free(&cast);
	return result;
}

static int play_id(struct replay *replay, const struct folders *folders, const char *id)
{
	struct found found = {0};
	int64_t number = option_number(replay->invocation, "number", 0, 0, RECORDINGS_MAX);
	int result = 0;

	if (strlen(id) == SHA256_HEX) {
		snprintf(found.hashes[0], sizeof(found.hashes[0]), "%s", id);
		found.count = 1;
	} else if (find_of_session(folders, id, &found) < 0) {
		return -1;
	}
	if ((size_t)number > found.count) {
		log_error("the session has %zu recordings", found.count);
		return -1;
	}
	for (size_t i = 0; result == 0 && i < found.count; i++) {
		struct writer bytes = writer_growing(RECORDING_MAX);

		if (number && i + 1 != (size_t)number)
			continue;
		if (found.count > 1 && !replay->cast)
			fprintf(stderr, "recording %zu of %zu\n", i + 1, found.count);
		if (found.contents[i].length)
			writer_bytes(&bytes, writer_slice(&found.contents[i]));
		else
			result = read_evidence(folders, found.hashes[i], &bytes);
		if (result == 0)
			result = play(replay, writer_slice(&bytes));
		writer_free(&bytes);
	}
	for (size_t i = 0; i < found.count; i++)
		writer_free(&found.contents[i]);
	return result;
}

static double speed_option(const struct invocation *invocation)
{
	const char *text = option_value(invocation, "speed");
	char *end;
	double speed = text ? strtod(text, &end) : 1;

	if (text && (*end || !(speed >= 0.1 && speed <= 1000)))
		usage_error(invocation, "--speed takes a number from 0.1 to 1000, not '%s'", text);
	return speed;
}

static int run_replay(const struct invocation *invocation)
{
	struct replay replay = {
		.invocation = invocation,
		.speed = speed_option(invocation),
		.idle_limit =
			option_number(invocation, "idle-limit", IDLE_STANDARD_MS / 1000, 0, 86400) *
			SECOND,
		.step = option_given(invocation, "step"),
		.input = option_given(invocation, "input"),
		.at_once = option_given(invocation, "no-wait"),
		.cast = option_given(invocation, "cast"),
		.raw = option_given(invocation, "raw"),
		.search = option_value(invocation, "search"),
		.shown = writer_growing(RECORDING_MAX),
	};
	const char *what = invocation->words[0];
	struct folders folders;
	struct stat status;
	int result;

	if (replay.search && !*replay.search)
		usage_error(invocation, "--search needs a text");
	folders_find(invocation, &folders);
	if (!replay.cast && !replay.at_once && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		enter_raw(&replay);
	if (stat(what, &status) == 0 && S_ISREG(status.st_mode))
		result = play_file(&replay, what);
	else
		result = play_id(&replay, &folders, what);
	leave_raw(&replay);
	writer_free(&replay.shown);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_replay = {
	.name = "replay",
	.summary = "Play a recorded terminal",
	.arguments = "SESSION|SHA256|FILE",
	.details =
		"SESSION is an id that `sundew sessions` lists; FILE is an asciicast (version 2) "
		"or a ttylog of\n"
		"Cowrie. While it plays a key skips the pause and q ends. Only what draws is "
		"shown: "
		"sequences that\n"
		"would act on your terminal (titles, clipboard, answers) are left out.",
	.options = replay_options,
	.option_count = ARRAY_COUNT(replay_options),
	.words_min = 1,
	.words_max = 1,
	.run = run_replay,
};
