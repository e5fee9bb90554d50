/* What the host is: uname, arch, hostname, nproc, free, uptime, lsmod, sysctl, dmesg ... */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/hardware.h"

/* --- uname --- */

static const char uname_usage[] =
	" [OPTION]...\n"
	"Print certain system information.  With no OPTION, same as -s.\n\n"
	"  -a, --all                print all information, in the following order,\n"
	"                             except omit -p and -i if unknown:\n"
	"  -s, --kernel-name        print the kernel name\n"
	"  -n, --nodename           print the network node hostname\n"
	"  -r, --kernel-release     print the kernel release\n"
	"  -v, --kernel-version     print the kernel version\n"
	"  -m, --machine            print the machine hardware name\n"
	"  -p, --processor          print the processor type (non-portable)\n"
	"  -i, --hardware-platform  print the hardware platform (non-portable)\n"
	"  -o, --operating-system   print the operating system\n"
	"      --help        display this help and exit\n"
	"      --version     output version information and exit\n\n"
	"GNU coreutils online help: <https://www.gnu.org/software/coreutils/>\n"
	"Report any translation bugs to <https://translationproject.org/team/>\n"
	"Full documentation <https://www.gnu.org/software/coreutils/uname>\n"
	"or available locally via: info '(coreutils) uname invocation'\n";

enum {
	SYSTEM = 1,
	NODE = 2,
	RELEASE = 4,
	VERSION = 8,
	MACHINE = 16,
	PROCESSOR = 32,
	PLATFORM = 64,
	OPERATING = 128,
	ALL = 256
};

static void uname_print(struct process *p, unsigned what)
{
	const struct host_names *names = host_names(process_host(p));
	const struct {
		unsigned bit;
		const char *text;
	} parts[] = {
		{SYSTEM, names->system},   {NODE, names->node},       {RELEASE, names->release},
		{VERSION, names->version}, {MACHINE, names->machine}, {PROCESSOR, "unknown"},
		{PLATFORM, "unknown"},     {OPERATING, "GNU/Linux"},
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		/* -a leaves out what is not known. */
		if (!(what & parts[i].bit) || (what & ALL && parts[i].bit & (PROCESSOR | PLATFORM)))
			continue;
		process_print(p, "%s%s", first ? "" : " ", parts[i].text);
		first = false;
	}
	process_put_text(p, "\n");
}

static int run_uname(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"kernel-name", 's'},
						   {"sysname", 's'},
						   {"nodename", 'n'},
						   {"kernel-release", 'r'},
						   {"release", 'r'},
						   {"kernel-version", 'v'},
						   {"machine", 'm'},
						   {"processor", 'p'},
						   {"hardware-platform", 'i'},
						   {"operating-system", 'o'},
						   TEXT_WORDS};
	static const char letters[] = "snrvmpio";
	struct option_state state = {0};
	unsigned what = 0;
	int option;

	while ((option = option_next(p, &state, argc, argv, "asnrvmpio", words)) != -1) {
		const char *at = option < 256 ? strchr(letters, option) : NULL;

		if (option == 'a')
			what |= ALL | 255;
		else if (at && *at)
			what |= 1u << (at - letters);
		else
			text_other_option(p, option, COREUTILS, uname_usage, 1);
	}
	if (state.index < argc) {
		if (p->busybox)
			command_busybox_usage(p, "uname");
		else
			process_complain(
				p, "extra operand '%s'\nTry '%s --help' for more information.",
				argv[state.index], argv[0]);
		return 1;
	}
	uname_print(p, what ? what : SYSTEM);
	return 0;
}

static int run_arch(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int option;

	while ((option = option_next(p, &state, argc, argv, "", words)) != -1)
		text_other_option(p, option, COREUTILS,
				  " [OPTION]...\nPrint machine architecture.\n", 1);
	process_print(p, "%s\n", host_names(process_host(p))->machine);
	return 0;
}

/* --- hostname --- */

