/* SSH host keys: RSA, ECDSA (P-256) and Ed25519, made once for an installation and kept as PEM; in
 * SSH's forms (RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709). */
#ifndef DECOY_HOST_KEYS_H
#define DECOY_HOST_KEYS_H

#include "base/bytes.h"

enum host_key_type { HOST_KEY_RSA, HOST_KEY_ECDSA, HOST_KEY_ED25519, HOST_KEY_TYPES };

struct host_keys;

/* Makes one of each, PEM, appended to the writer. -1 on failure. */
MUST_CHECK int host_keys_make(unsigned rsa_bits, struct writer *pem);
/* From a PEM file, opened before the sandbox closes; NULL with *why (static text). */
struct host_keys *host_keys_read(const char *path, const char **why);
struct host_keys *host_keys_parse(struct slice pem, const char **why);
void host_keys_free(struct host_keys *keys); /* accepts NULL */

/* The public key as it goes over the wire; lives as long as the keys. */
struct slice host_keys_public(const struct host_keys *keys, enum host_key_type type);
/* ssh-rsa, ecdsa-sha2-nistp256, ssh-ed25519. */
const char *host_keys_type_name(enum host_key_type type);
/* Appends a signature (algorithm's name and blob). `algorithm` chooses the hash of an RSA key. */
MUST_CHECK int host_keys_sign(const struct host_keys *keys, enum host_key_type type,
			      const char *algorithm, struct slice data, struct writer *signature);

#endif
