/* sundew run: everything on this host. Opens the sockets and the folders, then supervises. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/host_roles.h"
#include "cli/listen.h"
#include "process/supervisor.h"

#define WORKERS_STANDARD_MAX 4

static const struct command_option run_options[] = {
	OPTION_DATA,
	OPTION_CONFIG,
	{"listen", 0, "ADDRESS", "Listen here instead of where the configuration says"},
	{"port-offset", 0, "N", "Add N to every port"},
	{"access", 0, "POLICY", "always, never or default: who gets in, for a trial"},
	{"workers", 0, "N", "Decoy processes"},
	{"passive-ports", 0, "A-B", "Ports for passive data connections"},
	{"best-effort", 0, NULL, "Go on when some ports cannot be opened"},
};

/* --- set-up --- */

static enum access_override access_option(const struct invocation *invocation)
{
	const char *text = option_value(invocation, "access");

	if (!text || !strcmp(text, "default"))
		return ACCESS_AS_CONFIGURED;
	if (!strcmp(text, "always"))
		return ACCESS_ALWAYS;
	if (!strcmp(text, "never"))
		return ACCESS_NEVER;
	usage_error(invocation, "--access %s: must be always, never or default", text);
}

static void apply_options(const struct invocation *invocation, struct host *host)
{
	struct decoy_settings *decoy = &host->settings.decoy;
	const char *passive = option_value(invocation, "passive-ports");
	struct address address;

	decoy->port_offset = option_number(invocation, "port-offset", decoy->port_offset, 0, 64000);
	decoy->workers = option_number(invocation, "workers", decoy->workers, 0, 32);
	host->listen_address = option_value(invocation, "listen");
	if (host->listen_address) {
		if (address_parse(slice_text(host->listen_address), &address) < 0)
			usage_error(invocation, "--listen %s: not an address",
				    host->listen_address);
		decoy->addresses = (struct config_texts){&host->listen_address, 1};
	}
	if (passive) {
		struct slice rest = slice_text(passive), first;
		int64_t low, high;

		slice_next(&rest, '-', &first);
		if (slice_number(first, 1, 65535, &low) < 0 ||
		    slice_number(rest, low, 65535, &high) < 0)
			usage_error(invocation, "--passive-ports %s: write A-B", passive);
		host->passive = (struct config_port_range){(uint16_t)low, (uint16_t)high};
		decoy->passive_ports = (struct config_ports){&host->passive, 1};
	}
	if (decoy->workers == 0) {
		int processors = get_nprocs();

		decoy->workers =
			processors < WORKERS_STANDARD_MAX ? processors : WORKERS_STANDARD_MAX;
	}
}

static int write_file(const char *path, const struct writer *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result = 0;

	if (file < 0)
		return -1;
	if (write(file, text->at, text->length) != (ssize_t)text->length || fsync(file) < 0)
		result = -1;
	close(file);
	return result;
}

/* Certificate and key as the persona would have them, made once. */
static struct tls_settings *open_certificate(const struct host *host)
{
	const struct persona *persona = host->persona;
	char certificate_path[PATH_LENGTH], key_path[PATH_LENGTH], common_name[256];
	struct writer certificate = writer_growing(65536), key = writer_growing(65536);
	const char *why = NULL, *domain = persona_text(persona, "host.domain", "");
	int64_t age = persona_derive_number(persona, "certificate age", 20, 300) * DAY;
	int64_t start = clock_wall() - age;
	struct tls_subject subject = {
		.common_name = common_name,
		.organization = persona_text(persona, "tls.organization", NULL),
		.country = persona_text(persona, "tls.country", NULL),
		.issuer_organization = persona_text(persona, "tls.issuer", NULL),
		.not_before = start,
		.not_after = start + 825 * DAY,
		.rsa = true,
	};
	struct tls_settings *settings = NULL;

	snprintf(common_name, sizeof(common_name), "%s%s%s", persona_host_name(persona),
		 domain[0] ? "." : "", domain);
	folders_path(&host->folders, "certificate.pem", certificate_path);
	folders_path(&host->folders, "key.pem", key_path);
	if (access(certificate_path, F_OK) < 0 || access(key_path, F_OK) < 0) {
		if (tls_make_certificate(&subject, &certificate, &key) < 0 ||
		    write_file(certificate_path, &certificate) < 0 ||
		    write_file(key_path, &key) < 0)
			log_warning("cannot make a certificate in %s: decoys go without TLS",
				    host->folders.data);
	}
	settings = tls_settings_read(certificate_path, key_path, &why);
	if (!settings)
		log_warning("cannot use %s: %s; decoys go without TLS", certificate_path,
			    why ? why : "unknown reason");
	writer_free(&certificate);
	if (key.at) /* none was made when the files were there already */
		explicit_bzero(key.at, key.length);
	writer_free(&key);
	return settings;
}

