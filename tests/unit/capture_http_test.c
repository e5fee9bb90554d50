/* HTTP for the rules: what is a message, what its buffers hold, odd messages read as browsers do.
 */
#include "capture_reader.h"

#include <zlib.h>

static const char *const start[] = {
	"http.method",   "http.uri", "http.uri.raw", "http.stat_code", "http.host",
	"http.host.raw", NULL};
static const char *const bodies[] = {"http.request_body", "file.name", "file.data", NULL};
static const char *const heads[] = {
	"http.header",          "http.header_names", "http.request_line",
	"http.response_line",   "http.cookie",       "http.request_header",
	"http.response_header", "http.start",        NULL};

static void requests_and_answers_in_a_row(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("GET /a HTTP/1.1\r\nHost: X.Example:8080\r\n\r\n"
			    "HEAD /b HTTP/1.1\r\nHost: x\r\n\r\n"
			    "POST /c%41//d/./e/../f?q=%20 HTTP/1.1\r\nHost: x\r\n"
			    "Content-Length: 3\r\n\r\nabc"),
		SAYS_SERVER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
			    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
			    "HTTP/1.1 100 Continue\r\n\r\n"
			    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
	};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, start, steps,
		   "> 0 http.method=GET\n> 0 http.uri=/a\n> 0 http.uri.raw=/a\n"
		   "> 0 http.host.raw=X.Example:8080\n> 0 http.host=x.example\n"
		   "> 0 urilen:2\n> 0 urilen.raw:2\n"
		   "> 1 http.method=HEAD\n> 1 http.uri=/b\n> 1 http.uri.raw=/b\n"
		   "> 1 http.host.raw=x\n> 1 http.host=x\n> 1 urilen:2\n> 1 urilen.raw:2\n"
		   "> 2 http.method=POST\n> 2 http.uri=/cA/d/f?q= \n"
		   "> 2 http.uri.raw=/c%41//d/./e/../f?q=%20\n"
		   "> 2 http.host.raw=x\n> 2 http.host=x\n"
		   "> 2 urilen:11\n> 2 urilen.raw:23\n> 2 filesize:3\n"
		   "< 0 http.stat_code=200\n< 0 filesize:2\n"
		   "< 1 http.stat_code=200\n"
		   "< 2 http.stat_code=100\n"
		   "< 2 http.stat_code=404\n");
}

static void what_headers_look_like(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT(
			"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nX-Y:  one\r\n\ttwo\r\n\r\n"),
		SAYS_SERVER("HTTP/1.1 200 OK\nServer: s\nContent-Length: 0\n\n"),
	};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, heads, steps,
		   "> 0 http.request_line=GET / HTTP/1.1\n"
		   "> 0 http.header=Host: x\\x0d\\x0aX-Y: one two\\x0d\\x0a\\x0d\\x0a\n"
		   "> 0 http.header_names=\\x0d\\x0aHost\\x0d\\x0aCookie\\x0d\\x0aX-Y\\x0d\\x0a"
		   "\\x0d\\x0a\n"
		   "> 0 http.start=GET / HTTP/1.1\\x0d\\x0aHost: x\\x0d\\x0aCookie: a=b\\x0d\\x0a"
		   "X-Y:  one\\x0d\\x0a\\x09two\\x0d\\x0a\\x0d\\x0a\n"
		   "> 0 http.request_header=Host: x\n> 0 http.request_header=Cookie: a=b\n"
		   "> 0 http.request_header=X-Y: one two\n"
		   "> 0 http.cookie=a=b\n> 0 urilen:1\n> 0 urilen.raw:1\n"
		   "< 0 http.response_line=HTTP/1.1 200 OK\n"
		   "< 0 http.header=Server: s\\x0d\\x0aContent-Length: 0\\x0d\\x0a\\x0d\\x0a\n"
		   "< 0 http.header_names=\\x0d\\x0aServer\\x0d\\x0aContent-Length\\x0d\\x0a"
		   "\\x0d\\x0a\n"
		   "< 0 http.start=HTTP/1.1 200 OK\\x0d\\x0aServer: s\\x0aContent-Length: 0\\x0a"
		   "\\x0a\n"
		   "< 0 http.response_header=Server: s\n"
		   "< 0 http.response_header=Content-Length: 0\n");
}

static void chunks(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			    "3\r\nabc\r\n4 ; x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n"),
		SAYS_SERVER("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			    "2,\r\nhi\r\n000\r\n\r\n"),
	};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, bodies, steps,
		   "> 0 http.request_body=abcdefg\n> 0 file.name=up\n> 0 file.data=abcdefg\n"
		   "> 0 urilen:3\n> 0 urilen.raw:3\n> 0 filesize:7\n"
		   "> 0 !http.request_chunk_extension\n"
		   "< 0 file.name=up\n< 0 file.data=hi\n< 0 filesize:2\n");
}

