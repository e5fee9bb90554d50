/* Passive fingerprints of TCP stacks: p0f's signature language (version 3) and its way of matching
 * (https://lcamtuf.coredump.cx/p0f3/README), and MuonFP strings.
 *
 * A signature file is text, replaceable by the user; this reads the sections [mtu], [tcp:request]
 * and [tcp:response] and passes over the HTTP ones.
 */
#ifndef CAPTURE_FINGERPRINT_P0F_H
#define CAPTURE_FINGERPRINT_P0F_H

#include "capture/packet.h"

#define TCP_LAYOUT_MAX 24 /* options of a packet */
#define P0F_DISTANCE   35 /* hops; more is no distance any more */
#define TCP_PRINT_MAX  256

enum tcp_quirk {
	QUIRK_DF = 1 << 0,
	QUIRK_ID = 1 << 1,    /* id+: not zero though fragments are forbidden */
	QUIRK_NO_ID = 1 << 2, /* id-: zero though they are not */
	QUIRK_ECN = 1 << 3,
	QUIRK_RESERVED = 1 << 4, /* 0+ */
	QUIRK_FLOW = 1 << 5,
	QUIRK_NO_SEQ = 1 << 6,
	QUIRK_ACK = 1 << 7,    /* ack+: a number without the flag */
	QUIRK_NO_ACK = 1 << 8, /* ack-: the flag without a number */
	QUIRK_URGENT = 1 << 9, /* uptr+ */
	QUIRK_URG_FLAG = 1 << 10,
	QUIRK_PUSH = 1 << 11,
	QUIRK_NO_TS = 1 << 12,   /* ts1- */
	QUIRK_PEER_TS = 1 << 13, /* ts2+ */
	QUIRK_TRAILER = 1 << 14, /* opt+: bytes behind the end of the options */
	QUIRK_SCALE = 1 << 15,   /* exws: more than 14 */
	QUIRK_BAD = 1 << 16,
};

/* Their names in signatures, in the order of the bits; ends with NULL. */
extern const char *const tcp_quirk_names[];

/* What a SYN or SYN+ACK looks like. */
struct tcp_print {
	uint8_t version, ttl, layout[TCP_LAYOUT_MAX], layout_count, scale, end_padding;
	uint16_t options_length; /* of IP */
	uint16_t mss, window, headers;
	uint32_t quirks, timestamp;
	bool payload, response;
	int32_t multiplier; /* of the window: > 0, by_mtu tells of what */
	bool by_mtu;
};

/* Hops that a packet came, if it set out with the next of 32, 64, 128, 255. */
static inline unsigned ttl_distance(unsigned ttl)
{
	return (ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl;
}

/* `peer_mss` is that of the SYN when the packet is a SYN+ACK, 0: unknown. */
void tcp_print_of(struct tcp_print *print, const struct packet *packet, uint16_t peer_mss);
/* p0f's raw_sig. */
void tcp_print_text(const struct tcp_print *print, struct writer *out);
/* MuonFP: window:option kinds:mss:scale (github.com/sundruid/muonfp). */
void tcp_print_muonfp(const struct tcp_print *print, struct writer *out);

struct p0f;

/* Reads a signature file. NULL with a message ("line N: what is wrong") in why; unknown lines are
 * errors. */
struct p0f *p0f_read(struct slice text, char why[160]);
void p0f_free(struct p0f *p0f);

struct p0f_match {
	const char *label; /* "Linux 3.11 and newer"; NULL: none matched */
	bool application;  /* a tool (nmap, masscan ...), no operating system */
	bool generic, fuzzy;
	unsigned distance; /* hops */
	const char *link;  /* kind of link by its MTU; NULL: unknown */
};
struct p0f_match p0f_find(const struct p0f *p0f, const struct tcp_print *print);

/* Scanners that give themselves away without a database: "mirai", "zmap", "masscan", "nmap"; NULL:
 * none. Only for a SYN. */
const char *scanner_of(const struct packet *packet, const struct tcp_print *print);

#endif
