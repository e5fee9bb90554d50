/* sundew packets: the packets of a session, cut out of the ring that the capture keeps. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/packet_ring_cut.h"
#include "cli/folders.h"
#include "cli/query_options.h"

#define MARGIN_STANDARD (10 * SECOND)
#define OPEN_LONGEST    HOUR /* after its last event an open session is looked for no longer */

static const struct command_option packets_options[] = {
	{"output", 'o', "FILE", "Write there instead of on standard output"},
	{"margin", 0, "TIME",
	 "Look so long before and after the session's events too (default 10s)"},
	OPTION_DATA,
	OPTION_CONFIG,
};

/* A session as far as packets are concerned. */
struct wanted {
	const char *id;
	struct packet_cut cut;
	bool known, has_ends;
	char sensor[256];
};

/* --- the session --- */

static bool note_session(void *context, const struct query_session *session)
{
	struct wanted *wanted = context;
	int64_t now = clock_wall();

	wanted->known = true;
	wanted->cut.from = session->first;
	wanted->cut.until = session->last;
	if (session->last < session->first + session->duration)
		wanted->cut.until = session->first + session->duration;
	if (!session->closed)
		wanted->cut.until =
			session->last + OPEN_LONGEST < now ? session->last + OPEN_LONGEST : now;
	snprintf(wanted->sensor, sizeof(wanted->sensor), "%.*s", (int)session->sensor.length,
		 (const char *)session->sensor.at);
	return false;
}

static uint8_t protocol_of(struct slice transport)
{
	return slice_is(transport, "udp")    ? IPPROTO_UDP
	       : slice_is(transport, "icmp") ? IPPROTO_ICMP
					     : IPPROTO_TCP;
}

/* The first event that has both ends; only its decoy's address may be missing. */
static bool note_ends(void *context, const struct query_event *row)
{
	struct wanted *wanted = context;
	struct arena arena = arena_of((size_t)1 << 20);
	struct event event;
	const char *why;

	if (event_read(&event, row->json, &arena, &why) == 0) {
		const struct address *source = event_address(&event, FIELD_SOURCE_IP);
		const struct address *destination = event_address(&event, FIELD_DESTINATION_IP);
		uint8_t protocol = protocol_of(event_text(&event, FIELD_NETWORK_TRANSPORT));

		if (source &&
		    (protocol == IPPROTO_ICMP || (event_has(&event, FIELD_SOURCE_PORT) &&
						  event_has(&event, FIELD_DESTINATION_PORT)))) {
			wanted->has_ends = true;
			wanted->cut.protocol = protocol;
			wanted->cut.client.address = *source;
			wanted->cut.client.port = (uint16_t)event_number(&event, FIELD_SOURCE_PORT);
			wanted->cut.server.port =
				(uint16_t)event_number(&event, FIELD_DESTINATION_PORT);
			if (destination)
				wanted->cut.server.address = *destination;
		}
	}
	arena_drop(&arena);
	return !wanted->has_ends;
}

static int find_session(const struct folders *folders, struct wanted *wanted)
{
	struct store *store = host_store(folders);
	struct query_filter filter = query_filter_any();
	struct query_page page;
	int result;

	if (!store)
		return -1;
	filter.session = slice_text(wanted->id);
	filter.oldest_first = true;
	filter.limit = 1000;
	result = query_sessions(store, &filter, note_session, wanted, &page);
	if (result == 0)
		result = query_events(store, &filter, note_ends, wanted, &page);
	if (result < 0) {
		log_error("%s", store_problem(store));
	} else if (!wanted->known) {
		log_error("there is no session %s: `sundew sessions` lists them", wanted->id);
		result = -1;
	} else if (!wanted->has_ends) {
		log_error("no event of session %s tells both its ports, by which packets are found",
			  wanted->id);
		result = -1;
	}
	store_close(store);
	return result;
}

/* --- the ring --- */

static int open_ring(const struct folders *folders)
{
	char path[PATH_LENGTH];
	int folder;

	folders_path(folders, "packets", path);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT)
		log_error("there is no packet ring: %s is where the capture keeps one when it runs",
			  path);
	else if (folder < 0)
		log_error("cannot open the packet ring %s: %m", path);
	return folder;
}

static void tell_nothing(const struct wanted *wanted, const struct packet_cut_counts *counts)
{
	char since[20], from[20], until[20];

	short_time(wanted->cut.from, from);
	short_time(wanted->cut.until, until);
	if (counts->since == 0) {
		log_error("the packet ring is empty");
		return;
	}
	short_time(counts->since, since);
	if (wanted->cut.until + wanted->cut.margin < counts->since)
		log_error("nothing is left of session %s (until %s UTC): the packet ring reaches "
			  "back to %s UTC",
			  wanted->id, until, since);
	else
		log_error("the packet ring, which reaches back to %s UTC, has no packet of "
			  "session %s (%s to %s UTC, sensor '%s'): did another sensor see it, or "
			  "does the capture leave it out?",
			  since, wanted->id, from, until, wanted->sensor);
}

