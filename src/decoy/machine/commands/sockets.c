/* nc (OpenBSD's and the traditional one), telnet, ssh as clients; see outside.h for what they meet.
 */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"

#define INPUT_MAX 2048

static const char *service_name(unsigned port)
{
	static const struct {
		unsigned port;
		const char *name;
	} services[] = {
		{1, "tcpmux"},        {7, "echo"},         {21, "ftp"},       {22, "ssh"},
		{23, "telnet"},       {25, "smtp"},        {53, "domain"},    {69, "tftp"},
		{80, "http"},         {110, "pop3"},       {111, "sunrpc"},   {139, "netbios-ssn"},
		{143, "imap2"},       {389, "ldap"},       {443, "https"},    {445, "microsoft-ds"},
		{465, "submissions"}, {587, "submission"}, {993, "imaps"},    {995, "pop3s"},
		{1433, "ms-sql-s"},   {2049, "nfs"},       {3306, "mysql"},   {5432, "postgresql"},
		{6379, "redis"},      {6667, "ircd"},      {8080, "http-alt"}};
	for (size_t i = 0; i < ARRAY_COUNT(services); i++)
		if (services[i].port == port)
			return services[i].name;
	return "?";
}

static unsigned port_of(const char *text)
{
	static const struct {
		const char *name;
		unsigned port;
	} named[] = {{"http", 80}, {"https", 443}, {"ssh", 22},   {"telnet", 23},
		     {"ftp", 21},  {"smtp", 25},   {"domain", 53}};
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (end != text && (*end == '\0' || *end == '-') && port <= 65535)
		return (unsigned)port;
	for (size_t i = 0; i < ARRAY_COUNT(named); i++)
		if (strcmp(named[i].name, text) == 0)
			return named[i].port;
	return 0;
}

/* A connection that is looked for is told to the owner as what it is. */
static void tell_owner(struct process *p, const char *scheme, const char *host, unsigned port,
		       const char *error)
{
	char *url = process_format(p, "%s://%s:%u", scheme, host, port);
	process_report_download(p, slice_text(url), error);
	process_give(p, url);
}

/* Talks to what listens on the host itself: its greeting, then what is typed goes nowhere. */
static void talk(struct process *p, unsigned port)
{
	char buffer[INPUT_MAX];
	const char *greeting = outside_greeting(p, port);
	process_put_text(p, greeting);
	process_flush(p);
	ssize_t count = process_read(p, 0, buffer, sizeof(buffer));
	if (count > 0) {
		process_report_input(p, slice_trim(slice_of(buffer, (size_t)count)));
		process_sleep(p, 3000);
		if (port == 22)
			process_put_text(p, "Invalid SSH identification string.\r\n");
	}
	process_flush(p);
}

/* Listens: nobody ever comes. */
static void listen_for_ever(struct process *p)
{
	for (;;)
		process_sleep(p, 3600 * SECOND);
}

struct nc {
	struct process *process;
	bool listen, scan, udp, verbose, numeric;
	int64_t limit;
	const char *port, *execute;
};

static void nc_take(struct nc *nc, int option, const char *argument)
{
	switch (option) {
	case 'l':
		nc->listen = true;
		break;
	case 'z':
		nc->scan = true;
		break;
	case 'u':
		nc->udp = true;
		break;
	case 'v':
		nc->verbose = true;
		break;
	case 'n':
		nc->numeric = true;
		break;
	case 'p':
		nc->port = argument;
		break;
	case 'w':
		nc->limit = strtol(argument, NULL, 10) * SECOND;
		break;
	case 'e':
	case 'c':
		nc->execute = argument;
		break;
	default:
		break;
	}
}

