/* A flood of SSH sessions: log-in with a password, one command, its output, the end.
 *
 *     ssh_bench PORT USER PASSWORD SESSIONS PARALLEL COMMAND
 *
 * curve25519-sha256, ssh-ed25519 (not verified), aes128-ctr, hmac-sha2-256. Prints sessions,
 * seconds, median and 99th percentile in milliseconds, and failures. tests/bench/run_ssh puts the
 * server's processor time beside it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "decoy/protocols/ssh/cipher.h"
#include "decoy/protocols/ssh/mac.h"
#include "decoy/protocols/ssh/wire.h"

#define VERSION  "SSH-2.0-OpenSSH_9.2p1 bench"
#define ROOM     ((size_t)256 * 1024)
#define KEY      32
#define PATIENCE 60000 /* milliseconds without any news */

static const char *const lists[] = {
	"curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256",
	"hmac-sha2-256",     "none",        "none",       "",           ""};

struct way {
	void *cipher, *mac;
	uint32_t sequence;
};

struct client {
	int socket;
	int64_t started;
	struct writer in, out, own_kexinit, server_kexinit, server_version;
	EVP_PKEY *key;
	uint8_t share[KEY];
	uint8_t first[16];
	uint32_t length;
	struct way sends, hears;
	bool identified, logged_in, done, failed;
};

struct bench {
	const struct ssh_cipher *cipher;
	const struct ssh_mac *mac;
	struct ssh_primitives *primitives;
	EVP_PKEY_CTX *maker;
	const char *user, *password, *command;
	uint16_t port;
	int epoll;
	unsigned wanted, started, ended, failed;
	double *times;
	unsigned timed;
};

/* --- packets --- */

static struct writer begin(uint8_t type)
{
	struct writer w = writer_growing(ROOM);

	writer_u32be(&w, 0);
	writer_u8(&w, 0);
	writer_u8(&w, type);
	return w;
}

static void finish(const struct bench *bench, struct client *client, struct writer *w)
{
	size_t block = client->sends.cipher ? 16 : 8, padding = block - w->length % block;
	uint8_t tag[32];

	if (padding < 4)
		padding += block;
	for (size_t i = 0; i < padding; i++)
		writer_u8(w, 0);
	w->at[2] = (uint8_t)((w->length - 4) >> 8);
	w->at[3] = (uint8_t)(w->length - 4);
	w->at[4] = (uint8_t)padding;
	if (client->sends.cipher) {
		ssh_mac_compute(bench->mac, client->sends.mac, client->sends.sequence,
				writer_slice(w), tag);
		bench->cipher->crypt(client->sends.cipher, w->at, w->at, w->length);
		writer_bytes(w, slice_of(tag, sizeof(tag)));
	}
	client->sends.sequence++;
	writer_bytes(&client->out, writer_slice(w));
	writer_free(w);
}

static void send_kexinit(const struct bench *bench, struct client *client)
{
	struct writer w = begin(20);
	uint8_t cookie[16];

	random_bytes(cookie, sizeof(cookie));
	writer_bytes(&w, slice_of(cookie, sizeof(cookie)));
	for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
		wire_put_text(&w, lists[i]);
	writer_u8(&w, 0);
	writer_u32be(&w, 0);
	writer_bytes(&client->own_kexinit, slice_from(writer_slice(&w), 5));
	finish(bench, client, &w);
}

static void send_share(const struct bench *bench, struct client *client)
{
	struct writer w = begin(30);
	size_t length = KEY;

	if (EVP_PKEY_generate(bench->maker, &client->key) != 1 ||
	    EVP_PKEY_get_raw_public_key(client->key, client->share, &length) != 1)
		fatal("cannot make a key");
	wire_put_string(&w, slice_of(client->share, KEY));
	finish(bench, client, &w);
}

/* --- keys --- */

static void hash_string(struct sha256_ctx *ctx, struct slice s)
{
	uint8_t length[4] = {(uint8_t)(s.length >> 24), (uint8_t)(s.length >> 16),
			     (uint8_t)(s.length >> 8), (uint8_t)s.length};

	sha256_update(ctx, 4, length);
	sha256_update(ctx, s.length, s.at);
}

static void derive(struct slice secret, const uint8_t hash[32], char letter, uint8_t out[32])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, secret.length, secret.at);
	sha256_update(&ctx, 32, hash);
	sha256_update(&ctx, 1, (const uint8_t *)&letter);
	sha256_update(&ctx, 32, hash);
	sha256_digest(&ctx, 32, out);
}

