/* From a rule's text to a rule that can be evaluated. */
#ifndef CAPTURE_RULES_BUILD_H
#define CAPTURE_RULES_BUILD_H

#include "capture/rules/keyword.h"

#define NAMES_MAX FLOW_BITS_MAX

/* Names of flowbits, numbered as they come. */
struct rule_set_names {
	struct slice items[NAMES_MAX];
	size_t count;
};

/* Builds into *rule; all its memory is the arena's, but for regular expressions: rule_drop frees
 * those. NULL, or the reason why it was refused (in `why`); text->column tells where. priority is 0
 * where the rule names none. */
const char *rule_build(struct rule_text *text, const struct variables *variables,
		       struct rule_set_names *names, struct arena *arena, struct rule *rule,
		       char why[200]);
void rule_drop(struct rule *rule);
/* How good a content is to find a rule by: longer and more varied is better. */
unsigned content_strength(struct slice bytes);

#endif