/* What http-evader tries (noxxi.de): each has to give the same body. */
static void odd_answers(void **state)
{
	static const char *const odd[] = {
		"HTTP/1.1 200 OK\rContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\rX: y\rTransfer-Encoding: chunked\r\r\n\n4\r\nabcd\r\n0\r\n\r\n",
		"\0 \t\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
		" rubbish\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\n\rContent-Length: 4\n\r\r\nabcd",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\n \nabcd",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\n \n\nabcd",
		"HTTP/1.1 200 OK\r\nX: y\r\n \r\n\tTransfer-Encoding: chunked\r\n\r\n"
		"4\r\nabcd\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: y\r\n\r\r\nContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n \r\n "
		"chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nabcd",
	};

	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		/* One of them has a NUL at its start. */
		size_t length = odd[i][0] ? strlen(odd[i]) : 1 + strlen(odd[i] + 1);
		const struct play_step steps[] = {
			SAYS_CLIENT("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"),
			{TO_CLIENT, odd[i], length, 0},
		};

		PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP,
			   ((const char *const[]){"file.data", NULL}), steps,
			   "> 0 urilen:2\n> 0 urilen.raw:2\n< 0 file.data=abcd\n< 0 filesize:4\n");
	}
}

static size_t deflated(uint8_t *out, size_t size, int window, const void *in, size_t length)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)length;
	z.next_out = out;
	z.avail_out = (uInt)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static void compressed_bodies(void **state)
{
	static const struct {
		const char *name;
		int window;
	} ways[] = {{"gzip", 31}, {"deflate", 15}, {"deflate", -15}, {"x-gzip", 31}};

	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		uint8_t packed[200], room[600];
		size_t length = deflated(packed, sizeof(packed), ways[i].window, "hello hello", 11);
		struct writer w = writer_fixed(room, sizeof(room));
		struct play_step steps[] = {
			SAYS_CLIENT("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"),
			{TO_CLIENT, (const char *)room, 0, 0},
		};

		writer_format(
			&w,
			"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
			ways[i].name, length);
		writer_bytes(&w, slice_of(packed, length));
		steps[1].length = w.length;
		PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP,
			   ((const char *const[]){"file.data", NULL}), steps,
			   "> 0 urilen:2\n> 0 urilen.raw:2\n< 0 file.data=hello hello\n"
			   "< 0 filesize:11\n");
	}
}

/* A megabyte of nothing in a kilobyte: no more of it is made than may be looked at. */
static void a_bomb(void **state)
{
	static uint8_t zeros[1 << 20], packed[8192];
	size_t length = deflated(packed, sizeof(packed), 31, zeros, sizeof(zeros));
	uint8_t room[9000];
	struct writer w = writer_fixed(room, sizeof(room));
	struct play play;

	writer_format(&w,
		      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\n"
		      "Content-Length: %zu\r\n\r\n",
		      length);
	writer_bytes(&w, slice_of(packed, length));
	assert_false(w.failed);
	play_start(&play, APPLICATION_HTTP, TRANSPORT_TCP,
		   (const char *const[]){"file.data", NULL});
	play_bytes(&play, TO_CLIENT, writer_slice(&w), w.length);
	assert_non_null(strstr(play_end(&play), "< 0 filesize:102400\n"));
	play_free(&play);
}

static void files_in_forms(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("POST /up.cgi HTTP/1.1\r\nHost: x\r\nContent-Length: 171\r\n"
			    "Content-Type: multipart/form-data; boundary=xx\r\n\r\n"
			    "--xx\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue\r\n"
			    "--xx\r\nContent-Disposition: form-data; name=b; filename=\"s.php\"\r\n"
			    "Content-Type: x/y\r\n\r\n<?php\r\n\r\n--xx--\r\n"),
	};
	const char *const wanted[] = {"file.name", "file.data", NULL};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, steps,
		   "> 0 file.name=s.php\n> 0 file.data=<?php\\x0d\\x0a\n"
		   "> 0 urilen:7\n> 0 urilen.raw:7\n> 0 filesize:7\n");
}

