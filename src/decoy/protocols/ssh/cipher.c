/* Ciphers of the packet layer; see cipher.h. */
#include <stdlib.h>

#include <nettle/aes.h>
#include <nettle/arcfour.h>
#include <nettle/blowfish.h>
#include <nettle/cast128.h>
#include <nettle/cbc.h>
#include <nettle/chacha.h>
#include <nettle/ctr.h>
#include <nettle/des.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "decoy/protocols/ssh/cipher.h"

#define POLY_KEY 32
#define POLY_TAG 16
#define GCM_IV   12

struct ssh_primitives {
	EVP_MAC *poly1305;
	EVP_MAC_CTX *poly; /* used within one call only, so all sessions share it */
	EVP_CIPHER *gcm[2];
};

struct ssh_primitives *ssh_primitives_new(void)
{
	struct ssh_primitives *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
	p->poly = p->poly1305 ? EVP_MAC_CTX_new(p->poly1305) : NULL;
	p->gcm[0] = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	p->gcm[1] = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (p->poly && p->gcm[0] && p->gcm[1])
		return p;
	ERR_clear_error();
	ssh_primitives_free(p);
	return NULL;
}

void ssh_primitives_free(struct ssh_primitives *p)
{
	if (!p)
		return;
	EVP_MAC_CTX_free(p->poly);
	EVP_MAC_free(p->poly1305);
	EVP_CIPHER_free(p->gcm[0]);
	EVP_CIPHER_free(p->gcm[1]);
	free(p);
}

/* --- counter mode (RFC 4344) and cipher block chaining over one of nettle's block ciphers --- */

struct block_cipher {
	nettle_set_key_func *encrypt_key, *decrypt_key; /* NULL: set_key with a length */
	void (*set_key)(void *state, size_t length, const uint8_t *key);
	nettle_cipher_func *encrypt, *decrypt;
	uint8_t block;
};

struct block_state {
	const struct block_cipher *cipher;
	bool encrypts;
	uint8_t iv[SSH_BLOCK_MAX];
	union {
		struct aes128_ctx aes128;
		struct aes192_ctx aes192;
		struct aes256_ctx aes256;
	} key; /* blowfish, CAST-128 and DES lie behind: see state_size */
};
#define BLOCK_STATE(type) (offsetof(struct block_state, key) + sizeof(struct type))

#define AES(bits)                                                                  \
	{                                                                          \
		.encrypt_key = (nettle_set_key_func *)aes##bits##_set_encrypt_key, \
		.decrypt_key = (nettle_set_key_func *)aes##bits##_set_decrypt_key, \
		.encrypt = (nettle_cipher_func *)aes##bits##_encrypt,              \
		.decrypt = (nettle_cipher_func *)aes##bits##_decrypt, .block = 16, \
	}

static void blowfish_key(void *state, size_t length, const uint8_t *key)
{
	(void)blowfish_set_key(state, length, key); /* a weak key works as well */
}

static void cast_key(void *state, size_t length, const uint8_t *key)
{
	cast5_set_key(state, length, key);
}

static void des3_key(void *state, size_t length, const uint8_t *key)
{
	(void)des3_set_key(state, key);
}

static const struct block_cipher aes128 = AES(128), aes192 = AES(192), aes256 = AES(256);
static const struct block_cipher blowfish = {.set_key = blowfish_key,
					     .encrypt = (nettle_cipher_func *)blowfish_encrypt,
					     .decrypt = (nettle_cipher_func *)blowfish_decrypt,
					     .block = 8};
static const struct block_cipher cast = {.set_key = cast_key,
					 .encrypt = (nettle_cipher_func *)cast128_encrypt,
					 .decrypt = (nettle_cipher_func *)cast128_decrypt,
					 .block = 8};
static const struct block_cipher des3 = {.set_key = des3_key,
					 .encrypt = (nettle_cipher_func *)des3_encrypt,
					 .decrypt = (nettle_cipher_func *)des3_decrypt,
					 .block = 8};

