/* Fingerprints of TLS hellos: JA3 and JA3S (github.com/salesforce/ja3), JA4
 * (github.com/FoxIO-LLC/ja4, the TLS client one, BSD licence, no patent claim). */
#ifndef CAPTURE_FINGERPRINT_TLS_FINGERPRINT_H
#define CAPTURE_FINGERPRINT_TLS_FINGERPRINT_H

#include "base/bytes.h"

#define TLS_LIST_MAX 1024 /* ciphers, extensions, groups ... that are kept */
#define JA3_TEXT_MAX 16384
#define JA3_HASH_MAX 33
#define JA4_MAX      64

struct tls_list {
	uint16_t items[TLS_LIST_MAX];
	size_t count;
};

/* A ClientHello or ServerHello taken apart (RFC 8446, 4.1). Slices point into it. */
struct tls_hello {
	uint16_t version; /* of the hello itself */
	struct slice random, session_id;
	struct tls_list ciphers; /* of a server: the one chosen */
	struct tls_list extensions, groups, point_formats, signature_algorithms, versions;
	struct slice server_name;
	struct slice alpn; /* the first one */
	struct slice alpn_list;
	bool has_server_name;
};

/* Reads the body of a handshake message (behind its type and length). -1: it is none. */
MUST_CHECK int tls_hello_read(struct tls_hello *hello, struct slice body, bool server);
/* The highest version that it offers or chose, without GREASE. */
uint16_t tls_hello_version(const struct tls_hello *hello);

/* The text and its MD5 in hexadecimal. */
void ja3_client(const struct tls_hello *hello, struct writer *text, char hash[JA3_HASH_MAX]);
void ja3_server(const struct tls_hello *hello, struct writer *text, char hash[JA3_HASH_MAX]);
/* `transport` is 't' for TCP, 'q' for QUIC. */
void ja4_client(const struct tls_hello *hello, char transport, char text[JA4_MAX]);

/* Values that mean nothing and keep servers on their toes (RFC 8701). */
static inline bool tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

#endif
