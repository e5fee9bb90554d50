/* Live trees that are tables: finding, listing and reading rows. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/file_system_inside.h"
#include "decoy/machine/files/live_table.h"

const struct host *live_host(const struct file_access *access)
{
	return access->fs->all->host;
}

struct task_list live_tasks(const struct file_access *access)
{
	return (struct task_list){.host = live_host(access),
				  .machine = access->process ? access->process->machine : NULL,
				  .asker = access->process,
				  .now = access->now};
}

/* The name that a row's last part stands for on this host; "" when the host has no such thing. */
static const char *name_of(const struct file_access *access, const char *last)
{
	const struct host *host = live_host(access);

	if (strncmp(last, "cpu", 3) == 0 && last[3] >= '1' && last[3] <= '9' && !last[4])
		return (unsigned)(last[3] - '0') < host_processor(host)->count ? last : "";
	if (*last != '@')
		return last;
	if (strcmp(last, "@if") == 0) {
		const struct host_interface *interfaces;

		(void)host_interfaces(host, &interfaces);
		return interfaces[1].name;
	}
	if (strncmp(last, "@disk", 5) == 0) {
		const struct host_disk *disk = host_disk(host);
		static const char *const parts[][4] = {
			{"sda", "sda1", "sda2", "sda5"},
			{"vda", "vda1", "vda2", "vda5"},
		};
		unsigned part = last[5] ? (unsigned)(last[5] - '0') : 0;

		if (part > 1 && !disk->swap_sectors)
			return "";
		return parts[disk->name[0] == 'v'][part == 5 ? 3 : part & 3];
	}
	if (strcmp(last, "@uuid1") == 0)
		return host_disk(host)->root_uuid;
	if (strcmp(last, "@uuid5") == 0)
		return host_disk(host)->swap_sectors ? host_disk(host)->swap_uuid : "";
	return last + 1;
}

/* True when the row lies right below the folder's path of this length. */
static bool is_below(const struct live_row *row, const char *folder, size_t length,
		     const char **last)
{
	const char *rest = row->path;

	if (length) {
		if (strncmp(row->path, folder, length) != 0 || row->path[length] != '/')
			return false;
		rest += length + 1;
	}
	if (strchr(rest, '/'))
		return false;
	*last = rest;
	return true;
}

static const char *folder_path(const struct live_rows *rows, uint64_t folder)
{
	if (folder < rows->first || folder >= rows->first + rows->count)
		return folder ? NULL : "";
	return rows->rows[folder - rows->first].path;
}

bool live_rows_find(const struct live_rows *rows, const struct file_access *access, uint64_t folder,
		    const char *name, struct live_entry *entry)
{
	const char *path = folder_path(rows, folder), *last;
	size_t length = path ? strlen(path) : 0;

	for (size_t i = 0; path && i < rows->count; i++) {
		if (!is_below(&rows->rows[i], path, length, &last))
			continue;
		last = name_of(access, last);
		if (strcmp(last, name) != 0)
			continue;
		*entry = (struct live_entry){last, rows->rows[i].mode, rows->first + i};
		return true;
	}
	return false;
}

bool live_rows_next(const struct live_rows *rows, const struct file_access *access, uint64_t folder,
		    uint64_t *position, struct live_entry *entry)
{
	const char *path = folder_path(rows, folder), *last;
	size_t length = path ? strlen(path) : 0;

	for (; path && *position < rows->count; (*position)++) {
		size_t i = (size_t)*position;

		if (!is_below(&rows->rows[i], path, length, &last))
			continue;
		last = name_of(access, last);
		if (!*last)
			continue;
		*entry = (struct live_entry){last, rows->rows[i].mode, rows->first + i};
		(*position)++;
		return true;
	}
	return false;
}

unsigned live_rows_mode(const struct live_rows *rows, uint64_t key)
{
	return key >= rows->first && key < rows->first + rows->count
		       ? rows->rows[key - rows->first].mode
		       : 0;
}

int live_rows_read(const struct live_rows *rows, const struct file_access *access, uint64_t key,
		   struct writer *out)
{
	const struct live_row *row;

	if (key < rows->first || key >= rows->first + rows->count)
		return -ENOENT;
	row = &rows->rows[key - rows->first];
	if (row->read)
		return row->read(access, out);
	if (row->text) {
		writer_text(out, row->text);
		if (!S_ISLNK(row->mode) && *row->text)
			writer_u8(out, '\n');
	}
	return 0;
}
