/* The http decoy: a web server with a small company's site (RFC 9110, RFC 9112).
 *
 * Heads stay in the session's input until they are whole; bodies are used up as they come, so a
 * connection that waits for its next request holds nothing but this struct. Answers that do not
 * depend on the body leave before it, as nginx does it; the event is written when the body is
 * there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/http/multipart.h"
#include "decoy/protocols/http/record.h"
#include "decoy/protocols/http/route.h"

#define BODY_KEPT_MAX EVENT_TEXT_MAX /* first bytes of a body, for the event and for forms */
#define LINGER                                                                               \
	(5 * SECOND)               /* nginx's lingering_timeout: how long we wait for a body \
				    * whose answer has left */
#define KEEP_ALIVE_MAX        1000 /* nginx's keepalive_requests */
#define APACHE_KEEP_ALIVE_MAX 100  /* Apache's MaxKeepAliveRequests */

/* A request whose body is on its way. */
struct pending {
	struct writer head, body; /* raw */
	uint64_t size;
	struct evidence *evidence;
	struct multipart *multipart;
	int status; /* that was answered already; 0: the answer waits for the body */
	bool keep_alive, broken;
	bool authorized, was_authorized; /* see struct http_request */
};

struct http {
	struct http_scan scan;
	struct http_body body;
	struct pending *pending;
	unsigned requests;
};

static enum http_dialect dialect_of(const struct session *session)
{
	const char *style = persona_text(session_persona(session), "http.style", "nginx");

	if (strcmp(style, "iis") == 0)
		return HTTP_IIS;
	return strcmp(style, "apache") == 0 ? HTTP_APACHE : HTTP_NGINX;
}

static bool is_upload(const struct http_head *head)
{
	return slice_is(head->method, "PUT");
}

/* --- the end of a request --- */

static void next_request(struct http *state, struct session *session, bool keep_alive)
{
	memset(&state->scan, 0, sizeof(state->scan));
	state->requests++;
	if (!keep_alive)
		session_close(session, "answered");
}

static void limit_requests(const struct http *state, struct http_exchange *exchange)
{
	unsigned most = exchange->dialect == HTTP_APACHE ? APACHE_KEEP_ALIVE_MAX : KEEP_ALIVE_MAX;

	exchange->requests = state->requests;
	if (state->requests + 1 >= most && exchange->dialect != HTTP_IIS)
		exchange->keep_alive = false;
}

static void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	multipart_finish(pending->multipart);
	evidence_finish(pending->evidence, NULL);
	writer_free(&pending->head);
	writer_free(&pending->body);
	free(pending);
}

/* The body is there, or will never be: answers if that is still due, and records. */
static void finish_pending(struct session *session, struct http *state, bool complete)
{
	struct pending *pending = state->pending;
	struct http_request request = {.answer = {.status = 400},
				       .authorized = pending->authorized,
				       .was_authorized = pending->was_authorized};
	struct http_head head;
	struct http_record record = {.head = &head, .status = pending->status};

	http_head_split(&head, writer_slice(&pending->head));
	if (complete && pending->status == 0) {
		http_route(&request, session, dialect_of(session), &head);
		request.exchange.keep_alive = pending->keep_alive;
		if (pending->broken)
			request.answer = (struct http_answer){.status = 400, .lengthless = true};
		else if (request.needs_body)
			http_route_form(&request, writer_slice(&pending->body));
		limit_requests(state, &request.exchange);
		http_answer_send(&request.exchange, &request.answer, &record.status);
		pending->keep_alive = request.exchange.keep_alive;
	}
	record.body = writer_slice(&pending->body);
	record.body_size = pending->size;
	record.tag = !complete ? "incomplete" : pending->broken ? "smuggling" : NULL;
	http_record_request(session, &record);
	state->pending = NULL;
	if (complete)
		next_request(state, session, pending->keep_alive);
	pending_free(pending);
}

static void finish_bodiless(struct session *session, struct http *state,
			    struct http_request *request)
{
	struct http_record record = {
		.head = request->head, .tag = request->tag, .with_raw = request->refused_early};

	if (request->needs_body)
		http_route_form(request, slice_of(NULL, 0));
	http_answer_send(&request->exchange, &request->answer, &record.status);
	http_record_request(session, &record);
	next_request(state, session, request->exchange.keep_alive);
}

