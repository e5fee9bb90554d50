/* Known answers for SSH's own cryptography, from independent implementations of the specifications
 * (the reference in Sage of NTRU Prime; python-cryptography; RFC 4418's test vectors). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <nettle/umac.h>

#include "base/hash.h"
#include "decoy/host_keys.h"
#include "decoy/protocols/ssh/builds.h"
#include "decoy/protocols/ssh/cipher.h"
#include "decoy/protocols/ssh/exchange.h"
#include "decoy/protocols/ssh/mac.h"
#include "decoy/protocols/ssh/sntrup761.h"
#include "decoy/protocols/ssh/userkey.h"
#include "decoy/protocols/ssh/wire.h"

static void check_hex(struct slice bytes, const char *expected)
{
	struct writer hex = writer_growing(65536);

	writer_hex(&hex, bytes);
	writer_u8(&hex, 0);
	assert_string_equal((const char *)hex.at, expected);
	writer_free(&hex);
}

static void sntrup761_known_answer(void **state)
{
	uint8_t public[SNTRUP761_PUBLIC], random[SNTRUP761_RANDOM], digest[SHA256_LENGTH];
	uint8_t ciphertext[SNTRUP761_CIPHERTEXT], key[SNTRUP761_KEY];
	int8_t small[SNTRUP761_P];
	int weight = 0;

	for (size_t i = 0; i < sizeof(public); i++)
	public[i] = (uint8_t)(i * 7 + 3);
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * i * 31 + i * 17 + 5);
	sntrup761_draw(small, random);
	for (size_t i = 0; i < SNTRUP761_P; i++)
		weight += abs(small[i]);
	assert_int_equal(weight, SNTRUP761_WEIGHT);
	sntrup761_encapsulate(public, small, ciphertext, key);
	hash_sha256_once(slice_of(ciphertext, sizeof(ciphertext)), digest);
	check_hex(slice_of(digest, sizeof(digest)),
		  "e30dcee6d6dcde86b30176b2abe1c7f8e48e9db85cbd5341ecf63ee980de5ef6");
	check_hex(slice_of(key, sizeof(key)),
		  "f560dfedbbbdd2f5734c51899db49baa24d90212d3fbd592591e3074d6227677");
}

static void chacha20_poly1305_known_answer(void **state)
{
	const struct ssh_cipher *cipher = ssh_cipher_named(SLICE("chacha20-poly1305@openssh.com"));
	struct ssh_primitives *primitives = ssh_primitives_new();
	uint8_t key[64], packet[28 + 16] = {0, 0, 0, 24, 6}, out[24];
	void *seals, *opens;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < 17; i++)
		packet[5 + i] = (uint8_t)i;
	seals = ssh_cipher_new(cipher, primitives, key, NULL, true);
	opens = ssh_cipher_new(cipher, primitives, key, NULL, false);
	cipher->seal(seals, 7, packet, 24);
	check_hex(slice_of(packet, sizeof(packet)),
		  "a39afcb22e4614414d872f586b65b2fadc83de223ba230367ee33d83f5a763612f8cb40789d6e89f"
		  "227a8772");
	assert_int_equal(cipher->length(opens, 7, packet), 24);
	assert_true(cipher->open(opens, 7, packet, 24, out));
	assert_int_equal(out[0], 6);
	assert_int_equal(out[17], 16);
	packet[20] ^= 1;
	assert_false(cipher->open(opens, 7, packet, 24, out));
	ssh_cipher_free(cipher, seals);
	ssh_cipher_free(cipher, opens);
	ssh_primitives_free(primitives);
}

/* Every cipher gives back what went in, packet after packet. */
static void ciphers_round_trip(void **state)
{
	static const char *const names[] = {"aes128-ctr",
					    "aes192-ctr",
					    "aes256-ctr",
					    "aes128-gcm@openssh.com",
					    "aes256-cbc",
					    "aes128-cbc",
					    "aes192-cbc",
					    "aes256-gcm@openssh.com",
					    "3des-cbc",
					    "blowfish-cbc",
					    "cast128-cbc",
					    "arcfour",
					    "arcfour128",
					    "arcfour256",
					    "rijndael-cbc@lysator.liu.se",
					    "chacha20-poly1305@openssh.com"};
	struct ssh_primitives *primitives = ssh_primitives_new();
	uint8_t key[64], iv[16], packet[4 + 32 + 16], out[36];

	memset(key, 'k', sizeof(key));
	memset(iv, 'i', sizeof(iv));
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const struct ssh_cipher *cipher = ssh_cipher_named(slice_text(names[i]));
		void *there = ssh_cipher_new(cipher, primitives, key, iv, true);
		void *back = ssh_cipher_new(cipher, primitives, key, iv, false);

		for (uint32_t sequence = 0; sequence < 3; sequence++) {
			memset(packet, 'p', sizeof(packet));
			if (cipher->tag) {
				cipher->seal(there, sequence, packet, 32);
				assert_true(cipher->open(back, sequence, packet, 32, out));
			} else {
				cipher->crypt(there, packet, packet, 32);
				assert_int_not_equal(packet[0], 'p');
				cipher->crypt(back, out, packet, 32);
			}
			for (size_t k = 0; k < 32; k++)
				assert_int_equal(out[k], 'p');
		}
		ssh_cipher_free(cipher, there);
		ssh_cipher_free(cipher, back);
	}
	ssh_primitives_free(primitives);
}

