/* The access policy: rules in order, and the built-in ones behind them; see access.h. */
#include <fnmatch.h>
#include <stdlib.h>

#include "base/clock.h"
#include "decoy/access.h"
#include "decoy/access_memory.h"

#define RULES_MAX 256

/* A detector of honeypots tries a pair that nobody would have: random and long. Such never get in. */
#define ABSURD_LENGTH 24

const char *const access_depth_names[] = {"none", "login", "user", "root", NULL};
static const char *const outcome_names[] = {"refuse", "accept", "accept-after", NULL};
enum outcome { REFUSE, ACCEPT, ACCEPT_AFTER };

struct rule {
	const char *name;
	struct config_texts protocols, users, passwords, sources;
	const char *tries, *after;
	double chance;
	int outcome, depth;
	int64_t tries_low, tries_high, after_low, after_high;
};

struct access_policy {
	enum access_override override;
	struct rule *rules;
	size_t count;
};

#define RULE(name, type, member, standard, choices, help)                                      \
	{name, type, offsetof(struct rule, member), standard, 0, 0, choices, help, false}

static const struct directive rule_directives[] = {
	RULE("name", DIRECTIVE_TEXT, name, "rule", NULL, "Name of the rule, shown in events"),
	RULE("protocols", DIRECTIVE_TEXTS, protocols, NULL, NULL, "Decoys that it holds for; default: all"),
	RULE("users", DIRECTIVE_TEXTS, users, NULL, NULL, "User names, with * and ?; default: all"),
	RULE("passwords", DIRECTIVE_TEXTS, passwords, NULL, NULL, "Passwords, with * and ?; default: all"),
	RULE("sources", DIRECTIVE_TEXTS, sources, NULL, NULL, "Addresses or networks; default: all"),
	RULE("tries", DIRECTIVE_TEXT, tries, NULL, NULL,
	     "Number of distinct tries of the source so far: \"3\", \"3-\", \"3-9\""),
	RULE("chance", DIRECTIVE_REAL, chance, "1", NULL, "Share of the tries that it holds for, 0 to 1"),
	RULE("outcome", DIRECTIVE_CHOICE, outcome, "refuse", outcome_names,
	     "What happens; accept-after lets a source in after a number of distinct tries"),
	RULE("after", DIRECTIVE_TEXT, after, "4-12", NULL,
	     "For accept-after: that number, drawn for each source from this range"),
	RULE("depth", DIRECTIVE_CHOICE, depth, "user", access_depth_names, "How far one gets in"),
};

const struct config_section access_section = {
	"access[]", rule_directives, ARRAY_COUNT(rule_directives),
	"Who gets in: ordered rules, the first that matches decides. A pair that a source got in with "
	"keeps working for it, whatever the rules say later. Behind the last rule stand the built-in "
	"ones: absurd pairs fail, and a source gets in after 4 to 12 distinct tries."};

/* "3", "3-" or "3-9". */
static int parse_range(const char *text, int64_t *low, int64_t *high)
{
	struct slice rest = slice_text(text), first;
	bool open = slice_find_byte(rest, '-') != SIZE_MAX;

	if (!slice_next(&rest, '-', &first) || slice_number(first, 0, 1000000, low) < 0)
		return -1;
	*high = open ? 1000000 : *low;
	return rest.length && slice_number(rest, *low, 1000000, high) < 0 ? -1 : 0;
}

static void take_rule(struct config *config, const struct config_node *node, struct rule *rule)
{
	config_take(config, node, &access_section, rule);
	rule->tries_high = 1000000;
	if (rule->tries && parse_range(rule->tries, &rule->tries_low, &rule->tries_high) < 0)
		config_error(config, node, "tries '%s': write 3, 3- or 3-9", rule->tries);
	if (parse_range(rule->after, &rule->after_low, &rule->after_high) < 0 || rule->after_low < 1)
		config_error(config, node, "after '%s': write 4 or 4-12", rule->after);
	if (rule->chance < 0 || rule->chance > 1)
		config_error(config, node, "chance %g: must be from 0 to 1", rule->chance);
	for (size_t i = 0; i < rule->sources.count; i++) {
		struct network network;

		if (network_parse(slice_text(rule->sources.items[i]), &network) < 0)
			config_error(config, node, "'%s' is not a network: write 192.0.2.0/24",
				     rule->sources.items[i]);
	}
}

struct access_policy *access_policy_take(struct config *config, const struct config_node *list,
					 enum access_override override)
{
	struct access_policy *policy = calloc(1, sizeof(*policy));
	size_t count = config_count(list);

	if (!policy)
		return NULL;
	if (count > RULES_MAX) {
		config_error(config, list, "more than %d access rules", RULES_MAX);
		count = RULES_MAX;
	}
	policy->override = override;
	policy->rules = calloc(count + 1, sizeof(*policy->rules));
	for (size_t i = 0; policy->rules && i < count; i++)
		take_rule(config, config_item(list, i), &policy->rules[policy->count++]);
	return policy;
}

