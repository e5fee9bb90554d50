/* HTTP heads and bodies: splits, limits, targets, forms, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decoy/protocols/http/body.h"
#include "decoy/protocols/http/uri.h"

static const char *const heads[] = {
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"\r\n\r\nGET /a?b HTTP/1.0\nA: b\n\n",
	"GET /robots.txt\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
	"GET http://[::1]:80/x HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET / HTTP/3.0\r\n\r\n",
	"get / HTTP/1.1\r\n\r\n",
	"GET /%zz HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\n: x\r\n\r\n",
	"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
	"HELLO\r\n\r\n",
	"\x16\x03\x01\x00\x05hello",
	"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
};

static enum http_progress scan_all(struct slice bytes, enum http_dialect dialect,
				   struct http_scan *scan)
{
	memset(scan, 0, sizeof(*scan));
	return http_scan(scan, dialect, bytes);
}

/* Offered byte by byte, a head ends where it ends as a whole, with the same verdict. */
static void test_every_split_equals_whole(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		for (enum http_dialect dialect = HTTP_NGINX; dialect <= HTTP_GO; dialect++) {
			struct slice bytes = slice_of(heads[i], strlen(heads[i]));
			struct http_scan whole, pieces = {0};
			enum http_progress expected = scan_all(bytes, dialect, &whole);
			enum http_progress got = HTTP_MORE;

			for (size_t n = 1; n <= bytes.length && got == HTTP_MORE; n++)
				got = http_scan(&pieces, dialect, slice_first(bytes, n));
			assert_int_equal(got, expected);
			assert_int_equal(pieces.at, whole.at);
			assert_int_equal(pieces.fault, whole.fault);
		}
	}
}

/* A request line of this many bytes with its end, and then the end of the head. */
static enum http_progress scan_line(size_t length, enum http_dialect dialect,
				    struct http_scan *scan)
{
	struct writer w = writer_growing(100000);
	enum http_progress progress;

	writer_text(&w, "GET /");
	while (w.length < length - 11)
		writer_u8(&w, 'a');
	writer_text(&w, " HTTP/1.1\r\nHost: x\r\n\r\n");
	progress = scan_all(writer_slice(&w), dialect, scan);
	writer_free(&w);
	return progress;
}

static void test_line_limits(void **state)
{
	struct http_scan scan;

	assert_int_equal(scan_line(HTTP_LARGE_BUFFER - 1, HTTP_NGINX, &scan), HTTP_COMPLETE);
	assert_int_equal(scan_line(HTTP_LARGE_BUFFER, HTTP_NGINX, &scan), HTTP_COMPLETE);
	assert_int_equal(scan_line(HTTP_LARGE_BUFFER + 1, HTTP_NGINX, &scan), HTTP_FAULTY);
	assert_int_equal(scan.fault, HTTP_LINE_TOO_LONG);
	assert_int_equal(scan_line(HTTP_APACHE_LINE_MAX + 1, HTTP_APACHE, &scan), HTTP_COMPLETE);
	assert_int_equal(scan_line(HTTP_APACHE_LINE_MAX + 2, HTTP_APACHE, &scan), HTTP_COMPLETE);
	assert_int_equal(scan_line(HTTP_APACHE_LINE_MAX + 3, HTTP_APACHE, &scan), HTTP_FAULTY);
	assert_int_equal(scan.fault, HTTP_LINE_TOO_LONG);
}

static enum http_progress scan_headers(size_t count, enum http_dialect dialect,
				       struct http_scan *scan, struct http_head *head)
{
	struct writer w = writer_growing(100000);
	enum http_progress progress;

	writer_text(&w, "GET / HTTP/1.1\r\n");
	for (size_t i = 0; i < count; i++)
		writer_text(&w, "A: b\r\n");
	writer_text(&w, "\r\n");
	progress = scan_all(writer_slice(&w), dialect, scan);
	http_head_split(head, writer_slice(&w));
	writer_free(&w);
	return progress;
}

static void test_header_limits(void **state)
{
	struct http_head *head = malloc(sizeof(*head));
	struct http_scan scan;

	for (size_t n = HTTP_APACHE_HEADERS_MAX - 1; n <= HTTP_APACHE_HEADERS_MAX; n++)
		assert_int_equal(scan_headers(n, HTTP_APACHE, &scan, head), HTTP_COMPLETE);
	assert_int_equal(scan_headers(HTTP_APACHE_HEADERS_MAX + 1, HTTP_APACHE, &scan, head),
			 HTTP_FAULTY);
	assert_int_equal(scan.fault, HTTP_TOO_MANY_HEADERS);
	for (size_t n = HTTP_HEADERS_MAX - 1; n <= HTTP_HEADERS_MAX + 1; n++) {
		assert_int_equal(scan_headers(n, HTTP_NGINX, &scan, head), HTTP_COMPLETE);
		assert_int_equal(head->count, n < HTTP_HEADERS_MAX ? n : HTTP_HEADERS_MAX);
	}
	free(head);
}

static void test_head_limit(void **state)
{
	uint8_t *bytes = malloc(HTTP_HEAD_MAX + 1);
	struct http_scan scan;

	memset(bytes, 'a', HTTP_HEAD_MAX + 1);
	assert_int_equal(scan_all(slice_of(bytes, HTTP_HEAD_MAX - 1), HTTP_GO, &scan), HTTP_MORE);
	assert_int_equal(scan_all(slice_of(bytes, HTTP_HEAD_MAX), HTTP_GO, &scan), HTTP_FAULTY);
	assert_int_equal(scan_all(slice_of(bytes, HTTP_HEAD_MAX + 1), HTTP_GO, &scan), HTTP_FAULTY);
	free(bytes);
}

