/* BusyBox's ways of fetching files (wget, tftp, ftpget, ftpput), and what wget and curl share. */
#include "decoy/machine/commands/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"

#define SECOND ((int64_t)1000000)
/* tftp(1) of BusyBox asks 12 times, after 50 ms and half as long again each time; the sum: */
#define TFTP_PATIENCE ((int64_t)13240000)
#define NAMES_TRIED   10000

unsigned transfer_port(const char *scheme)
{
	static const struct {
		const char *scheme;
		unsigned port;
	} usual[] = {{"http", 80},  {"https", 443}, {"ftp", 21},    {"ftps", 990},  {"tftp", 69},
		     {"sftp", 22},  {"scp", 22},    {"telnet", 23}, {"dict", 2628}, {"ldap", 389},
		     {"smb", 445},  {"gopher", 70}, {"imap", 143},  {"pop3", 110},  {"smtp", 25},
		     {"rtsp", 554}, {"mqtt", 1883}, {"imaps", 993}, {"smtps", 465}};
	for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
		if (strcmp(scheme, usual[i].scheme) == 0)
			return usual[i].port;
	return 80;
}

const char *transfer_free_name(struct process *p, const char *prefix, const char *document,
			       const char *path)
{
	struct file_status status;
	if (document)
		return document;
	size_t length = strcspn(path, "?");
	struct slice part = slice_of(path, length);
	size_t slash = length;
	while (slash > 0 && path[slash - 1] != '/')
		slash--;
	part = slice_from(part, slash);
	const char *name = part.length ? process_copy_slice(p, part) : "index.html";
	if (prefix)
		name = process_format(p, "%s/%s", prefix, name);
	if (process_stat(p, name, false, &status) != 0)
		return name;
	for (unsigned number = 1; number < NAMES_TRIED; number++) {
		char *other = process_format(p, "%s.%u", name, number);
		process_step(p);
		if (process_stat(p, other, false, &status) != 0)
			return other;
		process_give(p, other);
	}
	return name;
}

/* --- applets --- */

struct peer {
	const char *scheme, *name;
	unsigned port;
	const char *path;
	const char *user, *password;
};

static void report(struct process *p, const struct peer *peer, const char *error)
{
	char *who = peer->user ? process_format(p, "%s%s%s@", peer->user, peer->password ? ":" : "",
						peer->password ? peer->password : "")
			       : (char *)"";
	char *port = peer->port != transfer_port(peer->scheme)
			     ? process_format(p, ":%u", peer->port)
			     : (char *)"";
	char *url = process_format(p, "%s://%s%s%s%s%s", peer->scheme, who, peer->name, port,
				   peer->path[0] == '/' ? "" : "/", peer->path);
	process_report_download(p, slice_text(url), error);
	process_give(p, url);
}

/* Looks up; says "bad address" and returns false when there is none. */
static bool find_peer(struct process *p, const struct peer *peer, struct outside_place *place)
{
	if (outside_resolve_now(p, peer->name, place) == OUTSIDE_FOUND)
		return true;
	report(p, peer, "bad address");
	(void)outside_resolve(p, peer->name, place);
	process_complain(p, "bad address '%s'", peer->name);
	return false;
}

/* Connects over TCP; says why not. */
static bool connect_peer(struct process *p, const struct peer *peer,
			 const struct outside_place *place)
{
	int error = outside_connect_now(p, &place->address, peer->port, false);
	report(p, peer, error ? strerror(-error) : strerror(ECONNRESET));
	error = outside_connect(p, &place->address, peer->port, false, -1);
	if (error)
		process_complain(p, "can't connect to remote host (%s): %s", place->text,
				 strerror(-error));
	return error == 0;
}

enum { SPIDER = 1000, HEADER, POST_DATA, POST_FILE, NO_CHECK };

static const struct option_word wget_words[] = {
	{"continue", 'c', OPTION_PLAIN},
	{"quiet", 'q', OPTION_PLAIN},
	{"server-response", 'S', OPTION_PLAIN},
	{"output-document", 'O', OPTION_NEEDS},
	{"output-file", 'o', OPTION_NEEDS},
	{"directory-prefix", 'P', OPTION_NEEDS},
	{"proxy", 'Y', OPTION_NEEDS},
	{"user-agent", 'U', OPTION_NEEDS},
	{"timeout", 'T', OPTION_NEEDS},
	{"tries", 't', OPTION_NEEDS},
	{"spider", SPIDER, OPTION_PLAIN},
	{"header", HEADER, OPTION_NEEDS},
	{"post-data", POST_DATA, OPTION_NEEDS},
	{"post-file", POST_FILE, OPTION_NEEDS},
	{"no-check-certificate", NO_CHECK, OPTION_PLAIN},
	{"no-cache", NO_CHECK, OPTION_PLAIN},
	{"no-verbose", NO_CHECK, OPTION_PLAIN},
	{"passive-ftp", NO_CHECK, OPTION_PLAIN},
	{0},
};

