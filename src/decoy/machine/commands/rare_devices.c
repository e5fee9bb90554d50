/* losetup, blockdev: block devices, as util-linux shows them. */
#include <unistd.h>

#include "decoy/machine/commands/system.h"

static int run_losetup(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"detach", 'd', OPTION_NEEDS},
						   {"detach-all", 'D'},
						   {"find", 'f'},
						   {"list", 'l'},
						   {"associated", 'j', OPTION_NEEDS},
						   {"offset", 'o', OPTION_NEEDS},
						   {"partscan", 'P'},
						   {"read-only", 'r'},
						   {"show", TEXT_OWN},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct file_status status;
	bool find = false, show = false;
	const char *file;
	int option, error;

	while ((option = option_next(p, &state, argc, argv, "ac:d:Dfj:lno:PrvVJO:", words)) != -1) {
		if (option == '?')
			return 1;
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		find = find || option == 'f';
		show = show || option == TEXT_OWN;
		if (option == 'd') {
			process_error(p, "losetup: %s: detach failed: No such device or address\n",
				      state.argument);
			return 1;
		}
	}
	if (state.index >= argc) {
		if (find)
			process_put_text(p, "/dev/loop0\n");
		return 0;
	}
	if (!find && state.index + 1 >= argc) {
		process_error(p, "losetup: %s: failed to use device: No such device\n",
			      argv[state.index]);
		return 1;
	}
	file = argv[argc - 1];
	error = process_stat(p, file, true, &status);
	if (error < 0) {
		process_error(p, "losetup: %s: failed to set up loop device: %s\n", file,
			      strerror(-error));
		return 1;
	}
	if (show)
		process_put_text(p, "/dev/loop0\n");
	return 0;
}

/* Where a disk or partition begins, in sectors, and how many it has; false: it is none. */
static bool device_extent(struct process *p, const char *path, uint64_t *start, uint64_t *sectors)
{
	const struct host_disk *disk = host_disk(process_host(p));
	const char *name = slice_starts(slice_text(path), "/dev/") ? path + 5 : "";
	size_t length = strlen(disk->name);

	if (strncmp(name, disk->name, length) != 0)
		return false;
	name += length;
	name += *name == 'p';
	*start = *name == '1' ? disk->root_start : *name == '5' ? disk->swap_start : 0;
	*sectors = *name == '1'   ? disk->root_sectors
		   : *name == '5' ? disk->swap_sectors
		   : *name == '2' ? 2
				  : disk->kilobytes * 2;
	return true;
}

static int open_device(struct process *p, const char *path)
{
	int error = process_access(p, path, R_OK);

	if (error < 0)
		process_error(p, "blockdev: cannot open %s: %s\n", path, strerror(-error));
	return error < 0 ? -1 : 0;
}

static int report_devices(struct process *p, int count, char **paths)
{
	uint64_t start, sectors;
	int status = 0;

	process_put_text(p, "RO    RA   SSZ   BSZ        StartSec            Size   Device\n");
	for (int i = 0; i < count; i++) {
		if (open_device(p, paths[i]) < 0)
			continue;
		if (!device_extent(p, paths[i], &start, &sectors)) {
			process_error(p, "blockdev: ioctl error on %s\n", paths[i]);
			status = 1;
			continue;
		}
		process_print(p, "rw %5d %5d %5d %15llu %15llu   %s\n", 256, 512, 4096,
			      (unsigned long long)start, (unsigned long long)sectors * 512,
			      paths[i]);
	}
	return status;
}

static int run_blockdev(struct process *p, int argc, char **argv)
{
	static const struct {
		const char *name, *request;
		uint64_t unit, value; /* of a size; fixed */
	} questions[] = {
		{"--getsize64", "BLKGETSIZE64", 512, 0}, {"--getsz", "BLKGETSIZE64", 1, 0},
		{"--getsize", "BLKGETSIZE", 1, 0},       {"--getss", "BLKSSZGET", 0, 512},
		{"--getpbsz", "BLKPBSZGET", 0, 512},     {"--getbsz", "BLKBSZGET", 0, 4096},
		{"--getro", "BLKROGET", 0, 0},           {"--getra", "BLKRAGET", 0, 256},
	};
	uint64_t start, sectors;
	const char *device;

	if (argc < 2) {
		process_error(p, "blockdev: not enough arguments\n"
				 "Try 'blockdev --help' for more information.\n");
		return 1;
	}
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)
		system_version(p, UTIL_LINUX);
	if (strcmp(argv[1], "--report") == 0)
		return report_devices(p, argc - 2, argv + 2);
	if (argc < 3) {
		process_error(p, "blockdev: no device specified\n"
				 "Try 'blockdev --help' for more information.\n");
		return 1;
	}
	device = argv[argc - 1];
	if (open_device(p, device) < 0)
		return 1;
	for (int i = 1; i < argc - 1; i++) {
		size_t k = 0;

		while (k < ARRAY_COUNT(questions) && strcmp(questions[k].name, argv[i]) != 0)
			k++;
		if (k == ARRAY_COUNT(questions)) {
			process_error(p,
				      "blockdev: Unknown command: %s\n"
				      "Try 'blockdev --help' for more information.\n",
				      argv[i]);
			return 1;
		}
		if (!device_extent(p, device, &start, &sectors)) {
			process_error(p,
				      "blockdev: ioctl error on %s: Inappropriate ioctl for "
				      "device\n",
				      questions[k].request);
			return 1;
		}
		process_print(p, "%llu\n",
			      (unsigned long long)(questions[k].unit ? sectors * questions[k].unit
								     : questions[k].value));
	}
	return 0;
}

static const struct command commands[] = {
	{"losetup", run_losetup, COMMAND_DEBIAN, "/usr/sbin"},
	{"blockdev", run_blockdev, COMMAND_DEBIAN, "/usr/sbin"},
	{NULL},
};

const struct command_family command_family_rare_devices = {"rare devices", commands};
