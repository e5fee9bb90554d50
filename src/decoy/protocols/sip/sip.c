/* SIP: a telephone exchange that challenges, registers whom the policy lets in, and is always busy.
 */
#include <stdio.h>

#include "decoy/protocols/sip/sip.h"

#define EXPIRES_STANDARD 3600
#define EXPIRES_MAX      7200
#define PENDING_MAX      2048 /* bytes of the answer that waits while it rings */
#define RING_LEAST       (3 * SECOND)
#define RING_SPREAD      5 /* seconds */

struct sip_options {
	const char *extensions;
};

struct sip_session {
	uint8_t *pending; /* the 486 to come, PENDING_MAX bytes; NULL until first needed */
	size_t pending_length;
};

static const struct directive directives[] = {
	{.name = "extensions",
	 .type = DIRECTIVE_TEXT,
	 .offset = offsetof(struct sip_options, extensions),
	 .help = "Extensions that exist, as numbers and ranges (\"100-120, 200\"); by default most "
		 "of "
		 "100 up to between 112 and 140, each installation its own."},
};

static const struct config_section section = {"services[].sip", directives, ARRAY_COUNT(directives),
					      "The SIP decoy."};

/* --- who is there --- */

static bool is_in_ranges(const char *ranges, int64_t number)
{
	struct slice rest = slice_text(ranges), part, low;

	while (slice_next(&rest, ',', &part)) {
		int64_t first, last;

		part = slice_trim(part);
		low = sip_cut(&part, '-');
		if (slice_number(slice_trim(low), 0, INT64_MAX, &first) < 0)
			continue;
		if (!part.length || slice_number(slice_trim(part), 0, INT64_MAX, &last) < 0)
			last = first;
		if (number >= first && number <= last)
			return true;
	}
	return false;
}

static bool exists(const struct session *session, struct slice user)
{
	const struct sip_options *options = session_options(session);
	const struct persona *persona = session_persona(session);
	char label[48];
	int64_t number;

	if (slice_number(user, 0, INT32_MAX, &number) < 0 || user.length > 9)
		return false;
	if (options && options->extensions)
		return is_in_ranges(options->extensions, number);
	if (number < 100 || number > persona_derive_number(persona, "sip last extension", 112, 140))
		return false;
	snprintf(label, sizeof(label), "sip extension %lld", (long long)number);
	return number == 100 || persona_derive_number(persona, label, 0, 4) != 0;
}

/* --- answers and events --- */

static bool send_answer(struct session *session, const struct sip_message *message,
			const struct sip_answer *answer, size_t kept_back)
{
	size_t limit = session_answer_limit(session);
	struct writer out = writer_growing(SIP_ANSWER_MAX);
	bool fits;

	limit = limit > kept_back ? limit - kept_back : 0;
	fits = sip_build(session, message, answer, limit, &out);
	if (fits || (!kept_back && !out.failed))
		session_write(session, writer_slice(&out)); /* too large: the core counts it */
	writer_free(&out);
	return fits;
}

static void report(struct session *session, const struct sip_message *message, int code,
		   const char *tag)
{
	struct event *event = session_event(session, "protocol.request");
	struct slice called = sip_user(message->uri), tags[2];
	struct slice agent = sip_header(message, SIP_USER_AGENT);
	char text[16];
	size_t count = 0;

	event_set_text(event, FIELD_REQUEST_VERB, message->method);
	event_set_text(event, FIELD_REQUEST_TEXT, message->first_line);
	event_set_text(event, FIELD_URL_ORIGINAL, message->uri);
	event_set_text(event, FIELD_SIP_FROM, sip_header(message, SIP_FROM));
	event_set_text(event, FIELD_SIP_TO, sip_header(message, SIP_TO));
	event_set_text(event, FIELD_SIP_CALL_ID, sip_header(message, SIP_CALL_ID));
	if (sip_header(message, SIP_CONTACT).length)
		event_set_text(event, FIELD_SIP_CONTACT, sip_header(message, SIP_CONTACT));
	if (agent.length)
		event_set_text(event, FIELD_USER_AGENT, agent);
	if (slice_is(message->method, "INVITE"))
		event_set_text(event, FIELD_SIP_CALLED,
			       called.length ? called
					     : sip_user(sip_address(sip_header(message, SIP_TO))));
	if (code) {
		snprintf(text, sizeof(text), "%d", code);
		event_set_words(event, FIELD_RESPONSE_CODE, text);
	}
	if (slice_contains_nocase(agent, "friendly-scanner") ||
	    slice_contains_nocase(agent, "sipvicious"))
		tags[count++] = SLICE("sipvicious");
	if (tag)
		tags[count++] = slice_text(tag);
	if (count)
		event_set_texts(event, FIELD_TAGS, tags, count);
	session_report(session, event);
}

