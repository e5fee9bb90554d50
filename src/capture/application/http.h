/* HTTP/1 (RFC 9112) as rules see it; shared by http.c, http_head.c, http_view.c. */
#ifndef CAPTURE_APPLICATION_HTTP_H
#define CAPTURE_APPLICATION_HTTP_H

#include "capture/application.h"

#define HTTP_HEAD_MAX    (64 * 1024) /* a start line with all headers */
#define HTTP_HEADERS_MAX 256
#define HTTP_LINE_MAX    1024 /* of a chunk's size */

struct http_header {
	struct slice name, value; /* trimmed; several of one name are joined by ", " */
};

struct http_head {
	struct slice raw;      /* all of it, the empty line at its end included */
	struct slice line;     /* the start line, without its end */
	struct slice words[3]; /* method, target, version; or version, status, reason */
	struct slice block;    /* the header lines as sent, with the empty line */
	struct http_header *headers;
	size_t header_count;
};

/* Length of the head at the start of the bytes, or 0: not all there yet. `last`: no more comes. */
size_t http_head_length(struct slice bytes, bool last);
/* Takes it apart; memory from the arena. */
void http_head_read(struct http_head *head, struct slice raw, enum direction direction,
		    struct arena *arena);
/* The value of a header, or the empty slice with at NULL. */
struct slice http_header_value(const struct http_head *head, const char *name);

/* One side's message, complete. */
#define HTTP_FILE_NAME_MAX 64

enum http_anomaly {
	HTTP_CHUNK_EXTENSION = 1 << 0,
};

struct http_message {
	const struct http_head *head;
	enum direction direction;
	struct slice body;    /* chunks undone, still compressed */
	uint64_t body_length; /* all of it, what was not kept included */
	uint32_t anomalies;   /* enum http_anomaly */
	const char *file;     /* the name in the request's URI */
};
/* Makes the buffers and offers them. */
void http_view(struct application_context *context, const struct http_message *message,
	       uint64_t transaction);

/* The last part of a target's path, as a name of a file; empty: it has none. */
struct slice http_file_name(struct slice target);

/* Undoes Content-Encoding (gzip, deflate with and without zlib's header), as much as is allowed;
 * what cannot be undone is given back as it is. */
struct slice http_decode(struct slice encodings, struct slice body, struct arena *arena);

#endif
