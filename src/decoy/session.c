/* The life of a session: input to the protocol, output with delays and tarpit, TLS, time. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/session_state.h"

/* A decoy that writes more than this before the client reads it is being used, not watched. */
#define OUTPUT_MAX        ((size_t)1024 * 1024)
#define INPUT_MAX_DEFAULT ((size_t)16 * 1024)
#define DATAGRAM_MAX      65507
#define DATAGRAM_HEADER   4    /* length before each datagram in the output buffer */
#define SHRINK_ABOVE      4096 /* an input buffer beyond this is given back when it empties */

int buffer_add(struct buffer **at, struct slice bytes, size_t limit)
{
	struct buffer *buffer = *at;
	size_t length = buffer ? buffer->length : 0, needed, capacity;

	if (bytes.length == 0)
		return 0;
	if (__builtin_add_overflow(length, bytes.length, &needed) || needed > limit)
		return -1;
	if (!buffer || needed > buffer->capacity) {
		capacity = buffer ? buffer->capacity : 48;
		while (capacity < needed)
			capacity *= 2;
		buffer = realloc(buffer, sizeof(*buffer) + capacity);
		if (!buffer)
			return -1;
		buffer->length = (uint32_t)length;
		buffer->capacity = (uint32_t)capacity;
		*at = buffer;
	}
	memcpy(buffer->bytes + length, bytes.at, bytes.length);
	buffer->length = (uint32_t)needed;
	return 0;
}

void buffer_drop(struct buffer **at, size_t count)
{
	struct buffer *buffer = *at;

	if (!buffer)
		return;
	if (count >= buffer->length) {
		free(buffer);
		*at = NULL;
		return;
	}
	memmove(buffer->bytes, buffer->bytes + count, buffer->length - count);
	buffer->length -= (uint32_t)count;
}

static void wake(struct session *session)
{
	if (session->trap->wake)
		session->trap->wake(session->trap, session);
}

void session_fail(struct session *session, const char *reason)
{
	if (session->flags & FAILED)
		return;
	session->flags |= FAILED | CLOSING;
	session->reason = reason;
	wake(session);
}

/* --- opening --- */

static void *align_up(size_t size, size_t *total)
{
	*total += (size + 7) & ~(size_t)7;
	return NULL;
}

struct session *session_open(struct trap *trap, const struct service *service,
			     enum transport transport, const struct endpoint *peer,
			     const struct endpoint *local, const struct tarpit *tarpit,
			     size_t extra)
{
	const struct protocol *protocol = service->protocol;
	size_t size = 0, state_offset = (extra + 7) & ~(size_t)7;
	struct session *session;

	align_up(extra, &size);
	align_up(protocol->state_size, &size);
	session = calloc(1, sizeof(*session) + size);
	if (!session)
		return NULL;
	session->trap = trap;
	session->service = service;
	session->peer = *peer;
	session->local = *local;
	session->state_offset = (uint16_t)state_offset;
	session->opened = trap->wall(trap);
	session->started = session->heard = trap->monotonic(trap);
	session->idle = service->idle;
	session->arena = arena_of(trap->session_memory);
	if (transport == UDP)
		session->flags |= IS_UDP;
	if (tarpit) {
		session->tarpit = *tarpit;
		session->look_at = session->started + tarpit->interval;
	}
	ulid_next(&trap->ulids, session->opened, trap->session_id);
	memcpy(session->id, trap->ulids.last, sizeof(session->id));
	session_report_open(session);
	if (service->tls && trap->tls) {
		session->tls = tls_pipe_new(trap->tls);
		if (session->tls)
			session->flags |= SPEAKS_TLS;
	} else if (protocol->opened) {
		protocol->opened(session, session_state(session));
	}
	return session;
}

void *session_extra(struct session *session)
{
	return session->memory;
}

struct session *session_of_extra(void *extra)
{
	return (struct session *)((uint8_t *)extra - offsetof(struct session, memory));
}

/* --- input --- */

static void enter_tls(struct session *session);

static bool is_held(const struct session *session)
{
	return (session->flags & HOLDS_OUTPUT) != 0;
}

