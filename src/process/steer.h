/* Steering: connections and datagrams to ports on which nobody listens, led to sockets of ours.
 *
 * Two ways lead there: a BPF program at the kernel's socket lookup (sk_lookup, Linux 5.9), and
 * where that cannot be had, rules of nftables with TPROXY. Neither rewrites a packet: an accepted
 * socket's own address is the one that was asked for. Neither touches a connection or a connected
 * datagram socket of this host's own, or a port on the list of those to leave. Both hold for the
 * network namespace that the process is in, and go with the process, however that ends.
 */
#ifndef PROCESS_STEER_H
#define PROCESS_STEER_H

#include "base/address.h"
#include "base/config_types.h"

#define STEER_PORTS     65536
#define STEER_ADDRESSES 64
#define STEER_WHY       300

enum steer_way { STEER_ANY_WAY, STEER_SK_LOOKUP, STEER_TPROXY, STEER_WAYS };
enum steer_socket { STEER_TCP4, STEER_TCP6, STEER_UDP4, STEER_UDP6, STEER_SOCKETS };

/* One bit a port, TCP's first, then UDP's: those that are left alone. */
struct steer_ports {
	uint8_t bits[2 * STEER_PORTS / 8];
};

struct steer_setup {
	enum steer_way way; /* the first that can be had, or this one only */
	/* Listening or bound; of a group of SO_REUSEPORT one is enough. -1: none of this kind.
	 * TPROXY wants IP_TRANSPARENT on each of the group. */
	int sockets[STEER_SOCKETS];
	/* The addresses of this host that are steered; with `everywhere` all but loopback's, to
	 * which `addresses` adds. */
	const struct address *addresses;
	size_t address_count;
	bool everywhere;
};

struct steer;

/* Attaches the program or the rules; NULL with `why` when the kernel or the rights do not allow it.
 * Needs CAP_NET_ADMIN, and CAP_BPF for sk_lookup. The sockets stay the caller's. */
struct steer *steer_open(const struct steer_setup *setup, const struct steer_ports *leave,
			 char why[STEER_WHY]);
/* Another list of ports, from now on. */
MUST_CHECK int steer_leave(struct steer *steer, const struct steer_ports *leave);
/* Detaches. Accepts NULL. */
void steer_close(struct steer *steer);
/* Which way it is, as users know it. */
const char *steer_name(const struct steer *steer);
/* Which way could be had here and now, as steer_name; NULL with `why`. What it loads to find out is
 * attached to nothing. */
MUST_CHECK const char *steer_possible(enum steer_way way, char why[STEER_WHY]);

void steer_ports_add(struct steer_ports *ports, bool udp, unsigned first, unsigned last);
bool steer_ports_has(const struct steer_ports *ports, bool udp, unsigned port);
/* Adds what the host uses now: ports that somebody listens on or has bound (of loopback's only if
 * `loopback`), and the range of UDP ports that its own questions leave from, for their answers come
 * back there. -1 when /proc does not tell. */
MUST_CHECK int steer_ports_add_used(struct steer_ports *ports, bool loopback);

#endif
