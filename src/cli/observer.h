/* Who looks at what the sensor finds: rules and signatures of TCP stacks, and the events they make.
 */
#ifndef CLI_OBSERVER_H
#define CLI_OBSERVER_H

#include "capture/fingerprint/handshake.h"
#include "capture/probes.h"
#include "capture/sensor.h"
#include "cli/rule_files.h"

#define P0F_DEFAULT "/etc/p0f/p0f.fp" /* Debian's package p0f */

struct observer {
	struct rule_files rules;
	struct p0f *p0f;       /* NULL: none */
	struct probes *probes; /* NULL: not told */
	uint64_t packets;      /* number of the one that is looked at; the owner counts */
	void *context;
	/* Times, addresses and session are set. flow may be NULL. */
	void (*event)(void *context, struct event *event, struct flow *flow);
	/* A flow is over, before it is looked at for probes; NULL: nobody wants to know. */
	void (*flow_over)(void *context, struct flow *flow);
};

/* Signatures from that file; with NULL from P0F_DEFAULT, where it is there. -1 with a reason. */
MUST_CHECK int observer_open_p0f(struct observer *observer, const char *path, char *why,
				 size_t size);
/* Probes are told of too; probes_tick and probes_finish are the owner's to call. */
MUST_CHECK int observer_open_probes(struct observer *observer);
/* What the sensor calls. Rules must be loaded before. */
struct sensor_listener observer_listener(struct observer *observer);
void observer_close(struct observer *observer);

#endif
