/* tcpdump, nologin, sg, and the questions that nginx and sshd answer: see what is said by whom. */
#include "decoy/machine/commands/rare.h"
#include "decoy/machine/commands/system.h"

/* --- tcpdump --- */

static bool is_interface(struct process *p, const char *name)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);

	for (size_t i = 0; i < count; i++)
		if (strcmp(interfaces[i].name, name) == 0)
			return true;
	return strcmp(name, "any") == 0;
}

static int list_interfaces(struct process *p)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces), number = 1;

	for (size_t i = 1; i < count; i++)
		process_print(p, "%zu.%s [Up, Running, Connected]\n", number++, interfaces[i].name);
	process_print(p,
		      "%zu.any (Pseudo-device that captures on all interfaces) [Up, Running]\n"
		      "%zu.lo [Up, Running, Loopback]\n",
		      number, number + 1);
	return 0;
}

/* Nothing passes by that its filter lets through. */
static int capture(struct process *p, const char *interface, bool wordy)
{
	if (!is_interface(p, interface)) {
		process_error(p, "tcpdump: %s: No such device exists\n(No such device exists)\n",
			      interface);
		return 1;
	}
	if (p->identity.effective_uid != 0) {
		process_error(p,
			      "tcpdump: %s: You don't have permission to capture on that device\n"
			      "(socket: Operation not permitted)\n",
			      interface);
		return 1;
	}
	process_on_signal(p, SIGINT, SIGNAL_CAUGHT);
	process_on_signal(p, SIGTERM, SIGNAL_CAUGHT);
	process_error(p, "%slistening on %s, link-type %s, snapshot length 262144 bytes\n",
		      wordy ? "tcpdump: "
			    : "tcpdump: verbose output suppressed, use -v[v]... for full protocol "
			      "decode\n",
		      interface,
		      strcmp(interface, "any") == 0 ? "LINUX_SLL2 (Linux cooked v2)"
						    : "EN10MB (Ethernet)");
	while (process_sleep(p, 3600 * SECOND))
		process_step(p);
	process_error(p, "0 packets captured\n0 packets received by filter\n"
			 "0 packets dropped by kernel\n");
	return 0;
}

static int run_tcpdump(struct process *p, int argc, char **argv)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);
	const char *interface = count > 1 ? interfaces[1].name : "lo";
	bool wordy = false;

	for (int i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *word = argv[i], *last = word + strlen(word) - 1;

		if (strcmp(word, "--version") == 0 || strcmp(word, "-h") == 0) {
			process_error(p, "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with "
					 "TPACKET_V3)\nOpenSSL 3.0.17 1 Jul 2025\n");
			return 0;
		}
		if (strcmp(word, "-D") == 0 || strcmp(word, "--list-interfaces") == 0)
			return list_interfaces(p);
		wordy = wordy || (word[1] != '-' && strchr(word, 'v'));
		if (strncmp(word, "-i", 2) == 0 && word[2])
			interface = word + 2;
		else if (*last == 'i' && word[1] != '-' && i + 1 < argc)
			interface = argv[++i];
		else if (strchr("cCFGjmMrsTVwWyzBEZ", *last) && word[1] != '-' && i + 1 < argc)
			i++;
	}
	return capture(p, interface, wordy);
}

/* --- sg --- */

int rare_sg(struct process *p, int argc, char **argv)
{
	struct process_identity identity = p->identity;
	unsigned gid;
	int at = 2;

	if (argc < 2) {
		process_error(p, "Usage: sg group [[-c] command]\n");
		return 1;
	}
	if (command_group_id(p, argv[1], &gid) != 0) {
		process_error(p, "sg: group '%s' does not exist\n", argv[1]);
		return 1;
	}
	if (identity.effective_uid == 0) {
		identity.gid = identity.effective_gid = gid;
		process_become(p, &identity);
	}
	at += argc > 2 && strcmp(argv[2], "-c") == 0;
	return command_run_line(p, at < argc ? argv[at] : "exec sh");
}

/* --- what others say --- */

static int run_nologin(struct process *p, int argc, char **argv)
{
	process_put_text(p, "This account is currently not available.\n");
	return 1;
}

static int run_nginx(struct process *p, int argc, char **argv)
{
	const char *option = argc > 1 ? argv[1] : "";

	if (strcmp(option, "-v") == 0)
		process_error(p, "nginx version: nginx/1.22.1\n");
	else if (strcmp(option, "-t") == 0 && p->identity.effective_uid == 0)
		process_error(p,
			      "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
			      "nginx: configuration file /etc/nginx/nginx.conf test is "
			      "successful\n");
	else if (!*option && p->identity.effective_uid == 0) {
		for (int i = 0; i < 5; i++) {
			process_error(p, "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address "
					 "already in use)\n");
			process_sleep(p, SECOND / 2);
		}
		process_error(p, "nginx: [emerg] still could not bind()\n");
		return 1;
	}
	return 0;
}

static const struct command commands[] = {
	{"tcpdump", run_tcpdump, COMMAND_DEBIAN},
	{"sg", rare_sg, COMMAND_DEBIAN},
	{"nologin", run_nologin, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{"nginx", run_nginx, COMMAND_DEBIAN, "/usr/sbin", NULL},
	{0},
};

const struct command_family command_family_rare_net = {"rare_net", commands};
