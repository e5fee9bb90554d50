/* Plays the two sides of a flow to a reader and writes down what it says, one thing a line:
 *
 *   > 0 http.method=GET        a buffer of transaction 0's side to the server (< to the client)
 *   > 0 urilen:1               a fact
 *   > 0 !http.something        an anomaly
 *   * client.fingerprint       an event
 *   = tls                      what the reader becomes
 *
 * Bytes that are not printable stand as \xNN.
 */
#ifndef TESTS_UNIT_CAPTURE_READER_H
#define TESTS_UNIT_CAPTURE_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "capture/application.h"

struct play_step {
	enum direction direction;
	const char *bytes;
	size_t length;
	uint64_t gap; /* that many bytes are missing instead */
};

#define SAYS_CLIENT(text)                            \
	{                                            \
		TO_SERVER, text, sizeof(text) - 1, 0 \
	}
#define SAYS_SERVER(text)                            \
	{                                            \
		TO_CLIENT, text, sizeof(text) - 1, 0 \
	}
#define LOST_CLIENT(n)                \
	{                             \
		TO_SERVER, NULL, 0, n \
	}
#define LOST_SERVER(n)                \
	{                             \
		TO_CLIENT, NULL, 0, n \
	}

struct play {
	struct application_context context; /* first: what callbacks are handed */
	const struct application *reader;
	void *state;
	enum application_id becomes;
	struct writer said;
	struct writer pending[2];
	struct wants wants;
	struct arena scratch;
	struct packet packet;
	bool quiet; /* no facts */
};

static inline void play_escape(struct writer *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++)
		if (bytes.at[i] >= ' ' && bytes.at[i] < 127 && bytes.at[i] != '\\')
			writer_u8(out, bytes.at[i]);
		else
			writer_format(out, "\\x%02x", bytes.at[i]);
}

static const char *const play_fact_names[FACT_COUNT] = {
#define FACT(symbol, name, application) [FACT_##symbol] = name,
#include "capture/facts.def"
#undef FACT
};

static inline void play_inspect(struct application_context *context, enum direction direction,
				uint64_t transaction, const struct findings *findings)
{
	struct play *play = (struct play *)context;
	char side = direction == TO_SERVER ? '>' : '<';

	for (size_t i = 0; i < findings->buffer_count; i++) {
		/* Reads all of them, so that a sanitizer sees what is not there. */
		assert_true(findings->buffers[i].bytes.at != NULL);
		writer_format(&play->said, "%c %u %s=", side, (unsigned)transaction,
			      buffer_descriptions[findings->buffers[i].id].name);
		play_escape(&play->said, findings->buffers[i].bytes);
		writer_text(&play->said, "\n");
	}
	for (size_t i = 0; i < findings->fact_count; i++)
		writer_format(&play->said, "%c %u %s:%lld\n", side, (unsigned)transaction,
			      play_fact_names[findings->facts[i].id],
			      (long long)findings->facts[i].value);
	for (size_t i = 0; i < findings->anomaly_count; i++)
		writer_format(&play->said, "%c %u !%s\n", side, (unsigned)transaction,
			      findings->anomalies[i]);
	if (!findings->buffer_count && !findings->fact_count && !findings->anomaly_count)
		writer_format(&play->said, "%c %u\n", side, (unsigned)transaction);
}

static inline void play_tell(struct application_context *context, struct event *event)
{
	struct play *play = (struct play *)context;

	writer_text(&play->said, "* ");
	play_escape(&play->said, event_text(event, FIELD_EVENT_ACTION));
	writer_text(&play->said, "\n");
}

static inline void play_become(struct application_context *context, enum application_id application)
{
	struct play *play = (struct play *)context;

	play->becomes = application;
	writer_format(&play->said, "= %s\n", application_descriptions[application].name);
}

/* `wanted`: names of buffers, NULL at its end; NULL: all. */
static inline void play_start(struct play *play, enum application_id id,
			      enum packet_transport transport, const char *const *wanted)
{
	memset(play, 0, sizeof(*play));
	play->reader = application_of(id);
	assert_non_null(play->reader);
	play->state = calloc(1, play->reader->state_size + 1);
	play->said = writer_growing(1 << 20);
	play->pending[0] = writer_growing(APPLICATION_PENDING_MAX);
	play->pending[1] = writer_growing(APPLICATION_PENDING_MAX);
	play->scratch = arena_of(4 << 20);
	play->packet.transport = transport;
	if (!wanted)
		memset(&play->wants, 0xff, sizeof(play->wants));
	for (; wanted && *wanted; wanted++) {
		enum buffer_id buffer = buffer_named(slice_text(*wanted));

		assert_true(buffer < BUFFER_COUNT);
		play->wants.buffers[buffer / 64] |= 1ull << (buffer % 64);
	}
	play->context = (struct application_context){
		.wants = &play->wants,
		.scratch = &play->scratch,
		.packet = &play->packet,
		.time = 1700000000000000,
		.source_port = 40000,
		.destination_port = 80,
		.inspect = play_inspect,
		.tell = play_tell,
		.become = play_become,
	};
}

