/* SSH host keys; see host_keys.h. */
#include "decoy/host_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define PEM_MAX       ((size_t)64 * 1024)
#define PUBLIC_MAX    1200 /* RSA of 8192 bits */
#define SIGNATURE_MAX 1024
#define NUMBER_MAX    1024

struct host_key {
	EVP_PKEY *key;
	EVP_MD_CTX *context; /* Ed25519: set up once, each signature is one call */
	uint8_t room[PUBLIC_MAX];
	struct slice blob;
};

struct host_keys {
	struct host_key keys[HOST_KEY_TYPES];
};

static const char *const type_names[HOST_KEY_TYPES] = {"ssh-rsa", "ecdsa-sha2-nistp256",
						       "ssh-ed25519"};

const char *host_keys_type_name(enum host_key_type type)
{
	return type_names[type];
}

/* --- wire forms --- */

static void put_string(struct writer *w, struct slice s)
{
	writer_u32be(w, (uint32_t)s.length);
	writer_bytes(w, s);
}

static void put_number(struct writer *w, const BIGNUM *number)
{
	uint8_t bytes[NUMBER_MAX + 1];
	int length = BN_num_bytes(number);

	if (length > NUMBER_MAX) {
		w->failed = true;
		return;
	}
	bytes[0] = 0;
	BN_bn2bin(number, bytes + 1);
	if (length && bytes[1] & 0x80)
		put_string(w, slice_of(bytes, (size_t)length + 1));
	else
		put_string(w, slice_of(bytes + 1, (size_t)length));
}

static int put_rsa(struct writer *w, EVP_PKEY *key)
{
	BIGNUM *e = NULL, *n = NULL;
	int result = -1;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1) {
		put_number(w, e);
		put_number(w, n);
		result = 0;
	}
	BN_free(e);
	BN_free(n);
	return result;
}

static int put_ecdsa(struct writer *w, EVP_PKEY *key)
{
	uint8_t *point = NULL;
	size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);

	if (!length)
		return -1;
	put_string(w, SLICE("nistp256"));
	put_string(w, slice_of(point, length));
	OPENSSL_free(point);
	return 0;
}

static int put_ed25519(struct writer *w, EVP_PKEY *key)
{
	uint8_t public[32];
	size_t length = sizeof(public);

	if (EVP_PKEY_get_raw_public_key(key, public, &length) != 1)
		return -1;
	put_string(w, slice_of(public, length));
	return 0;
}

static int set_blob(struct host_key *key, enum host_key_type type)
{
	static int (*const put[HOST_KEY_TYPES])(struct writer *, EVP_PKEY *) = {put_rsa, put_ecdsa,
										put_ed25519};
	struct writer w = writer_fixed(key->room, sizeof(key->room));

	put_string(&w, slice_text(type_names[type]));
	if (put[type](&w, key->key) < 0 || w.failed)
		return -1;
	key->blob = writer_slice(&w);
	return 0;
}

/* --- making --- */

static int append_pem(EVP_PKEY *key, struct writer *pem)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *at;
	long length;
	int result = -1;

	if (bio && key && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    (length = BIO_get_mem_data(bio, &at)) > 0) {
		writer_bytes(pem, slice_of(at, (size_t)length));
		result = pem->failed ? -1 : 0;
	}
	BIO_free(bio);
	return result;
}

