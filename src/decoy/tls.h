/* TLS as a pipe without I/O (OpenSSL 3 over memory BIOs): ciphertext in, ciphertext out. */
#ifndef DECOY_TLS_H
#define DECOY_TLS_H

#include <sys/types.h>

#include "base/bytes.h"

struct tls_settings;
struct tls_pipe;

/* Certificate and key in PEM files, opened before the sandbox closes. Accepts TLS 1.0 to 1.3 and
 * old ciphers, as neglected servers do. NULL with *why (static text) on failure. */
struct tls_settings *tls_settings_read(const char *certificate_file, const char *key_file,
				       const char **why);
/* From memory (tests, `sundew decoy`). */
struct tls_settings *tls_settings_parse(struct slice pem, const char **why);
void tls_settings_free(struct tls_settings *settings);

/* Subject of a certificate that a persona would have. */
struct tls_subject {
	const char *common_name, *organization, *country; /* the last two may be NULL */
	const char *issuer_organization; /* NULL: self-signed as the server's own */
	int64_t not_before, not_after;   /* microseconds */
	bool rsa;                        /* 2048-bit RSA, as most servers have; else P-256 */
};
/* Makes a key and a certificate for it, both PEM, appended to the writers. -1 on failure. */
MUST_CHECK int tls_make_certificate(const struct tls_subject *subject, struct writer *certificate,
				    struct writer *key);

struct tls_pipe *tls_pipe_new(const struct tls_settings *settings);
void tls_pipe_free(struct tls_pipe *pipe);
/* Offers TLS 1.2 at most, for protocols that cannot carry the handshake of 1.3; before any feed. */
void tls_pipe_forbid_tls13(struct tls_pipe *pipe);
/* Takes ciphertext in. -1 when the peer broke the protocol (an alert may wait in the output). */
MUST_CHECK int tls_pipe_feed(struct tls_pipe *pipe, struct slice ciphertext);
/* Plaintext that came out, at most capacity bytes; 0: none now; -1: broken; *closed on
 * close_notify. */
MUST_CHECK ssize_t tls_pipe_read(struct tls_pipe *pipe, uint8_t *at, size_t capacity, bool *closed);
/* Encrypts; before the handshake is done it fails with -1. */
MUST_CHECK int tls_pipe_write(struct tls_pipe *pipe, struct slice plaintext);
/* Queues close_notify. */
void tls_pipe_close(struct tls_pipe *pipe);
/* Moves the ciphertext that waits for the peer into the writer. */
void tls_pipe_output(struct tls_pipe *pipe, struct writer *out);
/* Bytes of plaintext so far: that were read, that were written. */
void tls_pipe_count(const struct tls_pipe *pipe, uint64_t *in, uint64_t *out);
bool tls_pipe_is_ready(const struct tls_pipe *pipe); /* the handshake is done */

/* Facts for events, once ready; "" before. Server name as the client sent it, even malformed. */
const char *tls_pipe_version(const struct tls_pipe *pipe);
const char *tls_pipe_cipher(const struct tls_pipe *pipe);
struct slice tls_pipe_server_name(const struct tls_pipe *pipe);

#endif
