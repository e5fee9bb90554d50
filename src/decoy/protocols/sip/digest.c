/* Digest authentication without memory: a nonce says by itself when and for whom it was made. */
#include <stdio.h>

#include "decoy/protocols/sip/sip.h"

#define NONCE_WINDOW   (60 * SECOND) /* Asterisk's nonces change at this pace */
#define NONCE_WINDOWS  10            /* ... and are good for so many */
#define ASTERISK_DRAWS 64            /* different nonces of one window */

/* Bytes that only this installation can make for this source, time and draw. */
static void seal(struct session *session, int64_t time, uint32_t draw, void *out, size_t length)
{
	char label[128], peer[ADDRESS_TEXT_MAX];

	address_text(&session_peer(session)->address, peer);
	snprintf(label, sizeof(label), "sip nonce %lld %u %s", (long long)time, draw, peer);
	persona_derive(session_persona(session), label, out, length);
}

static void asterisk_nonce(struct session *session, int64_t window, uint32_t draw, char text[9])
{
	uint8_t raw[4];
	uint32_t value;

	seal(session, window, draw, raw, sizeof(raw));
	value = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
	/* The draw hides in the low bits, so that one look tells which it was. */
	value = (value & ~(uint32_t)(ASTERISK_DRAWS - 1)) | draw;
	snprintf(text, 9, "%08x", value);
}

static void kamailio_nonce(struct session *session, int64_t time, uint32_t draw,
			   char text[SIP_NONCE_MAX])
{
	uint8_t raw[24];
	struct writer w = writer_fixed(raw, sizeof(raw)), out;

	writer_u32be(&w, (uint32_t)time);
	writer_u32be(&w, draw);
	seal(session, time, draw, raw + 8, 16);
	out = writer_fixed(text, SIP_NONCE_MAX - 1);
	writer_base64(&out, slice_of(raw, sizeof(raw)));
	text[out.length] = 0;
}

void sip_nonce(struct session *session, enum sip_style style, char text[SIP_NONCE_MAX])
{
	int64_t now = session_now(session);

	if (style == SIP_ASTERISK)
		asterisk_nonce(session, now / NONCE_WINDOW,
			       (uint32_t)session_random_number(session, ASTERISK_DRAWS), text);
	else
		kamailio_nonce(session, now / SECOND,
			       (uint32_t)session_random_number(session, UINT32_MAX), text);
}

static int base64_value(uint8_t c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Time and draw of a Kamailio nonce. */
static bool open_nonce(struct slice nonce, int64_t *time, uint32_t *draw)
{
	uint64_t bits = 0;
	uint32_t high = 0;

	if (nonce.length != 32)
		return false;
	for (size_t i = 0; i < 11; i++) { /* 66 bits: 32 of time, 32 of draw, 2 of the seal */
		int value = base64_value(nonce.at[i]);

		if (value < 0)
			return false;
		high = (uint32_t)(bits >> 58);
		bits = bits << 6 | (uint64_t)value;
	}
	bits = bits >> 2 | (uint64_t)(high & 3) << 62;
	*time = (int64_t)(bits >> 32);
	*draw = (uint32_t)bits;
	return true;
}

bool sip_nonce_is_ours(struct session *session, enum sip_style style, struct slice nonce)
{
	int64_t now = session_now(session), time;
	char text[SIP_NONCE_MAX];
	uint8_t raw[4];
	uint32_t draw;

	if (style == SIP_KAMAILIO) {
		if (!open_nonce(nonce, &time, &draw) || time > now / SECOND ||
		    time < (now - NONCE_WINDOWS * NONCE_WINDOW) / SECOND)
			return false;
		kamailio_nonce(session, time, draw, text);
		return slice_is(nonce, text);
	}
	if (nonce.length != 8 || slice_unhex(nonce, raw, sizeof(raw)) != 4)
		return false;
	draw = raw[3] & (ASTERISK_DRAWS - 1);
	for (int64_t i = 0; i < NONCE_WINDOWS; i++) {
		asterisk_nonce(session, now / NONCE_WINDOW - i, draw, text);
		if (slice_is(nonce, text))
			return true;
	}
	return false;
}

/* --- what the client sends --- */

/* Takes `name=value` or `name="value"` off the front. */
static bool next_field(struct slice *rest, struct slice *name, struct slice *value)
{
	size_t equals;

	while (rest->length && strchr(" \t\r\n,", rest->at[0]) && rest->at[0])
		*rest = slice_from(*rest, 1);
	equals = slice_find_byte(*rest, '=');
	if (equals == SIZE_MAX)
		return false;
	*name = slice_trim(slice_first(*rest, equals));
	*rest = slice_from(*rest, equals + 1);
	while (rest->length && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = slice_from(*rest, 1);
	if (rest->length && rest->at[0] == '"') {
		*rest = slice_from(*rest, 1);
		*value = sip_cut(rest, '"');
		return true;
	}
	*value = (struct slice){0};
	*value = sip_cut(rest, ',');
	*value = slice_trim(*value);
	return true;
}

bool sip_credentials(struct slice header, struct sip_credentials *credentials)
{
	struct {
		const char *name;
		struct slice *at;
	} fields[] = {
		{"username", &credentials->user},
		{"realm", &credentials->realm},
		{"nonce", &credentials->nonce},
		{"uri", &credentials->uri},
		{"response", &credentials->response},
		{"cnonce", &credentials->client_nonce},
		{"nc", &credentials->count},
		{"qop", &credentials->qop},
		{"algorithm", &credentials->algorithm},
	};
	struct slice name, value;

	*credentials = (struct sip_credentials){0};
	if (!slice_starts_nocase(header, "digest"))
		return false;
	header = slice_from(header, 6);
	while (next_field(&header, &name, &value)) {
		for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
			if (slice_is_nocase(name, fields[i].name))
				*fields[i].at = value;
		}
	}
	return credentials->response.length && credentials->nonce.length;
}

/* A field of the hash; a star in it would shift all that follow. */
static void put(struct writer *out, struct slice value)
{
	writer_u8(out, '*');
	for (size_t i = 0; i < value.length; i++)
		writer_u8(out, value.at[i] == '*' ? '?' : value.at[i]);
}

void sip_hashcat(struct session *session, struct slice method,
		 const struct sip_credentials *credentials, struct writer *out)
{
	char server[ADDRESS_TEXT_MAX], client[ADDRESS_TEXT_MAX];
	struct slice resource = credentials->uri, scheme;
	/* Without cnonce there was no qop in the sum, whatever the client says (svcrack does). */
	bool has_qop = credentials->client_nonce.length && credentials->qop.length;

	address_text(&session_local(session)->address, server);
	address_text(&session_peer(session)->address, client);
	scheme = sip_cut(&resource, ':');
	writer_text(out, "$sip$");
	put(out, slice_text(server));
	put(out, slice_text(client));
	put(out, credentials->user);
	put(out, credentials->realm);
	put(out, method);
	put(out, scheme);
	put(out, resource);
	put(out, SLICE(""));
	put(out, credentials->nonce);
	put(out, has_qop ? credentials->client_nonce : SLICE(""));
	put(out, has_qop ? credentials->count : SLICE(""));
	put(out, has_qop ? credentials->qop : SLICE(""));
	put(out, SLICE("MD5"));
	put(out, credentials->response);
}
