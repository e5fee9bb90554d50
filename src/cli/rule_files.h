/* Rule files for the commands that use them. */
#ifndef CLI_RULE_FILES_H
#define CLI_RULE_FILES_H

#include "capture/rules/engine.h"
#include "cli/command.h"
#include "event/event.h"

#define RULE_FILES_MAX 256

/* An engine and the texts that it borrows from. */
struct rule_files {
	struct engine *engine; /* NULL: no rules */
	struct variables variables;
	char *texts[RULE_FILES_MAX];
	struct rule_file {
		const char *path;
		size_t read, refused;
	} files[RULE_FILES_MAX];
	size_t count;
	struct arena arena; /* names of classes */
	char *names, *paths;
	struct rule_changes *changes;
};

/* Loads the rules of --rules, --variables, --classes, --cache into *files (zeroed, at a place where
 * it stays); how many were refused is told on standard error. Ends the program with a message when
 * a file cannot be read. */
void rule_files_open(struct rule_files *files, const struct invocation *invocation);
/* Where rules look for what they need; each may be NULL. */
struct rule_sources {
	const char *variables; /* NAME=VALUE;... */
	const char *classes;   /* a classification.config */
	const char *cache;     /* folder of compiled rules */
	const char *changes;   /* what the owner changes of them; it need not be there */
};

/* Loads those files; -1 with a message printed. */
MUST_CHECK int rule_files_read_all(struct rule_files *files, const struct rule_sources *sources,
				   const char *const *paths, size_t count,
				   const struct engine_report *report);
/* The same with the options of a command, which ends when something cannot be read. */
void rule_files_load(struct rule_files *files, const struct invocation *invocation,
		     const char *const *paths, size_t count, const struct engine_report *report);
void rule_files_close(struct rule_files *files);

/* A whole file; NULL with errno. The caller frees it. */
char *rule_files_read(const char *path, size_t *length);

/* Sets what an alert has: action, rule, class, severity. `id` is room for the rule's number. */
void rule_event(struct event *event, const struct rule *rule, char id[32]);

#endif
