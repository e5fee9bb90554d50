/* All protocols. */
#ifndef DECOY_REGISTRY_H
#define DECOY_REGISTRY_H

#include "decoy/protocol.h"

#define PROTOCOL(name) extern const struct protocol protocol_##name;
#include "decoy/protocols/registry.def"
#undef PROTOCOL

/* Ends with NULL. */
extern const struct protocol *const protocols[];

const struct protocol *protocol_named(struct slice name);

#endif
