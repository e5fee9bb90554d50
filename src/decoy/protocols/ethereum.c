/* An Ethereum node's JSON-RPC over HTTP (JSON-RPC 2.0; ethereum/execution-apis), as go-ethereum
 * with an open wallet answers: HTTP in the manner of Go's net/http, then single calls and batches.
 */
#include <stdlib.h>

#include "decoy/protocols/ethereum_methods.h"
#include "decoy/protocols/http/body.h"
#include "decoy/protocols/http/record.h"

#define BODY_KEPT_MAX \
	((size_t)128 * 1024)            /* a longer call is kept as evidence and not understood */
#define BODY_GETH_MAX (5 * 1024 * 1024) /* geth's maxRequestContentLength */
#define ANSWER_MAX    ((size_t)512 * 1024)
#define BATCH_MAX     1000 /* geth's BatchRequestLimit */
#define BATCH_EVENTS  100  /* calls of one batch that are recorded one by one */
#define GO_UNCHUNKED  2048 /* longer answers of net/http are chunked */
#define PARSE_ERROR   (-32700)
#define BAD_REQUEST   (-32600)

struct pending {
	struct writer head, body;
	uint64_t size;
	struct evidence *evidence;
};

struct ethereum {
	struct http_scan scan;
	struct http_body body;
	struct pending *pending;
};

/* --- HTTP as net/http speaks it --- */

struct reply {
	const char *status; /* "200 OK" */
	const char *type;   /* NULL: none */
	const char *extra;  /* header lines that sort before Vary, NULL: none */
	bool vary;
	struct slice body;
};

static bool keeps_alive(const struct http_head *head)
{
	if (http_head_lists(head, "connection", "close"))
		return false;
	return head->minor >= 1 || http_head_lists(head, "connection", "keep-alive");
}

static void send_reply(struct session *session, const struct http_head *head,
		       const struct reply *reply)
{
	struct writer out = writer_growing(ANSWER_MAX + 4096);
	bool chunked = reply->body.length > GO_UNCHUNKED && head->minor >= 1;
	char date[30];

	clock_http(session_now(session), date);
	writer_format(&out, "HTTP/1.%d %s\r\n", head->minor >= 1 ? 1 : 0, reply->status);
	if (reply->vary && http_head_value(head, "origin").length)
		writer_text(&out, "Access-Control-Allow-Origin: *\r\n");
	if (reply->type)
		writer_format(&out, "Content-Type: %s\r\n", reply->type);
	if (reply->vary)
		writer_text(&out, "Vary: Origin\r\n");
	if (reply->extra)
		writer_text(&out, reply->extra);
	writer_format(&out, "Date: %s\r\n", date);
	if (!chunked)
		writer_format(&out, "Content-Length: %zu\r\n", reply->body.length);
	if (head->minor >= 1 && !keeps_alive(head))
		writer_text(&out, "Connection: close\r\n");
	else if (head->minor == 0 && keeps_alive(head))
		writer_text(&out, "Connection: keep-alive\r\n");
	if (chunked)
		writer_text(&out, "Transfer-Encoding: chunked\r\n");
	writer_text(&out, "\r\n");
	if (!slice_is(head->method, "HEAD")) {
		if (chunked)
			writer_format(&out, "%zx\r\n", reply->body.length);
		writer_bytes(&out, reply->body);
		if (chunked)
			writer_text(&out, "\r\n0\r\n\r\n");
	}
	session_write(session, writer_slice(&out));
	writer_free(&out);
}

/* http.Error of Go. */
static int send_error(struct session *session, const struct http_head *head, const char *status,
		      const char *text)
{
	struct reply reply = {.status = status,
			      .type = "text/plain; charset=utf-8",
			      .vary = true,
			      .extra = "X-Content-Type-Options: nosniff\r\n",
			      .body = slice_text(text)};
	int64_t code = 0;

	send_reply(session, head, &reply);
	(void)!slice_number(slice_first(slice_text(status), 3), 0, 999, &code);
	return (int)code;
}

