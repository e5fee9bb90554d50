/* The supervisor: restart, reload, drain, messages, hostile children, and no orphans.
 *
 * Each test forks a supervisor over small processes. All of them write what they see as fixed-size
 * words into one pipe, the witness, and the test waits there for what must come, with a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "process/supervisor.h"

#define DEADLINE  (30 * SECOND)
#define STRAY     200 /* a descriptor that the supervisor holds and grants to nobody */
#define ASK_WRITE (MESSAGE_APPLICATION + 1)
#define LAST_WORD (MESSAGE_APPLICATION + 2)

enum said {
	BEGAN = 1, /* a process runs; number: its process id */
	LEAKED,    /* it holds a descriptor that is not its own */
	RELOADED,  /* it was told to reload */
	DRAINING,  /* it was told to drain */
	ENDING,    /* it is about to return */
	PASSED,    /* written through a descriptor that came in a message */
	ALL_STARTED,
	RELOADING, /* the supervisor's callback */
	NOTICE_STARTED,
	NOTICE_DIED, /* number: when it is restarted; signal */
	NOTICE_KILLED,
	HEARD,   /* an application message; number: refused messages so far */
	COUNTED, /* number: the sender's counter as the supervisor reads it */
	WATCHED, /* the supervisor's callback; number: a stage has drained */
};

struct word {
	enum said said;
	char role[8];
	unsigned instance;
	int signal;
	int64_t number;
};

struct scene {
	int witness[2];
	pid_t supervisor;
	bool fail_reload;
};

static void say(int witness, enum said said, const char *role, unsigned instance, int signal,
		int64_t number)
{
	struct word word = {.said = said, .instance = instance, .signal = signal, .number = number};

	snprintf(word.role, sizeof(word.role), "%s", role);
	if (write(witness, &word, sizeof(word)) != sizeof(word))
		_exit(9);
}

/* --- the processes --- */

/* Waits for the next message; false when the supervisor is gone. */
static bool next_message(struct process *self, struct message *message)
{
	struct pollfd polled = {.fd = process_pipe(self), .events = POLLIN};

	for (;;) {
		switch (process_receive(self, message)) {
		case MESSAGE_OK:
			return true;
		case MESSAGE_CLOSED:
			return false;
		default:
			poll(&polled, 1, -1);
		}
	}
}

static void say_own(struct process *self, const char *role, enum said said, int64_t number)
{
	say(process_descriptor(self, "witness"), said, role, process_instance(self), 0, number);
}

static void *prepare_worker(struct process *self, void *context)
{
	if (fcntl(STRAY, F_GETFD) >= 0)
		say_own(self, "worker", LEAKED, STRAY);
	return context;
}

static int work(struct process *self, const char *role, bool obedient)
{
	struct message message;

	say_own(self, role, BEGAN, getpid());
	process_started(self);
	while (next_message(self, &message)) {
		if (message.type == MESSAGE_RELOAD) {
			say_own(self, role, RELOADED, 0);
		} else if (message.type == ASK_WRITE && message.descriptor_count == 1) {
			say(message.descriptors[0], PASSED, role, process_instance(self), 0,
			    (int64_t)message.length);
			message_close_descriptors(&message);
		} else if (message.type == MESSAGE_DRAIN) {
			say_own(self, role, DRAINING, 0);
			if (!obedient)
				continue;
			say_own(self, role, ENDING, 0);
			return 0;
		}
	}
	return 1;
}

static int run_worker(struct process *self, void *context)
{
	return work(self, "worker", true);
}

static int run_keeper(struct process *self, void *context)
{
	return work(self, "keeper", true);
}

static int run_stubborn(struct process *self, void *context)
{
	return work(self, "stub", false);
}

/* Never looks at its pipe, so only the parent-death signal can end it. */
static int run_deaf(struct process *self, void *context)
{
	process_started(self);
	poll(NULL, 0, -1);
	return 1;
}

static int run_broken(struct process *self, void *context)
{
	return 3;
}

/* Ends when it is told to reload, so that it begins anew. */
static int run_renewed(struct process *self, void *context)
{
	struct message message;

	say_own(self, "renewed", BEGAN, getpid());
	process_started(self);
	while (next_message(self, &message)) {
		if (message.type == MESSAGE_RELOAD)
			return PROCESS_RENEW;
		if (message.type == MESSAGE_DRAIN) {
			say_own(self, "renewed", ENDING, 0);
			return 0;
		}
	}
	return 1;
}

