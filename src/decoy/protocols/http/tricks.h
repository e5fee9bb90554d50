/* Well-known tricks in requests, by plain search: marks for events, not verdicts. */
#ifndef DECOY_HTTP_TRICKS_H
#define DECOY_HTTP_TRICKS_H

#include "decoy/protocol.h"
#include "decoy/protocols/http/parser.h"

#define HTTP_TAGS_MAX 16
/* Bytes of head and of body that are searched: tricks stand early, and the search is linear. */
#define HTTP_SEARCH_MAX 4096

struct http_tags {
	struct slice items[HTTP_TAGS_MAX];
	size_t count;
};

void http_tags_add(struct http_tags *tags, const char *tag);
/* Marks what the head and the body's first bytes show. */
void http_tricks(struct http_tags *tags, const struct http_head *head, struct slice body);
/* Reports download.attempt for each address that a wget, curl or the like in them would fetch. */
void http_report_downloads(struct session *session, const struct http_head *head,
			   struct slice body);

#endif
