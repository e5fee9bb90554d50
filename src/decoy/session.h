/* A session, seen from the side that drives it: bytes go in, bytes come out, time passes.
 *
 * It does no I/O either; the listener (real sockets), `sundew decoy` (standard input and output),
 * the transcripts and the fuzzers all drive it through these calls.
 */
#ifndef DECOY_SESSION_H
#define DECOY_SESSION_H

#include "decoy/protocol.h"

struct host;
struct tls_settings;
struct host_keys;

/* Slow answers for whom a rule names: so many bytes each interval. */
struct tarpit {
	uint32_t bytes;
	int64_t interval; /* microseconds; 0: no tarpit */
};

/* One decoy on its ports: what the configuration's services[] entry became. */
struct service {
	const struct protocol *protocol;
	const void *options;     /* protocol->options_size bytes, or NULL: the defaults */
	bool tls;                /* from the first byte */
	int64_t idle;            /* microseconds without a byte from the client, then it ends */
	int64_t lifetime;        /* longest session */
	uint64_t input_bytes;    /* most bytes one session may send */
	double udp_answer_ratio; /* most bytes answered for each received over UDP */
	bool record_conversation;
};

/* A whole piece of evidence that was put into the inbox a moment ago; see evidence.c. */
#define EVIDENCE_KEY_MAX 128
struct evidence_seen {
	int64_t until; /* monotonic */
	uint8_t kind;
	bool by_digest; /* the key is the SHA-256; else it is the piece itself */
	uint8_t key_length;
	uint8_t key[EVIDENCE_KEY_MAX];
	uint8_t sha256[32], md5[16];
};

/* What all sessions of a worker share; filled in by whoever drives them. */
struct trap {
	const struct persona *persona;
	const struct access_policy *policy;
	struct access_memory *access_memory;
	const struct tls_settings *tls;    /* NULL: no certificate at hand */
	const struct host_keys *host_keys; /* SSH's; NULL: none at hand */
	const struct host *host;           /* the fake machine behind shells; NULL: none */
	/* Decoys that take over sessions of other ports, one a protocol, in the clear. */
	const struct service *const *takers;
	size_t taker_count;
	const char *sensor;
	size_t session_memory;   /* arena cap of one session */
	uint64_t evidence_bytes; /* cap of one piece of evidence */
	int evidence_folder;     /* descriptor of the inbox; -1 keeps hashes only */
	struct ulid_source ulids;
	struct evidence_seen evidence_seen[64];

	void *context;                           /* for the calls below */
	int64_t (*wall)(struct trap *trap);      /* microseconds */
	int64_t (*monotonic)(struct trap *trap); /* microseconds */
	void (*random)(struct trap *trap, void *at, size_t length);
	void (*record)(struct trap *trap, const struct event *event);
	/* A piece of evidence was kept in the folder, or the folder did not take it. NULL: nobody
	 * wants to know. */
	void (*evidence)(struct trap *trap, bool kept);
	/* Plaintext of a session that speaks TLS; the offsets count what was told of it before, of
	 * this direction and of the other. No bytes: it is over. NULL: nobody listens. */
	void (*decrypted)(struct trap *trap, struct session *session, bool to_client,
			  struct slice bytes, uint64_t offset, uint64_t other_offset);
	/* The session has new output, a new deadline, or wants to end: look at it soon. */
	void (*wake)(struct trap *trap, struct session *session);
	/* Passive data connections; NULL: none. */
	int (*channel_listen)(struct trap *trap, struct session *session, uint16_t *port);
	void (*channel_drop)(struct trap *trap, struct session *session);
	/* See session_memory; NULL: none. */
	void *(*memory)(struct trap *trap, struct session *session, size_t size);

	/* Scratch of one event at a time. */
	struct event event;
	char event_id[ULID_LENGTH + 1], session_id[ULID_LENGTH + 1];
	struct slice texts[EVENT_LIST_MAX];
};

/* Makes a session; `extra` bytes, zeroed, for the driver lie at session_extra. Reports session.open
 * and lets the server speak. NULL when memory is out. */
struct session *session_open(struct trap *trap, const struct service *service,
			     enum transport transport, const struct endpoint *peer,
			     const struct endpoint *local, const struct tarpit *tarpit,
			     size_t extra);
void *session_extra(struct session *session);
/* The opposite. */
struct session *session_of_extra(void *extra);

/* Bytes from the client (TLS records where the session speaks TLS), or one datagram. */
void session_feed(struct session *session, struct slice bytes);
/* The client will send no more. */
void session_feed_end(struct session *session);
/* What may leave now; empty while a delay or the tarpit holds it. Over UDP one whole datagram. */
struct slice session_output(struct session *session);
void session_sent(struct session *session, size_t count);
/* Monotonic time at which session_tick is due; INT64_MAX: never. */
int64_t session_deadline(const struct session *session);
/* Until when a delay holds output and input back; 0: none does. */
int64_t session_held_until(const struct session *session);
void session_tick(struct session *session);
/* True when nothing is left to do but session_end; *reset asks for an abrupt one. */
bool session_is_over(const struct session *session, bool *reset);
/* Reports session.close (reason: the session's own if it has one) and frees everything. Accepts
 * NULL. */
void session_end(struct session *session, const char *reason);

bool session_is_tarpitted(const struct session *session);
/* When the client was last heard, monotonic: for choosing whom to shed. */
int64_t session_last_heard(const struct session *session);
const struct service *session_service(const struct session *session);
struct trap *session_trap(const struct session *session);
/* Bytes of memory that the session holds right now. */
size_t session_footprint(const struct session *session);

/* The data connection. */
void session_channel_accepted(struct session *session);
void session_channel_feed(struct session *session, struct slice bytes);
void session_channel_ended(struct session *session);
struct slice session_channel_output(struct session *session);
void session_channel_sent(struct session *session, size_t count);
/* True when the protocol wants the channel closed and everything left. */
bool session_channel_is_over(const struct session *session);

#endif
