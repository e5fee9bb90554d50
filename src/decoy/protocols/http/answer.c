/* What the styles share: conditions, ranges, reasons; see answer.h. */
#include "decoy/protocols/http/answer.h"

static const struct {
	const char *ending, *nginx, *apache;
} types[] = {
	{".html", "text/html", "text/html"},
	{".htm", "text/html", "text/html"},
	{".css", "text/css", "text/css"},
	{".txt", "text/plain", "text/plain"},
	{".xml", "text/xml", "application/xml"},
	{".js", "application/javascript", "text/javascript"},
	{".ico", "image/x-icon", "image/vnd.microsoft.icon"},
	{".png", "image/png", "image/png"},
	{".jpg", "image/jpeg", "image/jpeg"},
	{".gif", "image/gif", "image/gif"},
	{".svg", "image/svg+xml", "image/svg+xml"},
	{".pdf", "application/pdf", "application/pdf"},
};

static const char *type_of(const struct website_page *page, enum http_dialect dialect)
{
	const char *dot = strrchr(page->path, '.');

	for (size_t i = 0; dot && i < ARRAY_COUNT(types); i++) {
		if (strcmp(dot, types[i].ending) == 0)
			return dialect == HTTP_APACHE ? types[i].apache : types[i].nginx;
	}
	return dialect == HTTP_APACHE ? NULL : "application/octet-stream";
}

static const struct {
	int status;
	const char *nginx, *apache; /* Apache's and IIS's; NULL: the same */
} reasons[] = {
	{200, "OK", NULL},
	{206, "Partial Content", NULL},
	{301, "Moved Permanently", NULL},
	{302, "Moved Temporarily", "Found"},
	{304, "Not Modified", NULL},
	{400, "Bad Request", NULL},
	{401, "Unauthorized", NULL},
	{403, "Forbidden", NULL},
	{404, "Not Found", NULL},
	{405, "Not Allowed", "Method Not Allowed"},
	{411, "Length Required", NULL},
	{412, "Precondition Failed", NULL},
	{413, "Request Entity Too Large", NULL},
	{414, "Request-URI Too Large", "Request-URI Too Long"},
	{416, "Requested Range Not Satisfiable", NULL},
	{417, "Expectation Failed", NULL},
	{500, "Internal Server Error", NULL},
	{501, "Not Implemented", NULL},
	{505, "HTTP Version Not Supported", NULL},
};

const char *http_reason(enum http_dialect dialect, int status)
{
	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
		if (reasons[i].status == status)
			return dialect != HTTP_NGINX && reasons[i].apache ? reasons[i].apache
									  : reasons[i].nginx;
	}
	return "Unknown";
}

/* The file's time as NTFS counts it, byte by byte from the low end, each without leading zeros. */
static void write_filetime(struct writer *out, int64_t time)
{
	uint64_t ticks = (uint64_t)(time + INT64_C(11644473600) * SECOND) * 10;

	for (; ticks; ticks >>= 8)
		writer_format(out, "%x", (unsigned)(ticks & 0xff));
}

void http_etag(struct writer *out, enum http_dialect dialect, const struct website_page *page)
{
	if (dialect == HTTP_IIS) {
		writer_u8(out, '"');
		write_filetime(out, page->modified);
		writer_text(out, ":0");
	} else if (dialect == HTTP_APACHE)
		writer_format(out, "\"%zx-%llx", page->body.length,
			      (unsigned long long)page->modified);
	else
		writer_format(out, "\"%llx-%zx", (unsigned long long)(page->modified / SECOND),
			      page->body.length);
	writer_u8(out, '"');
}

bool http_takes_gzip(const struct http_exchange *exchange)
{
	struct slice accepted = http_head_value(exchange->head, "accept-encoding");

	if (exchange->dialect == HTTP_NGINX &&
	    (exchange->head->minor == 0 || http_head_value(exchange->head, "via").at))
		return false;
	return !exchange->simple && slice_contains_nocase(accepted, "gzip") &&
	       !slice_contains_nocase(accepted, "gzip;q=0");
}

unsigned http_server_port(const struct http_exchange *exchange)
{
	unsigned standard = session_in_tls(exchange->session) ? 443 : 80;
	int64_t port;

	if (exchange->dialect == HTTP_NGINX)
		return session_local(exchange->session)->port;
	return slice_number(exchange->port, 1, 65535, &port) == 0 ? (unsigned)port : standard;
}

static int month_named(struct slice name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (slice_equal(name, slice_of(months + 3 * i, 3)))
			return i + 1;
	}
	return 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; -1 for anything else. */
