/* What rules look at: the one shape between those who read traffic and those who judge it.
 *
 * An inspection is a packet, a stretch of a stream, or one side of a transaction (an HTTP request,
 * a DNS answer, a TLS hello ...). Its bytes come as named buffers, its numbers as facts, what its
 * parser stumbled over as anomalies. buffers.def and facts.def list the names.
 */
#ifndef CAPTURE_INSPECTION_H
#define CAPTURE_INSPECTION_H

#include "capture/packet.h"

enum direction { TO_SERVER, TO_CLIENT };

enum application_id {
	APPLICATION_NONE,
#define APPLICATION(symbol, name, title) APPLICATION_##symbol,
#include "capture/applications.def"
#undef APPLICATION
	APPLICATION_COUNT
};

enum buffer_id {
#define BUFFER(symbol, name, application, sides) BUFFER_##symbol,
#include "capture/buffers.def"
#undef BUFFER
	BUFFER_COUNT
};

enum fact_id {
#define FACT(symbol, name, application) FACT_##symbol,
#include "capture/facts.def"
#undef FACT
	FACT_COUNT
};

struct buffer {
	enum buffer_id id;
	struct slice bytes;
};

struct fact {
	enum fact_id id;
	int64_t value;
};

/* Several buffers of one name stand in order of appearance (http.header names, TLS certificates):
 * each is looked at by itself. A buffer that is absent is not an empty one. */
struct findings {
	const struct buffer *buffers;
	size_t buffer_count;
	const struct fact *facts;
	size_t fact_count;
	const char *const *anomalies; /* "http.invalid_content_length" ... */
	size_t anomaly_count;
};

enum inspection_kind {
	INSPECT_PACKET, /* BUFFER_PAYLOAD is the packet's payload */
	INSPECT_STREAM, /* BUFFER_PAYLOAD is a stretch of the stream, with some that came before */
	INSPECT_TRANSACTION, /* BUFFER_PAYLOAD is what the side sent, as sent, if it is known */
};

struct flow;

struct inspection {
	enum inspection_kind kind;
	enum direction direction;
	enum application_id application; /* of the flow, as far as it is known */
	const struct packet *packet;     /* the packet that led to it; NULL: a decoy's own stream */
	struct flow *flow;               /* NULL: none (a fragment, ICMP without one) */
	uint64_t transaction;            /* number of it in the flow, for INSPECT_TRANSACTION */
	size_t seen; /* INSPECT_STREAM: bytes of BUFFER_PAYLOAD that an inspection before saw too */
	uint64_t stream_offset; /* of BUFFER_PAYLOAD in its stream, for INSPECT_STREAM */
	int64_t time;
	struct findings findings;
};

/* Buffers and facts that some rule looks at: a parser need not make the others. */
struct wants {
	uint64_t buffers[(BUFFER_COUNT + 63) / 64];
};

static inline bool wants_buffer(const struct wants *wants, enum buffer_id id)
{
	return wants->buffers[id / 64] >> (id % 64) & 1;
}

struct buffer_description {
	const char *name;                /* as Suricata writes it */
	enum application_id application; /* APPLICATION_NONE: of any */
	uint8_t sides;                   /* 1: to the server, 2: to the client, 3: both */
};
extern const struct buffer_description buffer_descriptions[BUFFER_COUNT];

struct application_description {
	const char *name, *title;
};
extern const struct application_description application_descriptions[APPLICATION_COUNT];

/* The id of that name, or BUFFER_COUNT, FACT_COUNT, APPLICATION_NONE. */
enum buffer_id buffer_named(struct slice name);
enum fact_id fact_named(struct slice name);
enum application_id application_named(struct slice name);

#endif
