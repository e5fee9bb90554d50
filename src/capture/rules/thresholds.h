/* How often alerts are told: threshold and detection_filter, by rule and address. */
#ifndef CAPTURE_RULES_THRESHOLDS_H
#define CAPTURE_RULES_THRESHOLDS_H

#include "capture/rules/rule.h"

#define THRESHOLDS_MAX 32768 /* pairs of rule and address counted at a time; the oldest goes */

struct thresholds;

struct thresholds *thresholds_new(void);
/* Counts one match; true: tell it. */
bool threshold_lets(struct thresholds *thresholds, const struct rule *rule,
		    const struct address *source, const struct address *destination, int64_t time);
void thresholds_free(struct thresholds *thresholds);

#endif