/* What net/http says before any handler is asked. */
static void refuse_connection(struct session *session, const char *what)
{
	session_print(session,
		      "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		      "Connection: close\r\n\r\n%s",
		      what, what);
	session_close(session, "bad request");
}

static const char *fault_text(enum http_fault fault)
{
	switch (fault) {
	case HTTP_BAD_VERSION:
		return "505 HTTP Version Not Supported: unsupported protocol version";
	case HTTP_LINE_TOO_LONG:
	case HTTP_HEADER_TOO_LONG:
		return "431 Request Header Fields Too Large";
	default:
		return "400 Bad Request";
	}
}

/* --- JSON-RPC --- */

struct message {
	struct slice id, method, params; /* raw; empty where absent */
	bool is_version_2;
	bool is_object;
};

static void read_message(struct slice raw, struct message *message)
{
	struct json_reader reader = json_reader_of(raw);
	struct slice key, token;

	memset(message, 0, sizeof(*message));
	message->is_object = json_next(&reader, &key) == JSON_OBJECT;
	while (message->is_object && json_next(&reader, &key) == JSON_KEY) {
		enum json_kind kind = json_next(&reader, &token);
		struct slice value = ethereum_raw(&reader, kind, token);

		if (value.length == 0)
			return;
		if (slice_is(key, "id"))
			message->id = value;
		else if (slice_is(key, "method") && kind == JSON_STRING)
			message->method = token;
		else if (slice_is(key, "params"))
			message->params = value;
		else if (slice_is(key, "jsonrpc"))
			message->is_version_2 = slice_is(value, "\"2.0\"");
	}
}

static void take_arguments(struct ethereum_call *call, struct slice params)
{
	struct json_reader reader = json_reader_of(params);
	struct slice token;
	enum json_kind kind;

	if (params.length == 0 || json_next(&reader, &token) != JSON_ARRAY)
		return;
	while (call->count < ETHEREUM_ARGUMENTS_MAX) {
		kind = json_next(&reader, &token);
		if (kind == JSON_ARRAY_END || kind == JSON_ERROR || kind == JSON_END)
			return;
		call->arguments[call->count] = ethereum_raw(&reader, kind, token);
		if (call->arguments[call->count].length == 0)
			return;
		call->count++;
	}
}

/* protocol.request, with what moves money picked out of a transaction. */
static void record_call(const struct ethereum_call *call, const struct message *message,
			const struct http_head *head)
{
	static const char *const names[] = {"from",     "to",   "value", "gas",
					    "gasPrice", "data", "input"};
	uint8_t room[2048];
	struct writer text = writer_fixed(room, sizeof(room));
	struct slice items[ARRAY_COUNT(names)], agent = http_head_value(head, "user-agent");
	struct event *event = session_event(call->session, "protocol.request");
	static const char money[] = "ethereum-transaction";
	struct slice tag = slice_of(money, sizeof(money) - 1);
	size_t count = 0;

	for (size_t i = 0; call->count && i < ARRAY_COUNT(names); i++) {
		size_t start = text.length;

		writer_format(&text, "%s=", names[i]);
		if (!ethereum_field(call->arguments[0], names[i], &text) || text.failed) {
			text.length = start;
			text.failed = false;
			continue;
		}
		items[count++] = slice_of(room + start, text.length - start);
	}
	event_set_text(event, FIELD_REQUEST_VERB, call->method);
	event_set_text(event, FIELD_REQUEST_TEXT, message->params);
	if (count)
		event_set_texts(event, FIELD_REQUEST_ARGUMENTS, items, count);
	if (agent.at)
		event_set_text(event, FIELD_USER_AGENT, agent);
	if (slice_contains_nocase(call->method, "sendtransaction") ||
	    slice_contains_nocase(call->method, "sendrawtransaction"))
		event_set_texts(event, FIELD_TAGS, &tag, 1);
	if (call->error) {
		uint8_t code[16];
		struct writer number = writer_fixed(code, sizeof(code));

		writer_decimal(&number, call->error);
		event_set_text(event, FIELD_RESPONSE_CODE, writer_slice(&number));
		session_report(call->session, event);
		return;
	}
	session_report(call->session, event);
}

