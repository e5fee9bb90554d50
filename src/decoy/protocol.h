/* A protocol: a state machine that turns bytes in into bytes out and events (DESIGN 5.1).
 *
 * A protocol does no I/O. It has no sockets, clock, files or globals: what it may do is what the
 * session_* functions below offer. So the same code runs in the trap, under `sundew decoy NAME`, in
 * transcripts, and in the fuzzer. To add one: a file here in protocols/, a line in registry.def, a
 * folder of transcripts, a paragraph in docs/PROTOCOLS.md.
 */
#ifndef DECOY_PROTOCOL_H
#define DECOY_PROTOCOL_H

#include "base/clock.h"
#include "base/config.h"
#include "decoy/access.h"
#include "decoy/persona.h"
#include "event/event.h"

struct session;
struct host_keys;

enum transport { TCP, UDP };
enum speaks_first { CLIENT, SERVER };

#define PROTOCOL_PORTS_MAX 6

struct protocol {
	const char *name;  /* network.protocol in events */
	const char *title; /* for people */
	struct {
		enum transport transport;
		uint16_t port;
		bool tls;            /* TLS from the first byte */
	} ports[PROTOCOL_PORTS_MAX]; /* ends with port 0 */
	enum speaks_first speaks_first;
	bool gives_shells; /* the fake machine stands behind it */
	size_t state_size; /* zeroed state of a session */
	size_t input_max;  /* most unconsumed input that is kept (0: 16 KiB); more ends the session
			    */
	const struct config_section *options; /* NULL: none */
	size_t options_size;
	/* Called once a service, before the sandbox closes: reads what the protocol needs from
	 * share/ into its options. Memory comes from the arena, which outlives all sessions. 0, or
	 * -1 with *why (from malloc). NULL: nothing to prepare. */
	int (*prepare)(void *options, const struct persona *persona, const char *share_folder,
		       struct arena *arena, char **why);

	/* Gives back what prepare made outside the arena; once for each call of it that succeeded.
	 */
	void (*release)(void *options);

	/* What the client turned out to speak, for network.protocol; NULL, or NULL from it: the
	 * protocol's own name. */
	const char *(*spoken)(const void *state);
	/* How sure the first bytes speak this protocol, 0 to 100; NULL: never. */
	int (*recognise)(struct slice first);
	/* The connection is there (for UDP: the first datagram is about to come). NULL: nothing. */
	void (*opened)(struct session *session, void *state);
	/* Bytes, or one whole datagram. Returns how many it used up; the rest is offered again,
	 * with more behind it, when more comes. Called again at once while it uses up some and some
	 * are left. Not called while a session_delay holds the session. */
	size_t (*input)(struct session *session, void *state, struct slice bytes);
	/* session_timer ran out. */
	void (*timer)(struct session *session, void *state);
	/* All output has left: there is room for more (called from the driver's side, never from
	 * within the functions above). */
	void (*drained)(struct session *session, void *state);
	/* The client closed its side or the session ends: the last chance to report. No output. */
	void (*closed)(struct session *session, void *state);

	/* The data connection of session_channel_listen. */
	void (*channel_opened)(struct session *session, void *state);
	void (*channel_input)(struct session *session, void *state, struct slice bytes);
	void (*channel_closed)(struct session *session, void *state);
	/* Everything written to the channel was sent. */
	void (*channel_drained)(struct session *session, void *state);
};

/* --- output --- */

/* Appends to the output. Over UDP every call is one datagram: compose it with a writer first. */
void session_write(struct session *session, struct slice bytes);
void session_text(struct session *session, const char *text);
void session_print(struct session *session, const char *format, ...) PRINTF(2, 3);
/* Everything written from now on leaves after this time, and input waits as long: a server that
 * thinks. Several delays add up. */
void session_delay(struct session *session, int64_t microseconds);
/* Ends the session after its output has left (with `reason` in session.close). */
void session_close(struct session *session, const char *reason);
/* The same with a reset instead of an orderly end. */
void session_abort(struct session *session, const char *reason);
/* From here on the connection speaks TLS: output so far leaves in the clear, input not yet used up
 * is handshake. Does nothing where no certificate is at hand; session_has_tls tells. */
void session_start_tls(struct session *session);
bool session_has_tls(const struct session *session); /* a certificate is at hand */
bool session_in_tls(const struct session *session);  /* the session speaks TLS now */
/* For protocols that carry TLS inside their own packets (TDS): a pipe to drive by hand, see tls.h;
 * owned by the session. NULL where there is no certificate or memory. */
struct tls_pipe *session_tls_pipe(struct session *session);
/* Bytes written and not yet sent: who writes much waits for `drained` beyond some. */
size_t session_output_waiting(const struct session *session);

/* --- handing a session over --- */

/* The decoy of this trap that is surest (protocol.recognise) of these first bytes, which were not
 * used up, takes the session over: its `opened` is called, then it gets them. What this protocol
 * reported stays; its own functions are not called again. False: nobody knows them, and nothing
 * changed. TCP only, once a session. */