/* Hands over what waits. */
static inline void play_feed(struct play *play, enum direction direction, bool last)
{
	struct writer *pending = &play->pending[direction];

	while (play->reader && (pending->length || last)) {
		size_t used;
		/* A copy of just that size, so that a sanitizer sees reading beyond it. */
		uint8_t *copy = malloc(pending->length ? pending->length : 1);

		assert_non_null(copy);
		if (pending->length)
			memcpy(copy, pending->at, pending->length);
		play->becomes = APPLICATION_NONE;
		used = play->reader->input(play->state, &play->context, direction,
					   slice_of(copy, pending->length), last);
		free(copy);
		arena_drop(&play->scratch);
		assert_true(used <= pending->length);
		if (play->packet.transport == TRANSPORT_UDP)
			used = pending->length;
		writer_consume(pending, used);
		if (play->becomes == APPLICATION_NONE)
			return;
		if (play->reader->drop)
			play->reader->drop(play->state);
		free(play->state);
		play->reader = application_of(play->becomes);
		play->state = calloc(1, play->reader ? play->reader->state_size + 1 : 1);
	}
	if (!play->reader)
		writer_clear(pending);
}

static inline void play_bytes(struct play *play, enum direction direction, struct slice bytes,
			      size_t piece)
{
	while (bytes.length) {
		struct slice part = slice_first(bytes, piece);

		writer_bytes(&play->pending[direction], part);
		assert_false(play->pending[direction].failed);
		bytes = slice_from(bytes, part.length);
		play_feed(play, direction, false);
	}
}

static inline void play_gap(struct play *play, enum direction direction, uint64_t length)
{
	if (!play->reader)
		return;
	assert_non_null(play->reader->gap);
	writer_clear(&play->pending[direction]);
	play->reader->gap(play->state, &play->context, direction, length);
	arena_drop(&play->scratch);
}

/* What was said, with a NUL behind it, until play_free. */
static inline const char *play_end(struct play *play)
{
	if (play->packet.transport != TRANSPORT_UDP) {
		play_feed(play, TO_SERVER, true);
		play_feed(play, TO_CLIENT, true);
	}
	if (play->reader && play->reader->finish)
		play->reader->finish(play->state, &play->context);
	writer_u8(&play->said, 0);
	assert_false(play->said.failed);
	return (const char *)play->said.at;
}

static inline void play_free(struct play *play)
{
	if (play->reader && play->reader->drop)
		play->reader->drop(play->state);
	free(play->state);
	writer_free(&play->said);
	writer_free(&play->pending[0]);
	writer_free(&play->pending[1]);
	arena_drop(&play->scratch);
}

static inline void play_once(enum application_id id, enum packet_transport transport,
			     const char *const *wanted, const struct play_step *steps, size_t count,
			     size_t piece, const char *expected)
{
	struct play play;
	const char *said;

	play_start(&play, id, transport, wanted);
	for (size_t i = 0; i < count; i++)
		if (steps[i].gap)
			play_gap(&play, steps[i].direction, steps[i].gap);
		else
			play_bytes(&play, steps[i].direction,
				   slice_of(steps[i].bytes, steps[i].length),
				   piece ? piece : steps[i].length);
	said = play_end(&play);
	if (strcmp(said, expected) != 0)
		print_message("pieces of %zu bytes:\n%s", piece, said);
	assert_string_equal(said, expected);
	play_free(&play);
}

/* Whole, and over TCP byte by byte and in pieces of seven: all must say the same. */
static inline void play_check(enum application_id id, enum packet_transport transport,
			      const char *const *wanted, const struct play_step *steps,
			      size_t count, const char *expected)
{
	play_once(id, transport, wanted, steps, count, 0, expected);
	if (transport == TRANSPORT_UDP)
		return;
	play_once(id, transport, wanted, steps, count, 1, expected);
	play_once(id, transport, wanted, steps, count, 7, expected);
}

#define PLAY_CHECK(id, transport, wanted, steps, expected) \
	play_check(id, transport, wanted, steps, ARRAY_COUNT(steps), expected)

/* Bytes without sense, with and without a start that has some: nothing but survival is asked. */
static inline void play_garbage(enum application_id id, enum packet_transport transport,
				struct slice start)
{
	uint64_t seed = 88172645463325252u;

	for (unsigned round = 0; round < 200; round++) {
		struct play play;

		play_start(&play, id, transport, NULL);
		for (unsigned part = 0; part < 6; part++) {
			uint8_t bytes[300];
			enum direction direction = part & 1 ? TO_CLIENT : TO_SERVER;
			size_t length = 0;

			if (round & 1 && start.length && part < 2) {
				length = start.length < 200 ? start.length : 200;
				memcpy(bytes, start.at, length);
			}
			for (; length < sizeof(bytes); length++) {
				seed ^= seed << 13;
				seed ^= seed >> 7;
				seed ^= seed << 17;
				bytes[length] = (uint8_t)(seed >> 11);
			}
			/* A few bytes of a good start spoilt. */
			if (round & 1 && start.length)
				bytes[seed % 200] = (uint8_t)(seed >> 32);
			play_bytes(&play, direction, slice_of(bytes, sizeof(bytes)),
				   round % 3 ? 300 : 11);
			if (play.reader && play.reader->gap && part == 4)
				play_gap(&play, direction, 100);
		}
		(void)play_end(&play);
		play_free(&play);
	}
}

#endif
