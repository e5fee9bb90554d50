/* Hellos read, and their fingerprints; see tls_fingerprint.h. */
#include "capture/fingerprint/tls_fingerprint.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_GROUPS = 10,
	EXTENSION_POINT_FORMATS = 11,
	EXTENSION_SIGNATURES = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_VERSIONS = 43,
};

static void list_add(struct tls_list *list, uint16_t value)
{
	if (list->count < TLS_LIST_MAX)
		list->items[list->count++] = value;
}

static void read_u16_list(struct tls_list *list, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);

	while (c.left >= 2)
		list_add(list, cursor_u16be(&c));
}

/* A vector with a length of two bytes in front. */
static struct slice vector16(struct cursor *c)
{
	return cursor_take(c, cursor_u16be(c));
}

static struct slice vector8(struct cursor *c)
{
	return cursor_take(c, cursor_u8(c));
}

static void read_server_name(struct tls_hello *hello, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	struct cursor names = cursor_of(vector16(&c));
	uint8_t type = cursor_u8(&names);
	struct slice name = vector16(&names);

	hello->has_server_name = true;
	if (!names.failed && type == 0)
		hello->server_name = name;
}

static void read_extension(struct tls_hello *hello, uint16_t type, struct slice bytes, bool server)
{
	struct cursor c = cursor_of(bytes);
	struct slice list;

	switch (type) {
	case EXTENSION_SERVER_NAME:
		read_server_name(hello, bytes);
		break;
	case EXTENSION_GROUPS:
		read_u16_list(&hello->groups, vector16(&c));
		break;
	case EXTENSION_POINT_FORMATS:
		list = vector8(&c);
		for (size_t i = 0; i < list.length; i++)
			list_add(&hello->point_formats, list.at[i]);
		break;
	case EXTENSION_SIGNATURES:
		read_u16_list(&hello->signature_algorithms, vector16(&c));
		break;
	case EXTENSION_ALPN:
		hello->alpn_list = vector16(&c);
		c = cursor_of(hello->alpn_list);
		hello->alpn = vector8(&c);
		break;
	case EXTENSION_VERSIONS:
		if (server)
			list_add(&hello->versions, cursor_u16be(&c));
		else
			read_u16_list(&hello->versions, vector8(&c));
		break;
	default:
		break;
	}
}

int tls_hello_read(struct tls_hello *hello, struct slice body, bool server)
{
	struct cursor c = cursor_of(body), extensions;
	bool draft;

	memset(hello, 0, sizeof(*hello));
	hello->version = cursor_u16be(&c);
	hello->random = cursor_take(&c, 32);
	/* Early drafts of TLS 1.3 left session and compression out of the server's hello. */
	draft = server && hello->version >> 8 == 0x7f;
	if (!draft)
		hello->session_id = vector8(&c);
	if (server) {
		list_add(&hello->ciphers, cursor_u16be(&c));
		cursor_skip(&c, draft ? 0 : 1);
	} else {
		read_u16_list(&hello->ciphers, vector16(&c));
		(void)vector8(&c);
	}
	if (c.failed || (hello->version >> 8 != 3 && !draft))
		return -1;
	if (!c.left)
		return 0;
	extensions = cursor_of(vector16(&c));
	while (extensions.left >= 4) {
		uint16_t type = cursor_u16be(&extensions);
		struct slice bytes = vector16(&extensions);

		if (extensions.failed)
			break;
		list_add(&hello->extensions, type);
		read_extension(hello, type, bytes, server);
	}
	return 0;
}

uint16_t tls_hello_version(const struct tls_hello *hello)
{
	uint16_t best = 0;

	for (size_t i = 0; i < hello->versions.count; i++)
		if (!tls_is_grease(hello->versions.items[i]) && hello->versions.items[i] > best)
			best = hello->versions.items[i];
	return best ? best : hello->version;
}

/* --- JA3 --- */

static void put_list(struct writer *text, const struct tls_list *list)
{
	bool first = true;

	for (size_t i = 0; i < list->count; i++) {
		if (tls_is_grease(list->items[i]))
			continue;
		if (!first)
			writer_u8(text, '-');
		first = false;
		writer_decimal(text, list->items[i]);
	}
}

static void hash_text(const struct writer *text, char hash[JA3_HASH_MAX])
{
	uint8_t digest[MD5_LENGTH];
	struct writer w = writer_fixed(hash, JA3_HASH_MAX - 1);

	hash_md5_once(writer_slice(text), digest);
	writer_hex(&w, slice_of(digest, sizeof(digest)));
	hash[JA3_HASH_MAX - 1] = '\0';
}

