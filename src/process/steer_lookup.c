/* Steering by the kernel's socket lookup: the program, instruction by instruction, and its three
 * maps (BPF_PROG_TYPE_SK_LOOKUP, Linux 5.9; struct bpf_sk_lookup of linux/bpf.h).
 *
 * Established connections and connected datagram sockets are looked up before it, so that what this
 * host itself began is not touched; ports on the list of those to leave are passed on to the
 * ordinary lookup. The link is a descriptor of this process; the kernel takes it away with its last
 * owner, however that one ends. It holds for the network namespace that the process is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/steer_inside.h"

struct steer_lookup {
	int ports, addresses, sockets; /* maps */
	int program, link;
};

/* --- the kernel's call --- */

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int make_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries)
{
	union bpf_attr attributes = {0};

	attributes.map_type = type;
	attributes.key_size = key;
	attributes.value_size = value;
	attributes.max_entries = entries;
	return bpf(BPF_MAP_CREATE, &attributes);
}

static int put(int map, const void *key, const void *value)
{
	union bpf_attr attributes = {0};

	attributes.map_fd = (uint32_t)map;
	attributes.key = (uintptr_t)key;
	attributes.value = (uintptr_t)value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

/* --- the program --- */

/* Instructions as bpf_conf/Documentation (instruction-set.rst) names them. */
#define OP(code_, to, from, jump, number)     \
	((struct bpf_insn){.code = (code_),   \
			   .dst_reg = (to),   \
			   .src_reg = (from), \
			   .off = (jump),     \
			   .imm = (number)})
#define MOVE(to, from)        OP(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, number)       OP(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, number)
#define AND(to, number)       OP(BPF_ALU64 | BPF_AND | BPF_K, to, 0, 0, number)
#define OR(to, number)        OP(BPF_ALU64 | BPF_OR | BPF_K, to, 0, 0, number)
#define ADD(to, number)       OP(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, number)
#define ADD_TO(to, from)      OP(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0)
#define SHIFT(to, number)     OP(BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, number)
#define SHIFT_BY(to, from)    OP(BPF_ALU64 | BPF_RSH | BPF_X, to, from, 0, 0)
#define READ32(to, from, at)  OP(BPF_LDX | BPF_MEM | BPF_W, to, from, (int16_t)(at), 0)
#define READ8(to, from, at)   OP(BPF_LDX | BPF_MEM | BPF_B, to, from, at, 0)
#define WRITE32(to, at, from) OP(BPF_STX | BPF_MEM | BPF_W, to, from, at, 0)
#define PUT32(to, at, number) OP(BPF_ST | BPF_MEM | BPF_W, to, 0, at, number)
#define CALL(number)          OP(BPF_JMP | BPF_CALL, 0, 0, 0, number)
#define END()                 OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Jumps name a label; finish() turns it into a distance. */
#define IF_EQUAL(register_, number, label) \
	OP(BPF_JMP | BPF_JEQ | BPF_K, register_, 0, label, number)
#define IF_NOT_EQUAL(register_, number, label) \
	OP(BPF_JMP | BPF_JNE | BPF_K, register_, 0, label, number)
#define GO(label) OP(BPF_JMP | BPF_JA, 0, 0, label, 0)

enum { R0, R1, R2, R3, R4, R5, CONTEXT, PROTOCOL, PORT, FAMILY, FRAME };
enum {
	LABELS_FROM = 1000,
	PASS = LABELS_FROM,
	TCP_BIT,
	IPV6_KEY,
	ASK,
	FOUND,
	TAKE,
	TCP_INDEX,
	V4_INDEX,
	LABELS_END
};

#define CODE_MAX 96
#define KEY      (-16) /* an address, in the frame */
#define NUMBER   (-20) /* an index of a map */

struct code {
	struct bpf_insn at[CODE_MAX];
	size_t count;
	size_t labels[LABELS_END - LABELS_FROM];
};

static void add(struct code *code, struct bpf_insn instruction)
{
	code->at[code->count++] = instruction;
}

static void label(struct code *code, int name)
{
	code->labels[name - LABELS_FROM] = code->count;
}

/* The descriptor of a map into R1, in two instructions. */
static void add_map(struct code *code, int map)
{
	add(code, OP(BPF_LD | BPF_DW | BPF_IMM, R1, BPF_PSEUDO_MAP_FD, 0, map));
	add(code, OP(0, 0, 0, 0, 0));
}

static void add_lookup(struct code *code, int map, int key)
{
	add_map(code, map);
	add(code, MOVE(R2, FRAME));
	add(code, ADD(R2, key));
	add(code, CALL(BPF_FUNC_map_lookup_elem));
}

static void finish(struct code *code)
{
	for (size_t i = 0; i < code->count; i++) {
		struct bpf_insn *instruction = &code->at[i];
		bool jumps =
			BPF_CLASS(instruction->code) == BPF_JMP && instruction->off >= LABELS_FROM;

		if (jumps)
			instruction->off =
				(int16_t)(code->labels[instruction->off - LABELS_FROM] - i - 1);
	}
}

#define FIELD(name) offsetof(struct bpf_sk_lookup, name)

/* Ports that are left alone go to PASS. */
static void ask_port(struct code *code, const struct steer_lookup *steer)
{
	add(code, PUT32(FRAME, NUMBER, 0));
	add_lookup(code, steer->ports, NUMBER);
	add(code, IF_EQUAL(R0, 0, PASS));
	add(code, MOVE(R1, PORT));
	add(code, IF_NOT_EQUAL(PROTOCOL, IPPROTO_UDP, TCP_BIT));
	add(code, OR(R1, STEER_PORTS));
	label(code, TCP_BIT);
	add(code, AND(R1, 2 * STEER_PORTS - 1));
	add(code, MOVE(R2, R1));
	add(code, SHIFT(R2, 3));
	add(code, ADD_TO(R0, R2));
	add(code, READ8(R3, R0, 0));
	add(code, AND(R1, 7));
	add(code, SHIFT_BY(R3, R1));
	add(code, AND(R3, 1));
	add(code, IF_NOT_EQUAL(R3, 0, PASS));
}

/* Addresses that are not ours go to PASS. The key is 16 bytes, IPv4 mapped (RFC 4291, 2.5.5.2). */
static void ask_address(struct code *code, const struct steer_lookup *steer, bool everywhere)
{
	add(code, IF_EQUAL(FAMILY, AF_INET6, IPV6_KEY));
	add(code, PUT32(FRAME, KEY, 0));
	add(code, PUT32(FRAME, KEY + 4, 0));
	add(code, PUT32(FRAME, KEY + 8, (int32_t)htonl(0xffff)));
	add(code, READ32(R1, CONTEXT, FIELD(local_ip4)));
	add(code, WRITE32(FRAME, KEY + 12, R1));
	add(code, GO(ASK));
	label(code, IPV6_KEY);
	for (int i = 0; i < 4; i++) {
		add(code, READ32(R1, CONTEXT, FIELD(local_ip6) + 4 * (size_t)i));
		add(code, WRITE32(FRAME, (int16_t)(KEY + 4 * i), R1));
	}
	label(code, ASK);
	add_lookup(code, steer->addresses, KEY);
	add(code, IF_NOT_EQUAL(R0, 0, FOUND));
	if (!everywhere) {
		add(code, GO(PASS));
	} else {
		add(code, IF_NOT_EQUAL(FAMILY, AF_INET, TAKE));
		add(code, READ8(R1, FRAME, KEY + 12));
		add(code, IF_EQUAL(R1, 127, PASS));
		add(code, GO(TAKE));
	}
	label(code, FOUND);
	add(code, READ8(R1, R0, 0));
	add(code, IF_EQUAL(R1, 0, PASS));
	label(code, TAKE);
}

static void take(struct code *code, const struct steer_lookup *steer)
{
	add(code, SET(R1, STEER_TCP4));
	add(code, IF_NOT_EQUAL(PROTOCOL, IPPROTO_UDP, TCP_INDEX));
	add(code, SET(R1, STEER_UDP4));
	label(code, TCP_INDEX);
	add(code, IF_EQUAL(FAMILY, AF_INET, V4_INDEX));
	add(code, ADD(R1, 1));
	label(code, V4_INDEX);
	add(code, WRITE32(FRAME, NUMBER, R1));
	add_lookup(code, steer->sockets, NUMBER);
	add(code, IF_EQUAL(R0, 0, PASS));
	add(code, MOVE(PROTOCOL, R0)); /* its register is free now */
	add(code, MOVE(R1, CONTEXT));
	add(code, MOVE(R2, R0));
	add(code, SET(R3, 0));
	add(code, CALL(BPF_FUNC_sk_assign));
	add(code, MOVE(R1, PROTOCOL));
	add(code, CALL(BPF_FUNC_sk_release));
	label(code, PASS); /* without a socket the ordinary lookup goes on */
	add(code, SET(R0, SK_PASS));
	add(code, END());
}

static int load(struct steer_lookup *steer, bool everywhere, char *log, size_t size)
{
	struct code code = {.count = 0};
	union bpf_attr attributes = {0};

	add(&code, MOVE(CONTEXT, R1));
	add(&code, READ32(PROTOCOL, CONTEXT, FIELD(protocol)));
	add(&code, READ32(PORT, CONTEXT, FIELD(local_port)));
	add(&code, READ32(FAMILY, CONTEXT, FIELD(family)));
	ask_port(&code, steer);
	ask_address(&code, steer, everywhere);
	take(&code, steer);
	finish(&code);
	attributes.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
	attributes.expected_attach_type = BPF_SK_LOOKUP;
	attributes.insns = (uintptr_t)code.at;
	attributes.insn_cnt = (uint32_t)code.count;
	attributes.license = (uintptr_t) "MIT";
	memcpy(attributes.prog_name, "sundew_steer", sizeof("sundew_steer"));
	if (log) {
		attributes.log_buf = (uintptr_t)log;
		attributes.log_size = (uint32_t)size;
		attributes.log_level = 1;
	}
	steer->program = bpf(BPF_PROG_LOAD, &attributes);
	return steer->program;
}

/* --- attaching --- */

static int fill(struct steer_lookup *steer, const struct steer_setup *setup)
{
	static const uint8_t yes = 1, no = 0;
	struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;

	if (setup->everywhere && put(steer->addresses, &loopback, &no) < 0)
		return -1;
	for (size_t i = 0; i < setup->address_count; i++) {
		const struct address *address = &setup->addresses[i];
		uint8_t key[16] = {[10] = 0xff, [11] = 0xff};

		if (address->family == 4)
			memcpy(key + 12, address->bytes, 4);
		else
			memcpy(key, address->bytes, 16);
		if (put(steer->addresses, key, &yes) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < STEER_SOCKETS; i++) {
		uint64_t descriptor = (uint64_t)setup->sockets[i];

		if (setup->sockets[i] >= 0 && put(steer->sockets, &i, &descriptor) < 0)
			return -1;
	}
	return 0;
}

static void lookup_close(void *state)
{
	struct steer_lookup *steer = state;

	if (!steer)
		return;
	const int all[] = {steer->link, steer->program, steer->ports, steer->addresses,
			   steer->sockets};

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		if (all[i] >= 0)
			close(all[i]);
	}
	free(steer);
}

static struct steer_lookup *load_new(bool everywhere, char why[STEER_WHY])
{
	struct steer_lookup *steer = calloc(1, sizeof(*steer));
	char log[65536] = "";

	if (!steer) {
		snprintf(why, STEER_WHY, "out of memory");
		return NULL;
	}
	steer->program = steer->link = -1;
	steer->ports = make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct steer_ports), 1);
	steer->addresses = make_map(BPF_MAP_TYPE_HASH, 16, 1, STEER_ADDRESSES + 1);
	steer->sockets = make_map(BPF_MAP_TYPE_SOCKMAP, 4, 8, STEER_SOCKETS);
	if (steer->ports < 0 || steer->addresses < 0 || steer->sockets < 0) {
		snprintf(why, STEER_WHY, "making BPF maps: %s%s", strerror(errno),
			 errno == EPERM ? " (it needs root)" : "");
		lookup_close(steer);
		return NULL;
	}
	if (load(steer, everywhere, NULL, 0) < 0) {
		int problem = errno;
		const char *last;

		(void)load(steer, everywhere, log, sizeof(log));
		last = strrchr(log, '\n');
		while (last && last > log && last[-1] != '\n')
			last--;
		snprintf(why, STEER_WHY, "loading the BPF program: %s%s%.100s", strerror(problem),
			 last ? ": " : "", last ? last : "");
		lookup_close(steer);
		return NULL;
	}
	return steer;
}