/* Openbsd's: silent but with -v. */
static int nc_openbsd(struct process *process, int argc, char **argv)
{
	struct nc nc = {.process = process, .limit = -1};
	struct option_state state = {0};
	struct outside_place place;
	for (int option;
	     (option = option_next(process, &state, argc, argv,
				   ":46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz", NULL)) !=
	     -1;) {
		if (option == 'h') {
			process_error(process, "%s", outside_usage("nc.openbsd -h"));
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", outside_usage("nc.openbsd"));
			return 1;
		}
		nc_take(&nc, option, state.argument);
	}
	int count = argc - state.index;
	if (nc.listen && (count > 0 || nc.port)) {
		unsigned port = port_of(nc.port ? nc.port : argv[argc - 1]);
		tell_owner(process, "listen", "0.0.0.0", port, "listening");
		if (nc.verbose)
			process_error(process, "Listening on 0.0.0.0 %u\n", port);
		listen_for_ever(process);
	}
	if (count < 2) {
		process_error(process, "%s", outside_usage("nc.openbsd"));
		return 1;
	}
	const char *host = argv[state.index], *text = argv[state.index + 1];
	unsigned port = port_of(text);
	if (port == 0) {
		process_error(process, "%s: port number invalid: %s\n", argv[0], text);
		return 1;
	}
	enum outside_lookup found = outside_resolve_now(process, host, &place);
	if (found != OUTSIDE_FOUND) {
		tell_owner(process, nc.udp ? "udp" : "tcp", host, port,
			   outside_lookup_words[found]);
		(void)outside_resolve(process, host, &place);
		process_error(process, "%s: getaddrinfo for host \"%s\" port %s: %s\n", argv[0],
			      host, text, outside_lookup_words[found]);
		return 1;
	}
	int error = outside_connect_now(process, &place.address, port, nc.udp);
	tell_owner(process, nc.udp ? "udp" : "tcp", host, port, strerror(-error));
	if (nc.udp) {
		char buffer[INPUT_MAX];
		while (!nc.scan && process_read(process, 0, buffer, sizeof(buffer)) > 0)
			process_step(process);
		return 0;
	}
	error = outside_connect(process, &place.address, port, false, nc.limit);
	if (error && nc.verbose)
		process_error(process, "%s: connect to %s port %u (tcp) %s: %s\n", argv[0], host,
			      port, error == -EINPROGRESS ? "timed out" : "failed",
			      strerror(-error));
	if (error)
		return 1;
	if (nc.verbose)
		process_error(process, "Connection to %s %u port [tcp/%s] succeeded!\n", host, port,
			      service_name(port)[0] == '?' ? "*" : service_name(port));
	if (!nc.scan)
		talk(process, port);
	return 0;
}

static int nc_traditional(struct process *process, int argc, char **argv)
{
	struct nc nc = {.process = process, .limit = -1};
	struct option_state state = {0};
	struct outside_place place;
	for (int option;
	     (option = option_next(process, &state, argc, argv,
				   ":abc:Ce:g:G:hi:klno:p:q:rs:tT:uvw:z", NULL)) != -1;) {
		if (option == 'h') {
			process_error(process, "%s", outside_usage("nc.traditional"));
			return 1;
		}
		if (option == '?') {
			process_error(process, "nc -h for help\n");
			return 1;
		}
		nc_take(&nc, option, state.argument);
	}
	int count = argc - state.index;
	if (nc.listen) {
		unsigned port = nc.port ? port_of(nc.port) : 1024 + process->pid % 30000;
		tell_owner(process, "listen", "0.0.0.0", port, "listening");
		if (nc.verbose)
			process_error(process, "listening on [any] %u ...\n", port);
		listen_for_ever(process);
	}
	if (count == 0) {
		char line[INPUT_MAX];
		process_put_text(process, "Cmd line: ");
		process_flush(process);
		if (process_read(process, 0, line, sizeof(line)) <= 0)
			process_error(process, "wrong\n");
		return 1;
	}
	const char *host = argv[state.index];
	if (count < 2) {
		process_error(process, "no port[s] to connect to\n");
		return 1;
	}
	unsigned port = port_of(argv[state.index + 1]);
	if (port == 0) {
		process_error(process, "invalid port %s\n", argv[state.index + 1]);
		return 1;
	}
	if (outside_resolve_now(process, host, &place) != OUTSIDE_FOUND) {
		tell_owner(process, "tcp", host, port, "forward host lookup failed");
		if (nc.numeric) {
			process_error(process, "Can't parse %s as an IP address\n", host);
			return 1;
		}
		(void)outside_resolve(process, host, &place);
		process_error(process,
			      "%s: forward host lookup failed: Host name lookup failure : "
			      "Resource temporarily unavailable\n",
			      host);
		return 1;
	}
	int error = outside_connect_now(process, &place.address, port, nc.udp);
	tell_owner(process, nc.udp ? "udp" : "tcp", host, port, strerror(-error));
	error = outside_connect(process, &place.address, port, false, nc.limit);
	if (error == -EINPROGRESS)
		error = -ETIMEDOUT;
	const char *shown =
		address_is_loopback(&place.address) && !nc.numeric ? "localhost" : "(UNKNOWN)";
	if (error) {
		process_error(process, "%s [%s] %u (%s) : %s\n", shown, place.text, port,
			      service_name(port), strerror(-error));
		return 1;
	}
	if (nc.verbose)
		process_error(process, "%s [%s] %u (%s) open\n", shown, place.text, port,
			      service_name(port));
	if (!nc.scan)
		talk(process, port);
	return 0;
}

