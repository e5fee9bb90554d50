/* QUIC's Initial packets (RFC 9000, 9001; version 2: RFC 9369): their keys follow from what is sent
 * in the clear, so that any bystander can read the TLS hellos in them. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "capture/application/hello_view.h"

#define CRYPTO_MAX     (16 * 1024) /* of a side's hello */
#define CONNECTION_MAX 20
#define SECRET_BYTES   32
#define KEY_BYTES      16
#define NONCE_BYTES    12
#define TAG_BYTES      16
#define SAMPLE_BYTES   16
#define PACKET_MAX     2048

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };

/* Names that keys are made with. */
struct labels {
	const char *key, *nonce, *header;
};
static const struct labels labels_v1 = {"quic key", "quic iv", "quic hp"};
static const struct labels labels_v2 = {"quicv2 key", "quicv2 iv", "quicv2 hp"};

static const struct version {
	uint32_t first, last;
	uint8_t initial; /* type of Initial packets */
	const struct labels *labels;
	uint8_t salt[20];
} versions[] = {
	/* clang-format off */
	{0x00000001, 0x00000001, 0, &labels_v1,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
	{0x6b3343cf, 0x6b3343cf, 1, &labels_v2,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}},
	/* drafts 29 to 32 */
	{0xff00001d, 0xff000020, 0, &labels_v1,
	 {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
	  0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99}},
	/* drafts 33 and 34 have version 1's */
	{0xff000021, 0xff000022, 0, &labels_v1,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
	/* drafts 23 to 28 */
	{0xff000017, 0xff00001c, 0, &labels_v1,
	 {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
	  0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}},
	/* clang-format on */
};

struct keys {
	uint8_t key[KEY_BYTES], nonce[NONCE_BYTES], header[KEY_BYTES];
};

struct quic {
	uint8_t version[4]; /* of the last Initial, as sent */
	bool keyed;
	struct keys keys[2];
	struct {
		bool told;
		uint8_t *bytes; /* CRYPTO_MAX, and as many marks of what is there */
	} sides[2];
};

static const struct version *version_of(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++)
		if (number >= versions[i].first && number <= versions[i].last)
			return &versions[i];
	return NULL;
}

/* --- keys --- */

static bool hmac(struct slice key, struct slice text, uint8_t out[SECRET_BYTES])
{
	unsigned length = 0;

	return HMAC(EVP_sha256(), key.at, (int)key.length, text.at, text.length, out, &length) &&
	       length == SECRET_BYTES;
}

/* HKDF-Expand-Label (RFC 8446, 7.1) of at most one block. */
static bool expand(const uint8_t secret[SECRET_BYTES], const char *label, uint8_t *out,
		   size_t length)
{
	uint8_t text[64], block[SECRET_BYTES];
	struct writer w = writer_fixed(text, sizeof(text));

	writer_u16be(&w, (uint16_t)length);
	writer_u8(&w, (uint8_t)(6 + strlen(label)));
	writer_text(&w, "tls13 ");
	writer_text(&w, label);
	writer_u8(&w, 0);
	writer_u8(&w, 1);
	if (w.failed || !hmac(slice_of(secret, SECRET_BYTES), writer_slice(&w), block))
		return false;
	memcpy(out, block, length);
	return true;
}

static bool make_keys(struct quic *quic, const struct version *version, struct slice connection)
{
	static const char *const labels[] = {"client in", "server in"};
	uint8_t initial[SECRET_BYTES], secret[SECRET_BYTES];

	if (!hmac(slice_of(version->salt, sizeof(version->salt)), connection, initial))
		return false;
	for (size_t i = 0; i < 2; i++)
		if (!expand(initial, labels[i], secret, SECRET_BYTES) ||
		    !expand(secret, version->labels->key, quic->keys[i].key, KEY_BYTES) ||
		    !expand(secret, version->labels->nonce, quic->keys[i].nonce, NONCE_BYTES) ||
		    !expand(secret, version->labels->header, quic->keys[i].header, KEY_BYTES))
			return false;
	quic->keyed = true;
	return true;
}

