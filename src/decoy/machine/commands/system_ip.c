/* ip: addresses, links, routes, neighbours. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

struct ip {
	int family; /* 4, 6, or 0: both */
	bool brief, one_line, statistics, details;
	const char *end; /* of a line within an entry */
};

static const char usage[] =
	"Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n"
	"       ip [ -force ] -batch filename\n"
	"where  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |\n"
	"                   link | macsec | maddress | monitor | mptcp | mroute | mrule |\n"
	"                   neighbor | neighbour | netconf | netns | nexthop | ntable |\n"
	"                   ntbl | route | rule | sr | tap | tcpmetrics |\n"
	"                   token | tunnel | tuntap | vrf | xfrm }\n"
	"       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[esolve] |\n"
	"                    -h[uman-readable] | -iec | -j[son] | -p[retty] |\n"
	"                    -f[amily] { inet | inet6 | mpls | bridge | link } |\n"
	"                    -4 | -6 | -M | -B | -0 |\n"
	"                    -l[oops] { maximum-addr-flush-attempts } | -br[ief] |\n"
	"                    -o[neline] | -t[imestamp] | -ts[hort] | -b[atch] [filename] |\n"
	"                    -rc[vbuf] [size] | -n[etns] name | -N[umeric] | -a[ll] |\n"
	"                    -c[olor]}\n";

static bool is_loopback(const struct host_interface *i)
{
	return i->index == 1;
}

