/* Access policy: who gets in, and how far (DESIGN 5.3).
 *
 * Ordered rules; the first that matches decides. What a source tried, and which pair it got in
 * with, is remembered in a fixed table in memory that all workers share and that survives a
 * restart. An IPv6 source counts by its /64. Where only a response is known, a user that got in
 * gets in again.
 */
#ifndef DECOY_ACCESS_H
#define DECOY_ACCESS_H

#include "base/config.h"

enum access_depth { ACCESS_NONE, ACCESS_LOGIN, ACCESS_USER, ACCESS_ROOT };
extern const char *const access_depth_names[]; /* none, login, user, root; ends with NULL */

enum access_override { ACCESS_AS_CONFIGURED, ACCESS_ALWAYS, ACCESS_NEVER };

struct access_policy;
struct access_memory;

/* One try to log in. */
struct access_try {
	const char *protocol;
	struct address source;
	struct slice user;
	struct slice password; /* or, for challenge and response, the response */
	bool password_known;   /* false: only a response is at hand, rules on passwords do not match
				*/
	int64_t now;           /* wall clock, microseconds */
	uint64_t draw; /* random bits for rules with a chance, where there is no memory (with
			* memory the chance is drawn once for a source and pair) */
};

struct access_decision {
	bool allowed;
	enum access_depth depth;
	const char *rule; /* name of the rule that decided; lives as long as the policy */
	unsigned tries;   /* distinct pairs of this source and protocol so far, with this one */
};

/* From the `access` list of the configuration (NULL: none); the built-in rules stand
 * behind its own. */
struct access_policy *access_policy_take(struct config *config, const struct config_node *list,
					 enum access_override override);
void access_policy_free(struct access_policy *policy);

/* Size of the shared table, to be mapped by the caller (zeroed at first; a file that survives).
 * access_memory_at checks its header and clears it when it is of another version. */
size_t access_memory_size(void);
struct access_memory *access_memory_at(void *mapped, const uint64_t key[2]);

/* Decides and remembers. Never fails; touches one bucket of the table. */
struct access_decision access_decide(const struct access_policy *policy,
				     struct access_memory *memory,
				     const struct access_try *attempt);

/* The tables of this module, for docs/CONFIGURATION.md. */
extern const struct config_section access_section;

#endif
