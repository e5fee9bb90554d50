/* TLS pipes against OpenSSL's own client, in one process and without sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "decoy/tls.h"

#define ROUNDS_MAX 64 /* a handshake takes three */
#define HUGE       (3 * 1024 * 1024)

struct fixture {
	struct tls_settings *settings;
	struct writer certificate, key;
};

/* One client, one pipe; `piece` bytes of the client's ciphertext are fed at a time (0: all). */
struct pair {
	SSL_CTX *context;
	SSL *client;
	BIO *in, *out;
	struct tls_pipe *pipe;
	size_t piece;
};

static const struct tls_subject subject = {
	.common_name = "db01.corp.example",
	.organization = "Example, Incorporated",
	.country = "US",
	.not_before = 1600000000 * SECOND,
	.not_after = 1900000000 * SECOND,
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct writer pem = writer_growing(65536);
	struct tls_subject rsa = subject;
	const char *why;

	fixture->certificate = writer_growing(65536);
	fixture->key = writer_growing(65536);
	rsa.rsa = true;
	assert_int_equal(tls_make_certificate(&rsa, &fixture->certificate, &fixture->key), 0);
	writer_bytes(&pem, writer_slice(&fixture->key));
	writer_bytes(&pem, writer_slice(&fixture->certificate));
	fixture->settings = tls_settings_parse(writer_slice(&pem), &why);
	assert_non_null(fixture->settings);
	writer_free(&pem);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tls_settings_free(fixture->settings);
	writer_free(&fixture->certificate);
	writer_free(&fixture->key);
	free(fixture);
	return 0;
}

static struct pair pair_new(const struct fixture *fixture, int version, size_t piece)
{
	struct pair pair = {.context = SSL_CTX_new(TLS_client_method()), .piece = piece};

	SSL_CTX_set_security_level(pair.context, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(pair.context, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(pair.context, version), 1);
	pair.client = SSL_new(pair.context);
	pair.in = BIO_new(BIO_s_mem());
	pair.out = BIO_new(BIO_s_mem());
	SSL_set_bio(pair.client, pair.in, pair.out);
	SSL_set_connect_state(pair.client);
	SSL_set_tlsext_host_name(pair.client, "db01.corp.example");
	pair.pipe = tls_pipe_new(fixture->settings);
	assert_non_null(pair.pipe);
	return pair;
}

static void pair_free(struct pair *pair)
{
	tls_pipe_free(pair->pipe);
	SSL_free(pair->client);
	SSL_CTX_free(pair->context);
}

/* Carries what waits in both directions; -1 when the pipe broke. */
static int carry(struct pair *pair)
{
	struct writer out = writer_growing(16 * 1024 * 1024);
	char *at;
	long length = BIO_get_mem_data(pair->out, &at);
	struct slice rest = slice_of(at, (size_t)length);
	int result = 0;

	while (rest.length > 0 && result == 0) {
		size_t piece = pair->piece ? pair->piece : rest.length;
		result = tls_pipe_feed(pair->pipe, slice_first(rest, piece));
		rest = slice_from(rest, piece);
	}
	(void)BIO_reset(pair->out);
	tls_pipe_output(pair->pipe, &out);
	if (out.length > 0)
		assert_int_equal(BIO_write(pair->in, out.at, (int)out.length), (int)out.length);
	writer_free(&out);
	return result;
}

static void handshake(struct pair *pair)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		int done = SSL_do_handshake(pair->client);
		assert_int_equal(carry(pair), 0);
		if (done == 1 && tls_pipe_is_ready(pair->pipe))
			return;
	}
	fail_msg("the handshake does not end");
}

static void echo(struct pair *pair)
{
	uint8_t room[64];
	char answer[64];
	bool closed;

	assert_int_equal(SSL_write(pair->client, "ping", 4), 4);
	assert_int_equal(carry(pair), 0);
	assert_int_equal(tls_pipe_read(pair->pipe, room, sizeof(room), &closed), 4);
	assert_memory_equal(room, "ping", 4);
	assert_int_equal(tls_pipe_read(pair->pipe, room, sizeof(room), &closed), 0);
	assert_false(closed);
	assert_int_equal(tls_pipe_write(pair->pipe, SLICE("pong!")), 0);
	assert_int_equal(carry(pair), 0);
	assert_int_equal(SSL_read(pair->client, answer, sizeof(answer)), 5);
	assert_memory_equal(answer, "pong!", 5);
}