static void write_error(struct json_writer *j, struct slice id, int code, const char *text)
{
	json_object(j);
	json_key(j, "jsonrpc");
	json_text(j, "2.0");
	json_key(j, "id");
	json_raw(j, id.length ? id : SLICE("null"));
	json_key(j, "error");
	json_object(j);
	json_key(j, "code");
	json_number(j, code);
	json_key(j, "message");
	json_text(j, text);
	json_object_end(j);
	json_object_end(j);
}

static void write_result(struct json_writer *j, struct slice id, struct slice result)
{
	json_object(j);
	json_key(j, "jsonrpc");
	json_text(j, "2.0");
	json_key(j, "id");
	json_raw(j, id);
	json_key(j, "result");
	json_raw(j, result);
	json_object_end(j);
}

/* Answers one message into j; notifications leave nothing. */
static void answer_message(struct session *session, const struct http_head *head, struct slice raw,
			   struct json_writer *j, bool record)
{
	uint8_t name_room[256];
	struct writer name = writer_fixed(name_room, sizeof(name_room));
	struct writer result = writer_growing(16 * 1024);
	struct json_writer value = json_writer_of(&result);
	struct ethereum_call call = {.session = session, .result = &value};
	struct message message;
	bool has_id;

	read_message(raw, &message);
	has_id = message.id.length && message.id.at[0] != '{' && message.id.at[0] != '[';
	json_unescape(&name, message.method);
	call.method = writer_slice(&name);
	if (!message.is_version_2 || call.method.length == 0 || (message.id.length && !has_id)) {
		write_error(j, has_id ? message.id : slice_of(NULL, 0), BAD_REQUEST,
			    "invalid request");
		call.error = BAD_REQUEST;
		if (record)
			record_call(&call, &(struct message){.params = raw}, head);
		writer_free(&result);
		return;
	}
	take_arguments(&call, message.params);
	ethereum_run(&call);
	if (record)
		record_call(&call, &message, head);
	if (has_id && call.error)
		write_error(j, message.id, call.error, call.message);
	else if (has_id)
		write_result(j, message.id, writer_slice(&result));
	writer_free(&result);
}

static void answer_batch(struct session *session, const struct http_head *head, struct slice body,
			 struct writer *out)
{
	struct json_reader reader = json_reader_of(body);
	struct json_writer j = json_writer_of(out);
	struct slice token, none = {NULL, 0};
	size_t count = 0, start = out->length;
	enum json_kind kind;

	(void)json_next(&reader, &token);
	json_array(&j);
	while ((kind = json_next(&reader, &token)) != JSON_ARRAY_END && kind != JSON_ERROR) {
		struct slice raw = ethereum_raw(&reader, kind, token);

		if (++count > BATCH_MAX) {
			out->length = start;
			j = json_writer_of(out);
			write_error(&j, none, BAD_REQUEST, "batch too large");
			return;
		}
		answer_message(session, head, raw, &j, count <= BATCH_EVENTS);
	}
	json_array_end(&j);
	if (count == 0) {
		out->length = start;
		j = json_writer_of(out);
		write_error(&j, none, BAD_REQUEST, "empty batch");
	} else if (out->length - start == 2) {
		out->length = start; /* nothing but notifications */
	}
}

static void answer_rpc(struct session *session, const struct http_head *head, struct slice body)
{
	struct json_reader reader = json_reader_of(body);
	struct writer out = writer_growing(ANSWER_MAX);
	struct json_writer j = json_writer_of(&out);
	struct reply reply = {.status = "200 OK", .type = "application/json", .vary = true};
	struct slice token, raw;
	enum json_kind kind = json_next(&reader, &token);

	raw = ethereum_raw(&reader, kind, token);
	if (slice_trim(body).length == 0) {
		/* Nothing was asked, nothing is said. */
	} else if (raw.length == 0) {
		write_error(&j, raw, PARSE_ERROR, "parse error");
		session_report_garbage(session, "not json", body);
	} else if (kind == JSON_ARRAY) {
		answer_batch(session, head, raw, &out);
	} else {
		answer_message(session, head, raw, &j, true);
	}
	if (out.length)
		writer_u8(&out, '\n');
	reply.body = writer_slice(&out);
	send_reply(session, head, &reply);
	writer_free(&out);
}

