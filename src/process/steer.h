/* Steering: connections and datagrams to ports on which nobody listens, led to sockets of ours.
 *
 * A BPF program at the kernel's socket lookup (BPF_PROG_TYPE_SK_LOOKUP, Linux 5.9; struct
 * bpf_sk_lookup of linux/bpf.h) picks the socket. Established connections and connected datagram
 * sockets are looked up before it, so that what this host itself began is not touched; ports on
 * the list of those to leave are passed on to the ordinary lookup. No packet is rewritten: an
 * accepted socket's own address is the one that was asked for.
 *
 * The link is a descriptor of this process. The kernel takes it away with its last owner, however
 * that one ends. It holds for the network namespace that the process is in.
 */
#ifndef PROCESS_STEER_H
#define PROCESS_STEER_H

#include "base/address.h"
#include "base/config_types.h"

#define STEER_PORTS     65536
#define STEER_ADDRESSES 64
#define STEER_WHY       256

enum steer_socket { STEER_TCP4, STEER_TCP6, STEER_UDP4, STEER_UDP6, STEER_SOCKETS };

/* One bit a port, TCP's first, then UDP's: those that are left alone. */
struct steer_ports {
	uint8_t bits[2 * STEER_PORTS / 8];
};

struct steer_setup {
	/* Listening or bound; of a group of SO_REUSEPORT one is enough. -1: none of this kind. */
	int sockets[STEER_SOCKETS];
	/* The addresses of this host that are steered; with `everywhere` all but loopback's, to
	 * which `addresses` adds. */
	const struct address *addresses;
	size_t address_count;
	bool everywhere;
};

struct steer;

/* Attaches the program; NULL with `why` when the kernel or the rights do not allow it. Needs
 * CAP_NET_ADMIN and CAP_BPF. The sockets stay the caller's. */
struct steer *steer_open(const struct steer_setup *setup, const struct steer_ports *leave,
			 char why[STEER_WHY]);
/* Another list of ports, from now on. */
MUST_CHECK int steer_leave(struct steer *steer, const struct steer_ports *leave);
/* Detaches. Accepts NULL. */
void steer_close(struct steer *steer);
/* Whether this process could attach one here and now: loads a program, attaches nothing. */
MUST_CHECK bool steer_possible(char why[STEER_WHY]);

void steer_ports_add(struct steer_ports *ports, bool udp, unsigned first, unsigned last);
bool steer_ports_has(const struct steer_ports *ports, bool udp, unsigned port);
/* Adds what the host uses now: ports that somebody listens on or has bound (of loopback's only if
 * `loopback`), and the range of UDP ports that its own questions leave from, for their answers come
 * back there. -1 when /proc does not tell. */
MUST_CHECK int steer_ports_add_used(struct steer_ports *ports, bool loopback);

#endif
