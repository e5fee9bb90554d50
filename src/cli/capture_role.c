/* The process `capture`: packets of the interfaces in, fingerprints and alerts out, into its own
 * spool. What belongs to a decoy's session carries that session's number; see
 * process/session_table.h.
 */
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "capture/inspection_event.h"
#include "capture/interface.h"
#include "capture/packet_ring.h"
#include "capture/tap.h"
#include "cli/host_roles.h"
#include "cli/observer.h"
#include "process/roles.h"

#define INTERFACES_MAX 16
#define PACKETS_A_TURN 4096
#define PIECES_A_TURN  256
#define WAIT           200 /* milliseconds between turns while nothing comes */
#define COUNT_EVERY    SECOND
#define LAST_BLOCK     (120 * MILLISECOND) /* over twice what a block waits in the kernel */
/* An event of a connection that no decoy has accepted yet waits for that. */
#define PATIENCE     (300 * MILLISECOND)
#define WAITING_MAX  4096
#define CLOCKS_APART SECOND /* a session's clock is read after its first packet's stamp */

/* A fingerprint that a source showed already is told again for a decoy's session, or after this. */
#define SHOWN_MAX   16384 /* a power of two */
#define SHOWN_AGAIN (10 * MINUTE)

struct shown {
	uint64_t key;
	int64_t until; /* monotonic */
};

/* An event that waits for its session's number. */
struct waiting {
	char *line;
	size_t length;
	struct session_ends ends;
	int64_t since, due; /* wall, monotonic */
};

struct capture_process {
	struct process *self;
	const struct installation *host;
	struct observer observer;
	struct sensor *sensor;
	struct wants wants;
	struct interface *interfaces[INTERFACES_MAX];
	struct interface *reading;
	size_t count;
	struct spool *spool;
	struct packet_ring *ring;
	struct tap *tap;
	struct ulid_source ids;
	struct waiting waiting[WAITING_MAX]; /* a queue */
	size_t first, waits;
	struct shown shown[SHOWN_MAX];
	uint64_t shown_key[2];
	int64_t now; /* monotonic */
	int64_t counted_at;
};

/* --- events --- */

static void append(struct capture_process *capture, const struct event *event)
{
	if (spool_append(capture->spool, event) == 0)
		process_count(capture->self, HOST_CAPTURE_EVENTS, 1);
}

/* A TCP print that was told of this host not long ago: a scan shows one 65,535 times. */
static bool was_shown(struct capture_process *capture, const struct event *event)
{
	bool server = event_has(event, FIELD_SERVER_TCP);
	enum event_field print = server ? FIELD_SERVER_TCP : FIELD_CLIENT_TCP;
	uint8_t room[512];
	struct writer text = writer_fixed(room, sizeof(room));
	struct shown *shown;
	uint64_t key;

	if (!event_has(event, print))
		return false;
	writer_u8(&text, server);
	writer_bytes(&text, slice_of(event->values[server ? FIELD_DESTINATION_IP : FIELD_SOURCE_IP]
					     .address.bytes,
				     16));
	writer_bytes(&text, slice_first(event_text(event, print), 400));
	writer_bytes(&text, slice_first(event_text(event, FIELD_CLIENT_TOOL), 64));
	key = hash_sip(capture->shown_key, writer_slice(&text));
	shown = &capture->shown[key % SHOWN_MAX];
	if (shown->key == key && shown->until > capture->now)
		return true;
	*shown = (struct shown){key, capture->now + SHOWN_AGAIN};
	return false;
}

static struct session_ends ends_of(const struct flow *flow)
{
	return (struct session_ends){{flow->client, flow->client_port},
				     {flow->server, flow->server_port},
				     flow->transport == TRANSPORT_UDP ? 17 : 6};
}

/* True when the flow is a decoy's session: it is called by that name from here on. */
static bool link_session(struct capture_process *capture, struct flow *flow)
{
	struct session_ends ends = ends_of(flow);

	if (!flow->linked && capture->host->sessions)
		flow->linked = session_table_find(capture->host->sessions, &ends,
						  flow->started - CLOCKS_APART, flow->session);
	return flow->linked;
}

static bool may_be_session(const struct flow *flow)
{
	return flow && (flow->transport == TRANSPORT_TCP || flow->transport == TRANSPORT_UDP);
}

/* Keeps the event until the decoy has had time to accept; false when there is no room. */
static bool let_wait(struct capture_process *capture, const struct event *event,
		     const struct flow *flow)
{
	struct waiting *waiting =
		&capture->waiting[(capture->first + capture->waits) % WAITING_MAX];
	struct writer line = writer_growing(EVENT_LINE_MAX);

	if (capture->waits == WAITING_MAX)
		return false;
	event_write(event, &line);
	if (line.failed) {
		writer_free(&line);
		return false;
	}
	*waiting = (struct waiting){(char *)line.at, line.length, ends_of(flow),
				    flow->started - CLOCKS_APART, capture->now + PATIENCE};
	capture->waits++;
	return true;
}