static void reply(struct session *session, const struct sip_message *message, int code,
		  const char *reason, unsigned extra)
{
	struct sip_answer answer = {.code = code, .reason = reason, .extra = extra};

	report(session, message, code, NULL);
	send_answer(session, message, &answer, 0);
}

static void challenge(struct session *session, const struct sip_message *message, unsigned extra)
{
	bool proxy = sip_style(session) == SIP_KAMAILIO && !slice_is(message->method, "REGISTER");

	reply(session, message, proxy ? 407 : 401,
	      proxy ? "Proxy Authentication Required" : "Unauthorized",
	      extra | SIP_WITH_CHALLENGE | (proxy ? SIP_WITH_PROXY : 0));
}

/* --- logging in --- */

/* True when the client may; else it was answered. */
static bool authenticate(struct session *session, const struct sip_message *message)
{
	struct slice header = sip_header(message, SIP_AUTHORIZATION);
	enum sip_style style = sip_style(session);
	struct sip_credentials credentials;
	struct session_login login = {.method = "digest", .hashcat_mode = 11400};
	struct writer hash = writer_growing(SIP_ANSWER_MAX);
	char verb[33];
	bool allowed;

	if (!header.length)
		header = sip_header(message, SIP_PROXY_AUTHORIZATION);
	if (!header.length || !sip_credentials(header, &credentials)) {
		challenge(session, message, 0);
		return false;
	}
	snprintf(verb, sizeof(verb), "%.*s", (int)message->method.length,
		 (const char *)message->method.at);
	sip_hashcat(session, message->method, &credentials, &hash);
	login.user = credentials.user;
	login.domain = credentials.realm;
	login.response = writer_slice(&hash);
	login.verb = verb;
	allowed = session_login(session, &login).allowed;
	writer_free(&hash);
	if (!sip_nonce_is_ours(session, style, credentials.nonce)) {
		challenge(session, message, SIP_WITH_STALE);
		return false;
	}
	if (allowed)
		return true;
	if (style == SIP_ASTERISK)
		reply(session, message, 403, "Forbidden", 0);
	else
		challenge(session, message, 0);
	return false;
}

/* --- methods --- */

static void do_options(struct session *session, struct sip_session *state,
		       const struct sip_message *message)
{
	struct slice user = sip_user(message->uri);

	if (sip_style(session) == SIP_ASTERISK && user.length && !exists(session, user))
		reply(session, message, 404, "Not Found", SIP_WITH_ACCEPT);
	else
		reply(session, message, 200, "OK", SIP_WITH_METHODS | SIP_WITH_ACCEPT);
}

static int64_t wanted_expiry(const struct sip_message *message)
{
	struct slice text = sip_parameter(sip_header(message, SIP_CONTACT), "expires");
	int64_t expires;

	if (!text.length)
		text = sip_header(message, SIP_EXPIRES);
	if (slice_number(text, 0, INT32_MAX, &expires) < 0)
		return EXPIRES_STANDARD;
	return expires < EXPIRES_MAX ? expires : EXPIRES_MAX;
}

static void do_register(struct session *session, struct sip_session *state,
			const struct sip_message *message)
{
	struct sip_answer answer = {.code = 200, .reason = "OK", .extra = SIP_WITH_CONTACT};
	struct slice user = sip_user(sip_address(sip_header(message, SIP_TO)));

	if (!exists(session, user)) {
		reply(session, message, 404, "Not Found", 0);
		return;
	}
	if (!authenticate(session, message))
		return;
	answer.expires = wanted_expiry(message);
	report(session, message, 200, "registered");
	send_answer(session, message, &answer, 0);
}

