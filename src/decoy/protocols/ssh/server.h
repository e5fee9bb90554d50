/* What all SSH sessions of one service share: the build that is played, looked-up algorithms, room
 * to put packets together, and who used up how much. One for each worker, since workers are
 * processes. */
#ifndef DECOY_SSH_SERVER_H
#define DECOY_SSH_SERVER_H

#include "decoy/host_keys.h"
#include "decoy/protocols/ssh/ssh.h"
#include "decoy/sources.h"

struct ssh_options {
	const char *build;        /* "" : the persona's */
	const char *max_startups; /* start:rate:full */
	const char *login_delay_text;
	int tunnels; /* enum ssh_tunnels */
	int keys;    /* enum ssh_keys */
	int64_t grace, fail_delay, login_delay, idle;
	int64_t tries, sessions;
	int64_t evidence; /* bytes */
	bool compression;
	struct ssh_server *server; /* made by prepare */
};

enum ssh_keys { SSH_KEYS_AUTHORIZED, SSH_KEYS_POLICY };
enum ssh_tunnels { SSH_TUNNELS_FAKE, SSH_TUNNELS_REFUSE, SSH_TUNNELS_FORBID };

struct ssh_groups; /* groups.c */
struct ssh_exchanger;

struct ssh_server {
	const struct ssh_options *options;
	const struct ssh_build *build;
	const char *banner;  /* identification without CR LF */
	const char *methods; /* that can continue */
	const char *issue;   /* userauth banner, or NULL */
	bool keyboard_interactive;
	struct ssh_primitives *primitives;
	struct ssh_exchanger *exchanger;
	struct ssh_groups *groups;
	struct sources *sources; /* budgets for costly operations */
	unsigned startups;       /* connections without log-in */
	struct {
		unsigned start, rate, full; /* full 0: no limit */
	} max_startups;
	struct writer packet;   /* the one that is put together */
	struct writer payload;  /* the one that was taken apart */
	struct writer scratch;  /* compression; signatures */
	struct writer gathered; /* output of a program within one run */
#ifdef SUNDEW_TEST_HOOKS
	bool clear; /* for the fuzzer: no encryption after NEWKEYS */
#endif
};

/* Protocol's prepare and release. */
int ssh_server_prepare(void *options, const struct persona *persona, const char *share_folder,
		       struct arena *arena, char **why);
void ssh_server_release(void *options);

/* Counts one more connection without log-in, or says no (MaxStartups, by OpenSSH's odds). */
bool ssh_server_admit(struct ssh *ssh);
/* It logged in, or is gone. */
void ssh_server_forget(struct ssh *ssh);
/* Takes `cost` tokens of the session's source; false: not now. */
bool ssh_server_affords(struct ssh_server *server, struct session *session, unsigned cost);

extern const struct config_section ssh_section;

#endif