static void set_up_block(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
			 void *at, const uint8_t *key, const uint8_t *iv, bool encrypts)
{
	struct block_state *state = at;

	state->cipher = cipher->algorithm;
	state->encrypts = encrypts;
	memcpy(state->iv, iv, cipher->iv);
	if (state->cipher->set_key)
		state->cipher->set_key(&state->key, cipher->key, key);
	else if (encrypts || !cipher->cbc)
		state->cipher->encrypt_key(&state->key, key);
	else
		state->cipher->decrypt_key(&state->key, key);
}

static void crypt_ctr(void *at, uint8_t *out, const uint8_t *in, size_t length)
{
	struct block_state *state = at;

	ctr_crypt(&state->key, state->cipher->encrypt, state->cipher->block, state->iv, length, out,
		  in);
}

static void crypt_cbc(void *at, uint8_t *out, const uint8_t *in, size_t length)
{
	struct block_state *state = at;

	if (state->encrypts)
		cbc_encrypt(&state->key, state->cipher->encrypt, state->cipher->block, state->iv,
			    length, out, in);
	else
		cbc_decrypt(&state->key, state->cipher->decrypt, state->cipher->block, state->iv,
			    length, out, in);
}

/* --- arcfour --- */

static void set_up_arcfour(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
			   void *state, const uint8_t *key, const uint8_t *iv, bool encrypts)
{
	uint8_t nothing[64] = {0};

	arcfour_set_key(state, cipher->key, key);
	for (size_t i = 0; i < cipher->skipped; i += sizeof(nothing))
		arcfour_crypt(state, sizeof(nothing), nothing, nothing);
}

static void crypt_arcfour(void *state, uint8_t *out, const uint8_t *in, size_t length)
{
	arcfour_crypt(state, length, out, in);
}

/* --- chacha20-poly1305@openssh.com: PROTOCOL.chacha20poly1305 of OpenSSH --- */

struct chacha_state {
	struct chacha_ctx length, payload;
	EVP_MAC_CTX *poly;
};

static void set_up_chacha(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
			  void *at, const uint8_t *key, const uint8_t *iv, bool encrypts)
{
	struct chacha_state *state = at;

	state->poly = primitives->poly;
	chacha_set_key(&state->payload, key);
	chacha_set_key(&state->length, key + 32);
}

static void set_nonce(struct chacha_ctx *ctx, uint32_t sequence)
{
	uint8_t nonce[CHACHA_NONCE_SIZE] = {0,
					    0,
					    0,
					    0,
					    (uint8_t)(sequence >> 24),
					    (uint8_t)(sequence >> 16),
					    (uint8_t)(sequence >> 8),
					    (uint8_t)sequence};

	chacha_set_nonce(ctx, nonce);
}

static uint32_t length_chacha(void *at, uint32_t sequence, const uint8_t in[4])
{
	struct chacha_state *state = at;
	uint8_t plain[4];

	set_nonce(&state->length, sequence);
	chacha_crypt(&state->length, sizeof(plain), plain, in);
	return (uint32_t)plain[0] << 24 | (uint32_t)plain[1] << 16 | (uint32_t)plain[2] << 8 |
	       plain[3];
}

/* The tag; leaves the payload's key stream at its block 1. */
static void compute_poly(struct chacha_state *state, uint32_t sequence, const uint8_t *packet,
			 size_t length, uint8_t tag[POLY_TAG])
{
	uint8_t block[64] = {0};
	size_t size = 0;

	chacha_crypt(&state->payload, sizeof(block), block, block);
	if (EVP_MAC_init(state->poly, block, POLY_KEY, NULL) != 1 ||
	    EVP_MAC_update(state->poly, packet, length) != 1 ||
	    EVP_MAC_final(state->poly, tag, &size, POLY_TAG) != 1)
		memset(tag, 0, POLY_TAG);
	explicit_bzero(block, sizeof(block));
}

