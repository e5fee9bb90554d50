/* Accept, read, close: the bare loop that the decoys are measured against, and the client for both.
 *
 *     accept_bench serve PORT       a libevent loop: accept, read to the end, close; until killed
 *     accept_bench load PORT SECONDS [differ]
 *                                   connections that send 16 bytes, end their side and wait for the
 *                                   server to close; prints how many were served in how many
 *                                   seconds. With "differ" no two send the same.
 *
 * Only loopback. tests/bench/run_decoys starts both and counts the servers' processor time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define AT_ONCE 128 /* connections that the client has open */
#define SOURCES 64  /* its addresses, so that ports waiting in TIME_WAIT never run out */
#define ACCEPTS 64  /* a turn, as in a worker */

static uint16_t port_of(const char *text)
{
	int64_t port;

	if (slice_number(slice_text(text), 1, 65535, &port) < 0)
		fatal("%s is not a port", text);
	return (uint16_t)port;
}

static struct sockaddr_in loopback(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(0x7f000000 | host)};
}

/* --- the bare server --- */

static void on_readable(evutil_socket_t socket, short what, void *context)
{
	struct event **watch = context;
	uint8_t bytes[4096];
	ssize_t got = recv(socket, bytes, sizeof(bytes), 0);

	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	event_free(*watch);
	free(watch);
	close(socket);
}

static void on_accept(evutil_socket_t listener, short what, void *base)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		int socket = accept4(listener, (struct sockaddr *)&from, &length,
				     SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct event **watch;

		if (socket < 0)
			return;
		watch = calloc(1, sizeof(struct event *));
		if (watch)
			*watch = event_new(base, socket, EV_READ | EV_PERSIST, on_readable, watch);
		if (!watch || !*watch || event_add(*watch, NULL) < 0)
			fatal("out of memory");
	}
}

static int serve(uint16_t port)
{
	struct sockaddr_in at = loopback(1, port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
	struct event_base *base = event_base_new();
	struct event *watch;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!base || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 4096) < 0)
		fatal("cannot listen on port %u: %m", port);
	watch = event_new(base, listener, EV_READ | EV_PERSIST, on_accept, base);
	if (!watch || event_add(watch, NULL) < 0)
		fatal("out of memory");
	return event_base_dispatch(base);
}

/* --- the client --- */

static void open_one(int epoll, uint16_t port, uint32_t number, bool differ)
{
	char text[17] = "0123456789abcdef";
	struct sockaddr_in from = loopback(0x0100 + number % SOURCES + 1, 0),
			   to = loopback(1, port);
	int socket_at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	struct epoll_event interest = {.events = EPOLLIN, .data.fd = socket_at};

	setsockopt(socket_at, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (bind(socket_at, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(socket_at, (struct sockaddr *)&to, sizeof(to)) < 0)
		fatal("cannot connect to port %u: %m", port);
	if (differ)
		snprintf(text, sizeof(text), "%06d%010u", getpid(), number);
	if (send(socket_at, text, 16, MSG_NOSIGNAL) != 16 || shutdown(socket_at, SHUT_WR) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, socket_at, &interest) < 0)
		fatal("cannot send: %m");
}

static int load(uint16_t port, int64_t seconds, bool differ)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int64_t began = clock_monotonic(), now = began;
	uint32_t opened = 0, served = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (opened < AT_ONCE)
		open_one(epoll, port, opened++, differ);
	while (now - began < seconds * SECOND) {
		struct epoll_event ready[AT_ONCE];
		int count = epoll_wait(epoll, ready, AT_ONCE, 1000);

		for (int i = 0; i < count; i++) {
			uint8_t byte;

			if (recv(ready[i].data.fd, &byte, 1, MSG_DONTWAIT) != 0)
				fatal("the server did not just close: %m");
			close(ready[i].data.fd);
			served++;
			open_one(epoll, port, opened++, differ);
		}
		now = clock_monotonic();
	}
	printf("%u %.6f\n", served, (double)(now - began) / (double)SECOND);
	return 0;
}

int main(int count, char **words)
{
	int64_t seconds;

	if (count == 3 && strcmp(words[1], "serve") == 0)
		return serve(port_of(words[2]));
	if ((count == 4 || (count == 5 && strcmp(words[4], "differ") == 0)) &&
	    strcmp(words[1], "load") == 0 &&
	    slice_number(slice_text(words[3]), 1, 600, &seconds) == 0)
		return load(port_of(words[2]), seconds, count == 5);
	fprintf(stderr,
		"usage: accept_bench serve PORT | accept_bench load PORT SECONDS [differ]\n");
	return 2;
}
