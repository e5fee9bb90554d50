/* BusyBox's applets: which there are, how they say that they were called wrongly, and the program
 * that is all of them. */
#include "decoy/machine/command.h"

#define BUSYBOX_VERSION "BusyBox v1.35.0 (Debian 1:1.35.0-4+b4) multi-call binary.\n"

/* In the order of `busybox --list`: the path that --install would make, and how it is called. */
static const struct applet {
	const char *path, *usage;
} applets[] = {
	{"usr/bin/[", ""},
	{"usr/bin/[[", ""},
	{"sbin/acpid", "[-df] [-c CONFDIR] [-l LOGFILE] [-a ACTIONFILE] [-M MAPFILE] [-e "
		       "PROC_EVENT_FILE] [-p PIDFILE]"},
	{"sbin/adjtimex", "[-q] [-o OFS] [-f FREQ] [-p TCONST] [-t TICK]"},
	{"usr/bin/ar", "x|p|t [-ov] ARCHIVE [FILE]..."},
	{"bin/arch", ""},
	{"sbin/arp", "=arp\n[-vn]\t[-H HWTYPE] [-i IF] -a [HOSTNAME]\n[-v]\t\t    [-i IF] -d "
		     "HOSTNAME [pub]\n[-v]\t[-H HWTYPE] [-i IF] -s HOSTNAME HWADDR "
		     "[temp]\n[-v]\t[-H HWTYPE] [-i IF] -s HOSTNAME HWADDR [netmask MASK] "
		     "pub\n[-v]\t[-H HWTYPE] [-i IF] -Ds HOSTNAME IFACE [netmask MASK] pub"},
	{"usr/sbin/arping", "[-fqbDUA] [-c CNT] [-w TIMEOUT] [-I IFACE] [-s SRC_IP] DST_IP"},
	{"usr/bin/ascii", ""},
	{"bin/ash",
	 "[-il] [-|+Cabefmnuvx] [-|+o OPT]... [-c 'SCRIPT' [ARG0 ARGS] | FILE ARGS | -s ARGS]"},
	{"usr/bin/awk", "[OPTIONS] [AWK_PROGRAM] [FILE]..."},
	{"bin/base64", "[-d] [-w COL] [FILE]"},
	{"usr/bin/basename", "FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE..."},
	{"usr/bin/bc", "[-sqlw] [FILE]..."},
	{"usr/bin/blkdiscard", "[-o OFS] [-l LEN] [-s] DEVICE"},
	{"sbin/blkid", "[BLOCKDEV]..."},
	{"sbin/blockdev", "OPTION BLOCKDEV"},
	{"usr/sbin/brctl", "COMMAND [BRIDGE [ARGS]]"},
	{"usr/bin/bunzip2", "[-cfk] [FILE]..."},
	{"usr/bin/bzcat", "[FILE]..."},
	{"usr/bin/bzip2", "[-cfkdt123456789] [FILE]..."},
	{"usr/bin/cal", "[-jmy] [[MONTH] YEAR]"},
	{"bin/cat", "[-nbvteA] [FILE]..."},
	{"bin/chgrp", "[-RhLHPcvf]... GROUP FILE..."},
	{"bin/chmod", "[-Rcvf] MODE[,MODE]... FILE..."},
	{"bin/chown", "[-RhLHPcvf]... USER[:[GRP]] FILE..."},
	{"usr/sbin/chroot", "NEWROOT [PROG ARGS]"},
	{"usr/bin/chvt", "N"},
	{"usr/bin/clear", ""},
	{"usr/bin/cmp", "[-ls] [-n NUM] FILE1 [FILE2 [SKIP1 [SKIP2]]]"},
	{"bin/cp", "[-arPLHpfinlsTu] SOURCE DEST\nor: cp [-arPLHpfinlsu] SOURCE... { -t DIRECTORY "
		   "| DIRECTORY }"},
	{"bin/cpio", "[-dmvu] [-F FILE] [-R USER[:GRP]] [-H newc] [-tio] [EXTR_FILE]..."},
	{"usr/bin/crc32", "FILE..."},
	{"bin/cttyhack", "[PROG ARGS]"},
	{"usr/bin/cut", "[OPTIONS] [FILE]..."},
	{"bin/date", "[OPTIONS] [+FMT] [[-s] TIME]"},
	{"usr/bin/dc", "[-x] [-eSCRIPT]... [-fFILE]... [FILE]..."},
	{"bin/dd", "[if=FILE] [of=FILE] [ibs=N obs=N/bs=N] [count=N] [skip=N] "
		   "[seek=N]\n\t[conv=notrunc|noerror|sync|fsync]\n\t[iflag=skip_bytes|count_bytes|"
		   "fullblock|direct] [oflag=seek_bytes|append|direct]"},
	{"usr/bin/deallocvt", "[N]"},
	{"sbin/depmod", "[-n] [-b BASE] [VERSION] [MODFILES]..."},
	{"sbin/devmem", "ADDRESS [WIDTH [VALUE]]"},
	{"bin/df", "[-PkmhTai] [-B SIZE] [-t TYPE] [FILESYSTEM]..."},
	{"usr/bin/diff", "[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2"},
	{"usr/bin/dirname", "FILENAME"},
	{"bin/dmesg", "[-cr] [-n LEVEL] [-s SIZE]"},
	{"bin/dnsdomainname", ""},
	{"usr/bin/dos2unix", "[-ud] [FILE]"},
	{"usr/bin/du", "[-aHLdclsxhmk] [FILE]..."},
	{"bin/dumpkmap", "> keymap"},
	{"usr/bin/dumpleases", "[-r|-a] [-d] [-f LEASEFILE]"},
	{"bin/echo", "[-neE] [ARG]..."},
	{"bin/egrep", ""},
	{"usr/bin/env", "[-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]"},
	{"usr/bin/expand", "[-i] [-t N] [FILE]..."},
	{"usr/bin/expr", "EXPRESSION"},
	{"usr/bin/factor", "[NUMBER]..."},
	{"usr/bin/fallocate", "[-o OFS] -l LEN FILE"},
	{"bin/false", ""},
	{"bin/fatattr", "[-+rhsvda] FILE..."},
	{"sbin/fdisk", "[-ul] [-C CYLINDERS] [-H HEADS] [-S SECTORS] [-b SSZ] DISK"},
	{"bin/fgrep", ""},
	{"usr/bin/find", "[-HL] [PATH]... [OPTIONS] [ACTIONS]"},
	{"sbin/findfs", "LABEL=label or UUID=uuid"},
	{"usr/bin/fold", "[-bs] [-w WIDTH] [FILE]..."},
	{"usr/bin/free", "[-bkmgh]"},
	{"sbin/freeramdisk", "DEVICE"},
	{"usr/sbin/fsfreeze", "--[un]freeze MOUNTPOINT"},
	{"sbin/fstrim", "[OPTIONS] MOUNTPOINT"},
	{"usr/bin/ftpget", "[OPTIONS] HOST [LOCAL_FILE] REMOTE_FILE"},
	{"usr/bin/ftpput", "[OPTIONS] HOST [REMOTE_FILE] LOCAL_FILE"},
	{"bin/getopt", "[OPTIONS] [--] OPTSTRING PARAMS"},
	{"sbin/getty", "[OPTIONS] BAUD_RATE[,BAUD_RATE]... TTY [TERMTYPE]"},
	{"bin/grep", "[-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... "
		     "} [FILE]..."},
	{"usr/bin/groups", "[USER]"},
	{"bin/gunzip", "[-cfkt] [FILE]..."},
	{"bin/gzip", "[-cfkdt] [FILE]..."},
	{"sbin/halt", "[-d DELAY] [-nfw]"},
	{"usr/bin/head", "[OPTIONS] [FILE]..."},
	{"usr/bin/hexdump", "[-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]..."},
	{"usr/bin/hostid", ""},
	{"bin/hostname", "[-sidf] [HOSTNAME | -F FILE]"},
	{"usr/sbin/httpd", "[-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h "
			   "HOME]\nor httpd -d/-e/-m STRING"},
	{"sbin/hwclock", "[-swul] [--systz] [-f DEV]"},
	{"usr/sbin/i2cdetect", "-l | -F I2CBUS | [-ya] [-q|-r] I2CBUS [FIRST LAST]"},
	{"usr/sbin/i2cdump", "[-fy] [-r FIRST-LAST] BUS ADDR [MODE]"},
	{"usr/sbin/i2cget", "[-fy] BUS CHIP-ADDRESS [DATA-ADDRESS [MODE]]"},
	{"usr/sbin/i2cset", "[-fy] [-m MASK] BUS CHIP-ADDRESS DATA-ADDRESS [VALUE] ... [MODE]"},
	{"usr/sbin/i2ctransfer", "[-fay] I2CBUS { rLENGTH[@ADDR] | wLENGTH[@ADDR] DATA...}..."},
	{"usr/bin/id", "[-ugGnr] [USER]"},
	{"sbin/ifconfig", "[-a] [IFACE] [ADDRESS]"},
	{"sbin/ifdown", "[-nvf] [-i FILE] -a | IFACE..."},
	{"sbin/ifup", "[-nvf] [-i FILE] -a | IFACE..."},
	{"sbin/init", ""},
	{"sbin/insmod", "FILE [SYMBOL=VALUE]..."},
	{"bin/ionice", "[-c 1-3] [-n 0-7] [-t] { -p PID | PROG ARGS }"},
	{"sbin/ip", "[OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]"},
	{"bin/ipcalc", "[-bnmphs] ADDRESS[/PREFIX] [NETMASK]"},
	{"sbin/ipneigh", "show|flush [to PREFIX] [dev DEV] [nud STATE]"},
	{"bin/kill", "[-l] [-SIG] PID..."},
	{"usr/bin/killall", "[-lq] [-SIG] PROCESS_NAME..."},
	{"sbin/klogd", "[-c N] [-n]"},
	{"usr/bin/last", ""},
	{"usr/bin/less", "[-EFIMmNSRh~] [FILE]..."},
	{"bin/link", "FILE LINK"},
	{"bin/linux32", ""},
	{"bin/linux64", ""},
	{"linuxrc", ""},
	{"bin/ln", "[-sfnbtv] [-S SUF] TARGET... LINK|DIR"},
	{"usr/sbin/loadfont", "< font"},
	{"sbin/loadkmap", "< keymap"},
	{"usr/bin/logger", "[-s] [-t TAG] [-p PRIO] [MESSAGE]"},
	{"bin/login", "[-p] [-h HOST] [[-f] USER]"},
	{"usr/bin/logname", ""},
	{"sbin/logread", "[-fF]"},
	{"sbin/losetup", "[-rP] [-o OFS] {-f|LOOPDEV} FILE: associate loop devices\n\tlosetup -c "
			 "LOOPDEV: reread file size\n\tlosetup -d LOOPDEV: disassociate\n\tlosetup "
			 "-a: show status\n\tlosetup -f: show next free loop device"},
	{"bin/ls", "[-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]..."},
	{"sbin/lsmod", ""},
	{"usr/bin/lsscsi", ""},
	{"usr/bin/lzcat", "[FILE]..."},
	{"usr/bin/lzma", "-d [-cfk] [FILE]..."},
	{"bin/lzop", "[-cfUvd123456789CF] [FILE]..."},
	{"usr/bin/md5sum", "[-c[sw]] [FILE]..."},
	{"sbin/mdev", "[-vS] { [-s] | [-df] }"},
	{"usr/bin/microcom", "[-d DELAY_MS] [-t TIMEOUT_MS ] [-s SPEED] [-X] TTY"},
	{"usr/sbin/mim", "[-f FILE] [SHELL_OPTIONS] [TARGET] ..."},
	{"bin/mkdir", "[-m MODE] [-p] DIRECTORY..."},
	{"sbin/mkdosfs", "[-v] [-n LABEL] BLOCKDEV [KBYTES]"},
	{"sbin/mke2fs", "[-Fn] [-b BLK_SIZE] [-i INODE_RATIO] [-I INODE_SIZE] [-m "
			"RESERVED_PERCENT] [-L LABEL] BLOCKDEV [KBYTES]"},
	{"usr/bin/mkfifo", "[-m MODE] NAME"},
	{"bin/mknod", "[-m MODE] NAME TYPE [MAJOR MINOR]"},
	{"usr/bin/mkpasswd", "[-P FD] [-m TYPE] [-S SALT] [PASSWORD] [SALT]"},
	{"sbin/mkswap", "[-L LBL] BLOCKDEV [KBYTES]"},
	{"bin/mktemp", "[-dt] [-p DIR] [TEMPLATE]"},
	{"sbin/modinfo", "[-adlpn0] [-F keyword] MODULE"},
	{"sbin/modprobe", "[-alrqvsDb] MODULE [SYMBOL=VALUE]..."},
	{"bin/more", "[FILE]..."},
	{"bin/mount", "[OPTIONS] [-o OPT] DEVICE NODE"},
	{"bin/mt", "[-f DEVICE] OPCODE VALUE"},
	{"bin/mv", "[-finT] SOURCE DEST\nor: mv [-fin] SOURCE... { -t DIRECTORY | DIRECTORY }"},
	{"sbin/nameif", "[-s] [-c FILE] [IFNAME HWADDR]..."},
	{"usr/bin/nc", "[-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]"},
	{"bin/netstat", "[-ral] [-tuwx] [-en]"},
	{"usr/bin/nl", "[OPTIONS] [FILE]..."},
	{"usr/sbin/nologin", ""},
	{"usr/bin/nproc", "[--all] [--ignore=N]"},
	{"usr/bin/nsenter", "[OPTIONS] [PROG ARGS]"},
	{"usr/bin/nslookup", "[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]"},
	{"bin/nuke", "DIR..."},
	{"usr/bin/od", "[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w "
		       "WIDTH] [FILE]..."},
	{"usr/bin/openvt", "[-c N] [-sw] [PROG ARGS]"},
	{"usr/sbin/partprobe", "DEVICE..."},
	{"usr/bin/paste", "[-d LIST] [-s] [FILE]..."},
	{"usr/bin/patch", "[-RNE] [-p N] [-i DIFF] [ORIGFILE [PATCHFILE]]"},
	{"bin/pidof", "[NAME]..."},
	{"bin/ping", "[OPTIONS] HOST"},
	{"bin/ping6", "[OPTIONS] HOST"},
	{"sbin/pivot_root", "NEW_ROOT PUT_OLD"},
	{"sbin/poweroff", "[-d DELAY] [-nf]"},
	{"usr/bin/printf", "FORMAT [ARG]..."},
	{"bin/ps", "[-o COL1,COL2=HEADER] [-T]"},
	{"bin/pwd", ""},
	{"usr/sbin/rdate", "[-s/-p] HOST"},
	{"bin/readlink", "[-fnv] FILE"},
	{"usr/bin/realpath", "FILE..."},
	{"sbin/reboot", "[-d DELAY] [-nf]"},
	{"usr/bin/renice", "[-n] PRIORITY [[-p|g|u] ID...]..."},
	{"usr/bin/reset", ""},
	{"bin/resume", "BLOCKDEV [OFFSET]"},
	{"bin/rev", "[FILE]..."},
	{"bin/rm", "[-irf] FILE..."},
	{"bin/rmdir", "[-p] DIRECTORY..."},
	{"sbin/rmmod", "[-wfa] [MODULE]..."},
	{"sbin/route", "[-ne] [-A inet[6]] [{add|del} [-net|-host] TARGET [netmask MASK]\n\t[gw "
		       "GATEWAY] [metric N] [mss BYTES] [window BYTES] [reject] [IFACE]]"},
	{"bin/rpm", "-i PACKAGE.rpm; rpm -qp[ildc] PACKAGE.rpm"},
	{"usr/bin/rpm2cpio", "PACKAGE.rpm"},
	{"sbin/run-init", "[-d CAP,CAP...] [-n] [-c CONSOLE_DEV] NEW_ROOT NEW_INIT [ARGS]"},
	{"bin/run-parts",
	 "[-a ARG]... [-u UMASK] [--reverse] [--test] [--exit-on-error] DIRECTORY"},
	{"bin/sed", "[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] "
		    "CMD [FILE]..."},
	{"usr/bin/seq", "[-w] [-s SEP] [FIRST [INC]] LAST"},
	{"usr/bin/setkeycodes", "{ SCANCODE KEYCODE }..."},
	{"bin/setpriv", "[OPTIONS] PROG ARGS"},
	{"usr/bin/setsid", "[-c] PROG ARGS"},
	{"bin/sh",
	 "[-il] [-|+Cabefmnuvx] [-|+o OPT]... [-c 'SCRIPT' [ARG0 ARGS] | FILE ARGS | -s ARGS]"},
	{"usr/bin/sha1sum", "[-c[sw]] [FILE]..."},
	{"usr/bin/sha256sum", "[-c[sw]] [FILE]..."},
	{"usr/bin/sha3sum", "[-c[sw]] [-a BITS] [FILE]..."},
	{"usr/bin/sha512sum", "[-c[sw]] [FILE]..."},
	{"usr/bin/shred", "[-fuz] [-n N] [-s SIZE] FILE..."},
	{"usr/bin/shuf", "[-n NUM] [-o FILE] [-z] [FILE | -e [ARG...] | -i L-H]"},
	{"bin/sleep", "[N]..."},
	{"usr/bin/sort", "[-nrugMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t "
			 "CHAR] [FILE]..."},
	{"usr/bin/ssl_client", "[-e] -s FD [-r FD] [-n SNI]"},
	{"sbin/start-stop-daemon", "[OPTIONS] [-S|-K] ... [-- ARGS...]"},
	{"bin/stat", "[-ltf] [-c FMT] FILE..."},
	{"usr/bin/strings", "[-fo] [-t o|d|x] [-n LEN] [FILE]..."},
	{"bin/stty", "[-a|g] [-F DEVICE] [SETTING]..."},
	{"usr/bin/svc", "[-udopchaitkx] SERVICE_DIR..."},
	{"usr/bin/svok", "SERVICE_DIR"},
	{"sbin/swapoff", "[-a] [DEVICE]"},
	{"sbin/swapon", "[-a] [-e] [-d[POL]] [DEVICE]"},
	{"sbin/switch_root", "[-c CONSOLE_DEV] NEW_ROOT NEW_INIT [ARGS]"},
	{"bin/sync", "[-df] [FILE]..."},
	{"sbin/sysctl", "[-enq] { -a | -p [FILE]... | [-w] [KEY[=VALUE]]... }"},
	{"sbin/syslogd", "[OPTIONS]"},
	{"usr/bin/tac", "[FILE]..."},
	{"usr/bin/tail", "[OPTIONS] [FILE]..."},
	{"bin/tar", "c|x|t [-ZzJjahmvokO] [-f TARFILE] [-C DIR] [FILE]..."},
	{"usr/bin/taskset", "[-ap] [HEXMASK | -c LIST] { PID | PROG ARGS }"},
	{"usr/bin/tee", "[-ai] [FILE]..."},
	{"usr/bin/telnet", "[-a] [-l USER] HOST [PORT]"},
	{"usr/bin/test", ""},
	{"usr/bin/tftp", "[OPTIONS] HOST [PORT]"},
	{"usr/bin/time", "[-vpa] [-o FILE] PROG ARGS"},
	{"usr/bin/timeout", "[-s SIG] [-k KILL_SECS] SECS PROG ARGS"},
	{"usr/bin/top", "[-bH] [-n COUNT] [-d SECONDS]"},
	{"bin/touch", "[-cham] [-d DATE] [-t DATE] [-r FILE] FILE..."},
	{"usr/bin/tr", "[-cds] STRING1 [STRING2]"},
	{"usr/bin/traceroute",
	 "[-46Flnrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT]\n\t[-t TOS] [-w WAIT_SEC] [-s "
	 "SRC_IP] [-i IFACE]\n\t[-z PAUSE_MSEC] HOST [BYTES]"},
	{"usr/bin/traceroute6",
	 "[-nrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT]\n\t[-t TOS] [-w WAIT_SEC] [-s "
	 "SRC_IP] [-i IFACE]\n\t[-z PAUSE_MSEC] HOST [BYTES]"},
	{"bin/true", ""},
	{"usr/bin/truncate", "[-c] -s SIZE FILE..."},
	{"usr/bin/ts", "[-is] [STRFTIME]"},
	{"usr/bin/tty", "[-s]"},
	{"usr/sbin/ubirename", "UBI_DEVICE OLD_VOLNAME NEW_VOLNAME [OLD2 NEW2]..."},
	{"sbin/udhcpc",
	 "[-fbqRB] [-a[MSEC]] [-t N] [-T SEC] [-A SEC|-n]\n\t[-i IFACE] [-s PROG] [-p "
	 "PIDFILE]\n\t[-oC] [-r IP] [-V VENDOR] [-F NAME] [-x OPT:VAL]... [-O OPT]..."},
	{"usr/sbin/udhcpd", "[-fS] [-I ADDR] [-a MSEC] [CONFFILE]"},
	{"sbin/uevent", "[PROG ARGS]"},
	{"bin/umount", "[-rlfda] [-t FSTYPE] FILESYSTEM|DIRECTORY"},
	{"bin/uname", "[-amnrspvio]"},
	{"bin/uncompress", "[-cf] [FILE]..."},
	{"usr/bin/unexpand", "[-fa][-t N] [FILE]..."},
	{"usr/bin/uniq", "[-cduiz] [-f,s,w N] [FILE [OUTFILE]]"},
	{"usr/bin/unix2dos", "[-ud] [FILE]"},
	{"usr/bin/unlink", "FILE"},
	{"usr/bin/unlzma", "[-cfk] [FILE]..."},
	{"usr/bin/unshare", "[OPTIONS] [PROG ARGS]"},
	{"usr/bin/unxz", "[-cfk] [FILE]..."},
	{"usr/bin/unzip", "[-lnojpq] FILE[.zip] [FILE]... [-x FILE]... [-d DIR]"},
	{"usr/bin/uptime", ""},
	{"bin/usleep", "N"},
	{"usr/bin/uudecode", "[-o OUTFILE] [INFILE]"},
	{"usr/bin/uuencode", "[-m] [FILE] STORED_FILENAME"},
	{"sbin/vconfig", "COMMAND [OPTIONS]"},
	{"bin/vi", "[-c CMD] [-R] [-H] [FILE]..."},
	{"usr/bin/w", ""},
	{"bin/watch", "[-n SEC] [-t] PROG ARGS"},
	{"sbin/watchdog", "[-t N[ms]] [-T N[ms]] [-F] DEV"},
	{"usr/bin/wc", "[-cmlwL] [FILE]..."},
	{"usr/bin/wget",
	 "[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | "
	 "--post-file FILE] [-Y on/off]\n\t[--no-check-certificate] [-P DIR] [-U AGENT] URL..."},
	{"usr/bin/which", "[-a] COMMAND..."},
	{"usr/bin/who", "[-aH]"},
	{"usr/bin/whoami", ""},
	{"usr/bin/xargs", "[OPTIONS] [PROG ARGS]"},
	{"usr/bin/xxd", "[-pri] [-g N] [-c N] [-n LEN] [-s OFS] [-o OFS] [FILE]"},
	{"usr/bin/xz", "-d [-cfk] [FILE]..."},
	{"usr/bin/xzcat", "[FILE]..."},
	{"usr/bin/yes", "[STRING]"},
	{"bin/zcat", "[FILE]..."},
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const struct applet *applet_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(applets); i++) {
		if (strcmp(last_part(applets[i].path), name) == 0)
			return &applets[i];
	}
	return NULL;
}