static const char hostname_usage[] =
	"Usage: hostname [-b] {hostname|-F file}         set host name (from file)\n"
	"       hostname [-a|-A|-d|-f|-i|-I|-s|-y]       display formatted name\n"
	"       hostname                                 display host name\n\n"
	"       {yp,nis,}domainname {nisdomain|-F file}  set NIS domain name (from file)\n"
	"       {yp,nis,}domainname                      display NIS domain name\n\n"
	"       dnsdomainname                            display dns domain name\n\n"
	"       hostname -V|--version|-h|--help          print info and exit\n\n"
	"Program name:\n"
	"       {yp,nis,}domainname=hostname -y\n"
	"       dnsdomainname=hostname -d\n\n"
	"Program options:\n"
	"    -a, --alias            alias names\n"
	"    -A, --all-fqdns        all long host names (FQDNs)\n"
	"    -b, --boot             set default hostname if none available\n"
	"    -d, --domain           DNS domain name\n"
	"    -f, --fqdn, --long     long host name (FQDN)\n"
	"    -F, --file             read host name or NIS domain name from given file\n"
	"    -i, --ip-address       addresses for the host name\n"
	"    -I, --all-ip-addresses all addresses for the host\n"
	"    -s, --short            short host name\n"
	"    -y, --yp, --nis        NIS/YP domain name\n\n"
	"Description:\n"
	"   This command can get or set the host name or the NIS domain name. You can\n"
	"   also get the DNS domain or the FQDN (fully qualified domain name).\n"
	"   Unless you are using bind or NIS for host lookups you can change the\n"
	"   FQDN (Fully Qualified Domain Name) and the DNS domain name (which is\n"
	"   part of the FQDN) in the /etc/hosts file.\n";

static int run_hostname(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"alias", 'a'},
						   {"all-fqdns", 'A'},
						   {"boot", 'b'},
						   {"domain", 'd'},
						   {"fqdn", 'f'},
						   {"long", 'f'},
						   {"file", 'F', OPTION_NEEDS},
						   {"ip-address", 'i'},
						   {"all-ip-addresses", 'I'},
						   {"short", 's'},
						   {"yp", 'y'},
						   {"nis", 'y'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	const struct host_names *names = host_names(process_host(p));
	const struct host_interface *interfaces;
	struct option_state state = {0};
	char text[ADDRESS_TEXT_MAX];
	int option, mode = 0;

	(void)host_interfaces(process_host(p), &interfaces);
	if (strcmp(p->name, "dnsdomainname") == 0)
		mode = 'd';
	while ((option = option_next(p, &state, argc, argv, ":aAbdfF:hiIsvVy", words)) != -1) {
		if (option == 'h')
			system_usage(p, hostname_usage, 0);
		if (option == 'V')
			system_version(p, "3.23");
		if (option == '?')
			system_usage(p, hostname_usage, 255);
		mode = option;
	}
	if (state.index < argc) {
		if (p->identity.effective_uid != 0) {
			process_complain(p, "you must be root to change the host name");
			return 1;
		}
		return 0;
	}
	switch (mode) {
	case 'f':
	case 'A':
		process_print(p, "%s.%s%s\n", names->node, names->domain, mode == 'A' ? " " : "");
		break;
	case 'd':
		process_print(p, "%s\n", names->domain);
		break;
	case 'i':
		process_put_text(p, "127.0.1.1\n");
		break;
	case 'I':
		address_text(&interfaces[1].address, text);
		process_print(p, "%s \n", text);
		break;
	case 'a':
		process_print(p, "%s\n", names->node);
		break;
	case 'y':
		process_complain(p, "Local domain name not set");
		return 1;
	default:
		process_print(p, "%s\n", names->node);
	}
	return 0;
}

static int run_hostnamectl(struct process *p, int argc, char **argv)
{
	const struct host *host = process_host(p);
	const struct host_platform *platform = host_platform(host);
	char boot[37], bare[33];
	size_t length = 0;

	if (argc > 1 && strcmp(argv[1], "status") != 0 && strcmp(argv[1], "hostname") != 0) {
		if (strncmp(argv[1], "set-", 4) == 0)
			return 0;
		process_error(p, "Unknown command verb %s.\n", argv[1]);
		return 1;
	}
	if (argc > 1 && strcmp(argv[1], "hostname") == 0) {
		process_print(p, "%s\n", host_names(host)->node);
		return 0;
	}
	host_boot_id(host, process_now(p), boot);
	for (const char *at = boot; *at; at++)
		if (*at != '-')
			bare[length++] = *at;
	bare[length] = 0;
	process_print(p,
		      " Static hostname: %s\n       Icon name: computer-vm\n         Chassis: vm\n"
		      "      Machine ID: %s\n         Boot ID: %s\n  Virtualization: %s\n"
		      "Operating System: Debian GNU/Linux 12 (bookworm)\n"
		      "          Kernel: Linux %s\n    Architecture: x86-64\n"
		      " Hardware Vendor: %s\n  Hardware Model: %s\nFirmware Version: %s\n",
		      host_names(host)->node, host_machine_id(host), bare,
		      strcmp(platform->name, "vmware") == 0   ? "vmware"
		      : strcmp(platform->name, "hyperv") == 0 ? "microsoft"
							      : "kvm",
		      host_names(host)->release, platform->vendor, platform->product,
		      platform->bios_version);
	return 0;
}