/* A number that only an outside line reaches. */
static bool is_outside(const struct session *session, struct slice number)
{
	size_t digits = 0;

	for (size_t i = 0; i < number.length; i++)
		digits += number.at[i] >= '0' && number.at[i] <= '9';
	return digits >= 6 && digits + 2 >= number.length && !exists(session, number);
}

/* The 486 that comes when it has rung long enough. */
static size_t prepare_busy(struct session *session, struct sip_session *state,
			   const struct sip_message *message)
{
	struct sip_answer busy = {.code = 486, .reason = "Busy Here"};
	struct writer out;

	if (!state->pending)
		state->pending = arena_take(session_arena(session), PENDING_MAX);
	state->pending_length = 0;
	if (!state->pending)
		return 0;
	out = writer_fixed(state->pending, PENDING_MAX);
	if (sip_build(session, message, &busy, session_answer_limit(session), &out))
		state->pending_length = out.length;
	return state->pending_length;
}

static void do_invite(struct session *session, struct sip_session *state,
		      const struct sip_message *message)
{
	struct sip_answer trying = {.code = 100, .reason = "Trying", .extra = SIP_IS_PROVISIONAL};
	struct sip_answer ringing = {.code = 180, .reason = "Ringing"};
	struct slice from = sip_user(sip_address(sip_header(message, SIP_FROM)));
	struct slice called = sip_user(message->uri);
	size_t busy;

	if (!called.length)
		called = sip_user(sip_address(sip_header(message, SIP_TO)));
	/* Enumeration calls a number as itself; a stranger who dials another is asked to log in. */
	if (!exists(session, from) && slice_equal(from, called)) {
		reply(session, message, 404, "Not Found", 0);
		return;
	}
	if (!authenticate(session, message))
		return;
	if (sip_style(session) == SIP_KAMAILIO)
		trying.reason = "trying -- your call is important to us";
	report(session, message, 180, is_outside(session, called) ? "toll-fraud" : NULL);
	busy = prepare_busy(session, state, message);
	if (busy == 0)
		return;
	(void)send_answer(session, message, &trying, 2 * busy);
	(void)send_answer(session, message, &ringing, busy);
	session_timer(session,
		      RING_LEAST + (int64_t)session_random_number(session, RING_SPREAD) * SECOND);
}

static void sip_timer(struct session *session, void *at)
{
	struct sip_session *state = at;

	if (state->pending_length)
		session_write(session, slice_of(state->pending, state->pending_length));
	state->pending_length = 0;
}

static void do_cancel(struct session *session, struct sip_session *state,
		      const struct sip_message *message)
{
	struct sip_answer ended = {
		.code = 487, .reason = "Request Terminated", .extra = SIP_FOR_INVITE};

	if (!state->pending_length) {
		reply(session, message, 481,
		      sip_style(session) == SIP_ASTERISK ? "Call leg/transaction does not exist"
							 : "Call/Transaction Does Not Exist",
		      0);
		return;
	}
	state->pending_length = 0;
	session_timer(session, 0);
	reply(session, message, 200, "OK", 0);
	(void)send_answer(session, message, &ended, 0);
}

static void do_ack(struct session *session, struct sip_session *state,
		   const struct sip_message *message)
{
	report(session, message, 0, NULL); /* an ACK is never answered */
}

/* Asterisk challenges these and then does not know the event or the text. */
static void do_challenged(struct session *session, struct sip_session *state,
			  const struct sip_message *message)
{
	if (message->body.length && slice_is(message->method, "MESSAGE"))
		session_keep(session, EVIDENCE_PAYLOAD, "body", message->method, message->body);
	if (sip_style(session) == SIP_KAMAILIO)
		reply(session, message, 405, "Method Not Allowed", 0);
	else if (!exists(session, sip_user(sip_address(sip_header(message, SIP_FROM)))))
		reply(session, message, 404, "Not Found", 0);
	else if (authenticate(session, message))
		reply(session, message, slice_is(message->method, "MESSAGE") ? 202 : 489,
		      slice_is(message->method, "MESSAGE") ? "Accepted" : "Bad event", 0);
}

