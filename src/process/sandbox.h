/* The sandbox: what a process gives up, for good, before it reads a byte from outside.
 *
 * In this order: resource limits, an empty (or own) root, the user, all capabilities, no new
 * privileges, Landlock (files by folder, no TCP bind or connect, no signals or abstract sockets
 * outward), and a seccomp filter that answers everything not on the role's list with EPERM. The
 * root and the user need root; everything else works without.
 *
 * Refusals are errors and not deaths, so that an optional call of some library does not take a
 * decoy down. docs/SECURITY.md has the table of roles in words.
 */
#ifndef PROCESS_SANDBOX_H
#define PROCESS_SANDBOX_H

#include <sys/types.h>

#include "base/bytes.h"

#define SANDBOX_FOLDERS_MAX 8

/* Groups of system calls beyond the ones that every process needs (memory, time, random numbers,
 * polling, timers, reading and writing what it holds, its pipe to the supervisor). */
enum sandbox_calls {
	SANDBOX_STREAMS =
		1, /* accept on given listeners; options, addresses, shutdown of sockets */
	SANDBOX_DATAGRAMS = 2, /* receive and send on given sockets with an address */
	SANDBOX_FILES = 4,     /* open, make, rename, remove, sync: where Landlock lets it */
	SANDBOX_PACKETS = 16,  /* counts of a packet socket; its ring is memory */
	SANDBOX_DATABASE = 8,  /* what SQLite needs beyond that: locks, truncation, shared memory */
};

enum sandbox_rights {
	SANDBOX_READ = 1,  /* read files, list folders */
	SANDBOX_WRITE = 2, /* write and truncate files that are there */
	SANDBOX_CREATE =
		4, /* make files and folders, rename and link inside the folders that have it */
	SANDBOX_REMOVE = 8, /* remove and rename away */
};

struct sandbox {
	unsigned calls;   /* enum sandbox_calls */
	const char *home; /* granted folder that becomes the working directory and, for root, the
			   * root; NULL: an empty one. SQLite needs it: it opens by path. */
	struct {
		const char *name; /* of a granted descriptor; NULL ends the list */
		unsigned rights;  /* enum sandbox_rights, for everything beneath */
	} folders[SANDBOX_FOLDERS_MAX];
	uint64_t memory_bytes; /* address space; 0: no limit. Not applied under AddressSanitizer */
	uint64_t files; /* open descriptors; 0: as they are. Never raised above the hard limit */
};

/* A folder as the process holds it. */
struct sandbox_folder {
	int descriptor;
	unsigned rights;
};

struct sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* Enters; there is no way back. home is the descriptor of the home folder or -1. user is whom to
 * become when started as root, or NULL. Returns 0, or -1 with *why what failed (errno says how):
 * the process must then exit, for it is neither in nor out. */
MUST_CHECK int sandbox_enter(const struct sandbox *sandbox, int home,
			     const struct sandbox_folder *folders, size_t count,
			     const struct sandbox_user *user, const char **why);

/* Landlock's version on this kernel; 0 when there is none, and files are then kept only by the
 * root, the user and the system call filter. */
int sandbox_landlock_version(void);

#endif
