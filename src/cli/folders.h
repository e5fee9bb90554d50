/* The data folder: what lies where, for every command.
 *
 *     sundew.yaml          configuration, written at the first run
 *     secret               32 random bytes of this installation: personas vary by them
 *     certificate.pem key.pem  of the TLS decoys
 *     access.table         what sources tried, and the pairs they got in with
 *     packets/             the capture's ring of recent packets
 *     machines/            what intruders wrote on the fake machine, by source
 *     spool/NAME/          events of one process, waiting and read
 *     evidence/            by SHA-256; evidence/inbox/ is where decoys leave it
 *     store/sundew.db      events, counted
 *     reports/             written by `sundew report`
 */
#ifndef CLI_FOLDERS_H
#define CLI_FOLDERS_H

#include "base/config.h"
#include "cli/command.h"
#include "decoy/persona.h"
#include "decoy/settings.h"
#include "store/store.h"

#define PATH_LENGTH 4096

struct folders {
	char data[PATH_LENGTH], config[PATH_LENGTH];
	char share[PATH_LENGTH]; /* personas, web sites, bait */
	char geo[PATH_LENGTH];   /* GeoIP data */
	char image[PATH_LENGTH]; /* of the fake machine's file system */
};

/* From --data, --config, the environment and where the program lies. */
void folders_find(const struct invocation *invocation, struct folders *folders);
/* Joins; fatal when it is too long. */
void folders_path(const struct folders *folders, const char *name, char path[PATH_LENGTH]);
/* Opens the folder, making it (0700) if it is not there. -1 with a message printed. */
MUST_CHECK int folders_open(const struct folders *folders, const char *name, bool make);

/* The installation's secret; made when it is not there. *installed is when that was. */
MUST_CHECK int folders_secret(const struct folders *folders, uint8_t secret[PERSONA_SECRET_LENGTH],
			      int64_t *installed);

/* The network sensor. */
struct capture_settings {
	struct config_texts interfaces; /* none: it does not run */
	struct config_texts rules;
	const char *filter, *variables, *classes, *rules_cache, *rules_changes,
		*p0f; /* may be NULL */
	int64_t ring_bytes, flow_bytes, buffer_bytes;
};

/* What belongs to no decoy. */
struct host_settings {
	struct capture_settings capture;
	struct decoy_settings decoy;
	int64_t spool_segment, spool_total, spool_keep;
	int64_t store_age, store_bytes, evidence_total;
	int64_t restart_longest, restart_healthy;
	const char *geo;
	const char *user; /* whom the processes become if root */
	int log_level;
};

extern const struct config_section *const host_sections[]; /* ends with NULL */

/* Reads the configuration and all settings; the errors are in the config, which is never NULL. */
struct config *host_settings_load(const struct folders *folders, enum access_override access,
				  struct host_settings *settings);
/* The same; prints every error, one a line; NULL then. */
struct config *host_settings_read(const struct folders *folders, enum access_override access,
				  struct host_settings *settings);
/* The persona of the settings; NULL with a message printed. */
struct persona *installation_persona(const struct folders *folders,
				     const struct decoy_settings *settings);
/* Writes the first configuration if there is none. */
MUST_CHECK int host_write_config(const struct folders *folders, const char *listen_address,
				 int64_t port_offset);

/* Opens the store of the data folder for reading; NULL with a message printed. */
struct store *host_store(const struct folders *folders);

#endif
