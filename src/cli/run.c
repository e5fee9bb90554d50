/* sundew run: everything on this host. Opens the sockets and the folders, then supervises. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/any_port.h"
#include "cli/folders.h"
#include "cli/host_roles.h"
#include "cli/listen.h"
#include "process/supervisor.h"

#define WORKERS_STANDARD_MAX 4
#define TAP_ROOM             (4 * 1024 * 1024) /* bytes of decrypted streams that wait */

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

static void apply_options(const struct invocation *invocation, struct installation *host)
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
static struct tls_settings *open_certificate(const struct installation *host)
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

/* SSH's host keys, made once. */
static struct host_keys *open_host_keys(const struct installation *host)
{
	struct writer pem = writer_growing(65536);
	struct host_keys *keys;
	char path[PATH_LENGTH];
	const char *why = NULL;

	folders_path(&host->folders, "ssh_host_keys.pem", path);
	if (access(path, F_OK) < 0 &&
	    (host_keys_make((unsigned)persona_number(host->persona, "ssh.rsa_bits", 3072), &pem) <
		     0 ||
	     write_file(path, &pem) < 0))
		log_warning("cannot make SSH host keys in %s: the SSH decoy cannot answer",
			    host->folders.data);
	keys = host_keys_read(path, &why);
	if (!keys)
		log_warning("cannot use %s: %s; the SSH decoy cannot answer", path,
			    why ? why : "unknown reason");
	if (pem.at)
		explicit_bzero(pem.at, pem.length);
	writer_free(&pem);
	return keys;
}

