/* The older network commands: ifconfig, route, arp, netstat; and ss. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"
#include "decoy/machine/sockets.h"

static bool is_root(struct process *p)
{
	return p->identity.effective_uid == 0;
}

/* --- ifconfig --- */

static void put_amount(struct process *p, unsigned long long bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	unsigned long long value = bytes, tenths = 0;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_COUNT(units)) {
		tenths = value * 10 / 1024;
		value /= 1024;
		unit++;
	}
	process_print(p, "bytes %llu (%llu.%llu %s)", bytes, value, unit ? tenths % 10 : 0,
		      units[unit]);
}

static void ifconfig_one(struct process *p, const struct host_interface *i)
{
	struct host_traffic t = host_traffic(process_host(p), i->index - 1, process_now(p));
	bool lo = i->index == 1;
	char text[ADDRESS_TEXT_MAX], broadcast[ADDRESS_TEXT_MAX];
	const uint8_t *m = i->mac;

	process_print(p, "%s: flags=%s  mtu %u\n", i->name,
		      lo ? "73<UP,LOOPBACK,RUNNING>" : "4163<UP,BROADCAST,RUNNING,MULTICAST>",
		      i->mtu);
	address_text(&i->address, text);
	address_text(&i->broadcast, broadcast);
	process_print(p, "        inet %s  netmask %s", text, lo ? "255.0.0.0" : "255.255.255.0");
	process_print(p, lo ? "\n" : "  broadcast %s\n", broadcast);
	address_text(&i->address6, text);
	process_print(p, "        inet6 %s  prefixlen %u  scopeid %s\n", text, i->prefix6,
		      lo ? "0x10<host>" : "0x20<link>");
	if (lo)
		process_put_text(p, "        loop  txqueuelen 1000  (Local Loopback)\n");
	else
		process_print(p,
			      "        ether %02x:%02x:%02x:%02x:%02x:%02x  txqueuelen 1000  "
			      "(Ethernet)\n",
			      m[0], m[1], m[2], m[3], m[4], m[5]);
	process_print(p, "        RX packets %llu  ", (unsigned long long)t.received_packets);
	put_amount(p, t.received_bytes);
	process_print(
		p,
		"\n        RX errors 0  dropped %llu  overruns 0  frame 0\n        TX packets "
		"%llu  ",
		lo ? 0ull : (unsigned long long)t.received_packets / 4000,
		(unsigned long long)t.sent_packets);
	put_amount(p, t.sent_bytes);
	process_put_text(
		p, "\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n");
}

static void ifconfig_busybox(struct process *p, const struct host_interface *i)
{
	struct host_traffic t = host_traffic(process_host(p), i->index - 1, process_now(p));
	bool lo = i->index == 1;
	char text[ADDRESS_TEXT_MAX], broadcast[ADDRESS_TEXT_MAX], six[ADDRESS_TEXT_MAX];
	const uint8_t *m = i->mac;

	address_text(&i->address, text);
	address_text(&i->broadcast, broadcast);
	address_text(&i->address6, six);
	process_print(p, "%-10.10sLink encap:", i->name);
	if (lo)
		process_put_text(p, "Local Loopback  \n");
	else
		process_print(p, "Ethernet  HWaddr %02X:%02X:%02X:%02X:%02X:%02X  \n", m[0], m[1],
			      m[2], m[3], m[4], m[5]);
	process_print(p, "          inet addr:%s  %s%s%sMask:%s\n", text,
		      lo ? "" : "Bcast:", lo ? "" : broadcast, lo ? "" : "  ",
		      lo ? "255.0.0.0" : "255.255.255.0");
	process_print(p, "          inet6 addr: %s/%u Scope:%s\n", six, i->prefix6,
		      lo ? "Host" : "Link");
	process_print(p, "          UP %sRUNNING %s MTU:%u  Metric:1\n",
		      lo ? "LOOPBACK " : "BROADCAST ", lo ? "" : "MULTICAST ", i->mtu);
	process_print(
		p,
		"          RX packets:%llu errors:0 dropped:0 overruns:0 frame:0\n          TX "
		"packets:%llu errors:0 dropped:0 overruns:0 carrier:0\n          "
		"collisions:0 txqueuelen:1000 \n          RX bytes:%llu (%.1f MiB)  TX "
		"bytes:%llu (%.1f MiB)\n\n",
		(unsigned long long)t.received_packets, (unsigned long long)t.sent_packets,
		(unsigned long long)t.received_bytes, (double)t.received_bytes / 1048576,
		(unsigned long long)t.sent_bytes, (double)t.sent_bytes / 1048576);
}

