/* The table of tricks, and addresses to download from; see tricks.h. */
#include "decoy/protocols/http/tricks.h"
#include "decoy/protocols/http/uri.h"

enum { IN_URL = 1, IN_HEAD = 2, IN_BODY = 4, ANYWHERE = 7 };

/* Compared without regard to case, with what was sent and with its percent-decoded form. */
static const struct trick {
	const char *tag;
	uint8_t where;
	const char *pattern;
} tricks[] = {
	{"log4shell", ANYWHERE, "${jndi:"},
	{"log4shell", ANYWHERE, "${${"},
	{"log4shell", ANYWHERE, "${lower:"},
	{"shellshock", IN_HEAD, "() {"},
	{"shellshock", IN_HEAD, "(){"},
	{"path-traversal", ANYWHERE, "../"},
	{"path-traversal", ANYWHERE, "..\\"},
	{"path-traversal", IN_URL, ".%2e/"},
	{"path-traversal", IN_URL, "%%32%65"},
	{"etc-passwd", ANYWHERE, "/etc/passwd"},
	{"php-cgi", IN_URL, "auto_prepend_file"},
	{"php-cgi", IN_URL, "allow_url_include"},
	{"php-cgi", IN_URL, "php-cgi"},
	{"phpunit", IN_URL, "eval-stdin.php"},
	{"phpmyadmin", IN_URL, "phpmyadmin"},
	{"phpinfo", IN_URL, "phpinfo"},
	{"thinkphp", IN_URL, "invokefunction"},
	{"thinkphp", IN_URL, "think\\app"},
	{"wordpress", IN_URL, "wp-login"},
	{"wordpress", IN_URL, "wp-admin"},
	{"wordpress", IN_URL, "wp-content"},
	{"wordpress", IN_URL, "wlwmanifest.xml"},
	{"xmlrpc", IN_URL, "xmlrpc.php"},
	{"secrets", IN_URL, "/.env"},
	{"secrets", IN_URL, "/.git/"},
	{"secrets", IN_URL, "/.aws/"},
	{"secrets", IN_URL, "/.ssh/"},
	{"secrets", IN_URL, "/.svn/"},
	{"cgi-bin", IN_URL, "/cgi-bin/"},
	{"struts", ANYWHERE, "%{(#"},
	{"struts", ANYWHERE, "ognl"},
	{"struts", ANYWHERE, "#_memberaccess"},
	{"spring4shell", ANYWHERE, "class.module.classloader"},
	{"spring-actuator", IN_URL, "/actuator"},
	{"java-deserialisation", IN_BODY,
	 "\xac\xed"
	 "\x05"},
	{"tomcat-manager", IN_URL, "/manager/html"},
	{"jenkins", IN_URL, "/script?"},
	{"solr", IN_URL, "/solr/"},
	{"confluence", IN_URL, "/setup/setupadministrator"},
	{"exchange", IN_URL, "/autodiscover/"},
	{"exchange", IN_URL, "/owa/"},
	{"fortinet", IN_URL, "/remote/fgt_lang"},
	{"fortinet", IN_URL, "/remote/logincheck"},
	{"citrix", IN_URL, "/vpns/"},
	{"f5", IN_URL, "/tmui/"},
	{"pulse-secure", IN_URL, "/dana-na/"},
	{"pan-os", IN_URL, "/global-protect/"},
	{"cisco-web", IN_URL, "/+cscoe+/"},
	{"router", IN_URL, "/hnap1"},
	{"router", IN_URL, "/boaform/"},
	{"router", IN_URL, "/goform/"},
	{"router", IN_URL, "/gponform/"},
	{"router", IN_URL, "/ctrlt/deviceupgrade"},
	{"router", IN_URL, "/setup.cgi"},
	{"router", IN_URL, "/luci/"},
	{"router", IN_URL, "/tmunblock.cgi"},
	{"camera", IN_URL, "/sdk/weblanguage"},
	{"camera", IN_URL, "/onvif/"},
	{"http-sys-range", IN_HEAD, "18446744073709551615"}, /* MS15-034 */
	{"docker-api", IN_URL, "/containers/json"},
	{"sql-injection", ANYWHERE, "union select"},
	{"sql-injection", ANYWHERE, "' or '1'='1"},
	{"sql-injection", ANYWHERE, "information_schema"},
	{"sql-injection", ANYWHERE, "sleep(5)"},
	{"cross-site-scripting", ANYWHERE, "<script"},
	{"php-code", ANYWHERE, "<?php"},
	{"php-code", ANYWHERE, "base64_decode("},
	{"command-injection", ANYWHERE, ";wget "},
	{"command-injection", ANYWHERE, "; wget "},
	{"command-injection", ANYWHERE, "|wget "},
	{"command-injection", ANYWHERE, "$(wget "},
	{"command-injection", ANYWHERE, "`wget "},
	{"command-injection", ANYWHERE, ";curl "},
	{"command-injection", ANYWHERE, "/bin/sh"},
	{"command-injection", ANYWHERE, "/bin/bash"},
	{"command-injection", ANYWHERE, "chmod 777"},
	{"metadata", ANYWHERE, "169.254.169.254"},
	{"xxe", IN_BODY, "<!entity"},
	{"http2-preface", IN_HEAD, "PRI * HTTP/2.0"},
	{"scanner", IN_HEAD, "nikto"},
	{"scanner", IN_HEAD, "sqlmap"},
	{"scanner", IN_HEAD, "masscan"},
	{"scanner", IN_HEAD, "zgrab"},
	{"scanner", IN_HEAD, "nuclei"},
	{"scanner", IN_HEAD, "nmap scripting engine"},
};

