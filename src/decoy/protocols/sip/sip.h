/* Inside of the SIP decoy (RFC 3261). The only outside symbol is protocol_sip.
 *
 *   message.c  requests: first line, headers, parameters, framing
 *   digest.c   nonces without memory, credentials, hashcat's form of them
 *   answer.c   responses in the looks of Kamailio and of Asterisk, shrunk to what UDP allows
 *   sip.c      protocol, options, what each method does
 */
#ifndef DECOY_PROTOCOLS_SIP_H
#define DECOY_PROTOCOLS_SIP_H

#include "decoy/protocol.h"

/* The part before the separator, taken off the front of *rest; empty when nothing is left. */
static inline struct slice sip_cut(struct slice *rest, uint8_t separator)
{
	struct slice part = {0};

	return slice_next(rest, separator, &part) ? part : (struct slice){0};
}

#define SIP_MESSAGE_MAX \
	((size_t)64 * 1024) /* largest UDP datagram; Asterisk takes no more over TCP */
#define SIP_HEADERS_MAX 96  /* more is nobody's request */
#define SIP_ANSWER_MAX  8192

enum sip_style { SIP_KAMAILIO, SIP_ASTERISK };

enum sip_header_name {
	SIP_VIA,
	SIP_FROM,
	SIP_TO,
	SIP_CALL_ID,
	SIP_CSEQ,
	SIP_CONTACT,
	SIP_CONTENT_LENGTH,
	SIP_AUTHORIZATION,
	SIP_PROXY_AUTHORIZATION,
	SIP_EXPIRES,
	SIP_USER_AGENT,
	SIP_RECORD_ROUTE,
	SIP_OTHER,
};

struct sip_header {
	enum sip_header_name name;
	struct slice value; /* trimmed; may hold folded lines */
};

struct sip_message {
	struct slice first_line, method, uri;
	bool is_response;
	struct sip_header headers[SIP_HEADERS_MAX];
	size_t count;
	struct slice body;
};

enum sip_status {
	SIP_MORE,
	SIP_READY,
	SIP_KEEP_ALIVE, /* CR LF CR LF between requests (RFC 5626 4.4.1) */
	SIP_BROKEN,
};

/* Reads one request. Over a stream, *used says where the next begins. */
enum sip_status sip_read(struct slice bytes, bool stream, struct sip_message *message,
			 size_t *used);
/* First header of that name, or the empty slice. */
struct slice sip_header(const struct sip_message *message, enum sip_header_name name);
/* Value of ";name=value" in a header, or the empty slice. */
struct slice sip_parameter(struct slice value, const char *name);
/* "sip:user@host;x" out of `"Name" <sip:user@host;x>;tag=1`. */
struct slice sip_address(struct slice value);
struct slice sip_user(struct slice uri);
/* Writes a header's value on one line. */
void sip_unfold(struct writer *out, struct slice value);

/* --- digest (RFC 2617, RFC 2069, RFC 3261 22.4) --- */

#define SIP_NONCE_MAX 48

void sip_nonce(struct session *session, enum sip_style style, char text[SIP_NONCE_MAX]);
/* Whether the nonce is one of ours for this source and not too old. */
bool sip_nonce_is_ours(struct session *session, enum sip_style style, struct slice nonce);

struct sip_credentials {
	struct slice user, realm, nonce, uri, response, client_nonce, count, qop, algorithm;
};

/* False when the header holds no usable digest. */
bool sip_credentials(struct slice header, struct sip_credentials *credentials);
/* Hashcat mode 11400:
 * $sip$*server*client*user*realm*method*scheme*resource*suffix*nonce*cnonce*nc*qop*MD5*response */
void sip_hashcat(struct session *session, struct slice method,
		 const struct sip_credentials *credentials, struct writer *out);

/* --- answers --- */

enum sip_extra {
	SIP_WITH_METHODS = 1 << 0, /* Allow and, in a 200 to OPTIONS, Accept */
	SIP_WITH_ACCEPT = 1 << 1,
	SIP_WITH_CHALLENGE = 1 << 2, /* WWW-Authenticate */
	SIP_WITH_PROXY = 1 << 3,     /* ... as Proxy-Authenticate */
	SIP_WITH_CONTACT = 1 << 4,   /* the client's own, with expires */
	SIP_IS_PROVISIONAL = 1 << 5, /* 100: no tag yet */
	SIP_WITH_STALE = 1 << 6,
	SIP_FOR_INVITE = 1 << 7, /* answers the INVITE that a CANCEL is about */
};

struct sip_answer {
	int code;
	const char *reason;
	unsigned extra;
	int64_t expires;
};

enum sip_style sip_style(const struct session *session);
/* Builds the answer in at most `limit` bytes; false when it cannot be made that small. */
bool sip_build(struct session *session, const struct sip_message *message,
	       const struct sip_answer *answer, size_t limit, struct writer *out);

#endif