/* --- nproc --- */

static int run_nproc(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"all", 'a'}, {"ignore", 'i', OPTION_NEEDS}, TEXT_WORDS};
	struct option_state state = {0};
	int64_t ignore = 0;
	int option;
	unsigned count = host_processor(process_host(p))->count;

	while ((option = option_next(p, &state, argc, argv, "", words)) != -1) {
		if (option == 'i') {
			if (slice_number(slice_text(state.argument), 0, INT64_MAX, &ignore)) {
				process_complain(p, "invalid number to ignore: '%s'",
						 state.argument);
				return 1;
			}
		} else if (option != 'a') {
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]...\nPrint the number of processing units available "
				"to the current process,\nwhich may be less than the number "
				"of online processors\n",
				1);
		}
	}
	if (state.index < argc) {
		process_complain(p, "extra operand '%s'\nTry '%s --help' for more information.",
				 argv[state.index], argv[0]);
		return 1;
	}
	process_print(p, "%lld\n", ignore < (int64_t)count ? (long long)count - ignore : 1ll);
	return 0;
}

/* --- uptime --- */

static const char uptime_usage[] = "\nUsage:\n uptime [options]\n\nOptions:\n"
				   " -p, --pretty   show uptime in pretty format\n"
				   " -h, --help     display this help and exit\n"
				   " -s, --since    system up since\n"
				   " -V, --version  output version information and exit\n\n"
				   "For more details see uptime(1).\n";

static void print_pretty(struct process *p)
{
	int64_t now = process_now(p);
	int64_t minutes = (now - host_boot_time(process_host(p), now)) / MINUTE;
	const struct {
		const char *name;
		int64_t minutes;
	} parts[] = {{"year", 365 * 1440},
		     {"week", 7 * 1440},
		     {"day", 1440},
		     {"hour", 60},
		     {"minute", 1}};
	bool any = false;

	process_put_text(p, "up ");
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		int64_t count = minutes / parts[i].minutes;

		minutes %= parts[i].minutes;
		if (!count && (i < 4 || any))
			continue;
		process_print(p, "%s%lld %s%s", any ? ", " : "", (long long)count, parts[i].name,
			      count == 1 ? "" : "s");
		any = true;
	}
	process_put_text(p, "\n");
}

static int run_uptime(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"pretty", 'p'}, {"help", 'h'}, {"since", 's'}, {"version", 'V'}, {NULL}};
	struct option_state state = {0};
	struct text text = {0};
	int64_t now = process_now(p);
	struct civil_time c;
	int option;

	while ((option = option_next(p, &state, argc, argv, ":phsV", words)) != -1) {
		switch (option) {
		case 'p':
			print_pretty(p);
			return 0;
		case 's':
			c = system_civil(host_boot_time(process_host(p), now));
			process_print(p, "%04d-%02d-%02d %02d:%02d:%02d\n", c.year, c.month, c.day,
				      c.hour, c.minute, c.second);
			return 0;
		case 'V':
			system_version(p, PROCPS);
		case 'h':
			system_usage(p, uptime_usage, 0);
		default:
			system_usage(p, uptime_usage, 1);
		}
	}
	if (state.index < argc)
		system_usage(p, uptime_usage, 1);
	system_uptime_line(p, &text);
	process_print(p, "%s\n", text.data);
	return 0;
}

/* --- modules --- */

static int run_lsmod(struct process *p, int argc, char **argv)
{
	const struct host_module *modules;
	size_t count = host_modules(process_host(p), &modules);

	(void)argv;
	if (argc > 1) {
		process_error(p, "Usage: %s\n", p->name);
		return 1;
	}
	process_put_text(p, p->busybox ? "Module                  Size  Used by    Not tainted\n"
				       : "Module                  Size  Used by\n");
	for (size_t i = 0; i < count; i++)
		process_print(p, p->busybox ? "%-19s %8u  %u %s\n" : "%-19s %8u  %u %s\n",
			      modules[i].name, modules[i].size, modules[i].users,
			      modules[i].used_by);
	return 0;
}

