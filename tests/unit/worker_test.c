/* A worker with real sockets: who is shed at each limit, IPv6, datagrams, the tarpit; all counted.
 *
 * The worker runs in a thread of its own; the test is its clients, from several addresses of
 * 127.0.0.0/8. Its last act tells the worker to drain and reads what the spool holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/worker.h"

#define DEADLINE (20 * 1000) /* milliseconds; nothing here takes a second */

/* --- the protocol: says hello, then sends back what it hears --- */

static void echo_opened(struct session *session, void *state)
{
	if (session_transport(session) == TCP)
		session_text(session, "hello\n");
}

static size_t echo_input(struct session *session, void *state, struct slice bytes)
{
	/* "grow" asks for a big piece of the session's memory. */
	if (slice_is(slice_first(bytes, 4), "grow") &&
	    !arena_take(session_arena(session), (size_t)100 * 1024))
		return 0;
	session_write(session, bytes);
	return bytes.length;
}

static const struct protocol echo = {
	.name = "echo",
	.speaks_first = SERVER,
	.opened = echo_opened,
	.input = echo_input,
};

/* --- the scene --- */

enum { TCP4, TCP6, UDP4, UDP6, LISTENERS };

struct scene {
	char folder[64];
	int folder_fd, control[2];
	struct service service;
	struct decoy_settings settings;
	struct worker_listener listeners[LISTENERS];
	uint16_t ports[LISTENERS];
	struct worker_setup setup;
	_Atomic uint64_t counts[WORKER_COUNTERS];
	pthread_t thread;
	int status;
};

static enum worker_order on_control(void *context)
{
	return WORKER_DRAIN;
}

static void count(void *context, enum worker_counter counter, uint64_t delta)
{
	struct scene *scene = context;

	atomic_fetch_add(&scene->counts[counter], delta);
}

static void set(void *context, enum worker_counter counter, uint64_t value)
{
	struct scene *scene = context;

	atomic_store(&scene->counts[counter], value);
}

static uint64_t counted(struct scene *scene, enum worker_counter counter)
{
	return atomic_load(&scene->counts[counter]);
}

static int bind_one(int family, int kind, const char *address, uint16_t *port)
{
	int s = socket(family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct endpoint at = {.port = *port};
	struct sockaddr_storage storage;
	socklen_t length;

	assert_true(s >= 0);
	assert_int_equal(address_parse(slice_text(address), &at.address), 0);
	length = endpoint_to_socket(&at, &storage);
	if (family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&storage, length) < 0) {
		close(s);
		return -1;
	}
	if (kind == SOCK_STREAM)
		assert_int_equal(listen(s, 1024), 0);
	length = sizeof(storage);
	getsockname(s, (struct sockaddr *)&storage, &length);
	*port = endpoint_from_socket(&storage).port;
	return s;
}

static void *live(void *context)
{
	struct scene *scene = context;

	scene->status = worker_run(&scene->setup);
	return NULL;
}