static void seal_chacha(void *at, uint32_t sequence, uint8_t *packet, size_t need)
{
	static const uint8_t one[CHACHA_COUNTER_SIZE] = {1};
	struct chacha_state *state = at;
	struct chacha_ctx first;

	set_nonce(&state->length, sequence);
	chacha_crypt(&state->length, 4, packet, packet);
	set_nonce(&state->payload, sequence);
	first = state->payload;
	chacha_set_counter(&first, one); /* block 0 is the tag's key */
	chacha_crypt(&first, need, packet + 4, packet + 4);
	compute_poly(state, sequence, packet, 4 + need, packet + 4 + need);
}

static bool open_chacha(void *at, uint32_t sequence, const uint8_t *packet, size_t need,
			uint8_t *out)
{
	struct chacha_state *state = at;
	uint8_t tag[POLY_TAG];

	set_nonce(&state->payload, sequence);
	compute_poly(state, sequence, packet, 4 + need, tag);
	if (memcmp(tag, packet + 4 + need, sizeof(tag)) != 0)
		return false;
	chacha_crypt(&state->payload, need, out, packet + 4);
	return true;
}

/* --- AES-GCM (RFC 5647 as OpenSSH has it) --- */

struct gcm_state {
	EVP_CIPHER_CTX *ctx;
	uint8_t iv[GCM_IV];
};

static void set_up_gcm(const struct ssh_cipher *cipher, struct ssh_primitives *primitives, void *at,
		       const uint8_t *key, const uint8_t *iv, bool encrypts)
{
	struct gcm_state *state = at;

	memcpy(state->iv, iv, GCM_IV);
	state->ctx = EVP_CIPHER_CTX_new();
	if (state->ctx && EVP_CipherInit_ex2(state->ctx, primitives->gcm[cipher->key == 32], key,
					     iv, encrypts, NULL) != 1) {
		EVP_CIPHER_CTX_free(state->ctx);
		state->ctx = NULL;
	}
}

static void clean_up_gcm(void *at)
{
	struct gcm_state *state = at;

	EVP_CIPHER_CTX_free(state->ctx);
}

