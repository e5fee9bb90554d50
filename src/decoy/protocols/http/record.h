/* Events of the http decoy. */
#ifndef DECOY_HTTP_RECORD_H
#define DECOY_HTTP_RECORD_H

#include "decoy/protocol.h"
#include "decoy/protocols/http/tricks.h"

struct http_record {
	const struct http_head *head;
	struct slice body;  /* its first bytes */
	uint64_t body_size; /* all of it */
	int status;         /* 0: nothing was answered */
	const char *tag;    /* one more, or NULL */
	bool with_raw;      /* the head was odd: keep its bytes */
};

/* http.request, and download.attempt for each address in it. */
void http_record_request(struct session *session, const struct http_record *record);
/* auth.attempt for an Authorization header; returns whether Basic credentials were let
 * in. */
bool http_record_authorization(struct session *session, const struct http_head *head);

#endif
