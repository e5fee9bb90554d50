/* Memory and processors: free, vmstat, lscpu, getconf, swapon, swapoff. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

/* --- free --- */

static const char free_usage[] =
	"\nUsage:\n free [options]\n\nOptions:\n"
	" -b, --bytes         show output in bytes\n"
	"     --kilo          show output in kilobytes\n"
	"     --mega          show output in megabytes\n"
	"     --giga          show output in gigabytes\n"
	"     --tera          show output in terabytes\n"
	"     --peta          show output in petabytes\n"
	" -k, --kibi          show output in kibibytes\n"
	" -m, --mebi          show output in mebibytes\n"
	" -g, --gibi          show output in gibibytes\n"
	"     --tebi          show output in tebibytes\n"
	"     --pebi          show output in pebibytes\n"
	" -h, --human         show human-readable output\n"
	"     --si            use powers of 1000 not 1024\n"
	" -l, --lohi          show detailed low and high memory statistics\n"
	" -t, --total         show total for RAM + swap\n"
	" -v, --committed     show committed memory and commit limit\n"
	" -s N, --seconds N   repeat printing every N seconds\n"
	" -c N, --count N     repeat printing N times, then exit\n"
	" -w, --wide          wide output\n\n"
	"     --help     display this help and exit\n"
	" -V, --version  output version information and exit\n\n"
	"For more details see free(1).\n";

struct free_options {
	unsigned exponent; /* of 1024 or 1000; 1: kilo */
	bool si, human, lohi, total, committed, wide;
	double seconds;
	int64_t count;
};

static const char *scaled(struct process *p, const struct free_options *o, uint64_t kilobytes)
{
	static const char units[] = "BKMGTPE";
	double base = o->si ? 1000 : 1024, value = (double)kilobytes * 1024;
	char text[32];

	if (!o->human) {
		double divisor = 1;

		for (unsigned i = 0; i < o->exponent; i++)
			divisor *= base;
		return process_format(p, "%llu", (unsigned long long)(value / divisor));
	}
	for (size_t i = 0; i + 1 < sizeof(units); i++) {
		const char *suffix = i == 0 ? "B" : o->si ? "" : "i";

		/* As much as goes into five places: "1.4Gi", "791Mi". */
		if (i) {
			(void)snprintf(text, sizeof(text), "%.1f%c%s", value, units[i], suffix);
			if (strlen(text) <= (o->si ? 4 : 5))
				return process_copy_text(p, text);
		}
		if (i)
			(void)snprintf(text, sizeof(text), "%lld%c%s", (long long)value, units[i],
				       suffix);
		else
			(void)snprintf(text, sizeof(text), "%lldB", (long long)value);
		if (strlen(text) <= (i == 0 || o->si ? 4 : 5))
			return process_copy_text(p, text);
		value /= base;
	}
	return process_copy_text(p, text);
}

static void free_print(struct process *p, const struct free_options *o)
{
	struct host_memory m = host_memory(process_host(p), process_now(p));
	uint64_t cache = m.cached + (m.slab / 2 & ~3ull), used = m.total - m.available;
	uint64_t swap_used = m.swap_total - m.swap_free;

#define F(value) scaled(p, o, value)
	if (o->wide)
		process_put_text(p, "               total        used        free      shared     "
				    "buffers       cache   available\n");
	else
		process_put_text(p, "               total        used        free      shared  "
				    "buff/cache   available\n");
	process_print(p, "%-9s", "Mem:");
	process_print(p, "%11s %11s %11s %11s", F(m.total), F(used), F(m.free), F(m.shared));
	if (o->wide)
		process_print(p, " %11s %11s", F(m.buffers), F(cache));
	else
		process_print(p, " %11s", F(m.buffers + cache));
	process_print(p, " %11s\n", F(m.available));
	if (o->lohi) {
		process_print(p, "%-9s%11s %11s %11s\n", "Low:", F(m.total), F(m.total - m.free),
			      F(m.free));
		process_print(p, "%-9s%11s %11s %11s\n", "High:", F(0), F(0), F(0));
	}
	process_print(p, "%-9s%11s %11s %11s\n", "Swap:", F(m.swap_total), F(swap_used),
		      F(m.swap_free));
	if (o->total)
		process_print(p, "%-9s%11s %11s %11s\n", "Total:", F(m.total + m.swap_total),
			      F(used + swap_used), F(m.free + m.swap_free));
	if (o->committed) {
		uint64_t limit = m.total / 2 + m.swap_total, all = m.inactive * 2 + 210000;

		process_print(p, "%-9s%11s %11s %11s\n", "Comm:", F(limit), F(all),
			      F(limit > all ? limit - all : 0));
	}
#undef F
}

