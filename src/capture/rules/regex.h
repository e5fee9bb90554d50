/* Regular expressions of rules: PCRE2, compiled to machine code, with limits on what one match may
 * cost. */
#ifndef CAPTURE_RULES_REGEX_H
#define CAPTURE_RULES_REGEX_H

#include "base/bytes.h"

#define REGEX_MATCH_LIMIT 3500 /* as Suricata's default for both */
#define REGEX_DEPTH_LIMIT 1500
#define REGEX_HEAP_KIB    64

struct regex_code;
struct regex_memory;

enum {
	REGEX_NOCASE = 1,
	REGEX_DOTALL = 2,
	REGEX_MULTILINE = 4,
	REGEX_EXTENDED = 8,
	REGEX_ANCHORED = 16,
	REGEX_DOLLAR_END = 32,
	REGEX_UNGREEDY = 64,
};

/* NULL with a reason in why. */
struct regex_code *rule_regex_compile(struct slice pattern, unsigned flags, char why[120]);
void rule_regex_free(struct regex_code *code);
/* Of one thread; NULL when memory is out. */
struct regex_memory *rule_regex_memory_new(void);
void rule_regex_memory_free(struct regex_memory *memory);
/* The first match that begins at `from` or later. False also when a limit was reached. */
bool rule_regex_find(const struct regex_code *code, struct regex_memory *memory, struct slice in,
		     size_t from, size_t *begin, size_t *end);

/* An expression of which the first group is taken; they are kept in a list of their rule's. */
struct regex_capture;
/* NULL with a reason in why. `next` is the list so far. */
struct regex_capture *rule_regex_capture_new(struct slice pattern, struct regex_capture *next,
					     char why[120]);
/* What the first group matched; all of it where it does not match. */
struct slice rule_regex_capture(struct regex_capture *capture, struct slice in);
/* Frees all of the list; accepts NULL. */
void rule_regex_captures_free(struct regex_capture *captures);

#endif
