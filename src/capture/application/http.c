/* HTTP/1 messages out of two streams (RFC 9112): where heads and bodies end, which answer belongs
 * to which request. */
#include "capture/application/http.h"

enum phase {
	PHASE_HEAD,
	PHASE_LENGTH,  /* a body of known length */
	PHASE_SIZE,    /* the size of a chunk */
	PHASE_CHUNK,   /* its bytes */
	PHASE_AFTER,   /* the line end behind it */
	PHASE_TRAILER, /* lines behind the last chunk */
	PHASE_CLOSE,   /* a body until the connection ends */
	PHASE_TUNNEL,  /* behind CONNECT or Upgrade: HTTP again, or something else */
	PHASE_DEAD,    /* not HTTP any more */
};

#define BEFORE_ANSWER_MAX 256 /* bytes of rubbish before an answer */
#define METHODS           16  /* requests whose answers are still to come and are told apart */

struct side {
	uint8_t phase;
	bool doubtful; /* an answer that should have no body names one */
	uint8_t anomalies;
	bool told; /* the message at hand was offered already: its body is long */
	uint64_t transaction;
	uint64_t left; /* bytes of the body or chunk to come */
	uint64_t body_length;
	struct writer head, body;
};

struct http {
	struct side sides[2];
	/* by number of the request: H for HEAD, C for CONNECT; the name of what it asks for */
	uint8_t heads[METHODS];
	char files[METHODS][HTTP_FILE_NAME_MAX];
	bool agent_told;
};

static const char *const methods[] = {
	"GET ",
	"POST ",
	"HEAD ",
	"PUT ",
	"DELETE ",
	"OPTIONS ",
	"CONNECT ",
	"TRACE ",
	"PATCH ",
	"PROPFIND ",
	"PROPPATCH ",
	"MKCOL ",
	"COPY ",
	"MOVE ",
	"LOCK ",
	"UNLOCK ",
	"SEARCH ",
	"REPORT ",
	"SUBSCRIBE ",
	"NOTIFY ",
	"M-SEARCH ",
	"TRACK ",
	"DEBUG ",
	"PRI ",
	"RPC_IN_DATA ",
	"RPC_OUT_DATA ",
	"CCM_POST ",
	"BITS_POST ",
	"INDEX ",
	"SOURCE ",
	"VERSION-CONTROL ",
	"CHECKOUT ",
	"CHECKIN ",
	"MERGE ",
};

static enum recognition http_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t end = slice_find_byte(bytes, '\n'), letters = 0;
	struct slice line = slice_trim(slice_first(bytes, end));

	if (direction == TO_CLIENT) {
		if (bytes.length < 5)
			return bytes.length && memcmp(bytes.at, "HTTP/", bytes.length) == 0
				       ? RECOGNISED_MAYBE
				       : RECOGNISED_NO;
		return slice_starts_nocase(bytes, "HTTP/") ? RECOGNISED_YES : RECOGNISED_NO;
	}
	/* Blank lines before a request are passed over. */
	if (end != SIZE_MAX && !line.length && bytes.length > end + 1)
		return http_recognise(slice_from(bytes, end + 1), direction, port);
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (slice_starts(bytes, methods[i]))
			return line.length > 8 && slice_is_nocase(slice_from(line, line.length - 8),
								  " SIP/2.0")
				       ? RECOGNISED_NO
				       : RECOGNISED_YES;
	while (letters < bytes.length && letters < 20 &&
	       ((bytes.at[letters] >= 'A' && bytes.at[letters] <= 'Z') ||
		(bytes.at[letters] >= 'a' && bytes.at[letters] <= 'z') ||
		bytes.at[letters] == '-' || bytes.at[letters] == '_'))
		letters++;
	if (letters < 1 || letters == 20 || (letters < bytes.length && bytes.at[letters] != ' '))
		return RECOGNISED_NO;
	if (end == SIZE_MAX)
		return bytes.length < 2048 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	return slice_find(line, SLICE(" HTTP/1.")) != SIZE_MAX ? RECOGNISED_YES : RECOGNISED_NO;
}

/* --- bodies --- */

static void keep_body(struct side *side, struct slice bytes)
{
	if (!side->body.limit)
		side->body = writer_growing(APPLICATION_BODY_MAX);
	side->body_length += bytes.length;
	writer_bytes(&side->body, slice_first(bytes, APPLICATION_BODY_MAX - side->body.length));
}

