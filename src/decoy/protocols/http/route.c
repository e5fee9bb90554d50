/* Choosing answers; see route.h. */
#include <stdio.h>

#include "base/hash.h"
#include "decoy/protocols/http/record.h"
#include "decoy/protocols/http/route.h"
#include "decoy/protocols/http/uri.h"

#define ADMIN           "/admin/"
#define LOGIN           "/login"
#define INTRANET        "/intranet"
#define COOKIE          "sid"
#define NONCE           8
#define FIELD_MAX       512
#define ASPX            ".aspx"
#define IIS_URL_MAX     4096     /* maxUrl, maxQueryString, maxAllowedContentLength: past them it */
#define IIS_QUERY_MAX   2048     /* is 404 */
#define IIS_BODY_MAX    30000000 /* bytes */
#define NAME_MAX_APACHE 255      /* a longer file name is an error to the file system: 403 */

static void refuse(struct http_request *request, int status)
{
	request->answer.status = status;
}

/* --- the host that the client names --- */

static bool host_is_fine(struct slice host, enum http_dialect dialect)
{
	for (size_t i = 0; i < host.length; i++) {
		uint8_t c = host.at[i];

		if (c <= ' ' || c == 0x7f || c == '/' || c == '\\')
			return false;
		if (dialect == HTTP_APACHE && strchr("<>\"'#?@^`{|}", c))
			return false;
	}
	return slice_find(host, SLICE("..")) == SIZE_MAX;
}

static bool take_host(struct http_request *request)
{
	struct http_exchange *x = &request->exchange;
	size_t count;
	const struct http_header *header = http_head_find(request->head, "host", &count);
	struct slice rest = header ? header->value : slice_of(NULL, 0);
	struct http_uri uri;

	http_uri_split(&uri, request->head->target);
	x->host = uri.host;
	x->port = uri.port;
	if (count > 1 || !host_is_fine(rest, x->dialect))
		return false;
	if (rest.length == 0 && request->head->minor == 1)
		return false;
	if (slice_is(request->head->method, "CONNECT"))
		rest = request->head->target;
	if (uri.host.length)
		return true;
	if (rest.length && rest.at[0] == '[') {
		x->host = rest;
	} else {
		slice_next(&rest, ':', &x->host);
		x->port = rest;
	}
	return true;
}

static bool wants_keep_alive(const struct http_head *head)
{
	if (head->simple || http_head_lists(head, "connection", "close"))
		return false;
	return head->minor >= 1 || http_head_lists(head, "connection", "keep-alive");
}

/* --- pages --- */

static void show(struct http_request *request, const char *name)
{
	const struct website_page *page = website_find(request->options->website, slice_text(name));

	if (!page) {
		refuse(request, 404);
		return;
	}
	request->answer.status = 200;
	request->answer.is_dynamic = true;
	request->answer.type = "text/html; charset=utf-8";
	request->answer.body = page->body;
}

static void redirect(struct http_request *request, int status, const char *path)
{
	request->answer.status = status;
	request->answer.is_dynamic = true;
	request->answer.type = "text/html; charset=utf-8";
	request->answer.location = slice_text(path);
}

/* A cookie that only we can make, good for the address that it was given to: nothing is stored. */
static void cookie_value(const struct http_request *request, const uint8_t nonce[NONCE],
			 struct writer *out)
{
	struct session *session = request->exchange.session;
	const struct address *source = &session_peer(session)->address;
	uint8_t bytes[NONCE + sizeof(source->bytes)];
	uint64_t key[2], mark;

	persona_derive(session_persona(session), "http.cookie", key, sizeof(key));
	memcpy(bytes, nonce, NONCE);
	memcpy(bytes + NONCE, source->bytes, sizeof(source->bytes));
	mark = hash_sip(key, slice_of(bytes, sizeof(bytes)));
	writer_hex(out, slice_of(nonce, NONCE));
	writer_hex(out, slice_of(&mark, sizeof(mark)));
}

