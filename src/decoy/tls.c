/* TLS as a pipe without I/O; see tls.h.
 *
 * OpenSSL reads and writes through a BIO of our own whose two ends are plain byte buffers of the
 * pipe: they are bounded, and unlike OpenSSL's memory BIOs they give their memory back as soon as
 * they are empty, so an idle session holds no record buffers.
 */
#include "decoy/tls.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash.h"

/* Ciphertext not yet decrypted: a few records of 16 KiB plus one generous read from the socket. */
#define INPUT_MAX ((size_t)256 * 1024)
/* Ciphertext not yet fetched by the session: its largest answer. */
#define OUTPUT_MAX ((size_t)8 * 1024 * 1024)
/* Certificate, chain and key as PEM; real ones stay below 20 KiB. */
#define PEM_MAX ((size_t)256 * 1024)
/* Longest server name that is kept: a DNS name has at most 255 bytes. */
#define SERVER_NAME_MAX 255
#define SERIAL_LENGTH   16

struct tls_settings {
	SSL_CTX *context;
	BIO_METHOD *method; /* must outlive every pipe */
};

struct tls_pipe {
	SSL *ssl;
	struct writer in; /* ciphertext; the first `taken` bytes are used up */
	size_t taken;
	struct writer out;
	uint8_t *server_name;
	size_t server_name_length;
	uint64_t plain_in, plain_out; /* bytes that came out of it and went in */
	bool ready, broken;
};

/* --- the BIO --- */

static int pipe_bio_read(BIO *bio, char *at, int length)
{
	struct tls_pipe *pipe = BIO_get_data(bio);
	size_t left = pipe->in.length - pipe->taken;

	BIO_clear_retry_flags(bio);
	if (length <= 0)
		return 0;
	if (left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	size_t count = left < (size_t)length ? left : (size_t)length;
	memcpy(at, pipe->in.at + pipe->taken, count);
	pipe->taken += count;
	if (pipe->taken == pipe->in.length) {
		writer_free(&pipe->in);
		pipe->taken = 0;
	}
	return (int)count;
}

static int pipe_bio_write(BIO *bio, const char *at, int length)
{
	struct tls_pipe *pipe = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (length <= 0)
		return 0;
	writer_bytes(&pipe->out, slice_of(at, (size_t)length));
	return pipe->out.failed ? -1 : length;
}

static long pipe_bio_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

/* --- settings --- */

/* Keeps what the client sends as server name, whatever OpenSSL makes of it afterwards. */
static int keep_server_name(SSL *ssl, int *alert, void *argument)
{
	struct tls_pipe *pipe = SSL_get_app_data(ssl);
	const unsigned char *at;
	size_t length;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &length) ||
	    pipe->server_name)
		return SSL_CLIENT_HELLO_SUCCESS;
	/* RFC 6066, 3: list length, type, name length, name. Where the lengths lie, what is there.
	 */
	struct cursor c = cursor_of(slice_of(at, length));
	cursor_skip(&c, 3);
	size_t name_length = cursor_u16be(&c);
	if (c.failed)
		return SSL_CLIENT_HELLO_SUCCESS;
	struct slice name = slice_first(slice_of(c.at, c.left), name_length);
	name = slice_first(name, SERVER_NAME_MAX);
	if (name.length > 0 && (pipe->server_name = malloc(name.length)) != NULL) {
		memcpy(pipe->server_name, name.at, name.length);
		pipe->server_name_length = name.length;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* An encrypted key must not make OpenSSL ask on the terminal. */
static int no_password(char *at, int size, int writing, void *argument)
{
	return 0;
}

static int load_pem(SSL_CTX *context, struct slice pem, const char **why)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
	BIO *again = BIO_new_mem_buf(pem.at, (int)pem.length);
	X509 *certificate = NULL, *link;
	EVP_PKEY *key = NULL;
	int result = -1;

	*why = "memory is out";
	if (!bio || !again)
		goto done;
	*why = "there is no certificate in PEM form";
	certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (!certificate || SSL_CTX_use_certificate(context, certificate) != 1)
		goto done;
	while ((link = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(context, link) != 1) {
			X509_free(link);
			break;
		}
	}
	*why = "there is no private key in PEM form without a password";
	key = PEM_read_bio_PrivateKey(again, NULL, no_password, NULL);
	if (!key)
		goto done;
	*why = "the private key does not belong to the certificate";
	if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
		goto done;
	result = 0;
done:
	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(again);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

static BIO_METHOD *make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "pipe");

	if (method && (!BIO_meth_set_read(method, pipe_bio_read) ||
		       !BIO_meth_set_write(method, pipe_bio_write) ||
		       !BIO_meth_set_ctrl(method, pipe_bio_control))) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