/* Offers what waits to the protocol while it makes progress. */
static void offer_input(struct session *session)
{
	if (session->flags & IN_PROTOCOL)
		return;
	while (session->input && !is_held(session) && !(session->flags & (CLOSING | FAILED)) &&
	       !(session->flags & TLS_AFTER_OUTPUT)) {
		const struct protocol *protocol = session->service->protocol;
		struct slice waiting = buffer_slice(session->input);
		size_t used;

		session->flags |= IN_PROTOCOL;
		used = protocol->input ? protocol->input(session, session_state(session), waiting)
				       : waiting.length;
		session->flags &= (uint16_t)~IN_PROTOCOL;
		if (used == 0 && session->service->protocol == protocol)
			break;
		buffer_drop(&session->input, used);
	}
	if (session->flags & CLOSING)
		buffer_drop(&session->input, SIZE_MAX);
	else if (session->flags & TLS_AFTER_OUTPUT && !session->output && !is_held(session))
		enter_tls(session);
}

static size_t input_limit(const struct session *session)
{
	size_t limit = session->service->protocol->input_max;

	return limit ? limit : INPUT_MAX_DEFAULT;
}

static void take_plaintext(struct session *session, struct slice bytes)
{
	if (session->flags & (CLOSING | FAILED))
		return;
	conversation_add(session, true, bytes);
	/* What comes beyond the cap in one piece may still be used up at once: take it in steps. */
	while (bytes.length && !(session->flags & (CLOSING | FAILED))) {
		size_t limit = input_limit(session);
		size_t waiting = session->input ? session->input->length : 0;
		struct slice step = slice_first(bytes, limit - (waiting < limit ? waiting : limit));

		if (step.length == 0) {
			session_fail(session, "input limit");
			return;
		}
		if (buffer_add(&session->input, step, limit) < 0) {
			session_fail(session, "memory");
			return;
		}
		bytes = slice_from(bytes, step.length);
		offer_input(session);
	}
}

static void begin_after_handshake(struct session *session)
{
	const struct protocol *protocol = session->service->protocol;

	if (session->flags & TLS_REPORTED || !tls_pipe_is_ready(session->tls))
		return;
	session->flags |= TLS_REPORTED;
	session_report_tls(session);
	if (session->service->tls && protocol->opened)
		protocol->opened(session, session_state(session));
}

static void flush_tls(struct session *session)
{
	struct writer cipher = writer_growing(OUTPUT_MAX);

	tls_pipe_output(session->tls, &cipher);
	if (cipher.failed || buffer_add(&session->output, writer_slice(&cipher), OUTPUT_MAX) < 0)
		session_fail(session, "output limit");
	writer_free(&cipher);
}

/* To be called when the pipe has counted the bytes. */
static void tell_decrypted(struct session *session, bool to_client, struct slice bytes)
{
	uint64_t in, out;

	if (!session->trap->decrypted)
		return;
	tls_pipe_count(session->tls, &in, &out);
	if (to_client)
		session->trap->decrypted(session->trap, session, true, bytes, out - bytes.length,
					 in);
	else
		session->trap->decrypted(session->trap, session, false, bytes, in - bytes.length,
					 out);
}

static void feed_tls(struct session *session, struct slice bytes)
{
	uint8_t plain[4096];
	bool closed = false;
	ssize_t got = 0;

	if (tls_pipe_feed(session->tls, bytes) < 0) {
		flush_tls(session);
		session_close(session, "tls error");
		return;
	}
	begin_after_handshake(session);
	while (!(session->flags & CLOSING) &&
	       (got = tls_pipe_read(session->tls, plain, sizeof(plain), &closed)) > 0) {
		begin_after_handshake(session);
		tell_decrypted(session, false, slice_of(plain, (size_t)got));
		take_plaintext(session, slice_of(plain, (size_t)got));
	}
	begin_after_handshake(session);
	if (!(session->flags & CLOSING) && got < 0) {
		flush_tls(session);
		session_close(session, "tls error");
		return;
	}
	flush_tls(session);
	if (closed)
		session_feed_end(session);
}

