/* Access policy: decisions; see access.h. Rules are in access_rule.c, memory in access_memory.c. */
#include <stdlib.h>

#include "base/log.h"
#include "decoy/access_memory.h"
#include "decoy/access_rule.h"

#define RULES_MAX 256 /* each login is held against all of them */

/* The rules behind those of the configuration (DESIGN 5.3). Pairs that every scanner begins with
 * are refused for good: a host that still had them would have been taken long ago. The list is
 * short, lest all who go through the usual word lists get in with the first pair behind it. */
static const char standard_rules[] =
	"access:\n"
	"- {name: absurd-pair, plausible: no, outcome: refuse}\n"
	"- name: common-pair\n"
	"  passwords: ['', '123456', password, root, admin, '12345', '1234', test, guest, user]\n"
	"  outcome: refuse\n"
	"- name: persistent-root\n"
	"  users: [root, admin, administrator, Administrator, sa, toor]\n"
	"  chance: 0.6\n"
	"  outcome: accept-after\n"
	"  after: 4-12\n"
	"  depth: root\n"
	"- {name: persistent, outcome: accept-after, after: 4-12, depth: user}\n";

struct access_policy {
	struct config *standard; /* what the built-in rules were read into */
	struct access_rule *rules;
	size_t count;
	enum access_override override;
};

struct access_policy *access_policy_take(struct config *config, const struct config_node *list,
					 enum access_override override)
{
	struct access_policy *policy = calloc(1, sizeof(*policy));
	const struct config_node *standard;
	size_t count = config_count(list);

	if (!policy)
		return NULL;
	policy->override = override;
	policy->standard = config_parse(SLICE(standard_rules), "built-in access rules");
	if (!policy->standard)
		goto failed;
	standard = config_child(config_root(policy->standard), "access");
	if (count > RULES_MAX) {
		config_error(config, list, "more than %d access rules", RULES_MAX);
		count = RULES_MAX;
	}
	policy->rules = calloc(count + config_count(standard), sizeof(*policy->rules));
	if (!policy->rules)
		goto failed;
	for (size_t i = 0; i < count; i++)
		access_rule_take(config, config_item(list, i), &policy->rules[policy->count++]);
	for (size_t i = 0; i < config_count(standard); i++)
		access_rule_take(policy->standard, config_item(standard, i),
				 &policy->rules[policy->count++]);
	if (config_finish(policy->standard))
		fatal("%s", config_error_text(policy->standard, 0));
	return policy;
failed:
	access_policy_free(policy);
	return NULL;
}

void access_policy_free(struct access_policy *policy)
{
	if (!policy)
		return;
	free(policy->rules);
	config_free(policy->standard);
	free(policy);
}

/* Who tries: an IPv6 source is its /64, for each of them has more addresses than the table. */
static uint64_t hash_source(const struct access_memory *memory, const struct access_try *attempt)
{
	struct address source = attempt->source;
	uint8_t room[64];
	struct writer w = writer_fixed(room, sizeof(room));

	if (source.family == 6)
		source = address_network(&source, 64);
	writer_u8(&w, source.family);
	writer_bytes(&w, slice_of(source.bytes, sizeof(source.bytes)));
	writer_bytes(&w, slice_first(slice_text(attempt->protocol), 32));
	return access_memory_hash(memory, writer_slice(&w));
}

static uint64_t hash_two(const struct access_memory *memory, uint64_t a, uint64_t b)
{
	uint64_t both[2] = {a, b};

	return access_memory_hash(memory, slice_of(both, sizeof(both)));
}

static uint64_t hash_pair(const struct access_memory *memory, const struct access_try *attempt)
{
	return hash_two(memory, access_memory_hash(memory, attempt->user),
			access_memory_hash(memory, attempt->password));
}

/* What lets in again. Where only a response is at hand, it differs each time though the password is
 * the same: then the user alone has to do. */
static uint64_t hash_door(const struct access_memory *memory, const struct access_try *attempt,
			  uint64_t pair)
{
	return attempt->password_known
		       ? pair
		       : hash_two(memory, access_memory_hash(memory, attempt->user), 'U');
}

/* How many distinct tries this source makes before a pair is let in. */
static int64_t tries_before(const struct access_rule *rule, const struct access_memory *memory,
			    uint64_t tag)
{
	uint64_t span = (uint64_t)(rule->after.high - rule->after.low) + 1;

	return rule->after.low + (int64_t)(hash_two(memory, tag, 'N') % span);
}

/* Does the rule that matched let this pair in? */
static bool lets_in(const struct access_rule *rule, const struct access_memory *memory,
		    const struct access_trace *trace, bool is_new)
{
	switch (rule->outcome) {
	case OUTCOME_ACCEPT:
		return true;
	case OUTCOME_REMEMBER:
		return trace->accepted == 0;
	case OUTCOME_ACCEPT_AFTER:
		/* A pair that failed once fails for good, and one door is enough. */
		return is_new && trace->accepted == 0 &&
		       trace->tries > tries_before(rule, memory, trace->tag);
	default:
		return false;
	}
}

static struct access_decision apply_rules(const struct access_policy *policy,
					  const struct access_memory *memory,
					  const struct access_case *facts,
					  struct access_trace *trace, uint64_t door, bool is_new)
{
	struct access_decision decision = {.rule = "no rule", .tries = facts->tries};

	for (size_t i = 0; i < policy->count; i++) {
		const struct access_rule *rule = &policy->rules[i];
		struct access_case own = *facts;

		/* Each rule draws for itself, else two rules with a chance would go together. */
		own.chance = hash_two(memory, facts->chance, i);
		if (!access_rule_matches(rule, &own))
			continue;
		decision.rule = rule->name;
		if (!lets_in(rule, memory, trace, is_new))
			return decision;
		decision.allowed = true;
		decision.depth = (enum access_depth)rule->depth;
		if (rule->outcome != OUTCOME_ACCEPT) {
			trace->accepted = door;
			trace->depth = (uint8_t)rule->depth;
		}
		return decision;
	}
	return decision;
}

struct access_decision access_decide(const struct access_policy *policy,
				     struct access_memory *memory, const struct access_try *attempt)
{
	uint64_t tag = hash_source(memory, attempt), pair = hash_pair(memory, attempt);
	uint64_t door = hash_door(memory, attempt, pair);
	/* Without memory there is no key either, and a chance is one only if it is random. */
	struct access_case facts = {.attempt = attempt,
				    .plausible = access_rule_plausible(attempt),
				    .chance = memory ? hash_two(memory, tag, pair) : attempt->draw};
	struct access_decision decision;
	struct access_hold hold;
	bool is_new;

	access_memory_hold(memory, tag, attempt->now, &hold);
	is_new = !access_memory_has_seen(&hold.trace, pair);
	if (is_new)
		access_memory_see(&hold.trace, pair);
	facts.tries = hold.trace.tries;
	if (policy->override == ACCESS_ALWAYS)
		decision = (struct access_decision){true, ACCESS_ROOT, "always", facts.tries};
	else if (policy->override == ACCESS_NEVER)
		decision = (struct access_decision){false, ACCESS_NONE, "never", facts.tries};
	else if (hold.trace.accepted == door)
		decision = (struct access_decision){true, (enum access_depth)hold.trace.depth,
						    "remembered", facts.tries};
	else
		decision = apply_rules(policy, memory, &facts, &hold.trace, door, is_new);
	access_memory_release(&hold);
	return decision;
}
