/* sntrup761; see sntrup761.h. What is secret here protects nothing but a honeypot's talk, so no
 * care is taken that its time be constant. */
#include <nettle/sha2.h>

#include "decoy/protocols/ssh/sntrup761.h"

#define P       SNTRUP761_P
#define Q       4591
#define HALF    ((Q - 1) / 2)
#define ROUNDED ((Q + 2) / 3) /* values that a rounded coefficient has */
#define LIMIT   16384

#define SMALL_BYTES   191
#define ROUNDED_BYTES 1007
#define CONFIRM_BYTES 32

/* --- the encoding of sequences of numbers below given bounds --- */

/* All bounds of our sequences are alike, so within a level only the last one can differ. */
struct level {
	size_t count;
	uint32_t bound, last;
};

static uint32_t carry_bound(uint32_t bound, unsigned *bytes)
{
	*bytes = 0;
	while (bound >= LIMIT) {
		bound = (bound + 255) >> 8;
		++*bytes;
	}
	return bound;
}

/* Encode of the reference, one level after another. */
static uint8_t *encode(uint8_t *out, uint16_t *numbers, struct level level)
{
	while (level.count > 1) {
		struct level next = {(level.count + 1) / 2, 0, 0};

		for (size_t i = 0; i < level.count; i += 2) {
			uint32_t second =
				i + 2 < level.count + (level.count & 1) ? level.bound : level.last;
			uint32_t number, bound;

			if (i + 1 == level.count) { /* the odd one goes up as it is */
				numbers[i / 2] = numbers[i];
				next.last = level.last;
				break;
			}
			number = numbers[i] + level.bound * (uint32_t)numbers[i + 1];
			bound = level.bound * second;
			while (bound >= LIMIT) {
				*out++ = (uint8_t)number;
				number >>= 8;
				bound = (bound + 255) >> 8;
			}
			numbers[i / 2] = (uint16_t)number;
			if (i == 0)
				next.bound = bound;
			next.last = bound;
		}
		level = next;
	}
	for (uint32_t number = numbers[0], bound = level.last; bound > 1;
	     bound = (bound + 255) >> 8, number >>= 8)
		*out++ = (uint8_t)number;
	return out;
}

/* Decode of the reference for P numbers below Q. */
static void decode(const uint8_t *in, uint16_t numbers[P])
{
	struct level levels[11];
	uint32_t below[2 * P];
	uint8_t bytes[2 * P];
	size_t depth = 0, at = 0, start[11];

	levels[0] = (struct level){P, Q, Q};
	while (levels[depth].count >
	       1) { /* the way down to one number: what each pair left behind */
		const struct level *level = &levels[depth];
		struct level next = {(level->count + 1) / 2, 0, level->last};

		start[depth] = at;
		for (size_t i = 0; i + 1 < level->count; i += 2) {
			bool is_last = i + 2 == level->count;
			uint32_t rest = 0;
			unsigned count;
			uint32_t bound = carry_bound(
				level->bound * (is_last ? level->last : level->bound), &count);

			for (unsigned k = 0; k < count; k++)
				rest |= (uint32_t)*in++ << (8 * k);
			below[at] = rest;
			bytes[at++] = (uint8_t)count;
			if (i == 0)
				next.bound = bound;
			if (is_last)
				next.last = bound;
		}
		levels[++depth] = next;
	}
	numbers[0] = (uint16_t)(in[0] % levels[depth].last);
	if (levels[depth].last > 256)
		numbers[0] = (uint16_t)((uint32_t)(in[0] | in[1] << 8) % levels[depth].last);
	while (depth-- > 0) { /* and up again, from the back, so that nothing is overwritten */
		const struct level *level = &levels[depth];

		if (level->count & 1)
			numbers[level->count - 1] = numbers[level->count / 2];
		for (size_t pair = level->count / 2; pair-- > 0;) {
			bool is_last = 2 * pair + 2 == level->count;
			uint32_t r = below[start[depth] + pair] +
				     ((uint32_t)numbers[pair] << (8 * bytes[start[depth] + pair]));

			numbers[2 * pair + 1] = (uint16_t)(r / level->bound %
							   (is_last ? level->last : level->bound));
			numbers[2 * pair] = (uint16_t)(r % level->bound);
		}
	}
}

