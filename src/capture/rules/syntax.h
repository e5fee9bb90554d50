/* The text of a rule taken apart: Snort 2.9, Snort 3 and Suricata alike.
 *
 *     action protocol source ports -> destination ports (name:value; name; ...)
 *
 * The dialects differ in where an option ends. Snort 2.9 and Suricata end it at every `;` that no
 * backslash stands before, whatever quotes say (real rules hold regular expressions with lone
 * quotes). Snort 3 minds quotes, and writes what modifies a content behind commas in the same
 * option; here these become options of their own behind it.
 *
 * See https://docs.suricata.io (Rules Format) and the Snort 3 user manual (Rules).
 */
#ifndef CAPTURE_RULES_SYNTAX_H
#define CAPTURE_RULES_SYNTAX_H

#include "base/arena.h"

#define RULE_TEXT_MAX    (256 * 1024) /* IP lists are long; nothing else is */
#define RULE_OPTIONS_MAX 512

enum rule_dialect {
	DIALECT_SURICATA, /* and Snort 2.9 */
	DIALECT_SNORT3,
};

struct rule_option {
	struct slice name;
	struct slice value; /* trimmed; NULL: the option has none. Quotes and escapes still in it */
};

struct rule_text {
	struct slice action, protocol;
	struct slice source, source_ports, destination, destination_ports; /* empty: any */
	bool both_ways;
	bool enabled; /* false: it stands behind a # */
	enum rule_dialect dialect;
	struct rule_option *options; /* from the arena */
	size_t option_count;
	unsigned line;   /* of the file, where it begins */
	unsigned column; /* where it is broken, from 1 on; 0: as a whole */
	struct slice text;
};

/* Reads rules one by one out of a file's text. */
struct rule_reader {
	struct slice rest;
	unsigned line;
	enum rule_dialect dialect;
	bool with_disabled; /* rules behind # are rules too */
};

/* The dialect is told from the text: Snort 3 writes modifiers behind commas. */
struct rule_reader rule_reader_of(struct slice text);
enum rule_dialect rule_dialect_of(struct slice text);

enum rule_reading { RULE_END, RULE_READ, RULE_BROKEN };
/* The next rule; its slices point into the file's text or into the arena. RULE_BROKEN: `why` says
 * why, rule->line, rule->column and rule->text tell where; the next call goes on behind it. */
enum rule_reading rule_next(struct rule_reader *reader, struct arena *arena, struct rule_text *rule,
			    const char **why);

/* The option's value; NULL: the rule has none of that name. */
const struct rule_option *rule_option_named(const struct rule_text *rule, const char *name);
/* Marks the place where a rule is broken: a pointer into its text. */
void rule_broken_at(struct rule_text *rule, const uint8_t *at);

/* Takes the quotes off a value and tells whether a ! stood before them. -1: no quotes. */
MUST_CHECK int rule_unquote(struct slice value, struct slice *inner, bool *negated);

#endif