static bool has_module(struct process *p, const char *name)
{
	const struct host_module *modules;
	size_t count = host_modules(process_host(p), &modules);

	for (size_t i = 0; i < count; i++)
		if (strcmp(modules[i].name, name) == 0)
			return true;
	return false;
}

static int run_modprobe(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	int option;
	bool removing = false, quiet = false;

	while ((option = option_next(p, &state, argc, argv, "arvnqfcD", NULL)) != -1) {
		removing |= option == 'r';
		quiet |= option == 'q';
		if (option == '?')
			return 1;
	}
	if (state.index >= argc) {
		process_complain(p, "ERROR: missing parameters. See -h.");
		return 1;
	}
	if (has_module(p, argv[state.index])) {
		if (!removing)
			return 0;
		process_complain(p, "FATAL: Module %s is in use.", argv[state.index]);
		return 1;
	}
	/* Those that Debian's kernel has and nobody loaded yet. */
	if (!removing &&
	    (strcmp(argv[state.index], "msr") == 0 || strcmp(argv[state.index], "loop") == 0 ||
	     strncmp(argv[state.index], "nf_", 3) == 0 ||
	     strcmp(argv[state.index], "br_netfilter") == 0 ||
	     strcmp(argv[state.index], "tun") == 0)) {
		if (p->identity.effective_uid == 0)
			return 0;
		process_complain(p, "ERROR: could not insert '%s': Operation not permitted",
				 argv[state.index]);
		return 1;
	}
	if (!quiet)
		process_complain(p, "FATAL: Module %s not found%s%s.", argv[state.index],
				 removing ? "" : " in directory /lib/modules/",
				 removing ? "" : host_names(process_host(p))->release);
	return quiet ? 0 : 1;
}

static int run_insmod(struct process *p, int argc, char **argv)
{
	struct file_status status;

	if (argc < 2) {
		process_complain(p, "ERROR: missing filename.");
		return 1;
	}
	if (process_stat(p, argv[1], true, &status) < 0)
		process_complain(p, "ERROR: could not load module %s: No such file or directory",
				 argv[1]);
	else if (p->identity.effective_uid != 0)
		process_complain(p, "ERROR: could not insert module %s: Operation not permitted",
				 argv[1]);
	else
		process_complain(p, "ERROR: could not insert module %s: Invalid module format",
				 argv[1]);
	return 1;
}

static int run_rmmod(struct process *p, int argc, char **argv)
{
	if (argc < 2) {
		process_complain(p, "ERROR: missing module name.");
		return 1;
	}
	if (has_module(p, argv[1]))
		process_complain(p, "ERROR: Module %s is in use", argv[1]);
	else
		process_complain(p, "ERROR: Module %s is not currently loaded", argv[1]);
	return 1;
}

static int run_modinfo(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	const char *release = host_names(process_host(p))->release, *field = NULL;
	char path[160], needs[256];
	int option, status = 0;

	while ((option = option_next(p, &state, argc, argv, "adlpn0k:b:F:Vh", NULL)) != -1) {
		if (option == 'F')
			field = state.argument;
		else if (option == 'n')
			field = "filename";
		else if (option == 'a' || option == 'd' || option == 'l' || option == 'p')
			field = option == 'l' ? "license" : option == 'd' ? "description" : "parm";
		else if (option == 'V') {
			process_put_text(p, "kmod version 30\n+ZSTD +XZ -ZLIB +LIBCRYPTO "
					    "-EXPERIMENTAL\n");
			return 0;
		} else if (option == '?')
			return 1;
	}
	if (state.index >= argc) {
		process_complain(p, "ERROR: missing module or filename.");
		return 1;
	}
	for (int i = state.index; i < argc; i++) {
		if (!has_module(p, argv[i])) {
			process_complain(p, "ERROR: Module %s not found.", argv[i]);
			status = 1;
			continue;
		}
		host_module_path(argv[i], path, sizeof(path));
		host_module_needs(process_host(p), argv[i], needs, sizeof(needs));
		const struct {
			const char *name, *value;
		} fields[] = {
			{"filename", process_format(p, "/lib/modules/%s/%s", release, path)},
			{"license", "GPL"},
			{"depends", needs},
			{"retpoline", "Y"},
			{"intree", "Y"},
			{"name", argv[i]},
			{"vermagic",
			 process_format(p, "%s SMP preempt mod_unload modversions ", release)},
		};
		for (size_t k = 0; k < ARRAY_COUNT(fields); k++) {
			if (!field)
				process_print(p, "%s:%*s%s\n", fields[k].name,
					      15 - (int)strlen(fields[k].name), "",
					      fields[k].value);
			else if (strcmp(field, fields[k].name) == 0)
				process_print(p, "%s\n", fields[k].value);
		}
	}
	return status;
}