static struct access_memory *open_access_memory(struct installation *host)
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
	/* Memory that a full disk cannot back would end whoever writes to it. */
	errno = posix_fallocate(file, 0, (off_t)size);
	if (errno) {
		log_error("cannot make room for %s: %m", path);
		close(file);
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
static bool find_user(struct installation *host)
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

static int open_folder_for_user(const struct installation *host, const char *name)
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

static int open_spool(struct installation *host, const char *name)
{
	struct host_spool *spool = &host->spools[host->spool_count++];
	char path[64];

	snprintf(spool->name, sizeof(spool->name), "%s", name);
	snprintf(path, sizeof(path), "spool/%s", name);
	spool->folder = open_folder_for_user(host, path);
	return spool->folder;
}

static int open_folders(struct installation *host)
{
	host->store_folder = open_folder_for_user(host, "store");
	host->evidence_folder = open_folder_for_user(host, "evidence");
	host->inbox_folder = open_folder_for_user(host, "evidence/inbox");
	host->spools_folder = open_folder_for_user(host, "spool");
	host->machines_folder = open_folder_for_user(host, "machines");
	host->packets_folder = open_folder_for_user(host, "packets");
	if (host->store_folder < 0 || host->evidence_folder < 0 || host->inbox_folder < 0 ||
	    host->spools_folder < 0 || host->machines_folder < 0 || host->packets_folder < 0)
		return -1;
	host->spool_count = 0;
	for (unsigned i = 0; i < (unsigned)host->settings.decoy.workers; i++) {
		char name[24];

		snprintf(name, sizeof(name), "decoy-%u", i);
		if (open_spool(host, name) < 0)
			return -1;
	}
	return open_spool(host, "store-0") < 0 || open_spool(host, "supervisor") < 0 ||
			       open_spool(host, "capture-0") < 0
		       ? -1
		       : 0;
}

/* --- what the supervisor asks --- */

static int grants(void *context, const struct process_role *role, unsigned instance,
		  struct process_grant *out, size_t capacity)
{
	struct installation *host = context;
	size_t count = 0;
	char spool[24];

	if (role == &role_store) {
		out[count++] = (struct process_grant){"store", host->store_folder};
		out[count++] = (struct process_grant){"evidence", host->evidence_folder};
		out[count++] = (struct process_grant){"spools", host->spools_folder};
		return (int)count;
	}
	if (role == &role_capture) {
		out[count++] =
			(struct process_grant){"spool", host_spool_folder(host, "capture-0")};
		out[count++] = (struct process_grant){"packets", host->packets_folder};
		out[count++] = (struct process_grant){"tap", host->tap[1]};
		return (int)count;
	}
	snprintf(spool, sizeof(spool), "decoy-%u", instance);
	out[count++] = (struct process_grant){"spool", host_spool_folder(host, spool)};
	out[count++] = (struct process_grant){"inbox", host->inbox_folder};
	out[count++] = (struct process_grant){"machines", host->machines_folder};
	if (host->sessions)
		out[count++] = (struct process_grant){"tap", host->tap[0]};
	for (size_t i = 0; i < host->sockets.count && count < capacity; i++) {
		if (host->sockets.items[i].worker != instance)
			continue;
		out[count].descriptor = host->sockets.items[i].descriptor;
		snprintf(out[count++].name, sizeof(out[0].name), "%zu", i);
	}
	return (int)count;
}

static void print_ready(const struct installation *host)
{
	const struct decoy_settings *decoy = &host->settings.decoy;
	size_t ports = 0;

	for (size_t i = 0; i < host->sockets.count; i++)
		ports += host->sockets.items[i].worker == 0 && !host->sockets.items[i].passive &&
			 !host->sockets.items[i].any_port;
	log_info("ready: %zu ports, %lld decoy processes, persona %s, data in %s", ports,
		 (long long)decoy->workers, decoy->persona_name, host->folders.data);
}

static void all_started(void *context, struct supervisor *supervisor)
{
	print_ready(context);
}

/* --- (re)loading --- */

static void drop_loaded(struct installation *host)
{
	listen_close(&host->sockets);
	tls_settings_free(host->tls);
	host_keys_free(host->host_keys);
	decoy_settings_free(&host->settings.decoy);
	arena_drop(&host->arena);
	persona_free(host->persona);
	config_free(host->config);
	free(host->plain_services);
	host->tls = NULL;
	host->host_keys = NULL;
	host->persona = NULL;
	host->config = NULL;
	host->plain_services = NULL;
}

/* The first service of a protocol takes over what speaks it at other ports. */
static void add_taker(struct installation *host, const struct service *service)
{
	for (size_t i = 0; i < host->taker_count; i++) {
		if (host->takers[i]->protocol == service->protocol)
			return;
	}
	host->takers[host->taker_count++] = service;
}

/* A service plan stands for two services: in the clear and under TLS. */
static int split_services(struct installation *host)
{
	const struct decoy_settings *decoy = &host->settings.decoy;

	host->taker_count = 0;
	host->plain_services = calloc(2 * decoy->service_count + 1, sizeof(struct service));
	if (!host->plain_services)
		return -1;
	for (size_t i = 0; i < decoy->service_count; i++) {
		host->plain_services[2 * i] = decoy->services[i].service;
		host->plain_services[2 * i + 1] = decoy->services[i].service;
		host->plain_services[2 * i + 1].tls = true;
		add_taker(host, &host->plain_services[2 * i]);
	}
	return 0;
}

/* `before`: the sockets of what runs now, or NULL. */
static int load(struct installation *host, const struct invocation *invocation,
		struct open_sockets *before)
{
	char *why = NULL;
	size_t failed;

	host->config =
		host_settings_read(&host->folders, access_option(invocation), &host->settings);
	if (!host->config)
		return EXIT_USAGE;
	apply_options(invocation, host);
	host->arena = arena_of((size_t)256 * 1024 * 1024);
	host->persona = installation_persona(&host->folders, &host->settings.decoy);
	if (!host->persona || !find_user(host))
		return EXIT_TROUBLE;
	if (decoy_settings_prepare(&host->settings.decoy, host->persona, &host->arena, &why) < 0) {
		log_error("cannot prepare the decoys: %s", why ? why : "out of memory");
		free(why);
		return EXIT_TROUBLE;
	}
	host->tls = open_certificate(host);
	host->host_keys = open_host_keys(host);
	if (split_services(host) < 0)
		return EXIT_TROUBLE;
	failed = listen_open(&host->settings.decoy, (unsigned)host->settings.decoy.workers, before,
			     &host->sockets);
	if (failed && !option_given(invocation, "best-effort"))
		return EXIT_TROUBLE;
	return EXIT_GOOD;
}

static unsigned captures(const struct host_settings *settings)
{
	return settings->capture.interfaces.count > 0;
}

/* What only a restart can change; NULL: nothing of that. */
static const char *fixed_change(const struct installation *host, const struct installation *fresh)
{
	if (fresh->settings.decoy.workers != host->settings.decoy.workers)
		return "another number of workers needs a restart";
	if (captures(&fresh->settings) != captures(&host->settings))
		return "capture on or off needs a restart";
	if (fresh->user.uid != host->user.uid)
		return "another user needs a restart";
	return NULL;
}

static struct restart_policy restart_policy(const struct installation *host)
{
	return (struct restart_policy){.most = host->settings.restart_longest,
				       .healthy = host->settings.restart_healthy};
}

static int reload(void *context, struct supervisor *supervisor)
{
	struct installation *host = context, fresh = *host;
	const char *why = "see above";
	int status;

	/* Ports that stay keep their sockets, new ones are opened beside them; only when all is
	 * well do the old go. */
	fresh.sockets = (struct open_sockets){NULL, 0, 0};
	fresh.plain_services = NULL;
	fresh.tls = NULL;
	fresh.host_keys = NULL;
	fresh.persona = NULL;
	fresh.arena = arena_of(0);
	status = load(&fresh, host->invocation, &host->sockets);
	if (status == EXIT_GOOD && (why = fixed_change(host, &fresh)) != NULL)
		status = EXIT_USAGE;
	if (status != EXIT_GOOD) {
		log_error("the new configuration cannot be used; everything goes on with the old "
			  "one: %s",
			  why);
		if (fresh.config)
			drop_loaded(&fresh);
		return -1;
	}
	drop_loaded(host);
	*host = fresh;
	apply_options(host->invocation, host); /* what pointed into the other struct */
	any_port_close(host);
	if (any_port_open(host) < 0)
		log_error("ports without a decoy of their own are closed now");
	host->setup->log_level = (enum log_level)host->settings.log_level;
	host->setup->restart = restart_policy(host);
	log_open("sundew", host->setup->log_level, false);
	if (host_status_open(host) < 0)
		log_warning("the supervisor goes on with its spool's old limits");
	return 0;
}

static void watch(void *context, struct supervisor *supervisor, bool drained)
{
	any_port_watch(context, clock_monotonic());
	host_status_watch(context, supervisor, drained);
}

static int supervise(struct installation *host)
{
	const struct supervisor_plan plan[] = {
		{&role_decoy, (unsigned)host->settings.decoy.workers},
		{&role_store, 1},
		{&role_capture, captures(&host->settings)},
	};
	struct supervisor_setup setup = {
		.plan = plan,
		.plan_count = ARRAY_COUNT(plan),
		.user = host->has_user ? &host->user : NULL,
		.counters = host_counter_names,
		.counter_count = HOST_COUNTERS,
		.restart = restart_policy(host),
		.log_level = (enum log_level)host->settings.log_level,
		.context = host,
		.grants = grants,
		.report = host_status_notice,
		.all_started = all_started,
		.reload = reload,
		.watch = watch,
	};

	host->setup = &setup;
	return supervisor_run(&setup);
}

/* One Sundew a data folder: the lock goes with the process. */
static int lock_folder(const struct installation *host)
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

/* What decoys tell the capture process. Messages stay apart, and who finds it full goes on. */
static int connect_capture(struct installation *host)
{
	int room = TAP_ROOM;

	host->sessions = session_table_make();
	if (!host->sessions ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, host->tap) < 0) {
		log_error("cannot connect the decoys with the capture: %m");
		return -1;
	}
	if (setsockopt(host->tap[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(host->tap[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return 0;
}

static int run_host(struct installation *host, const struct invocation *invocation)
{
	const char *listen = option_value(invocation, "listen");
	int status;

	if (host_write_config(&host->folders, listen ? listen : "0.0.0.0",
			      option_number(invocation, "port-offset", 0, 0, 64000)) < 0) {
		log_error("cannot write %s: %m", host->folders.config);
		return EXIT_TROUBLE;
	}
	status = load(host, invocation, NULL);
	if (status != EXIT_GOOD)
		return status;
	log_open("sundew", (enum log_level)host->settings.log_level, false);
	host->access_memory = open_access_memory(host);
	if (captures(&host->settings) && connect_capture(host) < 0)
		return EXIT_TROUBLE;
	if (!host->access_memory || open_folders(host) < 0 || host_status_open(host) < 0)
		return EXIT_TROUBLE;
	status = any_port_open(host) < 0 ? EXIT_TROUBLE : supervise(host);
	any_port_close(host);
	host_status_close(host);
	return status;
}

static int run(const struct invocation *invocation)
{
	struct installation *host = calloc(1, sizeof(*host));
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
