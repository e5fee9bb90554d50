/* HASSH; see ssh_fingerprint.h. */
#include "capture/fingerprint/ssh_fingerprint.h"

#include "base/hash.h"

enum { MESSAGE_KEXINIT = 20, LISTS = 10 };

int hassh_of(struct slice payload, bool server, struct writer *text, char hash[HASSH_MAX])
{
	/* Key exchange; then encryption, MAC, compression of one direction. */
	static const uint8_t client[] = {0, 2, 4, 6}, from_server[] = {0, 3, 5, 7};
	const uint8_t *which = server ? from_server : client;
	struct cursor c = cursor_of(payload);
	struct slice lists[LISTS];
	uint8_t digest[MD5_LENGTH];
	struct writer w = writer_fixed(hash, HASSH_MAX - 1);
	size_t start = text->length;

	if (cursor_u8(&c) != MESSAGE_KEXINIT)
		return -1;
	cursor_skip(&c, 16);
	for (size_t i = 0; i < LISTS; i++)
		lists[i] = cursor_take(&c, cursor_u32be(&c));
	if (c.failed)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		if (i)
			writer_u8(text, ';');
		writer_bytes(text, lists[which[i]]);
	}
	if (text->failed)
		return -1;
	hash_md5_once(slice_of(text->at + start, text->length - start), digest);
	writer_hex(&w, slice_of(digest, sizeof(digest)));
	hash[HASSH_MAX - 1] = '\0';
	return 0;
}
