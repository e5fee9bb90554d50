/* What a client speaks, told from its first bytes, for ports without a decoy of their own.
 *
 * Names are those of network.protocol. Only what a client says first is looked at; answers play no
 * part, and nothing here keeps state.
 */
#ifndef DECOY_IDENTIFY_H
#define DECOY_IDENTIFY_H

#include "decoy/protocol.h"

/* The protocol's name, or NULL: none that is known, or too few bytes to tell. */
const char *identify_first(struct slice first, enum transport transport);
/* The record of a TLS ClientHello begins (RFC 8446, 5.1). */
bool identify_tls(struct slice first);
/* The protocol whose server speaks first on this port by custom, or NULL. */
const char *identify_port(uint16_t port);

#endif
