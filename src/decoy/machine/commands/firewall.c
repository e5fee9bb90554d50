/* iptables 1.8.9 (nf_tables) and its kin: rules are kept in a file of the machine, so that what was
 * added is listed, and nothing is filtered by them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"

#define RULES_FILE "/run/xtables.rules"
#define RULES_MAX  ((size_t)256 * 1024)
#define WORDS_MAX  96

struct firewall {
	struct process *process;
	const char *program, *table, *chain;
	bool six, numeric, verbose, numbered;
	char verb;
	struct text rule; /* as iptables -S would write it: " -s 1.2.3.4/32 -j DROP" */
	const char *target, *source, *destination, *protocol, *in, *out, *extra;
	long number;
};

static const struct {
	const char *table, *chains[6];
} tables[] = {{"filter", {"INPUT", "FORWARD", "OUTPUT", NULL}},
	      {"nat", {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING", NULL}},
	      {"mangle", {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING", NULL}},
	      {"raw", {"PREROUTING", "OUTPUT", NULL}},
	      {"security", {"INPUT", "FORWARD", "OUTPUT", NULL}}};

static const char *const *chains_of(const char *table)
{
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		if (strcmp(tables[i].table, table) == 0)
			return tables[i].chains;
	return NULL;
}

static bool is_built_in(const char *table, const char *chain)
{
	for (const char *const *at = chains_of(table); at && *at; at++)
		if (strcmp(*at, chain) == 0)
			return true;
	return false;
}

static int refuse(struct firewall *f, int status, const char *words, const char *what)
{
	process_error(f->process, "%s v1.8.9 (nf_tables): %s%s\n", f->program, words, what);
	if (status == 2)
		process_error(f->process, "Try `%s -h' or '%s --help' for more information.\n",
			      f->program, f->program);
	return status;
}

/* --- the file: a line "4 filter -A INPUT ..." a rule, "4 filter -P INPUT DROP" a policy --- */

static void load(struct firewall *f, struct text *file)
{
	text_add_words(f->process, file, "");
	(void)process_read_file(f->process, RULES_FILE, RULES_MAX, file);
}

static void store(struct firewall *f, const struct text *file)
{
	int descriptor = process_open(f->process, RULES_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (descriptor < 0)
		return;
	(void)process_write(f->process, descriptor, text_slice(file));
	process_close(f->process, descriptor);
}

static char *prefix_of(struct firewall *f, const char *verb, const char *chain)
{
	return process_format(f->process, "%c %s %s %s", f->six ? '6' : '4', f->table, verb, chain);
}

static bool starts_with_word(struct slice line, const char *prefix)
{
	size_t length = strlen(prefix);
	return slice_starts(line, prefix) && (line.length == length || line.at[length] == ' ');
}

/* The rest of the first line with that start; false: none. */
static bool find_line(const struct text *file, const char *prefix, struct slice *rest)
{
	struct slice lines = text_slice(file), line;
	while (slice_next(&lines, '\n', &line))
		if (starts_with_word(line, prefix)) {
			*rest = slice_from(line, strlen(prefix));
			return true;
		}
	return false;
}

static bool chain_exists(struct firewall *f, const struct text *file, const char *chain)
{
	struct slice rest;
	return is_built_in(f->table, chain) || find_line(file, prefix_of(f, "-N", chain), &rest);
}

/* Drops lines of that start: all, or the number-th only (from 1), or the one with that rest. */
static unsigned drop_lines(struct firewall *f, struct text *file, const char *prefix, long number,
			   const struct text *exactly)
{
	struct text out = {0};
	struct slice lines = text_slice(file), line;
	unsigned dropped = 0;
	long count = 0;
	text_add_words(f->process, &out, "");
	while (slice_next(&lines, '\n', &line)) {
		bool matches = starts_with_word(line, prefix);
		count += matches;
		if (matches && number)
			matches = count == number;
		if (matches && exactly)
			matches = dropped == 0 && slice_equal(slice_from(line, strlen(prefix)),
							      text_slice(exactly));
		if (matches) {
			dropped++;
			continue;
		}
		text_add(f->process, &out, line);
		text_add_byte(f->process, &out, '\n');
		process_step(f->process);
	}
	*file = out;
	return dropped;
}

/* --- listing --- */

static const char *option_of(struct process *p, struct slice rule, const char *option)
{
	struct slice word;
	while (slice_next(&rule, ' ', &word))
		if (slice_is(word, option) && slice_next(&rule, ' ', &word))
			return process_copy_slice(p, word);
	return NULL;
}

static const char *shown_address(struct firewall *f, const char *address)
{
	if (!address)
		return f->six ? (f->numeric ? "::/0" : "anywhere")
			      : (f->numeric ? "0.0.0.0/0" : "anywhere");
	size_t length = strlen(address);
	if (length > 3 && strcmp(address + length - 3, "/32") == 0)
		return process_copy_slice(f->process, slice_of(address, length - 3));
	return address;
}

static void list_rule(struct firewall *f, struct slice rule, long number)
{
	struct process *p = f->process;
	const char *target = option_of(p, rule, "-j"), *protocol = option_of(p, rule, "-p");
	const char *source = shown_address(f, option_of(p, rule, "-s"));
	const char *destination = shown_address(f, option_of(p, rule, "-d"));
	const char *port = option_of(p, rule, "--dport"), *from = option_of(p, rule, "--sport");
	const char *in = option_of(p, rule, "-i"), *out = option_of(p, rule, "-o");
	const char *state = option_of(p, rule, "--state");
	if (f->numbered)
		process_print(p, "%-4ld ", number);
	if (f->verbose)
		process_print(p, "    0     0 %-9s  %-4s --  %-6s %-6s %-20s %-20s",
			      target ? target : "",
			      protocol     ? protocol
			      : f->numeric ? "0"
					   : "all",
			      in           ? in
			      : f->numeric ? "*"
					   : "any",
			      out          ? out
			      : f->numeric ? "*"
					   : "any",
			      source, destination);
	else
		process_print(p, "%-9s  %-4s --  %-20s %-20s", target ? target : "",
			      protocol     ? protocol
			      : f->numeric ? "0"
					   : "all",
			      source, destination);
	if (protocol && (port || from))
		process_print(p, " %s", protocol);
	if (from)
		process_print(p, " spt:%s", from);
	if (port)
		process_print(p, " dpt:%s", port);
	if (state)
		process_print(p, " state %s", state);
	process_put_byte(p, '\n');
}

static void list_chain(struct firewall *f, const struct text *file, const char *chain)
{
	struct process *p = f->process;
	struct slice lines = text_slice(file), line, policy;
	char *prefix = prefix_of(f, "-A", chain);
	long number = 0;
	if (!is_built_in(f->table, chain))
		process_print(p, "Chain %s (0 references)\n", chain);
	else {
		char *words = find_line(file, prefix_of(f, "-P", chain), &policy)
				      ? process_copy_slice(p, slice_trim(policy))
				      : (char *)"ACCEPT";
		process_print(p,
			      f->verbose ? "Chain %s (policy %s 0 packets, 0 bytes)\n"
					 : "Chain %s (policy %s)\n",
			      chain, words);
	}
	process_put_text(p, f->numbered ? "num  " : "");
	process_put_text(
		p, f->verbose ? " pkts bytes target     prot opt in     out     source          "
				"     destination         \n"
			      : "target     prot opt source               destination         "
				"\n");
	while (slice_next(&lines, '\n', &line)) {
		if (starts_with_word(line, prefix))
			list_rule(f, slice_from(line, strlen(prefix)), ++number);
		process_step(p);
	}
}

/* All chains of the table: those built in, then those of the file. */
static int for_chains(struct firewall *f, const struct text *file,
		      void (*show)(struct firewall *, const struct text *, const char *),
		      const char *between)
{
	struct process *p = f->process;
	char *made = process_format(p, "%c %s -N", f->six ? '6' : '4', f->table);
	struct slice lines = text_slice(file), line;
	bool first = true;
	if (f->chain) {
		if (!chain_exists(f, file, f->chain))
			return refuse(f, 1, "chain `",
				      process_format(p,
						     "%s' in table `%s' is incompatible, use 'nft' "
						     "tool.",
						     f->chain, f->table));
		show(f, file, f->chain);
		return 0;
	}
	for (const char *const *at = chains_of(f->table); *at; at++) {
		if (!first)
			process_put_text(p, between);
		first = false;
		show(f, file, *at);
	}
	while (slice_next(&lines, '\n', &line)) {
		if (!starts_with_word(line, made))
			continue;
		process_put_text(p, between);
		show(f, file, process_copy_slice(p, slice_trim(slice_from(line, strlen(made)))));
	}
	return 0;
}

static void print_policy(struct firewall *f, const struct text *file, const char *chain)
{
	struct slice policy;
	struct process *p = f->process;
	if (!is_built_in(f->table, chain)) {
		process_print(p, "-N %s\n", chain);
		return;
	}
	process_print(p, "-P %s %s\n", chain,
		      find_line(file, prefix_of(f, "-P", chain), &policy)
			      ? process_copy_slice(p, slice_trim(policy))
			      : "ACCEPT");
}

static void print_rules(struct firewall *f, const struct text *file, const char *chain)
{
	char *prefix = prefix_of(f, "-A", chain);
	struct slice lines = text_slice(file), line;
	while (slice_next(&lines, '\n', &line)) {
		process_step(f->process);
		if (!starts_with_word(line, prefix))
			continue;
		struct slice rest = slice_from(line, strlen(prefix));
		process_print(f->process, "-A %s%.*s\n", chain, (int)rest.length,
			      (const char *)rest.at);
	}
}

/* --- the command line --- */

static char *with_mask(struct firewall *f, const char *address)
{
	return process_format(f->process, "%s%s", address,
			      strchr(address, '/') ? ""
			      : f->six             ? "/128"
						   : "/32");
}

/* Words that take a value and stand in the rule as they are; others are errors. */
static const char *const plain_words[] = {"--sport",
					  "--dport",
					  "--source-port",
					  "--destination-port",
					  "--state",
					  "--ctstate",
					  "--dports",
					  "--sports",
					  "--to-destination",
					  "--to-source",
					  "--to-ports",
					  "--icmp-type",
					  "--reject-with",
					  "--limit",
					  "--limit-burst",
					  "--log-prefix",
					  "--string",
					  "--algo",
					  "--mac-source",
					  "--tcp-flags",
					  "--seconds",
					  "--hitcount",
					  "--name",
					  "--comment",
					  "-m",
					  "--match",
					  "--uid-owner",
					  "--log-level",
					  "--set-mark",
					  "--to",
					  "--connlimit-above",
					  "--from",
					  "--src-range",
					  "--dst-range",
					  "--match-set"};

static const char *short_name(const char *word)
{
	static const char *const pairs[][2] = {
		{"--append", "-A"},       {"--insert", "-I"},        {"--delete", "-D"},
		{"--list", "-L"},         {"--list-rules", "-S"},    {"--flush", "-F"},
		{"--zero", "-Z"},         {"--new-chain", "-N"},     {"--new", "-N"},
		{"--delete-chain", "-X"}, {"--policy", "-P"},        {"--check", "-C"},
		{"--table", "-t"},        {"--jump", "-j"},          {"--goto", "-g"},
		{"--source", "-s"},       {"--src", "-s"},           {"--destination", "-d"},
		{"--dst", "-d"},          {"--protocol", "-p"},      {"--proto", "-p"},
		{"--in-interface", "-i"}, {"--out-interface", "-o"}, {"--numeric", "-n"},
		{"--verbose", "-v"},      {"--wait", "-w"},          {"--version", "-V"},
		{"--help", "-h"}};
	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
		if (strcmp(word, pairs[i][0]) == 0)
			return pairs[i][1];
	return word;
}

static int parse(struct firewall *f, int argc, char **argv)
{
	struct process *p = f->process;
	bool negated = false;
	text_add_words(p, &f->rule, "");
	for (int i = 1; i < argc; i++) {
		const char *word = short_name(argv[i]);
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(word, "!") == 0) {
			negated = true;
			continue;
		}
		if (strcmp(word, "--line-numbers") == 0) {
			f->numbered = true;
			continue;
		}
		if (word[0] == '-' && word[1] != '-') {
			/* "-nvL" and "-vnL" are usual. */
			for (const char *at = word + 1; *at; at++) {
				f->numeric = f->numeric || *at == 'n';
				f->verbose = f->verbose || *at == 'v';
			}
			const char *verb = strpbrk(word + 1, "AIDRLSFZNXPECV");
			if (verb && strspn(word + 1, "nvx") == (size_t)(verb - word - 1)) {
				f->verb = *verb;
				if (value && value[0] != '-') {
					f->chain = value;
					i++;
				}
				if (strchr("PE", f->verb) && i + 1 < argc)
					f->target = argv[++i];
				if (strchr("IDR", f->verb) && i + 1 < argc && argv[i + 1][0] != '-')
					f->number = strtol(argv[++i], NULL, 10);
				continue;
			}
			if (strcmp(word, "-w") == 0) {
				i += value && value[0] >= '0' && value[0] <= '9';
				continue;
			}
			if (strspn(word + 1, "nvxw4") == strlen(word + 1))
				continue;
			if (strcmp(word, "-t") == 0 && value) {
				f->table = value;
				i++;
				continue;
			}
			if (strlen(word) == 2 && strchr("sdpiojgm", word[1])) {
				if (!value)
					return refuse(f, 2, "option \"",
						      process_format(p,
								     "%s\" "
								     "requires an argument",
								     argv[i]));
				bool address = word[1] == 's' || word[1] == 'd';
				if (word[1] == 'j' || word[1] == 'g')
					f->target = value;
				text_format(p, &f->rule, "%s %s %s", negated ? " !" : "", word,
					    address ? with_mask(f, value) : value);
				if (word[1] == 'p')
					f->protocol = value;
				negated = false;
				i++;
				continue;
			}
			return refuse(f, 2, "unknown option \"",
				      process_format(p, "%s\"", argv[i]));
		}
		bool known = false;
		for (size_t j = 0; j < ARRAY_COUNT(plain_words); j++)
			known = known || strcmp(word, plain_words[j]) == 0;
		if (!known && word[0] == '-' && !value)
			return refuse(f, 2, "unknown option \"",
				      process_format(p, "%s\"", argv[i]));
		if (word[0] != '-') {
			process_error(p,
				      "Bad argument `%s'\nTry `%s -h' or '%s --help' for more "
				      "information.\n",
				      word, f->program, f->program);
			return 2;
		}
		if (f->protocol && strcmp(word, "--dport") == 0 && !strstr(f->rule.data, "-m "))
			text_format(p, &f->rule, " -m %s", f->protocol);
		text_format(p, &f->rule, "%s %s", negated ? " !" : "", word);
		negated = false;
		if (known && value) {
			text_format(p, &f->rule, " %s", value);
			i++;
		}
	}
	return 0;
}

static bool is_target(struct firewall *f, const struct text *file, const char *target)
{
	static const char *const known[] = {
		"ACCEPT",   "DROP", "REJECT", "RETURN",   "LOG",     "DNAT",  "SNAT", "MASQUERADE",
		"REDIRECT", "MARK", "TCPMSS", "CONNMARK", "NOTRACK", "QUEUE", "NFLOG"};
	for (size_t i = 0; i < ARRAY_COUNT(known); i++)
		if (strcmp(known[i], target) == 0)
			return true;
	return chain_exists(f, file, target);
}

static int change(struct firewall *f, struct text *file)
{
	struct process *p = f->process;
	bool there = f->chain && chain_exists(f, file, f->chain);
	if (!f->chain && !strchr("FXZ", f->verb))
		return refuse(f, 2, "option \"",
			      process_format(p, "-%c\" requires an argument", f->verb));
	if (strchr("AIDRC", f->verb) && !there)
		return refuse(f, 1, "Chain '", process_format(p, "%s' does not exist", f->chain));
	if (f->target && strchr("AIR", f->verb) && !is_target(f, file, f->target))
		return refuse(f, 2, "Chain '", process_format(p, "%s' does not exist", f->target));
	char *prefix = f->chain ? prefix_of(f, "-A", f->chain) : NULL;
	struct slice rest;
	switch (f->verb) {
	case 'A':
		text_format(p, file, "%s%s\n", prefix, f->rule.data);
		break;
	case 'I': {
		struct text before = *file;
		*file = (struct text){0};
		text_format(p, file, "%s%s\n", prefix, f->rule.data);
		text_add(p, file, text_slice(&before));
		break;
	}
	case 'D':
		if (drop_lines(f, file, prefix, f->number, f->number ? NULL : &f->rule) == 0)
			return refuse(f, 1,
				      f->number ? "Index of deletion too big."
						: "Bad rule (does a matching rule exist in that "
						  "chain?).",
				      "");
		break;
	case 'C':
		if (!find_line(file, process_format(p, "%s%s", prefix, f->rule.data), &rest))
			return refuse(f, 1, "Bad rule (does a matching rule exist in that chain?).",
				      "");
		return 0;
	case 'F':
		if (f->chain && !there)
			return refuse(f, 1, "Chain '",
				      process_format(p, "%s' does not exist", f->chain));
		drop_lines(f, file,
			   f->chain ? prefix
				    : process_format(p, "%c %s -A", f->six ? '6' : '4', f->table),
			   0, NULL);
		break;
	case 'N':
		if (there)
			return refuse(f, 1, "Chain already exists.", "");
		text_format(p, file, "%s\n", prefix_of(f, "-N", f->chain));
		break;
	case 'X':
		drop_lines(f, file,
			   f->chain ? prefix_of(f, "-N", f->chain)
				    : process_format(p, "%c %s -N", f->six ? '6' : '4', f->table),
			   0, NULL);
		break;
	case 'P':
		if (!is_built_in(f->table, f->chain))
			return refuse(f, 1, "Bad built-in chain name.", "");
		if (!f->target ||
		    (strcmp(f->target, "ACCEPT") != 0 && strcmp(f->target, "DROP") != 0))
			return refuse(f, 1, "Bad policy name. Run `dmesg' for more information.",
				      "");
		drop_lines(f, file, prefix_of(f, "-P", f->chain), 0, NULL);
		text_format(p, file, "%s %s\n", prefix_of(f, "-P", f->chain), f->target);
		break;
	default:
		return 0;
	}
	store(f, file);
	return 0;
}

/* Nothing is said of tables without rules, as nf_tables has it. */
static int save_main(struct process *process, int argc, char **argv)
{
	struct firewall f = {.process = process};
	struct text file = {0};
	f.six = strstr(argv[0], "ip6tables") != NULL;
	load(&f, &file);
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
		struct slice rest;
		f.table = tables[i].table;
		char *any = process_format(process, "%c %s", f.six ? '6' : '4', f.table);
		if (!find_line(&file, any, &rest))
			continue;
		process_print(process, "# Generated by %s v1.8.9 (nf_tables)\n*%s\n",
			      f.six ? "ip6tables-save" : "iptables-save", f.table);
		for (const char *const *chain = tables[i].chains; *chain; chain++) {
			struct slice policy;
			process_print(process, ":%s %s [0:0]\n", *chain,
				      find_line(&file, prefix_of(&f, "-P", *chain), &policy)
					      ? process_copy_slice(process, slice_trim(policy))
					      : "ACCEPT");
		}
		(void)for_chains(&f, &file, print_rules, "");
		process_put_text(process, "COMMIT\n");
	}
	return 0;
}

static int restore_main(struct process *process, int argc, char **argv)
{
	struct text rules = {0};
	(void)process_read_all(process, 0, RULES_MAX, &rules);
	process_report_input(process, text_slice(&rules));
	return 0;
}

static int iptables_main(struct process *process, int argc, char **argv)
{
	struct firewall f = {.process = process, .table = "filter"};
	struct text file = {0};
	if (strstr(argv[0], "tables-save"))
		return save_main(process, argc, argv);
	if (strstr(argv[0], "tables-restore"))
		return restore_main(process, argc, argv);
	f.six = strstr(argv[0], "ip6tables") != NULL;
	f.program = f.six ? "ip6tables" : "iptables";
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
			process_print(process, "%s v1.8.9 (nf_tables)\n", f.program);
			return 0;
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			process_put_text(process, outside_usage("iptables -h"));
			return 0;
		}
	}
	int status = parse(&f, argc, argv);
	if (status)
		return status;
	if (!f.verb)
		return refuse(&f, 2, "no command specified", "");
	if (process->identity.effective_uid != 0)
		return refuse(&f, 4,
			      "Could not fetch rule set generation id: Permission denied (you "
			      "must be root)",
			      "");
	if (!chains_of(f.table))
		return refuse(&f, 3, "table '",
			      process_format(process,
					     "%s' does not exist\nPerhaps "
					     "iptables or your kernel needs to be upgraded.",
					     f.table));
	load(&f, &file);
	if (f.verb == 'L')
		return for_chains(&f, &file, list_chain, "\n");
	if (f.verb == 'S') {
		status = for_chains(&f, &file, print_policy, "");
		return status ? status : for_chains(&f, &file, print_rules, "");
	}
	return change(&f, &file);
}

static int nft_main(struct process *process, int argc, char **argv)
{
	if (argc < 2) {
		process_error(process, "nft: no command specified\n");
		return 1;
	}
	if (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--version") == 0)
		process_put_text(process, "nftables v1.0.6 (Lester Gooch #5)\n");
	return 0;
}

static const char *const iptables_names[] = {
	"iptables",         "ip6tables", "iptables-nft", "ip6tables-nft", "iptables-legacy",
	"ip6tables-legacy", NULL};
static const char *const save_names[] = {"ip6tables-save", NULL};
static const char *const restore_names[] = {"ip6tables-restore", NULL};

static const struct command commands[] = {
	{"xtables-nft-multi", iptables_main, COMMAND_DEBIAN, "/usr/sbin", iptables_names},
	{"iptables-save", save_main, COMMAND_DEBIAN, "/usr/sbin", save_names},
	{"iptables-restore", restore_main, COMMAND_DEBIAN, "/usr/sbin", restore_names},
	{"nft", nft_main, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{0},
};

const struct command_family command_family_firewall = {"firewall", commands};
