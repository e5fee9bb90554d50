/* Mail as rules see it (RFC 5322, RFC 2045, RFC 2046): headers, and attachments decoded. */
#ifndef CAPTURE_APPLICATION_MIME_H
#define CAPTURE_APPLICATION_MIME_H

#include "base/arena.h"
#include "capture/application.h"

#define MIME_ATTACHMENTS_MAX 16
#define MIME_DEPTH_MAX       6
#define MIME_ANOMALIES_MAX   6

struct mime_attachment {
	struct slice name;
	struct slice bytes; /* decoded, cut at APPLICATION_BODY_MAX */
};

struct mime_mail {
	struct slice from, to, subject; /* at NULL: no such header */
	struct mime_attachment attachments[MIME_ATTACHMENTS_MAX];
	size_t attachment_count;
	const char *anomalies[MIME_ANOMALIES_MAX]; /* "smtp.mime_..." */
	size_t anomaly_count;
};

/* Reads a message, cut short maybe. Memory from the arena; what does not fit is left out. */
void mime_read(struct mime_mail *mail, struct slice message, struct arena *arena);
/* The value of a header in a block of header lines, unfolded; at NULL: it is not there. */
struct slice mime_header(struct slice block, const char *name, struct arena *arena);
/* A parameter of a header's value ("filename" of attachment; filename="x"), quotes undone, the
 * numbered pieces of RFC 2231 joined; at NULL: not there. */
struct slice mime_parameter(struct slice value, const char *name, struct arena *arena);
/* Calls back for each part between boundaries, the text before the first one left out. */
void mime_split(struct slice body, struct slice boundary,
		void (*part)(void *context, struct slice part), void *context);
/* Where a part's header lines end; *body is what follows. */
struct slice mime_head(struct slice part, struct slice *body);

#endif
