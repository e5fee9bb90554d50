/* GNU Wget 1.21.3 on a host that nothing leaves: everything up to the connection is as it is, and
 * the URL is told to the owner. The applet of BusyBox is in wget_applet.c.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/transfer.h"

#define SECOND         ((int64_t)1000000)
#define TRIES_USUAL    20
#define WAIT_RETRY_MAX 10 /* seconds between tries: 1, 2, 3 ... */
#define URL_LIST_MAX   ((size_t)256 * 1024)
#define URLS_MAX       1000 /* of one call; a list can be long */

enum { EXIT_GENERIC = 1, EXIT_PARSE = 2, EXIT_FILE = 3, EXIT_NETWORK = 4 };

enum {
	OTHER = 1000,
	SPIDER,
	DNS_TIMEOUT,
	CONNECT_TIMEOUT,
	NOT_VERBOSE,
	RETRY_REFUSED,
	RETRY_NAMES
};

static const char letters[] = ":Vhbe:o:a:dqvi:FB:t:O:cNST:w:Q:46xP:EU:rl:kKmpA:R:D:HLI:X:n:";

static const struct option_word words[] = {
	{"version", 'V', OPTION_PLAIN},
	{"help", 'h', OPTION_PLAIN},
	{"background", 'b', OPTION_PLAIN},
	{"execute", 'e', OPTION_NEEDS},
	{"output-file", 'o', OPTION_NEEDS},
	{"append-output", 'a', OPTION_NEEDS},
	{"debug", 'd', OPTION_PLAIN},
	{"quiet", 'q', OPTION_PLAIN},
	{"verbose", 'v', OPTION_PLAIN},
	{"no-verbose", NOT_VERBOSE, OPTION_PLAIN},
	{"report-speed", OTHER, OPTION_NEEDS},
	{"input-file", 'i', OPTION_NEEDS},
	{"force-html", 'F', OPTION_PLAIN},
	{"base", 'B', OPTION_NEEDS},
	{"config", OTHER, OPTION_NEEDS},
	{"no-config", OTHER, OPTION_PLAIN},
	{"rejected-log", OTHER, OPTION_NEEDS},
	{"tries", 't', OPTION_NEEDS},
	{"retry-connrefused", RETRY_REFUSED, OPTION_PLAIN},
	{"retry-on-http-error", OTHER, OPTION_NEEDS},
	{"output-document", 'O', OPTION_NEEDS},
	{"no-clobber", OTHER, OPTION_PLAIN},
	{"no-netrc", OTHER, OPTION_PLAIN},
	{"continue", 'c', OPTION_PLAIN},
	{"start-pos", OTHER, OPTION_NEEDS},
	{"progress", OTHER, OPTION_NEEDS},
	{"show-progress", OTHER, OPTION_PLAIN},
	{"timestamping", 'N', OPTION_PLAIN},
	{"no-if-modified-since", OTHER, OPTION_PLAIN},
	{"no-use-server-timestamps", OTHER, OPTION_PLAIN},
	{"server-response", 'S', OPTION_PLAIN},
	{"spider", SPIDER, OPTION_PLAIN},
	{"timeout", 'T', OPTION_NEEDS},
	{"dns-timeout", DNS_TIMEOUT, OPTION_NEEDS},
	{"connect-timeout", CONNECT_TIMEOUT, OPTION_NEEDS},
	{"read-timeout", OTHER, OPTION_NEEDS},
	{"wait", 'w', OPTION_NEEDS},
	{"waitretry", OTHER, OPTION_NEEDS},
	{"random-wait", OTHER, OPTION_PLAIN},
	{"no-proxy", OTHER, OPTION_PLAIN},
	{"quota", 'Q', OPTION_NEEDS},
	{"bind-address", OTHER, OPTION_NEEDS},
	{"limit-rate", OTHER, OPTION_NEEDS},
	{"no-dns-cache", OTHER, OPTION_PLAIN},
	{"restrict-file-names", OTHER, OPTION_NEEDS},
	{"ignore-case", OTHER, OPTION_PLAIN},
	{"inet4-only", '4', OPTION_PLAIN},
	{"inet6-only", '6', OPTION_PLAIN},
	{"prefer-family", OTHER, OPTION_NEEDS},
	{"user", OTHER, OPTION_NEEDS},
	{"password", OTHER, OPTION_NEEDS},
	{"ask-password", OTHER, OPTION_PLAIN},
	{"use-askpass", OTHER, OPTION_NEEDS},
	{"no-iri", OTHER, OPTION_PLAIN},
	{"local-encoding", OTHER, OPTION_NEEDS},
	{"remote-encoding", OTHER, OPTION_NEEDS},
	{"unlink", OTHER, OPTION_PLAIN},
	{"xattr", OTHER, OPTION_PLAIN},
	{"no-directories", OTHER, OPTION_PLAIN},
	{"force-directories", 'x', OPTION_PLAIN},
	{"no-host-directories", OTHER, OPTION_PLAIN},
	{"protocol-directories", OTHER, OPTION_PLAIN},
	{"directory-prefix", 'P', OPTION_NEEDS},
	{"cut-dirs", OTHER, OPTION_NEEDS},
	{"http-user", OTHER, OPTION_NEEDS},
	{"http-password", OTHER, OPTION_NEEDS},
	{"no-cache", OTHER, OPTION_PLAIN},
	{"default-page", OTHER, OPTION_NEEDS},
	{"adjust-extension", 'E', OPTION_PLAIN},
	{"ignore-length", OTHER, OPTION_PLAIN},
	{"header", OTHER, OPTION_NEEDS},
	{"compression", OTHER, OPTION_NEEDS},
	{"max-redirect", OTHER, OPTION_NEEDS},
	{"proxy-user", OTHER, OPTION_NEEDS},
	{"proxy-password", OTHER, OPTION_NEEDS},
	{"referer", OTHER, OPTION_NEEDS},
	{"save-headers", OTHER, OPTION_PLAIN},
	{"user-agent", 'U', OPTION_NEEDS},
	{"no-http-keep-alive", OTHER, OPTION_PLAIN},
	{"no-cookies", OTHER, OPTION_PLAIN},
	{"load-cookies", OTHER, OPTION_NEEDS},
	{"save-cookies", OTHER, OPTION_NEEDS},
	{"keep-session-cookies", OTHER, OPTION_PLAIN},
	{"post-data", OTHER, OPTION_NEEDS},
	{"post-file", OTHER, OPTION_NEEDS},
	{"method", OTHER, OPTION_NEEDS},
	{"body-data", OTHER, OPTION_NEEDS},
	{"body-file", OTHER, OPTION_NEEDS},
	{"content-disposition", OTHER, OPTION_PLAIN},
	{"content-on-error", OTHER, OPTION_PLAIN},
	{"auth-no-challenge", OTHER, OPTION_PLAIN},
	{"secure-protocol", OTHER, OPTION_NEEDS},
	{"https-only", OTHER, OPTION_PLAIN},
	{"no-check-certificate", OTHER, OPTION_PLAIN},
	{"certificate", OTHER, OPTION_NEEDS},
	{"certificate-type", OTHER, OPTION_NEEDS},
	{"private-key", OTHER, OPTION_NEEDS},
	{"private-key-type", OTHER, OPTION_NEEDS},
	{"ca-certificate", OTHER, OPTION_NEEDS},
	{"ca-directory", OTHER, OPTION_NEEDS},
	{"crl-file", OTHER, OPTION_NEEDS},
	{"pinnedpubkey", OTHER, OPTION_NEEDS},
	{"ciphers", OTHER, OPTION_NEEDS},
	{"no-hsts", OTHER, OPTION_PLAIN},
	{"hsts-file", OTHER, OPTION_NEEDS},
	{"ftp-user", OTHER, OPTION_NEEDS},
	{"ftp-password", OTHER, OPTION_NEEDS},
	{"no-remove-listing", OTHER, OPTION_PLAIN},
	{"no-glob", OTHER, OPTION_PLAIN},
	{"no-passive-ftp", OTHER, OPTION_PLAIN},
	{"preserve-permissions", OTHER, OPTION_PLAIN},
	{"retr-symlinks", OTHER, OPTION_PLAIN},
	{"ftps-implicit", OTHER, OPTION_PLAIN},
	{"ftps-resume-ssl", OTHER, OPTION_PLAIN},
	{"ftps-clear-data-connection", OTHER, OPTION_PLAIN},
	{"ftps-fallback-to-ftp", OTHER, OPTION_PLAIN},
	{"warc-file", OTHER, OPTION_NEEDS},
	{"warc-header", OTHER, OPTION_NEEDS},
	{"warc-max-size", OTHER, OPTION_NEEDS},
	{"warc-cdx", OTHER, OPTION_PLAIN},
	{"warc-dedup", OTHER, OPTION_NEEDS},
	{"no-warc-compression", OTHER, OPTION_PLAIN},
	{"no-warc-digests", OTHER, OPTION_PLAIN},
	{"no-warc-keep-log", OTHER, OPTION_PLAIN},
	{"warc-tempdir", OTHER, OPTION_NEEDS},
	{"recursive", 'r', OPTION_PLAIN},
	{"level", 'l', OPTION_NEEDS},
	{"delete-after", OTHER, OPTION_PLAIN},
	{"convert-links", 'k', OPTION_PLAIN},
	{"convert-file-only", OTHER, OPTION_PLAIN},
	{"backups", OTHER, OPTION_NEEDS},
	{"backup-converted", 'K', OPTION_PLAIN},
	{"mirror", 'm', OPTION_PLAIN},
	{"page-requisites", 'p', OPTION_PLAIN},
	{"strict-comments", OTHER, OPTION_PLAIN},
	{"accept", 'A', OPTION_NEEDS},
	{"reject", 'R', OPTION_NEEDS},
	{"accept-regex", OTHER, OPTION_NEEDS},
	{"reject-regex", OTHER, OPTION_NEEDS},
	{"regex-type", OTHER, OPTION_NEEDS},
	{"domains", 'D', OPTION_NEEDS},
	{"exclude-domains", OTHER, OPTION_NEEDS},
	{"follow-ftp", OTHER, OPTION_PLAIN},
	{"follow-tags", OTHER, OPTION_NEEDS},
	{"ignore-tags", OTHER, OPTION_NEEDS},
	{"span-hosts", 'H', OPTION_PLAIN},
	{"relative", 'L', OPTION_PLAIN},
	{"include-directories", 'I', OPTION_NEEDS},
	{"trust-server-names", OTHER, OPTION_PLAIN},
	{"exclude-directories", 'X', OPTION_NEEDS},
	{"no-parent", OTHER, OPTION_PLAIN},
	{"retry-on-host-error", RETRY_NAMES, OPTION_PLAIN},
	{"check-certificate", OTHER, OPTION_PLAIN},
	{"clobber", OTHER, OPTION_PLAIN},
	{"directories", OTHER, OPTION_PLAIN},
	{"host-directories", OTHER, OPTION_PLAIN},
	{"parent", OTHER, OPTION_PLAIN},
	{"cookies", OTHER, OPTION_PLAIN},
	{"proxy", OTHER, OPTION_PLAIN},
	{"cache", OTHER, OPTION_PLAIN},
	{"passive-ftp", OTHER, OPTION_PLAIN},
	{"hsts", OTHER, OPTION_PLAIN},
	{"glob", OTHER, OPTION_PLAIN},
	{"iri", OTHER, OPTION_PLAIN},
	{"netrc", OTHER, OPTION_PLAIN},
	{"http-keep-alive", OTHER, OPTION_PLAIN},
	{"dns-cache", OTHER, OPTION_PLAIN},
	{0},
};