static bool has_cookie(const struct http_request *request)
{
	struct slice rest = http_head_value(request->head, "cookie"), item, key = {NULL, 0};
	uint8_t nonce[NONCE], room[64];

	while (slice_next(&rest, ';', &item)) {
		struct writer expected = writer_fixed(room, sizeof(room));

		item = slice_trim(item);
		slice_next(&item, '=', &key);
		if (!slice_is(key, COOKIE) ||
		    slice_unhex(slice_first(item, 2 * NONCE), nonce, NONCE) != NONCE)
			continue;
		cookie_value(request, nonce, &expected);
		if (slice_equal(item, writer_slice(&expected)))
			return true;
	}
	return false;
}

static bool first_field(struct writer *out, struct slice form, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		if (http_form_field(out, form, names[i]))
			return true;
	}
	return false;
}

void http_route_form(struct http_request *request, struct slice form)
{
	static const char *const users[] = {"username", "user", "login", "email",
					    "log",      "name", NULL};
	static const char *const passwords[] = {"password", "pass", "passwd", "pwd", NULL};
	struct session *session = request->exchange.session;
	struct writer out = writer_fixed(request->text, sizeof(request->text));
	uint8_t user_room[FIELD_MAX], password_room[FIELD_MAX], nonce[NONCE];
	struct writer user = writer_fixed(user_room, sizeof(user_room));
	struct writer password = writer_fixed(password_room, sizeof(password_room));
	struct session_login login = {.method = "form"};

	request->needs_body = false;
	if (!first_field(&user, form, users) | !first_field(&password, form, passwords)) {
		show(request, "/_login.html");
		return;
	}
	login.user = writer_slice(&user);
	login.password = writer_slice(&password);
	if (!session_login(session, &login).allowed) {
		show(request, "/_invalid.html");
		return;
	}
	session_random(session, nonce, sizeof(nonce));
	writer_text(&out, COOKIE "=");
	cookie_value(request, nonce, &out);
	writer_text(&out, "; Path=/; HttpOnly");
	redirect(request, 302, INTRANET);
	request->answer.cookie = writer_slice(&out);
}

/* What programs behind the server answer; false when the path is none of theirs. */
static bool route_program(struct http_request *request, struct slice path)
{
	struct slice method = request->head->method;
	bool reads = slice_is(method, "GET") || slice_is(method, "HEAD");

	if (slice_is(path, LOGIN) &&
	    website_find(request->options->website, SLICE("/_login.html"))) {
		if (slice_is(method, "POST"))
			request->needs_body = true;
		else if (reads)
			show(request, "/_login.html");
		return reads || request->needs_body;
	}
	if (!slice_is(path, INTRANET) || !reads)
		return false;
	if (has_cookie(request))
		show(request, "/_intranet.html");
	else
		redirect(request, 302, LOGIN);
	return true;
}

static void route_location(struct http_request *request, struct slice path, struct http_uri *uri)
{
	struct http_exchange *x = &request->exchange;
	struct writer out = writer_fixed(request->text, sizeof(request->text));
	bool tls = session_in_tls(x->session);
	unsigned port = http_server_port(x);

	writer_text(&out, tls ? "https://" : "http://");
	if (x->host.length)
		writer_bytes(&out, x->host);
	else
		writer_text(&out, persona_host_name(session_persona(x->session)));
	if (port != (tls ? 443 : 80))
		writer_format(&out, ":%u", port);
	writer_bytes(&out, path);
	if (uri->has_query) {
		writer_u8(&out, '?');
		writer_bytes(&out, uri->query);
	}
	request->answer.location = writer_slice(&out);
	refuse(request, 301);
}

/* The page of a folder, whose path has room for more; the path is then that page's. */
static const struct website_page *find_index(struct http_request *request, struct writer *path)
{
	static const char *const names[] = {"default.htm", "index.htm", "index.html",
					    "iisstart.htm"};
	const struct website *website = request->options->website;
	const struct website_page *page = NULL;
	size_t length = path->length;

	if (request->exchange.dialect != HTTP_IIS) {
		writer_text(path, "index.html");
		return path->failed ? NULL : website_find(website, writer_slice(path));
	}
	for (size_t i = 0; !page && i < ARRAY_COUNT(names); i++) {
		path->length = length;
		writer_text(path, names[i]);
		page = path->failed ? NULL : website_find(website, writer_slice(path));
	}
	return page;
}

static bool has_long_name(struct slice path)
{
	struct slice name;

	while (slice_next(&path, '/', &name)) {
		if (name.length > NAME_MAX_APACHE)
			return true;
	}
	return false;
}

