/* Live trees that are tables: a row a file or folder, by path. */
#ifndef DECOY_MACHINE_FILES_LIVE_TABLE_H
#define DECOY_MACHINE_FILES_LIVE_TABLE_H

#include "decoy/machine/host.h"
#include "decoy/machine/process.h"
#include "decoy/machine/tasks.h"

struct live_row {
	/* Below the mount point, without a slash at the front. "@if" stands for the name of the
	 * network interface, "@disk" for the disk's, "@cpu" for "cpu0", "cpu1" ... (a row each). */
	const char *path;
	unsigned mode; /* with its type */
	/* The contents: made ... */
	int (*read)(const struct file_access *access, struct writer *out);
	const char *text; /* ... or as they are (with a newline added); a link's target */
};

struct live_rows {
	const struct live_row *rows;
	size_t count;
	uint64_t first; /* key of the first row */
};

bool live_rows_find(const struct live_rows *rows, const struct file_access *access, uint64_t folder,
		    const char *name, struct live_entry *entry);
bool live_rows_next(const struct live_rows *rows, const struct file_access *access, uint64_t folder,
		    uint64_t *position, struct live_entry *entry);
int live_rows_read(const struct live_rows *rows, const struct file_access *access, uint64_t key,
		   struct writer *out);
/* The mode of a row. */
unsigned live_rows_mode(const struct live_rows *rows, uint64_t key);

/* The host and processes behind an access. */
const struct host *live_host(const struct file_access *access);
struct task_list live_tasks(const struct file_access *access);

#endif