enum loudness { QUIET, TERSE, LOUD };

struct wget {
	struct process *process;
	enum loudness loudness;
	int log; /* descriptor */
	int64_t tries, dns_limit, connect_limit;
	bool background, says_log, spider, retry_refused, retry_names, failed_file;
	const char *document, *log_file, *list, *prefix;
	bool append_log;
	int status;
};

PRINTF(3, 4)
static void tell(struct wget *wget, enum loudness from, const char *format, ...)
{
	char line[4096];
	if (wget->loudness < from)
		return;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length <= 0)
		return;
	size_t size = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
	(void)process_write(wget->process, wget->log, slice_of(line, size));
}

static void say_when(struct wget *wget, int64_t count, const char *url)
{
	char moment[32], again[40] = "";
	struct tm now;
	outside_local_time(wget->process, process_now(wget->process), &now);
	strftime(moment, sizeof(moment), "%Y-%m-%d %H:%M:%S", &now);
	if (count > 1)
		snprintf(again, sizeof(again), "(try:%2lld)  ", (long long)count);
	tell(wget, LOUD, "--%s--  %s%s\n", moment, again, url);
}

/* Bytes that wget writes as %XX. */
static bool is_unsafe(unsigned char c)
{
	return c <= ' ' || c >= 127 || strchr("<>\"#{}|\\^~[]`", c);
}

