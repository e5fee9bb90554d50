/* Steering by nftables' TPROXY (nft(8), Documentation/networking/tproxy.rst of Linux 4.19 and
 * newer): a table of our own at prerouting gives what comes to a steered address and port to our
 * socket.
 *
 * TPROXY looks for an established socket first and leaves it alone unless it is ours, so that what
 * this host itself began is not touched. The packets are for this host anyway, so that no route and
 * no mark is needed. The table belongs to our netlink socket (flags owner, Linux 5.12) and goes
 * with it; an older kernel keeps it when we are killed, until the next start puts another in its
 * place.
 *
 * The library of nft itself (libnftables1) speaks to the kernel. It is loaded when it is needed
 * only: hosts with sk_lookup never do.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "process/steer_inside.h"

#define TABLE     "sundew_any_port"
#define SCRIPT    ((size_t)2 << 20) /* at most: two lists of 32,768 ranges */
#define NFT_PLAIN 0

struct nft_ctx;

struct library {
	void *handle;
	struct nft_ctx *(*begin)(uint32_t flags);
	void (*end)(struct nft_ctx *context);
	int (*keep_output)(struct nft_ctx *context);
	int (*keep_errors)(struct nft_ctx *context);
	const char *(*errors)(struct nft_ctx *context);
	int (*run)(struct nft_ctx *context, const char *script);
};

struct steer_tproxy {
	struct library nft;
	struct nft_ctx *context;
	bool attached;
};

static void tproxy_close(void *state)
{
	struct steer_tproxy *steer = state;

	if (!steer)
		return;
	if (steer->attached)
		(void)steer->nft.run(steer->context, "delete table inet " TABLE);
	if (steer->context)
		steer->nft.end(steer->context);
	if (steer->nft.handle)
		dlclose(steer->nft.handle);
	free(steer);
}

/* POSIX has dlsym's pointers be functions too; C has not. */
static bool find(struct library *nft, const char *name, void *function)
{
	void *found = dlsym(nft->handle, name);

	memcpy(function, &found, sizeof(found));
	return found != NULL;
}

static struct steer_tproxy *begin(char why[STEER_WHY])
{
	struct steer_tproxy *steer = calloc(1, sizeof(*steer));
	struct library *nft;

	if (!steer) {
		snprintf(why, STEER_WHY, "out of memory");
		return NULL;
	}
	nft = &steer->nft;
	nft->handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!nft->handle) {
		snprintf(why, STEER_WHY, "libnftables is not installed (package libnftables1)");
	} else if (!find(nft, "nft_ctx_new", &nft->begin) ||
		   !find(nft, "nft_ctx_free", &nft->end) ||
		   !find(nft, "nft_ctx_buffer_output", &nft->keep_output) ||
		   !find(nft, "nft_ctx_buffer_error", &nft->keep_errors) ||
		   !find(nft, "nft_ctx_get_error_buffer", &nft->errors) ||
		   !find(nft, "nft_run_cmd_from_buffer", &nft->run)) {
		snprintf(why, STEER_WHY, "libnftables is too old");
	} else {
		steer->context = nft->begin(NFT_PLAIN);
		if (steer->context && nft->keep_output(steer->context) == 0 &&
		    nft->keep_errors(steer->context) == 0)
			return steer;
		snprintf(why, STEER_WHY, "libnftables gives no context");
	}
	tproxy_close(steer);
	return NULL;
}

/* The first line of what the library says against the script. */
static int run(struct steer_tproxy *steer, struct writer *script, char why[STEER_WHY])
{
	const char *said;

	writer_u8(script, '\0');
	if (script->failed) {
		snprintf(why, STEER_WHY, "out of memory");
		return -1;
	}
	if (steer->nft.run(steer->context, (const char *)script->at) == 0)
		return 0;
	said = steer->nft.errors(steer->context);
	snprintf(why, STEER_WHY, "%.*s", (int)strcspn(said ? said : "", "\n"), said ? said : "");
	return -1;
}

/* --- the rules --- */

static void put_ports(struct writer *out, const struct steer_ports *ports, bool udp)
{
	const char *before = "";

	for (unsigned port = 0; port < STEER_PORTS; port++) {
		unsigned last = port;

		if (!steer_ports_has(ports, udp, port))
			continue;
		while (last + 1 < STEER_PORTS && steer_ports_has(ports, udp, last + 1))
			last++;
		if (last > port)
			writer_format(out, "%s%u-%u", before, port, last);
		else
			writer_format(out, "%s%u", before, port);
		before = ", ";
		port = last;
	}
}

static void put_left(struct writer *out, const struct steer_ports *leave)
{
	for (int udp = 0; udp <= 1; udp++) {
		size_t start = out->length, empty;

		writer_format(out, "add element inet " TABLE " leave_%s { ", udp ? "udp" : "tcp");
		empty = out->length;
		put_ports(out, leave, udp != 0);
		if (out->length == empty) /* an empty list of elements is no statement */
			out->length = start;
		else
			writer_text(out, " }\n");
	}
}

