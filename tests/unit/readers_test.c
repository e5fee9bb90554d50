/* Readers of applications: the same findings however the bytes are cut, and fingerprints of
 * handshakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "capture/application.h"
#include "capture/fingerprint/p0f.h"
#include "capture/fingerprint/tls_fingerprint.h"

/* What a reader offered, as text: NAME=bytes; one line for each side of a transaction. */
struct seen {
	struct application_context context; /* first */
	struct wants wants;
	struct arena scratch;
	char text[16384];
	struct writer out;
	unsigned inspections;
};

static void inspect(struct application_context *context, enum direction direction,
		    uint64_t transaction, const struct findings *findings)
{
	struct seen *seen = (struct seen *)context;

	seen->inspections++;
	writer_format(&seen->out, "%c%llu", direction == TO_SERVER ? '>' : '<',
		      (unsigned long long)transaction);
	for (size_t i = 0; i < findings->buffer_count; i++) {
		writer_format(&seen->out,
			      " %s=", buffer_descriptions[findings->buffers[i].id].name);
		writer_printable(&seen->out, findings->buffers[i].bytes);
	}
	writer_u8(&seen->out, '\n');
}

static void tell(struct application_context *context, struct event *event)
{
}

static void become(struct application_context *context, enum application_id application)
{
}

static void start(struct seen *seen, const enum buffer_id *wanted, size_t count)
{
	memset(seen, 0, sizeof(*seen));
	for (size_t i = 0; i < count; i++)
		seen->wants.buffers[wanted[i] / 64] |= (uint64_t)1 << (wanted[i] % 64);
	seen->scratch = arena_of(4 * 1024 * 1024);
	seen->out = writer_fixed(seen->text, sizeof(seen->text) - 1);
	seen->context = (struct application_context){.wants = &seen->wants,
						     .scratch = &seen->scratch,
						     .inspect = inspect,
						     .tell = tell,
						     .become = become};
}

/* Feeds one side, in pieces of that size, keeping what is not used as the streams do. */
static void feed(const struct application *reader, void *state, struct seen *seen,
		 enum direction direction, struct slice bytes, size_t piece)
{
	size_t start_at = 0, end = 0;

	while (end < bytes.length) {
		size_t used;
		uint8_t *copy;

		end = end + piece < bytes.length ? end + piece : bytes.length;
		/* A copy of the exact size, so that the sanitizer sees every step too far. */
		copy = malloc(end - start_at);
		assert_non_null(copy);
		memcpy(copy, bytes.at + start_at, end - start_at);
		used = reader->input(state, &seen->context, direction,
				     slice_of(copy, end - start_at), false);
		assert_true(used <= end - start_at);
		start_at += used;
		free(copy);
		arena_drop(&seen->scratch);
	}
	(void)reader->input(state, &seen->context, direction, slice_from(bytes, start_at), true);
	arena_drop(&seen->scratch);
}

static const char *play(const struct application *reader, struct seen *seen,
			const enum buffer_id *wanted, size_t count, struct slice to_server,
			struct slice to_client, size_t piece)
{
	void *state = calloc(1, reader->state_size);

	assert_non_null(state);
	start(seen, wanted, count);
	feed(reader, state, seen, TO_SERVER, to_server, piece);
	feed(reader, state, seen, TO_CLIENT, to_client, piece);
	if (reader->finish)
		reader->finish(state, &seen->context);
	if (reader->drop)
		reader->drop(state);
	free(state);
	arena_drop(&seen->scratch);
	seen->text[seen->out.length] = '\0';
	return seen->text;
}

