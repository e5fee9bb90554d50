/* dig, host, nslookup, ping, traceroute where the name servers do not answer and nothing comes back
 * from outside.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"
#include "decoy/machine/host.h"

#define LOOKUP_SECONDS 5
#define PING_LAST_WAIT (10 * SECOND) /* MAXWAIT, for a reply that will not come */
#define PROBES_AT_ONCE 16

/* --- dig, host, nslookup --- */

/* The first name server of /etc/resolv.conf. */
static char *own_server(struct process *p)
{
	struct text file = {0};
	struct slice rest, line;
	char *server = NULL;
	if (process_read_file(p, "/etc/resolv.conf", 4096, &file) == 0) {
		rest = text_slice(&file);
		while (!server && slice_next(&rest, '\n', &line)) {
			if (!slice_starts(line, "nameserver"))
				continue;
			line = slice_trim(slice_from(line, strlen("nameserver")));
			server = process_copy_slice(p, line);
		}
	}
	process_give(p, file.data);
	return server ? server : (char *)"127.0.0.1";
}

/* Asks that many times in vain. */
static void ask_in_vain(struct process *p, const char *server, unsigned tries, int64_t seconds)
{
	for (unsigned i = 0; i < tries; i++) {
		process_sleep(p, seconds * SECOND + (int64_t)process_random_number(p, 4000));
		process_print(p, ";; communications error to %s#53: timed out\n", server);
		process_flush(p);
	}
}

struct dig {
	const char *server;
	struct text line; /* the arguments as the banner shows them */
	bool brief, quiet_server;
	unsigned tries;
	int64_t seconds;
};

static void take_plus(struct dig *dig, const char *word)
{
	if (strcmp(word, "short") == 0)
		dig->brief = true;
	else if (strncmp(word, "time=", 5) == 0)
		dig->seconds = strtol(word + 5, NULL, 10);
	else if (strncmp(word, "timeout=", 8) == 0)
		dig->seconds = strtol(word + 8, NULL, 10);
	else if (strncmp(word, "tries=", 6) == 0)
		dig->tries = (unsigned)strtoul(word + 6, NULL, 10);
	else if (strncmp(word, "retry=", 6) == 0)
		dig->tries = (unsigned)strtoul(word + 6, NULL, 10) + 1;
}

static int dig_main(struct process *process, int argc, char **argv)
{
	struct dig dig = {.tries = 3, .seconds = LOOKUP_SECONDS};
	struct outside_place place;
	const char *name = NULL,
		   *version = packages_version(process, "bind9-dnsutils", "1:9.18.28-1~deb12u2");
	version = strchr(version, ':') ? strchr(version, ':') + 1 : version;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0) {
			process_error(process, "DiG %s-Debian\n", version);
			return 0;
		}
		if (strcmp(argv[i], "-h") == 0) {
			process_put_text(process, outside_usage("dig"));
			return 0;
		}
		text_format(process, &dig.line, "%s%s", i > 1 ? " " : "", argv[i]);
		if (argv[i][0] == '@')
			dig.server = argv[i] + 1;
		else if (argv[i][0] == '+')
			take_plus(&dig, argv[i] + 1);
		else if (argv[i][0] != '-' && !name)
			name = argv[i];
	}
	bool given = dig.server != NULL;
	if (given && outside_resolve_now(process, dig.server, &place) != OUTSIDE_FOUND) {
		(void)outside_resolve(process, dig.server, &place);
		process_error(process, "dig: couldn't get address for '%s': failure\n", dig.server);
		return 10;
	}
	const char *server = given ? place.text : own_server(process);
	if (dig.tries < 1)
		dig.tries = 1;
	if (dig.seconds < 1)
		dig.seconds = 1;
	ask_in_vain(process, server, dig.tries, dig.seconds);
	if (!dig.brief) {
		process_print(process, "\n; <<>> DiG %s-Debian <<>> %s\n", version,
			      dig.line.data ? dig.line.data : "");
		if (given)
			process_put_text(process, "; (1 server found)\n");
		process_put_text(process, ";; global options: +cmd\n");
	}
	process_put_text(process, ";; no servers could be reached\n");
	return 9;
}