static void put_addresses(struct writer *out, const struct steer_setup *setup)
{
	for (size_t i = 0; i < setup->address_count; i++) {
		char text[ADDRESS_TEXT_MAX];

		address_text(&setup->addresses[i], text);
		writer_format(out, "add rule inet " TABLE " steer %s daddr %s goto take\n",
			      setup->addresses[i].family == 4 ? "ip" : "ip6", text);
	}
	if (setup->everywhere)
		writer_text(out, "add rule inet " TABLE " steer ip daddr 127.0.0.0/8 accept\n"
				 "add rule inet " TABLE " steer ip6 daddr ::1 accept\n"
				 "add rule inet " TABLE " steer fib daddr type local goto take\n");
}

static int put_sockets(struct writer *out, const struct steer_setup *setup)
{
	writer_text(out, "add rule inet " TABLE " take tcp dport @leave_tcp accept\n"
			 "add rule inet " TABLE " take udp dport @leave_udp accept\n");
	for (unsigned i = 0; i < STEER_SOCKETS; i++) {
		bool v6 = i == STEER_TCP6 || i == STEER_UDP6;
		struct sockaddr_storage bound;
		socklen_t length = sizeof(bound);
		char text[ADDRESS_TEXT_MAX];
		struct endpoint end;

		if (setup->sockets[i] < 0)
			continue;
		if (getsockname(setup->sockets[i], (struct sockaddr *)&bound, &length) < 0)
			return -1;
		end = endpoint_from_socket(&bound);
		address_text(&end.address, text);
		writer_format(
			out,
			"add rule inet " TABLE
			" take meta nfproto %s meta l4proto %s tproxy %s to %s%s%s:%u accept\n",
			v6 ? "ipv6" : "ipv4", i == STEER_UDP4 || i == STEER_UDP6 ? "udp" : "tcp",
			v6 ? "ip6" : "ip", v6 ? "[" : "", text, v6 ? "]" : "", (unsigned)end.port);
	}
	return 0;
}

static int put_rules(struct writer *out, const struct steer_setup *setup,
		     const struct steer_ports *leave, bool owner)
{
	/* One transaction: what an earlier start left goes in it. */
	writer_format(out,
		      "add table inet " TABLE "\n"
		      "delete table inet " TABLE "\n"
		      "add table inet " TABLE " %s\n"
		      "add set inet " TABLE " leave_tcp { type inet_service; flags interval; }\n"
		      "add set inet " TABLE " leave_udp { type inet_service; flags interval; }\n"
		      "add chain inet " TABLE " take\n"
		      "add chain inet " TABLE
		      " steer { type filter hook prerouting priority mangle; policy accept; }\n",
		      owner ? "{ flags owner; }" : "");
	put_left(out, leave);
	put_addresses(out, setup);
	return put_sockets(out, setup);
}

static void *tproxy_open(const struct steer_setup *setup, const struct steer_ports *leave,
			 char why[STEER_WHY])
{
	struct steer_tproxy *steer = begin(why);
	struct writer script = writer_growing(SCRIPT);

	for (int owner = 1; steer && owner >= 0 && !steer->attached; owner--) {
		writer_clear(&script);
		if (put_rules(&script, setup, leave, owner != 0) < 0)
			snprintf(why, STEER_WHY, "asking a socket for its address: %s",
				 strerror(errno));
		else
			steer->attached = run(steer, &script, why) == 0;
	}
	writer_free(&script);
	if (steer && steer->attached)
		return steer;
	tproxy_close(steer);
	return NULL;
}

static int tproxy_leave(void *state, const struct steer_ports *leave)
{
	struct writer script = writer_growing(SCRIPT);
	char why[STEER_WHY];
	int status;

	writer_text(&script, "flush set inet " TABLE " leave_tcp\n"
			     "flush set inet " TABLE " leave_udp\n");
	put_left(&script, leave);
	status = run(state, &script, why);
	writer_free(&script);
	if (status < 0)
		errno = EIO;
	return status;
}

/* A chain that hangs on no hook sees no packet. */
static bool tproxy_possible(char why[STEER_WHY])
{
	struct steer_tproxy *steer = begin(why);
	struct writer script = writer_growing(4096);
	bool possible = false;

	if (steer) {
		writer_text(&script,
			    "add table inet sundew_try\n"
			    "add chain inet sundew_try try\n"
			    "add rule inet sundew_try try meta l4proto tcp tproxy to :1 accept\n");
		possible = run(steer, &script, why) == 0;
		if (possible)
			(void)steer->nft.run(steer->context, "delete table inet sundew_try");
	}
	writer_free(&script);
	tproxy_close(steer);
	return possible;
}

const struct steer_kind steer_tproxy_kind = {"nftables TPROXY", tproxy_open, tproxy_leave,
					     tproxy_close, tproxy_possible};