static void send_with_descriptor(int pipe)
{
	/* The pipe fills faster than the supervisor reads. */
	while (message_send(pipe, LAST_WORD, SLICE("take this"), &pipe, 1) == MESSAGE_NONE) {
		struct pollfd polled = {.fd = pipe, .events = POLLOUT};

		poll(&polled, 1, -1);
	}
}

/* Random bytes, short and long, right and wrong headers, unasked descriptors, control types. */
static int run_hostile(struct process *self, void *context)
{
	uint8_t bytes[MESSAGE_PAYLOAD_MAX + 64];
	int pipe = process_pipe(self);

	say_own(self, "hostile", BEGAN, getpid());
	process_count(self, 1, 7);
	counters_add(process_counters(self), 1, 0, 1000000); /* another's row */
	for (size_t i = 1; i < 2000; i++) {
		struct pollfd polled = {.fd = pipe, .events = POLLOUT};
		size_t length = 1 + i * 37 % (sizeof(bytes) - 1);

		if (getrandom(bytes, sizeof(bytes), 0) < 0)
			return 1;
		if (i % 3 == 0)
			memcpy(bytes, &(uint32_t[]){(uint32_t)i % 4, (uint32_t)length}, 8);
		while (send(pipe, bytes, length, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
			poll(&polled, 1, -1);
		if (i % 100 == 0)
			send_with_descriptor(pipe);
	}
	while (process_send(self, LAST_WORD, SLICE("done")) == MESSAGE_NONE)
		poll(&(struct pollfd){.fd = pipe, .events = POLLOUT}, 1, -1);
	return work(self, "hostile", true);
}

static const struct sandbox bare = {.calls = SANDBOX_STREAMS, .files = 256};

static const struct process_role worker = {
	.name = "worker", .sandbox = &bare, .prepare = prepare_worker, .run = run_worker};
static const struct process_role keeper = {
	.name = "keeper", .stage = 1, .sandbox = &bare, .run = run_keeper};
static const struct process_role stubborn = {.name = "stub", .sandbox = &bare, .run = run_stubborn};
static const struct process_role deaf = {.name = "deaf", .sandbox = &bare, .run = run_deaf};
static const struct process_role broken = {.name = "broken", .run = run_broken};
static const struct process_role hostile = {.name = "hostile", .run = run_hostile};
static const struct process_role renewed = {
	.name = "renewed", .sandbox = &bare, .run = run_renewed};

/* --- the supervisor's side --- */

static int grant_witness(void *context, const struct process_role *role, unsigned instance,
			 struct process_grant *grants, size_t capacity)
{
	struct scene *scene = context;

	grants[0] = (struct process_grant){"witness", scene->witness[1]};
	return 1;
}

static void report(void *context, const struct process_notice *notice)
{
	static const enum said words[] = {NOTICE_STARTED, NOTICE_DIED, NOTICE_KILLED};
	struct scene *scene = context;

	say(scene->witness[1], words[notice->kind], notice->role, notice->instance, notice->signal,
	    notice->kind == PROCESS_NOTICE_DIED ? notice->restart_in : notice->exit_status);
}

static void all_started(void *context, struct supervisor *supervisor)
{
	struct scene *scene = context;

	say(scene->witness[1], ALL_STARTED, "", 0, 0,
	    counters_status(supervisor_counters(supervisor), 1).pid);
}

static int reload(void *context, struct supervisor *supervisor)
{
	struct scene *scene = context;

	say(scene->witness[1], RELOADING, "", 0, 0, 0);
	if (scene->fail_reload)
		return -1;
	return supervisor_send(supervisor, &worker, 1, ASK_WRITE, SLICE("write"),
			       &scene->witness[1], 1) == MESSAGE_OK
		       ? 0
		       : -1;
}

static void hear(void *context, struct supervisor *supervisor, const struct process_role *role,
		 unsigned instance, const struct message *message)
{
	struct counters *counters = supervisor_counters(supervisor);
	struct scene *scene = context;

	if (message->type != LAST_WORD || !slice_is(message_payload(message), "done"))
		return;
	say(scene->witness[1], HEARD, role->name, instance, 0,
	    (int64_t)counters_status(counters, 2).refused);
	say(scene->witness[1], COUNTED, role->name, instance, 0,
	    (int64_t)(counters_read(counters, 1, 0) * 100 + counters_read(counters, 2, 1)));
}

static void watch(void *context, struct supervisor *supervisor, bool drained)
{
	struct scene *scene = context;

	say(scene->witness[1], WATCHED, "", 0, 0, drained);
}

static void begin(struct scene *scene, const struct supervisor_plan *plan, size_t count,
		  unsigned drain_seconds)
{
	static const struct sandbox_user nobody = {65534, 65534};
	static const char *const counters[] = {"sessions", "events"};
	struct supervisor_setup setup = {
		.plan = plan,
		.plan_count = count,
		.user = &nobody,
		.counters = counters,
		.counter_count = ARRAY_COUNT(counters),
		.restart = {.first = 10 * MILLISECOND, .most = 80 * MILLISECOND},
		.drain_seconds = drain_seconds,
		.log_level = LOG_LEVEL_ERROR,
		.context = scene,
		.grants = grant_witness,
		.report = report,
		.all_started = all_started,
		.reload = reload,
		.message = hear,
		.watch = watch,
	};

	assert_int_equal(pipe2(scene->witness, O_CLOEXEC), 0);
	scene->supervisor = fork();
	assert_true(scene->supervisor >= 0);
	if (scene->supervisor > 0)
		return;
	log_open("supervisor", LOG_LEVEL_ERROR, false);
	if (dup2(STDERR_FILENO, STRAY) < 0)
		_exit(8);
	_exit(supervisor_run(&setup));
}

/* --- waiting --- */

static bool hear_word(struct scene *scene, int64_t deadline, struct word *word)
{
	struct pollfd polled = {.fd = scene->witness[0], .events = POLLIN};
	int64_t left = deadline - clock_monotonic();

	return left > 0 && poll(&polled, 1, (int)(left / MILLISECOND) + 1) == 1 &&
	       read(scene->witness[0], word, sizeof(*word)) == sizeof(*word);
}

/* The next such word; others before it are passed over. role NULL: of anybody. */
static struct word wait_for(struct scene *scene, enum said said, const char *role)
{
	int64_t deadline = clock_monotonic() + DEADLINE;
	struct word word = {0};

	do {
		if (!hear_word(scene, deadline, &word))
			fail_msg("nobody (%s) said %d in time", role ? role : "any", (int)said);
		if (word.said == LEAKED)
			fail_msg("descriptor %d leaked into %s", (int)word.number, word.role);
	} while (word.said != said || (role && strcmp(word.role, role) != 0));
	return word;
}

static int wait_for_end(struct scene *scene)
{
	int64_t deadline = clock_monotonic() + DEADLINE;
	int status = 0;

	while (waitpid(scene->supervisor, &status, WNOHANG) == 0) {
		if (clock_monotonic() > deadline)
			fail_msg("the supervisor did not end in time");
		poll(NULL, 0, 5);
	}
	close(scene->witness[0]);
	close(scene->witness[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

/* --- tests --- */

static void test_back_off(void **state)
{
	const struct restart_policy defaults = {0};
	struct restart_state s = {0}, startup = {0};
	int64_t expected = 100 * MILLISECOND;

	for (int i = 0; i < 9; i++, expected *= 2)
		assert_int_equal(restart_delay(&defaults, &s, SECOND, true), expected);
	assert_int_equal(restart_delay(&defaults, &s, SECOND, true), 30 * SECOND);
	assert_int_equal(restart_delay(&defaults, &s, MINUTE - 1, true), 30 * SECOND);
	assert_int_equal(restart_delay(&defaults, &s, MINUTE, true), 100 * MILLISECOND);

	for (int i = 1; i < RESTART_STARTUP_DEATHS; i++)
		assert_true(restart_delay(&defaults, &startup, 0, false) < 2 * SECOND);
	assert_int_equal(restart_delay(&defaults, &startup, 0, false), 30 * SECOND);
	assert_int_equal(restart_delay(&defaults, &startup, 0, false), 30 * SECOND);
}

static void test_restart_and_drain_order(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 2}, {&keeper, 1}};
	struct scene scene = {0};
	int64_t delay = 10 * MILLISECOND;
	struct word word;
	pid_t pid;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	pid = (pid_t)wait_for(&scene, BEGAN, "keeper").number;
	wait_for(&scene, ALL_STARTED, NULL);
	for (int i = 0; i < 4; i++, delay *= 2) {
		assert_int_equal(kill(pid, SIGKILL), 0);
		word = wait_for(&scene, NOTICE_DIED, "keeper");
		assert_int_equal(word.signal, SIGKILL);
		assert_int_equal(word.number, delay);
		word = wait_for(&scene, BEGAN, "keeper");
		assert_int_not_equal(word.number, pid);
		pid = (pid_t)word.number;
		wait_for(&scene, NOTICE_STARTED, "keeper");
	}
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	for (int i = 0; i < 2; i++) {
		word = wait_for(&scene, ENDING, NULL);
		assert_string_equal(word.role, "worker");
	}
	wait_for(&scene, DRAINING, "keeper");
	wait_for(&scene, ENDING, "keeper");
	assert_int_equal(wait_for_end(&scene), 0);
}

/* What others left for it must still be taken: the store after its decoys. */
static void test_drain_starts_who_waits_to_be_restarted(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 2}, {&keeper, 1}};
	struct scene scene = {0};
	pid_t pid;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	pid = (pid_t)wait_for(&scene, BEGAN, "keeper").number;
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (wait_for(&scene, NOTICE_DIED, "keeper").number < 80 * MILLISECOND) {
		pid = (pid_t)wait_for(&scene, BEGAN, "keeper").number;
		wait_for(&scene, NOTICE_STARTED, "keeper");
		assert_int_equal(kill(pid, SIGKILL), 0);
	}
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	for (int i = 0; i < 2; i++)
		assert_string_equal(wait_for(&scene, ENDING, NULL).role, "worker");
	wait_for(&scene, DRAINING, "keeper");
	wait_for(&scene, ENDING, "keeper");
	assert_int_equal(wait_for_end(&scene), 0);
}

/* A new life after a reload comes at once, however many there are, and is no death. */
static void test_reload_renews(void **state)
{
	static const struct supervisor_plan plan[] = {{&renewed, 1}, {&worker, 2}};
	struct scene scene = {0};
	int64_t began;
	pid_t pid;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	pid = (pid_t)wait_for(&scene, BEGAN, "renewed").number;
	wait_for(&scene, ALL_STARTED, NULL);
	began = clock_monotonic();
	for (int i = 0; i < 20; i++) {
		struct word word;

		assert_int_equal(kill(scene.supervisor, SIGHUP), 0);
		do {
			assert_true(hear_word(&scene, clock_monotonic() + DEADLINE, &word));
			assert_int_not_equal(word.said, NOTICE_DIED);
		} while (word.said != BEGAN);
		assert_string_equal(word.role, "renewed");
		assert_int_not_equal(word.number, pid);
		pid = (pid_t)word.number;
		wait_for(&scene, NOTICE_STARTED, "renewed");
	}
	assert_true(clock_monotonic() - began < 15 * SECOND);
	/* Killed it is a death like any other. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(wait_for(&scene, NOTICE_DIED, "renewed").number, 10 * MILLISECOND);
	wait_for(&scene, NOTICE_STARTED, "renewed");
	/* One that is being renewed when all are told to stop still does what there is to do. */
	assert_int_equal(kill(scene.supervisor, SIGHUP), 0);
	wait_for(&scene, RELOADED, "worker");
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	wait_for(&scene, ENDING, "renewed");
	assert_int_equal(wait_for_end(&scene), 0);
}

static void test_watch_is_called_while_it_runs_and_between_stages(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 2}, {&keeper, 1}};
	struct scene scene = {0};
	struct word word;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	wait_for(&scene, ALL_STARTED, NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(wait_for(&scene, WATCHED, NULL).number, 0);
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	for (int i = 0; i < 2; i++)
		assert_string_equal(wait_for(&scene, ENDING, NULL).role, "worker");
	do {
		word = wait_for(&scene, WATCHED, NULL);
	} while (word.number == 0);
	assert_string_equal(wait_for(&scene, DRAINING, NULL).role, "keeper");
	assert_int_equal(wait_for_end(&scene), 0);
}