void session_feed(struct session *session, struct slice bytes)
{
	if (session->flags & (CLOSING | FAILED))
		return;
	session->heard = session->trap->monotonic(session->trap);
	session->received += bytes.length;
	if (session->received > session->service->input_bytes) {
		session_fail(session, "byte limit");
		return;
	}
	if (session->flags & IS_UDP)
		buffer_drop(&session->input, SIZE_MAX); /* a datagram stands alone */
	if (session->flags & SPEAKS_TLS)
		feed_tls(session, bytes);
	else
		take_plaintext(session, bytes);
	wake(session);
}

void session_feed_end(struct session *session)
{
	if (session->flags & CLIENT_DONE)
		return;
	session->flags |= CLIENT_DONE;
	if (!session->reason)
		session->reason = "client";
	wake(session);
}

bool session_become(struct session *session, const struct service *service)
{
	const struct protocol *protocol = service->protocol;
	void *state = NULL, **first = session_state(session);

	if (session->flags & (HANDED_OVER | CLOSING | FAILED | IS_UDP) ||
	    session->service->protocol->state_size < sizeof(state))
		return false;
	state = arena_take(&session->arena, protocol->state_size + 1);
	if (!state)
		return false;
	memset(state, 0, protocol->state_size);
	*first = state;
	session->flags |= HANDED_OVER;
	session->service = service;
	session->timer = 0;
	session->idle = service->idle;
	if (!service->record_conversation)
		conversation_drop(session);
	session_report(session, session_event(session, "protocol.identified"));
	if (protocol->opened)
		protocol->opened(session, state);
	offer_input(session); /* from a timer: what waited is the new protocol's */
	wake(session);
	return true;
}

/* --- output --- */

static void write_framed(struct session *session, struct slice bytes)
{
	uint8_t header[DATAGRAM_HEADER] = {(uint8_t)(bytes.length >> 24),
					   (uint8_t)(bytes.length >> 16),
					   (uint8_t)(bytes.length >> 8), (uint8_t)bytes.length};

	if (bytes.length > session_answer_limit(session)) {
		struct event *event = session_event(session, "limit.shed");

		event_set_words(event, FIELD_EVENT_REASON, "udp answer larger than allowed");
		event_set_number(event, FIELD_DESTINATION_BYTES, (int64_t)bytes.length);
		session_report(session, event);
		return;
	}
	if (bytes.length > DATAGRAM_MAX ||
	    buffer_add(&session->output, slice_of(header, sizeof(header)), OUTPUT_MAX) < 0 ||
	    buffer_add(&session->output, bytes, OUTPUT_MAX) < 0) {
		session_fail(session, "output limit");
		return;
	}
	session->sent += bytes.length;
}

void session_write(struct session *session, struct slice bytes)
{
	if (session->flags & (CLOSING | FAILED) || bytes.length == 0)
		return;
	conversation_add(session, false, bytes);
	if (session->flags & IS_UDP) {
		write_framed(session, bytes);
	} else if (session->flags & SPEAKS_TLS) {
		if (tls_pipe_write(session->tls, bytes) < 0) {
			session_fail(session, "tls error");
		} else {
			tell_decrypted(session, true, bytes);
			flush_tls(session);
		}
	} else if (buffer_add(&session->output, bytes, OUTPUT_MAX) < 0) {
		session_fail(session, "output limit");
	}
	wake(session);
}

void session_text(struct session *session, const char *text)
{
	session_write(session, slice_text(text));
}

void session_print(struct session *session, const char *format, ...)
{
	struct writer text = writer_growing(64 * 1024);
	va_list arguments;

	va_start(arguments, format);
	writer_vformat(&text, format, arguments);
	va_end(arguments);
	session_write(session, writer_slice(&text));
	writer_free(&text);
}

void session_delay(struct session *session, int64_t microseconds)
{
	int64_t now = session->trap->monotonic(session->trap);

	if (microseconds <= 0)
		return;
	if (!is_held(session)) {
		session->flags |= HOLDS_OUTPUT;
		session->hold_at = session->output ? session->output->length : 0;
		session->hold_until = now;
	}
	session->hold_until += microseconds;
	wake(session);
}

void session_close(struct session *session, const char *reason)
{
	if (session->flags & CLOSING)
		return;
	if (session->flags & SPEAKS_TLS && session->tls) {
		tls_pipe_close(session->tls);
		flush_tls(session);
	}
	session->flags |= CLOSING;
	session->reason = reason;
	wake(session);
}

