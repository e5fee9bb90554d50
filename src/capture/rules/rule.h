/* A rule ready to be evaluated: flat arrays of small tests.
 *
 * Conditions ask about the packet, the flow, the facts of a transaction; they have no position.
 * Parts look into buffers: each part is one buffer and the tests on it in the rule's order, where a
 * relative test begins at the end of the match before it. When a later relative test fails, earlier
 * contents are tried at their next occurrence, up to RULE_STEPS_MAX times in all.
 */
#ifndef CAPTURE_RULES_RULE_H
#define CAPTURE_RULES_RULE_H

#include "capture/flow.h"
#include "capture/rules/sets.h"

#define RULE_STEPS_MAX      3000 /* as Suricata's inspection-recursion-limit */
#define RULE_VARIABLES_MAX  16   /* byte_extract and byte_math names of one rule */
#define RULE_TRANSFORMS_MAX 4
#define RULE_CONTENT_MAX    8192
#define RULE_BASE64_MAX     8192

struct match;
struct test;

/* A number of an option: itself, or the variable number variable - 1. */
struct rule_number {
	int64_t value;
	uint8_t variable;
};

struct content_test {
	struct slice bytes; /* lower case if nocase */
	bool nocase, has_depth, has_offset, has_distance, has_within;
	bool starts, ends, fast, fast_only;
	struct rule_number depth, offset, distance, within;
};

struct regex_test {
	struct regex_code *code; /* regex.h */
	bool relative;
};

enum compare {
	COMPARE_EQUAL,
	COMPARE_NOT,
	COMPARE_LESS,
	COMPARE_MORE,
	COMPARE_AT_MOST,
	COMPARE_AT_LEAST,
	COMPARE_BETWEEN,
	COMPARE_AND,
	COMPARE_NAND,
	COMPARE_OR
};

/* A number compared: dsize:>100, ttl:1-5, urilen:<20 ... */
struct number_test {
	enum compare compare;
	int64_t low, high;
	uint16_t fact; /* enum fact_id, for tests of facts */
};

/* Any of several, of one fact. */
struct number_list {
	const struct number_test *items;
	size_t count;
};

enum byte_flags {
	BYTE_LITTLE = 1,
	BYTE_STRING = 2, /* the bytes are digits */
	BYTE_ALIGN = 4,
	BYTE_FROM_BEGINNING = 8,
	BYTE_FROM_END = 16,
	BYTE_RELATIVE = 32,
	BYTE_DCE = 64,
};

struct byte_test {
	struct rule_number count, offset, value; /* value: of byte_test, right side of byte_math */
	uint8_t base;                            /* 8, 10, 16 of digits */
	uint8_t flags;
	uint8_t compare; /* enum compare, or the operator of byte_math: + - * / < > */
	bool not_;
	uint8_t variable; /* that byte_extract and byte_math set, + 1 */
	uint32_t multiplier;
	int32_t post;
	uint32_t bitmask;
	uint8_t bitmask_shift;
	uint8_t align;
};

struct base64_test {
	struct rule_number bytes, offset;
	bool relative;
};

struct flags_test {
	uint16_t wanted, ignored;
	char how; /* '=' exactly, '+' at least, '*' any, '!' none */
};

/* flowint: a number of the flow's; the right side is another one of them, or a value. */
struct flow_number_test {
	uint16_t name, other; /* other: name + 1 of the right side; 0: value */
	uint32_t value;
	uint8_t compare; /* enum compare; of an effect '=', '+' or '-' */
	bool presence;   /* it only asks whether there is such a number */
};

enum bit_action { BIT_SET, BIT_UNSET, BIT_TOGGLE, BIT_IS_SET, BIT_IS_NOT_SET };

enum mark_track { MARK_SOURCE, MARK_DESTINATION, MARK_PAIR };

/* xbits, hostbits: a mark that an address or a pair of them bears for some time. */
struct mark_test {
	uint16_t name;
	uint8_t action; /* enum bit_action */
	uint8_t track;  /* enum mark_track */
	uint32_t seconds;
};

struct text_test {
	const char *text;
	int64_t number;
};

struct test {
	/* Whether it holds; a test of a buffer begins at match->position and may move it. */
	bool (*holds)(const struct test *test, struct match *match);
	/* Contents and regular expressions: the next place from *from on where it matches; *from is
	 * moved behind the beginning of that match, so that the next call finds the next. */
	bool (*find)(const struct test *test, struct match *match, size_t position, size_t *from,
		     size_t *end);
	bool negated;
	bool relative; /* begins where the test before it ended */
	bool regex;    /* as.regex.code is to be freed */
	bool retried;  /* a later relative test depends on which match this one finds */
	union {
		struct content_test content;
		struct regex_test regex;
		struct number_test number;
		struct number_list numbers;
		struct byte_test byte;
		struct base64_test base64;
		struct flags_test flags;
		struct text_test text;
		struct flow_number_test flow_number;
		struct mark_test mark;
	} as;
};

