/* What the owner changes of rules that others write: it lies in a file of its own, so that it
 * survives their updates. One change a line, # comments; rules are named SID or GID:SID.
 *
 *     disable 2001219
 *     enable 1:2001220          a rule that its file leaves out behind #
 *     threshold gen_id 1, sig_id 2001219, type limit, track by_src, count 1, seconds 3600
 *     suppress gen_id 1, sig_id 2001219, track by_src, ip 192.0.2.0/24
 *
 * The last two are Snort's and Suricata's (threshold.config); event_filter is the first by another
 * name. What a file says of a rule comes instead of the rule's own.
 */
#ifndef CAPTURE_RULES_CHANGES_H
#define CAPTURE_RULES_CHANGES_H

#include "capture/rules/rule.h"

#define RULE_CHANGES_MAX 65536
#define RULE_CHANGES_WHY 160

struct rule_change {
	uint32_t gid, sid;
	unsigned line; /* its place in the file */
	bool disabled, enabled;
	struct threshold threshold; /* THRESHOLD_NONE: the rule's own */
	bool suppressed;            /* some suppression names it */
};

struct rule_changes;

/* Reads the text; NULL with the line and the reason when it is broken. Nothing is borrowed. */
struct rule_changes *rule_changes_read(struct slice text, unsigned *line,
				       char why[RULE_CHANGES_WHY]);
/* What is changed of that rule, or NULL. */
const struct rule_change *rule_changes_find(const struct rule_changes *changes, uint32_t gid,
					    uint32_t sid);
/* Some rule is to be enabled. */
bool rule_changes_enable(const struct rule_changes *changes);
/* An alert of that rule between these is not told. */
bool rule_changes_suppress(const struct rule_changes *changes, const struct rule *rule,
			   const struct address *source, const struct address *destination);
/* Accepts NULL. */
void rule_changes_free(struct rule_changes *changes);

#endif