static void take_event(void *context, struct event *event, struct flow *flow)
{
	struct capture_process *capture = context;
	char id[ULID_LENGTH + 1];

	ulid_next(&capture->ids, event_number(event, FIELD_TIME), id);
	event_set_words(event, FIELD_EVENT_ID, id);
	event_set_number(event, FIELD_SCHEMA, EVENT_SCHEMA_VERSION);
	event_set_words(event, FIELD_OBSERVER_NAME, capture->host->settings.decoy.sensor);
	if (capture->reading)
		event_set_words(event, FIELD_OBSERVER_INTERFACE, interface_name(capture->reading));
	if (may_be_session(flow)) {
		if (link_session(capture, flow))
			event_set_words(event, FIELD_SESSION_ID, flow->session);
		else if (let_wait(capture, event, flow))
			return;
		else if (was_shown(capture, event))
			return;
	}
	append(capture, event);
}

/* Probes are not told of what a decoy answered. */
static void end_flow(void *context, struct flow *flow)
{
	if (may_be_session(flow))
		link_session(context, flow);
}

static void release_first(struct capture_process *capture)
{
	struct waiting *waiting = &capture->waiting[capture->first];
	struct arena arena = arena_of(EVENT_LINE_MAX * 4);
	const char *why;
	char session[ULID_LENGTH + 1];
	struct event event;

	event_clear(&event);
	if (event_read(&event, slice_of(waiting->line, waiting->length), &arena, &why) == 0) {
		if (session_table_find(capture->host->sessions, &waiting->ends, waiting->since,
				       session))
			event_set_words(&event, FIELD_SESSION_ID, session);
		else if (was_shown(capture, &event))
			goto out;
		append(capture, &event);
	}
out:
	arena_drop(&arena);
	free(waiting->line);
	capture->first = (capture->first + 1) % WAITING_MAX;
	capture->waits--;
}

static void release_due(struct capture_process *capture, bool all)
{
	while (capture->waits && (all || capture->waiting[capture->first].due <= capture->now))
		release_first(capture);
}

/* --- packets --- */

static void take_packet(void *context, struct slice frame, uint32_t wire_length, int64_t time)
{
	struct capture_process *capture = context;
	enum link_type link = interface_link(capture->reading);

	capture->observer.packets++;
	sensor_packet(capture->sensor, link, frame, wire_length, time);
	if (capture->ring)
		packet_ring_add(capture->ring, link, frame, wire_length, time);
}

/* -1 when the interface is gone. */
static int read_interface(struct capture_process *capture, struct interface *in)
{
	int got;

	capture->reading = in;
	got = interface_read(in, PACKETS_A_TURN, take_packet, capture);
	capture->reading = NULL;
	return got;
}

/* Decrypted streams of the decoys. Their clocks are not trusted. */
static void read_tap(struct capture_process *capture, int from)
{
	uint8_t message[TAP_PIECE_MESSAGE];

	for (int i = 0; i < PIECES_A_TURN; i++) {
		ssize_t got = read(from, message, sizeof(message));
		struct tap_piece piece;

		if (got <= 0)
			return;
		if (tap_piece_read(slice_of(message, (size_t)got), &piece) < 0) {
			process_count(capture->self, HOST_CAPTURE_TAP_REFUSED, 1);
			continue;
		}
		piece.time = clock_wall();
		tap_piece(capture->tap, &piece);
	}
}

static void every_second(struct capture_process *capture)
{
	uint64_t packets = 0, dropped = 0;

	if (capture->now < capture->counted_at)
		return;
	capture->counted_at = capture->now + COUNT_EVERY;
	for (size_t i = 0; i < capture->count; i++) {
		struct interface_counts counts;

		if (interface_count(capture->interfaces[i], &counts) < 0)
			continue;
		packets += counts.packets;
		dropped += counts.dropped;
	}
	sensor_tick(capture->sensor, clock_wall());
	probes_tick(capture->observer.probes, clock_wall());
	process_set(capture->self, HOST_CAPTURE_PACKETS, packets);
	process_set(capture->self, HOST_CAPTURE_DROPPED, dropped);
	if (capture->ring)
		packet_ring_flush(capture->ring);
	process_set(capture->self, HOST_CAPTURE_FLOWS, sensor_counts(capture->sensor).flows);
}

/* --- the loop --- */

enum order { GO_ON, RENEW, END };