/* A neglected server: every version and cipher there is, but nothing that costs memory or lets a
 * client make us work twice (tickets, session cache, renegotiation). */
static int neglect(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_client_hello_cb(context, keep_server_name, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, "ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0") != 1)
		return -1;
	return 0;
}

struct tls_settings *tls_settings_parse(struct slice pem, const char **why)
{
	struct tls_settings *settings = calloc(1, sizeof(*settings));

	*why = "memory is out";
	if (!settings)
		return NULL;
	/* The system's openssl.cnf forbids the old versions that we are here to offer. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	settings->method = make_method();
	settings->context = SSL_CTX_new(TLS_server_method());
	if (!settings->method || !settings->context)
		goto failed;
	*why = "OpenSSL refuses the old protocol versions";
	if (neglect(settings->context) != 0)
		goto failed;
	*why = "the certificate is too large";
	if (pem.length > PEM_MAX || load_pem(settings->context, pem, why) != 0)
		goto failed;
	return settings;
failed:
	ERR_clear_error();
	tls_settings_free(settings);
	return NULL;
}

static int append_file(struct writer *pem, const char *path)
{
	FILE *file = fopen(path, "rbe");
	size_t count = 0;

	if (!file)
		return -1;
	do {
		uint8_t *at = writer_reserve(pem, 4096);
		if (!at)
			break;
		count = fread(at, 1, 4096, file);
		writer_commit(pem, count);
	} while (count > 0);
	int result = ferror(file) || pem->failed ? -1 : 0;
	fclose(file);
	return result;
}

struct tls_settings *tls_settings_read(const char *certificate_file, const char *key_file,
				       const char **why)
{
	struct writer pem = writer_growing(PEM_MAX);
	struct tls_settings *settings = NULL;

	*why = "the certificate file cannot be read";
	if (append_file(&pem, certificate_file) != 0)
		goto done;
	writer_u8(&pem, '\n');
	*why = "the key file cannot be read";
	if (append_file(&pem, key_file) != 0)
		goto done;
	settings = tls_settings_parse(writer_slice(&pem), why);
done:
	if (pem.at)
		OPENSSL_cleanse(pem.at, pem.length);
	writer_free(&pem);
	return settings;
}

void tls_settings_free(struct tls_settings *settings)
{
	if (!settings)
		return;
	SSL_CTX_free(settings->context);
	BIO_meth_free(settings->method);
	free(settings);
}

/* --- pipes --- */

struct tls_pipe *tls_pipe_new(const struct tls_settings *settings)
{
	struct tls_pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return NULL;
	pipe->in = writer_growing(INPUT_MAX);
	pipe->out = writer_growing(OUTPUT_MAX);
	pipe->ssl = SSL_new(settings->context);
	BIO *bio = BIO_new(settings->method);
	if (!pipe->ssl || !bio) {
		BIO_free(bio);
		tls_pipe_free(pipe);
		return NULL;
	}
	BIO_set_data(bio, pipe);
	BIO_set_init(bio, 1);
	SSL_set_bio(pipe->ssl, bio, bio);
	SSL_set_app_data(pipe->ssl, pipe);
	SSL_set_accept_state(pipe->ssl);
	return pipe;
}

void tls_pipe_free(struct tls_pipe *pipe)
{
	if (!pipe)
		return;
	SSL_free(pipe->ssl);
	writer_free(&pipe->in);
	writer_free(&pipe->out);
	free(pipe->server_name);
	free(pipe);
}

void tls_pipe_forbid_tls13(struct tls_pipe *pipe)
{
	SSL_set_max_proto_version(pipe->ssl, TLS1_2_VERSION);
}

/* Whether the call that returned `result` only wants more bytes; else the pipe is broken. */
static bool wants_more(struct tls_pipe *pipe, int result)
{
	int error = SSL_get_error(pipe->ssl, result);

	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ)
		return true;
	pipe->broken = true;
	return false;
}