/* --- requests --- */

static bool is_json_type(struct slice type)
{
	struct slice media = {NULL, 0};

	slice_next(&type, ';', &media);
	media = slice_trim(media);
	return slice_is_nocase(media, "application/json") ||
	       slice_is_nocase(media, "application/json-rpc") ||
	       slice_is_nocase(media, "application/jsonrequest");
}

static int answer_preflight(struct session *session, const struct http_head *head)
{
	struct slice wanted = http_head_value(head, "access-control-request-headers");
	char date[30];

	clock_http(session_now(session), date);
	session_text(session, "HTTP/1.1 204 No Content\r\n");
	if (wanted.length)
		session_print(session, "Access-Control-Allow-Headers: %.*s\r\n", (int)wanted.length,
			      (const char *)wanted.at);
	session_print(session,
		      "Access-Control-Allow-Methods: POST\r\nAccess-Control-Allow-Origin: *\r\n"
		      "Access-Control-Max-Age: 600\r\nVary: Origin\r\n"
		      "Vary: Access-Control-Request-Method\r\n"
		      "Vary: Access-Control-Request-Headers\r\nDate: %s\r\n\r\n",
		      date);
	return 204;
}

/* What is no call; 0 when it is one. */
static int answer_other(struct session *session, const struct http_head *head, uint64_t length)
{
	struct reply empty = {.status = "200 OK", .vary = true};
	struct slice method = head->method;

	if (slice_is(method, "OPTIONS") && http_head_value(head, "origin").length &&
	    http_head_value(head, "access-control-request-method").length)
		return answer_preflight(session, head);
	if (!slice_is(head->target, "/") && !slice_starts(head->target, "/?") &&
	    !slice_contains_nocase(slice_first(head->target, 8), "://")) {
		empty = (struct reply){.status = "404 Not Found"};
		send_reply(session, head, &empty);
		return 404;
	}
	if (slice_is(method, "GET") && length == 0 &&
	    slice_find_byte(head->target, '?') == SIZE_MAX) {
		send_reply(session, head, &empty);
		return 200;
	}
	if (slice_is(method, "PUT") || slice_is(method, "DELETE"))
		return send_error(session, head, "405 Method Not Allowed", "method not allowed\n");
	if (length > BODY_GETH_MAX)
		return send_error(session, head, "413 Request Entity Too Large",
				  "content length too large\n");
	if (!slice_is(method, "OPTIONS") && !is_json_type(http_head_value(head, "content-type")))
		return send_error(session, head, "415 Unsupported Media Type",
				  "invalid content type, only application/json is supported\n");
	return 0;
}

static void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	evidence_finish(pending->evidence, NULL);
	writer_free(&pending->head);
	writer_free(&pending->body);
	free(pending);
}

static void finish_request(struct session *session, struct ethereum *state,
			   const struct http_head *head, struct slice body, uint64_t size)
{
	struct http_record record = {.head = head, .body = body, .body_size = size};

	(void)http_record_authorization(session, head);
	record.status = answer_other(session, head, size);
	if (record.status)
		http_record_request(session, &record);
	else
		answer_rpc(session, head, body);
	memset(&state->scan, 0, sizeof(state->scan));
	if (!keeps_alive(head))
		session_close(session, "answered");
}

static void keep_body(struct session *session, struct pending *pending, struct slice piece)
{
	size_t room = BODY_KEPT_MAX - pending->body.length;

	if (piece.length > room && !pending->evidence) {
		pending->evidence =
			session_evidence(session, EVIDENCE_PAYLOAD, "body", SLICE("rpc"));
		evidence_add(pending->evidence, writer_slice(&pending->body));
	}
	evidence_add(pending->evidence, piece);
	writer_bytes(&pending->body, slice_first(piece, room));
	pending->size += piece.length;
}