/* Generous limits; each test makes its own one small before scene_start. */
static void scene_prepare(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	snprintf(scene->folder, sizeof(scene->folder), "/tmp/sundew-worker-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	scene->folder_fd = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pipe2(scene->control, O_CLOEXEC), 0);
	scene->service = (struct service){
		.protocol = &echo,
		.idle = MINUTE,
		.lifetime = HOUR,
		.input_bytes = (uint64_t)1 << 20,
		.udp_answer_ratio = 1.0,
	};
	scene->settings.sensor = "test";
	scene->settings.limits = (struct decoy_limits){
		.connections = 1000,
		.connections_per_source = 1000,
		.rate_per_source = 1,
		.burst_per_source = 1000,
		.memory = (int64_t)64 << 20,
		.session_memory = (int64_t)1 << 20,
		.udp_sessions = 1000,
		.evidence_bytes = 1024,
	};
}

static void scene_start(struct scene *scene)
{
	static const struct {
		int family, kind;
		const char *address;
	} wanted[LISTENERS] = {
		[TCP4] = {AF_INET, SOCK_STREAM, "0.0.0.0"},
		[TCP6] = {AF_INET6, SOCK_STREAM, "::1"},
		[UDP4] = {AF_INET, SOCK_DGRAM, "127.0.0.1"},
		[UDP6] = {AF_INET6, SOCK_DGRAM, "::1"},
	};
	struct spool_limits limits = {0, 0};
	size_t listeners = 0;

	for (size_t i = 0; i < LISTENERS; i++) {
		int s = bind_one(wanted[i].family, wanted[i].kind, wanted[i].address,
				 &scene->ports[i]);

		if (s >= 0)
			scene->listeners[listeners++] = (struct worker_listener){
				s, wanted[i].kind == SOCK_DGRAM ? UDP : TCP, &scene->service};
	}
	scene->setup = (struct worker_setup){
		.tap = -1,
		.base = worker_base_new(),
		.settings = &scene->settings,
		.listeners = scene->listeners,
		.listener_count = listeners,
		.spool = spool_open(scene->folder_fd, &limits),
		.evidence_folder = -1,
		.control = scene->control[0],
		.context = scene,
		.on_control = on_control,
		.count = count,
		.set = set,
	};
	assert_non_null(scene->setup.spool);
	assert_int_equal(pthread_create(&scene->thread, NULL, live, scene), 0);
}

/* Drains; returns the spool's text, to be freed. */
static char *scene_end(struct scene *scene)
{
	char path[96], *text = calloc(1, (size_t)1 << 20);
	FILE *file;

	assert_int_equal(write(scene->control[1], "x", 1), 1);
	assert_int_equal(pthread_join(scene->thread, NULL), 0);
	assert_int_equal(scene->status, 0);
	spool_close(scene->setup.spool);
	for (size_t i = 0; i < scene->setup.listener_count; i++)
		close(scene->listeners[i].descriptor);
	snprintf(path, sizeof(path), "%s/0000000001.ndjson", scene->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, ((size_t)1 << 20) - 1, file) > 0);
	fclose(file);
	unlink(path);
	rmdir(scene->folder);
	close(scene->folder_fd);
	close(scene->control[0]);
	close(scene->control[1]);
	return text;
}

static unsigned times(const char *text, const char *what)
{
	unsigned found = 0;

	while ((text = strstr(text, what)) != NULL) {
		found++;
		text += strlen(what);
	}
	return found;
}

/* --- its clients --- */

static int dial(int kind, const char *from, const char *to, uint16_t port)
{
	struct endpoint source = {.port = 0}, target = {.port = port};
	struct sockaddr_storage storage;
	socklen_t length;
	int s;

	assert_int_equal(address_parse(slice_text(from), &source.address), 0);
	assert_int_equal(address_parse(slice_text(to), &target.address), 0);
	s = socket(target.address.family == 6 ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC, 0);
	assert_true(s >= 0);
	length = endpoint_to_socket(&source, &storage);
	assert_int_equal(bind(s, (struct sockaddr *)&storage, length), 0);
	length = endpoint_to_socket(&target, &storage);
	assert_int_equal(connect(s, (struct sockaddr *)&storage, length), 0);
	return s;
}

/* What came, as text; "" when the other end closed, NULL when nothing came in time. */
static const char *hear(int s, char *room, size_t size, int milliseconds)
{
	struct pollfd polled = {s, POLLIN, 0};
	ssize_t got;

	if (poll(&polled, 1, milliseconds) != 1)
		return NULL;
	got = recv(s, room, size - 1, 0);
	room[got > 0 ? got : 0] = 0;
	return room;
}

static void expect(int s, const char *text)
{
	char room[256];
	const char *heard = hear(s, room, sizeof(room), DEADLINE);

	assert_non_null(heard);
	assert_string_equal(heard, text);
}

/* A client over TCP that was greeted, so it is known to be there. */
static int join(struct scene *scene, const char *from)
{
	int s = dial(SOCK_STREAM, from, "127.0.0.1", scene->ports[TCP4]);

	expect(s, "hello\n");
	return s;
}

/* Says something and hears it again: the session is alive, and now the last one heard. */
static void poke(int s)
{
	assert_int_equal(send(s, "poke", 4, MSG_NOSIGNAL), 4);
	expect(s, "poke");
}

static void is_gone(int s)
{
	expect(s, "");
}

static void close_all(int *clients, size_t amount)
{
	for (size_t i = 0; i < amount; i++)
		close(clients[i]);
}

/* --- the tests --- */

