/* Responses. Over UDP none may be larger than what was asked with: headers that no client needs are
 * left out, in a fixed order, until the answer fits; then names take their compact form (as
 * Asterisk does with compactheaders=yes), the tag loses its constant half, and the rest goes. */
#include <stdio.h>

#include "decoy/protocols/sip/sip.h"

enum step {
	WHOLE,
	NO_SUPPORTED,
	NO_ALLOW,
	NO_ACCEPT,
	NO_SERVER,
	COMPACT,
	NO_LENGTH,
	SHORT_TAG,
	NO_QUALITY, /* RFC 2069 instead of qop */
	NO_REASON,
	STEPS,
};

struct build {
	struct session *session;
	const struct sip_message *message;
	const struct sip_answer *answer;
	enum sip_style style;
	enum step step;
	struct writer *out;
};

enum sip_style sip_style(const struct session *session)
{
	const char *text = persona_text(session_persona(session), "sip.style", NULL);

	if (text)
		return strcmp(text, "asterisk") == 0 ? SIP_ASTERISK : SIP_KAMAILIO;
	return persona_derive_number(session_persona(session), "sip style", 0, 1) ? SIP_ASTERISK
										  : SIP_KAMAILIO;
}

static bool is_host_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
	       c == '.';
}

/* Kamailio challenges with the domain of From, as its usual script says; Asterisk with its own
 * name. */
static void put_realm(const struct build *b)
{
	const char *text = persona_text(session_persona(b->session), "sip.realm", NULL);
	struct slice host = sip_address(sip_header(b->message, SIP_FROM));

	if (b->style == SIP_ASTERISK || text) {
		writer_text(b->out, text ? text : "asterisk");
		return;
	}
	host = slice_from(host, slice_find_byte(host, '@') + 1);
	host = slice_first(host, slice_find_byte(host, ':'));
	host = slice_first(host, slice_find_byte(host, ';'));
	for (size_t i = 0; i < host.length; i++) {
		if (!is_host_byte(host.at[i]))
			host.length = 0;
	}
	if (host.length && host.length <= 64)
		writer_bytes(b->out, host);
	else
		writer_text(b->out, persona_host_name(session_persona(b->session)));
}

static const char *server_name(const struct build *b)
{
	return persona_text(session_persona(b->session), "sip.server",
			    b->style == SIP_ASTERISK ? "Asterisk PBX 13.38.3"
						     : "kamailio (5.6.3 (x86_64/linux))");
}

static void header(const struct build *b, const char *name, const char *compact)
{
	writer_format(b->out, "%s: ", b->step >= COMPACT && compact ? compact : name);
}

static void line(const struct build *b, const char *name, const char *compact, const char *value)
{
	header(b, name, compact);
	writer_format(b->out, "%s\r\n", value);
}

/* --- the headers that go back as they came --- */

static size_t find_rport(struct slice via)
{
	for (size_t at = 0;;) {
		size_t found = slice_find_nocase(slice_from(via, at), ";rport");

		if (found == SIZE_MAX)
			return SIZE_MAX;
		at += found + 6;
		if (at == via.length || via.at[at] == ';' || via.at[at] == '=' || via.at[at] == ',')
			return at - 6;
	}
}

/* The first Via says where the request came from (RFC 3261 18.2.1, RFC 3581). */
static void put_source(const struct build *b, struct slice via)
{
	const struct endpoint *peer = session_peer(b->session);
	size_t rport = find_rport(via), behind;
	struct slice others = {0};
	char text[ADDRESS_TEXT_MAX];
	size_t comma = slice_find_byte(via, ',');

	if (comma != SIZE_MAX && (rport == SIZE_MAX || rport < comma)) {
		others = slice_from(via, comma);
		via = slice_first(via, comma);
	}
	address_text(&peer->address, text);
	behind = rport;
	if (rport != SIZE_MAX) {
		behind += 6;
		while (behind < via.length && via.at[behind] != ';')
			behind++;
	}
	sip_unfold(b->out, slice_first(via, rport));
	if (b->style == SIP_KAMAILIO && rport != SIZE_MAX)
		writer_format(b->out, ";rport=%u", peer->port);
	if (rport != SIZE_MAX)
		sip_unfold(b->out, slice_from(via, behind));
	writer_format(b->out, ";received=%s", text);
	if (b->style == SIP_ASTERISK && rport != SIZE_MAX)
		writer_format(b->out, ";rport=%u", peer->port);
	sip_unfold(b->out, others);
}

/* Kamailio's tag: one half per server start, one per request; Asterisk's: per call. */
static void put_tag(const struct build *b)
{
	struct slice call = slice_first(sip_header(b->message, SIP_CALL_ID), 128);
	const struct persona *persona = session_persona(b->session);
	char label[192];
	uint8_t raw[20];

	snprintf(label, sizeof(label), "sip tag %.*s", (int)call.length, (const char *)call.at);
	persona_derive(persona, label, raw + 16, 4);
	if (b->style == SIP_ASTERISK) {
		writer_text(b->out, ";tag=as");
		writer_hex(b->out, slice_of(raw + 16, 4));
		return;
	}
	snprintf(label, sizeof(label), "sip start %lld",
		 (long long)persona_boot_time(persona, session_now(b->session)));
	persona_derive(persona, label, raw, 16);
	writer_text(b->out, ";tag=");
	if (b->step < SHORT_TAG) {
		writer_hex(b->out, slice_of(raw, 16));
		writer_u8(b->out, '.');
	}
	writer_hex(b->out, slice_of(raw + 16, 4));
}

