/* Digests (OpenSSL underneath), a keyed hash for tables (SipHash-2-4, Aumasson and Bernstein), and
 * randomness from the kernel. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

#define SHA256_LENGTH 32
#define MD5_LENGTH    16
#define SHA256_HEX    (2 * SHA256_LENGTH)

/* A running SHA-256; free with hash_free, which accepts NULL. NULL when memory is out. */
struct hash;
struct hash *hash_sha256(void);
void hash_add(struct hash *hash, struct slice bytes);
/* Writes the digest; the hash can then only be freed. */
void hash_finish(struct hash *hash, uint8_t digest[SHA256_LENGTH]);
void hash_free(struct hash *hash);

void hash_sha256_once(struct slice bytes, uint8_t digest[SHA256_LENGTH]);
void hash_md5_once(struct slice bytes, uint8_t digest[MD5_LENGTH]);
void hash_sha1_once(struct slice bytes, uint8_t digest[20]);

uint64_t hash_sip(const uint64_t key[2], struct slice bytes);

/* Fills from the kernel's generator; ends the program if there is none. */
void random_bytes(void *at, size_t length);

#endif
