/* Disks and mounts: df, mount, umount, findmnt, lsblk, blkid, fdisk. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

/* --- df --- */

struct df {
	bool all, human, si, inodes, types, total, posix;
	uint64_t block; /* bytes; 0: human */
	const char *only, *without, *block_name;
};

struct df_row {
	const char *source, *type, *point;
	uint64_t size, used, available; /* kilobytes or inodes */
	bool none;
};

static const char *df_number(struct process *p, const struct df *d, uint64_t kilobytes)
{
	static const char units[] = "KMGTPE";
	uint64_t base = d->si ? 1000 : 1024, value = d->inodes ? kilobytes : kilobytes * 1024;
	uint64_t divisor = 1;
	size_t unit = 0;

	if (!d->human)
		return process_format(
			p, "%llu",
			(unsigned long long)(d->inodes ? value
						       : (value + d->block - 1) / d->block));
	if (value < base)
		return process_format(p, "%llu", (unsigned long long)value);
	divisor = base;
	while (value / divisor >= base && units[unit + 1]) {
		divisor *= base;
		unit++;
	}
	/* Rounded up; one decimal below ten. */
	if ((value * 10 + divisor - 1) / divisor < 100) {
		uint64_t tenths = (value * 10 + divisor - 1) / divisor;

		return process_format(p, "%llu.%llu%c", (unsigned long long)tenths / 10,
				      (unsigned long long)tenths % 10,
				      d->si && unit == 0 ? 'k' : units[unit]);
	}
	if ((value + divisor - 1) / divisor >= base && units[unit + 1])
		return process_format(p, "1.0%c", units[unit + 1]);
	return process_format(p, "%llu%c", (unsigned long long)((value + divisor - 1) / divisor),
			      d->si && unit == 0 ? 'k' : units[unit]);
}

static void df_row(struct process *p, const struct df *d, const struct host_mount *m,
		   struct df_row *row)
{
	struct file_system_status fs = {0};
	bool known = process_file_system_status(p, m->point, &fs) == 0 && fs.block_size;

	*row = (struct df_row){.source = m->source, .type = m->type, .point = m->point};
	if (!m->kilobytes) {
		row->none = true;
		return;
	}
	if (d->inodes) {
		row->size = known ? fs.files : m->kilobytes / 16;
		row->used = known ? fs.files - fs.free_files : 1;
		row->available = row->size - row->used;
		return;
	}
	if (known && fs.blocks) {
		row->size = fs.blocks * fs.block_size / 1024;
		row->available = fs.available_blocks * fs.block_size / 1024;
		row->used = (fs.blocks - fs.free_blocks) * fs.block_size / 1024;
		return;
	}
	row->size = m->kilobytes;
	row->used = m->used;
	row->available = m->kilobytes - m->used;
}

static const char *df_share(struct process *p, const struct df_row *row)
{
	uint64_t all = row->used + row->available;

	if (row->none || !all)
		return "-";
	return process_format(p, "%llu%%", (unsigned long long)((row->used * 100 + all - 1) / all));
}

static void df_print(struct process *p, const struct df *d, const struct df_row *rows, size_t count)
{
	const char *header[7] = {"Filesystem",
				 "Type",
				 d->inodes  ? "Inodes"
				 : d->human ? "Size"
					    : d->block_name,
				 d->inodes ? "IUsed" : "Used",
				 d->inodes  ? "IFree"
				 : d->human ? "Avail"
					    : "Available",
				 d->inodes  ? "IUse%"
				 : d->posix ? "Capacity"
					    : "Use%",
				 "Mounted on"};
	const char *(*cells)[7] = process_take(p, (count + 1) * sizeof(*cells));
	size_t widths[7] = {14, 4, 5, 5, 5, 4, 0};

	memcpy(cells[0], header, sizeof(header));
	for (size_t i = 0; i < count; i++) {
		const struct df_row *r = &rows[i];
		const char **c = cells[i + 1];

		c[0] = r->source;
		c[1] = r->type;
		c[2] = r->none ? "0" : df_number(p, d, r->size);
		c[3] = r->none ? "0" : df_number(p, d, r->used);
		c[4] = r->none ? "0" : df_number(p, d, r->available);
		c[5] = df_share(p, r);
		c[6] = r->point;
	}
	for (size_t i = 0; i <= count; i++)
		for (size_t k = 0; k < 7; k++)
			if (strlen(cells[i][k]) > widths[k])
				widths[k] = strlen(cells[i][k]);
	for (size_t i = 0; i <= count; i++) {
		process_print(p, "%-*s", (int)widths[0], cells[i][0]);
		if (d->types)
			process_print(p, " %-*s", (int)widths[1], cells[i][1]);
		for (size_t k = 2; k < 6; k++)
			process_print(p, " %*s", (int)widths[k], cells[i][k]);
		process_print(p, " %s\n", cells[i][6]);
	}
}