static void put_returned(const struct build *b, const struct sip_header *h, bool first_via)
{
	static const struct {
		const char *name, *compact;
	} names[] = {
		[SIP_VIA] = {"Via", "v"},    [SIP_FROM] = {"From", "f"},
		[SIP_TO] = {"To", "t"},      [SIP_CALL_ID] = {"Call-ID", "i"},
		[SIP_CSEQ] = {"CSeq", NULL}, [SIP_RECORD_ROUTE] = {"Record-Route", NULL},
	};
	struct slice number, rest = h->value;

	header(b, names[h->name].name, names[h->name].compact);
	if (h->name == SIP_VIA && first_via) {
		put_source(b, h->value);
	} else if (h->name == SIP_CSEQ && b->answer->extra & SIP_FOR_INVITE) {
		number = sip_cut(&rest, ' ');
		sip_unfold(b->out, number);
		writer_text(b->out, " INVITE");
	} else {
		sip_unfold(b->out, h->value);
	}
	if (h->name == SIP_TO && !(b->answer->extra & SIP_IS_PROVISIONAL) &&
	    !sip_parameter(h->value, "tag").length)
		put_tag(b);
	writer_text(b->out, "\r\n");
}

static void put_named(const struct build *b, enum sip_header_name name)
{
	bool first = true;

	for (size_t i = 0; i < b->message->count; i++) {
		if (b->message->headers[i].name != name)
			continue;
		put_returned(b, &b->message->headers[i], first);
		first = false;
	}
}

/* Kamailio copies in the order of the request, Asterisk in its own. */
static void put_all_returned(const struct build *b)
{
	static const enum sip_header_name order[] = {SIP_VIA, SIP_FROM, SIP_TO, SIP_CALL_ID,
						     SIP_CSEQ};
	bool first = true;

	if (b->style == SIP_ASTERISK) {
		for (size_t i = 0; i < ARRAY_COUNT(order); i++)
			put_named(b, order[i]);
		return;
	}
	for (size_t i = 0; i < b->message->count; i++) {
		const struct sip_header *h = &b->message->headers[i];

		if (h->name > SIP_CSEQ)
			continue;
		put_returned(b, h, first);
		if (h->name == SIP_VIA)
			first = false;
	}
}

/* --- the headers of our own --- */

static void put_challenge(const struct build *b)
{
	bool proxy = (b->answer->extra & SIP_WITH_PROXY) != 0;
	const char *stale = b->answer->extra & SIP_WITH_STALE ? ", stale=true" : "";
	const char *name = proxy ? "Proxy-Authenticate" : "WWW-Authenticate";
	char nonce[SIP_NONCE_MAX];

	sip_nonce(b->session, b->style, nonce);
	writer_format(b->out, "%s: Digest %srealm=\"", name,
		      b->style == SIP_ASTERISK ? "algorithm=MD5, " : "");
	put_realm(b);
	writer_format(
		b->out, "\", nonce=\"%s\"%s%s\r\n", nonce, stale,
		b->style == SIP_ASTERISK || proxy || b->step >= NO_QUALITY ? "" : ", qop=\"auth\"");
}

static void put_contact(const struct build *b)
{
	struct slice contact = sip_header(b->message, SIP_CONTACT);

	if (!contact.length)
		return;
	if (b->style == SIP_ASTERISK)
		writer_format(b->out, "Expires: %lld\r\n", (long long)b->answer->expires);
	header(b, "Contact", "m");
	writer_u8(b->out, '<');
	sip_unfold(b->out, sip_address(contact));
	writer_format(b->out, ">;expires=%lld\r\n", (long long)b->answer->expires);
}

static void put_own(const struct build *b)
{
	unsigned extra = b->answer->extra;
	bool asterisk = b->style == SIP_ASTERISK;

	if (asterisk && b->step < NO_SERVER)
		line(b, "Server", NULL, server_name(b));
	if ((asterisk || extra & SIP_WITH_METHODS) && b->step < NO_ALLOW)
		line(b, "Allow", NULL,
		     asterisk
			     ? "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, "
			       "PUBLISH, MESSAGE"
			     : "INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER, SUBSCRIBE, NOTIFY, "
			       "INFO, "
			       "PUBLISH, MESSAGE");
	if (asterisk && b->step < NO_SUPPORTED)
		line(b, "Supported", "k", "replaces, timer");
	if (extra & SIP_WITH_ACCEPT && b->step < NO_ACCEPT)
		line(b, "Accept", NULL, "application/sdp");
	if (extra & SIP_WITH_CHALLENGE)
		put_challenge(b);
	if (extra & SIP_WITH_CONTACT)
		put_contact(b);
	if (!asterisk && b->step < NO_SERVER)
		line(b, "Server", NULL, server_name(b));
	/* The length may stay away over UDP, where the datagram says it (RFC 3261 18.3). */
	if (b->step < NO_LENGTH)
		line(b, "Content-Length", "l", "0");
	writer_text(b->out, "\r\n");
}

bool sip_build(struct session *session, const struct sip_message *message,
	       const struct sip_answer *answer, size_t limit, struct writer *out)
{
	struct build b = {.session = session, .message = message, .answer = answer, .out = out};

	b.style = sip_style(session);
	for (b.step = WHOLE; b.step < STEPS; b.step++) {
		writer_clear(out);
		writer_format(out, "SIP/2.0 %d %s\r\n", answer->code,
			      b.step < NO_REASON ? answer->reason : "");
		put_all_returned(&b);
		put_own(&b);
		if (!out->failed && out->length <= limit)
			return true;
	}
	return false;
}