int tls_pipe_feed(struct tls_pipe *pipe, struct slice ciphertext)
{
	if (pipe->broken)
		return -1;
	if (pipe->taken > 0) {
		writer_consume(&pipe->in, pipe->taken);
		pipe->taken = 0;
	}
	writer_bytes(&pipe->in, ciphertext);
	if (pipe->in.failed) {
		pipe->broken = true;
		return -1;
	}
	if (pipe->ready)
		return 0;
	ERR_clear_error();
	int result = SSL_do_handshake(pipe->ssl);
	if (result == 1) {
		pipe->ready = true;
		return 0;
	}
	return wants_more(pipe, result) ? 0 : -1;
}

ssize_t tls_pipe_read(struct tls_pipe *pipe, uint8_t *at, size_t capacity, bool *closed)
{
	size_t count = 0;

	*closed = false;
	if (pipe->broken)
		return -1;
	if (!pipe->ready || capacity == 0)
		return 0;
	ERR_clear_error();
	int result = SSL_read_ex(pipe->ssl, at, capacity, &count);
	if (result == 1) {
		pipe->plain_in += count;
		return (ssize_t)count;
	}
	if (SSL_get_shutdown(pipe->ssl) & SSL_RECEIVED_SHUTDOWN) {
		ERR_clear_error();
		*closed = true;
		return 0;
	}
	return wants_more(pipe, result) ? 0 : -1;
}

int tls_pipe_write(struct tls_pipe *pipe, struct slice plaintext)
{
	if (!pipe->ready || pipe->broken)
		return -1;
	while (plaintext.length > 0) {
		size_t written = 0;
		ERR_clear_error();
		if (SSL_write_ex(pipe->ssl, plaintext.at, plaintext.length, &written) != 1) {
			ERR_clear_error();
			pipe->broken = true;
			return -1;
		}
		plaintext = slice_from(plaintext, written);
		pipe->plain_out += written;
	}
	return 0;
}

void tls_pipe_close(struct tls_pipe *pipe)
{
	if (!pipe->ready || pipe->broken)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(pipe->ssl);
	ERR_clear_error();
}

void tls_pipe_output(struct tls_pipe *pipe, struct writer *out)
{
	if (pipe->out.length == 0)
		return;
	writer_bytes(out, writer_slice(&pipe->out));
	writer_free(&pipe->out);
}

bool tls_pipe_is_ready(const struct tls_pipe *pipe)
{
	return pipe->ready;
}

const char *tls_pipe_version(const struct tls_pipe *pipe)
{
	const char *name = pipe->ready ? SSL_get_version(pipe->ssl) : "";

	/* "TLSv1" is version 1.0; ECS wants the number alone. */
	if (strcmp(name, "TLSv1") == 0)
		return "1.0";
	return strncmp(name, "TLSv", 4) == 0 ? name + 4 : name;
}

const char *tls_pipe_cipher(const struct tls_pipe *pipe)
{
	const SSL_CIPHER *cipher = pipe->ready ? SSL_get_current_cipher(pipe->ssl) : NULL;
	const char *name = cipher ? SSL_CIPHER_standard_name(cipher) : NULL;

	return name ? name : "";
}

struct slice tls_pipe_server_name(const struct tls_pipe *pipe)
{
	return slice_of(pipe->server_name, pipe->server_name_length);
}

/* --- making certificates --- */

static int add_name(X509_NAME *name, const char *field, const char *text)
{
	if (!text)
		return 0;
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text,
					  -1, -1, 0) == 1
		       ? 0
		       : -1;
}

static int set_names(X509 *certificate, const struct tls_subject *subject)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	if (add_name(name, "C", subject->country) != 0 ||
	    add_name(name, "O", subject->organization) != 0 ||
	    add_name(name, "CN", subject->common_name) != 0)
		return -1;
	if (!subject->issuer_organization)
		return X509_set_issuer_name(certificate, name) == 1 ? 0 : -1;
	X509_NAME *issuer = X509_get_issuer_name(certificate);
	char common_name[64]; /* the longest that X.520 allows, with NUL */
	snprintf(common_name, sizeof(common_name), "%s CA", subject->issuer_organization);
	if (add_name(issuer, "C", subject->country) != 0 ||
	    add_name(issuer, "O", subject->issuer_organization) != 0 ||
	    add_name(issuer, "CN", common_name) != 0)
		return -1;
	return 0;
}