static int64_t parse_date(struct slice text)
{
	struct civil_time when = {0};
	int64_t part[5];
	static const uint8_t at[5] = {5, 12, 17, 20, 23};

	if (text.length != 29)
		return -1;
	for (int i = 0; i < 5; i++) {
		if (slice_number(slice_first(slice_from(text, at[i]), i == 1 ? 4 : 2), 0, 9999,
				 &part[i]) < 0)
			return -1;
	}
	when.day = (int)part[0];
	when.month = month_named(slice_first(slice_from(text, 8), 3));
	when.year = (int)part[1];
	when.hour = (int)part[2];
	when.minute = (int)part[3];
	when.second = (int)part[4];
	return when.month ? clock_from_civil(&when) / SECOND : -1;
}

static bool tag_listed(const struct http_exchange *x, const struct http_answer *answer,
		       struct slice list)
{
	uint8_t room[64];
	struct writer tag = writer_fixed(room, sizeof(room));

	http_etag(&tag, x->dialect, answer->page);
	return slice_is(list, "*") || slice_find(list, writer_slice(&tag)) != SIZE_MAX;
}

/* RFC 9110 13: 0, 304 or 412. */
static int conditions(const struct http_exchange *x, const struct http_answer *answer)
{
	int64_t modified = answer->page->modified / SECOND;
	struct slice match = http_head_value(x->head, "if-match");
	struct slice none = http_head_value(x->head, "if-none-match");
	int64_t unmodified = parse_date(http_head_value(x->head, "if-unmodified-since"));
	int64_t since = parse_date(http_head_value(x->head, "if-modified-since"));

	if (match.at && !tag_listed(x, answer, match))
		return 412;
	if (unmodified >= 0 && modified > unmodified)
		return 412;
	if (none.at)
		return tag_listed(x, answer, none) ? 304 : 0;
	if (since < 0)
		return 0;
	return (x->dialect == HTTP_NGINX ? modified == since : modified <= since) ? 304 : 0;
}

/* "bytes=A-B" of one range: 0 when it is to be ignored, else 206 or 416. */
static int range(const struct http_exchange *x, struct http_plan *plan)
{
	struct slice rest = http_head_value(x->head, "range"), first, last;
	int64_t low = 0, high = INT64_MAX, size = (int64_t)plan->whole;
	int refused = x->dialect == HTTP_NGINX ? 416 : 0;

	if (!slice_starts_nocase(rest, "bytes=") || slice_find_byte(rest, ',') != SIZE_MAX ||
	    size == 0)
		return 0;
	rest = slice_from(rest, 6);
	if (slice_find_byte(rest, '-') == SIZE_MAX)
		return refused;
	slice_next(&rest, '-', &first);
	first = slice_trim(first);
	last = slice_trim(rest);
	if ((first.length && slice_number(first, 0, INT64_MAX, &low) < 0) ||
	    (last.length && slice_number(last, 0, INT64_MAX, &high) < 0) ||
	    (first.length == 0 && last.length == 0))
		return refused;
	if (first.length == 0) {
		if (high == 0)
			return 416;
		low = high < size ? size - high : 0;
		high = size - 1;
	}
	if (low > high)
		return refused;
	if (low >= size)
		return 416;
	plan->first = (size_t)low;
	plan->last = high < size ? (size_t)high : (size_t)size - 1;
	return 206;
}

static void plan_page(const struct http_exchange *x, struct http_plan *plan)
{
	const struct website_page *page = plan->answer->page;
	/* IIS packs only what is asked for often. */
	struct slice packed = x->dialect == HTTP_NGINX    ? page->nginx_gzip
			      : x->dialect == HTTP_APACHE ? page->apache_gzip
							  : slice_of(NULL, 0);
	int status = x->simple ? 0 : conditions(x, plan->answer);

	plan->type = type_of(page, x->dialect);
	plan->body = page->body;
	plan->whole = page->body.length;
	plan->has_file = true;
	if (status == 0 && packed.length && http_takes_gzip(x)) {
		plan->gzip = true;
		plan->body = packed;
		return;
	}
	if (status == 0 && !x->simple)
		status = range(x, plan);
	if (status == 0)
		return;
	plan->status = status;
	if (status == 206)
		plan->body = slice_first(slice_from(page->body, plan->first),
					 plan->last - plan->first + 1);
	else if (status != 304)
		plan->has_file = false;
	if (status == 304)
		plan->body = slice_of(NULL, 0);
}

void http_answer_send(const struct http_exchange *x, const struct http_answer *answer, int *status)
{
	struct http_plan plan = {.status = answer->status, .answer = answer};
	struct writer out = writer_growing(HTTP_ANSWER_MAX);

	if (answer->page) {
		plan_page(x, &plan);
	} else if (answer->is_dynamic) {
		plan.type = answer->type;
		plan.body = answer->body;
	}
	*status = plan.status;
	if (x->dialect == HTTP_APACHE)
		http_apache_write(x, &plan, &out);
	else if (x->dialect == HTTP_IIS)
		http_iis_write(x, &plan, &out);
	else
		http_nginx_write(x, &plan, &out);
	session_write(x->session, writer_slice(&out));
	writer_free(&out);
}