void http_tags_add(struct http_tags *tags, const char *tag)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (slice_is(tags->items[i], tag))
			return;
	}
	if (tags->count < HTTP_TAGS_MAX)
		tags->items[tags->count++] = slice_text(tag);
}

static void search(struct http_tags *tags, struct slice text, uint8_t where)
{
	for (size_t i = 0; text.length && i < ARRAY_COUNT(tricks); i++) {
		if (tricks[i].where & where && slice_contains_nocase(text, tricks[i].pattern))
			http_tags_add(tags, tricks[i].tag);
	}
}

static void mark_form(struct http_tags *tags, const struct http_head *head)
{
	struct http_uri uri;

	http_uri_split(&uri, head->target);
	if (slice_is(head->method, "CONNECT") || uri.scheme.length)
		http_tags_add(tags, "proxy");
	if (head->folded)
		http_tags_add(tags, "folded-header");
	if (head->bare_lines && !head->simple)
		http_tags_add(tags, "bare-line-ends");
	if (http_head_value(head, "content-length").at &&
	    http_head_value(head, "transfer-encoding").at)
		http_tags_add(tags, "smuggling");
}

void http_tricks(struct http_tags *tags, const struct http_head *head, struct slice body)
{
	uint8_t room[HTTP_SEARCH_MAX];
	struct writer decoded = writer_fixed(room, sizeof(room));

	mark_form(tags, head);
	search(tags, slice_first(head->target, HTTP_SEARCH_MAX), IN_URL);
	search(tags, slice_first(head->raw, HTTP_SEARCH_MAX), IN_HEAD);
	search(tags, slice_first(body, HTTP_SEARCH_MAX), IN_BODY);
	http_percent_decode(&decoded, slice_first(head->target, HTTP_SEARCH_MAX), true);
	search(tags, writer_slice(&decoded), IN_URL);
	writer_clear(&decoded);
	http_percent_decode(&decoded, slice_first(body, HTTP_SEARCH_MAX), true);
	if (slice_find_byte(body, '%') != SIZE_MAX)
		search(tags, writer_slice(&decoded), IN_BODY);
}

/* --- downloads --- */

#define DOWNLOADS_MAX 8

struct downloads {
	struct slice seen[DOWNLOADS_MAX];
	size_t count;
};

static bool ends_address(uint8_t c)
{
	return c <= ' ' || c == 0x7f || strchr("\"'`;|&<>(){}\\,", c) != NULL;
}

static bool looks_like_address(struct slice word)
{
	size_t slash = slice_find_byte(word, '/'), dot = slice_find_byte(word, '.');

	if (slice_starts_nocase(word, "http://") || slice_starts_nocase(word, "https://") ||
	    slice_starts_nocase(word, "ftp://") || slice_starts_nocase(word, "tftp://"))
		return word.length > 8;
	return word.length && word.at[0] != '-' && word.at[0] != '/' && word.at[0] != '.' &&
	       dot != SIZE_MAX && slash != SIZE_MAX && dot < slash;
}

static void report_download(struct session *session, struct downloads *found, struct slice address)
{
	struct event *event;

	for (size_t i = 0; i < found->count; i++) {
		if (slice_equal(found->seen[i], address))
			return;
	}
	if (found->count == DOWNLOADS_MAX)
		return;
	found->seen[found->count++] = address;
	event = session_event(session, "download.attempt");
	event_set_text(event, FIELD_URL_ORIGINAL, address);
	session_report(session, event);
}

/* The first address among the words that follow a command, up to the end of that command. */
static void follow_command(struct session *session, struct downloads *found, struct slice text)
{
	size_t at = 0;

	while (at < text.length && at < 512) {
		size_t start;

		if (slice_starts(slice_from(text, at), "${IFS}")) {
			at += 6;
			continue;
		}
		if (strchr(";|&\n\r`", text.at[at]))
			return;
		start = at;
		while (at < text.length && !ends_address(text.at[at]) &&
		       !slice_starts(slice_from(text, at), "${IFS}") && text.at[at] != '$')
			at++;
		if (looks_like_address(slice_first(slice_from(text, start), at - start))) {
			report_download(session, found,
					slice_first(slice_from(text, start), at - start));
			return;
		}
		if (at == start)
			at++;
	}
}

static void find_downloads(struct session *session, struct downloads *found, struct slice text)
{
	static const char *const commands[] = {
		"wget",     "curl",     "lwp-download",    "fetch ",
		"tftp ",    "ftpget",   "downloadstring(", "downloadfile(",
		"certutil", "bitsadmin"};

	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		struct slice rest = text;
		size_t at;

		while ((at = slice_find_nocase(rest, commands[i])) != SIZE_MAX) {
			rest = slice_from(rest, at + strlen(commands[i]));
			/* "curl/7.88.1" and "Wget/1.21" are clients naming themselves. */
			if (rest.length && rest.at[0] != '/')
				follow_command(session, found, rest);
		}
	}
}

void http_report_downloads(struct session *session, const struct http_head *head, struct slice body)
{
	uint8_t target_room[HTTP_SEARCH_MAX], body_room[HTTP_SEARCH_MAX];
	struct writer target = writer_fixed(target_room, sizeof(target_room));
	struct writer decoded = writer_fixed(body_room, sizeof(body_room));
	struct downloads found = {.count = 0};

	http_percent_decode(&target, slice_first(head->target, HTTP_SEARCH_MAX), true);
	find_downloads(session, &found, writer_slice(&target));
	for (size_t i = 0; i < head->count; i++)
		find_downloads(session, &found,
			       slice_first(head->headers[i].value, HTTP_SEARCH_MAX));
	http_percent_decode(&decoded, slice_first(body, HTTP_SEARCH_MAX), true);
	find_downloads(session, &found, writer_slice(&decoded));
}