/* The URL as wget shows it. */
static char *shown_url(struct process *p, const struct outside_url *url)
{
	struct text text = {0};
	text_format(p, &text, "%s://", url->scheme);
	if (*url->user)
		text_format(p, &text, "%s%s@", url->user, *url->password ? ":*password*" : "");
	text_format(p, &text, strchr(url->host, ':') ? "[%s]" : "%s", url->host);
	if (url->port && url->port != transfer_port(url->scheme))
		text_format(p, &text, ":%u", url->port);
	for (const char *at = url->path; *at; at++) {
		bool escaped = *at == '%' && at[1] && strchr("0123456789abcdefABCDEF", at[1]);
		if (*at == '%' ? !escaped : *at != '~' && is_unsafe((unsigned char)*at))
			text_format(p, &text, "%%%02X", (unsigned char)*at);
		else
			text_add_byte(p, &text, (uint8_t)*at);
	}
	return text.data;
}

static void tell_owner(struct wget *wget, const struct outside_url *url, const char *error)
{
	char *port = url->port ? process_format(wget->process, ":%u", url->port) : (char *)"";
	char *text = process_format(wget->process, "%s://%s%s%s%s%s%s%s", url->scheme, url->user,
				    *url->password ? ":" : "", url->password, *url->user ? "@" : "",
				    url->host, port, url->path);
	process_report_download(wget->process, slice_text(text), error);
	process_give(wget->process, text);
}

