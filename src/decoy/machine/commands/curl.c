/* curl 7.88.1 on a host that nothing leaves: resolution and connection fail in its words, with its
 * progress meter; the URL, and what was to be sent, is told to the owner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/curl.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/transfer.h"

#define SECOND    ((int64_t)1000000)
#define LOOKUP    (10 * SECOND)
#define URLS_MAX  200
#define RETRY_MAX 600 /* seconds between tries: 1, 2, 4 ... */

enum {
	FAILED_INIT = 2,
	BAD_SCHEME = 1,
	BAD_URL = 3,
	NO_HOST = 6,
	NO_CONNECTION = 7,
	WRITE_ERROR = 23,
	READ_ERROR = 26,
	TIMED_OUT = 28,
	TLS_ERROR = 35,
	FILE_ERROR = 37,
	GOT_NOTHING = 52,
	RECEIVE_ERROR = 56,
};

struct wish {
	const char *url;
	const char *output;
	bool remote_name;
};

struct curl {
	struct process *process;
	struct wish *wishes; /* URLs, and outputs in their order */
	size_t urls, outputs;
	bool silent, show_error, verbose, no_meter, fail_early, remote_all, compressed;
	int64_t limit, connect_limit; /* -1: none */
	long retries;
	const char *method, *data, *form;
	bool started; /* the meter's head was printed for this transfer */
	int64_t since;
};

/* --- the progress meter --- */

static bool has_meter(const struct curl *curl, const struct wish *wish)
{
	if (curl->silent || curl->no_meter)
		return false;
	return wish->output || wish->remote_name || !process_is_terminal(curl->process, 1);
}

static void meter_line(struct curl *curl)
{
	char spent[16] = "--:--:--";
	int64_t seconds = (process_now(curl->process) - curl->since) / SECOND;
	if (seconds > 0)
		snprintf(spent, sizeof(spent), "%2d:%02d:%02d", (int)(seconds / 3600 % 100),
			 (int)(seconds / 60 % 60), (int)(seconds % 60));
	process_error(curl->process,
		      "\r  0     0    0     0    0     0      0      0 --:--:-- %s --:--:--     0",
		      spent);
}

static void meter_begin(struct curl *curl, bool meter)
{
	curl->since = process_now(curl->process);
	if (!meter)
		return;
	process_error(curl->process,
		      "  %% Total    %% Received %% Xferd  Average Speed   Time    Time     Time  "
		      "Current\n                                 Dload  Upload   Total   Spent    "
		      "Left  Speed\n");
	meter_line(curl);
}

/* Waits, and lets the meter go on each second. */
static void wait_with_meter(struct curl *curl, bool meter, int64_t wait)
{
	struct process *p = curl->process;
	int64_t until = process_now(p) + wait;
	for (int64_t now = process_now(p); now < until; now = process_now(p)) {
		int64_t step = until - now < SECOND ? until - now : SECOND;
		process_sleep(p, step + (step == SECOND ? 400 : 0));
		process_step(p);
		if (meter && step > SECOND / 5)
			meter_line(curl);
	}
}

/* --- a transfer --- */

static void tell_owner(struct curl *curl, const struct outside_url *url, const char *error)
{
	struct process *p = curl->process;
	struct text text = {0};
	text_format(p, &text, "%s://", url->scheme);
	if (*url->user)
		text_format(p, &text, "%s%s%s@", url->user, *url->password ? ":" : "",
			    url->password);
	text_format(p, &text, "%s", url->host);
	if (url->port)
		text_format(p, &text, ":%u", url->port);
	text_format(p, &text, "%s", url->path);
	process_report_download(p, text_slice(&text), error);
	process_give(p, text.data);
	/* What would have been sent: stolen things, or a bot's report. */
	if (curl->data)
		process_report_input(p, slice_text(curl->data));
}

PRINTF(3, 4)
static int fail(struct curl *curl, int status, const char *format, ...)
{
	char words[1024];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	if (length > 0 && (!curl->silent || curl->show_error))
		process_error(curl->process, "curl: (%d) %s\n", status, words);
	return status;
}

