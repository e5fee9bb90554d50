/* What the parts of the sensor share; nobody else includes this. */
#ifndef CAPTURE_SENSOR_INSIDE_H
#define CAPTURE_SENSOR_INSIDE_H

#include "base/arena.h"
#include "capture/fragments.h"
#include "capture/sensor.h"

#define SCRATCH_MAX        (4 * 1024 * 1024) /* of one call of a reader */
#define RECOGNITION_MAX    4096 /* bytes of one side after which nobody will recognise it any more */
#define EXPIRE_EVERY       1024 /* packets */
#define HEADER_BUFFERS_MAX 4

struct sensor {
	struct sensor_setup setup;
	struct flow_table *flows;
	struct fragments *fragments;
	struct sensor_counts counts;
	struct arena scratch;
	const char *oddity; /* of the packet at hand, that its headers do not show; or NULL */
	const struct packet *packet; /* at hand; NULL: at the end of a flow */
	int64_t now, expired;        /* expired: when flows were last looked through for it */
};

static inline bool sensor_wants(const struct sensor *sensor, enum buffer_id id)
{
	return !sensor->setup.listener.wants || wants_buffer(sensor->setup.listener.wants, id);
}

void sensor_inspect(struct sensor *sensor, struct inspection *inspection);

/* --- stretches.c: streams as rules see them --- */

void stretch_add(struct sensor *sensor, struct flow *flow, enum direction direction,
		 struct slice bytes);
/* Offers what was not looked at yet. */
void stretch_flush(struct sensor *sensor, struct flow *flow, enum direction direction);
/* Forgets what came before a gap. */
void stretch_cut(struct sensor *sensor, struct flow *flow, enum direction direction);

/* --- reading.c: readers of applications and what feeds them --- */

void reading_bytes(struct sensor *sensor, struct flow *flow, enum direction direction,
		   struct slice bytes);
void reading_gap(struct sensor *sensor, struct flow *flow, enum direction direction,
		 uint64_t length);
void reading_last(struct sensor *sensor, struct flow *flow, enum direction direction);
void reading_datagram(struct sensor *sensor, struct flow *flow, enum direction direction,
		      struct slice bytes);
void reading_finish(struct sensor *sensor, struct flow *flow);

/* --- connection.c: the states of a TCP connection --- */

void connection_packet(struct sensor *sensor, struct flow *flow, enum direction direction,
		       const struct packet *packet);
void connection_finish(struct sensor *sensor, struct flow *flow);

#endif