static void the_oldest_idle_goes_at_the_connection_limit(void **state)
{
	struct scene scene;
	int clients[6];
	char *told;

	scene_prepare(&scene);
	scene.settings.limits.connections = 4;
	scene_start(&scene);
	for (int i = 0; i < 4; i++) { /* n - 1, and n */
		clients[i] = join(&scene, "127.0.0.1");
		assert_int_equal(counted(&scene, WORKER_SHED_CONNECTIONS), 0);
	}
	for (int i = 0; i < 4; i++)
		poke(clients[i]);
	poke(clients[0]); /* so the second has been silent longest */
	clients[4] = join(&scene, "127.0.0.2");
	is_gone(clients[1]);
	assert_int_equal(counted(&scene, WORKER_SHED_CONNECTIONS), 1);
	clients[5] = join(&scene, "127.0.0.3");
	is_gone(clients[2]);
	assert_int_equal(counted(&scene, WORKER_SHED_CONNECTIONS), 2);
	poke(clients[0]);
	poke(clients[3]);
	poke(clients[4]);
	poke(clients[5]);
	assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 0);
	assert_int_equal(counted(&scene, WORKER_SESSIONS_ACTIVE), 4);
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"session.open\""), 6);
	assert_int_equal(times(told, "\"shed: connection limit\""), 2);
	assert_int_equal(times(told, "\"shutdown\""), 4);
	free(told);
	close_all(clients, 6);
}

static void the_oldest_idle_of_a_source_goes_at_its_limit(void **state)
{
	struct scene scene;
	int other, clients[4];
	char *told;

	scene_prepare(&scene);
	scene.settings.limits.connections_per_source = 3;
	scene_start(&scene);
	other = join(&scene, "127.0.0.9"); /* silent longest, and none of that source */
	for (int i = 0; i < 3; i++) {
		clients[i] = join(&scene, "127.0.0.1");
		assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 0);
	}
	for (int i = 0; i < 3; i++)
		poke(clients[i]);
	poke(clients[0]);
	clients[3] = join(&scene, "127.0.0.1");
	is_gone(clients[1]);
	assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 1);
	poke(other);
	poke(clients[0]);
	poke(clients[2]);
	poke(clients[3]);
	/* One that leaves makes room. */
	close(clients[3]);
	while (counted(&scene, WORKER_SESSIONS_ACTIVE) > 3)
		poke(other);
	clients[3] = join(&scene, "127.0.0.1");
	assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 1);
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"shed: source limit\""), 1);
	free(told);
	close_all(clients, 4);
	close(other);
}

static void a_source_gets_its_burst_and_no_more(void **state)
{
	struct scene scene;
	int clients[8], refused;
	char *told;

	scene_prepare(&scene);
	scene.settings.limits.burst_per_source = 5;
	scene_start(&scene);
	for (int i = 0; i < 5; i++)
		clients[i] = join(&scene, "127.0.0.1");
	assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 0);
	refused = dial(SOCK_STREAM, "127.0.0.1", "127.0.0.1", scene.ports[TCP4]);
	is_gone(refused);
	assert_int_equal(counted(&scene, WORKER_SHED_SOURCE), 1);
	clients[5] = join(&scene, "127.0.0.2"); /* others are not concerned */
	for (int i = 0; i < 6; i++)
		poke(clients[i]);
	assert_int_equal(counted(&scene, WORKER_CONNECTIONS), 6);
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"session.open\""), 6);
	free(told);
	close_all(clients, 6);
	close(refused);
}

static void memory_is_bounded_over_tcp_and_udp(void **state)
{
	for (int udp = 0; udp < 2; udp++) {
		struct scene scene;
		int clients[20];
		char *told;

		scene_prepare(&scene);
		scene.settings.limits.memory = (int64_t)1 << 20;
		scene_start(&scene);
		for (int i = 0; i < 20; i++) {
			clients[i] =
				udp ? dial(SOCK_DGRAM, "127.0.0.1", "127.0.0.1", scene.ports[UDP4])
				    : join(&scene, "127.0.0.1");
			assert_int_equal(send(clients[i], "grow", 4, MSG_NOSIGNAL), 4);
			expect(clients[i], "grow");
			/* Ten times 100 KiB fit into 1 MiB. */
			if (i < 10)
				assert_int_equal(counted(&scene, WORKER_SHED_MEMORY), 0);
		}
		poke(clients[19]); /* the turn that shed the last one is over */
		assert_in_range(counted(&scene, WORKER_SHED_MEMORY), 10, 11);
		if (!udp)
			is_gone(clients[0]);
		told = scene_end(&scene);
		assert_in_range(times(told, "\"shed: memory\""), 10, 11);
		free(told);
		close_all(clients, 20);
	}
}

