/* Asciicast v2 as evidence; see recording.h. */
#include <stdlib.h>

#include "base/json.h"
#include "decoy/machine/recording.h"
#include "decoy/session.h"

/* Without a terminal it is often a file that is sent: its beginning tells, the file itself is
 * evidence of its own. */
#define WITHOUT_TERMINAL_MAX ((size_t)256 * 1024)
/* Lines are collected before they are written: a key makes one of forty bytes. */
#define COLLECTED_MAX ((size_t)2048)
#define EVENT_MAX     ((size_t)64 * 1024)

/* The bytes of a character whose rest has not come. */
struct tail {
	uint8_t bytes[4];
	uint8_t length;
};

struct recording {
	struct session *session;
	struct evidence *evidence;
	int64_t started; /* monotonic */
	size_t left;
	bool terminal, full;
	struct tail output, input;
	struct writer lines;
};

static int64_t monotonic(struct session *session)
{
	struct trap *trap = session_trap(session);

	return trap->monotonic(trap);
}

static void write_header(struct recording *recording, const struct machine_start *start)
{
	struct json_writer j = json_writer_of(&recording->lines);
	char id[ULID_LENGTH + 1];

	json_object(&j);
	json_key(&j, "version");
	json_number(&j, 2);
	json_key(&j, "width");
	json_number(&j, start->terminal ? start->terminal->columns : 80);
	json_key(&j, "height");
	json_number(&j, start->terminal ? start->terminal->rows : 24);
	json_key(&j, "timestamp");
	json_number(&j, session_now(recording->session) / SECOND);
	if (start->command) {
		json_key(&j, "command");
		json_string(&j, *start->command);
	}
	session_id(recording->session, id);
	json_key(&j, "title");
	json_text(&j, id);
	json_key(&j, "env");
	json_object(&j);
	json_key(&j, "TERM");
	json_text(&j, start->terminal && start->terminal->type ? start->terminal->type : "dumb");
	json_object_end(&j);
	json_object_end(&j);
	writer_u8(&recording->lines, '\n');
}

struct recording *recording_begin(struct session *session, const struct machine_start *start)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return NULL;
	recording->session = session;
	recording->started = monotonic(session);
	recording->terminal = start->terminal != NULL;
	recording->left = WITHOUT_TERMINAL_MAX;
	recording->lines = writer_growing(8 * EVENT_MAX);
	write_header(recording, start);
	return recording;
}

/* The evidence is begun late, so that a short one is written in one piece. */
static void flush(struct recording *recording)
{
	if (!recording->evidence && !recording->full) {
		recording->evidence =
			session_evidence(recording->session, EVIDENCE_TERMINAL,
					 recording->terminal ? "terminal" : "exec", slice_text(""));
		recording->full = !recording->evidence;
	}
	evidence_add(recording->evidence, writer_slice(&recording->lines));
	writer_clear(&recording->lines);
}

/* True when so many bytes more would make the first byte's sequence whole. */
static bool may_be_whole_later(struct slice bytes)
{
	uint8_t first = bytes.at[0];
	size_t needed = first >= 0xf0 && first <= 0xf4 ? 4
			: first >= 0xe0                ? 3
			: first >= 0xc2                ? 2
						       : 0;

	if (first > 0xf4 || bytes.length >= needed)
		return false;
	for (size_t i = 1; i < bytes.length; i++)
		if ((bytes.at[i] & 0xc0) != 0x80)
			return false;
	return true;
}

static void add_text(struct writer *out, struct slice bytes, struct tail *tail)
{
	while (bytes.length) {
		size_t run = 0, sequence;

		while (run < bytes.length && (sequence = utf8_sequence(slice_from(bytes, run))) > 0)
			run += sequence;
		if (run)
			json_escape(out, slice_first(bytes, run));
		bytes = slice_from(bytes, run);
		if (bytes.length == 0)
			return;
		if (may_be_whole_later(bytes)) {
			memcpy(tail->bytes, bytes.at, bytes.length);
			tail->length = (uint8_t)bytes.length;
			return;
		}
		writer_format(out, "\\udc%02x", bytes.at[0]);
		bytes = slice_from(bytes, 1);
	}
}

static void add_event(struct recording *recording, const char *code, struct slice bytes,
		      struct tail *tail)
{
	uint8_t joined[sizeof(tail->bytes) + 4];
	int64_t elapsed = monotonic(recording->session) - recording->started;
	struct tail before = *tail;

	writer_format(&recording->lines, "[%lld.%06lld, \"%s\", \"", (long long)(elapsed / SECOND),
		      (long long)(elapsed % SECOND), code);
	tail->length = 0;
	if (before.length) {
		size_t more = bytes.length < 4 ? bytes.length : 4, whole;

		memcpy(joined, before.bytes, before.length);
		memcpy(joined + before.length, bytes.at, more);
		whole = utf8_sequence(slice_of(joined, before.length + more));
		if (whole > before.length) {
			json_escape(&recording->lines, slice_of(joined, whole));
			bytes = slice_from(bytes, whole - before.length);
		} else if (may_be_whole_later(slice_of(joined, before.length + more)) &&
			   more == bytes.length) {
			memcpy(tail->bytes, joined, before.length + more);
			tail->length = (uint8_t)(before.length + more);
			bytes = slice_of(NULL, 0);
		} else {
			for (size_t i = 0; i < before.length; i++)
				writer_format(&recording->lines, "\\udc%02x", before.bytes[i]);
		}
	}
	add_text(&recording->lines, bytes, tail);
	writer_text(&recording->lines, "\"]\n");
}

static void record(struct recording *recording, const char *code, struct slice bytes,
		   struct tail *tail)
{
	if (!recording || recording->full)
		return;
	if (!recording->terminal) {
		bytes = slice_first(bytes, recording->left);
		recording->left -= bytes.length;
	}
	while (bytes.length) {
		struct slice part = slice_first(bytes, EVENT_MAX);

		add_event(recording, code, part, tail);
		bytes = slice_from(bytes, part.length);
		if (recording->lines.length > COLLECTED_MAX)
			flush(recording);
	}
}

void recording_output(struct recording *recording, struct slice bytes)
{
	record(recording, "o", bytes, recording ? &recording->output : NULL);
}

void recording_input(struct recording *recording, struct slice bytes)
{
	record(recording, "i", bytes, recording ? &recording->input : NULL);
}

void recording_resize(struct recording *recording, unsigned columns, unsigned rows)
{
	char text[32];
	struct writer w = writer_fixed(text, sizeof(text));
	struct tail none = {0};

	writer_format(&w, "%ux%u", columns, rows);
	record(recording, "r", writer_slice(&w), &none);
}

void recording_end(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->output.length; i++)
		writer_format(
			&recording->lines, "[%lld.0, \"o\", \"\\udc%02x\"]\n",
			(long long)((monotonic(recording->session) - recording->started) / SECOND),
			recording->output.bytes[i]);
	if (recording->lines.length && !recording->evidence && !recording->full)
		session_keep(recording->session, EVIDENCE_TERMINAL,
			     recording->terminal ? "terminal" : "exec", slice_text(""),
			     writer_slice(&recording->lines));
	else if (recording->lines.length)
		flush(recording);
	evidence_finish(recording->evidence, NULL);
	writer_free(&recording->lines);
	free(recording);
}
