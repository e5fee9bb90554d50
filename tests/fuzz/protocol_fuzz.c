/* One target for every protocol: client bytes in, in pieces, on a stage without the world.
 *
 * The first byte of the input says how it is cut; the rest is what the client sends. With libFuzzer
 * (clang -fsanitize=fuzzer) FUZZ_PROTOCOL names the protocol. Built without it, the program replays
 * files and a number of mutations of each:
 *
 *     protocol_fuzz PROTOCOL MUTATIONS FILE...
 *
 * FUZZ_SEED, a number, gives other mutations.
 */
#include "fuzz_input.h"

#include "decoy/host_keys.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define INPUT_MAX 65536
#define DELAYS    16 /* that pass after the last byte */

static void swallow(struct stage *stage, const struct event *event)
{
	struct writer line = writer_growing(EVENT_LINE_MAX);

	event_write(event, &line);
	if (line.failed || slice_find_byte(writer_slice(&line), '\n') != SIZE_MAX)
		abort();
	writer_free(&line);
}

static void drain(struct stage *stage, struct session *session)
{
	struct slice out;

	while ((out = session_output(session)).length)
		session_sent(session, out.length);
	while ((out = session_channel_output(session)).length)
		session_channel_sent(session, out.length);
	if (session_channel_is_over(session))
		session_channel_ended(session);
	if (stage->channel_wanted) {
		stage->channel_wanted = false;
		session_channel_accepted(session);
	}
}

/* Made once: a key of RSA takes as long as thousands of plays. */
static const struct host_keys *host_keys(void)
{
	static struct host_keys *keys;
	struct writer pem = writer_growing(65536);
	const char *why;

	if (!keys && host_keys_make(2048, &pem) == 0)
		keys = host_keys_parse(writer_slice(&pem), &why);
	writer_free(&pem);
	return keys;
}

static void play(const struct protocol *protocol, struct slice input, const char *share)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {3};
	struct persona *persona = persona_plain(secret, 1790000000 * SECOND);
	struct config *config = config_parse(SLICE(""), "fuzz");
	size_t step = input.length ? input.at[0] % 64 + 1 : 1;
	struct stage stage;
	struct session *session;
	char *why = NULL;
	bool reset;

	stage_open(&stage, protocol, persona);
	stage.seed = 5;
	stage.on_event = swallow;
	if (slice_is(slice_text(protocol->name), "ssh")) {
		setenv("SUNDEW_SSH_CLEAR", "1", 1); /* gets behind the key exchange, see server.c */
		stage.trap.host_keys = host_keys();
	}
	stage.trap.policy = access_policy_take(
		config, NULL, step % 2 || step == 64 ? ACCESS_ALWAYS : ACCESS_NEVER);
	if (stage_prepare(&stage, share, &why) < 0 || stage_machine(&stage, share, NULL, &why) < 0)
		free(why);
	session = stage_session(&stage,
				step % 3 == 0 && protocol->ports[0].transport == UDP ? UDP : TCP);
	input = slice_from(input, 1);
	while (session && input.length && !session_is_over(session, &reset)) {
		struct slice piece = slice_first(input, step == 64 ? input.length : step);

		session_feed(session, piece);
		drain(&stage, session);
		stage.monotonic += session_held_until(session) ? 5 * SECOND : MILLISECOND;
		if (stage.monotonic >= session_deadline(session))
			session_tick(session);
		drain(&stage, session);
		input = slice_from(input, piece.length);
	}
	for (int i = 0; session && i < DELAYS && session_held_until(session); i++) {
		stage.monotonic += 5 * SECOND;
		session_tick(session);
		drain(&stage, session);
	}
	session_end(session, "end");
	access_policy_free((void *)(uintptr_t)stage.trap.policy);
	stage_close(&stage);
	config_free(config);
	persona_free(persona);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = getenv("FUZZ_PROTOCOL");
	const struct protocol *protocol = name ? protocol_named(slice_text(name)) : NULL;

	if (!protocol)
		fatal("FUZZ_PROTOCOL must name a protocol");
	play(protocol, slice_of(data, size), "share");
	return 0;
}

#ifndef LIBFUZZER
static uint64_t next(uint64_t *draws)
{
	*draws = *draws * 6364136223846793005u + 1442695040888963407u;
	return *draws >> 33;
}

/* Flips, doubles, cuts and overwrites with the lengths that parsers get wrong. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *draws)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, '\r', '\n', '\\', '"', '%'};

	for (uint64_t i = 0, count = 1 + next(draws) % 6; i < count && length; i++) {
		size_t at = next(draws) % length;

		switch (next(draws) % 4) {
		case 0:
			bytes[at] ^= (uint8_t)(1 << next(draws) % 8);
			break;
		case 1:
			bytes[at] = values[next(draws) % sizeof(values)];
			break;
		case 2:
			length = at + 1;
			break;
		default:
			if (length + (length - at) <= INPUT_MAX) {
				memcpy(bytes + length, bytes + at, length - at);
				length += length - at;
			}
		}
	}
	return length;
}

int main(int argc, char **argv)
{
	const char *share = getenv("SUNDEW_SHARE") ? getenv("SUNDEW_SHARE") : "share";
	const struct protocol *protocol = argc > 3 ? protocol_named(slice_text(argv[1])) : NULL;
	uint8_t *seed = malloc(INPUT_MAX), *bytes = malloc(INPUT_MAX);
	unsigned long played = 0, mutations = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t draws = fuzz_seed(1);

	if (!protocol || !seed || !bytes)
		fatal("usage: protocol_fuzz PROTOCOL MUTATIONS FILE...");
	for (int i = 3; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t length;

		if (!file)
			fatal("cannot read %s", argv[i]);
		seed[0] = 63; /* whole */
		length = 1 + fread(seed + 1, 1, INPUT_MAX / 2, file);
		fclose(file);
		play(protocol, slice_of(seed, length), share);
		for (unsigned long m = 0; m < mutations; m++, played++) {
			memcpy(bytes, seed, length);
			bytes[0] = (uint8_t)next(&draws);
			play(protocol, slice_of(bytes, mutate(bytes, length, &draws)), share);
		}
	}
	printf("%s: %d seeds and %lu mutations played\n", protocol->name, argc - 3, played);
	free(seed);
	free(bytes);
	return 0;
}
#endif