void command_busybox_usage(struct process *process, const char *name)
{
	const struct applet *applet = applet_of(last_part(name));
	const char *usage = applet ? applet->usage : "";

	name = last_part(name);
	if (*usage == '=') /* names another one */
		process_error(process, BUSYBOX_VERSION "\nUsage: %s\n", usage + 1);
	else
		process_error(process, BUSYBOX_VERSION "\nUsage: %s%s%s\n", name, *usage ? " " : "",
			      usage);
}

static void show_all(struct process *process)
{
	size_t column = 8;

	process_put_text(process, BUSYBOX_VERSION
			 "BusyBox is copyrighted by many authors between 1998-2015.\n"
			 "Licensed under GPLv2. See source distribution for detailed\n"
			 "copyright notices.\n\n"
			 "Usage: busybox [function [arguments]...]\n"
			 "   or: busybox --list[-full]\n"
			 "   or: busybox --show SCRIPT\n"
			 "   or: busybox --install [-s] [DIR]\n"
			 "   or: function [arguments]...\n\n"
			 "\tMany common Unix utilities in one executable, which acts as\n"
			 "\twhatever it was invoked as.\n\n"
			 "Currently defined functions:\n\t");
	for (size_t i = 0; i < ARRAY_COUNT(applets); i++) {
		const char *name = last_part(applets[i].path);
		bool last = i + 1 == ARRAY_COUNT(applets);

		if (i > 0 && column + strlen(name) + 2 > 79) {
			process_put_text(process, "\n\t");
			column = 8;
		} else if (i > 0) {
			process_put_byte(process, ' ');
			column++;
		}
		process_print(process, last ? "%s" : "%s,", name);
		column += strlen(name) + 1;
	}
	process_put_byte(process, '\n');
}

