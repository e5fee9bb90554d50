/* The status file of dpkg; see packages.h. */
#include "decoy/machine/commands/packages.h"

#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/command.h"

#define STATUS       "/var/lib/dpkg/status"
#define STATUS_MAX   ((size_t)3 * 1024 * 1024)
#define LIST_MAX     ((size_t)512 * 1024)
#define PACKAGES_MAX 8192

/* Start of the field's value, or SIZE_MAX. */
static size_t find_field(struct slice stanza, const char *field)
{
	size_t length = strlen(field);
	for (size_t at = 0; at < stanza.length;) {
		struct slice line = slice_from(stanza, at);
		if (line.length > length + 1 && line.at[length] == ':' &&
		    memcmp(line.at, field, length) == 0)
			return at + length + 1;
		size_t end = slice_find_byte(line, '\n');
		if (end == SIZE_MAX)
			break;
		at += end + 1;
	}
	return SIZE_MAX;
}

char *packages_field(struct process *p, struct slice stanza, const char *field)
{
	size_t at = find_field(stanza, field);
	if (at == SIZE_MAX)
		return (char *)"";
	struct slice value = slice_from(stanza, at);
	value = slice_trim(slice_first(value, slice_find_byte(value, '\n')));
	return process_copy_slice(p, value);
}

static char letter_of_state(const char *state)
{
	static const struct {
		const char *name;
		char letter;
	} states[] = {{"installed", 'i'},       {"config-files", 'c'},   {"unpacked", 'U'},
		      {"half-configured", 'F'}, {"half-installed", 'H'}, {"not-installed", 'n'}};
	for (size_t i = 0; i < ARRAY_COUNT(states); i++)
		if (strcmp(states[i].name, state) == 0)
			return states[i].letter;
	return 'n';
}

static void read_stanza(struct process *p, struct slice stanza, struct package *package)
{
	*package = (struct package){.stanza = stanza};
	package->name = packages_field(p, stanza, "Package");
	package->version = packages_field(p, stanza, "Version");
	package->architecture = packages_field(p, stanza, "Architecture");
	package->summary = packages_field(p, stanza, "Description");
	package->same = strcmp(packages_field(p, stanza, "Multi-Arch"), "same") == 0;
	const char *status = packages_field(p, stanza, "Status");
	const char *state = strrchr(status, ' ');
	package->wanted = *status ? *status : 'u';
	package->state = letter_of_state(state ? state + 1 : "");
}

void packages_read(struct process *p, struct packages *packages)
{
	size_t capacity = 0;
	*packages = (struct packages){.count = 0};
	if (process_read_file(p, STATUS, STATUS_MAX, &packages->file) != 0)
		return;
	struct slice rest = text_slice(&packages->file);
	while (rest.length > 0 && packages->count < PACKAGES_MAX) {
		size_t end = slice_find(rest, SLICE("\n\n"));
		struct slice stanza = slice_first(rest, end == SIZE_MAX ? rest.length : end + 1);
		rest = slice_from(rest, stanza.length + (end != SIZE_MAX));
		process_step(p);
		if (find_field(stanza, "Package") == SIZE_MAX)
			continue;
		if (packages->count == capacity) {
			capacity = capacity ? capacity * 2 : 256;
			packages->list = process_retake(p, packages->list,
							capacity * sizeof(*packages->list));
		}
		read_stanza(p, stanza, &packages->list[packages->count++]);
	}
}

void packages_give(struct process *p, struct packages *packages)
{
	process_give(p, packages->file.data);
	process_give(p, packages->list);
	*packages = (struct packages){.count = 0};
}

const struct package *packages_find(const struct packages *packages, const char *name)
{
	size_t length = strcspn(name, ":=/");
	for (size_t i = 0; i < packages->count; i++)
		if (strlen(packages->list[i].name) == length &&
		    memcmp(packages->list[i].name, name, length) == 0)
			return &packages->list[i];
	return NULL;
}

char *packages_shown_name(struct process *p, const struct package *package)
{
	return process_format(p, package->same ? "%s:%s" : "%s", package->name,
			      package->architecture);
}

const char *packages_version(struct process *p, const char *name, const char *fallback)
{
	struct line_reader reader;
	struct slice line;
	bool newline, inside = false;
	const char *version = fallback;
	int file = process_open(p, STATUS, O_RDONLY, 0);
	if (file < 0)
		return fallback;
	line_reader_open(&reader, file);
	while (line_reader_next(p, &reader, &line, &newline)) {
		process_step(p);
		if (slice_starts(line, "Package: ")) {
			inside = slice_is(slice_from(line, 9), name);
		} else if (inside && slice_starts(line, "Version: ")) {
			version = process_copy_slice(p, slice_from(line, 9));
			break;
		}
	}
	process_give(p, reader.buffer);
	process_close(p, file);
	return version;
}