static bool fetch_one(struct process *p, const char *text, bool quiet)
{
	static const char *const schemes[] = {"", "http", "https", "ftp"};
	struct outside_url url;
	struct outside_place place;
	bool known = false;
	outside_url_read(p, text, &url);
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
		known = known || strcmp(url.scheme, schemes[i]) == 0;
	if (!known) {
		process_complain(p, "not an http or ftp url: %s", text);
		return false;
	}
	struct peer peer = {.scheme = *url.scheme ? url.scheme : "http",
			    .name = url.host,
			    .path = url.path,
			    .user = *url.user ? url.user : NULL,
			    .password = *url.password ? url.password : NULL};
	peer.port = url.port ? url.port : transfer_port(peer.scheme);
	if (!find_peer(p, &peer, &place))
		return false;
	if (!quiet)
		process_error(p, "Connecting to %s%s (%s:%u)\n", url.host,
			      url.port ? process_format(p, ":%u", url.port) : "", place.text,
			      peer.port);
	if (connect_peer(p, &peer, &place)) {
		process_sleep(p, 20000);
		process_complain(p, "error getting response");
	}
	return false;
}

int transfer_wget_applet(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	bool quiet = false;
	const char *log = NULL;
	for (int option; (option = option_next(process, &state, argc, argv,
					       "cqSO:o:P:Y:U:T:t:n:", wget_words)) != -1;) {
		if (option == '?')
			return 1;
		if (option == 'q')
			quiet = true;
		else if (option == 'o')
			log = state.argument;
	}
	if (state.index >= argc) {
		command_busybox_usage(process, "wget");
		return 1;
	}
	if (log) {
		int file = process_open(process, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (file >= 0) {
			process_duplicate(process, file, 2);
			process_close(process, file);
		}
	}
	int status = 0;
	for (int i = state.index; i < argc && status == 0; i++)
		status = fetch_one(process, argv[i], quiet) ? 0 : 1;
	return status;
}

static int tftp_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct outside_place place;
	const char *local = NULL, *remote = NULL;
	bool get = false, put = false;
	for (int option;
	     (option = option_next(process, &state, argc, argv, "gpl:r:b:", NULL)) != -1;) {
		switch (option) {
		case 'g':
			get = true;
			break;
		case 'p':
			put = true;
			break;
		case 'l':
			local = state.argument;
			break;
		case 'r':
			remote = state.argument;
			break;
		case 'b':
			break;
		default:
			return 1;
		}
	}
	int count = argc - state.index;
	if (!remote)
		remote = local;
	if (get == put || !remote || count < 1 || count > 2) {
		command_busybox_usage(process, "tftp");
		return 1;
	}
	struct peer peer = {
		.scheme = "tftp", .name = argv[state.index], .path = remote, .port = 69};
	if (count == 2)
		peer.port = (unsigned)strtoul(argv[state.index + 1], NULL, 10) & 0xffff;
	if (put && local && strcmp(local, "-") != 0) {
		int file = process_open(process, local, O_RDONLY, 0);
		if (file < 0) {
			process_complain(process, "can't open '%s': %s", local, strerror(-file));
			return 1;
		}
		process_close(process, file);
	}
	if (!find_peer(process, &peer, &place))
		return 1;
	report(process, &peer, "timeout");
	process_sleep(process, TFTP_PATIENCE + (int64_t)process_random_number(process, 90000));
	process_complain(process, "timeout");
	return 1;
}

static const struct option_word ftp_words[] = {
	{"continue", 'c', OPTION_PLAIN}, {"verbose", 'v', OPTION_PLAIN},
	{"username", 'u', OPTION_NEEDS}, {"password", 'p', OPTION_NEEDS},
	{"port", 'P', OPTION_NEEDS},     {0},
};

static int ftp_applet(struct process *process, int argc, char **argv, bool get)
{
	struct option_state state = {0};
	struct outside_place place;
	struct peer peer = {.scheme = "ftp", .port = 21};
	bool verbose = false;
	for (int option; (option = option_next(process, &state, argc, argv,
					       get ? "cvu:p:P:" : "vu:p:P:", ftp_words)) != -1;) {
		switch (option) {
		case 'v':
			verbose = true;
			break;
		case 'u':
			peer.user = state.argument;
			break;
		case 'p':
			peer.password = state.argument;
			break;
		case 'P':
			peer.port = (unsigned)strtoul(state.argument, NULL, 10) & 0xffff;
			break;
		case 'c':
			break;
		default:
			return 1;
		}
	}
	int count = argc - state.index;
	if (count < 2 || count > 3) {
		command_busybox_usage(process, get ? "ftpget" : "ftpput");
		return 1;
	}
	peer.name = argv[state.index];
	/* ftpget HOST LOCAL REMOTE, ftpput HOST REMOTE LOCAL; one name stands for both. */
	peer.path = argv[state.index + (get && count == 3 ? 2 : 1)];
	if (!find_peer(process, &peer, &place))
		return 1;
	if (verbose)
		process_print(process, "Connecting to %s (%s:%u)\n", peer.name, place.text,
			      peer.port);
	process_flush(process);
	if (connect_peer(process, &peer, &place)) {
		process_sleep(process, 20000);
		process_complain(process, "unexpected server response%s", "");
	}
	return 1;
}

static int ftpget_main(struct process *process, int argc, char **argv)
{
	return ftp_applet(process, argc, argv, true);
}

static int ftpput_main(struct process *process, int argc, char **argv)
{
	return ftp_applet(process, argc, argv, false);
}

static const struct command commands[] = {
	{"tftp", tftp_main, COMMAND_BUSYBOX, NULL, NULL},
	{"ftpget", ftpget_main, COMMAND_BUSYBOX, NULL, NULL},
	{"ftpput", ftpput_main, COMMAND_BUSYBOX, NULL, NULL},
	{0},
};

const struct command_family command_family_transfer = {"transfer", commands};