/* Looks the name up, and says so; false: not found. */
static bool find_host(struct wget *wget, const struct outside_url *url, struct outside_place *place)
{
	struct process *p = wget->process;
	enum outside_lookup found = outside_resolve_now(p, url->host, place);
	if (found == OUTSIDE_FOUND && place->literal)
		return true;
	tell(wget, LOUD, "Resolving %s (%s)... ", url->host, url->host);
	if (found == OUTSIDE_FOUND) {
		tell(wget, LOUD, "%s\n", place->text);
		return true;
	}
	const char *why = outside_lookup_words[found];
	if (found == OUTSIDE_TRY_AGAIN && wget->dns_limit >= 0 && wget->dns_limit < 10 * SECOND) {
		why = strerror(ETIMEDOUT);
		tell_owner(wget, url, why);
		process_sleep(p, wget->dns_limit);
	} else {
		tell_owner(wget, url, why);
		(void)outside_resolve(p, url->host, place);
	}
	tell(wget, LOUD, "failed: %s.\n", why);
	tell(wget, TERSE, "%s: unable to resolve host address %s\n", "wget",
	     outside_quote(p, url->host));
	return false;
}

/* 0 when connected, or -errno, said. */
static int connect_host(struct wget *wget, const struct outside_url *url,
			const struct outside_place *place)
{
	struct process *p = wget->process;
	unsigned port = url->port ? url->port : transfer_port(url->scheme);
	const char *open = place->address.family == 6 ? "[" : "", *close = *open ? "]" : "";
	if (place->literal)
		tell(wget, LOUD, "Connecting to %s%s%s:%u... ", open, place->text, close, port);
	else
		tell(wget, LOUD, "Connecting to %s (%s)|%s|:%u... ", url->host, url->host,
		     place->text, port);
	int error = outside_connect(p, &place->address, port, false, wget->connect_limit);
	if (error == -EINPROGRESS)
		error = -ETIMEDOUT;
	if (error)
		tell(wget, TERSE, "failed: %s.\n", strerror(-error));
	else
		tell(wget, LOUD, "connected.\n");
	return error;
}