static int host_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	int64_t seconds = LOOKUP_SECONDS;
	unsigned tries = 2;
	for (int option; (option = option_next(process, &state, argc, argv,
					       ":aAc:dilnm:p:rst:vVwCDN:R:TUW:46", NULL)) != -1;) {
		if (option == 'V') {
			const char *version =
				packages_version(process, "bind9-host", "1:9.18.28-1~deb12u2");
			const char *colon = strchr(version, ':');
			process_error(process, "host %s-Debian\n", colon ? colon + 1 : version);
			return 0;
		}
		if (option == 'W')
			seconds = strtol(state.argument, NULL, 10);
		if (option == 'R')
			tries = (unsigned)strtoul(state.argument, NULL, 10) + 1;
		if (option == '?') {
			process_error(process, "%s", outside_usage("host"));
			return 1;
		}
	}
	if (state.index >= argc) {
		process_error(process, "%s", outside_usage("host"));
		return 1;
	}
	const char *server = state.index + 1 < argc ? argv[state.index + 1] : own_server(process);
	ask_in_vain(process, server, tries, seconds > 0 ? seconds : 1);
	process_put_text(process, ";; no servers could be reached\n");
	return 1;
}

static int nslookup_once(struct process *p, const char *server)
{
	ask_in_vain(p, server, 3, LOOKUP_SECONDS);
	process_put_text(p, ";; no servers could be reached\n\n");
	return 1;
}

static int nslookup_applet(struct process *p, int argc)
{
	if (argc < 2) {
		command_busybox_usage(p, "nslookup");
		return 1;
	}
	process_sleep(p, LOOKUP_SECONDS * SECOND + (int64_t)process_random_number(p, 4000));
	process_put_text(p, ";; connection timed out; no servers could be reached\n\n");
	return 1;
}

static int nslookup_main(struct process *process, int argc, char **argv)
{
	struct line_reader reader;
	struct slice line;
	bool newline;
	int index = 1;
	if (process->busybox)
		return nslookup_applet(process, argc);
	while (index < argc && argv[index][0] == '-' && argv[index][1])
		index++;
	const char *server = index + 1 < argc ? argv[index + 1] : own_server(process);
	if (index < argc && strcmp(argv[index], "-") != 0)
		return nslookup_once(process, server);
	line_reader_open(&reader, 0);
	for (;;) {
		process_put_text(process, "> ");
		process_flush(process);
		if (!line_reader_next(process, &reader, &line, &newline))
			break;
		line = slice_trim(line);
		if (slice_is(line, "exit") || slice_is(line, "quit"))
			break;
		process_report_input(process, line);
		if (line.length > 0)
			(void)nslookup_once(process, server);
		process_step(process);
	}
	process_put_text(process, "\n");
	return 0;
}

/* --- ping --- */

struct ping {
	struct process *process;
	const char *name;
	struct outside_place place;
	long count; /* 0: for ever */
	int64_t interval, deadline, patience;
	unsigned size, ttl;
	bool quiet, numeric, dated;
	/* What happened. */
	long sent, received, errors;
	int64_t began;
	double minimum, maximum, sum, squares;
};

static char *reply_name(struct ping *ping)
{
	struct process *p = ping->process;
	if (ping->place.literal || ping->numeric)
		return process_copy_text(p, ping->place.text);
	return process_format(p, "%s (%s)", ping->name, ping->place.text);
}

static void ping_head(struct ping *ping)
{
	struct process *p = ping->process;
	bool six = ping->place.address.family == 6;
	if (p->busybox)
		process_print(p, "PING %s (%s): %u data bytes\n", ping->name, ping->place.text,
			      ping->size);
	else if (six)
		process_print(p, "PING %s(%s) %u data bytes\n", ping->name,
			      ping->place.literal ? ping->place.text : reply_name(ping),
			      ping->size);
	else
		process_print(p, "PING %s (%s) %u(%u) bytes of data.\n", ping->name,
			      ping->place.text, ping->size, ping->size + 28);
	process_flush(p);
}

