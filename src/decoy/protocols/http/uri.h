/* Request targets, percent-encoding, form fields and base64, as servers read them. */
#ifndef DECOY_HTTP_URI_H
#define DECOY_HTTP_URI_H

#include "decoy/protocols/http/parser.h"

struct http_uri {
	struct slice scheme, host, port; /* of an absolute URI; else empty */
	struct slice path;               /* as sent; empty for an absolute URI without one */
	struct slice query;              /* without the question mark */
	bool has_query;
};

void http_uri_split(struct http_uri *uri, struct slice target);
/* Decodes and normalises a path as the server does. -1 where it answers 400. */
MUST_CHECK int http_path_decode(struct writer *out, struct slice path, enum http_dialect dialect);
/* Undoes percent-encoding (and '+' in forms), passing over what is broken. */
void http_percent_decode(struct writer *out, struct slice text, bool form);
/* The decoded value of a field of a form or query; false when it is not there. */
bool http_form_field(struct writer *out, struct slice form, const char *name);
/* Base64, lenient about padding; -1 for anything that is none. */
MUST_CHECK int http_base64_decode(struct writer *out, struct slice text);

#endif
