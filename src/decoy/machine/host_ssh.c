/* The SSH host keys as files of the fake host: the public ones are those that the decoy shows on
 * the wire. The private ones have the right form and public part (PROTOCOL.key of OpenSSH) and no
 * key: who takes them away has nothing. */
#include <stdio.h>

#include "decoy/host_keys.h"
#include "decoy/machine/host_state.h"

#define PEM_COLUMNS 70

static void put_string(struct writer *w, struct slice s)
{
	writer_u32be(w, (uint32_t)s.length);
	writer_bytes(w, s);
}

static void add(struct host *host, const char *type, const char *suffix, unsigned mode,
		const struct writer *text)
{
	char path[64];
	char *name;

	snprintf(path, sizeof(path), "/etc/ssh/ssh_host_%s_key%s", type, suffix);
	name = arena_text(&host->arena, slice_text(path));
	if (name && !text->failed)
		host_add_file(host, name, mode, 0, 0, host->os_installed, writer_slice(text));
}

/* "ssh-ed25519 AAAA... root@host" */
static void add_public(struct host *host, const char *type, const char *algorithm,
		       struct slice blob)
{
	struct writer text = writer_growing(4096);

	writer_format(&text, "%s ", algorithm);
	writer_base64(&text, blob);
	writer_format(&text, " root@%s\n", host->names.node);
	add(host, type, ".pub", 0644, &text);
	writer_free(&text);
}

/* Bytes where the secret numbers would be: as many as in a real key of that kind. */
static size_t secret_length(enum host_key_type type, struct slice blob)
{
	return type == HOST_KEY_RSA     ? blob.length * 5 + 60
	       : type == HOST_KEY_ECDSA ? blob.length + 70
					: 150;
}

static void add_private(struct host *host, const char *type, enum host_key_type kind,
			struct slice blob)
{
	struct writer body = writer_growing(16384), encoded = writer_growing(32768),
		      text = writer_growing(32768);
	size_t length = (secret_length(kind, blob) + 7) & ~(size_t)7;
	uint8_t *secret = arena_take(&host->arena, length);
	struct slice rest;

	if (!secret)
		return;
	persona_derive(host->persona, type, secret, length);
	memcpy(secret + 4, secret, 4); /* the two check numbers are alike */
	writer_bytes(&body, slice_of("openssh-key-v1", 15));
	put_string(&body, SLICE("none"));
	put_string(&body, SLICE("none"));
	put_string(&body, SLICE(""));
	writer_u32be(&body, 1);
	put_string(&body, blob);
	put_string(&body, slice_of(secret, length));
	writer_base64(&encoded, writer_slice(&body));
	writer_text(&text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	rest = writer_slice(&encoded);
	while (rest.length) {
		struct slice line = slice_first(rest, PEM_COLUMNS);

		writer_bytes(&text, line);
		writer_u8(&text, '\n');
		rest = slice_from(rest, line.length);
	}
	writer_text(&text, "-----END OPENSSH PRIVATE KEY-----\n");
	add(host, type, "", 0600, &text);
	writer_free(&body);
	writer_free(&encoded);
	writer_free(&text);
}

void host_make_ssh_keys(struct host *host, const struct host_keys *keys)
{
	static const char *const names[HOST_KEY_TYPES] = {
		[HOST_KEY_RSA] = "rsa", [HOST_KEY_ECDSA] = "ecdsa", [HOST_KEY_ED25519] = "ed25519"};

	if (!keys || host->kind != HOST_DEBIAN)
		return;
	for (enum host_key_type type = 0; type < HOST_KEY_TYPES; type++) {
		struct slice blob = host_keys_public(keys, type);

		if (blob.length == 0)
			continue;
		add_public(host, names[type], host_keys_type_name(type), blob);
		add_private(host, names[type], type, blob);
	}
}