static void set_up(const struct bench *bench, struct way *way, struct slice secret,
		   const uint8_t hash[32], const char letters[3], bool encrypts)
{
	uint8_t iv[32], key[32], mac_key[32];

	derive(secret, hash, letters[0], iv);
	derive(secret, hash, letters[1], key);
	derive(secret, hash, letters[2], mac_key);
	way->cipher = ssh_cipher_new(bench->cipher, bench->primitives, key, iv, encrypts);
	way->mac = ssh_mac_new(bench->mac, mac_key);
}

static bool take_reply(const struct bench *bench, struct client *client, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	struct slice host_key = wire_string(&c), share = wire_string(&c);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share.at, KEY);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(client->key, NULL);
	uint8_t shared[KEY], hash[32], room[KEY + 8];
	struct writer secret = writer_fixed(room, sizeof(room)), w = begin(21);
	size_t length = KEY;
	struct sha256_ctx hashing;

	if (c.failed || !peer || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1 || EVP_PKEY_derive(ctx, shared, &length) != 1)
		return false;
	wire_put_mpint(&secret, slice_of(shared, KEY));
	sha256_init(&hashing);
	hash_string(&hashing, SLICE(VERSION));
	hash_string(&hashing, writer_slice(&client->server_version));
	hash_string(&hashing, writer_slice(&client->own_kexinit));
	hash_string(&hashing, writer_slice(&client->server_kexinit));
	hash_string(&hashing, host_key);
	hash_string(&hashing, slice_of(client->share, KEY));
	hash_string(&hashing, share);
	sha256_update(&hashing, secret.length, secret.at);
	sha256_digest(&hashing, 32, hash);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	finish(bench, client, &w);
	set_up(bench, &client->sends, writer_slice(&secret), hash, "ACE", true);
	set_up(bench, &client->hears, writer_slice(&secret), hash, "BDF", false);
	return true;
}

/* --- the course --- */

static void ask_service(const struct bench *bench, struct client *client)
{
	struct writer w = begin(5);

	wire_put_text(&w, "ssh-userauth");
	finish(bench, client, &w);
}

static void log_in(const struct bench *bench, struct client *client)
{
	struct writer w = begin(50);

	wire_put_text(&w, bench->user);
	wire_put_text(&w, "ssh-connection");
	wire_put_text(&w, "password");
	writer_u8(&w, 0);
	wire_put_text(&w, bench->password);
	finish(bench, client, &w);
}

static void open_channel(const struct bench *bench, struct client *client)
{
	struct writer w = begin(90);

	wire_put_text(&w, "session");
	writer_u32be(&w, 0);
	writer_u32be(&w, 1 << 21);
	writer_u32be(&w, 1 << 15);
	finish(bench, client, &w);
}

static void run_command(const struct bench *bench, struct client *client)
{
	struct writer w = begin(98);

	writer_u32be(&w, 0);
	wire_put_text(&w, "exec");
	writer_u8(&w, 1);
	wire_put_text(&w, bench->command);
	finish(bench, client, &w);
}

static void take_payload(const struct bench *bench, struct client *client, struct slice payload)
{
	struct slice rest = slice_from(payload, 1);
	struct writer w;

	switch (payload.at[0]) {
	case 20:
		writer_bytes(&client->server_kexinit, payload);
		send_share(bench, client);
		break;
	case 31:
		client->failed = !take_reply(bench, client, rest);
		break;
	case 21: /* keys are in use from here on */
		ask_service(bench, client);
		break;
	case 6:
		log_in(bench, client);
		break;
	case 51:
		client->failed = true;
		break;
	case 52:
		open_channel(bench, client);
		break;
	case 91:
		run_command(bench, client);
		break;
	case 97:
		w = begin(97);
		writer_u32be(&w, 0);
		finish(bench, client, &w);
		client->done = true;
		break;
	case 1:
	case 92:
	case 100:
		client->failed = true;
		break;
	default:
		break;
	}
}

static bool take_packet(const struct bench *bench, struct client *client)
{
	/* The keys of our hearing are made at 31, but NEWKEYS itself still comes in the clear. */
	bool clear = !client->hears.cipher || !client->logged_in;
	size_t block = clear ? 8 : 16, total;
	uint8_t *at = client->in.at;

	if (client->in.length < block)
		return false;
	if (!client->length) {
		if (!clear)
			bench->cipher->crypt(client->hears.cipher, at, at, block);
		client->length = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
				 (uint32_t)at[2] << 8 | at[3];
	}
	total = 4 + client->length + (clear ? 0 : 32);
	if (client->length > ROOM / 2)
		fatal("a packet is too long");
	if (client->in.length < total)
		return false;
	if (!clear)
		bench->cipher->crypt(client->hears.cipher, at + block, at + block,
				     4 + client->length - block);
	if (at[5] == 21)
		client->logged_in = true;
	take_payload(bench, client, slice_of(at + 5, client->length - 1 - at[4]));
	client->length = 0;
	writer_consume(&client->in, total);
	return true;
}

