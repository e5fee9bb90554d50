/* The course of a key exchange (RFC 4253, sections 7 and 8; RFC 4419; strict key exchange as in
 * OpenSSH's PROTOCOL), and the keys that come of it. */
#include <stdlib.h>

#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "decoy/protocols/ssh/kexinit.h"

#define STRICT_CLIENT SLICE("kex-strict-c-v00@openssh.com")

/* Messages of the methods. */
enum {
	EXCHANGE_INIT = 30,
	EXCHANGE_REPLY = 31,
	GROUP_REQUEST_OLD = 30,
	GROUP = 31,
	GROUP_INIT = 32,
	GROUP_REPLY = 33,
	GROUP_REQUEST = 34,
};

#define GROUP_BITS_MAX 8192
#define PUT_OFF        (250 * MILLISECOND) /* when a source has used up its share */
/* What a source may use up in costly operations, in tenths of a millisecond: OpenSSH knows no such
 * thing, a host of its size is simply slow. */
#define RSA_COST   25
#define REKEY_COST 3

struct ssh_kex {
	struct writer own, client; /* payloads of both KEXINIT, with the message's number */
	struct ssh_choice choice;
	bool received, answered; /* the client's KEXINIT; our NEWKEYS left */
	struct ssh_group group;
	uint32_t group_sizes[3]; /* as asked for: least, wanted, most */
	bool group_old;
	/* Keys of the client's direction, until its NEWKEYS. */
	uint8_t iv[SSH_KEY_MAX], key[SSH_KEY_MAX], mac_key[SSH_KEY_MAX];
	int64_t due; /* monotonic: when what was put off goes on; 0: nothing was */
	uint8_t put_off_type;
	struct writer put_off;
};

static struct ssh_kex *kex_of(struct ssh *ssh)
{
	if (!ssh->kex) {
		ssh->kex = calloc(1, sizeof(*ssh->kex));
		if (!ssh->kex) {
			ssh_hang_up(ssh, "memory");
			return NULL;
		}
		ssh->kex->own = writer_growing(SSH_PACKET_MAX);
		ssh->kex->client = writer_growing(SSH_PACKET_MAX);
		ssh->kex->put_off = writer_growing(SSH_PACKET_MAX);
	}
	return ssh->kex;
}

void ssh_kex_free(struct ssh *ssh)
{
	struct ssh_kex *kex = ssh->kex;

	if (!kex)
		return;
	writer_free(&kex->own);
	writer_free(&kex->client);
	writer_free(&kex->put_off);
	BN_free(kex->group.prime);
	explicit_bzero(kex, sizeof(*kex));
	free(kex);
	ssh->kex = NULL;
}

void ssh_kex_begin(struct ssh *ssh)
{
	struct ssh_kex *kex = kex_of(ssh);
	struct writer *w;

	if (!kex)
		return;
	ssh_kexinit_compose(ssh, &kex->own);
	w = ssh_packet_begin(ssh, SSH_KEXINIT);
	writer_bytes(w, slice_from(writer_slice(&kex->own), 1));
	ssh_packet_send(ssh);
}

/* --- the hash and the keys --- */

union hash_state {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512; /* SHA-384's too */
};

static void hash_string(const struct nettle_hash *hash, union hash_state *state, struct slice s)
{
	uint8_t length[4] = {(uint8_t)(s.length >> 24), (uint8_t)(s.length >> 16),
			     (uint8_t)(s.length >> 8), (uint8_t)s.length};

	hash->update(state, sizeof(length), length);
	hash->update(state, s.length, s.at);
}

static void hash_plain(const struct nettle_hash *hash, union hash_state *state, struct slice s)
{
	hash->update(state, s.length, s.at);
}

/* What a group exchange adds: sizes, prime, generator. */
static void hash_group(const struct ssh_kex *kex, const struct nettle_hash *hash,
		       union hash_state *state)
{
	uint8_t room[1200];
	struct writer w = writer_fixed(room, sizeof(room));
	uint8_t number[GROUP_BITS_MAX / 8 + 8];

	if (!kex->group_old)
		writer_u32be(&w, kex->group_sizes[0]);
	writer_u32be(&w, kex->group_sizes[1]);
	if (!kex->group_old)
		writer_u32be(&w, kex->group_sizes[2]);
	if ((size_t)BN_num_bytes(kex->group.prime) <= sizeof(number))
		wire_put_mpint(&w, slice_of(number, (size_t)BN_bn2bin(kex->group.prime, number)));
	number[0] = (uint8_t)kex->group.generator;
	wire_put_mpint(&w, slice_of(number, 1));
	hash_plain(hash, state, writer_slice(&w));
}