/* RFC 4418, appendix: key and nonce of its vectors, then ours, whose nonce is the sequence number.
 */
static void umac_known_answer(void **state)
{
	static const uint8_t key[] = "abcdefghijklmnop";
	const struct ssh_mac *mac = ssh_mac_named(SLICE("umac-64@openssh.com"));
	uint8_t nonce[8] = {0, 0, 0, 0, 1, 2, 3, 4}, tag[16], own[16];
	struct umac64_ctx ctx;
	void *ours = ssh_mac_new(mac, key);

	umac64_set_key(&ctx, key);
	umac64_set_nonce(&ctx, 8, (const uint8_t *)"bcdefghi");
	umac64_update(&ctx, 3, (const uint8_t *)"aaa");
	umac64_digest(&ctx, 8, tag);
	check_hex(slice_of(tag, 8), "44b5cb542f220104");
	umac64_set_nonce(&ctx, 8, nonce);
	umac64_update(&ctx, 3, (const uint8_t *)"aaa");
	umac64_digest(&ctx, 8, tag);
	ssh_mac_compute(mac, ours, 0x01020304, SLICE("aaa"), own);
	assert_memory_equal(own, tag, 8);
	ssh_mac_free(mac, ours);
}

/* HMAC-SHA-256 of sequence number and bytes, with a key of 32 bytes 0x0b; truncation of -96. */
static void hmac_is_what_rfc_6668_says(void **state)
{
	const struct ssh_mac *mac = ssh_mac_named(SLICE("hmac-sha2-256")),
			     *cut = ssh_mac_named(SLICE("hmac-sha2-256-96"));
	uint8_t key[32], tag[64], shorter[64];
	void *ours, *other;

	memset(key, 0x0b, sizeof(key));
	ours = ssh_mac_new(mac, key);
	other = ssh_mac_new(cut, key);
	ssh_mac_compute(mac, ours, 0x48692054, SLICE("here"), tag); /* "Hi There" */
	ssh_mac_compute(cut, other, 0x48692054, SLICE("here"), shorter);
	check_hex(slice_of(tag, 32),
		  "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7");
	assert_memory_equal(tag, shorter, 12);
	ssh_mac_free(mac, ours);
	ssh_mac_free(cut, other);
}

static void user_key_and_signature(void **state)
{
	uint8_t room[256], signed_room[256], public[32], signature[64];
	struct writer blob = writer_fixed(room, sizeof(room));
	struct writer whole = writer_fixed(signed_room, sizeof(signed_room));
	struct ssh_user_key key;

	assert_int_equal(slice_unhex(SLICE("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc86"
					   "64125531b8"),
				     public, sizeof(public)),
			 32);
	assert_int_equal(
		slice_unhex(
			SLICE("355fef6131520d70d02ae21897168ca05b991dd66b75befb779fece00bbfe602"
			      "999de4ac9ac7e0b8c46e7d51fd95b397654e2baa854dc4dee62e518fb27d1708"),
			signature, sizeof(signature)),
		64);
	wire_put_text(&blob, "ssh-ed25519");
	wire_put_string(&blob, slice_of(public, sizeof(public)));
	wire_put_text(&whole, "ssh-ed25519");
	wire_put_string(&whole, slice_of(signature, sizeof(signature)));
	ssh_user_key_read(writer_slice(&blob), &key);
	assert_true(key.known);
	assert_string_equal(key.fingerprint, "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg");
	assert_true(ssh_user_key_verify(&key, SLICE("ssh-ed25519"), writer_slice(&whole),
					SLICE("sundew")));
	assert_false(ssh_user_key_verify(&key, SLICE("ssh-ed25519"), writer_slice(&whole),
					 SLICE("sundeW")));
	assert_false(
		ssh_user_key_verify(&key, SLICE("ssh-rsa"), writer_slice(&whole), SLICE("sundew")));
	ssh_user_key_read(slice_first(writer_slice(&blob), 40), &key);
	assert_false(key.known);
}

