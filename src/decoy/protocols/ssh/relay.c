/* Far ends of tunnels; see relay.h. */
#include "decoy/protocols/ssh/relay.h"
#include "decoy/protocol.h"

#define LINE_MAX_    2048
#define REQUEST_MAX  16384
#define REQUESTS_MAX 100

static const struct {
	uint16_t port;
	uint8_t kind;
} ports[] = {
	{80, SSH_RELAY_HTTP},   {81, SSH_RELAY_HTTP},   {8000, SSH_RELAY_HTTP},
	{8080, SSH_RELAY_HTTP}, {8888, SSH_RELAY_HTTP}, {25, SSH_RELAY_MAIL},
	{587, SSH_RELAY_MAIL},  {2525, SSH_RELAY_MAIL}, {443, SSH_RELAY_TLS},
	{465, SSH_RELAY_TLS},   {8443, SSH_RELAY_TLS},  {993, SSH_RELAY_TLS},
	{995, SSH_RELAY_TLS},
};

enum ssh_relay_kind ssh_relay_at(uint32_t port)
{
	for (size_t i = 0; i < ARRAY_COUNT(ports); i++) {
		if (ports[i].port == port)
			return (enum ssh_relay_kind)ports[i].kind;
	}
	return SSH_RELAY_NONE;
}

/* --- mail --- */

static void put_host(struct writer *out, struct slice host)
{
	writer_bytes(out, slice_first(host, 255));
}

void ssh_relay_greet(struct ssh_relay *relay, struct session *session, struct slice host,
		     struct writer *out)
{
	if (relay->kind != SSH_RELAY_MAIL)
		return;
	writer_text(out, "220 ");
	put_host(out, host);
	writer_text(out, " ESMTP Postfix\r\n");
}

static const struct {
	const char *verb, *answer;
} verbs[] = {
	{"EHLO", "250-mail\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-ENHANCEDSTATUSCODES\r\n"
		 "250-8BITMIME\r\n250 CHUNKING\r\n"},
	{"HELO", "250 mail\r\n"},
	{"MAIL", "250 2.1.0 Ok\r\n"},
	{"RCPT", "250 2.1.5 Ok\r\n"},
	{"RSET", "250 2.0.0 Ok\r\n"},
	{"NOOP", "250 2.0.0 Ok\r\n"},
	{"DATA", "354 End data with <CR><LF>.<CR><LF>\r\n"},
	{"QUIT", "221 2.0.0 Bye\r\n"},
	{"STARTTLS", "454 4.7.0 TLS not available due to local problem\r\n"},
	{"VRFY", "252 2.0.0 root\r\n"},
};

static void put_queue_id(struct session *session, struct writer *out)
{
	uint8_t random[5];

	session_random(session, random, sizeof(random));
	writer_text(out, "250 2.0.0 Ok: queued as ");
	for (size_t i = 0; i < sizeof(random); i++)
		writer_format(out, "%02X", random[i]);
	writer_text(out, "\r\n");
}

static void take_mail_line(struct ssh_relay *relay, struct session *session, struct slice line,
			   struct writer *out, bool *over)
{
	line = slice_trim(line);
	if (relay->in_data) {
		if (slice_is(line, ".")) {
			relay->in_data = false;
			put_queue_id(session, out);
		}
		return;
	}
	if (line.length == 0)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
		if (!slice_starts_nocase(line, verbs[i].verb))
			continue;
		writer_text(out, verbs[i].answer);
		relay->in_data = slice_starts_nocase(line, "DATA");
		*over = slice_starts_nocase(line, "QUIT");
		return;
	}
	writer_text(out, "502 5.5.2 Error: command not recognized\r\n");
}

static size_t take_mail(struct ssh_relay *relay, struct session *session, struct slice bytes,
			struct writer *out, bool *over)
{
	size_t used = 0;

	while (!*over) {
		struct slice rest = slice_from(bytes, used);
		size_t end = slice_find_byte(rest, '\n');

		if (end == SIZE_MAX)
			return rest.length > LINE_MAX_ ? bytes.length : used;
		take_mail_line(relay, session, slice_first(rest, end), out, over);
		used += end + 1;
	}
	return bytes.length;
}

/* --- the web --- */

static const char page[] = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
			   "<title>Welcome</title>\n</head>\n<body>\n<h1>It works!</h1>\n"
			   "</body>\n</html>\n";

static void put_page(struct session *session, bool whole, struct writer *out)
{
	char date[30];

	clock_http(session_now(session), date);
	writer_format(out,
		      "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: %s\r\nContent-Type: text/html\r\n"
		      "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		      date, sizeof(page) - 1);
	if (whole)
		writer_text(out, page);
}

static size_t take_http(struct ssh_relay *relay, struct session *session, struct slice bytes,
			struct writer *out, bool *over)
{
	size_t end = slice_find(bytes, SLICE("\r\n\r\n"));

	if (end == SIZE_MAX)
		end = slice_find(bytes, SLICE("\n\n"));
	if (end == SIZE_MAX) {
		*over = bytes.length > REQUEST_MAX;
		return *over ? bytes.length : 0;
	}
	if (slice_starts(bytes, "CONNECT ")) { /* a proxy behind the tunnel */
		writer_text(out, "HTTP/1.1 200 Connection established\r\n\r\n");
		relay->kind = SSH_RELAY_TLS;
		return bytes.length;
	}
	put_page(session, !slice_starts(bytes, "HEAD "), out);
	*over = true;
	return bytes.length;
}

size_t ssh_relay_input(struct ssh_relay *relay, struct session *session, struct slice bytes,
		       struct writer *out, bool *over)
{
	*over = false;
	if (relay->kind == SSH_RELAY_MAIL)
		return take_mail(relay, session, bytes, out, over);
	if (relay->kind == SSH_RELAY_HTTP)
		return take_http(relay, session, bytes, out, over);
	return bytes.length; /* TLS: the first bytes are all that can be had */
}
