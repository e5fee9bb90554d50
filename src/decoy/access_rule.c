/* Rules of the access policy; see access_rule.h. */
#include "decoy/access_rule.h"
#include "base/clock.h"

#define MATCHED_MAX   256 /* bytes of a user or password that patterns look at */
#define LONG_MAX      64  /* nobody's user or password is longer */
#define ABSURD_LENGTH 24  /* user and password both as long as this: a honeypot detector */
#define RANDOM_LENGTH 12  /* shorter texts are too short to tell random from chosen */

const char *const access_depth_names[] = {"none", "login", "user", "root", NULL};
static const char *const outcomes[] = {"refuse", "accept", "accept-after", "remember", NULL};
static const char *const plausibles[] = {"any", "yes", "no", NULL};
enum { PLAUSIBLE_ANY, PLAUSIBLE_YES, PLAUSIBLE_NO };

static const struct directive directives[] = {
	{"name", DIRECTIVE_TEXT, offsetof(struct access_rule, name), "rule",
	 .help = "Name of the rule, shown in events"},
	{"protocols", DIRECTIVE_TEXTS, offsetof(struct access_rule, protocols),
	 .help = "Only for these protocols; all when left out"},
	{"users", DIRECTIVE_TEXTS, offsetof(struct access_rule, users),
	 .help = "Only for these users; * and ? are wildcards"},
	{"passwords", DIRECTIVE_TEXTS, offsetof(struct access_rule, passwords),
	 .help = "Only for these passwords; * and ? are wildcards; never matches where a protocol "
		 "shows "
		 "only a response"},
	{"sources", DIRECTIVE_TEXTS, offsetof(struct access_rule, source_texts),
	 .help = "Only from these networks, such as 192.0.2.0/24"},
	{"hours", DIRECTIVE_TEXT, offsetof(struct access_rule, hours_text),
	 .help = "Only in these hours of the day (UTC): 8-18 is from 08:00 to 18:00, 22-6 is at "
		 "night"},
	{"tries", DIRECTIVE_TEXT, offsetof(struct access_rule, tries_text),
	 .help = "Only when the source has made this many distinct tries: 3, 3-9 or 3-"},
	{"plausible", DIRECTIVE_CHOICE, offsetof(struct access_rule, plausible), "any",
	 .choices = plausibles,
	 .help = "Only for pairs that a person or a word list could mean (yes), or only for the "
		 "long "
		 "random ones that are sent to recognise honeypots (no)"},
	{"chance", DIRECTIVE_REAL, offsetof(struct access_rule, chance), "1",
	 .help = "Only for this share (0 to 1) of sources and pairs; the same pair always fares "
		 "the same"},
	{"outcome", DIRECTIVE_CHOICE, offsetof(struct access_rule, outcome), "refuse",
	 .choices = outcomes,
	 .help = "What happens; accept-after and remember let one pair of a source in and keep it"},
	{"after", DIRECTIVE_TEXT, offsetof(struct access_rule, after_text), "4-12",
	 .help = "For accept-after: how many distinct tries come first, drawn for each source"},
	{"depth", DIRECTIVE_CHOICE, offsetof(struct access_rule, depth), "user",
	 .choices = access_depth_names, .help = "How far whoever is let in gets"},
};

const struct config_section access_section = {"access[]", directives, ARRAY_COUNT(directives),
					      "Who gets in, and how far: ordered rules, the first "
					      "that matches decides. A pair that a source "
					      "got in with by accept-after or remember keeps "
					      "working for it, whatever the rules say later. "
					      "Behind the last rule stand the built-in ones: "
					      "common and absurd pairs fail, and a source gets "
					      "in with one pair after 4 to 12 distinct tries."};

static void take_networks(struct config *config, const struct config_node *node,
			  struct access_rule *rule)
{
	const struct config_node *list = config_child(node, "sources");
	size_t count = rule->source_texts.count;

	rule->networks =
		arena_take(config_arena(config), (count ? count : 1) * sizeof(*rule->networks));
	for (size_t i = 0; rule->networks && i < count; i++) {
		if (network_parse(slice_text(rule->source_texts.items[i]), &rule->networks[i]) < 0)
			config_error(config, config_item(list, i),
				     "access[].sources must be networks such as 192.0.2.0/24 or "
				     "2001:db8::/32");
	}
	if (!rule->networks)
		rule->source_texts.count = 0;
}

/* "3", "3-9", "3-"; NULL leaves the range as it is. */
static void take_range(struct config *config, const struct config_node *node, const char *name,
		       const char *text, bool may_wrap, struct access_range *range)
{
	struct slice whole = slice_text(text);
	size_t dash = slice_find_byte(whole, '-');
	int64_t most = range->high;

	if (!text)
		return;
	if (slice_number(slice_first(whole, dash), range->low, most, &range->low) < 0)
		goto wrong;
	range->high = range->low;
	if (dash == whole.length - 1)
		range->high = most;
	else if (dash != SIZE_MAX &&
		 slice_number(slice_from(whole, dash + 1), may_wrap ? 0 : range->low, most,
			      &range->high) < 0)
		goto wrong;
	return;
wrong:
	config_error(config, config_child(node, name) ? config_child(node, name) : node,
		     "access[].%s must be a number or a range such as 3-9, at most %lld", name,
		     (long long)most);
}

