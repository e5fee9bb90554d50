/* Classes of attacks and their priorities, as classification.config writes them:
 *
 *     config classification: trojan-activity,A Network Trojan was detected,1
 *
 * Without such a file the names that rule sets have used for twenty years are known.
 */
#ifndef CAPTURE_RULES_CLASSES_H
#define CAPTURE_RULES_CLASSES_H

#include "base/arena.h"

#define RULE_CLASSES_MAX      256
#define RULE_PRIORITY_DEFAULT 3
#define RULE_PRIORITY_MAX     255

struct rule_class {
	const char *name, *title; /* title: NULL: none is known */
	uint8_t priority;         /* 1 is the highest */
};

struct rule_classes {
	struct rule_class items[RULE_CLASSES_MAX];
	size_t count;
};

/* The usual ones. */
void rule_classes_start(struct rule_classes *classes);
/* Adds or replaces those of a file's text; names and titles go into the arena. NULL, or a reason,
 * and *line is where. */
const char *rule_classes_read(struct rule_classes *classes, struct slice text, struct arena *arena,
			      unsigned *line);
/* NULL: unknown. */
const struct rule_class *rule_class_named(const struct rule_classes *classes, const char *name);

#endif
