/* Data types of SSH's wire form (RFC 4251, section 5) over cursors and writers. */
#ifndef DECOY_SSH_WIRE_H
#define DECOY_SSH_WIRE_H

#include "base/bytes.h"

/* A length and so many bytes. */
struct slice wire_string(struct cursor *c);
/* The same where OpenSSH wants text: a NUL at its end is dropped, one within it fails. */
struct slice wire_text(struct cursor *c);
/* Fails when anything is left. */
void wire_end(struct cursor *c);

void wire_put_string(struct writer *w, struct slice s);
void wire_put_text(struct writer *w, const char *text);
/* A number of big-endian bytes without sign as mpint. */
void wire_put_mpint(struct writer *w, struct slice number);

/* Takes the next name off a comma-separated list; false at its end. */
bool wire_next_name(struct slice *list, struct slice *name);
bool wire_list_has(struct slice list, struct slice name);
/* The first name of the client's list that the server's has (RFC 4253, 7.1), or the empty slice. */
struct slice wire_choose(struct slice client, struct slice server);

#endif
