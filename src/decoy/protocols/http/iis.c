/* Answers in the style of IIS 10 on Windows Server 2019; see answer.h. HTTP.sys stands in front:
 * what it refuses it words itself, and it writes every head: the known headers as HTTP_HEADER_ID of
 * the Windows SDK numbers them, then the others, then its own Date, Connection and Content-Length.
 */
#include "decoy/protocols/http/answer.h"

#define PAGE_MAX (64 * 1024) /* a page that repeats the target, escaped */
#define ASP_NET  "X-AspNet-Version: 4.0.30319\r\n"

/* HTTP.sys's short pages; their lengths are those of the real ones. */
static const struct {
	int status;
	const char *title, *heading, *sentence;
} short_pages[] = {
	[HTTP_SYS_MALFORMED] = {400, "Bad Request", "Bad Request", "The request is badly formed."},
	[HTTP_SYS_VERB] = {400, "Bad Request", "Bad Request - Invalid Verb",
			   "The request verb is invalid."},
	[HTTP_SYS_URL] = {400, "Bad Request", "Bad Request - Invalid URL",
			  "The request URL is invalid."},
	[HTTP_SYS_HOST] = {400, "Bad Request", "Bad Request - Invalid Hostname",
			   "The request hostname is invalid."},
	[HTTP_SYS_HEADER] = {400, "Bad Request", "Bad Request - Invalid Header",
			     "The request has an invalid header name."},
	[HTTP_SYS_HEADERS_LONG] = {400, "Bad Request", "Bad Request - Request Too Long",
				   "The size of the request headers is too long."},
	[HTTP_SYS_URL_LONG] = {414, "Request URL Too Long", "Request URL Too Long",
			       "The request URL is too long."},
	[HTTP_SYS_LENGTH_MISSING] = {411, "Length Required", "Length Required",
				     "The request must be chunked or have a content length."},
	[HTTP_SYS_CODING] = {501, "Not Implemented", "Not Implemented",
			     "The request transfer encoding type is not supported."},
	[HTTP_SYS_VERSION] = {505, "HTTP Version Not Supported", "HTTP Version Not Supported",
			      "The requested HTTP version is not supported."},
	[HTTP_SYS_RANGE] = {416, "Requested Range Not Satisfiable",
			    "Requested Range Not Satisfiable",
			    "The requested range is not satisfiable."},
};

int http_sys_status(enum http_sys_fault fault)
{
	return short_pages[fault].status;
}

/* IIS's pages for clients from elsewhere: heading and explanation. */
#define NO_PERMISSION                                                                      \
	"You do not have permission to view this directory or page using the credentials " \
	"that you supplied."

static const struct {
	int status;
	const char *heading, *text;
} custom_pages[] = {
	{401, "Unauthorized: Access is denied due to invalid credentials.", NO_PERMISSION},
	{403, "Forbidden: Access is denied.", NO_PERMISSION},
	{404, "File or directory not found.",
	 "The resource you are looking for might have been removed, had its name changed, or is "
	 "temporarily unavailable."},
	{405, "HTTP verb used to access this page is not allowed.",
	 "The page you are looking for cannot be displayed because an invalid method (HTTP verb) "
	 "was used to attempt access."},
	{412, "Precondition set by the client failed when evaluated on the Web server.",
	 "The request was not completed due to preconditions that are set in the request header. "
	 "Preconditions prevent the requested method from being applied to a resource other than "
	 "the one intended. An example of a precondition is testing for expired content in the "
	 "page cache of the client."},
	{501, "Header values specify a method that is not implemented.",
	 "The page you are looking for cannot be displayed because a header value in the request "
	 "does not match certain configuration settings on the Web server. For example, a request "
	 "header might specify a POST to a static file that cannot be posted to, or specify a "
	 "Transfer-Encoding value that cannot make use of compression."},
};

#define CRLF "\r\n"

/* As long as IIS's style sheet, so that the pages are; the words are ours. */
static const char style_sheet[] =
	"body{background-color:#EEEEEE;margin:0;font:.7em Verdana, Arial, Helvetica, "
	"sans-serif;}" CRLF "h1{color:white;margin:0;font-size:2.4em;}" CRLF
	"h2{color:#CC0000;margin:0;font-size:1.7em;}" CRLF
	"h3{color:#000000;margin:1em 0 0 0;font-size:1.2em;}" CRLF
	"fieldset{padding:0 15px 10px;border:1px solid #C8C8C8;border-radius:0;}" CRLF
	"#header{background-color:#555;color:#FFF;width:96%;padding:6px 2%;font-family:\"Trebuchet "
	"MS\", "
	"Verdana, sans-serif;}" CRLF "#content{position:relative;margin-left:2%;}" CRLF
	".content-container{position:relative;width:96%;margin-top:8px;padding:10px;"
	"background-color:#FFF;}" CRLF;

