/* KEXINIT; see kexinit.h. */
#include "decoy/protocols/ssh/kexinit.h"

#define COOKIE 16

static const char *own_list(const struct ssh *ssh, enum ssh_list list)
{
	const struct ssh_build *build = ssh->server->build;

	switch (list) {
	case SSH_LIST_KEX:
		return build->kex;
	case SSH_LIST_HOST_KEY:
		return build->host_keys;
	case SSH_LIST_CIPHER_IN:
	case SSH_LIST_CIPHER_OUT:
		return build->ciphers;
	case SSH_LIST_MAC_IN:
	case SSH_LIST_MAC_OUT:
		return build->macs;
	case SSH_LIST_COMPRESSION_IN:
	case SSH_LIST_COMPRESSION_OUT:
		return ssh->server->options->compression ? build->compression : "none";
	default:
		return "";
	}
}

/* Methods that OpenSSH leaves out for clients that break at them. */
static bool leaves_out(const struct ssh *ssh, struct slice name)
{
	return (ssh->flags & SSH_OLD_CURVE && slice_is(name, "curve25519-sha256@libssh.org")) ||
	       (ssh->flags & SSH_OLD_GROUPS &&
		slice_starts(name, "diffie-hellman-group-exchange-"));
}

static void put_filtered(const struct ssh *ssh, struct writer *out, const char *list)
{
	uint8_t room[1024];
	struct writer kept = writer_fixed(room, sizeof(room));
	struct slice rest = slice_text(list), name;

	while (wire_next_name(&rest, &name)) {
		if (leaves_out(ssh, name))
			continue;
		if (kept.length)
			writer_u8(&kept, ',');
		writer_bytes(&kept, name);
	}
	wire_put_string(out, writer_slice(&kept));
}

void ssh_kexinit_compose(struct ssh *ssh, struct writer *out)
{
	uint8_t cookie[COOKIE];

	session_random(ssh->session, cookie, sizeof(cookie));
	writer_u8(out, SSH_KEXINIT);
	writer_bytes(out, slice_of(cookie, sizeof(cookie)));
	for (int list = 0; list < SSH_LISTS; list++) {
		if (list == SSH_LIST_KEX && ssh->flags & (SSH_OLD_CURVE | SSH_OLD_GROUPS))
			put_filtered(ssh, out, own_list(ssh, (enum ssh_list)list));
		else
			wire_put_text(out, own_list(ssh, (enum ssh_list)list));
	}
	writer_u8(out, 0);
	writer_u32be(out, 0);
}

int ssh_kexinit_read(struct slice payload, struct ssh_kexinit *kexinit)
{
	struct cursor c = cursor_of(payload);

	cursor_skip(&c, COOKIE);
	for (int list = 0; list < SSH_LISTS; list++)
		kexinit->lists[list] = wire_string(&c);
	kexinit->guesses = cursor_u8(&c) != 0;
	cursor_u32be(&c);
	wire_end(&c);
	return c.failed ? -1 : 0;
}

static struct slice choose(const struct ssh *ssh, const struct ssh_kexinit *client,
			   enum ssh_list list)
{
	return wire_choose(client->lists[list], slice_text(own_list(ssh, list)));
}

static enum host_key_type key_of_algorithm(struct slice algorithm)
{
	if (slice_is(algorithm, "ssh-ed25519"))
		return HOST_KEY_ED25519;
	if (slice_starts(algorithm, "ecdsa-"))
		return HOST_KEY_ECDSA;
	return HOST_KEY_RSA;
}

/* Our own constant text of a name, which outlives the packet. */
static const char *host_key_text(struct slice name)
{
	static const char *const names[] = {"ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256",
					    "ssh-rsa", "ecdsa-sha2-nistp256"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is(name, names[i]))
			return names[i];
	}
	return NULL;
}

static const struct ssh_mac *choose_mac(const struct ssh *ssh, const struct ssh_kexinit *client,
					enum ssh_list list, const struct ssh_cipher *cipher,
					bool *found)
{
	const struct ssh_mac *mac;

	*found = true;
	if (cipher->tag)
		return NULL;
	mac = ssh_mac_named(choose(ssh, client, list));
	*found = mac != NULL;
	return mac;
}

static enum ssh_compression choose_compression(const struct ssh *ssh,
					       const struct ssh_kexinit *client, enum ssh_list list)
{
	static const char *const names[SSH_COMPRESSIONS] = {"none", "zlib", "zlib@openssh.com"};
	struct slice name = choose(ssh, client, list);
	int found = 0;

	while (found < SSH_COMPRESSIONS && !slice_is(name, names[found]))
		found++;
	return (enum ssh_compression)found;
}

const char *ssh_kexinit_choose(const struct ssh *ssh, const struct ssh_kexinit *client,
			       struct ssh_choice *choice)
{
	struct slice host_key;
	bool found_in, found_out;

	choice->method = ssh_method_named(choose(ssh, client, SSH_LIST_KEX));
	if (!choice->method)
		return "no matching key exchange method";
	host_key = choose(ssh, client, SSH_LIST_HOST_KEY);
	choice->host_key_algorithm = host_key_text(host_key);
	if (!choice->host_key_algorithm)
		return "no matching host key type";
	choice->host_key = key_of_algorithm(host_key);
	choice->cipher_in = ssh_cipher_named(choose(ssh, client, SSH_LIST_CIPHER_IN));
	choice->cipher_out = ssh_cipher_named(choose(ssh, client, SSH_LIST_CIPHER_OUT));
	if (!choice->cipher_in || !choice->cipher_out)
		return "no matching cipher";
	choice->mac_in = choose_mac(ssh, client, SSH_LIST_MAC_IN, choice->cipher_in, &found_in);
	choice->mac_out = choose_mac(ssh, client, SSH_LIST_MAC_OUT, choice->cipher_out, &found_out);
	if (!found_in || !found_out)
		return "no matching MAC";
	choice->compression_in = choose_compression(ssh, client, SSH_LIST_COMPRESSION_IN);
	choice->compression_out = choose_compression(ssh, client, SSH_LIST_COMPRESSION_OUT);
	if (choice->compression_in == SSH_COMPRESSIONS ||
	    choice->compression_out == SSH_COMPRESSIONS)
		return "no matching compression";
	return NULL;
}

static struct slice first_name(struct slice list)
{
	struct slice name;

	(void)wire_next_name(&list, &name);
	return name;
}

bool ssh_kexinit_guessed_right(const struct ssh *ssh, const struct ssh_kexinit *client)
{
	for (int list = SSH_LIST_KEX; list <= SSH_LIST_HOST_KEY; list++) {
		if (!slice_equal(first_name(client->lists[list]),
				 first_name(slice_text(own_list(ssh, (enum ssh_list)list)))))
			return false;
	}
	return true;
}