void session_abort(struct session *session, const char *reason)
{
	session_close(session, reason);
	session->flags |= RESET;
}

static void enter_tls(struct session *session)
{
	struct buffer *early = session->input;

	session->flags &= (uint16_t)~TLS_AFTER_OUTPUT;
	session->tls = tls_pipe_new(session->trap->tls);
	if (!session->tls) {
		session_fail(session, "memory");
		return;
	}
	session->flags |= SPEAKS_TLS;
	session->input = NULL;
	if (early)
		feed_tls(session, buffer_slice(early));
	free(early);
}

void session_start_tls(struct session *session)
{
	if (!session->trap->tls || session->flags & (SPEAKS_TLS | IS_UDP) || session->tls)
		return;
	session->flags |= TLS_AFTER_OUTPUT;
	wake(session);
}

bool session_has_tls(const struct session *session)
{
	return session->trap->tls && !(session->flags & IS_UDP);
}

bool session_in_tls(const struct session *session)
{
	return (session->flags & SPEAKS_TLS) != 0;
}

struct tls_pipe *session_tls_pipe(struct session *session)
{
	if (!session->tls && session->trap->tls)
		session->tls = tls_pipe_new(session->trap->tls);
	return session->tls;
}

void session_holds(struct session *session, size_t bytes)
{
	session->held = bytes;
}

const struct host_keys *session_host_keys(const struct session *session)
{
	return session->trap->host_keys;
}

size_t session_answer_limit(const struct session *session)
{
	double allowed = session->service->udp_answer_ratio * (double)session->received;

	if (!(session->flags & IS_UDP))
		return SIZE_MAX;
	return allowed > (double)session->sent ? (size_t)(allowed - (double)session->sent) : 0;
}

static size_t releasable(const struct session *session)
{
	size_t length = session->output ? session->output->length : 0;

	return is_held(session) && session->hold_at < length ? session->hold_at : length;
}

struct slice session_output(struct session *session)
{
	struct slice out = slice_first(buffer_slice(session->output), releasable(session));

	if (session->flags & IS_UDP) {
		struct cursor c = cursor_of(out);
		uint32_t length = cursor_u32be(&c);

		return cursor_take(&c, length);
	}
	if (session->tarpit.interval && out.length) {
		int64_t now = session->trap->monotonic(session->trap);

		return slice_first(out, now >= session->drip_at ? session->tarpit.bytes : 0);
	}
	return out;
}

size_t session_output_waiting(const struct session *session)
{
	return session->output ? session->output->length : 0;
}

void session_sent(struct session *session, size_t count)
{
	const struct protocol *protocol = session->service->protocol;

	if (session->flags & IS_UDP) {
		count += DATAGRAM_HEADER;
	} else {
		session->sent += count;
		if (session->tarpit.interval)
			session->drip_at =
				session->trap->monotonic(session->trap) + session->tarpit.interval;
	}
	if (is_held(session))
		session->hold_at -= (uint32_t)(count < session->hold_at ? count : session->hold_at);
	buffer_drop(&session->output, count);
	if (session->output)
		return;
	if (session->flags & TLS_AFTER_OUTPUT)
		enter_tls(session);
	if (protocol->drained && !(session->flags & (CLOSING | FAILED | IN_PROTOCOL)))
		protocol->drained(session, session_state(session));
}

/* --- time --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t session_deadline(const struct session *session)
{
	int64_t due = session->started + session->service->lifetime;

	if (!session->tarpit.interval)
		due = earlier(due, session->heard + session->idle);
	if (session->flags & FAILED)
		return 0;
	if (session->timer)
		due = earlier(due, session->timer);
	if (is_held(session))
		due = earlier(due, session->hold_until);
	if (session->tarpit.interval)
		due = earlier(due, session->look_at);
	return due;
}

int64_t session_held_until(const struct session *session)
{
	return is_held(session) ? session->hold_until : 0;
}

static void release_hold(struct session *session)
{
	session->flags &= (uint16_t)~HOLDS_OUTPUT;
	if (!session->output && session->flags & TLS_AFTER_OUTPUT)
		enter_tls(session);
	offer_input(session);
}

void session_tick(struct session *session)
{
	const struct protocol *protocol = session->service->protocol;
	int64_t now = session->trap->monotonic(session->trap);

	if (session->tarpit.interval)
		session->look_at = now + session->tarpit.interval;
	if (is_held(session) && now >= session->hold_until)
		release_hold(session);
	if (session->timer && now >= session->timer && !(session->flags & CLOSING)) {
		session->timer = 0;
		if (protocol->timer)
			protocol->timer(session, session_state(session));
	}
	/* A protocol with words for time-outs sets session_timer below the idle limit; this is the
	 * silent end. A tarpitted client is kept as long as it stays. */
	if (!(session->flags & CLOSING) && now >= session->heard + session->idle &&
	    !session->tarpit.interval)
		session_close(session, "idle");
	if (now >= session->started + session->service->lifetime)
		session_fail(session, "lifetime");
}