static struct access_memory *open_access_memory(struct host *host)
{
	char path[PATH_LENGTH];
	size_t size = access_memory_size();
	uint8_t secret[PERSONA_SECRET_LENGTH];
	uint64_t key[2];
	int64_t installed;
	void *at;
	int file;

	if (folders_secret(&host->folders, secret, &installed) < 0)
		return NULL;
	memcpy(key, secret, sizeof(key));
	folders_path(&host->folders, "access.table", path);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, (off_t)size) < 0) {
		log_error("cannot open %s: %m", path);
		return NULL;
	}
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (at == MAP_FAILED) {
		log_error("cannot map %s: %m", path);
		return NULL;
	}
	return access_memory_at(at, key);
}

/* The user that the processes become; false with a message when there is none of that name. */
static bool find_user(struct host *host)
{
	struct passwd *entry;

	if (geteuid() != 0)
		return true;
	entry = getpwnam(host->settings.user);
	if (!entry || entry->pw_uid == 0) {
		log_error("cannot become the user '%s': %s; set `user:` in the configuration",
			  host->settings.user,
			  entry ? "that is root" : "there is none of that name");
		return false;
	}
	host->user = (struct sandbox_user){entry->pw_uid, entry->pw_gid};
	host->has_user = true;
	return true;
}

static int open_folder_for_user(const struct host *host, const char *name)
{
	int folder = folders_open(&host->folders, name, true);

	if (folder >= 0 && host->has_user && fchown(folder, host->user.uid, host->user.gid) < 0) {
		log_error("cannot give the folder %s to the user '%s': %m", name,
			  host->settings.user);
		close(folder);
		return -1;
	}
	return folder;
}

static int open_folders(struct host *host)
{
	host->store_folder = open_folder_for_user(host, "store");
	host->evidence_folder = open_folder_for_user(host, "evidence");
	host->inbox_folder = open_folder_for_user(host, "evidence/inbox");
	host->spools_folder = open_folder_for_user(host, "spool");
	if (host->store_folder < 0 || host->evidence_folder < 0 || host->inbox_folder < 0 ||
	    host->spools_folder < 0)
		return -1;
	host->spool_count = 0;
	for (unsigned i = 0; i < (unsigned)host->settings.decoy.workers + 2; i++) {
		struct host_spool *spool = &host->spools[host->spool_count++];
		char path[64];

		if (i < (unsigned)host->settings.decoy.workers)
			snprintf(spool->name, sizeof(spool->name), "decoy-%u", i);
		else
			snprintf(spool->name, sizeof(spool->name), "%s",
				 i == (unsigned)host->settings.decoy.workers ? "store-0"
									     : "supervisor");
		snprintf(path, sizeof(path), "spool/%s", spool->name);
		spool->folder = open_folder_for_user(host, path);
		if (spool->folder < 0)
			return -1;
	}
	return 0;
}

/* The supervisor's spool belongs to the user as well, for the store reads and tidies it: while root
 * writes there it does so with that user's rights on files. */
static void write_as_user(const struct host *host, bool as_user)
{
	if (!host->has_user)
		return;
	setfsgid(as_user ? host->user.gid : getegid());
	setfsuid(as_user ? host->user.uid : geteuid());
}

static int host_spool_folder(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->spool_count; i++) {
		if (strcmp(host->spools[i].name, name) == 0)
			return host->spools[i].folder;
	}
	return -1;
}

/* --- what the supervisor asks --- */

static int grants(void *context, const struct process_role *role, unsigned instance,
		  struct process_grant *out, size_t capacity)
{
	struct host *host = context;
	size_t count = 0;
	char spool[24];

	if (role == &role_store) {
		out[count++] = (struct process_grant){"store", host->store_folder};
		out[count++] = (struct process_grant){"evidence", host->evidence_folder};
		out[count++] = (struct process_grant){"spools", host->spools_folder};
		return (int)count;
	}
	snprintf(spool, sizeof(spool), "decoy-%u", instance);
	out[count++] = (struct process_grant){"spool", host_spool_folder(host, spool)};
	out[count++] = (struct process_grant){"inbox", host->inbox_folder};
	for (size_t i = 0; i < host->sockets.count && count < capacity; i++) {
		if (host->sockets.items[i].worker != instance)
			continue;
		out[count].descriptor = host->sockets.items[i].descriptor;
		snprintf(out[count++].name, sizeof(out[0].name), "%zu", i);
	}
	return (int)count;
}

