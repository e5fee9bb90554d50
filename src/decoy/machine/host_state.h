/* What host*.c share: the inside of `struct host`. */
#ifndef DECOY_MACHINE_HOST_STATE_H
#define DECOY_MACHINE_HOST_STATE_H

#include "base/arena.h"
#include "decoy/machine/host.h"

/* The story is some dozens of accounts, processes and files; a persona that a user wrote cannot
 * grow it without end. */
#define HOST_MEMORY_MAX    ((size_t)8 * 1024 * 1024)
#define HOST_PROCESSES_MAX 256
#define HOST_LISTENERS_MAX 24
#define HOST_MOUNTS_MAX    40
#define HOST_ACCOUNTS_MAX  48
#define HOST_GROUPS_MAX    80
#define HOST_PEOPLE_MAX    4
#define HOST_FILES_MAX     384
#define HOST_LOGINS_MAX    96

struct host_group {
	const char *name;
	unsigned gid;
	const char *members;
};

struct host {
	const struct persona *persona;
	struct arena arena;
	enum host_kind kind;
	int64_t made;                    /* wall time at which the story was told; logs end there */
	int64_t installed, os_installed; /* of the honeypot; of the fake host, long before */
	const char *console_login;       /* who is on tty1, or NULL */
	unsigned console_pid;            /* of its login(1) */
	struct host_names names;
	struct host_processor processor;
	struct machine_account accounts[HOST_ACCOUNTS_MAX];
	size_t account_count;
	struct host_group groups[HOST_GROUPS_MAX];
	size_t group_count;
	struct host_person people[HOST_PEOPLE_MAX];
	size_t person_count;
	struct host_interface interfaces[2];
	size_t interface_count;
	struct address gateway, name_server;
	char machine_id[33];
	struct host_mount mounts[HOST_MOUNTS_MAX];
	size_t mount_count;
	struct host_listener listeners[HOST_LISTENERS_MAX];
	size_t listener_count;
	struct host_disk disk;
	struct host_platform platform;
	struct host_memory memory; /* total, swap_total; the rest is a function of time */
	/* The processes of one boot; made anew when the boot time moves. */
	struct host_process processes[HOST_PROCESSES_MAX];
	size_t process_count;
	int64_t processes_boot, processes_second; /* of which they are */
	int64_t boot_second, boot_then;           /* the last answer of host_boot_time */
	size_t processes_fixed; /* beyond them come the kernel's workers of the moment */
	unsigned cpu_rates[HOST_PROCESSES_MAX]; /* seconds in ten million */
	char kworkers[8][48], kworker_names[8][48];
	struct host_login logins[HOST_LOGINS_MAX];
	size_t login_count;
	struct host_file files[HOST_FILES_MAX];
	size_t file_count;
	const char *share_folder;
	bool plain; /* there is no image: the story brings what Debian's packages would */
	struct image *image;
	struct file_systems *file_systems;
	struct coroutine_pool *stacks;
};

/* host_facts.c */
void host_make_facts(struct host *host, const struct host_setup *setup);
/* host_people.c: accounts, groups, people, their log-ins */
void host_make_people(struct host *host);
/* host_processes.c: listeners and processes */
void host_make_listeners(struct host *host);
/* host_files.c */
/* host_ssh.c */
void host_make_ssh_keys(struct host *host, const struct host_keys *keys);
void host_make_files(struct host *host);
/* host_logs.c: adds the logs to the files */
void host_make_logs(struct host *host);

/* Text that lives as long as the host; "" when memory is out. */
const char *host_format(struct host *host, const char *format, ...) PRINTF(2, 3);
void host_add_file(struct host *host, const char *path, unsigned mode, unsigned uid, unsigned gid,
		   int64_t modified, struct slice contents);
/* A number of the installation in [low, high]. */
int64_t host_number(const struct host *host, const char *label, int64_t low, int64_t high);
/* The same that also depends on the boot. */
uint64_t host_boot_number(const struct host *host, const char *label, int64_t boot, uint64_t low,
			  uint64_t high);

#endif