/* What a program that listens on the host itself makes of a request: it hangs up. */
static void hear_nothing(struct wget *wget, const struct outside_url *url)
{
	if (strcmp(url->scheme, "https") == 0) {
		tell(wget, LOUD,
		     "GnuTLS: An unexpected TLS packet was received.\n"
		     "Unable to establish SSL connection.\n");
		return;
	}
	process_sleep(wget->process, 20000);
	tell(wget, LOUD,
	     "HTTP request sent, awaiting response... Read error (Connection reset by "
	     "peer) in headers.\n");
}

static bool worth_retrying(const struct wget *wget, int error)
{
	if (error == -ECONNREFUSED)
		return wget->retry_refused;
	return error != -EHOSTUNREACH && error != -ENETUNREACH;
}

static void fetch(struct wget *wget, const struct outside_url *url)
{
	struct process *p = wget->process;
	char *shown = shown_url(p, url);
	bool told = false;
	if (wget->spider && strcmp(url->scheme, "ftp") != 0)
		tell(wget, LOUD, "Spider mode enabled. Check if remote file exists.\n");
	for (int64_t count = 1;; count++) {
		struct outside_place place;
		if (count > 1) {
			int64_t pause = count - 1 < WAIT_RETRY_MAX ? count - 1 : WAIT_RETRY_MAX;
			process_sleep(p, pause * SECOND);
		}
		process_step(p);
		say_when(wget, count, shown);
		if (count == 1 && strncmp(url->scheme, "ftp", 3) == 0)
			tell(wget, LOUD, "%*s=> %s\n", 11, "",
			     outside_quote(p, transfer_free_name(p, wget->prefix, wget->document,
								 url->path)));
		wget->status = EXIT_NETWORK;
		if (!find_host(wget, url, &place)) {
			if (!wget->retry_names)
				break;
		} else {
			unsigned port = url->port ? url->port : transfer_port(url->scheme);
			int error = outside_connect_now(p, &place.address, port, false);
			if (!told)
				tell_owner(wget, url, strerror(error ? -error : ECONNRESET));
			told = true;
			error = connect_host(wget, url, &place);
			if (error == 0)
				hear_nothing(wget, url);
			if (!worth_retrying(wget, error))
				break;
		}
		if (wget->tries && count >= wget->tries) {
			tell(wget, LOUD, "Giving up.\n\n");
			break;
		}
		tell(wget, LOUD, "Retrying.\n\n");
	}
	if (wget->spider)
		wget->status = EXIT_NETWORK;
	process_give(p, shown);
}

static void take_url(struct wget *wget, const char *text)
{
	struct process *p = wget->process;
	static const char *const schemes[] = {"http", "https", "ftp", "ftps"};
	struct outside_url url;
	bool known = false;
	outside_url_read(p, text, &url);
	if (!*url.scheme && !strstr(text, "://"))
		url.scheme = (char *)(strncmp(url.host, "ftp.", 4) == 0 ? "ftp" : "http");
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
		known = known || strcmp(url.scheme, schemes[i]) == 0;
	const char *wrong = NULL;
	if (!known)
		wrong = process_format(p, "Unsupported scheme %s", outside_quote(p, url.scheme));
	else if (!*url.host)
		wrong = "Invalid host name";
	else if (url.bad_port)
		wrong = "Bad port number";
	if (wrong) {
		tell(wget, TERSE, "%s: %s.\n", text, wrong);
		if (wget->status == 0)
			wget->status = EXIT_GENERIC;
		return;
	}
	fetch(wget, &url);
}