static void free_busybox(struct process *p, int argc, char **argv)
{
	struct host_memory m = host_memory(process_host(p), process_now(p));
	struct option_state state = {0};
	unsigned shift = 0;
	int option;

	while ((option = option_next(p, &state, argc, argv, "bkmgth", NULL)) != -1)
		shift = option == 'm' ? 10 : option == 'g' ? 20 : 0;
	process_put_text(p, "              total        used        free      shared  buff/cache   "
			    "available\n");
	process_print(p, "Mem:    %11llu %11llu %11llu %11llu %11llu %11llu\n",
		      (unsigned long long)m.total >> shift,
		      (unsigned long long)(m.total - m.free - m.buffers - m.cached -
					   (m.slab / 2 & ~3ull)) >>
			      shift,
		      (unsigned long long)m.free >> shift, (unsigned long long)m.shared >> shift,
		      (unsigned long long)(m.buffers + m.cached + (m.slab / 2 & ~3ull)) >> shift,
		      (unsigned long long)m.available >> shift);
	process_print(p, "Swap:   %11llu %11llu %11llu\n",
		      (unsigned long long)m.swap_total >> shift,
		      (unsigned long long)(m.swap_total - m.swap_free) >> shift,
		      (unsigned long long)m.swap_free >> shift);
}

