/* Reading rule files; see rule_files.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/rule_files.h"

#define FILE_MAX ((size_t)256 * 1024 * 1024)

char *rule_files_read(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t capacity = 0;
	bool bad = !file;

	*length = 0;
	while (!bad) {
		size_t got;

		if (*length == capacity) {
			char *grown = capacity < FILE_MAX
					      ? realloc(text, capacity + 65536 + capacity)
					      : NULL;

			if (!grown) {
				errno = EFBIG;
				bad = true;
				break;
			}
			text = grown;
			capacity += 65536 + capacity;
		}
		got = fread(text + *length, 1, capacity - *length, file);
		*length += got;
		bad = ferror(file);
		if (!got)
			break;
	}
	if (file)
		(void)fclose(file);
	if (bad) {
		free(text);
		return NULL;
	}
	return text;
}

/* NAME=VALUE;NAME=VALUE */
static int read_variables(struct rule_files *files, char *at)
{
	while (at && *at) {
		char *end = strchr(at, ';'), *equals;

		if (end)
			*end++ = '\0';
		equals = strchr(at, '=');
		if (!equals) {
			log_error("variables of rules are NAME=VALUE, not %s", at);
			return -1;
		}
		*equals = '\0';
		if (rule_variables_set(&files->variables, at, equals + 1) < 0) {
			log_error("more than %d variables of rules", VARIABLES_MAX);
			return -1;
		}
		at = end;
	}
	return 0;
}

static int add_file(struct rule_files *files, const char *path, const struct engine_report *report)
{
	struct engine_counts before = engine_counts(files->engine), after;
	size_t length;
	char *text;

	if (files->count == RULE_FILES_MAX) {
		log_error("more than %d files of rules", RULE_FILES_MAX);
		return -1;
	}
	text = rule_files_read(path, &length);
	if (!text) {
		log_error("cannot read the rules %s: %m", path);
		return -1;
	}
	files->texts[files->count] = text;
	engine_add(files->engine, path, slice_of(text, length), report);
	after = engine_counts(files->engine);
	files->files[files->count++] =
		(struct rule_file){path, after.read - before.read, after.refused - before.refused};
	return 0;
}

static int read_classes(struct rule_files *files, const char *path)
{
	struct rule_classes classes;
	size_t length;
	unsigned line;
	char *text = rule_files_read(path, &length);
	const char *why;

	if (!text) {
		log_error("cannot read the classes %s: %m", path);
		return -1;
	}
	rule_classes_start(&classes);
	files->arena = arena_of(1024 * 1024);
	why = rule_classes_read(&classes, slice_of(text, length), &files->arena, &line);
	free(text);
	if (why) {
		log_error("%s:%u: %s", path, line, why);
		return -1;
	}
	engine_set_classes(files->engine, &classes);
	return 0;
}

static int read_changes(struct rule_files *files, const char *path)
{
	char why[RULE_CHANGES_WHY], *text;
	size_t length;
	unsigned line;

	text = rule_files_read(path, &length);
	if (!text && errno == ENOENT)
		return 0;
	if (!text) {
		log_error("cannot read the changes %s: %m", path);
		return -1;
	}
	files->changes = rule_changes_read(slice_of(text, length), &line, why);
	free(text);
	if (!files->changes) {
		log_error("%s:%u: %s", path, line, why);
		return -1;
	}
	engine_set_changes(files->engine, files->changes);
	return 0;
}

static int make_ready(struct rule_files *files, const char *cache)
{
	const char *why;
	int folder = -1;

	if (cache) {
		folder = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0) {
			log_error("cannot open the folder %s: %m", cache);
			return -1;
		}
	}
	why = engine_ready(files->engine, folder);
	if (folder >= 0)
		close(folder);
	if (why)
		log_error("cannot compile the rules: %s", why);
	return why ? -1 : 0;
}

int rule_files_read_all(struct rule_files *files, const struct rule_sources *sources,
			const char *const *paths, size_t count, const struct engine_report *report)
{
	rule_variables_start(&files->variables);
	files->names = strdup(sources->variables ? sources->variables : "");
	if (!files->names || read_variables(files, files->names) < 0)
		return -1;
	files->engine = engine_new(&files->variables);
	if (!files->engine) {
		log_error("no memory for rules");
		return -1;
	}
	if (sources->classes && read_classes(files, sources->classes) < 0)
		return -1;
	if (sources->changes && read_changes(files, sources->changes) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (add_file(files, paths[i], report) < 0)
			return -1;
	}
	return make_ready(files, sources->cache);
}

void rule_files_load(struct rule_files *files, const struct invocation *invocation,
		     const char *const *paths, size_t count, const struct engine_report *report)
{
	struct rule_sources sources = {.variables = option_value(invocation, "variables"),
				       .classes = option_value(invocation, "classes"),
				       .cache = option_value(invocation, "cache"),
				       .changes = option_value(invocation, "changes")};

	if (rule_files_read_all(files, &sources, paths, count, report) < 0)
		exit(EXIT_TROUBLE);
}

void rule_files_open(struct rule_files *files, const struct invocation *invocation)
{
	const char *paths[RULE_FILES_MAX];
	size_t count = 0;

	files->paths = strdup(option_value(invocation, "rules"));
	if (!files->paths)
		fatal("out of memory");
	for (char *path = files->paths, *next; path; path = next) {
		next = strchr(path, ',');
		if (next)
			*next++ = '\0';
		if (*path && count < RULE_FILES_MAX)
			paths[count++] = path;
	}
	rule_files_load(files, invocation, paths, count, NULL);
	if (engine_counts(files->engine).refused)
		fprintf(stderr,
			"sundew: %zu of %zu rules were refused; `sundew rules check` says why\n",
			engine_counts(files->engine).refused, engine_counts(files->engine).read);
}

void rule_files_close(struct rule_files *files)
{
	engine_free(files->engine);
	for (size_t i = 0; i < files->count; i++)
		free(files->texts[i]);
	arena_drop(&files->arena);
	free(files->names);
	free(files->paths);
	rule_changes_free(files->changes);
	*files = (struct rule_files){0};
}

void rule_event(struct event *event, const struct rule *rule, char id[32])
{
	/* Priority 1 is the highest of four. */
	int64_t severity = rule->priority <= 1   ? 90
			   : rule->priority == 2 ? 60
			   : rule->priority == 3 ? 30
						 : 10;

	(void)snprintf(id, 32, "%u:%u:%u", rule->gid, rule->sid, rule->revision);
	event_set_words(event, FIELD_EVENT_ACTION, "rule.alert");
	event_set_number(event, FIELD_EVENT_SEVERITY, severity);
	event_set_words(event, FIELD_RULE_ID, id);
	if (rule->message)
		event_set_words(event, FIELD_RULE_NAME, rule->message);
	if (rule->class_type)
		event_set_words(event, FIELD_RULE_CATEGORY, rule->class_type);
	if (rule->reference)
		event_set_words(event, FIELD_RULE_REFERENCE, rule->reference);
	if (rule->class_title)
		event_set_words(event, FIELD_RULE_CLASS, rule->class_title);
	event_set_number(event, FIELD_RULE_PRIORITY, rule->priority);
	if (rule->metadata.length)
		event_set_text(event, FIELD_RULE_METADATA, rule->metadata);
	if (rule->target != TARGET_UNKNOWN)
		event_set_words(event, FIELD_RULE_TARGET,
				rule->target == TARGET_SOURCE ? "source" : "destination");
}