/* --- sysctl --- */

struct sysctl {
	bool names_only, values_only, ignore, writes, quiet;
	int status;
};

static void sysctl_path(struct process *p, const char *name, struct text *path)
{
	text_add_words(p, path, "/proc/sys/");
	/* The first separator tells which of the two it is. */
	bool slashes = name[strcspn(name, "./")] == '/';

	for (; *name; name++) {
		char c = *name;

		if (!slashes)
			c = c == '.' ? '/' : c == '/' ? '.' : c;
		text_add_byte(p, path, (uint8_t)c);
	}
}

static void sysctl_show(struct process *p, struct sysctl *s, const char *name, const char *path)
{
	struct text text = {0};
	struct slice rest, line;
	int error = process_read_file(p, path, 65536, &text);

	if (error < 0) {
		if (error == -EACCES || error == -EPERM)
			process_complain(p, "permission denied on key '%s'", name);
		else if (!s->ignore)
			process_complain(p, "reading key \"%s\"", name);
		if (!s->ignore)
			s->status = 1;
		return;
	}
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		if (!s->values_only)
			process_print(p, "%s = ", name);
		process_put(p, line);
		process_put_byte(p, '\n');
	}
	if (!text.length && s->values_only)
		process_put_byte(p, '\n');
	process_give(p, text.data);
}

static void sysctl_walk(struct process *p, struct sysctl *s, const char *path, const char *name,
			unsigned depth)
{
	struct folder_entry *entries;
	ssize_t count = process_list(p, path, &entries);

	for (ssize_t i = 0; i < count && depth < 8; i++) {
		char *below, *called;

		process_step(p);
		if (entries[i].name[0] == '.')
			continue;
		below = process_format(p, "%s/%s", path, entries[i].name);
		called = process_format(p, "%s%s%s", name, *name ? "." : "", entries[i].name);
		if (S_ISDIR(entries[i].type))
			sysctl_walk(p, s, below, called, depth + 1);
		else if (s->names_only)
			process_print(p, "%s\n", called);
		else
			sysctl_show(p, s, called, below);
	}
}

static void sysctl_set(struct process *p, struct sysctl *s, const char *word)
{
	const char *equals = strchr(word, '=');
	char *name = process_copy_slice(p, slice_trim(slice_of(word, (size_t)(equals - word))));
	char *value = process_copy_slice(p, slice_trim(slice_text(equals + 1)));
	struct text path = {0};
	struct file_status status;
	int file;

	sysctl_path(p, name, &path);
	if (process_stat(p, path.data, true, &status) < 0) {
		process_complain(p, "cannot stat %s: No such file or directory", path.data);
		s->status = s->ignore ? 0 : 1;
		return;
	}
	file = process_open(p, path.data, 1, 0);
	if (file < 0) {
		process_complain(p, "permission denied on key \"%s\"%s", name, ", ignoring");
		s->status = 1;
		return;
	}
	(void)process_write(p, file, slice_text(value));
	process_close(p, file);
	if (!s->quiet)
		process_print(p, "%s = %s\n", name, value);
}

static void sysctl_load(struct process *p, struct sysctl *s, const char *path)
{
	struct text text = {0};
	struct slice rest, line;

	if (process_read_file(p, path, 65536, &text) < 0) {
		process_complain(p, "cannot open \"%s\": No such file or directory", path);
		s->status = 1;
		return;
	}
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		line = slice_trim(line);
		if (!line.length || line.at[0] == '#' || line.at[0] == ';')
			continue;
		if (slice_find_byte(line, '=') != SIZE_MAX)
			sysctl_set(p, s, process_copy_slice(p, line));
	}
}