static bool mask_of(const uint8_t key[KEY_BYTES], const uint8_t sample[SAMPLE_BYTES],
		    uint8_t mask[SAMPLE_BYTES])
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length = 0;
	bool good = context &&
		    EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
		    EVP_EncryptUpdate(context, mask, &length, sample, SAMPLE_BYTES) == 1 &&
		    length == SAMPLE_BYTES;

	EVP_CIPHER_CTX_free(context);
	return good;
}

static bool unseal(const struct keys *keys, uint64_t number, struct slice header,
		   struct slice sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t nonce[NONCE_BYTES], tag[TAG_BYTES];
	int length = 0, last = 0;
	size_t body = sealed.length - TAG_BYTES;
	bool good;

	memcpy(nonce, keys->nonce, sizeof(nonce));
	memcpy(tag, sealed.at + body, sizeof(tag));
	for (size_t i = 0; i < 8; i++)
		nonce[NONCE_BYTES - 1 - i] ^= (uint8_t)(number >> 8 * i);
	good = context &&
	       EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), NULL, keys->key, nonce) == 1 &&
	       EVP_DecryptUpdate(context, NULL, &length, header.at, (int)header.length) == 1 &&
	       EVP_DecryptUpdate(context, out, &length, sealed.at, (int)body) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	       EVP_DecryptFinal_ex(context, out + length, &last) == 1;
	EVP_CIPHER_CTX_free(context);
	return good;
}

/* --- frames --- */

static uint64_t varint(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint64_t value = first & 0x3f;

	for (unsigned i = 1; i < 1u << (first >> 6); i++)
		value = value << 8 | cursor_u8(c);
	return value;
}

static void keep_crypto(struct quic *quic, enum direction direction, uint64_t offset,
			struct slice bytes)
{
	uint8_t *at;

	if (offset > CRYPTO_MAX || bytes.length > CRYPTO_MAX - offset)
		return;
	if (!quic->sides[direction].bytes)
		quic->sides[direction].bytes = calloc(2, CRYPTO_MAX);
	at = quic->sides[direction].bytes;
	if (!at || !bytes.length)
		return;
	memcpy(at + offset, bytes.at, bytes.length);
	memset(at + CRYPTO_MAX + offset, 1, bytes.length);
}

static void read_frames(struct quic *quic, enum direction direction, struct slice frames)
{
	struct cursor c = cursor_of(frames);

	while (c.left && !c.failed) {
		uint64_t type = varint(&c), offset, count;

		switch (type) {
		case 0: /* padding */
		case 1: /* ping */
			break;
		case 2:
		case 3: /* acknowledgement */
			(void)varint(&c);
			(void)varint(&c);
			count = varint(&c);
			(void)varint(&c);
			for (uint64_t i = 0; i < count && !c.failed; i++) {
				(void)varint(&c);
				(void)varint(&c);
			}
			for (int i = 0; type == 3 && i < 3; i++)
				(void)varint(&c);
			break;
		case 6: /* crypto */
			offset = varint(&c);
			count = varint(&c);
			if (count > c.left)
				return;
			keep_crypto(quic, direction, offset, cursor_take(&c, (size_t)count));
			break;
		default:
			return;
		}
	}
}

/* --- hellos --- */

/* The hello, once all of it is there. */
static void look_for_hello(struct quic *quic, struct application_context *context,
			   enum direction direction)
{
	const uint8_t *at = quic->sides[direction].bytes, *there;
	struct findings_view *v;
	size_t length;

	if (!at || quic->sides[direction].told)
		return;
	there = at + CRYPTO_MAX;
	if (memchr(there, 0, 4))
		return;
	length = (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	if (at[0] != (direction == TO_SERVER ? CLIENT_HELLO : SERVER_HELLO) ||
	    length > CRYPTO_MAX - 4 || memchr(there, 0, length + 4))
		return;
	v = arena_take(context->scratch, sizeof(*v));
	if (!v)
		return;
	quic->sides[direction].told = true;
	view_start(v, context);
	view_buffer(v, BUFFER_QUIC_VERSION, slice_of(quic->version, sizeof(quic->version)));
	hello_view(v, slice_of(at + 4, length), direction == TO_CLIENT, 'q');
	view_offer(v, direction, 0);
}

/* --- packets --- */

static bool read_initial(struct quic *quic, struct application_context *context,
			 enum direction direction, struct slice packet, size_t number_at)
{
	uint8_t header[PACKET_MAX], mask[SAMPLE_BYTES], *out;
	size_t number_length;
	uint64_t number = 0;

