/* KEXINIT (RFC 4253, section 7.1): composing ours, reading the client's, choosing. */
#ifndef DECOY_SSH_KEXINIT_H
#define DECOY_SSH_KEXINIT_H

#include "decoy/protocols/ssh/exchange.h"
#include "decoy/protocols/ssh/server.h"

enum ssh_list {
	SSH_LIST_KEX,
	SSH_LIST_HOST_KEY,
	SSH_LIST_CIPHER_IN,
	SSH_LIST_CIPHER_OUT,
	SSH_LIST_MAC_IN,
	SSH_LIST_MAC_OUT,
	SSH_LIST_COMPRESSION_IN,
	SSH_LIST_COMPRESSION_OUT,
	SSH_LIST_LANGUAGE_IN,
	SSH_LIST_LANGUAGE_OUT,
	SSH_LISTS
};

struct ssh_kexinit {
	struct slice lists[SSH_LISTS];
	bool guesses; /* a packet of a guessed method follows */
};

enum ssh_compression {
	SSH_COMPRESSION_NONE,
	SSH_COMPRESSION_ZLIB,
	SSH_COMPRESSION_DELAYED, /* zlib@openssh.com: once somebody is logged in */
	SSH_COMPRESSIONS
};

/* What was agreed upon; nothing in it points into the packets. */
struct ssh_choice {
	const struct ssh_method *method;
	enum host_key_type host_key;
	const char *host_key_algorithm;
	const struct ssh_cipher *cipher_in, *cipher_out;
	const struct ssh_mac *mac_in, *mac_out; /* NULL: the cipher's own */
	enum ssh_compression compression_in, compression_out;
};

/* Our whole payload, with the message's number and a cookie. */
void ssh_kexinit_compose(struct ssh *ssh, struct writer *out);
/* The client's payload behind the message's number. -1: cut short or too long. */
MUST_CHECK int ssh_kexinit_read(struct slice payload, struct ssh_kexinit *kexinit);
/* Chooses by RFC 4253, 7.1. Returns NULL, or what nothing was found for. */
const char *ssh_kexinit_choose(const struct ssh *ssh, const struct ssh_kexinit *client,
			       struct ssh_choice *choice);
/* Whether the client guessed what we prefer too. */
bool ssh_kexinit_guessed_right(const struct ssh *ssh, const struct ssh_kexinit *client);

#endif