static void test_broken_is_tried_again(void **state)
{
	static const struct supervisor_plan plan[] = {{&broken, 1}, {&worker, 1}};
	struct scene scene = {0};

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	wait_for(&scene, BEGAN, "worker");
	for (int i = 0; i < 6; i++)
		assert_true(wait_for(&scene, NOTICE_DIED, "broken").number <= 80 * MILLISECOND);
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	wait_for(&scene, ENDING, "worker");
	assert_true(wait_for_end(&scene) <= 1); /* it may have been dying just then */
}

static void test_reload(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 2}, {&keeper, 1}};
	struct scene scene = {0};
	struct word word;
	unsigned told = 0;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(scene.supervisor, SIGHUP), 0);
	wait_for(&scene, RELOADING, NULL);
	while (told != 0xf) {
		assert_true(hear_word(&scene, clock_monotonic() + DEADLINE, &word));
		if (word.said == PASSED) {
			assert_int_equal(word.instance, 1);
			assert_int_equal(word.number, 5);
			assert_false(told & 2); /* what changed comes before the call to reload */
			told |= 8;
		} else if (word.said == RELOADED) {
			told |= strcmp(word.role, "keeper") == 0 ? 4U : 1U << word.instance;
		}
	}
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	assert_int_equal(wait_for_end(&scene), 0);
}

