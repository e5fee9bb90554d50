/* A stage for one session; see stage.h. */
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/host.h"
#include "decoy/stage.h"

#define STAGE_CHANNEL_PORT 50000
#define STAGE_ARENA_CAP    ((size_t)64 * 1024 * 1024)

static struct stage *stage_of(struct trap *trap)
{
	return trap->context;
}

static int64_t stage_wall(struct trap *trap)
{
	return stage_of(trap)->follows_clock ? clock_wall() : stage_of(trap)->wall;
}

static int64_t stage_monotonic(struct trap *trap)
{
	return stage_of(trap)->follows_clock ? clock_monotonic() : stage_of(trap)->monotonic;
}

/* SplitMix64 (Steele, Lea, Flood 2014): repeatable, which is all that a test needs. */
static void stage_random(struct trap *trap, void *at, size_t length)
{
	struct stage *stage = stage_of(trap);
	uint8_t *bytes = at;

	if (stage->seed == 0) {
		random_bytes(at, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		uint64_t z = stage->seed += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		bytes[i] = (uint8_t)(z >> 32);
	}
}

static void stage_record(struct trap *trap, const struct event *event)
{
	struct stage *stage = stage_of(trap);

	if (stage->on_event)
		stage->on_event(stage, event);
}

static int stage_channel_listen(struct trap *trap, struct session *session, uint16_t *port)
{
	stage_of(trap)->channel_wanted = true;
	*port = STAGE_CHANNEL_PORT;
	return 0;
}

static void stage_channel_drop(struct trap *trap, struct session *session)
{
	stage_of(trap)->channel_wanted = false;
}

static void *stage_memory(struct trap *trap, struct session *session, size_t size)
{
	struct stage *stage = stage_of(trap);

	return size <= sizeof(stage->memory) ? stage->memory : NULL;
}

void stage_open(struct stage *stage, const struct protocol *protocol, const struct persona *persona)
{
	uint64_t key[2] = {1, 2};

	memset(stage, 0, sizeof(*stage));
	stage->arena = arena_of(STAGE_ARENA_CAP);
	stage->wall = 1795467600 * SECOND; /* 2026-11-23 21:00:00 */
	stage->monotonic = DAY;
	stage->access_memory = calloc(1, access_memory_size());
	stage->trap = (struct trap){
		.persona = persona,
		.access_memory =
			stage->access_memory ? access_memory_at(stage->access_memory, key) : NULL,
		.sensor = "stage",
		.session_memory = (size_t)1024 * 1024,
		.evidence_bytes = (uint64_t)16 * 1024 * 1024,
		.evidence_folder = -1,
		.context = stage,
		.wall = stage_wall,
		.monotonic = stage_monotonic,
		.random = stage_random,
		.record = stage_record,
		.channel_listen = stage_channel_listen,
		.channel_drop = stage_channel_drop,
		.memory = stage_memory,
	};
	stage->service = (struct service){
		.protocol = protocol,
		.idle = 5 * MINUTE,
		.lifetime = DAY,
		.input_bytes = (uint64_t)64 * 1024 * 1024,
		.udp_answer_ratio = 1.0,
	};
	if (protocol->options_size) {
		void *options = arena_take(&stage->arena, protocol->options_size);

		if (options)
			config_defaults(protocol->options, options, &stage->arena);
		stage->service.options = options;
	}
}

int stage_prepare(struct stage *stage, const char *share_folder, char **why)
{
	const struct protocol *protocol = stage->service.protocol;
	void *options = (void *)(uintptr_t)stage->service.options;

	if (!protocol->prepare)
		return 0;
	if (protocol->prepare(options, stage->trap.persona, share_folder, &stage->arena, why) < 0)
		return -1;
	stage->prepared = true;
	return 0;
}

int stage_machine(struct stage *stage, const char *share_folder, const char *image, char **why)
{
	struct host_setup setup = {.persona = stage->trap.persona,
				   .share_folder = share_folder,
				   .image_path = image,
				   .disks = -1,
				   .host_keys = stage->trap.host_keys,
				   .address = address_v4(0xc6336401)};

	if (!stage->service.protocol->gives_shells)
		return 0;
	stage->machine = host_new(&setup, why);
	stage->trap.host = stage->machine;
	return stage->machine ? 0 : -1;
}

void stage_close(struct stage *stage)
{
	host_free(stage->machine);
	const struct protocol *protocol = stage->service.protocol;

	if (stage->prepared && protocol->release)
		protocol->release((void *)(uintptr_t)stage->service.options);
	free(stage->access_memory);
	arena_drop(&stage->arena);
}

struct session *stage_session(struct stage *stage, enum transport transport)
{
	const struct protocol *protocol = stage->service.protocol;
	struct endpoint peer = {address_v4(0xc0000207), 40000};
	struct endpoint local = {address_v4(0xc6336401), protocol->ports[0].port};

	return session_open(&stage->trap, &stage->service, transport, &peer, &local, NULL, 0);
}