static void test_http(void **state)
{
	static const enum buffer_id wanted[] = {BUFFER_HTTP_METHOD, BUFFER_HTTP_URI,
						BUFFER_HTTP_HOST,   BUFFER_HTTP_HEADER,
						BUFFER_HTTP_COOKIE, BUFFER_HTTP_REQUEST_BODY,
						BUFFER_HTTP_STATUS, BUFFER_FILE};
	struct slice requests =
		SLICE("GET /a/../b//%63?q=%20 HTTP/1.1\r\nHost: EXAMPLE.org:80\r\n"
		      "Cookie: c=1\r\nX: 1\r\n\r\n"
		      "POST http://h/p HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n"
		      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
		      "HEAD / HTTP/1.0\r\n\r\n");
	struct slice answers = SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
				     "HTTP/1.1 100 Continue\r\n\r\n"
				     "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
				     "4\r\nwhat\r\n0\r\n\r\n"
				     "HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n");
	struct seen whole, cut;

	play(application_of(APPLICATION_HTTP), &whole, wanted, ARRAY_COUNT(wanted), requests,
	     answers, 100000);
	assert_string_equal(
		whole.text,
		">0 http.method=GET http.uri=/b/c?q=  http.host=example.org "
		"http.header=Host: EXAMPLE.org:80\\x0d\\x0aX: 1\\x0d\\x0a\\x0d\\x0a "
		"http.cookie=c=1\n"
		">1 http.method=POST http.uri=/p http.host=h http.request_body=abcde "
		"file.data=abcde http.header=Host: h\\x0d\\x0aTransfer-Encoding: "
		"chunked\\x0d\\x0a\\x0d\\x0a\n"
		">2 http.method=HEAD http.uri=/ http.header=\\x0d\\x0a\n"
		"<0 http.stat_code=200 file.data=hi http.header=Content-Length: "
		"2\\x0d\\x0a\\x0d\\x0a\n"
		"<1 http.stat_code=100 http.header=\\x0d\\x0a\n"
		"<1 http.stat_code=404 file.data=what http.header=Transfer-Encoding: "
		"chunked\\x0d\\x0a\\x0d\\x0a\n"
		"<2 http.stat_code=200 http.header=Content-Length: 99\\x0d\\x0a\\x0d\\x0a\n");
	for (size_t piece = 1; piece < 40; piece++)
		assert_string_equal(play(application_of(APPLICATION_HTTP), &cut, wanted,
					 ARRAY_COUNT(wanted), requests, answers, piece),
				    whole.text);
}

static void test_http_compressed(void **state)
{
	static const enum buffer_id wanted[] = {BUFFER_FILE};
	static const char text[] = "the body of the answer, the body of the answer";
	uint8_t packed[256], answer[512];
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)text,
			   .avail_in = sizeof(text) - 1,
			   .next_out = packed,
			   .avail_out = sizeof(packed)};
	struct writer w = writer_fixed(answer, sizeof(answer));
	struct seen seen;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	writer_format(&w,
		      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
		      (unsigned long)stream.total_out);
	writer_bytes(&w, slice_of(packed, stream.total_out));
	deflateEnd(&stream);
	play(application_of(APPLICATION_HTTP), &seen, wanted, 1, SLICE("GET / HTTP/1.1\r\n\r\n"),
	     writer_slice(&w), 7);
	assert_string_equal(seen.text,
			    ">0\n<0 file.data=the body of the answer, the body of the answer\n");
}