static void write_custom(int status, struct writer *page)
{
	size_t i = 0;

	while (i < ARRAY_COUNT(custom_pages) && custom_pages[i].status != status)
		i++;
	if (i == ARRAY_COUNT(custom_pages))
		return;
	writer_format(page,
		      "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" "
		      "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">" CRLF
		      "<html xmlns=\"http://www.w3.org/1999/xhtml\">" CRLF "<head>" CRLF
		      "<meta http-equiv=\"Content-Type\" content=\"text/html; "
		      "charset=iso-8859-1\"/>" CRLF "<title>%d - %s</title>" CRLF
		      "<style type=\"text/css\">" CRLF "<!--" CRLF,
		      status, custom_pages[i].heading);
	writer_text(page, style_sheet);
	writer_format(page,
		      "-->" CRLF "</style>" CRLF "</head>" CRLF "<body>" CRLF
		      "<div id=\"header\"><h1>Server Error</h1></div>" CRLF
		      "<div id=\"content\">" CRLF
		      " <div class=\"content-container\"><fieldset>" CRLF "  <h2>%d - %s</h2>" CRLF
		      "  <h3>%s</h3>" CRLF " </fieldset></div>" CRLF "</div>" CRLF "</body>" CRLF
		      "</html>" CRLF,
		      status, custom_pages[i].heading, custom_pages[i].text);
}

static void write_short(enum http_sys_fault fault, struct writer *page)
{
	writer_format(page,
		      "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\""
		      "\"http://www.w3.org/TR/html4/strict.dtd\">" CRLF
		      "<HTML><HEAD><TITLE>%s</TITLE>" CRLF
		      "<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; "
		      "charset=us-ascii\"></HEAD>" CRLF "<BODY><h2>%s</h2>" CRLF
		      "<hr><p>HTTP Error %d. %s</p>" CRLF "</BODY></HTML>" CRLF,
		      short_pages[fault].title, short_pages[fault].heading,
		      short_pages[fault].status, short_pages[fault].sentence);
}

static void write_escaped(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.at[i];

		if (c && strchr("<>&\"'", c))
			writer_format(out, "&#%u;", c);
		else
			writer_u8(out, c);
	}
}

/* ASP.NET's page for a program that is not there, as it shows it to clients from elsewhere. */
static void write_missing_program(struct slice target, struct writer *page)
{
	writer_text(
		page,
		"<!DOCTYPE html>" CRLF "<html>" CRLF "    <head>" CRLF
		"        <title>The resource cannot be found.</title>" CRLF
		"        <meta name=\"viewport\" content=\"width=device-width\" />" CRLF
		"        <style>" CRLF
		"         body {background:#fff;color:#000;font:.75em Verdana;}" CRLF
		"         h1 {color:#f00;font:normal 1.6em Verdana;}" CRLF
		"         h2 {color:#800000;font:italic 1.3em Verdana;}" CRLF
		"        </style>" CRLF "    </head>" CRLF CRLF "    <body>" CRLF
		"            <h1>Server Error in '/' Application.<hr></h1>" CRLF
		"            <h2> <i>The resource cannot be found.</i> </h2>" CRLF
		"            <b> Description: </b>HTTP 404. Nothing answers at this address: it "
		"may have been moved, renamed or switched off. &nbsp;Check how it is spelled."
		"<br><br>" CRLF "            <b> Requested URL: </b>");
	write_escaped(page, slice_first(target, slice_find_byte(target, '?')));
	writer_text(page, "<br><br>" CRLF "    </body>" CRLF "</html>" CRLF);
}

static void write_moved(const struct http_plan *plan, struct writer *page)
{
	struct slice location = plan->answer->location;

	if (plan->status == 301) {
		writer_text(page, "<head><title>Document Moved</title></head>\n<body><h1>Object "
				  "Moved</h1>This document may be found <a HREF=\"");
		write_escaped(page, location);
		writer_text(page, "\">here</a></body>");
		return;
	}
	writer_text(page, "<html><head><title>Object moved</title></head><body>" CRLF
			  "<h2>Object moved to <a href=\"");
	write_escaped(page, location);
	writer_text(page, "\">here</a>.</h2>" CRLF "</body></html>" CRLF);
}

static void write_name(struct writer *out, const char *name, struct slice value)
{
	if (value.length == 0)
		return;
	writer_format(out, "%s: ", name);
	writer_bytes(out, value);
	writer_text(out, CRLF);
}