static bool is_hidden(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && name[1] == '_';
}

/* The file of this path; else 301, 403, 404. `path` has room for more. */
static void route_file(struct http_request *request, struct writer *path, struct http_uri *uri)
{
	const struct website *website = request->options->website;
	struct slice name = writer_slice(path);
	size_t length = name.length;
	bool folder = length && name.at[length - 1] == '/';
	const struct website_page *page;

	page = folder ? find_index(request, path) : website_find(website, name);
	if (page && !is_hidden(page->path)) {
		request->answer.page = page;
		refuse(request, 200);
		return;
	}
	refuse(request, 404);
	if (folder) {
		if (length == 1 || website_is_folder(website, slice_first(name, length)))
			refuse(request, 403);
		return;
	}
	writer_u8(path, '/');
	if (!path->failed && website_is_folder(website, writer_slice(path)))
		route_location(request, writer_slice(path), uri);
	else if (request->exchange.dialect == HTTP_APACHE && has_long_name(name))
		refuse(request, 403);
}

static bool admin_refuses(struct http_request *request, struct slice path)
{
	if (!request->authorized)
		request->was_authorized =
			http_record_authorization(request->exchange.session, request->head);
	request->authorized = true;
	if (!slice_starts(path, ADMIN) || request->was_authorized)
		return false;
	request->answer.realm = persona_text(session_persona(request->exchange.session),
					     "http.realm", "Restricted");
	refuse(request, 401);
	return true;
}

/* --- nginx --- */

static void route_nginx(struct http_request *request)
{
	struct slice method = request->head->method;
	uint8_t room[HTTP_LARGE_BUFFER + 16];
	struct writer path = writer_fixed(room, sizeof(room));
	bool posts = slice_is(method, "POST");
	struct http_uri uri;

	http_uri_split(&uri, request->head->target);
	if (slice_is(method, "TRACE") || slice_is(method, "CONNECT")) {
		request->exchange.keep_alive = false;
		refuse(request, 405);
	} else if (http_path_decode(&path, uri.path, HTTP_NGINX) < 0) {
		request->exchange.keep_alive = false;
		refuse(request, 400);
	} else if (request->body.framing == HTTP_LENGTH &&
		   request->body.left > HTTP_NGINX_BODY_MAX) {
		request->exchange.keep_alive = false;
		refuse(request, 413);
	} else if (!admin_refuses(request, writer_slice(&path)) &&
		   !route_program(request, writer_slice(&path))) {
		if (!posts && !slice_is(method, "GET") && !slice_is(method, "HEAD")) {
			refuse(request, 405);
			return;
		}
		route_file(request, &path, &uri);
		if (posts && request->answer.page) {
			request->answer.page = NULL;
			refuse(request, 405);
		}
	}
}

/* --- Apache --- */

/* Apache keeps methods in a table whose order is drawn at each start: of sixteen starts, all showed
 * one of these four turns of one ring. Ours changes when the fake machine is started again. */
static const char *allowed_methods(const struct http_request *request)
{
	static const char *const turns[] = {"GET,POST,OPTIONS,HEAD", "POST,OPTIONS,HEAD,GET",
					    "OPTIONS,HEAD,GET,POST", "HEAD,GET,POST,OPTIONS"};
	struct session *session = request->exchange.session;
	const struct persona *persona = session_persona(session);
	char label[64];

	snprintf(label, sizeof(label), "http.allow.%lld",
		 (long long)persona_boot_time(persona, session_now(session)));
	return turns[persona_derive_number(persona, label, 0, ARRAY_COUNT(turns) - 1)];
}

static bool is_registered(struct slice method)
{
	static const char *const names[] = {"PUT",         "DELETE",     "CONNECT",
					    "PATCH",       "PROPFIND",   "PROPPATCH",
					    "MKCOL",       "COPY",       "MOVE",
					    "LOCK",        "UNLOCK",     "VERSION-CONTROL",
					    "CHECKOUT",    "UNCHECKOUT", "CHECKIN",
					    "UPDATE",      "LABEL",      "REPORT",
					    "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL",
					    "MERGE"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is(method, names[i]))
			return true;
	}
	return false;
}

