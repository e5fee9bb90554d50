/* Damaged conversations at every reader of an application protocol.
 *
 *     reader_fuzz MUTATIONS CAPTURE...
 *
 * Seeds are the conversations in the captures. An input is: the reader's number, a byte for the
 * transport, then segments of a direction byte (bit 7: bytes are lost before it), two bytes of
 * length and the bytes. What is fed is a copy of just its size, and all that readers hand out is
 * read, so that a sanitizer sees what is not there. With -DLIBFUZZER it is a libFuzzer target.
 *
 * FUZZ_SEED, a number, gives other mutations; FUZZ_CORPUS, a folder, keeps the conversations as
 * inputs for libFuzzer to begin with.
 */
#include "fuzz_input.h"

#include "capture/application.h"
#include "capture/packet_file.h"

#define INPUT_MAX    65536
#define SEGMENTS_MAX 400
#define FLOWS_MAX    32 /* of one capture */
#define SCRATCH_MAX  (4u << 20)

struct heard {
	struct application_context context; /* first: what callbacks are handed */
	unsigned long inspections, events;
	uint64_t sum; /* of all bytes handed out */
	enum application_id becomes;
};

static void inspect(struct application_context *context, enum direction direction,
		    uint64_t transaction, const struct findings *findings)
{
	struct heard *heard = (struct heard *)context;

	heard->inspections++;
	for (size_t i = 0; i < findings->buffer_count; i++) {
		struct slice bytes = findings->buffers[i].bytes;

		if (!bytes.at || findings->buffers[i].id >= BUFFER_COUNT)
			abort();
		for (size_t b = 0; b < bytes.length; b++)
			heard->sum += bytes.at[b];
	}
	for (size_t i = 0; i < findings->fact_count; i++)
		if (findings->facts[i].id >= FACT_COUNT)
			abort();
	for (size_t i = 0; i < findings->anomaly_count; i++)
		heard->sum += strlen(findings->anomalies[i]);
}

static void tell(struct application_context *context, struct event *event)
{
	((struct heard *)context)->events++;
}

static void become(struct application_context *context, enum application_id application)
{
	((struct heard *)context)->becomes = application;
}

static void feed(const struct application *reader, void *state, struct heard *heard,
		 enum direction direction, struct writer *pending, bool last)
{
	uint8_t *copy = malloc(pending->length ? pending->length : 1);
	size_t used;

	if (!copy)
		abort();
	if (pending->length)
		memcpy(copy, pending->at, pending->length);
	used = reader->input(state, &heard->context, direction, slice_of(copy, pending->length),
			     last);
	if (used > pending->length)
		abort();
	free(copy);
	arena_drop(heard->context.scratch);
	if (heard->context.packet->transport == TRANSPORT_UDP)
		used = pending->length;
	writer_consume(pending, used);
}

static size_t reader_count(void)
{
	size_t count = 0;

	while (applications[count])
		count++;
	return count;
}

static void play(struct slice input, struct heard *heard)
{
	struct cursor c = cursor_of(input);
	const struct application *reader = applications[cursor_u8(&c) % reader_count()];
	bool datagrams = (cursor_u8(&c) & 1) && reader->transports[0] == TRANSPORT_UDP;
	static const struct wants all = {.buffers = {[0 ... ARRAY_COUNT(all.buffers) - 1] = ~0ull}};
	struct arena scratch = arena_of(SCRATCH_MAX);
	struct packet packet = {.transport = datagrams ? TRANSPORT_UDP : TRANSPORT_TCP};
	struct writer pending[2] = {writer_growing(APPLICATION_PENDING_MAX),
				    writer_growing(APPLICATION_PENDING_MAX)};
	void *state = calloc(1, reader->state_size + 1);

	if (!state)
		abort();
	heard->becomes = APPLICATION_NONE;
	heard->context = (struct application_context){.wants = &all,
						      .scratch = &scratch,
						      .packet = &packet,
						      .time = 1700000000000000,
						      .source_port = 40000,
						      .destination_port = 53,
						      .inspect = inspect,
						      .tell = tell,
						      .become = become};
	for (unsigned i = 0; c.left && i < SEGMENTS_MAX && !heard->becomes; i++) {
		uint8_t flags = cursor_u8(&c);
		enum direction direction = flags & 1 ? TO_CLIENT : TO_SERVER;
		size_t length = cursor_u16be(&c);
		struct slice bytes = cursor_take(&c, length < c.left ? length : c.left);

		for (size_t r = 0; applications[r]; r++)
			heard->sum +=
				applications[r]->recognise(bytes, direction, flags & 2 ? 25 : 53);
		if (flags & 0x80 && !datagrams) {
			if (!reader->gap)
				break;
			writer_clear(&pending[direction]);
			reader->gap(state, &heard->context, direction, bytes.length);
			arena_drop(&scratch);
			continue;
		}
		writer_bytes(&pending[direction], bytes);
		if (pending[direction].failed)
			break;
		feed(reader, state, heard, direction, &pending[direction], false);
	}
	for (unsigned i = 0; i < 2 && !datagrams && !heard->becomes; i++)
		feed(reader, state, heard, (enum direction)i, &pending[i], true);
	if (reader->finish && !heard->becomes)
		reader->finish(state, &heard->context);
	arena_drop(&scratch);
	if (reader->drop)
		reader->drop(state);
	free(state);
	writer_free(&pending[0]);
	writer_free(&pending[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard heard = {.becomes = APPLICATION_NONE};

	play(slice_of(data, size), &heard);
	return 0;
}

#ifndef LIBFUZZER
static uint64_t next(uint64_t *draws)
{
	*draws = *draws * 6364136223846793005u + 1442695040888963407u;
	return *draws >> 33;
}

/* Changed, set to lengths that parsers get wrong, cut, doubled; segments lost. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *draws)
{
	static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, '\r', '\n', ' '};

	for (uint64_t i = 0, count = 1 + next(draws) % 8; i < count && length > 2; i++) {
		size_t at = 2 + next(draws) % (length - 2), size;

		switch (next(draws) % 6) {
		case 0:
			bytes[at] ^= (uint8_t)(1 << next(draws) % 8);
			break;
		case 1:
		case 2:
			bytes[at] = values[next(draws) % sizeof(values)];
			break;
		case 3:
			length = at + 1;
			break;
		case 4: /* a segment lost */
			at = 2;
			for (uint64_t n = next(draws) % 8; n && at + 3 < length; n--) {
				size = 3 + ((size_t)bytes[at + 1] << 8 | bytes[at + 2]);
				at += at + size < length ? size : 0;
			}
			bytes[at] ^= 0x80;
			break;
		default:
			size = next(draws) % 64;
			if (at + size < length && length + size <= INPUT_MAX) {
				memmove(bytes + at + size, bytes + at, length - at);
				length += size;
			}
		}
	}
	return length;
}

