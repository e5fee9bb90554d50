/* What /var/lib/dpkg/status says of the packages that are installed. */
#ifndef DECOY_MACHINE_COMMANDS_PACKAGES_H
#define DECOY_MACHINE_COMMANDS_PACKAGES_H

#include "decoy/machine/process.h"

struct package {
	const char *name, *version, *architecture, *summary;
	/* Letters of dpkg -l: wanted, state. */
	char wanted, state;
	bool same;           /* Multi-Arch: same: its name is shown with the architecture */
	struct slice stanza; /* all of its text, with the last newline */
};

/* Packages of the status file, in its order. Everything is in the process's memory. */
struct packages {
	struct text file;
	struct package *list;
	size_t count;
};
void packages_read(struct process *process, struct packages *packages);
void packages_give(struct process *process, struct packages *packages);
const struct package *packages_find(const struct packages *packages, const char *name);
/* A field of a stanza, its first line only; "" when it is not there. */
char *packages_field(struct process *process, struct slice stanza, const char *field);
/* "libc6:amd64" for what is installed for several architectures, else the name. */
char *packages_shown_name(struct process *process, const struct package *package);

/* Version of an installed package, else `fallback`. */
const char *packages_version(struct process *process, const char *name, const char *fallback);

/* "OpenSSL 3.0.15 3 Sep 2024", of the libssl3 that is installed. */
const char *packages_openssl(struct process *process);

/* Takes a package away: its files and, purged, its configuration; says so as dpkg does. */
int packages_remove(struct process *process, const char *name, bool purge);
/* Path of the list of its files, or NULL. */
char *packages_list_path(struct process *process, const struct package *package);

#endif
