/* Digests, SipHash and kernel randomness; see hash.h. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/log.h"

struct hash {
	EVP_MD_CTX *context;
};

struct hash *hash_sha256(void)
{
	struct hash *hash = malloc(sizeof(*hash));

	if (!hash)
		return NULL;
	hash->context = EVP_MD_CTX_new();
	if (!hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1) {
		hash_free(hash);
		return NULL;
	}
	return hash;
}

void hash_add(struct hash *hash, struct slice bytes)
{
	if (bytes.length)
		EVP_DigestUpdate(hash->context, bytes.at, bytes.length);
}

void hash_finish(struct hash *hash, uint8_t digest[SHA256_LENGTH])
{
	EVP_DigestFinal_ex(hash->context, digest, NULL);
}

void hash_free(struct hash *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

static void digest_once(const EVP_MD *kind, struct slice bytes, uint8_t *digest)
{
	if (EVP_Digest(bytes.length ? (const void *)bytes.at : "", bytes.length, digest, NULL, kind,
		       NULL) != 1)
		fatal("cannot compute a %s digest: OpenSSL does not offer it", EVP_MD_name(kind));
}

void hash_sha256_once(struct slice bytes, uint8_t digest[SHA256_LENGTH])
{
	digest_once(EVP_sha256(), bytes, digest);
}

void hash_md5_once(struct slice bytes, uint8_t digest[MD5_LENGTH])
{
	digest_once(EVP_md5(), bytes, digest);
}

void hash_sha1_once(struct slice bytes, uint8_t digest[20])
{
	digest_once(EVP_sha1(), bytes, digest);
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

uint64_t hash_sip(const uint64_t key[2], struct slice bytes)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	struct cursor c = cursor_of(bytes);
	uint64_t last = (uint64_t)bytes.length << 56;

	while (c.left >= 8) {
		uint64_t word = cursor_u64le(&c);

		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	for (unsigned i = 0; c.left; i++)
		last |= (uint64_t)cursor_u8(&c) << (8 * i);
	v[3] ^= last;
	sip_rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void random_bytes(void *at, size_t length)
{
	uint8_t *bytes = at;

	while (length) {
		ssize_t got = getrandom(bytes, length, 0);

		if (got <= 0)
			fatal("cannot read the kernel's random generator");
		bytes += got;
		length -= (size_t)got;
	}
}
