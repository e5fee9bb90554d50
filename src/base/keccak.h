/* Keccak-256 as Ethereum uses it: the submission's padding (0x01), not that of SHA3-256 (FIPS 202),
 * which OpenSSL 3.0 has alone. */
#ifndef BASE_KECCAK_H
#define BASE_KECCAK_H

#include "base/bytes.h"

#define KECCAK_LENGTH 32

void keccak_256(struct slice bytes, uint8_t digest[KECCAK_LENGTH]);

#endif
