/* BLAKE2b with 64 bytes of digest (RFC 7693), for b2sum. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_BLAKE2_H
#define DECOY_MACHINE_COMMANDS_TEXT_BLAKE2_H

#include <stddef.h>
#include <stdint.h>

struct blake2 {
	uint64_t state[8], count;
	uint8_t block[128];
	size_t filled;
};

void blake2_begin(struct blake2 *blake2);
void blake2_add(struct blake2 *blake2, const uint8_t *bytes, size_t length);
void blake2_end(struct blake2 *blake2, uint8_t digest[64]);

#endif