static void offer(struct http *http, struct application_context *context, enum direction direction)
{
	struct side *side = &http->sides[direction];
	struct http_head head;
	struct http_message message = {&head,
				       direction,
				       writer_slice(&side->body),
				       side->body_length,
				       side->anomalies,
				       http->files[side->transaction % METHODS]};

	if (side->told)
		return;
	side->told = true;
	http_head_read(&head, writer_slice(&side->head), direction, context->scratch);
	http_view(context, &message, side->transaction);
}

static void message_over(struct http *http, struct application_context *context,
			 enum direction direction)
{
	struct side *side = &http->sides[direction];

	offer(http, context, direction);
	side->transaction++;
	side->phase = PHASE_HEAD;
	side->told = side->doubtful = false;
	side->body_length = 0;
	side->anomalies = 0;
	writer_clear(&side->head);
	writer_clear(&side->body);
}

/* A long body is offered as soon as all of it that is kept is there. */
static void body_bytes(struct http *http, struct application_context *context,
		       enum direction direction, struct slice bytes)
{
	struct side *side = &http->sides[direction];

	keep_body(side, bytes);
	if (side->body.length == APPLICATION_BODY_MAX)
		offer(http, context, direction);
}

/* --- heads --- */

static uint64_t leading_number(struct slice text)
{
	uint64_t number = 0;

	text = slice_trim(text);
	if (text.length && text.at[0] == '+')
		text = slice_from(text, 1);
	for (size_t i = 0; i < text.length && text.at[i] >= '0' && text.at[i] <= '9'; i++)
		number = number > UINT64_MAX / 16 ? number : number * 10 + (text.at[i] - '0');
	return number;
}

static void choose_body(struct http *http, struct side *side, const struct http_head *head,
			enum direction direction)
{
	struct slice chunked = http_header_value(head, "Transfer-Encoding");
	struct slice length = http_header_value(head, "Content-Length");
	uint64_t status = leading_number(head->words[1]);
	uint8_t method = http->heads[side->transaction % METHODS];

	bool bodiless = (status >= 100 && status < 200) || status == 204 || status == 304 ||
			(method == 'C' && status / 100 == 2);

	side->phase = PHASE_LENGTH;
	side->left = 0;
	side->doubtful = direction == TO_CLIENT && bodiless;
	if (direction == TO_CLIENT && method == 'H')
		return;
	if (chunked.at && slice_contains_nocase(chunked, "chunked"))
		side->phase = PHASE_SIZE;
	else if (length.at)
		side->left = leading_number(length);
	else if (direction == TO_CLIENT && !bodiless)
		side->phase = PHASE_CLOSE;
}

/* What its answer will be told apart by, and who asks. */
static void note_request(struct http *http, struct application_context *context,
			 const struct http_head *head)
{
	uint64_t number = http->sides[TO_SERVER].transaction % METHODS;
	struct slice file = http_file_name(head->words[1]);
	struct slice agent = http_header_value(head, "User-Agent");
	struct event event;

	http->heads[number] = slice_is(head->words[0], "HEAD")      ? 'H'
			      : slice_is(head->words[0], "CONNECT") ? 'C'
								    : 0;
	file = slice_first(file, HTTP_FILE_NAME_MAX - 1);
	if (file.length)
		memcpy(http->files[number], file.at, file.length);
	http->files[number][file.length] = '\0';
	if (!agent.length || http->agent_told)
		return;
	http->agent_told = true;
	event_clear(&event);
	event_set_words(&event, FIELD_EVENT_ACTION, "client.fingerprint");
	event_set_text(&event, FIELD_USER_AGENT, agent);
	context->tell(context, &event);
}

/* White space before a message. */
static size_t rubbish_length(struct slice bytes, enum direction direction)
{
	size_t length = 0;

	while (length < bytes.length &&
	       (bytes.at[length] == '\r' || bytes.at[length] == '\n' ||
		(direction == TO_CLIENT && (bytes.at[length] == ' ' || bytes.at[length] == '\t' ||
					    bytes.at[length] == '\0'))))
		length++;
	return length;
}

