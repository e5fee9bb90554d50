/* sundew check: what is wrong with the configuration and the data folder, and how to mend it.
 *
 * Looks only: it makes no file, and of the ports it binds each for a moment, listening on none.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/folders.h"
#include "process/steer.h"

#define FINDINGS_MAX    ((size_t)4 << 20) /* bytes of all findings together */
#define DISK_WARNING    ((uint64_t)1 << 30)
#define DISK_ERROR      ((uint64_t)100 << 20)
#define SERVICES_MANY   12                             /* more open ports than a real host has */
#define OVERLAP_PERCENT 70                             /* of a known honeypot's ports */
#define CLOCK_EARLIEST  ((int64_t)1735689600 * SECOND) /* 2025-01-01: Sundew is younger */

static const struct command_option check_options[] = {
	OPTION_JSON,
	OPTION_DATA,
	OPTION_CONFIG,
};

enum level { OK, WARNING, ERROR, LEVEL_COUNT };
static const char *const level_names[LEVEL_COUNT] = {"ok", "warning", "error"};

struct check {
	struct folders folders;
	struct config *config;
	struct host_settings settings;
	size_t counts[LEVEL_COUNT];
	bool as_json;
	struct writer out;
	struct json_writer json;
};

/* One finding, a line; mend may be NULL. Names and messages in it can hold bytes from outside. */
static void find(struct check *check, enum level level, const char *mend, const char *format, ...)
	PRINTF(4, 5);
static void find(struct check *check, enum level level, const char *mend, const char *format, ...)
{
	struct writer what = writer_growing(65536);
	va_list arguments;

	va_start(arguments, format);
	writer_vformat(&what, format, arguments);
	va_end(arguments);
	check->counts[level]++;
	if (check->as_json) {
		json_object(&check->json);
		json_key(&check->json, "level");
		json_text(&check->json, level_names[level]);
		json_key(&check->json, "what");
		json_string(&check->json, writer_slice(&what));
		json_key(&check->json, "mend");
		if (mend)
			json_text(&check->json, mend);
		else
			json_null(&check->json);
		json_object_end(&check->json);
	} else {
		writer_format(&check->out, "%-8s ", level_names[level]);
		writer_printable(&check->out, writer_slice(&what));
		if (mend) {
			writer_text(&check->out, "; ");
			writer_printable(&check->out, slice_text(mend));
		}
		writer_u8(&check->out, '\n');
	}
	writer_free(&what);
}

/* --- configuration and what it names --- */

static void check_config(struct check *check)
{
	check->config = host_settings_load(&check->folders, ACCESS_AS_CONFIGURED, &check->settings);
	for (size_t i = 0; i < config_error_count(check->config); i++)
		find(check, ERROR, NULL, "%s", config_error_text(check->config, i));
	if (config_error_count(check->config) == 0)
		find(check, OK, NULL, "configuration: %s, %zu services", check->folders.config,
		     check->settings.decoy.service_count);
}

static void check_persona(struct check *check)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH]; /* any will do to read the file */
	struct decoy_settings *decoy = &check->settings.decoy;
	struct arena arena = arena_of((size_t)256 << 20);
	struct persona *persona = NULL;
	char path[PATH_LENGTH], *why = NULL;

	if (snprintf(path, sizeof(path), "%s/personas/%s.yaml", decoy->share, decoy->persona_name) <
	    PATH_LENGTH)
		persona = persona_read(path, secret, clock_wall(), &why);
	if (!persona)
		find(check, ERROR, "set `persona:` below `sensor:` to a file of share/personas",
		     "persona %s: %s", decoy->persona_name, why ? why : "cannot be read");
	else if (decoy_settings_prepare(decoy, persona, &arena, &why) < 0)
		find(check, ERROR, NULL, "decoys cannot be prepared: %s",
		     why ? why : "out of memory");
	else
		find(check, OK, NULL, "persona: %s", decoy->persona_name);
	free(why);
	arena_drop(&arena);
	persona_free(persona);
}

static void check_share(struct check *check)
{
	const char *share = check->settings.decoy.share;
	char path[PATH_LENGTH];
	struct stat status;

	if (snprintf(path, sizeof(path), "%s/personas", share) < PATH_LENGTH &&
	    stat(path, &status) == 0 && S_ISDIR(status.st_mode) && access(path, R_OK | X_OK) == 0)
		find(check, OK, NULL, "share folder: %s", share);
	else
		find(check, ERROR, "set $SUNDEW_SHARE, or `share:` below `sensor:`",
		     "share folder: there are no personas in %s", share);
}