static int set_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_LENGTH];
	int result = -1;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always of full length */
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)))
		result = 0;
	BN_free(number);
	return result;
}

static int add_extension(X509 *certificate, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
	int result = -1;

	if (extension && X509_add_ext(certificate, extension, -1) == 1)
		result = 0;
	X509_EXTENSION_free(extension);
	return result;
}

/* Built by hand, not by X509V3_EXT_conf: a name with a comma must not become two. */
static int add_alternative_name(X509 *certificate, const char *common_name)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *text = NULL;
	struct address address;
	int result = -1;

	if (!names || !name || sk_GENERAL_NAME_push(names, name) <= 0) {
		GENERAL_NAME_free(name);
		sk_GENERAL_NAME_free(names);
		return -1;
	}
	bool is_address = address_parse(slice_text(common_name), &address) == 0;
	text = is_address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (!text)
		goto done;
	GENERAL_NAME_set0_value(name, is_address ? GEN_IPADD : GEN_DNS, text);
	if (is_address)
		result = ASN1_STRING_set(text, address.bytes, address.family == 4 ? 4 : 16);
	else
		result = ASN1_STRING_set(text, common_name, -1);
	if (result == 1)
		result = X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0);
	result = result == 1 ? 0 : -1;
done:
	GENERAL_NAMES_free(names);
	return result;
}

static int add_extensions(X509 *certificate, const struct tls_subject *subject)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	if (add_extension(certificate, &context, NID_key_usage,
			  subject->rsa ? "critical,digitalSignature,keyEncipherment"
				       : "critical,digitalSignature") != 0 ||
	    add_extension(certificate, &context, NID_ext_key_usage, "serverAuth") != 0 ||
	    add_extension(certificate, &context, NID_basic_constraints, "critical,CA:FALSE") != 0 ||
	    add_extension(certificate, &context, NID_subject_key_identifier, "hash") != 0)
		return -1;
	return add_alternative_name(certificate, subject->common_name);
}

static EVP_PKEY *make_key(const struct tls_subject *subject)
{
	return subject->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static X509 *make_certificate(const struct tls_subject *subject, EVP_PKEY *key, EVP_PKEY *signer)
{
	X509 *certificate = X509_new();

	if (!certificate)
		return NULL;
	if (X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) == 0 &&
	    ASN1_TIME_set(X509_getm_notBefore(certificate),
			  (time_t)(subject->not_before / SECOND)) &&
	    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(subject->not_after / SECOND)) &&
	    set_names(certificate, subject) == 0 && X509_set_pubkey(certificate, key) == 1 &&
	    add_extensions(certificate, subject) == 0 &&
	    X509_sign(certificate, signer, EVP_sha256()) > 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static int append_pem(BIO *bio, struct writer *out)
{
	char *at;
	long length = BIO_get_mem_data(bio, &at);

	if (length <= 0)
		return -1;
	writer_bytes(out, slice_of(at, (size_t)length));
	return out->failed ? -1 : 0;
}

int tls_make_certificate(const struct tls_subject *subject, struct writer *certificate,
			 struct writer *key)
{
	EVP_PKEY *own = NULL, *issuer = NULL;
	X509 *made = NULL;
	BIO *certificate_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_secmem());
	int result = -1;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (!certificate_pem || !key_pem || (own = make_key(subject)) == NULL)
		goto done;
	/* An authority's key that nobody keeps: the certificate shows another's signature. */
	if (subject->issuer_organization && (issuer = make_key(subject)) == NULL)
		goto done;
	made = make_certificate(subject, own, issuer ? issuer : own);
	if (!made || PEM_write_bio_X509(certificate_pem, made) != 1 ||
	    PEM_write_bio_PrivateKey(key_pem, own, NULL, NULL, 0, NULL, NULL) != 1)
		goto done;
	if (append_pem(certificate_pem, certificate) == 0 && append_pem(key_pem, key) == 0)
		result = 0;
done:
	X509_free(made);
	EVP_PKEY_free(issuer);
	EVP_PKEY_free(own);
	BIO_free(key_pem);
	BIO_free(certificate_pem);
	ERR_clear_error();
	return result;
}

void tls_pipe_count(const struct tls_pipe *pipe, uint64_t *in, uint64_t *out)
{
	*in = pipe->plain_in;
	*out = pipe->plain_out;
}
