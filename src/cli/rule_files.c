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
static void read_variables(struct rule_files *files, char *at)
{
	while (at && *at) {
		char *end = strchr(at, ';'), *equals;

		if (end)
			*end++ = '\0';
		equals = strchr(at, '=');
		if (!equals)
			fatal("--variables wants NAME=VALUE, not %s", at);
		*equals = '\0';
		if (rule_variables_set(&files->variables, at, equals + 1) < 0)
			fatal("more than %d variables", VARIABLES_MAX);
		at = end;
	}
}

static void add_file(struct rule_files *files, const char *path, const struct engine_report *report)
{
	struct engine_counts before = engine_counts(files->engine), after;
	size_t length;
	char *text;

	if (files->count == RULE_FILES_MAX)
		fatal("more than %d files of rules", RULE_FILES_MAX);
	text = rule_files_read(path, &length);
	if (!text)
		fatal("cannot read the rules %s: %m", path);
	files->texts[files->count] = text;
	engine_add(files->engine, path, slice_of(text, length), report);
	after = engine_counts(files->engine);
	files->files[files->count++] =
		(struct rule_file){path, after.read - before.read, after.refused - before.refused};
}

static void read_classes(struct rule_files *files, const char *path)
{
	struct rule_classes classes;
	size_t length;
	unsigned line;
	char *text = rule_files_read(path, &length);
	const char *why;

	if (!text)
		fatal("cannot read the classes %s: %m", path);
	rule_classes_start(&classes);
	files->arena = arena_of(1024 * 1024);
	why = rule_classes_read(&classes, slice_of(text, length), &files->arena, &line);
	free(text);
	if (why)
		fatal("%s:%u: %s", path, line, why);
	engine_set_classes(files->engine, &classes);
}

void rule_files_load(struct rule_files *files, const struct invocation *invocation,
		     const char *const *paths, size_t count, const struct engine_report *report)
{
	const char *cache = option_value(invocation, "cache"), *why;
	const char *classes = option_value(invocation, "classes");
	const char *variables = option_value(invocation, "variables");
	int folder = -1;

	rule_variables_start(&files->variables);
	files->names = variables ? strdup(variables) : NULL;
	if (variables && !files->names)
		fatal("out of memory");
	if (files->names)
		read_variables(files, files->names);
	files->engine = engine_new(&files->variables);
	if (!files->engine)
		fatal("out of memory");
	if (classes)
		read_classes(files, classes);
	for (size_t i = 0; i < count; i++)
		add_file(files, paths[i], report);
	if (cache) {
		folder = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			fatal("cannot open the folder %s: %m", cache);
	}
	why = engine_ready(files->engine, folder);
	if (folder >= 0)
		close(folder);
	if (why)
		fatal("cannot compile the rules: %s", why);
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
}
