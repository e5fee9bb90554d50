/* What the configuration says about decoys: where they listen, as whom, with which limits. */
#ifndef DECOY_SETTINGS_H
#define DECOY_SETTINGS_H

#include "decoy/session.h"

#define SERVICES_MAX     256
#define TARPIT_RULES_MAX 64

/* A service with the ports it wants, before any socket exists. */
struct service_plan {
	struct service service;
	struct {
		enum transport transport;
		uint16_t first, last;
		bool tls;
	} ports[32];
	size_t port_count;
};

struct tarpit_rule {
	const char *name;
	struct config_texts protocols, sources; /* empty: all */
	struct tarpit tarpit;
};

struct decoy_limits {
	int64_t connections;            /* of one worker */
	int64_t connections_per_source; /* of one worker */
	int64_t rate_per_source;        /* new connections a minute */
	int64_t burst_per_source;
	int64_t memory;         /* bytes that all sessions of a worker may hold */
	int64_t session_memory; /* arena of one */
	int64_t udp_sessions;
	int64_t evidence_bytes; /* of one piece */
};

struct decoy_settings {
	const char *sensor;
	const char *persona_name;
	const char *share;
	struct config_texts addresses;
	int64_t port_offset;
	int64_t workers;
	struct config_ports passive_ports;
	bool any_port;
	int any_port_by;                 /* enum steer_way */
	struct config_ports leave_ports; /* the host's own, when any_port is set */
	struct service any_service;      /* for these ports */
	struct decoy_limits limits;
	struct service_plan *services;
	size_t service_count;
	size_t prepared; /* of them */
	struct tarpit_rule tarpits[TARPIT_RULES_MAX];
	size_t tarpit_count;
	struct access_policy *policy;
};

/* Reads all of it; errors stay in the config. The settings live as long as the config, but for the
 * policy and what protocols prepared, which decoy_settings_free drops. */
void decoy_settings_take(struct config *config, enum access_override access,
			 struct decoy_settings *settings);
void decoy_settings_free(struct decoy_settings *settings);

/* Lets every protocol read what it needs from share/; the persona must outlive the settings. */
MUST_CHECK int decoy_settings_prepare(struct decoy_settings *settings,
				      const struct persona *persona, struct arena *arena,
				      char **why);

/* The tarpit for a source at a service, or NULL. */
const struct tarpit *decoy_settings_tarpit(const struct decoy_settings *settings,
					   const struct service *service,
					   const struct address *source);

/* A plain starting configuration: every protocol on its own ports. */
void decoy_settings_write_services(struct writer *out);

/* Tables, for docs/CONFIGURATION.md; ends with a NULL path. */
extern const struct config_section *const decoy_sections[];

#endif
