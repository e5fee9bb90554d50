/* What a session reports: its opening and end, requests, logins, and what was not the protocol. */
#include "decoy/session_state.h"

void session_id(const struct session *session, char text[ULID_LENGTH + 1])
{
	ulid_text(session->id, text);
}

struct event *session_event(struct session *session, const char *action)
{
	struct trap *trap = session->trap;
	struct event *event = &trap->event;
	int64_t now = trap->wall(trap);
	const struct protocol *protocol = session->service->protocol;
	const char *spoken = protocol->spoken ? protocol->spoken(session_state(session)) : NULL;

	event_clear(event);
	ulid_next(&trap->ulids, now, trap->event_id);
	ulid_text(session->id, trap->session_id);
	event_set_number(event, FIELD_TIME, now);
	event_set_text(event, FIELD_EVENT_ID, slice_of(trap->event_id, ULID_LENGTH));
	event_set_words(event, FIELD_EVENT_ACTION, action);
	event_set_words(event, FIELD_OBSERVER_NAME, trap->sensor);
	event_set_address(event, FIELD_SOURCE_IP, &session->peer.address);
	event_set_number(event, FIELD_SOURCE_PORT, session->peer.port);
	event_set_address(event, FIELD_DESTINATION_IP, &session->local.address);
	event_set_number(event, FIELD_DESTINATION_PORT, session->local.port);
	event_set_words(event, FIELD_NETWORK_TRANSPORT, session->flags & IS_UDP ? "udp" : "tcp");
	event_set_words(event, FIELD_NETWORK_PROTOCOL, spoken ? spoken : protocol->name);
	event_set_text(event, FIELD_SESSION_ID, slice_of(trap->session_id, ULID_LENGTH));
	return event;
}

void session_report(struct session *session, struct event *event)
{
	session->trap->record(session->trap, event);
}

void session_report_open(struct session *session)
{
	struct event *event = session_event(session, "session.open");

	event_set_number(event, FIELD_TIME, session->opened);
	if (session->trap->persona)
		event_set_words(event, FIELD_PERSONA, persona_name(session->trap->persona));
	if (session->tarpit.interval)
		event_set_words(event, FIELD_EVENT_REASON, "tarpit");
	session_report(session, event);
}

void session_report_close(struct session *session, const char *reason)
{
	struct event *event = session_event(session, "session.close");
	int64_t lasted = session->trap->monotonic(session->trap) - session->started;

	event_set_words(event, FIELD_EVENT_REASON, reason);
	event_set_number(event, FIELD_EVENT_DURATION, lasted * 1000);
	event_set_number(event, FIELD_SOURCE_BYTES, (int64_t)session->received);
	event_set_number(event, FIELD_DESTINATION_BYTES, (int64_t)session->sent);
	session_report(session, event);
}

void session_report_tls(struct session *session)
{
	struct event *event = session_event(session, "client.fingerprint");

	event_set_words(event, FIELD_TLS_VERSION, tls_pipe_version(session->tls));
	event_set_words(event, FIELD_TLS_CIPHER, tls_pipe_cipher(session->tls));
	if (tls_pipe_server_name(session->tls).length)
		event_set_text(event, FIELD_TLS_SERVER_NAME, tls_pipe_server_name(session->tls));
	session_report(session, event);
}

void session_report_request(struct session *session, const char *verb, struct slice text)
{
	struct event *event = session_event(session, "protocol.request");

	event_set_words(event, FIELD_REQUEST_VERB, verb);
	event_set_text(event, FIELD_REQUEST_TEXT, text);
	session_report(session, event);
}

void session_report_garbage(struct session *session, const char *what, struct slice bytes)
{
	struct event *event = session_event(session, "protocol.error");

	event_set_words(event, FIELD_EVENT_REASON, what);
	event_set_text(event, FIELD_RAW, slice_first(bytes, EVENT_BYTES_MAX));
	event_set_number(event, FIELD_RAW_LENGTH, (int64_t)bytes.length);
	session_report(session, event);
}

void session_report_login(struct session *session, const struct session_login *login,
			  const struct access_decision *decision)
{
	struct event *event = session_event(session, "auth.attempt");

	event_set_words(event, FIELD_EVENT_OUTCOME, decision->allowed ? "success" : "failure");
	event_set_text(event, FIELD_USER_NAME, login->user);
	if (login->domain.length)
		event_set_text(event, FIELD_USER_DOMAIN, login->domain);
	event_set_words(event, FIELD_AUTH_METHOD, login->method);
	if (login->fingerprint.length) {
		event_set_text(event, FIELD_SSH_KEY_FINGERPRINT, login->fingerprint);
		event_set_text(event, FIELD_SSH_KEY, login->key);
	} else if (login->response.length) {
		event_set_text(event, FIELD_AUTH_RESPONSE, login->response);
		event_set_number(event, FIELD_AUTH_RESPONSE_MODE, login->hashcat_mode);
	} else if (!slice_is(slice_text(login->method), "none")) {
		event_set_text(event, FIELD_AUTH_PASSWORD, login->password);
	}
	if (login->verb)
		event_set_words(event, FIELD_REQUEST_VERB, login->verb);
	event_set_words(event, FIELD_AUTH_RULE, decision->rule);
	event_set_number(event, FIELD_AUTH_TRIES, decision->tries);
	event_set_words(event, FIELD_AUTH_DEPTH, access_depth_names[decision->depth]);
	session_report(session, event);
}

struct access_decision session_login(struct session *session, const struct session_login *login)
{
	struct trap *trap = session->trap;
	bool known = login->response.length == 0;
	struct access_try attempt = {
		.protocol = session->service->protocol->name,
		.source = session->peer.address,
		.user = login->user,
		.password = login->fingerprint.length ? login->fingerprint
			    : known                   ? login->password
						      : login->response,
		.password_known = known,
		.now = trap->wall(trap),
	};
	struct access_decision decision = {.rule = "no policy"};

	trap->random(trap, &attempt.draw, sizeof(attempt.draw));
	if (trap->policy)
		decision = access_decide(trap->policy, trap->access_memory, &attempt);
	session_report_login(session, login, &decision);
	return decision;
}