/* Length of a line before an answer: browsers look a little further. */
static size_t before_answer(struct slice bytes, enum direction direction)
{
	size_t later;

	if (direction == TO_SERVER || slice_starts_nocase(bytes, "HTTP/"))
		return 0;
	later = slice_find(slice_first(bytes, BEFORE_ANSWER_MAX), SLICE("\nHTTP/1"));
	return later == SIZE_MAX ? 0 : later + 1;
}

/* 0: more is needed. */
static size_t read_head(struct http *http, struct application_context *context,
			enum direction direction, struct slice bytes, bool last)
{
	struct side *side = &http->sides[direction];
	struct http_head head;
	size_t blank, length;

	blank = rubbish_length(bytes, direction);
	if (blank)
		return blank;
	length = http_head_length(bytes, last);
	if (!length && last)
		length = bytes.length;
	if (!length || length > HTTP_HEAD_MAX) {
		if (bytes.length <= HTTP_HEAD_MAX)
			return 0;
		side->phase = PHASE_DEAD;
		return bytes.length;
	}
	blank = before_answer(bytes, direction);
	if (blank)
		return blank;
	if (!side->head.limit)
		side->head = writer_growing(HTTP_HEAD_MAX);
	writer_bytes(&side->head, slice_first(bytes, length));
	http_head_read(&head, writer_slice(&side->head), direction, context->scratch);
	if (direction == TO_SERVER)
		note_request(http, context, &head);
	else if (!slice_starts_nocase(head.line, "HTTP/")) {
		/* An answer without a head (HTTP/0.9), or the middle of something: all body. */
		side->phase = PHASE_CLOSE;
		body_bytes(http, context, direction, bytes);
		return bytes.length;
	}
	choose_body(http, side, &head, direction);
	if (side->doubtful && side->phase == PHASE_LENGTH && side->left == 0 &&
	    leading_number(head.words[1]) / 100 == 1 && leading_number(head.words[1]) != 101) {
		/* 100 Continue: the answer itself comes behind it. */
		offer(http, context, direction);
		side->told = false;
		side->phase = PHASE_HEAD;
		writer_clear(&side->head);
		return length;
	}
	if (side->phase == PHASE_LENGTH && side->left == 0) {
		bool tunnel = direction == TO_CLIENT &&
			      (leading_number(head.words[1]) == 101 ||
			       (http->heads[side->transaction % METHODS] == 'C' &&
				leading_number(head.words[1]) / 100 == 2));

		message_over(http, context, direction);
		if (tunnel)
			http->sides[0].phase = http->sides[1].phase = PHASE_TUNNEL;
	}
	return length;
}

/* --- chunks --- */

/* No size where one should be: what comes is body as it stands. */
static size_t give_up_chunks(struct side *side)
{
	side->phase = PHASE_CLOSE;
	return 0;
}

static size_t read_size(struct side *side, struct slice bytes)
{
	size_t end = slice_find_byte(bytes, '\n'), at = 0, digits = 0;
	struct slice line = slice_first(bytes, end);
	uint64_t size = 0;

	while (at < line.length && (line.at[at] <= ' ' || line.at[at] == 127))
		at++;
	if (at == line.length)
		return end == SIZE_MAX ? 0 : end + 1;
	for (; at < line.length && hex_value(line.at[at]) >= 0; at++, digits++)
		size = size > UINT64_MAX / 32 ? size : size << 4 | (uint64_t)hex_value(line.at[at]);
	/* Behind the size comes nothing, an extension or white space. */
	if (!digits || (at < line.length && line.at[at] > ' ' && line.at[at] != ';' &&
			line.at[at] != ',' && !side->body_length))
		return give_up_chunks(side);
	if (end == SIZE_MAX)
		return bytes.length < HTTP_LINE_MAX ? 0 : give_up_chunks(side);
	if (slice_find_byte(slice_from(line, at), ';') != SIZE_MAX)
		side->anomalies |= HTTP_CHUNK_EXTENSION;
	side->left = size;
	side->phase = size ? PHASE_CHUNK : PHASE_TRAILER;
	return end + 1;
}

static size_t read_trailer(struct http *http, struct application_context *context,
			   enum direction direction, struct slice bytes)
{
	size_t end = slice_find_byte(bytes, '\n');

	if (end == SIZE_MAX)
		return bytes.length > HTTP_HEAD_MAX ? bytes.length : 0;
	if (!slice_trim(slice_first(bytes, end)).length)
		message_over(http, context, direction);
	return end + 1;
}

