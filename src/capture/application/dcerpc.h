/* DCE/RPC (C706, chapter 12; MS-RPCE): what a connection's protocol data units hold, whatever
 * carries them: TCP, or a named pipe of SMB. */
#ifndef CAPTURE_APPLICATION_DCERPC_H
#define CAPTURE_APPLICATION_DCERPC_H

#include "capture/application/view.h"

#define DCERPC_CONTEXTS_MAX  32 /* interfaces that one connection binds and that are remembered */
#define DCERPC_HEADER_BYTES  16
#define DCERPC_STUB_MAX      (64 * 1024) /* of a request in fragments */
#define DCERPC_INTERFACE_MAX 37

struct dcerpc {
	struct {
		uint16_t id;
		char interface[DCERPC_INTERFACE_MAX]; /* 8-4-4-4-12 */
	} contexts[DCERPC_CONTEXTS_MAX];
	size_t context_count;
	struct writer stubs[2]; /* fragments of the call at hand, by direction */
	uint64_t transactions[2];
};

/* Whether bytes begin like a unit. */
bool dcerpc_is_unit(struct slice bytes);
/* Reads units off the front and offers what they hold; returns how many bytes were used. */
size_t dcerpc_read(struct dcerpc *dcerpc, struct application_context *context,
		   enum direction direction, struct slice bytes);
/* Frees what it holds, and how many bytes that is. */
void dcerpc_drop(struct dcerpc *dcerpc);
size_t dcerpc_held(const struct dcerpc *dcerpc);

#endif