static void tunnels_and_old_requests(void **state)
{
	const struct play_step tunnel[] = {
		SAYS_CLIENT("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"),
		SAYS_SERVER("HTTP/1.1 200 Connection established\r\n\r\n"),
		SAYS_CLIENT("GET /inside HTTP/1.0\r\n\r\n"),
	};
	const struct play_step old[] = {
		SAYS_CLIENT("GET /old\r\n\r\n"),
		SAYS_SERVER("<html>hi"),
	};
	const char *const wanted[] = {"http.uri.raw", "http.protocol", "file.data", NULL};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, tunnel,
		   "> 0 http.uri.raw=a.example:443\n> 0 http.protocol=HTTP/1.1\n"
		   "> 0 urilen:13\n> 0 urilen.raw:13\n< 0 http.protocol=HTTP/1.1\n"
		   "> 1 http.uri.raw=/inside\n> 1 http.protocol=HTTP/1.0\n> 1 urilen:7\n"
		   "> 1 urilen.raw:7\n");
	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, old,
		   "> 0 http.uri.raw=/old\n> 0 http.protocol=HTTP/0.9\n> 0 urilen:4\n"
		   "> 0 urilen.raw:4\n> 0 !http.request_line_missing_protocol\n"
		   "< 0 http.protocol=<html>hi\n< 0 file.data=<html>hi\n< 0 filesize:8\n");
}

static void a_gap_inside_a_body(void **state)
{
	const struct play_step steps[] = {
		SAYS_SERVER("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
		LOST_SERVER(90),
		SAYS_SERVER("defghijHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
	};
	const char *const wanted[] = {"http.stat_code", "file.data", NULL};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, steps,
		   "< 0 http.stat_code=200\n< 0 file.data=abcdefghij\n< 0 filesize:100\n"
		   "< 1 http.stat_code=404\n");
}

static void only_what_is_wanted(void **state)
{
	const struct play_step steps[] = {SAYS_CLIENT("GET / HTTP/1.1\r\nHost: x\r\n\r\n")};
	const char *const wanted[] = {NULL};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, steps,
		   "> 0 urilen:1\n> 0 urilen.raw:1\n");
}

static void agents_are_told_once(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: zgrab\r\n\r\n"
			    "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: zgrab\r\n\r\n"),
	};
	const char *const wanted[] = {"http.user_agent", NULL};

	PLAY_CHECK(APPLICATION_HTTP, TRANSPORT_TCP, wanted, steps,
		   "* client.fingerprint\n"
		   "> 0 http.user_agent=zgrab\n> 0 urilen:1\n> 0 urilen.raw:1\n"
		   "> 1 http.user_agent=zgrab\n> 1 urilen:1\n> 1 urilen.raw:1\n");
}

static void a_body_is_cut(void **state)
{
	static char body[APPLICATION_BODY_MAX + 1000];
	char head[100];
	struct play play;
	const char *said;

	for (int more = -1; more <= 1; more++) {
		size_t length = (size_t)(APPLICATION_BODY_MAX + more);

		memset(body, 'x', sizeof(body));
		(void)snprintf(head, sizeof(head),
			       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", length);
		play_start(&play, APPLICATION_HTTP, TRANSPORT_TCP,
			   (const char *const[]){"http.request_body", NULL});
		play_bytes(&play, TO_SERVER, slice_text(head), 50);
		play_bytes(&play, TO_SERVER, slice_of(body, length), 5000);
		play_bytes(&play, TO_SERVER, SLICE("GET /next HTTP/1.1\r\nHost: x\r\n\r\n"), 50);
		said = play_end(&play);
		assert_int_equal(strchr(said, '\n') - said - (long)strlen("> 0 http.request_body="),
				 more < 0 ? length : APPLICATION_BODY_MAX);
		assert_non_null(strstr(said, "> 1 urilen:5\n"));
		play_free(&play);
	}
}

static void garbage(void **state)
{
	play_garbage(APPLICATION_HTTP, TRANSPORT_TCP,
		     SLICE("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
			   "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
			   "30\r\n--x\r\nContent-Disposition: x; filename=y\r\n\r\n--x--\r\n"));
	play_garbage(APPLICATION_HTTP, TRANSPORT_TCP,
		     SLICE("HTTP/1.1 200 OK\r\rA: b\rContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_answers_in_a_row),
		cmocka_unit_test(what_headers_look_like),
		cmocka_unit_test(chunks),
		cmocka_unit_test(odd_answers),
		cmocka_unit_test(compressed_bodies),
		cmocka_unit_test(a_bomb),
		cmocka_unit_test(files_in_forms),
		cmocka_unit_test(tunnels_and_old_requests),
		cmocka_unit_test(a_gap_inside_a_body),
		cmocka_unit_test(only_what_is_wanted),
		cmocka_unit_test(agents_are_told_once),
		cmocka_unit_test(a_body_is_cut),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