/* --- bodies --- */

static void keep_body(struct session *session, struct pending *pending, struct slice piece)
{
	const struct http_options *options = session_options(session);
	size_t room = BODY_KEPT_MAX - pending->body.length;

	if (pending->multipart)
		multipart_add(pending->multipart, session, piece);
	if (!pending->evidence && pending->size + piece.length > (uint64_t)options->body_inline &&
	    pending->size <= (uint64_t)options->body_inline) {
		struct http_head head;

		http_head_split(&head, writer_slice(&pending->head));
		pending->evidence =
			session_evidence(session, EVIDENCE_PAYLOAD,
					 is_upload(&head) ? "upload" : "body", head.target);
		evidence_add(pending->evidence, writer_slice(&pending->body));
	}
	evidence_add(pending->evidence, piece);
	writer_bytes(&pending->body, slice_first(piece, room));
	pending->size += piece.length;
}

static size_t take_body(struct session *session, struct http *state, struct slice bytes)
{
	struct slice rest = bytes, piece;
	enum http_progress progress;
	size_t before;

	do {
		before = rest.length;
		progress = http_body_take(&state->body, &rest, &piece);
		keep_body(session, state->pending, piece);
	} while (progress == HTTP_MORE && rest.length && rest.length < before);
	if (progress == HTTP_FAULTY) {
		state->pending->broken = true;
		state->pending->keep_alive = false;
		session_report_garbage(session, "broken chunk", rest);
	}
	if (progress != HTTP_MORE) {
		session_timer(session, 0);
		finish_pending(session, state, true);
		return progress == HTTP_FAULTY ? bytes.length : bytes.length - rest.length;
	}
	if (state->pending->status && !state->pending->keep_alive)
		session_timer(session, LINGER);
	return bytes.length - rest.length;
}

static void continue_if_expected(const struct http_request *request)
{
	bool reads = request->needs_body || request->answer.status == 200 ||
		     request->exchange.dialect == HTTP_APACHE;

	if (reads && request->head->minor == 1 &&
	    slice_is_nocase(http_head_value(request->head, "expect"), "100-continue"))
		session_text(request->exchange.session, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* nginx looks at what is there already: junk in place of a chunk ends the connection. */
static bool begins_broken(const struct http_body *body, struct slice rest)
{
	struct http_body trial = *body;
	struct slice piece;
	size_t before;
	enum http_progress progress;

	do {
		before = rest.length;
		progress = http_body_take(&trial, &rest, &piece);
	} while (progress == HTTP_MORE && rest.length && rest.length < before);
	return progress == HTTP_FAULTY;
}

static void await_body(struct session *session, struct http *state, struct http_request *request,
		       struct slice rest)
{
	const struct http_options *options = session_options(session);
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		session_abort(session, "memory");
		return;
	}
	state->pending = pending;
	state->body = request->body;
	pending->head = writer_growing(HTTP_HEAD_MAX);
	pending->body = writer_growing(BODY_KEPT_MAX);
	if (begins_broken(&request->body, rest))
		request->exchange.keep_alive = false;
	pending->keep_alive = request->exchange.keep_alive;
	pending->authorized = request->authorized;
	pending->was_authorized = request->was_authorized;
	writer_bytes(&pending->head, request->head->raw);
	pending->multipart = multipart_open(http_head_value(request->head, "content-type"));
	if (is_upload(request->head) && options->body_inline > 0)
		pending->evidence = session_evidence(session, EVIDENCE_PAYLOAD, "upload",
						     request->head->target);
	continue_if_expected(request);
	if (request->exchange.dialect != HTTP_APACHE && !request->needs_body)
		http_answer_send(&request->exchange, &request->answer, &pending->status);
}

/* --- heads --- */

/* What the server cannot read: an event even so, and the error page. */
static size_t refuse_head(struct session *session, struct http *state, struct slice bytes)
{
	struct http_request request = {.options = session_options(session)};
	struct http_record record = {.tag = "malformed", .with_raw = true};
	struct http_head head;

	http_head_split(&head, bytes);
	request.head = &head;
	request.exchange = (struct http_exchange){
		.session = session, .dialect = dialect_of(session), .head = &head};
	http_route_fault(&request, state->scan.fault);
	request.exchange.simple = state->scan.simple && request.exchange.dialect == HTTP_NGINX;
	http_answer_send(&request.exchange, &request.answer, &record.status);
	record.head = &head;
	if (http_is_token(head.method) && head.target.length)
		http_record_request(session, &record);
	else
		session_report_garbage(session, "not http", bytes);
	session_close(session, "bad request");
	return bytes.length;
}

static size_t take_head(struct session *session, struct http *state, struct slice bytes)
{
	enum http_dialect dialect = dialect_of(session);
	enum http_progress progress = http_scan(&state->scan, dialect, bytes);
	struct http_request request = {.answer = {.status = 400}};
	struct http_head head;

	if (progress == HTTP_MORE)
		return 0;
	if (progress == HTTP_FAULTY)
		return refuse_head(session, state, bytes);
	http_head_split(&head, slice_first(bytes, state->scan.at));
	http_route(&request, session, dialect, &head);
	limit_requests(state, &request.exchange);
	if (request.body.framing == HTTP_NO_BODY)
		finish_bodiless(session, state, &request);
	else
		await_body(session, state, &request, slice_from(bytes, state->scan.at));
	return head.raw.length;
}

static size_t http_input(struct session *session, void *memory, struct slice bytes)
{
	struct http *state = memory;

	return state->pending ? take_body(session, state, bytes) : take_head(session, state, bytes);
}

static void http_timer(struct session *session, void *memory)
{
	session_close(session, "answered");
}

static void http_closed(struct session *session, void *memory)
{
	struct http *state = memory;

	if (state->pending)
		finish_pending(session, state, false);
}

static int http_recognise(struct slice first)
{
	static const char *const methods[] = {"GET ",    "HEAD ",     "POST ",    "PUT ",
					      "DELETE ", "OPTIONS ",  "CONNECT ", "TRACE ",
					      "PATCH ",  "PROPFIND ", "PRI "};
	size_t end = slice_find_byte(first, '\n');

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (slice_starts(first, methods[i]))
			return end != SIZE_MAX && slice_find(slice_first(first, end),
							     SLICE(" HTTP/")) != SIZE_MAX
				       ? 95
				       : 70;
	}
	return end != SIZE_MAX && slice_find(slice_first(first, end), SLICE(" HTTP/1.")) != SIZE_MAX
		       ? 80
		       : 0;
}

