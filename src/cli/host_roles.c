/* The processes of `sundew run`: a decoy worker, the store. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/host_roles.h"
#include "decoy/machine/host.h"
#include "process/roles.h"
#include "store/evidence_keep.h"
#include "store/follow.h"

#define PAUSE_MAX (4 * SECOND) /* between tries while the database refuses */

const char *const host_counter_names[HOST_COUNTERS] = {
#define COUNTER(symbol, name) name,
#include "decoy/worker_counters.def"
#undef COUNTER
	"stored",  "damaged",         "backlog", "store_failing",
	"packets", "packets_dropped", "flows",   "capture_events",
};

int host_spool_folder(const struct installation *host, const char *name)
{
	for (size_t i = 0; i < host->spool_count; i++) {
		if (strcmp(host->spools[i].name, name) == 0)
			return host->spools[i].folder;
	}
	return -1;
}

/* --- decoy --- */

struct decoy_process {
	struct process *self;
	const struct installation *host;
	struct worker_setup setup;
	struct worker_listener *listeners;
	int *passive;
	bool renewed;         /* it ends for new settings */
	struct host *machine; /* the fake one */
};

static enum worker_order decoy_order(void *context)
{
	struct decoy_process *decoy = context;
	struct message message;

	for (;;) {
		switch (process_receive(decoy->self, &message)) {
		case MESSAGE_OK:
			message_close_descriptors(&message);
			/* New settings come with a new life: the supervisor starts it again at
			 * once, and connections wait in the listeners' queues meanwhile. */
			decoy->renewed |= message.type == MESSAGE_RELOAD;
			if (message.type == MESSAGE_DRAIN || message.type == MESSAGE_RELOAD)
				return WORKER_DRAIN;
			break;
		case MESSAGE_CLOSED:
			return WORKER_DRAIN;
		default:
			return WORKER_GO_ON;
		}
	}
}

static void decoy_count(void *context, enum worker_counter counter, uint64_t delta)
{
	struct decoy_process *decoy = context;

	process_count(decoy->self, counter, delta);
}

static void decoy_set(void *context, enum worker_counter counter, uint64_t value)
{
	struct decoy_process *decoy = context;

	process_set(decoy->self, counter, value);
}

static int collect_sockets(struct decoy_process *decoy, const struct installation *host)
{
	size_t count, listeners = 0, passives = 0;
	const struct process_grant *grants = process_grants(decoy->self, &count);

	decoy->listeners = calloc(count + 1, sizeof(*decoy->listeners));
	decoy->passive = calloc(count + 1, sizeof(*decoy->passive));
	if (!decoy->listeners || !decoy->passive)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct open_socket *socket;
		int64_t index;

		if (slice_number(slice_text(grants[i].name), 0, (int64_t)host->sockets.count - 1,
				 &index) < 0)
			continue;
		socket = &host->sockets.items[index];
		if (socket->passive) {
			decoy->passive[passives++] = grants[i].descriptor;
			continue;
		}
		decoy->listeners[listeners++] = (struct worker_listener){
			grants[i].descriptor, socket->transport,
			socket->any_port ? &host->settings.decoy.any_service
					 : &host->plain_services[2 * socket->service + socket->tls],
			socket->any_port};
	}
	decoy->setup.listeners = decoy->listeners;
	decoy->setup.listener_count = listeners;
	decoy->setup.passive = decoy->passive;
	decoy->setup.passive_count = passives;
	return 0;
}

/* The fake machine: its image is mapped, its story told. */
static struct host *open_machine(struct process *self, const struct installation *host)
{
	struct host_setup setup = {
		.persona = host->persona,
		.share_folder = host->settings.decoy.share,
		.image_path = access(host->folders.image, R_OK) == 0 ? host->folders.image : NULL,
		.disks = process_descriptor(self, "machines"),
		.host_keys = host->host_keys,
	};
	char *why = NULL;
	struct host *machine;

