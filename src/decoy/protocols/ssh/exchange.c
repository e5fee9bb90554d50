/* Key exchange methods; see exchange.h. Curves by OpenSSL's EVP, whose contexts for making keys are
 * made once. */
#include <stdlib.h>

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "decoy/protocol.h"
#include "decoy/protocols/ssh/exchange.h"
#include "decoy/protocols/ssh/sntrup761.h"
#include "decoy/protocols/ssh/wire.h"

#define X25519_LENGTH 32
#define CURVES        3

static const struct ssh_method methods[] = {
	{"sntrup761x25519-sha512", SSH_METHOD_NTRU, &nettle_sha512, 0, 0},
	{"sntrup761x25519-sha512@openssh.com", SSH_METHOD_NTRU, &nettle_sha512, 0, 0},
	{"curve25519-sha256", SSH_METHOD_X25519, &nettle_sha256, 0, 0},
	{"curve25519-sha256@libssh.org", SSH_METHOD_X25519, &nettle_sha256, 0, 0},
	{"ecdh-sha2-nistp256", SSH_METHOD_NIST, &nettle_sha256, 0, 0},
	{"ecdh-sha2-nistp384", SSH_METHOD_NIST, &nettle_sha384, 1, 20},
	{"ecdh-sha2-nistp521", SSH_METHOD_NIST, &nettle_sha512, 2, 15},
	{"diffie-hellman-group-exchange-sha256", SSH_METHOD_CHOSEN_GROUP, &nettle_sha256, 0, 30},
	{"diffie-hellman-group-exchange-sha1", SSH_METHOD_CHOSEN_GROUP, &nettle_sha1, 0, 30},
	{"diffie-hellman-group18-sha512", SSH_METHOD_GROUP, &nettle_sha512, 18, 150},
	{"diffie-hellman-group16-sha512", SSH_METHOD_GROUP, &nettle_sha512, 16, 40},
	{"diffie-hellman-group14-sha256", SSH_METHOD_GROUP, &nettle_sha256, 14, 10},
	{"diffie-hellman-group14-sha1", SSH_METHOD_GROUP, &nettle_sha1, 14, 10},
	{"diffie-hellman-group1-sha1", SSH_METHOD_GROUP, &nettle_sha1, 1, 3},
};

static const char *const curves[CURVES] = {"P-256", "P-384", "P-521"};

struct ssh_exchanger {
	EVP_PKEY_CTX *x25519;
	EVP_PKEY_CTX *nist[CURVES];
};

const struct ssh_method *ssh_method_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (slice_is(name, methods[i].name))
			return &methods[i];
	}
	return NULL;
}

/* A context that makes keys; curve NULL: X25519. */
static EVP_PKEY_CTX *key_maker(const char *curve)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, curve ? "EC" : "X25519", NULL);

	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
	    (!curve || EVP_PKEY_CTX_set_group_name(ctx, curve) == 1))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

struct ssh_exchanger *ssh_exchanger_new(void)
{
	struct ssh_exchanger *exchanger = calloc(1, sizeof(*exchanger));
	bool good;

	if (!exchanger)
		return NULL;
	exchanger->x25519 = key_maker(NULL);
	good = exchanger->x25519 != NULL;
	for (size_t i = 0; i < CURVES; i++) {
		exchanger->nist[i] = key_maker(curves[i]);
		good = good && exchanger->nist[i];
	}
	if (good)
		return exchanger;
	ERR_clear_error();
	ssh_exchanger_free(exchanger);
	return NULL;
}

void ssh_exchanger_free(struct ssh_exchanger *exchanger)
{
	if (!exchanger)
		return;
	EVP_PKEY_CTX_free(exchanger->x25519);
	for (size_t i = 0; i < CURVES; i++)
		EVP_PKEY_CTX_free(exchanger->nist[i]);
	free(exchanger);
}

/* --- curves --- */

static int derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret, size_t *length)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	int result = -1;

	if (ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	    EVP_PKEY_derive(ctx, secret, length) == 1)
		result = 0;
	EVP_PKEY_CTX_free(ctx);
	return result;
}

static int x25519(struct ssh_exchanger *exchanger, const uint8_t *client,
		  uint8_t share[X25519_LENGTH], uint8_t secret[X25519_LENGTH])
{
	EVP_PKEY *own = NULL, *peer;
	size_t share_length = X25519_LENGTH, secret_length = X25519_LENGTH;
	int result = -1;

	peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, client, X25519_LENGTH);
	if (peer && EVP_PKEY_generate(exchanger->x25519, &own) == 1 &&
	    EVP_PKEY_get_raw_public_key(own, share, &share_length) == 1)
		result = derive(own, peer, secret, &secret_length); /* fails when all is zero */
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	return result;
}

static int exchange_x25519(struct ssh_exchanger *exchanger, struct slice client,
			   struct ssh_exchange *exchange)
{
	uint8_t share[X25519_LENGTH], secret[X25519_LENGTH];

	if (client.length != X25519_LENGTH || x25519(exchanger, client.at, share, secret) < 0)
		return -1;
	wire_put_string(&exchange->share, slice_of(share, sizeof(share)));
	wire_put_mpint(&exchange->secret, slice_of(secret, sizeof(secret)));
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

static int exchange_ntru(struct ssh_exchanger *exchanger, struct session *session,
			 struct slice client, struct ssh_exchange *exchange)
{
	uint8_t share[SNTRUP761_CIPHERTEXT + X25519_LENGTH];
	uint8_t secrets[SNTRUP761_KEY + X25519_LENGTH], random[SNTRUP761_RANDOM];
	uint8_t hashed[SHA512_DIGEST_SIZE];
	int8_t small[SNTRUP761_P];
	struct sha512_ctx ctx;