static void test_split_keeps_odd_bytes(void **state)
{
	struct http_head *head = malloc(sizeof(*head));

	http_head_split(head,
			SLICE("GET  /a b  HTTP/1.1\nHost : x\r\nA:b\r\n\tc\r\nbad\r\n\r\nrest"));
	assert_true(slice_is(head->method, "GET"));
	assert_true(slice_is(head->target, "/a b"));
	assert_true(slice_is(head->version, "HTTP/1.1"));
	assert_int_equal(head->count, 3);
	assert_true(slice_is(head->headers[0].name, "Host"));
	assert_true(slice_is(head->headers[1].value, "b\r\n\tc"));
	assert_true(slice_is(head->headers[2].line, "bad"));
	assert_true(head->folded);
	free(head);
}

static void expect_path(const char *path, enum http_dialect dialect, const char *expected)
{
	uint8_t room[256];
	struct writer out = writer_fixed(room, sizeof(room));
	int result = http_path_decode(&out, slice_text(path), dialect);

	assert_int_equal(result, expected ? 0 : -1);
	if (expected)
		assert_true(slice_is(writer_slice(&out), expected));
}

static void test_paths(void **state)
{
	expect_path("/", HTTP_NGINX, "/");
	expect_path("/a//b/./c/../d", HTTP_NGINX, "/a/b/d");
	expect_path("/a/..", HTTP_NGINX, "/");
	expect_path("/a/.%2e/b%20c", HTTP_NGINX, "/b c");
	expect_path("/css%2fx", HTTP_NGINX, "/css/x");
	expect_path("/..", HTTP_NGINX, NULL);
	expect_path("/%2e%2e/%2e%2e/etc/passwd", HTTP_NGINX, NULL);
	expect_path("/%", HTTP_NGINX, NULL);
	expect_path("/%zz", HTTP_APACHE, NULL);
	expect_path("/a%00", HTTP_NGINX, NULL);
	expect_path("/...", HTTP_NGINX, "/...");
}

static void test_forms_and_base64(void **state)
{
	uint8_t room[64];
	struct writer out = writer_fixed(room, sizeof(room));

	assert_true(http_form_field(&out, SLICE("a=1&user=x%40y+z&pass"), "user"));
	assert_true(slice_is(writer_slice(&out), "x@y z"));
	writer_clear(&out);
	assert_true(http_form_field(&out, SLICE("a=1&pass"), "pass"));
	assert_int_equal(out.length, 0);
	assert_false(http_form_field(&out, SLICE("a=1"), "b"));
	assert_int_equal(http_base64_decode(&out, SLICE("YWRtaW46c2VjcmV0")), 0);
	assert_true(slice_is(writer_slice(&out), "admin:secret"));
	writer_clear(&out);
	assert_int_equal(http_base64_decode(&out, SLICE("YWI=")), 0);
	assert_true(slice_is(writer_slice(&out), "ab"));
	assert_int_equal(http_base64_decode(&out, SLICE("!!!")), -1);
	assert_int_equal(http_base64_decode(&out, SLICE("Y")), -1);
}

/* The content of a chunked body, offered in pieces of `step` bytes as a session does. */
static enum http_progress unchunk(struct slice bytes, size_t step, struct writer *out)
{
	struct http_body body = {.framing = HTTP_CHUNKED};
	size_t used = 0, given = 0;
	enum http_progress progress = HTTP_MORE;

	while (progress == HTTP_MORE && given < bytes.length) {
		struct slice rest, piece;
		size_t before;

		given = given + step < bytes.length ? given + step : bytes.length;
		rest = slice_from(slice_first(bytes, given), used);
		do {
			before = rest.length;
			progress = http_body_take(&body, &rest, &piece);
			writer_bytes(out, piece);
		} while (progress == HTTP_MORE && rest.length && rest.length < before);
		used = given - rest.length;
	}
	return progress;
}

static void test_chunked(void **state)
{
	struct slice wire = SLICE("3;x=y\r\nabc\r\nA\n0123456789\n0\r\nT: u\r\n\r\n");
	uint8_t room[64];

	for (size_t step = 1; step <= wire.length; step++) {
		struct writer out = writer_fixed(room, sizeof(room));

		assert_int_equal(unchunk(wire, step, &out), HTTP_COMPLETE);
		assert_true(slice_is(writer_slice(&out), "abc0123456789"));
	}
	struct writer out = writer_fixed(room, sizeof(room));

	assert_int_equal(unchunk(SLICE("zz\r\n"), 1, &out), HTTP_FAULTY);
	assert_int_equal(unchunk(SLICE("3\r\nabcd\r\n"), 9, &out), HTTP_FAULTY);
	assert_int_equal(unchunk(SLICE("fffffffffffffffff\r\n"), 19, &out), HTTP_FAULTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split_equals_whole),
		cmocka_unit_test(test_line_limits),
		cmocka_unit_test(test_header_limits),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_split_keeps_odd_bytes),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_forms_and_base64),
		cmocka_unit_test(test_chunked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