static void put_mac(struct process *p, const uint8_t *m)
{
	process_print(p, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void link_head(struct process *p, const struct ip *ip, const struct host_interface *i,
		      bool mode)
{
	bool lo = is_loopback(i);
	const char *scheduler =
		lo ? "noqueue"
		: host_processor(process_host(p))->count > 1 &&
				strcmp(host_platform(process_host(p))->name, "libvirt") != 0
			? "mq"
			: "fq_codel";

	process_print(p, "%u: %s: <%s> mtu %u qdisc %s state %s %sgroup default qlen 1000%s",
		      i->index, i->name,
		      lo ? "LOOPBACK,UP,LOWER_UP" : "BROADCAST,MULTICAST,UP,LOWER_UP", i->mtu,
		      scheduler, lo ? "UNKNOWN" : "UP", mode ? "mode DEFAULT " : "", ip->end);
	process_print(p, "    link/%s ", lo ? "loopback" : "ether");
	put_mac(p, i->mac);
	process_put_text(p, lo ? " brd 00:00:00:00:00:00" : " brd ff:ff:ff:ff:ff:ff");
}

/* Debian names the slot of a card as another name of it. */
static void link_names(struct process *p, const struct ip *ip, const struct host_interface *i)
{
	const char *name = i->name;

	if (strcmp(name, "ens18") == 0)
		process_print(p, "    altname enp0s18%s", ip->end);
	else if (strcmp(name, "ens192") == 0)
		process_print(p, "    altname enp11s0%s", ip->end);
}

static void link_statistics(struct process *p, const struct ip *ip, const struct host_interface *i)
{
	struct host_traffic t = host_traffic(process_host(p), i->index - 1, process_now(p));
	int rx = (int)strlen(process_format(p, "%llu", (unsigned long long)t.received_bytes));
	int packets =
		(int)strlen(process_format(p, "%llu", (unsigned long long)t.received_packets));

	rx = rx < 10 ? 10 : rx;
	packets = packets < 7 ? 7 : packets;
	process_print(p, "    RX: %*s %*s errors dropped  missed   mcast           %s", rx - 4,
		      "bytes", packets, "packets", ip->end);
	process_print(p, "    %*llu %*llu %6u %7u %7u %7u %s", rx,
		      (unsigned long long)t.received_bytes, packets,
		      (unsigned long long)t.received_packets, 0u,
		      is_loopback(i) ? 0u : (unsigned)(t.received_packets / 4000), 0u, 0u, ip->end);
	process_print(p, "    TX: %*s %*s errors dropped carrier collsns           %s", rx - 4,
		      "bytes", packets, "packets", ip->end);
	process_print(p, "    %*llu %*llu %6u %7u %7u %7u %s", rx, (unsigned long long)t.sent_bytes,
		      packets, (unsigned long long)t.sent_packets, 0u, 0u, 0u, 0u, ip->end);
}

static void brief_line(struct process *p, const struct ip *ip, const struct host_interface *i,
		       bool link)
{
	char text[ADDRESS_TEXT_MAX];

	process_print(p, "%-16s %-14s ", i->name, is_loopback(i) ? "UNKNOWN" : "UP");
	if (link) {
		put_mac(p, i->mac);
		process_print(p, " <%s> \n",
			      is_loopback(i) ? "LOOPBACK,UP,LOWER_UP"
					     : "BROADCAST,MULTICAST,UP,LOWER_UP");
		return;
	}
	if (ip->family != 6 && i->address.family) {
		address_text(&i->address, text);
		process_print(p, "%s/%u ", text, i->prefix);
	}
	if (ip->family != 4 && i->address6.family) {
		address_text(&i->address6, text);
		process_print(p, "%s/%u ", text, i->prefix6);
	}
	process_put_byte(p, '\n');
}

static void put_addresses(struct process *p, const struct ip *ip, const struct host_interface *i)
{
	char text[ADDRESS_TEXT_MAX], broadcast[ADDRESS_TEXT_MAX];
	char head[40] = "    ";

	if (ip->one_line)
		(void)snprintf(head, sizeof(head), "%u: %s    ", i->index, i->name);
	if (ip->family != 6 && i->address.family) {
		address_text(&i->address, text);
		address_text(&i->broadcast, broadcast);
		if (is_loopback(i))
			process_print(p,
				      "%sinet %s/%u scope host lo%s       valid_lft forever "
				      "preferred_lft forever\n",
				      head, text, i->prefix, ip->end);
		else
			process_print(
				p,
				"%sinet %s/%u brd %s scope global %s%s       valid_lft forever "
				"preferred_lft forever\n",
				head, text, i->prefix, broadcast, i->name, ip->end);
	}
	if (ip->family != 4 && i->address6.family) {
		address_text(&i->address6, text);
		process_print(p,
			      "%sinet6 %s/%u scope %s %s%s       valid_lft forever preferred_lft "
			      "forever\n",
			      head, text, i->prefix6, is_loopback(i) ? "host" : "link",
			      is_loopback(i) ? "" : "", ip->end);
	}
}

static int show_links(struct process *p, struct ip *ip, int argc, char **argv, bool addresses)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);
	const char *only = NULL;
	bool found = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "dev") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "up") == 0 || strcmp(argv[i], "scope") == 0 ||
			 strcmp(argv[i], "global") == 0 || strcmp(argv[i], "permanent") == 0)
			continue;
		else
			only = argv[i];
	}
	for (size_t i = 0; i < count; i++) {
		const struct host_interface *f = &interfaces[i];

		if (only && strcmp(only, f->name) != 0)
			continue;
		found = true;
		if (ip->brief) {
			brief_line(p, ip, f, !addresses);
			continue;
		}
		if (addresses && ip->one_line) {
			put_addresses(p, ip, f);
			continue;
		}
		if (addresses && ip->family) {
			struct ip head = *ip;
			bool lo = is_loopback(f);

			process_print(p, "%u: %s: <%s> mtu %u %s%sqlen 1000\n", f->index, f->name,
				      lo ? "LOOPBACK,UP,LOWER_UP"
					 : "BROADCAST,MULTICAST,UP,LOWER_UP",
				      f->mtu,
				      ip->family == 6 ? ""
				      : lo            ? "qdisc noqueue "
						      : "qdisc mq ",
				      ip->family == 6 ? lo ? "state UNKNOWN " : "state UP "
				      : lo            ? "state UNKNOWN group default "
						      : "state UP group default ");
			if (ip->family == 4)
				link_names(p, &head, f);
		} else {
			link_head(p, ip, f, !addresses);
			process_put_text(p, ip->one_line && !addresses ? "\n" : ip->end);
			if (!is_loopback(f) && !ip->one_line)
				link_names(p, ip, f);
		}
		if (addresses)
			put_addresses(p, ip, f);
		if (ip->statistics)
			link_statistics(p, ip, f);
	}
	if (only && !found) {
		process_error(p, "Device \"%s\" does not exist.\n", only);
		return 1;
	}
	return 0;
}