static void test_failed_reload_changes_nothing(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 1}};
	struct scene scene = {.fail_reload = true};
	struct word word;

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(scene.supervisor, SIGHUP), 0);
	wait_for(&scene, RELOADING, NULL);
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	assert_true(hear_word(&scene, clock_monotonic() + DEADLINE, &word));
	assert_int_equal(word.said, DRAINING);
	assert_int_equal(wait_for_end(&scene), 0);
}

static void test_who_does_not_drain_is_killed(void **state)
{
	static const struct supervisor_plan plan[] = {{&stubborn, 1}, {&keeper, 1}};
	struct scene scene = {0};

	begin(&scene, plan, ARRAY_COUNT(plan), 1);
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(scene.supervisor, SIGINT), 0);
	wait_for(&scene, DRAINING, "stub");
	assert_int_equal(wait_for(&scene, NOTICE_KILLED, "stub").signal, SIGKILL);
	wait_for(&scene, ENDING, "keeper");
	assert_int_equal(wait_for_end(&scene), 1);
}

static void test_second_interrupt_kills_at_once(void **state)
{
	static const struct supervisor_plan plan[] = {{&stubborn, 1}, {&keeper, 1}};
	struct scene scene = {0};

	begin(&scene, plan, ARRAY_COUNT(plan), 3600);
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(scene.supervisor, SIGINT), 0);
	wait_for(&scene, DRAINING, "stub");
	assert_int_equal(kill(scene.supervisor, SIGINT), 0);
	assert_int_equal(wait_for_end(&scene), 1);
}

