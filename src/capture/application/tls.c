/* TLS in the clear part of its handshake (RFC 8446, RFC 5246): hellos and certificates. */
#include <openssl/x509.h>
#include <stdio.h>

#include "base/hash.h"
#include "capture/application/hello_view.h"
#include "capture/fingerprint/tls_fingerprint.h"

#define HANDSHAKE_MAX    (128 * 1024) /* of one side, certificates included */
#define CERTIFICATES_MAX 16
#define NAME_TEXT_MAX    4096

enum { RECORD_CHANGE = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11, SERVER_DONE = 14 };

struct tls {
	struct {
		bool done, offered;
		struct writer handshake; /* messages not read yet */
		struct writer hello;     /* the hello's body, kept until the side is offered */
		struct writer chain;     /* the body of Certificate */
	} sides[2];
};

static enum recognition tls_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	if (bytes.length < 6)
		return bytes.length == 0 || bytes.at[0] == RECORD_HANDSHAKE ? RECOGNISED_MAYBE
									    : RECOGNISED_NO;
	return bytes.at[0] == RECORD_HANDSHAKE && bytes.at[1] == 3 && bytes.at[2] <= 4 &&
			       bytes.at[5] == (direction == TO_SERVER ? CLIENT_HELLO : SERVER_HELLO)
		       ? RECOGNISED_YES
		       : RECOGNISED_NO;
}

/* --- certificates --- */

static void put_name(struct writer *out, const X509_NAME *name)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		const char *key = nid == NID_undef ? "UNKNOWN" : OBJ_nid2sn(nid);

		writer_format(out, "%s%s=", i ? ", " : "", key);
		writer_bytes(out, slice_of(ASN1_STRING_get0_data(value),
					   (size_t)ASN1_STRING_length(value)));
	}
}

static void put_colons(struct writer *out, const uint8_t *bytes, size_t length, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		if (i)
			writer_u8(out, ':');
		writer_u8(out, (uint8_t)digits[bytes[i] >> 4]);
		writer_u8(out, (uint8_t)digits[bytes[i] & 15]);
	}
}

static struct writer room(struct application_context *context, size_t size)
{
	void *at = arena_take(context->scratch, size);

	return writer_fixed(at, at ? size : 0);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) : 0;
}

static void view_certificate(struct findings_view *v, struct slice der)
{
	const uint8_t *at = der.at;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
	struct writer subject = room(v->context, NAME_TEXT_MAX);
	struct writer issuer = room(v->context, NAME_TEXT_MAX);
	struct writer serial = room(v->context, 256), print = room(v->context, 64);
	const ASN1_INTEGER *number;
	uint8_t digest[20];

	hash_sha1_once(der, digest);
	put_colons(&print, digest, sizeof(digest), false);
	view_buffer(v, BUFFER_TLS_FINGERPRINT, writer_slice(&print));
	if (!certificate) {
		view_anomaly(v, "tls.invalid_certificate");
		return;
	}
	put_name(&subject, X509_get_subject_name(certificate));
	put_name(&issuer, X509_get_issuer_name(certificate));
	number = X509_get0_serialNumber(certificate);
	put_colons(&serial, ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number),
		   true);
	view_buffer(v, BUFFER_TLS_SUBJECT, writer_slice(&subject));
	view_buffer(v, BUFFER_TLS_ISSUER, writer_slice(&issuer));
	view_buffer(v, BUFFER_TLS_SERIAL, writer_slice(&serial));
	view_fact(v, FACT_TLS_NOT_BEFORE, seconds_of(X509_get0_notBefore(certificate)));
	view_fact(v, FACT_TLS_NOT_AFTER, seconds_of(X509_get0_notAfter(certificate)));
	X509_free(certificate);
}

static void view_chain(struct findings_view *v, struct slice chain)
{
	struct cursor c = cursor_of(chain);
	int64_t count = 0;
	size_t length;

	cursor_skip(&c, 3);
	while (c.left > 3 && count < CERTIFICATES_MAX) {
		struct slice der;

		length = (size_t)cursor_u8(&c) << 16;
		length |= cursor_u16be(&c);
		der = cursor_take(&c, length);
		if (c.failed)
			break;
		view_buffer(v, BUFFER_TLS_CERTIFICATES, der);
		if (count++ == 0)
			view_certificate(v, der);
	}
	view_fact(v, FACT_TLS_CHAIN_LENGTH, count);
}

/* --- what a side said --- */