static void check_user(struct check *check)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(check->settings.user) : NULL;

	if (geteuid() != 0)
		return;
	if (!user || user->pw_uid == 0)
		find(check, ERROR, "set `user:` to one that runs nothing else",
		     "the processes cannot become the user %s", check->settings.user);
	else
		find(check, OK, NULL, "user of the processes: %s", check->settings.user);
}

static void check_geo(struct check *check)
{
	struct geo *geo = geo_open(check->settings.geo);

	if (geo && geo_has_data(geo))
		find(check, OK, NULL, "GeoIP: %s", geo_description(geo));
	else
		find(check, WARNING,
		     "scripts/geo-fetch gets it; `geo:` below `store:` names the folder",
		     "no GeoIP data in %s: countries and networks stay unknown",
		     check->settings.geo);
	geo_close(geo);
}

/* --- ports --- */

enum port_state {
	PORT_FREE,
	PORT_SHARED,
	PORT_FORBIDDEN,
	PORT_TAKEN,
	PORT_ELSEWHERE,
	PORT_IMPOSSIBLE,
	PORT_STATES
};

static const struct {
	enum level level;
	const char *what, *mend;
} port_states[PORT_STATES] = {
	[PORT_FREE] = {OK, "ports that can be opened", NULL},
	[PORT_SHARED] = {WARNING, "ports that a program of this user shares already",
			 "all is well if that is Sundew itself; else stop it"},
	[PORT_FORBIDDEN] = {ERROR, "ports that this user may not open",
			    "below 1024 they need root; or set `port-offset:`"},
	[PORT_TAKEN] = {ERROR, "ports in use",
			"another program listens there: stop it, move it, or leave the port out"},
	[PORT_ELSEWHERE] = {ERROR, "ports at an address that no interface has",
			    "set `addresses:` below `listen:`"},
	[PORT_IMPOSSIBLE] = {ERROR, "ports that cannot be opened", "set `port-offset:` lower"},
};

static int try_bind(const struct endpoint *endpoint, enum transport transport, bool shared)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_socket(endpoint, &address);
	int on = 1, problem = 0;
	int file = socket(address.ss_family,
			  (transport == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (file < 0)
		return errno;
	if (transport == TCP) /* connections that linger do no harm; over UDP it would share */
		setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared)
		setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(file, (struct sockaddr *)&address, length) < 0)
		problem = errno;
	close(file);
	return problem;
}

static enum port_state port_state(const struct address *address, unsigned port,
				  enum transport transport)
{
	struct endpoint endpoint = {*address, (uint16_t)port};

	if (port == 0 || port > 65535)
		return PORT_IMPOSSIBLE;
	switch (try_bind(&endpoint, transport, false)) {
	case 0:
		return PORT_FREE;
	case EADDRINUSE:
		return try_bind(&endpoint, transport, true) == 0 ? PORT_SHARED : PORT_TAKEN;
	case EACCES:
		return PORT_FORBIDDEN;
	case EADDRNOTAVAIL:
		return PORT_ELSEWHERE;
	default:
		return PORT_IMPOSSIBLE;
	}
}

/* Calls visit for each port of each service, with the offset added. */
static void each_port(const struct decoy_settings *decoy,
		      void (*visit)(void *context, unsigned port, enum transport transport),
		      void *context)
{
	for (size_t i = 0; i < decoy->service_count; i++) {
		const struct service_plan *plan = &decoy->services[i];

		for (size_t k = 0; k < plan->port_count; k++)
			for (unsigned port = plan->ports[k].first; port <= plan->ports[k].last;
			     port++)
				visit(context, port + (unsigned)decoy->port_offset,
				      plan->ports[k].transport);
	}
}

struct port_lists {
	struct address address;
	struct writer lists[PORT_STATES];
};

static void list_port(void *context, unsigned port, enum transport transport)
{
	struct port_lists *lists = context;
	struct writer *list = &lists->lists[port_state(&lists->address, port, transport)];

	writer_format(list, "%s%u/%s", list->length ? " " : "", port,
		      transport == UDP ? "udp" : "tcp");
}

