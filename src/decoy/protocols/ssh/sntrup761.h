/* Streamlined NTRU Prime sntrup761, the server's half: encapsulation to a public key (Bernstein,
 * Brumley, Chen, Chuengsatiansup, Lange, Marotzke, Peng, Tuveri, van Vredendaal, Yang: NTRU Prime,
 * round 3, section 2 and its reference in Sage; SHA-512 cut to 32 bytes is the hash). */
#ifndef DECOY_SSH_SNTRUP761_H
#define DECOY_SSH_SNTRUP761_H

#include "base/bytes.h"

#define SNTRUP761_PUBLIC     1158
#define SNTRUP761_CIPHERTEXT 1039
#define SNTRUP761_KEY        32
#define SNTRUP761_P          761
#define SNTRUP761_WEIGHT     286

/* A polynomial with 286 coefficients of 1 or -1, drawn from so many random bytes. */
#define SNTRUP761_RANDOM (4 * SNTRUP761_P)
void sntrup761_draw(int8_t small[SNTRUP761_P], const uint8_t random[SNTRUP761_RANDOM]);

/* Ciphertext and key for a public key and that polynomial. */
void sntrup761_encapsulate(const uint8_t public_key[SNTRUP761_PUBLIC],
			   const int8_t small[SNTRUP761_P],
			   uint8_t ciphertext[SNTRUP761_CIPHERTEXT], uint8_t key[SNTRUP761_KEY]);

#endif