/* --- one step --- */

static size_t step(struct http *http, struct application_context *context, enum direction direction,
		   struct slice bytes, bool last)
{
	struct side *side = &http->sides[direction];
	size_t take;

	if (side->doubtful && side->phase != PHASE_HEAD && !side->body_length &&
	    slice_starts(bytes, "HTTP/")) {
		message_over(http, context, direction);
		return 0;
	}
	switch (side->phase) {
	case PHASE_HEAD:
		return read_head(http, context, direction, bytes, last);
	case PHASE_LENGTH:
	case PHASE_CHUNK:
		take = bytes.length < side->left ? bytes.length : (size_t)side->left;
		body_bytes(http, context, direction, slice_first(bytes, take));
		side->left -= take;
		if (side->left == 0 && side->phase == PHASE_LENGTH)
			message_over(http, context, direction);
		else if (side->left == 0)
			side->phase = PHASE_AFTER;
		return take;
	case PHASE_AFTER:
		side->phase = PHASE_SIZE;
		return bytes.at[0] == '\n'                                              ? 1
		       : bytes.at[0] == '\r' && bytes.length > 1 && bytes.at[1] == '\n' ? 2
											: 0;
	case PHASE_SIZE:
		return read_size(side, bytes);
	case PHASE_TRAILER:
		return read_trailer(http, context, direction, bytes);
	case PHASE_TUNNEL:
		side->phase = PHASE_HEAD;
		if (http_recognise(bytes, direction, 0) == RECOGNISED_NO)
			side->phase = PHASE_DEAD;
		return 0;
	case PHASE_CLOSE:
		body_bytes(http, context, direction, bytes);
		return bytes.length;
	default:
		return bytes.length;
	}
}

static bool is_in_message(const struct side *side)
{
	return side->phase != PHASE_HEAD && side->phase != PHASE_TUNNEL &&
	       side->phase != PHASE_DEAD;
}

static size_t http_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	struct http *http = state;
	struct side *side = &http->sides[direction];
	size_t used = 0;

	while (used < bytes.length) {
		uint8_t phase = side->phase;
		size_t more = step(http, context, direction, slice_from(bytes, used), last);

		/* Nothing used and nothing changed: more bytes are needed. */
		if (!more && side->phase == phase)
			break;
		used += more;
	}
	if (last && is_in_message(side)) {
		if (side->phase == PHASE_SIZE || side->phase == PHASE_AFTER)
			body_bytes(http, context, direction, slice_from(bytes, used));
		message_over(http, context, direction);
		used = bytes.length;
	}
	return used;
}

/* Bytes were lost: inside a body they are counted, elsewhere the thread is lost. */
static void http_gap(void *state, struct application_context *context, enum direction direction,
		     uint64_t length)
{
	struct http *http = state;
	struct side *side = &http->sides[direction];

	if ((side->phase == PHASE_LENGTH || side->phase == PHASE_CHUNK) && length < side->left) {
		side->left -= length;
		side->body_length += length;
	} else if (side->phase == PHASE_LENGTH && length == side->left) {
		message_over(http, context, direction);
	} else if (side->phase != PHASE_CLOSE) {
		if (is_in_message(side))
			message_over(http, context, direction);
		side->phase = PHASE_DEAD;
	}
}

static void http_finish(void *state, struct application_context *context)
{
	struct http *http = state;

	for (enum direction direction = TO_SERVER; direction <= TO_CLIENT; direction++) {
		if (is_in_message(&http->sides[direction]))
			message_over(http, context, direction);
	}
}

static void http_drop(void *state)
{
	struct http *http = state;

	for (size_t i = 0; i < 2; i++) {
		writer_free(&http->sides[i].head);
		writer_free(&http->sides[i].body);
	}
}

static size_t http_held(const void *state)
{
	const struct http *http = state;

	return http->sides[0].head.capacity + http->sides[0].body.capacity +
	       http->sides[1].head.capacity + http->sides[1].body.capacity;
}

const struct application application_http = {
	.id = APPLICATION_HTTP,
	.transports = {TRANSPORT_TCP},
	.recognise = http_recognise,
	.state_size = sizeof(struct http),
	.input = http_input,
	.gap = http_gap,
	.finish = http_finish,
	.drop = http_drop,
	.held = http_held,
};
