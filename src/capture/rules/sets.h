/* Addresses and ports of a rule's header, with $VARIABLES, lists, ranges and negation, as sorted
 * ranges that a packet's endpoint is looked up in. */
#ifndef CAPTURE_RULES_SETS_H
#define CAPTURE_RULES_SETS_H

#include "base/address.h"
#include "base/arena.h"

#define SET_DEPTH_MAX  16     /* lists in lists, variables in variables */
#define SET_RANGES_MAX 100000 /* of one set */
#define VARIABLES_MAX  256

/* $NAME -> expression, both borrowed. */
struct variable {
	const char *name, *value;
};

/* What a honeypot wants: everything that comes in is from outside, everything here is home. */
extern const struct variable rule_variables_default[]; /* ends with a NULL name */

struct variables {
	struct variable items[VARIABLES_MAX];
	size_t count;
};
/* The defaults. */
void rule_variables_start(struct variables *variables);
/* Sets or replaces one; -1 when there are too many. */
MUST_CHECK int rule_variables_set(struct variables *variables, const char *name, const char *value);

struct address_range {
	uint8_t low[16], high[16];
};

struct address_set {
	struct address_range *v4, *v6; /* sorted, disjoint */
	size_t v4_count, v6_count;
};

struct port_set {
	struct port_range {
		uint16_t low, high;
	} * ranges;
	size_t count;
};

/* Compile an expression. *set is NULL when it means any. Memory from the arena. NULL, or a reason.
 */
const char *address_set_read(struct slice expression, const struct variables *variables,
			     struct arena *arena, struct address_set **set);
const char *port_set_read(struct slice expression, const struct variables *variables,
			  struct arena *arena, struct port_set **set);

/* NULL holds everything. */
bool address_set_holds(const struct address_set *set, const struct address *address);
bool port_set_holds(const struct port_set *set, uint16_t port);

#endif
