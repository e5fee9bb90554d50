/* Redis: protocol, options, from bytes to commands, and the events of each. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/redis/redis.h"

#define ARGUMENT_RECORDED_MAX 512          /* of one argument in sundew.request.arguments */
#define CLIENT_PACE           (SECOND / 4) /* client numbers rise this fast */
#define ARGUMENTS_RECORDED    EVENT_LIST_MAX

static const struct directive directives[] = {
	{.name = "password-required",
	 .type = DIRECTIVE_BOOLEAN,
	 .offset = offsetof(struct redis_options, password_required),
	 .standard = "no",
	 .help = "Ask for AUTH before anything else; intruders look for servers that do not."},
};

static const struct config_section section = {"services[].redis", directives,
					      ARRAY_COUNT(directives), "The Redis decoy."};

static bool wants_password(const struct session *session)
{
	const struct redis_options *options = session_options(session);

	return options && options->password_required;
}

static void redis_opened(struct session *session, void *state)
{
	struct redis *redis = state;
	int64_t now = session_now(session);

	redis->version = redis_version(session);
	redis->protocol = 2;
	redis->authorised = !wants_password(session);
	redis->opened = now;
	redis->cleared = persona_boot_time(session_persona(session), now);
	redis->saved = now - 60 * SECOND - (int64_t)session_random_number(session, 900) * SECOND;
	redis->connections = (uint32_t)((now - redis->cleared) / CLIENT_PACE);
	redis->id = (uint32_t)((now - redis->cleared) / CLIENT_PACE);
	redis->queue_end = &redis->queue;
}

/* --- events --- */

static void describe(struct writer *text, const struct slice *arguments, size_t count)
{
	for (size_t i = 0; i < count && text->length < EVENT_TEXT_MAX; i++) {
		if (i)
			writer_u8(text, ' ');
		writer_bytes(text, slice_first(arguments[i], EVENT_TEXT_MAX));
	}
}

static void report(struct call *call, size_t answer_at)
{
	struct event *event = session_event(call->session, "protocol.request");
	struct slice arguments[ARGUMENTS_RECORDED], tags[REDIS_TAGS_MAX], code, verb;
	struct writer text = writer_growing((size_t)4 * EVENT_TEXT_MAX);
	char verb_text[64];
	size_t count = 0;

	describe(&text, call->arguments, call->count);
	verb = slice_first(call->arguments[0], sizeof(verb_text));
	for (size_t i = 0; i < verb.length; i++)
		verb_text[i] = (char)(verb.at[i] >= 'a' && verb.at[i] <= 'z' ? verb.at[i] - 32
									     : verb.at[i]);
	for (size_t i = 1; i < call->count && count < ARGUMENTS_RECORDED; i++)
		arguments[count++] = slice_first(call->arguments[i], ARGUMENT_RECORDED_MAX);
	for (size_t i = 0; i < call->tag_count; i++)
		tags[i] = slice_text(call->tags[i]);
	code = slice_from(writer_slice(call->out), answer_at);
	if (code.length && code.at[0] == '-') {
		code = slice_from(code, 1);
		code = slice_first(code, slice_find_byte(code, ' '));
		event_set_text(event, FIELD_RESPONSE_CODE, slice_trim(slice_first(code, 32)));
		event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	}
	event_set_text(event, FIELD_REQUEST_VERB, slice_of(verb_text, verb.length));
	event_set_text(event, FIELD_REQUEST_TEXT, writer_slice(&text));
	if (count)
		event_set_texts(event, FIELD_REQUEST_ARGUMENTS, arguments, count);
	if (call->tag_count)
		event_set_texts(event, FIELD_TAGS, tags, call->tag_count);
	session_report(call->session, event);
	writer_free(&text);
}

void redis_tag(struct call *call, const char *tag)
{
	for (size_t i = 0; i < call->tag_count; i++) {
		if (strcmp(call->tags[i], tag) == 0)
			return;
	}
	if (call->tag_count < REDIS_TAGS_MAX)
		call->tags[call->tag_count++] = tag;
}

/* --- input --- */

/* Browsers and forged requests: Redis hangs up on POST and Host: without a word. */
static bool is_http_trap(struct slice verb)
{
	return slice_is_nocase(verb, "post") || slice_is_nocase(verb, "host:");
}

static bool looks_like_http(struct slice bytes)
{
	struct slice line = slice_first(bytes, slice_find_byte(bytes, '\n'));

	line = slice_trim(line);
	return line.length > 9 && bytes.at[0] >= 'A' && bytes.at[0] <= 'Z' &&
	       slice_starts(slice_from(line, line.length - 8), "HTTP/1.");
}

/* The Host line comes right behind a GET: then not even GET's error leaves. 1: hang up; 0: go on;
 * -1: wait for the rest of the head. */
static int judge_http(struct slice bytes)
{
	size_t end;

	if (!looks_like_http(bytes) || slice_find_byte(bytes, '\n') == SIZE_MAX)
		return 0;
	if (slice_starts_nocase(bytes, "post "))
		return 1;
	end = slice_find(bytes, SLICE("\n\r\n"));
	if (slice_contains_nocase(slice_first(bytes, end), "\nhost:"))
		return 1;
	return end == SIZE_MAX && bytes.length < REDIS_LINE_MAX ? -1 : 0;
}

