/* Log-in (RFC 4252, RFC 4256): none, password, publickey, keyboard-interactive, answered as
 * OpenSSH with PAM does, with its counts and its delays. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/ssh/authorized.h"
#include "decoy/protocols/ssh/server.h"
#include "decoy/protocols/ssh/userkey.h"

#define CONNECTION_SERVICE SLICE("ssh-connection")
#define NAME_MAX_          256  /* of a user name in events and on the fake machine */
#define KEY_MAX            2200 /* text of an RSA key of 8192 bits is 1400 */
/* auth2.c: the least that a failure takes, and what a user's name adds to it. */
#define FAIL_MINIMUM (5 * MILLISECOND)
#define FAIL_SPREAD  4294

struct ssh_auth {
	struct slice user, style, service; /* in the session's arena; user.at NULL: none yet */
	unsigned attempts, failures;
	bool accepts;    /* the service was asked for */
	bool none_tried; /* method none is known only once */
	bool waits_for_answers;
};

struct attempt {
	struct slice method;
	struct cursor rest;
	bool allowed;
	bool postponed; /* no answer yet, or another one */
	enum access_depth depth;
};

static struct ssh_auth *auth_of(struct ssh *ssh)
{
	if (!ssh->auth) {
		ssh->auth = calloc(1, sizeof(*ssh->auth));
		if (!ssh->auth)
			ssh_hang_up(ssh, "memory");
	}
	return ssh->auth;
}

void ssh_auth_free(struct ssh *ssh)
{
	free(ssh->auth);
	ssh->auth = NULL;
}

static const struct ssh_options *options_of(const struct ssh *ssh)
{
	return ssh->server->options;
}

/* --- time --- */

/* libpam's way of varying a delay: the mean of three draws around one. */
static int64_t varied(struct ssh *ssh, int64_t base)
{
	int64_t sum = 0;

	for (int i = 0; i < 3; i++)
		sum += (int64_t)session_random_number(ssh->session, 1000000);
	return base / 2 + base / 1000 * (sum / 3000);
}

/* What any failure takes, by the user's name. */
static void delay_failure(struct ssh *ssh)
{
	char label[64];
	struct slice user = ssh->auth->user;

	snprintf(label, sizeof(label), "ssh delay %.*s", (int)(user.length < 40 ? user.length : 40),
		 (const char *)user.at);
	session_delay(ssh->session,
		      FAIL_MINIMUM + persona_derive_number(session_persona(ssh->session), label, 0,
							   FAIL_SPREAD));
}

/* --- methods --- */

static void take_password(struct ssh *ssh, struct attempt *attempt)
{
	struct ssh_auth *auth = ssh->auth;
	struct session_login login = {.method = "password", .user = auth->user};
	bool change = cursor_u8(&attempt->rest) != 0;
	struct access_decision decision;

	login.password = wire_text(&attempt->rest);
	if (change) {
		login.verb = "change";
		(void)wire_text(&attempt->rest); /* not supported, as in OpenSSH on Linux */
	}
	wire_end(&attempt->rest);
	if (attempt->rest.failed)
		return;
	decision = session_login(ssh->session, &login);
	attempt->allowed = decision.allowed && decision.depth > ACCESS_NONE && !change;
	attempt->depth = decision.depth;
	if (attempt->allowed)
		session_delay(ssh->session, varied(ssh, options_of(ssh)->login_delay));
	else if (!change)
		session_delay(ssh->session, varied(ssh, options_of(ssh)->fail_delay));
}

static void take_none(struct ssh *ssh, struct attempt *attempt)
{
	struct session_login login = {.method = "none", .user = ssh->auth->user};
	struct access_decision decision = {.rule = "method none"};

	ssh->auth->none_tried = true;
	wire_end(&attempt->rest);
	if (!attempt->rest.failed)
		session_report_login(ssh->session, &login, &decision);
}

/* What the signature covers (RFC 4252, section 7). */
static void put_signed(struct ssh *ssh, const struct attempt *attempt, struct slice algorithm,
		       struct slice blob, struct slice host_key, struct writer *out)
{
	struct ssh_auth *auth = ssh->auth;