static int run_ifconfig(struct process *p, int argc, char **argv)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);
	const char *only = NULL;
	bool brief = false, found = false;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (strcmp(argv[i], "-s") == 0)
				brief = true;
			else if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
				system_usage(p, "net-tools 2.10\n", 0);
			else if (strcmp(argv[i], "-a") != 0 && strcmp(argv[i], "-v") != 0) {
				process_error(p,
					      "ifconfig: option `%s' not recognised.\nifconfig: "
					      "`--help' gives usage information.\n",
					      argv[i]);
				return 1;
			}
			continue;
		}
		if (only) { /* sets something */
			if (is_root(p))
				return 0;
			process_error(p, "SIOCSIF%s: Operation not permitted\n",
				      strcmp(argv[i], "up") == 0 || strcmp(argv[i], "down") == 0
					      ? "FLAGS"
					      : "ADDR");
			return 255;
		}
		only = argv[i];
	}
	if (brief)
		process_put_text(
			p, "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP "
			   "TX-OVR Flg\n");
	for (size_t k = 0; k < count; k++) {
		/* The loopback comes last. */
		const struct host_interface *i = &interfaces[(k + 1) % count];

		if (only && strcmp(only, i->name) != 0)
			continue;
		found = true;
		if (brief) {
			struct host_traffic t =
				host_traffic(process_host(p), i->index - 1, process_now(p));

			process_print(p, "%-15.15s %5u %8llu %6u %6u %-6u %8llu %6u %6u %6u %s\n",
				      i->name, i->mtu, (unsigned long long)t.received_packets, 0u,
				      0u, 0u, (unsigned long long)t.sent_packets, 0u, 0u, 0u,
				      i->index == 1 ? "LRU" : "BMRU");
		} else if (p->busybox) {
			ifconfig_busybox(p, i);
		} else {
			ifconfig_one(p, i);
		}
	}
	if (only && !found) {
		process_error(
			p,
			p->busybox ? "ifconfig: %s: error fetching interface information: Device "
				     "not found\n"
				   : "%s: error fetching interface information: Device not found\n",
			only);
		return 1;
	}
	return 0;
}

/* --- route --- */

static void route_rows(struct process *p, bool numeric, bool netstat)
{
	const struct host_interface *interfaces;
	struct address gateway = host_gateway(process_host(p)), network;
	char via[ADDRESS_TEXT_MAX], net[ADDRESS_TEXT_MAX];

	(void)host_interfaces(process_host(p), &interfaces);
	network = address_network(&interfaces[1].address, interfaces[1].prefix);
	address_text(&gateway, via);
	address_text(&network, net);
	process_print(
		p,
		"Kernel IP routing table\nDestination     Gateway         Genmask         Flags %s "
		"Iface\n",
		netstat ? "  MSS Window  irtt" : "Metric Ref    Use");
	process_print(p, "%-15s %-15s %-15s UG    %s %s\n", numeric ? "0.0.0.0" : "default", via,
		      "0.0.0.0", netstat ? "    0 0          0" : "0      0        0",
		      interfaces[1].name);
	process_print(p, "%-15s %-15s %-15s U     %s %s\n", net, "0.0.0.0", "255.255.255.0",
		      netstat ? "    0 0          0" : "0      0        0", interfaces[1].name);
}

static int run_route(struct process *p, int argc, char **argv)
{
	bool numeric = false, extended = false;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			numeric |= strchr(argv[i], 'n') != NULL;
			extended |= strchr(argv[i], 'e') != NULL;
		} else if (is_root(p)) {
			return 0;
		} else {
			process_error(p, "SIOC%sRT: Operation not permitted\n",
				      strcmp(argv[i], "del") == 0 ? "DEL" : "ADD");
			return 7;
		}
	}
	route_rows(p, numeric, extended);
	return 0;
}

/* --- arp --- */

