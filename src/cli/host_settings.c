/* The whole configuration: the decoys' part and what belongs to this host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/folders.h"

static const struct directive spool_directives[] = {
	{"segment-bytes", DIRECTIVE_SIZE, offsetof(struct host_settings, spool_segment), "16M",
	 64 * 1024, (int64_t)1 << 40, NULL, "A new file begins at this size", false},
	{"total-bytes", DIRECTIVE_SIZE, offsetof(struct host_settings, spool_total), "2G",
	 1024 * 1024, (int64_t)1 << 50, NULL,
	 "What one process may leave waiting; beyond it new events are refused and counted", false},
	{"keep-bytes", DIRECTIVE_SIZE, offsetof(struct host_settings, spool_keep), "256M", 0,
	 (int64_t)1 << 50, NULL,
	 "Events already in the store that stay as compressed files as well", false},
};

static const struct config_section spool_section = {
	"spool", spool_directives, ARRAY_COUNT(spool_directives),
	"Where events wait between processes: plain JSON lines."};

static const struct directive store_directives[] = {
	{"max-age", DIRECTIVE_DURATION, offsetof(struct host_settings, store_age), "180d", 0, 0,
	 NULL, "Events and sessions older than this go; what was counted stays. 0: never", false},
	{"max-bytes", DIRECTIVE_SIZE, offsetof(struct host_settings, store_bytes), "8G", 0,
	 (int64_t)1 << 50, NULL, "Size of the database beyond which the oldest go. 0: no limit",
	 false},
	{"evidence-bytes", DIRECTIVE_SIZE, offsetof(struct host_settings, evidence_total), "4G",
	 1024 * 1024, (int64_t)1 << 50, NULL,
	 "All evidence together; beyond it the oldest goes and an event says so", false},
	{"geo", DIRECTIVE_TEXT, offsetof(struct host_settings, geo), NULL, 0, 0, NULL,
	 "Folder of GeoIP data (*.mmdb, asn.table); default: what was fetched at build time",
	 false},
};

static const struct config_section store_section = {
	"store", store_directives, ARRAY_COUNT(store_directives), "How long things are kept."};

static const struct directive restart_directives[] = {
	{"longest-delay", DIRECTIVE_DURATION, offsetof(struct host_settings, restart_longest),
	 "30s", SECOND, HOUR, NULL,
	 "The first restart comes after 0.1 s, each further one after twice as long, up to this",
	 false},
	{"healthy-after", DIRECTIVE_DURATION, offsetof(struct host_settings, restart_healthy), "1m",
	 SECOND, DAY, NULL, "A process that lived this long starts over with 0.1 s", false},
};

static const struct config_section restart_section = {
	"restart", restart_directives, ARRAY_COUNT(restart_directives),
	"How soon a process that died is started again."};

#define CAPTURE(member) offsetof(struct host_settings, capture.member)
static const struct directive capture_directives[] = {
	{"interfaces", DIRECTIVE_TEXTS, CAPTURE(interfaces), NULL, 0, 0, NULL,
	 "Interfaces whose packets are looked at (needs root): eth0; with none there is no capture",
	 false},
	{"filter", DIRECTIVE_TEXT, CAPTURE(filter), NULL, 0, 0, NULL,
	 "Which packets, in pcap-filter(7)'s language; `leave-ports` are always left out", false},
	{"rules", DIRECTIVE_TEXTS, CAPTURE(rules), NULL, 0, 0, NULL,
	 "Files of rules, in Snort's or Suricata's language; default: those that come with Sundew",
	 false},
	{"variables", DIRECTIVE_TEXT, CAPTURE(variables), NULL, 0, 0, NULL,
	 "Variables of the rules: HOME_NET=192.0.2.0/24;HTTP_PORTS=any", false},
	{"classes", DIRECTIVE_TEXT, CAPTURE(classes), NULL, 0, 0, NULL,
	 "Classes of rules and their priorities, a classification.config", false},
	{"rules-cache", DIRECTIVE_TEXT, CAPTURE(rules_cache), NULL, 0, 0, NULL,
	 "Folder for compiled rules, so that the next start is quick", false},
	{"rules-changes", DIRECTIVE_TEXT, CAPTURE(rules_changes), NULL, 0, 0, NULL,
	 "File of what is changed of them (disable, enable, threshold, suppress); it survives "
	 "their "
	 "updates",
	 false},
	{"p0f", DIRECTIVE_TEXT, CAPTURE(p0f), NULL, 0, 0, NULL,
	 "Signatures of TCP stacks; default: those of Debian's p0f, where it is installed", false},
	{"ring-bytes", DIRECTIVE_SIZE, CAPTURE(ring_bytes), "256M", 0, (int64_t)1 << 44, NULL,
	 "Recent packets kept on disk, for `sundew packets`; 0: none", false},
	{"flow-bytes", DIRECTIVE_SIZE, CAPTURE(flow_bytes), "64M", 1 << 20, (int64_t)1 << 40, NULL,
	 "Memory that connections being followed may hold", false},
	{"buffer-bytes", DIRECTIVE_SIZE, CAPTURE(buffer_bytes), "16M", 1 << 20, 1 << 30, NULL,
	 "The kernel's room for packets of one interface that wait to be read", false},
};

static const struct config_section capture_section = {
	"capture", capture_directives, ARRAY_COUNT(capture_directives),
	"The network sensor: fingerprints and rules on what comes in."};

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};

static const struct directive host_directives[] = {
	{"user", DIRECTIVE_TEXT, offsetof(struct host_settings, user), "nobody", 0, 0, NULL,
	 "Whom the processes become when Sundew is started as root", false},
	{"log-level", DIRECTIVE_CHOICE, offsetof(struct host_settings, log_level), "info", 0, 0,
	 log_levels, "What the program says about itself on standard error", false},
};

static const struct config_section host_section = {
	"", host_directives, ARRAY_COUNT(host_directives), "At the top of the file."};

const struct config_section *const host_sections[] = {
	&host_section, &spool_section, &store_section, &restart_section, &capture_section, NULL};

/* Applies a section that fills part of the settings; config_take clears nothing else. */
static void take(struct config *config, const struct config_node *node,
		 const struct config_section *section, struct host_settings *settings)
{
	config_take(config, node, section, settings);
}