static uint32_t length_gcm(void *state, uint32_t sequence, const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Begins a packet: its own IV, whose last eight bytes count, and the length, in the clear. */
static bool begin_gcm(struct gcm_state *state, const uint8_t *packet)
{
	int length;
	bool good = state->ctx &&
		    EVP_CipherInit_ex2(state->ctx, NULL, NULL, state->iv, -1, NULL) == 1 &&
		    EVP_CipherUpdate(state->ctx, NULL, &length, packet, 4) == 1;

	for (size_t i = GCM_IV; i-- > 4 && ++state->iv[i] == 0;)
		;
	return good;
}

static void seal_gcm(void *at, uint32_t sequence, uint8_t *packet, size_t need)
{
	struct gcm_state *state = at;
	int length;

	if (!begin_gcm(state, packet) ||
	    EVP_CipherUpdate(state->ctx, packet + 4, &length, packet + 4, (int)need) != 1 ||
	    EVP_CipherFinal_ex(state->ctx, packet + 4 + need, &length) != 1 ||
	    EVP_CIPHER_CTX_ctrl(state->ctx, EVP_CTRL_AEAD_GET_TAG, POLY_TAG, packet + 4 + need) !=
		    1)
		memset(packet + 4, 0, need + POLY_TAG);
}

static bool open_gcm(void *at, uint32_t sequence, const uint8_t *packet, size_t need, uint8_t *out)
{
	struct gcm_state *state = at;
	uint8_t tag[POLY_TAG];
	int length;

	memcpy(tag, packet + 4 + need, sizeof(tag));
	if (begin_gcm(state, packet) &&
	    EVP_CIPHER_CTX_ctrl(state->ctx, EVP_CTRL_AEAD_SET_TAG, POLY_TAG, tag) == 1 &&
	    EVP_CipherUpdate(state->ctx, out, &length, packet + 4, (int)need) == 1 &&
	    EVP_CipherFinal_ex(state->ctx, out + need, &length) == 1)
		return true;
	ERR_clear_error();
	return false;
}

/* --- the table --- */

#define CTR(bits)                                                                    \
	{                                                                            \
		.name = "aes" #bits "-ctr", .key = bits / 8, .iv = 16, .block = 16,  \
		.state_size = BLOCK_STATE(aes##bits##_ctx), .algorithm = &aes##bits, \
		.set_up = set_up_block, .crypt = crypt_ctr,                          \
	}
#define CBC(title, size, block_size, context, cipher)                                             \
	{                                                                                         \
		.name = title, .key = size, .iv = block_size, .block = block_size, .cbc = true,   \
		.state_size = BLOCK_STATE(context), .algorithm = &cipher, .set_up = set_up_block, \
		.crypt = crypt_cbc,                                                               \
	}
#define ARCFOUR(title, size, skip)                                                                \
	{                                                                                         \
		.name = title, .key = size, .block = 8, .state_size = sizeof(struct arcfour_ctx), \
		.skipped = skip, .set_up = set_up_arcfour, .crypt = crypt_arcfour,                \
	}
#define GCM(bits)                                                                               \
	{                                                                                       \
		.name = "aes" #bits "-gcm@openssh.com", .key = bits / 8, .iv = GCM_IV,          \
		.block = 16, .tag = 16, .state_size = sizeof(struct gcm_state),                 \
		.set_up = set_up_gcm, .length = length_gcm, .seal = seal_gcm, .open = open_gcm, \
		.clean_up = clean_up_gcm,                                                       \
	}

static const struct ssh_cipher ciphers[] = {
	{.name = "chacha20-poly1305@openssh.com",
	 .key = 64,
	 .block = 8,
	 .tag = POLY_TAG,
	 .state_size = sizeof(struct chacha_state),
	 .set_up = set_up_chacha,
	 .length = length_chacha,
	 .seal = seal_chacha,
	 .open = open_chacha},
	CTR(128),
	CTR(192),
	CTR(256),
	GCM(128),
	GCM(256),
	CBC("aes128-cbc", 16, 16, aes128_ctx, aes128),
	CBC("aes192-cbc", 24, 16, aes192_ctx, aes192),
	CBC("aes256-cbc", 32, 16, aes256_ctx, aes256),
	CBC("rijndael-cbc@lysator.liu.se", 32, 16, aes256_ctx, aes256),
	CBC("3des-cbc", 24, 8, des3_ctx, des3),
	CBC("blowfish-cbc", 16, 8, blowfish_ctx, blowfish),
	CBC("cast128-cbc", 16, 8, cast128_ctx, cast),
	ARCFOUR("arcfour", 16, 0),
	ARCFOUR("arcfour128", 16, 1536),
	ARCFOUR("arcfour256", 32, 1536),
};

const struct ssh_cipher *ssh_cipher_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(ciphers); i++) {
		if (slice_is(name, ciphers[i].name))
			return &ciphers[i];
	}
	return NULL;
}

void *ssh_cipher_new(const struct ssh_cipher *cipher, struct ssh_primitives *primitives,
		     const uint8_t *key, const uint8_t *iv, bool encrypts)
{
	void *state = calloc(1, cipher->state_size);

	if (!state)
		return NULL;
	cipher->set_up(cipher, primitives, state, key, iv, encrypts);
	return state;
}

void ssh_cipher_free(const struct ssh_cipher *cipher, void *state)
{
	if (!state)
		return;
	if (cipher->clean_up)
		cipher->clean_up(state);
	explicit_bzero(state, cipher->state_size);
	free(state);
}