static void take_input(const struct bench *bench, struct client *client)
{
	if (!client->identified) {
		size_t end = slice_find_byte(writer_slice(&client->in), '\n');

		if (end == SIZE_MAX)
			return;
		writer_bytes(&client->server_version, slice_of(client->in.at, end - 1));
		writer_consume(&client->in, end + 1);
		client->identified = true;
		writer_text(&client->out, VERSION "\r\n");
		send_kexinit(bench, client);
	}
	while (!client->done && !client->failed && take_packet(bench, client))
		;
}

/* --- sockets --- */

static void start(struct bench *bench)
{
	struct client *client = calloc(1, sizeof(*client));
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(bench->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event watch = {.events = EPOLLIN, .data.ptr = client};
	int on = 1;

	if (!client)
		fatal("out of memory");
	client->in = client->out = client->own_kexinit = client->server_kexinit =
		client->server_version = writer_growing(ROOM);
	client->started = clock_monotonic();
	client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&to, sizeof(to)) < 0)
		fatal("cannot connect: %m");
	setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(client->socket, F_SETFL, O_NONBLOCK);
	epoll_ctl(bench->epoll, EPOLL_CTL_ADD, client->socket, &watch);
	bench->started++;
}

static void end(struct bench *bench, struct client *client)
{
	struct linger now = {1, 0}; /* no TIME_WAIT of ours: the flood would run out of ports */

	bench->ended++;
	if (client->done)
		bench->times[bench->timed++] =
			(double)(clock_monotonic() - client->started) / MILLISECOND;
	else
		bench->failed++;
	setsockopt(client->socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(client->socket);
	ssh_cipher_free(bench->cipher, client->sends.cipher);
	ssh_cipher_free(bench->cipher, client->hears.cipher);
	ssh_mac_free(bench->mac, client->sends.mac);
	ssh_mac_free(bench->mac, client->hears.mac);
	EVP_PKEY_free(client->key);
	writer_free(&client->in);
	writer_free(&client->out);
	writer_free(&client->own_kexinit);
	writer_free(&client->server_kexinit);
	writer_free(&client->server_version);
	free(client);
}

static void on_readable(struct bench *bench, struct client *client)
{
	static uint8_t room[65536];
	ssize_t got = recv(client->socket, room, sizeof(room), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		end(bench, client);
		return;
	}
	writer_bytes(&client->in, slice_of(room, (size_t)got));
	take_input(bench, client);
	if (client->out.length &&
	    send(client->socket, client->out.at, client->out.length, MSG_NOSIGNAL) < 0)
		client->failed = true;
	writer_clear(&client->out);
	if (client->done || client->failed)
		end(bench, client);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(struct bench *bench, unsigned parallel)
{
	struct epoll_event events[256];

	while (bench->ended < bench->wanted) {
		while (bench->started < bench->wanted && bench->started - bench->ended < parallel)
			start(bench);
		int count = epoll_wait(bench->epoll, events, ARRAY_COUNT(events), PATIENCE);

		if (count <= 0)
			fatal("the server is silent");
		for (int i = 0; i < count; i++)
			on_readable(bench, events[i].data.ptr);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {.cipher = ssh_cipher_named(SLICE("aes128-ctr")),
			      .mac = ssh_mac_named(SLICE("hmac-sha2-256")),
			      .primitives = ssh_primitives_new(),
			      .maker = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL)};
	int64_t before;

	if (argc != 7)
		fatal("usage: ssh_bench PORT USER PASSWORD SESSIONS PARALLEL COMMAND");
	bench.port = (uint16_t)strtoul(argv[1], NULL, 10);
	bench.user = argv[2];
	bench.password = argv[3];
	bench.wanted = (unsigned)strtoul(argv[4], NULL, 10);
	bench.command = argv[6];
	bench.epoll = epoll_create1(EPOLL_CLOEXEC);
	bench.times = calloc(bench.wanted + 1, sizeof(*bench.times));
	if (!bench.times || !bench.maker || EVP_PKEY_keygen_init(bench.maker) != 1)
		fatal("out of memory");
	before = clock_monotonic();
	run(&bench, (unsigned)strtoul(argv[5], NULL, 10));
	qsort(bench.times, bench.timed, sizeof(*bench.times), by_size);
	printf("%u %.3f %.2f %.2f %u\n", bench.timed, (double)(clock_monotonic() - before) / SECOND,
	       bench.timed ? bench.times[bench.timed / 2] : 0,
	       bench.timed ? bench.times[bench.timed * 99 / 100] : 0, bench.failed);
	free(bench.times);
	EVP_PKEY_CTX_free(bench.maker);
	ssh_primitives_free(bench.primitives);
	return bench.failed != 0;
}