static int run_arp(struct process *p, int argc, char **argv)
{
	struct host_neighbour list[HOST_NEIGHBOURS_MAX];
	size_t count = host_neighbours(process_host(p), process_now(p), list);
	const struct host_interface *interfaces;
	const char *only = NULL;
	bool bsd = false, found = false;

	(void)host_interfaces(process_host(p), &interfaces);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			only = argv[i];
		else if (strchr(argv[i], 'a'))
			bsd = true;
		else if (strchr(argv[i], 'd') || strchr(argv[i], 's')) {
			if (is_root(p))
				return 0;
			process_error(p, "SIOC%cARP: Operation not permitted\n",
				      strchr(argv[i], 'd') ? 'D' : 'S');
			return 255;
		}
	}
	if (!bsd && count)
		process_put_text(
			p, "Address                  HWtype  HWaddress           Flags Mask      "
			   "      Iface\n");
	for (size_t i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_MAX];
		const uint8_t *m = list[i].mac;

		address_text(&list[i].address, text);
		if (only && strcmp(only, text) != 0)
			continue;
		found = true;
		if (bsd || p->busybox)
			process_print(
				p,
				p->busybox
					? "? (%s) at %02x:%02x:%02x:%02x:%02x:%02x [ether]  on %s\n"
					: "? (%s) at %02x:%02x:%02x:%02x:%02x:%02x [ether] on %s\n",
				text, m[0], m[1], m[2], m[3], m[4], m[5], interfaces[1].name);
		else
			process_print(
				p,
				"%-23s  ether   %02x:%02x:%02x:%02x:%02x:%02x   C                "
				"     %s\n",
				text, m[0], m[1], m[2], m[3], m[4], m[5], interfaces[1].name);
	}
	if (only && !found)
		process_print(p,
			      bsd ? "arp: in 1 entries no match found.\n" : "%s (%s) -- no entry\n",
			      only, only);
	return 0;
}

/* --- netstat --- */

struct netstat {
	bool tcp, udp, unix_sockets, raw, all, listening, numeric, programs, wide, extended;
};

static const char *port_name(unsigned port)
{
	static const struct {
		unsigned port;
		const char *name;
	} names[] = {{21, "ftp"},        {22, "ssh"},   {23, "telnet"}, {53, "domain"},
		     {67, "bootps"},     {80, "http"},  {443, "https"}, {1433, "ms-sql-s"},
		     {1434, "ms-sql-m"}, {5060, "sip"}, {6379, "redis"}};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (names[i].port == port)
			return names[i].name;
	return NULL;
}

static const char *endpoint_name(struct process *p, const struct endpoint *e, bool six,
				 bool numeric)
{
	char text[ADDRESS_TEXT_MAX];
	const char *port;

	address_text(&e->address, text);
	if (!numeric && address_is_loopback(&e->address))
		(void)snprintf(text, sizeof(text), "localhost");
	else if (!numeric && !six && strcmp(text, "0.0.0.0") == 0)
		(void)snprintf(text, sizeof(text), "0.0.0.0");
	else if (!numeric && six && strcmp(text, "::") == 0)
		(void)snprintf(text, sizeof(text), "[::]");
	port = !e->port             ? "*"
	       : numeric            ? process_format(p, "%u", e->port)
	       : port_name(e->port) ? port_name(e->port)
				    : process_format(p, "%u", e->port);
	return process_format(p, "%s:%s", text, port);
}

static void netstat_rows(struct process *p, const struct netstat *n, bool udp)
{
	struct host_socket s;

	for (int six = 0; six < 2; six++)
		for (size_t i = 0;
		     host_socket_at(process_host(p), p->machine, process_now(p), i, &s); i++) {
			const char *state = s.udp ? "" : s.listening ? "LISTEN" : "ESTABLISHED";
			const char *program = "-";

			if (s.udp != udp || s.six != six)
				continue;
			if (!n->all &&
			    (n->listening ? !s.listening && !s.udp : s.listening || s.udp))
				continue;
			if (is_root(p))
				program = process_format(p, "%u/%s", s.pid, s.text);
			process_print(
				p, "%-5s %6u %6u %-23s %-23s %-11s",
				process_format(p, "%s%s", udp ? "udp" : "tcp", six ? "6" : ""), 0u,
				!s.listening && !s.udp ? 36u * (s.inode % 3) : 0u,
				endpoint_name(p, &s.local, six, n->numeric),
				endpoint_name(p, &s.remote, six, n->numeric), state);
			if (n->extended)
				process_print(p, " %-10s %-10u",
					      n->numeric ? process_format(p, "%u", s.uid)
							 : command_user_name(p, s.uid),
					      s.inode);
			if (n->programs)
				process_print(p, " %-19.19s", program);
			process_put_byte(p, '\n');
		}
}