	writer_clear(out);
	wire_put_string(out, slice_of(ssh->session_id, ssh->session_id_length));
	writer_u8(out, SSH_USERAUTH_REQUEST);
	writer_u32be(out,
		     (uint32_t)(auth->user.length + (auth->style.at ? 1 + auth->style.length : 0)));
	writer_bytes(out, auth->user);
	if (auth->style.at) {
		writer_u8(out, ':');
		writer_bytes(out, auth->style);
	}
	wire_put_string(out, auth->service);
	wire_put_string(out, attempt->method);
	writer_u8(out, 1);
	wire_put_string(out, algorithm);
	wire_put_string(out, blob);
	if (host_key.at)
		wire_put_string(out, host_key);
}

static void send_pk_ok(struct ssh *ssh, struct slice algorithm, struct slice blob)
{
	struct writer *w = ssh_packet_begin(ssh, SSH_USERAUTH_PK_OK);

	wire_put_string(w, algorithm);
	wire_put_string(w, blob);
	ssh_packet_send(ssh);
}

/* Whether the key opens the door: it stands in the fake machine's authorized_keys, or the policy is
 * asked. Reports the attempt. */
static struct access_decision judge_key(struct ssh *ssh, const struct ssh_user_key *key,
					const char *verb, const char *wrong)
{
	uint8_t room[KEY_MAX];
	struct writer text = writer_fixed(room, sizeof(room));
	struct access_decision decision = {.rule = wrong};
	struct session_login login = {
		.method = "publickey",
		.user = ssh->auth->user,
		.verb = verb,
		.fingerprint = slice_text(key->fingerprint),
	};

	ssh_user_key_text(key, &text);
	login.key = text.failed ? slice_of(room, 0) : writer_slice(&text);
	if (!wrong && ssh_is_authorized(ssh, login.user, key->blob)) {
		decision = (struct access_decision){
			true, slice_is(login.user, "root") ? ACCESS_ROOT : ACCESS_USER,
			"authorized_keys", 0};
	} else if (!wrong && options_of(ssh)->keys == SSH_KEYS_POLICY) {
		return session_login(ssh->session, &login);
	} else if (!wrong) {
		decision.rule = "key not authorized";
	}
	session_report_login(ssh->session, &login, &decision);
	return decision;
}

static void take_publickey(struct ssh *ssh, struct attempt *attempt)
{
	bool hostbound = slice_is(attempt->method, "publickey-hostbound-v00@openssh.com");
	bool is_signed = cursor_u8(&attempt->rest) != 0;
	struct slice algorithm = wire_text(&attempt->rest), blob = wire_string(&attempt->rest);
	struct slice host_key = hostbound ? wire_string(&attempt->rest) : (struct slice){0};
	struct slice signature = is_signed ? wire_string(&attempt->rest) : (struct slice){0};
	const char *wrong = NULL;
	struct ssh_user_key key;
	struct access_decision decision;

	wire_end(&attempt->rest);
	if (attempt->rest.failed)
		return;
	if (hostbound &&
	    !slice_equal(host_key, host_keys_public(session_host_keys(ssh->session),
						    (enum host_key_type)ssh->host_key))) {
		attempt->rest.failed = true; /* OpenSSH: fatal */
		return;
	}
	ssh_user_key_read(blob, &key);
	if (!key.known || !ssh_user_key_fits(&key, algorithm) ||
	    !wire_list_has(slice_text(ssh->server->build->accepted_keys), algorithm)) {
		wrong = "key not usable";
	} else if (is_signed) {
		put_signed(ssh, attempt, algorithm, blob, host_key, &ssh->server->scratch);
		if (!ssh_user_key_verify(&key, algorithm, signature,
					 writer_slice(&ssh->server->scratch)))
			wrong = "wrong signature";
	}
	decision = judge_key(ssh, &key, is_signed ? "signature" : "query", wrong);
	if (!decision.allowed || decision.depth == ACCESS_NONE)
		return;
	attempt->allowed = is_signed;
	attempt->depth = decision.depth;
	if (!is_signed) {
		attempt->postponed = true;
		send_pk_ok(ssh, algorithm, blob);
	}
}