static const struct {
	const char *name;
	void (*run)(struct session *session, struct sip_session *state,
		    const struct sip_message *message);
	int code; /* Asterisk's plain answer, where run is NULL; Kamailio says 405 */
	const char *reason;
} methods[] = {
	{"OPTIONS", do_options, 0, NULL},
	{"REGISTER", do_register, 0, NULL},
	{"INVITE", do_invite, 0, NULL},
	{"ACK", do_ack, 0, NULL},
	{"CANCEL", do_cancel, 0, NULL},
	{"SUBSCRIBE", do_challenged, 0, NULL},
	{"MESSAGE", do_challenged, 0, NULL},
	{"PUBLISH", do_challenged, 0, NULL},
	{"BYE", NULL, 481, "Call leg/transaction does not exist"},
	{"INFO", NULL, 481, "Call leg/transaction does not exist"},
	{"PRACK", NULL, 481, "Call leg/transaction does not exist"},
	{"UPDATE", NULL, 481, "Call leg/transaction does not exist"},
	{"NOTIFY", NULL, 489, "Bad event"},
	{"REFER", NULL, 603, "Declined (no dialog)"},
};

static void run(struct session *session, struct sip_session *state,
		const struct sip_message *message)
{
	bool kamailio = sip_style(session) == SIP_KAMAILIO;

	/* Without these no answer finds its way (RFC 3261 8.1.1); servers drop such requests. */
	if (!sip_header(message, SIP_VIA).length || !sip_header(message, SIP_CSEQ).length ||
	    !sip_header(message, SIP_CALL_ID).length) {
		report(session, message, 0, "incomplete-request");
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (!slice_is(message->method, methods[i].name))
			continue;
		if (methods[i].run)
			methods[i].run(session, state, message);
		else if (kamailio)
			reply(session, message, 405, "Method Not Allowed", 0);
		else
			reply(session, message, methods[i].code, methods[i].reason, 0);
		return;
	}
	if (kamailio)
		reply(session, message, 405, "Method Not Allowed", 0);
	else
		reply(session, message, 501, "Method Not Implemented", 0);
}

static size_t sip_input(struct session *session, void *at, struct slice bytes)
{
	bool stream = session_transport(session) == TCP;
	struct sip_message message;
	size_t used = 0;

	switch (sip_read(bytes, stream, &message, &used)) {
	case SIP_MORE:
		return 0;
	case SIP_KEEP_ALIVE:
		if (stream)
			session_text(session, "\r\n");
		return used;
	case SIP_BROKEN:
		session_report_garbage(session, "not sip", bytes);
		if (stream)
			session_close(session, "protocol error");
		return bytes.length;
	case SIP_READY:
		break;
	}
	if (message.is_response)
		session_report_garbage(session, "response", bytes);
	else
		run(session, at, &message);
	return stream ? used : bytes.length;
}

static int sip_recognise(struct slice first)
{
	size_t end = slice_find_byte(first, '\n');
	struct slice line = slice_trim(slice_first(first, end));

	if (end != SIZE_MAX && line.length > 8 &&
	    slice_starts(slice_from(line, line.length - 8), " SIP/2.0"))
		return 100;
	return slice_starts(first, "REGISTER sip:") || slice_starts(first, "OPTIONS sip:") ||
			       slice_starts(first, "INVITE sip:")
		       ? 90
		       : 0;
}

const struct protocol protocol_sip = {
	.name = "sip",
	.title = "SIP telephony",
	.ports = {{UDP, 5060, false}, {TCP, 5060, false}, {TCP, 5061, true}},
	.speaks_first = CLIENT,
	.state_size = sizeof(struct sip_session),
	.input_max = SIP_MESSAGE_MAX,
	.options = &section,
	.options_size = sizeof(struct sip_options),
	.recognise = sip_recognise,
	.input = sip_input,
	.timer = sip_timer,
};
