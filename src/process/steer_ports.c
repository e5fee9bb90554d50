/* Which ports are left alone: those that are named, and those that the host uses now (proc(5)). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "process/steer.h"

void steer_ports_add(struct steer_ports *ports, bool udp, unsigned first, unsigned last)
{
	for (unsigned port = first; port <= last && port < STEER_PORTS; port++) {
		unsigned bit = port + (udp ? STEER_PORTS : 0);

		ports->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
	}
}

bool steer_ports_has(const struct steer_ports *ports, bool udp, unsigned port)
{
	unsigned bit = port + (udp ? STEER_PORTS : 0);

	return port < STEER_PORTS && ports->bits[bit / 8] >> bit % 8 & 1;
}

/* The address of proc(5)'s /proc/net/tcp is hexadecimal, in words of the host's order. */
static bool is_loopback(const char *hex)
{
	if (strlen(hex) == 8)
		return strcmp(hex + 6, "7F") == 0;
	return strcmp(hex, "00000000000000000000000001000000") == 0 ||
	       strncmp(hex, "0000000000000000FFFF0000", 24) == 0;
}

#define STATE_LISTEN 0x0a
#define STATE_CLOSE  0x07 /* of a datagram socket that is bound and not connected */

static int add_table(struct steer_ports *ports, const char *path, bool udp, bool loopback)
{
	FILE *table = fopen(path, "re");
	char line[512];

	if (!table)
		return errno == ENOENT ? 0 : -1; /* no IPv6 here */
	while (fgets(line, sizeof(line), table)) {
		char address[40];
		unsigned port, state;

		if (sscanf(line, " %*u: %39[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &port,
			   &state) == 3 &&
		    state == (udp ? STATE_CLOSE : STATE_LISTEN) &&
		    (loopback || !is_loopback(address)))
			steer_ports_add(ports, udp, port, port);
	}
	fclose(table);
	return 0;
}

static int add_own_questions(struct steer_ports *ports)
{
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned first, last;
	int got;

	if (!range)
		return -1;
	got = fscanf(range, "%u %u", &first, &last);
	fclose(range);
	if (got != 2)
		return -1;
	steer_ports_add(ports, true, first, last);
	return 0;
}

int steer_ports_add_used(struct steer_ports *ports, bool loopback)
{
	if (add_table(ports, "/proc/self/net/tcp", false, loopback) < 0 ||
	    add_table(ports, "/proc/self/net/tcp6", false, loopback) < 0 ||
	    add_table(ports, "/proc/self/net/udp", true, loopback) < 0 ||
	    add_table(ports, "/proc/self/net/udp6", true, loopback) < 0)
		return -1;
	return add_own_questions(ports);
}
