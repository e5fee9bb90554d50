/* Alerts and fingerprints as events; see observer.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/inspection_event.h"
#include "cli/observer.h"

static void tell_alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct observer *observer = context;
	struct inspection_room room;
	struct flow *flow = inspection->flow;
	struct event event;
	char id[32];

	event_clear(&event);
	if (flow)
		sensor_event_of_flow(&event, flow, inspection->time);
	else
		sensor_event_of_packet(&event, inspection->packet);
	rule_event(&event, rule, id);
	inspection_event(&event, &room, inspection);
	if (inspection->packet)
		event_set_number(&event, FIELD_PACKET_NUMBER, (int64_t)observer->packets);
	observer->event(observer->context, &event, flow);
}

static void inspect(void *context, const struct inspection *inspection)
{
	struct observer *observer = context;

	engine_inspect(observer->rules.engine, inspection, tell_alert, observer);
}

static void tell_handshake(void *context, const struct packet *packet, struct flow *flow,
			   enum direction direction)
{
	struct observer *observer = context;
	struct handshake_room room;
	struct event event;

	event_clear(&event);
	if (!handshake_event(&event, &room, observer->p0f, packet, flow, direction))
		return;
	sensor_event_of_flow(&event, flow, packet->time);
	if (observer->probes && event_has(&event, FIELD_CLIENT_TOOL))
		probes_tool(observer->probes, &flow->client, room.tool, packet->time);
	observer->event(observer->context, &event, flow);
}

static void tell_probe(void *context, struct event *event)
{
	struct observer *observer = context;

	observer->event(observer->context, event, NULL);
}

static void end_flow(void *context, struct flow *flow)
{
	struct observer *observer = context;

	if (observer->flow_over)
		observer->flow_over(observer->context, flow);
	if (observer->probes)
		probes_flow_over(observer->probes, flow);
}

static void take_flowless(void *context, const struct packet *packet)
{
	struct observer *observer = context;

	if (observer->probes)
		probes_packet(observer->probes, packet);
}

int observer_open_probes(struct observer *observer)
{
	struct probes_setup setup = probes_setup_default;

	setup.context = observer;
	setup.event = tell_probe;
	observer->probes = probes_new(&setup);
	return observer->probes ? 0 : -1;
}

static void tell_event(void *context, struct event *event, struct flow *flow)
{
	struct observer *observer = context;

	observer->event(observer->context, event, flow);
}

int observer_open_p0f(struct observer *observer, const char *path, char *why, size_t size)
{
	const char *from = path ? path : P0F_DEFAULT;
	size_t length;
	char *text = rule_files_read(from, &length), problem[160];

	if (!text && path) {
		snprintf(why, size, "cannot read the signatures %s: %s", path, strerror(errno));
		return -1;
	}
	if (!text)
		return 0;
	observer->p0f = p0f_read(slice_of(text, length), problem);
	free(text);
	if (observer->p0f)
		return 0;
	snprintf(why, size, "%s: %s", from, problem);
	return -1;
}

struct sensor_listener observer_listener(struct observer *observer)
{
	struct sensor_listener listener = {
		.context = observer,
		.event = tell_event,
		.handshake = tell_handshake,
		.other = take_flowless,
		.flowless = take_flowless,
		.flow_over = end_flow,
	};

	if (observer->rules.engine) {
		listener.wants = engine_wants(observer->rules.engine);
		listener.inspect = inspect;
	}
	return listener;
}

void observer_close(struct observer *observer)
{
	rule_files_close(&observer->rules);
	p0f_free(observer->p0f);
	observer->p0f = NULL;
	probes_free(observer->probes);
	observer->probes = NULL;
}
