/* The story of the fake host: making it, and the questions of host.h that are quick to answer. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/machine/coroutine.h"
#include "decoy/machine/file_system.h"
#include "decoy/machine/host_state.h"
#include "decoy/machine/limits.h"

#define LABEL_MAX 96

const char *host_format(struct host *host, const char *format, ...)
{
	struct writer w = writer_growing(64 * 1024);
	va_list arguments;
	char *copy;

	va_start(arguments, format);
	writer_vformat(&w, format, arguments);
	va_end(arguments);
	copy = w.failed ? NULL : arena_text(&host->arena, writer_slice(&w));
	writer_free(&w);
	return copy ? copy : "";
}

void host_add_file(struct host *host, const char *path, unsigned mode, unsigned uid, unsigned gid,
		   int64_t modified, struct slice contents)
{
	struct slice copy = arena_copy(&host->arena, contents);

	if (host->file_count >= HOST_FILES_MAX || (contents.length && !copy.at))
		return;
	host->files[host->file_count++] = (struct host_file){.path = path,
							     .mode = mode,
							     .uid = uid,
							     .gid = gid,
							     .modified = modified,
							     .contents = copy};
}

int64_t host_number(const struct host *host, const char *label, int64_t low, int64_t high)
{
	char text[LABEL_MAX];
	struct writer w = writer_fixed(text, sizeof(text) - 1);

	writer_format(&w, "machine/%s", label);
	text[w.length] = 0;
	return persona_derive_number(host->persona, text, low, high);
}

int64_t host_fact(const struct host *host, const char *label, int64_t low, int64_t high)
{
	return host_number(host, label, low, high);
}

uint64_t host_boot_number(const struct host *host, const char *label, int64_t boot, uint64_t low,
			  uint64_t high)
{
	char text[LABEL_MAX];
	struct writer w = writer_fixed(text, sizeof(text) - 1);

	writer_format(&w, "boot/%s/%lld", label, (long long)boot);
	text[w.length] = 0;
	return (uint64_t)host_number(host, text, (int64_t)low, (int64_t)high);
}

static double unit(const struct host *host, const char *label, int64_t step)
{
	char text[LABEL_MAX];
	struct writer w = writer_fixed(text, sizeof(text) - 1);

	writer_format(&w, "wander/%s/%lld", label, (long long)step);
	text[w.length] = 0;
	return (double)host_number(host, text, 0, 999999) / 1e6;
}

double host_wander(const struct host *host, const char *label, int64_t now, int64_t period)
{
	int64_t step = now / period;
	double part = (double)(now % period) / (double)period;
	double before = unit(host, label, step), after = unit(host, label, step + 1);

	part = part * part * (3 - 2 * part);
	return before + (after - before) * part;
}

/* --- questions --- */

enum host_kind host_kind(const struct host *host)
{
	return host->kind;
}

const struct persona *host_persona(const struct host *host)
{
	return host->persona;
}

struct file_systems *host_file_systems(const struct host *host)
{
	return host->file_systems;
}

struct coroutine_pool *host_stacks(const struct host *host)
{
	return host->stacks;
}

const struct host_names *host_names(const struct host *host)
{
	return &host->names;
}

size_t host_accounts(const struct host *host, const struct machine_account **accounts)
{
	*accounts = host->accounts;
	return host->account_count;
}

size_t host_people(const struct host *host, const struct host_person **people)
{
	*people = host->people;
	return host->person_count;
}

size_t host_logins(const struct host *host, const struct host_login **logins)
{
	*logins = host->logins;
	return host->login_count;
}

size_t host_interfaces(const struct host *host, const struct host_interface **interfaces)
{
	*interfaces = host->interfaces;
	return host->interface_count;
}

struct address host_gateway(const struct host *host)
{
	return host->gateway;
}

struct address host_name_server(const struct host *host)
{
	return host->name_server;
}

const struct host_processor *host_processor(const struct host *host)
{
	return &host->processor;
}

const struct host_disk *host_disk(const struct host *host)
{
	return &host->disk;
}

const struct host_platform *host_platform(const struct host *host)
{
	return &host->platform;
}

size_t host_mounts(const struct host *host, const struct host_mount **mounts)
{
	*mounts = host->mounts;
	return host->mount_count;
}

size_t host_listeners(const struct host *host, const struct host_listener **listeners)
{
	*listeners = host->listeners;
	return host->listener_count;
}

bool host_file(const struct host *host, size_t index, struct host_file *file)
{
	if (index >= host->file_count)
		return false;
	*file = host->files[index];
	return true;
}

int64_t host_boot_time(const struct host *constant, int64_t now)
{
	/* Asked for at every turn; the memory of the last answer is no fact of the host. */
	struct host *host = (struct host *)(uintptr_t)constant;

	if (host->boot_second != now / SECOND || !host->boot_then) {
		host->boot_second = now / SECOND;
		host->boot_then = persona_boot_time(host->persona, now);
	}
	return host->boot_then;
}

/* --- making --- */

static void complain(char **why, const char *what, const char *more)
{
	struct writer w = writer_growing(4096);

	writer_format(&w, "%s%s%s", what, more ? ": " : "", more ? more : "");
	writer_u8(&w, 0);
	*why = w.failed ? NULL : strdup((const char *)w.at);
	writer_free(&w);
}

struct host *host_new(const struct host_setup *setup, char **why)
{
	struct host *host = calloc(1, sizeof(*host));

	*why = NULL;
	if (!host) {
		complain(why, "no memory for the fake machine", NULL);
		return NULL;
	}
	host->arena = arena_of(HOST_MEMORY_MAX);
	host->persona = setup->persona;
	host->share_folder = setup->share_folder;
	host->made = clock_wall();
	host->installed = persona_installed(setup->persona);
	host->processes_boot = INT64_MIN;
	host_make_facts(host, setup);
	/* Without the image the host is a plain one. */
	host->plain = !setup->image_path || access(setup->image_path, F_OK) != 0;
	host->image = image_for_host(host->kind == HOST_ROUTER ? "router" : "debian",
				     host->processor.architecture, setup->share_folder,
				     host->plain ? NULL : setup->image_path, why);
	if (!host->image) {
		if (!*why)
			complain(why, "cannot make the fake machine's file system", NULL);
		goto fail;
	}
	host_make_people(host);
	host_make_listeners(host);
	host_make_files(host);
	host_make_ssh_keys(host, setup->host_keys);
	host->stacks = coroutine_pool_new(MACHINE_STACKS_MAX);
	host->file_systems = file_systems_new(host->image, host, setup->disks);
	if (!host->stacks || !host->file_systems) {
		complain(why, "no memory for the fake machine", NULL);
		goto fail;
	}
	return host;
fail:
	host_free(host);
	return NULL;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	if (host->file_systems)
		file_systems_free(host->file_systems);
	if (host->stacks)
		coroutine_pool_free(host->stacks);
	if (host->image)
		image_free(host->image);
	arena_drop(&host->arena);
	free(host);
}