static int no_host(struct curl *curl, const struct outside_url *url, bool meter)
{
	struct process *p = curl->process;
	int64_t limit = curl->limit;
	struct outside_place place;
	enum outside_lookup found = outside_resolve_now(p, url->host, &place);
	if (curl->connect_limit >= 0 && (limit < 0 || curl->connect_limit < limit))
		limit = curl->connect_limit;
	if (found == OUTSIDE_TRY_AGAIN && limit >= 0 && limit < LOOKUP) {
		tell_owner(curl, url, "Resolving timed out");
		wait_with_meter(curl, meter, limit);
		if (meter)
			process_error(p, "\n");
		long spent = (long)(limit / 1000 + (int64_t)process_random_number(p, 3));
		if (curl->verbose)
			process_error(p,
				      "* Resolving timed out after %ld milliseconds\n"
				      "* Closing connection 0\n",
				      spent);
		return fail(curl, TIMED_OUT, "Resolving timed out after %ld milliseconds", spent);
	}
	tell_owner(curl, url, "Could not resolve host");
	if (found == OUTSIDE_TRY_AGAIN)
		wait_with_meter(curl, meter, LOOKUP + (int64_t)process_random_number(p, 20000));
	if (curl->verbose)
		process_error(p, "* Could not resolve host: %s\n* Closing connection 0\n",
			      url->host);
	return fail(curl, NO_HOST, "Could not resolve host: %s", url->host);
}

/* Somebody of the host itself listens there, and hangs up. */
static int hung_up(struct curl *curl, const struct outside_url *url, bool meter)
{
	struct process *p = curl->process;
	process_sleep(p, 15000);
	if (meter) {
		meter_line(curl);
		process_error(p, "\n");
	}
	if (strcmp(url->scheme, "https") == 0)
		return fail(curl, TLS_ERROR,
			    "OpenSSL/3.0.15: error:0A00010B:SSL routines::wrong version number");
	return fail(curl, RECEIVE_ERROR, "Recv failure: Connection reset by peer");
}

static int no_connection(struct curl *curl, const struct outside_url *url,
			 const struct outside_place *place, bool meter)
{
	struct process *p = curl->process;
	unsigned port = url->port ? url->port : transfer_port(url->scheme);
	int error = outside_connect_now(p, &place->address, port, false);
	const char *open = place->address.family == 6 ? "[" : "", *close = *open ? "]" : "";
	int64_t wait = 0, limit = curl->limit, began = process_now(p);
	bool whole = true; /* the limit is of the whole transfer */
	tell_owner(curl, url, error ? strerror(-error) : strerror(ECONNRESET));
	if (curl->verbose)
		process_error(p, "*   Trying %s%s%s:%u...\n", open, place->text, close, port);
	if (error == 0)
		return hung_up(curl, url, meter);
	if (curl->connect_limit >= 0 && (limit < 0 || curl->connect_limit < limit)) {
		limit = curl->connect_limit;
		whole = false;
	}
	if (error == -ETIMEDOUT)
		wait = 15 * SECOND + 200000 + (int64_t)process_random_number(p, 240000);
	else if (error == -EHOSTUNREACH)
		wait = 3 * SECOND + 50000 + (int64_t)process_random_number(p, 30000);
	bool cut = limit >= 0 && wait > limit;
	wait_with_meter(curl, meter, cut ? limit + 600 : wait);
	long spent = (long)((process_now(p) - began) / 1000);
	if (curl->verbose && !cut)
		process_error(p, "* connect to %s port %u failed: %s\n", place->text, port,
			      strerror(-error));
	char *words;
	if (cut && whole)
		words = process_format(p, "Connection timed out after %ld milliseconds", spent);
	else
		words = process_format(p, "Failed to connect to %s port %u after %ld ms: %s",
				       url->host, port, spent,
				       cut ? "Timeout was reached" : "Couldn't connect to server");
	if (curl->verbose)
		process_error(p, "* %s\n", words);
	if (meter && !cut)
		meter_line(curl);
	if (meter)
		process_error(p, "\n");
	if (curl->verbose)
		process_error(p, "* Closing connection 0\n");
	return fail(curl, cut || error == -ETIMEDOUT ? TIMED_OUT : NO_CONNECTION, "%s", words);
}