static int show_routes(struct process *p, const struct ip *ip, int argc, char **argv)
{
	const struct host_interface *interfaces, *eth;
	struct address gateway = host_gateway(process_host(p)), network;
	char via[ADDRESS_TEXT_MAX], own[ADDRESS_TEXT_MAX], net[ADDRESS_TEXT_MAX];
	const char *verb = argc ? argv[0] : "show";

	(void)host_interfaces(process_host(p), &interfaces);
	eth = &interfaces[1];
	network = address_network(&eth->address, eth->prefix);
	address_text(&gateway, via);
	address_text(&eth->address, own);
	address_text(&network, net);
	if (strncmp(verb, "get", 3) == 0) {
		struct address to;

		if (argc < 2 || address_parse(slice_text(argv[1]), &to)) {
			process_error(p,
				      "Error: any valid prefix is expected rather than \"%s\".\n",
				      argc < 2 ? "" : argv[1]);
			return 1;
		}
		if (address_is_loopback(&to) || address_equal(&to, &eth->address))
			process_print(p, "local %s dev lo src %s uid %u \n    cache <local> \n",
				      argv[1], argv[1], p->identity.uid);
		else if (memcmp(to.bytes, network.bytes, 3) == 0)
			process_print(p, "%s dev %s src %s uid %u \n    cache \n", argv[1],
				      eth->name, own, p->identity.uid);
		else
			process_print(p, "%s via %s dev %s src %s uid %u \n    cache \n", argv[1],
				      via, eth->name, own, p->identity.uid);
		return 0;
	}
	if (strncmp(verb, "add", 1) == 0 || strncmp(verb, "del", 3) == 0 ||
	    strncmp(verb, "replace", 3) == 0 || strncmp(verb, "flush", 2) == 0) {
		if (p->identity.effective_uid == 0)
			return 0;
		process_error(p, "RTNETLINK answers: Operation not permitted\n");
		return 2;
	}
	if (ip->family == 6) {
		process_print(p, "fe80::/64 dev %s proto kernel metric 256 pref medium\n",
			      eth->name);
		return 0;
	}
	if (argc > 1 && strcmp(argv[argc - 1], "default") == 0) {
		process_print(p, "default via %s dev %s onlink \n", via, eth->name);
		return 0;
	}
	process_print(p, "default via %s dev %s onlink \n", via, eth->name);
	process_print(p, "%s/%u dev %s proto kernel scope link src %s \n", net, eth->prefix,
		      eth->name, own);
	return 0;
}

static int show_neighbours(struct process *p)
{
	struct host_neighbour list[HOST_NEIGHBOURS_MAX];
	size_t count = host_neighbours(process_host(p), process_now(p), list);
	const struct host_interface *interfaces;

	(void)host_interfaces(process_host(p), &interfaces);
	for (size_t i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_MAX];

		address_text(&list[i].address, text);
		process_print(p, "%s dev %s lladdr ", text, interfaces[1].name);
		put_mac(p, list[i].mac);
		process_print(p, " %s \n", list[i].stale ? "STALE" : "REACHABLE");
	}
	return 0;
}

static bool abbreviates(const char *word, const char *whole)
{
	return *word && strncmp(word, whole, strlen(word)) == 0;
}