	if (number_at + 4 + SAMPLE_BYTES > packet.length || number_at + 4 > sizeof(header) ||
	    !mask_of(quic->keys[direction].header, packet.at + number_at + 4, mask))
		return false;
	memcpy(header, packet.at, number_at + 4);
	header[0] ^= mask[0] & 0x0f;
	number_length = (header[0] & 3u) + 1;
	for (size_t i = 0; i < number_length; i++) {
		header[number_at + i] ^= mask[1 + i];
		number = number << 8 | header[number_at + i];
	}
	packet = slice_from(packet, number_at + number_length);
	out = arena_take(context->scratch, packet.length + 1);
	if (!out || packet.length < TAG_BYTES ||
	    !unseal(&quic->keys[direction], number, slice_of(header, number_at + number_length),
		    packet, out))
		return false;
	read_frames(quic, direction, slice_of(out, packet.length - TAG_BYTES));
	look_for_hello(quic, context, direction);
	return true;
}

/* One packet of a datagram; several may stand in it. Returns its length, or 0: no more. */
static size_t read_packet(struct quic *quic, struct application_context *context,
			  enum direction direction, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint8_t first = cursor_u8(&c);
	const struct version *version = version_of(cursor_u32be(&c));
	struct slice connection = cursor_take(&c, cursor_u8(&c));
	size_t number_at, total;
	uint64_t length;

	(void)cursor_take(&c, cursor_u8(&c));
	if (c.failed || !(first & 0x80) || !version || connection.length > CONNECTION_MAX)
		return 0;
	if ((first >> 4 & 3) == version->initial)
		(void)cursor_take(&c, (size_t)varint(&c));
	else if ((first >> 4 & 3) == ((version->initial + 3) & 3))
		return 0; /* Retry */
	length = varint(&c);
	number_at = bytes.length - c.left;
	if (c.failed || length > c.left)
		return 0;
	total = number_at + (size_t)length;
	if ((first >> 4 & 3) != version->initial)
		return total;
	memcpy(quic->version, bytes.at + 1, sizeof(quic->version));
	if (!quic->keyed && (direction != TO_SERVER || !make_keys(quic, version, connection)))
		return 0;
	(void)read_initial(quic, context, direction, slice_first(bytes, total), number_at);
	return total;
}

static enum recognition quic_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	struct cursor c = cursor_of(bytes);
	uint8_t first = cursor_u8(&c);
	const struct version *version = version_of(cursor_u32be(&c));

	return !c.failed && (first & 0xc0) == 0xc0 && version && cursor_u8(&c) <= CONNECTION_MAX
		       ? RECOGNISED_YES
		       : RECOGNISED_NO;
}

static size_t quic_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	size_t used = 0, more = 1;

	while (more && used < bytes.length) {
		more = read_packet(state, context, direction, slice_from(bytes, used));
		used += more;
	}
	return bytes.length;
}

static void quic_drop(void *state)
{
	struct quic *quic = state;

	free(quic->sides[0].bytes);
	free(quic->sides[1].bytes);
}

static size_t quic_held(const void *state)
{
	const struct quic *quic = state;

	size_t held = 0;

	for (size_t i = 0; i < 2; i++)
		held += quic->sides[i].bytes ? 2 * CRYPTO_MAX : 0;
	return held;
}

const struct application application_quic = {
	.id = APPLICATION_QUIC,
	.transports = {TRANSPORT_UDP},
	.recognise = quic_recognise,
	.state_size = sizeof(struct quic),
	.input = quic_input,
	.drop = quic_drop,
	.held = quic_held,
};
