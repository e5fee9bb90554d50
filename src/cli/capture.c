/* sundew capture: what passed by in a capture file, as events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/inspection_event.h"
#include "capture/packet_file.h"
#include "cli/observer.h"
#include "exchange/eve.h"

static const struct command_option capture_options[] = {
	{"read", 'r', "FILE", "Capture file, pcap or pcapng; - is standard input"},
	{"no-checksums", 'k', NULL,
	 "Look at packets with wrong checksums too: hosts that leave them to the network card "
	 "capture their own that way"},
	{"policy", 0, "NAME", "Which bytes count where segments overlap: first, last, bsd, linux"},
	{"flows", 0, "N", "Flows remembered at most (default 65536)"},
	{"memory", 0, "MIB", "Memory that flows may hold (default 256): the idle ones go first"},
	{"rules", 'R', "FILE",
	 "Rules to look with, in Snort's or Suricata's language; several are "
	 "joined by commas"},
	{"variables", 0, "NAME=VALUE;...", "Variables of the rules, like HOME_NET=192.0.2.0/24"},
	{"classes", 0, "FILE", "Classes and their priorities, a classification.config"},
	{"changes", 0, "FILE", "What to change of the rules: disable, enable, threshold, suppress"},
	{"cache", 0, "DIR", "Keep compiled rules in this folder, so that the next start is quick"},
	{"p0f", 0, "FILE",
	 "Signatures of TCP stacks (default: " P0F_DEFAULT ", where it is there)"},
	{"eve", 0, NULL, "Print EVE records, as Suricata writes them, instead of events"},
	{"statistics", 's', NULL, "Print counts at the end, on standard error"},
};

struct capture {
	struct observer observer;
	struct writer out;
	struct ulid_source ids;
	bool broken, as_eve, finishing;
	struct eve eve;
	struct wants wants; /* the rules', and what EVE's records tell */
};

static void print_event(void *context, struct event *event, struct flow *flow)
{
	struct capture *capture = context;
	char id[ULID_LENGTH + 1];

	if (capture->as_eve) {
		if (eve_write(&capture->eve, event, &capture->out) && print_out(&capture->out) < 0)
			capture->broken = true;
		writer_clear(&capture->out);
		return;
	}
	if (!event_has(event, FIELD_EVENT_ID)) {
		ulid_next(&capture->ids, event_number(event, FIELD_TIME), id);
		event_set_words(event, FIELD_EVENT_ID, id);
	}
	event_set_number(event, FIELD_SCHEMA, EVENT_SCHEMA_VERSION);
	event_write(event, &capture->out);
	writer_u8(&capture->out, '\n');
	if (print_out(&capture->out) < 0)
		capture->broken = true;
	writer_clear(&capture->out);
}

/* Only EVE has records of flows. */
static void tell_flow_over(void *context, struct flow *flow)
{
	const struct capture *capture = context;
	struct event event;

	event_clear(&event);
	sensor_event_of_flow(&event, flow, flow->seen);
	event_set_words(&event, FIELD_EVENT_ACTION, "session.close");
	event_set_words(&event, FIELD_EVENT_REASON, capture->finishing ? "shutdown" : "timeout");
	flow_event(&event, flow);
	print_event(context, &event, flow);
}

static enum stream_policy policy_named(const struct invocation *invocation)
{
	static const char *const names[] = {[STREAM_FIRST] = "first",
					    [STREAM_LAST] = "last",
					    [STREAM_BSD] = "bsd",
					    [STREAM_LINUX] = "linux"};
	const char *name = option_value(invocation, "policy");

	if (!name)
		return sensor_setup_default.policy;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum stream_policy)i;
	usage_error(invocation, "--policy is first, last, bsd or linux, not %s", name);
}

static void print_counts(const struct sensor_counts *counts, int64_t took)
{
	double seconds = (double)took / 1e6;

	fprintf(stderr,
		"%llu packets, %llu bytes in %.3f s (%.0f Mbit/s, %.0f packets/s)\n"
		"%llu decoded, %llu fragments, %llu with wrong checksums\n"
		"%llu flows (%llu shed), %llu streams, %llu gaps, %llu transactions\n",
		(unsigned long long)counts->packets, (unsigned long long)counts->bytes, seconds,
		(double)counts->bytes * 8 / 1e6 / seconds, (double)counts->packets / seconds,
		(unsigned long long)counts->decoded, (unsigned long long)counts->fragments,
		(unsigned long long)counts->wrong_sums, (unsigned long long)counts->flows,
		(unsigned long long)counts->flows_shed, (unsigned long long)counts->streams,
		(unsigned long long)counts->gaps, (unsigned long long)counts->transactions);
}

