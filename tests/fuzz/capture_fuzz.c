/* Damaged packets at everything that reads packets: decoder, fragments, flows, reassembly, readers,
 * rules, fingerprints, probes.
 *
 *     capture_fuzz ROUNDS RULES[,RULES...] CAPTURE...
 *
 * A round plays a capture once, its packets changed, left out, doubled, cut, moved in time or put
 * in another order, at a sensor with small limits, so that these are reached too. Each frame is a
 * copy of just its size. Events are written out, as a user would see them.
 */
#include "fuzz_input.h"

#include "capture/packet_file.h"
#include "cli/observer.h"

#define FRAMES_MAX 4000 /* of one capture */

struct frame {
	struct slice bytes;
	enum link_type link;
	uint32_t wire_length;
	int64_t time;
};

struct fuzz {
	struct observer observer;
	struct writer line;
	uint64_t events, alerts, packets, draws;
};

static uint64_t draw(struct fuzz *fuzz, uint64_t below)
{
	fuzz->draws = fuzz->draws * 6364136223846793005u + 1442695040888963407u;
	return below ? (fuzz->draws >> 33) % below : 0;
}

static void take(void *context, struct event *event, struct flow *flow)
{
	struct fuzz *fuzz = context;

	fuzz->events++;
	fuzz->alerts += slice_is(event_text(event, FIELD_EVENT_ACTION), "rule.alert");
	writer_clear(&fuzz->line);
	event_write(event, &fuzz->line);
}

static size_t read_frames(const char *path, struct frame *frames)
{
	char why[PACKET_FILE_WHY];
	struct packet_file *file = packet_file_open(path, why);
	struct slice bytes;
	size_t count = 0;

	if (!file)
		fatal("cannot read %s: %s", path, why);
	while (count < FRAMES_MAX) {
		struct frame *frame = &frames[count];
		uint8_t *copy;

		if (packet_file_next(file, &bytes, &frame->wire_length, &frame->time) != 1)
			break;
		copy = malloc(bytes.length + !bytes.length);
		if (!copy)
			fatal("out of memory");
		memcpy(copy, bytes.at, bytes.length);
		frame->bytes = slice_of(copy, bytes.length);
		frame->link = packet_file_link(file);
		count++;
	}
	packet_file_close(file);
	return count;
}

/* Bytes of headers are hit more often than those of payloads. */
static void damage(struct fuzz *fuzz, uint8_t *bytes, size_t length)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x40, 0x45, 0x60};
	uint64_t times = 1 + draw(fuzz, 6);

	while (length && times--) {
		size_t within = draw(fuzz, 3) ? (length < 74 ? length : 74) : length;
		size_t at = draw(fuzz, within);

		switch (draw(fuzz, 4)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << draw(fuzz, 8));
			break;
		case 1:
			bytes[at] = values[draw(fuzz, ARRAY_COUNT(values))];
			break;
		case 2:
			bytes[at] = (uint8_t)draw(fuzz, 256);
			break;
		default: /* another place's bytes */
			bytes[at] = bytes[draw(fuzz, length)];
		}
	}
}

static void send_frame(struct fuzz *fuzz, struct sensor *sensor, const struct frame *frame,
		       bool damaged)
{
	size_t length = frame->bytes.length;
	int64_t time = frame->time;
	enum link_type link = frame->link;
	uint8_t *copy;

	if (damaged && draw(fuzz, 8) == 0)
		length = draw(fuzz, length + 1);
	copy = malloc(length + !length);
	if (!copy)
		fatal("out of memory");
	memcpy(copy, frame->bytes.at, length);
	if (damaged && draw(fuzz, 4))
		damage(fuzz, copy, length);
	if (damaged && draw(fuzz, 64) == 0)
		time += (int64_t)draw(fuzz, 1u << 31) - (1 << 30);
	if (damaged && draw(fuzz, 64) == 0)
		link = draw(fuzz, 2) ? LINK_RAW : LINK_ETHERNET;
	fuzz->observer.packets = ++fuzz->packets;
	sensor_packet(sensor, link, slice_of(copy, length), frame->wire_length, time);
	probes_tick(fuzz->observer.probes, time);
	free(copy);
}

static void play(struct fuzz *fuzz, const struct frame *frames, size_t count, unsigned long round)
{
	struct sensor_setup setup = sensor_setup_default;
	struct sensor *sensor;

	setup.checksums = false;
	setup.policy = (enum stream_policy)(round % 4);
	setup.flows.flows = 16 + draw(fuzz, 64);
	setup.flows.bytes = 256 * 1024;
	setup.listener = observer_listener(&fuzz->observer);
	sensor = sensor_new(&setup);
	if (!sensor)
		fatal("out of memory");
	for (size_t i = 0; i < count; i++) {
		bool damaged = round > 0 && draw(fuzz, 3) == 0;
		const struct frame *frame = &frames[i];

		if (round && draw(fuzz, 16) == 0) /* another one instead */
			frame = &frames[draw(fuzz, count)];
		if (round && draw(fuzz, 32) == 0)
			continue;
		send_frame(fuzz, sensor, frame, damaged);
		if (round && draw(fuzz, 16) == 0)
			send_frame(fuzz, sensor, frame, true);
	}
	sensor_finish(sensor);
	probes_finish(fuzz->observer.probes);
	sensor_free(sensor);
}

static void load_rules(struct fuzz *fuzz, char *list)
{
	const char *paths[RULE_FILES_MAX];
	struct rule_sources none = {.cache = NULL};
	size_t count = 0;

	for (char *path = strtok(list, ","); path && count < RULE_FILES_MAX;
	     path = strtok(NULL, ","))
		paths[count++] = path;
	if (rule_files_read_all(&fuzz->observer.rules, &none, paths, count, NULL) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct frame *frames = calloc(FRAMES_MAX, sizeof(*frames));
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
	unsigned long rounds;
	char why[512];

	if (!frames || !fuzz || argc < 4)
		fatal("usage: capture_fuzz ROUNDS RULES[,RULES...] CAPTURE...");
	rounds = strtoul(argv[1], NULL, 10);
	fuzz->draws = fuzz_seed(1);
	fuzz->line = writer_growing(EVENT_LINE_MAX + 1);
	fuzz->observer.context = fuzz;
	fuzz->observer.event = take;
	load_rules(fuzz, argv[2]);
	if (observer_open_p0f(&fuzz->observer, NULL, why, sizeof(why)) < 0 ||
	    observer_open_probes(&fuzz->observer) < 0)
		fatal("cannot open signatures or probes");
	for (int i = 3; i < argc; i++) {
		size_t count = read_frames(argv[i], frames);

		for (unsigned long round = 0; round <= rounds; round++)
			play(fuzz, frames, count, round);
		for (size_t k = 0; k < count; k++)
			free((void *)(uintptr_t)frames[k].bytes.at);
	}
	printf("%llu packets, %llu events, %llu alerts\n", (unsigned long long)fuzz->packets,
	       (unsigned long long)fuzz->events, (unsigned long long)fuzz->alerts);
	observer_close(&fuzz->observer);
	writer_free(&fuzz->line);
	free(frames);
	argc = fuzz->events ? 0 : 1;
	free(fuzz);
	return argc;
}
