/* The table of protocols; see registry.h. */
#include "decoy/registry.h"

const struct protocol *const protocols[] = {
#define PROTOCOL(name) &protocol_##name,
#include "decoy/protocols/registry.def"
#undef PROTOCOL
	NULL,
};

const struct protocol *protocol_named(struct slice name)
{
	for (size_t i = 0; protocols[i]; i++) {
		if (slice_is(name, protocols[i]->name))
			return protocols[i];
	}
	return NULL;
}
