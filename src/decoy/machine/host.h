/* The story of the fake host: one set of facts per persona and installation that every command,
 * every file of /proc and every protocol tells alike.
 *
 * Facts come from the persona's keys ("host.*", "machine.*") and from the installation's secret;
 * what changes (uptime, load, memory in use, processes' ages) is a function of the time, so that
 * two log-ins at the same moment see the same host.
 */
#ifndef DECOY_MACHINE_HOST_H
#define DECOY_MACHINE_HOST_H

#include "base/address.h"
#include "decoy/machine/machine.h"
#include "decoy/persona.h"

struct host;
struct host_keys;

/* What the worker makes once, before its sandbox closes. image_path: NULL or missing: a plain one.
 * disks: folder descriptor for what sources write, or -1. NULL with *why. */
struct host_setup {
	const struct persona *persona;
	const char *share_folder;
	const char *image_path;
	int disks;
	const struct host_keys *host_keys; /* that SSH shows, for /etc/ssh; NULL: none */
	struct address address; /* that attackers see, when it is known (family 0: made up) */
};
struct host *host_new(const struct host_setup *setup, char **why);
void host_free(struct host *host);

enum host_kind { HOST_DEBIAN, HOST_ROUTER };
enum host_kind host_kind(const struct host *host);
const struct persona *host_persona(const struct host *host);
struct file_systems *host_file_systems(const struct host *host);
struct coroutine_pool *host_stacks(const struct host *host);

/* uname(2). */
struct host_names {
	const char *system, *node, *release, *version, *machine, *domain;
};
const struct host_names *host_names(const struct host *host);

/* Accounts of /etc/passwd and groups of /etc/group as the host began; those that a source added are
 * in its files, so commands read the files. */
size_t host_accounts(const struct host *host, const struct machine_account **accounts);

struct host_interface {
	const char *name; /* lo, eth0 / ens18 */
	uint8_t mac[6];
	struct address address, address6; /* family 0: none */
	unsigned prefix, prefix6, mtu, index;
	struct address broadcast;
};
size_t host_interfaces(const struct host *host, const struct host_interface **interfaces);
struct address host_gateway(const struct host *host);
struct address host_name_server(const struct host *host);
/* Bytes and packets of an interface since boot. */
struct host_traffic {
	uint64_t received_bytes, received_packets, sent_bytes, sent_packets;
};
struct host_traffic host_traffic(const struct host *host, size_t interface, int64_t now);

struct host_processor {
	const char *vendor, *model_name, *flags;
	unsigned family, model, stepping, count, megahertz, cache_kilobytes;
	const char *architecture; /* x86_64, armv7l, mips ... */
};
const struct host_processor *host_processor(const struct host *host);

/* In kilobytes, as /proc/meminfo. */
struct host_memory {
	uint64_t total, free, available, buffers, cached, shared, swap_total, swap_free, slab,
		dirty, active, inactive;
};
struct host_memory host_memory(const struct host *host, int64_t now);
double host_load(const struct host *host, int64_t now, unsigned minutes); /* 1, 5, 15 */
int64_t host_boot_time(const struct host *host, int64_t now);             /* microseconds */

/* Processes that are there before any intruder is. */
struct host_process {
	unsigned pid, parent, uid;
	const char *name,
		*command;     /* comm; the whole command line, "[kthreadd]" for the kernel's */
	char state;           /* as ps shows it first: S, I, R */
	const char *more;     /* what follows it: "s", "<", "Ssl" less the first ... */
	const char *terminal; /* "?" or "tty1" */
	int64_t started;      /* microseconds */
	uint64_t virtual_kilobytes, resident_kilobytes, cpu_seconds;
};
size_t host_processes(const struct host *host, const struct host_process **processes, int64_t now);

/* Sockets that listen (services of this installation and those of the story). */
struct host_listener {
	bool udp, six;
	struct address address;
	uint16_t port;
	unsigned pid;
	const char *program;
};
size_t host_listeners(const struct host *host, const struct host_listener **listeners);

/* Disks and mounts. */
struct host_mount {
	const char *source, *point, *type, *options;
	uint64_t kilobytes, used; /* 0: no blocks */
};
size_t host_mounts(const struct host *host, const struct host_mount **mounts);

/* Contents of a file that the story writes itself (/etc/hostname, /etc/hosts, /etc/passwd,
 * /etc/shadow, /etc/machine-id, logs ...): overlaid on the image for all sources when a view is
 * made. Called by file_system.c for each index from 0; false: no more. */
struct host_file {
	const char *path;
	unsigned mode, uid, gid;
	int64_t modified;
	struct slice contents;
	const char *target; /* a symbolic link */
	bool added;         /* contents go behind what is there */
};
bool host_file(const struct host *host, size_t index, struct host_file *file);

/* --- more of the story, for the system's commands and files --- */

/* The people who use the host (they are accounts too). */
struct host_person {
	const char *user, *given, *family;
	unsigned uid;
	bool administrator;         /* may use sudo */
	struct address workstation; /* from which they log in */
};
size_t host_people(const struct host *host, const struct host_person **people);

/* Log-ins of the people, newest first, as wtmp has them; `ended` 0: still there. */
struct host_login {
	const char *user, *terminal; /* "pts/0", "tty1" */
	struct address from;         /* family 0: the console */
	unsigned pid;
	int64_t started, ended;
};
size_t host_logins(const struct host *host, const struct host_login **logins);

struct host_disk {
	const char *name, *model, *vendor; /* sda, QEMU HARDDISK */
	const char *serial;
	uint64_t kilobytes;                                          /* of the whole disk */
	uint64_t root_start, root_sectors, swap_start, swap_sectors; /* partitions 1 and 5 */
	const char *root_uuid, *swap_uuid, *part_id; /* file systems'; the DOS label's 8 digits */
};
const struct host_disk *host_disk(const struct host *host);

/* What the host runs on, as DMI and PCI show it. */
struct host_platform {
	const char *name; /* proxmox, libvirt, vmware, hyperv */
	const char *vendor, *product, *product_version, *board_vendor, *board, *board_version;
	const char *bios_vendor, *bios_version, *bios_date, *hypervisor, *virtualization;
	const char *serial, *uuid;
};
const struct host_platform *host_platform(const struct host *host);
const char *host_machine_id(const struct host *host);
/* Of this boot, as /proc/sys/kernel/random/boot_id; text must hold 37 bytes. */
void host_boot_id(const struct host *host, int64_t now, char text[37]);
/* Process ids given out so far: a number that grows with time. A log-in's processes come after it.
 */
unsigned host_last_pid(const struct host *host, int64_t now);
/* A number in [low, high] of this installation, for facts that only one place tells. */
int64_t host_fact(const struct host *host, const char *label, int64_t low, int64_t high);
/* Neighbours in the ARP cache of the moment: the gateway first. Count. */
#define HOST_NEIGHBOURS_MAX 4
struct host_neighbour {
	struct address address;
	uint8_t mac[6];
	bool stale;
};
size_t host_neighbours(const struct host *host, int64_t now,
		       struct host_neighbour neighbours[HOST_NEIGHBOURS_MAX]);
/* A value in [0, 1) that wanders with time: it changes smoothly over `period`. */
double host_wander(const struct host *host, const char *label, int64_t now, int64_t period);
/* Finds a process of the story by its comm; 0: none. */
unsigned host_process_id(const struct host *host, const char *name, int64_t now);

#endif