static int http_prepare(void *memory, const struct persona *persona, const char *share_folder,
			struct arena *arena, char **why)
{
	struct http_options *options = memory;
	const char *site = options->site;
	char folder[512];

	if (site && strcmp(site, "persona") == 0)
		site = persona_text(persona, "http.site", "company");
	if (!site || snprintf(folder, sizeof(folder), "%s/websites/%s", share_folder, site) >=
			     (int)sizeof(folder))
		return 0;
	options->website = website_read(folder, persona, arena, why);
	return options->website ? 0 : -1;
}

static const struct directive directives[] = {
	{.name = "site",
	 .type = DIRECTIVE_TEXT,
	 .offset = offsetof(struct http_options, site),
	 .standard = "persona",
	 .help = "Folder of share/websites that is shown; persona: the one that the persona "
		 "names, else company."},
	{.name = "body_inline",
	 .type = DIRECTIVE_SIZE,
	 .offset = offsetof(struct http_options, body_inline),
	 .standard = "4096",
	 .minimum = 0,
	 .maximum = BODY_KEPT_MAX,
	 .help = "Longest request body that is kept in its event alone; a longer one is evidence."},
};

static const struct config_section http_section = {
	.path = "services[] (http)",
	.directives = directives,
	.count = ARRAY_COUNT(directives),
	.help = "The web server.",
};

const struct protocol protocol_http = {
	.name = "http",
	.title = "Web server",
	.ports = {{TCP, 80, false},
		  {TCP, 8080, false},
		  {TCP, 8000, false},
		  {TCP, 8888, false},
		  {TCP, 443, true},
		  {TCP, 8443, true}},
	.speaks_first = CLIENT,
	.state_size = sizeof(struct http),
	.input_max = HTTP_HEAD_MAX + 4096,
	.options = &http_section,
	.options_size = sizeof(struct http_options),
	.prepare = http_prepare,
	.recognise = http_recognise,
	.input = http_input,
	.timer = http_timer,
	.closed = http_closed,
};
