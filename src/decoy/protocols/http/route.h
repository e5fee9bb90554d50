/* Which answer a request deserves: the site, its log-in, what a static server refuses. */
#ifndef DECOY_HTTP_ROUTE_H
#define DECOY_HTTP_ROUTE_H

#include "decoy/protocols/http/answer.h"
#include "decoy/protocols/http/body.h"

#define HTTP_LOCATION_MAX   (HTTP_LARGE_BUFFER + 512)
#define HTTP_NGINX_BODY_MAX (1024 * 1024) /* client_max_body_size */

struct http_options {
	const char *site;
	int64_t body_inline;
	const struct website *website; /* read by prepare */
};

/* A request whose head is there, and the answer that was chosen. */
struct http_request {
	struct http_exchange exchange;
	const struct http_options *options;
	const struct http_head *head;
	struct http_body body;
	struct http_answer answer;
	bool authorized, was_authorized; /* Authorization was judged (once a request), and let in */
	bool needs_body;    /* the answer depends on it: route again when it is there */
	bool refused_early; /* before the server looked at more than the head */
	const char *tag;    /* for the event, or NULL */
	uint8_t text[HTTP_LOCATION_MAX]; /* of the redirect or the cookie */
};

/* Fills in exchange, body and answer from the head. */
void http_route(struct http_request *request, struct session *session, enum http_dialect dialect,
		const struct http_head *head);
/* The answer to a form that was posted to the log-in page. */
void http_route_form(struct http_request *request, struct slice form);
/* The answer to a head that the scanner gave up on. */
void http_route_fault(struct http_request *request, enum http_fault fault);

#endif