/* One conversation of a capture as an input. */
struct conversation {
	struct address client;
	uint16_t client_port, server_port;
	enum packet_transport transport;
	struct writer bytes;
	const struct application *reader;
};

static void add_segment(struct conversation *talk, const struct packet *packet)
{
	bool back = packet->source_port != talk->client_port ||
		    memcmp(&packet->source, &talk->client, sizeof(talk->client)) != 0;
	struct slice bytes = packet->payload;

	if (talk->bytes.length + bytes.length + 3 > INPUT_MAX / 2)
		return;
	for (size_t i = 0; !talk->reader && applications[i]; i++)
		if ((applications[i]->transports[0] == packet->transport ||
		     applications[i]->transports[1] == packet->transport) &&
		    applications[i]->recognise(bytes, back ? TO_CLIENT : TO_SERVER,
					       talk->server_port) == RECOGNISED_YES) {
			talk->reader = applications[i];
			talk->bytes.at[0] = (uint8_t)i;
		}
	writer_u8(&talk->bytes, back);
	writer_u16be(&talk->bytes, (uint16_t)bytes.length);
	writer_bytes(&talk->bytes, bytes);
}

static size_t read_conversations(const char *path, struct conversation *talks)
{
	char why[PACKET_FILE_WHY];
	struct packet_file *file = packet_file_open(path, why);
	uint32_t wire_length;
	struct slice frame;
	size_t count = 0;
	int64_t time;

	while (file && packet_file_next(file, &frame, &wire_length, &time) == 1) {
		struct packet packet;
		size_t i = 0;

		if (packet_decode(&packet, packet_file_link(file), frame, wire_length, time,
				  false) < 0 ||
		    !packet.payload.length || packet.payload.length > 65535)
			continue;
		while (i < count && (talks[i].transport != packet.transport ||
				     !((talks[i].client_port == packet.source_port &&
					talks[i].server_port == packet.destination_port) ||
				       (talks[i].client_port == packet.destination_port &&
					talks[i].server_port == packet.source_port))))
			i++;
		if (i == FLOWS_MAX)
			continue;
		if (i == count) {
			count++;
			talks[i] = (struct conversation){.client = packet.source,
							 .client_port = packet.source_port,
							 .server_port = packet.destination_port,
							 .transport = packet.transport,
							 .bytes = writer_growing(INPUT_MAX)};
			writer_u8(&talks[i].bytes, 0);
			writer_u8(&talks[i].bytes, packet.transport == TRANSPORT_UDP);
		}
		add_segment(&talks[i], &packet);
	}
	packet_file_close(file);
	return count;
}

int main(int argc, char **argv)
{
	struct conversation *talks = calloc(FLOWS_MAX, sizeof(*talks));
	uint8_t *room = malloc(2 * INPUT_MAX);
	unsigned long mutations = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, inputs = 0;
	struct heard heard = {.becomes = APPLICATION_NONE};
	uint64_t draws = fuzz_seed(1);

	if (!talks || !room || argc < 3)
		fatal("usage: reader_fuzz MUTATIONS CAPTURE...");
	for (int i = 2; i < argc; i++) {
		size_t count = read_conversations(argv[i], talks);

		for (size_t t = 0; t < count; t++) {
			struct slice seed = writer_slice(&talks[t].bytes);

			for (unsigned long m = 0; talks[t].reader && m <= mutations;
			     m++, inputs++) {
				size_t length = seed.length;

				memcpy(room, seed.at, length);
				if (!m)
					fuzz_keep(seed, "talk", inputs);
				if (m)
					length = mutate(room, length, &draws);
				/* Sometimes another reader than the one that it is for. */
				if (m % 16 == 15)
					room[0] = (uint8_t)next(&draws);
				play(slice_of(room, length), &heard);
			}
			writer_free(&talks[t].bytes);
		}
	}
	printf("%lu inputs, %lu inspections, %lu events\n", inputs, heard.inspections,
	       heard.events);
	free(room);
	free(talks);
	return heard.inspections ? 0 : 1;
}
#endif