void ja3_client(const struct tls_hello *hello, struct writer *text, char hash[JA3_HASH_MAX])
{
	writer_decimal(text, hello->version);
	writer_u8(text, ',');
	put_list(text, &hello->ciphers);
	writer_u8(text, ',');
	put_list(text, &hello->extensions);
	writer_u8(text, ',');
	put_list(text, &hello->groups);
	writer_u8(text, ',');
	put_list(text, &hello->point_formats);
	hash_text(text, hash);
}

void ja3_server(const struct tls_hello *hello, struct writer *text, char hash[JA3_HASH_MAX])
{
	writer_decimal(text, hello->version);
	writer_u8(text, ',');
	put_list(text, &hello->ciphers);
	writer_u8(text, ',');
	put_list(text, &hello->extensions);
	hash_text(text, hash);
}

/* --- JA4 --- */

static int compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void put_hex_list(struct writer *w, const struct tls_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		writer_format(w, "%s%04x", i ? "," : "", list->items[i]);
}

/* The first twelve digits of a SHA-256; zeros of nothing. */
static void put_digest(char out[13], struct slice text)
{
	uint8_t digest[SHA256_LENGTH];
	struct writer w = writer_fixed(out, 12);

	if (text.length) {
		hash_sha256_once(text, digest);
		writer_hex(&w, slice_of(digest, 6));
	} else {
		writer_text(&w, "000000000000");
	}
	out[12] = '\0';
}

static bool is_letter_or_digit(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

static void alpn_ends(struct slice alpn, char ends[3])
{
	static const char hex[] = "0123456789abcdef";

	memcpy(ends, "00", 3);
	if (!alpn.length)
		return;
	/* FoxIO's own program: 99 where it is not ASCII. */
	if (alpn.at[0] > 127 || alpn.at[alpn.length - 1] > 127) {
		memcpy(ends, "99", 3);
		return;
	}
	if (is_letter_or_digit(alpn.at[0]) && is_letter_or_digit(alpn.at[alpn.length - 1])) {
		ends[0] = (char)alpn.at[0];
		ends[1] = (char)alpn.at[alpn.length - 1];
	} else {
		ends[0] = hex[alpn.at[0] >> 4];
		ends[1] = hex[alpn.at[alpn.length - 1] & 15];
	}
}

static const char *version_name(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

void ja4_client(const struct tls_hello *hello, char transport, char text[JA4_MAX])
{
	struct tls_list ciphers = {.count = 0}, sorted = {.count = 0}, signatures = {.count = 0};
	char room[TLS_LIST_MAX * 10 + 16], first[13], second[13], ends[3];
	struct writer w = writer_fixed(room, sizeof(room));
	size_t extensions = 0;

	for (size_t i = 0; i < hello->ciphers.count; i++)
		if (!tls_is_grease(hello->ciphers.items[i]))
			list_add(&ciphers, hello->ciphers.items[i]);
	for (size_t i = 0; i < hello->extensions.count; i++) {
		uint16_t type = hello->extensions.items[i];

		if (tls_is_grease(type))
			continue;
		extensions++;
		if (type != EXTENSION_SERVER_NAME && type != EXTENSION_ALPN)
			list_add(&sorted, type);
	}
	for (size_t i = 0; i < hello->signature_algorithms.count; i++)
		if (!tls_is_grease(hello->signature_algorithms.items[i]))
			list_add(&signatures, hello->signature_algorithms.items[i]);
	qsort(ciphers.items, ciphers.count, sizeof(uint16_t), compare);
	qsort(sorted.items, sorted.count, sizeof(uint16_t), compare);
	put_hex_list(&w, &ciphers);
	put_digest(first, writer_slice(&w));
	writer_clear(&w);
	put_hex_list(&w, &sorted);
	if (sorted.count && signatures.count) {
		writer_u8(&w, '_');
		put_hex_list(&w, &signatures);
	}
	put_digest(second, writer_slice(&w));
	alpn_ends(hello->alpn, ends);
	(void)snprintf(text, JA4_MAX, "%c%s%c%02zu%02zu%s_%s_%s", transport,
		       version_name(tls_hello_version(hello)), hello->has_server_name ? 'd' : 'i',
		       ciphers.count > 99 ? 99 : ciphers.count, extensions > 99 ? 99 : extensions,
		       ends, first, second);
}
