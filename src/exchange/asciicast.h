/* Terminal recordings: asciicast v2 (docs.asciinema.org/manual/asciicast/v2), and Cowrie's ttylogs,
 * which are turned into it. */
#ifndef EXCHANGE_ASCIICAST_H
#define EXCHANGE_ASCIICAST_H

#include "base/bytes.h"

struct asciicast_header {
	int64_t columns, rows;
	int64_t timestamp;     /* seconds since 1970; 0: unknown */
	struct writer command; /* of an exec; empty: a shell */
};

struct asciicast_event {
	int64_t time; /* microseconds since the beginning */
	uint8_t code; /* 'o' output, 'i' input, 'r' resize, 'm' marker; others are as they are */
	struct slice text; /* valid until the next call */
};

struct asciicast {
	struct slice rest;
	unsigned line;
	struct asciicast_header header;
	struct writer text;
};

/* Reads the header. 0, or -1 with *why (a constant). The bytes are borrowed. */
MUST_CHECK int asciicast_open(struct asciicast *cast, struct slice bytes, const char **why);
/* 1 with an event, 0 at the end, -1 for a line that is none (*why; the next call goes on behind
 * it). Bytes that were no UTF-8 (\udcNN) come back as they were. */
int asciicast_next(struct asciicast *cast, struct asciicast_event *event, const char **why);
void asciicast_close(struct asciicast *cast);

/* Cowrie's ttylog (and UML's): records of 24 bytes, little-endian: operation (1 open, 2 close, 3
 * write, 4 exec), terminal, length, direction (1 input, 2 output, 3 the command of an exec),
 * seconds, microseconds; then so many bytes. */
bool ttylog_is_one(struct slice bytes);
/* Writes an asciicast; *started is the time of the first record, microseconds. -1 with *why for
 * what is none; a torn end is left out, and *torn says so. */
MUST_CHECK int ttylog_convert(struct slice bytes, struct writer *out, int64_t *started, bool *torn,
			      const char **why);

#endif