/* Rows: 0 the supervisor, 1 the worker, 2 the hostile one. */
static void test_hostile_messages(void **state)
{
	static const struct supervisor_plan plan[] = {{&worker, 1}, {&hostile, 1}};
	struct scene scene = {0};

	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	assert_true(wait_for(&scene, HEARD, "hostile").number > 1000);
	assert_int_equal(wait_for(&scene, COUNTED, "hostile").number, 7);
	assert_int_equal(kill(scene.supervisor, SIGHUP), 0); /* worker-1 is not there: refused */
	wait_for(&scene, RELOADING, NULL);
	assert_int_equal(kill(scene.supervisor, SIGTERM), 0);
	assert_int_equal(wait_for_end(&scene), 0);
}

static void test_no_orphans(void **state)
{
	static const struct supervisor_plan plan[] = {{&deaf, 3}};
	int64_t deadline = clock_monotonic() + DEADLINE;
	struct scene scene = {0};

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	begin(&scene, plan, ARRAY_COUNT(plan), 0);
	wait_for(&scene, ALL_STARTED, NULL);
	assert_int_equal(kill(scene.supervisor, SIGKILL), 0);
	for (int gone = 0; gone < 4;) { /* the supervisor and its three come to us */
		int status;

		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			gone++;
		} else if (clock_monotonic() > deadline) {
			fail_msg("only %d processes ended", gone);
		} else {
			poll(NULL, 0, 5);
		}
	}
	close(scene.witness[0]);
	close(scene.witness[1]);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* --- messages and counters by themselves --- */

