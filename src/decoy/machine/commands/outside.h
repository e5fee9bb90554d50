/* What programs of the fake machine find when they turn to the network: nothing leaves the host.
 *
 * The story is a server behind a firewall that drops what goes out: names of the world are not
 * resolved, addresses of the world do not answer, neighbours are not there, the gateway and the
 * host itself are. Every wait is one of the fake machine's and costs nothing.
 */
#ifndef DECOY_MACHINE_COMMANDS_OUTSIDE_H
#define DECOY_MACHINE_COMMANDS_OUTSIDE_H

#include "base/address.h"
#include "decoy/machine/command.h"

/* Words of getaddrinfo(3). */
enum outside_lookup { OUTSIDE_FOUND, OUTSIDE_TRY_AGAIN, OUTSIDE_UNKNOWN };
extern const char *const outside_lookup_words[];

struct outside_place {
	struct address address;
	char text[ADDRESS_TEXT_MAX];
	bool literal; /* the name was an address */
};
/* A name or address as the resolver of the C library takes it: addresses in all their old forms,
 * /etc/hosts, the host's own names. Waits as long as the resolver would. */
enum outside_lookup outside_resolve(struct process *process, const char *name,
				    struct outside_place *place);
/* The same without the wait, to know what will happen. */
enum outside_lookup outside_resolve_now(struct process *process, const char *name,
					struct outside_place *place);

/* 0: somebody listens there (the host itself); or -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH. limit:
 * microseconds after which the program gives up by itself (then -EINPROGRESS), or -1. Waits. */
int outside_connect(struct process *process, const struct address *address, unsigned port, bool udp,
		    int64_t limit);
/* The same without the wait, and without regard to a limit. */
int outside_connect_now(struct process *process, const struct address *address, unsigned port,
			bool udp);
/* What listens at that port of the host itself greets with, or "". */
const char *outside_greeting(struct process *process, unsigned port);

/* Round trip to an address that answers echoes, in microseconds; -1: it does not answer. */
int64_t outside_echo(struct process *process, const struct address *address);

/* The host's local time. */
struct tm;
void outside_local_time(struct process *process, int64_t moment, struct tm *broken_down);

/* A URL taken apart. Parts are in the process's memory, never NULL. */
struct outside_url {
	char *scheme;                        /* small letters; "" when there was none */
	char *user, *password, *host, *path; /* the path with its slash and query, without #... */
	unsigned port;                       /* 0: none given */
	bool bad_port;
};
void outside_url_read(struct process *process, const char *text, struct outside_url *url);

/* Tries to reach HOST or USER@HOST as ssh(1) would, says why not (to standard error), and reports
 * it as an attempted download under the url, when there is one. */
void outside_ssh(struct process *process, const char *target, const char *port, const char *url,
		 int64_t limit);

/* getopt(3) of BSD, as OpenSSH's programs carry it: no reordering, "unknown option -- x". */
int outside_option(struct process *process, struct option_state *state, int argc, char **argv,
		   const char *letters);

struct outside_text {
	const char *name, *text;
};
extern const struct outside_text outside_texts[], outside_more_texts[]; /* end with NULL */
/* How a program says it is called; "" when that is not known. */
const char *outside_usage(const char *name);

/* Name quoted as gnulib does it: 'x', or with the quotes of a UTF-8 locale. */
const char *outside_quote(struct process *process, const char *text);

#endif
