/* Decoy settings from the configuration; see settings.h. */
#include "decoy/settings.h"
#include "decoy/registry.h"

#define FIELD_OF(type, member) offsetof(struct type, member)

/* --- sensor --- */

struct sensor_values {
	const char *name, *persona, *share;
};

static const struct directive sensor_directives[] = {
	{"name", DIRECTIVE_TEXT, FIELD_OF(sensor_values, name), "sundew", 0, 0, NULL,
	 "Name of this sensor in every event", false},
	{"persona", DIRECTIVE_TEXT, FIELD_OF(sensor_values, persona), "debian-server", 0, 0, NULL,
	 "The host that is played: a file of share/personas without .yaml", false},
	{"share", DIRECTIVE_TEXT, FIELD_OF(sensor_values, share), NULL, 0, 0, NULL,
	 "Folder of personas, web sites and bait; default: where Sundew is installed", false},
};

static const struct config_section sensor_section = {
	"sensor", sensor_directives, ARRAY_COUNT(sensor_directives), "Who this sensor is."};

/* --- listen --- */

struct listen_values {
	struct config_texts addresses;
	int64_t port_offset, workers;
	struct config_ports passive_ports, leave_ports;
	bool any_port;
	int any_port_by;
};

/* As enum steer_way of process/steer.h. */
static const char *const steer_ways[] = {"auto", "sk-lookup", "tproxy", NULL};

static const struct directive listen_directives[] = {
	{"addresses", DIRECTIVE_TEXTS, FIELD_OF(listen_values, addresses), "0.0.0.0", 0, 0, NULL,
	 "Addresses to listen on, IPv4 or IPv6; 0.0.0.0 and \"::\" are all of them", false},
	{"port-offset", DIRECTIVE_NUMBER, FIELD_OF(listen_values, port_offset), "0", 0, 64000, NULL,
	 "Added to every port, for trying Sundew without root", false},
	{"workers", DIRECTIVE_NUMBER, FIELD_OF(listen_values, workers), "0", 0, 32, NULL,
	 "Decoy processes; 0: one for each processor, at most 4", false},
	{"passive-ports", DIRECTIVE_PORTS, FIELD_OF(listen_values, passive_ports), "41000-41031", 0,
	 0, NULL, "Ports for passive data connections (FTP), shared out among the workers", false},
	{"any-port", DIRECTIVE_BOOLEAN, FIELD_OF(listen_values, any_port), "no", 0, 0, NULL,
	 "All TCP and UDP ports on which no other program listens lead to the decoys (needs root)",
	 false},
	{"any-port-by", DIRECTIVE_CHOICE, FIELD_OF(listen_values, any_port_by), "auto", 0, 0,
	 steer_ways,
	 "How the kernel leads them there: a BPF program (sk-lookup), or nftables where that "
	 "cannot be had (tproxy)",
	 false},
	{"leave-ports", DIRECTIVE_PORTS, FIELD_OF(listen_values, leave_ports), NULL, 0, 0, NULL,
	 "Ports that any-port leaves to the host, whether a program listens there now or not",
	 false},
};

static const struct config_section listen_section = {
	"listen", listen_directives, ARRAY_COUNT(listen_directives), "Where the decoys listen."};

/* --- limits --- */

#define LIMIT(name, member, standard, minimum, maximum, help)                              \
	{                                                                                  \
		name, DIRECTIVE_NUMBER, FIELD_OF(decoy_limits, member), standard, minimum, \
			maximum, NULL, help, false                                         \
	}
#define LIMIT_SIZE(name, member, standard, minimum, maximum, help)                                \
	{                                                                                         \
		name, DIRECTIVE_SIZE, FIELD_OF(decoy_limits, member), standard, minimum, maximum, \
			NULL, help, false                                                         \
	}

static const struct directive limit_directives[] = {
	LIMIT("connections", connections, "12000", 16, 1000000,
	      "Sessions that one worker holds; beyond it the one that was silent longest goes"),
	LIMIT("connections-per-source", connections_per_source, "6000", 1, 1000000,
	      "The same for one source address (IPv6: one /64)"),
	LIMIT("rate-per-source", rate_per_source, "60000", 1, 10000000,
	      "New connections, or datagrams, a minute that one source may make; more are "
	      "closed at once or passed over"),
	LIMIT("burst-per-source", burst_per_source, "12000", 1, 10000000,
	      "How many of them may come at once"),
	LIMIT("udp-sessions", udp_sessions, "4096", 16, 1000000,
	      "Pseudo-sessions over UDP that one worker remembers; the oldest goes"),
	LIMIT_SIZE("memory", memory, "64M", 1 << 20, (int64_t)1 << 40,
		   "Memory of all sessions of one worker; beyond it the one that was silent "
		   "longest goes"),
	LIMIT_SIZE("session-memory", session_memory, "512K", 4096, 1 << 30,
		   "Working memory of one session"),
	LIMIT_SIZE("evidence-bytes", evidence_bytes, "32M", 1024, (int64_t)1 << 40,
		   "Bytes kept of one upload; the rest is counted"),
};

