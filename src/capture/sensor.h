/* The sensor: packets in; flows, streams, transactions out, for rules and fingerprints to look at.
 *
 *     packet -> fragments -> flow -> stream (TCP) -> reader of the application -> inspection
 *
 * No I/O and no clock: time is the packets'.
 */
#ifndef CAPTURE_SENSOR_H
#define CAPTURE_SENSOR_H

#include "capture/flow.h"
#include "capture/stream.h"

/* Who looks at what comes out; each may be NULL. */
struct sensor_listener {
	void *context;
	const struct wants *wants; /* NULL: all buffers */
	/* A packet, a stretch of a stream, a side of a transaction. */
	void (*inspect)(void *context, const struct inspection *inspection);
	/* A TCP SYN or SYN+ACK, before anything else of that packet; flow may be NULL. */
	void (*handshake)(void *context, const struct packet *packet, struct flow *flow,
			  enum direction direction);
	/* An event of a reader: times, addresses, session are set. */
	void (*event)(void *context, struct event *event, struct flow *flow);
	/* A frame without IP in it. */
	void (*other)(void *context, const struct packet *packet);
	/* A whole IP packet that belongs to no flow. */
	void (*flowless)(void *context, const struct packet *packet);
	/* A flow is over. */
	void (*flow_over)(void *context, struct flow *flow);
};

struct sensor_setup {
	struct flow_limits flows;
	enum stream_policy policy;
	bool checksums; /* packets with wrong sums are not looked at: their receiver drops them */
	bool midstream; /* connections whose handshake was not seen are read too */
	struct sensor_listener listener;
};
extern const struct sensor_setup sensor_setup_default;

struct sensor_counts {
	uint64_t packets, bytes, decoded, fragments, wrong_sums, streams, transactions, gaps;
	uint64_t flows, flows_shed, flow_bytes; /* flow_bytes: held now */
};

struct sensor;

/* NULL when memory is out. */
struct sensor *sensor_new(const struct sensor_setup *setup);
void sensor_packet(struct sensor *sensor, enum link_type link, struct slice frame,
		   uint32_t wire_length, int64_t time);
/* Ends flows that were silent too long, for times without packets. */
void sensor_tick(struct sensor *sensor, int64_t now);
/* Ends all flows, so that what waits is looked at. */
void sensor_finish(struct sensor *sensor);
struct sensor_counts sensor_counts(const struct sensor *sensor);
void sensor_free(struct sensor *sensor);

/* Fills what every event of a flow has: time, addresses, transport, protocol, session. */
void sensor_event_of_flow(struct event *event, struct flow *flow, int64_t time);
/* The same for a packet that belongs to no flow. */
void sensor_event_of_packet(struct event *event, const struct packet *packet);

#endif
