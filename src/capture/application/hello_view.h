/* What rules see of a TLS hello, whatever carried it: records over TCP, or QUIC. */
#ifndef CAPTURE_APPLICATION_HELLO_VIEW_H
#define CAPTURE_APPLICATION_HELLO_VIEW_H

#include "capture/application/view.h"

/* Adds the buffers and facts of a hello (the message's body) to the view and tells its fingerprints
 * as an event; nothing where it is none. `transport` as JA4 has it: 't' over TCP, 'q' in QUIC. */
void hello_view(struct findings_view *view, struct slice body, bool server, char transport);

/* "TLSv1.3" for 0x0304, as OpenSSL writes it; NULL: no name is known. */
const char *hello_version_name(int64_t version);

#endif
