/* Framing of a request body (RFC 9112 6, 7): how long it is by its headers, and taking it off the
 * wire piece by piece. */
#ifndef DECOY_HTTP_BODY_H
#define DECOY_HTTP_BODY_H

#include "decoy/protocols/http/parser.h"

/* Longest line with the size of a chunk, or of a trailer: more is nobody's upload. */
#define HTTP_CHUNK_LINE_MAX 4096

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_body {
	uint64_t left; /* of the body, or of the current chunk */
	uint8_t framing;
	uint8_t state;
	bool last_chunk;
};

/* From the headers. Returns 0, or the status (400, 501) that the server answers instead. */
MUST_CHECK int http_body_begin(struct http_body *body, const struct http_head *head,
			       enum http_dialect dialect);
/* Takes wire bytes off the front of *rest; *piece is body content among them, perhaps empty. Call
 * while it returns HTTP_MORE and *rest keeps getting shorter. */
enum http_progress http_body_take(struct http_body *body, struct slice *rest, struct slice *piece);

#endif