/* `client` is the client's share in its wire form. */
static void exchange_hash(struct ssh *ssh, struct slice client, const struct ssh_exchange *exchange,
			  uint8_t out[SSH_DIGEST_MAX])
{
	struct ssh_kex *kex = ssh->kex;
	const struct nettle_hash *hash = kex->choice.method->hash;
	const struct host_keys *keys = session_host_keys(ssh->session);
	union hash_state state;

	hash->init(&state);
	hash_string(hash, &state, ssh->client_version);
	hash_string(hash, &state, slice_text(ssh->server->banner));
	hash_string(hash, &state, writer_slice(&kex->client));
	hash_string(hash, &state, writer_slice(&kex->own));
	hash_string(hash, &state, host_keys_public(keys, kex->choice.host_key));
	if (kex->choice.method->kind == SSH_METHOD_CHOSEN_GROUP)
		hash_group(kex, hash, &state);
	hash_plain(hash, &state, client);
	hash_plain(hash, &state, writer_slice(&exchange->share));
	hash_plain(hash, &state, writer_slice(&exchange->secret));
	hash->digest(&state, hash->digest_size, out);
}

struct key_source {
	const struct nettle_hash *hash;
	union hash_state begun; /* secret and exchange hash are in it */
	struct slice session_id;
};

/* RFC 4253, 7.2. */
static void derive_key(const struct key_source *source, char letter, size_t length,
		       uint8_t out[SSH_KEY_MAX])
{
	size_t size = source->hash->digest_size, have = size;
	union hash_state state = source->begun;
	uint8_t key[2 * SSH_KEY_MAX];

	source->hash->update(&state, 1, (const uint8_t *)&letter);
	hash_plain(source->hash, &state, source->session_id);
	source->hash->digest(&state, size, key);
	while (have < length) {
		state = source->begun;
		source->hash->update(&state, have, key);
		source->hash->digest(&state, size, key + have);
		have += size;
	}
	memcpy(out, key, length);
	explicit_bzero(key, sizeof(key));
}

struct key_set {
	uint8_t iv[SSH_KEY_MAX], key[SSH_KEY_MAX], mac_key[SSH_KEY_MAX];
};

static void derive_set(const struct key_source *source, const char letters[3],
		       const struct ssh_cipher *cipher, const struct ssh_mac *mac, uint8_t *iv,
		       uint8_t *key, uint8_t *mac_key)
{
	derive_key(source, letters[0], cipher->iv, iv);
	derive_key(source, letters[1], cipher->key, key);
	derive_key(source, letters[2], mac ? mac->key : 0, mac_key);
}

/* --- our answer --- */

static void send_ext_info(struct ssh *ssh)
{
	const struct ssh_build *build = ssh->server->build;
	struct writer *w;

	if (!build->signatures || !(ssh->flags & SSH_EXT_INFO_WANTED))
		return;
	w = ssh_packet_begin(ssh, SSH_EXT_INFO);
	writer_u32be(w, build->hostbound ? 2 : 1);
	wire_put_text(w, "server-sig-algs");
	wire_put_text(w, build->signatures);
	if (build->hostbound) {
		wire_put_text(w, "publickey-hostbound@openssh.com");
		wire_put_text(w, "0");
	}
	ssh_packet_send(ssh);
}

static void set_compression(const struct ssh *ssh, struct ssh_direction *direction,
			    enum ssh_compression compression)
{
	direction->compresses_late = compression == SSH_COMPRESSION_DELAYED;
	direction->compresses = compression == SSH_COMPRESSION_ZLIB ||
				(direction->compresses_late && ssh->flags & SSH_LOGGED_IN);
}