void session_timer(struct session *session, int64_t microseconds)
{
	session->timer = microseconds ? session->trap->monotonic(session->trap) + microseconds : 0;
	wake(session);
}

void session_idle(struct session *session, int64_t microseconds)
{
	session->idle = microseconds;
	wake(session);
}

bool session_is_over(const struct session *session, bool *reset)
{
	*reset = (session->flags & RESET) != 0;
	if (session->flags & FAILED)
		return true;
	if (session->output || is_held(session))
		return false;
	if (session->flags & CLOSING)
		return true;
	/* After the client's end: the protocol may still be at work on a transfer. */
	return session->flags & CLIENT_DONE && !(session->channel && session->channel->open);
}

void session_end(struct session *session, const char *reason)
{
	const struct protocol *protocol;

	if (!session)
		return;
	protocol = session->service->protocol;
	if (protocol->closed)
		protocol->closed(session, session_state(session));
	session->flags |= FAILED | CLOSING;
	if (session->flags & TLS_REPORTED)
		tell_decrypted(session, false, (struct slice){NULL, 0});
	evidence_finish_all(session);
	conversation_finish(session);
	if (session->channel) {
		if (session->trap->channel_drop)
			session->trap->channel_drop(session->trap, session);
		buffer_drop(&session->channel->output, SIZE_MAX);
		free(session->channel);
	}
	session_report_close(session, session->reason ? session->reason : reason);
	tls_pipe_free(session->tls);
	buffer_drop(&session->input, SIZE_MAX);
	buffer_drop(&session->output, SIZE_MAX);
	arena_drop(&session->arena);
	free(session);
}

/* --- what is around --- */

int64_t session_now(const struct session *session)
{
	return session->trap->wall(session->trap);
}

int64_t session_monotonic(const struct session *session)
{
	return session->trap->monotonic(session->trap);
}

void *session_protocol_state(struct session *session)
{
	return session_state(session);
}

void session_random(struct session *session, void *at, size_t length)
{
	session->trap->random(session->trap, at, length);
}

uint64_t session_random_number(struct session *session, uint64_t below)
{
	uint64_t bits;

	session_random(session, &bits, sizeof(bits));
	return below ? bits % below : 0; /* the bias is far below what anybody could see */
}

const struct persona *session_persona(const struct session *session)
{
	return session->trap->persona;
}

const void *session_options(const struct session *session)
{
	return session->service->options;
}

const struct endpoint *session_peer(const struct session *session)
{
	return &session->peer;
}

const struct endpoint *session_local(const struct session *session)
{
	return &session->local;
}

enum transport session_transport(const struct session *session)
{
	return session->flags & IS_UDP ? UDP : TCP;
}

struct arena *session_arena(struct session *session)
{
	return &session->arena;
}

void *session_memory(struct session *session, size_t size)
{
	return session->trap->memory ? session->trap->memory(session->trap, session, size) : NULL;
}

bool session_is_tarpitted(const struct session *session)
{
	return session->tarpit.interval != 0;
}

int64_t session_last_heard(const struct session *session)
{
	return session->heard;
}

const struct service *session_service(const struct session *session)
{
	return session->service;
}

struct trap *session_trap(const struct session *session)
{
	return session->trap;
}

size_t session_footprint(const struct session *session)
{
	size_t total = sizeof(*session) + session->service->protocol->state_size +
		       session->arena.taken + session->held;

	total += session->input ? session->input->capacity : 0;
	total += session->output ? session->output->capacity : 0;
	return total;
}