int host_keys_make(unsigned rsa_bits, struct writer *pem)
{
	EVP_PKEY *keys[HOST_KEY_TYPES] = {EVP_RSA_gen(rsa_bits), EVP_EC_gen("P-256"),
					  EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	int result = 0;

	for (size_t i = 0; i < HOST_KEY_TYPES; i++) {
		if (append_pem(keys[i], pem) < 0)
			result = -1;
		EVP_PKEY_free(keys[i]);
	}
	ERR_clear_error();
	return result;
}

/* --- reading --- */

static int no_password(char *at, int size, int writing, void *argument)
{
	return 0;
}

static int type_of(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return HOST_KEY_RSA;
	if (EVP_PKEY_is_a(key, "EC"))
		return HOST_KEY_ECDSA;
	return EVP_PKEY_is_a(key, "ED25519") ? HOST_KEY_ED25519 : -1;
}

static int take_key(struct host_keys *keys, EVP_PKEY *key)
{
	int type = type_of(key);
	struct host_key *at;

	if (type < 0 || keys->keys[type].key) {
		EVP_PKEY_free(key);
		return -1;
	}
	at = &keys->keys[type];
	at->key = key;
	at->context = EVP_MD_CTX_new();
	if (!at->context || set_blob(at, (enum host_key_type)type) < 0)
		return -1;
	return type != HOST_KEY_ED25519 || EVP_DigestSignInit_ex(at->context, NULL, NULL, NULL,
								 NULL, key, NULL) == 1
		       ? 0
		       : -1;
}

struct host_keys *host_keys_parse(struct slice pem, const char **why)
{
	struct host_keys *keys = calloc(1, sizeof(*keys));
	BIO *bio = pem.length <= PEM_MAX ? BIO_new_mem_buf(pem.at, (int)pem.length) : NULL;
	EVP_PKEY *key;
	bool good = keys && bio;

	*why = "memory is out";
	while (good && (key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)) != NULL) {
		*why = "a key is of an unknown kind, or there are two of one";
		good = take_key(keys, key) == 0;
	}
	for (size_t i = 0; good && i < HOST_KEY_TYPES; i++) {
		*why = "it has not one RSA, one P-256 and one Ed25519 key";
		good = keys->keys[i].key != NULL;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (good)
		return keys;
	host_keys_free(keys);
	return NULL;
}

struct host_keys *host_keys_read(const char *path, const char **why)
{
	uint8_t *room = malloc(PEM_MAX);
	FILE *file = fopen(path, "rbe");
	struct host_keys *keys = NULL;
	size_t length;

	*why = file ? "memory is out" : "the file cannot be read";
	if (room && file) {
		length = fread(room, 1, PEM_MAX, file);
		keys = host_keys_parse(slice_of(room, length), why);
		explicit_bzero(room, PEM_MAX);
	}
	if (file)
		fclose(file);
	free(room);
	return keys;
}

void host_keys_free(struct host_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < HOST_KEY_TYPES; i++) {
		EVP_MD_CTX_free(keys->keys[i].context);
		EVP_PKEY_free(keys->keys[i].key);
	}
	free(keys);
}

struct slice host_keys_public(const struct host_keys *keys, enum host_key_type type)
{
	return keys->keys[type].blob;
}

/* --- signing --- */

static const char *digest_of(enum host_key_type type, const char *algorithm)
{
	if (type == HOST_KEY_ED25519)
		return NULL;
	if (type == HOST_KEY_ECDSA || strcmp(algorithm, "rsa-sha2-256") == 0)
		return "SHA2-256";
	return strcmp(algorithm, "rsa-sha2-512") == 0 ? "SHA2-512" : "SHA1";
}

/* DER to the two numbers that SSH has. */
static int put_ecdsa_signature(struct writer *out, const uint8_t *der, size_t length)
{
	ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);
	uint8_t room[2 * 40];
	struct writer w = writer_fixed(room, sizeof(room));

	if (!numbers)
		return -1;
	put_number(&w, ECDSA_SIG_get0_r(numbers));
	put_number(&w, ECDSA_SIG_get0_s(numbers));
	ECDSA_SIG_free(numbers);
	put_string(out, writer_slice(&w));
	return w.failed ? -1 : 0;
}

static int compute(const struct host_key *key, enum host_key_type type, const char *algorithm,
		   struct slice data, uint8_t *signature, size_t *length)
{
	const char *digest = digest_of(type, algorithm);

	if (digest &&
	    EVP_DigestSignInit_ex(key->context, NULL, digest, NULL, NULL, key->key, NULL) != 1)
		return -1;
	return EVP_DigestSign(key->context, signature, length, data.at, data.length) == 1 ? 0 : -1;
}

int host_keys_sign(const struct host_keys *keys, enum host_key_type type, const char *algorithm,
		   struct slice data, struct writer *out)
{
	const struct host_key *key = &keys->keys[type];
	uint8_t room[SIGNATURE_MAX], body_room[SIGNATURE_MAX + 64];
	struct writer body = writer_fixed(body_room, sizeof(body_room));
	size_t length = sizeof(room);

	if (compute(key, type, algorithm, data, room, &length) < 0) {
		ERR_clear_error();
		return -1;
	}
	put_string(&body, slice_text(algorithm));
	if (type != HOST_KEY_ECDSA)
		put_string(&body, slice_of(room, length));
	else if (put_ecdsa_signature(&body, room, length) < 0)
		return -1;
	writer_bytes(out, writer_slice(&body));
	return body.failed || out->failed ? -1 : 0;
}