static void netstat_unix(struct process *p, const struct netstat *n)
{
	static const struct {
		const char *flags, *type, *state, *path, *program;
	} rows[] = {
		{"[ ACC ]", "STREAM", "LISTENING", "/run/systemd/private", "systemd"},
		{"[ ACC ]", "STREAM", "LISTENING", "/run/systemd/journal/stdout", "systemd"},
		{"[ ACC ]", "SEQPACKET", "LISTENING", "/run/udev/control", "systemd"},
		{"[ ACC ]", "STREAM", "LISTENING", "/run/dbus/system_bus_socket", "systemd"},
		{"[ ]", "DGRAM", "CONNECTED", "/run/systemd/journal/dev-log", "systemd"},
		{"[ ]", "STREAM", "CONNECTED", "/run/systemd/journal/stdout", "systemd-journal"},
		{"[ ]", "STREAM", "CONNECTED", "", "dbus-daemon"},
		{"[ ]", "DGRAM", "", "", "rsyslogd"},
	};
	unsigned inode = (unsigned)host_fact(process_host(p), "unix sockets", 9800, 13000);

	process_print(
		p,
		"Active UNIX domain sockets (%s)\nProto RefCnt Flags       Type       State    "
		"     I-Node   %sPath\n",
		n->listening ? "only servers"
		: n->all     ? "servers and established"
			     : "w/o servers",
		n->programs ? "PID/Program name     " : "");
	for (size_t i = 0; i < ARRAY_COUNT(rows) && host_kind(process_host(p)) == HOST_DEBIAN;
	     i++) {
		bool listening = strcmp(rows[i].state, "LISTENING") == 0;

		if (!n->all && listening != n->listening)
			continue;
		process_print(p, "unix  %-6u %-11s %-10s %-13s %-8u ", listening ? 2u : 3u,
			      rows[i].flags, rows[i].type, rows[i].state, inode + (unsigned)i * 3);
		if (n->programs)
			process_print(p, "%-20s ",
				      is_root(p) ? process_format(p, "%u/%s",
								  host_process_id(process_host(p),
										  rows[i].program,
										  process_now(p)),
								  rows[i].program)
						 : "-");
		process_print(p, "%s\n", rows[i].path);
	}
}

static void netstat_interfaces(struct process *p)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);

	process_put_text(
		p, "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    "
		   "TX-OK TX-ERR TX-DRP TX-OVR Flg\n");
	for (size_t k = 0; k < count; k++) {
		const struct host_interface *i = &interfaces[(k + 1) % count];
		struct host_traffic t = host_traffic(process_host(p), i->index - 1, process_now(p));

		process_print(p, "%-15.15s %5u %8llu %6u %6u %-6u %8llu %6u %6u %6u %s\n", i->name,
			      i->mtu, (unsigned long long)t.received_packets, 0u,
			      i->index == 1 ? 0u : (unsigned)(t.received_packets / 4000), 0u,
			      (unsigned long long)t.sent_packets, 0u, 0u, 0u,
			      i->index == 1 ? "LRU" : "BMRU");
	}
}