	if (host->listen_address &&
	    address_parse(slice_text(host->listen_address), &setup.address) < 0)
		setup.address = (struct address){0};
	machine = host_new(&setup, &why);
	if (!machine && setup.image_path) {
		log_warning("cannot use the image %s: %s; the machine is a plain one",
			    setup.image_path, why ? why : "unknown reason");
		free(why);
		why = NULL;
		setup.image_path = NULL;
		machine = host_new(&setup, &why);
	}
	if (!machine)
		log_error("no fake machine: %s", why ? why : "unknown reason");
	free(why);
	return machine;
}

/* libevent makes its pipe and epoll descriptor here, where it still may. */
static void *decoy_prepare(struct process *self, void *context)
{
	struct decoy_process *decoy = calloc(1, sizeof(*decoy));

	if (!decoy)
		return NULL;
	decoy->self = self;
	decoy->host = context;
	decoy->setup.base = worker_base_new();
	decoy->machine = open_machine(self, decoy->host);
	return decoy->setup.base && decoy->machine ? decoy : NULL;
}

static int decoy_run(struct process *self, void *context)
{
	struct decoy_process *decoy = context;
	const struct installation *host = decoy->host;
	struct spool_limits limits = {(uint64_t)host->settings.spool_segment,
				      (uint64_t)host->settings.spool_total};
	int status;

	if (collect_sockets(decoy, host) < 0)
		return 1;
	decoy->setup.settings = &host->settings.decoy;
	decoy->setup.persona = host->persona;
	decoy->setup.tls = host->tls;
	decoy->setup.host_keys = host->host_keys;
	decoy->setup.host = decoy->machine;
	decoy->setup.tap = process_descriptor(self, "tap");
	decoy->setup.sessions = host->sessions;
	decoy->setup.takers = host->takers;
	decoy->setup.taker_count = host->taker_count;
	decoy->setup.access_memory = host->access_memory;
	decoy->setup.spool = spool_open(process_descriptor(self, "spool"), &limits);
	decoy->setup.evidence_folder = process_descriptor(self, "inbox");
	decoy->setup.control = process_pipe(self);
	decoy->setup.context = decoy;
	decoy->setup.on_control = decoy_order;
	decoy->setup.count = decoy_count;
	decoy->setup.set = decoy_set;
	if (!decoy->setup.spool) {
		log_error("cannot open the spool: %m");
		return 1;
	}
	process_started(self);
	status = worker_run(&decoy->setup);
	if (status == 0 && decoy->renewed)
		status = PROCESS_RENEW;
	spool_close(decoy->setup.spool);
	free(decoy->listeners);
	free(decoy->passive);
	host_free(decoy->machine);
	free(decoy);
	return status;
}

const struct process_role role_decoy = {.name = "decoy",
					.stage = 0,
					.sandbox = &sandbox_decoy,
					.prepare = decoy_prepare,
					.run = decoy_run};

/* --- store --- */

#define STORE_NICE 15

struct store_process {
	struct process *self;
	const struct installation *host;
	struct geo *geo;
};

static void *store_prepare(struct process *self, void *context)
{
	struct store_process *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->self = self;
	store->host = context;
	/* What it reads is safe in the spools; what the others do not take in time is lost. */
	errno = 0;
	if (nice(STORE_NICE) == -1 && errno)
		log_warning("the store could not step back behind the others: %m");
	store->geo = geo_open(store->host->settings.geo);
	if (!store->geo || !geo_has_data(store->geo))
		log_info("no GeoIP data: %s",
			 store->geo ? geo_description(store->geo) : "no memory");
	return store;
}

static void store_counted(void *context, const struct follow_counters *counted)
{
	struct store_process *store = context;

	process_set(store->self, HOST_STORE_STORED, counted->stored);
	process_set(store->self, HOST_STORE_DAMAGED, counted->damaged);
	process_set(store->self, HOST_STORE_BACKLOG, counted->backlog);
}

enum store_order { STORE_GO_ON, STORE_RENEW, STORE_END };

/* Waits so long for word from the supervisor. */
static enum store_order store_wait(struct process *self, int64_t most)
{
	struct pollfd watched = {process_pipe(self), POLLIN, 0};
	struct message message;

