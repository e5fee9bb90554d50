/* Ciphers of the packet layer: nettle's block and stream ciphers, whose contexts are small and need
 * no look-up, and OpenSSL's for the authenticated ones (chacha20-poly1305@openssh.com, AES-GCM). */
#ifndef DECOY_SSH_CIPHER_H
#define DECOY_SSH_CIPHER_H

#include "base/bytes.h"

#define SSH_KEY_MAX   64 /* chacha20-poly1305's two keys; HMAC-SHA-512's one */
#define SSH_BLOCK_MAX 16
#define SSH_TAG_MAX   64

/* What OpenSSL looks up by name, looked up once. */
struct ssh_primitives;
struct ssh_primitives *ssh_primitives_new(void); /* NULL when memory is out */
void ssh_primitives_free(struct ssh_primitives *primitives);

struct ssh_cipher {
	const char *name;
	uint8_t key, iv, block; /* lengths in bytes */
	uint8_t tag;            /* of an authenticated cipher; 0: a MAC goes with it */
	bool cbc;
	size_t state_size;
	const void *algorithm;
	uint16_t skipped; /* bytes of key stream that are thrown away first (RFC 4345) */
	void (*set_up)(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
		       void *state, const uint8_t *key, const uint8_t *iv, bool encrypts);
	/* Whole blocks, in place or not; NULL for an authenticated cipher, which has: */
	void (*crypt)(void *state, uint8_t *out, const uint8_t *in, size_t length);
	/* the length that a packet's first four bytes hide; */
	uint32_t (*length)(void *state, uint32_t sequence, const uint8_t at[4]);
	/* encryption in place of four bytes of length and `need` more, tag behind them; */
	void (*seal)(void *state, uint32_t sequence, uint8_t *packet, size_t need);
	/* the opposite, without the length, to `out`; false: the tag is wrong. */
	bool (*open)(void *state, uint32_t sequence, const uint8_t *packet, size_t need,
		     uint8_t *out);
	void (*clean_up)(void *state);
};

const struct ssh_cipher *ssh_cipher_named(struct slice name);
/* NULL when memory is out. */
void *ssh_cipher_new(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
		     const uint8_t *key, const uint8_t *iv, bool encrypts);
void ssh_cipher_free(const struct ssh_cipher *cipher, void *state); /* accepts NULL */

#endif
