/* How often alerts are told: threshold and detection_filter, by rule and address. */
#ifndef CAPTURE_RULES_THRESHOLDS_H
#define CAPTURE_RULES_THRESHOLDS_H

#include "capture/rules/rule.h"

#define THRESHOLDS_MAX 32768 /* pairs of rule and address counted at a time; the oldest goes */

struct thresholds;

/* "type limit, track by_src, count 1, seconds 60"; without a type it keeps the kind that it has. -1
 * when a part is not known (*bad), or kind or count are missing (*bad is empty). */
MUST_CHECK int threshold_read(struct slice value, struct threshold *threshold, struct slice *bad);

struct thresholds *thresholds_new(void);
/* Counts one match; true: tell it. */
bool threshold_lets(struct thresholds *thresholds, const struct rule *rule,
		    const struct address *source, const struct address *destination, int64_t time);
void thresholds_free(struct thresholds *thresholds);

#endif