static void print_engine(const struct engine *engine)
{
	struct engine_counts counts = engine_counts(engine);

	fprintf(stderr,
		"%zu rules, %zu always looked at; %zu contents in %zu databases of %zu bytes\n"
		"%llu inspections, %llu candidates, %llu alerts, %llu held back\n",
		counts.loaded, counts.always, counts.patterns, counts.databases, counts.bytes,
		(unsigned long long)counts.inspections, (unsigned long long)counts.candidates,
		(unsigned long long)counts.alerts, (unsigned long long)counts.shed);
}

static void tell_left_out(struct capture *capture)
{
	eve_tell_left_out(&capture->eve, &capture->out);
	if (capture->out.length)
		fprintf(stderr, "sundew: %.*s", (int)capture->out.length,
			(const char *)capture->out.at);
	writer_clear(&capture->out);
}

/* Reads to the end; -1 when the file is broken from some point on (said, and what came before it
 * stands). */
static int read_all(struct packet_file *file, struct sensor *sensor, const char *path,
		    struct capture *capture)
{
	enum link_type link = packet_file_link(file);
	struct slice frame;
	uint32_t wire_length;
	int64_t time;
	int got;

	while (!capture->broken &&
	       (got = packet_file_next(file, &frame, &wire_length, &time)) == 1) {
		capture->observer.packets++;
		sensor_packet(sensor, link, frame, wire_length, time);
		probes_tick(capture->observer.probes, time);
	}
	if (!capture->broken && got < 0) {
		fprintf(stderr, "sundew: %s: %s; what came before it was read\n", path,
			packet_file_why(file));
		return -1;
	}
	return 0;
}

static int capture_run(const struct invocation *invocation)
{
	struct sensor_setup setup = sensor_setup_default;
	const char *path = option_value(invocation, "read");
	struct capture capture = {.out = writer_growing(EVENT_LINE_MAX + 1)};
	char why[PACKET_FILE_WHY], problem[512];
	struct packet_file *file;
	struct sensor *sensor;
	int64_t started;
	int result;

	if (!path)
		usage_error(invocation, "which file? -r FILE");
	setup.checksums = !option_given(invocation, "no-checksums");
	setup.policy = policy_named(invocation);
	setup.flows.flows =
		(size_t)option_number(invocation, "flows", FLOWS_MAX_DEFAULT, 16, 16 * 1024 * 1024);
	setup.flows.bytes =
		(size_t)option_number(invocation, "memory", FLOWS_BYTES_DEFAULT >> 20, 1, 65536)
		<< 20;
	file = packet_file_open(path, why);
	if (!file) {
		fprintf(stderr, "sundew: cannot read %s: %s\n", path, why);
		return EXIT_TROUBLE;
	}
	if (observer_open_p0f(&capture.observer, option_value(invocation, "p0f"), problem,
			      sizeof(problem)) < 0)
		fatal("%s", problem);
	if (option_given(invocation, "rules"))
		rule_files_open(&capture.observer.rules, invocation);
	capture.observer.context = &capture;
	capture.observer.event = print_event;
	if (observer_open_probes(&capture.observer) < 0)
		fatal("out of memory");
	setup.listener = observer_listener(&capture.observer);
	capture.as_eve = option_given(invocation, "eve");
	if (capture.as_eve) {
		if (setup.listener.wants)
			capture.wants = *setup.listener.wants;
		inspection_event_wants(&capture.wants);
		setup.listener.wants = &capture.wants;
		capture.observer.flow_over = tell_flow_over;
	}
	sensor = sensor_new(&setup);
	if (!sensor)
		fatal("out of memory for %zu flows", setup.flows.flows);
	started = clock_monotonic();
	result = read_all(file, sensor, path, &capture);
	capture.finishing = true;
	sensor_finish(sensor);
	probes_finish(capture.observer.probes);
	tell_left_out(&capture);
	if (option_given(invocation, "statistics")) {
		struct sensor_counts counts = sensor_counts(sensor);

		print_counts(&counts, clock_monotonic() - started);
		if (capture.observer.rules.engine)
			print_engine(capture.observer.rules.engine);
	}
	sensor_free(sensor);
	observer_close(&capture.observer);
	packet_file_close(file);
	writer_free(&capture.out);
	return result < 0 || capture.broken ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_capture = {
	.name = "capture",
	.summary = "Tell what a capture file holds",
	.details = "Reads packets from a file and prints what the network sensor makes of them as "
		   "events, one line of JSON each: fingerprints of clients, alerts of rules. With "
		   "--eve they are records as Suricata's eve.json holds them, with one more for "
		   "each flow; what has no such record is counted on standard error.",
	.options = capture_options,
	.option_count = ARRAY_COUNT(capture_options),
	.run = capture_run,
};