	if (poll(&watched, 1, (int)(most / MILLISECOND)) <= 0)
		return STORE_GO_ON;
	for (;;) {
		switch (process_receive(self, &message)) {
		case MESSAGE_OK:
			message_close_descriptors(&message);
			/* New settings come with a new life. */
			if (message.type == MESSAGE_RELOAD)
				return STORE_RENEW;
			if (message.type == MESSAGE_DRAIN)
				return STORE_END;
			break;
		case MESSAGE_CLOSED:
			return STORE_END;
		default:
			return STORE_GO_ON;
		}
	}
}

static int open_spools(const struct store_process *store, struct follow_spool *spools,
		       size_t *count)
{
	int folder = process_descriptor(store->self, "spools");

	for (size_t i = 0; i < store->host->spool_count; i++) {
		int spool = openat(folder, store->host->spools[i].name,
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (spool < 0) {
			log_error("cannot open the spool of %s: %m", store->host->spools[i].name);
			return -1;
		}
		spools[(*count)++] = (struct follow_spool){store->host->spools[i].name, spool};
	}
	return 0;
}

/* A database that refuses is tried again with growing pauses. */
static int64_t pause_after(int64_t pause, int taken)
{
	if (taken > 0)
		return 0;
	if (taken == 0 || pause == 0)
		return FOLLOW_INTERVAL;
	return 2 * pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
}

/* Follows until told to stop, then takes what is left. */
static enum store_order follow_spools(struct store_process *store, struct follow *follow,
				      struct evidence_keeper *keeper)
{
	enum store_order order = STORE_GO_ON;
	int64_t pause = FOLLOW_INTERVAL;

	while (order == STORE_GO_ON) {
		int taken;

		order = store_wait(store->self, pause);
		taken = follow_turn(follow);
		if (taken <= 0)
			evidence_keeper_turn(keeper, clock_monotonic());
		if (taken != 0)
			process_set(store->self, HOST_STORE_FAILING, taken < 0);
		pause = pause_after(pause, taken);
	}
	while (order == STORE_END && follow_turn(follow) > 0)
		;
	evidence_keeper_turn(keeper, INT64_MAX);
	return order;
}

static int store_run(struct process *self, void *context)
{
	struct store_process *store = context;
	const struct host_settings *settings = &store->host->settings;
	struct follow_spool spools[HOST_SPOOLS_MAX];
	struct spool_limits limits = {(uint64_t)settings->spool_segment,
				      (uint64_t)settings->spool_total};
	struct follow_options options = {
		.spools = spools,
		.limits = {settings->store_age, (uint64_t)settings->store_bytes},
		.keep_spool_bytes = (uint64_t)settings->spool_keep,
		.committed = store_counted,
		.context = store,
	};
	struct evidence_keeper *keeper = NULL;
	struct spool *spool = NULL;
	struct follow *follow = NULL;
	struct store *database;
	char why[512];
	int status = 1, own = openat(process_descriptor(self, "spools"), "store-0",
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	database = store_open(process_descriptor(self, "store"), STORE_WRITE, store->geo, why,
			      sizeof(why));
	if (!database) {
		log_error("%s", why);
		goto out;
	}
	if (own < 0 || open_spools(store, spools, &options.count) < 0)
		goto out;
	spool = spool_open(own, &limits);
	keeper = evidence_keeper_open(process_descriptor(self, "evidence"),
				      (uint64_t)settings->evidence_total, spool,
				      settings->decoy.sensor);
	follow = follow_open(database, &options);
	if (!spool || !keeper || !follow) {
		log_error("cannot start following the spools: %m");
		goto out;
	}
	process_started(self);
	status = follow_spools(store, follow, keeper) == STORE_RENEW ? PROCESS_RENEW : 0;
out:
	follow_close(follow);
	evidence_keeper_close(keeper);
	spool_close(spool);
	store_close(database);
	geo_close(store->geo);
	free(store);
	return status;
}

const struct process_role role_store = {.name = "store",
					.stage = 1,
					.sandbox = &sandbox_store,
					.prepare = store_prepare,
					.run = store_run};