static void check_ports(struct check *check)
{
	const struct decoy_settings *decoy = &check->settings.decoy;

	for (size_t a = 0; a < decoy->addresses.count; a++) {
		const char *name = decoy->addresses.items[a];
		struct port_lists lists;

		if (address_parse(slice_text(name), &lists.address) < 0)
			continue; /* an error of the configuration, found there */
		for (size_t i = 0; i < PORT_STATES; i++)
			lists.lists[i] = writer_growing(1 << 20);
		each_port(decoy, list_port, &lists);
		for (size_t i = 0; i < PORT_STATES; i++) {
			struct writer *list = &lists.lists[i];

			if (list->length)
				find(check, port_states[i].level, port_states[i].mend,
				     "%s (%s): %.*s", port_states[i].what, name, (int)list->length,
				     (const char *)list->at);
			writer_free(list);
		}
	}
}

static void check_any_port(struct check *check)
{
	char why[STEER_WHY];
	const char *way;

	if (!check->settings.decoy.any_port)
		return;
	way = steer_possible((enum steer_way)check->settings.decoy.any_port_by, why);
	if (way)
		find(check, OK, NULL, "any port: the kernel steers them (%s)", way);
	else
		find(check, ERROR,
		     "start as root on Linux 5.9 or newer, or with libnftables1 installed, or "
		     "take any-port out",
		     "any port: the kernel does not steer them: %s", why);
}

/* --- how the host looks to a scanner --- */

static const struct {
	const char *name;
	uint16_t ports[16]; /* ends with 0 */
} honeypots[] = {
	{"dionaea", {21, 42, 80, 135, 443, 445, 1433, 1723, 3306, 5060, 5061}},
	{"artillery", {21, 22, 25, 53, 110, 1433, 1723, 5800, 5900, 8080, 10000, 16993, 44443}},
};

struct port_set {
	uint8_t open[2][65536 / 8]; /* by transport */
	unsigned count;
	unsigned twice; /* a port that two services want; 0: none */
};

static void mark_port(void *context, unsigned port, enum transport transport)
{
	struct port_set *set = context;
	uint8_t *byte = &set->open[transport == UDP][(port & 0xffff) / 8];
	uint8_t bit = (uint8_t)(1u << port % 8);

	if (*byte & bit)
		set->twice = port;
	else
		set->count++;
	*byte |= bit;
}

static bool is_open(const struct port_set *set, unsigned port)
{
	return (set->open[0][port / 8] | set->open[1][port / 8]) >> port % 8 & 1;
}

static void check_appearance(struct check *check)
{
	struct port_set *set = calloc(1, sizeof(*set));
	bool looks_known = false;

	if (!set)
		return;
	each_port(&check->settings.decoy, mark_port, set);
	if (set->twice)
		find(check, ERROR, "leave it out of all but one",
		     "port %u is wanted twice: the kernel would deal its connections out",
		     set->twice);
	for (size_t i = 0; i < ARRAY_COUNT(honeypots); i++) {
		unsigned all = 0, same = 0;

		for (; honeypots[i].ports[all]; all++)
			same += is_open(set, honeypots[i].ports[all]);
		if (100 * same < OVERLAP_PERCENT * all)
			continue;
		looks_known = true;
		find(check, WARNING, "leave out some that do not fit the persona",
		     "%u of the %u ports of the honeypot %s are open: scanners know that set", same,
		     all, honeypots[i].name);
	}
	if (set->count > SERVICES_MANY)
		find(check, WARNING, "keep those that fit the persona",
		     "%u ports are open: hardly any real host has more than %d", set->count,
		     SERVICES_MANY);
	else if (!looks_known)
		find(check, OK, NULL, "%u ports: no set that is known of honeypots", set->count);
	free(set);
}

/* --- the data folder --- */

static void check_disk(struct check *check)
{
	struct statvfs disk;
	uint64_t free_bytes;
	enum level level;

	if (statvfs(check->folders.data, &disk) < 0)
		return;
	free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	level = free_bytes < DISK_ERROR ? ERROR : free_bytes < DISK_WARNING ? WARNING : OK;
	find(check, level,
	     level == OK ? NULL : "make room, or set `max-bytes:` and `evidence-bytes:` lower",
	     "disk: %llu MiB free at %s", (unsigned long long)(free_bytes >> 20),
	     check->folders.data);
}

static void check_private(struct check *check, const char *name)
{
	char path[PATH_LENGTH], mend[PATH_LENGTH + 32];
	struct stat status;

	folders_path(&check->folders, name, path);
	if (stat(path, &status) < 0)
		return; /* the first run makes it */
	if ((status.st_mode & 077) == 0) {
		find(check, OK, NULL, "%s: only its owner can read it", name);
		return;
	}
	snprintf(mend, sizeof(mend), "chmod 600 %s", path);
	find(check, ERROR, mend, "%s: others than its owner can get at it (mode %03o)", path,
	     status.st_mode & 0777);
}