static void answer_options(struct http_request *request, bool star)
{
	const struct website_page *page = request->answer.page;

	request->answer = (struct http_answer){.status = 200, .is_dynamic = true};
	if (!star)
		request->answer.allow = allowed_methods(request);
	if (page)
		request->answer.type = "text/html";
}

static void route_apache_method(struct http_request *request, struct writer *path,
				struct http_uri *uri)
{
	struct slice method = request->head->method;

	if (slice_is(method, "GET") || slice_is(method, "HEAD") || slice_is(method, "POST")) {
		route_file(request, path, uri);
	} else if (slice_is(method, "OPTIONS")) {
		route_file(request, path, uri);
		answer_options(request, false);
	} else {
		request->answer.allow = allowed_methods(request);
		refuse(request, is_registered(method) ? 405 : 501);
	}
}

static void route_apache(struct http_request *request)
{
	struct slice method = request->head->method,
		     expect = http_head_value(request->head, "expect");
	uint8_t room[HTTP_LARGE_BUFFER + 16];
	struct writer path = writer_fixed(room, sizeof(room));
	struct http_uri uri;

	http_uri_split(&uri, request->head->target);
	if (expect.length && !slice_is_nocase(expect, "100-continue")) {
		request->exchange.keep_alive = false;
		refuse(request, 417);
	} else if (slice_is(method, "TRACE")) {
		request->answer.allow = "";
		refuse(request, 405);
	} else if (slice_is(method, "CONNECT")) {
		request->answer.allow = allowed_methods(request);
		refuse(request, 405);
	} else if (slice_is(request->head->target, "*")) {
		answer_options(request, true);
	} else if (http_path_decode(&path, uri.path, HTTP_APACHE) < 0) {
		request->exchange.keep_alive = false;
		refuse(request, 400);
	} else if (!admin_refuses(request, writer_slice(&path)) &&
		   !route_program(request, writer_slice(&path))) {
		route_apache_method(request, &path, &uri);
	}
}

/* --- IIS --- */

static void refuse_sys(struct http_request *request, enum http_sys_fault fault)
{
	request->exchange.keep_alive = false;
	request->answer.sys = fault;
	refuse(request, http_sys_status(fault));
}

/* Windows finds files in any case; those of our sites have small letters. */
static void fold(struct writer *path)
{
	for (size_t i = 0; i < path->length; i++) {
		if (path->at[i] >= 'A' && path->at[i] <= 'Z')
			path->at[i] |= 0x20;
	}
}

static bool ends_with(struct slice text, const char *ending)
{
	size_t length = strlen(ending);

	return text.length >= length && slice_is(slice_from(text, text.length - length), ending);
}

static void route_iis_file(struct http_request *request, struct writer *path, struct http_uri *uri)
{
	struct slice method = request->head->method, name = writer_slice(path);
	bool is_program = ends_with(name, ASPX) || ends_with(name, ".ashx") ||
			  ends_with(name, ".asmx") || ends_with(name, ".axd");
	bool reads = slice_is(method, "GET") || slice_is(method, "HEAD");

	route_file(request, path, uri);
	if (request->answer.status == 404) {
		request->answer.is_aspx = is_program;
	} else if (!reads) {
		request->answer = (struct http_answer){.allow = "GET, HEAD, OPTIONS, TRACE"};
		refuse(request, 405);
	}
}

/* What HTTP.sys finds wrong with a head that can be read. */
static enum http_sys_fault sys_refuses(const struct http_head *head)
{
	bool sends = slice_is(head->method, "POST") || slice_is(head->method, "PUT");
	size_t lengths, codings;

	http_head_find(head, "content-length", &lengths);
	http_head_find(head, "transfer-encoding", &codings);
	if (sends && !lengths && !codings)
		return HTTP_SYS_LENGTH_MISSING;
	/* MS15-034: since then a range that ends beyond all numbers is a bad header. */
	if (slice_contains_nocase(http_head_value(head, "range"), "18446744073709551615"))
		return HTTP_SYS_HEADER;
	return HTTP_SYS_NONE;
}