static size_t take_body(struct session *session, struct ethereum *state, struct slice bytes)
{
	struct pending *pending = state->pending;
	struct slice rest = bytes, piece;
	enum http_progress progress;
	struct http_head head;
	size_t before;

	do {
		before = rest.length;
		progress = http_body_take(&state->body, &rest, &piece);
		keep_body(session, pending, piece);
	} while (progress == HTTP_MORE && rest.length && rest.length < before);
	if (progress == HTTP_MORE)
		return bytes.length - rest.length;
	http_head_split(&head, writer_slice(&pending->head));
	state->pending = NULL;
	finish_request(session, state, &head, writer_slice(&pending->body), pending->size);
	if (progress == HTTP_FAULTY)
		session_close(session, "bad request");
	pending_free(pending);
	return bytes.length - rest.length;
}

static void await_body(struct session *session, struct ethereum *state,
		       const struct http_head *head, const struct http_body *body)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		session_abort(session, "memory");
		return;
	}
	pending->head = writer_growing(HTTP_HEAD_MAX);
	pending->body = writer_growing(BODY_KEPT_MAX);
	writer_bytes(&pending->head, head->raw);
	state->pending = pending;
	state->body = *body;
	if (slice_is_nocase(http_head_value(head, "expect"), "100-continue"))
		session_text(session, "HTTP/1.1 100 Continue\r\n\r\n");
}

static size_t take_head(struct session *session, struct ethereum *state, struct slice bytes)
{
	enum http_progress progress = http_scan(&state->scan, HTTP_GO, bytes);
	struct http_record record = {.tag = "malformed", .with_raw = true, .status = 400};
	struct http_head head;
	struct http_body body;
	size_t hosts;
	int status;

	if (progress == HTTP_MORE)
		return 0;
	if (progress == HTTP_FAULTY) {
		session_report_garbage(session, "not http", bytes);
		refuse_connection(session, fault_text(state->scan.fault));
		return bytes.length;
	}
	http_head_split(&head, slice_first(bytes, state->scan.at));
	status = http_body_begin(&body, &head, HTTP_GO);
	record.head = &head;
	(void)http_head_find(&head, "host", &hosts);
	if (status || hosts > 1 || (hosts == 0 && head.minor >= 1)) {
		http_record_request(session, &record);
		refuse_connection(session,
				  status == 501
					  ? "501 Not Implemented: unsupported transfer encoding"
				  : status ? "400 Bad Request"
				  : hosts  ? "400 Bad Request: too many Host headers"
					   : "400 Bad Request: missing required Host header");
		return bytes.length;
	}
	if (body.framing == HTTP_NO_BODY)
		finish_request(session, state, &head, slice_of(NULL, 0), 0);
	else
		await_body(session, state, &head, &body);
	return head.raw.length;
}

static size_t ethereum_input(struct session *session, void *memory, struct slice bytes)
{
	struct ethereum *state = memory;

	return state->pending ? take_body(session, state, bytes) : take_head(session, state, bytes);
}

static void ethereum_closed(struct session *session, void *memory)
{
	struct ethereum *state = memory;
	struct http_record record = {.tag = "incomplete"};
	struct http_head head;

	if (!state->pending)
		return;
	http_head_split(&head, writer_slice(&state->pending->head));
	record.head = &head;
	record.body = writer_slice(&state->pending->body);
	record.body_size = state->pending->size;
	http_record_request(session, &record);
	pending_free(state->pending);
	state->pending = NULL;
}

const struct protocol protocol_ethereum = {
	.name = "ethereum",
	.title = "Ethereum JSON-RPC",
	.ports = {{TCP, 8545, false}},
	.speaks_first = CLIENT,
	.state_size = sizeof(struct ethereum),
	.input_max = HTTP_HEAD_MAX + 4096,
	.input = ethereum_input,
	.closed = ethereum_closed,
};