static int run_netstat(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"tcp", 't'},           {"udp", 'u'},
						   {"unix", 'x'},          {"raw", 'w'},
						   {"all", 'a'},           {"listening", 'l'},
						   {"numeric", 'n'},       {"programs", 'p'},
						   {"program", 'p'},       {"route", 'r'},
						   {"interfaces", 'i'},    {"statistics", 's'},
						   {"extend", 'e'},        {"wide", 'W'},
						   {"continuous", 'c'},    {"numeric-ports", 'n'},
						   {"numeric-hosts", 'n'}, {"version", 'V'},
						   {"help", 'h'},          {NULL}};
	struct option_state state = {0};
	struct netstat n = {0};
	bool routes = false, interfaces = false, statistics = false, internet;
	int option;

	while ((option = option_next(p, &state, argc, argv, "tuxwalnprisevWcVhoNFCgM46A:S2U",
				     words)) != -1) {
		switch (option) {
		case 't':
			n.tcp = true;
			break;
		case 'u':
			n.udp = true;
			break;
		case 'x':
			n.unix_sockets = true;
			break;
		case 'w':
			n.raw = true;
			break;
		case 'a':
			n.all = true;
			break;
		case 'l':
			n.listening = true;
			break;
		case 'n':
			n.numeric = true;
			break;
		case 'p':
			n.programs = true;
			break;
		case 'e':
			n.extended = true;
			break;
		case 'r':
			routes = true;
			break;
		case 'i':
			interfaces = true;
			break;
		case 's':
			statistics = true;
			break;
		case 'V':
			system_usage(p, "net-tools 2.10\n", 0);
		case '?':
			return 4;
		default:
			break;
		}
	}
	if (routes) {
		route_rows(p, n.numeric, true);
		return 0;
	}
	if (interfaces) {
		netstat_interfaces(p);
		return 0;
	}
	if (statistics) {
		struct host_traffic t = host_traffic(process_host(p), 1, process_now(p));

		process_print(
			p,
			"Ip:\n    Forwarding: 2\n    %llu total packets received\n    0 "
			"forwarded\n    0 incoming packets discarded\n    %llu incoming packets "
			"delivered\n    %llu requests sent out\n",
			(unsigned long long)t.received_packets,
			(unsigned long long)(t.received_packets - t.received_packets / 300),
			(unsigned long long)t.sent_packets);
		return 0;
	}
	if (n.programs && !is_root(p))
		process_error(
			p,
			"(Not all processes could be identified, non-owned process info\n will not "
			"be shown, you would have to be root to see it all.)\n");
	internet = n.tcp || n.udp || n.raw || !n.unix_sockets;
	if (!n.tcp && !n.udp && !n.raw && !n.unix_sockets)
		n.tcp = n.udp = n.unix_sockets = true;
	if (internet) {
		process_print(
			p,
			"Active Internet connections (%s)\nProto Recv-Q Send-Q Local Address       "
			"    Foreign Address         State      %s%s\n",
			n.all         ? "servers and established"
			: n.listening ? "only servers"
				      : "w/o servers",
			n.extended ? " User       Inode     " : "",
			n.programs ? " PID/Program name    " : "");
		if (n.tcp)
			netstat_rows(p, &n, false);
		if (n.udp)
			netstat_rows(p, &n, true);
	}
	if (n.unix_sockets)
		netstat_unix(p, &n);
	return 0;
}

/* --- ss --- */

static const char *ss_address(struct process *p, const struct endpoint *e, bool six, bool local)
{
	char text[ADDRESS_TEXT_MAX];

	(void)local;
	address_text(&e->address, text);
	return process_format(p, six ? "[%s]" : "%s", text);
}

struct ss_row {
	const char *net, *state, *local, *local_port, *remote, *remote_port, *process;
	unsigned received, sent;
};

static void ss_print(struct process *p, const struct ss_row *rows, size_t count, bool net,
		     bool header)
{
	int widths[4] = {5, 13, 4, 0}; /* state, local, port, remote */
	int remote = 12, states = 5;

	for (size_t i = 0; i < count; i++) {
		if ((int)strlen(rows[i].local) > widths[1])
			widths[1] = (int)strlen(rows[i].local);
		if ((int)strlen(rows[i].local_port) > widths[2])
			widths[2] = (int)strlen(rows[i].local_port);
		if ((int)strlen(rows[i].remote) > remote)
			remote = (int)strlen(rows[i].remote);
		if ((int)strlen(rows[i].state) > states)
			states = (int)strlen(rows[i].state);
	}
	if (header)
		process_print(p, "%s%-*s Recv-Q Send-Q %*s:%-*s %*s:%-*s%s\n", net ? "Netid " : "",
			      states, "State", widths[1], "Local Address", widths[2], "Port",
			      remote, "Peer Address", 4, "Port", "Process");
	for (size_t i = 0; i < count; i++) {
		const struct ss_row *r = &rows[i];

		if (net)
			process_print(p, "%-5s ", r->net);
		process_print(p, "%-*s %-6u %-6u %*s:%-*s %*s:%-*s%s\n", states, r->state,
			      r->received, r->sent, widths[1], r->local, widths[2], r->local_port,
			      remote, r->remote, 4, r->remote_port, r->process);
	}
}

