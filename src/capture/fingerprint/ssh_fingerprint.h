/* HASSH (github.com/salesforce/hassh): the algorithms of an SSH KEXINIT as an MD5. */
#ifndef CAPTURE_FINGERPRINT_SSH_FINGERPRINT_H
#define CAPTURE_FINGERPRINT_SSH_FINGERPRINT_H

#include "base/bytes.h"

#define HASSH_MAX 33

/* The payload of a KEXINIT from its message number on (RFC 4253, 7.1). `server` takes the lists of
 * the direction from server to client. Appends the text; -1: it is no KEXINIT. */
MUST_CHECK int hassh_of(struct slice payload, bool server, struct writer *text,
			char hash[HASSH_MAX]);

#endif