/* NEWKEYS, and from here on our keys. */
static int take_up_keys(struct ssh *ssh, const struct ssh_exchange *exchange,
			const uint8_t hash[SSH_DIGEST_MAX])
{
	struct ssh_kex *kex = ssh->kex;
	const struct ssh_choice *choice = &kex->choice;
	struct key_source source = {.hash = choice->method->hash};
	struct key_set out;
	int result;

	if (ssh->flags & SSH_INITIAL) {
		ssh->session_id_length = (uint8_t)source.hash->digest_size;
		memcpy(ssh->session_id, hash, ssh->session_id_length);
	}
	source.session_id = slice_of(ssh->session_id, ssh->session_id_length);
	source.hash->init(&source.begun);
	hash_plain(source.hash, &source.begun, writer_slice(&exchange->secret));
	source.hash->update(&source.begun, source.hash->digest_size, hash);
	derive_set(&source, "ACE", choice->cipher_in, choice->mac_in, kex->iv, kex->key,
		   kex->mac_key);
	derive_set(&source, "BDF", choice->cipher_out, choice->mac_out, out.iv, out.key,
		   out.mac_key);
	(void)ssh_packet_begin(ssh, SSH_NEWKEYS);
	ssh_packet_send(ssh);
	result = ssh_packet_set_keys(ssh, &ssh->out, choice->cipher_out, choice->mac_out, out.iv,
				     out.key, out.mac_key);
	explicit_bzero(&out, sizeof(out));
	explicit_bzero(&source, sizeof(source));
	ssh_compress_end(&ssh->out, true);
	set_compression(ssh, &ssh->out, choice->compression_out);
	return result;
}

static void answer(struct ssh *ssh, uint8_t reply, struct slice client,
		   const struct ssh_exchange *exchange)
{
	struct ssh_kex *kex = ssh->kex;
	const struct host_keys *keys = session_host_keys(ssh->session);
	struct writer *signature = &ssh->server->scratch, *w;
	uint8_t hash[SSH_DIGEST_MAX];
	size_t size = kex->choice.method->hash->digest_size;

	exchange_hash(ssh, client, exchange, hash);
	writer_clear(signature);
	if (host_keys_sign(keys, kex->choice.host_key, kex->choice.host_key_algorithm,
			   slice_of(hash, size), signature) < 0) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	w = ssh_packet_begin(ssh, (enum ssh_message)reply);
	wire_put_string(w, host_keys_public(keys, kex->choice.host_key));
	writer_bytes(w, writer_slice(&exchange->share));
	wire_put_string(w, writer_slice(signature));
	ssh_packet_send(ssh);
	if (ssh->flags & SSH_INITIAL) {
		ssh->host_key = (uint8_t)kex->choice.host_key;
		ssh->host_key_algorithm = kex->choice.host_key_algorithm;
	}
	if (take_up_keys(ssh, exchange, hash) < 0) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	kex->answered = true;
	ssh_packet_release(ssh);
	if (ssh->flags & SSH_INITIAL)
		send_ext_info(ssh);
}

/* Bits of the strongest key or block that the exchange has to make: OpenSSH's dh_need. */
static unsigned bits_needed(const struct ssh_choice *choice)
{
	unsigned most = 16;
	const struct ssh_cipher *ciphers[2] = {choice->cipher_in, choice->cipher_out};
	const struct ssh_mac *macs[2] = {choice->mac_in, choice->mac_out};

	for (size_t i = 0; i < 2; i++) {
		if (ciphers[i]->key > most)
			most = ciphers[i]->key;
		if (macs[i] && macs[i]->key > most)
			most = macs[i]->key;
	}
	return 8 * most;
}

static void exchange_keys(struct ssh *ssh, uint8_t type, struct slice payload)
{
	struct ssh_kex *kex = ssh->kex;
	const struct ssh_method *method = kex->choice.method;
	struct cursor c = cursor_of(payload);
	struct slice share = wire_string(&c);
	struct ssh_exchange exchange;
	int result;

	wire_end(&c);
	if (c.failed) {
		ssh_malformed(ssh, "key exchange message cut short", payload);
		return;
	}
	if (method->kind == SSH_METHOD_GROUP && !kex->group.prime)
		kex->group = ssh_group_fixed(method->parameter);
	if (method->kind == SSH_METHOD_GROUP || method->kind == SSH_METHOD_CHOSEN_GROUP)
		result = kex->group.prime ? ssh_exchange_group(&kex->group, share,
							       bits_needed(&kex->choice), &exchange)
					  : -1;
	else
		result = ssh_exchange_curve(ssh->server->exchanger, method, ssh->session, share,
					    &exchange);
	if (result < 0)
		ssh_malformed(ssh, "bad share in a key exchange", payload);
	else if (kex->group.prime && method->kind != SSH_METHOD_GROUP)
		answer(ssh, GROUP_REPLY, payload, &exchange);
	else
		answer(ssh, EXCHANGE_REPLY, payload, &exchange);
	explicit_bzero(&exchange, sizeof(exchange));
}

/* --- group exchange --- */