static void report_notice(void *context, const struct process_notice *notice)
{
	struct host *host = context;
	struct event event;
	struct writer message = writer_growing(1024);
	char id[ULID_LENGTH + 1];
	int64_t now = clock_wall();

	event_clear(&event);
	ulid_next(&host->ulids, now, id);
	event_set_number(&event, FIELD_TIME, now);
	event_set_words(&event, FIELD_EVENT_ID, id);
	event_set_words(&event, FIELD_EVENT_ACTION, "sensor.status");
	event_set_words(&event, FIELD_OBSERVER_NAME, host->settings.decoy.sensor);
	event_set_words(&event, FIELD_OBSERVER_VERSION, SUNDEW_VERSION);
	event_set_words(&event, FIELD_STATUS_NAME, notice->process);
	if (notice->kind == PROCESS_NOTICE_STARTED) {
		event_set_words(&event, FIELD_EVENT_REASON, "started");
	} else {
		event_set_words(&event, FIELD_EVENT_REASON,
				notice->kind == PROCESS_NOTICE_DIED ? "died" : "killed");
		event_set_words(&event, FIELD_EVENT_OUTCOME, "failure");
		if (notice->signal)
			writer_format(&message, "ended by signal %d", notice->signal);
		else
			writer_format(&message, "ended with status %d", notice->exit_status);
		event_set_text(&event, FIELD_MESSAGE, writer_slice(&message));
	}
	write_as_user(host, true);
	if (spool_append(host->spool, &event) < 0 || spool_flush(host->spool) < 0)
		log_warning("the spool took not the notice about %s", notice->process);
	write_as_user(host, false);
	writer_free(&message);
}

static void print_ready(const struct host *host)
{
	const struct decoy_settings *decoy = &host->settings.decoy;
	size_t ports = 0;

	for (size_t i = 0; i < host->sockets.count; i++)
		ports += host->sockets.items[i].worker == 0 && !host->sockets.items[i].passive;
	log_info("ready: %zu ports, %lld decoy processes, persona %s, data in %s", ports,
		 (long long)decoy->workers, decoy->persona_name, host->folders.data);
}

static void all_started(void *context, struct supervisor *supervisor)
{
	print_ready(context);
}

/* --- (re)loading --- */

static void drop_loaded(struct host *host)
{
	listen_close(&host->sockets);
	tls_settings_free(host->tls);
	decoy_settings_free(&host->settings.decoy);
	arena_drop(&host->arena);
	persona_free(host->persona);
	config_free(host->config);
	free(host->plain_services);
	host->tls = NULL;
	host->persona = NULL;
	host->config = NULL;
	host->plain_services = NULL;
}

/* A service plan stands for two services: in the clear and under TLS. */
static int split_services(struct host *host)
{
	const struct decoy_settings *decoy = &host->settings.decoy;

	host->plain_services = calloc(2 * decoy->service_count + 1, sizeof(struct service));
	if (!host->plain_services)
		return -1;
	for (size_t i = 0; i < decoy->service_count; i++) {
		host->plain_services[2 * i] = decoy->services[i].service;
		host->plain_services[2 * i + 1] = decoy->services[i].service;
		host->plain_services[2 * i + 1].tls = true;
	}
	return 0;
}

static int load(struct host *host, const struct invocation *invocation)
{
	char *why = NULL;
	size_t failed;

	host->config =
		host_settings_read(&host->folders, access_option(invocation), &host->settings);
	if (!host->config)
		return EXIT_USAGE;
	apply_options(invocation, host);
	host->arena = arena_of((size_t)256 * 1024 * 1024);
	host->persona = host_persona(&host->folders, &host->settings.decoy);
	if (!host->persona || !find_user(host))
		return EXIT_TROUBLE;
	if (decoy_settings_prepare(&host->settings.decoy, host->persona, &host->arena, &why) < 0) {
		log_error("cannot prepare the decoys: %s", why ? why : "out of memory");
		free(why);
		return EXIT_TROUBLE;
	}
	host->tls = open_certificate(host);
	if (split_services(host) < 0)
		return EXIT_TROUBLE;
	failed = listen_open(&host->settings.decoy, (unsigned)host->settings.decoy.workers,
			     &host->sockets);
	if (failed && !option_given(invocation, "best-effort"))
		return EXIT_TROUBLE;
	return EXIT_GOOD;
}