static void test_dns(void **state)
{
	static const enum buffer_id wanted[] = {BUFFER_DNS_QUERY, BUFFER_DNS_ANSWER};
	struct slice query = SLICE("\x00\x1d"
				   "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				   "\x03www\x07"
				   "example\x00\x00\x01\x00\x01"
				   /* a pointer that leads to itself */
				   "\x00\x12"
				   "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				   "\xc0\x0c\x00\x01\x00\x01");
	struct seen whole, cut;

	play(application_of(APPLICATION_DNS), &whole, wanted, 2, query, slice_of("", 0), 1000);
	assert_string_equal(whole.text, ">0 dns.query=www.example\n>1\n");
	for (size_t piece = 1; piece < 20; piece++)
		assert_string_equal(play(application_of(APPLICATION_DNS), &cut, wanted, 2, query,
					 slice_of("", 0), piece),
				    whole.text);
}

static void test_ssh(void **state)
{
	static const enum buffer_id wanted[] = {BUFFER_SSH_SOFTWARE, BUFFER_HASSH_STRING};
	uint8_t packet[256];
	struct writer w = writer_fixed(packet, sizeof(packet));
	struct seen seen;

	writer_text(&w, "SSH-2.0-Test_1.0\r\n");
	writer_u32be(&w, 1 + 1 + 16 + 10 * 5 + 5);
	writer_u8(&w, 0);
	writer_u8(&w, 20);
	writer_bytes(&w, SLICE("0123456789abcdef"));
	for (int i = 0; i < 10; i++) {
		writer_u32be(&w, 1);
		writer_u8(&w, (uint8_t)('a' + i));
	}
	writer_bytes(&w, SLICE("\0\0\0\0\0"));
	for (size_t piece = 1; piece < 60; piece++)
		assert_string_equal(play(application_of(APPLICATION_SSH), &seen, wanted, 2,
					 writer_slice(&w), slice_of("", 0), piece),
				    ">0 ssh.software=Test_1.0 ssh.hassh.string=a;c;e;g\n");
}

/* An Initial packet with that much of a ClientHello, sealed with the keys that RFC 9001 gives in
 * its appendix A.1 for this connection id: what the reader derives must be the same. */
static size_t seal_initial(uint8_t *out, size_t capacity, uint32_t number, size_t offset,
			   struct slice hello)
{
	static const uint8_t key[] =
		"\x1f\x36\x96\x13\xdd\x76\xd5\x46\x77\x30\xef\xcb\xe3\xb1\xa2\x2d";
	static const uint8_t nonce_base[] = "\xfa\x04\x4b\x2f\x42\xa3\xfd\x3b\x46\xfb\x25\x5c";
	static const uint8_t header_key[] =
		"\x9f\x50\x44\x9e\x04\xa0\xe8\x10\x28\x3a\x1e\x99\x33\xad\xed\xd2";
	uint8_t plain[600] = {0}, nonce[12], mask[16];
	struct writer frames = writer_fixed(plain, sizeof(plain)), w = writer_fixed(out, capacity);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	size_t number_at;
	int length = 0;

	assert_non_null(context);
	writer_u8(&frames, 1); /* ping */
	writer_u8(&frames, 6);
	writer_u16be(&frames, (uint16_t)(0x4000 | offset));
	writer_u16be(&frames, (uint16_t)(0x4000 | hello.length));
	writer_bytes(&frames, hello);
	writer_u8(&w, 0xc3);
	writer_u32be(&w, 1);
	writer_u8(&w, 8);
	writer_bytes(&w, SLICE("\x83\x94\xc8\xf0\x3e\x51\x57\x08"));
	writer_u16be(&w, 0); /* no source id, no token */
	writer_u16be(&w, (uint16_t)(0x4000 | (4 + sizeof(plain) + 16)));
	number_at = w.length;
	writer_u32be(&w, number);
	memcpy(nonce, nonce_base, sizeof(nonce));
	nonce[11] ^= (uint8_t)number;
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(context, NULL, &length, out, (int)w.length), 1);
	assert_int_equal(EVP_EncryptUpdate(context, out + w.length, &length, plain, sizeof(plain)),
			 1);
	writer_commit(&w, sizeof(plain));
	assert_int_equal(EVP_EncryptFinal_ex(context, mask, &length), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out + w.length), 1);
	writer_commit(&w, 16);
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, header_key, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(context, mask, &length, out + number_at + 4, 16), 1);
	EVP_CIPHER_CTX_free(context);
	out[0] ^= mask[0] & 0x0f;
	for (size_t i = 0; i < 4; i++)
		out[number_at + i] ^= mask[1 + i];
	return w.length;
}