static enum order take_orders(struct process *self)
{
	struct message message;

	for (;;) {
		switch (process_receive(self, &message)) {
		case MESSAGE_OK:
			message_close_descriptors(&message);
			if (message.type == MESSAGE_RELOAD)
				return RENEW; /* new settings come with a new life */
			if (message.type == MESSAGE_DRAIN)
				return END;
			break;
		case MESSAGE_CLOSED:
			return END;
		default:
			return GO_ON;
		}
	}
}

/* What came before the end: the kernel hands a block over when it is full or some time old. */
static void read_last(struct capture_process *capture, struct pollfd *polled)
{
	int64_t until = clock_monotonic() + LAST_BLOCK, now;

	while ((now = clock_monotonic()) < until) {
		(void)poll(polled, (nfds_t)capture->count, (int)((until - now) / MILLISECOND) + 1);
		capture->now = now;
		for (size_t i = 0; i < capture->count; i++) {
			if (read_interface(capture, capture->interfaces[i]) < 0)
				return;
		}
		release_due(capture, false);
	}
}

/* Returns the exit status. */
static int watch_interfaces(struct capture_process *capture)
{
	struct pollfd polled[INTERFACES_MAX + 2] = {
		{.fd = process_pipe(capture->self), .events = POLLIN},
		{.fd = process_descriptor(capture->self, "tap"), .events = POLLIN}};
	enum order order = GO_ON;

	for (size_t i = 0; i < capture->count; i++)
		polled[i + 2] = (struct pollfd){.fd = interface_descriptor(capture->interfaces[i]),
						.events = POLLIN};
	while (order == GO_ON) {
		if (poll(polled, (nfds_t)capture->count + 2, WAIT) < 0 && errno != EINTR)
			return 1;
		capture->now = clock_monotonic();
		if (polled[0].revents)
			order = take_orders(capture->self);
		if (polled[1].revents & POLLIN)
			read_tap(capture, polled[1].fd);
		for (size_t i = 0; i < capture->count; i++) {
			if (read_interface(capture, capture->interfaces[i]) < 0) {
				log_error("an interface is gone: %s",
					  interface_why(capture->interfaces[i]));
				return 1;
			}
		}
		release_due(capture, false);
		every_second(capture);
		spool_flush(capture->spool);
	}
	read_last(capture, polled + 2);
	return order == RENEW ? PROCESS_RENEW : 0;
}

/* --- its life --- */

/* The filter of the configuration, without the owner's own ports. */
static char *make_filter(const struct host_settings *settings)
{
	const struct config_ports *own = &settings->decoy.leave_ports;
	struct writer filter = writer_growing(65536);

	if (settings->capture.filter && settings->capture.filter[0])
		writer_format(&filter, "(%s)", settings->capture.filter);
	for (size_t i = 0; i < own->count; i++) {
		writer_format(&filter, "%snot portrange %u-%u", filter.length ? " and " : "",
			      own->ranges[i].first, own->ranges[i].last);
	}
	/* Inside a VLAN tag the same holds. */
	writer_u8(&filter, 0);
	if (filter.failed) {
		writer_free(&filter);
		return NULL;
	}
	return (char *)filter.at;
}

static int open_interfaces(struct capture_process *capture)
{
	const struct capture_settings *settings = &capture->host->settings.capture;
	char *filter = make_filter(&capture->host->settings), why[INTERFACE_WHY];

	if (!filter)
		return -1;
	for (size_t i = 0; i < settings->interfaces.count && i < INTERFACES_MAX; i++) {
		struct interface_setup setup = {.device = settings->interfaces.items[i],
						.filter = filter[0] ? filter : NULL,
						.buffer = (int)settings->buffer_bytes};

		capture->interfaces[i] = interface_open(&setup, why);
		if (!capture->interfaces[i]) {
			log_error("cannot capture on %s", why);
			free(filter);
			return -1;
		}
		capture->count++;
	}
	free(filter);
	return 0;
}

/* The rules that come with Sundew, for who names none. */
static int load_starter_rules(struct capture_process *capture, struct rule_sources *sources)
{
	const char *share = capture->host->settings.decoy.share;
	struct rule_files *files = &capture->observer.rules;
	char pattern[PATH_LENGTH], classes[PATH_LENGTH];
	glob_t found;
	int result = 0;

	if (snprintf(pattern, sizeof(pattern), "%s/rules/*.rules", share) >= PATH_LENGTH ||
	    snprintf(classes, sizeof(classes), "%s/rules/classification.config", share) >=
		    PATH_LENGTH ||
	    glob(pattern, 0, NULL, &found) != 0)
		return 0; /* there are none */
	if (!sources->classes)
		sources->classes = classes;
	result = rule_files_read_all(files, sources, (const char *const *)found.gl_pathv,
				     found.gl_pathc, NULL);
	if (result == 0)
		log_info("%zu rules of %s/rules", engine_counts(files->engine).loaded, share);
	/* The engine borrows the names of files: they stay for the life of the process. */
	return result;
}

