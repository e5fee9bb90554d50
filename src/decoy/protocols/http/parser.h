/* The head of an HTTP/1 request (RFC 9112), read as leniently or strictly as the server that we
 * play.
 *
 * Two steps. http_scan walks the bytes once, keeps its place between calls, and says where the head
 * ends or at which byte the real server would have given up. http_head_split then cuts what was
 * scanned into parts without judging: every odd byte stays where it was, for the record.
 */
#ifndef DECOY_HTTP_PARSER_H
#define DECOY_HTTP_PARSER_H

#include "base/bytes.h"

/* nginx's client_header_buffer_size and large_client_header_buffers, whose exhaustion shows as 414
 * or 400; a decoy must give up at the same byte. */
#define HTTP_SMALL_BUFFER  1024
#define HTTP_LARGE_BUFFER  8192
#define HTTP_LARGE_BUFFERS 4
/* Apache's LimitRequestLine, LimitRequestFieldSize and LimitRequestFields. */
#define HTTP_APACHE_LINE_MAX    8190
#define HTTP_APACHE_HEADERS_MAX 100
/* HTTP.sys: MaxRequestBytes of a whole head, UrlSegmentMaxLength. */
#define HTTP_IIS_HEAD_MAX    16384
#define HTTP_IIS_SEGMENT_MAX 260
/* No head is longer, whoever we play: what an unfinished head may cost us in memory. */
#define HTTP_HEAD_MAX (36 * 1024)
/* Headers that are kept apart; more than any client sends, and a bound on our stack. */
#define HTTP_HEADERS_MAX 256

enum http_dialect { HTTP_NGINX, HTTP_APACHE, HTTP_IIS, HTTP_GO };

enum http_fault {
	HTTP_FINE,
	HTTP_BAD_LINE,    /* no request line */
	HTTP_BAD_VERSION, /* a version that the server does not speak */
	HTTP_BAD_TARGET,  /* a path that cannot be decoded or leaves the root */
	HTTP_LINE_TOO_LONG,
	HTTP_BAD_HEADER,
	HTTP_HEADER_TOO_LONG,
	HTTP_TOO_MANY_HEADERS,
	HTTP_BAD_METHOD, /* IIS tells it from other bad lines */
};

enum http_progress { HTTP_MORE, HTTP_COMPLETE, HTTP_FAULTY };

/* Where a scan stands; zeroed at the start of each request. */
struct http_scan {
	uint32_t at;         /* bytes looked at */
	uint32_t line;       /* start of the current line */
	uint32_t buffer_end; /* end of nginx's current buffer */
	uint8_t buffers;     /* large ones in use */
	uint8_t state;
	enum http_fault fault;
	bool in_headers;
	uint16_t headers;
	bool simple; /* HTTP/0.9: a request line alone */
};

/* Walks on over `bytes`, which always start with the request's first byte. After HTTP_COMPLETE and
 * HTTP_FAULTY, scan->at is the length of the head, or of what was looked at. */
enum http_progress http_scan(struct http_scan *scan, enum http_dialect dialect, struct slice bytes);

struct http_header {
	struct slice name, value; /* trimmed */
	struct slice line;        /* as sent, folded lines with it, without the last line end */
};

struct http_head {
	struct slice raw;
	struct slice line, method, target, version; /* empty where there is none */
	unsigned minor;                             /* of HTTP/1.x; 9 for a simple request */
	bool simple;
	bool folded;     /* some header had continuation lines */
	bool bare_lines; /* some line ended in LF alone */
	size_t count;    /* of headers, those that were not kept included */
	struct http_header headers[HTTP_HEADERS_MAX];
};

void http_head_split(struct http_head *head, struct slice raw);
/* The first header of that name, and how many there are; NULL when there is none. */
const struct http_header *http_head_find(const struct http_head *head, const char *name,
					 size_t *count);
/* Its value, or the empty slice. */
struct slice http_head_value(const struct http_head *head, const char *name);
/* True when a comma-separated header holds the word. */
bool http_head_lists(const struct http_head *head, const char *name, const char *word);

/* RFC 9110 token characters. */
bool http_is_token(struct slice text);

#endif