static int run_ss(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {{"tcp", 't'},
						   {"udp", 'u'},
						   {"unix", 'x'},
						   {"all", 'a'},
						   {"listening", 'l'},
						   {"numeric", 'n'},
						   {"processes", 'p'},
						   {"summary", 's'},
						   {"ipv4", '4'},
						   {"ipv6", '6'},
						   {"no-header", 'H'},
						   {"extended", 'e'},
						   {"memory", 'm'},
						   {"info", 'i'},
						   {"options", 'o'},
						   {"resolve", 'r'},
						   {"version", 'V'},
						   {"help", 'h'},
						   {NULL}};
	struct option_state state = {0};
	struct ss_row *rows = process_take(p, 64 * sizeof(*rows));
	bool tcp = false, udp = false, all = false, listening = false, numeric = false,
	     processes = false, header = true;
	bool four = false, six_only = false;
	struct host_socket s;
	size_t count = 0;
	int option;

	while ((option = option_next(p, &state, argc, argv, "tuxaslnp46HemiorwVhK", words)) != -1) {
		switch (option) {
		case 't':
			tcp = true;
			break;
		case 'u':
			udp = true;
			break;
		case 'a':
			all = true;
			break;
		case 'l':
			listening = true;
			break;
		case 'n':
			numeric = true;
			break;
		case 'p':
			processes = true;
			break;
		case 'H':
			header = false;
			break;
		case '4':
			four = true;
			break;
		case '6':
			six_only = true;
			break;
		case 'V':
			system_usage(p, "ss utility, iproute2-6.1.0\n", 0);
		case 's': {
			unsigned t = 0, u = 0;

			for (size_t i = 0;
			     host_socket_at(process_host(p), p->machine, process_now(p), i, &s);
			     i++) {
				t += !s.udp;
				u += s.udp;
			}
			process_print(p,
				      "Total: %u\nTCP:   %u (estab 1, closed 0, orphaned 0, "
				      "timewait 0)\n\n"
				      "Transport Total     IP        IPv6\nRAW\t  0         0      "
				      "   0        "
				      "\nUDP\t  %-9u %-9u 0        \nTCP\t  %-9u %-9u 0        "
				      "\nINET\t  %-9u "
				      "%-9u 0        \nFRAG\t  0         0         0        \n\n",
				      t + u + 141, t, u, u, t, t, t + u, t + u);
			return 0;
		}
		case '?':
			return 255;
		default:
			break;
		}
	}
	if (!tcp && !udp)
		tcp = udp = true;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; count < 64 && host_socket_at(process_host(p), p->machine,
								process_now(p), i, &s);
		     i++) {
			struct ss_row *r;

			if (s.udp != (pass == 0) || (s.udp ? !udp : !tcp) || (four && s.six) ||
			    (six_only && !s.six))
				continue;
			if (!all && (listening ? !(s.listening || s.udp) : s.listening || s.udp))
				continue;
			r = &rows[count++];
			r->net = s.udp ? "udp" : "tcp";
			r->state = s.udp ? "UNCONN" : s.listening ? "LISTEN" : "ESTAB";
			r->sent = s.listening ? s.backlog : 0;
			r->local = ss_address(p, &s.local, s.six, true);
			r->remote = ss_address(p, &s.remote, s.six, false);
			r->local_port = !numeric && port_name(s.local.port)
						? port_name(s.local.port)
						: process_format(p, "%u", s.local.port);
			r->remote_port =
				s.remote.port ? process_format(p, "%u", s.remote.port) : "*";
			r->process =
				is_root(p) ? process_format(p, "    users:((\"%s\",pid=%u,fd=%u))",
							    s.program, s.pid,
							    s.listening ? 3u + s.six : 4u)
					   : "    ";
			if (!processes)
				r->process = "   ";
		}
	ss_print(p, rows, count, tcp && udp, header);
	return 0;
}

static const struct command commands[] = {
	{"ifconfig", run_ifconfig, COMMAND_BOTH, "/usr/sbin"},
	{"route", run_route, COMMAND_BOTH, "/usr/sbin"},
	{"arp", run_arp, COMMAND_BOTH, "/usr/sbin"},
	{"netstat", run_netstat, COMMAND_BOTH, "/usr/bin"},
	{"ss", run_ss, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_network = {"system_network", commands};
