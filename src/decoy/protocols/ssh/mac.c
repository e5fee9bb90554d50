/* MACs of the packet layer; see mac.h. */
#include <stdlib.h>

#include <nettle/nettle-meta.h>
#include <nettle/umac.h>

#include "decoy/protocols/ssh/mac.h"

#define ETM "-etm@openssh.com"

static const struct ssh_mac macs[] = {
	{"umac-64" ETM, NULL, 16, 8, true},
	{"umac-128" ETM, NULL, 16, 16, true},
	{"hmac-sha2-256" ETM, &nettle_hmac_sha256, 32, 32, true},
	{"hmac-sha2-512" ETM, &nettle_hmac_sha512, 64, 64, true},
	{"hmac-sha1" ETM, &nettle_hmac_sha1, 20, 20, true},
	{"hmac-sha1-96" ETM, &nettle_hmac_sha1, 20, 12, true},
	{"hmac-md5" ETM, &nettle_hmac_md5, 16, 16, true},
	{"hmac-md5-96" ETM, &nettle_hmac_md5, 16, 12, true},
	{"umac-64@openssh.com", NULL, 16, 8, false},
	{"umac-128@openssh.com", NULL, 16, 16, false},
	{"hmac-sha2-256", &nettle_hmac_sha256, 32, 32, false},
	{"hmac-sha2-256-96", &nettle_hmac_sha256, 32, 12, false},
	{"hmac-sha2-512", &nettle_hmac_sha512, 64, 64, false},
	{"hmac-sha2-512-96", &nettle_hmac_sha512, 64, 12, false},
	{"hmac-sha1", &nettle_hmac_sha1, 20, 20, false},
	{"hmac-sha1-96", &nettle_hmac_sha1, 20, 12, false},
	{"hmac-md5", &nettle_hmac_md5, 16, 16, false},
	{"hmac-md5-96", &nettle_hmac_md5, 16, 12, false},
	{"hmac-ripemd160", &nettle_hmac_ripemd160, 20, 20, false},
	{"hmac-ripemd160@openssh.com", &nettle_hmac_ripemd160, 20, 20, false},
};

const struct ssh_mac *ssh_mac_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(macs); i++) {
		if (slice_is(name, macs[i].name))
			return &macs[i];
	}
	return NULL;
}

size_t ssh_mac_size(const struct ssh_mac *mac)
{
	if (mac->hmac)
		return mac->hmac->context_size;
	return mac->tag == 8 ? sizeof(struct umac64_ctx) : sizeof(struct umac128_ctx);
}

void *ssh_mac_new(const struct ssh_mac *mac, const uint8_t *key)
{
	void *state = malloc(ssh_mac_size(mac));

	if (!state)
		return NULL;
	if (mac->hmac)
		mac->hmac->set_key(state, key);
	else if (mac->tag == 8)
		umac64_set_key(state, key);
	else
		umac128_set_key(state, key);
	return state;
}

void ssh_mac_free(const struct ssh_mac *mac, void *state)
{
	if (!state)
		return;
	explicit_bzero(state, ssh_mac_size(mac));
	free(state);
}

void ssh_mac_compute(const struct ssh_mac *mac, void *state, uint32_t sequence, struct slice bytes,
		     uint8_t *tag)
{
	uint8_t number[8] = {0,
			     0,
			     0,
			     0,
			     (uint8_t)(sequence >> 24),
			     (uint8_t)(sequence >> 16),
			     (uint8_t)(sequence >> 8),
			     (uint8_t)sequence};

	if (mac->hmac) {
		mac->hmac->update(state, 4, number + 4);
		mac->hmac->update(state, bytes.length, bytes.at);
		mac->hmac->digest(state, mac->tag, tag);
	} else if (mac->tag == 8) {
		umac64_set_nonce(state, sizeof(number), number);
		umac64_update(state, bytes.length, bytes.at);
		umac64_digest(state, mac->tag, tag);
	} else {
		umac128_set_nonce(state, sizeof(number), number);
		umac128_update(state, bytes.length, bytes.at);
		umac128_digest(state, mac->tag, tag);
	}
}