/* file:// works. */
static int copy_file(struct curl *curl, const struct outside_url *url, const struct wish *wish)
{
	struct process *p = curl->process;
	char buffer[2048];
	int to = 1, from = process_open(p, url->path, O_RDONLY, 0);
	if (from < 0)
		return fail(curl, FILE_ERROR, "Couldn't open file %s", url->path);
	if (wish->output && strcmp(wish->output, "-") != 0)
		to = process_open(p, wish->output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (to < 0)
		return fail(curl, WRITE_ERROR, "Failure writing output to destination");
	for (ssize_t count; (count = process_read(p, from, buffer, sizeof(buffer))) > 0;) {
		(void)process_write(p, to, slice_of(buffer, (size_t)count));
		process_step(p);
	}
	process_close(p, from);
	return 0;
}

static int transfer(struct curl *curl, struct wish *wish)
{
	static const char *const known[] = {
		"dict",  "file", "ftp",   "ftps", "gopher", "gophers", "http", "https", "imap",
		"imaps", "ldap", "ldaps", "mqtt", "pop3",   "pop3s",   "rtmp", "rtsp",  "scp",
		"sftp",  "smb",  "smbs",  "smtp", "smtps",  "telnet",  "tftp"};
	struct process *p = curl->process;
	struct outside_url url;
	struct outside_place place;
	bool supported = false, meter = has_meter(curl, wish);
	outside_url_read(p, wish->url, &url);
	if (!*url.scheme)
		url.scheme = (char *)(strncmp(url.host, "ftp.", 4) == 0 ? "ftp" : "http");
	if (wish->remote_name) {
		size_t length = strcspn(url.path, "?");
		if (url.path[length - 1] == '/') {
			if (!curl->silent || curl->show_error)
				process_error(p, "curl: Remote file name has no length!\n");
			return fail(curl, WRITE_ERROR,
				    "Failed writing received data to disk/application");
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(known); i++)
		supported = supported || strcmp(url.scheme, known[i]) == 0;
	if (!supported)
		return fail(curl, BAD_SCHEME,
			    "Protocol \"%s\" not supported or disabled in libcurl", url.scheme);
	if (strcmp(url.scheme, "file") == 0)
		return copy_file(curl, &url, wish);
	if (url.bad_port)
		return fail(curl, BAD_URL, "URL using bad/illegal format or missing URL");
	if (!*url.host)
		return fail(curl, BAD_URL, "URL using bad/illegal format or missing URL");
	meter_begin(curl, meter);
	if (outside_resolve_now(p, url.host, &place) != OUTSIDE_FOUND)
		return no_host(curl, &url, meter);
	return no_connection(curl, &url, &place, meter);
}

static bool is_passing(int status)
{
	return status == TIMED_OUT || status == NO_HOST;
}

static int transfer_with_retries(struct curl *curl, struct wish *wish)
{
	int64_t pause = 1;
	int status = transfer(curl, wish);
	for (long left = curl->retries; left > 0 && is_passing(status); left--) {
		if (!curl->silent || curl->show_error)
			process_error(curl->process,
				      "Warning: Problem: %s. Will retry in %lld seconds. %ld "
				      "retries left.\n",
				      status == TIMED_OUT ? "timeout" : "(retrying all errors)",
				      (long long)pause, left);
		process_sleep(curl->process, pause * SECOND);
		pause = pause * 2 > RETRY_MAX ? RETRY_MAX : pause * 2;
		status = transfer(curl, wish);
	}
	return status;
}

/* --- options --- */

static int refuse(struct process *p, const char *option, const char *why)
{
	process_error(p, "curl: option %s: %s\n", option, why);
	process_error(p, "curl: try 'curl --help' or 'curl --manual' for more information\n");
	return FAILED_INIT;
}

static struct wish *wish_at(struct curl *curl, size_t index)
{
	if (index >= URLS_MAX)
		index = URLS_MAX - 1;
	return &curl->wishes[index];
}

static int64_t seconds_of(const char *text)
{
	double seconds = strtod(text, NULL);
	if (seconds <= 0)
		return -1;
	return seconds > 86400 ? 86400 * SECOND : (int64_t)(seconds * (double)SECOND);
}

/* "-d @file" and plain; what bots send is worth keeping. */
static void add_data(struct curl *curl, const char *argument)
{
	const char *before = curl->data ? curl->data : "";
	curl->data = process_format(curl->process, "%s%s%s", before, *before ? "&" : "", argument);
}

/* True when it is a plain option that the long names spell. */
static void set_option(struct curl *curl, const struct curl_option *option, const char *argument,
		       bool negated)
{
	const char *name = option->name;
	if (strcmp(name, "silent") == 0)
		curl->silent = !negated;
	else if (strcmp(name, "show-error") == 0)
		curl->show_error = !negated;
	else if (strcmp(name, "verbose") == 0 || strcmp(name, "trace-time") == 0)
		curl->verbose = !negated;
	else if (strcmp(name, "progress-meter") == 0 || strcmp(name, "no-progress-meter") == 0)
		curl->no_meter = true;
	else if (strcmp(name, "fail-early") == 0)
		curl->fail_early = true;
	else if (strcmp(name, "output") == 0)
		wish_at(curl, curl->outputs++)->output = argument;
	else if (strcmp(name, "remote-name") == 0)
		wish_at(curl, curl->outputs++)->remote_name = true;
	else if (strcmp(name, "remote-name-all") == 0)
		curl->remote_all = true;
	else if (strcmp(name, "url") == 0)
		wish_at(curl, curl->urls++)->url = argument;
	else if (strcmp(name, "max-time") == 0)
		curl->limit = seconds_of(argument);
	else if (strcmp(name, "connect-timeout") == 0)
		curl->connect_limit = seconds_of(argument);
	else if (strcmp(name, "retry") == 0)
		curl->retries = strtol(argument, NULL, 10);
	else if (strncmp(name, "data", 4) == 0 || strncmp(name, "form", 4) == 0 ||
		 strcmp(name, "json") == 0 || strcmp(name, "upload-file") == 0)
		add_data(curl, argument ? argument : "");
}

static const struct curl_option *find_long(const char *name, size_t length, bool *ambiguous)
{
	const struct curl_option *found = NULL;
	*ambiguous = false;
	for (const struct curl_option *at = curl_options; at->name; at++) {
		if (strncmp(at->name, name, length) != 0)
			continue;
		if (at->name[length] == '\0') {
			*ambiguous = false;
			return at;
		}
		*ambiguous = found != NULL;
		found = at;
	}
	return found;
}

/* An option of the word at argv[*index]; 0, or the exit status. done: it printed all there is. */
static int take_long(struct curl *curl, int argc, char **argv, int *index, bool *done)
{
	struct process *p = curl->process;
	const char *word = argv[*index], *name = word + 2;
	bool ambiguous, negated = strncmp(name, "no-", 3) == 0;
	const struct curl_option *option = find_long(name, strlen(name), &ambiguous);
	if (!option && negated) {
		option = find_long(name + 3, strlen(name + 3), &ambiguous);
		if (option && strcmp(option->name, name + 3) != 0)
			option = NULL;
	} else {
		negated = false;
	}
	if (!option)
		return refuse(p, word, "is unknown");
	if (ambiguous)
		return refuse(p, word, "is ambiguous");
	if (strcmp(option->name, "version") == 0 || strcmp(option->name, "help") == 0) {
		process_put_text(p, option->name[0] == 'v' ? curl_version : curl_help);
		*done = true;
		return 0;
	}
	const char *argument = NULL;
	if (option->argument && !negated) {
		if (*index + 1 >= argc)
			return refuse(p, word, "requires parameter");
		argument = argv[++*index];
	}
	set_option(curl, option, argument, negated);
	return 0;
}

static int take_letters(struct curl *curl, int argc, char **argv, int *index, bool *done)
{
	struct process *p = curl->process;
	const char *word = argv[*index];
	for (const char *at = word + 1; *at; at++) {
		const struct curl_option *option = curl_options;
		while (option->name && (option->letter != *at || *at == ' '))
			option++;
		if (!option->name)
			return refuse(p, word, "is unknown");
		if (*at == 'V' || *at == 'h') {
			process_put_text(p, *at == 'V' ? curl_version : curl_help);
			*done = true;
			return 0;
		}
		if (!option->argument) {
			set_option(curl, option, NULL, false);
			continue;
		}
		if (at[1]) {
			set_option(curl, option, at + 1, false);
			return 0;
		}
		if (*index + 1 >= argc)
			return refuse(p, word, "requires parameter");
		set_option(curl, option, argv[++*index], false);
		return 0;
	}
	return 0;
}

static int curl_main(struct process *process, int argc, char **argv)
{
	struct curl curl = {.process = process, .limit = -1, .connect_limit = -1};
	bool done = false, plain = false;
	int status = 0;
	curl.wishes = process_take(process, URLS_MAX * sizeof(*curl.wishes));
	if (argc < 2) {
		process_error(process, "curl: try 'curl --help' or 'curl --manual' for more "
				       "information\n");
		return FAILED_INIT;
	}
	for (int i = 1; i < argc && status == 0 && !done; i++) {
		if (!plain && strcmp(argv[i], "--") == 0)
			plain = true;
		else if (!plain && strncmp(argv[i], "--", 2) == 0)
			status = take_long(&curl, argc, argv, &i, &done);
		else if (!plain && argv[i][0] == '-' && argv[i][1])
			status = take_letters(&curl, argc, argv, &i, &done);
		else
			wish_at(&curl, curl.urls++)->url = argv[i];
	}
	if (status || done)
		return status;
	if (curl.urls == 0) {
		process_error(process, "curl: no URL specified!\ncurl: try 'curl --help' or 'curl "
				       "--manual' for more information\n");
		return FAILED_INIT;
	}
	for (size_t i = 0; i < curl.urls && i < URLS_MAX; i++) {
		struct wish *wish = &curl.wishes[i];
		wish->remote_name = wish->remote_name || (curl.remote_all && !wish->output);
		status = transfer_with_retries(&curl, wish);
		if (status && curl.fail_early)
			break;
	}
	return status;
}

static const struct command commands[] = {
	{"curl", curl_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_curl = {"curl", commands};
