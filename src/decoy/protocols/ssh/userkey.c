/* Users' keys; see userkey.h. Keys on tokens (sk-) are told apart but not verified. */
#include "decoy/protocols/ssh/userkey.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/hash.h"
#include "decoy/protocols/ssh/wire.h"

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 8192 /* verifying beyond it costs more than an intruder is worth */
#define EXPONENT_MAX 8    /* bytes */
#define DER_MAX      256

static const struct {
	const char *type, *curve_name, *group, *digest;
	uint8_t fields; /* strings behind the type */
} kinds[] = {
	{"ssh-ed25519", NULL, NULL, NULL, 1},
	{"ssh-rsa", NULL, NULL, NULL, 2},
	{"ecdsa-sha2-nistp256", "nistp256", "P-256", "SHA2-256", 2},
	{"ecdsa-sha2-nistp384", "nistp384", "P-384", "SHA2-384", 2},
	{"ecdsa-sha2-nistp521", "nistp521", "P-521", "SHA2-512", 2},
	{"sk-ssh-ed25519@openssh.com", NULL, NULL, NULL, 2},
	{"sk-ecdsa-sha2-nistp256@openssh.com", NULL, NULL, NULL, 3},
	{"ssh-dss", NULL, NULL, NULL, 4},
};
enum { KIND_ED25519, KIND_RSA, KIND_ECDSA_FIRST, KIND_ECDSA_LAST = 4 };

static int kind_of(struct slice type)
{
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (slice_is(type, kinds[i].type))
			return (int)i;
	}
	return -1;
}

void ssh_user_key_read(struct slice blob, struct ssh_user_key *key)
{
	uint8_t digest[SHA256_LENGTH];
	struct writer text = writer_fixed(key->fingerprint, sizeof(key->fingerprint) - 1);
	struct cursor c = cursor_of(blob);
	int kind;

	*key = (struct ssh_user_key){.blob = blob};
	key->type = wire_string(&c);
	kind = c.failed ? -1 : kind_of(key->type);
	for (int i = 0; kind >= 0 && i < kinds[kind].fields; i++)
		(void)wire_string(&c);
	wire_end(&c);
	key->known = kind >= 0 && !c.failed;
	hash_sha256_once(blob, digest);
	writer_text(&text, "SHA256:");
	writer_base64(&text, slice_of(digest, sizeof(digest)));
	while (text.length && key->fingerprint[text.length - 1] == '=')
		text.length--; /* ssh-keygen shows none */
	key->fingerprint[text.length] = 0;
}

bool ssh_user_key_fits(const struct ssh_user_key *key, struct slice algorithm)
{
	if (slice_equal(key->type, algorithm))
		return true;
	return slice_is(key->type, "ssh-rsa") &&
	       (slice_is(algorithm, "rsa-sha2-256") || slice_is(algorithm, "rsa-sha2-512"));
}

void ssh_user_key_text(const struct ssh_user_key *key, struct writer *out)
{
	writer_bytes(out, key->type);
	writer_u8(out, ' ');
	writer_base64(out, key->blob);
}

/* --- verifying --- */

static EVP_PKEY *ed25519_key(struct cursor *c)
{
	struct slice public = wire_string(c);

	return public.length == 32 ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
								    public.at, public.length)
				   : NULL;
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!parameters || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(parameters);
	return key;
}

static EVP_PKEY *rsa_key(struct cursor *c)
{
	struct slice e = wire_string(c), n = wire_string(c);
	BIGNUM *exponent, *modulus;
	OSSL_PARAM_BLD *builder;
	EVP_PKEY *key = NULL;

	if (c->failed || e.length > EXPONENT_MAX || n.length > RSA_BITS_MAX / 8 + 1)
		return NULL;
	exponent = BN_bin2bn(e.at, (int)e.length, NULL);
	modulus = BN_bin2bn(n.at, (int)n.length, NULL);
	builder = OSSL_PARAM_BLD_new();
	if (exponent && modulus && builder && BN_num_bits(modulus) >= RSA_BITS_MIN &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1)
		key = from_parameters("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

static EVP_PKEY *ecdsa_key(struct cursor *c, int kind)
{
	struct slice curve = wire_string(c), point = wire_string(c);
	OSSL_PARAM_BLD *builder;
	EVP_PKEY *key = NULL;

	if (c->failed || !slice_is(curve, kinds[kind].curve_name))
		return NULL;
	builder = OSSL_PARAM_BLD_new();
	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, kinds[kind].group,
					    0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.at,
					     point.length) == 1)
		key = from_parameters("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

/* The two numbers of a signature as the DER that OpenSSL wants; its length, 0: broken. */
static size_t ecdsa_signature(struct slice blob, uint8_t der[DER_MAX])
{
	struct cursor c = cursor_of(blob);
	struct slice r = wire_string(&c), s = wire_string(&c);
	ECDSA_SIG *numbers = ECDSA_SIG_new();
	BIGNUM *first = NULL, *second = NULL;
	uint8_t *at = der;
	int length = 0;

	wire_end(&c);
	if (!c.failed && r.length <= 80 && s.length <= 80) {
		first = BN_bin2bn(r.at, (int)r.length, NULL);
		second = BN_bin2bn(s.at, (int)s.length, NULL);
	}
	if (numbers && first && second && ECDSA_SIG_set0(numbers, first, second) == 1) {
		first = second = NULL; /* the signature's now */
		length = i2d_ECDSA_SIG(numbers, &at);
	}
	BN_free(first);
	BN_free(second);
	ECDSA_SIG_free(numbers);
	return length > 0 && length <= DER_MAX ? (size_t)length : 0;
}

static const char *digest_of(int kind, struct slice algorithm)
{
	if (kind != KIND_RSA)
		return kinds[kind].digest;
	if (slice_is(algorithm, "rsa-sha2-512"))
		return "SHA2-512";
	return slice_is(algorithm, "rsa-sha2-256") ? "SHA2-256" : "SHA1";
}

static bool verify(EVP_PKEY *public, const char *digest, struct slice signature, struct slice data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
		ctx && public &&
		EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, public, NULL) == 1 &&
		EVP_DigestVerify(ctx, signature.at, signature.length, data.at, data.length) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

bool ssh_user_key_verify(const struct ssh_user_key *key, struct slice algorithm,
			 struct slice signature, struct slice data)
{
	struct cursor c = cursor_of(key->blob), s = cursor_of(signature);
	int kind = key->known ? kind_of(key->type) : -1;
	struct slice name = wire_string(&s), body = wire_string(&s);
	uint8_t der[DER_MAX];
	EVP_PKEY *public;
	bool good;

	wire_end(&s);
	(void)wire_string(&c);
	if (s.failed || kind < 0 || kind > KIND_ECDSA_LAST || !slice_equal(name, algorithm))
		return false;
	public = kind == KIND_ED25519 ? ed25519_key(&c)
		 : kind == KIND_RSA   ? rsa_key(&c)
				      : ecdsa_key(&c, kind);
	if (kind >= KIND_ECDSA_FIRST)
		body = slice_of(der, ecdsa_signature(body, der));
	good = public && body.length && verify(public, digest_of(kind, algorithm), body, data);
	EVP_PKEY_free(public);
	ERR_clear_error();
	return good;
}