static bool is_number(const char *text)
{
	char *end;
	double number = strtod(text, &end);
	return end != text && (*end == '\0' || strchr("smhd", *end)) && number >= 0;
}

static int64_t limit_of(struct wget *wget, const char *option, const char *text)
{
	if (!is_number(text)) {
		process_error(wget->process, "wget: %s: Invalid time period %s\n", option,
			      outside_quote(wget->process, text));
		process_exit(wget->process, EXIT_PARSE);
	}
	double seconds = strtod(text, NULL);
	if (seconds <= 0)
		return -1;
	return seconds > 86400 ? 86400 * SECOND : (int64_t)(seconds * (double)SECOND);
}

static void usage_short(struct process *p)
{
	process_error(p, "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more "
			 "options.\n");
}

/* -nv, -nc, -nd, -nH, -np: a letter of a letter. */
static void take_negative(struct wget *wget, const char *text)
{
	for (; *text; text++) {
		if (*text == 'v') {
			wget->loudness = TERSE;
		} else if (!strchr("cdHp", *text)) {
			process_error(wget->process, "wget: invalid option -- '-n%c'\n\n", *text);
			usage_short(wget->process);
			process_exit(wget->process, EXIT_PARSE);
		}
	}
}

static void set_option(struct wget *wget, int option, const char *argument)
{
	switch (option) {
	case 'b':
		wget->background = true;
		break;
	case 'q':
		wget->loudness = QUIET;
		break;
	case 'v':
		wget->loudness = LOUD;
		break;
	case NOT_VERBOSE:
		wget->loudness = TERSE;
		break;
	case 'n':
		take_negative(wget, argument);
		break;
	case 'o':
	case 'a':
		wget->log_file = argument;
		wget->append_log = option == 'a';
		break;
	case 'O':
		wget->document = argument;
		break;
	case 'P':
		wget->prefix = argument;
		break;
	case 'i':
		wget->list = argument;
		break;
	case 't':
		wget->tries = strcmp(argument, "inf") == 0 ? 0 : strtoll(argument, NULL, 10);
		break;
	case 'T':
		wget->dns_limit = wget->connect_limit = limit_of(wget, "--timeout", argument);
		break;
	case DNS_TIMEOUT:
		wget->dns_limit = limit_of(wget, "--dns-timeout", argument);
		break;
	case CONNECT_TIMEOUT:
		wget->connect_limit = limit_of(wget, "--connect-timeout", argument);
		break;
	case SPIDER:
		wget->spider = true;
		break;
	case RETRY_REFUSED:
		wget->retry_refused = true;
		break;
	case RETRY_NAMES:
		wget->retry_names = true;
		break;
	default:
		break;
	}
}

static void take_list(struct wget *wget)
{
	struct process *p = wget->process;
	struct text file = {0};
	struct slice rest, line;
	size_t count = 0;
	int error = strcmp(wget->list, "-") == 0
			    ? process_read_all(p, 0, URL_LIST_MAX, &file)
			    : process_read_file(p, wget->list, URL_LIST_MAX, &file);
	if (error)
		tell(wget, TERSE, "%s: %s\n", wget->list, strerror(-error));
	rest = text_slice(&file);
	while (count < URLS_MAX && slice_next(&rest, '\n', &line)) {
		line = slice_trim(line);
		if (line.length == 0 || line.at[0] == '#')
			continue;
		count++;
		take_url(wget, process_copy_slice(p, line));
	}
	if (count == 0)
		tell(wget, TERSE, "No URLs found in %s.\n", wget->list);
	process_give(p, file.data);
}

