/* What `sundew run` holds together, and the processes that it is made of. */
#ifndef CLI_HOST_ROLES_H
#define CLI_HOST_ROLES_H

#include "cli/folders.h"
#include "cli/listen.h"
#include "decoy/tls.h"
#include "decoy/worker.h"
#include "process/process.h"

#define HOST_SPOOLS_MAX 40 /* a worker's each (32 at most), the store's and the supervisor's */

struct host_spool {
	char name[24];
	int folder;
};

struct host {
	const struct invocation *invocation;
	struct folders folders;
	struct config *config;
	struct host_settings settings;
	struct persona *persona;
	struct tls_settings *tls;
	struct arena arena;             /* what protocols prepared */
	struct service *plain_services; /* [2 * plan]: in the clear, [2 * plan + 1]: under TLS */
	struct access_memory *access_memory;
	struct open_sockets sockets;
	const char *listen_address;
	struct config_port_range passive;
	struct sandbox_user user;
	bool has_user;
	int store_folder, evidence_folder, inbox_folder, spools_folder;
	struct host_spool spools[HOST_SPOOLS_MAX];
	size_t spool_count;
	struct spool *spool; /* the supervisor's own */
	struct ulid_source ulids;
};

extern const struct process_role role_decoy, role_store;

/* Columns of the table of counters: the workers' and the store's. */
extern const char *const host_counter_names[];
size_t host_counter_count(void);

#endif
