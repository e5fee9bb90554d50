/* What a client shows of itself: its version, its KEXINIT, its HASSH. */
#include "base/hash.h"
#include "decoy/protocols/ssh/kexinit.h"

#define LISTS_MAX ((size_t)32 * 1024)

void ssh_report_version(struct ssh *ssh)
{
	struct event *event = session_event(ssh->session, "client.fingerprint");

	event_set_text(event, FIELD_USER_AGENT, ssh->client_version);
	session_report(ssh->session, event);
}

/* Key exchange, ciphers, MACs, compression, as the client sends to the server
 * (github.com/salesforce/hassh). */
static void put_hassh(struct writer *out, const struct ssh_kexinit *client)
{
	static const enum ssh_list lists[] = {SSH_LIST_KEX, SSH_LIST_CIPHER_IN, SSH_LIST_MAC_IN,
					      SSH_LIST_COMPRESSION_IN};

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		if (i)
			writer_u8(out, ';');
		writer_bytes(out, client->lists[lists[i]]);
	}
}

static struct slice agreed(struct writer *room, const char *what, const char *name)
{
	size_t from = room->length;

	writer_format(room, "%s=%s", what, name);
	return slice_of(room->at + from, room->length - from);
}

static size_t list_agreed(struct writer *room, const struct ssh_choice *choice,
			  struct slice list[8])
{
	size_t count = 0;

	list[count++] = agreed(room, "kex", choice->method->name);
	list[count++] = agreed(room, "host-key", choice->host_key_algorithm);
	list[count++] = agreed(room, "cipher-in", choice->cipher_in->name);
	list[count++] = agreed(room, "cipher-out", choice->cipher_out->name);
	list[count++] = agreed(room, "mac-in", choice->mac_in ? choice->mac_in->name : "implicit");
	list[count++] =
		agreed(room, "mac-out", choice->mac_out ? choice->mac_out->name : "implicit");
	return count;
}

void ssh_report_kexinit(struct ssh *ssh, struct slice payload, const struct ssh_choice *choice)
{
	uint8_t digest[MD5_LENGTH], hex_room[2 * MD5_LENGTH], agreed_room[512];
	struct writer hex = writer_fixed(hex_room, sizeof(hex_room));
	struct writer names = writer_fixed(agreed_room, sizeof(agreed_room));
	struct writer text = writer_growing(LISTS_MAX);
	struct event *event = session_event(ssh->session, "client.fingerprint");
	struct ssh_kexinit client;
	struct slice list[8];

	if (ssh_kexinit_read(payload, &client) < 0)
		return;
	put_hassh(&text, &client);
	hash_md5_once(writer_slice(&text), digest);
	writer_hex(&hex, slice_of(digest, sizeof(digest)));
	event_set_text(event, FIELD_USER_AGENT, ssh->client_version);
	event_set_text(event, FIELD_SSH_HASSH, writer_slice(&hex));
	event_set_text(event, FIELD_SSH_HASSH_ALGORITHMS, writer_slice(&text));
	event_set_text(event, FIELD_SSH_HOST_KEYS, client.lists[SSH_LIST_HOST_KEY]);
	if (choice)
		event_set_texts(event, FIELD_SSH_AGREED, list, list_agreed(&names, choice, list));
	event_set_text(event, FIELD_RAW, slice_first(payload, EVENT_BYTES_MAX));
	event_set_number(event, FIELD_RAW_LENGTH, (int64_t)payload.length);
	session_report(ssh->session, event);
	writer_free(&text);
}