static int run_applet(struct process *process, const char *name, int argc, char **argv)
{
	const struct command *command =
		applet_of(name) ? command_find(name, COMMAND_BUSYBOX) : NULL;

	process->busybox = true;
	if (!command) {
		process_error(process, "%s: applet not found\n", name);
		return 127;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		command_busybox_usage(process, name);
		return 0;
	}
	process->argv = argv;
	process->argc = argc;
	return command->run(process, argc, argv);
}

static int busybox_main(struct process *process, int argc, char **argv)
{
	/* A log-in shell's name begins with a dash. */
	const char *name = last_part(argv[0] + (argv[0][0] == '-'));

	if (strncmp(name, "busybox", 7) != 0)
		return run_applet(process, name, argc, argv);
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "--help") == 0)) {
		show_all(process);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0) {
		if (!applet_of(argv[2])) {
			process_error(process, "%s: applet not found\n", argv[2]);
			return 127;
		}
		command_busybox_usage(process, argv[2]);
		return 0;
	}
	if (strcmp(argv[1], "--list") == 0 || strcmp(argv[1], "--list-full") == 0) {
		for (size_t i = 0; i < ARRAY_COUNT(applets); i++)
			process_print(process, "%s\n",
				      argv[1][6] ? applets[i].path : last_part(applets[i].path));
		return 0;
	}
	if (strcmp(argv[1], "--install") == 0)
		return 0;
	return run_applet(process, last_part(argv[1]), argc - 1, argv + 1);
}

static const struct command commands[] = {
	{"busybox", busybox_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_busybox = {"text_busybox", commands};
