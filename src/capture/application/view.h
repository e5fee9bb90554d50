/* Gathering what a reader found, for one inspection. */
#ifndef CAPTURE_APPLICATION_VIEW_H
#define CAPTURE_APPLICATION_VIEW_H

#include "capture/application.h"

#define VIEW_BUFFERS_MAX 96
#define VIEW_FACTS_MAX   64

struct findings_view {
	struct application_context *context;
	struct buffer buffers[VIEW_BUFFERS_MAX];
	size_t buffer_count;
	struct fact facts[VIEW_FACTS_MAX];
	size_t fact_count;
	const char *anomalies[8];
	size_t anomaly_count;
};

static inline void view_start(struct findings_view *v, struct application_context *context)
{
	v->context = context;
	v->buffer_count = v->fact_count = v->anomaly_count = 0;
}

/* More than there is room for is left out. */
static inline void view_buffer(struct findings_view *v, enum buffer_id id, struct slice bytes)
{
	if (v->buffer_count < VIEW_BUFFERS_MAX && wants_buffer(v->context->wants, id))
		v->buffers[v->buffer_count++] =
			(struct buffer){id, bytes.at ? bytes : slice_of("", 0)};
}

static inline void view_fact(struct findings_view *v, enum fact_id id, int64_t value)
{
	if (v->fact_count < VIEW_FACTS_MAX)
		v->facts[v->fact_count++] = (struct fact){id, value};
}

static inline void view_anomaly(struct findings_view *v, const char *name)
{
	if (v->anomaly_count < 8)
		v->anomalies[v->anomaly_count++] = name;
}

static inline void view_offer(struct findings_view *v, enum direction direction,
			      uint64_t transaction)
{
	struct findings findings = {.buffers = v->buffers,
				    .buffer_count = v->buffer_count,
				    .facts = v->facts,
				    .fact_count = v->fact_count,
				    .anomalies = v->anomalies,
				    .anomaly_count = v->anomaly_count};

	v->context->inspect(v->context, direction, transaction, &findings);
}

#endif
