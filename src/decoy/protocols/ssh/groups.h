/* Diffie-Hellman groups: the fixed ones of RFC 2409 and 3526, and the moduli that a group exchange
 * (RFC 4419) chooses from. */
#ifndef DECOY_SSH_GROUPS_H
#define DECOY_SSH_GROUPS_H

#include <openssl/bn.h>

#include "base/arena.h"
#include "base/bytes.h"

struct ssh_groups;

/* Moduli are read from share/ssh/moduli (moduli(5)); without the file the fixed groups stand in, as
 * with OpenSSH. NULL when memory is out. */
struct ssh_groups *ssh_groups_read(const char *share_folder, struct arena *arena);

struct ssh_group {
	BIGNUM *prime;
	unsigned generator;
};

/* One of the fixed groups: 1 (1024 bits), 14, 16 or 18. The prime is the caller's. */
struct ssh_group ssh_group_fixed(unsigned number);
/* The best of the moduli for these sizes, `draw` choosing among equals; prime NULL: none fits. */
struct ssh_group ssh_group_choose(const struct ssh_groups *groups, unsigned minimum,
				  unsigned wanted, unsigned maximum, uint64_t draw);

#endif
