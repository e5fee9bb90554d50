/* What `sundew run` holds together, and the processes that it is made of. */
#ifndef CLI_HOST_ROLES_H
#define CLI_HOST_ROLES_H

#include "cli/folders.h"
#include "cli/host_status.h"
#include "cli/listen.h"
#include "decoy/host_keys.h"
#include "decoy/tls.h"
#include "decoy/worker.h"
#include "process/session_table.h"
#include "process/steer.h"
#include "process/supervisor.h"

#define HOST_SPOOLS_MAX                                                          \
	40 /* a worker's each (32 at most), the store's, supervisor's, capture's \
	    */

struct host_spool {
	char name[24];
	int folder;
};

struct installation {
	const struct invocation *invocation;
	struct folders folders;
	struct config *config;
	struct host_settings settings;
	struct persona *persona;
	struct tls_settings *tls;
	struct host_keys *host_keys;
	struct arena arena;             /* what protocols prepared */
	struct service *plain_services; /* [2 * plan]: in the clear, [2 * plan + 1]: under TLS */
	const struct service *takers[SERVICES_MAX]; /* of sessions at other ports */
	size_t taker_count;
	struct access_memory *access_memory;
	struct open_sockets sockets;
	struct steer *steer;           /* of listen.any-port, or NULL */
	struct steer_ports left_alone; /* by it */
	int64_t any_port_at;           /* when to look at them again */
	const char *listen_address;
	struct config_port_range passive;
	struct sandbox_user user;
	bool has_user;
	struct session_table *sessions; /* NULL: no capture */
	int tap[2];                     /* decrypted streams: from the decoys, to the capture */
	int store_folder, evidence_folder, inbox_folder, spools_folder, machines_folder;
	int packets_folder;
	struct host_spool spools[HOST_SPOOLS_MAX];
	size_t spool_count;
	struct host_status status;
	struct supervisor_setup *setup; /* what of it a reload changes */
};

extern const struct process_role role_decoy, role_capture, role_store;

/* The folder of that process's spool, or -1. */
int host_spool_folder(const struct installation *host, const char *name);

/* Columns of the table of counters: the workers', the store's and the capture's. */
enum {
	HOST_STORE_STORED = WORKER_COUNTERS,
	HOST_STORE_DAMAGED,
	HOST_STORE_BACKLOG,
	HOST_STORE_FAILING, /* 1 while the database refuses */
	HOST_CAPTURE_PACKETS,
	HOST_CAPTURE_DROPPED, /* by the kernel, because they were not read in time */
	HOST_CAPTURE_FLOWS,
	HOST_CAPTURE_EVENTS,
	HOST_CAPTURE_TAP_REFUSED,
	HOST_COUNTERS
};
extern const char *const host_counter_names[HOST_COUNTERS];

#endif