/* "0.168", "12.3", "104": three digits that mean something, as iputils writes it. */
static void show_reply(struct ping *ping, int64_t microseconds)
{
	struct process *p = ping->process;
	double milliseconds = (double)microseconds / 1000;
	if (ping->received == 0 || milliseconds < ping->minimum)
		ping->minimum = milliseconds;
	if (milliseconds > ping->maximum)
		ping->maximum = milliseconds;
	ping->sum += milliseconds;
	ping->squares += milliseconds * milliseconds;
	ping->received++;
	if (ping->quiet)
		return;
	if (p->busybox) {
		process_print(p, "%u bytes from %s: seq=%ld ttl=64 time=%.3f ms\n", ping->size + 8,
			      ping->place.text, ping->sent - 1, milliseconds);
	} else {
		if (ping->dated) {
			int64_t now = process_now(p);
			process_print(p, "[%lld.%06lld] ", (long long)(now / SECOND),
				      (long long)(now % SECOND));
		}
		process_print(p, "%u bytes from %s: icmp_seq=%ld ttl=64 time=%.*f ms\n",
			      ping->size + 8, reply_name(ping), ping->sent,
			      milliseconds < 1     ? 3
			      : milliseconds < 10  ? 2
			      : milliseconds < 100 ? 1
						   : 0,
			      milliseconds);
	}
	process_flush(p);
}

static void ping_tail(struct ping *ping)
{
	struct process *p = ping->process;
	long lost = ping->sent - ping->received;
	double mean = ping->received ? ping->sum / (double)ping->received : 0;
	process_print(p, "\n--- %s ping statistics ---\n", ping->name);
	if (p->busybox) {
		process_print(p,
			      "%ld packets transmitted, %ld packets received, %ld%% packet loss\n",
			      ping->sent, ping->received, ping->sent ? lost * 100 / ping->sent : 0);
		if (ping->received)
			process_print(p, "round-trip min/avg/max = %.3f/%.3f/%.3f ms\n",
				      ping->minimum, mean, ping->maximum);
		return;
	}
	process_print(p, "%ld packets transmitted, %ld received, ", ping->sent, ping->received);
	if (ping->errors)
		process_print(p, "+%ld errors, ", ping->errors);
	process_print(p, "%g%% packet loss, time %lldms\n",
		      ping->sent ? (double)(float)((double)lost * 100 / (double)ping->sent) : 0.0,
		      (long long)((process_now(p) - ping->began) / 1000));
	if (ping->received) {
		double spread = ping->squares / (double)ping->received - mean * mean;
		process_print(p, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", ping->minimum,
			      mean, ping->maximum, spread > 0 ? sqrt(spread) : 0.0);
	} else if (ping->errors) {
		process_print(p, "pipe %ld\n", ping->errors < 4 ? ping->errors : 4);
	} else {
		process_put_text(p, "\n");
	}
}

/* False: interrupted. */
static bool nap(struct ping *ping, int64_t wait)
{
	int64_t left = ping->deadline - (process_now(ping->process) - ping->began);
	if (ping->deadline && wait > left)
		wait = left > 0 ? left : 0;
	return process_sleep(ping->process, wait) && process_take_signal(ping->process) == 0;
}

