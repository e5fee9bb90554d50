/* Following: one turn takes what waits in every spool, up to a batch, and commits it. */
#include "store/follow.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#define HOUSEKEEP_EVERY (60 * SECOND)
#define RETAIN_EVERY    (60 * SECOND)
#define PAUSE_MAX       (10 * SECOND) /* between tries while the database refuses */
#define UPKEEP_STEPS    8             /* pieces of upkeep between two batches */
#define COMPLAIN_EVERY  MINUTE        /* while the database refuses */
#define REST_AFTER      (5 * SECOND)  /* idle time after which memory is given back */

struct follow {
	struct store *store;
	struct follow_options options;
	struct follower **followers; /* NULL where opening failed; tried again */
	struct follow_counters counters;
	int64_t next_housekeep, next_retain;
	bool tending, retaining;
	bool begun; /* a batch is open */
	bool rested;
	int64_t busy_at;
	bool refusing; /* the last batch was refused */
	int64_t complain_at;
};

static int open_follower(struct follow *follow, size_t i)
{
	const struct follow_spool *spool = &follow->options.spools[i];
	struct spool_position from;

	if (store_position(follow->store, spool->name, &from) < 0)
		return -1;
	follower_close(follow->followers[i]);
	follow->followers[i] = follower_open(spool->folder_fd, from);
	return follow->followers[i] ? 0 : -1;
}

/* After a batch was undone its lines must come again. */
static void reopen_all(struct follow *follow)
{
	for (size_t i = 0; i < follow->options.count; i++)
		if (open_follower(follow, i) < 0)
			log_error("the spool %s cannot be followed",
				  follow->options.spools[i].name);
}

struct follow *follow_open(struct store *store, const struct follow_options *options)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return NULL;
	follow->store = store;
	follow->options = *options;
	follow->followers = calloc(options->count + 1, sizeof(struct follower *));
	if (!follow->followers) {
		free(follow);
		return NULL;
	}
	if (follow->options.retain_every == 0)
		follow->options.retain_every = RETAIN_EVERY;
	follow->tending = true;
	reopen_all(follow);
	return follow;
}

void follow_close(struct follow *follow)
{
	if (!follow)
		return;
	for (size_t i = 0; i < follow->options.count; i++)
		follower_close(follow->followers[i]);
	free(follow->followers);
	free(follow);
}

const struct follow_counters *follow_counted(const struct follow *follow)
{
	return &follow->counters;
}

/* Lines of one spool into the open batch. -1 when the database refuses. */
static int take(struct follow *follow, size_t i, struct follow_counters *counted)
{
	struct follower *follower = follow->followers[i];
	const char *name = follow->options.spools[i].name;
	size_t share = STORE_BATCH_MAX / follow->options.count + 1;
	struct slice line;
	int taken = 0, answer;

	if (!follower)
		return 0;
	while ((size_t)taken < share && (answer = follower_next(follower, &line)) != 0) {
		enum store_result result;

		if (answer < 0) {
			log_error("reading the spool %s: %m", name);
			break;
		}
		if (!follow->begun && store_begin(follow->store) < 0)
			return -1;
		follow->begun = true;
		result = store_add(follow->store, line, name, follower_position(follower));
		if (result == STORE_FAILED)
			return -1;
		counted->stored += result == STORE_STORED;
		counted->known += result == STORE_KNOWN;
		counted->damaged += result == STORE_DAMAGED;
		taken++;
	}
	return taken;
}

static void look_at_backlog(struct follow *follow)
{
	follow->counters.backlog = follow->counters.lost = 0;
	for (size_t i = 0; i < follow->options.count; i++) {
		if (!follow->followers[i])
			continue;
		follow->counters.backlog += follower_backlog(follow->followers[i]);
		follow->counters.lost += follower_lost(follow->followers[i]);
	}
}