static int reload(void *context, struct supervisor *supervisor)
{
	struct host *host = context, fresh = *host;

	/* The new ports are opened beside the old ones (SO_REUSEPORT), so none is ever closed to
	 * the world; only when all is well do the old go. */
	fresh.sockets = (struct open_sockets){NULL, 0, 0};
	fresh.plain_services = NULL;
	fresh.tls = NULL;
	fresh.persona = NULL;
	if (load(&fresh, host->invocation) != EXIT_GOOD ||
	    fresh.settings.decoy.workers != host->settings.decoy.workers) {
		log_error("the new configuration cannot be used; everything goes on with the old "
			  "one%s",
			  fresh.config && fresh.settings.decoy.workers !=
						  host->settings.decoy.workers
				  ? " (another number of workers needs a restart)"
				  : "");
		if (fresh.config)
			drop_loaded(&fresh);
		return -1;
	}
	drop_loaded(host);
	*host = fresh;
	log_info("configuration read again");
	return 0;
}

static int supervise(struct host *host)
{
	const struct supervisor_plan plan[] = {
		{&role_decoy, (unsigned)host->settings.decoy.workers},
		{&role_store, 1},
	};
	struct supervisor_setup setup = {
		.plan = plan,
		.plan_count = ARRAY_COUNT(plan),
		.user = host->has_user ? &host->user : NULL,
		.counters = host_counter_names,
		.counter_count = host_counter_count(),
		.log_level = (enum log_level)host->settings.log_level,
		.context = host,
		.grants = grants,
		.report = report_notice,
		.all_started = all_started,
		.reload = reload,
	};

	return supervisor_run(&setup);
}

/* One Sundew a data folder: the lock goes with the process. */
static int lock_folder(const struct host *host)
{
	char path[PATH_LENGTH];
	int file;

	folders_path(&host->folders, "lock", path);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || flock(file, LOCK_EX | LOCK_NB) < 0) {
		log_error("%s: %s", host->folders.data,
			  file >= 0 && errno == EWOULDBLOCK
				  ? "another Sundew runs on this data folder: stop it, or choose "
				    "another "
				    "with --data"
				  : "the folder cannot be locked: is it writable?");
		if (file >= 0)
			close(file);
		return -1;
	}
	return file;
}

static int open_spool(struct host *host)
{
	struct spool_limits limits = {(uint64_t)host->settings.spool_segment,
				      (uint64_t)host->settings.spool_total};

	write_as_user(host, true);
	host->spool = spool_open(host_spool_folder(host, "supervisor"), &limits);
	write_as_user(host, false);
	if (!host->spool)
		log_error("cannot open the spool: %m");
	return host->spool ? 0 : -1;
}

static int run_host(struct host *host, const struct invocation *invocation)
{
	const char *listen = option_value(invocation, "listen");
	int status;

	if (host_write_config(&host->folders, listen ? listen : "0.0.0.0",
			      option_number(invocation, "port-offset", 0, 0, 64000)) < 0) {
		log_error("cannot write %s: %m", host->folders.config);
		return EXIT_TROUBLE;
	}
	status = load(host, invocation);
	if (status != EXIT_GOOD)
		return status;
	log_open("sundew", (enum log_level)host->settings.log_level, false);
	host->access_memory = open_access_memory(host);
	if (!host->access_memory || open_folders(host) < 0 || open_spool(host) < 0)
		return EXIT_TROUBLE;
	status = supervise(host);
	spool_close(host->spool);
	return status;
}

static int run(const struct invocation *invocation)
{
	struct host *host = calloc(1, sizeof(*host));
	int status = EXIT_TROUBLE, data, lock = -1;

	if (!host)
		fatal("out of memory");
	host->invocation = invocation;
	folders_find(invocation, &host->folders);
	data = folders_open(&host->folders, ".", true);
	if (data >= 0)
		lock = lock_folder(host);
	if (lock >= 0)
		status = run_host(host, invocation);
	drop_loaded(host);
	if (lock >= 0)
		close(lock);
	if (data >= 0)
		close(data);
	free(host);
	return status;
}

const struct command command_run = {
	.name = "run",
	.summary = "Run everything on this host: decoys and store",
	.details = "The first run writes the configuration and makes keys and folders. It stays in "
		   "the\n"
		   "foreground; SIGTERM ends it cleanly, SIGHUP reads the configuration again.",
	.options = run_options,
	.option_count = ARRAY_COUNT(run_options),
	.run = run,
};