void access_rule_take(struct config *config, const struct config_node *node,
		      struct access_rule *rule)
{
	config_take(config, node, &access_section, rule);
	rule->hours = (struct access_range){0, 24};
	rule->tries = (struct access_range){0, UINT16_MAX};
	rule->after = (struct access_range){0, 1000};
	if (!config_is_mapping(node))
		return;
	take_networks(config, node, rule);
	take_range(config, node, "hours", rule->hours_text, true, &rule->hours);
	if (rule->hours_text && rule->hours.low == rule->hours.high)
		rule->hours.high++; /* "8": that hour */
	take_range(config, node, "tries", rule->tries_text, false, &rule->tries);
	take_range(config, node, "after", rule->after_text, false, &rule->after);
	if (rule->chance < 0 || rule->chance > 1)
		config_error(config, config_child(node, "chance"),
			     "access[].chance must be a number from 0 to 1");
	if (rule->outcome != OUTCOME_REFUSE && rule->depth == ACCESS_NONE)
		config_error(config, config_child(node, "depth"),
			     "a rule that lets somebody in needs the depth login, user or root");
}

bool access_rule_glob(const char *pattern, struct slice text)
{
	const char *star = NULL;
	size_t at = 0, star_at = 0;

	while (at < text.length) {
		if (*pattern == '*') {
			star = pattern++;
			star_at = at;
		} else if (*pattern && (*pattern == '?' || (uint8_t)*pattern == text.at[at])) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star + 1;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

/* An empty list matches everything. */
static bool matches_one(const struct config_texts *patterns, struct slice text)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (access_rule_glob(patterns->items[i], slice_first(text, MATCHED_MAX)))
			return true;
	}
	return patterns->count == 0;
}

static bool matches_source(const struct access_rule *rule, const struct address *source)
{
	for (size_t i = 0; i < rule->source_texts.count; i++) {
		if (network_holds(&rule->networks[i], source))
			return true;
	}
	return rule->source_texts.count == 0;
}

static bool matches_hour(const struct access_range *hours, int64_t now)
{
	int64_t hour = clock_civil(now).hour;

	if (hours->low <= hours->high)
		return hour >= hours->low && hour < hours->high;
	return hour >= hours->low || hour < hours->high;
}

bool access_rule_matches(const struct access_rule *rule, const struct access_case *facts)
{
	const struct access_try *attempt = facts->attempt;

	if (!matches_one(&rule->protocols, slice_text(attempt->protocol)) ||
	    !matches_one(&rule->users, attempt->user) || !matches_source(rule, &attempt->source))
		return false;
	if (rule->passwords.count &&
	    (!attempt->password_known || !matches_one(&rule->passwords, attempt->password)))
		return false;
	if (rule->plausible != PLAUSIBLE_ANY &&
	    facts->plausible != (rule->plausible == PLAUSIBLE_YES))
		return false;
	return matches_hour(&rule->hours, attempt->now) && facts->tries >= rule->tries.low &&
	       facts->tries <= rule->tries.high &&
	       (double)(facts->chance >> 11) < rule->chance * 9007199254740992.0; /* 2^53 */
}

enum letter { LOWER, UPPER, DIGIT, OTHER };

static enum letter letter_of(uint8_t byte)
{
	if (byte >= 'a' && byte <= 'z')
		return LOWER;
	if (byte >= 'A' && byte <= 'Z')
		return UPPER;
	return byte >= '0' && byte <= '9' ? DIGIT : OTHER;
}

/* In chosen words letters, digits and capitals come in runs; in random ones they alternate. */
static bool looks_random(struct slice text)
{
	size_t changes = 0;

	if (text.length < RANDOM_LENGTH)
		return false;
	for (size_t i = 1; i < text.length; i++)
		changes += letter_of(text.at[i]) != letter_of(text.at[i - 1]);
	return changes * 2 >= text.length;
}

static bool is_typed(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < 0x20 || text.at[i] == 0x7f)
			return false;
	}
	return text.length <= LONG_MAX;
}

bool access_rule_plausible(const struct access_try *attempt)
{
	struct slice user = attempt->user, password = attempt->password;

	if (!is_typed(user) || looks_random(user))
		return false;
	if (!attempt->password_known)
		return user.length < ABSURD_LENGTH;
	if (user.length + password.length == 0 ||
	    (user.length >= ABSURD_LENGTH && password.length >= ABSURD_LENGTH))
		return false;
	return is_typed(password) && !looks_random(password);
}