	if (client.length != SNTRUP761_PUBLIC + X25519_LENGTH ||
	    x25519(exchanger, client.at + SNTRUP761_PUBLIC, share + SNTRUP761_CIPHERTEXT,
		   secrets + SNTRUP761_KEY) < 0)
		return -1;
	session_random(session, random, sizeof(random));
	sntrup761_draw(small, random);
	sntrup761_encapsulate(client.at, small, share, secrets);
	sha512_init(&ctx);
	sha512_update(&ctx, sizeof(secrets), secrets);
	sha512_digest(&ctx, sizeof(hashed), hashed);
	wire_put_string(&exchange->share, slice_of(share, sizeof(share)));
	wire_put_string(&exchange->secret, slice_of(hashed, sizeof(hashed)));
	explicit_bzero(secrets, sizeof(secrets));
	explicit_bzero(hashed, sizeof(hashed));
	return 0;
}

static EVP_PKEY *nist_point(EVP_PKEY *own, struct slice point)
{
	EVP_PKEY *key = EVP_PKEY_new();

	/* Only uncompressed points (RFC 5656, 3.1). */
	if (key && point.length && point.at[0] == POINT_CONVERSION_UNCOMPRESSED &&
	    EVP_PKEY_copy_parameters(key, own) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(key, point.at, point.length) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static int exchange_nist(struct ssh_exchanger *exchanger, unsigned curve, struct slice client,
			 struct ssh_exchange *exchange)
{
	EVP_PKEY *own = NULL, *peer = NULL;
	uint8_t secret[80], *share = NULL;
	size_t secret_length = sizeof(secret), share_length;
	int result = -1;

	if (EVP_PKEY_generate(exchanger->nist[curve], &own) != 1)
		return -1;
	peer = nist_point(own, client);
	share_length = EVP_PKEY_get1_encoded_public_key(own, &share);
	if (peer && share_length && derive(own, peer, secret, &secret_length) == 0) {
		wire_put_string(&exchange->share, slice_of(share, share_length));
		wire_put_mpint(&exchange->secret, slice_of(secret, secret_length));
		result = 0;
	}
	OPENSSL_free(share);
	explicit_bzero(secret, sizeof(secret));
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return result;
}

int ssh_exchange_curve(struct ssh_exchanger *exchanger, const struct ssh_method *method,
		       struct session *session, struct slice client, struct ssh_exchange *exchange)
{
	int result;

	exchange->share = writer_fixed(exchange->share_room, sizeof(exchange->share_room));
	exchange->secret = writer_fixed(exchange->secret_room, sizeof(exchange->secret_room));
	if (method->kind == SSH_METHOD_X25519)
		result = exchange_x25519(exchanger, client, exchange);
	else if (method->kind == SSH_METHOD_NTRU)
		result = exchange_ntru(exchanger, session, client, exchange);
	else
		result = exchange_nist(exchanger, method->parameter, client, exchange);
	ERR_clear_error();
	return result < 0 || exchange->share.failed || exchange->secret.failed ? -1 : 0;
}

/* --- groups --- */

static void put_number(struct writer *out, const BIGNUM *number)
{
	uint8_t bytes[1100];
	int length = BN_num_bytes(number);

	if ((size_t)length > sizeof(bytes)) {
		out->failed = true;
		return;
	}
	BN_bn2bin(number, bytes);
	wire_put_mpint(out, slice_of(bytes, (size_t)length));
	explicit_bzero(bytes, sizeof(bytes));
}

/* As OpenSSH's dh_pub_is_valid: within 2 .. p - 2, and not of a handful of bits. */
static bool is_valid(const BIGNUM *client, const struct ssh_group *group, BIGNUM *room)
{
	int bits = 0;

	if (BN_is_negative(client) || BN_cmp(client, BN_value_one()) <= 0 ||
	    !BN_sub(room, group->prime, BN_value_one()) || BN_cmp(client, room) >= 0)
		return false;
	for (int i = 0, count = BN_num_bits(client); i < count && bits < 4; i++)
		bits += BN_is_bit_set(client, i);
	return bits >= 4;
}

int ssh_exchange_group(const struct ssh_group *group, struct slice client, unsigned bits,
		       struct ssh_exchange *exchange)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *theirs = BN_bin2bn(client.at, (int)client.length, NULL), *own = BN_new();
	BIGNUM *share = BN_new(), *secret = BN_new(), *base = BN_new();
	int most = BN_num_bits(group->prime) - 1, result = -1;

	exchange->share = writer_fixed(exchange->share_room, sizeof(exchange->share_room));
	exchange->secret = writer_fixed(exchange->secret_room, sizeof(exchange->secret_room));
	if (!ctx || !theirs || !own || !share || !secret || !base ||
	    (client.length && client.at[0] & 0x80) || !is_valid(theirs, group, base))
		goto done;
	if (BN_priv_rand(own, (int)(2 * bits) < most ? (int)(2 * bits) : most, BN_RAND_TOP_ONE,
			 BN_RAND_BOTTOM_ANY) != 1 ||
	    BN_set_word(base, group->generator) != 1 ||
	    BN_mod_exp(share, base, own, group->prime, ctx) != 1 ||
	    BN_mod_exp(secret, theirs, own, group->prime, ctx) != 1)
		goto done;
	put_number(&exchange->share, share);
	put_number(&exchange->secret, secret);
	result = exchange->share.failed || exchange->secret.failed ? -1 : 0;
done:
	ERR_clear_error();
	BN_clear_free(own);
	BN_clear_free(secret);
	BN_free(theirs);
	BN_free(share);
	BN_free(base);
	BN_CTX_free(ctx);
	return result;
}