static const struct {
	int version;
	const char *name;
} versions[] = {
	{TLS1_VERSION, "1.0"},
	{TLS1_1_VERSION, "1.1"},
	{TLS1_2_VERSION, "1.2"},
	{TLS1_3_VERSION, "1.3"},
};

static void test_every_version_and_split(void **state)
{
	static const size_t pieces[] = {0, 1, 2, 7};

	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(pieces); k++) {
			struct pair pair = pair_new(*state, versions[i].version, pieces[k]);
			assert_string_equal(tls_pipe_version(pair.pipe), "");
			assert_string_equal(tls_pipe_cipher(pair.pipe), "");
			assert_int_equal(tls_pipe_write(pair.pipe, SLICE("early")), -1);
			handshake(&pair);
			assert_string_equal(tls_pipe_version(pair.pipe), versions[i].name);
			assert_true(strncmp(tls_pipe_cipher(pair.pipe), "TLS_", 4) == 0);
			assert_true(slice_is(tls_pipe_server_name(pair.pipe), "db01.corp.example"));
			echo(&pair);
			pair_free(&pair);
		}
	}
}

static void test_close_notify(void **state)
{
	struct pair pair = pair_new(*state, TLS1_2_VERSION, 0);
	uint8_t room[16];
	char answer[16];
	bool closed;

	handshake(&pair);
	assert_int_equal(SSL_write(pair.client, "last", 4), 4);
	SSL_shutdown(pair.client);
	assert_int_equal(carry(&pair), 0);
	assert_int_equal(tls_pipe_read(pair.pipe, room, sizeof(room), &closed), 4);
	assert_false(closed);
	assert_int_equal(tls_pipe_read(pair.pipe, room, sizeof(room), &closed), 0);
	assert_true(closed);
	/* The other direction is still open, then closes in order. */
	assert_int_equal(tls_pipe_write(pair.pipe, SLICE("bye")), 0);
	tls_pipe_close(pair.pipe);
	assert_int_equal(carry(&pair), 0);
	assert_int_equal(SSL_read(pair.client, answer, sizeof(answer)), 3);
	assert_int_equal(SSL_read(pair.client, answer, sizeof(answer)), 0);
	assert_int_equal(SSL_get_error(pair.client, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(tls_pipe_write(pair.pipe, SLICE("more")), -1);
	pair_free(&pair);
}

static void test_much_data(void **state)
{
	struct pair pair = pair_new(*state, TLS1_3_VERSION, 0);
	uint8_t *much = malloc(HUGE), *back = malloc(HUGE);
	size_t received = 0;

	handshake(&pair);
	for (size_t i = 0; i < HUGE; i++)
		much[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(tls_pipe_write(pair.pipe, slice_of(much, HUGE)), 0);
	assert_int_equal(carry(&pair), 0);
	while (received < HUGE) {
		int count = SSL_read(pair.client, back + received, (int)(HUGE - received));
		assert_true(count > 0);
		received += (size_t)count;
	}
	assert_memory_equal(much, back, HUGE);
	/* What nobody reads does not pile up for ever. */
	assert_int_equal(SSL_write(pair.client, much, 512 * 1024), 512 * 1024);
	assert_int_equal(carry(&pair), -1);
	free(much);
	free(back);
	pair_free(&pair);
}

static void test_garbage(void **state)
{
	struct fixture *fixture = *state;
	static const struct slice bad[] = {
		SLICE("GET / HTTP/1.0\r\n\r\n"),
		SLICE("\x16\x03\x01\xff\xff\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		SLICE("\x16\x03\x01\x00\x04\x01\x00\x00\x00 and more that makes no sense"),
		SLICE("\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x00\x00\x04"),
		SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		struct tls_pipe *pipe = tls_pipe_new(fixture->settings);
		struct writer out = writer_growing(4096);
		uint8_t room[8];
		bool closed;
		int result = 0;
		for (size_t k = 0; k < bad[i].length && result == 0; k++)
			result = tls_pipe_feed(pipe, slice_of(bad[i].at + k, 1));
		tls_pipe_output(pipe, &out);
		assert_false(tls_pipe_is_ready(pipe));
		if (result != 0) {
			assert_int_equal(tls_pipe_feed(pipe, SLICE("x")), -1);
			assert_int_equal(tls_pipe_read(pipe, room, sizeof(room), &closed), -1);
			assert_int_equal(tls_pipe_write(pipe, SLICE("x")), -1);
			tls_pipe_close(pipe);
		}
		writer_free(&out);
		tls_pipe_free(pipe);
	}
	tls_pipe_free(NULL);
}

static void test_garbage_after_the_handshake(void **state)
{
	struct pair pair = pair_new(*state, TLS1_2_VERSION, 0);
	uint8_t room[16];
	bool closed;

	handshake(&pair);
	assert_int_equal(tls_pipe_feed(pair.pipe, SLICE("not a record of any kind at all")), 0);
	assert_int_equal(tls_pipe_read(pair.pipe, room, sizeof(room), &closed), -1);
	assert_int_equal(tls_pipe_write(pair.pipe, SLICE("x")), -1);
	pair_free(&pair);
}

static X509 *read_certificate(const struct writer *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->at, (int)pem->length);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

static void test_certificate(void **state)
{
	struct fixture *fixture = *state;
	X509 *certificate = read_certificate(&fixture->certificate);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	EVP_PKEY *key = X509_get_pubkey(certificate);
	char text[256];

	assert_int_equal(ASN1_STRING_length(serial), 16);
	assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* positive */
	X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof(text));
	assert_string_equal(text, "/C=US/O=Example, Incorporated/CN=db01.corp.example");
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(certificate),
				       X509_get_issuer_name(certificate)),
			 0);
	assert_int_equal(X509_get_signature_nid(certificate), NID_sha256WithRSAEncryption);
	assert_int_equal(X509_check_host(certificate, "db01.corp.example", 0, 0, NULL), 1);
	assert_int_equal(X509_verify(certificate, key), 1);
	EVP_PKEY_free(key);
	X509_free(certificate);
}

static void test_certificate_of_an_authority(void **state)
{
	struct tls_subject other = subject;
	struct writer pem = writer_growing(65536), key = writer_growing(65536);
	struct writer again = writer_growing(65536);
	char text[256];
	const char *why;

	other.issuer_organization = "Example Trust";
	other.common_name = "192.0.2.7";
	assert_int_equal(tls_make_certificate(&other, &pem, &key), 0);
	X509 *certificate = read_certificate(&pem);
	X509_NAME_oneline(X509_get_issuer_name(certificate), text, sizeof(text));
	assert_string_equal(text, "/C=US/O=Example Trust/CN=Example Trust CA");
	assert_int_equal(X509_check_ip_asc(certificate, "192.0.2.7", 0), 1);
	EVP_PKEY *own = X509_get_pubkey(certificate);
	assert_int_not_equal(X509_verify(certificate, own), 1);
	EVP_PKEY_free(own);
	X509_free(certificate);

	/* A key that is another's, and none at all. */
	assert_null(tls_settings_parse(writer_slice(&pem), &why));
	assert_non_null(why);
	assert_null(tls_settings_parse(SLICE("nonsense"), &why));
	assert_null(tls_settings_parse(slice_of(NULL, 0), &why));
	writer_bytes(&again, writer_slice(&((struct fixture *)*state)->key));
	writer_bytes(&again, writer_slice(&pem));
	assert_null(tls_settings_parse(writer_slice(&again), &why));
	assert_null(tls_settings_read("/nonexistent", "/nonexistent", &why));
	writer_free(&again);
	writer_free(&pem);
	writer_free(&key);
	tls_settings_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_version_and_split),
		cmocka_unit_test(test_close_notify),
		cmocka_unit_test(test_much_data),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_garbage_after_the_handshake),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_certificate_of_an_authority),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