MUST_CHECK bool session_hand_over(struct session *session, struct slice first);
/* The same to the decoy of that protocol. */
bool session_hand_over_to(struct session *session, const char *protocol);

/* --- what is around --- */

int64_t session_now(const struct session *session);       /* wall clock, microseconds */
int64_t session_monotonic(const struct session *session); /* never goes back, microseconds */
/* The protocol's state, for callbacks that were given only the session. */
void *session_protocol_state(struct session *session);
void session_random(struct session *session, void *at, size_t length);
uint64_t session_random_number(struct session *session, uint64_t below);
const struct persona *session_persona(const struct session *session);
const void *session_options(const struct session *session);
const struct endpoint *session_peer(const struct session *session);
const struct endpoint *session_local(const struct session *session);
enum transport session_transport(const struct session *session);
/* ULID of the session. */
void session_id(const struct session *session, char text[ULID_LENGTH + 1]);
/* Largest answer that may be sent over UDP right now without amplifying (SIZE_MAX over TCP): an
 * answer beyond it is dropped and counted. */
size_t session_answer_limit(const struct session *session);
/* Memory that lives as long as the session, with a hard cap; NULL from it ends the session. */
struct arena *session_arena(struct session *session);
/* Tells how much memory the protocol holds for the session outside the arena, for the account of
 * what all sessions hold. */
void session_holds(struct session *session, size_t bytes);
/* SSH's host keys (host_keys.h); NULL where there are none. */
const struct host_keys *session_host_keys(const struct session *session);
/* Calls protocol.timer after this time; one timer a session, setting it again replaces it, 0 stops
 * it. */
void session_timer(struct session *session, int64_t microseconds);
/* Replaces the configured idle time-out of this session. */
void session_idle(struct session *session, int64_t microseconds);
/* State that outlives the session, shared by all sessions of this source and protocol on this
 * worker: a small fixed block, zeroed at first, kept for a while, bounded (least recently used
 * goes). NULL where the host keeps none. */
void *session_memory(struct session *session, size_t size);

/* --- events --- */

/* A fresh event with time, session, addresses and protocol filled in; valid until the next call. */
struct event *session_event(struct session *session, const char *action);
/* Records it. Texts are copied out before this returns. */
void session_report(struct session *session, struct event *event);
/* protocol.request with a verb and the text as sent. */
void session_report_request(struct session *session, const char *verb, struct slice text);
/* protocol.error: bytes that are not this protocol, the first of them in sundew.raw. */
void session_report_garbage(struct session *session, const char *what, struct slice bytes);

/* --- access --- */

struct session_login {
	const char *method; /* password, digest, basic, form ... */
	struct slice user;
	struct slice domain;   /* optional */
	struct slice password; /* when it is known ... */
	struct slice response; /* ... or challenge and response in hashcat's form ... */
	int hashcat_mode;      /* ... and its mode */
	/* Of a public key: its fingerprint, which rules see as the password, and its text. */
	struct slice fingerprint, key;
	const char *verb; /* optional request name */
};

/* Asks the policy and reports auth.attempt with the decision. */
struct access_decision session_login(struct session *session, const struct session_login *login);
/* Reports an attempt that something else decided: method `none`, a wrong signature, a key that the
 * intruder planted. */
void session_report_login(struct session *session, const struct session_login *login,
			  const struct access_decision *decision);

/* --- evidence --- */

enum evidence_kind { EVIDENCE_PAYLOAD, EVIDENCE_TERMINAL, EVIDENCE_CONVERSATION };

struct evidence;

/* Starts a piece of evidence; bytes are appended as they come, whatever the size (beyond the cap
 * the count goes on and the rest is dropped). NULL when the disk or the limits say no: go on
 * without. `origin` says how it got here (upload, body, write, ...); `name` is the attacker's name
 * for it. */
struct evidence *session_evidence(struct session *session, enum evidence_kind kind,
				  const char *origin, struct slice name);
void evidence_add(struct evidence *evidence, struct slice bytes); /* accepts NULL */
uint64_t evidence_size(const struct evidence *evidence);
/* Finishes and reports payload.captured with name, size and hashes; what is still open when the
 * session ends is finished then. Accepts NULL. Extra fields for the event may be given in `more`
 * (made with event_clear + setters), else NULL. */
void evidence_finish(struct evidence *evidence, const struct event *more);
/* All of it in one call. */
void session_keep(struct session *session, enum evidence_kind kind, const char *origin,
		  struct slice name, struct slice bytes);

/* --- a data connection beside the session (FTP's passive mode) --- */

/* Reserves a listening port for one connection from this session's peer. 0, with the port, or -1
 * when none is free. Listening again drops what was there. */
MUST_CHECK int session_channel_listen(struct session *session, uint16_t *port);
bool session_channel_is_open(const struct session *session);
void session_channel_write(struct session *session, struct slice bytes);
/* Closes after what was written has left. */
void session_channel_close(struct session *session);

#endif