/* Who may write in the folder can put another configuration there. */
static void check_data(struct check *check)
{
	struct stat status;

	if (stat(check->folders.data, &status) < 0 || !S_ISDIR(status.st_mode)) {
		find(check, WARNING, "`sundew run` makes it; --data chooses another",
		     "there is no data folder %s", check->folders.data);
		return;
	}
	if (status.st_mode & 022)
		find(check, ERROR, "chmod go-w it",
		     "data folder: others can write in %s (mode %03o)", check->folders.data,
		     status.st_mode & 0777);
	else
		find(check, OK, NULL, "data folder: %s", check->folders.data);
	check_private(check, "secret");
	check_private(check, "key.pem");
	check_disk(check);
}

static bool newest_damaged(void *context, const struct store_damaged *damaged)
{
	struct check *check = context;
	char when[CLOCK_TEXT_LENGTH + 1];

	clock_text(damaged->time, when);
	find(check, WARNING, NULL, "the newest damaged line: %s in spool %s, %s", when,
	     damaged->spool ? damaged->spool : "-", damaged->reason ? damaged->reason : "?");
	return false;
}

static void check_status(struct check *check, struct store *store)
{
	struct store_status status;

	if (store_status(store, &status) < 0) {
		find(check, ERROR, "put a backup in place with `sundew restore`", "store: %s",
		     store_problem(store));
		return;
	}
	find(check, OK, NULL, "store: version %d, %lld events, %llu MiB", status.version,
	     (long long)status.events, (unsigned long long)(status.bytes >> 20));
	if (status.damaged == 0)
		return;
	find(check, WARNING, "look at the disk, and at what writes into spool/",
	     "%lld damaged lines came to the store", (long long)status.damaged);
	if (store_damaged(store, 1, newest_damaged, check) < 0)
		find(check, ERROR, NULL, "store: %s", store_problem(store));
}

static void check_store(struct check *check)
{
	char path[PATH_LENGTH], why[512];
	struct store *store;
	int folder;

	folders_path(&check->folders, "store/" STORE_FILE, path);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		find(check, OK, NULL, "store: none yet");
		return;
	}
	folders_path(&check->folders, "store", path);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		find(check, ERROR, NULL, "store: cannot open %s: %s", path, strerror(errno));
		return;
	}
	store = store_open(folder, STORE_READ, NULL, why, sizeof(why));
	if (store)
		check_status(check, store);
	else
		find(check, ERROR, NULL, "%s", why);
	store_close(store);
	close(folder);
}

static void check_clock(struct check *check)
{
	char now[CLOCK_TEXT_LENGTH + 1];

	clock_text(clock_wall(), now);
	if (clock_wall() < CLOCK_EARLIEST)
		find(check, ERROR, "set it, and let NTP keep it", "clock: it says %s", now);
	else
		find(check, OK, NULL, "clock: %s", now);
}

static int run_check(const struct invocation *invocation)
{
	struct check check = {.as_json = option_given(invocation, "json"),
			      .out = writer_growing(FINDINGS_MAX)};
	bool config_is_good;
	int printed;

	folders_find(invocation, &check.folders);
	check.json = json_writer_of(&check.out);
	if (check.as_json)
		json_array(&check.json);
	check_config(&check);
	config_is_good = check.counts[ERROR] == 0;
	if (config_is_good) {
		check_share(&check);
		check_persona(&check);
		check_user(&check);
		check_ports(&check);
		check_any_port(&check);
		check_appearance(&check);
		check_geo(&check);
	}
	check_data(&check);
	check_store(&check);
	check_clock(&check);
	if (check.as_json) {
		json_array_end(&check.json);
		writer_u8(&check.out, '\n');
	} else {
		writer_format(&check.out, "%zu errors, %zu warnings\n", check.counts[ERROR],
			      check.counts[WARNING]);
	}
	printed = print_out(&check.out);
	writer_free(&check.out);
	decoy_settings_free(&check.settings.decoy);
	config_free(check.config);
	if (!config_is_good)
		return EXIT_USAGE;
	return printed < 0 || check.counts[ERROR] ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_check = {
	.name = "check",
	.summary = "Say what is wrong with the configuration and this host",
	.details =
		"Exit status: 0 when there is no error, 1 when there is one, 2 when it is in the\n"
		"configuration. It changes nothing and opens no port for longer than a moment.",
	.options = check_options,
	.option_count = ARRAY_COUNT(check_options),
	.run = run_check,
};
