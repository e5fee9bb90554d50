/* Key exchange methods: what the server answers to the client's share, and the secret of both. */
#ifndef DECOY_SSH_EXCHANGE_H
#define DECOY_SSH_EXCHANGE_H

#include "decoy/protocols/ssh/groups.h"

struct nettle_hash;
struct session;

enum ssh_method_kind {
	SSH_METHOD_X25519,
	SSH_METHOD_NTRU, /* sntrup761 and X25519 */
	SSH_METHOD_NIST,
	SSH_METHOD_GROUP,
	SSH_METHOD_CHOSEN_GROUP, /* RFC 4419 */
};

struct ssh_method {
	const char *name;
	enum ssh_method_kind kind;
	const struct nettle_hash *hash;
	unsigned parameter; /* which curve, which group */
	unsigned cost;      /* tenths of a millisecond, beyond what is cheap */
};

const struct ssh_method *ssh_method_named(struct slice name);

struct ssh_exchanger;
struct ssh_exchanger *ssh_exchanger_new(void); /* NULL when memory is out */
void ssh_exchanger_free(struct ssh_exchanger *exchanger);

#define SSH_SHARE_MAX  1280 /* sntrup761x25519's; a group's number is at most 1024 and a sign */
#define SSH_SECRET_MAX 1040

/* One exchange; `share` and `secret` come out in their wire forms (string or mpint). */
struct ssh_exchange {
	struct writer share, secret;
	uint8_t share_room[SSH_SHARE_MAX], secret_room[SSH_SECRET_MAX];
};

/* For all methods but groups: the client's share is a string. -1: it is not valid. */
MUST_CHECK int ssh_exchange_curve(struct ssh_exchanger *exchanger, const struct ssh_method *method,
				  struct session *session, struct slice client,
				  struct ssh_exchange *exchange);
/* For groups: it is a number. The secret's exponent has twice `bits` bits. */
MUST_CHECK int ssh_exchange_group(const struct ssh_group *group, struct slice client, unsigned bits,
				  struct ssh_exchange *exchange);

#endif