static int ping_run(struct ping *ping)
{
	struct process *p = ping->process;
	char own[ADDRESS_TEXT_MAX];
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);
	address_text(&interfaces[count > 1 ? 1 : 0].address, own);
	bool unreachable = outside_connect_now(p, &ping->place.address, 1, false) == -EHOSTUNREACH;
	process_on_signal(p, SIGINT, SIGNAL_CAUGHT);
	ping_head(ping);
	ping->began = process_now(p);
	while (ping->count == 0 || ping->sent < ping->count) {
		int64_t trip = outside_echo(p, &ping->place.address);
		ping->sent++;
		process_step(p);
		if (trip >= 0) {
			if (!nap(ping, trip))
				break;
			show_reply(ping, trip);
		} else if (unreachable && !p->busybox && ping->sent % 3 == 0) {
			if (!nap(ping, 60000))
				break;
			for (long i = 2; i >= 0; i--)
				process_print(p,
					      "From %s icmp_seq=%ld Destination Host Unreachable\n",
					      own, ping->sent - i);
			ping->errors += 3;
			process_flush(p);
		}
		if (ping->count && ping->sent >= ping->count)
			break;
		int64_t pause = ping->interval + (int64_t)process_random_number(p, 26000);
		if (!nap(ping, pause - (trip > 0 ? trip : 0)))
			break;
		if (ping->deadline && process_now(p) - ping->began >= ping->deadline)
			break;
	}
	int64_t spent = process_now(p) - ping->began;
	if (ping->received + ping->errors < ping->sent && ping->count &&
	    ping->sent >= ping->count && !process_take_signal(p))
		(void)nap(ping, ping->patience);
	/* The time that is told ends with the last packet. */
	if (ping->received < ping->sent)
		ping->began = process_now(p) - spent;
	ping_tail(ping);
	return ping->received > 0 ? 0 : 1;
}

static int64_t take_seconds(struct process *p, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);
	if (end == text || *end != '\0' || seconds < 0 || seconds > 86400) {
		process_complain(p, "invalid argument: '%s'", text);
		process_exit(p, 1);
	}
	return (int64_t)(seconds * (double)SECOND);
}

static long take_count(struct process *p, const char *text)
{
	char *end;
	long count = strtol(text, &end, 10);
	if (end == text || *end != '\0') {
		process_complain(p, "invalid argument: '%s'", text);
		process_exit(p, 1);
	}
	if (count < 1) {
		process_complain(p, "invalid argument: '%s': out of range: 1 <= value <= %s", text,
				 "9223372036854775807");
		process_exit(p, 1);
	}
	return count;
}

static int ping_main(struct process *process, int argc, char **argv)
{
	struct ping ping = {.process = process,
			    .interval = SECOND,
			    .patience = PING_LAST_WAIT,
			    .size = 56,
			    .ttl = 64};
	struct option_state state = {0};
	const char *letters = process->busybox ? "46Ac:s:i:t:I:W:w:qp:"
					       : ":46aABbc:CdDe:fF:hHI:i:Ll:m:M:nN:Op:qQ:rRs:S:t:T:"
						 "UvVw:W:";
	for (int option;
	     (option = option_next(process, &state, argc, argv, letters, NULL)) != -1;) {
		switch (option) {
		case 'c':
			ping.count = take_count(process, state.argument);
			break;
		case 'i':
			ping.interval = take_seconds(process, state.argument);
			break;
		case 'w':
			ping.deadline = take_seconds(process, state.argument);
			break;
		case 'W':
			ping.patience = take_seconds(process, state.argument);
			break;
		case 's':
			ping.size = (unsigned)take_seconds(process, state.argument) / SECOND;
			break;
		case 'q':
			ping.quiet = true;
			break;
		case 'n':
			ping.numeric = true;
			break;
		case 'D':
			ping.dated = true;
			break;
		case 'f':
			ping.interval = 10000;
			break;
		case 'V':
			process_put_text(process, "ping from iputils 20221126\n");
			return 0;
		case 'h':
		case '?':
			if (process->busybox)
				return 1;
			process_error(process, "%s", outside_usage("ping"));
			return 2;
		default:
			break;
		}
	}
	if (state.index >= argc) {
		if (process->busybox)
			command_busybox_usage(process, "ping");
		else
			process_complain(process, "usage error: Destination address required");
		return 1;
	}
	ping.name = argv[argc - 1];
	enum outside_lookup found = outside_resolve(process, ping.name, &ping.place);
	if (found != OUTSIDE_FOUND) {
		if (process->busybox) {
			process_complain(process, "bad address '%s'", ping.name);
			return 1;
		}
		process_complain(process, "%s: %s", ping.name, outside_lookup_words[found]);
		return 2;
	}
	if (ping.interval < 2000)
		ping.interval = 2000;
	return ping_run(&ping);
}