static void answer(struct session *session, struct redis *redis, const struct request *request)
{
	struct writer out = writer_growing(REDIS_REPLY_MAX);
	struct call call = {.session = session, .redis = redis, .out = &out};

	call.arguments = request->arguments;
	call.count = request->count < REDIS_ARGUMENTS_MAX ? request->count : REDIS_ARGUMENTS_MAX;
	redis->commands++;
	if (is_http_trap(request->arguments[0])) {
		session_report_garbage(session, "http", request->arguments[0]);
		session_close(session, "http request");
		return;
	}
	redis_recall(&call);
	redis_run(&call, request->count);
	report(&call, 0);
	if (out.failed)
		session_close(session, "reply limit");
	else
		session_write(session, writer_slice(&out));
	writer_free(&out);
	if (call.command && strcmp(call.command->name, "quit") == 0)
		session_close(session, "quit");
}

static void start_stream(struct session *session, struct redis *redis,
			 const struct request *request, int64_t length)
{
	struct writer out = writer_growing(REDIS_LINE_MAX);
	struct call call = {.session = session, .redis = redis, .out = &out};

	redis->stream_left = length + 2;
	redis->streaming = true;
	redis->stream = session_evidence(session, EVIDENCE_PAYLOAD, "write",
					 request->count > 1 ? request->arguments[1] : SLICE(""));
	if (request->count > 0) {
		call.arguments = request->arguments;
		call.count =
			request->count < REDIS_ARGUMENTS_MAX ? request->count : REDIS_ARGUMENTS_MAX;
		redis_tag(&call, "large-value");
		report(&call, 0);
	}
	writer_free(&out);
}

static size_t stream(struct session *session, struct redis *redis, struct slice bytes)
{
	struct slice part = slice_first(bytes, (size_t)redis->stream_left);

	redis->stream_left -= (int64_t)part.length;
	if (redis->stream_left < 2) { /* not the CR LF behind it */
		size_t tail = (size_t)(2 - redis->stream_left);

		evidence_add(redis->stream,
			     slice_first(part, part.length > tail ? part.length - tail : 0));
	} else {
		evidence_add(redis->stream, part);
	}
	if (redis->stream_left == 0) {
		evidence_finish(redis->stream, NULL);
		redis->stream = NULL;
		redis->streaming = false;
		session_text(session, redis->authorised ? "+OK\r\n"
							: "-NOAUTH Authentication required.\r\n");
		if (redis->reader.left > 0)
			session_close(session, "oversized request");
		redis->reader = (struct request_reader){0};
	}
	return part.length;
}

static size_t redis_input(struct session *session, void *state, struct slice bytes)
{
	struct redis *redis = state;
	struct writer text = writer_growing((size_t)2 * REDIS_LINE_MAX);
	struct request request;
	struct request_result result;
	int http;

	if (redis->streaming)
		return stream(session, redis, bytes);
	http = judge_http(bytes);
	if (http != 0) {
		if (http < 0)
			return 0;
		session_report_garbage(session, "http", bytes);
		session_close(session, "http request");
		return bytes.length;
	}
	/* Words live in `text`, which must not move while they are being split. */
	if (!writer_reserve(&text, bytes.length < REDIS_LINE_MAX ? bytes.length + 1
								 : (size_t)REDIS_LINE_MAX + 1))
		return 0;
	result = request_read(&redis->reader, bytes, &request, &text, redis->authorised,
			      redis->version);
	if (result.status == REQUEST_DONE && request.count > 0)
		answer(session, redis, &request);
	if (result.status == REQUEST_HUGE)
		start_stream(session, redis, &request, result.huge);
	writer_free(&text);
	if (result.status == REQUEST_BROKEN) {
		session_report_garbage(session, result.why, bytes);
		session_print(session, "-ERR Protocol error: %s\r\n", result.why);
		session_close(session, "protocol error");
		return bytes.length;
	}
	return result.used;
}

/* --- the end --- */

static void remember(struct session *session, struct redis *redis)
{
	struct redis_memory *memory = session_memory(session, sizeof(*memory));
	struct store out;
	struct store_entry entry;

	if (!memory)
		return;
	memory->used = true;
	snprintf(memory->directory, sizeof(memory->directory), "%s",
		 redis->directory ? redis->directory : "");
	snprintf(memory->file, sizeof(memory->file), "%s", redis->file ? redis->file : "");
	snprintf(memory->master, sizeof(memory->master), "%s", redis->master ? redis->master : "");
	memory->master_port = redis->master_port;
	memory->flushed = redis->flushed;
	if (!redis->store)
		return;
	out = (struct store){.capacity = sizeof(memory->store), .bytes = memory->store};
	for (size_t at = 0; store_next(redis->store, &at, &entry);) {
		if (entry.flags & STORE_WRITTEN)
			store_put(&out, &entry);
	}
	memory->store_used = (uint16_t)out.used;
}

static void redis_closed(struct session *session, void *state)
{
	struct redis *redis = state;

	if (redis->stream)
		evidence_finish(redis->stream, NULL);
	redis->stream = NULL;
	if (redis->store)
		redis_keep_writes(session, redis);
	if (redis->seen)
		remember(session, redis);
}

static int redis_recognise(struct slice first)
{
	static const char *const words[] = {"*1\r\n$", "*2\r\n$", "*3\r\n$", "*4\r\n$"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (slice_starts(first, words[i]))
			return 95;
	}
	if (slice_starts_nocase(first, "info\r\n") || slice_starts_nocase(first, "config get "))
		return 80;
	if (slice_starts_nocase(first, "ping\r\n") || slice_starts_nocase(first, "info "))
		return 60;
	return 0;
}

const struct protocol protocol_redis = {
	.name = "redis",
	.title = "Redis key-value store",
	.ports = {{TCP, 6379, false}},
	.speaks_first = CLIENT,
	.state_size = sizeof(struct redis),
	.input_max = REDIS_INPUT_MAX,
	.options = &section,
	.options_size = sizeof(struct redis_options),
	.recognise = redis_recognise,
	.opened = redis_opened,
	.input = redis_input,
	.closed = redis_closed,
};
