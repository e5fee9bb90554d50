/* SHA-crypt ($5$ and $6$) as Ulrich Drepper's specification of 2007. */
#define OPENSSL_SUPPRESS_DEPRECATED /* states without memory of their own */
#include <openssl/sha.h>

#include "decoy/machine/commands/text_openssl.h"

#define ROUNDS 5000

struct sha {
	bool wide; /* SHA-512 */
	union {
		SHA256_CTX narrow;
		SHA512_CTX wide;
	} state;
};

static void begin(struct sha *sha)
{
	if (sha->wide)
		SHA512_Init(&sha->state.wide);
	else
		SHA256_Init(&sha->state.narrow);
}

static void add(struct sha *sha, const void *bytes, size_t length)
{
	if (sha->wide)
		SHA512_Update(&sha->state.wide, bytes, length);
	else
		SHA256_Update(&sha->state.narrow, bytes, length);
}

static void finish(struct sha *sha, uint8_t *digest)
{
	if (sha->wide)
		SHA512_Final(digest, &sha->state.wide);
	else
		SHA256_Final(digest, &sha->state.narrow);
}

/* As many bytes of the digest, again and again. */
static void add_repeated(struct sha *sha, const uint8_t *digest, size_t size, size_t length)
{
	for (; length > size; length -= size)
		add(sha, digest, size);
	add(sha, digest, length);
}

static uint8_t *sequence(struct process *process, const uint8_t *digest, size_t size, size_t length)
{
	uint8_t *bytes = process_take(process, length + 1);

	for (size_t i = 0; i < length; i++)
		bytes[i] = digest[i % size];
	return bytes;
}

static void first_digest(struct sha *sha, struct slice salt, struct slice password, size_t size,
			 uint8_t *digest)
{
	uint8_t other[64];

	begin(sha);
	add(sha, password.at, password.length);
	add(sha, salt.at, salt.length);
	add(sha, password.at, password.length);
	finish(sha, other);
	begin(sha);
	add(sha, password.at, password.length);
	add(sha, salt.at, salt.length);
	add_repeated(sha, other, size, password.length);
	for (size_t bit = password.length; bit > 0; bit >>= 1) {
		if (bit & 1)
			add(sha, other, size);
		else
			add(sha, password.at, password.length);
	}
	finish(sha, digest);
}

static void put_digest(struct process *process, struct text *out, const uint8_t *digest, bool wide)
{
	size_t third = wide ? 21 : 10, a = 0, b = third, c = 2 * third;

	for (size_t i = 0; i < third; i++) {
		size_t rotated;

		text_openssl_put64(out, process,
				   (uint32_t)digest[a] << 16 | (uint32_t)digest[b] << 8 | digest[c],
				   4);
		rotated = a;
		if (wide) {
			a = b + 1;
			b = c + 1;
			c = rotated + 1;
		} else {
			a = c + 1;
			c = b + 1;
			b = rotated + 1;
		}
	}
	if (wide)
		text_openssl_put64(out, process, digest[63], 2);
	else
		text_openssl_put64(out, process, (uint32_t)digest[31] << 8 | digest[30], 3);
}

char *text_sha_crypt(struct process *process, bool wide, struct slice salt, struct slice password)
{
	struct sha sha = {.wide = wide};
	size_t size = wide ? 64 : 32;
	uint8_t digest[64], other[64];
	uint8_t *p, *s;
	struct text out = {0};

	first_digest(&sha, salt, password, size, digest);
	begin(&sha);
	for (size_t i = 0; i < password.length; i++) {
		add(&sha, password.at, password.length);
		process_step(process);
	}
	finish(&sha, other);
	p = sequence(process, other, size, password.length);
	begin(&sha);
	for (size_t i = 0; i < 16u + digest[0]; i++)
		add(&sha, salt.at, salt.length);
	finish(&sha, other);
	s = sequence(process, other, size, salt.length);
	for (unsigned round = 0; round < ROUNDS; round++) {
		process_step(process);
		begin(&sha);
		if (round & 1)
			add(&sha, p, password.length);
		else
			add(&sha, digest, size);
		if (round % 3)
			add(&sha, s, salt.length);
		if (round % 7)
			add(&sha, p, password.length);
		if (round & 1)
			add(&sha, digest, size);
		else
			add(&sha, p, password.length);
		finish(&sha, digest);
	}
	text_format(process, &out, "$%c$", wide ? '6' : '5');
	text_add(process, &out, salt);
	text_add_byte(process, &out, '$');
	put_digest(process, &out, digest, wide);
	process_give(process, p);
	process_give(process, s);
	return out.data;
}