static int df_busybox(struct process *p, const struct df *d)
{
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts);

	process_print(p, "Filesystem           %s Mounted on\n",
		      d->human ? "     Size      Used Available Use%"
			       : "1K-blocks      Used Available Use%");
	for (size_t i = 0; i < count; i++) {
		struct df_row r;

		df_row(p, d, &mounts[i], &r);
		if (r.none)
			continue;
		process_print(p, "%-20s %9s %9s %9s %3s %s\n", r.source, df_number(p, d, r.size),
			      df_number(p, d, r.used), df_number(p, d, r.available),
			      df_share(p, &r), r.point);
	}
	return 0;
}

static size_t df_collect(struct process *p, const struct df *d, struct df_row *rows, int argc,
			 char **argv, int *status)
{
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts), found = 0;

	for (size_t i = 0; i < count && argc == 0; i++) {
		const struct host_mount *m = &mounts[i];

		if ((!m->kilobytes && !d->all) || (d->only && strcmp(d->only, m->type) != 0) ||
		    (d->without && strcmp(d->without, m->type) == 0))
			continue;
		df_row(p, d, m, &rows[found++]);
	}
	for (int a = 0; a < argc && found < 62; a++) {
		struct file_system_status fs;
		struct file_status status_of;
		const struct host_mount *best = NULL;
		int error = process_stat(p, argv[a], true, &status_of);

		if (error < 0) {
			process_complain(p, "%s: %s", argv[a], strerror(-error));
			*status = 1;
			continue;
		}
		if (process_file_system_status(p, argv[a], &fs) < 0)
			memset(&fs, 0, sizeof(fs));
		for (size_t i = 0; i < count; i++)
			if ((fs.mount_point && strcmp(mounts[i].point, fs.mount_point) == 0) ||
			    strcmp(mounts[i].source, argv[a]) == 0)
				best = &mounts[i];
		if (!best)
			for (size_t i = 0; i < count; i++)
				if (strcmp(mounts[i].point, "/") == 0)
					best = &mounts[i];
		if (best)
			df_row(p, d, best, &rows[found++]);
	}
	return found;
}