static void send_group(struct ssh *ssh)
{
	struct ssh_kex *kex = ssh->kex;
	uint8_t number[GROUP_BITS_MAX / 8 + 8];
	struct writer *w = ssh_packet_begin(ssh, (enum ssh_message)GROUP);

	if ((size_t)BN_num_bytes(kex->group.prime) > sizeof(number)) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	wire_put_mpint(w, slice_of(number, (size_t)BN_bn2bin(kex->group.prime, number)));
	number[0] = (uint8_t)kex->group.generator;
	wire_put_mpint(w, slice_of(number, 1));
	ssh_packet_send(ssh);
}

static unsigned clamp(uint32_t value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

static void take_group_request(struct ssh *ssh, uint8_t type, struct slice payload)
{
	struct ssh_kex *kex = ssh->kex;
	unsigned least = ssh->server->build->dh_minimum;
	struct cursor c = cursor_of(payload);
	uint32_t *sizes = kex->group_sizes;
	unsigned minimum, wanted, maximum;

	kex->group_old = type == GROUP_REQUEST_OLD;
	sizes[0] = kex->group_old ? least : cursor_u32be(&c);
	sizes[1] = cursor_u32be(&c);
	sizes[2] = kex->group_old ? GROUP_BITS_MAX : cursor_u32be(&c);
	wire_end(&c);
	if (c.failed) {
		ssh_malformed(ssh, "group request cut short", payload);
		return;
	}
	minimum = sizes[0] > least ? sizes[0] : least;
	maximum = sizes[2] < GROUP_BITS_MAX ? sizes[2] : GROUP_BITS_MAX;
	wanted = clamp(sizes[1], least, GROUP_BITS_MAX);
	if (maximum < minimum || wanted < minimum || maximum < wanted) {
		ssh_malformed(ssh, "group sizes out of range", payload);
		return;
	}
	kex->group = ssh_group_choose(ssh->server->groups, minimum, wanted, maximum,
				      session_random_number(ssh->session, UINT64_MAX));
	if (!kex->group.prime)
		ssh_hang_up(ssh, "memory");
	else
		send_group(ssh);
}

/* --- messages --- */

static void unexpected(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload)
{
	struct writer *w;

	if (type > SSH_KEX_LAST) { /* OpenSSH has no handler yet, and goes without a word */
		ssh_malformed(ssh, "message before the end of the key exchange", payload);
		return;
	}
	if (ssh->flags & SSH_INITIAL && ssh->flags & SSH_STRICT) {
		ssh_disconnect(ssh, "protocol error",
			       "strict KEX violation: unexpected packet type %u (seqnr %u)", type,
			       sequence);
		return;
	}
	w = ssh_packet_begin(ssh, SSH_UNIMPLEMENTED);
	writer_u32be(w, sequence);
	ssh_packet_send(ssh);
}

static void note_client(struct ssh *ssh, const struct ssh_kexinit *client)
{
	struct slice host_keys = client->lists[SSH_LIST_HOST_KEY];

	if (!(ssh->flags & SSH_INITIAL))
		return;
	if (wire_list_has(client->lists[SSH_LIST_KEX], SLICE("ext-info-c")))
		ssh->flags |= SSH_EXT_INFO_WANTED;
	if (wire_list_has(client->lists[SSH_LIST_KEX], STRICT_CLIENT) &&
	    wire_list_has(slice_text(ssh->server->build->kex),
			  SLICE("kex-strict-s-v00@openssh.com")))
		ssh->flags |= SSH_STRICT;
	if (wire_list_has(host_keys, SLICE("rsa-sha2-256")))
		ssh->flags |= SSH_RSA_256;
	if (wire_list_has(host_keys, SLICE("rsa-sha2-512")))
		ssh->flags |= SSH_RSA_512;
}

static void take_kexinit(struct ssh *ssh, uint32_t sequence, struct slice payload)
{
	struct ssh_kex *kex;
	struct ssh_kexinit client;
	const char *missing;

	if (!ssh->kex)
		ssh_kex_begin(ssh);
	kex = ssh->kex;
	if (!kex || ssh->flags & SSH_OVER)
		return;
	kex->received = true;
	writer_u8(&kex->client, SSH_KEXINIT);
	writer_bytes(&kex->client, payload);
	if (kex->client.failed || ssh_kexinit_read(payload, &client) < 0) {
		ssh_malformed(ssh, "KEXINIT cut short", payload);
		return;
	}
	note_client(ssh, &client);
	missing = ssh_kexinit_choose(ssh, &client, &kex->choice);
	if (ssh->flags & SSH_INITIAL)
		ssh_report_kexinit(ssh, payload, missing ? NULL : &kex->choice);
	if (ssh->flags & SSH_INITIAL && ssh->flags & SSH_STRICT && sequence != 0) {
		ssh_disconnect(ssh, "protocol error",
			       "strict KEX violation: KEXINIT was not the first packet");
		return;
	}
	if (missing) {
		ssh_hang_up(ssh, missing);
		return;
	}
	if (client.guesses && !ssh_kexinit_guessed_right(ssh, &client))
		ssh->flags |= SSH_SKIP_NEXT;
}

static void take_newkeys(struct ssh *ssh)
{
	struct ssh_kex *kex = ssh->kex;
	const struct ssh_choice *choice = &kex->choice;

	if (ssh_packet_set_keys(ssh, &ssh->in, choice->cipher_in, choice->mac_in, kex->iv, kex->key,
				kex->mac_key) < 0) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	ssh_compress_end(&ssh->in, false);
	set_compression(ssh, &ssh->in, choice->compression_in);
	ssh->flags &= ~(uint32_t)SSH_INITIAL;
	ssh_kex_free(ssh);
}

/* Whether the message is the one that the method waits for now. */
static bool is_due(const struct ssh *ssh, uint8_t type)
{
	const struct ssh_kex *kex = ssh->kex;
	bool chosen = kex->choice.method->kind == SSH_METHOD_CHOSEN_GROUP;

	if (kex->answered)
		return false;
	if (!chosen)
		return type == EXCHANGE_INIT;
	if (!kex->group.prime)
		return type == GROUP_REQUEST ||
		       (type == GROUP_REQUEST_OLD && ssh->server->build->old_groups);
	return type == GROUP_INIT;
}

/* In tenths of a millisecond. The first exchange with cheap methods is not counted: connections are
 * limited elsewhere. */
static unsigned cost_of(const struct ssh *ssh)
{
	const struct ssh_kex *kex = ssh->kex;
	unsigned cost = kex->choice.method->cost + (ssh->flags & SSH_INITIAL ? 0 : REKEY_COST);

	/* A group of 8192 bits costs sixty times one of 2048. */
	if (kex->group.prime && kex->choice.method->kind == SSH_METHOD_CHOSEN_GROUP)
		cost = (unsigned)(BN_num_bits(kex->group.prime) / 1024) *
		       (unsigned)(BN_num_bits(kex->group.prime) / 1024) * 5 / 2;
	return cost + (kex->choice.host_key == HOST_KEY_RSA ? RSA_COST : 0);
}

static void take_method_message(struct ssh *ssh, uint8_t type, struct slice payload)
{
	struct ssh_kex *kex = ssh->kex;

	if (kex->choice.method->kind == SSH_METHOD_CHOSEN_GROUP && !kex->group.prime) {
		take_group_request(ssh, type, payload);
		return;
	}
	if (!ssh_server_affords(ssh->server, ssh->session, cost_of(ssh))) {
		kex->due = ssh_monotonic(ssh) + PUT_OFF;
		kex->put_off_type = type;
		writer_clear(&kex->put_off);
		writer_bytes(&kex->put_off, payload);
		return;
	}
	exchange_keys(ssh, type, payload);
}

void ssh_kex_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload)
{
	struct ssh_kex *kex = ssh->kex;

	if (type == SSH_KEXINIT && !(kex && kex->received) &&
	    ssh->flags & (SSH_INITIAL | SSH_LOGGED_IN))
		take_kexinit(ssh, sequence, payload);
	else if (type == SSH_NEWKEYS && kex && kex->answered)
		take_newkeys(ssh);
	else if (type >= SSH_KEX_FIRST && type <= SSH_KEX_LAST && kex && kex->received &&
		 is_due(ssh, type))
		take_method_message(ssh, type, payload);
	else
		unexpected(ssh, type, sequence, payload);
}

int64_t ssh_kex_due(const struct ssh *ssh)
{
	return ssh->kex && ssh->kex->due ? ssh->kex->due : INT64_MAX;
}

void ssh_kex_resume(struct ssh *ssh)
{
	struct ssh_kex *kex = ssh->kex;
	struct writer put_off = kex->put_off;

	kex->due = 0;
	kex->put_off = writer_growing(SSH_PACKET_MAX);
	take_method_message(ssh, kex->put_off_type, writer_slice(&put_off));
	writer_free(&put_off);
}