static void offer(struct tls *tls, struct application_context *context, enum direction direction)
{
	struct findings_view *v;

	if (tls->sides[direction].offered || !tls->sides[direction].hello.length)
		return;
	v = arena_take(context->scratch, sizeof(*v));
	if (!v)
		return;
	tls->sides[direction].offered = true;
	view_start(v, context);
	hello_view(v, writer_slice(&tls->sides[direction].hello), direction == TO_CLIENT, 't');
	if (tls->sides[direction].chain.length)
		view_chain(v, writer_slice(&tls->sides[direction].chain));
	view_offer(v, direction, 0);
}

/* --- records and messages --- */

static void keep(struct writer *at, struct slice bytes)
{
	*at = at->limit ? *at : writer_growing(HANDSHAKE_MAX);
	writer_bytes(at, bytes);
}

/* The second hello after HelloRetryRequest: the same but for its key share (RFC 8446, 4.1.2). With
 * another name in it, it is another. */
static bool is_repeated(struct slice told, struct slice again)
{
	struct tls_hello one, other;

	return tls_hello_read(&one, told, false) == 0 &&
	       tls_hello_read(&other, again, false) == 0 && slice_equal(one.random, other.random) &&
	       slice_equal(one.server_name, other.server_name);
}

/* Its fingerprints may be others; rules were asked about the rest. */
static void tell_prints(struct application_context *context, struct slice hello)
{
	struct findings_view *v = arena_take(context->scratch, sizeof(*v));

	if (!v)
		return;
	view_start(v, context);
	hello_view(v, hello, false, 't');
}

static void read_messages(struct tls *tls, struct application_context *context,
			  enum direction direction)
{
	struct writer *handshake = &tls->sides[direction].handshake;
	size_t used = 0;

	while (handshake->length - used >= 4) {
		const uint8_t *at = handshake->at + used;
		size_t length = (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

		if (handshake->length - used - 4 < length)
			break;
		if (at[0] == (direction == TO_SERVER ? CLIENT_HELLO : SERVER_HELLO)) {
			struct slice hello = slice_of(at + 4, length);

			offer(tls, context, direction);
			if (direction == TO_SERVER && tls->sides[direction].offered &&
			    is_repeated(writer_slice(&tls->sides[direction].hello), hello)) {
				tell_prints(context, hello);
				used += length + 4;
				continue;
			}
			writer_clear(&tls->sides[direction].hello);
			tls->sides[direction].offered = false;
			keep(&tls->sides[direction].hello, hello);
		} else if (at[0] == CERTIFICATE && !tls->sides[direction].chain.length)
			keep(&tls->sides[direction].chain, slice_of(at + 4, length));
		if (at[0] == CLIENT_HELLO || at[0] == CERTIFICATE || at[0] == SERVER_DONE)
			offer(tls, context, direction);
		used += length + 4;
	}
	writer_consume(handshake, used);
}

static size_t tls_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	struct tls *tls = state;
	size_t used = 0;

	while (bytes.length - used >= 5 && !tls->sides[direction].done) {
		const uint8_t *at = bytes.at + used;
		size_t length = (size_t)at[3] << 8 | at[4];

		if (at[0] < RECORD_CHANGE || at[0] > RECORD_DATA + 1) {
			tls->sides[direction].done = true;
			break;
		}
		if (bytes.length - used - 5 < length)
			break;
		if (at[0] == RECORD_HANDSHAKE) {
			keep(&tls->sides[direction].handshake, slice_of(at + 5, length));
			read_messages(tls, context, direction);
		} else if (at[0] != RECORD_ALERT) {
			offer(tls, context, direction);
			/* A change of ciphers may stand between two hellos. */
			tls->sides[direction].done = at[0] != RECORD_CHANGE;
		}
		used += length + 5;
	}
	if (last)
		offer(tls, context, direction);
	return last || tls->sides[direction].done ? bytes.length : used;
}

static void tls_gap(void *state, struct application_context *context, enum direction direction,
		    uint64_t length)
{
	struct tls *tls = state;

	offer(tls, context, direction);
	tls->sides[direction].done = true;
}

static void tls_drop(void *state)
{
	struct tls *tls = state;

	for (size_t i = 0; i < 2; i++) {
		writer_free(&tls->sides[i].handshake);
		writer_free(&tls->sides[i].hello);
		writer_free(&tls->sides[i].chain);
	}
}

static size_t tls_held(const void *state)
{
	const struct tls *tls = state;
	size_t held = 0;

	for (size_t i = 0; i < 2; i++)
		held += tls->sides[i].handshake.capacity + tls->sides[i].hello.capacity +
			tls->sides[i].chain.capacity;
	return held;
}

const struct application application_tls = {
	.id = APPLICATION_TLS,
	.transports = {TRANSPORT_TCP},
	.recognise = tls_recognise,
	.state_size = sizeof(struct tls),
	.input = tls_input,
	.gap = tls_gap,
	.drop = tls_drop,
	.held = tls_held,
};