static int run_df(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"block-size", 'B', OPTION_NEEDS},
						   {"human-readable", 'h'},
						   {"si", 'H'},
						   {"inodes", 'i'},
						   {"local", 'l'},
						   {"portability", 'P'},
						   {"print-type", 'T'},
						   {"total", TEXT_OWN},
						   {"type", 't', OPTION_NEEDS},
						   {"exclude-type", 'x', OPTION_NEEDS},
						   {"sync", TEXT_OWN + 1},
						   {"output", TEXT_OWN + 2, OPTION_MAY},
						   TEXT_WORDS};
	struct df d = {.block = 1024, .block_name = "1K-blocks"};
	struct df_row *rows = process_take(p, 64 * sizeof(*rows));
	struct option_state state = {0};
	int option, status = 0;
	size_t count;
	uint64_t size;

	while ((option = option_next(p, &state, argc, argv, "aB:iF:hHklmPTt:vx:", words)) != -1) {
		switch (option) {
		case 'a':
			d.all = true;
			break;
		case 'h':
			d.human = true;
			break;
		case 'H':
			d.human = d.si = true;
			break;
		case 'i':
			d.inodes = true;
			break;
		case 'T':
			d.types = true;
			break;
		case 'P':
			d.posix = true;
			d.block_name = "1024-blocks";
			break;
		case 'k':
			d.block = 1024;
			d.block_name = "1K-blocks";
			break;
		case 'm':
			d.block = 1048576;
			d.block_name = "1M-blocks";
			break;
		case 'B':
			if (command_size(state.argument[0] >= '0' && state.argument[0] <= '9'
						 ? state.argument
						 : process_format(p, "1%s", state.argument),
					 &size) < 0 ||
			    !size) {
				process_complain(p, "invalid -B argument '%s'", state.argument);
				return 1;
			}
			d.block = size;
			d.block_name =
				process_format(p, "%s%s-blocks",
					       state.argument[0] <= '9' ? "" : "1", state.argument);
			break;
		case 't':
			d.only = state.argument;
			break;
		case 'x':
			d.without = state.argument;
			break;
		case TEXT_OWN:
			d.total = true;
			break;
		case 'l':
		case 'v':
		case 'F':
		case TEXT_OWN + 1:
		case TEXT_OWN + 2:
			break;
		default:
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]... [FILE]...\nShow information about the file system "
				"on which each FILE resides,\nor all file systems by default.\n",
				1);
		}
	}
	if (p->busybox && state.index >= argc)
		return df_busybox(p, &d);
	count = df_collect(p, &d, rows, argc - state.index, argv + state.index, &status);
	if (!count) {
		if (!status)
			process_complain(p, "no file systems processed");
		return 1;
	}
	if (d.total) {
		struct df_row *all = &rows[count];

		*all = (struct df_row){.source = "total", .type = "-", .point = "-"};
		for (size_t i = 0; i < count; i++) {
			all->size += rows[i].size;
			all->used += rows[i].used;
			all->available += rows[i].available;
		}
		count++;
	}
	df_print(p, &d, rows, count);
	return status;
}

/* --- mount --- */

static bool is_root(struct process *p)
{
	return p->identity.effective_uid == 0;
}

static void mount_list(struct process *p, const char *type)
{
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts);

	for (size_t i = 0; i < count; i++)
		if (!type || strcmp(type, mounts[i].type) == 0)
			process_print(p, "%s on %s type %s (%s)\n", mounts[i].source,
				      mounts[i].point, mounts[i].type, mounts[i].options);
}

static int run_mount(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"bind", 'B'},
						   {"rbind", 'R'},
						   {"move", 'M'},
						   {"options", 'o', OPTION_NEEDS},
						   {"types", 't', OPTION_NEEDS},
						   {"show-labels", 'l'},
						   {"read-only", 'r'},
						   {"verbose", 'v'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct file_status status;
	const char *type = NULL, *source, *target;
	bool bind = false, remount = false, all = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "aBcfFhilL:Mno:O:rRsT:t:U:vVw",
				     words)) != -1) {
		switch (option) {
		case 't':
			type = state.argument;
			break;
		case 'o':
			remount |= strstr(state.argument, "remount") != NULL;
			bind |= strstr(state.argument, "bind") != NULL;
			break;
		case 'B':
		case 'R':
			bind = true;
			break;
		case 'a':
			all = true;
			break;
		case 'V':
			process_print(p,
				      "mount %s (libmount 2.38.1: selinux, smack, btrfs, verity, "
				      "namespaces, idmapping, assert, debug)\n",
				      UTIL_LINUX);
			return 0;
		case '?':
			return 1;
		default:
			break;
		}
	}
	if (state.index >= argc) {
		if (all)
			return 0;
		mount_list(p, type);
		return 0;
	}
	source = argv[state.index];
	target = state.index + 1 < argc ? argv[state.index + 1] : NULL;
	if (!target && !remount) {
		process_complain(p, "%s: can't find in /etc/fstab.", source);
		return 1;
	}
	if (!is_root(p)) {
		process_complain(
			p,
			"%s: must be superuser to use mount.\n       dmesg(1) may have more "
			"information after failed mount system call.",
			target ? target : source);
		return 32;
	}
	if (remount)
		return 0;
	if (process_stat(p, target, true, &status) < 0) {
		process_complain(p,
				 "%s: mount point does not exist.\n       dmesg(1) may have more "
				 "information after failed mount system call.",
				 target);
		return 32;
	}
	if (type &&
	    (strcmp(type, "tmpfs") == 0 || strcmp(type, "proc") == 0 || strcmp(type, "ramfs") == 0))
		return 0;
	if (process_stat(p, source, true, &status) < 0) {
		process_complain(
			p,
			"%s: special device %s does not exist.\n       dmesg(1) may have more "
			"information after failed mount system call.",
			target, source);
		return 32;
	}
	if (bind)
		return 0;
	if (!S_ISBLK(status.mode)) {
		process_complain(p, "%s: failed to setup loop device for %s.", target, source);
		return 32;
	}
	process_complain(p,
			 "%s: %s already mounted on /.\n       dmesg(1) may have more information "
			 "after failed mount system call.",
			 target, source);
	return 32;
}

