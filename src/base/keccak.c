/* Keccak-f[1600] (Bertoni, Daemen, Peeters, Van Assche); see keccak.h. */
#include "base/keccak.h"

#define LANES  25
#define ROUNDS 24
#define RATE   136 /* bytes taken in at a time: 200 - 2 * 32 */

static uint64_t rotate(uint64_t x, unsigned by)
{
	return by ? x << by | x >> (64 - by) : x;
}

/* The round constant's bits come from a shift register (x^8 + x^6 + x^5 + x^4 + 1). */
static uint64_t round_constant(uint8_t *shift)
{
	uint64_t constant = 0;

	for (unsigned j = 0; j < 7; j++) {
		if (*shift & 1)
			constant |= (uint64_t)1 << ((1u << j) - 1);
		*shift = (uint8_t)(*shift << 1 ^ (*shift & 0x80 ? 0x71 : 0));
	}
	return constant;
}

static void theta(uint64_t a[LANES])
{
	uint64_t c[5];

	for (unsigned x = 0; x < 5; x++)
		c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (unsigned i = 0; i < LANES; i++)
		a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
}

static void rho_pi(uint64_t a[LANES])
{
	uint64_t moving = a[1];
	unsigned x = 1, y = 0;

	for (unsigned t = 0; t < 24; t++) {
		unsigned next = (2 * x + 3 * y) % 5, at;
		uint64_t kept;

		x = y;
		y = next;
		at = x + 5 * y;
		kept = a[at];
		a[at] = rotate(moving, (t + 1) * (t + 2) / 2 % 64);
		moving = kept;
	}
}

static void permute(uint64_t a[LANES])
{
	uint8_t shift = 1;

	for (unsigned round = 0; round < ROUNDS; round++) {
		theta(a);
		rho_pi(a);
		for (unsigned y = 0; y < LANES; y += 5) {
			uint64_t row[5];

			memcpy(row, a + y, sizeof(row));
			for (unsigned x = 0; x < 5; x++)
				a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
		}
		a[0] ^= round_constant(&shift);
	}
}

static void take_in(uint64_t a[LANES], const uint8_t block[RATE])
{
	struct cursor c = cursor_of(slice_of(block, RATE));

	for (unsigned i = 0; i < RATE / 8; i++)
		a[i] ^= cursor_u64le(&c);
	permute(a);
}

void keccak_256(struct slice bytes, uint8_t digest[KECCAK_LENGTH])
{
	uint64_t a[LANES] = {0};
	uint8_t last[RATE] = {0};
	struct writer out = writer_fixed(digest, KECCAK_LENGTH);

	for (; bytes.length >= RATE; bytes = slice_from(bytes, RATE))
		take_in(a, bytes.at);
	if (bytes.length)
		memcpy(last, bytes.at, bytes.length);
	last[bytes.length] = 0x01;
	last[RATE - 1] |= 0x80;
	take_in(a, last);
	for (unsigned i = 0; i < KECCAK_LENGTH / 8; i++)
		writer_u64le(&out, a[i]);
}
