/* Answers in the style of Apache 2.4 on Debian; see answer.h. */
#include "decoy/protocols/http/answer.h"

#define BAD_REQUEST "Your browser sent a request that this server could not understand.<br />\n"

/* The sentence of each error page; %s is the method or the new address. */
static const struct {
	int status;
	const char *text;
} sentences[] = {
	{301, "The document has moved <a href=\"%s\">here</a>."},
	{302, "The document has moved <a href=\"%s\">here</a>."},
	{400, BAD_REQUEST},
	{401,
	 "This server could not verify that you\nare authorized to access the document\n"
	 "requested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\n"
	 "browser doesn't understand how to supply\nthe credentials required."},
	{403, "You don't have permission to access this resource."},
	{404, "The requested URL was not found on this server."},
	{405, "The requested method %s is not allowed for this URL."},
	{413,
	 "The requested resource does not allow request data with %s requests, or the amount of "
	 "data provided in\nthe request exceeds the capacity limit."},
	{414, "The requested URL's length exceeds the capacity\nlimit for this server.<br />\n"},
	{416, "None of the range-specifier values in the Range\nrequest-header field overlap the "
	      "current extent\nof the selected resource."},
	{417, "The expectation given in the Expect request-header\nfield could not be met by this "
	      "server.\nThe client sent<pre>\n    Expect: %s\n</pre>\n</p><p>Only the 100-continue "
	      "expectation is supported."},
	{501, "%s not supported for current URL.<br />\n"},
};

static const char *software(const struct http_exchange *x)
{
	return persona_text(session_persona(x->session), "http.server", "Apache/2.4.62 (Debian)");
}

static void write_lower(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.at[i];

		writer_u8(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
	}
}

static void write_escaped(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		switch (text.at[i]) {
		case '<':
			writer_text(out, "&lt;");
			break;
		case '>':
			writer_text(out, "&gt;");
			break;
		case '&':
			writer_text(out, "&amp;");
			break;
		case '"':
			writer_text(out, "&quot;");
			break;
		default:
			writer_u8(out, text.at[i]);
		}
	}
}

static void write_sentence(const struct http_exchange *x, const struct http_plan *plan,
			   struct writer *page)
{
	struct slice value = plan->status == 417  ? http_head_value(x->head, "expect")
			     : plan->status < 400 ? plan->answer->location
						  : x->head->method;

	for (size_t i = 0; i < ARRAY_COUNT(sentences); i++) {
		struct slice text = slice_text(sentences[i].text);
		size_t at = slice_find(text, SLICE("%s"));

		if (sentences[i].status != plan->status)
			continue;
		writer_bytes(page, slice_first(text, at));
		if (at != SIZE_MAX) {
			write_escaped(page, value);
			writer_bytes(page, slice_from(text, at + 2));
		}
	}
	if (plan->answer->note)
		writer_text(page, plan->answer->note);
}

static void write_page(const struct http_exchange *x, const struct http_plan *plan,
		       struct writer *page)
{
	const char *reason = http_reason(HTTP_APACHE, plan->status);
	bool named = x->host.length && !plan->answer->nameless;

	writer_format(page,
		      "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
		      "\"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n"
		      "<title>%d %s</title>\n</head><body>\n<h1>%s</h1>\n<p>",
		      plan->status, reason, reason);
	write_sentence(x, plan, page);
	writer_format(page, "</p>\n<hr>\n<address>%s Server at ", software(x));
	if (named)
		write_lower(page, x->host); /* its characters were judged: nothing to escape */
	else
		writer_text(page, persona_host_name(session_persona(x->session)));
	writer_format(page, " Port %u</address>\n</body></html>\n",
		      named                        ? http_server_port(x)
		      : session_in_tls(x->session) ? 443
						   : 80);
}