static int run_umount(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts);
	struct file_status status;
	int option, result = 0;

	while ((option = option_next(p, &state, argc, argv, "aAcdfhilnO:qRrt:vV", NULL)) != -1)
		if (option == '?')
			return 1;
	if (state.index >= argc) {
		process_complain(p, "bad usage\nTry 'umount --help' for more information.");
		return 1;
	}
	for (int i = state.index; i < argc; i++) {
		const struct host_mount *found = NULL;

		for (size_t k = 0; k < count; k++)
			if (strcmp(mounts[k].point, argv[i]) == 0 ||
			    strcmp(mounts[k].source, argv[i]) == 0)
				found = &mounts[k];
		if (!found && process_stat(p, argv[i], true, &status) < 0)
			process_complain(p, "%s: no mount point specified.", argv[i]);
		else if (!found)
			process_complain(p, "%s: not mounted.", argv[i]);
		else if (!is_root(p))
			process_complain(p, "%s: must be superuser to unmount.", argv[i]);
		else
			process_complain(p, "%s: target is busy.", found->point);
		result = 32;
	}
	return result;
}

static int run_findmnt(struct process *p, int argc, char **argv)
{
	const struct host_mount *mounts;
	size_t count = host_mounts(process_host(p), &mounts);
	const char *only = argc > 1 && argv[argc - 1][0] != '-' ? argv[argc - 1] : NULL;
	bool any = false;

	process_print(p, only ? "%s %s %s %s\n" : "%-30s %-11s %-11s %s\n", "TARGET", "SOURCE",
		      "FSTYPE", "OPTIONS");
	for (size_t i = 0; i < count; i++) {
		bool root = strcmp(mounts[i].point, "/") == 0;

		if (only) {
			if (strcmp(only, mounts[i].point) != 0 &&
			    strcmp(only, mounts[i].source) != 0)
				continue;
			process_print(p, "%-6s %-9s %-6s %s\n", mounts[i].point, mounts[i].source,
				      mounts[i].type, mounts[i].options);
			any = true;
			continue;
		}
		if (root)
			process_print(p, "%-30s %-11s %-11s %s\n", "/", mounts[i].source,
				      mounts[i].type, mounts[i].options);
	}
	for (size_t i = 0; i < count && !only; i++) {
		if (strcmp(mounts[i].point, "/") == 0)
			continue;
		process_print(p, "|-%-28s %-11s %-11s %s\n", mounts[i].point, mounts[i].source,
			      mounts[i].type, mounts[i].options);
	}
	return only && !any ? 1 : 0;
}

/* --- lsblk, blkid, fdisk --- */

static const char *size_text(struct process *p, uint64_t kilobytes)
{
	double value = (double)kilobytes;
	static const char units[] = "KMGT";
	size_t unit = 0;
	char text[32];

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(text, sizeof(text), "%.1f", value);
	if (strlen(text) > 2 && text[strlen(text) - 1] == '0')
		text[strlen(text) - 2] = 0;
	return process_format(p, "%s%c", text, units[unit]);
}

static void lsblk_row(struct process *p, const char *tree, const char *name, unsigned major,
		      unsigned minor, unsigned removable, uint64_t kilobytes, const char *type,
		      const char *point)
{
	char full[32];

	(void)snprintf(full, sizeof(full), "%s%s", tree, name);
	process_print(p, "%-6s %3u:%-3u %2u %6s %2u %-4s %s\n", full, major, minor, removable,
		      size_text(p, kilobytes), 0u, type, point);
}