/* What a rule does when it has matched, besides its alert. */
struct effect {
	void (*take)(const struct effect *effect, struct match *match);
	union {
		struct flow_number_test flow_number;
		struct mark_test mark;
	} as;
};

/* Makes other bytes of a buffer's; output in memory of the match. */
typedef struct slice transform(struct slice in, struct writer *out, struct slice argument);

/* Whether all it does is to put a dot in front. */
bool transform_adds_dot(transform *make);

struct part {
	enum buffer_id buffer;
	bool absent_too; /* it holds where there is no such buffer */
	uint8_t transform_count;
	struct {
		transform *make;
		struct slice argument;
	} transforms[RULE_TRANSFORMS_MAX];
	struct test *tests;
	size_t count;
};

/* flowbits; several names joined by | ask for any of them. */
struct bit_step {
	enum bit_action action;
	uint16_t *bits;
	size_t count;
};

enum threshold_kind {
	THRESHOLD_NONE,
	THRESHOLD_LIMIT,
	THRESHOLD_THRESHOLD,
	THRESHOLD_BOTH,
	THRESHOLD_FILTER
};

struct threshold {
	enum threshold_kind kind;
	bool by_destination, by_both, by_rule;
	uint32_t count, seconds;
};

enum { KIND_PACKET = 1, KIND_STREAM = 2, KIND_TRANSACTION = 4 };
enum { SIDE_SERVER = 1, SIDE_CLIENT = 2 };

enum rule_target { TARGET_UNKNOWN, TARGET_SOURCE, TARGET_DESTINATION };

enum rule_action { ACTION_ALERT, ACTION_PASS, ACTION_DROP, ACTION_REJECT, ACTION_LOG };

struct rule {
	uint32_t sid, gid, revision;
	uint8_t priority; /* 1 (highest) to 4; of its class where it names none */
	uint8_t action;
	const char *message, *class_type, *reference, *file;
	const char *class_title; /* as classification.config has it; NULL: unknown */
	unsigned line;
	struct slice text;     /* all of it */
	struct slice metadata; /* "key value, key value"; of several the first */
	uint8_t target;        /* enum rule_target */

	uint8_t kinds, sides,
		transports;  /* bit sets; transports: 1 << enum packet_transport; 0: any IP */
	uint8_t application; /* enum application_id; NONE: any */
	bool established, not_established, both_ways, no_alert, tests_bits, sets_bits;
	bool ip_only;               /* it asks for addresses only */
	bool once;                  /* once a flow and direction is enough */
	bool first_only;            /* once a flow: when its application is found out */
	bool asks_sums;             /* packets with wrong sums are shown to it too */
	bool only_clears;           /* of flowbits: it unsets some and does nothing else to them */
	bool packet_without_stream; /* packets only where their bytes reach no stream */
	struct address_set *source, *destination;
	struct port_set *source_ports, *destination_ports;
	struct test *conditions;
	size_t condition_count;
	struct part *parts;
	size_t part_count;
	struct bit_step *bit_steps;
	size_t bit_step_count;
	struct effect *effects;
	size_t effect_count;
	struct regex_capture *captures; /* of pcrexform; freed with the rule */
	struct threshold threshold;
	bool suppressed; /* by the owner, between some addresses */
	/* What it is found by; NULL: it is evaluated always. */
	const struct content_test *fast;
	enum buffer_id fast_buffer;
	uint32_t index; /* place among the engine's */
	uint64_t hits;
};

/* One evaluation under way. */
struct match {
	const struct rule *rule;
	const struct inspection *inspection;
	struct slice buffer;
	size_t position; /* end of the last match in the buffer */
	size_t seen;     /* bytes of the buffer that were looked at before */
	unsigned steps;
	uint64_t variables[RULE_VARIABLES_MAX];
	bool base64_known;
	struct slice base64;
	struct writer *base64_room;
	struct writer *rooms; /* two of them, for transforms */
	struct regex_memory *regex_memory;
	struct marks *marks; /* of xbits and hostbits */
};

/* Whether all conditions and parts hold. */
bool match_rule(struct match *match);

/* The number that an option's number is now. */
static inline int64_t match_number(const struct match *match, const struct rule_number *number)
{
	return number->variable ? (int64_t)match->variables[number->variable - 1] : number->value;
}

/* The value of a metadata key ("cve", "mitre_technique_id", "signature_severity"); the first, where
 * there are several. Empty with at NULL: there is none. */
struct slice rule_metadata(const struct rule *rule, const char *key);

bool compare_number(const struct number_test *test, int64_t value);

#endif