/* What a host key signs, the code for users' keys verifies: RSA, ECDSA, Ed25519. */
static void host_keys_sign_what_verifies(void **state)
{
	static const char *const algorithms[] = {"rsa-sha2-512", "rsa-sha2-256", "ssh-rsa",
						 "ecdsa-sha2-nistp256", "ssh-ed25519"};
	static const enum host_key_type types[] = {HOST_KEY_RSA, HOST_KEY_RSA, HOST_KEY_RSA,
						   HOST_KEY_ECDSA, HOST_KEY_ED25519};
	struct writer pem = writer_growing(65536);
	struct host_keys *keys;
	const char *why;

	assert_int_equal(host_keys_make(2048, &pem), 0);
	keys = host_keys_parse(writer_slice(&pem), &why);
	assert_non_null(keys);
	for (int round = 0; round < 3; round++) { /* contexts are kept between signatures */
		for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
			struct writer signature = writer_growing(4096);
			struct ssh_user_key key;

			assert_int_equal(host_keys_sign(keys, types[i], algorithms[i],
							SLICE("hash"), &signature),
					 0);
			ssh_user_key_read(host_keys_public(keys, types[i]), &key);
			assert_true(ssh_user_key_fits(&key, slice_text(algorithms[i])));
			assert_true(ssh_user_key_verify(&key, slice_text(algorithms[i]),
							writer_slice(&signature), SLICE("hash")));
			writer_free(&signature);
		}
	}
	host_keys_free(keys);
	assert_null(host_keys_parse(SLICE("nonsense"), &why));
	assert_null(host_keys_parse(slice_first(writer_slice(&pem), pem.length / 2), &why));
	writer_free(&pem);
}

/* Everything that a build offers is there. */
static void builds_offer_what_there_is(void **state)
{
	static const char *const names[] = {"9.2p1-debian12", "8.4p1-debian11", "6.0p1-debian7"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const struct ssh_build *build = ssh_build_named(names[i]);
		struct slice rest, name;

		assert_non_null(build);
		rest = slice_text(build->kex);
		while (wire_next_name(&rest, &name))
			assert_true(ssh_method_named(name) || slice_starts(name, "kex-strict"));
		rest = slice_text(build->ciphers);
		while (wire_next_name(&rest, &name))
			assert_non_null(ssh_cipher_named(name));
		rest = slice_text(build->macs);
		while (wire_next_name(&rest, &name))
			assert_non_null(ssh_mac_named(name));
	}
	assert_null(ssh_build_named("nonsense"));
}

static void wire_forms(void **state)
{
	uint8_t room[64];
	struct writer w = writer_fixed(room, sizeof(room));
	struct cursor c;

	wire_put_mpint(&w, SLICE("\0\0\x80"));
	wire_put_mpint(&w, SLICE("\0\x7f"));
	wire_put_mpint(&w, SLICE("\0\0"));
	check_hex(writer_slice(&w), "000000020080000000017f00000000");
	c = cursor_of(SLICE("\0\0\0\3ab\0"));
	assert_int_equal(wire_text(&c).length, 2);
	assert_false(c.failed);
	c = cursor_of(SLICE("\0\0\0\3a\0b"));
	(void)wire_text(&c);
	assert_true(c.failed);
	c = cursor_of(SLICE("\xff\xff\xff\xff"));
	(void)wire_string(&c);
	assert_true(c.failed);
	assert_true(slice_is(wire_choose(SLICE("x,b,a"), SLICE("a,b,c")), "b"));
	assert_int_equal(wire_choose(SLICE(""), SLICE("a")).length, 0);
	assert_int_equal(wire_choose(SLICE(",,"), SLICE("a,,b")).length, 0);
	assert_false(wire_list_has(SLICE("ab,c"), SLICE("a")));
}

static void groups_are_chosen_as_openssh_does(void **state)
{
	struct arena arena = arena_of(1 << 20);
	const char *source = getenv("SUNDEW_SOURCE");
	char share[4096];
	struct ssh_groups *groups;
	static const struct {
		unsigned minimum, wanted, maximum, bits;
	} cases[] = {{2048, 2048, 8192, 2048},
		     {2048, 2049, 8192, 3072},
		     {2048, 4096, 4096, 4096},
		     {8192, 8192, 8192, 8192},
		     {2048, 8192, 3072, 3072}};

	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	groups = ssh_groups_read(share, &arena);
	assert_non_null(groups);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct ssh_group group = ssh_group_choose(groups, cases[i].minimum, cases[i].wanted,
							  cases[i].maximum, i);

		assert_non_null(group.prime);
		assert_int_equal(BN_num_bits(group.prime), cases[i].bits);
		BN_free(group.prime);
	}
	arena_drop(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sntrup761_known_answer),
		cmocka_unit_test(chacha20_poly1305_known_answer),
		cmocka_unit_test(ciphers_round_trip),
		cmocka_unit_test(umac_known_answer),
		cmocka_unit_test(hmac_is_what_rfc_6668_says),
		cmocka_unit_test(user_key_and_signature),
		cmocka_unit_test(host_keys_sign_what_verifies),
		cmocka_unit_test(builds_offer_what_there_is),
		cmocka_unit_test(wire_forms),
		cmocka_unit_test(groups_are_chosen_as_openssh_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