static int run_lsblk(struct process *p, int argc, char **argv)
{
	const struct host_disk *d = host_disk(process_host(p));
	struct option_state state = {0};
	unsigned major = d->name[0] == 'v' ? 254 : 8;
	bool systems = false, sr = d->name[0] != 'v';
	static const struct option_word words[] = {
		{"all", 'a'},        {"bytes", 'b'},
		{"fs", 'f'},         {"output", 'o', OPTION_NEEDS},
		{"noheadings", 'n'}, {"nodeps", 'd'},
		{"json", 'J'},       {"list", 'l'},
		{"paths", 'p'},      {"help", 'h'},
		{"version", 'V'},    {NULL}};
	int option;

	while ((option = option_next(p, &state, argc, argv,
				     "abdDze:fhJlmnOo:pPrsSStI:iVx:", words)) != -1) {
		systems |= option == 'f';
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		if (option == '?')
			return 1;
	}
	if (systems) {
		const char *root = process_format(p, "|-%s1", d->name);

		process_print(p,
			      "NAME   FSTYPE FSVER LABEL UUID                                 "
			      "FSAVAIL FSUSE%% MOUNTPOINTS\n"
			      "%-6s                                                                "
			      "          \n",
			      d->name);
		process_print(p, "%-6s ext4   1.0         %s   %5s   %3s%% /\n", root, d->root_uuid,
			      size_text(p, d->root_sectors / 2 * 8 / 10), "12");
		if (d->swap_sectors)
			process_print(p,
				      "|-%s2                                                       "
				      "                  \n"
				      "`-%s5 swap   1           %s                [SWAP]\n",
				      d->name, d->name, d->swap_uuid);
		return 0;
	}
	process_put_text(p, "NAME   MAJ:MIN RM   SIZE RO TYPE MOUNTPOINTS\n");
	lsblk_row(p, "", d->name, major, 0, 0, d->kilobytes, "disk", "");
	lsblk_row(p, d->swap_sectors ? "|-" : "`-", process_format(p, "%s1", d->name), major, 1, 0,
		  d->root_sectors / 2, "part", "/");
	if (d->swap_sectors) {
		lsblk_row(p, "|-", process_format(p, "%s2", d->name), major, 2, 0, 1, "part", "");
		lsblk_row(p, "`-", process_format(p, "%s5", d->name), major, 5, 0,
			  d->swap_sectors / 2, "part", "[SWAP]");
	}
	if (sr)
		lsblk_row(p, "", "sr0", 11, 0, 1, 1048575, "rom", "");
	return 0;
}

static void blkid_row(struct process *p, const char *device, const char *tag, bool value,
		      const char *const pairs[][2])
{
	bool any = false;

	for (; (*pairs)[0]; pairs++) {
		if (tag && strcmp(tag, (*pairs)[0]) != 0)
			continue;
		if (value)
			process_print(p, "%s\n", (*pairs)[1]);
		else
			process_print(p, "%s%s%s=\"%s\"", any ? "" : device, any ? " " : ": ",
				      (*pairs)[0], (*pairs)[1]);
		any = true;
	}
	if (any && !value)
		process_put_byte(p, '\n');
}

static int run_blkid(struct process *p, int argc, char **argv)
{
	const struct host_disk *d = host_disk(process_host(p));
	const char *root = process_format(p, "/dev/%s1", d->name);
	const char *swap = process_format(p, "/dev/%s5", d->name);
	const char *const root_pairs[][2] = {{"UUID", d->root_uuid},
					     {"BLOCK_SIZE", "4096"},
					     {"TYPE", "ext4"},
					     {"PARTUUID", process_format(p, "%s-01", d->part_id)},
					     {NULL, NULL}};
	const char *const swap_pairs[][2] = {{"UUID", d->swap_uuid},
					     {"TYPE", "swap"},
					     {"PARTUUID", process_format(p, "%s-05", d->part_id)},
					     {NULL, NULL}};
	struct option_state state = {0};
	const char *tag = NULL;
	bool value = false, shown = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "c:gilL:n:o:O:ps:S:t:u:U:w:hVk",
				     NULL)) != -1) {
		if (option == 's')
			tag = state.argument;
		else if (option == 'o')
			value = strcmp(state.argument, "value") == 0;
		else if (option == '?')
			return 4;
	}
	if (!is_root(p))
		return 2;
	for (int part = 0; part < 2; part++) {
		const char *device = part ? swap : root;
		bool wanted = state.index >= argc;

		for (int i = state.index; i < argc; i++)
			wanted |= strcmp(argv[i], device) == 0;
		if (!wanted || (part && !d->swap_sectors))
			continue;
		blkid_row(p, device, tag, value, part ? swap_pairs : root_pairs);
		shown = true;
	}
	return shown ? 0 : 2;
}

