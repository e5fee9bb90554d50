/* /dev/pts: the terminals of those who are logged in. */
#include <stdio.h>

#include "base/clock.h"
#include "decoy/machine/files/live_table.h"

#define TERMINAL ((uint64_t)1 << 40)
#define PTMX     ((uint64_t)1 << 41)

/* The log-in's own terminal; -1: it has none. */
static int own_terminal(const struct file_access *access)
{
	int number;

	if (!access->process ||
	    sscanf(process_terminal_name(access->process), "pts/%d", &number) != 1)
		return -1;
	return number;
}

static bool next(const struct file_access *access, uint64_t folder, uint64_t *position,
		 struct live_entry *entry)
{
	int number = own_terminal(access);

	(void)folder;
	if (*position == 0) {
		*position = 1;
		if (number >= 0) {
			*entry = (struct live_entry){NULL, S_IFCHR | 0620,
						     TERMINAL | (unsigned)number};
			(void)snprintf(entry->room, sizeof(entry->room), "%d", number);
			entry->name = entry->room;
			return true;
		}
	}
	if (*position == 1) {
		*position = 2;
		*entry = (struct live_entry){"ptmx", S_IFCHR, PTMX};
		return true;
	}
	return false;
}

static bool find(const struct file_access *access, uint64_t folder, const char *name,
		 struct live_entry *entry)
{
	uint64_t position = 0;

	while (next(access, folder, &position, entry))
		if (strcmp(entry->name, name) == 0)
			return true;
	return false;
}

static void status(const struct file_access *access, uint64_t key, struct file_status *status)
{
	if (key < TERMINAL)
		return; /* the folder */
	status->device_major = key == PTMX ? 5 : 136;
	status->device_minor = key == PTMX ? 2 : (unsigned)(key & 0xffff);
	if (key != PTMX) {
		status->gid = 5;
		if (access->process)
			status->uid = access->process->identity.uid;
	}
}

static int read_key(const struct file_access *access, uint64_t key, struct writer *out)
{
	(void)access;
	(void)key;
	(void)out;
	return -EIO;
}

const struct live_tree live_tree_pts = {
	.mount_point = "/dev/pts",
	.type = "devpts",
	.source = "devpts",
	.options = "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000",
	.find = find,
	.next = next,
	.read = read_key,
	.status = status,
};