static void take_keyboard(struct ssh *ssh, struct attempt *attempt)
{
	struct writer *w;

	(void)wire_text(&attempt->rest); /* language */
	(void)wire_text(&attempt->rest); /* submethods */
	wire_end(&attempt->rest);
	if (attempt->rest.failed)
		return;
	w = ssh_packet_begin(ssh, SSH_USERAUTH_INFO_REQUEST);
	wire_put_text(w, "");
	wire_put_text(w, "");
	wire_put_text(w, "");
	writer_u32be(w, 1);
	wire_put_text(w, "Password: ");
	writer_u8(w, 0);
	ssh_packet_send(ssh);
	ssh->auth->waits_for_answers = true;
	attempt->postponed = true;
}

static void take_answers(struct ssh *ssh, struct attempt *attempt)
{
	struct session_login login = {.method = "keyboard-interactive", .user = ssh->auth->user};
	uint32_t count = cursor_u32be(&attempt->rest);
	struct access_decision decision;

	if (count > 0)
		login.password = wire_text(&attempt->rest);
	if (count > 1) /* OpenSSH: "Wrong number of replies", fatal beyond 100 */
		attempt->rest.failed = true;
	wire_end(&attempt->rest);
	if (attempt->rest.failed)
		return;
	decision = session_login(ssh->session, &login);
	attempt->allowed = decision.allowed && decision.depth > ACCESS_NONE;
	attempt->depth = decision.depth;
	session_delay(ssh->session, varied(ssh, attempt->allowed ? options_of(ssh)->login_delay
								 : options_of(ssh)->fail_delay));
}

/* Methods in auth2.c's order. */
static const struct {
	const char *name;
	void (*take)(struct ssh *ssh, struct attempt *attempt);
} methods[] = {
	{"none", take_none},
	{"publickey", take_publickey},
	{"publickey-hostbound-v00@openssh.com", take_publickey},
	{"password", take_password},
	{"keyboard-interactive", take_keyboard},
};

static void try_method(struct ssh *ssh, struct attempt *attempt)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (!slice_is(attempt->method, methods[i].name))
			continue;
		if ((slice_starts(attempt->method, "publickey-") &&
		     !ssh->server->build->hostbound) ||
		    (methods[i].take == take_none && ssh->auth->none_tried) ||
		    (methods[i].take == take_keyboard && !ssh->server->keyboard_interactive))
			return;
		methods[i].take(ssh, attempt);
		return;
	}
	session_report_request(ssh->session, "userauth", attempt->method);
}

/* --- the answer --- */

static void succeed(struct ssh *ssh, enum access_depth depth)
{
	struct slice user = ssh->auth->user;

	(void)ssh_packet_begin(ssh, SSH_USERAUTH_SUCCESS);
	ssh_packet_send(ssh);
	ssh->flags |= SSH_LOGGED_IN;
	ssh_auth_free(ssh);
	ssh_server_forget(ssh);
	ssh_connection_open(ssh, user, depth);
}

static void fail(struct ssh *ssh, const struct attempt *attempt)
{
	struct ssh_auth *auth = ssh->auth;
	struct writer *w;

	if (auth->attempts > 1 || !slice_is(attempt->method, "none"))
		auth->failures++;
	if (auth->failures >= (unsigned)options_of(ssh)->tries) {
		ssh_disconnect(ssh, "tries", "Too many authentication failures");
		return;
	}
	w = ssh_packet_begin(ssh, SSH_USERAUTH_FAILURE);
	wire_put_text(w, ssh->server->methods);
	writer_u8(w, 0);
	ssh_packet_send(ssh);
}

static void finish(struct ssh *ssh, const struct attempt *attempt, struct slice payload)
{
	if (attempt->rest.failed)
		ssh_malformed(ssh, "log-in message that cannot be read", payload);
	else if (attempt->postponed)
		return;
	else if (attempt->allowed)
		succeed(ssh, attempt->depth);
	else
		fail(ssh, attempt);
}

/* --- messages --- */