static void fdisk_row(struct process *p, const char *name, const char *boot, uint64_t start,
		      uint64_t sectors, const char *id, const char *type)
{
	process_print(p, "/dev/%s %-4s %9llu %9llu %9llu %5s %2s %s\n", name, boot,
		      (unsigned long long)start, (unsigned long long)(start + sectors - 1),
		      (unsigned long long)sectors, size_text(p, sectors / 2), id, type);
}

static int run_fdisk(struct process *p, int argc, char **argv)
{
	const struct host_disk *d = host_disk(process_host(p));

	if (argc < 2) {
		process_complain(p, "bad usage\nTry 'fdisk --help' for more information.");
		return 1;
	}
	if (!is_root(p)) {
		if (strcmp(argv[1], "-l") == 0)
			process_complain(p, "cannot open /dev/%s: Permission denied", d->name);
		else
			process_complain(p, "cannot open %s: Permission denied", argv[1]);
		return 1;
	}
	if (strcmp(argv[1], "-l") != 0) {
		process_print(
			p, "\nWelcome to fdisk (util-linux 2.38.1).\nChanges will remain in memory "
			   "only, until you decide to write them.\nBe careful before using the "
			   "write command.\n\n");
		process_complain(p, "cannot open %s: No such file or directory", argv[1]);
		return 1;
	}
	process_print(
		p, "Disk /dev/%s: %s, %llu bytes, %llu sectors\n", d->name,
		d->kilobytes >= 1048576
			? process_format(p, "%llu GiB", (unsigned long long)d->kilobytes / 1048576)
			: "0 B",
		(unsigned long long)d->kilobytes * 1024, (unsigned long long)d->kilobytes * 2);
	if (d->model[0])
		process_print(p, "Disk model: %-16s\n", d->model);
	process_print(
		p,
		"Units: sectors of 1 * 512 = 512 bytes\nSector size (logical/physical): 512 bytes "
		"/ 512 bytes\nI/O size (minimum/optimal): 512 bytes / 512 bytes\nDisklabel type: "
		"dos\nDisk identifier: 0x%s\n\nDevice     Boot     Start       End   Sectors  "
		"Size Id Type\n",
		d->part_id);
	fdisk_row(p, process_format(p, "%s1", d->name), " *", d->root_start, d->root_sectors, "83",
		  "Linux");
	if (d->swap_sectors) {
		fdisk_row(p, process_format(p, "%s2", d->name), "", d->swap_start - 2,
			  d->swap_sectors + 2, "5", "Extended");
		fdisk_row(p, process_format(p, "%s5", d->name), "", d->swap_start, d->swap_sectors,
			  "82", "Linux swap / Solaris");
	}
	return 0;
}

static const struct command commands[] = {
	{"df", run_df, COMMAND_BOTH, "/usr/bin"},
	{"mount", run_mount, COMMAND_BOTH, "/usr/bin"},
	{"umount", run_umount, COMMAND_BOTH, "/usr/bin"},
	{"findmnt", run_findmnt, COMMAND_DEBIAN, "/usr/bin"},
	{"lsblk", run_lsblk, COMMAND_DEBIAN, "/usr/bin"},
	{"blkid", run_blkid, COMMAND_BOTH, "/usr/sbin"},
	{"fdisk", run_fdisk, COMMAND_BOTH, "/usr/sbin"},
	{NULL},
};
const struct command_family command_family_system_disks = {"system_disks", commands};
