/* What builds of OpenSSH say of themselves: one entry for each that can be played. */
#ifndef DECOY_SSH_BUILDS_H
#define DECOY_SSH_BUILDS_H

#include "base/bytes.h"

struct ssh_build {
	const char *name;   /* the persona's ssh.build */
	const char *banner; /* where the persona has no ssh.banner; its beginning is checked */
	const char *kex, *host_keys, *ciphers, *macs, *compression;
	const char *signatures;    /* server-sig-algs of EXT_INFO; NULL: no EXT_INFO */
	bool hostbound;            /* publickey-hostbound@openssh.com */
	bool hostkeys_prove;       /* hostkeys-00@openssh.com after log-in */
	bool old_mismatch;         /* "Protocol mismatch.\n" to what is not SSH */
	bool status_first;         /* a program's status goes before the EOF of its output */
	bool tells_dropped;        /* "Exceeded MaxStartups" */
	bool old_groups;           /* takes the group request of RFC 4419's draft */
	unsigned dh_minimum;       /* of a group exchange, bits */
	const char *accepted_keys; /* PubkeyAcceptedAlgorithms */
};

/* NULL when there is none of that name. */
const struct ssh_build *ssh_build_named(const char *name);

#endif
