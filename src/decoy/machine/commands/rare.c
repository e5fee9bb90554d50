/* What a program of the image says that has no command of its own. See rare.h. */
#include "decoy/machine/commands/rare.h"

#include "decoy/machine/command.h"
#include "decoy/machine/commands/containers.h"
#include "decoy/machine/commands/packages.h"

enum manner { COREUTILS, UTIL_LINUX, PROCPS, PSMISC, E2FSPROGS, SYSTEMD, WRAPPER, PLAIN };

/* Names of a package with its manner, as one text; a wrapper's operands before the command: in the
 * digit behind the colon. */
static const struct {
	enum manner manner;
	const char *names;
} packages[] = {
	{COREUTILS,
	 " basenc chcon csplit dircolors fmt hostid numfmt pathchk pinky pr ptx runcon tsort "},
	{WRAPPER, " i386:0 linux32:0 linux64:0 x86_64:0 setarch:1 taskset:1 chrt:1 unshare:0 "
		  "nsenter:0 setpriv:0 flock:1 choom:0 prlimit:0 uclampset:0 runuser:0 "
		  "dbus-run-session:0 systemd-run:0 systemd-inhibit:0 capsh:0 "},
	{UTIL_LINUX,
	 " addpart agetty blkdiscard blkzone blockdev cfdisk chcpu chfn chmem col colcrt colrm "
	 "ctrlaltdel delpart fallocate fincore findfs fsck fsck.cramfs fsck.minix fsfreeze fstrim "
	 "getopt getty hardlink ipcmk ipcrm ipcs isosize ldattach logger login look losetup lsfd "
	 "lsipc lsirq lslocks lslogins lsmem lsns mcookie mesg mkfs mkfs.bfs mkfs.cramfs "
	 "mkfs.minix mkswap namei partx pivot_root readprofile rename.ul renice resizepart rtcwake "
	 "script scriptlive scriptreplay setterm sulogin swaplabel switch_root ul utmpdump wall "
	 "wdctl whereis wipefs zramctl "},
	{PROCPS, " pidwait pmap pwdx skill slabtop snice tload "},
	{PSMISC, " fuser peekfd prtstat pslog pstree pstree.x11 "},
	{E2FSPROGS, " badblocks debugfs dumpe2fs e2freefrag e2fsck e2image e2label e2mmpstatus "
		    "e2undo e4crypt e4defrag filefrag fsck.ext2 fsck.ext3 fsck.ext4 logsave mke2fs "
		    "mkfs.ext2 mkfs.ext3 mkfs.ext4 mklost+found resize2fs tune2fs "},
	{SYSTEMD,
	 " busctl localectl loginctl networkctl systemd systemd-analyze systemd-ask-password "
	 "systemd-cgls systemd-cgtop systemd-creds systemd-cryptenroll systemd-delta "
	 "systemd-detect-virt systemd-escape systemd-firstboot systemd-hwdb systemd-id128 "
	 "systemd-machine-id-setup systemd-mount systemd-notify systemd-path systemd-repart "
	 "systemd-socket-activate systemd-stdio-bridge systemd-sysext systemd-sysusers "
	 "systemd-tmpfiles systemd-umount udevadm "},
};

static enum manner manner_of(const char *name, int *operands)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_COUNT(packages); i++)
		for (const char *at = packages[i].names; (at = strstr(at + 1, name));)
			if (at[-1] == ' ' && (at[length] == ' ' || at[length] == ':')) {
				*operands = at[length] == ':' ? at[length + 1] - '0' : 0;
				return packages[i].manner;
			}
	return PLAIN;
}