static void write_file(const struct website_page *page, struct writer *out, bool with_date)
{
	char date[30];

	clock_http(page->modified, date);
	if (with_date)
		writer_format(out, "Last-Modified: %s" CRLF, date);
	writer_text(out, "Accept-Ranges: bytes" CRLF "ETag: ");
	http_etag(out, HTTP_IIS, page);
	writer_text(out, CRLF);
}

static const char *software(const struct http_exchange *x)
{
	const char *server =
		persona_text(session_persona(x->session), "http.server", "Microsoft-IIS/10.0");

	/* A persona of another style with this one set over it. */
	return strncmp(server, "Microsoft", 9) == 0 ? server : "Microsoft-IIS/10.0";
}

static void write_known(const struct http_exchange *x, const struct http_plan *plan,
			struct writer *out)
{
	const struct http_answer *answer = plan->answer;

	if (plan->status == 405 || plan->status == 200)
		write_name(out, "Allow", slice_text(answer->allow ? answer->allow : ""));
	if (plan->type && plan->status != 304)
		writer_format(out, "Content-Type: %s" CRLF, plan->type);
	if (plan->status == 206)
		writer_format(out, "Content-Range: bytes %zu-%zu/%zu" CRLF, plan->first, plan->last,
			      plan->whole);
	if (plan->has_file || plan->status == 416)
		write_file(answer->page, out, plan->status != 304);
	write_name(out, "Location", answer->location);
	writer_format(out, "Server: %s" CRLF, software(x));
	write_name(out, "Set-Cookie", answer->cookie);
	if (plan->status == 401)
		writer_format(out, "WWW-Authenticate: Basic realm=\"%s\"" CRLF, answer->realm);
	if (plan->status == 200)
		write_name(out, "Public", slice_text(answer->allow ? answer->allow : ""));
}

static void write_head(const struct http_exchange *x, const struct http_plan *plan,
		       struct writer *out)
{
	const struct http_answer *answer = plan->answer;
	bool by_program = answer->is_aspx || (answer->is_dynamic && answer->type);
	char date[30];

	clock_http(session_now(x->session), date);
	writer_format(out, "HTTP/1.1 %d %s" CRLF, plan->status,
		      http_reason(HTTP_IIS, plan->status));
	if (answer->sys) {
		writer_text(out, "Content-Type: text/html; charset=us-ascii" CRLF
				 "Server: Microsoft-HTTPAPI/2.0" CRLF);
	} else {
		if (by_program)
			writer_text(out, "Cache-Control: private" CRLF);
		write_known(x, plan, out);
		writer_text(out, by_program ? ASP_NET "X-Powered-By: ASP.NET" CRLF
					    : "X-Powered-By: ASP.NET" CRLF);
	}
	writer_format(out, "Date: %s" CRLF, date);
	if (!x->keep_alive)
		writer_text(out, "Connection: close" CRLF);
	else if (x->head->minor == 0)
		writer_text(out, "Connection: keep-alive" CRLF);
	if (plan->status != 304)
		writer_format(out, "Content-Length: %zu" CRLF, plan->body.length);
	if (plan->status == 416)
		writer_format(out, "Content-Range: bytes */%zu" CRLF, plan->whole);
	writer_text(out, CRLF);
}

void http_iis_write(const struct http_exchange *x, const struct http_plan *original,
		    struct writer *out)
{
	struct http_answer answer = *original->answer;
	struct http_plan plan = *original;
	struct writer page = writer_growing(PAGE_MAX);

	plan.answer = &answer;
	if (plan.status == 400 && !answer.sys) /* a body that broke */
		answer.sys = HTTP_SYS_MALFORMED;
	if (answer.sys) {
		write_short(answer.sys, &page);
	} else if (answer.is_aspx) {
		plan.type = "text/html; charset=utf-8";
		write_missing_program(x->head->target, &page);
	} else if (answer.location.length) {
		plan.type = plan.status == 301 ? "text/html; charset=UTF-8" : answer.type;
		write_moved(&plan, &page);
	} else if (!answer.is_dynamic && !plan.has_file && plan.status != 304) {
		plan.type = "text/html";
		if (plan.status == 416)
			write_short(HTTP_SYS_RANGE, &page);
		else
			write_custom(plan.status, &page);
	}
	if (page.length)
		plan.body = writer_slice(&page);
	write_head(x, &plan, out);
	if (!slice_is(x->head->method, "HEAD") || answer.sys)
		writer_bytes(out, plan.body);
	writer_free(&page);
}