static void encode_small(uint8_t out[SMALL_BYTES], const int8_t small[P])
{
	memset(out, 0, SMALL_BYTES);
	for (size_t i = 0; i < P; i++)
		out[i / 4] |= (uint8_t)((small[i] + 1) << (2 * (i % 4)));
}

/* --- arithmetic --- */

static int32_t reduce(int32_t x)
{
	x %= Q;
	return x > HALF ? x - Q : x < -HALF ? x + Q : x;
}

/* h * small in Z/Q[x]/(x^P - x - 1), each coefficient rounded to a multiple of three. */
static void multiply_and_round(const int16_t h[P], const int8_t small[P], int16_t out[P])
{
	int32_t sums[2 * P] = {0};

	for (size_t k = 0; k < P; k++) {
		int32_t *at = sums + k;

		if (small[k] > 0) {
			for (size_t i = 0; i < P; i++)
				at[i] += h[i];
		} else if (small[k] < 0) {
			for (size_t i = 0; i < P; i++)
				at[i] -= h[i];
		}
	}
	for (size_t i = 2 * P - 2; i >= P; i--) {
		sums[i - P] += sums[i];
		sums[i - P + 1] += sums[i];
	}
	for (size_t i = 0; i < P; i++) {
		int32_t x = reduce(sums[i]), rest = (x + HALF) % 3;

		/* HALF is a multiple of three: rest 2 means one less than the next. */
		out[i] = (int16_t)(rest == 2 ? x + 1 : x - rest);
	}
}

void sntrup761_draw(int8_t small[P], const uint8_t random[SNTRUP761_RANDOM])
{
	uint16_t places[P];

	for (uint16_t i = 0; i < P; i++)
		places[i] = i;
	memset(small, 0, P);
	/* Fisher and Yates: so many distinct places, a sign for each. */
	for (size_t i = 0; i < SNTRUP761_WEIGHT; i++) {
		uint32_t draw = (uint32_t)random[4 * i] | (uint32_t)random[4 * i + 1] << 8 |
				(uint32_t)random[4 * i + 2] << 16;
		size_t chosen = i + draw % (P - i);
		uint16_t place = places[chosen];

		places[chosen] = places[i];
		small[place] = random[4 * i + 3] & 1 ? 1 : -1;
	}
}

/* --- the mechanism --- */

static void hash(uint8_t prefix, struct slice a, struct slice b, uint8_t out[32])
{
	struct sha512_ctx ctx;

	sha512_init(&ctx);
	sha512_update(&ctx, 1, &prefix);
	sha512_update(&ctx, a.length, a.at);
	sha512_update(&ctx, b.length, b.at);
	sha512_digest(&ctx, 32, out);
}

void sntrup761_encapsulate(const uint8_t public_key[SNTRUP761_PUBLIC], const int8_t small[P],
			   uint8_t ciphertext[SNTRUP761_CIPHERTEXT], uint8_t key[SNTRUP761_KEY])
{
	uint16_t numbers[P];
	int16_t h[P], rounded[P];
	uint8_t encoded[SMALL_BYTES], hashed[32], hashed_public[32];
	const struct slice none = {0};

	decode(public_key, numbers);
	for (size_t i = 0; i < P; i++)
		h[i] = (int16_t)(numbers[i] - HALF);
	multiply_and_round(h, small, rounded);
	for (size_t i = 0; i < P; i++)
		numbers[i] = (uint16_t)((rounded[i] + HALF) / 3);
	encode(ciphertext, numbers, (struct level){P, ROUNDED, ROUNDED});
	encode_small(encoded, small);
	hash(3, slice_of(encoded, sizeof(encoded)), none, hashed);
	hash(4, slice_of(public_key, SNTRUP761_PUBLIC), none, hashed_public);
	hash(2, slice_of(hashed, sizeof(hashed)), slice_of(hashed_public, sizeof(hashed_public)),
	     ciphertext + ROUNDED_BYTES);
	hash(1, slice_of(hashed, sizeof(hashed)), slice_of(ciphertext, SNTRUP761_CIPHERTEXT), key);
}