static int run_free(struct process *p, int argc, char **argv)
{
	enum { KILO = 300, MEGA, GIGA, TERA, PETA, KIBI, MEBI, GIBI, TEBI, PEBI, SI, HELP };
	static const struct option_word words[] = {{"bytes", 'b'},
						   {"kilo", KILO},
						   {"mega", MEGA},
						   {"giga", GIGA},
						   {"tera", TERA},
						   {"peta", PETA},
						   {"kibi", 'k'},
						   {"mebi", 'm'},
						   {"gibi", 'g'},
						   {"tebi", TEBI},
						   {"pebi", PEBI},
						   {"human", 'h'},
						   {"si", SI},
						   {"lohi", 'l'},
						   {"total", 't'},
						   {"committed", 'v'},
						   {"seconds", 's', OPTION_NEEDS},
						   {"count", 'c', OPTION_NEEDS},
						   {"wide", 'w'},
						   {"help", HELP},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	struct free_options o = {.exponent = 1};
	bool repeat = false;
	int option, used = 0;

	if (p->busybox) {
		free_busybox(p, argc, argv);
		return 0;
	}
	while ((option = option_next(p, &state, argc, argv, ":bkmghlts:c:vwV", words)) != -1) {
		switch (option) {
		case 'b':
			o.exponent = 0;
			break;
		case 'k':
			o.exponent = 1;
			break;
		case 'm':
			o.exponent = 2;
			break;
		case 'g':
			o.exponent = 3;
			break;
		case TEBI:
			o.exponent = 4;
			break;
		case PEBI:
			o.exponent = 5;
			break;
		case KILO:
		case MEGA:
		case GIGA:
		case TERA:
		case PETA:
			o.exponent = 1 + (unsigned)(option - KILO);
			o.si = true;
			break;
		case 'h':
			o.human = true;
			break;
		case SI:
			o.si = true;
			break;
		case 'l':
			o.lohi = true;
			break;
		case 't':
			o.total = true;
			break;
		case 'v':
			o.committed = true;
			break;
		case 'w':
			o.wide = true;
			break;
		case 's':
			repeat = true;
			if (sscanf(state.argument, "%lf%n", &o.seconds, &used) != 1 ||
			    state.argument[used] || o.seconds < 0.000001 || o.seconds > 1e9) {
				process_complain(p, "seconds argument failed: '%s'",
						 state.argument);
				return 1;
			}
			break;
		case 'c':
			if (slice_number(slice_text(state.argument), 1, INT32_MAX, &o.count)) {
				process_complain(p, "failed to parse count argument: '%s'",
						 state.argument);
				return 1;
			}
			repeat = true;
			break;
		case HELP:
			system_usage(p, free_usage, 0);
		case 'V':
			system_version(p, PROCPS);
		default:
			system_usage(p, free_usage, 1);
		}
	}
	for (;;) {
		free_print(p, &o);
		if (!repeat || (o.count && --o.count == 0))
			return 0;
		process_put_byte(p, '\n');
		process_flush(p);
		process_sleep(p, o.seconds > 0 ? (int64_t)(o.seconds * 1e6) : SECOND);
	}
}

/* --- vmstat --- */

static void vmstat_line(struct process *p, bool first, bool active)
{
	const struct host *host = process_host(p);
	int64_t now = process_now(p);
	struct host_memory m = host_memory(host, now);
	unsigned idle = 97 - (unsigned)(host_wander(host, "vmstat", now, 3 * SECOND) * 9 *
					host_load(host, now, 1));
	unsigned busy = 100 - idle;

	if (idle > 100)
		idle = 90, busy = 10;
	process_print(
		p, "%2u  0 %6llu %6llu %6llu %6llu    0    0 %5u %5u %4u %4u %2u %2u %2u  0  0\n",
		1u, (unsigned long long)(m.swap_total - m.swap_free), (unsigned long long)m.free,
		(unsigned long long)(active ? m.inactive : m.buffers),
		(unsigned long long)(active ? m.active : m.cached + (m.slab / 2 & ~3ull)),
		first ? 3 : 0, first ? 17 : (unsigned)m.dirty / 4, 170 + (unsigned)m.dirty % 90,
		260 + (unsigned)m.dirty % 150, busy * 6 / 10, busy - busy * 6 / 10, idle);
}

static int run_vmstat(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	int64_t delay = 0, count = 1;
	bool active = false;
	int option;

	while ((option = option_next(p, &state, argc, argv, ":anwtfmsdDS:p:", NULL)) != -1) {
		active |= option == 'a';
		if (option == '?')
			return 1;
		if (option == 's') {
			struct host_memory m = host_memory(process_host(p), process_now(p));

			process_print(
				p,
				"%13llu K total memory\n%13llu K used memory\n%13llu K active "
				"memory\n%13llu K inactive memory\n%13llu K free memory\n%13llu K "
				"buffer memory\n%13llu K swap cache\n%13llu K total swap\n",
				(unsigned long long)m.total,
				(unsigned long long)(m.total - m.available),
				(unsigned long long)m.active, (unsigned long long)m.inactive,
				(unsigned long long)m.free, (unsigned long long)m.buffers,
				(unsigned long long)m.cached, (unsigned long long)m.swap_total);
			return 0;
		}
	}
	if (state.index < argc) {
		if (slice_number(slice_text(argv[state.index]), 1, INT32_MAX, &delay)) {
			process_complain(p, "failed to parse argument: '%s': Invalid argument",
					 argv[state.index]);
			return 1;
		}
		count = INT64_MAX;
	}
	if (state.index + 1 < argc &&
	    slice_number(slice_text(argv[state.index + 1]), 1, INT32_MAX, &count)) {
		process_complain(p, "failed to parse argument: '%s': Invalid argument",
				 argv[state.index + 1]);
		return 1;
	}
	process_print(
		p,
		"procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n"
		" r  b   swpd   free  %s   si   so    bi    bo   in   cs us sy id wa st\n",
		active ? "inact active" : " buff  cache");
	for (int64_t i = 0; i < count; i++) {
		if (i) {
			process_flush(p);
			process_sleep(p, delay * SECOND);
		}
		vmstat_line(p, i == 0, active);
	}
	return 0;
}

/* --- lscpu --- */

struct row {
	const char *name, *value;
};

static const struct row intel_new[] = {
	{"Gather data sampling", "Unknown: Dependent on hypervisor status"},
	{"Itlb multihit", "KVM: Mitigation: VMX unsupported"},
	{"L1tf", "Not affected"},
	{"Mds", "Not affected"},
	{"Meltdown", "Not affected"},
	{"Mmio stale data", "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state "
			    "unknown"},
	{"Reg file data sampling", "Not affected"},
	{"Retbleed", "Mitigation; Enhanced IBRS"},
	{"Spec rstack overflow", "Not affected"},
	{"Spec store bypass", "Mitigation; Speculative Store Bypass disabled via prctl"},
	{"Spectre v1", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization"},
	{"Spectre v2",
	 "Mitigation; Enhanced / Automatic IBRS; IBPB conditional; RSB filling; PBRSB-eIBRS SW "
	 "sequence; BHI SW loop, KVM SW loop"},
	{"Srbds", "Not affected"},
	{"Tsx async abort", "Not affected"},
};
static const struct row intel_old[] = {
	{"Gather data sampling", "Not affected"},
	{"Itlb multihit", "KVM: Mitigation: VMX disabled"},
	{"L1tf", "Mitigation; PTE Inversion; VMX flush not necessary, SMT disabled"},
	{"Mds", "Mitigation; Clear CPU buffers; SMT Host state unknown"},
	{"Meltdown", "Mitigation; PTI"},
	{"Mmio stale data", "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state "
			    "unknown"},
	{"Reg file data sampling", "Not affected"},
	{"Retbleed", "Not affected"},
	{"Spec rstack overflow", "Not affected"},
	{"Spec store bypass", "Mitigation; Speculative Store Bypass disabled via prctl"},
	{"Spectre v1", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization"},
	{"Spectre v2", "Mitigation; Retpolines; IBPB conditional; IBRS_FW; STIBP disabled; RSB "
		       "filling; PBRSB-eIBRS "
		       "Not affected; BHI Retpoline"},
	{"Srbds", "Not affected"},
	{"Tsx async abort", "Not affected"},
};
static const struct row amd[] = {
	{"Gather data sampling", "Not affected"},
	{"Itlb multihit", "Not affected"},
	{"L1tf", "Not affected"},
	{"Mds", "Not affected"},
	{"Meltdown", "Not affected"},
	{"Mmio stale data", "Not affected"},
	{"Reg file data sampling", "Not affected"},
	{"Retbleed", "Mitigation; untrained return thunk; SMT disabled"},
	{"Spec rstack overflow", "Mitigation; SMT disabled"},
	{"Spec store bypass", "Mitigation; Speculative Store Bypass disabled via prctl"},
	{"Spectre v1", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization"},
	{"Spectre v2",
	 "Mitigation; Retpolines; IBPB conditional; STIBP disabled; RSB filling; PBRSB-eIBRS Not "
	 "affected; BHI Not affected"},
	{"Srbds", "Not affected"},
	{"Tsx async abort", "Not affected"},
};

static void cache_row(struct process *p, const char *name, unsigned kilobytes, unsigned instances)
{
	char size[24];
	unsigned all = kilobytes * instances;

	if (all >= 1024 && all % 1024 == 0)
		(void)snprintf(size, sizeof(size), "%u MiB", all / 1024);
	else if (all >= 1024)
		(void)snprintf(size, sizeof(size), "%.1f MiB", (double)all / 1024);
	else
		(void)snprintf(size, sizeof(size), "%u KiB", all);
	process_print(p, "%-41s%s (%u instance%s)\n", name, size, instances,
		      instances > 1 ? "s" : "");
}

static void lscpu_print(struct process *p)
{
	const struct host *host = process_host(p);
	const struct host_processor *c = host_processor(host);
	bool is_amd = strcmp(c->vendor, "AuthenticAMD") == 0;
	unsigned n = c->count;
	const struct row *vulnerable = is_amd ? amd : c->model == 85 ? intel_new : intel_old;
	double megahertz =
		(double)c->megahertz + (double)host_fact(host, "megahertz", 100, 998) / 1000;

#define ROW(name, ...) process_print(p, "%-41s" name "\n", __VA_ARGS__)
	ROW("%s", "Architecture:", c->architecture);
	ROW("%s", "CPU op-mode(s):", "32-bit, 64-bit");
	ROW("%s bits physical, 48 bits virtual",
	    "Address sizes:", !is_amd && c->model == 85 ? "46" : "40");
	ROW("%s", "Byte Order:", "Little Endian");
	ROW("%u", "CPU(s):", n);
	ROW("%s%u", "On-line CPU(s) list:", n > 1 ? "0-" : "", n - 1);
	ROW("%s", "Vendor ID:", c->vendor);
	ROW("%s", "Model name:", c->model_name);
	ROW("%u", "CPU family:", c->family);
	ROW("%u", "Model:", c->model);
	ROW("%u", "Thread(s) per core:", 1u);
	ROW("%u", "Core(s) per socket:", n);
	ROW("%u", "Socket(s):", 1u);
	ROW("%u", "Stepping:", c->stepping);
	ROW("%.2f", "BogoMIPS:", 2 * megahertz);
	ROW("%s", "Flags:", c->flags);
	if (is_amd)
		ROW("%s", "Virtualization:", "AMD-V");
	else if (strstr(c->flags, " vmx "))
		ROW("%s", "Virtualization:", "VT-x");
	ROW("%s", "Hypervisor vendor:", host_platform(host)->hypervisor);
	ROW("%s", "Virtualization type:", host_platform(host)->virtualization);
	cache_row(p, "L1d cache:", is_amd ? 32 : 32, n);
	cache_row(p, "L1i cache:", 32, n);
	cache_row(p, "L2 cache:", is_amd ? 512 : c->model == 85 ? 1024 : 256, n);
	cache_row(p, "L3 cache:", c->cache_kilobytes, 1);
	ROW("%u", "NUMA node(s):", 1u);
	ROW("%s%u", "NUMA node0 CPU(s):", n > 1 ? "0-" : "", n - 1);
	for (size_t i = 0; i < ARRAY_COUNT(amd); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "Vulnerability %s:", vulnerable[i].name);
		ROW("%s", name, vulnerable[i].value);
	}
#undef ROW
}

static int run_lscpu(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"all", 'a'},
						   {"online", 'b'},
						   {"offline", 'c'},
						   {"json", 'J'},
						   {"extended", 'e', OPTION_MAY},
						   {"parse", 'p', OPTION_MAY},
						   {"help", 'h'},
						   {"version", 'V'},
						   {NULL}};
	struct option_state state = {0};
	unsigned n = host_processor(process_host(p))->count;
	int option;

	while ((option = option_next(p, &state, argc, argv, "aBbC::ce::hJp::s:xyV", words)) != -1) {
		switch (option) {
		case 'e':
			process_put_text(p, "CPU NODE SOCKET CORE L1d:L1i:L2:L3 ONLINE\n");
			for (unsigned i = 0; i < n; i++)
				process_print(p, "  %u    0      0    %u %u:%u:%u:0          yes\n",
					      i, i, i, i, i);
			return 0;
		case 'p':
			process_put_text(
				p,
				"# The following is the parsable format, which can be fed to "
				"other\n"
				"# programs. Each different item in every column has an unique ID\n"
				"# starting usually from zero.\n"
				"# CPU,Core,Socket,Node,,L1d,L1i,L2,L3\n");
			for (unsigned i = 0; i < n; i++)
				process_print(p, "%u,%u,0,0,,%u,%u,%u,0\n", i, i, i, i, i);
			return 0;
		case 'V':
			system_version(p, UTIL_LINUX);
		case 'h':
			system_usage(
				p,
				"\nUsage:\n lscpu [options]\n\nDisplay information about the CPU "
				"architecture.\n",
				0);
		case '?':
			return 1;
		default:
			break;
		}
	}
	if (state.index < argc) {
		process_complain(p, "bad usage\nTry 'lscpu --help' for more information.");
		return 1;
	}
	lscpu_print(p);
	return 0;
}

/* --- getconf --- */

static int run_getconf(struct process *p, int argc, char **argv)
{
	const struct host *host = process_host(p);
	static const struct row fixed[] = {
		{"LONG_BIT", "64"},
		{"PAGESIZE", "4096"},
		{"PAGE_SIZE", "4096"},
		{"ARG_MAX", "2097152"},
		{"CLK_TCK", "100"},
		{"OPEN_MAX", "1024"},
		{"NAME_MAX", "255"},
		{"PATH_MAX", "4096"},
		{"CHILD_MAX", "15553"},
		{"WORD_BIT", "32"},
		{"INT_MAX", "2147483647"},
		{"UINT_MAX", "4294967295"},
		{"LEVEL1_DCACHE_SIZE", "32768"},
		{"LEVEL1_DCACHE_LINESIZE", "64"},
		{"GNU_LIBC_VERSION", "glibc 2.36"},
		{"GNU_LIBPTHREAD_VERSION", "NPTL 2.36"},
		{"PATH", "/bin:/usr/bin"},
		{"_POSIX_VERSION", "200809"},
		{"HOST_NAME_MAX", "64"},
	};
	int at = 1;

	if (argc < 2) {
		process_error(
			p,
			"Usage: getconf [-v SPEC] VAR\n  or:  getconf [-v SPEC] PATH_VAR PATH\n");
		return 2;
	}
	if (strcmp(argv[1], "-a") == 0) {
		for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
			process_print(p, "%-34s %s\n", fixed[i].name, fixed[i].value);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		process_put_text(p, "getconf (Debian GLIBC 2.36-9+deb12u10) 2.36\n");
		return 0;
	}
	if (strcmp(argv[1], "-v") == 0 && argc > 3)
		at = 3;
	if (strcmp(argv[at], "_NPROCESSORS_ONLN") == 0 ||
	    strcmp(argv[at], "_NPROCESSORS_CONF") == 0) {
		process_print(p, "%u\n", host_processor(host)->count);
		return 0;
	}
	if (strcmp(argv[at], "_PHYS_PAGES") == 0) {
		process_print(p, "%llu\n",
			      (unsigned long long)host_memory(host, process_now(p)).total / 4);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		if (strcmp(argv[at], fixed[i].name) == 0) {
			process_print(p, "%s\n", fixed[i].value);
			return 0;
		}
	process_complain(p, "Unrecognized variable `%s'", argv[at]);
	return 2;
}

/* --- swap --- */

static int run_swapon(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"all", 'a'},   {"summary", 's'}, {"show", 'S', OPTION_MAY}, {"noheadings", 'n'},
		{"bytes", 'b'}, {"help", 'h'},    {"version", 'V'},          {NULL}};
	struct option_state state = {0};
	struct host_memory m = host_memory(process_host(p), process_now(p));
	const struct host_disk *disk = host_disk(process_host(p));
	int option, mode = argc > 1 ? 0 : 'S';
	bool off = strcmp(system_called(p), "swapoff") == 0;

	while ((option = option_next(p, &state, argc, argv, "ad::efo:p:svhV", words)) != -1) {
		if (option == '?')
			return 1;
		if (option == 'V')
			system_version(p, UTIL_LINUX);
		mode = option;
	}
	if (off || mode == 'a' || mode == 0) {
		if (p->identity.effective_uid != 0) {
			process_complain(p, "%s: %s failed: Operation not permitted",
					 state.index < argc ? argv[state.index] : "/dev/sda5",
					 system_called(p));
			return 255;
		}
		return 0;
	}
	if (!m.swap_total)
		return 0;
	if (mode == 's') {
		process_print(
			p,
			"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/%s5               "
			"                partition\t%llu\t\t%llu\t\t-2\n",
			disk->name, (unsigned long long)m.swap_total,
			(unsigned long long)(m.swap_total - m.swap_free));
		return 0;
	}
	process_print(p,
		      "NAME      TYPE      SIZE USED PRIO\n/dev/%s5 partition %lluM %lluM   -2\n",
		      disk->name, (unsigned long long)m.swap_total / 1024,
		      (unsigned long long)(m.swap_total - m.swap_free) / 1024);
	return 0;
}

static const struct command commands[] = {
	{"free", run_free, COMMAND_BOTH, "/usr/bin"},
	{"vmstat", run_vmstat, COMMAND_DEBIAN, "/usr/bin"},
	{"lscpu", run_lscpu, COMMAND_DEBIAN, "/usr/bin"},
	{"getconf", run_getconf, COMMAND_DEBIAN, "/usr/bin"},
	{"swapon", run_swapon, COMMAND_BOTH, "/usr/sbin"},
	{"swapoff", run_swapon, COMMAND_BOTH, "/usr/sbin"},
	{NULL},
};
const struct command_family command_family_system_memory = {"system_memory", commands};