static void tell_counts(const struct wanted *wanted, const struct packet_cut_counts *counts)
{
	char client[ADDRESS_TEXT_MAX], server[ADDRESS_TEXT_MAX], since[20];

	address_text(&wanted->cut.client.address, client);
	address_text(&wanted->cut.server.address, server);
	fprintf(stderr,
		"%llu packets, %llu bytes of %s port %u -> %s port %u in %.3f s; %llu files "
		"read, %llu of other times passed over\n",
		(unsigned long long)counts->packets, (unsigned long long)counts->bytes, client,
		wanted->cut.client.port, server[0] ? server : "any", wanted->cut.server.port,
		(double)(counts->last - counts->first) / 1e6, (unsigned long long)counts->read,
		(unsigned long long)counts->skipped);
	if (counts->several_links)
		fprintf(stderr, "They came over several kinds of link: they are written without "
				"link headers\n");
	if (counts->broken)
		log_warning("%llu files are broken; what stands before the break was used",
			    (unsigned long long)counts->broken);
	if (counts->left_out || counts->gone)
		log_warning("%llu packets were left out, and %llu files were removed meanwhile",
			    (unsigned long long)counts->left_out, (unsigned long long)counts->gone);
	if (counts->since > wanted->cut.from) {
		short_time(counts->since, since);
		log_warning("the beginning is missing: the packet ring reaches back to %s UTC",
			    since);
	}
}

/* --- the output --- */

/* What stands in FILE stays until the packets are there. */
struct output {
	const char *path; /* NULL: standard output */
	char beside[PATH_LENGTH];
	bool renames;
	int file;
};

static int open_output(struct output *output)
{
	struct stat about;

	output->file = STDOUT_FILENO;
	if (!output->path)
		return 0;
	output->renames = stat(output->path, &about) < 0 || S_ISREG(about.st_mode);
	if (!output->renames) {
		output->file = open(output->path, O_WRONLY | O_CLOEXEC);
	} else if (snprintf(output->beside, PATH_LENGTH, "%s.XXXXXX", output->path) >=
		   PATH_LENGTH) {
		errno = ENAMETOOLONG;
		output->file = -1;
	} else {
		output->file = mkostemp(output->beside, O_CLOEXEC);
	}
	if (output->file < 0)
		log_error("cannot write %s: %m", output->path);
	return output->file < 0 ? -1 : 0;
}

static int close_output(struct output *output, bool good)
{
	int result = 0;

	if (!output->path)
		return 0;
	if (close(output->file) < 0 ||
	    (good && output->renames && rename(output->beside, output->path) < 0)) {
		log_error("cannot write %s: %m", output->path);
		good = false;
		result = -1;
	}
	if (!good && output->renames)
		unlink(output->beside);
	return result;
}

static int cut_session(const struct wanted *wanted, int ring, struct output *output)
{
	struct packet_cut_counts counts;
	char why[PACKET_CUT_WHY];
	bool good = false;

	if (open_output(output) < 0)
		return -1;
	if (packet_ring_cut(ring, &wanted->cut, output->file, &counts, why) < 0)
		log_error("%s", why);
	else if (counts.packets == 0)
		tell_nothing(wanted, &counts);
	else
		good = true;
	if (close_output(output, good) < 0 || !good)
		return -1;
	tell_counts(wanted, &counts);
	return 0;
}

static int packets(const struct invocation *invocation)
{
	struct wanted wanted = {.id = invocation->words[0]};
	struct output output = {.path = option_value(invocation, "output")};
	const char *margin = option_value(invocation, "margin");
	struct folders folders;
	int ring, result;

	wanted.cut.margin = MARGIN_STANDARD;
	if (margin && (clock_parse_duration(slice_text(margin), &wanted.cut.margin) < 0 ||
		       wanted.cut.margin < 0))
		usage_error(invocation, "--margin %s: a length of time like 10s or 5m", margin);
	if (output.path && strcmp(output.path, "-") == 0)
		output.path = NULL;
	if (!output.path && isatty(STDOUT_FILENO))
		usage_error(invocation, "packets are not for a terminal: -o FILE, or lead the "
					"output elsewhere");
	folders_find(invocation, &folders);
	if (find_session(&folders, &wanted) < 0)
		return EXIT_TROUBLE;
	ring = open_ring(&folders);
	if (ring < 0)
		return EXIT_TROUBLE;
	result = cut_session(&wanted, ring, &output);
	close(ring);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_packets = {
	.name = "packets",
	.summary = "Write the packets of a session as a capture file",
	.arguments = "SESSION",
	.details = "SESSION is an id that `sundew sessions` lists. The capture keeps the packets "
		   "of late in a ring in\n"
		   "the folder packets; both directions of the session are cut out of it, with "
		   "fragments and the\n"
		   "errors that answered them, as one pcap file in order of time.",
	.options = packets_options,
	.option_count = ARRAY_COUNT(packets_options),
	.words_min = 1,
	.words_max = 1,
	.run = packets,
};