static int load_rules(struct capture_process *capture)
{
	const struct capture_settings *settings = &capture->host->settings.capture;
	struct rule_files *files = &capture->observer.rules;
	struct rule_sources sources = {.cache = settings->rules_cache,
				       .classes = settings->classes,
				       .variables = settings->variables,
				       .changes = settings->rules_changes};
	struct engine_counts counts;

	if (settings->rules.count == 0)
		return load_starter_rules(capture, &sources);
	if (rule_files_read_all(files, &sources, settings->rules.items, settings->rules.count,
				NULL) < 0)
		return -1;
	counts = engine_counts(files->engine);
	log_info("%zu rules, %zu refused (`sundew rules check` says why)", counts.loaded,
		 counts.refused);
	return 0;
}

/* Opens what only root may, and compiles the rules; reads no packet. */
static void *capture_prepare(struct process *self, void *context)
{
	struct capture_process *capture = calloc(1, sizeof(*capture));
	char why[512];

	if (!capture)
		return NULL;
	capture->self = self;
	capture->host = context;
	random_bytes(capture->shown_key, sizeof(capture->shown_key));
	if (open_interfaces(capture) < 0 || load_rules(capture) < 0)
		return NULL;
	if (observer_open_p0f(&capture->observer, capture->host->settings.capture.p0f, why,
			      sizeof(why)) < 0) {
		log_error("%s", why);
		return NULL;
	}
	if (capture->host->sessions && session_table_seal(capture->host->sessions) < 0) {
		log_error("cannot make the table of sessions read-only: %m");
		return NULL;
	}
	return capture;
}

static int open_outputs(struct capture_process *capture)
{
	const struct host_settings *settings = &capture->host->settings;
	struct spool_limits limits = {(uint64_t)settings->spool_segment,
				      (uint64_t)settings->spool_total};
	struct packet_ring_limits ring = {.total_bytes = (uint64_t)settings->capture.ring_bytes};
	struct sensor_setup setup = sensor_setup_default;
	struct tap_setup tap = tap_setup_default;

	capture->spool = spool_open(process_descriptor(capture->self, "spool"), &limits);
	if (settings->capture.ring_bytes)
		capture->ring =
			packet_ring_open(process_descriptor(capture->self, "packets"), &ring);
	if (!capture->spool || (settings->capture.ring_bytes && !capture->ring)) {
		log_error("cannot open the spool or the ring of packets: %m");
		return -1;
	}
	capture->observer.context = capture;
	capture->observer.event = take_event;
	capture->observer.flow_over = end_flow;
	setup.flows.bytes = (size_t)settings->capture.flow_bytes;
	/* What this host sends has its sums made by the card, after we saw it. */
	setup.checksums = false;
	if (observer_open_probes(&capture->observer) < 0)
		return -1;
	setup.listener = observer_listener(&capture->observer);
	if (setup.listener.wants) { /* what alerts tell beyond what rules look at */
		capture->wants = *setup.listener.wants;
		inspection_event_wants(&capture->wants);
		setup.listener.wants = &capture->wants;
	}
	capture->sensor = sensor_new(&setup);
	tap.listener = setup.listener;
	tap.listener.flow_over = NULL; /* its flows are made of sessions */
	capture->tap = tap_new(&tap);
	return capture->sensor && capture->tap ? 0 : -1;
}

static int capture_run(struct process *self, void *context)
{
	struct capture_process *capture = context;
	int status = 1;

	if (open_outputs(capture) == 0) {
		process_started(self);
		status = watch_interfaces(capture);
		capture->counted_at = 0;
		every_second(capture);
		sensor_finish(capture->sensor);
		tap_finish(capture->tap);
		probes_finish(capture->observer.probes);
		release_due(capture, true);
		spool_flush(capture->spool);
	}
	sensor_free(capture->sensor);
	tap_free(capture->tap);
	packet_ring_close(capture->ring);
	spool_close(capture->spool);
	observer_close(&capture->observer);
	for (size_t i = 0; i < capture->count; i++)
		interface_close(capture->interfaces[i]);
	free(capture);
	return status;
}

/* Drains after the decoys, so that their last packets are seen. */
const struct process_role role_capture = {.name = "capture",
					  .stage = 0,
					  .sandbox = &sandbox_capture,
					  .prepare = capture_prepare,
					  .run = capture_run};