void access_policy_free(struct access_policy *policy)
{
	if (!policy)
		return;
	free(policy->rules);
	free(policy);
}

/* --- matching --- */

static bool names(const struct config_texts *patterns, struct slice text)
{
	char copy[512];
	size_t length = text.length < sizeof(copy) - 1 ? text.length : sizeof(copy) - 1;

	if (patterns->count == 0)
		return true;
	if (length)
		memcpy(copy, text.at, length);
	copy[length] = 0;
	for (size_t i = 0; i < patterns->count; i++) {
		if (fnmatch(patterns->items[i], copy, 0) == 0)
			return true;
	}
	return false;
}

static bool comes_from(const struct config_texts *networks, const struct address *source)
{
	for (size_t i = 0; i < networks->count; i++) {
		struct network network;

		if (network_parse(slice_text(networks->items[i]), &network) == 0 &&
		    network_holds(&network, source))
			return true;
	}
	return networks->count == 0;
}

static bool rule_matches(const struct rule *rule, const struct access_try *attempt, unsigned tries)
{
	return names(&rule->protocols, slice_text(attempt->protocol)) &&
	       names(&rule->users, attempt->user) &&
	       (rule->passwords.count == 0 ||
		(attempt->password_known && names(&rule->passwords, attempt->password))) &&
	       comes_from(&rule->sources, &attempt->source) && tries >= rule->tries_low &&
	       tries <= rule->tries_high &&
	       (double)(attempt->draw >> 11) * 0x1p-53 < rule->chance;
}

/* Long and of many different characters without a break: what a detector draws. */
static bool looks_random(struct slice text)
{
	bool seen[256] = {false};
	size_t different = 0;

	if (text.length < ABSURD_LENGTH)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		different += !seen[text.at[i]];
		seen[text.at[i]] = true;
	}
	return different >= 12;
}

static bool is_absurd(const struct access_try *attempt)
{
	return looks_random(attempt->user) ||
	       (attempt->password_known && looks_random(attempt->password) &&
		attempt->user.length >= 16);
}

static enum access_depth standard_depth(const struct access_try *attempt)
{
	return slice_is(attempt->user, "root") || slice_is_nocase(attempt->user, "administrator") ||
			       slice_is(attempt->user, "sa")
		       ? ACCESS_ROOT
		       : ACCESS_USER;
}

/* A number within [low, high] that is the source's own. */
static int64_t drawn(const struct access_memory *memory, const struct access_try *attempt,
		     int64_t low, int64_t high)
{
	uint64_t bits = access_memory_draw(memory, &attempt->source, attempt->protocol);

	return low + (int64_t)(bits % (uint64_t)(high - low + 1));
}

static struct access_decision decide(const struct access_policy *policy,
				     const struct access_memory *memory,
				     const struct access_try *attempt, unsigned tries)
{
	struct access_decision decision = {.tries = tries};

	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_matches(rule, attempt, tries))
			continue;
		decision.rule = rule->name;
		decision.allowed = rule->outcome == ACCEPT ||
				   (rule->outcome == ACCEPT_AFTER &&
				    tries >= drawn(memory, attempt, rule->after_low, rule->after_high));
		decision.depth = decision.allowed ? (enum access_depth)rule->depth : ACCESS_NONE;
		return decision;
	}
	decision.rule = "absurd";
	if (is_absurd(attempt))
		return decision;
	decision.rule = "persistence";
	decision.allowed = tries >= drawn(memory, attempt, 4, 12);
	decision.depth = decision.allowed ? standard_depth(attempt) : ACCESS_NONE;
	return decision;
}

struct access_decision access_decide(const struct access_policy *policy,
				     struct access_memory *memory, const struct access_try *attempt)
{
	struct access_remembered remembered;
	struct access_decision decision = {.rule = "override", .tries = 1};

	access_memory_try(memory, attempt, &remembered);
	decision.tries = remembered.tries;
	if (policy->override != ACCESS_AS_CONFIGURED) {
		decision.allowed = policy->override == ACCESS_ALWAYS;
		decision.depth = decision.allowed ? standard_depth(attempt) : ACCESS_NONE;
		return decision;
	}
	if (remembered.accepted_pair) {
		decision.allowed = true;
		decision.depth = remembered.depth <= ACCESS_ROOT ? remembered.depth : ACCESS_USER;
		decision.rule = "remembered";
		return decision;
	}
	/* A pair that failed once keeps failing. */
	if (remembered.repeated) {
		decision.rule = "failed before";
		return decision;
	}
	decision = decide(policy, memory, attempt, remembered.tries);
	if (decision.allowed)
		access_memory_accept(memory, attempt, decision.depth);
	return decision;
}
