/* Message authentication codes: HMAC and UMAC (RFC 4418) by nettle. */
#ifndef DECOY_SSH_MAC_H
#define DECOY_SSH_MAC_H

#include "base/bytes.h"

struct nettle_mac;

struct ssh_mac {
	const char *name;
	const struct nettle_mac *hmac; /* NULL: UMAC */
	uint8_t key, tag;              /* lengths in bytes */
	bool etm;                      /* over the ciphertext */
};

const struct ssh_mac *ssh_mac_named(struct slice name);
void *ssh_mac_new(const struct ssh_mac *mac, const uint8_t *key); /* NULL: no memory */
void ssh_mac_free(const struct ssh_mac *mac, void *state);
size_t ssh_mac_size(const struct ssh_mac *mac);
/* Over the sequence number and the bytes. */
void ssh_mac_compute(const struct ssh_mac *mac, void *state, uint32_t sequence, struct slice bytes,
		     uint8_t *tag);

#endif