static void send_banner(struct ssh *ssh)
{
	struct writer *w;

	if (!ssh->server->issue)
		return;
	w = ssh_packet_begin(ssh, SSH_USERAUTH_BANNER);
	wire_put_text(w, ssh->server->issue);
	wire_put_text(w, "");
	ssh_packet_send(ssh);
}

/* Keeps who it is at the first request, and holds later ones against it. */
static bool same_user(struct ssh *ssh, struct slice user, struct slice service)
{
	struct ssh_auth *auth = ssh->auth;
	size_t colon = slice_find_byte(user, ':');
	struct slice style = colon == SIZE_MAX ? (struct slice){0} : slice_from(user, colon + 1);
	struct arena *arena = session_arena(ssh->session);

	user = slice_first(user, colon);
	if (!auth->user.at) {
		auth->user = arena_copy(arena, slice_first(user, NAME_MAX_));
		auth->service = arena_copy(arena, service);
		if (!auth->user.at)
			auth->user.at = (const uint8_t *)"";
		if (style.at)
			auth->style = arena_copy(arena, style);
		send_banner(ssh);
		return true;
	}
	if (slice_equal(slice_first(user, NAME_MAX_), auth->user) &&
	    slice_equal(service, auth->service))
		return true;
	ssh_disconnect(ssh, "protocol error",
		       "Change of username or service not allowed: (%.*s,%.*s) -> (%.*s,%.*s)",
		       (int)auth->user.length, (const char *)auth->user.at,
		       (int)auth->service.length, (const char *)auth->service.at, (int)user.length,
		       (const char *)user.at, (int)service.length, (const char *)service.at);
	return false;
}

static void take_request(struct ssh *ssh, struct slice payload)
{
	struct ssh_auth *auth = ssh->auth;
	struct cursor c = cursor_of(payload);
	struct slice user = wire_text(&c), service = wire_text(&c);
	struct attempt attempt = {.method = wire_text(&c)};

	attempt.rest = c;
	if (c.failed) {
		ssh_malformed(ssh, "log-in message that cannot be read", payload);
		return;
	}
	if (auth->attempts++ >= SSH_ATTEMPTS_MAX) {
		ssh_disconnect(ssh, "tries", "Too many authentication failures");
		return;
	}
	if (!same_user(ssh, user, service))
		return;
	auth->waits_for_answers = false;
	if (slice_equal(auth->service, CONNECTION_SERVICE))
		try_method(ssh, &attempt);
	if (!attempt.allowed && !attempt.postponed && !attempt.rest.failed)
		delay_failure(ssh);
	finish(ssh, &attempt, payload);
}

static void take_service(struct ssh *ssh, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	struct slice service = wire_text(&c);
	struct writer *w;

	wire_end(&c);
	if (c.failed) {
		ssh_malformed(ssh, "service request that cannot be read", payload);
		return;
	}
	if (!slice_is(service, "ssh-userauth")) {
		ssh_disconnect(ssh, "protocol error", "bad service request %.*s",
			       (int)(service.length < 256 ? service.length : 256),
			       (const char *)service.at);
		return;
	}
	ssh->auth->accepts = true;
	w = ssh_packet_begin(ssh, SSH_SERVICE_ACCEPT);
	wire_put_string(w, service);
	ssh_packet_send(ssh);
}

void ssh_auth_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload)
{
	struct ssh_auth *auth = auth_of(ssh);
	struct attempt attempt = {.method = SLICE("keyboard-interactive"),
				  .rest = cursor_of(payload)};
	struct writer *w;

	if (!auth)
		return;
	if (type == SSH_SERVICE_REQUEST) {
		take_service(ssh, payload);
	} else if (type == SSH_USERAUTH_REQUEST && auth->accepts) {
		take_request(ssh, payload);
	} else if (type == SSH_USERAUTH_INFO_RESPONSE && auth->waits_for_answers) {
		auth->waits_for_answers = false;
		take_answers(ssh, &attempt);
		finish(ssh, &attempt, payload);
	} else {
		w = ssh_packet_begin(ssh, SSH_UNIMPLEMENTED);
		writer_u32be(w, sequence);
		ssh_packet_send(ssh);
	}
}