static int attach(struct steer_lookup *steer)
{
	union bpf_attr attributes = {0};
	int space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), problem;

	if (space < 0)
		return -1;
	attributes.link_create.prog_fd = (uint32_t)steer->program;
	attributes.link_create.target_fd = (uint32_t)space;
	attributes.link_create.attach_type = BPF_SK_LOOKUP;
	steer->link = bpf(BPF_LINK_CREATE, &attributes);
	problem = errno;
	close(space);
	errno = problem;
	return steer->link < 0 ? -1 : 0;
}

static int lookup_leave(void *state, const struct steer_ports *leave)
{
	struct steer_lookup *steer = state;
	uint32_t key = 0;

	return put(steer->ports, &key, leave);
}

static void *lookup_open(const struct steer_setup *setup, const struct steer_ports *leave,
			 char why[STEER_WHY])
{
	struct steer_lookup *steer = load_new(setup->everywhere, why);

	if (!steer)
		return NULL;
	if (fill(steer, setup) < 0 || lookup_leave(steer, leave) < 0) {
		snprintf(why, STEER_WHY, "filling BPF maps: %s", strerror(errno));
	} else if (attach(steer) < 0) {
		snprintf(why, STEER_WHY, "attaching the BPF program: %s", strerror(errno));
	} else {
		return steer;
	}
	lookup_close(steer);
	return NULL;
}

static bool lookup_possible(char why[STEER_WHY])
{
	struct steer_lookup *steer = load_new(true, why);

	lookup_close(steer);
	return steer != NULL;
}

const struct steer_kind steer_lookup_kind = {"sk_lookup", lookup_open, lookup_leave, lookup_close,
					     lookup_possible};