/* The files that are opened before anything is fetched; false: one of them cannot be. */
static bool open_files(struct wget *wget)
{
	struct process *p = wget->process;
	int flags = O_WRONLY | O_CREAT;
	if (wget->background && !wget->log_file) {
		wget->log_file = "wget-log";
		wget->says_log = true;
	}
	if (wget->log_file) {
		int log = process_open(p, wget->log_file,
				       flags | (wget->append_log ? O_APPEND : O_TRUNC), 0666);
		if (log < 0) {
			process_error(p, "%s: %s\n", wget->log_file, strerror(-log));
			return false;
		}
		wget->log = log;
	}
	if (wget->document && strcmp(wget->document, "-") != 0) {
		int file = process_open(p, wget->document, flags | O_TRUNC, 0666);
		if (file < 0) {
			tell(wget, TERSE, "%s: %s\n", wget->document, strerror(-file));
			return false;
		}
		process_close(p, file);
	}
	return true;
}

/* The parent's memory ends with it: the child takes what it needs, then closes the pipe. */
struct background {
	const struct wget *wget;
	int ends[2];
};

static int run_in_background(struct process *p, int argc, char **argv)
{
	const struct background *background = process_handed_over(p);
	struct wget wget = *background->wget;
	int ends[2] = {background->ends[0], background->ends[1]};
	wget.process = p;
	if (wget.document)
		wget.document = process_copy_text(p, wget.document);
	if (wget.prefix)
		wget.prefix = process_copy_text(p, wget.prefix);
	if (wget.list)
		wget.list = process_copy_text(p, wget.list);
	process_close(p, ends[0]);
	process_close(p, ends[1]);
	for (int i = 0; i < argc; i++)
		take_url(&wget, argv[i]);
	if (wget.list)
		take_list(&wget);
	return wget.status;
}

static int go_on_in_background(struct wget *wget, int count, char **urls)
{
	struct background background = {.wget = wget};
	struct process *p = wget->process;
	uint8_t byte;
	if (process_make_pipe(p, background.ends) != 0)
		return EXIT_GENERIC;
	const struct process_start start = {.name = "wget",
					    .run = run_in_background,
					    .argc = count,
					    .argv = urls,
					    .own_group = true,
					    .hand_over = &background};
	int pid = process_spawn(p, &start);
	process_close(p, background.ends[1]);
	if (pid < 0) {
		process_error(p, "fork: %s\n", strerror(-pid));
		return EXIT_GENERIC;
	}
	process_print(p, "Continuing in background, pid %d.\n", pid);
	if (wget->says_log)
		process_print(p, "Output will be written to %s.\n", outside_quote(p, "wget-log"));
	(void)process_read(p, background.ends[0], &byte, 1);
	return 0;
}

static int wget_main(struct process *process, int argc, char **argv)
{
	if (process->busybox)
		return transfer_wget_applet(process, argc, argv);
	struct wget wget = {.process = process,
			    .loudness = LOUD,
			    .log = 2,
			    .tries = TRIES_USUAL,
			    .dns_limit = -1,
			    .connect_limit = -1};
	struct option_state state = {0};
	for (int option;
	     (option = option_next(process, &state, argc, argv, letters, words)) != -1;) {
		switch (option) {
		case '?':
			usage_short(process);
			return EXIT_PARSE;
		case 'V':
			process_put_text(process, transfer_wget_version);
			return 0;
		case 'h':
			process_put_text(process, transfer_wget_help);
			return 0;
		default:
			set_option(&wget, option, state.argument);
			break;
		}
	}
	int count = argc - state.index;
	if (count == 0 && !wget.list) {
		process_error(process, "wget: missing URL\n");
		usage_short(process);
		return EXIT_GENERIC;
	}
	if (!open_files(&wget))
		return EXIT_GENERIC;
	if (wget.background)
		return go_on_in_background(&wget, count, argv + state.index);
	for (int i = 0; i < count && i < URLS_MAX; i++)
		take_url(&wget, argv[state.index + i]);
	if (wget.list)
		take_list(&wget);
	return wget.status;
}

static const struct command commands[] = {
	{"wget", wget_main, COMMAND_BOTH, NULL, NULL},
	{0},
};

const struct command_family command_family_wget = {"wget", commands};
