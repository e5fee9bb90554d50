/* The inside of a session; only the session_*.c files and evidence.c may look. */
#ifndef DECOY_SESSION_STATE_H
#define DECOY_SESSION_STATE_H

#include "decoy/session.h"
#include "decoy/tls.h"

/* A small growing buffer that costs one pointer while it is empty. */
struct buffer {
	uint32_t length, capacity;
	uint8_t bytes[];
};

struct channel {
	struct buffer *output;
	bool open, closing;
};

struct conversation;

enum {
	HOLDS_OUTPUT = 1 << 0, /* a delay is running: bytes from hold_at on stay */
	CLOSING = 1 << 1,      /* the protocol wants to end */
	RESET = 1 << 2,        /* ... abruptly */
	CLIENT_DONE = 1 << 3,  /* the client closed its side */
	SPEAKS_TLS = 1 << 4,
	TLS_AFTER_OUTPUT = 1 << 5, /* start TLS once what is queued has left */
	TLS_REPORTED = 1 << 6,
	IN_PROTOCOL = 1 << 7, /* inside one of the protocol's functions */
	IS_UDP = 1 << 8,
	FAILED = 1 << 9, /* out of memory or a limit: end at once */
	CLOSED_CALLED = 1 << 10,
	HANDED_OVER = 1 << 11, /* the first protocol's state holds a pointer to the second's */
};

struct session {
	struct trap *trap;
	const struct service *service;
	void *driver;
	struct endpoint peer, local;
	uint8_t id[16];     /* ULID, binary */
	int64_t opened;     /* wall */
	int64_t started;    /* monotonic */
	int64_t heard;      /* monotonic: last bytes from the client */
	int64_t timer;      /* monotonic; 0: none */
	int64_t hold_until; /* monotonic */
	int64_t idle;
	uint64_t received, sent;
	struct buffer *input;  /* not yet used up by the protocol (plaintext) */
	struct buffer *output; /* what the protocol wrote (ciphertext under TLS) */
	uint32_t hold_at;      /* offset in output from which bytes are held */
	uint16_t flags;
	const char *reason;
	struct tls_pipe *tls;
	struct channel *channel;
	struct conversation *conversation;
	struct evidence *evidence; /* list of open pieces */
	struct tarpit tarpit;
	int64_t drip_at; /* tarpit: when the next bytes may leave ... */
	int64_t look_at; /* ... and when to look again, output or not */
	struct arena arena;
	size_t held;           /* by the protocol, outside the arena */
	uint16_t state_offset; /* of the protocol's state, behind this struct */
	uint64_t memory[];     /* state, then the driver's extra */
};

static inline void *session_state(struct session *session)
{
	void *state = (uint8_t *)session->memory + session->state_offset;

	return session->flags & HANDED_OVER ? *(void **)state : state;
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
	return buffer ? slice_of(buffer->bytes, buffer->length) : (struct slice){NULL, 0};
}
/* -1 when memory is out or the limit would be passed. */
MUST_CHECK int buffer_add(struct buffer **buffer, struct slice bytes, size_t limit);
/* Drops bytes from the front; frees an empty buffer. */
void buffer_drop(struct buffer **buffer, size_t count);

/* Conversation: both directions, timed; see conversation.c for the format. */
void conversation_add(struct session *session, bool from_client, struct slice bytes);
void conversation_finish(struct session *session);

/* Forgets what was said so far. */
void conversation_drop(struct session *session);

/* Gives the session to that service; false: it stays where it is. */
bool session_become(struct session *session, const struct service *service);

void evidence_finish_all(struct session *session);

/* Ends the session for a reason of ours: limit, memory. */
void session_fail(struct session *session, const char *reason);

/* Session.open and session.close. */
void session_report_open(struct session *session);
void session_report_close(struct session *session, const char *reason);
void session_report_tls(struct session *session);

#endif