/* --- traceroute --- */

static int traceroute_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct outside_place place;
	unsigned hops = 30, probes = 3, bytes = process->busybox ? 46 : 60, first = 1;
	char gateway_text[ADDRESS_TEXT_MAX];
	struct address gateway = host_gateway(process_host(process));
	const char *star = process->busybox ? "  *" : " *";
	for (int option; (option = option_next(process, &state, argc, argv,
					       process->busybox ? "46FIlnrdvxt:i:m:p:q:s:w:z:f:g:"
								: ":46dFITnreAUDVf:g:i:m:N:p:t:l:"
								  "w:q:s:z:",
					       NULL)) != -1;) {
		if (option == 'm')
			hops = (unsigned)strtoul(state.argument, NULL, 10);
		else if (option == 'q')
			probes = (unsigned)strtoul(state.argument, NULL, 10);
		else if (option == 'f')
			first = (unsigned)strtoul(state.argument, NULL, 10);
		else if (option == '?')
			return process->busybox ? 1 : 2;
	}
	if (state.index >= argc) {
		if (process->busybox)
			command_busybox_usage(process, "traceroute");
		else
			process_put_text(process, outside_usage("traceroute"));
		return process->busybox ? 1 : 0;
	}
	const char *name = argv[state.index];
	enum outside_lookup found = outside_resolve(process, name, &place);
	if (found != OUTSIDE_FOUND) {
		if (process->busybox)
			process_complain(process, "bad address '%s'", name);
		else
			process_error(process,
				      "%s: %s\nCannot handle \"host\" cmdline arg `%s' on position "
				      "%d (argc %d)\n",
				      name, outside_lookup_words[found], name, state.index,
				      argc - 1);
		return process->busybox ? 1 : 2;
	}
	if (hops > 255 || hops < 1)
		hops = 30;
	if (probes > 10 || probes < 1)
		probes = 3;
	process_print(process, "traceroute to %s (%s), %u hops max, %u byte packets\n", name,
		      place.text, hops, bytes);
	process_flush(process);
	address_text(&gateway, gateway_text);
	int64_t direct = outside_echo(process, &place.address);
	for (unsigned hop = first; hop <= hops; hop++) {
		bool answers = direct >= 0 || (hop == 1 && gateway.family != 0);
		const char *who = direct >= 0 ? place.text : gateway_text;
		process_print(process, process->busybox ? "%2u" : "%2u ", hop);
		if (answers)
			process_print(process, process->busybox ? "  %s (%s)" : " %s (%s)",
				      direct >= 0 ? name : who, who);
		for (unsigned i = 0; i < probes; i++) {
			if (!answers) {
				process_put_text(process, star);
				continue;
			}
			int64_t trip =
				outside_echo(process, direct >= 0 ? &place.address : &gateway);
			process_print(process, "  %.3f ms", (double)(trip > 0 ? trip : 1) / 1000);
		}
		process_put_text(process, "\n");
		process_flush(process);
		if (direct >= 0)
			break;
		if (process->busybox && !answers)
			process_sleep(process, (int64_t)probes * 5 * SECOND);
		else if (hop % (PROBES_AT_ONCE / probes + 1) == 1 && hop > 1)
			process_sleep(process, 5 * SECOND);
	}
	return 0;
}

static const char *const ping_names[] = {"ping4", "ping6", NULL};
static const char *const traceroute_names[] = {"traceroute6", "traceroute.db", "traceroute6.db",
					       "traceroute-nanog", NULL};

static const struct command commands[] = {
	{"dig", dig_main, COMMAND_DEBIAN, NULL, NULL},
	{"host", host_main, COMMAND_DEBIAN, NULL, NULL},
	{"nslookup", nslookup_main, COMMAND_BOTH, NULL, NULL},
	{"ping", ping_main, COMMAND_BOTH, NULL, ping_names},
	{"traceroute", traceroute_main, COMMAND_BOTH, NULL, traceroute_names},
	{0},
};

const struct command_family command_family_resolve = {"resolve", commands};