const char *packages_openssl(struct process *p)
{
	static const char *const releases[] = {
		"3.0.9 30 May 2023", "3.0.11 19 Sep 2023", "3.0.13 30 Jan 2024",
		"3.0.14 4 Jun 2024", "3.0.15 3 Sep 2024",  "3.0.16 11 Feb 2025",
		"3.0.17 1 Jul 2025", "3.0.18 30 Sep 2025", "3.0.19 27 Jan 2026",
		"3.0.20 7 Apr 2026", "3.0.22 25 Aug 2026",
	};
	const char *version = packages_version(p, "libssl3", "3.0.15-1~deb12u1");
	size_t length = strcspn(version, "-");

	for (size_t i = 0; i < ARRAY_COUNT(releases); i++)
		if (!strncmp(releases[i], version, length) && releases[i][length] == ' ')
			return process_format(p, "OpenSSL %s", releases[i]);
	/* One of later: as near as can be. */
	return process_format(p, "OpenSSL %.*s 25 Aug 2026", (int)length, version);
}

char *packages_list_path(struct process *p, const struct package *package)
{
	char *path = process_format(p, "/var/lib/dpkg/info/%s.list", package->name);
	if (process_access(p, path, 0) == 0)
		return path;
	path = process_format(p, "/var/lib/dpkg/info/%s:%s.list", package->name,
			      package->architecture);
	return process_access(p, path, 0) == 0 ? path : NULL;
}

/* Writes the status file anew with another word on one package ("": without it). */
static void write_status(struct process *p, const struct packages *packages,
			 const struct package *gone, bool purge)
{
	struct slice all = text_slice(&packages->file), stanza = gone->stanza;
	size_t before = (size_t)(stanza.at - all.at);
	size_t status = find_field(stanza, "Status");
	int file = process_open(p, STATUS, O_WRONLY | O_TRUNC, 0644);
	if (file < 0)
		return;
	(void)process_write(p, file, slice_first(all, before));
	if (!purge && status != SIZE_MAX) {
		struct slice rest = slice_from(stanza, status);
		size_t end = slice_find_byte(rest, '\n');
		(void)process_write(p, file, slice_first(stanza, status));
		(void)process_write(p, file, SLICE(" deinstall ok config-files"));
		(void)process_write(p, file, slice_from(rest, end));
	}
	(void)process_write(p, file, slice_from(all, before + stanza.length + purge));
	process_close(p, file);
}

static size_t count_of_files(struct process *p)
{
	struct folder_entry *entries;
	ssize_t count = process_list(p, "/var/lib/dpkg/info", &entries);
	/* About what a server has; the lists themselves would take long to count. */
	return count > 0 ? (size_t)count * 23 + 411 : 34216;
}

int packages_remove(struct process *p, const char *name, bool purge)
{
	struct packages packages;
	struct text list = {0};
	struct slice rest, line;
	packages_read(p, &packages);
	const struct package *package = packages_find(&packages, name);
	if (!package)
		return -ENOENT;
	process_print(p, "(Reading database ... %zu files and directories currently installed.)\n",
		      count_of_files(p));
	process_print(p, "Removing %s (%s) ...\n", packages_shown_name(p, package),
		      package->version);
	process_flush(p);
	char *path = packages_list_path(p, package);
	if (path && process_read_file(p, path, LIST_MAX, &list) == 0) {
		rest = text_slice(&list);
		while (slice_next(&rest, '\n', &line)) {
			struct file_status status;
			char *file = process_copy_slice(p, line);
			process_step(p);
			if (process_stat(p, file, false, &status) == 0 && !S_ISDIR(status.mode) &&
			    (purge || strncmp(file, "/etc/", 5) != 0))
				(void)process_unlink(p, file);
			process_give(p, file);
		}
	}
	process_sleep(p, 300000 + (int64_t)process_random_number(p, 400000));
	if (purge)
		process_print(p, "Purging configuration files for %s (%s) ...\n", package->name,
			      package->version);
	process_print(p, "Processing triggers for man-db (2.11.2-2) ...\n");
	write_status(p, &packages, package, purge);
	packages_give(p, &packages);
	return 0;
}
