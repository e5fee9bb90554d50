/* Rules of the access policy: how they are written and what they match. */
#ifndef DECOY_ACCESS_RULE_H
#define DECOY_ACCESS_RULE_H

#include "decoy/access.h"

enum access_outcome { OUTCOME_REFUSE, OUTCOME_ACCEPT, OUTCOME_ACCEPT_AFTER, OUTCOME_REMEMBER };

struct access_range {
	int64_t low, high;
};

struct access_rule {
	const char *name;
	struct config_texts protocols, users, passwords, source_texts;
	const char *hours_text, *tries_text, *after_text;
	double chance;
	int plausible, outcome, depth;
	/* From the texts above. */
	struct network *networks;
	struct access_range hours, tries, after;
};

/* What a rule is held against. */
struct access_case {
	const struct access_try *attempt;
	unsigned tries;
	bool plausible;
	uint64_t chance; /* bits of this source and pair */
};

/* Fills a rule from the file; errors are kept in config. */
void access_rule_take(struct config *config, const struct config_node *node,
		      struct access_rule *rule);
bool access_rule_matches(const struct access_rule *rule, const struct access_case *facts);
/* Could a person or a word list have meant this pair? Long random strings, which are sent to tell
 * honeypots that let anybody in, and bytes that no keyboard makes are not plausible. */
bool access_rule_plausible(const struct access_try *attempt);
/* '*' stands for any bytes, '?' for one. */
bool access_rule_glob(const char *pattern, struct slice text);

#endif