struct config *host_settings_load(const struct folders *folders, enum access_override access,
				  struct host_settings *settings)
{
	struct config *config = config_read(folders->config);
	const struct config_node *root;

	if (!config)
		fatal("cannot read the configuration: out of memory");
	memset(settings, 0, sizeof(*settings));
	root = config_root(config);
	decoy_settings_take(config, access, &settings->decoy);
	take(config, root, &host_section, settings);
	take(config, config_child(root, "spool"), &spool_section, settings);
	take(config, config_child(root, "store"), &store_section, settings);
	take(config, config_child(root, "restart"), &restart_section, settings);
	take(config, config_child(root, "capture"), &capture_section, settings);
	(void)config_finish(config);
	if (!settings->decoy.share)
		settings->decoy.share = folders->share;
	if (!settings->geo)
		settings->geo = folders->geo;
	return config;
}

struct config *host_settings_read(const struct folders *folders, enum access_override access,
				  struct host_settings *settings)
{
	struct config *config = host_settings_load(folders, access, settings);

	if (config_error_count(config) == 0)
		return config;
	for (size_t i = 0; i < config_error_count(config); i++)
		fprintf(stderr, "%s\n", config_error_text(config, i));
	decoy_settings_free(&settings->decoy);
	config_free(config);
	return NULL;
}

int host_write_config(const struct folders *folders, const char *listen_address,
		      int64_t port_offset)
{
	struct writer text = writer_growing(1 << 20);
	int file = open(folders->config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int result = 0;

	if (file < 0)
		return errno == EEXIST ? 0 : -1;
	writer_text(&text,
		    "# Sundew's configuration. docs/CONFIGURATION.md lists everything that can\n"
		    "# stand here; `sundew check` reads it and says what is wrong.\n\n"
		    "sensor:\n  name: sundew\n  persona: debian-server\n\nlisten:\n");
	writer_format(&text, "  addresses: [\"%s\"]\n  port-offset: %lld\n\n", listen_address,
		      (long long)port_offset);
	decoy_settings_write_services(&text);
	if (write(file, text.at, text.length) != (ssize_t)text.length || fsync(file) < 0)
		result = -1;
	close(file);
	writer_free(&text);
	return result;
}