static const struct config_section limits_section = {
	"limits", limit_directives, ARRAY_COUNT(limit_directives),
	"What attackers may use up. Whatever is shed because of a limit is counted."};

/* --- services[] --- */

struct service_values {
	const char *protocol;
	bool enabled, tls, record;
	struct config_ports ports, tls_ports, udp_ports;
	int64_t idle, lifetime, input_bytes;
	double udp_answer_ratio;
};

static const struct directive service_directives[] = {
	{"protocol", DIRECTIVE_TEXT, FIELD_OF(service_values, protocol), NULL, 0, 0, NULL,
	 "Which decoy: see docs/PROTOCOLS.md", true},
	{"enabled", DIRECTIVE_BOOLEAN, FIELD_OF(service_values, enabled), "yes", 0, 0, NULL,
	 "Whether it runs", false},
	{"ports", DIRECTIVE_PORTS, FIELD_OF(service_values, ports), NULL, 0, 0, NULL,
	 "TCP ports; with none of the three given, the protocol's usual ports", false},
	{"tls-ports", DIRECTIVE_PORTS, FIELD_OF(service_values, tls_ports), NULL, 0, 0, NULL,
	 "TCP ports that speak TLS from the first byte", false},
	{"udp-ports", DIRECTIVE_PORTS, FIELD_OF(service_values, udp_ports), NULL, 0, 0, NULL,
	 "UDP ports", false},
	{"idle", DIRECTIVE_DURATION, FIELD_OF(service_values, idle), "5m", SECOND, DAY, NULL,
	 "A session ends when its client was silent this long", false},
	{"lifetime", DIRECTIVE_DURATION, FIELD_OF(service_values, lifetime), "24h", SECOND,
	 30 * DAY, NULL, "Longest session", false},
	{"input-bytes", DIRECTIVE_SIZE, FIELD_OF(service_values, input_bytes), "256M", 1024,
	 (int64_t)1 << 40, NULL, "Most bytes that one session may send", false},
	{"udp-answer-ratio", DIRECTIVE_REAL, FIELD_OF(service_values, udp_answer_ratio), "1.0", 0,
	 0, NULL,
	 "Bytes answered over UDP for each byte received; above 1 the decoy can be used to amplify",
	 false},
	{"record-conversation", DIRECTIVE_BOOLEAN, FIELD_OF(service_values, record), NULL, 0, 0,
	 NULL, "Keep both directions, timed, as evidence; default: only for the protocol 'unknown'",
	 false},
};

static const struct config_section service_section = {
	"services[]", service_directives, ARRAY_COUNT(service_directives),
	"One entry for each decoy. The protocol's own options stand in the same entry."};

/* --- tarpit[] --- */

struct tarpit_values {
	const char *name;
	struct config_texts protocols, sources;
	int64_t bytes, interval;
};

static const struct directive tarpit_directives[] = {
	{"name", DIRECTIVE_TEXT, FIELD_OF(tarpit_values, name), "tarpit", 0, 0, NULL,
	 "Name of the rule", false},
	{"protocols", DIRECTIVE_TEXTS, FIELD_OF(tarpit_values, protocols), NULL, 0, 0, NULL,
	 "Decoys that it holds for; default: all", false},
	{"sources", DIRECTIVE_TEXTS, FIELD_OF(tarpit_values, sources), NULL, 0, 0, NULL,
	 "Networks (192.0.2.0/24) that it holds for; default: all", false},
	{"bytes", DIRECTIVE_NUMBER, FIELD_OF(tarpit_values, bytes), "1", 1, 65536, NULL,
	 "Bytes that leave at a time", false},
	{"interval", DIRECTIVE_DURATION, FIELD_OF(tarpit_values, interval), "10s", SECOND, HOUR,
	 NULL, "Time between them", false},
};

static const struct config_section tarpit_section = {
	"tarpit[]", tarpit_directives, ARRAY_COUNT(tarpit_directives),
	"Slow answers: a client that a rule names gets its bytes one by one, at next to no cost."};

const struct config_section *const decoy_sections[] = {
	&sensor_section, &listen_section, &limits_section, &service_section, &tarpit_section, NULL};

/* --- taking --- */

