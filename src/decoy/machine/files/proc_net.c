/* /proc/net. */
#include <arpa/inet.h>

#include "base/clock.h"
#include "decoy/machine/files/proc.h"
#include "decoy/machine/sockets.h"

int proc_net_dev(const struct file_access *access, struct writer *out)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(live_host(access), &interfaces);

	writer_text(out,
		    "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs drop fifo colls carrier compressed\n");
	for (size_t i = 0; i < count; i++) {
		struct host_traffic t = host_traffic(live_host(access), i, access->now);

		writer_format(out,
			      "%6s:%8llu %7llu    0 %4u    0     0          0         0 %8llu "
			      "%7llu    0    "
			      "0    0     0       0          0\n",
			      interfaces[i].name, (unsigned long long)t.received_bytes,
			      (unsigned long long)t.received_packets,
			      i ? (unsigned)(t.received_packets / 4000) : 0,
			      (unsigned long long)t.sent_bytes, (unsigned long long)t.sent_packets);
	}
	return 0;
}

static uint32_t raw_of(const struct address *address)
{
	uint32_t value;

	memcpy(&value, address->bytes, 4);
	return value; /* in the order of memory, as the kernel prints it */
}

int proc_net_route(const struct file_access *access, struct writer *out)
{
	const struct host_interface *interfaces, *eth;
	struct address gateway = host_gateway(live_host(access)), network;
	uint32_t mask;

	(void)host_interfaces(live_host(access), &interfaces);
	eth = &interfaces[1];
	network = address_network(&eth->address, eth->prefix);
	mask = htonl(eth->prefix ? ~0u << (32 - eth->prefix) : 0);
	writer_format(out, "%-127s\n",
		      "Iface\tDestination\tGateway "
		      "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	for (int i = 0; i < 2; i++) {
		char line[160];
		struct writer w = writer_fixed(line, sizeof(line) - 1);

		if (i == 0)
			writer_format(&w, "%s\t%08X\t%08X\t%04X\t0\t0\t0\t%08X\t0\t0\t0", eth->name,
				      0u, raw_of(&gateway), 3u, 0u);
		else
			writer_format(&w, "%s\t%08X\t%08X\t%04X\t0\t0\t0\t%08X\t0\t0\t0", eth->name,
				      raw_of(&network), 0u, 1u, mask);
		line[w.length] = 0;
		writer_format(out, "%-127s\n", line);
	}
	return 0;
}

int proc_net_arp(const struct file_access *access, struct writer *out)
{
	const struct host *host = live_host(access);
	struct host_neighbour neighbours[HOST_NEIGHBOURS_MAX];
	size_t count = host_neighbours(host, access->now, neighbours);
	const struct host_interface *interfaces;

	(void)host_interfaces(host, &interfaces);
	writer_text(out, "IP address       HW type     Flags       HW address            Mask     "
			 "Device\n");
	for (size_t i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_MAX];
		const uint8_t *m = neighbours[i].mac;

		address_text(&neighbours[i].address, text);
		writer_format(out,
			      "%-16s 0x1         0x2         %02x:%02x:%02x:%02x:%02x:%02x     *   "
			      "     %s\n",
			      text, m[0], m[1], m[2], m[3], m[4], m[5], interfaces[1].name);
	}
	return 0;
}

static void put_endpoint(struct writer *out, const struct endpoint *e, bool six)
{
	if (!six) {
		writer_format(out, "%08X:%04X", e->address.family ? raw_of(&e->address) : 0,
			      e->port);
		return;
	}
	for (int i = 0; i < 4; i++) {
		uint32_t part;

		memcpy(&part, e->address.bytes + 4 * (size_t)i, 4);
		if (e->address.family == 4)
			part = i == 2 ? htonl(0xffff) : i == 3 ? raw_of(&e->address) : 0;
		writer_format(out, "%08X", part);
	}
	writer_format(out, ":%04X", e->port);
}

static int put_sockets(const struct file_access *access, struct writer *out, bool udp, bool six)
{
	struct host_socket s;
	unsigned row = 0;

	if (udp)
		writer_text(
			out,
			six ? "   sl  local_address                         remote_address"
			      "                        st tx_queue rx_queue tr tm->when "
			      "retrnsmt   uid  timeout inode ref pointer drops\n"
			    : "   sl  local_address rem_address   st tx_queue rx_queue tr "
			      "tm->when retrnsmt   uid  timeout inode ref pointer drops            "
			      " \n");
	else
		writer_text(out, six ? "  sl  local_address                         remote_address "
				       "                       st tx_queue rx_queue tr tm->when "
				       "retrnsmt   uid  timeout inode\n"
				     : "  sl  local_address rem_address   st tx_queue rx_queue tr "
				       "tm->when retrnsmt   uid  timeout inode"
				       "                                                     \n");
	for (size_t i = 0;
	     host_socket_at(live_host(access), access->process ? access->process->machine : NULL,
			    access->now, i, &s);
	     i++) {
		char line[256];
		struct writer w = writer_fixed(line, sizeof(line) - 1);

		if (s.udp != udp || s.six != six)
			continue;
		writer_format(&w, udp ? "%5u: " : "%4u: ", row++);
		put_endpoint(&w, &s.local, six);
		writer_u8(&w, ' ');
		put_endpoint(&w, &s.remote, six);
		writer_format(&w, " %02X 00000000:00000000 %s 00000000 %5u        0 %u",
			      udp           ? 7
			      : s.listening ? 10
					    : 1,
			      s.listening || udp ? "00:00000000" : "02:000A7B2C", s.uid, s.inode);
		writer_format(&w,
			      udp           ? " 2 %016llx 0"
			      : s.listening ? " 1 %016llx 100 0 0 10 0"
					    : " 4 %016llx 24 4 29 10 -1",
			      0x00000000a1000000ull + s.inode * 0x3d7ull);
		line[w.length] = 0;
		writer_format(out, six ? "%s\n" : udp ? "%-127s\n" : "%-149s\n", line);
	}
	return 0;
}

