/* BLAKE2b (RFC 7693). */
#include <string.h>

#include "decoy/machine/commands/text_blake2.h"

static const uint64_t initial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
				    0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
				    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint8_t order[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
				      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
				      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
				      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
				      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
				      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
				      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
				      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
				      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
				      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t rotate(uint64_t value, unsigned by)
{
	return value >> by | value << (64 - by);
}

static void mix(uint64_t *v, size_t a, size_t b, size_t c, size_t d, uint64_t x, uint64_t y)
{
	v[a] += v[b] + x;
	v[d] = rotate(v[d] ^ v[a], 32);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 24);
	v[a] += v[b] + y;
	v[d] = rotate(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 63);
}

static void compress(struct blake2 *blake2, int last)
{
	uint64_t v[16], m[16];

	for (size_t i = 0; i < 16; i++) {
		m[i] = 0;
		for (size_t j = 8; j-- > 0;)
			m[i] = m[i] << 8 | blake2->block[8 * i + j];
	}
	memcpy(v, blake2->state, sizeof(blake2->state));
	memcpy(v + 8, initial, sizeof(initial));
	v[12] ^= blake2->count;
	if (last)
		v[14] = ~v[14];
	for (size_t round = 0; round < 12; round++) {
		const uint8_t *o = order[round % 10];

		for (size_t i = 0; i < 4; i++)
			mix(v, i, 4 + i, 8 + i, 12 + i, m[o[2 * i]], m[o[2 * i + 1]]);
		for (size_t i = 0; i < 4; i++)
			mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4,
			    m[o[8 + 2 * i]], m[o[9 + 2 * i]]);
	}
	for (size_t i = 0; i < 8; i++)
		blake2->state[i] ^= v[i] ^ v[i + 8];
}

void blake2_begin(struct blake2 *blake2)
{
	memset(blake2, 0, sizeof(*blake2));
	memcpy(blake2->state, initial, sizeof(initial));
	blake2->state[0] ^= 0x01010000 ^ 64;
}

void blake2_add(struct blake2 *blake2, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (blake2->filled == sizeof(blake2->block)) {
			blake2->count += blake2->filled;
			compress(blake2, 0);
			blake2->filled = 0;
		}
		blake2->block[blake2->filled++] = bytes[i];
	}
}

void blake2_end(struct blake2 *blake2, uint8_t digest[64])
{
	blake2->count += blake2->filled;
	memset(blake2->block + blake2->filled, 0, sizeof(blake2->block) - blake2->filled);
	compress(blake2, 1);
	for (size_t i = 0; i < 64; i++)
		digest[i] = (uint8_t)(blake2->state[i / 8] >> (8 * (i % 8)));
}
