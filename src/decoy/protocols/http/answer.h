/* What the server says, as nginx 1.22, Apache 2.4 or IIS 10 says it: order of headers, error pages,
 * dates.
 */
#ifndef DECOY_HTTP_ANSWER_H
#define DECOY_HTTP_ANSWER_H

#include "decoy/protocol.h"
#include "decoy/protocols/http/parser.h"
#include "decoy/website/website.h"

#define HTTP_ANSWER_MAX (1100 * 1024) /* head and the largest page */

/* What HTTP.sys, the part of Windows in front of IIS, refuses itself. */
enum http_sys_fault {
	HTTP_SYS_NONE,
	HTTP_SYS_MALFORMED,
	HTTP_SYS_VERB,
	HTTP_SYS_URL,
	HTTP_SYS_HOST,
	HTTP_SYS_HEADER,
	HTTP_SYS_HEADERS_LONG,
	HTTP_SYS_URL_LONG,
	HTTP_SYS_LENGTH_MISSING,
	HTTP_SYS_CODING,
	HTTP_SYS_VERSION,
	HTTP_SYS_RANGE, /* said in IIS's name */
};

struct http_answer {
	int status;
	const struct website_page *page; /* a file of the site ... */
	struct slice body;               /* ... or a page that a program made (status 200) ... */
	bool is_dynamic;                 /* ... which this says; else the server's own page */
	const char *type;                /* of a dynamic page; NULL: none */
	const char *realm;               /* of a 401 */
	struct slice location;           /* of a redirect */
	struct slice cookie;             /* Set-Cookie */
	const char *allow;               /* Apache's and IIS's Allow */
	enum http_sys_fault sys;         /* IIS */
	bool is_aspx;                    /* IIS: the fault of a program's path */
	const char *note; /* Apache: a second sentence; nginx: the title of its 494 */
	bool lengthless;  /* Apache: the body broke while it was read */
	bool nameless;    /* the fault came before the server knew its name */
};

struct http_exchange {
	struct session *session;
	enum http_dialect dialect;
	const struct http_head *head; /* what there is of it */
	struct slice host, port;      /* as the client named us; empty when it did not */
	bool keep_alive;
	bool simple;       /* HTTP/0.9: no head in the answer */
	unsigned requests; /* before this one on the connection */
};

/* Writes the answer; *status becomes what was sent in the end (304, 206, 416 ... for a page). */
void http_answer_send(const struct http_exchange *exchange, const struct http_answer *answer,
		      int *status);

/* --- between answer.c and the styles --- */

/* A page after its conditions and ranges were looked at. */
struct http_plan {
	int status;
	const struct http_answer *answer;
	const char *type; /* NULL: none */
	struct slice body;
	bool gzip;
	bool has_file;             /* Last-Modified and ETag of answer->page */
	size_t first, last, whole; /* of a 206 */
};

void http_nginx_write(const struct http_exchange *exchange, const struct http_plan *plan,
		      struct writer *out);
void http_apache_write(const struct http_exchange *exchange, const struct http_plan *plan,
		       struct writer *out);
void http_iis_write(const struct http_exchange *exchange, const struct http_plan *plan,
		    struct writer *out);
/* The status of what HTTP.sys refuses. */
int http_sys_status(enum http_sys_fault fault);
/* The reason phrase. */
const char *http_reason(enum http_dialect dialect, int status);
/* ETag in the style's form, with its quotes. */
void http_etag(struct writer *out, enum http_dialect dialect, const struct website_page *page);
/* True when the client takes gzip. */
bool http_takes_gzip(const struct http_exchange *exchange);
/* The port that the server believes to be asked at. */
unsigned http_server_port(const struct http_exchange *exchange);

#endif