static int refused(struct follow *follow)
{
	int64_t now = clock_monotonic();

	if (!follow->refusing || now >= follow->complain_at) {
		log_error("%s; the events wait in their spools", store_problem(follow->store));
		follow->complain_at = now + COMPLAIN_EVERY;
	}
	follow->refusing = true;
	store_rollback(follow->store);
	follow->begun = false;
	follow->counters.failures++;
	reopen_all(follow);
	return -1;
}

static void housekeep(struct follow *follow)
{
	for (size_t i = 0; i < follow->options.count; i++) {
		const struct follow_spool *spool = &follow->options.spools[i];
		struct spool_position read;

		if (store_position(follow->store, spool->name, &read) < 0 ||
		    spool_housekeep(spool->folder_fd, read, follow->options.keep_spool_bytes) < 0)
			log_warning("tidying the spool %s failed: %m", spool->name);
		if (!follow->followers[i] && open_follower(follow, i) < 0)
			log_warning("the spool %s cannot be followed yet", spool->name);
	}
}

/* A bounded piece of what is due. */
static void keep_up(struct follow *follow, int64_t now)
{
	for (int step = 0; step < UPKEEP_STEPS && follow->tending; step++)
		follow->tending = store_tend(follow->store) > 0;
	if (now >= follow->next_retain) {
		follow->next_retain = now + follow->options.retain_every;
		follow->retaining = true;
	}
	for (int step = 0; step < UPKEEP_STEPS && follow->retaining; step++)
		follow->retaining =
			store_retain(follow->store, &follow->options.limits, clock_wall()) > 0;
	if (now >= follow->next_housekeep) {
		follow->next_housekeep = now + HOUSEKEEP_EVERY;
		housekeep(follow);
	}
}

/* What waits, up to a batch. */
static int take_all(struct follow *follow)
{
	struct follow_counters counted = follow->counters;
	int taken = 0;

	for (size_t i = 0; i < follow->options.count; i++) {
		int of_this = take(follow, i, &counted);

		if (of_this < 0)
			return refused(follow);
		taken += of_this;
	}
	if (taken == 0)
		return 0;
	if (store_commit(follow->store) < 0)
		return refused(follow);
	follow->begun = false;
	if (follow->refusing)
		log_info("the store takes events again");
	follow->refusing = false;
	counted.batches++;
	follow->counters = counted;
	look_at_backlog(follow);
	follow->tending = true;
	if (follow->options.committed)
		follow->options.committed(follow->options.context, &follow->counters);
	return taken;
}

int follow_turn(struct follow *follow)
{
	int taken = take_all(follow);
	int64_t now = clock_monotonic();

	keep_up(follow, now);
	if (taken != 0) {
		follow->busy_at = now;
		follow->rested = false;
	} else if (!follow->rested && now - follow->busy_at > REST_AFTER) {
		store_rest(follow->store);
		follow->rested = true;
	}
	return taken;
}

static void wait_a_while(int64_t microseconds, const volatile sig_atomic_t *stop)
{
	while (microseconds > 0 && !*stop) {
		int64_t part = microseconds < FOLLOW_INTERVAL ? microseconds : FOLLOW_INTERVAL;

		usleep((useconds_t)part);
		microseconds -= part;
	}
}

int follow_run(struct store *store, const struct follow_options *options,
	       const volatile sig_atomic_t *stop, struct follow_counters *counters)
{
	struct follow *follow = follow_open(store, options);
	int64_t pause = FOLLOW_INTERVAL;
	int taken = 0;

	if (!follow)
		return -1;
	while (!*stop) {
		taken = follow_turn(follow);
		if (taken < 0) {
			wait_a_while(pause, stop);
			pause = 2 * pause > PAUSE_MAX ? PAUSE_MAX : 2 * pause;
			continue;
		}
		pause = FOLLOW_INTERVAL;
		/* A full share means that more waits. */
		if ((size_t)taken < STORE_BATCH_MAX / (options->count + 1))
			wait_a_while(FOLLOW_INTERVAL, stop);
	}
	while (taken >= 0 && (taken = follow_turn(follow)) > 0)
		continue;
	*counters = follow->counters;
	follow_close(follow);
	return 0;
}