int proc_net_tcp(const struct file_access *access, struct writer *out)
{
	return put_sockets(access, out, false, false);
}

int proc_net_tcp6(const struct file_access *access, struct writer *out)
{
	return put_sockets(access, out, false, true);
}

int proc_net_udp(const struct file_access *access, struct writer *out)
{
	return put_sockets(access, out, true, false);
}

int proc_net_udp6(const struct file_access *access, struct writer *out)
{
	return put_sockets(access, out, true, true);
}

int proc_net_unix(const struct file_access *access, struct writer *out)
{
	static const char *const paths[] = {
		"/run/systemd/notify",          "/run/systemd/private",
		"/run/systemd/journal/dev-log", "/run/systemd/journal/stdout",
		"/run/systemd/journal/socket",  "/run/udev/control",
		"/run/dbus/system_bus_socket",  ""};
	const struct host *host = live_host(access);
	unsigned inode = (unsigned)host_fact(host, "unix sockets", 9800, 13000);

	writer_text(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
		writer_format(out, "%016llx: 00000002 00000000 %s %s %5u%s%s\n",
			      0x00000000c2000000ull + (inode + i) * 0x1b3ull,
			      *paths[i] ? "00010000" : "00000000",
			      !*paths[i]                   ? "0001 03"
			      : i == 0 || i == 2 || i == 4 ? "0002 01"
			      : i == 5                     ? "0005 01"
							   : "0001 01",
			      inode + (unsigned)i * 3, *paths[i] ? " " : "", paths[i]);
	return 0;
}

int proc_net_if_inet6(const struct file_access *access, struct writer *out)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(live_host(access), &interfaces);

	for (size_t i = 0; i < count; i++) {
		writer_hex(out, slice_of(interfaces[i].address6.bytes, 16));
		writer_format(out, " %02x %02x %s 80 %8s\n", interfaces[i].index,
			      interfaces[i].prefix6, i ? "20" : "10", interfaces[i].name);
	}
	return 0;
}

int proc_net_fib_trie(const struct file_access *access, struct writer *out)
{
	const struct host_interface *interfaces, *eth;
	char own[ADDRESS_TEXT_MAX], network[ADDRESS_TEXT_MAX], broadcast[ADDRESS_TEXT_MAX];
	struct address base;

	(void)host_interfaces(live_host(access), &interfaces);
	eth = &interfaces[1];
	base = address_network(&eth->address, eth->prefix);
	address_text(&base, network);
	address_text(&eth->address, own);
	address_text(&eth->broadcast, broadcast);
	for (int table = 0; table < 2; table++)
		writer_format(
			out,
			"%s:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe "
			"UNICAST\n     +-- %s/24 2 0 2\n        +-- %s/25 2 0 2\n           |-- "
			"%s\n              /24 link UNICAST\n           |-- %s\n              /32 "
			"host LOCAL\n        |-- %s\n           /32 link BROADCAST\n     +-- "
			"127.0.0.0/8 2 0 2\n        +-- 127.0.0.0/31 1 0 0\n           |-- "
			"127.0.0.0\n              /8 host LOCAL\n           |-- 127.0.0.1\n     "
			"         /32 host LOCAL\n        |-- 127.255.255.255\n           /32 link "
			"BROADCAST\n",
			table ? "Local" : "Main", network, network, network, own, broadcast);
	return 0;
}

int proc_net_sockstat(const struct file_access *access, struct writer *out)
{
	struct host_socket s;
	unsigned tcp = 0, udp = 0;

	for (size_t i = 0;
	     host_socket_at(live_host(access), access->process ? access->process->machine : NULL,
			    access->now, i, &s);
	     i++) {
		if (s.udp)
			udp += !s.six;
		else
			tcp += !s.six;
	}
	writer_format(
		out,
		"sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc %u mem %u\nUDP: inuse %u mem "
		"0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
		140 + tcp + udp, tcp, tcp + 3, 1 + tcp / 4, udp);
	return 0;
}

int proc_net_snmp(const struct file_access *access, struct writer *out)
{
	struct host_traffic t = host_traffic(live_host(access), 1, access->now);
	unsigned long long in = t.received_packets, sent = t.sent_packets;

	writer_format(
		out,
		"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		"InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		"ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
		"Ip: 2 64 %llu 0 0 0 0 0 %llu %llu 20 0 0 0 0 0 0 0 0\n"
		"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		"EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
		"Tcp: 1 200 120000 -1 %llu %llu %llu %llu 1 %llu %llu %llu 0 %llu 0\n"
		"Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		"InCsumErrors IgnoredMulti MemErrors\nUdp: %llu %llu 0 %llu 0 0 0 0 0\n",
		in, in - in / 300, sent, sent / 700, in / 60, in / 900, in / 400, in * 9 / 10,
		sent * 9 / 10, sent / 500, in / 100, in / 40, in / 700, sent / 30);
	return 0;
}
