/* The rule engine: many rules, few looked at.
 *
 * Rules are found by one content each, the rarest looking. Those contents are compiled by Hyperscan
 * into one database for each buffer and direction (for raw bytes: transport or application and
 * direction), so a buffer is searched once for all rules; only rules whose content was found are
 * evaluated. Rules without one are evaluated always, those that only name addresses once a flow.
 *
 * One engine belongs to one thread.
 */
#ifndef CAPTURE_RULES_ENGINE_H
#define CAPTURE_RULES_ENGINE_H

#include "capture/rules/build.h"
#include "capture/rules/changes.h"
#include "capture/rules/classes.h"

#define ENGINE_MEMORY_MAX ((size_t)1024 * 1024 * 1024)
#define ENGINE_RULES_MAX  200000

struct engine;

struct engine_report {
	void *context;
	/* A rule that was refused, and why. */
	void (*refused)(void *context, const char *file, const struct rule_text *text,
			const char *why);
};

struct engine_counts {
	size_t read, loaded, refused, disabled;
	size_t always; /* rules without a content to be found by */
	size_t databases, patterns;
	size_t bytes;                                   /* of databases */
	uint64_t inspections, candidates, alerts, shed; /* shed: held back by thresholds */
};

/* NULL when memory is out. The variables are copied by reference: their texts must stay. */
struct engine *engine_new(const struct variables *variables);
/* Classes and their priorities, for the rules that are added from now on; they are copied, their
 * texts must stay. Without it the usual ones. */
void engine_set_classes(struct engine *engine, const struct rule_classes *classes);
/* What the owner changes of the rules that are added from now on; borrowed. NULL: nothing. */
void engine_set_changes(struct engine *engine, const struct rule_changes *changes);
/* Adds the rules of a file's text (which must stay until engine_free). A sid that is there already
 * is replaced if the new revision is higher, else refused. */
void engine_add(struct engine *engine, const char *file, struct slice text,
		const struct engine_report *report);
/* Compiles; call once, after the last engine_add. NULL, or what went wrong. `cache` is a folder's
 * descriptor where compiled databases are kept, or -1. */
const char *engine_ready(struct engine *engine, int cache);

/* Buffers that some rule looks at. */
const struct wants *engine_wants(const struct engine *engine);
/* Calls `alert` for every rule that matches and is to be told. */
void engine_inspect(struct engine *engine, const struct inspection *inspection,
		    void (*alert)(void *context, const struct rule *rule,
				  const struct inspection *inspection),
		    void *context);
struct engine_counts engine_counts(const struct engine *engine);
/* Rules that were dropped because another one has the same number: known after engine_ready. */
struct engine_double {
	const struct rule *dropped, *kept;
};
const struct engine_double *engine_doubles(const struct engine *engine, size_t *count);
/* The rules in the order of evaluation. */
const struct rule *const *engine_rules(const struct engine *engine, size_t *count);
/* Accepts NULL. */
void engine_free(struct engine *engine);

#endif