static void datagrams_are_answered_and_bounded(void **state)
{
	struct scene scene;
	int clients[5];
	char room[64], *told;

	scene_prepare(&scene);
	scene.settings.limits.udp_sessions = 3;
	scene.settings.limits.burst_per_source = 12;
	scene_start(&scene);
	for (int i = 0; i < 3; i++) {
		clients[i] = dial(SOCK_DGRAM, "127.0.0.1", "127.0.0.1", scene.ports[UDP4]);
		poke(clients[i]);
		assert_int_equal(counted(&scene, WORKER_SHED_UDP), 0);
	}
	poke(clients[0]);
	clients[3] = dial(SOCK_DGRAM, "127.0.0.1", "127.0.0.1", scene.ports[UDP4]);
	poke(clients[3]); /* in the place of the second */
	assert_int_equal(counted(&scene, WORKER_SHED_UDP), 1);
	assert_int_equal(counted(&scene, WORKER_CONNECTIONS), 4);
	poke(clients[0]);
	assert_int_equal(counted(&scene, WORKER_CONNECTIONS), 4); /* was still there */
	/* Six of twelve are used up, whatever the session. */
	for (int i = 0; i < 6; i++)
		poke(clients[3]);
	assert_int_equal(counted(&scene, WORKER_SHED_UDP), 1);
	assert_int_equal(send(clients[3], "poke", 4, 0), 4);
	clients[4] = dial(SOCK_DGRAM, "127.0.0.2", "127.0.0.1", scene.ports[UDP4]);
	poke(clients[4]);
	assert_null(hear(clients[3], room, sizeof(room), 0));
	assert_int_equal(counted(&scene, WORKER_SHED_UDP), 3); /* and the oldest session */
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"shed: udp session limit\""), 2);
	free(told);
	close_all(clients, 5);
}

static void ipv6_is_served_too(void **state)
{
	struct scene scene;
	int tcp, udp;
	char *told;

	scene_prepare(&scene);
	scene_start(&scene);
	if (scene.ports[TCP6] == 0 || scene.ports[UDP6] == 0) {
		free(scene_end(&scene));
		skip(); /* this host has no ::1 */
	}
	tcp = dial(SOCK_STREAM, "::1", "::1", scene.ports[TCP6]);
	expect(tcp, "hello\n");
	poke(tcp);
	udp = dial(SOCK_DGRAM, "::1", "::1", scene.ports[UDP6]);
	poke(udp);
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"session.open\""), 2);
	assert_true(times(told, "\"ip\":\"::1\"") >= 4);
	free(told);
	close(tcp);
	close(udp);
}

static void a_tarpit_holds_whom_it_names(void **state)
{
	struct scene scene;
	static const char *const network[] = {"127.0.9.0/24"};
	int slow, fast;
	char room[64], *told;

	scene_prepare(&scene);
	scene.settings.tarpits[0] = (struct tarpit_rule){
		.name = "slow", .sources = {network, 1}, .tarpit = {2, 200 * MILLISECOND}};
	scene.settings.tarpit_count = 1;
	scene_start(&scene);
	slow = dial(SOCK_STREAM, "127.0.9.1", "127.0.0.1", scene.ports[TCP4]);
	fast = join(&scene, "127.0.8.1");
	for (size_t at = 0; at < 6; at += 2) {
		int64_t asked = clock_monotonic();
		const char *heard = hear(slow, room, sizeof(room), DEADLINE);

		assert_non_null(heard);
		assert_int_equal(strlen(heard), 2);
		assert_memory_equal(heard, "hello\n" + at, 2);
		if (at)
			assert_true(clock_monotonic() - asked > 100 * MILLISECOND);
		poke(fast);
	}
	assert_int_equal(send(slow, "ab", 2, MSG_NOSIGNAL), 2);
	expect(slow, "ab");
	close(slow);
	while (counted(&scene, WORKER_SESSIONS_ACTIVE) > 1)
		poke(fast);
	told = scene_end(&scene);
	assert_int_equal(times(told, "\"tarpit\""), 1);
	free(told);
	close(fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_idle_goes_at_the_connection_limit),
		cmocka_unit_test(the_oldest_idle_of_a_source_goes_at_its_limit),
		cmocka_unit_test(a_source_gets_its_burst_and_no_more),
		cmocka_unit_test(memory_is_bounded_over_tcp_and_udp),
		cmocka_unit_test(datagrams_are_answered_and_bounded),
		cmocka_unit_test(ipv6_is_served_too),
		cmocka_unit_test(a_tarpit_holds_whom_it_names),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