static void test_message_limits(void **state)
{
	static uint8_t bytes[MESSAGE_PAYLOAD_MAX + 1];
	int ends[2], descriptors[MESSAGE_DESCRIPTORS_MAX + 1];
	struct message message;

	assert_int_equal(message_pair(ends), 0);
	for (size_t i = 0; i < ARRAY_COUNT(descriptors); i++)
		descriptors[i] = STDERR_FILENO;
	for (size_t length = MESSAGE_PAYLOAD_MAX - 1; length <= MESSAGE_PAYLOAD_MAX; length++) {
		assert_int_equal(message_send(ends[0], 300, slice_of(bytes, length), NULL, 0),
				 MESSAGE_OK);
		assert_int_equal(message_receive(ends[1], &message), MESSAGE_OK);
		assert_int_equal(message.length, length);
	}
	assert_int_equal(message_send(ends[0], 300, slice_of(bytes, sizeof(bytes)), NULL, 0),
			 MESSAGE_REFUSED);
	for (size_t count = MESSAGE_DESCRIPTORS_MAX - 1; count <= MESSAGE_DESCRIPTORS_MAX;
	     count++) {
		assert_int_equal(message_send(ends[0], 300, SLICE("x"), descriptors, count),
				 MESSAGE_OK);
		assert_int_equal(message_receive(ends[1], &message), MESSAGE_OK);
		assert_int_equal(message.descriptor_count, count);
		assert_true(fcntl(message.descriptors[count - 1], F_GETFD) & FD_CLOEXEC);
		message_close_descriptors(&message);
	}
	assert_int_equal(
		message_send(ends[0], 300, SLICE("x"), descriptors, MESSAGE_DESCRIPTORS_MAX + 1),
		MESSAGE_REFUSED);
	assert_int_equal(message_receive(ends[1], &message), MESSAGE_NONE);
	close(ends[0]);
	assert_int_equal(message_receive(ends[1], &message), MESSAGE_CLOSED);
	close(ends[1]);
}

/* Inside: every read-only part of the table must refuse to become writable again. */
static int try_to_cheat(struct counters *counters)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[256];
	int refused = 0;

	if (maps == NULL || counters_narrow(counters, 1) < 0)
		return 1;
	counters_add(counters, 1, 0, 5);
	counters_add(counters, 2, 0, 5);
	while (fgets(line, sizeof(line), maps)) {
		uintptr_t from, to;
		char rights[5];

		if (!strstr(line, "memfd:counters") || !strstr(line, " r--s ") ||
		    sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3)
			continue;
		if (mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) == 0)
			return 2;
		refused++;
	}
	fclose(maps);
	return refused == 2 ? 0 : 3; /* before its own row and after it */
}

static void test_counters_are_their_owners(void **state)
{
	static const char *const rows[] = {"supervisor", "a-0", "b-0"}, *const columns[] = {
										"events"};
	struct counters *counters = counters_make(rows, 3, columns, 1);
	pid_t child;
	int status;

	assert_non_null(counters);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(try_to_cheat(counters));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(counters_read(counters, 1, 0), 5);
	assert_int_equal(counters_read(counters, 2, 0), 0);
	assert_int_equal(counters_read(counters, 3, 0), 0);
	assert_int_equal(counters_read(counters, 1, 1), 0);
	counters_free(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_message_limits),
		cmocka_unit_test(test_counters_are_their_owners),
		cmocka_unit_test(test_restart_and_drain_order),
		cmocka_unit_test(test_drain_starts_who_waits_to_be_restarted),
		cmocka_unit_test(test_reload_renews),
		cmocka_unit_test(test_watch_is_called_while_it_runs_and_between_stages),
		cmocka_unit_test(test_broken_is_tried_again),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_failed_reload_changes_nothing),
		cmocka_unit_test(test_who_does_not_drain_is_killed),
		cmocka_unit_test(test_second_interrupt_kills_at_once),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_no_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