static void add_ports(struct config *config, const struct config_node *node,
		      struct service_plan *plan, const struct config_ports *ports,
		      enum transport transport, bool tls)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (plan->port_count == ARRAY_COUNT(plan->ports)) {
			config_error(config, node,
				     "more than %zu port ranges for one service: "
				     "make it two services",
				     ARRAY_COUNT(plan->ports));
			return;
		}
		plan->ports[plan->port_count].transport = transport;
		plan->ports[plan->port_count].first = ports->ranges[i].first;
		plan->ports[plan->port_count].last = ports->ranges[i].last;
		plan->ports[plan->port_count++].tls = tls;
	}
}

static void usual_ports(struct service_plan *plan)
{
	const struct protocol *protocol = plan->service.protocol;

	for (size_t i = 0; i < PROTOCOL_PORTS_MAX && protocol->ports[i].port; i++) {
		plan->ports[i].transport = protocol->ports[i].transport;
		plan->ports[i].first = plan->ports[i].last = protocol->ports[i].port;
		plan->ports[i].tls = protocol->ports[i].tls;
		plan->port_count = i + 1;
	}
}

static const struct protocol *find_protocol(struct config *config, const struct config_node *node,
					    const char *name)
{
	const struct protocol *found = protocol_named(slice_text(name)), *nearest = NULL;
	unsigned best = 3;

	if (found)
		return found;
	for (size_t i = 0; protocols[i]; i++) {
		unsigned distance = config_name_distance(name, protocols[i]->name);

		if (distance < best) {
			best = distance;
			nearest = protocols[i];
		}
	}
	if (nearest)
		config_error(config, node, "there is no protocol '%s' (did you mean '%s'?)", name,
			     nearest->name);
	else
		config_error(config, node,
			     "there is no protocol '%s': `sundew decoy --list` shows all", name);
	return NULL;
}

static bool take_service(struct config *config, const struct config_node *node,
			 struct service_plan *plan)
{
	struct service_values values;
	const struct protocol *protocol;

	config_take(config, node, &service_section, &values);
	protocol = values.protocol ? find_protocol(config, node, values.protocol) : NULL;
	if (!protocol)
		return false;
	plan->service = (struct service){
		.protocol = protocol,
		.idle = values.idle,
		.lifetime = values.lifetime,
		.input_bytes = (uint64_t)values.input_bytes,
		.udp_answer_ratio = values.udp_answer_ratio,
		.record_conversation =
			values.record || slice_is(slice_text(protocol->name), "unknown"),
	};
	if (protocol->options_size) {
		void *options = arena_take(config_arena(config), protocol->options_size);

		if (!options)
			return false;
		config_take(config, node, protocol->options, options);
		plan->service.options = options;
	}
	add_ports(config, node, plan, &values.ports, TCP, false);
	add_ports(config, node, plan, &values.tls_ports, TCP, true);
	add_ports(config, node, plan, &values.udp_ports, UDP, false);
	if (plan->port_count == 0)
		usual_ports(plan);
	if (plan->port_count == 0)
		config_error(config, node, "the protocol '%s' has no usual port: give it 'ports'",
			     protocol->name);
	return values.enabled;
}

static void take_services(struct config *config, struct decoy_settings *settings)
{
	const struct config_node *list = config_child(config_root(config), "services");
	size_t count = config_count(list);

	if (count > SERVICES_MAX) {
		config_error(config, list, "more than %d services", SERVICES_MAX);
		count = SERVICES_MAX;
	}
	settings->services =
		arena_take(config_arena(config), (count + 1) * sizeof(*settings->services));
	for (size_t i = 0; settings->services && i < count; i++) {
		struct service_plan *plan = &settings->services[settings->service_count];

		memset(plan, 0, sizeof(*plan));
		if (take_service(config, config_item(list, i), plan))
			settings->service_count++;
	}
}

/* What answers at ports that no service names: `unknown` as it is configured, or as it is by
 * default. Nothing goes back over UDP, where sources are made up. */
static struct service any_service(const struct decoy_settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		if (settings->services[i].service.protocol == &protocol_unknown)
			return settings->services[i].service;
	}
	return (struct service){.protocol = &protocol_unknown,
				.idle = 5 * MINUTE,
				.lifetime = DAY,
				.input_bytes = (uint64_t)256 << 20,
				.record_conversation = true};
}

static void take_tarpits(struct config *config, struct decoy_settings *settings)
{
	const struct config_node *list = config_child(config_root(config), "tarpit");

	for (size_t i = 0; i < config_count(list); i++) {
		const struct config_node *node = config_item(list, i);
		struct tarpit_values values;
		struct network network;

		config_take(config, node, &tarpit_section, &values);
		for (size_t k = 0; k < values.protocols.count; k++)
			find_protocol(config, node, values.protocols.items[k]);
		for (size_t k = 0; k < values.sources.count; k++) {
			if (network_parse(slice_text(values.sources.items[k]), &network) < 0)
				config_error(config, node,
					     "'%s' is not a network: write 192.0.2.0/24",
					     values.sources.items[k]);
		}
		if (settings->tarpit_count == TARPIT_RULES_MAX) {
			config_error(config, node, "more than %d tarpit rules", TARPIT_RULES_MAX);
			return;
		}
		settings->tarpits[settings->tarpit_count++] =
			(struct tarpit_rule){values.name,
					     values.protocols,
					     values.sources,
					     {(uint32_t)values.bytes, values.interval}};
	}
}