static void route_iis(struct http_request *request)
{
	static const char methods[] = "OPTIONS, TRACE, GET, HEAD, POST";
	const struct http_head *head = request->head;
	enum http_sys_fault fault = sys_refuses(head);
	uint8_t room[HTTP_IIS_HEAD_MAX + 16];
	struct writer path = writer_fixed(room, sizeof(room));
	struct slice name;
	struct http_uri uri;

	http_uri_split(&uri, head->target);
	if (fault) {
		memset(&request->body, 0, sizeof(request->body));
		refuse_sys(request, fault);
	} else if (slice_is(head->method, "OPTIONS")) {
		request->answer =
			(struct http_answer){.status = 200, .is_dynamic = true, .allow = methods};
	} else if (slice_is(head->method, "TRACE")) {
		refuse(request, 501);
	} else if (http_path_decode(&path, uri.path, HTTP_IIS) < 0) {
		refuse_sys(request, HTTP_SYS_URL);
	} else if (uri.path.length > IIS_URL_MAX || uri.query.length > IIS_QUERY_MAX ||
		   request->body.left > IIS_BODY_MAX) {
		refuse(request, 404);
	} else {
		fold(&path);
		name = writer_slice(&path);
		if (slice_is(name, LOGIN ASPX) || slice_is(name, INTRANET ASPX))
			name.length -= strlen(ASPX);
		if (!admin_refuses(request, name) && !route_program(request, name))
			route_iis_file(request, &path, &uri);
	}
}

static enum http_sys_fault sys_fault(enum http_fault fault)
{
	static const enum http_sys_fault faults[] = {
		[HTTP_BAD_LINE] = HTTP_SYS_MALFORMED,
		[HTTP_BAD_VERSION] = HTTP_SYS_VERSION,
		[HTTP_BAD_TARGET] = HTTP_SYS_URL,
		[HTTP_LINE_TOO_LONG] = HTTP_SYS_URL_LONG,
		[HTTP_BAD_HEADER] = HTTP_SYS_HEADER,
		[HTTP_HEADER_TOO_LONG] = HTTP_SYS_HEADERS_LONG,
		[HTTP_BAD_METHOD] = HTTP_SYS_VERB,
	};

	return fault < ARRAY_COUNT(faults) && faults[fault] ? faults[fault] : HTTP_SYS_MALFORMED;
}

void http_route(struct http_request *request, struct session *session, enum http_dialect dialect,
		const struct http_head *head)
{
	struct http_exchange *x = &request->exchange;
	bool is_host_fine;
	int status;

	request->head = head;
	request->options = session_options(session);
	x->session = session;
	x->dialect = dialect;
	x->head = head;
	x->simple = head->simple;
	x->keep_alive = wants_keep_alive(head);
	status = http_body_begin(&request->body, head, dialect);
	is_host_fine = take_host(request);
	if (!is_host_fine)
		status = 400;
	if (status) {
		memset(&request->body, 0, sizeof(request->body));
		x->keep_alive = false;
		request->answer.nameless = !slice_contains_nocase(head->target, "://");
		request->refused_early = true;
		request->tag = "malformed";
		refuse(request, status);
		if (dialect == HTTP_IIS)
			refuse_sys(request, !is_host_fine   ? HTTP_SYS_HOST
					    : status == 501 ? HTTP_SYS_CODING
							    : HTTP_SYS_MALFORMED);
	} else if (dialect == HTTP_IIS) {
		route_iis(request);
	} else if (dialect == HTTP_APACHE) {
		route_apache(request);
	} else {
		route_nginx(request);
	}
}

void http_route_fault(struct http_request *request, enum http_fault fault)
{
	bool nginx = request->exchange.dialect == HTTP_NGINX;

	request->answer.nameless = true;
	if (request->exchange.dialect == HTTP_IIS) {
		refuse_sys(request, sys_fault(fault));
		return;
	}
	switch (fault) {
	case HTTP_BAD_VERSION:
		refuse(request, 505);
		return;
	case HTTP_LINE_TOO_LONG:
		refuse(request, 414);
		return;
	case HTTP_HEADER_TOO_LONG:
		request->answer.note =
			nginx ? "Request Header Or Cookie Too Large"
			      : "Size of a request header field exceeds server limit.";
		refuse(request, 400);
		return;
	case HTTP_TOO_MANY_HEADERS:
		request->answer.note =
			"The number of request header fields exceeds this server's limit.";
		refuse(request, 400);
		return;
	default:
		refuse(request, 400);
	}
}