static void test_quic(void **state)
{
	static const enum buffer_id wanted[] = {BUFFER_TLS_SNI, BUFFER_TLS_ALPN};
	const struct application *quic = application_of(APPLICATION_QUIC);
	uint8_t hello[256], datagram[1200];
	struct writer w = writer_fixed(hello, sizeof(hello));
	void *memory = calloc(1, quic->state_size);
	struct seen seen;
	size_t length;

	assert_non_null(memory);
	writer_bytes(&w, SLICE("\x01\x00\x00\x00\x03\x03"));
	writer_bytes(&w, SLICE("01234567890123456789012345678901"));
	writer_bytes(&w, SLICE("\x00\x00\x02\x13\x01\x01\x00\x00\x19"));
	writer_bytes(&w, SLICE("\x00\x00\x00\x0c\x00\x0a\x00\x00\x07"
			       "example"));
	writer_bytes(&w, SLICE("\x00\x10\x00\x05\x00\x03\x02h3"));
	hello[3] = (uint8_t)(w.length - 4);
	start(&seen, wanted, ARRAY_COUNT(wanted));
	/* The second half first. */
	length = seal_initial(datagram, sizeof(datagram), 1, 30,
			      slice_of(hello + 30, w.length - 30));
	assert_int_equal(quic->recognise(slice_of(datagram, length), TO_SERVER, 443),
			 RECOGNISED_YES);
	quic->input(memory, &seen.context, TO_SERVER, slice_of(datagram, length), false);
	assert_int_equal(seen.inspections, 0);
	length = seal_initial(datagram, sizeof(datagram), 0, 0, slice_of(hello, 30));
	/* A byte changed on the way: nothing of it counts. */
	datagram[length - 1] ^= 1;
	quic->input(memory, &seen.context, TO_SERVER, slice_of(datagram, length), false);
	assert_int_equal(seen.inspections, 0);
	datagram[length - 1] ^= 1;
	quic->input(memory, &seen.context, TO_SERVER, slice_of(datagram, length), false);
	seen.text[seen.out.length] = '\0';
	assert_string_equal(seen.text, ">0 tls.alpn=h3 tls.sni=example\n");
	/* Cut anywhere: nothing read beyond it. */
	for (size_t cut = 0; cut < length; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		assert_non_null(copy);
		memcpy(copy, datagram, cut);
		(void)quic->recognise(slice_of(copy, cut), TO_SERVER, 443);
		quic->input(memory, &seen.context, TO_SERVER, slice_of(copy, cut), false);
		free(copy);
	}
	quic->drop(memory);
	free(memory);
	arena_drop(&seen.scratch);
}

/* Any bytes to any reader, in pieces and with gaps: nothing read beyond them, no endless loop. */
static void test_garbage(void **state)
{
	static const char *const beginnings[] = {
		"GET / HTTP/1.1\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"\x16\x03\x01\x01\x00\x01",
		"SSH-2.0-x\r\n",
		"USER x\r\n",
		"INVITE sip:x SIP/2.0\r\n"};
	enum buffer_id all[BUFFER_COUNT];
	uint64_t random = 88172645463325252u;
	unsigned inspections = 0;

	for (enum buffer_id i = 0; i < BUFFER_COUNT; i++)
		all[i] = i;
	for (size_t r = 0; applications[r]; r++) {
		for (unsigned round = 0; round < 1500; round++) {
			const char *begin = beginnings[round % ARRAY_COUNT(beginnings)];
			uint8_t bytes[256];
			struct slice input;
			struct seen seen;
			void *memory = calloc(1, applications[r]->state_size);
			size_t length = strlen(begin);

			assert_non_null(memory);
			memcpy(bytes, begin, length);
			for (size_t i = length; i < sizeof(bytes); i++) {
				random ^= random << 13;
				random ^= random >> 7;
				random ^= random << 17;
				bytes[i] = round & 1 ? (uint8_t)random
						     : (uint8_t) "\r\n \0\x01:a0"[random % 8];
			}
			input = slice_of(bytes, sizeof(bytes) - random % 64);
			start(&seen, all, BUFFER_COUNT);
			feed(applications[r], memory, &seen, TO_SERVER, input, 1 + random % 40);
			if (applications[r]->gap)
				applications[r]->gap(memory, &seen.context, TO_CLIENT,
						     random % 1000);
			feed(applications[r], memory, &seen, TO_CLIENT, input, 1 + random % 40);
			if (applications[r]->finish)
				applications[r]->finish(memory, &seen.context);
			if (applications[r]->drop)
				applications[r]->drop(memory);
			inspections += seen.inspections;
			arena_drop(&seen.scratch);
			free(memory);
		}
	}
	assert_true(inspections > 1000);
}

static struct tcp_print print_of(uint8_t ttl, uint16_t window, const char *options, size_t length)
{
	struct packet packet = {.version = 4,
				.ttl = ttl,
				.dont_fragment = true,
				.ip_id = 1,
				.transport = TRANSPORT_TCP,
				.flags = TCP_SYN,
				.sequence = 5,
				.window = window,
				.transport_header = {(const uint8_t *)options, 20 + length},
				.tcp_options = {(const uint8_t *)options, length}};
	struct tcp_print print;

	tcp_print_of(&print, &packet, 0);
	return print;
}