static int run_sysctl(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"names", 'N'},
						   {"values", 'n'},
						   {"ignore", 'e'},
						   {"write", 'w'},
						   {"quiet", 'q'},
						   {"load", 'p', OPTION_MAY},
						   {"system", 'S'},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct sysctl s = {0};
	bool all = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, "aAbeNnwqp::fhVxX", words)) != -1) {
		switch (option) {
		case 'a':
		case 'A':
		case 'X':
			all = true;
			break;
		case 'N':
			s.names_only = true;
			break;
		case 'n':
		case 'b':
			s.values_only = true;
			break;
		case 'e':
			s.ignore = true;
			break;
		case 'w':
			s.writes = true;
			break;
		case 'q':
			s.quiet = true;
			break;
		case 'p':
		case 'f':
		case 'S':
			sysctl_load(p, &s,
				    state.argument       ? state.argument
				    : state.index < argc ? argv[state.index]
							 : "/etc/sysctl.conf");
			return s.status;
		case 'V':
			system_version(p, PROCPS);
		case '?':
			return 1;
		default:
			break;
		}
	}
	if (all) {
		sysctl_walk(p, &s, "/proc/sys", "", 0);
		return s.status;
	}
	if (state.index >= argc) {
		process_complain(p, "no variables specified\nTry `%s --help' for more information.",
				 argv[0]);
		return 1;
	}
	for (int i = state.index; i < argc; i++) {
		struct text path = {0};
		struct file_status status;

		if (strchr(argv[i], '=')) {
			sysctl_set(p, &s, argv[i]);
			continue;
		}
		sysctl_path(p, argv[i], &path);
		if (process_stat(p, path.data, true, &status) < 0) {
			if (!s.ignore) {
				process_complain(p, "cannot stat %s: No such file or directory",
						 path.data);
				s.status = 1;
			}
		} else if (S_ISDIR(status.mode)) {
			sysctl_walk(p, &s, path.data, argv[i], 0);
		} else if (s.names_only) {
			process_print(p, "%s\n", argv[i]);
		} else {
			sysctl_show(p, &s, argv[i], path.data);
		}
	}
	return s.status;
}

/* All of them are one program on Debian. */
static int run_kmod(struct process *p, int argc, char **argv)
{
	const char *called = system_called(p);

	if (strcmp(called, "lsmod") == 0)
		return run_lsmod(p, argc, argv);
	if (strcmp(called, "modprobe") == 0)
		return run_modprobe(p, argc, argv);
	if (strcmp(called, "modinfo") == 0)
		return run_modinfo(p, argc, argv);
	if (strcmp(called, "depmod") == 0 && argc > 1 && strncmp(argv[1], "--", 2) == 0) {
		process_error(p, "depmod: unrecognized option '%s'\n", argv[1]);
		return 1;
	}
	if (strcmp(called, "insmod") == 0)
		return run_insmod(p, argc, argv);
	if (strcmp(called, "rmmod") == 0)
		return run_rmmod(p, argc, argv);
	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return run_lsmod(p, 1, argv);
	if (strcmp(called, "kmod") == 0)
		process_error(p, "missing command\n%s: %s\n", "kmod", "unknown command");
	return called[0] == 'd' ? 0 : 1;
}

static const struct command commands[] = {
	{"kmod", run_kmod, COMMAND_DEBIAN, "/usr/bin"},
	{"uname", run_uname, COMMAND_BOTH, "/usr/bin"},
	{"arch", run_arch, COMMAND_BOTH, "/usr/bin"},
	{"hostname", run_hostname, COMMAND_BOTH, "/usr/bin",
	 (const char *const[]){"dnsdomainname", "domainname", "nisdomainname", "ypdomainname",
			       NULL}},
	{"hostnamectl", run_hostnamectl, COMMAND_DEBIAN, "/usr/bin"},
	{"nproc", run_nproc, COMMAND_BOTH, "/usr/bin"},
	{"uptime", run_uptime, COMMAND_BOTH, "/usr/bin"},
	{"lsmod", run_lsmod, COMMAND_BOTH, "/usr/sbin"},
	{"modprobe", run_modprobe, COMMAND_BOTH, "/usr/sbin"},
	{"insmod", run_insmod, COMMAND_BOTH, "/usr/sbin"},
	{"rmmod", run_rmmod, COMMAND_BOTH, "/usr/sbin"},
	{"modinfo", run_modinfo, COMMAND_DEBIAN, "/usr/sbin"},
	{"sysctl", run_sysctl, COMMAND_BOTH, "/usr/sbin"},
	{NULL},
};
const struct command_family command_family_system_kernel = {"system_kernel", commands};