static void check_addresses(struct config *config, const struct config_node *node,
			    const struct config_texts *addresses)
{
	struct address address;

	for (size_t i = 0; i < addresses->count; i++) {
		if (address_parse(slice_text(addresses->items[i]), &address) < 0)
			config_error(config, node, "'%s' is not an IPv4 or IPv6 address",
				     addresses->items[i]);
	}
}

void decoy_settings_take(struct config *config, enum access_override access,
			 struct decoy_settings *settings)
{
	const struct config_node *root = config_root(config),
				 *listen = config_child(root, "listen");
	struct sensor_values sensor;
	struct listen_values where;

	memset(settings, 0, sizeof(*settings));
	config_take(config, config_child(root, "sensor"), &sensor_section, &sensor);
	config_take(config, listen, &listen_section, &where);
	config_take(config, config_child(root, "limits"), &limits_section, &settings->limits);
	check_addresses(config, listen, &where.addresses);
	settings->sensor = sensor.name;
	settings->persona_name = sensor.persona;
	settings->share = sensor.share;
	settings->addresses = where.addresses;
	settings->port_offset = where.port_offset;
	settings->workers = where.workers;
	settings->passive_ports = where.passive_ports;
	settings->any_port = where.any_port;
	settings->any_port_by = where.any_port_by;
	settings->leave_ports = where.leave_ports;
	take_services(config, settings);
	settings->any_service = any_service(settings);
	take_tarpits(config, settings);
	settings->policy = access_policy_take(config, config_child(root, "access"), access);
}

static void release(const struct service *service)
{
	if (service->protocol->release)
		service->protocol->release((void *)(uintptr_t)service->options);
}

void decoy_settings_free(struct decoy_settings *settings)
{
	for (size_t i = 0; i < settings->prepared; i++)
		release(&settings->services[i].service);
	settings->prepared = 0;
	access_policy_free(settings->policy);
	settings->policy = NULL;
}

int decoy_settings_prepare(struct decoy_settings *settings, const struct persona *persona,
			   struct arena *arena, char **why)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service *service = &settings->services[i].service;

		if (service->protocol->prepare &&
		    service->protocol->prepare((void *)(uintptr_t)service->options, persona,
					       settings->share, arena, why) < 0)
			return -1;
		settings->prepared = i + 1;
	}
	return 0;
}

static bool names_protocol(const struct config_texts *names, const char *protocol)
{
	for (size_t i = 0; i < names->count; i++) {
		if (slice_is(slice_text(names->items[i]), protocol))
			return true;
	}
	return names->count == 0;
}

static bool names_source(const struct config_texts *networks, const struct address *source)
{
	for (size_t i = 0; i < networks->count; i++) {
		struct network network;

		if (network_parse(slice_text(networks->items[i]), &network) == 0 &&
		    network_holds(&network, source))
			return true;
	}
	return networks->count == 0;
}

const struct tarpit *decoy_settings_tarpit(const struct decoy_settings *settings,
					   const struct service *service,
					   const struct address *source)
{
	for (size_t i = 0; i < settings->tarpit_count; i++) {
		const struct tarpit_rule *rule = &settings->tarpits[i];

		if (names_protocol(&rule->protocols, service->protocol->name) &&
		    names_source(&rule->sources, source))
			return &rule->tarpit;
	}
	return NULL;
}

void decoy_settings_write_services(struct writer *out)
{
	writer_text(out, "services:\n");
	for (size_t i = 0; protocols[i]; i++) {
		const struct protocol *protocol = protocols[i];

		if (protocol->ports[0].port == 0)
			continue;
		writer_format(out, "  - protocol: %s  # %s:", protocol->name, protocol->title);
		for (size_t k = 0; k < PROTOCOL_PORTS_MAX && protocol->ports[k].port; k++)
			writer_format(out, " %u/%s%s", protocol->ports[k].port,
				      protocol->ports[k].transport == UDP ? "udp" : "tcp",
				      protocol->ports[k].tls ? " (TLS)" : "");
		writer_text(out, "\n");
	}
	writer_text(out, "  - protocol: unknown  # anything else worth watching\n"
			 "    ports: [445, 3389, 5900, 9200]\n");
}