static void test_p0f(void **state)
{
	static const char signatures[] =
		"; ours\n"
		"classes = unix\n"
		"[mtu]\nlabel = Ethernet\nsig = 1500\n"
		"[tcp:request]\n"
		"label = g:unix:Test:any\nsig = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0\n"
		"label = s:unix:Test:1.0\nsig = *:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0\n"
		"[tcp:response]\n";
	static const char options[] =
		"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x09\0\0\0\0\x01\x03\x03\x07";
	struct tcp_print exact = print_of(57, 29200, options, 20);
	struct tcp_print other = print_of(57, 1111, options, 20);
	struct tcp_print broken = print_of(57, 29200, "\x02\x05\x05\xb4", 4);
	char why[160], text[TCP_PRINT_MAX];
	struct writer w = writer_fixed(text, sizeof(text));
	struct p0f *p0f = p0f_read(slice_text(signatures), why);
	struct p0f_match match;

	assert_non_null(p0f);
	tcp_print_text(&exact, &w);
	assert_true(
		slice_is(writer_slice(&w), "4:57+7:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"));
	writer_clear(&w);
	tcp_print_muonfp(&exact, &w);
	assert_true(slice_is(writer_slice(&w), "29200:2-4-8-1-3:1460:7"));
	match = p0f_find(p0f, &exact);
	assert_string_equal(match.label, "Test 1.0");
	assert_false(match.generic);
	assert_int_equal(match.distance, 7);
	assert_string_equal(match.link, "Ethernet");
	match = p0f_find(p0f, &other);
	assert_string_equal(match.label, "Test any");
	assert_true(match.generic);
	exact.ttl = 128; /* too far away for 64: only by and large */
	match = p0f_find(p0f, &exact);
	assert_true(match.fuzzy);
	match = p0f_find(p0f, &broken);
	assert_null(match.label);
	assert_true(broken.quirks & QUIRK_BAD);
	p0f_free(p0f);
	assert_null(p0f_read(SLICE("[tcp:request]\nlabel = s:unix:a:b\nsig = 4:64:x\n"), why));
	assert_string_equal(why, "line 3: a signature has eight fields");
}

static void test_scanners(void **state)
{
	struct packet packet = {.version = 4,
				.transport = TRANSPORT_TCP,
				.flags = TCP_SYN,
				.destination = address_v4(0xc0000201),
				.sequence = 0xc0000201,
				.window = 1024};
	struct tcp_print print;

	tcp_print_of(&print, &packet, 0);
	assert_string_equal(scanner_of(&packet, &print), "mirai");
	packet.sequence++;
	assert_null(scanner_of(&packet, &print));
	packet.ip_id = 54321;
	assert_string_equal(scanner_of(&packet, &print), "zmap");
}

static void test_ja4_is_bounded(void **state)
{
	uint8_t body[2048];
	struct writer w = writer_fixed(body, sizeof(body));
	struct tls_hello hello;
	char text[JA4_MAX], room[JA3_TEXT_MAX], hash[JA3_HASH_MAX];
	struct writer ja3 = writer_fixed(room, sizeof(room));

	writer_u16be(&w, 0x0303);
	writer_bytes(&w, SLICE("01234567890123456789012345678901"));
	writer_u8(&w, 0);
	writer_u16be(&w, 4);
	writer_u32be(&w, 0x0a0a1301); /* GREASE and one cipher */
	writer_u16be(&w, 0x0100);
	writer_u16be(&w, 9 + 7);
	writer_bytes(&w, SLICE("\x00\x2b\x00\x05\x04\x1a\x1a\x03\x04"));
	writer_bytes(&w, SLICE("\x00\x10\x00\x03\x00\x01\x00"));
	assert_int_equal(tls_hello_read(&hello, writer_slice(&w), false), 0);
	ja4_client(&hello, 't', text);
	assert_memory_equal(text, "t13i010200_", 11);
	ja3_client(&hello, &ja3, hash);
	assert_true(slice_is(writer_slice(&ja3), "771,4865,43-16,,"));
	for (size_t length = 0; length < w.length; length++)
		(void)!tls_hello_read(&hello, slice_first(writer_slice(&w), length), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_compressed),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_quic),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_p0f),
		cmocka_unit_test(test_scanners),
		cmocka_unit_test(test_ja4_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