static int nc_applet(struct process *process, int argc, char **argv)
{
	struct nc nc = {.process = process, .limit = -1};
	struct option_state state = {0};
	struct outside_place place;
	for (int option;
	     (option = option_next(process, &state, argc, argv, "iNw:lp:f:e:", NULL)) != -1;) {
		if (option == '?')
			return 1;
		nc_take(&nc, option, state.argument);
	}
	if (nc.listen && nc.port) {
		tell_owner(process, "listen", "0.0.0.0", port_of(nc.port), "listening");
		listen_for_ever(process);
	}
	if (argc - state.index != 2) {
		command_busybox_usage(process, "nc");
		return 1;
	}
	const char *host = argv[state.index];
	unsigned port = port_of(argv[state.index + 1]);
	if (outside_resolve_now(process, host, &place) != OUTSIDE_FOUND) {
		tell_owner(process, "tcp", host, port, "bad address");
		(void)outside_resolve(process, host, &place);
		process_complain(process, "bad address '%s'", host);
		return 1;
	}
	int error = outside_connect_now(process, &place.address, port, false);
	tell_owner(process, "tcp", host, port, strerror(-error));
	error = outside_connect(process, &place.address, port, false, nc.limit);
	if (error == -EINPROGRESS)
		process_complain(process, "timed out");
	else if (error)
		process_complain(process, "can't connect to remote host (%s): %s", place.text,
				 strerror(-error));
	else
		talk(process, port);
	return error != 0;
}

static int nc_main(struct process *process, int argc, char **argv)
{
	return process->busybox ? nc_applet(process, argc, argv) : nc_openbsd(process, argc, argv);
}

/* --- telnet --- */

static int telnet_to(struct process *p, const char *host, const char *port_text)
{
	struct outside_place place;
	unsigned port = port_text ? port_of(port_text) : 23;
	enum outside_lookup found = outside_resolve_now(p, host, &place);
	if (found != OUTSIDE_FOUND) {
		tell_owner(p, "telnet", host, port, outside_lookup_words[found]);
		(void)outside_resolve(p, host, &place);
		if (p->busybox)
			process_complain(p, "bad address '%s'", host);
		else
			process_print(p, "Server lookup failure:  %s:%s, %s\n", host,
				      port_text ? port_text : "telnet",
				      outside_lookup_words[found]);
		return 1;
	}
	int error = outside_connect_now(p, &place.address, port, false);
	tell_owner(p, "telnet", host, port, strerror(-error));
	if (!p->busybox)
		process_print(p, "Trying %s...\n", place.text);
	error = outside_connect(p, &place.address, port, false, -1);
	if (error && p->busybox) {
		process_complain(p, "can't connect to remote host (%s): %s", place.text,
				 strerror(-error));
		return 1;
	}
	if (error) {
		process_error(p, "telnet: Unable to connect to remote host: %s\n",
			      strerror(-error));
		return 1;
	}
	if (!p->busybox)
		process_print(p, "Connected to %s.\nEscape character is '^]'.\n", host);
	talk(p, port);
	process_error(p, p->busybox ? "Connection closed by foreign host\r\n"
				    : "Connection closed by foreign host.\n");
	return 1;
}

/* The prompt "telnet> ". */
static int telnet_prompt(struct process *p)
{
	struct line_reader reader;
	struct slice line;
	bool newline;
	line_reader_open(&reader, 0);
	for (;;) {
		process_put_text(p, "telnet> ");
		process_flush(p);
		if (!line_reader_next(p, &reader, &line, &newline))
			break;
		process_step(p);
		process_report_input(p, line);
		line = slice_trim(line);
		struct slice verb, rest = line;
		if (!slice_next(&rest, ' ', &verb))
			continue;
		if (slice_is(verb, "quit") || slice_is(verb, "q") || slice_is(verb, "exit"))
			return 0;
		if (slice_is(verb, "open") || slice_is(verb, "o")) {
			struct slice host;
			rest = slice_trim(rest);
			if (!slice_next(&rest, ' ', &host)) {
				process_put_text(p, "(to) \n");
				continue;
			}
			rest = slice_trim(rest);
			(void)telnet_to(p, process_copy_slice(p, host),
					rest.length ? process_copy_slice(p, rest) : NULL);
		} else if (slice_is(verb, "status")) {
			process_put_text(p, "No connection.\nEscape character is '^]'.\n");
		} else {
			process_put_text(p, "?Invalid command\n");
		}
	}
	return 0;
}

static int telnet_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	for (int option;
	     (option = option_next(process, &state, argc, argv,
				   process->busybox ? "+al:" : "+468ab:cdEe:Ff:Kk:Ll:n:rS:X:xV?",
				   NULL)) != -1;) {
		if (option == '?')
			return 1;
		if (option == 'V') {
			process_put_text(process, "telnet (GNU inetutils) 2.4\n");
			return 0;
		}
	}
	if (state.index >= argc) {
		if (!process->busybox)
			return telnet_prompt(process);
		command_busybox_usage(process, "telnet");
		return 1;
	}
	return telnet_to(process, argv[state.index],
			 state.index + 1 < argc ? argv[state.index + 1] : NULL);
}

static const char *const nc_names[] = {"nc", "netcat", NULL};

static const struct command commands[] = {
	{"nc.openbsd", nc_main, COMMAND_BOTH, NULL, nc_names},
	{"nc.traditional", nc_traditional, COMMAND_DEBIAN, NULL, NULL},
	{"telnet", telnet_main, COMMAND_BOTH, NULL,
	 (const char *const[]){"inetutils-telnet", NULL}},
	{0},
};

const struct command_family command_family_sockets = {"sockets", commands};
