/* Answers in the style of nginx 1.22; see answer.h. */
#include "decoy/protocols/http/answer.h"

static const char *software(const struct http_exchange *x)
{
	return persona_text(session_persona(x->session), "http.server", "nginx/1.22.1");
}

/* Old Internet Explorer and Chrome replace short error pages by their own: nginx pads them. */
static bool wants_padding(const struct http_exchange *x)
{
	struct slice agent = http_head_value(x->head, "user-agent");
	size_t msie = slice_find(agent, SLICE("MSIE "));

	if (slice_find(agent, SLICE("Opera")) != SIZE_MAX)
		return false;
	if (msie != SIZE_MAX && msie + 7 < agent.length)
		return true;
	return slice_find(agent, SLICE("Gecko/")) == SIZE_MAX &&
	       slice_find(agent, SLICE("Chrome/")) != SIZE_MAX;
}

static void write_page(const struct http_exchange *x, const struct http_plan *plan,
		       struct writer *page)
{
	const char *reason = plan->status == 401   ? "Authorization Required"
			     : plan->status == 302 ? "Found"
						   : http_reason(HTTP_NGINX, plan->status);
	const char *note = plan->answer->note;

	if (note)
		writer_format(page, "<html>\r\n<head><title>400 %s</title></head>\r\n<body>\r\n",
			      note);
	else
		writer_format(page, "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n",
			      plan->status, reason);
	writer_format(page, "<center><h1>%d %s</h1></center>\r\n", plan->status, reason);
	if (note)
		writer_format(page, "<center>%s</center>\r\n", note);
	writer_format(page, "<hr><center>%s</center>\r\n</body>\r\n</html>\r\n", software(x));
	for (int i = 0; i < 6 && plan->status >= 400 && !x->simple && wants_padding(x); i++)
		writer_text(page,
			    "<!-- a padding to disable MSIE and Chrome friendly error page -->"
			    "\r\n");
}

static void write_extra(const struct http_exchange *x, const struct http_plan *plan,
			struct writer *out)
{
	const struct http_answer *answer = plan->answer;

	if (answer->cookie.length)
		writer_format(out, "Set-Cookie: %.*s\r\n", (int)answer->cookie.length,
			      (const char *)answer->cookie.at);
	if (plan->has_file) {
		writer_text(out, plan->gzip ? "ETag: W/" : "ETag: ");
		http_etag(out, HTTP_NGINX, answer->page);
		writer_text(out, "\r\n");
	}
	if (plan->gzip)
		writer_text(out, "Content-Encoding: gzip\r\n");
	if (plan->status == 401)
		writer_format(out, "WWW-Authenticate: Basic realm=\"%s\"\r\n", answer->realm);
	if (plan->status == 206)
		writer_format(out, "Content-Range: bytes %zu-%zu/%zu\r\n", plan->first, plan->last,
			      plan->whole);
	else if (plan->status == 416)
		writer_format(out, "Content-Range: bytes */%zu\r\n", plan->whole);
	else if (plan->has_file && plan->status == 200 && !plan->gzip)
		writer_text(out, "Accept-Ranges: bytes\r\n");
}

static void write_head(const struct http_exchange *x, const struct http_plan *plan,
		       struct writer *out, bool chunked)
{
	const struct http_answer *answer = plan->answer;
	bool head_only = slice_is(x->head->method, "HEAD");
	char date[30];

	clock_http(session_now(x->session), date);
	writer_format(out, "HTTP/1.1 %d %s\r\nServer: %s\r\nDate: %s\r\n", plan->status,
		      http_reason(HTTP_NGINX, plan->status), software(x), date);
	if (plan->status != 304) {
		if (plan->type)
			writer_format(out, "Content-Type: %s\r\n", plan->type);
		if (!chunked)
			writer_format(out, "Content-Length: %zu\r\n", plan->body.length);
	}
	if (plan->has_file) {
		clock_http(answer->page->modified, date);
		writer_format(out, "Last-Modified: %s\r\n", date);
	}
	if (answer->location.length && answer->status == 301)
		writer_format(out, "Location: %.*s\r\n", (int)answer->location.length,
			      (const char *)answer->location.at);
	if (chunked && !head_only)
		writer_text(out, "Transfer-Encoding: chunked\r\n");
	writer_format(out, "Connection: %s\r\n", x->keep_alive ? "keep-alive" : "close");
	/* What a program behind nginx adds comes after nginx's own. */
	if (answer->location.length && answer->status != 301)
		writer_format(out, "Location: %.*s\r\n", (int)answer->location.length,
			      (const char *)answer->location.at);
	write_extra(x, plan, out);
	writer_text(out, "\r\n");
}

void http_nginx_write(const struct http_exchange *x, const struct http_plan *original,
		      struct writer *out)
{
	struct http_plan plan = *original;
	struct writer page = writer_growing(4096), packed = writer_growing(8192);
	bool chunked;

	if (!plan.answer->is_dynamic && !plan.has_file && plan.status != 304) {
		write_page(x, &plan, &page);
		plan.type = "text/html";
		plan.body = writer_slice(&page);
		/* Errors that end the connection were found before gzip had its say. */
		plan.gzip = http_takes_gzip(x) && website_gzip_nginx(&packed, plan.body) == 0;
		if (plan.gzip)
			plan.body = writer_slice(&packed);
	}
	chunked = plan.gzip;
	if (!x->simple)
		write_head(x, &plan, out, chunked);
	if (!slice_is(x->head->method, "HEAD")) {
		if (chunked)
			writer_format(out, "%zx\r\n", plan.body.length);
		writer_bytes(out, plan.body);
		if (chunked)
			writer_text(out, "\r\n0\r\n\r\n");
	}
	writer_free(&page);
	writer_free(&packed);
}