static int run_object(struct process *p, struct ip *ip, int argc, char **argv)
{
	const char *object = argv[0];
	const char *verb = argc > 1 ? argv[1] : "show";
	bool shows =
		abbreviates(verb, "show") || abbreviates(verb, "list") || strcmp(verb, "lst") == 0;
	int skip = argc > 1 && shows ? 2 : 1;

	if (abbreviates(object, "address") || abbreviates(object, "link")) {
		if (!shows && strcmp(verb, "dev") != 0) {
			if (abbreviates(verb, "help"))
				return 0;
			if (p->identity.effective_uid != 0) {
				process_error(p, "RTNETLINK answers: Operation not permitted\n");
				return 2;
			}
			if (abbreviates(verb, "set") || abbreviates(verb, "add") ||
			    abbreviates(verb, "del") || abbreviates(verb, "flush"))
				return 0;
			process_error(p, "Command \"%s\" is unknown, try \"ip %s help\".\n", verb,
				      object[0] == 'a' ? "address" : "link");
			return 255;
		}
		return show_links(p, ip, argc - skip, argv + skip, object[0] == 'a');
	}
	if (abbreviates(object, "route"))
		return show_routes(p, ip, argc - 1, argv + 1);
	if (abbreviates(object, "neighbour") || abbreviates(object, "neighbor"))
		return show_neighbours(p);
	if (strcmp(object, "rule") == 0 || strcmp(object, "ru") == 0) {
		process_put_text(
			p, "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom "
			   "all lookup default\n");
		return 0;
	}
	if (strcmp(object, "help") == 0)
		system_usage(p, usage, 255);
	if (abbreviates(object, "netns") || abbreviates(object, "tunnel") ||
	    abbreviates(object, "maddress") || abbreviates(object, "vrf") ||
	    abbreviates(object, "xfrm") || abbreviates(object, "tuntap"))
		return 0;
	process_error(p, "Object \"%s\" is unknown, try \"ip help\".\n", object);
	return 1;
}

static int run_ip(struct process *p, int argc, char **argv)
{
	struct ip ip = {.end = "\n"};
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *word = argv[i] + 1 + (argv[i][1] == '-');

		if (strcmp(word, "4") == 0)
			ip.family = 4;
		else if (strcmp(word, "6") == 0)
			ip.family = 6;
		else if (abbreviates(word, "brief") && word[1] == 'r')
			ip.brief = true;
		else if (abbreviates(word, "oneline"))
			ip.one_line = true;
		else if (abbreviates(word, "statistics") || abbreviates(word, "stats"))
			ip.statistics = true;
		else if (abbreviates(word, "details"))
			ip.details = true;
		else if (abbreviates(word, "color") || strncmp(word, "c", 1) == 0 ||
			 abbreviates(word, "resolve") || abbreviates(word, "Numeric") ||
			 abbreviates(word, "human-readable") || abbreviates(word, "pretty") ||
			 abbreviates(word, "json"))
			continue;
		else if (abbreviates(word, "family") && i + 1 < argc)
			ip.family = strcmp(argv[++i], "inet6") == 0 ? 6 : 4;
		else if (abbreviates(word, "Version")) {
			process_put_text(p, "ip utility, iproute2-6.1.0, libbpf 1.1.0\n");
			return 0;
		} else if (abbreviates(word, "help")) {
			system_usage(p, usage, 255);
		} else {
			process_error(p, "Option \"%s\" is unknown, try \"ip -help\".\n", argv[i]);
			return 255;
		}
	}
	if (ip.one_line)
		ip.end = "\\";
	if (i >= argc)
		system_usage(p, usage, 255);
	return run_object(p, &ip, argc - i, argv + i);
}

static const struct command commands[] = {
	{"ip", run_ip, COMMAND_BOTH, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_ip = {"system_ip", commands};