static void write_file(const struct http_plan *plan, struct writer *out)
{
	const struct website_page *page = plan->answer->page;
	char date[30];

	clock_http(page->modified, date);
	writer_format(out, "Last-Modified: %s\r\nETag: ", date);
	http_etag(out, HTTP_APACHE, page);
	if (plan->gzip) {
		out->length--; /* the suffix stands inside the quotes */
		writer_text(out, "-gzip\"");
	}
	writer_text(out, "\r\nAccept-Ranges: bytes\r\n");
}

static void write_connection(const struct http_exchange *x, struct writer *out)
{
	bool asked = http_head_lists(x->head, "connection", "keep-alive");

	if (!x->keep_alive)
		writer_text(out, "Connection: close\r\n");
	else if (asked)
		writer_format(out, "Keep-Alive: timeout=5, max=%u\r\nConnection: Keep-Alive\r\n",
			      x->requests < 100 ? 100 - x->requests : 0);
}

static void write_answer_headers(const struct http_plan *plan, struct writer *out)
{
	const struct http_answer *answer = plan->answer;

	if (answer->location.length)
		writer_format(out, "Location: %.*s\r\n", (int)answer->location.length,
			      (const char *)answer->location.at);
	if (answer->cookie.length)
		writer_format(out, "Set-Cookie: %.*s\r\n", (int)answer->cookie.length,
			      (const char *)answer->cookie.at);
	if (plan->status == 401)
		writer_format(out, "WWW-Authenticate: Basic realm=\"%s\"\r\n", answer->realm);
	if (answer->allow)
		writer_format(out, "Allow: %s\r\n", answer->allow);
}

static void write_head(const struct http_exchange *x, const struct http_plan *plan,
		       struct writer *out, bool is_error)
{
	bool vary = plan->has_file && plan->status < 300 && plan->answer->page->apache_gzip.length;
	bool lengthless = plan->status == 304 || plan->status == 416 || plan->answer->lengthless ||
			  (is_error && slice_is(x->head->method, "HEAD"));
	char date[30];

	clock_http(session_now(x->session), date);
	writer_format(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: %s\r\n", plan->status,
		      http_reason(HTTP_APACHE, plan->status), date, software(x));
	write_answer_headers(plan, out);
	if (plan->has_file)
		write_file(plan, out);
	if (vary && plan->gzip)
		writer_text(out, "Vary: Accept-Encoding\r\n");
	if (plan->gzip)
		writer_text(out, "Content-Encoding: gzip\r\n");
	if (!lengthless)
		writer_format(out, "Content-Length: %zu\r\n", plan->body.length);
	if (vary && !plan->gzip)
		writer_text(out, "Vary: Accept-Encoding\r\n");
	if (plan->status == 206)
		writer_format(out, "Content-Range: bytes %zu-%zu/%zu\r\n", plan->first, plan->last,
			      plan->whole);
	write_connection(x, out);
	if (plan->status == 416 && x->keep_alive)
		writer_text(out, "Transfer-Encoding: chunked\r\n");
	if (plan->type && plan->status != 304)
		writer_format(out, "Content-Type: %s\r\n", plan->type);
	writer_text(out, "\r\n");
}

void http_apache_write(const struct http_exchange *x, const struct http_plan *original,
		       struct writer *out)
{
	struct http_plan plan = *original;
	struct writer page = writer_growing(32 * 1024);
	bool is_error = false, chunked;

	if (plan.status == 412 && plan.answer->page) {
		plan.has_file = true;
		plan.body = slice_of(NULL, 0);
	} else if (!plan.answer->is_dynamic && !plan.has_file && plan.status != 304) {
		write_page(x, &plan, &page);
		plan.type = "text/html; charset=iso-8859-1";
		plan.body = writer_slice(&page);
		is_error = true;
	}
	chunked = plan.status == 416 && x->keep_alive;
	if (!x->simple)
		write_head(x, &plan, out, is_error);
	if (!slice_is(x->head->method, "HEAD")) {
		if (chunked)
			writer_format(out, "%zx\r\n", plan.body.length);
		writer_bytes(out, plan.body);
		if (chunked)
			writer_text(out, "\r\n0\r\n\r\n");
	}
	writer_free(&page);
}