static void put_version(struct process *p, const char *name, enum manner manner)
{
	static const char *const words[] = {
		[COREUTILS] = " (GNU coreutils) 9.1",  [UTIL_LINUX] = " from util-linux 2.38.1",
		[WRAPPER] = " from util-linux 2.38.1", [PROCPS] = " from procps-ng 4.0.2",
		[PSMISC] = " (PSmisc) 23.6",
	};
	const char *version;

	switch (manner) {
	case SYSTEMD:
		version = packages_version(p, "systemd", "252.39-1~deb12u1");
		process_print(p, "systemd 252 (%s)\n", version);
		return;
	case E2FSPROGS:
		process_error(p, "%s 1.47.0 (5-Feb-2023)\n", name);
		return;
	case PLAIN:
		version = packages_version(p, name, "1.0");
		if (strchr(version, ':'))
			version = strchr(version, ':') + 1;
		process_print(p, "%s %.*s\n", name, (int)strcspn(version, "-+~"), version);
		return;
	default:
		process_print(p, "%s%s\n", name, words[manner]);
	}
}

static int refuse(struct process *p, const char *name, enum manner manner, const char *option)
{
	bool word = option[1] == '-';

	if (word)
		process_error(p, "%s: unrecognized option '%s'\n", name, option);
	else
		process_error(p, "%s: invalid option -- '%c'\n", name, option[1]);
	if (manner == PROCPS || manner == PSMISC || manner == PLAIN)
		process_error(p, "Usage: %s [options]\n", name);
	else if (manner == E2FSPROGS)
		process_error(p, "Usage: %s [-options] device\n", name);
	else if (manner != SYSTEMD)
		process_error(p, "Try '%s --help' for more information.\n", name);
	return manner == E2FSPROGS ? 16 : 1;
}

static int want(struct process *p, const char *name, enum manner manner)
{
	switch (manner) {
	case COREUTILS:
		process_error(p, "%s: missing operand\nTry '%s --help' for more information.\n",
			      name, name);
		return 1;
	case UTIL_LINUX:
	case WRAPPER:
		process_error(p, "%s: bad usage\nTry '%s --help' for more information.\n", name,
			      name);
		return 1;
	case E2FSPROGS:
		process_error(p, "%s 1.47.0 (5-Feb-2023)\nUsage: %s [-options] device\n", name,
			      name);
		return 1;
	case SYSTEMD:
		return 0;
	default:
		process_error(p, "Usage: %s [options] file...\n", name);
		return 1;
	}
}

/* Runs what stands behind its own options and operands: `taskset 1 ./x`, `setarch -R ./x`. */
static int wrapped(struct process *p, int argc, char **argv, const char *name, int operands)
{
	int at = 1;

	while (at < argc && argv[at][0] == '-') {
		bool takes = argv[at][1] != '-' && strlen(argv[at]) == 2 &&
			     strchr("ptuncCSGrwo", argv[at][1]) && strcmp(name, "unshare") != 0;

		if (strcmp(argv[at++], "--") == 0)
			break;
		if (takes && at + 1 < argc && strcmp(name, "flock") != 0)
			at++;
	}
	at += operands;
	if (at >= argc && argc > 1 && strncmp(argv[1], "--", 2) == 0)
		return refuse(p, name, WRAPPER, argv[1]);
	if (at >= argc)
		return argc < 2 ? want(p, name, WRAPPER) : 0;
	return command_run_program(p, argv + at, NULL);
}

/* Programs that only some images have: in no family, so that a host without an image lacks them. */
static const struct {
	const char *name;
	process_main *run;
} chosen[] = {{"docker", containers_docker}, {"kubectl", containers_kubectl}};

int rare_program(struct process *p, int argc, char **argv)
{
	const char *name = p->name;
	int operands = 0;
	enum manner manner = manner_of(name, &operands);

	for (size_t i = 0; i < ARRAY_COUNT(chosen); i++)
		if (strcmp(chosen[i].name, name) == 0)
			return chosen[i].run(p, argc, argv);
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		put_version(p, name, manner);
		return 0;
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		process_print(p,
			      manner == COREUTILS ? "Usage: %s [OPTION]... [FILE]...\n"
						  : "\nUsage:\n %s [options]\n\n",
			      name);
		return 0;
	}
	if (manner == WRAPPER)
		return wrapped(p, argc, argv, name, operands);
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] == '-' && argv[1][2])
		return refuse(p, name, manner, argv[1]);
	if (argc < 2)
		return want(p, name, manner);
	/* Real operands: what most of these do with them is not seen. */
	return 0;
}
